//! A lead: one person's interest in one scope of one company, living in sale cycles.
//!
//! A cycle opens with an enquiry and closes when it is won, lost, rejected or expired. Within the
//! window of repeats, an enquiry belongs to the open or last cycle; outside it, it opens the next.
//! Everything here is a pure transition from one [`Lead`] to the next; the store keeps each under a
//! version, so that of two who change it at once one looks again.
//!
//! | module | holds |
//! |---|---|
//! | `contactable` | the person, and who they were in the cycles before |
//! | `cycle` | an enquiry opens it, repeats, or opens its next sale cycle |
//! | `enquiries` | those it remembers, and those that complete a form |
//! | `stage` | where it stands, and how its cycle closes |
//! | `score` | what scoring found, as of another day |
//! | `facts` | what a decision sees of it |
//! | `waiting` | nobody has it: it waits, is nurtured, or the desk keeps it |
//! | `holder` | seats are given, kept, come back, or are lost |
//! | `answer` | a seat's state, and what a dealer's answer makes of it |
//! | [`merge`] | two leads become one, by the desk's hand |
//! | [`erase`] | the person goes, the lead stays as a shell |
//! | [`retention`] | how long the person of a lead that is over is kept |
//! | `lift` | the desk spoke with them, and they are interested |

mod contactable;
mod cycle;
mod enquiries;
mod stage;
mod score;
mod facts;
mod waiting;
mod holder;
mod answer;
pub mod merge;
pub mod erase;
pub mod retention;
mod lift;

pub use answer::{Answer, Answered, AssignmentState};
pub use contactable::{Contactable, Former};
pub use cycle::{Arrival, CycleOf, Met};
pub use enquiries::EnquiryRef;
pub use holder::Holder;
pub use score::{ScoreNow, ScoreState};
pub use stage::Stage;
pub use waiting::Hold;

use jiff::{SignedDuration, Timestamp};

use crate::contract::Needs;
use crate::distribution::Waiting;
use crate::ids::{CategoryId, CompanyId, DealerId, EnquiryId, LeadId, OfferId, SourceId, VisitorId};
use crate::scoring::Priority;
use crate::time::UtcDay;

/// A lead with its open (or last) sale cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct Lead {
    /// Which.
    pub id: LeadId,
    /// Whose.
    pub company: CompanyId,
    /// What its identity holds for.
    pub scope: LeadScope,
    /// Counts writes; the store refuses one that did not see the last.
    pub version: u64,
    /// The person, as of the cycle.
    pub person: Contactable,
    /// The person as of cycles before, the newest [`FORMER_PERSONS`](crate::limits::FORMER_PERSONS): who bought one of
    /// those sees nothing of what was said since.
    pub former: Vec<Former>,
    /// What it signed up for, as of the enquiry that opened the cycle.
    pub offer: OfferId,
    /// The offer's category.
    pub category: CategoryId,
    /// The source of that enquiry.
    pub source: SourceId,
    /// Its campaign, as the UTM parameters of the touch it is credited to name it.
    pub campaign: Option<String>,
    /// What it brings of what contracts may need.
    pub brings: Needs,
    /// The sale cycle, 1 first.
    pub cycle: u32,
    /// When the cycle opened.
    pub opened_at: Timestamp,
    /// When the desk lifted it into the cycle, if no enquiry opened that.
    pub lifted_at: Option<Timestamp>,
    /// When it last asked.
    pub last_enquiry_at: Timestamp,
    /// Where it stands.
    pub stage: Stage,
    /// Why it waits; of an assigned one, why a further seat is kept empty.
    pub waiting: Option<Waiting>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// Its enquiries, the newest [`ENQUIRIES_ON_LEAD`](crate::limits::ENQUIRIES_ON_LEAD).
    pub enquiries: Vec<EnquiryRef>,
    /// The day of the first that it does not remember, where there are such.
    pub forgotten_since: Option<UtcDay>,
    /// The enquiry that opened the cycle: what the dealer is sent.
    pub opening: EnquiryId,
    /// Visitors whose earlier interactions are to be joined to this lead's.
    pub visitors_to_join: Vec<VisitorId>,
    /// Who holds it.
    pub holders: Vec<Holder>,
    /// Who had it in this cycle.
    pub excluded: Vec<DealerId>,
    /// Seats the first contract of the cycle fixed, and whether it was protected.
    pub seats: Option<(u8, bool)>,
    /// Seats of the cycle whose holder did not sell: given, and not to be given again.
    pub lost_seats: u8,
    /// Somebody else may be the same person.
    pub possible_duplicate: bool,
    /// The desk merged it into this lead, which goes on for both.
    pub merged_into: Option<LeadId>,
    /// Leads that were merged into it, and those that had been merged into them.
    pub merged: Vec<LeadId>,
    /// What the last scoring found.
    pub score: Option<ScoreState>,
    /// It has reached its offer's band in this cycle: fading since does not take it back.
    pub crossed: bool,
    /// The last decision's conclusion, so that only a changed one is recorded again.
    pub last_conclusion: Option<String>,
    /// The desk keeps it from distribution.
    pub hold: Option<Hold>,
    /// The desk's word on how urgent it is, over what scoring says.
    pub priority_set: Option<Priority>,
    /// When the desk is to be told that the consent's certificate expires soon; nothing, where there is none, or it was
    /// told.
    pub certificate_warning: Option<Timestamp>,
    /// Its person was erased then: it is a shell, and nobody's any more.
    pub erased_at: Option<Timestamp>,
    /// When it must be looked at next.
    pub due: Option<Timestamp>,
}

/// What a lead's identity holds for: the category, or a single offer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LeadScope {
    /// Every offer of a category.
    Category(CategoryId),
    /// One offer.
    Offer(OfferId),
}

impl std::fmt::Display for LeadScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Category(id) => write!(f, "c:{id}"),
            Self::Offer(id) => write!(f, "o:{id}"),
        }
    }
}

impl std::str::FromStr for LeadScope {
    type Err = crate::error::Invalid;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("c", id)) => CategoryId::new(id).map(Self::Category),
            Some(("o", id)) => OfferId::new(id).map(Self::Offer),
            Some(_) | None => Err(crate::error::Invalid::new("a scope is c:CATEGORY or o:OFFER")),
        }
    }
}

/// How soon after a commit the sweep looks, should the queue's message be lost.
const GRACE: SignedDuration = SignedDuration::from_secs(45);

fn soon(at: Timestamp) -> Timestamp {
    at.checked_add(GRACE).unwrap_or(at)
}

fn after_days(at: Timestamp, days: i64) -> Option<Timestamp> {
    at.checked_add(SignedDuration::from_hours(24 * days)).ok()
}

#[cfg(test)]
mod tests;
