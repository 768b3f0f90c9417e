//! Whatever interrupts an erasure it ends; what is under way meanwhile brings nobody back, and who asks anew is new.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use leadyard_domain::erasure::ErasureReason;
use leadyard_domain::ids::ErasureId;
use leadyard_platform::erasure::Asked;
use leadyard_platform::person::Sought;
use leadyard_platform::store::Erasure;
use leadyard_tests::Yard;
use serde_json::json;

use super::{HOUR, assert_nobody, erase, items, rules, zeb};

#[tokio::test(start_paused = true)]
async fn whatever_interrupts_it_it_ends() {
    let yard = Yard::of(rules()).await;
    // Before the first answer of the table, and after so many: every seventh step, to the end.
    let mut interrupted = 0;
    for calls in (0..).step_by(7) {
        let n = calls / 7;
        let person = zeb()
            .with("email", &format!("zq.canary{n}@mail.example"))
            .with("phone", &format!("+1305555{:04}", 1000 + n));
        let lead = yard.settled_lead(&person).await;
        let _ = yard.server("web").posts(&person).await.is(200);
        let note = json!({ "text": "Zebulon" });
        let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/note"), Some(note)).await.is(200);
        yard.settle().await;
        yard.faults.table_after(Some(calls));
        let reply = erase(&yard, &lead, json!({})).await;
        yard.faults.table_after(None);
        let began = yard.desk(Method::GET, "/v1/erasures", None).await.is(200);
        let began =
            began.json["erasures"].as_array().unwrap().iter().any(|one| one["leads"] == json!([lead]));
        if reply.status.as_u16() == 503 && !began {
            // It was not taken; who asks again is heard.
            let _ = erase(&yard, &lead, json!({})).await.is(200);
        }
        interrupted += usize::from(!reply.status.is_success() || reply.json["state"] == "under_way");
        yard.advance(HOUR * 2).await;
        for (key, text) in items(&yard).await {
            assert_nobody(&format!("{key:?} after {calls} calls"), &text);
        }
        let told =
            yard.told("hudson").into_iter().filter(|told| told.event == "lead.erased" && told.lead() == lead);
        let ids: BTreeSet<String> = told.map(|told| told.id).collect();
        assert_eq!(ids.len(), 1, "its holder is told after {calls} calls");
        if reply.status.is_success() && reply.json["state"] == "erased" {
            break;
        }
    }
    assert!(interrupted >= 4, "{interrupted}");
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_found_on_the_way_is_known_before_anything_goes() {
    for calls in (0..).step_by(7) {
        let yard = Yard::of(rules()).await;
        let roof = yard.settled_lead(&zeb()).await;
        // For another thing they asked while the table was away: only the queue has it when they are to go.
        yard.faults.table(true);
        let _ = yard.server("rain").posts(&zeb().with("message", "a rutabaga")).await.is(202);
        yard.faults.table(false);
        let person = erasing(&yard, &roof).await;
        yard.settle().await;
        yard.faults.table_after(Some(calls));
        let ended = yard.cloud.erasure_go_on(&yard.company_id(), person).await.is_ok();
        yard.faults.table_after(None);
        yard.advance(HOUR * 2).await;
        for (key, text) in items(&yard).await {
            assert_nobody(&format!("{key:?} after {calls} calls"), &text);
        }
        if ended {
            assert!(calls > 10, "{calls} calls are no work");
            break;
        }
    }
}

/// An erasure that was opened, and not begun.
async fn erasing(yard: &Yard, lead: &str) -> ErasureId {
    let sought = Sought { leads: [lead.parse().unwrap()].into(), ..Sought::default() };
    let company = yard.company_id();
    let person = yard.cloud.person(&company, &sought).await.unwrap();
    let asked = Asked {
        by: "desk".to_owned(),
        reason: ErasureReason::Requested,
        suppress: true,
        tell: true,
        enquiries: BTreeSet::new(),
    };
    let erasure = Erasure::of(&yard.cloud, &company, &person, &asked);
    assert!(yard.cloud.store.erasure_open(&erasure).await.unwrap());
    erasure.id
}

#[tokio::test(start_paused = true)]
async fn who_asks_anew_between_the_first_look_and_the_last_is_new() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    let _ = erase(&yard, &lead, json!({ "suppress": false })).await.is(200);
    let ledger = yard.desk(Method::GET, "/v1/erasures", None).await.is(200);
    assert_eq!(ledger.json["erasures"][0]["state"], "erased", "the last look is to come");
    yard.advance(Duration::from_secs(5)).await;
    let anew = yard.settled_lead(&zeb()).await;
    assert_ne!(anew, lead);
    yard.advance(HOUR * 3).await;
    let ledger = yard.desk(Method::GET, "/v1/erasures", None).await.is(200);
    assert_eq!(ledger.json["erasures"][0]["state"], "done");
    let story = yard.story(&anew).await;
    assert_eq!((&story.0["person"]["first_name"], story.enquiries()), (&json!("Zebulon"), 1));
    assert!(yard.told("hudson").iter().all(|told| told.event != "lead.erased" || told.lead() == lead));
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_brings_nobody_back_and_who_asks_anew_is_new() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    // A repeat that only the queue could keep, and interactions on their way.
    yard.faults.table(true);
    let _ = yard.server("web").posts(&zeb().with("message", "a rutabaga")).await.is(202);
    yard.faults.table(false);
    let at = yard.cloud.clock.now();
    let report = json!({ "id": "q", "kind": "quote_request", "at": at, "email": "zq.canary@mail.example" });
    let _ = yard.server("web").reports(report).await.is(202);
    // And a repeat that has read everything, and is a moment late.
    let held = yard.faults.hold_commit();
    let late = tokio::spawn({
        let yard = yard.clone();
        async move { yard.server("web").posts(&zeb().with("message", "a kumquat")).await }
    });
    held.arrives().await;
    let _ = erase(&yard, &lead, json!({ "suppress": false })).await.is(200);
    held.let_go();
    let late = late.await.unwrap();
    assert_ne!(late.text_of("lead"), lead, "a shell takes nobody in");
    yard.advance(HOUR * 3).await;
    for (key, text) in items(&yard).await {
        assert_nobody(&format!("{key:?}"), &text);
    }
    assert_eq!(yard.story(&lead).await.enquiries(), 0);
    // Who asks anew, is new.
    let anew = yard.lead(&zeb()).await;
    assert_ne!(anew, lead);
    yard.advance(HOUR * 3).await;
    assert_eq!(yard.story(&anew).await.0["person"]["first_name"], "Zebulon");
    // Their old row in an old file is not.
    let row = json!({ "received_at": "2026-05-20", "source": "web", "email": "zq.canary@mail.example", "zip": "33101" });
    let reply = yard.desk(Method::POST, "/v1/import/history", Some(json!({ "rows": [row] }))).await.is(200);
    assert_eq!(reply.json["rows"][0]["status"], "refused", "{}", reply.text);
}
