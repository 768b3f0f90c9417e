//! Tokens that managers made in the console, for programs. Never the token: a hash of it.

use jiff::Timestamp;
use jiff::civil::Date;
use leadyard_domain::access::{ApiToken, Role};
use leadyard_domain::ids::CompanyId;
use serde::{Deserialize, Serialize};

use super::acts::Act;
use super::keys::Key;
use super::{Commit, Item, Store, StoreError, key_item, string, values};

/// A token, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptToken {
    /// What it is called in the token itself.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it may do in its company.
    pub role: Role,
    /// Who made it.
    pub by: String,
    /// When.
    pub made_at: Timestamp,
    /// Until when it lets in; for good, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// On which UTC day it let in last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_on: Option<Date>,
    /// Of the token.
    pub hash: String,
}

impl KeptToken {
    /// Whether it lets nobody in any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

fn read(item: Item) -> Result<KeptToken, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("token", error))
}

impl Store {
    /// Keeps a new token, and that it was made.
    pub async fn token_make(
        &self,
        company: &CompanyId,
        token: &KeptToken,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let mut item: Item =
            serde_dynamo::to_item(token).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        item.extend(key_item(&Key::ApiToken(company, &token.id)));
        let put = self.put(item, "attribute_not_exists(pk)", values([]))?;
        Ok(matches!(self.transact(vec![put, self.change_write(company, act)?]).await?, Commit::Done))
    }

    /// All tokens of a company.
    pub async fn tokens(&self, company: &CompanyId) -> Result<Vec<KeptToken>, StoreError> {
        let items = self.query_prefix(Key::ApiToken(company, "").pk(), "").await?;
        items.into_iter().map(read).collect()
    }

    /// Takes a token away, and keeps that it was; `false` where there is none, or none any more.
    pub async fn token_revoke(&self, company: &CompanyId, id: &str, act: &Act) -> Result<bool, StoreError> {
        let key = Key::ApiToken(company, id);
        let gone = aws_sdk_dynamodb::types::Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key_item(&key)))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(|error| StoreError::Malformed(Box::new(error)))?;
        let gone = aws_sdk_dynamodb::types::TransactWriteItem::builder().delete(gone).build();
        Ok(matches!(self.transact(vec![gone, self.change_write(company, act)?]).await?, Commit::Done))
    }

    /// The token that somebody sent, if it is one and lets in still; that it was used is noted once a day.
    pub async fn token_get(&self, sent: &ApiToken, now: Timestamp) -> Result<Option<KeptToken>, StoreError> {
        let key = Key::ApiToken(&sent.company, &sent.id);
        let Some(token) = self.get(&key).await?.map(read).transpose()? else { return Ok(None) };
        if !sent.is(&token.hash) || token.is_over(now) {
            return Ok(None);
        }
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        if token.used_on.is_none_or(|used| used < today) {
            let result = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key_item(&key)))
                .update_expression("SET used_on = :today")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":today", string(today.to_string()))
                .send()
                .await;
            // One that is taken away meanwhile lets in once more, and stays away.
            super::stands(result)?;
        }
        Ok(Some(token))
    }
}
