//! What a decision read besides the lead's facts and the rulebook: switches and counters, small enough
//! to be kept with it. With them it can be made again, bit for bit.
//!
//! Counters stand in the order of the candidates, which facts and rulebook fix; so no id is repeated.
//! Times are kept as distances from the decision's own, which are short numbers.

use std::collections::HashSet;
use std::hash::Hash;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::counters::{Counters, Reservation, Usage, WeekResults, week_of};
use super::facts::Switches;
use super::pauses::{Pause, Pauses};
use super::screen::{Candidate, Screened};
use crate::ids::{ContractId, DealerId};

/// The switches and counters that one decision read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    stop: bool,
    shadow: bool,
    contracts: Vec<(ContractId, Option<Timestamp>)>,
    dealers: Vec<(DealerId, Option<Timestamp>)>,
    /// Of the contract, then (where it is met for the first time) of its dealer, candidate by candidate.
    usages: Vec<Option<Seen>>,
}

/// A [`Usage`] as it was seen at the decision's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    /// Per period: how many seconds before or after the current start, and how many.
    used: [Option<(i64, u32)>; 5],
    pass: u64,
    /// Milliseconds ago; `None` for never.
    last_ms_ago: Option<i64>,
    spent_month: i64,
    balance: i64,
    /// (weeks ago, delivered, won)
    results: Vec<(i32, u32, u32)>,
}

/// What was kept is not evidence: damaged, or of a version to come.
#[derive(Debug, thiserror::Error)]
#[error("the evidence of a decision cannot be read")]
pub struct NotEvidence(#[from] postcard::Error);

impl Evidence {
    /// What a decision on these, at this time, reads.
    pub fn of(screened: &Screened<'_>, counters: &Counters, now: Timestamp) -> Self {
        let met = |candidate: &&Candidate<'_>| candidate.failed.is_none();
        let usages = read_in_order(screened, screened.candidates.iter().filter(met), now)
            .map(|(whose, starts)| {
                let usage = match whose {
                    Whose::Contract(id) => counters.contracts.get(id),
                    Whose::Dealer(id) => counters.dealers.get(id),
                };
                usage.map(|usage| Seen::of(usage, &starts, now))
            })
            .collect();
        let switches = screened.switches;
        let candidates = || screened.candidates.iter();
        Self {
            stop: switches.stop,
            shadow: switches.shadow,
            contracts: touching(&switches.contracts, candidates().map(|one| &one.contract.id)),
            dealers: touching(&switches.dealers, candidates().map(|one| &one.dealer.id)),
            usages,
        }
    }

    /// As it is kept: postcard's bytes.
    pub fn encode(&self) -> Result<Vec<u8>, NotEvidence> {
        Ok(postcard::to_allocvec(self)?)
    }

    /// As it was kept.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotEvidence> {
        Ok(postcard::from_bytes(bytes)?)
    }

    /// The switches, as far as they touched a candidate; their reasons are not kept.
    pub fn switches(&self) -> Switches {
        fn pauses<Id: Clone + Eq + Hash>(kept: &[(Id, Option<Timestamp>)]) -> Pauses<Id> {
            let pause = |(id, until): &(Id, Option<Timestamp>)| Pause {
                id: id.clone(),
                reason: String::new(),
                until: *until,
            };
            kept.iter().map(pause).collect()
        }
        Switches {
            stop: self.stop,
            shadow: self.shadow,
            contracts: pauses(&self.contracts),
            dealers: pauses(&self.dealers),
        }
    }

    /// The counters. `screened` is the same lead screened by the same rulebook and by
    /// [`Evidence::switches`], at the same time.
    pub fn counters(&self, screened: &Screened<'_>, now: Timestamp) -> Counters {
        let mut counters = Counters::default();
        let met = |candidate: &&Candidate<'_>| candidate.failed.is_none();
        let in_order = read_in_order(screened, screened.candidates.iter().filter(met), now);
        for ((whose, starts), seen) in in_order.zip(&self.usages) {
            let Some(usage) = seen.as_ref().map(|seen| seen.usage(&starts, now)) else { continue };
            match whose {
                Whose::Contract(id) => counters.contracts.insert(id.clone(), usage),
                Whose::Dealer(id) => counters.dealers.insert(id.clone(), usage),
            };
        }
        counters
    }
}

/// The pauses of any of these, over or not, in their own order.
fn touching<'a, Id: Clone + Eq + Hash + 'a>(
    all: &Pauses<Id>,
    of: impl Iterator<Item = &'a Id>,
) -> Vec<(Id, Option<Timestamp>)> {
    let paused: HashSet<&Id> = of.filter(|id| all.end(id).is_some()).collect();
    let touches = all.iter().filter(|pause| !paused.is_empty() && paused.contains(&pause.id));
    touches.map(|pause| (pause.id.clone(), pause.until)).collect()
}

enum Whose<'a> {
    Contract(&'a ContractId),
    Dealer(&'a DealerId),
}

/// The counters that a decision reads, in an order that the candidates fix, each with the starts of its
/// periods.
fn read_in_order<'a>(
    screened: &'a Screened<'a>,
    candidates: impl Iterator<Item = &'a Candidate<'a>>,
    now: Timestamp,
) -> impl Iterator<Item = (Whose<'a>, Reservation)> {
    let week_starts = screened.core.company.week_starts;
    let starts: Vec<Reservation> =
        screened.zones.iter().map(|zone| Reservation::at(now, zone, week_starts)).collect();
    let mut met = HashSet::new();
    candidates.flat_map(move |candidate| {
        // A zone that is missing gives distances from the epoch: longer, and as true.
        let starts = starts.get(candidate.zone).copied().unwrap_or_default();
        let dealer =
            met.insert(&candidate.dealer.id).then_some((Whose::Dealer(&candidate.dealer.id), starts));
        std::iter::once((Whose::Contract(&candidate.contract.id), starts)).chain(dealer)
    })
}

impl Seen {
    fn of(usage: &Usage, starts: &Reservation, now: Timestamp) -> Self {
        let mut used = usage.used;
        for (slot, start) in used.iter_mut().zip(starts.starts) {
            *slot = slot.map(|(at, count)| (at.saturating_sub(start), count));
        }
        let last = Some(usage.last_assigned_ms).filter(|last| *last != 0);
        Self {
            used,
            pass: usage.pass,
            last_ms_ago: last.map(|last| now.as_millisecond().saturating_sub(last)),
            spent_month: usage.spent_month,
            balance: usage.balance,
            results: usage
                .results
                .iter()
                .map(|of| (week_of(now).saturating_sub(of.week), of.delivered, of.won))
                .collect(),
        }
    }

    fn usage(&self, starts: &Reservation, now: Timestamp) -> Usage {
        let mut used = self.used;
        for (slot, start) in used.iter_mut().zip(starts.starts) {
            *slot = slot.map(|(distance, count)| (distance.saturating_add(start), count));
        }
        let last_assigned_ms = self.last_ms_ago.map_or(0, |ago| now.as_millisecond().saturating_sub(ago));
        let results = self.results.iter().map(|&(weeks_ago, delivered, won)| WeekResults {
            week: week_of(now).saturating_sub(weeks_ago),
            delivered,
            won,
        });
        Usage {
            used,
            pass: self.pass,
            last_assigned_ms,
            spent_month: self.spent_month,
            balance: self.balance,
            results: results.collect(),
            exists: true,
        }
    }
}
