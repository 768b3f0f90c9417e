//! Postbacks: what the sender of an enquiry is to be told, when something becomes of it.
//!
//! Determinations:
//!
//! - *Each once for an enquiry and a status*, kept in the commit of the fact itself: whatever is lost after it, the
//!   postback is due.
//! - *Rejected* is told of what the desk rejects, with what screening found; what the desk says of it is for
//!   itself. Released after all, it is told as `received` or `repeat` as well. A deadline rejects nothing: a
//!   doubt goes its way by it, and what is overdue is the desk's to release until it goes by time, of which
//!   nothing is told.
//! - *Sold and returned* are told of the enquiry that opened the sale cycle, to its sender alone: who brought the same
//!   person again was told `repeat`. A lead with several seats is sold with the first that settles, and returned with
//!   the first return that is approved. Sold again to the next dealer, or charged and then declined, nothing more
//!   is told.
//! - *Sold* is what settles, and is owed: what arrived, or was accepted where there is a deadline. What the desk places
//!   while the company only watches is not, nor what another system sold.
//! - *Of a test* nothing is told: its answer said all there is.

use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::ids::EnquiryId;
use leadyard_domain::rulebook::{PostbackStatus, Source};

use crate::cloud::Cloud;
use crate::store::{Postback, StoreError, StoredEnquiry};

impl Cloud {
    /// What its sender is told of an enquiry that is about to be kept; `stands`, if it is kept already, in another
    /// state.
    pub async fn postback_of_arrival(
        &self,
        source: Option<&Source>,
        enquiry: &StoredEnquiry,
        stands: bool,
        now: Timestamp,
    ) -> Result<Option<Postback>, StoreError> {
        let Ok(status) = enquiry.status.parse::<PostbackStatus>() else { return Ok(None) };
        if !source.is_some_and(|source| source.asks_for(status) && !source.test) {
            return Ok(None);
        }
        if stands && self.store.postback_get(enquiry.id, status).await?.is_some() {
            return Ok(None);
        }
        let is_aside = matches!(status, PostbackStatus::Quarantined | PostbackStatus::Rejected);
        let reason = if is_aside { enquiry.reasons.join(",") } else { String::new() };
        Ok(Some(Postback::of(enquiry, status, reason, now)))
    }

    /// What is told of a sale that is about to be kept, or given back: to the sender of the enquiry that opened the
    /// cycle, where it asks for that and was not told.
    pub async fn postback_of_sale(
        &self,
        assignment: &Assignment,
        status: PostbackStatus,
        reason: &str,
        now: Timestamp,
    ) -> Result<Option<Postback>, StoreError> {
        if assignment.shadow || assignment.imported {
            return Ok(None);
        }
        let Some(core) = self.rulebooks.current(&self.store, &assignment.company).await? else {
            return Ok(None);
        };
        // Where nobody asks, nothing is read.
        if !core.sources.iter().any(|source| source.asks_for(status)) {
            return Ok(None);
        }
        let Some(opening) = self.opening_of(assignment).await? else { return Ok(None) };
        let Some(enquiry) = self.store.enquiry_get(opening).await? else { return Ok(None) };
        let asked = core.source(&enquiry.source).is_some_and(|source| source.asks_for(status));
        if !asked || self.store.postback_get(opening, status).await?.is_some() {
            return Ok(None);
        }
        Ok(Some(Postback::of(&enquiry, status, reason.to_owned(), now)))
    }

    /// The enquiry that opened the cycle of an assignment. One that an earlier version made does not say; its lead
    /// does, while the cycle is the last.
    pub async fn opening_of(&self, assignment: &Assignment) -> Result<Option<EnquiryId>, StoreError> {
        if assignment.enquiry.is_some() {
            return Ok(assignment.enquiry);
        }
        let lead = self.store.lead_get(assignment.lead).await?;
        Ok(lead.filter(|lead| lead.cycle == assignment.cycle).map(|lead| lead.opening))
    }
}
