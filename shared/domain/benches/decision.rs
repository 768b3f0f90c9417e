//! Deciding among 1,000, 10,000 and 100,000 contracts, for leads that live where people live.
//!
//! Prints, for each size, in one category, in five and in twenty: percentiles of screening and deciding with the
//! candidates' counters at hand, by day and by night (when everyone is shut, and the next opening is sought), how long
//! compiling takes, what the chunks weigh, stored and in memory. Each figure that has a bar stands beside it. In twenty
//! categories a lead of the largest company has some tens of candidates; in one it has hundreds, up to thousands.

#![allow(clippy::format_collect, reason = "a bench builds its tables once")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench reads the clock, prints, and ends when it cannot go on"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Read as _, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use leadyard_domain::contract::{Need, Needs};
use leadyard_domain::distribution::{
    Chunk, ChunkKey, Compiled, Conclusion, Counters, Decision, Evidence, LeadFacts, Location, NearMiss,
    Pause, Rule, Switches, Usage, decide, screen,
};
use leadyard_domain::ids::{ContractId, LeadId};
use leadyard_domain::limits;
use leadyard_domain::place::{self, Place};
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};

const LEADS: usize = 20_000;
const ROUNDS: usize = 5;
const OFFERS_PER_CATEGORY: usize = 4;

/// Places by how many live there.
struct People {
    places: Vec<(u64, Place)>,
    total: u64,
}

impl People {
    fn new() -> Self {
        let mut total = 0;
        let places = place::all()
            .filter(|place| place.population() > 0)
            .map(|place| {
                total += u64::from(place.population());
                (total, place)
            })
            .collect();
        Self { places, total }
    }

    fn pick(&self, random: &mut fastrand::Rng) -> Place {
        let at = random.u64(0..self.total);
        self.places[self.places.partition_point(|&(upto, _)| upto <= at)].1
    }
}

/// Mostly radii, counties and ZIP3s around where people live; a few states, fewer everywhere. A dealer
/// has about four contracts.
fn files(contracts: usize, categories: usize, people: &People) -> RulebookFiles {
    let mut random = fastrand::Rng::with_seed(contracts as u64);
    let mut offers = String::new();
    for category in 0..categories {
        for offer in 0..OFFERS_PER_CATEGORY {
            let _ = write!(
                offers,
                "[[offer]]\nid = \"offer-{category}-{offer}\"\ncategory = \"category-{category}\"\nname = \"Offer\"\n"
            );
        }
    }
    let sources: String =
        (0..20).map(|source| format!("[[source]]\nid = \"source-{source}\"\nkind = \"form\"\n")).collect();
    let mut dealers = "dealer,name,zip,zone,hours,holidays,cap_day\n".to_owned();
    let mut channels = "dealer,order,kind,address\n".to_owned();
    let mut homes = Vec::new();
    for number in 0..contracts.div_ceil(4) {
        let home = people.pick(&mut random);
        let hours = ["24/7", "Mo-Fr 08:00-18:00", "Mo-Fr 08:00-18:00; Sa 09:00-12:00", "Mo-Sa 07:00-19:00"];
        let cap_day = ["", "", "50"][random.usize(0..3)];
        let _ = writeln!(
            dealers,
            "dealer-{number},D,{},{},{},2026-12-25 2026-07-03,{cap_day}",
            home.zip(),
            home.zone(),
            hours[random.usize(0..4)]
        );
        let _ = writeln!(channels, "dealer-{number},1,webhook,https://dealer-{number}.example/leads");
        homes.push(home);
    }
    let mut areas =
        "area,part\nany,any\nr10,radius_mi:10\nr25,radius_mi:25\nr50,radius_mi:50\nr100,radius_mi:100\n"
            .to_owned();
    let mut named = std::collections::BTreeSet::new();
    let mut table =
        "contract,dealer,offers,sources,area,territory,sale,when_unavailable,min_band,needs,max_age_hours,tier,weight,price,cap_day,cap_month,ends\n"
            .to_owned();
    for number in 0..contracts {
        let dealer = number / 4;
        let home = homes[dealer];
        let category = random.usize(0..categories);
        let offers = match random.u8(0..4) {
            0 => format!("offer-{category}-{}", random.usize(0..OFFERS_PER_CATEGORY)),
            _ => (0..OFFERS_PER_CATEGORY).map(|offer| format!("offer-{category}-{offer} ")).collect(),
        };
        let area = match random.u32(0..1_000) {
            0..550 => "r25".to_owned(),
            550..650 => "r10".to_owned(),
            650..750 => "r50".to_owned(),
            750..870 if home.county().is_some() => format!("county:{}", home.county().unwrap()),
            870..970 => format!("zip3:{}", home.zip().zip3()),
            970..988 => format!("zip:{}", home.zip()),
            988..990 => "r100".to_owned(),
            990..999 => format!("state:{}", home.state()),
            _ => "any".to_owned(),
        };
        let area = match area.split_once(':') {
            Some((kind, value)) => {
                let name = format!("{kind}-{}", value.to_lowercase());
                if named.insert(name.clone()) {
                    let _ = writeln!(areas, "{name},{area}");
                }
                name
            }
            None => area,
        };
        let territory = match random.u32(0..100) {
            0..3 => "protected",
            3..6 => "first",
            _ => "open",
        };
        let _ = writeln!(
            table,
            "contract-{number},dealer-{dealer},{offers},*,{area},{territory},{},{},{},{},{},{},{},{}.00,{},{},{}",
            ["exclusive", "shared:3"][random.usize(0..2)],
            ["next", "wait"][random.usize(0..2)],
            ["C3", "B2", "A2"][random.usize(0..3)],
            ["", "consent"][random.usize(0..2)],
            ["", "72"][random.usize(0..2)],
            random.u8(1..4),
            random.u8(1..5),
            random.u8(20..90),
            ["", "5", "20"][random.usize(0..3)],
            ["", "200"][random.usize(0..2)],
            ["", "2026-12-31"][random.usize(0..2)]
        );
    }
    let company = "id = \"big\"\nname = \"Big\"\nzone = \"America/New_York\"\n".to_owned();
    let files = [
        ("company.toml", company),
        ("offers.toml", offers),
        ("sources.toml", sources),
        ("scoring.toml", String::new()),
        ("dealers.csv", dealers),
        ("channels.csv", channels),
        ("areas.csv", areas),
        ("contracts.csv", table),
    ];
    RulebookFiles::new(files.map(|(name, text)| (name, text.into_bytes()))).unwrap()
}

/// Resident memory in bytes, where the system says.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}

/// What loading every chunk costs in a process of its own, where no memory that was freed before is
/// used again.
fn grown_by_loading(stored: &[(ChunkKey, Vec<u8>)]) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("load")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    for (_, bytes) in stored {
        pipe.write_all(&(bytes.len() as u64).to_le_bytes()).unwrap();
        pipe.write_all(bytes).unwrap();
    }
    drop(pipe);
    let told = child.wait_with_output().unwrap().stdout;
    String::from_utf8(told).unwrap().trim().parse().unwrap()
}

/// The child: reads chunk after chunk, and says by how many bytes it grew.
fn load() {
    // Zones are read once a process, whatever the rulebook.
    let zones = place::all().filter_map(|place| leadyard_domain::time::zone(place.zone()).ok()).count();
    let mut buffer = vec![1_u8; limits::CHUNK_BYTES];
    let before = resident();
    let mut chunks = Vec::new();
    let mut length = [0; 8];
    while std::io::stdin().read_exact(&mut length).is_ok() {
        let bytes = buffer.get_mut(..u64::from_le_bytes(length) as usize).unwrap();
        std::io::stdin().read_exact(bytes).unwrap();
        chunks.push(Chunk::decode(bytes).unwrap());
    }
    let grown = resident().saturating_sub(before);
    black_box((chunks, zones));
    println!("{grown}");
}

fn lead(random: &mut fastrand::Rng, people: &People, categories: usize, now: Timestamp) -> LeadFacts {
    let category = random.usize(0..categories);
    let bands = ["A1", "A2", "B1", "B2", "C3"];
    LeadFacts {
        lead: LeadId::from_bytes(random.u128(..).to_be_bytes()),
        cycle: 1,
        offer: format!("offer-{category}-{}", random.usize(0..OFFERS_PER_CATEGORY)).parse().unwrap(),
        category: format!("category-{category}").parse().unwrap(),
        source: format!("source-{}", random.usize(0..20)).parse().unwrap(),
        opened_at: now,
        location: Location::Zip(people.pick(random).zip()),
        band: bands[random.usize(0..5)].parse().unwrap(),
        brings: if random.bool() { Needs::NONE.with(Need::Consent) } else { Needs::NONE },
        excluded: Vec::new(),
        holders: Vec::new(),
        open_seats: None,
    }
}

/// What is loaded at a decision: the chunks of every category and state, by the key they are asked for.
struct Loaded {
    core: leadyard_domain::distribution::Core,
    chunks: std::collections::HashMap<ChunkKey, Arc<Chunk>>,
}

impl Loaded {
    fn chunks_of(&self, facts: &LeadFacts) -> Vec<Arc<Chunk>> {
        let keys = self.core.chunks_for(&facts.category, facts.location.state());
        keys.iter().filter_map(|key| self.chunks.get(key)).map(Arc::clone).collect()
    }
}

struct Measured {
    times: Vec<Duration>,
    /// Of those, the part until the candidates are known.
    screening: Vec<Duration>,
    candidates: usize,
    most: usize,
    assigned: usize,
}

/// Counters of every candidate stand in the map, as the store gave them; filling it is not timed.
fn measure(loaded: &Loaded, leads: &[LeadFacts], switches: &Switches, now: Timestamp) -> Measured {
    let mut measured = Measured {
        times: Vec::with_capacity(leads.len()),
        screening: Vec::with_capacity(leads.len()),
        candidates: 0,
        most: 0,
        assigned: 0,
    };
    for facts in leads {
        let chunks = loaded.chunks_of(facts);
        let mut counters = Counters::default();
        let (contracts, dealers) = screen(facts, &loaded.core, &chunks, switches, now).counters_to_read();
        for (number, contract) in contracts.into_iter().enumerate() {
            let usage = Usage { pass: (number as u64 % 7) << 30, exists: true, ..Usage::default() };
            counters.contracts.insert(contract, usage);
        }
        counters.dealers.extend(dealers.into_iter().map(|dealer| (dealer, Usage::default())));
        let start = Instant::now();
        let screened = screen(black_box(facts), &loaded.core, &chunks, switches, now);
        measured.screening.push(start.elapsed());
        let decision = decide(&screened, &counters, now, 1);
        measured.times.push(start.elapsed());
        measured.candidates += screened.candidates.len();
        measured.most = measured.most.max(screened.candidates.len());
        measured.assigned += usize::from(matches!(decision.conclusion, Conclusion::Assign(_)));
    }
    measured
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

fn percentiles(
    loaded: &Loaded,
    leads: &[LeadFacts],
    switches: &Switches,
    now: Timestamp,
    what: &str,
    bar: &str,
) {
    measure(loaded, &leads[..leads.len() / 10], switches, now); // warm
    // A decision's time is the median of its rounds: what the machine did to one of them is not its own.
    let rounds: Vec<Measured> = (0..ROUNDS).map(|_| measure(loaded, leads, switches, now)).collect();
    let each = |of: fn(&Measured) -> &[Duration]| {
        let of_lead = |lead: usize| median(rounds.iter().map(|round| of(round)[lead]).collect());
        let mut times: Vec<Duration> = (0..leads.len()).map(of_lead).collect();
        times.sort_unstable();
        times
    };
    let times = each(|round| &round.times);
    let screening = each(|round| &round.screening);
    let total: Duration = times.iter().sum();
    let last = rounds.into_iter().next_back();
    let last = last.unwrap();
    println!(
        "  {what}: p50 {:.1?}  p99 {:.1?}{bar}, of it screening {:.1?}  max {:.1?};  {:.1} candidates (most {}), {:.0} ns each; {:.0} % assigned",
        times[leads.len() / 2],
        times[leads.len() * 99 / 100],
        screening[leads.len() * 99 / 100],
        times[leads.len() - 1],
        last.candidates as f64 / leads.len() as f64,
        last.most,
        total.as_nanos() as f64 / last.candidates as f64,
        last.assigned as f64 * 100.0 / leads.len() as f64
    );
}

fn bench(contracts: usize, categories: usize, people: &People) {
    println!("{contracts} contracts in {categories} categories");
    let (stored, core) = {
        let book = Rulebook::parse(&files(contracts, categories, people)).unwrap();
        let mut compiled: Option<Compiled> = None;
        let times = (0..3)
            .map(|_| {
                let start = Instant::now();
                compiled = Some(black_box(&book).compile(1).unwrap());
                start.elapsed()
            })
            .collect();
        let compiled = compiled.unwrap();
        let stored: Vec<(ChunkKey, Vec<u8>)> =
            compiled.chunks.iter().map(|(key, chunk)| (key.clone(), chunk.encode().unwrap())).collect();
        let held: usize = compiled.chunks.values().map(Chunk::len).sum();
        println!(
            "  compile {:.2?} (bar for 100,000: 2 s); {held} rows in {} chunks",
            median(times),
            stored.len()
        );
        (stored, compiled.core)
    };
    let (key, largest) = stored.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    let times = (0..21)
        .map(|_| {
            let start = Instant::now();
            black_box(Chunk::decode(black_box(largest)).unwrap());
            start.elapsed()
        })
        .collect();
    println!(
        "  stored {} KiB; largest chunk {key}: {} KiB (bar {} KiB), decoded in {:.2?} (bar 5 ms)",
        stored.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() / 1_024,
        largest.len() / 1_024,
        limits::CHUNK_BYTES / 1_024,
        median(times)
    );
    let chunks =
        stored.iter().map(|(key, bytes)| (key.clone(), Arc::new(Chunk::decode(bytes).unwrap()))).collect();
    let loaded = Loaded { core, chunks };
    println!(
        "  all chunks loaded: resident memory grew by {} KiB (bar for 100,000: 65536 KiB)",
        grown_by_loading(&stored) / 1_024
    );
    let mut kept = stored.clone();
    kept.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.len()));
    let weight_of = |key: &ChunkKey| loaded.chunks.get(key).map_or(0, |chunk| chunk.weight());
    let mut total = 0;
    kept.retain(|(key, _)| {
        total += weight_of(key);
        total <= limits::CHUNKS_KEPT_BYTES
    });
    println!(
        "  what a worker keeps, here the {} largest: {} KiB (bar 16384 KiB)",
        kept.len(),
        grown_by_loading(&kept) / 1_024
    );
    let bar = match contracts {
        10_000 => " (bar 20 µs)",
        100_000 => " (bar 50 µs)",
        _ => "",
    };
    for (what, now) in [("day  ", "2026-06-03T17:00:00Z"), ("night", "2026-06-03T08:00:00Z")] {
        let now: Timestamp = now.parse().unwrap();
        let mut random = fastrand::Rng::with_seed(5);
        let leads: Vec<LeadFacts> = (0..LEADS).map(|_| lead(&mut random, people, categories, now)).collect();
        percentiles(&loaded, &leads, &Switches::default(), now, what, bar);
        if what == "day  " {
            percentiles(&loaded, &leads[..LEADS / 10], &pauses(contracts), now, "5,000 pauses", "");
            evidence(&loaded, &leads[..LEADS / 10], now);
        }
    }
}

/// How much of each decision's record its counters take, all of whom have had leads for half a year: in the shape
/// before, and in today's; beside facts and nearest misses as JSON. And the whole record, as JSON without misses and
/// evidence, and these in bytes: what the table counts is about as much, its names included.
fn evidence(loaded: &Loaded, leads: &[LeadFacts], now: Timestamp) {
    let mut random = fastrand::Rng::with_seed(9);
    let mut sizes: [Vec<usize>; 4] = Default::default();
    let mut within = 0;
    for facts in leads {
        let chunks = loaded.chunks_of(facts);
        let switches = Switches::default();
        let screened = screen(facts, &loaded.core, &chunks, &switches, now);
        let (contracts, dealers) = screened.counters_to_read();
        // Contract and dealer by turns, as far as both last: the order does not matter here.
        let usages: Vec<Option<SeenBefore>> = (0..contracts.len() + dealers.len())
            .map(|number| (random.u8(0..20) > 0).then(|| seen(&mut random, number < contracts.len())))
            .collect();
        let none: Vec<(String, Option<Timestamp>)> = Vec::new();
        let before = postcard::to_allocvec(&(false, false, &none, &none, usages)).unwrap();
        let counters = Evidence::decode(&before).unwrap().counters(&screened, now);
        let after = Evidence::of_decision(&screened, &counters, (now, 1), limits::EVIDENCE_WHOLE_BYTES);
        let after = after.encode().unwrap();
        let decision = decide(&screened, &counters, now, 1);
        let rest = serde_json::to_vec(&(facts, &decision.near_misses)).unwrap();
        let record = record(facts, &decision, after.len(), now);
        within += usize::from(record <= RECORD_BYTES);
        for (sizes, bytes) in sizes.iter_mut().zip([before.len(), after.len(), rest.len(), record]) {
            sizes.push(bytes);
        }
    }
    for sizes in &mut sizes {
        sizes.sort_unstable();
    }
    let [before, after, rest, record] = sizes.map(|sizes| {
        let at = |percent: usize| sizes.get(sizes.len() * percent / 100).copied().unwrap_or(0);
        format!("p50 {} p99 {} max {}", at(50), at(99), sizes.last().copied().unwrap_or(0))
    });
    println!("  evidence in bytes: {after} (in the shape before: {before}); facts and misses: {rest}");
    println!(
        "  the whole record in bytes: {record}; {:.0} % within {RECORD_BYTES}",
        within as f64 * 100.0 / leads.len() as f64
    );
}

/// What the record of a decision is to take.
const RECORD_BYTES: usize = 2_048;

/// The bytes of a record, in the table's fields.
fn record(facts: &LeadFacts, decision: &Decision, evidence_bytes: usize, now: Timestamp) -> usize {
    let (conclusion, seats) = match &decision.conclusion {
        Conclusion::Assign(seats) => ("assigned".to_owned(), seats),
        Conclusion::Wait { reason, recommended, .. } => (format!("waiting:{reason}"), recommended),
    };
    let contracts: Vec<&ContractId> = seats.iter().map(|seat| &seat.contract).collect();
    let counters: BTreeMap<&str, &str> = contracts
        .iter()
        .map(|id| (id.as_str(), "day 3, week 9, month 40, total 812, pass 1012.50"))
        .collect();
    let failed: BTreeMap<&str, u32> = Rule::ALL
        .iter()
        .map(|rule| rule.as_str())
        .zip(decision.failed)
        .filter(|(_, count)| *count > 0)
        .collect();
    let record = serde_json::json!({
        "pk": "L#018f6b0e-7a3c-7000-8000-000000000000", "sk": "D#0001780000000000#018f6b0e-7a3c-7000-8000-000000000000",
        "ak": "DECISIONS#company#20605#0", "am": now.as_millisecond(), "v": 1,
        "id": facts.lead, "at": now, "facts": facts, "rulebook": 12, "algorithm": 3, "places": "2024", "zones": "2026a",
        "seed": u64::MAX, "conclusion": conclusion, "contracts": contracts, "failed": failed,
        "near_misses": [], "counters": counters, "evidence": "", "digest": "0".repeat(32), "more": "0".repeat(16),
    });
    let misses = decision.near_misses.iter().map(|miss| {
        let NearMiss { contract, dealer, rule, needed, found } = miss;
        (contract, dealer, *rule as u8, needed, found)
    });
    let misses = postcard::to_allocvec(&misses.collect::<Vec<_>>()).unwrap();
    record.to_string().len() + misses.len() + evidence_bytes
}

/// What was counted, in the shape that evidence had before: of each period how far its start is from the
/// current one, and how many; the pass; when last; money; results by week.
type SeenBefore = ([Option<(i64, u32)>; 5], u64, Option<i64>, i64, i64, Vec<(i32, u32, u32)>);

fn seen(random: &mut fastrand::Rng, of_contract: bool) -> SeenBefore {
    let month = random.u32(1..60);
    let day = random.u32(0..8);
    let used = [
        if random.u8(0..4) == 0 { (0, random.u32(1..4)) } else { (-3_600 * random.i64(1..20), 2) },
        if day > 1 { (0, day) } else { (-86_400, 3) },
        (0, (day + random.u32(1..15)).min(month.max(day + 1))),
        (0, month + day),
        (0, month + random.u32(50..5_000)),
    ]
    .map(Some);
    let last = Some(random.i64(1_000..250_000_000));
    if !of_contract {
        return (used, 0, last, 0, 0, Vec::new());
    }
    let pass = (1_000 << 32) + random.u64(0..40) * ((1 << 32) / random.u64(1..5));
    let results = (0..26).map(|week| (week, random.u32(0..20), random.u32(0..3))).rev().collect();
    (used, pass, last, i64::from(month) * 4_500, 0, results)
}

/// Pauses of five thousand dealers, or of as many as there are: a wave of vacations.
fn pauses(contracts: usize) -> Switches {
    let dealers = (0..contracts.div_ceil(4).min(5_000)).map(|dealer| Pause {
        id: format!("dealer-{}", dealer * 2).parse().unwrap(),
        reason: String::new(),
        until: None,
    });
    Switches { dealers: dealers.collect(), ..Switches::default() }
}

/// `decision 100000 5` measures one size alone, so that its memory is its own.
fn main() {
    if std::env::args().any(|argument| argument == "load") {
        return load();
    }
    let people = People::new();
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    if let [contracts, categories] = asked[..] {
        return bench(contracts, categories, &people);
    }
    for contracts in [1_000, 10_000, limits::CONTRACTS] {
        for categories in [1, 5, 20] {
            bench(contracts, categories, &people);
        }
    }
}
