//! Where dealers are: how many serve each state, by the areas of the contracts that are in force.
//!
//! Determinations. *A dealer counts once a state*, however many contracts it has there, and be it for one ZIP of it. *A
//! contract for the whole country is told apart*: it would shade every tile alike and hide where nobody else is. *Whoever
//! is paused, full or not reached counts all the same*: the table of dealers says who that is.

use std::collections::HashMap;

use jiff::Timestamp;
use leadyard_domain::dealer::Dealer;
use leadyard_domain::ids::DealerId;
use leadyard_domain::place::State;
use leadyard_domain::rulebook::{Rulebook, Served};
use leadyard_domain::time;

use super::chart::Unit;
use super::states::Map;

/// Dealers by the states that they serve.
pub(super) struct ByState {
    pub(super) map: Map,
    /// State and dealers, the most first.
    pub(super) rows: Vec<(&'static str, i64)>,
    /// Dealers who serve the whole country.
    pub(super) everywhere: i64,
    /// Dealers who have a contract in force.
    pub(super) dealers: i64,
}

impl ByState {
    /// Of the contracts in force, each with where it takes leads; `None` where none is.
    pub(super) fn of(book: &Rulebook, served: &[Served], now: Timestamp) -> Option<Self> {
        let by_dealer = by_dealer(book, served, now);
        let among = |serves: &dyn Fn(&Served) -> bool| {
            let those = by_dealer.values().filter(|served| serves(served)).count();
            i64::try_from(those).unwrap_or(i64::MAX)
        };
        let dealers = among(&|_| true);
        if dealers == 0 {
            return None;
        }
        let counted =
            State::ALL.iter().map(|state| (*state, among(&|served| served.states.contains(*state))));
        let mut counted: Vec<(State, i64)> = counted.filter(|(_, dealers)| *dealers > 0).collect();
        counted.sort_by_key(|(state, dealers)| (std::cmp::Reverse(*dealers), state.name()));
        let says =
            |dealers: i64| if dealers == 1 { "1 dealer".to_owned() } else { format!("{dealers} dealers") };
        let values = counted.iter().map(|(state, dealers)| (state.to_string(), *dealers, says(*dealers)));
        Some(Self {
            map: Map::of(Unit::Count, &values.collect::<Vec<_>>(), dealers),
            rows: counted.into_iter().map(|(state, dealers)| (state.name(), dealers)).collect(),
            everywhere: among(&|served| served.everywhere),
            dealers,
        })
    }
}

/// Where each dealer takes leads, by its contracts that are in force on its own day.
fn by_dealer<'a>(book: &'a Rulebook, served: &[Served], now: Timestamp) -> HashMap<&'a DealerId, Served> {
    let dealers: HashMap<&DealerId, &Dealer> =
        book.dealers.iter().map(|dealer| (&dealer.id, dealer)).collect();
    let mut days = HashMap::new();
    let mut by_dealer: HashMap<&DealerId, Served> = HashMap::new();
    for (contract, served) in book.contracts.iter().zip(served) {
        let Some(dealer) = dealers.get(&contract.dealer) else { continue };
        let today = *days.entry(dealer.zone.as_str()).or_insert_with(|| {
            time::zone(&dealer.zone).unwrap_or(jiff::tz::TimeZone::UTC).to_datetime(now).date()
        });
        let begun = contract.starts.is_none_or(|starts| starts <= today);
        if !begun || contract.ends.is_some_and(|ends| ends < today) {
            continue;
        }
        let of_it = by_dealer.entry(&dealer.id).or_default();
        of_it.states.extend(served.states);
        of_it.everywhere |= served.everywhere;
    }
    by_dealer
}
