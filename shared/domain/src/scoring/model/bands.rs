//! From how many points on a letter or digit is reached, and what a fit letter is worth in the score.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::scoring::band::{EngagementDigit, FitLetter};
use crate::scoring::score::FinePoints;
use crate::scoring::whole::Whole;

/// What each fit letter is worth in the score: 100, 50 and 0 by default. A is worth at least B, and B at
/// least C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct FitPoints {
    #[serde(rename = "A")]
    pub a: Whole<0, { limits::BAND_POINTS }>,
    #[serde(rename = "B")]
    pub b: Whole<0, { limits::BAND_POINTS }>,
    #[serde(rename = "C")]
    pub c: Whole<0, { limits::BAND_POINTS }>,
}

impl FitPoints {
    /// What this letter is worth.
    pub fn of(&self, letter: FitLetter) -> FinePoints {
        let points = match letter {
            FitLetter::A => self.a,
            FitLetter::B => self.b,
            FitLetter::C => self.c,
        };
        FinePoints::whole_points(points.get().unsigned_abs())
    }
}

impl Default for FitPoints {
    fn default() -> Self {
        Self { a: Whole::clamped(100), b: Whole::clamped(50), c: Whole::clamped(0) }
    }
}

/// From how many points on a letter or digit is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bands {
    /// In points of fit.
    pub fit: FitThresholds,
    /// In points of engagement.
    pub engagement: EngagementThresholds,
}

/// Points of fit from which A and B are reached: 30 and 10 by default. What reaches neither is C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct FitThresholds {
    #[serde(rename = "A")]
    pub a: Whole<{ -limits::BAND_POINTS }, { limits::BAND_POINTS }>,
    #[serde(rename = "B")]
    pub b: Whole<{ -limits::BAND_POINTS }, { limits::BAND_POINTS }>,
}

impl FitThresholds {
    /// The letter of so many points.
    pub fn letter(&self, points: i64) -> FitLetter {
        if points >= self.a.get() {
            FitLetter::A
        } else if points >= self.b.get() {
            FitLetter::B
        } else {
            FitLetter::C
        }
    }
}

impl Default for FitThresholds {
    fn default() -> Self {
        Self { a: Whole::clamped(30), b: Whole::clamped(10) }
    }
}

/// Points of engagement from which 1 and 2 are reached: 40 and 10 by default. What reaches neither is 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct EngagementThresholds {
    #[serde(rename = "1")]
    pub one: Whole<1, { limits::BAND_POINTS }>,
    #[serde(rename = "2")]
    pub two: Whole<1, { limits::BAND_POINTS }>,
}

impl EngagementThresholds {
    /// The digit of so many points, compared exactly: 39.99 is not 40.
    pub fn digit(&self, points: FinePoints) -> EngagementDigit {
        if points >= FinePoints::whole_points(self.one.get().unsigned_abs()) {
            EngagementDigit::One
        } else if points >= FinePoints::whole_points(self.two.get().unsigned_abs()) {
            EngagementDigit::Two
        } else {
            EngagementDigit::Three
        }
    }
}

impl Default for EngagementThresholds {
    fn default() -> Self {
        Self { one: Whole::clamped(40), two: Whole::clamped(10) }
    }
}
