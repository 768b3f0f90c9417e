//! Workbooks of 100,000 contracts: out, in, and what is different.
//!
//! `cargo bench -p leadyard-domain --features xlsx --bench workbook`

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::civil::{DateTime, date};
use leadyard_domain::limits;
use leadyard_domain::rulebook::workbook::export;
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};

const DEALERS: usize = 5_000;

/// The TOML files, and the tables as CSV.
fn files() -> Vec<(&'static str, String)> {
    let mut dealers = "dealer,name,zip,hours,cap_day\n".to_owned();
    let mut areas = "area,part\n".to_owned();
    for number in 0..DEALERS {
        let _ = writeln!(dealers, "dealer-{number},Dealer {number},33101,Mo-Fr 08:00-18:00,50");
        let _ = writeln!(areas, "area-{number},zip:{:05}", 10_000 + number);
    }
    let mut contracts = "contract,dealer,offers,sources,area,territory,sale,when_unavailable,min_band,needs,max_age_hours,tier,weight,price,cap_day,cap_month,after_hours,starts,ends\n".to_owned();
    for number in 0..limits::CONTRACTS {
        let _ = writeln!(
            contracts,
            "contract-{number},dealer-{},roof,*,area-{},open,shared:3,next,B2,consent,72,1,2,45.00,10,100,hold,2026-01-01,2026-12-31",
            number % DEALERS,
            number * 7 % DEALERS
        );
    }
    let company = "id = \"big\"\nname = \"Big\"\nzone = \"America/New_York\"\n".to_owned();
    let offers = "[[offer]]\nid = \"roof\"\ncategory = \"roofing\"\nname = \"Roof\"\n".to_owned();
    let sources = "[[source]]\nid = \"page\"\nkind = \"form\"\n".to_owned();
    vec![
        ("company.toml", company),
        ("offers.toml", offers),
        ("sources.toml", sources),
        ("scoring.toml", String::new()),
        ("dealers.csv", dealers),
        ("channels.csv", "dealer,order,kind,address\n".to_owned()),
        ("areas.csv", areas),
        ("contracts.csv", contracts),
    ]
}

fn folder(files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> RulebookFiles {
    RulebookFiles::new(files).unwrap_or_default()
}

fn noon() -> DateTime {
    date(2026, 5, 9).at(12, 0, 0, 0)
}

fn workbook(c: &mut Criterion) {
    let mut group = c.benchmark_group("workbook");
    group.sample_size(10);
    let bytes = files().into_iter().map(|(name, text)| (name, text.into_bytes()));
    let Ok(book) = Rulebook::parse(&folder(bytes)) else { return };
    let Ok(workbook) = export(&book, noon()) else { return };
    let tomls = files().into_iter().filter(|(name, _)| name.ends_with("toml"));
    let tomls = tomls.map(|(name, text)| (name, text.into_bytes()));
    let files = folder(tomls.chain([("rulebook.xlsx", workbook)]));
    assert!(Rulebook::parse(&files).is_ok_and(|back| back == book));
    group.bench_function("read 100000 contracts", |b| b.iter(|| black_box(&files).unpacked()));
    group
        .bench_function("read and parse 100000 contracts", |b| b.iter(|| Rulebook::parse(black_box(&files))));
    group.bench_function("write 100000 contracts", |b| b.iter(|| export(black_box(&book), noon())));
    group.bench_function("compare 100000 contracts", |b| b.iter(|| book.diff(black_box(&book))));
    group.finish();
}

criterion_group!(benches, workbook);
criterion_main!(benches);
