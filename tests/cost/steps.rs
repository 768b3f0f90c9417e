//! The steps of a lead's way, each on its own: what it uses, for one of them.

use std::time::Duration;

use leadyard::system::{DELIVERY, DISTRIBUTION, INTERACTIONS, SPILL};
use leadyard_platform::metrics::Metric;
use leadyard_tests::Person;
use serde_json::json;

use crate::bench::{Bench, person, rules};
use crate::meter::Used;

/// A step and what one of it uses.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) used: Used,
}

/// Contracts whose counters a decision reads.
const CANDIDATES: usize = 8;
/// Of each step so many are looked at.
const LEADS: usize = 10;

/// What one lead after another uses (`together` is 1), or ten at a time.
pub(crate) async fn all(together: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut step = |name: &'static str, used: Used| steps.push(Step { name, used });
    let bench = Bench::of(rules(CANDIDATES)).await;
    warm(&bench).await;

    // A lead by a server, and by a page.
    let (mut intake, mut distribution, mut delivery) = (Used::default(), Used::default(), Used::default());
    let mut parts = LEADS / together;
    for first in (0..LEADS).step_by(together) {
        for number in first..first + together {
            let _ = bench.posted_by_server(&person(100 + number)).await;
        }
        intake += &bench.per(LEADS);
        assert_eq!(bench.worked(&DISTRIBUTION).await, together);
        distribution += &bench.per(LEADS);
        assert_eq!(bench.worked(&DELIVERY).await, together);
        delivery += &bench.per(LEADS);
        parts -= 1;
    }
    assert_eq!((parts, bench.yard.dealers.told().len()), (0, LEADS + WARM));
    step(INTAKE, intake);
    step(DISTRIBUTED, distribution);
    step(DELIVERED, delivery);

    let mut visitors = Vec::new();
    for number in 0..LEADS {
        visitors.push(bench.posted_by_page(number, &person(200 + number)).await);
    }
    step(INTAKE_PAGE, bench.per(LEADS));
    bench.settled().await;
    let _ = bench.per(1);

    // They ask again.
    for number in (0..LEADS).step_by(together) {
        for number in number..number + together {
            let _ = bench.posted_by_server(&person(100 + number)).await;
        }
        bench.settled().await;
    }
    step(REPEAT, bench.per(LEADS));

    // They do something; so do strangers.
    let did = |number: usize, visitor: &str| {
        json!([{ "id": format!("i-{number}"), "kind": "page_view", "at": bench.yard.cloud.clock.now().to_string(),
                 "visitor": visitor }])
    };
    for number in (0..LEADS).step_by(together) {
        for (number, visitor) in visitors.iter().enumerate().skip(number).take(together) {
            bench.reported(number, did(number, visitor)).await;
        }
        assert_eq!(bench.worked(&INTERACTIONS).await, together);
        bench.settled().await;
    }
    step(INTERACTION, bench.per(LEADS));
    for number in (0..LEADS).step_by(together) {
        for number in number..number + together {
            let path = format!("/v1/interactions/{}/visitor", bench.yard.page("landing-page").key());
            let stranger =
                bench.yard.page("landing-page").gets(&path).await.is(200).text_of("visitor").to_owned();
            bench.reported(number, did(number, &stranger)).await;
        }
        assert_eq!(bench.worked(&INTERACTIONS).await, together);
    }
    step(STRANGER, bench.per(LEADS));
    // Who is not sold yet is looked at again after each.
    let mut nurtured = Vec::new();
    // The same words from one page within ten minutes are a sign of a machine.
    tokio::time::sleep(Duration::from_secs(900)).await;
    for number in 0..LEADS {
        let lead = person(500 + number).with("offer", "gutter-guard");
        nurtured.push(bench.posted_by_page(500 + number, &lead).await);
    }
    bench.settled().await;
    let _ = bench.per(1);
    for number in (0..LEADS).step_by(together) {
        for (number, visitor) in nurtured.iter().enumerate().skip(number).take(together) {
            bench.reported(number, did(2_000 + number, visitor)).await;
        }
        bench.settled().await;
    }
    step(NURTURED, bench.per(LEADS));
    // The snippet sends at once what happened within two seconds.
    let mut ten = Vec::new();
    for number in 0..LEADS {
        ten.push(did(1_000 + number, &visitors[0])[0].clone());
    }
    bench.reported(0, json!(ten)).await;
    bench.settled().await;
    step(INTERACTIONS_TEN, bench.per(LEADS));

    // Who must accept in time.
    for number in (0..LEADS).step_by(together) {
        for number in number..number + together {
            let lead = person(300 + number).with("offer", "bathroom");
            let _ = bench.posted_by_server(&lead).await;
        }
        let _ = bench.worked(&DISTRIBUTION).await;
        let _ = bench.per(1);
        let _ = bench.worked(&DELIVERY).await;
    }
    let _ = bench.per(1);
    let held = bench.yard.inbox("ridge-bathrooms").await;
    assert_eq!(held.len(), LEADS);
    let _ = bench.per(1);
    for number in (0..LEADS).step_by(together) {
        for assignment in &held[number..number + together] {
            let assignment = assignment["assignment"].as_str().expect("an id");
            bench.answered("ridge-bathrooms", assignment, "accept").await;
        }
        let _ = bench.worked(&DELIVERY).await;
    }
    step(ACCEPTED, bench.per(LEADS));

    // Nobody takes it: it waits; then somebody does.
    let mut waiting = Used::default();
    for number in (0..LEADS).step_by(together) {
        for number in number..number + together {
            let _ = bench.posted_by_server(&person(400 + number).with("offer", "solar-quote")).await;
        }
        let _ = bench.per(1);
        assert_eq!(bench.worked(&DISTRIBUTION).await, together);
        waiting += &bench.per(LEADS);
    }
    step(WAITING, waiting);
    let takes = rules(CANDIDATES).contract(
        "sol-miami",
        "hudson-roofing-1",
        [("offers", "solar-quote"), ("area", "zip3:331"), ("price", "60.00")],
    );
    let _ = bench.yard.publish(&takes).await.is(200);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let _ = bench.per(1);
    let _ = bench.worked(&DISTRIBUTION).await;
    step("waking, and given to its dealer", bench.per(LEADS));
    bench.settled().await;
    let _ = bench.worked(&SPILL).await;

    // Nothing is due.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let _ = bench.per(1);
    while bench.swept().await > 0 {
        bench.settled().await;
        tokio::time::sleep(Duration::from_secs(120)).await;
    }
    let _ = bench.per(1);
    let _ = bench.swept().await;
    step(SWEEP, bench.per(1));
    assert!(bench.yard.counted(Metric::LeadsQuarantined).is_empty(), "nobody looked like a machine");

    // Twice as many to choose from.
    let bench = Bench::of(rules(2 * CANDIDATES)).await;
    warm(&bench).await;
    let mut distribution = Used::default();
    for first in (0..LEADS).step_by(together) {
        for number in first..first + together {
            let _ = bench.posted_by_server(&person(100 + number)).await;
        }
        let _ = bench.per(1);
        let _ = bench.worked(&DISTRIBUTION).await;
        distribution += &bench.per(LEADS);
    }
    step(DISTRIBUTED_16, distribution);
    let (counted, busiest) = Box::pin(reported()).await;
    step(REPORTED, counted);
    assert!(busiest <= KEY_WRITES, "a key took {busiest} writes of a batch of a thousand events");
    steps
}

/// A thousand events, counted in one batch; and the writes of the key that took most of them.
async fn reported() -> (Used, f64) {
    let bench = Bench::of(rules(CANDIDATES)).await;
    warm(&bench).await;
    bench.yard.notes();
    let (mut posted, mut after, mut used) = (0, 0, Used::default());
    // The first batch opens the day, the second is one of many.
    for _ in 0..2 {
        let mut events = bench.noted(after);
        while events.len() < EVENTS {
            for _ in 0..20 {
                let _ = bench.posted_by_server(&person(1_000 + posted)).await;
                posted += 1;
            }
            bench.settled().await;
            events = bench.noted(after);
        }
        events.truncate(EVENTS);
        after = events.last().map_or(after, |(number, _)| *number);
        let _ = bench.per(1);
        bench.counted(events.into_iter().map(|(_, record)| record).collect()).await;
        used = bench.per(1);
    }
    let busiest = used.keys.values().copied().fold(0.0, f64::max);
    (used, busiest)
}

pub(crate) const INTAKE: &str = "intake by a server";
pub(crate) const INTAKE_PAGE: &str = "intake by a page";
pub(crate) const DISTRIBUTED: &str = "distribution among 8";
pub(crate) const DELIVERED: &str = "delivery by webhook";
pub(crate) const INTERACTION: &str = "interaction of a lead";
pub(crate) const INTERACTIONS_TEN: &str = "interaction of a lead, ten in a post";
pub(crate) const SWEEP: &str = "sweep when idle";
pub(crate) const REPEAT: &str = "repeat, told to its holder";
pub(crate) const STRANGER: &str = "interaction of a stranger";
pub(crate) const NURTURED: &str = "interaction of a nurtured lead";
pub(crate) const ACCEPTED: &str = "accept, and the whole lead is sent";
pub(crate) const WAITING: &str = "waiting";
pub(crate) const DISTRIBUTED_16: &str = "distribution among 16";
const REPORTED: &str = "a thousand events, counted";
/// Events of a batch.
const EVENTS: usize = 1_000;
/// The most writes that one key takes of a batch: the partial sums of its day, and one more should it span two days, or
/// should they be laid aside.
const KEY_WRITES: f64 = 2.0;

const WARM: usize = 2 * CANDIDATES;

/// Everything has been used once: rules are read, counters stand.
async fn warm(bench: &Bench) {
    for number in 0..WARM {
        let _ = bench.posted_by_server(&Person::number(9_000 + number).with("city", "Miami")).await;
        bench.settled().await;
    }
    let _ = bench.per(1);
}
