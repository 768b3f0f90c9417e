//! The command line.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use leadyard::api::{Api, Target};
use leadyard::keys::Keys;
use leadyard::serve::{self, Options};
use leadyard::{backtest, demo, import, leads, rebuild, redrive, rules, system};
use leadyard_domain::access::MasterKey;
use leadyard_domain::delivery::TemplateExample;
use leadyard_platform::clock::Clock;
use leadyard_platform::telemetry::LevelFilter;

/// A lead is tens of thousands of small allocations, most of them the SDK's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Takes in leads, scores them, and passes each to the dealer who should have it.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything on this machine (what happens without a command).
    Serve(Serve),
    /// Fills a new data folder with a year that looks like trade, for `serve` to show.
    Demo(demo::Options),
    /// Checks a rulebook and runs its tests.
    Check(Check),
    /// Publishes a rulebook.
    Apply(Apply),
    /// Prints every way in of a rulebook's company, as JSON; reads the master key from standard input.
    Keys(KeysOf),
    /// Moves a company in: past leads, what was used of caps, suppression lists.
    Import(Box<import::Options>),
    /// Sends dead letters on AWS back to their queue.
    Redrive(redrive::Options),
    /// Counts the reports' counters anew, for the days that are not sealed.
    RebuildReports(rebuild::Options),
    /// Says what another rulebook would have made of history.
    Backtest(backtest::Backtest),
    /// Writes history to a file, for backtests elsewhere.
    Export(backtest::Export),
    /// Writes a list of leads as a table, however long it is.
    Leads(leads::Options),
}

#[derive(Args)]
struct Serve {
    /// Where the data are kept.
    #[arg(long, value_name = "DIR", default_value = "leadyard-data", conflicts_with = "memory")]
    data: PathBuf,
    /// Keeps nothing.
    #[arg(long)]
    memory: bool,
    /// The port on loopback; 0 picks one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// A rulebook's folder; the demo without it.
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Prints one line of JSON when ready, for scripts.
    #[arg(long)]
    json: bool,
    /// What is logged to standard error: error, warn, info, debug.
    #[arg(long, default_value_t = LevelFilter::WARN, value_name = "LEVEL")]
    log: LevelFilter,
}

#[derive(Args)]
struct Check {
    /// The rulebook's folder.
    rules: PathBuf,
    /// Shows what the templates make of a lead that nobody is.
    #[arg(long)]
    examples: bool,
    /// For programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct KeysOf {
    /// The rulebook's folder.
    rules: PathBuf,
    /// Whose token the desk's is: what is done by it is theirs in every history.
    #[arg(long, default_value = "desk")]
    staff: String,
}

#[derive(Args)]
struct Apply {
    /// The rulebook's folder.
    rules: PathBuf,
    #[command(flatten)]
    target: Target,
    /// The version this one was made from; whatever is in force, if not said.
    #[arg(long)]
    base: Option<u64>,
    /// For programs.
    #[arg(long)]
    json: bool,
}

/// Found problems.
const PROBLEMS: u8 = 1;
/// Could not run.
const COULD_NOT: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return could_not(&anyhow::Error::from(error)),
    };
    let done = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(options) => runtime.block_on(serve(options)),
        Command::Demo(options) => runtime.block_on(fill(&options)),
        Command::Check(options) => check(&options),
        Command::Apply(options) => runtime.block_on(apply(&options)),
        Command::Keys(options) => keys(&options),
        Command::Import(options) => runtime.block_on(move_in(&options)),
        Command::Redrive(options) => runtime.block_on(redrive(&options)),
        Command::RebuildReports(options) => runtime.block_on(rebuild_reports(&options)),
        Command::Backtest(options) => runtime.block_on(backtest::run(&options)),
        Command::Export(options) => runtime.block_on(backtest::export(&options)),
        Command::Leads(options) => runtime.block_on(leads::run(&options)),
    };
    done.unwrap_or_else(|error| could_not(&error))
}

fn could_not(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "leadyard: {error:#}");
    ExitCode::from(COULD_NOT)
}

async fn serve(options: Serve) -> anyhow::Result<ExitCode> {
    leadyard_platform::telemetry::text(options.log);
    let data = (!options.memory).then_some(options.data);
    let asked = Options { data: data.clone(), port: options.port, rules: options.rules };
    let running = Box::pin(serve::start(&asked)).await?;
    let ready = &running.ready;
    let mut out = std::io::stdout();
    if options.json {
        writeln!(out, "{}", serde_json::to_string(ready)?)?;
    } else {
        writeln!(out, "Leadyard is running.\n")?;
        writeln!(out, "  landing page   {}", ready.landing_page)?;
        writeln!(out, "  demo dealers   {}", ready.demo_dealer)?;
        writeln!(out, "  mails          {}", ready.mail)?;
        writeln!(out, "  console        {}/demo/desk", ready.url)?;
        writeln!(out, "  desk token     {}", ready.desk_token)?;
        match &data {
            Some(data) => {
                writeln!(out, "  data           {} (rulebook version {})", data.display(), ready.rulebook)?;
            }
            None => writeln!(out, "  data           in memory, gone at the end")?,
        }
        writeln!(out, "\nPost a lead on the landing page and watch it arrive at a demo dealer.")?;
        writeln!(
            out,
            "This mode is for trying, developing and testing; production is AWS. Ctrl-C stops it."
        )?;
    }
    out.flush()?;
    stopped().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Ctrl-C, or the signal that a supervisor sends.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

fn check(options: &Check) -> anyhow::Result<ExitCode> {
    let files = rules::read(&options.rules)?;
    let now = Clock::system().now();
    let (checked, _) = rules::check(files, now);
    let examples = options.examples.then(|| checked.template_examples(now));
    report(&checked, examples.as_deref(), options.json)?;
    Ok(if checked.passed() { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}

fn report(checked: &rules::Checked, examples: Option<&[TemplateExample]>, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    if json {
        let mut report = serde_json::json!({
            "passed": checked.passed(), "errors": checked.errors, "warnings": checked.warnings,
            "omitted": checked.omitted, "tests": checked.tests,
        });
        if let Some(examples) = examples {
            report["examples"] = serde_json::to_value(examples)?;
        }
        writeln!(out, "{report}")?;
        return Ok(());
    }
    for example in examples.unwrap_or_default() {
        let TemplateExample { template, event, masked, method, headers, body } = example;
        writeln!(
            out,
            "{template}: {event}{}\n{method}",
            if *masked { ", until it is accepted" } else { "" }
        )?;
        for (name, value) in headers {
            writeln!(out, "{name}: {value}")?;
        }
        writeln!(out, "\n{body}\n")?;
    }
    for problem in checked.errors.iter().chain(&checked.warnings) {
        writeln!(out, "{problem}")?;
    }
    if checked.omitted > 0 {
        writeln!(out, "and {} more problems", checked.omitted)?;
    }
    for test in checked.tests.iter().filter(|test| !test.differences.is_empty()) {
        writeln!(out, "tests.toml: test '{}' fails", test.name)?;
        for difference in &test.differences {
            writeln!(out, "    {difference}")?;
        }
    }
    match &checked.rulebook {
        None => writeln!(out, "{} errors", checked.errors.len() + checked.omitted)?,
        Some((book, _)) => writeln!(
            out,
            "{}: {} offers, {} sources, {} dealers, {} contracts; {} warnings; {} of {} tests pass",
            book.company.id,
            book.offers.len(),
            book.sources.len(),
            book.dealers.len(),
            book.contracts.len(),
            checked.warnings.len(),
            checked.tests.len() - checked.failed_tests(),
            checked.tests.len(),
        )?,
    }
    Ok(())
}

/// The key comes by standard input: an argument or a variable would be seen by whoever lists processes.
fn keys(options: &KeysOf) -> anyhow::Result<ExitCode> {
    let (checked, _) = rules::check(rules::read(&options.rules)?, Clock::system().now());
    let Some((book, _)) = &checked.rulebook else {
        report(&checked, None, false)?;
        return Ok(ExitCode::from(PROBLEMS));
    };
    let mut key = String::new();
    std::io::stdin().read_line(&mut key).context("standard input could not be read")?;
    let master = MasterKey::from_hex(&key).map_err(|rule| anyhow::anyhow!("standard input: {rule}"))?;
    let keys = Keys::mint(&master, book, &options.staff);
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&keys)?)?;
    Ok(ExitCode::SUCCESS)
}

async fn apply(options: &Apply) -> anyhow::Result<ExitCode> {
    let files = rules::read(&options.rules)?;
    let clock = Clock::system();
    let (checked, parsed) = rules::check(files, clock.now());
    let (true, Some((_, compiled)), Some(parsed)) = (checked.passed(), &checked.rulebook, &parsed) else {
        report(&checked, None, options.json)?;
        writeln!(std::io::stderr(), "nothing was published")?;
        return Ok(ExitCode::from(PROBLEMS));
    };
    let version = match &options.target.url {
        Some(_) => {
            Api::of(&options.target, compiled.core.company_id()).await?.publish(parsed, options.base).await?
        }
        None => {
            let cloud = system::open(&options.target.data, &clock)
                .await
                .with_context(|| "beside a running system, say --url and --token")?;
            rules::publish(&cloud, compiled, parsed, "leadyard apply", clock.now()).await?
        }
    };
    let mut out = std::io::stdout();
    if options.json {
        writeln!(out, "{}", serde_json::json!({ "version": version, "warnings": checked.warnings }))?;
    } else {
        for warning in &checked.warnings {
            writeln!(out, "{warning}")?;
        }
        let done = if out.is_terminal() { "\u{2713} " } else { "" };
        writeln!(out, "{done}version {version} is in force")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn move_in(options: &import::Options) -> anyhow::Result<ExitCode> {
    let told = import::run(options).await?;
    let mut out = std::io::stdout();
    if options.json {
        writeln!(out, "{}", told.json())?;
    } else {
        told.print(&mut out)?;
    }
    Ok(if told.whole() { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}

async fn fill(options: &demo::Options) -> anyhow::Result<ExitCode> {
    leadyard_platform::telemetry::text(LevelFilter::WARN);
    let told = demo::run(options).await?;
    let mut out = std::io::stdout();
    if options.json {
        writeln!(out, "{}", serde_json::to_string(&told)?)?;
    } else {
        told.print(&mut out, &options.data)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn redrive(options: &redrive::Options) -> anyhow::Result<ExitCode> {
    leadyard_platform::telemetry::text(LevelFilter::WARN);
    let moved = redrive::run(options).await?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&moved)?)?;
    Ok(if moved.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}

async fn rebuild_reports(options: &rebuild::Options) -> anyhow::Result<ExitCode> {
    leadyard_platform::telemetry::text(LevelFilter::WARN);
    let done = rebuild::run(options).await?;
    let mut out = std::io::stdout();
    if options.json {
        writeln!(out, "{}", serde_json::to_string(&done)?)?;
    } else {
        writeln!(
            out,
            "{} items read, {} days counted anew, {} days are sealed and stay; {} items could not be read",
            done.items, done.days, done.sealed, done.unreadable
        )?;
    }
    Ok(if done.unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}
