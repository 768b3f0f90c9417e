//! The Lambda binary: configuration, telemetry, the cloud, run.

use lambda_runtime::{LambdaEvent, run, service_fn};
use leadyard_platform::cloud::{Cloud, Peer};
use leadyard_platform::stream::StreamEvent;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    leadyard_platform::telemetry::json();
    let cloud = Cloud::from_env(&[Peer::Table]).await?;
    let handler = |event: LambdaEvent<StreamEvent>| async {
        Ok::<_, std::convert::Infallible>(Box::pin(leadyard_reporting::handle(&cloud, event.payload)).await)
    };
    run(service_fn(handler)).await.map_err(anyhow::Error::from_boxed)
}
