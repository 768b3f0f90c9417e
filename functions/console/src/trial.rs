//! A test of how a dealer is reached: delivery sends a made-up lead by the channel, and the desk is told how that went.
//!
//! Delivery makes the attempt, not the console: what is tried is the way that leads go. The answer waits for it as long
//! as an attempt may take; when delivery is slower than that, the answer is 202, and the same test is asked for again.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, CompanyId, DealerId};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};
use leadyard_platform::store::Trial;
use leadyard_platform::who::{ACTS, DeskOf, READS, Staff};
use serde_json::{Value, json};

/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(100);

fn missing() -> Problem {
    Problem::new(Code::NotFound, "there is no such channel, or no such test of it")
}

/// `POST /v1/dealers/{dealer}/channels/{order}/test?company`.
pub(crate) async fn begin(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<ACTS>,
    Path((dealer, order)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = ActId::mint(cloud.clock.now(), cloud.entropy.bytes());
    tried(&cloud, &desk, &company, (&dealer, &order), id).await.map(|trial| tell(&trial))
}

/// Tries a channel, and waits for as long as an attempt may take; one that is still under way then has no attempt yet. The
/// same test once more, as a double click asks for it, sends nothing.
pub(crate) async fn tried(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    (dealer, order): (&str, &str),
    id: ActId,
) -> Result<Trial, Problem> {
    let dealer = DealerId::new(dealer).map_err(|_| missing())?;
    let company = company.clone();
    let order = order.parse().ok().filter(|order| (1..=limits::CHANNELS_PER_DEALER).contains(order));
    let at = cloud.clock.now();
    let order = order.ok_or_else(missing)?;
    let trial = Trial { id, company, dealer, order, at, begun: false, attempt: None, v: 0 };
    if cloud.store.trial_create(&trial).await? {
        if !cloud.hand_trial(&trial).await {
            let detail = "the test could not be handed to delivery; try again";
            return Err(Problem::new(Code::Unavailable, detail).retry_after(5));
        }
        tracing::info!(dealer.id = %trial.dealer, channel.order = order, staff = %desk.staff, "the desk tries a channel");
    }
    let mut waited = Duration::ZERO;
    while waited < Duration::from_millis(limits::ATTEMPT_MS + 2_000) {
        tokio::time::sleep(LOOK).await;
        waited += LOOK;
        let stands = cloud.store.trial_get(&trial.company, id, cloud.clock.now()).await?;
        if let Some(stands) = stands.filter(|stands| stands.attempt.is_some()) {
            return Ok(stands);
        }
    }
    Ok(trial)
}

/// `GET /v1/dealers/{dealer}/channels/{order}/test/{test}?company`.
pub(crate) async fn show(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
    Path((dealer, order, id)): Path<(String, String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id: ActId = id.parse().map_err(|_| missing())?;
    let stands = cloud.store.trial_get(&company, id, cloud.clock.now()).await?.ok_or_else(missing)?;
    if stands.dealer.as_str() != dealer || stands.order.to_string() != order {
        return Err(missing());
    }
    Ok(tell(&stands))
}

fn tell(trial: &Trial) -> (StatusCode, Json<Value>) {
    let status = if trial.attempt.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let told = json!({
        "test": trial.id, "dealer": trial.dealer, "channel": trial.order, "at": trial.at, "attempt": trial.attempt,
    });
    (status, Json(told))
}
