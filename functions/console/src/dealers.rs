//! The dealers: who can be given leads now and who cannot, what of their caps is used, and how they fared in thirty days.
//!
//! | module | holds |
//! |---|---|
//! | [`standing`] | what keeps leads from a dealer, and what is used of what limits it |
//! | [`fared`] | what it made of its leads |
//!
//! Determinations. *A list has [`LISTED`] dealers*, in the order of their ids, and reads what concerns them alone; fewer,
//! where their contracts have more than [`COUNTERS`] counters to be read, and one at least. *One dealer has [`CONTRACTS`]
//! contracts at a time*. *Of what was not looked at nothing is said* but how many contracts that are. *Who fails or is full
//! is asked of the first [`ASKED`](now::ASKED) channels or counters*, and the list says so where there are more. *Names are
//! for the desk; how a dealer's people are reached is in none of it*: that is a row of the rulebook.

pub(crate) mod standing;
pub(crate) mod fared;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use leadyard_domain::contract::Contract;
use leadyard_domain::dealer::Dealer;
use leadyard_domain::distribution::{Core, Switches};
use leadyard_domain::error::Code;
use leadyard_domain::ids::DealerId;
use leadyard_domain::rulebook::Rulebook;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::now;
use leadyard_platform::who::{DeskOf, OfDealer, READS};
use serde::Deserialize;
use serde_json::{Value, json};

use self::fared::OfAll;
use self::standing::{Known, paused, zone_of};
use crate::who;

/// Dealers of one list.
const LISTED: usize = 25;
/// Counters that a list reads, of its dealers and of their contracts: a read for each hundred.
const COUNTERS: usize = 300;
/// The same of a list for which all dealers were asked who fails or is full.
const COUNTERS_ASKED: usize = 100;
/// Contracts of one dealer that are told at once.
pub(crate) const CONTRACTS: usize = 50;

/// Which dealers a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    All,
    /// The dealer is paused, or a contract of its.
    Paused,
    /// A channel takes nothing, or did not when it was tried last.
    Failing,
    /// It has used up what limits it or a contract of its.
    Full,
}

impl Show {
    /// By its word; none of one that names nothing.
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "" => Some(Self::All),
            "paused" => Some(Self::Paused),
            "failing" => Some(Self::Failing),
            "full" => Some(Self::Full),
            _ => None,
        }
    }
}

/// Some dealers of a company.
pub(crate) struct Listed<'a> {
    pub(crate) dealers: Vec<&'a Dealer>,
    /// How many there are of those that were asked for.
    pub(crate) all: usize,
    /// There are more, behind the last.
    pub(crate) more: bool,
    /// Not all were asked whether they fail or are full.
    pub(crate) cut: bool,
    pub(crate) known: Known<'a>,
    /// Their contracts that have a cap or a budget.
    pub(crate) limited: HashMap<&'a DealerId, Vec<&'a Contract>>,
}

/// The rules as they are written.
pub(crate) async fn book_of(cloud: &Cloud, core: &Core) -> Result<Arc<Rulebook>, Problem> {
    let book = cloud.rulebooks.book(&cloud.store, core).await?;
    book.ok_or_else(|| Problem::new(Code::NotFound, "the text of the rules in force is not kept"))
}

pub(crate) fn missing() -> Problem {
    Problem::new(Code::NotFound, "there is no such dealer in the rules in force")
}

/// Those behind a dealer that are asked for, by what they are and by a part of their name.
pub(crate) async fn listed<'a>(
    cloud: &Cloud,
    (core, book, switches): (&'a Core, &'a Rulebook, &'a Switches),
    (show, name): (Show, Option<&str>),
    after: &str,
    now: Timestamp,
) -> Result<Listed<'a>, Problem> {
    let some = |(only, cut): (HashSet<DealerId>, bool)| (Some(only), cut);
    let (only, cut) = match show {
        Show::All => (None, false),
        Show::Paused => some((paused(book, switches, now), false)),
        Show::Failing => some(now::failing(cloud, core, book).await?),
        Show::Full => {
            let full = now::full(cloud, core, book, now).await?;
            some((full.dealers, full.cut))
        }
    };
    let chosen = chosen(book, only.as_ref(), name);
    let all = chosen.len();
    let limited = limited(book);
    let most = if matches!(show, Show::Failing | Show::Full) { COUNTERS_ASKED } else { COUNTERS };
    let most = most - LISTED;
    let (dealers, more) = behind(chosen, after, &limited, most);
    let contracts = dealers.iter().filter_map(|dealer| limited.get(&dealer.id)).flatten().copied();
    let contracts: Vec<&Contract> = contracts.take(most).collect();
    let known = Known::read(cloud, (core, book, switches), &dealers, &contracts, now).await?;
    Ok(Listed { dealers, all, more, cut, known, limited })
}

/// Those that are asked for, by their ids.
fn chosen<'a>(book: &'a Rulebook, only: Option<&HashSet<DealerId>>, name: Option<&str>) -> Vec<&'a Dealer> {
    let named = |dealer: &Dealer| {
        name.is_none_or(|name| dealer.name.to_lowercase().contains(name) || dealer.id.as_str().contains(name))
    };
    let mut dealers: Vec<&Dealer> = book
        .dealers
        .iter()
        .filter(|dealer| named(dealer) && only.is_none_or(|only| only.contains(&dealer.id)))
        .collect();
    dealers.sort_by(|a, b| a.id.cmp(&b.id));
    dealers
}

/// The contracts of each dealer that have a cap or a budget.
type Limited<'a> = HashMap<&'a DealerId, Vec<&'a Contract>>;

fn limited(book: &Rulebook) -> Limited<'_> {
    let mut limited: Limited<'_> = HashMap::new();
    for contract in book.contracts.iter().filter(|contract| now::is_limited(contract)) {
        limited.entry(&contract.dealer).or_default().push(contract);
    }
    limited
}

/// A list of them behind this id, which have at most so many limited contracts, or of one who has more; and whether
/// there are more.
fn behind<'a>(
    dealers: Vec<&'a Dealer>,
    after: &str,
    limited: &Limited<'_>,
    most: usize,
) -> (Vec<&'a Dealer>, bool) {
    let (mut list, mut contracts) = (Vec::new(), 0);
    for dealer in dealers.into_iter().filter(|dealer| dealer.id.as_str() > after) {
        contracts += limited.get(&dealer.id).map_or(0, Vec::len);
        if list.len() == LISTED || !list.is_empty() && contracts > most {
            return (list, true);
        }
        list.push(dealer);
    }
    (list, false)
}

/// Those of a dealer's contracts that are told: behind the one that is named, or the first; and how many stand before
/// them.
pub(crate) fn some_of<'o, 'b>(own: &'o [&'b Contract], after: &str) -> (&'o [&'b Contract], usize) {
    let behind = own.iter().position(|contract| contract.id.as_str() == after).map(|nth| nth + 1);
    let from = behind.filter(|from| *from < own.len()).unwrap_or(0);
    let to = own.len().min(from + CONTRACTS);
    (own.get(from..to).unwrap_or_default(), from)
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    show: Option<String>,
    after: Option<String>,
}

/// `GET /v1/dealers?company&show=full&after`: by their ids, `?after` a list's `next` for those behind it.
pub(crate) async fn list(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let show = Show::named(query.show.as_deref().unwrap_or_default())
        .ok_or_else(|| Problem::new(Code::InvalidField, "show is one of: paused failing full"))?;
    let core = who::rules_of(&cloud, &company).await?;
    let (book, now) = (book_of(&cloud, &core).await?, cloud.clock.now());
    let (switches, _) = cloud.store.switches_get(&company).await?;
    let after = query.after.as_deref().unwrap_or_default();
    let (listed, fared) = futures::try_join!(
        listed(&cloud, (&core, &book, &switches), (show, None), after, now),
        OfAll::read(&cloud, &core, now)
    )?;
    let told = listed.dealers.iter().map(|dealer| tell(dealer, &listed.known, &fared, now));
    Ok(Json(json!({
        "company": company, "currency": core.company.currency, "dealers": told.collect::<Vec<_>>(),
        "all": listed.all, "complete": !listed.cut,
        "next": listed.dealers.last().filter(|_| listed.more).map(|last| &last.id),
    })))
}

#[derive(Deserialize)]
pub(crate) struct OneQuery {
    contracts: Option<String>,
}

/// `GET /v1/dealers/{dealer}?company&contracts`: all its contracts, fifty at a time, `?contracts` the one behind which they
/// begin.
pub(crate) async fn one(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
    Path(dealer): Path<String>,
    Query(query): Query<OneQuery>,
) -> Result<Json<Value>, Problem> {
    let core = who::rules_of(&cloud, &company).await?;
    let (book, now) = (book_of(&cloud, &core).await?, cloud.clock.now());
    let dealer = book.dealers.iter().find(|known| known.id.as_str() == dealer).ok_or_else(missing)?;
    let (switches, _) = cloud.store.switches_get(&company).await?;
    let own: Vec<&Contract> = book.contracts.iter().filter(|contract| contract.dealer == dealer.id).collect();
    let (contracts, before) = some_of(&own, query.contracts.as_deref().unwrap_or_default());
    let only = [dealer];
    let (known, fared) = futures::try_join!(
        Known::read(&cloud, (&core, &book, &switches), &only, contracts, now),
        OfAll::read(&cloud, &core, now)
    )?;
    let mut told = tell(dealer, &known, &fared, now);
    told["company"] = json!(company);
    told["currency"] = json!(core.company.currency);
    let next = contracts.last().filter(|_| before + contracts.len() < own.len());
    told["next_contracts"] = json!(next.map(|last| &last.id));
    Ok(Json(told))
}

fn tell(dealer: &Dealer, known: &Known<'_>, fared: &OfAll, now: Timestamp) -> Value {
    let zone = zone_of(dealer);
    let is_open = dealer.hours.is_open(now, &zone, &dealer.holidays);
    let opens = dealer.hours.next_opening(now, &zone, &dealer.holidays).filter(|_| !is_open);
    let mut told = known.standing(dealer).tell();
    told["dealer"] = json!(dealer.id);
    told["name"] = json!(dealer.name);
    told["kind"] = json!(dealer.kind);
    told["zip"] = json!(dealer.zip);
    told["zone"] = json!(dealer.zone);
    told["hours"] = json!(dealer.hours.to_string());
    told["open"] = json!(is_open);
    told["opens"] = json!(opens);
    told["figures"] = fared.tell(&dealer.id);
    told
}

/// `GET /v1/dealers/{dealer}/figures?company`: what it made of its leads in thirty days. A dealer's token sees its own.
pub(crate) async fn figures(
    State(cloud): State<Cloud>,
    OfDealer { company, dealer, .. }: OfDealer<READS>,
) -> Result<Json<Value>, Problem> {
    let core = who::rules_of(&cloud, &company).await?;
    let fared = OfAll::read(&cloud, &core, cloud.clock.now()).await?;
    let mut told = fared.tell(&dealer);
    told["company"] = json!(company);
    told["dealer"] = json!(dealer);
    Ok(Json(told))
}
