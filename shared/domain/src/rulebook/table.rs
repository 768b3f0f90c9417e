//! A table: named columns in any order, one row a thing.

use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::Date;

use crate::error::Invalid;
use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::cells::{CELLS, Cell, Cells, Unclosed};
use crate::rulebook::columns::{Column, Presence};
use crate::rulebook::damage;
use crate::rulebook::index::{Id, Index, NotFound, Read, Refused};
use crate::rulebook::nearest::suggestion;
use crate::rulebook::problem::{ProblemCode, Problems};
use crate::rulebook::value::{date, named, whole_number};

/// A table being read.
pub(super) struct Table<'a> {
    pub(super) body: &'a Body<'a>,
    columns: &'static [Column],
    /// For each column, which cell of a row holds it.
    cell_of: Vec<Option<usize>>,
    /// The column that was asked for last.
    last: std::cell::Cell<usize>,
    /// For each cell of the header, whether anything stands in it.
    named: Vec<bool>,
    rows: Cells<'a>,
    cells: Vec<Cell<'a>>,
    /// Whether reading stopped before the end, or went on without a column.
    pub(super) broke_off: bool,
}

impl<'a> Table<'a> {
    /// Reads the header. `None` when there is none to speak of; then no row can be read.
    pub(super) fn open(
        body: &'a Body<'a>,
        columns: &'static [Column],
        problems: &mut Problems,
    ) -> Option<Self> {
        let (start, delimiter) = dialect(body.text);
        let mut table = Self {
            body,
            columns,
            cell_of: vec![None; columns.len()],
            last: std::cell::Cell::new(0),
            named: Vec::new(),
            rows: Cells::new(body.text, start, delimiter),
            cells: Vec::new(),
            broke_off: false,
        };
        let found = table.read_cells(problems);
        let names: Vec<String> = table.cells.iter().map(|cell| cell.trimmed().to_ascii_lowercase()).collect();
        let known = |name: &String| columns.iter().any(|column| column.name == name);
        if !found || !names.iter().any(known) {
            if !table.broke_off {
                let listed: Vec<&str> = columns.iter().map(|column| column.name).collect();
                let message = format!("the first row names the columns: {}", listed.join(","));
                problems.error(body, start, ProblemCode::NoHeader, message);
            }
            return None;
        }
        table.read_header(&names, problems);
        Some(table)
    }

    fn read_header(&mut self, names: &[String], problems: &mut Problems) {
        for (index, (name, cell)) in names.iter().zip(&self.cells).enumerate() {
            let column = self.columns.iter().position(|column| column.name == name);
            self.named.push(!name.is_empty());
            let Some(slot) = column.and_then(|column| self.cell_of.get_mut(column)) else {
                if index >= CELLS {
                    let message = format!("a table has at most {CELLS} columns");
                    problems.error(self.body, cell.offset, ProblemCode::TooMany, message);
                } else if !name.is_empty() {
                    let meant = suggestion(name, self.columns.iter().map(|column| column.name));
                    let shown: String = name.chars().take(limits::FIELD_NAME_BYTES).collect();
                    let message = format!("there is no column {shown:?} in {}{meant}", self.body.title());
                    problems.error(self.body, cell.offset, ProblemCode::UnknownColumn, message);
                }
                continue;
            };
            if slot.is_some() {
                let message = format!("the column {name} is here twice");
                problems.error(self.body, cell.offset, ProblemCode::DuplicateColumn, message);
            } else {
                *slot = Some(index);
            }
        }
        let header = self.cells.first().map_or(0, |cell| cell.offset);
        for (column, cell) in self.columns.iter().zip(&self.cell_of) {
            let name = column.name;
            if column.presence == Presence::Needed && cell.is_none() {
                let message = format!("{} needs the column {name}", self.body.title());
                problems.error(self.body, header, ProblemCode::MissingColumn, message);
                self.broke_off = true;
            }
        }
    }

    /// The next row with anything in it.
    pub(super) fn next_row(&mut self, problems: &mut Problems) -> Option<Row<'_, 'a>> {
        loop {
            if problems.is_hopeless() {
                self.broke_off = true;
                return None;
            }
            if !self.read_cells(problems) {
                return None;
            }
            if self.cells.iter().any(|cell| !cell.trimmed().is_empty()) {
                break;
            }
        }
        let row = Row { table: self };
        row.check_shape(problems);
        Some(row)
    }

    fn read_cells(&mut self, problems: &mut Problems) -> bool {
        match self.rows.next_row(&mut self.cells) {
            Ok(found) => found,
            Err(Unclosed(quote)) => {
                let message = "the quote that opens here is never closed";
                problems.error(self.body, quote, ProblemCode::Syntax, message);
                self.broke_off = true;
                false
            }
        }
    }

    /// Stops reading when there are more rows than there may be; `so_far` counts the one just read.
    pub(super) fn at_most(
        &mut self,
        limit: usize,
        so_far: usize,
        what: &str,
        problems: &mut Problems,
    ) -> bool {
        if so_far <= limit {
            return true;
        }
        let message = format!("a rulebook has at most {limit} {what}");
        let offset = self.cells.first().map_or(0, |cell| cell.offset);
        problems.error(self.body, offset, ProblemCode::TooMany, message);
        self.broke_off = true;
        false
    }
}

/// Where the table starts and what parts its cells: European spreadsheets write semicolons, and
/// some say so in a first line `sep=;`.
pub(super) fn dialect(text: &str) -> (usize, u8) {
    let line_end = |from: usize| {
        text.get(from..).and_then(|rest| rest.find(['\n', '\r'])).map_or(text.len(), |length| from + length)
    };
    let first = text.get(..line_end(0)).unwrap_or_default();
    if let [b's', b'e', b'p', b'=', delimiter @ (b',' | b';' | b'\t')] = first.as_bytes() {
        return (first.len(), *delimiter);
    }
    let start = text.len() - text.trim_start_matches(['\n', '\r']).len();
    let header = text.get(start..line_end(start)).unwrap_or_default();
    let delimiter = match (header.contains(','), header.contains(';'), header.contains('\t')) {
        (false, true, _) => b';',
        (false, false, true) => b'\t',
        (true, ..) | (false, false, false) => b',',
    };
    (start, delimiter)
}

/// One row. Each method reads one cell and notes what is wrong with it, so that a row with three
/// faults gives three problems.
pub(super) struct Row<'t, 'a> {
    table: &'t Table<'a>,
}

impl Row<'_, '_> {
    /// The byte at which the row starts.
    pub(super) fn offset(&self) -> usize {
        self.table.cells.first().map_or(0, |cell| cell.offset)
    }

    /// The cell as text, trimmed; empty when it is not there.
    pub(super) fn text(&self, column: &'static str) -> &str {
        self.cell(column).map_or("", Cell::trimmed)
    }

    /// Notes a problem with a cell.
    pub(super) fn refuse<T>(
        &self,
        column: &'static str,
        code: ProblemCode,
        message: impl Into<String>,
        problems: &mut Problems,
    ) -> Read<T> {
        problems.error(self.table.body, self.offset_of(column), code, message);
        Err(Refused)
    }

    /// A value, or `None` for an empty cell.
    pub(super) fn optional<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
        problems: &mut Problems,
    ) -> Read<Option<T>> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        parse(text).map(Some).or_else(|invalid| {
            let (code, message) = explain(column, text, &invalid);
            self.refuse(column, code, message, problems)
        })
    }

    /// A value that must be there.
    pub(super) fn needed<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
        problems: &mut Problems,
    ) -> Read<T> {
        self.fill(column, problems)?;
        self.optional(column, parse, problems)?.ok_or(Refused)
    }

    /// A value of a closed vocabulary or an id, with its default.
    pub(super) fn word_or<T: FromStr<Err = Invalid>>(
        &self,
        column: &'static str,
        default: T,
        problems: &mut Problems,
    ) -> Read<T> {
        Ok(self.optional(column, str::parse, problems)?.unwrap_or(default))
    }

    /// A whole number within a range.
    pub(super) fn whole(
        &self,
        column: &'static str,
        range: RangeInclusive<u32>,
        problems: &mut Problems,
    ) -> Read<Option<u32>> {
        self.optional(column, |text| whole_number(column, text, range), problems)
    }

    /// A calendar date.
    pub(super) fn date(&self, column: &'static str, problems: &mut Problems) -> Read<Option<Date>> {
        self.optional(column, date, problems)
    }

    /// Text for people: at most so many characters, none of them a control character.
    pub(super) fn prose(&self, column: &'static str, chars: usize, problems: &mut Problems) -> Read<String> {
        let text = self.text(column);
        if let Some(advice) = damage::advice(text) {
            return self.refuse(column, ProblemCode::Spreadsheet, format!("{column}: {advice}"), problems);
        }
        self.optional(column, |text| crate::rulebook::value::prose(column, text, chars), problems)
            .map(Option::unwrap_or_default)
    }

    /// The id of something that exists.
    pub(super) fn reference<I: Id>(
        &self,
        column: &'static str,
        index: &Index<I>,
        problems: &mut Problems,
    ) -> Read<I> {
        self.fill(column, problems)?;
        self.find(column, self.text(column), index, problems)
    }

    /// One of the names in a cell.
    pub(super) fn find<I: Id>(
        &self,
        column: &'static str,
        name: &str,
        index: &Index<I>,
        problems: &mut Problems,
    ) -> Read<I> {
        index.find(name).or_else(|error| match error {
            NotFound::Invalid(invalid) => {
                let (code, message) = explain(column, name, &invalid);
                self.refuse(column, code, message, problems)
            }
            NotFound::Unknown => {
                let message = if problems.has_room() { index.unknown(name) } else { String::new() };
                self.refuse(column, ProblemCode::UnknownReference, message, problems)
            }
        })
    }

    /// Notes an empty cell that must be filled. A column that is missing altogether was noted once.
    pub(super) fn fill(&self, column: &'static str, problems: &mut Problems) -> Read<()> {
        if !self.text(column).is_empty() {
            Ok(())
        } else if self.cell_index(column).is_none() {
            Err(Refused)
        } else {
            self.refuse(column, ProblemCode::MissingValue, format!("{column} may not be empty"), problems)
        }
    }

    fn check_shape(&self, problems: &mut Problems) {
        let table = self.table;
        let stray = |(index, cell): &(usize, &Cell<'_>)| {
            !cell.trimmed().is_empty() && table.named.get(*index).is_none_or(|named| !named)
        };
        // What stands under an unknown name was noted with the name.
        if let Some((_, cell)) = table.cells.iter().enumerate().find(stray) {
            let message = "this cell stands under no column's name";
            problems.error(table.body, cell.offset, ProblemCode::ExtraCell, message);
        }
        for (column, cell) in table.columns.iter().zip(&table.cell_of) {
            let name = column.name;
            if column.presence == Presence::Later
                && let Some(cell) = cell.and_then(|index| table.cells.get(index))
                && !cell.trimmed().is_empty()
            {
                let message = format!("{name} is not supported yet: leave it empty");
                problems.error(table.body, cell.offset, ProblemCode::Unsupported, message);
            }
        }
    }

    fn cell_index(&self, column: &'static str) -> Option<usize> {
        // Columns are asked for in their order, or twice in a row: begin where the last was found.
        let table = self.table;
        let (before, after) = table.columns.split_at_checked(table.last.get())?;
        let found = |known: &Column| known.name == column;
        let index = match after.iter().position(found) {
            Some(ahead) => before.len() + ahead,
            None => before.iter().position(found)?,
        };
        table.last.set(index);
        table.cell_of.get(index).copied().flatten()
    }

    fn cell(&self, column: &'static str) -> Option<&Cell<'_>> {
        self.table.cells.get(self.cell_index(column)?)
    }

    /// Where the cell begins; where the row ends, when the row is too short to have it.
    fn offset_of(&self, column: &'static str) -> usize {
        self.cell(column).map_or_else(|| self.table.rows.at(), |cell| cell.offset)
    }
}

/// The rule, and what a spreadsheet did, if it did.
fn explain(column: &str, text: &str, invalid: &Invalid) -> (ProblemCode, String) {
    match damage::advice(text) {
        Some(advice) => (ProblemCode::Spreadsheet, format!("{column}: {advice} ({invalid})")),
        None => (ProblemCode::InvalidValue, named(column, invalid)),
    }
}
