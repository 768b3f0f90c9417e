//! CSV (RFC 4180) into cells that know where they stand.
//!
//! Determination: the `csv` crate gives the position of a record, not of its cells, and takes a
//! quote that is never closed for a cell that reaches to the end of the file, so that one slip hides
//! every row below it. This reads the same cells (the crate is the oracle of a test below) and says
//! where each begins.

use std::borrow::Cow;

/// Cells of one row that are kept; more are read and dropped. No table has half as many columns.
pub(super) const CELLS: usize = 64;

/// One cell, unquoted.
pub(super) struct Cell<'a> {
    /// Its first byte in the file, the quote included.
    pub(super) offset: usize,
    pub(super) text: Cow<'a, str>,
}

impl Cell<'_> {
    /// Without the blanks that spreadsheets and people leave around a value.
    pub(super) fn trimmed(&self) -> &str {
        self.text.trim()
    }
}

/// A quote that is never closed, by its byte.
pub(super) struct Unclosed(pub(super) usize);

/// Reads row after row.
pub(super) struct Cells<'a> {
    text: &'a str,
    at: usize,
    delimiter: u8,
}

impl<'a> Cells<'a> {
    /// Starts at a byte of the text.
    pub(super) fn new(text: &'a str, at: usize, delimiter: u8) -> Self {
        Self { text, at, delimiter }
    }

    /// The byte after what was read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Reads the next row that is not an empty line; false at the end.
    pub(super) fn next_row(&mut self, cells: &mut Vec<Cell<'a>>) -> Result<bool, Unclosed> {
        cells.clear();
        while matches!(self.peek(), Some(b'\r' | b'\n')) {
            self.at += 1;
        }
        if self.peek().is_none() {
            return Ok(false);
        }
        loop {
            let offset = self.at;
            let text = self.cell()?;
            let blank = text.trim().is_empty();
            if cells.len() < CELLS || cells.len() == CELLS && !blank {
                cells.push(Cell { offset, text });
            }
            match self.peek() {
                Some(byte) if byte == self.delimiter => self.at += 1,
                _ => return Ok(true),
            }
        }
    }

    /// Passes over one cell and gives the byte after it: a delimiter, a line's end, or nothing.
    pub(super) fn pass_cell(&mut self) -> Result<usize, Unclosed> {
        self.cell()?;
        Ok(self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// One cell, up to the delimiter or the line's end.
    fn cell(&mut self) -> Result<Cow<'a, str>, Unclosed> {
        if self.peek() != Some(b'"') {
            return Ok(Cow::Borrowed(self.plain()));
        }
        let quote = self.at;
        self.at += 1;
        let mut text = Cow::Borrowed("");
        loop {
            let from = self.at;
            self.skip_while(|byte| byte != b'"');
            if self.peek().is_none() {
                return Err(Unclosed(quote));
            }
            append(&mut text, self.slice(from, self.at));
            self.at += 1;
            if self.peek() == Some(b'"') {
                self.at += 1;
                append(&mut text, "\"");
            } else {
                append(&mut text, self.plain());
                return Ok(text);
            }
        }
    }

    fn plain(&mut self) -> &'a str {
        let (from, delimiter) = (self.at, self.delimiter);
        self.skip_while(|byte| byte != delimiter && byte != b'\n' && byte != b'\r');
        self.slice(from, self.at)
    }

    fn skip_while(&mut self, goes_on: impl Fn(u8) -> bool) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&byte| !goes_on(byte)).unwrap_or(rest.len());
    }
}

/// Stays borrowed while there is nothing to join, which is nearly always.
fn append<'a>(text: &mut Cow<'a, str>, more: &'a str) {
    if text.is_empty() {
        *text = Cow::Borrowed(more);
    } else if !more.is_empty() {
        text.to_mut().push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str) -> Option<Vec<Vec<String>>> {
        let (mut reader, mut cells, mut rows) = (Cells::new(text, 0, b','), Vec::new(), Vec::new());
        while reader.next_row(&mut cells).ok()? {
            rows.push(cells.iter().map(|cell| cell.text.to_string()).collect());
        }
        Some(rows)
    }

    fn rows_of_the_crate(text: &str) -> Vec<Vec<String>> {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    proptest! {
        #[test]
        fn the_cells_are_those_of_the_csv_crate(text in "([a-c, é]|\"|\"\"|,|\n|\r\n|\r|,\"|\",){0,60}") {
            if let Some(rows) = rows(&text) {
                prop_assert_eq!(rows, rows_of_the_crate(&text));
            }
        }

        #[test]
        fn a_cell_stands_where_it_says(text in "([a-c, é]|\"|\"\"|,|\n|\r\n|\r|,\"|\",){0,60}") {
            let (mut reader, mut cells) = (Cells::new(&text, 0, b','), Vec::new());
            while let Ok(true) = reader.next_row(&mut cells) {
                for cell in &cells {
                    let (before, after) = text.split_at(cell.offset);
                    prop_assert!(before.is_empty() || before.ends_with([',', '\n', '\r']));
                    let starts = after.trim_start_matches('"');
                    prop_assert!(starts.len() < after.len() || after.starts_with(&*cell.text));
                }
            }
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_is_found_where_it_opens() {
        let (mut reader, mut cells) = (Cells::new("a,b\n1,\"2\n3,4\n", 0, b','), Vec::new());
        assert!(matches!(reader.next_row(&mut cells), Ok(true)));
        assert!(matches!(reader.next_row(&mut cells), Err(Unclosed(6))));
    }
}
