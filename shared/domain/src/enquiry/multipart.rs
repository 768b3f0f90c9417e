//! `multipart/form-data` (RFC 7578), as browsers and curl send it: an enquiry's fields, and of a file only that there was
//! one; or all parts, where files are asked for.
//!
//! Determinations:
//!
//! - *A file of an enquiry* is not kept: nobody asked for one, and what is in it nobody has screened. Its field says that
//!   it was there and how large it was; never its name, which may be a person's. A file field that was left empty says
//!   nothing.
//! - *A part's own charset* is not read: what is sent is UTF-8, as with every other form.
//! - *Line ends* may be bare line feeds: what programs put together by hand has them.

use super::fields::{BodyError, Fields, utf8_within_limit};
use crate::limits;

/// A part of a form: a field, or a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    name: &'a str,
    file: Option<&'a str>,
    /// Its value, or what is in the file.
    pub bytes: &'a [u8],
}

/// No contents: anybody may have sent them.
impl std::fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Part<'_> {
    /// The field's name.
    pub fn name(&self) -> String {
        plain(self.name)
    }

    /// Of a file, its name; empty, where the field was left empty.
    pub fn file(&self) -> Option<String> {
        self.file.map(plain)
    }
}

/// The parts of a form, files included, in their order; the boundary stands in the content type. Whoever asks has read no
/// more than it takes.
///
/// # Errors
/// When the body is not `multipart/form-data`.
pub fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, BodyError> {
    let boundary = boundary(content_type).ok_or(bad("the content type has no boundary of 1 to 70 bytes"))?;
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let mut parts = Vec::new();
    let (_, mut rest) = until(body, &delimiter).ok_or(bad("no part begins with the boundary"))?;
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        let (_, text) = line(rest).ok_or(bad("the last part does not end with the boundary"))?;
        let (text, after) =
            until(text, &delimiter).ok_or(bad("the last part does not end with the boundary"))?;
        if parts.len() >= limits::FORM_PARTS {
            return Err(bad("a form has at most 2,000 parts"));
        }
        parts.push(part(text)?);
        rest = after;
    }
}

impl Fields {
    /// Reads `multipart/form-data`; the boundary stands in the content type.
    pub fn from_multipart(content_type: &str, body: &[u8]) -> Result<Self, BodyError> {
        if body.len() > limits::BODY_BYTES {
            return Err(BodyError::TooLarge { limit: limits::BODY_BYTES });
        }
        let mut fields = Self::default();
        for part in parts(content_type, body)? {
            if part.file.is_none() {
                fields.push(&part.name(), utf8_within_limit(part.bytes)?.to_owned())?;
            } else if !part.bytes.is_empty() {
                fields.push(&part.name(), format!("(a file of {} bytes, not kept)", part.bytes.len()))?;
            }
        }
        Ok(fields)
    }
}

const fn bad(rule: &'static str) -> BodyError {
    BodyError::BadMultipart { rule }
}

/// RFC 2046, section 5.1.1: at most 70 characters.
fn boundary(content_type: &str) -> Option<&str> {
    let boundary = parameter(content_type, "boundary")?;
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// The value of a parameter, as it stands between its quotes.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (found, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => {
                let end = closing_quote(quoted)?;
                (quoted.get(..end)?, quoted.get(end + 1..)?)
            }
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if found.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case(name) {
            return Some(value.trim());
        }
        rest = after;
    }
}

/// Where a quoted text ends: browsers write a quote within it as `%22`, curl as `\"`.
fn closing_quote(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// What stands before the next delimiter at the beginning of a line, without the line end that is the
/// delimiter's; and what follows it.
fn until<'a>(bytes: &'a [u8], delimiter: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut at = 0;
    loop {
        let here = bytes.get(at..)?;
        if let Some(after) = here.strip_prefix(delimiter)
            && matches!(after, [] | [b'-', b'-', ..] | [b'\r' | b'\n' | b' ' | b'\t', ..])
        {
            let before = bytes.get(..at)?;
            let before = before.strip_suffix(b"\n").unwrap_or(before);
            return Some((before.strip_suffix(b"\r").unwrap_or(before), after));
        }
        at += here.iter().position(|byte| *byte == b'\n')? + 1;
    }
}

/// The first line without its end, and what follows it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest))
}

/// Reads one part.
fn part(part: &[u8]) -> Result<Part<'_>, BodyError> {
    let mut rest = part;
    let mut disposition = None;
    loop {
        let (header, after) = line(rest).ok_or(bad("a part has no empty line behind its headers"))?;
        rest = after;
        if header.is_empty() {
            break;
        }
        let header = utf8_within_limit(header)?;
        if let Some((name, value)) = header.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-disposition")
        {
            disposition = Some(value);
        }
    }
    let disposition = disposition.ok_or(bad("a part has no Content-Disposition"))?;
    let name = parameter(disposition, "name").ok_or(bad("a part has no name"))?;
    let file = ["filename", "filename*"].iter().find_map(|of| parameter(disposition, of));
    Ok(Part { name, file, bytes: rest })
}

/// A name as it was before the browser put it between quotes.
fn plain(name: &str) -> String {
    name.replace("\\\"", "\"").replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(boundary: &str, body: &str) -> Result<Vec<(String, String)>, BodyError> {
        let content_type = format!("multipart/form-data; boundary={boundary}");
        Fields::from_multipart(&content_type, body.as_bytes()).map(Vec::from)
    }

    #[test]
    fn what_curl_sends_is_read() {
        // Recorded: curl 7.88.1 -F name='Ada "the" Hill' -F email=ada@example.com -F 'a"b=2' -F photo=@roof.txt
        let body = "--------------------------241b0961842b60f9\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda \"the\" Hill\r\n--------------------------241b0961842b60f9\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nada@example.com\r\n--------------------------241b0961842b60f9\r\nContent-Disposition: form-data; name=\"a%22b\"\r\n\r\n2\r\n--------------------------241b0961842b60f9\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"roof.txt\"\r\nContent-Type: text/plain\r\n\r\nshingles\n\r\n--------------------------241b0961842b60f9--\r\n";
        let fields = read("------------------------241b0961842b60f9", body).unwrap();
        let read: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            read,
            [
                ("name", "Ada \"the\" Hill"),
                ("email", "ada@example.com"),
                ("a\"b", "2"),
                ("photo", "(a file of 9 bytes, not kept)"),
            ]
        );
    }

    #[test]
    fn a_boundary_counts_at_the_beginning_of_a_line_and_whole() {
        let body = "preamble\r\n--b\r\ncontent-disposition: form-data; name=m\r\n\r\nsays --b\r\n--bee\r\n--b \r\nContent-Disposition: form-data; filename=\"\"; name=\"none\"\r\n\r\n\r\n--b--";
        assert_eq!(read("b", body).unwrap(), [("m".to_owned(), "says --b\r\n--bee".to_owned())]);
        assert_eq!(read("\"b\"", &body.replace("\r\n", "\n")).unwrap()[0].1, "says --b\n--bee");
    }

    #[test]
    fn files_are_read_where_they_are_asked_for() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"base\"\r\n\r\n7\r\n--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"areas.csv\"\r\n\r\n\xff\x00\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"\"\r\n\r\n\r\n--b--";
        let parts = parts("multipart/form-data; boundary=b", body).unwrap();
        let read: Vec<_> = parts.iter().map(|part| (part.name(), part.file(), part.bytes)).collect();
        let of = |name: &str, file: Option<&str>, bytes| (name.to_owned(), file.map(str::to_owned), bytes);
        assert_eq!(
            read,
            [
                of("base", None, b"7".as_slice()),
                of("files", Some("areas.csv"), b"\xff\x00\r\n".as_slice()),
                of("files", Some(""), b"".as_slice()),
            ]
        );
    }

    #[test]
    fn what_is_not_multipart_says_why() {
        let rule = |boundary: &str, body: &str| read(boundary, body).unwrap_err().to_string();
        assert!(rule("", "--b--").contains("boundary of 1 to 70 bytes"));
        assert!(rule("b", "a=1").contains("no part begins"));
        assert!(rule("b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1").contains("does not end"));
        assert!(rule("b", "--b\r\n\r\n1\r\n--b--").contains("no Content-Disposition"));
        assert!(rule("b", "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--").contains("no name"));
        let latin = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\xe9\r\n--b--";
        let error = Fields::from_multipart("multipart/form-data; boundary=b", latin).unwrap_err();
        assert_eq!(error, BodyError::NotUtf8);
    }
}
