//! Opening counts: a contract that has had eighteen of its twenty this month gets two more.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use leadyard_domain::distribution::{Reservation, Usage};
use leadyard_domain::history::{Counted, OpeningCounts};
use leadyard_domain::ids::DealerId;
use leadyard_domain::money::Money;
use leadyard_domain::time::Period;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::now;
use leadyard_platform::store::{Opened, StoreError};
use leadyard_platform::who::{DeskOf, MANAGES};
use serde_json::{Value, json};

use super::directory::Directory;
use super::{Asked, Office, Request, Row, Status, let_in};

/// The reference under which an opening balance is booked, once.
const OPENING: &str = "opening";

/// `POST /v1/import/counts?company&dry_run`: `{"rows": [{"contract": …, "month": 18}, {"dealer": …, "balance":
/// "250.00"}]}`.
pub(super) async fn import(
    State(office): State<Office>,
    who: DeskOf<MANAGES>,
    Query(asked): Query<Asked>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let cloud = &office.cloud;
    let request = let_in(cloud, who, asked, body).await?;
    let directory = office.directories.of(cloud, &request.core).await?;
    let mut rows = Vec::with_capacity(request.rows.len());
    for row in &request.rows {
        let read = row.as_ref().map_err(|error| vec![error.clone()]).and_then(OpeningCounts::read);
        rows.push(match read {
            Ok(opening) => open(cloud, &request, &directory, &opening).await?,
            Err(errors) => Row::refused(errors),
        });
    }
    if !request.dry_run {
        now::outdate(cloud, &request.company).await;
    }
    Ok(request.answer("counts", &rows))
}

async fn open(
    cloud: &Cloud,
    request: &Request,
    directory: &Directory,
    opening: &OpeningCounts,
) -> Result<Row, StoreError> {
    let Some(zone) = directory.zone(&opening.of) else {
        return Ok(match &opening.of {
            Counted::Contract(_) => Row::refused_for("contract", "the rulebook has no such contract"),
            Counted::Dealer(_) => Row::refused_for("dealer", "no contract in force is of such a dealer"),
        });
    };
    let mut status = Status::Already;
    if let Some(used) = opening.used {
        let starts = Reservation::at(cloud.clock.now(), zone, request.core.company.week_starts);
        let counts = usage(used, starts, opening.spent_month);
        let opened = if request.dry_run {
            cloud.store.caps_stand(&request.company, &opening.of, &counts).await?
        } else {
            let (before, after) = tell(&opening.of, used, opening.spent_month);
            let act = request.act(cloud, "opening_counts", &before, &after);
            cloud.store.caps_open(&request.company, &opening.of, &counts, &act).await?
        };
        match opened {
            Opened::Done => status = Status::Imported,
            Opened::Already => {}
            Opened::Counted => {
                let field = match &opening.of {
                    Counted::Contract(_) => "contract",
                    Counted::Dealer(_) => "dealer",
                };
                let rule = "it has other counts already: opening counts come before its first lead";
                return Ok(Row::refused_for(field, rule));
            }
        }
    }
    if let (Counted::Dealer(dealer), Some(balance)) = (&opening.of, opening.balance) {
        match deposit(cloud, request, directory, dealer, balance).await? {
            Deposited::Booked => status = Status::Imported,
            Deposited::Already => {}
            Deposited::Another => {
                let rule = "another opening balance is booked already";
                return Ok(Row::refused_for("balance", rule));
            }
        }
    }
    Ok(Row::of(status))
}

enum Deposited {
    Booked,
    Already,
    Another,
}

async fn deposit(
    cloud: &Cloud,
    request: &Request,
    directory: &Directory,
    dealer: &DealerId,
    balance: Money,
) -> Result<Deposited, StoreError> {
    let company = &request.company;
    if let Some(booked) = cloud.store.deposit_booked(company, dealer, OPENING).await? {
        let same = booked.is_none_or(|booked| booked == balance);
        return Ok(if same { Deposited::Already } else { Deposited::Another });
    }
    if request.dry_run {
        return Ok(Deposited::Booked);
    }
    let freed = directory.freed(dealer, balance);
    let before = json!({ "dealer": dealer });
    let after = json!({ "dealer": dealer, "amount": balance.to_string(), "reference": OPENING });
    let act = request.act(cloud, "deposit", &before, &after);
    if !cloud.store.deposit_book(company, dealer, balance, OPENING, freed.as_ref(), &act).await? {
        return Ok(Deposited::Already); // by the same request, this moment
    }
    if let Some(freed) = &freed {
        cloud.hand_wake(company, &freed.category).await;
    }
    Ok(Deposited::Booked)
}

fn usage(used: [u32; 5], starts: Reservation, spent_month: Money) -> Usage {
    let mut counts = Usage { spent_month: spent_month.minor(), ..Usage::default() };
    for ((slot, period), used) in counts.used.iter_mut().zip(Period::ALL).zip(used) {
        *slot = Some((starts.start(*period), used));
    }
    counts
}

fn tell(of: &Counted, used: [u32; 5], spent_month: Money) -> (Value, Value) {
    let (kind, id) = match of {
        Counted::Contract(contract) => ("contract", contract.as_str()),
        Counted::Dealer(dealer) => ("dealer", dealer.as_str()),
    };
    let [hour, day, week, month, total] = used;
    let after = json!({
        kind: id, "hour": hour, "day": day, "week": week, "month": month, "total": total,
        "spent_month": spent_month.to_string(),
    });
    (json!({ kind: id }), after)
}
