//! Load: drives HTTP at a given rate and prints percentiles beside the bars of Q2, in memory and on
//! disk, then the sustained maximum, and which index keys take how much of the writes. Apart, and each by a flag of its
//! own: decisions, files, and pages.
//!
//! The driver, the system and the dealers share this machine's cores; on two of them the figures are
//! those of a busy machine. Nothing here passes or fails: it prints.

mod decisions;
mod imports;
mod pages;
mod writes;

use std::collections::HashMap;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use clap::Parser;
use hdrhistogram::Histogram;
use leadyard::serve::{self, Options, Running};
use serde_json::{Value, json};
use tokio::time::Instant;

/// As the program on one machine has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Drives leads through a whole system on this machine.
#[derive(Parser)]
struct Cli {
    /// Seconds of each phase.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Leads per second of the steady phase.
    #[arg(long, default_value_t = 50)]
    rate: u64,
    /// Connections of the sustained phase.
    #[arg(long, default_value_t = 24)]
    connections: usize,
    /// Measures distribution alone instead: how many decisions it commits in a second, on so many leads.
    #[arg(long)]
    decisions: Option<usize>,
    /// Measures files instead: how long so many rows of one take to come in.
    #[arg(long)]
    imports: Option<usize>,
    /// Measures every page instead, with so many leads in the table.
    #[arg(long)]
    pages: Option<usize>,
    /// How often each kind of page is asked for.
    #[arg(long, default_value_t = 200, requires = "pages")]
    times: usize,
    /// Measures those kinds of pages alone whose name has this.
    #[arg(long, value_name = "WORDS", requires = "pages")]
    only: Option<String>,
    /// The folder that these leads stand in, to be filled once and measured often; one for this run, if not said.
    #[arg(long, value_name = "DIR", requires = "pages")]
    data: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let Some(leads) = cli.decisions {
        let one_core = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return one_core.block_on(decisions::measure(leads));
    }
    let cores = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(leads) = cli.pages {
        return cores.block_on(Box::pin(pages::measure(
            leads,
            cli.times,
            cli.only.as_deref(),
            cli.data.as_deref(),
        )));
    }
    match cli.imports {
        Some(rows) => cores.block_on(imports::measure(rows)),
        None => cores.block_on(drive(&cli)),
    }
}

async fn drive(cli: &Cli) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{} cores share driver, system and dealers", std::thread::available_parallelism()?)?;
    for on_disk in [false, true] {
        Box::pin(measure(cli, on_disk)).await?;
    }
    Ok(())
}

/// What the dealers have seen: when each lead arrived.
#[derive(Clone, Default)]
struct Arrivals(Arc<Mutex<HashMap<String, Instant>>>);

impl Arrivals {
    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Dealers that answer at once.
async fn dealers() -> anyhow::Result<(String, Arrivals)> {
    async fn receive(State(arrivals): State<Arrivals>, body: String) -> StatusCode {
        let lead = serde_json::from_str::<Value>(&body)
            .ok()
            .and_then(|body| body["data"]["lead_id"].as_str().map(str::to_owned));
        if let Some(lead) = lead {
            arrivals
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(lead)
                .or_insert_with(Instant::now);
        }
        StatusCode::NO_CONTENT
    }
    let arrivals = Arrivals::default();
    let app = Router::new().route("/demo/dealer/{dealer}", post(receive)).with_state(arrivals.clone());
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let base = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((base, arrivals))
}

async fn measure(cli: &Cli, on_disk: bool) -> anyhow::Result<()> {
    let (dealers_at, arrivals) = dealers().await?;
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    write_rules(&rules, &dealers_at)?;
    let options = Options { data: on_disk.then(|| folder.path().join("data")), port: 0, rules: Some(rules) };
    let counts = writes::Writes::default();
    let running = Box::pin(serve::start_over(&options, |http| counts.over(http))).await?;
    let driver = Arc::new(Driver::new(&running)?);
    let mut out = std::io::stdout();
    writeln!(out, "\n{}", if on_disk { "on disk" } else { "in memory" })?;

    // A few to warm caches and connections.
    steady(&driver, 20, 1).await?;
    let steady = steady(&driver, cli.rate, cli.seconds).await?;
    drained(&arrivals, driver.accepted(), Duration::from_secs(30)).await;
    report(&mut out, cli, &steady, &arrivals)?;

    let before = arrivals.count();
    let started = Instant::now();
    let sent = sustained(&driver, cli.connections, cli.seconds).await;
    let accepting = started.elapsed();
    drained(&arrivals, driver.accepted(), Duration::from_mins(2)).await;
    let delivered = arrivals.count() - before;
    writeln!(
        out,
        "  sustained, {} connections: {:.0} accepted/s; {:.0} delivered/s until the last of {delivered} (bar: 200 on disk)",
        cli.connections,
        sent as f64 / accepting.as_secs_f64(),
        delivered as f64 / started.elapsed().as_secs_f64(),
    )?;
    counts.report(&mut out)?;
    running.stop().await;
    Ok(())
}

/// The demo's rules with hours and caps lifted, so that every lead finds a dealer at any time of day.
fn write_rules(folder: &Path, dealers_at: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, bytes) in leadyard::demo::files(dealers_at) {
        let text = String::from_utf8(bytes)?;
        let text = match name.as_str() {
            "dealers.csv" => without(&text, &["hours", "holidays", "cap_day", "cap_month"]),
            "contracts.csv" => without(
                &text,
                &[
                    "cap_hour",
                    "cap_day",
                    "cap_week",
                    "cap_month",
                    "cap_total",
                    "min_band",
                    "needs",
                    "starts",
                    "ends",
                ],
            ),
            "tests.toml" => continue,
            _ => text,
        };
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// A table without some of its columns' values. The demo's cells hold no quotes with commas in them but
/// names: those columns come before none of these.
fn without(table: &str, columns: &[&str]) -> String {
    let mut lines = table.lines();
    let header = lines.next().unwrap_or_default();
    let drop: Vec<usize> =
        header.split(',').enumerate().filter(|(_, name)| columns.contains(name)).map(|(at, _)| at).collect();
    let mut kept = vec![header.to_owned()];
    for line in lines {
        let cells = cells(line);
        let cells =
            cells.iter().enumerate().map(|(at, cell)| if drop.contains(&at) { "" } else { cell.as_str() });
        kept.push(cells.collect::<Vec<_>>().join(","));
    }
    kept.join("\n")
}

/// A line's cells, quotes kept.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for letter in line.chars() {
        match letter {
            ',' if !quoted => cells.push(String::new()),
            _ => {
                quoted ^= letter == '"';
                if let Some(cell) = cells.last_mut() {
                    cell.push(letter);
                }
            }
        }
    }
    cells
}

struct Driver {
    client: reqwest::Client,
    url: String,
    secret: String,
    zips: Vec<leadyard_domain::place::Place>,
    offers: Vec<String>,
    sent: AtomicU64,
    accepted: AtomicU64,
}

impl Driver {
    fn new(running: &Running) -> anyhow::Result<Self> {
        let source = running
            .ready
            .sources
            .iter()
            .find(|source| !source.source.contains("test"))
            .context("a source")?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let mut zips: Vec<_> = leadyard_domain::place::all().collect();
        zips.sort_by_key(|place| std::cmp::Reverse(place.population()));
        zips.truncate(5_000);
        Ok(Self {
            client: reqwest::Client::builder().use_preconfigured_tls(tls).no_proxy().build()?,
            url: format!("{}/v1/leads/{}", running.ready.url, source.key),
            secret: source.secret.clone(),
            zips,
            offers: vec!["roof-inspection".to_owned(), "roof-replacement".to_owned()],
            sent: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
        })
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed) as usize
    }

    /// Posts one lead: its id, and when it was accepted.
    async fn post(&self) -> anyhow::Result<(String, Instant)> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let zip = self.zips[(number as usize * 7_919) % self.zips.len()].zip();
        let offer = &self.offers[number as usize % self.offers.len()];
        let body = json!({
            "first_name": "Load", "last_name": format!("Person{number}"), "email": format!("load{number}@example.com"),
            "phone": format!("+1212{:03}{:04}", 200 + number / 10_000 % 700, number % 10_000),
            "zip": zip.to_string(), "offer": offer, "message": "Two shingles came off in the storm.", "consent": "yes",
        });
        let response = self
            .client
            .post(&self.url)
            .bearer_auth(&self.secret)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await?;
        anyhow::ensure!(response.status().is_success(), "{}", response.status());
        let answer: Value = serde_json::from_slice(&response.bytes().await?)?;
        let lead = answer["lead"].as_str().context("the secret is told the lead")?.to_owned();
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Ok((lead, Instant::now()))
    }
}

/// A phase's leads: when each was accepted, and how long that took.
struct Phase {
    accept_us: Histogram<u64>,
    accepted: Vec<(String, Instant)>,
    failed: u64,
}

/// Posts at an even rate, each on time whatever became of the one before: a slow answer delays nobody,
/// and the wait for it counts from when it was due.
async fn steady(driver: &Arc<Driver>, rate: u64, seconds: u64) -> anyhow::Result<Phase> {
    let mut phase = Phase { accept_us: Histogram::new(3)?, accepted: Vec::new(), failed: 0 };
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / rate));
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..rate * seconds {
        let due = ticks.tick().await;
        let driver = Arc::clone(driver);
        posts.spawn(async move { (driver.post().await, due.elapsed()) });
    }
    while let Some(joined) = posts.join_next().await {
        match joined? {
            (Ok(accepted), took) => {
                phase.accepted.push(accepted);
                phase.accept_us.record(took.as_micros() as u64)?;
            }
            (Err(_), _) => phase.failed += 1,
        }
    }
    Ok(phase)
}

/// Posts as fast as the connections allow; how many were accepted.
async fn sustained(driver: &Driver, connections: usize, seconds: u64) -> u64 {
    let until = Instant::now() + Duration::from_secs(seconds);
    let before = driver.accepted.load(Ordering::Relaxed);
    let workers = (0..connections).map(|_| async {
        while Instant::now() < until {
            let _ = driver.post().await;
        }
    });
    futures::future::join_all(workers).await;
    driver.accepted.load(Ordering::Relaxed) - before
}

/// Waits until every accepted lead has reached a dealer, or for so long.
async fn drained(arrivals: &Arrivals, expected: usize, most: Duration) {
    let until = Instant::now() + most;
    while arrivals.count() < expected && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn report(
    out: &mut impl std::io::Write,
    cli: &Cli,
    phase: &Phase,
    arrivals: &Arrivals,
) -> anyhow::Result<()> {
    let arrivals = arrivals.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut dealer_us = Histogram::<u64>::new(3)?;
    let mut missing = 0;
    for (lead, accepted) in &phase.accepted {
        match arrivals.get(lead) {
            // A dealer may have it before the sender has read our answer.
            Some(arrived) => {
                dealer_us.record(arrived.saturating_duration_since(*accepted).as_micros() as u64)?;
            }
            None => missing += 1,
        }
    }
    let line = |histogram: &Histogram<u64>| {
        let ms = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        format!(
            "p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            ms(0.5),
            ms(0.9),
            ms(0.99),
            histogram.max() as f64 / 1_000.0
        )
    };
    writeln!(
        out,
        "  {} leads/s for {} s, {} failed, {missing} without a dealer",
        cli.rate, cli.seconds, phase.failed
    )?;
    writeln!(out, "    accept            {} (bar: p99 25 ms on disk)", line(&phase.accept_us))?;
    writeln!(out, "    accept to dealer  {} (bar: p99 250 ms on disk)", line(&dealer_us))?;
    Ok(())
}
