//! `leadyard import`: a file of enquiries, or another system's past, moved in through the desk's API.
//!
//! | module | holds |
//! |---|---|
//! | [`table`] | a CSV file as spreadsheets save it, or a workbook's sheet |
//! | [`words`] | another system's words for ours |
//! | [`lanes`] | which rows may go side by side, and in which order the others |
//! | [`told`] | what is said of it |
//!
//! A file is read twice: once to put its rows in the order of their dates and to find which of them may be
//! one person, once to send them. What was sent before is answered with `already`: a run that broke off is
//! run again.

mod table;
mod words;
mod lanes;
mod told;

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use http::Method;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use leadyard_domain::ids::{CompanyId, SourceId};
use leadyard_domain::limits;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::api::{Api, Target};
use lanes::{Lane, Order};
use table::{Cells, Table};
pub use told::{Part, Told};
use words::Words;

/// What is moved in, and to where.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Enquiries that are to be sold: the fields of a form, offer; received_at, external_id. CSV or XLSX, as all
    /// files here.
    #[arg(value_name = "FILE", requires = "source")]
    pub enquiries: Option<PathBuf>,
    /// Whose file of enquiries it is: a source of kind file.
    #[arg(long, value_name = "ID", requires = "enquiries")]
    pub source: Option<SourceId>,
    /// Past leads: received_at, source, email or phone …; dealer, contract, assigned_at, price, outcome,
    /// outcome_at, won_value, external_id. Any other column is the person's.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["enquiries", "counts", "suppressed", "do_not_call"])]
    pub history: Option<PathBuf>,
    /// What was used of the periods that run: contract or dealer, hour, day, week, month, total, spent_month,
    /// balance.
    #[arg(long, value_name = "FILE")]
    pub counts: Option<PathBuf>,
    /// Whom not to take in: email, phone or value; reason, remove.
    #[arg(long, value_name = "FILE")]
    pub suppressed: Option<PathBuf>,
    /// Which phones not to call: phone or value; reason, remove.
    #[arg(long, value_name = "FILE")]
    pub do_not_call: Option<PathBuf>,
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
    /// A word by another: --map 'outcome:Sold=won' --map 'dealer:Hudson LLC=hudson'.
    #[arg(long, value_name = "COLUMN:THEIRS=OURS", value_parser = pair)]
    pub map: Vec<(String, String)>,
    /// The same as a CSV file: column, theirs, ours.
    #[arg(long, value_name = "FILE")]
    pub map_file: Option<PathBuf>,
    /// The sheet of a workbook; the first that holds anything, if not said.
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
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

/// Moves all files in: first who is not to be taken in, then the past, then what is counted, last who asks now.
///
/// # Errors
/// When a file cannot be read or the system does not answer. What was sent by then stands, and is passed over
/// when the same is run again.
pub async fn run(options: &Options) -> anyhow::Result<Told> {
    let files = [
        ("suppressed", options.suppressed.as_deref(), Order::OfTheFile),
        ("do_not_call", options.do_not_call.as_deref(), Order::OfTheFile),
        ("history", options.history.as_deref(), Order::OfTheDates),
        ("counts", options.counts.as_deref(), Order::OfTheFile),
        ("enquiries", options.enquiries.as_deref(), Order::OfTheDates),
    ];
    let words = Words::of(&options.map, options.map_file.as_deref())?;
    // All are looked at before the first is sent.
    let mut tables = Vec::new();
    for (what, path, order) in files {
        if let Some(path) = path {
            tables.push((what, open(path, options, &words, what == "enquiries")?, order));
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

fn open(path: &Path, options: &Options, words: &Words, of_a_source: bool) -> anyhow::Result<Table> {
    let cells = Cells {
        rename: options.rename.clone(),
        set: options.set.clone(),
        words: words.clone(),
        windows_1252: options.windows_1252,
        sheet: options.sheet.clone(),
        of_a_source,
    };
    Table::open(path, cells).with_context(|| format!("{} could not be read", path.display()))
}

/// What a lane has to tell of a row.
struct RowNews {
    line: u64,
    news: News,
    /// What of it was not understood.
    notes: Vec<(String, String)>,
    /// The words it was refused for, by column.
    words: Vec<(String, Option<String>)>,
}

enum News {
    /// With what it became, as the system says it.
    Imported(Value),
    Already,
    Refused(Vec<(String, String)>),
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
    let rows = planned.lanes.iter().map(|lane| lane.rows.len() as u64).sum();
    // A dry run of enquiries says of each where it would go.
    let each = options.dry_run && what == "enquiries";
    let mut part = Part::new(what, rows, each);
    let mut path = format!("/v1/import/{what}?company={}", options.company);
    if let Some(source) = options.source.as_ref().filter(|_| what == "enquiries") {
        let _ = write!(path, "&source={source}&file_rows={rows}");
    }
    if options.dry_run {
        path.push_str("&dry_run");
    }
    let path: Arc<str> = path.into();
    let (sender, mut news) = mpsc::channel(1_000);
    let mut running = tokio::task::JoinSet::new();
    for lane in planned.lanes {
        running.spawn(run_lane(Arc::clone(api), Arc::clone(&table), lane, Arc::clone(&path), sender.clone()));
    }
    drop(sender);
    let progress = Progress::new(what, part.rows, options.json);
    while let Some(row) = news.recv().await {
        part.row(row, &planned.shared);
        progress.one_more();
    }
    progress.finish();
    while let Some(ended) = running.join_next().await {
        ended?.with_context(|| {
            format!("{what}: {} of {} rows are there; run it again to go on", part.done(), part.rows)
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
                news.send(RowNews { line, news: refused, notes: Vec::new(), words: Vec::new() }).await?;
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

async fn ask(
    api: &Api,
    path: &str,
    lines: Vec<u64>,
    rows: Vec<Value>,
    news: &mpsc::Sender<RowNews>,
) -> anyhow::Result<()> {
    let body = json!({ "rows": rows });
    let sent = body["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let answer = api.ask_again(Method::POST, path, Some(&body)).await?.json()?;
    let told = answer["rows"].as_array().context("the system did not say what became of the rows")?;
    anyhow::ensure!(told.len() == lines.len(), "the system did not say what became of every row");
    for ((line, told), row) in lines.into_iter().zip(told).zip(sent) {
        let mut words = Vec::new();
        let became = match told["status"].as_str() {
            Some("imported") => News::Imported(told.clone()),
            Some("already") => News::Already,
            _ => {
                let errors = faults(&told["errors"]);
                let word = |field: &str| row[field].as_str().map(str::to_owned);
                words.extend(errors.iter().map(|(field, _)| (field.clone(), word(field))));
                News::Refused(errors)
            }
        };
        news.send(RowNews { line, news: became, notes: faults(&told["notes"]), words }).await?;
    }
    Ok(())
}

/// `/rows/7/received_at` is `received_at`.
fn faults(errors: &Value) -> Vec<(String, String)> {
    let fault = |error: &Value| {
        let field = error["pointer"].as_str().unwrap_or_default().splitn(4, '/').nth(3).unwrap_or_default();
        (field.to_owned(), error["detail"].as_str().unwrap_or_default().to_owned())
    };
    errors.as_array().into_iter().flatten().map(fault).collect()
}

/// Reads a whole file as an import would, and sends nothing: how many rows could be sent, and how many could not.
///
/// # Errors
/// When the file is none that can be read by rows.
pub fn read(path: &Path, windows_1252: bool, of_a_source: bool) -> anyhow::Result<(usize, usize)> {
    let table = Table::open(path, Cells { windows_1252, of_a_source, ..Cells::default() })?;
    let mut cursor = table.cursor()?;
    let (mut sent, mut refused) = (0, 0);
    while cursor.next()?.is_some() {
        *(if cursor.row(&table).is_ok() { &mut sent } else { &mut refused }) += 1;
    }
    Ok((sent, refused))
}

/// A bar on a terminal, a line now and then elsewhere, nothing for programs.
struct Progress {
    what: &'static str,
    bar: ProgressBar,
    plain: bool,
}

/// Rows between two lines.
const A_LINE_EACH: u64 = 10_000;

/// In what it is said how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    Bar,
    Lines,
    Nothing,
}

impl Shows {
    fn on(terminal: bool, json: bool) -> Self {
        if json {
            Self::Nothing
        } else if terminal {
            Self::Bar
        } else {
            Self::Lines
        }
    }
}

impl Progress {
    fn new(what: &'static str, rows: u64, json: bool) -> Self {
        let shows = Shows::on(std::io::stderr().is_terminal(), json);
        let target = match shows {
            Shows::Bar => ProgressDrawTarget::stderr(),
            Shows::Lines | Shows::Nothing => ProgressDrawTarget::hidden(),
        };
        Self::on(target, what, rows, shows == Shows::Lines)
    }

    fn on(target: ProgressDrawTarget, what: &'static str, rows: u64, plain: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(rows), target);
        let style =
            ProgressStyle::with_template("{prefix} {wide_bar} {human_pos} of {human_len} rows, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(what);
        Self { what, bar, plain }
    }

    fn one_more(&self) {
        self.bar.inc(1);
        if let Some(line) = self.line() {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// What is said just now where there is no terminal.
    fn line(&self) -> Option<String> {
        let done = self.bar.position();
        let of = self.bar.length().unwrap_or_default();
        (self.plain && done.is_multiple_of(A_LINE_EACH))
            .then(|| format!("{}: {done} of {of} rows", self.what))
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

type Row = Map<String, Value>;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use indicatif::TermLike;

    use super::*;

    /// A terminal of sixty columns that keeps what was drawn on it last.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            60
        }

        fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> std::io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> std::io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> std::io::Result<()> {
            self.0.lock().unwrap().clear();
            Ok(())
        }

        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn on_a_terminal_a_bar_says_how_far_it_is_and_goes_at_the_end() {
        let screen = Screen::default();
        let shown = || screen.0.lock().unwrap().trim().to_owned();
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let progress = Progress::on(target, "enquiries", 12_000, false);
        for _ in 0..3_000 {
            progress.one_more();
        }
        progress.bar.tick();
        let quarter = shown();
        assert!(
            quarter.starts_with("enquiries ") && quarter.contains(" 3,000 of 12,000 rows, "),
            "{quarter}"
        );
        assert!(quarter.ends_with(" left"), "{quarter}");
        let full = |bar: &str| bar.chars().filter(|one| *one == '\u{2588}').count();
        for _ in 0..6_000 {
            progress.one_more();
        }
        progress.bar.tick();
        assert!(shown().contains(" 9,000 of 12,000 rows, "), "{}", shown());
        assert!(full(&shown()) > full(&quarter), "the bar grows: {quarter} {}", shown());
        progress.finish();
        assert_eq!(shown(), "");
    }

    #[test]
    fn a_terminal_has_a_bar_anything_else_lines_and_a_program_neither() {
        for (terminal, json, shows) in [
            (true, false, Shows::Bar),
            (false, false, Shows::Lines),
            (true, true, Shows::Nothing),
            (false, true, Shows::Nothing),
        ] {
            assert_eq!(Shows::on(terminal, json), shows, "terminal {terminal}, json {json}");
        }
    }

    #[test]
    fn elsewhere_there_is_a_line_now_and_then_and_for_programs_none() {
        for (plain, expected) in [
            (true, vec!["enquiries: 10000 of 25000 rows", "enquiries: 20000 of 25000 rows"]),
            (false, vec![]),
        ] {
            let progress = Progress::on(ProgressDrawTarget::hidden(), "enquiries", 25_000, plain);
            let mut lines = Vec::new();
            for _ in 0..25_000 {
                progress.bar.inc(1);
                lines.extend(progress.line());
            }
            assert_eq!(lines, expected);
        }
    }
}
