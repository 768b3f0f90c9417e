//! Everything else of the domain that reads what strangers wrote. What is understood is read again where it
//! can be written.

use std::path::Path;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use leadyard_domain::access::{DealerToken, DeskToken, MasterKey, PageKey, SourceSecret, VisitorToken};
use leadyard_domain::contract::{AreaPart, Sale};
use leadyard_domain::dealer::Hours;
use leadyard_domain::delivery::check_url;
use leadyard_domain::distribution::{Chunk, Core, Evidence, Step, Waiting};
use leadyard_domain::enquiry::{Enquiry, FieldMap, Fields};
use leadyard_domain::ids::{ContractId, LeadId};
use leadyard_domain::money::Money;
use leadyard_domain::person::{Email, Name, Phone};
use leadyard_domain::place::Zip;
use leadyard_domain::rulebook::{RowEdit, Rulebook, workbook};
use leadyard_domain::scoring::{Band, InteractionKind};

use crate::bytes::Bytes;
use crate::draft::{Draft, NASTY};

/// How many targets there are.
pub const TARGETS: u8 = 8;

/// Reads the rest of the bytes as what their first says.
pub fn parsers(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    match bytes.byte() % TARGETS {
        0 => enquiry(bytes.rest()),
        1 => cells(bytes.rest()),
        2 => file(&mut bytes),
        3 => workbook_of(&mut bytes),
        4 => edit(&mut bytes),
        5 => stored(&mut bytes),
        6 => person(bytes.rest()),
        _ => access(bytes.rest()),
    }
}

/// A body of JSON, and of a form.
fn enquiry(body: &[u8]) {
    let names = [("fname", "first_name"), ("tel", "phone"), ("x.y", "message")];
    let names = names.map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned()));
    let map = FieldMap::new(BTreeMap::from(names)).unwrap_or_default();
    for fields in [Fields::from_json(body), Fields::from_form(body)].into_iter().flatten() {
        let arrived = |global_privacy_control| Enquiry {
            fields: fields.clone(),
            received_at: Timestamp::UNIX_EPOCH,
            global_privacy_control,
        };
        for arrived in [arrived(true), arrived(false)] {
            arrived.understand(&map).brings();
        }
        let pairs = serde_json::to_string(&fields).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Fields>(&pairs).ok(), Some(fields), "kept fields are read again");
    }
}

/// What stands in one cell or value.
fn cells(body: &[u8]) {
    let text = &*String::from_utf8_lossy(body);
    if let Ok(hours) = text.parse::<Hours>()
        && hours.ever_open()
    {
        assert_eq!(
            hours.to_string().parse::<Hours>().ok(),
            Some(hours),
            "hours are read as they are written"
        );
    }
    if let Ok(money) = text.parse::<Money>() {
        assert_eq!(money.to_string().parse::<Money>().ok(), Some(money));
    }
    if let Ok(part) = text.parse::<AreaPart>() {
        assert_eq!(part.to_string().parse::<AreaPart>().ok(), Some(part));
    }
    if let Ok(sale) = text.parse::<Sale>() {
        assert_eq!(sale.to_string().parse::<Sale>().ok(), Some(sale));
    }
    if let Ok(step) = text.parse::<Step>() {
        assert_eq!(step.to_string().parse::<Step>().ok(), Some(step));
    }
    if let Ok(band) = text.parse::<Band>() {
        assert_eq!(band.to_string().parse::<Band>().ok(), Some(band));
    }
    if let Ok(waiting) = text.parse::<Waiting>() {
        assert_eq!(waiting.as_str(), text);
    }
    let _ = (
        text.parse::<ContractId>(),
        text.parse::<LeadId>(),
        text.parse::<Zip>(),
        Zip::from_spreadsheet(text),
    );
    let _ = InteractionKind::new(text);
    let _ = (check_url(text, true), check_url(text, false));
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

fn read(draft: &Draft) {
    let Some(files) = draft.files() else { return };
    let Ok(book) = Rulebook::parse(&files) else { return };
    let _ = book.check(Date::constant(2026, 6, 1));
    assert!(book.diff(&book).is_empty(), "a rulebook is what it is");
    if let Ok(compiled) = book.compile(1) {
        for test in book.tests.iter().take(8) {
            compiled.examine(test);
        }
    }
}

/// A workbook that a spreadsheet saved, damaged.
fn workbook_of(bytes: &mut Bytes<'_>) {
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    let whole = WHOLE.get_or_init(|| {
        let book = Draft::small(&mut Bytes::new(&[])).files().and_then(|files| Rulebook::parse(&files).ok());
        book.and_then(|book| workbook::export(&book, DateTime::default()).ok()).unwrap_or_default()
    });
    let mut damaged = whole.clone();
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
    let _ = (Evidence::decode(bytes.rest()), Chunk::decode(bytes.rest()));
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
    if let Ok(email) = Email::parse(text) {
        assert_eq!(
            Email::parse(email.as_str()).ok().map(|email| email.dedupe_key()),
            Some(email.dedupe_key())
        );
        let _ = (email.is_dummy(), email.local(), email.domain());
    }
    if let Ok(phone) = Phone::parse(text) {
        let again = Phone::parse(phone.as_str()).ok();
        assert_eq!(again.as_ref().map(Phone::as_str), Some(phone.as_str()));
        let _ = (phone.is_dummy(), phone.area_code());
    }
    let full = Name::from_full(text);
    let _ = (full.full(), full.surname_key(), Name::new(text, text).full());
}

/// Keys and tokens that anyone can send.
fn access(body: &[u8]) {
    let text = &*String::from_utf8_lossy(body);
    let _ = MasterKey::from_hex(text);
    let key = MasterKey::new([7; 32]);
    let made_up = (
        key.verify::<PageKey>(text).is_some(),
        key.verify::<SourceSecret>(text).is_some(),
        key.verify::<DeskToken>(text).is_some(),
        key.verify::<DealerToken>(text).is_some(),
        key.verify::<VisitorToken>(text).is_some(),
    );
    assert_eq!(made_up, (false, false, false, false, false), "nobody makes up a credential");
    let _ = leadyard_domain::delivery::retry_after_s(text, Timestamp::UNIX_EPOCH);
}
