//! The ways in besides JSON and plain forms: multipart, ad platforms, ADF; and a source's own words.

use http::Method;
use leadyard_domain::access::{Platform, PlatformKey, SourceSecret};
use leadyard_domain::ids::{EnquiryId, SourceId};
use leadyard_tests::{Person, Reply, Rules, Says, Yard};
use serde_json::{Value, json};

async fn yard() -> Yard {
    Yard::of(
        Rules::roofing("acme")
            .source_of("google", "ads", "offer = \"roof\"\nfields = { \"Which roof?\" = \"roof_type\" }")
            .source_of("google", "capped", "offer = \"roof\"\ncaps = { day = 1 }")
            .source("worded", WORDED)
            .seller("hudson", []),
    )
    .await
}

const WORDED: &str = r#"offers = { "New roof" = "roof" }
fields = { "May we call?" = "consent", "Project" = "offer", "Own?" = "homeowner" }
values = { consent = { "Yes, please call me" = "yes" }, offer = { "ROOF-2" = "New roof" }, homeowner = { "1" = "owner" } }"#;

// --- Multipart, and a source's own words ---

#[tokio::test(start_paused = true)]
async fn what_curl_sends_as_multipart_is_an_enquiry() {
    let yard = yard().await;
    // Recorded: curl 7.88.1 -F name='Ada Hill' -F email=ada@mail.example -F photo=@roof.txt
    let body = "--------------------------241b0961842b60f9\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda Hill\r\n--------------------------241b0961842b60f9\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nada@mail.example\r\n--------------------------241b0961842b60f9\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"roof.txt\"\r\nContent-Type: text/plain\r\n\r\nshingles\n\r\n--------------------------241b0961842b60f9--\r\n";
    let kind = "multipart/form-data; boundary=------------------------241b0961842b60f9";
    let reply = yard.server("web").sends(kind, body).await.is(201);
    let kept = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    assert_eq!(kept.fields.get("email"), Some("ada@mail.example"));
    assert_eq!(kept.fields.get("photo"), Some("(a file of 9 bytes, not kept)"));
    // A browser that submits such a form gets a page.
    let browser = yard.page("web").header("accept", "text/html");
    let page = browser.sends(kind, body).await.is(201);
    assert!(page.header("content-type").starts_with("text/html") && page.text.contains("Thank you"));
    // What breaks off is kept raw.
    let cut = yard.server("web").sends(kind, &body[..300]).await.is(400).is_problem("malformed-body");
    assert!(yard.enquiry(cut.text_of("enquiry")).await.unwrap().raw.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_source_s_words_are_translated_before_they_are_understood() {
    let yard = yard().await;
    let ada = Person::named("Ada", "Hill").with("May we call?", " YES, please call me").with("Own?", "1");
    let lead = yard.server("worded").posts(&ada.with("Project", "roof-2")).await.is(201);
    assert_eq!(lead.text_of("status"), "received", "{}", lead.text);
    let stored = yard.stored(lead.text_of("lead")).await;
    assert_eq!(stored.offer.as_str(), "roof");
    assert_eq!(
        stored.brings,
        leadyard_domain::contract::Needs::NONE.with(leadyard_domain::contract::Need::Consent)
    );
    // What was received is kept as it came.
    let kept = yard.enquiry(lead.text_of("enquiry")).await.unwrap();
    assert_eq!(kept.fields.get("Own?"), Some("1"));
    let understood = leadyard_platform::judging::understand(&kept, Some(&source(&yard, "worded").await));
    assert_eq!(understood.extra.get("homeowner").map(String::as_str), Some("owner"));
}

async fn source(yard: &Yard, id: &str) -> leadyard_domain::rulebook::Source {
    let core = yard.cloud.rulebooks.current(&yard.cloud.store, &yard.company_id()).await.unwrap().unwrap();
    core.source(&SourceId::new(id).unwrap()).unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_value_map_that_cannot_be_kept_is_refused_by_its_place() {
    let yard = yard().await;
    for (values, says) in [
        ("values = { \"Own?\" = { a = \"b\" } }", "a field is named as we name it"),
        ("values = { consent = \"yes\" }", "this is a table"),
        ("values = { consent = { \"Ja\" = \"yes\", \"ja\" = \"no\" } }", "each of the sender's values once"),
        ("fields = { \"Mail\" = \"email\", \"mail\" = \"phone\" }", "each of the sender's fields once"),
    ] {
        let rules = Rules::roofing("acme").source("bad", &format!("offer = \"roof\"\n{values}"));
        let refused = yard.publish(&rules.seller("hudson", [])).await.is(422).is_problem("rulebook-refused");
        assert!(refused.text.contains(says), "{values}: {}", refused.text);
        assert!(refused.text.contains("sources.toml"), "{}", refused.text);
    }
}

// --- Google Ads ---

fn google_key(yard: &Yard, source: &str) -> String {
    platform_key(yard, Platform::Google, source)
}

fn platform_key(yard: &Yard, platform: Platform, source: &str) -> String {
    let source =
        SourceSecret { company: yard.company_id(), source: SourceId::new(source).unwrap(), generation: 1 };
    PlatformKey::of(&yard.cloud.master, platform, &source).reveal().to_owned()
}

/// As Google's documentation of its webhook shows it; the person is ours.
pub(crate) fn google_lead(yard: &Yard, source: &str, lead_id: &str) -> Value {
    json!({
        "lead_id": lead_id,
        "user_column_data": [
            { "column_name": "Full Name", "string_value": "Ada Hill", "column_id": "FULL_NAME" },
            { "column_name": "User Email", "string_value": "ada@mail.example", "column_id": "EMAIL" },
            { "column_name": "User Phone", "string_value": "1-305-555-0100", "column_id": "PHONE_NUMBER" },
            { "column_name": "Postal Code", "string_value": "33101", "column_id": "POSTAL_CODE" },
            { "column_name": "Which roof?", "string_value": "metal", "column_id": "q_17" },
        ],
        "api_version": "1.0", "form_id": 40_000_000_000_u64, "campaign_id": "123456789012345678",
        "google_key": google_key(yard, source), "is_test": false, "gcl_id": "CjwK",
        "adgroup_id": 20_000_000_000_u64, "creative_id": 30_000_000_000_u64,
    })
}

/// The same of whoever says this of themselves.
pub(crate) fn google_lead_of(yard: &Yard, source: &str, lead_id: &str, said: &[(&str, &str)]) -> Value {
    let mut lead = google_lead(yard, source, lead_id);
    lead["user_column_data"] =
        said.iter().map(|(id, value)| json!({ "column_id": id, "string_value": value })).collect();
    lead
}

pub(crate) async fn google(yard: &Yard, source: &str, lead: &Value) -> Reply {
    let path = format!("/v1/leads/{}/google", yard.page(source).key());
    yard.sends(None, Method::POST, &path, "application/json", lead.to_string().into_bytes()).await
}

pub(crate) fn id_of(yard: &Yard, platform: Platform, source: &str, lead_id: &str) -> String {
    let source = SourceId::new(source).unwrap();
    yard.cloud.master.platform_enquiry(platform, &yard.company_id(), &source, lead_id).to_string()
}

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

// --- Meta ---

/// As Meta's documentation of the leadgen webhook shows it.
pub(crate) fn meta_notice(leads: &[&str]) -> String {
    meta_notice_of(123_123_123, leads)
}

pub(crate) fn meta_notice_of(page: u64, leads: &[&str]) -> String {
    let change = |lead: &&str| {
        json!({ "field": "leadgen", "value": {
            "leadgen_id": lead, "page_id": page, "form_id": 12_312_312_312_u64,
            "adgroup_id": 12_312_312_312_u64, "ad_id": 12_312_312_312_u64, "created_time": 1_440_120_384,
        } })
    };
    let changes: Vec<Value> = leads.iter().map(change).collect();
    json!({ "object": "page", "entry": [{ "id": 153_125_381_133_u64, "time": 1_438_292_065, "changes": changes }] })
        .to_string()
}

/// As its documentation shows what the Graph API answers; the person is ours.
pub(crate) const META_LEAD: &str = r#"{"created_time":"2015-02-28T08:49:14+0000","id":"77","ad_id":"12312","form_id":"1234","field_data":[{"name":"full_name","values":["Ada Hill"]},{"name":"email","values":["ada@mail.example"]},{"name":"phone_number","values":["+13055550100"]},{"name":"zip_code","values":["33101"]},{"name":"roofs","values":["flat","steep"]}]}"#;

/// What Meta's testing tool fills a form with.
const META_TEST: &str = r#"{"id":"80","field_data":[{"name":"full_name","values":["<test lead: dummy data for full_name>"]},{"name":"email","values":["test@fb.com"]}]}"#;

pub(crate) fn signature(body: &str) -> String {
    signature_by(leadyard_tests::APP_SECRET, body)
}

/// That of an app's secret.
pub(crate) fn signature_by(app_secret: &str, body: &str) -> String {
    use hmac::Mac as _;
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(app_secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let hex: Vec<String> = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={}", hex.concat())
}

pub(crate) async fn meta(yard: &Yard, source: &str, body: &str, signature: &str) -> Reply {
    let path = format!("{}/meta", yard.page(source).key());
    yard.page(source)
        .with_key(&path)
        .header("x-hub-signature-256", signature)
        .sends("application/json", body)
        .await
}

/// From now on the Graph API says this of a lead.
pub(crate) fn graph_says(yard: &Yard, lead: &str, says: Says) {
    yard.dealers.says(&format!("graph/{lead}?fields=id,created_time,ad_id,form_id,field_data"), says);
}

pub(crate) async fn meta_enquiry(yard: &Yard, lead: &str) -> Option<leadyard_platform::store::StoredEnquiry> {
    yard.enquiry(&id_of(yard, Platform::Meta, "ads", lead)).await
}

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

// --- ADF ---

fn adf(people: &[(&str, &str)]) -> String {
    let prospect = |(name, email): &(&str, &str)| {
        format!(
            "<prospect><requestdate>2026-06-01T15:30:20-04:00</requestdate><vehicle interest=\"buy\"><year>2021</year><make>Chevrolet</make></vehicle><customer><contact><name part=\"full\">{name}</name><email>{email}</email><address><postalcode>33101</postalcode></address></contact></customer></prospect>"
        )
    };
    let all: String = people.iter().map(prospect).collect();
    format!("<?xml version=\"1.0\"?><?adf version=\"1.0\"?><adf>{all}</adf>")
}

#[tokio::test(start_paused = true)]
async fn an_adf_prospect_is_an_enquiry_under_each_of_its_types() {
    let yard = yard().await;
    let body = adf(&[("Ada Hill", "ada@mail.example")]);
    let first = yard.server("web").sends("application/x-adf+xml", body.clone()).await.is(201);
    for kind in ["text/xml; charset=utf-8", "application/xml"] {
        let again = yard.server("web").sends(kind, body.clone()).await.is(200);
        assert_eq!(again.text_of("lead"), first.text_of("lead"));
    }
    let kept = yard.enquiry(first.text_of("enquiry")).await.unwrap();
    assert_eq!(kept.fields.get("vehicle_make"), Some("Chevrolet"));
    yard.settle().await;
    assert_eq!(yard.told("hudson")[0].lead(), first.text_of("lead"));
    // No prospect: kept raw, and said.
    let none = yard.server("web").sends("text/xml", "<adf/>").await.is(400).is_problem("malformed-body");
    assert_eq!(yard.enquiry(none.text_of("enquiry")).await.unwrap().raw.as_deref(), Some("<adf/>"));
}

#[tokio::test(start_paused = true)]
async fn several_prospects_are_several_enquiries_and_none_is_lost() {
    let yard = yard().await;
    let server = yard.server("web").header("idempotency-key", "file-1");
    let body = adf(&[("Ada Hill", "ada@mail.example"), ("Bob Mann", "bob@mail.example")]);
    let reply = server.sends("text/xml", body.clone()).await.is(201);
    let each = reply.json["enquiries"].as_array().unwrap().clone();
    assert_eq!((reply.text_of("status"), each.len()), ("received", 2));
    let again = server.sends("text/xml", body).await.is(201);
    assert_eq!(again.json, reply.json, "a replay of each");
    // Under one key, each of them is somebody.
    let of = |at: usize| each[at]["enquiry"].as_str().unwrap().to_owned();
    let email = async |at: usize| yard.enquiry(&of(at)).await.unwrap().fields.get("email").map(str::to_owned);
    assert_eq!(email(0).await.as_deref(), Some("ada@mail.example"));
    assert_eq!(email(1).await.as_deref(), Some("bob@mail.example"));
    assert_ne!(each[0]["lead"], each[1]["lead"]);
    // One that reaches nobody is named, and kept; the other is kept as usual.
    let body = adf(&[("Nobody", "-"), ("Cy Young", "cy@mail.example")]);
    let reply = yard.server("web").sends("text/xml", body).await.is(422).is_problem("unreachable-person");
    let each = reply.json["enquiries"].as_array().unwrap();
    let status_of =
        async |at: usize| yard.enquiry(each[at]["enquiry"].as_str().unwrap()).await.unwrap().status;
    assert_eq!((status_of(0).await, status_of(1).await), ("quarantined".to_owned(), "received".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn adf_is_spilled_prospect_by_prospect() {
    let yard = yard().await;
    yard.lead(&Person::named("Dan", "Fox")).await;
    yard.faults.table(true);
    let one = yard.server("web").sends("text/xml", adf(&[("Ada Hill", "ada@mail.example")])).await.is(202);
    let two = adf(&[("Bob Mann", "bob@mail.example"), ("Cy Young", "cy@mail.example")]);
    let two = yard.server("web").sends("text/xml", two).await.is(202);
    yard.faults.table(false);
    yard.settle().await;
    let each = two.json["enquiries"].as_array().unwrap();
    assert!(each.iter().all(|one| one["status"] == "spilled"), "{}", two.text);
    for id in each.iter().chain([&one.json]).map(|one| one["enquiry"].as_str().unwrap()) {
        let id: EnquiryId = id.parse().unwrap();
        assert_eq!(yard.enquiry(&id.to_string()).await.unwrap().status, "received");
    }
}

// --- Posting instructions ---

async fn instructions(yard: &Yard, source: &str) -> Reply {
    let page = yard.page(source).header("host", "leads.example");
    page.gets(&format!("/v1/leads/{}/instructions", page.key())).await
}

/// What stands in an element of the page, as its reader sees it.
fn shown(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("<pre id=\"{id}\">")).unwrap();
    let text = rest.split_once("</pre>").unwrap().0;
    let pairs = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

#[tokio::test(start_paused = true)]
async fn the_instructions_name_every_field_and_every_answer() {
    let yard = yard().await;
    let page = instructions(&yard, "worded").await.is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    for field in leadyard_domain::enquiry::Standard::ALL {
        assert!(page.text.contains(&format!("<code>{field}</code>")), "{field}");
    }
    let not_intake_s = ["version-conflict", "rulebook-refused"];
    for code in leadyard_domain::error::Code::ALL {
        let there = page.text.contains(&format!("urn:leadyard:problem:{}&#34;", code.slug()));
        assert_eq!(there, !not_intake_s.contains(&code.slug()), "{}", code.slug());
    }
    for word in ["received", "repeat", "quarantined", "spilled"] {
        assert!(page.text.contains(&format!("&#34;status&#34;: &#34;{word}&#34;")), "{word}");
    }
    // Its own words, and how it is read.
    for theirs in ["May we call?", "Yes, please call me", "ROOF-2", "New roof"] {
        assert!(page.text.contains(theirs), "{theirs}");
    }
    // What it is held to, as it is now.
    let capped = instructions(&yard, "capped").await.is(200);
    for limit in ["At most 1 new leads a day.", "A body has at most 65536 bytes."] {
        assert!(capped.text.contains(limit), "{limit}");
    }
    // No secret, and nothing of who receives.
    for hidden in [yard.secret("worded"), google_key(&yard, "worded"), "hudson".to_owned()] {
        assert!(!page.text.contains(&hidden));
    }
    let json = yard.page("worded").header("accept", "application/json");
    let json = json.gets(&format!("/v1/leads/{}/instructions", json.key())).await.is(200);
    assert_eq!(json.json["fields"][0]["name"], "email");
    let old = yard.page_of("worded", &[], 2);
    let _ =
        old.gets(&format!("/v1/leads/{}/instructions", old.key())).await.is(401).is_problem("unauthorized");
}

/// The answers of one way that a source's instructions list: status and body.
async fn listed(yard: &Yard, source: &str, way: &str) -> Vec<(u64, Value)> {
    let page = yard.page(source).header("accept", "application/json");
    let told = page.gets(&format!("/v1/leads/{}/instructions", page.key())).await.is(200).json;
    let of_way = |told: &&Value| told["when"].as_str().unwrap().starts_with(way);
    let body = |told: &Value| serde_json::from_str(told["body"].as_str().unwrap()).unwrap_or_default();
    let told = told["answers"].as_array().unwrap();
    told.iter().filter(of_way).map(|told| (told["status"].as_u64().unwrap(), body(told))).collect()
}

/// What programs tell answers apart by: the status, the names of the members, the word for what became of it.
fn looks(status: u64, body: &Value) -> (u64, Vec<String>, Value) {
    let mut names: Vec<String> =
        body.as_object().map(|body| body.keys().cloned().collect()).unwrap_or_default();
    // Which fields are at fault, where any is; and what a test would wait for, where it would.
    names.retain(|name| name != "errors" && name != "would_wait");
    names.sort();
    (status, names, body.get("status").cloned().unwrap_or_default())
}

/// Holds what was answered in one way against what the instructions list: all of it, and nothing else.
async fn lists(yard: &Yard, source: &str, way: &str, replies: &[&Reply]) {
    let listed: Vec<_> =
        listed(yard, source, way).await.iter().map(|(status, body)| looks(*status, body)).collect();
    let answered: Vec<_> =
        replies.iter().map(|reply| looks(reply.status.as_u16().into(), &reply.json)).collect();
    for one in &answered {
        assert!(listed.contains(one), "{way}: {one:?} is answered, and listed are {listed:?}");
    }
    for one in &listed {
        assert!(answered.contains(one), "{way}: {one:?} is listed, and answered were {answered:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_instructions_list_each_answer_as_it_is_given_in_each_way() {
    let yard = Yard::of(
        Rules::roofing("acme")
            .source_of("google", "ads", "offer = \"roof\"")
            .source_of("meta", "social", "offer = \"roof\"")
            .source("trials", "offer = \"roof\"\ntest = true")
            .seller("hudson", []),
    )
    .await;
    let (ada, bob) = (Person::named("Ada", "Hill"), Person::named("Bob", "Mann"));
    let doubtful = Person::named("Cy", "Young").with("email", "cy@mailinator.com");
    let (page, server) = (yard.page("web"), yard.server("web"));
    let by_page = [page.posts(&ada).await, page.posts(&ada).await, page.posts(&doubtful).await];
    let by_server = [server.posts(&bob).await, server.posts(&bob).await, server.posts(&doubtful).await];
    let test = yard.server("trials").posts(&bob).await;
    let documents = [
        adf(&[("Di Fox", "di@mail.example"), ("Ed Roe", "ed@mail.example")]),
        adf(&[("Di Fox", "di@mail.example"), ("Nobody", "-")]),
    ];
    let [well, refused] = documents.each_ref().map(|document| server.sends("text/xml", document.clone()));
    let (well, refused) = (well.await, refused.await);
    let lead = google_lead(&yard, "ads", "g-1");
    let mut unreachable = google_lead(&yard, "ads", "g-2");
    unreachable["user_column_data"] = json!([]);
    let by_google = [google(&yard, "ads", &lead).await, google(&yard, "ads", &unreachable).await];
    yard.faults.table(true);
    let away = (page.posts(&ada).await, server.posts(&bob).await);
    let several_away = server.sends("text/xml", documents[0].clone()).await;
    let google_away = google(&yard, "ads", &google_lead(&yard, "ads", "g-3")).await;
    yard.faults.table(false);

    let [first, again, aside] = &by_page;
    lists(&yard, "web", "with the page key", &[first, again, aside, &away.0]).await;
    let [first, again, aside] = &by_server;
    lists(&yard, "web", "with the secret", &[first, again, aside, &test, &away.1]).await;
    lists(&yard, "web", "an ADF document", &[&well, &refused, &several_away]).await;
    let [kept, refused] = &by_google;
    lists(&yard, "ads", "from Google Ads", &[kept, refused, &google_away]).await;

    // Meta is told nothing but a status, and its challenge.
    let body = meta_notice(&["77"]);
    let told = meta(&yard, "social", &body, &signature(&body)).await.is(200);
    assert_eq!(
        (told.text.as_str(), listed(&yard, "social", "to Meta's notice").await),
        ("", vec![(200, Value::Null)])
    );
    let token = platform_key(&yard, Platform::Meta, "social");
    let path = format!("/v1/leads/{}/meta", yard.page("social").key());
    let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=115");
    assert_eq!(yard.page("social").gets(&format!("{path}?{query}")).await.is(200).text, "115");
    assert_eq!(listed(&yard, "social", "to Meta's subscription").await.len(), 1);
    // Of a platform that a source is not, nothing is said.
    for (source, way) in
        [("web", "from Google"), ("web", "to Meta"), ("ads", "to Meta"), ("social", "from Google")]
    {
        assert!(listed(&yard, source, way).await.is_empty(), "{source}: {way}");
    }
}

/// The example as it stands in the page: its URL, its header, its body.
#[tokio::test(start_paused = true)]
async fn the_example_of_the_instructions_is_accepted_as_it_stands() {
    let yard = yard().await;
    for source in ["web", "worded"] {
        let page = instructions(&yard, source).await.is(200).text;
        let curl = shown(&page, "curl").replace("\\\n", " ");
        let quoted: Vec<&str> = curl.split('\'').skip(1).step_by(2).collect();
        let [url, header, body] = quoted.as_slice() else { panic!("{curl}") };
        let (name, kind) = header.split_once(": ").unwrap();
        assert_eq!(name, "Content-Type");
        let path = url.strip_prefix("https://leads.example").unwrap();
        let reply = yard.sends(None, Method::POST, path, kind, body.as_bytes().to_vec()).await.is(201);
        let kept = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
        assert!(["received", "repeat"].contains(&kept.status.as_str()), "{}", kept.status);
    }
}

#[tokio::test(start_paused = true)]
async fn the_button_of_the_instructions_skews_nothing() {
    let yard = yard().await;
    let path = format!("/v1/leads/{}/instructions", yard.page("capped").key());
    let form = Person::named("Ada", "Hill").form().into_bytes();
    for _ in 0..3 {
        let kind = "application/x-www-form-urlencoded";
        let reply = yard.sends(None, Method::POST, &path, kind, form.clone()).await.is(201);
        assert!(reply.text.contains("The test lead was read"), "{}", reply.text);
        assert!(!reply.text.contains("hudson"));
        let answer: Value = serde_json::from_str(&shown(&reply.text, "answer")).unwrap();
        let kept = yard.enquiry(answer["enquiry"].as_str().unwrap()).await.unwrap();
        assert_eq!((kept.status.as_str(), kept.lead), ("test", None));
    }
    yard.settle().await;
    assert!(yard.told("hudson").is_empty());
    // The cap of one a day is whole, and the person is new.
    let real = yard.server("capped").posts(&Person::named("Ada", "Hill")).await.is(201);
    assert_eq!(real.text_of("status"), "received");
    // Full, it refuses no trial.
    let _ = yard.server("capped").posts(&Person::named("Bob", "Mann")).await.is(429);
    let kind = "application/x-www-form-urlencoded";
    let reply = yard.sends(None, Method::POST, &path, kind, form.clone()).await.is(201);
    assert!(reply.text.contains("The test lead was read"), "{}", reply.text);
    // What cannot be read is nobody's to put right.
    let broken = yard.sends(None, Method::POST, &path, "application/json", b"{broken".to_vec()).await;
    let answer: Value = serde_json::from_str(&shown(&broken.text, "answer")).unwrap();
    assert_eq!(yard.enquiry(answer["enquiry"].as_str().unwrap()).await.unwrap().status, "test");
    // What a page would be refused is refused here, in words.
    let nobody =
        yard.sends(None, Method::POST, &path, "application/x-www-form-urlencoded", b"zip=1".to_vec()).await;
    assert!(nobody.status.as_u16() < 500 && !nobody.text.is_empty());
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
