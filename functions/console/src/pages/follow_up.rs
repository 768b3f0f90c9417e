//! The day's list of calls: who is to be called, in order of score, with the reason of each; claim the best that may be
//! called now, call, say what it came to, and the next.
//!
//! Determinations. *Next* is what one has claimed already, if there is such a one where it is sought: two leads are hardly
//! ever kept from others by one person. *Who they are* is shown to whoever has claimed them, and the claim stands in the lead's history. *A callback*
//! is written in the time of whoever is called.

use std::collections::HashSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use leadyard_domain::access::Role;
use leadyard_domain::calling::{self, MayCall};
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::followup::{CallResult, FollowUp};
use leadyard_domain::ids::{ActId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_domain::{limits, time};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::judging;
use leadyard_platform::scores::Scores;
use leadyard_platform::who::{self, ACTS, READS};
use serde::Deserialize;
use serde_json::json;

use super::line::{Event, line};
use super::shown::{self, Choice, Contact, Row, instant};
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, address, rendered, troubled};
use crate::acts::{self, Asked};
use crate::follow_up::{self, Call, SeenCall};
use crate::leads;

const AT: &str = "/console/follow-up";
/// Leads in the list.
const LISTED: usize = 25;
/// Leads among which the next is found at first: those at the head may be asleep.
const LOOKED_AT: usize = 2 * limits::FOLLOW_UPS;
/// And behind them, at most, where nobody of those may be called now.
const SOUGHT: usize = 10 * limits::FOLLOW_UPS;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Shown {
    company: String,
    done: String,
    /// Behind what the page begins.
    after: String,
}

#[derive(askama::Template)]
#[template(path = "follow_up.html")]
struct Page {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    calls: Vec<Listed>,
    /// The page behind this one.
    next: String,
    /// It is not the first page.
    further: bool,
    /// How many of them may be called at this hour.
    callable: usize,
    done: &'static str,
}

/// A lead of the list.
struct Listed {
    row: Row,
    /// Why they are called.
    says: &'static str,
    attempt: String,
    since: String,
    may: String,
    /// Who is calling them, until when.
    claim: String,
}

/// `GET /console/follow-up?company`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(shown): Query<Shown>,
) -> Response {
    match listed(&cloud, &signed, &shown).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn listed(cloud: &Cloud, signed: &Signed, shown: &Shown) -> Result<Page, Problem> {
    let core = signed.rules_of(cloud, &shown.company).await?;
    let after = Some(shown.after.as_str()).filter(|after| !after.is_empty());
    let found = follow_up::calls(cloud, &core, after, LISTED).await?;
    let now = cloud.clock.now();
    Ok(Page {
        frame: Frame::of("Follow-up", "follow-up", signed).forms_for(Role::Desk, signed, core.company_id()),
        company: core.company_id().to_string(),
        companies: Choice::companies(cloud, &signed.desk, core.company_id()),
        callable: found.calls.iter().filter(|call| matches!(call.may, MayCall::Until(_))).count(),
        next: found.next.map_or_else(String::new, |next| {
            address(AT, &[("company", core.company_id().as_str()), ("after", &next)])
        }),
        further: after.is_some(),
        calls: found.calls.iter().map(|call| Listed::of(&core, call, now)).collect(),
        done: match shown.done.as_str() {
            "last" => "Kept. Nobody else may be called now.",
            "none" => "Nobody may be called now.",
            "kept" => "Kept.",
            "unclaimed" => "Anybody may call them now.",
            _ => "",
        },
    })
}

impl Listed {
    fn of(core: &Core, call: &Call, now: Timestamp) -> Self {
        let Call { lead, follow_up, score, may } = call;
        Self {
            row: Row::of(core, lead, score.as_ref(), now),
            says: follow_up.reason.says(),
            attempt: attempt(core, follow_up),
            since: shown::ago(follow_up.since, now),
            may: may_call(core, may),
            claim: follow_up
                .claimed(now)
                .map(|claim| format!("{} until {}", claim.by, clock(core, claim.until)))
                .unwrap_or_default(),
        }
    }
}

fn attempt(core: &Core, follow_up: &FollowUp) -> String {
    let of = core.follow_up.attempts(follow_up.reason).max(follow_up.attempt);
    format!("{} of {of}", follow_up.attempt)
}

fn may_call(core: &Core, may: &MayCall) -> String {
    match may {
        MayCall::Until(until) => format!("now, until {}", clock(core, *until)),
        MayCall::From(from) => format!("from {}", clock(core, *from)),
        MayCall::Never => "at no hour".to_owned(),
    }
}

/// The hour of a day that is near.
fn clock(core: &Core, at: Timestamp) -> String {
    at.to_zoned(shown::zone(core)).strftime("%a %-I:%M %p %Z").to_string()
}

/// `POST /console/follow-up/next`: claims the best that may be called now.
pub(super) async fn next(
    State(cloud): State<Cloud>,
    Sent { signed: For(signed), form }: Sent<For<ACTS>>,
) -> Response {
    let company = form.get("company").cloned().unwrap_or_default();
    on_to_the_next(&cloud, &signed, &company, "none")
        .await
        .unwrap_or_else(|problem| troubled(&signed, &problem))
}

async fn on_to_the_next(
    cloud: &Cloud,
    signed: &Signed,
    company: &str,
    otherwise: &str,
) -> Result<Response, Problem> {
    let core = signed.rules_of(cloud, company).await?;
    let to = match claimed(cloud, signed, &core).await? {
        Some(lead) => format!("{AT}/{lead}"),
        None => address(AT, &[("company", core.company_id().as_str()), ("done", otherwise)]),
    };
    Ok(Redirect::to(&to).into_response())
}

/// The lead that one has, else the best that one can have: the head of the list first, then whoever stands behind it.
async fn claimed(cloud: &Cloud, signed: &Signed, core: &Core) -> Result<Option<LeadId>, Problem> {
    let mut seen = HashSet::new();
    for most in [LOOKED_AT, SOUGHT] {
        let listed = follow_up::in_order(cloud, core, most).await?;
        let whole = listed.len() < most;
        let new: Vec<LeadId> = listed.into_iter().filter(|lead| seen.insert(*lead)).take(SOUGHT).collect();
        for some in new.chunks(LOOKED_AT) {
            let calls = follow_up::looked_at(cloud, core, some).await?;
            if let Some(lead) = claimed_of(cloud, signed, &calls).await? {
                return Ok(Some(lead));
            }
        }
        if whole {
            break;
        }
    }
    Ok(None)
}

/// The same among some of the list.
async fn claimed_of(cloud: &Cloud, signed: &Signed, calls: &[Call]) -> Result<Option<LeadId>, Problem> {
    let now = cloud.clock.now();
    let has = |call: &&Call| call.follow_up.claimed(now).is_some_and(|claim| claim.by == signed.desk.staff);
    if let Some(own) = calls.iter().find(has) {
        return Ok(Some(own.lead.id));
    }
    let free = |call: &&Call| call.follow_up.claimed(now).is_none() && matches!(call.may, MayCall::Until(_));
    for call in calls.iter().filter(free) {
        match acts::done(cloud, &signed.desk, &call.lead.id.to_string(), "claim", &Asked::default()).await {
            Ok(_) => return Ok(Some(call.lead.id)),
            // Somebody else was first.
            Err(problem) if problem.code() == Code::StateConflict => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(None)
}

// --- One of them ---

#[derive(askama::Template)]
#[template(path = "follow_up_call.html")]
struct One {
    frame: Frame,
    lead: String,
    company: String,
    name: String,
    place: String,
    score: String,
    band: String,
    priority: String,
    /// Why they are called; empty where they are not followed up.
    says: &'static str,
    facts: Vec<(&'static str, String)>,
    contact: Vec<Contact>,
    line: Vec<Event>,
    /// It is claimed by whoever looks.
    own: bool,
    /// It may be claimed.
    free: bool,
    /// Whose claim may be let go of by who looks: their own, or a manager anybody's; empty, where none may.
    unclaims: String,
    zone: String,
    results: Vec<Choice>,
    /// The act's id, and what the page shows of the last call: see [`acts`].
    once: String,
    seen_call: String,
    /// What was typed and could not be kept.
    callback: String,
    note: String,
    trouble: String,
}

/// `GET /console/follow-up/{lead}`.
pub(super) async fn one(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path(lead): Path<String>,
) -> Response {
    match of(&cloud, &signed, &lead).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn of(cloud: &Cloud, signed: &Signed, lead: &str) -> Result<One, Problem> {
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
    let kept = whole.story.follow_up.as_ref().map(|kept| &kept.state);
    let state = kept.filter(|state| leadyard_domain::followup::is_followed(lead, state));
    let claim = state.and_then(|state| state.claimed(now));
    // Who has claimed it, and only reads since, is shown nobody.
    let works = signed.desk.may(&lead.company, Role::Desk);
    let own = works && claim.is_some_and(|claim| claim.by == signed.desk.staff);
    let score = Scores::of(&core, now).now(lead);
    Ok(One {
        frame: Frame::of(shown::name(&lead.person), "follow-up", signed).forms_for(
            Role::Desk,
            signed,
            &lead.company,
        ),
        lead: lead.id.to_string(),
        company: lead.company.to_string(),
        name: shown::name(&lead.person),
        place: shown::place(&lead.person),
        score: score.as_ref().map_or_else(|| "–".to_owned(), shown::points),
        band: judged.score.band.to_string(),
        priority: lead.priority_set.unwrap_or(judged.score.priority).to_string(),
        says: state.map_or("", |state| state.reason.says()),
        facts: facts(&core, lead, kept, now),
        contact: Contact::of(&lead.person, own),
        line: line(&core, &whole, &enquiries, own),
        own,
        free: state.is_some() && claim.is_none(),
        unclaims: claim
            .filter(|_| own || signed.desk.may(&lead.company, Role::Manager))
            .map_or_else(String::new, |claim| claim.by.clone()),
        zone: zone_of(lead).0,
        results: results(""),
        once: ActId::mint(now, cloud.entropy.bytes()).to_string(),
        seen_call: json!(SeenCall::of(kept)).to_string(),
        callback: String::new(),
        note: String::new(),
        trouble: String::new(),
    })
}

fn facts(core: &Core, lead: &Lead, state: Option<&FollowUp>, now: Timestamp) -> Vec<(&'static str, String)> {
    let offer = core.offer(&lead.offer).map_or_else(|| lead.offer.to_string(), |offer| offer.name.clone());
    let mut facts = vec![("Offer", offer), ("Source", lead.source.to_string())];
    if let Some(state) = state {
        facts.push(("Next step", next_step(core, state, now)));
        facts.push(("Attempt", attempt(core, state)));
        if let Some(last) = &state.last_call {
            let said = format!("{}, {} ({})", shown::word(&last.result), shown::ago(last.at, now), last.by);
            facts.push(("Last call", said));
        }
        if let Some(claim) = state.claimed(now) {
            facts.push(("Claimed", format!("by {} until {}", claim.by, clock(core, claim.until))));
        }
    }
    let may = follow_up::may_call(core, lead, now);
    let until = leadyard_domain::followup::may_call_until(lead, &core.follow_up);
    facts.extend([
        ("May be called", may_call(core, &may)),
        ("And no later than", instant(core, until)),
        ("Asked last", shown::ago(lead.last_enquiry_at, now)),
    ]);
    facts
}

/// What is next, for people.
pub(super) fn next_step(core: &Core, state: &FollowUp, now: Timestamp) -> String {
    use leadyard_domain::followup::Step;
    match state.step {
        Step::Planned { at } => format!("to be called {} ({})", instant(core, at), shown::due(at, now)),
        Step::Due { since } => format!("to be called now, since {}", shown::ago(since, now)),
        Step::Rests { why } => format!("rests until they do something: {}", shown::word(&why)),
        Step::Ended { why, .. } => format!("not followed up any more: {}", shown::word(&why)),
    }
}

fn results(chosen: &str) -> Vec<Choice> {
    let choice = |result: &CallResult| {
        let says = match result {
            CallResult::Interested => "Interested: send it to distribution",
            CallResult::Callback => "Call back at …",
            CallResult::NotNow => "Not now: go on with the plan",
            CallResult::NoAnswer => "No answer",
            CallResult::Voicemail => "Voicemail",
            CallResult::Busy => "Busy",
            CallResult::WrongNumber => "Wrong number",
            CallResult::NotInterested => "Not interested",
            CallResult::DoNotCall => "Never call again: opts out of everything",
        };
        Choice::of(result, says, Some(chosen))
    };
    CallResult::ALL.iter().map(choice).collect()
}

/// The zone in which a callback is written: theirs, as well as it is known.
fn zone_of(lead: &Lead) -> (String, TimeZone) {
    let (zones, _) = calling::zones(lead.location());
    let name = zones.first().copied().unwrap_or("UTC");
    (name.to_owned(), time::zone(name).unwrap_or(TimeZone::UTC))
}

/// `POST /console/follow-up/{lead}/{act}`: `claim`, `unclaim`; or `call` with `result`, `callback`, `note`, and `then=next`.
pub(super) async fn act(
    State(cloud): State<Cloud>,
    Path((lead, act)): Path<(String, String)>,
    Sent { signed: For(signed), form }: Sent<For<ACTS>>,
) -> Response {
    let done = match act.as_str() {
        "claim" | "unclaim" => {
            let asked = Asked { claim_of: form.get("of").cloned(), ..Asked::default() };
            acts::done(&cloud, &signed.desk, &lead, &act, &asked).await.map(drop)
        }
        "call" => call(&cloud, &signed, &lead, &form).await,
        _ => Err(Problem::new(Code::NotFound, "there is no such act")),
    };
    let answered = match done {
        Ok(()) if act == "claim" => Ok(Redirect::to(&format!("{AT}/{lead}")).into_response()),
        Ok(()) if act == "unclaim" => {
            let company = form.get("company").cloned().unwrap_or_default();
            let to = address(AT, &[("company", &company), ("done", "unclaimed")]);
            Ok(Redirect::to(&to).into_response())
        }
        Ok(()) => {
            let company = form.get("company").cloned().unwrap_or_default();
            if form.get("then").is_some_and(|then| then == "next") {
                on_to_the_next(&cloud, &signed, &company, "last").await
            } else {
                let to = address(AT, &[("company", &company), ("done", "kept")]);
                Ok(Redirect::to(&to).into_response())
            }
        }
        Err(problem) => again(&cloud, &signed, &lead, &form, &problem).await,
    };
    answered.unwrap_or_else(|problem| troubled(&signed, &problem))
}

/// The page as it stands now, with why it was not done, and all that was typed.
async fn again(
    cloud: &Cloud,
    signed: &Signed,
    lead: &str,
    form: &Form,
    problem: &Problem,
) -> Result<Response, Problem> {
    let mut page = of(cloud, signed, lead).await?;
    let core = signed.rules_of(cloud, &page.company).await?;
    let text = |name: &str| form.get(name).cloned().unwrap_or_default();
    page.trouble = refusal(&core, problem);
    page.results = results(&text("result"));
    (page.callback, page.note) = (text("callback"), text("note"));
    // Whatever became of it, the same words again are the same act.
    if let Some(once) = form.get("once").filter(|once| once.parse::<ActId>().is_ok()) {
        page.once.clone_from(once);
    }
    let status = StatusCode::from_u16(problem.code().status()).unwrap_or(StatusCode::CONFLICT);
    Ok(rendered(&page, status))
}

/// Why it was not done, for people: times as the company writes them, and no field by its name.
fn refusal(core: &Core, problem: &Problem) -> String {
    let told = problem.json();
    let claim = &told["claim"];
    if let (Some(by), Some(until)) = (claim["by"].as_str(), shown::told_at(&claim["until"])) {
        return format!("{by} is calling them, until {}", clock(core, until));
    }
    if problem.faults().iter().all(|fault| fault.pointer != follow_up::CALLBACK_AT) {
        return problem.detail().to_owned();
    }
    let from = shown::told_at(&told["may_be_called"]["from"]).map(|from| instant(core, from));
    let until = shown::told_at(&told["until"]).map(|until| instant(core, until));
    match (from, until) {
        (Some(from), _) => format!("it is no hour to call where they are: they may be called from {from}"),
        (None, Some(until)) => format!("it is too late to call back then: they may be called until {until}"),
        (None, None) if told["may_be_called"].is_object() => {
            "there is no hour to call where they are".to_owned()
        }
        (None, None) => {
            format!("the time to call back lies ahead, by {} days at most", limits::CALLBACK_DAYS)
        }
    }
}

async fn call(cloud: &Cloud, signed: &Signed, lead: &str, form: &Form) -> Result<(), Problem> {
    let text = |name: &str| form.get(name).map(|value| value.trim()).unwrap_or_default();
    let result: CallResult =
        text("result").parse().map_err(|_| Problem::new(Code::InvalidField, "say what the call came to"))?;
    // A time that was typed beside another result is not what was meant.
    let callback_at = match (result, text("callback")) {
        (CallResult::Callback, typed) => {
            let id: LeadId = lead.parse().map_err(|_| acts::missing())?;
            let of = cloud.store.lead_get(id).await?.ok_or_else(acts::missing)?;
            let at: Option<DateTime> = typed.parse().ok();
            let zoned = at.and_then(|at| zone_of(&of).1.to_zoned(at).ok());
            let refused =
                || Problem::new(Code::InvalidField, "say when to call back: a day and a time, theirs");
            Some(zoned.ok_or_else(refused)?.timestamp())
        }
        _ => None,
    };
    let note = Some(text("note")).filter(|note| !note.is_empty()).map(str::to_owned);
    let stale = || Problem::new(Code::InvalidField, "this form is of no page of ours: open the lead again");
    let once = form.get("once").map(|id| id.parse::<ActId>()).transpose().map_err(|_| stale())?;
    let seen_call = form.get("seen_call").map(|seen| serde_json::from_str::<SeenCall>(seen)).transpose();
    let seen_call = seen_call.map_err(|_| stale())?;
    let asked = Asked { result: Some(result), callback_at, note, once, seen_call, ..Asked::default() };
    acts::done(cloud, &signed.desk, lead, "call", &asked).await.map(drop)
}
