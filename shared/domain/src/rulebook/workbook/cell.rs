//! One cell as the table reader reads it.

use calamine::{DataRef, ExcelDateTime};

/// What a spreadsheet shows where it made a value a date: the table reader knows it and says what to do.
const MADE_A_DATE: &str = "01/01/1900";

/// Excel keeps so many digits of a number.
const DIGITS: usize = 15;

/// The cell's text; empty for an empty one.
pub(super) fn text(value: &DataRef<'_>, in_date_column: bool) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::Error(error) => error.to_string(),
        DataRef::DateTime(time) if in_date_column => date(*time).unwrap_or_else(|| MADE_A_DATE.to_owned()),
        DataRef::DateTimeIso(text) if in_date_column => {
            text.strip_suffix("T00:00:00").unwrap_or(text).to_owned()
        }
        DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => MADE_A_DATE.to_owned(),
    }
}

/// The cell's text as a person sees it, whatever its column is: dates may have their time of day.
pub(super) fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::DateTime(time) if time.is_datetime() && time.as_f64() >= 1.0 => {
            date(*time).unwrap_or_else(|| {
                let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            })
        }
        DataRef::DateTime(time) => number_text(time.as_f64()),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Empty
        | DataRef::String(_)
        | DataRef::SharedString(_)
        | DataRef::Int(_)
        | DataRef::Float(_)
        | DataRef::Bool(_)
        | DataRef::Error(_) => text(value, false),
    }
}

/// `2026-05-09`, when it is a whole day.
fn date(time: ExcelDateTime) -> Option<String> {
    let is_day = time.is_datetime() && time.as_f64().fract() == 0.0 && time.as_f64() >= 1.0;
    let (year, month, day, ..) = time.to_ymd_hms_milli();
    is_day.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// As a spreadsheet shows it in a cell that is wide enough: what `=45*1.1` leaves behind the fifteenth
/// digit is no part of it.
fn number_text(number: f64) -> String {
    if number.abs() >= 1e15 {
        // `1.5E+15`, which the table reader refuses: digits of it are lost.
        return format!("{number:.1E}").replace('E', "E+");
    }
    let rounded: f64 = format!("{number:.*e}", DIGITS - 1).parse().unwrap_or(number);
    if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_a_spreadsheet_shows_it() {
        for (number, expected) in [
            (45.0, "45"),
            (45.5, "45.5"),
            (45.0 * 1.1, "49.5"),
            (0.1 + 0.2, "0.3"),
            (-0.0, "0"),
            (2134.0, "2134"),
            (13_055_550_100.0, "13055550100"),
            (123_456_789_012_345.0, "123456789012345"),
            (1.5e15, "1.5E+15"),
            (-3.0, "-3"),
        ] {
            assert_eq!(number_text(number), expected);
        }
    }
}
