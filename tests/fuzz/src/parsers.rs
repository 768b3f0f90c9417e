//! Everything else of the domain that reads what strangers wrote. What is understood is read again where it
//! can be written. What reading allocates is bounded by what was sent: see [`memory`](crate::memory).

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use leadyard_domain::access::{
    AnswerLink, DealerToken, DeskToken, MasterKey, PageKey, SourceSecret, UnsubscribeToken, VisitorToken,
};
use leadyard_domain::contract::{AreaPart, Sale};
use leadyard_domain::dealer::Hours;
use leadyard_domain::delivery::check_url;
use leadyard_domain::distribution::{Chunk, Compiled, Core, Evidence, Step, Waiting};
use leadyard_domain::enquiry::{Enquiry, FieldMap, Fields, GoogleLead, MetaLead, MetaNotice};
use leadyard_domain::history::{DealerNamed, FileRow, Listed, OpeningCounts, PastLead};
use leadyard_domain::ids::{ContractId, LeadId};
use leadyard_domain::limits;
use leadyard_domain::money::Money;
use leadyard_domain::person::{Email, Name, Phone, without_contact};
use leadyard_domain::place::Zip;
use leadyard_domain::rulebook::packed::unpack;
use leadyard_domain::rulebook::{RowEdit, Rulebook, workbook};
use leadyard_domain::scoring::{Band, InteractionKind, SentInteraction};
use leadyard_domain::screening::{self, FormSeen, FormToken, PageSeen, ScreeningRules, Seen};

use crate::bytes::Bytes;
use crate::draft::{Draft, NASTY};
use crate::forms;
use crate::memory::{Bound, bounded};

/// How many targets there are.
pub const TARGETS: u8 = 13;

/// Reads the rest of the bytes as what their first says.
pub fn parsers(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    warm();
    match bytes.byte() % TARGETS {
        0 => enquiry(bytes.rest()),
        1 => cells(bytes.rest()),
        2 => file(&mut bytes),
        3 => workbook_of(&mut bytes),
        4 => edit(&mut bytes),
        5 => stored(&mut bytes),
        6 => person(bytes.rest()),
        7 => access(bytes.rest()),
        8 => interactions(bytes.rest()),
        9 => past(bytes.rest()),
        10 => forms::templates(&mut bytes),
        11 => forms::rules(&mut bytes),
        _ => forms::told(bytes.rest()),
    }
}

/// What strangers send: ten times its size. Beside it stands what a list of fields or interactions takes whatever is in
/// it.
pub(crate) const STRANGERS: Bound = Bound { times: 10, spare_bytes: 32 * 1024 };
/// One cell or value.
pub(crate) const CELL: Bound = Bound { times: 10, spare_bytes: 4 * 1024 };
/// A rulebook, which only the desk publishes: a TOML value takes many times its text, and a row its columns, blank or
/// not.
const RULEBOOK: Bound = Bound { times: 100, spare_bytes: 1024 * 1024 };
/// What the table gives back. A list may claim any length, and serde makes room for one megabyte of it.
const STORED: Bound = Bound { times: 10, spare_bytes: 4 * 1024 * 1024 };

/// What is made once a process (the table of places, zones) is nobody's input.
fn warm() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        read(&Draft::demo());
    });
}

/// A body of JSON, of a form, and by every other way in.
fn enquiry(body: &[u8]) {
    ways(body);
    let names = [("fname", "first_name"), ("tel", "phone"), ("x.y", "message")];
    let names = names.map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned()));
    let map = FieldMap::new(BTreeMap::from(names)).unwrap_or_default();
    let json = bounded("a body of JSON", body.len(), STRANGERS, || Fields::from_json(body));
    let form = bounded("a body of a form", body.len(), STRANGERS, || Fields::from_form(body));
    for fields in [json, form].into_iter().flatten() {
        let arrived = |global_privacy_control| Enquiry {
            fields: fields.clone(),
            received_at: Timestamp::UNIX_EPOCH,
            global_privacy_control,
            ip: None,
        };
        for arrived in [arrived(true), arrived(false)] {
            bounded("an enquiry understood", body.len(), STRANGERS, || arrived.understand(&map).brings());
            let understood = arrived.understand(&map);
            let rules = ScreeningRules::default();
            let agent = String::from_utf8_lossy(body);
            let page = PageSeen { user_agent: Some(&agent), form: FormSeen::Unasked, tally: None };
            for page in [None, Some(page)] {
                let seen = Seen { fields: &arrived.fields, understood: &understood, page };
                bounded("an enquiry screened", body.len(), STRANGERS, || {
                    screening::conclude(&rules, screening::signs(&rules, &seen)).verdict
                });
            }
        }
        let pairs = serde_json::to_string(&fields).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Fields>(&pairs).ok(), Some(fields), "kept fields are read again");
    }
}

/// Pieces of ADF, right and wrong.
const ADF: [&str; 47] = [
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>",
    "<!DOCTYPE adf [<!ENTITY a \"aaaa\">]>",
    "<adf>",
    "</adf>",
    "<prospect>",
    "</prospect>",
    "<prospect status=\"new\">",
    "<vehicle>",
    "</vehicle>",
    "<vehicle interest=\"trade-in\" status='used'>",
    "<make>",
    "</make>",
    "<customer>",
    "</customer>",
    "<contact>",
    "</contact>",
    "<name part=\"first\">",
    "<name part=\"full\" type=\"business\">",
    "</name>",
    "<email>",
    "</email>",
    "<phone type=\"cellphone\" preferredcontact=\"1\">",
    "<phone type=\"fax\">",
    "</phone>",
    "<comments>",
    "</comments>",
    "<br/>",
    "<b>",
    "</b>",
    "<vendor>",
    "</vendor>",
    "<provider>",
    "</provider>",
    "<id>",
    "</id>",
    "&amp;",
    "&a;",
    "&#233;",
    "&#x110000;",
    "& ",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "a@b.example",
    "<",
    "\"",
];
/// Pieces of a multipart body under the boundary `b`.
const MULTIPART: [&str; 16] = [
    "--b",
    "--b--",
    "\r\n",
    "\n",
    "Content-Disposition: form-data",
    "; name=\"email\"",
    "; name=a",
    "; filename=\"x\"",
    ";",
    "=",
    "\"",
    "\\",
    "\r\n\r\n",
    "a@b.example",
    "Content-Type: text/plain",
    "%22",
];
/// Pieces of what ad platforms send.
const PLATFORM: [&str; 32] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"lead_id\":",
    "\"user_column_data\":",
    "{\"column_id\":\"EMAIL\"",
    "\"column_name\":",
    "\"string_value\":",
    "\"a@b.example\"",
    "18446744073709551616",
    "-1",
    "1e999",
    "null",
    "true",
    "\"google_key\":",
    "\"is_test\":true",
    "\"campaign_id\":1",
    "\"entry\":[",
    "{\"changes\":[",
    "{\"field\":\"leadgen\",\"value\":{\"leadgen_id\":1}}",
    "\"value\":{",
    "\"leadgen_id\":\"x\"",
    "\"field_data\":[",
    "{\"name\":\"email\",\"values\":[\"a\",\"b\"]}",
    "\"name\":",
    "\"values\":",
    "\"id\":\"1\"",
    "\"\"",
    "\\",
];

/// The document that the bytes spell, a piece each.
pub(crate) fn spelled(bytes: &[u8], pieces: &[&str]) -> Vec<u8> {
    let pieces = bytes.iter().filter_map(|byte| pieces.get(usize::from(*byte) % pieces.len().max(1)));
    pieces.flat_map(|piece| piece.bytes()).take(limits::BODY_BYTES).collect()
}

/// What else may be posted as a lead: as it is, and as a document that its bytes spell.
fn ways(body: &[u8]) {
    for document in [body.to_vec(), spelled(body, &ADF), [&b"<prospect>"[..], &spelled(body, &ADF)].concat()]
    {
        let read = || Fields::from_adf("text/xml", &document);
        if let Ok(prospects) = bounded("a body of ADF", document.len(), STRANGERS, read) {
            assert!((1..=limits::PROSPECTS).contains(&prospects.len()));
        }
    }
    for document in [body.to_vec(), spelled(body, &MULTIPART)] {
        let read = || Fields::from_multipart("multipart/form-data; boundary=b", &document);
        let _ = bounded("a body of several parts", document.len(), STRANGERS, read);
        let kind = &*String::from_utf8_lossy(body);
        let _ = bounded("a content type", document.len() + kind.len(), STRANGERS, || {
            Fields::from_multipart(kind, &document)
        });
    }
    let map = FieldMap::default();
    for document in [body.to_vec(), spelled(body, &PLATFORM), [&b"{"[..], &spelled(body, &PLATFORM)].concat()]
    {
        let size = document.len();
        let _ = bounded("a lead of Google's", size, STRANGERS, || {
            GoogleLead::read(&document).and_then(|lead| lead.fields(&map))
        });
        let _ = bounded("a notice of Meta's", size, STRANGERS, || MetaNotice::read(&document));
        let _ =
            bounded("a lead of Meta's", size, STRANGERS, || MetaLead::read(&document, &Fields::default()));
    }
}

/// What stands in one cell or value.
fn cells(body: &[u8]) {
    let text = &*String::from_utf8_lossy(body);
    if let Ok(hours) = cell::<Hours>(text)
        && hours.ever_open()
    {
        assert_eq!(
            hours.to_string().parse::<Hours>().ok(),
            Some(hours),
            "hours are read as they are written"
        );
    }
    if let Ok(money) = cell::<Money>(text) {
        assert_eq!(money.to_string().parse::<Money>().ok(), Some(money));
    }
    if let Ok(part) = cell::<AreaPart>(text) {
        assert_eq!(part.to_string().parse::<AreaPart>().ok(), Some(part));
    }
    if let Ok(sale) = cell::<Sale>(text) {
        assert_eq!(sale.to_string().parse::<Sale>().ok(), Some(sale));
    }
    if let Ok(step) = cell::<Step>(text) {
        assert_eq!(step.to_string().parse::<Step>().ok(), Some(step));
    }
    if let Ok(band) = cell::<Band>(text) {
        assert_eq!(band.to_string().parse::<Band>().ok(), Some(band));
    }
    if let Ok(waiting) = cell::<Waiting>(text) {
        assert_eq!(waiting.as_str(), text);
    }
    let _ = (cell::<ContractId>(text), cell::<LeadId>(text), cell::<Zip>(text));
    bounded("a cell", text.len(), CELL, || {
        let _ = (Zip::from_spreadsheet(text), InteractionKind::new(text));
    });
    bounded("a dealer's URL", text.len(), CELL, || {
        let _ = (check_url(text, true), check_url(text, false));
    });
}

pub(crate) fn cell<T: FromStr>(text: &str) -> Result<T, T::Err> {
    bounded("a cell", text.len(), CELL, || text.parse())
}

/// One file of the demo, replaced by what there is.
fn file(bytes: &mut Bytes<'_>) {
    let mut draft = Draft::of(&mut Bytes::new(&[]));
    let at = bytes.below(draft.files.len());
    if let Some((name, text)) = draft.files.get_mut(at) {
        if bytes.chance(128) {
            *text = bytes.rest().to_vec();
        } else if Path::new(name.as_str()).extension().is_some_and(|end| end == "toml") {
            text.extend_from_slice(bytes.rest());
        } else {
            let header = text.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            text.truncate(header);
            text.extend_from_slice(bytes.rest());
        }
    }
    read(&draft);
    // The examples refer to the demo's contracts.
    if bytes.chance(16) {
        let mut demo = Draft::demo();
        if let Some((_, tests)) = demo.files.last_mut() {
            for _ in 0..=bytes.below(3) {
                let at = bytes.below(tests.len());
                let nasty = bytes.pick(NASTY);
                tests.splice(at..at, nasty.bytes());
            }
        }
        read(&demo);
    }
}

/// The rulebook, if it is one, checked, compiled and tested.
pub(crate) fn read(draft: &Draft) -> Option<Rulebook> {
    let size = draft.files.iter().map(|(name, text)| name.len() + text.len()).sum();
    let files = draft.files()?;
    let book = bounded("a rulebook", size, RULEBOOK, || Rulebook::parse(&files)).ok()?;
    let _ = book.check(Date::constant(2026, 6, 1));
    assert!(book.diff(&book).is_empty(), "a rulebook is what it is");
    if let Ok(compiled) = book.compile(1) {
        for test in book.tests.iter().take(8) {
            compiled.examine(test);
        }
    }
    Some(book)
}

/// A small rulebook as a workbook.
///
/// # Panics
/// When there is none: nothing of a workbook would be tried.
pub fn whole_workbook() -> &'static [u8] {
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let book = Draft::small(&mut Bytes::new(&[])).files().and_then(|files| Rulebook::parse(&files).ok());
        // No workbook was made before 1900.
        let made = DateTime::constant(2026, 6, 1, 12, 0, 0, 0);
        let whole = book.and_then(|book| workbook::export(&book, made).ok()).unwrap_or_default();
        assert!(!whole.is_empty(), "the small rulebook has a workbook");
        whole
    })
}

/// A workbook that a spreadsheet saved, damaged.
fn workbook_of(bytes: &mut Bytes<'_>) {
    let whole = whole_workbook();
    let mut damaged = whole.to_vec();
    for _ in 0..bytes.below(6) {
        let (at, byte) = (bytes.number() as usize % whole.len().max(1), bytes.byte());
        if let Some(known) = damaged.get_mut(at) {
            *known = byte;
        }
    }
    if bytes.chance(64) {
        damaged.truncate(bytes.number() as usize % (whole.len() + 1));
    }
    if bytes.chance(16) {
        damaged = bytes.rest().to_vec();
    }
    // It is an archive as well: what is unfolded is counted, whatever it claims.
    let mut left = limits::RULEBOOK_BYTES;
    if let Ok(named) = unpack("rules.zip", &damaged, &mut left) {
        let unfolded: usize = named.iter().map(|(_, content)| content.len()).sum();
        assert_eq!(unfolded + left, limits::RULEBOOK_BYTES);
    }
    let tables = ["dealers.csv", "channels.csv", "areas.csv", "contracts.csv"];
    let mut files = Draft::small(&mut Bytes::new(&[])).files;
    files.retain(|(name, _)| !tables.contains(&name.as_str()));
    files.push(("tables.xlsx".to_owned(), damaged));
    read(&Draft { files });
}

/// A change to one row, as the desk asks for it.
fn edit(bytes: &mut Bytes<'_>) {
    let table = bytes.pick(&["contracts", "dealers", "channels", "areas", "offers", "sources", "company"]);
    let id = bytes.pick(&["c0", "d0", "d0:1", "any", "roof", "page", "", "d0:99999999999", "\u{0}"]);
    let column =
        bytes.pick(&["price", "cap_day", "name", "zip", "hours", "contract", "dealer", "id", "fields", "x"]);
    let nasty = bytes.pick(NASTY);
    let known = serde_json::json!({
        "set": { column: nasty }, "add": { column: nasty, "contract": id }, "parts": [nasty, "any"], "remove": true
    });
    let verb = bytes.pick(&["set", "add", "parts", "remove"]);
    let body = if bytes.chance(64) {
        serde_json::from_slice(bytes.rest()).unwrap_or_default()
    } else {
        serde_json::json!({ verb: known[verb] })
    };
    let Ok(edit) = RowEdit::from_json(table, id, &body) else { return };
    let Some(files) = Draft::small(&mut Bytes::new(&[])).files() else { return };
    let (inverse, edited) = (edit.inverse(&files), edit.apply(&files));
    let _ = edit.apply_since(&files, &files);
    let (Ok(inverse), Ok(edited)) = (inverse, edited) else { return };
    let Ok(after) = Rulebook::parse(&edited) else { return };
    let back = inverse.apply(&edited).ok().and_then(|files| Rulebook::parse(&files).ok());
    if let (Some(back), Ok(before)) = (back, Rulebook::parse(&files)) {
        assert!(before.diff(&back).is_empty(), "an edit that is taken back leaves nothing");
    }
    let _ = after.check(Date::constant(2026, 6, 1));
}

/// What the table gives back: it is ours, and may be damaged or of another version.
fn stored(bytes: &mut Bytes<'_>) {
    let body = bytes.rest();
    let _ = bounded("evidence", body.len(), STORED, || Evidence::decode(body));
    let _ = bounded("a chunk", body.len(), STORED, || Chunk::decode(body));
    // Of today's shapes, whatever follows.
    for shape in [2, 3] {
        let today = [&[shape][..], body].concat();
        let _ = bounded("evidence", today.len(), STORED, || Evidence::decode(&today));
    }
    let _ = serde_json::from_slice::<Core>(bytes.rest());
    let small = Draft::small(&mut Bytes::new(bytes.rest())).files();
    let Some(book) = small.and_then(|files| Rulebook::parse(&files).ok()) else { return };
    let Ok(compiled) = book.compile(1) else { return };
    for chunk in compiled.chunks.values().take(4) {
        let mut damaged = chunk.encode().unwrap_or_default();
        for _ in 0..=bytes.below(3) {
            let at = bytes.below(damaged.len());
            if let Some(known) = damaged.get_mut(at) {
                *known = bytes.byte();
            }
        }
        let _ = Chunk::decode(&damaged);
    }
}

/// Names, addresses and numbers as they are typed.
fn person(body: &[u8]) {
    let text = &*String::from_utf8_lossy(body);
    if let Ok(email) = bounded("an e-mail address", text.len(), STRANGERS, || Email::parse(text)) {
        assert_eq!(
            Email::parse(email.as_str()).ok().map(|email| email.dedupe_key()),
            Some(email.dedupe_key())
        );
        let _ = (email.is_dummy(), email.local(), email.domain());
    }
    if let Ok(phone) = bounded("a telephone number", text.len(), STRANGERS, || Phone::parse(text)) {
        let again = Phone::parse(phone.as_str()).ok();
        assert_eq!(again.as_ref().map(Phone::as_str), Some(phone.as_str()));
        let _ = (phone.is_dummy(), phone.area_code());
    }
    let full = bounded("a name", text.len(), STRANGERS, || Name::from_full(text));
    let hidden = bounded("a text that is shown", text.len(), STRANGERS, || without_contact(text));
    assert_eq!(without_contact(&hidden), hidden, "what is hidden stays hidden");
    let _ = (full.full(), full.surname_key(), Name::new(text, text).full());
}

/// Keys and tokens that anyone can send.
fn access(body: &[u8]) {
    let text = &*String::from_utf8_lossy(body);
    let _ = MasterKey::from_hex(text);
    let key = MasterKey::new([7; 32]);
    let made_up = bounded("a credential", text.len(), CELL, || {
        (
            key.verify::<PageKey>(text).is_some(),
            key.verify::<SourceSecret>(text).is_some(),
            key.verify::<DeskToken>(text).is_some(),
            key.verify::<DealerToken>(text).is_some(),
            key.verify::<VisitorToken>(text).is_some(),
            key.verify::<UnsubscribeToken>(text).is_some(),
            key.verify::<AnswerLink>(text).is_some(),
            key.verify::<FormToken>(text).is_some(),
        )
    });
    assert_eq!(
        made_up,
        (false, false, false, false, false, false, false, false),
        "nobody makes up a credential"
    );
    let _ = leadyard_domain::delivery::retry_after_s(text, Timestamp::UNIX_EPOCH);
}

/// A post of interactions: one, a list, and whatever follows the beginning of either.
fn interactions(body: &[u8]) {
    const ONE: &[u8] = br#"{"id":"a","kind":"page_view","at":"2026-06-01T16:00:00Z","email":"a@b.example""#;
    for begins in [&b""[..], b"[", b"[{},", b"[[],1,2,", ONE, &[b"[", ONE].concat()] {
        let body = [begins, body].concat();
        let read = || SentInteraction::read(&body);
        if let Ok(sent) = bounded("a post of interactions", body.len(), STRANGERS, read) {
            assert!(sent.len() <= limits::INTERACTIONS_PER_POST);
        }
    }
}

/// A row of what another system knew: of a lead's past, of counts, of who is suppressed.
fn past(body: &[u8]) {
    static BOOK: OnceLock<Option<Compiled>> = OnceLock::new();
    let compiled = BOOK.get_or_init(|| {
        let files = Draft::small(&mut Bytes::new(&[])).files()?;
        Rulebook::parse(&files).ok()?.compile(1).ok()
    });
    let Some(compiled) = compiled else { return };
    let known = [
        ("received_at", "2025-11-03 14:05"),
        ("source", "page"),
        ("email", "a@b.example"),
        ("offer", "roof"),
        ("contract", "c0"),
    ];
    let names =
        ["received_at", "outcome", "won_value", "outcome_at", "price", "dealer", "day", "balance", "value"];
    let text = String::from_utf8_lossy(body);
    let mut row = Fields::default();
    for (name, value) in known {
        let _ = row.push(name, value.to_owned());
    }
    for (name, value) in names.iter().zip(text.split(',')) {
        let _ = row.push(name, value.to_owned());
    }
    for row in [Fields::from_form(body).unwrap_or_default(), row] {
        let size = body.len() + 200;
        bounded("a row of the past", size, STRANGERS, || {
            let _ = PastLead::read(&row, &compiled.core, Timestamp::UNIX_EPOCH, |_| DealerNamed::Several);
        });
        if let Some(source) = compiled.core.sources.first() {
            bounded("a row of a source's file", size, STRANGERS, || {
                let _ = FileRow::read(&row, &compiled.core, source, Timestamp::UNIX_EPOCH);
            });
        }
        bounded("a row of counts", size, STRANGERS, || {
            let _ = OpeningCounts::read(&row);
        });
        bounded("a row of a list", size, STRANGERS, || {
            let _ = Listed::read(&row);
        });
    }
}
