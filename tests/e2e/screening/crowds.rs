//! What comes from where, and how often: a crowd waits, whoever is nobody's crowd does not, and no address is kept
//! that proves nothing.

use std::time::Duration;

use futures::future::join_all;
use leadyard_tests::logs::Logs;
use leadyard_tests::{Person, Yard};
use serde_json::json;

use super::{BROWSER, HOUR, browser, quarantine, rules, spam, yard};

#[tokio::test(start_paused = true)]
async fn more_people_at_one_address_than_live_there_wait() {
    let (logs, _guard) = Logs::keep();
    let yard = yard().await;
    let mut verdicts = Vec::new();
    for n in 0..12 {
        let reply =
            browser(&yard, "web", "198.51.100.9, 203.0.113.7").posts(&Person::number(n)).await.is(201);
        verdicts.push(yard.enquiry(reply.text_of("enquiry")).await.unwrap());
    }
    assert!(verdicts[..10].iter().all(|one| one.status == "received"));
    assert!(verdicts[10..].iter().all(|one| one.reasons == ["address_velocity"]));
    // Another address is nobody's neighbour; what the sender puts before the last is not believed.
    for (n, address) in [(100, "203.0.113.8"), (101, "203.0.113.7, 203.0.113.9"), (102, "2001:db8::1")] {
        let person = Person::number(n);
        let reply = browser(&yard, "web", address).posts(&person).await.is(201);
        assert_eq!(yard.enquiry(reply.text_of("enquiry")).await.unwrap().status, "received", "{address}");
    }
    // A partner's server sends for many.
    for n in 20..35 {
        let server = yard.server("web").header("x-forwarded-for", "203.0.113.7");
        let _ = server.posts(&Person::number(n)).await.is(201);
    }
    // Ten minutes later it is another window; and one person is one person, however often.
    yard.advance(Duration::from_secs(700)).await;
    for _ in 0..12 {
        let reply = browser(&yard, "web", "203.0.113.7").posts(&Person::number(200)).await.is(201);
        assert_ne!(yard.enquiry(reply.text_of("enquiry")).await.unwrap().status, "quarantined");
    }
    assert!(!logs.text().contains("203.0.113"), "an address stands in the log");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_one_source_s_pages_waits_and_another_s_does_not() {
    let toml = "[velocity]\nsource = 5\naddress = 100\n";
    let yard = Yard::of(rules().source("other", "offer = \"roof\"").file("screening.toml", toml)).await;
    let posts = (0..20).map(|n| {
        let page = browser(&yard, "web", &format!("203.0.113.{n}"));
        async move { page.posts(&Person::number(n)).await.is(201).text_of("enquiry").to_owned() }
    });
    let mut aside = 0;
    for enquiry in join_all(posts).await {
        let stored = yard.enquiry(&enquiry).await.unwrap();
        aside += usize::from(stored.reasons == ["source_velocity"]);
    }
    assert_eq!(aside, 15);
    let reply = browser(&yard, "other", "203.0.113.1").posts(&Person::number(50)).await.is(201);
    assert_eq!(yard.enquiry(reply.text_of("enquiry")).await.unwrap().status, "received");
    // Time alone lets no flood in.
    yard.advance(HOUR * 74).await;
    assert_eq!(quarantine(&yard, "").await.len(), 15);
}

/// As on one machine, where no proxy says it.
#[tokio::test(start_paused = true)]
async fn whose_address_is_not_known_is_no_flood() {
    let yard = yard().await;
    let page = yard.page("web").header("user-agent", BROWSER);
    for n in 0..100 {
        let reply = page.posts(&Person::number(n)).await.is(201);
        assert_eq!(yard.enquiry(reply.text_of("enquiry")).await.unwrap().status, "received", "{n}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_person_again_and_again_within_an_hour_waits() {
    let yard = yard().await;
    for n in 0..25 {
        let reply = yard.server("web").posts(&Person::number(1)).await;
        let expected = match n {
            0 => 201,
            1..20 => 200,
            _ => 202,
        };
        assert_eq!(reply.status, expected, "{n}: {}", reply.text);
        if expected == 202 {
            assert_eq!(reply.json["reasons"], json!(["identity_velocity"]));
        }
    }
    yard.advance(HOUR).await;
    let _ = yard.server("web").posts(&Person::number(1)).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn the_same_words_under_a_second_name_are_a_doubt_and_under_a_third_spam() {
    let yard = yard().await;
    let words = "Good afternoon, we manage several buildings and would like somebody to look at all of our roofs this month";
    let mut found = Vec::new();
    for n in [1, 1, 2, 3] {
        let person = Person::number(n).with("message", words);
        let reply = browser(&yard, "web", "203.0.113.7").posts(&person).await.is(201);
        found.push(yard.enquiry(reply.text_of("enquiry")).await.unwrap());
    }
    let verdicts: Vec<_> =
        found.iter().map(|one| one.quarantine.as_ref().map_or("ham", |one| one.verdict.as_str())).collect();
    assert_eq!(verdicts, ["ham", "ham", "doubtful", "spam"], "a double click is no campaign");
}

#[tokio::test(start_paused = true)]
async fn who_found_a_lead_and_lost_the_round_has_none_in_quarantine() {
    let yard = yard().await;
    let server = yard.server("web");
    let ada = Person::named("Ada", "Hill").with("phone", "305-274-0100");
    // The first finds that nobody is anybody's lead; before it is kept, twenty others of the same person are.
    let held = yard.faults.hold_commit();
    let others = async {
        held.arrives().await;
        for n in 0..20 {
            let other = ada.clone().with("message", &format!("roof {n}"));
            assert!(server.posts(&other).await.status.is_success());
        }
        held.let_go();
    };
    let (first, ()) = futures::future::join(server.posts(&ada), others).await;
    let stored = yard.enquiry(first.text_of("enquiry")).await.unwrap();
    assert_eq!((stored.status.as_str(), stored.lead), ("quarantined", None));
    assert_eq!(stored.reasons, ["identity_velocity"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_spilled_is_screened_when_it_comes_in() {
    let yard = yard().await;
    yard.lead(&Person::number(1)).await;
    yard.faults.table(true);
    let reply = browser(&yard, "web", "203.0.113.7").posts(&spam()).await.is(202);
    assert_eq!(reply.text_of("status"), "spilled");
    // The spill alone, which is encrypted, has the address: until somebody knows whether it proves a consent.
    yard.faults.table(false);
    yard.advance(Duration::from_secs(300)).await;
    let stored = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    assert!(!json!(stored).to_string().contains("203.0.113"), "an address was kept that proves nothing");
    assert_eq!(
        (stored.status.as_str(), stored.quarantine.unwrap().verdict.as_str()),
        ("quarantined", "spam")
    );
}
