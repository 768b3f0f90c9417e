//! A person goes by time: `retention_days` after the last that happened of them.
//!
//! A lead that is over comes due for a look now and then ([`leadyard_domain::lead::retention`]). The look asks the
//! rulebook in force, and has an erasure written to the ledger when it is time; the sweep carries that out like any other
//! ([`erasure`](crate::erasure)).
//!
//! # Determinations
//!
//! - *A person goes whole*, or not yet: as long as one lead of theirs is open or too young, all of them stay. It is
//!   one person to whom we speak, and one who asks.
//! - *What happened last* is their last enquiry, the closing of a lead, the last day on which they did anything, and
//!   the last word of a dealer on a seat. What the desk writes of them keeps nobody.
//! - *A seat that is still being delivered* keeps its lead.
//! - *Who comes back* between the look and the erasure stays: each lead is looked at again before it becomes a shell,
//!   and becomes one on its version. What they send since is taken in.
//! - *Enquiries without a lead* of a person whose leads go, go with them.

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::delivery::Event;
use leadyard_domain::lead::{AssignmentState, Lead};

use crate::cloud::Cloud;
use crate::person::{SeekError, Sought, TheirLead};
use crate::store::Erasure;

/// What a look at a lead that is over came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Retention {
    /// Its person is kept; until then, as far as is known.
    Kept(Option<Timestamp>),
    /// It is time: this erasure is to be written to the ledger, once.
    Ends(Box<Erasure>),
}

/// When the last happened of a lead; `None` while it is open.
pub fn over_since(theirs: &TheirLead) -> Option<Timestamp> {
    let story = &theirs.story;
    let mut last = story.lead.over_since()?;
    for seat in &story.assignments {
        if seat.state == AssignmentState::Offered && seat.delivery == DeliveryState::Pending {
            return None;
        }
        last = last.max(seat.state_at);
    }
    let told = story
        .deliveries
        .iter()
        .any(|message| message.state == DeliveryState::Pending && message.event == Event::Assigned);
    let acted = story.activity.days().next_back().map(|(day, _)| (i64::from(day.0) + 1) * 86_400);
    let acted = acted.and_then(|second| Timestamp::from_second(second).ok());
    (!told).then(|| acted.map_or(last, |acted| last.max(acted)))
}

impl Cloud {
    /// Looks whether the person of a lead that is over is kept any longer, by a company's `retention_days`.
    pub async fn lead_retention(
        &self,
        lead: &Lead,
        retention_days: Option<u16>,
        now: Timestamp,
    ) -> Result<Retention, SeekError> {
        let Some(days) = retention_days else { return Ok(Retention::Kept(None)) };
        let kept_for = SignedDuration::from_hours(24 * i64::from(days));
        let over_by = now.checked_sub(kept_for).unwrap_or(Timestamp::MIN);
        let until = |since: Timestamp| Retention::Kept(since.checked_add(kept_for).ok());
        // Most looks end here: nothing else is read.
        match lead.over_since() {
            None => return Ok(Retention::Kept(None)),
            Some(since) if since > over_by => return Ok(until(since)),
            Some(_) => {}
        }
        let sought = Sought { leads: [lead.id].into(), ..Sought::default() };
        let person = self.person_by_leads(&lead.company, &sought).await?;
        for theirs in person.leads.values().filter(|theirs| !theirs.story.lead.is_erased()) {
            match over_since(theirs) {
                None => return Ok(Retention::Kept(None)),
                Some(since) if since > over_by => return Ok(until(since)),
                Some(_) => {}
            }
        }
        let erasure = Erasure::by_time(self, &lead.company, &person, over_by);
        Ok(Retention::Ends(Box::new(erasure)))
    }
}
