//! What must hold in every state, what must hold wherever the world is at rest, and what must be seen
//! somewhere, so that the worlds are not empty.

use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::lead::{AssignmentState, Stage};
use stateright::Property;

use crate::state::{Assignment, Due, Hand, Id, Plan, Reason, State, Withdrawal};
use crate::waking::FOR_A_SLOT;
use crate::world::Broken;
use crate::{Protocol, distribution};

/// Whether a seat was given and has come back.
pub(crate) const fn came_back(state: AssignmentState) -> bool {
    matches!(
        state,
        AssignmentState::Declined
            | AssignmentState::Lapsed
            | AssignmentState::Returned
            | AssignmentState::Withdrawn
    )
}

/// What must hold always; each with its name.
pub(crate) fn always() -> Vec<Property<Protocol>> {
    vec![
        Property::always("never more holders than seats", seats_are_kept),
        Property::always("never over a cap", caps_are_kept),
        Property::always("never over a budget", budgets_are_kept),
        Property::always("never around a protected territory", territories_are_kept),
        Property::always("no slot is given back twice", given_back_once),
        Property::always("slots are conserved", slots_are_conserved),
        Property::always("a period is not turned back", periods_go_on),
        Property::always("money is conserved", money_is_conserved),
        Property::always("charges less credits are what is owed", charges_add_up),
        Property::always("nobody has a lead twice in a cycle", nobody_twice),
        Property::always("who was told of a withdrawal does not go on holding", told_is_told),
        Property::always("what was accepted does not lapse", accepted_stays),
        Property::always("a cycle expires in nobody's hands", expires_in_nobodys_hands),
        Property::always("who waits behind twice the slots of a period does not come first", in_line),
        Property::always("at rest every cycle is held, waits with a true reason, or is closed", rests_well),
    ]
}

fn seats_are_kept(protocol: &Protocol, state: &State) -> bool {
    state.leads.iter().enumerate().all(|(id, lead)| {
        (0..=lead.cycle).all(|cycle| {
            let of = state.assignments.iter().filter(|one| one.lead == id as Id && one.cycle == cycle);
            let hold = of.filter(|one| one.state.holds() || one.may_hold).count();
            hold <= usize::from(protocol.world.seats)
        })
    })
}

/// What counts of a period, of those that this is asked of.
fn counts(state: &State, is: impl Fn(&Assignment) -> bool, period: u8) -> usize {
    let of = state.assignments.iter().filter(|one| one.period == period && is(one));
    of.filter(|one| !came_back(one.state)).count()
}

fn contracts(protocol: &Protocol) -> impl Iterator<Item = Id> {
    0..protocol.world.contracts.len() as Id
}

/// The dealers who have a cap of their own.
fn dealers(protocol: &Protocol) -> impl Iterator<Item = Id> {
    0..protocol.world.dealer_caps.len() as Id
}

fn caps_are_kept(protocol: &Protocol, state: &State) -> bool {
    let of_contracts = contracts(protocol).all(|contract| {
        let cap = usize::from(protocol.world.contracts[usize::from(contract)].cap);
        (0..=state.period).all(|period| counts(state, |one| one.contract == contract, period) <= cap)
    });
    let of_dealers = dealers(protocol).all(|dealer| {
        let cap = usize::from(protocol.world.dealer_caps[usize::from(dealer)]);
        (0..=state.period).all(|period| counts(state, |one| one.dealer == dealer, period) <= cap)
    });
    of_contracts && of_dealers
}

fn spent(protocol: &Protocol, state: &State, contract: Id) -> u8 {
    let of = state.assignments.iter().filter(|one| one.contract == contract && !came_back(one.state));
    of.count() as u8 * protocol.world.contracts[usize::from(contract)].price
}

fn budgets_are_kept(protocol: &Protocol, state: &State) -> bool {
    contracts(protocol).all(|contract| {
        spent(protocol, state, contract) <= protocol.world.contracts[usize::from(contract)].budget
    })
}

fn territories_are_kept(protocol: &Protocol, state: &State) -> bool {
    state.assignments.iter().all(|one| {
        let territory = protocol.world.protected.iter().find(|(lead, _)| *lead == one.lead);
        territory.is_none_or(|(_, contract)| *contract == one.contract)
    })
}

fn given_back_once(_: &Protocol, state: &State) -> bool {
    state.assignments.iter().all(|one| one.given_back <= 1)
}

/// Reserved is settled and open; what was given back is not counted.
fn slots_are_conserved(protocol: &Protocol, state: &State) -> bool {
    let of_contracts = contracts(protocol).all(|contract| {
        let caps = &state.caps[usize::from(contract)];
        usize::from(caps.used) == counts(state, |one| one.contract == contract, caps.period)
    });
    let of_dealers = dealers(protocol).all(|dealer| {
        let caps = &state.dealer_caps[usize::from(dealer)];
        usize::from(caps.used) == counts(state, |one| one.dealer == dealer, caps.period)
    });
    of_contracts && of_dealers
}

/// The counters are in the latest period that anything was reserved from.
fn periods_go_on(protocol: &Protocol, state: &State) -> bool {
    let latest = |is: &dyn Fn(&Assignment) -> bool| {
        let of = state.assignments.iter().filter(|one| is(one));
        of.map(|one| one.period).max().unwrap_or(0)
    };
    let of_contracts = contracts(protocol)
        .all(|contract| state.caps[usize::from(contract)].period == latest(&|one| one.contract == contract));
    let of_dealers = dealers(protocol)
        .all(|dealer| state.dealer_caps[usize::from(dealer)].period == latest(&|one| one.dealer == dealer));
    of_contracts && of_dealers
}

fn money_is_conserved(protocol: &Protocol, state: &State) -> bool {
    contracts(protocol)
        .all(|contract| state.caps[usize::from(contract)].spent == spent(protocol, state, contract))
}

fn charges_add_up(protocol: &Protocol, state: &State) -> bool {
    state.assignments.iter().all(|one| {
        let stands = i16::from(one.charges) - i16::from(one.credits);
        let deadline = protocol.world.contracts[usize::from(one.contract)].deadline;
        let settled = if deadline { one.accepted } else { one.delivery == DeliveryState::Received };
        // While it is being taken back, what was settled stands until the seat has come back.
        let on_its_way_back = one.delivery == DeliveryState::Unknown && !came_back(one.state);
        let owed = i16::from(settled && !came_back(one.state));
        stands == owed || on_its_way_back && (stands == 0 || stands == 1)
    })
}

fn nobody_twice(_: &Protocol, state: &State) -> bool {
    let same = |a: &Assignment, b: &Assignment| (a.lead, a.cycle, a.dealer) == (b.lead, b.cycle, b.dealer);
    state
        .assignments
        .iter()
        .enumerate()
        .all(|(at, one)| !state.assignments.iter().skip(at + 1).any(|other| same(one, other)))
}

fn told_is_told(_: &Protocol, state: &State) -> bool {
    let holds = |one: &Assignment| one.delivery == DeliveryState::Received && one.state.holds();
    state.assignments.iter().all(|one| !(one.told && holds(one)))
}

fn accepted_stays(_: &Protocol, state: &State) -> bool {
    state.assignments.iter().all(|one| !(one.accepted && one.state == AssignmentState::Lapsed))
}

fn expires_in_nobodys_hands(_: &Protocol, state: &State) -> bool {
    state.leads.iter().all(|lead| lead.stage != Stage::Expired || lead.holders.is_empty())
}

/// Of those who waited when the period turned, whoever has a slot of it left fewer behind than are woken for them.
fn in_line(protocol: &Protocol, state: &State) -> bool {
    let waited = |id: Id| state.lead(id).waited_over;
    state.assignments.iter().filter(|one| one.period > 0 && waited(one.lead)).all(|one| {
        let before = (0..one.lead).filter(|id| waited(*id) && state.lead(*id).stage == Stage::Waiting);
        let slots = protocol.world.contracts[usize::from(one.contract)].cap;
        before.count() < usize::from(FOR_A_SLOT * slots)
    })
}

/// Whether nothing will happen any more unless somebody does something new, or a period turns: no
/// message is under way, nobody is at work, and nothing is due.
pub(crate) fn is_at_rest(state: &State) -> bool {
    let soon = |due: Due| matches!(due, Due::Soon | Due::AfterTheBest);
    state.queue.is_empty()
        && state.hands.is_empty()
        && state.wake.is_none()
        && !state.timed_wake_is_due()
        && !state.leads.iter().any(|lead| soon(lead.due))
        && !state.assignments.iter().any(|one| soon(one.due) || one.withdrawal == Withdrawal::Pending)
}

fn rests_well(protocol: &Protocol, state: &State) -> bool {
    if !is_at_rest(state) {
        return true;
    }
    let delivered = |one: &Assignment| one.delivery == DeliveryState::Received;
    let answered = |one: &Assignment| {
        let deadline = protocol.world.contracts[usize::from(one.contract)].deadline;
        !(deadline && one.state == AssignmentState::Offered)
    };
    let held = |one: &Assignment| one.state.holds() && delivered(one) && answered(one);
    let assignments = state.assignments.iter().all(|one| !one.state.holds() || held(one));
    assignments
        && state.leads.iter().enumerate().all(|(id, lead)| match lead.stage {
            Stage::Won | Stage::Lost | Stage::Expired | Stage::Rejected => true,
            Stage::Assigned => {
                !lead.holders.is_empty() && lead.holders.iter().all(|of| held(state.assignment(of)))
            }
            // Were it decided on now, it would wait: nobody's free slot was kept from it. One that waits
            // for the next period is looked at then.
            Stage::Waiting => {
                let plan = distribution::decide(
                    &protocol.world,
                    Broken::Nothing,
                    state,
                    lead,
                    id as Id,
                    state.period,
                );
                let looks = lead.due == Due::NextPeriod || state.wake_at.contains(state.period + 1);
                let woken = looks || lead.waits != Some(Reason::Cap);
                matches!(plan, Plan::Wait(_)) && lead.waits.is_some() && woken && !lead.window_over
            }
            Stage::Received | Stage::Quarantined | Stage::Nurturing => false,
        })
}

/// What must be seen somewhere in one of the worlds.
pub(crate) fn sometimes() -> Vec<Property<Protocol>> {
    vec![
        Property::sometimes("a deadline lapses", |_, state: &State| {
            state.assignments.iter().any(|one| one.state == AssignmentState::Lapsed)
        }),
        Property::sometimes("a return is approved", |_, state: &State| {
            state.assignments.iter().any(|one| one.state == AssignmentState::Returned)
        }),
        Property::sometimes(
            "a dealer who may have it is told before the next one has it",
            |_, state: &State| {
                let told =
                    |one: &Assignment| one.state == AssignmentState::Withdrawn && one.told && one.unknown;
                state.assignments.iter().any(|one| {
                    told(one) && state.assignments.iter().any(|next| next.lead == one.lead && next.may_hold)
                })
            },
        ),
        Property::sometimes("a withdrawal does not arrive at once", |_, state: &State| {
            state.assignments.iter().any(|one| one.withdrawal == Withdrawal::Ended)
        }),
        Property::sometimes("the desk takes back what was accepted", |_, state: &State| {
            state.assignments.iter().any(|one| one.accepted && one.state == AssignmentState::Withdrawn)
        }),
        Property::sometimes("a cap is full and a lead waits for it", |_, state: &State| {
            state.leads.iter().any(|lead| lead.waits == Some(Reason::Cap))
        }),
        Property::sometimes("a budget is spent and a lead waits", |_, state: &State| {
            state.leads.iter().any(|lead| lead.waits == Some(Reason::Budget))
        }),
        Property::sometimes("a lead that waited has a slot that came back", |_, state: &State| {
            state.assignments().any(|(_, back)| {
                came_back(back.state)
                    && state.assignments().any(|(of, one)| {
                        let same = (one.dealer, one.period) == (back.dealer, back.period);
                        same && one.lead != back.lead
                            && state.lead(one.lead).waited
                            && state.lead(one.lead).holders.contains(of)
                    })
            })
        }),
        Property::sometimes("a duplicate changes nothing", |protocol, state: &State| {
            protocol.world.faults.duplicates > state.left.duplicates
                && is_at_rest(state)
                && state.assignments.len() == state.leads.len()
                && state.leads.iter().all(|lead| lead.stage == Stage::Assigned)
        }),
        Property::sometimes("after a loss and a crash all is well", |protocol, state: &State| {
            let all = protocol.world.faults;
            all.losses > state.left.losses
                && all.crashes > state.left.crashes
                && is_at_rest(state)
                && state.leads.iter().all(|lead| lead.stage == Stage::Assigned)
        }),
        Property::sometimes("a slot of the next period is taken", |_, state: &State| {
            state.assignments.iter().any(|one| one.period > 0)
        }),
        Property::sometimes(
            "what was taken in a period that is over comes back to nobody",
            |_, state: &State| {
                state.assignments.iter().any(|one| {
                    came_back(one.state) && one.period < state.caps[usize::from(one.contract)].period
                })
            },
        ),
        Property::sometimes("a dealer has a lead again in its next cycle", |_, state: &State| {
            state.assignments.iter().any(|one| {
                one.cycle == 1
                    && state
                        .assignments
                        .iter()
                        .any(|old| (old.lead, old.cycle, old.dealer) == (one.lead, 0, one.dealer))
            })
        }),
        Property::sometimes("a dealer is full, and its contract is not", |protocol, state: &State| {
            let full = |contract: Id| {
                let terms = &protocol.world.contracts[usize::from(contract)];
                let own = terms.cap - state.caps[usize::from(contract)].used.min(terms.cap);
                own > 0 && distribution::left(&protocol.world, state, contract, state.period) == 0
            };
            contracts(protocol).any(full) && state.leads.iter().any(|lead| lead.waits == Some(Reason::Cap))
        }),
        Property::sometimes("a dealer has leads under both its contracts", |_, state: &State| {
            state.assignments.iter().any(|one| {
                let same = |other: &Assignment| other.dealer == one.dealer && other.contract != one.contract;
                state.assignments.iter().any(same)
            })
        }),
        Property::sometimes("who waits for the next period is woken at its start", |_, state: &State| {
            let is =
                |hand: &Hand| matches!(hand, Hand::Waking { timed: true, leads, .. } if !leads.is_empty());
            state.hands.iter().any(is)
        }),
        Property::sometimes("who is not woken looks for itself", |_, state: &State| {
            let waits = |id: Id| state.lead(id).waited_over && state.lead(id).due == Due::AfterTheBest;
            state.hands.iter().any(|hand| matches!(hand, Hand::Distributing { lead, .. } if waits(*lead)))
        }),
        Property::sometimes("two dealers share a lead", |_, state: &State| {
            state.leads.iter().any(|lead| lead.holders.len() == 2)
        }),
        Property::sometimes("a cycle expires", |_, state: &State| {
            state.leads.iter().any(|lead| lead.stage == Stage::Expired)
        }),
        Property::sometimes("a lead waits for its protected territory", |protocol, state: &State| {
            protocol.world.protected.iter().any(|(lead, _)| state.lead(*lead).stage == Stage::Waiting)
        }),
    ]
}
