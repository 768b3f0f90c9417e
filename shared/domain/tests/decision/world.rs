//! Small worlds: few places, few dealers, so that territories, seats and caps meet in every one.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use leadyard_domain::contract::Needs;
use leadyard_domain::distribution::counters::{WeekResults, week_of};
use leadyard_domain::distribution::{
    Chunk, Compiled, Counters, Decision, Judged, LeadFacts, Location, Reservation, Switches, Taker, Usage,
    explain, screen, takers,
};
use leadyard_domain::ids::{DealerId, LeadId};
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_domain::time::{self, Period};
use proptest::prelude::ProptestConfig;

/// Two neighbours in Miami, one in the next county, one at Georgia's border and one behind it, one
/// without coordinates.
pub(crate) const ZIPS: [&str; 6] = ["33130", "33125", "33301", "32344", "31601", "90085"];

/// What areas are made of.
pub(crate) const AREAS: [(&str, &[&str]); 16] = [
    ("zip", &["zip:33130"]),
    ("zips", &["zip:33125", "zip:31601", "zip:90085"]),
    ("zip3", &["zip3:331"]),
    ("county", &["county:12086"]),
    ("counties", &["county:12011", "county:12086"]),
    ("near", &["radius_mi:5"]),
    ("around", &["radius_mi:50"]),
    ("far", &["radius_mi:100"]),
    ("wide", &["radius_mi:500"]),
    ("florida", &["state:FL"]),
    ("georgia", &["state:GA"]),
    ("south", &["state:FL", "state:GA"]),
    ("any", &["any"]),
    ("any-and-zip", &["any", "zip:33130"]),
    ("any-and-near", &["any", "radius_mi:50", "state:GA"]),
    ("rings", &["radius_mi:100", "radius_mi:5", "state:FL"]),
];

pub(crate) const OFFERS: [(&str, &str); 3] = [("roof", "roofing"), ("gutter", "roofing"), ("pool", "pools")];

/// This many cases, unless `PROPTEST_CASES` asks for another number; proptest itself reads it.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let unasked = 256; // proptest's own
    ProptestConfig { cases: if asked.cases == unasked { usual } else { asked.cases }, ..asked }
}

/// A row of `contracts.csv`, as text.
#[derive(Clone, Debug)]
pub(crate) struct ContractRow {
    pub(crate) id: String,
    pub(crate) dealer: usize,
    pub(crate) offers: &'static str,
    pub(crate) sources: &'static str,
    pub(crate) area: &'static str,
    pub(crate) territory: &'static str,
    pub(crate) sale: &'static str,
    pub(crate) when_unavailable: &'static str,
    pub(crate) min_band: &'static str,
    pub(crate) needs: &'static str,
    pub(crate) max_age_hours: &'static str,
    pub(crate) tier: u8,
    pub(crate) weight: u32,
    pub(crate) price: u32,
    pub(crate) cap_hour: &'static str,
    pub(crate) cap_day: &'static str,
    pub(crate) cap_week: &'static str,
    pub(crate) cap_total: &'static str,
    pub(crate) cap_month: &'static str,
    pub(crate) budget_month: &'static str,
    pub(crate) deadline: &'static str,
    pub(crate) after_hours: &'static str,
    pub(crate) starts: &'static str,
    pub(crate) ends: &'static str,
}

/// One that takes everything everywhere.
pub(crate) fn contract(id: &str, dealer: usize) -> ContractRow {
    ContractRow {
        id: id.to_owned(),
        dealer,
        offers: "*",
        sources: "*",
        area: "any",
        territory: "open",
        sale: "exclusive",
        when_unavailable: "next",
        min_band: "C3",
        needs: "",
        max_age_hours: "",
        tier: 1,
        weight: 1,
        price: 10,
        cap_hour: "",
        cap_day: "",
        cap_week: "",
        cap_total: "",
        cap_month: "",
        budget_month: "",
        deadline: ",",
        after_hours: "",
        starts: "",
        ends: "",
    }
}

/// A row of `dealers.csv`, as text; its id is `d0`, `d1` …
#[derive(Clone, Debug)]
pub(crate) struct DealerRow {
    pub(crate) zip: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) hours: &'static str,
    pub(crate) after_hours: &'static str,
    pub(crate) holidays: &'static str,
    pub(crate) cap_day: &'static str,
    pub(crate) cap_month: &'static str,
    pub(crate) prepaid: &'static str,
}

/// One in Miami that is always open.
pub(crate) fn dealer() -> DealerRow {
    DealerRow {
        zip: "33130",
        zone: "America/New_York",
        hours: "24/7",
        after_hours: "hold",
        holidays: "",
        cap_day: "",
        cap_month: "",
        prepaid: "",
    }
}

/// What a counter stands at, in the present period or in one long past.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    pub(crate) used: [u32; 5],
    pub(crate) stale: bool,
    pub(crate) pass: u64,
    pub(crate) last_assigned_ms: i64,
    /// Minor units: spent by a contract this month, or left of a dealer's balance.
    pub(crate) money: i64,
    /// (weeks ago, delivered, won)
    pub(crate) results: Vec<(i32, u32, u32)>,
}

/// A rulebook, a lead, and all else that a decision depends on.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) company: &'static str,
    pub(crate) ranking: &'static str,
    pub(crate) mode: &'static str,
    pub(crate) dealers: Vec<DealerRow>,
    pub(crate) contracts: Vec<ContractRow>,
    pub(crate) now: Timestamp,
    pub(crate) facts: LeadFacts,
    pub(crate) switches: Switches,
    /// By contract, then by dealer; as far as it goes.
    pub(crate) contract_counts: Vec<Count>,
    pub(crate) dealer_counts: Vec<Count>,
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A lead of the first offer in Miami, on a Monday at noon there.
pub(crate) fn facts() -> LeadFacts {
    LeadFacts {
        lead: LeadId::from_bytes([7; 16]),
        cycle: 1,
        offer: "roof".parse().unwrap(),
        category: "roofing".parse().unwrap(),
        source: "page".parse().unwrap(),
        opened_at: at("2026-06-01T16:00:00Z"),
        location: Location::Zip("33130".parse().unwrap()),
        band: "A1".parse().unwrap(),
        brings: Needs::NONE,
        excluded: Vec::new(),
        holders: Vec::new(),
        open_seats: None,
    }
}

/// A world of these, at noon.
pub(crate) fn world(dealers: Vec<DealerRow>, contracts: Vec<ContractRow>) -> World {
    World {
        company: "",
        ranking: r#"["tier", "distance:10mi", "share", "longest_ago"]"#,
        mode: "automatic",
        dealers,
        contracts,
        now: at("2026-06-01T16:00:00Z"),
        facts: facts(),
        switches: Switches::default(),
        contract_counts: Vec::new(),
        dealer_counts: Vec::new(),
    }
}

pub(crate) fn dealer_id(number: usize) -> DealerId {
    DealerId::new(&format!("d{number}")).unwrap()
}

impl World {
    pub(crate) fn files(&self) -> RulebookFiles {
        let mut offers = String::new();
        for (id, category) in OFFERS {
            let _ = write!(
                offers,
                "[[offer]]\nid = \"{id}\"\ncategory = \"{category}\"\nname = \"{id}\"\nranking = {}\nmode = \"{}\"\n",
                self.ranking, self.mode
            );
        }
        let mut dealers =
            "dealer,name,zip,zone,hours,after_hours,holidays,cap_day,cap_month,prepaid\n".to_owned();
        for (number, row) in self.dealers.iter().enumerate() {
            let DealerRow { zip, zone, hours, after_hours, holidays, cap_day, cap_month, prepaid } = row;
            let _ = writeln!(
                dealers,
                "d{number},D,{zip},{zone},\"{hours}\",{after_hours},{holidays},{cap_day},{cap_month},{prepaid}"
            );
        }
        let mut areas = "area,part\n".to_owned();
        for (id, parts) in AREAS {
            for part in parts {
                let _ = writeln!(areas, "{id},{part}");
            }
        }
        let mut contracts = "contract,dealer,offers,sources,area,territory,sale,when_unavailable,min_band,needs,max_age_hours,tier,weight,price,cap_hour,cap_day,cap_week,cap_total,cap_month,budget_month,deadline_minutes,deadline_clock,after_hours,starts,ends\n".to_owned();
        for row in &self.contracts {
            let _ = writeln!(
                contracts,
                "{},d{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
                row.id,
                row.dealer,
                row.offers,
                row.sources,
                row.area,
                row.territory,
                row.sale,
                row.when_unavailable,
                row.min_band,
                row.needs,
                row.max_age_hours,
                row.tier,
                row.weight,
                row.price,
                row.cap_hour,
                row.cap_day,
                row.cap_week,
                row.cap_total,
                row.cap_month,
                row.budget_month,
                row.deadline,
                row.after_hours,
                row.starts,
                row.ends
            );
        }
        let company = format!("id = \"c\"\nname = \"C\"\nzone = \"America/New_York\"\n{}", self.company);
        let sources =
            "[[source]]\nid = \"page\"\nkind = \"form\"\n[[source]]\nid = \"mail\"\nkind = \"form\"\n";
        let files = [
            ("company.toml", company),
            ("offers.toml", offers),
            ("sources.toml", sources.to_owned()),
            ("scoring.toml", String::new()),
            ("dealers.csv", dealers),
            ("areas.csv", areas),
            ("contracts.csv", contracts),
        ];
        RulebookFiles::new(files.map(|(name, text)| (name, text.into_bytes()))).unwrap()
    }

    pub(crate) fn book(&self) -> Rulebook {
        Rulebook::parse(&self.files()).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    pub(crate) fn counters(&self, book: &Rulebook) -> Counters {
        let mut counters = Counters::default();
        let usage = |count: &Count, dealer: &DealerId| {
            let zone = &book.dealers.iter().find(|row| &row.id == dealer).unwrap().zone;
            let zone = time::zone(zone).unwrap();
            let starts = Reservation::at(self.now, &zone, book.company.week_starts).starts;
            let mut used = [None; 5];
            for (period, slot) in used.iter_mut().enumerate() {
                let lasting = period == Period::Total as usize;
                let start =
                    if count.stale && !lasting { starts[period] - 40 * 86_400 } else { starts[period] };
                *slot = Some((start, count.used[period]));
            }
            Usage {
                used,
                pass: count.pass,
                last_assigned_ms: count.last_assigned_ms,
                spent_month: count.money,
                balance: count.money,
                results: count
                    .results
                    .iter()
                    .map(|&(ago, delivered, won)| WeekResults {
                        week: week_of(self.now) - ago,
                        delivered,
                        won,
                    })
                    .collect(),
                exists: true,
            }
        };
        for (row, count) in book.contracts.iter().zip(&self.contract_counts) {
            counters.contracts.insert(row.id.clone(), usage(count, &row.dealer));
        }
        for (row, count) in book.dealers.iter().zip(&self.dealer_counts) {
            counters.dealers.insert(row.id.clone(), usage(count, &row.id));
        }
        counters
    }

    pub(crate) fn decide(&self) -> (Decision, Vec<Judged>) {
        let book = self.book();
        decide_on(&compiled(&book), self, &self.counters(&book))
    }
}

/// Compiled, stored and read again.
pub(crate) fn compiled(book: &Rulebook) -> Compiled {
    let mut compiled = book.compile(1).unwrap();
    for chunk in compiled.chunks.values_mut() {
        *chunk = Chunk::decode(&chunk.encode().unwrap()).unwrap();
    }
    compiled
}

pub(crate) fn decide_on(compiled: &Compiled, world: &World, counters: &Counters) -> (Decision, Vec<Judged>) {
    let chunks: Vec<Arc<Chunk>> = compiled.chunks_of(&world.facts);
    let screened = screen(&world.facts, &compiled.core, &chunks, &world.switches, world.now);
    explain(&screened, counters, world.now, 11)
}

/// Who may have the lead now.
pub(crate) fn takers_on(compiled: &Compiled, world: &World, counters: &Counters) -> Vec<Taker> {
    let chunks: Vec<Arc<Chunk>> = compiled.chunks_of(&world.facts);
    let screened = screen(&world.facts, &compiled.core, &chunks, &world.switches, world.now);
    takers(&screened, counters, world.now, 11).now
}
