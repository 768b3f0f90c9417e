//! The person of a lead is erased: everything that leads to them goes, and the lead stays as a *shell*, so that what
//! was counted, decided, charged and won goes on adding up.
//!
//! # Determinations
//!
//! - *A shell keeps* its id, company, scope, offer, source, cycle, dates, holders, who had it, and the ids of its
//!   enquiries; the enquiries themselves are gone. The campaign goes: it is what somebody's URL said.
//! - *What nobody holds is rejected*, and so is what the last holder gives back later: a shell is sold to nobody.
//! - *What somebody has accepted stays theirs*: they have a customer of their own by now, are told, and may still say
//!   won, lost or returned. It cost them money, and taking it away would undo nothing that they know.
//! - *What is closed stays closed as it was*: a win is a win.
//! - *It is nobody's*: no enquiry, interaction or act of the desk belongs to it any more. Whoever asks again is new.

use jiff::Timestamp;

use super::{Contactable, Lead, Stage};

/// The last conclusion of a lead whose person was erased, where it closed for that: an earlier version, which does
/// not know [`Lead::erased_at`], keeps it.
pub const ERASED: &str = "erased";

impl Lead {
    /// Leaves the shell; see the module.
    pub fn erase(&mut self, now: Timestamp) {
        self.erased_at = self.erased_at.or(Some(now));
        self.person = Contactable::default();
        self.former.clear();
        self.campaign = None;
        self.visitors_to_join.clear();
        self.possible_duplicate = false;
        self.score = None;
        self.hold = None;
        self.priority_set = None;
        self.certificate_warning = None;
        self.waiting = None;
        self.settle_erased(now);
    }

    /// Whether its person was erased.
    pub const fn is_erased(&self) -> bool {
        self.erased_at.is_some()
    }

    /// A shell that is still open is either somebody's or over.
    pub(super) fn settle_erased(&mut self, now: Timestamp) {
        if self.stage.closed() {
            self.due = None;
        } else if self.holders.is_empty() {
            self.close(Stage::Rejected, now);
            self.due = None;
            self.last_conclusion = Some(ERASED.to_owned());
        } else {
            self.rest_assigned();
        }
    }
}

#[cfg(test)]
mod tests;
