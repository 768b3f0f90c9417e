//! The new rulebook as a replay asks it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::backtest::history::Assigned;
use crate::backtest::tally::{Calendar, Slot};
use crate::contract::Territory;
use crate::distribution::counters::PASS_UNIT;
use crate::distribution::{Chunk, ChunkKey, Compiled, Core, LeadFacts, Reservation};
use crate::error::Invalid;
use crate::ids::{ContractId, DealerId};
use crate::rulebook::Rulebook;
use crate::time;

/// The rulebook, compiled, with what a seat by hand needs.
pub(super) struct Book {
    pub(super) core: Core,
    chunks: HashMap<ChunkKey, Arc<Chunk>>,
    contracts: HashMap<ContractId, Terms>,
    /// Each dealer's zone, in `zones`.
    dealers: HashMap<DealerId, Home>,
    zones: Vec<(String, TimeZone)>,
}

struct Terms {
    dealer: DealerId,
    price: i64,
    step: u64,
    has_deadline: bool,
    /// What its seat fixes: how many seats, whether protected.
    fixes: (u8, bool),
}

#[derive(Clone, Copy)]
struct Home {
    zone: usize,
    prepaid: bool,
}

impl Book {
    pub(super) fn new(book: &Rulebook, compiled: Compiled) -> Result<Self, Invalid> {
        // The company's own zone comes first: it stands for dealers the new rulebook does not know.
        let mut zones = vec![(book.company.zone.clone(), time::zone(&book.company.zone)?)];
        let mut dealers = HashMap::new();
        for dealer in &book.dealers {
            let known = zones.iter().position(|(name, _)| *name == dealer.zone);
            let zone = match known {
                Some(known) => known,
                None => {
                    zones.push((dealer.zone.clone(), time::zone(&dealer.zone)?));
                    zones.len() - 1
                }
            };
            dealers.insert(dealer.id.clone(), Home { zone, prepaid: dealer.prepaid });
        }
        let terms = book.contracts.iter().map(|contract| {
            let step = PASS_UNIT / u64::from(contract.weight.max(1));
            let (dealer, price) = (contract.dealer.clone(), contract.price.minor());
            let fixes = (contract.sale.seats(), contract.territory == Territory::Protected);
            let has_deadline = contract.deadline.is_some();
            (contract.id.clone(), Terms { dealer, price, step, has_deadline, fixes })
        });
        let chunks = compiled.chunks.into_iter().map(|(key, chunk)| (key, Arc::new(chunk)));
        Ok(Self { core: compiled.core, chunks: chunks.collect(), contracts: terms.collect(), dealers, zones })
    }

    /// The chunks of one lead.
    pub(super) fn chunks_of(&self, facts: &LeadFacts) -> Vec<Arc<Chunk>> {
        let keys = self.core.chunks_for(&facts.category, facts.location.state());
        keys.iter().filter_map(|key| self.chunks.get(key)).map(Arc::clone).collect()
    }

    pub(super) fn knows(&self, contract: &ContractId) -> bool {
        self.contracts.contains_key(contract)
    }

    /// Whether a contract's leads must be accepted in time.
    pub(super) fn has_deadline(&self, contract: &ContractId) -> bool {
        self.contracts.get(contract).is_some_and(|terms| terms.has_deadline)
    }

    /// When a lead in nobody's hands expires.
    pub(super) fn expires_at(&self, facts: &LeadFacts) -> Timestamp {
        let days = i64::from(self.core.company.window_days);
        facts.opened_at.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX)
    }

    /// A dealer's periods.
    pub(super) fn calendar(&self, dealer: &DealerId, now: Timestamp) -> Calendar<'_> {
        let zone = self.dealers.get(dealer).map_or(0, |home| home.zone);
        let zone = self.zones.get(zone).map_or(&UTC, |(_, zone)| zone);
        let week_starts = self.core.company.week_starts;
        Calendar { now: Reservation::at(now, zone, week_starts), zone, week_starts }
    }

    /// A seat of history, counted in the periods of its dealer under the new rulebook.
    pub(super) fn slot_as_it_was(&self, assigned: &Assigned) -> Slot {
        Slot {
            contract: assigned.contract.clone(),
            dealer: assigned.dealer.clone(),
            reservation: self.calendar(&assigned.dealer, assigned.at).now,
            at: assigned.at,
            price: assigned.price.minor(),
            prepaid: assigned.prepaid,
            step: self.contracts.get(&assigned.contract).map_or(0, |terms| terms.step),
            pass: None,
        }
    }

    /// A seat that the desk gives, and what it fixes for the others; `None` when the contract is not in the
    /// new rulebook.
    pub(super) fn slot_of(
        &self,
        contract: &ContractId,
        at: Timestamp,
        was_prepaid: bool,
    ) -> Option<(Slot, (u8, bool))> {
        let terms = self.contracts.get(contract)?;
        let home = self.dealers.get(&terms.dealer)?;
        let slot = Slot {
            contract: contract.clone(),
            dealer: terms.dealer.clone(),
            reservation: self.calendar(&terms.dealer, at).now,
            at,
            price: terms.price,
            prepaid: was_prepaid && home.prepaid,
            step: terms.step,
            pass: None,
        };
        Some((slot, terms.fixes))
    }
}

static UTC: TimeZone = TimeZone::UTC;
