//! What spreadsheets do to data: recognised, so that it can be refused by name.

/// What a spreadsheet made of a value, and how to undo it.
pub(super) fn advice(text: &str) -> Option<&'static str> {
    if is_error(text) {
        Some(ERROR_VALUE)
    } else if text == "TRUE" || text == "FALSE" {
        Some("the spreadsheet made this TRUE or FALSE: format the column as text and write it again")
    } else if is_scientific(text) {
        Some("the spreadsheet rounded this number: format the column as text and write it again in full")
    } else if is_date(text) {
        Some("the spreadsheet made this a date: format the column as text and write it again")
    } else {
        None
    }
}

/// What is said of an error value.
pub(crate) const ERROR_VALUE: &str =
    "this is a spreadsheet's error value: repair the formula before you save";

/// `#REF!`, `#N/A`, `#NAME?` and their like.
pub(crate) fn is_error(text: &str) -> bool {
    let named = |name: &str| name.bytes().all(|byte| byte.is_ascii_uppercase() || b"/0_".contains(&byte));
    let error = text.strip_prefix('#').and_then(|rest| rest.strip_suffix(['!', '?']));
    text == "#N/A" || error.is_some_and(|name| !name.is_empty() && named(name))
}

/// `1.5E+07`, `3,05E+09`.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, part) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    [whole, part, exponent].into_iter().all(is_number) && text.contains(['.', ',', '+'])
}

/// `9-May`, `May-09`, `9. Mai`, `05/09/2026`, `9-May-26`, `09.05.2026`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '/', '.', ' ']).filter(|part| !part.is_empty()).take(4).collect();
    let numbers = parts.iter().filter(|part| is_number(part) && part.len() <= 4).count();
    let months = parts.iter().filter(|part| is_month(part)).count();
    match parts.len() {
        2 => numbers == 1 && months == 1,
        3 => numbers == 3 && text.contains(['/', '.']) || numbers == 2 && months == 1,
        _ => false,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_month(text: &str) -> bool {
    // English, and what German, French and Spanish spreadsheets write otherwise.
    const MONTHS: [&str; 19] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mai", "okt",
        "dez", "mrz", "ene", "ago", "dic",
    ];
    text.chars().all(char::is_alphabetic)
        && text.chars().count() <= 9
        && text.get(..3).is_some_and(|start| MONTHS.contains(&start.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_did_is_recognised() {
        for text in ["9-May", "May-09", "9. Mai", "05/09/2026", "9-May-26", "09.05.2026"] {
            assert!(advice(text).unwrap().contains("a date"), "{text}");
        }
        for text in ["1.5E+07", "3,05E+09", "1E+10"] {
            assert!(advice(text).unwrap().contains("rounded"), "{text}");
        }
        for text in ["TRUE", "#REF!", "#N/A", "#DIV/0!", "#NAME?", "#SPILL!"] {
            assert!(advice(text).is_some(), "{text}");
        }
        for text in ["Mo-Fr 08:00-18:00", "2026-05-09", "A1", "12e", "zip:33101", "May", "1e5", "é-é", ""] {
            assert!(advice(text).is_none(), "{text}");
        }
    }
}
