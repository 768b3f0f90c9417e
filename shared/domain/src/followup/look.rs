//! What follows for a follow-up from how its lead stands.

use jiff::{SignedDuration, Timestamp};

use super::plan::FollowUpPlan;
use super::state::{Ended, FollowUp, Plan, Reason, Rests, Step};
use crate::contract::{Need, Needs};
use crate::lead::{Lead, Stage};
use crate::scoring::NextStep;

/// Whether a lead is followed up, and how that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// By itself, on this plan.
    ByPlan(Plan),
    /// If the desk says so.
    ByHand(Plan),
    /// Not at all: somebody has it, or nobody is to be called.
    No,
}

/// How a lead may be followed up as it stands. Lists of whom not to call are not asked.
pub fn followed(lead: &Lead) -> Followed {
    if lead.person.phone.is_none() || lead.is_erased() || lead.merged_into.is_some() {
        return Followed::No;
    }
    let nobodys = lead.holders.is_empty();
    let worth_it = lead.score.as_ref().is_none_or(|score| score.next_step != NextStep::Discard);
    match lead.stage {
        Stage::Nurturing if nobodys && worth_it => Followed::ByPlan(Plan::NotReady),
        Stage::Nurturing | Stage::Waiting if nobodys => Followed::ByHand(Plan::NotReady),
        // Who lost it is remembered as the last holder, and has it no more.
        Stage::Lost => Followed::ByPlan(Plan::Lost),
        Stage::Expired if nobodys => Followed::ByPlan(Plan::Lost),
        Stage::Received
        | Stage::Quarantined
        | Stage::Nurturing
        | Stage::Waiting
        | Stage::Assigned
        | Stage::Won
        | Stage::Expired
        | Stage::Rejected => Followed::No,
    }
}

/// Whether a follow-up is its lead's still.
pub fn is_followed(lead: &Lead, follow_up: &FollowUp) -> bool {
    let stands = match followed(lead) {
        Followed::ByPlan(_) => true,
        // Who is to be discarded by now was worth following up once.
        Followed::ByHand(_) => follow_up.by_hand || lead.stage == Stage::Nurturing,
        Followed::No => false,
    };
    stands && follow_up.is_open() && follow_up.cycle == lead.cycle
}

/// Until when a lead may be called at all: see [`FollowUpPlan::enquiry_days`].
pub fn may_call_until(lead: &Lead, plan: &FollowUpPlan) -> Timestamp {
    let after = |at: Timestamp, days: u16| {
        at.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX)
    };
    let asked = after(lead.last_enquiry_at, plan.enquiry_days);
    if lead.brings.meets(Needs::NONE.with(Need::Consent)) {
        asked.max(after(lead.opened_at, plan.consent_days))
    } else {
        asked
    }
}

/// The follow-up of a lead as it stands now, if that is another than before. `did` says that the lead did something.
pub fn look(
    before: Option<&FollowUp>,
    lead: &Lead,
    plan: &FollowUpPlan,
    did: bool,
    now: Timestamp,
) -> Option<FollowUp> {
    let mut next = match (before, followed(lead)) {
        (Some(before), Followed::ByPlan(Plan::Lost))
            if !begins_anew(before, lead) && before.is_open() && before.plan != Plan::Lost =>
        {
            turned(before, lead, plan, now)
        }
        (Some(before), _) if !begins_anew(before, lead) => before.clone(),
        (_, Followed::ByPlan(by)) => begun(before, by, lead, plan, now)?,
        // That of an earlier cycle, whose lead is somebody's now.
        (Some(before), Followed::ByHand(_) | Followed::No) if before.is_open() => {
            let mut over = before.clone();
            over.end(Ended::Moved, now);
            return Some(over);
        }
        (_, Followed::ByHand(_) | Followed::No) => return None,
    };
    if !next.is_open() {
        return None;
    }
    if !is_followed(lead, &next) {
        next.end(Ended::Moved, now);
        return Some(next);
    }
    if did || lead.last_enquiry_at > next.asked_at {
        next.wake(now);
        next.asked_at = next.asked_at.max(lead.last_enquiry_at);
    }
    next.comes_due(now);
    let until = may_call_until(lead, plan);
    match next.step {
        Step::Planned { at } if at >= until => next.rest(Rests::ConsentOver),
        Step::Due { .. } if now >= until => next.rest(Rests::ConsentOver),
        Step::Planned { .. } | Step::Due { .. } | Step::Rests { .. } | Step::Ended { .. } => {}
    }
    (before != Some(&next)).then_some(next)
}

/// Since when a plan runs.
fn runs_from(by: Plan, lead: &Lead, now: Timestamp) -> Timestamp {
    match by {
        Plan::NotReady => now,
        Plan::Lost => lead.closed_at.unwrap_or(now),
    }
}

/// One that begins, after that which is over, if there was one.
fn begun(
    before: Option<&FollowUp>,
    by: Plan,
    lead: &Lead,
    plan: &FollowUpPlan,
    now: Timestamp,
) -> Option<FollowUp> {
    let from = runs_from(by, lead, now);
    let mut begun = FollowUp::begin(by, (lead.cycle, lead.last_enquiry_at), from, plan)?;
    if let Some(before) = before.filter(|before| before.cycle == lead.cycle) {
        begun.last_call.clone_from(&before.last_call);
        let asked = lead.last_enquiry_at > before.asked_at;
        // What they asked for before their cycle closed was for whoever had them.
        let since = by == Plan::NotReady || lead.last_enquiry_at > from;
        if asked && since {
            // Who was followed up before and asked again is called at once.
            begun.wake(now);
        } else if !asked && before.wanted_nothing() {
            begun.calls = before.calls;
            begun.rest(Rests::NotInterested);
        }
    }
    Some(begun)
}

/// That of who was not ready, whose cycle closed: it goes on by the plan of who was lost. Whoever is in the day's list, or
/// was promised a call, is called first; who wants nothing rests.
fn turned(before: &FollowUp, lead: &Lead, plan: &FollowUpPlan, now: Timestamp) -> FollowUp {
    let mut goes_on = before.clone();
    (goes_on.plan, goes_on.done) = (Plan::Lost, 0);
    let stays = match before.step {
        Step::Planned { .. } => before.reason == Reason::Callback,
        Step::Rests { why } => why != Rests::PlanOver,
        Step::Due { .. } | Step::Ended { .. } => true,
    };
    if stays {
        return goes_on;
    }
    let from = runs_from(Plan::Lost, lead, now);
    match FollowUp::begin(Plan::Lost, (before.cycle, before.asked_at), from, plan) {
        Some(begun) => FollowUp { last_call: goes_on.last_call, ..begun },
        None => {
            goes_on.rest(Rests::PlanOver);
            goes_on
        }
    }
}

/// Whether a follow-up says nothing of how its lead stands now: it was of an earlier cycle; or it ended before the lead
/// asked again or its cycle closed, or for no more than that the lead was somebody's, which it is no longer. Whom nobody
/// can reach by their number, or nobody is to call, has to ask again.
fn begins_anew(before: &FollowUp, lead: &Lead) -> bool {
    let asked = lead.last_enquiry_at > before.asked_at;
    match before.step {
        Step::Planned { .. } | Step::Due { .. } | Step::Rests { .. } => before.cycle != lead.cycle,
        Step::Ended { why: Ended::WrongNumber | Ended::DoNotCall, .. } => asked,
        Step::Ended { why: Ended::Moved, .. } => true,
        Step::Ended { why: Ended::Interested, at } => {
            before.cycle != lead.cycle || asked || lead.closed_at.is_some_and(|closed| closed > at)
        }
    }
}
