//! The waiting room: how many wait and why, and what is asked for that no contract serves.
//!
//! Counted from the waiting room's own index, category by category, never by looking at all leads; at most
//! [`limits::WAITING_EXAMINED`], and the answer says how many it looked at.

use std::collections::{BTreeMap, HashMap};

use axum::Json;
use axum::extract::State;
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::{CategoryId, CompanyId, LeadId};
use leadyard_domain::lead::{Lead, Stage};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::scores::{Ranked, Scores};
use leadyard_platform::store::{Place, keys};
use leadyard_platform::who::{DeskOf, READS};
use serde_json::{Value, json};

use crate::who;

/// Leads read at a time.
const PAGE: usize = 100;

/// What waits in a category and area that no contract serves.
#[derive(Default)]
pub(crate) struct Demand {
    pub(crate) leads: u32,
    pub(crate) reasons: BTreeMap<String, u32>,
}

/// `GET /v1/waiting?company`.
pub(crate) async fn room(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
) -> Result<Json<Value>, Problem> {
    let core = who::rules_of(&cloud, &company).await?;
    let mut room = Room::new();
    for category in core.waited_in() {
        let left = limits::WAITING_EXAMINED.saturating_sub(room.examined);
        let (leads, all) = waiting(&cloud, &company, category, left).await?;
        room.complete &= all;
        for lead in leads {
            room.add(&core, &lead);
        }
    }
    let unmet: Vec<Value> = room
        .unmet()
        .into_iter()
        .map(|unmet| {
            json!({
                "category": unmet.category, "state": unmet.state, "zip3": unmet.zip3,
                "leads": unmet.demand.leads, "reasons": unmet.demand.reasons,
            })
        })
        .collect();
    Ok(Json(json!({
        "company": company, "examined": room.examined, "complete": room.complete,
        "by_reason": room.by_reason, "unmet_demand": unmet,
    })))
}

/// Who waits, counted.
pub(crate) struct Room {
    /// How many were looked at.
    pub(crate) examined: usize,
    /// Whether these are all.
    pub(crate) complete: bool,
    pub(crate) by_reason: BTreeMap<String, u32>,
    unmet: BTreeMap<(String, String, String), Demand>,
}

/// What is asked for in an area that no contract serves.
pub(crate) struct Unmet {
    pub(crate) category: String,
    /// The US state; empty where it is not known.
    pub(crate) state: String,
    /// The first three digits of the ZIP; empty where it is not known.
    pub(crate) zip3: String,
    pub(crate) demand: Demand,
}

impl Room {
    pub(crate) const fn new() -> Self {
        Self { examined: 0, complete: true, by_reason: BTreeMap::new(), unmet: BTreeMap::new() }
    }

    /// Counts one more.
    pub(crate) fn add(&mut self, core: &Core, lead: &Lead) {
        self.examined += 1;
        let Some(reason) = lead.waiting else { return };
        *self.by_reason.entry(reason.to_string()).or_default() += 1;
        if reason.is_unserved() {
            let demand = self.unmet.entry(area_of(lead, core)).or_default();
            demand.leads += 1;
            *demand.reasons.entry(reason.to_string()).or_default() += 1;
        }
    }

    /// What no contract serves, where most ask first.
    pub(crate) fn unmet(&mut self) -> Vec<Unmet> {
        let mut unmet: Vec<_> = std::mem::take(&mut self.unmet).into_iter().collect();
        unmet.sort_by(|a, b| b.1.leads.cmp(&a.1.leads).then_with(|| a.0.cmp(&b.0)));
        let told = |((category, state, zip3), demand)| Unmet { category, state, zip3, demand };
        unmet.into_iter().map(told).collect()
    }
}

/// The hottest that wait, by score, from behind a place on: so many, or as many as a hundred of each fit letter and shard
/// tell, and at most so many; and whether more may stand behind them. At most six reads of the index for each category,
/// and one of the table for each hundred leads.
pub(crate) async fn hottest(
    cloud: &Cloud,
    scores: &Scores<'_>,
    after: Option<&Place>,
    most: usize,
) -> Result<(Vec<(Place, Lead)>, bool), Problem> {
    let Ranked { mut places, mut more } =
        scores.of_stage(cloud, Stage::Waiting, after, most.min(PAGE)).await?;
    more |= places.len() > most;
    places.truncate(most);
    let ids: Vec<LeadId> = places.iter().map(|(_, lead)| *lead).collect();
    let leads = cloud.store.leads_get(&ids).await?;
    let mut leads: HashMap<LeadId, Lead> = leads.into_iter().map(|lead| (lead.id, lead)).collect();
    // An index may be behind: who left the room meanwhile does not stand in it.
    let waits = |place: Place| {
        let lead = leads.remove(&place.1).filter(|lead| lead.stage == Stage::Waiting)?;
        Some((place, lead))
    };
    Ok((places.into_iter().filter_map(waits).collect(), more))
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
            let (page, next) = cloud.store.waiting_page(company, category, shard, start, PAGE).await?;
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
