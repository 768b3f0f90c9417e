//! What was logged.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Everything our crates log on this thread, at debug and above.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Keeps what is logged until the guard is dropped.
    pub fn keep() -> (Self, tracing::subscriber::DefaultGuard) {
        let logs = Self::default();
        // Ours, all of it; the SDK's own debug lines name bodies, which `telemetry` switches off.
        let ours =
            ["intake", "scoring", "distribution", "delivery", "sweep", "console", "platform", "domain"];
        let filter: Vec<String> = ours.iter().map(|name| format!("leadyard_{name}=trace")).collect();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(format!("debug,aws_smithy_runtime=warn,aws_smithy_runtime_api=warn,aws_sdk_dynamodb=warn,aws_sdk_sqs=warn,hyper=warn,reqwest=warn,leadyard=trace,{}", filter.join(","))))
            .with_writer(logs.clone())
            .with_ansi(false)
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        (logs, guard)
    }

    /// All of it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
