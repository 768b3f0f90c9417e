//! The periods that are one click away.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use leadyard_domain::time::WeekStart;

/// A period with a name: its first and last day, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) from: Date,
    pub(super) to: Date,
}

/// The periods with names, as of today. What is not over ends today.
pub(super) fn named(today: Date, week_starts: WeekStart) -> Vec<Named> {
    let back = |day: Date, days: i64| day.checked_sub(days.days()).unwrap_or(Date::MIN);
    let starts = match week_starts {
        WeekStart::Monday => Weekday::Monday,
        WeekStart::Sunday => Weekday::Sunday,
    };
    let week = back(today, i64::from(today.weekday().since(starts)));
    let year = Date::new(today.year(), 1, 1).unwrap_or(today);
    vec![
        Named { name: "This week", from: week, to: today },
        Named { name: "Last week", from: back(week, 7), to: back(week, 1) },
        Named { name: "This month", from: today.first_of_month(), to: today },
        Named { name: "Last 30 days", from: back(today, 29), to: today },
        Named { name: "This year", from: year, to: today },
        Named { name: "Last 365 days", from: back(today, 364), to: today },
    ]
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn of(today: Date, week_starts: WeekStart, name: &str) -> (Date, Date) {
        let found = named(today, week_starts).into_iter().find(|named| named.name == name).unwrap();
        (found.from, found.to)
    }

    #[test]
    fn weeks_begin_as_the_company_says_and_what_is_not_over_ends_today() {
        // A Wednesday, a Monday and a Sunday.
        for (today, starts, this, last) in [
            (date(2026, 6, 10), WeekStart::Monday, date(2026, 6, 8), (date(2026, 6, 1), date(2026, 6, 7))),
            (date(2026, 6, 10), WeekStart::Sunday, date(2026, 6, 7), (date(2026, 5, 31), date(2026, 6, 6))),
            (date(2026, 6, 8), WeekStart::Monday, date(2026, 6, 8), (date(2026, 6, 1), date(2026, 6, 7))),
            (date(2026, 6, 7), WeekStart::Monday, date(2026, 6, 1), (date(2026, 5, 25), date(2026, 5, 31))),
            (date(2026, 6, 7), WeekStart::Sunday, date(2026, 6, 7), (date(2026, 5, 31), date(2026, 6, 6))),
        ] {
            assert_eq!(of(today, starts, "This week"), (this, today), "{today}");
            assert_eq!(of(today, starts, "Last week"), last, "{today}");
        }
        let (today, starts) = (date(2026, 3, 1), WeekStart::Monday);
        assert_eq!(of(today, starts, "This month"), (today, today));
        assert_eq!(of(today, starts, "Last 30 days"), (date(2026, 1, 31), today));
        assert_eq!(of(today, starts, "This year"), (date(2026, 1, 1), today));
        assert_eq!(of(today, starts, "Last 365 days"), (date(2025, 3, 2), today));
    }
}
