//! What must hold of every decision, and of many decisions one after another.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use leadyard_domain::contract::{Cap, Contract, Territory};
use leadyard_domain::distribution::{
    Compiled, Conclusion, Counters, Location, Pause, Reservation, Rule, Seat, Usage,
};
use leadyard_domain::ids::{ContractId, DealerId, LeadId};
use leadyard_domain::rulebook::Rulebook;
use leadyard_domain::time::{self, Period};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::agreement::counted;
use crate::oracle::Oracle;
use crate::world::{
    ContractRow, Count, World, at, cases, compiled, contract, dealer, dealer_id, decide_on, takers_on, world,
};
use crate::worlds::worlds;

fn seats(conclusion: &Conclusion) -> &[Seat] {
    match conclusion {
        Conclusion::Assign(seats) => seats,
        Conclusion::Wait { recommended, .. } => recommended,
    }
}

/// The world in which a contract does not fail this rule, and all else is as it was; `None` where the rule is
/// lifted only for others as well.
fn lifted(world: &World, contract: &ContractId, rule: Rule) -> Option<World> {
    let mut lifted = world.clone();
    let row = lifted.contracts.iter_mut().find(|row| row.id == contract.as_str()).unwrap();
    let number = row.dealer;
    let alone = world.contracts.iter().filter(|other| other.dealer == number).count() == 1;
    match rule {
        Rule::Inactive => {
            (row.starts, row.ends) = ("", "");
            lifted.switches.contracts.lift(contract);
            let dealer = dealer_id(number);
            let paused = lifted.switches.dealers.iter().any(|pause| pause.id == dealer);
            lifted.switches.dealers.lift(&dealer);
            (alone || !paused).then_some(lifted)
        }
        Rule::Offer => {
            row.offers = "*";
            Some(lifted)
        }
        Rule::Source => {
            row.sources = "*";
            Some(lifted)
        }
        Rule::Age => {
            row.max_age_hours = "";
            Some(lifted)
        }
        Rule::Band => {
            row.min_band = "C3";
            Some(lifted)
        }
        Rule::Needs => {
            row.needs = "";
            Some(lifted)
        }
        Rule::Hours => {
            row.after_hours = "deliver";
            Some(lifted)
        }
        Rule::Cap => {
            (row.cap_hour, row.cap_day, row.cap_week, row.cap_month) = ("", "", "", "");
            (row.cap_total, row.budget_month) = ("", "");
            let of_dealer = &mut lifted.dealers[number];
            let limits = [&of_dealer.cap_day, &of_dealer.cap_month, &of_dealer.prepaid];
            let limited = limits.iter().any(|limit| !limit.is_empty());
            (of_dealer.cap_day, of_dealer.cap_month, of_dealer.prepaid) = ("", "", "");
            (alone || !limited).then_some(lifted)
        }
        Rule::Area | Rule::Excluded | Rule::Territory => None,
    }
}

/// Who is said to have had the lead but for a rule has it without that rule; who is not, and is near enough to
/// be asked, has it not, or fails the next rule. That each rule is met is shown by the least.
#[test]
fn a_counterfactual_is_true_of_every_rule() {
    const WORLDS: u32 = 1_000;
    const LEAST: u32 = 3;
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let mut seen: BTreeMap<(Rule, bool), u32> = BTreeMap::new();
    for _ in 0..WORLDS {
        let mut world = worlds().new_tree(&mut runner).unwrap().current();
        // Every counter is known, as when a desk asks.
        let count = || Count {
            used: [0; 5],
            stale: false,
            pass: 0,
            last_assigned_ms: 0,
            money: 0,
            results: Vec::new(),
        };
        world.contract_counts.resize_with(world.contracts.len(), count);
        world.dealer_counts.resize_with(world.dealers.len(), count);
        let (decision, judged) = world.decide();
        // Of a lead that waits whoever has it, nothing is said.
        if world.switches.stop || world.facts.location == Location::Unplaced {
            continue;
        }
        for one in &judged {
            let Some(rule) = one.failed else { continue };
            let near = decision.near_misses.iter().any(|miss| miss.contract == one.contract);
            let Some(lifted) = lifted(&world, &one.contract, rule).filter(|_| near) else { continue };
            let (decision, judged) = lifted.decide();
            let has = seats(&decision.conclusion).iter().any(|seat| seat.contract == one.contract);
            // Of several caps that are full, one that is lifted is not enough: more are lifted here.
            let one_of_several = rule == Rule::Cap && !one.would_have_had_it;
            assert!(has == one.would_have_had_it || one_of_several, "{rule}: {} in {world:?}", one.sentence);
            let next = judged.iter().find(|judged| judged.contract == one.contract).unwrap().failed;
            assert!(
                next.is_none_or(|next| next > rule),
                "{rule}, then {next:?}: {} in {world:?}",
                one.sentence
            );
            *seen.entry((rule, one.would_have_had_it)).or_default() += 1;
        }
    }
    println!("{seen:?}");
    let rules =
        Rule::ALL.iter().filter(|rule| !matches!(rule, Rule::Area | Rule::Excluded | Rule::Territory));
    for (rule, has) in rules.flat_map(|rule| [(*rule, true), (*rule, false)]) {
        let count = seen.get(&(rule, has)).copied().unwrap_or(0);
        assert!(count >= LEAST, "{rule}, {has}: {count} in {WORLDS} worlds");
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// Of more contracts than a record keeps, none nearer is left out.
    #[test]
    fn the_nearest_misses_are_kept(world in worlds()) {
        let mut world = world;
        for copy in 1..5 {
            let rows: Vec<ContractRow> = world.contracts.iter().filter(|row| !row.id.contains('-')).cloned().collect();
            let named = |row: ContractRow| ContractRow { id: format!("{}-{copy}", row.id), ..row };
            world.contracts.extend(rows.into_iter().map(named));
        }
        let book = world.book();
        let counters = world.counters(&book);
        let (decision, judged) = decide_on(&compiled(&book), &world, &counters);
        counted(&Oracle::of(&world, &book, &counters), &decision, &judged)?;
    }

    /// Whom a slot may be for may have the lead: it passes every rule, there is room, and without the others it
    /// would be chosen.
    #[test]
    fn whoever_may_have_it_has_it_when_alone(world in worlds()) {
        let book = world.book();
        let counters = world.counters(&book);
        let (decision, judged) = decide_on(&compiled(&book), &world, &counters);
        let theirs = takers_on(&compiled(&book), &world, &counters);
        let assigned = matches!(decision.conclusion, Conclusion::Assign(_));
        prop_assert_eq!(!theirs.is_empty(), assigned);
        for seat in seats(&decision.conclusion).iter().filter(|_| assigned) {
            prop_assert!(theirs.iter().any(|taker| taker.contract == seat.contract), "the winner is one of them");
        }
        for taker in &theirs {
            let one = judged.iter().find(|judged| judged.contract == taker.contract).unwrap();
            prop_assert_eq!(one.failed, None);
            prop_assert!(taker.of_contract != Some(0) && taker.of_dealer != Some(0), "{:?}", taker);
            let mut alone = world.clone();
            let at = world.contracts.iter().position(|row| row.id == taker.contract.as_str()).unwrap();
            alone.contracts = vec![world.contracts[at].clone()];
            alone.contract_counts = world.contract_counts.get(at).cloned().into_iter().collect();
            let seats = seats(&alone.decide().0.conclusion).to_vec();
            prop_assert!(seats.iter().any(|seat| seat.contract == taker.contract), "{:?}", taker);
        }
    }

    #[test]
    fn nobody_gets_a_lead_outside_its_area_or_a_second_time(world in worlds()) {
        let book = world.book();
        let counters = world.counters(&book);
        let (decision, _) = decide_on(&compiled(&book), &world, &counters);
        let oracle = Oracle::of(&world, &book, &counters);
        let mut dealers = world.facts.holders.clone();
        for seat in seats(&decision.conclusion) {
            prop_assert_eq!(oracle.covers(oracle.contract(&seat.contract)), Some(seat.specificity));
            prop_assert!(!world.facts.excluded.contains(&seat.dealer), "excluded in this cycle");
            prop_assert!(!dealers.contains(&seat.dealer), "a dealer takes one seat");
            dealers.push(seat.dealer.clone());
        }
        if let (Some(open), Conclusion::Assign(seats)) = (world.facts.open_seats, &decision.conclusion) {
            prop_assert!(seats.len() <= usize::from(open.free));
            prop_assert!(seats.iter().all(|seat| seat.seats == open.of && seat.protected == open.protected));
        }
    }

    #[test]
    fn a_territory_compels(world in worlds()) {
        let book = world.book();
        let counters = world.counters(&book);
        let (decision, _) = decide_on(&compiled(&book), &world, &counters);
        let oracle = Oracle::of(&world, &book, &counters);
        let given = seats(&decision.conclusion);
        let Some(first) = given.first() else { return Ok(()) };
        let first = oracle.contract(&first.contract);
        let covers = |id: &ContractId| oracle.covers(oracle.contract(id)).unwrap();
        let compelling = book.contracts.iter().filter(|one| one.territory.compels() && oracle.own(one).is_none());
        let compelling: Vec<_> = compelling.filter(|_| world.facts.open_seats.is_none()).collect();
        // Who is free and compels comes before the rest, and the more specific before the less.
        // Unless one that is closed, does not take the lead, and is as specific, leaves it to its own dealer.
        let closes = |one: &Contract, level| {
            one.territory == Territory::Closed
                && oracle.own(one).is_some_and(|rule| rule != Rule::Inactive)
                && oracle.covers(one).is_some_and(|at| at <= level)
        };
        for one in &compelling {
            let level = covers(&one.id);
            if !book.contracts.iter().any(|closed| closes(closed, level)) {
                prop_assert!(first.territory.compels(), "{} was passed over", one.id);
                prop_assert!(covers(&first.id) <= level, "{} is more specific", one.id);
            }
        }
        // What a protected or closed contract would take now, nobody shares but its like; one whose dealer
        // has a seat has had its say.
        let seated = |one: &Contract| given.iter().any(|seat| seat.dealer == one.dealer);
        // Nor does it keep out whose own territory is as specific: a protected one that may not share leaves
        // the seat to its dealer's other contracts.
        let keeps = |dealer: &DealerId, level| {
            let mut own = compelling.iter().filter(|own| own.territory != Territory::First);
            own.any(|own| &own.dealer == dealer && covers(&own.id) <= level)
        };
        for one in compelling.iter().filter(|one| one.territory != Territory::First && !seated(one)) {
            let shares = |seat: &Seat| {
                let other = oracle.contract(&seat.contract);
                other.territory.compels()
                    || other.dealer == first.dealer
                    || keeps(&other.dealer, covers(&one.id))
            };
            prop_assert!(given.iter().all(shares), "{} was bypassed: {given:?}", one.id);
        }
        let closed = given.iter().filter(|seat| oracle.contract(&seat.contract).territory == Territory::Closed);
        prop_assert!(closed.count() == 0 || given.len() == 1, "a closed territory is alone");
        let protected: Vec<bool> =
            given.iter().map(|seat| oracle.contract(&seat.contract).territory == Territory::Protected).collect();
        prop_assert!(protected.iter().all(|one| *one == protected[0]), "protected shares with protected");
    }
}

/// Applies a seat to the counters as the store does: a period that has turned starts again at one.
fn reserve(usage: &mut Usage, reservation: &Reservation) {
    for (slot, start) in usage.used.iter_mut().zip(reservation.starts) {
        *slot = match *slot {
            Some((at, used)) if at == start => Some((at, used + 1)),
            Some(_) | None => Some((start, 1)),
        };
    }
}

fn apply(counters: &mut Counters, seats: &[Seat], now: Timestamp) {
    for seat in seats {
        let usage = counters.contracts.entry(seat.contract.clone()).or_default();
        reserve(usage, &seat.reservation);
        usage.pass = seat.pass.next;
        usage.last_assigned_ms = now.as_millisecond();
        reserve(counters.dealers.entry(seat.dealer.clone()).or_default(), &seat.reservation);
    }
}

/// What a dealer's own calendar would call the period, so that counting needs no instants.
fn calendar(period: Period, now: Timestamp, zone: &str) -> String {
    let local = now.to_zoned(time::zone(zone).unwrap());
    match period {
        Period::Hour => local.strftime("%F %H %z").to_string(),
        Period::Day => local.strftime("%F").to_string(),
        Period::Week => local.strftime("%G-W%V").to_string(),
        Period::Month => local.strftime("%Y-%m").to_string(),
        Period::Total => String::new(),
    }
}

/// Gives lead after lead and counts by the calendar.
fn count_by_calendar(
    world: &mut World,
    book: &Rulebook,
    leads: u32,
    step_s: i64,
) -> Result<u32, TestCaseError> {
    let compiled = compiled(book);
    let mut counters = Counters::default();
    let mut counted: HashMap<(String, Period, String), u32> = HashMap::new();
    let mut random = fastrand::Rng::with_seed(3);
    let mut given = 0;
    for number in 0..leads {
        let seconds = world.now.as_second() + random.i64(0..2 * step_s);
        world.now = Timestamp::from_second(seconds).unwrap();
        world.facts.opened_at = world.now;
        world.facts.lead = LeadId::from_bytes(u128::from(number).to_be_bytes());
        let (decision, _) = decide_on(&compiled, world, &counters);
        let seats = seats(&decision.conclusion);
        given += seats.len() as u32;
        for seat in seats {
            let contract = book.contracts.iter().find(|contract| contract.id == seat.contract).unwrap();
            let dealer = book.dealers.iter().find(|dealer| dealer.id == seat.dealer).unwrap();
            let mut count = |name: &str, cap: &Cap| {
                let key = (name.to_owned(), cap.period, calendar(cap.period, world.now, &dealer.zone));
                let used = counted.entry(key).or_default();
                *used += 1;
                prop_assert!(*used <= cap.most, "{name} has {used} a {} at {}", cap.period, world.now);
                Ok(())
            };
            for cap in &contract.caps.0 {
                count(contract.id.as_str(), cap)?;
            }
            for cap in &dealer.caps.0 {
                count(dealer.id.as_str(), cap)?;
            }
        }
        apply(&mut counters, seats, world.now);
    }
    Ok(given)
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn a_cap_is_never_exceeded_across_midnights_and_clock_changes(
        mut world in worlds(),
        start in prop::sample::select(&["2026-03-06T12:00:00Z", "2026-10-30T12:00:00Z", "2026-12-30T00:00:00Z"][..]),
    ) {
        world.now = at(start);
        world.facts.excluded.clear();
        world.facts.holders.clear();
        world.facts.open_seats = None;
        world.switches.stop = false;
        world.company = "";
        let book = world.book();
        count_by_calendar(&mut world, &book, 400, 900)?;
    }
}

#[test]
fn caps_are_used_to_the_last_one() {
    // Two a day over the 23-hour day and a whole week: fourteen, and none lost to the clock.
    let row = ContractRow { cap_day: "2", ..contract("a", 0) };
    let mut world = world(vec![dealer()], vec![row]);
    world.now = at("2026-03-05T05:00:00Z");
    let book = world.book();
    let given = count_by_calendar(&mut world, &book, 7 * 24 * 4, 900).unwrap();
    assert!((14..=16).contains(&given), "{given}");
}

/// Contracts of these weights, sharing.
fn sharers(weights: &[u32]) -> (World, Rulebook, Compiled) {
    let rows = weights
        .iter()
        .enumerate()
        .map(|(number, &weight)| ContractRow { weight, ..contract(&format!("k{number}"), number) })
        .collect();
    let world = world(vec![dealer(); weights.len()], rows);
    let book = world.book();
    let compiled = compiled(&book);
    (world, book, compiled)
}

/// Gives one more lead, and says to whom.
fn give(world: &mut World, compiled: &Compiled, counters: &mut Counters, number: u128) -> ContractId {
    world.facts.lead = LeadId::from_bytes(number.to_be_bytes());
    world.now = Timestamp::from_second(world.now.as_second() + 1).unwrap();
    let (decision, _) = decide_on(compiled, world, counters);
    let seats = seats(&decision.conclusion);
    apply(counters, seats, world.now);
    seats[0].contract.clone()
}

/// One large contract beside ten small ones: by the smallest pass alone it would stand five leads off.
const TEN_SMALL: [u32; 11] = [10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];

/// What each of these had is within one lead of its due and so many parts of a lead, of as many as all weights are; in
/// whole numbers: had/given of weight/all weights.
fn within_one_lead(and_parts: u64, weights: &[u32], had: &[u32]) -> Result<(), String> {
    let (all, given) = (u64::from(weights.iter().sum::<u32>()), u64::from(had.iter().sum::<u32>()));
    for (had_it, weight) in had.iter().zip(weights) {
        let (had_it, due) = (u64::from(*had_it) * all, given * u64::from(*weight));
        if had_it.abs_diff(due) > all + and_parts {
            return Err(format!("{weights:?}: {had:?} after {given}"));
        }
    }
    Ok(())
}

/// So many leads are given in turn; each contract is within one lead of its due after every one.
fn share(weights: &[u32], leads: u32) -> Result<(), String> {
    let (mut world, _, compiled) = sharers(weights);
    let (mut counters, mut had) = (Counters::default(), vec![0_u32; weights.len()]);
    for given in 0..leads {
        let winner = give(&mut world, &compiled, &mut counters, u128::from(given));
        had[winner.as_str()[1..].parse::<usize>().unwrap()] += 1;
        within_one_lead(0, weights, &had)?;
    }
    Ok(())
}

#[test]
fn a_share_is_exact_to_within_one_lead() {
    for weights in [&[1, 2, 3][..], &[1, 1], &[5, 1], &[7, 3], &[10, 3, 2, 1], &TEN_SMALL, &[999, 1000, 1, 7]]
    {
        share(weights, 600).unwrap();
    }
}

proptest! {
    #![proptest_config(Config { cases: 48, ..Config::default() })]

    #[test]
    fn a_share_is_exact_to_within_one_lead_whatever_the_weights(
        weights in prop::collection::vec(prop_oneof![1..=9_u32, 1..=1_000_u32], 2..12),
    ) {
        prop_assert_eq!(share(&weights, 300), Ok(()));
    }
}

/// Several workers read the same counters, each for a lead of its own; their commits come in turn, and hold
/// as the store lets them: a pass that is lifted only if it is as it was read, any other while it would still be
/// its turn. Who is refused looks again with the next.
fn give_at_once(
    world: &mut World,
    compiled: &Compiled,
    counters: &mut Counters,
    leads: &mut Vec<u128>,
) -> Vec<ContractId> {
    world.now = Timestamp::from_second(world.now.as_second() + 1).unwrap();
    let read = counters.clone();
    let mut given = Vec::new();
    leads.retain(|lead| {
        world.facts.lead = LeadId::from_bytes(lead.to_be_bytes());
        let (decision, _) = decide_on(compiled, world, &read);
        let seat = &seats(&decision.conclusion)[0];
        let stands = counters.contracts.get(&seat.contract).map_or(0, |usage| usage.pass);
        let lifted = seat.pass.next != seat.pass.read + seat.pass.step;
        let holds = if lifted {
            stands == seat.pass.read
        } else {
            seat.pass.at_most.is_none_or(|most| stands <= most)
        };
        if holds {
            let rises = seat.pass.next - seat.pass.read;
            let usage = counters.contracts.entry(seat.contract.clone()).or_default();
            (usage.exists, usage.pass, usage.last_assigned_ms) =
                (true, stands + rises, world.now.as_millisecond());
            given.push(seat.contract.clone());
        }
        !holds
    });
    given
}

#[test]
fn a_share_is_exact_under_many_workers_but_for_those_whose_turn_comes_at_once() {
    for (weights, workers) in [
        (&[1, 2, 3][..], 2),
        (&[5, 1], 8),
        (&[1, 1], 8),
        (&[10, 3, 2, 1], 8),
        (&[50, 1, 1, 1], 8),
        (&[7, 3], 64),
        (&TEN_SMALL, 2),
        (&TEN_SMALL, 8),
        (&TEN_SMALL, 64),
    ] {
        // Of those whose turn comes at once, each may have a lead of one moment, and the rest what is due to it meanwhile.
        let equals =
            weights.iter().map(|weight| weights.iter().filter(|other| *other == weight).count()).max();
        let others = u64::try_from(equals.unwrap().min(workers) - 1).unwrap();
        let at_once = others * u64::from(*weights.iter().max().unwrap());
        let (mut world, _, compiled) = sharers(weights);
        let mut counters = Counters::default();
        let (mut had, mut given, mut next) = (vec![0_u32; weights.len()], 0_u32, 0_u128);
        let mut leads = Vec::new();
        while given < 600 {
            while leads.len() < workers {
                leads.push(next);
                next += 1;
            }
            let winners = give_at_once(&mut world, &compiled, &mut counters, &mut leads);
            assert!(!winners.is_empty(), "somebody always gets through");
            for winner in winners {
                had[winner.as_str()[1..].parse::<usize>().unwrap()] += 1;
                given += 1;
            }
            within_one_lead(at_once, weights, &had).unwrap();
        }
    }
}

#[test]
fn a_contract_coming_back_from_a_pause_is_not_flooded() {
    let (mut world, _, compiled) = sharers(&[1, 1, 2]);
    let mut counters = Counters::default();
    let paused: ContractId = "k2".parse().unwrap();
    world.switches.contracts.set(Pause { id: paused.clone(), reason: String::new(), until: None });
    for number in 0..500 {
        assert_ne!(give(&mut world, &compiled, &mut counters, number), paused);
    }
    world.switches.contracts.clear();
    let back =
        (0..8).filter(|number| give(&mut world, &compiled, &mut counters, 1_000 + number) == paused).count();
    // Half is its share; one turn more may be owed for where the others stood.
    assert!((3..=6).contains(&back), "{back} of the first 8");
    let later = (0..400)
        .filter(|number| give(&mut world, &compiled, &mut counters, 2_000 + number) == paused)
        .count();
    assert!((199..=201).contains(&later), "{later} of the next 400");
}

#[test]
fn equals_are_told_apart_by_lead_and_not_by_their_place_in_the_file() {
    let rows = (0..4).map(|number| contract(&format!("k{number}"), number)).collect();
    let mut world = world(vec![dealer(); 4], rows);
    world.ranking = r#"["tier"]"#;
    let compiled = compiled(&world.book());
    let mut had: HashMap<ContractId, u32> = HashMap::new();
    for number in 0..2_000 {
        *had.entry(give(&mut world, &compiled, &mut Counters::default(), number)).or_default() += 1;
    }
    assert!(had.len() == 4 && had.values().all(|had| (420..580).contains(had)), "{had:?}");
}

#[test]
fn every_part_of_an_area_is_found_for_every_zip_it_covers() {
    // Every fifth place of the country against every kind of area, Alaska and the islands included.
    let areas = crate::world::AREAS.iter().map(|(name, _)| *name);
    let zips = ["99546", "99501", "96701", "96910", "00601", "33130", "32344", "90001", "79901", "83858"];
    let rows = zips.iter().enumerate().flat_map(|(number, _)| {
        areas.clone().map(move |area| ContractRow { area, ..contract(&format!("{area}-{number}"), number) })
    });
    let dealers = zips.map(|zip| crate::world::DealerRow { zip, ..dealer() }).to_vec();
    let mut world = world(dealers, rows.collect());
    let book = world.book();
    let compiled = compiled(&book);
    let counters = Counters::default();
    for place in leadyard_domain::place::all().step_by(5) {
        world.facts.location = leadyard_domain::distribution::Location::Zip(place.zip());
        let (decision, judged) = decide_on(&compiled, &world, &counters);
        let oracle = Oracle::of(&world, &book, &counters);
        let covering = book.contracts.iter().filter(|contract| oracle.covers(contract).is_some());
        let mut expected: Vec<&ContractId> = covering.map(|contract| &contract.id).collect();
        let mut found: Vec<&ContractId> = judged.iter().map(|judged| &judged.contract).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{place:?}");
        let seat = &seats(&decision.conclusion)[0];
        assert_eq!(Some(seat.specificity), oracle.covers(oracle.contract(&seat.contract)));
    }
}

#[test]
fn thousands_of_candidates_are_judged_once_each() {
    let rows = (0..4_000).map(|number| ContractRow {
        area: ["any-and-near", "any-and-zip", "rings"][number % 3],
        min_band: if number == 1_234 { "C3" } else { "A1" },
        ..contract(&format!("k{number}"), number % 50)
    });
    let mut world = world(vec![dealer(); 50], rows.collect());
    world.facts.band = "B1".parse().unwrap();
    let (decision, judged) = world.decide();
    assert_eq!(judged.len(), 4_000);
    assert_eq!(decision.failed[Rule::Band as usize], 3_999);
    assert_eq!(seats(&decision.conclusion)[0].contract.as_str(), "k1234");
}
