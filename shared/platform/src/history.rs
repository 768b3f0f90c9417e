//! History, as a backtest takes it: what was decided, on what, and what came of it.

use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::backtest::history::{Assigned, Decided, Deposited, Event, Switched};
use leadyard_domain::distribution::Switches;
use leadyard_domain::ids::{CompanyId, DealerId};
use leadyard_domain::limits;
use leadyard_domain::money::Money;
use serde::Deserialize;

use crate::cloud::Cloud;
use crate::judging;
use crate::store::{Act, DecisionRecord, PageEnd, StoreError};

/// A page of history, in no order, and where the next begins. What the desk did to the company stands on
/// the first.
///
/// # Errors
/// When the table cannot be read, or a record is damaged.
pub async fn page(
    cloud: &Cloud,
    company: &CompanyId,
    (from, to): (Timestamp, Timestamp),
    after: Option<PageEnd>,
) -> Result<(Vec<Event>, Option<PageEnd>), StoreError> {
    let mut events = match &after {
        None => of_company(cloud, company, from, to).await?,
        Some(_) => Vec::new(),
    };
    let (records, next) =
        cloud.store.decisions_page(company, (from, to), after, limits::HISTORY_PAGE).await?;
    for record in &records {
        let mut decided = decided(cloud, company, record).await?;
        if record.waiting.is_none() || record.placed.is_some() {
            let seats = cloud.store.assignments_of(record.facts.lead, record.facts.cycle).await?;
            decided.given = seats.iter().filter(|seat| is_of(seat, record)).map(assigned).collect();
        }
        events.push(Event::Decided(Box::new(decided)));
    }
    Ok((events, next))
}

async fn decided(cloud: &Cloud, company: &CompanyId, record: &DecisionRecord) -> Result<Decided, StoreError> {
    let read = judging::what_was_read(cloud, company, record).await?;
    let (switches, read) = read.unzip();
    Ok(Decided {
        at: record.at,
        facts: record.facts.clone(),
        seed: record.seed,
        contracts: record.contracts.clone(),
        waiting: record.waiting,
        beside_desk: record.placed.is_some(),
        switches,
        read,
        given: Vec::new(),
    })
}

/// Whether a seat was given with a decision: in the same transaction, at the same instant.
fn is_of(seat: &Assignment, record: &DecisionRecord) -> bool {
    seat.offered_at == record.at
        && match &record.placed {
            Some(placed) => seat.by_desk && seat.contract == *placed,
            None => !seat.by_desk && record.contracts.contains(&seat.contract),
        }
}

fn assigned(seat: &Assignment) -> Assigned {
    Assigned {
        at: seat.offered_at,
        contract: seat.contract.clone(),
        dealer: seat.dealer.clone(),
        price: seat.price,
        prepaid: seat.prepaid,
        by_desk: seat.by_desk,
        state: seat.state,
        state_at: seat.state_at,
    }
}

/// Switches and deposits, from the log of changes.
async fn of_company(
    cloud: &Cloud,
    company: &CompanyId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let acts = cloud.store.changes_between(company, from, to).await?;
    let flips = flips(cloud, company, &acts, (from, to)).await?;
    let mut events: Vec<Event> = flips.into_iter().map(Event::Switched).collect();
    for act in acts.iter().filter(|act| [DEPOSIT, REVERSAL].contains(&act.act.as_str())) {
        let booked: Booked = read(&act.after)?;
        let amount: Money = booked.amount.parse().map_err(|rule| StoreError::damaged("change", rule))?;
        let amount = if act.act == DEPOSIT { amount } else { Money::from_minor(-amount.minor()) };
        events.push(Event::Deposited(Deposited { at: act.at, dealer: booked.dealer, amount }));
    }
    Ok(events)
}

/// How a company's switches stood from one instant to before another: at first, and after each flip, in their order.
///
/// # Errors
/// When the table cannot be read, or a record is damaged.
pub async fn switches_between(
    cloud: &Cloud,
    company: &CompanyId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Switched>, StoreError> {
    let acts = cloud.store.changes_between(company, from, to).await?;
    flips(cloud, company, &acts, (from, to)).await
}

async fn flips(
    cloud: &Cloud,
    company: &CompanyId,
    acts: &[Act],
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Switched>, StoreError> {
    let flips: Vec<&Act> = acts.iter().filter(|act| FLIPS.contains(&act.act.as_str())).collect();
    let at_first = match flips.first() {
        Some(first) => switches(&first.before)?,
        // Nobody flipped any since, at least until then: as they are, or as the next flip found them.
        None => {
            let later = cloud.store.changes_between(company, to, Timestamp::MAX).await?;
            match later.iter().find(|act| FLIPS.contains(&act.act.as_str())) {
                Some(next) => switches(&next.before)?,
                None => cloud.store.switches_get(company).await?.0,
            }
        }
    };
    let mut stood = vec![Switched { at: from, switches: at_first }];
    for act in flips {
        stood.push(Switched { at: act.at, switches: switches(&act.after)? });
    }
    Ok(stood)
}

/// The switches, as their acts are called.
const FLIPS: [&str; 3] = ["stop", "shadow", "pause"];

/// A deposit, as its act is called.
pub const DEPOSIT: &str = "deposit";
/// A deposit that is taken back, as its act is called.
pub const REVERSAL: &str = "deposit_reverse";

#[derive(Deserialize)]
struct Booked {
    dealer: DealerId,
    amount: String,
}

fn switches(json: &str) -> Result<Switches, StoreError> {
    read(json)
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::damaged("change", error))
}
