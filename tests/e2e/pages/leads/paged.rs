//! All that a dealer has or a source brought, a page at a time: nobody is left out, and no page reads more than it may.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use leadyard_domain::limits;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::json;

use super::{EXPORT, OF_WEB2, is_download, link, listed, says, waits, yard};
use crate::pages::READS;

#[tokio::test(start_paused = true)]
async fn all_that_a_dealer_has_is_listed_page_by_page_and_what_it_had() {
    let yard = yard("10").await;
    let mut all = BTreeSet::new();
    for n in 1..=120 {
        let _ = all.insert(yard.settled_lead(&Person::number(n)).await);
    }
    let gone = all.iter().next().unwrap().clone();
    let _ = yard.answers("sun", &gone, "decline").await.is(200);
    yard.settle().await;
    let _ = all.remove(&gone);
    let desk = Browser::of(&yard).await;
    let (mut next, mut found) = (Some("/console/leads?list=dealer:sun".to_owned()), Vec::new());
    while let Some(path) = next {
        let (page, reads) = desk.reads(&path).await;
        assert!(reads <= READS, "{reads} reads");
        found.extend(listed(&page));
        next = link(&page, "Further down");
    }
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (119, all.clone()));
    let past = desk.opens("/console/leads?list=past:sun").await.is(200);
    assert_eq!(listed(&past), [gone]);
    // As a table it is one file, though it is read a hundred at a time.
    let page = desk.opens("/console/leads/export?list=dealer:sun").await.is(200);
    let file = desk.submits(&page, EXPORT, &[]).await.is(200);
    is_download(&file, "leads-acme-dealer-sun-1.csv");
    let rows: BTreeSet<String> =
        file.text.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned()).collect();
    assert_eq!((file.text.lines().count(), &rows), (120, &all));
    // Who asks for what a filter takes none of is not told so one by one.
    let page = desk.opens("/console/leads/export?list=assigned&state=TX").await.is(200);
    let _ = yard.faults.calls();
    let file = desk.submits(&page, EXPORT, &[]).await.is(200);
    assert_eq!(file.text.lines().count(), 1);
    let queries = yard.faults.calls()["Query"];
    assert!(queries < 20, "{queries} queries for a list of 119");
    // The API goes the same way.
    let (mut asked, mut found) = (json!({ "dealer": "sun", "limit": 50 }), BTreeSet::new());
    loop {
        let reply = yard.desk(Method::POST, "/v1/leads/search", Some(asked.clone())).await.is(200);
        let leads = reply.json["leads"].as_array().unwrap().clone();
        found.extend(leads.iter().map(|lead| lead["lead"].as_str().unwrap().to_owned()));
        asked["after"] = reply.json["next"].clone();
        if asked["after"].is_null() {
            break;
        }
    }
    assert_eq!(found, all);
    let invented = json!({ "dealer": "hudson", "after": "[\"x\"]" });
    let _ = yard.desk(Method::POST, "/v1/leads/search", Some(invented)).await.is(400);
}

#[tokio::test(start_paused = true)]
async fn a_source_s_leads_stand_by_time_or_by_score_and_the_company_stays_after_a_search() {
    let yard = yard("10").await;
    let hot = waits(&yard, 1).await;
    let did = json!({ "id": "q1", "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": hot });
    let _ = yard.server("web2").reports(did).await.is(202);
    yard.settle().await;
    yard.advance(Duration::from_secs(60)).await;
    let late = waits(&yard, 2).await;
    let desk = Browser::of(&yard).await;
    let by_time = desk.opens(OF_WEB2).await.is(200);
    assert_eq!(listed(&by_time), [late.clone(), hot.clone()]);
    says(&by_time, &["who asked last first"]);
    let by_score = desk.opens(&format!("{OF_WEB2}&order=score")).await.is(200);
    assert_eq!(listed(&by_score), [hot.clone(), late]);
    says(&by_score, &["the highest score first"]);

    let csrf = desk.csrf().await;
    let nobody = format!("{csrf}&company=acme&who=nobody%40mail.example");
    let found = desk.sends("/console/leads", &nobody).await.is(200);
    assert_eq!(link(&found, "Lists of leads").as_deref(), Some("/console/leads?company=acme"));
    let page = desk.opens(&format!("/console/leads/{hot}")).await.is(200);
    assert_eq!(link(&page, "Leads").as_deref(), Some("/console/leads"), "the section");
    says(&page, &["<p class=\"crumb\"><a href=\"/console/leads?company=acme\">Leads</a>"]);
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_takes_nobody_reads_no_more_than_a_page_may() {
    let yard = yard("10").await;
    for n in 1..=180 {
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        let _ = yard.server("web2").posts(&person).await.is(201);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    for only in ["state=WY", "held=yes", "offer=roof"] {
        let (page, reads) = desk.reads(&format!("/console/leads?list=waiting&{only}")).await;
        assert!(reads <= READS, "{only}: {reads} reads");
        assert!(listed(&page).is_empty(), "{only}: {}", page.text);
        says(&page, &["180", "looked at"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_s_list_reads_little_whatever_came_in_between_and_however_few_are_sought() {
    let rules = Rules::roofing("acme").source("web2", "offer = \"roof\"").seller("hudson", []);
    let yard = Yard::of(rules).await;
    let old = yard.server("web").posts(&Person::number(0)).await.is(201).text_of("lead").to_owned();
    yard.advance(Duration::from_secs(200 * 86_400)).await;
    let mut again = String::new();
    // All in one millisecond, as the rows of a file may be.
    for n in 1..=600 {
        let lead = yard.server("web2").posts(&Person::number(n)).await.is(201).text_of("lead").to_owned();
        again = if n == 1 { lead } else { again };
    }
    yard.advance(Duration::from_secs(2 * 86_400)).await;
    // Within the window: the lead is the same, and opened when it was.
    let person = Person::number(1).with("message", "once more");
    assert_eq!(yard.server("web2").posts(&person).await.text_of("lead"), again);
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let list = async |asked: &str| {
        let (page, reads) = desk.reads(&format!("/console/leads?list=source:{asked}")).await;
        assert!(reads <= READS, "{reads} reads of source:{asked}");
        page.is(200).text
    };
    assert!(list("web").await.contains(&old));
    assert!(list("web&state=WY").await.contains("None of the 1 leads looked at"));
    let of_web2 = list("web2").await;
    let first = of_web2.split("/console/leads/").find(|part| part.len() > 36 && part.as_bytes()[8] == b'-');
    assert!(first.is_some_and(|part| part.starts_with(&again)), "who asked again stands first: {first:?}");
    let none = format!("None of the {} leads looked at", limits::SEARCH_EXAMINED);
    assert!(list("web2&state=WY").await.contains(&none));
    let _ = list("web2&order=score").await;
    let _ = list("web2&order=score&state=WY").await;
}
