//! Small worlds: few places, few dealers, so that territories, seats and caps meet in every one.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use leadyard_domain::contract::{Need, Needs};
use leadyard_domain::distribution::counters::{PASS_UNIT, WeekResults, week_of};
use leadyard_domain::distribution::{
    Chunk, Compiled, Counters, Decision, Judged, LeadFacts, Location, OpenSeats, Pause, Reservation,
    Switches, Usage, explain, screen,
};
use leadyard_domain::ids::{ContractId, DealerId, LeadId};
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_domain::time::{self, Period};
use proptest::prelude::*;
use proptest::sample::select;

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
        let mut dealers = "dealer,name,zip,zone,hours,after_hours,holidays,cap_day,prepaid\n".to_owned();
        for (number, row) in self.dealers.iter().enumerate() {
            let DealerRow { zip, zone, hours, after_hours, holidays, cap_day, prepaid } = row;
            let _ = writeln!(
                dealers,
                "d{number},D,{zip},{zone},{hours},{after_hours},{holidays},{cap_day},{prepaid}"
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

fn dealer_row() -> impl Strategy<Value = DealerRow> {
    (
        select(&ZIPS[..]),
        select(&["America/New_York", "America/Chicago"][..]),
        select(
            &[
                "24/7",
                "24/7",
                "Mo-Fr 08:00-18:00; Sa 09:00-12:00",
                "Mo-Su 10:00-12:00",
                "Tu 20:00-24:00; We 00:00-04:00",
            ][..],
        ),
        select(&["hold", "hold", "deliver"][..]),
        select(&["", "", "2026-06-01 2026-06-02", "2026-03-08"][..]),
        select(&["", "", "1", "2"][..]),
        select(&["", "", "", "yes", "no"][..]),
    )
        .prop_map(|(zip, zone, hours, after_hours, holidays, cap_day, prepaid)| DealerRow {
            zip,
            zone,
            hours,
            after_hours,
            holidays,
            cap_day,
            prepaid,
        })
}

fn contract_row(dealers: usize) -> impl Strategy<Value = ContractRow> {
    let names: Vec<&'static str> = AREAS.iter().map(|(name, _)| *name).collect();
    let whom = (
        0..dealers,
        select(&["*", "*", "roof", "roof", "gutter", "roof pool"][..]),
        select(&["*", "*", "*", "page", "mail"][..]),
        select(names),
        select(&["open", "open", "open", "first", "protected", "closed"][..]),
        select(&["exclusive", "exclusive", "shared:2", "shared:3"][..]),
        select(&["wait", "next"][..]),
    );
    let terms = (
        select(&["C3", "C3", "C3", "C3", "B2", "A1", "A3", "C1", "B3"][..]),
        select(&["", "", "", "consent"][..]),
        select(&["", "", "12", "24"][..]),
        1..=2_u8,
        1..=3_u32,
        select(&[10_u32, 20][..]),
    );
    let limits = (
        select(&["", "", "", "1"][..]),
        select(&["", "", "1", "2"][..]),
        select(&["", "", "", "2"][..]),
        select(&["", "", "", "", "1"][..]),
        select(&["", "", "hold", "deliver"][..]),
        select(&["", "", "", "2026-06-02", "2026-03-08"][..]),
        select(&["", "", "", "2026-11-01", "2026-12-31"][..]),
    );
    let money = (
        select(&["", "", "", "2"][..]),
        select(&["", "", "", "15", "20", "35"][..]),
        select(&[",", ",", "90,", "30,open", "90,wall"][..]),
    );
    (whom, terms, limits, money).prop_map(|(whom, terms, limits, money)| ContractRow {
        id: String::new(),
        dealer: whom.0,
        offers: whom.1,
        sources: whom.2,
        area: whom.3,
        territory: whom.4,
        sale: whom.5,
        when_unavailable: whom.6,
        min_band: terms.0,
        needs: terms.1,
        max_age_hours: terms.2,
        tier: terms.3,
        weight: terms.4,
        price: terms.5,
        cap_hour: limits.0,
        cap_day: limits.1,
        cap_week: limits.2,
        cap_total: limits.3,
        cap_month: money.0,
        budget_month: money.1,
        deadline: money.2,
        after_hours: limits.4,
        starts: limits.5,
        ends: limits.6,
    })
}

fn count() -> impl Strategy<Value = Count> {
    let used = prop::array::uniform5(select(&[0_u32, 0, 0, 1, 2][..]));
    // Within a turn of each other, by steps that weights of 1 to 3 make; of any age; and at the end.
    let pass = prop_oneof![
        4 => (0..8_u64).prop_map(|quarters| quarters * (PASS_UNIT / 4)),
        3 => (0..40_u64, 0..3_u64).prop_map(|(sixths, beside)| sixths * (PASS_UNIT / 6) + beside),
        2 => 0..100 * PASS_UNIT,
        1 => (0..2 * PASS_UNIT).prop_map(|left| u64::MAX - left),
    ];
    // Few wins and many, this week, some weeks ago, and before any look-back.
    let results = prop::collection::vec((select(&[0_i32, 1, 12, 13, 40][..]), 0..40_u32, 0..=100_u32), 0..4)
        .prop_map(|weeks| {
            weeks.into_iter().map(|(ago, delivered, part)| (ago, delivered, delivered * part / 100)).collect()
        });
    let money = select(&[0_i64, 500, 1_000, 2_000, 2_500][..]);
    (used, any::<bool>(), pass, select(&[0_i64, 1_000, 2_000][..]), money, results).prop_map(
        |(used, stale, pass, last_assigned_ms, money, results)| Count {
            used,
            stale,
            pass,
            last_assigned_ms,
            money,
            results,
        },
    )
}

fn location() -> impl Strategy<Value = Location> {
    let zip = select(&ZIPS[..]).prop_map(|zip| Location::Zip(zip.parse().unwrap()));
    let state = (select(&["FL", "GA"][..]), any::<bool>())
        .prop_map(|(state, guessed)| Location::State { state: state.parse().unwrap(), guessed });
    prop_oneof![
        6 => Just(Location::Zip("33130".parse().unwrap())),
        5 => zip,
        2 => state,
        1 => Just(Location::Unplaced),
    ]
}

fn lead(dealers: usize) -> impl Strategy<Value = LeadFacts> {
    let held = prop_oneof![
        4 => Just(None),
        1 => (2..=3_u8, any::<bool>(), 0..dealers).prop_map(Some),
    ];
    (
        any::<[u8; 16]>(),
        select(&OFFERS[..2]),
        select(&["page", "mail"][..]),
        location(),
        select(&["A1", "A1", "B2", "B2", "C3", "A2", "A3", "B1", "B3", "C1", "C2"][..]),
        any::<bool>(),
        prop_oneof![3 => Just(None), 1 => (0..dealers).prop_map(Some)],
        held,
    )
        .prop_map(|(lead, (offer, category), source, location, band, consent, excluded, held)| {
            let holders: Vec<DealerId> = held.iter().map(|held| dealer_id(held.2)).collect();
            LeadFacts {
                lead: LeadId::from_bytes(lead),
                cycle: 1,
                offer: offer.parse().unwrap(),
                category: category.parse().unwrap(),
                source: source.parse().unwrap(),
                opened_at: Timestamp::UNIX_EPOCH, // the world knows
                location,
                band: band.parse().unwrap(),
                brings: if consent { Needs::NONE.with(Need::Consent) } else { Needs::NONE },
                excluded: excluded.map(dealer_id).into_iter().collect(),
                holders,
                open_seats: held.map(|(of, protected, _)| OpenSeats { of, free: of - 1, protected }),
            }
        })
}

fn switches(
    dealers: usize,
    contracts: usize,
) -> impl Strategy<Value = (bool, Option<usize>, Option<usize>, Option<i64>)> {
    let some = |count: usize| prop_oneof![4 => Just(None), 1 => (0..count).prop_map(Some)];
    (
        prop::bool::weighted(0.03),
        some(contracts),
        some(dealers),
        select(&[None, Some(-1_i64), Some(3), Some(30)][..]),
    )
}

/// Worlds of two to four dealers and two to nine contracts.
pub(crate) fn worlds() -> impl Strategy<Value = World> {
    (2..=4_usize, 2..=9_usize).prop_flat_map(|(dealers, contracts)| {
        let rows = (
            prop::collection::vec(dealer_row(), dealers),
            prop::collection::vec(contract_row(dealers), contracts),
            prop::collection::vec(count(), 0..=contracts),
            prop::collection::vec(count(), 0..=dealers),
        );
        let moment = (
            // An ordinary week, and the two in which the clocks change.
            select(&["2026-05-29T12:00:00Z", "2026-03-07T00:00:00Z", "2026-10-31T00:00:00Z"][..]),
            0..6_000_i64,
            select(&[0_i64, 0, 0, 11, 12, 13, 30][..]),
        );
        let company = (
            select(
                &[
                    r#"["tier", "distance:10mi", "share", "longest_ago"]"#,
                    r#"["share"]"#,
                    r#"["price", "longest_ago"]"#,
                    r#"["distance:1mi"]"#,
                    r#"["performance:90d:20", "tier"]"#,
                    r#"["tier", "performance:7d:5"]"#,
                ][..],
            ),
            prop_oneof![9 => Just("automatic"), 1 => Just("manual")],
            select(&["", "week_starts = \"sunday\"\n"][..]),
        );
        (rows, moment, company, lead(dealers), switches(dealers, contracts)).prop_map(
            |(
                rows,
                (base, minutes, age),
                (ranking, mode, company),
                mut facts,
                (stop, contract, dealer, until),
            )| {
                let (dealers, mut contracts, contract_counts, dealer_counts) = rows;
                for (number, row) in contracts.iter_mut().enumerate() {
                    row.id = format!("k{number}");
                }
                let now = Timestamp::from_second(at(base).as_second() + minutes * 60).unwrap();
                facts.opened_at = Timestamp::from_second(now.as_second() - age * 3_600).unwrap();
                let until =
                    until.map(|hours| Timestamp::from_second(now.as_second() + hours * 3_600).unwrap());
                let reason = String::new();
                let contract = contract.map(|number| ContractId::new(&format!("k{number}")).unwrap());
                let switches = Switches {
                    stop,
                    contracts: contract
                        .map(|id| Pause { id, reason: reason.clone(), until })
                        .into_iter()
                        .collect(),
                    dealers: dealer
                        .map(|number| Pause { id: dealer_id(number), reason, until })
                        .into_iter()
                        .collect(),
                };
                World {
                    company,
                    ranking,
                    mode,
                    dealers,
                    contracts,
                    now,
                    facts,
                    switches,
                    contract_counts,
                    dealer_counts,
                }
            },
        )
    })
}
