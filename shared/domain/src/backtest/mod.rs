//! Backtest: history under another rulebook, and the difference it makes.
//!
//! | module | holds |
//! |---|---|
//! | [`history`] | what happened: decisions, seats, deposits, switches |
//! | [`tally`] | what contracts and dealers have had: as it was, and as it would have been |
//! | [`replay`] | history in its order, every decision made again |
//! | [`difference`] | who gains and loses, what goes unmatched, which leads changed and why |
//!
//! Two worlds run side by side: *as it was*, which takes its seats from history, and *as it would have
//! been*, which takes them from the new rulebook's decisions. What a decision reads of a counter is what
//! it read then, plus what the one world has given more than the other: so the same rulebook over real
//! history finds every counter as it was, even where workers raced, and no difference at all. A counter
//! that no decision read is counted from history's beginning; so is what came of a contract's leads, where the
//! ranking then did not ask for it and the new one does, and a period that no cap counted then, where a decision read
//! more than was kept. Whoever lost by its pass in such a decision loses by it under the new rules, if they ask.
//!
//! A lead that goes as it went is decided when it was decided. Once one has parted from its past, those
//! that wait are also looked at when time alone may change something or a slot comes free.
//!
//! Determinations, where history cannot say:
//!
//! - *A dealer's answer* (declined, lapsed, returned, withdrawn, won) is reused, after the same time, when
//!   the same dealer gets the lead; another is taken to accept.
//! - *What the desk placed* is placed again, if the new rulebook has the contract and the lead a seat.
//! - *A lead's facts* (band, place, what it brings) are those of its latest recorded decision.
//! - *Who waits in vain* is looked at again in order of band, the freshest first: decisions record no score.
//! - *A lead first decided before the time asked for* goes as it went: it only counts.

pub mod history;
mod tally;
mod replay;
pub mod difference;

pub use difference::Difference;
pub use history::Event;
pub use replay::{Window, backtest};

#[cfg(test)]
mod tests;
