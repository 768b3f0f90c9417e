//! The files of a rulebook, before any of them is read.

use std::collections::BTreeMap;
use std::fmt;

use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::nearest::suggestion;
use crate::rulebook::origin::Origin;
use crate::rulebook::problem::{Position, ProblemCode, Problems, Severity};

/// The files that this version reads, in the order they are read, and whether one must be there.
pub const FILES: [(&str, bool); 14] = [
    ("company.toml", true),
    ("offers.toml", true),
    ("sources.toml", true),
    ("scoring.toml", true),
    ("screening.toml", false),
    ("followup.toml", false),
    ("people.csv", false),
    ("dealers.csv", true),
    ("templates.toml", false),
    ("channels.csv", false),
    ("areas.csv", true),
    ("contracts.csv", true),
    ("tests.toml", false),
    ("spend.csv", false),
];

/// A rulebook as it came: names and bytes, at most [`limits::RULEBOOK_BYTES`] in all.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RulebookFiles {
    files: BTreeMap<String, Vec<u8>>,
    /// Of the tables that came as sheets of a workbook.
    origins: BTreeMap<String, Origin>,
}

impl RulebookFiles {
    /// Takes the files of one folder, by name (no path before it).
    pub fn new<Name: Into<String>>(
        files: impl IntoIterator<Item = (Name, Vec<u8>)>,
    ) -> Result<Self, Problems> {
        let (mut kept, mut problems, mut total) = (BTreeMap::new(), Problems::default(), 0_usize);
        for (name, bytes) in files {
            let name = printable(&name.into());
            total = total.saturating_add(bytes.len());
            if total > limits::RULEBOOK_BYTES {
                let message =
                    format!("a rulebook has at most {} bytes in all its files", limits::RULEBOOK_BYTES);
                problems.note(&name, Position::START, Severity::Error, ProblemCode::TooLarge, message);
                return Err(problems);
            }
            if kept.contains_key(&name) {
                let message = "this file is here twice";
                problems.note(&name, Position::START, Severity::Error, ProblemCode::DuplicateFile, message);
            }
            kept.insert(name, bytes);
        }
        if problems.is_empty() {
            Ok(Self { files: kept, origins: BTreeMap::new() })
        } else {
            Err(problems.sorted())
        }
    }

    /// One file's bytes.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The same with one file replaced, or added.
    pub(super) fn with(&self, name: &str, bytes: Vec<u8>) -> Result<Self, Problems> {
        let others = self.files.iter().filter(|(known, _)| *known != name);
        let others = others.map(|(name, bytes)| (name.clone(), bytes.clone()));
        Self::new(others.chain([(name.to_owned(), bytes)]))
    }

    /// The same with the sheets of a workbook as CSV files, in which problems are still told by sheet and
    /// cell. This is what is published: see [`crate::rulebook::workbook`].
    #[cfg(feature = "xlsx")]
    pub fn unpacked(&self) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let books: Vec<&String> = self.files.keys().filter(|name| is_workbook(name)).collect();
        for second in books.iter().skip(1) {
            let message = "a rulebook has at most one workbook";
            problems.note(second, Position::START, Severity::Error, ProblemCode::DuplicateFile, message);
        }
        let Some(&book) = books.first() else { return Ok(self.clone()) };
        let sheets = crate::rulebook::workbook::read(book, self.get(book).unwrap_or_default(), &mut problems);
        for sheet in &sheets {
            let file = format!("{}.csv", sheet.table);
            if self.files.contains_key(&file) {
                let message = format!("this table is here twice: {book} has a sheet {}", sheet.table);
                problems.note(&file, Position::START, Severity::Error, ProblemCode::DuplicateFile, message);
            }
        }
        if !problems.is_empty() {
            return Err(problems.sorted());
        }
        let others = self.files.iter().filter(|(name, _)| !is_workbook(name));
        let others = others.map(|(name, bytes)| (name.clone(), bytes.clone()));
        let tables =
            sheets.iter().map(|sheet| (format!("{}.csv", sheet.table), sheet.text.clone().into_bytes()));
        let mut files = Self::new(others.chain(tables))?;
        files.origins =
            sheets.into_iter().map(|sheet| (format!("{}.csv", sheet.table), sheet.origin)).collect();
        Ok(files)
    }

    /// These files, with others in place of those of the same name. Of tables that came as sheets, problems are still told
    /// by sheet and cell.
    ///
    /// # Errors
    /// When they are too large together.
    pub fn with_all(&self, others: &Self) -> Result<Self, Problems> {
        let owned = |(name, bytes): (&str, &[u8])| (name.to_owned(), bytes.to_vec());
        let mut files =
            Self::new(self.iter().filter(|(name, _)| !others.has(name)).chain(others.iter()).map(owned))?;
        let stays = self.origins.iter().filter(|(name, _)| !others.has(name));
        files.origins = stays.chain(&others.origins).map(|(name, of)| (name.clone(), of.clone())).collect();
        Ok(files)
    }

    /// The names and bytes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// Notes the files that should not be here, and those that should and are not.
    pub(super) fn check_names(&self, problems: &mut Problems) {
        for name in self.files.keys().filter(|name| !ignored(name)) {
            if is_workbook(name) {
                let message = "workbooks are not read here: send their sheets as CSV files";
                problems.note(name, Position::START, Severity::Error, ProblemCode::Unsupported, message);
            } else if !FILES.iter().any(|(known, _)| known == name) {
                let known = FILES.map(|(known, _)| known);
                let meant = suggestion(name, known.into_iter());
                let message =
                    format!("a rulebook has no such file (its files are: {}){meant}", known.join(" "));
                problems.note(name, Position::START, Severity::Error, ProblemCode::UnknownFile, message);
            }
        }
        for (name, _) in FILES.iter().filter(|(name, needed)| *needed && !self.files.contains_key(*name)) {
            let message = format!("a rulebook needs the file {name}");
            problems.note(name, Position::START, Severity::Error, ProblemCode::MissingFile, message);
        }
    }

    /// One file as text, when it is there and can be read.
    pub(super) fn open<'a>(&'a self, name: &'static str, problems: &mut Problems) -> Option<Body<'a>> {
        let bytes = self.files.get(name)?;
        // A value of TOML takes many times its own bytes in memory; these files are written by hand.
        if name.strip_suffix(".toml").is_some() && bytes.len() > limits::TOML_BYTES {
            let message = format!("a TOML file has at most {} bytes", limits::TOML_BYTES);
            problems.note(name, Position::START, Severity::Error, ProblemCode::TooLarge, message);
            return None;
        }
        let mut body = Body::decode(name, bytes, problems)?;
        body.origin = self.origins.get(name);
        Some(body)
    }

    /// Whether one of the files is a workbook.
    #[cfg(feature = "xlsx")]
    pub(super) fn has_workbook(&self) -> bool {
        self.files.keys().any(|name| is_workbook(name))
    }

    /// The sheet that a table came from.
    pub(super) fn origin(&self, name: &str) -> Option<&Origin> {
        self.origins.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }
}

/// Names and sizes, no contents: dealers' addresses are in them.
impl fmt::Debug for RulebookFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.files.iter().map(|(name, bytes)| (name, bytes.len()))).finish()
    }
}

fn ignored(name: &str) -> bool {
    // What a spreadsheet leaves beside a workbook that is open.
    name.starts_with('.') || name.starts_with("README") || name.starts_with("~$")
}

fn is_workbook(name: &str) -> bool {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    end.eq_ignore_ascii_case("xlsx") && !ignored(name)
}

/// A name that can be printed: a sender chooses it.
fn printable(name: &str) -> String {
    let shown = |letter: char| if letter.is_control() { '?' } else { letter };
    name.chars().take(limits::TEXT_CHARS).map(shown).collect()
}
