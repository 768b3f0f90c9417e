//! Reading a rulebook of 100,000 contracts: every cell, every reference. The bar is a second. And checking
//! one: the bar is two seconds for 10,000 contracts, most of them circles around a dealer, a fifth of them
//! territories.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use leadyard_domain::limits;
use leadyard_domain::place;
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

/// Dealers all over the country, each with a circle, a county or a state; every fifth compels.
fn country(contracts: usize) -> RulebookFiles {
    let zips: Vec<_> = place::all().filter(|place| place.population() > 0).collect();
    let mut offers = String::new();
    for offer in 0..20 {
        let category = ["roofing", "solar"][offer % 2];
        let _ =
            write!(offers, "[[offer]]\nid = \"offer-{offer}\"\ncategory = \"{category}\"\nname = \"O\"\n");
    }
    let mut areas = "area,part\nany,any\n".to_owned();
    for miles in [10, 15, 25, 40, 60, 100] {
        let _ = writeln!(areas, "within-{miles},radius_mi:{miles}");
    }
    let mut dealers = "dealer,name,zip,zone,hours,cap_day\n".to_owned();
    let mut table = "contract,dealer,offers,sources,area,territory,sale,when_unavailable,min_band,price,cap_day,cap_month\n".to_owned();
    for number in 0..contracts {
        let dealer = number / 3;
        let place = zips[dealer * 7_919 % zips.len()];
        if number % 3 == 0 {
            let hours = ["Mo-Fr 08:00-18:00; Sa 09:00-12:00", "24/7", "Mo-Su 07:00-21:00"][dealer % 3];
            let _ = writeln!(dealers, "dealer-{dealer},D,{},{},{hours},50", place.zip(), place.zone());
        }
        let area = match number % 20 {
            0 => format!("state-{}", place.state()).to_lowercase(),
            1..4 => {
                format!("county-{}", place.county().map_or_else(String::new, |county| county.to_string()))
            }
            _ => format!("within-{}", [10, 15, 25, 40, 60, 100][number % 6]),
        };
        let area = if area == "county-" { "any".to_owned() } else { area };
        let territory =
            ["open", "open", "first", "open", "protected", "open", "open", "closed", "open", "open"]
                [number % 10];
        let _ = writeln!(
            table,
            "contract-{number},dealer-{dealer},offer-{} offer-{},*,{area},{territory},exclusive,{},B2,45.00,10,100",
            number % 20,
            (number + 8) % 20,
            ["wait", "next"][number % 2],
        );
    }
    for state in place::State::ALL {
        let _ = writeln!(areas, "{},state:{state}", format!("state-{state}").to_lowercase());
    }
    let mut counties: Vec<_> = place::all().filter_map(place::Place::county).collect();
    counties.sort_unstable();
    counties.dedup();
    for county in counties {
        let _ = writeln!(areas, "county-{county},county:{county}");
    }
    let files = [
        ("company.toml", "id = \"big\"\nname = \"Big\"\nzone = \"America/New_York\"\n".to_owned()),
        ("offers.toml", offers),
        ("sources.toml", "[[source]]\nid = \"page\"\nkind = \"form\"\n".to_owned()),
        ("scoring.toml", String::new()),
        ("dealers.csv", dealers),
        ("areas.csv", areas),
        ("contracts.csv", table),
    ];
    RulebookFiles::new(files.map(|(name, text)| (name, text.into_bytes()))).unwrap_or_default()
}

fn check(c: &mut Criterion) {
    let mut group = c.benchmark_group("rulebook");
    group.sample_size(10);
    let today = "2026-06-01".parse().unwrap_or_default();
    for contracts in [10_000, limits::CONTRACTS] {
        let Ok(book) = Rulebook::parse(&country(contracts)) else { unreachable!("the files are good") };
        assert_eq!(book.contracts.len(), contracts);
        group.bench_function(format!("check {contracts} contracts"), |b| {
            b.iter(|| black_box(&book).check(today));
        });
    }
    group.finish();
}

criterion_group!(benches, parse, check);
criterion_main!(benches);
