//! The decision: who should have this lead, and why nobody else.
//!
//! | module | holds |
//! |---|---|
//! | [`facts`] | what a decision sees of a lead: never the person |
//! | `pauses` | who gets nothing for a while |
//! | [`compiled`] | a rulebook's contracts, indexed by category and area |
//! | [`counters`] | how many a contract and a dealer have had, and whose turn it is |
//! | [`screen`] | rules 1 to 4: active, area, qualified, not excluded |
//! | [`decide`] | rules 5 to 7, the ranking, the seats |
//! | [`evidence`] | what a decision read, kept so that it can be made again |
//! | [`ranking`] | the order of those who may all have it |
//! | [`reason`] | the words for why not |
//!
//! [`screen()`] finds the candidates and says whose counters to read; [`decide()`] takes those
//! counters and concludes. Both are pure: the same arguments give the same decision, always.

pub mod facts;
mod pauses;
pub mod compiled;
pub mod counters;
pub mod screen;
pub mod decide;
pub mod evidence;
mod ranking;
mod reason;

pub use compiled::{Chunk, ChunkKey, Compiled, CompiledContract, Core};
pub use counters::{Counters, Reservation, Usage, UsageOf};
pub use decide::{
    Conclusion, Decision, Judged, Kept, NearMiss, Pass, Placing, Seat, Taker, Takers, decide, explain, place,
    takers,
};
pub use evidence::{Evidence, NotEvidence};
pub use facts::{LeadFacts, Location, OpenSeats, Switches};
pub use pauses::{Pause, Pauses};
pub use ranking::{DEFAULT as DEFAULT_RANKING, Step};
pub use reason::{Rule, Waiting};
pub use screen::{Candidate, Screened, fails_uncovered, screen};
