//! Distribution: a lead is read and decided on, and the decision is one commit.

use leadyard_domain::lead::Stage;

use crate::state::{
    Assignment, Caps, Due, Hand, Id, Lead, Message, Plan, Reason, Return, Seen, Set, State, Withdrawal,
};
use crate::world::{Broken, World};
use crate::{Next, Protocol};
use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::lead::AssignmentState;

/// Who gets the lead, by the counters as they stand and a clock in this period.
pub(crate) fn decide(world: &World, broken: Broken, state: &State, lead: &Lead, id: Id, period: u8) -> Plan {
    let contracts = || 0..world.contracts.len() as Id;
    let refuses = |contract: Id| refuses(world, broken, state, (lead, id), contract, period);
    let rerouted = !lead.excluded.is_empty() && broken == Broken::ReroutesAroundTerritory;
    let territory = world.protected.iter().find(|(of, _)| *of == id).filter(|_| !rerouted);
    if let Some((_, contract)) = territory {
        return match refuses(*contract) {
            None => Plan::Assign(Set::from_iter([*contract])),
            Some(reason) => Plan::Wait(reason),
        };
    }
    let seats = if lead.seats == 0 { world.seats } else { lead.seats };
    let free = seats.saturating_sub(lead.holders.len() + lead.lost_seats);
    let mut seated = Set::default();
    let mut chosen = Set::default();
    for contract in contracts().filter(|contract| refuses(*contract).is_none()) {
        let dealer = world.contracts[usize::from(contract)].dealer;
        let has_seat = seated.contains(dealer) && broken != Broken::SeatsEveryContract;
        if chosen.len() < free && !has_seat {
            seated.insert(dealer);
            chosen.insert(contract);
        }
    }
    if chosen.is_empty() {
        let nearest = contracts().filter_map(refuses).max();
        return Plan::Wait(nearest.unwrap_or(Reason::Excluded));
    }
    Plan::Assign(chosen)
}

/// Every contract that may have the lead now, whoever is preferred.
pub(crate) fn may_have(world: &World, broken: Broken, state: &State, id: Id) -> Set {
    let lead = state.lead(id);
    let territory = world.protected.iter().find(|(of, _)| *of == id).map(|(_, contract)| *contract);
    let contracts = (0..world.contracts.len() as Id).filter(|one| territory.is_none_or(|only| only == *one));
    contracts.filter(|one| refuses(world, broken, state, (lead, id), *one, state.period).is_none()).collect()
}

/// What a contract fails, if anything.
fn refuses(
    world: &World,
    broken: Broken,
    state: &State,
    (lead, id): (&Lead, Id),
    contract: Id,
    period: u8,
) -> Option<Reason> {
    let terms = &world.contracts[usize::from(contract)];
    let caps = &state.caps[usize::from(contract)];
    let holds = lead.holders.iter().any(|of| state.assignment(of).dealer == terms.dealer);
    let had_it = |one: &Assignment| (one.lead, one.cycle, one.contract) == (id, lead.cycle, contract);
    let excluded = if broken == Broken::ExcludesTheContractAlone {
        state.assignments.iter().any(had_it)
    } else {
        lead.excluded.contains(terms.dealer) && broken != Broken::ForgetsWhoHadIt
    };
    if excluded || holds {
        Some(Reason::Excluded)
    } else if left(world, state, contract, period) == 0 {
        Some(Reason::Cap)
    } else if caps.spent + terms.price > terms.budget {
        Some(Reason::Budget)
    } else {
        None
    }
}

/// How many leads the caps of a contract and of its dealer leave.
pub(crate) fn left(world: &World, state: &State, contract: Id, period: u8) -> u8 {
    let terms = &world.contracts[usize::from(contract)];
    // A period that another's clock has turned already counts too.
    let left = |caps: &Caps, cap: u8| cap.saturating_sub(if caps.period >= period { caps.used } else { 0 });
    let of_contract = left(&state.caps[usize::from(contract)], terms.cap);
    match world.dealer_caps.get(usize::from(terms.dealer)) {
        Some(cap) => of_contract.min(left(&state.dealer_caps[usize::from(terms.dealer)], *cap)),
        None => of_contract,
    }
}

impl Protocol {
    /// Reads a lead with the counters, and decides; nothing, for one that asks for nothing.
    pub(crate) fn look(&self, state: &State, id: Id) -> Option<Hand> {
        let lead = state.lead(id);
        let nobodys = lead.holders.is_empty() || self.broken == Broken::ExpiresWhileHeld;
        let plan = match lead.stage {
            Stage::Received | Stage::Waiting if lead.window_over && nobodys => Plan::Expire,
            Stage::Received | Stage::Waiting => {
                decide(&self.world, self.broken, state, lead, id, state.period)
            }
            // The repeat has been scored, and nothing else changes.
            Stage::Assigned => Plan::Rest,
            Stage::Quarantined
            | Stage::Nurturing
            | Stage::Won
            | Stage::Lost
            | Stage::Expired
            | Stage::Rejected => {
                if lead.due == Due::Never {
                    return None;
                }
                Plan::Rest
            }
        };
        let mut seen = Seen::default();
        for (seen, caps) in seen.contracts.iter_mut().zip(&state.caps) {
            *seen = caps.period;
        }
        for (seen, caps) in seen.dealers.iter_mut().zip(&state.dealer_caps) {
            *seen = caps.period;
        }
        Some(Hand::Distributing {
            lead: id,
            plan,
            period: state.period,
            seen,
            noted: false,
            fresh: true,
            before_slot: false,
        })
    }

    /// Before a lead waits for the next period, it is kept that the best are to be woken at its start.
    pub(crate) fn notes(&self, state: &State, hand: Hand) -> Option<u8> {
        let Hand::Distributing { lead, plan: Plan::Wait(Reason::Cap), period, noted: false, fresh, .. } =
            hand
        else {
            return None;
        };
        let forgets = matches!(self.broken, Broken::ForgetsTheReset | Broken::ForgetsTheTimedWake);
        // Where no period turns, nobody would ever come to it.
        let turns = self.world.faults.turns > 0;
        (turns && fresh && !forgets && state.lead(lead).holders.is_empty()).then_some(period + 1)
    }

    /// Commits a decision; what is refused is looked at again.
    pub(crate) fn distribute(
        &self,
        state: &mut State,
        lead: Id,
        plan: Plan,
        period: u8,
        seen: Seen,
        fresh: bool,
    ) -> Next {
        let assigns = matches!(plan, Plan::Assign(_));
        let unchanged = fresh || assigns && self.broken == Broken::AssignsWithoutVersion;
        let again = |state: &State| self.look(state, lead).map_or_else(Next::done, Next::goes_on);
        if !unchanged {
            return again(state);
        }
        match plan {
            Plan::Assign(contracts) => {
                if !contracts.iter().all(|contract| self.allowed(state, contract, period, seen)) {
                    return again(state);
                }
                let send =
                    contracts.iter().map(|contract| self.give(state, lead, contract, period)).collect();
                return Next::sends(send);
            }
            Plan::Wait(reason) => {
                let turned = state.period > period;
                let lead = state.write_lead(lead);
                let rests = matches!(self.broken, Broken::ForgetsTheReset | Broken::RestsOnTheTimedWake);
                let due = match reason {
                    Reason::Cap if rests => Due::Never,
                    Reason::Cap if turned => Due::AfterTheBest,
                    Reason::Cap => Due::NextPeriod,
                    Reason::Excluded | Reason::Budget => Due::Never,
                };
                // A seat that came back and finds no taker at once stays empty.
                let held = !lead.holders.is_empty();
                lead.stage = if held { Stage::Assigned } else { Stage::Waiting };
                lead.waits = Some(reason).filter(|_| !held);
                lead.waited |= !held;
                lead.due = if lead.window_over && !held { Due::Soon } else { due };
            }
            Plan::Expire => {
                let lead = state.write_lead(lead);
                lead.stage = Stage::Expired;
                lead.waits = None;
                lead.due = Due::Never;
            }
            Plan::Rest => state.write_lead(lead).due = Due::Never,
        }
        Next::done()
    }

    /// The conditions on the caps items of the contract and of its dealer: each is in the period that was read; if
    /// that runs, the cap is not full; and there is money.
    fn allowed(&self, state: &State, contract: Id, period: u8, seen: Seen) -> bool {
        let terms = &self.world.contracts[usize::from(contract)];
        let dealer = usize::from(terms.dealer);
        let caps = &state.caps[usize::from(contract)];
        let period_seen = seen.contracts[usize::from(contract)];
        // Both are reserved from the same period: the latest that either was seen in.
        let of_dealer = self.world.dealer_caps.get(dealer).map(|cap| (state.dealer_caps[dealer], *cap));
        let latest = of_dealer.map_or(period, |_| period.max(seen.dealers[dealer])).max(period_seen);
        let room = caps.used < terms.cap || period_seen < latest || self.broken == Broken::CapIsNoCondition;
        let money = caps.spent + terms.price <= terms.budget;
        if self.broken == Broken::TurnsPeriodBack && caps.period > period {
            return money;
        }
        let dealers_room = of_dealer.is_none_or(|(caps, cap)| {
            let period_seen = seen.dealers[dealer];
            let room = caps.used < cap || period_seen < latest;
            caps.period == period_seen && (room || self.broken == Broken::DealerCapIsNoCondition)
        });
        let own = caps.period == period_seen && room;
        own && dealers_room && (money || self.broken == Broken::BudgetIsNoCondition)
    }

    /// Gives a seat: lead, caps and assignment at once. The message to delivery.
    fn give(&self, state: &mut State, id: Id, contract: Id, period: u8) -> Message {
        let terms = self.world.contracts[usize::from(contract)];
        let dealer = terms.dealer;
        let of_dealer = state.dealer_caps.get(usize::from(dealer)).map_or(0, |caps| caps.period);
        let caps = &mut state.caps[usize::from(contract)];
        let back = self.broken == Broken::TurnsPeriodBack && caps.period != period;
        let latest = if back { period } else { period.max(caps.period).max(of_dealer) };
        caps.reserve(latest);
        caps.spent += terms.price;
        if let Some(caps) = state.dealer_caps.get_mut(usize::from(dealer)) {
            caps.reserve(latest);
        }
        let made = state.assignments.len() as Id;
        let seats = self.world.seats;
        let lead = state.write_lead(id);
        if lead.holders.is_empty() && lead.lost_seats == 0 {
            lead.seats = seats;
        }
        lead.holders.insert(made);
        lead.stage = Stage::Assigned;
        lead.waits = None;
        lead.due = Due::Never;
        let cycle = lead.cycle;
        state.assignments.push(Assignment {
            lead: id,
            cycle,
            contract,
            dealer,
            period: latest,
            state: AssignmentState::Offered,
            delivery: DeliveryState::Pending,
            attempts: 0,
            begun: false,
            claimed: false,
            unknown: false,
            due: if self.broken == Broken::NothingIsDue { Due::Never } else { Due::Soon },
            clock: 0,
            warned: false,
            request: Return::None,
            charges: 0,
            credits: 0,
            withdrawal: Withdrawal::None,
            may_hold: false,
            told: false,
            accepted: false,
            given_back: 0,
        });
        Message::Assignment(made)
    }
}

impl Caps {
    /// One more of a period, which is turned to if it is another.
    fn reserve(&mut self, period: u8) {
        if self.period == period {
            self.used += 1;
        } else {
            self.period = period;
            self.used = 1;
        }
    }
}
