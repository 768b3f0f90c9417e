//! One act on many leads of a list: those that are ticked, or all on the page; [`whole`](super::whole) has all from there
//! down the list. First a look: what would follow for each, and who would be refused and why; then it is done.
//!
//! Determinations. *What was looked at is what is done*: each lead carries what was seen of it, and to whom it would go;
//! where that changed since, it stays as it is and is counted so. *A second click is the first one*: all of a look are done
//! under one act's id. *Placed as with the waiting room's*: what a colleague holds stays, and everything does while
//! distribution is stopped. *Whom somebody calls just now, and who is to be called already, is not chosen to be called*.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use leadyard_domain::distribution::{Core, Switches, Waiting};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, ContractId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_domain::money::Money;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::scores::Scores;
use leadyard_platform::store::LookedAt;
use leadyard_platform::who::ACTS;
use serde_json::{Value, json};

use super::list::{AT, LISTED, Shown as List};
use super::signed::{For, Form, Sent, Signed};
use super::waiting::stays_put;
use super::{Frame, export, lead, rendered, shown, troubled, whole};
use crate::acts::{self, Asked, Seen};
use crate::follow_up::SeenCall;
use crate::place::Supposed;

/// What is done with many.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    FollowUp,
    Place,
    TakeBack,
    Hold,
    Resume,
}

impl Act {
    const ALL: [Self; 5] = [Self::FollowUp, Self::Place, Self::TakeBack, Self::Hold, Self::Resume];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::FollowUp => "follow_up",
            Self::Place => "place",
            Self::TakeBack => "take_back",
            Self::Hold => "hold",
            Self::Resume => "resume",
        }
    }

    pub(super) fn of(word: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|act| act.word() == word).ok_or_else(|| {
            let detail = "with many one of these is done: follow_up place take_back hold resume";
            Problem::new(Code::InvalidField, detail)
        })
    }

    /// As a question, as what would follow, and as what is said afterwards.
    pub(super) const fn says(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::FollowUp => ("Follow these up?", "would be called", "chosen to be called"),
            Self::Place => ("Place these as recommended?", "would go", "placed"),
            Self::TakeBack => ("Take these back?", "would be taken back", "taken back"),
            Self::Hold => ("Hold these?", "would be held", "held"),
            Self::Resume => ("Resume these?", "would go to distribution", "resumed"),
        }
    }
}

#[derive(askama::Template)]
#[template(path = "leads_look.html")]
struct Look {
    frame: Frame,
    act: &'static str,
    would: &'static str,
    /// The list as it is carried, and by its address.
    list: String,
    back: String,
    goes: Vec<Row>,
    stays: Vec<Row>,
    /// What all of them come to; of placing alone, and empty while the company only watches.
    price: String,
    watches: bool,
    once: String,
    /// Of a hold: the zone in which its end is typed.
    zone: String,
}

/// What would follow for one; or why nothing would.
pub(super) struct Row {
    pub(super) lead: String,
    pub(super) name: String,
    pub(super) place: String,
    pub(super) what: String,
    /// It would be done with this one: nobody left it out.
    pub(super) ticked: bool,
    contract: String,
    seen: String,
}

/// What a list says of what was done with many of it.
pub(super) fn done(list: &List) -> String {
    match list.done.as_str() {
        "none" => return "Nothing was chosen. Tick some, or all on the page.".to_owned(),
        "over" => return "That look is over: look again.".to_owned(),
        _ => {}
    }
    let Ok(act) = Act::of(&list.done) else { return String::new() };
    let (_, _, said) = act.says();
    match list.kept {
        0 => format!("{} {said}.", list.count),
        kept => format!(
            "{} {said}. {kept} stayed as they are: they changed since they were shown, or could not be. Open them to see.",
            list.count
        ),
    }
}

/// `POST /console/leads/many`: `act`, `list`, and `one.LEAD` for each that is ticked, or `every` and `shown.LEAD` for all on
/// the page: a look. `whole`: one at all from there down the list. `sure` with `seen.LEAD` and `with.LEAD`: done. Where the
/// act is `export`, nothing is done with them: they are [taken](export::chosen) as a table.
pub(super) async fn act(
    State(cloud): State<Cloud>,
    Sent { signed: For(signed), form }: Sent<For<ACTS>>,
) -> Response {
    let answered = if form.contains_key("sure") {
        Box::pin(does(&cloud, &signed, &form)).await
    } else {
        Box::pin(chosen(&cloud, &signed, &form)).await
    };
    answered.unwrap_or_else(|problem| troubled(&signed, &problem))
}

pub(super) fn text<'a>(form: &'a Form, name: &str) -> &'a str {
    form.get(name).map(|text| text.trim()).unwrap_or_default()
}

/// Which of a page were chosen: those that are ticked, or with `every` all that it shows.
pub(super) fn chosen_of(form: &Form) -> Vec<LeadId> {
    let under = if form.contains_key("every") { "shown." } else { "one." };
    form.keys().filter_map(|name| name.strip_prefix(under)?.parse().ok()).take(LISTED).collect()
}

async fn chosen(cloud: &Cloud, signed: &Signed, form: &Form) -> Result<Response, Problem> {
    let list = List::read(text(form, "list"));
    if text(form, "act") == export::WORD {
        return Box::pin(export::chosen(cloud, signed, form, &list)).await;
    }
    let act = Act::of(text(form, "act"))?;
    if form.contains_key("whole") {
        return Box::pin(whole::begin(cloud, signed, act, list)).await;
    }
    let ids = chosen_of(form);
    if ids.is_empty() {
        return Ok(Redirect::to(&list.at(AT, &[("done", "none")])).into_response());
    }
    let core = signed.rules_of(cloud, &list.company).await?;
    let leads = cloud.store.leads_get(&ids).await?;
    let look = Box::pin(look(cloud, signed, &core, act, &list, leads)).await?;
    Ok(rendered(&look, StatusCode::OK))
}

/// A look at these leads.
async fn look(
    cloud: &Cloud,
    signed: &Signed,
    core: &Core,
    act: Act,
    list: &List,
    leads: Vec<Lead>,
) -> Result<Look, Problem> {
    let (switches, _) = cloud.store.switches_get(core.company_id()).await?;
    let fates = Box::pin(fates(cloud, signed, core, &switches, act, leads, &mut Supposed::default())).await?;
    let minor = fates.iter().map(|(_, fate)| fate.minor).sum();
    let (goes, stays): (Vec<_>, Vec<_>) = fates.iter().partition(|(_, fate)| fate.goes);
    let rows = |fates: Vec<&(Lead, LookedAt)>| fates.iter().map(|(lead, fate)| Row::of(lead, fate)).collect();
    let (title, would, _) = act.says();
    let watches = act == Act::Place && switches.shadow;
    Ok(Look {
        frame: Frame::of(title, "leads", signed),
        act: act.word(),
        would,
        list: list.kept(),
        back: list.at(AT, &[]),
        goes: rows(goes),
        stays: rows(stays),
        price: if act == Act::Place && !watches { price(core, minor) } else { String::new() },
        watches,
        once: ActId::mint(cloud.clock.now(), cloud.entropy.bytes()).to_string(),
        zone: if act == Act::Hold { core.company.zone.clone() } else { String::new() },
    })
}

/// What all of them come to.
pub(super) fn price(core: &Core, minor: i64) -> String {
    shown::money(core, Money::from_minor(minor))
}

/// What would follow for each of these leads, the hottest first: who has the last seat of a cap.
pub(super) async fn fates(
    cloud: &Cloud,
    signed: &Signed,
    core: &Core,
    switches: &Switches,
    act: Act,
    mut leads: Vec<Lead>,
    supposed: &mut Supposed,
) -> Result<Vec<(Lead, LookedAt)>, Problem> {
    leads.retain(|lead| lead.company == *core.company_id());
    let now = cloud.clock.now();
    hottest_first(core, &mut leads, now);
    let put = |lead: &Lead| stays(switches, act, lead, now);
    // What stays whatever the rules say has none of the seats that the others are shown.
    let free: Vec<LeadId> = leads.iter().filter(|lead| put(lead).is_none()).map(|lead| lead.id).collect();
    let asked = Asked { recommended: act == Act::Place, ..Asked::default() };
    let told = acts::tried(cloud, &signed.desk, act.word(), &free, asked, supposed).await?;
    let mut told = told.into_iter();
    let fate = |lead: Lead| {
        let fate = match put(&lead) {
            Some(why) => stayed(&lead, why.to_owned()),
            None => followed_by(core, act, &lead, &told.next().unwrap_or_default(), switches.shadow),
        };
        (lead, fate)
    };
    Ok(leads.into_iter().map(fate).collect())
}

/// Puts leads in order, the hottest as of now first.
pub(super) fn hottest_first(core: &Core, leads: &mut [Lead], now: jiff::Timestamp) {
    let scores = Scores::of(core, now);
    leads.sort_by_key(|lead| {
        let hundredths = scores.now(lead).map_or(0, |score| score.hundredths);
        (std::cmp::Reverse(hundredths), std::cmp::Reverse(lead.last_enquiry_at), lead.id)
    });
}

/// Nothing would follow.
fn stayed(lead: &Lead, why: String) -> LookedAt {
    LookedAt {
        lead: lead.id,
        goes: false,
        what: why,
        contract: None,
        minor: 0,
        seen: String::new(),
        stayed: false,
    }
}

/// What would follow, by what a dry run told.
fn followed_by(core: &Core, act: Act, lead: &Lead, told: &Value, watches: bool) -> LookedAt {
    if told["problem"].is_object() {
        return stayed(lead, why_not(&told["problem"]));
    }
    if let Some(why) = followed_up_already(act, &told["before"]) {
        return stayed(lead, why);
    }
    let text = |name: &str| told["after"][name].as_str().unwrap_or_default();
    let seen = match act {
        Act::FollowUp => json!(SeenCall::of_told(&told["before"])),
        Act::Place | Act::TakeBack | Act::Hold | Act::Resume => json!(Seen::of(lead)),
    };
    LookedAt {
        lead: lead.id,
        goes: true,
        what: what(core, act, lead, told, watches),
        contract: ContractId::new(text("contract")).ok(),
        minor: text("price").parse::<Money>().map_or(0, Money::minor),
        seen: seen.to_string(),
        stayed: false,
    }
}

/// Why it is not done with one, for people: the rules that its contract fails, or what it waits for. Nothing, where no
/// problem is told.
pub(super) fn why_not(problem: &Value) -> String {
    let rules = lead::rules_of(problem);
    if !rules.is_empty() {
        return rules.join("; ");
    }
    let detail = problem["detail"].as_str().unwrap_or_default();
    match problem["waiting"].as_str().map(str::parse::<Waiting>) {
        Some(Ok(reason)) => format!("the rules recommend nobody now, since {}", shown::reason_says(reason)),
        Some(Err(_)) | None => detail.to_owned(),
    }
}

/// Why one is not chosen to be called among many, by how it is followed up.
fn followed_up_already(act: Act, before: &Value) -> Option<String> {
    if act != Act::FollowUp {
        return None;
    }
    if let Some(by) = before["claim"]["by"].as_str() {
        return Some(format!("{by} is calling them just now"));
    }
    (before["stands"] == "due").then(|| "it stands in the day’s list of calls already".to_owned())
}

/// Why nothing is done with a lead among many, whatever the rules say.
fn stays(switches: &Switches, act: Act, lead: &Lead, now: jiff::Timestamp) -> Option<&'static str> {
    match act {
        Act::Place => stays_put(switches, lead, now),
        Act::Hold if lead.held_back(now).is_some() => Some("the desk holds it already"),
        Act::FollowUp | Act::TakeBack | Act::Hold | Act::Resume => None,
    }
}

/// What would follow.
fn what(core: &Core, act: Act, lead: &Lead, told: &Value, watches: bool) -> String {
    let text = |name: &str| told["after"][name].as_str().unwrap_or_default();
    let (dealer, contract, price) = (text("dealer"), text("contract"), text("price"));
    match act {
        Act::FollowUp => to_be_called(core, &told["before"]),
        Act::Place if watches => format!("to {dealer} ({contract})"),
        Act::Place => format!("to {dealer} ({contract}) for {}", shown::money(core, price)),
        Act::TakeBack => {
            let dealers: Vec<&str> = lead.holders.iter().map(|holder| holder.dealer.as_str()).collect();
            format!("from {}, who is told first", dealers.join(", "))
        }
        Act::Hold => "nobody gets it until then, or until it is resumed".to_owned(),
        Act::Resume => "it goes to distribution".to_owned(),
    }
}

/// What choosing one to be called changes.
fn to_be_called(core: &Core, before: &Value) -> String {
    let why = shown::word(before["why"].as_str().unwrap_or_default());
    match before["stands"].as_str() {
        Some("planned") => {
            let at = before["at"].as_str().and_then(|at| at.parse().ok());
            let at = at.map(|at| shown::instant(core, at)).unwrap_or_default();
            format!("in the day’s list of calls at once, and not on {at} as planned")
        }
        Some("rests") => format!("in the day’s list of calls at once, though it rests: {why}"),
        Some("ended") => format!("in the day’s list of calls at once; its follow-up had ended: {why}"),
        _ => "in the day’s list of calls at once".to_owned(),
    }
}

impl Row {
    pub(super) fn of(lead: &Lead, fate: &LookedAt) -> Self {
        Self {
            lead: lead.id.to_string(),
            name: shown::name(&lead.person),
            place: shown::place(&lead.person),
            what: fate.what.clone(),
            ticked: true,
            contract: fate.contract.as_ref().map(ToString::to_string).unwrap_or_default(),
            seen: fate.seen.clone(),
        }
    }
}

/// Does it with those that are ticked, as they were shown; then the list.
async fn does(cloud: &Cloud, signed: &Signed, form: &Form) -> Result<Response, Problem> {
    let (act, list) = (Act::of(text(form, "act"))?, List::read(text(form, "list")));
    let core = signed.rules_of(cloud, &list.company).await?;
    let (switches, _) = cloud.store.switches_get(core.company_id()).await?;
    let done = Box::pin(with_each(cloud, signed, &core, &switches, act, form)).await?;
    let word = if done.count + done.kept > 0 { act.word() } else { "none" };
    let (count, kept) = (done.count.to_string(), done.kept.to_string());
    Ok(Redirect::to(&list.at(AT, &[("done", word), ("count", &count), ("kept", &kept)])).into_response())
}

/// With how many it was done, and how many stayed as they are.
pub(super) struct Done {
    pub(super) count: usize,
    pub(super) kept: usize,
}

/// Does it with those of a look that are ticked: `once`, and of each `one.LEAD`, `seen.LEAD` and `with.LEAD`.
pub(super) async fn with_each(
    cloud: &Cloud,
    signed: &Signed,
    core: &Core,
    switches: &Switches,
    act: Act,
    form: &Form,
) -> Result<Done, Problem> {
    let once = text(form, "once").parse::<ActId>().ok();
    let (reason, until) = why_and_until(cloud, form)?;
    let ids: Vec<LeadId> =
        form.keys().filter_map(|name| name.strip_prefix("one.")?.parse().ok()).take(LISTED).collect();
    let mut done = Done { count: 0, kept: 0 };
    for id in &ids {
        let (seen, with) = (text(form, &format!("seen.{id}")), text(form, &format!("with.{id}")));
        let asked = Asked { reason: reason.clone(), until, once, ..seen_as(act, seen, with.parse().ok()) };
        match Box::pin(one(cloud, signed, core, switches, act, *id, &asked)).await? {
            None => done.count += 1,
            Some(_) => done.kept += 1,
        }
    }
    Ok(done)
}

/// Why, and of a hold until when, as a form has them.
pub(super) fn why_and_until(
    cloud: &Cloud,
    form: &Form,
) -> Result<(Option<String>, Option<jiff::Timestamp>), Problem> {
    let reason = Some(text(form, "reason").to_owned()).filter(|reason| !reason.is_empty());
    let until = shown::local(form, "until")?;
    if until.is_some_and(|until| until <= cloud.clock.now()) {
        return Err(Problem::new(Code::InvalidField, "the end lies in the past"));
    }
    Ok((acts::note("reason", reason)?, until))
}

/// What is asked for of a lead that was seen so.
pub(super) fn seen_as(act: Act, seen: &str, contract: Option<ContractId>) -> Asked {
    match act {
        Act::FollowUp => Asked { seen_call: serde_json::from_str(seen).ok(), ..Asked::default() },
        Act::Place | Act::TakeBack | Act::Hold | Act::Resume => {
            Asked { seen: serde_json::from_str(seen).ok(), contract, ..Asked::default() }
        }
    }
}

/// Does it with one; why not, where it changed since it was shown, or cannot be.
pub(super) async fn one(
    cloud: &Cloud,
    signed: &Signed,
    core: &Core,
    switches: &Switches,
    act: Act,
    id: LeadId,
    asked: &Asked,
) -> Result<Option<String>, Problem> {
    let lead = cloud.store.lead_get(id).await?.filter(|lead| lead.company == *core.company_id());
    let Some(lead) = lead else { return Ok(Some("there is no such lead any more".to_owned())) };
    // What stays put was done by the first of two clicks, or is left alone.
    if acts::is_done(cloud, id, act.word(), asked).await? {
        return Ok(None);
    }
    if let Some(why) = stays(switches, act, &lead, cloud.clock.now()) {
        return Ok(Some(why.to_owned()));
    }
    if asked.seen.is_none() && asked.seen_call.is_none() {
        return Ok(Some("it was not shown".to_owned()));
    }
    match acts::done(cloud, &signed.desk, &id.to_string(), act.word(), asked).await {
        Ok(_) => Ok(None),
        Err(problem) if [Code::StateConflict, Code::NotFound].contains(&problem.code()) => {
            Ok(Some(why_not(&problem.json())))
        }
        // It is being delivered at this moment: that is one lead's trouble, and not the table's.
        Err(problem) if act == Act::TakeBack && problem.code() == Code::Unavailable => {
            Ok(Some(problem.detail().to_owned()))
        }
        Err(problem) => Err(problem),
    }
}
