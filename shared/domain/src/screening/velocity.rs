//! How many come from one place.
//!
//! What comes from a source's pages is counted in windows of ten minutes, each spread over shards by the
//! address it came from: what one address sends is counted in one item, and no item is written more often
//! than a shard's share. The source's own number is estimated from a shard's: addresses spread evenly.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use super::rules::VelocityLimits;
use super::{AddressHash, Reason};
use crate::ids::CompanyId;

/// A window of one source, and the shard of it that an address is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Ten minutes, counted from the epoch.
    pub number: i64,
    /// From 0.
    pub shard: u32,
    /// Of how many.
    pub shards: u32,
    /// What the shard takes; more is a flood, and not looked at any closer.
    pub most: u32,
}

/// How long a window is, in seconds.
pub const WINDOW_S: i64 = 600;
/// At most this many shards a window.
const SHARDS: u32 = 64;
/// A shard's fair share below which it says little of the whole.
const SHARE: u32 = 32;

impl Window {
    /// Where an enquiry is counted.
    pub fn of(limits: &VelocityLimits, at: Timestamp, address: Option<AddressHash>) -> Self {
        let shards = (limits.source / SHARE).clamp(1, SHARDS);
        let spread = address.map_or(0, |address| u64::from_le_bytes(address.bytes()));
        Self {
            number: at.as_second().div_euclid(WINDOW_S),
            shard: (spread % u64::from(shards)) as u32,
            shards,
            most: (limits.source / shards).saturating_mul(2).max(SHARE).max(limits.address.saturating_mul(2)),
        }
    }
}

/// Messages shorter than this are often the same.
const SAYS_ENOUGH_CHARS: usize = 60;

/// What a message says, as the first eight bytes of an HMAC-SHA256 under a key derived from the master secret;
/// `None` when it says too little to be anybody's own.
pub fn said(key: &[u8; 32], company: &CompanyId, message: &str) -> Option<[u8; 8]> {
    let words = message.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if words.chars().count() < SAYS_ENOUGH_CHARS {
        return None;
    }
    let mut mac: Hmac<Sha256> = KeyInit::new_from_slice(key).ok()?;
    mac.update(company.as_str().as_bytes());
    mac.update(&[0]);
    mac.update(words.as_bytes());
    mac.finalize().into_bytes().get(..8)?.try_into().ok()
}

/// What was counted in a window, this enquiry included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// In this shard.
    pub in_shard: u32,
    /// Of how many shards.
    pub shards: u32,
    /// People at this address.
    pub people_at_address: u32,
    /// People who sent the form with this token.
    pub people_of_token: u32,
    /// People who said the same.
    pub people_who_said_so: u32,
}

impl Tally {
    pub(super) fn signs(self, limits: &VelocityLimits, signs: &mut Vec<Reason>) {
        // One address falls into one shard: only what is beside it says something of the others.
        let here = self.people_at_address.min(self.in_shard);
        if (self.in_shard - here).saturating_mul(self.shards).saturating_add(here) > limits.source {
            signs.push(Reason::SourceVelocity);
        }
        if self.people_at_address > limits.address {
            signs.push(Reason::AddressVelocity);
        }
        if self.people_of_token > 1 {
            signs.push(Reason::FormTokenReused);
        }
        if self.people_who_said_so > 1 {
            signs.push(Reason::IdenticalPayload);
        }
        if self.people_who_said_so > 2 {
            signs.push(Reason::Campaign);
        }
    }
}
