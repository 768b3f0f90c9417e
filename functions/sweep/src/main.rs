//! The Lambda binary, run by a schedule.

use lambda_runtime::{LambdaEvent, run, service_fn};
use leadyard_platform::cloud::{Cloud, Peer};
use leadyard_platform::config::Config;
use leadyard_sweep::synthetic;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    leadyard_platform::telemetry::json();
    let synthetic_url = Config::synthetic_url()?;
    let cloud = Cloud::from_env(&[Peer::Table, Peer::Distribution]).await?;
    let handler = |_: LambdaEvent<serde_json::Value>| async {
        let began = cloud.clock.now();
        // First: it is seldom due and soon sent, and of an invocation that is ended by its timeout it would be what is left
        // out. Whatever keeps it from being sent is heard of by its metric's silence.
        if let Some(url) = &synthetic_url
            && let Err(error) = Box::pin(synthetic::run(&cloud, url)).await
        {
            tracing::error!(error = &error as &dyn std::error::Error, "no synthetic lead was sent");
        }
        Box::pin(leadyard_sweep::rounds(&cloud, began)).await?;
        Ok::<_, lambda_runtime::Error>(())
    };
    run(service_fn(handler)).await.map_err(anyhow::Error::from_boxed)
}
