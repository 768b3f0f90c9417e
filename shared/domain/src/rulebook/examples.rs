//! `tests.toml`: what the rulebook's author says must follow, checked by `leadyard check`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::contract::{Need, Needs};
use crate::distribution::{Rule, Waiting};
use crate::error::Invalid;
use crate::ids::{ContractId, DealerId, OfferId, SourceId};
use crate::limits;
use crate::place::{State, Zip};
use crate::rulebook::body::Body;
use crate::rulebook::index::{Id, Index, Read, Refused};
use crate::rulebook::keys::{Keys, document, text, text_or_time};
use crate::rulebook::problem::{ProblemCode, Problems};
use crate::rulebook::value;
use crate::scoring::{Band, EngagementDigit, FitLetter};

/// One `[[test]]`: a lead at an instant, and what must follow.
#[derive(Clone, Debug, PartialEq)]
pub struct RulebookTest {
    /// What it shows.
    pub name: String,
    /// When the decision is made.
    pub at: Timestamp,
    /// Whom for.
    pub lead: TestLead,
    /// What counters stand at.
    pub used: BTreeMap<ContractId, Used>,
    /// Dealers that hold the lead already.
    pub holds: Vec<DealerId>,
    /// Contracts and dealers that are paused, by id; an id of both pauses both.
    pub paused: Vec<String>,
    /// What must follow.
    pub expect: Expect,
}

/// The lead of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct TestLead {
    /// Where, if known.
    pub zip: Option<Zip>,
    /// Where, if only that is known.
    pub state: Option<State>,
    /// What it signed up for.
    pub offer: OfferId,
    /// Who sent it.
    pub source: SourceId,
    /// What it is worth.
    pub band: Band,
    /// What it brings of what contracts need.
    pub brings: Needs,
    /// Since the cycle opened.
    pub age_hours: u32,
    /// Dealers that had it in this cycle.
    pub excluded: Vec<DealerId>,
}

/// What the counters of a contract stand at; a period that is not named stands at none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// In this hour.
    pub hour: Option<u32>,
    /// On this day.
    pub day: Option<u32>,
    /// In this week.
    pub week: Option<u32>,
    /// In this month.
    pub month: Option<u32>,
    /// Ever.
    pub total: Option<u32>,
}

/// What must follow: at least one of these.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    /// The contracts that get it, in order. Not together with `waiting`.
    pub assigned: Option<Vec<ContractId>>,
    /// Why it waits.
    pub waiting: Option<Waiting>,
    /// Until when it waits.
    pub until: Option<Timestamp>,
    /// Contracts that do not get it, and the first rule each fails.
    pub excluded: BTreeMap<ContractId, Rule>,
}

/// What a test may refer to.
pub(super) struct Known<'a> {
    pub(super) dealers: &'a Index<DealerId>,
    pub(super) offers: &'a Index<OfferId>,
    pub(super) sources: &'a Index<SourceId>,
    pub(super) contracts: &'a Index<ContractId>,
}

pub(super) fn read(body: &Body<'_>, known: &Known<'_>, problems: &mut Problems) -> Vec<RulebookTest> {
    let Some(table) = document(body, problems) else { return Vec::new() };
    let mut file = Keys::new(body, &table, 0);
    let tables = file.tables("test", problems).unwrap_or_default();
    file.finish(problems);
    if let Some(beyond) = tables.get(limits::TESTS) {
        let message = format!("a rulebook has at most {} tests", limits::TESTS);
        problems.error(body, beyond.offset, ProblemCode::TooMany, message);
    }
    tables.into_iter().take(limits::TESTS).filter_map(|keys| test(keys, known, problems).ok()).collect()
}

fn test(mut keys: Keys<'_, '_>, known: &Known<'_>, problems: &mut Problems) -> Read<RulebookTest> {
    let name = keys.needed("name", text(|text| value::prose("name", text, limits::TEXT_CHARS)), problems);
    let at = keys.needed("at", text_or_time(instant), problems);
    let lead = lead(&mut keys, known, problems);
    let used = used(&mut keys, known, problems);
    let holds = keys.references("holds", known.dealers, problems);
    let paused = paused(&mut keys, known, problems);
    let expect = expect(&mut keys, known, problems);
    keys.finish(problems);
    Ok(RulebookTest {
        name: name?,
        at: at?,
        lead: lead?,
        used: used?,
        holds: holds?.unwrap_or_default(),
        paused: paused?,
        expect: expect?,
    })
}

fn instant(text: &str) -> Result<Timestamp, Invalid> {
    text.parse().map_err(|_| Invalid::new("a time is written with its offset: 2026-06-01T09:00:00-04:00"))
}

fn lead(keys: &mut Keys<'_, '_>, known: &Known<'_>, problems: &mut Problems) -> Read<TestLead> {
    const A1: Band = Band { fit: FitLetter::A, engagement: EngagementDigit::One };
    let Some(mut lead) = keys.table("lead", problems)? else { return keys.missing("lead", problems) };
    let zip = lead.optional("zip", text(Zip::from_spreadsheet), problems);
    let state = lead.optional("state", text(str::parse), problems);
    let offer = needed_reference(&mut lead, "offer", known.offers, problems);
    let source = needed_reference(&mut lead, "source", known.sources, problems);
    let band = lead.optional("band", text(str::parse), problems);
    let brings = lead.list("brings", str::parse::<Need>, problems);
    let age_hours = lead.whole("age_hours", 0..=limits::AGE_HOURS, problems);
    let excluded = lead.references("excluded", known.dealers, problems);
    lead.finish(problems);
    Ok(TestLead {
        zip: zip?,
        state: state?,
        offer: offer?,
        source: source?,
        band: band?.unwrap_or(A1),
        brings: brings?.unwrap_or_default().into_iter().fold(Needs::NONE, Needs::with),
        age_hours: age_hours?.unwrap_or(0),
        excluded: excluded?.unwrap_or_default(),
    })
}

fn needed_reference<I: Id>(
    keys: &mut Keys<'_, '_>,
    key: &'static str,
    index: &Index<I>,
    problems: &mut Problems,
) -> Read<I> {
    match keys.reference(key, index, problems)? {
        Some(id) => Ok(id),
        None => keys.missing(key, problems),
    }
}

/// `used = { "contract" = { day = 10 } }`
fn used(
    keys: &mut Keys<'_, '_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Read<BTreeMap<ContractId, Used>> {
    let mut map = BTreeMap::new();
    let mut whole = Ok(());
    for pair in keys.pairs("used", problems)? {
        let contract = keys.find("used", pair.name, pair.name_offset, known.contracts, problems);
        let counters = keys.nested("used", &pair, problems).and_then(|keys| counters_of(keys, problems));
        match (contract, counters) {
            (Ok(contract), Ok(counters)) => drop(map.insert(contract, counters)),
            (Err(Refused), _) | (_, Err(Refused)) => whole = Err(Refused),
        }
    }
    whole.map(|()| map)
}

fn counters_of(mut keys: Keys<'_, '_>, problems: &mut Problems) -> Read<Used> {
    let mut counter = |period| keys.whole(period, 0..=limits::CAP, problems);
    let (hour, day, week) = (counter("hour"), counter("day"), counter("week"));
    let (month, total) = (counter("month"), counter("total"));
    keys.finish(problems);
    Ok(Used { hour: hour?, day: day?, week: week?, month: month?, total: total? })
}

fn paused(keys: &mut Keys<'_, '_>, known: &Known<'_>, problems: &mut Problems) -> Read<Vec<String>> {
    let complete = known.contracts.is_complete() && known.dealers.is_complete();
    let exists = |id: &str| {
        if !complete || known.contracts.has(id) || known.dealers.has(id) {
            Ok(id.to_owned())
        } else {
            Err(Invalid::new("this is the id of a contract or dealer; there is none of that name"))
        }
    };
    Ok(keys.list("paused", exists, problems)?.unwrap_or_default())
}

fn expect(keys: &mut Keys<'_, '_>, known: &Known<'_>, problems: &mut Problems) -> Read<Expect> {
    let assigned = keys.references("assigned", known.contracts, problems);
    let waiting = keys.optional("waiting", text(str::parse), problems);
    let until = keys.optional("until", text_or_time(instant), problems);
    let excluded = excluded(keys, known, problems);
    let expect = Expect { assigned: assigned?, waiting: waiting?, until: until?, excluded: excluded? };
    let contradiction = ProblemCode::Contradiction;
    if expect == Expect::default() {
        let message = "this test expects nothing: say assigned, waiting or excluded";
        return keys.refuse_at(keys.offset, ProblemCode::MissingKey, message, problems);
    }
    if expect.assigned.is_some() && expect.waiting.is_some() {
        let message = "a lead is assigned or waiting, not both";
        return keys.refuse("waiting", contradiction, message, problems);
    }
    if expect.assigned.as_ref().is_some_and(Vec::is_empty) {
        let message = "assigned names at least one contract; of a lead that nobody gets, say waiting";
        return keys.refuse("assigned", contradiction, message, problems);
    }
    if expect.until.is_some() && expect.waiting.is_none() {
        return keys.refuse(
            "until",
            contradiction,
            "until needs waiting: an assigned lead waits for nothing",
            problems,
        );
    }
    Ok(expect)
}

/// `excluded = { "contract" = "rule" }`
fn excluded(
    keys: &mut Keys<'_, '_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Read<BTreeMap<ContractId, Rule>> {
    let mut map = BTreeMap::new();
    let mut whole = Ok(());
    for pair in keys.pairs("excluded", problems)? {
        let contract = keys.find("excluded", pair.name, pair.name_offset, known.contracts, problems);
        let rule = keys.part("excluded", pair.value, str::parse, problems);
        match (contract, rule) {
            (Ok(contract), Ok(rule)) => drop(map.insert(contract, rule)),
            (Err(Refused), _) | (_, Err(Refused)) => whole = Err(Refused),
        }
    }
    whole.map(|()| map)
}
