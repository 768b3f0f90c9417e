//! Another system's words for ours: `Sold` is `won`, `Hudson Roofing LLC` is `hudson`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::Context as _;

/// What each column's words mean. They are compared in any case of letters.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(HashMap<(String, String), String>);

impl Words {
    /// Pairs as the command line gives them, `column:theirs` and ours; then those of a file with the columns
    /// `column`, `theirs` and `ours`, of which the command line's go first.
    pub(super) fn of(pairs: &[(String, String)], file: Option<&Path>) -> anyhow::Result<Self> {
        let mut words = Self::default();
        if let Some(path) = file {
            let unread = || format!("{} could not be read", path.display());
            let mut reader = csv::Reader::from_path(path).with_context(unread)?;
            let header = reader.headers().with_context(unread)?.clone();
            let place = |name: &str| {
                let found = header.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
                found.with_context(|| format!("{} has no column {name}", path.display()))
            };
            let (column, theirs, ours) = (place("column")?, place("theirs")?, place("ours")?);
            for row in reader.records() {
                let row = row.with_context(unread)?;
                let cell = |at| row.get(at).unwrap_or_default();
                // A line that says nothing of ours is still to be filled in.
                if !cell(ours).trim().is_empty() {
                    words.put(cell(column), cell(theirs), cell(ours));
                }
            }
        }
        for (named, ours) in pairs {
            let (column, theirs) = named
                .split_once(':')
                .context("--map is written COLUMN:THEIRS=OURS, such as outcome:Sold=won")?;
            words.put(column, theirs, ours);
        }
        Ok(words)
    }

    fn put(&mut self, column: &str, theirs: &str, ours: &str) {
        self.0.insert((compared(column), compared(theirs)), ours.trim().to_owned());
    }

    /// A cell as we say it.
    pub(super) fn ours<'a>(&'a self, column: &str, cell: &'a str) -> &'a str {
        if self.0.is_empty() {
            return cell;
        }
        self.0.get(&(compared(column), compared(cell))).map_or(cell, String::as_str)
    }
}

fn compared(text: &str) -> String {
    text.to_lowercase().split([' ', '_']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Words that were refused, by column, and in how many rows: what is to be mapped.
#[derive(Debug, Default)]
pub(super) struct Unknown(BTreeMap<(String, String), u64>);

/// Columns that hold a word out of a list: what else is refused is a value.
const LISTS: [&str; 5] = ["source", "offer", "dealer", "contract", "outcome"];
/// Different words that are told.
const TOLD: usize = 200;

impl Unknown {
    /// One more row whose column was refused.
    pub(super) fn add(&mut self, column: &str, word: Option<&str>) {
        if let Some(word) = word.filter(|_| LISTS.contains(&column)) {
            *self.0.entry((column.to_owned(), word.to_owned())).or_default() += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Column, word and rows; a column's most frequent word first.
    pub(super) fn list(&self) -> Vec<(&str, &str, u64)> {
        let mut list: Vec<_> =
            self.0.iter().map(|((column, word), rows)| (column.as_str(), word.as_str(), *rows)).collect();
        list.sort_by_key(|(column, word, rows)| (*column, std::cmp::Reverse(*rows), *word));
        list.truncate(TOLD);
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_goes_before_the_file_and_letters_may_be_of_any_case() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.csv");
        std::fs::write(
            &path,
            "column,theirs,ours\noutcome,Sold,lost\noutcome,Closed Won,won\noutcome,New,\n",
        )
        .unwrap();
        let pairs = [("Outcome:sold".to_owned(), "won".to_owned())];
        let words = Words::of(&pairs, Some(&path)).unwrap();
        let ours: Vec<&str> =
            ["SOLD", "closed  won", "New", "other"].map(|cell| words.ours("outcome", cell)).into();
        assert_eq!(ours, ["won", "won", "New", "other"]);
        assert_eq!(words.ours("status", "Sold"), "Sold");
        assert!(Words::of(&[("Sold".to_owned(), "won".to_owned())], None).is_err());
    }

    #[test]
    fn the_most_frequent_unknown_word_of_a_column_is_told_first() {
        let mut unknown = Unknown::default();
        for word in ["Bad Lead", "No Answer", "No Answer"] {
            unknown.add("outcome", Some(word));
        }
        unknown.add("dealer", Some("Hudson"));
        unknown.add("email", Some("ada@mail.example"));
        unknown.add("outcome", None);
        assert_eq!(
            unknown.list(),
            [("dealer", "Hudson", 1), ("outcome", "No Answer", 2), ("outcome", "Bad Lead", 1)]
        );
    }
}
