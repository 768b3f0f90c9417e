//! A dealer is sent all that it may see, and nothing else; and it fits.

use super::*;
use crate::limits;
use proptest::prelude::*;

pub(in crate::delivery) struct Names {
    dealer: DealerId,
    contract: ContractId,
    company: CompanyId,
    category: CategoryId,
    offer: OfferId,
    source: SourceId,
}

pub(in crate::delivery) fn names() -> Names {
    Names {
        dealer: "hudson-roofing".parse().unwrap(),
        contract: "hudson-north".parse().unwrap(),
        company: "acme".parse().unwrap(),
        category: "roofing".parse().unwrap(),
        offer: "roof-quote".parse().unwrap(),
        source: "landing".parse().unwrap(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(in crate::delivery) fn assigned(names: &Names) -> AssignedPayload<'_> {
    AssignedPayload {
        assignment: AssignmentId::from_bytes([1; 16]),
        lead: LeadId::from_bytes([2; 16]),
        dealer: &names.dealer,
        contract: &names.contract,
        company: &names.company,
        category: &names.category,
        offer: &names.offer,
        source: &names.source,
        campaign: Some("spring"),
        received_at: at("2026-06-01T13:00:00Z"),
        assigned_at: at("2026-06-01T13:00:01Z"),
        accept_by: None,
        band: Some("A2".parse().unwrap()),
        price: Money::from_minor(4_500),
        person: Person {
            first_name: Some("Ada"),
            last_name: Some("Example"),
            email: Some("ada@example.com"),
            phone: Some("+12125550142"),
        },
        address: Address {
            street: Some("1 Main St"),
            city: Some("Hudson"),
            state: Some("NY"),
            zip: Some("12534"),
        },
        message: Some("The roof leaks.".into()),
        consent: Consent {
            given: true,
            text: Some("I agree to be called.".into()),
            certificate: Some("https://cert.trustedform.com/0123456789012345678901234567890123456789"),
            leadid: None,
        },
        extra: BTreeMap::from([("roof_age", "20")]),
        test: false,
        masked: false,
        truncated: false,
    }
}

fn repeated(names: &Names) -> RepeatedPayload<'_> {
    RepeatedPayload {
        assignment: AssignmentId::from_bytes([1; 16]),
        lead: LeadId::from_bytes([2; 16]),
        enquiry: EnquiryId::from_bytes([3; 16]),
        dealer: &names.dealer,
        company: &names.company,
        offer: &names.offer,
        source: &names.source,
        received_at: at("2026-06-02T13:00:00Z"),
        message: Some("It still leaks.".into()),
        filled: BTreeMap::from([("phone", "+12125550142")]),
        consent: None,
        masked: false,
        truncated: false,
    }
}

fn json(body: &str) -> serde_json::Value {
    serde_json::from_str(body).unwrap()
}

#[test]
fn a_dealer_is_sent_all_it_needs_to_call() {
    let names = names();
    let body = assigned(&names).body(at("2026-06-01T13:00:01Z")).unwrap();
    let expected = serde_json::json!({
        "type": "lead.assigned",
        "timestamp": "2026-06-01T13:00:01Z",
        "data": {
            "assignment_id": "01010101-0101-0101-0101-010101010101",
            "lead_id": "02020202-0202-0202-0202-020202020202",
            "dealer": "hudson-roofing", "contract": "hudson-north", "company": "acme",
            "category": "roofing", "offer": "roof-quote", "source": "landing", "campaign": "spring",
            "received_at": "2026-06-01T13:00:00Z", "assigned_at": "2026-06-01T13:00:01Z",
            "accept_by": null, "band": "A2", "price": "45.00",
            "person": {
                "first_name": "Ada", "last_name": "Example",
                "email": "ada@example.com", "phone": "+12125550142"
            },
            "address": { "street": "1 Main St", "city": "Hudson", "state": "NY", "zip": "12534" },
            "message": "The roof leaks.",
            "consent": {
                "given": true, "text": "I agree to be called.",
                "certificate": "https://cert.trustedform.com/0123456789012345678901234567890123456789"
            },
            "extra": { "roof_age": "20" },
            "test": false, "masked": false, "truncated": false
        }
    });
    assert_eq!(json(&body), expected);
    assert!(body.starts_with(r#"{"type":"lead.assigned","timestamp":"2026-06-01T13:00:01Z","data":{"#));
}

#[test]
fn before_accepting_a_dealer_sees_first_name_zip_and_request() {
    let names = names();
    let body = assigned(&names).masked().body(at("2026-06-01T13:00:01Z")).unwrap();
    for kept in ["Ada", "12534", "The roof leaks.", r#""masked":true"#, r#""given":true"#] {
        assert!(body.contains(kept), "{kept}");
    }
    for hidden in
        ["Example", "ada@", "5550142", "Main St", "Hudson\"", "NY", "trustedform", "agree", "roof_age"]
    {
        assert!(!body.contains(hidden), "{hidden}");
    }
    let body = repeated(&names).masked().body(at("2026-06-02T13:00:00Z")).unwrap();
    assert!(body.contains("It still leaks.") && !body.contains("5550142"));
}

#[test]
fn before_accepting_a_dealer_reads_no_number_or_address_in_the_request() {
    let names = names();
    let now = at("2026-06-01T13:00:01Z");
    let wrote = "The roof leaks: 212-555-0142, ada@example.com";
    let mut first = assigned(&names);
    first.message = Some(wrote.into());
    first.person.first_name = Some("212 555 0142");
    let agreed = Consent { given: true, text: Some(wrote.into()), ..first.consent.clone() };
    let again =
        RepeatedPayload { message: Some(wrote.to_owned().into()), consent: Some(agreed), ..repeated(&names) };
    assert!(again.clone().body(now).unwrap().contains("trustedform"), "what is held is told whole");
    for body in [first.clone().masked().body(now).unwrap(), again.masked().body(now).unwrap()] {
        assert!(body.contains("The roof leaks"), "{body}");
        assert!(!body.contains("0142") && !body.contains("ada@"), "{body}");
        assert!(!body.contains("trustedform"), "a certificate leads to a person: {body}");
    }
    assert_eq!(json(&first.body(now).unwrap())["data"]["message"], wrote, "accepted, it is all there");
}

#[test]
fn a_leadid_is_told_from_a_certificate_of_trustedform() {
    let (url, leadid) = ("https://cert.trustedform.com/01", "01234567-89ab-cdef-0123-456789abcdef");
    let of = |certificate, leadid| Consent { certificate, leadid, ..Consent::default() }.leadid();
    assert_eq!(of(Some(url), Some(leadid)), Some(leadid));
    assert_eq!(of(Some(leadid), None), Some(leadid));
    assert_eq!((of(Some(url), None), of(None, None)), (None, None));
}

#[test]
fn the_rest_say_only_what_happened() {
    let (assignment, lead) = (AssignmentId::from_bytes([1; 16]), LeadId::from_bytes([2; 16]));
    let now = at("2026-06-02T13:00:00Z");
    let ids = serde_json::json!({
        "assignment_id": "01010101-0101-0101-0101-010101010101",
        "lead_id": "02020202-0202-0202-0202-020202020202",
    });
    let erased = json(&ErasedPayload { assignment, lead }.body(now).unwrap());
    assert_eq!(erased["data"], ids);
    assert_eq!(erased["type"], "lead.erased");
    let of = OptedOutOf::Mail;
    let opted_out = json(&OptedOutPayload { assignment, lead, of }.body(now).unwrap());
    assert_eq!((&opted_out["type"], &opted_out["data"]["of"]), (&"lead.opted_out".into(), &"mail".into()));
    assert!(webhook_id(assignment, Event::OptedOut, u32::MAX).len() <= limits::WEBHOOK_ID_BYTES);
    let reason = WithdrawalReason::Unconfirmed;
    let withdrawn = json(&WithdrawnPayload { assignment, lead, reason }.body(now).unwrap());
    assert_eq!(withdrawn["data"]["reason"], "unconfirmed");
    assert_eq!(withdrawn["data"].as_object().unwrap().len(), 3);
    let warned = json(&WarnedPayload { assignment, lead, accept_by: now }.body(now).unwrap());
    assert_eq!(warned["data"]["accept_by"], "2026-06-02T13:00:00Z");
    let repeated = json(&repeated(&names()).body(now).unwrap());
    assert_eq!(repeated["data"]["filled"]["phone"], "+12125550142");
    assert_eq!(repeated["data"]["enquiry_id"], "03030303-0303-0303-0303-030303030303");
}

#[test]
fn extra_fields_go_before_the_message_and_the_message_before_the_person() {
    let names = names();
    let now = at("2026-06-01T13:00:01Z");
    let long = "x".repeat(15_000);
    let fields: Vec<String> = (0..20).map(|n| format!("field_{n:02}")).collect();
    let value = "v".repeat(500);

    let mut payload = assigned(&names);
    payload.message = Some((&long).into());
    payload.extra = fields.iter().map(|name| (name.as_str(), value.as_str())).collect();
    let body = payload.clone().body(now).unwrap();
    let data = &json(&body)["data"];
    assert!(body.len() <= limits::WEBHOOK_BYTES && body.len() > limits::WEBHOOK_BYTES - 520);
    assert_eq!(data["message"], long.as_str());
    assert_eq!(data["truncated"], true);
    assert!((1..20).contains(&data["extra"].as_object().unwrap().len()));

    let longer = "\u{1}é\"".repeat(4_000);
    payload.message = Some((&longer).into());
    let body = payload.clone().body(now).unwrap();
    let data = &json(&body)["data"];
    assert!(body.len() <= limits::WEBHOOK_BYTES && body.len() > limits::WEBHOOK_BYTES - 6);
    assert!(longer.starts_with(data["message"].as_str().unwrap()));
    assert_eq!(data["extra"].as_object().unwrap().len(), 0);
    assert_eq!(data["person"]["email"], "ada@example.com");
    assert_eq!(data["consent"]["text"], "I agree to be called.");

    let terms = "t".repeat(30_000);
    payload.consent.text = Some((&terms).into());
    let data = &json(&payload.clone().body(now).unwrap())["data"];
    assert_eq!(data["message"], "");
    assert!(data["consent"]["text"].as_str().unwrap().len() > 15_000);
    assert_eq!(data["person"]["email"], "ada@example.com");

    payload.campaign = Some(&terms);
    assert!(payload.body(now).unwrap_err().to_string().contains("20000 bytes"));
}

#[test]
fn a_webhook_id_is_short_has_no_dot_and_names_the_message() {
    let assignment = AssignmentId::from_bytes([0xff; 16]);
    let mut ids = std::collections::BTreeSet::new();
    for &event in Event::ALL {
        for message_no in [0, 1, u32::MAX] {
            let id = webhook_id(assignment, event, message_no);
            assert!(id.len() <= limits::WEBHOOK_ID_BYTES && !id.contains('.'), "{id}");
            assert_eq!(webhook_id(assignment, event, message_no), id);
            assert!(ids.insert(id));
        }
    }
    assert_eq!(
        webhook_id(AssignmentId::from_bytes([1; 16]), Event::Assigned, 0),
        "msg_01010101-0101-0101-0101-010101010101_assigned_0"
    );
}

proptest! {
    #[test]
    fn whatever_people_write_the_body_fits_and_is_json(
        message in "\\PC{0,4000}|[\\x00-\\x1f\"\\\\é\u{1F600}]{0,4000}",
        text in "\\PC{0,2000}",
        extra in prop::collection::btree_map("[\\x00-\\x7f]{1,64}", "\\PC{0,512}", 0..60),
    ) {
        let names = names();
        let mut payload = assigned(&names);
        payload.message = Some((&message).into());
        payload.consent.text = Some((&text).into());
        payload.extra = extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = payload.body(at("2026-06-01T13:00:01Z")).unwrap();
        prop_assert!(body.len() <= limits::WEBHOOK_BYTES);
        let data = &json(&body)["data"];
        prop_assert_eq!(&data["person"]["phone"], "+12125550142");
        let whole = data["message"] == message.as_str()
            && data["consent"]["text"] == text.as_str()
            && data["extra"].as_object().unwrap().len() == extra.len();
        prop_assert_eq!(&data["truncated"], !whole);
    }
}
