//! A lead through its cycles: who holds it, what a repeat changes, when it expires.

use super::*;
use crate::contract::{Caps, Specificity};
use crate::distribution::{Kept, Pass, Reservation, Rule, Seat};
use crate::ids::{AssignmentId, ContractId};
use crate::limits;
use crate::money::Money;
use crate::scoring::Band;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn arrival(id: u8, when: &str) -> Arrival {
    Arrival {
        enquiry: EnquiryId::from_bytes([id; 16]),
        at: at(when),
        person: Contactable { email: Some("a@example.com".into()), ..Contactable::default() },
        offer: OfferId::new("roof-repair").unwrap(),
        category: CategoryId::new("roofing").unwrap(),
        source: SourceId::new("web").unwrap(),
        campaign: None,
        brings: Needs::NONE,
        certificate_warning: None,
        visitor: None,
    }
}

fn lead() -> Lead {
    Lead::open(
        CompanyId::new("acme").unwrap(),
        LeadScope::Category(CategoryId::new("roofing").unwrap()),
        &arrival(1, "2026-06-01T12:00:00Z"),
    )
}

#[test]
fn within_the_window_a_repeat_belongs_to_the_open_or_last_cycle() {
    let mut lead = lead();
    assert_eq!(lead.take(&arrival(2, "2026-06-20T12:00:00Z"), 30), Met::Repeat);
    lead.close(Stage::Lost, at("2026-06-21T00:00:00Z"));
    // Thirty days from the last enquiry, not from the first.
    assert_eq!(lead.take(&arrival(3, "2026-07-20T12:00:00Z"), 30), Met::Repeat);
    assert_eq!((lead.cycle, lead.stage, lead.enquiries.len()), (1, Stage::Lost, 3));
}

#[test]
fn outside_the_window_a_new_cycle_makes_earlier_holders_eligible_again() {
    let mut lead = lead();
    lead.excluded.push(DealerId::new("hudson").unwrap());
    lead.close(Stage::Lost, at("2026-06-05T12:00:00Z"));
    assert_eq!(lead.take(&arrival(2, "2026-07-01T12:00:01Z"), 30), Met::NewCycle);
    assert_eq!((lead.cycle, lead.stage), (2, Stage::Received));
    assert!(lead.excluded.is_empty() && lead.closed_at.is_none());
}

#[test]
fn a_shared_lead_that_lost_a_holder_does_not_expire_in_the_others_hands() {
    let mut lead = lead();
    let holder = |id: u8, dealer: &str| Holder {
        dealer: DealerId::new(dealer).unwrap(),
        contract: ContractId::new(dealer).unwrap(),
        assignment: AssignmentId::mint(now(), [id; 10]),
        again: true,
        came_from: None,
    };
    lead.holders = vec![holder(1, "hudson"), holder(2, "ridge")];
    lead.stage = Stage::Assigned;
    let late = at("2026-07-06T12:00:00Z");
    lead.give_back(AssignmentId::mint(now(), [1; 10]), late);
    assert!(!lead.has_expired(30, late));
    assert!(lead.has_expired(30, at("2026-09-06T12:00:00Z")));
}

#[test]
fn blanks_are_filled_and_nothing_is_overwritten() {
    let mut lead = lead();
    let mut again = arrival(2, "2026-06-02T12:00:00Z");
    again.person.email = Some("other@example.com".into());
    again.person.last_name = Some("Hill".into());
    lead.take(&again, 30);
    assert_eq!(lead.person.email.as_deref(), Some("a@example.com"));
    assert_eq!(lead.person.last_name.as_deref(), Some("Hill"));
}

#[test]
fn what_was_accepted_cannot_be_declined_and_a_second_click_changes_nothing() {
    use AssignmentState::{Accepted, Offered, Withdrawn, Won};
    assert_eq!(Offered.answer(Answer::Accept), Answered::To(Accepted));
    assert_eq!(Accepted.answer(Answer::Accept), Answered::Already);
    assert_eq!(Accepted.answer(Answer::Decline), Answered::Refused);
    assert_eq!(Offered.answer(Answer::Won), Answered::To(Won));
    assert_eq!(Withdrawn.answer(Answer::Won), Answered::Refused);
}

fn now() -> Timestamp {
    at("2026-06-01T12:00:05Z")
}

fn dealer(name: &str) -> DealerId {
    DealerId::new(name).unwrap()
}

/// A seat of one of `seats`.
fn seat(name: &str, seats: u8, protected: bool) -> (Seat, AssignmentId) {
    let seat = Seat {
        contract: ContractId::new(name).unwrap(),
        dealer: dealer(name),
        price: Money::ZERO,
        seats,
        protected,
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
    };
    (seat, assignment_of(name))
}

/// Given when the lead was opened.
fn assignment_of(name: &str) -> AssignmentId {
    AssignmentId::mint(at("2026-06-01T12:00:00Z"), [name.as_bytes()[0]; 10])
}

fn band() -> Band {
    "A1".parse().unwrap()
}

fn open_seats(lead: &Lead) -> Option<(u8, u8, bool)> {
    lead.facts(band()).open_seats.map(|open| (open.of, open.free, open.protected))
}

#[test]
fn the_first_contract_fixes_the_seats_until_every_one_came_back() {
    let mut lead = lead();
    assert_eq!(open_seats(&lead), None);
    lead.assign(&[seat("hudson", 3, true), seat("ridge", 3, true)], None, now());
    assert_eq!((open_seats(&lead), lead.stage), (Some((3, 1, true)), Stage::Assigned));
    lead.give_back(assignment_of("hudson"), at("2026-06-01T13:00:00Z"));
    assert_eq!((open_seats(&lead), lead.stage), (Some((3, 2, true)), Stage::Received));
    // A later seat fixes nothing anew, whatever it says.
    lead.assign(&[seat("crest", 5, false)], None, now());
    assert_eq!(open_seats(&lead), Some((3, 1, true)));
    for name in ["ridge", "crest"] {
        lead.give_back(assignment_of(name), at("2026-06-01T14:00:00Z"));
    }
    assert_eq!(open_seats(&lead), None);
    lead.assign(&[seat("grove", 1, false)], None, now());
    assert_eq!(open_seats(&lead), Some((1, 0, false)));
}

#[test]
fn who_gives_a_seat_back_or_loses_it_does_not_get_the_lead_again_in_this_cycle() {
    let mut lead = lead();
    lead.assign(&[seat("hudson", 2, false), seat("ridge", 2, false)], None, now());
    assert_eq!(lead.facts(band()).holders, [dealer("hudson"), dealer("ridge")]);
    lead.lose_seat(assignment_of("hudson"));
    // What was lost is not given again; what came back is.
    assert_eq!((open_seats(&lead), lead.stage), (Some((2, 0, false)), Stage::Assigned));
    lead.give_back(assignment_of("ridge"), at("2026-06-01T13:00:00Z"));
    let facts = lead.facts(band());
    assert_eq!((facts.excluded, facts.holders), (vec![dealer("hudson"), dealer("ridge")], Vec::new()));
    assert_eq!(open_seats(&lead), Some((2, 1, false)));
    // Though nobody holds it, the terms stand: one of its seats is gone.
    lead.assign(&[seat("crest", 4, true)], None, now());
    assert_eq!(open_seats(&lead), Some((2, 0, false)));
    // A second word about the same seat changes nothing.
    let before = lead.clone();
    lead.give_back(assignment_of("ridge"), at("2026-06-01T14:00:00Z"));
    lead.lose_seat(assignment_of("hudson"));
    assert_eq!(lead, before);
}

#[test]
fn a_lead_whose_last_holder_lost_it_goes_on_with_the_seat_that_is_kept() {
    let mut lead = lead();
    let kept = Kept { reason: Waiting::For(Rule::Hours), until: None };
    lead.assign(&[seat("hudson", 2, true)], Some(kept), now());
    lead.lose_last_seat(assignment_of("hudson"), at("2026-06-01T13:00:00Z"));
    assert_eq!((lead.stage, lead.waiting, lead.closed_at), (Stage::Received, None, None));
    assert_eq!((open_seats(&lead), lead.due), (Some((2, 1, true)), Some(at("2026-06-01T13:00:45Z"))));
    assert_eq!(lead.facts(band()).excluded, [dealer("hudson")]);
}

#[test]
fn a_seat_that_comes_back_to_a_closed_lead_sells_nothing() {
    let mut lead = lead();
    lead.assign(&[seat("hudson", 2, false), seat("ridge", 2, false)], None, now());
    lead.close(Stage::Won, at("2026-06-02T12:00:00Z"));
    let look_at_retention = lead.due;
    lead.give_back(assignment_of("ridge"), at("2026-06-03T12:00:00Z"));
    assert_eq!((lead.stage, lead.due), (Stage::Won, look_at_retention));
    assert!(look_at_retention > Some(at("2026-07-01T12:00:00Z")));
}

#[test]
fn the_next_cycle_is_decided_and_counted_as_new() {
    let mut lead = lead();
    lead.assign(&[seat("hudson", 2, true), seat("ridge", 2, true)], None, now());
    lead.lose_seat(assignment_of("ridge"));
    lead.crossed = true;
    lead.last_conclusion = Some("assigned".to_owned());
    let mut again = arrival(2, "2026-08-01T12:00:00Z");
    again.offer = OfferId::new("gutter").unwrap();
    again.source = SourceId::new("fair").unwrap();
    assert_eq!(lead.take(&again, 30), Met::NewCycle);
    let facts = lead.facts(band());
    assert_eq!((facts.cycle, facts.opened_at, facts.open_seats), (2, at("2026-08-01T12:00:00Z"), None));
    assert_eq!((facts.offer.as_str(), facts.source.as_str()), ("gutter", "fair"));
    assert!(facts.holders.is_empty() && facts.excluded.is_empty());
    assert!(!lead.crossed && lead.last_conclusion.is_none() && lead.opening == again.enquiry);
}

#[test]
fn who_asks_anew_is_where_and_who_they_say_now_and_who_bought_them_before_sees_nothing_of_it() {
    let mut lead = lead();
    let said = |phone: &str, zip: &str, street: Option<&str>| Contactable {
        email: Some("a@example.com".into()),
        phone: Some(phone.into()),
        street: street.map(Into::into),
        zip: zip.parse().ok(),
        ..Contactable::default()
    };
    let mut again = arrival(2, "2026-06-02T12:00:00Z");
    again.person = said("+13055550100", "33101", Some("7 Palm Row"));
    assert_eq!(lead.take(&again, 30), Met::Repeat);
    let before = lead.person.clone();
    // Within the window nothing is overwritten.
    again.person = said("+12125550100", "10001", None);
    assert_eq!(lead.take(&again, 30), Met::Repeat);
    assert_eq!((&lead.person, lead.former.len()), (&before, 0));
    again.at = at("2026-12-01T12:00:00Z");
    again.person.first_name = Some("Ada".into());
    assert_eq!(lead.take(&again, 30), Met::NewCycle);
    // No street of Miami's in New York.
    assert_eq!(
        lead.person,
        Contactable { first_name: Some("Ada".into()), ..said("+12125550100", "10001", None) }
    );
    assert_eq!(lead.facts(band()).location.state(), "NY".parse().ok());
    let in_cycle = |cycle: u32| lead.person_in(CycleOf { lead: lead.id, cycle }).clone();
    assert_eq!((in_cycle(1), in_cycle(2)), (before.clone(), lead.person.clone()));
    // What is left blank is as it was.
    let mut lead = lead.clone();
    again.at = at("2027-03-01T12:00:00Z");
    again.person = Contactable { email: Some("a@example.com".into()), ..Contactable::default() };
    assert_eq!((lead.take(&again, 30), lead.former.len()), (Met::NewCycle, 1));
    assert_eq!(lead.person.phone.as_deref(), Some("+12125550100"));
    lead.erase(at("2027-03-02T12:00:00Z"));
    assert!(lead.former.is_empty());
}

#[test]
fn the_window_counts_from_the_last_enquiry_to_the_second_and_never_moves_back() {
    let mut lead = lead();
    assert!(!lead.outside_window(at("2026-07-01T12:00:00Z"), 30));
    assert!(lead.outside_window(at("2026-07-01T12:00:00.001Z"), 30));
    assert_eq!(lead.take(&arrival(2, "2026-06-11T12:00:00Z"), 30), Met::Repeat);
    // One that another machine's slow clock received.
    assert_eq!(lead.take(&arrival(3, "2026-06-10T12:00:00Z"), 30), Met::Repeat);
    assert_eq!(lead.last_enquiry_at, at("2026-06-11T12:00:00Z"));
    assert!(!lead.outside_window(at("2026-07-11T12:00:00Z"), 30));
}

#[test]
fn a_repeat_keeps_the_offer_and_source_that_opened_the_cycle() {
    let mut lead = lead();
    let mut again = arrival(2, "2026-06-02T12:00:00Z");
    again.offer = OfferId::new("gutter").unwrap();
    again.source = SourceId::new("fair").unwrap();
    again.brings = Needs::NONE.with(crate::contract::Need::Consent);
    assert_eq!(lead.take(&again, 30), Met::Repeat);
    let facts = lead.facts(band());
    assert_eq!((facts.offer.as_str(), facts.source.as_str()), ("roof-repair", "web"));
    assert_eq!((facts.opened_at, facts.brings), (at("2026-06-01T12:00:00Z"), Needs::NONE));
}

#[test]
fn a_cycle_expires_at_the_windows_end_in_nobodys_hands_and_after_ninety_days_in_a_dealers() {
    let mut lead = lead();
    for stage in [Stage::Received, Stage::Nurturing, Stage::Waiting] {
        lead.stage = stage;
        assert!(!lead.has_expired(30, at("2026-07-01T11:59:59Z")));
        assert!(lead.has_expired(30, at("2026-07-01T12:00:00Z")));
    }
    lead.assign(&[seat("hudson", 1, false)], None, now());
    assert!(!lead.has_expired(30, at("2026-08-30T11:59:59Z")));
    assert!(lead.has_expired(30, at("2026-08-30T12:00:00Z")));
    assert_eq!(lead.due, Some(at("2026-08-30T12:00:00Z")));
    for closed in [Stage::Won, Stage::Lost, Stage::Expired, Stage::Rejected] {
        lead.stage = closed;
        assert!(!lead.has_expired(30, at("2027-06-01T12:00:00Z")));
    }
}

#[test]
fn who_is_given_a_lead_late_in_a_long_window_has_it_for_ninety_days_all_the_same() {
    let sold = at("2026-09-03T12:00:00Z"); // on its ninety-fourth day
    let given = |name: &str, when: Timestamp| (seat(name, 2, false).0, AssignmentId::mint(when, [1; 10]));
    let mut lead = lead();
    lead.assign(&[given("hudson", sold)], None, sold);
    assert_eq!((lead.stage, lead.due), (Stage::Assigned, Some(at("2026-12-02T12:00:00Z"))));
    assert!(!lead.has_expired(120, sold) && !lead.has_expired(120, at("2026-12-02T11:59:59Z")));
    assert!(lead.has_expired(120, at("2026-12-02T12:00:00Z")));
    // Of several the last to have been given it counts.
    lead.assign(&[given("ridge", at("2026-09-13T12:00:00Z"))], None, at("2026-09-13T12:00:00Z"));
    assert_eq!(lead.held_until(), at("2026-12-12T12:00:00Z"));
}

#[test]
fn who_waits_is_looked_at_when_time_may_help_and_at_the_windows_end_at_the_latest() {
    let mut lead = lead();
    let now = at("2026-06-01T12:00:05Z");
    let due = |lead: &mut Lead, until: Option<&str>| {
        lead.wait(Waiting::Held, until.map(at), 30, now);
        lead.due.unwrap()
    };
    let end = at("2026-07-01T12:00:00Z");
    assert_eq!(due(&mut lead, Some("2026-06-02T08:00:00Z")), at("2026-06-02T08:00:00Z"));
    assert_eq!((due(&mut lead, None), due(&mut lead, Some("2026-09-01T08:00:00Z"))), (end, end));
    assert_eq!((lead.stage, lead.waiting), (Stage::Waiting, Some(Waiting::Held)));
    // What is over already is looked at in a second, not at once and for ever.
    assert_eq!(due(&mut lead, Some("2026-06-01T08:00:00Z")), at("2026-06-01T12:00:06Z"));
}

#[test]
fn a_seat_that_is_kept_is_looked_at_within_the_hour_and_the_lead_is_held_all_the_same() {
    let kept = |until: Option<&str>| Some(Kept { reason: Waiting::For(Rule::Hours), until: until.map(at) });
    for (until, due) in [
        (Some("2026-06-01T12:20:00Z"), "2026-06-01T12:20:00Z"),
        (Some("2026-06-02T08:00:00Z"), "2026-06-01T13:00:05Z"),
        (None, "2026-06-01T13:00:05Z"),
    ] {
        let mut lead = lead();
        lead.assign(&[seat("hudson", 2, false)], kept(until), now());
        assert_eq!((lead.stage, lead.due), (Stage::Assigned, Some(at(due))));
        assert!(lead.wants_distribution() && !lead.has_expired(30, at("2026-07-02T12:00:00Z")));
        // Looked at again, it is the same; given or given up, the lead rests.
        lead.wait(Waiting::For(Rule::Hours), None, 30, at(due));
        assert_eq!((lead.stage, lead.wants_distribution()), (Stage::Assigned, true));
        let mut given = lead.clone();
        given.assign(&[seat("ridge", 2, false)], None, at(due));
        lead.rest_assigned();
        for lead in [lead, given] {
            assert_eq!((lead.wants_distribution(), lead.due), (false, Some(at("2026-08-30T12:00:00Z"))));
        }
    }
}

#[test]
fn the_last_holders_are_eligible_in_the_next_cycle_unless_their_contract_says_otherwise() {
    let mut lead = lead();
    let (mut hudson, ridge) = (seat("hudson", 2, false), seat("ridge", 2, false));
    hudson.0.again = false;
    lead.assign(&[hudson, ridge], None, now());
    lead.close(Stage::Won, at("2026-06-05T12:00:00Z"));
    assert_eq!(lead.take(&arrival(2, "2026-08-01T12:00:00Z"), 30), Met::NewCycle);
    assert_eq!((lead.excluded.clone(), lead.holders.len()), (vec![dealer("hudson")], 0));
    // In the cycle after that one it may have it again.
    assert_eq!(lead.take(&arrival(3, "2026-10-01T12:00:00Z"), 30), Met::NewCycle);
    assert!(lead.excluded.is_empty());
}

#[test]
fn what_expired_in_nobodys_hands_opens_the_next_cycle_though_the_window_grew() {
    let mut lead = lead();
    lead.close(Stage::Expired, at("2026-06-11T12:00:00Z"));
    assert_eq!(lead.take(&arrival(2, "2026-06-12T12:00:00Z"), 60), Met::NewCycle);
}

#[test]
fn a_certificate_is_warned_of_in_the_cycle_whose_form_it_came_with() {
    let with = |id: u8, when: &str, warning: Option<&str>| Arrival {
        enquiry: EnquiryId::mint(at(when), [id; 10]),
        certificate_warning: warning.map(at),
        ..arrival(id, when)
    };
    let scope = LeadScope::Category(CategoryId::new("roofing").unwrap());
    let first = with(1, "2026-06-01T12:00:00Z", None);
    let mut lead = Lead::open(CompanyId::new("acme").unwrap(), scope, &first);
    // Later it is a request of its own, whose certificate is not what was sold.
    let _ = lead.take(&with(2, "2026-06-01T14:00:00Z", Some("2026-08-01T00:00:00Z")), 30);
    assert_eq!(lead.certificate_warning, None);
    let _ = lead.take(&with(3, "2026-06-01T12:10:00Z", Some("2026-08-02T00:00:00Z")), 30);
    let _ = lead.take(&with(4, "2026-06-01T12:20:00Z", Some("2026-08-03T00:00:00Z")), 30);
    assert_eq!(lead.certificate_warning, Some(at("2026-08-02T00:00:00Z")), "the form's first");
    assert_eq!(lead.take(&with(5, "2026-09-01T12:00:00Z", Some("2026-11-01T00:00:00Z")), 30), Met::NewCycle);
    assert_eq!(lead.certificate_warning, Some(at("2026-11-01T00:00:00Z")));
    assert_eq!(lead.take(&with(6, "2026-12-01T12:00:00Z", None), 30), Met::NewCycle);
    assert_eq!(lead.certificate_warning, None);
}

#[test]
fn rows_of_a_file_are_no_steps_of_one_form() {
    let row = |id: u8, when: &str| Arrival {
        enquiry: EnquiryId::mint(Timestamp::UNIX_EPOCH, [id; 10]),
        ..arrival(id, when)
    };
    let scope = LeadScope::Category(CategoryId::new("roofing").unwrap());
    let mut lead = Lead::open(CompanyId::new("acme").unwrap(), scope, &row(1, "2026-06-01T12:00:00Z"));
    let _ = lead.take(&row(2, "2026-06-20T12:00:00Z"), 30);
    assert_eq!((lead.enquiries.len(), lead.form_steps().count()), (2, 0));
    // Of what was posted, those within the hour are.
    let posted =
        |id: u8, when: &str| Arrival { enquiry: EnquiryId::mint(at(when), [id; 10]), ..arrival(id, when) };
    let scope = LeadScope::Category(CategoryId::new("roofing").unwrap());
    let mut lead = Lead::open(CompanyId::new("acme").unwrap(), scope, &posted(1, "2026-06-01T12:00:00Z"));
    let _ = lead.take(&posted(2, "2026-06-01T12:10:00Z"), 30);
    let _ = lead.take(&posted(3, "2026-06-01T14:00:00Z"), 30);
    assert_eq!(lead.form_steps().count(), 1);
}

#[test]
fn the_last_page_of_a_long_form_completes_it_and_what_completes_nothing_brings_nothing() {
    use crate::contract::{Need, Needs};
    let step = |n: usize, brings: Needs| {
        let when = format!("2026-06-01T12:{n:02}:00Z");
        Arrival { enquiry: EnquiryId::mint(at(&when), [n as u8; 10]), brings, ..arrival(n as u8, &when) }
    };
    let scope = LeadScope::Category(CategoryId::new("roofing").unwrap());
    let mut lead = Lead::open(CompanyId::new("acme").unwrap(), scope, &step(0, Needs::NONE));
    for n in 1..limits::FORM_STEPS {
        let _ = lead.take(&step(n, Needs::NONE), 30);
    }
    let consent = Needs::NONE.with(Need::Consent);
    let last = step(limits::FORM_STEPS, consent);
    let _ = lead.take(&last, 30);
    assert_eq!((lead.brings, lead.form_steps().last()), (consent, Some(last.enquiry)));
    // One more is not sold with it: nor does it count as if it were.
    let more = step(limits::FORM_STEPS + 1, Needs::NONE.with(Need::Certificate));
    let _ = lead.take(&more, 30);
    assert_eq!(lead.brings, consent);
    assert!(lead.form_steps().all(|step| step != more.enquiry));
}
