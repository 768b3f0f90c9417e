//! The desk places a lead with a contract by hand.
//!
//! Distribution asks for the first rule that a contract fails: it is reason enough. The desk passes rules over, and is
//! told every one, or it would sell by one word what it was never shown.

use jiff::Timestamp;

use super::available::all_unavailable;
use super::{Best, Counters, NearMiss, OpenSeats, Rule, Screened, Seat, Table, Terms};
use crate::distribution::screen::failures;
use crate::ids::ContractId;

/// What placing a lead with a contract comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Placing {
    /// It passes every rule.
    Free(Seat),
    /// It fails rules that the desk may override, saying so: all of them, in their order.
    Against(Seat, Vec<NearMiss>),
    /// It would break a promise to somebody else: a territory, the seats agreed on, or one seat a dealer.
    Never(NearMiss),
}

/// What placing the lead with one of the candidates would come to; `None` of a contract that is none.
///
/// Territories bind the desk as they bind distribution, but for a contract that declined, let lapse or
/// returned the lead: then the desk decides.
pub fn place(
    screened: &Screened<'_>,
    counters: &Counters,
    now: Timestamp,
    seed: u64,
    contract: &ContractId,
) -> Option<Placing> {
    let mut table = Table::new(screened, counters, now, seed);
    table.by_hand = true;
    let at = table.rows.iter().position(|row| &row.candidate.contract.id == contract)?;
    // Territories speak of it too, whatever else it fails.
    if !table.live.contains(&at) {
        table.live.push(at);
    }
    // One that does not take the lead has no say in whose it is.
    table.no_say = table.rows.get(at).filter(|row| row.candidate.refuses.is_some()).map(|_| at);
    let terms = table.facts.open_seats.map(|OpenSeats { of, protected, .. }| Terms { seats: of, protected });
    // Who would get it does not matter: whom the territories leave does.
    let _ = table.next_seat(terms, &[]);
    let row = table.rows.get(at)?;
    if table.has_seat(row, &[]) {
        return Some(Placing::Never(table.near_miss(Rule::Excluded, row)));
    }
    if !table.may_sit(row, terms) || row.shut_out_by.is_some() {
        return Some(Placing::Never(table.near_miss(Rule::Territory, row)));
    }
    let best = Best { row: at, turn: None };
    let fixed = terms.unwrap_or_else(|| table.terms_of(best));
    let seat = table.seat(best, fixed)?;
    let local = table.locals.get(row.candidate.zone)?;
    let unavailable = all_unavailable(row, local, counters, now);
    let rules = failures(table.facts, row.candidate, now).into_iter().chain(unavailable);
    let misses: Vec<NearMiss> = rules.map(|rule| table.near_miss(rule, row)).collect();
    Some(if misses.is_empty() { Placing::Free(seat) } else { Placing::Against(seat, misses) })
}
