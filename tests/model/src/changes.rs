//! Changes of one assignment with its lead: the dealer's answers, the desk's word, the deadline. Each
//! reads both, and commits on condition that neither was written since; refused, it looks again.

use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::lead::{Answer, Answered, AssignmentState, Stage};

use crate::state::{Change, Due, Hand, Id, Message, Return, State};
use crate::world::{Broken, Contract};
use crate::{Next, Protocol};

impl Protocol {
    pub(crate) fn contract(&self, state: &State, of: Id) -> &Contract {
        &self.world.contracts[usize::from(state.assignment(of).contract)]
    }

    /// Whether a change fits an assignment as it stands.
    pub(crate) fn fits(&self, state: &State, of: Id, change: Change) -> bool {
        let seat = state.assignment(of);
        let received = seat.delivery == DeliveryState::Received;
        let ended = matches!(seat.delivery, DeliveryState::NotReceived | DeliveryState::Unknown);
        let under_deadline =
            received && seat.state == AssignmentState::Offered && self.contract(state, of).deadline;
        match change {
            Change::Rest => {
                let nothing_next = received && !under_deadline || !seat.state.holds();
                nothing_next && seat.due != Due::Never
            }
            Change::Warn => under_deadline && seat.clock >= 1 && !seat.warned,
            Change::Lapse => under_deadline && seat.clock == 2,
            Change::Answer(answer) => {
                let refused = ended && seat.state.holds() && answer != Answer::Decline;
                let refused = refused && self.broken != Broken::AnswersAfterTheEnd;
                !refused && matches!(seat.state.answer(answer), Answered::To(_))
            }
            Change::AskReturn => {
                received && seat.state.holds() && seat.charges > seat.credits && seat.request == Return::None
            }
            Change::Approve | Change::Deny => {
                received && seat.state.holds() && seat.request == Return::Requested
            }
            // Not while an attempt is under way: it might arrive after its withdrawal.
            Change::TakeBack => {
                let alone = !seat.claimed || self.broken == Broken::TakesBackUnderWay;
                seat.state.holds() && !ended && alone
            }
        }
    }

    /// Commits a change, or looks again.
    pub(crate) fn change(&self, state: &mut State, of: Id, change: Change, fresh: bool) -> Next {
        let careless = match change {
            Change::Lapse => self.broken == Broken::LapsesAfterAccept,
            Change::Approve => self.broken == Broken::CreditsTwice,
            Change::Rest
            | Change::Warn
            | Change::Answer(_)
            | Change::AskReturn
            | Change::Deny
            | Change::TakeBack => false,
        };
        if !fresh && !careless {
            return if self.fits(state, of, change) {
                Next::goes_on(Hand::Changing { of, change, fresh: true })
            } else {
                Next::done()
            };
        }
        match change {
            Change::Rest => state.write_assignment(of).due = Due::Never,
            Change::Warn => state.write_assignment(of).warned = true,
            Change::Lapse => return Next::sends(self.give_back(state, of, AssignmentState::Lapsed)),
            Change::Answer(answer) => return self.answer(state, of, answer),
            Change::AskReturn => state.write_assignment(of).request = Return::Requested,
            Change::Approve => {
                let again = state.assignment(of).state == AssignmentState::Returned;
                if again {
                    // Only where the state is no condition.
                    state.write_assignment(of).credits += 1;
                    return Next::done();
                }
                return Next::sends(self.give_back(state, of, AssignmentState::Returned));
            }
            Change::Deny => state.write_assignment(of).request = Return::Denied,
            Change::TakeBack => {
                // The dealer can answer no more; delivery does the rest, as after a final failure.
                let seat = state.write_assignment(of);
                seat.delivery = DeliveryState::Unknown;
                seat.due = Due::Soon;
                return Next::sends(vec![Message::Assignment(of)]);
            }
        }
        Next::done()
    }

    /// Commits an answer that fits.
    pub(crate) fn answer(&self, state: &mut State, of: Id, answer: Answer) -> Next {
        let Answered::To(to) = state.assignment(of).state.answer(answer) else { return Next::done() };
        if to == AssignmentState::Declined {
            return Next::sends(self.give_back(state, of, to));
        }
        let again = self.broken == Broken::SettlesTwice;
        let seat = state.write_assignment(of);
        seat.state = to;
        // An answer proves that the dealer has it, whatever became of our attempts.
        seat.delivery = DeliveryState::Received;
        seat.due = Due::Never;
        seat.accepted = true;
        seat.may_hold = true;
        if seat.charges == 0 || again {
            seat.charges += 1;
        }
        if let Some(id) = state.lead_of(of) {
            outcome(state, id, of, to);
        }
        Next::done()
    }
}

/// Won as soon as one has won, lost when the last has lost, unless another's seat has come back and is to be given
/// still; a seat that another lost stays given.
fn outcome(state: &mut State, id: Id, of: Id, to: AssignmentState) {
    let dealer = state.assignment(of).dealer;
    let lead = *state.lead(id);
    let mut others = lead.holders;
    others.remove(of);
    match to {
        AssignmentState::Won if !lead.stage.closed() => close(state, id, Stage::Won),
        AssignmentState::Lost if !others.is_empty() || lead.stage == Stage::Received => {
            let lead = state.write_lead(id);
            if lead.holders.remove(of) {
                lead.lost_seats += 1;
                lead.excluded.insert(dealer);
            }
        }
        AssignmentState::Lost if !lead.stage.closed() => close(state, id, Stage::Lost),
        AssignmentState::Offered
        | AssignmentState::Accepted
        | AssignmentState::Declined
        | AssignmentState::Lapsed
        | AssignmentState::Returned
        | AssignmentState::Withdrawn
        | AssignmentState::Contacted
        | AssignmentState::Won
        | AssignmentState::Lost => {}
    }
}

fn close(state: &mut State, id: Id, stage: Stage) {
    let lead = state.write_lead(id);
    lead.stage = stage;
    lead.waits = None;
    lead.due = Due::Never;
}
