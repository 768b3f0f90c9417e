//! The Lambda binary: configuration, telemetry, the cloud, run.

use lambda_runtime::{LambdaEvent, run, service_fn};
use leadyard_platform::batch::SqsEvent;
use leadyard_platform::cloud::{Cloud, Peer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    leadyard_platform::telemetry::json();
    let cloud = Cloud::from_env(&[Peer::Table, Peer::Distribution]).await?;
    let handler = |event: LambdaEvent<SqsEvent>| async {
        Ok::<_, std::convert::Infallible>(
            Box::pin(leadyard_distribution::handle(&cloud, event.payload)).await,
        )
    };
    run(service_fn(handler)).await.map_err(anyhow::Error::from_boxed)
}
