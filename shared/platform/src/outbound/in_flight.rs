//! How much is under way at one dealer: what hangs there takes no more than its share of this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use leadyard_domain::ids::{CompanyId, DealerId};
use leadyard_domain::limits;

type Whose = (CompanyId, DealerId);

/// Attempts under way, by dealer. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight(Arc<Mutex<HashMap<Whose, usize>>>);

/// One attempt that is under way, until it is dropped.
#[derive(Debug)]
pub struct UnderWay {
    of: InFlight,
    whose: Whose,
}

impl InFlight {
    /// One more; `None` when [`limits::IN_FLIGHT_PER_DEALER`] are under way.
    pub(super) fn enter(&self, company: &CompanyId, dealer: &DealerId) -> Option<UnderWay> {
        let whose = (company.clone(), dealer.clone());
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(whose.clone()).or_default();
        if *count >= limits::IN_FLIGHT_PER_DEALER {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(UnderWay { of: self.clone(), whose })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut counts = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.whose) {
            *count -= 1;
            // A process sees many dealers over its life.
            if *count == 0 {
                counts.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dealer_has_its_own_share_and_gets_it_back() {
        let in_flight = InFlight::default();
        let (acme, hudson, ridge) =
            ("acme".parse().unwrap(), "hudson".parse().unwrap(), "ridge".parse().unwrap());
        let mut under_way: Vec<_> = std::iter::from_fn(|| in_flight.enter(&acme, &hudson)).collect();
        assert_eq!(under_way.len(), limits::IN_FLIGHT_PER_DEALER);
        assert!(in_flight.clone().enter(&acme, &ridge).is_some());
        under_way.pop();
        let again = in_flight.enter(&acme, &hudson);
        assert!(again.is_some() && in_flight.enter(&acme, &hudson).is_none());
        drop((again, under_way));
        assert!(in_flight.0.lock().unwrap().is_empty());
    }
}
