//! An assignment: a cycle's seat given to a contract, from offered to closed, with how the lead got to
//! the dealer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dealer::ChannelKind;
use crate::delivery::End;
use crate::distribution::{Reservation, Seat};
use crate::ids::{AssignmentId, CompanyId, ContractId, DealerId, LeadId};
use crate::lead::{AssignmentState, Lead};
use crate::money::Money;

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

/// One try at delivering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How it ended.
    pub end: End,
    /// What happened, in one word: `200`, `refused`, `timeout` …
    pub what: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// A seat of a cycle, and what became of it.
#[derive(Clone, Debug, PartialEq)]
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
    /// Set when unavailable means wait: until then delivery goes on slowly rather than elsewhere.
    pub patient_until: Option<Timestamp>,
    /// The rulebook it was decided under.
    pub rulebook: u64,
    /// When the dealer was chosen.
    pub offered_at: Timestamp,
    /// When the dealer had it: what settles the charge.
    pub settled_at: Option<Timestamp>,
    /// When the state last changed.
    pub state_at: Timestamp,
    /// How it travels; `None` until the first attempt has looked.
    pub channel: Option<ChannelKind>,
    /// Where the delivery stands.
    pub delivery: DeliveryState,
    /// The attempts, the newest twelve.
    pub attempts: Vec<Attempt>,
    /// How many attempts there were in all.
    pub attempt_count: u32,
    /// What the dealer says it won, in minor units.
    pub won_value: Option<Money>,
    /// When the next attempt may begin; at once, if `None`.
    pub next_attempt_at: Option<Timestamp>,
    /// When it must be looked at next.
    pub due: Option<Timestamp>,
}

/// Attempts kept in the item.
const ATTEMPTS_KEPT: usize = 12;
/// How soon after a commit the sweep looks, should the queue's message be lost.
const GRACE: jiff::SignedDuration = jiff::SignedDuration::from_secs(45);

impl Assignment {
    /// The seat, just given.
    pub fn offer(lead: &Lead, seat: &Seat, id: AssignmentId, rulebook: u64, now: Timestamp) -> Self {
        Self {
            id,
            version: 0,
            lead: lead.id,
            company: lead.company.clone(),
            cycle: lead.cycle,
            contract: seat.contract.clone(),
            dealer: seat.dealer.clone(),
            price: seat.price,
            state: AssignmentState::Offered,
            reservation: seat.reservation,
            patient_until: seat.patient_until,
            rulebook,
            offered_at: now,
            settled_at: None,
            state_at: now,
            channel: None,
            delivery: DeliveryState::Pending,
            attempts: Vec::new(),
            attempt_count: 0,
            won_value: None,
            next_attempt_at: None,
            due: now.checked_add(GRACE).ok(),
        }
    }

    /// An attempt was made.
    pub fn attempted(&mut self, attempt: Attempt) {
        self.attempt_count += 1;
        self.attempts.push(attempt);
        let surplus = self.attempts.len().saturating_sub(ATTEMPTS_KEPT);
        self.attempts.drain(..surplus);
    }

    /// Whether any attempt may have reached the dealer without our knowing.
    pub fn may_be_held_unknown(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.end == End::Unknown)
    }

    /// The state moves.
    pub fn move_to(&mut self, state: AssignmentState, now: Timestamp) {
        self.state = state;
        self.state_at = now;
    }
}
