//! Leads and enquiries in the order of an index: the hottest, a stage's, a day's. Shards are merged on read, and what
//! is read does not grow with how many there are.

use std::cmp::Reverse;

use futures::future::try_join_all;
use jiff::Timestamp;
use leadyard_domain::ids::{CategoryId, CompanyId, EnquiryId, LeadId};
use leadyard_domain::lead::Stage;
use leadyard_domain::scoring::FitLetter;
use leadyard_domain::time::UtcDay;

use super::keys::{self, DueKey};
use super::schema::{ARRIVALS, HEAT, Index, STAGE};
use super::{Item, Store, StoreError, number, read_number, read_string, string};

/// Where a lead stands in a list: its sort key and itself.
pub type Place = (String, LeadId);

impl Store {
    /// Open leads of a fit letter under one version of a model, the hottest first, at most `most`: each with its heat
    /// (see [`HeatKey`](leadyard_domain::scoring::HeatKey)). [`keys::HEAT_SHARDS`] reads.
    pub async fn leads_hottest(
        &self,
        company: &CompanyId,
        letter: FitLetter,
        model: &str,
        most: usize,
    ) -> Result<Vec<(i64, LeadId)>, StoreError> {
        let shards = (0..keys::HEAT_SHARDS).map(|shard| {
            let partition = keys::heat_shard(company, letter.as_str(), model, shard);
            self.newest_first(HEAT, partition, None, most)
        });
        let items = try_join_all(shards).await?.into_iter().flatten();
        let mut found: Vec<(i64, LeadId)> =
            items.filter_map(|item| Some((read_number(&item, HEAT.sort)?, lead_of(&item)?))).collect();
        found.sort_unstable_by_key(|&(heat, lead)| Reverse((heat, lead)));
        found.truncate(most);
        Ok(found)
    }

    /// Leads of a stage and category, the highest score first, from behind a place on; at most `most`.
    /// [`keys::SHARDS`] reads.
    pub async fn leads_in_stage(
        &self,
        company: &CompanyId,
        stage: Stage,
        category: &CategoryId,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let to = after.map(|(sort, _)| string(sort));
        let shards = (0..keys::SHARDS).map(|shard| {
            let partition = keys::stage_shard(company, stage.as_str(), category, shard);
            // Those who stand where the last one stood come again, and are left out below.
            self.newest_first(STAGE, partition, to.clone(), most + 1)
        });
        let items = try_join_all(shards).await?.into_iter().flatten();
        let mut found: Vec<Place> = items
            .filter_map(|item| Some((read_string(&item, STAGE.sort)?.to_owned(), lead_of(&item)?)))
            .filter(|place| after.is_none_or(|after| place < after))
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(most);
        Ok(found)
    }

    /// A company's enquiries of a UTC day from before an instant, the newest first, at most `most`.
    /// [`keys::SHARDS`] reads.
    pub async fn arrived_before(
        &self,
        company: &CompanyId,
        day: UtcDay,
        before: Timestamp,
        most: usize,
    ) -> Result<Vec<(i64, EnquiryId)>, StoreError> {
        let last = number(before.as_millisecond() - 1);
        let shards = (0..keys::SHARDS).map(|shard| {
            let partition = keys::arrivals_shard(company, day, shard);
            self.newest_first(ARRIVALS, partition, Some(last.clone()), most)
        });
        let items = try_join_all(shards).await?.into_iter().flatten();
        let read = |item: Item| {
            let id = read_string(&item, "pk")?.strip_prefix("E#")?.parse().ok()?;
            Some((read_number(&item, ARRIVALS.sort)?, id))
        };
        let mut found: Vec<(i64, EnquiryId)> = items.filter_map(read).collect();
        found.sort_unstable_by_key(|&(at_ms, id)| Reverse((at_ms, id)));
        found.truncate(most);
        Ok(found)
    }

    /// Keys of one partition of an index, backwards, up to a sort key.
    async fn newest_first(
        &self,
        index: Index,
        partition: String,
        up_to: Option<aws_sdk_dynamodb::types::AttributeValue>,
        most: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let condition = if up_to.is_some() { "#p = :p AND #s <= :s" } else { "#p = :p" };
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index.name)
            .key_condition_expression(condition)
            .expression_attribute_names("#p", index.partition)
            .expression_attribute_values(":p", string(partition))
            .scan_index_forward(false)
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        if let Some(up_to) = up_to {
            query =
                query.expression_attribute_names("#s", index.sort).expression_attribute_values(":s", up_to);
        }
        let answer = query.send().await.map_err(StoreError::unavailable)?;
        Ok(answer.items.unwrap_or_default())
    }
}

fn lead_of(item: &Item) -> Option<LeadId> {
    match DueKey::read(read_string(item, "pk")?, read_string(item, "sk")?)? {
        DueKey::Lead(lead) => Some(lead),
        DueKey::Assignment(_, _, _)
        | DueKey::Delivery { .. }
        | DueKey::Wake(_, _)
        | DueKey::WakeAt(_, _, _)
        | DueKey::Postback(_, _)
        | DueKey::Enquiry(_)
        | DueKey::Erasure(_, _) => None,
    }
}
