//! One act on many leads of a list: those that are ticked, all on the page, or all from there down the list, a slice at a
//! time. First a look: what would follow for each, and who would be refused and why; then it is done.
//!
//! Determinations. *What was looked at is what is done*: each lead carries what was seen of it, and to whom it would go;
//! where that changed since, it stays as it is and is counted so. *A long list is looked at slice by slice*: what was done
//! so far is said, and one may stop at each. Where a search finds nobody the next one follows, as long as an answer may take
//! ([`READING_SECONDS`](leadyard_domain::limits::READING_SECONDS)). *A second click is the first one*: all of a look are done
//! under one act's id. *Placed as with the waiting room's*: what a colleague holds stays, and everything does while
//! distribution is stopped.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use leadyard_domain::distribution::{Core, Switches};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_domain::money::Money;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::scores::Scores;
use leadyard_platform::who::ACTS;
use serde::Deserialize;
use serde_json::json;

use super::export::reads_until;
use super::list::{AT, LISTED, Shown as List};
use super::signed::{For, Form, Sent, Signed};
use super::waiting::stays_put;
use super::{Frame, address, rendered, shown, troubled};
use crate::acts::{self, Asked, Seen};
use crate::find;

const MANY: &str = "/console/leads/many";

/// What is done with many.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Place,
    TakeBack,
    Hold,
    Resume,
}

impl Act {
    const ALL: [Self; 4] = [Self::Place, Self::TakeBack, Self::Hold, Self::Resume];

    const fn word(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::TakeBack => "take_back",
            Self::Hold => "hold",
            Self::Resume => "resume",
        }
    }

    fn of(word: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|act| act.word() == word).ok_or_else(|| {
            Problem::new(Code::InvalidField, "with many one of these is done: place take_back hold resume")
        })
    }

    /// As a question, as what would follow, and as what is said afterwards.
    const fn says(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Place => ("Place these as recommended?", "would go", "placed"),
            Self::TakeBack => ("Take these back?", "would be taken back", "taken back"),
            Self::Hold => ("Hold these?", "would be held", "held"),
            Self::Resume => ("Resume these?", "would go to distribution", "resumed"),
        }
    }
}

/// A slice of a list, and what was done with those before it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Slice {
    act: String,
    list: String,
    count: usize,
    kept: usize,
}

impl Slice {
    fn at(&self) -> String {
        let (count, kept) = (self.count.to_string(), self.kept.to_string());
        address(MANY, &[("act", &self.act), ("list", &self.list), ("count", &count), ("kept", &kept)])
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
    /// It is one slice of many: how many were done before it, how many stayed, and where the next begins.
    slice: Option<Slice>,
    /// Where the next slice is looked at without anything done with this one.
    skip: String,
    /// The list from the next slice on, as it is carried.
    next: String,
    once: String,
    /// Of a hold: the zone in which its end is typed.
    zone: String,
}

struct Row {
    lead: String,
    name: String,
    place: String,
    /// What would follow; or why nothing would.
    what: String,
    contract: String,
    seen: String,
}

/// What a list says of what was done with many of it.
pub(super) fn done(list: &List) -> String {
    if list.done == "none" {
        return "Nothing was chosen. Tick some, or all on the page.".to_owned();
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

/// `GET /console/leads/many?act&list&count&kept`: a look at the next slice of a list.
pub(super) async fn slice(
    State(cloud): State<Cloud>,
    For(signed): For<ACTS>,
    Query(slice): Query<Slice>,
) -> Response {
    let looked = Box::pin(next_slice(&cloud, &signed, slice)).await;
    looked.unwrap_or_else(|problem| troubled(&signed, &problem))
}

async fn next_slice(cloud: &Cloud, signed: &Signed, slice: Slice) -> Result<Response, Problem> {
    let (act, list) = (Act::of(&slice.act)?, List::read(&slice.list));
    let core = signed.rules_of(cloud, &list.company).await?;
    let mut asked = find::Asked { until: Some(reads_until(cloud)), ..list.search() };
    let mut found = find::find(cloud, &signed.desk, &core, &asked).await?;
    // A search ends after so many that it looked at: where it found nobody, it goes on.
    while found.leads.is_empty() && found.next.is_some() && asked.until > Some(cloud.clock.now()) {
        asked.after = found.next;
        found = find::find(cloud, &signed.desk, &core, &asked).await?;
    }
    let next = found.next.map(|after| List { after, ..list.clone() }.kept()).unwrap_or_default();
    let leads: Vec<Lead> = found.leads.into_iter().map(|(lead, _)| lead).collect();
    let mut look = Box::pin(look(cloud, signed, &core, act, &list, leads)).await?;
    if !next.is_empty() {
        look.skip = Slice { list: next.clone(), ..slice.clone() }.at();
    }
    (look.next, look.slice) = (next, Some(slice));
    Ok(rendered(&look, StatusCode::OK))
}

/// `POST /console/leads/many`: `act`, `list`, and `one.LEAD` for each that is ticked, or `every` and `shown.LEAD` for all on
/// the page: a look. `whole`: a look at the first slice of all from there. `sure` with `seen.LEAD` and `with.LEAD`: done.
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

fn text<'a>(form: &'a Form, name: &str) -> &'a str {
    form.get(name).map(|text| text.trim()).unwrap_or_default()
}

async fn chosen(cloud: &Cloud, signed: &Signed, form: &Form) -> Result<Response, Problem> {
    let (act, list) = (Act::of(text(form, "act"))?, List::read(text(form, "list")));
    if form.contains_key("whole") {
        let slice = Slice { act: act.word().to_owned(), list: list.kept(), ..Slice::default() };
        return Ok(Redirect::to(&slice.at()).into_response());
    }
    let under = if form.contains_key("every") { "shown." } else { "one." };
    let ids: Vec<LeadId> =
        form.keys().filter_map(|name| name.strip_prefix(under)?.parse().ok()).take(LISTED).collect();
    if ids.is_empty() {
        return Ok(Redirect::to(&list.at(AT, &[("done", "none")])).into_response());
    }
    let core = signed.rules_of(cloud, &list.company).await?;
    let leads = cloud.store.leads_get(&ids).await?;
    let look = Box::pin(look(cloud, signed, &core, act, &list, leads)).await?;
    Ok(rendered(&look, StatusCode::OK))
}

/// What would follow for each of these leads, the hottest first: who has the last seat of a cap.
async fn look(
    cloud: &Cloud,
    signed: &Signed,
    core: &Core,
    act: Act,
    list: &List,
    mut leads: Vec<Lead>,
) -> Result<Look, Problem> {
    leads.retain(|lead| lead.company == *core.company_id());
    let now = cloud.clock.now();
    let scores = Scores::of(core, now);
    leads.sort_by_key(|lead| {
        let hundredths = scores.now(lead).map_or(0, |score| score.hundredths);
        (std::cmp::Reverse(hundredths), std::cmp::Reverse(lead.last_enquiry_at), lead.id)
    });
    let (switches, _) = cloud.store.switches_get(core.company_id()).await?;
    let put = |lead: &Lead| stays(&switches, act, lead, now);
    // What stays whatever the rules say has none of the seats that the others are shown.
    let (kept, free): (Vec<Lead>, Vec<Lead>) = leads.into_iter().partition(|lead| put(lead).is_some());
    let ids: Vec<LeadId> = free.iter().map(|lead| lead.id).collect();
    let asked = Asked { recommended: act == Act::Place, ..Asked::default() };
    let told = acts::tried(cloud, &signed.desk, act.word(), &ids, asked).await?;
    let mut stay: Vec<Row> =
        kept.iter().map(|lead| row(lead, put(lead).unwrap_or_default().to_owned(), "")).collect();
    let (mut goes, mut minor) = (Vec::new(), 0);
    for (lead, told) in free.iter().zip(&told) {
        if let Some(why) = told["problem"]["detail"].as_str() {
            stay.push(row(lead, why.to_owned(), ""));
            continue;
        }
        let text = |name: &str| told["after"][name].as_str().unwrap_or_default();
        minor += text("price").parse::<Money>().map_or(0, Money::minor);
        let what = what(act, lead, (text("dealer"), text("contract"), text("price")), switches.shadow);
        goes.push(row(lead, what, text("contract")));
    }
    let price = format!("{} {}", Money::from_minor(minor), core.company.currency);
    let (title, would, _) = act.says();
    let watches = act == Act::Place && switches.shadow;
    Ok(Look {
        frame: Frame::of(title, "leads", signed),
        act: act.word(),
        would,
        list: list.kept(),
        back: list.at(AT, &[]),
        goes,
        stays: stay,
        price: if act == Act::Place && !watches { price } else { String::new() },
        watches,
        slice: None,
        skip: String::new(),
        next: String::new(),
        once: ActId::mint(now, cloud.entropy.bytes()).to_string(),
        zone: if act == Act::Hold { core.company.zone.clone() } else { String::new() },
    })
}

/// Why nothing is done with a lead among many, whatever the rules say.
fn stays(switches: &Switches, act: Act, lead: &Lead, now: jiff::Timestamp) -> Option<&'static str> {
    match act {
        Act::Place => stays_put(switches, lead, now),
        Act::Hold if lead.held_back(now).is_some() => Some("the desk holds it already"),
        Act::TakeBack | Act::Hold | Act::Resume => None,
    }
}

/// What would follow.
fn what(act: Act, lead: &Lead, (dealer, contract, price): (&str, &str, &str), watches: bool) -> String {
    match act {
        Act::Place if watches => format!("to {dealer} ({contract})"),
        Act::Place => format!("to {dealer} ({contract}) for {price}"),
        Act::TakeBack => {
            let dealers: Vec<&str> = lead.holders.iter().map(|holder| holder.dealer.as_str()).collect();
            format!("from {}, who is told first", dealers.join(", "))
        }
        Act::Hold => "nobody gets it until then, or until it is resumed".to_owned(),
        Act::Resume => "it goes to distribution".to_owned(),
    }
}

fn row(lead: &Lead, what: String, contract: &str) -> Row {
    Row {
        lead: lead.id.to_string(),
        name: shown::name(&lead.person),
        place: shown::place(&lead.person),
        what,
        contract: contract.to_owned(),
        seen: json!(Seen::of(lead)).to_string(),
    }
}

/// Does it with those that are ticked, as they were shown; then the list, or the next slice.
async fn does(cloud: &Cloud, signed: &Signed, form: &Form) -> Result<Response, Problem> {
    let (act, list) = (Act::of(text(form, "act"))?, List::read(text(form, "list")));
    let core = signed.rules_of(cloud, &list.company).await?;
    let (switches, _) = cloud.store.switches_get(core.company_id()).await?;
    let done = Box::pin(with_each(cloud, signed, &core, &switches, act, form)).await?;
    let number = |name: &str| text(form, name).parse::<usize>().unwrap_or(0);
    let (count, kept) = (number("count") + done.count, number("kept") + done.kept);
    let next = text(form, "next");
    if !next.is_empty() {
        let slice = Slice { act: act.word().to_owned(), list: next.to_owned(), count, kept };
        return Ok(Redirect::to(&slice.at()).into_response());
    }
    let chosen = count > 0 || kept > 0;
    let (count, kept) = (count.to_string(), kept.to_string());
    // Behind the last slice there is the list from its beginning.
    let list = if form.contains_key("count") { list.whole() } else { list };
    let done = if chosen { act.word() } else { "none" };
    Ok(Redirect::to(&list.at(AT, &[("done", done), ("count", &count), ("kept", &kept)])).into_response())
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
    let reason = Some(text(form, "reason").to_owned()).filter(|reason| !reason.is_empty());
    let until = shown::local(form, "until")?;
    if until.is_some_and(|until| until <= cloud.clock.now()) {
        return Err(Problem::new(Code::InvalidField, "the end lies in the past"));
    }
    let ids: Vec<LeadId> =
        form.keys().filter_map(|name| name.strip_prefix("one.")?.parse().ok()).take(LISTED).collect();
    let mut done = Done { count: 0, kept: 0 };
    for id in &ids {
        let (seen, with) = (text(form, &format!("seen.{id}")), text(form, &format!("with.{id}")));
        let asked = Asked {
            contract: with.parse().ok(),
            reason: reason.clone(),
            until,
            once,
            seen: serde_json::from_str(seen).ok(),
            ..Asked::default()
        };
        let lead = cloud.store.lead_get(*id).await?.filter(|lead| lead.company == *core.company_id());
        let held = lead.as_ref().and_then(|lead| stays(switches, act, lead, cloud.clock.now()));
        // What stays put was done by the first of two clicks, or is left alone.
        let was = lead.is_some() && acts::is_done(cloud, *id, act.word(), &asked).await?;
        let given = match lead {
            None => false,
            Some(_) if was => true,
            Some(_) if held.is_some() || asked.seen.is_none() => false,
            Some(_) => Box::pin(one(cloud, signed, act, *id, &asked)).await?,
        };
        if given {
            done.count += 1;
        } else {
            done.kept += 1;
        }
    }
    Ok(done)
}

/// Does it with one; `false` where it changed since it was shown, or cannot be.
async fn one(cloud: &Cloud, signed: &Signed, act: Act, id: LeadId, asked: &Asked) -> Result<bool, Problem> {
    match acts::done(cloud, &signed.desk, &id.to_string(), act.word(), asked).await {
        Ok(_) => Ok(true),
        Err(problem) if [Code::StateConflict, Code::NotFound].contains(&problem.code()) => Ok(false),
        // It is being delivered at this moment: that is one lead's trouble, and not the table's.
        Err(problem) if act == Act::TakeBack && problem.code() == Code::Unavailable => Ok(false),
        Err(problem) => Err(problem),
    }
}
