//! Logs: a sentence and dotted fields, as JSON on AWS and as text on a terminal. Never a person.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use tracing_subscriber::filter::LevelFilter;

/// Logs as JSON lines to standard output, `info` and above: for functions on AWS.
pub fn json() {
    // Lambda stamps each line.
    let lines = layer().json().with_current_span(false).without_time();
    let _ = tracing_subscriber::registry().with(lines).with(filter(LevelFilter::INFO)).try_init();
}

/// Logs as text to standard error, `level` and above: for one machine.
pub fn text(level: LevelFilter) {
    let lines = layer().with_writer(stderr).with_ansi(stderr().is_terminal()).with_target(false);
    let _ = tracing_subscriber::registry().with(lines).with(filter(level)).try_init();
}

/// What is logged at this level. A table of targets and not `EnvFilter`, a tenth of a megabyte of expressions that nobody
/// writes here.
pub fn filter(level: LevelFilter) -> Targets {
    // The SDK's own spans name request bodies at debug level.
    let quiet = ["aws_smithy_runtime", "aws_sdk_dynamodb", "hyper", "reqwest"];
    Targets::new()
        .with_default(level)
        .with_targets(quiet.map(|target| (target, level.min(LevelFilter::WARN))))
}
