//! What a machine did in a person's name.
//!
//! Mail systems open the links of a mail before its reader does: within seconds of its sending, all of them in one
//! burst, some under a name of their own. Such an interaction is kept and marked, and is worth nothing; the desk's word
//! takes a mark back or sets one.
//!
//! What is kept are facts ([`Click`], the mark of a scanner's name), each in a set that is only ever added to; whether
//! they speak for a machine is found anew whenever the lead is scored ([`Activity::judged`](super::Activity::judged)),
//! from the whole day's set and the rules in force. So the verdict, as the score, is a function of the set: a burst is
//! one whichever of its clicks arrives last.
//!
//! Determinations:
//!
//! - *Soon* is counted from `sent_at`, which the sender of the message knows; what says none is not judged by it. A click
//!   before its sending is two clocks that disagree, and soon.
//! - *Burst* counts different links of one message: who clicks one link three times is impatient, not a machine. All of
//!   them are enough, where the sender says how many it has and that is fewer; the only link of a message is no burst. It
//!   does not reach over midnight UTC, where the day's set ends.
//! - The desk's later word wins; of two at the same instant, that it was a machine: a score too low is seen sooner.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::activity::InteractionId;

words! {
    /// Why an interaction is worth nothing.
    pub enum Sign as "a machine's sign" {
        /// It named itself as a scanner, crawler or program.
        ScannerAgent = "scanner_agent",
        /// It came within seconds of the message's sending.
        TooSoon = "too_soon",
        /// It was one of several links of one message, all within moments.
        Burst = "burst",
        /// The desk says so.
        Desk = "desk",
    }
}

words! {
    /// Who did it, as the desk says. In this order: of two words at the same instant the later in this list holds.
    pub enum Word as "the desk's word on an interaction" {
        /// A person, whatever the signs say.
        Restored = "restored",
        /// A machine.
        Revoked = "revoked",
    }
}

/// What is a machine's doing. What is not said in `screening.toml` has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineLimits {
    /// Within how many seconds of its sending nobody has read a message, 0 to 3,600; 0 passes over the sign.
    pub soon_seconds: u32,
    /// How many links of one message make a burst, 2 to 100.
    pub burst_links: u32,
    /// Within how many seconds, 0 to 600; 0 passes over the sign.
    pub burst_seconds: u32,
}

impl Default for MachineLimits {
    fn default() -> Self {
        // A text message is read at once, a mail is not there before; nobody opens three pages in three seconds.
        Self { soon_seconds: 5, burst_links: 3, burst_seconds: 3 }
    }
}

/// A message that interactions come from, eight bytes of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageHash(pub [u8; 8]);

impl MessageHash {
    /// Of interactions that say when their message was sent, and not which it was.
    pub const UNNAMED: Self = Self([0; 8]);

    /// By the id that the sender gives it.
    pub fn of(id: &str) -> Self {
        Self(first("leadyard/message/1\0", id))
    }
}

/// Which link of a message, four bytes of a hash.
pub fn link_hash(link: &str) -> [u8; 4] {
    first("leadyard/link/1\0", link)
}

fn first<const N: usize>(prefix: &str, text: &str) -> [u8; N] {
    let digest: [u8; 32] = Sha256::new().chain_update(prefix).chain_update(text).finalize().into();
    digest.first_chunk().copied().unwrap_or([0; N])
}

/// One interaction that a message brought about: what its verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Click {
    /// When, in seconds of its UTC day.
    pub at_s: u32,
    /// Which.
    pub id: InteractionId,
    /// How long after the message was sent, in seconds, if that is known.
    pub after_s: Option<u32>,
    /// Which link, if that is known.
    pub link: Option<[u8; 4]>,
    /// How many links the message has, if that is known and a link is.
    pub links: Option<u8>,
}

impl Click {
    /// What it takes where it is stored.
    pub const BYTES: usize = 22;

    /// As stored: time, id, and behind a byte each that says whether it is known, delay and link. The latter byte is 1,
    /// or how many links the message has, from 2: an earlier version then takes the link for unknown.
    pub fn bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.at_s.to_be_bytes());
        bytes[4..12].copy_from_slice(&self.id.bytes());
        bytes[12] = u8::from(self.after_s.is_some());
        bytes[13..17].copy_from_slice(&self.after_s.unwrap_or_default().to_be_bytes());
        bytes[17] = self.link.map_or(0, |_| self.links.unwrap_or(1).max(1));
        bytes[18..].copy_from_slice(&self.link.unwrap_or_default());
        bytes
    }

    /// From what was stored; `None` for what another version wrote in a form of its own.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        let (at_s, rest) = bytes.split_first_chunk::<4>()?;
        let (id, rest) = rest.split_first_chunk::<8>()?;
        let (&sent, rest) = rest.split_first()?;
        let (after_s, rest) = rest.split_first_chunk::<4>()?;
        let (&linked, link) = rest.split_first()?;
        Some(Self {
            at_s: u32::from_be_bytes(*at_s),
            id: InteractionId::from_bytes(*id),
            after_s: (sent == 1).then_some(u32::from_be_bytes(*after_s)),
            link: (linked > 0).then_some(*link.first_chunk()?),
            links: (linked > 1).then_some(linked),
        })
    }
}

/// The clicks of one message and day that are a machine's, with their sign.
pub(super) fn signs(clicks: &BTreeSet<Click>, limits: &MachineLimits) -> BTreeMap<InteractionId, Sign> {
    let mut found = BTreeMap::new();
    // By time. Each click begins a span, and all within it are of the burst if its links are enough; every click
    // enters the span once, leaves it once, and is marked once.
    let by_time: Vec<&Click> = clicks.iter().filter(|_| limits.burst_seconds > 0).collect();
    let mut links: BTreeMap<[u8; 4], usize> = BTreeMap::new();
    let (mut entered, mut marked) = (0, 0);
    let all = clicks.iter().filter_map(|click| click.links).min();
    let enough = all.map_or(limits.burst_links, |all| limits.burst_links.min(all.max(2).into())) as usize;
    for (first, begins) in by_time.iter().enumerate() {
        let ends = begins.at_s.saturating_add(limits.burst_seconds);
        while let Some(click) = by_time.get(entered).filter(|click| click.at_s <= ends) {
            if let Some(link) = click.link {
                *links.entry(link).or_default() += 1;
            }
            entered += 1;
        }
        if links.len() >= enough {
            let span = by_time.iter().take(entered).skip(first.max(marked));
            found.extend(span.map(|click| (click.id, Sign::Burst)));
            marked = entered;
        }
        if let Some(link) = begins.link
            && let Some(count) = links.get_mut(&link)
        {
            *count -= 1;
            if *count == 0 {
                links.remove(&link);
            }
        }
    }
    let soon = |click: &&Click| click.after_s.is_some_and(|after_s| after_s < limits.soon_seconds);
    found.extend(clicks.iter().filter(soon).map(|click| (click.id, Sign::TooSoon)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn click(id: &str, at_s: u32, after_s: Option<u32>, link: &str) -> Click {
        let link = (!link.is_empty()).then(|| link_hash(link));
        Click { at_s, id: InteractionId::hash8(id), after_s, link, links: None }
    }

    fn found(clicks: &[Click]) -> Vec<Option<Sign>> {
        let signs = signs(&clicks.iter().copied().collect(), &MachineLimits::default());
        clicks.iter().map(|click| signs.get(&click.id).copied()).collect()
    }

    #[test]
    fn what_is_stored_is_read_and_never_changes_its_form() {
        for click in [click("a", 86_399, Some(7), "x"), click("a", 0, None, ""), click("b", 5, Some(0), "")] {
            assert_eq!(Click::read(&click.bytes()), Some(click));
        }
        assert_eq!(Click::read(&[0; 21]), None);
        let bytes = click("evt-1", 1, Some(2), "x").bytes();
        assert_eq!(MessageHash::of("m1").0, [0x8d, 0x3f, 0xf6, 0xf6, 0x25, 0xa6, 0x34, 0xeb]);
        assert_eq!(bytes[17..], [1, 0x9f, 0x45, 0xf1, 0xd6]);
        assert_eq!(bytes[..17], [0, 0, 0, 1, 0x56, 0x1c, 0x44, 0x6a, 0x6b, 0x7f, 0xdf, 0x85, 1, 0, 0, 0, 2]);
    }

    #[test]
    fn all_links_of_a_mail_of_two_at_once_are_a_machines_and_the_only_link_of_one_is_not() {
        let of = |links, clicks: &[Click]| {
            clicks.iter().map(|click| Click { links, ..*click }).collect::<Vec<_>>()
        };
        let both = [click("a", 100, None, "x"), click("b", 101, None, "y")];
        assert_eq!(found(&both), [None; 2]);
        assert_eq!(found(&of(Some(2), &both)), [Some(Sign::Burst); 2]);
        assert_eq!(found(&of(Some(20), &both)), [None; 2]);
        assert_eq!(found(&[both[0], of(Some(2), &both)[1]]), [Some(Sign::Burst); 2], "whichever says so");
        let only = [click("a", 100, None, "x"), click("b", 101, None, "x")];
        assert_eq!(found(&of(Some(1), &only)), [None; 2]);
        let stored = of(Some(2), &both)[0];
        assert_eq!(Click::read(&stored.bytes()), Some(stored));
        assert_eq!(stored.bytes()[17], 2);
    }

    #[test]
    fn within_seconds_of_its_sending_nobody_has_read_it() {
        let clicks = [click("a", 10, Some(4), "x"), click("b", 20, Some(5), "x"), click("c", 30, None, "x")];
        assert_eq!(found(&clicks), [Some(Sign::TooSoon), None, None]);
    }

    #[test]
    fn several_links_of_one_mail_at_once_are_a_machines_and_one_link_several_times_is_not() {
        let burst = [click("a", 100, None, "x"), click("b", 101, None, "y"), click("c", 103, None, "z")];
        assert_eq!(found(&burst), [Some(Sign::Burst); 3]);
        let slow = [click("a", 100, None, "x"), click("b", 101, None, "y"), click("c", 104, None, "z")];
        assert_eq!(found(&slow), [None; 3]);
        let impatient = [click("a", 100, None, "x"), click("b", 101, None, "x"), click("c", 102, None, "x")];
        assert_eq!(found(&impatient), [None; 3]);
        // A reader who comes back an hour later is not drawn into it.
        let later = [burst[0], burst[1], burst[2], click("d", 3_700, None, "x")];
        assert_eq!(found(&later)[3], None);
    }
}
