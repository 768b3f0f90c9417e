//! What spreadsheets do to values, put right where it is sure.

use crate::enquiry::{BodyError, FieldMap, Fields, Meaning, Standard, is_united_states};
use crate::error::Invalid;
use crate::money::Money;

/// The fields of an enquiry with ZIPs and phones as they were before a spreadsheet took them for numbers.
pub(super) fn fields(sent: &[(&str, &str)], map: &FieldMap) -> Result<Fields, BodyError> {
    let means = |name: &str, standard: Standard| map.meaning(name).1 == Meaning::Standard(standard);
    let abroad = sent.iter().any(|(name, value)| {
        means(name, Standard::Country) && !value.trim().is_empty() && !is_united_states(value)
    });
    let mut fields = Fields::default();
    for &(name, value) in sent {
        let mended = if means(name, Standard::Zip) && !abroad {
            zip(value)
        } else if means(name, Standard::Phone) {
            whole(value).to_owned()
        } else {
            value.to_owned()
        };
        fields.push(name, mended)?;
    }
    Ok(fields)
}

/// `2134` is `02134`, `501.0` is `00501`, and `2134-1234` is `02134-1234`.
fn zip(text: &str) -> String {
    let text = whole(text);
    let (five, rest) = text.split_once('-').unwrap_or((text, ""));
    let lost = (3..5).contains(&five.len()) && five.bytes().all(|byte| byte.is_ascii_digit());
    let four = rest.len() == 4 && rest.bytes().all(|byte| byte.is_ascii_digit());
    match (lost, rest.is_empty(), four) {
        (true, true, _) => format!("{five:0>5}"),
        (true, false, true) => format!("{five:0>5}-{rest}"),
        (true | false, _, _) => text.to_owned(),
    }
}

/// A whole number that was written with a decimal: `3055550100.0`.
pub(super) fn whole(text: &str) -> &str {
    let text = text.trim();
    match text.strip_suffix(".0") {
        Some(number) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => number,
        Some(_) | None => text,
    }
}

/// `1,204` is 1204; not `1,2`, which may be a decimal.
pub(super) fn without_thousands(text: &str) -> Option<String> {
    let (whole, cents) = text.split_once('.').map_or((text, None), |(whole, cents)| (whole, Some(cents)));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    if !rest.is_empty() && (first.is_empty() || first.len() > 3 || rest.iter().any(|group| group.len() != 3))
    {
        return None;
    }
    let whole = whole.replace(',', "");
    Some(cents.map_or(whole.clone(), |cents| format!("{whole}.{cents}")))
}

/// An amount with its dollar sign and the commas of its thousands: `$1,204.50`.
pub(super) fn amount(text: &str) -> Result<Money, Invalid> {
    let text = text.trim();
    let text = text.strip_prefix('$').unwrap_or(text).trim();
    let plain = without_thousands(text).unwrap_or_else(|| text.to_owned());
    plain.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_gets_its_zeros_back_and_nothing_else_is_touched() {
        for (text, mended) in [
            ("2134", "02134"),
            ("501.0", "00501"),
            ("2134-1234", "02134-1234"),
            ("33101", "33101"),
            ("33101-1234", "33101-1234"),
            ("12", "12"),
            ("2134-12", "2134-12"),
            ("K1A 0B1", "K1A 0B1"),
        ] {
            assert_eq!(zip(text), mended);
        }
    }

    #[test]
    fn a_zip_of_another_country_stays_as_it_is() {
        let map = FieldMap::default();
        let sent = |country| [("ZIP Code", "1010"), ("Country", country), ("Cell", "3055550100.0")];
        let austria = fields(&sent("Austria"), &map).unwrap();
        let united = fields(&sent("USA"), &map).unwrap();
        assert_eq!((austria.get("ZIP Code"), united.get("ZIP Code")), (Some("1010"), Some("01010")));
        assert_eq!(united.get("Cell"), Some("3055550100"));
    }

    #[test]
    fn an_amount_is_read_with_its_sign_and_its_thousands() {
        for (text, minor) in [("$45.00", 4_500), ("1,204.5", 120_450), ("$ 12,000", 1_200_000), ("45", 4_500)]
        {
            assert_eq!(amount(text).unwrap().minor(), minor, "{text}");
        }
        for bad in ["45,00", "1,2", ",100", "-5", "€5", ""] {
            assert!(amount(bad).is_err(), "{bad}");
        }
    }
}
