//! How many decisions a distribution worker commits in a second: in memory, on one core, over many
//! contracts and on a single one that everybody wants.

use std::io::Write as _;

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
            let started = Instant::now();
            join_all((0..workers).map(|_| drain(&yard))).await;
            let took = started.elapsed();
            let assigned = yard.queued(system::DELIVERY.name).len();
            writeln!(
                out,
                "  {what}, {workers} workers: {:.0} a second ({assigned} assigned)",
                leads as f64 / took.as_secs_f64()
            )?;
        }
    }
    Ok(())
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
