//! What the checker claims, against the decision: who is said to be dead or shadowed is never assigned.

use std::cell::RefCell;

use jiff::{Timestamp, ToSpan as _};
use leadyard_domain::contract::{Need, Needs, Territory};
use leadyard_domain::distribution::{Compiled, Conclusion, LeadFacts, Location, OpenSeats};
use leadyard_domain::ids::LeadId;
use leadyard_domain::rulebook::{ProblemCode, Rulebook};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestRunner};

use crate::oracle::Oracle;
use crate::world::{ContractRow, OFFERS, World, ZIPS, cases, compiled, dealer_id, decide_on};
use crate::worlds::worlds;

/// How one contract is made from another that may stand in its shadow.
#[derive(Clone, Debug)]
struct Twin {
    of: usize,
    dealer: usize,
    area: Option<&'static str>,
    territory: &'static str,
    sale: &'static str,
    like: [bool; 6],
}

fn twins() -> impl Strategy<Value = Vec<Twin>> {
    let areas = [None, None, Some("zip"), Some("florida"), Some("near"), Some("any"), Some("rings")];
    let twin = (
        0..9_usize,
        0..4_usize,
        select(areas.to_vec()),
        select(&["open", "open", "first", "protected", "closed"][..]),
        select(&["exclusive", "exclusive", "shared:2", "shared:3"][..]),
        prop::array::uniform6(prop::bool::weighted(0.95)),
    );
    let twin = twin.prop_map(|(of, dealer, area, territory, sale, like)| Twin {
        of,
        dealer,
        area,
        territory,
        sale,
        like,
    });
    prop::collection::vec(twin, 1..4)
}

/// The world with those beside their models, which compel and mostly wait.
fn beside(mut world: World, twins: &[Twin]) -> World {
    for (number, twin) in twins.iter().enumerate() {
        let at = twin.of % world.contracts.len();
        let model = &mut world.contracts[at];
        model.sale = ["exclusive", "exclusive", model.sale][twin.of % 3];
        if model.territory == "open" {
            model.territory = ["first", "protected", "closed"][number % 3];
        }
        if number % 3 < 2 {
            model.when_unavailable = "wait";
        } else {
            world.dealers[model.dealer].cap_day = "";
            world.dealers[model.dealer].prepaid = "";
            model.cap_month = "";
            model.budget_month = "";
            model.when_unavailable = "next";
            model.cap_hour = "";
            model.cap_day = "";
            model.cap_week = "";
            model.cap_total = "";
            model.after_hours = "deliver";
        }
        let mut row: ContractRow = model.clone();
        let own: [&mut dyn FnMut(&mut ContractRow); 6] = [
            &mut |row| row.offers = "*",
            &mut |row| row.sources = "mail",
            &mut |row| row.min_band = "C3",
            &mut |row| row.max_age_hours = "",
            &mut |row| row.starts = "",
            &mut |row| row.ends = "",
        ];
        for (change, like) in own.into_iter().zip(twin.like) {
            if !like {
                change(&mut row);
            }
        }
        row.id = format!("t{number}");
        row.dealer = twin.dealer % world.dealers.len();
        row.area = twin.area.unwrap_or(row.area);
        row.territory = twin.territory;
        row.sale = twin.sale;
        row.when_unavailable = "next";
        world.contracts.push(row);
    }
    world
}

/// A lead of any kind, as this rulebook could have brought it about: whoever holds a seat has a contract
/// that shares.
fn any_lead(random: &mut fastrand::Rng, world: &World, book: &Rulebook) -> LeadFacts {
    let (offer, category) = OFFERS[random.usize(..OFFERS.len())];
    let location = match random.u8(..8) {
        0 => Location::State { state: "FL".parse().unwrap(), guessed: false },
        1 => Location::State { state: "GA".parse().unwrap(), guessed: true },
        2..5 => Location::Zip(ZIPS[0].parse().unwrap()),
        _ => Location::Zip(ZIPS[random.usize(..ZIPS.len())].parse().unwrap()),
    };
    let bands = ["A1", "A1", "A1", "B2", "A3", "C1", "C3"];
    let sharers: Vec<_> = book
        .contracts
        .iter()
        .filter(|one| one.sale.seats() > 1 && one.territory != Territory::Closed)
        .collect();
    let held = if sharers.is_empty() || random.u8(..4) > 0 { None } else { random.choice(&sharers).copied() };
    let excluded = random.u8(..4) == 0;
    LeadFacts {
        lead: LeadId::from_bytes(random.u128(..).to_be_bytes()),
        offer: offer.parse().unwrap(),
        category: category.parse().unwrap(),
        source: ["page", "mail"][random.usize(..2)].parse().unwrap(),
        location,
        band: bands[random.usize(..bands.len())].parse().unwrap(),
        brings: if random.u8(..4) > 0 { Needs::NONE.with(Need::Consent) } else { Needs::NONE },
        excluded: excluded.then(|| dealer_id(random.usize(..world.dealers.len()))).into_iter().collect(),
        holders: held.iter().map(|one| one.dealer.clone()).collect(),
        open_seats: held.map(|one| {
            let of = random.u8(2..=one.sale.seats());
            OpenSeats { of, free: random.u8(1..of), protected: one.territory == Territory::Protected }
        }),
        ..world.facts.clone()
    }
}

/// Who is claimed to be given nothing, or only what was given back.
fn claims(book: &Rulebook, today: &str) -> Vec<(String, ProblemCode)> {
    let warnings = book.check(today.parse().unwrap()).into_iter();
    let claims = warnings.filter(|warning| {
        matches!(
            warning.code,
            ProblemCode::Dead | ProblemCode::Shadowed | ProblemCode::Leftovers | ProblemCode::Ended
        )
    });
    claims
        .map(|warning| {
            // The header is line 1, and every contract a line.
            (book.contracts[warning.at.line as usize - 2].id.to_string(), warning.code)
        })
        .collect()
}

fn assigned(compiled: &Compiled, world: &World, book: &Rulebook) -> Vec<String> {
    let (decision, _) = decide_on(compiled, world, &world.counters(book));
    let seats = match decision.conclusion {
        Conclusion::Assign(seats) | Conclusion::Wait { recommended: seats, .. } => seats,
    };
    seats.into_iter().map(|seat| seat.contract.to_string()).collect()
}

/// Puts what the checker claims of random worlds to the test, and answers how often, by kind: in other worlds
/// each time, and in the same ones. Only of these can it be told how often at least: a property of claims that
/// are never made would say nothing.
fn put_to_the_test(
    [random, same]: [u32; 2],
    claim: fn(World, &[Twin], u64, &mut [usize; 2]) -> TestCaseResult,
) -> [usize; 2] {
    let worlds = (worlds(), twins(), any::<u64>());
    let tested = RefCell::new([0; 2]);
    let put =
        |(world, twins, seed): (World, Vec<Twin>, u64)| claim(world, &twins, seed, &mut tested.borrow_mut());
    let config = Config { source_file: Some(file!()), ..cases(random) };
    TestRunner::new(config).run(&worlds, put).unwrap_or_else(|failed| panic!("{failed}"));
    tested.take();
    let config =
        Config { cases: same, rng_seed: RngSeed::Fixed(5), failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&worlds, put).unwrap_or_else(|failed| panic!("{failed}"));
    tested.take()
}

#[test]
fn who_is_claimed_to_be_given_nothing_is_given_nothing() {
    /// How often a lead that a contract takes, open and with room, is not given to it for the others' sake.
    fn claim(world: World, twins: &[Twin], seed: u64, tested: &mut [usize; 2]) -> TestCaseResult {
        let mut world = beside(world, twins);
        // Pauses are switches: they stand outside.
        world.switches.contracts.clear();
        world.switches.dealers.clear();
        world.switches.stop = false;
        let book = world.book();
        // Before midnight everywhere.
        let today = (world.now.to_zoned(jiff::tz::TimeZone::UTC).date() - 1.day()).to_string();
        let claims = claims(&book, &today);
        if claims.is_empty() {
            return Ok(());
        }
        let compiled = compiled(&book);
        let mut random = fastrand::Rng::with_seed(seed);
        let start = world.now;
        for _ in 0..120 {
            let hours = if random.bool() { random.i64(0..200) } else { random.i64(0..10_000) };
            world.now = Timestamp::from_second(start.as_second() + hours * 3_600).unwrap();
            world.facts = any_lead(&mut random, &world, &book);
            let age = [0, 0, 0, 11, 13, 30][random.usize(..6)];
            world.facts.opened_at = Timestamp::from_second(world.now.as_second() - age * 3_600).unwrap();
            let given = assigned(&compiled, &world, &book);
            let counters = world.counters(&book);
            let oracle = Oracle::of(&world, &book, &counters);
            for (id, code) in &claims {
                let gave_back = !world.facts.excluded.is_empty() && *code == ProblemCode::Leftovers;
                prop_assert!(
                    gave_back || !given.contains(id),
                    "{id} is said to be {code} and was given {:?} at {}",
                    world.facts,
                    world.now
                );
                let would = oracle.own(oracle.contract(&id.parse().unwrap())).is_none();
                let kind = usize::from(*code == ProblemCode::Leftovers);
                tested[kind] += usize::from(would && !gave_back);
            }
        }
        Ok(())
    }
    let [shadowed, leftovers] = put_to_the_test([1_000, 500], claim);
    assert!(shadowed > 2_000 && leftovers > 400, "{shadowed} {leftovers}");
}

#[test]
fn where_nobody_is_claimed_to_take_an_offer_nobody_is_given_it() {
    fn claim(world: World, twins: &[Twin], seed: u64, tested: &mut [usize; 2]) -> TestCaseResult {
        let mut world = beside(world, twins);
        world.switches.contracts.clear();
        world.switches.dealers.clear();
        // What begins later bars nobody yet; what ends bars nobody any more.
        for row in &mut world.contracts {
            row.starts = "";
            row.ends = "";
        }
        let book = world.book();
        let today = world.now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let gaps = book.check(today).into_iter().filter(|warning| warning.code == ProblemCode::Gap);
        let gaps: Vec<_> = gaps.filter_map(|warning| Some((warning.file, warning.figures?))).collect();
        let compiled = compiled(&book);
        let mut random = fastrand::Rng::with_seed(seed);
        for (file, figures) in &gaps {
            let (Some(offer), Some(zip)) = (&figures.offer, &figures.zip) else { continue };
            for _ in 0..10 {
                world.facts = any_lead(&mut random, &world, &book);
                world.facts.offer = offer.parse().unwrap();
                let category = OFFERS.iter().find(|known| known.0 == offer).unwrap().1;
                world.facts.category = category.parse().unwrap();
                world.facts.location = Location::Zip(zip.parse().unwrap());
                let given = assigned(&compiled, &world, &book);
                prop_assert!(given.is_empty(), "{given:?} of {offer} in {zip}, by {file}: {:?}", world.facts);
                tested[usize::from(file == "contracts.csv")] += 1;
            }
        }
        Ok(())
    }
    let [open, closed] = put_to_the_test([300, 400], claim);
    assert!(open > 1_000 && closed > 50, "{open} {closed}");
}
