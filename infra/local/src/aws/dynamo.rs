//! DynamoDB in process: the JSON protocol over dynoxide.
//!
//! A request's body is parsed straight into dynoxide's request type and its answer serialized straight
//! into the reply; there is no document in between, for this is the hot path. The storage beneath dynoxide is
//! held here and its actions called directly: `dynoxide::Database` copies each transaction for a token cache that
//! is not used here, and hides the connection, which must keep more statements prepared than it would.
//!
//! Request tokens are kept here and not in dynoxide, which looks at every token of the last ten minutes
//! on every transaction (240,000 of them at 200 leads/s) and reads a clock of its own.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::actions::vector_lifecycle::VectorIndexLifecycle;
use dynoxide::actions::{
    batch_get_item, batch_write_item, create_table, delete_item, delete_table, describe_table,
    describe_time_to_live, get_item, list_tables, put_item, query, scan, transact_get_items,
    transact_write_items, update_item, update_time_to_live,
};
use dynoxide::storage::Storage;
use dynoxide::{AttributeValue, DynoxideError, Item};
use futures::FutureExt as _;
use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use winterbaume_core::{MockRequest, MockResponse, MockService};

use super::file::refuse_unless_ours;
use super::{Clock, LocalAwsError};

/// Where the blocking call into SQLite runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// On the calling task. Deterministic; what the simulation needs.
    Inline,
    /// On tokio's blocking threads, so that a wait for the disk holds up no other task.
    OffThread,
}

/// DynamoDB's API over one database. A clone shares it.
#[derive(Clone)]
pub struct DynamoService {
    storage: Arc<Mutex<Storage>>,
    /// Of vector indexes, which we have none of: dynoxide asks for it.
    vectors: Arc<VectorIndexLifecycle>,
    clock: Clock,
    calls: Calls,
    tokens: Arc<Mutex<Tokens>>,
}

impl DynamoService {
    /// Opens or makes the database file. A damaged or foreign file is refused and left alone.
    pub fn open(path: &Path, clock: Clock, calls: Calls) -> Result<Self, LocalAwsError> {
        refuse_unless_ours(path, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_tables')")?;
        let storage = Storage::new(&path.to_string_lossy()).map_err(LocalAwsError::Table)?;
        Ok(Self::over(storage, clock, calls))
    }

    /// A database in memory.
    pub fn memory(clock: Clock, calls: Calls) -> Result<Self, LocalAwsError> {
        let storage = Storage::memory().map_err(LocalAwsError::Table)?;
        let storage = storage.with_clock(Arc::new(DynoxideClock(Arc::clone(&clock))));
        Ok(Self::over(storage, clock, calls))
    }

    fn over(storage: Storage, clock: Clock, calls: Calls) -> Self {
        storage.conn().set_prepared_statement_cache_capacity(STATEMENTS);
        let storage = Arc::new(Mutex::new(storage));
        Self { storage, vectors: Arc::default(), clock, calls, tokens: Arc::default() }
    }

    /// An item as it stands, past the protocol.
    pub fn item(&self, table: &str, pk: &str, sk: &str) -> Option<Item> {
        let key = [("pk", pk), ("sk", sk)];
        let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
        let request = get_item::GetItemRequest {
            table_name: table.to_owned(),
            key: key.into(),
            ..get_item::GetItemRequest::default()
        };
        done(get_item::execute(&*self.storage(), request)).ok()?.item
    }

    /// The least number in one list of an index, past the protocol: `of` names the index, and its two attributes. Who
    /// plays a year asks when something is due, far more often than a sweep does.
    pub fn least(&self, table: &str, of: (&str, &str, &str), list: &str) -> Option<i64> {
        let (index, partition, sort) = of;
        let values = [(":list".to_owned(), AttributeValue::S(list.to_owned()))];
        let request = query::QueryRequest {
            table_name: table.to_owned(),
            index_name: Some(index.to_owned()),
            key_condition_expression: Some(format!("{partition} = :list")),
            expression_attribute_values: Some(values.into()),
            scan_index_forward: true,
            limit: Some(1),
            ..query::QueryRequest::default()
        };
        let answer = done(query::execute(&*self.storage(), request)).ok()?;
        let items = answer.items?;
        let AttributeValue::N(number) = items.first()?.get(sort)? else { return None };
        number.parse().ok()
    }

    /// See [`super::LocalAws::waits_for_the_disk`].
    pub(super) fn waits_for_the_disk(&self, waits: bool) -> Result<(), LocalAwsError> {
        let storage = self.storage();
        let how = if waits { "FULL" } else { "OFF" };
        let changed = storage.conn().execute_batch(&format!("PRAGMA synchronous = {how}"));
        let written = changed.and_then(|()| checkpoint(storage.conn()));
        written.map_err(|error| LocalAwsError::Table(error.into()))
    }

    pub(super) fn storage(&self) -> MutexGuard<'_, Storage> {
        self.storage.lock().unwrap_or_else(|poisoned| {
            // Whoever panicked may have left a transaction open: what it wrote was never committed.
            let storage = poisoned.into_inner();
            if !storage.conn().is_autocommit() {
                let _ = storage.conn().execute_batch("ROLLBACK");
            }
            self.storage.clear_poison();
            storage
        })
    }

    fn answer(&self, operation: &str, body: &[u8]) -> MockResponse {
        match self.dispatch(operation, body) {
            Ok(json) => MockResponse::json(200, json),
            Err(refusal) => MockResponse::json(refusal.status, refusal.body),
        }
    }

    fn dispatch(&self, operation: &str, body: &[u8]) -> Result<Bytes, Refusal> {
        let db = || self.storage();
        let vectors = &self.vectors;
        match operation {
            "GetItem" => call(body, |request| done(get_item::execute(&*db(), request))),
            "PutItem" => call(body, |request| done(put_item::execute(&*db(), request))),
            "UpdateItem" => call(body, |request| done(update_item::execute(&*db(), request))),
            "DeleteItem" => call(body, |request| done(delete_item::execute(&*db(), request))),
            "TransactWriteItems" => self.transact_write(body),
            "Query" => call(body, |request| done(query::execute(&*db(), request))),
            "BatchGetItem" => call(body, |request| done(batch_get_item::execute(&*db(), request))),
            "BatchWriteItem" => call(body, |request| done(batch_write_item::execute(&*db(), request))),
            "TransactGetItems" => call(body, |request| done(transact_get_items::execute(&*db(), request))),
            "Scan" => call(body, |request| done(scan::execute(&*db(), request))),
            "CreateTable" => call(body, |request| done(create_table::execute(&*db(), request))),
            "DescribeTable" => call(body, |request| done(describe_table::execute(&*db(), request, vectors))),
            "DeleteTable" => call(body, |request| done(delete_table::execute(&*db(), request, vectors))),
            "ListTables" => call(body, |request| done(list_tables::execute(&*db(), request))),
            "UpdateTimeToLive" => call(body, |request| done(update_time_to_live::execute(&*db(), request))),
            "DescribeTimeToLive" => {
                call(body, |request| done(describe_time_to_live::execute(&*db(), request)))
            }
            _ => {
                Err(Refusal::new("UnknownOperationException", &format!("{operation} is not served locally")))
            }
        }
    }

    fn transact_write(&self, body: &[u8]) -> Result<Bytes, Refusal> {
        let mut request: TransactWriteItemsRequest = parse(body)?;
        let Some(token) = request.client_request_token.take() else {
            return run(request, |request| self.commit(request));
        };
        if token.is_empty() || token.len() > TOKEN_BYTES {
            return Err(DynoxideError::ValidationException(format!(
                "1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint: \
                 Member must have length between 1 and {TOKEN_BYTES}"
            ))
            .into());
        }
        let digest = digest(body)?;
        match self.tokens().claim(&token, digest, (self.clock)()) {
            Claim::Ours => {}
            Claim::Answered(answer) => return Ok(answer),
            Claim::Running => {
                return Err(Refusal::new(
                    "TransactionInProgressException",
                    "The transaction with the given request token is already in progress.",
                ));
            }
            Claim::OtherRequest => {
                return Err(DynoxideError::IdempotentParameterMismatchException(
                    "The request uses the same client token as a previous, but non-identical request.".into(),
                )
                .into());
            }
        }
        let result = run(request, |request| self.commit(request));
        self.tokens().settle(&token, result.as_ref().ok());
        result
    }

    fn commit(
        &self,
        request: TransactWriteItemsRequest,
    ) -> dynoxide::Result<transact_write_items::TransactWriteItemsResponse> {
        done(transact_write_items::execute(&*self.storage(), request))
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that the log holds is written into the file, and the disk has both.
pub(super) fn checkpoint(conn: &rusqlite::Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

impl MockService for DynamoService {
    fn service_name(&self) -> &'static str {
        "dynamodb"
    }

    fn url_patterns(&self) -> Vec<&str> {
        // The second form is the endpoint of an account, which the SDK picks when it knows the id.
        vec![r"^https?://dynamodb\.[^/]*amazonaws\.com", r"^https?://[0-9]{12}\.ddb\.[^/]*amazonaws\.com"]
    }

    fn handle(&self, request: MockRequest) -> Pin<Box<dyn Future<Output = MockResponse> + Send + '_>> {
        Box::pin(async move {
            let target = request.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
            let Some(operation) = target.and_then(|target| target.strip_prefix("DynamoDB_20120810.")) else {
                let refusal = Refusal::new("UnknownOperationException", "no DynamoDB operation was named");
                return MockResponse::json(refusal.status, refusal.body);
            };
            match self.calls {
                Calls::Inline => self.answer(operation, &request.body),
                Calls::OffThread => {
                    let (this, operation, body) = (self.clone(), operation.to_owned(), request.body);
                    let answered = tokio::task::spawn_blocking(move || this.answer(&operation, &body)).await;
                    answered.unwrap_or_else(|error| {
                        let error = DynoxideError::InternalServerError(error.to_string());
                        MockResponse::json(error.status_code(), error.to_json())
                    })
                }
            }
        })
    }
}

/// An error as DynamoDB puts it on the wire.
struct Refusal {
    status: u16,
    body: String,
}

impl Refusal {
    /// A client's error.
    fn new(code: &str, message: &str) -> Self {
        Self { status: 400, body: serde_json::json!({ "__type": code, "message": message }).to_string() }
    }
}

impl From<DynoxideError> for Refusal {
    fn from(error: DynoxideError) -> Self {
        Self { status: error.status_code(), body: error.to_json() }
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> Result<Bytes, Refusal> {
    run(parse(body)?, operation)
}

fn run<Q, A: Serialize>(
    request: Q,
    operation: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> Result<Bytes, Refusal> {
    let answer = operation(request)?;
    serde_json::to_vec(&answer)
        .map(Bytes::from)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()).into())
}

fn parse<Q: DeserializeOwned>(body: &[u8]) -> Result<Q, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let message = error.to_string();
        // dynoxide marks in serde's message what DynamoDB calls a validation error.
        if message.contains("VALIDATION") || message.contains("missing field") {
            DynoxideError::ValidationException(message).into()
        } else {
            DynoxideError::SerializationException(message).into()
        }
    })
}

/// Statements that SQLite keeps prepared: all that the table, its indexes and its stream ask for. Of the 16 that
/// are usual, each would be parsed anew at nearly every write.
const STATEMENTS: usize = 256;

/// A request token's longest form, in bytes.
const TOKEN_BYTES: usize = 36;
/// How long a request token is remembered, in milliseconds.
const TOKEN_MS: i64 = 10 * 60 * 1000;

/// The transactions of the last ten minutes by request token. Memory only: whoever would send a token
/// again died with the process that kept it.
#[derive(Default)]
struct Tokens {
    by_token: HashMap<String, Token>,
    /// Oldest first, so that expiry looks at none but the expired.
    expiring: VecDeque<(i64, String)>,
}

struct Token {
    digest: u64,
    /// `None` while the transaction runs.
    answer: Option<Bytes>,
}

enum Claim {
    Ours,
    Running,
    Answered(Bytes),
    OtherRequest,
}

impl Tokens {
    fn claim(&mut self, token: &str, digest: u64, now_ms: i64) -> Claim {
        while self.expiring.front().is_some_and(|(expires_ms, _)| *expires_ms <= now_ms) {
            if let Some((_, expired)) = self.expiring.pop_front() {
                self.by_token.remove(&expired);
            }
        }
        match self.by_token.get(token) {
            Some(seen) if seen.digest != digest => Claim::OtherRequest,
            Some(Token { answer: Some(answer), .. }) => Claim::Answered(answer.clone()),
            Some(Token { answer: None, .. }) => Claim::Running,
            None => {
                self.by_token.insert(token.to_owned(), Token { digest, answer: None });
                self.expiring.push_back((now_ms + TOKEN_MS, token.to_owned()));
                Claim::Ours
            }
        }
    }

    /// A transaction that failed did nothing: its token is free again.
    fn settle(&mut self, token: &str, answer: Option<&Bytes>) {
        match answer {
            Some(answer) => {
                if let Some(seen) = self.by_token.get_mut(token) {
                    seen.answer = Some(answer.clone());
                }
            }
            None => {
                self.by_token.remove(token);
            }
        }
    }
}

/// A digest of what a transaction does: the same for every order in which its maps were written.
fn digest(body: &[u8]) -> Result<u64, Refusal> {
    #[derive(Deserialize)]
    struct Asked {
        #[serde(rename = "TransactItems")]
        items: Digest,
    }
    parse::<Asked>(body).map(|asked| asked.items.0)
}

/// A digest of a piece of JSON, taken while it is read.
struct Digest(u64);

impl Digest {
    fn of(what: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Digesting)
    }
}

struct Digesting;

impl<'de> Visitor<'de> for Digesting {
    type Value = Digest;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Digest, E> {
        Ok(Digest::of("null"))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Digest, E> {
        Ok(Digest::of(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Digest, E> {
        Ok(Digest::of(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Digest, E> {
        Ok(Digest::of(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Digest, E> {
        Ok(Digest::of(value.to_bits()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Digest, E> {
        Ok(Digest::of(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Digest, A::Error> {
        let mut hasher = DefaultHasher::new();
        while let Some(Digest(entry)) = list.next_element()? {
            entry.hash(&mut hasher);
        }
        Ok(Digest(hasher.finish()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Digest, A::Error> {
        // A sum knows no order.
        let mut members = 0_u64;
        while let Some((Digest(name), Digest(value))) = map.next_entry()? {
            members = members.wrapping_add(Digest::of((name, value)).0);
        }
        Ok(Digest::of(("members", members)))
    }
}

/// What an action of dynoxide comes to: over SQLite it never waits.
fn done<A>(action: impl Future<Output = dynoxide::Result<A>>) -> dynoxide::Result<A> {
    let waits = || Err(DynoxideError::InternalServerError("the storage made an action wait".into()));
    action.now_or_never().unwrap_or_else(waits)
}

/// Our clock as dynoxide wants it, in seconds.
struct DynoxideClock(Clock);

impl dynoxide::storage_backend::Clock for DynoxideClock {
    fn now_unix_secs(&self) -> u64 {
        (self.0)().div_euclid(1000) as u64
    }

    fn now_unix_secs_f64(&self) -> f64 {
        (self.0)() as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_panic_left_in_mid_transaction_was_never_written() {
        let service = DynamoService::memory(Arc::new(|| 0), Calls::Inline).unwrap();
        let run = |sql: &str| service.storage().conn().execute_batch(sql).unwrap();
        let notes = || -> i64 {
            let storage = service.storage();
            storage.conn().query_row("SELECT count(*) FROM notes", (), |row| row.get(0)).unwrap()
        };
        run("CREATE TABLE notes (said TEXT)");
        let broken = service.clone();
        let panicked = std::thread::spawn(move || {
            let storage = broken.storage();
            storage.conn().execute_batch("BEGIN; INSERT INTO notes VALUES ('half')").unwrap();
            panic!("in mid-transaction");
        });
        assert!(panicked.join().is_err());
        assert_eq!(notes(), 0);
        // Whoever comes next begins a transaction of its own.
        run("BEGIN; INSERT INTO notes VALUES ('whole'); COMMIT");
        assert_eq!(notes(), 1);
    }
}
