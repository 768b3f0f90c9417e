//! Delivery: attempts, each claimed before it is made; settlement; final failure, after which the lead
//! is taken back, its dealer told first where it may have it.

use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::delivery::End;
use leadyard_domain::lead::AssignmentState;

use crate::state::{Attempt, Change, Due, Hand, Id, Message, State, Told, Withdrawal};
use crate::world::Broken;
use crate::{Next, Protocol};

impl Protocol {
    /// Reads an assignment and sees what is next about it.
    pub(crate) fn deliver(&self, state: &State, of: Id) -> Option<Hand> {
        let seat = state.assignment(of);
        let changing = |change| Some(Hand::Changing { of, change, fresh: true });
        match seat.delivery {
            DeliveryState::Received if self.fits(state, of, Change::Lapse) => changing(Change::Lapse),
            DeliveryState::Received if self.fits(state, of, Change::Warn) => changing(Change::Warn),
            DeliveryState::NotReceived | DeliveryState::Unknown if seat.state.holds() => {
                Some(Hand::TakingBack { of, told: Told::No, fresh: false })
            }
            DeliveryState::Pending if seat.state.holds() => {
                let alone = !seat.claimed || self.broken == Broken::AttemptsWithoutClaim;
                alone.then_some(Hand::Attempting { of, next: Attempt::Claim { fresh: true } })
            }
            DeliveryState::Received
            | DeliveryState::NotReceived
            | DeliveryState::Unknown
            | DeliveryState::Pending => {
                if self.fits(state, of, Change::Rest) {
                    changing(Change::Rest)
                } else {
                    None
                }
            }
        }
    }

    /// Keeps that an attempt begins; one that had begun and has not ended is taken for unknown.
    pub(crate) fn claim(&self, state: &mut State, of: Id, fresh: bool) -> Next {
        if self.broken == Broken::AttemptsWithoutClaim {
            let number = state.assignment(of).attempts + 1;
            return Next::goes_on(Hand::Attempting { of, next: Attempt::Post(number) });
        }
        // Somebody else was quicker: an attempt, or an answer.
        if !fresh {
            return Next::done();
        }
        let most = self.world.attempts;
        let seat = state.write_assignment(of);
        seat.unknown |= seat.begun;
        seat.begun = false;
        if seat.attempts >= most {
            self.is_final(state, of);
            return Next::goes_on(Hand::TakingBack { of, told: Told::No, fresh: false });
        }
        seat.attempts += 1;
        seat.begun = true;
        seat.claimed = true;
        seat.due = Due::Soon;
        Next::goes_on(Hand::Attempting { of, next: Attempt::Post(seat.attempts) })
    }

    /// Posts, which ends so.
    pub(crate) fn post(state: &mut State, of: Id, number: u8, end: End) -> Next {
        let seat = &mut state.assignments[usize::from(of)];
        // A dealer that gave it back, or never saw more than a mask, holds nothing by a late post.
        let said_no = matches!(
            seat.state,
            AssignmentState::Declined | AssignmentState::Lapsed | AssignmentState::Returned
        );
        seat.may_hold |= end != End::NotReceived && !said_no;
        Next::goes_on(Hand::Attempting { of, next: Attempt::Record(number, end) })
    }

    /// Keeps how an attempt ended, whoever wrote the assignment since, and does what follows. If the
    /// dealer's answer or a later attempt was quicker, nothing follows.
    pub(crate) fn record(&self, state: &mut State, of: Id, number: u8, end: End) -> Next {
        let most = self.world.attempts;
        let at_acceptance =
            self.contract(state, of).deadline && self.broken != Broken::ChargesBeforeAcceptance;
        let seat = state.write_assignment(of);
        if self.broken == Broken::AttemptsWithoutClaim {
            seat.attempts = seat.attempts.max(number);
        }
        let newest = seat.attempts == number;
        if newest {
            seat.begun = false;
            seat.claimed = false;
        }
        seat.unknown |= end == End::Unknown;
        let speaks =
            seat.delivery == DeliveryState::Pending && seat.state.holds() && (newest || end == End::Received);
        if !speaks {
            return Next::done();
        }
        if end == End::Received {
            seat.delivery = DeliveryState::Received;
            seat.begun = false;
            seat.claimed = false;
            // From here the deadline is what is due.
            let waits = self.world.contracts[usize::from(seat.contract)].deadline
                && seat.state == AssignmentState::Offered;
            seat.due = if waits { Due::Soon } else { Due::Never };
            if !at_acceptance {
                seat.charges += 1;
            }
            return Next::done();
        }
        seat.due = Due::Soon;
        if seat.attempts < most {
            return Next::sends(vec![Message::Assignment(of)]);
        }
        self.is_final(state, of);
        Next::goes_on(Hand::TakingBack { of, told: Told::No, fresh: false })
    }

    fn is_final(&self, state: &mut State, of: Id) {
        let seat = &mut state.assignments[usize::from(of)];
        let unknown = seat.unknown && self.broken != Broken::UnknownIsNotReceived;
        seat.delivery = if unknown { DeliveryState::Unknown } else { DeliveryState::NotReceived };
        seat.claimed = false;
        seat.due = Due::Soon;
    }

    /// Looks before taking back; `arrives` says how the withdrawal ends, where there is one. Once for
    /// every look: what the commit is refused for is looked at again.
    pub(crate) fn look_back(&self, state: &mut State, of: Id, told: Told, arrives: bool) -> Next {
        let seat = *state.assignment(of);
        if !seat.state.holds() {
            return Next::done();
        }
        let tells = told == Told::No && self.broken != Broken::MovesWithoutWithdrawal;
        let told = match seat.delivery {
            DeliveryState::Pending | DeliveryState::Received => return Next::done(),
            DeliveryState::Unknown if tells => {
                let seat = &mut state.assignments[usize::from(of)];
                seat.may_hold = false;
                seat.told = true;
                if arrives { Told::Arrived } else { Told::Tried }
            }
            DeliveryState::Unknown | DeliveryState::NotReceived => told,
        };
        Next::goes_on(Hand::TakingBack { of, told, fresh: true })
    }

    /// Commits the taking back.
    pub(crate) fn take_back(&self, state: &mut State, of: Id, told: Told) -> Next {
        let send = self.give_back(state, of, AssignmentState::Withdrawn);
        if told == Told::Tried {
            Self::withdrawal_goes_on(state, of);
        }
        Next::sends(send)
    }

    /// Whether taking back comes to its commit next; if not, it looks (again).
    pub(crate) fn commits_taking_back(&self, state: &State, of: Id, told: Told, fresh: bool) -> bool {
        let untold = told == Told::No && state.assignment(of).delivery == DeliveryState::Unknown;
        let careless = self.broken == Broken::GivesBackWithoutState && !untold;
        fresh || careless
    }

    /// A withdrawal is tried again: it arrives, or a day is over.
    pub(crate) fn withdraw_again(state: &mut State, of: Id) {
        if state.assignment(of).withdrawal == Withdrawal::Pending {
            state.assignments[usize::from(of)].withdrawal = Withdrawal::Ended;
        }
    }
}
