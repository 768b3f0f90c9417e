//! The model's lead is the domain's: every short story of seats given, given back and lost is told to
//! both, and they end alike.

use jiff::Timestamp;
use leadyard_domain::contract::{Caps, Needs, Specificity};
use leadyard_domain::distribution::{Pass, Reservation, Rule, Seat, Waiting};
use leadyard_domain::ids::{
    AssignmentId, CategoryId, CompanyId, ContractId, DealerId, EnquiryId, OfferId, SourceId,
};
use leadyard_domain::lead::{Answer, Arrival, AssignmentState, Contactable, Lead, LeadScope, Stage};
use leadyard_domain::money::Money;
use stateright::Model;

use crate::Protocol;
use crate::state::{Id, Plan, Reason, Seen, Set, State};
use crate::world::Broken;
use crate::worlds::SHARED;

/// One turn of a story.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Given(Set),
    GivenBack(Id),
    Won(Id),
    Lost(Id),
    Waits,
}

fn turns() -> Vec<Turn> {
    let of = |dealer| [Turn::GivenBack(dealer), Turn::Won(dealer), Turn::Lost(dealer)];
    let given = (0..3).flat_map(|one| (one..3).map(move |other| Turn::Given(Set::from_iter([one, other]))));
    (0..3).flat_map(of).chain(given).chain([Turn::Waits]).collect()
}

fn at() -> Timestamp {
    Timestamp::from_second(1_780_000_000).unwrap()
}

fn dealer(id: Id) -> DealerId {
    DealerId::new(&format!("d{id}")).unwrap()
}

fn assignment(id: Id) -> AssignmentId {
    AssignmentId::from_bytes([id; 16])
}

fn seat(of: Id) -> Seat {
    Seat {
        contract: ContractId::new(&format!("c{of}")).unwrap(),
        dealer: dealer(of),
        price: Money::from_minor(100),
        seats: SHARED.seats,
        protected: false,
        patient_until: None,
        specificity: Specificity::Any,
        miles: None,
        reservation: Reservation::default(),
        contract_caps: Caps::default(),
        dealer_caps: Caps::default(),
        budget_month: None,
        prepaid: false,
        accept_by: None,
        again: true,
        pass: Pass::default(),
    }
}

fn lead() -> Lead {
    let category = CategoryId::new("roofing").unwrap();
    let arrival = Arrival {
        enquiry: EnquiryId::from_bytes([1; 16]),
        at: at(),
        person: Contactable::default(),
        offer: OfferId::new("roof-repair").unwrap(),
        category: category.clone(),
        source: SourceId::new("web").unwrap(),
        campaign: None,
        brings: Needs::NONE,
        certificate_warning: None,
        visitor: None,
    };
    Lead::open(CompanyId::new("acme").unwrap(), LeadScope::Category(category), &arrival)
}

/// The assignment by which a dealer holds the lead.
fn held_by(state: &State, dealer: Id) -> Option<Id> {
    state.lead(0).holders.iter().find(|of| state.assignment(*of).dealer == dealer)
}

/// Takes one turn in both, where it may be taken; whether it was.
fn take(protocol: &Protocol, state: &mut State, lead: &mut Lead, turn: Turn) -> bool {
    match turn {
        Turn::Given(of) => {
            let model = *state.lead(0);
            let free = protocol.world.seats - model.holders.len() - model.lost_seats;
            let had = of.iter().any(|of| model.excluded.contains(of) || held_by(state, of).is_some());
            if of.len() > free || had || !lead.wants_distribution() {
                return false;
            }
            let first = state.assignments.len() as Id;
            let seats: Vec<_> = of.iter().map(seat).zip((first..).map(assignment)).collect();
            lead.assign(&seats, None, at());
            protocol.distribute(state, 0, Plan::Assign(of), 0, Seen::default(), true);
        }
        Turn::Waits => {
            if !lead.wants_distribution() {
                return false;
            }
            // As distribution has it, where no territory keeps a seat.
            if lead.holders.is_empty() {
                lead.wait(Waiting::For(Rule::Cap), None, 30, at());
            } else {
                lead.rest_assigned();
            }
            protocol.distribute(state, 0, Plan::Wait(Reason::Cap), 0, Seen::default(), true);
        }
        Turn::GivenBack(of) => {
            let Some(held) = held_by(state, of) else { return false };
            lead.give_back(assignment(held), at());
            protocol.give_back(state, held, AssignmentState::Declined);
        }
        Turn::Won(of) | Turn::Lost(of) => {
            let Some(held) = held_by(state, of).filter(|_| !lead.stage.closed()) else { return false };
            let others = lead.holders.len() > 1;
            let answer = match turn {
                Turn::Won(_) => Answer::Won,
                Turn::Given(_) | Turn::GivenBack(_) | Turn::Lost(_) | Turn::Waits => Answer::Lost,
            };
            // As the console has it.
            if answer == Answer::Won {
                lead.close(Stage::Won, at());
            } else if others {
                lead.lose_seat(assignment(held));
            } else if lead.wants_distribution() {
                lead.lose_last_seat(assignment(held), at());
            } else {
                lead.close(Stage::Lost, at());
            }
            protocol.answer(state, held, answer);
        }
    }
    true
}

fn agree(state: &State, lead: &Lead) {
    let model = state.lead(0);
    let holders: Vec<DealerId> = model.holders.iter().map(|of| dealer(state.assignment(of).dealer)).collect();
    let mut said: Vec<DealerId> = lead.holders.iter().map(|holder| holder.dealer.clone()).collect();
    let mut excluded: Vec<DealerId> = lead.excluded.clone();
    said.sort_unstable();
    excluded.sort_unstable();
    let mut holders = holders;
    holders.sort_unstable();
    assert_eq!(model.stage, lead.stage);
    assert_eq!(holders, said);
    assert_eq!(model.excluded.iter().map(dealer).collect::<Vec<_>>(), excluded);
    assert_eq!(model.lost_seats, lead.lost_seats);
    assert_eq!(model.seats, lead.seats.map_or(0, |(seats, _)| seats));
    assert_eq!(model.waits.is_some(), lead.stage == Stage::Waiting);
    if model.stage == Stage::Received {
        assert!(model.due == crate::state::Due::Soon && lead.due.is_some(), "a lead to decide on is due");
    }
}

#[test]
fn the_models_lead_is_the_domains() {
    const TURNS: usize = 6;
    let protocol = Protocol { world: SHARED, broken: Broken::Nothing };
    let mut stories: Vec<(State, Lead)> =
        protocol.init_states().into_iter().map(|state| (state, lead())).collect();
    let mut told = 0;
    for _ in 0..TURNS {
        let mut next = Vec::new();
        for (state, lead) in &stories {
            for turn in turns() {
                let (mut state, mut lead) = (state.clone(), lead.clone());
                if take(&protocol, &mut state, &mut lead, turn) {
                    agree(&state, &lead);
                    next.push((state, lead));
                }
            }
        }
        told += next.len();
        stories = next;
    }
    println!("{told} stories");
    assert!(told > 500, "{told} stories are few");
}
