//! Rules 1 to 4: whose area covers the lead, and which of those may have it as far as the rulebook
//! alone can say. What is left to counters and the clock is for [`decide`](super::decide()).

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::compiled::{Chunk, CompiledContract, CompiledDealer, Core, Day, Hit, Takers, Target};
use super::facts::{LeadFacts, Location, Switches};
use super::reason::Rule;
use crate::contract::{Sale, Specificity, Territory};
use crate::ids::{ContractId, DealerId};
use crate::place::{self, Unit};

/// A contract whose area covers the lead, or that the desk asks for besides.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The contract.
    pub contract: &'a CompiledContract,
    /// Its dealer.
    pub dealer: &'a CompiledDealer,
    pub(crate) chunk: &'a Chunk,
    /// The dealer's zone, in [`Screened::zones`].
    pub(crate) zone: usize,
    /// Its schedule, in [`Chunk::calendar`]; this, territory and sale as the contract has them: contracts lie all
    /// over the chunk, and most are read once.
    pub(crate) schedule: u16,
    pub(crate) territory: Territory,
    pub(crate) sale: Sale,
    /// Its area covers the lead: only one that the desk asks for need not, see [`Screened::also`].
    pub(crate) covers: bool,
    /// The narrowest part of its area that covers.
    pub specificity: Specificity,
    /// Its area covers, and it passed rules 1 to 4: only then it matters how far the dealer is.
    pub(crate) measured: bool,
    /// The first of rules 1 to 4 that it failed.
    pub failed: Option<Rule>,
    /// The first of rules 1 to 3 that it failed: what "takes the lead" means to a territory.
    pub refuses: Option<Rule>,
    /// The same if the contract were active: what it would say if its pause ended now.
    pub(crate) refuses_when_active: Option<Rule>,
    /// When the last pause of it or its dealer ends, if there is one; [`Timestamp::MAX`] for never.
    pub(crate) paused_until: Option<&'a Timestamp>,
}

impl Candidate<'_> {
    /// Whether it may have the lead, now or when time has passed, or may keep others from it.
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "asked of hundreds, whose answers no processor can guess"
    )]
    pub(crate) fn has_a_part(&self) -> bool {
        self.failed.is_none() | (self.failed == Some(Rule::Inactive)) | self.territory.compels()
    }
}

/// What screening found.
#[derive(Clone, Debug)]
pub struct Screened<'a> {
    /// The facts it is about.
    pub facts: &'a LeadFacts,
    /// The rulebook's core.
    pub core: &'a Core,
    /// The switches.
    pub switches: &'a Switches,
    /// The contracts whose area covers the lead.
    pub candidates: Vec<Candidate<'a>>,
    /// The zones of their dealers, each once.
    pub(crate) zones: Vec<&'a TimeZone>,
    /// Where the lead is, if its place has coordinates.
    unit: Option<Unit>,
}

impl<'a> Screened<'a> {
    /// Takes one more contract into consideration, although its area does not cover the lead: for the desk,
    /// which may place a lead anywhere. Nothing changes if it is a candidate, or not of this chunk.
    pub fn also(&mut self, chunk: &'a Chunk, contract: &ContractId, now: Timestamp) {
        if self.candidates.iter().any(|candidate| &candidate.contract.id == contract) {
            return;
        }
        let found =
            chunk.contract(contract).and_then(|contract| Some((contract, chunk.dealer_of(contract)?)));
        let Some((contract, dealer)) = found else { return };
        let Some(calendar) = chunk.calendar(contract.schedule()) else { return };
        let failed = fails_uncovered(self.facts, contract, chunk, self.switches, now);
        self.candidates.push(Candidate {
            contract,
            dealer,
            chunk,
            zone: self.zones.len(),
            schedule: contract.schedule(),
            territory: contract.territory,
            sale: contract.sale,
            covers: false,
            specificity: Specificity::Any,
            measured: false,
            failed: Some(failed),
            refuses: Some(failed),
            refuses_when_active: Some(failed),
            paused_until: self.switches.paused_until(&contract.id, &dealer.id, now),
        });
        self.zones.push(calendar.zone);
    }

    /// Miles from the dealer's ZIP to the lead's, where both have coordinates and the dealer may still have
    /// the lead.
    pub fn miles(&self, candidate: &Candidate<'_>) -> Option<f64> {
        let dealer = candidate.dealer.unit.filter(|_| candidate.measured)?;
        Some(dealer.miles_to(self.unit?))
    }

    /// The counters of one candidate's contract and dealer, whatever it failed.
    pub fn counters_of(&self, contract: &ContractId) -> Option<(ContractId, DealerId)> {
        let found = self.candidates.iter().find(|candidate| &candidate.contract.id == contract)?;
        Some((found.contract.id.clone(), found.dealer.id.clone()))
    }

    /// The counters of all candidates, whatever they failed.
    pub fn all_counters(&self) -> (Vec<ContractId>, Vec<DealerId>) {
        let contracts = self.candidates.iter().map(|candidate| candidate.contract.id.clone()).collect();
        let mut dealers: Vec<DealerId> =
            self.candidates.iter().map(|candidate| candidate.dealer.id.clone()).collect();
        dealers.sort_unstable();
        dealers.dedup();
        (contracts, dealers)
    }

    /// Whose counters a decision will read: contracts and dealers that may still have the lead.
    pub fn counters_to_read(&self) -> (Vec<ContractId>, Vec<DealerId>) {
        let open = || self.candidates.iter().filter(|candidate| candidate.failed.is_none());
        let contracts: Vec<ContractId> = open().map(|candidate| candidate.contract.id.clone()).collect();
        let mut dealers: Vec<DealerId> = open().map(|candidate| candidate.dealer.id.clone()).collect();
        dealers.sort_unstable();
        dealers.dedup();
        (contracts, dealers)
    }
}

/// Finds the contracts whose area covers the lead and judges them by rules 1 to 4.
///
/// `chunks` are those of [`Core::chunks_for`] this lead's category and state.
pub fn screen<'a>(
    facts: &'a LeadFacts,
    core: &'a Core,
    chunks: &'a [std::sync::Arc<Chunk>],
    switches: &'a Switches,
    now: Timestamp,
) -> Screened<'a> {
    let place = match facts.location {
        Location::Zip(zip) => place::of(zip),
        Location::State { .. } | Location::Unplaced => None,
    };
    let target = place.map(Target::of);
    let mut twins = false;
    let mut zones = Zones::new(now);
    let asked = Asked::new(facts, now);
    let nobody_paused = switches.contracts.is_empty() && switches.dealers.is_empty();
    // Dealers lie elsewhere than contracts: they are not read for an answer that is known.
    let nobody_excluded = facts.excluded.is_empty() && facts.holders.is_empty();
    let covering = |chunk: &'a Chunk| match (facts.location, &target) {
        (Location::Zip(_), Some(target)) => chunk.covering(target),
        (Location::State { state, .. }, _) => chunk.covering_state(state),
        (Location::Zip(_), None) | (Location::Unplaced, _) => Vec::new(),
    };
    // All coverages first: a list of hundreds that grows is moved as a whole.
    let found: Vec<(&Chunk, Vec<Hit>)> =
        chunks.iter().map(|chunk| (&**chunk, covering(chunk))).filter(|(_, hits)| !hits.is_empty()).collect();
    let many = |(chunk, hits): &(&Chunk, Vec<Hit>)| -> usize {
        hits.iter().map(|&hit| chunk.contracts_of(hit).len()).sum()
    };
    let mut candidates: Vec<Candidate<'a>> = Vec::with_capacity(found.iter().map(many).sum());
    for (chunk, hits) in found {
        zones.enter(chunk);
        let takers = chunk.takers(&facts.offer, &facts.source);
        for hit in hits {
            twins |= chunk.may_be_twin(hit);
            for contract in chunk.contracts_of(hit) {
                let Some(dealer) = chunk.dealer_of(contract) else { continue };
                let Some(zone) = zones.of(contract.schedule()) else { continue };
                let refuses_when_active = asked.refusal(contract, &takers);
                let paused_until =
                    if nobody_paused { None } else { switches.paused_until(&contract.id, &dealer.id, now) };
                let active = paused_until.is_none() & contract.runs(zones.today(zone));
                let refuses = if active { refuses_when_active } else { Some(Rule::Inactive) };
                let failed = refuses
                    .or_else(|| (!nobody_excluded && excluded(facts, dealer)).then_some(Rule::Excluded));
                candidates.push(Candidate {
                    contract,
                    dealer,
                    chunk,
                    zone,
                    schedule: contract.schedule(),
                    territory: contract.territory,
                    sale: contract.sale,
                    covers: true,
                    specificity: hit.specificity(),
                    measured: failed.is_none(),
                    failed,
                    refuses,
                    refuses_when_active,
                    paused_until,
                });
            }
        }
    }
    if twins {
        drop_broader_twins(&mut candidates);
    }
    Screened {
        facts,
        core,
        switches,
        candidates,
        zones: zones.list.into_iter().map(|zone| zone.rules).collect(),
        unit: place.and_then(place::Place::unit),
    }
}

/// A contract that stands both in its state's chunk and in the one for everywhere counts once, by its
/// narrowest part.
fn drop_broader_twins(candidates: &mut Vec<Candidate<'_>>) {
    let narrow: HashSet<ContractId> = candidates
        .iter()
        .filter(|candidate| candidate.specificity != Specificity::Any)
        .map(|candidate| candidate.contract.id.clone())
        .collect();
    candidates.retain(|candidate| {
        candidate.specificity != Specificity::Any || !narrow.contains(&candidate.contract.id)
    });
}

/// The zones met so far: dealers have few, and what day it is there is asked for every contract.
struct Zones<'a> {
    now: Timestamp,
    list: Vec<Zone<'a>>,
    /// Those of the chunk at hand, by its schedules.
    of_chunk: Vec<Option<usize>>,
}

struct Zone<'a> {
    name: &'a str,
    rules: &'a TimeZone,
    today: Option<Day>,
}

impl<'a> Zones<'a> {
    fn new(now: Timestamp) -> Self {
        Self { now, list: Vec::new(), of_chunk: Vec::new() }
    }

    fn enter(&mut self, chunk: &'a Chunk) {
        self.of_chunk.clear();
        let mut of_zone = Vec::new();
        for (name, rules) in chunk.zones() {
            let known = self.list.iter().position(|known| known.name == name);
            of_zone.push(known.unwrap_or(self.list.len()));
            if known.is_none() {
                self.list.push(Zone { name, rules, today: None });
            }
        }
        let zone_of = |schedule| of_zone.get(chunk.calendar(schedule)?.zone_at).copied();
        self.of_chunk.extend((0..chunk.schedules() as u16).map(zone_of));
    }

    fn of(&self, schedule: u16) -> Option<usize> {
        *self.of_chunk.get(usize::from(schedule))?
    }

    /// A zone that is not there has no day that a contract could run on.
    fn today(&mut self, at: usize) -> Day {
        let Some(zone) = self.list.get_mut(at) else { return Day::NEVER };
        *zone.today.get_or_insert_with(|| Day::of(zone.rules.to_datetime(self.now).date()))
    }
}

/// The first rule that a contract fails whose area does not cover the lead: rule 1 speaks before the area, and the
/// area before the rest.
pub fn fails_uncovered(
    facts: &LeadFacts,
    contract: &CompiledContract,
    chunk: &Chunk,
    switches: &Switches,
    now: Timestamp,
) -> Rule {
    let refused = refuses(facts, contract, chunk, switches, now);
    refused.filter(|rule| *rule < Rule::Area).unwrap_or(Rule::Area)
}

/// The first of rules 1 and 3 that this contract fails, its area aside.
fn refuses(
    facts: &LeadFacts,
    contract: &CompiledContract,
    chunk: &Chunk,
    switches: &Switches,
    now: Timestamp,
) -> Option<Rule> {
    let dealer = chunk.dealer_of(contract)?;
    let today = Day::of(chunk.calendar(contract.schedule())?.zone.to_datetime(now).date());
    if switches.paused_until(&contract.id, &dealer.id, now).is_some() || !contract.runs(today) {
        return Some(Rule::Inactive);
    }
    Asked::new(facts, now).refusal(contract, &chunk.takers(&facts.offer, &facts.source))
}

/// Every one of rules 1 to 4 that a candidate fails, in their order, each looked at by itself.
pub(crate) fn failures(facts: &LeadFacts, candidate: &Candidate<'_>, now: Timestamp) -> Vec<Rule> {
    let Candidate { contract, dealer, chunk, .. } = *candidate;
    let takers = chunk.takers(&facts.offer, &facts.source);
    let today = chunk.calendar(contract.schedule()).map(|it| Day::of(it.zone.to_datetime(now).date()));
    let inactive = candidate.paused_until.is_some() || !today.is_some_and(|today| contract.runs(today));
    [
        (Rule::Inactive, inactive),
        (Rule::Offer, !takers.offer(contract)),
        (Rule::Source, !takers.source(contract)),
        (Rule::Age, too_old_at(contract, facts.opened_at).is_some_and(|too_old| too_old <= now)),
        (Rule::Area, !candidate.covers),
        (Rule::Band, !facts.band.meets(contract.min_band)),
        (Rule::Needs, !facts.brings.meets(contract.needs)),
        (Rule::Excluded, excluded(facts, dealer)),
    ]
    .into_iter()
    .filter_map(|(rule, failed)| failed.then_some(rule))
    .collect()
}

/// What every contract is asked of a lead.
struct Asked<'a> {
    facts: &'a LeadFacts,
    /// A contract that takes no leads of so many hours finds this one too old: see [`too_old_at`].
    too_old_for: i64,
}

impl<'a> Asked<'a> {
    fn new(facts: &'a LeadFacts, now: Timestamp) -> Self {
        let age_ms = now.as_millisecond() - facts.opened_at.as_millisecond();
        // Of whole hours h, those with h * 3,600,000 < age.
        Self { facts, too_old_for: (age_ms + 3_599_999).div_euclid(3_600_000) }
    }

    /// The first of rules 1 and 3 that an active contract fails. Every rule is asked, whatever the others say:
    /// hundreds of contracts answer as they please, and a wrong guess costs a processor more than the question.
    fn refusal(&self, contract: &CompiledContract, takers: &Takers) -> Option<Rule> {
        const FIRST: [Option<Rule>; 9] = [
            Some(Rule::Offer),
            Some(Rule::Source),
            Some(Rule::Age),
            Some(Rule::Band),
            Some(Rule::Needs),
            None,
            None,
            None,
            None, // where no bit is set
        ];
        let failed = u8::from(!takers.offer(contract))
            | u8::from(!takers.source(contract)) << 1
            | u8::from(i64::from(contract.max_age_hours.unwrap_or(u32::MAX)) < self.too_old_for) << 2
            | u8::from(!self.facts.band.meets(contract.min_band)) << 3
            | u8::from(!self.facts.brings.meets(contract.needs)) << 4;
        FIRST.get(failed.trailing_zeros() as usize).copied().flatten()
    }
}

/// The first instant at which a lead is older than the contract takes it; instants are compared by the
/// millisecond, as they are stored.
pub(crate) fn too_old_at(contract: &CompiledContract, opened_at: Timestamp) -> Option<Timestamp> {
    let hours = i64::from(contract.max_age_hours?);
    Timestamp::from_millisecond(opened_at.as_millisecond() + hours * 3_600_000 + 1).ok()
}

fn excluded(facts: &LeadFacts, dealer: &CompiledDealer) -> bool {
    facts.excluded.contains(&dealer.id) || facts.holders.contains(&dealer.id)
}
