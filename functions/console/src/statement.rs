//! What a dealer owes for a month, line by line; and what it paid in advance.
//!
//! A month's sums are of all its lines, and so all are read, whatever is told of them. They are told a page
//! at a time: an answer of a Lambda function has 6 MB, which some 26,000 lines of JSON fill.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CategoryId, CompanyId, DealerId};
use leadyard_domain::ledger::{Line, LineKind, Month, Sums};
use leadyard_domain::limits;
use leadyard_domain::money::Money;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::history;
use leadyard_platform::http::{Path, Problem, Query, body};
use leadyard_platform::now;
use leadyard_platform::store::{Freed, Store};
use leadyard_platform::who::{DeskOf, MANAGES, OfDealer, READS};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::acts::{note, record};
use crate::history::{read_place, written_place};
use crate::inbox::crowded;
use crate::who;

#[derive(Deserialize)]
pub(crate) struct StatementQuery {
    month: Option<String>,
    after: Option<String>,
}

/// `GET /v1/dealers/{dealer}/statement?company&month=2026-06&after=`: JSON, or CSV where that is accepted,
/// which says in `Link` where the next lines are. A dealer's token sees its own.
pub(crate) async fn statement(
    State(cloud): State<Cloud>,
    OfDealer { company, dealer, .. }: OfDealer<READS>,
    Query(query): Query<StatementQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let month = of_month(&cloud, &company, &dealer, query.month.as_deref()).await?;
    let page = month.page(query.after.as_deref())?;
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/csv") {
        let mut answer = table(page.lines)?;
        // Nothing of it but ids, a month and a place in base64.
        let next = page.next.map(|next| {
            let path = format!("/v1/dealers/{dealer}/statement?company={company}&month={}", month.month);
            HeaderValue::try_from(format!("<{path}&after={next}>; rel=\"next\""))
        });
        if let Some(Ok(next)) = next {
            answer.headers_mut().insert(header::LINK, next);
        }
        return Ok(answer);
    }
    let sums = &month.sums;
    let (from, to) = month.bounds;
    Ok(Json(json!({
        "company": company, "dealer": dealer, "billed_by": month.core.company.name, "month": month.month.to_string(), "from": from, "to": to,
        "currency": month.core.company.currency,
        "charged": sums.charged, "credited": sums.credited,
        "charges": amount(sums.charges), "credits": amount(sums.credits),
        "owed": amount(sums.owed()), "deposits": amount(sums.deposits), "balance": amount(month.balance),
        "lines": page.lines.iter().map(tell).collect::<Vec<_>>(), "next": page.next,
    }))
    .into_response())
}

/// A dealer's month.
pub(crate) struct OfMonth {
    pub(crate) core: Arc<Core>,
    pub(crate) month: Month,
    bounds: (Timestamp, Timestamp),
    pub(crate) lines: Vec<Line>,
    pub(crate) sums: Sums,
    /// What is left of what was paid in advance, in minor units, whatever the month.
    pub(crate) balance: i64,
}

/// Some of a month's lines.
pub(crate) struct Page<'m> {
    pub(crate) lines: &'m [Line],
    /// How many stand before them.
    pub(crate) before: usize,
    /// Behind which the next stand, if there are more.
    pub(crate) next: Option<String>,
}

impl OfMonth {
    /// A page of its lines: the first, or the one behind where another ended.
    pub(crate) fn page(&self, after: Option<&str>) -> Result<Page<'_>, Problem> {
        let after: Option<String> = after.map(|text| read_place("after", text)).transpose()?;
        let was_told = |line: &Line| after.as_ref().is_some_and(|after| Store::line_place(line) <= *after);
        let before = self.lines.partition_point(was_told);
        let rest = self.lines.get(before..).unwrap_or_default();
        let lines = rest.get(..limits::STATEMENT_LINES).unwrap_or(rest);
        let last = lines.last().filter(|_| lines.len() < rest.len());
        let next = last.map(|line| written_place(&Store::line_place(line)));
        Ok(Page { lines, before, next })
    }
}

/// What a dealer owes for a month of the company's zone; this one, if none is named.
pub(crate) async fn of_month(
    cloud: &Cloud,
    company: &CompanyId,
    dealer: &DealerId,
    month: Option<&str>,
) -> Result<OfMonth, Problem> {
    let core = who::rules_of(cloud, company).await?;
    let zone = who::zone_of(&core)?;
    let month = match month {
        None => Month::of(cloud.clock.now(), &zone),
        Some(text) => text.parse().map_err(|rule: leadyard_domain::error::Invalid| {
            Problem::new(Code::InvalidField, rule.to_string())
        })?,
    };
    let bounds = month.bounds(&zone);
    let lines = cloud.store.ledger_lines(company, dealer, bounds.0, bounds.1).await?;
    let sums = Sums::of(&lines);
    let usage = cloud.store.caps_get(company, &[], std::slice::from_ref(dealer)).await?;
    let balance = usage.dealers.get(dealer).map_or(0, |usage| usage.balance);
    Ok(OfMonth { core, month, bounds, lines, sums, balance })
}

/// Lines as a table.
pub(crate) fn table(lines: &[Line]) -> Result<Response, Problem> {
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], csv(lines)?).into_response())
}

pub(crate) fn amount(minor: i64) -> String {
    Money::from_minor(minor).to_string()
}

fn tell(line: &Line) -> Value {
    json!({
        "at": line.at, "kind": line.kind, "amount": line.amount.to_string(), "lead": line.lead,
        "assignment": line.assignment, "contract": line.contract, "reason": line.reason,
    })
}

/// One row a line; what is credited is negative, so that the column `amount` sums to what is owed. What was
/// paid in advance stands in a column of its own.
fn csv(lines: &[Line]) -> Result<Vec<u8>, Problem> {
    let failed = |_| Problem::new(Code::Internal, "the statement could not be written");
    let mut table = csv::Writer::from_writer(Vec::new());
    let header = ["at", "kind", "amount", "deposit", "lead", "assignment", "contract", "reason"];
    table.write_record(header).map_err(failed)?;
    for line in lines {
        let (amount, deposit) = match line.kind {
            LineKind::Charge => (line.amount.to_string(), String::new()),
            LineKind::Credit => (Money::from_minor(-line.amount.minor()).to_string(), String::new()),
            LineKind::Deposit => (String::new(), line.amount.to_string()),
            LineKind::Reversal => (String::new(), Money::from_minor(-line.amount.minor()).to_string()),
        };
        let id = |id: Option<String>| id.unwrap_or_default();
        let row = [
            line.at.to_string(),
            line.kind.to_string(),
            amount,
            deposit,
            id(line.lead.map(|lead| lead.to_string())),
            id(line.assignment.map(|assignment| assignment.to_string())),
            id(line.contract.as_ref().map(ToString::to_string)),
            id(line.reason.clone()),
        ];
        table.write_record(row).map_err(failed)?;
    }
    table.into_inner().map_err(|_| Problem::new(Code::Internal, "the statement could not be written"))
}

#[derive(Deserialize)]
struct Deposit {
    amount: String,
    reference: String,
}

/// `POST /v1/dealers/{dealer}/deposits?company`: `{"amount": "500.00", "reference": "wire-2231"}`. Booked once
/// for each reference.
pub(crate) async fn deposit(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    Path(dealer): Path<String>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let dealer = DealerId::new(&dealer).map_err(|rule| Problem::new(Code::InvalidField, rule.to_string()))?;
    let sent: Deposit = serde_json::from_slice(&body(request, limits::BODY_BYTES).await?).map_err(|_| {
        Problem::new(Code::MalformedBody, r#"the body is {"amount": "500.00", "reference": "wire-2231"}"#)
    })?;
    let amount: Money = sent.amount.parse().map_err(|rule: leadyard_domain::error::Invalid| {
        Problem::new(Code::InvalidField, rule.to_string())
    })?;
    if !is_reference(&sent.reference) || amount == Money::ZERO {
        let detail =
            "a deposit has an amount above 0, and a reference of 1 to 64 letters, digits, '-', '_' or '.'";
        return Err(Problem::new(Code::InvalidField, detail));
    }
    let freed = freed(&cloud, &company, &dealer, amount).await?;
    if freed.is_none() {
        let detail = format!("no contract in force is of a dealer {dealer}");
        return Err(Problem::new(Code::NotFound, detail));
    }
    let before = json!({ "dealer": dealer });
    let after = json!({ "dealer": dealer, "amount": amount.to_string(), "reference": sent.reference });
    let act = record(&cloud, &desk, history::DEPOSIT, None, &before, &after);
    let booked =
        cloud.store.deposit_book(&company, &dealer, amount, &sent.reference, freed.as_ref(), &act).await?;
    if booked {
        now::outdate(&cloud, &company).await;
        tracing::info!(company.id = %company, dealer.id = %dealer, staff = %desk.staff, "a deposit was booked");
        if let Some(freed) = &freed {
            cloud.hand_wake(&company, &freed.category).await;
        }
    }
    Ok(Json(
        json!({ "dealer": dealer, "amount": amount.to_string(), "reference": sent.reference, "booked": booked }),
    ))
}

#[derive(Deserialize)]
struct Reversal {
    /// All of it, if none is named.
    amount: Option<String>,
    reason: Option<String>,
}

/// `POST /v1/dealers/{dealer}/deposits/{reference}/reverse?company`: `{"amount": "500.00", "reason": "the wire was
/// recalled"}`. A deposit is taken back once, whole or in part, never more of it than was booked. The balance may
/// fall below nothing.
pub(crate) async fn reverse(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    Path((dealer, reference)): Path<(String, String)>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let missing = || Problem::new(Code::NotFound, "there is no deposit with this reference");
    let dealer = DealerId::new(&dealer).map_err(|_| missing())?;
    if !is_reference(&reference) {
        return Err(missing());
    }
    let sent: Reversal = serde_json::from_slice(&body(request, limits::BODY_BYTES).await?).map_err(|_| {
        Problem::new(Code::MalformedBody, r#"the body is {"amount": "500.00", "reason": "…"}"#)
    })?;
    let named: Option<Money> = sent.amount.map(|amount| amount.parse()).transpose().map_err(
        |rule: leadyard_domain::error::Invalid| Problem::new(Code::InvalidField, format!("amount: {rule}")),
    )?;
    let reason = note("reason", sent.reason)?
        .ok_or_else(|| Problem::new(Code::InvalidField, "reason: say why the deposit is taken back"))?;
    // Twice: who finds it taken back meanwhile looks again.
    for _ in 0..2 {
        let deposit = cloud.store.deposit_get(&company, &dealer, &reference, cloud.clock.now()).await?;
        let deposit = deposit.ok_or_else(missing)?;
        let amount = named.unwrap_or(deposit.amount);
        let told = |reversed: bool| {
            json!({
                "dealer": dealer, "reference": reference, "deposited": deposit.amount.to_string(),
                "amount": amount.to_string(), "reversed": reversed,
            })
        };
        match deposit.reversed {
            Some(before) if before == amount => return Ok(Json(told(false))), // a second click
            Some(before) => {
                let detail = format!("{before} of this deposit is taken back already");
                return Err(Problem::new(Code::StateConflict, detail).with("reversed", before.to_string()));
            }
            None => {}
        }
        if amount == Money::ZERO || amount > deposit.amount {
            let detail =
                format!("amount: it is above 0, and at most the {} that were booked", deposit.amount);
            return Err(Problem::new(Code::InvalidField, detail));
        }
        let before =
            json!({ "dealer": dealer, "amount": deposit.amount.to_string(), "reference": reference });
        let after = json!({ "dealer": dealer, "amount": amount.to_string(), "reference": reference });
        let act = record(&cloud, &desk, history::REVERSAL, Some(reason.clone()), &before, &after);
        if cloud.store.deposit_reverse(&company, &dealer, amount, &reference, &act).await? {
            now::outdate(&cloud, &company).await;
            tracing::info!(
                company.id = %company, dealer.id = %dealer, staff = %desk.staff, "a deposit was taken back"
            );
            return Ok(Json(told(true)));
        }
    }
    Err(crowded())
}

fn is_reference(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=limits::REFERENCE_BYTES).contains(&text.len()) && text.bytes().all(plain)
}

/// How many leads the amount pays at most; `None` if no contract is this dealer's. Looks at every chunk of the
/// rulebook: deposits are rare.
async fn freed(
    cloud: &Cloud,
    company: &CompanyId,
    dealer: &DealerId,
    amount: Money,
) -> Result<Option<Freed>, Problem> {
    let Some(core) = cloud.rulebooks.current(&cloud.store, company).await? else { return Ok(None) };
    let mut cheapest: Option<(Money, &CategoryId)> = None;
    for category in core.categories() {
        for key in core.chunks_of(category) {
            if let Some(chunk) = cloud.rulebooks.chunk(&cloud.store, &core, key).await? {
                let found = chunk.cheapest_of(dealer).map(|price| (price, category));
                cheapest = cheapest.into_iter().chain(found).min();
            }
        }
    }
    Ok(cheapest.map(|(price, category)| {
        let slots = (amount.minor() / price.minor().max(1)).max(1) as u64;
        Freed { category: category.clone(), slots }
    }))
}
