//! `leadyard backtest` and `leadyard export`: history from a system or a file, and the difference that
//! another rulebook would have made of it.

mod history;
mod report;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use leadyard_domain::backtest::{Difference, Window, backtest};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::time;
use leadyard_platform::clock::Clock;

use crate::api::{Api, Target};
use crate::rules;

/// What `leadyard backtest` is asked.
#[derive(Args)]
pub struct Backtest {
    /// The new rulebook's folder.
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// The first day that is compared (in the company's zone), or an instant: 2026-05-01T00:00:00Z.
    #[arg(long)]
    from: String,
    /// The day that is not compared any more, or an instant; now, if not said.
    #[arg(long)]
    to: Option<String>,
    /// A file that `leadyard export` wrote, instead of a system.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "data"])]
    history: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
    /// For programs: all of it.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// For a spreadsheet: one of the tables.
    #[arg(long, value_name = "TABLE")]
    csv: Option<Table>,
}

/// What `leadyard export` is asked.
#[derive(Args)]
pub struct Export {
    /// Whose history.
    #[arg(long)]
    company: CompanyId,
    /// The first day (UTC), or an instant: 2026-05-01T00:00:00Z.
    #[arg(long)]
    from: String,
    /// The day that is not exported any more, or an instant; now, if not said.
    #[arg(long)]
    to: Option<String>,
    /// Where to write; standard output, if not said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

/// A table of the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Table {
    /// Who gains and loses.
    Dealers,
    /// The same by contract.
    Contracts,
    /// Which leads changed, and why.
    Leads,
}

/// Found problems: the rulebook's.
const PROBLEMS: u8 = 1;

/// Runs a backtest and prints the difference.
///
/// # Errors
/// When the history or the rulebook cannot be read.
pub async fn run(options: &Backtest) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let (checked, _) = rules::check(rules::read(&options.rules)?, clock.now());
    let Some((book, compiled)) = checked.rulebook else {
        for error in &checked.errors {
            writeln!(std::io::stderr(), "{error}")?;
        }
        writeln!(std::io::stderr(), "{} errors; nothing was tried", checked.errors.len() + checked.omitted)?;
        return Ok(ExitCode::from(PROBLEMS));
    };
    let zone = time::zone(&book.company.zone)?;
    let window = window(&options.from, options.to.as_deref(), &zone, clock.now())?;
    let events = match &options.history {
        Some(file) => history::read(file)?,
        None => {
            let api = Api::of(&options.target, &book.company.id).await?;
            history::fetch(api, &book.company.id, counted_from(window.from, &zone), window.to).await?
        }
    };
    anyhow::ensure!(!events.is_empty(), "there is no history in that time");
    let bar = history::bar("decided anew");
    let mut progress = |done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let difference = backtest(&book, compiled, &events, window, &mut progress)?;
    bar.finish_and_clear();
    print(options, &book.company.id, &difference)?;
    Ok(ExitCode::SUCCESS)
}

fn print(options: &Backtest, company: &CompanyId, difference: &Difference) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if options.json {
        writeln!(out, "{}", serde_json::to_string(difference)?)?;
        return Ok(());
    }
    match options.csv {
        Some(table) => report::csv(difference, table, &mut out),
        None => report::text(difference, company, &options.rules, &mut out),
    }
}

/// Writes history, a line an event, in its order.
///
/// # Errors
/// When the system does not answer, or the file cannot be written.
pub async fn export(options: &Export) -> anyhow::Result<ExitCode> {
    let window = window(&options.from, options.to.as_deref(), &TimeZone::UTC, Clock::system().now())?;
    let api = Api::of(&options.target, &options.company).await?;
    let events = history::fetch(api, &options.company, window.from, window.to).await?;
    let count = events.len();
    match &options.out {
        None => history::write(&events, &mut std::io::stdout().lock())?,
        Some(path) => {
            let file = std::fs::File::create(path)
                .with_context(|| format!("{} could not be written", path.display()))?;
            let mut file = std::io::BufWriter::new(file);
            history::write(&events, &mut file)?;
            file.flush()?;
        }
    }
    writeln!(std::io::stderr(), "{count} events")?;
    Ok(ExitCode::SUCCESS)
}

fn window(from: &str, to: Option<&str>, zone: &TimeZone, now: Timestamp) -> anyhow::Result<Window> {
    let from = instant("--from", from, zone)?;
    let to = to.map_or(Ok(now), |to| instant("--to", to, zone))?;
    anyhow::ensure!(from < to, "--from is before --to");
    Ok(Window { from, to })
}

fn instant(option: &str, text: &str, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    let rule = || format!("{option}: a day is written 2026-05-01, an instant 2026-05-01T00:00:00Z");
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let day: jiff::civil::Date = text.parse().with_context(rule)?;
    Timestamp::from_second(time::start_of_day(day, zone)).with_context(rule)
}

/// From when history is counted: the start of the month or week before, in whatever zone a dealer is.
fn counted_from(from: Timestamp, zone: &TimeZone) -> Timestamp {
    let day = from.to_zoned(zone.clone()).date();
    let week_ago = day.checked_sub(7.days()).unwrap_or(day);
    let first = day.first_of_month().min(week_ago);
    let start = Timestamp::from_second(time::start_of_day(first, zone)).unwrap_or(from);
    start.checked_sub(SignedDuration::from_hours(24)).unwrap_or(start).max(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_counted_from_the_start_of_the_month_and_the_week_before() {
        let zone = time::zone("America/New_York").unwrap();
        let counted = |from: &str| counted_from(from.parse().unwrap(), &zone).to_string();
        // The month's first day in New York, and a day more: some dealer's zone is ahead.
        assert_eq!(counted("2026-05-20T16:00:00Z"), "2026-04-30T04:00:00Z");
        // A week may have begun in the month before; across the change to summer time, too.
        assert_eq!(counted("2026-06-03T16:00:00Z"), "2026-05-26T04:00:00Z");
        assert_eq!(counted("2026-03-10T16:00:00Z"), "2026-02-28T05:00:00Z");
        // Which month it is, New York says.
        assert_eq!(counted("2026-06-01T03:00:00Z"), "2026-04-30T04:00:00Z");
        assert_eq!(counted("1970-01-01T00:00:00Z"), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn a_window_has_a_beginning_and_an_end_in_the_companys_zone() {
        let zone = time::zone("America/New_York").unwrap();
        let now = "2026-06-10T12:00:00Z".parse().unwrap();
        let of = |from: &str, to: Option<&str>| {
            let found = window(from, to, &zone, now).map_err(|error| format!("{error:#}"))?;
            Ok::<_, String>((found.from.to_string(), found.to.to_string()))
        };
        let days = of("2026-06-01", Some("2026-06-03T00:00:00Z")).unwrap();
        assert_eq!((days.0.as_str(), days.1.as_str()), ("2026-06-01T04:00:00Z", "2026-06-03T00:00:00Z"));
        assert_eq!(of("2026-06-01", None).unwrap().1, "2026-06-10T12:00:00Z");
        assert!(of("2026-06-10", Some("2026-06-10")).unwrap_err().contains("--from is before --to"));
        assert!(of("2026-06-31", None).unwrap_err().contains("--from: a day is written"));
    }
}
