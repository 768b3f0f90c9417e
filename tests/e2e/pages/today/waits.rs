//! What waits for the desk: how many of each kind, what is overdue, and that each number leads to exactly those.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Browser, Person, Reply, Rules, Says, Yard};
use serde_json::{Value, json};

use super::{behind, rules};
use crate::pages::leads::listed;

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
    // Nothing of it was counted by reporting: eight shards of quarantine, of one category two shards of three stages and of
    // the waiting room, the leads of each list, and what concerns the dealers, on top of what the page always reads.
    assert!(reads <= 36, "{reads} reads");
    for (path, told, behind_it) in [
        (
            "/console/quarantine?company=acme",
            "<strong>1</strong> in quarantine<",
            format!("quarantine/{aside}"),
        ),
        (
            "/console/returns?company=acme",
            "<strong>1</strong> return to decide",
            format!("returns/acme/{returned}\""),
        ),
        (
            "/console/waiting?company=acme&#38;reason=manual",
            "<strong>3</strong> wait: their offer is placed by the desk",
            format!("leads/{waits}\""),
        ),
        (
            "/console/dealers?company=acme&#38;show=paused",
            "<strong>1</strong> dealer paused",
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

/// The numbers of what waits for the desk: how many, and where each leads.
fn numbers(page: &Reply) -> Vec<(usize, String)> {
    let list = page.text.split("<ul class=\"numbers\">").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    let links = list.split("</ul>").next().unwrap().split("<a href=\"").skip(1);
    let read = |link: &str| {
        let count = link.split("<strong>").nth(1).unwrap().split("</strong>").next().unwrap();
        (count.parse().unwrap(), link.split('"').next().unwrap().replace("&#38;", "&"))
    };
    links.map(read).collect()
}

#[tokio::test(start_paused = true)]
async fn every_number_leads_to_exactly_as_many() {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .offer("siding", "walls", "")
        .offer("pool", "pools", "")
        .source("web2", "offer = \"gutter\"")
        .source("web3", "offer = \"siding\"")
        .source("web4", "offer = \"pool\"")
        .seller(
            "hudson",
            [
                ("offers", "roof"),
                ("deadline_minutes", "90"),
                ("deadline_clock", "wall"),
                ("return_days", "7"),
                ("return_reasons", "wrong-number"),
            ],
        )
        .seller("broken", [("offers", "pool")])
        .dealer("ridge", [("prepaid", "yes")])
        .contract("ridge", "ridge", [("area", "state:NY")])
        .dealer("away", [])
        .contract("away-ny", "away", [("area", "state:NY")])
        .contract("away-nj", "away", [("area", "state:NJ")]);
    let yard = Yard::of(rules).await;
    yard.notes();
    yard.dealer_says("broken", Says::Status(410));
    let person = |n: usize| Person::number(n).with("phone", &format!("305-555-{n:04}"));
    // More than a page has, and than the page of the day shows: three of them reached, one of these given back.
    for n in 1..=33 {
        let lead = yard.settled_lead(&person(n)).await;
        if n <= 3 {
            let _ = yard.answers("hudson", &lead, "accept").await.is(200);
            let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
        }
        if n == 3 {
            let asks = Some(json!({ "reason": "wrong-number" }));
            let _ = yard.answers_with("hudson", &lead, "return", asks).await.is(200);
        }
        if n == 4 {
            // Accepted, and so no offer that lapses; and not reached.
            let _ = yard.answers("hudson", &lead, "accept").await.is(200);
        }
    }
    let mut waits = Vec::new();
    for (n, source) in [(40, "web2"), (41, "web2"), (42, "web3"), (43, "web4")] {
        waits.push(yard.server(source).posts(&person(n)).await.is(201).text_of("lead").to_owned());
    }
    for n in 0..2 {
        let aside = Person::named("Ann", "Hill").with("email", &format!("ann{n}@mailinator.com"));
        let _ = yard.server("web").posts(&aside).await.is(202);
    }
    yard.settle().await;
    for lead in &waits[..2] {
        let _ =
            yard.desk(Method::POST, &format!("/v1/leads/{lead}/follow_up"), Some(json!({}))).await.is(200);
    }
    for contract in ["away-ny", "away-nj"] {
        let _ = yard.flip("pause", json!({ "on": true, "contract": contract, "reason": "away" })).await;
    }
    yard.settle().await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200);
    let mut counted = Vec::new();
    for (count, path) in numbers(&page) {
        let found = behind(&desk, &path).await;
        assert_eq!(found.len(), count, "{path}: {found:?} of {}", page.text);
        counted.push((path.split_once("company=acme").unwrap().1.to_owned(), count));
    }
    counted.sort();
    let counted: Vec<(&str, usize)> = counted.iter().map(|(of, count)| (of.as_str(), *count)).collect();
    let expected = [
        ("", 1),
        ("", 2),
        ("", 2),
        ("&list=lapsing", 29),
        ("&list=unreached", 30),
        ("&reason=area", 1),
        ("&reason=excluded", 1),
        ("&reason=offer", 2),
        ("&show=failing", 1),
        ("&show=full", 1),
        ("&show=paused", 1),
    ];
    assert_eq!(counted, expected);
    // By the API the same lists.
    let api = async |asked: Value| {
        let found = yard.desk(Method::POST, "/v1/leads/search", Some(asked)).await.is(200).json;
        found["leads"].as_array().unwrap().len()
    };
    assert_eq!(api(json!({ "lapsing": true })).await, 29);
    assert_eq!(api(json!({ "stage": "assigned", "only": { "unreached": true } })).await, 30);
    for (reason, count) in [("area", 1), ("offer", 2), ("cap", 0)] {
        assert_eq!(api(json!({ "stage": "waiting", "only": { "waits": reason } })).await, count, "{reason}");
    }
    assert_eq!(api(json!({ "day": "leads" })).await, api(json!({ "day": "leads:2026-06-01" })).await);
    assert!(api(json!({ "day": "leads" })).await > 30);
    // The next to lapse stand first, and who is reached meanwhile stands in neither.
    let lapsing = desk.opens("/console/leads?list=lapsing").await.is(200);
    let first = listed(&lapsing)[0].clone();
    let _ = yard.answers("hudson", &first, "accept").await.is(200);
    let _ = yard.answers("hudson", &first, "contacted").await.is(200);
    for list in ["lapsing", "unreached"] {
        let found = behind(&desk, &format!("/console/leads?list={list}")).await;
        assert!(!found.contains(&first), "{list}");
    }
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
    assert!(
        page.text.contains("<strong>100</strong> wait: their offer is placed by the desk"),
        "{}",
        page.text
    );
    let _ = yard.server("web2").posts(&Person::named("Zoe", "Berg")).await.is(201);
    yard.settle().await;
    assert!(
        desk.opens("/console/today")
            .await
            .is(200)
            .text
            .contains("<strong>100</strong> of the 100 hottest that wait: their offer is placed by the desk")
    );
}

#[tokio::test(start_paused = true)]
async fn of_more_than_a_hundred_that_wait_the_reasons_are_said_to_be_those_of_the_hottest() {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .offer("siding", "roofing", "")
        .source("web2", "offer = \"gutter\"")
        .source("web3", "offer = \"siding\"")
        .seller("hudson", [("offers", "roof gutter")]);
    let yard = Yard::of(rules).await;
    let person = |n: usize| Person::number(n).with("phone", &format!("305-555-{n:04}"));
    // Three that nobody serves, whom nobody can write to; and a hundred hotter ones.
    for n in 1..=3 {
        let _ = yard.server("web3").posts(&person(n).without("email")).await.is(201);
    }
    for n in 4..=103 {
        let _ = yard.server("web2").posts(&person(n)).await.is(201);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200).text;
    for (at, told) in [
        ("/console/waiting?company=acme", "<strong>100+</strong> wait, for whatever reason<"),
        (
            "/console/waiting?company=acme&#38;reason=manual",
            "<strong>100</strong> of the 100 hottest that wait: their offer is placed by the desk",
        ),
    ] {
        assert!(page.contains(&format!("<a href=\"{at}\">{told}")), "{told}: {page}");
    }
    // Who stands behind the number has each reason.
    let behind = desk.opens("/console/waiting?company=acme").await.is(200).text;
    assert!(behind.contains("All 103 that wait."), "{behind}");
    let api = yard.desk(Method::GET, "/v1/waiting", None).await.is(200);
    assert_eq!(api.json["by_reason"], json!({ "manual": 100, "offer": 3 }));
    for reason in ["manual", "offer"] {
        assert!(behind.contains(&format!("reason={reason}\">{reason}</a>")), "{reason}: {behind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_returns_are_a_hundred() {
    let rules =
        Rules::roofing("acme").seller("hudson", [("return_days", "7"), ("return_reasons", "wrong-number")]);
    let yard = Yard::of(rules).await;
    let desk = Browser::of(&yard).await;
    for (n, told) in
        [(100, "<strong>100</strong> returns to decide"), (101, "<strong>100+</strong> returns to decide")]
    {
        let from = if n == 100 { 1 } else { n };
        for n in from..=n {
            let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
            let lead = yard.settled_lead(&person).await;
            let body = json!({ "reason": "wrong-number" });
            let _ = yard.answers_with("hudson", &lead, "return", Some(body)).await.is(200);
        }
        let page = desk.opens("/console/today").await.is(200);
        assert!(page.text.contains(told), "{told} is not in {}", page.text);
    }
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
