//! Counters that one worker has read: read once for several decisions, and kept true to what the worker itself
//! commits.
//!
//! What others reserve and give back meanwhile they do not show. So they are for a moment, and nothing rests
//! on them alone: a commit holds only by the store's conditions on the counters as they then are. Decisions on
//! them are therefore such as could have been made when they were read, followed by what this worker gave.

use std::collections::HashSet;

use leadyard_domain::distribution::Counters;
use leadyard_domain::ids::{CompanyId, ContractId, DealerId};

use crate::store::{Store, StoreError};

/// Counters of one company's contracts and dealers, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct KnownCounters {
    counters: Counters,
    /// Those that were asked for: of these, one that is missing was never used.
    contracts: HashSet<ContractId>,
    dealers: HashSet<DealerId>,
}

impl KnownCounters {
    /// These, whatever stands: what a look at others before supposes.
    pub fn supposing(counters: Counters) -> Self {
        let (contracts, dealers) =
            (counters.contracts.keys().cloned().collect(), counters.dealers.keys().cloned().collect());
        Self { counters, contracts, dealers }
    }

    /// Those of these contracts and dealers.
    pub fn of<'a>(&self, whose: impl Iterator<Item = (&'a ContractId, &'a DealerId)>) -> Counters {
        self.counters.of(whose)
    }

    /// Reads those of these that are not known yet; all that are known then.
    pub async fn read(
        &mut self,
        store: &Store,
        company: &CompanyId,
        contracts: &[ContractId],
        dealers: &[DealerId],
    ) -> Result<&Counters, StoreError> {
        let unknown = |contract: &&ContractId| !self.contracts.contains(*contract);
        let contracts: Vec<ContractId> = contracts.iter().filter(unknown).cloned().collect();
        let unknown = |dealer: &&DealerId| !self.dealers.contains(*dealer);
        let dealers: Vec<DealerId> = dealers.iter().filter(unknown).cloned().collect();
        if !contracts.is_empty() || !dealers.is_empty() {
            let found = store.caps_get(company, &contracts, &dealers).await?;
            self.counters.contracts.extend(found.contracts);
            self.counters.dealers.extend(found.dealers);
            self.contracts.extend(contracts);
            self.dealers.extend(dealers);
        }
        Ok(&self.counters)
    }

    /// Of those that were read again, what was read last.
    pub fn learn(&mut self, later: Self) {
        self.counters.contracts.retain(|contract, _| !later.contracts.contains(contract));
        self.counters.dealers.retain(|dealer, _| !later.dealers.contains(dealer));
        self.counters.contracts.extend(later.counters.contracts);
        self.counters.dealers.extend(later.counters.dealers);
        self.contracts.extend(later.contracts);
        self.dealers.extend(later.dealers);
    }

    /// What a commit of this worker left of those that are known.
    pub fn committed(&mut self, left: Counters) {
        let known = left.contracts.into_iter().filter(|(contract, _)| self.contracts.contains(contract));
        self.counters.contracts.extend(known);
        let known = left.dealers.into_iter().filter(|(dealer, _)| self.dealers.contains(dealer));
        self.counters.dealers.extend(known);
    }
}
