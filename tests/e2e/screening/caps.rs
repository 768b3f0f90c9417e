//! Caps of a source: never exceeded, said until when, and nothing is lost by them.

use std::time::Duration;

use futures::future::join_all;
use leadyard_tests::{Person, Reply, Yard};

use super::{HOUR, rules, spam};

#[tokio::test(start_paused = true)]
async fn a_source_s_cap_says_until_when_and_is_never_exceeded() {
    let capped = "offer = \"roof\"\ncaps = { hour = 5, day = 8 }";
    let yard = Yard::of(rules().source("capped", capped)).await;
    let server = yard.server("capped");
    let people: Vec<Person> = (0..30).map(Person::number).collect();
    let replies = join_all(people.iter().map(|person| server.posts(person))).await;
    let taken = |replies: &[Reply]| replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(taken(&replies), 5);
    for refused in replies.into_iter().filter(|reply| reply.status != 201) {
        let refused = refused.is(429).is_problem("cap-reached");
        // Noon in New York: the hour ends at five in the afternoon of Greenwich.
        assert_eq!(refused.text_of("until"), "2026-06-01T17:00:00Z");
        let wait_s: u32 = refused.header("retry-after").parse().unwrap();
        assert!((3_590..=3_600).contains(&wait_s), "{wait_s}");
    }
    // A page is told so of everybody alike, known or not, and a form gets its page.
    let _ = yard.page("capped").posts(&Person::number(0)).await.is(429);
    let _ = yard.page("capped").posts(&Person::number(40)).await.is(429);
    let _ = yard.page("capped").submits(&Person::number(40)).await.is(429);
    let _ = yard.server("web").posts(&Person::number(41)).await.is(201);

    yard.advance(HOUR).await;
    // Repeats move no counter, nor does what waits for the desk.
    let _ = server.posts(&Person::number(50)).await.is(201);
    for _ in 0..5 {
        let _ = server.posts(&Person::number(50)).await.is(200);
        let _ = server.posts(&spam()).await.is(202);
    }
    let replies = join_all((60..80).map(|n| {
        let server = server.clone();
        async move { server.posts(&Person::number(n)).await }
    }))
    .await;
    assert_eq!(taken(&replies), 2, "eight a day");
    let refused = replies.into_iter().find(|reply| reply.status == 429).unwrap();
    // Midnight in New York.
    assert_eq!(refused.text_of("until"), "2026-06-02T04:00:00Z");
    yard.advance_to("2026-06-02T04:00:01Z").await;
    let _ = server.posts(&Person::number(90)).await.is(201);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_source_s_day_is_the_company_s() {
    // Ten in the evening in New York, and tomorrow in Greenwich.
    let rules = rules().source("capped", "offer = \"roof\"\ncaps = { day = 1 }");
    let yard = Yard::at("2026-06-02T02:00:00Z", rules).await;
    let server = yard.server("capped");
    let _ = server.posts(&Person::number(1)).await.is(201);
    let refused = server.posts(&Person::number(2)).await.is(429);
    assert_eq!(refused.text_of("until"), "2026-06-02T04:00:00Z");
    yard.advance_to("2026-06-02T04:00:01Z").await;
    let _ = server.posts(&Person::number(2)).await.is(201);
}

#[tokio::test(start_paused = true)]
async fn what_was_spilled_above_a_cap_waits_and_is_not_lost() {
    let yard = Yard::of(rules().source("capped", "offer = \"roof\"\ncaps = { day = 1 }")).await;
    yard.lead(&Person::number(1)).await;
    yard.faults.table(true);
    let server = yard.server("capped");
    let mut enquiries = Vec::new();
    for n in 2..5 {
        enquiries.push(server.posts(&Person::number(n)).await.is(202).text_of("enquiry").to_owned());
    }
    yard.faults.table(false);
    yard.advance(Duration::from_secs(600)).await;
    let mut found = Vec::new();
    for enquiry in &enquiries {
        let stored = yard.enquiry(enquiry).await.unwrap();
        found.push((stored.status, stored.reasons.join(" ")));
    }
    found.sort();
    let aside = || ("quarantined".to_owned(), "source_cap".to_owned());
    assert_eq!(found, [aside(), aside(), ("received".to_owned(), String::new())]);
}
