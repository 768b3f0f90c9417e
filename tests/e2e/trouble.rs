//! What is changed under the system's feet: a dealer is gone, a contract is another, a counter is missing.
//! Each has its answer.
//!
//! Determinations:
//!
//! - *A dealer that left the rulebook* keeps what it holds and may still answer. What is on its way to it goes
//!   where the rulebook it was sold under says, and ends there or with the next.
//! - *A contract that changed under a decision* changes the next one. What is committed was decided under one
//!   rulebook as a whole: its price is frozen, its cap is the one that was kept.
//! - *A counter that is gone* counts from nothing. A contract has then at most what was forgotten beyond its
//!   cap; of what was paid in advance, only what comes back is known again.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Says, Told, Yard};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn events(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.event.as_str()).collect()
}

async fn statement(yard: &Yard, dealer: &str) -> Value {
    let path = format!("/v1/dealers/{dealer}/statement?month=2026-06");
    yard.desk(Method::GET, &path, None).await.is(200).json
}

async fn acts(yard: &Yard, lead: &str, act: &str, body: Value) -> Reply {
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await
}

// --- Who is gone ---

/// Hudson comes first; then it leaves, with all its contracts.
fn with_hudson() -> Rules {
    hudson_first("9", "12.00")
}

fn without_hudson() -> Rules {
    Rules::roofing("acme").seller("ridge", [("tier", "2")])
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_left_keeps_what_it_holds_and_answers_for_it() {
    let yard = Yard::of(with_hudson()).await;
    let mut leads = Vec::new();
    for n in 0..5 {
        leads.push(yard.settled_lead(&Person::number(n)).await);
    }
    let _ = yard.publish(&without_hudson()).await.is(200);
    yard.settle().await;
    assert_eq!(yard.inbox("hudson").await.len(), 5);
    for (lead, act) in leads.iter().zip(["accept", "won", "lost", "decline"]) {
        let _ = yard.answers("hudson", lead, act).await.is(200);
    }
    // What it declines goes to the next, and so does what the desk takes back: it is told so where it was.
    let _ = acts(&yard, &leads[4], "take_back", json!({ "reason": "gone" })).await.is(200);
    yard.settle().await;
    let mut stand = Vec::new();
    for lead in &leads {
        let story = yard.story(lead).await;
        let (contract, state) = *story.assignments().last().unwrap();
        stand.push((contract.to_owned(), state.to_owned()));
    }
    let of = |contract: &str, state: &str| (contract.to_owned(), state.to_owned());
    assert_eq!(
        stand,
        [
            of("hudson", "accepted"),
            of("hudson", "won"),
            of("hudson", "lost"),
            of("ridge", "offered"),
            of("ridge", "offered"),
        ]
    );
    let told = yard.told("hudson");
    assert_eq!(events(&told)[5..], ["lead.withdrawn"]);
    assert_eq!((told[5].lead(), told[5].signed), (leads[4].as_str(), true));
    // Five were charged, two came back; whoever asks is told, though nobody of that name is in force.
    assert_eq!(statement(&yard, "hudson").await["owed"], "36.00");
    let own = yard.dealer("hudson", Method::GET, "/v1/dealers/hudson/statement?month=2026-06", None).await;
    assert_eq!(own.is(200).json["owed"], "36.00");
    // Nothing new is its.
    let next = yard.settled_lead(&Person::number(9)).await;
    assert_eq!(yard.story(&next).await.holders(), ["ridge"]);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_left_may_return_by_the_terms_it_bought_under() {
    let columns = [("tier", "1"), ("return_days", "7"), ("return_reasons", "spam")];
    let yard =
        Yard::of(Rules::roofing("acme").seller("hudson", columns).seller("ridge", [("tier", "2")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.publish(&without_hudson()).await.is(200);
    let _ = yard.answers_with("hudson", &lead, "return", Some(json!({ "reason": "spam" }))).await.is(200);
    let story = yard.story(&lead).await;
    let id = story.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
    let _ = yard.desk(Method::POST, &format!("/v1/returns/{id}/approve"), Some(json!({}))).await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "returned"), ("ridge", "offered")]);
    assert_eq!(statement(&yard, "hudson").await["owed"], "0.00");
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_to_a_dealer_that_left_arrives_or_goes_to_the_next() {
    let arrives = [("hudson", "offered")];
    for (says, ends) in [(Says::Status(200), arrives.as_slice()), (Says::Status(410), GOES_ON.as_slice())] {
        let yard = Yard::of(with_hudson()).await;
        yard.dealer_says("hudson", Says::IsShut);
        let lead = yard.settled_lead(&Person::number(1)).await;
        let _ = yard.publish(&without_hudson()).await.is(200);
        yard.dealer_says("hudson", says);
        yard.advance(MINUTE * 30).await;
        assert_eq!((yard.story(&lead).await.assignments(), yard.told("hudson").len()), (ends.to_vec(), 1));
        assert!(yard.dead_letters().is_empty());
    }
    // One that is never there again: the attempts end, and nobody waits for it.
    let yard = Yard::of(with_hudson()).await;
    yard.dealer_says("hudson", Says::IsShut);
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.publish(&without_hudson()).await.is(200);
    yard.advance(HOUR).await;
    assert_eq!(yard.story(&lead).await.assignments(), GOES_ON);
    assert_eq!(statement(&yard, "hudson").await["lines"], json!([]));
    assert!(yard.dead_letters().is_empty());
}

const GOES_ON: [(&str, &str); 2] = [("hudson", "withdrawn"), ("ridge", "offered")];

#[tokio::test(start_paused = true)]
async fn a_lead_that_was_promised_to_a_dealer_that_left_is_kept_for_it_until_the_desk_or_time_ends_that() {
    let hudson = [("territory", "protected"), ("area", "zip:33101"), ("when_unavailable", "wait")];
    let rules = Rules::roofing("acme").seller("hudson", hudson).seller("ridge", []);
    let yard = Yard::of(rules).await;
    yard.dealer_says("hudson", Says::IsShut);
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.publish(&without_hudson()).await.is(200);
    yard.advance(DAY).await;
    // It was promised it, and is tried on; the desk may give it to the next at once.
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "offered")]);
    let _ = acts(&yard, &lead, "take_back", json!({ "reason": "gone" })).await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&lead).await.assignments(), GOES_ON);
    // Left alone it ends as well: at the window's end it is nobody's.
    let other = Yard::of(Rules::roofing("acme").seller("hudson", hudson).seller("ridge", [])).await;
    other.dealer_says("hudson", Says::IsShut);
    let lead = other.settled_lead(&Person::number(1)).await;
    let _ = other.publish(&without_hudson()).await.is(200);
    other.advance(DAY * 32).await;
    assert_eq!(other.story(&lead).await.assignments()[0], ("hudson", "withdrawn"));
    assert!(yard.dead_letters().is_empty() && other.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_trade_that_left_with_its_dealer_leaves_nothing_hanging() {
    let both = Rules::roofing("acme").offer("sun", "solar", "").seller("hudson", [("offers", "sun")]);
    let yard = Yard::of(both).await;
    yard.dealer_says("hudson", Says::IsShut);
    let held = yard.settled_lead(&Person::number(1).with("offer", "sun")).await;
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE * 5).await;
    let second = yard.settled_lead(&Person::number(2).with("offer", "sun")).await;
    yard.dealer_says("hudson", Says::IsShut);
    let pending = yard.settled_lead(&Person::number(3).with("offer", "sun")).await;
    let _ = yard.publish(&without_hudson()).await.is(200);
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE * 5).await;
    assert_eq!(yard.story(&pending).await.assignments(), [("hudson", "offered")]);
    assert_eq!(yard.story(&pending).await.assignment("hudson")["delivery"], "received");
    let _ = yard.answers("hudson", &held, "accept").await.is(200);
    // Nobody takes what nobody offers any more.
    let _ = yard.answers("hudson", &second, "decline").await.is(200);
    yard.settle().await;
    let story = yard.story(&second).await;
    assert_eq!((story.stage(), story.waiting()), ("waiting", "offer"));
    assert!(yard.dead_letters().is_empty());
}

// --- What changed in between ---

fn hudson_first(cap: &'static str, price: &'static str) -> Rules {
    Rules::roofing("acme")
        .seller("hudson", [("tier", "1"), ("cap_total", cap), ("price", price)])
        .seller("ridge", [("tier", "2")])
}

/// A lead whose decision is made under what is in force, and committed once this is.
async fn decided_before(yard: &Yard, person: &Person, changed: &Rules) -> String {
    let lead = yard.lead(person).await;
    let held = yard.faults.hold_commit();
    let working = tokio::spawn({
        let yard = yard.clone();
        async move { yard.settle().await }
    });
    held.arrives().await;
    let _ = yard.publish(changed).await.is(200);
    held.let_go();
    working.await.unwrap();
    yard.settle().await;
    lead
}

#[tokio::test(start_paused = true)]
async fn a_contract_that_changes_under_a_decision_changes_the_next_one() {
    let yard = Yard::of(hudson_first("3", "12.00")).await;
    let before = yard.version().await;
    let lead = decided_before(&yard, &Person::number(1), &hudson_first("1", "99.00")).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.holders(), ["hudson"]);
    // Of one rulebook as a whole: decision, seat and price name the one that was in force when it was made.
    let decision = story.list("decisions").next().unwrap();
    let seat = story.assignment("hudson");
    assert_eq!((&decision["rulebook"], &seat["rulebook"]), (&json!(before), &json!(before)));
    assert_eq!(
        (&seat["price"], &statement(&yard, "hudson").await["owed"]),
        (&json!("12.00"), &json!("12.00"))
    );
    // It counts against the new cap, which is full.
    let next = yard.settled_lead(&Person::number(2)).await;
    let story = yard.story(&next).await;
    assert_eq!((story.holders(), yard.version().await), (vec!["ridge"], before + 1));
    assert_eq!(story.list("decisions").next().unwrap()["rulebook"], before + 1);
    assert_eq!(yard.taken("hudson", 4).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_leaves_under_a_decision_gets_what_was_decided() {
    let yard = Yard::of(hudson_first("3", "12.00")).await;
    let lead = decided_before(&yard, &Person::number(1), &without_hudson()).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "offered")]);
    assert_eq!(story.assignment("hudson")["delivery"], "received");
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
}

#[tokio::test(start_paused = true)]
async fn a_cap_that_was_lowered_below_what_is_used_is_full_until_enough_comes_back() {
    let yard = Yard::of(hudson_first("3", "12.00")).await;
    let mut leads = Vec::new();
    for n in 0..3 {
        leads.push(yard.settled_lead(&Person::number(n)).await);
    }
    let _ = yard.publish(&hudson_first("2", "12.00")).await.is(200);
    // Three of two, then two of two, then one of two.
    for (n, holder) in [(3, "ridge"), (4, "ridge"), (5, "hudson"), (6, "ridge")] {
        let lead = yard.settled_lead(&Person::number(n)).await;
        assert_eq!(yard.story(&lead).await.holders(), [holder], "lead {n}");
        if n < 5 {
            let _ = yard.answers("hudson", &leads.remove(0), "decline").await.is(200);
            yard.settle().await;
        }
    }
    assert_eq!(yard.taken("hudson", 4).await, 2);
}

// --- What is missing ---

/// The counters of a contract and of its dealer are gone from the table.
async fn forget(yard: &Yard, contract: &str, dealer: &str) {
    let store = &yard.cloud.store;
    for pk in [format!("K#acme#c#{contract}"), format!("K#acme#d#{dealer}")] {
        let key = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let gone = store
            .client()
            .delete_item()
            .table_name(store.table())
            .key("pk", key(&pk))
            .key("sk", key("K"))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld)
            .send()
            .await
            .unwrap();
        assert!(gone.attributes.is_some(), "there was no {pk}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_counter_that_is_gone_counts_from_nothing() {
    let yard = Yard::of(hudson_first("2", "12.00")).await;
    let mut leads = Vec::new();
    for n in 0..3 {
        leads.push(yard.settled_lead(&Person::number(n)).await);
    }
    assert_eq!(yard.story(&leads[2]).await.holders(), ["ridge"]);
    forget(&yard, "hudson", "hudson").await;
    // What it held comes back, is won, and goes on.
    let _ = yard.answers("hudson", &leads[0], "decline").await.is(200);
    let _ = yard.answers("hudson", &leads[1], "won").await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&leads[0]).await.assignments(), [("hudson", "declined"), ("ridge", "offered")]);
    assert_eq!(yard.taken("hudson", 4).await, 0);
    // Two more, as if it had none: three of two, for one of those held was forgotten.
    for (n, holder) in [(3, "hudson"), (4, "hudson"), (5, "ridge")] {
        let lead = yard.settled_lead(&Person::number(n)).await;
        assert_eq!(yard.story(&lead).await.holders(), [holder], "lead {n}");
    }
    assert_eq!(yard.taken("hudson", 4).await, 2);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_more_than_what_was_forgotten_is_beyond_the_cap() {
    let yard = Yard::of(hudson_first("2", "12.00")).await;
    let first = yard.settled_lead(&Person::number(0)).await;
    let second = yard.settled_lead(&Person::number(1)).await;
    forget(&yard, "hudson", "hudson").await;
    for n in 2..4 {
        yard.settled_lead(&Person::number(n)).await;
    }
    // What comes back of the forgotten is taken for one of those that are counted.
    for lead in [&first, &second] {
        let _ = yard.answers("hudson", lead, "decline").await.is(200);
    }
    yard.settle().await;
    for n in 4..8 {
        yard.settled_lead(&Person::number(n)).await;
    }
    assert_eq!((yard.taken("hudson", 4).await, yard.inbox("hudson").await.len()), (2, 2 + 2));
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_a_balance_that_is_gone_only_what_comes_back_is_known() {
    let rules =
        Rules::roofing("acme").dealer("hudson", [("prepaid", "yes")]).contract("hudson", "hudson", []);
    let yard = Yard::of(rules).await;
    let deposit = json!({ "amount": "30.00", "reference": "wire-1" });
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/deposits", Some(deposit)).await.is(200);
    let lead = yard.settled_lead(&Person::number(0)).await;
    forget(&yard, "hudson", "hudson").await;
    let waits = yard.settled_lead(&Person::number(1)).await;
    let story = yard.story(&waits).await;
    assert_eq!((story.stage(), story.waiting()), ("waiting", "cap"));
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&waits).await.holders(), ["hudson"]);
    // The ledger forgets nothing: the desk sees what was paid in, and pays the difference in again.
    let june = statement(&yard, "hudson").await;
    assert_eq!(
        (&june["deposits"], &june["owed"], &june["balance"]),
        (&json!("30.00"), &json!("10.00"), &json!("0.00"))
    );
    assert!(yard.dead_letters().is_empty());
}
