//! What is different between two rulebooks, by what they mean: the order of rows and the spelling of
//! cells do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::contract::{AreaPart, Contract};
use crate::dealer::{Channel, Dealer};
use crate::limits;
use crate::rulebook::rows::{self, RowText};
use crate::rulebook::{DeskPerson, Rulebook, RulebookTest, Spend};

words! {
    /// What happened to a row.
    pub enum RowFate as "what happened to a row" {
        /// It is new.
        Added = "added",
        /// It is gone.
        Removed = "removed",
        /// It says something else.
        Changed = "changed",
    }
}

/// What the newer rulebook says otherwise than the older. Its `Debug` names nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Those with a difference: company, offers, sources, scoring, screening, followup, people, dealers, templates, channels, areas,
    /// contracts, spend, tests.
    pub tables: Vec<TableDiff>,
    /// How many rows and columns are not listed: more than [`limits::DIFF_LINES`] help nobody.
    pub omitted: usize,
}

/// The differences of one table or file. The counts are of all rows, the list may be shorter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableDiff {
    /// `dealers`, without an ending.
    pub table: &'static str,
    /// Rows that are new.
    pub added: usize,
    /// Rows that are gone.
    pub removed: usize,
    /// Rows that say something else.
    pub changed: usize,
    /// By id.
    pub rows: Vec<RowDiff>,
}

/// The difference of one row, area, offer or source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowDiff {
    /// Its id; of a channel `dealer:order`, of a test its name.
    pub id: String,
    /// What happened to it.
    pub change: RowFate,
    /// What it says, said, or says otherwise. An area has a line for each part that came or went.
    pub columns: Vec<ColumnDiff>,
}

/// The difference of one cell or key. Defaults are spelled out.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ColumnDiff {
    /// The column; of a key within a key `fields.Your e-mail`.
    pub column: String,
    /// What it said; `None` for nothing.
    pub before: Option<String>,
    /// What it says; `None` for nothing.
    pub after: Option<String>,
}

/// No values: dealers' people are in them.
impl fmt::Debug for ColumnDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ColumnDiff").field("column", &self.column).finish_non_exhaustive()
    }
}

impl Rulebook {
    /// What `newer` says otherwise. At most [`limits::DIFF_LINES`] lines and [`limits::DIFF_BYTES`] bytes
    /// of it are listed.
    pub fn diff(&self, newer: &Self) -> Diff {
        let mut differ = Differ { room: Room::default(), diff: Diff::default() };
        let whole = |id: &str, value: Value| BTreeMap::from([(id.to_owned(), value)]);
        differ.values(
            "company",
            &whole("company", json(&self.company)),
            &whole("company", json(&newer.company)),
        );
        differ.values("offers", &by_id(&self.offers), &by_id(&newer.offers));
        differ.values("sources", &by_id(&self.sources), &by_id(&newer.sources));
        differ.values(
            "scoring",
            &whole("scoring", json(&self.scoring)),
            &whole("scoring", json(&newer.scoring)),
        );
        differ.values(
            "screening",
            &whole("screening", json(&self.screening)),
            &whole("screening", json(&newer.screening)),
        );
        differ.values(
            "followup",
            &whole("followup", json(&self.follow_up)),
            &whole("followup", json(&newer.follow_up)),
        );
        let people = |book| keyed(book, |row: &DeskPerson| row.person.to_string());
        differ.rows("people", &people(&self.people), &people(&newer.people), |&row| rows::person(row));
        let dealers = |book| keyed(book, |dealer: &Dealer| dealer.id.to_string());
        differ.rows("dealers", &dealers(&self.dealers), &dealers(&newer.dealers), |&row| rows::dealer(row));
        differ.values("templates", &by_id(&self.templates), &by_id(&newer.templates));
        let channels =
            |book| keyed(book, |channel: &Channel| format!("{}:{}", channel.dealer, channel.order));
        differ.rows("channels", &channels(&self.channels), &channels(&newer.channels), |&row| {
            rows::channel(row)
        });
        differ.areas(self, newer);
        let contracts = |book| keyed(book, |contract: &Contract| contract.id.to_string());
        differ.rows("contracts", &contracts(&self.contracts), &contracts(&newer.contracts), |&row| {
            rows::contract(row).into_iter().map(in_any_order).collect()
        });
        let spend = |book| {
            keyed(book, |row: &Spend| {
                format!("{}:{}:{}", row.month, row.source, row.campaign.as_deref().unwrap_or_default())
            })
        };
        differ.rows("spend", &spend(&self.spend), &spend(&newer.spend), |row| {
            vec![("amount", row.amount.to_string())]
        });
        differ.rows("tests", &by_name(&self.tests), &by_name(&newer.tests), |_| Vec::new());
        differ.diff
    }
}

impl Diff {
    /// Whether both rulebooks say the same.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }
}

/// For people: a line a row and a line a column.
impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing is different\n");
        }
        for TableDiff { table, added, removed, changed, rows } in &self.tables {
            let counts: Vec<String> = [(added, "added"), (removed, "removed"), (changed, "changed")]
                .into_iter()
                .filter(|(count, _)| **count > 0)
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
            writeln!(f, "{table}: {}", counts.join(", "))?;
            for RowDiff { id, change, columns } in rows {
                let mark = match change {
                    RowFate::Added => '+',
                    RowFate::Removed => '-',
                    RowFate::Changed => '~',
                };
                writeln!(f, "  {mark} {id}")?;
                for ColumnDiff { column, before, after } in columns {
                    match (before, after) {
                        (Some(before), Some(after)) => writeln!(f, "      {column}: {before} → {after}")?,
                        (Some(before), None) => writeln!(f, "    - {column}: {before}")?,
                        (None, Some(after)) => writeln!(f, "    + {column}: {after}")?,
                        (None, None) => {}
                    }
                }
            }
        }
        if self.omitted > 0 {
            writeln!(f, "and {} more lines", self.omitted)?;
        }
        Ok(())
    }
}

/// What may still be listed.
struct Room {
    lines: usize,
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { lines: limits::DIFF_LINES, bytes: limits::DIFF_BYTES }
    }
}

impl Room {
    /// Whether one more line of so many bytes is listed.
    fn take(&mut self, bytes: usize) -> bool {
        if self.lines == 0 || self.bytes < bytes {
            // What comes after a line that is left out is left out too, or the list would have holes.
            self.lines = 0;
            return false;
        }
        self.lines -= 1;
        self.bytes -= bytes;
        true
    }
}

struct Differ {
    room: Room,
    diff: Diff,
}

impl Differ {
    /// Rows by id, compared as they are and shown as cells.
    fn rows<T: PartialEq>(
        &mut self,
        table: &'static str,
        older: &BTreeMap<String, T>,
        newer: &BTreeMap<String, T>,
        spell: impl Fn(&T) -> RowText,
    ) {
        let spelled = |row: Option<&T>| -> Option<BTreeMap<String, String>> {
            let cells = row.map(&spell)?;
            Some(cells.into_iter().map(|(column, text)| (column.to_owned(), text)).collect())
        };
        // Two that are not equal and have no cells to show (a test) are different all the same.
        self.table(table, older, newer, |before, after| {
            let columns = columns(spelled(before), spelled(after));
            let shows = before.or(after).is_some_and(|row| !spell(row).is_empty());
            (!columns.is_empty() || !shows).then_some(columns)
        });
    }

    /// Trees of keys and values.
    fn values(
        &mut self,
        table: &'static str,
        older: &BTreeMap<String, Value>,
        newer: &BTreeMap<String, Value>,
    ) {
        self.table(table, older, newer, |before, after| {
            let columns = columns(before.map(flat), after.map(flat));
            (!columns.is_empty()).then_some(columns)
        });
    }

    fn areas(&mut self, older: &Rulebook, newer: &Rulebook) {
        let parts = |book: &Rulebook| -> BTreeMap<String, BTreeSet<String>> {
            let text = |parts: &Vec<AreaPart>| parts.iter().map(ToString::to_string).collect();
            book.areas.iter().map(|(area, parts)| (area.to_string(), text(parts))).collect()
        };
        let line = |before: Option<&String>, after: Option<&String>| ColumnDiff {
            column: "part".to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        };
        self.table("areas", &parts(older), &parts(newer), |before, after| {
            let none = BTreeSet::new();
            let (before, after) = (before.unwrap_or(&none), after.unwrap_or(&none));
            let gone = before.difference(after).map(|part| line(Some(part), None));
            let came = after.difference(before).map(|part| line(None, Some(part)));
            Some(gone.chain(came).collect())
        });
    }

    /// Those of one table; `columns` gives `None` for a row that means the same.
    fn table<T: PartialEq>(
        &mut self,
        table: &'static str,
        older: &BTreeMap<String, T>,
        newer: &BTreeMap<String, T>,
        columns: impl Fn(Option<&T>, Option<&T>) -> Option<Vec<ColumnDiff>>,
    ) {
        let mut diff = TableDiff { table, added: 0, removed: 0, changed: 0, rows: Vec::new() };
        let ids: BTreeSet<&String> = older.keys().chain(newer.keys()).collect();
        for id in ids {
            let (before, after) = (older.get(id), newer.get(id));
            if before == after {
                continue;
            }
            let Some(columns) = columns(before, after) else { continue };
            let (change, count) = match (before, after) {
                (None, _) => (RowFate::Added, &mut diff.added),
                (_, None) => (RowFate::Removed, &mut diff.removed),
                (Some(_), Some(_)) => (RowFate::Changed, &mut diff.changed),
            };
            *count += 1;
            diff.rows.extend(self.listed(id, change, columns));
        }
        if diff.added + diff.removed + diff.changed > 0 {
            self.diff.tables.push(diff);
        }
    }

    fn listed(&mut self, id: &str, change: RowFate, columns: Vec<ColumnDiff>) -> Option<RowDiff> {
        let all = columns.len();
        if !self.room.take(id.len()) {
            self.diff.omitted += 1 + all;
            return None;
        }
        let text = |value: &Option<String>| value.as_ref().map_or(0, String::len);
        let columns: Vec<ColumnDiff> = columns
            .into_iter()
            .take_while(|line| self.room.take(line.column.len() + text(&line.before) + text(&line.after)))
            .collect();
        self.diff.omitted += all - columns.len();
        Some(RowDiff { id: id.to_owned(), change, columns })
    }
}

fn columns(
    before: Option<BTreeMap<String, String>>,
    after: Option<BTreeMap<String, String>>,
) -> Vec<ColumnDiff> {
    let (mut before, mut after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let names: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
    names
        .into_iter()
        .map(|column| {
            let (before, after) = (before.remove(&column), after.remove(&column));
            ColumnDiff { column, before, after }
        })
        .filter(|line| line.before != line.after)
        .collect()
}

/// Offers and sources are a set: their order says nothing.
fn in_any_order((column, text): (&'static str, String)) -> (&'static str, String) {
    if column != "offers" && column != "sources" {
        return (column, text);
    }
    let mut ids: Vec<&str> = text.split(' ').collect();
    ids.sort_unstable();
    (column, ids.join(" "))
}

fn keyed<T>(rows: &[T], id: impl Fn(&T) -> String) -> BTreeMap<String, &T> {
    rows.iter().map(|row| (id(row), row)).collect()
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn by_id(values: &[impl Serialize]) -> BTreeMap<String, Value> {
    let id = |value: &Value| value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    values.iter().map(json).map(|value| (id(&value), value)).collect()
}

/// Tests by name; those of one name are numbered.
fn by_name(tests: &[RulebookTest]) -> BTreeMap<String, RulebookTest> {
    let mut named: BTreeMap<String, RulebookTest> = BTreeMap::new();
    for test in tests {
        let mut name = test.name.clone();
        let mut number = 1;
        while named.contains_key(&name) {
            number += 1;
            name = format!("{} ({number})", test.name);
        }
        named.insert(name, test.clone());
    }
    named
}

/// Every key with its path; a list of plain values is one value.
fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    flatten(String::new(), value, &mut lines);
    lines
}

fn flatten(path: String, value: &Value, lines: &mut BTreeMap<String, String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map {
                flatten(below(spoken(key)), value, lines);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (index, item) in items.iter().enumerate() {
                // A fit rule is known by its label: one put before it does not change it.
                let label = item.get("label").and_then(Value::as_str).map(str::to_owned);
                let mut path = below(&label.unwrap_or_else(|| (index + 1).to_string()));
                while lines.keys().any(|line| line.starts_with(&format!("{path}."))) {
                    path.push('\'');
                }
                flatten(path, item, lines);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(plain).collect();
            lines.insert(path, texts.join(", "));
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => drop(lines.insert(path, plain(value))),
    }
}

/// As the files call it.
fn spoken(key: &str) -> &str {
    if key == "min_band" { "band" } else { key }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
