//! Reports: what the counters say, for a period and against the one before.
//!
//! Everything is read from sums by day and month, so that a report costs the same whatever the number of leads. Each is
//! one table: the whole, the same for as many days before, and a row for each value of a dimension.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::{Code, Invalid};
use leadyard_domain::limits;
use leadyard_domain::money::Money;
use leadyard_domain::report::{Counter, Dimension, REST, Speed, Sums, Tally, UNKNOWN};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::store::Tables;
use leadyard_platform::who::DeskOf;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::who;

#[derive(Deserialize)]
pub(crate) struct ReportQuery {
    from: Option<String>,
    to: Option<String>,
    by: Option<String>,
}

/// A report: what it shows, by what it is told unless somebody asks otherwise, and its columns.
struct Report {
    name: &'static str,
    says: &'static str,
    by: Dimension,
    /// Of reasons, those that begin so.
    prefix: &'static str,
    columns: &'static [Column],
}

/// A column.
#[derive(Clone, Copy)]
enum Column {
    /// A counter.
    Count(Counter),
    /// A counter in minor units.
    Amount(Counter),
    /// What was charged less what was credited: what dealers owe.
    Owed,
    /// One counter's part of another: how many of these became those.
    Part(&'static str, Counter, Counter),
    /// What it cost: spend of the days in the period, and what its source costs a lead.
    Cost,
    /// What dealers owe for each unit of what it cost.
    ReturnOnSpend,
    /// How many times were measured.
    Measured(Speed),
    /// Their median, in seconds.
    Median(Speed),
    /// The part of them that is at most so many seconds.
    Within(Speed, &'static str, i64),
    /// All leads that the company knew at the end of the period.
    Size,
}

use Column::{Amount, Cost, Count, Measured, Median, Owed, Part, ReturnOnSpend, Size, Within};

const SALES: &[Column] = &[
    Count(Counter::Distributed),
    Count(Counter::Delivered),
    Count(Counter::Accepted),
    Count(Counter::Declined),
    Count(Counter::Lapsed),
    Count(Counter::Withdrawn),
    Count(Counter::Returned),
    Count(Counter::Contacted),
    Count(Counter::Won),
    Count(Counter::Lost),
    Part("conversion", Counter::Won, Counter::Delivered),
    Amount(Counter::Charged),
    Amount(Counter::Credited),
    Owed,
    Amount(Counter::WonValue),
];

const TRADE: &[Column] = &[
    Count(Counter::Enquiries),
    Count(Counter::Spam),
    Count(Counter::Repeats),
    Count(Counter::Leads),
    Count(Counter::Waiting),
    Count(Counter::Delivered),
    Count(Counter::Returned),
    Count(Counter::Won),
    Part("conversion", Counter::Won, Counter::Leads),
    Amount(Counter::Charged),
    Amount(Counter::Credited),
    Owed,
    Amount(Counter::WonValue),
];

const REPORTS: &[Report] = &[
    Report {
        name: "sources",
        says: "what each source sent, what became of it, and what it brought for what it cost",
        by: Dimension::Source,
        prefix: "",
        columns: &[
            Count(Counter::Enquiries),
            Count(Counter::Ham),
            Count(Counter::Doubtful),
            Count(Counter::Spam),
            Count(Counter::Repeats),
            Count(Counter::Leads),
            Count(Counter::Delivered),
            Count(Counter::Returned),
            Count(Counter::Contacted),
            Count(Counter::Won),
            Part("conversion", Counter::Won, Counter::Leads),
            Amount(Counter::Charged),
            Amount(Counter::Credited),
            Owed,
            Amount(Counter::WonValue),
            Cost,
            ReturnOnSpend,
        ],
    },
    Report {
        name: "campaigns",
        says: "what each campaign brought for what was spent on it; what a source costs a lead is not in it",
        by: Dimension::Campaign,
        prefix: "",
        columns: &[
            Count(Counter::Enquiries),
            Count(Counter::Leads),
            Count(Counter::Delivered),
            Count(Counter::Returned),
            Count(Counter::Won),
            Part("conversion", Counter::Won, Counter::Leads),
            Amount(Counter::Charged),
            Amount(Counter::Credited),
            Owed,
            Amount(Counter::WonValue),
            Cost,
            ReturnOnSpend,
        ],
    },
    Report {
        name: "offers",
        says: "what was asked for, and what became of it",
        by: Dimension::Offer,
        prefix: "",
        columns: TRADE,
    },
    Report {
        name: "areas",
        says: "where leads come from, where they find a dealer, and where they wait",
        by: Dimension::State,
        prefix: "",
        columns: TRADE,
    },
    Report {
        name: "dealers",
        says: "what each dealer had, what it made of it, and what it owes",
        by: Dimension::Dealer,
        prefix: "",
        columns: SALES,
    },
    Report {
        name: "funnel",
        says: "from the enquiry to the sale: how many came as far in the period",
        by: Dimension::All,
        prefix: "",
        columns: &[
            Count(Counter::Enquiries),
            Count(Counter::Ham),
            Count(Counter::Leads),
            Count(Counter::Distributed),
            Count(Counter::Delivered),
            Count(Counter::Accepted),
            Count(Counter::Contacted),
            Count(Counter::Won),
            Part("won_of_leads", Counter::Won, Counter::Leads),
        ],
    },
    Report {
        name: "speed",
        says: "from the enquiry to its delivery, acceptance and the first contact (speed to lead)",
        by: Dimension::All,
        prefix: "",
        columns: &[
            Measured(Speed::Delivery),
            Median(Speed::Delivery),
            Measured(Speed::Acceptance),
            Median(Speed::Acceptance),
            Measured(Speed::Contact),
            Median(Speed::Contact),
            Within(Speed::Contact, "contact_within_5_minutes", 300),
            Within(Speed::Contact, "contact_within_the_hour", 3_600),
        ],
    },
    Report {
        name: "returns",
        says: "why leads came back",
        by: Dimension::Reason,
        prefix: "returned:",
        columns: &[Count(Counter::Returned)],
    },
    Report {
        name: "waiting",
        says: "why leads had to wait: a lead whose reason changed is counted by each",
        by: Dimension::Reason,
        prefix: "waiting:",
        columns: &[Count(Counter::Waiting)],
    },
    Report {
        name: "leads",
        says: "leads that came new or came back, and all that the company knew at the end",
        by: Dimension::All,
        prefix: "",
        columns: &[
            Count(Counter::Enquiries),
            Count(Counter::Repeats),
            Count(Counter::Leads),
            Count(Counter::NewLeads),
            Size,
        ],
    },
];

/// `GET /v1/reports/{name}?company&from=2026-06-01&to=2026-06-30&by=source`: days of the company's zone, both
/// included; the last thirty, if none are named. JSON, or CSV where that is accepted.
pub(crate) async fn report(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf,
    Path(name): Path<String>,
    Query(query): Query<ReportQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let report = REPORTS.iter().find(|report| report.name == name).ok_or_else(|| {
        let names: Vec<&str> = REPORTS.iter().map(|report| report.name).collect();
        Problem::new(Code::NotFound, format!("there is no such report; there are {}", names.join(", ")))
    })?;
    let core = who::rules_of(&cloud, &company).await?;
    let today = who::zone_of(&core)?.to_datetime(cloud.clock.now()).date();
    let (from, to) = period(&query, today)?;
    let by = by(report, query.by.as_deref())?;
    let measures = report.columns.iter().any(|column| matches!(column, Measured(_) | Median(_) | Within(..)));
    let tables = if measures { Tables::Times } else { Tables::Counts };
    let store = &cloud.store;
    let dimensions = if by == Dimension::All { vec![by] } else { vec![by, Dimension::All] };
    let now = store.report_read(&company, &dimensions, tables, (from, to), today).await?;
    let days = i64::from((to - from).get_days()) + 1;
    let (before_from, before_to) = (back(from, days), back(from, 1));
    // What sources cost a lead is known by source alone: of the whole, the period before needs them too.
    let costs = report.columns.iter().any(|column| matches!(column, Cost | ReturnOnSpend));
    let before_by =
        if costs && by == Dimension::Source { vec![by, Dimension::All] } else { vec![Dimension::All] };
    let before = store.report_read(&company, &before_by, tables, (before_from, before_to), today).await?;
    let ever = if report.columns.iter().any(|column| matches!(column, Size)) {
        Some(
            store
                .report_read(
                    &company,
                    &[Dimension::All],
                    Tables::Counts,
                    (Date::new(2000, 1, 1).unwrap_or(from), to),
                    today,
                )
                .await?,
        )
    } else {
        None
    };
    let size = ever.as_ref().map(|ever| ever.sums.get(Dimension::All, UNKNOWN).get(Counter::NewLeads));
    let grew = now.sums.get(Dimension::All, UNKNOWN).get(Counter::NewLeads);
    let of = |sums: &Sums, size: Option<i64>, period: (Date, Date)| {
        Figures { costs: costs.then(|| costs_of(&core, sums, by, period)), size }.told(
            report,
            &sums.get(Dimension::All, UNKNOWN),
            None,
        )
    };
    let whole = of(&now.sums, size, (from, to));
    let earlier = of(&before.sums, size.map(|size| size - grew), (before_from, before_to));
    let figures = Figures { costs: costs.then(|| costs_of(&core, &now.sums, by, (from, to))), size };
    let rows = rows(report, by, &now.sums, &figures);
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/csv") {
        let csv = csv(report, by, &rows)?;
        let kind = HeaderValue::from_static("text/csv; charset=utf-8");
        return Ok(([(header::CONTENT_TYPE, kind)], csv).into_response());
    }
    let units = now.units + before.units + ever.map_or(0.0, |ever| ever.units);
    let rows: Vec<Value> = rows.into_iter().map(|row| row.json(by)).collect();
    Ok(Json(json!({
        "report": report.name, "says": report.says, "company": company, "currency": core.company.currency,
        "from": from.to_string(), "to": to.to_string(), "zone": core.company.zone, "by": by,
        "whole": whole,
        "before": { "from": before_from.to_string(), "to": before_to.to_string(), "whole": earlier },
        "rows": rows, "read_units": units,
    }))
    .into_response())
}

fn period(query: &ReportQuery, today: Date) -> Result<(Date, Date), Problem> {
    let day = |name: &str, text: &Option<String>| {
        let read = text.as_deref().map(str::parse::<Date>).transpose();
        read.map_err(|_| Problem::new(Code::InvalidField, format!("{name}: a day is written 2026-06-01")))
    };
    let to = day("to", &query.to)?.unwrap_or(today);
    let from = day("from", &query.from)?.unwrap_or_else(|| back(to, 29));
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
    let by = asked
        .parse::<Dimension>()
        .map_err(|rule: Invalid| Problem::new(Code::InvalidField, format!("by: {rule}")))?;
    // Reasons are reports of their own; and what was spent is known of sources and campaigns alone.
    if (by == Dimension::Reason) != (report.by == Dimension::Reason) {
        let detail = format!("by: the report {} is not told by {by}", report.name);
        return Err(Problem::new(Code::InvalidField, detail));
    }
    Ok(by)
}

/// What a report knows besides its counters.
struct Figures {
    /// What each value cost, in minor units, and the whole.
    costs: Option<Costs>,
    size: Option<i64>,
}

#[derive(Default)]
struct Costs {
    by: BTreeMap<String, i64>,
    whole: i64,
    /// Whether costs are known by value in this dimension.
    known: bool,
}

/// What a period cost: of what was spent in a month the part that its days are of the month's; and of each source, what
/// it costs a lead. By campaign there is the spend alone, by anything but source and campaign only the whole.
fn costs_of(core: &Core, sums: &Sums, by: Dimension, (from, to): (Date, Date)) -> Costs {
    let mut costs =
        Costs { known: matches!(by, Dimension::Source | Dimension::Campaign), ..Costs::default() };
    for row in &core.spend {
        let (first, last) = row.month.days();
        let days = |from: Date, to: Date| i64::from((to - from).get_days()) + 1;
        let (whole, within) = (days(first, last), days(from.max(first), to.min(last)).max(0));
        let amount = (row.amount.minor() * within + whole / 2) / whole;
        let value = match by {
            Dimension::Campaign => row.campaign.clone().unwrap_or_default(),
            Dimension::All
            | Dimension::Source
            | Dimension::Offer
            | Dimension::Category
            | Dimension::Dealer
            | Dimension::State
            | Dimension::Band
            | Dimension::Reason => row.source.to_string(),
        };
        *costs.by.entry(value).or_default() += amount;
        costs.whole += amount;
    }
    if by == Dimension::Source {
        for source in &core.sources {
            let leads = sums.get(Dimension::Source, source.id.as_str()).get(Counter::Leads);
            let amount = source.cost_per_lead.map_or(0, |cost| cost.minor() * leads);
            *costs.by.entry(source.id.to_string()).or_default() += amount;
            costs.whole += amount;
        }
    }
    costs
}

/// A row of the table.
struct Row {
    value: String,
    cells: Map<String, Value>,
}

impl Row {
    fn json(mut self, by: Dimension) -> Value {
        let value = match self.value.as_str() {
            REST => {
                self.cells.insert("rest".to_owned(), json!(true));
                Value::Null
            }
            UNKNOWN if by == Dimension::All => json!("all"),
            UNKNOWN => Value::Null,
            value => json!(value),
        };
        self.cells.insert("value".to_owned(), value);
        Value::Object(self.cells)
    }
}

/// A row for each value, those to which most happened first and the rest last. What cost something and brought nothing
/// has a row too.
fn rows(report: &Report, by: Dimension, sums: &Sums, figures: &Figures) -> Vec<Row> {
    let mut found: BTreeMap<&str, Tally> =
        sums.by(by).filter_map(|(value, tally)| Some((value.strip_prefix(report.prefix)?, *tally))).collect();
    for (value, cost) in figures.costs.iter().filter(|costs| costs.known).flat_map(|costs| &costs.by) {
        if *cost != 0 {
            found.entry(value).or_default();
        }
    }
    let mut ranked: Vec<(&str, Tally)> = found.into_iter().collect();
    ranked.sort_by_key(|(value, tally)| (*value == REST, std::cmp::Reverse(tally.weight()), *value));
    let rows = ranked.into_iter().map(|(value, tally)| Row {
        value: value.to_owned(),
        cells: figures.told(report, &tally, Some(value)),
    });
    rows.collect()
}

impl Column {
    fn name(self) -> String {
        match self {
            Count(counter) | Amount(counter) => counter.to_string(),
            Owed => "owed".to_owned(),
            Part(name, _, _) | Within(_, name, _) => name.to_owned(),
            Cost => "cost".to_owned(),
            ReturnOnSpend => "return_on_spend".to_owned(),
            Measured(speed) => format!("{speed}_measured"),
            Median(speed) => format!("{speed}_median_s"),
            Size => "size".to_owned(),
        }
    }
}

impl Figures {
    /// The cells of a value, or of the whole.
    fn told(&self, report: &Report, tally: &Tally, value: Option<&str>) -> Map<String, Value> {
        let cell = |column: &Column| (column.name(), self.cell(*column, tally, value));
        report.columns.iter().map(cell).collect()
    }

    fn cell(&self, column: Column, tally: &Tally, value: Option<&str>) -> Value {
        let owed = tally.get(Counter::Charged) - tally.get(Counter::Credited);
        match column {
            Count(counter) => json!(tally.get(counter)),
            Amount(counter) => json!(amount(tally.get(counter))),
            Owed => json!(amount(owed)),
            Part(_, part, whole) => share(tally.get(part), tally.get(whole)),
            Cost => self.cost(value).map_or(Value::Null, |cost| json!(amount(cost))),
            ReturnOnSpend => self.cost(value).map_or(Value::Null, |cost| share(owed, cost)),
            Measured(speed) => json!(tally.speed(speed).total()),
            Median(speed) => json!(tally.speed(speed).median_s()),
            Within(speed, _, seconds) => {
                let times = tally.speed(speed);
                share(times.within(seconds), times.total())
            }
            Size => value.map_or_else(|| json!(self.size), |_| Value::Null),
        }
    }

    fn cost(&self, value: Option<&str>) -> Option<i64> {
        let costs = self.costs.as_ref()?;
        match value {
            None => Some(costs.whole),
            Some(REST) => None,
            Some(value) => costs.known.then(|| costs.by.get(value).copied().unwrap_or(0)),
        }
    }
}

fn amount(minor: i64) -> String {
    Money::from_minor(minor).to_string()
}

/// To four digits; nothing of nothing.
fn share(part: i64, whole: i64) -> Value {
    if whole == 0 { Value::Null } else { json!((part as f64 / whole as f64 * 10_000.0).round() / 10_000.0) }
}

/// A row a value; what is not known is `(unknown)`, what is not among the top `(rest)`.
fn csv(report: &Report, by: Dimension, rows: &[Row]) -> Result<Vec<u8>, Problem> {
    let failed = |_| Problem::new(Code::Internal, "the report could not be written");
    let names: Vec<String> = report.columns.iter().map(|column| column.name()).collect();
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record([by.to_string()].iter().chain(&names)).map_err(failed)?;
    for row in rows {
        let value = match row.value.as_str() {
            REST => "(rest)".to_owned(),
            UNKNOWN if by == Dimension::All => "all".to_owned(),
            UNKNOWN => "(unknown)".to_owned(),
            value => harmless(value),
        };
        let cells = names.iter().map(|name| match row.cells.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(number) => number.to_string(),
        });
        table.write_record([value].into_iter().chain(cells)).map_err(failed)?;
    }
    table.into_inner().map_err(|_| Problem::new(Code::Internal, "the report could not be written"))
}

/// A campaign is whatever a URL said: what a spreadsheet would take for a formula begins with an apostrophe.
fn harmless(value: &str) -> String {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{value}") } else { value.to_owned() }
}
