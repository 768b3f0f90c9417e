//! A letter as bytes: RFC 5322 and MIME, one part of `text/plain`.
//!
//! One part, since a dealer's program that reads ADF from a mailbox takes the body as it stands. Text in ASCII with
//! short lines goes as it is; other text as quoted-printable, which is ASCII too: so nothing on the way has to know
//! of any encoding, and the bytes are the same everywhere.
//!
//! Nothing that comes from outside can begin a header: a line break within a value is a space, and what is not ASCII
//! is an encoded word (RFC 2047).
//!
//! All mails of an assignment refer to one message that was never sent: SES replaces a Message-ID by its own, so a
//! reply to the first could not be named. Mail programs put what refers to the same into one conversation.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::letter::Letter;
use crate::ids::AssignmentId;

/// A mail, ready to be sent.
#[derive(Clone)]
pub struct Mail {
    /// From: the address.
    pub from: String,
    /// From: the name beside it.
    pub from_name: String,
    /// To: one address.
    pub to: String,
    /// What it says.
    pub letter: Letter,
    /// The webhook id of the same message: it is the same at every attempt.
    pub id: String,
    /// What it is about: mails about one assignment are a conversation.
    pub about: AssignmentId,
}

impl Mail {
    /// The `From` header's value.
    pub fn sender(&self) -> String {
        let name = words("From", &self.from_name);
        if name.starts_with("=?") {
            // On a line of its own: one with an encoded word has little room.
            format!("{name}\r\n <{}>", self.from)
        } else {
            format!("{} <{}>", quoted(&name), self.from)
        }
    }

    /// The whole mail, at the time of this attempt. Lines end in CRLF, all of it is ASCII.
    pub fn bytes(&self, at: Timestamp) -> Vec<u8> {
        let domain = self.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_string(&at).unwrap_or_default();
        let (encoding, body) = encoded(&self.letter.text);
        let mut mail = String::new();
        for (name, value) in [
            ("From", self.sender()),
            ("To", plain(&self.to)),
            ("Subject", words("Subject", &self.letter.subject)),
            ("Date", date),
            ("Message-ID", format!("<{}@{domain}>", plain(&self.id))),
            ("References", format!("<{}@{domain}>", self.about)),
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("MIME-Version", "1.0".to_owned()),
            ("Content-Type", "text/plain; charset=utf-8".to_owned()),
            ("Content-Transfer-Encoding", encoding.to_owned()),
        ] {
            let _ = write!(mail, "{name}: {value}\r\n");
        }
        mail.push_str("\r\n");
        mail.push_str(&body);
        mail.into_bytes()
    }
}

/// A header's text on one line.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// Text within quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Text as a header of this name takes it: itself where it is short ASCII, else encoded words, a line each. A line
/// with one has at most 76 characters (RFC 2047, 2).
fn words(header: &str, text: &str) -> String {
    const LINE: usize = 76;
    const AROUND: usize = "=?utf-8?B??=".len();
    let text = plain(text);
    if text.is_ascii() && text.len() <= 200 && !text.contains("=?") {
        return text;
    }
    // Of base64, four characters for three bytes; before the first word stand the name and `: `, before others a space.
    let room = |before: usize| (LINE - AROUND).saturating_sub(before) / 4 * 3;
    let (mut all, mut word) = (String::new(), String::new());
    let mut most = room(header.len() + 2);
    let mut close = |word: &mut String| {
        if !word.is_empty() {
            let separator = if all.is_empty() { "" } else { "\r\n " };
            let _ = write!(all, "{separator}=?utf-8?B?{}?=", STANDARD.encode(&*word));
            word.clear();
        }
    };
    for c in text.chars() {
        if word.len() + c.len_utf8() > most {
            close(&mut word);
            most = room(1);
        }
        word.push(c);
    }
    close(&mut word);
    all
}

/// A body and its encoding.
fn encoded(text: &str) -> (&'static str, String) {
    /// What a line may have without its end (RFC 5322, 2.1.1).
    const LINE: usize = 998;
    let lines = || text.lines().map(|line| line.trim_end_matches('\r'));
    let as_it_is =
        |line: &str| line.len() <= LINE && line.bytes().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e));
    if lines().all(as_it_is) {
        return ("7bit", lines().fold(String::new(), |body, line| body + line + "\r\n"));
    }
    let mut body = String::new();
    for line in lines() {
        quoted_printable(line, &mut body);
    }
    ("quoted-printable", body)
}

/// One line (RFC 2045, 6.7).
fn quoted_printable(line: &str, body: &mut String) {
    const MOST: usize = 76;
    let bytes = line.as_bytes();
    let mut column = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let last = at + 1 == bytes.len();
        let literal = match byte {
            b'=' => false,
            b' ' | b'\t' => !last,
            byte => byte.is_ascii_graphic(),
        };
        let width = if literal { 1 } else { 3 };
        // A line that goes on ends in one more character.
        if column + width > MOST - usize::from(!last) {
            body.push_str("=\r\n");
            column = 0;
        }
        if literal {
            body.push(char::from(*byte));
        } else {
            let _ = write!(body, "={byte:02X}");
        }
        column += width;
    }
    body.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::letter::{Links, Terms, withdrawn};
    use crate::delivery::{WithdrawalReason, WithdrawnPayload};
    use crate::ids::LeadId;
    use proptest::prelude::*;

    fn mail(from_name: &str, subject: &str, text: &str) -> String {
        let letter = Letter { subject: subject.to_owned(), text: text.to_owned() };
        let mail = Mail {
            from: "desk@acme.example".to_owned(),
            from_name: from_name.to_owned(),
            to: "leads@hudson.example".to_owned(),
            letter,
            id: "msg_1_assigned_1".to_owned(),
            about: AssignmentId::from_bytes([1; 16]),
        };
        let at: Timestamp = "2026-06-01T16:00:00Z".parse().unwrap();
        String::from_utf8(mail.bytes(at)).unwrap()
    }

    const HEADERS: [&str; 10] = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "References",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ];

    /// What every mail is, whatever it says: these headers once each, ASCII, lines that end in CRLF and are not long.
    fn check(mail: &str) {
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", "");
        let names: Vec<&str> = head.split("\r\n").map(|line| line.split_once(": ").unwrap().0).collect();
        assert_eq!(names, HEADERS, "{mail}");
        assert!(mail.is_ascii());
        assert!(!mail.replace("\r\n", "").contains(['\r', '\n']), "{mail:?}");
        let longest = if head.ends_with("7bit") { 998 } else { 76 };
        assert!(body.split("\r\n").all(|line| line.len() <= longest), "{mail}");
        assert!(mail.split("\r\n").all(|line| line.len() <= 998));
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(head.split("\r\n").all(|line| !line.contains("=?") || line.len() <= 76), "{head}");
    }

    #[test]
    fn plain_text_goes_as_it_is() {
        let mail = mail("Acme Leads", "Lead 1: roof", "Name        Ada Hill\n\nhttps://leads.example/a\n");
        assert!(
            mail.starts_with("From: \"Acme Leads\" <desk@acme.example>\r\nTo: leads@hudson.example\r\n"),
            "{mail}"
        );
        assert!(mail.contains("Date: Mon, 1 Jun 2026 16:00:00"), "{mail}");
        assert!(
            mail.ends_with("7bit\r\n\r\nName        Ada Hill\r\n\r\nhttps://leads.example/a\r\n"),
            "{mail}"
        );
        check(&mail);
    }

    #[test]
    fn other_text_is_encoded_in_the_header_and_the_body() {
        // As Python's `email` package encodes and reads them.
        let mail = mail("Zoë's \"Leads\"", "Dachziegel für Møller", "Zoë = 100 % \n\u{1f3e0}\n");
        assert!(mail.contains("Subject: =?utf-8?B?RGFjaHppZWdlbCBmw7xyIE3DuGxsZXI=?=\r\n"), "{mail}");
        assert!(
            mail.contains("From: =?utf-8?B?Wm/DqydzICJMZWFkcyI=?=\r\n <desk@acme.example>\r\n"),
            "{mail}"
        );
        assert!(
            mail.ends_with("quoted-printable\r\n\r\nZo=C3=AB =3D 100 %=20\r\n=F0=9F=8F=A0\r\n"),
            "{mail}"
        );
        check(&mail);
    }

    #[test]
    fn a_line_break_begins_no_header() {
        let evil = "Acme\r\nBcc: spy@evil.example\r\n\r\nHello\nX: y\rZ: w\0";
        let mail = mail(evil, evil, evil);
        check(&mail);
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!head.contains("\nBcc"), "{head}");
    }

    proptest! {
        #[test]
        fn whatever_is_said_a_mail_is_one(name in ".*", subject in "\\PC*|.*", text in "(?s).{0,2000}") {
            check(&mail(&name, &subject, &text));
        }
    }

    #[test]
    fn a_letter_has_one_subject_line() {
        let terms = Terms {
            company: "Acme\nBcc: x".to_owned(),
            offer: "roof\r\nBcc: x".to_owned(),
            zone: jiff::tz::TimeZone::UTC,
            call: None,
            links: Some(Links { accept: String::new(), decline: String::new() }),
        };
        let payload = WithdrawnPayload {
            assignment: AssignmentId::from_bytes([1; 16]),
            lead: LeadId::from_bytes([2; 16]),
            reason: WithdrawalReason::TakenBack,
        };
        let letter = withdrawn(&payload, &terms);
        assert_eq!(letter.subject.lines().count(), 1);
        assert!(!letter.text.contains("\nBcc"));
    }
}
