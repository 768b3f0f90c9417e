//! Writing XML 1.0: the elements and the order are the writer's, the escaping is here and nowhere else.

use std::borrow::Cow;

/// A document in the making. What is opened is closed in the order in which it was opened.
pub(super) struct Xml {
    text: String,
    open: Vec<String>,
}

impl Xml {
    /// A document with its declaration, in UTF-8.
    pub(super) fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), open: Vec::new() }
    }

    /// A processing instruction that says its version, on a line of its own.
    pub(super) fn instruction(&mut self, target: &str, version: &str) {
        for part in ["<?", target, " version=\"", version, "\"?>\n"] {
            self.text.push_str(part);
        }
    }

    /// Opens an element. Its name and those of its attributes are names of XML: [`is_name`].
    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.text.push_str(&escaped(value, Place::Attribute));
            self.text.push('"');
        }
        self.text.push('>');
        self.open.push(name.to_owned());
    }

    /// Text within the element that is open.
    pub(super) fn text(&mut self, text: &str) {
        self.text.push_str(&escaped(text, Place::Text));
    }

    /// Closes the element that was opened last.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.text.push_str("</");
            self.text.push_str(&name);
            self.text.push('>');
            // Between elements white space says nothing; a person who looks at a prospect is glad of lines.
            self.text.push('\n');
        }
    }

    /// An element that holds a text and nothing else.
    pub(super) fn element(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        self.text(text);
        self.close();
    }

    /// The document, with everything closed.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }
}

/// Whether this may be the name of an element or attribute: a letter or `_`, then letters, digits, `_`, `-`
/// and `.`, all of ASCII, and at most one colon between two such. Fewer than XML allows, all of which it does.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |part: &str| {
        let mut chars = part.chars();
        chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    match name.split_once(':') {
        Some((prefix, name)) => plain(prefix) && plain(name),
        None => plain(name),
    }
}

/// Where a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Attribute,
}

/// The text with what has a meaning in XML escaped, and without what XML 1.0 has no way to say (2.2: most
/// control characters, U+FFFE, U+FFFF). A line's end is one line feed: a reader makes that of every other
/// (2.11), and spaces of all of them in an attribute (3.3.3), where they are escaped.
fn escaped(text: &str, place: Place) -> Cow<'_, str> {
    let plain = |c: char| !matches!(c, '<' | '>' | '&' | '"' | '\'' | '\r' | '\n' | '\t') && may_stand(c);
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // Both characters of a line's end, or the one that stood alone.
        let c = if c == '\r' {
            chars.next_if_eq(&'\n');
            '\n'
        } else {
            c
        };
        match (c, place) {
            ('<', _) => escaped.push_str("&lt;"),
            ('>', _) => escaped.push_str("&gt;"),
            ('&', _) => escaped.push_str("&amp;"),
            ('"', _) => escaped.push_str("&quot;"),
            ('\'', _) => escaped.push_str("&apos;"),
            ('\n', Place::Attribute) => escaped.push_str("&#10;"),
            ('\t', Place::Attribute) => escaped.push_str("&#9;"),
            (c, _) if may_stand(c) => escaped.push(c),
            _ => {}
        }
    }
    Cow::Owned(escaped)
}

/// Whether a character may stand in a document. DEL and what follows it up to U+009F may, and is nothing that
/// anybody wrote: it goes too.
fn may_stand(c: char) -> bool {
    match c {
        '\n' | '\t' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    }
}

/// A text as a reader of the document has it back.
#[cfg(test)]
pub(super) fn read_back(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|c| may_stand(*c)).collect()
}
