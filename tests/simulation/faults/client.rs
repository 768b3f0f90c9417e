//! The SDK's client, decorated: what a call meets on its way to the services, and on its way back.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use leadyard_tests::between::{Between, between};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::call::{Call, reasons, refusal, response};
use super::invocation::CURRENT;
use super::{Fault, Faults, Side, lock};

impl Faults {
    /// Decorates the SDK's HTTP client.
    pub(crate) fn over(self: &Arc<Self>, inner: SharedHttpClient) -> SharedHttpClient {
        between(Decorated(Arc::clone(self)), inner)
    }

    async fn call(
        self: Arc<Self>,
        inner: SharedHttpConnector,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let call = Call::read(&request);
        let current = CURRENT.try_with(Arc::clone).ok();
        let dies = current.as_ref().and_then(|current| current.arrives(&call.name));
        if let (Some(Side::Before), Some(current)) = (dies, &current) {
            self.count(Fault::CrashBefore);
            self.note(&format!("{} {} died before", call.name, call.keys_text()));
            current.die().await;
        }
        let (plan, transit, work) = self.plan(&call);
        if let Some(fault) = plan {
            self.count(fault);
        }
        sleep(transit).await;
        let answer = self.act(&call, plan, work, inner, request).await;
        let (outcome, answer) = match answer {
            Ok((outcome, answer)) => (outcome, Ok(answer)),
            Err(error) => ("no answer".to_owned(), Err(error)),
        };
        self.note(&format!(
            "{} {} {} {outcome}",
            call.name,
            call.keys_text(),
            plan.map_or(String::new(), |plan| format!("[{plan:?}]"))
        ));
        if let (Some(Side::After), Some(current)) = (dies, &current) {
            self.count(Fault::CrashAfter);
            self.note("died after");
            current.die().await;
        }
        answer
    }

    fn plan(&self, call: &Call) -> (Option<Fault>, Duration, Duration) {
        let mut state = lock(&self.state);
        let transit = Duration::from_millis(state.rng.u64(1..6));
        let work = Duration::from_millis(state.rng.u64(1..4));
        if !call.queue && state.away_until.is_some_and(|until| Instant::now() < until) {
            return (Some(Fault::TableAway), transit, work);
        }
        let fault = (state.rng.u32(..1000) < state.weather.faults).then(|| state.rng.u32(..100));
        let fault = fault.map(|kind| match (call.queue, kind) {
            (true, 0..45) => Fault::QueueRefused,
            (true, 45..75) => Fault::QueueReplyLost,
            (true, _) if call.name == "SendMessageBatch" => Fault::QueueTookPart,
            (true, _) => Fault::Delayed,
            (false, 0..25) => Fault::ReplyLost,
            (false, 25..45) => Fault::Refused,
            (false, 45..60) => Fault::Throttled,
            (false, 60..75) if call.writes() => Fault::DoneLate,
            (false, 60..90) if call.index.is_some() => {
                if kind % 2 == 0 {
                    Fault::StaleIndex
                } else {
                    Fault::IndexBehind
                }
            }
            (false, _) => Fault::Delayed,
        });
        let transit = match fault {
            Some(Fault::Delayed) => {
                let long = state.rng.u32(..8) == 0;
                Duration::from_millis(if long { 2_000 } else { state.rng.u64(20..200) })
            }
            _ => transit,
        };
        (fault, transit, work)
    }

    async fn act(
        self: &Arc<Self>,
        call: &Call,
        plan: Option<Fault>,
        work: Duration,
        inner: SharedHttpConnector,
        request: HttpRequest,
    ) -> Result<(String, HttpResponse), ConnectorError> {
        match plan {
            Some(Fault::Refused | Fault::TableAway) => return Ok(refusal(500, "InternalServerError")),
            Some(Fault::QueueRefused) => return Ok(refusal(500, "InternalFailure")),
            Some(Fault::Throttled) if call.name == "TransactWriteItems" => {
                return Ok(call.cancelled(|_| "ThrottlingError"));
            }
            Some(Fault::Throttled) => return Ok(refusal(400, "ProvisionedThroughputExceededException")),
            Some(Fault::DoneLate) => {
                let (this, after) = (Arc::clone(self), Duration::from_millis(1_600 + self.below(3_000)));
                let name = format!("{} {} done late", call.name, call.keys_text());
                let keys = call.keys.clone();
                tokio::spawn(async move {
                    sleep(after).await;
                    let answer = inner.call(request).await;
                    this.written(&keys);
                    this.note(&format!("{name} {}", answer.map_or(0, |answer| answer.status().as_u16())));
                });
                sleep(Duration::from_millis(1_450)).await;
                return Err(ConnectorError::timeout("the request lost its way".into()));
            }
            Some(Fault::StaleIndex) => {
                let earlier =
                    call.index.as_ref().and_then(|index| lock(&self.state).answered.get(index).cloned());
                if let Some(earlier) = earlier {
                    return Ok(("200 stale".to_owned(), response(200, earlier)));
                }
            }
            Some(Fault::QueueTookPart) => {
                return self.took_part(inner, request).await;
            }
            Some(_) | None => {}
        }
        let writing = if call.writes() {
            match Writing::begin(self, call) {
                Ok(writing) => Some(writing),
                Err(conflicting) => {
                    self.count(Fault::Conflict);
                    if call.name == "TransactWriteItems" {
                        return Ok(call.cancelled(|key| {
                            if conflicting.contains(key) { "TransactionConflict" } else { "None" }
                        }));
                    }
                    return Ok(refusal(400, "TransactionConflictException"));
                }
            }
        } else {
            None
        };
        if writing.is_some() {
            sleep(work).await;
        }
        let answer = inner.call(request).await?;
        drop(writing);
        if call.writes() {
            self.written(&call.keys);
        }
        let status = answer.status().as_u16();
        if matches!(plan, Some(Fault::ReplyLost | Fault::QueueReplyLost)) {
            return Err(ConnectorError::io("the reply was lost".into()));
        }
        let mut outcome = status.to_string();
        if status >= 400 {
            let body = answer.body().bytes().unwrap_or_default();
            outcome = format!("{status} {}", reasons(body));
        }
        if let Some(index) = &call.index {
            let body = answer.body().bytes().unwrap_or_default().to_vec();
            let body = if plan == Some(Fault::IndexBehind) { self.behind(&body) } else { body };
            lock(&self.state).answered.insert(index.clone(), body.clone());
            return Ok((outcome, response(status, body)));
        }
        Ok((outcome, answer))
    }

    /// An index's answer without some of its entries.
    fn behind(&self, body: &[u8]) -> Vec<u8> {
        let Ok(mut answer) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
        if let Some(items) = answer.get_mut("Items").and_then(Value::as_array_mut) {
            items.retain(|_| self.below(2) == 0);
            let left = items.len();
            if let Some(members) = answer.as_object_mut() {
                members.insert("Count".to_owned(), json!(left));
                members.insert("ScannedCount".to_owned(), json!(left));
            }
        }
        answer.to_string().into_bytes()
    }

    /// A batch whose last entry the queue does not take.
    async fn took_part(
        &self,
        inner: SharedHttpConnector,
        mut request: HttpRequest,
    ) -> Result<(String, HttpResponse), ConnectorError> {
        let mut body: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let entry =
            body.get_mut("Entries").and_then(Value::as_array_mut).and_then(Vec::pop).unwrap_or_default();
        let failed = json!({ "Id": entry["Id"], "SenderFault": false, "Code": "InternalError", "Message": "not this one" });
        if body["Entries"].as_array().is_none_or(Vec::is_empty) {
            return Ok((
                "200 took none".to_owned(),
                response(200, json!({ "Successful": [], "Failed": [failed] }).to_string().into_bytes()),
            ));
        }
        *request.body_mut() = SdkBody::from(body.to_string());
        request.headers_mut().remove("content-length");
        let answer = inner.call(request).await?;
        let mut said: Value =
            serde_json::from_slice(answer.body().bytes().unwrap_or_default()).unwrap_or_default();
        if let Some(members) = said.as_object_mut() {
            members.insert("Failed".to_owned(), json!([failed]));
        }
        Ok(("200 took part".to_owned(), response(200, said.to_string().into_bytes())))
    }
}

/// Items being written, until dropped.
struct Writing<'a> {
    faults: &'a Faults,
    keys: &'a [String],
    transaction: bool,
}

impl<'a> Writing<'a> {
    fn begin(faults: &'a Faults, call: &'a Call) -> Result<Self, Vec<String>> {
        let transaction = call.name == "TransactWriteItems";
        let mut state = lock(&faults.state);
        let conflicting: Vec<String> = call
            .keys
            .iter()
            .filter(|key| {
                state
                    .in_flight
                    .get(*key)
                    .is_some_and(|(transactions, all)| *transactions > 0 || (transaction && *all > 0))
            })
            .cloned()
            .collect();
        if !conflicting.is_empty() {
            return Err(conflicting);
        }
        for key in &call.keys {
            let (transactions, all) = state.in_flight.entry(key.clone()).or_default();
            *transactions += u32::from(transaction);
            *all += 1;
        }
        Ok(Self { faults, keys: &call.keys, transaction })
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.faults.state);
        for key in self.keys {
            if let Some((transactions, all)) = state.in_flight.get_mut(key) {
                *transactions -= u32::from(self.transaction);
                *all -= 1;
                if *all == 0 {
                    state.in_flight.remove(key);
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Decorated(Arc<Faults>);

impl Between for Decorated {
    fn call(&self, request: HttpRequest, behind: &SharedHttpConnector) -> HttpConnectorFuture {
        let (faults, inner) = (Arc::clone(&self.0), behind.clone());
        HttpConnectorFuture::new(async move { faults.call(inner, request).await })
    }
}
