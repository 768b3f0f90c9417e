//! What a lead did: the truth that a score is computed from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::machine::{self, Click, MachineLimits, MessageHash, Sign, Word};
use crate::error::Invalid;
use crate::limits;
use crate::time::UtcDay;

/// Per UTC day and kind a set of interaction ids, and per day a set of revoked ids, what speaks for a
/// [machine](super::machine), and the desk's words on it.
///
/// All ways to change it are unions of sets (of the desk's words the later is kept), hence commutative, associative
/// and idempotent: any order and any repetition of the same changes give the same activity. An interaction is identified
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
    by_scanners: BTreeSet<InteractionId>,
    messages: BTreeMap<MessageHash, BTreeSet<Click>>,
    words: BTreeMap<InteractionId, Said>,
}

/// The kind that a mail tool reports of whoever wants no more mail: it counts as any other, and opts them out.
pub const UNSUBSCRIBE: &str = "unsubscribe";

/// The desk's word, and when it was said, in Unix milliseconds; the greater holds.
pub type Said = (i64, Word);

/// One interaction, as it is added to its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// What was done.
    pub kind: InteractionKind,
    /// Which.
    pub id: InteractionId,
    /// What did it named itself as a scanner, crawler or program.
    pub by_scanner: bool,
    /// The message that brought it about, if one did.
    pub click: Option<(MessageHash, Click)>,
}

/// One interaction of a lead, by its day and id: `20605-561c446a6b7fdf85`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InteractionRef {
    /// Its UTC day.
    pub day: UtcDay,
    /// Its id.
    pub id: InteractionId,
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

    /// Adds an interaction with what speaks for a machine.
    pub fn take(&mut self, day: UtcDay, done: &Interaction) {
        self.add(day, done.kind.clone(), done.id);
        if done.by_scanner {
            self.by_scanner(day, done.id);
        }
        if let Some((message, click)) = done.click {
            self.click(day, message, click);
        }
    }

    /// Revokes an interaction of that day, whatever its kind, known or still to come; `false` when it
    /// was revoked before. There is no way back: a revocation undone would depend on order.
    pub fn revoke(&mut self, day: UtcDay, id: InteractionId) -> bool {
        self.days.entry(day).or_default().revoked.insert(id)
    }

    /// Notes that what did it named itself as a machine.
    pub fn by_scanner(&mut self, day: UtcDay, id: InteractionId) {
        self.days.entry(day).or_default().by_scanners.insert(id);
    }

    /// Notes the message that brought it about.
    pub fn click(&mut self, day: UtcDay, message: MessageHash, click: Click) {
        self.days.entry(day).or_default().messages.entry(message).or_default().insert(click);
    }

    /// Notes the desk's word.
    pub fn say(&mut self, of: InteractionRef, said: Said) {
        let words = &mut self.days.entry(of.day).or_default().words;
        let word = words.entry(of.id).or_insert(said);
        *word = said.max(*word);
    }

    /// The same with all revoked that is a machine's doing: what a score is computed from.
    #[must_use]
    pub fn judged(mut self, limits: &MachineLimits) -> Self {
        for day in self.days.values_mut() {
            let aside = day.aside(limits);
            day.revoked.extend(aside.into_keys());
        }
        self
    }

    /// Whether this was done, of whatever kind.
    pub fn has(&self, of: InteractionRef) -> bool {
        self.days.get(&of.day).is_some_and(|day| day.kinds.values().any(|ids| ids.contains(&of.id)))
    }

    /// Whether this was done, and of this kind.
    pub fn has_kind(&self, of: InteractionRef, kind: &str) -> bool {
        let day = self.days.get(&of.day);
        day.is_some_and(|day| {
            day.kinds.iter().any(|(known, ids)| known.as_str() == kind && ids.contains(&of.id))
        })
    }

    /// Why it is a machine's doing, if it is.
    pub fn sign(&self, of: InteractionRef, limits: &MachineLimits) -> Option<Sign> {
        self.days.get(&of.day)?.aside(limits).remove(&of.id)
    }

    /// The desk's word on it, if there is one.
    pub fn word(&self, of: InteractionRef) -> Option<Word> {
        Some(self.days.get(&of.day)?.words.get(&of.id)?.1)
    }

    /// Adds all of another's: a visitor's history becomes the lead's.
    pub fn union(&mut self, other: &Self) {
        for (&day, theirs) in &other.days {
            let ours = self.days.entry(day).or_default();
            for (kind, ids) in &theirs.kinds {
                ours.kinds.entry(kind.clone()).or_default().extend(ids);
            }
            ours.revoked.extend(&theirs.revoked);
            ours.by_scanners.extend(&theirs.by_scanners);
            for (message, clicks) in &theirs.messages {
                ours.messages.entry(*message).or_default().extend(clicks);
            }
            for (&id, &said) in &theirs.words {
                let word = ours.words.entry(id).or_insert(said);
                *word = said.max(*word);
            }
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

    /// What named itself as a machine.
    pub const fn by_scanners(&self) -> &BTreeSet<InteractionId> {
        &self.by_scanners
    }

    /// What messages brought about.
    pub fn messages(&self) -> impl Iterator<Item = (MessageHash, &BTreeSet<Click>)> {
        self.messages.iter().map(|(&message, clicks)| (message, clicks))
    }

    /// The desk's words.
    pub fn words(&self) -> impl Iterator<Item = (InteractionId, Said)> {
        self.words.iter().map(|(&id, &said)| (id, said))
    }

    /// What is a machine's doing, each with one sign: the desk's word before any other, then the machine's own.
    pub fn aside(&self, limits: &MachineLimits) -> BTreeMap<InteractionId, Sign> {
        let mut aside = BTreeMap::new();
        for clicks in self.messages.values() {
            aside.extend(machine::signs(clicks, limits));
        }
        aside.extend(self.by_scanners.iter().map(|&id| (id, Sign::ScannerAgent)));
        for (&id, &(_, word)) in &self.words {
            match word {
                Word::Restored => drop(aside.remove(&id)),
                Word::Revoked => drop(aside.insert(id, Sign::Desk)),
            }
        }
        aside
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

impl fmt::Display for InteractionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:?}", self.day.0, self.id)
    }
}

impl FromStr for InteractionRef {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let read = || {
            let (day, id) = text.rsplit_once('-')?;
            let plain = id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit());
            let id = u64::from_str_radix(id, 16).ok().filter(|_| plain)?;
            Some(Self { day: UtcDay(day.parse().ok()?), id: InteractionId::from_bytes(id.to_be_bytes()) })
        };
        read()
            .ok_or_else(|| Invalid::new("an interaction is its day's number, '-' and 16 hexadecimal digits"))
    }
}

impl TryFrom<String> for InteractionRef {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<InteractionRef> for String {
    fn from(of: InteractionRef) -> Self {
        of.to_string()
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
    fn an_interaction_is_named_by_its_day_and_id() {
        let of = InteractionRef { day: UtcDay(-3), id: InteractionId::hash8("evt-1") };
        assert_eq!(of.to_string(), "-3-561c446a6b7fdf85");
        assert_eq!(of.to_string().parse(), Ok(of));
        for bad in ["", "1", "1-", "x-561c446a6b7fdf85", "1-561c446a6b7fdf8", "1-+61c446a6b7fdf85"] {
            assert!(bad.parse::<InteractionRef>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_later_word_of_the_desk_holds_over_every_sign() {
        let (day, click) = (UtcDay(20_000), InteractionKind::new("email_click").unwrap());
        let id = InteractionId::hash8("a");
        let (of, limits) = (InteractionRef { day, id }, MachineLimits::default());
        let count =
            |activity: &Activity| activity.clone().judged(&limits).days().next().unwrap().1.count(&click);
        let mut activity = Activity::new();
        activity.add(day, click.clone(), id);
        activity.by_scanner(day, id);
        assert_eq!(count(&activity), 0);
        for (at, word, counted) in [
            (5, Word::Restored, 1),
            (3, Word::Revoked, 1),
            (7, Word::Revoked, 0),
            (7, Word::Restored, 0),
            (9, Word::Restored, 1),
        ] {
            activity.say(of, (at, word));
            assert_eq!(count(&activity), counted, "{word} at {at}");
        }
        assert_eq!(activity.word(of), Some(Word::Restored));
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
