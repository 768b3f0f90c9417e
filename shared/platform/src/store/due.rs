//! The due index: the truth of what must be looked at next, whatever became of a message.

use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::Stage;

use super::keys::{self, DueKey};
use super::{Store, StoreError, number, read_number, read_string, string};

/// Something overdue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueItem {
    /// What.
    pub key: DueKey,
    /// Since when, Unix milliseconds: the claim's condition.
    pub since_ms: i64,
    pk: String,
    sk: String,
}

/// An overdue item, claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Of a lead that nobody has looked at yet, when it was asked for.
    pub received_at: Option<Timestamp>,
}

impl Store {
    /// The first overdue items of one shard, the longest overdue first.
    pub async fn due_page(&self, shard: u8, now: Timestamp, limit: i32) -> Result<Vec<DueItem>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(super::schema::DUE.name)
            .key_condition_expression("dk = :shard AND dt <= :now")
            .expression_attribute_values(":shard", string(keys::due_shard(shard)))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .limit(limit)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(answer
            .items
            .into_iter()
            .flatten()
            .filter_map(|item| {
                let (pk, sk) = (read_string(&item, "pk")?.to_owned(), read_string(&item, "sk")?.to_owned());
                Some(DueItem { key: DueKey::read(&pk, &sk)?, since_ms: read_number(&item, "dt")?, pk, sk })
            })
            .collect())
    }

    /// A lead is due by then, if it was due later; nothing else of it changes.
    pub async fn lead_due_by(&self, lead: LeadId, by: Timestamp) -> Result<(), StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(super::key_item(&keys::Key::Lead(lead))))
            .update_expression("SET dt = :by")
            .condition_expression("dt > :by")
            .expression_attribute_values(":by", number(by.as_millisecond()))
            .send()
            .await;
        super::stands(result).map(drop)
    }

    /// Claims an overdue item by moving its due time forward; `None` when somebody else did, or it is
    /// no longer due: an index may be behind.
    pub async fn due_claim(&self, item: &DueItem, until: Timestamp) -> Result<Option<Claimed>, StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", string(&item.pk))
            .key("sk", string(&item.sk))
            .update_expression("SET dt = :until")
            .condition_expression("dt = :since")
            .expression_attribute_values(":until", number(until.as_millisecond()))
            .expression_attribute_values(":since", number(item.since_ms))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        let Some(answer) = super::stood(result)? else { return Ok(None) };
        let old = answer.attributes.unwrap_or_default();
        let is_new = matches!(item.key, DueKey::Lead(_))
            && read_string(&old, "stage") == Some(Stage::Received.as_str());
        let asked = read_string(&old, "asked").and_then(|asked| asked.parse().ok());
        Ok(Some(Claimed { received_at: asked.filter(|_| is_new) }))
    }
}
