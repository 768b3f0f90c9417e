//! What senders send, and what becomes of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use sha2::Digest as _;

use super::*;
use crate::contract::{Need, Needs};
use crate::error::Code;
use crate::ids::{OfferId, SourceId};
use crate::limits;
use crate::person::{Email, Phone};
use crate::scoring::FitPart;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn enquiry(fields: Fields) -> Enquiry {
    Enquiry { fields, received_at: at("2026-06-01T12:00:00Z"), global_privacy_control: false, ip: None }
}

fn json(body: &str) -> Fields {
    Fields::from_json(body.as_bytes()).unwrap()
}

fn understood(body: &str) -> Understood {
    enquiry(json(body)).understand(&FieldMap::default())
}

fn pairs(fields: &Fields) -> Vec<(&str, &str)> {
    fields.iter().collect()
}

fn pointers(understood: &Understood) -> Vec<&str> {
    understood.notes.iter().map(|note| note.pointer.as_str()).collect()
}

#[test]
fn json_is_flattened_in_order() {
    let fields = json(
        r#"{"name":"Ada","contact":{"phone":{"home":3055550100}},"interests":["roof","gutters",2,true,null],
           "vehicles":[{"make":"A"},{"make":"B"},["x",["y"]]],"none":null,"ok":false,"price":1.5,"big":1e300}"#,
    );
    assert_eq!(
        pairs(&fields),
        [
            ("name", "Ada"),
            ("contact.phone.home", "3055550100"),
            ("interests", "roof, gutters, 2, true"),
            ("vehicles.0.make", "A"),
            ("vehicles.1.make", "B"),
            ("vehicles.2", "x"),
            ("vehicles.2.1", "y"),
            ("ok", "false"),
            ("price", "1.5"),
            ("big", "1e+300"),
        ]
    );
}

#[test]
fn a_form_is_read_as_browsers_write_it() {
    let fields =
        Fields::from_form(b"first+name=Ada&email=ada%40example.com&i=a&i=b&empty=&flag&%zz=100%").unwrap();
    assert_eq!(
        pairs(&fields),
        [
            ("first name", "Ada"),
            ("email", "ada@example.com"),
            ("i", "a, b"),
            ("empty", ""),
            ("flag", ""),
            ("%zz", "100%"),
        ]
    );
}

#[test]
fn a_body_that_cannot_be_read_says_why_and_nothing_of_itself() {
    let refused = |body: &[u8]| Fields::from_json(body).unwrap_err();
    assert_eq!(refused(&vec![b' '; limits::BODY_BYTES + 1]), BodyError::TooLarge { limit: 65_536 });
    assert_eq!(refused(b"{\"a\":\"\xff\"}"), BodyError::NotUtf8);
    assert_eq!(refused(b"{\"a\":\n  nope}"), BodyError::BadJson { line: 2, column: 4 });
    assert!(matches!(refused(b"{\"a\":1} x"), BodyError::BadJson { .. }));
    assert!(matches!(refused(b""), BodyError::BadJson { .. }));
    assert_eq!(refused(b"[1]"), BodyError::NotAnObject);
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert_eq!(refused(deep(17).as_bytes()), BodyError::TooDeep { limit: 16 });
    assert!(Fields::from_json(deep(16).as_bytes()).is_ok());
    assert!(Fields::from_json(br#"{"a":"[[[[[[[[[[[[[[[[[[[[[[\"[[["}"#).is_ok()); // brackets in a string
    let many: Vec<String> = (0..=limits::ENQUIRY_FIELDS).map(|i| format!("\"f{i}\":{i}")).collect();
    assert_eq!(
        refused(format!("{{{}}}", many.join(",")).as_bytes()),
        BodyError::TooManyFields { limit: 200 }
    );
    assert_eq!(Fields::from_form(b"name=Jos%E9"), Err(BodyError::NotUtf8));
    assert_eq!(
        Fields::from_form(&vec![b'a'; limits::BODY_BYTES + 1]),
        Err(BodyError::TooLarge { limit: 65_536 })
    );
    assert_eq!(BodyError::TooLarge { limit: 1 }.code(), Code::BodyTooLarge);
    assert_eq!(BodyError::NotUtf8.code(), Code::MalformedBody);
    assert_eq!(BodyError::TooDeep { limit: 16 }.to_string(), "the body nests deeper than 16 levels");
}

#[test]
fn no_lead_is_lost_for_a_long_name() {
    let fields = json(&format!("{{\"{}\":1}}", "é".repeat(40)));
    assert_eq!(pairs(&fields), [("é".repeat(32).as_str(), "1")]);
}

#[test]
fn fields_survive_being_stored() {
    let fields = json(r#"{"email":"ada@example.com","b":"2","a":"1"}"#);
    let stored = serde_json::to_string(&fields).unwrap();
    assert_eq!(stored, r#"[["email","ada@example.com"],["b","2"],["a","1"]]"#);
    assert_eq!(serde_json::from_str::<Fields>(&stored).unwrap(), fields);
    assert_eq!(
        format!("{fields:?} {:?}", enquiry(fields.clone())),
        "Fields(3) Enquiry { received_at: 2026-06-01T12:00:00Z, .. }"
    );
}

#[test]
fn standard_names_are_understood() {
    let lead = understood(
        r#"{"email":"Ada@Example.com","phone":"(305) 555-0100","first_name":" Ada ","last_name":"Lovelace",
            "organization":"Engines","street":"1 Main St","city":"Miami","state":"florida","zip":"33101-1234",
            "country":"USA","message":"a leak\r\nin the roof","offer":"new-roof","visitor":"v1.abc","vehicle_make":"Ford"}"#,
    );
    assert_eq!(lead.email.as_ref().map(Email::as_str), Some("Ada@example.com"));
    assert_eq!(lead.phone.as_ref().map(Phone::as_str), Some("+13055550100"));
    assert_eq!((lead.name.first(), lead.name.last()), ("Ada", "Lovelace"));
    assert_eq!(lead.zip, Some("33101".parse().unwrap()));
    assert_eq!(lead.state, Some("FL".parse().unwrap()));
    assert_eq!(lead.message.as_deref(), Some("a leak\nin the roof"));
    assert_eq!(lead.offer.as_deref(), Some("new-roof"));
    assert_eq!(lead.visitor.as_deref(), Some("v1.abc"));
    assert_eq!(lead.extra, BTreeMap::from([("vehicle_make".to_owned(), "Ford".to_owned())]));
    assert!(lead.reachable() && lead.tracking_allowed && lead.notes.is_empty());
    let facts =
        lead.fit_facts(&SourceId::new("site").unwrap(), &OfferId::new("new-roof").unwrap(), Touch::Last);
    assert_eq!(facts.has, FitPart::ALL);
    assert_eq!(facts.zip3, Some("331".parse().unwrap()));
    assert_eq!(facts.email_domain.as_deref(), Some("example.com"));
    let printed = format!("{lead:?} {facts:?}");
    assert!(!printed.contains("Ada") && !printed.contains("Ford"), "{printed}");
}

#[test]
fn usual_aliases_are_understood() {
    let lead = understood(
        r#"{"E-Mail":"ada@example.com","phoneNumber":"3055550100","Full Name":"Ada Lovelace","zipcode":"33101",
            "company":"Engines","address":"1 Main St","Comments":"hi","xxTrustedFormCertUrl":"https://cert.trustedform.com/0123456789abcdef0123456789ABCDEF01234567",
            "universal_leadid":"1B4E28BA-2FA1-11D2-883F-0016D3CCA427"}"#,
    );
    assert!(lead.email.is_some() && lead.phone.is_some() && lead.zip.is_some());
    assert_eq!((lead.name.first(), lead.name.last()), ("Ada", "Lovelace"));
    assert_eq!(lead.organization.as_deref(), Some("Engines"));
    assert_eq!(lead.message.as_deref(), Some("hi"));
    assert!(lead.consent.trusted_form.is_some() && lead.consent.leadid.is_some());
    assert_eq!(lead.brings(), Needs::NONE.with(Need::Certificate));
    assert!(lead.extra.is_empty());
    let certificate = "https://cert.trustedform.com/0123456789abcdef0123456789abcdef01234567";
    for alias in ["xxTrustedFormCertUrl", "trusted_form_cert_url", "trustedform_url"] {
        let lead = understood(&format!(r#"{{"email":"ada@example.com","{alias}":"{certificate}"}}"#));
        assert_eq!(lead.consent.trusted_form.as_deref(), Some(certificate), "{alias}");
        assert!(lead.extra.is_empty() && lead.notes.is_empty(), "{alias}");
    }
}

#[test]
fn a_sources_map_comes_first() {
    let map = |entries: &[(&str, &str)]| {
        FieldMap::new(entries.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())).collect())
    };
    let theirs = map(&[("Q1", "email"), ("contact.tel", "phone"), ("q2", "homeowner")]).unwrap();
    let lead = enquiry(json(
        r#"{"email":"second@example.com","q1":"first@example.com","contact":{"tel":"3055550100"},"Q2":"yes"}"#,
    ))
    .understand(&theirs);
    assert_eq!(lead.email.as_ref().map(Email::as_str), Some("first@example.com"));
    assert!(lead.phone.is_some());
    assert_eq!(lead.extra.get("homeowner").map(String::as_str), Some("yes"));
    assert_eq!(lead.extra.get("email").map(String::as_str), Some("second@example.com"));
    assert!(map(&[("q1", "First Name")]).is_err());
    assert!(map(&[("", "email")]).is_err());
    assert!(map(&[("q1", "email"), ("Q1", "phone")]).is_err());
    assert!(map(&[("q1", "ScCid")]).is_ok());
}

#[test]
fn the_first_that_can_be_understood_is_taken_and_the_rest_kept() {
    let lead = understood(r#"{"phone":"none","mobile":"3055550100","cell":"3055550101","email":" "}"#);
    assert_eq!(lead.phone.as_ref().map(Phone::as_str), Some("+13055550100"));
    assert_eq!(pointers(&lead), ["/phone"]);
    assert_eq!(lead.extra.keys().collect::<Vec<_>>(), ["cell", "phone"]);
    assert!(lead.email.is_none() && !lead.notes.iter().any(|note| note.detail.contains("none")));
    assert!(!understood(r#"{"email":"ada","phone":"0"}"#).reachable());
}

#[test]
fn a_name_sent_twice_is_still_understood() {
    let fields = Fields::from_form(
        b"email=ada@example.com&email=ada%40example.com&phone=none&phone=3055550100&consent=0&consent=1",
    );
    let lead = enquiry(fields.unwrap()).understand(&FieldMap::default());
    assert!(lead.email.is_some() && lead.phone.is_some() && lead.notes.is_empty());
    assert_eq!(lead.consent.given, Some(true));
    assert_eq!(understood(r#"{"consent":["yes","no"]}"#).consent.given, Some(false));
}

#[test]
fn what_a_paste_brings_along_does_no_harm() {
    let lead = understood(
        "{\"email\":\"\u{200b}ada@example.com\u{a0}\",\"phone\":\"\u{202a}305 555 0100\u{202c}\"}",
    );
    assert!(lead.email.is_some() && lead.phone.is_some() && lead.notes.is_empty());
}

#[test]
fn names_fill_each_others_blanks() {
    let name = |body: &str| understood(body).name.full();
    assert_eq!(name(r#"{"first_name":"Ada","name":"Ada Lovelace"}"#), "Ada Lovelace");
    assert_eq!(name(r#"{"first_name":"Ada","last_name":"King","name":"Augusta Lovelace"}"#), "Ada King");
    assert_eq!(name(r#"{"name":"Lovelace, Ada"}"#), "Ada Lovelace");
}

#[test]
fn what_is_too_long_is_cut_and_noted_never_refused() {
    let long = "é".repeat(5_000);
    let lead = understood(&format!(
        r#"{{"city":"{long}","message":"{long}","utm_term":"{long}","other/one":"{long}","visitor":"{long}"}}"#
    ));
    assert_eq!(lead.city.unwrap().chars().count(), limits::TEXT_CHARS);
    assert_eq!(lead.message.unwrap().chars().count(), limits::MESSAGE_CHARS);
    assert_eq!(lead.attribution.get(Tag::UtmTerm).unwrap().len(), limits::ATTRIBUTION_BYTES);
    assert_eq!(lead.extra.get("other/one").unwrap().len(), limits::EXTRA_BYTES);
    assert_eq!(lead.visitor, None);
    let mut noted: Vec<&str> = lead.notes.iter().map(|note| note.pointer.as_str()).collect();
    noted.sort_unstable();
    noted.dedup();
    assert_eq!(noted, ["/city", "/message", "/other~1one", "/utm_term", "/visitor"]);
}

#[test]
fn a_place_abroad_is_not_read_as_one_here() {
    let lead = understood(r#"{"zip":"10115","state":"BE","country":"Germany"}"#);
    assert_eq!((lead.zip, lead.state), (None, None));
    assert_eq!(lead.extra.get("zip").map(String::as_str), Some("10115"));
    for bad in ["2134", "331", "A1B 2C3", "123456", "3310１"] {
        let lead = understood(&format!(r#"{{"zip":"{bad}"}}"#));
        assert_eq!((lead.zip, pointers(&lead)), (None, vec!["/zip"]), "{bad}");
    }
    assert_eq!(understood(r#"{"state":"Floridá"}"#).state, None);
}

#[test]
fn consent_is_what_the_box_says() {
    let given = |value: &str| understood(&format!(r#"{{"consent":{value}}}"#)).consent.given;
    assert_eq!(given("true"), Some(true));
    assert_eq!(given("\"on\""), Some(true));
    assert_eq!(given("0"), Some(false));
    assert_eq!(given("\"maybe\""), None);
    assert_eq!(understood("{}").consent.given, None);
    let lead = understood(
        r#"{"consent":"yes","consent_text":" I agree.\u0000 ","consent_at":"2026-06-01T11:59:00Z","xxTrustedFormCertUrl":"https://evil.test/0123456789abcdef0123456789abcdef01234567"}"#,
    );
    assert_eq!(lead.consent.text.as_deref(), Some("I agree."));
    assert_eq!(lead.consent.at, at("2026-06-01T11:59:00Z"));
    // Of the text as received, to the byte.
    assert_eq!(lead.consent.text_sha256, Some(sha2::Sha256::digest(" I agree.\0 ").into()));
    assert_eq!(lead.brings(), Needs::NONE.with(Need::Consent));
    assert_eq!(pointers(&lead), ["/xxTrustedFormCertUrl"]);
    let ahead = understood(r#"{"consent_at":"2026-06-03T12:00:00Z"}"#);
    assert_eq!((ahead.consent.at, pointers(&ahead)), (at("2026-06-01T12:00:00Z"), vec!["/consent_at"]));
}

#[test]
fn attribution_is_kept_and_filled_from_the_landing_page() {
    let lead = understood(
        r#"{"utm_source":"google","ScCid":"s","_fbc":"f","referer":"https://search.test/",
            "landing_page":"https://roof.test/?utm_source=other&utm_campaign=Spring+roofs&gclid=g1&email=ada%40example.com#x?utm_term=no"}"#,
    );
    let tags: Vec<(Tag, &str)> =
        lead.attribution.iter().filter(|(tag, _)| *tag != Tag::LandingPage).collect();
    assert_eq!(
        tags,
        [
            (Tag::UtmSource, "google"),
            (Tag::UtmCampaign, "Spring roofs"),
            (Tag::Gclid, "g1"),
            (Tag::Fbc, "f"),
            (Tag::ScCid, "s"),
            (Tag::Referrer, "https://search.test/"),
        ]
    );
    assert!(lead.extra.is_empty());
}

#[test]
fn both_touches_are_kept_under_every_name_and_none_reaches_a_dealer() {
    // What formats and ad platforms name, each within its limit.
    let names = [
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_term",
        "utm_content",
        "utm_id",
        "gclid",
        "gbraid",
        "wbraid",
        "dclid",
        "fbclid",
        "_fbc",
        "_fbp",
        "msclkid",
        "ttclid",
        "twclid",
        "li_fat_id",
        "ScCid",
        "rdt_cid",
        "epik",
        "irclickid",
        "referrer",
        "landing_page",
    ];
    let long = "é".repeat(300);
    let one = |touch: &str| {
        names.iter().map(|name| format!("\"{name}\":\"{touch} {long}\"")).collect::<Vec<_>>().join(",")
    };
    let lead = understood(&format!("{{{},\"first_touch\":{{{}}}}}", one("last"), one("first")));
    assert_eq!(Tag::ALL.len(), names.len());
    for (touch, begins) in [(&lead.attribution, "last "), (&lead.first_touch, "first ")] {
        let kept: Vec<(Tag, &str)> = touch.iter().collect();
        assert_eq!(kept.len(), names.len(), "{begins}");
        assert!(kept.iter().all(|(_, value)| value.starts_with(begins) && value.len() <= 512));
    }
    assert!(lead.extra.is_empty(), "{:?}", lead.extra.keys());
}

#[test]
fn a_first_touch_is_known_by_the_names_that_form_builders_use() {
    for body in [
        r#"{"first_touch":{"utm_campaign":"spring"}}"#,
        r#"{"first_touch_utm_campaign":"spring"}"#,
        r#"{"First UTM Campaign":"spring","last_utm_campaign":"june"}"#,
        r#"{"firstUtmCampaign":"spring","last_touch.utm_campaign":"june"}"#,
    ] {
        let lead = understood(body);
        assert_eq!(lead.first_touch.campaign(), Some("spring"), "{body}");
        assert_eq!(lead.attribution.campaign(), body.contains("june").then_some("june"), "{body}");
        assert!(lead.extra.is_empty() && lead.name.first().is_empty());
    }
    // A first name stays one.
    assert_eq!(understood(r#"{"First Name":"Ada","first":"x"}"#).name.first(), "Ada");
}

#[test]
fn an_enquiry_is_credited_to_the_touch_that_the_company_chose_or_to_the_one_that_is_known() {
    let both = understood(r#"{"utm_campaign":"june","first_touch":{"utm_campaign":"spring"}}"#);
    let only_last = understood(r#"{"utm_campaign":"june"}"#);
    let only_first = understood(r#"{"first_touch":{"utm_campaign":"spring"}}"#);
    for (lead, by, campaign) in [
        (&both, Touch::First, Some("spring")),
        (&both, Touch::Last, Some("june")),
        (&only_last, Touch::First, Some("june")),
        (&only_first, Touch::Last, Some("spring")),
        (&understood("{}"), Touch::First, None),
    ] {
        assert_eq!(lead.credited(by).campaign(), campaign, "{by}");
    }
    let facts =
        |by| both.fit_facts(&SourceId::new("site").unwrap(), &OfferId::new("roof").unwrap(), by).campaign;
    assert_eq!(
        (facts(Touch::First), facts(Touch::Last)),
        (Some("spring".to_owned()), Some("june".to_owned()))
    );
}

#[test]
fn what_says_how_to_reach_somebody_is_no_campaign() {
    for (campaign, credited) in [
        ("spring", Some("spring")),
        ("123456789012345678", Some("123456789012345678")),
        ("ada.hill@mail.example", None),
        ("ada.hill%40mail.example", None),
        ("roof-305-274-0188", None),
        // Ten digits may be an id, and are not where they are the person's own number.
        ("3052740188", Some("3052740188")),
        ("3052740177", None),
        ("june 13052740177", None),
    ] {
        let lead = understood(&format!(r#"{{"phone":"(305) 274-0177","utm_campaign":"{campaign}"}}"#));
        assert_eq!(lead.campaign(Touch::Last), credited, "{campaign}");
        assert_eq!(lead.attribution.campaign(), Some(campaign), "it stays as it was received");
        let facts =
            lead.fit_facts(&SourceId::new("site").unwrap(), &OfferId::new("roof").unwrap(), Touch::Last);
        assert_eq!(facts.campaign.as_deref(), credited);
    }
}

#[test]
fn privacy_control_is_honoured() {
    let fields = json(r#"{"visitor":"v1.abc"}"#);
    let header = Enquiry { global_privacy_control: true, ..enquiry(fields) };
    for lead in [header.understand(&FieldMap::default()), understood(r#"{"visitor":"v1.abc","gpc":true}"#)] {
        assert!(!lead.tracking_allowed && lead.visitor.is_none());
    }
}

proptest! {
    #[test]
    fn any_json_becomes_fields_or_an_error(body in prop::collection::vec(
        prop::sample::select(vec!["{", "}", "[", "]", "\"a\"", "\"zip\"", ":", ",", "1", "true", "null", "1e9", " ", "\\"]), 0..40
    )) {
        let body = body.concat();
        if let Ok(fields) = Fields::from_json(body.as_bytes()) {
            prop_assert!(serde_json::from_str::<serde_json::Map<_, _>>(&body).is_ok());
            enquiry(fields).understand(&FieldMap::default());
        }
    }

    #[test]
    fn a_flat_json_object_is_read_as_it_stands(object in prop::collection::btree_map("[a-z_]{1,12}", "\\PC{0,30}", 0..20)) {
        let body = serde_json::to_vec(&object).unwrap();
        let fields = Fields::from_json(&body).unwrap();
        let read: BTreeMap<String, String> =
            fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        prop_assert_eq!(read, object);
    }

    #[test]
    fn a_form_is_read_like_the_url_standards_own_parser(pairs in prop::collection::vec(("[a-zA-Zé ]{1,9}", "\\PC{0,20}"), 0..20)) {
        let mut oracle = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &pairs {
            oracle.append_pair(name, value);
        }
        let fields = Fields::from_form(oracle.finish().as_bytes()).unwrap();
        let mut expected = Fields::default();
        for (name, value) in pairs {
            expected.push(&name, value).unwrap();
        }
        prop_assert!(fields == expected);
    }

    #[test]
    fn any_fields_are_understood_within_limits(pairs in prop::collection::vec(
        (prop_oneof!["[a-z_]{0,12}", prop::sample::select(vec!["email", "phone", "zip", "name", "message", "consent", "landing_page", "mail"]).prop_map(str::to_owned)], "\\PC{0,700}"),
        0..30,
    )) {
        let mut fields = Fields::default();
        for (name, value) in pairs {
            fields.push(&name, value).unwrap();
        }
        let lead = enquiry(fields).understand(&FieldMap::default());
        prop_assert!(lead.extra.values().all(|value| value.len() <= limits::EXTRA_BYTES));
        prop_assert!(lead.attribution.iter().all(|(_, value)| value.len() <= limits::ATTRIBUTION_BYTES));
        prop_assert_eq!(lead.reachable(), lead.email.is_some() || lead.phone.is_some());
    }
}
