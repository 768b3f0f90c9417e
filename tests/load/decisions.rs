//! How many decisions a distribution worker commits in a second: in memory, on one core, over many
//! contracts and on a single one that everybody wants. Where the system says how long this thread had a core, by
//! that time as well: on a busy machine the clock counts what others do.

use std::io::Write as _;
use std::time::Duration;

use futures::future::join_all;
use leadyard::{poller, system};
use leadyard_domain::place;
use leadyard_tests::{Person, Rules, Yard};
use tokio::time::Instant;

/// Workers side by side on the one core: Lambda's maximum concurrency for distribution.
const WORKERS: usize = 8;

/// Prints commits per second; the bar of the first is 500.
pub(super) async fn measure(leads: usize) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "decisions committed in memory, on one core, {leads} leads each")?;
    let zips = zips();
    for (what, rules) in [("1,000 contracts, ten a ZIP", many()), ("one contract", one())] {
        for workers in [1, WORKERS] {
            let yard = Yard::of(rules.clone()).await;
            for n in 0..leads {
                let zip = zips.get(n % zips.len()).map_or("33101", String::as_str);
                yard.lead(&Person::number(n).with("zip", zip)).await;
            }
            let (started, had) = (Instant::now(), core_time());
            join_all((0..workers).map(|_| drain(&yard))).await;
            let took = started.elapsed();
            let of_core = core_time().zip(had).map(|(now, then)| now.saturating_sub(then));
            let assigned = yard.queued(system::DELIVERY.name).len();
            let rate = |took: Duration| leads as f64 / took.as_secs_f64();
            write!(out, "  {what}, {workers} workers: {:.0} a second ({assigned} assigned)", rate(took))?;
            if let Some(of_core) = of_core {
                write!(out, "; {:.0} a second of the core's time", rate(of_core))?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

/// How long this thread has had a core, where the system says so (Linux does).
fn core_time() -> Option<Duration> {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    said.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

async fn drain(yard: &Yard) {
    while poller::work(&yard.cloud, yard.aws.queues(), &system::DISTRIBUTION).await > 0 {}
}

/// A hundred ZIPs across the country.
fn zips() -> Vec<String> {
    place::all().step_by(400).take(100).map(|place| place.zip().to_string()).collect()
}

fn many() -> Rules {
    let zips = zips();
    (0..1_000).fold(Rules::roofing("acme"), |rules, n| {
        let area = format!("zip:{}", zips.get(n % zips.len()).map_or("33101", String::as_str));
        rules.seller(&format!("dealer{n}"), [("area", area.as_str()), ("cap_day", "100000")])
    })
}

fn one() -> Rules {
    Rules::roofing("acme").seller("hudson", [("cap_day", "100000")])
}
