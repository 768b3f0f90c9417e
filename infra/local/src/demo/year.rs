//! The year itself: the same functions, table and queues as `serve`, under a clock that is moved from one event to the
//! next.
//!
//! Determinations:
//!
//! - *Time jumps.* Where nothing is due, nothing runs: the due index is asked for its first instants, and the sweep runs at
//!   them, at most once in some minutes. The queues' delays are kept to the millisecond.
//! - *One thing after the other*, on one task: the same seed gives the same data, id for id, on a machine that is not so
//!   busy that a call in process takes half a second. What a function waits for it waits for by the machine's own clock, and
//!   goes on without it then as on AWS: screening without its counts, the SDK with another attempt. The folder's key follows
//!   from the seed as well, and is good for nothing but a demo.
//! - *The disk is not waited for* until the end: a year that broke off is begun anew, and nobody was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use jiff::Timestamp;
use leadyard_domain::access::DealerToken;
use leadyard_domain::ids::{CompanyId, DealerId};
use leadyard_domain::rulebook::Rulebook;
use leadyard_platform::clock::Clock;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::entropy::Entropy;
use leadyard_platform::outbound::Outbound;
use leadyard_platform::store::keys;
use leadyard_platform::store::schema::{self, Index};
use serde_json::Value;
use tower::ServiceExt as _;

use super::book::Files;
use crate::aws::{Calls, LocalAws};
use crate::keys::Keys;
use crate::system::{self, Parts};
use crate::{folder, gateway, poller};

/// Changes are counted for the reports so often, in milliseconds.
const COUNT_EACH_MS: i64 = 6 * 3_600 * 1_000;
/// Who the desk's acts are by.
pub(super) const STAFF: &str = "desk@localhost";

/// A running year.
pub(super) struct Year {
    pub(super) cloud: Cloud,
    pub(super) company: CompanyId,
    pub(super) keys: Keys,
    aws: LocalAws,
    app: Router,
    now_ms: Arc<AtomicI64>,
    /// Sweeps are at least so far apart, in milliseconds.
    sweep_each_ms: i64,
    /// When it was last asked what is due.
    looked_ms: i64,
    counted_ms: i64,
    /// The last change that is counted.
    counted: i64,
}

/// What was answered.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) json: Value,
}

/// A clock that is moved by hand.
fn hands(at: Timestamp) -> (Arc<AtomicI64>, Clock) {
    let now_ms = Arc::new(AtomicI64::new(at.as_millisecond()));
    let told = Arc::clone(&now_ms);
    let clock = Clock::given(move || {
        Timestamp::from_millisecond(told.load(Ordering::Relaxed)).unwrap_or(Timestamp::UNIX_EPOCH)
    });
    (now_ms, clock)
}

impl Year {
    /// An empty folder at the beginning of a year. `network` makes the way to dealers.
    pub(super) async fn begin(
        data: &std::path::Path,
        seed: u64,
        at: Timestamp,
        sweep_each_ms: i64,
        book: &Rulebook,
        network: impl FnOnce(&Clock) -> Outbound,
    ) -> anyhow::Result<Self> {
        let (now_ms, clock) = hands(at);
        let entropy = Entropy::seeded(seed);
        let master = folder::master_key(data, &entropy)?;
        let aws = LocalAws::open(
            data,
            system::millis(&clock),
            entropy.u64(),
            Calls::Inline,
            &system::queue_specs(),
        )
        .with_context(|| format!("the data folder {} did not open", data.display()))?;
        aws.waits_for_the_disk(false)?;
        let outbound = network(&clock);
        let parts = Parts { clock, entropy, outbound, master, console_url: None, meta: None, oidc: None };
        let cloud = system::cloud(aws.http_client(), parts).await?;
        aws.tables().stream_begin(system::TABLE)?;
        let keys = Keys::mint(&cloud.master, book, STAFF);
        let app = gateway::router(&cloud, Router::new());
        let company = book.company.id.clone();
        let began = at.as_millisecond();
        Ok(Self {
            cloud,
            company,
            keys,
            aws,
            app,
            now_ms,
            sweep_each_ms,
            looked_ms: began,
            counted_ms: began,
            counted: 0,
        })
    }

    /// Now, in Unix milliseconds.
    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    /// Works the queues until they are quiet; what is delayed stays.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        // Whatever a year does at once is far less.
        for _ in 0..100_000 {
            let mut worked = 0;
            for queue in &system::WORKED {
                worked += poller::work(&self.cloud, self.aws.queues(), queue).await;
            }
            if worked == 0 {
                return Ok(());
            }
        }
        anyhow::bail!("the queues never came to rest")
    }

    /// The first event of time alone up to an instant happens: delayed messages, and what is due. Whether there was one;
    /// if not, it is that instant now.
    pub(super) async fn next_until(&mut self, target_ms: i64) -> anyhow::Result<bool> {
        let message = self.first_message_ms().filter(|at| *at <= target_ms);
        let sweep_from = self.looked_ms + self.sweep_each_ms;
        let mut due = None;
        if target_ms >= sweep_from {
            due = self.first_due_ms().map(|at| at.max(sweep_from)).filter(|at| *at <= target_ms);
        }
        let Some(next_ms) = message.into_iter().chain(due).min() else {
            if target_ms >= sweep_from {
                self.looked_ms = target_ms;
            }
            self.moves_to(target_ms);
            self.count_now_and_then().await;
            return Ok(false);
        };
        self.moves_to(next_ms);
        if due.is_some_and(|at| at <= next_ms) {
            self.looked_ms = next_ms;
            Box::pin(leadyard_sweep::sweep(&self.cloud)).await?;
        }
        self.settle().await?;
        self.count_now_and_then().await;
        Ok(true)
    }

    fn moves_to(&self, at_ms: i64) {
        self.now_ms.fetch_max(at_ms, Ordering::Relaxed);
    }

    fn first_message_ms(&self) -> Option<i64> {
        let first = |queue: &system::Worked| self.aws.queues().next_visible_ms(queue.name).ok().flatten();
        system::WORKED.iter().filter_map(first).min()
    }

    fn first_due_ms(&self) -> Option<i64> {
        let Index { name, partition, sort, .. } = schema::DUE;
        let first =
            |shard| self.aws.tables().least(system::TABLE, (name, partition, sort), &keys::due_shard(shard));
        (0..keys::SHARDS).filter_map(first).min()
    }

    async fn count_now_and_then(&mut self) {
        if self.now_ms() - self.counted_ms >= COUNT_EACH_MS {
            self.count().await;
        }
    }

    /// Counts what happened, for the reports.
    pub(super) async fn count(&mut self) {
        self.counted_ms = self.now_ms();
        while let Some((last, _)) = poller::count(&self.cloud, self.aws.tables(), self.counted).await {
            self.counted = last;
        }
    }

    /// The rulebook's files as they are in force.
    pub(super) async fn rules(&self) -> anyhow::Result<Files> {
        let store = &self.cloud.store;
        let pointer = store.rulebook_pointer(&self.company).await?.context("nothing was published")?;
        let text = store.rulebook_text(&self.company, pointer.version).await?;
        let files = text.context("the text of the rulebook in force is gone")?;
        Ok(files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect())
    }

    /// The year is over: all is counted, and on the disk.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        self.count().await;
        self.aws.waits_for_the_disk(true)?;
        Ok(())
    }

    // --- Who asks ---

    /// Asks a function over HTTP, without a socket.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<&Value>,
    ) -> anyhow::Result<Reply> {
        let mut request = Request::new(Body::from(body.map(Value::to_string).unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse()?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let response = match self.app.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
        Ok(Reply { status, json: serde_json::from_slice(&bytes).unwrap_or_default() })
    }

    /// The desk asks.
    pub(super) async fn desk(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Reply> {
        self.ask(method, path, bearer(&self.keys.desk_token)?, body).await
    }

    /// A dealer asks.
    pub(super) async fn dealer(
        &self,
        dealer: &DealerId,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Reply> {
        let token = DealerToken { company: self.company.clone(), dealer: dealer.clone(), generation: 1 };
        let token = self.cloud.master.mint(&token);
        self.ask(Method::POST, path, bearer(&token)?, body).await
    }
}

/// The header of a bearer token.
pub(super) fn bearer(token: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}"))?);
    Ok(headers)
}
