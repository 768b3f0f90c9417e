//! The difference, for people and for spreadsheets.

use std::io::Write;
use std::path::Path;

use leadyard_domain::backtest::Difference;
use leadyard_domain::backtest::difference::{Change, Row, signed};
use leadyard_domain::ids::{CompanyId, ContractId};
use leadyard_domain::money::Money;

use super::Table;

/// Rows of a table on screen; all of them stand in the CSV and the JSON.
const ROWS: usize = 20;

pub(super) fn text(
    found: &Difference,
    company: &CompanyId,
    rules: &Path,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    writeln!(out, "{company} under {}, from {} to {}\n", rules.display(), found.from, found.to)?;
    let change = |was: usize, is: usize| format!("{:+}", is as i64 - was as i64);
    writeln!(out, "{:<12}{:>16}{:>20}{:>14}", "", "as it was", "as it would be", "change")?;
    let (was, is) = (found.before, found.after);
    for (what, was, is) in [
        ("matched", was.matched, is.matched),
        ("unmatched", was.unmatched, is.unmatched),
        ("seats", was.seats, is.seats),
    ] {
        writeln!(out, "{what:<12}{was:>16}{is:>20}{:>14}", change(was, is))?;
    }
    writeln!(
        out,
        "{:<12}{:>16}{:>20}{:>14}\n",
        "value",
        money(was.value),
        money(is.value),
        signed(is.value - was.value)
    )?;
    if found.is_none() {
        writeln!(out, "No difference: {} leads go as they went.", found.leads)?;
    } else {
        rows("dealer", &found.dealers, out)?;
        rows("contract", &found.contracts, out)?;
        reasons(found, out)?;
        leads(found, out)?;
    }
    writeln!(out, "\nAssumed:")?;
    for sentence in &found.assumptions {
        writeln!(out, "- {sentence}")?;
    }
    Ok(())
}

fn rows(what: &str, rows: &[Row], out: &mut impl Write) -> anyhow::Result<()> {
    let changed: Vec<&Row> = rows.iter().filter(|row| !row.stays()).collect();
    if changed.is_empty() {
        return Ok(());
    }
    writeln!(out, "{what:<32}{:>8}{:>8}{:>8}{:>8}{:>14}", "was", "is", "gains", "loses", "value")?;
    for row in changed.iter().take(ROWS) {
        let value = signed(row.value_change());
        writeln!(
            out,
            "{:<32}{:>8}{:>8}{:>8}{:>8}{value:>14}",
            row.id, row.before, row.after, row.gains, row.loses
        )?;
    }
    if changed.len() > ROWS {
        writeln!(out, "and {} more: --csv {what}s", changed.len() - ROWS)?;
    }
    writeln!(out)?;
    Ok(())
}

fn reasons(found: &Difference, out: &mut impl Write) -> anyhow::Result<()> {
    if found.unmatched.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:<32}{:>8}{:>8}", "unmatched because", "was", "is")?;
    for of in &found.unmatched {
        writeln!(out, "{:<32}{:>8}{:>8}", of.reason, of.before, of.after)?;
    }
    writeln!(out)?;
    Ok(())
}

fn leads(found: &Difference, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{} of {} leads change", found.changed, found.leads)?;
    for change in found.changes.iter().take(ROWS) {
        writeln!(out, "  {}  {}  {} -> {}", change.at, change.lead, before(change), after(change))?;
        writeln!(out, "      {}", change.why)?;
    }
    if found.changes.len() > ROWS {
        writeln!(out, "and {} more: --csv leads", found.changes.len() - ROWS)?;
    }
    Ok(())
}

fn before(change: &Change) -> String {
    who(&change.before, &change.waited)
}

fn after(change: &Change) -> String {
    who(&change.after, &change.waits)
}

fn who(contracts: &[ContractId], waits: &str) -> String {
    let ids: Vec<&str> = contracts.iter().map(ContractId::as_str).collect();
    if ids.is_empty() { format!("nobody ({waits})") } else { ids.join(" ") }
}

fn money(minor: i64) -> String {
    Money::from_minor(minor).to_string()
}

pub(super) fn csv(found: &Difference, table: Table, out: &mut impl Write) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    match table {
        Table::Dealers => table_of("dealer", &found.dealers, &mut csv)?,
        Table::Contracts => table_of("contract", &found.contracts, &mut csv)?,
        Table::Leads => {
            csv.write_record(["at", "lead", "cycle", "before", "waited", "after", "waits", "why"])?;
            for of in &found.changes {
                let ids = |contracts: &[ContractId]| {
                    contracts.iter().map(ContractId::as_str).collect::<Vec<_>>().join(" ")
                };
                csv.write_record([
                    of.at.to_string(),
                    of.lead.to_string(),
                    of.cycle.to_string(),
                    ids(&of.before),
                    of.waited.clone(),
                    ids(&of.after),
                    of.waits.clone(),
                    of.why.clone(),
                ])?;
            }
        }
    }
    csv.flush()?;
    Ok(())
}

fn table_of(what: &str, rows: &[Row], csv: &mut csv::Writer<impl Write>) -> anyhow::Result<()> {
    csv.write_record([what, "before", "after", "gains", "loses", "value_before", "value_after"])?;
    for row in rows {
        let counts = [row.before, row.after, row.gains, row.loses].map(|count| count.to_string());
        let values = [row.value_before, row.value_after].map(money);
        csv.write_record(std::iter::once(row.id.clone()).chain(counts).chain(values))?;
    }
    Ok(())
}
