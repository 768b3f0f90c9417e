//! Demo dealers, over their routes: what they take and show, and how they behave.

use super::*;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use standardwebhooks::Webhook;
use tower::ServiceExt as _;

const SECRETS: [&str; 2] =
    ["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"];

fn now() -> Timestamp {
    "2026-06-01T13:00:00Z".parse().unwrap()
}

fn dealers() -> DemoDealers {
    let secrets = |dealer: &str| {
        if dealer == "nobody" { Vec::new() } else { SECRETS.map(str::to_owned).to_vec() }
    };
    DemoDealers::new(Arc::new(secrets), Arc::new(now))
}

fn assigned(n: u8, name: &str) -> String {
    serde_json::json!({"type": "lead.assigned", "timestamp": "2026-06-01T13:00:00Z", "data": {
        "assignment_id": format!("a{n}"), "lead_id": format!("l{n}"), "offer": "roof-inspection",
        "contract": "c1", "price": "45.00",
        "person": {"first_name": name, "last_name": "Example"}, "address": {"zip": "80219"}
    }})
    .to_string()
}

fn about(event: &str, n: u8) -> String {
    serde_json::json!({"type": event, "timestamp": "2026-06-01T13:00:00Z", "data": {
        "assignment_id": format!("a{n}"), "lead_id": format!("l{n}")}})
    .to_string()
}

fn message(path: &str, id: &str, body: &str, secret: &str, at: i64) -> Request<Body> {
    let signature = Webhook::new(secret).unwrap().sign(id, at, body.as_bytes()).unwrap();
    Request::post(path)
        .header("webhook-id", id)
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", format!("v1,AAAA {signature}"))
        .body(Body::from(body.to_owned()))
        .unwrap()
}

async fn send(dealers: &DemoDealers, path: &str, id: &str, body: &str) -> StatusCode {
    let request = message(path, id, body, SECRETS[1], now().as_second());
    router(dealers.clone()).oneshot(request).await.unwrap().status()
}

async fn fetch(dealers: &DemoDealers, path: &str) -> String {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router(dealers.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn tell(dealers: &DemoDealers, form: &str) -> StatusCode {
    let request = Request::post("/demo/behave").body(Body::from(form.to_owned())).unwrap();
    router(dealers.clone()).oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn what_is_rightly_signed_is_taken_and_counted_once() {
    let dealers = dealers();
    for _ in 0..3 {
        let status = send(&dealers, "/demo/dealer/acme", "msg_1", &assigned(1, "Ada")).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    let received = dealers.received();
    assert_eq!(received.len(), 1);
    let first = &received[0];
    assert_eq!((first.name.as_str(), first.zip.as_str(), first.duplicates), ("Ada Example", "80219", 2));
    assert!(first.verified && first.answered == 204);
    assert_eq!(dealers.counts(), Counts { verified: 1, duplicates: 2, refused: 0 });
    assert_eq!(dealers.counts_of("acme"), dealers.counts());
    assert_eq!(dealers.counts_of("other"), Counts::default());
}

#[tokio::test]
async fn the_same_id_to_another_dealer_is_another_message() {
    let dealers = dealers();
    send(&dealers, "/demo/dealer/acme", "msg_1", &assigned(1, "Ada")).await;
    send(&dealers, "/demo/dealer/other", "msg_1", &assigned(1, "Ada")).await;
    assert_eq!(dealers.received().len(), 2);
    assert_eq!(dealers.counts().duplicates, 0);
}

#[tokio::test]
async fn a_wrong_body_secret_or_time_is_refused() {
    let dealers = dealers();
    let at = now().as_second();
    let wrong_secret = message("/demo/dealer/acme", "m1", "{}", "whsec_enp6enp6enp6enp6enp6enp6enp6enp6", at);
    let too_old = message("/demo/dealer/acme", "m2", "{}", SECRETS[0], at - 301);
    let too_new = message("/demo/dealer/acme", "m3", "{}", SECRETS[0], at + 301);
    let (parts, _) = message("/demo/dealer/acme", "m4", "{}", SECRETS[0], at).into_parts();
    let other_body = Request::from_parts(parts, Body::from("{ }"));
    let unsigned = Request::post("/demo/dealer/acme").body(Body::from("{}")).unwrap();
    for request in [wrong_secret, too_old, too_new, other_body, unsigned] {
        let status = router(dealers.clone()).oneshot(request).await.unwrap().status();
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(dealers.counts(), Counts { verified: 0, duplicates: 0, refused: 5 });
    assert!(dealers.received().iter().all(|message| !message.verified && message.answered == 401));
    for edge in [at - 300, at + 300] {
        let request = message("/demo/dealer/acme", "m5", "{}", SECRETS[0], edge);
        let status = router(dealers.clone()).oneshot(request).await.unwrap().status();
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    let status = send(&dealers, "/demo/dealer/nobody", "m6", "{}").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_withdrawal_strikes_its_lead_through_in_either_order() {
    let dealers = dealers();
    send(&dealers, "/demo/dealer/acme", "m1", &assigned(1, "Ada")).await;
    send(&dealers, "/demo/dealer/acme", "m2", &about("lead.withdrawn", 1)).await;
    send(&dealers, "/demo/dealer/acme", "m3", &about("lead.withdrawn", 2)).await;
    send(&dealers, "/demo/dealer/acme", "m4", &assigned(2, "Bob")).await;
    send(&dealers, "/demo/dealer/acme", "m5", &assigned(3, "Cy")).await;
    send(&dealers, "/demo/dealer/other", "m6", &assigned(1, "Ada")).await;
    let withdrawn: Vec<bool> = dealers.received().iter().map(|message| message.withdrawn).collect();
    assert_eq!(withdrawn, [true, false, false, true, false, false]);
    assert!(fetch(&dealers, "/demo/dealer").await.contains(r#"class="struck""#));
}

#[tokio::test]
async fn an_unverified_withdrawal_does_nothing() {
    let dealers = dealers();
    send(&dealers, "/demo/dealer/acme", "m1", &assigned(1, "Ada")).await;
    let body = about("lead.withdrawn", 1);
    let forged = message("/demo/dealer/acme", "m2", &body, SECRETS[0], 0);
    router(dealers.clone()).oneshot(forged).await.unwrap();
    assert!(!dealers.received()[0].withdrawn);
}

#[tokio::test]
async fn an_erased_person_is_gone_here_too_in_either_order() {
    let dealers = dealers();
    send(&dealers, "/demo/dealer/acme", "m1", &assigned(1, "Ada")).await;
    send(&dealers, "/demo/dealer/acme", "m2", &about("lead.erased", 1)).await;
    send(&dealers, "/demo/dealer/acme", "m3", &assigned(1, "Ada")).await;
    let shown = fetch(&dealers, "/demo/dealer").await + &fetch(&dealers, "/demo/dealer/received.json").await;
    assert!(!shown.contains("Ada") && !shown.contains("80219"));
    assert!(shown.contains(">erased</td>"));
}

#[tokio::test]
async fn a_dealer_behaves_as_told_by_form_or_address() {
    let dealers = dealers();
    assert_eq!(tell(&dealers, "dealer=acme&behave=500").await, StatusCode::SEE_OTHER);
    assert_eq!(tell(&dealers, "dealer=nobody&behave=500").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(tell(&dealers, "dealer=acme&behave=teapot").await, StatusCode::UNPROCESSABLE_ENTITY);
    let path = "/demo/dealer/acme";
    assert_eq!(send(&dealers, path, "m1", "{}").await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(send(&dealers, "/demo/dealer/other", "m1", "{}").await, StatusCode::NO_CONTENT);
    assert_eq!(send(&dealers, "/demo/dealer/acme?behave=410", "m1", "{}").await, StatusCode::GONE);
    assert!(fetch(&dealers, "/demo/dealer").await.contains("<code>acme</code> 500"));
    tell(&dealers, "dealer=acme&behave=429").await;
    let request = message(path, "m2", "{}", SECRETS[0], now().as_second());
    let response = router(dealers.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "10");
    tell(&dealers, "dealer=acme&behave=refuse").await;
    assert_eq!(send(&dealers, path, "m1", "{}").await, StatusCode::UNAUTHORIZED);
    tell(&dealers, "dealer=acme&behave=204").await;
    assert_eq!(send(&dealers, path, "m1", "{}").await, StatusCode::NO_CONTENT);
    assert_eq!(dealers.received().iter().filter(|message| message.dealer == "acme").count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_hangs_has_the_lead_all_the_same() {
    let dealers = dealers();
    dealers.behave("acme", Behave::Hang);
    let sending = {
        let dealers = dealers.clone();
        tokio::spawn(async move { send(&dealers, "/demo/dealer/acme", "m1", &assigned(1, "Ada")).await })
    };
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(dealers.received()[0].answered, 0);
    assert!(!sending.is_finished());
    assert_eq!(sending.await.unwrap(), StatusCode::NO_CONTENT);
    assert_eq!(dealers.received()[0].answered, 204);
}

#[tokio::test]
async fn the_newest_five_hundred_are_kept_and_changes_are_told_once() {
    let dealers = dealers();
    for n in 0..KEPT + 5 {
        send(&dealers, "/demo/dealer/acme", &format!("m{n}"), "{}").await;
    }
    assert_eq!(dealers.received().len(), KEPT);
    let all: serde_json::Value =
        serde_json::from_str(&fetch(&dealers, "/demo/dealer/received.json").await).unwrap();
    assert_eq!(all["oldest"], 6);
    assert_eq!(all["messages"][0]["number"], 505);
    let change = all["change"].as_u64().unwrap();
    send(&dealers, "/demo/dealer/acme", "m504", "{}").await;
    let path = format!("/demo/dealer/received.json?after={change}");
    let next: serde_json::Value = serde_json::from_str(&fetch(&dealers, &path).await).unwrap();
    assert_eq!(next["messages"].as_array().unwrap().len(), 1);
    assert_eq!(next["messages"][0]["duplicates"], 1);
    let earlier_process: serde_json::Value =
        serde_json::from_str(&fetch(&dealers, "/demo/dealer/received.json?after=999999").await).unwrap();
    assert_eq!(earlier_process["messages"].as_array().unwrap().len(), KEPT);
}

#[tokio::test]
async fn a_hostile_lead_is_only_text() {
    let dealers = dealers();
    let hostile = r#"</td><script>alert(1)</script><img src=x onerror="alert(1)">'{{rows}}"#;
    let body = serde_json::json!({"type": hostile, "data": {
        "assignment_id": hostile, "lead_id": hostile, "offer": hostile, "contract": hostile,
        "price": hostile, "person": {"first_name": hostile, "last_name": {"a": 1}},
        "address": {"zip": hostile}}})
    .to_string();
    assert_eq!(send(&dealers, "/demo/dealer/acme", "m1", &body).await, StatusCode::NO_CONTENT);
    let odd = "/demo/dealer/%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    send(&dealers, odd, "<script>alert(1)</script>", "[1, 2").await;
    tell(&dealers, "dealer=%3Cscript%3E&behave=500").await;
    let page = fetch(&dealers, "/demo/dealer").await;
    assert!(!page.contains("<script>") && !page.contains("<img"));
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(dealers.received().len(), 2);
}

#[tokio::test]
async fn a_long_text_is_shortened_and_a_huge_body_refused() {
    let dealers = dealers();
    send(&dealers, "/demo/dealer/acme", "m1", &assigned(1, &"é".repeat(5_000))).await;
    assert!(dealers.received()[0].name.chars().count() <= 2 * SHOWN_CHARS + 1);
    let status = send(&dealers, "/demo/dealer/acme", "m2", &"x".repeat(BODY_BYTES + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let status = send(&dealers, &format!("/demo/dealer/{}", "d".repeat(49)), "m3", "{}").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
