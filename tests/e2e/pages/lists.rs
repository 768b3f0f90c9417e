//! Lists in another order than their own: a stage's by time, a dealer's by score; and what is said where more stand behind.

use std::time::Duration;

use http::Method;
use leadyard_domain::limits;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::json;

use super::READS;
use super::leads::{link, listed, says};

/// What asks for a gutter or a pool waits for the desk; a roof is sun's at once.
fn rules() -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .offer("pool", "pools", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .source("web3", "offer = \"pool\"")
        .seller("sun", [("offers", "roof")])
}

async fn asks(yard: &Yard, source: &str, n: usize) -> String {
    let person = Person::number(n).with("phone", &format!("305-274-{n:04}"));
    yard.server(source).posts(&person).await.is(201).text_of("lead").to_owned()
}

/// It does what is worth much.
async fn heats(yard: &Yard, lead: &str) {
    for n in 0..3 {
        let at = yard.cloud.clock.now().to_string();
        let did = json!({ "id": format!("q{n}"), "kind": "quote_request", "at": at, "lead": lead });
        let _ = yard.server("web2").reports(did).await.is(202);
    }
    yard.settle().await;
}

/// All of a list, page by page, each within what a page may read.
async fn all(desk: &Browser<'_>, path: &str) -> Vec<String> {
    let (mut next, mut found) = (Some(path.to_owned()), Vec::new());
    while let Some(path) = next {
        let (page, reads) = desk.reads(&path).await;
        assert!(reads <= READS, "{reads} reads of {path}");
        found.extend(listed(&page));
        next = link(&page, "Further down");
    }
    found
}

#[tokio::test(start_paused = true)]
async fn a_stage_stands_by_time_over_all_its_categories_and_page_by_page() {
    let yard = Yard::of(rules()).await;
    let mut leads = Vec::new();
    for n in 1..=60 {
        leads.push(asks(&yard, ["web2", "web3"][n % 2], n).await);
        yard.settle().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    heats(&yard, &leads[0]).await;
    let desk = Browser::of(&yard).await;
    leads.reverse();
    assert_eq!(all(&desk, "/console/leads?list=waiting&order=time").await, leads);
    let by_score = all(&desk, "/console/leads?list=waiting").await;
    assert_eq!((by_score.len(), by_score.first()), (60, leads.last()));
    let page = desk.opens("/console/leads?list=waiting&order=time").await.is(200);
    says(&page, &["whose sale cycle began last first", "<option value=\"time\" selected>"]);
    assert!(!page.text.contains("More stand behind"), "{}", page.text);
    // The last was of a gutter, and every other one before it.
    let gutters: Vec<String> = leads.iter().step_by(2).cloned().collect();
    assert_eq!(all(&desk, "/console/leads?list=waiting&order=time&offer=gutter").await, gutters);
    // The API goes the same way.
    let (mut asked, mut found) = (json!({ "stage": "waiting", "order": "time", "limit": 40 }), Vec::new());
    loop {
        let reply = yard.desk(Method::POST, "/v1/leads/search", Some(asked.clone())).await.is(200);
        let some = reply.json["leads"].as_array().unwrap().clone();
        found.extend(some.iter().map(|lead| lead["lead"].as_str().unwrap().to_owned()));
        asked["after"] = reply.json["next"].clone();
        if asked["after"].is_null() {
            break;
        }
    }
    assert_eq!(found, leads);
    let both = json!({ "hottest": true, "order": "time" });
    let _ = yard.desk(Method::POST, "/v1/leads/search", Some(both)).await.is(400);
}

#[tokio::test(start_paused = true)]
async fn of_a_stage_of_very_many_those_of_each_letter_are_put_in_order_and_it_is_said() {
    let yard = Yard::of(rules()).await;
    // In two shards: in at least one stand more than are put in order.
    let many = 2 * limits::BY_TIME_LEADS + 100;
    for n in 0..many {
        let _ = asks(&yard, "web2", n).await;
    }
    yard.settle().await;
    // Of a lower letter, and the newest: behind more than one read takes.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let poor = Person::number(many).without("email").with("phone", "305-275-0100");
    let poor = yard.server("web2").posts(&poor).await.is(201).text_of("lead").to_owned();
    let rich = asks(&yard, "web3", many + 1).await;
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads("/console/leads?list=waiting&order=time").await;
    assert!(reads <= READS, "{reads} reads");
    says(&page, &["More stand behind those that can be put in this order"]);
    let first = listed(&page);
    assert_eq!(first.len(), 25);
    assert!(first[..2].contains(&poor) && first[..2].contains(&rich), "the newest two stand first");
    let (_, reads) = desk.reads("/console/leads?list=waiting&order=time&state=WY").await;
    assert!(reads <= READS, "{reads} reads");
}

#[tokio::test(start_paused = true)]
async fn a_dealer_s_leads_stand_by_score_and_it_is_said_of_how_many() {
    let yard = Yard::of(rules()).await;
    let mut leads = Vec::new();
    for n in 1..=30 {
        leads.push(asks(&yard, "web", n).await);
        yard.settle().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let hot = leads[3].clone();
    heats(&yard, &hot).await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads("/console/leads?list=dealer:sun&order=score").await;
    assert!(reads <= READS, "{reads} reads");
    let found = listed(&page);
    assert_eq!((found.len(), &found[0]), (25, &hot));
    says(&page, &["25 shown of 30 looked at, the highest score first", "<option value=\"score\" selected>"]);
    let by_time = desk.opens("/console/leads?list=dealer:sun").await.is(200);
    assert_eq!(listed(&by_time).first(), leads.last());
    // What it had, likewise.
    for lead in [&leads[10], &leads[11], &hot] {
        let _ = yard.answers("sun", lead, "decline").await.is(200);
    }
    yard.settle().await;
    let past = desk.opens("/console/leads?list=past:sun&order=score").await.is(200);
    assert_eq!((listed(&past).len(), listed(&past).first()), (3, Some(&hot)));
    let asked = json!({ "dealer": "sun", "order": "score", "limit": 100 });
    let reply = yard.desk(Method::POST, "/v1/leads/search", Some(asked)).await.is(200);
    assert_eq!((reply.json["leads"].as_array().unwrap().len(), &reply.json["examined"]), (27, &json!(27)));
}

#[tokio::test(start_paused = true)]
async fn of_a_dealer_of_very_many_the_newest_are_put_in_order_of_score_and_it_is_said() {
    let yard = Yard::of(rules()).await;
    for n in 0..limits::SEARCH_EXAMINED + 10 {
        let _ = asks(&yard, "web", n).await;
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads("/console/leads?list=dealer:sun&order=score").await;
    assert!(reads <= READS, "{reads} reads");
    let shown = format!("25 shown of {} looked at", limits::SEARCH_EXAMINED);
    says(&page, &[&shown, "More stand behind those that can be put in this order"]);
}
