//! A partner's file, as `leadyard import` reads it; and what says that a platform sent what it did.

use std::fmt::Write as _;
use std::io::{Cursor, Read as _, Write as _};
use std::sync::OnceLock;

use hmac::{Hmac, Mac as _};
use leadyard_platform::meta::is_signed;
use sha2::Sha256;
use tempfile::TempDir;

use crate::bytes::Bytes;
use crate::memory::{Bound, bounded};
use crate::parsers::{CELL, whole_workbook};

/// What is held of a file: a row, and what reading has ahead of it.
const FILE: Bound = Bound { times: 10, spare_bytes: 256 * 1024 };
/// A partner's workbook may take forty times its size, and not ten as what strangers send: none comes to a
/// function, but whoever runs `leadyard import` reads a file of their own choice, once, on their machine. A
/// sheet is held whole there, as the text that it would be saved as, beside the workbook's strings: its XML,
/// unpacked, takes many times its size while it is read. What an archive may unpack to at all is bounded
/// before that (`limits::WORKBOOK_BYTES`).
const SHEET: Bound = Bound { times: 40, spare_bytes: 2 * 1024 * 1024 };

/// What a file means to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Cells separated by something.
    Text,
    /// XLSX.
    Workbook,
}

/// libFuzzer's entry: a file or a signature, by the first byte.
pub fn files(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let (which, windows_1252, of_a_source) = (bytes.byte() % 4, bytes.chance(128), bytes.chance(128));
    match which {
        0 => {
            let _ = file(bytes.rest(), Kind::Text, windows_1252, of_a_source);
        }
        1 => {
            let _ = file(bytes.rest(), Kind::Workbook, windows_1252, of_a_source);
        }
        // Within an archive that is whole, one part is what the bytes say, or has them in it somewhere.
        2 => {
            let changed = bytes.below(parts().len());
            let known = parts().get(changed).map(|(_, text)| text.as_slice()).unwrap_or_default();
            let (before, after) = known.split_at(bytes.below(known.len() + 1));
            let text =
                if bytes.chance(64) { bytes.rest().to_vec() } else { [before, bytes.rest(), after].concat() };
            let _ = file(&workbook_with(changed, Some(&text)), Kind::Workbook, windows_1252, of_a_source);
        }
        _ => signature(bytes.rest()),
    }
}

/// Reads a file within its bound: how many rows could be sent, and how many not. `None` where it is refused whole.
///
/// # Panics
/// When it cannot be written, or its refusal says nothing.
pub fn file(bytes: &[u8], kind: Kind, windows_1252: bool, of_a_source: bool) -> Option<(usize, usize)> {
    static FOLDER: OnceLock<Option<TempDir>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().ok()).as_ref();
    let path = folder.map(|folder| folder.path().join("export")).unwrap_or_default();
    assert!(std::fs::write(&path, bytes).is_ok(), "there is a folder for files");
    let (what, bound) = match kind {
        Kind::Text => ("a partner's file", FILE),
        Kind::Workbook => ("a partner's workbook", SHEET),
    };
    match bounded(what, bytes.len(), bound, || leadyard::import::read(&path, windows_1252, of_a_source)) {
        Ok(rows) => Some(rows),
        Err(error) => {
            assert!(!format!("{error:#}").is_empty(), "it says why");
            None
        }
    }
}

/// The parts of a workbook: names, and what stands in each.
pub fn parts() -> &'static [(String, Vec<u8>)] {
    static PARTS: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    PARTS.get_or_init(|| {
        let Ok(mut zip) = zip::ZipArchive::new(Cursor::new(whole_workbook())) else { return Vec::new() };
        let (mut parts, number) = (Vec::new(), zip.len());
        for at in 0..number {
            let Ok(mut part) = zip.by_index(at) else { continue };
            let name = part.name().map(std::borrow::Cow::into_owned).unwrap_or_default();
            let mut text = Vec::new();
            if part.read_to_end(&mut text).is_ok() {
                parts.push((name, text));
            }
        }
        parts
    })
}

/// A workbook of which one part says something else, or is missing.
pub fn workbook_with(changed: usize, says: Option<&[u8]>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (at, (name, text)) in parts().iter().enumerate() {
        let text = if at == changed { says } else { Some(text.as_slice()) };
        let Some(text) = text else { continue };
        if zip.start_file(name, stored).is_ok() {
            let _ = zip.write_all(text);
        }
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_default()
}

/// A notice's signature, as anyone can send it: none is good but the one that the app's secret makes.
///
/// # Panics
/// When one is that should not be, or the true one is not.
pub fn signature(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let secret = format!("{:016x}", bytes.number());
    let at = bytes.below(64);
    let body = bytes.rest();
    let text = &*String::from_utf8_lossy(body);
    let good = |said: &str| bounded("a signature", said.len(), CELL, || is_signed(&secret, said, body));
    for made_up in
        [text, &format!("sha256={text}"), &format!("sha256={:0<64}", text.get(..64).unwrap_or(text))]
    {
        assert!(!good(made_up), "nobody makes up a signature");
    }
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return };
    mac.update(body);
    let mut signed = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(signed, "{byte:02x}");
    }
    assert!(good(&signed), "what the app signed is the app's");
    // Another digit in one place, a body or a secret that differ: another's.
    let at = "sha256=".len() + at;
    let other = if signed.get(at..=at) == Some("0") { "1" } else { "0" };
    let mut changed = signed.clone();
    changed.replace_range(at..=at, other);
    assert!(!good(&changed), "one digit is not the app's");
    assert!(!is_signed(&secret, &signed, &[body, b" "].concat()), "the body is another");
    assert!(!is_signed("another", &signed, body), "the secret is another");
}
