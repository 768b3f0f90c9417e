//! What a lead cost is claimed back from its source: once for the enquiry that cost it, whoever returns what was
//! sold and however often it comes back.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(86_400);

type Column = (&'static str, &'static str);

/// Two dealers who may return what they bought, each by a contract with this column; a lead of the web costs us so
/// much.
fn rules(cost: &str, hudson: Column, ridge: Column) -> Rules {
    let contract = |column: Column| [("return_days", "7"), ("return_reasons", "wrong-number"), column];
    Rules::company("acme")
        .with("window_days = 2")
        .offer("roof", "roofing", "")
        .source("web", &format!("offer = \"roof\"\ncost_per_lead = \"{cost}\""))
        .seller("hudson", contract(hudson))
        .seller("ridge", contract(ridge))
}

async fn returns(yard: &Yard, dealer: &str, lead: &str) {
    let asks = json!({ "reason": "wrong-number" });
    let _ = yard.answers_with(dealer, lead, "return", Some(asks)).await.is(200);
}

async fn decides(yard: &Yard, dealer: &str, lead: &str, verdict: &str, body: Value) -> Reply {
    let id = yard.story(lead).await.assignment(dealer)["assignment"].as_str().unwrap().to_owned();
    let reply = yard.desk(Method::POST, &format!("/v1/returns/{id}/{verdict}"), Some(body)).await;
    yard.settle().await;
    reply
}

/// What is claimed back in all, by the returns that are decided.
async fn claimed(yard: &Yard) -> Vec<String> {
    let decided = yard.desk(Method::GET, "/v1/returns?state=done", None).await.is(200).json;
    let returns = decided["returns"].as_array().unwrap();
    returns.iter().filter_map(|one| Some(one["claim"].as_str()?.to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn what_several_dealers_bought_and_returned_is_claimed_back_once() {
    let shared = ("sale", "shared:2");
    let yard = Yard::of(rules("4.00", shared, shared)).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.holders().len(), 2, "both have bought it");
    for dealer in ["hudson", "ridge"] {
        returns(&yard, dealer, &lead).await;
    }
    let first = decides(&yard, "hudson", &lead, "approve", json!({ "claim": true })).await.is(200);
    assert_eq!(first.text_of("claim"), "4.00");
    // The other is told, and nothing is decided by it.
    let second = decides(&yard, "ridge", &lead, "approve", json!({ "claim": true })).await.is(409);
    assert!(second.is_problem("state-conflict").text.contains("claimed back already"));
    assert_eq!(yard.story(&lead).await.assignment("ridge")["return"]["state"], "requested");
    let second = decides(&yard, "ridge", &lead, "approve", json!({})).await.is(200);
    assert_eq!(second.json["claim"], json!(null));
    let _ = decides(&yard, "ridge", &lead, "claim", json!({})).await.is(409).is_problem("state-conflict");
    assert_eq!(claimed(&yard).await, ["4.00"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_claims_at_one_moment_one_stands() {
    let shared = ("sale", "shared:2");
    let yard = Yard::of(rules("4.00", shared, shared)).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    for dealer in ["hudson", "ridge"] {
        returns(&yard, dealer, &lead).await;
        let _ = decides(&yard, dealer, &lead, "approve", json!({})).await.is(200);
    }
    // The one has looked whether any is claimed, and is a moment late.
    let held = yard.faults.hold_commit();
    let (late, claims) = tokio::join!(decides(&yard, "hudson", &lead, "claim", json!({})), async {
        held.arrives().await;
        let claims = decides(&yard, "ridge", &lead, "claim", json!({})).await;
        held.let_go();
        claims
    });
    assert_eq!(claims.is(200).text_of("claim"), "4.00");
    let _ = late.is(409).is_problem("state-conflict");
    assert_eq!(claimed(&yard).await, ["4.00"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_returned_sold_again_and_returned_again_is_claimed_back_once() {
    let yard = Yard::of(rules("4.00", ("tier", "1"), ("tier", "2"))).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    returns(&yard, "hudson", &lead).await;
    let _ = decides(&yard, "hudson", &lead, "approve", json!({ "claim": true })).await.is(200);
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    returns(&yard, "ridge", &lead).await;
    let _ = decides(&yard, "ridge", &lead, "approve", json!({ "claim": true })).await.is(409);
    let _ = decides(&yard, "ridge", &lead, "approve", json!({})).await.is(200);
    assert_eq!(claimed(&yard).await, ["4.00"]);

    // A further enquiry, later than is a repeat, is paid for by itself.
    yard.advance(3 * DAY).await;
    let again = yard.server("web").posts(&Person::number(1)).await.is(201);
    assert_eq!(again.text_of("lead"), lead);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    returns(&yard, "hudson", &lead).await;
    let _ = decides(&yard, "hudson", &lead, "approve", json!({ "claim": true })).await.is(200);
    assert_eq!(claimed(&yard).await, ["4.00", "4.00"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_claimed_back_is_what_the_lead_cost_when_it_arrived() {
    // Nobody takes it where it is, until other rules are in force, by which its source costs more.
    let yard = Yard::of(rules("4.00", ("area", "zip:10001"), ("area", "zip:10001"))).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert!(yard.story(&lead).await.holders().is_empty());
    let _ = yard.publish(&rules("9.00", ("tier", "1"), ("area", "zip:10001"))).await.is(200);
    yard.advance(Duration::from_secs(120)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    returns(&yard, "hudson", &lead).await;
    let _ = decides(&yard, "hudson", &lead, "approve", json!({ "claim": true })).await.is(200);
    assert_eq!(claimed(&yard).await, ["4.00"]);
}
