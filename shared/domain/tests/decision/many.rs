//! As many worlds at random as are asked for, each with its own rulebook and lead: the decision is the oracle's.
//!
//! `ORACLE_WORLDS` (10,000) worlds from `ORACLE_SEED` (0) on. A failure names its seed;
//! `ORACLE_WORLDS=1 ORACLE_SEED=n` draws that world alone.

#![allow(clippy::disallowed_methods, reason = "it reads how much is asked")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use leadyard_domain::distribution::Conclusion;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::agreement::agree;
use crate::world::{World, compiled, decide_on};
use crate::worlds::worlds;

/// Each number of them in its own way; with so many, none may be missing.
const ENOUGH_FOR_ALL: u64 = 10_000;

/// What was concluded, and how often.
type Conclusions = BTreeMap<String, u64>;

fn asked(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// The world of a seed, always the same.
pub(crate) fn drawn(worlds: &impl Strategy<Value = World>, seed: u64) -> World {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    worlds.new_tree(&mut runner).unwrap().current()
}

/// Whether the two agree on a world; what they conclude.
fn concluded(world: &World) -> Result<String, String> {
    let book = world.book();
    let counters = world.counters(&book);
    let (decision, judged) = decide_on(&compiled(&book), world, &counters);
    agree(world, &book, &counters, &decision, &judged).map_err(|differ| differ.to_string())?;
    Ok(match &decision.conclusion {
        Conclusion::Assign(seats) => format!("assigned, seats: {}", seats.len()),
        Conclusion::Wait { reason, .. } => format!("waiting: {reason}"),
    })
}

/// Every conclusion that there is.
const ALL: [&str; 18] = [
    "assigned, seats: 1",
    "assigned, seats: 2",
    "assigned, seats: 3",
    "waiting: unplaced",
    "waiting: manual",
    "waiting: stopped",
    "waiting: shadow",
    "waiting: inactive",
    "waiting: offer",
    "waiting: source",
    "waiting: age",
    "waiting: area",
    "waiting: band",
    "waiting: needs",
    "waiting: excluded",
    "waiting: territory",
    "waiting: hours",
    "waiting: cap",
];

#[test]
fn in_many_worlds_the_decision_is_what_the_rules_say() {
    let (number, first) = (asked("ORACLE_WORLDS", 10_000), asked("ORACLE_SEED", 0));
    let next = AtomicU64::new(first);
    let work = || {
        let worlds = worlds();
        let mut conclusions = Conclusions::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + number {
                return conclusions;
            }
            let world = drawn(&worlds, seed);
            match concluded(&world) {
                Ok(conclusion) => *conclusions.entry(conclusion).or_default() += 1,
                Err(differ) => panic!("ORACLE_WORLDS=1 ORACLE_SEED={seed}: {differ}\n{world:#?}"),
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut conclusions = Conclusions::new();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for done in all {
            for (conclusion, times) in done.join().unwrap() {
                *conclusions.entry(conclusion).or_default() += times;
            }
        }
    });
    let compared: u64 = conclusions.values().sum();
    println!("{compared} worlds from seed {first}: the decision is the oracle's in each");
    for (conclusion, times) in &conclusions {
        println!("{times:>9} {conclusion}");
    }
    assert_eq!(compared, number);
    if number >= ENOUGH_FOR_ALL {
        for conclusion in ALL {
            assert!(
                conclusions.contains_key(conclusion),
                "none of {number} worlds is concluded {conclusion}"
            );
        }
    }
}
