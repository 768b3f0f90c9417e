//! Counts what a page reads of the table: calls, and read units as DynamoDB bills them. Only while it is asked to, since
//! asking takes time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use leadyard_tests::between::{Between, between};
use serde_json::{Value, json};

/// What was read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Read {
    /// Calls, whatever they brought.
    pub(super) calls: usize,
    /// Read units.
    pub(super) units: f64,
}

/// The counter.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    counts: AtomicBool,
    read: Mutex<Read>,
}

impl Reads {
    /// Counts what passes through this client.
    pub(super) fn over(&self, inner: SharedHttpClient) -> SharedHttpClient {
        between(self.clone(), inner)
    }

    /// From now on it counts, or lets all pass as it is.
    pub(super) fn count(&self, counts: bool) {
        self.0.counts.store(counts, Ordering::Relaxed);
    }

    /// What was read since this was asked last.
    pub(super) fn take(&self) -> Read {
        std::mem::take(&mut *self.0.read.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let consumed = &answer["ConsumedCapacity"];
        let tables = consumed.as_array().map_or(std::slice::from_ref(consumed), Vec::as_slice);
        let units: f64 = tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum();
        let mut read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.calls += 1;
        read.units += units;
    }
}

impl Between for Reads {
    fn call(&self, mut request: HttpRequest, behind: &SharedHttpConnector) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let reads = ["GetItem", "BatchGetItem", "Query", "TransactGetItems"].contains(&operation);
        let asked = request.body().bytes().filter(|_| reads && self.0.counts.load(Ordering::Relaxed));
        let Some(Ok(mut body)) = asked.map(serde_json::from_slice::<Value>) else {
            return behind.call(request);
        };
        body["ReturnConsumedCapacity"] = json!("TOTAL");
        *request.body_mut() = SdkBody::from(body.to_string());
        let (reads, inner) = (self.clone(), behind.clone());
        HttpConnectorFuture::new(async move {
            let answer = inner.call(request).await?;
            reads.add(answer.body().bytes().unwrap_or_default());
            Ok(answer)
        })
    }
}
