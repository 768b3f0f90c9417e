//! What happened, and of what.

use jiff::Timestamp;

use crate::distribution::Waiting;
use crate::ids::{CategoryId, DealerId, OfferId, ReturnReason, SourceId};
use crate::money::Money;
use crate::place::State;
use crate::scoring::Band;
use crate::screening::Verdict;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
}

/// What can happen. Times since the enquiry are in seconds; `None` where it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// An enquiry arrived and was screened.
    Enquired(Verdict),
    /// It was quarantined, also for this reason.
    Quarantined(String),
    /// It repeats an enquiry of somebody known.
    Repeated,
    /// It opened a sale cycle: the first of a lead that was not known before, or the next.
    Opened {
        /// Whether the lead is new.
        new: bool,
        /// What its source costs a lead, as of when it arrived.
        cost: Option<Money>,
    },
    /// A lead of the past that came in with a file: it is known from then on, and nothing else of it is counted.
    Imported,
    /// A decision made its lead wait, for this reason.
    Waited(Waiting),
    /// A seat was given to a dealer.
    Distributed,
    /// The dealer has it.
    Delivered(Option<i64>),
    /// The dealer said yes.
    Accepted(Option<i64>),
    /// The dealer said no.
    Declined,
    /// The deadline passed.
    Lapsed,
    /// It was taken back.
    Withdrawn,
    /// The dealer gave it back, and that was approved.
    Returned(Option<ReturnReason>),
    /// The dealer reached the person; whoever sold has.
    Contacted(Option<i64>),
    /// Sold; for so much, where the dealer says so.
    Won(Option<Money>),
    /// Not sold.
    Lost,
    /// The dealer owes for it.
    Charged(Money),
    /// The dealer does not owe for it any more.
    Credited(Money),
}

/// What it happened to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// The source of the enquiry that opened the cycle.
    pub source: Option<SourceId>,
    /// Its campaign.
    pub campaign: Option<String>,
    /// What it asked for.
    pub offer: Option<OfferId>,
    /// The offer's category.
    pub category: Option<CategoryId>,
    /// Who has it.
    pub dealer: Option<DealerId>,
    /// Where it is.
    pub state: Option<State>,
    /// What it was worth when it was decided.
    pub band: Option<Band>,
}
