//! What scoring found of a lead, and what that is worth on another day.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Lead;
use crate::scoring::{Band, HeatKey, NextStep, Priority, ScoringModel};
use crate::time::UtcDay;

/// What the last scoring found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreState {
    /// The band.
    pub band: Band,
    /// How urgent.
    pub priority: Priority,
    /// What should happen with it.
    pub next_step: NextStep,
    /// Sorts leads of a fit letter by engagement, whenever it is read.
    pub heat: i64,
    /// The version of the model.
    pub model: String,
    /// Whole points as of `at`.
    pub points: i64,
    /// When.
    pub at: Timestamp,
}

impl ScoreState {
    /// The score as of another day, without looking at the interactions: fit stays, engagement fades. Of another model
    /// than this one it is what was found last.
    pub fn on(&self, model: &ScoringModel, version: &str, today: UtcDay) -> ScoreNow {
        if self.model != version {
            let hundredths = u64::try_from(self.points).unwrap_or(0).saturating_mul(100);
            let Self { band, priority, next_step, .. } = *self;
            return ScoreNow { hundredths, band, priority, next_step };
        }
        let points = HeatKey::from_number(self.heat).points_on(today, model.half_life_days());
        let band = Band { fit: self.band.fit, engagement: model.bands.engagement.digit(points) };
        ScoreNow {
            hundredths: (model.fit_points.of(band.fit) + points).hundredths(),
            band,
            priority: model.priority.of(band),
            next_step: model.next_step.of(band),
        }
    }
}

/// What a lead is worth as of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreNow {
    /// The score, in hundredths of a point.
    pub hundredths: u64,
    /// Fit and engagement in one grid.
    pub band: Band,
    /// How urgent it is, by its band.
    pub priority: Priority,
    /// What should happen, by its band.
    pub next_step: NextStep,
}

impl Lead {
    /// How urgent it is: the desk's word, else the score's.
    pub fn priority(&self) -> Option<Priority> {
        self.priority_set.or(self.score.as_ref().map(|score| score.priority))
    }
}
