//! What a dimension carries is what the items of a lead's whole story state by it, and nothing else.

use super::*;
use crate::assignment::{Assignment, DeliveryState, Return, ReturnState};
use crate::distribution::{Reservation, Rule, Waiting};
use crate::ids::{AssignmentId, EnquiryId, LeadId};
use crate::lead::AssignmentState;
use crate::report::seen::{facets_of, facts_of};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_780_315_200 + 60 * minute).unwrap()
}

/// A seat that was charged and reached, and came to this.
fn seat(state: AssignmentState) -> Assignment {
    let returned = Return {
        at: at(40),
        reason: "wrong-number".parse().unwrap(),
        note: None,
        state: ReturnState::Approved,
        decided_at: Some(at(50)),
        decided_by: None,
        said: None,
    };
    Assignment {
        id: AssignmentId::from_bytes([3; 16]),
        version: 0,
        lead: LeadId::opened_by(EnquiryId::from_bytes([1; 16])),
        company: "acme".parse().unwrap(),
        cycle: 1,
        enquiry: Some(EnquiryId::from_bytes([1; 16])),
        lifted_at: None,
        contract: "hudson".parse().unwrap(),
        dealer: "hudson".parse().unwrap(),
        price: Money::from_minor(4_500),
        state,
        reservation: Reservation::default(),
        prepaid: false,
        accept_by: None,
        warned: false,
        returned: (state == AssignmentState::Returned).then_some(returned),
        recalled: false,
        by_desk: false,
        shadow: false,
        imported: false,
        patient_until: None,
        rulebook: 1,
        sold_in: Some("FL".parse().unwrap()),
        band: Some("A1".parse().unwrap()),
        offered_at: at(5),
        settled_at: Some(at(10)),
        state_at: at(50),
        delivered_at: Some(at(10)),
        accepted_at: Some(at(15)),
        contacted_at: Some(at(20)),
        channel: None,
        channel_order: 0,
        tried_before: 0,
        delivery: DeliveryState::Received,
        attempts: Vec::new(),
        attempt_count: 0,
        unknown_before: false,
        won_value: (state == AssignmentState::Won).then_some(Money::from_minor(1_200_000)),
        next_attempt_at: None,
        due: None,
    }
}

/// All that can happen: an enquiry that opens a cycle, a repeat, two put aside, one of the past, one that nobody serves, and a
/// seat in each state.
fn whole_story() -> Sums {
    let mut sums = Sums::default();
    let mut states = |facts: Vec<Fact>, facets: &Facets| {
        for fact in &facts {
            sums.count(fact, facets, 1);
        }
    };
    let (id, source) = (EnquiryId::from_bytes([1; 16]), "web".parse().unwrap());
    let asked = Asked {
        offer: Some("roof".parse().unwrap()),
        category: Some("roofing".parse().unwrap()),
        campaign: Some("spring".to_owned()),
        state: Some("FL".parse().unwrap()),
        cost: Some(Money::from_minor(400)),
        imported_at: Some(at(3)),
    };
    let reasons = ["honeypot".to_owned()];
    let enquiry = |status, verdict| SeenEnquiry {
        id,
        source: &source,
        asked: Some(&asked),
        received_at: at(0),
        judged_at: None,
        status,
        verdict,
        reasons: &reasons,
        lead: Some(LeadId::opened_by(id)),
    };
    let opening = enquiry("received", Verdict::Ham);
    for enquiry in [
        &opening,
        &enquiry("repeat", Verdict::Ham),
        &enquiry("quarantined", Verdict::Doubtful),
        &enquiry("rejected", Verdict::Spam),
        &enquiry("imported", Verdict::Ham),
    ] {
        states(enquiry.facts(), &enquiry.facets());
    }
    let (offer, category) = ("roof".parse().unwrap(), "roofing".parse().unwrap());
    let decision = SeenDecision {
        at: at(1),
        offer: &offer,
        category: &category,
        source: &source,
        state: asked.state,
        band: "A1".parse().unwrap(),
        waiting: Some(Waiting::For(Rule::Area)),
    };
    states(decision.facts(), &decision.facets());
    for state in AssignmentState::ALL {
        let seat = seat(*state);
        states(facts_of(&seat, Some(at(0))), &facets_of(&seat, Some(&opening.facets())));
    }
    sums
}

#[test]
fn a_dimension_carries_what_a_whole_story_states_by_it_and_nothing_else() {
    let sums = whole_story();
    for dimension in Dimension::ALL {
        let told = |is: &dyn Fn(&Tally) -> bool| sums.by(*dimension).any(|(_, tally)| is(tally));
        for counter in Counter::ALL {
            let counted = told(&|tally| tally.get(*counter) != 0);
            assert_eq!(counted, dimension.carries(*counter), "{counter} by {dimension}");
        }
        for speed in Speed::ALL {
            let measured = told(&|tally| tally.speed(*speed).total() != 0);
            assert_eq!(measured, dimension.carries(speed.counter()), "{speed} by {dimension}");
        }
    }
}
