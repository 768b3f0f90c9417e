//! The rulebook that a demo's year is played by.
//!
//! Of any rulebook the channels are changed, and no source has postbacks: each dealer is a demo dealer of this machine, so
//! that neither the year nor a `serve` that goes on with it tells anybody else of people who do not exist. The built-in demo has more besides, so that
//! every page has something to show: further sources, deadlines, what may be returned and why, and what runs full. What was
//! spent on advertising (`spend.csv`) follows from who comes; a rulebook that says it itself keeps it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use leadyard_domain::rulebook::{EditTable, RowEdit};
use serde_json::json;

use super::{DEALERS, PLACEHOLDER};
use crate::rules;

/// A rulebook's files, by name.
pub(super) type Files = Vec<(String, Vec<u8>)>;

const MORE_SOURCES: &str = include_str!("sources.toml");

/// Columns that the built-in contracts get; what is empty says nothing.
const TERMS: [&str; 5] =
    ["deadline_minutes", "return_days", "return_reasons", "return_quota", "return_approval"];

/// The built-in demo's files for a year of so many leads.
pub(super) fn built_in(leads: u32) -> anyhow::Result<Files> {
    let mut files = super::files(PLACEHOLDER);
    for (name, text) in &mut files {
        match name.as_str() {
            "sources.toml" => text.extend_from_slice(MORE_SOURCES.as_bytes()),
            "contracts.csv" => *text = contracts(text, leads)?,
            _ => {}
        }
    }
    // What its tests expect holds for the rulebook without what is changed here.
    files.retain(|(name, _)| name != "tests.toml");
    Ok(files)
}

/// Half of the contracts ask for an answer in time, most may give leads back, and those who take what nobody else does
/// run full before the month is over.
fn contracts(text: &[u8], leads: u32) -> anyhow::Result<Vec<u8>> {
    let mut table = csv::Reader::from_reader(text);
    let mut header = table.headers()?.clone();
    let at = |header: &csv::StringRecord, name: &str| header.iter().position(|column| column == name);
    let (contract, cap_month) = (at(&header, "contract"), at(&header, "cap_month"));
    let (contract, cap_month) = contract.zip(cap_month).context("contracts.csv lacks a column")?;
    header.extend(TERMS);
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&header)?;
    for row in table.records() {
        let row = row?;
        let id = row.get(contract).unwrap_or_default();
        let chance = super::chance(0, id) % 100;
        let last = id.starts_with("fallback-");
        let full = if id == "fallback-auto" { Some((leads / 70).max(2).to_string()) } else { None };
        let mut cells: Vec<String> = row.iter().map(str::to_owned).collect();
        if let (Some(full), Some(cell)) = (full, cells.get_mut(cap_month)) {
            *cell = full;
        }
        let deadline = match chance {
            _ if last => "180",
            0..15 => "60",
            15..35 => "120",
            35..50 => "240",
            _ => "",
        };
        let returns = chance % 10 != 7;
        let reasons = "wrong-number no-answer duplicate out-of-area not-interested";
        cells.push(deadline.to_owned());
        cells.push(if returns { "14" } else { "" }.to_owned());
        cells.push(if returns { reasons } else { "" }.to_owned());
        cells.push(if returns { "25%" } else { "" }.to_owned());
        cells.push(if returns && chance % 10 == 3 { "trusted" } else { "" }.to_owned());
        out.write_record(&cells)?;
    }
    Ok(out.into_inner()?)
}

/// The same with every dealer on this machine, and no sender told of anything.
pub(super) fn at_home(files: &mut Files) -> anyhow::Result<()> {
    // Of a workbook the sheets are the tables.
    let (checked, unpacked) = rules::check(files.clone(), jiff::Timestamp::UNIX_EPOCH);
    let (Some((book, _)), Some(mut unpacked)) = (&checked.rulebook, unpacked) else {
        let errors: Vec<String> = checked.errors.iter().map(ToString::to_string).collect();
        anyhow::bail!("the rulebook has errors\n{}", errors.join("\n"));
    };
    for source in book.sources.iter().filter(|source| source.postback.is_some()) {
        let none = json!({ "set": { "postback": null } });
        let edit = RowEdit::from_json(EditTable::Sources.as_str(), source.id.as_str(), &none)?;
        unpacked = edit.apply(&unpacked)?;
    }
    *files = unpacked.iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect();
    let mut channels = csv::Writer::from_writer(Vec::new());
    channels.write_record(["dealer", "order", "kind", "address"])?;
    for dealer in &book.dealers {
        let address = format!("{PLACEHOLDER}{DEALERS}{}", dealer.id);
        channels.write_record([dealer.id.as_str(), "1", "webhook", &address])?;
    }
    files.retain(|(name, _)| name != "channels.csv");
    files.push(("channels.csv".to_owned(), channels.into_inner()?));
    Ok(())
}

/// What was spent, by month, source and campaign, in cents.
pub(super) type Spent = BTreeMap<(String, String, String), u64>;

/// The same with what was spent, unless it says so itself.
pub(super) fn spend(files: &mut Files, spent: &Spent) -> anyhow::Result<()> {
    if files.iter().any(|(name, _)| name == "spend.csv") || spent.is_empty() {
        return Ok(());
    }
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["month", "source", "campaign", "amount"])?;
    for ((month, source, campaign), cents) in spent.iter().filter(|(_, cents)| **cents > 0) {
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        table.write_record([month, source, campaign, &amount])?;
    }
    files.push(("spend.csv".to_owned(), table.into_inner()?));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sender_of_a_real_rulebook_is_told_of_people_who_do_not_exist() {
        let mut files = built_in(40).unwrap();
        let sources = files.iter_mut().find(|(name, _)| name == "sources.toml").unwrap();
        let of_table = "[[source]]\nid = \"by-table\"\nkind = \"form\"\n\n[source.postback]\n\
            url = \"https://sender.example/{reference}\"\n\n[source.fields]\nfname = \"first_name\"\n";
        let of_line = "[[source]]\nid = \"by-line\"\nkind = \"form\"\n\
            postback = { url = \"https://other.example/{reference}\", on = [\"sold\"] }\n";
        sources.1.extend_from_slice(format!("\n{of_table}\n{of_line}").as_bytes());
        let parsed = |files: &Files| {
            rules::check(files.clone(), jiff::Timestamp::UNIX_EPOCH).0.rulebook.expect("no error").0
        };
        let told = |files: &Files| parsed(files).sources.iter().filter(|one| one.postback.is_some()).count();
        assert_eq!(told(&files), 2);
        at_home(&mut files).unwrap();
        assert_eq!(told(&files), 0);
        let book = parsed(&files);
        let by_table = book.sources.iter().find(|source| source.id.as_str() == "by-table").unwrap();
        assert_eq!(by_table.fields.get("fname").map(String::as_str), Some("first_name"), "all else stays");
    }
}
