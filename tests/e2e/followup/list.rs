//! The day's list: in order of score with promised calls first, everybody once, whatever becomes of messages, and
//! at the same cost with many.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Yard};
use serde_json::json;

use super::{DAY, HOUR, acts, ada, calls, did, listed, lost, rules, yard};

#[tokio::test(start_paused = true)]
async fn the_list_is_in_order_of_score_as_of_now_with_promised_calls_first() {
    let yard = yard().await;
    let mut leads = Vec::new();
    for (n, pages) in [(1, 2), (2, 6), (3, 0), (4, 4)] {
        let lead = yard.settled_lead(&Person::number(n)).await;
        for page in 0..pages {
            did(&yard, &lead, &format!("{n}-{page}"), "page_view").await;
        }
        leads.push(lead);
    }
    yard.advance(DAY + HOUR).await;
    let by_score: Vec<String> = [1, 3, 0, 2].map(|at: usize| leads[at].clone()).to_vec();
    assert_eq!(calls(&yard).await, by_score);
    let list = listed(&yard).await;
    let scores: Vec<f64> = list.iter().map(|call| call["lead"]["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a > b), "{scores:?}");
    // It goes up as it does more, in the list.
    for page in 0..9 {
        did(&yard, &leads[2], &format!("more-{page}"), "page_view").await;
    }
    assert_eq!(calls(&yard).await[0], leads[2]);
    // A promise is kept before all of them.
    let at = yard.cloud.clock.now() + jiff::SignedDuration::from_hours(2);
    let _ = acts(&yard, &leads[0], "call", json!({ "result": "callback", "callback_at": at })).await.is(200);
    assert_eq!(calls(&yard).await.len(), 3);
    yard.advance(2 * HOUR + Duration::from_secs(120)).await;
    assert_eq!(calls(&yard).await[0], leads[0]);
    // And whoever asks for fewer has the head.
    let few = yard.desk(Method::GET, "/v1/follow-ups?limit=2", None).await.is(200);
    assert_eq!((few.json["follow_ups"].as_array().unwrap().len(), &few.json["more"]), (2, &json!(true)));
}

#[tokio::test(start_paused = true)]
async fn the_list_goes_on_from_page_to_page_and_has_everybody_once_in_order() {
    // Of two fit letters, both behind and before each other by what they did.
    let scoring = r#"half_life_days = 14
[[fit]]
label = "can be written to"
points = 20
has = ["email"]
[[fit]]
label = "can be called"
points = 20
has = ["phone"]
[interactions]
enquiry = { points = 10, daily_cap = 3 }
page_view = { points = 9, daily_cap = 50 }
[bands.fit]
A = 40
B = 10
[bands.engagement]
1 = 400
2 = 1
"#;
    let yard = Yard::of(rules("not_ready = [\"1d\"]\n").scoring(scoring)).await;
    let mut all = Vec::new();
    for n in 1..=13 {
        let person = Person::number(n);
        let lead = yard.settled_lead(&if n % 2 == 0 { person } else { person.without("email") }).await;
        for page in 0..n % 5 {
            did(&yard, &lead, &format!("{n}-{page}"), "page_view").await;
        }
        all.push(lead);
    }
    yard.advance(DAY + HOUR).await;
    // One of them was promised a call, whose time has come.
    let at = yard.cloud.clock.now() + jiff::SignedDuration::from_hours(1);
    let _ = acts(&yard, &all[4], "call", json!({ "result": "callback", "callback_at": at })).await.is(200);
    yard.advance(HOUR + Duration::from_secs(120)).await;
    let whole = calls(&yard).await;
    assert_eq!((whole.len(), &whole[0]), (13, &all[4]));
    for limit in [1, 3, 4, 13] {
        let (mut read, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/follow-ups?limit={limit}{after}");
            let page = yard.desk(Method::GET, &path, None).await.is(200).json;
            let leads = page["follow_ups"].as_array().unwrap();
            assert!(leads.len() <= limit);
            read.extend(leads.iter().map(|call| call["lead"]["lead"].as_str().unwrap().to_owned()));
            assert_eq!(page["more"], json!(page["next"].is_string()));
            let Some(next) = page["next"].as_str() else { break };
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            after = format!("&after={next}");
            assert!(read.len() <= all.len(), "{limit}: {read:?}");
        }
        let mut once = read.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!((read.len(), once.len(), &read[0]), (13, 13, &all[4]), "{limit}");
    }
    // What is no page's end is refused, and asks the index for nothing.
    for after in ["x", "{}", r#"{"promised":[],"due":["9#"]}"#, r#"{"promised":["3"],"due":[]}"#] {
        let after: String = form_urlencoded::byte_serialize(after.as_bytes()).collect();
        let _ = yard.desk(Method::GET, &format!("/v1/follow-ups?after={after}"), None).await.is(400);
    }
}

#[tokio::test(start_paused = true)]
async fn the_desk_chooses_many_at_once_and_sees_first_what_would_follow() {
    let yard = yard().await;
    let waits = Person::named("Bob", "Mann").with("phone", "305-274-0177");
    let mut leads = vec![yard.settled_lead(&ada()).await, lost(&yard, &Person::number(1)).await];
    let _ = yard.flip("stop", json!({ "on": true })).await;
    leads.push(yard.server("ads").posts(&waits).await.is(201).text_of("lead").to_owned());
    yard.settle().await;
    assert_eq!(yard.story(&leads[2]).await.stage(), "waiting");
    let many = |dry: bool| json!({ "leads": leads, "dry_run": dry, "reason": "spring campaign" });
    let look = yard.desk(Method::POST, "/v1/leads/follow_up", Some(many(true))).await.is(200);
    assert!(look.json["results"].as_array().unwrap().iter().all(|one| one["after"]["stands"] == "due"));
    assert!(calls(&yard).await.is_empty(), "a look changes nothing");
    let done = yard.desk(Method::POST, "/v1/leads/follow_up", Some(many(false))).await.is(200);
    assert!(done.json["results"].as_array().unwrap().iter().all(|one| one["done"] == true), "{}", done.text);
    assert_eq!(calls(&yard).await.len(), 3);
    let story = yard.story(&leads[1]).await;
    let act = story.list("history").find(|act| act["act"] == "follow_up").unwrap();
    assert_eq!((&act["reason"], &act["after"]["reason"]), (&json!("spring campaign"), &json!("by_hand")));
}

#[tokio::test(start_paused = true)]
async fn a_lost_message_or_a_list_that_is_behind_never_loses_a_follow_up() {
    let yard = yard().await;
    let lead = lost(&yard, &ada()).await;
    // What the dealer's answer would have begun never stood: as of an earlier version, or a process that died.
    let stands = yard.cloud.store.follow_up_get(lead.parse().unwrap()).await.unwrap();
    assert!(stands.is_some());
    let pk = format!("L#{lead}");
    let key = std::collections::HashMap::from([
        ("pk".to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(pk)),
        ("sk".to_owned(), aws_sdk_dynamodb::types::AttributeValue::S("F".to_owned())),
    ]);
    yard.cloud.store.item_delete(&key).await.unwrap();
    // A closed lead is looked at within a month: its call is late by no more than that.
    yard.advance(31 * DAY).await;
    assert_eq!(calls(&yard).await, [lead]);
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_is_simply_sold_is_never_followed_up_and_reading_the_list_costs_the_same_with_many() {
    let yard = yard().await;
    let sold = yard.server("ads").posts(&Person::number(77)).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    assert_eq!(yard.story(&sold).await.stage(), "assigned");
    assert!(yard.cloud.store.follow_up_get(sold.parse().unwrap()).await.unwrap().is_none());
    let mut reads = Vec::new();
    for n in [1, 2, 30] {
        for person in 0..n {
            let _ = yard.settled_lead(&Person::number(1_000 * n + person)).await;
        }
        yard.advance(DAY + HOUR).await;
        let _ = yard.faults.calls();
        assert!(!calls(&yard).await.is_empty());
        let calls = yard.faults.calls();
        let of = |operation: &str| calls.get(operation).copied().unwrap_or_default();
        reads.push(of("GetItem") + of("BatchGetItem") + of("Query"));
    }
    assert!(reads.iter().all(|count| *count == reads[0]) && reads[0] <= 8, "{reads:?}");
}
