//! Waking: for slots that came free, and at the start of a period that somebody waits for.

use leadyard_domain::lead::Stage;

use crate::distribution::{decide, left, may_have};
use crate::state::{Due, Hand, Id, Lead, Message, Plan, Set, State};
use crate::world::Broken;
use crate::{Next, Protocol};

/// Leads woken for one slot.
pub(crate) const FOR_A_SLOT: u8 = 2;

impl Protocol {
    /// Those who wait and would not wait all the same, in their order.
    fn takers<'a>(&'a self, state: &'a State) -> impl Iterator<Item = (Id, &'a Lead)> {
        let leads = state.leads.iter().enumerate().map(|(id, lead)| (id as Id, lead));
        leads.filter(|(id, lead)| {
            let plan = || decide(&self.world, self.broken, state, lead, *id, state.period);
            lead.stage == Stage::Waiting && matches!(plan(), Plan::Assign(_))
        })
    }

    /// Reads whom to wake: of those who wait, twice as many as slots came free, and only who would not wait all the
    /// same and whom a slot's dealer may take.
    pub(crate) fn choose_whom_to_wake(&self, state: &State) -> Option<Hand> {
        let wake = state.wake?;
        let may_have =
            |(_, lead): &(Id, &Lead)| wake.dealers.iter().any(|dealer| !lead.excluded.contains(dealer));
        let takers = self.takers(state).filter(may_have);
        let leads = takers.map(|(id, _)| id).take(usize::from(FOR_A_SLOT * wake.slots)).collect();
        Some(Hand::Waking { leads, timed: false, fresh: true })
    }

    /// The same at the start of a period: twice as many as the caps leave, each for whoever has the most left of those
    /// who may have it.
    pub(crate) fn choose_whom_to_wake_now(&self, state: &State) -> Option<Hand> {
        if !state.timed_wake_is_due() {
            return None;
        }
        let contracts = self.world.contracts.len() as Id;
        let for_a_slot = if self.broken == Broken::WakesThreeForASlot { 3 } else { FOR_A_SLOT };
        let mut turns: Vec<u8> = (0..contracts)
            .map(|contract| left(&self.world, state, contract, state.period).saturating_mul(for_a_slot))
            .collect();
        let mut takers: Vec<Id> = self.takers(state).map(|(id, _)| id).collect();
        if self.broken == Broken::WakesTheLastFirst {
            takers.reverse();
        }
        let mut leads = Set::default();
        for id in takers {
            let dealer = |contract: Id| self.world.contracts[usize::from(contract)].dealer;
            let theirs = may_have(&self.world, self.broken, state, id);
            let most = theirs.iter().max_by_key(|contract| turns[usize::from(*contract)]);
            if let Some(most) = most.filter(|most| turns[usize::from(*most)] > 0) {
                let whose = dealer(most);
                for contract in
                    (0..contracts).filter(|contract| *contract == most || self.shares(*contract, whose))
                {
                    turns[usize::from(contract)] = turns[usize::from(contract)].saturating_sub(1);
                }
                leads.insert(id);
            }
        }
        Some(Hand::Waking { leads, timed: true, fresh: true })
    }

    /// Whether a contract's slots are those of this dealer, which has a cap for all its contracts.
    fn shares(&self, contract: Id, dealer: Id) -> bool {
        let same = self.world.contracts[usize::from(contract)].dealer == dealer;
        same && self.world.dealer_caps.get(usize::from(dealer)).is_some()
    }

    /// Makes those due and sends them to distribution; then forgets the wake: that for slots, unless more came free
    /// meanwhile; that of a period, whoever has come to wait for it meanwhile, since they look for themselves.
    pub(crate) fn wake(&self, state: &mut State, leads: Set, timed: bool, fresh: bool) -> Next {
        let next = self.wake_them(state, leads);
        if timed {
            let later = state.wake_at.iter().filter(|at| *at > state.period);
            state.wake_at = later.collect();
        } else if fresh || self.broken == Broken::WakeIsDoneForGood {
            state.wake = None;
        }
        next
    }

    /// The same by a process that does not come to forgetting the wake.
    pub(crate) fn wake_them(&self, state: &mut State, leads: Set) -> Next {
        for id in leads.iter() {
            // The due time alone: that is no new version.
            let lead = &mut state.leads[usize::from(id)];
            if lead.stage == Stage::Waiting && self.broken != Broken::WakesByMessageAlone {
                lead.due = Due::Soon;
            }
        }
        Next::sends(leads.iter().map(Message::Lead).collect())
    }
}
