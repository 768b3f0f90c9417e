//! What is counted where logs are read for metrics: each when it happens, and nobody in it.

use std::time::Duration;

use leadyard_platform::metrics::Metric;
use leadyard_tests::{Person, Rules, Says, Yard, roles};

/// How much of something was counted in all.
fn all(yard: &Yard, metric: Metric) -> u64 {
    yard.counted(metric).into_iter().sum()
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_an_enquiry_is_counted_once() {
    let yard =
        Yard::of(Rules::roofing("acme").source("lists", "offer = \"roof\"").seller("hudson", [])).await;
    let ada = Person::named("Ada", "Hill");
    let server = yard.server("web").header("idempotency-key", "one");
    for status in [201, 201] {
        let _ = server.posts(&ada).await.is(status);
    }
    yard.settle().await;
    let _ = yard.server("web").posts(&ada).await.is(200);
    let _ = yard.server("web").posts(&Person::named("Bob", "Mann").without("email")).await.is(422);
    yard.faults.table(true);
    let _ = yard.server("web").posts(&Person::named("Eve", "Moss")).await.is(202);
    yard.faults.table(false);
    let counted = [Metric::LeadsReceived, Metric::LeadsRepeated, Metric::LeadsSpilled];
    assert_eq!(counted.map(|metric| all(&yard, metric)), [1, 1, 1]);
    // What was spilled is received when it comes in.
    yard.advance(Duration::from_secs(120)).await;
    assert_eq!(all(&yard, Metric::LeadsReceived), 2);
    assert_eq!((all(&yard, Metric::LeadsAssigned), all(&yard, Metric::LeadsDelivered)), (2, 2));
    assert_eq!((all(&yard, Metric::LeadsWaiting), all(&yard, Metric::DeliveriesFailed)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_waits_is_counted_with_its_reason() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await;
    for number in 0..3 {
        let _ = yard.settled_lead(&Person::number(number)).await;
    }
    assert_eq!((all(&yard, Metric::LeadsAssigned), all(&yard, Metric::LeadsWaiting)), (1, 2));
    let lines = yard.cloud.metrics.lines().join("");
    assert!(lines.contains(r#""LeadsWaiting.cap":1"#), "{lines}");
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_failed_and_a_breaker_that_opened_are_counted() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.dealer_says("hudson", Says::Status(503));
    for number in 0..8 {
        let _ = yard.settled_lead(&Person::number(number)).await;
    }
    yard.advance(Duration::from_secs(3_600)).await;
    assert_eq!((all(&yard, Metric::DeliveriesFailed), all(&yard, Metric::LeadsDelivered)), (8, 0));
    assert!(all(&yard, Metric::BreakersOpened) >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_nobody_looks_at_ages_and_one_that_waits_does_not() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await;
    // One is given, one waits: what is due of them is no lead that nobody has looked at.
    for number in 0..2 {
        let _ = yard.settled_lead(&Person::number(number)).await;
    }
    yard.advance(Duration::from_secs(300)).await;
    let ages = yard.counted(Metric::UndistributedAge);
    assert!(ages.len() >= 5 && ages.iter().all(|age_s| *age_s == 0), "said at every sweep: {ages:?}");
    // Distribution takes nothing more: the message stays where it is.
    let _ = yard.lead(&Person::number(3)).await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(70)).await;
        let sweep = leadyard_sweep::sweep(&yard.cloud);
        Box::pin(roles::as_function("sweep", sweep)).await.expect("the sweep can ask");
    }
    let ages = yard.counted(Metric::UndistributedAge);
    assert_eq!(ages.last().copied(), Some(280), "{ages:?}");
    assert!(all(&yard, Metric::Overdue) >= 3);
    yard.settle().await;
    yard.advance(Duration::from_secs(120)).await;
    assert_eq!(yard.counted(Metric::UndistributedAge).last().copied(), Some(0));
}
