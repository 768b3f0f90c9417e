//! Today: each number is what the API would count, and leads to what is behind it.

use std::time::Duration;

use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::json;

fn rules() -> Rules {
    without_ridge().dealer("ridge", [])
}

fn without_ridge() -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", [("return_days", "7"), ("return_reasons", "wrong-number")])
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_desk_is_counted_and_leads_there() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    assert!(desk.opens("/console/today").await.is(200).text.contains("Nothing: no quarantine"));
    let lead = yard.settled_lead(&Person::number(1)).await;
    let body = json!({ "reason": "wrong-number" });
    let _ = yard.answers_with("hudson", &lead, "return", Some(body)).await.is(200);
    let returned = yard.story(&lead).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
    let mut waits = String::new();
    for n in 2..=4 {
        waits = yard.server("web2").posts(&Person::number(n)).await.is(201).text_of("lead").to_owned();
    }
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let aside = yard.server("web").posts(&aside).await.is(202).text_of("enquiry").to_owned();
    let _ = yard.flip("pause", json!({ "on": true, "dealer": "ridge", "reason": "away" })).await;
    yard.settle().await;
    let (page, reads) = desk.reads("/console/today").await;
    // A session; the pointer with the switches, eight shards of quarantine, a list of returns, three of who is to be
    // called; of one category two shards of three stages and of the waiting room, and the leads of three lists; the text of the rules, since somebody
    // is paused.
    assert!(reads <= 26, "{reads} reads");
    for (path, told, behind_it) in [
        (
            "/console/quarantine?company=acme",
            "<strong>1</strong> in quarantine<",
            format!("quarantine/{aside}"),
        ),
        (
            "/console/returns?company=acme",
            "<strong>1</strong> returns to decide",
            format!("returns/acme/{returned}\""),
        ),
        (
            "/console/waiting?company=acme&#38;reason=manual",
            "<strong>3</strong> wait: manual",
            format!("leads/{waits}\""),
        ),
        (
            "/console/dealers?company=acme&#38;show=paused",
            "<strong>1</strong> paused",
            "dealers/acme/ridge\"".to_owned(),
        ),
    ] {
        let link = page
            .text
            .split("<a href=\"")
            .find(|link| link.contains(told))
            .unwrap_or_else(|| panic!("{told}"));
        assert!(link.starts_with(path), "{link}");
        let behind = desk.opens(&path.replace("&#38;", "&")).await.is(200);
        assert!(behind.text.contains(&behind_it), "{behind_it} is not in {}", behind.text);
    }
    let _ = yard.flip("stop", json!({ "on": true })).await;
    assert!(desk.opens("/console/today").await.is(200).text.contains("Distribution is stopped"));
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_who_is_gone_from_the_rules_is_not_counted() {
    let yard = Yard::of(rules()).await;
    let _ = yard.flip("pause", json!({ "on": true, "dealer": "ridge", "reason": "away" })).await;
    let _ = yard.flip("pause", json!({ "on": true, "contract": "hudson", "reason": "too many" })).await;
    let desk = Browser::of(&yard).await;
    let paused = async || desk.opens("/console/today").await.is(200).text;
    assert!(paused().await.contains("<strong>2</strong> paused, of dealers and contracts"));
    let _ = yard.publish(&without_ridge()).await.is(200);
    let page = paused().await;
    assert!(page.contains("<strong>1</strong> paused, of dealers and contracts"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn exactly_as_many_as_are_counted_are_that_many() {
    let yard = Yard::of(rules()).await;
    for n in 1..=100 {
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        let _ = yard.server("web2").posts(&person).await.is(201);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200);
    assert!(page.text.contains("<strong>100</strong> wait: manual"), "{}", page.text);
    let _ = yard.server("web2").posts(&Person::named("Zoe", "Berg")).await.is(201);
    yard.settle().await;
    assert!(desk.opens("/console/today").await.is(200).text.contains("<strong>100+</strong> wait: manual"));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_looked_at_in_time_is_told_apart() {
    let rules = rules().file("screening.toml", "at_deadline = \"keep\"\ndeadline_hours = 2\n");
    let yard = Yard::of(rules).await;
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let _ = yard.server("web").posts(&aside).await.is(202);
    let desk = Browser::of(&yard).await;
    let late = "<strong>1</strong> in quarantine, 1 for more than 2 h";
    yard.advance(Duration::from_secs(3_600)).await;
    assert!(!desk.opens("/console/today").await.is(200).text.contains(late));
    yard.advance(Duration::from_secs(3_700)).await;
    assert!(desk.opens("/console/today").await.is(200).text.contains(late));
    assert!(desk.opens("/console/quarantine").await.is(200).text.contains("overdue since"));
}

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
    assert!(reads <= 29, "{reads} reads");
    assert!(page.text.contains("<strong>100+</strong> wait: manual"));
}
