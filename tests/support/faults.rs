//! Services that refuse, and ones that hesitate or are slow: a switch in front of the HTTP client that every function
//! is given. It counts what passes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use tokio::sync::Semaphore;

use crate::between::{Between, between};

/// Which services refuse now.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    table: Arc<AtomicBool>,
    /// How many calls the table still answers; any number, if none is said.
    calls_left: Arc<Mutex<Option<usize>>>,
    queues: Arc<AtomicBool>,
    denied: Arc<Mutex<Option<&'static str>>>,
    slow: Arc<Mutex<Duration>>,
    held: Arc<Mutex<Option<(&'static str, Held)>>>,
    calls: Arc<Mutex<BTreeMap<String, usize>>>,
    writes: Arc<AtomicUsize>,
    sent: Arc<Mutex<Vec<serde_json::Value>>>,
    read: Arc<Mutex<Vec<(String, String)>>>,
}

/// A write that is held on its way to the table: all it rests on is read, and nothing of it is written.
#[derive(Clone, Debug)]
pub struct Held {
    arrived: Arc<Semaphore>,
    let_go: Arc<Semaphore>,
}

impl Held {
    /// Until the write has come so far.
    pub async fn arrives(&self) {
        self.arrived.acquire().await.expect("it is never closed").forget();
    }

    /// It goes on.
    pub fn let_go(&self) {
        self.let_go.add_permits(1);
    }
}

impl Faults {
    /// The table answers everything with 500, or works again.
    pub fn table(&self, refuses: bool) {
        self.table.store(refuses, Ordering::SeqCst);
    }

    /// The table answers so many calls, and everything after that with 500; any number again, if none is said.
    pub fn table_after(&self, calls: Option<usize>) {
        *self.calls_left.lock().unwrap_or_else(PoisonError::into_inner) = calls;
    }

    /// The table takes so long for each call.
    pub fn slow(&self, each: Duration) {
        *self.slow.lock().unwrap_or_else(PoisonError::into_inner) = each;
    }

    /// The queues answer everything with 500, or work again.
    pub fn queues(&self, refuse: bool) {
        self.queues.store(refuse, Ordering::SeqCst);
    }

    /// Nobody may send to this queue; anybody again, if none is said.
    pub fn denies(&self, queue: Option<&'static str>) {
        *self.denied.lock().unwrap_or_else(PoisonError::into_inner) = queue;
    }

    /// Holds the next transaction of the table, whoever makes it; those after it pass.
    pub fn hold_commit(&self) -> Held {
        self.hold("TransactWriteItems")
    }

    /// Holds the table's next call of this operation, whoever makes it; those after it pass.
    pub fn hold(&self, operation: &'static str) -> Held {
        let nothing_yet = || Arc::new(Semaphore::new(0));
        let held = Held { arrived: nothing_yet(), let_go: nothing_yet() };
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some((operation, held.clone()));
        held
    }

    /// The calls made since this was asked last, by operation (`TransactWriteItems`).
    pub fn calls(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The items that were read by their keys since this was asked last: partition and sort key.
    pub fn keys_read(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.read.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many items were written, or tried to, so far.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    /// What was sent to this queue, one by one or with others, as SQS is asked to: bodies, and what stands beside them.
    pub fn sent_to(&self, queue: &str) -> Vec<serde_json::Value> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let to = |one: &&serde_json::Value| one["QueueUrl"].as_str().is_some_and(|url| url.ends_with(queue));
        sent.iter().filter(to).cloned().collect()
    }

    /// How often something was sent to this queue, or tried to, since this was asked last.
    pub fn take_sent_to(&self, queue: &str) -> usize {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let before = sent.len();
        sent.retain(|one| !one["QueueUrl"].as_str().is_some_and(|url| url.ends_with(queue)));
        before - sent.len()
    }

    fn count(&self, request: &HttpRequest) {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        // SES names its operation in the path alone.
        let mailed = request.uri().ends_with("/v2/email/outbound-emails");
        let operation = if mailed { "SendEmail" } else { target.rsplit('.').next().unwrap_or_default() };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(operation.to_owned()).or_default() += 1;
        drop(calls);
        let asked = || -> serde_json::Value {
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default()
        };
        let written = match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => 1,
            "TransactWriteItems" => asked()["TransactItems"].as_array().map_or(0, Vec::len),
            "SendMessage" | "SendMessageBatch" => {
                self.note_sent(asked());
                0
            }
            "GetItem" | "BatchGetItem" => {
                self.note_read(&asked());
                0
            }
            _ => 0,
        };
        self.writes.fetch_add(written, Ordering::SeqCst);
    }

    fn note_sent(&self, mut asked: serde_json::Value) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = asked["QueueUrl"].clone();
        match asked["Entries"].as_array_mut() {
            None => sent.push(asked),
            Some(entries) => sent.extend(entries.drain(..).map(|mut entry| {
                entry["QueueUrl"] = queue.clone();
                entry
            })),
        }
    }

    fn note_read(&self, asked: &serde_json::Value) {
        let of_batch = asked["RequestItems"].as_object().into_iter().flatten();
        let of_batch = of_batch.flat_map(|(_, of_table)| of_table["Keys"].as_array().into_iter().flatten());
        let text =
            |key: &serde_json::Value, name: &str| key[name]["S"].as_str().unwrap_or_default().to_owned();
        let keys = of_batch.chain(asked.get("Key")).map(|key| (text(key, "pk"), text(key, "sk")));
        self.read.lock().unwrap_or_else(PoisonError::into_inner).extend(keys);
    }

    fn holds(&self, request: &HttpRequest) -> Option<Held> {
        let target = request.headers().get("x-amz-target")?;
        let operation = target.rsplit('.').next().unwrap_or_default();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.take_if(|(of, _)| *of == operation).map(|(_, held)| held)
    }

    /// Puts the switch in front of a client.
    pub fn before(&self, inner: SharedHttpClient) -> SharedHttpClient {
        between(self.clone(), inner)
    }

    /// As SQS says it, with a status that says less than its code.
    fn deny(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let queue = (*self.denied.lock().unwrap_or_else(PoisonError::into_inner))?;
        let body: serde_json::Value = serde_json::from_slice(request.body().bytes()?).ok()?;
        let denied = body["QueueUrl"].as_str().is_some_and(|url| url.ends_with(queue));
        denied.then(|| {
            let body = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"denied"}"#;
            HttpResponse::new(400.try_into().expect("a status"), SdkBody::from(body))
        })
    }

    fn refuse(&self, uri: &str) -> bool {
        let of_table = uri.contains("dynamodb.") && (self.table.load(Ordering::SeqCst) || self.is_spent());
        of_table || (uri.contains("sqs.") && self.queues.load(Ordering::SeqCst))
    }
}

impl Faults {
    fn slow_by(&self, uri: &str) -> Duration {
        let slow = *self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        if uri.contains("dynamodb.") { slow } else { Duration::ZERO }
    }

    fn is_spent(&self) -> bool {
        let mut left = self.calls_left.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *left {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }
}

impl Between for Faults {
    fn call(&self, request: HttpRequest, behind: &SharedHttpConnector) -> HttpConnectorFuture {
        crate::roles::check(&request);
        self.count(&request);
        if self.refuse(request.uri()) {
            let body =
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"refused"}"#;
            let status = 500.try_into().expect("a status");
            return HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))));
        }
        if let Some(denied) = self.deny(&request) {
            return HttpConnectorFuture::ready(Ok(denied));
        }
        let inner = behind.clone();
        let slow = self.slow_by(request.uri());
        if !slow.is_zero() {
            return HttpConnectorFuture::new(async move {
                tokio::time::sleep(slow).await;
                inner.call(request).await
            });
        }
        let Some(held) = self.holds(&request) else { return inner.call(request) };
        HttpConnectorFuture::new(async move {
            held.arrived.add_permits(1);
            held.let_go.acquire().await.expect("it is never closed").forget();
            inner.call(request).await
        })
    }
}
