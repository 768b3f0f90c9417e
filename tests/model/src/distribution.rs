//! Distribution: a lead is read and decided on, and the decision is one commit. And waking.

use leadyard_domain::lead::Stage;

use crate::state::{Assignment, Due, Hand, Id, Lead, Message, Plan, Reason, Return, Set, State, Withdrawal};
use crate::world::{Broken, World};
use crate::{Next, Protocol};
use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::lead::AssignmentState;

/// Who gets the lead, by the counters as they stand and a clock in this period.
pub(crate) fn decide(world: &World, broken: Broken, state: &State, lead: &Lead, id: Id, period: u8) -> Plan {
    let holds = |dealer: Id| lead.holders.iter().any(|of| state.assignment(of).dealer == dealer);
    let had = |dealer: Id| {
        let excluded = lead.excluded.contains(dealer) && broken != Broken::ForgetsWhoHadIt;
        excluded || holds(dealer)
    };
    let refuses = |dealer: Id| {
        let contract = &world.dealers[usize::from(dealer)];
        let caps = &state.caps[usize::from(dealer)];
        // A period that another's clock has turned already counts too.
        let used = if caps.period >= period { caps.used } else { 0 };
        if had(dealer) {
            Some(Reason::Excluded)
        } else if used >= contract.cap {
            Some(Reason::Cap)
        } else if caps.spent + contract.price > contract.budget {
            Some(Reason::Budget)
        } else {
            None
        }
    };
    let rerouted = !lead.excluded.is_empty() && broken == Broken::ReroutesAroundTerritory;
    let territory = world.protected.iter().find(|(of, _)| *of == id).filter(|_| !rerouted);
    if let Some((_, dealer)) = territory {
        return match refuses(*dealer) {
            None => Plan::Assign(Set::from_iter([*dealer])),
            Some(reason) => Plan::Wait(reason),
        };
    }
    let seats = if lead.seats == 0 { world.seats } else { lead.seats };
    let free = seats.saturating_sub(lead.holders.len() + lead.lost_seats);
    let dealers = || 0..world.dealers.len() as Id;
    let chosen: Set = dealers().filter(|dealer| refuses(*dealer).is_none()).take(usize::from(free)).collect();
    if chosen.is_empty() {
        let nearest = dealers().filter_map(refuses).max();
        return Plan::Wait(nearest.unwrap_or(Reason::Excluded));
    }
    Plan::Assign(chosen)
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
        let mut seen = [0; 3];
        for (seen, caps) in seen.iter_mut().zip(&state.caps) {
            *seen = caps.period;
        }
        Some(Hand::Distributing {
            lead: id,
            plan,
            period: state.period,
            seen,
            fresh: true,
            before_slot: false,
        })
    }

    /// Commits a decision; what is refused is looked at again.
    pub(crate) fn distribute(
        &self,
        state: &mut State,
        lead: Id,
        plan: Plan,
        period: u8,
        seen: [u8; 3],
        fresh: bool,
    ) -> Next {
        let assigns = matches!(plan, Plan::Assign(_));
        let unchanged = fresh || assigns && self.broken == Broken::AssignsWithoutVersion;
        let again = |state: &State| self.look(state, lead).map_or_else(Next::done, Next::goes_on);
        if !unchanged {
            return again(state);
        }
        match plan {
            Plan::Assign(dealers) => {
                if !dealers.iter().all(|dealer| self.allowed(state, dealer, period, seen)) {
                    return again(state);
                }
                let send = dealers.iter().map(|dealer| self.give(state, lead, dealer, period)).collect();
                return Next::sends(send);
            }
            Plan::Wait(reason) => {
                let turned = state.period > period;
                let lead = state.write_lead(lead);
                let due = match reason {
                    Reason::Cap if turned => Due::Soon,
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

    /// The conditions on the caps item: it is in the period that was read; if that runs, the cap is not
    /// full; and there is money.
    fn allowed(&self, state: &State, dealer: Id, period: u8, seen: [u8; 3]) -> bool {
        let contract = &self.world.dealers[usize::from(dealer)];
        let caps = &state.caps[usize::from(dealer)];
        let seen = seen[usize::from(dealer)];
        let room = caps.used < contract.cap || seen < period || self.broken == Broken::CapIsNoCondition;
        let money = caps.spent + contract.price <= contract.budget;
        if self.broken == Broken::TurnsPeriodBack && caps.period > period {
            return money;
        }
        caps.period == seen && room && (money || self.broken == Broken::BudgetIsNoCondition)
    }

    /// Gives a seat: lead, caps and assignment at once. The message to delivery.
    fn give(&self, state: &mut State, id: Id, dealer: Id, period: u8) -> Message {
        let caps = &mut state.caps[usize::from(dealer)];
        let back = self.broken == Broken::TurnsPeriodBack && caps.period != period;
        if caps.period < period || back {
            caps.period = period;
            caps.used = 1;
        } else {
            caps.used += 1;
        }
        caps.spent += self.world.dealers[usize::from(dealer)].price;
        let reserved = caps.period;
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
            dealer,
            period: reserved,
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

    /// Reads whom to wake: of those who wait, twice as many as slots came free, and only who would not wait all the
    /// same and whom a slot's dealer may take.
    pub(crate) fn choose_whom_to_wake(&self, state: &State) -> Option<Hand> {
        let wake = state.wake?;
        let waits = state.leads.iter().enumerate().filter(|(_, lead)| lead.stage == Stage::Waiting);
        let assigned = |id: usize, lead: &Lead| {
            matches!(decide(&self.world, self.broken, state, lead, id as Id, state.period), Plan::Assign(_))
        };
        let takers = waits.filter(|(id, lead)| {
            wake.dealers.iter().any(|dealer| !lead.excluded.contains(dealer)) && assigned(*id, lead)
        });
        let leads = takers.map(|(id, _)| id as Id).take(2 * usize::from(wake.slots)).collect();
        Some(Hand::Waking { leads, fresh: true })
    }

    /// Makes those due and sends them to distribution; then forgets the wake, unless more slots came free
    /// meanwhile.
    pub(crate) fn wake(&self, state: &mut State, leads: Set, fresh: bool) -> Next {
        let next = self.wake_them(state, leads);
        if fresh || self.broken == Broken::WakeIsDoneForGood {
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
