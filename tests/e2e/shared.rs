//! Shared leads: seats that are kept for who is waited for, and who gets one later.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Rules, Yard};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);

/// Two that compel alike and share with one other: hudson never sleeps, crest opens at nine.
fn two_of_a_kind() -> Rules {
    let shares = [("sale", "shared:2"), ("territory", "first"), ("when_unavailable", "wait")];
    Rules::roofing("acme")
        .seller("hudson", shares)
        .dealer("crest", [("hours", "Mo-Fr 09:00-17:00")])
        .contract("crest", "crest", shares)
}

#[tokio::test(start_paused = true)]
async fn a_further_seat_is_kept_for_a_dealer_that_is_shut_and_given_when_it_opens() {
    // Nine in the evening in New York; a third that would share as well stands behind the two.
    let yard =
        Yard::at("2026-06-02T01:00:00Z", two_of_a_kind().seller("ridge", [("sale", "shared:2")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.stage(), story.waiting()), (vec!["hudson"], "assigned", "hours"));
    let decision = &story.0["decisions"][0];
    assert_eq!(decision["kept"], json!({ "reason": "hours", "until": "2026-06-02T13:00:00Z" }));
    // Looked at every hour, it stays as it is, and nobody is told twice.
    yard.advance_to("2026-06-02T12:50:00Z").await;
    assert_eq!((yard.story(&lead).await.holders(), yard.told("hudson").len()), (vec!["hudson"], 1));
    yard.advance_to("2026-06-02T13:10:00Z").await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), &story.0["waiting"]), (vec!["hudson", "crest"], &Value::Null));
    assert_eq!((yard.told("crest").len(), yard.told("ridge").len()), (1, 0));
    assert_eq!((yard.taken("hudson", 4).await, yard.taken("crest", 4).await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_seat_stays_kept_when_the_desk_places_the_lead_with_somebody_else() {
    let shares = [("sale", "shared:3"), ("territory", "first"), ("when_unavailable", "wait")];
    let rules = ["crest", "grove"].into_iter().fold(
        Rules::roofing("acme").seller("hudson", shares),
        |rules, dealer| {
            rules.dealer(dealer, [("hours", "Mo-Fr 09:00-17:00")]).contract(dealer, dealer, shares)
        },
    );
    let yard = Yard::at("2026-06-02T01:00:00Z", rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let place = json!({ "contract": "grove", "override": true, "reason": "she is still at her desk" });
    let path = format!("/v1/leads/{lead}/place");
    let _ = yard.desk(Method::POST, &path, Some(place)).await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson", "grove"]);
    yard.advance_to("2026-06-02T13:10:00Z").await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson", "grove", "crest"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_seats_that_were_taken_back_one_is_placed_by_hand_and_the_other_is_given_as_well() {
    let tiers = [("hudson", "1"), ("ridge", "1"), ("crest", "2"), ("grove", "3")];
    let rules = tiers.into_iter().fold(Rules::roofing("acme"), |rules, (dealer, tier)| {
        rules.seller(dealer, [("sale", "shared:2"), ("tier", tier)])
    });
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let path = |act: &str| format!("/v1/leads/{lead}/{act}");
    let _ = yard.desk(Method::POST, &path("take_back"), Some(json!({ "hold": true }))).await.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.waiting(), story.holders().len()), ("waiting", "held", 0));
    let _ = yard.desk(Method::POST, &path("place"), Some(json!({ "contract": "crest" }))).await.is(200);
    yard.advance(HOUR / 30).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), &story.0["waiting"]), (vec!["crest", "grove"], &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_is_kept_is_given_though_the_other_s_dealer_lost_the_lead_meanwhile() {
    let yard = Yard::at("2026-06-02T01:00:00Z", two_of_a_kind()).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "hours");
    let _ = yard.answers("hudson", &lead, "lost").await.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.waiting(), story.holders().len()), ("waiting", "hours", 0));
    yard.advance_to("2026-06-02T13:10:00Z").await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.holders()), ("assigned", vec!["crest"]));
    assert_eq!((yard.told("hudson").len(), yard.told("crest").len()), (1, 1));
    // Now it is the last that may lose it.
    let _ = yard.answers("crest", &lead, "lost").await.is(200);
    assert_eq!(yard.story(&lead).await.stage(), "lost");
}

#[tokio::test(start_paused = true)]
async fn a_seat_is_kept_no_longer_than_the_lead_is_young_enough_for_who_is_waited_for() {
    let shares = [("sale", "shared:2"), ("territory", "first"), ("when_unavailable", "wait")];
    let rules = Rules::roofing("acme")
        .seller("hudson", shares)
        .dealer("crest", [("hours", "Mo-Fr 09:00-17:00")])
        .contract("crest", "crest", [shares[0], shares[1], shares[2], ("max_age_hours", "6")])
        .seller("ridge", [("sale", "shared:2")]);
    let yard = Yard::at("2026-06-02T01:00:00Z", rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "hours");
    yard.advance(HOUR * 8).await;
    // Nobody compels the seat any more: the rest may have it.
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), &story.0["waiting"]), (vec!["hudson", "ridge"], &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_came_back_while_distribution_was_stopped_is_given_when_it_goes_on() {
    let rules = ["hudson", "ridge", "grove"].into_iter().fold(Rules::roofing("acme"), |rules, dealer| {
        let tier = if dealer == "grove" { "2" } else { "1" };
        rules.seller(dealer, [("sale", "shared:2"), ("tier", tier)])
    });
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.flip("stop", json!({ "on": true })).await;
    let _ = yard.answers("ridge", &lead, "decline").await.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.stage(), story.waiting()), (vec!["hudson"], "assigned", "stopped"));
    yard.advance(HOUR * 3).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    yard.flip("stop", json!({ "on": false })).await;
    yard.advance(HOUR + HOUR / 30).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson", "grove"]);
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_came_back_while_the_company_only_watched_is_given_when_it_sells_again() {
    let rules = ["hudson", "ridge", "grove"].into_iter().fold(Rules::roofing("acme"), |rules, dealer| {
        let tier = if dealer == "grove" { "2" } else { "1" };
        rules.seller(dealer, [("sale", "shared:2"), ("tier", tier)])
    });
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.flip("shadow", json!({ "on": true })).await;
    let _ = yard.answers("ridge", &lead, "decline").await.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.stage(), story.waiting()), (vec!["hudson"], "assigned", "shadow"));
    yard.advance(HOUR * 3).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    yard.flip("shadow", json!({ "on": false })).await;
    yard.advance(HOUR + HOUR / 30).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson", "grove"]);
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_came_back_of_what_is_placed_by_hand_waits_for_the_desk_or_for_other_rules() {
    let rules = |mode: &str| {
        let company = Rules::company("acme")
            .offer("roof", "roofing", &format!("mode = \"{mode}\""))
            .source("web", "offer = \"roof\"");
        ["hudson", "ridge", "grove"]
            .into_iter()
            .fold(company, |rules, dealer| rules.seller(dealer, [("sale", "shared:2")]))
    };
    let yard = Yard::of(rules("manual")).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    for contract in ["hudson", "ridge"] {
        let path = format!("/v1/leads/{lead}/place");
        let _ = yard.desk(Method::POST, &path, Some(json!({ "contract": contract }))).await.is(200);
        yard.settle().await;
    }
    let _ = yard.answers("ridge", &lead, "decline").await.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.stage(), story.waiting()), (vec!["hudson"], "assigned", "manual"));
    yard.advance(HOUR * 3).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    // Nobody but the desk or a publish can change that: it is looked at once a day.
    let _ = yard.publish(&rules("automatic")).await.is(200);
    yard.advance(HOUR * 24).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson", "grove"]);
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_nobody_compels_and_nobody_takes_at_once_stays_empty() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("sale", "shared:2")])
        .dealer("crest", [("hours", "Mo-Fr 09:00-17:00")])
        .contract("crest", "crest", [("sale", "shared:2")]);
    let yard = Yard::at("2026-06-02T01:00:00Z", rules.clone()).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance(HOUR * 24).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), &story.0["waiting"]), (vec!["hudson"], &Value::Null));
    assert_eq!(yard.told("crest").len(), 0);
    // Nor one that came back.
    let yard = Yard::at("2026-06-02T01:00:00Z", rules.seller("ridge", [("sale", "shared:2")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.answers("ridge", &lead, "decline").await.is(200);
    yard.advance(HOUR * 24).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), &story.0["waiting"]), (vec!["hudson"], &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn who_may_not_have_a_lead_again_is_passed_over_in_its_next_cycle() {
    let rules = |again: &str| {
        Rules::roofing("acme")
            .seller("hudson", [("tier", "1"), ("again", again)])
            .seller("ridge", [("tier", "2")])
    };
    for (again, has_it) in [("no", "ridge"), ("", "hudson")] {
        let yard = Yard::of(rules(again)).await;
        let lead = yard.settled_lead(&Person::number(1)).await;
        let _ = yard.answers("hudson", &lead, "won").await.is(200);
        yard.advance(HOUR * 24 * 40).await;
        yard.lead(&Person::number(1)).await;
        yard.settle().await;
        let story = yard.story(&lead).await;
        assert_eq!((&story.0["cycle"], story.holders()), (&json!(2), vec![has_it]), "again: {again:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn on_vacation_a_dealer_is_shut() {
    let rules = Rules::roofing("acme")
        .dealer("hudson", [("holidays", "2026-12-25 2026-06-01..2026-06-03")])
        .contract("hudson", "hudson", []);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.waiting(), &story.0["due"]), ("hours", &json!("2026-06-04T04:05:00Z")));
    yard.advance_to("2026-06-04T04:00:00Z").await;
    yard.advance(std::time::Duration::from_secs(120)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}
