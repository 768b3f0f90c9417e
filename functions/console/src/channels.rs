//! How a dealer's channels fare, and enabling one that was gone.

use axum::Json;
use axum::extract::State;
use leadyard_domain::delivery::Breaker;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, DealerId};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};
use leadyard_platform::now;
use leadyard_platform::store::ChannelState;
use leadyard_platform::who::{ACTS, DeskOf, OfDealer, READS, Staff};
use serde_json::{Value, json};

use crate::acts::record;
use crate::inbox::{ROUNDS, crowded};

/// `GET /v1/dealers/{dealer}/channels?company`: those that something is known of, by their order. A dealer's
/// token sees its own.
pub(crate) async fn list(
    State(cloud): State<Cloud>,
    OfDealer { company, dealer, .. }: OfDealer<READS>,
) -> Result<Json<Value>, Problem> {
    let states = cloud.store.channels_of(&company, &dealer).await?;
    Ok(Json(json!({ "channels": states.iter().map(tell).collect::<Vec<_>>() })))
}

fn tell(state: &ChannelState) -> Value {
    json!({ "channel": state.order, "breaker": state.breaker, "disabled": state.disabled, "bounces": state.bounces })
}

/// `POST /v1/dealers/{dealer}/channels/{order}/enable?company`: the desk says that it takes leads again.
pub(crate) async fn enable(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<ACTS>,
    Path((dealer, order)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    enabled(&cloud, &desk, &company, &dealer, &order).await.map(|state| Json(tell(&state)))
}

/// Enables a channel; one that takes leads stays as it is.
pub(crate) async fn enabled(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    dealer: &str,
    order: &str,
) -> Result<ChannelState, Problem> {
    let missing = || Problem::new(Code::NotFound, "nothing is known of such a channel of this dealer");
    let dealer = DealerId::new(dealer).map_err(|_| missing())?;
    let order: u8 = order.parse().map_err(|_| missing())?;
    for _ in 0..ROUNDS {
        let states = cloud.store.channels_of(company, &dealer).await?;
        let stands = states.into_iter().find(|state| state.order == order).ok_or_else(missing)?;
        let next = ChannelState { breaker: Breaker::default(), disabled: None, bounces: 0, ..stands.clone() };
        if next == stands {
            return Ok(stands);
        }
        let channel = |state: &ChannelState| json!({ "dealer": dealer, "channel": order, "disabled": state.disabled.is_some() });
        let act = record(cloud, desk, "channel_enabled", None, &channel(&stands), &channel(&next));
        if cloud.store.channel_change(company, &dealer, &next, &act).await? {
            now::outdate(cloud, company).await;
            return Ok(next);
        }
        tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
    }
    Err(crowded())
}
