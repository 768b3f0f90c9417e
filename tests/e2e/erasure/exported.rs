//! What is exported of a person is what is erased of them.

use std::collections::BTreeSet;

use http::Method;
use leadyard_platform::person::Sought;
use leadyard_tests::Yard;
use serde_json::json;

use super::{CANARIES, ada, erase, export, items, live, rules, zeb};

#[tokio::test(start_paused = true)]
async fn what_is_exported_is_what_is_erased() {
    let yard = Yard::of(rules()).await;
    let _ = yard.settled_lead(&ada()).await;
    let life = live(&yard).await;
    let reply = export(&yard, json!({ "email": "ZQ.Canary@mail.example" })).await.is(200);
    assert_eq!(reply.json["leads"].as_array().unwrap().len(), 2);
    assert_eq!(reply.json["aside"].as_array().unwrap().len(), 4, "what stands aside is theirs as well");
    let text = reply.text.to_lowercase();
    for canary in CANARIES {
        assert!(text.contains(canary), "{canary} is not exported");
    }
    // With each consent what proves it: the words, the browser, and the phone as it was typed.
    let lead = reply.json["leads"].as_array().unwrap().iter().find(|lead| lead["lead"] == life.roof).unwrap();
    let all = lead["enquiries"].as_array().unwrap();
    let first = all.iter().find(|one| one["consent"]["user_agent"] == "Persimmon/1.0").unwrap();
    let consent = &first["consent"];
    assert_eq!((&consent["given"], &consent["text"]), (&json!(true), &json!("Zebulon agrees to be called")));
    let fields = first["fields"].as_array().unwrap();
    assert!(fields.contains(&json!(["phone", "305-555-0177"])), "{fields:?}");
    let dealers: BTreeSet<&str> = reply.json["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["dealer"].as_str().unwrap())
        .collect();
    assert_eq!(dealers, BTreeSet::from(["hudson", "ridge"]));
    assert!(!text.contains("ada.hill"));
    // Who took it is known.
    let acts = yard.story(&life.roof).await;
    assert!(acts.list("history").any(|act| act["act"] == "export" && act["by"] == "desk"));
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    let changes = changes.json["changes"].as_array().unwrap().clone();
    assert!(changes.iter().any(|act| act["act"] == "export" && act["by"] == "desk"), "{changes:?}");
    let by_lead = export(&yard, json!({ "lead": life.gutter })).await.is(200);
    assert_eq!(by_lead.json["leads"].as_array().unwrap().len(), 2);

    // The collector's items, and those that the erasure changed or took away, are the same ones.
    let email = leadyard_domain::person::Email::parse("zq.canary@mail.example").unwrap();
    let sought = Sought { email: Some(email), ..Sought::default() };
    let found = yard.cloud.person(&yard.company_id(), &sought).await.unwrap();
    let mut held: BTreeSet<(String, String)> = BTreeSet::new();
    let key = |item: &leadyard_platform::store::Item| {
        (item["pk"].as_s().unwrap().clone(), item["sk"].as_s().unwrap().clone())
    };
    for lead in found.leads.values() {
        held.extend(lead.items.iter().map(key));
        held.extend(lead.known_by.iter().map(|(hash, scope)| (format!("I#{hash}"), scope.to_string())));
    }
    held.extend(found.visits.iter().map(key));
    held.extend(found.enquiries().map(|enquiry| (format!("E#{}", enquiry.id), "E".to_owned())));
    let before = items(&yard).await;
    let _ = erase(&yard, &life.roof, json!({})).await.is(200);
    let after = items(&yard).await;
    let changed = before.iter().filter(|(key, text)| after.get(*key) != Some(*text)).map(|(key, _)| key);
    for key in changed {
        // Counters give the slot back; who waits is woken.
        let counts = ["K#", "W#"].iter().any(|kind| key.0.starts_with(kind));
        assert!(held.contains(key) || counts, "{key:?} was erased, and is not exported");
    }
    for key in &held {
        let gone = after.get(key) != before.get(key);
        let text = before[key].to_lowercase();
        let personal = CANARIES.iter().any(|canary| text.contains(canary)) || !key.0.starts_with("L#");
        assert!(gone || !personal, "{key:?} is exported, and was not erased");
    }
}

#[tokio::test(start_paused = true)]
async fn an_export_says_what_they_did() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    let one = json!({ "id": "1", "kind": "quote_request", "at": yard.cloud.clock.now(), "lead": lead });
    let _ = yard.server("web").reports(one).await.is(202);
    yard.settle().await;
    let told = export(&yard, json!({ "lead": lead })).await.is(200);
    assert!(told.json["leads"][0]["interactions"].to_string().contains("quote_request"), "{}", told.text);
}
