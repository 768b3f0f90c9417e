//! What the desk writes in TOML beside tables (templates, screening, sources), what a template makes of a lead, and
//! what is said to us by others than leads: a dealer's answer, what became of a mail, a program's name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use leadyard_domain::dealer::Format;
use leadyard_domain::delivery::{
    Address, AssignedPayload, BodyKind, Consent, Event, Facts, JsonPath, MailEvent, Outcome, Person, Secrets,
    Template, Text, WebhookSecret,
};
use leadyard_domain::enquiry::FieldMap;
use leadyard_domain::identity::IdentityHash;
use leadyard_domain::ids::{AssignmentId, LeadId};
use leadyard_domain::lead::LeadScope;
use leadyard_domain::ledger::Month;
use leadyard_domain::money::Money;
use leadyard_domain::place::{State, Zip3};
use leadyard_domain::rulebook::{PostbackSays, PostbackStatus};
use leadyard_domain::scoring::{Click, InteractionRef};
use leadyard_domain::screening::names_a_machine;

use crate::bytes::Bytes;
use crate::draft::{Draft, NASTY};
use crate::memory::bounded;
use crate::parsers::{CELL, STRANGERS, cell, read, spelled};

/// Pieces of TOML that templates, screening and sources are made of, right and wrong.
const TOML: [&str; 48] = [
    "[[template]]\n",
    "id = \"crm\"\n",
    "kind = \"json\"\n",
    "kind = \"form\"\n",
    "kind = \"xml\"\n",
    "method = \"PUT\"\n",
    "omit_empty = true\n",
    "headers = { x-key = \"{secret.key}\" }\n",
    "headers = ",
    "assigned = { lead = \"{email}\" }\n",
    "assigned = { lead = { \"@id\" = \"{lead_id}\", \"#text\" = \"{message}\" } }\n",
    "withdrawn = { id = \"{reference}\" }\n",
    "success = { status = [200], json = \"$.a\", is = [\"ok\"] }\n",
    "decline = { status = [409], text = \"no\" }\n",
    "reference = \"$.lead['id'][0]\"\n",
    "doubtful = 50\n",
    "spam = 10\n",
    "weights = { disposable_email = 80 }\n",
    "form = { fast_seconds = 0 }\n",
    "velocity = { source = 1, address = 9, identity = 20 }\n",
    "interactions = { soon_seconds = 0 }\n",
    "disposable = [\"a.example\", \"\u{e9}.example\"]\n",
    "honeypot = [\"website\"]\n",
    "[[source]]\n",
    "id = \"page\"\n",
    "id = \"list\"\n",
    "kind = \"form\"\n",
    "fields = { \"Your mail\" = \"email\" }\n",
    "values = { state = { Florida = \"FL\" } }\n",
    "caps = { hour = 5 }\n",
    "postback = { url = \"https://n.example/?r={reference}\", method = \"get\", on = [\"sold\"] }\n",
    "[source.postback]\n",
    "url = \"https://n.example/p\"\n",
    "[template.assigned]\n",
    "{",
    "}",
    "[",
    "]",
    "= ",
    ", ",
    "\"",
    "\"\"\"",
    "1979-05-27",
    "0xffffffffffffffff",
    "1e999",
    "nan",
    "a.b.c = 1\n",
    "# \n",
];
/// Pieces of what SES and SNS publish.
const MAIL: [&str; 22] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\\"",
    "\"Message\":",
    "\"{\\\"eventType\\\":\\\"Bounce\\\"}\"",
    "\"eventType\":",
    "\"notificationType\":",
    "\"Bounce\"",
    "\"Complaint\"",
    "\"bounce\":{\"bounceType\":\"Permanent\"}",
    "\"bounce\":{\"bounceType\":\"Transient\",\"bounceSubType\":\"MailboxFull\"}",
    "\"mail\":{\"messageId\":\"x\",\"tags\":{\"lead\":[\"y\",\"z\"],\"a\":[]}}",
    "\"mail\":",
    "\"messageId\":",
    "\"tags\":{",
    "null",
    "1e999",
];
/// Pieces of what a dealer's API answers.
const ANSWER: [&str; 20] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\"a\":",
    "\"id\":",
    "\"status\":",
    "\"ok\"",
    "\"no\"",
    "null",
    "true",
    "false",
    "-0.0",
    "1e999",
    "\\u0000",
    "\\ud800",
    "<html>",
];
/// What the texts of a template are made of.
const TEXTS: &[&str] = &[
    "{email}",
    "{ first_name } {last_name}",
    "{message}",
    "{secret.key}",
    "{extra.roof age}",
    "{{{lead_id}}}",
    "{consent_given}",
    "{phone_digits}",
    "{reference}",
    "{reason}",
    "{accept_by}",
    "{price} {band}",
    "\\u0000\\u0085\\ufffe",
    "<&'\\\">",
];
/// And of what refuses them.
const WRONG: &[&str] = &["{", "}", "{nobody}", "{secret.}", "{extra.}"];
/// What its parts are called.
const PARTS: &[&str] =
    &["lead", "a", "b", "c", "d", "e", "@id", "#text", "a b", "\u{e9}", "xml:lang", "", "a\\\"b", "-x"];
const PATHS: &[&str] = &["$", "$.a", "$.status", "$['a b'][3].id", "$.a[99999999999999999999]", "$..a"];

/// The small rulebook with one more file, or another in its place.
fn with(name: &str, text: Vec<u8>) -> Draft {
    let mut draft = Draft::small(&mut Bytes::new(&[]));
    draft.files.retain(|(known, _)| known != name);
    draft.files.push((name.to_owned(), text));
    draft
}

/// `templates.toml`, and what its templates make of a lead and of an answer.
pub(crate) fn templates(bytes: &mut Bytes<'_>) {
    let text = match bytes.below(8) {
        0 => bytes.rest().to_vec(),
        1 => spelled(bytes.rest(), &TOML),
        _ => template(bytes).into_bytes(),
    };
    let Some(book) = read(&with("templates.toml", text)) else { return };
    for template in &book.templates {
        writes(template, bytes);
        let answers = [bytes.rest().to_vec(), spelled(bytes.rest(), &ANSWER)];
        for answer in &answers {
            let answer = &*String::from_utf8_lossy(answer);
            let status = bytes.pick(&[200, 201, 204, 302, 409, 422, 503, 0, u16::MAX]);
            let outcome = Outcome::of_status(status, None);
            bounded("a dealer's answer", answer.len(), STRANGERS, || {
                let _ = template.judge(outcome, Some(status), answer, status == 201);
            });
        }
    }
}

/// A template of parts that are mostly right.
fn template(bytes: &mut Bytes<'_>) -> String {
    let kind = bytes.pick(&["json", "json", "form", "xml", "yaml"]);
    let method = bytes.pick(&["POST", "PUT", "PATCH"]);
    let mut text = format!("[[template]]\nid = \"crm\"\nkind = \"{kind}\"\nmethod = \"{method}\"\n");
    if bytes.chance(128) {
        text.push_str("omit_empty = true\n");
    }
    if bytes.chance(96) {
        let (name, value) = (bytes.pick(&["x-key", "X-Key", "host", "a b", ""]), bytes.pick(TEXTS));
        let _ = writeln!(text, "headers = {{ \"{name}\" = \"{value}\" }}");
    }
    if bytes.chance(96) {
        let (path, nasty) = (bytes.pick(PATHS), bytes.pick(&["ok", "1", ""]));
        let _ =
            writeln!(text, "success = {{ json = \"{path}\", is = [\"{nasty}\"] }}\nreference = \"{path}\"");
    }
    if bytes.chance(96) {
        let path = bytes.pick(PATHS);
        let _ = writeln!(text, "decline = {{ status = [409, 200], json = \"{path}\", reason = \"{path}\" }}");
    }
    for message in ["assigned", "repeated", "warned", "withdrawn", "erased", "opted_out"] {
        if message == "assigned" || bytes.chance(48) {
            let mut body = part(bytes, 1);
            // One element holds the rest of a document, and a form has no tables within it.
            if kind == "xml" {
                body = format!("{{ lead = {body} }}");
            }
            let _ = writeln!(text, "{message} = {body}");
        }
    }
    text
}

fn part(bytes: &mut Bytes<'_>, depth: usize) -> String {
    let leaf = depth > 9 || depth > 1 && !bytes.chance(64);
    if leaf {
        return match bytes.below(8) {
            0 => bytes.pick(&["1", "-1", "0.5", "true", "9223372036854775807"]).to_owned(),
            1 if bytes.chance(16) => bytes.pick(&["inf", "1979-05-27", "[]", "{}"]).to_owned(),
            2 if bytes.chance(16) => format!("\"{}\"", bytes.pick(WRONG)),
            1 => format!("[{}, {}]", part(bytes, depth + 9), part(bytes, depth + 9)),
            _ => format!("\"{}{}\"", bytes.pick(&["", "", "Lead "]), bytes.pick(TEXTS)),
        };
    }
    let mut parts = Vec::new();
    for at in 0..=bytes.below(4) {
        let name = bytes.pick(PARTS);
        let name = if bytes.chance(160) { format!("{name}{at}") } else { name.to_owned() };
        parts.push(format!("\"{name}\" = {}", part(bytes, depth + 1)));
    }
    format!("{{ {} }}", parts.join(", "))
}

/// Each message of a template, of a lead whose every text is hostile: it is what it says that it is.
fn writes(template: &Template, bytes: &mut Bytes<'_>) {
    let (Ok(dealer), Ok(contract), Ok(company), Ok(category), Ok(offer), Ok(source)) =
        ("d0".parse(), "c0".parse(), "yard".parse(), "roof".parse(), "roof".parse(), "page".parse())
    else {
        return;
    };
    let typed = String::from_utf8_lossy(bytes.rest()).into_owned();
    let said = |bytes: &mut Bytes<'_>| match bytes.below(3) {
        0 => None,
        1 => Some(bytes.pick(NASTY)),
        _ => Some(&*typed),
    };
    let at = Timestamp::UNIX_EPOCH;
    let payload = AssignedPayload {
        assignment: AssignmentId::from_bytes([1; 16]),
        lead: LeadId::from_bytes([2; 16]),
        dealer: &dealer,
        contract: &contract,
        company: &company,
        category: &category,
        offer: &offer,
        source: &source,
        campaign: said(bytes),
        received_at: at,
        assigned_at: at,
        accept_by: None,
        band: None,
        price: Money::from_minor(4_500),
        person: Person {
            first_name: said(bytes),
            last_name: said(bytes),
            email: said(bytes),
            phone: said(bytes),
        },
        address: Address { street: said(bytes), city: said(bytes), state: said(bytes), zip: said(bytes) },
        message: said(bytes).map(Into::into),
        consent: Consent {
            given: bytes.chance(128),
            text: said(bytes).map(Into::into),
            certificate: said(bytes),
            leadid: said(bytes),
        },
        extra: BTreeMap::from([("roof age", said(bytes).unwrap_or_default())]),
        test: false,
        masked: false,
        truncated: false,
    };
    let masked = payload.clone().masked();
    let secrets: Secrets =
        template.secrets().into_iter().map(|name| (name.to_owned(), bytes.pick(NASTY).to_owned())).collect();
    for (event, body) in &template.bodies {
        for payload in [None, Some(&payload), Some(&masked)] {
            let facts = Facts {
                event: *event,
                message_id: "msg_0",
                lead: LeadId::from_bytes([2; 16]),
                assignment: AssignmentId::from_bytes([1; 16]),
                company: &company,
                dealer: &dealer,
                vendor_id: bytes.pick(NASTY),
                reference: said(bytes),
                at,
                reason: Some("lapsed"),
                accept_by: Some(at),
                payload: payload.filter(|_| matches!(event, Event::Assigned | Event::Repeated)),
            };
            let Ok(written) = body.write(template.kind, template.omit_empty, &facts, &secrets) else {
                unreachable!("every secret is set")
            };
            match template.kind {
                BodyKind::Json => assert!(
                    serde_json::from_str::<serde_json::Value>(&written).is_ok(),
                    "a template of JSON writes JSON"
                ),
                BodyKind::Form => assert!(
                    written.bytes().all(|byte| byte.is_ascii_graphic()),
                    "a template of a form writes what needs no more escaping"
                ),
                BodyKind::Xml => assert!(
                    written.matches('<').count() == written.matches('>').count(),
                    "nobody but the template opens an element"
                ),
            }
            for (_, text) in &template.headers {
                assert!(text.write(&facts, &secrets).is_ok());
            }
            if bytes.is_empty() {
                return;
            }
        }
    }
}

/// `screening.toml` and `sources.toml`, and what a source's postback says.
pub(crate) fn rules(bytes: &mut Bytes<'_>) {
    let name = bytes.pick(&["screening.toml", "sources.toml"]);
    let mut text = match bytes.below(4) {
        0 => bytes.rest().to_vec(),
        1 => [&b"[[source]]\nid = \"list\"\n"[..], &spelled(bytes.rest(), &TOML)].concat(),
        2 => spelled(bytes.rest(), &TOML),
        _ if name == "screening.toml" => screening(bytes).into_bytes(),
        _ => sources(bytes).into_bytes(),
    };
    if name == "sources.toml" && bytes.chance(192) {
        text.extend_from_slice(b"\n[[source]]\nid = \"page\"\nkind = \"form\"\n");
    }
    let Some(book) = read(&with(name, text)) else { return };
    let typed = String::from_utf8_lossy(bytes.rest()).into_owned();
    for source in &book.sources {
        let Some(postback) = &source.postback else { continue };
        let filled = postback.fill(&PostbackSays {
            enquiry: "0190",
            status: PostbackStatus::Sold,
            reason: &typed,
            reference: &typed,
        });
        let host = |url: &str| url.split('/').take(3).collect::<Vec<_>>().join("/");
        assert_eq!(host(&filled), host(&postback.url), "a sender chooses no host");
        assert!(filled.is_ascii() && !filled.contains(['{', '}', ' ']));
    }
}

fn number(bytes: &mut Bytes<'_>) -> &'static str {
    bytes.pick(&["0", "1", "2", "50", "600", "10000", "-1", "4294967296", "1.5", "\"1\""])
}

fn screening(bytes: &mut Bytes<'_>) -> String {
    let mut text = String::new();
    let keys = [
        ("doubtful", ""),
        ("spam", ""),
        ("deadline_hours", ""),
        ("weights", "disposable_email"),
        ("weights", "no_agent"),
        ("form", "fast_seconds"),
        ("velocity", "address"),
        ("interactions", "burst_links"),
        ("nobody", "x"),
    ];
    for (key, within) in keys {
        if bytes.chance(64) {
            let number = number(bytes);
            let _ = match within {
                "" => writeln!(text, "{key} = {number}"),
                within => writeln!(text, "{key} = {{ {within} = {number} }}"),
            };
        }
    }
    for key in ["disposable", "not_disposable", "honeypot"] {
        if bytes.chance(64) {
            let _ = writeln!(
                text,
                "{key} = [{:?}, {:?}]",
                bytes.pick(NASTY),
                bytes.pick(&["a.example", "b.example"])
            );
        }
    }
    text
}

fn sources(bytes: &mut Bytes<'_>) -> String {
    let mut text = "[[source]]\nid = \"list\"\nkind = \"form\"\n".to_owned();
    if bytes.chance(128) {
        let ours = bytes.pick(&["email", "phone", "homeowner", "Nobody", ""]);
        let _ = writeln!(text, "fields = {{ {:?} = \"{ours}\", b = \"email\" }}", bytes.pick(NASTY));
    }
    if bytes.chance(64) {
        let _ =
            writeln!(text, "values = {{ state = {{ {:?} = {:?} }} }}", bytes.pick(NASTY), bytes.pick(NASTY));
    }
    if bytes.chance(64) {
        let _ = writeln!(text, "caps = {{ hour = {}, day = {} }}", number(bytes), number(bytes));
    }
    let urls = [
        "https://n.example/p?r={reference}&s={status}",
        "https://n.example/{enquiry}/{reason}",
        "https://{reference}.example/",
        "https://n.example?{reference}",
        "https://n.example:443/{reference}#x",
        "https://[::1]/{reference}",
    ];
    let (url, method) = (bytes.pick(&urls), bytes.pick(&["get", "post", "put"]));
    let on = bytes.pick(&["sold", "received\", \"sold\", \"sold", "nothing"]);
    let _ = writeln!(text, "postback = {{ url = \"{url}\", method = \"{method}\", on = [\"{on}\"] }}");
    text
}

/// What others say of what we sent, and every word and number of ours that comes back in a path or a query.
pub(crate) fn told(body: &[u8]) {
    for document in [body.to_vec(), spelled(body, &MAIL), [&b"{"[..], &spelled(body, &MAIL)].concat()] {
        let document = &*String::from_utf8_lossy(&document);
        let _ = bounded("a mail event", document.len(), STRANGERS, || MailEvent::read(document));
    }
    let text = &*String::from_utf8_lossy(body);
    if let Ok(path) = cell::<JsonPath>(text) {
        assert_eq!(String::from(path), text);
    }
    if let Ok(read) = bounded("a template's text", text.len(), CELL, || Text::read(text)) {
        assert_eq!(String::from(read), text);
    }
    if let Ok(month) = cell::<Month>(text) {
        assert_eq!(month.to_string(), text);
    }
    if let Ok(interaction) = cell::<InteractionRef>(text) {
        assert_eq!(interaction.to_string().parse(), Ok(interaction));
    }
    if let Ok(scope) = cell::<LeadScope>(text) {
        assert_eq!(scope.to_string(), text);
    }
    if let Ok(format) = cell::<Format>(text) {
        assert_eq!(format.to_string(), text);
    }
    let _ = (cell::<State>(text), cell::<Zip3>(text), cell::<IdentityHash>(text));
    let _ = cell::<WebhookSecret>(&format!("whsec_{text}"));
    bounded("a program's name", text.len(), STRANGERS, || names_a_machine(text));
    if let Some(click) = Click::read(body) {
        assert_eq!(Click::read(&click.bytes()), Some(click));
    }
    let pairs: BTreeMap<String, String> = text
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned()))
        .collect();
    bounded("a map of fields", text.len(), CELL, || {
        let map = FieldMap::new(pairs.clone()).unwrap_or_default();
        let _ = map.with_values(BTreeMap::from([("state".to_owned(), pairs.clone())]));
    });
}
