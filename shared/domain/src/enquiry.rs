//! An enquiry: one arrival, as received and as understood.
//!
//! As received it is [`Fields`]: an ordered list of names and values, whatever the body's format was.
//! That is what is stored, for proof, and spilled when the table is away. As understood it is
//! [`Understood`]: standard names parsed into types, everything else kept aside.
//!
//! A body that cannot be read at all is a [`BodyError`]. Beyond that nothing is refused: a value that
//! breaks a rule is kept among the `extra` fields or cut at its limit, with a note saying which rule.

mod fields;
mod multipart;
mod adf;
mod names;
mod consent;
mod attribution;
mod google;
mod meta;
mod understood;

use std::net::IpAddr;

use jiff::Timestamp;

pub use attribution::{Attribution, Tag, Touch};
pub use consent::{Consent, ConsentTexts};
pub use fields::{BodyError, Fields};
pub use google::GoogleLead;
pub use meta::{MetaLead, MetaNotice};
pub use multipart::{Part, parts};
pub use names::{FieldMap, Standard};
pub(crate) use names::{Meaning, squeezed};
pub use understood::Understood;
pub(crate) use understood::is_united_states;

/// One arrival, as received.
#[derive(Clone, PartialEq, Eq)]
pub struct Enquiry {
    /// The names and values sent.
    pub fields: Fields,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Whether the browser sent `Sec-GPC: 1` (Global Privacy Control).
    pub global_privacy_control: bool,
    /// The address it came from, as the request says: for the proof of a consent, and nothing else.
    pub ip: Option<IpAddr>,
}

impl std::fmt::Debug for Enquiry {
    /// Without the fields.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enquiry").field("received_at", &self.received_at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
