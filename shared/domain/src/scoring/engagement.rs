//! What they did, fading with a half-life.

use super::activity::{Activity, InteractionKind};
use super::band::EngagementDigit;
use super::decay::fading_q32;
use super::model::ScoringModel;
use super::score::FinePoints;
use crate::limits;
use crate::time::UtcDay;

/// How engaged a lead is on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engagement {
    /// `E(today)`.
    pub points: FinePoints,
    /// Where that stands among the model's thresholds.
    pub digit: EngagementDigit,
    /// What each kind contributes, by name; they sum exactly to `points`. Kinds that contribute nothing
    /// are left out.
    pub kinds: Vec<KindPoints>,
}

/// What one kind of interaction contributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindPoints {
    /// The kind.
    pub kind: InteractionKind,
    /// How many were counted: not revoked, within the daily cap, on days that still count.
    pub counted: u64,
    /// Their points, faded.
    pub points: FinePoints,
}

/// `E(today) = Σ points · min(count, daily cap) · 2^(−age/H)` over days and kinds.
///
/// The age is in whole UTC days. A day in the future (a sender's clock may be ahead by
/// [`limits::CLOCK_AHEAD_HOURS`]) has age 0. Days older than [`limits::HALF_LIVES`] half-lives do not
/// count: each would add less than a thousandth of its points. Kinds the model does not name do not
/// count either.
///
/// Nothing overflows: there are at most 2³² days, [`limits::INTERACTION_KINDS`] = 2⁶ kinds, 1000 points
/// and 1000 a day for each (below 2²⁰ together) and a factor of at most 2³², so that no sum reaches
/// 2⁹⁰.
pub fn engagement(model: &ScoringModel, activity: &Activity, today: UtcDay) -> Engagement {
    let mut kinds: Vec<KindPoints> = model
        .interactions
        .iter()
        .map(|(kind, _)| KindPoints { kind: kind.clone(), counted: 0, points: FinePoints::ZERO })
        .collect();
    let oldest = limits::HALF_LIVES * u32::from(model.half_life_days());
    for (day, of_day) in activity.days() {
        let age = age_days(day, today);
        if age > oldest {
            continue;
        }
        let fading = fading_q32(age, model.half_life_days());
        for ((kind, weight), sum) in model.interactions.iter().zip(&mut kinds) {
            let counted = weight.counted(of_day.count(kind));
            sum.counted += counted;
            sum.points = sum.points + FinePoints::from_bits(weight.points(counted) * fading);
        }
    }
    kinds.retain(|kind| kind.counted > 0);
    let points = kinds.iter().fold(FinePoints::ZERO, |sum, kind| sum + kind.points);
    Engagement { points, digit: model.bands.engagement.digit(points), kinds }
}

fn age_days(day: UtcDay, today: UtcDay) -> u32 {
    // In 64 bits: two days may lie further apart than 32 bits can say.
    u32::try_from(i64::from(today.0) - i64::from(day.0)).unwrap_or(0)
}
