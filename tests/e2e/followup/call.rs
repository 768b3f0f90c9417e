//! What a call came to: it stands in the lead's history, a promise is kept, and whoever is interested is sold.

use leadyard_tests::Person;
use serde_json::{Value, json};

use super::{DAY, HOUR, acts, ada, called, calls, did, follow_up, listed, lost, yard};

#[tokio::test(start_paused = true)]
async fn what_a_call_came_to_stands_in_the_lead_s_history_who_when_before_and_after() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let _ = acts(&yard, &lead, "claim", json!({})).await.is(200);
    let said = json!({ "result": "not_now", "note": "after the summer" });
    let _ = acts(&yard, &lead, "call", said).await.is(200);
    let story = yard.story(&lead).await;
    let of = |word: &str| story.list("history").find(|act| act["act"] == word).unwrap();
    assert_eq!((story.list("history").count(), &of("claim")["by"]), (2, &json!("desk")));
    let call = of("call");
    assert_eq!((&call["act"], &call["reason"]), (&json!("call"), &json!("after the summer")));
    assert_eq!((&call["before"]["stands"], &call["after"]["stands"]), (&json!("due"), &json!("planned")));
    assert_eq!(call["after"]["last_call"]["result"], "not_now");
    assert_eq!((&call["after"]["attempt"], &call["after"]["of"]), (&json!(2), &json!(2)));
    // What is not one of the results, or comes without its time, is refused and keeps nothing.
    for (body, said) in [
        (json!({}), "result is one of: interested callback not_now"),
        (json!({ "result": "callback" }), "callback_at goes with the result callback"),
        (json!({ "result": "busy", "callback_at": "2026-06-03T16:00:00Z" }), "callback_at goes with"),
        (json!({ "result": "callback", "callback_at": "2026-06-01T16:00:00Z" }), "lies ahead"),
    ] {
        let refused = acts(&yard, &lead, "call", body).await.is(400);
        assert!(refused.text.contains(said), "{}", refused.text);
    }
    assert_eq!(yard.story(&lead).await.list("history").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_callback_is_due_when_it_was_promised_whatever_the_plan_says() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let promised = "2026-06-05T14:30:00Z";
    let body = json!({ "result": "callback", "callback_at": promised, "note": "Friday" });
    let _ = acts(&yard, &lead, "call", body).await.is(200);
    did(&yard, &lead, "p1", "page_view").await;
    // Nor does a colleague who chooses them make them wait for another.
    let chosen = acts(&yard, &lead, "follow_up", json!({})).await.is(409).is_problem("state-conflict");
    assert_eq!(chosen.json["callback_at"], promised);
    yard.advance_to("2026-06-05T14:20:00Z").await;
    assert!(calls(&yard).await.is_empty());
    yard.advance_to("2026-06-05T14:32:00Z").await;
    let list = listed(&yard).await;
    assert_eq!((list.len(), &list[0]["follow_up"]["reason"]), (1, &json!("callback")));
    let _ = acts(&yard, &lead, "follow_up", json!({})).await.is(200);
    assert_eq!(
        listed(&yard).await[0]["follow_up"]["reason"],
        "callback",
        "it stands before the others still"
    );
    // Nobody promises a call for the night.
    let night = json!({ "result": "callback", "callback_at": "2026-06-06T02:00:00Z" });
    let refused = acts(&yard, &lead, "call", night).await.is(400);
    assert_eq!(refused.json["may_be_called"]["from"], "2026-06-06T12:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn an_interested_lead_goes_to_distribution_below_its_band_and_after_it_was_lost() {
    let yard = yard().await;
    let (nurtured, lost_one) = (yard.settled_lead(&ada()).await, lost(&yard, &Person::number(2)).await);
    yard.advance(11 * DAY).await;
    assert_eq!(calls(&yard).await.len(), 2);
    let before = yard.told("hudson").len();
    for lead in [&nurtured, &lost_one] {
        let after = called(&yard, lead, "interested").await;
        assert_eq!(
            (&after["stands"], &after["why"], &after["lifted"]),
            (&json!("ended"), &json!("interested"), &json!(true))
        );
    }
    yard.settle().await;
    assert!(calls(&yard).await.is_empty());
    for (lead, cycle) in [(&nurtured, 1), (&lost_one, 2)] {
        let story = yard.story(lead).await;
        assert_eq!((story.stage(), story.holders(), story.cycle()), ("assigned", vec!["hudson"], cycle));
        assert!(story.list("interactions").any(|one| one["kind"] == "call"), "{:?}", story.0["interactions"]);
    }
    assert_eq!(yard.told("hudson").len(), before + 2);
}

#[tokio::test(start_paused = true)]
async fn an_interested_lead_has_one_call_to_its_account_though_it_was_tried_twice() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let held = yard.faults.hold_commit();
    let calling = acts(&yard, &lead, "call", json!({ "result": "interested" }));
    let meanwhile = async {
        held.arrives().await;
        // The follow-up is another by now, and the act is tried again.
        let _ = acts(&yard, &lead, "claim", json!({})).await.is(200);
        held.let_go();
    };
    let (reply, ()) = tokio::join!(calling, meanwhile);
    let _ = reply.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    let calls: Vec<&Value> = story.list("interactions").filter(|one| one["kind"] == "call").collect();
    // The calls of a day are one row, with a name for each.
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0]["names"].as_array().map(Vec::len), Some(1), "{}", calls[0]);
    assert_eq!(story.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn the_times_of_a_lead_that_was_lifted_into_its_next_cycle_run_from_the_call() {
    let yard = yard().await;
    yard.notes();
    let lead = lost(&yard, &ada()).await;
    yard.advance(11 * DAY).await;
    let _ = called(&yard, &lead, "interested").await;
    yard.settle().await;
    yard.count().await;
    let speed = yard.report("speed?from=2026-06-10&to=2026-06-30").await;
    assert_eq!(speed["whole"]["delivery_measured"], 1, "{speed}");
    let median = speed["whole"]["delivery_median_s"].as_i64().unwrap();
    assert!(median < 300, "eleven days after the enquiry, {median} s after the call");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_number_is_called_again_only_once_they_ask_again() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let _ = called(&yard, &lead, "wrong_number").await;
    did(&yard, &lead, "p1", "page_view").await;
    yard.advance(5 * DAY).await;
    assert!(calls(&yard).await.is_empty());
    let expired = yard.settled_lead(&Person::number(1)).await;
    yard.advance(DAY + HOUR).await;
    let _ = called(&yard, &expired, "wrong_number").await;
    yard.advance(3 * DAY).await;
    let _ = yard.server("web").posts(&ada().with("message", "call my new number")).await.is(200);
    yard.settle().await;
    assert_eq!(calls(&yard).await, [lead.as_str()]);
    let _ = called(&yard, &lead, "wrong_number").await;
    // Nor once their cycle ended in nobody's hands.
    yard.advance(43 * DAY).await;
    assert_eq!(yard.story(&expired).await.stage(), "expired");
    assert!(calls(&yard).await.is_empty());
    assert_eq!(follow_up(&yard, &expired).await["why"], "wrong_number");
}
