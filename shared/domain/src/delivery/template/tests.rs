//! What is written is read back as it was meant, whatever anybody wrote; what is answered is judged.

use proptest::prelude::*;

use super::*;
use crate::delivery::payload::tests::{assigned, names};
use crate::delivery::{End, FailureKind, Outcome};

fn json_template(success: Success, decline: Option<Decline>) -> Template {
    Template {
        id: "crm".parse().unwrap(),
        method: Method::Post,
        kind: BodyKind::Json,
        headers: Vec::new(),
        omit_empty: false,
        bodies: vec![(Event::Assigned, Node::Table(Vec::new()))],
        success,
        reference: Some("$.lead.id".parse().unwrap()),
        decline,
    }
}

fn says(path: &str, is: &[&str]) -> Says {
    let is = is.iter().map(|word| (*word).to_owned()).collect();
    Says::Json { path: path.parse().unwrap(), is }
}

fn crm() -> Template {
    let decline = Decline {
        status: Vec::new(),
        says: Some(says("$.status", &["duplicate"])),
        reason: Some("$.why".parse().unwrap()),
    };
    json_template(
        Success { status: vec![200, 201], says: Some(says("$.status", &["ok", "1"])) },
        Some(decline),
    )
}

fn judged(template: &Template, status: u16, answer: &str, cut: bool) -> String {
    match template.judge(Outcome::of_status(status, None), Some(status), answer, cut) {
        Verdict::Received(reference) => format!("received {}", reference.unwrap_or_default()),
        Verdict::Declined(_, reason) => format!("declined {}", reason.unwrap_or_default()),
        Verdict::Failed(outcome) => {
            format!("{} {}", End::BEFORE_ANY.and(&outcome), outcome.failure().unwrap())
        }
    }
}

#[test]
fn an_answer_means_what_the_template_asks_of_it() {
    let template = crm();
    for (status, answer, means) in [
        (200, r#"{"status":"ok","lead":{"id":7}}"#, "received 7"),
        (201, r#"{"status":1,"lead":{"id":"L-7"}}"#, "received L-7"),
        (200, r#"{"status":" ok ","lead":null}"#, "received "),
        (204, r#"{"status":"ok"}"#, "not_received answer 204"),
        (200, r#"{"status":"error"}"#, "not_received answer 200"),
        (200, r#"{"status":null}"#, "not_received answer 200"),
        (200, r#"{"error":"no status"}"#, "not_received answer 200"),
        (200, "[]", "not_received answer 200"),
        (200, "<html>", "unknown unreadable 200"),
        (200, "", "unknown unreadable 200"),
        (200, r#"{"status":"duplicate","why":"known"}"#, "declined known"),
        (422, r#"{"status":"duplicate"}"#, "declined "),
        // A server in trouble declines nothing.
        (503, r#"{"status":"duplicate"}"#, "unknown status 503"),
        (302, r#"{"status":"duplicate"}"#, "not_received redirect 302"),
        (422, r#"{"status":"ok"}"#, "not_received status 422"),
        (410, "", "not_received status 410"),
    ] {
        assert_eq!(judged(&template, status, answer, false), means, "{status} {answer}");
    }
    // What was cut off may have said anything.
    assert_eq!(judged(&template, 200, r#"{"status":"ok"}"#, true), "unknown unreadable 200");
    let interrupted = Outcome::of_failure(FailureKind::Timeout);
    assert!(
        matches!(template.judge(interrupted, None, "", false), Verdict::Failed(outcome) if outcome == interrupted)
    );
}

#[test]
fn an_answer_is_known_by_a_text_as_well() {
    let template =
        json_template(Success { status: Vec::new(), says: Some(Says::Text("Accepted".into())) }, None);
    assert_eq!(judged(&template, 200, "Lead ACCEPTED.", false), "received ");
    assert_eq!(judged(&template, 200, "Lead refused.", false), "not_received answer 200");
    assert_eq!(judged(&template, 200, "Lead", true), "unknown unreadable 200");
    let any = json_template(Success { status: Vec::new(), says: Some(says("$.id", &[])) }, None);
    for (answer, means) in [
        (r#"{"id":0}"#, "received "),
        (r#"{"id":{"a":1}}"#, "received "),
        (r#"{"id":""}"#, "not_received answer 200"),
        (r#"{"id":false}"#, "not_received answer 200"),
        (r#"{"id":[]}"#, "not_received answer 200"),
    ] {
        assert_eq!(judged(&any, 200, answer, false), means, "{answer}");
    }
    // Without a word of it, any 2xx is one.
    assert_eq!(judged(&json_template(Success::default(), None), 202, "whatever", true), "received ");
}

#[test]
fn a_decline_by_status_alone() {
    let decline = Decline { status: vec![409], says: None, reason: None };
    let template = json_template(Success::default(), Some(decline));
    assert_eq!(judged(&template, 409, "", false), "declined ");
    assert_eq!(judged(&template, 422, "", false), "not_received status 422");
    assert_eq!(judged(&template, 200, "", false), "received ");
}

#[test]
fn a_place_in_json_is_names_and_indices() {
    let json = serde_json::json!({ "a": [{ "b c": { "d-e": 1 } }], "": 2 });
    for (path, found) in
        [("$.a[0]['b c'].d-e", Some(1)), ("$['']", Some(2)), ("$.a[1]", None), ("$.a.b", None)]
    {
        let path: JsonPath = path.parse().unwrap();
        assert_eq!(path.of(&json).and_then(serde_json::Value::as_i64), found);
    }
    for bad in
        ["", "a", "$a", "$.", "$..a", "$.a[", "$.a[x]", "$.a[-1]", "$.*", "$['a", "$.a b", &"$.a".repeat(20)]
    {
        assert!(bad.parse::<JsonPath>().is_err(), "{bad}");
    }
}

#[test]
fn a_text_names_fields_and_doubles_the_braces_it_means() {
    for (written, count) in
        [("", 0), ("{{}}", 0), ("a{email}b{ zip }", 2), ("{extra.roof age}{secret.api_key}", 2)]
    {
        assert_eq!(Text::read(written).unwrap().named().count(), count, "{written}");
    }
    for bad in ["{", "}", "{email", "a}", "{secret.}", "{secret.API}", "{extra.}", &"x".repeat(1_001)] {
        assert!(matches!(Text::read(bad), Err(TextFault::Invalid(_))), "{bad}");
    }
    assert_eq!(Text::read("{emial}"), Err(TextFault::Unknown("emial".to_owned())));
}

#[test]
fn what_is_stored_of_a_template_comes_back() {
    let mut template = crm();
    template.headers = vec![("x-key".to_owned(), Text::read("{secret.api_key}").unwrap())];
    template.bodies = vec![(
        Event::Assigned,
        Node::Table(vec![
            ("z".to_owned(), Node::Text(Text::read("{email} {{x}}").unwrap())),
            ("a".to_owned(), Node::List(vec![Node::Bool(true), Node::Number(7.into())])),
        ]),
    )];
    let stored = serde_json::to_string(&template).unwrap();
    assert_eq!(serde_json::from_str::<Template>(&stored).unwrap(), template);
    assert_eq!(template.secrets().into_iter().collect::<Vec<_>>(), ["api_key"]);
}

proptest! {
    #[test]
    fn whatever_people_write_is_text_and_nothing_else(
        first in "\\PC{0,20}|[\\x00-\\x1f\"\\\\<>&'={}\u{1F600}]{0,20}",
        message in "(?s).{0,200}",
    ) {
        let names = names();
        let mut payload = assigned(&names);
        payload.person.first_name = Some(&first);
        payload.message = Some((&message).into());
        let facts = Facts {
            event: Event::Assigned, message_id: "msg_1", lead: payload.lead, assignment: payload.assignment,
            company: payload.company, dealer: payload.dealer, vendor_id: "", reference: None,
            at: payload.assigned_at, reason: None, accept_by: None, payload: Some(&payload),
        };
        let text = |written: &str| Node::Text(Text::read(written).unwrap());
        let fields = vec![
            ("first".to_owned(), text("{first_name}")),
            ("note".to_owned(), text("<{message}>")),
            ("vendor".to_owned(), text("{vendor_id}")),
        ];
        let secrets = Secrets::new();
        let flat = Node::Table(fields.clone());
        let json = flat.write(BodyKind::Json, false, &facts, &secrets).unwrap();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&read["first"], first.as_str());
        let note = format!("<{message}>");
        prop_assert_eq!(&read["note"], note.as_str());
        prop_assert!(read["vendor"].is_null());

        let form = flat.write(BodyKind::Form, false, &facts, &secrets).unwrap();
        let read: Vec<(String, String)> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        prop_assert_eq!(&read[0].1, &first);
        prop_assert_eq!(&read[1].1, &format!("<{message}>"));

        let root = Node::Table(vec![("lead".to_owned(), Node::Table(fields))]);
        let xml = root.write(BodyKind::Xml, true, &facts, &secrets).unwrap();
        let mut reader = quick_xml::Reader::from_str(&xml);
        let (mut texts, mut depth, mut deepest) = (String::new(), 0, 0);
        loop {
            use quick_xml::events::Event as Read;
            match reader.read_event().unwrap() {
                Read::Start(_) => { depth += 1; deepest = deepest.max(depth); }
                Read::End(_) => depth -= 1,
                Read::Text(text) if depth == 2 => texts.push_str(&text),
                Read::GeneralRef(name) => {
                    texts.push_str(&quick_xml::escape::unescape(&format!("&{};", &*name)).unwrap());
                }
                Read::Eof => break,
                Read::Empty(_) | Read::Text(_) | Read::CData(_) | Read::Comment(_) | Read::Decl(_) | Read::PI(_)
                | Read::DocType(_) => {}
            }
        }
        prop_assert_eq!((depth, deepest), (0, 2));
        let said = crate::delivery::xml::read_back(&format!("{first}<{message}>"));
        prop_assert_eq!(texts, said);
    }
}
