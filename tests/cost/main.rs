//! What it costs on AWS: the real handlers over the services of this process, metered, in the prices of one file.
//!
//! | module | holds |
//! |---|---|
//! | [`prices`] | what AWS asks, dated, and what is assumed |
//! | [`meter`] | what each call uses |
//! | [`bench`] | a yard under the meter, invoked as on AWS |
//! | [`steps`] | the steps of a lead's way |
//! | [`figures`] | what each may use |
//! | [`documented`] | whether what is written of it for people is what was measured |
//!
//! Units and requests are exact, the same at every run: whatever uses more than its figure fails. Durations are assumed,
//! and so is what follows from them.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot measure has nothing else to say")]

mod prices;
mod meter;
mod bench;
mod steps;
mod figures;
mod documented;

use std::io::Write;
use std::process::ExitCode;

use meter::Used;
use steps::Step;

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    match run(&mut out) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(out, "the costs could not be measured: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(out: &mut impl Write) -> anyhow::Result<bool> {
    writeln!(out, "Prices of us-east-1, {}. Per one of each; dollars per million.", prices::AS_OF)?;
    let mut well = true;
    let mut measured = Vec::new();
    for together in [1, 10] {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
        let steps = runtime.block_on(steps::all(together));
        let how = if together == 1 { "one after another" } else { "ten at a time" };
        writeln!(out, "\n{how}: batches of {together}\n")?;
        table(out, &steps)?;
        totals(out, &steps)?;
        well &= figures::hold(out, together, &steps)?;
        measured.push(steps);
    }
    if let [one_by_one, ten_at_a_time] = measured.as_slice() {
        well &= documented::hold(out, one_by_one, ten_at_a_time)?;
    }
    Ok(well)
}

const INDEXES: [&str; 4] = ["due", "stage", "inbox", "arrivals"];

fn table(out: &mut impl Write, steps: &[Step]) -> std::io::Result<()> {
    write!(out, "{:<37}{:>7}", "", "table")?;
    for index in INDEXES {
        write!(out, "{index:>9}")?;
    }
    writeln!(
        out,
        "{:>8}{:>7}{:>6}{:>6}{:>9}{:>8}{:>7}{:>7}{:>7}{:>7}{:>8}",
        "WRU", "RRU", "SQS", "runs", "GB-ms", "table $", "SQS $", "run $", "rest $", "all $", "refused"
    )?;
    for Step { name, used } in steps {
        row(out, name, used)?;
    }
    Ok(())
}

fn row(out: &mut impl Write, name: &str, used: &Used) -> std::io::Result<()> {
    write!(out, "{name:<37}{:>7.2}", used.table_writes)?;
    for index in INDEXES {
        write!(out, "{:>9.2}", used.index_writes.get(index).copied().unwrap_or(0.0))?;
    }
    let dollars = used.dollars();
    writeln!(
        out,
        "{:>8.2}{:>7.2}{:>6.2}{:>6.2}{:>9.2}{:>8.2}{:>7.2}{:>7.2}{:>7.2}{:>7.2}{:>8}",
        used.writes(),
        used.reads,
        used.queue_requests,
        used.invocations,
        used.gb_s * 1_000.0,
        dollars.table,
        dollars.queues,
        dollars.functions,
        dollars.rest,
        dollars.all(),
        used.refused,
    )?;
    if std::env::args().any(|argument| argument == "--calls") {
        let touched: Vec<String> =
            used.touched.iter().map(|(what, count)| format!("{what} {count:.1}")).collect();
        writeln!(out, "    {}\n    bytes {:?}", touched.join(", "), used.bytes)?;
    }
    Ok(())
}

/// The bars of Q4.
const LEAD_BAR: f64 = 20.0;
const INTERACTION_BAR: f64 = 3.0;

/// Minutes of a month.
const MINUTES: f64 = 30.0 * 24.0 * 60.0;

/// What these steps use together.
fn of(steps: &[Step], names: &[&str]) -> Used {
    let mut all = Used::default();
    steps.iter().filter(|step| names.contains(&step.name)).for_each(|step| all += &step.used);
    all
}

/// What a month of sweeps that find nothing costs, in dollars.
fn idle(steps: &[Step]) -> f64 {
    of(steps, &[steps::SWEEP]).dollars().all() / 1e6 * MINUTES
}

fn totals(out: &mut impl Write, steps: &[Step]) -> anyhow::Result<()> {
    let of = |names: &[&str]| of(steps, names);
    writeln!(out)?;
    let lead = of(&[steps::INTAKE, steps::DISTRIBUTED, steps::DELIVERED]);
    row(out, "a lead by a server, delivered", &lead)?;
    let page = of(&[steps::INTAKE_PAGE, steps::DISTRIBUTED, steps::DELIVERED]);
    row(out, "a lead by a page, delivered", &page)?;
    writeln!(
        out,
        "\na million leads delivered: ${:.2} by a server, ${:.2} by a page (Q4: {LEAD_BAR})",
        lead.dollars().all(),
        page.dollars().all()
    )?;
    writeln!(
        out,
        "a million interactions: ${:.2} each in a post of its own, ${:.2} ten in a post (Q4: {INTERACTION_BAR})",
        of(&[steps::INTERACTION]).dollars().all(),
        of(&[steps::INTERACTIONS_TEN]).dollars().all()
    )?;
    writeln!(out, "a month of sweeps that find nothing: ${:.2}", idle(steps))?;
    Ok(())
}
