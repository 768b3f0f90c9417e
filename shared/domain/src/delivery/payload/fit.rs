//! What is left out of a body that would be too large: see [`limits::WEBHOOK_BYTES`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{AssignedPayload, Event, RepeatedPayload, render};
use crate::error::Invalid;
use crate::limits;

/// What of a payload may be left out.
pub(super) trait Cut<'a>: Serialize {
    /// Its fields that go first.
    fn fields(&mut self) -> &mut BTreeMap<&'a str, &'a str>;
    /// Its texts whose ends go then, in this order.
    fn texts(&mut self) -> Vec<&mut Option<Cow<'a, str>>>;
    fn truncated(&mut self) -> &mut bool;
}

impl<'a> Cut<'a> for AssignedPayload<'a> {
    fn fields(&mut self) -> &mut BTreeMap<&'a str, &'a str> {
        &mut self.extra
    }
    fn texts(&mut self) -> Vec<&mut Option<Cow<'a, str>>> {
        vec![&mut self.message, &mut self.consent.text]
    }
    fn truncated(&mut self) -> &mut bool {
        &mut self.truncated
    }
}

impl<'a> Cut<'a> for RepeatedPayload<'a> {
    fn fields(&mut self) -> &mut BTreeMap<&'a str, &'a str> {
        &mut self.filled
    }
    fn texts(&mut self) -> Vec<&mut Option<Cow<'a, str>>> {
        let agreed = self.consent.as_mut().map(|consent| &mut consent.text);
        std::iter::once(&mut self.message).chain(agreed).collect()
    }
    fn truncated(&mut self) -> &mut bool {
        &mut self.truncated
    }
}

/// An assignment in another form than our own, of at most [`limits::WEBHOOK_BYTES`]: what does not fit is left
/// out, the longest extra fields first, then the text agreed to, then the end of the message.
pub(in crate::delivery) fn shortened<'a>(
    mut payload: AssignedPayload<'a>,
    render: impl Fn(&AssignedPayload<'a>) -> String,
) -> String {
    let fits = |text: &String| text.len() <= limits::WEBHOOK_BYTES;
    payload.truncated = false;
    let whole = render(&payload);
    if fits(&whole) {
        return whole;
    }
    payload.truncated = true;
    while let Some(longest) = payload.extra.iter().max_by_key(|(_, value)| value.len()).map(|(name, _)| *name)
    {
        payload.extra.remove(longest);
        let text = render(&payload);
        if fits(&text) {
            return text;
        }
    }
    payload.consent.text = None;
    let text = render(&payload);
    let Some(message) = payload.message.take().filter(|_| !fits(&text)) else { return text };
    let beginning = |bytes: usize| {
        let cut = Cow::Owned(crate::person::cut_bytes(&message, bytes).0.to_owned());
        render(&AssignedPayload { message: Some(cut), ..payload.clone() })
    };
    let (mut least, mut most) = (0, message.len());
    while least < most {
        let middle = usize::midpoint(least, most + 1);
        if fits(&beginning(middle)) { least = middle } else { most = middle - 1 }
    }
    beginning(least)
}

pub(super) fn fit<'a>(event: Event, at: Timestamp, mut data: impl Cut<'a>) -> Result<String, Invalid> {
    *data.truncated() = false;
    let whole = render(event, at, &data)?;
    if whole.len() <= limits::WEBHOOK_BYTES {
        return Ok(whole);
    }
    *data.truncated() = true;
    let fields = std::mem::take(data.fields());
    let bare_bytes = render(event, at, &data)?.len();
    if let Some(mut room) = limits::WEBHOOK_BYTES.checked_sub(bare_bytes) {
        // One field too many should not cost them all.
        for (name, value) in fields {
            let bytes = json_bytes(name) + json_bytes(value) + r#""":"","#.len();
            if let Some(rest) = room.checked_sub(bytes) {
                room = rest;
                data.fields().insert(name, value);
            }
        }
        return render(event, at, &data);
    }
    let mut over = bare_bytes - limits::WEBHOOK_BYTES;
    for text in data.texts().into_iter().flatten() {
        let bytes = json_bytes(text);
        let room = bytes.saturating_sub(over);
        *text = match text {
            Cow::Borrowed(whole) => Cow::Borrowed(prefix(whole, room)),
            Cow::Owned(whole) => Cow::Owned(prefix(whole, room).to_owned()),
        };
        over = over.saturating_sub(bytes - json_bytes(text));
    }
    if over > 0 {
        return Err(Invalid::new(
            "a webhook body is at most 20000 bytes without its message and extra fields",
        ));
    }
    render(event, at, &data)
}

/// The longest beginning of `text` that takes at most `bytes` within a JSON string.
fn prefix(text: &str, bytes: usize) -> &str {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        taken += json_char_bytes(c);
        if taken > bytes {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// What a text takes within a JSON string, without its quotes.
fn json_bytes(text: &str) -> usize {
    text.chars().map(json_char_bytes).sum()
}

/// What serde_json writes for a character: it escapes what RFC 8259 says must be, and nothing else.
fn json_char_bytes(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}
