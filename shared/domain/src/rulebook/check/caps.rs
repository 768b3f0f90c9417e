//! Caps and budgets that contradict each other, and terms that change nothing.
//!
//! A budget below the price is worse than that: see [`dead`](super::dead).

use super::survey::{Standing, Survey};
use super::warnings::Warnings;
use crate::contract::{Cap, Caps, Territory, WhenUnavailable};
use crate::rulebook::problem::ProblemCode;
use crate::time::Period;

impl Survey<'_> {
    /// Notes caps of a contract or dealer that another makes idle, and terms without effect.
    pub(super) fn find_odd_caps(&self, warnings: &mut Warnings) {
        for (dealer, &at) in self.book.dealers.iter().zip(&self.book.positions.dealers) {
            for odd in odd_caps(&dealer.caps) {
                let message = format!("dealer \"{}\": {odd}", dealer.id);
                warnings.note("dealers.csv", at, ProblemCode::Contradiction, message);
            }
        }
        for standing in &self.standings {
            let id = &standing.contract.id;
            let own = odd_caps(&standing.contract.caps);
            for odd in own.into_iter().chain(below_dealers(standing)).chain(odd_budget(standing)) {
                let message = format!("contract \"{id}\": {odd}");
                warnings.note("contracts.csv", standing.at, ProblemCode::Contradiction, message);
            }
            for idle in idle_terms(standing) {
                let message = format!("contract \"{id}\": {idle}");
                warnings.note("contracts.csv", standing.at, ProblemCode::NoEffect, message);
            }
        }
    }
}

/// What is wrong among the caps of one contract or dealer.
fn odd_caps(caps: &Caps) -> Vec<String> {
    let mut odd = Vec::new();
    for (at, shorter) in caps.0.iter().enumerate() {
        let longer = caps.0.get(at + 1..).unwrap_or_default();
        if let Some(longer) = longer.iter().find(|longer| longer.most < shorter.most) {
            odd.push(format!(
                "{} is above {}, so it never holds anything back",
                said(*shorter),
                said(*longer)
            ));
        }
        let reached = |longer: &&Cap| {
            fits(shorter.period, longer.period)
                .is_some_and(|times| u64::from(shorter.most) * times < u64::from(longer.most))
        };
        if let Some(longer) = longer.iter().find(reached) {
            odd.push(format!("{} can never be reached with {}", said(*longer), said(*shorter)));
        }
    }
    odd
}

/// A contract's caps above its dealer's for the same or a longer period.
fn below_dealers(standing: &Standing<'_>) -> Option<String> {
    let caps = &standing.contract.caps.0;
    caps.iter().find_map(|cap| {
        let of_dealer = standing.dealer.caps.0.iter();
        let lower =
            of_dealer.filter(|other| other.period >= cap.period).find(|other| other.most < cap.most)?;
        Some(format!(
            "{} is above {} of its dealer \"{}\", so it never holds anything back",
            said(*cap),
            said(*lower),
            standing.dealer.id
        ))
    })
}

/// A budget that pays for fewer leads than a cap allows, or for more than all caps do.
fn odd_budget(standing: &Standing<'_>) -> Option<String> {
    let contract = standing.contract;
    let budget = contract.budget_month?;
    let price = contract.price.minor();
    let pays_for = u64::try_from(budget.minor().checked_div(price)?).ok()?;
    let caps = contract.caps.0.iter();
    let of_month = caps.clone().find(|cap| cap.period == Period::Month);
    if let Some(cap) = of_month.filter(|cap| pays_for > 0 && pays_for < u64::from(cap.most)) {
        return Some(format!(
            "{} can never be reached: budget_month {budget} pays for {pays_for} leads at {}",
            said(*cap),
            contract.price
        ));
    }
    let a_month = |cap: &Cap| {
        let times = if cap.period == Period::Month { Some(1) } else { fits(cap.period, Period::Month) };
        times.map(|times| u64::from(cap.most) * times)
    };
    let (most, cap) = caps.filter_map(|cap| Some((a_month(cap)?, cap))).min_by_key(|most| most.0)?;
    (most < pays_for).then(|| {
        format!(
            "budget_month {budget} can never be spent: {} allows at most {most} leads a month at {}",
            said(*cap),
            contract.price
        )
    })
}

/// Terms that are written and change nothing.
fn idle_terms(standing: &Standing<'_>) -> Vec<String> {
    let contract = standing.contract;
    let mut idle = Vec::new();
    if contract.when_unavailable == WhenUnavailable::Wait && !contract.territory.compels() {
        idle.push(
            "when_unavailable wait changes nothing: nobody waits for a contract whose territory is open"
                .to_owned(),
        );
    }
    if contract.territory == Territory::Closed && contract.sale.seats() > 1 {
        idle.push(format!("sale {} changes nothing: a closed territory is one seat", contract.sale));
    }
    idle
}

/// How many of a shorter period touch a longer one at most: a day has up to 25 hours, and clock hours that
/// the end of daylight saving doubles; a month touches six weeks.
const fn fits(shorter: Period, longer: Period) -> Option<u64> {
    match (shorter, longer) {
        (Period::Hour, Period::Day) => Some(25),
        (Period::Hour, Period::Week) => Some(7 * 24 + 1),
        (Period::Hour, Period::Month) => Some(31 * 24 + 1),
        (Period::Day, Period::Week) => Some(7),
        (Period::Day, Period::Month) => Some(31),
        (Period::Week, Period::Month) => Some(6),
        (
            Period::Hour | Period::Day | Period::Week | Period::Month | Period::Total,
            Period::Hour | Period::Day | Period::Week | Period::Month | Period::Total,
        ) => None,
    }
}

/// `cap_day 5`
fn said(cap: Cap) -> String {
    format!("cap_{} {}", cap.period, cap.most)
}
