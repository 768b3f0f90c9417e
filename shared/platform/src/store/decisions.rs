//! Decisions: immutable, and no person in them.

use jiff::Timestamp;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::lead::Lead;
use leadyard_domain::time::UtcDay;
use serde::{Deserialize, Serialize};

use super::items::{self, DecisionRecord};
use super::keys;
use super::leads::UNCHANGED;
use super::{Commit, Item, Store, StoreError, number, read_number, read_string, string, values};

/// Where a page of decisions ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageEnd {
    day: UtcDay,
    shard: u8,
    /// Time, partition and sort key of the last one.
    key: Option<(i64, String, String)>,
}

impl Store {
    /// The decisions of a company from one instant to before another, the newest first, at most `most`: of
    /// each shard the newest, merged. [`keys::DECISION_SHARDS`] reads a day, and one for each hundred.
    pub async fn decisions_between(
        &self,
        company: &CompanyId,
        from: Timestamp,
        to: Timestamp,
        most: usize,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let mut found: Vec<(i64, Item)> = Vec::new();
        // A table refuses a range that ends before it begins.
        if to <= from {
            return Ok(Vec::new());
        }
        // What ends with a day has nothing of the next.
        let last = to.checked_sub(jiff::SignedDuration::from_millis(1)).unwrap_or(to);
        for day in (UtcDay::of(from).0..=UtcDay::of(last).0).rev().map(UtcDay) {
            let shards = (0..keys::DECISION_SHARDS)
                .map(|shard| self.decided_in(keys::decisions_shard(company, day, shard), from, to, most));
            found.extend(futures::future::try_join_all(shards).await?.into_iter().flatten());
            if found.len() >= most {
                break;
            }
        }
        found.sort_by_key(|(at_ms, _)| std::cmp::Reverse(*at_ms));
        found.truncate(most);
        let keys: Vec<Item> = found.into_iter().map(|(_, key)| key).collect();
        let items = self.get_items(&keys).await?;
        let mut records: Vec<DecisionRecord> =
            items.into_iter().map(DecisionRecord::read).collect::<Result<_, _>>()?;
        records.sort_by_key(|record| (std::cmp::Reverse(record.at), record.id));
        Ok(records)
    }

    /// The keys of the newest decisions of a shard, with their times.
    async fn decided_in(
        &self,
        partition: String,
        from: Timestamp,
        to: Timestamp,
        most: usize,
    ) -> Result<Vec<(i64, Item)>, StoreError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(super::schema::ARRIVALS.name)
                .key_condition_expression("ak = :shard AND am BETWEEN :from AND :to")
                .expression_attribute_values(":shard", string(&partition))
                .expression_attribute_values(":from", number(from.as_millisecond()))
                .expression_attribute_values(":to", number(to.as_millisecond() - 1))
                .scan_index_forward(false)
                .limit(i32::try_from(most).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            for item in answer.items.into_iter().flatten() {
                let at_ms = read_number(&item, "am").unwrap_or(0);
                let key = ["pk", "sk"]
                    .map(|name| (name.to_owned(), string(read_string(&item, name).unwrap_or_default())));
                found.push((at_ms, Item::from(key)));
            }
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || found.len() >= most {
                return Ok(found);
            }
        }
    }

    /// The decisions of a company from one instant to before another, shard by shard and day by day: from
    /// where the last page ended, some `most` of them, and where the next begins.
    pub async fn decisions_page(
        &self,
        company: &CompanyId,
        (from, to): (Timestamp, Timestamp),
        after: Option<PageEnd>,
        most: usize,
    ) -> Result<(Vec<DecisionRecord>, Option<PageEnd>), StoreError> {
        let mut end = after.unwrap_or(PageEnd { day: UtcDay::of(from), shard: 0, key: None });
        let last = UtcDay::of(to);
        let mut keys = Vec::new();
        while end.day <= last && keys.len() < most {
            let partition = keys::decisions_shard(company, end.day, end.shard);
            let start = end.key.take().map(|(at_ms, pk, sk)| {
                let key = [
                    ("ak", string(&partition)),
                    ("am", number(at_ms)),
                    ("pk", string(pk)),
                    ("sk", string(sk)),
                ];
                Item::from(key.map(|(name, value)| (name.to_owned(), value)))
            });
            let (found, next) = self.decided_page(&partition, (from, to), start, most).await?;
            keys.extend(found);
            end.key = next.and_then(|key| {
                let text = |name| read_string(&key, name).map(str::to_owned);
                Some((read_number(&key, "am")?, text("pk")?, text("sk")?))
            });
            if end.key.is_none() {
                end.shard += 1;
            }
            // An earlier version wrote to all shards, and history is whole.
            if end.shard == keys::SHARDS {
                (end.day, end.shard) = (UtcDay(end.day.0 + 1), 0);
            }
        }
        let items = self.get_items(&keys).await?;
        let records = items.into_iter().map(DecisionRecord::read).collect::<Result<_, _>>()?;
        Ok((records, (end.day <= last).then_some(end)))
    }

    /// A page of one shard: keys of decisions, and where the next page begins.
    async fn decided_page(
        &self,
        partition: &str,
        (from, to): (Timestamp, Timestamp),
        start: Option<Item>,
        most: usize,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(super::schema::ARRIVALS.name)
            .key_condition_expression("ak = :shard AND am BETWEEN :from AND :to")
            .expression_attribute_values(":shard", string(partition))
            .expression_attribute_values(":from", number(from.as_millisecond()))
            .expression_attribute_values(":to", number(to.as_millisecond() - 1))
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let keys = answer.items.into_iter().flatten().map(|item| {
            let key = ["pk", "sk"]
                .map(|name| (name.to_owned(), string(read_string(&item, name).unwrap_or_default())));
            Item::from(key)
        });
        Ok((keys.collect(), answer.last_evaluated_key.filter(|key| !key.is_empty())))
    }

    /// Keeps a lead that waits together with the decision that says why. `false` when somebody else
    /// changed the lead, or a decision stands under that id: none is ever written over. Its own retry after a
    /// lost reply is the same transaction by its token, and otherwise finds the lead changed first.
    pub async fn lead_save_decided(
        &self,
        lead: &Lead,
        decision: &DecisionRecord,
    ) -> Result<bool, StoreError> {
        let next = Lead { version: lead.version + 1, ..lead.clone() };
        let writes = vec![
            self.put(items::lead_item(&next)?, UNCHANGED, values([(":seen", number(lead.version))]))?,
            self.put(decision.item(&lead.company, lead.id)?, "attribute_not_exists(pk)", values([]))?,
        ];
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }
}
