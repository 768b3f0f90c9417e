//! Stop, shadow and pause: what the desk flips at once. Publishing a rulebook leaves them alone.

use std::hash::Hash;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use leadyard_domain::access::Role;
use leadyard_domain::distribution::{Pause, Pauses, Switches};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, ContractId, DealerId};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, body};
use leadyard_platform::who::{ACTS, DeskOf, READS, Staff};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::acts::{note, record};
use crate::leads;

/// How often a flip that crossed another is tried again.
const ROUNDS: usize = 8;

/// `GET /v1/switches?company`.
pub(crate) async fn current(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
) -> Result<Json<Value>, Problem> {
    let (switches, _) = cloud.store.switches_get(&company).await?;
    Ok(Json(json!(switches)))
}

/// `GET /v1/changes?company`: what the desk did to the company, the newest first.
pub(crate) async fn changes(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
) -> Result<Json<Value>, Problem> {
    const PAGE: i32 = 200;
    let changes = cloud.store.changes_of(&company, None, PAGE).await?;
    Ok(Json(json!({ "changes": changes.iter().map(leads::act).collect::<Vec<_>>() })))
}

/// What to flip: `on` for both; for a pause also whom, why and until when.
#[derive(Default, Deserialize)]
pub(crate) struct Flip {
    pub(crate) on: bool,
    pub(crate) contract: Option<ContractId>,
    pub(crate) dealer: Option<DealerId>,
    pub(crate) reason: Option<String>,
    pub(crate) until: Option<Timestamp>,
}

/// `POST /v1/switches/{stop|shadow|pause}?company`.
pub(crate) async fn flip(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<ACTS>,
    Path(switch): Path<String>,
    request: axum::body::Body,
) -> Result<Json<Value>, Problem> {
    let bytes = body(request, limits::BODY_BYTES).await?;
    let flip: Flip = serde_json::from_slice(&bytes).map_err(|_| {
        Problem::new(
            Code::MalformedBody,
            r#"the body is {"on": true}, and for a pause also "dealer" or "contract", "reason" and "until""#,
        )
    })?;
    flipped(&cloud, &desk, &company, &switch, &flip).await.map(|switches| Json(json!(switches)))
}

/// Flips a switch, and wakes who waits.
pub(crate) async fn flipped(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    switch: &str,
    flip: &Flip,
) -> Result<Switches, Problem> {
    let core = cloud.rulebooks.current(&cloud.store, company).await?;
    let waited_in = core.as_ref().map(|core| core.waited_in()).unwrap_or_default();
    let categories: Vec<_> = waited_in.into_iter().cloned().collect();
    // A pause is the desk's; what stops a whole company is a manager's.
    if matches!(switch, "stop" | "shadow") {
        desk.must(company, Role::Manager)?;
    }
    for _ in 0..ROUNDS {
        let (mut switches, seen) = cloud.store.switches_get(company).await?;
        let before = json!(switches);
        apply(&mut switches, switch, flip)?;
        let reason = note("reason", flip.reason.clone())?;
        let act = record(cloud, desk, switch, reason, &before, &json!(switches));
        if cloud.store.switches_save(company, &switches, seen, &categories, &act).await? {
            tracing::info!(company.id = %company, switch, on = flip.on, staff = %desk.staff, "a switch was flipped");
            cloud.hand_wake_all(company).await;
            return Ok(switches);
        }
        tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
    }
    Err(Problem::new(Code::Unavailable, "others kept flipping switches; try again").retry_after(1))
}

fn apply(switches: &mut Switches, switch: &str, flip: &Flip) -> Result<(), Problem> {
    match (switch, &flip.contract, &flip.dealer) {
        ("stop", None, None) => switches.stop = flip.on,
        ("shadow", None, None) => switches.shadow = flip.on,
        ("pause", Some(contract), None) => pause(&mut switches.contracts, contract, flip),
        ("pause", None, Some(dealer)) => pause(&mut switches.dealers, dealer, flip),
        ("pause", _, _) => {
            return Err(Problem::new(Code::InvalidField, "a pause names either a dealer or a contract"));
        }
        ("stop" | "shadow", _, _) => {
            let detail = format!("{switch} is for the whole company; pause names whom");
            return Err(Problem::new(Code::InvalidField, detail));
        }
        (_, _, _) => return Err(Problem::new(Code::NotFound, "a switch is stop, shadow or pause")),
    }
    Ok(())
}

fn pause<Id: Clone + Eq + Hash>(pauses: &mut Pauses<Id>, id: &Id, flip: &Flip) {
    if flip.on {
        let reason = flip.reason.clone().unwrap_or_default();
        pauses.set(Pause { id: id.clone(), reason, until: flip.until });
    } else {
        pauses.lift(id);
    }
}
