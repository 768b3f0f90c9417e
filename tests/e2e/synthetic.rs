//! The synthetic lead: it goes the whole way, says whether it arrived, and is in nobody's list, bill or report.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use leadyard_domain::ids::LeadId;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::metrics::{Metric, Metrics};
use leadyard_platform::outbound::{Answer, Outbound, Request};
use leadyard_sweep::synthetic::{self, Asks};
use leadyard_tests::{Person, Reply, Rules, Yard, roles};

const FIVE_MINUTES: Duration = Duration::from_secs(300);
/// Where leads are posted to.
const LEADS: &str = "https://leads.example";

/// The sweep's cloud: what it posts to the URL of leads comes in here; its metrics are lines of its own.
fn of_sweep(yard: &Yard) -> Cloud {
    let there = yard.clone();
    let outbound = Outbound::answered_by(Arc::new(move |request: Request| {
        let there = there.clone();
        Box::pin(async move {
            let path = request.url.strip_prefix(LEADS).expect("the URL of leads");
            let bearer = request.headers.get("authorization").and_then(|value| value.to_str().ok());
            let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
            let kind = request.headers.get("content-type").and_then(|value| value.to_str().ok());
            let body = request.body.to_vec();
            let reply = there.sends(bearer, request.method, path, kind.expect("a type"), body).await;
            Ok(Answer { status: reply.status.as_u16(), body: reply.bytes.into(), ..Answer::default() })
        })
    }));
    Cloud { outbound, metrics: Metrics::kept(), ..yard.cloud.clone() }
}

/// Sends one, if it is time, as the sweep does.
async fn sends(yard: &Yard) -> Option<(Asks, Reply)> {
    let asks = synthetic::due(&yard.cloud).await.unwrap()?;
    let (bearer, body) = (Some(asks.secret.as_str()), asks.body.clone());
    let reply = yard.sends(bearer, Method::POST, &asks.path, "application/json", body).await;
    synthetic::sent(&yard.cloud, &asks, &reply.text).await.unwrap();
    yard.cloud.metrics.write(yard.cloud.clock.now());
    Some((asks, reply))
}

#[tokio::test(start_paused = true)]
async fn every_five_minutes_one_goes_the_whole_way_and_it_is_said_whether_it_arrived() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let mut leads = Vec::new();
    for _ in 0..3 {
        let (_, reply) = sends(&yard).await.expect("it is time");
        leads.push(reply.is(201).text_of("lead").to_owned());
        assert!(sends(&yard).await.is_none(), "and not again");
        yard.settle().await;
        yard.advance(FIVE_MINUTES).await;
    }
    leads.dedup();
    assert_eq!(leads.len(), 3, "each is somebody new");
    // One that arrived is over, and goes a month later: hundreds a day would be held for three months first.
    let stages = [yard.stored(&leads[0]).await, yard.stored(&leads[1]).await, yard.stored(&leads[2]).await];
    let stages = stages.map(|lead| lead.stage.as_str());
    assert_eq!(stages, ["expired", "expired", "assigned"], "the last is not looked for yet");
    assert_eq!(yard.counted(Metric::SyntheticArrived), [1, 1], "the last is not looked for yet");
}

#[tokio::test(start_paused = true)]
async fn the_sweep_sends_it_by_the_url_of_leads_under_its_own_role() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let cloud = of_sweep(&yard);
    for _ in 0..3 {
        let url = format!("{LEADS}/");
        roles::as_function("sweep", synthetic::run(&cloud, &url)).await.unwrap();
        yard.settle().await;
        yard.advance(FIVE_MINUTES).await;
    }
    assert_eq!(yard.counted(Metric::LeadsReceived), [1, 1, 1]);
    let said = cloud.metrics.lines();
    assert_eq!(
        said.len(),
        2,
        "written as each was sent but the first, before which there was none: {said:?}"
    );
    assert!(said.iter().all(|line| line.contains(r#""SyntheticArrived":1"#)), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn in_no_share_of_what_waits_or_fails_it_counts() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let _ = sends(&yard).await.unwrap();
    yard.settle().await;
    // Said all the same: a sum over nothing is no figure.
    for metric in [Metric::LeadsAssigned, Metric::LeadsDelivered] {
        assert_eq!(yard.counted(metric), [0], "{metric:?}");
    }
    let _ = yard.settled_lead(&Person::number(1)).await;
    for metric in [Metric::LeadsAssigned, Metric::LeadsDelivered] {
        assert_eq!(yard.counted(metric), [0, 1], "{metric:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_no_dealer_had_in_time_or_that_was_not_taken_in_did_not_arrive() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let _ = sends(&yard).await.unwrap();
    // Nobody decides on it.
    tokio::time::sleep(FIVE_MINUTES).await;
    // The URL answers with something else.
    let asks = synthetic::due(&yard.cloud).await.unwrap().unwrap();
    synthetic::sent(&yard.cloud, &asks, "<html>not here</html>").await.unwrap();
    tokio::time::sleep(FIVE_MINUTES).await;
    let _ = sends(&yard).await.unwrap();
    yard.settle().await;
    yard.advance(FIVE_MINUTES).await;
    let _ = sends(&yard).await.unwrap();
    assert_eq!(yard.counted(Metric::SyntheticArrived), [0, 1], "of two at once the worse");
}

#[tokio::test(start_paused = true)]
async fn an_invocation_that_has_lasted_long_sweeps_once_and_one_that_began_now_until_nothing_is_due() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    // More than two pages of one shard are due.
    let now = yard.cloud.clock.now();
    let company = leadyard_domain::ids::CompanyId::new("acme").unwrap();
    let category = leadyard_domain::ids::CategoryId::new("roofing").unwrap();
    for ms in 0..250 {
        let at = now - jiff::SignedDuration::from_millis(1_000 + ms);
        yard.cloud.store.wake_at(&company, &category, at).await.unwrap();
    }
    let long_ago = now - jiff::SignedDuration::from_secs(40);
    assert_eq!(leadyard_sweep::rounds(&yard.cloud, long_ago).await.unwrap(), 1);
    assert_eq!(leadyard_sweep::rounds(&yard.cloud, yard.cloud.clock.now()).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_sweep_of_an_invocation_ends_before_its_timeout_whatever_takes_long() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    for n in 0..3 {
        let body = serde_json::json!({ "email": format!("gone.{n}@mail.example"), "reason": "requested" });
        let _ = yard.desk(Method::POST, "/v1/persons/erase", Some(body)).await.is(200);
    }
    // They are looked through once more, each by more calls than there is time for.
    tokio::time::sleep(Duration::from_secs(3_700)).await;
    yard.faults.slow(Duration::from_millis(900));
    let began = yard.cloud.clock.now() - jiff::SignedDuration::from_secs(39);
    assert_eq!(leadyard_sweep::rounds(&yard.cloud, began).await.unwrap(), 1);
    let lasted = yard.cloud.clock.now().duration_since(began).as_secs();
    assert!((50..55).contains(&lasted), "it lasted {lasted} s");
    yard.faults.slow(Duration::ZERO);
    // What did not come to its end then does so by the next.
    yard.advance(Duration::from_secs(120)).await;
    let ledger = yard.desk(Method::GET, "/v1/erasures", None).await.is(200).json;
    let done = ledger["erasures"].as_array().unwrap().iter().filter(|erasure| erasure["state"] == "done");
    assert_eq!(done.count(), 3, "{ledger}");
}

#[tokio::test(start_paused = true)]
async fn of_two_sweeps_at_once_one_sends_it() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let _ = sends(&yard).await.unwrap();
    yard.settle().await;
    yard.advance(FIVE_MINUTES).await;
    let (one, other) = tokio::join!(synthetic::due(&yard.cloud), synthetic::due(&yard.cloud));
    assert_eq!([one.unwrap().is_some(), other.unwrap().is_some()].iter().filter(|sent| **sent).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_desk_sees_it_no_report_counts_it_and_nobody_is_charged_for_it() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.notes();
    let (_, reply) = sends(&yard).await.unwrap();
    let lead = reply.is(201).text_of("lead").to_owned();
    yard.settle().await;
    yard.count().await;
    let _ = yard.desk(Method::GET, &format!("/v1/leads/{lead}"), None).await.is(404);
    let report = yard.report("leads?from=2026-06-01&to=2026-06-01").await.to_string();
    assert!(!report.contains("synthetic"), "{report}");
    let stored = yard.stored(&lead).await;
    let company = stored.company.clone();
    assert_eq!(company.as_str(), leadyard_domain::ids::SYNTHETIC_COMPANY);
    let story = yard.cloud.store.lead_story(lead.parse::<LeadId>().unwrap()).await.unwrap().unwrap();
    assert_eq!(story.assignments[0].price.to_string(), "0.00");
    let counted = yard.cloud.store.report_parts(&company).await.unwrap();
    assert!(counted.is_empty(), "reporting passes it over");
}
