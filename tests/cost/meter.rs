//! What every call of the functions costs: a meter between the SDK and the services.
//!
//! DynamoDB is asked for its consumed capacity with each call, and says it with each answer. That of this process
//! (dynoxide) counts as AWS documents: a write by the larger of the item before and after, twice that in a transaction,
//! each index by its own change, a read by 4 KB, half where it need not be the latest. Of an index in a transaction it
//! says that it is not doubled, by what its authors saw of AWS.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use leadyard_tests::between::{Between, between};
use serde_json::{Value, json};

use crate::prices;

/// What was used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    /// Write units of the table itself.
    pub(crate) table_writes: f64,
    /// Write units by index.
    pub(crate) index_writes: BTreeMap<String, f64>,
    /// Read units, of the table and its indexes.
    pub(crate) reads: f64,
    /// Calls by operation.
    pub(crate) calls: BTreeMap<String, f64>,
    /// Calls that DynamoDB refused: what they use it does not say.
    pub(crate) refused: f64,
    /// Requests of SQS, those that Lambda makes included.
    pub(crate) queue_requests: f64,
    /// Messages with a group.
    pub(crate) grouped: f64,
    /// Invocations of functions.
    pub(crate) invocations: f64,
    /// Gigabytes for seconds.
    pub(crate) gb_s: f64,
    /// Bytes logged.
    pub(crate) log_bytes: f64,
    /// Bytes sent to the internet.
    pub(crate) egress_bytes: f64,
    /// What was read and written, by operation and kind of item (`GetItem L/A`): for people to look at.
    pub(crate) touched: BTreeMap<String, f64>,
    /// Bytes of what was put last, by kind of item.
    pub(crate) bytes: BTreeMap<String, usize>,
    /// Writes by partition key of the table.
    pub(crate) keys: BTreeMap<String, f64>,
}

impl Used {
    /// All write units.
    pub(crate) fn writes(&self) -> f64 {
        self.table_writes + self.index_writes.values().sum::<f64>()
    }

    /// The same as one part of `parts`.
    pub(crate) fn per(&self, parts: f64) -> Self {
        let each = |of: &BTreeMap<String, f64>| of.iter().map(|(k, v)| (k.clone(), v / parts)).collect();
        Self {
            table_writes: self.table_writes / parts,
            index_writes: each(&self.index_writes),
            reads: self.reads / parts,
            calls: each(&self.calls),
            refused: self.refused,
            queue_requests: self.queue_requests / parts,
            grouped: self.grouped / parts,
            invocations: self.invocations / parts,
            gb_s: self.gb_s / parts,
            log_bytes: self.log_bytes / parts,
            egress_bytes: self.egress_bytes / parts,
            touched: each(&self.touched),
            bytes: self.bytes.clone(),
            keys: each(&self.keys),
        }
    }

    /// Dollars for a million of it, by what is paid for.
    pub(crate) fn dollars(&self) -> Dollars {
        const GB: f64 = 1e9;
        Dollars {
            table: self.writes() * prices::WRITE_UNIT + self.reads * prices::READ_UNIT,
            queues: self.queue_requests * prices::QUEUE_REQUEST + self.grouped * prices::QUEUE_GROUP,
            functions: self.invocations * prices::INVOCATION + self.gb_s * prices::GB_SECOND,
            rest: self.log_bytes / GB * prices::LOG_GB + self.egress_bytes / GB * prices::EGRESS_GB,
        }
    }
}

impl AddAssign<&Self> for Used {
    fn add_assign(&mut self, other: &Self) {
        let add = |to: &mut BTreeMap<String, f64>, of: &BTreeMap<String, f64>| {
            for (name, count) in of {
                *to.entry(name.clone()).or_default() += count;
            }
        };
        self.table_writes += other.table_writes;
        add(&mut self.index_writes, &other.index_writes);
        self.reads += other.reads;
        add(&mut self.calls, &other.calls);
        self.refused += other.refused;
        self.queue_requests += other.queue_requests;
        self.grouped += other.grouped;
        self.invocations += other.invocations;
        self.gb_s += other.gb_s;
        self.log_bytes += other.log_bytes;
        self.egress_bytes += other.egress_bytes;
        add(&mut self.touched, &other.touched);
        self.bytes.extend(other.bytes.clone());
        add(&mut self.keys, &other.keys);
    }
}

/// Dollars for a million.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dollars {
    pub(crate) table: f64,
    pub(crate) queues: f64,
    pub(crate) functions: f64,
    pub(crate) rest: f64,
}

impl Dollars {
    pub(crate) fn all(self) -> f64 {
        self.table + self.queues + self.functions + self.rest
    }
}

/// The meter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<Used>>);

impl Meter {
    /// Meters what passes through this client; each call takes its time.
    pub(crate) fn over(&self, inner: SharedHttpClient) -> SharedHttpClient {
        between(self.clone(), inner)
    }

    /// What was used since this was asked last.
    pub(crate) fn take(&self) -> Used {
        std::mem::take(&mut *self.used())
    }

    /// What was used beside the calls.
    pub(crate) fn add(&self, used: &Used) {
        *self.used() += used;
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Used> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self, operation: &str, asked: &[u8], answer: &HttpResponse) {
        let mut used = self.used();
        *used.calls.entry(operation.to_owned()).or_default() += 1.0;
        if !answer.status().is_success() {
            used.refused += 1.0;
            return;
        }
        let asked: Value = serde_json::from_slice(asked).unwrap_or_default();
        for (how, one) in each_item(operation, &asked) {
            let kind = kind(one);
            if let Some(item) = one["Item"].as_object() {
                let bytes = item.iter().map(|(name, value)| name.len() + size(value)).sum();
                used.bytes.insert(kind.clone(), bytes);
            }
            *used.touched.entry(format!("{how} {kind}")).or_default() += 1.0;
            if let Some(key) = written(how, one) {
                *used.keys.entry(key.to_owned()).or_default() += 1.0;
            }
        }
        let answer: Value =
            serde_json::from_slice(answer.body().bytes().unwrap_or_default()).unwrap_or_default();
        let consumed = &answer["ConsumedCapacity"];
        let tables = consumed.as_array().map_or(std::slice::from_ref(consumed), Vec::as_slice);
        for table in tables {
            let all = table["CapacityUnits"].as_f64();
            let all = all.unwrap_or_else(|| panic!("{operation} says what it consumed"));
            if matches!(operation, "GetItem" | "BatchGetItem" | "Query" | "TransactGetItems") {
                used.reads += all;
                continue;
            }
            used.table_writes += table["Table"]["CapacityUnits"].as_f64().unwrap_or(0.0);
            for (index, units) in table["GlobalSecondaryIndexes"].as_object().into_iter().flatten() {
                *used.index_writes.entry(index.clone()).or_default() +=
                    units["CapacityUnits"].as_f64().unwrap_or(0.0);
            }
        }
    }

    fn queue(&self, operation: &str, asked: &[u8]) {
        let asked: Value = serde_json::from_slice(asked).unwrap_or_default();
        let one = [asked.clone()];
        let messages = asked["Entries"].as_array().map_or(one.as_slice(), Vec::as_slice);
        let bytes: usize = messages.iter().filter_map(|one| one["MessageBody"].as_str()).map(str::len).sum();
        let grouped = messages.iter().filter(|one| one["MessageGroupId"].is_string()).count();
        let mut used = self.used();
        *used.calls.entry(operation.to_owned()).or_default() += 1.0;
        used.queue_requests += bytes.div_ceil(prices::QUEUE_CHUNK_BYTES).max(1) as f64;
        used.grouped += grouped as f64;
    }
}

/// What one call reads and writes, each with how.
fn each_item<'a>(operation: &'a str, asked: &'a Value) -> Vec<(&'a str, &'a Value)> {
    if let Some(items) = asked["TransactItems"].as_array() {
        return items
            .iter()
            .flat_map(|item| item.as_object().expect("an item"))
            .map(|(how, one)| (how.as_str(), one))
            .collect();
    }
    if let Some(tables) = asked["RequestItems"].as_object() {
        let keys = tables.values().flat_map(|table| table["Keys"].as_array().into_iter().flatten());
        return keys.map(|key| (operation, key)).collect();
    }
    vec![(operation, asked)]
}

/// The partition key that is written, if any is.
fn written<'a>(how: &str, one: &'a Value) -> Option<&'a str> {
    let key = match how {
        "PutItem" | "Put" => &one["Item"]["pk"],
        "UpdateItem" | "Update" | "DeleteItem" | "Delete" => &one["Key"]["pk"],
        _ => return None,
    };
    key["S"].as_str()
}

/// What kind of item is meant: the first parts of its keys (`L/A` is an assignment); of a query its index or partition.
fn kind(one: &Value) -> String {
    if let Some(index) = one["IndexName"].as_str() {
        return index.to_owned();
    }
    let first = |key: &Value| -> String {
        let text = key["S"].as_str().unwrap_or_default();
        let word = text.split('#').next().unwrap_or_default();
        if word.starts_with(|letter: char| letter.is_ascii_digit()) {
            "time".to_owned()
        } else {
            word.to_owned()
        }
    };
    let keys = [&one["Item"], &one["Key"], one].into_iter().find(|keys| keys["pk"].is_object());
    match keys {
        Some(keys) => format!("{}/{}", first(&keys["pk"]), first(&keys["sk"])),
        None => format!("{}/…", first(&one["ExpressionAttributeValues"][":pk"])),
    }
}

/// What a value of the protocol takes in an item, as AWS documents it.
fn size(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 0 };
    let inner: usize = match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(digits)) => digits.trim_start_matches('-').len().div_ceil(2) + 1,
        ("B", Value::String(base64)) => base64.len() * 3 / 4,
        ("L", Value::Array(list)) => 3 + list.iter().map(|one| 1 + size(one)).sum::<usize>(),
        ("M", Value::Object(map)) => {
            3 + map.iter().map(|(name, one)| 1 + name.len() + size(one)).sum::<usize>()
        }
        ("SS" | "BS" | "NS", Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::len).sum(),
        _ => 1,
    };
    inner
}

impl Between for Meter {
    fn call(&self, mut request: HttpRequest, behind: &SharedHttpConnector) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let (service, operation) = target.rsplit_once('.').unwrap_or_default();
        let (of_table, operation) = (service.starts_with("DynamoDB"), operation.to_owned());
        let asked = request.body().bytes().unwrap_or_default().to_vec();
        if of_table && !operation.ends_with("Table") && !operation.ends_with("TimeToLive") {
            let mut body: Value = serde_json::from_slice(&asked).expect("the SDK writes JSON");
            body["ReturnConsumedCapacity"] = json!("INDEXES");
            *request.body_mut() = SdkBody::from(body.to_string());
        }
        let (meter, inner) = (self.clone(), behind.clone());
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(if of_table { prices::TABLE_CALL } else { prices::QUEUE_CALL }).await;
            let answer = inner.call(request).await?;
            if of_table && !operation.ends_with("Table") && !operation.ends_with("TimeToLive") {
                meter.table(&operation, &asked, &answer);
            } else if !of_table {
                meter.queue(&operation, &asked);
            }
            Ok(answer)
        })
    }
}
