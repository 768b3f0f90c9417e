//! Where a lead stands, and how its cycle closes: by time, for its person, or by the desk.

use jiff::Timestamp;

use super::{Lead, after_days, soon};

words! {
    /// Where a lead stands.
    pub enum Stage as "a stage" {
        /// Kept, not decided yet: distribution is on its way.
        Received = "received",
        /// Kept aside until a person looks.
        Quarantined = "quarantined",
        /// Not ready to be sold: followed up.
        Nurturing = "nurturing",
        /// Nobody may have it now; it waits with a reason.
        Waiting = "waiting",
        /// A dealer holds it.
        Assigned = "assigned",
        /// The cycle closed: sold.
        Won = "won",
        /// The cycle closed: not sold.
        Lost = "lost",
        /// The cycle closed by time.
        Expired = "expired",
        /// The cycle closed by the desk.
        Rejected = "rejected",
    }
}

impl Stage {
    /// Whether the cycle is over.
    pub const fn closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost | Self::Expired | Self::Rejected)
    }

    /// Whether nobody has it yet and somebody might.
    pub const fn in_nobodys_hands(self) -> bool {
        matches!(self, Self::Received | Self::Nurturing | Self::Waiting)
    }
}

/// The last conclusion of a lead that was rejected for its person.
const SUPPRESSED: &str = "suppressed";

impl Lead {
    /// When the cycle expires in nobody's hands: at the window's end.
    pub fn expires_at(&self, window_days: u16) -> Timestamp {
        after_days(self.last_enquiry_at, i64::from(window_days)).unwrap_or(self.last_enquiry_at)
    }

    /// Whether time has closed the cycle.
    pub fn has_expired(&self, window_days: u16, now: Timestamp) -> bool {
        match self.stage {
            // A shared lead that lost one of its holders is looked at again, and is still held.
            Stage::Received | Stage::Nurturing | Stage::Waiting if self.holders.is_empty() => {
                now >= self.expires_at(window_days)
            }
            Stage::Received | Stage::Nurturing | Stage::Waiting | Stage::Assigned => now >= self.held_until(),
            Stage::Quarantined | Stage::Won | Stage::Lost | Stage::Expired | Stage::Rejected => false,
        }
    }

    /// Its person is not to be taken in any more: what nobody holds is rejected. `false` of what somebody holds,
    /// has held, or a person is still to look at.
    pub fn suppress(&mut self, now: Timestamp) -> bool {
        let open = self.stage.in_nobodys_hands() && self.holders.is_empty();
        if open {
            self.close(Stage::Rejected, now);
            self.last_conclusion = Some(SUPPRESSED.to_owned());
        }
        open
    }

    /// Whether it was rejected for its person, and not by the desk.
    pub fn is_suppressed(&self) -> bool {
        self.merged_into.is_none()
            && self.stage == Stage::Rejected
            && self.last_conclusion.as_deref() == Some(SUPPRESSED)
    }

    /// What the desk rejected goes to distribution after all.
    pub fn reopen(&mut self, now: Timestamp) {
        // Whoever had a lead that was merged into it has it no more.
        for holder in std::mem::take(&mut self.holders) {
            if !self.excluded.contains(&holder.dealer) {
                self.excluded.push(holder.dealer);
            }
        }
        self.stage = Stage::Received;
        self.closed_at = None;
        self.last_conclusion = None;
        self.due = Some(soon(now));
    }

    /// The cycle closes. What is due from now on is to ask how long its person is kept.
    pub fn close(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        self.waiting = None;
        self.closed_at = Some(now);
        self.rest_closed(now);
    }
}
