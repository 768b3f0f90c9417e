//! The waiting room: how many wait and why, and what is asked for that no contract serves.
//!
//! Counted from the waiting room's own index, category by category, never by looking at all leads; at most
//! [`limits::WAITING_EXAMINED`], and the answer says how many it looked at.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use leadyard_domain::distribution::{Core, Rule, Waiting};
use leadyard_domain::ids::{CategoryId, CompanyId};
use leadyard_domain::lead::Lead;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::store::keys;
use leadyard_platform::who::DeskOf;
use serde_json::{Value, json};

use crate::who;

/// Leads read at a time.
const PAGE: i32 = 100;

/// What waits in a category and area that no contract serves.
#[derive(Default)]
struct Demand {
    leads: u32,
    reasons: BTreeMap<String, u32>,
}

/// `GET /v1/waiting?company`.
pub(crate) async fn room(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf,
) -> Result<Json<Value>, Problem> {
    let core = who::rules_of(&cloud, &company).await?;
    let mut examined = 0;
    let mut complete = true;
    let mut by_reason: BTreeMap<String, u32> = BTreeMap::new();
    let mut unmet: BTreeMap<(String, String, String), Demand> = BTreeMap::new();
    for category in core.waited_in() {
        let (leads, all) =
            waiting(&cloud, &company, category, limits::WAITING_EXAMINED.saturating_sub(examined)).await?;
        examined += leads.len();
        complete &= all;
        for lead in leads {
            let Some(reason) = lead.waiting else { continue };
            *by_reason.entry(reason.to_string()).or_default() += 1;
            if nobody_serves(reason) {
                let demand = unmet.entry(area_of(&lead, &core)).or_default();
                demand.leads += 1;
                *demand.reasons.entry(reason.to_string()).or_default() += 1;
            }
        }
    }
    let mut unmet: Vec<_> = unmet.into_iter().collect();
    unmet.sort_by(|a, b| b.1.leads.cmp(&a.1.leads).then_with(|| a.0.cmp(&b.0)));
    let unmet: Vec<Value> = unmet
        .into_iter()
        .map(|((category, state, zip3), demand)| {
            json!({
                "category": category, "state": state, "zip3": zip3, "leads": demand.leads,
                "reasons": demand.reasons,
            })
        })
        .collect();
    Ok(Json(json!({
        "company": company, "examined": examined, "complete": complete, "by_reason": by_reason,
        "unmet_demand": unmet,
    })))
}

/// Whether no contract serves what a lead asks for: none that is active takes it, or a territory keeps it from
/// those that do. What a contract takes waits for time, for a slot, or for a dealer that did not want it, and is
/// served.
fn nobody_serves(reason: Waiting) -> bool {
    match reason {
        Waiting::For(
            Rule::Inactive
            | Rule::Offer
            | Rule::Source
            | Rule::Age
            | Rule::Area
            | Rule::Band
            | Rule::Needs
            | Rule::Territory,
        ) => true,
        Waiting::For(Rule::Hours | Rule::Cap | Rule::Excluded)
        | Waiting::Unplaced
        | Waiting::Manual
        | Waiting::Stopped
        | Waiting::Shadow
        | Waiting::Held => false,
    }
}

fn area_of(lead: &Lead, core: &Core) -> (String, String, String) {
    let state = lead.location().state().map(|state| state.to_string()).unwrap_or_default();
    let zip3 = lead.person.zip.map(|zip| zip.zip3().to_string()).unwrap_or_default();
    (lead.category_under(core).to_string(), state, zip3)
}

/// Who waits in a category, at most so many, and whether these are all.
async fn waiting(
    cloud: &Cloud,
    company: &CompanyId,
    category: &CategoryId,
    most: usize,
) -> Result<(Vec<Lead>, bool), Problem> {
    let mut leads = Vec::new();
    for shard in 0..keys::STAGE_SHARDS {
        let mut start = None;
        loop {
            if leads.len() >= most {
                return Ok((leads, false));
            }
            let (page, next) =
                cloud.store.waiting_page(company, category, shard, (None, start), PAGE).await?;
            let ids: Vec<_> = page.into_iter().map(|(_, lead)| lead).collect();
            leads.extend(cloud.store.leads_get(&ids).await?);
            start = next;
            if start.is_none() {
                break;
            }
        }
    }
    Ok((leads, true))
}
