//! Files: how long it takes until every row of one is kept and acknowledged: beside a system that runs in memory,
//! over HTTP, and alone on a data folder (in `TMPDIR`: name a folder in memory, and it is memory).
//!
//! What distribution and delivery make of the rows goes on meanwhile and after; alone, nothing of it runs. The
//! processor's time says what a busy machine's clock does not.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use leadyard::api::Target;
use leadyard::import::{self, Options};
use leadyard::serve;
use tokio::time::Instant;

/// Enquiries and past leads, both ways.
pub(crate) async fn measure(rows: usize) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let cores = std::thread::available_parallelism()?;
    writeln!(out, "{rows} rows each; {cores} cores share the command and the system{}", load()?)?;
    for alone in [true, false] {
        for history in [false, true] {
            let (dealers_at, arrivals) = crate::dealers().await?;
            let folder = tempfile::tempdir()?;
            let rules = folder.path().join("rules");
            crate::write_rules(&rules, &dealers_at)?;
            add_source(&rules)?;
            let data = folder.path().join("data");
            let serving = serve::Options { data: alone.then(|| data.clone()), port: 0, rules: Some(rules) };
            let running = Box::pin(serve::start(&serving)).await?;
            let ready = serde_json::to_value(&running.ready)?;
            let text = |name: &str| ready[name].as_str().map(str::to_owned);
            let url = text("url").filter(|_| !alone);
            let target = Target { token: text("desk_token").filter(|_| !alone), url, data };
            let mut running = Some(running);
            if alone && let Some(running) = running.take() {
                running.stop().await; // its rulebook stays in force
            }
            let file = folder.path().join("leads.csv");
            write_leads(&file, rows, history)?;
            let (began, worked) = (Instant::now(), worked_s());
            let told = import::run(&options(target, &file, history)?).await?;
            let (took, worked) = (began.elapsed().as_secs_f64(), worked_s() - worked);
            let part = told.parts.first().context("one file")?;
            anyhow::ensure!(part.imported == rows as u64, "{} of {rows} came in", part.imported);
            writeln!(
                out,
                "{}, {}: {took:.1} s, {:.0} rows/s, {:.2} ms of processor a row; {} leads had reached a dealer{}",
                if alone { "alone on its folder" } else { "beside a system in memory" },
                if history { "past leads" } else { "enquiries" },
                rows as f64 / took,
                worked * 1_000.0 / rows as f64,
                arrivals.count(),
                load()?,
            )?;
            if let Some(running) = running {
                running.stop().await;
            }
        }
    }
    Ok(())
}

/// What this process has worked so far, in seconds; Linux counts it in hundredths.
fn worked_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the program's name, which may hold spaces: utime and stime are the fields 14 and 15.
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let ticks = rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// The machine's load, where it says so.
fn load() -> anyhow::Result<String> {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut said = String::new();
    if let Some(minute) = load.split_whitespace().next() {
        write!(said, " (load {minute})")?;
    }
    Ok(said)
}

fn add_source(rules: &Path) -> anyhow::Result<()> {
    let path = rules.join("sources.toml");
    let mut text = std::fs::read_to_string(&path)?;
    text.push_str("\n[[source]]\nid = \"list\"\nkind = \"file\"\noffer = \"roof-inspection\"\n");
    Ok(std::fs::write(path, text)?)
}

fn write_leads(path: &Path, rows: usize, history: bool) -> anyhow::Result<()> {
    let mut text = "name,email,phone,zip,message,received_at,outcome\n".to_owned();
    for n in 0..rows {
        let past = if history { "2025-11-03 14:05,lost" } else { "," };
        writeln!(
            text,
            "Ann Hill{n},ann.hill{n}@mail.example,305{:07},33101,The roof leaks,{past}",
            2_000_000 + n
        )?;
    }
    Ok(std::fs::write(path, text)?)
}

fn options(target: Target, file: &Path, history: bool) -> anyhow::Result<Options> {
    let own = |column: &str, value: &str| (column.to_owned(), value.to_owned());
    Ok(Options {
        enquiries: (!history).then(|| file.to_owned()),
        source: if history { None } else { Some("list".parse()?) },
        history: history.then(|| file.to_owned()),
        counts: None,
        suppressed: None,
        do_not_call: None,
        company: "brightside".parse()?,
        target,
        dry_run: false,
        rename: Vec::new(),
        set: if history { vec![own("source", "list")] } else { Vec::new() },
        map: Vec::new(),
        map_file: None,
        sheet: None,
        windows_1252: false,
        json: true,
    })
}
