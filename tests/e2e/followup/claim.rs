//! A lead on the list is one colleague's at a time, for fifteen minutes or until they let go of it.

use std::time::Duration;

use http::Method;
use leadyard_tests::Person;
use serde_json::{Value, json};

use super::{DAY, HOUR, acts, acts_as, ada, follow_up, listed, yard};

#[tokio::test(start_paused = true)]
async fn somebody_claims_a_lead_for_fifteen_minutes_and_nobody_else_has_it_meanwhile() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let claim = acts(&yard, &lead, "claim", json!({})).await.is(200).json["after"]["claim"].clone();
    let until: jiff::Timestamp = claim["until"].as_str().unwrap().parse().unwrap();
    assert_eq!(until.duration_since(yard.cloud.clock.now()).as_mins(), 15);
    for (act, body) in [("claim", json!({})), ("call", json!({ "result": "busy" }))] {
        let refused = acts_as(&yard, "lee", &lead, act, &body).await.is(409).is_problem("state-conflict");
        assert_eq!(refused.json["claim"], claim, "who has it, and until when");
        assert!(refused.text.contains("desk is calling them"), "{}", refused.text);
    }
    assert_eq!(listed(&yard).await[0]["follow_up"]["claim"], claim);
    // Who has it may have it for longer; once that is over anybody may.
    yard.advance(Duration::from_secs(14 * 60)).await;
    let _ = acts(&yard, &lead, "claim", json!({})).await.is(200);
    yard.advance(Duration::from_secs(14 * 60)).await;
    let _ = acts_as(&yard, "lee", &lead, "claim", &json!({})).await.is(409);
    yard.advance(Duration::from_secs(2 * 60)).await;
    let _ = acts_as(&yard, "lee", &lead, "claim", &json!({})).await.is(200);
    let _ = acts(&yard, &lead, "call", json!({ "result": "busy" })).await.is(409);
    // What the call came to leaves it to nobody.
    let after = acts_as(&yard, "lee", &lead, "call", &json!({ "result": "not_now" })).await.is(200);
    assert_eq!(after.json["after"]["claim"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_let_go_of_before_its_time_by_who_has_it_or_a_manager_and_by_nobody_else() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let made = json!({ "name": "kim", "role": "desk" });
    let kim = yard.desk(Method::POST, "/v1/tokens", Some(made)).await.is(201).text_of("token").to_owned();
    let as_kim = async |act: &str| {
        let path = format!("/v1/leads/{lead}/{act}");
        yard.sends(Some(&kim), Method::POST, &path, "application/json", b"{}".to_vec()).await
    };
    // Of the desk, and no manager: another's stays.
    let claim = acts(&yard, &lead, "claim", json!({})).await.is(200).json["after"]["claim"].clone();
    let refused = as_kim("unclaim").await.is(409).is_problem("state-conflict");
    assert_eq!(refused.json["claim"], claim);
    assert_eq!(follow_up(&yard, &lead).await["claim"], claim);
    // Whoever has it lets go of it, and nothing else of it changes; a second time is as the first.
    let before = follow_up(&yard, &lead).await;
    let after = acts(&yard, &lead, "unclaim", json!({})).await.is(200).json["after"].clone();
    for member in ["stands", "reason", "attempt", "calls", "since", "last_call"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    assert_eq!(after["claim"], Value::Null);
    let _ = as_kim("claim").await.is(200);
    let again = as_kim("unclaim").await.is(200).json;
    assert_eq!(again["after"]["claim"], Value::Null);
    assert_eq!(as_kim("unclaim").await.is(200).json["already"], true);
    // A manager takes it from whoever has it.
    let theirs = as_kim("claim").await.is(200).json["after"]["claim"].clone();
    let taken = acts(&yard, &lead, "unclaim", json!({ "reason": "they went home" })).await.is(200).json;
    assert_eq!((&taken["before"]["claim"], &taken["after"]["claim"]), (&theirs, &Value::Null));
    let _ = acts_as(&yard, "lee", &lead, "claim", &json!({})).await.is(200);
    // Who let go of what, when and why stands in its history, once each.
    let story = yard.story(&lead).await;
    let let_go: Vec<&Value> = story.list("history").filter(|act| act["act"] == "unclaim").collect();
    assert_eq!(let_go.len(), 3, "{:?}", story.0["history"]);
    assert!(let_go.iter().any(|act| act["by"] == "desk" && act["reason"] == "they went home"));
    // Of who is planned and was never claimed, it is as it was to be.
    let planned = yard.settled_lead(&Person::number(9)).await;
    assert_eq!(acts(&yard, &planned, "unclaim", json!({})).await.is(200).json["already"], true);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_claim_at_one_moment_one_has_it() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let nothing = json!({});
    let claims = ["kim", "lee", "sam", "joe"].map(|staff| acts_as(&yard, staff, &lead, "claim", &nothing));
    let replies = futures::future::join_all(claims).await;
    let well = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(well, 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    // Also where both have read that nobody has it.
    let other = yard.settled_lead(&Person::number(1)).await;
    yard.advance(DAY + HOUR).await;
    let id = other.parse().unwrap();
    let (stored, now) = (yard.stored(&other).await, yard.cloud.clock.now());
    let read = yard.cloud.store.follow_up_get(id).await.unwrap().unwrap();
    let mut saved = Vec::new();
    for staff in ["kim", "lee"] {
        let mut claimed = read.clone();
        claimed.state.claim(staff, now).unwrap();
        saved.push(yard.cloud.store.follow_up_save(&stored, &claimed, now).await.unwrap());
    }
    assert_eq!(saved, [true, false]);
}
