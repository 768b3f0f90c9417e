//! A lead that nobody has, or not every seat of: whether it is to be given, is nurtured or waits, and whether the desk
//! keeps it from all of that.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Lead, Stage};
use crate::distribution::Waiting;

/// The desk keeps a lead from distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Until then; until the desk lets it go, if `None`.
    pub until: Option<Timestamp>,
}

impl Lead {
    /// Whether the desk keeps it, and until when.
    pub fn held_back(&self, now: Timestamp) -> Option<&Hold> {
        self.hold.as_ref().filter(|hold| hold.until.is_none_or(|until| now < until))
    }

    /// Whether there is a seat to give: nobody holds it, a shared lead lost a holder, or a further seat is
    /// kept for somebody.
    pub fn wants_distribution(&self) -> bool {
        match self.stage {
            Stage::Received | Stage::Waiting | Stage::Nurturing => true,
            Stage::Assigned => self.waiting.is_some(),
            Stage::Quarantined | Stage::Won | Stage::Lost | Stage::Expired | Stage::Rejected => false,
        }
    }

    /// It waits; of a lead that others hold, the seat that is left.
    pub fn wait(&mut self, reason: Waiting, until: Option<Timestamp>, window_days: u16, now: Timestamp) {
        if !self.holders.is_empty() {
            return self.keep_seat(reason, until, now);
        }
        self.stage = Stage::Waiting;
        self.waiting = Some(reason);
        let expires = self.expires_at(window_days);
        let looks_again = until.unwrap_or(expires).max(now + SignedDuration::from_secs(1));
        self.due = Some(looks_again.min(expires.max(now + SignedDuration::from_secs(1))));
    }

    /// It is not ready to be sold.
    pub fn nurture(&mut self, window_days: u16) {
        self.stage = Stage::Nurturing;
        self.waiting = None;
        self.due = Some(self.expires_at(window_days));
    }
}
