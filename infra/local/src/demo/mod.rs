//! The demo: a rulebook of about 300 dealers at real places, whose webhooks lead back to this machine; and
//! `leadyard demo`, which fills a data folder with a year that looks like trade.
//!
//! Nothing is made up in the table: people ask, dealers answer and the desk acts through the same handlers as everywhere,
//! under a clock that runs through the year. What is made up is who they are and when they do what:
//!
//! | module | holds |
//! |---|---|
//! | [`people`] | who asks: names, mailboxes and phones that are nobody's, ZIPs as people live |
//! | [`curve`] | when: months, days of the week and hours, by trade and where they live |
//! | [`senders`] | by whom they are sent, how good that is, what it costs |
//! | [`book`] | the rulebook: every dealer on this machine, what may be returned, what was spent |
//! | [`plan`] | all who will ask, in order |
//! | [`year`] | the handlers, the clock, what is due |
//! | [`play`] | event after event: enquiries, interactions, answers |
//! | [`dealers`], [`desk`] | who answers, and who decides |
//! | [`progress`] | how far it is |
//!
//! Determinations:
//!
//! - *So many leads* are so many people who asked and whom screening let by, at once or in the end. Repeats, spam and what
//!   is nobody's come besides.
//! - *A folder that holds anything is refused*: nobody's data get a year that never was.
//! - *What a dealer or the desk is refused* (a deadline was over, the lead had gone on) is passed over, as by people. What
//!   a sender is refused ends the run: then the demo is wrong.

mod people;
mod curve;
mod senders;
mod book;
mod plan;
mod year;
mod dealers;
mod desk;
mod play;
mod progress;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use leadyard_platform::clock::Clock;
use serde::Serialize;

use crate::rules;
use play::Play;
use progress::Progress;

/// The address that the demo's channels are written with; `serve` puts its own in its place.
pub const PLACEHOLDER: &str = "http://127.0.0.1:9/";
/// Where a demo dealer stands behind it.
const DEALERS: &str = "demo/dealer/";

/// The demo rulebook's files.
pub const FILES: [(&str, &str); 11] = [
    ("company.toml", include_str!("../../demo/company.toml")),
    ("offers.toml", include_str!("../../demo/offers.toml")),
    ("sources.toml", include_str!("../../demo/sources.toml")),
    ("scoring.toml", include_str!("../../demo/scoring.toml")),
    ("followup.toml", include_str!("../../demo/followup.toml")),
    ("people.csv", include_str!("../../demo/people.csv")),
    ("dealers.csv", include_str!("../../demo/dealers.csv")),
    ("channels.csv", include_str!("../../demo/channels.csv")),
    ("areas.csv", include_str!("../../demo/areas.csv")),
    ("contracts.csv", include_str!("../../demo/contracts.csv")),
    ("tests.toml", include_str!("../../demo/tests.toml")),
];

/// The demo's files, with the dealers at `base` (ends with a slash).
pub fn files(base: &str) -> Vec<(String, Vec<u8>)> {
    FILES.map(|(name, text)| (name.to_owned(), text.replace(PLACEHOLDER, base).into_bytes())).to_vec()
}

/// Where a folder that `leadyard demo` filled keeps its rulebook.
const RULES: &str = "rules";

/// The files that `serve` begins a folder with where no others are named: those of its year, if it has one, else the
/// demo's; with the dealers at `base`.
///
/// # Errors
/// When there is a year's rulebook and it cannot be read.
pub fn files_of(data: Option<&Path>, base: &str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let Some(folder) = data.map(|data| data.join(RULES)).filter(|folder| folder.is_dir()) else {
        return Ok(files(base));
    };
    let mut files = rules::read(&folder)?;
    for (_, bytes) in &mut files {
        *bytes = String::from_utf8_lossy(bytes).replace(PLACEHOLDER, base).into_bytes();
    }
    Ok(files)
}

/// What `demo` is asked for.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// How many leads.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub leads: u32,
    /// The folder to fill: a new one, or an empty one.
    #[arg(long, value_name = "DIR", default_value = "leadyard-data")]
    pub data: PathBuf,
    /// A rulebook's folder; the demo without it. Its dealers are sent nothing: they are played.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// The same seed gives the same data, on an idle machine. The folder's key follows from it too: nothing real belongs
    /// there.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// When the year ends; now, if not said.
    #[arg(long, value_name = "RFC3339")]
    pub until: Option<Timestamp>,
    /// For programs.
    #[arg(long)]
    pub json: bool,
}

/// What a year became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Leads that the company knows at the end.
    pub leads: u64,
    /// Enquiries that were sent, repeats and spam among them.
    pub enquiries: u64,
    /// When the year began and ended.
    pub from: Timestamp,
    /// The end, where the clock stands.
    pub until: Timestamp,
    /// What people, dealers and the desk did, each as often as it was done: `accept`, `won`, `released` …
    pub done: BTreeMap<&'static str, u64>,
}

impl Told {
    /// For people.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&self, out: &mut impl Write, data: &Path) -> std::io::Result<()> {
        writeln!(out, "{} leads of {} enquiries, until {}", self.leads, self.enquiries, self.until)?;
        let done: Vec<String> = self.done.iter().map(|(what, count)| format!("{what} {count}")).collect();
        writeln!(out, "{}", done.join(", "))?;
        writeln!(out, "Look at it with: leadyard serve --data {}", data.display())
    }
}

/// A year is so long.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Fills a folder.
///
/// # Errors
/// When the folder holds anything, the rulebook has errors, or a sender is refused: then the folder is of no use.
pub async fn run(options: &Options) -> anyhow::Result<Told> {
    refuse_unless_empty(&options.data)?;
    let until = options.until.unwrap_or_else(|| Clock::system().now());
    let from = until.checked_sub(YEAR).context("--until is too early for a year before it")?;
    let mut files = match &options.rules {
        Some(folder) => rules::read(folder)?,
        None => book::built_in(options.leads)?,
    };
    book::at_home(&mut files)?;
    let (checked, _) = rules::check(files.clone(), from);
    let (book, _) = checked.rulebook.as_ref().context("the rulebook has errors")?;
    let plan = plan::plan(book, options.leads, options.seed, from, until);
    anyhow::ensure!(
        !plan.senders.is_empty(),
        "the rulebook has no source of kind form, google or file by which anybody could ask"
    );
    book::spend(&mut files, &plan.spent)?;
    let progress = Progress::new(plan.askings.len() as u64, options.json);
    // The SDK draws its tokens from the thread's own generator.
    fastrand::seed(options.seed);
    let play = Box::pin(Play::begin(options, files, plan, (from, until))).await?;
    let (told, in_force) = Box::pin(play.run(&progress))
        .await
        .with_context(|| format!("the year broke off; {} is of no use, remove it", options.data.display()))?;
    // With what the desk changed in the year: `serve` begins with these.
    keep(&in_force, &options.data.join(RULES))?;
    Ok(told)
}

fn refuse_unless_empty(folder: &Path) -> anyhow::Result<()> {
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{} could not be read", folder.display())),
        Ok(mut entries) => {
            anyhow::ensure!(
                entries.next().is_none(),
                "{} holds data already; name a new folder, or an empty one",
                folder.display()
            );
            Ok(())
        }
    }
}

/// Keeps the rulebook beside its data, for `serve`.
fn keep(files: &[(String, Vec<u8>)], folder: &Path) -> anyhow::Result<()> {
    let could_not = || format!("{} could not be written", folder.display());
    std::fs::create_dir_all(folder).with_context(could_not)?;
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).with_context(could_not)?;
    }
    Ok(())
}

/// A number that is a word's own: the same in every run of this seed.
fn chance(seed: u64, word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, word).hash(&mut hasher);
    hasher.finish()
}

/// A zone by its name; the rulebook and the table of places have none that is not known.
fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}
