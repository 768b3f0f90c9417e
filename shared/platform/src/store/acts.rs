//! What the desk did, kept for good: who, when, before and after.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use leadyard_domain::ids::{ActId, CompanyId, LeadId};
use leadyard_domain::lead::Lead;
use serde::{Deserialize, Serialize};

use super::items;
use super::keys::{self, Key};
use super::leads::UNCHANGED;
use super::{Commit, Item, Store, StoreError, number, read_string, values};

/// Something the desk did to a lead, or to a company's switches, rulebook or deposits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// Which.
    pub id: ActId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What: `place`, `take_back`, `hold` …
    pub act: String,
    /// Why, as they wrote it. May be about a person: never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it changed, as it was before: JSON.
    pub before: String,
    /// As it is since.
    pub after: String,
}

impl Act {
    fn item(&self, key: &Key<'_>) -> Result<Item, StoreError> {
        let mut item: Item =
            serde_dynamo::to_item(self).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        item.extend(super::key_item(key));
        Ok(item)
    }

    pub(super) fn read(item: Item) -> Result<Self, StoreError> {
        serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("act", error))
    }
}

impl Store {
    /// The write of an act on a lead.
    pub(super) fn act_write(&self, lead: LeadId, act: &Act) -> Result<TransactWriteItem, StoreError> {
        let key = Key::Act { lead, at_ms: act.at.as_millisecond(), act: act.id };
        self.put(act.item(&key)?, "", values([]))
    }

    /// The write of an act on a company.
    pub(super) fn change_write(
        &self,
        company: &CompanyId,
        act: &Act,
    ) -> Result<TransactWriteItem, StoreError> {
        let key = Key::Change { company, at_ms: act.at.as_millisecond(), act: act.id };
        self.put(act.item(&key)?, "", values([]))
    }

    /// Keeps an act that changed nothing of a lead.
    pub async fn act_keep(&self, lead: LeadId, act: &Act) -> Result<(), StoreError> {
        self.transact(vec![self.act_write(lead, act)?]).await.map(drop)
    }

    /// Keeps an act on a company that changed what is counted in thousands, beside it rather than with it.
    pub async fn change_keep(&self, company: &CompanyId, act: &Act) -> Result<(), StoreError> {
        self.transact(vec![self.change_write(company, act)?]).await.map(drop)
    }

    /// Tells the desk of a lead: it stands in the lead's history and in the company's changes. The same act again
    /// is the same.
    pub async fn desk_tell(&self, company: &CompanyId, lead: LeadId, act: &Act) -> Result<(), StoreError> {
        let writes = vec![self.act_write(lead, act)?, self.change_write(company, act)?];
        self.transact(writes).await.map(drop)
    }

    /// Keeps a lead as the desk changed it, with what it did. `false` when somebody else changed the lead.
    pub async fn lead_act(&self, lead: &Lead, act: &Act) -> Result<bool, StoreError> {
        let next = Lead { version: lead.version + 1, ..lead.clone() };
        let writes = vec![
            self.put(items::lead_item(&next)?, UNCHANGED, values([(":seen", number(lead.version))]))?,
            self.act_write(lead.id, act)?,
        ];
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// Whether an act stands in a lead's history. It is looked for from when its id was minted on, which is before it was
    /// done; two machines' clocks may disagree by a minute.
    pub async fn act_stands(&self, lead: LeadId, act: ActId) -> Result<bool, StoreError> {
        let at_ms = act.minted_ms() - 60_000;
        let from = Key::Act { lead, at_ms, act: ActId::from_bytes([0; 16]) };
        // Every act's key begins with an H.
        let found = self.query_between(from.pk(), from.sk(), "H~".to_owned()).await?;
        Ok(found.iter().filter_map(|item| read_string(item, "sk")).any(|sk| sk.ends_with(&act.to_string())))
    }

    /// What the desk did to a company from one instant to before another, the oldest first.
    pub async fn changes_between(
        &self,
        company: &CompanyId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Act>, StoreError> {
        let pk = Key::Change { company, at_ms: 0, act: ActId::from_bytes([0; 16]) }.pk();
        let bound = |at: Timestamp| keys::sort_time(at.as_millisecond());
        self.query_between(pk, bound(from), bound(to)).await?.into_iter().map(Act::read).collect()
    }

    /// What the desk did to a company, the newest first, at most `limit`; before one of these acts, where it is given.
    pub async fn changes_of(
        &self,
        company: &CompanyId,
        before: Option<(Timestamp, ActId)>,
        limit: i32,
    ) -> Result<Vec<Act>, StoreError> {
        const FIRST: ActId = ActId::from_bytes([0; 16]);
        let pk = Key::Change { company, at_ms: 0, act: FIRST }.pk();
        let Some((at, act)) = before else {
            return self.query_newest(pk, limit).await?.into_iter().map(Act::read).collect();
        };
        let first = Key::Change { company, at_ms: 0, act: FIRST }.sk();
        let last = Key::Change { company, at_ms: at.as_millisecond(), act }.sk();
        // The one before which they stand comes again, and is left out.
        let items = self.query_newest_between(pk, first, last, limit + 1).await?;
        let acts = items.into_iter().map(Act::read).collect::<Result<Vec<Act>, _>>()?;
        Ok(acts.into_iter().filter(|one| one.id != act).take(limit.max(0) as usize).collect())
    }
}
