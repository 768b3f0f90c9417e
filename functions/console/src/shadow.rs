//! What the rules would have done with the leads that the desk places, beside what the desk did.
//!
//! Determinations:
//!
//! - *Which leads*: those decided in shadow mode and those of an offer placed by hand, whether the rules found
//!   anybody or not; and whatever else the desk placed. Where the rules found nobody and the desk somebody, the
//!   two differ most.
//! - *What the desk did* is its latest placing. A lead that it has not placed is `not_placed` where the rules
//!   found somebody, and `nobody` where they found as little.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use leadyard_domain::distribution::{Core, Waiting};
use leadyard_domain::error::Code;
use leadyard_domain::ids::LeadId;
use leadyard_domain::ledger::Month;
use leadyard_domain::limits;
use leadyard_domain::rulebook::Mode;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::store::{Act, DecisionRecord, StoreError};
use leadyard_platform::who::{DeskOf, READS};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::who;

#[derive(Deserialize)]
pub(crate) struct MonthQuery {
    month: Option<String>,
}

/// `GET /v1/shadow?company&month=2026-06`: of the leads that were the desk's to place, how many it placed as the
/// rules recommended, how many otherwise and which, and how many it has not placed. Of a month's decisions the
/// newest [`limits::SHADOW_EXAMINED`] are looked at.
pub(crate) async fn compared(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
    Query(query): Query<MonthQuery>,
) -> Result<Json<Value>, Problem> {
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
    // The newest record of each.
    let mut leads: BTreeMap<LeadId, &DecisionRecord> = BTreeMap::new();
    for record in &records {
        if is_the_desks(record, &core)? {
            leads.entry(record.facts.lead).or_insert(record);
        }
    }
    let (mut as_recommended, mut otherwise, mut not_placed, mut nobody) = (0, Vec::new(), 0, 0);
    for (lead, newest) in &leads {
        let Some(story) = cloud.store.lead_story(*lead).await? else { continue };
        let mut placings = story.acts.iter().rev().filter(|act| act.act == "place" && act.at >= from);
        match placings.find_map(Placing::of) {
            None if newest.contracts.is_empty() => nobody += 1,
            None => not_placed += 1,
            Some(placing) if placing.as_recommended => as_recommended += 1,
            Some(placing) => otherwise.push(json!({
                "lead": lead, "recommended": placing.recommended, "waiting": placing.waiting,
                "placed": placing.contract,
            })),
        }
    }
    Ok(Json(json!({
        "company": company, "month": month.to_string(), "leads": leads.len(), "complete": complete,
        "as_recommended": as_recommended, "otherwise": otherwise.len(), "not_placed": not_placed,
        "nobody": nobody, "differences": otherwise,
    })))
}

/// Whether a decision was on a lead that is the desk's to place, or that it placed.
fn is_the_desks(record: &DecisionRecord, core: &Core) -> Result<bool, StoreError> {
    if record.is_imported() {
        return Ok(false);
    }
    let by_hand = || core.offer(&record.facts.offer).is_some_and(|offer| offer.mode == Mode::Manual);
    if record.placed.is_some()
        || matches!(record.waiting, Some(Waiting::Shadow | Waiting::Manual))
        || record.waiting.is_some() && by_hand()
    {
        return Ok(true);
    }
    // Where nobody may have the lead, the reason says that and not the mode.
    Ok(record.waiting.is_some() && record.evidence()?.is_some_and(|evidence| evidence.switches().shadow))
}

/// A placing of the desk's, beside what the rules said at that moment.
struct Placing {
    contract: Value,
    as_recommended: bool,
    recommended: Value,
    /// Why the lead waited for it.
    waiting: Value,
}

impl Placing {
    fn of(act: &Act) -> Option<Self> {
        let mut after: Value = serde_json::from_str(&act.after).ok()?;
        let mut before: Value = serde_json::from_str(&act.before).ok()?;
        Some(Self {
            contract: after["contract"].take(),
            as_recommended: after["as_recommended"] == true,
            recommended: before["recommended"].take(),
            waiting: before["waiting"].take(),
        })
    }
}
