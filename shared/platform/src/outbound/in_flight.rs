//! How much is under way at one receiver: what hangs there takes no more than its share of this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use leadyard_domain::ids::{CompanyId, DealerId, SourceId};
use leadyard_domain::limits;
use tokio::time::Instant;

type Whose = (CompanyId, Receiver);

/// Who is told something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Receiver {
    /// A dealer, of its leads.
    Dealer(DealerId),
    /// Whoever sends a source's enquiries, of what became of them.
    Sender(SourceId),
}

impl Receiver {
    const fn share(&self) -> usize {
        match self {
            Self::Dealer(_) => limits::IN_FLIGHT_PER_DEALER,
            Self::Sender(_) => limits::IN_FLIGHT_PER_SENDER,
        }
    }
}

/// Attempts under way, by receiver. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight {
    counts: Arc<Mutex<HashMap<Whose, usize>>>,
    /// Who hung, and until when it is left alone.
    resting: Arc<Mutex<HashMap<Whose, Instant>>>,
}

/// One attempt that is under way, until it is dropped.
#[derive(Debug)]
pub struct UnderWay {
    of: InFlight,
    whose: Whose,
}

impl InFlight {
    /// It hung: nobody of this process asks it for a while.
    pub(super) fn rest(&self, company: &CompanyId, receiver: Receiver) {
        let until = Instant::now() + Duration::from_millis(limits::SENDER_RESTS_MS);
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, until| *until > Instant::now());
        resting.insert((company.clone(), receiver), until);
    }

    fn rests(&self, whose: &Whose) -> bool {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(whose).is_some_and(|until| *until > Instant::now())
    }

    /// One more; `None` when its share is under way, or it rests.
    pub(super) fn enter(&self, company: &CompanyId, receiver: Receiver) -> Option<UnderWay> {
        let share = receiver.share();
        let whose = (company.clone(), receiver);
        if self.rests(&whose) {
            return None;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(whose.clone()).or_default();
        if *count >= share {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(UnderWay { of: self.clone(), whose })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut counts = self.of.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.whose) {
            *count -= 1;
            // A process sees many receivers over its life.
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
        let (hudson, ridge) = (Receiver::Dealer(hudson), Receiver::Dealer(ridge));
        let sender = Receiver::Sender("hudson".parse().unwrap());
        let mut under_way: Vec<_> = std::iter::from_fn(|| in_flight.enter(&acme, hudson.clone())).collect();
        assert_eq!(under_way.len(), limits::IN_FLIGHT_PER_DEALER);
        assert!(in_flight.clone().enter(&acme, ridge).is_some());
        let told: Vec<_> = std::iter::from_fn(|| in_flight.enter(&acme, sender.clone())).collect();
        assert_eq!(told.len(), limits::IN_FLIGHT_PER_SENDER);
        drop(told);
        in_flight.rest(&acme, sender.clone());
        assert!(in_flight.enter(&acme, sender).is_none(), "it hung");
        under_way.pop();
        let again = in_flight.enter(&acme, hudson.clone());
        assert!(again.is_some() && in_flight.enter(&acme, hudson).is_none());
        drop((again, under_way));
        assert!(in_flight.counts.lock().unwrap().is_empty());
    }
}
