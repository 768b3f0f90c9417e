//! Two people and one row.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{EditTable, Row, RowEdit, text_of};
use crate::rulebook::files::RulebookFiles;

/// What came of an edit that was made looking at an earlier version.
#[derive(Clone, Debug, PartialEq)]
pub enum Merged {
    /// The later version with the edit in it.
    Applied(RulebookFiles),
    /// Somebody changed that row meanwhile; nothing was done.
    Conflict(Conflict),
}

/// One row, as it was, as somebody else made it, and as the edit would have made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Which table.
    pub table: EditTable,
    /// Which row.
    pub id: String,
    /// The columns that either changed, by name.
    pub columns: Vec<ConflictColumn>,
}

/// One column of three. `None` where it says nothing, and everywhere when the row is not there.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ConflictColumn {
    /// Its name; `parts` of an area.
    pub column: String,
    /// In the version that the edit was made against.
    pub base: Option<String>,
    /// In the version in force.
    pub theirs: Option<String>,
    /// As the edit would have it.
    pub yours: Option<String>,
}

/// No values: dealers' people are in them.
impl fmt::Debug for ConflictColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConflictColumn").field("column", &self.column).finish_non_exhaustive()
    }
}

impl Conflict {
    /// Of a row as it was, as it is, and as the edit would have it.
    pub(super) fn of(edit: &RowEdit, versions: [Option<Row>; 3]) -> Self {
        let [was, is, would_be] = versions.map(Option::unwrap_or_default);
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).chain(would_be.keys()).collect();
        let text = |row: &Row, name: &String| row.get(name).map(text_of);
        let columns = names
            .into_iter()
            .filter(|name| was.get(*name) != is.get(*name) || was.get(*name) != would_be.get(*name))
            .map(|name| ConflictColumn {
                column: name.clone(),
                base: text(&was, name),
                theirs: text(&is, name),
                yours: text(&would_be, name),
            })
            .collect();
        Self { table: edit.table, id: edit.id.clone(), columns }
    }
}
