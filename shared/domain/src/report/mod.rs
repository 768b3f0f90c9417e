//! Reports: what happened, folded into counters.
//!
//! An item of the table says what has happened to it so far: a set of [`Fact`]s, each with its own time and
//! [`Facets`]. What a change adds is what the new image says less what the old one said. So however often an item
//! changed, the sum over its changes is what its last image says: a recount of the table as it stands comes to the same
//! numbers, and what is put right later (a won value) is put right on the day on which it was counted.
//!
//! That holds of items whose facts are never overwritten. A lead's are, by its next cycle, so nothing is counted of
//! leads: its cycles are counted by the enquiries that opened them, its waits by the decisions that made it wait, its
//! sales by its assignments. An item that is deleted takes nothing back.
//!
//! A [`Sums`] holds, for every [`Dimension`] and value, a [`Tally`]: counters, and histograms of the time from enquiry to
//! delivery, acceptance and contact. Sums are added up in any order, and in any grouping.
//!
//! Days are calendar days of the company's zone, as of the moment at which they were counted.
//!
//! Determinations:
//!
//! - *What another system did* (imported leads) and *what the desk only watched* (shadow mode) are in no report, nor are
//!   tests; but the database grows by who is imported, on the day of the import. It does not shrink: of who is erased or
//!   expires a shell stays.
//! - *What a source costs a lead* is what it cost when the enquiry arrived, in every dimension that knows the enquiry.
//! - *An enquiry's verdict* is that of its arrival: what the desk releases later stays doubtful, and opens its cycle on
//!   the day of its release.
//! - *Charges and credits* are dated as the ledger dates them, so that a month of a dealer's sums to its statement.
//! - *A decision does not know the campaign*: waiting is in no campaign's row. Nor does an enquiry know the dealer: what a
//!   dimension does not [carry](Dimension::carries) is unknown by it, and not nothing.
//! - *Every value of the rulebook's has its own row*, however many there are. Campaigns are strangers' words, and so
//!   many may come as somebody cares to invent: of a year, so many are named, and what is named is whole ([`named`]).
//! - *Unmet demand* is counted by decisions, as waiting is: of a lead whose reason changed, each.
//!
//! | module | holds |
//! |---|---|
//! | [`fact`] | what happened, and of what |
//! | [`seen`] | which facts an item states |
//! | [`tally`] | counters and histograms |
//! | [`sums`] | tallies by dimension and value |
//! | [`named`] | which campaigns of a year are named, and which are the rest |
//! | [`packed`] | sums as bytes, and cut by bytes |

pub mod fact;
pub mod seen;
pub mod tally;
pub mod sums;
pub mod named;
pub mod packed;

pub use fact::{Facets, Fact, Happened};
pub use named::{Named, Years};
pub use packed::Damaged;
pub use seen::{Asked, SeenDecision, SeenEnquiry};
pub use sums::{Dimension, REST, Sums, UNKNOWN};
pub use tally::{Counter, Histogram, Speed, Tally};

#[cfg(test)]
mod tests;
