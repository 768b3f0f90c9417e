//! The form token: what a page fetches when it is opened, and sends with what was typed.
//!
//! A page may be static and stand in a cache for a year: its token is fetched by its script, from a route
//! that is never cached. A page without a script sends none, and is not held to it, unless the source says
//! that all its pages do.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::rules::FormLimits;
use super::{AddressHash, Reason};
use crate::access::Credential;
use crate::ids::{CompanyId, SourceId};

/// Says that a form of this source was opened, when, and at which address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormToken {
    /// The company.
    pub company: CompanyId,
    /// The source.
    pub source: SourceId,
    /// When, Unix milliseconds.
    pub opened_ms: i64,
    /// Where, as far as it is known.
    pub address: Option<AddressHash>,
    /// Tells it from every other.
    pub nonce: [u8; 8],
}

impl Credential for FormToken {
    const PREFIX: &'static str = "ft";
}

/// What the form token of an enquiry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormSeen {
    /// There is none, and none was to be expected.
    Unasked,
    /// There is none, though the source's pages send one.
    Missing,
    /// It is not ours, damaged, or another source's.
    Invalid,
    /// It is ours.
    Opened {
        /// Since when.
        age: SignedDuration,
        /// It was opened at another address.
        elsewhere: bool,
    },
}

impl FormSeen {
    /// What a token says of an enquiry of this source, sent now from this address.
    pub fn of(
        token: &FormToken,
        company: &CompanyId,
        source: &SourceId,
        at: Timestamp,
        address: Option<AddressHash>,
    ) -> Self {
        if token.company != *company || token.source != *source {
            return Self::Invalid;
        }
        let age = SignedDuration::from_millis(at.as_millisecond().saturating_sub(token.opened_ms));
        let elsewhere = token.address.zip(address).is_some_and(|(opened, sent)| opened != sent);
        Self::Opened { age, elsewhere }
    }

    pub(super) fn signs(self, limits: FormLimits, signs: &mut Vec<Reason>) {
        match self {
            Self::Unasked => {}
            Self::Missing => signs.push(Reason::FormTokenMissing),
            Self::Invalid => signs.push(Reason::FormTokenInvalid),
            Self::Opened { age, elsewhere } => {
                if age < SignedDuration::from_secs(i64::from(limits.fast_seconds)) {
                    signs.push(Reason::FormTooFast);
                } else if age > SignedDuration::from_hours(i64::from(limits.old_hours)) {
                    signs.push(Reason::FormTooOld);
                }
                if elsewhere {
                    signs.push(Reason::FormTokenElsewhere);
                }
            }
        }
    }
}
