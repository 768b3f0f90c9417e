//! History: what another system knew, moved in.
//!
//! A company that moves here brings its past leads ([`PastLead`]: dates, dealers, outcomes), what its
//! contracts have had in the periods that run ([`OpeningCounts`]), and whom it must not take in again
//! ([`Listed`]). What somebody asks now may come in a file as well ([`FileRow`]), and is no history: it is sold
//! like what is posted. Each comes as a row of names and values, as a spreadsheet has it. A row is read whole or
//! refused by name: what a spreadsheet did to it and what can surely be put right is put right (a ZIP that
//! lost its zero, a price with a dollar sign); what can only be guessed is not.
//!
//! # Determinations
//!
//! - *History never reaches anybody.* An imported lead is assigned, or closed; it is never received or
//!   waiting, so that nothing distributes it. Who asked, was not sold and asks again opens a new cycle.
//! - *Rows of one person in the order of their dates are repeats and cycles by the rules of every lead.* A
//!   row older than what the lead has already is a *late* one: it fills blanks, and its sale stands in cycle
//!   0, before all that we know; the lead itself does not move. So it is with every lead that arrived here.
//! - *A repeat brings its sale.* Exports have one row for each buyer of a shared lead: the second is a repeat
//!   of the first with a dealer of its own, and the lead is won as soon as one of them has won it.
//! - *A dealer who is gone holds nothing.* It keeps its name in the story; but nobody could tell it that the
//!   person asked again, so that person is free to be sold.
//! - *What was held for longer than anyone may hold a lead expired then*, not on the evening of the import.

mod when;
mod mend;
mod row;
mod past;
mod fingerprint;
mod opening;
mod listed;
mod file_row;

pub use file_row::{FileRow, KEY, row_key};
pub use fingerprint::{Fingerprint, HistoryKey};
pub use listed::Listed;
pub use opening::{Counted, OpeningCounts};
pub use past::{IMPORTED, PastMet, Placed, recall};
pub use row::{DealerNamed, PastLead, PastOutcome, PastSale};
pub use when::instant;

#[cfg(test)]
mod tests;
