//! Opening hours as they are written, held against the clock on the wall.

use jiff::civil::{Date, DateTime};

const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// Whether a dealer is open at this minute there, as two cells of the worlds' `dealers.csv` say.
pub(super) fn are_open(hours: &str, holidays: &str, at: DateTime) -> bool {
    let hours = if hours == "24/7" { "Mo-Su 00:00-24:00" } else { hours };
    let now = i32::from(at.hour()) * 60 + i32::from(at.minute());
    let mut groups = hours.split("; ").map(|group| group.split_once(' ').unwrap());
    let open = groups.any(|(days, times)| {
        let mut times = times.split(',').map(|time| time.split_once('-').unwrap());
        is_among(days, at) && times.any(|(from, to)| minute(from) <= now && now < minute(to))
    });
    let day = |text: &str| text.parse::<Date>().unwrap();
    let holiday = holidays.split_whitespace().any(|days| {
        let (first, last) = days.split_once("..").unwrap_or((days, days));
        day(first) <= at.date() && at.date() <= day(last)
    });
    open && !holiday
}

/// Whether it is one of the days that `Mo`, `Mo-Fr` or `Sa-Mo` names.
fn is_among(days: &str, at: DateTime) -> bool {
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let number = |name: &str| DAYS.iter().position(|day| *day == name).unwrap();
    let today = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap();
    let (first, last) = (number(first), number(last));
    if first <= last { first <= today && today <= last } else { first <= today || today <= last }
}

/// `08:30` as a minute of the day.
fn minute(text: &str) -> i32 {
    let (hour, minute) = text.split_once(':').unwrap();
    hour.parse::<i32>().unwrap() * 60 + minute.parse::<i32>().unwrap()
}
