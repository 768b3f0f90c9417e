//! A dealer's month, line by line; and why it got nothing on a day.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::ToSpan as _;
use leadyard_domain::distribution::Rule;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, DealerId};
use leadyard_domain::ledger::{self, LineKind};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::who::{self, READS};
use serde::Deserialize;

use super::shown::{self, instant};
use super::signed::{For, Signed};
use super::{Frame, download, rendered, troubled};
use crate::quiet;
use crate::statement::{self as account, OfMonth, amount};

/// Lines that a page shows; the tables have all.
const LINES: usize = 200;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    month: Option<String>,
    after: Option<String>,
    date: Option<String>,
    before: Option<String>,
}

/// Somebody's dealer.
fn whose(signed: &Signed, company: &str, dealer: &str) -> Result<(CompanyId, DealerId), Problem> {
    let company = who::company(&signed.desk, Some(company))?;
    let missing = |_| Problem::new(Code::NotFound, "there is no such dealer");
    Ok((company, DealerId::new(dealer).map_err(missing)?))
}

#[derive(askama::Template)]
#[template(path = "statement.html")]
struct Statement {
    frame: Frame,
    at: String,
    dealer: String,
    /// Who bills.
    company: String,
    month: String,
    sums: Vec<(&'static str, String)>,
    tables: Vec<Table>,
    lines: Lines,
}

/// A table of a month's lines, which has all where they are not too many.
pub(super) struct Table {
    pub(super) says: String,
    /// Behind which line it begins.
    pub(super) after: String,
}

/// The lines of a month, as many as a page shows.
pub(super) struct Lines {
    pub(super) shown: Vec<Line>,
    pub(super) all: usize,
}

pub(super) struct Line {
    pub(super) at: String,
    pub(super) kind: String,
    pub(super) amount: String,
    /// Where its lead stands.
    pub(super) lead: String,
    pub(super) contract: String,
    pub(super) reason: String,
}

/// `GET /console/dealers/{company}/{dealer}/statement?month`.
pub(super) async fn statement(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path((company, dealer)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    let read = async {
        let (company, dealer) = whose(&signed, &company, &dealer)?;
        let month = asked.month.as_deref().filter(|month| !month.is_empty());
        let month = account::of_month(&cloud, &company, &dealer, month).await?;
        shown_month(&signed, &company, &dealer, &month)
    };
    match read.await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

fn shown_month(
    signed: &Signed,
    company: &CompanyId,
    dealer: &DealerId,
    month: &OfMonth,
) -> Result<Statement, Problem> {
    Ok(Statement {
        frame: Frame::of(format!("{dealer}: {}", month.month), "dealers", signed),
        at: format!("/console/dealers/{company}/{dealer}"),
        dealer: dealer.to_string(),
        company: month.core.company.name.clone(),
        month: month.month.to_string(),
        sums: sums_of(month),
        tables: tables_of(month)?,
        lines: lines_of(month, |line| line.lead.map(|lead| format!("/console/leads/{lead}"))),
    })
}

/// The tables in which a month's lines stand: one, where they are not too many.
pub(super) fn tables_of(month: &OfMonth) -> Result<Vec<Table>, Problem> {
    let all = month.lines.len();
    if all <= limits::STATEMENT_LINES {
        return Ok(vec![Table { says: "All lines as CSV".to_owned(), after: String::new() }]);
    }
    let (mut tables, mut after) = (Vec::new(), None);
    loop {
        let page = month.page(after.as_deref())?;
        let says = format!("Lines {} to {} as CSV", page.before + 1, page.before + page.lines.len());
        tables.push(Table { says, after: after.unwrap_or_default() });
        after = page.next;
        if after.is_none() {
            return Ok(tables);
        }
    }
}

/// What a month sums to.
pub(super) fn sums_of(month: &OfMonth) -> Vec<(&'static str, String)> {
    let sums = &month.sums;
    let money = |minor| shown::money(&month.core, amount(minor));
    let of = |minor, count| match count {
        1 => format!("{} (1 lead)", money(minor)),
        count => format!("{} ({count} leads)", money(minor)),
    };
    vec![
        ("Charged", of(sums.charges, sums.charged)),
        ("Credited", of(sums.credits, sums.credited)),
        ("Owed", money(sums.owed())),
        ("Paid in advance", money(sums.deposits)),
        ("Left of it now", money(month.balance)),
    ]
}

/// The lines of a month, each with where its lead stands for whoever looks.
pub(super) fn lines_of(month: &OfMonth, lead: impl Fn(&ledger::Line) -> Option<String>) -> Lines {
    let shown = month.lines.iter().take(LINES).map(|line| {
        let minus = match line.kind {
            LineKind::Charge | LineKind::Deposit => "",
            LineKind::Credit | LineKind::Reversal => "−",
        };
        Line {
            at: instant(&month.core, line.at),
            kind: line.kind.to_string(),
            amount: format!("{minus}{}", shown::money(&month.core, line.amount)),
            lead: lead(line).unwrap_or_default(),
            contract: line.contract.as_ref().map(ToString::to_string).unwrap_or_default(),
            reason: line.reason.clone().map(|reason| shown::word(&reason)).unwrap_or_default(),
        }
    });
    Lines { shown: shown.collect(), all: month.lines.len() }
}

/// `GET /console/dealers/{company}/{dealer}/statement.csv?month&after`.
pub(super) async fn statement_csv(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path((company, dealer)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    let read = async {
        let (company, dealer) = whose(&signed, &company, &dealer)?;
        let month = account::of_month(&cloud, &company, &dealer, asked.month.as_deref()).await?;
        table_of(&month, &format!("{company}-{dealer}"), asked.after.as_deref())
    };
    read.await.unwrap_or_else(|problem| troubled(&signed, &problem))
}

/// A table of the month of somebody, as a file: the first, or the one that begins behind a line.
pub(super) fn table_of(month: &OfMonth, of: &str, after: Option<&str>) -> Result<Response, Problem> {
    let page = month.page(after.filter(|after| !after.is_empty()))?;
    let part = page.before / limits::STATEMENT_LINES + 1;
    let part = if part > 1 { format!("-{part}") } else { String::new() };
    let name = format!("statement-{of}-{}{part}.csv", month.month);
    Ok(download(account::table(page.lines)?, &name))
}

#[derive(askama::Template)]
#[template(path = "why.html")]
struct Why {
    frame: Frame,
    at: String,
    dealer: String,
    date: String,
    before: String,
    after: String,
    examined: usize,
    complete: bool,
    /// These are decisions before others that were looked at, of the same day.
    goes_on: bool,
    /// Before which those are that were not looked at.
    earlier: Option<String>,
    contracts: Vec<OfContract>,
}

struct OfContract {
    contract: String,
    words: Vec<(&'static str, &'static str, u32)>,
}

/// What a word of a day's decisions means, for people.
fn says(word: &str) -> &'static str {
    match word {
        "chosen" => "it was given the lead",
        "placed" => "the desk gave it the lead",
        "recommended" => "it would have had the lead, had the desk not kept it or given it to another",
        "ranked lower" => "another was before it",
        rule => rule.parse().map_or("", says_rule),
    }
}

/// What it means that a contract failed a rule.
const fn says_rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Inactive => "it was paused, not begun or over",
        Rule::Offer => "it does not take the offer",
        Rule::Source => "it does not take the source",
        Rule::Age => "the lead was too old for it",
        Rule::Area => "the lead was outside its area",
        Rule::Band => "the lead was not good enough for it",
        Rule::Needs => "something was missing that it needs",
        Rule::Excluded => "it had had the lead before",
        Rule::Territory => "another’s territory kept the lead",
        Rule::Hours => "it was shut",
        Rule::Cap => "it was full, or nothing was left of what was paid in advance",
    }
}

/// `GET /console/dealers/{company}/{dealer}/why?date&before`.
pub(super) async fn why(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path((company, dealer)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    let read = async {
        let (company, dealer) = whose(&signed, &company, &dealer)?;
        let at = format!("/console/dealers/{company}/{dealer}");
        let date = asked.date.as_deref().filter(|date| !date.is_empty());
        let before = asked.before.as_deref().filter(|before| !before.is_empty());
        let day = quiet::of_day(&cloud, company, dealer.clone(), date, before).await?;
        let contracts = day.contracts.iter().map(|(contract, words)| OfContract {
            contract: contract.clone(),
            words: most_often(words).into_iter().map(|(word, count)| (word, says(word), count)).collect(),
        });
        let other = |days: i64| day.date.checked_add(days.days()).map(|date| date.to_string());
        Ok::<_, Problem>(Why {
            frame: Frame::of(format!("{dealer} on {}", day.date), "dealers", &signed),
            at,
            dealer: dealer.to_string(),
            date: day.date.to_string(),
            before: other(-1).unwrap_or_default(),
            after: other(1).unwrap_or_default(),
            examined: day.examined,
            complete: day.complete,
            goes_on: before.is_some(),
            contracts: contracts.collect(),
            earlier: day.next,
        })
    };
    match read.await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

/// What a day's decisions said of a contract, the most often first.
fn most_often(words: &BTreeMap<&'static str, u32>) -> Vec<(&'static str, u32)> {
    let mut words: Vec<_> = words.iter().map(|(word, count)| (*word, *count)).collect();
    words.sort_by_key(|(word, count)| (std::cmp::Reverse(*count), *word));
    words
}
