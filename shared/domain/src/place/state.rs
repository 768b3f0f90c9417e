//! The states of the United States, and what the Postal Service treats like one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;

/// A state as the Postal Service has it: the 50 states, DC, Puerto Rico, the other territories (AS,
/// GU, MP, VI), the freely associated states (FM, MH, PW) and the military (AA, AE, AP). Serialized as
/// its two letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct State(u8); // its place in NAMED

impl State {
    /// Every state, by its two letters.
    pub const ALL: &'static [Self] = &{
        let mut all = [Self(0); NAMED.len()];
        let mut at = 0;
        while at < NAMED.len() {
            all[at] = Self(at as u8);
            at += 1;
        }
        all
    };

    /// Its two letters, `FL`.
    pub const fn as_str(self) -> &'static str {
        NAMED[self.0 as usize].0
    }

    /// Its name, `Florida`.
    pub const fn name(self) -> &'static str {
        NAMED[self.0 as usize].1
    }

    /// Its position in [`State::ALL`]: a dense index for tables in memory. Never store it.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub(super) fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }
}

impl FromStr for State {
    type Err = Invalid;

    /// Parses `FL`, `fl`, `Florida`, spaces around it or not.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let means =
            |(code, name): &(&str, &str)| text.eq_ignore_ascii_case(code) || text.eq_ignore_ascii_case(name);
        let also = ALIASES.iter().find(|(alias, _)| text.eq_ignore_ascii_case(alias)).map(|(_, code)| *code);
        NAMED
            .iter()
            .position(|named| means(named) || also == Some(named.0))
            .map(|at| Self(at as u8))
            .ok_or_else(|| Invalid::new("a state is its two letters or its name, such as FL or Florida"))
    }
}

impl TryFrom<String> for State {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<State> for String {
    fn from(state: State) -> Self {
        state.as_str().to_owned()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Other names that forms and people use.
const ALIASES: [(&str, &str); 9] = [
    ("D.C.", "DC"),
    ("Washington DC", "DC"),
    ("Washington D.C.", "DC"),
    ("Washington, DC", "DC"),
    ("Washington, D.C.", "DC"),
    ("Washington State", "WA"),
    ("Micronesia", "FM"),
    ("U.S. Virgin Islands", "VI"),
    ("US Virgin Islands", "VI"),
];

/// Letters and name (USPS Publication 28, appendix B), by letters. The table of places stands in the
/// same order; `table.rs` checks it.
#[rustfmt::skip] // one a line, to be found
const NAMED: [(&str, &str); 62] = [
    ("AA", "Armed Forces Americas"),
    ("AE", "Armed Forces Europe"),
    ("AK", "Alaska"),
    ("AL", "Alabama"),
    ("AP", "Armed Forces Pacific"),
    ("AR", "Arkansas"),
    ("AS", "American Samoa"),
    ("AZ", "Arizona"),
    ("CA", "California"),
    ("CO", "Colorado"),
    ("CT", "Connecticut"),
    ("DC", "District of Columbia"),
    ("DE", "Delaware"),
    ("FL", "Florida"),
    ("FM", "Federated States of Micronesia"),
    ("GA", "Georgia"),
    ("GU", "Guam"),
    ("HI", "Hawaii"),
    ("IA", "Iowa"),
    ("ID", "Idaho"),
    ("IL", "Illinois"),
    ("IN", "Indiana"),
    ("KS", "Kansas"),
    ("KY", "Kentucky"),
    ("LA", "Louisiana"),
    ("MA", "Massachusetts"),
    ("MD", "Maryland"),
    ("ME", "Maine"),
    ("MH", "Marshall Islands"),
    ("MI", "Michigan"),
    ("MN", "Minnesota"),
    ("MO", "Missouri"),
    ("MP", "Northern Mariana Islands"),
    ("MS", "Mississippi"),
    ("MT", "Montana"),
    ("NC", "North Carolina"),
    ("ND", "North Dakota"),
    ("NE", "Nebraska"),
    ("NH", "New Hampshire"),
    ("NJ", "New Jersey"),
    ("NM", "New Mexico"),
    ("NV", "Nevada"),
    ("NY", "New York"),
    ("OH", "Ohio"),
    ("OK", "Oklahoma"),
    ("OR", "Oregon"),
    ("PA", "Pennsylvania"),
    ("PR", "Puerto Rico"),
    ("PW", "Palau"),
    ("RI", "Rhode Island"),
    ("SC", "South Carolina"),
    ("SD", "South Dakota"),
    ("TN", "Tennessee"),
    ("TX", "Texas"),
    ("UT", "Utah"),
    ("VA", "Virginia"),
    ("VI", "Virgin Islands"),
    ("VT", "Vermont"),
    ("WA", "Washington"),
    ("WI", "Wisconsin"),
    ("WV", "West Virginia"),
    ("WY", "Wyoming"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_by_letters_and_by_name() {
        for text in ["FL", "fl", " Florida ", "FLORIDA"] {
            assert_eq!(text.parse::<State>().unwrap().to_string(), "FL", "{text}");
        }
        assert_eq!("washington, d.c.".parse::<State>().unwrap().name(), "District of Columbia");
        assert_eq!("west virginia".parse::<State>().unwrap().as_str(), "WV");
        for bad in ["", "F", "XX", "Floridaa", "Ontario"] {
            assert!(bad.parse::<State>().unwrap_err().to_string().contains("two letters"), "{bad}");
        }
    }

    #[test]
    fn every_state_is_read_as_it_is_printed() {
        assert_eq!(State::ALL.len(), 50 + 1 + 5 + 3 + 3);
        assert!(State::ALL.is_sorted_by_key(|state| state.as_str()));
        for (at, state) in State::ALL.iter().enumerate() {
            assert_eq!(state.index(), at);
            assert_eq!(state.to_string().parse::<State>().unwrap(), *state);
            assert_eq!(state.name().parse::<State>().unwrap(), *state);
            let json = serde_json::to_string(state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
            assert_eq!(serde_json::from_str::<State>(&json).unwrap(), *state);
        }
    }
}
