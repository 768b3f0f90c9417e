//! Reports: what the counters say, for a period and against the one before.
//!
//! Everything is read from sums by day and month, so that a report costs the same whatever the number of leads. Each is
//! one table: the whole, the same for as many days before, and a row for each value of a dimension.
//!
//! | module | holds |
//! |---|---|
//! | [`defined`] | the reports that there are |
//! | [`figures`] | what the sums say, column by column |

pub(crate) mod defined;
pub(crate) mod figures;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::limits;
use leadyard_domain::report::{Counter, Dimension, REST, Sums, UNKNOWN};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::store::{ReportAsked, ReportRead, Tables};
use leadyard_platform::who::{DeskOf, READS};
use serde::Deserialize;
use serde_json::{Value, json};

use self::defined::{Column, Report};
use self::figures::{Cell, Figures, Row, named, rows, spent};
use crate::who;

/// What is asked of a report: days of the company's zone, both included; the last thirty, if none are named.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) by: Option<String>,
}

/// A report of a period.
pub(crate) struct Told {
    pub(crate) report: &'static Report,
    pub(crate) core: Arc<Core>,
    pub(crate) by: Dimension,
    /// First and last day.
    pub(crate) period: (Date, Date),
    /// As many days before.
    pub(crate) period_before: (Date, Date),
    pub(crate) whole: Vec<Cell>,
    pub(crate) whole_before: Vec<Cell>,
    pub(crate) rows: Vec<Row>,
    /// The rows of the period before, where these are compared.
    pub(crate) rows_before: Option<Vec<Row>>,
    /// What reading it cost, in read units.
    pub(crate) units: f64,
}

/// What is compared with the period before: every row costs as much again to read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Compared {
    /// The whole alone.
    Whole,
    /// The whole, and every row of a period of at most so many days; or of a longer one that is over, where both cost about
    /// so many read units at most: what the one before costs is known when it is read.
    Rows { most_days: i64, most_units: f64 },
}

/// `GET /v1/reports/{name}?company&from=2026-06-01&to=2026-06-30&by=source`. JSON, or CSV where that is accepted.
pub(crate) async fn report(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let report = Report::named(&name)?;
    let core = who::rules_of(&cloud, &company).await?;
    let told = told(&cloud, core, report, &asked, Compared::Whole).await?;
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/csv") { told.csv() } else { Ok(Json(told.json()).into_response()) }
}

/// Reads a report.
pub(crate) async fn told(
    cloud: &Cloud,
    core: Arc<Core>,
    report: &'static Report,
    asked: &Asked,
    compared: Compared,
) -> Result<Told, Problem> {
    let today = today(cloud, &core)?;
    let (from, to) = period(asked, today)?;
    let by = by(report, asked.by.as_deref())?;
    let measures =
        report.has(|column| matches!(column, Column::Measured(_) | Column::Median(_) | Column::Within(..)));
    let tables = if measures { Tables::Times } else { Tables::Counts };
    let (store, company) = (&cloud.store, core.company_id());
    let days = i64::from((to - from).get_days()) + 1;
    let (before_from, before_to) = (back(from, days), back(from, 1));
    let costs = report.has(|column| matches!(column, Column::Cost | Column::ReturnOnSpend));
    let dimensions = |rows: bool| {
        let mut read = vec![Dimension::All];
        if rows && by != Dimension::All {
            read.push(by);
        }
        read
    };
    let (at_once, most_units) = match compared {
        Compared::Whole => (false, 0.0),
        Compared::Rows { most_days, most_units } => (days <= most_days, most_units),
    };
    let period_before = (before_from, before_to);
    let (by_now, by_before) = (dimensions(true), dimensions(at_once));
    let mut wanted = vec![
        ReportAsked { dimensions: &by_now, tables, days: (from, to) },
        ReportAsked { dimensions: &by_before, tables, days: period_before },
    ];
    if report.has(|column| matches!(column, Column::Size)) {
        let days = (Date::new(2000, 1, 1).unwrap_or(from), to);
        wanted.push(ReportAsked { dimensions: &[Dimension::All], tables: Tables::Counts, days });
    }
    let first = wanted.iter().map(|one| one.days.0).min().unwrap_or(from);
    let mut reads = store.report_reads(company, (first, to), today).await?;
    let mut read = reads.read(&wanted).await?.into_iter();
    let (now, mut before) = (read.next().unwrap_or_default(), read.next().unwrap_or_default());
    let ever = read.next();
    // About as much as is read already: the whole of as many days before is in it. Days to come cost nothing yet.
    let rows_too = at_once || to <= today && 2.0 * reads.units <= most_units;
    if rows_too && !at_once && by != Dimension::All {
        let wanted = [ReportAsked { dimensions: &[by], tables, days: period_before }];
        for rows in reads.read(&wanted).await? {
            before.sums.merge(&rows.sums);
            before.whole = rows.whole;
        }
    }
    let known = |read: &ReportRead| {
        let whole = read.sums.get(Dimension::All, UNKNOWN);
        whole.get(Counter::NewLeads) + whole.get(Counter::Imported)
    };
    let (size, grew) = (ever.as_ref().map(known), known(&now));
    let figures = |read: &ReportRead, size: Option<i64>, period: (Date, Date)| Figures {
        by,
        spent: costs.then(|| spent(&core, by, period)),
        size,
        named: read.whole.clone(),
    };
    let of_now = figures(&now, size, (from, to));
    let of_before = figures(&before, size.map(|size| size - grew), period_before);
    let whole =
        |figures: &Figures, sums: &Sums| figures.told(report, &sums.get(Dimension::All, UNKNOWN), None);
    let (whole, whole_before) = (whole(&of_now, &now.sums), whole(&of_before, &before.sums));
    let rows_of = |figures: &Figures, sums: &Sums, whole: &[Cell]| {
        if by == Dimension::All {
            // The whole is its own only row, also where nothing happened.
            return vec![Row { value: UNKNOWN.to_owned(), cells: whole.to_vec() }];
        }
        rows(report, by, sums, figures)
    };
    Ok(Told {
        report,
        by,
        period: (from, to),
        period_before,
        rows: rows_of(&of_now, &now.sums, &whole),
        rows_before: rows_too.then(|| rows_of(&of_before, &before.sums, &whole_before)),
        whole,
        whole_before,
        units: reads.units,
        core,
    })
}

/// The day that it is in the company's zone.
pub(crate) fn today(cloud: &Cloud, core: &Core) -> Result<Date, Problem> {
    Ok(who::zone_of(core)?.to_datetime(cloud.clock.now()).date())
}

fn period(asked: &Asked, today: Date) -> Result<(Date, Date), Problem> {
    let day = |name: &str, text: &Option<String>| {
        let read = text.as_deref().map(str::parse::<Date>).transpose();
        read.map_err(|_| Problem::new(Code::InvalidField, format!("{name}: a day is written 2026-06-01")))
    };
    let to = day("to", &asked.to)?.unwrap_or(today);
    let from = day("from", &asked.from)?.unwrap_or_else(|| back(to, 29));
    if from > to || i64::from((to - from).get_days()) >= limits::REPORT_DAYS || from.year() < 2000 {
        let detail = format!(
            "from: a day not after to, at most {} days before it and not before 2000",
            limits::REPORT_DAYS
        );
        return Err(Problem::new(Code::InvalidField, detail));
    }
    Ok((from, to))
}

fn back(day: Date, days: i64) -> Date {
    day.checked_sub(days.days()).unwrap_or(Date::MIN)
}

fn by(report: &Report, asked: Option<&str>) -> Result<Dimension, Problem> {
    let Some(asked) = asked else { return Ok(report.by) };
    let by = asked.parse::<Dimension>().ok().filter(|by| report.is_told_by(*by));
    by.ok_or_else(|| {
        let told = Dimension::ALL.iter().filter(|by| report.is_told_by(**by));
        let told: Vec<&str> = told.map(|by| by.as_str()).collect();
        let detail = format!("by: the report {} is told by one of: {}", report.name, told.join(", "));
        Problem::new(Code::InvalidField, detail)
    })
}

impl Told {
    fn json(&self) -> Value {
        let company = &self.core.company;
        let rows: Vec<Value> = self.rows.iter().map(|row| row.json(self.report, self.by)).collect();
        let whole = |cells| named(self.report, cells);
        let ((from, to), (before_from, before_to)) = (self.period, self.period_before);
        json!({
            "report": self.report.name, "says": self.report.says, "company": self.core.company_id(),
            "currency": company.currency, "from": from.to_string(), "to": to.to_string(),
            "zone": company.zone, "by": self.by, "whole": whole(&self.whole),
            "before": {
                "from": before_from.to_string(), "to": before_to.to_string(), "whole": whole(&self.whole_before),
            },
            "rows": rows, "read_units": self.units,
        })
    }

    /// A row a value; what is not known is `(unknown)`, what is not among the top `(rest)`. A figure that is none is blank.
    pub(crate) fn csv(&self) -> Result<Response, Problem> {
        let failed = || Problem::new(Code::Internal, "the report could not be written");
        let names: Vec<String> = self.report.columns.iter().map(|column| column.name()).collect();
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record([self.by.to_string()].iter().chain(&names)).map_err(|_| failed())?;
        for row in &self.rows {
            let value = match row.value.as_str() {
                REST => "(rest)".to_owned(),
                UNKNOWN if self.by == Dimension::All => "all".to_owned(),
                UNKNOWN => "(unknown)".to_owned(),
                value => harmless(value),
            };
            let cells = row.cells.iter().map(|cell| match cell.json() {
                Value::String(text) => text,
                Value::Null => String::new(),
                number @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    number.to_string()
                }
            });
            table.write_record([value].into_iter().chain(cells)).map_err(|_| failed())?;
        }
        let table = table.into_inner().map_err(|_| failed())?;
        let kind = HeaderValue::from_static("text/csv; charset=utf-8");
        Ok(([(header::CONTENT_TYPE, kind)], table).into_response())
    }
}

/// A campaign is whatever a URL said: what a spreadsheet would take for a formula begins with an apostrophe.
pub(crate) fn harmless(value: &str) -> String {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{value}") } else { value.to_owned() }
}
