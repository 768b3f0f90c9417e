//! The score: fit and engagement together, and what follows from them.

use std::fmt;
use std::ops::Add;

use super::activity::Activity;
use super::band::Band;
use super::decay::ONE_Q32;
use super::engagement::{Engagement, engagement};
use super::explanation::Explanation;
use super::fit::{Fit, FitFacts, fit};
use super::model::{NextStep, Priority, ScoringModel};
use crate::time::UtcDay;

/// What a lead is worth on a day, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// Who they are.
    pub fit: Fit,
    /// What they did.
    pub engagement: Engagement,
    /// The points of the fit letter plus `E(today)`, exactly.
    pub exact: FinePoints,
    /// The same in whole points, rounded down: a score of 40 has at least 40 points.
    pub total: u64,
    /// Fit and engagement in one grid.
    pub band: Band,
    /// How urgent it is, by its band.
    pub priority: Priority,
    /// What should happen, by its band.
    pub next_step: NextStep,
    /// Lines that sum to the score.
    pub explanation: Explanation,
}

/// The score of a lead under this model on `today`: a function of the facts and of the *set* of
/// interactions, bit for bit.
pub fn score(model: &ScoringModel, facts: &FitFacts, activity: &Activity, today: UtcDay) -> Score {
    let fit = fit(model, facts);
    let engagement = engagement(model, activity, today);
    let exact = model.fit_points.of(fit.letter) + engagement.points;
    let band = Band { fit: fit.letter, engagement: engagement.digit };
    let explanation = Explanation::of(model, &fit, &engagement);
    Score {
        exact,
        total: exact.whole(),
        band,
        priority: model.priority.of(band),
        next_step: model.next_step.of(band),
        explanation,
        fit,
        engagement,
    }
}

/// Points in fixed point, with 32 fractional bits. Never negative: only fit has penalties, and fit
/// enters the score by its letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FinePoints(u128);

impl FinePoints {
    /// None.
    pub const ZERO: Self = Self(0);

    /// From units of 2⁻³² points.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// So many whole points.
    pub const fn whole_points(points: u64) -> Self {
        Self((points as u128) << 32)
    }

    /// In units of 2⁻³² points.
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// Whole points, rounded down.
    pub const fn whole(self) -> u64 {
        (self.0 / ONE_Q32) as u64 // below 2^58: see `engagement`
    }

    /// Hundredths of a point, rounded down, and what the rounding left in units of 2⁻³² hundredths.
    pub(super) const fn hundredths_and_rest(self) -> (u64, u64) {
        let fine = self.0 * 100; // below 2^97
        ((fine / ONE_Q32) as u64, (fine % ONE_Q32) as u64)
    }

    /// Hundredths of a point, rounded down.
    pub const fn hundredths(self) -> u64 {
        self.hundredths_and_rest().0
    }
}

impl Add for FinePoints {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0)) // never saturates: sums stay below 2^90
    }
}

impl fmt::Display for FinePoints {
    /// Two decimals, rounded down: `17.07`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.hundredths();
        write!(f, "{}.{:02}", hundredths / 100, hundredths % 100)
    }
}
