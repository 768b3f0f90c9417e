//! What should happen with a lead of each band, and how urgent it is.

use serde::{Deserialize, Serialize};

use crate::scoring::band::{Band, EngagementDigit, FitLetter};

words! {
    /// What should happen with a lead.
    pub enum NextStep as "a next step" {
        /// Sell now.
        Pitch = "pitch",
        /// Keep warm.
        Nurture = "nurture",
        /// Spend nothing on it.
        Discard = "discard",
    }
}

/// What should happen with a lead of each band; every band stands in exactly one list.
///
/// By default B2 or better is pitched, the rest nurtured, and nothing discarded: a lead thrown away
/// costs more than one kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextSteps {
    /// Sold now.
    pub pitch: Vec<Band>,
    /// Kept warm.
    pub nurture: Vec<Band>,
    /// Dropped.
    #[serde(default)]
    pub discard: Vec<Band>,
}

impl NextSteps {
    /// The step of a band. One that stands nowhere is nurtured, which a checked model does not have.
    pub fn of(&self, band: Band) -> NextStep {
        if self.pitch.contains(&band) {
            NextStep::Pitch
        } else if self.discard.contains(&band) {
            NextStep::Discard
        } else {
            NextStep::Nurture
        }
    }
}

impl Default for NextSteps {
    fn default() -> Self {
        let b2 = Band { fit: FitLetter::B, engagement: EngagementDigit::Two };
        let (pitch, nurture) = Band::all().partition(|band| band.meets(b2));
        Self { pitch, nurture, discard: Vec::new() }
    }
}

words! {
    /// How urgent a lead is. The desk may override it.
    pub enum Priority as "a priority" {
        /// Before all others.
        Urgent = "urgent",
        /// In its turn.
        Normal = "normal",
        /// When nothing else is left.
        Low = "low",
    }
}

/// How urgent each band is; what stands in neither list is normal. A1 and B1 are urgent by default, C3 is
/// low.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Priorities {
    /// Urgent bands.
    pub urgent: Vec<Band>,
    /// Low bands.
    pub low: Vec<Band>,
}

impl Priorities {
    /// The priority of a band.
    pub fn of(&self, band: Band) -> Priority {
        if self.urgent.contains(&band) {
            Priority::Urgent
        } else if self.low.contains(&band) {
            Priority::Low
        } else {
            Priority::Normal
        }
    }
}

impl Default for Priorities {
    fn default() -> Self {
        let one = EngagementDigit::One;
        Self {
            urgent: vec![
                Band { fit: FitLetter::A, engagement: one },
                Band { fit: FitLetter::B, engagement: one },
            ],
            low: vec![Band::LEAST],
        }
    }
}
