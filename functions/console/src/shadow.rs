//! What distribution would have done in shadow mode, beside what the desk did.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use leadyard_domain::distribution::Waiting;
use leadyard_domain::error::Code;
use leadyard_domain::ledger::Month;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::store::Act;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::who;

#[derive(Deserialize)]
pub(crate) struct MonthQuery {
    company: Option<String>,
    month: Option<String>,
}

/// `GET /v1/shadow?company&month=2026-06`: of the leads that were decided on in shadow, how many the desk placed
/// as recommended, how many otherwise and which, and how many it has not placed. Of a month's decisions the
/// newest [`limits::SHADOW_EXAMINED`] are looked at.
pub(crate) async fn compared(
    State(cloud): State<Cloud>,
    Query(query): Query<MonthQuery>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let desk = who::desk(&cloud, &headers)?;
    let company = who::company(&desk, query.company.as_deref())?;
    let core = who::rules_of(&cloud, &company).await?;
    let zone = who::zone_of(&core)?;
    let refused = |rule: leadyard_domain::error::Invalid| Problem::new(Code::InvalidField, rule.to_string());
    let month = match query.month.as_deref() {
        None => Month::of(cloud.clock.now(), &zone),
        Some(text) => text.parse().map_err(refused)?,
    };
    let (from, to) = month.bounds(&zone);
    let records = cloud.store.decisions_between(&company, from, to, limits::SHADOW_EXAMINED).await?;
    let complete = records.len() < limits::SHADOW_EXAMINED;
    let leads: BTreeSet<_> = records
        .iter()
        .filter(|record| record.waiting == Some(Waiting::Shadow))
        .map(|record| record.facts.lead)
        .collect();
    let (mut as_recommended, mut otherwise, mut open) = (0, Vec::new(), 0);
    for lead in &leads {
        let Some(story) = cloud.store.lead_story(*lead).await? else { continue };
        let placed = story.acts.iter().rev().filter(|act| act.act == "place").find_map(placed_in_shadow);
        match placed {
            None => open += 1,
            Some((_, after)) if after["as_recommended"] == true => as_recommended += 1,
            Some((before, after)) => otherwise.push(json!({
                "lead": lead, "recommended": before["recommended"], "placed": after["contract"],
            })),
        }
    }
    Ok(Json(json!({
        "company": company, "month": month.to_string(), "leads": leads.len(), "complete": complete,
        "as_recommended": as_recommended, "otherwise": otherwise.len(), "not_placed": open,
        "differences": otherwise,
    })))
}

/// What a placement in shadow changed.
fn placed_in_shadow(act: &Act) -> Option<(Value, Value)> {
    let after: Value = serde_json::from_str(&act.after).ok()?;
    let before = serde_json::from_str(&act.before).ok()?;
    (after["shadow"] == true).then_some((before, after))
}
