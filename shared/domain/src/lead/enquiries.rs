//! The enquiries that a lead remembers, and those of them that complete the form which opened its cycle.

use serde::{Deserialize, Serialize};

use super::Lead;
use crate::ids::EnquiryId;
use crate::limits;
use crate::time::UtcDay;

/// An enquiry as the lead remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnquiryRef {
    /// Which.
    pub id: EnquiryId,
    /// The day it counts as an interaction on.
    pub day: UtcDay,
}

impl Lead {
    /// Takes up enquiries, and forgets the oldest beyond [`limits::ENQUIRIES_ON_LEAD`]: whoever needs those finds them among
    /// what arrived from the day of the first of them to that of the first it remembers.
    pub(crate) fn remember(&mut self, enquiries: impl IntoIterator<Item = EnquiryRef>) {
        self.enquiries.extend(enquiries);
        // The ids of a day sort by arrival, but for those of a file's rows and an ad platform's.
        self.enquiries.sort_by_key(|enquiry| (enquiry.day, enquiry.id));
        self.enquiries.dedup();
        let surplus = self.enquiries.len().saturating_sub(limits::ENQUIRIES_ON_LEAD);
        let forgotten = self.enquiries.drain(..surplus).map(|enquiry| enquiry.day).min();
        self.forgotten_since = self.forgotten_since.into_iter().chain(forgotten).min();
    }

    /// The enquiries that may be further steps of the form whose first opened the cycle: those that followed
    /// within [`limits::FORM_MINUTES`], the first few. What they say completes it; whether they are of the same
    /// source, and of this lead, is theirs to say.
    pub fn form_steps(&self) -> impl Iterator<Item = EnquiryId> {
        let steps = self.enquiries.iter().map(|enquiry| enquiry.id).filter(|id| self.is_step(*id));
        steps.take(limits::FORM_STEPS)
    }

    fn is_step(&self, enquiry: EnquiryId) -> bool {
        // The id of a file's row says nothing of when it arrived.
        let opened_ms = self.opening.minted_ms();
        let after_ms = enquiry.minted_ms() - opened_ms;
        opened_ms > 0 && enquiry != self.opening && (0..=limits::FORM_MINUTES * 60_000).contains(&after_ms)
    }
}
