//! The hottest leads: who rises is there at once, and where some are left out it is said where they stand.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::json;

use super::{OF_WEB2, link, listed, says, waits, yard};
use crate::pages::READS;
use crate::pages::today::counts_all;

#[tokio::test(start_paused = true)]
async fn of_the_hottest_of_many_lists_no_more_are_looked_at_than_may_be_shown() {
    let categories = ["gutters", "pools", "fences", "decks", "doors"];
    let mut rules = Rules::roofing("acme").seller("sun", [("offers", "roof")]);
    for category in categories {
        let offer = format!("{category}-quote");
        rules = rules.offer(&offer, category, "mode = \"manual\"");
        rules = rules.source(&format!("web-{category}"), &format!("offer = \"{offer}\""));
    }
    let yard = Yard::of(rules).await;
    for n in 1..=130 {
        let source = format!("web-{}", categories[n % categories.len()]);
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        let _ = yard.server(&source).posts(&person).await.is(201);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    yard.settle().await;
    let page = Browser::of(&yard).await.opens("/console/leads?list=hottest").await.is(200);
    says(&page, &["25 shown of 100 looked at", "Only the hottest stand here; others stand by stage"]);
    for stage in ["waiting", "nurturing", "assigned"] {
        let at = format!("/console/leads?company=acme&list={stage}");
        assert_eq!(link(&page, &format!(">{stage}")), Some(at), "{}", page.text);
    }
    // As they stand where all are looked at.
    let all = json!({ "hottest": true, "limit": 100 });
    let all = yard.desk(Method::POST, "/v1/leads/search", Some(all)).await.is(200);
    assert_eq!(all.json["examined"], 130);
    let first = all.json["leads"].as_array().unwrap().iter().take(25);
    assert_eq!(listed(&page), first.map(|one| one["lead"].as_str().unwrap()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn where_the_hottest_leave_some_out_it_is_said_and_their_stages_have_all() {
    for (many, leaves_out) in [(25, false), (26, true)] {
        let yard = yard("10").await;
        yard.notes();
        let mut all = BTreeSet::new();
        for n in 1..=many {
            let _ = all.insert(waits(&yard, n).await);
        }
        let desk = Browser::of(&yard).await;
        let said = "Only the hottest stand here; others stand by stage";
        // As it is before anything was counted, and after.
        for counted in [false, true] {
            if counted {
                yard.count().await;
            }
            let today = desk.opens("/console/today").await.is(200);
            let at = link(&today, "The hottest that nobody has").unwrap().replace("&amp;", "&");
            let (page, reads) = desk.reads(&at).await;
            assert!(reads <= READS, "{reads} reads");
            assert_eq!((listed(&page).len(), page.text.contains(said)), (25, leaves_out), "{}", page.text);
            let by_score = desk.opens(&format!("{OF_WEB2}&order=score")).await.is(200);
            let more = by_score.text.contains("More stand behind those");
            assert_eq!((listed(&by_score).len(), more), (25, leaves_out), "{}", by_score.text);
            // Those that nobody has wait or are followed up: dealers' leads are elsewhere.
            assert_eq!(link(&page, ">nurturing").is_some(), leaves_out);
            assert_eq!(link(&page, ">assigned"), None);
            let (mut next, mut found) = (link(&page, ">waiting"), BTreeSet::new());
            while let Some(at) = next {
                assert!(at.contains("held=no"), "{at}");
                let page = desk.opens(&at).await.is(200);
                found.extend(listed(&page));
                next = link(&page, "Further down");
            }
            assert_eq!(found.is_empty(), !leaves_out);
            assert!(!leaves_out || found == all, "{found:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_hottest_are_named_and_who_rises_is_there_at_once() {
    let rules = ["gutters", "pools", "solar", "siding"].iter().fold(Rules::roofing("acme"), |rules, of| {
        rules.offer(of, of, "mode = \"manual\"").source(of, &format!("offer = \"{of}\""))
    });
    let yard = Yard::of(rules.seller("hudson", [])).await;
    yard.notes();
    let mut leads = Vec::new();
    for n in 0..120 {
        let source = ["gutters", "pools", "solar", "siding"][n % 4];
        let reply = yard.server(source).posts(&Person::number(n)).await.is(201);
        leads.push(reply.text_of("lead").to_owned());
        yard.advance(Duration::from_secs(1)).await;
    }
    yard.settle().await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let hottest = async |more: &str| {
        let (page, reads) = desk.reads(&format!("/console/leads?list=hottest{more}")).await;
        assert!(reads <= READS, "{reads} reads of hottest{more}");
        page.is(200).text
    };
    let first = leads[0].clone();
    let page = hottest("").await;
    assert!(!page.contains(&first), "a hundred that asked later are as hot");
    for more in ["&held=no", "&held=yes", "&state=WY", "&offer=pools"] {
        let _ = hottest(more).await;
    }
    // Behind all that are named; what it does is told by its lead alone, and nothing is counted anew.
    for n in 0..3 {
        let did = json!({ "id": format!("q{n}"), "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": first });
        let _ = yard.server("gutters").reports(did).await.is(202);
    }
    yard.settle().await;
    counts_all(&yard, |record| record.key() == Some((format!("L#{first}").as_str(), "L"))).await;
    let page = hottest("").await;
    let at = page.find(&first).expect("who rose stands in the list");
    assert!(leads[1..].iter().all(|other| page.find(other).is_none_or(|place| place > at)), "and first");
    // Most who are named go, and nothing is counted anew: those behind them are shown.
    for lead in &leads[16..] {
        let path = format!("/v1/leads/{lead}/reject");
        let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "moved" }))).await.is(200);
    }
    let page = desk.opens("/console/leads?list=hottest").await.is(200);
    let left: BTreeSet<String> = leads[..16].iter().cloned().collect();
    assert_eq!(listed(&page).into_iter().collect::<BTreeSet<_>>(), left);
}
