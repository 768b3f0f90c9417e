//! How a report's figures are written on a page, and what became of them since the period before.

use leadyard_domain::money::Money;

use super::chart::Unit;
use crate::reports::defined::Column;
use crate::reports::figures::Cell;

/// What a column is measured in.
pub(super) fn unit(column: Column) -> Unit {
    match column {
        Column::Count(_) | Column::Measured(_) | Column::Size => Unit::Count,
        Column::Amount(_) | Column::Owed | Column::Cost => Unit::Money,
        Column::Part(..) | Column::Within(..) => Unit::Share,
        Column::ReturnOnSpend => Unit::Times,
        Column::Median(_) => Unit::Seconds,
    }
}

/// A column's name for people.
pub(super) fn label(column: Column) -> String {
    match column {
        Column::Measured(speed) => format!("times to {speed} measured"),
        Column::Median(speed) => format!("median time to {speed}"),
        Column::Size => "leads known at the end".to_owned(),
        Column::Count(_)
        | Column::Amount(_)
        | Column::Owed
        | Column::Part(..)
        | Column::Cost
        | Column::ReturnOnSpend
        | Column::Within(..) => column.name().replace('_', " "),
    }
}

/// A figure as one number in its unit; a part in ten-thousandths.
pub(super) fn value(cell: Cell) -> Option<i64> {
    match cell {
        Cell::Count(value) | Cell::Amount(value) | Cell::Seconds(value) => Some(value),
        Cell::Part(_, 0) | Cell::Nothing => None,
        Cell::Part(part, whole) => {
            let doubled = i128::from(part) * 20_000 / i128::from(whole);
            // Rounded, halves away from zero.
            i64::try_from(doubled / 2 + doubled % 2).ok()
        }
    }
}

/// A number in its unit: `1,234`, `1,234.50`, `12.5 %`, `2.4 ×`, `12 min`; a dash where there is none.
pub(super) fn written(unit: Unit, value: Option<i64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    match unit {
        Unit::Count => grouped(&value.to_string()),
        Unit::Money => grouped(&Money::from_minor(value).to_string()),
        Unit::Share => format!("{} %", tenths(value, 100)),
        Unit::Times => {
            let hundredths = value / 100;
            // Apart: a whole part of nothing has no sign.
            let sign = if hundredths < 0 { "-" } else { "" };
            let size = hundredths.unsigned_abs();
            format!("{sign}{}.{:02} ×", size / 100, size % 100)
        }
        Unit::Seconds => lasts(value),
    }
    .replace('-', "−")
}

/// What became of a number: `+3 from 12`, `as before`; nothing to say of nothing.
pub(super) fn change(unit: Unit, now: Option<i64>, before: Option<i64>) -> String {
    match (now, before) {
        (None | Some(0), None | Some(0)) => String::new(),
        (None, Some(_)) => format!("was {}", written(unit, before)),
        (Some(_), None) => "none before".to_owned(),
        (Some(now), Some(earlier)) if now == earlier => "as before".to_owned(),
        (Some(now), Some(earlier)) => {
            let sign = if now > earlier { "+" } else { "−" };
            let size = i64::try_from(now.abs_diff(earlier)).unwrap_or(i64::MAX);
            let size = match unit {
                Unit::Share => format!("{} points", tenths(size, 100)),
                Unit::Count | Unit::Money | Unit::Times | Unit::Seconds => written(unit, Some(size)),
            };
            // It may break before "from" alone: columns are narrow.
            let (size, before) = (kept(&size), kept(&written(unit, before)));
            format!("{sign}{size} from\u{a0}{before}")
        }
    }
}

/// Words that stay on one line.
fn kept(words: &str) -> String {
    words.replace(' ', "\u{a0}")
}

/// With a decimal where it is not nothing.
fn tenths(value: i64, one: i64) -> String {
    let tenths = i128::from(value) * 10 / i128::from(one);
    let sign = if tenths < 0 { "-" } else { "" };
    match (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10) {
        (whole, 0) => format!("{sign}{}", grouped(&whole.to_string())),
        (whole, part) => format!("{sign}{}.{part}", grouped(&whole.to_string())),
    }
}

fn lasts(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..5_400 => format!("{} min", tenths(seconds, 60)),
        5_400..172_800 => format!("{} h", tenths(seconds, 3_600)),
        _ => format!("{} days", tenths(seconds, 86_400)),
    }
}

/// A comma before each three digits of a whole number.
fn grouped(number: &str) -> String {
    let (digits, rest) = number.find('.').map_or((number, ""), |point| number.split_at(point));
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut written = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_their_unit() {
        for (unit, value, said) in [
            (Unit::Count, 999, "999"),
            (Unit::Count, 1_234_567, "1,234,567"),
            (Unit::Count, i64::MIN, "−9,223,372,036,854,775,808"),
            (Unit::Money, 123_450, "1,234.50"),
            (Unit::Money, -5, "−0.05"),
            (Unit::Share, 1_250, "12.5 %"),
            (Unit::Share, 10_000, "100 %"),
            (Unit::Times, 24_512, "2.45 ×"),
            (Unit::Times, -4_500, "−0.45 ×"),
            (Unit::Times, -24_512, "−2.45 ×"),
            (Unit::Times, -99, "0.00 ×"),
            (Unit::Seconds, 59, "59 s"),
            (Unit::Seconds, 90, "1.5 min"),
            (Unit::Seconds, 7_200, "2 h"),
            (Unit::Seconds, 200_000, "2.3 days"),
        ] {
            assert_eq!(written(unit, Some(value)), said);
        }
        assert_eq!(written(Unit::Share, None), "–");
    }

    #[test]
    fn a_change_is_said_by_its_sign_and_what_it_was() {
        for (unit, now, before, said) in [
            (Unit::Count, Some(15), Some(12), "+3 from 12"),
            (Unit::Count, Some(0), Some(1_200), "−1,200 from 1,200"),
            (Unit::Count, Some(7), Some(7), "as before"),
            (Unit::Count, Some(0), Some(0), ""),
            (Unit::Money, Some(-500), Some(500), "−10.00 from 5.00"),
            (Unit::Share, Some(5_000), Some(2_500), "+25 points from 25 %"),
            (Unit::Share, None, Some(2_500), "was 25 %"),
            (Unit::Seconds, Some(240), None, "none before"),
            (Unit::Seconds, Some(240), Some(300), "−1 min from 5 min"),
        ] {
            assert_eq!(change(unit, now, before).replace('\u{a0}', " "), said);
        }
    }

    #[test]
    fn a_part_is_rounded_as_the_api_rounds_it() {
        assert_eq!(value(Cell::Part(1, 3)), Some(3_333));
        assert_eq!(value(Cell::Part(2, 3)), Some(6_667));
        assert_eq!(value(Cell::Part(-2, 3)), Some(-6_667));
        assert_eq!(value(Cell::Part(2, 0)), None);
    }
}
