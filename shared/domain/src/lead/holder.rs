//! Who holds a lead: seats are given, kept, come back, or are lost.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CycleOf, Lead, Stage, after_days, soon};
use crate::distribution::{Kept, Seat, Waiting};
use crate::ids::{AssignmentId, ContractId, DealerId};
use crate::limits;

/// A dealer that holds a seat of the open cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who.
    pub dealer: DealerId,
    /// Under which contract.
    pub contract: ContractId,
    /// The seat.
    pub assignment: AssignmentId,
    /// It may have the lead again in a later cycle.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub again: bool,
    /// Where the seat stands, if it came with another lead that was merged into this one: it stays there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_from: Option<CycleOf>,
}

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_yes(said: &bool) -> bool {
    *said
}

impl Lead {
    /// Where a holder's seat stands.
    pub fn cycle_of(&self, holder: &Holder) -> CycleOf {
        holder.came_from.unwrap_or(CycleOf { lead: self.id, cycle: self.cycle })
    }

    /// The seats are given; a further one may be kept.
    pub fn assign(&mut self, seats: &[(Seat, AssignmentId)], kept: Option<Kept>, now: Timestamp) {
        if let Some((first, _)) = seats.first()
            && self.holders.is_empty()
            && self.lost_seats == 0
        {
            self.seats = Some((first.seats, first.protected));
        }
        self.holders.extend(seats.iter().map(|(seat, assignment)| Holder {
            dealer: seat.dealer.clone(),
            contract: seat.contract.clone(),
            assignment: *assignment,
            again: seat.again,
            came_from: None,
        }));
        self.rest_assigned();
        if let Some(Kept { reason, until }) = kept {
            self.keep_seat(reason, until, now);
        }
    }

    /// Others hold it, and nobody is waited for: a seat that came back and finds no taker at once stays empty.
    pub fn rest_assigned(&mut self) {
        self.stage = Stage::Assigned;
        self.waiting = None;
        let over = self.held_until();
        self.due = Some(self.certificate_warning.map_or(over, |warning| warning.min(over)));
    }

    /// Others hold it, and a seat is kept. The waiting room wakes those whom nobody holds: this one looks by
    /// itself whether somebody may have it.
    pub(super) fn keep_seat(&mut self, reason: Waiting, until: Option<Timestamp>, now: Timestamp) {
        let looks_every = match reason {
            // The desk's, until it places it: only a publish can change that.
            Waiting::Manual => SignedDuration::from_hours(24),
            Waiting::Unplaced | Waiting::Stopped | Waiting::Shadow | Waiting::Held | Waiting::For(_) => {
                SignedDuration::from_mins(limits::KEPT_SEAT_LOOK_MINUTES)
            }
        };
        self.stage = Stage::Assigned;
        self.waiting = Some(reason);
        let next_look = now.checked_add(looks_every).unwrap_or(now);
        let due = until.unwrap_or(next_look).clamp(now + SignedDuration::from_secs(1), next_look);
        self.due = Some(due.min(self.held_until()));
    }

    /// When a held lead without an outcome expires. Whoever was given it last has it for as long, however late in the
    /// window that was.
    pub fn held_until(&self) -> Timestamp {
        let given = self.holders.iter().map(|holder| holder.assignment.minted_ms()).max();
        let given = given.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let since = self.last_enquiry_at.max(self.opened_at);
        let since = given.map_or(since, |given| given.max(since));
        after_days(since, limits::HELD_DAYS).unwrap_or(since)
    }

    /// A seat came back: its dealer is excluded, and the lead goes to distribution again.
    pub fn give_back(&mut self, assignment: AssignmentId, now: Timestamp) {
        let Some(at) = self.holders.iter().position(|holder| holder.assignment == assignment) else { return };
        let holder = self.holders.remove(at);
        if !self.excluded.contains(&holder.dealer) {
            self.excluded.push(holder.dealer);
        }
        if self.erased_at.is_some() {
            self.settle_erased(now);
        } else if !self.stage.closed() {
            self.stage = Stage::Received;
            self.waiting = None;
            self.last_conclusion = None;
            self.due = Some(soon(now));
        }
    }

    /// One of several holders did not sell: its seat stays given, and it does not get the lead again.
    pub fn lose_seat(&mut self, assignment: AssignmentId) {
        let Some(at) = self.holders.iter().position(|holder| holder.assignment == assignment) else { return };
        let holder = self.holders.remove(at);
        self.lost_seats = self.lost_seats.saturating_add(1);
        if !self.excluded.contains(&holder.dealer) {
            self.excluded.push(holder.dealer);
        }
    }

    /// The same of the last holder, while a seat is kept for somebody or came back: the lead goes to distribution with that.
    pub fn lose_last_seat(&mut self, assignment: AssignmentId, now: Timestamp) {
        self.lose_seat(assignment);
        self.stage = Stage::Received;
        self.waiting = None;
        self.last_conclusion = None;
        self.due = Some(soon(now));
    }
}
