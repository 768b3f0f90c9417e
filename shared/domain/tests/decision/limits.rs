//! One example for each rule of caps, budgets and balances, of seats that are left, and of what a ranking
//! looks back on.

use leadyard_domain::distribution::{Conclusion, OpenSeats};

use crate::world::{ContractRow, Count, DealerRow, World, at, contract, dealer, dealer_id, world};

/// `a b` for seats in order; `cap until …` for a lead that waits.
fn conclusion(world: &World) -> String {
    match world.decide().0.conclusion {
        Conclusion::Assign(seats) => {
            seats.iter().map(|seat| seat.contract.to_string()).collect::<Vec<_>>().join(" ")
        }
        Conclusion::Wait { reason, until: Some(until), .. } => format!("{reason} until {until}"),
        Conclusion::Wait { reason, until: None, .. } => reason.to_string(),
    }
}

fn count() -> Count {
    Count { used: [0; 5], stale: false, pass: 0, last_assigned_ms: 0, money: 0, results: Vec::new() }
}

fn full() -> Count {
    Count { used: [1; 5], ..count() }
}

#[test]
fn a_full_period_is_over_when_the_next_begins_where_the_dealer_is() {
    let row = |column: &str| {
        let mut row = contract("a", 0);
        match column {
            "hour" => row.cap_hour = "1",
            "day" => row.cap_day = "1",
            "week" => row.cap_week = "1",
            "month" => row.cap_month = "1",
            _ => row.cap_total = "1",
        }
        row
    };
    let los_angeles = DealerRow { zone: "America/Los_Angeles", ..dealer() };
    for (column, company, over) in [
        ("hour", "", "cap until 2026-06-01T17:00:00Z"),
        ("day", "", "cap until 2026-06-02T07:00:00Z"),
        ("week", "", "cap until 2026-06-08T07:00:00Z"),
        ("week", "week_starts = \"sunday\"\n", "cap until 2026-06-07T07:00:00Z"),
        ("month", "", "cap until 2026-07-01T07:00:00Z"),
        ("total", "", "cap"),
    ] {
        let mut world = world(vec![los_angeles.clone()], vec![row(column)]);
        world.company = company;
        world.contract_counts = vec![full()];
        assert_eq!(conclusion(&world), over, "{column} {company}");
        world.contract_counts[0].stale = true;
        let lasts = column == "total";
        assert_eq!(conclusion(&world), if lasts { "cap" } else { "a" }, "{column} is over");
    }
    // A week in which the clocks change is 167 hours.
    let mut world = world(vec![dealer()], vec![row("week")]);
    world.now = at("2026-03-06T12:00:00Z");
    world.contract_counts = vec![full()];
    assert_eq!(conclusion(&world), "cap until 2026-03-09T04:00:00Z");
}

#[test]
fn of_two_full_periods_the_later_is_waited_for() {
    let row = ContractRow { cap_hour: "1", cap_day: "1", cap_week: "1", ..contract("a", 0) };
    let mut world = world(vec![dealer()], vec![row]);
    world.contract_counts = vec![full()];
    assert_eq!(conclusion(&world), "cap until 2026-06-08T04:00:00Z");
    // The dealer's own day is full as well, and its month.
    world.dealers[0].cap_month = "1";
    world.dealer_counts = vec![full()];
    assert_eq!(conclusion(&world), "cap until 2026-07-01T04:00:00Z");
}

#[test]
fn a_budget_and_a_balance_are_used_to_the_last_cent_and_not_beyond() {
    let budget = ContractRow { budget_month: "15", ..contract("a", 0) };
    let mut world = world(vec![dealer()], vec![budget]);
    world.contract_counts = vec![Count { money: 500, ..count() }];
    assert_eq!(conclusion(&world), "a");
    world.contract_counts[0].money = 501;
    assert_eq!(conclusion(&world), "cap until 2026-07-01T04:00:00Z");
    // What an earlier month spent is nothing to this one.
    world.contract_counts[0].stale = true;
    assert_eq!(conclusion(&world), "a");
    world.dealers[0].prepaid = "yes";
    assert_eq!(conclusion(&world), "cap");
    world.dealer_counts = vec![Count { money: 999, ..count() }];
    assert_eq!(conclusion(&world), "cap");
    world.dealer_counts[0].money = 1_000;
    assert_eq!(conclusion(&world), "a");
}

#[test]
fn equally_specific_territories_are_one_voice_and_the_ranking_chooses() {
    let row = |id, dealer, tier| ContractRow {
        area: "county",
        territory: "protected",
        when_unavailable: "wait",
        tier,
        ..contract(id, dealer)
    };
    let mut world = world(vec![dealer(); 2], vec![row("p", 0, 2), row("q", 1, 1)]);
    assert_eq!(conclusion(&world), "q");
    // While one of them is free, nobody waits for the other.
    world.dealers[1].hours = "Tu 08:00-09:00";
    assert_eq!(conclusion(&world), "p");
}

#[test]
fn no_more_seats_are_given_than_are_left() {
    let rows = (0..4).map(|n| ContractRow { sale: "shared:3", ..contract(["a", "b", "c", "d"][n], n) });
    let mut world = world(vec![dealer(); 4], rows.collect());
    let seats = |world: &World| conclusion(world).split(' ').count();
    assert_eq!(seats(&world), 3);
    // One holds it, one held it and did not sell: of three seats one is left.
    world.facts.holders = vec![dealer_id(0)];
    world.facts.excluded = vec![dealer_id(1)];
    world.facts.open_seats = Some(OpenSeats { of: 3, free: 1, protected: false });
    assert!(["c", "d"].contains(&conclusion(&world).as_str()));
    world.facts.open_seats = Some(OpenSeats { of: 3, free: 0, protected: false });
    assert_eq!(conclusion(&world), "territory");
}

#[test]
fn a_territory_that_may_not_share_or_has_its_seat_is_not_waited_for() {
    let row = |id, dealer, territory, area| ContractRow {
        territory,
        area,
        sale: "shared:2",
        when_unavailable: "wait",
        ..contract(id, dealer)
    };
    // The holder's own county waits for its opening: the second seat is the next one's.
    let mut world = world(
        vec![DealerRow { hours: "Tu 08:00-09:00", ..dealer() }, dealer()],
        vec![row("p", 0, "first", "county"), row("o", 1, "open", "any")],
    );
    world.facts.holders = vec![dealer_id(0)];
    world.facts.open_seats = Some(OpenSeats { of: 2, free: 1, protected: false });
    assert_eq!(conclusion(&world), "o");
    // Nor is one that is exclusive: it might never sit beside the holder.
    world.facts.holders = vec![dealer_id(2)];
    world.dealers.push(dealer());
    assert_eq!(conclusion(&world), "hours until 2026-06-02T12:00:00Z");
    world.contracts[0].sale = "exclusive";
    assert_eq!(conclusion(&world), "o");
}

#[test]
fn performance_looks_back_by_whole_weeks() {
    let mut world = world(vec![dealer(); 2], vec![contract("a", 0), contract("b", 1)]);
    world.ranking = r#"["performance:90d:10"]"#;
    let won = |ago| Count { results: vec![(ago, 20, 20)], ..count() };
    let lost = || Count { results: vec![(0, 20, 0)], ..count() };
    for number in 0..8 {
        world.facts.lead = leadyard_domain::ids::LeadId::from_bytes([number; 16]);
        world.contract_counts = vec![won(12), lost()];
        assert_eq!(conclusion(&world), "a");
        // Thirteen weeks ago is over: nothing is known of it, and the mean of the two is the other's.
        world.contract_counts = vec![won(13), Count { results: vec![(0, 20, 1), (1, 20, 3)], ..count() }];
        let without = conclusion(&world);
        world.contract_counts[0].results.clear();
        assert_eq!(conclusion(&world), without);
    }
}
