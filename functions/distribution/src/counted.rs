//! The counters of a batch: read at once before its first lead is decided on, and kept true to what this worker commits.
//!
//! Others reserve and give back meanwhile. The commit's conditions hold against what they reserve, so that no
//! cap is exceeded and no share unfair for it; whoever is refused reads alone, and so does everybody behind it
//! in the batch: somebody else is at work on the same contracts. What others give back must not be overlooked:
//! who would wait, or find a seat empty, is decided on again by counters read for it alone, as they are.
//!
//! Determination: a lead that somebody takes is not decided on again, even if a cap that was full when the
//! counters were read has come free since. It is as if it had been decided on a moment earlier, no more than
//! [`limits::COUNTERS_HELD_MS`].
//!
//! Determination: *they are read as they are*, not as a copy of the table had them a moment ago, which would be half the
//! price. A copy says nothing of how far it is behind: one that does not know yet that a protected contract has come free
//! would give its lead to another.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::distribution::{Conclusion, Counters, Decision, LeadFacts};
use leadyard_domain::ids::{CompanyId, ContractId, DealerId};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging::{self, Considered, InForce};
use leadyard_platform::known::KnownCounters;
use leadyard_platform::store::StoreError;

use crate::ahead::Wanted;

/// How long counters are decided on.
const HELD: SignedDuration = SignedDuration::from_millis(limits::COUNTERS_HELD_MS);

/// The counters of a batch, by company.
#[derive(Default)]
pub(crate) struct Counted {
    of: HashMap<CompanyId, Held>,
    /// Somebody else is at work on the same contracts: each lead reads alone.
    alone: bool,
}

struct Held {
    known: KnownCounters,
    since: Timestamp,
}

impl Held {
    fn nothing(since: Timestamp) -> Self {
        Self { known: KnownCounters::default(), since }
    }
}

impl Counted {
    /// Reads these. What cannot be read now is read when its turn comes.
    pub(crate) async fn read(cloud: &Cloud, wanted: Wanted) -> Self {
        let mut counted = Self::default();
        for (company, (contracts, dealers)) in wanted {
            let contracts: Vec<ContractId> = contracts.into_iter().collect();
            let dealers: Vec<DealerId> = dealers.into_iter().collect();
            let mut held = Held::nothing(cloud.clock.now());
            if held.known.read(&cloud.store, &company, &contracts, &dealers).await.is_ok() {
                counted.of.insert(company, held);
            }
        }
        counted
    }

    /// Decides, as of now, who should have a lead.
    pub(crate) async fn consider(
        &mut self,
        cloud: &Cloud,
        in_force: &InForce,
        facts: &LeadFacts,
        now: Timestamp,
    ) -> Result<Considered, StoreError> {
        if self.alone {
            return judging::consider(cloud, in_force, facts, now).await;
        }
        let company = in_force.core.company_id();
        let held = self.of.entry(company.clone()).or_insert_with(|| Held::nothing(now));
        if now.duration_since(held.since) > HELD {
            *held = Held::nothing(now);
        }
        let considered = judging::consider_by(cloud, in_force, facts, &mut held.known, now).await?;
        if !leaves_a_seat(facts, &considered.decision) {
            return Ok(considered);
        }
        let mut afresh = KnownCounters::default();
        let considered = judging::consider_by(cloud, in_force, facts, &mut afresh, now).await?;
        held.known.learn(afresh);
        Ok(considered)
    }

    /// What a commit left of the counters.
    pub(crate) fn committed(&mut self, company: &CompanyId, left: Counters) {
        if let Some(held) = self.of.get_mut(company) {
            held.known.committed(left);
        }
    }

    /// A commit on them was refused, or may stand without our knowing: they are not as they were.
    pub(crate) fn refused(&mut self) {
        self.of.clear();
        self.alone = true;
    }
}

/// Whether somebody waits by it, or a seat finds no taker: that one stays empty for good.
fn leaves_a_seat(facts: &LeadFacts, decision: &Decision) -> bool {
    match &decision.conclusion {
        Conclusion::Wait { .. } => true,
        Conclusion::Assign(seats) => {
            let of = seats.first().map_or(0, |seat| seat.seats);
            let free = facts.open_seats.map_or(of, |open| open.free);
            decision.kept.is_some() || seats.len() < usize::from(free)
        }
    }
}
