//! How long the person of a lead is kept once its cycle is over: a company's `retention_days`.
//!
//! # Determinations
//!
//! - *It runs from what happened last*: the last enquiry, the closing, what the person did, what a dealer said of a
//!   seat. A lead that is open is kept, however old; each closes by itself in the end.
//! - *A lead has one due time.* Of one that is over it is the next look at its retention: the end of it, and no later
//!   than [`limits::RETENTION_LOOK_DAYS`] from now. So a rulebook with another retention, or the first one, reaches
//!   leads that closed before it within that time; and a look asks the rulebook that is in force then.
//! - *Looks are counted from the closing*, and spread over a day by the lead's id: what closed or was imported together
//!   is not due at once, and the same file imported again leaves the same times.
//! - *What closed under a version that knew of no retention* has no due time: it is looked at once anything is asked
//!   of it, and not by itself.
//! - *A shell, and a lead that goes on in another,* are not looked at: nobody is in the one, and the other goes with
//!   its survivor.

use jiff::{SignedDuration, Timestamp};

use super::Lead;
use crate::limits;

impl Lead {
    /// Whether its cycle is over and its person still in it, to be kept for as long as the company says.
    pub const fn is_kept(&self) -> bool {
        self.stage.closed() && self.erased_at.is_none() && self.merged_into.is_none()
    }

    /// When it last asked or closed; `None` while it is open. What stands beside it may be later.
    pub fn over_since(&self) -> Option<Timestamp> {
        let closed_at = self.closed_at.unwrap_or(self.opened_at);
        self.stage.closed().then(|| self.last_enquiry_at.max(closed_at))
    }

    /// It is over: its retention is looked at next.
    pub fn rest_closed(&mut self, now: Timestamp) {
        const EVERY_S: i64 = limits::RETENTION_LOOK_DAYS * 86_400;
        let [.., high, low] = *self.id.bytes();
        let spread = SignedDuration::from_secs(i64::from(u16::from_be_bytes([high, low])));
        let closed_at = self.closed_at.unwrap_or(self.opened_at);
        let first = closed_at.checked_sub(spread).unwrap_or(closed_at);
        let looks = now.duration_since(first).as_secs().max(0) / EVERY_S + 1;
        self.due = first.checked_add(SignedDuration::from_secs(looks * EVERY_S)).ok();
    }

    /// The same, where the end of its retention is known.
    pub fn rest_kept_until(&mut self, ends: Timestamp, now: Timestamp) {
        self.rest_closed(now);
        self.due = self.due.map(|look| look.min(ends.max(now + SignedDuration::from_secs(1))));
    }
}

#[cfg(test)]
mod tests;
