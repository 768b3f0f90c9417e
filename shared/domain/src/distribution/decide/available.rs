//! Rules 6 and 7: who is open, and what is used up of caps, budget and balance.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::{Local, Opening, Row};
use crate::contract::Caps;
use crate::dealer::AfterHours;
use crate::distribution::counters::{Counters, Usage};
use crate::distribution::reason::Rule;
use crate::distribution::screen::Candidate;
use crate::money::Money;
use crate::time::Period;

/// Rules 6 and 7.
pub(super) fn unavailable<'a>(
    row: &Row<'a>,
    opening: Option<&Opening<'_>>,
    local: Option<&Local<'_>>,
    counters: &'a Counters,
    now: Timestamp,
) -> Option<Rule> {
    // A chunk knows the zone and hours of all its dealers; were one missing, it is shut.
    let Some((local, opening)) = local.zip(opening) else { return Some(Rule::Hours) };
    if is_shut(row, opening) {
        return Some(Rule::Hours);
    }
    is_exhausted(row, local, counters, now).then_some(Rule::Cap)
}

/// Each of rules 6 and 7 that a row fails, looked at by itself, whatever else it fails.
pub(super) fn all_unavailable<'a>(
    row: &Row<'a>,
    local: &Local<'_>,
    counters: &'a Counters,
    now: Timestamp,
) -> Vec<Rule> {
    let opening = Opening::of(row.candidate, Some(local), now);
    let shut = opening.is_none_or(|opening| is_shut(row, &opening));
    let full = exhausted(row, local, counters, now).is_some();
    shut.then_some(Rule::Hours).into_iter().chain(full.then_some(Rule::Cap)).collect()
}

/// Whether it takes no lead now, since it is shut.
fn is_shut(row: &Row<'_>, opening: &Opening<'_>) -> bool {
    row.candidate.contract.after_hours == AfterHours::Hold && !opening.is_open
}

/// Whether anything is used up: what is asked of everybody. What exactly, [`each_exhausted`] says.
fn is_exhausted<'a>(row: &Row<'a>, local: &Local<'_>, counters: &'a Counters, now: Timestamp) -> bool {
    let Candidate { contract, dealer, chunk, .. } = *row.candidate;
    let full = |caps: &Caps, usage: &Usage| {
        caps.0.iter().any(|cap| usage.counted(cap.period, local.start(cap.period, now)) >= cap.most)
    };
    let (of_contract, of_dealer) = (chunk.caps_of(contract), chunk.caps_of_dealer(contract));
    let has_money = contract.budget_month.is_some() || contract.prepaid();
    row.usage(counters).is_some_and(|usage| full(of_contract, usage))
        || !of_dealer.0.is_empty()
            && counters.dealers.get(&dealer.id).is_some_and(|usage| full(of_dealer, usage))
        || has_money && exhausted(row, local, counters, now).is_some()
}

/// What is used up: rule 7.
pub(super) enum Exhausted {
    /// A cap of the contract, or of its dealer: the period, the cap, and how many were used.
    Cap { of_dealer: bool, period: Period, most: u32, used: u32 },
    /// The contract's budget has less left than the price.
    Budget { most: Money, spent: Money },
    /// What the dealer paid in advance is less than the price.
    Balance { left: Money },
}

/// The first limit that is used up.
pub(super) fn exhausted<'a>(
    row: &Row<'a>,
    local: &Local<'_>,
    counters: &'a Counters,
    now: Timestamp,
) -> Option<Exhausted> {
    if row.candidate.contract.has_no_limit(row.candidate.chunk) {
        return None;
    }
    each_exhausted(row, local, counters, now, ControlFlow::Break).break_value()
}

/// Tells of every limit that is used up, until told to stop: the contract's caps, the dealer's, the budget,
/// the balance.
pub(super) fn each_exhausted<'a, Stop>(
    row: &Row<'a>,
    local: &Local<'_>,
    counters: &'a Counters,
    now: Timestamp,
    mut tell: impl FnMut(Exhausted) -> ControlFlow<Stop>,
) -> ControlFlow<Stop> {
    let Candidate { contract, dealer, .. } = *row.candidate;
    let price = contract.price.minor();
    for ((caps, usage), of_dealer) in caps(row, counters).into_iter().zip([false, true]) {
        // What was never used is not full: the zone's periods are not asked for.
        let Some(usage) = usage else { continue };
        for (period, most, used) in usage.all_full(caps, |period| local.start(period, now)) {
            tell(Exhausted::Cap { of_dealer, period, most, used })?;
        }
    }
    if let Some(most) = contract.budget_month {
        let spent = row.usage(counters).map_or(0, |usage| usage.spent(local.start(Period::Month, now)));
        if spent.saturating_add(price) > most.minor() {
            tell(Exhausted::Budget { most, spent: Money::from_minor(spent) })?;
        }
    }
    if contract.prepaid() {
        let left = counters.dealers.get(&dealer.id).map_or(0, |usage| usage.balance);
        if left < price {
            tell(Exhausted::Balance { left: Money::from_minor(left) })?;
        }
    }
    ControlFlow::Continue(())
}

/// The contract's caps and counters, and the dealer's; counters are looked for where there is a cap.
pub(super) fn caps<'a>(row: &Row<'a>, counters: &'a Counters) -> [(&'a Caps, Option<&'a Usage>); 2] {
    let Candidate { contract, dealer, chunk, .. } = *row.candidate;
    let (of_contract, of_dealer) = (chunk.caps_of(contract), chunk.caps_of_dealer(contract));
    let usage = if of_contract.0.is_empty() { None } else { row.usage(counters) };
    let dealer = if of_dealer.0.is_empty() { None } else { counters.dealers.get(&dealer.id) };
    [(of_contract, usage), (of_dealer, dealer)]
}
