//! Logs: a sentence and dotted fields, as JSON on AWS and as text on a terminal. Never a person.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Logs as JSON lines to standard output, `info` and above: for functions on AWS.
pub fn json() {
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter("info"))
        .with_current_span(false)
        .without_time() // Lambda stamps each line
        .finish()
        .try_init();
}

/// Logs as text to standard error, `level` and above: for one machine.
pub fn text(level: &str) {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(std::io::stderr)
        .with_target(false)
        .finish()
        .try_init();
}

fn filter(level: &str) -> EnvFilter {
    // The SDK's own spans name request bodies at debug level.
    EnvFilter::new(format!("{level},aws_smithy_runtime=warn,aws_sdk_dynamodb=warn,hyper=warn,reqwest=warn"))
}
