//! What AWS asks, and what is assumed where the services of this process cannot say.
//!
//! Prices of us-east-1, on demand, without the free tier, as AWS published them; looked at on [`AS_OF`]. All in
//! micro-dollars: what one of a thing costs in dollars a million times.

use std::time::Duration;

/// When these were looked up.
pub(crate) const AS_OF: &str = "November 2026";

// --- DynamoDB, table of the standard class ---

/// A write request unit.
pub(crate) const WRITE_UNIT: f64 = 0.625;
/// A read request unit.
pub(crate) const READ_UNIT: f64 = 0.125;

// --- SQS, standard queues ---

/// A request; one of more than [`QUEUE_CHUNK_BYTES`] is several.
pub(crate) const QUEUE_REQUEST: f64 = 0.40;
/// A message with a group, beside that: what makes a standard queue fair.
pub(crate) const QUEUE_GROUP: f64 = 0.10;
pub(crate) const QUEUE_CHUNK_BYTES: usize = 64 * 1024;

// --- Lambda, arm64 ---

pub(crate) const INVOCATION: f64 = 0.20;
/// A gigabyte for a second.
pub(crate) const GB_SECOND: f64 = 13.3334;

// --- The rest ---

/// A gigabyte of logs taken in.
pub(crate) const LOG_GB: f64 = 500_000.0;
/// A gigabyte sent to the internet: answers to senders, and what dealers are posted.
pub(crate) const EGRESS_GB: f64 = 90_000.0;
/// What CloudWatch adds to each line.
pub(crate) const LOG_LINE_BYTES: usize = 26;

// --- Assumptions: this machine says nothing of AWS. Time passes in the test as said here, so that what a handler does
//     side by side takes no longer than that does. ---

/// A call of DynamoDB from a warm function, with the processor's time it takes (256 MB is a seventh of a core; seen
/// with 128 MB: 5.1 ms for a handler that makes one).
pub(crate) const TABLE_CALL: Duration = Duration::from_millis(5);
/// A call of SQS.
pub(crate) const QUEUE_CALL: Duration = Duration::from_millis(10);
/// A dealer's answer, with a new connection to it.
pub(crate) const DEALER_ANSWERS: Duration = Duration::from_millis(300);
/// What else an invocation takes: parsing, deciding, writing JSON, the runtime's own.
pub(crate) const OWN_MS: u128 = 2;
/// Lambda's own lines about an invocation: START, END, REPORT.
pub(crate) const LAMBDA_LINES: (usize, usize) = (3, 320);
/// What Lambda does at a queue for each batch: it receives it, and deletes what is done in one call.
pub(crate) const CALLS_PER_BATCH: f64 = 2.0;
/// Headers of a request or an answer that leaves.
pub(crate) const HEADER_BYTES: usize = 600;
