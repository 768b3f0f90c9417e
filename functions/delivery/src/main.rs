//! The Lambda binary, deployed twice: `LEADYARD_ROLE` says as which. Without one it delivers, as it did before it had two.

use lambda_runtime::{LambdaEvent, run, service_fn};
use leadyard_platform::batch::SqsEvent;
use leadyard_platform::cloud::{Cloud, Peer};
use leadyard_platform::config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    leadyard_platform::telemetry::json();
    let cloud = Cloud::from_env(&[Peer::Table]).await?;
    let of_mails = match Config::role().as_deref() {
        Err(_) | Ok("delivery") => false,
        Ok("mail-events") => true,
        Ok(_) => anyhow::bail!("LEADYARD_ROLE: is one of delivery, mail-events"),
    };
    let handler = |event: LambdaEvent<SqsEvent>| async {
        Ok::<_, std::convert::Infallible>(if of_mails {
            Box::pin(leadyard_delivery::handle_mail_events(&cloud, event.payload)).await
        } else {
            Box::pin(leadyard_delivery::handle(&cloud, event.payload)).await
        })
    };
    run(service_fn(handler)).await.map_err(anyhow::Error::from_boxed)
}
