//! Dealers that are paused, full or not reached: told at once, and no longer than it holds.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Browser, Person, Rules, Says, Yard};
use serde_json::json;

use super::{rules, without_ridge};

#[tokio::test(start_paused = true)]
async fn a_pause_of_who_is_gone_from_the_rules_is_not_counted() {
    let yard = Yard::of(rules()).await;
    let _ = yard.flip("pause", json!({ "on": true, "dealer": "ridge", "reason": "away" })).await;
    let _ = yard.flip("pause", json!({ "on": true, "contract": "hudson", "reason": "too many" })).await;
    let desk = Browser::of(&yard).await;
    let paused = async || desk.opens("/console/today").await.is(200).text;
    assert!(paused().await.contains("<strong>2</strong> dealers paused, or a contract of theirs"));
    let _ = yard.publish(&without_ridge()).await.is(200);
    let page = paused().await;
    assert!(page.contains("<strong>1</strong> dealer paused, or a contract of its"), "{page}");
}

/// What of the page says how dealers stand.
async fn troubles(desk: &Browser<'_>) -> (bool, bool) {
    let page = desk.opens("/console/today").await.is(200);
    (page.text.contains("dealer not reached"), page.text.contains("dealer full"))
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_enabled_and_a_deposit_are_told_at_once() {
    let rules = Rules::roofing("acme").seller("hudson", []).dealer("ridge", [("prepaid", "yes")]);
    let yard = Yard::of(rules.contract("ridge", "ridge", [("area", "state:NY")])).await;
    yard.notes();
    yard.dealer_says("hudson", Says::Status(410));
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert_eq!(troubles(&desk).await, (true, true));
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/enable", None).await.is(200);
    assert_eq!(troubles(&desk).await, (false, true));
    yard.settled_lead(&Person::number(2)).await;
    yard.count().await;
    assert_eq!(troubles(&desk).await, (true, true));
    let body = json!({ "amount": "500.00", "reference": "wire-1" });
    let _ = yard.desk(Method::POST, "/v1/dealers/ridge/deposits", Some(body)).await.is(200);
    assert_eq!(troubles(&desk).await, (true, false));
    // And one that is taken back.
    yard.settled_lead(&Person::number(3)).await;
    yard.count().await;
    let path = "/v1/dealers/ridge/deposits/wire-1/reverse";
    let _ = yard.desk(Method::POST, path, Some(json!({ "reason": "recalled" }))).await.is(200);
    assert_eq!(troubles(&desk).await, (true, true));
}

#[tokio::test(start_paused = true)]
async fn who_is_full_today_is_not_when_the_day_is_over() {
    let rules = Rules::roofing("acme").seller("hudson", [("cap_day", "1")]);
    // Eleven in the evening in New York, where hudson is.
    let yard = Yard::at("2026-06-02T03:00:00Z", rules).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert_eq!(troubles(&desk).await, (false, true));
    yard.advance(Duration::from_secs(59 * 60)).await;
    assert_eq!(troubles(&desk).await, (false, true));
    yard.advance(Duration::from_secs(2 * 60)).await;
    assert_eq!(troubles(&desk).await, (false, false));
}

#[tokio::test(start_paused = true)]
async fn dealers_are_asked_for_every_quarter_of_an_hour_at_most() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "1000")])).await;
    yard.notes();
    let batches = async |n: usize| {
        yard.settled_lead(&Person::number(n)).await;
        let _ = yard.faults.calls();
        yard.count().await;
        yard.faults.calls().get("BatchGetItem").copied().unwrap_or(0)
    };
    // Their channels, and their counters.
    let (first, again) = (batches(1).await, batches(2).await);
    assert!(again < first, "{again} and {first}");
    yard.advance(Duration::from_secs(14 * 60)).await;
    assert_eq!(batches(3).await, again);
    // When they are a quarter of an hour old, by the sweep.
    let _ = yard.faults.calls();
    yard.advance(Duration::from_secs(121)).await;
    let later = yard.faults.calls().get("BatchGetItem").copied().unwrap_or(0);
    assert!(later > again, "{later} and {again}");
    assert_eq!(batches(4).await, again);
}

#[tokio::test(start_paused = true)]
async fn who_became_full_within_a_quarter_of_an_hour_is_told_after_it_though_nothing_happened_since() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "2")])).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    yard.advance(Duration::from_secs(5 * 60)).await;
    yard.settled_lead(&Person::number(2)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    yard.advance(Duration::from_secs(11 * 60)).await;
    assert_eq!(troubles(&desk).await, (false, true));
}
