//! The simulation: the real handlers and the real store, in memory, under virtual time and a seed.
//!
//! | module | holds |
//! |---|---|
//! | [`rules`] | two small companies, as text and as the checks know them, in two editions |
//! | [`faults`] | what goes wrong between the SDK and the services |
//! | [`dealers`] | who answers, and how badly |
//! | [`world`] | people, workers, the desk, time |
//! | [`promises`] | what must hold in the end |
//! | [`crashes`] | every handler, dying before and after each of its calls |
//!
//! `SIMULATION_SEEDS` (1,000) worlds from `SIMULATION_FIRST_SEED` (1) on, `SIMULATION_LEADS` (20)
//! enquiries each. Failures name their seeds, and the first prints its trace;
//! `SIMULATION_SEEDS=1 SIMULATION_FIRST_SEED=n` runs one alone.

mod rules;
mod faults;
mod dealers;
mod world;
mod promises;
mod crashes;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use faults::{Counts, Fault, Weather};
use rules::Book;
use world::{World, in_virtual_time};

/// What one seed came to.
struct Outcome {
    violations: Vec<String>,
    counts: Counts,
    digest: (u64, u64),
    leads: usize,
    posts: u64,
    answers: u64,
    tally: BTreeMap<String, usize>,
    trace: Vec<String>,
}

/// What a run of many seeds may not lack begins so in the tally.
const SEEN: &str = "seen: ";

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    match run(&mut out) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(out, "the simulation could not run: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(out: &mut impl std::io::Write) -> anyhow::Result<bool> {
    let seeds = setting("SIMULATION_SEEDS", 1_000);
    let first = setting("SIMULATION_FIRST_SEED", 1);
    let leads = setting("SIMULATION_LEADS", 20);
    let books = rules::books()?;
    let mut well = true;
    if seeds > 1 {
        well &= same_seed_same_trace(out, &books, first, leads)?;
        well &= crashes::matrix(out, &books)?;
    }
    well &= many_seeds(out, &books, first, seeds, leads)?;
    Ok(well)
}

#[expect(clippy::disallowed_methods, reason = "the simulation's own settings; nothing of it is deployed")]
fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// Runs one seed.
fn one_seed(books: &[Book], seed: u64, leads: u64, keeps_trace: bool) -> anyhow::Result<Outcome> {
    in_virtual_time(seed, async {
        let (world, received) = World::build(seed, books, keeps_trace).await?;
        let weather = match seed % 4 {
            0 => Weather { faults: 10, crashes: 10, dealers: 100 },
            1 => Weather { faults: 40, crashes: 40, dealers: 300 },
            2 => Weather { faults: 100, crashes: 20, dealers: 200 },
            _ => Weather { faults: 30, crashes: 120, dealers: 500 },
        };
        let rested = world.live(received, leads, weather).await;
        let found = promises::check(&world).await?;
        let mut violations = found.violations;
        violations.extend(rested.err().map(|error| error.to_string()));
        let mut counts = world.faults.counts();
        let disorder = world.aws.queues().disorder();
        counts[Fault::QueueLate as usize] += disorder.late;
        counts[Fault::QueueTwice as usize] += disorder.twice;
        counts[Fault::QueueReordered as usize] += disorder.reordered;
        let (posts, answers, merges) = {
            let ledger = world.ledger();
            (ledger.posts, ledger.answers, ledger.merges)
        };
        let mut tally: BTreeMap<String, usize> = BTreeMap::new();
        tally.extend(found.stages.into_iter().map(|(name, count)| (format!("lead {name}"), count)));
        tally
            .extend(found.assignments.into_iter().map(|(name, count)| (format!("assignment {name}"), count)));
        tally.extend(found.seen.into_iter().map(|(name, count)| (format!("{SEEN}{name}"), count)));
        tally.insert("cycle replayed".to_owned(), found.replayed);
        tally.insert("lead merged by the desk".to_owned(), merges as usize);
        Ok(Outcome {
            violations,
            counts,
            digest: world.faults.digest(),
            leads: found.leads,
            posts,
            answers,
            tally,
            trace: world.faults.trace(),
        })
    })
}

/// The same seed twice gives the same calls, at the same times, with the same outcomes.
fn same_seed_same_trace(
    out: &mut impl std::io::Write,
    books: &[Book],
    first: u64,
    leads: u64,
) -> anyhow::Result<bool> {
    for seed in first..first + 4 {
        let (once, twice) = (one_seed(books, seed, leads, true)?, one_seed(books, seed, leads, true)?);
        if once.digest != twice.digest {
            writeln!(out, "seed {seed} parted:")?;
            let parted = once.trace.iter().zip(&twice.trace).position(|(a, b)| a != b).unwrap_or(0);
            for line in &once.trace[parted.saturating_sub(5)..(parted + 3).min(once.trace.len())] {
                writeln!(out, "  first  {line}")?;
            }
            for line in &twice.trace[parted..(parted + 3).min(twice.trace.len())] {
                writeln!(out, "  second {line}")?;
            }
            return Ok(false);
        }
    }
    writeln!(out, "the same seed gives the same trace (4 seeds, call for call)")?;
    Ok(true)
}

/// Worlds run side by side, and are nothing to each other: of some is looked whether they are the same alone.
fn same_alone(
    out: &mut impl std::io::Write,
    books: &[Book],
    leads: u64,
    outcomes: &[(u64, anyhow::Result<Outcome>)],
) -> anyhow::Result<bool> {
    const ONE_OF: usize = 50;
    let mut same = true;
    for (seed, beside) in outcomes.iter().step_by(ONE_OF) {
        let Ok(beside) = beside else { continue };
        if one_seed(books, *seed, leads, false)?.digest != beside.digest {
            writeln!(out, "seed {seed} parted: alone it is another world than beside others")?;
            same = false;
        }
    }
    Ok(same)
}

fn many_seeds(
    out: &mut impl std::io::Write,
    books: &[Book],
    first: u64,
    seeds: u64,
    leads: u64,
) -> anyhow::Result<bool> {
    const THREADS: usize = 2;
    const SHOWN: usize = 20;
    let next = AtomicU64::new(first);
    let outcomes: Mutex<Vec<(u64, anyhow::Result<Outcome>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds {
                        break;
                    }
                    let outcome = one_seed(books, seed, leads, false);
                    outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((seed, outcome));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_by_key(|(seed, _)| *seed);
    let alone_it_is_the_same = seeds < 2 || same_alone(out, books, leads, &outcomes)?;
    let mut counts: Counts = [0; Fault::ALL.len()];
    let (mut total, mut posts, mut answers, mut calls, mut failed) = (0, 0, 0, 0, 0);
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    for (seed, outcome) in outcomes {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                failed += 1;
                writeln!(out, "seed {seed} could not be run: {error:#}")?;
                continue;
            }
        };
        for (sum, count) in counts.iter_mut().zip(outcome.counts) {
            *sum += count;
        }
        total += outcome.leads;
        posts += outcome.posts;
        answers += outcome.answers;
        calls += outcome.digest.1;
        for (name, count) in outcome.tally {
            *tally.entry(name).or_default() += count;
        }
        if !outcome.violations.is_empty() {
            failed += 1;
            // The same seed gives the same trace: the first failure's is made again to be read.
            if failed == 1 {
                let again = one_seed(books, seed, leads, true)?;
                for line in &again.trace {
                    writeln!(out, "{line}")?;
                }
                if again.digest != outcome.digest {
                    writeln!(out, "seed {seed} parted: this trace is not the one that failed")?;
                }
            }
            for violation in outcome.violations.iter().take(SHOWN) {
                writeln!(out, "seed {seed}: {violation}")?;
            }
        }
    }
    let mut well = failed == 0 && alone_it_is_the_same;
    for (name, count) in &tally {
        let never = name.starts_with(SEEN) && *count == 0;
        writeln!(out, "{count:>10}  {name}{}", if never { "  <- never seen" } else { "" })?;
        // A handful of seeds need not see everything.
        well &= !never || seeds < 500;
    }
    for (fault, count) in Fault::ALL.iter().zip(counts) {
        let never = if count == 0 { "  <- never occurred" } else { "" };
        writeln!(out, "{count:>10}  fault {fault:?}{never}")?;
        // A handful of seeds need not see everything.
        well &= count > 0 || seeds < 50;
    }
    writeln!(
        out,
        "{total} leads of {posts} posts, {answers} answers of dealers, {calls} calls, {seeds} seeds from {first}, {failed} failed"
    )?;
    Ok(well)
}
