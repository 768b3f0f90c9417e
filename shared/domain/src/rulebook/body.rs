//! The text of one file, and where in it a byte stands.

use std::cell::OnceCell;

use crate::rulebook::origin::Origin;
use crate::rulebook::problem::{Position, ProblemCode, Problems};

/// Marks are this far apart: finding a position scans at most so many bytes.
const MARK_BYTES: usize = 256;

/// A file's text, without a byte order mark.
pub(super) struct Body<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    /// The sheet that it came from.
    pub(super) origin: Option<&'a Origin>,
    /// The position of every 256th byte, made when first asked for: a rulebook may be one line of
    /// megabytes, and finding positions in it must not become quadratic.
    marks: OnceCell<Vec<Position>>,
}

impl<'a> Body<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, origin: None, marks: OnceCell::new() }
    }

    /// The file as text. What is not UTF-8 is refused with the line, never guessed at: a guess would
    /// put a wrong name on a dealer's mail.
    pub(super) fn decode(name: &'a str, bytes: &'a [u8], problems: &mut Problems) -> Option<Self> {
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            let message = "this file is UTF-16: save it as 'CSV UTF-8 (comma delimited)'";
            problems.error(&Self::new(name, ""), 0, ProblemCode::NotUtf8, message);
            return None;
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(Self::new(name, text)),
            Err(error) => {
                let (valid, _) = bytes.split_at(error.valid_up_to());
                let valid = std::str::from_utf8(valid).unwrap_or_default();
                problems.error(
                    &Self::new(name, valid),
                    valid.len(),
                    ProblemCode::NotUtf8,
                    "this is not UTF-8, perhaps Windows-1252: save the file as 'CSV UTF-8' or, in an editor, with encoding UTF-8",
                );
                None
            }
        }
    }

    /// What messages call it: a sheet has no ending.
    pub(super) fn title(&self) -> String {
        match self.origin {
            Some(origin) => format!("the sheet {}", origin.sheet),
            None => self.name.to_owned(),
        }
    }

    /// Line and column of a byte; of a sheet row and column.
    pub(super) fn locate(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        if let Some(origin) = self.origin {
            return origin.locate(self.text, offset);
        }
        let marks = self.marks.get_or_init(|| self.mark());
        let index = offset / MARK_BYTES;
        let mark = marks.get(index).copied().unwrap_or(Position::START);
        self.advance(mark, index * MARK_BYTES, offset)
    }

    fn mark(&self) -> Vec<Position> {
        let mut marks = vec![Position::START];
        let mut at = Position::START;
        for index in 1..=self.text.len() / MARK_BYTES {
            at = self.advance(at, (index - 1) * MARK_BYTES, index * MARK_BYTES);
            marks.push(at);
        }
        marks
    }

    /// From the position of byte `from` to that of byte `to`.
    fn advance(&self, mut at: Position, from: usize, to: usize) -> Position {
        let bytes = self.text.as_bytes();
        let (Some(passed), Some(ahead)) = (bytes.get(from..to), bytes.get(from + 1..)) else { return at };
        for (index, &byte) in passed.iter().enumerate() {
            let breaks = match byte {
                b'\n' => true,
                b'\r' => ahead.get(index) != Some(&b'\n'),
                _ => false,
            };
            if breaks {
                at = Position { line: at.line + 1, column: 1 };
            } else if byte & 0xc0 != 0x80 {
                at.column += 1;
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The obvious way.
    fn locate_slowly(text: &str, offset: usize) -> Position {
        let passed = text[..offset].replace("\r\n", "\n");
        let passed = if text[offset..].starts_with('\n') && passed.ends_with('\r') {
            // Between CR and LF we are still on the line that they end.
            passed.strip_suffix('\r').unwrap().to_owned() + "x"
        } else {
            passed
        };
        let line_start = passed.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        Position {
            line: 1 + passed.matches(['\n', '\r']).count() as u32,
            column: 1 + passed[line_start..].chars().count() as u32,
        }
    }

    proptest! {
        #[test]
        fn positions_are_those_an_editor_shows(text in "(a|é|\u{1f600}|\n|\r\n|\r){0,900}") {
            let body = Body::new("x.csv", &text);
            for (offset, _) in text.char_indices() {
                prop_assert_eq!(body.locate(offset), locate_slowly(&text, offset));
            }
        }
    }
}
