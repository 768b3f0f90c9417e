//! What everything is called.
//!
//! Two kinds of name: a *slug*, written by people in a rulebook (`hudson-roofing`), and a *UUID*,
//! minted for what arrives (version 7 of RFC 9562: time first, so that ids sort by arrival).
//!
//! A slug of up to 23 bytes lies in whatever has it; a longer one beside it, once for all its copies. A rulebook in memory
//! is mostly such names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::error::Invalid;
use crate::limits;

/// The company of the synthetic lead, which is nobody's: see `functions/sweep`.
pub const SYNTHETIC_COMPANY: &str = "leadyard-synthetic";

macro_rules! slug {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(SmolStr);

        impl $name {
            /// Parses a slug: a lower-case letter or digit, then up to 47 more of those, `-`, `_` or `.`.
            pub fn new(text: &str) -> Result<Self, Invalid> {
                check_slug(text)?;
                Ok(Self(SmolStr::new(text)))
            }

            /// The slug as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", &self.0)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;
            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

slug! {
    /// The tenant: whose leads these are.
    CompanyId
}
slug! {
    /// The trade, e.g. `roofing`.
    CategoryId
}
slug! {
    /// What the lead signed up for, within a category.
    OfferId
}
slug! {
    /// Who sent it: a form, an ad platform, a file.
    SourceId
}
slug! {
    /// Who receives leads.
    DealerId
}
slug! {
    /// Somebody of the desk, as `people.csv` has them.
    PersonId
}
slug! {
    /// A dealer's agreement with a company.
    ContractId
}
slug! {
    /// A named area of `areas.csv`.
    AreaId
}
slug! {
    /// The form of a dealer's own API, as `templates.toml` has it.
    TemplateId
}
slug! {
    /// Why a dealer returns a lead, as its contract lists it: `wrong-number`.
    ReturnReason
}

fn check_slug(text: &str) -> Result<(), Invalid> {
    let rest_ok =
        text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
    let first_ok = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if first_ok && rest_ok && text.len() <= limits::SLUG_BYTES {
        Ok(())
    } else {
        Err(Invalid::new(
            "an id is 1 to 48 characters: lower-case letters, digits, '-', '_' and '.', a letter or digit first",
        ))
    }
}

macro_rules! uuid_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A version 7 UUID of this instant and these ten random bytes.
            pub fn mint(now: jiff::Timestamp, entropy: [u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid())
            }

            /// From the sixteen bytes of a UUID.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The sixteen bytes of the UUID.
            pub const fn bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// When it was minted, in Unix milliseconds: the first 48 bits of a version 7 UUID.
            pub fn minted_ms(&self) -> i64 {
                self.bytes().iter().take(6).fold(0, |ms, byte| ms << 8 | i64::from(*byte))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> {
                Uuid::try_parse(text).map(Self).map_err(|_| Invalid::new("an id is a UUID"))
            }
        }
    };
}

uuid_id! {
    /// One person's interest in one scope of one company.
    LeadId
}
uuid_id! {
    /// Something the desk did.
    ActId
}
uuid_id! {
    /// A person's erasure.
    ErasureId
}
uuid_id! {
    /// One arrival. Fixed before the first write, so that keeping it twice keeps it once.
    EnquiryId
}
uuid_id! {
    /// A cycle's seat given to a contract.
    AssignmentId
}
uuid_id! {
    /// What distribution concluded, once.
    DecisionId
}
uuid_id! {
    /// A browser, before and after we know whose.
    VisitorId
}

impl LeadId {
    /// The id of the lead that an enquiry opens. It is the enquiry's own, so that an enquiry kept
    /// twice cannot open two leads.
    pub const fn opened_by(enquiry: EnquiryId) -> Self {
        Self(enquiry.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_states_its_rule() {
        assert!(DealerId::new("hudson-roofing").is_ok());
        for bad in ["", "-x", "Hudson", "a b", "é", &"x".repeat(49)] {
            let error = DealerId::new(bad).unwrap_err();
            assert!(error.to_string().contains("1 to 48 characters"));
        }
    }

    #[test]
    fn ids_sort_by_arrival() {
        let early = LeadId::mint(jiff::Timestamp::from_second(1_000).unwrap(), [0xff; 10]);
        let late = LeadId::mint(jiff::Timestamp::from_second(1_001).unwrap(), [0; 10]);
        assert!(early < late);
        assert_eq!(early.to_string().parse::<LeadId>().unwrap(), early);
    }
}
