//! Workbooks as spreadsheets make them, and as nobody should.

mod made;
mod damage;
mod shape;
mod round_trip;

use std::collections::BTreeMap;

use crate::rulebook::tests::folder;
use crate::rulebook::{Problems, Rulebook, RulebookFiles, TABLES};

/// The good folder with its tables in a workbook.
fn with_workbook(bytes: Vec<u8>) -> BTreeMap<&'static str, Vec<u8>> {
    let mut folder = folder();
    folder.retain(|name, _| name.strip_suffix(".csv").is_none());
    folder.insert("rulebook.xlsx", bytes);
    folder
}

fn parse(folder: BTreeMap<&'static str, Vec<u8>>) -> Result<Rulebook, Problems> {
    RulebookFiles::new(folder).and_then(|files| Rulebook::parse(&files))
}

fn read(bytes: Vec<u8>) -> Result<Rulebook, Problems> {
    parse(with_workbook(bytes))
}

fn lines(result: Result<Rulebook, Problems>) -> Vec<String> {
    result.unwrap_err().list.iter().map(ToString::to_string).collect()
}

/// The good folder's tables, cell by cell.
fn tables() -> BTreeMap<&'static str, Vec<Vec<String>>> {
    TABLES
        .iter()
        .map(|known| {
            let text = folder()[&*format!("{}.csv", known.table)].clone();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&text[..]);
            let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
            (known.table, rows.collect())
        })
        .collect()
}
