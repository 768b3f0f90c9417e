//! Meta: only its own notices are heard, each lead is fetched once, and none is dropped while it cannot be.

use http::Method;
use leadyard_domain::access::Platform;
use leadyard_tests::{Rules, Says, Yard};
use serde_json::json;

use super::{
    META_LEAD, google_key, graph_says, meta, meta_enquiry, meta_notice, meta_notice_of, platform_key,
    signature, source, yard,
};

/// What Meta's testing tool fills a form with.
const META_TEST: &str = r#"{"id":"80","field_data":[{"name":"full_name","values":["<test lead: dummy data for full_name>"]},{"name":"email","values":["test@fb.com"]}]}"#;

#[tokio::test(start_paused = true)]
async fn meta_subscribes_with_the_source_s_token_alone() {
    let yard = yard().await;
    let token = platform_key(&yard, Platform::Meta, "ads");
    let ask = async |mode: &str, token: &str, challenge: &str| {
        let query = format!("hub.mode={mode}&hub.verify_token={token}&hub.challenge={challenge}");
        yard.page("ads").gets(&format!("/v1/leads/{}/meta?{query}", yard.page("ads").key())).await
    };
    let reply = ask("subscribe", &token, "1158201444").await.is(200);
    assert_eq!(
        (reply.text.as_str(), reply.header("content-type")),
        ("1158201444", "text/plain; charset=utf-8")
    );
    let _ = ask("subscribe", &google_key(&yard, "ads"), "1").await.is(403).is_problem("forbidden");
    let _ = ask("subscribe", "", "1").await.is(403);
    let _ = ask("unsubscribe", &token, "1").await.is(403);
    let _ = ask("subscribe", &token, "%3Cscript%3E").await.is(403);
}

#[tokio::test(start_paused = true)]
async fn a_lead_of_meta_s_is_fetched_once_and_reaches_a_dealer() {
    let yard = yard().await;
    graph_says(&yard, "77", Says::Body(200, META_LEAD));
    let body = meta_notice(&["77"]);
    for _ in 0..3 {
        let _ = meta(&yard, "ads", &body, &signature(&body)).await.is(200);
    }
    assert_eq!(meta_enquiry(&yard, "77").await.unwrap().status, "unfetched");
    yard.settle().await;
    let _ = meta(&yard, "ads", &body, &signature(&body)).await.is(200);
    yard.settle().await;
    let kept = meta_enquiry(&yard, "77").await.unwrap();
    assert_eq!(kept.status, "received");
    let understood = leadyard_platform::judging::understand(&kept, Some(&source(&yard, "ads").await));
    assert_eq!(understood.name.full(), "Ada Hill");
    assert_eq!(understood.extra.get("roofs").map(String::as_str), Some("flat, steep"));
    assert_eq!(kept.fields.get("page_id"), Some("123123123"));
    let lead = kept.lead.unwrap().to_string();
    assert_eq!(yard.story(&lead).await.enquiries(), 1);
    let told: Vec<_> = yard.told("hudson").into_iter().filter(|told| told.lead() == lead).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(yard.dealers.told().iter().filter(|told| told.who.starts_with("graph/77")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_meta_did_not_sign_is_refused_and_nothing_is_stored() {
    let yard = yard().await;
    let body = meta_notice(&["78"]);
    for wrong in ["", "sha256=", &signature("another"), &signature(&body)[7..]] {
        let _ = meta(&yard, "ads", &body, wrong).await.is(401).is_problem("unauthorized");
    }
    assert!(meta_enquiry(&yard, "78").await.is_none());
    // One that cannot be kept is not acknowledged: Meta sends it again.
    yard.faults.table(true);
    let _ = meta(&yard, "ads", &body, &signature(&body)).await.is(503);
    yard.faults.table(false);
}

#[tokio::test(start_paused = true)]
async fn what_meta_cannot_give_now_is_asked_for_again_whatever_message_was_lost() {
    let yard = yard().await;
    graph_says(&yard, "77", Says::Status(500));
    let body = meta_notice(&["77"]);
    yard.faults.queues(true);
    let _ = meta(&yard, "ads", &body, &signature(&body)).await.is(200);
    yard.faults.queues(false);
    yard.advance(std::time::Duration::from_secs(1_000)).await;
    assert_eq!(meta_enquiry(&yard, "77").await.unwrap().status, "unfetched");
    let tries = yard.dealers.told().len();
    assert!((2..=5).contains(&tries), "with patience: {tries}");
    graph_says(&yard, "77", Says::Body(200, META_LEAD));
    yard.advance(std::time::Duration::from_secs(4_000)).await;
    assert_eq!(meta_enquiry(&yard, "77").await.unwrap().status, "received");
    // Nobody was told of trouble that passed by itself.
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    assert!(!changes.text.contains("meta_unfetched"), "{}", changes.text);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_twice_asks_meta_no_sooner() {
    let yard = yard().await;
    graph_says(&yard, "77", Says::Status(500));
    let body = meta_notice(&["77"]);
    let _ = meta(&yard, "ads", &body, &signature(&body)).await.is(200);
    let twice = yard.queued("spill").pop().unwrap();
    yard.settle().await;
    assert_eq!(yard.dealers.told().len(), 1);
    let message = leadyard_platform::queues::read(&twice).unwrap();
    yard.cloud.queues.to_spill(&message).await.unwrap();
    yard.settle().await;
    assert_eq!(yard.dealers.told().len(), 1, "it waits for its turn");
}

#[tokio::test(start_paused = true)]
async fn a_page_s_leads_go_to_the_company_whose_it_is_and_to_no_other() {
    let rules = |company: &str, dealer: &str| {
        Rules::roofing(company).source_of("meta", "ads", "offer = \"roof\"").seller(dealer, [])
    };
    let access = json!({
        "tokens": { "acme": "acme's", "bolt": "bolt's" },
        "pages": { "1": { "company": "acme", "source": "ads" }, "2": { "company": "bolt", "source": "ads" } },
    });
    let acme = Yard::with_meta(rules("acme", "hudson"), access).await;
    let bolt = acme.also(rules("bolt", "ridge")).await;
    // Meta tells of all pages of an app at one URL: acme's.
    for (page, lead) in [(1, "81"), (2, "82"), (3, "83")] {
        graph_says(&acme, lead, Says::Body(200, META_LEAD));
        let body = meta_notice_of(page, &[lead]);
        let _ = meta(&acme, "ads", &body, &signature(&body)).await.is(200);
    }
    acme.settle().await;
    assert_eq!(meta_enquiry(&acme, "81").await.unwrap().status, "received");
    assert_eq!(meta_enquiry(&bolt, "82").await.unwrap().status, "received");
    assert!(meta_enquiry(&acme, "82").await.is_none() && meta_enquiry(&bolt, "81").await.is_none());
    assert_eq!((acme.told("hudson").len(), bolt.told("ridge").len()), (1, 1));
    // One that nobody is said to have is noted, told of, and asked for by nobody.
    assert_eq!(meta_enquiry(&acme, "83").await.unwrap().status, "unfetched");
    assert!(!acme.dealers.told().iter().any(|told| told.who.starts_with("graph/83")));
    let changes = acme.desk(Method::GET, "/v1/changes", None).await.is(200);
    assert!(changes.text.contains("does not list this page"), "{}", changes.text);
    let changes = bolt.desk(Method::GET, "/v1/changes", None).await.is(200);
    assert!(!changes.text.contains("meta_unfetched"), "{}", changes.text);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expired_is_told_to_the_desk_and_no_lead_is_dropped() {
    let yard = yard().await;
    graph_says(&yard, "77", Says::Body(400, r#"{"error":{"code":190}}"#));
    graph_says(&yard, "79", Says::Status(401));
    let body = meta_notice(&["77", "79"]);
    let _ = meta(&yard, "ads", &body, &signature(&body)).await.is(200);
    yard.settle().await;
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    let told =
        changes.json["changes"].as_array().unwrap().iter().filter(|act| act["act"] == "meta_unfetched");
    assert_eq!(told.count(), 1, "once for both: {}", changes.text);
    // A new token within the week: nothing is lost.
    graph_says(&yard, "77", Says::Body(200, META_LEAD));
    yard.advance(std::time::Duration::from_secs(2 * 86_400)).await;
    assert_eq!(meta_enquiry(&yard, "77").await.unwrap().status, "received");
    // What is still refused then is the desk's.
    yard.advance(std::time::Duration::from_secs(6 * 86_400)).await;
    let kept = meta_enquiry(&yard, "79").await.unwrap();
    assert_eq!((kept.status.as_str(), kept.reasons), ("quarantined", vec!["meta_unfetched".to_owned()]));
    let listed = yard.desk(Method::GET, "/v1/quarantine?reason=meta_unfetched", None).await.is(200);
    assert!(listed.text.contains(&kept.id.to_string()), "{}", listed.text);
    let asked = yard.dealers.told().len();
    yard.advance(std::time::Duration::from_secs(86_400)).await;
    assert_eq!(yard.dealers.told().len(), asked, "nobody asks for ever");
}

#[tokio::test(start_paused = true)]
async fn what_meta_s_testing_tool_sends_reaches_nobody() {
    let yard = yard().await;
    graph_says(&yard, "80", Says::Body(200, META_TEST));
    let body = meta_notice(&["80"]);
    let _ = meta(&yard, "ads", &body, &signature(&body)).await.is(200);
    yard.settle().await;
    assert_eq!(meta_enquiry(&yard, "80").await.unwrap().status, "test");
    assert!(yard.told("hudson").is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_is_erased_before_meta_gives_their_lead_is_not_asked_for_again() {
    let yard = yard().await;
    graph_says(&yard, "77", Says::Status(500));
    let body = meta_notice(&["77"]);
    let _ = meta(&yard, "ads", &body, &signature(&body)).await.is(200);
    yard.advance(std::time::Duration::from_secs(60)).await;
    let erase = json!({ "email": "ada@mail.example", "reason": "requested" });
    let _ = yard.desk(Method::POST, "/v1/persons/erase", Some(erase)).await;
    graph_says(&yard, "77", Says::Body(200, META_LEAD));
    yard.advance(std::time::Duration::from_secs(4_000)).await;
    let asked = yard.dealers.told().len();
    assert!(meta_enquiry(&yard, "77").await.is_none());
    yard.advance(std::time::Duration::from_secs(4_000)).await;
    assert_eq!(yard.dealers.told().len(), asked);
}
