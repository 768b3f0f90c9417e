//! What a decision read besides the lead's facts and the rulebook: switches and counters, small enough
//! to be kept with it. With them it can be made again, bit for bit.
//!
//! Counters stand in the order of the candidates, which facts and rulebook fix; so no id is repeated.
//! Times are kept as distances from the decision's own, which are short numbers. Of a period that is over it is kept
//! that there was one; what was counted in it counts for nothing any more. What came of a contract's leads is kept
//! where the offer's ranking asks for it. How it is written is in `packed`; the shape before is read still.
//!
//! How large it is: a few bytes of each counter that was read, so that it grows with the candidates, and with the
//! rulebook only where more contracts cover a place. `cargo bench --bench decision` prints it, and the whole record
//! beside it; where every counter has been in use for half a year, at p50 and p99 in bytes:
//!
//! | contracts | evidence | record |
//! |---|---|---|
//! | 1,000 in a category | 55, 593 | 1,174, 2,854 |
//! | 10,000 in a category | 614, 5,195 | 2,841, 9,160 |
//! | 100,000 in five | 1,199, 10,997 | 3,780, 17,034 |
//!
//! So the two kilobytes that a record is to have are kept by small rulebooks alone: facts and ten nearest misses take
//! 1.3 KB by themselves as soon as ten contracts miss, base64 adds a third, and in a large city hundreds of contracts
//! cover a lead, whose counters are nothing that could be left out.
//!
//! Determination: *periods without a cap are kept too*, though this decision did not read them. A backtest starts from
//! what was read, under a rulebook that may cap what was not capped; and a record is proof of what stood then, not only
//! of what mattered.

mod packed;

use std::collections::HashSet;
use std::hash::Hash;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::counters::{Counters, RESULT_WEEKS, Reservation, Usage, WeekResults, week_of};
use super::facts::Switches;
use super::pauses::{Pause, Pauses};
use super::ranking::Step;
use super::screen::{Candidate, Screened};
use crate::ids::{ContractId, DealerId};
use crate::time::Period;
use packed::Packed;

/// The switches and counters that one decision read.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    stop: bool,
    shadow: bool,
    has_results: bool,
    contracts: Vec<(ContractId, Option<Timestamp>)>,
    dealers: Vec<(DealerId, Option<Timestamp>)>,
    /// Of the contract, then (where it is met for the first time) of its dealer, candidate by candidate.
    usages: Vec<Option<Seen>>,
}

/// A [`Usage`] as it was seen at the decision's time.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    used: [Slot; 5],
    pass: u64,
    /// Milliseconds ago; `None` for never.
    last_ms_ago: Option<i64>,
    spent_month: i64,
    balance: i64,
    /// (weeks ago, delivered, won)
    results: Vec<(i32, u32, u32)>,
}

/// What was counted of one period.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Slot {
    /// Nothing, ever.
    #[default]
    Never,
    /// Something in an earlier one.
    Over,
    /// So many in the current one.
    Now(u32),
    /// So many in one that begins so many seconds after the current: another machine's clock is ahead.
    At(i64, u32),
}

/// The shape before: every slot with its distance, every counter of everybody.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    stop: bool,
    shadow: bool,
    contracts: Vec<(ContractId, Option<Timestamp>)>,
    dealers: Vec<(DealerId, Option<Timestamp>)>,
    usages: Vec<Option<SeenBefore>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SeenBefore {
    used: [Option<(i64, u32)>; 5],
    pass: u64,
    last_ms_ago: Option<i64>,
    spent_month: i64,
    balance: i64,
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
        let starts = starts_of(screened, now);
        let has_results = screened
            .core
            .offer(&screened.facts.offer)
            .is_some_and(|offer| offer.ranking.iter().any(|step| matches!(step, Step::Performance { .. })));
        let usages = read_in_order(screened.candidates.iter().filter(met))
            .map(|(whose, zone)| {
                let usage = match whose {
                    Whose::Contract(id) => counters.contracts.get(id),
                    Whose::Dealer(id) => counters.dealers.get(id),
                };
                // A zone that is missing gives distances from the epoch: longer, and as true.
                let starts = starts.get(zone).copied().unwrap_or_default();
                usage.map(|usage| Seen::of(usage, &starts, now, has_results))
            })
            .collect();
        let switches = screened.switches;
        let candidates = || screened.candidates.iter();
        Self {
            stop: switches.stop,
            shadow: switches.shadow,
            has_results,
            contracts: touching(&switches.contracts, candidates().map(|one| &one.contract.id)),
            dealers: touching(&switches.dealers, candidates().map(|one| &one.dealer.id)),
            usages,
        }
    }

    /// Whether what came of the contracts' leads is among the counters: the ranking asked for it.
    pub const fn has_results(&self) -> bool {
        self.has_results
    }

    /// Whether anybody who was looked at was paused then.
    pub fn has_paused(&self, at: Timestamp) -> bool {
        let runs = |until: &Option<Timestamp>| until.is_none_or(|until| at < until);
        self.contracts.iter().any(|(_, until)| runs(until))
            || self.dealers.iter().any(|(_, until)| runs(until))
    }

    /// As it is kept: postcard's bytes of its columns.
    pub fn encode(&self) -> Result<Vec<u8>, NotEvidence> {
        Ok(postcard::to_allocvec(&Packed::of(self))?)
    }

    /// As it was kept, in this shape or in the one before.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotEvidence> {
        if bytes.first() == Some(&packed::FORMAT) {
            let packed: Packed = postcard::from_bytes(bytes)?;
            return packed.unpack().ok_or(NotEvidence(postcard::Error::DeserializeUnexpectedEnd));
        }
        let before: Before = postcard::from_bytes(bytes)?;
        Ok(before.into())
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
        let starts = starts_of(screened, now);
        let over = before(screened, &starts);
        for ((whose, zone), seen) in read_in_order(screened.candidates.iter().filter(met)).zip(&self.usages) {
            let of = |starts: &[Reservation]| starts.get(zone).copied().unwrap_or_default();
            let usage = seen.as_ref().map(|seen| seen.usage(&of(&starts), &of(&over), now));
            let Some(usage) = usage else { continue };
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

/// The counters that a decision reads, in an order that the candidates fix, each with its zone in
/// [`Screened::zones`].
fn read_in_order<'a>(
    candidates: impl Iterator<Item = &'a Candidate<'a>>,
) -> impl Iterator<Item = (Whose<'a>, usize)> {
    let mut met = HashSet::new();
    candidates.flat_map(move |candidate| {
        let dealer =
            met.insert(&candidate.dealer.id).then_some((Whose::Dealer(&candidate.dealer.id), candidate.zone));
        std::iter::once((Whose::Contract(&candidate.contract.id), candidate.zone)).chain(dealer)
    })
}

/// The starts of the periods that now is in, zone by zone.
fn starts_of(screened: &Screened<'_>, now: Timestamp) -> Vec<Reservation> {
    let week_starts = screened.core.company.week_starts;
    screened.zones.iter().map(|zone| Reservation::at(now, zone, week_starts)).collect()
}

/// The starts of the periods before those, which are over.
fn before(screened: &Screened<'_>, starts: &[Reservation]) -> Vec<Reservation> {
    let week_starts = screened.core.company.week_starts;
    let of_zone = |(zone, current): (&&jiff::tz::TimeZone, &Reservation)| {
        let mut starts = [0; 5];
        for (start, period) in starts.iter_mut().zip(Period::ALL) {
            let last = current.start(*period).saturating_sub(1);
            let last = Timestamp::from_second(last).unwrap_or(Timestamp::MIN);
            *start = match period {
                Period::Total => -1,
                Period::Hour | Period::Day | Period::Week | Period::Month => {
                    period.start(last, zone, week_starts)
                }
            };
        }
        Reservation { starts }
    };
    screened.zones.iter().zip(starts).map(of_zone).collect()
}

impl From<Before> for Evidence {
    fn from(before: Before) -> Self {
        let seen = |seen: SeenBefore| Seen {
            used: seen.used.map(|slot| match slot {
                None => Slot::Never,
                Some((0, count)) => Slot::Now(count),
                Some((distance, count)) => Slot::At(distance, count),
            }),
            pass: seen.pass,
            last_ms_ago: seen.last_ms_ago,
            spent_month: seen.spent_month,
            balance: seen.balance,
            results: seen.results,
        };
        Self {
            stop: before.stop,
            shadow: before.shadow,
            has_results: true,
            contracts: before.contracts,
            dealers: before.dealers,
            usages: before.usages.into_iter().map(|usage| usage.map(seen)).collect(),
        }
    }
}

impl Seen {
    fn of(usage: &Usage, starts: &Reservation, now: Timestamp, with_results: bool) -> Self {
        let mut used = [Slot::Never; 5];
        for ((slot, counted), start) in used.iter_mut().zip(usage.used).zip(starts.starts) {
            *slot = match counted {
                None => Slot::Never,
                Some((at, _)) if at < start => Slot::Over,
                Some((at, count)) if at == start => Slot::Now(count),
                Some((at, count)) => Slot::At(at.saturating_sub(start), count),
            };
        }
        let last = Some(usage.last_assigned_ms).filter(|last| *last != 0);
        let month_is_over =
            used.get(Period::Month as usize).is_none_or(|slot| matches!(slot, Slot::Never | Slot::Over));
        let this_week = week_of(now);
        // Older ones count in no ranking, however far it looks back.
        let first = this_week.saturating_sub(RESULT_WEEKS);
        Self {
            used,
            pass: usage.pass,
            last_ms_ago: last.map(|last| now.as_millisecond().saturating_sub(last)),
            spent_month: if month_is_over { 0 } else { usage.spent_month },
            balance: usage.balance,
            results: usage
                .results
                .iter()
                .filter(|of| with_results && of.week > first && (of.delivered, of.won) != (0, 0))
                .map(|of| (this_week.saturating_sub(of.week), of.delivered, of.won))
                .collect(),
        }
    }

    fn usage(&self, starts: &Reservation, over: &Reservation, now: Timestamp) -> Usage {
        let mut used = [None; 5];
        for (at, (counted, slot)) in used.iter_mut().zip(self.used).enumerate() {
            let of = |starts: &Reservation| starts.starts.get(at).copied().unwrap_or(0);
            *counted = match slot {
                Slot::Never => None,
                Slot::Over => Some((of(over), 0)),
                Slot::Now(count) => Some((of(starts), count)),
                Slot::At(distance, count) => Some((distance.saturating_add(of(starts)), count)),
            };
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

#[cfg(test)]
mod tests;
