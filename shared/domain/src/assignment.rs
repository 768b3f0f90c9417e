//! An assignment: a cycle's seat given to a contract, from offered to closed, with how the lead got to
//! the dealer.

mod returns;

pub use returns::{NoReturn, Return, ReturnState};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::contract::AcceptBy;
use crate::dealer::ChannelKind;
use crate::delivery::{End, FailureKind};
use crate::distribution::{Reservation, Seat};
use crate::ids::{AssignmentId, CompanyId, ContractId, DealerId, EnquiryId, LeadId};
use crate::lead::{AssignmentState, CycleOf, Lead};
use crate::limits;
use crate::money::Money;
use crate::place::State;
use crate::scoring::Band;

words! {
    /// Where the delivery of an assignment stands.
    pub enum DeliveryState as "a delivery's state" {
        /// Not ended: attempts go on.
        Pending = "pending",
        /// The dealer has it.
        Received = "received",
        /// Ended: the dealer has it not.
        NotReceived = "not_received",
        /// Ended: the dealer may have it. It is withdrawn before the lead moves.
        Unknown = "unknown",
    }
}

/// One try at delivering. It is kept as soon as it begins, before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How it ended; [`End::Unknown`] until it has.
    pub end: End,
    /// What happened, in one word: `200`, `refused`, `timeout` …; [`Attempt::BEGUN`] until it ended.
    pub what: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// By which of the dealer's channels: its order; 0 of one that an earlier version made.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub channel: u8,
    /// The beginning of the dealer's answer, at most [`limits::ANSWER_KEPT_BYTES`]. It may repeat the person:
    /// never logged.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
    /// The dealer's own id of the lead, where its answer said one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// Why the dealer's own system declined the lead, in its words. It may repeat the person: never logged.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
const fn is_zero(order: &u8) -> bool {
    *order == 0
}

impl Attempt {
    /// Said of an attempt that has begun and not ended.
    pub const BEGUN: &'static str = "begun";

    fn begun(at: Timestamp, channel: u8) -> Self {
        Self {
            at,
            end: End::Unknown,
            what: Self::BEGUN.to_owned(),
            ms: 0,
            channel,
            answer: String::new(),
            reference: String::new(),
            reason: String::new(),
        }
    }

    /// The beginning of an answer, as much of it as is kept.
    pub fn kept(answer: &str) -> String {
        crate::person::cut_bytes(answer, limits::ANSWER_KEPT_BYTES).0.trim().to_owned()
    }
}

/// A seat of a cycle, and what became of it.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that is so or is not, apart from the others"
)]
pub struct Assignment {
    /// Which.
    pub id: AssignmentId,
    /// Counts writes; the store refuses one that did not see the last.
    pub version: u64,
    /// The lead.
    pub lead: LeadId,
    /// Whose lead.
    pub company: CompanyId,
    /// Which cycle of it.
    pub cycle: u32,
    /// The enquiry that opened the cycle; `None` of what an earlier version assigned, or another system.
    pub enquiry: Option<EnquiryId>,
    /// When the desk lifted the lead into the cycle, which that enquiry then did not open: times run from here.
    pub lifted_at: Option<Timestamp>,
    /// The contract.
    pub contract: ContractId,
    /// Its dealer.
    pub dealer: DealerId,
    /// Frozen.
    pub price: Money,
    /// From offered to closed.
    pub state: AssignmentState,
    /// The periods its caps were reserved from.
    pub reservation: Reservation,
    /// The price was taken from what the dealer paid in advance.
    pub prepaid: bool,
    /// Until when it must be accepted; without one it is charged as soon as it arrives.
    pub accept_by: Option<AcceptBy>,
    /// The dealer was warned of it.
    pub warned: bool,
    /// What the dealer asks to give back.
    pub returned: Option<Return>,
    /// The desk takes it back: delivery withdraws it before the lead moves.
    pub recalled: bool,
    /// The desk placed it.
    pub by_desk: bool,
    /// Placed while the company only watches: nothing of it is sent or charged.
    pub shadow: bool,
    /// Sold by another system and imported: nothing of it was counted or charged here, so nothing of it is
    /// given back, credited or charged.
    pub imported: bool,
    /// Set when unavailable means wait: until then delivery goes on slowly rather than elsewhere.
    pub patient_until: Option<Timestamp>,
    /// The rulebook it was decided under.
    pub rulebook: u64,
    /// The state it was sold in: a repeat may know better where the lead is, and its contract is found
    /// by where it was.
    pub sold_in: Option<State>,
    /// What the lead was worth when it was sold.
    pub band: Option<Band>,
    /// When the dealer was chosen.
    pub offered_at: Timestamp,
    /// When the dealer had it: what settles the charge.
    pub settled_at: Option<Timestamp>,
    /// When the state last changed.
    pub state_at: Timestamp,
    /// When the dealer first had it. With a deadline it is charged later.
    pub delivered_at: Option<Timestamp>,
    /// When the dealer said yes, whatever it said since.
    pub accepted_at: Option<Timestamp>,
    /// When the dealer first reached the person, whatever it said since.
    pub contacted_at: Option<Timestamp>,
    /// How it travels; `None` until the first attempt has looked.
    pub channel: Option<ChannelKind>,
    /// Which of the dealer's channels has its turn: its order; 0 until the first attempt has looked.
    pub channel_order: u8,
    /// How many attempts were made before that channel had its turn.
    pub tried_before: u32,
    /// Where the delivery stands.
    pub delivery: DeliveryState,
    /// The attempts, the newest hundred.
    pub attempts: Vec<Attempt>,
    /// How many attempts there were in all.
    pub attempt_count: u32,
    /// One of those not kept any more ended unknown.
    pub unknown_before: bool,
    /// What the dealer says it won, in minor units.
    pub won_value: Option<Money>,
    /// When the next attempt may begin; at once, if `None`.
    pub next_attempt_at: Option<Timestamp>,
    /// When it must be looked at next.
    pub due: Option<Timestamp>,
}

/// Attempts kept in the item: with an attempt each hour, those of four days.
const ATTEMPTS_KEPT: usize = 100;
/// How soon after a commit the sweep looks, should the queue's message be lost.
const GRACE: jiff::SignedDuration = jiff::SignedDuration::from_secs(45);

impl Assignment {
    /// The sale cycle that it is a seat of.
    pub const fn cycle_of(&self) -> CycleOf {
        CycleOf { lead: self.lead, cycle: self.cycle }
    }

    /// The seat, just given.
    pub fn offer(lead: &Lead, seat: &Seat, id: AssignmentId, rulebook: u64, now: Timestamp) -> Self {
        Self {
            id,
            version: 0,
            lead: lead.id,
            company: lead.company.clone(),
            cycle: lead.cycle,
            enquiry: Some(lead.opening),
            lifted_at: lead.lifted_at,
            contract: seat.contract.clone(),
            dealer: seat.dealer.clone(),
            price: seat.price,
            state: AssignmentState::Offered,
            reservation: seat.reservation,
            prepaid: seat.prepaid,
            accept_by: seat.accept_by,
            warned: false,
            returned: None,
            recalled: false,
            by_desk: false,
            shadow: false,
            imported: false,
            patient_until: seat.patient_until,
            rulebook,
            sold_in: lead.location().state(),
            band: lead.score.as_ref().map(|score| score.band),
            offered_at: now,
            settled_at: None,
            state_at: now,
            delivered_at: None,
            accepted_at: None,
            contacted_at: None,
            channel: None,
            channel_order: 0,
            tried_before: 0,
            delivery: DeliveryState::Pending,
            attempts: Vec::new(),
            attempt_count: 0,
            unknown_before: false,
            won_value: None,
            next_attempt_at: None,
            due: now.checked_add(GRACE).ok(),
        }
    }

    /// This channel of the dealer's has its turn.
    pub const fn travel_by(&mut self, order: u8, kind: ChannelKind) {
        if self.channel_order != order {
            self.channel_order = order;
            self.tried_before = self.attempt_count;
        }
        self.channel = Some(kind);
    }

    /// Attempts by the channel that has its turn.
    pub const fn tried(&self) -> u32 {
        self.attempt_count.saturating_sub(self.tried_before)
    }

    /// Until when it waits for its dealer, where no attempt can be made.
    pub fn waits_until(&self) -> Timestamp {
        let waits = SignedDuration::from_secs(limits::LEAD_WAITS_S);
        let soon = self.offered_at.saturating_add(waits).unwrap_or(self.offered_at);
        self.patient_until.map_or(soon, |until| until.max(soon))
    }

    /// An attempt begins; its number. It has the assignment to itself until `until`: nobody else begins
    /// one before, and whoever comes after takes one that has not ended for unknown.
    pub fn begin_attempt(&mut self, at: Timestamp, until: Timestamp) -> u32 {
        self.attempt_count += 1;
        self.attempts.push(Attempt::begun(at, self.channel_order));
        while self.attempts.len() > ATTEMPTS_KEPT {
            self.unknown_before |= self.attempts.remove(0).end == End::Unknown;
        }
        self.next_attempt_at = Some(until);
        // The first attempt finds a due time late enough, and leaves the index alone.
        if self.due.is_none_or(|due| due < until) {
            self.due = Some(self.looked_at(until.checked_add(GRACE).unwrap_or(until)));
        }
        self.attempt_count
    }

    /// Attempt `number` (1 is the first) ended so.
    pub fn end_attempt(&mut self, number: u32, ended: Attempt) {
        // One that is not kept any more was taken for unknown, and stays so.
        if let Some(attempt) = self.place(number).and_then(|at| self.attempts.get_mut(at)) {
            *attempt = ended;
        }
    }

    /// Attempt `number` began and nobody is left who could say how it ended: unknown.
    pub fn interrupt_attempt(&mut self, number: u32) {
        if let Some(attempt) = self.place(number).and_then(|at| self.attempts.get_mut(at)) {
            attempt.what = FailureKind::Interrupted.to_string();
        }
    }

    /// The dealer's own id of the lead, as the system behind this channel last said it.
    pub fn reference(&self, channel: u8) -> Option<&str> {
        let of_it = self.attempts.iter().rev().filter(|attempt| attempt.channel == channel);
        let said = of_it.map(|attempt| attempt.reference.as_str());
        said.into_iter().find(|reference| !reference.is_empty())
    }

    /// Attempt `number`, if it is still kept.
    pub fn attempt(&self, number: u32) -> Option<&Attempt> {
        self.attempts.get(self.place(number)?)
    }

    fn place(&self, number: u32) -> Option<usize> {
        let behind = self.attempt_count.checked_sub(number)? as usize;
        self.attempts.len().checked_sub(behind + 1)
    }

    /// The newest attempt, if it has begun and not ended.
    pub fn begun(&self) -> Option<u32> {
        self.attempts.last().filter(|attempt| attempt.what == Attempt::BEGUN).map(|_| self.attempt_count)
    }

    /// Whether any attempt may have reached the dealer without our knowing.
    pub fn may_be_held_unknown(&self) -> bool {
        self.unknown_before || self.attempts.iter().any(|attempt| attempt.end == End::Unknown)
    }

    /// Whether the dealer has not accepted what it must accept: the person is masked until then.
    pub const fn masked(&self) -> bool {
        self.accept_by.is_some() && matches!(self.state, AssignmentState::Offered)
    }

    /// Whether the deadline has passed without an answer.
    pub fn lapses(&self, now: Timestamp) -> bool {
        self.masked() && self.accept_by.is_some_and(|by| by.at <= now)
    }

    /// Whether the dealer, who has it, is to be warned that the deadline is near.
    pub fn warns(&self, now: Timestamp) -> bool {
        let near = self.accept_by.is_some_and(|by| by.warn_at <= now && now < by.at);
        self.masked() && near && !self.warned && self.delivery == DeliveryState::Received
    }

    /// When its deadline must be looked at next.
    pub fn watched_at(&self) -> Option<Timestamp> {
        let by = self.accept_by.filter(|_| self.masked())?;
        let warns = !self.warned && self.delivery == DeliveryState::Received;
        Some(if warns { by.warn_at } else { by.at })
    }

    /// When it must be looked at for what is to happen at `at`: no later than its deadline ends.
    fn looked_at(&self, at: Timestamp) -> Timestamp {
        self.accept_by.filter(|_| self.masked()).map_or(at, |by| by.at.min(at))
    }

    /// The next attempt may begin at `at`.
    pub fn try_again(&mut self, at: Timestamp, grace: SignedDuration) {
        self.next_attempt_at = Some(at);
        self.due = Some(self.looked_at(at.checked_add(grace).unwrap_or(at)));
    }

    /// The dealer has it: what arrives is charged then, or, with a deadline, what is accepted.
    pub fn arrive(&mut self, now: Timestamp) {
        self.delivery = DeliveryState::Received;
        self.delivered_at = self.delivered_at.or(Some(now));
        if !self.masked() {
            self.settled_at = self.settled_at.or(Some(now));
        }
        self.due = self.watched_at();
    }

    /// It was placed while the company only watches: the dealer has it from elsewhere.
    pub fn watch_only(&mut self, now: Timestamp) {
        self.shadow = true;
        self.accept_by = None;
        self.move_to(AssignmentState::Accepted, now);
        self.delivery = DeliveryState::Received;
        self.due = None;
    }

    /// The state moves.
    pub fn move_to(&mut self, state: AssignmentState, now: Timestamp) {
        self.state = state;
        self.state_at = now;
        match state {
            AssignmentState::Accepted => self.accepted_at = self.accepted_at.or(Some(now)),
            // Whoever sold has reached the person.
            AssignmentState::Contacted | AssignmentState::Won => {
                self.contacted_at = self.contacted_at.or(Some(now));
            }
            AssignmentState::Offered
            | AssignmentState::Declined
            | AssignmentState::Lapsed
            | AssignmentState::Returned
            | AssignmentState::Withdrawn
            | AssignmentState::Lost => {}
        }
    }
}

#[cfg(test)]
mod tests;
