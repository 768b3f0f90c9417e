//! What was logged.

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Mutex, Once};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Everything our crates log on this thread, at every level.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

thread_local! {
    static KEPT: RefCell<Option<Logs>> = const { RefCell::new(None) };
}

/// Keeps until dropped.
pub struct Keeping(());

impl Drop for Keeping {
    fn drop(&mut self) {
        KEPT.with_borrow_mut(|kept| *kept = None);
    }
}

impl Logs {
    /// Keeps what this thread logs until the guard is dropped.
    pub fn keep() -> (Self, Keeping) {
        // One subscriber for the process: one per thread is forgotten by a line that another thread
        // came to first.
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // Ours, all of it; the SDK's own debug lines name bodies, which `telemetry` switches off.
            let quiet = ["aws_smithy_runtime", "aws_sdk_dynamodb", "aws_sdk_sqs", "hyper", "reqwest"];
            let what = Targets::new()
                .with_default(LevelFilter::DEBUG)
                .with_targets(quiet.map(|target| (target, LevelFilter::WARN)))
                .with_target("leadyard", LevelFilter::TRACE);
            let lines = layer().with_writer(OfThisThread).with_ansi(false);
            tracing_subscriber::registry().with(lines).with(what).init();
        });
        let logs = Self::default();
        KEPT.with_borrow_mut(|kept| *kept = Some(logs.clone()));
        (logs, Keeping(()))
    }

    /// All of it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

struct OfThisThread;

impl<'a> MakeWriter<'a> for OfThisThread {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for OfThisThread {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        KEPT.with_borrow(|kept| {
            if let Some(logs) = kept {
                logs.0.lock().unwrap().extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
