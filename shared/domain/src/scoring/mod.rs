//! What a lead is worth.
//!
//! **Fit** is who they are: the sum of the points of the profile rules that match ([`fit`]).
//! **Engagement** is what they did, fading: `E(t) = Σ w · 2^(−(t − day)/H)` over the interactions
//! of each UTC day ([`engagement`]). Together they make a [`Band`], a [`Priority`], a [`NextStep`] and
//! the [`Score`]: the points of the fit letter plus `E(t)`.
//!
//! A score is a function of the *set* of interactions. What is kept is [`Activity`]: per day and
//! kind a set of ids, and per day a set of revoked ids; a count is the size of a difference, capped
//! per day. So order and repetition cannot matter, an interaction can be revoked before or after it
//! arrives, and a new model re-scores history.
//!
//! Everything is computed in integers ([`FinePoints`]: 32 fractional bits), so that every machine
//! gives the same bits. No function here reads a clock: `today` is an argument.
//!
//! Every lead of a company fades at the same rate, so the order by engagement does not change with
//! time: [`heat_key`] is a number that is stored once and sorts leads by `E(t)` at any `t`.
//!
//! Reading order: `band` and `whole` (the vocabulary), `model` (`scoring.toml`), `machine` (what
//! nobody did), `activity` (the truth), `fit`, `decay` (2^(−n/H) and log₂ in integers), `engagement`, `heat`, `score`
//! (everything together), `explanation` (lines that add up), `sent` (interactions as they arrive).

mod band;
mod whole;
mod model;
mod machine;
mod activity;
mod fit;
mod decay;
mod engagement;
mod heat;
mod score;
mod explanation;
mod sent;

pub use activity::{
    Activity, DayActivity, Interaction, InteractionId, InteractionKind, InteractionRef, Said, UNSUBSCRIBE,
};
pub use band::{Band, EngagementDigit, FitLetter};
pub use engagement::{Engagement, KindPoints, engagement};
pub use explanation::{Explanation, Line, Part};
pub use fit::{Fit, FitFacts, Matched, fit};
pub use heat::{HeatKey, heat_key};
pub use machine::{Click, MachineLimits, MessageHash, Sign, Word, link_hash};
pub use model::{
    Bands, EngagementThresholds, FieldIs, FitPart, FitPoints, FitRule, FitThresholds, Interactions, NextStep,
    NextSteps, OneOf, Priorities, Priority, ScoringModel, Weight,
};
pub use score::{FinePoints, Score, score};
pub use sent::{SentError, SentInteraction};
pub use whole::Whole;

#[cfg(test)]
mod tests;
