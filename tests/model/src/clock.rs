//! What time alone makes happen: the sweep, claims that end, midnight, the end of the window of repeats
//! and what a person may do after it.
//!
//! What is due soon comes due at any moment, unless its message is there already: then the sweep would
//! only add a duplicate.

use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::lead::{AssignmentState, Stage};

use crate::state::{Attempt, Due, Hand, Id, Lead, Message, Set, State, Withdrawal};
use crate::world::Broken;
use crate::{Action, Protocol};

impl Protocol {
    /// What time alone makes happen.
    pub(crate) fn time(state: &State, actions: &mut Vec<Action>) {
        let leads = state.leads.iter().enumerate().filter(|(_, lead)| lead.due == Due::Soon);
        let leads = leads.map(|(id, _)| Message::Lead(id as Id));
        let assignments = state.assignments().filter(|(_, one)| one.due == Due::Soon);
        let assignments = assignments.map(|(id, _)| Message::Assignment(id));
        let withdrawals = state.assignments().filter(|(_, one)| one.withdrawal == Withdrawal::Pending);
        let withdrawals = withdrawals.map(|(id, _)| Message::Withdrawal(id));
        let wake = state.wake.map(|_| Message::Wake);
        let wake_at = state.timed_wake_is_due().then_some(Message::WakeAt);
        let after = after_the_best(state).map(Message::Lead);
        for due in leads.chain(assignments).chain(withdrawals).chain(wake).chain(wake_at).chain(after) {
            let at_work = state.hands.iter().any(|hand| hand.message() == Some(due));
            if !state.queue.contains(&due) && (!at_work || state.left.duplicates > 0) {
                actions.push(Action::Sweep(due));
            }
        }
        // It makes a difference only to a message that is there, and to the desk; the sweep comes later.
        let desk = state.left.take_backs > 0;
        let waits = |id: Id| desk || state.queue.contains(&Message::Assignment(id));
        let claimed = state.assignments().filter(|(id, one)| one.claimed && waits(*id));
        actions.extend(claimed.map(|(id, _)| Action::ClaimEnds(id)));
        if state.left.turns > 0 {
            actions.push(Action::PeriodTurns);
        }
        for (id, lead) in state.leads.iter().enumerate() {
            if state.left.windows > 0 && !lead.window_over {
                actions.push(Action::WindowEnds(id as Id));
            }
            if state.left.repeats > 0 && lead.window_over {
                actions.push(Action::AsksAgain(id as Id));
            }
        }
    }

    /// The sweep: an overdue item is claimed by moving its due time, and put on its queue.
    pub(crate) fn sweep(&self, state: &mut State, due: Message) {
        if let Message::Assignment(of) = due {
            let offered = state.assignment(of).state == AssignmentState::Offered;
            let received = state.assignment(of).delivery == DeliveryState::Received;
            let seat = &mut state.assignments[usize::from(of)];
            if offered && received && self.world.contracts[usize::from(seat.contract)].deadline {
                // What was due is the warning, and after it the deadline.
                seat.clock = if seat.warned { 2 } else { 1 };
            }
            self.claim_ends(state, of);
        }
        if self.broken != Broken::SweepDoesNotRequeue {
            state.send(due);
        }
    }

    /// An attempt that was begun too slowly is not made any more.
    pub(crate) fn claim_ends(&self, state: &mut State, of: Id) {
        state.assignments[usize::from(of)].claimed = false;
        if self.broken != Broken::OutlivesItsClaim {
            state.hands.retain(
                |hand| !matches!(hand, Hand::Attempting { of: one, next: Attempt::Post(_) } if *one == of),
            );
        }
    }
}

/// Who looks for itself a few minutes after the period began: by then the best have been woken, and whoever was woken
/// has been looked at. That is an assumption about time, and it decides who comes first; nobody's rest hangs on it.
fn after_the_best(state: &State) -> impl Iterator<Item = Id> {
    let waking = state.hands.iter().any(|hand| matches!(hand, Hand::Waking { timed: true, .. }));
    let woken = |lead: &Lead| lead.stage == Stage::Waiting && lead.due == Due::Soon;
    let early = state.timed_wake_is_due() || waking || state.leads.iter().any(woken);
    let leads =
        state.leads.iter().enumerate().filter(move |(_, lead)| lead.due == Due::AfterTheBest && !early);
    leads.map(|(id, _)| id as Id)
}

/// Midnight: the best of those who wait for the next period are woken, and after them the others look for themselves.
pub(crate) fn period_turns(state: &mut State) {
    state.left.turns -= 1;
    state.period += 1;
    for lead in &mut state.leads {
        if lead.due == Due::NextPeriod {
            lead.due = Due::AfterTheBest;
        }
        lead.waited_over |= lead.stage == Stage::Waiting;
    }
}

/// The window of repeats ends: who waits expires.
pub(crate) fn window_ends(state: &mut State, id: Id) {
    state.left.windows -= 1;
    let lead = &mut state.leads[usize::from(id)];
    lead.window_over = true;
    if lead.stage == Stage::Waiting {
        lead.due = Due::Soon;
    }
}

/// The person asks again after it: the next cycle opens, whoever holds the last.
pub(crate) fn asks_again(state: &mut State, id: Id) {
    state.left.repeats -= 1;
    let lead = state.write_lead(id);
    *lead = Lead::opened(lead.cycle + 1);
    state.send(Message::Lead(id));
}

impl Lead {
    /// A cycle as an enquiry opens it.
    pub(crate) fn opened(cycle: u8) -> Self {
        Self {
            stage: Stage::Received,
            waits: None,
            cycle,
            holders: Set::default(),
            excluded: Set::default(),
            seats: 0,
            lost_seats: 0,
            due: Due::Soon,
            window_over: false,
            waited: false,
            waited_over: false,
        }
    }
}
