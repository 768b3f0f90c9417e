//! An assignment from offered to settled: what is charged when, who sees whom, what lapses.

use super::*;
use crate::ids::EnquiryId;
use crate::ledger::{CreditReason, Line, LineKind};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const NOON: &str = "2026-06-01T12:00:00Z";

/// Offered at noon for 45.00, under reservation of a month; with a deadline of half an hour, or without.
fn offered(deadline: bool) -> Assignment {
    let by = AcceptBy { warn_at: at("2026-06-01T12:20:00Z"), at: at("2026-06-01T12:30:00Z") };
    Assignment {
        id: AssignmentId::from_bytes([3; 16]),
        version: 0,
        lead: LeadId::opened_by(EnquiryId::from_bytes([1; 16])),
        company: "acme".parse().unwrap(),
        cycle: 1,
        enquiry: None,
        lifted_at: None,
        contract: "hudson".parse().unwrap(),
        dealer: "hudson".parse().unwrap(),
        price: Money::from_minor(4_500),
        state: AssignmentState::Offered,
        reservation: Reservation::default(),
        prepaid: false,
        accept_by: deadline.then_some(by),
        warned: false,
        returned: None,
        recalled: false,
        by_desk: false,
        imported: false,
        shadow: false,
        patient_until: None,
        rulebook: 1,
        sold_in: None,
        band: None,
        offered_at: at(NOON),
        settled_at: None,
        state_at: at(NOON),
        delivered_at: None,
        accepted_at: None,
        contacted_at: None,
        channel: None,
        channel_order: 0,
        tried_before: 0,
        delivery: DeliveryState::Pending,
        attempts: Vec::new(),
        attempt_count: 0,
        unknown_before: false,
        won_value: None,
        next_attempt_at: None,
        due: None,
    }
}

#[test]
fn what_arrives_is_settled_then_and_once() {
    let mut lead = offered(false);
    assert!(!lead.masked() && Line::charge(&lead).is_none());
    lead.arrive(at("2026-06-01T12:05:00Z"));
    assert_eq!((lead.settled_at, lead.due), (Some(at("2026-06-01T12:05:00Z")), None));
    // It arrives again by another way: an answer, a later attempt.
    lead.arrive(at("2026-06-01T13:00:00Z"));
    assert_eq!(lead.settled_at, Some(at("2026-06-01T12:05:00Z")));
}

#[test]
fn what_must_be_accepted_is_masked_and_not_settled_before_it_is() {
    let mut lead = offered(true);
    lead.arrive(at("2026-06-01T12:05:00Z"));
    assert!(lead.masked() && lead.settled_at.is_none() && Line::charge(&lead).is_none());
    lead.move_to(AssignmentState::Accepted, at("2026-06-01T12:10:00Z"));
    lead.arrive(at("2026-06-01T12:10:00Z"));
    assert!(!lead.masked());
    assert_eq!((lead.settled_at, lead.due), (Some(at("2026-06-01T12:10:00Z")), None));
    // What was accepted lapses no more, and nobody is warned.
    assert!(!lead.lapses(at("2026-06-02T12:00:00Z")) && !lead.warns(at("2026-06-01T12:25:00Z")));
}

#[test]
fn a_dealer_that_has_it_is_warned_once_and_then_it_lapses_at_its_instant() {
    let mut lead = offered(true);
    let (warns, ends) = (at("2026-06-01T12:20:00Z"), at("2026-06-01T12:30:00Z"));
    assert!(!lead.warns(warns), "who has not received it needs no warning");
    assert_eq!(lead.watched_at(), Some(ends));
    lead.arrive(at(NOON));
    assert_eq!((lead.due, lead.watched_at()), (Some(warns), Some(warns)));
    assert!(!lead.warns(at("2026-06-01T12:19:59.999Z")) && lead.warns(warns) && !lead.warns(ends));
    lead.warned = true;
    assert!(!lead.warns(warns));
    assert_eq!(lead.watched_at(), Some(ends));
    assert!(!lead.lapses(at("2026-06-01T12:29:59.999Z")) && lead.lapses(ends));
}

#[test]
fn whatever_is_planned_it_is_looked_at_when_its_deadline_ends() {
    let mut lead = offered(true);
    lead.try_again(at("2026-06-01T13:00:00Z"), SignedDuration::from_secs(30));
    assert_eq!(
        (lead.next_attempt_at, lead.due),
        (Some(at("2026-06-01T13:00:00Z")), Some(at("2026-06-01T12:30:00Z")))
    );
    let mut lead = offered(false);
    lead.try_again(at("2026-06-01T13:00:00Z"), SignedDuration::from_secs(30));
    assert_eq!(lead.due, Some(at("2026-06-01T13:00:30Z")));
}

#[test]
fn one_that_may_have_arrived_is_remembered_after_its_attempt_is_forgotten() {
    let mut lead = offered(false);
    let refused = || Attempt {
        at: at(NOON),
        end: End::NotReceived,
        what: "refused".to_owned(),
        ms: 1,
        channel: 0,
        answer: String::new(),
        reference: String::new(),
        reason: String::new(),
    };
    let number = lead.begin_attempt(at(NOON), at(NOON));
    assert!(lead.may_be_held_unknown() && lead.begun() == Some(1), "one that has begun may have arrived");
    lead.end_attempt(number, Attempt { end: End::Unknown, what: "timeout".to_owned(), ..refused() });
    for _ in 0..100 {
        let number = lead.begin_attempt(at(NOON), at(NOON));
        lead.end_attempt(number, refused());
    }
    assert_eq!((lead.attempts.len(), lead.attempt_count, lead.begun()), (100, 101, None));
    assert!(lead.attempt(1).is_none() && lead.attempts.iter().all(|attempt| attempt.end == End::NotReceived));
    assert!(lead.may_be_held_unknown());
}

#[test]
fn what_is_placed_in_shadow_is_neither_sent_nor_charged() {
    let mut lead = offered(true);
    lead.watch_only(at(NOON));
    lead.arrive(at(NOON));
    assert!(lead.shadow && !lead.masked() && !lead.lapses(at("2026-06-02T12:00:00Z")));
    assert_eq!((Line::charge(&lead), Line::credit(&lead, CreditReason::TakenBack, at(NOON))), (None, None));
}

#[test]
fn a_charge_is_dated_at_settlement_and_a_credit_at_approval_for_the_frozen_price() {
    let mut lead = offered(false);
    let july = at("2026-07-02T09:00:00Z");
    assert_eq!(
        Line::credit(&lead, CreditReason::Returned, july),
        None,
        "what was not charged is not credited"
    );
    lead.arrive(at("2026-06-30T12:00:00Z"));
    let (charge, credit) =
        (Line::charge(&lead).unwrap(), Line::credit(&lead, CreditReason::Returned, july).unwrap());
    assert_eq!(
        (charge.kind, charge.at, charge.amount.minor()),
        (LineKind::Charge, at("2026-06-30T12:00:00Z"), 4_500)
    );
    assert_eq!((credit.kind, credit.at, credit.amount.minor()), (LineKind::Credit, july, 4_500));
    assert_eq!(credit.reason.as_deref(), Some("returned"));
    // What the dealer won with it is no line of ours.
    lead.won_value = Some(Money::from_minor(900_000));
    assert_eq!(Line::charge(&lead).unwrap(), charge);
}
