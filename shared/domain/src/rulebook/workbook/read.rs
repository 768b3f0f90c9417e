//! Sheets in: from cells to the text of a table.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader, SheetType, Xlsx};

use super::cell;
use super::weigh::{Refusal, weigh};
use crate::limits;
use crate::rulebook::cells::CELLS;
use crate::rulebook::columns::{Column, TABLES, TableColumns};
use crate::rulebook::nearest::suggestion;
use crate::rulebook::origin::{Origin, cell_name};
use crate::rulebook::problem::{Position, Problem, ProblemCode, Problems, Severity};

/// A table that came as a sheet.
pub(in crate::rulebook) struct Sheet {
    /// `dealers`
    pub(in crate::rulebook) table: &'static str,
    /// As CSV.
    pub(in crate::rulebook) text: String,
    pub(in crate::rulebook) origin: Origin,
}

type Source<'a> = Xlsx<Cursor<&'a [u8]>>;

/// All tables of a workbook. What is wrong with a cell's value is found by the table reader; here only
/// what cannot be read at all is noted.
pub(in crate::rulebook) fn read(name: &str, bytes: &[u8], problems: &mut Problems) -> Vec<Sheet> {
    let mut notes = Notes { workbook: name, problems };
    if let Err(refusal) = weigh(bytes) {
        notes.whole(refusal);
        return Vec::new();
    }
    // A panic in the libraries below must not take the process down: the bytes are somebody else's.
    let read = catch_unwind(AssertUnwindSafe(|| sheets(bytes, &mut notes)));
    read.unwrap_or_else(|_| {
        notes.whole(damaged());
        Vec::new()
    })
}

fn damaged() -> Refusal {
    (ProblemCode::Syntax, "this workbook is damaged: open it in a spreadsheet and save it again".to_owned())
}

fn sheets(bytes: &[u8], notes: &mut Notes<'_>) -> Vec<Sheet> {
    let Ok(mut workbook) = Source::new(Cursor::new(bytes)) else {
        notes.whole(damaged());
        return Vec::new();
    };
    let mut found: Vec<Sheet> = Vec::new();
    let listed: Vec<(String, SheetType)> =
        workbook.sheets_metadata().iter().map(|sheet| (sheet.name.clone(), sheet.typ)).collect();
    let mut room = limits::RULEBOOK_BYTES;
    for (name, kind) in listed {
        let plain = name.trim().to_ascii_lowercase();
        if plain.starts_with("readme") || plain.starts_with('.') {
            continue;
        }
        let table = TABLES.into_iter().find(|known| known.table == plain);
        if kind != SheetType::WorkSheet {
            notes.stranger(&name);
            continue;
        }
        let Some(table) = table else {
            if !is_empty(&mut workbook, &name) {
                notes.stranger(&name);
            }
            continue;
        };
        if found.iter().any(|sheet| sheet.table == table.table) {
            let message = format!("the sheet {} is here twice", table.table);
            notes.at(&name, Position::START, ProblemCode::DuplicateFile, message);
            continue;
        }
        if let Some(sheet) = sheet(&mut workbook, &name, table, room, notes) {
            room = room.saturating_sub(sheet.text.len());
            found.push(sheet);
        }
    }
    found
}

/// Whether nothing stands in a sheet: spreadsheets make some of their own.
fn is_empty(workbook: &mut Source<'_>, name: &str) -> bool {
    let Ok(mut cells) = workbook.worksheet_cells_reader(name) else { return false };
    loop {
        match cells.next_cell() {
            Ok(Some(cell)) if cell::text(cell.get_value(), false).trim().is_empty() => {}
            Ok(None) => return true,
            Ok(Some(_)) | Err(_) => return false,
        }
    }
}

/// One sheet as text; `None` when it cannot be read, or has nothing in it.
fn sheet(
    workbook: &mut Source<'_>,
    name: &str,
    table: TableColumns,
    room: usize,
    notes: &mut Notes<'_>,
) -> Option<Sheet> {
    let Ok(mut cells) = workbook.worksheet_cells_reader(name) else {
        let (code, message) = damaged();
        notes.at(name, Position::START, code, message);
        return None;
    };
    let mut lines = Lines::new(table, room);
    let mut at = Position::START;
    loop {
        let cell = match cells.next_cell_with_formula_metadata() {
            Ok(Some(cell)) => cell,
            Ok(None) => break,
            Err(_) => {
                // Among others an error value that is newer than the reader.
                let message = "behind this cell stands one that cannot be read: an error value, or damage";
                notes.at(name, at, ProblemCode::Spreadsheet, message);
                return None;
            }
        };
        let (row, column) = cell.pos;
        at = Position { line: row.saturating_add(1), column: column.saturating_add(1) };
        if cell.formula.is_some() && matches!(cell.value, DataRef::Empty) {
            let message = "this formula has no value yet: open the workbook in a spreadsheet and save it";
            notes.at(name, at, ProblemCode::Spreadsheet, message);
            continue;
        }
        let is_date = lines.column(column).is_some_and(|column| column.is_date);
        let text = cell::text(&cell.value, is_date);
        if text.trim().is_empty() {
            continue;
        }
        if let Err((code, message)) = lines.put(at, text) {
            notes.at(name, at, code, message);
            return None;
        }
    }
    if let Err((code, message)) = lines.end_row() {
        notes.at(name, at, code, message);
        return None;
    }
    let origin = Origin { workbook: notes.workbook.to_owned(), sheet: name.to_owned(), rows: lines.rows };
    Some(Sheet { table: table.table, text: lines.text, origin })
}

/// A sheet becoming text, row by row.
struct Lines {
    table: TableColumns,
    /// Bytes that the text may still take.
    room: usize,
    /// The row that is being filled, from 1; 0 before the first.
    row: u32,
    cells: Vec<String>,
    /// What each column of the sheet is, once the header was read.
    header: Option<Vec<Option<Column>>>,
    text: String,
    rows: Vec<(usize, u32)>,
}

impl Lines {
    fn new(table: TableColumns, room: usize) -> Self {
        Self { table, room, row: 0, cells: Vec::new(), header: None, text: String::new(), rows: Vec::new() }
    }

    fn column(&self, column: u32) -> Option<&Column> {
        self.header.as_ref()?.get(column as usize)?.as_ref()
    }

    fn put(&mut self, at: Position, text: String) -> Result<(), Refusal> {
        if at.line < self.row {
            return Err(damaged());
        }
        if at.line > self.row {
            self.end_row()?;
            self.row = at.line;
        }
        // Behind the last cell that a table may have, one is enough to be refused.
        let index = (at.column as usize - 1).min(CELLS);
        if self.cells.len() <= index {
            self.cells.resize(index + 1, String::new());
        }
        if let Some(cell) = self.cells.get_mut(index) {
            *cell = text;
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Refusal> {
        if self.cells.is_empty() {
            return Ok(());
        }
        let mut cells = std::mem::take(&mut self.cells);
        // Every row reaches as far as the header, so that a cell that is missed has a place; and no
        // header is of one cell, or its commas would not tell how the text is to be read.
        let width = self.header.as_ref().map_or(2, Vec::len);
        if cells.len() < width {
            cells.resize(width, String::new());
        }
        if self.header.is_none() {
            let known = |name: &String| {
                let name = name.trim().to_ascii_lowercase();
                self.table.columns.iter().find(|column| column.name == name).copied()
            };
            self.header = Some(cells.iter().map(known).collect());
        }
        self.rows.push((self.text.len(), self.row));
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            push_cell(&mut self.text, cell);
        }
        self.text.push('\n');
        if self.text.len() > self.room {
            let message =
                format!("a rulebook has at most {} bytes in all its tables", limits::RULEBOOK_BYTES);
            return Err((ProblemCode::TooLarge, message));
        }
        Ok(())
    }
}

/// One cell of CSV.
pub(super) fn push_cell(text: &mut String, cell: &str) {
    if cell.contains([',', ';', '\t', '"', '\n', '\r']) {
        text.push('"');
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(cell);
    }
}

/// Problems with a workbook's own shape.
struct Notes<'a> {
    workbook: &'a str,
    problems: &'a mut Problems,
}

impl Notes<'_> {
    fn whole(&mut self, (code, message): Refusal) {
        self.problems.note(self.workbook, Position::START, Severity::Error, code, message);
    }

    fn at(&mut self, sheet: &str, at: Position, code: ProblemCode, message: impl Into<String>) {
        self.problems.push(Problem {
            file: self.workbook.to_owned(),
            at,
            cell: Some(cell_name(&shown(sheet), at)),
            severity: Severity::Error,
            code,
            message: message.into(),
            figures: None,
        });
    }

    fn stranger(&mut self, name: &str) {
        let known = TABLES.map(|known| known.table);
        let meant = suggestion(&name.to_ascii_lowercase(), known.into_iter());
        let message =
            format!("a rulebook has no sheet {:?} (its sheets are: {}){meant}", shown(name), known.join(" "));
        self.at(name, Position::START, ProblemCode::UnknownFile, message);
    }
}

/// A name that can be printed: a sender chooses it.
fn shown(sheet: &str) -> String {
    let letter = |letter: char| if letter.is_control() { '?' } else { letter };
    sheet.chars().take(limits::FIELD_NAME_BYTES).map(letter).collect()
}
