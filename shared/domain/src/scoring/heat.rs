//! A number that sorts leads by engagement, whenever it is read.

use std::fmt;

use super::activity::Activity;
use super::decay::{ONE_Q32, fading_q32, log2_q32};
use super::model::ScoringModel;
use super::score::FinePoints;
use crate::limits;
use crate::time::UtcDay;

/// Sorts the leads of one company and model by engagement: the larger, the hotter. A lead without
/// engagement is [`HeatKey::COLD`], below every other.
///
/// It is log₂ E(t) + t/H in 32 fractional bits, t in UTC days since 1970-01-01, which is the same for
/// every t: stored once per change of the activity, it needs no nightly job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeatKey(i64);

impl HeatKey {
    /// No engagement at all: sorts last among the hottest first.
    pub const COLD: Self = Self(i64::MIN);

    /// From the number as stored.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// `E(today)` = 2^(key − today/H), for who lists many leads and reads the interactions of none. It is for people
    /// to read, in floating point: what a decision rests on is counted from the interactions. While the newest day is
    /// younger than ten half-lives it is as exact as a number of 53 bits; of what is older it may have up to a
    /// thousandth more (see [`heat_key`]).
    pub fn points_on(self, today: UtcDay, half_life_days: u16) -> FinePoints {
        if self == Self::COLD {
            return FinePoints::ZERO;
        }
        let key = self.0 as f64 / ONE_Q32 as f64;
        // The key is rounded down, by less than this.
        let points = (key - f64::from(today.0) / f64::from(half_life_days.max(1))).exp2() * (1.0 + 1e-9);
        // Below 2^58 points, as every sum of them is (see `engagement`).
        FinePoints::from_bits((points.clamp(0.0, (58_f64).exp2()) * ONE_Q32 as f64) as u128)
    }

    /// As a number that sorts like the key.
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Display for HeatKey {
    /// Sixteen hexadecimal digits that sort as text like the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0.cast_unsigned() ^ (1 << 63))
    }
}

/// The key of this activity under this model. It takes no `today`: sums run relative to the newest day
/// that counts.
///
/// With S = Σ w · 2^(−(newest − day)/H), the key is log₂ S + newest/H. S leaves out what is ten
/// half-lives older than the newest day, E(t) what is ten half-lives older than t: never less. So
/// E(t) ≤ S·2^(−(t−newest)/H) ≤ E(t) + D(t), where D(t), what E(t) has let go, is below a 1024th of the
/// unfaded points of the days it let go.
///
/// **Tolerance.** If E_a(t) > (E_b(t) + D_b(t)) · (1 + 2⁻²⁰), then key_a ≥ key_b, for every t from the
/// newest day on: each weight in a sum is at least 2⁻¹⁰ and exact to 2⁻³³, hence a sum to 2⁻²³ of
/// itself. While a lead's newest day is still in the future (a clock ahead), its key is up to one day's
/// fading too hot. The order among leads of equal activity moved by a day is exact.
///
/// Without overflow: S is below 2⁹⁰ (see [`super::engagement`]), its logarithm below 2⁷·2³², and a day
/// of 32 bits over H times 2³² is clamped to 64 bits.
pub fn heat_key(model: &ScoringModel, activity: &Activity) -> HeatKey {
    let half_life = model.half_life_days();
    let reach = i64::from(limits::HALF_LIVES) * i64::from(half_life);
    let mut newest = None;
    let mut sum: u128 = 0;
    for (day, of_day) in activity.days().rev() {
        let points: u128 = model
            .interactions
            .iter()
            .map(|(kind, weight)| weight.points(weight.counted(of_day.count(kind))))
            .sum();
        if points == 0 {
            continue;
        }
        let newest = i64::from(*newest.get_or_insert(day.0));
        let age = newest - i64::from(day.0); // never negative: newest first
        if age > reach {
            break;
        }
        sum += points * fading_q32(age as u32, half_life);
    }
    let Some(newest) = newest else { return HeatKey::COLD };
    let log = i128::from(log2_q32(sum)) - (32 << 32); // the sum has 32 fractional bits
    let rise = (i128::from(newest) << 32).div_euclid(i128::from(half_life));
    let key = (log + rise).clamp(i128::from(i64::MIN + 1), i128::from(i64::MAX));
    HeatKey(key as i64)
}
