//! `leadyard import`: another system's CSV, moved in through the desk's API.
//!
//! | module | holds |
//! |---|---|
//! | [`table`] | a CSV file as spreadsheets save it |
//! | [`lanes`] | which rows may go side by side, and in which order the others |
//!
//! A file is read twice: once to put its rows in the order of their dates and to find which of them may be
//! one person, once to send them. What was sent before is answered with `already`: a run that broke off is
//! run again.

mod table;
mod lanes;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use http::{Method, StatusCode};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::api::{Answer, Api, Target};
use lanes::{Lane, Order};
use table::{Cells, Table};

/// What is moved in, and to where.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Past leads: received_at, source, email or phone …; dealer, contract, assigned_at, price, outcome,
    /// outcome_at, won_value, external_id. Any other column is the person's.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["counts", "suppressed"])]
    pub history: Option<PathBuf>,
    /// What was used of the periods that run: contract or dealer, hour, day, week, month, total, spent_month,
    /// balance.
    #[arg(long, value_name = "FILE")]
    pub counts: Option<PathBuf>,
    /// Whom not to take in: email, phone or value; reason, remove.
    #[arg(long, value_name = "FILE")]
    pub suppressed: Option<PathBuf>,
    /// The company.
    #[arg(long, value_name = "ID")]
    pub company: CompanyId,
    /// Where to.
    #[command(flatten)]
    pub target: Target,
    /// Says what would become of every row, and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// A column by another name: --rename 'Created Date=received_at'.
    #[arg(long, value_name = "THEIRS=OURS", value_parser = pair)]
    pub rename: Vec<(String, String)>,
    /// What a column holds where it is blank or missing: --set source=old-forms.
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// The files are Windows-1252, as older spreadsheets save CSV, not UTF-8.
    #[arg(long)]
    pub windows_1252: bool,
    /// For programs.
    #[arg(long)]
    pub json: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is written NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// What became of all files.
#[derive(Debug)]
pub struct Told {
    /// Nothing was written.
    pub dry_run: bool,
    /// Each file, in the order in which they were sent.
    pub parts: Vec<Part>,
}

/// What became of one file.
#[derive(Debug, Default)]
pub struct Part {
    /// `history`, `counts` or `suppressed`.
    pub what: &'static str,
    /// Rows of the file.
    pub rows: u64,
    /// Rows that are there now and were not before.
    pub imported: u64,
    /// Rows that were there before.
    pub already: u64,
    /// Rows that were refused, by their lines: the fields at fault with their rules.
    pub refused: BTreeMap<u64, Vec<(String, String)>>,
    /// Rows of which something was not understood, and is kept as it came.
    pub noted: BTreeMap<u64, Vec<(String, String)>>,
    /// How long it took.
    pub took: Duration,
}

/// Refused rows that are shown; `--json` has them all.
const SHOWN: usize = 100;

impl Told {
    /// Whether every row was taken.
    pub fn whole(&self) -> bool {
        self.parts.iter().all(|part| part.refused.is_empty())
    }

    /// For people.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        for part in &self.parts {
            for (line, errors) in part.refused.iter().take(SHOWN) {
                for (field, rule) in errors {
                    let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
                    writeln!(out, "{} line {line}: {field}{rule}", part.what)?;
                }
            }
            if part.refused.len() > SHOWN {
                writeln!(out, "and {} more rows; --json has them all", part.refused.len() - SHOWN)?;
            }
            writeln!(
                out,
                "{}: {} rows: {} imported, {} already there, {} refused, in {:.1} s",
                part.what,
                part.rows,
                part.imported,
                part.already,
                part.refused.len(),
                part.took.as_secs_f64(),
            )?;
            if !part.noted.is_empty() {
                writeln!(
                    out,
                    "    of {} rows something was kept and not understood: --json says what",
                    part.noted.len()
                )?;
            }
        }
        if self.dry_run {
            writeln!(out, "nothing was written: this was a dry run")?;
        }
        Ok(())
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let list = |lines: &BTreeMap<u64, Vec<(String, String)>>| -> Vec<Value> {
            let error = |(field, rule): &(String, String)| json!({ "field": field, "rule": rule });
            lines
                .iter()
                .map(|(line, errors)| json!({ "line": line, "errors": errors.iter().map(error).collect::<Vec<_>>() }))
                .collect()
        };
        let part = |part: &Part| {
            json!({
                "what": part.what, "rows": part.rows, "imported": part.imported, "already": part.already,
                "refused": list(&part.refused), "noted": list(&part.noted), "ms": part.took.as_millis() as u64,
            })
        };
        json!({ "dry_run": self.dry_run, "files": self.parts.iter().map(part).collect::<Vec<_>>() })
    }
}

/// Moves all files in: first who is not to be taken in, then the past, then what is counted.
///
/// # Errors
/// When a file cannot be read or the system does not answer. What was sent by then stands, and is passed over
/// when the same is run again.
pub async fn run(options: &Options) -> anyhow::Result<Told> {
    let files = [
        ("suppressed", options.suppressed.as_deref(), Order::OfTheFile),
        ("history", options.history.as_deref(), Order::OfTheDates),
        ("counts", options.counts.as_deref(), Order::OfTheFile),
    ];
    // All are looked at before the first is sent.
    let mut tables = Vec::new();
    for (what, path, order) in files {
        if let Some(path) = path {
            tables.push((what, open(path, options)?, order));
        }
    }
    for (theirs, _) in &options.rename {
        let found = tables.iter().any(|(_, table, _)| table.renames(theirs));
        anyhow::ensure!(found, "no file has a column {theirs} to rename");
    }
    let api = Arc::new(Api::of(&options.target, &options.company).await?);
    let mut told = Told { dry_run: options.dry_run, parts: Vec::new() };
    for (what, table, order) in tables {
        told.parts.push(send(&api, what, Arc::new(table), order, options).await?);
    }
    Ok(told)
}

fn open(path: &Path, options: &Options) -> anyhow::Result<Table> {
    let cells = Cells {
        rename: options.rename.clone(),
        set: options.set.clone(),
        windows_1252: options.windows_1252,
    };
    Table::open(path, cells).with_context(|| format!("{} could not be read", path.display()))
}

/// What a lane has to tell of a row.
enum News {
    Imported,
    Already,
    Refused(Vec<(String, String)>),
}

struct RowNews {
    line: u64,
    news: News,
    notes: Vec<(String, String)>,
}

async fn send(
    api: &Arc<Api>,
    what: &'static str,
    table: Arc<Table>,
    order: Order,
    options: &Options,
) -> anyhow::Result<Part> {
    let began = tokio::time::Instant::now();
    let planned = {
        let table = Arc::clone(&table);
        tokio::task::spawn_blocking(move || lanes::plan(&table, order)).await??
    };
    let mut part =
        Part { what, rows: planned.iter().map(|lane| lane.rows.len() as u64).sum(), ..Part::default() };
    let dry_run = if options.dry_run { "&dry_run" } else { "" };
    let path: Arc<str> = format!("/v1/import/{what}?company={}{dry_run}", options.company).into();
    let (sender, mut news) = mpsc::channel(1_000);
    let mut running = tokio::task::JoinSet::new();
    for lane in planned {
        running.spawn(run_lane(Arc::clone(api), Arc::clone(&table), lane, Arc::clone(&path), sender.clone()));
    }
    drop(sender);
    let progress = Progress::new(what, part.rows, options.json);
    while let Some(row) = news.recv().await {
        match row.news {
            News::Imported => part.imported += 1,
            News::Already => part.already += 1,
            News::Refused(errors) => {
                part.refused.insert(row.line, errors);
            }
        }
        if !row.notes.is_empty() {
            part.noted.insert(row.line, row.notes);
        }
        progress.one_more();
    }
    progress.finish();
    while let Some(ended) = running.join_next().await {
        ended?.with_context(|| {
            let done = part.imported + part.already;
            format!("{what}: {done} of {} rows are there; run it again to go on", part.rows)
        })?;
    }
    part.took = began.elapsed();
    Ok(part)
}

/// Bytes of one request: half of what is taken, since text grows when it is written as JSON.
const REQUEST_BYTES: usize = limits::IMPORT_BYTES / 2;

async fn run_lane(
    api: Arc<Api>,
    table: Arc<Table>,
    lane: Lane,
    path: Arc<str>,
    news: mpsc::Sender<RowNews>,
) -> anyhow::Result<()> {
    let mut cursor = table.cursor()?;
    let (mut lines, mut rows, mut bytes) = (Vec::new(), Vec::new(), 0);
    for position in lane.rows {
        let line = table.line(&position);
        cursor.go_to(position)?;
        match cursor.row(&table) {
            Err(rule) => {
                let refused = News::Refused(vec![(String::new(), rule)]);
                news.send(RowNews { line, news: refused, notes: Vec::new() }).await?;
            }
            Ok(row) => {
                bytes += cursor.bytes();
                rows.push(Value::Object(row));
                lines.push(line);
            }
        }
        if rows.len() >= limits::IMPORT_ROWS || bytes >= REQUEST_BYTES {
            ask(&api, &path, std::mem::take(&mut lines), std::mem::take(&mut rows), &news).await?;
            bytes = 0;
        }
    }
    if !rows.is_empty() {
        ask(&api, &path, lines, rows, &news).await?;
    }
    Ok(())
}

/// How often a request that the system had no time for is sent again.
const ATTEMPTS: u32 = 8;

async fn ask(
    api: &Api,
    path: &str,
    lines: Vec<u64>,
    rows: Vec<Value>,
    news: &mpsc::Sender<RowNews>,
) -> anyhow::Result<()> {
    let body = json!({ "rows": rows });
    let mut attempt = 1;
    let answer = loop {
        let answer = api.ask(Method::POST, path, Some(&body)).await;
        let again = answer.as_ref().map_or(true, busy);
        if !again || attempt >= ATTEMPTS {
            break answer?.json()?;
        }
        let wait_ms = 100 << attempt;
        tokio::time::sleep(Duration::from_millis(wait_ms + fastrand::u64(0..wait_ms))).await;
        attempt += 1;
    };
    let told = answer["rows"].as_array().context("the system did not say what became of the rows")?;
    anyhow::ensure!(told.len() == lines.len(), "the system did not say what became of every row");
    for (line, told) in lines.into_iter().zip(told) {
        let became = match told["status"].as_str() {
            Some("imported") => News::Imported,
            Some("already") => News::Already,
            _ => News::Refused(faults(&told["errors"])),
        };
        news.send(RowNews { line, news: became, notes: faults(&told["notes"]) }).await?;
    }
    Ok(())
}

fn busy(answer: &Answer) -> bool {
    [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY]
        .contains(&answer.status)
}

/// `/rows/7/received_at` is `received_at`.
fn faults(errors: &Value) -> Vec<(String, String)> {
    let fault = |error: &Value| {
        let field = error["pointer"].as_str().unwrap_or_default().splitn(4, '/').nth(3).unwrap_or_default();
        (field.to_owned(), error["detail"].as_str().unwrap_or_default().to_owned())
    };
    errors.as_array().into_iter().flatten().map(fault).collect()
}

/// A bar on a terminal, a line now and then elsewhere, nothing for programs.
struct Progress {
    what: &'static str,
    bar: ProgressBar,
    plain: bool,
}

/// Rows between two lines.
const A_LINE_EACH: u64 = 10_000;

impl Progress {
    fn new(what: &'static str, rows: u64, json: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target =
            if terminal && !json { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(rows), target);
        let style =
            ProgressStyle::with_template("{prefix} {wide_bar} {human_pos} of {human_len} rows, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(what);
        Self { what, bar, plain: !terminal && !json }
    }

    fn one_more(&self) {
        self.bar.inc(1);
        let done = self.bar.position();
        if self.plain && done.is_multiple_of(A_LINE_EACH) {
            let of = self.bar.length().unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "{}: {done} of {of} rows", self.what);
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

type Row = Map<String, Value>;
