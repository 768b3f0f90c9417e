//! How long a backtest of 100,000 leads takes, from the lines of an export to the difference:
//! `cargo bench -p leadyard-domain --bench backtest -- [LEADS]`.
//!
//! The history is that of the demo rulebook over a month, one lead every 26 seconds where people live. It
//! is run under the same rulebook, where every lead goes as it went, and under one in which half the
//! contracts are gone, where many do not and each must say why.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench reads the clock, prints, and ends when it cannot go on"
)]

use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::backtest::history::{Assigned, Decided, Read};
use leadyard_domain::backtest::{Difference, Event, Window, backtest};
use leadyard_domain::contract::Needs;
use leadyard_domain::distribution::{Conclusion, Counters, LeadFacts, Location, Switches, decide, screen};
use leadyard_domain::ids::{LeadId, OfferId, SourceId};
use leadyard_domain::lead::AssignmentState;
use leadyard_domain::place;
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_domain::scoring::Band;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/local/demo");

fn main() {
    // Cargo passes `--bench`.
    let leads = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(100_000);
    let demo = rulebook(1);
    let began = Instant::now();
    let (lines, window) = history(&demo, leads);
    let bytes: usize = lines.iter().map(String::len).sum();
    println!(
        "{leads} leads made in {:.1} s, {} MB as an export",
        began.elapsed().as_secs_f64(),
        bytes / 1_000_000
    );
    for (what, book) in [("the same rulebook", demo), ("half the contracts gone", rulebook(2))] {
        let began = Instant::now();
        let events: Vec<Event> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let read = began.elapsed();
        let compiled = book.compile(1).unwrap();
        let found: Difference = backtest(&book, compiled, &events, window, &mut |_, _| {}).unwrap();
        println!(
            "{what}: read in {:.1} s, in all {:.1} s (bar 30); {} of {} leads change",
            read.as_secs_f64(),
            began.elapsed().as_secs_f64(),
            found.changed,
            found.leads
        );
    }
}

/// The demo's rulebook with every `nth` of its contracts.
fn rulebook(nth: usize) -> Rulebook {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(DEMO).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "tests.toml" || !path.extension().is_some_and(|end| end == "toml" || end == "csv") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let text = if name == "contracts.csv" {
            let kept = text.lines().enumerate().filter(|(at, _)| at % nth == 0);
            kept.map(|(_, row)| row).collect::<Vec<_>>().join("\n")
        } else {
            text
        };
        files.push((name, text.into_bytes()));
    }
    Rulebook::parse(&RulebookFiles::new(files).unwrap()).expect("the demo is a rulebook")
}

/// A month under a rulebook, each lead decided on counters that nobody has used.
fn history(book: &Rulebook, leads: usize) -> (Vec<String>, Window) {
    let compiled = book.compile(1).unwrap();
    let from: Timestamp = "2026-05-01T00:00:00Z".parse().unwrap();
    let step = SignedDuration::from_hours(24 * 30) / i32::try_from(leads).unwrap();
    let homes: Vec<_> = place::all().filter(|place| place.population() > 2_000).collect();
    let (offers, sources): (Vec<&OfferId>, Vec<&SourceId>) = (
        book.offers.iter().map(|offer| &offer.id).collect(),
        book.sources.iter().map(|source| &source.id).collect(),
    );
    let bands: Vec<Band> = Band::all().collect();
    let chunks: std::collections::HashMap<_, _> =
        compiled.chunks.iter().map(|(key, chunk)| (key.clone(), Arc::new(chunk.clone()))).collect();
    let mut lines = Vec::with_capacity(leads);
    let mut at = from;
    for n in 0..leads {
        let offer = book.offers.iter().find(|offer| &offer.id == offers[n % offers.len()]).unwrap();
        let facts = LeadFacts {
            lead: LeadId::mint(
                at,
                (n as u128 * 0x9e37_79b9_7f4a_7c15).to_be_bytes()[6..].try_into().unwrap(),
            ),
            cycle: 1,
            offer: offer.id.clone(),
            category: offer.category.clone(),
            source: sources[n % sources.len()].clone(),
            opened_at: at,
            location: Location::Zip(homes[n * 7_919 % homes.len()].zip()),
            band: bands[n % 4],
            brings: Needs::default(),
            excluded: Vec::new(),
            holders: Vec::new(),
            open_seats: None,
        };
        let keys = compiled.core.chunks_for(&facts.category, facts.location.state());
        let chunks: Vec<_> = keys.iter().filter_map(|key| chunks.get(key)).map(Arc::clone).collect();
        let switches = Switches::default();
        let screened = screen(&facts, &compiled.core, &chunks, &switches, at);
        let (contracts, dealers) = screened.counters_to_read();
        let counters = Counters::default();
        let decision = decide(&screened, &counters, at, 1);
        let (seats, waiting) = match decision.conclusion {
            Conclusion::Assign(seats) => (seats, None),
            Conclusion::Wait { reason, .. } => (Vec::new(), Some(reason)),
        };
        let given = seats.iter().map(|seat| Assigned {
            at,
            contract: seat.contract.clone(),
            dealer: seat.dealer.clone(),
            price: seat.price,
            prepaid: false,
            by_desk: false,
            state: AssignmentState::Accepted,
            state_at: at,
        });
        let decided = Decided {
            at,
            contracts: seats.iter().map(|seat| seat.contract.clone()).collect(),
            waiting,
            beside_desk: false,
            switches: Some(Switches::default()),
            read: Some(Read::of(&contracts, &dealers, &counters)),
            given: given.collect(),
            seed: 1,
            facts: facts.clone(),
        };
        lines.push(serde_json::to_string(&Event::Decided(Box::new(decided))).unwrap());
        at = at.checked_add(step).unwrap();
    }
    (lines, Window { from, to: at.checked_add(SignedDuration::from_hours(1)).unwrap() })
}
