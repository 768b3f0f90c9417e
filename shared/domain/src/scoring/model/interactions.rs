//! What an interaction of each kind is worth, and how many of a day count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::limits;
use crate::scoring::activity::InteractionKind;
use crate::scoring::whole::Whole;

/// What an interaction of each kind is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<InteractionKind, WeightRow>", into = "BTreeMap<InteractionKind, WeightRow>")]
pub struct Interactions(BTreeMap<InteractionKind, Weight>);

/// What one interaction is worth, and how many of a day count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Points of one interaction; always positive: what speaks against a lead is fit.
    pub points: Whole<1, { limits::INTERACTION_POINTS }>,
    /// How many of a UTC day count, 10 by default.
    pub daily_cap: Whole<1, { limits::INTERACTION_DAILY_CAP }>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightRow {
    points: Option<Whole<1, { limits::INTERACTION_POINTS }>>,
    daily_cap: Option<Whole<1, { limits::INTERACTION_DAILY_CAP }>>,
}

impl Weight {
    const fn new(points: i64, daily_cap: i64) -> Self {
        Self { points: Whole::clamped(points), daily_cap: Whole::clamped(daily_cap) }
    }

    /// An enquiry's, unless the file says otherwise.
    const ENQUIRY: Self = Self::new(10, 3);

    /// How many of `count` interactions of one day count.
    pub(in crate::scoring) fn counted(self, count: usize) -> u64 {
        (count as u64).min(self.daily_cap.get().unsigned_abs())
    }

    /// The points of so many, unfaded: at most 10⁶ when `counted` is within the cap.
    pub(in crate::scoring) fn points(self, counted: u64) -> u128 {
        u128::from(counted) * u128::from(self.points.get().unsigned_abs())
    }
}

impl Interactions {
    /// The kinds and their weights, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&InteractionKind, Weight)> {
        self.0.iter().map(|(kind, &weight)| (kind, weight))
    }

    /// What this kind is worth; `None` for a kind the model does not name, which is worth nothing.
    pub fn weight(&self, kind: &InteractionKind) -> Option<Weight> {
        self.0.get(kind).copied()
    }
}

impl Default for Interactions {
    fn default() -> Self {
        let kinds = [
            ("call", Weight::new(20, 3)),
            ("chat", Weight::new(10, 3)),
            ("download", Weight::new(5, 3)),
            ("email_click", Weight::new(5, 3)),
            ("email_open", Weight::new(1, 2)),
            ("enquiry", Weight::ENQUIRY),
            ("page_view", Weight::new(1, 10)),
            ("quote_request", Weight::new(30, 2)),
        ];
        Self(
            kinds
                .into_iter()
                .filter_map(|(kind, weight)| Some((InteractionKind::new(kind).ok()?, weight)))
                .collect(),
        )
    }
}

impl TryFrom<BTreeMap<InteractionKind, WeightRow>> for Interactions {
    type Error = Invalid;
    fn try_from(rows: BTreeMap<InteractionKind, WeightRow>) -> Result<Self, Invalid> {
        let enquiry = InteractionKind::enquiry();
        let mut weights = BTreeMap::from([(enquiry.clone(), Weight::ENQUIRY)]);
        for (kind, row) in rows {
            let usual = if kind == enquiry { Weight::ENQUIRY } else { Weight::new(1, 10) };
            let Some(points) = row.points.or((kind == enquiry).then_some(usual.points)) else {
                return Err(Invalid::new(format!(
                    "interactions.{kind} needs points, a whole number from 1 to {}",
                    limits::INTERACTION_POINTS
                )));
            };
            let weight = Weight { points, daily_cap: row.daily_cap.unwrap_or(usual.daily_cap) };
            weights.insert(kind, weight);
        }
        if weights.len() > limits::INTERACTION_KINDS {
            return Err(Invalid::new(format!(
                "there are at most {} kinds of interaction, enquiry included",
                limits::INTERACTION_KINDS
            )));
        }
        Ok(Self(weights))
    }
}

impl From<Interactions> for BTreeMap<InteractionKind, WeightRow> {
    fn from(interactions: Interactions) -> Self {
        let row =
            |weight: Weight| WeightRow { points: Some(weight.points), daily_cap: Some(weight.daily_cap) };
        interactions.0.into_iter().map(|(kind, weight)| (kind, row(weight))).collect()
    }
}
