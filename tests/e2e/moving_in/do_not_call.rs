//! Whom not to call: of contracts that need a clean list, and of everybody else.

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::json;

use super::{MINUTE, sends, statuses, table};

/// Hudson is asked first, and takes nobody who is not to be called; ridge takes everybody.
fn rules() -> Rules {
    Rules::roofing("acme")
        .seller("hudson", [("needs", "dnc_clean"), ("tier", "1")])
        .seller("ridge", [("tier", "2")])
}

/// The nth, who agreed to be called: the list is no doubt about them.
fn agreed(n: usize) -> Person {
    Person::number(n).with("consent", "yes")
}

async fn lists(yard: &Yard, n: usize) -> Reply {
    let row = json!({ "phone": format!("+1305{:07}", 2_740_000 + n) });
    sends(yard, "do_not_call", &[row]).await.is(200)
}

async fn unlists(yard: &Yard, n: usize) -> Reply {
    let row = json!({ "phone": format!("+1305{:07}", 2_740_000 + n), "remove": "yes" });
    sends(yard, "do_not_call", &[row]).await.is(200)
}

#[tokio::test(start_paused = true)]
async fn a_contract_that_needs_a_clean_list_gets_those_alone_who_are_not_on_it() {
    let yard = Yard::of(rules().source("trial", "offer = \"roof\"\ntest = true")).await;
    assert_eq!(statuses(&lists(&yard, 1).await), ["imported"]);
    // The list is of keyed hashes: no number stands in the table, though one is on it.
    let stored = table(&yard).await;
    assert!(stored.iter().any(|item| item.contains("\"I#")), "{stored:?}");
    assert!(!stored.iter().any(|item| item.contains("2740001")), "{stored:?}");
    // One by one, and in one batch.
    let listed = yard.settled_lead(&agreed(1)).await;
    let clean = yard.settled_lead(&agreed(2)).await;
    assert_eq!(yard.story(&listed).await.holders(), ["ridge"]);
    assert_eq!(yard.story(&clean).await.holders(), ["hudson"]);
    let _ = lists(&yard, 3).await;
    let (listed, clean) = (yard.lead(&agreed(3)).await, yard.lead(&agreed(4)).await);
    let without_phone = yard.lead(&Person::named("Ada", "Hill")).await;
    yard.settle().await;
    assert_eq!(yard.story(&listed).await.holders(), ["ridge"]);
    assert_eq!(yard.story(&clean).await.holders(), ["hudson"]);
    // There is no phone to be called.
    assert_eq!(yard.story(&without_phone).await.holders(), ["hudson"]);
    // The desk and a test are told the same.
    let trial = |n| {
        let yard = yard.clone();
        async move { yard.server("trial").posts(&agreed(n)).await.json["would_go_to"].clone() }
    };
    assert_eq!((trial(3).await, trial(5).await), (json!(["ridge"]), json!(["hudson"])));
}

#[tokio::test(start_paused = true)]
async fn the_list_speaks_at_the_decision_and_not_at_the_enquiry() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("needs", "dnc_clean")])).await;
    yard.flip("stop", json!({ "on": true })).await;
    let lead = yard.settled_lead(&agreed(1)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "stopped");
    let _ = lists(&yard, 1).await;
    yard.flip("stop", json!({ "on": false })).await;
    yard.advance(MINUTE * 5).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.waiting()), ("waiting", "needs"));
    let path = format!("/v1/leads/{lead}/recommendation");
    let told = yard.desk(Method::GET, &path, None).await.is(200);
    assert!(told.text.contains("dnc_clean"), "{}", told.text);
    // By hand only with a word for it.
    let place = json!({ "contract": "hudson" });
    let refused = yard.desk(Method::POST, &format!("/v1/leads/{lead}/place"), Some(place)).await.is(409);
    assert!(refused.text.contains("needs"), "{}", refused.text);
    // Taken off the list, it is placed by itself.
    let _ = unlists(&yard, 1).await;
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_of_phones_rejects_no_lead_that_waits_and_opens_none() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await;
    let held = yard.settled_lead(&agreed(1)).await;
    let waits = yard.settled_lead(&agreed(2)).await;
    assert_eq!(yard.story(&waits).await.waiting(), "cap");
    for n in [1, 2] {
        let reply = lists(&yard, n).await;
        assert_eq!((statuses(&reply), reply.json["rows"][0].get("rejected")), (vec!["imported"], None));
    }
    yard.advance(MINUTE * 5).await;
    let story = yard.story(&waits).await;
    assert_eq!((story.stage(), story.waiting()), ("waiting", "cap"));
    assert_eq!(yard.story(&held).await.holders(), ["hudson"]);
    // Who was rejected because of the other list stays so.
    let listed = json!([{ "phone": "+13052740003" }]);
    let third = yard.settled_lead(&agreed(3)).await;
    let _ = lists(&yard, 3).await;
    let _ = sends(&yard, "suppressed", listed.as_array().unwrap()).await.is(200);
    assert_eq!(yard.story(&third).await.stage(), "rejected");
    let _ = unlists(&yard, 3).await;
    yard.advance(MINUTE * 5).await;
    assert_eq!(yard.story(&third).await.stage(), "rejected");
}

#[tokio::test(start_paused = true)]
async fn a_slot_of_a_contract_that_needs_a_clean_list_wakes_who_is_not_on_it() {
    let yard = Yard::of(Rules::roofing("acme").seller(
        "hudson",
        [
            ("needs", "dnc_clean"),
            ("cap_total", "1"),
            ("return_days", "30"),
            ("return_reasons", "wrong_number"),
        ],
    ))
    .await;
    let held = yard.settled_lead(&agreed(1)).await;
    assert_eq!(yard.story(&held).await.holders(), ["hudson"]);
    // More who are listed than a slot wakes stand before the one who is not: they are fresher.
    for n in 2..6 {
        let _ = lists(&yard, n).await;
    }
    let clean = yard.settled_lead(&agreed(9)).await;
    yard.advance(MINUTE * 5).await;
    for n in 2..6 {
        let lead = yard.settled_lead(&agreed(n)).await;
        assert_eq!(yard.story(&lead).await.waiting(), "needs");
    }
    assert_eq!(yard.story(&clean).await.waiting(), "cap");
    let take_back = Some(json!({ "reason": "by mistake" }));
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{held}/take_back"), take_back).await.is(200);
    yard.advance(MINUTE * 5).await;
    assert_eq!(yard.story(&clean).await.holders(), ["hudson"]);
}
