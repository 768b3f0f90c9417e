//! The decision is what the oracle says: who gets which seat, why nobody, and what each contract failed.

use std::cmp::Reverse;

use jiff::Timestamp;
use leadyard_domain::contract::Contract;
use leadyard_domain::distribution::{
    Conclusion, Counters, Decision, Judged, OpenSeats, Pass, Rule, Seat, Waiting,
};
use leadyard_domain::ids::ContractId;
use leadyard_domain::limits::NEAR_MISSES;
use leadyard_domain::rulebook::Rulebook;
use proptest::prelude::*;

use crate::oracle::{Next, Oracle};
use crate::world::{World, cases, compiled, dealer_id, decide_on};
use crate::worlds::worlds;

/// Compares the decision with the oracle's.
pub(crate) fn agree(
    world: &World,
    book: &Rulebook,
    counters: &Counters,
    decision: &Decision,
    judged: &[Judged],
) -> Result<(), TestCaseError> {
    agrees(&Oracle::of(world, book, counters), decision, judged)
}

/// Seat by seat, since a tie that the hash breaks decides who is left for the next.
pub(crate) fn agrees(
    oracle: &Oracle<'_>,
    decision: &Decision,
    judged: &[Judged],
) -> Result<(), TestCaseError> {
    let (seats, wait) = match &decision.conclusion {
        Conclusion::Assign(seats) => (seats, None),
        Conclusion::Wait { reason, recommended, .. } => (recommended, Some(*reason)),
    };
    if let Some(reason) = oracle.waits_anyway() {
        prop_assert_eq!(wait, Some(reason));
        let given_later = reason == Waiting::Stopped && !oracle.facts.holders.is_empty();
        prop_assert_eq!(decision.kept.is_some(), given_later);
        prop_assert!(seats.is_empty());
        return Ok(());
    }
    let mut chosen: Vec<&Contract> = Vec::new();
    let mut last = oracle.ask(&chosen);
    for seat in seats {
        let Next::OneOf(candidates) = &last.next else {
            return Err(TestCaseError::fail(format!("{seat:?}: {:?}", last.next)));
        };
        prop_assert!(candidates.contains(&seat.contract), "{} is not among {candidates:?}", seat.contract);
        let contract = oracle.contract(&seat.contract);
        chosen.push(contract);
        carries(oracle, seat, contract, chosen[0], last.latest_start)?;
        if chosen.len() < oracle.seats(chosen[0]) {
            last = oracle.ask(&chosen);
        } else if chosen.len() < seats.len() {
            return Err(TestCaseError::fail("more seats than there are"));
        }
    }
    match (chosen.first(), &last.next) {
        (None, Next::Nobody(rule) | Next::WaitsFor(rule)) => {
            prop_assert_eq!(wait, Some(Waiting::For(*rule)));
        }
        (None, Next::OneOf(candidates)) => {
            return Err(TestCaseError::fail(format!("nobody, but {candidates:?}")));
        }
        (Some(first), next) => {
            let full = chosen.len() == oracle.seats(first);
            prop_assert!(full || !matches!(next, Next::OneOf(_)), "a seat was left to {next:?}");
            prop_assert_eq!(wait, oracle.only_recommends());
        }
    }
    let others_hold_it = !oracle.facts.holders.is_empty() || !chosen.is_empty();
    let kept = match last.next {
        Next::WaitsFor(rule) if others_hold_it => Some(Waiting::For(rule)),
        Next::WaitsFor(_) | Next::Nobody(_) | Next::OneOf(_) => None,
    };
    // What others hold has a taker for its seat, who is only recommended: it is kept until it may be given.
    let only_recommends = !oracle.facts.holders.is_empty() && !chosen.is_empty();
    let given_later = oracle.only_recommends().filter(|_| only_recommends);
    prop_assert_eq!(decision.kept.map(|kept| kept.reason), given_later.or(kept));
    let failures = oracle.failures(&chosen, &last);
    for (contract, expected) in &failures {
        match judged.iter().find(|judged| &judged.contract == contract) {
            Some(found) => prop_assert_eq!(found.failed, *expected, "{}", contract),
            // Not a candidate: of another category, or elsewhere.
            None => prop_assert!(
                expected.is_some_and(|rule| rule <= Rule::Area),
                "{contract} is no candidate, but {expected:?}"
            ),
        }
    }
    let ids: Vec<&ContractId> = judged.iter().map(|judged| &judged.contract).collect();
    for (at, id) in ids.iter().enumerate() {
        prop_assert!(!ids[..at].contains(id), "{id} is a candidate twice");
    }
    counted(oracle, decision, judged)
}

/// A seat says what its contract says, and what the first one fixed.
fn carries(
    oracle: &Oracle<'_>,
    seat: &Seat,
    contract: &Contract,
    first: &Contract,
    latest_start: u64,
) -> Result<(), TestCaseError> {
    let dealer = oracle.dealer(contract);
    prop_assert_eq!((&seat.dealer, seat.price), (&dealer.id, oracle.price(contract)));
    prop_assert_eq!((&seat.contract_caps, &seat.dealer_caps), (&contract.caps, &dealer.caps));
    prop_assert_eq!((seat.budget_month, seat.prepaid), (contract.budget_month, dealer.prepaid));
    prop_assert_eq!(seat.accept_by, oracle.accept_by(contract));
    prop_assert_eq!((seat.seats, seat.protected), oracle.terms(first));
    prop_assert_eq!(seat.patient_until, oracle.patience(contract));
    let read = oracle.counters.contracts.get(&contract.id).map_or(0, |usage| usage.pass);
    let step = oracle.step_of(contract);
    let next = read.max(latest_start.saturating_sub(step)).saturating_add(step);
    prop_assert_eq!(seat.pass, Pass { read, next, step, at_most: seat.pass.at_most }, "{}", contract.id);
    Ok(())
}

/// The record says what was judged.
pub(crate) fn counted(
    oracle: &Oracle<'_>,
    decision: &Decision,
    judged: &[Judged],
) -> Result<(), TestCaseError> {
    for (rule, &count) in Rule::ALL.iter().zip(&decision.failed) {
        let expected = judged.iter().filter(|judged| judged.failed == Some(*rule)).count();
        prop_assert_eq!(count as usize, expected, "{}", rule);
    }
    for miss in &decision.near_misses {
        let judged = judged.iter().find(|judged| judged.contract == miss.contract).unwrap();
        prop_assert_eq!(judged.failed, Some(miss.rule));
    }
    // As many as are kept, the nearest first: none that is left out failed later, or covers more specifically.
    let near = |contract: &ContractId, rule: Rule| (Reverse(rule), oracle.covers(oracle.contract(contract)));
    let mut all: Vec<_> =
        judged.iter().filter_map(|judged| Some(near(&judged.contract, judged.failed?))).collect();
    all.sort_unstable();
    all.truncate(NEAR_MISSES);
    let kept: Vec<_> = decision.near_misses.iter().map(|miss| near(&miss.contract, miss.rule)).collect();
    prop_assert_eq!(kept, all);
    Ok(())
}

fn later(now: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_millisecond(now.as_millisecond() + ms).unwrap()
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn the_decision_is_what_the_rules_say(world in worlds()) {
        let book = world.book();
        let counters = world.counters(&book);
        let (decision, judged) = decide_on(&compiled(&book), &world, &counters);
        agree(&world, &book, &counters, &decision, &judged)?;
    }

    #[test]
    fn so_it_is_of_a_seat_that_came_back_while_whoever_would_have_it_is_only_recommended(
        mut world in worlds(),
        of in 2..=3_u8,
        protected in any::<bool>(),
        manual in any::<bool>(),
    ) {
        world.facts.holders = vec![dealer_id(0)];
        world.facts.open_seats = Some(OpenSeats { of, free: of - 1, protected });
        (world.mode, world.switches.shadow) = if manual { ("manual", false) } else { ("automatic", true) };
        let book = world.book();
        let counters = world.counters(&book);
        let (decision, judged) = decide_on(&compiled(&book), &world, &counters);
        agree(&world, &book, &counters, &decision, &judged)?;
    }

    #[test]
    fn the_order_of_a_rulebooks_rows_changes_nothing(world in worlds(), seed in any::<u64>()) {
        let book = world.book();
        let counters = world.counters(&book);
        let expected = decide_on(&compiled(&book), &world, &counters).0;
        let mut shuffled = book.clone();
        let mut random = fastrand::Rng::with_seed(seed);
        random.shuffle(&mut shuffled.contracts);
        random.shuffle(&mut shuffled.dealers);
        random.shuffle(&mut shuffled.offers);
        for parts in shuffled.areas.values_mut() {
            random.shuffle(parts);
        }
        let (compiled, shuffled) = (compiled(&book), compiled(&shuffled));
        prop_assert_eq!(decide_on(&shuffled, &world, &counters).0, expected);
        for (key, chunk) in &compiled.chunks {
            prop_assert_eq!(chunk.encode().unwrap(), shuffled.chunks[key].encode().unwrap());
        }
    }
}

/// Nobody may have a waiting lead before `until`, and at `until` some contract's own state changes.
fn nothing_changes_before_until(world: &World) -> Result<(), TestCaseError> {
    let book = world.book();
    let counters = world.counters(&book);
    let (decision, _) = decide_on(&compiled(&book), world, &counters);
    let oracle = Oracle::of(world, &book, &counters);
    let (chosen, until): (Vec<&Contract>, _) = match (&decision.conclusion, decision.kept) {
        (Conclusion::Wait { reason: Waiting::For(_), until, .. }, _) => (Vec::new(), *until),
        (Conclusion::Assign(seats), Some(kept)) => {
            (seats.iter().map(|seat| oracle.contract(&seat.contract)).collect(), kept.until)
        }
        (Conclusion::Wait { .. } | Conclusion::Assign(_), _) => return Ok(()),
    };
    if let Some(until) = until {
        prop_assert!(until > world.now);
        let own = |at: Timestamp| {
            let oracle = oracle.at(at);
            book.contracts.iter().map(|contract| oracle.own(contract)).collect::<Vec<_>>()
        };
        prop_assert_ne!(own(later(until, -1)), own(until), "nothing changes at {}", until);
    }
    // On the hour and half a second after, for nine days.
    let hour = world.now.as_second() / 3_600 * 3_600;
    for hours in 1..9 * 24 {
        for ms in [0, 500] {
            let at = later(Timestamp::from_second(hour + hours * 3_600).unwrap(), ms);
            if until.is_some_and(|until| at >= until) {
                return Ok(());
            }
            let next = oracle.at(at).ask(&chosen).next;
            prop_assert!(!matches!(next, Next::OneOf(_)), "free at {at}, but until is {until:?}: {next:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn until_is_the_first_instant_that_time_alone_changes(mut world in worlds()) {
        world.facts.open_seats = None;
        nothing_changes_before_until(&world)?;
    }

    #[test]
    fn so_it_is_for_the_seats_that_are_left_of_a_held_lead(
        mut world in worlds(),
        of in 2..=3_u8,
        protected in any::<bool>(),
    ) {
        world.facts.open_seats = Some(OpenSeats { of, free: of - 1, protected });
        nothing_changes_before_until(&world)?;
    }
}
