//! What a lead did: the truth that a score is computed from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::Invalid;
use crate::limits;
use crate::time::UtcDay;

/// Per UTC day and kind a set of interaction ids, and per day a set of revoked ids.
///
/// All three ways to change it are unions of sets, hence commutative, associative and idempotent: any
/// order and any repetition of the same changes give the same activity. An interaction is identified
/// by its day, kind and id; a retry keeps all three.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    days: BTreeMap<UtcDay, DayActivity>,
}

/// One UTC day of [`Activity`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayActivity {
    kinds: BTreeMap<InteractionKind, BTreeSet<InteractionId>>,
    revoked: BTreeSet<InteractionId>,
}

impl Activity {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an interaction; `false` when it was known. One that was revoked stays revoked.
    pub fn add(&mut self, day: UtcDay, kind: InteractionKind, id: InteractionId) -> bool {
        self.days.entry(day).or_default().kinds.entry(kind).or_default().insert(id)
    }

    /// Revokes an interaction of that day, whatever its kind, known or still to come; `false` when it
    /// was revoked before. There is no way back: a revocation undone would depend on order.
    pub fn revoke(&mut self, day: UtcDay, id: InteractionId) -> bool {
        self.days.entry(day).or_default().revoked.insert(id)
    }

    /// Adds all of another's: a visitor's history becomes the lead's.
    pub fn union(&mut self, other: &Self) {
        for (&day, theirs) in &other.days {
            let ours = self.days.entry(day).or_default();
            for (kind, ids) in &theirs.kinds {
                ours.kinds.entry(kind.clone()).or_default().extend(ids);
            }
            ours.revoked.extend(&theirs.revoked);
        }
    }

    /// The days, earliest first.
    pub fn days(&self) -> impl DoubleEndedIterator<Item = (UtcDay, &DayActivity)> {
        self.days.iter().map(|(&day, activity)| (day, activity))
    }

    /// Whether nothing was ever added or revoked.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }
}

impl DayActivity {
    /// How many interactions of this kind stand: those added less those revoked. Not yet capped.
    pub fn count(&self, kind: &InteractionKind) -> usize {
        self.kinds.get(kind).map_or(0, |ids| ids.difference(&self.revoked).count())
    }

    /// The kinds seen, each with its ids, the revoked included.
    pub fn kinds(&self) -> impl Iterator<Item = (&InteractionKind, &BTreeSet<InteractionId>)> {
        self.kinds.iter()
    }

    /// The revoked ids.
    pub const fn revoked(&self) -> &BTreeSet<InteractionId> {
        &self.revoked
    }
}

/// An interaction as the sets keep it: eight bytes. Two of a lead's interactions of one day and kind
/// collide with probability n²/2⁶⁵: for a thousand a day, about 3 in 10¹⁴.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InteractionId([u8; 8]);

impl InteractionId {
    /// The first eight bytes of SHA-256 over a domain prefix and the sender's id, which must mean the
    /// same in a retry and needs to be unique only within a lead, day and kind.
    pub fn hash8(id: &str) -> Self {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(b"leadyard/interaction/1\0")
            .chain_update(id.as_bytes())
            .finalize()
            .into();
        Self(digest.first_chunk().copied().unwrap_or_default()) // 32 bytes have a first eight
    }

    /// From the eight bytes as stored.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The eight bytes.
    pub const fn bytes(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Debug for InteractionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// What kind of thing was done, e.g. `page_view`: a slug of at most
/// [`limits::INTERACTION_KIND_BYTES`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InteractionKind(Arc<str>);

impl InteractionKind {
    /// Parses a kind.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let first_ok = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let rest_ok = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
        if first_ok && rest_ok && text.len() <= limits::INTERACTION_KIND_BYTES {
            Ok(Self(Arc::from(text)))
        } else {
            Err(Invalid::new(
                "an interaction's kind is 1 to 32 characters: lower-case letters, digits, '-', '_' and '.', a letter or digit first",
            ))
        }
    }

    /// `enquiry`: the kind that counts enquiries. Every model has it.
    pub fn enquiry() -> Self {
        Self(Arc::from("enquiry"))
    }

    /// The kind as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InteractionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for InteractionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for InteractionKind {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::new(text)
    }
}

impl TryFrom<String> for InteractionKind {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::new(&text)
    }
}

impl From<InteractionKind> for String {
    fn from(kind: InteractionKind) -> Self {
        kind.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interaction_counts_once_and_a_revocation_may_come_first() {
        let (day, click) = (UtcDay(20_000), InteractionKind::new("email_click").unwrap());
        let mut activity = Activity::new();
        assert!(activity.add(day, click.clone(), InteractionId::hash8("a")));
        assert!(!activity.add(day, click.clone(), InteractionId::hash8("a")));
        activity.revoke(day, InteractionId::hash8("b"));
        activity.add(day, click.clone(), InteractionId::hash8("b"));
        let (_, only) = activity.days().next().unwrap();
        assert_eq!(only.count(&click), 1);
    }

    #[test]
    fn an_interactions_hash_is_the_same_in_every_version() {
        // Stored in every activity item: a change here forgets who did what.
        assert_eq!(format!("{:?}", InteractionId::hash8("evt-1")), "561c446a6b7fdf85");
    }

    #[test]
    fn a_kind_states_its_rule() {
        for bad in ["", "Page", "-x", &"x".repeat(33)] {
            assert!(InteractionKind::new(bad).unwrap_err().to_string().contains("1 to 32 characters"));
        }
    }
}
