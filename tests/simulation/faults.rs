//! What may go wrong between the SDK and the services, by a seed: a decorator of the SDK's HTTP client.
//!
//! Every call passes here, faults or not, and leaves a line in the trace; each takes some virtual time,
//! so that what runs side by side crosses. A handler's call may also be its last: see [`Invocation`].

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use leadyard_tests::between::{Between, between};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The service did it; nobody was told.
    ReplyLost,
    /// The service did nothing and said so with a 500.
    Refused,
    /// Too much was asked.
    Throttled,
    /// Two writes of one item at once, one of them a transaction.
    Conflict,
    /// The reply took 20 to 200 ms, at times longer than the SDK waits.
    Delayed,
    /// The request came to the service after its sender had given up, and was done.
    DoneLate,
    /// An index answered as it had before.
    StaleIndex,
    /// An index lacked some of its entries.
    IndexBehind,
    /// The whole table was away for minutes.
    TableAway,
    /// A queue took nothing.
    QueueRefused,
    /// A queue took it; nobody was told.
    QueueReplyLost,
    /// A queue took a part of a batch.
    QueueTookPart,
    /// A handler died before a call.
    CrashBefore,
    /// A handler died after a call.
    CrashAfter,
    /// A worker's deletion of its messages was lost: they come again.
    DeleteLost,
    /// A queue delivered late.
    QueueLate,
    /// A queue delivered twice.
    QueueTwice,
    /// A queue delivered out of order.
    QueueReordered,
    /// A dealer's server answered 500, having kept the lead or not.
    DealerError,
    /// A dealer's server took it and never answered.
    DealerHung,
    /// A dealer's server refused the connection.
    DealerRefused,
    /// A dealer's endpoint was gone.
    DealerGone,
    /// A dealer's server took it; its answer was lost.
    DealerAnswerLost,
}

impl Fault {
    /// Every kind.
    pub(crate) const ALL: [Self; 23] = [
        Self::ReplyLost,
        Self::Refused,
        Self::Throttled,
        Self::Conflict,
        Self::Delayed,
        Self::DoneLate,
        Self::StaleIndex,
        Self::IndexBehind,
        Self::TableAway,
        Self::QueueRefused,
        Self::QueueReplyLost,
        Self::QueueTookPart,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::DeleteLost,
        Self::QueueLate,
        Self::QueueTwice,
        Self::QueueReordered,
        Self::DealerError,
        Self::DealerHung,
        Self::DealerRefused,
        Self::DealerGone,
        Self::DealerAnswerLost,
    ];
}

/// How often each kind occurred, in the order of [`Fault::ALL`].
pub(crate) type Counts = [u64; Fault::ALL.len()];

tokio::task_local! {
    static CURRENT: Arc<Invocation>;
}

/// Before or after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The call is never made.
    Before,
    /// The call is made, and its answer read by nobody.
    After,
}

/// One run of a handler, which may end at one of its calls.
#[derive(Debug)]
pub(crate) struct Invocation {
    dies_at: Option<(usize, Side)>,
    calls: Mutex<Vec<String>>,
    died: AtomicBool,
    bell: Notify,
}

impl Invocation {
    /// One that dies at its `n`th call (1 is the first), if it comes so far.
    pub(crate) fn new(dies_at: Option<(usize, Side)>) -> Arc<Self> {
        Arc::new(Self { dies_at, calls: Mutex::default(), died: AtomicBool::new(false), bell: Notify::new() })
    }

    /// Runs a handler; `None` when it died.
    pub(crate) async fn run<T>(self: &Arc<Self>, handler: impl Future<Output = T>) -> Option<T> {
        let this = Arc::clone(self);
        CURRENT
            .scope(Arc::clone(self), async move {
                tokio::select! {
                    biased;
                    done = handler => Some(done),
                    () = this.bell.notified() => None,
                }
            })
            .await
    }

    /// The calls it made, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        lock(&self.calls).clone()
    }

    /// Whether it died.
    pub(crate) fn died(&self) -> bool {
        self.died.load(Ordering::Relaxed)
    }

    fn arrives(&self, call: &str) -> Option<Side> {
        let mut calls = lock(&self.calls);
        calls.push(call.to_owned());
        self.dies_at.filter(|(at, _)| *at == calls.len()).map(|(_, side)| side)
    }

    async fn die(&self) {
        self.died.store(true, Ordering::Relaxed);
        self.bell.notify_one();
        std::future::pending::<()>().await;
    }
}

/// How bad the weather is, in thousandths of all calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// Faults of single calls.
    pub(crate) faults: u32,
    /// Handlers that die.
    pub(crate) crashes: u32,
    /// Dealers that do not answer 204.
    pub(crate) dealers: u32,
}

impl Weather {
    /// Nothing goes wrong.
    pub(crate) const FAIR: Self = Self { faults: 0, crashes: 0, dealers: 0 };
}

/// The faults of one world.
pub(crate) struct Faults {
    state: Mutex<State>,
    /// Rings when the table was written.
    pub(crate) wrote: Notify,
    /// Looks at items (`pk|sk`) that were just written together, and says what should not be.
    watch: OnceLock<Watch>,
}

/// Looks at items that were just written together.
type Watch = Box<dyn Fn(&[String]) -> Vec<String> + Send + Sync>;

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct State {
    rng: fastrand::Rng,
    weather: Weather,
    away_until: Option<Instant>,
    counts: Counts,
    hash: u64,
    calls: u64,
    keeps_trace: bool,
    trace: Vec<String>,
    started: Instant,
    /// Items being written now: how many by transactions, how many in all.
    in_flight: HashMap<String, (u32, u32)>,
    /// What an index answered last.
    answered: HashMap<String, Vec<u8>>,
    /// What the watch saw that should not be.
    seen: Vec<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faults {
    /// Faults by this seed.
    pub(crate) fn new(seed: u64, weather: Weather, keeps_trace: bool) -> Arc<Self> {
        let state = State {
            rng: fastrand::Rng::with_seed(seed),
            weather,
            away_until: None,
            counts: [0; Fault::ALL.len()],
            hash: 0xcbf2_9ce4_8422_2325,
            calls: 0,
            keeps_trace,
            trace: Vec::new(),
            started: Instant::now(),
            in_flight: HashMap::new(),
            answered: HashMap::new(),
            seen: Vec::new(),
        };
        Arc::new(Self { state: Mutex::new(state), wrote: Notify::new(), watch: OnceLock::new() })
    }

    /// Has all items looked at as soon as they are written; once.
    pub(crate) fn watch(&self, watch: impl Fn(&[String]) -> Vec<String> + Send + Sync + 'static) {
        let _ = self.watch.set(Box::new(watch));
    }

    /// What the watch saw that should not be.
    pub(crate) fn seen(&self) -> Vec<String> {
        lock(&self.state).seen.clone()
    }

    fn written(&self, keys: &[String]) {
        self.wrote.notify_one();
        if let Some(watch) = self.watch.get() {
            let seen = watch(keys);
            lock(&self.state).seen.extend(seen);
        }
    }

    /// Decorates the SDK's HTTP client.
    pub(crate) fn over(self: &Arc<Self>, inner: SharedHttpClient) -> SharedHttpClient {
        between(Decorated(Arc::clone(self)), inner)
    }

    /// Changes the weather.
    pub(crate) fn weather(&self, weather: Weather) {
        let mut state = lock(&self.state);
        state.weather = weather;
        if weather.faults == 0 {
            state.away_until = None;
        }
    }

    /// Takes the table away for so long.
    pub(crate) fn take_table_away(&self, for_: Duration) {
        lock(&self.state).away_until = Some(Instant::now() + for_);
    }

    /// It occurred.
    pub(crate) fn count(&self, fault: Fault) {
        lock(&self.state).counts[fault as usize] += 1;
    }

    /// How often each kind occurred.
    pub(crate) fn counts(&self) -> Counts {
        lock(&self.state).counts
    }

    /// A number below `n`.
    pub(crate) fn below(&self, n: u64) -> u64 {
        lock(&self.state).rng.u64(0..n.max(1))
    }

    /// Whether something of this chance (in thousandths) happens.
    pub(crate) fn happens(&self, of: impl Fn(&Weather) -> u32) -> bool {
        let mut state = lock(&self.state);
        let chance = of(&state.weather);
        state.rng.u32(..1000) < chance
    }

    /// A run of a handler, that dies now and then.
    pub(crate) fn invocation(&self) -> Arc<Invocation> {
        let mut state = lock(&self.state);
        let dies = state.rng.u32(..1000) < state.weather.crashes;
        let at = state.rng.usize(1..16);
        let side = if state.rng.bool() { Side::Before } else { Side::After };
        Invocation::new(dies.then_some((at, side)))
    }

    /// A hash of every call so far, and how many there were.
    pub(crate) fn digest(&self) -> (u64, u64) {
        let state = lock(&self.state);
        (state.hash, state.calls)
    }

    /// The trace, if it was kept.
    pub(crate) fn trace(&self) -> Vec<String> {
        lock(&self.state).trace.clone()
    }

    /// Writes a line into the trace.
    pub(crate) fn note(&self, line: &str) {
        let mut state = lock(&self.state);
        let at = state.started.elapsed().as_millis();
        for byte in line.bytes().chain(at.to_le_bytes()) {
            state.hash = (state.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        state.calls += 1;
        if state.keeps_trace {
            state.trace.push(format!("{:>12.3} {line}", at as f64 / 1000.0));
        }
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

/// A call, as far as its faults depend on it.
struct Call {
    queue: bool,
    name: String,
    /// What it reads or writes: `pk|sk`, or the queue.
    keys: Vec<String>,
    /// The index and partition it queries.
    index: Option<String>,
}

impl Call {
    fn read(request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let (service, name) = target.split_once('.').unwrap_or(("", target));
        let body: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let queue = service == "AmazonSQS";
        let key = |item: &Value| {
            format!(
                "{}|{}",
                item["pk"]["S"].as_str().unwrap_or_default(),
                item["sk"]["S"].as_str().unwrap_or_default()
            )
        };
        let mut index = None;
        let keys = match name {
            "GetItem" | "UpdateItem" | "DeleteItem" => vec![key(&body["Key"])],
            "PutItem" => vec![key(&body["Item"])],
            "TransactWriteItems" => body["TransactItems"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|write| {
                    write["Put"]["Item"]
                        .as_object()
                        .map_or_else(|| key(&write["Update"]["Key"]), |_| key(&write["Put"]["Item"]))
                })
                .collect(),
            "Query" => {
                let partition = body["ExpressionAttributeValues"].as_object().into_iter().flatten();
                let mut values: Vec<_> = partition.filter_map(|(_, value)| value["S"].as_str()).collect();
                values.sort_unstable();
                if let Some(name) = body["IndexName"].as_str() {
                    index = Some(format!("{name} {}", values.join(" ")));
                }
                vec![values.join("|")]
            }
            _ if queue => vec![
                body["QueueUrl"]
                    .as_str()
                    .and_then(|url| url.rsplit('/').next())
                    .unwrap_or_default()
                    .to_owned(),
            ],
            _ => Vec::new(),
        };
        Self { queue, name: name.to_owned(), keys, index }
    }

    fn writes(&self) -> bool {
        matches!(self.name.as_str(), "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems")
    }

    fn keys_text(&self) -> String {
        self.index.clone().unwrap_or_else(|| self.keys.join(", "))
    }

    fn cancelled(&self, code: impl Fn(&String) -> &'static str) -> (String, HttpResponse) {
        let reasons: Vec<Value> = self.keys.iter().map(|key| json!({ "Code": code(key) })).collect();
        let text = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled", "CancellationReasons": reasons,
        });
        (format!("400 {}", reasons_of(&text)), response(400, text.to_string().into_bytes()))
    }
}

fn reasons(body: &[u8]) -> String {
    reasons_of(&serde_json::from_slice(body).unwrap_or_default())
}

fn reasons_of(answer: &Value) -> String {
    let kind = answer["__type"].as_str().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or(kind);
    let codes: Vec<&str> = answer["CancellationReasons"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    format!("{kind} {}", codes.join(" "))
}

fn refusal(status: u16, kind: &str) -> (String, HttpResponse) {
    let text =
        json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "by the seed" });
    (format!("{status} {kind}"), response(status, text.to_string().into_bytes()))
}

fn response(status: u16, body: Vec<u8>) -> HttpResponse {
    let status = aws_smithy_runtime_api::http::StatusCode::try_from(status);
    let internal = || aws_smithy_runtime_api::http::StatusCode::try_from(500);
    // Every status here is one.
    let status = status.or_else(|_| internal()).ok();
    let mut response =
        HttpResponse::new(status.unwrap_or_else(|| unreachable!("500 is a status")), SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}

#[derive(Clone, Debug)]
struct Decorated(Arc<Faults>);

impl Between for Decorated {
    fn call(&self, request: HttpRequest, behind: &SharedHttpConnector) -> HttpConnectorFuture {
        let (faults, inner) = (Arc::clone(&self.0), behind.clone());
        HttpConnectorFuture::new(async move { faults.call(inner, request).await })
    }
}
