//! When people ask: each trade has its months, its days of the week and its hours, where the people live.

use fastrand::Rng;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// How often people ask, in hundredths of what is usual.
struct Curve {
    /// January first.
    months: [u32; 12],
    /// Monday first.
    weekdays: [u32; 7],
    /// From midnight on.
    hours: [u32; 24],
}

/// Storms of spring and summer; by daylight, and before work.
const ROOFING: Curve = Curve {
    months: [55, 60, 95, 135, 150, 140, 125, 118, 108, 95, 70, 49],
    weekdays: [120, 116, 112, 108, 98, 80, 66],
    hours: [
        8, 5, 3, 3, 4, 12, 40, 85, 130, 160, 165, 155, 140, 135, 135, 130, 125, 115, 110, 100, 85, 60, 35, 18,
    ],
};
/// The sun brings them, and the first warm bill; in the evening, with the bill on the table.
const SOLAR: Curve = Curve {
    months: [70, 80, 105, 125, 130, 130, 125, 115, 100, 85, 70, 65],
    weekdays: [104, 106, 104, 100, 92, 96, 98],
    hours: [
        10, 6, 4, 3, 4, 8, 22, 50, 80, 100, 110, 110, 112, 105, 100, 105, 115, 130, 150, 165, 160, 120, 70,
        30,
    ],
};
/// The new year and the turn of each summer; at lunch, and until late.
const INSURANCE: Curve = Curve {
    months: [128, 118, 104, 95, 92, 98, 108, 106, 98, 92, 84, 77],
    weekdays: [122, 114, 108, 104, 98, 80, 74],
    hours: [
        16, 10, 6, 5, 6, 12, 30, 62, 95, 115, 120, 135, 150, 125, 110, 105, 108, 112, 115, 118, 112, 95, 64,
        34,
    ],
};

fn of(category: &str) -> &'static Curve {
    if category.contains("roof") {
        return &ROOFING;
    }
    if category.contains("solar") {
        return &SOLAR;
    }
    // A trade that nobody told us of is asked for as insurance is: all year.
    &INSURANCE
}

/// The instants of one trade.
pub(super) struct Calendar {
    curve: &'static Curve,
    /// Days, and how much is asked on them and all before them.
    days: Vec<(u64, Date)>,
    hours: Vec<u64>,
    from: Timestamp,
    until: Timestamp,
}

impl Calendar {
    /// From an instant until another, the days as the company counts them. Business grows a little over the year.
    pub(super) fn new(category: &str, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Self {
        let curve = of(category);
        let (first, last) = (zone.to_datetime(from).date(), zone.to_datetime(until).date());
        let (mut days, mut sum, mut day, mut nth) = (Vec::new(), 0_u64, first, 0_u64);
        while day <= last {
            sum += weight(curve, day) * (1_000 + nth);
            days.push((sum, day));
            nth += 1;
            match day.checked_add(1.day()) {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        let hours = curve.hours.iter().scan(0, |sum, hour| {
            *sum += u64::from(*hour);
            Some(*sum)
        });
        Self { curve, days, hours: hours.collect(), from, until }
    }

    /// An instant at which somebody who lives in `zone` asks.
    pub(super) fn instant(&self, rng: &mut Rng, zone: &TimeZone) -> Timestamp {
        let all = self.days.last().map_or(1, |(sum, _)| (*sum).max(1));
        self.drawn(rng, zone, |rng| {
            let nth = rng.u64(0..all);
            let at = self.days.partition_point(|(upto, _)| *upto <= nth);
            self.days.get(at).map(|(_, day)| *day)
        })
    }

    /// An instant of the last two days.
    pub(super) fn lately(&self, rng: &mut Rng, zone: &TimeZone) -> Timestamp {
        self.drawn(rng, zone, |rng| {
            let back = rng.usize(..2);
            let at = self.days.len().checked_sub(1 + back)?;
            self.days.get(at).map(|(_, day)| *day)
        })
    }

    fn drawn(&self, rng: &mut Rng, zone: &TimeZone, day: impl Fn(&mut Rng) -> Option<Date>) -> Timestamp {
        for _ in 0..60 {
            let Some(day) = day(rng) else { break };
            let at = day.at(self.hour(rng), rng.i8(0..60), rng.i8(0..60), 0);
            let Ok(at) = zone.to_ambiguous_zoned(at).compatible() else { continue };
            let at = at.timestamp();
            if at >= self.from && at < self.until {
                return at;
            }
        }
        // The end lies just behind midnight, and nobody asks then.
        let back = (rng.u64(60..3_600) as i64).seconds();
        self.until.checked_sub(back).unwrap_or(self.until)
    }

    fn hour(&self, rng: &mut Rng) -> i8 {
        let nth = rng.u64(0..self.hours.last().copied().unwrap_or(1).max(1));
        self.hours.partition_point(|upto| *upto <= nth).min(23) as i8
    }

    /// How usual a month of the year is, in hundredths: what is spent on it follows.
    pub(super) fn month(&self, month: i8) -> u32 {
        self.curve.months.get((month - 1).unsigned_abs() as usize).copied().unwrap_or(100)
    }
}

fn weight(curve: &Curve, day: Date) -> u64 {
    let month = curve.months.get((day.month() - 1).unsigned_abs() as usize).copied().unwrap_or(100);
    let weekday = day.weekday().to_monday_zero_offset().unsigned_abs() as usize;
    u64::from(month) * u64::from(curve.weekdays.get(weekday).copied().unwrap_or(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_has_its_months_its_days_and_its_hours() {
        let zone = TimeZone::get("America/Denver").unwrap();
        let (from, until) =
            ("2025-06-01T06:00:00Z".parse().unwrap(), "2026-06-01T06:00:00Z".parse().unwrap());
        let calendar = Calendar::new("roofing", from, until, &zone);
        let mut rng = Rng::with_seed(1);
        let drawn: Vec<_> = (0..4_000).map(|_| calendar.instant(&mut rng, &zone)).collect();
        assert!(drawn.iter().all(|at| (from..until).contains(at)));
        let of = |what: &dyn Fn(&jiff::Zoned) -> bool| {
            drawn.iter().filter(|at| what(&at.to_zoned(zone.clone()))).count()
        };
        let (may, january) = (of(&|at| at.month() == 5), of(&|at| at.month() == 1));
        assert!(may > 2 * january, "{may} in May, {january} in January");
        let monday = of(&|at| at.weekday() == jiff::civil::Weekday::Monday);
        let sunday = of(&|at| at.weekday() == jiff::civil::Weekday::Sunday);
        assert!(monday > sunday, "{monday} on Mondays, {sunday} on Sundays");
        let (ten, three) = (of(&|at| at.hour() == 10), of(&|at| at.hour() == 3));
        assert!(ten > 10 * three.max(1), "{ten} at ten, {three} at three");
        let lately: Vec<_> = (0..50).map(|_| calendar.lately(&mut rng, &zone)).collect();
        assert!(lately.iter().all(|at| until.duration_since(*at).as_hours() <= 48 && *at < until));
    }
}
