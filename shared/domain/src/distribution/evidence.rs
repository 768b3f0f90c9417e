//! What a decision read besides the lead's facts and the rulebook: switches and counters, small enough
//! to be kept with it. With them it can be made again, bit for bit.
//!
//! Counters stand in the order of the candidates, which facts and rulebook fix; so no id is repeated.
//! Times are kept as distances from the decision's own, which are short numbers. Of a period that is over it is kept
//! that there was one; what was counted in it counts for nothing any more. What came of a contract's leads is kept
//! where the offer's ranking asks for it. How it is written is in `packed`; the shape before is read still.
//!
//! How large it is: a few bytes of each counter that was read. A record is to have two kilobytes, and with them room for
//! [`limits::EVIDENCE_WHOLE_BYTES`] of evidence; in a large city hundreds of contracts cover a lead. Of a decision that
//! read more than that holds, it is kept what the decision asked of its counters ([`Evidence::of_decision`]): counts of
//! periods that are capped, to the last number, money where there is a budget or a balance, and passes and times of
//! those whom the rankings asked; who lost by a time is kept as one that loses. That makes the same decision, with every
//! candidate's part in it, and before it is kept it has made it. It is less than half, and of thousands of candidates
//! still more than two kilobytes: `cargo bench --bench decision` prints how large evidence and records are.
//!
//! Determination: *periods without a cap are kept too* where there is room, though this decision did not read them. A
//! backtest starts from what was read, under a rulebook that may cap what was not capped; and a record is proof of what
//! stood then, not only of what mattered. Where there is no room, a backtest counts such a period from history's
//! beginning, as it counts what nobody read.
//!
//! Determination: *what would have been without a rule* is asked of nearest misses alone, whose passes and times are
//! kept. Somebody whom such a look asks for a further seat, and whom the decision never asked, counts as new.

mod packed;
mod distinct;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::counters::{Counters, RESULT_WEEKS, Reservation, Usage, WeekResults, week_of};
use super::decide::{Asked, Conclusion, Decision, Said, asked, decide};
use super::facts::Switches;
use super::pauses::{Pause, Pauses};
use super::ranking::Step;
use super::screen::{Candidate, Screened};
use crate::contract::Caps;
use crate::ids::{ContractId, DealerId};
use crate::limits;
use crate::time::Period;
use distinct::Distinct;
use packed::Packed;

/// The switches and counters that one decision read.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    stop: bool,
    shadow: bool,
    has_results: bool,
    /// Of the counters there is only what the decision asked.
    as_asked: bool,
    contracts: Vec<(ContractId, Option<Timestamp>)>,
    dealers: Vec<(DealerId, Option<Timestamp>)>,
    /// Of the contract, then (where it is met for the first time) of its dealer, candidate by candidate; as asked, those
    /// of contracts before those of dealers.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
            .map(|(whose, candidate)| {
                let usage = match whose {
                    Whose::Contract(id) => counters.contracts.get(id),
                    Whose::Dealer(id) => counters.dealers.get(id),
                };
                // A zone that is missing gives distances from the epoch: longer, and as true.
                let starts = starts.get(candidate.zone).copied().unwrap_or_default();
                usage.map(|usage| Seen::of(usage, &starts, now, has_results))
            })
            .collect();
        let switches = screened.switches;
        let candidates = || screened.candidates.iter();
        Self {
            stop: switches.stop,
            shadow: switches.shadow,
            has_results,
            as_asked: false,
            contracts: touching(&switches.contracts, candidates().map(|one| &one.contract.id)),
            dealers: touching(&switches.dealers, candidates().map(|one| &one.dealer.id)),
            usages,
        }
    }

    /// What a decision on these, at this time and by this seed, is made again from: everything it read where that fits
    /// into so many bytes, as [`limits::EVIDENCE_WHOLE_BYTES`], else what it asked.
    pub fn of_decision(
        screened: &Screened<'_>,
        counters: &Counters,
        (now, seed): (Timestamp, u64),
        whole_bytes: usize,
    ) -> Self {
        let whole = Self::of(screened, counters, now);
        let fits = whole.encode().is_ok_and(|bytes| bytes.len() <= whole_bytes);
        if fits || whole.usages.len() > limits::EVIDENCE_ASKED {
            return whole;
        }
        let (decision, asked) = asked(screened, counters, now, seed);
        let less = whole.as_asked(screened, &decision, &asked);
        // Seats that are given after one another may ask for more than that.
        let again = decide(screened, &less.counters(screened, now), now, seed);
        if again == decision { less } else { whole }
    }

    fn as_asked(&self, screened: &Screened<'_>, decision: &Decision, asked: &[Asked]) -> Self {
        let (Conclusion::Assign(seats) | Conclusion::Wait { recommended: seats, .. }) = &decision.conclusion;
        let has_seat = |id: &ContractId| seats.iter().any(|seat| &seat.contract == id);
        let missed = |id: &ContractId| decision.near_misses.iter().any(|miss| &miss.contract == id);
        let of: HashMap<&ContractId, Asked> =
            screened.candidates.iter().map(|one| &one.contract.id).zip(asked.iter().copied()).collect();
        let met = |candidate: &&Candidate<'_>| candidate.failed.is_none();
        let in_order = || read_in_order(screened.candidates.iter().filter(met)).zip(&self.usages);
        let contracts = || {
            in_order().filter_map(|((whose, _), seen)| match whose {
                Whose::Contract(id) => Some((of.get(id).copied().unwrap_or_default(), seen.as_ref()?)),
                Whose::Dealer(_) => None,
            })
        };
        let loses = Loses {
            last_ms_ago: contracts()
                .filter(|(asked, _)| asked.last == Said::Loses)
                .filter_map(|(_, seen)| seen.last_ms_ago)
                .min(),
        };
        let usages = in_order().map(|((whose, candidate), seen)| {
            let Candidate { contract, dealer, chunk, .. } = *candidate;
            let seen = seen.clone()?;
            Some(match whose {
                // A person reads them on the record.
                Whose::Contract(id) if has_seat(id) => seen,
                Whose::Contract(id) => {
                    let asked = if missed(id) { Asked::ALL } else { of.get(id).copied().unwrap_or_default() };
                    let seen = seen.capped(chunk.caps_of(contract), contract.budget_month.is_some());
                    seen.ranked(asked, &loses)
                }
                Whose::Dealer(_) => {
                    let balance = if dealer.prepaid { seen.balance } else { 0 };
                    let seen = seen.capped(chunk.caps_of_dealer(contract), false);
                    Seen { balance, ..seen.ranked(Asked::default(), &loses) }
                }
            })
        });
        // Contracts first: what most dealers lack then ends their columns.
        let of_dealer = in_order().map(|((whose, _), _)| matches!(whose, Whose::Dealer(_)));
        let mut usages: Vec<(bool, Option<Seen>)> = of_dealer.zip(usages).collect();
        usages.sort_by_key(|(of_dealer, _)| *of_dealer);
        let usages = usages.into_iter().map(|(_, seen)| seen).collect();
        Self { as_asked: true, usages, ..self.clone() }
    }

    /// Whether of the counters there is only what the decision asked.
    pub const fn is_as_asked(&self) -> bool {
        self.as_asked
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
        if self.as_asked {
            return Ok(postcard::to_allocvec(&Distinct::of(self))?);
        }
        Ok(postcard::to_allocvec(&Packed::of(self))?)
    }

    /// As it was kept, in this shape or in the one before.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotEvidence> {
        let read = match bytes.first() {
            Some(&packed::FORMAT) => postcard::from_bytes::<Packed>(bytes)?.unpack(),
            Some(&distinct::FORMAT) => postcard::from_bytes::<Distinct>(bytes)?.unpack(),
            Some(_) | None => Some(postcard::from_bytes::<Before>(bytes)?.into()),
        };
        read.ok_or(NotEvidence(postcard::Error::DeserializeUnexpectedEnd))
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
        let mut owners: Vec<_> = read_in_order(screened.candidates.iter().filter(met)).collect();
        if self.as_asked {
            owners.sort_by_key(|(whose, _)| matches!(whose, Whose::Dealer(_)));
        }
        for ((whose, candidate), seen) in owners.into_iter().zip(&self.usages) {
            let of = |starts: &[Reservation]| starts.get(candidate.zone).copied().unwrap_or_default();
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

/// The counters that a decision reads, in an order that the candidates fix, each with a candidate that they are of.
fn read_in_order<'a>(
    candidates: impl Iterator<Item = &'a Candidate<'a>>,
) -> impl Iterator<Item = (Whose<'a>, &'a Candidate<'a>)> {
    let mut met = HashSet::new();
    candidates.flat_map(move |candidate| {
        let dealer =
            met.insert(&candidate.dealer.id).then_some((Whose::Dealer(&candidate.dealer.id), candidate));
        std::iter::once((Whose::Contract(&candidate.contract.id), candidate)).chain(dealer)
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
            as_asked: false,
            contracts: before.contracts,
            dealers: before.dealers,
            usages: before.usages.into_iter().map(|usage| usage.map(seen)).collect(),
        }
    }
}

/// What is kept of times that lose: the latest of those that did.
struct Loses {
    last_ms_ago: Option<i64>,
}

impl Seen {
    /// Without what no cap and no budget counts.
    fn capped(mut self, caps: &Caps, has_budget: bool) -> Self {
        for (slot, period) in self.used.iter_mut().zip(Period::ALL) {
            let counts = caps.0.iter().any(|cap| cap.period == *period);
            let is_spent = has_budget && *period == Period::Month;
            if !counts && !is_spent {
                *slot = Slot::Never;
            }
        }
        Self { spent_month: if has_budget { self.spent_month } else { 0 }, balance: 0, ..self }
    }

    /// Without what no ranking asked.
    fn ranked(self, asked: Asked, loses: &Loses) -> Self {
        Self {
            pass: if asked.pass { self.pass } else { 0 },
            last_ms_ago: match asked.last {
                Said::Nothing => None,
                Said::Loses => loses.last_ms_ago,
                Said::Stays => self.last_ms_ago,
            },
            results: if asked.results { self.results } else { Vec::new() },
            ..self
        }
    }

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
