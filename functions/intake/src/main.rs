//! The Lambda binary, deployed three times: `LEADYARD_ROLE` says as which.

use lambda_runtime::{LambdaEvent, service_fn};
use leadyard_platform::batch::SqsEvent;
use leadyard_platform::cloud::{Cloud, Peer};
use leadyard_platform::config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    leadyard_platform::telemetry::json();
    let role = Config::role();
    let peers: &[Peer] = match role.as_deref() {
        // It may not read the table.
        Ok("interactions") => &[Peer::Interactions],
        Ok(_) | Err(_) => &[Peer::Table, Peer::Distribution],
    };
    let cloud = Cloud::from_env(peers).await?;
    let done = match role?.as_str() {
        "leads" => lambda_http::run(leadyard_intake::leads(cloud)).await,
        "interactions" => lambda_http::run(leadyard_intake::interactions(cloud)).await,
        "spill" => {
            let handler = |event: LambdaEvent<SqsEvent>| async {
                Ok::<_, std::convert::Infallible>(
                    Box::pin(leadyard_intake::handle_spill(&cloud, event.payload)).await,
                )
            };
            lambda_runtime::run(service_fn(handler)).await
        }
        _ => anyhow::bail!("LEADYARD_ROLE: is one of leads, interactions, spill"),
    };
    done.map_err(anyhow::Error::from_boxed)
}
