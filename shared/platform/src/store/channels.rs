//! What stands about reaching a dealer: the breakers that all workers share, whether a channel takes anything,
//! and which webhook secrets stand.

use std::collections::HashMap;

use jiff::Timestamp;
use leadyard_domain::dealer::ChannelKind;
use leadyard_domain::delivery::Breaker;
use leadyard_domain::ids::{CompanyId, DealerId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::keys::Key;
use super::leads::UNCHANGED;
use super::{Act, Commit, Item, Store, StoreError, number, read_string, values};

/// How one channel of a dealer fares. One that never failed has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelState {
    /// Which of the dealer's channels.
    pub order: u8,
    /// What the channel was, hashed: a channel that is changed in the rulebook begins anew.
    pub mark: String,
    /// Whether attempts go through.
    #[serde(default)]
    pub breaker: Breaker,
    /// Since when it takes nothing any more, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// Mails that came back in a row, for reasons that may pass.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bounces: u32,
    /// The last of them, as SES knows it: told twice, it counts once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounced: Option<String>,
    /// Counts writes.
    pub v: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A channel that takes nothing until the desk enables it, or the rulebook changes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Why, in a word: `gone`; of mail `bounced`, `returned`, `refused`, `complained`.
    pub why: String,
}

impl ChannelState {
    /// Of a channel that nothing is known of.
    pub fn new(order: u8, mark: String) -> Self {
        Self { order, mark, breaker: Breaker::default(), disabled: None, bounces: 0, bounced: None, v: 0 }
    }

    fn item(&self, company: &CompanyId, dealer: &DealerId) -> Result<Item, StoreError> {
        let next = Self { v: self.v + 1, ..self.clone() };
        let mut item: Item =
            serde_dynamo::to_item(next).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        item.extend(super::key_item(&Key::Channel { company, dealer, order: self.order }));
        Ok(item)
    }
}

/// What must hold for a write that saw this version.
fn unchanged(seen: u64) -> (&'static str, Item) {
    match seen {
        0 => ("attribute_not_exists(pk)", values([])),
        seen => (UNCHANGED, values([(":seen", number(seen))])),
    }
}

fn read<Shape: serde::de::DeserializeOwned>(key: &'static str, item: Item) -> Result<Shape, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::damaged(key, error))
}

/// Which of a dealer's webhook secrets stand. They are derived: only their generation is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretState {
    /// The newest.
    pub generation: u32,
    /// Since when it was shown, if it was: it is shown once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_at: Option<Timestamp>,
    /// Until then the one before it stands too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_until: Option<Timestamp>,
    /// The oldest that stands until then; the one before, if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<u32>,
    /// Counts writes.
    pub v: u64,
}

impl Default for SecretState {
    fn default() -> Self {
        Self { generation: 1, shown_at: None, previous_until: None, oldest: None, v: 0 }
    }
}

impl SecretState {
    /// The generations that stand, the newest first.
    pub fn standing(&self, now: Timestamp) -> Vec<u32> {
        let before = self.generation.saturating_sub(1).max(1);
        let overlap = self.previous_until.filter(|until| now < *until);
        let oldest = overlap.map_or(self.generation, |_| self.oldest.unwrap_or(before));
        (oldest..=self.generation).rev().collect()
    }
}

/// All that stands about reaching a dealer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DealerReach {
    /// Its channels of which something is known, by their order.
    pub channels: Vec<ChannelState>,
    /// Its webhook secrets.
    pub secret: SecretState,
}

/// What a channel is, in 16 hexadecimal digits: its address may hold a token, and is not kept here.
pub fn channel_mark(kind: ChannelKind, address: &str) -> String {
    let hash = Sha256::digest(format!("{kind} {address}"));
    hash.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

impl Store {
    /// What stands about reaching a dealer, in one read.
    pub async fn dealer_reach(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
    ) -> Result<DealerReach, StoreError> {
        let pk = Key::DealerSecret(company, dealer).pk();
        let mut reach = DealerReach::default();
        for item in self.query_prefix(pk, "").await? {
            match read_string(&item, "sk") {
                Some("S") => reach.secret = read("secret", item)?,
                Some(_) | None => reach.channels.push(read("channel", item)?),
            }
        }
        Ok(reach)
    }

    /// How the channels of a dealer fare: those that something is known of, in their order.
    pub async fn channels_of(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
    ) -> Result<Vec<ChannelState>, StoreError> {
        Ok(self.dealer_reach(company, dealer).await?.channels)
    }

    /// How these channels fare, those that something is known of: a read for each hundred.
    pub async fn channels_get(
        &self,
        company: &CompanyId,
        channels: &[(&DealerId, u8)],
    ) -> Result<HashMap<(DealerId, u8), ChannelState>, StoreError> {
        let key = |(dealer, order): &(&'_ DealerId, u8)| -> (String, String) {
            let key = Key::DealerSecret(company, dealer);
            (key.pk(), Key::Channel { company, dealer, order: *order }.sk())
        };
        let whose: HashMap<(String, String), (DealerId, u8)> =
            channels.iter().map(|one| (key(one), (one.0.clone(), one.1))).collect();
        let keys: Vec<Key<'_>> =
            channels.iter().map(|(dealer, order)| Key::Channel { company, dealer, order: *order }).collect();
        let mut found = HashMap::new();
        for item in self.get_many(&keys).await? {
            let at = (read_string(&item, "pk"), read_string(&item, "sk"));
            let (Some(pk), Some(sk)) = at else { continue };
            if let Some(whose) = whose.get(&(pk.to_owned(), sk.to_owned())).cloned() {
                found.insert(whose, read("channel", item)?);
            }
        }
        Ok(found)
    }

    /// Keeps which secrets stand, with what the desk did; `false` when somebody else changed it.
    pub async fn secret_change(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        state: &SecretState,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let (condition, seen) = unchanged(state.v);
        let next = SecretState { v: state.v + 1, ..state.clone() };
        let mut item: Item =
            serde_dynamo::to_item(next).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        item.extend(super::key_item(&Key::DealerSecret(company, dealer)));
        let writes = vec![self.put(item, condition, seen)?, self.change_write(company, act)?];
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// Keeps how a channel fares; `false` when somebody else changed it since it was read.
    pub async fn channel_save(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        state: &ChannelState,
    ) -> Result<bool, StoreError> {
        let (condition, seen) = unchanged(state.v);
        self.put_if(state.item(company, dealer)?, condition, seen).await
    }

    /// The same with what the desk is told of it, or did.
    pub async fn channel_change(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        state: &ChannelState,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let (condition, seen) = unchanged(state.v);
        let writes =
            vec![self.put(state.item(company, dealer)?, condition, seen)?, self.change_write(company, act)?];
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }
}
