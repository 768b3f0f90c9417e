//! What is kept of a decision that read more than its record has room for makes the same decision, and says the same
//! of every candidate.

use std::collections::BTreeSet;
use std::sync::Arc;

use leadyard_domain::distribution::{
    Chunk, Conclusion, Counters, Decision, Evidence, Judged, explain, screen,
};
use leadyard_domain::limits;

use crate::many::drawn;
use crate::world::{Count, World, compiled, contract, dealer, world};
use crate::worlds::worlds;

struct Kept {
    evidence: Evidence,
    bytes: usize,
    /// How much all that was read takes.
    whole_bytes: usize,
    /// As it was made, and as it is made again from all that was read, and from what is kept.
    made: (Decision, Vec<Judged>),
    from_all: (Decision, Vec<Judged>),
    again: (Decision, Vec<Judged>),
}

fn kept(world: &World, whole_bytes: usize) -> Kept {
    const SEED: u64 = 11;
    let book = world.book();
    let counters = world.counters(&book);
    let compiled = compiled(&book);
    let chunks: Vec<Arc<Chunk>> = compiled.chunks_of(&world.facts);
    let screened = screen(&world.facts, &compiled.core, &chunks, &world.switches, world.now);
    let evidence = Evidence::of_decision(&screened, &counters, (world.now, SEED), whole_bytes);
    let bytes = evidence.encode().unwrap();
    assert_eq!(Evidence::decode(&bytes).unwrap(), evidence);
    let by = |evidence: &Evidence| {
        let switches = evidence.switches();
        let again = screen(&world.facts, &compiled.core, &chunks, &switches, world.now);
        let counters: Counters = evidence.counters(&again, world.now);
        explain(&again, &counters, world.now, SEED)
    };
    Kept {
        made: explain(&screened, &counters, world.now, SEED),
        from_all: by(&Evidence::of(&screened, &counters, world.now)),
        again: by(&evidence),
        bytes: bytes.len(),
        whole_bytes: Evidence::of(&screened, &counters, world.now).encode().unwrap().len(),
        evidence,
    }
}

#[test]
fn what_was_asked_makes_the_same_decision_in_every_world() {
    let worlds = worlds();
    let (mut as_asked, mut seats) = (0, BTreeSet::new());
    for seed in 0..3_000 {
        let world = drawn(&worlds, seed);
        let kept = kept(&world, 0);
        assert_eq!(kept.again.0, kept.made.0, "seed {seed}");
        assert_eq!(kept.again.1, kept.from_all.1, "seed {seed}");
        if kept.evidence.is_as_asked() {
            as_asked += 1;
            if let Conclusion::Assign(given) = &kept.made.0.conclusion {
                seats.insert(given.len());
            }
        }
    }
    // Seldom do seats that are given after one another ask for more.
    assert!(as_asked > 2_900, "{as_asked}");
    assert_eq!(seats.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
}

/// So many contracts that cover a lead, of as many dealers, all in use, each with caps and its own pass.
fn city(contracts: usize) -> World {
    let mut world = world(vec![dealer(); contracts], (0..contracts).map(|at| contract("a", at)).collect());
    for (at, row) in world.contracts.iter_mut().enumerate() {
        row.id = format!("contract-{at}");
        row.cap_day = ["", "4", "20"][at % 3];
        row.cap_month = ["", "200"][at % 2];
    }
    world.contract_counts = (0..contracts as u32)
        .map(|at| Count {
            used: [at % 2, at * 7 % 6, 9 + at % 20, 40 + at % 100, 900 + at],
            stale: false,
            pass: (1_000 << 32) + u64::from(at * 37 % 97) * ((1 << 32) / 3),
            last_assigned_ms: 1_780_000_000_000 + i64::from(at) * 977_123,
            money: 0,
            results: Vec::new(),
        })
        .collect();
    world
}

#[test]
fn of_three_hundred_candidates_less_than_half_is_kept() {
    let kept = kept(&city(300), limits::EVIDENCE_WHOLE_BYTES);
    assert!(kept.evidence.is_as_asked());
    assert_eq!(kept.made.1.len(), 300);
    assert_eq!(kept.again.0, kept.made.0);
    assert_eq!(kept.again.1, kept.made.1);
    assert!(kept.made.0.failed.iter().sum::<u32>() > 0, "some are full");
    println!("{} bytes of {}", kept.bytes, kept.whole_bytes);
    assert!(kept.bytes * 2 < kept.whole_bytes, "{} bytes of {}", kept.bytes, kept.whole_bytes);
}

#[test]
fn what_fits_is_kept_whole() {
    let few = kept(&city(10), limits::EVIDENCE_WHOLE_BYTES);
    assert!(!few.evidence.is_as_asked(), "{} bytes", few.bytes);
    assert_eq!(few.again, few.made);
}
