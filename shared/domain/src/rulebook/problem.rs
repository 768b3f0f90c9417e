//! What is wrong with a rulebook, and exactly where.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::check::Figures;
use crate::rulebook::origin::cell_name;

words! {
    /// Whether a rulebook with this problem can be published.
    pub enum Severity as "a severity" {
        /// It cannot.
        Error = "error",
        /// It can, but this is hardly what was meant.
        Warning = "warning",
    }
}

words! {
    /// The kind of a problem, as programs compare it.
    pub enum ProblemCode as "a problem's code" {
        /// A file that every rulebook has is not there.
        MissingFile = "missing-file",
        /// A file that no rulebook has.
        UnknownFile = "unknown-file",
        /// The same file twice.
        DuplicateFile = "duplicate-file",
        /// Larger than a limit.
        TooLarge = "too-large",
        /// More of something than a limit.
        TooMany = "too-many",
        /// Not UTF-8.
        NotUtf8 = "not-utf8",
        /// Not TOML, or not CSV.
        Syntax = "syntax",
        /// A table without its first row of column names.
        NoHeader = "no-header",
        /// A column that the table must have.
        MissingColumn = "missing-column",
        /// A column that the table does not have.
        UnknownColumn = "unknown-column",
        /// The same column twice.
        DuplicateColumn = "duplicate-column",
        /// A row with more cells than the header names.
        ExtraCell = "extra-cell",
        /// A key that must be there.
        MissingKey = "missing-key",
        /// A key that does not exist.
        UnknownKey = "unknown-key",
        /// A cell that may not be empty.
        MissingValue = "missing-value",
        /// A value that breaks its rule.
        InvalidValue = "invalid-value",
        /// A value that a spreadsheet has rewritten.
        Spreadsheet = "spreadsheet",
        /// Known, and not implemented by this version.
        Unsupported = "unsupported",
        /// Names something that does not exist.
        UnknownReference = "unknown-reference",
        /// The same id twice.
        DuplicateId = "duplicate-id",
        /// Two values that exclude each other.
        Contradiction = "contradiction",
        /// A dealer that no lead can be sent to: it reads the inbox only.
        NoChannel = "no-channel",
        /// Something that nothing refers to.
        Unused = "unused",
        /// Its last day is over.
        Ended = "ended",
        /// Probably a slip of the pen.
        Unlikely = "unlikely",
        /// A contract that can never be given a lead.
        Dead = "dead",
        /// A contract before which others always speak.
        Shadowed = "shadowed",
        /// A contract that is given only what another gave back.
        Leftovers = "leftovers",
        /// Two territories of the same rank in one place.
        Overlap = "overlap",
        /// Places where nobody takes an offer.
        Gap = "gap",
        /// Hours in which nobody who takes an offer is open.
        Shut = "shut",
        /// A part of an area that covers no place.
        NoPlace = "no-place",
        /// Something that is written and changes nothing.
        NoEffect = "no-effect",
    }
}

/// Where something stands: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// From 1. Lines end in LF, CRLF or CR.
    pub line: u32,
    /// From 1, in characters (Unicode scalar values), a byte order mark not counted.
    pub column: u32,
}

impl Position {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// One thing wrong. Printed as `contracts.csv:14:23: error: cap_day is a whole number from 1 to 1000000`,
/// of a workbook as `rulebook.xlsx:contracts!H14: error: …`.
///
/// The message states the rule. It repeats ids and names of columns, never what stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// Where in it.
    #[serde(flatten)]
    pub at: Position,
    /// The cell of a workbook, `dealers!H14`; then `line` and `column` are those of the sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// Error or warning.
    pub severity: Severity,
    /// What kind.
    pub code: ProblemCode,
    /// A sentence for people.
    pub message: String,
    /// What the sentence counts, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Box<Figures>>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, at: Position { line, column }, cell, severity, code: _, message, figures: _ } = self;
        match cell {
            Some(cell) => write!(f, "{file}:{cell}: {severity}: {message}"),
            None => write!(f, "{file}:{line}:{column}: {severity}: {message}"),
        }
    }
}

/// The problems of one reading, by file, line and column; at most [`limits::PROBLEMS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct Problems {
    /// Those that are reported.
    pub list: Vec<Problem>,
    /// How many more were seen. A table that is nothing but problems is not read to its end.
    pub omitted: usize,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            let break_before = if index == 0 { "" } else { "\n" };
            write!(f, "{break_before}{problem}")?;
        }
        if self.omitted > 0 {
            write!(f, "\nand {} more", self.omitted)?;
        }
        Ok(())
    }
}

/// After so many problems that are not even shown, a table is not read on.
const HOPELESS: usize = 50 * limits::PROBLEMS;

impl Problems {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether there is room for one more; when there is none, making a message is a waste.
    pub(super) fn has_room(&self) -> bool {
        self.list.len() < limits::PROBLEMS
    }

    /// Whether there are so many that looking for more helps nobody.
    pub(super) fn is_hopeless(&self) -> bool {
        self.omitted >= HOPELESS
    }

    /// Notes an error at a byte of a file.
    pub(super) fn error(
        &mut self,
        body: &Body<'_>,
        offset: usize,
        code: ProblemCode,
        message: impl Into<String>,
    ) {
        if !self.has_room() {
            self.omitted += 1;
            return;
        }
        let at = body.locate(offset);
        let (file, cell) = match body.origin {
            Some(origin) => (&*origin.workbook, Some(cell_name(&origin.sheet, at))),
            None => (body.name, None),
        };
        let (file, message) = (file.to_owned(), message.into());
        self.push(Problem { file, at, cell, severity: Severity::Error, code, message, figures: None });
    }

    /// Notes a problem whose position is known.
    pub(super) fn note(
        &mut self,
        file: &str,
        at: Position,
        severity: Severity,
        code: ProblemCode,
        message: impl Into<String>,
    ) {
        let message = message.into();
        self.push(Problem { file: file.to_owned(), at, cell: None, severity, code, message, figures: None });
    }

    pub(super) fn push(&mut self, problem: Problem) {
        if self.has_room() {
            self.list.push(problem);
        } else {
            self.omitted += 1;
        }
    }

    pub(super) fn sorted(mut self) -> Self {
        fn place(problem: &Problem) -> (&str, Option<&str>, Position) {
            let sheet = problem.cell.as_deref().and_then(|cell| cell.rsplit_once('!'));
            (&problem.file, sheet.map(|(sheet, _)| sheet), problem.at)
        }
        self.list.sort_by(|one, other| place(one).cmp(&place(other)));
        self
    }
}
