//! Edits of a CSV table, by bytes: what is not edited is not written.

use serde_json::Value;

use super::{EditError, EditTable, Fields, Row, RowChange, RowEdit};
use crate::rulebook::body::Body;
use crate::rulebook::cells::{CELLS, Cell, Cells, Unclosed};
use crate::rulebook::columns::Presence;
use crate::rulebook::files::RulebookFiles;
use crate::rulebook::problem::{ProblemCode, Problems};
use crate::rulebook::table::dialect;

/// The row as it reads; of an area the parts of all its rows.
pub(super) fn read(
    files: &RulebookFiles,
    name: &'static str,
    edit: &RowEdit,
) -> Result<Option<Row>, EditError> {
    let Some(sheet) = Sheet::open(files, name, edit)? else { return Ok(None) };
    let Some(first) = sheet.rows.first() else { return Ok(None) };
    if edit.table == EditTable::Areas {
        let part = sheet.index("part");
        let parts = sheet.rows.iter().map(|row| Value::from(row.text(part))).collect();
        return Ok(Some(Row::from([("parts".to_owned(), Value::Array(parts))])));
    }
    let cells = sheet.header.iter().enumerate().map(|(index, name)| (name, first.text(Some(index))));
    let said = cells.filter(|(name, text)| !name.is_empty() && !text.is_empty());
    Ok(Some(said.map(|(name, text)| (name.clone(), Value::from(text))).collect()))
}

/// The file's bytes with the edit. The row has been looked for already: it is there or not as it must be.
pub(super) fn edit(files: &RulebookFiles, name: &'static str, edit: &RowEdit) -> Result<Vec<u8>, EditError> {
    let header;
    let created;
    let (sheet, text) = match Sheet::open(files, name, edit)? {
        Some(sheet) => (sheet, files.get(name).unwrap_or_default()),
        None => {
            header = usual_header(edit.table);
            created = files.with(name, header.clone().into_bytes())?;
            (Sheet::open(&created, name, edit)?.unwrap_or_default(), header.as_bytes())
        }
    };
    let mut splices = Splices::default();
    match &edit.change {
        RowChange::Set(fields) => sheet.set(fields, &mut splices)?,
        RowChange::Add(fields) => sheet.add(&filled(edit, fields)?, &mut splices)?,
        RowChange::Remove => sheet.rows.iter().for_each(|row| sheet.remove(row, &mut splices)),
        RowChange::Parts(parts) => sheet.set_parts(edit, parts, &mut splices)?,
    }
    Ok(splices.apply(text, sheet.mark))
}

/// A table that is not there yet.
fn usual_header(table: EditTable) -> String {
    let usual = table.columns().iter().filter(|column| column.presence != Presence::Later);
    usual.map(|column| column.name).collect::<Vec<_>>().join(",") + "\n"
}

/// The fields with the id among them.
fn filled(edit: &RowEdit, fields: &Fields) -> Result<Fields, EditError> {
    let mut fields = fields.clone();
    fields.extend(edit.table.key_of(&edit.id)?.into_iter().map(|(key, text)| (key.to_owned(), text.into())));
    Ok(fields)
}

/// A table's header and those of its rows that the edit names, by their bytes.
#[derive(Default)]
struct Sheet {
    /// The bytes of the byte order mark: places are counted behind it.
    mark: usize,
    delimiter: u8,
    /// What ends its lines.
    line_end: &'static str,
    /// The columns' names in lower case; empty for a cell without a name.
    header: Vec<String>,
    header_cells: Vec<Span>,
    header_end: usize,
    rows: Vec<Found>,
    /// The text's length, and whether its last line is ended.
    end: usize,
    is_ended: bool,
}

/// A cell.
struct Span {
    start: usize,
    end: usize,
    text: String,
    is_quoted: bool,
}

/// A row that the edit names.
struct Found {
    cells: Vec<Span>,
    start: usize,
    end: usize,
    /// After its line's end; the same as `end` where the file ends without one.
    next: usize,
}

impl Found {
    fn text(&self, index: Option<usize>) -> &str {
        index.and_then(|index| self.cells.get(index)).map_or("", |cell| cell.text.trim())
    }
}

impl Sheet {
    /// `None` when there is no such file.
    fn open(files: &RulebookFiles, name: &'static str, edit: &RowEdit) -> Result<Option<Self>, EditError> {
        let mut problems = Problems::default();
        let Some(bytes) = files.get(name) else { return Ok(None) };
        let Some(body) = files.open(name, &mut problems) else { return Err(problems.into()) };
        let mark = bytes.len() - body.text.len();
        let read = Self::read(&body, mark, edit)?;
        read.map(Some).map_err(|Unclosed(offset)| {
            problems.error(&body, offset, ProblemCode::Syntax, "the quote that opens here is never closed");
            problems.into()
        })
    }

    fn read(body: &Body<'_>, mark: usize, edit: &RowEdit) -> Result<Result<Self, Unclosed>, EditError> {
        let key = edit.table.key_of(&edit.id)?;
        let text = body.text;
        let (start, delimiter) = dialect(text);
        let mut reader = Cells::new(text, start, delimiter);
        let mut cells: Vec<Cell<'_>> = Vec::new();
        let mut sheet = Self {
            mark,
            delimiter,
            line_end: line_end(text),
            end: text.len(),
            is_ended: text.is_empty() || text.ends_with(['\n', '\r']),
            ..Self::default()
        };
        match reader.next_row(&mut cells) {
            Ok(_) => {}
            Err(unclosed) => return Ok(Err(unclosed)),
        }
        sheet.header = cells.iter().map(|cell| cell.trimmed().to_ascii_lowercase()).collect();
        sheet.header_end = reader.at();
        sheet.header_cells = match spans(text, delimiter, &cells) {
            Ok(spans) => spans,
            Err(unclosed) => return Ok(Err(unclosed)),
        };
        let columns: Vec<Option<usize>> = key.iter().map(|(name, _)| sheet.index(name)).collect();
        loop {
            match reader.next_row(&mut cells) {
                Ok(true) => {}
                Ok(false) => return Ok(Ok(sheet)),
                Err(unclosed) => return Ok(Err(unclosed)),
            }
            let cell = |column: &Option<usize>| {
                column.and_then(|column| cells.get(column)).map_or("", Cell::trimmed)
            };
            if !columns.iter().zip(&key).all(|(column, (_, text))| cell(column) == text) {
                continue;
            }
            let spans = match spans(text, delimiter, &cells) {
                Ok(spans) => spans,
                Err(unclosed) => return Ok(Err(unclosed)),
            };
            let end = reader.at();
            let rest = text.get(end..).unwrap_or_default();
            let ended = if rest.starts_with("\r\n") { 2 } else { usize::from(!rest.is_empty()) };
            let start = spans.first().map_or(end, |cell| cell.start);
            sheet.rows.push(Found { cells: spans, start, end, next: end + ended });
        }
    }

    fn index(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| name == column)
    }

    /// The place of each column, made where the table lacks it.
    fn places<'f>(
        &self,
        fields: &'f Fields,
        splices: &mut Splices,
    ) -> Result<Vec<(usize, &'f str)>, EditError> {
        let mut places = Vec::new();
        let mut unnamed: Vec<usize> = Vec::new();
        for (index, name) in self.header.iter().enumerate() {
            if name.is_empty() {
                unnamed.push(index);
            }
        }
        let mut unnamed = unnamed.into_iter();
        let mut width = self.header.len();
        let mut appended = String::new();
        for (column, value) in fields {
            let text = value.as_str().unwrap_or_default();
            let place = match self.index(column) {
                Some(place) => place,
                None if text.is_empty() => continue,
                // A spreadsheet leaves cells without a name behind; nothing stands below them.
                None => match unnamed.next() {
                    Some(place) => {
                        if let Some(cell) = self.header_cells.get(place) {
                            splices.replace(cell.start, cell.end, column.clone());
                        }
                        place
                    }
                    None => {
                        appended.push(char::from(self.delimiter));
                        appended.push_str(column);
                        width += 1;
                        width - 1
                    }
                },
            };
            places.push((place, text));
        }
        if width > CELLS {
            return Err(EditError::Malformed(format!("a table has at most {CELLS} columns")));
        }
        if !appended.is_empty() {
            splices.replace(self.header_end, self.header_end, appended);
        }
        places.sort_unstable();
        Ok(places)
    }

    fn set(&self, fields: &Fields, splices: &mut Splices) -> Result<(), EditError> {
        let Some(row) = self.rows.first() else { return Ok(()) };
        let places = self.places(fields, splices)?;
        let mut width = row.cells.len();
        let mut appended = String::new();
        for (place, text) in places {
            match row.cells.get(place) {
                Some(cell) => self.write(cell, text, splices),
                None if text.is_empty() => {}
                None => {
                    while width <= place {
                        appended.push(char::from(self.delimiter));
                        width += 1;
                    }
                    appended.push_str(&self.encoded(text, false));
                }
            }
        }
        if !appended.is_empty() {
            splices.replace(row.end, row.end, appended);
        }
        Ok(())
    }

    fn write(&self, cell: &Span, text: &str, splices: &mut Splices) {
        if cell.text.trim() != text {
            splices.replace(cell.start, cell.end, self.encoded(text, cell.is_quoted));
        }
    }

    fn add(&self, fields: &Fields, splices: &mut Splices) -> Result<(), EditError> {
        let places = self.places(fields, splices)?;
        self.insert_last(&self.line(&places), splices);
        Ok(())
    }

    /// A row below all others.
    fn insert_last(&self, line: &str, splices: &mut Splices) {
        let line = if self.is_ended {
            format!("{line}{}", self.line_end)
        } else {
            format!("{}{line}", self.line_end)
        };
        splices.replace(self.end, self.end, line);
    }

    fn line(&self, places: &[(usize, &str)]) -> String {
        let last = places.iter().map(|(place, _)| place + 1).max().unwrap_or(0);
        let cells: Vec<String> = (0..self.header.len().max(last))
            .map(|place| {
                let said = places.iter().find(|(at, _)| *at == place);
                said.map_or_else(String::new, |(_, text)| self.encoded(text, false))
            })
            .collect();
        cells.join(&char::from(self.delimiter).to_string())
    }

    fn remove(&self, row: &Found, splices: &mut Splices) {
        if row.next > row.end {
            splices.replace(row.start, row.next, String::new());
        } else {
            // The last line of a file that ends without a line's end: the one before becomes the last.
            let end = if self.line_end == "\r\n" { 2 } else { 1 };
            splices.replace(row.start.saturating_sub(end).max(self.header_end), row.end, String::new());
        }
    }

    /// Parts that stay at the beginning and at the end of the list keep their rows; those between are
    /// written over, removed, or added.
    fn set_parts(&self, edit: &RowEdit, parts: &[String], splices: &mut Splices) -> Result<(), EditError> {
        let part = self.index("part");
        let old: Vec<&str> = self.rows.iter().map(|row| row.text(part)).collect();
        let new: Vec<&str> = parts.iter().map(String::as_str).collect();
        let before = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        let (old_rest, new_rest) =
            (old.get(before..).unwrap_or_default(), new.get(before..).unwrap_or_default());
        let after =
            old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
        let between = old_rest.len() - after;
        let rows = self.rows.get(before..before + between).unwrap_or_default();
        let mut new = new_rest.get(..new_rest.len() - after).unwrap_or_default().iter();
        for row in rows {
            match (new.next(), part.and_then(|part| row.cells.get(part))) {
                (Some(text), Some(cell)) => self.write(cell, text, splices),
                (Some(_), None) => {}
                (None, _) => self.remove(row, splices),
            }
        }
        let mut lines = Vec::new();
        for text in new {
            let fields = Fields::from([("part".to_owned(), Value::from(*text))]);
            lines.push(self.line(&self.places(&filled(edit, &fields)?, splices)?));
        }
        if lines.is_empty() {
            return Ok(());
        }
        let lines = lines.join(self.line_end);
        // Beside its own kind: behind the last row that stays, or before the first.
        match (self.rows.get(..before + between).and_then(<[_]>::last), self.rows.get(before + between)) {
            (Some(row), _) if row.next > row.end => {
                splices.replace(row.next, row.next, format!("{lines}{}", self.line_end));
            }
            (None, Some(row)) => splices.replace(row.start, row.start, format!("{lines}{}", self.line_end)),
            (Some(_) | None, _) => self.insert_last(&lines, splices),
        }
        Ok(())
    }

    /// A cell as the file writes it.
    fn encoded(&self, text: &str, is_quoted: bool) -> String {
        let special =
            |letter: char| matches!(letter, '"' | '\n' | '\r') || letter == char::from(self.delimiter);
        if is_quoted || text.contains(special) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    }
}

/// Where each of a row's cells begins and ends.
fn spans(text: &str, delimiter: u8, cells: &[Cell<'_>]) -> Result<Vec<Span>, Unclosed> {
    let span = |cell: &Cell<'_>| {
        let end = Cells::new(text, cell.offset, delimiter).pass_cell()?;
        let is_quoted = text.as_bytes().get(cell.offset) == Some(&b'"');
        Ok(Span { start: cell.offset, end, text: cell.text.to_string(), is_quoted })
    };
    cells.iter().map(span).collect()
}

fn line_end(text: &str) -> &'static str {
    match text.find(['\n', '\r']).and_then(|at| text.get(at..)) {
        Some(rest) if rest.starts_with("\r\n") => "\r\n",
        Some(rest) if rest.starts_with('\r') => "\r",
        Some(_) | None => "\n",
    }
}

/// Bytes to be replaced.
#[derive(Default)]
struct Splices(Vec<(usize, usize, String)>);

impl Splices {
    /// Places are counted behind the byte order mark.
    fn replace(&mut self, start: usize, end: usize, text: String) {
        self.0.push((start, end, text));
    }

    fn apply(mut self, bytes: &[u8], mark: usize) -> Vec<u8> {
        // At one place in the order they were noted.
        self.0.sort_by_key(|(start, end, _)| (*start, *end));
        let mut result = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for (start, end, text) in self.0 {
            let (start, end) = (start + mark, end + mark);
            result.extend(bytes.get(at..start).unwrap_or_default());
            result.extend(text.as_bytes());
            at = at.max(end);
        }
        result.extend(bytes.get(at..).unwrap_or_default());
        result
    }
}
