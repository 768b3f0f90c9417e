//! `contracts.csv`: on what terms dealers receive leads.

use std::collections::HashSet;

use crate::contract::{
    Cap, Caps, Contract, Deadline, DeadlineClock, Need, Needs, ReturnApproval, ReturnTerms, Sale, Selection,
    Territory, WhenUnavailable,
};
use crate::error::Invalid;
use crate::ids::{AreaId, ContractId, DealerId, OfferId, ReturnReason, SourceId};
use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::columns::CONTRACTS;
use crate::rulebook::index::{Id, Index, Read, Refused};
use crate::rulebook::problem::{Position, ProblemCode, Problems};
use crate::rulebook::table::{Row, Table};
use crate::rulebook::value;
use crate::scoring::Band;
use crate::time::Period;

/// What a contract may refer to.
pub(super) struct Known<'a> {
    pub(super) dealers: &'a Index<DealerId>,
    pub(super) offers: &'a Index<OfferId>,
    pub(super) sources: &'a Index<SourceId>,
    pub(super) areas: &'a Index<AreaId>,
    /// The company's.
    pub(super) deadline: Option<Deadline>,
}

pub(super) fn read(
    body: &Body<'_>,
    known: &Known<'_>,
    index: &mut Index<ContractId>,
    problems: &mut Problems,
) -> Vec<(Position, Contract)> {
    let Some(mut table) = Table::open(body, &CONTRACTS, problems) else {
        index.broke_off();
        return Vec::new();
    };
    let mut contracts = Vec::new();
    while let Some(row) = table.next_row(problems) {
        let offset = row.offset();
        let read = contract(&row, offset, body, known, index, problems);
        contracts.extend(read.map(|contract| (body.locate(offset), contract)));
        if !table.at_most(limits::CONTRACTS, index.len(), "contracts", problems) {
            break;
        }
    }
    if table.broke_off {
        index.broke_off();
    }
    contracts
}

fn contract(
    row: &Row<'_, '_>,
    offset: usize,
    body: &Body<'_>,
    known: &Known<'_>,
    index: &mut Index<ContractId>,
    problems: &mut Problems,
) -> Read<Contract> {
    let id = row.needed("contract", str::parse::<ContractId>, problems);
    let unique = id.as_ref().map_or(Ok(()), |id| index.insert(id, offset, body, problems));
    let dealer = row.reference("dealer", known.dealers, problems);
    let offers = selection(row, "offers", known.offers, problems);
    let sources = selection(row, "sources", known.sources, problems);
    let area = row.reference("area", known.areas, problems);
    let territory = row.word_or("territory", Territory::Open, problems);
    let sale = row.word_or("sale", Sale::EXCLUSIVE, problems);
    let when_unavailable = row.word_or("when_unavailable", WhenUnavailable::Next, problems);
    let min_band = row.word_or("min_band", Band::LEAST, problems);
    let needs = row.optional("needs", needs, problems);
    let max_age_hours = row.whole("max_age_hours", 1..=limits::AGE_HOURS, problems);
    let tier = row.whole("tier", 1..=u32::from(limits::TIER), problems);
    let weight = row.whole("weight", 1..=limits::WEIGHT, problems);
    let price = row.needed("price", value::price, problems);
    let caps = caps(row, problems);
    let budget_month = row.optional("budget_month", value::budget, problems);
    let deadline = deadline(row, known.deadline, problems);
    let returns = returns(row, problems);
    let after_hours = row.optional("after_hours", str::parse, problems);
    let again = row.optional("again", value::yes, problems);
    let dates = dates(row, problems);
    unique?;
    let (starts, ends) = dates?;
    Ok(Contract {
        id: id?,
        dealer: dealer?,
        offers: offers?,
        sources: sources?,
        area: area?,
        territory: territory?,
        sale: sale?,
        when_unavailable: when_unavailable?,
        min_band: min_band?,
        needs: needs?.unwrap_or_default(),
        max_age_hours: max_age_hours?,
        tier: tier?.map_or(1, |tier| tier as u8),
        weight: weight?.unwrap_or(1),
        price: price?,
        caps: caps?,
        budget_month: budget_month?,
        deadline: deadline?,
        returns: returns?,
        after_hours: after_hours?,
        again: again?.unwrap_or(true),
        starts,
        ends,
    })
}

/// `*`, or ids separated by spaces.
fn selection<I: Id>(
    row: &Row<'_, '_>,
    column: &'static str,
    index: &Index<I>,
    problems: &mut Problems,
) -> Read<Selection<I>> {
    row.fill(column, problems)?;
    let text = row.text(column);
    if text == "*" {
        return Ok(Selection::All);
    }
    let mut seen = HashSet::new();
    let names = text.split_whitespace().filter(|name| seen.insert(*name));
    let found: Vec<Read<I>> = names
        .map(|name| {
            if name == "*" {
                let message = format!("{column}: '*' means all, and stands alone");
                return row.refuse(column, ProblemCode::Contradiction, message, problems);
            }
            row.find(column, name, index, problems)
        })
        .collect();
    found.into_iter().collect::<Read<Vec<I>>>().map(Selection::These)
}

fn needs(text: &str) -> Result<Needs, Invalid> {
    if text == "*" {
        return Ok(Need::ALL.iter().fold(Needs::NONE, |needs, &need| needs.with(need)));
    }
    text.split_whitespace().try_fold(Needs::NONE, |needs, word| Ok(needs.with(word.parse()?)))
}

fn caps(row: &Row<'_, '_>, problems: &mut Problems) -> Read<Caps> {
    let columns = [
        (Period::Hour, "cap_hour"),
        (Period::Day, "cap_day"),
        (Period::Week, "cap_week"),
        (Period::Month, "cap_month"),
        (Period::Total, "cap_total"),
    ];
    let mut caps = Vec::new();
    let mut whole = Ok(());
    for (period, column) in columns {
        match row.whole(column, 1..=limits::CAP, problems) {
            Ok(most) => caps.extend(most.map(|most| Cap { period, most })),
            Err(Refused) => whole = Err(Refused),
        }
    }
    whole.map(|()| Caps(caps))
}

/// The company's default where the row says nothing; none where it says 0 minutes.
fn deadline(row: &Row<'_, '_>, default: Option<Deadline>, problems: &mut Problems) -> Read<Option<Deadline>> {
    let minutes = row.whole("deadline_minutes", 0..=limits::DEADLINE_MINUTES, problems);
    let clock = row.optional("deadline_clock", str::parse::<DeadlineClock>, problems);
    let (minutes, clock) = (minutes?, clock?);
    let minutes = minutes.or(default.map(|default| default.minutes)).unwrap_or(0);
    if minutes == 0 {
        if clock.is_some() {
            let message = "deadline_clock needs deadline_minutes: there is no deadline";
            return row.refuse("deadline_clock", ProblemCode::Contradiction, message, problems);
        }
        return Ok(None);
    }
    let clock = clock.or(default.map(|default| default.clock)).unwrap_or(DeadlineClock::Open);
    Ok(Some(Deadline { minutes, clock }))
}

fn returns(row: &Row<'_, '_>, problems: &mut Problems) -> Read<Option<ReturnTerms>> {
    let days = row.whole("return_days", 1..=limits::RETURN_DAYS, problems);
    let quota_percent = row.optional("return_quota", value::percent, problems);
    let reasons = row.optional("return_reasons", return_reasons, problems);
    let approval = row.optional("return_approval", str::parse::<ReturnApproval>, problems);
    let (days, quota_percent, reasons, approval) = (days?, quota_percent?, reasons?, approval?);
    let Some(days) = days else {
        for (column, given) in [
            ("return_quota", quota_percent.is_some()),
            ("return_reasons", reasons.is_some()),
            ("return_approval", approval.is_some()),
        ] {
            if given {
                let message = format!("{column} needs return_days: nothing may be returned");
                return row.refuse(column, ProblemCode::Contradiction, message, problems);
            }
        }
        return Ok(None);
    };
    let Some(reasons) = reasons else {
        let message = "return_days needs return_reasons: for which reasons may a lead be returned?";
        return row.refuse("return_days", ProblemCode::Contradiction, message, problems);
    };
    let approval = approval.unwrap_or(ReturnApproval::Desk);
    Ok(Some(ReturnTerms { days, quota_percent, reasons, approval }))
}

fn return_reasons(text: &str) -> Result<Vec<ReturnReason>, Invalid> {
    let mut reasons: Vec<ReturnReason> = Vec::new();
    for word in text.split_whitespace() {
        let reason = word.parse().map_err(|_| {
            Invalid::new("return_reasons are ids separated by spaces: wrong-number not-interested")
        })?;
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
        if reasons.len() > limits::RETURN_REASONS {
            return Err(Invalid::new(format!("return_reasons are at most {}", limits::RETURN_REASONS)));
        }
    }
    Ok(reasons)
}

type Dates = (Option<jiff::civil::Date>, Option<jiff::civil::Date>);

fn dates(row: &Row<'_, '_>, problems: &mut Problems) -> Read<Dates> {
    let (starts, ends) = (row.date("starts", problems), row.date("ends", problems));
    match (starts?, ends?) {
        (Some(starts), Some(ends)) if starts > ends => {
            let message = "ends lies before starts";
            row.refuse("ends", ProblemCode::Contradiction, message, problems)
        }
        dates => Ok(dates),
    }
}
