//! What the Postal Service and the Census number: ZIPs, the first three digits of ZIPs, counties.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;

/// Defines a number that is always written with the same count of digits.
macro_rules! digits {
    ($(#[$meta:meta])* $name:ident($number:ty), $digits:literal digits, below $limit:literal, $rule:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name($number);

        impl $name {
            const RULE: &'static str = $rule;

            fn from_digits(text: &str) -> Result<Self, Invalid> {
                if text.len() != $digits || !text.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(Invalid::new(Self::RULE));
                }
                text.parse().map(Self).map_err(|_| Invalid::new(Self::RULE))
            }
        }

        impl TryFrom<$number> for $name {
            type Error = Invalid;
            fn try_from(number: $number) -> Result<Self, Invalid> {
                if number < $limit { Ok(Self(number)) } else { Err(Invalid::new(Self::RULE)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;
            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{:0", $digits, "}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

digits! {
    /// A US ZIP, `00000` to `99999`; whether it is in use is for [`super::of`] to say. Serialized as
    /// its five digits.
    Zip(u32), 5 digits, below 100_000, "a ZIP is five digits, such as 02134 or 02134-1234"
}
digits! {
    /// The first three digits of a ZIP: a region of the mail. Serialized as three digits.
    Zip3(u16), 3 digits, below 1_000, "a ZIP3 is the first three digits of a ZIP, such as 331"
}
digits! {
    /// A county or its like, by its FIPS code: two digits of state, three of county. Serialized as
    /// five digits.
    County(u32), 5 digits, below 100_000, "a county is its FIPS code of five digits, such as 12086"
}

impl Zip {
    /// The number, at most 99,999.
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// Its first three digits.
    pub const fn zip3(self) -> Zip3 {
        Zip3((self.0 / 100) as u16)
    }

    /// A ZIP of the table, whose numbers are within the limit.
    pub(super) const fn of_table(number: u32) -> Self {
        Self(number)
    }

    /// Parses as `FromStr` does, and mends what a spreadsheet does to a ZIP that it takes for a
    /// number: `2134` is `02134`, `601` is `00601`. For imported files only: on a form, four digits
    /// are more likely a slip than a number.
    pub fn from_spreadsheet(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if matches!(text.len(), 3 | 4) { Self::from_digits(&format!("{text:0>5}")) } else { text.parse() }
    }
}

impl FromStr for Zip {
    type Err = Invalid;

    /// Parses `02134` and `02134-1234` (the last four are dropped), spaces around them or not.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let (zip, plus4) = text.split_once('-').unwrap_or((text, "0000"));
        if plus4.len() != 4 || !plus4.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Invalid::new(Self::RULE));
        }
        Self::from_digits(zip)
    }
}

impl Zip3 {
    /// The number, at most 999.
    pub const fn as_u16(self) -> u16 {
        self.0
    }
}

impl FromStr for Zip3 {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::from_digits(text.trim())
    }
}

impl County {
    /// The number, at most 99,999.
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl FromStr for County {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::from_digits(text.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_zip_is_read_as_people_write_it() {
        for text in ["02134", "02134-1234", " 02134 ", "\t02134-0000\n"] {
            assert_eq!(text.parse::<Zip>().unwrap().as_u32(), 2134, "{text}");
        }
        for bad in [
            "",
            "2134",
            "021345",
            "02134-",
            "02134-12",
            "02134-12345",
            "0213a",
            "+2134",
            "-2134",
            "02134 1234",
            "०२१३४",
        ] {
            let error = bad.parse::<Zip>().unwrap_err();
            assert!(error.to_string().contains("five digits"), "{bad}");
        }
    }

    #[test]
    fn a_spreadsheet_drops_leading_zeros() {
        for (text, zip) in [("2134", "02134"), ("601", "00601"), (" 02134-1234", "02134"), ("33101", "33101")]
        {
            assert_eq!(Zip::from_spreadsheet(text).unwrap().to_string(), zip);
        }
        for bad in ["", "1", "21", "213x", "+134", "0x1f", "2134-1234", "éé"] {
            assert!(Zip::from_spreadsheet(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn zip3_and_county_keep_their_zeros() {
        assert_eq!("02134".parse::<Zip>().unwrap().zip3(), "021".parse().unwrap());
        assert_eq!("006".parse::<Zip3>().unwrap().to_string(), "006");
        assert_eq!("01001".parse::<County>().unwrap().to_string(), "01001");
        assert_eq!("12086".parse::<County>().unwrap().as_u32(), 12_086);
        assert!("33".parse::<Zip3>().is_err());
        assert!("1001".parse::<County>().is_err());
        assert!(Zip::try_from(100_000).is_err());
        assert!(Zip3::try_from(1_000).is_err());
    }

    proptest! {
        #[test]
        fn a_zip_is_printed_as_it_is_read(number in 0..100_000_u32) {
            let zip = Zip::try_from(number).unwrap();
            prop_assert_eq!(zip.to_string().parse::<Zip>().unwrap(), zip);
            let json = serde_json::to_string(&zip).unwrap();
            prop_assert_eq!(json.len(), 7);
            prop_assert_eq!(serde_json::from_str::<Zip>(&json).unwrap(), zip);
        }

        #[test]
        fn no_text_panics(text in ".{0,12}") {
            let _ = (text.parse::<Zip>(), Zip::from_spreadsheet(&text), text.parse::<Zip3>(), text.parse::<County>());
        }
    }
}
