//! What a dealer verifies our webhooks with: shown once, rotated without a gap. And what a source's senders are let in
//! by, and verify our postbacks with.
//!
//! Determinations:
//!
//! - *Shown once*: to whoever asks first, the dealer or the desk, and again only by rotating. It is derived, not
//!   stored; that it was shown, and to whom, stands in the company's changes.
//! - *Rotated without a gap*: for three days everything is signed with both, then with the new one alone. A second
//!   rotation within that time stands beside both, since the answer to the first may have been lost; a third is
//!   refused, or a dealer who has not changed over would be cut off.
//! - *A source's* is shown to the desk as often as it asks, which stands in the changes: it opens nothing, and says
//!   nothing of a person. It goes with the source's key generation, and that before it signs as well. So are its keys:
//!   with them a stranger sends leads and reads none, and whoever pastes them into another page needs them again.

use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::delivery::{derive_postback_secret, derive_secret};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, CompanyId, DealerId, SourceId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::Source;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};
use leadyard_platform::source_keys::SourceKeys;
use leadyard_platform::store::{Act, SecretState};
use leadyard_platform::who::{DeskOf, MANAGES, OfDealer, Staff};
use serde_json::{Value, json};

use crate::acts::record;
use crate::inbox::{ROUNDS, crowded};

/// `POST /v1/dealers/{dealer}/secret?company`: the secret, the first time.
pub(crate) async fn show(State(cloud): State<Cloud>, of: OfDealer<MANAGES>) -> Result<Json<Value>, Problem> {
    change(&cloud, of, "secret_shown", |state, now| {
        if state.shown_at.is_some() {
            let detail = "the secret was shown before, and is shown once: rotate it to have a new one";
            return Err(Problem::new(Code::StateConflict, detail));
        }
        Ok(SecretState { shown_at: Some(now), ..state })
    })
    .await
}

/// `POST /v1/dealers/{dealer}/secret/rotate?company`: a new one; the earlier one stands beside it for a while.
pub(crate) async fn rotate(
    State(cloud): State<Cloud>,
    of: OfDealer<MANAGES>,
) -> Result<Json<Value>, Problem> {
    change(&cloud, of, "secret_rotated", |state, now| {
        let standing = state.standing(now);
        if let Some(until) = state.previous_until.filter(|_| standing.len() > 2) {
            let detail = format!("the secret was rotated twice: those before stand until {until}");
            return Err(Problem::new(Code::StateConflict, detail));
        }
        let overlap = SignedDuration::from_hours(limits::SECRET_OVERLAP_HOURS);
        Ok(SecretState {
            generation: state.generation + 1,
            shown_at: Some(now),
            previous_until: now.checked_add(overlap).ok(),
            oldest: standing.last().copied(),
            ..state
        })
    })
    .await
}

/// `POST /v1/sources/{source}/postback_secret?company`: what its sender verifies postbacks with.
pub(crate) async fn postback(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    Path(source): Path<String>,
) -> Result<Json<Value>, Problem> {
    let source = source_shown(&cloud, &desk, &company, &source, "postback_secret_shown").await?;
    let secret = derive_postback_secret(cloud.master.bytes(), &company, &source.id, source.key_generation)
        .map_err(|_| Problem::new(Code::Internal, "the secret could not be derived"))?;
    Ok(Json(json!({
        "source": source.id, "generation": source.key_generation, "secret": secret.reveal(),
    })))
}

/// `POST /v1/sources/{source}/keys?company`: its page key and its secret; of a source of kind google or meta what is
/// pasted into the platform's own pages.
pub(crate) async fn source_keys(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    Path(source): Path<String>,
) -> Result<Json<SourceKeys>, Problem> {
    let source = source_shown(&cloud, &desk, &company, &source, "source_keys_shown").await?;
    Ok(Json(SourceKeys::of(&cloud.master, &company, &source)))
}

/// A source of the rulebook in force, of which the desk is shown something: that stands in the changes first.
async fn source_shown(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    source: &str,
    act: &str,
) -> Result<Source, Problem> {
    let core = cloud.rulebooks.current(&cloud.store, company).await?;
    let id = SourceId::new(source).ok();
    let source = core.as_ref().zip(id).and_then(|(core, id)| core.source(&id).cloned());
    let source = source.ok_or_else(|| Problem::new(Code::NotFound, "there is no such source"))?;
    let what = json!({ "source": source.id, "generation": source.key_generation });
    cloud.store.change_keep(company, &record(cloud, desk, act, None, &Value::Null, &what)).await?;
    Ok(source)
}

async fn change(
    cloud: &Cloud,
    OfDealer { company, dealer, desk }: OfDealer<MANAGES>,
    act: &str,
    next: impl Fn(SecretState, Timestamp) -> Result<SecretState, Problem>,
) -> Result<Json<Value>, Problem> {
    let by = desk.map_or_else(|| dealer.to_string(), |desk| desk.staff);
    for _ in 0..ROUNDS {
        let now = cloud.clock.now();
        let stands = cloud.store.dealer_reach(&company, &dealer).await?.secret;
        let state = next(stands.clone(), now)?;
        let told = |state: &SecretState| json!({ "dealer": dealer, "generation": state.generation });
        let act = Act {
            id: ActId::mint(now, cloud.entropy.bytes()),
            at: now,
            by: by.clone(),
            act: act.to_owned(),
            reason: None,
            before: told(&stands).to_string(),
            after: told(&state).to_string(),
        };
        if cloud.store.secret_change(&company, &dealer, &state, &act).await? {
            return shown(cloud, &company, &dealer, &state);
        }
        tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
    }
    Err(crowded())
}

fn shown(
    cloud: &Cloud,
    company: &CompanyId,
    dealer: &DealerId,
    state: &SecretState,
) -> Result<Json<Value>, Problem> {
    let secret = derive_secret(cloud.master.bytes(), company, dealer, state.generation)
        .map_err(|_| Problem::new(Code::Internal, "the secret could not be derived"))?;
    Ok(Json(json!({
        "dealer": dealer, "generation": state.generation, "secret": secret.reveal(),
        "previous_until": state.previous_until,
    })))
}
