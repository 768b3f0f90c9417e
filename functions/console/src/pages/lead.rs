//! One lead: who, the score as bars that add up, what they did and what was done on one time line, why it went where it
//! did, and what can be done with it now.
//!
//! Who somebody is, is masked until it is asked for, and that is recorded with the lead: who looked, and when.
//!
//! Determinations. *Each form carries what was seen and the act's id*: what changed since is said and not acted on, and a
//! second click is the first act. *A refusal loses nothing*: the page comes back as it stands now, with what was typed, and
//! with what happened since it was opened. *A rule is passed over only after it was said*: the tick for it comes with the
//! refusal that names the rule, and is of that contract and of those rules alone. *A form that was sent before does nothing
//! again*, and says how the lead stands now: it may have gone on since. *The next is the next of the list one came from*, or
//! of those that wait; it is looked up before the act, since an act takes a lead out of its list.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use leadyard_domain::access::Role;
use leadyard_domain::calling::{self, MayCall};
use leadyard_domain::distribution::{Core, Rule};
use leadyard_domain::error::Code;
use leadyard_domain::followup::{FollowUp, Followed, followed};
use leadyard_domain::ids::{ActId, ContractId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_domain::scoring::Priority;
use leadyard_domain::time;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::judging;
use leadyard_platform::scores::Scores;
use leadyard_platform::who::{self, ACTS, READS};
use serde::Deserialize;
use serde_json::{Value, json};

use super::line::{Event, line};
use super::list::{self, Shown as List};
use super::score::{self, Bar};
use super::seats::{self, Message, Seat};
use super::shown::{self, Choice, Contact, instant};
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, address, rendered, troubled};
use crate::acts::{self, Asked, Seen};
use crate::leads;
use crate::{place, waiting, why};

#[derive(askama::Template)]
#[template(path = "lead.html")]
struct Page {
    frame: Frame,
    lead: String,
    name: String,
    place: String,
    /// Of the score: its points, band, priority and next step.
    score: String,
    band: String,
    priority: String,
    next_step: String,
    /// Why that is the next step, a sentence each.
    next_why: Vec<String>,
    bars: Vec<Bar>,
    /// What the lines sum to, with as many decimals as they have.
    sum: String,
    /// What made the fit letter.
    fit: String,
    stage: String,
    /// What the stage means here: who has it, what it waits for and until when.
    stands: String,
    facts: Vec<(&'static str, String)>,
    /// Who they are, or what is shown of it.
    contact: Vec<Contact>,
    /// Where it would go now.
    says: Vec<String>,
    recommended: Vec<String>,
    line: Vec<Event>,
    seats: Vec<Seat>,
    messages: Vec<Message>,
    priorities: Vec<Choice>,
    /// Who holds it: the seat, and whose it is.
    holders: Vec<(String, String)>,
    can: Can,
    /// The list that it was opened from, as links and forms carry it, and by its address.
    from: String,
    back: String,
    /// The zone in which times are written and typed.
    zone: String,
    /// What its forms carry: the act's id, what was seen, and when.
    once: String,
    seen: String,
    shown: String,
    /// The act that was refused, and what was typed into its form.
    acted: String,
    typed: Form,
    /// The rules that a contract fails, which may be passed over: each as it is said, and all by their names.
    failed: Vec<String>,
    rules: String,
    done: String,
    trouble: String,
}

impl Page {
    /// What was typed into the form of an act that was refused.
    fn typed(&self, act: &str, name: &str) -> &str {
        let typed = self.typed.get(name).filter(|_| self.acted == act);
        typed.map(String::as_str).unwrap_or_default()
    }

    /// Whether the act that was refused still has a form on the page.
    fn has_form(&self) -> bool {
        match self.acted.as_str() {
            "place" => self.can.place,
            "take_back" => self.can.take_back,
            "hold" => self.can.hold,
            "reject" => self.can.reject,
            // What is typed into the others always has one, or nothing is.
            _ => true,
        }
    }

    /// What was typed into a form that is not there any more.
    fn kept(&self) -> String {
        let typed = ["contract", "reason", "until"].iter().filter_map(|name| self.typed.get(*name));
        let typed: Vec<&str> = typed.map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        typed.join("\n")
    }

    /// What happened since somebody opened the page whose act was refused.
    fn since(&self) -> Vec<&Event> {
        let opened = self.typed.get("shown").and_then(|at| at.parse::<Timestamp>().ok());
        let since = |event: &&Event| event.kind != "did" && opened.is_some_and(|opened| event.at >= opened);
        self.line.iter().filter(since).collect()
    }
}

/// Who waits that is looked at for the next.
const WAITING: usize = 100;

/// What can be done with it now.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a form that the page shows or not")]
struct Can {
    place: bool,
    take_back: bool,
    hold: bool,
    resume: bool,
    reject: bool,
    reopen: bool,
    follow_up: bool,
    show: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Shown {
    done: String,
    /// By the same form, sent before.
    again: String,
    from: String,
}

/// `GET /console/leads/{lead}?done&again&from`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path(lead): Path<String>,
    Query(Shown { done, again, from }): Query<Shown>,
) -> Response {
    match Box::pin(of(&cloud, &signed, &lead, false, &from)).await {
        Ok(mut page) => {
            page.done = if again.is_empty() { said(&done).to_owned() } else { said_again(&page) };
            rendered(&page, StatusCode::OK)
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// What a page says of an act that was done.
fn said(act: &str) -> &'static str {
    match act {
        "place" => "Placed. Delivery is on its way.",
        "placed_long_before" => {
            "The form of the one before had been sent already: it was placed then, and may have gone on since. This is the next."
        }
        "placed_before" => "The one before is placed, and its delivery on its way. This is the next.",
        "take_back" => "Taken back: the dealer is told first, then the lead moves on.",
        "hold" => "Held: nobody gets it until it is resumed.",
        "resume" => "Resumed: it goes to distribution.",
        "reject" => "Rejected.",
        "reopen" => "Open again.",
        "priority" => "The priority is changed.",
        "note" => "The note is kept.",
        "follow_up" => "It stands in the day’s list of calls.",
        _ => "",
    }
}

/// What it says of an act that the same form had done before.
fn said_again(page: &Page) -> String {
    let stands = if page.stands.is_empty() { String::new() } else { format!(", {}", page.stands) };
    format!(
        "This form was sent before: it was done then, and nothing was done again. The lead stands now as {}{stands}.",
        page.stage
    )
}

/// `POST /console/leads/{lead}/{act}`: an act of the desk, or `show` for who they are.
pub(super) async fn act(
    State(cloud): State<Cloud>,
    Path((lead, act)): Path<(String, String)>,
    Sent { signed: For(signed), form }: Sent<For<ACTS>>,
) -> Response {
    let from = form.get("from").cloned().unwrap_or_default();
    if act == "show" {
        return match Box::pin(reveal(&cloud, &signed, &lead, &from)).await {
            Ok(page) => rendered(&page, StatusCode::OK),
            Err(problem) => troubled(&signed, &problem),
        };
    }
    let trouble = match Box::pin(done(&cloud, &signed, &lead, &act, &form)).await {
        Ok(to) => return Redirect::to(&to).into_response(),
        Err(problem) => problem,
    };
    // The page as it stands now, with why it was not done and all that was typed.
    match Box::pin(of(&cloud, &signed, &lead, false, &from)).await {
        Ok(mut page) => {
            page.trouble = refusal(&trouble);
            (page.failed, page.rules) = failed(&trouble);
            if act == "priority" {
                page.priorities = priorities(form.get("priority").map_or("", String::as_str));
            }
            (page.acted, page.typed) = (act, form);
            let status = StatusCode::from_u16(trouble.code().status()).unwrap_or(StatusCode::CONFLICT);
            rendered(&page, status)
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// Does it; where to go on.
async fn done(cloud: &Cloud, signed: &Signed, lead: &str, act: &str, form: &Form) -> Result<String, Problem> {
    let asked = asked(form)?;
    let from = form.get("from").map(String::as_str).unwrap_or_default();
    let next = if act == "place" && form.get("go").is_some_and(|go| go == "next") {
        Some(Box::pin(next(cloud, signed, lead, from)).await?)
    } else {
        None
    };
    let told = acts::done(cloud, &signed.desk, lead, act, &asked).await?;
    let was = told["already"] == true;
    let at = |lead: &str, done: &str, again: &str, from: &str| {
        address(&format!("{}/{lead}", list::AT), &[("done", done), ("again", again), ("from", from)])
    };
    Ok(match next {
        None => at(lead, act, if was { "yes" } else { "" }, from),
        Some(Next::Lead(next, from)) => {
            at(&next.to_string(), if was { "placed_long_before" } else { "placed_before" }, "", &from)
        }
        Some(Next::List(list)) => list,
    })
}

/// Where one goes on to.
enum Next {
    /// And the page of the list that it stands on.
    Lead(LeadId, String),
    List(String),
}

/// The next of the list that a lead was opened from; of those that wait, where it was opened from none.
async fn next(cloud: &Cloud, signed: &Signed, lead: &str, from: &str) -> Result<Next, Problem> {
    let id: LeadId = lead.parse().map_err(|_| acts::missing())?;
    if !from.is_empty() {
        let list = List::read(from);
        let next = list::behind(cloud, signed, &list, id).await?;
        return Ok(match next {
            Some((next, page)) => Next::Lead(next, page.kept()),
            None => Next::List(list.whole().at(list::AT, &[])),
        });
    }
    let lead = cloud.store.lead_get(id).await?.ok_or_else(acts::missing)?;
    let core = signed.rules_of(cloud, lead.company.as_str()).await?;
    let scores = Scores::of(&core, cloud.clock.now());
    let (waiting, _) = waiting::hottest(cloud, &scores, None, WAITING).await?;
    let at = waiting.iter().position(|(_, one)| one.id == id);
    let next = at.map_or(waiting.first(), |at| waiting.get(at + 1));
    let room = || address("/console/waiting", &[("company", lead.company.as_str())]);
    Ok(next.map_or_else(|| Next::List(room()), |(_, next)| Next::Lead(next.id, String::new())))
}

/// Why it was not done, for people.
fn refusal(problem: &Problem) -> String {
    if problem.detail() == place::FAILS {
        return "This was not done: the contract fails a rule. You may place it all the same, with a reason."
            .to_owned();
    }
    let rules = rules_of(&problem.json()).join("; ");
    let rules = if rules.is_empty() { rules } else { format!(" ({rules})") };
    format!("This was not done: {}{rules}.", problem.detail())
}

/// The rules that may be passed over, as they are said and by their names.
fn failed(problem: &Problem) -> (Vec<String>, String) {
    if problem.detail() != place::FAILS {
        return (Vec::new(), String::new());
    }
    let problem = problem.json();
    let rules: Vec<&str> = misses(&problem).filter_map(|miss| miss["rule"].as_str()).collect();
    (rules_of(&problem), rules.join(" "))
}

/// What a problem names of a contract's rules.
fn misses(problem: &Value) -> impl Iterator<Item = &Value> {
    let others = problem["also_failed"].as_array().into_iter().flatten();
    std::iter::once(&problem["failed"]).chain(others).filter(|miss| miss.is_object())
}

/// The rules that a problem names, each with what it asks and what it met.
pub(super) fn rules_of(problem: &Value) -> Vec<String> {
    let said = |miss: &Value| {
        let text = |name: &str| miss[name].as_str().unwrap_or_default().to_owned();
        let rule = text("rule").parse::<Rule>().ok();
        let missed = rule.map_or_else(|| text("needed"), |rule| rule.missed(&text("needed"), &text("found")));
        format!("{}: the contract {missed}", shown::word(&text("rule")))
    };
    misses(problem).map(said).collect()
}

/// A contract as it is typed, with capitals or without.
fn contract(form: &Form, name: &str) -> Result<Option<ContractId>, Problem> {
    let text = form.get(name).map(|text| text.trim().to_ascii_lowercase()).unwrap_or_default();
    let wrong = || {
        let detail = "a contract is named by its id, as it stands in the rulebook: letters, digits and hyphens, as in \
                      hudson-roofing";
        Problem::new(Code::InvalidField, detail)
    };
    if text.is_empty() { Ok(None) } else { ContractId::new(&text).map(Some).map_err(|_| wrong()) }
}

/// What a form asks for, in the API's words; an empty field asks for nothing.
fn asked(form: &Form) -> Result<Asked, Problem> {
    let mut said = serde_json::Map::new();
    for name in ["priority", "text", "reason", "assignment"] {
        if let Some(value) = form.get(name).map(|value| value.trim()).filter(|value| !value.is_empty()) {
            said.insert(name.to_owned(), json!(value));
        }
    }
    if form.contains_key("hold") {
        said.insert("hold".to_owned(), json!(true));
    }
    let stale = || Problem::new(Code::InvalidField, "this form is of no page of ours: open the lead again");
    let mut asked = acts::asked(json!(said).to_string().as_bytes())?;
    asked.contract = contract(form, "contract")?;
    // The tick is of the contract that it was shown with, and passes over the rules that were said of it.
    asked.over = form.contains_key("override") && asked.contract == contract(form, "against")?;
    let rules = form.get("rules").map(String::as_str).unwrap_or_default();
    asked.over_only = Some(rules.split_whitespace().filter_map(|rule| rule.parse().ok()).collect());
    asked.once = form.get("once").map(|id| id.parse::<ActId>()).transpose().map_err(|_| stale())?;
    let seen = form.get("seen").map(|seen| serde_json::from_str::<Seen>(seen)).transpose();
    asked.seen = seen.map_err(|_| stale())?;
    asked.until = shown::local(form, "until")?;
    Ok(asked)
}

/// The page with who they are; that somebody looked is kept first.
async fn reveal(cloud: &Cloud, signed: &Signed, lead: &str, from: &str) -> Result<Page, Problem> {
    for round in 0..crate::inbox::ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let whole = leads::of_desk(cloud, &signed.desk, lead).await?;
        let act = acts::record(cloud, &signed.desk, "show", None, &json!({}), &json!({}));
        if cloud.store.lead_act(&whole.story.lead, &act).await? {
            return of(cloud, signed, lead, true, from).await;
        }
    }
    Err(crate::inbox::crowded())
}

async fn of(cloud: &Cloud, signed: &Signed, lead: &str, shown: bool, from: &str) -> Result<Page, Problem> {
    let whole = leads::of_desk(cloud, &signed.desk, lead).await?;
    let lead = &whole.story.lead;
    let core = who::rules_of(cloud, &lead.company).await?;
    let now = cloud.clock.now();
    let enquiries = cloud
        .store
        .enquiries_of(std::iter::once(lead).chain(whole.merged.iter().map(|one| &one.lead)))
        .await?;
    let opening = judging::opening(cloud, core.source(&lead.source), lead, None).await?;
    let judged = judging::judge_by(&core, lead, opening.as_ref(), whole.story.activity.clone(), now);
    let can = Can::of(lead, shown);
    // Whoever places it by hand has the recommendation beside it, also for the empty one of several seats.
    let explained = if lead.wants_distribution() || can.place {
        Some(why::of_now(cloud, &whole.story).await?.0)
    } else {
        None
    };
    let score = &judged.score;
    Ok(Page {
        frame: Frame::of(shown::name(&lead.person), "leads", signed).forms_for(
            Role::Desk,
            signed,
            &lead.company,
        ),
        lead: lead.id.to_string(),
        name: shown::name(&lead.person),
        place: shown::place(&lead.person),
        score: format!("{}.{}", score.exact.hundredths() / 100, score.exact.hundredths() / 10 % 10),
        band: score.band.to_string(),
        priority: lead.priority_set.unwrap_or(score.priority).to_string(),
        next_step: score.next_step.to_string(),
        next_why: score::next_why(&core, lead, score),
        bars: score::bars(score),
        sum: score::points(score.explanation.total_hundredths),
        fit: score::fit(score),
        stage: lead.stage.to_string(),
        stands: stands(&core, lead),
        facts: facts(&core, lead, whole.story.follow_up.as_ref().map(|kept| &kept.state), now),
        contact: Contact::of(&lead.person, shown),
        says: explained
            .as_ref()
            .map(|explained| why::says(explained).into_iter().map(str::to_owned).collect())
            .unwrap_or_default(),
        recommended: explained
            .as_ref()
            .map(|explained| why::seats(explained).iter().map(|seat| seat.contract.to_string()).collect())
            .unwrap_or_default(),
        line: line(&core, &whole, &enquiries, shown),
        seats: seats::seats(&core, &whole),
        messages: seats::messages(&core, &whole),
        priorities: priorities(&lead.priority_set.map(|set| set.to_string()).unwrap_or_default()),
        holders: lead
            .holders
            .iter()
            .map(|holder| (holder.assignment.to_string(), holder.dealer.to_string()))
            .collect(),
        can,
        back: back(lead, from),
        from: from.to_owned(),
        zone: core.company.zone.clone(),
        once: ActId::mint(now, cloud.entropy.bytes()).to_string(),
        seen: json!(Seen::of(lead)).to_string(),
        shown: now.to_string(),
        acted: String::new(),
        typed: Form::new(),
        failed: Vec::new(),
        rules: String::new(),
        done: String::new(),
        trouble: String::new(),
    })
}

impl Can {
    fn of(lead: &Lead, shown: bool) -> Self {
        let (erased, in_nobodys) = (lead.is_erased(), lead.stage.in_nobodys_hands());
        Self {
            place: place::may_be_placed(lead) && !erased,
            take_back: !lead.holders.is_empty() && !lead.stage.closed(),
            hold: in_nobodys && lead.hold.is_none() && !erased,
            resume: lead.hold.is_some() && !erased,
            reject: in_nobodys && lead.holders.is_empty() && !erased,
            reopen: lead.stage == leadyard_domain::lead::Stage::Rejected && !erased,
            follow_up: followed(lead) != Followed::No,
            show: !shown && !erased,
        }
    }
}

/// The list that it was opened from; the company's, where it was opened from none.
fn back(lead: &Lead, from: &str) -> String {
    if from.is_empty() {
        return address(list::AT, &[("company", lead.company.as_str())]);
    }
    List::read(from).at(list::AT, &[])
}

fn priorities(set: &str) -> Vec<Choice> {
    let mut choices = vec![Choice::of("", "as the score says", Some(set))];
    choices.extend(Priority::ALL.iter().map(|priority| Choice::of(priority, priority, Some(set))));
    choices
}

fn stands(core: &Core, lead: &Lead) -> String {
    let until = lead
        .due
        .filter(|_| lead.waiting.is_some())
        .map(|due| format!(", looked at again {}", instant(core, due)));
    match (lead.holders.as_slice(), &lead.hold, lead.waiting) {
        ([], Some(hold), _) => match hold.until {
            Some(until) => format!("held by the desk until {}", instant(core, until)),
            None => "held by the desk".to_owned(),
        },
        ([], None, Some(reason)) => {
            format!("waits: {}{}", shown::reason_says(reason), until.unwrap_or_default())
        }
        ([], None, None) => String::new(),
        (holders, ..) => {
            let dealers: Vec<&str> = holders.iter().map(|holder| holder.dealer.as_str()).collect();
            format!("with {}", dealers.join(", "))
        }
    }
}

fn facts(
    core: &Core,
    lead: &Lead,
    followed: Option<&FollowUp>,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let offer = core.offer(&lead.offer).map_or_else(|| lead.offer.to_string(), |offer| offer.name.clone());
    let mut facts = vec![
        ("Company", core.company.name.clone()),
        ("Offer", offer),
        ("Source", lead.source.to_string()),
        ("Campaign", lead.campaign.clone().unwrap_or_default()),
        ("First asked", instant(core, lead.opened_at)),
        (
            "Asked last",
            format!("{} ({})", instant(core, lead.last_enquiry_at), shown::ago(lead.last_enquiry_at, now)),
        ),
        ("Sale cycle", lead.cycle.to_string()),
        ("May be called", may_be_called(core, lead, now)),
    ];
    // That of a cycle that is over says nothing of this one.
    if let Some(followed) = followed.filter(|followed| followed.cycle == lead.cycle) {
        facts.push(("Follow-up", super::follow_up::next_step(core, followed, now)));
        if followed.is_open() {
            facts.push(("Why", followed.reason.says().to_owned()));
        }
    }
    if lead.possible_duplicate {
        facts.push(("Look", "another lead may be the same person's".to_owned()));
    }
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn may_be_called(core: &Core, lead: &Lead, now: Timestamp) -> String {
    let (zones, guessed) = calling::zones(lead.location());
    let zones: Vec<_> = zones.iter().filter_map(|zone| time::zone(zone).ok()).collect();
    let guess = if guessed { " (where they are is a guess)" } else { "" };
    match calling::may_call(&zones, core.company.call_hours, now) {
        MayCall::Until(until) => format!("now, until {}{guess}", instant(core, until)),
        MayCall::From(from) => format!("from {}{guess}", instant(core, from)),
        MayCall::Never => "at no hour".to_owned(),
    }
}
