//! What is known of leads that another system, or the desk alone, had a hand in.

use jiff::Timestamp;

use super::history::{Assigned, Decided, Read};
use super::{Difference, Event, Window, backtest};
use crate::contract::Needs;
use crate::distribution::{Counters, LeadFacts, Location};
use crate::ids::{ContractId, LeadId};
use crate::lead::AssignmentState;
use crate::money::Money;
use crate::rulebook::{Rulebook, RulebookFiles};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Hudson takes roofs in Florida, whatever they are worth.
const fn files() -> [(&'static str, &'static str); 8] {
    [
        ("company.toml", "id = \"acme\"\nname = \"Acme\"\nzone = \"America/New_York\"\n"),
        ("offers.toml", "[[offer]]\nid = \"roof\"\ncategory = \"roofing\"\nname = \"Roof\"\n"),
        ("sources.toml", "[[source]]\nid = \"web\"\nkind = \"form\"\n"),
        ("scoring.toml", ""),
        ("dealers.csv", "dealer,name,zip,zone,hours\nhudson,Hudson,33101,America/New_York,24/7\n"),
        ("channels.csv", "dealer,order,kind,address\nhudson,1,webhook,https://hudson.example/leads\n"),
        ("areas.csv", "area,part\nflorida,state:FL\n"),
        ("contracts.csv", "contract,dealer,offers,sources,area,price\nhudson,hudson,*,*,florida,10.00\n"),
    ]
}

fn parse(files: [(&str, &str); 8]) -> Rulebook {
    let files = files.map(|(name, text)| (name, text.as_bytes().to_vec()));
    Rulebook::parse(&RulebookFiles::new(files).unwrap()).unwrap()
}

/// A decision of which no more is known than when it was, and what of.
fn decided(number: u8, zip: &str) -> Decided {
    Decided {
        at: at("2026-06-01T16:00:00Z"),
        facts: LeadFacts {
            lead: LeadId::from_bytes([number; 16]),
            cycle: 1,
            offer: "roof".parse().unwrap(),
            category: "roofing".parse().unwrap(),
            source: "web".parse().unwrap(),
            opened_at: at("2026-06-01T16:00:00Z"),
            location: Location::Zip(zip.parse().unwrap()),
            band: "A1".parse().unwrap(),
            brings: Needs::NONE,
            excluded: Vec::new(),
            holders: Vec::new(),
            open_seats: None,
        },
        seed: 1,
        contracts: Vec::new(),
        waiting: None,
        beside_desk: false,
        switches: None,
        read: None,
        given: Vec::new(),
    }
}

fn backtested(history: impl IntoIterator<Item = Decided>) -> Difference {
    let book = parse(files());
    let compiled = book.compile(1).unwrap();
    let window = Window { from: at("2026-06-01T00:00:00Z"), to: at("2026-06-03T00:00:00Z") };
    let history: Vec<Event> = history.into_iter().map(|one| Event::Decided(Box::new(one))).collect();
    backtest(&book, compiled, &history, window, &mut |_, _| {}).unwrap()
}

/// (reason, before, after)
fn unmatched(found: &Difference) -> Vec<(&str, usize, usize)> {
    found.unmatched.iter().map(|of| (of.reason.as_str(), of.before, of.after)).collect()
}

/// A seat of the lead that the desk gave.
fn given(state: AssignmentState, contract: &str) -> Assigned {
    Assigned {
        at: at("2026-06-01T16:00:00Z"),
        contract: contract.parse().unwrap(),
        dealer: contract.parse().unwrap(),
        price: Money::from_minor(1_000),
        prepaid: false,
        by_desk: true,
        state,
        state_at: at("2026-06-01T17:00:00Z"),
    }
}

#[test]
fn a_lead_that_another_system_never_placed_was_nobodys() {
    // One that hudson would have had, and one whose area nobody covers.
    let found = backtested([decided(1, "33101"), decided(2, "80219")]);
    assert_eq!(unmatched(&found), [("area", 0, 1), ("nobody", 2, 0)]);
    assert_eq!((found.before.matched, found.after.matched), (0, 1));
    let change = &found.changes[0];
    assert_eq!((found.changes.len(), change.waited.as_str(), change.waits.as_str()), (1, "nobody", ""));
}

#[test]
fn a_lead_that_only_the_desk_placed_with_a_contract_that_is_gone_would_be_nobodys() {
    let placed = |given| Decided { beside_desk: true, given: vec![given], ..decided(1, "80219") };
    let found = backtested([placed(given(AssignmentState::Offered, "ridge"))]);
    assert_eq!(unmatched(&found), [("nobody", 0, 1)]);
    assert_eq!(found.changes[0].why, "the desk placed it with ridge, which is not in the new rulebook");
    // With one that is there it is placed again, and given back again.
    let found = backtested([placed(given(AssignmentState::Declined, "hudson"))]);
    assert!(found.is_none(), "{found:?}");
    assert_eq!(unmatched(&found), [("given_back", 1, 1)]);
}

#[test]
fn a_lead_that_the_desk_gave_again_to_a_dealer_that_had_lost_it_was_bought_twice_and_would_be() {
    let lost = given(AssignmentState::Lost, "hudson");
    let again = Assigned { at: at("2026-06-01T18:00:00Z"), ..given(AssignmentState::Accepted, "hudson") };
    let placed = |given: Assigned| Decided {
        at: given.at,
        beside_desk: true,
        given: vec![given],
        ..decided(1, "33101")
    };
    let found = backtested([placed(lost), placed(again)]);
    assert!(found.is_none(), "{found:?}");
    assert_eq!((found.before.seats, found.after.seats, found.after.value), (2, 2, found.before.value));
}

#[test]
fn what_was_won_is_counted_from_the_beginning_where_no_ranking_had_asked_for_it() {
    let mut files = files();
    files[1].1 = "[[offer]]\nid = \"roof\"\ncategory = \"roofing\"\nname = \"Roof\"\nranking = [\"performance:90d:1\"]\n";
    files[4].1 = "dealer,name,zip,zone,hours\nhudson,Hudson,33101,,24/7\nridge,Ridge,33101,,24/7\n";
    files[5].1 = "dealer,order,kind,address\nhudson,1,inbox,\nridge,1,inbox,\n";
    files[7].1 = "contract,dealer,offers,sources,area,price\nhudson,hudson,*,*,florida,10.00\nridge,ridge,*,*,florida,10.00\n";
    let book = parse(files);
    let compiled = book.compile(1).unwrap();
    // Hudson won what it had on the first of June, ridge did not. A day later nobody looked at that, and ridge had the
    // next.
    let hudson: ContractId = "hudson".parse().unwrap();
    let won = Assigned { by_desk: false, ..given(AssignmentState::Won, "hudson") };
    let first = Decided { contracts: vec![hudson.clone()], given: vec![won], ..decided(1, "33101") };
    let kept = Assigned { by_desk: false, ..given(AssignmentState::Offered, "ridge") };
    let other =
        Decided { contracts: vec!["ridge".parse().unwrap()], given: vec![kept], ..decided(99, "33101") };
    let now = at("2026-06-02T16:00:00Z");
    let run = |number, without_results| {
        let ridge: ContractId = "ridge".parse().unwrap();
        let had = Assigned { by_desk: false, at: now, ..given(AssignmentState::Offered, "ridge") };
        let read =
            Read { without_results, ..Read::of(&[hudson.clone(), ridge.clone()], &[], &Counters::default()) };
        let second = Decided {
            at: now,
            contracts: vec![ridge],
            given: vec![had],
            read: Some(read),
            ..decided(number, "33101")
        };
        let history = [first.clone(), other.clone(), second].map(|one| Event::Decided(Box::new(one)));
        let window = Window { from: at("2026-06-02T00:00:00Z"), to: at("2026-06-03T00:00:00Z") };
        backtest(&book, compiled.clone(), &history, window, &mut |_, _| {}).unwrap()
    };
    // One that would be ridge's if neither had won anything.
    let number = (2..40).find(|number| run(*number, false).is_none()).unwrap();
    assert_eq!(run(number, true).changes[0].after, std::slice::from_ref(&hudson));
}

#[test]
fn a_period_that_was_not_kept_is_counted_from_the_beginning() {
    let mut files = files();
    files[7].1 = "contract,dealer,offers,sources,area,price,cap_day\nhudson,hudson,*,*,florida,10.00,1\n";
    let book = parse(files);
    let compiled = book.compile(1).unwrap();
    let hudson: ContractId = "hudson".parse().unwrap();
    // Two in a day, when nothing was capped; the second read hudson's counters, and kept what it asked of them.
    let had = |number, minute: &str, read| {
        let now = at(minute);
        let given = Assigned { by_desk: false, at: now, ..given(AssignmentState::Offered, "hudson") };
        let contracts = vec![hudson.clone()];
        Decided { at: now, contracts, given: vec![given], read, ..decided(number, "33101") }
    };
    let changes = |as_asked| {
        let read = Read { as_asked, ..Read::of(std::slice::from_ref(&hudson), &[], &Counters::default()) };
        let history = [had(1, "2026-06-01T16:00:00Z", None), had(2, "2026-06-01T16:05:00Z", Some(read))];
        let history = history.map(|one| Event::Decided(Box::new(one)));
        let window = Window { from: at("2026-06-01T00:00:00Z"), to: at("2026-06-01T20:00:00Z") };
        let found = backtest(&book, compiled.clone(), &history, window, &mut |_, _| {}).unwrap();
        found.changes.iter().map(|change| change.after.len()).collect::<Vec<_>>()
    };
    assert!(changes(false).is_empty(), "it had none before");
    assert_eq!(changes(true), [0], "nobody knows what it had before: the first of the day counts");
}
