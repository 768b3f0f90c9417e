//! The figures of a report: what the sums say, column by column.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use leadyard_domain::distribution::Core;
use leadyard_domain::money::Money;
use leadyard_domain::report::sums::cut;
use leadyard_domain::report::{Counter, Dimension, Histogram, REST, Sums, Tally, UNKNOWN};
use serde_json::{Map, Value, json};

use super::defined::Column::{
    self, Amount, Cost, Count, Measured, Median, Owed, Part, ReturnOnSpend, Size, Within,
};
use super::defined::Report;

/// One figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// So many.
    Count(i64),
    /// Money, in minor units.
    Amount(i64),
    /// The first as a part of the second: nothing, where that is nothing.
    Part(i64, i64),
    /// A time.
    Seconds(i64),
    /// It is not known, or there is nothing to tell it of.
    Nothing,
}

impl Cell {
    /// Of those that were measured, the part that took at most this long.
    pub(crate) fn within(times: &Histogram, seconds: i64) -> Self {
        Self::Part(times.within(seconds), times.total())
    }

    /// As the API writes it: money as text, a part to four digits.
    pub(super) fn json(self) -> Value {
        match self {
            Self::Count(count) => json!(count),
            Self::Amount(minor) => json!(Money::from_minor(minor).to_string()),
            Self::Seconds(seconds) => json!(seconds),
            Self::Part(_, 0) | Self::Nothing => Value::Null,
            Self::Part(part, whole) => json!((part as f64 / whole as f64 * 10_000.0).round() / 10_000.0),
        }
    }
}

/// What a report knows besides its counters.
pub(super) struct Figures {
    /// What its rows are told by.
    pub(super) by: Dimension,
    /// What was spent on each value, in minor units, and on the whole.
    pub(super) spent: Option<Spent>,
    pub(super) size: Option<i64>,
    /// Where some are the rest, the campaigns that are whole: nothing of them is in it.
    pub(super) named: BTreeSet<String>,
}

#[derive(Default)]
pub(super) struct Spent {
    by: BTreeMap<String, i64>,
    whole: i64,
    /// Whether it is known by value in this dimension.
    known: bool,
}

/// What was spent in a period: of each month the part that its days are of the month's. By anything but source and campaign
/// there is only the whole. What leads cost is counted.
pub(super) fn spent(core: &Core, by: Dimension, (from, to): (Date, Date)) -> Spent {
    let mut spent =
        Spent { known: matches!(by, Dimension::Source | Dimension::Campaign), ..Spent::default() };
    for row in &core.spend {
        let (first, last) = row.month.days();
        let days = |from: Date, to: Date| i64::from((to - from).get_days()) + 1;
        let (whole, within) = (days(first, last), days(from.max(first), to.min(last)).max(0));
        let amount = (row.amount.minor() * within + whole / 2) / whole;
        let value = match by {
            // As the sums hold it.
            Dimension::Campaign => row.campaign.as_deref().map(cut).unwrap_or_default(),
            Dimension::All
            | Dimension::Source
            | Dimension::Offer
            | Dimension::Category
            | Dimension::Dealer
            | Dimension::State
            | Dimension::Band
            | Dimension::Reason => row.source.to_string(),
        };
        *spent.by.entry(value).or_default() += amount;
        spent.whole += amount;
    }
    spent
}

/// A row of the table: a value, and a figure for each column.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// [`UNKNOWN`] and [`REST`] are what they are in sums.
    pub(crate) value: String,
    pub(crate) cells: Vec<Cell>,
}

impl Row {
    pub(super) fn json(&self, report: &Report, by: Dimension) -> Value {
        let mut told = named(report, &self.cells);
        let value = match self.value.as_str() {
            REST => {
                told.insert("rest".to_owned(), json!(true));
                Value::Null
            }
            UNKNOWN if by == Dimension::All => json!("all"),
            UNKNOWN => Value::Null,
            value => json!(value),
        };
        told.insert("value".to_owned(), value);
        Value::Object(told)
    }
}

/// Figures by the names of their columns.
pub(super) fn named(report: &Report, cells: &[Cell]) -> Map<String, Value> {
    report.columns.iter().zip(cells).map(|(column, cell)| (column.name(), cell.json())).collect()
}

/// A row for each value, those to which most happened first and the rest last. What cost something and brought nothing
/// has a row too; where some are the rest, and it is not named, it may be among them, and nobody knows what it brought.
pub(super) fn rows(report: &Report, by: Dimension, sums: &Sums, figures: &Figures) -> Vec<Row> {
    let told = |(value, tally): (&str, &Tally)| Some((value.strip_prefix(report.prefix)?.to_owned(), *tally));
    let mut found: BTreeMap<String, Tally> = sums.by(by).filter_map(told).collect();
    let has_rest = found.contains_key(REST);
    let mut unknown: BTreeSet<String> = BTreeSet::new();
    for (value, cost) in figures.spent.iter().filter(|spent| spent.known).flat_map(|spent| &spent.by) {
        if *cost != 0 && !found.contains_key(value) {
            found.insert(value.clone(), Tally::default());
            if has_rest && value != UNKNOWN && !figures.named.contains(value) {
                unknown.insert(value.clone());
            }
        }
    }
    let mut ranked: Vec<(String, Tally)> = found.into_iter().collect();
    ranked.sort_by(|(value, tally), (other, than)| {
        let rank = |value: &str, tally: &Tally| (value == REST, std::cmp::Reverse(tally.weight()));
        rank(value, tally).cmp(&rank(other, than)).then_with(|| value.cmp(other))
    });
    let row = |(value, tally): (String, Tally)| {
        let mut cells = figures.told(report, &tally, Some(&value));
        if unknown.contains(&value) {
            for (cell, _) in
                cells.iter_mut().zip(report.columns).filter(|(_, column)| !matches!(column, Cost))
            {
                *cell = Cell::Nothing;
            }
        }
        Row { value, cells }
    };
    ranked.into_iter().map(row).collect()
}

impl Figures {
    /// The figures of a value, or of the whole.
    pub(super) fn told(&self, report: &Report, tally: &Tally, value: Option<&str>) -> Vec<Cell> {
        report.columns.iter().map(|column| self.cell(*column, tally, value)).collect()
    }

    fn cell(&self, column: Column, tally: &Tally, value: Option<&str>) -> Cell {
        // Of the whole all is known, whatever its rows are told by.
        let by = if value.is_some() { self.by } else { Dimension::All };
        if !column.is_known_by(by) {
            return Cell::Nothing;
        }
        let owed = tally.get(Counter::Charged) - tally.get(Counter::Credited);
        match column {
            Count(counter) => Cell::Count(tally.get(counter)),
            Amount(counter) => Cell::Amount(tally.get(counter)),
            Owed => Cell::Amount(owed),
            Part(_, part, whole) => Cell::Part(tally.get(part), tally.get(whole)),
            Cost => self.cost(tally, value).map_or(Cell::Nothing, Cell::Amount),
            ReturnOnSpend => self.cost(tally, value).map_or(Cell::Nothing, |cost| Cell::Part(owed, cost)),
            Measured(speed) => Cell::Count(tally.speed(speed).total()),
            Median(speed) => tally.speed(speed).median_s().map_or(Cell::Nothing, Cell::Seconds),
            Within(speed, _, seconds) => Cell::within(tally.speed(speed), seconds),
            Size => self.size.map_or(Cell::Nothing, Cell::Count),
        }
    }

    /// What was spent, and what leads cost; nothing of the rest, of which nobody knows what was spent on it.
    fn cost(&self, tally: &Tally, value: Option<&str>) -> Option<i64> {
        let spent = self.spent.as_ref()?;
        let of_value = match value {
            None => Some(spent.whole),
            Some(REST) => None,
            Some(value) => spent.known.then(|| spent.by.get(value).copied().unwrap_or(0)),
        };
        of_value.map(|spent| spent + tally.get(Counter::LeadsCost))
    }
}
