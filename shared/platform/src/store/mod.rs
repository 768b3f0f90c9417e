//! The store: one table, one implementation, written against the AWS SDK.
//!
//! `keys` is the data model, `schema` the table, `items` the stored shapes; then a file per resource,
//! whose methods are named resource first and commit once each. What is expected (somebody else was
//! first, a cap is full) is a value; an error is a store that could not be asked.
//!
//! `abreast` gathers what many ask for at one moment into few calls.
//!
//! Reads and single writes are retried by the SDK. Transactions are retried here and only here, with
//! one token, so that a reply that was lost after the commit is found committed.

pub mod keys;
pub mod schema;
pub mod items;
mod abreast;
mod leads;
mod finding;
mod enquiries;
mod consent;
mod quarantine;
mod windows;
mod identities;
mod activity;
mod caps;
mod assignments;
mod changes;
mod ledger;
mod returns;
mod acts;
mod follow_ups;
mod deliveries;
mod channels;
mod now;
mod postbacks;
mod trials;
mod looks;
mod invitations;
mod given;
mod decisions;
mod rulebook;
mod rollback;
mod switches;
mod erasures;
mod access;
mod tokens;
mod sessions;
mod synthetic;
mod due;
mod seen;
mod reports;
mod lapsing;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};

use crate::entropy::Entropy;
use keys::Key;

pub use activity::Visits;
pub use acts::Act;
pub use assignments::{Assign, Given, Placed, SeatsAsked};
pub use caps::{Conflict, Opened, SourceCounts};
pub use changes::Changes;
pub use channels::{ChannelState, DealerReach, Disabled, SecretState, channel_mark};
pub use consent::StoredConsent;
pub use decisions::PageEnd;
pub use deliveries::Delivery;
pub use due::{Claimed, DueItem};
pub use enquiries::{Keep, Kept, KeptBefore, Past, StoredAnswer};
pub use erasures::{Erasure, Gone, Shelf, fate_of};
pub(crate) use finding::WHOLE;
pub use finding::{Arrived, Asked, Front, Place};
pub use follow_ups::{DayCount, DayList, DayRead, StoredFollowUp};
pub use given::{GivenSecret, GivenSecrets};
pub use identities::{Identified, IdentityWrite, Known, List, Suppression};
pub use invitations::Invitation;
pub use items::{
    DecisionRecord, Fetch, Judgement, QUARANTINED, Quarantine, REJECTED, REPLAY, StoredEnquiry, TEST,
    UNFETCHED,
};
pub use lapsing::Offer;
pub use leads::Story;
pub use ledger::Freed;
pub use looks::{Look, LookPart, LookedAt, Sure};
pub use now::StoredNow;
pub use postbacks::{Postback, PostbackEnd};
pub use quarantine::{Quarantined, Verdicts};
pub use reports::{
    PARTS_SEALED, ReportAsked, ReportPart, ReportRead, ReportReads, ReportRules, SEALED_TTL_S, Tables,
};
pub use returns::{ReturnItem, ReturnWrite};
pub use rollback::Watch;
pub use rulebook::{Published, RolledBack, RulebookPointer, RulebookVersion};
pub use seen::{Seen, SeenSeat, lead_of_image};
pub use sessions::{Session, SignedIn};
pub use switches::{WAKE_AFTER_S, Wake};
pub use synthetic::Synthetic;
pub use tokens::KeptToken;
pub use trials::Trial;
pub use windows::Passing;

/// An item as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// The store could not be asked, or holds what we cannot read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Others kept changing the same items for as long as we may wait.
    #[error("the items stayed contended")]
    Contended,
    /// It did not answer, or not in time.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An item is not of the shape its key promises.
    #[error("an item is damaged: {key}")]
    Damaged {
        /// Its sort key's kind: never an id.
        key: &'static str,
        /// What the reader said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// We built a request that the store does not take: a fault of ours.
    #[error("the store refused the request as malformed")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    pub(crate) fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Box::new(error))
    }

    pub(crate) fn damaged(key: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Damaged { key, source: Box::new(error) }
    }
}

/// The one table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    entropy: Entropy,
    /// Of those who work side by side: what they ask is gathered.
    abreast: Option<Arc<abreast::Abreast>>,
}

/// How a transaction ended.
#[derive(Debug)]
pub(crate) enum Commit {
    /// All of it stands.
    Done,
    /// None of it stands: these conditions failed, by index, with the items as they are.
    Refused(Vec<(usize, Option<Item>)>),
}

impl Commit {
    pub(crate) fn refused_at(&self, index: usize) -> bool {
        match self {
            Self::Done => false,
            Self::Refused(refusals) => refusals.iter().any(|(at, _)| *at == index),
        }
    }
}

/// How long one transaction is tried again on conflicts, throttles and lost replies.
const PATIENCE: Duration = Duration::from_secs(1);

impl Store {
    /// Over this client and table.
    pub fn new(client: Client, table: impl Into<String>, entropy: Entropy) -> Self {
        Self { client, table: table.into(), entropy, abreast: None }
    }

    /// The client, for what only tools and tests do.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Makes a connection, by asking for an item that is nobody's.
    pub(crate) async fn warm(&self) {
        let nobody = || AttributeValue::S("nobody".to_owned());
        let asked = self.client.get_item().table_name(&self.table).key("pk", nobody()).key("sk", nobody());
        let _ = asked.send().await;
    }

    /// Creates the table where it does not exist: only ever on one machine and in tests.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        match self.client.describe_table().table_name(&self.table).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                let request = schema::create_table(&self.client, &self.table)
                    .map_err(|error| StoreError::Malformed(Box::new(error)))?;
                request.send().await.map(drop).map_err(StoreError::unavailable)
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    async fn get(&self, key: &Key<'_>) -> Result<Option<Item>, StoreError> {
        if let Some(abreast) = &self.abreast {
            return self.get_abreast(abreast, key).await;
        }
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.pk()))
            .key("sk", AttributeValue::S(key.sk()))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(answer.item)
    }

    /// Gets many at once, in any order, each once however often it is named; those that do not exist are missing. Asks
    /// again for what a busy table left over.
    async fn get_many(&self, keys: &[Key<'_>]) -> Result<Vec<Item>, StoreError> {
        let wanted: Vec<Item> = keys.iter().map(key_item).collect();
        self.get_items(&wanted).await
    }

    /// The same by their primary keys.
    async fn get_items(&self, keys: &[Item]) -> Result<Vec<Item>, StoreError> {
        self.batches(keys, true, &mut 0.0).await
    }

    /// The same, where the last writes may be missing if it is not to be `consistent`: at half the price.
    async fn batches(
        &self,
        keys: &[Item],
        consistent: bool,
        units: &mut f64,
    ) -> Result<Vec<Item>, StoreError> {
        const BATCH: usize = 100;
        // The table refuses to be asked for the same twice.
        let mut named = HashSet::new();
        let key = |item: &Item| ["pk", "sk"].map(|name| read_string(item, name).map(str::to_owned));
        let keys: Vec<Item> = keys.iter().filter(|item| named.insert(key(item))).cloned().collect();
        let mut found = Vec::with_capacity(keys.len());
        for some in keys.chunks(BATCH) {
            let wanted = some.to_vec();
            let mut asked = aws_sdk_dynamodb::types::KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(consistent)
                .build()
                .map_err(|error| StoreError::Malformed(Box::new(error)))?;
            for round in 0.. {
                let answer = self
                    .client
                    .batch_get_item()
                    .request_items(&self.table, asked)
                    .return_consumed_capacity(ReturnConsumedCapacity::Total)
                    .send()
                    .await
                    .map_err(StoreError::unavailable)?;
                *units +=
                    answer.consumed_capacity().iter().filter_map(|used| used.capacity_units).sum::<f64>();
                found.extend(answer.responses.into_iter().flat_map(HashMap::into_values).flatten());
                let left = answer.unprocessed_keys.and_then(|mut left| left.remove(&self.table));
                match left.filter(|left| !left.keys().is_empty()) {
                    None => break,
                    Some(_) if round >= 5 => return Err(StoreError::Contended),
                    Some(left) => asked = left,
                }
                tokio::time::sleep(self.entropy.between_ms(20, 80)).await;
            }
        }
        Ok(found)
    }

    /// All items of a partition whose sort key begins so, in order.
    async fn query_prefix(&self, pk: String, prefix: &str) -> Result<Vec<Item>, StoreError> {
        // DynamoDB takes no empty string for a key: all of a partition is asked for without one.
        if prefix.is_empty() {
            return self.query_all("pk = :pk", values([(":pk", string(pk))])).await;
        }
        let bound = values([(":pk", string(pk)), (":prefix", string(prefix))]);
        self.query_all("pk = :pk AND begins_with(sk, :prefix)", bound).await
    }

    /// The items of a partition whose sort keys lie between these, both included, in order.
    async fn query_between(&self, pk: String, from: String, to: String) -> Result<Vec<Item>, StoreError> {
        let bound = values([(":pk", string(pk)), (":from", string(from)), (":to", string(to))]);
        self.query_all("pk = :pk AND sk BETWEEN :from AND :to", bound).await
    }

    async fn query_all(&self, condition: &str, bound: Item) -> Result<Vec<Item>, StoreError> {
        let mut reads = usize::MAX;
        Ok(self.query_within(condition, bound, &mut reads).await?.unwrap_or_default())
    }

    /// The same by so many reads at most, one for each megabyte, which are counted down; `None` of what takes more.
    async fn query_within(
        &self,
        condition: &str,
        bound: Item,
        reads: &mut usize,
    ) -> Result<Option<Vec<Item>>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let Some(left) = reads.checked_sub(1) else { return Ok(None) };
            *reads = left;
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression(condition)
                .set_expression_attribute_values(Some(bound.clone()))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            items.extend(answer.items.into_iter().flatten());
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(Some(items));
            }
        }
    }

    /// The last items of a partition, from the last sort key on.
    async fn query_newest(&self, pk: String, limit: i32) -> Result<Vec<Item>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", string(pk))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(limit)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(answer.items.unwrap_or_default())
    }

    /// The last items of a partition whose sort keys lie between these, both included, from the last on.
    async fn query_newest_between(
        &self,
        pk: String,
        from: String,
        to: String,
        limit: i32,
    ) -> Result<Vec<Item>, StoreError> {
        let bound = values([(":pk", string(pk)), (":from", string(from)), (":to", string(to))]);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .set_expression_attribute_values(Some(bound))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(limit)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(answer.items.unwrap_or_default())
    }

    /// Puts one item if a condition on what stands there holds. `false` when it does not; also, rarely,
    /// when it was we who changed it and the reply was lost: whoever asks looks again.
    async fn put_if(&self, item: Item, condition: &str, values: Item) -> Result<bool, StoreError> {
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values).filter(|values| !values.is_empty()))
            .send()
            .await;
        stands(result)
    }

    /// Commits all of it or none of it.
    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Commit, StoreError> {
        match &self.abreast {
            Some(abreast) => self.transact_abreast(abreast, items).await,
            None => self.transact_alone(items).await,
        }
    }

    /// The same in a call of its own. Conflicts, throttles and lost replies are tried again here with
    /// the same token, jittered 5–80 ms, for at most a second; the SDK's own retries are off, so that
    /// there is one layer of them.
    async fn transact_alone(&self, items: Vec<TransactWriteItem>) -> Result<Commit, StoreError> {
        let token = format!("{:032x}", u128::from_le_bytes(self.entropy.bytes()));
        let started = tokio::time::Instant::now();
        loop {
            let result = self
                .client
                .transact_write_items()
                .client_request_token(&token)
                .set_transact_items(Some(items.clone()))
                .customize()
                .config_override(aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled()))
                .send()
                .await;
            let Err(error) = result else { return Ok(Commit::Done) };
            match judge(&error) {
                Judged::Refused(refusals) => return Ok(Commit::Refused(refusals)),
                Judged::Malformed => return Err(StoreError::Malformed(Box::new(error))),
                Judged::Again { contended } if started.elapsed() >= PATIENCE => {
                    return Err(if contended {
                        StoreError::Contended
                    } else {
                        StoreError::unavailable(error)
                    });
                }
                Judged::Again { .. } => tokio::time::sleep(self.entropy.between_ms(5, 80)).await,
            }
        }
    }

    fn put(&self, item: Item, condition: &str, values: Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(Some(condition.to_owned()).filter(|condition| !condition.is_empty()))
            .set_expression_attribute_values(Some(values).filter(|values| !values.is_empty()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| StoreError::Malformed(Box::new(error)))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn update(
        &self,
        key: &Key<'_>,
        expression: &str,
        condition: &str,
        values: Item,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key_item(key)))
            .update_expression(expression)
            .set_condition_expression(Some(condition.to_owned()).filter(|condition| !condition.is_empty()))
            .set_expression_attribute_values(Some(values).filter(|values| !values.is_empty()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| StoreError::Malformed(Box::new(error)))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// Whether a conditional write stands: one that its condition refused is expected, and no error.
fn stands<T, E, R>(result: Result<T, SdkError<E, R>>) -> Result<bool, StoreError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    stood(result).map(|answer| answer.is_some())
}

/// The same with the answer to the one that stands.
fn stood<T, E, R>(result: Result<T, SdkError<E, R>>) -> Result<Option<T>, StoreError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(StoreError::unavailable(error)),
    }
}

fn key_item(key: &Key<'_>) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk())),
        ("sk".to_owned(), AttributeValue::S(key.sk())),
    ])
}

/// A number attribute.
pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A string attribute.
pub(crate) fn string(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Expression values.
pub(crate) fn values<const N: usize>(pairs: [(&str, AttributeValue); N]) -> Item {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A number of an item.
pub(crate) fn read_number<N: std::str::FromStr>(item: &Item, name: &str) -> Option<N> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// A string of an item.
pub(crate) fn read_string<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

enum Judged {
    Refused(Vec<(usize, Option<Item>)>),
    Again { contended: bool },
    Malformed,
}

/// What a failed transaction means. A failed condition speaks louder than a conflict beside it: it was
/// true of what stands there.
fn judge(error: &SdkError<TransactWriteItemsError>) -> Judged {
    let Some(service) = error.as_service_error() else {
        // Not sent, timed out, or the reply was lost: it may stand; the token finds out.
        let built = !matches!(error, SdkError::ConstructionFailure(_));
        return if built { Judged::Again { contended: false } } else { Judged::Malformed };
    };
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = service else {
        return match service.code() {
            Some(
                "ValidationException"
                | "IdempotentParameterMismatchException"
                | "ResourceNotFoundException"
                | "AccessDeniedException",
            ) => Judged::Malformed,
            Some("TransactionInProgressException") => Judged::Again { contended: true },
            _ => Judged::Again { contended: false },
        };
    };
    let reasons = cancelled.cancellation_reasons();
    let refusals: Vec<(usize, Option<Item>)> = reasons
        .iter()
        .enumerate()
        .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
        .map(|(at, reason)| (at, reason.item().cloned()))
        .collect();
    if !refusals.is_empty() {
        return Judged::Refused(refusals);
    }
    let has = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
    if has("ValidationError") || has("ItemCollectionSizeLimitExceeded") {
        return Judged::Malformed;
    }
    Judged::Again { contended: has("TransactionConflict") }
}
