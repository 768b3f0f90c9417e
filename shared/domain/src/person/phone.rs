//! A telephone number.

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

use crate::error::Invalid;
use crate::limits;

/// A telephone number in E.164 (`+13055550100`): at most 15 digits behind a plus.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// Parses a number as typed; without a country code it is read as one of North America. An extension
    /// is left out.
    ///
    /// Taken is what the numbering plans know as valid, and besides any number of the shape NXX-NXX-XXXX
    /// whose area code could be given out: new area codes appear every year, and a person turned away
    /// for having one costs more than a number that does not ring.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.len() > limits::PHONE_BYTES {
            return Err(rule());
        }
        Self::plainly_typed(text).map_or_else(|| Self::by_the_plans(text), Ok)
    }

    /// A number of North America as nearly everybody types one: ten digits, or a one before them, and nothing but
    /// punctuation between. Its digits are all there is to it, and reading the plans of two hundred and fifty countries
    /// takes longer (20 ms, once a process) than all else that a function begins with.
    fn plainly_typed(text: &str) -> Option<Self> {
        let (typed, has_plus) = text.strip_prefix('+').map_or((text, false), |behind| (behind, true));
        let is_punctuation = |c: char| matches!(c, ' ' | '(' | ')' | '-' | '.');
        if !typed.chars().all(|c| c.is_ascii_digit() || is_punctuation(c)) {
            return None;
        }
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        let national = match digits.len() {
            10 if !has_plus => digits.as_str(),
            11 => digits.strip_prefix('1')?,
            _ => return None,
        };
        is_assignable(national).then(|| Self(format!("+1{national}")))
    }

    /// A number as the library of all numbering plans reads it.
    fn by_the_plans(text: &str) -> Result<Self, Invalid> {
        let number = PHONE_NUMBER_UTIL.parse(text, Some(Region::US)).map_err(|_| rule())?;
        let e164 = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned();
        let phone = Self(e164);
        if phone.0.len() > "+".len() + 15 {
            return Err(rule());
        }
        let shaped = phone.national_digits().is_some_and(is_assignable);
        if shaped || PHONE_NUMBER_UTIL.is_valid_number(&number) { Ok(phone) } else { Err(rule()) }
    }

    /// The number in E.164. Personal.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The area code of a North American number, 200 to 999; `None` for any other.
    pub fn area_code(&self) -> Option<u16> {
        self.national_digits()?.get(..3)?.parse().ok()
    }

    /// Whether it is typed to get past a form: directory assistance (555-1212), one digit over and over,
    /// or digits counted up or down. Such a number identifies nobody. (Numbers like 000-0000 are refused
    /// at once.)
    ///
    /// 555-0100 to 555-0199, set aside for fiction, are *not* dummies: demonstrations and tests live on
    /// them.
    pub fn is_dummy(&self) -> bool {
        let Some(digits) = self.national_digits() else {
            return is_repeated(self.0.get(3..).unwrap_or_default()); // behind the plus and a country code
        };
        let subscriber = digits.get(3..).unwrap_or_default();
        subscriber == "5551212"
            || is_repeated(subscriber)
            || ["2345678901", "9876543210", "8765432109"].contains(&digits)
    }

    /// The ten digits behind +1.
    fn national_digits(&self) -> Option<&str> {
        self.0.strip_prefix("+1").filter(|digits| digits.len() == 10)
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

fn rule() -> Invalid {
    Invalid::new(
        "a phone number is written (305) 555-0100, or with a country code +44 20 7183 8750, at most 40 bytes",
    )
}

fn is_repeated(digits: &str) -> bool {
    let mut bytes = digits.bytes();
    bytes.next().is_some_and(|first| bytes.all(|b| b == first))
}

/// Whether ten digits are NXX-NXX-XXXX with an area code and an exchange that could be given out: neither
/// may end in 11, and the plan keeps back area codes of the form N9X, 37X and 96X, and 555.
/// Source: North American Numbering Plan Administration, area code and central office code guidelines.
pub(super) fn is_assignable(digits: &str) -> bool {
    let (Some(area), Some(exchange)) = (digits.get(..3), digits.get(3..6)) else { return false };
    let may_stand = |code: &str| !code.starts_with(['0', '1']) && !code.ends_with("11");
    let kept_back =
        area.get(1..2) == Some("9") || area.starts_with("37") || area.starts_with("96") || area == "555";
    may_stand(area) && may_stand(exchange) && !kept_back
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn phone(text: &str) -> Phone {
        Phone::parse(text).unwrap()
    }

    #[test]
    fn a_number_is_one_number_however_it_is_typed() {
        for typed in [
            "3055550100",
            "(305) 555-0100",
            "305.555.0100",
            "1-305-555-0100",
            "+1 305 555 0100",
            " 305 555 0100 x12 ",
            "tel:+1-305-555-0100",
            "305-555-0100 ext. 7",
        ] {
            assert_eq!(phone(typed).as_str(), "+13055550100", "{typed}");
        }
        assert_eq!(phone("+44 (0)20 7183 8750").as_str(), "+442071838750");
        assert_eq!(phone("+44 20 7183 8750").area_code(), None);
        assert_eq!(phone("305-555-0100").area_code(), Some(305));
    }

    #[test]
    fn how_most_are_typed_needs_no_plan() {
        for typed in ["3055550100", "(305) 555-0100", "305.555.0100", "1-305-555-0100", "+1 305 555 0100"] {
            assert_eq!(Phone::plainly_typed(typed), Some(phone("3055550100")), "{typed}");
        }
        for other in
            ["+44 20 7183 8750", "tel:+1-305-555-0100", "305-155-0100", "+3055550100", "305 555 0100 x12"]
        {
            assert_eq!(Phone::plainly_typed(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_without_repeating_it() {
        for bad in [
            "",
            "call me",
            "555-0100",
            "305-000-0000",
            "000-000-0000",
            "1111111111",
            "1234567890",
            "911",
            "305-155-0100",
            "555-555-5555",
            "999-999-9999",
            "+",
            "+1",
            "+999 123 456",
            &"3".repeat(41),
        ] {
            let error = Phone::parse(bad).unwrap_err().to_string();
            assert!(error.starts_with("a phone number is written (305) 555-0100"), "{bad}: {error}");
        }
    }

    #[test]
    fn an_area_code_that_the_tables_do_not_know_yet_is_taken() {
        assert_eq!(phone("227 555 0100").as_str(), "+12275550100");
        assert!(is_assignable("2325550100"));
        for kept_back in ["2115550100", "2915550100", "3715550100", "9615550100", "5555550100", "3059110100"]
        {
            assert!(!is_assignable(kept_back), "{kept_back}");
        }
    }

    #[test]
    fn dummies_are_known_and_fiction_is_not_among_them() {
        for dummy in ["305-555-1212", "222-222-2222", "305-555-5555", "234-567-8901"] {
            assert!(phone(dummy).is_dummy(), "{dummy}");
        }
        for real in ["305-555-0100", "305-555-0199", "+44 20 7183 8750", "212-736-5000"] {
            assert!(!phone(real).is_dummy(), "{real}");
        }
    }

    #[test]
    fn a_number_is_never_printed() {
        assert_eq!(format!("{:?}", phone("305-555-0100")), "Phone(…)");
    }

    /// Ten digits, most of them a number that could be given out.
    fn ten() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[2-9][0-8][0-9][2-9][0-9]{6}", 1 => "[0-9]{10}"]
    }

    proptest! {
        #[test]
        fn what_is_plainly_typed_is_what_the_plans_say(
            digits in ten(),
            between in prop::collection::vec("[ ().-]{0,3}", 11),
            before in prop::sample::select(vec!["", "1", "+1", "+ 1", "1 ", "+", "011", "0", "(1) ", "+1 1"]),
        ) {
            let mut text = before.to_owned();
            for (digit, between) in digits.chars().zip(&between) {
                text.push_str(between);
                text.push(digit);
            }
            text.push_str(&between[10]);
            let text = text.trim();
            if let Some(phone) = Phone::plainly_typed(text) {
                prop_assert_eq!(Phone::by_the_plans(text).map_err(|_| text.to_owned()), Ok(phone));
            }
        }

        #[test]
        fn whatever_is_plain_is_what_the_plans_say(text in "\\+?[0-9() .-]{6,24}") {
            if let Some(phone) = Phone::plainly_typed(text.trim()) {
                prop_assert_eq!(Phone::by_the_plans(text.trim()).map_err(|_| text.clone()), Ok(phone));
            }
        }

        #[test]
        fn parsing_is_total_and_stable(text in prop_oneof!["\\PC{0,42}", "\\+?[0-9() .x-]{6,24}"]) {
            if let Ok(phone) = Phone::parse(&text) {
                prop_assert!(Phone::parse(phone.as_str()).as_ref() == Ok(&phone));
                prop_assert!(phone.as_str().bytes().skip(1).all(|b| b.is_ascii_digit()));
            }
        }
    }
}
