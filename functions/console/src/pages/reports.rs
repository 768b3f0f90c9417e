//! The reports: each is a sentence, a chart or a map, and the table that stands behind it.
//!
//! Determinations. *The figures are the API's*, read by the same function; nothing is summed here. *Every number has the
//! period before beneath it*, but those of a long period's rows where they are many: see [`COMPARED`]. *A report is one
//! screen of a desk*: the first [`SCREEN`] rows beside as many bars, or [`LISTED`] (of states all) and [`BARS`] where
//! somebody asks, and it says so where there are more; the CSV has all. *A name leads to the leads behind it as they stand
//! now*, where a list of such leads exists; of an offer and a state that is the hottest. *What a dimension does not know is
//! a dash*, and is not drawn.

use std::collections::{HashMap, HashSet};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use leadyard_domain::error::Code;
use leadyard_domain::place::State as UsState;
use leadyard_domain::report::{Dimension, REST, UNKNOWN};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::who::READS;
use serde::Deserialize;

use super::chart::{Bar, Chart, Unit};
use super::figure::{change, label, unit, value, written};
use super::period::{self, Named};
use super::shown::{self, Choice};
use super::signed::{For, Signed};
use super::states::Map;
use super::{Frame, address, download, rendered, troubled};
use crate::reports::defined::{Column, REPORTS, Report};
use crate::reports::figures::{Cell, Row as Figures};
use crate::reports::{self, Compared, Told};

const AT: &str = "/console/reports";
/// Of a quarter each row is compared with the period before; of a longer one where both cost about what a year's report
/// may.
const COMPARED: Compared = Compared::Rows { most_days: 92, most_units: 40.0 };
/// Reasons to wait begin so.
const WAITING: &str = "waiting:";
/// Rows of a table on a page, where they are asked for: a page weighs at most 100 kB, with long names too.
const LISTED: usize = 50;
/// All states have one, and who says none.
const STATES: usize = UsState::ALL.len() + 1;
/// Rows of a table, and bars of the chart beside it, at first.
const SCREEN: usize = 6;
/// Bars of a chart, where all rows are asked for.
const BARS: usize = 12;
/// Characters of a name beside its bar.
const LABEL: usize = 36;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    company: String,
    from: String,
    to: String,
    by: String,
    /// The column that the chart shows.
    chart: String,
    /// `all`: as many as a page has room for.
    rows: String,
}

impl Asked {
    fn listed(&self, by: Dimension) -> usize {
        if self.rows == "all" { most_listed(by) } else { SCREEN }
    }
}

fn most_listed(by: Dimension) -> usize {
    if by == Dimension::State { STATES } else { LISTED }
}

#[derive(askama::Template)]
#[template(path = "reports.html")]
struct All {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    reports: Vec<&'static Report>,
}

/// `GET /console/reports?company`.
pub(super) async fn all(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(asked): Query<Asked>,
) -> Response {
    match signed.company_of(&asked.company) {
        Err(problem) => troubled(&signed, &problem),
        Ok(company) => {
            shown::read_names(&cloud, &signed.desk).await;
            let page = All {
                frame: Frame::of("Reports", "reports", &signed),
                companies: Choice::companies(&cloud, &signed.desk, &company),
                company: company.to_string(),
                reports: REPORTS.iter().collect(),
            };
            rendered(&page, StatusCode::OK)
        }
    }
}

#[derive(askama::Template)]
#[template(path = "report.html")]
struct Page {
    frame: Frame,
    at: String,
    name: &'static str,
    says: &'static str,
    company: String,
    companies: Vec<Choice>,
    /// What was typed.
    asked: Asked,
    presets: Vec<Preset>,
    bys: Vec<Choice>,
    charts: Vec<Choice>,
    trouble: Trouble,
    shown: Option<Shown>,
}

impl Page {
    /// What a day's field is: what nobody could choose from a calendar is shown as it was typed.
    fn kind(day: &str) -> &'static str {
        if day.is_empty() || day.parse::<Date>().is_ok() { "date" } else { "text" }
    }
}

/// A period that is one click away.
struct Preset {
    name: &'static str,
    at: String,
    chosen: bool,
}

/// Why there is no table.
#[derive(Default)]
struct Trouble {
    /// Which field it is about: `from`, `to`, `by` or another.
    field: String,
    says: String,
}

/// What a report shows.
struct Shown {
    from: String,
    to: String,
    before_from: String,
    before_to: String,
    zone: String,
    currency: String,
    /// Any of its numbers is money.
    has_money: bool,
    csv: String,
    /// What the chart or the map shows.
    about: String,
    chart: Option<Chart>,
    /// Bars that the chart leaves out.
    more_bars: usize,
    map: Option<Map>,
    /// By what the rows are: empty, where there is the whole alone.
    by: String,
    columns: Vec<String>,
    rows: Vec<Row>,
    /// Where more rows are, if the page has room for more; and how many it has then.
    further: String,
    listed: usize,
    /// Rows of this period that the table leaves out.
    more_rows: usize,
    /// Those of the period before alone that it leaves out: they are in no CSV of this one.
    more_gone: usize,
    /// The period is so long that the whole alone is compared.
    long: bool,
    /// Nothing happened, in this period and the one before.
    silent: bool,
    /// To which leads the names lead.
    linked: &'static str,
}

/// A row of the table.
struct Row {
    name: String,
    /// Where the leads behind it are.
    at: String,
    cells: Vec<Written>,
}

/// A number, and what became of it.
struct Written {
    says: String,
    change: String,
    /// Neither is there to be told.
    none: bool,
}

impl Written {
    fn of(column: Column, now: Cell, before: Option<Cell>) -> Self {
        let (unit, now) = (unit(column), value(now));
        let change = before.map(|before| change(unit, now, value(before))).unwrap_or_default();
        Self { says: written(unit, now), none: now.is_none_or(|now| now == 0) && change.is_empty(), change }
    }
}

/// `GET /console/reports/{name}?company&from&to&by&chart`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    match read(&cloud, &signed, &name, asked).await {
        Ok(page) => {
            let fine = page.trouble.says.is_empty();
            rendered(&page, if fine { StatusCode::OK } else { StatusCode::BAD_REQUEST })
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// `GET /console/reports/{name}/table.csv?company&from&to&by`.
pub(super) async fn csv(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let read = async {
        let report = Report::named(&name)?;
        let core = signed.rules_of(&cloud, &asked.company).await?;
        let told = reports::told(&cloud, core, report, &asked.of_report(), Compared::Whole).await?;
        let ((from, to), company) = (told.period, told.core.company_id());
        Ok::<_, Problem>(download(told.csv()?, &format!("{name}-{company}-{from}-{to}.csv")))
    };
    match read.await {
        Ok(table) => table.into_response(),
        Err(problem) => troubled(&signed, &problem),
    }
}

impl Asked {
    fn of_report(&self) -> reports::Asked {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        reports::Asked { from: text(&self.from), to: text(&self.to), by: text(&self.by) }
    }
}

async fn read(cloud: &Cloud, signed: &Signed, name: &str, mut asked: Asked) -> Result<Page, Problem> {
    let report = Report::named(name)?;
    let core = signed.rules_of(cloud, &asked.company).await?;
    let today = reports::today(cloud, &core)?;
    let (company, week_starts) = (core.company_id().clone(), core.company.week_starts);
    let told = reports::told(cloud, core, report, &asked.of_report(), COMPARED).await;
    let (told, trouble) = match told {
        Ok(told) => (Some(told), Trouble::default()),
        Err(problem) if problem.code() == Code::InvalidField => {
            let (field, says) = problem.detail().split_once(": ").unwrap_or(("", problem.detail()));
            (None, Trouble { field: field.to_owned(), says: says.to_owned() })
        }
        Err(problem) => return Err(problem),
    };
    if let Some(told) = &told {
        (asked.from, asked.to) = (told.period.0.to_string(), told.period.1.to_string());
    }
    let at = format!("{AT}/{}", report.name);
    let by = told.as_ref().map_or(report.by, |told| told.by);
    let charted = charted(report, by, &asked.chart);
    let preset = |named: Named| {
        let (from, to) = (named.from.to_string(), named.to.to_string());
        let pairs = [
            ("company", company.as_str()),
            ("from", &from),
            ("to", &to),
            ("by", &asked.by),
            ("chart", &asked.chart),
        ];
        let chosen = told.as_ref().is_some_and(|told| told.period == (named.from, named.to));
        Preset { name: named.name, at: address(&at, &pairs), chosen }
    };
    shown::read_names(cloud, &signed.desk).await;
    let column = |column: &Column| Choice::of(&column.name(), &label(*column), Some(&charted.name()));
    Ok(Page {
        frame: Frame::of(format!("Report: {}", report.title), "reports", signed),
        name: report.title,
        says: report.says,
        companies: Choice::companies(cloud, &signed.desk, &company),
        presets: period::named(today, week_starts).into_iter().map(preset).collect(),
        bys: dimensions(report, by),
        charts: if by == Dimension::All {
            Vec::new()
        } else {
            report.columns.iter().filter(|one| one.is_known_by(by)).map(column).collect()
        },
        trouble,
        shown: told.map(|told| shown(&told, charted, &asked)),
        company: company.to_string(),
        at,
        asked,
    })
}

/// The column that a chart shows: the one that is asked for, or that which says most.
fn charted(report: &Report, by: Dimension, asked: &str) -> Column {
    let named = |name: &str| report.columns.iter().copied().find(|column| column.name() == name);
    let asked = named(asked).filter(|column| column.is_known_by(by));
    asked.or_else(|| named(report.first)).unwrap_or(report.columns[0])
}

/// By what a report can be told: reasons are reports of their own.
fn dimensions(report: &Report, by: Dimension) -> Vec<Choice> {
    if report.by == Dimension::Reason {
        return Vec::new();
    }
    let told = Dimension::ALL.iter().filter(|dimension| report.is_told_by(**dimension));
    told.map(|dimension| {
        let label = if *dimension == Dimension::All { "the whole alone" } else { dimension.as_str() };
        Choice::of(dimension, label, Some(by.as_str()))
    })
    .collect()
}

fn shown(told: &Told, charted: Column, asked: &Asked) -> Shown {
    let (report, by) = (told.report, told.by);
    let company = told.core.company_id().as_str();
    let pairs = [("company", company), ("from", &asked.from), ("to", &asked.to), ("by", &asked.by)];
    let mut shown = Shown {
        from: told.period.0.to_string(),
        to: told.period.1.to_string(),
        before_from: told.period_before.0.to_string(),
        before_to: told.period_before.1.to_string(),
        zone: told.core.company.zone.clone(),
        currency: told.core.company.currency.clone(),
        has_money: report.columns.iter().any(|column| unit(*column) == Unit::Money),
        csv: address(&format!("{AT}/{}/table.csv", report.name), &pairs),
        about: match unit(charted) {
            Unit::Money => format!("{}, {}", label(charted), told.core.company.currency),
            Unit::Count | Unit::Share | Unit::Times | Unit::Seconds => label(charted),
        },
        chart: None,
        more_bars: 0,
        map: None,
        by: if by == Dimension::All { String::new() } else { by.to_string() },
        columns: report.columns.iter().map(|column| label(*column)).collect(),
        rows: Vec::new(),
        further: String::new(),
        listed: 0,
        more_rows: 0,
        more_gone: 0,
        long: by != Dimension::All && told.rows_before.is_none(),
        silent: told.whole.iter().chain(&told.whole_before).all(|cell| value(*cell).is_none_or(|n| n == 0)),
        linked: "",
    };
    if by == Dimension::All {
        shown.rows = report
            .columns
            .iter()
            .zip(told.whole.iter().zip(&told.whole_before))
            .map(|(column, (now, before))| Row {
                name: label(*column),
                at: String::new(),
                cells: vec![Written::of(*column, *now, Some(*before))],
            })
            .collect();
        let bars = of_columns(told, charted);
        // All columns that are measured alike are drawn.
        shown.about = match unit(charted) {
            Unit::Count => "how many".to_owned(),
            Unit::Money => format!("money, {}", shown.currency),
            Unit::Share => "share".to_owned(),
            Unit::Times => "times".to_owned(),
            Unit::Seconds => "time".to_owned(),
        };
        shown.chart = Chart::of(unit(charted), &bars);
        return shown;
    }
    let cells = |now: &[Cell], before: Option<&[Cell]>| {
        let of_column =
            |(at, column): (usize, &Column)| Written::of(*column, now[at], before.map(|before| before[at]));
        report.columns.iter().enumerate().map(of_column).collect()
    };
    let lines = lines(told);
    shown.rows.push(Row {
        name: "All".to_owned(),
        at: String::new(),
        cells: cells(&told.whole, Some(&told.whole_before)),
    });
    shown.rows.extend(lines.iter().take(asked.listed(by)).map(|line| Row {
        name: name(told, line.value),
        at: leads(told, line.value),
        cells: cells(&line.now, line.before.as_deref()),
    }));
    if shown.rows.iter().any(|row| !row.at.is_empty()) {
        shown.linked = match by {
            Dimension::Offer | Dimension::State => {
                "A name leads to the hottest of its leads that are open now."
            }
            Dimension::Reason => "A name leads to the leads that wait for it now.",
            Dimension::All
            | Dimension::Source
            | Dimension::Campaign
            | Dimension::Category
            | Dimension::Dealer
            | Dimension::Band => "A name leads to its leads as they stand now.",
        };
    }
    // Those of this period stand first.
    shown.more_rows = told.rows.len().saturating_sub(asked.listed(by));
    shown.more_gone = lines.len().saturating_sub(asked.listed(by)) - shown.more_rows;
    if shown.more_rows + shown.more_gone > 0 && asked.listed(by) < most_listed(by) {
        let all = [pairs.as_slice(), &[("chart", asked.chart.as_str()), ("rows", "all")]].concat();
        shown.further = address(&format!("{AT}/{}", report.name), &all);
        shown.listed = lines.len().min(most_listed(by));
    }
    let at = report.columns.iter().position(|column| column.name() == charted.name()).unwrap_or(0);
    // A rate of one state is no part of all states' rates: that is told by bars.
    if by == Dimension::State && matches!(unit(charted), Unit::Count | Unit::Money) {
        shown.map = Some(map(&lines, at, charted, told.whole[at]));
    } else {
        let bars = of_lines(told, lines, at, charted);
        let drawn = bars.len().min(asked.listed(by)).min(BARS);
        shown.more_bars = bars.len() - drawn;
        shown.chart = Chart::of(unit(charted), &bars[..drawn]);
    }
    shown
}

/// A value's figures in both periods.
struct Line<'t> {
    value: &'t str,
    now: Vec<Cell>,
    /// Nothing, where it is not known: it was not read, or was not among the top.
    before: Option<Vec<Cell>>,
}

/// A line for each row of the report, and behind them what was there in the period before alone.
fn lines(told: &Told) -> Vec<Line<'_>> {
    let now = told.rows.iter();
    let Some(rows_before) = &told.rows_before else {
        return now.map(|row| Line { value: &row.value, now: row.cells.clone(), before: None }).collect();
    };
    let before: HashMap<&str, &Figures> = rows_before.iter().map(|row| (row.value.as_str(), row)).collect();
    let (cut, was_cut) = (told.rows.iter().any(|row| row.value == REST), before.contains_key(REST));
    let mut lines: Vec<Line<'_>> = now
        .map(|row| {
            let known = before.get(row.value.as_str()).map(|row| row.cells.clone());
            let before = known.or_else(|| (!was_cut).then(|| nothing(&row.cells)));
            Line { value: &row.value, now: row.cells.clone(), before }
        })
        .collect();
    // Where some are not named now, these may be among them.
    if !cut {
        let listed: HashSet<&str> = told.rows.iter().map(|row| row.value.as_str()).collect();
        let gone = rows_before.iter().filter(|row| row.value != REST && !listed.contains(&*row.value));
        lines.extend(gone.map(|row| Line {
            value: &row.value,
            now: nothing(&row.cells),
            before: Some(row.cells.clone()),
        }));
    }
    lines
}

/// The figures of a value to which nothing happened.
fn nothing(cells: &[Cell]) -> Vec<Cell> {
    let empty = |cell: &Cell| match cell {
        Cell::Count(_) => Cell::Count(0),
        Cell::Amount(_) => Cell::Amount(0),
        Cell::Part(..) | Cell::Seconds(_) | Cell::Nothing => Cell::Nothing,
    };
    cells.iter().map(empty).collect()
}

/// A bar for each column that is measured as this one is; not for all that the company ever knew, beside which the rest
/// would be nothing.
fn of_columns(told: &Told, charted: Column) -> Vec<Bar> {
    let cells = told.whole.iter().zip(&told.whole_before);
    let alike = told.report.columns.iter().zip(cells).filter(|(column, _)| {
        unit(**column) == unit(charted) && !matches!(column, Column::Size | Column::Measured(_))
    });
    let bar = |(column, (now, before)): (&Column, (&Cell, &Cell))| {
        let says = written(unit(*column), value(*now));
        Bar { label: label(*column), now: value(*now), before: value(*before), says }
    };
    alike.map(bar).collect()
}

/// A bar for each line, the longest first and the rest last.
fn of_lines(told: &Told, mut lines: Vec<Line<'_>>, at: usize, charted: Column) -> Vec<Bar> {
    lines.sort_by_key(|line| (line.value == REST, std::cmp::Reverse(value(line.now[at]))));
    let bar = |line: Line<'_>| {
        let now = value(line.now[at]);
        Bar {
            label: shown::cut(&name(told, line.value), LABEL),
            now,
            before: line.before.and_then(|before| value(before[at])),
            says: written(unit(charted), now),
        }
    };
    lines.into_iter().map(bar).collect()
}

fn map(lines: &[Line<'_>], at: usize, charted: Column, whole: Cell) -> Map {
    let values = lines.iter().map(|line| {
        let value = value(line.now[at]);
        (line.value.to_owned(), value.unwrap_or(0), written(unit(charted), value))
    });
    Map::of(unit(charted), &values.collect::<Vec<_>>(), value(whole).unwrap_or(0))
}

/// A value's name for people.
fn name(told: &Told, value: &str) -> String {
    match (value, told.by) {
        (REST, _) => "all others".to_owned(),
        (UNKNOWN, Dimension::Campaign) => "without a campaign".to_owned(),
        (UNKNOWN, _) => "not known".to_owned(),
        (value, Dimension::State) => value.parse::<UsState>().map_or(value, |state| state.name()).to_owned(),
        (value, Dimension::Offer) => {
            let offer = told.core.offers.iter().find(|offer| offer.id.as_str() == value);
            offer.map_or_else(|| value.to_owned(), |offer| offer.name.clone())
        }
        (value, Dimension::Reason) if told.report.prefix == WAITING => shown::waits_for(value),
        (value, Dimension::Reason) => shown::word(value),
        (
            value,
            Dimension::All
            | Dimension::Source
            | Dimension::Campaign
            | Dimension::Category
            | Dimension::Dealer
            | Dimension::Band,
        ) => value.to_owned(),
    }
}

/// Where the leads behind a value are; nowhere, where there is no list of them.
fn leads(told: &Told, value: &str) -> String {
    if value == REST || value == UNKNOWN {
        return String::new();
    }
    let company = told.core.company_id().as_str();
    let list = |list: &str, narrow: &[(&str, &str)]| {
        let pairs = [&[("company", company), ("list", list)], narrow].concat();
        address("/console/leads", &pairs)
    };
    match told.by {
        Dimension::Source => list(&format!("source:{value}"), &[]),
        Dimension::Dealer => list(&format!("dealer:{value}"), &[]),
        Dimension::Offer => list("hottest", &[("offer", value)]),
        Dimension::State => list("hottest", &[("state", value)]),
        Dimension::Reason if told.report.prefix == WAITING => {
            address("/console/waiting", &[("company", company), ("reason", value)])
        }
        Dimension::Reason | Dimension::All | Dimension::Campaign | Dimension::Category | Dimension::Band => {
            String::new()
        }
    }
}
