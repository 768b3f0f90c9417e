//! The hottest leads that nobody has, and those with a dealer that did not reach them: who is named, and what is said
//! where nobody is.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::json;

use super::{of_three_categories, rules};

#[tokio::test(start_paused = true)]
async fn the_hottest_are_found_also_where_more_wait_than_one_read_takes() {
    let yard = Yard::of(rules()).await;
    // Of letter A, with e-mail and phone; one of letter B, whose interactions make it hotter than any of them.
    for n in 1..=250 {
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        let _ = yard.server("web2").posts(&person).await.is(201);
    }
    let hot =
        yard.server("web2").posts(&Person::named("Zoe", "Berg")).await.is(201).text_of("lead").to_owned();
    for n in 0..3 {
        let did = json!({ "id": format!("q{n}"), "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": hot });
        let _ = yard.server("web2").reports(did).await.is(202);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads("/console/today").await;
    let first = page.text.split("Hottest leads that nobody has").last().unwrap();
    let first = first.split("/console/leads/").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(first, hot);
    // Two shards of more than a hundred: each is asked for the other letters besides.
    assert!(reads <= 39, "{reads} reads");
    assert!(page.text.contains("<strong>100+</strong> wait, for whatever reason"));
}

#[tokio::test(start_paused = true)]
async fn who_was_placed_or_heated_up_since_stands_where_they_belong() {
    let yard = Yard::of(of_three_categories()).await;
    yard.notes();
    let lead = yard.server("web2").posts(&Person::number(1)).await.is(201).text_of("lead").to_owned();
    let other = yard.server("web2").posts(&Person::number(2)).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let free = async || {
        let page = desk.opens("/console/today").await.is(200);
        let list = page.text.split("Hottest in nobody").nth(1).unwrap();
        list.split("<h3>").next().unwrap().to_owned()
    };
    let before = free().await;
    assert!(before.contains(&lead) && before.contains(&other), "{before}");
    // Reporting has not heard of it yet.
    let path = format!("/v1/leads/{lead}/reject");
    let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "moved" }))).await.is(200);
    let after = free().await;
    assert!(!after.contains(&lead) && after.contains(&other), "{after}");
    // More than are named stand before it, until it does something: that nothing is decided of, and the lead alone says.
    yard.advance(Duration::from_secs(60)).await;
    for n in 3..=14 {
        let _ = yard.server("web3").posts(&Person::number(n)).await.is(201);
    }
    yard.settle().await;
    yard.count().await;
    assert!(!free().await.contains(&other), "twelve that asked later are as hot");
    for n in 0..3 {
        let did = json!({ "id": format!("q{n}"), "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": other });
        let _ = yard.server("web2").reports(did).await.is(202);
    }
    yard.settle().await;
    yard.count().await;
    // Where leads alone changed, what was counted this minute stands for two.
    yard.advance(Duration::from_secs(121)).await;
    let list = free().await;
    assert!(list.contains(&other), "{list}");
}

#[tokio::test(start_paused = true)]
async fn a_company_all_of_whose_leads_are_closed_is_not_said_to_have_had_none() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.notes();
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.answers("hudson", &lead, "lost").await.is(200);
    yard.settle().await;
    // On the day itself, and once its counters are sealed.
    for _ in 0..2 {
        yard.count().await;
        let page = Browser::of(&yard).await.opens("/console/today").await.is(200).text;
        assert!(!page.contains("No lead has come yet"), "{page}");
        // Nor is it said that a dealer has it: none has.
        assert!(page.contains("No open lead that was scored is without a dealer"), "{page}");
        assert!(!page.contains("is with a dealer"), "{page}");
        yard.advance(Duration::from_secs(3 * 24 * 3_600)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_not_looked_at_is_not_said_to_be_reached_or_placed() {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", []);
    let yard = Yard::of(rules).await;
    yard.notes();
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200).text;
    assert!(page.contains("No lead has come yet") && page.contains("No dealer has a lead that"), "{page}");
    assert!(!page.contains("No open lead that was scored is without a dealer"), "{page}");
    // One that dealers have more than are looked at, and those that are looked at are reached.
    yard.settled_lead(&Person::number(1)).await;
    let page = desk.opens("/console/today").await.is(200).text;
    assert!(page.contains("No open lead that was scored is without a dealer"), "{page}");
    assert!(!page.contains("No lead has come yet"), "{page}");
    yard.advance(Duration::from_secs(60)).await;
    for n in 2..=51 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
    }
    for n in 52..=63 {
        let _ = yard.server("web2").posts(&Person::number(n)).await.is(201);
    }
    yard.settle().await;
    yard.count().await;
    let page = desk.opens("/console/today").await.is(200).text;
    assert!(!page.contains("No dealer has a lead that it has not reached"), "{page}");
    assert!(page.contains("every one was reached; others may not be"), "{page}");
    // Those that are named are rejected, and two are not.
    let free = page.split("Hottest in nobody").nth(1).unwrap().split("<h3>").next().unwrap();
    let leads = free.split("/console/leads/").skip(1).map(|lead| lead.split('"').next().unwrap().to_owned());
    let leads: BTreeSet<String> = leads.collect();
    assert_eq!(leads.len(), 10);
    for lead in leads {
        let path = format!("/v1/leads/{lead}/reject");
        let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "moved" }))).await.is(200);
    }
    let page = desk.opens("/console/today").await.is(200).text;
    assert!(!page.contains("No open lead that was scored is without a dealer"), "{page}");
    assert!(page.contains("none is in nobody’s hands any more; others may be"), "{page}");
}
