//! Following up: the day's list of calls, and what the desk does with it: choose a lead, claim it, say what the call came to.
//!
//! Determinations:
//!
//! - *The list is read, and looked at*: who opted out meanwhile, was erased, merged or sold, or may not be called any more is
//!   left out, whatever the list still says.
//! - *Order*: promised callbacks whose time has come, then by score as of now. Who may not be called at this hour stands in
//!   the list with the hour from which they may. Whoever asks for the next is given one who may be called now, be it far
//!   behind the head of the list.
//! - *A page of the list* ends where its leads end in the order of the index, in steps of engagement: by score the last places
//!   of a page and the first of the next may be a step off. It goes on behind what was read of each fit letter, and reads
//!   nothing anew; who comes into the list meanwhile is on the first page.
//! - *A claim may be let go of* before its time is over, at any hour, by who has it or by a manager. Of one that nobody has,
//!   nothing is kept: it is as it was to be.
//! - *A claim* is refused at an hour at which its lead may not be called. What a call came to is taken at any hour: it was
//!   begun before.
//! - *Interested* is kept as an interaction `call` as well, and the lead goes to distribution at once.
//! - *Do not call* opts the person out of everything, as they would do it themselves, and their holders are told; it is taken
//!   though the lead was sold or its call claimed meanwhile. Should what the call came to not be kept after that, the answer
//!   says that they are opted out, and who says it again completes it.
//! - *What a page did not show is not overwritten*: of a call whose page was opened before a colleague said what another came
//!   to, nothing is kept, and the answer says what stands.
//! - *A promised call* is not made an ordinary one by choosing its lead: whoever calls before its time claims it.
//! - *Chosen among many* is nobody whom somebody is calling, or whose call came to something since the look.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadyard_domain::access::Role;
use leadyard_domain::calling::{self, MayCall};
use leadyard_domain::delivery::OptedOutOf;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::{Code, FieldError};
use leadyard_domain::followup::{
    self, CallResult, Ended, FollowUp, FollowUpPlan, Followed, Reason, Refused, Rests, Step,
};
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::{Lead, ScoreNow, Stage};
use leadyard_domain::limits;
use leadyard_domain::scoring::{Interaction, InteractionId, InteractionKind};
use leadyard_domain::time::{self, UtcDay};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::following;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::judging;
use leadyard_platform::person::Sought;
use leadyard_platform::scores::Scores;
use leadyard_platform::store::{Act as Record, DayRead, Place, StoreError, StoredFollowUp, Visits};
use leadyard_platform::who::{self, DeskOf, READS, Staff};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::acts::{Asked, note, record};
use crate::find;
use crate::inbox::ROUNDS;
use crate::leads;

/// Where in what was sent stands when they asked to be called.
pub(crate) const CALLBACK_AT: &str = "/callback_at";

/// A lead that is to be called.
pub(crate) struct Call {
    pub(crate) lead: Lead,
    pub(crate) follow_up: FollowUp,
    pub(crate) score: Option<ScoreNow>,
    /// At this hour.
    pub(crate) may: MayCall,
}

/// A page of the day's list.
pub(crate) struct CallList {
    pub(crate) calls: Vec<Call>,
    pub(crate) examined: usize,
    /// Where the next page begins, if more stand behind these.
    pub(crate) next: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Page {
    limit: Option<usize>,
    after: Option<String>,
}

/// `GET /v1/follow-ups?company&limit&after`.
pub(crate) async fn list(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<READS>,
    Query(Page { limit, after }): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let core = who::rules_of(&cloud, &company).await?;
    let limit = limit.unwrap_or(limits::FOLLOW_UPS).clamp(1, limits::FOLLOW_UPS);
    let calls = calls(&cloud, &core, after.as_deref(), limit).await?;
    let now = cloud.clock.now();
    let named = desk.may(&company, Role::Desk);
    let told = calls.calls.iter().map(|call| {
        json!({
            "lead": find::tell(&call.lead, call.score.as_ref(), named),
            "follow_up": tell(&call.follow_up, &core.follow_up, now),
            "may_be_called": leads::may_be_called(&call.lead, core.company.call_hours, now),
            "callable_until": followup::may_call_until(&call.lead, &core.follow_up),
        })
    });
    Ok(Json(json!({
        "company": company, "examined": calls.examined, "more": calls.next.is_some(), "next": calls.next,
        "follow_ups": told.collect::<Vec<_>>(),
    })))
}

/// Who is to be called now, at most so many, from behind the page before, if one is named. Three reads of the index, or four
/// of each of its partitions; one of the table for each fifty that are looked at, and one of the lists of whom not to call
/// for each thirty or so.
pub(crate) async fn calls(
    cloud: &Cloud,
    core: &Core,
    after: Option<&str>,
    most: usize,
) -> Result<CallList, Problem> {
    let mut read = after.map(find::read::<DayRead>).transpose()?.unwrap_or_default();
    if !read.is_sound() {
        return Err(find::unknown_place());
    }
    // Some may be left out that the list still has.
    let looked = 2 * most;
    let places = places_in_order(cloud, core, &read, looked + 1).await?;
    let ids: Vec<LeadId> = places.iter().take(looked).map(|(_, (_, lead))| *lead).collect();
    let mut calls = looked_at(cloud, core, &ids).await?;
    let called: HashSet<LeadId> = calls.iter().map(|call| call.lead.id).collect();
    let (mut shown, mut examined) = (HashSet::new(), 0);
    for (promised, (sort, lead)) in places.iter().take(looked) {
        if shown.len() == most {
            break;
        }
        examined += 1;
        read.pass(*promised, sort);
        if called.contains(lead) {
            shown.insert(*lead);
        }
    }
    let more = places.len() > looked || shown.len() < called.len();
    calls.retain(|call| shown.contains(&call.lead.id));
    Ok(CallList { calls, examined, next: more.then(|| find::written(&read)) })
}

/// The day's list as the index has it: promised calls, then by score; of each fit letter and shard `most` at least.
pub(crate) async fn in_order(cloud: &Cloud, core: &Core, most: usize) -> Result<Vec<LeadId>, Problem> {
    let places = places_in_order(cloud, core, &DayRead::default(), most).await?;
    Ok(places.into_iter().map(|(_, (_, lead))| lead).collect())
}

/// The same from behind what was read of it; whether each was promised a call, and where it stands.
async fn places_in_order(
    cloud: &Cloud,
    core: &Core,
    read: &DayRead,
    most: usize,
) -> Result<Vec<(bool, Place)>, Problem> {
    let list = cloud.store.follow_ups_behind(core.company_id(), read, most).await?;
    let scores = Scores::of(core, cloud.clock.now());
    let by_place = |places: Vec<Place>, promised: bool| {
        let mut scored: Vec<(u64, Place)> =
            places.into_iter().map(|place| (scores.of_place(&place.0), place)).collect();
        scored.sort_unstable_by(|a, b| b.cmp(a));
        scored.into_iter().map(move |(_, place)| (promised, place))
    };
    let mut places: Vec<(bool, Place)> =
        by_place(list.promised, true).chain(by_place(list.due, false)).collect();
    let mut seen = HashSet::new();
    places.retain(|(_, (_, lead))| seen.insert(*lead));
    Ok(places)
}

/// Of leads of the list, those that are to be called still, in their order.
pub(crate) async fn looked_at(cloud: &Cloud, core: &Core, ids: &[LeadId]) -> Result<Vec<Call>, Problem> {
    let now = cloud.clock.now();
    let scores = Scores::of(core, now);
    let found = cloud.store.follow_ups_get(ids).await?;
    let on_lists = cloud.all_on_lists(&found.iter().map(|(lead, _)| lead).collect::<Vec<_>>()).await?;
    let mut calls: Vec<Call> = found
        .into_iter()
        .filter(|(lead, follow_up)| {
            let listed = on_lists.get(&lead.id).copied().unwrap_or_default();
            lead.company == *core.company_id()
                && follow_up.state.is_due()
                && followup::is_followed(lead, &follow_up.state)
                && now < followup::may_call_until(lead, &core.follow_up)
                && following::may_be_called(lead, listed)
        })
        .map(|(lead, follow_up)| Call {
            score: scores.now(&lead),
            may: may_call(core, &lead, now),
            follow_up: follow_up.state,
            lead,
        })
        .collect();
    calls.sort_by_key(|call| {
        let promised = call.follow_up.reason == Reason::Callback;
        let hundredths = call.score.map_or(0, |score| score.hundredths);
        (!promised, std::cmp::Reverse((hundredths, call.lead.last_enquiry_at)), call.lead.id)
    });
    Ok(calls)
}

/// Whether a lead may be called at this hour.
pub(crate) fn may_call(core: &Core, lead: &Lead, now: Timestamp) -> MayCall {
    let (zones, _) = calling::zones(lead.location());
    let zones: Vec<TimeZone> = zones.iter().filter_map(|zone| time::zone(zone).ok()).collect();
    calling::may_call(&zones, core.company.call_hours, now)
}

/// How a lead is followed up, as programs read it.
pub(crate) fn tell(follow_up: &FollowUp, plan: &FollowUpPlan, now: Timestamp) -> Value {
    let (stands, at, why) = match follow_up.step {
        Step::Planned { at } => ("planned", Some(at), None),
        Step::Due { since } => ("due", Some(since), None),
        Step::Rests { why } => ("rests", None, Some(why.as_str())),
        Step::Ended { why, at } => ("ended", Some(at), Some(why.as_str())),
    };
    json!({
        "reason": follow_up.reason,
        "says": follow_up.reason.says(),
        "plan": follow_up.plan,
        "attempt": follow_up.attempt,
        // A plan that became shorter does not make this attempt one beyond its last.
        "of": plan.attempts(follow_up.reason).max(follow_up.attempt),
        "calls": follow_up.calls,
        "since": follow_up.since,
        "stands": stands,
        "at": at,
        "why": why,
        "claim": follow_up.claimed(now),
        "last_call": follow_up.last_call,
    })
}

/// What the desk does with a follow-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// It chooses the lead: it is to be called now.
    FollowUp,
    /// Somebody calls it.
    Claim,
    /// Who calls it lets go of it.
    Unclaim,
    /// Somebody called it.
    Call,
}

impl Act {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::FollowUp => "follow_up",
            Self::Claim => "claim",
            Self::Unclaim => "unclaim",
            Self::Call => "call",
        }
    }
}

/// What a page showed of the last call: what the next came to is said of that one, and not over a colleague's since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeenCall {
    last: Option<Timestamp>,
}

impl SeenCall {
    pub(crate) fn of(state: Option<&FollowUp>) -> Self {
        Self { last: state.and_then(|state| state.last_call.as_ref()).map(|last| last.at) }
    }

    /// The same of a follow-up as it is told.
    pub(crate) fn of_told(told: &Value) -> Self {
        Self { last: told["last_call"]["at"].as_str().and_then(|at| at.parse().ok()) }
    }
}

/// Does it; `None` when somebody else changed the lead or its follow-up.
pub(crate) async fn act(
    cloud: &Cloud,
    desk: &Staff,
    act: Act,
    lead: Lead,
    asked: &Asked,
) -> Result<Option<Value>, Problem> {
    let core = who::rules_of(cloud, &lead.company).await?;
    let now = cloud.clock.now();
    let stands = cloud.store.follow_up_get(lead.id).await?;
    let doing = Doing { cloud, desk, core: &core, act, asked, now };
    let (stands, state) = match (act, stands) {
        (Act::Call, Some(stands)) => return Box::pin(doing.called(lead, stands)).await,
        (Act::Claim, Some(stands)) if followup::is_followed(&lead, &stands.state) => {
            may_be_called(cloud, &core, &lead, now, true).await?;
            let mut state = stands.state.clone();
            state.claim(&desk.staff, now).map_err(|why| not_theirs(&why, &lead))?;
            (Some(stands), state)
        }
        (Act::Unclaim, Some(stands)) => {
            // A manager takes it from whoever has it, but by a page from whom it showed alone.
            let own = Some(desk.staff.as_str());
            let whose = if desk.may(&lead.company, Role::Manager) { asked.claim_of.as_deref() } else { own };
            let mut state = stands.state.clone();
            if !state.unclaim(whose, now).map_err(|why| not_theirs(&why, &lead))? {
                return Ok(Some(json!({ "act": act.word(), "already": true })));
            }
            (Some(stands), state)
        }
        (Act::Claim | Act::Unclaim | Act::Call, _) => return Err(not_followed(&lead)),
        (Act::FollowUp, stands) => {
            if let (Some(stands), Some(_)) = (&stands, &asked.seen_call) {
                doing.is_of_the_last_call(&lead, &stands.state)?;
                // Among many nobody is taken from who calls them now.
                if let Some(claim) = stands.state.claimed(now) {
                    return Err(not_theirs(&Refused::Claimed(claim.clone()), &lead));
                }
            }
            // Who opted out is told so, and not what became of the lead by it.
            may_be_called(cloud, &core, &lead, now, false).await?;
            let state = chosen(&lead, stands.as_ref(), now)?;
            (stands, state)
        }
    };
    let told = doing.told(stands.as_ref(), &state);
    let kept = doing.record(&told)?;
    if asked.dry_run {
        return Ok(Some(told));
    }
    let next = match stands {
        Some(stands) => StoredFollowUp { state, ..stands },
        None => StoredFollowUp::new(state),
    };
    doing.keeps(&lead, false, &next, &kept, told).await
}

/// An act that is being done.
struct Doing<'a> {
    cloud: &'a Cloud,
    desk: &'a Staff,
    core: &'a Core,
    act: Act,
    asked: &'a Asked,
    now: Timestamp,
}

impl Doing<'_> {
    /// What it changes.
    fn told(&self, before: Option<&StoredFollowUp>, next: &FollowUp) -> Value {
        let plan = &self.core.follow_up;
        let before = before.map_or(Value::Null, |stands| tell(&stands.state, plan, self.now));
        json!({ "act": self.act.word(), "before": before, "after": tell(next, plan, self.now) })
    }

    fn record(&self, told: &Value) -> Result<Record, Problem> {
        let field = if self.act == Act::Call { "note" } else { "reason" };
        let text = note(field, said(self.act, self.asked))?;
        let act = record(self.cloud, self.desk, self.act.word(), text, &told["before"], &told["after"]);
        Ok(self.asked.named(act))
    }

    async fn keeps(
        &self,
        lead: &Lead,
        lifted: bool,
        next: &StoredFollowUp,
        kept: &Record,
        told: Value,
    ) -> Result<Option<Value>, Problem> {
        if !self.cloud.store.follow_up_act(lead, lifted, next, kept).await? {
            return Ok(None);
        }
        tracing::info!(
            lead.id = %lead.id, act = self.act.word(), staff = %self.desk.staff, "the desk followed up"
        );
        Ok(Some(told))
    }

    /// What a call came to.
    async fn called(&self, mut lead: Lead, stands: StoredFollowUp) -> Result<Option<Value>, Problem> {
        if self.asked.result == Some(CallResult::DoNotCall) {
            return self.do_not_call(&lead, &stands).await;
        }
        if !followup::is_followed(&lead, &stands.state) {
            return Err(not_followed(&lead));
        }
        let came_to = self.asked.result.ok_or_else(|| {
            let words: Vec<&str> = CallResult::ALL.iter().map(|result| result.as_str()).collect();
            Problem::new(Code::InvalidField, format!("result is one of: {}", words.join(" ")))
        })?;
        self.is_of_the_last_call(&lead, &stands.state)?;
        if let Some(at) = self.asked.callback_at {
            promised_well(self.core, &lead, at)?;
        }
        let mut next = stands.state.clone();
        next.call(&self.desk.staff, (came_to, self.asked.callback_at), &self.core.follow_up, self.now)
            .map_err(|why| not_theirs(&why, &lead))?;
        if let Step::Planned { at } = next.step
            && at >= followup::may_call_until(&lead, &self.core.follow_up)
        {
            next.rest(Rests::ConsentOver);
        }
        let mut told = self.told(Some(&stands), &next);
        let lifted = came_to == CallResult::Interested && lead.clone().lift(self.now);
        if lifted {
            told["after"]["lifted"] = json!(true);
        }
        let kept = self.record(&told)?;
        if self.asked.dry_run {
            return Ok(Some(told));
        }
        if lifted {
            lift(self.cloud, self.core, &mut lead, &stands.state, self.now).await?;
        }
        let next = StoredFollowUp { state: next, ..stands };
        let done = self.keeps(&lead, lifted, &next, &kept, told).await?;
        if lifted && done.is_some() {
            self.cloud.hand_to_distribution(&lead).await;
        }
        Ok(done)
    }

    /// Refuses what a page says of a call when somebody said of another meanwhile what it came to.
    fn is_of_the_last_call(&self, lead: &Lead, state: &FollowUp) -> Result<(), Problem> {
        let Some(seen) = &self.asked.seen_call else { return Ok(()) };
        match &state.last_call {
            Some(last) if Some(last.at) > seen.last => {
                let detail = format!(
                    "since you opened the page, {} said what a call came to: {}",
                    last.by, last.result
                );
                Err(refused(&detail, lead).with("follow_up", tell(state, &self.core.follow_up, self.now)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// They are opted out of everything first: whatever becomes of what follows, nobody calls them again. That moves the
    /// lead, and so perhaps its follow-up: what the call came to is kept wherever that stands by now.
    async fn never_again(&self, lead: &Lead, kept: &Record, told: Value) -> Result<Option<Value>, Problem> {
        let sought = Sought { leads: [lead.id].into(), ..Sought::default() };
        let staff = &self.desk.staff;
        Box::pin(self.cloud.opt_out(&lead.company, &sought, OptedOutOf::Everything, staff))
            .await
            .map_err(crate::privacy::not_found)?;
        match self.keeps_never_again(lead, kept).await {
            Ok(true) => {
                tracing::info!(lead.id = %lead.id, act = "call", staff = %staff, "the desk followed up");
                Ok(Some(told))
            }
            // Whoever says it again ends it.
            Ok(false) | Err(_) => {
                let detail =
                    "they are opted out of everything; what the call came to could not be kept: say it again";
                Err(Problem::new(Code::Unavailable, detail).retry_after(1).with("opted_out", json!(true)))
            }
        }
    }

    async fn keeps_never_again(&self, lead: &Lead, kept: &Record) -> Result<bool, StoreError> {
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(self.cloud.entropy.between_ms(5, 60)).await;
            }
            let Some((lead, stands)) = self.cloud.store.follow_ups_get(&[lead.id]).await?.pop() else {
                return Ok(true);
            };
            let mut state = stands.state.clone();
            state.never_again(&self.desk.staff, self.now);
            let next = StoredFollowUp { state, ..stands };
            if self.cloud.store.follow_up_act(&lead, false, &next, kept).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// *Do not call*, whoever has the lead or its call by now: somebody talked to them, and that is what they said. Where that
    /// is kept already, it was said before.
    async fn do_not_call(&self, lead: &Lead, stands: &StoredFollowUp) -> Result<Option<Value>, Problem> {
        if stands.state.cycle != lead.cycle {
            return Err(not_followed(lead));
        }
        if self.asked.callback_at.is_some() {
            return Err(not_theirs(&Refused::Time, lead));
        }
        if let Step::Ended { why: Ended::DoNotCall, .. } = stands.state.step
            && self.cloud.on_lists(lead).await?.suppressed
        {
            return Ok(Some(json!({ "act": self.act.word(), "already": true })));
        }
        let mut next = stands.state.clone();
        next.never_again(&self.desk.staff, self.now);
        let told = self.told(Some(stands), &next);
        let kept = self.record(&told)?;
        if self.asked.dry_run {
            return Ok(Some(told));
        }
        self.never_again(lead, &kept, told).await
    }
}

fn said(act: Act, asked: &Asked) -> Option<String> {
    match act {
        Act::Call => asked.note.clone().or_else(|| asked.reason.clone()),
        Act::FollowUp | Act::Claim | Act::Unclaim => asked.reason.clone(),
    }
}

fn not_followed(lead: &Lead) -> Problem {
    refused("the lead is not followed up: what is over, held or sold is not called", lead)
}

fn refused(detail: &str, lead: &Lead) -> Problem {
    Problem::new(Code::StateConflict, detail).with("stage", lead.stage.as_str())
}

/// The follow-up of a lead that the desk chose.
fn chosen(lead: &Lead, stands: Option<&StoredFollowUp>, now: Timestamp) -> Result<FollowUp, Problem> {
    let plan = match followup::followed(lead) {
        Followed::ByPlan(plan) | Followed::ByHand(plan) => plan,
        Followed::No if lead.person.phone.is_none() => {
            return Err(refused("nobody can call who left no phone", lead));
        }
        Followed::No if !lead.holders.is_empty() => {
            let dealers: Vec<&str> = lead.holders.iter().map(|holder| holder.dealer.as_str()).collect();
            let detail =
                format!("{} has it: only a lead that nobody has is followed up", dealers.join(" and "));
            return Err(refused(&detail, lead));
        }
        Followed::No => {
            let detail = format!("the lead is {}: it is not followed up", lead.stage);
            return Err(refused(&detail, lead));
        }
    };
    let mut next = FollowUp::by_hand(plan, (lead.cycle, lead.last_enquiry_at), now);
    let same = stands.map(|stands| &stands.state).filter(|state| state.cycle == lead.cycle);
    if let Some(state) = same {
        match state.step {
            Step::Planned { at } if state.reason == Reason::Callback => {
                let detail = "they were promised a call: claim them to call before its time";
                return Err(refused(detail, lead).with("callback_at", json!(at)));
            }
            // It stands in the list already, before the others.
            Step::Due { .. } if state.reason == Reason::Callback => {
                return Ok(FollowUp { by_hand: true, ..state.clone() });
            }
            Step::Planned { .. } | Step::Due { .. } | Step::Rests { .. } | Step::Ended { .. } => {}
        }
        // Who is calling goes on, and what the last call came to is known still.
        next.claim.clone_from(&state.claim);
        next.last_call.clone_from(&state.last_call);
    }
    Ok(next)
}

/// Refuses what may not be called at all; and, if `now` is when the call would be made, at this hour.
async fn may_be_called(
    cloud: &Cloud,
    core: &Core,
    lead: &Lead,
    now: Timestamp,
    at_this_hour: bool,
) -> Result<(), Problem> {
    let on_lists = cloud.on_lists(lead).await?;
    if !following::may_be_called(lead, on_lists) {
        let detail = if on_lists.suppressed {
            "they unsubscribed, or stand on the suppression list"
        } else {
            "their phone is on the do-not-call list, and they did not agree to be called"
        };
        return Err(refused(detail, lead));
    }
    if now >= followup::may_call_until(lead, &core.follow_up) {
        return Err(refused("it is too long ago that they asked, or agreed to be called", lead));
    }
    if at_this_hour && !matches!(may_call(core, lead, now), MayCall::Until(_)) {
        let hours = leads::may_be_called(lead, core.company.call_hours, now);
        return Err(refused("it is no hour to call where they are", lead).with("may_be_called", hours));
    }
    Ok(())
}

/// Refuses to promise a call at an hour, or a day, at which nobody may make it.
fn promised_well(core: &Core, lead: &Lead, at: Timestamp) -> Result<(), Problem> {
    if !matches!(may_call(core, lead, at), MayCall::Until(_)) {
        let hours = leads::may_be_called(lead, core.company.call_hours, at);
        return Err(no_callback("callback_at is no hour to call where they are").with("may_be_called", hours));
    }
    let until = followup::may_call_until(lead, &core.follow_up);
    if at >= until {
        let detail = format!("callback_at is too late: they may be called until {until:.0}");
        return Err(no_callback(&detail).with("until", json!(until)));
    }
    Ok(())
}

/// Why somebody cannot claim it, or say what a call came to.
fn not_theirs(why: &Refused, lead: &Lead) -> Problem {
    match why {
        Refused::Over => refused("the follow-up is over", lead),
        Refused::Claimed(claim) => {
            let detail = format!("{} is calling them, until {:.0}", claim.by, claim.until);
            refused(&detail, lead).with("claim", json!(claim))
        }
        Refused::Time => {
            let days = limits::CALLBACK_DAYS;
            let detail =
                format!("callback_at goes with the result callback, and lies ahead by {days} days at most");
            no_callback(&detail)
        }
    }
}

/// What is wrong with the time at which they asked to be called; that it is this, a page sees by the field.
fn no_callback(detail: &str) -> Problem {
    let fault = FieldError { pointer: CALLBACK_AT.to_owned(), detail: detail.to_owned() };
    Problem::new(Code::InvalidField, detail).fields(vec![fault])
}

/// They are interested: that is worth what a call is worth, and the lead goes to distribution. However often it is tried, it
/// is one call: the one after the last that stands.
async fn lift(
    cloud: &Cloud,
    core: &Core,
    lead: &mut Lead,
    before: &FollowUp,
    now: Timestamp,
) -> Result<(), Problem> {
    const CALL: &str = "call";
    // A cycle that begins is scored by distribution, as every one is.
    let begins = matches!(lead.stage, Stage::Lost | Stage::Expired);
    let _ = lead.lift(now);
    if let Ok(kind) = InteractionKind::new(CALL) {
        let last = before.last_call.as_ref().map(|last| last.at.to_string()).unwrap_or_default();
        let id = InteractionId::hash8(&format!("{} {} {last}", lead.id, before.cycle));
        let did = Interaction { kind, id, by_scanner: false, click: None };
        cloud.store.activity_add(&Visits::Lead(lead.id), UtcDay::of(now), &[did], now).await?;
    }
    if !begins {
        let activity = cloud.store.activity_of_lead(lead).await?;
        let judged = judging::judge(cloud, core, lead, activity, now).await?;
        lead.score = Some(judged.state(&core.scoring, now));
    }
    Ok(())
}
