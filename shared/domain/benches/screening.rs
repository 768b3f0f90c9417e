//! What taking in one enquiry costs before anything is stored: a body read, understood and screened.
#![allow(missing_docs)] // criterion's macros write the functions

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::enquiry::{Enquiry, FieldMap, Fields, GoogleLead, MetaLead};
use leadyard_domain::screening::{
    FormSeen, PageSeen, Screening, ScreeningRules, Seen, Tally, conclude, signs,
};

const AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";

const MESSAGE: &str =
    "Looking at bay windows for the front room, two of them have rotted sills. Call after six, please.";
const AGREED: &str = "I agree that Brightside and up to three companies near me may call me.";

/// One person's enquiry, name by name.
fn said(message: &str) -> [(&'static str, String); 14] {
    [
        ("first_name", "Siobhán"),
        ("last_name", "O'Shaughnessy"),
        ("email", "siobhan.os@mail.example"),
        ("phone", "(408) 555-0107"),
        ("street", "1432 Alder Lane"),
        ("city", "San Jose"),
        ("state", "CA"),
        ("zip", "95112"),
        ("consent", "yes"),
        ("consent_text", AGREED),
        ("utm_source", "google"),
        ("utm_campaign", "spring"),
        ("gclid", "Cj0KCQ"),
        ("message", message),
    ]
    .map(|(name, value)| (name, value.to_owned()))
}

fn json(message: &str) -> Vec<u8> {
    let members: serde_json::Map<String, serde_json::Value> =
        said(message).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    serde_json::Value::Object(members).to_string().into_bytes()
}

/// As a browser sends it: `application/x-www-form-urlencoded`.
fn form(message: &str) -> Vec<u8> {
    let encoded = |text: &str| -> String {
        let of = |byte: u8| match byte {
            b' ' => "+".to_owned(),
            byte if byte.is_ascii_alphanumeric() || b"*-._".contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(of).collect::<Vec<_>>().concat()
    };
    let pairs: Vec<String> =
        said(message).iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&").into_bytes()
}

const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

fn multipart(message: &str) -> Vec<u8> {
    let part = |(name, value): &(&str, String)| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = said(message).iter().map(part).collect::<Vec<_>>().concat();
    format!("{parts}--{BOUNDARY}--\r\n").into_bytes()
}

/// As Google Ads posts a lead form.
fn google(message: &str) -> Vec<u8> {
    let columns = [
        ("FIRST_NAME", "first_name"),
        ("LAST_NAME", "last_name"),
        ("EMAIL", "email"),
        ("PHONE_NUMBER", "phone"),
        ("STREET_ADDRESS", "street"),
        ("CITY", "city"),
        ("REGION", "state"),
        ("POSTAL_CODE", "zip"),
        ("message", "message"),
    ];
    let said = said(message);
    let column = |(id, name): (&str, &str)| {
        let value = said.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        serde_json::json!({ "column_id": id, "column_name": name, "string_value": value })
    };
    let columns: Vec<serde_json::Value> = columns.into_iter().map(column).collect();
    serde_json::json!({
        "lead_id": "TeSter-123", "user_column_data": columns, "api_version": "1.0", "form_id": 40_000_000_000_u64,
        "campaign_id": 123_456_789_012_u64, "google_key": "a key of theirs", "is_test": false, "gcl_id": "Cj0KCQ",
        "adgroup_id": 20_000_000_000_u64, "creative_id": 30_000_000_000_u64,
    })
    .to_string()
    .into_bytes()
}

/// As the Graph API answers.
fn meta(message: &str) -> Vec<u8> {
    let fields: Vec<serde_json::Value> = said(message)
        .iter()
        .map(|(name, value)| serde_json::json!({ "name": name, "values": [value] }))
        .collect();
    serde_json::json!({
        "id": "4455667788", "created_time": "2026-06-01T15:30:20+0000", "ad_id": "12312", "form_id": "1234",
        "field_data": fields,
    })
    .to_string()
    .into_bytes()
}

fn adf(message: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\"?><?adf version=\"1.0\"?><adf><prospect status=\"new\"><id sequence=\"1\" source=\"portal\">\
         P-1</id><requestdate>2026-06-01T15:30:20-04:00</requestdate><vehicle interest=\"buy\" status=\"new\"><year>2026\
         </year><make>Chevrolet</make><model>Bolt</model></vehicle><customer><contact><name part=\"first\">Siobhán</name>\
         <name part=\"last\">O&apos;Shaughnessy</name><email>siobhan.os@mail.example</email><phone type=\"cellphone\">\
         (408) 555-0107</phone><address type=\"home\"><street line=\"1\">1432 Alder Lane</street><city>San Jose</city>\
         <regioncode>CA</regioncode><postalcode>95112</postalcode></address></contact><comments>{message}</comments>\
         </customer><vendor><vendorname>Brightside</vendorname><contact><name>Brightside</name></contact></vendor>\
         <provider><name>Portal</name></provider></prospect></adf>"
    )
    .into_bytes()
}

/// A body by the way in which it comes, and how it is read.
type Way = (&'static str, fn(&str) -> Vec<u8>, fn(&[u8]) -> Fields);

const WAYS: [Way; 6] = [
    ("JSON", json, |body| Fields::from_json(body).unwrap_or_default()),
    ("a form", form, |body| Fields::from_form(body).unwrap_or_default()),
    ("a form of parts", multipart, |body| {
        Fields::from_multipart(&format!("multipart/form-data; boundary={BOUNDARY}"), body).unwrap_or_default()
    }),
    ("Google Ads", google, |body| {
        GoogleLead::read(body).and_then(|lead| lead.fields(&FieldMap::default())).unwrap_or_default()
    }),
    ("Meta", meta, |body| {
        MetaLead::read(body, &Fields::default()).map(|lead| lead.fields).unwrap_or_default()
    }),
    ("ADF", adf, |body| {
        Fields::from_adf("text/xml", body).ok().and_then(|mut read| read.pop()).unwrap_or_default()
    }),
];

fn screened(rules: &ScreeningRules, fields: Fields) -> Screening {
    let enquiry =
        Enquiry { fields, received_at: Timestamp::UNIX_EPOCH, global_privacy_control: false, ip: None };
    let understood = enquiry.understand(&FieldMap::default());
    assert!(understood.reachable() && understood.message.is_some(), "the whole body was read");
    let page = PageSeen {
        user_agent: Some(AGENT),
        form: FormSeen::Opened { age: SignedDuration::from_secs(40), elsewhere: false },
        tally: Some(Tally {
            in_shard: 1,
            shards: 64,
            people_at_address: 1,
            people_of_token: 1,
            people_who_said_so: 1,
        }),
    };
    conclude(
        rules,
        signs(rules, &Seen { fields: &enquiry.fields, understood: &understood, page: Some(page) }),
    )
}

fn take_in(c: &mut Criterion) {
    let rules = ScreeningRules::default();
    let long = "We bought the house in 1994 from my aunt, and the roof was old then. ".repeat(55);
    for (message, of) in [(MESSAGE, "an enquiry"), (&*long, "one with a message of 3,800 characters")] {
        for (way, write, read) in WAYS {
            let body = write(message);
            c.bench_function(&format!("read, understand and screen {of}: {way}"), |b| {
                b.iter(|| screened(&rules, read(black_box(&body))));
            });
        }
    }
}

criterion_group!(benches, take_in);
criterion_main!(benches);
