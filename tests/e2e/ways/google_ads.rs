//! Google Ads: each lead reaches a dealer once, only who has the source's key gets in, and what Google would not
//! send again is not refused.

use http::Method;
use leadyard_domain::access::Platform;
use leadyard_tests::{Person, Rules};
use serde_json::{Value, json};

use super::{google, google_key, google_lead, id_of, source, yard};

#[tokio::test(start_paused = true)]
async fn who_asks_through_google_again_and_again_on_one_day_waits() {
    let yard = yard().await;
    let asks = async |n: usize| {
        let id = format!("g-{n}");
        let _ = google(&yard, "ads", &google_lead(&yard, "ads", &id)).await.is(200);
        let kept = yard.enquiry(&id_of(&yard, Platform::Google, "ads", &id)).await.unwrap();
        (kept.status, kept.reasons.join(" "))
    };
    for n in 0..22 {
        let expected = match n {
            0 => ("received", ""),
            1..20 => ("repeat", ""),
            _ => ("quarantined", "identity_velocity"),
        };
        let (status, reasons) = asks(n).await;
        assert_eq!((status.as_str(), reasons.as_str()), expected, "{n}");
    }
    yard.advance(std::time::Duration::from_secs(24 * 3_600)).await;
    assert_eq!(asks(22).await.0, "repeat");
}

#[tokio::test(start_paused = true)]
async fn a_google_lead_reaches_a_dealer_once_however_often_it_is_sent() {
    let yard = yard().await;
    let lead = google_lead(&yard, "ads", "g-1");
    // Twenty at one moment, as when the first reply was lost; and once more a week later, changed.
    let replies = futures::future::join_all((0..20).map(|_| google(&yard, "ads", &lead))).await;
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.json == json!({})));
    yard.advance(std::time::Duration::from_secs(7 * 86_400)).await;
    let mut later = lead.clone();
    later["lead_stage"] = json!("new");
    let _ = google(&yard, "ads", &later).await.is(200);
    yard.settle().await;

    let kept = yard.enquiry(&id_of(&yard, Platform::Google, "ads", "g-1")).await.unwrap();
    let story = yard.story(&kept.lead.unwrap().to_string()).await;
    assert_eq!(story.enquiries(), 1);
    assert_eq!(yard.told("hudson").len(), 1, "no repeat is told");
    let understood = leadyard_platform::judging::understand(&kept, Some(&source(&yard, "ads").await));
    assert_eq!(understood.attribution.campaign(), Some("123456789012345678"));
    assert_eq!(understood.extra.get("roof_type").map(String::as_str), Some("metal"));
    assert_eq!(understood.extra.get("form_id").map(String::as_str), Some("40000000000"));
    assert_eq!(understood.zip.map(|zip| zip.to_string()).as_deref(), Some("33101"));
    assert!(
        kept.fields.iter().all(|(name, value)| name != "google_key" && value != google_key(&yard, "ads"))
    );
}

#[tokio::test(start_paused = true)]
async fn the_desk_is_shown_what_lets_a_source_in_and_nobody_else_is() {
    let yard = yard().await;
    let keys = |source: &str| format!("/v1/sources/{source}/keys");
    let shown = yard.desk(Method::POST, &keys("ads"), None).await.is(200);
    assert_eq!(shown.text_of("google_key"), google_key(&yard, "ads"));
    assert!(shown.json.get("meta_verify_token").is_none(), "{}", shown.json);
    let mut lead = google_lead(&yard, "ads", "g-7");
    lead["google_key"] = shown.json["google_key"].clone();
    let path = format!("/v1/leads/{}/google", shown.text_of("key"));
    let body = serde_json::to_vec(&lead).unwrap();
    let _ = yard.sends(None, Method::POST, &path, "application/json", body).await.is(200);
    let (bearer, path) = (shown.text_of("secret"), format!("/v1/leads/{}", shown.text_of("key")));
    let body = serde_json::to_vec(&json!({ "email": "ben.shaw@mail.example", "zip": "33101" })).unwrap();
    let _ = yard.sends(Some(bearer), Method::POST, &path, "application/json", body).await.is(201);

    let _ = yard.desk(Method::POST, &keys("none"), None).await.is(404);
    let _ = yard.dealer("hudson", Method::POST, &keys("ads"), None).await.is(401);
    // They are derived, and shown as often as asked: each time stands in the changes.
    assert_eq!(yard.desk(Method::POST, &keys("ads"), None).await.is(200).json, shown.json);
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).json.to_string();
    assert_eq!(changes.matches("source_keys_shown").count(), 2, "{changes}");
    for secret in ["google_key", "secret"] {
        assert!(!changes.contains(shown.text_of(secret)), "no secret stands in the changes");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_id_of_google_s_at_another_source_or_company_is_another_lead() {
    let yard = yard().await;
    let bolt = Rules::roofing("bolt").source_of("google", "ads", "offer = \"roof\"").seller("ridge", []);
    let bolt = yard.also(bolt).await;
    for (yard, source) in [(&yard, "ads"), (&yard, "capped"), (&bolt, "ads")] {
        let _ = google(yard, source, &google_lead(yard, source, "g-1")).await.is(200);
        let kept = yard.enquiry(&id_of(yard, Platform::Google, source, "g-1")).await.unwrap();
        assert_eq!((kept.company.as_str(), kept.source.as_str()), (yard.company.as_str(), source));
    }
    yard.settle().await;
    assert_eq!(bolt.told("ridge").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_google_key_is_refused_and_nothing_is_stored() {
    let yard = yard().await;
    let mut lead = google_lead(&yard, "ads", "g-2");
    for wrong in [json!("wrong"), json!(""), json!(google_key(&yard, "capped")), Value::Null] {
        lead["google_key"] = wrong;
        let reply = google(&yard, "ads", &lead).await.is(401);
        assert!(!reply.text_of("message").is_empty(), "{}", reply.text);
    }
    assert!(yard.enquiry(&id_of(&yard, Platform::Google, "ads", "g-2")).await.is_none());
    // Another key in the path: nobody's.
    let path = "/v1/leads/pk_nothing.AAAA/google";
    let body = lead.to_string().into_bytes();
    assert!(
        !yard
            .sends(None, Method::POST, path, "application/json", body)
            .await
            .is(401)
            .text_of("message")
            .is_empty()
    );
    // What cannot be read is final, and says why.
    let path = format!("/v1/leads/{}/google", yard.page("ads").key());
    let reply =
        yard.sends(None, Method::POST, &path, "application/json", b"{\"google_key\":1}".to_vec()).await;
    assert!(reply.is(400).text_of("message").contains("lead_id"));
}

#[tokio::test(start_paused = true)]
async fn a_google_lead_that_cannot_be_read_is_kept_without_the_key_that_let_it_in() {
    let yard = yard().await;
    // As many members as may be read, and what we add of the campaign makes them too many.
    let mut lead = google_lead(&yard, "ads", "g-8");
    lead["user_column_data"] =
        json!([{ "column_name": "", "string_value": "ada@mail.example", "column_id": "EMAIL" }]);
    for n in 0..188 {
        lead[format!("more_{n}")] = json!("x");
    }
    let key = google_key(&yard, "ads");
    let path = format!("/v1/leads/{}/google", yard.page("ads").key());
    let escaped = key.chars().map(|one| format!("\\u{:04x}", one as u32)).collect::<Vec<_>>().concat();
    for (id, written) in [("g-8", key.as_str()), ("g-9", &escaped)] {
        lead["lead_id"] = json!(id);
        let body = lead.to_string().replace(&key, written);
        let reply = yard.sends(None, Method::POST, &path, "application/json", body.into_bytes()).await;
        assert!(reply.is(400).text_of("message").contains("200"));
        let kept = yard.enquiry(&id_of(&yard, Platform::Google, "ads", id)).await.unwrap();
        let raw = kept.raw.as_deref().unwrap();
        assert!(raw.contains("ada@mail.example") && raw.contains("more_187"), "{raw}");
        assert!(!raw.contains(&key) && !raw.contains(&escaped) && kept.raw_base64.is_none(), "{raw}");
    }
    // Nor does the desk see it, or anybody in what is exported.
    let aside = yard.desk(Method::GET, "/v1/quarantine", None).await.is(200);
    assert_eq!(aside.json["enquiries"].as_array().unwrap().len(), 2);
    let item = crate::moving_in::table(&yard).await.join("\n");
    assert!(!aside.text.contains(&key) && !item.contains(&key) && !item.contains(&escaped));
}

#[tokio::test(start_paused = true)]
async fn google_s_test_data_reaches_nobody_and_makes_nobody() {
    let yard = yard().await;
    let mut lead = google_lead(&yard, "capped", "test-1");
    lead["is_test"] = json!(true);
    let _ = google(&yard, "capped", &lead).await.is(200);
    // Also without a person in it: nobody is to release that.
    let mut nobody = google_lead(&yard, "capped", "test-2");
    (nobody["is_test"], nobody["user_column_data"]) = (json!(true), json!([]));
    let _ = google(&yard, "capped", &nobody).await.is(200);
    yard.settle().await;
    assert!(yard.told("hudson").is_empty());
    for id in ["test-1", "test-2"] {
        let kept = yard.enquiry(&id_of(&yard, Platform::Google, "capped", id)).await.unwrap();
        assert_eq!((kept.status.as_str(), kept.lead), ("test", None));
    }
    // It moved no counter, and the person is new.
    assert_eq!(
        yard.server("capped").posts(&Person::named("Ada", "Hill")).await.is(201).text_of("status"),
        "received"
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_cap_refuses_nothing_that_google_would_not_send_again() {
    let yard = yard().await;
    let _ = google(&yard, "capped", &google_lead(&yard, "capped", "g-3")).await.is(200);
    let mut second = google_lead(&yard, "capped", "g-4");
    second["user_column_data"][1]["string_value"] = json!("bob@mail.example");
    second["user_column_data"][2]["string_value"] = json!("1-305-555-0190");
    let _ = google(&yard, "capped", &second).await.is(200);
    let kept = yard.enquiry(&id_of(&yard, Platform::Google, "capped", "g-4")).await.unwrap();
    assert_eq!((kept.status.as_str(), kept.reasons), ("quarantined", vec!["source_cap".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn google_is_answered_while_the_table_is_away_and_told_to_come_back_when_nothing_keeps_it() {
    let yard = yard().await;
    let lead = google_lead(&yard, "ads", "g-5");
    yard.lead(&Person::named("Bob", "Mann")).await;
    yard.faults.table(true);
    let _ = google(&yard, "ads", &lead).await.is(200);
    yard.faults.queues(true);
    let reply = google(&yard, "ads", &lead).await.is(503);
    assert!(!reply.text_of("message").is_empty());
    yard.faults.queues(false);
    yard.faults.table(false);
    yard.settle().await;
    let kept = yard.enquiry(&id_of(&yard, Platform::Google, "ads", "g-5")).await.unwrap();
    assert_eq!((kept.status.as_str(), kept.fields.get("Which roof?")), ("received", Some("metal")));
}
