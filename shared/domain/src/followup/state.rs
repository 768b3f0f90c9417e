//! One lead's follow-up, and what moves it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::plan::FollowUpPlan;
use crate::limits;

words! {
    /// Why a lead is called.
    pub enum Reason as "a reason to follow up" {
        /// Its band is not reached yet.
        NotReady = "not_ready",
        /// Nobody answered.
        NotReached = "not_reached",
        /// Its cycle ended unsold.
        Lost = "lost",
        /// The desk chose it.
        ByHand = "by_hand",
        /// They asked to be called at this time.
        Callback = "callback",
        /// They did something.
        Woken = "woken",
    }
}

impl Reason {
    /// As a sentence, for people.
    pub const fn says(self) -> &'static str {
        match self {
            Self::NotReady => "They asked, and are not ready to be sold yet.",
            Self::NotReached => "Nobody reached them at the last call.",
            Self::Lost => "Their last sale came to nothing, and was some time ago.",
            Self::ByHand => "The desk chose them.",
            Self::Callback => "They asked to be called back at this time.",
            Self::Woken => "They did something since the last look: asked again, clicked, came back.",
        }
    }
}

words! {
    /// On which plan a follow-up began: it goes on with that one once somebody was reached.
    pub enum Plan as "a plan" {
        /// That of who is not ready.
        NotReady = "not_ready",
        /// That of who was lost for now.
        Lost = "lost",
    }
}

impl Plan {
    /// As a reason.
    pub const fn reason(self) -> Reason {
        match self {
            Self::NotReady => Reason::NotReady,
            Self::Lost => Reason::Lost,
        }
    }
}

words! {
    /// What a call came to, in the words of the trade.
    pub enum CallResult as "a call's result" {
        /// Reached, and wants to go on: the lead goes to distribution.
        Interested = "interested",
        /// Reached, and asked to be called at a time.
        Callback = "callback",
        /// Reached, and not ready yet.
        NotNow = "not_now",
        /// Nobody answered.
        NoAnswer = "no_answer",
        /// A machine answered.
        Voicemail = "voicemail",
        /// The line was busy.
        Busy = "busy",
        /// It is somebody else's number, or nobody's.
        WrongNumber = "wrong_number",
        /// Reached, and wants nothing.
        NotInterested = "not_interested",
        /// Reached, and wants never to be called again.
        DoNotCall = "do_not_call",
    }
}

words! {
    /// Why a lead rests until it does something.
    pub enum Rests as "why a lead rests" {
        /// The plan has no further call.
        PlanOver = "plan_over",
        /// They want nothing.
        NotInterested = "not_interested",
        /// It is too long ago that they asked, or agreed to be called.
        ConsentOver = "consent_over",
        /// They opted out, or are on a list of whom not to call.
        OnList = "on_list",
    }
}

words! {
    /// Why a follow-up is over.
    pub enum Ended as "why a follow-up ended" {
        /// They are interested.
        Interested = "interested",
        /// The number is wrong.
        WrongNumber = "wrong_number",
        /// They are never to be called.
        DoNotCall = "do_not_call",
        /// The lead is somebody's, ready to be sold, or nobody's any more.
        Moved = "moved",
    }
}

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Step {
    /// A call at this time.
    Planned {
        /// When.
        at: Timestamp,
    },
    /// A call now: it stands in the day's list.
    Due {
        /// Since when.
        since: Timestamp,
    },
    /// Nothing, until they do something.
    Rests {
        /// Why.
        why: Rests,
    },
    /// Nothing.
    Ended {
        /// Why.
        why: Ended,
        /// When.
        at: Timestamp,
    },
}

/// Somebody on the desk is calling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who.
    pub by: String,
    /// Until then nobody else may.
    pub until: Timestamp,
}

/// The last call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCall {
    /// What it came to.
    pub result: CallResult,
    /// When that was said.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// One lead's follow-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// The sale cycle that it is of.
    pub cycle: u32,
    /// On which plan it began.
    pub plan: Plan,
    /// How many calls of that plan were made.
    pub done: u8,
    /// The desk chose the lead: it is followed up in the waiting room, too.
    #[serde(default)]
    pub by_hand: bool,
    /// Why the next call is made, or the last was.
    pub reason: Reason,
    /// Which of the reason's attempts the next call is, 1 first.
    pub attempt: u8,
    /// Calls in all since it began or was woken.
    pub calls: u8,
    /// Since when the reason holds.
    pub since: Timestamp,
    /// What is next.
    pub step: Step,
    /// Who is calling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// The last call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_call: Option<LastCall>,
    /// The last enquiry that it knows of.
    pub asked_at: Timestamp,
}

/// Why something cannot be done with a follow-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is over.
    Over,
    /// Somebody else is calling.
    Claimed(Claim),
    /// A callback has a time that lies ahead, within [`limits::CALLBACK_DAYS`]; nothing else has one.
    Time,
}

impl FollowUp {
    /// It begins by a plan, counted from an instant; `None` where the plan has no call.
    pub fn begin(
        plan: Plan,
        (cycle, asked_at): (u32, Timestamp),
        from: Timestamp,
        rules: &FollowUpPlan,
    ) -> Option<Self> {
        let at = rules.attempt_at(plan.reason(), 1, from)?;
        Some(Self {
            cycle,
            plan,
            done: 0,
            by_hand: false,
            reason: plan.reason(),
            attempt: 1,
            calls: 0,
            since: from,
            step: Step::Planned { at },
            claim: None,
            last_call: None,
            asked_at,
        })
    }

    /// The desk has it called now.
    pub const fn by_hand(plan: Plan, (cycle, asked_at): (u32, Timestamp), now: Timestamp) -> Self {
        Self {
            cycle,
            plan,
            done: 0,
            by_hand: true,
            reason: Reason::ByHand,
            attempt: 1,
            calls: 0,
            since: now,
            step: Step::Due { since: now },
            claim: None,
            last_call: None,
            asked_at,
        }
    }

    /// Whether it goes on, be it at rest.
    pub const fn is_open(&self) -> bool {
        !matches!(self.step, Step::Ended { .. })
    }

    /// Whether it stands in the day's list.
    pub const fn is_due(&self) -> bool {
        matches!(self.step, Step::Due { .. })
    }

    /// Who is calling now.
    pub fn claimed(&self, now: Timestamp) -> Option<&Claim> {
        self.claim.as_ref().filter(|claim| now < claim.until)
    }

    /// Whether they said at the last call that they want nothing, and did nothing since.
    pub(super) fn wanted_nothing(&self) -> bool {
        let said = self.last_call.as_ref().map(|last| last.result);
        self.calls > 0 && said == Some(CallResult::NotInterested)
    }

    /// Its time has come, if it has.
    pub fn comes_due(&mut self, now: Timestamp) {
        if let Step::Planned { at } = self.step
            && at <= now
        {
            self.step = Step::Due { since: at };
        }
    }

    /// They did something: it is to be called at once, and counted anew. A call that was promised keeps its time.
    pub fn wake(&mut self, now: Timestamp) {
        let promised = self.reason == Reason::Callback;
        match self.step {
            Step::Planned { .. } if promised => {}
            Step::Planned { .. } | Step::Rests { .. } => {
                self.reason = Reason::Woken;
                (self.attempt, self.calls, self.done) = (1, 0, 0);
                self.since = now;
                self.step = Step::Due { since: now };
            }
            Step::Due { .. } | Step::Ended { .. } => {}
        }
    }

    /// It rests.
    pub fn rest(&mut self, why: Rests) {
        self.step = Step::Rests { why };
        self.claim = None;
    }

    /// It is over.
    pub fn end(&mut self, why: Ended, now: Timestamp) {
        self.step = Step::Ended { why, at: now };
        self.claim = None;
    }

    /// They said at a call that they are never to be called again: wherever it stood, and though it is over.
    pub fn never_again(&mut self, by: &str, now: Timestamp) {
        self.calls = self.calls.saturating_add(1);
        self.last_call = Some(LastCall { result: CallResult::DoNotCall, at: now, by: by.to_owned() });
        self.end(Ended::DoNotCall, now);
    }

    /// Somebody calls: for [`limits::CLAIM_MINUTES`] nobody else does. Who has it already has it for as long again.
    pub fn claim(&mut self, by: &str, now: Timestamp) -> Result<(), Refused> {
        self.is_free_for(by, now)?;
        let until = now.checked_add(SignedDuration::from_mins(limits::CLAIM_MINUTES)).unwrap_or(now);
        self.claim = Some(Claim { by: by.to_owned(), until });
        Ok(())
    }

    /// Whose claim it is lets go of it before its time is over; whoever's it is, if nobody is named. Whether anybody had it.
    pub fn unclaim(&mut self, whose: Option<&str>, now: Timestamp) -> Result<bool, Refused> {
        match self.claimed(now) {
            Some(claim) if whose.is_some_and(|whose| whose != claim.by) => {
                Err(Refused::Claimed(claim.clone()))
            }
            Some(_) => {
                self.claim = None;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn is_free_for(&self, by: &str, now: Timestamp) -> Result<(), Refused> {
        if !self.is_open() {
            return Err(Refused::Over);
        }
        match self.claimed(now).filter(|claim| claim.by != by) {
            Some(claim) => Err(Refused::Claimed(claim.clone())),
            None => Ok(()),
        }
    }

    /// A call was made, and what it came to decides what is next.
    pub fn call(
        &mut self,
        by: &str,
        (result, callback_at): (CallResult, Option<Timestamp>),
        rules: &FollowUpPlan,
        now: Timestamp,
    ) -> Result<(), Refused> {
        self.is_free_for(by, now)?;
        let latest = now.checked_add(SignedDuration::from_hours(24 * limits::CALLBACK_DAYS)).unwrap_or(now);
        let callback = match (result, callback_at) {
            (CallResult::Callback, Some(at)) if now < at && at <= latest => Some(at),
            (CallResult::Callback, _) | (_, Some(_)) => return Err(Refused::Time),
            (_, None) => None,
        };
        self.claim = None;
        self.calls = self.calls.saturating_add(1);
        if self.reason == self.plan.reason() {
            self.done = self.done.saturating_add(1);
        }
        self.last_call = Some(LastCall { result, at: now, by: by.to_owned() });
        match result {
            CallResult::NoAnswer | CallResult::Voicemail | CallResult::Busy => {
                let tried = if self.reason == Reason::NotReached { self.attempt } else { 0 };
                self.again(Reason::NotReached, tried.saturating_add(1), rules, now);
            }
            CallResult::NotNow => self.again(self.plan.reason(), self.done.saturating_add(1), rules, now),
            CallResult::Callback => {
                self.turns_to(Reason::Callback, 1, now);
                self.step = Step::Planned { at: callback.unwrap_or(now) };
            }
            CallResult::NotInterested => self.rest(Rests::NotInterested),
            CallResult::Interested => self.end(Ended::Interested, now),
            CallResult::WrongNumber => self.end(Ended::WrongNumber, now),
            CallResult::DoNotCall => self.end(Ended::DoNotCall, now),
        }
        Ok(())
    }

    /// The next attempt of a plan; it rests where there is none.
    fn again(&mut self, reason: Reason, attempt: u8, rules: &FollowUpPlan, now: Timestamp) {
        let next = rules.attempt_at(reason, attempt, now).filter(|_| self.calls < rules.most_calls);
        match next {
            Some(at) => {
                self.turns_to(reason, attempt, now);
                self.step = Step::Planned { at };
            }
            None => self.rest(Rests::PlanOver),
        }
    }

    fn turns_to(&mut self, reason: Reason, attempt: u8, now: Timestamp) {
        if self.reason != reason {
            self.since = now;
        }
        (self.reason, self.attempt) = (reason, attempt);
    }
}
