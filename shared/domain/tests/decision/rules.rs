//! One example for each rule, in the order of the rules.

use leadyard_domain::distribution::{Conclusion, Kept, Location, OpenSeats, Pause, Rule, Waiting};
use leadyard_domain::ids::ContractId;

use crate::world::{ContractRow, Count, DealerRow, World, at, contract, dealer, dealer_id, world};

/// `a b` for seats in order; `hours until …` for a lead that waits.
fn conclusion(world: &World) -> String {
    match world.decide().0.conclusion {
        Conclusion::Assign(seats) => {
            seats.iter().map(|seat| seat.contract.to_string()).collect::<Vec<_>>().join(" ")
        }
        Conclusion::Wait { reason, until: Some(until), .. } => format!("{reason} until {until}"),
        Conclusion::Wait { reason, until: None, .. } => reason.to_string(),
    }
}

fn failed(world: &World, contract: &str) -> Option<Rule> {
    let id: ContractId = contract.parse().unwrap();
    world.decide().1.iter().find(|judged| judged.contract == id).and_then(|judged| judged.failed)
}

fn sentence(world: &World, contract: &str) -> (String, bool) {
    let id: ContractId = contract.parse().unwrap();
    let judged = world.decide().1.into_iter().find(|judged| judged.contract == id).unwrap();
    (judged.sentence, judged.would_have_had_it)
}

#[test]
fn a_desk_reads_why_and_what_would_have_changed_it() {
    let p = ContractRow { area: "zip3", territory: "protected", cap_day: "10", ..contract("p", 0) };
    let q = ContractRow { area: "zip", territory: "protected", min_band: "A2", ..contract("q", 1) };
    let mut world = world(vec![dealer(), dealer()], vec![p, q]);
    world.contract_counts = vec![Count { used: [4; 5], ..FULL }];
    world.facts.band = "B1".parse().unwrap();
    assert_eq!(sentence(&world, "p"), ("D: protected in 331xx; 4 of 10 today; 0 miles".to_owned(), false));
    assert_eq!(sentence(&world, "q"), ("D would have had it with band A2; it is band B1".to_owned(), true));
    // Who fails a second rule, or would have stood behind another, has no such claim.
    world.contracts[1].starts = "2027-01-01";
    assert!(!sentence(&world, "q").1);
    world.contracts[1].starts = "";
    world.contracts[1].territory = "open";
    assert!(!sentence(&world, "q").1);
}

#[test]
fn what_was_missed_is_a_sentence_for_each_rule() {
    // Each with what a decision says that it needed and found.
    let missed = |rule: Rule| match rule {
        Rule::Inactive => ("active", "paused", "is not active: paused"),
        Rule::Offer => ("an offer it takes", "gutter", "does not take gutter"),
        Rule::Source => ("a source it takes", "web", "does not take web"),
        Rule::Age => ("at most 72 h old", "80 h", "needs at most 72 h old; it is 80 h"),
        Rule::Area => ("an area that covers it", "outside", "does not cover where it is"),
        Rule::Band => ("band A2", "band B1", "needs band A2; it is band B1"),
        Rule::Needs => ("consent", "missing", "needs consent, which is missing"),
        Rule::Excluded => ("a dealer that has not had it", "had it in this cycle", "had it in this cycle"),
        Rule::Territory => ("no territory before it", "protected p", "stands behind protected p"),
        Rule::Hours => ("open", "shut", "is shut"),
        Rule::Cap => ("fewer than 3 a day", "3", "needs fewer than 3 a day; it is at 3"),
    };
    for rule in Rule::ALL {
        let (needed, found, said) = missed(*rule);
        assert_eq!(rule.missed(needed, found), said, "{rule}");
    }
    let prepaid = Rule::Cap.missed("45.00 paid in advance", "10.00 left");
    assert_eq!(prepaid, "needs 45.00 paid in advance; 10.00 left");
}

#[test]
fn who_is_shut_and_full_or_full_twice_would_not_have_had_it() {
    let alone = |row: ContractRow, dealer: DealerRow| {
        let mut world = world(vec![dealer], vec![row]);
        world.contract_counts = vec![FULL];
        world.dealer_counts = vec![FULL];
        sentence(&world, "a")
    };
    let full = || ContractRow { cap_day: "1", ..contract("a", 0) };
    assert!(alone(contract("a", 0), shut("Tu 08:00-09:00")).1);
    assert!(alone(full(), dealer()).1);
    // One thing put right would not have been enough.
    assert!(!alone(full(), shut("Tu 08:00-09:00")).1);
    assert!(!alone(full(), DealerRow { cap_day: "1", ..dealer() }).1);
    assert!(!alone(full(), DealerRow { prepaid: "yes", ..dealer() }).1);
    assert!(!alone(ContractRow { budget_month: "5", ..full() }, dealer()).1);
}

fn shut(hours: &'static str) -> DealerRow {
    DealerRow { hours, ..dealer() }
}

/// A protected county, and someone open to all.
fn protected_and_open(when_unavailable: &'static str, hours: &'static str) -> World {
    let protected =
        ContractRow { area: "county", territory: "protected", when_unavailable, ..contract("p", 0) };
    world(vec![shut(hours), dealer()], vec![protected, contract("o", 1)])
}

const FULL: Count =
    Count { used: [1; 5], stale: false, pass: 0, last_assigned_ms: 0, money: 0, results: Vec::new() };

#[test]
fn the_first_rule_that_fails_is_the_one_recorded() {
    // Everything is wrong with it; each repair uncovers the next.
    let row = ContractRow {
        offers: "gutter",
        sources: "mail",
        max_age_hours: "1",
        min_band: "A1",
        needs: "consent",
        cap_day: "1",
        starts: "2026-06-02",
        ..contract("a", 0)
    };
    let mut world = world(vec![shut("Tu 08:00-09:00"), dealer()], vec![row]);
    world.contract_counts = vec![FULL];
    world.facts.opened_at = at("2026-06-01T12:00:00Z");
    world.facts.band = "B1".parse().unwrap();
    world.facts.excluded = vec![dealer_id(0)];
    type Repair = fn(&mut World);
    let repairs: [(Rule, Repair); 9] = [
        (Rule::Inactive, |world| world.contracts[0].starts = "2026-06-01"),
        (Rule::Offer, |world| world.contracts[0].offers = "*"),
        (Rule::Source, |world| world.contracts[0].sources = "page"),
        (Rule::Age, |world| world.contracts[0].max_age_hours = "4"),
        (Rule::Band, |world| world.contracts[0].min_band = "B2"),
        (Rule::Needs, |world| world.contracts[0].needs = ""),
        (Rule::Excluded, |world| world.facts.excluded.clear()),
        (Rule::Hours, |world| world.contracts[0].after_hours = "deliver"),
        (Rule::Cap, |world| world.contract_counts.clear()),
    ];
    for (rule, repair) in repairs {
        assert_eq!(failed(&world, "a"), Some(rule));
        repair(&mut world);
    }
    assert_eq!(conclusion(&world), "a");
}

#[test]
fn a_contract_runs_from_its_first_to_its_last_day_where_the_dealer_is() {
    let row = ContractRow { starts: "2026-06-02", ends: "2026-06-02", ..contract("a", 0) };
    let mut world = world(vec![DealerRow { zone: "America/Los_Angeles", ..dealer() }], vec![row]);
    world.now = at("2026-06-02T06:59:59Z");
    assert_eq!(conclusion(&world), "inactive until 2026-06-02T07:00:00Z");
    world.now = at("2026-06-02T07:00:00Z");
    assert_eq!(conclusion(&world), "a");
    world.now = at("2026-06-03T06:59:59Z");
    assert_eq!(conclusion(&world), "a");
    world.now = at("2026-06-03T07:00:00Z");
    assert_eq!(conclusion(&world), "inactive");
}

#[test]
fn a_guess_is_good_for_a_state_and_for_nothing_finer() {
    let areas = ["zip", "zip3", "county", "near", "wide", "florida", "any"];
    let rows = areas.map(|area| ContractRow { area, sale: "shared:3", ..contract(area, 0) }).to_vec();
    let mut world = world(vec![dealer()], rows);
    world.facts.location = Location::State { state: "FL".parse().unwrap(), guessed: true };
    let mut found: Vec<String> = world.decide().1.iter().map(|judged| judged.contract.to_string()).collect();
    found.sort();
    assert_eq!(found, ["any", "florida"]);
    world.facts.location = Location::Unplaced;
    assert_eq!(conclusion(&world), "unplaced");
}

#[test]
fn a_zip_without_coordinates_is_within_no_radius_and_ranks_last_by_distance() {
    let world_of = |location: &str| {
        let far = ContractRow { area: "any", ..contract("far", 0) };
        let unknown = ContractRow { area: "any", ..contract("unknown", 1) };
        let dealers = vec![DealerRow { zip: "99501", ..dealer() }, DealerRow { zip: "90085", ..dealer() }];
        let mut world =
            world(dealers, vec![unknown, far, ContractRow { area: "wide", tier: 2, ..contract("near", 0) }]);
        world.facts.location = Location::Zip(location.parse().unwrap());
        world
    };
    assert_eq!(conclusion(&world_of("33130")), "far");
    let judged = world_of("90085").decide().1;
    assert!(judged.iter().all(|judged| judged.contract.as_str() != "near"));
}

#[test]
fn a_protected_territory_compels() {
    let world = protected_and_open("next", "24/7");
    assert_eq!(conclusion(&world), "p");
    assert_eq!(failed(&world, "o"), Some(Rule::Territory));
}

#[test]
fn the_more_specific_territory_wins_and_the_smaller_radius_before_the_larger() {
    let order = ["zip", "zip3", "county", "near", "around", "florida", "any"];
    for (narrow, wide) in order.iter().zip(&order[1..]) {
        let row = |area| ContractRow { area, territory: "protected", tier: 2, ..contract(area, 0) };
        let wide = ContractRow { tier: 1, dealer: 1, ..row(wide) };
        assert_eq!(&conclusion(&world(vec![dealer(); 2], vec![wide, row(narrow)])), narrow);
    }
}

#[test]
fn a_territory_that_waits_keeps_the_lead_until_it_opens_or_the_lead_is_too_old_for_it() {
    let mut world = protected_and_open("wait", "Tu 08:00-18:00");
    assert_eq!(conclusion(&world), "hours until 2026-06-02T12:00:00Z");
    assert_eq!(failed(&world, "o"), Some(Rule::Territory));
    world.contracts[0].max_age_hours = "12";
    assert_eq!(conclusion(&world), "hours until 2026-06-02T04:00:00.001Z");
    world.now = at("2026-06-02T04:00:00.001Z");
    assert_eq!(conclusion(&world), "o");
}

#[test]
fn a_territory_that_says_next_lets_the_rest_have_it() {
    let mut world = protected_and_open("next", "Tu 08:00-18:00");
    assert_eq!(conclusion(&world), "o");
    assert_eq!(failed(&world, "p"), Some(Rule::Hours));
    // Also after its dealer declined.
    world.facts.excluded = vec![dealer_id(0)];
    assert_eq!(conclusion(&world), "o");
}

#[test]
fn after_a_decline_a_territory_that_waits_leaves_it_to_the_desk() {
    let mut world = protected_and_open("wait", "24/7");
    world.facts.excluded = vec![dealer_id(0)];
    assert_eq!(conclusion(&world), "excluded");
}

#[test]
fn a_closed_territory_that_does_not_take_the_lead_keeps_others_out() {
    let closed = ContractRow { area: "county", territory: "closed", min_band: "A1", ..contract("c", 0) };
    let first = ContractRow { area: "florida", territory: "first", ..contract("f", 1) };
    let mut world = world(vec![dealer(); 2], vec![closed, first, contract("o", 1)]);
    world.facts.band = "B1".parse().unwrap();
    assert_eq!(conclusion(&world), "territory");
    // A more specific one comes before it.
    world.contracts[1].area = "zip";
    assert_eq!(conclusion(&world), "f");
    // The same dealer's other contracts may have it, and share it with nobody.
    world.contracts.push(ContractRow { sale: "shared:3", ..contract("c2", 0) });
    world.contracts[1].area = "florida";
    world.contracts[2].sale = "shared:3";
    assert_eq!(conclusion(&world), "c2");
    // It opens when its contract is over.
    world.contracts[0].ends = "2026-06-01";
    world.contracts.pop();
    assert_eq!(conclusion(&world), "territory until 2026-06-02T04:00:00Z");
}

#[test]
fn a_closed_territory_that_will_keep_others_out_lets_its_own_dealers_other_contract_in() {
    // The county waits for one who is shut; the closed ZIP will shut that one out, and spare `o`.
    let closed = ContractRow { area: "zip", territory: "closed", min_band: "A1", ..contract("c", 0) };
    let waits =
        ContractRow { area: "county", territory: "protected", when_unavailable: "wait", ..contract("p", 1) };
    let mut world = world(vec![dealer(), shut("Tu 08:00-18:00")], vec![closed, waits, contract("o", 0)]);
    world.facts.band = "B1".parse().unwrap();
    let id: ContractId = "c".parse().unwrap();
    let until = Some(at("2026-06-01T17:00:00Z"));
    world.switches.contracts = vec![Pause { id, reason: String::new(), until }].into();
    assert_eq!(conclusion(&world), "hours until 2026-06-01T17:00:00Z");
    world.now = at("2026-06-01T17:00:00Z");
    assert_eq!(conclusion(&world), "o");
    // Likewise when it is too old for the closed one, which is full and says `next`.
    world.switches.contracts.clear();
    world.now = at("2026-06-01T16:00:00Z");
    world.contracts[0] =
        ContractRow { min_band: "C3", cap_total: "1", max_age_hours: "2", ..world.contracts[0].clone() };
    world.contract_counts = vec![FULL];
    assert_eq!(conclusion(&world), "hours until 2026-06-01T18:00:00.001Z");
    world.now = at("2026-06-01T18:00:00.001Z");
    assert_eq!(conclusion(&world), "o");
}

#[test]
fn a_seat_that_is_left_may_be_given_when_a_territory_that_cannot_share_it_shuts() {
    let row = |id, dealer, sale| ContractRow { sale, ..contract(id, dealer) };
    let protected = ContractRow { territory: "protected", ..row("p", 1, "exclusive") };
    let mut world = world(
        vec![dealer(), shut("Mo-Fr 08:00-18:00"), dealer()],
        vec![row("a", 0, "shared:2"), protected, row("o", 2, "shared:2")],
    );
    world.facts.holders = vec![dealer_id(0)];
    world.facts.open_seats = Some(OpenSeats { of: 2, free: 1, protected: false });
    assert_eq!(conclusion(&world), "territory until 2026-06-01T22:00:00Z");
    world.now = at("2026-06-01T22:00:00Z");
    assert_eq!(conclusion(&world), "o");
}

#[test]
fn a_more_specific_territory_that_opens_sooner_is_waited_for_as_well() {
    let first = ContractRow { area: "zip", territory: "first", ..contract("f", 0) };
    let waits =
        ContractRow { area: "county", territory: "protected", when_unavailable: "wait", ..contract("p", 1) };
    let world = world(
        vec![shut("Mo 14:00-15:00"), shut("Tu 08:00-18:00"), dealer()],
        vec![first, waits, contract("o", 2)],
    );
    assert_eq!(conclusion(&world), "hours until 2026-06-01T18:00:00Z");
    assert_eq!(failed(&world, "f"), Some(Rule::Hours));
}

#[test]
fn the_first_contract_fixes_the_seats_and_a_dealer_takes_one() {
    let row = |id, dealer, tier, sale| ContractRow { tier, sale, ..contract(id, dealer) };
    let rows = vec![
        row("a", 0, 1, "shared:3"),
        row("a2", 0, 2, "shared:3"),
        row("b", 1, 3, "shared:2"),
        row("c", 2, 4, "exclusive"),
        row("d", 3, 5, "shared:4"),
    ];
    assert_eq!(conclusion(&world(vec![dealer(); 4], rows.clone())), "a d");
    let exclusive = ContractRow { sale: "exclusive", ..rows[0].clone() };
    assert_eq!(conclusion(&world(vec![dealer(); 4], [vec![exclusive], rows[1..].to_vec()].concat())), "a");
}

#[test]
fn protected_shares_only_with_protected_and_closed_with_nobody() {
    let row = |id, dealer, territory| ContractRow {
        territory,
        sale: "shared:3",
        area: "county",
        ..contract(id, dealer)
    };
    let all = |first| vec![row("a", 0, first), row("p", 1, "protected"), row("o", 2, "open")];
    let rank = |mut rows: Vec<ContractRow>| {
        rows[0].area = "zip";
        world(vec![dealer(); 3], rows)
    };
    assert_eq!(conclusion(&rank(all("protected"))), "a p");
    assert_eq!(conclusion(&rank(all("closed"))), "a");
    // What the protected one takes, nobody else gets: the first had it for being more specific.
    assert_eq!(conclusion(&rank(all("first"))), "a");
}

#[test]
fn a_protected_contract_that_may_not_share_leaves_the_seat_to_its_own_dealers_open_one() {
    let row = |id, dealer, area| ContractRow { area, sale: "shared:2", ..contract(id, dealer) };
    let first = ContractRow { territory: "first", ..row("f", 0, "zip") };
    let protected = ContractRow { territory: "protected", sale: "exclusive", ..row("p", 1, "county") };
    // The other's open one ranks first: only the territory keeps it out.
    let other = ContractRow { tier: 1, ..row("x", 2, "any") };
    let own = ContractRow { tier: 2, ..row("o", 1, "any") };
    let mut world = world(vec![dealer(); 3], vec![first, protected, other, own]);
    assert_eq!(conclusion(&world), "f o");
    assert_eq!(failed(&world, "x"), Some(Rule::Territory));
    // Without such a one the seat stays empty.
    world.contracts.pop();
    assert_eq!(conclusion(&world), "f");
    assert_eq!(failed(&world, "x"), Some(Rule::Territory));
    // Nor may who has a seat already take a second.
    world.contracts.push(ContractRow { area: "any", sale: "shared:2", ..contract("o", 0) });
    assert_eq!(conclusion(&world), "f", "a dealer has one seat");
}

#[test]
fn a_seat_that_came_free_goes_to_one_who_may_share_it() {
    let row = |id, dealer, sale| ContractRow { sale, ..contract(id, dealer) };
    let mut world = world(
        vec![dealer(); 4],
        vec![
            row("a", 0, "shared:3"),
            row("b", 1, "shared:3"),
            row("c", 2, "shared:3"),
            row("d", 3, "exclusive"),
        ],
    );
    world.facts.holders = vec![dealer_id(0)];
    world.facts.excluded = vec![dealer_id(1)];
    world.facts.open_seats = Some(OpenSeats { of: 3, free: 2, protected: false });
    assert_eq!(conclusion(&world), "c");
    assert_eq!(failed(&world, "d"), Some(Rule::Territory));
    world.facts.open_seats = Some(OpenSeats { of: 3, free: 2, protected: true });
    assert_eq!(conclusion(&world), "territory");
}

#[test]
fn a_step_of_the_ranking_speaks_where_those_before_it_see_no_difference() {
    // Two miles apart: the nearer had a lead later, and pays less.
    let near = ContractRow { price: 10, ..contract("near", 0) };
    let far = ContractRow { price: 20, ..contract("far", 1) };
    let mut world = world(vec![dealer(), DealerRow { zip: "33125", ..dealer() }], vec![near, far]);
    let count = |last_assigned_ms| Count {
        used: [0; 5],
        stale: false,
        pass: 0,
        last_assigned_ms,
        money: 0,
        results: Vec::new(),
    };
    world.contract_counts = vec![count(2_000), count(1_000)];
    for (ranking, winner) in [
        (r#"["distance:10mi", "longest_ago"]"#, "far"),
        (r#"["distance:1mi", "longest_ago"]"#, "near"),
        (r#"["longest_ago", "distance:1mi"]"#, "far"),
        (r#"["price", "distance:1mi"]"#, "far"),
        (r#"["tier", "distance:10mi", "price"]"#, "far"),
    ] {
        world.ranking = ranking;
        assert_eq!(conclusion(&world), winner, "{ranking}");
    }
}

#[test]
fn a_cap_of_the_dealer_counts_across_its_contracts() {
    let mut world =
        world(vec![DealerRow { cap_day: "1", ..dealer() }], vec![contract("a", 0), contract("b", 0)]);
    world.dealer_counts = vec![FULL];
    assert_eq!(conclusion(&world), "cap until 2026-06-02T04:00:00Z");
    world.dealer_counts[0].stale = true;
    assert!(["a", "b"].contains(&conclusion(&world).as_str()));
}

#[test]
fn a_full_day_is_over_at_midnight_whether_it_has_23_hours_or_25() {
    let mut world = world(vec![dealer()], vec![ContractRow { cap_day: "1", ..contract("a", 0) }]);
    world.contract_counts = vec![FULL];
    for (now, midnight) in
        [("2026-03-08T06:00:00Z", "2026-03-09T04:00:00Z"), ("2026-11-01T06:00:00Z", "2026-11-02T05:00:00Z")]
    {
        world.now = at(now);
        assert_eq!(conclusion(&world), format!("cap until {midnight}"));
    }
}

#[test]
fn an_opening_after_the_clocks_change_is_at_the_new_hour() {
    let mut world = world(vec![shut("Su 08:00-09:00")], vec![contract("a", 0)]);
    for (now, opens) in
        [("2026-03-07T20:00:00Z", "2026-03-08T12:00:00Z"), ("2026-10-31T20:00:00Z", "2026-11-01T13:00:00Z")]
    {
        world.now = at(now);
        assert_eq!(conclusion(&world), format!("hours until {opens}"));
    }
}

#[test]
fn a_misss_record_has_both_values() {
    let rows = vec![
        ContractRow { min_band: "A1", ..contract("band", 0) },
        ContractRow { max_age_hours: "1", ..contract("age", 0) },
        ContractRow { cap_day: "1", ..contract("cap", 0) },
        ContractRow { ends: "2026-05-31", ..contract("ended", 0) },
        contract("paused", 0),
    ];
    let mut world = world(vec![dealer()], rows);
    world.facts.band = "B1".parse().unwrap();
    world.facts.opened_at = at("2026-06-01T14:30:00Z");
    world.contract_counts = vec![FULL; 3];
    let id: ContractId = "paused".parse().unwrap();
    world.switches.contracts =
        vec![Pause { id, reason: String::new(), until: Some(at("2026-06-01T17:00:00Z")) }].into();
    assert_eq!(conclusion(&world), "cap until 2026-06-01T17:00:00Z");
    let misses: Vec<String> = world
        .decide()
        .0
        .near_misses
        .iter()
        .map(|miss| format!("{}: needs {}, is {}", miss.contract, miss.needed, miss.found))
        .collect();
    let expected = [
        "cap: needs fewer than 1 a day, is 1",
        "band: needs band A1, is band B1",
        "age: needs at most 1 h old, is 2 h",
        "ended: needs active, is ended 2026-05-31",
        "paused: needs active, is paused",
    ];
    assert_eq!(misses, expected);
}

#[test]
fn what_is_placed_by_hand_or_only_watched_is_recommended() {
    let mut world = world(vec![dealer()], vec![contract("a", 0)]);
    world.mode = "manual";
    let recommended = |world: &World| match world.decide().0.conclusion {
        Conclusion::Wait { reason, recommended, .. } => format!("{reason} {}", recommended[0].contract),
        Conclusion::Assign(_) => panic!("it was given"),
    };
    assert_eq!(recommended(&world), "manual a");
    world.mode = "automatic";
    world.switches.shadow = true;
    assert_eq!(recommended(&world), "shadow a");
    world.switches.stop = true;
    assert_eq!(conclusion(&world), "stopped");
}

#[test]
fn a_seat_that_came_back_is_kept_while_whoever_would_have_it_is_only_recommended() {
    let shares = |id: &str, dealer: usize| ContractRow { sale: "shared:2", ..contract(id, dealer) };
    let mut world = world(vec![dealer(), dealer()], vec![shares("a", 0), shares("b", 1)]);
    let kept = |world: &World| world.decide().0.kept;
    world.mode = "manual";
    assert_eq!(kept(&world), None, "nobody holds it: all of it waits");
    world.facts.holders = vec![dealer_id(0)];
    world.facts.open_seats = Some(OpenSeats { of: 2, free: 1, protected: false });
    assert_eq!(kept(&world), Some(Kept { reason: Waiting::Manual, until: None }));
    world.mode = "automatic";
    world.switches.shadow = true;
    assert_eq!(kept(&world), Some(Kept { reason: Waiting::Shadow, until: None }));
    // Where nobody would have it, it stays empty.
    world.contracts[1].sale = "exclusive";
    assert_eq!(kept(&world), None);
}

#[test]
fn where_nobody_is_the_reason_is_the_area_and_where_nobody_sells_it_the_offer() {
    let mut world =
        world(vec![dealer()], vec![ContractRow { area: "georgia", offers: "roof", ..contract("a", 0) }]);
    assert_eq!(conclusion(&world), "area");
    world.contracts[0].offers = "pool";
    assert_eq!(conclusion(&world), "offer");
}
