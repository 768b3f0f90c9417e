//! The model is checked: every state of every world keeps the promises and comes to rest; nothing that
//! should be seen is missing; and every deliberate fault is caught, by the promise it breaks.
//!
//! `cargo test -p leadyard-model --test model -- --nocapture` prints how many states there were, and how
//! each fault was caught.

use std::collections::BTreeSet;

use leadyard_model::Protocol;
use leadyard_model::rest::comes_to_rest;
use leadyard_model::state::Faults;
use leadyard_model::world::{Broken, World};
use leadyard_model::worlds::{
    ALL, ATTEMPTS, BALANCE, CYCLES, DEADLINE, DESK, IN_LINE, LOST_WAKE, MIDNIGHT, ONE_SLOT, SHARED,
    TERRITORY, TWO_CONTRACTS, TWO_DEALERS, TWO_SEATS, TWO_SLOTS,
};
use stateright::{Checker, Expectation, HasDiscoveries, Model};

#[test]
fn every_state_of_every_world_keeps_the_promises() {
    let mut seen = BTreeSet::new();
    let mut states = 0;
    for world in ALL {
        let checker = Protocol { world: *world, broken: Broken::Nothing }.checker().spawn_bfs().join();
        println!(
            "{}: {} states, {} transitions, at most {} deep",
            world.name,
            checker.unique_state_count(),
            checker.state_count(),
            checker.max_depth()
        );
        states += checker.unique_state_count();
        let found = checker.discoveries();
        for property in checker.model().properties() {
            let Some(path) = found.get(property.name) else { continue };
            match property.expectation {
                Expectation::Sometimes => seen.insert(property.name),
                Expectation::Always | Expectation::Eventually => panic!(
                    "in '{}', '{}' does not hold:\n{}\n{:#?}",
                    world.name,
                    property.name,
                    told(&path.clone().into_actions()),
                    path.last_state()
                ),
            };
        }
    }
    println!("{} worlds, {states} states", ALL.len());
    let all = Protocol { world: ONE_SLOT, broken: Broken::Nothing }.properties();
    for property in all.iter().filter(|property| property.expectation == Expectation::Sometimes) {
        assert!(seen.contains(property.name), "in no world is it seen that {}", property.name);
    }
}

fn told(actions: &[impl std::fmt::Debug]) -> String {
    actions.iter().map(|action| format!("    {action:?}")).collect::<Vec<_>>().join("\n")
}

const SEATS: &str = "never more holders than seats";
const CAP: &str = "never over a cap";
const BUDGET: &str = "never over a budget";
const PROTECTED: &str = "never around a protected territory";
const ONCE: &str = "no slot is given back twice";
const SLOTS: &str = "slots are conserved";
const MONEY: &str = "money is conserved";
const TURNED: &str = "a period is not turned back";
const OWED: &str = "charges less credits are what is owed";
const TWICE: &str = "nobody has a lead twice in a cycle";
const TOLD: &str = "who was told of a withdrawal does not go on holding";
const STAYS: &str = "what was accepted does not lapse";
const NOBODYS: &str = "a cycle expires in nobody's hands";
const IN_ORDER: &str = "who waits behind twice the slots of a period does not come first";
const RESTS: &str = "at rest every cycle is held, waits with a true reason, or is closed";

/// A world with less going wrong: a fault is found the sooner.
const fn with(world: World, faults: Faults) -> World {
    World { faults, ..world }
}

const NONE: Faults =
    Faults { duplicates: 0, losses: 0, crashes: 0, turns: 0, windows: 0, repeats: 0, take_backs: 0 };

/// Every fault, the world that shows it, and the promise it breaks.
const CAUGHT: &[(Broken, World, &str)] = &[
    (Broken::AssignsWithoutVersion, ATTEMPTS, SEATS),
    (Broken::CapIsNoCondition, ONE_SLOT, CAP),
    (Broken::BudgetIsNoCondition, BALANCE, BUDGET),
    (Broken::TurnsPeriodBack, MIDNIGHT, TURNED),
    (Broken::GivesBackWithoutState, ATTEMPTS, ONCE),
    (Broken::GivesBackToAnyPeriod, MIDNIGHT, SLOTS),
    (Broken::LapseKeepsTheSlot, DEADLINE, SLOTS),
    (Broken::LapseKeepsTheSlot, BALANCE, MONEY),
    (Broken::MovesWithoutWithdrawal, TWO_DEALERS, SEATS),
    (Broken::UnknownIsNotReceived, TWO_DEALERS, SEATS),
    (Broken::AttemptsWithoutClaim, ATTEMPTS, SEATS),
    (Broken::OutlivesItsClaim, ATTEMPTS, SEATS),
    (Broken::AnswersAfterTheEnd, ATTEMPTS, TOLD),
    (Broken::SettlesTwice, DESK, OWED),
    (Broken::CreditsTwice, DESK, OWED),
    (Broken::LapsesAfterAccept, DEADLINE, STAYS),
    (Broken::ChargesBeforeAcceptance, DEADLINE, OWED),
    (Broken::DeclineWithoutCredit, ATTEMPTS, OWED),
    (Broken::NothingIsDue, ATTEMPTS, RESTS),
    (Broken::ForgetsWhoHadIt, ONE_SLOT, TWICE),
    (Broken::ReroutesAroundTerritory, TERRITORY, PROTECTED),
    (Broken::ForgetsToWake, ONE_SLOT, RESTS),
    (Broken::WakeIsDoneForGood, TWO_SLOTS, RESTS),
    (Broken::TakesBackUnderWay, DESK, SEATS),
    (Broken::WakesByMessageAlone, LOST_WAKE, RESTS),
    (Broken::OldCycleWakesNobody, CYCLES, RESTS),
    (Broken::ExpiresWhileHeld, SHARED, NOBODYS),
    (Broken::DealerCapIsNoCondition, TWO_CONTRACTS, CAP),
    (Broken::KeepsTheDealersSlot, TWO_CONTRACTS, SLOTS),
    (Broken::SeatsEveryContract, TWO_SEATS, TWICE),
    (Broken::ExcludesTheContractAlone, TWO_SEATS, TWICE),
    (Broken::ForgetsTheReset, MIDNIGHT, RESTS),
    (Broken::ForgetsTheTimedWake, IN_LINE, IN_ORDER),
    (Broken::RestsOnTheTimedWake, MIDNIGHT, RESTS),
    (Broken::WakesThreeForASlot, IN_LINE, IN_ORDER),
    (Broken::WakesTheLastFirst, IN_LINE, IN_ORDER),
    (Broken::DecidesSlowly, ONE_SLOT, RESTS),
];

#[test]
fn every_deliberate_fault_is_caught_by_the_promise_it_breaks() {
    let mut wrong = Vec::new();
    for (broken, world, promise) in CAUGHT {
        let checker = Protocol { world: *world, broken: *broken }
            .checker()
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_bfs()
            .join();
        let mut found = checker.discoveries();
        match found.remove(*promise) {
            Some(path) => println!(
                "{broken:?}: '{promise}' after {} steps, {} states, in '{}'",
                path.into_actions().len(),
                checker.unique_state_count(),
                world.name
            ),
            None => wrong.push(format!("{broken:?} in '{}' breaks {:?}", world.name, found.keys())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_fault_and_no_promise_is_left_out() {
    let tried = |broken: &Broken| CAUGHT.iter().any(|(one, _, _)| one == broken);
    for broken in Broken::ALL {
        // What never comes to rest is looked for elsewhere.
        assert!(tried(broken) || *broken == Broken::SweepDoesNotRequeue, "{broken:?} is not tried");
    }
    let all = Protocol { world: ONE_SLOT, broken: Broken::Nothing }.properties();
    for promise in all.iter().filter(|property| property.expectation == Expectation::Always) {
        let broken = CAUGHT.iter().any(|(_, _, name)| *name == promise.name);
        assert!(broken, "nothing shows that '{}' can be broken", promise.name);
    }
}

#[test]
fn every_world_comes_to_rest_from_every_state() {
    for world in [
        with(ATTEMPTS, Faults { losses: 1, crashes: 1, ..NONE }),
        with(DEADLINE, Faults { losses: 1, crashes: 1, ..NONE }),
        LOST_WAKE,
        MIDNIGHT,
        TWO_CONTRACTS,
        IN_LINE,
    ] {
        let rested = comes_to_rest(&Protocol { world, broken: Broken::Nothing });
        println!("{}: {} states, {} at rest", world.name, rested.states, rested.at_rest);
        assert!(rested.at_rest > 0, "'{}' is never at rest", world.name);
        assert!(rested.stuck.is_none(), "'{}' does not come to rest from {:#?}", world.name, rested.stuck);
    }
}

#[test]
fn a_sweep_that_queues_nothing_leaves_the_world_waiting() {
    let world = with(ATTEMPTS, Faults { losses: 1, ..NONE });
    let rested = comes_to_rest(&Protocol { world, broken: Broken::SweepDoesNotRequeue });
    assert!(rested.stuck.is_some(), "{rested:?}");
}
