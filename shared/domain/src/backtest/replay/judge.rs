//! Decisions made again: the same `decide` that decided, on the counters of the world that would be.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Replay;
use crate::backtest::history::{Decided, Read, Seen};
use crate::backtest::tally::WasRead;
use crate::distribution::{
    Conclusion, Counters, Decision, Judged, Pause, Screened, Switches, Usage, Waiting, decide, explain,
    screen, takers,
};
use crate::ids::{ContractId, DealerId};

impl Replay<'_> {
    /// Decides on a lead now. With a record, on what was read then.
    pub(super) fn judge(&self, index: usize, now: Timestamp, recorded: Option<&Decided>) -> Option<Decision> {
        let trail = self.trails.get(index)?;
        let (facts, switches) = (trail.facts(recorded.is_some()), self.switches_then(recorded));
        let chunks = self.book.chunks_of(&facts);
        let screened = screen(&facts, &self.book.core, &chunks, &switches, now);
        let (contracts, dealers) = screened.counters_to_read();
        let counters = self.counters(&screened, &contracts, &dealers, now, recorded);
        let seed = recorded.map_or(u64::from(facts.cycle), |recorded| recorded.seed);
        Some(decide(&screened, &counters, now, seed))
    }

    /// Why it goes another way than it went: what became of the contract it had, else who has it now.
    pub(super) fn why(
        &self,
        index: usize,
        now: Timestamp,
        recorded: Option<&Decided>,
        waiting: Option<Waiting>,
    ) -> String {
        let Some(trail) = self.trails.get(index) else { return String::new() };
        let had = recorded.filter(|recorded| recorded.waiting.is_none());
        let had = had.map(|recorded| recorded.contracts.as_slice()).unwrap_or_default();
        let (facts, switches) = (trail.facts(recorded.is_some()), self.switches_then(recorded));
        let chunks = self.book.chunks_of(&facts);
        let screened = screen(&facts, &self.book.core, &chunks, &switches, now);
        let (contracts, dealers) = screened.all_counters();
        let counters = self.counters(&screened, &contracts, &dealers, now, recorded);
        let seed = recorded.map_or(u64::from(facts.cycle), |recorded| recorded.seed);
        let (decision, judged) = explain(&screened, &counters, now, seed);
        let chosen: Vec<&ContractId> = match &decision.conclusion {
            Conclusion::Assign(seats) => seats.iter().map(|seat| &seat.contract).collect(),
            Conclusion::Wait { .. } => Vec::new(),
        };
        let sentence =
            |id: &ContractId| judged.iter().find(|one| &one.contract == id).map(|one| &one.sentence);
        // The first that had it and would not have it any more.
        if let Some(lost) = had.iter().find(|contract| !chosen.contains(contract)) {
            return self.why_not(lost, &judged, chosen.first().and_then(|id| sentence(id)));
        }
        let gains = chosen.iter().find(|contract| !had.contains(contract));
        match (gains.and_then(|id| sentence(id)), waiting) {
            (Some(sentence), _) => sentence.clone(),
            (None, Some(waiting)) => format!("it waits: {waiting}"),
            (None, None) => "its seats are given in another order".to_owned(),
        }
    }

    fn why_not(&self, lost: &ContractId, judged: &[Judged], instead: Option<&String>) -> String {
        if !self.book.knows(lost) {
            return format!("{lost} is not in the new rulebook");
        }
        match judged.iter().find(|one| &one.contract == lost) {
            None => format!("the area of {lost} does not cover it"),
            Some(one) if one.failed.is_some() => one.sentence.clone(),
            Some(_) => match instead {
                Some(instead) => format!("{lost} ranks lower; {instead}"),
                None => format!("{lost} may have it, and it is not distributed"),
            },
        }
    }

    /// Whether a contract of this dealer may have a lead that waits, now.
    pub(super) fn may_be_theirs(&self, index: usize, dealer: &DealerId, now: Timestamp) -> bool {
        let Some(trail) = self.trails.get(index) else { return false };
        let facts = trail.facts(false);
        let chunks = self.book.chunks_of(&facts);
        let screened = screen(&facts, &self.book.core, &chunks, &self.switches, now);
        // Most cannot, whatever the counters say.
        if !screened.candidates.iter().any(|one| one.failed.is_none() && &one.dealer.id == dealer) {
            return false;
        }
        let (contracts, dealers) = screened.counters_to_read();
        let counters = self.counters(&screened, &contracts, &dealers, now, None);
        let takers = takers(&screened, &counters, now, u64::from(facts.cycle));
        takers.now.iter().any(|taker| &taker.dealer == dealer)
    }

    /// The switches as a decision read them; pauses of those it did not look at, as the change log has them.
    fn switches_then(&self, recorded: Option<&Decided>) -> Switches {
        let Some(then) = recorded.and_then(|recorded| recorded.switches.as_ref()) else {
            return self.switches.clone();
        };
        let read = recorded.and_then(|recorded| recorded.read.as_ref());
        let mut switches = then.clone();
        let unread = |pause: &&Pause<ContractId>| {
            read.is_none_or(|read| read.contracts.iter().all(|(id, _)| *id != pause.id))
                && then.contracts.iter().all(|known| known.id != pause.id)
        };
        for pause in self.switches.contracts.iter().filter(unread) {
            switches.contracts.set(pause.clone());
        }
        let unread = |pause: &&Pause<DealerId>| {
            read.is_none_or(|read| read.dealers.iter().all(|(id, _)| *id != pause.id))
                && then.dealers.iter().all(|known| known.id != pause.id)
        };
        for pause in self.switches.dealers.iter().filter(unread) {
            switches.dealers.set(pause.clone());
        }
        switches
    }

    /// Counters in the world that would be.
    fn counters(
        &self,
        screened: &Screened<'_>,
        contracts: &[ContractId],
        dealers: &[DealerId],
        now: Timestamp,
        recorded: Option<&Decided>,
    ) -> Counters {
        let read = recorded.and_then(|recorded| recorded.read.as_ref());
        let (read_contracts, read_dealers) = by_id(read);
        let without_results = read.is_some_and(|read| read.without_results);
        let as_asked = read.is_some_and(|read| read.as_asked);
        let was_read =
            |seen: Option<&&Seen>| WasRead { usage: seen.map(|seen| Usage::from(*seen)), as_asked };
        let dealers_of: HashMap<&ContractId, &DealerId> =
            screened.candidates.iter().map(|one| (&one.contract.id, &one.dealer.id)).collect();
        let mut counters = Counters::default();
        for id in contracts {
            let Some(dealer) = dealers_of.get(id) else { continue };
            let calendar = self.book.calendar(dealer, now);
            let read = was_read(read_contracts.get(id));
            let mut usage = self.worlds.contract(id, read, &calendar);
            if without_results {
                usage.results = self.worlds.results_of(id);
            }
            counters.contracts.insert(id.clone(), usage);
        }
        for id in dealers {
            let calendar = self.book.calendar(id, now);
            let read = was_read(read_dealers.get(id));
            counters.dealers.insert(id.clone(), self.worlds.dealer(id, read, &calendar));
        }
        counters
    }
}

type ById<'a, Id> = HashMap<&'a Id, &'a Seen>;

fn by_id(read: Option<&Read>) -> (ById<'_, ContractId>, ById<'_, DealerId>) {
    let contracts = read.into_iter().flat_map(|read| &read.contracts).map(|(id, seen)| (id, seen));
    let dealers = read.into_iter().flat_map(|read| &read.dealers).map(|(id, seen)| (id, seen));
    (contracts.collect(), dealers.collect())
}
