//! Inputs from a fixed seed, each shape of them in turn: hostile bytes panic nowhere.
//!
//! None takes more memory than its size allows.
//!
//! `FUZZ_INPUTS` says how many decisions are made, and a tenth as many other inputs read; `FUZZ_SEED` from
//! which seed on.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that says what it met, and reads how much is asked"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use leadyard_fuzz::decision::{Tally, decision, every_conclusion};
use leadyard_fuzz::draft::{HOURS, NASTY, ZIPS};
use leadyard_fuzz::files::{self, Kind, parts, signature, workbook_with};
use leadyard_fuzz::memory;
use leadyard_fuzz::parsers::{TARGETS, parsers};

fn asked(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn draw(seed: u64, longest: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; random.usize(0..longest)];
    random.fill(&mut bytes);
    bytes
}

/// Runs one input; a panic names the seed that draws it again.
fn survives(seed: u64, input: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(input)) {
        println!("FUZZ_SEED={seed} FUZZ_INPUTS=1 draws this input again");
        std::panic::resume_unwind(panic);
    }
}

/// One test at a time: what is allocated is counted for the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn any_rulebook_and_any_lead_come_to_a_decision() {
    let _alone = alone();
    let (inputs, first) = (asked("FUZZ_INPUTS", 200_000), asked("FUZZ_SEED", 0));
    let mut tally = Tally::default();
    let mut seed = first;
    while tally.decisions < inputs {
        survives(seed, || decision(&draw(seed, 16_384), &mut tally));
        seed += 1;
    }
    println!(
        "{} rulebooks, {:.0} % of them parsed; {} decisions",
        tally.rulebooks,
        tally.parsed as f64 * 100.0 / tally.rulebooks as f64,
        tally.decisions
    );
    for (conclusion, times) in &tally.conclusions {
        println!("  {conclusion}: {times}");
    }
    if inputs >= 100_000 {
        assert!(tally.parsed * 4 > tally.rulebooks, "too few rulebooks parse for this to mean much");
        for conclusion in every_conclusion() {
            assert!(tally.conclusions.contains_key(conclusion), "no lead was concluded to be {conclusion}");
        }
    }
}

/// What libFuzzer found worth keeping, by target. Its own run is long and on demand; these are read every time.
fn kept(target: &str) -> std::io::Result<Vec<Vec<u8>>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer/seeds").join(target);
    let seeds = std::fs::read_dir(folder)?.map(|seed| seed.map(|seed| seed.path()));
    let mut seeds = seeds.collect::<std::io::Result<Vec<_>>>()?;
    seeds.sort_unstable();
    seeds.iter().map(std::fs::read).collect()
}

#[test]
fn what_libfuzzer_kept_is_survived() -> std::io::Result<()> {
    let _alone = alone();
    let (decisions, texts, sent) = (kept("decision")?, kept("parsers")?, kept("files")?);
    let mut tally = Tally::default();
    for seed in &decisions {
        decision(seed, &mut tally);
    }
    for seed in &texts {
        parsers(seed);
    }
    for seed in &sent {
        files::files(seed);
    }
    println!("{} seeds of decisions, {} of parsers, {} of files", decisions.len(), texts.len(), sent.len());
    assert!(tally.decisions > 0 && !texts.is_empty() && !sent.is_empty(), "the seeds decide nothing");
    Ok(())
}

/// What a mutated input starts from.
const CORPUS: &[&str] = &[
    r#"{"first_name":"Ann","last_name":"Lee","email":"ann@example.com","phone":"305 555 0100","zip":"33101","consent":true,"a":{"b":[1,{"c":null}]}}"#,
    "first_name=Ann&last_name=Lee&email=ann%40example.com&phone=%2B13055550100&zip=33101&utm_source=x&consent=yes",
    "ann.lee+roof@example.com",
    "+1 (305) 555-0100 ext. 9",
    "https://user:pw@example.com:443/path?query#fragment",
    "Mo-Fr 08:00-18:00; Sa 09:00-12:00",
    "[[test]]\nname = \"x\"\nat = \"2026-06-01T16:00:00Z\"\nlead = { zip = \"80219\", offer = \"roof\", source = \"page\" }\nwaiting = \"hours\"\n",
    "[[offer]]\nid = \"x\"\ncategory = \"y\"\nname = \"z\"\nranking = [\"tier\", \"distance:10mi\"]\n",
    "c9,d0,*,*,any,protected,shared:3,wait,C3,,72,1,1,85.00,,12,,,,,,,,,\n",
    r#"{"set":{"cap_day":"12"}}"#,
    r#"[{"id":"a","kind":"page_view","at":"2026-06-01T16:00:00Z","visitor":"x"},{"id":"b","kind":"c","at":"2026-06-01T16:00:00Z","email":"a@b.example"}]"#,
    "2025-11-03 14:05,won,1204.00,2025-11-04,45.00,d0,3,10.00,ann.lee@example.com",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    r#"{"Message":"{\"eventType\":\"Bounce\",\"mail\":{\"messageId\":\"x\",\"tags\":{\"lead\":[\"y\"]}},\"bounce\":{\"bounceType\":\"Permanent\"}}"}"#,
    "$.lead['id'][0].errors",
    "Lead {lead_id} of {company}: {extra.roof age} {{x}} {secret.api_key}",
    "2026-06",
    "20605-0123456789abcdef",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0",
];

fn mutated(seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let lists = [CORPUS, CORPUS, HOURS, NASTY, ZIPS];
    let list = lists[random.usize(0..lists.len())];
    let mut bytes = list[random.usize(0..list.len())].as_bytes().to_vec();
    mutate(&mut bytes, &mut random);
    bytes
}

fn mutate(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    for _ in 0..random.usize(0..6) {
        let at = random.usize(0..=bytes.len());
        match random.u8(0..5) {
            0 if at < bytes.len() => bytes[at] = random.u8(..),
            1 if at < bytes.len() => drop(bytes.drain(at..bytes.len().min(at + random.usize(1..9)))),
            2 => bytes.splice(at..at, NASTY[random.usize(0..NASTY.len())].bytes()).for_each(drop),
            3 => {
                let again = bytes[at..].repeat(random.usize(1..30));
                bytes.extend_from_slice(&again[..again.len().min(4_096)]);
            }
            _ => bytes.insert(at, random.u8(..)),
        }
    }
}

#[test]
fn nothing_that_strangers_write_panics_or_takes_more_memory_than_its_size_allows() {
    let _alone = alone();
    let (inputs, first) = (asked("FUZZ_INPUTS", 200_000) / 10, asked("FUZZ_SEED", 0));
    for seed in first..first + inputs.max(1) {
        let body = if seed % 3 == 0 { draw(seed, 2_048) } else { mutated(seed) };
        for target in 0..TARGETS {
            // A rulebook a time is slow; text is not.
            let slow = matches!(target, 2..6 | 10 | 11);
            if !slow || seed % 8 == u64::from(target % 8) {
                let data = [&[target], &body[..]].concat();
                survives(seed, || parsers(&data));
            }
        }
    }
    println!("{inputs} inputs to {TARGETS} parsers; the most that any of them took:");
    for (what, worst) in memory::worst() {
        let memory::Worst { reads, peak_bytes, input_bytes, percent } = worst;
        println!("  {what}, {reads} times: {peak_bytes} bytes for {input_bytes}, {percent} % of what it may");
    }
}

/// Files as partners send them: as spreadsheets save them, by other separators, in other encodings, and broken off.
const FILES: [&[u8]; 7] = [
    b"Received At,Name,E-Mail,Phone,Message\r\n2026-05-01,\"Hill, Ada\",ada@mail.example,305-555-0100,\"it\r\nleaks\"\r\n",
    b"\xef\xbb\xbf\"E-Mail\";\"Received At\"\r\n\"ada@mail.example\";2026-05-01\r\n",
    b"sep=;\r\nName;City;Name\r\nAda;\"Key\nWest\";Hill;;\r\n\r\n",
    b"name\tcity\nJos\xe9\tMiami\nBen\tMiami\n",
    b"a|b|c\n1|2|3|4\n\"|\n",
    b"\xff\xfen\0a\0m\0e\0\n\0A\0d\0a\0\n\0",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0\0\0\0\0",
];

/// A workbook of which one part says something else, or is missing.
fn sheet(random: &mut fastrand::Rng) -> Vec<u8> {
    let changed = random.usize(0..parts().len());
    if random.u8(0..8) == 0 {
        return workbook_with(changed, None);
    }
    let mut text = parts()[changed].1.clone();
    for _ in 0..random.usize(1..20) {
        mutate(&mut text, random);
    }
    workbook_with(changed, Some(&text))
}

#[test]
fn whatever_file_a_partner_sends_is_read_or_refused() {
    let _alone = alone();
    let (inputs, first) = (asked("FUZZ_INPUTS", 200_000) / 50, asked("FUZZ_SEED", 0));
    assert!(parts().len() > 5, "a workbook has its parts");
    let (mut read, mut rows, mut refused) = (0, 0, 0);
    for seed in first..first + inputs.max(1) {
        let mut random = fastrand::Rng::with_seed(seed);
        let (bytes, kind) = match random.u8(0..6) {
            0 => (draw(seed, 4_096), Kind::Text),
            1 => (sheet(&mut random), Kind::Workbook),
            2 => {
                let mut whole = sheet(&mut random);
                mutate(&mut whole, &mut random);
                (whole, Kind::Workbook)
            }
            _ => {
                let mut text = FILES[random.usize(0..FILES.len())].to_vec();
                mutate(&mut text, &mut random);
                (text, Kind::Text)
            }
        };
        let (windows_1252, of_a_source) = (random.bool(), random.bool());
        survives(seed, || {
            if let Some((sent, not)) = files::file(&bytes, kind, windows_1252, of_a_source) {
                (read, rows, refused) = (read + 1, rows + sent, refused + not);
            }
        });
    }
    println!("{inputs} files, {read} of them read: {rows} rows, and {refused} that cannot be sent");
    for (what, worst) in memory::worst().into_iter().filter(|(what, _)| what.starts_with("a partner's")) {
        println!("  {what}: at most {} bytes for {}", worst.peak_bytes, worst.input_bytes);
    }
    if inputs >= 4_000 {
        assert!(read * 4 > inputs && rows > 100 && refused > 100, "too few are read for this to mean much");
    }
}

#[test]
fn nobody_makes_up_a_signature() {
    let _alone = alone();
    let (inputs, first) = (asked("FUZZ_INPUTS", 200_000) / 10, asked("FUZZ_SEED", 0));
    for seed in first..first + inputs.max(1) {
        survives(seed, || signature(&draw(seed, 512)));
    }
}
