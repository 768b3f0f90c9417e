//! Whoever has the lead of who was erased: they are told so and nothing else of them, and owe nothing for what they
//! did not answer.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Says, Yard};
use serde_json::json;

use super::{HOUR, erase, events, rules, zeb};

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_holder_is_not_said_of_who_was_erased() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    let gutter = yard.server("rain").posts(&zeb()).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    for dealer in ["hudson", "ridge"] {
        yard.dealer_says(dealer, Says::Status(503));
    }
    // One is to hear that they asked again, the other who they are, since it has accepted.
    let _ = yard.server("web").posts(&zeb().with("message", "a rutabaga")).await.is(200);
    let _ = yard.answers("ridge", &gutter, "accept").await.is(200);
    yard.settle().await;
    let told = |dealer: &str, event: &str| events(&yard, dealer).iter().filter(|told| *told == event).count();
    assert_eq!(
        (told("hudson", "lead.repeated"), told("ridge", "lead.assigned")),
        (1, 2),
        "tried, and to wait"
    );
    let _ = erase(&yard, &lead, json!({})).await.is(200);
    for dealer in ["hudson", "ridge"] {
        yard.dealer_says(dealer, Says::Status(200));
    }
    yard.advance(HOUR * 3).await;
    assert_eq!((told("hudson", "lead.repeated"), told("hudson", "lead.erased")), (1, 1));
    assert_eq!((told("ridge", "lead.assigned"), told("ridge", "lead.erased")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_charged_and_not_answered_is_credited() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    let statement = "/v1/dealers/hudson/statement?month=2026-06";
    let owed = async || yard.desk(Method::GET, statement, None).await.is(200).json["owed"].clone();
    assert_eq!(owed().await, "10.00");
    let _ = erase(&yard, &lead, json!({})).await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "withdrawn")]);
    assert_eq!(owed().await, "0.00");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_under_way_ends_before_its_dealer_is_told() {
    const SLOW_S: u64 = 8;
    let yard = Yard::of(rules()).await;
    yard.dealer_says("hudson", Says::Slow(Duration::from_secs(SLOW_S)));
    let lead = yard.lead(&zeb()).await;
    let erasing = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        erase(&yard, &lead, json!({})).await
    };
    let (reply, ()) = tokio::join!(erasing, yard.settle());
    // The seat is not ended under an attempt that may arrive.
    assert_eq!((reply.status.as_u16(), reply.text_of("state")), (202, "under_way"), "{}", reply.text);
    yard.advance(HOUR).await;
    let told = yard.told("hudson");
    assert_eq!(events(&yard, "hudson"), ["lead.assigned", "lead.erased"]);
    let between_s = told[1].timestamp - told[0].timestamp;
    assert!(between_s >= SLOW_S as i64, "after {between_s} s, and it was under way for {SLOW_S}");
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "withdrawn")]);
}

#[tokio::test(start_paused = true)]
async fn who_had_it_from_another_system_is_told_by_hand() {
    let yard = Yard::of(rules()).await;
    let row = json!({
        "received_at": "2026-05-20", "source": "web", "name": "Zebulon Quackenbush",
        "email": "zq.canary@mail.example", "zip": "33101", "dealer": "hudson",
    });
    let reply = yard.desk(Method::POST, "/v1/import/history", Some(json!({ "rows": [row] }))).await.is(200);
    let lead = reply.json["rows"][0]["lead"].as_str().unwrap().to_owned();
    let before = yard.story(&lead).await;
    assert_eq!(before.assignments().len(), 1, "{}", before.0);
    let told = erase(&yard, &lead, json!({})).await.is(200);
    assert_eq!(told.json["tell_by_hand"], json!(["hudson"]), "{}", told.text);
    yard.advance(HOUR * 3).await;
    assert!(yard.told("hudson").is_empty(), "its webhook never had it");
    assert_eq!(yard.story(&lead).await.assignments(), before.assignments());
}
