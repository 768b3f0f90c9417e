//! Postbacks: what the sender of an enquiry is to be told of it.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::ids::{CompanyId, EnquiryId, SourceId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::PostbackStatus;
use serde::{Deserialize, Serialize};

use super::items::StoredEnquiry;
use super::keys::{self, Key};
use super::leads::UNCHANGED;
use super::{Item, Store, StoreError, number, string, values};

/// How soon after it could have been tried the sweep looks, should the queue's message be lost.
const GRACE: SignedDuration = SignedDuration::from_secs(45);

/// How a postback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostbackEnd {
    /// The sender has it.
    Received,
    /// It was tried for as long as it is: the desk knows.
    GivenUp,
    /// The rules in force do not ask for it any more.
    Unasked,
    /// The enquiry is not kept any more, or its person was erased: nothing is told of it.
    Gone,
}

/// One of an enquiry and a status, on its way. Nothing personal is in it: what the sender calls the enquiry is read
/// from the enquiry each time, and goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postback {
    /// Of which enquiry.
    pub enquiry: EnquiryId,
    /// What became of it.
    pub status: PostbackStatus,
    /// Whose.
    pub company: CompanyId,
    /// Whose sender is told.
    pub source: SourceId,
    /// Why, in words that programs compare; empty, if there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// How often it was tried.
    #[serde(default)]
    pub tries: u32,
    /// What the last attempt came to: a status, or why there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last: String,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<PostbackEnd>,
    /// When the next attempt may begin; at once, if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Counts writes.
    pub v: u64,
}

impl Postback {
    /// Of an enquiry, to be sent at once.
    pub fn of(enquiry: &StoredEnquiry, status: PostbackStatus, reason: String, now: Timestamp) -> Self {
        Self {
            enquiry: enquiry.id,
            status,
            company: enquiry.company.clone(),
            source: enquiry.source.clone(),
            reason,
            since: now,
            tries: 0,
            last: String::new(),
            ended: None,
            next_at: None,
            v: 0,
        }
    }

    /// Its `webhook-id`, the same in each attempt.
    pub fn webhook_id(&self) -> String {
        format!("pb_{}_{}", self.enquiry, self.status)
    }

    fn item(&self) -> Result<Item, StoreError> {
        let mut item: Item =
            serde_dynamo::to_item(self).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        item.extend(super::key_item(&Key::Postback(self.enquiry, self.status)));
        let expires = self.since.as_second() + limits::POSTBACK_KEPT_DAYS * 86_400;
        item.insert(super::schema::TTL.to_owned(), number(expires));
        if self.ended.is_none() {
            let due = self.next_at.unwrap_or(self.since).saturating_add(GRACE).unwrap_or(self.since);
            item.insert("dk".to_owned(), string(keys::due_shard(keys::shard(self.enquiry.bytes()))));
            item.insert("dt".to_owned(), number(due.as_millisecond()));
        }
        Ok(item)
    }
}

impl Store {
    /// The write of a new one, together with the fact that it tells; refused where it stands already.
    pub(super) fn postback_write(&self, postback: &Postback) -> Result<TransactWriteItem, StoreError> {
        self.put(postback.item()?, "attribute_not_exists(pk)", values([]))
    }

    /// A postback.
    pub async fn postback_get(
        &self,
        enquiry: EnquiryId,
        status: PostbackStatus,
    ) -> Result<Option<Postback>, StoreError> {
        let Some(item) = self.get(&Key::Postback(enquiry, status)).await? else { return Ok(None) };
        serde_dynamo::from_item(item).map(Some).map_err(|error| StoreError::damaged("postback", error))
    }

    /// Keeps a changed one, if nobody else changed it since it was read.
    pub async fn postback_save(&self, postback: &Postback) -> Result<bool, StoreError> {
        let next = Postback { v: postback.v + 1, ..postback.clone() };
        self.put_if(next.item()?, UNCHANGED, values([(":seen", number(postback.v))])).await
    }
}
