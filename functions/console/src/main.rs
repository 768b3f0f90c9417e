//! The Lambda binary: configuration, telemetry, the cloud, run.

use leadyard_platform::cloud::{Cloud, Peer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    leadyard_platform::telemetry::json();
    let cloud = Cloud::from_env(&[Peer::Table]).await?;
    lambda_http::run(leadyard_console::router(cloud)).await.map_err(anyhow::Error::from_boxed)
}
