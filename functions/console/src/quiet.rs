//! "Why nothing today": for a dealer, what its contracts failed in the decisions of a day, as counts of the
//! first rule failed. Nothing of the leads themselves, nor of other dealers, is told.
//!
//! The decisions are made again from their records, the newest first, at most [`limits::DECISIONS_EXAMINED`];
//! `complete` says whether none of the day stand before these, and these could all be made again. The desk is
//! told where to go on.
//!
//! Determinations:
//!
//! - A contract is asked of every lead of a category that it trades in, wherever the lead is: that nobody asked
//!   in its area is the likeliest answer of all (`area`). Leads of other categories do not concern it, and are
//!   not counted: their number would tell a dealer of trades that are not its own.
//! - `chosen` is who was given the lead by a decision, `placed` who was given it by the desk; who would have had
//!   it, had the company not kept it for the desk or the desk not given it to another, is `recommended`.
//! - How many decisions were looked at is the company's volume: the desk is told, a dealer is not. So the
//!   desk alone goes on to those before: where a look ends says how much was decided since.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::backtest::history::Switched;
use leadyard_domain::distribution::{Chunk, CompiledContract, Switches, fails_uncovered};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CategoryId, CompanyId, ContractId, DealerId};
use leadyard_domain::{limits, time};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::judging::Repeated;
use leadyard_platform::store::DecisionRecord;
use leadyard_platform::{history, judging};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::history::{read_place, written_place};
use crate::who;

/// How far another machine's clock may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

#[derive(Deserialize)]
pub(crate) struct DayQuery {
    company: Option<String>,
    dealer: Option<String>,
    date: Option<String>,
    before: Option<String>,
}

/// `GET /v1/why-nothing?date=2026-06-01`, with a dealer's token; the desk adds `dealer` and `company`, and
/// `before` to go on. The day is the company's.
pub(crate) async fn why_nothing(
    State(cloud): State<Cloud>,
    Query(query): Query<DayQuery>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let Whose { company, dealer, is_desk } = whose(&cloud, &headers, &query).await?;
    if !is_desk && query.before.is_some() {
        let detail = "before: how far a day was looked at is for the desk to know";
        return Err(Problem::new(Code::InvalidField, detail));
    }
    let day = of_day(&cloud, company, dealer, query.date.as_deref(), query.before.as_deref()).await?;
    let mut told = json!({
        "dealer": day.dealer, "date": day.date, "complete": day.complete, "contracts": day.contracts,
    });
    if let Some(told) = told.as_object_mut().filter(|_| is_desk) {
        told.insert("examined".to_owned(), json!(day.examined));
        told.insert("repeated".to_owned(), json!(day.repeated));
        told.insert("next".to_owned(), json!(day.next));
    }
    Ok(Json(told))
}

/// What came of a dealer's contracts in a day's decisions.
pub(crate) struct OfDay {
    dealer: DealerId,
    pub(crate) date: jiff::civil::Date,
    /// None of the day's decisions stand before those looked at, and these could all be made again.
    pub(crate) complete: bool,
    /// Before which the next look begins, where some do.
    pub(crate) next: Option<String>,
    pub(crate) examined: usize,
    repeated: usize,
    /// By contract, the rule that it failed first, or what it was, and how often.
    pub(crate) contracts: BTreeMap<String, BTreeMap<&'static str, u32>>,
}

/// Why a dealer got nothing, or something, on a day of the company's zone; today, if none is named. Of the
/// decisions before where another look ended, if that is given.
pub(crate) async fn of_day(
    cloud: &Cloud,
    company: CompanyId,
    dealer: DealerId,
    date: Option<&str>,
    before: Option<&str>,
) -> Result<OfDay, Problem> {
    let core = who::rules_of(cloud, &company).await?;
    let zone = who::zone_of(&core)?;
    let (date, from, to) = day_of(date, cloud.clock.now(), &zone)?;
    // Nothing was decided yet in the rest of today, but by a machine whose clock is ahead.
    let soon = cloud.clock.now().checked_add(AHEAD).unwrap_or(to);
    let (from, to) = (from, to.min(soon).max(from));
    let before = before.map(|text| read_place("before", text)).transpose()?;
    let most = limits::DECISIONS_EXAMINED;
    let (records, next) = cloud.store.decisions_before(&company, (from, to), before.as_ref(), most).await?;
    // What another system decided says nothing of anybody's rules here.
    let records: Vec<_> = records.into_iter().filter(|record| !record.is_imported()).collect();
    let switches = history::switches_between(cloud, &company, from, to).await?;
    let none = Switches::default();
    let mut trades = Trades { company, dealer, rulebook: 0, by_category: HashMap::new() };
    let (mut repeated, mut at_hand) = (0, None);
    let mut contracts: BTreeMap<String, BTreeMap<&'static str, u32>> = BTreeMap::new();
    for record in &records {
        if at_hand != Some(record.rulebook) {
            fetch(cloud, &trades.company, record.rulebook, &records).await?;
            at_hand = Some(record.rulebook);
        }
        let Some(again) = judging::repeat(cloud, &trades.company, record).await? else { continue };
        repeated += 1;
        for own in trades.asked_by(cloud, record).await? {
            let word = own.part_in(record, &again, stood(&switches, record.at).unwrap_or(&none));
            *contracts.entry(own.contract.id.to_string()).or_default().entry(word).or_default() += 1;
        }
    }
    let complete = next.is_none() && repeated == records.len();
    let (examined, next) = (records.len(), next.as_ref().map(written_place));
    Ok(OfDay { dealer: trades.dealer, date, complete, next, examined, repeated, contracts })
}

/// Reads the rules of one version at once, as far as these decisions were made under them.
async fn fetch(
    cloud: &Cloud,
    company: &CompanyId,
    rulebook: u64,
    records: &[DecisionRecord],
) -> Result<(), Problem> {
    let Some(core) = cloud.rulebooks.core(&cloud.store, company, rulebook).await? else { return Ok(()) };
    let decided = records.iter().filter(|record| record.rulebook == rulebook);
    let categories: BTreeSet<&CategoryId> = decided.map(|record| &record.facts.category).collect();
    let chunks = categories.into_iter().flat_map(|category| core.chunks_of(category)).collect();
    Ok(cloud.rulebooks.fetch(&cloud.store, &core, chunks).await?)
}

/// One contract of the dealer, with a chunk that it stands in.
struct Own {
    chunk: Arc<Chunk>,
    contract: CompiledContract,
}

impl Own {
    /// What came of it in a decision, in one word. A decision keeps the switches as far as they touched those whose
    /// area covers the lead; for the others, they are as they `stood`.
    fn part_in(&self, record: &DecisionRecord, again: &Repeated, stood: &Switches) -> &'static str {
        let id = &self.contract.id;
        if record.placed.as_ref() == Some(id) {
            return "placed";
        }
        let was_given = record.waiting.is_none() && record.placed.is_none();
        let candidate = again.explained.candidates.iter().find(|one| one.contract == *id);
        let failed = match candidate {
            Some(candidate) => candidate.failed,
            None => Some(fails_uncovered(&record.facts, &self.contract, &self.chunk, stood, record.at)),
        };
        match failed {
            Some(rule) => rule.as_str(),
            None if !record.contracts.contains(id) => "ranked lower",
            None if was_given => "chosen",
            None => "recommended",
        }
    }
}

/// The dealer's contracts by the categories that they trade in, under one rulebook at a time: records come the
/// newest first, and an earlier rulebook is done with the later one.
struct Trades {
    company: CompanyId,
    dealer: DealerId,
    rulebook: u64,
    by_category: HashMap<CategoryId, Vec<Own>>,
}

impl Trades {
    /// The dealer's contracts that a decision asked: all that trade in the lead's category.
    async fn asked_by(&mut self, cloud: &Cloud, record: &DecisionRecord) -> Result<&[Own], Problem> {
        if self.rulebook != record.rulebook {
            self.by_category.clear();
            self.rulebook = record.rulebook;
        }
        let category = &record.facts.category;
        if !self.by_category.contains_key(category) {
            let own = self.read(cloud, category).await?;
            self.by_category.insert(category.clone(), own);
        }
        Ok(self.by_category.get(category).map(Vec::as_slice).unwrap_or_default())
    }

    async fn read(&self, cloud: &Cloud, category: &CategoryId) -> Result<Vec<Own>, Problem> {
        let core = cloud.rulebooks.core(&cloud.store, &self.company, self.rulebook).await?;
        let Some(core) = core else { return Ok(Vec::new()) };
        // One that stands in the chunks of several states is the same in each.
        let mut own: BTreeMap<ContractId, Own> = BTreeMap::new();
        for key in core.chunks_of(category) {
            let Some(chunk) = cloud.rulebooks.chunk(&cloud.store, &core, key).await? else { continue };
            for contract in chunk.own(&self.dealer) {
                own.entry(contract.id.clone())
                    .or_insert_with(|| Own { chunk: Arc::clone(&chunk), contract: contract.clone() });
            }
        }
        Ok(own.into_values().collect())
    }
}

/// How the switches stood at an instant.
fn stood(switches: &[Switched], at: Timestamp) -> Option<&Switches> {
    switches.iter().rev().find(|switched| switched.at <= at).map(|switched| &switched.switches)
}

struct Whose {
    company: CompanyId,
    dealer: DealerId,
    is_desk: bool,
}

async fn whose(cloud: &Cloud, headers: &HeaderMap, query: &DayQuery) -> Result<Whose, Problem> {
    if let Ok(token) = who::dealer(cloud, headers) {
        return Ok(Whose { company: token.company, dealer: token.dealer, is_desk: false });
    }
    let desk = who::desk(cloud, headers).await?;
    let company = who::company(&desk, query.company.as_deref())?;
    let dealer = query.dealer.as_deref().unwrap_or_default();
    let dealer =
        DealerId::new(dealer).map_err(|_| Problem::new(Code::InvalidField, "name the dealer: ?dealer=ID"))?;
    Ok(Whose { company, dealer, is_desk: true })
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
