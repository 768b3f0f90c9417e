//! How the sealed days of a period are put together.

use jiff::ToSpan as _;
use jiff::civil::Date;

/// How days are put together: a quarter is whole months, a month whole parts, a part whole days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    Quarter,
    Month,
    /// Days 1 to 8 of a month, 9 to 16, 17 to 24, and the rest.
    Part,
    Day,
}

impl Span {
    /// The longest first.
    pub(super) const ALL: [Self; 4] = [Self::Quarter, Self::Month, Self::Part, Self::Day];

    /// The first and the last day of the one that a day is in.
    pub(super) fn bounds(self, day: Date) -> (Date, Date) {
        let first = day.first_of_month();
        let plus = |date: Date, span: jiff::Span| date.checked_add(span).unwrap_or(Date::MAX);
        match self {
            Self::Quarter => {
                let back = i64::from((day.month() - 1) % 3);
                let first = first.checked_sub(back.months()).unwrap_or(first);
                (first, plus(first, 2.months()).last_of_month())
            }
            Self::Month => (first, day.last_of_month()),
            Self::Part => {
                let part = i64::from(((day.day() - 1) / 8).min(3));
                let from = plus(first, (8 * part).days());
                (from, if part == 3 { day.last_of_month() } else { plus(from, 7.days()) })
            }
            Self::Day => (day, day),
        }
    }

    /// The sort key of the one that a day is in.
    pub(super) fn key(self, day: Date) -> String {
        let (first, _) = self.bounds(day);
        let kind = match self {
            Self::Quarter => "quarter",
            Self::Month => "month",
            Self::Part => "part",
            Self::Day => "day",
        };
        format!("{kind}#{first}")
    }
}

/// The sort keys that together are these days, the longest spans that fit; those that follow each other in the table, in one
/// run. One whose end is not before `today` fits where it begins: nothing follows.
pub(super) fn runs(from: Date, to: Date, today: Date) -> Vec<Vec<String>> {
    let mut runs: Vec<(Span, Vec<String>)> = Vec::new();
    let mut day = from;
    while day <= to {
        let fits = |span: &Span| {
            let (first, last) = span.bounds(day);
            first == day && (last <= to || to >= today)
        };
        let span = Span::ALL.into_iter().find(fits).unwrap_or(Span::Day);
        let key = span.key(day);
        match runs.last_mut() {
            Some((before, run)) if *before == span => run.push(key),
            Some(_) | None => runs.push((span, vec![key])),
        }
        let Ok(next) = span.bounds(day).1.tomorrow() else { break };
        day = next;
    }
    runs.into_iter().map(|(_, run)| run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_period_is_whole_months_and_the_days_that_are_left() {
        let today = date(2026, 6, 15);
        let of = |from: Date, to: Date| {
            let runs = runs(from, to, today);
            let ends = |run: &Vec<String>| format!("{}..{}", run[0], run[run.len() - 1]);
            runs.iter().map(ends).collect::<Vec<_>>()
        };
        assert_eq!(
            of(date(2025, 6, 16), today),
            [
                "day#2025-06-16..day#2025-06-16",
                "part#2025-06-17..part#2025-06-25",
                "quarter#2025-07-01..quarter#2026-04-01",
            ]
        );
        assert_eq!(of(date(2026, 2, 1), date(2026, 3, 31)), ["month#2026-02-01..month#2026-03-01"]);
        assert_eq!(
            of(date(2026, 1, 1), date(2026, 3, 30)),
            [
                "month#2026-01-01..month#2026-02-01",
                "part#2026-03-01..part#2026-03-17",
                "day#2026-03-25..day#2026-03-30",
            ]
        );
        assert_eq!(of(date(2026, 3, 3), date(2026, 3, 3)), ["day#2026-03-03..day#2026-03-03"]);
    }

    #[test]
    fn whatever_is_asked_for_every_day_is_in_it_once() {
        let first = date(2023, 12, 27);
        for begins in 0..100 {
            for days in [0, 1, 7, 8, 9, 30, 31, 89, 200, 366, 731] {
                let from = first.checked_add(begins.days()).unwrap();
                let to = from.checked_add(days.days()).unwrap();
                let mut day = from;
                for key in runs(from, to, date(2030, 1, 1)).concat() {
                    let span = Span::ALL.into_iter().find(|span| span.key(day) == key);
                    let span = span.unwrap_or_else(|| panic!("{key} does not begin at {day}"));
                    day = span.bounds(day).1.tomorrow().unwrap();
                }
                assert_eq!(day, to.tomorrow().unwrap(), "{from} to {to}");
            }
        }
    }
}
