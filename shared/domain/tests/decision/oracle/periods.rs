//! When a period began, by the calendar on the dealer's wall: day by day, and hour by hour.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use leadyard_domain::time::{Period, WeekStart};

/// A zone of the bundled database.
pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// When the period that `now` is in began, in seconds since 1970; 0 where it is one for good.
pub(super) fn began(period: Period, now: Timestamp, zone: &TimeZone, weeks_start: WeekStart) -> i64 {
    let today = zone.to_datetime(now).date();
    let first = match period {
        Period::Total => return 0,
        // The worlds' clocks are whole hours from UTC: each of their hours is one of UTC's, and of an hour that occurs
        // twice each is one.
        Period::Hour => return now.as_second() / 3_600 * 3_600,
        Period::Day => today,
        Period::Week => back_to(today, |day| {
            day.weekday()
                == match weeks_start {
                    WeekStart::Monday => Weekday::Monday,
                    WeekStart::Sunday => Weekday::Sunday,
                }
        }),
        Period::Month => back_to(today, |day| day.day() == 1),
    };
    first_hour(first, zone)
}

/// The last day up to this one that is a first.
fn back_to(mut day: Date, is_first: impl Fn(Date) -> bool) -> Date {
    while !is_first(day) {
        day = day.yesterday().unwrap();
    }
    day
}

/// The first full hour at which it is this day there. Nowhere it is so more than 14 hours before it is so in UTC.
fn first_hour(day: Date, zone: &TimeZone) -> i64 {
    let in_utc = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap();
    let mut at_s = in_utc.as_second() - 14 * 3_600;
    while zone.to_datetime(Timestamp::from_second(at_s).unwrap()).date() < day {
        at_s += 3_600;
    }
    at_s
}

/// The week that results are counted in: so many times seven days since 1970, in UTC.
pub(super) fn week(now: Timestamp) -> i32 {
    i32::try_from(now.as_second() / (7 * 86_400)).unwrap()
}
