//! Reading a rulebook of 100,000 contracts: every cell, every reference. The bar is a second.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};

const DEALERS: usize = 5_000;
const AREAS: usize = 5_000;

fn files(contracts: usize) -> RulebookFiles {
    let mut offers = String::new();
    for offer in 0..20 {
        let _ =
            write!(offers, "[[offer]]\nid = \"offer-{offer}\"\ncategory = \"roofing\"\nname = \"Offer\"\n");
    }
    let mut sources = String::new();
    for source in 0..50 {
        let _ = write!(sources, "[[source]]\nid = \"source-{source}\"\nkind = \"form\"\n");
    }
    let mut dealers = "dealer,kind,name,contact,email,phone,zip,zone,hours,holidays,cap_day\n".to_owned();
    let mut areas = "area,part\n".to_owned();
    for number in 0..DEALERS {
        let _ = writeln!(
            dealers,
            "dealer-{number},outside,\"Dealer, {number}\",Ann,d{number}@dealer.example,+1 305 555 0100,33101,America/Chicago,Mo-Fr 08:00-18:00; Sa 09:00-12:00,2026-12-25,50"
        );
    }
    for number in 0..AREAS {
        for part in 0..10 {
            let _ = writeln!(areas, "area-{number},zip:{:05}", 10_000 + number * 10 + part);
        }
    }
    let mut table = "contract,dealer,offers,sources,area,territory,sale,when_unavailable,min_band,needs,max_age_hours,tier,weight,price,cap_hour,cap_day,cap_week,cap_month,cap_total,budget_month,deadline_minutes,deadline_clock,after_hours,return_days,return_quota,return_reasons,starts,ends\n".to_owned();
    for number in 0..contracts {
        let _ = writeln!(
            table,
            "contract-{number},dealer-{},offer-{} offer-{},*,area-{},open,shared:3,next,B2,consent,72,1,2,45.00,,10,,100,,,,,hold,,,,2026-01-01,2026-12-31",
            number % DEALERS,
            number % 20,
            (number + 7) % 20,
            number * 7 % AREAS
        );
    }
    let company = "id = \"big\"\nname = \"Big\"\nzone = \"America/New_York\"\n".to_owned();
    let files = [
        ("company.toml", company),
        ("offers.toml", offers),
        ("sources.toml", sources),
        ("scoring.toml", String::new()),
        ("dealers.csv", dealers),
        ("areas.csv", areas),
        ("contracts.csv", table),
    ];
    RulebookFiles::new(files.map(|(name, text)| (name, text.into_bytes()))).unwrap_or_default()
}

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("rulebook");
    group.sample_size(10);
    for contracts in [10_000, limits::CONTRACTS] {
        let files = files(contracts);
        assert!(Rulebook::parse(&files).is_ok_and(|book| book.contracts.len() == contracts));
        group.bench_function(format!("parse {contracts} contracts"), |b| {
            b.iter(|| Rulebook::parse(black_box(&files)));
        });
    }
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
