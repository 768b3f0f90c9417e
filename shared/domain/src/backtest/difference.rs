//! The difference another rulebook makes: who gains and loses, what goes unmatched, which leads changed and
//! why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::replay::Replay;
use crate::distribution::Waiting;
use crate::ids::{ContractId, DealerId, LeadId};
use crate::money::Money;

/// What another rulebook would have made of history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The first instant that is compared.
    pub from: Timestamp,
    /// The first that is not any more.
    pub to: Timestamp,
    /// Leads compared: each sale cycle that was first decided within.
    pub leads: usize,
    /// How many of them end with other contracts.
    pub changed: usize,
    /// All of them as it was.
    pub before: Side,
    /// All of them as it would have been.
    pub after: Side,
    /// By dealer, the largest change of value first; those who have any.
    pub dealers: Vec<Row>,
    /// By contract, likewise.
    pub contracts: Vec<Row>,
    /// By reason: how many end in nobody's hands.
    pub unmatched: Vec<Unmatched>,
    /// The leads that changed, in their order.
    pub changes: Vec<Change>,
    /// What was assumed where history cannot say.
    pub assumptions: Vec<String>,
}

/// One of two worlds, in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Leads with a holder at the end.
    pub matched: usize,
    /// Leads without.
    pub unmatched: usize,
    /// Seats held at the end.
    pub seats: usize,
    /// What they cost the dealers, in minor units.
    pub value: i64,
}

/// A dealer or contract in both worlds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Which.
    pub id: String,
    /// Leads as it was.
    pub before: usize,
    /// Leads as it would have been.
    pub after: usize,
    /// Leads it would have had and did not have.
    pub gains: usize,
    /// Leads it had and would not have had.
    pub loses: usize,
    /// What they cost it as it was, in minor units.
    pub value_before: i64,
    /// As it would have been.
    pub value_after: i64,
}

/// Leads in nobody's hands at the end, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// The reason they wait; `given_back` for those that nobody looked at since, `nobody` for those of which
    /// no more is known than that nobody ever had them.
    pub reason: String,
    /// As it was.
    pub before: usize,
    /// As it would have been.
    pub after: usize,
}

/// A lead that ends with other contracts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which.
    pub lead: LeadId,
    /// Its cycle.
    pub cycle: u32,
    /// Since when it goes another way.
    pub at: Timestamp,
    /// Who had it at the end.
    pub before: Vec<ContractId>,
    /// Why nobody had it.
    pub waited: String,
    /// Who would have had it at the end.
    pub after: Vec<ContractId>,
    /// Why nobody would have had it.
    pub waits: String,
    /// Why it goes another way, as a desk reads it.
    pub why: String,
}

/// What was assumed, counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Assumed {
    pub(super) counted_from: Option<Timestamp>,
    pub(super) answers_reused: usize,
    pub(super) answers_accepted: usize,
    pub(super) placements_replayed: usize,
    pub(super) placements_elsewhere: usize,
    pub(super) placements_lost: usize,
}

impl Difference {
    pub(super) fn of(replay: &Replay<'_>) -> Self {
        let mut found = Self {
            from: replay.window.from,
            to: replay.window.to,
            leads: 0,
            changed: 0,
            before: Side::default(),
            after: Side::default(),
            dealers: Vec::new(),
            contracts: Vec::new(),
            unmatched: Vec::new(),
            changes: Vec::new(),
            assumptions: replay.assumed.sentences(),
        };
        let (mut dealers, mut contracts) = (Rows::default(), Rows::default());
        let mut reasons: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
        for trail in replay.trails.iter().filter(|trail| trail.compared) {
            found.leads += 1;
            let was: Vec<Seat<'_>> = trail
                .was_held
                .iter()
                .map(|held| Seat {
                    contract: &held.contract,
                    dealer: &held.dealer,
                    price: held.price.minor(),
                })
                .collect();
            let would: Vec<Seat<'_>> = trail
                .seats
                .iter()
                .map(|held| &held.slot)
                .map(|slot| Seat { contract: &slot.contract, dealer: &slot.dealer, price: slot.price })
                .collect();
            found.before.add(&was);
            found.after.add(&would);
            dealers.add(&was, &would, |seat| seat.dealer.as_str());
            contracts.add(&was, &would, |seat| seat.contract.as_str());
            let waited = reason(&was, trail.was_waiting, trail.was_ever_held);
            let waits = reason(&would, trail.would_wait, trail.would_ever_be_held);
            if !waited.is_empty() {
                reasons.entry(waited).or_default().0 += 1;
            }
            if !waits.is_empty() {
                reasons.entry(waits).or_default().1 += 1;
            }
            let ids = |seats: &[Seat<'_>]| -> Vec<ContractId> {
                seats.iter().map(|seat| seat.contract.clone()).collect()
            };
            let set = |seats: &[Seat<'_>]| -> BTreeSet<ContractId> { ids(seats).into_iter().collect() };
            if set(&was) != set(&would) {
                found.changed += 1;
                found.changes.push(Change {
                    lead: trail.latest.facts.lead,
                    cycle: trail.latest.facts.cycle,
                    at: trail.parted_at.unwrap_or(trail.first_at),
                    before: ids(&was),
                    waited: waited.to_owned(),
                    after: ids(&would),
                    waits: waits.to_owned(),
                    why: trail.why.clone(),
                });
            }
        }
        found.changes.sort_by_key(|change| (change.at, change.lead));
        found.dealers = dealers.sorted();
        found.contracts = contracts.sorted();
        let unmatched = |(reason, (before, after)): (&str, (usize, usize))| Unmatched {
            reason: reason.to_owned(),
            before,
            after,
        };
        found.unmatched = reasons.into_iter().map(unmatched).collect();
        found
    }

    /// Whether anything at all would have been otherwise.
    pub fn is_none(&self) -> bool {
        self.changed == 0 && self.before == self.after && self.dealers.iter().all(Row::stays)
    }
}

/// A seat held at the end, in either world.
struct Seat<'a> {
    contract: &'a ContractId,
    dealer: &'a DealerId,
    price: i64,
}

/// Why nobody holds a lead at the end, in a word; nothing, if somebody does. Without a reason to wait it was given
/// back and never looked at again; or it never was anybody's: another system said no more of it, or the desk
/// placed it with a contract that is gone.
fn reason(seats: &[Seat<'_>], waiting: Option<Waiting>, ever_held: bool) -> &'static str {
    match waiting {
        _ if !seats.is_empty() => "",
        Some(waiting) => waiting.as_str(),
        None if ever_held => "given_back",
        None => "nobody",
    }
}

impl Side {
    fn add(&mut self, seats: &[Seat<'_>]) {
        if seats.is_empty() {
            self.unmatched += 1;
        } else {
            self.matched += 1;
        }
        self.seats += seats.len();
        self.value += seats.iter().map(|seat| seat.price).sum::<i64>();
    }
}

#[derive(Default)]
struct Rows(BTreeMap<String, Row>);

impl Rows {
    fn add<'s>(&mut self, was: &'s [Seat<'s>], would: &'s [Seat<'s>], id: impl Fn(&'s Seat<'s>) -> &'s str) {
        for seat in was {
            let row = self.row(id(seat));
            row.before += 1;
            row.value_before += seat.price;
            row.loses += usize::from(would.iter().all(|other| id(other) != id(seat)));
        }
        for seat in would {
            let row = self.row(id(seat));
            row.after += 1;
            row.value_after += seat.price;
            row.gains += usize::from(was.iter().all(|other| id(other) != id(seat)));
        }
    }

    fn row(&mut self, id: &str) -> &mut Row {
        self.0.entry(id.to_owned()).or_insert_with(|| Row {
            id: id.to_owned(),
            before: 0,
            after: 0,
            gains: 0,
            loses: 0,
            value_before: 0,
            value_after: 0,
        })
    }

    fn sorted(self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.0.into_values().collect();
        let by_change = |row: &Row| std::cmp::Reverse(row.value_change().abs());
        rows.sort_by(|a, b| by_change(a).cmp(&by_change(b)).then_with(|| a.id.cmp(&b.id)));
        rows
    }
}

impl Row {
    /// How much more it would have paid, in minor units.
    pub const fn value_change(&self) -> i64 {
        self.value_after - self.value_before
    }

    /// Whether it would have had what it had.
    pub const fn stays(&self) -> bool {
        self.gains == 0 && self.loses == 0 && self.value_change() == 0
    }
}

impl Assumed {
    fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if let Some(from) = self.counted_from {
            sentences.push(format!(
                "Counters are as each decision read them, changed by what goes otherwise; where none read them, as what was won where no ranking asked, they count from {from}."
            ));
        }
        sentences.push(format!(
            "A dealer that had the lead answers as it did, but that nothing lapses without a deadline ({} times); any other accepts it ({} times).",
            self.answers_reused, self.answers_accepted
        ));
        if self.placements_replayed + self.placements_elsewhere + self.placements_lost > 0 {
            sentences.push(format!(
                "What the desk placed it places again ({} times); {} leads had found a dealer before, and {} contracts are gone.",
                self.placements_replayed, self.placements_elsewhere, self.placements_lost
            ));
        }
        sentences.push(
            "A lead's band, place and consent are those of its latest recorded decision, whoever has it."
                .to_owned(),
        );
        sentences.push(
            "Who waits in vain is looked at again in order of band, then the freshest first: decisions record no score."
                .to_owned(),
        );
        sentences
    }
}

/// An amount of minor units with its sign, as people read it.
pub fn signed(minor: i64) -> String {
    let sign = if minor > 0 { "+" } else { "" };
    format!("{sign}{}", Money::from_minor(minor))
}
