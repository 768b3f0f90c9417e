//! The files of a rulebook, before any of them is read.

use std::collections::BTreeMap;
use std::fmt;

use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::nearest::suggestion;
use crate::rulebook::problem::{Position, ProblemCode, Problems, Severity};

/// The files that this version reads, in the order they are read, and whether one must be there.
pub const FILES: [(&str, bool); 9] = [
    ("company.toml", true),
    ("offers.toml", true),
    ("sources.toml", true),
    ("scoring.toml", true),
    ("dealers.csv", true),
    ("channels.csv", false),
    ("areas.csv", true),
    ("contracts.csv", true),
    ("tests.toml", false),
];

/// Files of the format that this version does not read yet.
const LATER: [&str; 4] = ["screening.toml", "followup.toml", "people.csv", "spend.csv"];

/// A rulebook as it came: names and bytes, at most [`limits::RULEBOOK_BYTES`] in all.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RulebookFiles(BTreeMap<String, Vec<u8>>);

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
        if problems.is_empty() { Ok(Self(kept)) } else { Err(problems.sorted()) }
    }

    /// One file's bytes.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The same with one file replaced, or added.
    pub(super) fn with(&self, name: &str, bytes: Vec<u8>) -> Result<Self, Problems> {
        let others = self.0.iter().filter(|(known, _)| *known != name);
        let others = others.map(|(name, bytes)| (name.clone(), bytes.clone()));
        Self::new(others.chain([(name.to_owned(), bytes)]))
    }

    /// The names and bytes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// Notes the files that should not be here, and those that should and are not.
    pub(super) fn check_names(&self, problems: &mut Problems) {
        for name in self.0.keys().filter(|name| !ignored(name)) {
            if LATER.contains(&name.as_str()) {
                let message = "this file is not supported yet: leave it out";
                problems.note(name, Position::START, Severity::Error, ProblemCode::Unsupported, message);
            } else if !FILES.iter().any(|(known, _)| known == name) {
                let known = FILES.map(|(known, _)| known);
                let meant = suggestion(name, known.into_iter());
                let message =
                    format!("a rulebook has no such file (its files are: {}){meant}", known.join(" "));
                problems.note(name, Position::START, Severity::Error, ProblemCode::UnknownFile, message);
            }
        }
        for (name, _) in FILES.iter().filter(|(name, needed)| *needed && !self.0.contains_key(*name)) {
            let message = format!("a rulebook needs the file {name}");
            problems.note(name, Position::START, Severity::Error, ProblemCode::MissingFile, message);
        }
    }

    /// One file as text, when it is there and can be read.
    pub(super) fn open<'a>(&'a self, name: &'static str, problems: &mut Problems) -> Option<Body<'a>> {
        let bytes = self.0.get(name)?;
        // A value of TOML takes many times its own bytes in memory; these files are written by hand.
        if name.strip_suffix(".toml").is_some() && bytes.len() > limits::TOML_BYTES {
            let message = format!("a TOML file has at most {} bytes", limits::TOML_BYTES);
            problems.note(name, Position::START, Severity::Error, ProblemCode::TooLarge, message);
            return None;
        }
        Body::decode(name, bytes, problems)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Names and sizes, no contents: dealers' addresses are in them.
impl fmt::Debug for RulebookFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, bytes)| (name, bytes.len()))).finish()
    }
}

fn ignored(name: &str) -> bool {
    name.starts_with('.') || name.starts_with("README")
}

/// A name that can be printed: a sender chooses it.
fn printable(name: &str) -> String {
    let shown = |letter: char| if letter.is_control() { '?' } else { letter };
    name.chars().take(limits::TEXT_CHARS).map(shown).collect()
}
