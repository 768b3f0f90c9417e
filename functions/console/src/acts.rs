//! The desk's acts on a lead: place, take back, hold, resume, reject, reopen, merge, priority, note, redeliver, follow_up, claim,
//! unclaim, call; singly, or on many with a dry run. Each stands in the lead's history: who, when, before and after.
//!
//! Determinations:
//!
//! - *Place* gives the lead to a contract by hand. Every rule that the contract fails is said, and only an explicit
//!   `override` with a reason passes them: caps, hours, band, area … An override is recorded with all of them, and counts.
//!   One that names rules ([`Asked::over_only`]) passes over no other. A territory is never overridden, nor is a dealer
//!   that holds the lead given a second seat.
//! - *Take back* withdraws: delivery tells the dealer before the lead moves, and credits what was charged. Of several seats
//!   all are taken back or none: where that breaks off between two, the same form again takes back the rest.
//! - *Hold* keeps a lead that nobody has from distribution, until a time or until it is resumed.
//! - *Reject* closes the cycle of a lead that nobody has, with a reason: nobody gets it, and a repeat within the
//!   window changes nothing. *Reopen* undoes it: the lead goes to distribution as it was.
//! - *What a page did not show is not done.* A page's form carries what its act stands on ([`Seen`]): stage, cycle, hold,
//!   seats, the desk's priority. It is no version: that moves with each interaction and each look at who it is, of which an
//!   act depends on none. Where something of it changed, the act is refused and says what.
//! - *The same form again is the same act.* It carries the act's id, which is looked for after the lead was read: whatever
//!   is done between the two changes the lead, and what was read of it is refused then.
//! - *A hold replaces no other*: who wants another end resumes the lead first, and so sees that a colleague held it.
//! - *Redeliver* is [`redeliver`](crate::redeliver)'s.
//! - *Follow up*, *claim*, *unclaim* and *call* are [`follow_up`](crate::follow_up)'s.
//! - *Merge* is [`merge`](crate::merge)'s. A lead that was merged takes no other act: they are the survivor's.

mod seen;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use futures::future::try_join_all;
use jiff::Timestamp;
use leadyard_domain::assignment::{Assignment, DeliveryState, ReturnState};
use leadyard_domain::delivery::Event;
use leadyard_domain::distribution::Rule;
use leadyard_domain::error::Code;
use leadyard_domain::followup::CallResult;
use leadyard_domain::ids::{ActId, AssignmentId, ContractId, LeadId};
use leadyard_domain::lead::{Hold, Lead, Stage};
use leadyard_domain::limits;
use leadyard_domain::scoring::Priority;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, body};
use leadyard_platform::store::{Act, Changes, Delivery, StoreError};
use leadyard_platform::who::{ACTS, Desk, Staff};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::inbox::{ROUNDS, crowded};
use crate::place::Supposed;
use crate::{follow_up, merge, place, redeliver};

pub(crate) use seen::{Seen, is_done};

/// What the desk asks for; each act reads what it needs of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member that somebody may send")]
pub(crate) struct Asked {
    /// Place: with whom.
    pub(crate) contract: Option<ContractId>,
    /// Place: with whom the rules recommend now, instead of a contract that is named.
    #[serde(default)]
    pub(crate) recommended: bool,
    /// Place: although the contract fails a rule.
    #[serde(default, rename = "override")]
    pub(crate) over: bool,
    /// Place: the rules that it passes over, and no other; all that the contract fails, if none is named. A page's form
    /// names those that were said with the tick.
    pub(crate) over_only: Option<Vec<Rule>>,
    /// Take back: which seat; all, if none is named. Redeliver: likewise, where one holds it.
    pub(crate) assignment: Option<AssignmentId>,
    /// Take back: keep it afterwards.
    #[serde(default)]
    pub(crate) hold: bool,
    /// Hold: until then.
    pub(crate) until: Option<Timestamp>,
    /// Merge: the lead that goes on for both.
    pub(crate) into: Option<LeadId>,
    /// Priority: `urgent`, `normal`, `low`; the score's own, if none.
    pub(crate) priority: Option<Priority>,
    /// Note: its text.
    pub(crate) text: Option<String>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// Call: what it came to.
    pub(crate) result: Option<CallResult>,
    /// Call: when they asked to be called.
    pub(crate) callback_at: Option<Timestamp>,
    /// Call: what was said.
    pub(crate) note: Option<String>,
    /// On many: which.
    pub(crate) leads: Option<Vec<LeadId>>,
    /// On many: only say what would follow.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Of a page's form: the act's id, so that the same form again is the same act.
    #[serde(skip)]
    pub(crate) once: Option<ActId>,
    /// Of a page's form: what was seen when it was made.
    #[serde(skip)]
    pub(crate) seen: Option<Seen>,
    /// Of a form that lets go of a claim: whose it was when it was made.
    #[serde(skip)]
    pub(crate) claim_of: Option<String>,
    /// Of a call's form, and of one that chooses many to be called: what was seen of the call before.
    #[serde(skip)]
    pub(crate) seen_call: Option<follow_up::SeenCall>,
}

/// What the desk can do to a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Place,
    TakeBack,
    Hold,
    Resume,
    Reject,
    Reopen,
    Merge,
    Priority,
    Note,
    Redeliver,
    OfFollowUp(follow_up::Act),
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::TakeBack => "take_back",
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::Reject => "reject",
            Self::Reopen => "reopen",
            Self::Merge => "merge",
            Self::Priority => "priority",
            Self::Note => "note",
            Self::Redeliver => "redeliver",
            Self::OfFollowUp(act) => act.word(),
        }
    }

    fn of(word: &str) -> Result<Self, Problem> {
        match word {
            "place" => Ok(Self::Place),
            "take_back" => Ok(Self::TakeBack),
            "hold" => Ok(Self::Hold),
            "resume" => Ok(Self::Resume),
            "reject" => Ok(Self::Reject),
            "reopen" => Ok(Self::Reopen),
            "merge" => Ok(Self::Merge),
            "priority" => Ok(Self::Priority),
            "note" => Ok(Self::Note),
            "redeliver" => Ok(Self::Redeliver),
            "follow_up" => Ok(Self::OfFollowUp(follow_up::Act::FollowUp)),
            "claim" => Ok(Self::OfFollowUp(follow_up::Act::Claim)),
            "unclaim" => Ok(Self::OfFollowUp(follow_up::Act::Unclaim)),
            "call" => Ok(Self::OfFollowUp(follow_up::Act::Call)),
            _ => Err(Problem::new(
                Code::NotFound,
                "an act is one of: place take_back hold resume reject reopen merge priority note redeliver follow_up claim unclaim call",
            )),
        }
    }
}

/// `POST /v1/leads/{id}/{act}`.
pub(crate) async fn one(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<ACTS>,
    Path((lead, act)): Path<(String, String)>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    Kind::of(&act)?;
    let asked = asked(&body(request, limits::BODY_BYTES).await?)?;
    done(&cloud, &desk, &lead, &act, &asked).await.map(Json)
}

/// One act on one lead, by its name.
pub(crate) async fn done(
    cloud: &Cloud,
    desk: &Staff,
    lead: &str,
    act: &str,
    asked: &Asked,
) -> Result<Value, Problem> {
    let kind = Kind::of(act)?;
    let id: LeadId = lead.parse().map_err(|_| missing())?;
    perform(cloud, desk, kind, id, asked, &mut Supposed::default()).await
}

/// `POST /v1/leads/{act}` on many: `{"leads": […], "dry_run": true, …}`. Each lead has its own answer; in a dry run
/// it is what would follow if those before it in the list had been done.
pub(crate) async fn many(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<ACTS>,
    uri: axum::http::Uri,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let kind = Kind::of(uri.path().rsplit('/').next().unwrap_or_default())?;
    let asked = asked(&body(request, limits::BODY_BYTES).await?)?;
    let leads = asked.leads.clone().unwrap_or_default();
    if leads.is_empty() || leads.len() > limits::LEADS_PER_ACT {
        let detail = format!("leads is a list of 1 to {} ids", limits::LEADS_PER_ACT);
        return Err(Problem::new(Code::InvalidField, detail));
    }
    let results = each(&cloud, &desk, kind, &leads, &asked, &mut Supposed::default()).await;
    Ok(Json(json!({ "dry_run": asked.dry_run, "results": results })))
}

/// What would follow of an act on each of these leads, one after the other, and after what was supposed before.
pub(crate) async fn tried(
    cloud: &Cloud,
    desk: &Staff,
    act: &str,
    leads: &[LeadId],
    asked: Asked,
    supposed: &mut Supposed,
) -> Result<Vec<Value>, Problem> {
    let asked = Asked { dry_run: true, ..asked };
    Ok(each(cloud, desk, Kind::of(act)?, leads, &asked, supposed).await)
}

/// One act on each; its own answer for each.
async fn each(
    cloud: &Cloud,
    desk: &Staff,
    kind: Kind,
    leads: &[LeadId],
    asked: &Asked,
    supposed: &mut Supposed,
) -> Vec<Value> {
    let mut results = Vec::with_capacity(leads.len());
    for id in leads {
        let result = perform(cloud, desk, kind, *id, asked, supposed).await;
        results.push(match result {
            Ok(mut told) => {
                if let Some(members) = told.as_object_mut() {
                    members.insert("lead".to_owned(), json!(id));
                    members.insert("done".to_owned(), json!(!asked.dry_run));
                }
                told
            }
            Err(problem) => json!({ "lead": id, "done": false, "problem": problem.json() }),
        });
    }
    results
}

pub(crate) fn missing() -> Problem {
    Problem::new(Code::NotFound, "there is no such lead")
}

pub(crate) fn asked(body: &[u8]) -> Result<Asked, Problem> {
    if body.is_empty() {
        return Ok(Asked::default());
    }
    serde_json::from_slice(body).map_err(|_| {
        Problem::new(
            Code::MalformedBody,
            "the body is a JSON object of: contract recommended override over_only assignment hold until into priority text reason result callback_at note leads dry_run",
        )
    })
}

/// Text that the desk or a dealer writes; nothing, if it is blank.
pub(crate) fn note(field: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > limits::NOTE_CHARS {
        let detail = format!("{field} is at most {} characters", limits::NOTE_CHARS);
        return Err(Problem::new(Code::InvalidField, detail));
    }
    Ok(Some(text))
}

/// The record of an act.
pub(crate) fn record(
    cloud: &Cloud,
    desk: &Staff,
    act: &str,
    reason: Option<String>,
    before: &Value,
    after: &Value,
) -> Act {
    let at = cloud.clock.now();
    Act {
        id: ActId::mint(at, cloud.entropy.bytes()),
        at,
        by: desk.staff.clone(),
        act: act.to_owned(),
        reason,
        before: before.to_string(),
        after: after.to_string(),
    }
}

async fn perform(
    cloud: &Cloud,
    desk: &Staff,
    kind: Kind,
    id: LeadId,
    asked: &Asked,
    supposed: &mut Supposed,
) -> Result<Value, Problem> {
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let lead = cloud.store.lead_get(id).await?.ok_or_else(missing)?;
        desk.allow(&lead.company, missing)?;
        if kind != Kind::Merge
            && let Some(into) = lead.merged_into
        {
            let detail = "the lead was merged into another: act on that one";
            return Err(Problem::new(Code::StateConflict, detail).with("merged_into", json!(into)));
        }
        if lead.is_erased() && kind != Kind::TakeBack {
            let detail = "the lead's person was erased: nothing is done to it any more";
            return Err(Problem::new(Code::StateConflict, detail).with("erased_at", json!(lead.erased_at)));
        }
        if !asked.dry_run && is_done(cloud, id, kind.word(), asked).await? {
            return Ok(json!({ "act": kind.word(), "already": true }));
        }
        if let Some(gone) = asked.seen.as_ref().and_then(|seen| seen.gone(kind, &lead)) {
            let detail = format!("since you opened the page, {gone}");
            return Err(Problem::new(Code::StateConflict, detail).with("stage", lead.stage.as_str()));
        }
        let done = match kind {
            Kind::Place => place::place(cloud, desk, lead, asked, supposed).await?,
            Kind::TakeBack => take_back(cloud, desk, lead, asked).await?,
            Kind::Merge => merge::merge(cloud, desk, lead, asked).await?,
            Kind::Redeliver => redeliver::redeliver(cloud, desk, &lead, asked).await?,
            Kind::OfFollowUp(act) => Box::pin(follow_up::act(cloud, desk, act, lead, asked)).await?,
            Kind::Hold | Kind::Resume | Kind::Reject | Kind::Reopen | Kind::Priority | Kind::Note => {
                mark(cloud, desk, kind, lead, asked).await?
            }
        };
        if let Some(told) = done {
            return Ok(told);
        }
    }
    Err(crowded())
}

/// Hold, resume, reject, reopen, priority, note: the lead alone changes; `None` when somebody else changed it.
async fn mark(
    cloud: &Cloud,
    desk: &Staff,
    kind: Kind,
    mut lead: Lead,
    asked: &Asked,
) -> Result<Option<Value>, Problem> {
    let now = cloud.clock.now();
    let refused = |detail: &str, lead: &Lead| {
        Problem::new(Code::StateConflict, detail.to_owned()).with("stage", lead.stage.as_str())
    };
    let mut reason = note("reason", asked.reason.clone())?;
    let (word, before, after) = match kind {
        Kind::Hold => {
            if !lead.stage.in_nobodys_hands() {
                return Err(refused("only a lead that nobody has can be held: take it back first", &lead));
            }
            if asked.until.is_some_and(|until| until <= now) {
                return Err(Problem::new(Code::InvalidField, "until lies in the past"));
            }
            if lead.held_back(now).is_some_and(|hold| hold.until != asked.until) {
                let detail = "the desk holds the lead already, until another time: resume it first";
                return Err(refused(detail, &lead).with("hold", json!(lead.hold)));
            }
            let before = json!({ "hold": lead.hold });
            lead.hold = Some(Hold { until: asked.until });
            lead.due = Some(now);
            ("hold", before, json!({ "hold": lead.hold }))
        }
        Kind::Resume => {
            if lead.hold.is_none() {
                return Err(refused("the lead is not held", &lead));
            }
            let before = json!({ "hold": lead.hold });
            lead.hold = None;
            lead.due = Some(now);
            ("resume", before, json!({ "hold": null }))
        }
        Kind::Reject => {
            if !lead.stage.in_nobodys_hands() || !lead.holders.is_empty() {
                return Err(refused(
                    "only an open lead that nobody has can be rejected: take it back first",
                    &lead,
                ));
            }
            if reason.is_none() {
                return Err(Problem::new(Code::InvalidField, "a lead is rejected for a reason"));
            }
            let before = json!({ "stage": lead.stage, "waiting": lead.waiting });
            lead.close(Stage::Rejected, now);
            ("reject", before, json!({ "stage": lead.stage }))
        }
        Kind::Reopen => {
            if lead.stage != Stage::Rejected {
                return Err(refused("only a rejected lead can be reopened", &lead));
            }
            let before = json!({ "stage": lead.stage });
            lead.reopen(now);
            ("reopen", before, json!({ "stage": lead.stage }))
        }
        Kind::Priority => {
            let before = json!({ "priority": lead.priority_set });
            lead.priority_set = asked.priority;
            ("priority", before, json!({ "priority": lead.priority_set }))
        }
        Kind::Note | Kind::Place | Kind::TakeBack | Kind::Merge | Kind::Redeliver | Kind::OfFollowUp(_) => {
            reason = note("text", asked.text.clone())?;
            if reason.is_none() {
                return Err(Problem::new(Code::InvalidField, "a note has a text"));
            }
            ("note", json!({}), json!({}))
        }
    };
    let told = json!({ "act": word, "before": before, "after": after });
    if asked.dry_run {
        return Ok(Some(told));
    }
    let act = asked.named(record(cloud, desk, word, reason, &before, &after));
    if !cloud.store.lead_act(&lead, &act).await? {
        return Ok(None);
    }
    if matches!(kind, Kind::Hold | Kind::Resume | Kind::Reopen) {
        cloud.hand_to_distribution(&lead).await;
    }
    tracing::info!(lead.id = %lead.id, act = word, staff = %desk.staff, "the desk acted");
    Ok(Some(told))
}

/// The desk takes a seat back, or all: delivery tells its dealer, then the lead moves on.
async fn take_back(cloud: &Cloud, desk: &Staff, lead: Lead, asked: &Asked) -> Result<Option<Value>, Problem> {
    let now = cloud.clock.now();
    let refused = |detail: &str| {
        Problem::new(Code::StateConflict, detail.to_owned()).with("stage", lead.stage.as_str())
    };
    if lead.stage.closed() {
        return Err(refused("the lead's cycle is closed: there is nothing to take back"));
    }
    // Of a shell no more is written than who did what.
    let reason = note("reason", asked.reason.clone())?.filter(|_| !lead.is_erased());
    let seats =
        lead.holders.iter().filter(|holder| asked.assignment.is_none_or(|id| id == holder.assignment));
    let seats: Vec<_> = seats.map(|holder| (lead.cycle_of(holder), holder.assignment)).collect();
    if seats.is_empty() {
        return Err(refused("nobody holds that seat"));
    }
    let told =
        json!({ "act": "take_back", "before": { "holders": lead.holders }, "after": { "hold": asked.hold } });
    // All are looked at before the first is taken back: where one cannot be, none is.
    let mut back = Vec::with_capacity(seats.len());
    for (of, id) in seats {
        back.extend(to_take_back(cloud, &lead, (of.lead, of.cycle, id), now).await?);
    }
    if asked.dry_run {
        return Ok(Some(told));
    }
    let mut kept = lead.clone();
    // A hold that stands is not replaced; it is written with the first, so that no seat goes on to somebody else.
    let mut to_hold = asked.hold && lead.held_back(now).is_none();
    let last = back.len().saturating_sub(1);
    let mut taken = Vec::with_capacity(back.len());
    for (at, mut next) in back.into_iter().enumerate() {
        let id = next.id;
        let before = json!({ "assignment": id, "dealer": next.dealer, "state": next.state });
        next.recalled = true;
        // The dealer cannot answer any more; delivery withdraws from it and moves the lead.
        next.delivery = DeliveryState::Unknown;
        next.next_attempt_at = None;
        next.due = Some(now);
        let act = record(cloud, desk, "take_back", reason.clone(), &before, &json!({ "recalled": true }));
        // One form's id is one act's: the last's, so that a form of which a part was done is not done already.
        let act = if at == last { asked.named(act) } else { act };
        let holds = std::mem::take(&mut to_hold);
        if holds {
            kept.hold = Some(Hold { until: asked.until });
        }
        let changes = Changes { lead: holds.then_some(&kept), act: Some(&act), ..Changes::of(&next, now) };
        if !cloud.store.assignment_change(&changes).await? {
            return Ok(None);
        }
        tracing::info!(lead.id = %lead.id, assignment.id = %id, staff = %desk.staff, "the desk takes a lead back");
        taken.push(next);
    }
    // Not before all are: delivery moves the lead, and what moved cannot be taken back as it was seen. What is not handed on
    // here is due.
    for next in &taken {
        cloud.hand_to_delivery(next, 0).await;
    }
    if to_hold {
        // All of it was taken back already, by somebody who did not hold it.
        kept.hold = Some(Hold { until: asked.until });
        let act =
            record(cloud, desk, "hold", reason, &json!({ "hold": lead.hold }), &json!({ "hold": kept.hold }));
        if !cloud.store.lead_act(&kept, &act).await? {
            return Ok(None);
        }
    }
    Ok(Some(told))
}

/// A seat as it stands, where it can be taken back; `None`, where it was already.
async fn to_take_back(
    cloud: &Cloud,
    lead: &Lead,
    (of, cycle, id): (LeadId, u32, AssignmentId),
    now: Timestamp,
) -> Result<Option<Assignment>, Problem> {
    let stands = cloud.store.assignment_get(of, cycle, id).await?;
    let Some(next) = stands.filter(|stands| stands.state.holds() && !stands.recalled) else {
        return Ok(None);
    };
    if next.returned.as_ref().is_some_and(|asked| asked.state == ReturnState::Requested) {
        let detail = "its dealer asks to return it: decide that first";
        return Err(Problem::new(Code::StateConflict, detail).with("stage", lead.stage.as_str()));
    }
    if let Some(until) = next.next_attempt_at.filter(|until| next.begun().is_some() && *until > now) {
        // What is being posted now would arrive after its withdrawal.
        let wait_s = until.duration_since(now).as_secs().max(1) as u32;
        let detail = "the lead is being delivered at this moment; try again";
        return Err(Problem::new(Code::Unavailable, detail).retry_after(wait_s));
    }
    let whole = cloud.store.delivery_get(of, id, Event::Assigned.as_str(), "2").await?;
    if whole.is_some_and(|whole| may_be_under_way(&whole, now)) {
        let detail = "the dealer is being sent the lead it accepted; try again";
        return Err(Problem::new(Code::Unavailable, detail).retry_after(30));
    }
    if is_being_copied(cloud, of, id, now).await? {
        let detail = "the lead is being delivered at this moment; try again";
        return Err(Problem::new(Code::Unavailable, detail).retry_after(30));
    }
    Ok(Some(next))
}

/// Whether a copy of the lead is on its way by another channel: it would arrive after its withdrawal.
async fn is_being_copied(
    cloud: &Cloud,
    lead: LeadId,
    assignment: AssignmentId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let orders = || 1..=limits::CHANNELS_PER_DEALER;
    let copies =
        ["1", "2"].into_iter().flat_map(|number| orders().map(move |order| format!("{number}@{order}")));
    let copies: Vec<String> = copies.collect();
    let event = Event::Assigned.as_str();
    let copies = copies.iter().map(|copy| cloud.store.delivery_get(lead, assignment, event, copy));
    let copies = try_join_all(copies).await?;
    Ok(copies.into_iter().flatten().any(|copy| may_be_under_way(&copy, now)))
}

/// Whether a message may be on its way at this moment. One that failed and waits for its next attempt is not, and that
/// is not made of a lead that was taken back.
fn may_be_under_way(message: &Delivery, now: Timestamp) -> bool {
    message.state == DeliveryState::Pending && message.next_at.is_none_or(|at| at <= now)
}
