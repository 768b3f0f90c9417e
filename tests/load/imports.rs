//! Files: how long it takes until every row of one is kept and acknowledged, beside a system that runs.
//!
//! What distribution and delivery make of the rows goes on meanwhile, and after: how far they came is printed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use leadyard::api::Target;
use leadyard::import::{self, Options};
use leadyard::serve::{self, Running};
use tokio::time::Instant;

/// Enquiries and past leads, in memory and on disk.
pub(crate) async fn measure(rows: usize) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let cores = std::thread::available_parallelism()?;
    writeln!(out, "{rows} rows each; {cores} cores share the command and the system{}", load()?)?;
    for on_disk in [false, true] {
        for history in [false, true] {
            let (dealers_at, arrivals) = crate::dealers().await?;
            let folder = tempfile::tempdir()?;
            let rules = folder.path().join("rules");
            crate::write_rules(&rules, &dealers_at)?;
            add_source(&rules)?;
            let data = on_disk.then(|| folder.path().join("data"));
            let running =
                Box::pin(serve::start(&serve::Options { data, port: 0, rules: Some(rules) })).await?;
            let file = folder.path().join("leads.csv");
            write_leads(&file, rows, history)?;
            let began = Instant::now();
            let told = import::run(&options(&running, &file, history)?).await?;
            let took = began.elapsed().as_secs_f64();
            let part = told.parts.first().context("one file")?;
            anyhow::ensure!(part.imported == rows as u64, "{} of {rows} came in", part.imported);
            writeln!(
                out,
                "{} {}: {took:.1} s, {:.0} rows/s; {} leads had reached a dealer by then{}",
                if on_disk { "on disk, " } else { "in memory, " },
                if history { "past leads" } else { "enquiries" },
                rows as f64 / took,
                arrivals.count(),
                load()?,
            )?;
            running.stop().await;
        }
    }
    Ok(())
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

fn options(running: &Running, file: &Path, history: bool) -> anyhow::Result<Options> {
    let ready = serde_json::to_value(&running.ready)?;
    let text = |name: &str| ready[name].as_str().map(str::to_owned);
    let target = Target { url: text("url"), token: text("desk_token"), data: "unused".into() };
    let own = |column: &str, value: &str| (column.to_owned(), value.to_owned());
    Ok(Options {
        enquiries: (!history).then(|| file.to_owned()),
        source: (!history).then(|| "list".parse()).transpose()?,
        history: history.then(|| file.to_owned()),
        counts: None,
        suppressed: None,
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
