//! Decisions: immutable, and no person in them.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::Timestamp;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::lead::Lead;
use leadyard_domain::time::UtcDay;
use serde::{Deserialize, Serialize};

use super::items::{self, DecisionRecord};
use super::keys;
use super::leads::UNCHANGED;
use super::{Commit, Item, Store, StoreError, number, read_number, read_string, string, values};

/// Where a decision stands in the index, and so where a page of them ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageEnd {
    day: UtcDay,
    shard: u8,
    /// Time, partition and sort key of the last one.
    key: Option<(i64, String, String)>,
}

impl PageEnd {
    /// Before all that was decided from an instant on, shard by shard and day by day.
    pub fn before_all(from: Timestamp) -> Self {
        Self { day: UtcDay::of(from), shard: 0, key: None }
    }

    /// Where a row of the index stands.
    fn of(day: UtcDay, shard: u8, row: &Item) -> Option<Self> {
        let text = |name| read_string(row, name).map(str::to_owned);
        Some(Self { day, shard, key: Some((read_number(row, "am")?, text("pk")?, text("sk")?)) })
    }

    /// The next shard of its day, or the first of the day after. An earlier version wrote to all shards, and
    /// history is whole.
    fn next_shard(&self) -> Self {
        let shard = self.shard.saturating_add(1);
        if shard < keys::SHARDS {
            return Self { day: self.day, shard, key: None };
        }
        Self { day: UtcDay(self.day.0.saturating_add(1)), shard: 0, key: None }
    }

    /// Behind which a query of its shard begins.
    fn start(&self, partition: &str) -> Option<Item> {
        let (at_ms, pk, sk) = self.key.as_ref()?;
        let key = [("ak", string(partition)), ("am", number(at_ms)), ("pk", string(pk)), ("sk", string(sk))];
        Some(Item::from(key.map(|(name, value)| (name.to_owned(), value))))
    }

    /// The decision's own key.
    fn item(&self) -> Option<Item> {
        let (_, pk, sk) = self.key.as_ref()?;
        Some(Item::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))]))
    }

    fn at_ms(&self) -> Option<i64> {
        self.key.as_ref().map(|(at_ms, _, _)| *at_ms)
    }

    /// The newest first; what was decided in one instant by its id, with which sort keys end.
    fn newest_first(&self) -> Option<(Reverse<i64>, &str, &str)> {
        self.key.as_ref().map(|(at_ms, pk, sk)| (Reverse(*at_ms), sk.as_str(), pk.as_str()))
    }
}

/// The milliseconds from one instant to before another, both included. A table refuses a range that ends
/// before it begins: `None` of such.
fn range_ms(from: Timestamp, to: Timestamp) -> Option<(i64, i64)> {
    let range = (from.as_millisecond(), to.as_millisecond() - 1);
    (range.0 <= range.1).then_some(range)
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
        Ok(self.decisions_before(company, (from, to), None, most).await?.0)
    }

    /// The same of those that stand before where another look ended, if it is given: those of its instant
    /// that it has not seen, and all earlier ones. Then where this one ended, if more stand before that.
    pub async fn decisions_before(
        &self,
        company: &CompanyId,
        (from, to): (Timestamp, Timestamp),
        before: Option<&PageEnd>,
        most: usize,
    ) -> Result<(Vec<DecisionRecord>, Option<PageEnd>), StoreError> {
        let Some((from_ms, to_ms)) = range_ms(from, to) else { return Ok((Vec::new(), None)) };
        let to_ms = before.and_then(PageEnd::at_ms).map_or(to_ms, |before| before.min(to_ms));
        if to_ms < from_ms {
            return Ok((Vec::new(), None));
        }
        // What ends with a day has nothing of the next.
        let last = Timestamp::from_millisecond(to_ms).unwrap_or(to);
        let mut found: Vec<PageEnd> = Vec::new();
        for day in (UtcDay::of(from).0..=UtcDay::of(last).0).rev().map(UtcDay) {
            let shards = (0..keys::DECISION_SHARDS)
                .map(|shard| self.decided_in(company, (day, shard), (from_ms, to_ms), before, most));
            found.extend(futures::future::try_join_all(shards).await?.into_iter().flatten());
            if found.len() > most {
                break;
            }
        }
        found.sort_unstable_by(|one, other| one.newest_first().cmp(&other.newest_first()));
        let more = found.len() > most;
        found.truncate(most);
        let records = self.decisions_at(&found).await?.into_iter().map(|(_, record)| record).collect();
        Ok((records, found.pop().filter(|_| more)))
    }

    /// Where the newest decisions of a shard stand: some `most`, and with the last of them all of its
    /// instant.
    async fn decided_in(
        &self,
        company: &CompanyId,
        (day, shard): (UtcDay, u8),
        (from_ms, to_ms): (i64, i64),
        before: Option<&PageEnd>,
        most: usize,
    ) -> Result<Vec<PageEnd>, StoreError> {
        // What was decided in one instant stands in no order: a few more than are asked for, and it is seldom
        // cut.
        const SPARE: usize = 100;
        let partition = keys::decisions_shard(company, day, shard);
        let mut found: Vec<PageEnd> = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(super::schema::ARRIVALS.name)
                .key_condition_expression("ak = :shard AND am BETWEEN :from AND :to")
                .expression_attribute_values(":shard", string(&partition))
                .expression_attribute_values(":from", number(from_ms))
                .expression_attribute_values(":to", number(to_ms))
                .scan_index_forward(false)
                .limit(i32::try_from(most.saturating_add(SPARE)).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            let rows = answer.items.into_iter().flatten();
            let rows = rows.filter_map(|row| PageEnd::of(day, shard, &row));
            found.extend(
                rows.filter(|row| before.is_none_or(|before| row.newest_first() > before.newest_first())),
            );
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            let at_ms = found.get(most.saturating_sub(1)).and_then(PageEnd::at_ms);
            let is_whole = at_ms.is_some() && found.last().and_then(PageEnd::at_ms) < at_ms;
            if start.is_none() || is_whole {
                return Ok(found);
            }
        }
    }

    /// The decisions of a company from one instant to before another, shard by shard and day by day, from
    /// where the last ones ended: of one shard where the next stand, at most `most` of them, and where it
    /// goes on then. One read.
    pub async fn decisions_on(
        &self,
        company: &CompanyId,
        (from, to): (Timestamp, Timestamp),
        end: &PageEnd,
        most: usize,
    ) -> Result<(Vec<PageEnd>, Option<PageEnd>), StoreError> {
        let Some((from_ms, to_ms)) = range_ms(from, to) else { return Ok((Vec::new(), None)) };
        let (day, shard) = (end.day, end.shard);
        let partition = keys::decisions_shard(company, day, shard);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(super::schema::ARRIVALS.name)
            .key_condition_expression("ak = :shard AND am BETWEEN :from AND :to")
            .expression_attribute_values(":shard", string(&partition))
            .expression_attribute_values(":from", number(from_ms))
            .expression_attribute_values(":to", number(to_ms))
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .set_exclusive_start_key(end.start(&partition))
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let rows = answer.items.into_iter().flatten();
        let places = rows.filter_map(|row| PageEnd::of(day, shard, &row)).collect();
        let last = answer.last_evaluated_key.filter(|key| !key.is_empty());
        let next = last.and_then(|key| PageEnd::of(day, shard, &key)).unwrap_or_else(|| end.next_shard());
        // What ends with a day has nothing of the next.
        let last = UtcDay::of(Timestamp::from_millisecond(to_ms).unwrap_or(to));
        Ok((places, Some(next).filter(|next| next.day <= last)))
    }

    /// The decisions that stand there, each with where that is, in their order. Those that do not exist are
    /// missing. A read for each hundred.
    pub async fn decisions_at(
        &self,
        places: &[PageEnd],
    ) -> Result<Vec<(PageEnd, DecisionRecord)>, StoreError> {
        let keys: Vec<Item> = places.iter().filter_map(PageEnd::item).collect();
        let mut found: HashMap<(String, String), Item> = HashMap::with_capacity(keys.len());
        for item in self.get_items(&keys).await? {
            let text = |name| read_string(&item, name).unwrap_or_default().to_owned();
            let key = (text("pk"), text("sk"));
            found.insert(key, item);
        }
        let mut records = Vec::with_capacity(found.len());
        for place in places {
            let Some((_, pk, sk)) = &place.key else { continue };
            if let Some(item) = found.remove(&(pk.clone(), sk.clone())) {
                records.push((place.clone(), DecisionRecord::read(item)?));
            }
        }
        Ok(records)
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
