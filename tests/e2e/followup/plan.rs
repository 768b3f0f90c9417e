//! When a lead is called: not ready, not reached or lost for now, as the plan says and not before; and at once when
//! it does something.

use std::time::Duration;

use leadyard_tests::{Person, Rules, Yard};
use serde_json::{Value, json};

use super::{DAY, HOUR, acts, ada, called, calls, did, follow_up, listed, lost, rules, yard};

#[tokio::test(start_paused = true)]
async fn a_lead_not_ready_is_called_when_the_plan_says_and_not_before() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    let planned = follow_up(&yard, &lead).await;
    assert_eq!(
        (&planned["stands"], &planned["reason"], &planned["attempt"], &planned["of"]),
        (&json!("planned"), &json!("not_ready"), &json!(1), &json!(2))
    );
    yard.advance(23 * HOUR).await;
    assert!(calls(&yard).await.is_empty());
    yard.advance(2 * HOUR).await;
    let list = listed(&yard).await;
    assert_eq!(list.len(), 1);
    let call = &list[0];
    assert_eq!((&call["lead"]["lead"], &call["follow_up"]["reason"]), (&json!(lead), &json!("not_ready")));
    assert_eq!(call["follow_up"]["says"], "They asked, and are not ready to be sold yet.");
    assert_eq!((&call["lead"]["band"], &call["lead"]["name"]), (&json!("A2"), &json!("Ada Hill")));
    assert!(call["lead"]["score"].as_f64().unwrap() > 0.0 && call["may_be_called"]["now"] == true, "{call}");
    // Neither e-mail nor phone stands in a list.
    assert!(!call.to_string().contains("mail.example") && !call.to_string().contains("2740100"), "{call}");
}

#[tokio::test(start_paused = true)]
async fn who_is_hot_is_one_of_our_own_people_s_and_who_is_not_ready_is_the_desk_s_to_call() {
    let rules = Rules::company("acme")
        .offer("roof", "roofing", "band = \"A1\"")
        .source("web", "offer = \"roof\"")
        .dealer("doug", [("kind", "own")])
        .contract("doug", "doug", [("price", "0")])
        .file("followup.toml", "not_ready = [\"1d\", \"2d\"]\n");
    let yard = Yard::of(rules).await;
    let (hot, not_ready) = (yard.settled_lead(&ada()).await, yard.settled_lead(&Person::number(7)).await);
    did(&yard, &hot, "asks", "quote_request").await;
    assert_eq!(yard.story(&hot).await.holders(), ["doug"]);
    yard.advance(25 * HOUR).await;
    assert_eq!(
        (yard.story(&not_ready).await.stage(), calls(&yard).await),
        ("nurturing", vec![not_ready.clone()])
    );
    assert!(yard.story(&not_ready).await.list("assignments").next().is_none(), "it was nobody's");
    // Once it is hot it is pitched, by the same one, and called by nobody else.
    for asks in ["asks too", "asks again"] {
        did(&yard, &not_ready, asks, "quote_request").await;
    }
    assert_eq!(yard.story(&not_ready).await.holders(), ["doug"]);
    assert!(calls(&yard).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_not_reached_is_tried_as_often_as_the_plan_says_and_then_rests_until_it_does_something() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    for (result, attempt, wait) in [("no_answer", 1, 4 * HOUR), ("busy", 2, DAY)] {
        let after = called(&yard, &lead, result).await;
        assert_eq!(
            (&after["stands"], &after["reason"], &after["attempt"]),
            (&json!("planned"), &json!("not_reached"), &json!(attempt))
        );
        assert!(calls(&yard).await.is_empty());
        yard.advance(wait + Duration::from_secs(120)).await;
        assert_eq!(calls(&yard).await, [lead.as_str()], "after {result}");
    }
    let after = called(&yard, &lead, "voicemail").await;
    assert_eq!((&after["stands"], &after["why"]), (&json!("rests"), &json!("plan_over")));
    yard.advance(10 * DAY).await;
    assert!(calls(&yard).await.is_empty());
    did(&yard, &lead, "p1", "page_view").await;
    assert_eq!(
        (calls(&yard).await, follow_up(&yard, &lead).await["reason"].clone()),
        (vec![lead], json!("woken"))
    );
}

#[tokio::test(start_paused = true)]
async fn one_lost_for_now_is_called_so_long_after_its_dealer_lost_it() {
    let yard = yard().await;
    let lead = lost(&yard, &ada()).await;
    let planned = follow_up(&yard, &lead).await;
    assert_eq!((&planned["stands"], &planned["reason"]), (&json!("planned"), &json!("lost")));
    yard.advance(9 * DAY).await;
    assert!(calls(&yard).await.is_empty());
    yard.advance(DAY + HOUR).await;
    assert_eq!(calls(&yard).await, [lead]);
}

#[tokio::test(start_paused = true)]
async fn one_that_nobody_took_in_its_time_is_called_too() {
    // Nobody takes a gutter: it waits, and expires at the window's end.
    let rules = Rules::company("acme")
        .offer("roof", "roofing", "")
        .offer("gutter", "roofing", "")
        .source("web", "offer = \"gutter\"")
        .dealer("hudson", [])
        .contract("hudson", "hudson", [("offers", "roof")])
        .file("followup.toml", "lost = [\"3d\"]");
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!((yard.story(&lead).await.stage(), follow_up(&yard, &lead).await), ("waiting", Value::Null));
    yard.advance(31 * DAY).await;
    assert_eq!(yard.story(&lead).await.stage(), "expired");
    assert!(calls(&yard).await.is_empty());
    yard.advance(3 * DAY).await;
    assert_eq!(calls(&yard).await, [lead]);
}

#[tokio::test(start_paused = true)]
async fn one_whose_plan_was_over_when_its_cycle_ended_is_called_by_the_plan_of_who_was_lost() {
    let yard = Yard::of(rules("not_ready = [\"1d\"]\nlost = [\"3d\"]")).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    assert_eq!(called(&yard, &lead, "not_now").await["why"], "plan_over");
    yard.advance(30 * DAY).await;
    assert_eq!(yard.story(&lead).await.stage(), "expired");
    let planned = follow_up(&yard, &lead).await;
    assert_eq!((&planned["stands"], &planned["reason"]), (&json!("planned"), &json!("lost")));
    yard.advance(3 * DAY).await;
    assert_eq!(calls(&yard).await, [lead]);
}

#[tokio::test(start_paused = true)]
async fn a_prizes_lead_is_followed_up_until_it_has_shown_itself_twice() {
    let rules = Rules::company("acme")
        .offer("prize", "roofing", "incentive = true")
        .source("web", "offer = \"prize\"")
        .seller("hudson", []);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(follow_up(&yard, &lead).await["reason"], "not_ready");
    did(&yard, &lead, "p1", "page_view").await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    assert_eq!(follow_up(&yard, &lead).await["why"], "moved");
}

#[tokio::test(start_paused = true)]
async fn without_a_plan_of_its_own_a_company_has_a_sensible_one_and_an_empty_list_calls_nobody() {
    let without =
        Rules::company("acme").offer("roof", "roofing", "band = \"A1\"").source("web", "offer = \"roof\"");
    let yard = Yard::of(without.seller("hudson", [])).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(follow_up(&yard, &lead).await["stands"], "planned");
    let yard = Yard::of(rules("not_ready = []")).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(follow_up(&yard, &lead).await, Value::Null);
    // Who left no phone is nobody to call.
    let yard = self::yard().await;
    let lead = yard.settled_lead(&Person::named("Bob", "Mann")).await;
    assert_eq!(follow_up(&yard, &lead).await, Value::Null);
    let _ = acts(&yard, &lead, "follow_up", json!({})).await.is(409);
}

#[tokio::test(start_paused = true)]
async fn who_was_held_and_let_go_or_rejected_and_reopened_is_followed_up_again() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    for (away, back) in [("hold", "resume"), ("reject", "reopen")] {
        yard.advance(DAY + HOUR).await;
        assert_eq!(calls(&yard).await, [lead.as_str()], "before {away}");
        let _ = acts(&yard, &lead, away, json!({ "reason": "a look at it" })).await.is(200);
        yard.advance(DAY + HOUR).await;
        assert_eq!(follow_up(&yard, &lead).await["why"], "moved", "{away}");
        let _ = acts(&yard, &lead, back, json!({ "reason": "it is well" })).await.is(200);
        yard.settle().await;
        assert_eq!(follow_up(&yard, &lead).await["stands"], "planned", "{back}");
    }
    yard.advance(DAY + HOUR).await;
    assert_eq!(calls(&yard).await, [lead]);
}

#[tokio::test(start_paused = true)]
async fn a_new_interaction_or_enquiry_wakes_a_lead_at_once() {
    let yard = yard().await;
    let (nurtured, asks) = (yard.settled_lead(&ada()).await, yard.settled_lead(&Person::number(1)).await);
    let (lost_one, lost_asks) =
        (lost(&yard, &Person::number(2)).await, lost(&yard, &Person::number(3)).await);
    yard.advance(HOUR).await;
    assert!(calls(&yard).await.is_empty());
    did(&yard, &nurtured, "p1", "page_view").await;
    did(&yard, &lost_one, "p2", "page_view").await;
    let _ = yard.server("web").posts(&Person::number(1).with("message", "still here")).await.is(200);
    let _ = yard.server("ads").posts(&Person::number(3).with("message", "again")).await.is(200);
    yard.settle().await;
    let mut woken = calls(&yard).await;
    let mut all = vec![nurtured, asks, lost_one, lost_asks];
    woken.sort();
    all.sort();
    assert_eq!(woken, all);
    assert!(listed(&yard).await.iter().all(|call| call["follow_up"]["reason"] == "woken"));
}

#[tokio::test(start_paused = true)]
async fn what_is_worth_nothing_wakes_nobody() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    did(&yard, &lead, "x", "unheard_of").await;
    let at = yard.cloud.clock.now().to_string();
    let scanned =
        json!({ "id": "s", "kind": "email_click", "at": at, "lead": lead, "message": "m", "sent_at": at });
    let _ = yard.server("web").reports(scanned).await.is(202);
    yard.settle().await;
    assert_eq!(
        (calls(&yard).await, follow_up(&yard, &lead).await["stands"].clone()),
        (Vec::new(), json!("planned"))
    );
}

#[tokio::test(start_paused = true)]
async fn who_becomes_ready_is_sold_and_called_no_more() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    assert_eq!(calls(&yard).await, [lead.as_str()]);
    for more in ["q1", "q2"] {
        did(&yard, &lead, more, "quote_request").await;
    }
    assert_eq!(yard.story(&lead).await.stage(), "assigned");
    assert!(calls(&yard).await.is_empty());
    assert_eq!(follow_up(&yard, &lead).await["why"], "moved");
    let _ = acts(&yard, &lead, "claim", json!({})).await.is(409).is_problem("state-conflict");
}
