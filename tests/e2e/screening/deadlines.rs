//! Deadlines: a doubt that nobody looked at is let in; what a person must decide, or a cap or a crowd holds back, is not.

use http::Method;
use leadyard_platform::queues::ToSpill;
use leadyard_tests::{Person, Yard};
use serde_json::json;

use super::{HOUR, aside, browser, counted, doubtful, quarantine, rules, spam, verdict, yard};

#[tokio::test(start_paused = true)]
async fn at_its_deadline_a_doubt_is_released_and_what_needs_a_person_is_overdue() {
    let yard = yard().await;
    let doubt = aside(&yard, &doubtful(1)).await;
    let spam = aside(&yard, &spam()).await;
    let offer = aside(&yard, &Person::number(1).with("offer", "no such")).await;
    yard.advance(HOUR * 71).await;
    assert_eq!(quarantine(&yard, "").await.len(), 3);
    yard.advance(HOUR * 3).await;
    let stored = yard.enquiry(&doubt).await.unwrap();
    assert_eq!(stored.status, "received");
    assert_eq!(yard.story(&stored.lead.unwrap().to_string()).await.holders(), ["hudson"]);
    let left = quarantine(&yard, "").await;
    let mut ids: Vec<&str> = left.iter().map(|one| one["enquiry"].as_str().unwrap()).collect();
    let mut expected = [spam.as_str(), offer.as_str()];
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert!(left.iter().all(|one| one["overdue"] == true));
    // Silence says nothing of a reason; the desk may still.
    assert_eq!(counted(&yard, "disposable_email").await, (0, 0));
    let _ = verdict(&yard, &spam, "release", json!({})).await.is(200);
    yard.advance(HOUR * 100).await;
    assert_eq!(quarantine(&yard, "").await.len(), 1, "it stays for as long as nobody decides");
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_before_the_deadline_releases_nobody() {
    let yard = yard().await;
    let reply = browser(&yard, "web", "203.0.113.7").posts(&doubtful(1)).await.is(201);
    let doubt = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    let early = ToSpill::looks_at(&doubt);
    yard.cloud.queues.to_spill(&early).await.unwrap();
    yard.settle().await;
    let stands = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    assert_eq!((stands.status.as_str(), stands.quarantine.unwrap().overdue), ("quarantined", false));
}

#[tokio::test(start_paused = true)]
async fn a_company_may_keep_what_nobody_looked_at() {
    let yard = Yard::of(rules().file("screening.toml", "deadline_hours = 2\nat_deadline = \"keep\"")).await;
    let doubt = aside(&yard, &doubtful(1)).await;
    yard.advance(HOUR * 3).await;
    let stored = yard.enquiry(&doubt).await.unwrap();
    assert_eq!((stored.status.as_str(), stored.quarantine.unwrap().overdue), ("quarantined", true));
}

#[tokio::test(start_paused = true)]
async fn who_was_suppressed_meanwhile_is_released_by_nobody() {
    let yard = yard().await;
    let enquiry = aside(&yard, &doubtful(1)).await;
    let rows = json!({ "rows": [{ "email": "ann1@mailinator.com" }] });
    let _ = yard.desk(Method::POST, "/v1/import/suppressed", Some(rows)).await.is(200);
    let refused = verdict(&yard, &enquiry, "release", json!({})).await.is(409);
    assert_eq!(refused.json["reasons"], json!(["suppressed"]));
    yard.advance(HOUR * 74).await;
    let stored = yard.enquiry(&enquiry).await.unwrap();
    assert_eq!((stored.status.as_str(), stored.quarantine.unwrap().overdue), ("quarantined", true));
}

#[tokio::test(start_paused = true)]
async fn silence_lets_nothing_past_a_source_s_cap_and_the_desk_may() {
    let capped = "offer = \"roof\"\ncaps = { day = 1 }";
    let yard = Yard::of(rules().source("capped", capped)).await;
    let page = browser(&yard, "capped", "203.0.113.7");
    let doubt = page.posts(&doubtful(1)).await.is(201).text_of("enquiry").to_owned();
    assert_eq!(yard.enquiry(&doubt).await.unwrap().status, "quarantined");
    yard.advance(HOUR * 71).await;
    // The third day's one lead has come when the deadline does.
    let _ = page.posts(&Person::number(2)).await.is(201);
    yard.advance(HOUR * 3).await;
    let stored = yard.enquiry(&doubt).await.unwrap();
    assert_eq!((stored.status.as_str(), stored.quarantine.unwrap().overdue), ("quarantined", true));
    let _ = verdict(&yard, &doubt, "release", json!({})).await.is(200);
    assert_eq!(yard.enquiry(&doubt).await.unwrap().status, "received");
}

#[tokio::test(start_paused = true)]
async fn silence_lets_in_nobody_of_a_crowd_at_one_address() {
    let yard = yard().await;
    let mut last = String::new();
    for n in 0..11 {
        let reply = browser(&yard, "web", "203.0.113.7").posts(&Person::number(n)).await.is(201);
        last = reply.text_of("enquiry").to_owned();
    }
    assert_eq!(yard.enquiry(&last).await.unwrap().reasons, ["address_velocity"]);
    yard.advance(HOUR * 74).await;
    let stored = yard.enquiry(&last).await.unwrap();
    assert_eq!((stored.status.as_str(), stored.quarantine.unwrap().overdue), ("quarantined", true));
}
