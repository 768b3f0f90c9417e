//! Somebody on the desk spoke with a lead, and they are interested: it goes to distribution.
//!
//! # Determinations
//!
//! - *The desk's word is enough*, as where it places a lead by hand: the lead counts as having reached its offer's band.
//! - *Whose cycle is over* begins the next one, whatever the window of repeats: they asked anew, by telephone. It is
//!   decided and charged as new, and earlier holders are eligible as the contract of the last one says. What is sold is
//!   what they asked for last; the offer, the source and the campaign stay.
//! - *What they agreed to* was agreed to with the enquiry, and nothing in writing came since: the new cycle brings neither
//!   consent nor certificate, so that a contract that needs one is not given a lead on an old one.

use jiff::Timestamp;

use super::{Lead, Stage, soon};
use crate::contract::Needs;

impl Lead {
    /// Lifts it to distribution; `false` of what somebody has, or nobody is to have.
    pub fn lift(&mut self, now: Timestamp) -> bool {
        match self.stage {
            Stage::Received | Stage::Nurturing | Stage::Waiting => {
                self.crossed = true;
                self.due = Some(now);
                true
            }
            Stage::Lost | Stage::Expired if self.merged_into.is_none() && !self.is_erased() => {
                self.begin_again(now);
                self.brings = Needs::NONE;
                self.opened_at = now;
                self.lifted_at = Some(now);
                self.last_enquiry_at = self.last_enquiry_at.max(now);
                self.crossed = true;
                self.due = Some(soon(now));
                true
            }
            Stage::Quarantined
            | Stage::Assigned
            | Stage::Won
            | Stage::Lost
            | Stage::Expired
            | Stage::Rejected => false,
        }
    }
}
