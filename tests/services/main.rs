//! What the local services owe to whoever believes they are AWS: one conformance suite over the real
//! SDK, for SQS and for what the store relies on of DynamoDB.
//!
//! | module | holds |
//! |---|---|
//! | [`queues`] | SQS's contract, wherever an SQS is to be had |
//! | [`endpoint`] | the way to an SQS that is not ours |
//! | [`fairness`] | message groups, which only ours keeps fair |
//! | [`disorder`] | a seeded queue: late, twice, out of order, and nothing lost |
//! | [`table`] | DynamoDB's contract, as far as the store relies on it |
//! | [`caps`] | the store's own promise on top: a cap is never exceeded, and comes back to zero |
//! | [`files`] | the data folder: what survives, and what is refused |
//!
//! A conformance test is written once and runs in memory and over a file. Those of [`queues`] also run
//! on any other SQS, which needs an endpoint and real time (a quarter of a minute):
//!
//! ```text
//! SERVICES_ENDPOINT=http://127.0.0.1:4566 cargo test --workspace --locked --test services -- --ignored
//! ```
//!
//! Time is tokio's, paused: it passes when everything waits, and then at once. At an endpoint it is the
//! wall's, and a test waits for it as a client would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by them")]
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "a test names the answer it expects; any other fails it"
)]

mod queues;
mod endpoint;
mod fairness;
mod disorder;
mod table;
mod caps;
mod files;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use leadyard::aws::{Calls, Clock, LocalAws, QueueSpec};
use tokio::time::Instant;

/// Where a conformance test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Memory,
    File,
    Endpoint,
}

/// A Monday noon in New York, Unix milliseconds.
const MONDAY_NOON_MS: i64 = 1_780_329_600_000;

/// Tokio's time as the services want it, from [`MONDAY_NOON_MS`] on.
fn clock() -> Clock {
    let began = Instant::now();
    Arc::new(move || MONDAY_NOON_MS + began.elapsed().as_millis() as i64)
}

/// Lets time pass.
async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

/// Opens a data folder, with fresh entropy as at every start.
fn open(folder: &Path, clock: &Clock, queues: &[QueueSpec]) -> LocalAws {
    LocalAws::open(folder, Arc::clone(clock), fastrand::u64(..), Calls::Inline, queues).unwrap()
}

/// Runs a test on one thread; under paused time, unless the other side's time is real.
fn run(place: Place, test: impl Future<Output = ()>) {
    let paused = place != Place::Endpoint;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(paused).build();
    runtime.unwrap().block_on(test);
}
