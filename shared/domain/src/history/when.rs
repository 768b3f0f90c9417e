//! Instants as exports write them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::error::Invalid;
use crate::limits;

const RULE: &str = "a time is RFC 3339, or in the company's zone 2025-11-03, 2025-11-03 14:05, 11/3/2025 (the month first) or 11/3/2025 2:05 PM";

/// Reads RFC 3339 (a space may stand for its `T`); or a date, with a time or without, in `zone`:
/// `2025-11-03 14:05`, and as American spreadsheets have it `11/3/2025 2:05 PM`, the month first and the
/// year in full. A date alone is its first instant. To the millisecond.
///
/// # Errors
/// The rule. `13/11/2025` has no such month; `3/11/2025` cannot be told from the third of November.
pub fn instant(text: &str, zone: &TimeZone) -> Result<Timestamp, Invalid> {
    let text = text.trim();
    let exact = || text.parse::<Timestamp>().ok();
    let local = || Some(local(text)?.to_zoned(zone.clone()).ok()?.timestamp());
    let at = exact().or_else(local).ok_or_else(|| Invalid::new(RULE))?;
    Timestamp::from_millisecond(at.as_millisecond()).map_err(|_| Invalid::new(RULE))
}

/// An instant that history may be of.
pub(super) fn past(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, Invalid> {
    let at = instant(text, zone)?;
    let from = first_day().to_zoned(zone.clone()).map_or(Timestamp::MIN, |day| day.timestamp());
    if at < from || at > now {
        let year = limits::HISTORY_FROM_YEAR;
        return Err(Invalid::new(format!("a time of history lies between the year {year} and now")));
    }
    Ok(at)
}

fn first_day() -> DateTime {
    Date::new(limits::HISTORY_FROM_YEAR, 1, 1).unwrap_or(Date::ZERO).to_datetime(Time::midnight())
}

/// What follows something: no earlier than that. A date alone, or a clock that ran behind, is taken for the
/// same moment; `None` for what lies a day before.
pub(super) fn following(at: Timestamp, earlier: Timestamp) -> Option<Timestamp> {
    let slack = SignedDuration::from_hours(limits::HISTORY_SLACK_HOURS);
    (earlier.duration_since(at) < slack).then_some(at.max(earlier))
}

fn local(text: &str) -> Option<DateTime> {
    match text.split_once([' ', 'T']) {
        None => Some(date(text)?.to_datetime(Time::midnight())),
        // `11/3/2025, 2:05:33 PM` is how browsers print it.
        Some((day, clock)) => Some(date(day.trim_end_matches(','))?.to_datetime(time(clock)?)),
    }
}

fn date(text: &str) -> Option<Date> {
    let separator = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.split(separator);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (year, month, day) = if separator == '/' { (third, first, second) } else { (first, second, third) };
    if year.len() != 4 {
        return None;
    }
    Date::new(digits(year)?, digits(month)?, digits(day)?).ok()
}

fn time(text: &str) -> Option<Time> {
    let text = text.trim().to_ascii_lowercase();
    let (text, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(rest), _) => (rest.trim_end(), Some(0)),
        (None, Some(rest)) => (rest.trim_end(), Some(12)),
        (None, None) => (text.as_str(), None),
    };
    let mut parts = text.split(':');
    let (hour, minute): (i8, i8) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let second = parts.next().unwrap_or("0");
    if parts.next().is_some() {
        return None;
    }
    let (second, fraction) = second.split_once('.').unwrap_or((second, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i32 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let hour = match half {
        None => hour,
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
    };
    Time::new(hour, minute, digits(second)?, millis * 1_000_000).ok()
}

fn digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let new_york = crate::time::zone("America/New_York").unwrap();
        instant(text, &new_york).ok().map(|at| at.to_string())
    }

    #[test]
    fn dates_are_read_as_exports_and_spreadsheets_write_them() {
        for (text, at) in [
            ("2025-11-03T14:05:00Z", "2025-11-03T14:05:00Z"),
            ("2025-11-03 14:05:00+02:00", "2025-11-03T12:05:00Z"),
            ("2025-11-03T14:05:00.123456Z", "2025-11-03T14:05:00.123Z"),
            ("2025-11-03", "2025-11-03T05:00:00Z"),
            ("2025-11-03 14:05", "2025-11-03T19:05:00Z"),
            ("2025-11-03T14:05:09", "2025-11-03T19:05:09Z"),
            ("2025-11-03 14:05:09.5", "2025-11-03T19:05:09.5Z"),
            (" 11/3/2025 ", "2025-11-03T05:00:00Z"),
            ("11/3/2025 14:05", "2025-11-03T19:05:00Z"),
            ("11/03/2025 2:05 PM", "2025-11-03T19:05:00Z"),
            ("7/4/2025, 12:00:01 am", "2025-07-04T04:00:01Z"),
            ("7/4/2025 12:30PM", "2025-07-04T16:30:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(at), "{text}");
        }
    }

    #[test]
    fn what_can_only_be_guessed_is_refused() {
        for text in [
            "",
            "13/11/2025",
            "11/3/25",
            "3 Nov 2025",
            "45964",
            "45964.58",
            "2025-11",
            "2025-02-30",
            "11/3/2025 14:05 PM",
            "11/3/2025 25:00",
            "11/3/2025 2",
            "é/é/é",
            "2025-11-03 10:00:00.1é",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn history_is_neither_of_the_future_nor_older_than_we_believe() {
        let utc = TimeZone::UTC;
        let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        assert!(past("2026-06-01 12:00", &utc, now).is_ok() && past("1990-01-01", &utc, now).is_ok());
        assert!(past("2026-06-01 12:01", &utc, now).is_err() && past("1989-12-31", &utc, now).is_err());
    }

    #[test]
    fn a_date_without_its_time_follows_what_happened_that_day() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let received = at("2026-06-01T12:00:00Z");
        assert_eq!(following(at("2026-06-01T00:00:00Z"), received), Some(received));
        assert_eq!(following(at("2026-06-02T00:00:00Z"), received), Some(at("2026-06-02T00:00:00Z")));
        assert_eq!(following(at("2026-05-31T12:00:00Z"), received), None);
    }
}
