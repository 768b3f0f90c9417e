//! What the desk may do by hand: pass over a rule and say so, never break a promise to somebody else.

use std::sync::Arc;

use leadyard_domain::distribution::{
    Chunk, Compiled, Counters, Location, OpenSeats, Placing, Rule, place, screen,
};
use leadyard_domain::ids::ContractId;
use proptest::prelude::*;

use crate::oracle::Oracle;
use crate::world::{ContractRow, DealerRow, World, at, cases, compiled, contract, dealer, dealer_id, world};
use crate::worlds::worlds;

/// What the desk is told, wherever the contract is.
fn placed(compiled: &Compiled, world: &World, counters: &Counters, id: &ContractId) -> Option<Placing> {
    let chunks: Vec<Arc<Chunk>> = compiled.chunks_of(&world.facts);
    let mut screened = screen(&world.facts, &compiled.core, &chunks, &world.switches, world.now);
    let all = compiled.chunks.iter().filter(|(key, _)| key.category == world.facts.category);
    for (_, chunk) in all {
        screened.also(chunk, id, world.now);
    }
    place(&screened, counters, world.now, 11, id)
}

/// `free`, `against band cap`, `never territory`, or `unknown` of a contract that is none of its category.
fn placing(world: &World, contract: &str) -> String {
    let book = world.book();
    match placed(&compiled(&book), world, &world.counters(&book), &contract.parse().unwrap()) {
        None => "unknown".to_owned(),
        Some(Placing::Free(_)) => "free".to_owned(),
        Some(Placing::Against(_, misses)) => {
            let rules: Vec<&str> = misses.iter().map(|miss| miss.rule.as_str()).collect();
            format!("against {}", rules.join(" "))
        }
        Some(Placing::Never(miss)) => format!("never {}", miss.rule),
    }
}

fn full() -> crate::world::Count {
    crate::world::Count {
        used: [1; 5],
        stale: false,
        pass: 0,
        last_assigned_ms: 0,
        money: 0,
        results: Vec::new(),
    }
}

#[test]
fn the_desk_is_told_every_rule_it_passes_over() {
    let row = ContractRow { min_band: "A1", cap_day: "1", ..contract("a", 0) };
    let mut world = world(vec![dealer()], vec![row, ContractRow { offers: "pool", ..contract("p", 0) }]);
    assert_eq!(placing(&world, "a"), "free");
    world.facts.band = "B1".parse().unwrap();
    assert_eq!(placing(&world, "a"), "against band");
    world.contract_counts = vec![full()];
    assert_eq!(placing(&world, "a"), "against band cap");
    world.facts.band = "A1".parse().unwrap();
    assert_eq!(placing(&world, "a"), "against cap");
    world.facts.excluded = vec![dealer_id(0)];
    assert_eq!(placing(&world, "a"), "against excluded cap");
    assert_eq!(placing(&world, "p"), "unknown");
}

#[test]
fn no_rule_that_a_contract_fails_hides_behind_another() {
    // The lead is in Miami, of band B1, and brings nothing that a contract may need.
    let of = |row: ContractRow, dealer: DealerRow| {
        let mut world = world(vec![dealer], vec![row]);
        world.facts.band = "B1".parse().unwrap();
        world
    };
    let a = || contract("a", 0);
    let best = || ContractRow { min_band: "A1", ..a() };
    let shut = || DealerRow { hours: "Tu 08:00-09:00", ..dealer() };
    let had = |mut world: World| {
        world.facts.excluded = vec![dealer_id(0)];
        world
    };
    assert_eq!(placing(&of(best(), dealer()), "a"), "against band");
    let agreed = ContractRow { needs: "consent", ..best() };
    assert_eq!(placing(&of(agreed.clone(), dealer()), "a"), "against band needs");
    let afar = ContractRow { area: "georgia", needs: "dnc_clean", ..a() };
    assert_eq!(placing(&of(afar.clone(), dealer()), "a"), "against area needs");
    assert_eq!(placing(&of(best(), shut()), "a"), "against band hours");
    assert_eq!(placing(&had(of(best(), dealer())), "a"), "against band excluded");
    assert_eq!(placing(&had(of(agreed, shut())), "a"), "against band needs excluded hours");
    // Of a lead of nowhere the area is not all.
    let mut nowhere = of(ContractRow { area: "any", ..afar }, dealer());
    nowhere.facts.location = Location::Unplaced;
    assert_eq!(placing(&nowhere, "a"), "against area needs");
    // Who is shut, and takes leads all the same, does not fail for it.
    let delivers = ContractRow { after_hours: "deliver", ..best() };
    assert_eq!(placing(&of(delivers, shut()), "a"), "against band");
    // Everything at once, wherever the contract is.
    for area in ["florida", "georgia"] {
        let row = ContractRow {
            area,
            offers: "gutter",
            sources: "mail",
            needs: "consent",
            max_age_hours: "1",
            cap_day: "1",
            ends: "2026-05-31",
            ..best()
        };
        let mut world = had(of(row, shut()));
        world.facts.opened_at = at("2026-06-01T13:00:00Z");
        world.contract_counts = vec![full()];
        let outside = if area == "georgia" { "area " } else { "" };
        let all = format!("against inactive offer source age {outside}band needs excluded hours cap");
        assert_eq!(placing(&world, "a"), all);
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// In whatever world: what the desk is told of a contract is each rule that it fails, asked by itself, and no other.
    #[test]
    fn the_desk_is_told_what_the_rules_say_one_by_one(world in worlds()) {
        let book = world.book();
        let (compiled, counters) = (compiled(&book), world.counters(&book));
        let oracle = Oracle::of(&world, &book, &counters);
        for contract in book.contracts.iter().filter(|contract| oracle.takes_category(contract)) {
            let told: Vec<Rule> = match placed(&compiled, &world, &counters, &contract.id) {
                Some(Placing::Free(_)) => Vec::new(),
                Some(Placing::Against(_, misses)) => misses.iter().map(|miss| miss.rule).collect(),
                // A promise to somebody else: nothing passes it over.
                Some(Placing::Never(_)) => continue,
                // An area that covers nothing, around a ZIP that has no place, stands in no chunk.
                None => {
                    prop_assert!(oracle.fails(contract).contains(&Rule::Area), "{} is not known", contract.id);
                    continue;
                }
            };
            prop_assert_eq!(told, oracle.fails(contract), "{} in {:?}", contract.id, world);
        }
    }
}

#[test]
fn a_contract_elsewhere_is_placed_over_its_area() {
    let mut world = world(vec![dealer()], vec![ContractRow { area: "georgia", ..contract("a", 0) }]);
    assert_eq!(placing(&world, "a"), "against area");
    world.facts.location = Location::Unplaced;
    assert_eq!(placing(&world, "a"), "against area");
}

#[test]
fn a_territory_binds_the_desk_until_its_dealer_gave_the_lead_up() {
    for territory in ["protected", "closed"] {
        let p = ContractRow { area: "county", territory, when_unavailable: "wait", ..contract("p", 0) };
        let shut = DealerRow { hours: "Tu 08:00-09:00", ..dealer() };
        let mut world = world(vec![shut, dealer()], vec![p, contract("o", 1)]);
        assert_eq!(placing(&world, "o"), "never territory");
        assert_eq!(placing(&world, "p"), "against hours");
        // It declined, let it lapse or returned it: now the desk decides.
        world.facts.excluded = vec![dealer_id(0)];
        assert_eq!(placing(&world, "o"), "free");
    }
}

#[test]
fn a_territory_that_does_not_take_the_lead_is_no_way_around_one_that_does() {
    let county = ContractRow {
        area: "county",
        territory: "protected",
        when_unavailable: "wait",
        cap_day: "1",
        ..contract("county", 0)
    };
    let zip = ContractRow { area: "zip", territory: "first", min_band: "A1", ..contract("zip", 1) };
    let mut world = world(vec![dealer(); 2], vec![county, zip]);
    world.contract_counts = vec![full()];
    world.facts.band = "B1".parse().unwrap();
    assert_eq!(placing(&world, "zip"), "never territory");
    world.facts.band = "A1".parse().unwrap();
    assert_eq!(placing(&world, "zip"), "free");
}

#[test]
fn a_dealer_has_one_seat_and_the_seats_agreed_on_stand_for_the_desk_too() {
    let row = |id, dealer, sale| ContractRow { sale, ..contract(id, dealer) };
    let rows = vec![row("a", 0, "shared:2"), row("a2", 0, "shared:2"), row("b", 1, "shared:2")];
    let mut world = world(vec![dealer(); 3], [rows, vec![row("c", 2, "exclusive")]].concat());
    world.facts.holders = vec![dealer_id(0)];
    world.facts.open_seats = Some(OpenSeats { of: 2, free: 1, protected: false });
    assert_eq!(placing(&world, "a2"), "never excluded");
    assert_eq!(placing(&world, "b"), "free");
    assert_eq!(placing(&world, "c"), "never territory");
    world.facts.open_seats = Some(OpenSeats { of: 2, free: 0, protected: false });
    assert_eq!(placing(&world, "b"), "never territory");
}
