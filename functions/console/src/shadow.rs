//! What the rules would have done with the leads that the desk places, beside what the desk did.
//!
//! Determinations:
//!
//! - *Which leads*: those decided in shadow mode and those of an offer placed by hand, whether the rules found
//!   anybody or not; and whatever else the desk placed. Where the rules found nobody and the desk somebody, the
//!   two differ most.
//! - *What the desk did* is its latest placing. A lead that it has not placed is `not_placed` where the rules
//!   found somebody, and `nobody` where they found as little.
//! - *A month goes on* where more was decided than one answer looks at, the newest first. A lead is counted
//!   where the month's first such decision on it stands, so that the answers add up: what is decided between
//!   two of them moves no lead from one to the other.

use std::collections::{BTreeSet, HashSet};

use axum::Json;
use axum::extract::State;
use futures::future::try_join_all;
use jiff::Timestamp;
use leadyard_domain::distribution::{Core, Waiting};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{DecisionId, LeadId};
use leadyard_domain::ledger::Month;
use leadyard_domain::limits;
use leadyard_domain::rulebook::Mode;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::store::{Act, DecisionRecord, StoreError, Story};
use leadyard_platform::who::{DeskOf, READS};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::history::{read_place, written_place};
use crate::who;

/// Stories that are read at once.
const AT_ONCE: usize = 50;

#[derive(Deserialize)]
pub(crate) struct MonthQuery {
    month: Option<String>,
    after: Option<String>,
}

/// `GET /v1/shadow?company&month=2026-06&after=`: of the leads that were the desk's to place, how many it
/// placed as the rules recommended, how many otherwise and which, and how many it has not placed. Of a
/// month's decisions [`limits::SHADOW_EXAMINED`] are looked at, the newest first; `next` is what to send as
/// `after` for those before.
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
    let after = query.after.as_deref().map(|text| read_place("after", text)).transpose()?;
    let (from, to) = month.bounds(&zone);
    let most = limits::SHADOW_EXAMINED;
    let (records, next) = cloud.store.decisions_before(&company, (from, to), after.as_ref(), most).await?;
    let looked_at: HashSet<DecisionId> = records.iter().map(|record| record.id).collect();
    let mut leads: BTreeSet<LeadId> = BTreeSet::new();
    for record in records {
        if is_the_desks(&record, &core)? {
            leads.insert(record.facts.lead);
        }
    }
    let leads: Vec<LeadId> = leads.into_iter().collect();
    let mut counted = Counted::default();
    for some in leads.chunks(AT_ONCE) {
        let stories = try_join_all(some.iter().map(|lead| cloud.store.lead_story(*lead))).await?;
        for story in stories.into_iter().flatten() {
            counted.add(&story, &core, (from, to), &looked_at)?;
        }
    }
    Ok(Json(json!({
        "company": company, "month": month.to_string(), "leads": counted.leads,
        "complete": next.is_none(), "next": next.as_ref().map(written_place),
        "as_recommended": counted.as_recommended, "otherwise": counted.otherwise.len(),
        "not_placed": counted.not_placed, "nobody": counted.nobody, "differences": counted.otherwise,
    })))
}

/// Leads, by what the desk did with them.
#[derive(Default)]
struct Counted {
    leads: u32,
    as_recommended: u32,
    otherwise: Vec<Value>,
    not_placed: u32,
    nobody: u32,
}

impl Counted {
    /// Counts a lead, if the first decision on it between two instants that was the desk's is among those
    /// looked at.
    fn add(
        &mut self,
        story: &Story,
        core: &Core,
        (from, to): (Timestamp, Timestamp),
        looked_at: &HashSet<DecisionId>,
    ) -> Result<(), StoreError> {
        let mut the_desks = Vec::new();
        for record in story.decisions.iter().filter(|record| (from..to).contains(&record.at)) {
            if is_the_desks(record, core)? {
                the_desks.push(record);
            }
        }
        let (Some(first), Some(newest)) = (the_desks.first(), the_desks.last()) else { return Ok(()) };
        if !looked_at.contains(&first.id) {
            return Ok(());
        }
        self.leads += 1;
        let mut placings = story.acts.iter().rev().filter(|act| act.act == "place" && act.at >= from);
        match placings.find_map(Placing::of) {
            None if newest.contracts.is_empty() => self.nobody += 1,
            None => self.not_placed += 1,
            Some(placing) if placing.as_recommended => self.as_recommended += 1,
            Some(placing) => self.otherwise.push(json!({
                "lead": story.lead.id, "recommended": placing.recommended, "waiting": placing.waiting,
                "placed": placing.contract,
            })),
        }
        Ok(())
    }
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
