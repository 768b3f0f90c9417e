//! Changing one row of a published rulebook, and nothing else of it.
//!
//! A [`RowEdit`] names one dealer, channel, contract, area, offer or source and what becomes of it. The
//! result is a new [`RulebookFiles`] that has yet to pass [`Rulebook::parse`], so that what is wrong with
//! it is told with file, line and column like everything else. All other bytes of the file stay: other
//! rows, the order of columns, comments, line ends, byte order mark.
//!
//! Two people at once: [`RowEdit::apply_since`] applies an edit that was made looking at one version to a
//! later one, if nobody changed that row meanwhile; else the answer is a [`Conflict`] that shows what the
//! row said, says, and would say. Edits of different rows never conflict.
//!
//! Determination: a row counts as changed when a cell reads otherwise (blanks around it apart), not when
//! it means otherwise: nothing is parsed to find out, and who wrote `45.00` over `45` did touch the row.
//! When the row already says all that the edit would make of it, there is nothing to do and no conflict,
//! so that a request sent twice is answered twice alike.
//!
//! [`Rulebook::parse`]: crate::rulebook::Rulebook::parse

mod request;
mod conflict;
mod tables;
mod entries;
#[cfg(test)]
mod tests;

#[cfg(feature = "xlsx")]
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

pub use conflict::{Conflict, ConflictColumn, Merged};

use crate::rulebook::columns::Column;
use crate::rulebook::files::RulebookFiles;
use crate::rulebook::problem::Problems;

words! {
    /// What can be edited by row.
    pub enum EditTable as "a table that is edited by row" {
        /// `people.csv`, by person.
        People = "people",
        /// `dealers.csv`, by dealer.
        Dealers = "dealers",
        /// `channels.csv`, by `dealer:order`.
        Channels = "channels",
        /// `areas.csv`, all parts of one area at once.
        Areas = "areas",
        /// `contracts.csv`, by contract.
        Contracts = "contracts",
        /// `offers.toml`, by offer.
        Offers = "offers",
        /// `sources.toml`, by source.
        Sources = "sources",
    }
}

/// Columns or keys and what they shall say. Of a table every value is text, empty for nothing; of a TOML
/// entry it is JSON, null for nothing.
pub type Fields = BTreeMap<String, Value>;

/// What becomes of a row.
#[derive(Clone, PartialEq)]
pub enum RowChange {
    /// These columns say something else. The row must be there.
    Set(Fields),
    /// It is new; its id need not be repeated. It must not be there.
    Add(Fields),
    /// An area has these parts, in this order, whether it is there or not.
    Parts(Vec<String>),
    /// It goes.
    Remove,
}

/// No values: dealers' people are in them.
impl fmt::Debug for RowChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(fields) => f.debug_tuple("Set").field(&fields.keys()).finish(),
            Self::Add(fields) => f.debug_tuple("Add").field(&fields.keys()).finish(),
            Self::Parts(parts) => f.debug_tuple("Parts").field(&parts.len()).finish(),
            Self::Remove => f.write_str("Remove"),
        }
    }
}

/// One edit of one row. Made by [`RowEdit::from_json`].
#[derive(Clone, Debug, PartialEq)]
pub struct RowEdit {
    table: EditTable,
    id: String,
    change: RowChange,
}

/// Why an edit could not be made. What is wrong with the rulebook that it would make is told by parsing it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// No such table, or none that is edited by row.
    #[error("{0}")]
    UnknownTable(crate::error::Invalid),
    /// A column or key that the table does not have.
    #[error("there is no column {column:?} in {table}{meant} (its columns are: {})", known.join(" "))]
    UnknownColumn {
        /// Where it was looked for.
        table: EditTable,
        /// What was asked for.
        column: String,
        /// `; did you mean …`, or nothing.
        meant: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// The request is not one of those there are.
    #[error("{0}")]
    Malformed(String),
    /// Nothing of this id.
    #[error("there is no {id:?} in {table}")]
    NoSuchRow {
        /// Where it was looked for.
        table: EditTable,
        /// What was looked for.
        id: String,
    },
    /// Something of this id already.
    #[error("{id:?} is in {table} already")]
    RowExists {
        /// Where.
        table: EditTable,
        /// What.
        id: String,
    },
    /// The file cannot be read, or would be too large.
    #[error("{0}")]
    Unreadable(#[from] Problems),
}

/// A row as it reads: what says something, as JSON. An area's parts are one list.
type Row = BTreeMap<String, Value>;

impl EditTable {
    /// A row of a CSV table as it reads, column by column in their usual order but for its id, empty where it says
    /// nothing; `None` when it is not there.
    pub fn cells(
        self,
        files: &RulebookFiles,
        id: &str,
    ) -> Result<Option<Vec<(&'static Column, String)>>, EditError> {
        let edit = RowEdit { table: self, id: id.to_owned(), change: RowChange::Remove };
        let Some(row) = edit.row(files)? else { return Ok(None) };
        let columns = self.columns().iter().filter(|column| !self.keys().contains(&column.name));
        let cell = |column: &'static Column| (column, row.get(column.name).map(text_of).unwrap_or_default());
        Ok(Some(columns.map(cell).collect()))
    }

    /// The parts of an area as they read, in their order; `None` when it is not there.
    pub fn parts_of_area(files: &RulebookFiles, id: &str) -> Result<Option<Vec<String>>, EditError> {
        let edit = RowEdit { table: Self::Areas, id: id.to_owned(), change: RowChange::Remove };
        Ok(edit.row(files)?.map(|row| parts_of(&row)))
    }
}

impl RowEdit {
    /// Which table.
    pub const fn table(&self) -> EditTable {
        self.table
    }

    /// Which row.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What becomes of it.
    pub const fn change(&self) -> &RowChange {
        &self.change
    }

    /// The files with this one change.
    pub fn apply(&self, files: &RulebookFiles) -> Result<RulebookFiles, EditError> {
        #[cfg(feature = "xlsx")]
        let files = &*self.unpacked(files)?;
        let row = self.row(files)?;
        self.after(row.as_ref())?;
        let name = self.table.file();
        let bytes = if self.table.is_toml() {
            entries::edit(files, name, self)?
        } else {
            tables::edit(files, name, self)?
        };
        Ok(files.with(name, bytes)?)
    }

    /// The files of `current` with this change, which was made looking at those of `base`; or the
    /// conflict, when the row is not what it was.
    pub fn apply_since(&self, base: &RulebookFiles, current: &RulebookFiles) -> Result<Merged, EditError> {
        let (was, is) = (self.row(base)?, self.row(current)?);
        let would_be = self.after(was.as_ref())?;
        if was == is {
            return self.apply(current).map(Merged::Applied);
        }
        if would_be == is {
            return Ok(Merged::Applied(current.clone()));
        }
        Ok(Merged::Conflict(Conflict::of(self, [was, is, would_be])))
    }

    /// The edit that takes this one back, made from the files as they are before it.
    pub fn inverse(&self, files: &RulebookFiles) -> Result<Self, EditError> {
        let row = self.row(files)?;
        let after = self.after(row.as_ref())?;
        let change = match (row, after) {
            (None, _) => RowChange::Remove,
            (Some(row), _) if self.table == EditTable::Areas => RowChange::Parts(parts_of(&row)),
            (Some(row), None) => RowChange::Add(row),
            (Some(row), Some(after)) => {
                let names: BTreeSet<&String> = row.keys().chain(after.keys()).collect();
                let changed = names.into_iter().filter(|name| row.get(*name) != after.get(*name));
                let nothing = if self.table.is_toml() { Value::Null } else { Value::from("") };
                let before = |name: &String| row.get(name).cloned().unwrap_or_else(|| nothing.clone());
                RowChange::Set(changed.map(|name| (name.clone(), before(name))).collect())
            }
        };
        Ok(Self { table: self.table, id: self.id.clone(), change })
    }

    /// A row of a workbook is edited in the CSV file that its sheet becomes.
    #[cfg(feature = "xlsx")]
    fn unpacked<'f>(&self, files: &'f RulebookFiles) -> Result<Cow<'f, RulebookFiles>, EditError> {
        if !self.table.is_toml() && files.has_workbook() {
            return Ok(Cow::Owned(files.unpacked()?));
        }
        Ok(Cow::Borrowed(files))
    }

    /// The row as it is.
    fn row(&self, files: &RulebookFiles) -> Result<Option<Row>, EditError> {
        #[cfg(feature = "xlsx")]
        let files = &*self.unpacked(files)?;
        if self.table.is_toml() {
            entries::read(files, self.table.file(), self)
        } else {
            tables::read(files, self.table.file(), self)
        }
    }

    /// The row as the edit would have it; `None` when it goes.
    fn after(&self, row: Option<&Row>) -> Result<Option<Row>, EditError> {
        let (table, id) = (self.table, self.id.clone());
        let says = |value: &Value| !value.is_null() && value.as_str().is_none_or(|text| !text.is_empty());
        match (&self.change, row) {
            (RowChange::Set(_) | RowChange::Remove, None) => Err(EditError::NoSuchRow { table, id }),
            (RowChange::Add(_), Some(_)) => Err(EditError::RowExists { table, id }),
            (RowChange::Remove, Some(_)) => Ok(None),
            (RowChange::Parts(parts), _) => {
                let parts = parts.iter().map(|part| Value::from(part.as_str())).collect();
                Ok(Some(Row::from([("parts".to_owned(), Value::Array(parts))])))
            }
            (RowChange::Set(fields) | RowChange::Add(fields), row) => {
                let mut after = row.cloned().unwrap_or_default();
                after.extend(fields.clone());
                if row.is_none() {
                    after.extend(
                        table.key_of(&id)?.into_iter().map(|(key, text)| (key.to_owned(), text.into())),
                    );
                }
                after.retain(|_, value| says(value));
                Ok(Some(after))
            }
        }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(" "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

fn parts_of(row: &Row) -> Vec<String> {
    row.get("parts").and_then(Value::as_array).into_iter().flatten().map(text_of).collect()
}
