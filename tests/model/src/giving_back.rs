//! A seat comes back: the assignment's new state, the slot and the money, the credit, the lead, and the
//! waiting room's waking, all in one commit; so it happens once.

use leadyard_domain::lead::AssignmentState;
use leadyard_domain::lead::Stage;

use crate::Protocol;
use crate::state::{Due, Hand, Id, Message, Set, State, Wake, Withdrawal};
use crate::world::Broken;

impl Protocol {
    /// Commits it. What follows: distribution again, and waking.
    pub(crate) fn give_back(&self, state: &mut State, of: Id, to: AssignmentState) -> Vec<Message> {
        let lead_id = state.lead_of(of);
        let seat = *state.assignment(of);
        let caps = &mut state.caps[usize::from(seat.contract)];
        let kept = to == AssignmentState::Lapsed && self.broken == Broken::LapseKeepsTheSlot;
        if !kept {
            let runs = caps.period == seat.period || self.broken == Broken::GivesBackToAnyPeriod;
            if runs && caps.used > 0 {
                caps.used -= 1;
            }
            caps.spent = caps.spent.saturating_sub(self.world.contracts[usize::from(seat.contract)].price);
            if let Some(caps) = state.dealer_caps.get_mut(usize::from(seat.dealer)) {
                let runs = caps.period == seat.period && self.broken != Broken::KeepsTheDealersSlot;
                if runs && caps.used > 0 {
                    caps.used -= 1;
                }
            }
        }
        let no_credit = to == AssignmentState::Declined && self.broken == Broken::DeclineWithoutCredit;
        let one = state.write_assignment(of);
        one.state = to;
        one.due = Due::Never;
        one.given_back += 1;
        if one.charges > one.credits && !no_credit {
            one.credits += 1;
        }
        // Its own word, or only masked until then: such a dealer does not hold the lead.
        if to != AssignmentState::Withdrawn {
            one.may_hold = false;
        }
        let mut send = Vec::new();
        if let Some(lead_id) = lead_id {
            let lead = state.write_lead(lead_id);
            lead.holders.remove(of);
            lead.excluded.insert(seat.dealer);
            if !lead.stage.closed() {
                lead.stage = Stage::Received;
                lead.waits = None;
                lead.due = Due::Soon;
            }
            send.push(Message::Lead(lead_id));
        }
        let wakes = lead_id.is_some() || self.broken != Broken::OldCycleWakesNobody;
        if wakes && self.broken != Broken::ForgetsToWake {
            slot_comes_free(state, seat.dealer);
            send.push(Message::Wake);
        }
        send
    }

    /// What a withdrawal that did not arrive leaves behind, in the same commit.
    pub(crate) fn withdrawal_goes_on(state: &mut State, of: Id) {
        state.write_assignment(of).withdrawal = Withdrawal::Pending;
    }
}

fn slot_comes_free(state: &mut State, dealer: Id) {
    let wake = state.wake.get_or_insert(Wake { slots: 0, dealers: Set::default() });
    wake.slots += 1;
    wake.dealers.insert(dealer);
    for hand in &mut state.hands {
        match hand {
            Hand::Waking { fresh, .. } => *fresh = false,
            Hand::Distributing { before_slot, .. } => *before_slot = true,
            Hand::Attempting { .. } | Hand::TakingBack { .. } | Hand::Changing { .. } => {}
        }
    }
}
