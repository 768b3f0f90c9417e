//! Two versions side by side: during every deployment one reads what the other wrote, in the table and in the queues.
//!
//! `recorded.json` is what a version before left at the end of a busy day: its items, the messages in its queues, and
//! the leads by what they are for. This version goes on from there. What it would have written itself holds all that the
//! version before always found there. And what a version after adds to items and messages is passed over.
//!
//! The recording is one of a release, and stays as it is until the next: `RECORD=1 cargo test --workspace --test versions
//! -- --test-threads=1` makes it anew, and keeps sums of every version that packed any. What a version before does not know
//! at all (a new word for a state, a new kind of message) is not seen here where the day does not bring it about: a change
//! that adds one says in its commit what the version before does.
//! `PREVIOUS=COMMIT bash tests/run deploy` deploys the two versions themselves after one another while leads flow.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by them")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK's enums may grow; what is not known fails the test"
)]

mod day;
mod left;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;
use leadyard_platform::judging;
use leadyard_tests::Yard;
use serde_json::json;

use left::{Left, Shape};

const MINUTE: Duration = Duration::from_secs(60);

async fn told(yard: &Yard, dealer: &str, lead: &str) -> Vec<String> {
    let told = yard.told(dealer);
    told.iter().filter(|told| told.lead() == lead).map(|told| told.event.clone()).collect()
}

async fn owed(yard: &Yard, dealer: &str) -> String {
    let path = format!("/v1/dealers/{dealer}/statement?month=2026-06");
    yard.desk(Method::GET, &path, None).await.is(200).text_of("owed").to_owned()
}

/// A system goes on from what was left: everything that a lead may be in the midst of comes to its end.
async fn goes_on(left: &Left) {
    let yard = Yard::empty(&left.at, day::COMPANY).await;
    left.put(&yard).await;
    let lead = |name: &str| left.leads[name].clone();
    let owed_before = owed(&yard, "hudson").await;
    for (name, id) in &left.leads {
        assert_eq!(yard.story(id).await.0["lead"].as_str(), Some(id.as_str()), "{name}");
    }

    // What was counted can be read: of the recording two sums of two enquiries each, by both versions that packed them.
    let funnel = yard.report("funnel?from=2026-06-01&to=2026-06-01").await;
    assert!(funnel["whole"]["enquiries"].as_i64().is_some_and(|counted| counted >= 4), "{funnel}");

    // What stood in the queues.
    yard.advance(MINUTE).await;
    assert_eq!(told(&yard, "hudson", &lead("just_received")).await, ["lead.assigned"]);
    assert_eq!(told(&yard, "hudson", &lead("just_assigned")).await, ["lead.assigned"]);
    let clicked = yard.story(&lead("sold")).await;
    let requests = clicked.list("interactions").filter(|one| one["kind"] == "quote_request");
    assert_eq!(requests.map(|one| one["count"].as_u64().unwrap()).sum::<u64>(), 2);
    let spilled =
        yard.told("hudson").into_iter().filter(|told| told.body.to_string().contains("spilled.hill"));
    assert_eq!(spilled.count(), 1, "what was spilled comes in once");
    // The dealer that was shut is open again.
    yard.advance(MINUTE * 10).await;
    assert_eq!(yard.story(&lead("unreachable")).await.assignment("ridge")["delivery"], "received");

    // What waited for an answer.
    let _ = yard.answers("crest", &lead("offered"), "accept").await.is(200);
    assert_eq!(yard.story(&lead("offered")).await.assignment("crest")["state"], "accepted");
    assert_ne!(owed(&yard, "crest").await, "0.00");
    let asked = yard.story(&lead("return_asked")).await.assignment("hudson")["assignment"].clone();
    let path = format!("/v1/returns/{}/approve", asked.as_str().unwrap());
    let _ = yard.desk(Method::POST, &path, Some(json!({}))).await.is(200);
    assert_eq!(yard.story(&lead("return_asked")).await.assignment("hudson")["state"], "returned");
    assert_ne!(owed(&yard, "hudson").await, owed_before);

    // Who is known is known, and who asked to be erased is not taken in.
    let again = yard.server("web").posts(&day::sold()).await.is(200);
    assert_eq!(again.text_of("lead"), lead("sold"));
    let erased = yard.server("web").posts(&day::erased()).await.is(202);
    assert_eq!(erased.json["reasons"], json!(["suppressed"]));

    // Rules that take who waited; the desk's hold stands until it is lifted.
    let _ = yard.publish(&day::rules().seller("lake", [("area", "state:IL")])).await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&lead("waiting")).await.holders(), ["lake"]);
    assert_eq!(yard.story(&lead("held")).await.holders(), Vec::<&str>::new());
    let _ =
        yard.desk(Method::POST, &format!("/v1/leads/{}/resume", lead("held")), Some(json!({}))).await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&lead("held")).await.holders(), ["lake"]);

    // Every decision can be made again from its record.
    let mut decisions = 0;
    for id in left.leads.values() {
        let story = yard.cloud.store.lead_story(id.parse().unwrap()).await.unwrap().unwrap();
        for record in &story.decisions {
            let again = judging::repeat(&yard.cloud, &yard.company_id(), record).await.unwrap().unwrap();
            assert!(again.as_recorded, "{record:?}");
            decisions += 1;
        }
    }
    assert!(decisions > left.leads.len(), "{decisions}");
    assert!(yard.dead_letters().is_empty(), "{:?}", yard.dead_letters());
}

#[tokio::test(start_paused = true)]
async fn what_the_version_before_left_is_gone_on_with() {
    goes_on(&Left::recorded(&day::busy().await)).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_version_after_adds_is_passed_over() {
    let mut left = day::busy().await;
    left.add_to_all("of_later", "what this version does not know");
    goes_on(&left).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_written_holds_all_that_the_version_before_finds_there() {
    let now = day::busy().await;
    let (before, now) = (Left::recorded(&now).shapes(), now.shapes());
    let kinds = |shapes: &BTreeMap<String, Shape>| shapes.keys().cloned().collect::<BTreeSet<_>>();
    assert!(kinds(&before).is_subset(&kinds(&now)), "{:?}", kinds(&before).difference(&kinds(&now)));
    let wrong: Vec<String> = before.iter().flat_map(|(kind, shape)| shape.misses(kind, &now[kind])).collect();
    assert_eq!(wrong, Vec::<String>::new(), "a version before would not understand it");
}

#[tokio::test(start_paused = true)]
async fn a_recording_keeps_the_sums_of_every_version_that_packed_any() {
    let mut now = day::busy().await;
    let recorded = now.with_sums_of(&Left::read());
    let mut versions = recorded.packed_by();
    let newest = *versions.last().unwrap();
    assert_eq!(versions, (1..=newest).collect());
    // The next two, of the same day and shard.
    now.pack_as(newest + 1);
    let next = now.with_sums_of(&recorded);
    now.pack_as(newest + 2);
    versions.extend([newest + 1, newest + 2]);
    assert_eq!(now.with_sums_of(&next).packed_by(), versions);
}

#[tokio::test(start_paused = true)]
async fn the_day_leaves_something_of_every_kind() {
    let kinds: BTreeSet<String> = day::busy().await.shapes().into_keys().collect();
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), day::KINDS);
}
