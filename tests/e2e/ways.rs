//! The ways in besides JSON and plain forms: multipart, ad platforms, ADF; and a source's own words.
//!
//! | module | holds |
//! |---|---|
//! | `words` | multipart, and a source's own words |
//! | `google_ads` | Google Ads: each lead once, and only with the source's key |
//! | `meta_ads` | Meta: a signed notice, and the lead that is fetched for it |
//! | `prospects` | ADF: each prospect of a document is an enquiry |
//! | `instructions` | what a source is told of how to post, as it is answered |

mod words;
mod google_ads;
mod meta_ads;
mod prospects;
mod instructions;

use http::Method;
use leadyard_domain::access::{Platform, PlatformKey, SourceSecret};
use leadyard_domain::ids::SourceId;
use leadyard_tests::{Reply, Rules, Says, Yard};
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

async fn source(yard: &Yard, id: &str) -> leadyard_domain::rulebook::Source {
    let core = yard.cloud.rulebooks.current(&yard.cloud.store, &yard.company_id()).await.unwrap().unwrap();
    core.source(&SourceId::new(id).unwrap()).unwrap().clone()
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
