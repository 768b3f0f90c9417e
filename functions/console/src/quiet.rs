//! "Why nothing today": for a dealer, what its contracts failed in the decisions of a day, as counts of the
//! first rule failed. Nothing of the leads themselves, nor of other dealers, is told.
//!
//! The decisions are made again from their records, the newest first, at most
//! [`limits::DECISIONS_EXAMINED`]; the answer says how many it looked at.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, DealerId};
use leadyard_domain::{limits, time};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::judging;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::who;

#[derive(Deserialize)]
pub(crate) struct DayQuery {
    company: Option<String>,
    dealer: Option<String>,
    date: Option<String>,
}

/// `GET /v1/why-nothing?date=2026-06-01`, with a dealer's token; the desk adds `dealer` and `company`. The day
/// is the company's.
pub(crate) async fn why_nothing(
    State(cloud): State<Cloud>,
    Query(query): Query<DayQuery>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let (company, dealer) = whose(&cloud, &headers, &query)?;
    let core = who::rules_of(&cloud, &company).await?;
    let zone = who::zone_of(&core)?;
    let (date, from, to) = day_of(query.date.as_deref(), cloud.clock.now(), &zone)?;
    let records = cloud.store.decisions_between(&company, from, to, limits::DECISIONS_EXAMINED).await?;
    // What another system decided says nothing of anybody's rules here.
    let complete = records.len() < limits::DECISIONS_EXAMINED;
    let records: Vec<_> = records.into_iter().filter(|record| !record.is_imported()).collect();
    let examined = records.len();
    let mut repeated = 0;
    let mut contracts: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    for record in &records {
        let Some(again) = judging::repeat(&cloud, &company, record).await? else { continue };
        repeated += 1;
        for one in again.explained.candidates.iter().filter(|one| one.dealer == dealer) {
            let got = record.contracts.contains(&one.contract);
            let word = match one.failed {
                Some(rule) => rule.as_str(),
                None if got => "chosen",
                None => "ranked lower",
            };
            let counts = contracts.entry(one.contract.to_string()).or_default();
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    Ok(Json(json!({
        "dealer": dealer, "date": date, "decisions": examined, "repeated": repeated,
        "complete": complete, "contracts": contracts,
    })))
}

fn whose(cloud: &Cloud, headers: &HeaderMap, query: &DayQuery) -> Result<(CompanyId, DealerId), Problem> {
    if let Ok(token) = who::dealer(cloud, headers) {
        return Ok((token.company, token.dealer));
    }
    let desk = who::desk(cloud, headers)?;
    let company = who::company(&desk, query.company.as_deref())?;
    let dealer = query.dealer.as_deref().unwrap_or_default();
    let dealer =
        DealerId::new(dealer).map_err(|_| Problem::new(Code::InvalidField, "name the dealer: ?dealer=ID"))?;
    Ok((company, dealer))
}

/// A day of this zone by its bounds; today, if none is named.
fn day_of(
    text: Option<&str>,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<(jiff::civil::Date, Timestamp, Timestamp), Problem> {
    let today = now.to_zoned(zone.clone()).date();
    let date = match text {
        None => today,
        Some(text) => {
            text.parse().map_err(|_| Problem::new(Code::InvalidField, "a date is written 2026-06-01"))?
        }
    };
    let start = |day| Timestamp::from_second(time::start_of_day(day, zone)).unwrap_or(Timestamp::MAX);
    Ok((date, start(date), start(date.tomorrow().unwrap_or(date))))
}
