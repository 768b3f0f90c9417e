//! Who is called, when, how often, and never by two.

use proptest::prelude::*;

use super::*;
use crate::contract::{Need, Needs};
use crate::ids::{CategoryId, CompanyId, DealerId, EnquiryId, OfferId, SourceId};
use crate::lead::{Arrival, Contactable, Holder, Lead, LeadScope, ScoreState, Stage};
use crate::limits;
use crate::scoring::{Band, NextStep, Priority};
use jiff::{SignedDuration, Timestamp};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn monday() -> Timestamp {
    at("2026-06-01T12:00:00Z")
}

fn hours(from: Timestamp, hours: i64) -> Timestamp {
    from + SignedDuration::from_hours(hours)
}

fn arrival(id: u8, when: Timestamp) -> Arrival {
    Arrival {
        enquiry: EnquiryId::from_bytes([id; 16]),
        at: when,
        person: Contactable { phone: Some("+13055550100".into()), ..Contactable::default() },
        offer: OfferId::new("roof").unwrap(),
        category: CategoryId::new("roofing").unwrap(),
        source: SourceId::new("web").unwrap(),
        campaign: None,
        brings: Needs::NONE,
        certificate_warning: None,
        visitor: None,
    }
}

fn nurtured() -> Lead {
    let scope = LeadScope::Category(CategoryId::new("roofing").unwrap());
    let mut lead = Lead::open(CompanyId::new("acme").unwrap(), scope, &arrival(1, monday()));
    lead.nurture(30);
    lead
}

fn plan() -> FollowUpPlan {
    FollowUpPlan::default()
}

/// A lead's follow-up after each look, beginning with none.
fn looked(lead: &Lead, before: Option<&FollowUp>, did: bool, now: Timestamp) -> FollowUp {
    look(before, lead, &plan(), did, now).or_else(|| before.cloned()).unwrap()
}

fn called(mut from: FollowUp, result: CallResult, now: Timestamp) -> FollowUp {
    from.call("kim", (result, None), &plan(), now).unwrap();
    from
}

#[test]
fn who_is_not_ready_is_called_after_the_plan_s_first_wait_and_not_before() {
    let lead = nurtured();
    let begun = looked(&lead, None, false, monday());
    assert_eq!((begun.reason, begun.attempt), (Reason::NotReady, 1));
    assert_eq!(begun.step, Step::Planned { at: hours(monday(), 24) });
    assert_eq!(look(Some(&begun), &lead, &plan(), false, hours(monday(), 23)), None);
    let due = looked(&lead, Some(&begun), false, hours(monday(), 25));
    assert_eq!(due.step, Step::Due { since: hours(monday(), 24) });
    // Nothing is begun twice.
    assert_eq!(look(Some(&due), &lead, &plan(), false, hours(monday(), 26)), None);
}

#[test]
fn whom_nobody_reaches_is_tried_as_often_as_the_plan_says_and_then_rests_until_they_do_something() {
    let lead = nurtured();
    let mut stands = looked(&lead, None, false, monday());
    let mut now = monday();
    let mut waits = Vec::new();
    for _ in 0..10 {
        let Step::Planned { at } = stands.step else { break };
        waits.push(at.duration_since(now).as_hours());
        now = at;
        stands = called(looked(&lead, Some(&stands), false, now), CallResult::NoAnswer, now);
    }
    assert_eq!(waits, [24, 4, 24, 72, 168]);
    assert_eq!(stands.step, Step::Rests { why: Rests::PlanOver });
    assert_eq!(look(Some(&stands), &lead, &plan(), false, hours(now, 500)), None);
    let woken = looked(&lead, Some(&stands), true, hours(now, 1));
    assert_eq!((woken.reason, woken.calls), (Reason::Woken, 0));
    assert_eq!(woken.step, Step::Due { since: hours(now, 1) });
}

#[test]
fn who_was_reached_and_is_not_ready_goes_on_with_the_plan_where_it_stood() {
    let lead = nurtured();
    let first = looked(&lead, None, false, monday());
    let missed = called(first, CallResult::Voicemail, hours(monday(), 24));
    assert_eq!((missed.reason, missed.attempt), (Reason::NotReached, 1));
    let spoken = called(missed, CallResult::NotNow, hours(monday(), 28));
    assert_eq!((spoken.reason, spoken.attempt), (Reason::NotReady, 2));
    assert_eq!(spoken.step, Step::Planned { at: hours(monday(), 28 + 72) });
}

#[test]
fn a_callback_has_a_time_and_keeps_it_whatever_they_do_until_then() {
    let lead = nurtured();
    let mut stands = looked(&lead, None, false, monday());
    let now = hours(monday(), 24);
    for (result, time) in [
        (CallResult::Callback, None),
        (CallResult::Callback, Some(now)),
        (CallResult::Callback, Some(hours(now, 24 * 366))),
        (CallResult::Busy, Some(hours(now, 1))),
    ] {
        assert_eq!(stands.clone().call("kim", (result, time), &plan(), now), Err(Refused::Time));
    }
    let promised = hours(now, 30);
    stands.call("kim", (CallResult::Callback, Some(promised)), &plan(), now).unwrap();
    let stands = looked(&lead, Some(&stands), true, hours(now, 1));
    assert_eq!((stands.reason, stands.step), (Reason::Callback, Step::Planned { at: promised }));
    assert!(looked(&lead, Some(&stands), false, promised).is_due());
}

#[test]
fn who_was_lost_is_called_so_long_after_their_cycle_closed() {
    let mut lead = nurtured();
    lead.brings = Needs::NONE.with(Need::Consent);
    lead.close(Stage::Lost, hours(monday(), 48));
    // Found late, it is called no later.
    let begun = looked(&lead, None, false, hours(monday(), 200));
    assert_eq!(begun.reason, Reason::Lost);
    assert_eq!(begun.step, Step::Planned { at: hours(monday(), 48 + 45 * 24) });
}

#[test]
fn who_asked_again_was_sold_and_is_lost_is_called_by_the_plan_of_who_was_lost_and_not_at_once() {
    let mut lead = nurtured();
    lead.brings = Needs::NONE.with(Need::Consent);
    let stands = looked(&lead, None, false, monday());
    // The repeat that lifts them over the band, and a dealer that loses them a month later.
    lead.last_enquiry_at = hours(monday(), 24);
    moved(&mut lead, Stage::Assigned, hours(monday(), 24));
    let over = looked(&lead, Some(&stands), true, hours(monday(), 24));
    let lost = hours(monday(), 30 * 24);
    lead.close(Stage::Lost, lost);
    let begun = looked(&lead, Some(&over), false, lost);
    assert_eq!((begun.reason, begun.step), (Reason::Lost, Step::Planned { at: hours(lost, 45 * 24) }));
    // Who asks after that is called at once.
    lead.last_enquiry_at = hours(lost, 1);
    assert!(looked(&lead, Some(&over), false, hours(lost, 1)).is_due());
}

#[test]
fn nobody_is_called_later_than_the_age_of_their_consent_allows() {
    let mut lead = nurtured();
    let end = hours(monday(), 89 * 24);
    assert_eq!(may_call_until(&lead, &plan()), end);
    let mut stands = looked(&lead, None, false, monday());
    stands.comes_due(end);
    let rests = looked(&lead, Some(&stands), true, end);
    assert_eq!(rests.step, Step::Rests { why: Rests::ConsentOver });
    // Nor is such a call planned.
    lead.close(Stage::Lost, hours(monday(), 60 * 24));
    let planned = looked(&lead, None, false, hours(monday(), 60 * 24));
    assert_eq!(planned.step, Step::Rests { why: Rests::ConsentOver });
    // Nor is one that is found late put into the list.
    let mut closed = nurtured();
    closed.close(Stage::Lost, monday());
    assert_eq!(looked(&closed, None, false, end).step, Step::Rests { why: Rests::ConsentOver });
    // Who agreed may be called for longer; and who asks again has asked again.
    let mut agreed = lead.clone();
    agreed.brings = Needs::NONE.with(Need::Consent);
    assert_eq!(may_call_until(&agreed, &plan()), hours(monday(), 365 * 24));
    lead.last_enquiry_at = end;
    assert!(looked(&lead, Some(&rests_of(&lead, rests)), false, end).is_due());
}

fn rests_of(lead: &Lead, mut rests: FollowUp) -> FollowUp {
    rests.cycle = lead.cycle;
    rests
}

/// What becomes of a lead, by its name.
type Change<'a> = (&'a str, &'a dyn Fn(&mut Lead));

#[test]
fn who_is_somebody_s_or_nobody_s_any_more_is_followed_up_no_longer() {
    let held = |lead: &mut Lead| {
        lead.holders.push(Holder {
            dealer: DealerId::new("hudson").unwrap(),
            contract: crate::ids::ContractId::new("hudson").unwrap(),
            assignment: crate::ids::AssignmentId::from_bytes([9; 16]),
            again: true,
            came_from: None,
        });
    };
    let changes: [Change<'_>; 9] = [
        ("assigned", &|lead| {
            held(lead);
            lead.rest_assigned();
        }),
        ("won", &|lead| lead.close(Stage::Won, hours(monday(), 30))),
        ("rejected", &|lead| lead.close(Stage::Rejected, hours(monday(), 30))),
        ("expired in a dealer's hands", &|lead| {
            held(lead);
            lead.close(Stage::Expired, hours(monday(), 30));
        }),
        ("ready", &|lead| lead.wait(crate::distribution::Waiting::Manual, None, 30, hours(monday(), 30))),
        ("erased", &|lead| lead.erase(hours(monday(), 30))),
        ("merged", &|lead| lead.merged_into = Some(lead.id)),
        ("without a phone", &|lead| lead.person.phone = None),
        ("quarantined", &|lead| lead.stage = Stage::Quarantined),
    ];
    for (name, change) in changes {
        let mut lead = nurtured();
        let mut stands = looked(&lead, None, false, monday());
        stands.comes_due(hours(monday(), 30));
        stands.claim("kim", hours(monday(), 30)).unwrap();
        change(&mut lead);
        assert!(!is_followed(&lead, &stands), "{name}");
        let over = looked(&lead, Some(&stands), true, hours(monday(), 31));
        assert!(matches!(over.step, Step::Ended { why: Ended::Moved, .. }), "{name}: {over:?}");
        assert_eq!(
            (over.claim, look(None, &lead, &plan(), true, hours(monday(), 31))),
            (None, None),
            "{name}"
        );
    }
}

#[test]
fn who_is_to_be_discarded_is_not_followed_up_by_itself() {
    let mut lead = nurtured();
    let band: Band = "C3".parse().unwrap();
    lead.score = Some(ScoreState {
        band,
        priority: Priority::Low,
        next_step: NextStep::Discard,
        heat: 0,
        model: String::new(),
        points: 0,
        at: monday(),
    });
    assert_eq!(look(None, &lead, &plan(), true, monday()), None);
    assert_eq!(followed(&lead), Followed::ByHand(Plan::NotReady));
}

#[test]
fn a_wrong_number_is_followed_up_once_they_ask_again_and_not_before() {
    let mut lead = nurtured();
    let wrong = called(looked(&lead, None, false, monday()), CallResult::WrongNumber, hours(monday(), 24));
    assert_eq!(look(Some(&wrong), &lead, &plan(), true, hours(monday(), 25)), None);
    assert_eq!(lead.take(&arrival(2, hours(monday(), 48)), 30), crate::lead::Met::Repeat);
    let again = looked(&lead, Some(&wrong), false, hours(monday(), 48));
    assert_eq!((again.reason, again.is_due()), (Reason::Woken, true));
}

#[test]
fn a_wrong_number_and_do_not_call_end_it_though_the_cycle_closes() {
    for (result, why) in
        [(CallResult::WrongNumber, Ended::WrongNumber), (CallResult::DoNotCall, Ended::DoNotCall)]
    {
        for closed in [Stage::Lost, Stage::Expired] {
            let mut lead = nurtured();
            let over = called(looked(&lead, None, false, monday()), result, hours(monday(), 24));
            assert_eq!(over.step, Step::Ended { why, at: hours(monday(), 24) });
            lead.close(closed, hours(monday(), 30 * 24));
            assert_eq!(look(Some(&over), &lead, &plan(), true, hours(monday(), 30 * 24)), None, "{result}");
            // Nor in a cycle in which they did not ask.
            lead.cycle += 1;
            assert_eq!(look(Some(&over), &lead, &plan(), true, hours(monday(), 30 * 24)), None, "{result}");
            lead.last_enquiry_at = hours(monday(), 31 * 24);
            assert!(looked(&lead, Some(&over), false, hours(monday(), 31 * 24)).is_open(), "{result}");
        }
    }
}

#[test]
fn who_is_held_and_let_go_or_rejected_and_reopened_is_followed_up_again() {
    let now = hours(monday(), 30);
    let held: Change<'_> = ("held", &|lead| lead.wait(crate::distribution::Waiting::Manual, None, 30, now));
    let rejected: Change<'_> = ("rejected", &|lead| lead.close(Stage::Rejected, now));
    for (name, change) in [held, rejected] {
        let mut lead = nurtured();
        let stands = looked(&lead, None, false, monday());
        change(&mut lead);
        let over = looked(&lead, Some(&stands), false, now);
        assert_eq!(over.step, Step::Ended { why: Ended::Moved, at: now }, "{name}");
        (lead.stage, lead.closed_at) = (Stage::Nurturing, None);
        let anew = looked(&lead, Some(&over), false, hours(now, 1));
        assert_eq!((anew.reason, anew.attempt), (Reason::NotReady, 1), "{name}");
        assert_eq!(anew.step, Step::Planned { at: hours(now, 25) }, "{name}");
        // Who wanted nothing wants nothing still, and what they said is known.
        let rests = called(stands, CallResult::NotInterested, hours(monday(), 24));
        let mut over = rests.clone();
        for _ in 0..2 {
            over.end(Ended::Moved, now);
            over = looked(&lead, Some(&over), false, hours(now, 1));
            assert_eq!(over.step, Step::Rests { why: Rests::NotInterested }, "{name}");
            assert_eq!(over.last_call, rests.last_call, "{name}");
        }
        assert!(looked(&lead, Some(&over), true, hours(now, 2)).is_due(), "{name}");
    }
}

#[test]
fn a_cycle_that_closes_in_nobody_s_hands_is_called_by_the_plan_of_who_was_lost_wherever_the_other_stood() {
    let mut lead = nurtured();
    lead.brings = Needs::NONE.with(Need::Consent);
    let begun = looked(&lead, None, false, monday());
    let closed = hours(monday(), 30 * 24);
    let by_plan = Step::Planned { at: hours(closed, 45 * 24) };
    let mut rests = begun.clone();
    rests.rest(Rests::PlanOver);
    let promised = Step::Planned { at: hours(closed, 5) };
    let mut callback = begun.clone();
    (callback.reason, callback.step) = (Reason::Callback, promised);
    let wants_nothing = called(begun.clone(), CallResult::NotInterested, hours(monday(), 24));
    lead.close(Stage::Expired, closed);
    for (name, before, step) in [
        ("at rest", &rests, by_plan),
        ("planned", &FollowUp { step: Step::Planned { at: hours(closed, 50) }, ..begun.clone() }, by_plan),
        ("promised", &callback, promised),
        ("due", &FollowUp { step: Step::Due { since: monday() }, ..begun }, Step::Due { since: monday() }),
        ("wants nothing", &wants_nothing, Step::Rests { why: Rests::NotInterested }),
    ] {
        let turned = looked(&lead, Some(before), false, closed);
        assert_eq!((turned.plan, turned.step), (Plan::Lost, step), "{name}");
        assert_eq!(look(Some(&turned), &lead, &plan(), false, closed), None, "{name}: once");
    }
    // Who is called first goes on with that plan.
    let called = called(looked(&lead, Some(&callback), false, closed), CallResult::NotNow, hours(closed, 5));
    assert_eq!((called.reason, called.attempt), (Reason::Lost, 1));
    // Without one nobody is called any more.
    let none = FollowUpPlan { lost: Vec::new(), ..plan() };
    let over = look(Some(&begun_at(&lead)), &lead, &none, false, closed).unwrap();
    assert_eq!(over.step, Step::Rests { why: Rests::PlanOver });
}

fn begun_at(lead: &Lead) -> FollowUp {
    FollowUp::begin(Plan::NotReady, (lead.cycle, lead.last_enquiry_at), monday(), &plan()).unwrap()
}

#[test]
fn a_repeat_of_a_lost_lead_wakes_it_and_is_looked_at_at_once() {
    let mut lead = nurtured();
    lead.close(Stage::Lost, hours(monday(), 24));
    let stands = looked(&lead, None, false, hours(monday(), 24));
    let _ = lead.take(&arrival(2, hours(monday(), 48)), 30);
    assert!(lead.due.is_some_and(|due| due < hours(monday(), 49)), "{:?}", lead.due);
    assert!(looked(&lead, Some(&stands), false, hours(monday(), 48)).is_due());
}

#[test]
fn the_next_cycle_begins_a_follow_up_of_its_own() {
    let mut lead = nurtured();
    let rests = called(looked(&lead, None, false, monday()), CallResult::NotInterested, hours(monday(), 24));
    assert_eq!(rests.step, Step::Rests { why: Rests::NotInterested });
    let _ = lead.take(&arrival(2, hours(monday(), 24 * 31)), 30);
    lead.nurture(30);
    let anew = looked(&lead, Some(&rests), false, hours(monday(), 24 * 31));
    assert_eq!((anew.cycle, anew.reason, anew.calls), (2, Reason::NotReady, 0));
    // Of a cycle that is over nothing goes on once somebody has the lead.
    lead.stage = Stage::Assigned;
    let over = looked(&lead, Some(&rests), false, hours(monday(), 24 * 31));
    assert!(matches!(over.step, Step::Ended { why: Ended::Moved, .. }));
}

#[test]
fn an_interested_lead_goes_to_distribution_and_one_that_was_over_in_its_next_cycle() {
    let now = hours(monday(), 24 * 100);
    let mut lead = nurtured();
    assert!(lead.lift(now) && lead.crossed && lead.due == Some(now));
    assert_eq!((lead.cycle, lead.stage), (1, Stage::Nurturing));
    for closed in [Stage::Lost, Stage::Expired] {
        let mut lead = nurtured();
        lead.brings = Needs::NONE.with(Need::Consent).with(Need::Certificate);
        lead.close(closed, hours(monday(), 24 * 40));
        assert!(lead.lift(now) && lead.crossed);
        assert_eq!((lead.cycle, lead.stage, lead.closed_at), (2, Stage::Received, None));
        assert_eq!((lead.opened_at, lead.brings), (now, Needs::NONE));
        assert!(!lead.has_expired(30, now) && lead.due.is_some());
    }
    for kept in [Stage::Won, Stage::Rejected, Stage::Quarantined, Stage::Assigned] {
        let mut lead = nurtured();
        lead.stage = kept;
        let before = lead.clone();
        assert!(!lead.lift(now));
        assert_eq!(lead, before);
    }
}

// --- Whatever happens, in whatever order ---

#[derive(Clone, Debug)]
enum Happens {
    Hours(i64),
    Did,
    Asks,
    Claims(&'static str),
    /// By themselves, or by a manager.
    Unclaims(&'static str, bool),
    Called(&'static str, CallResult, i64),
    Stands(Stage),
}

fn happens() -> impl Strategy<Value = Happens> {
    let who = || prop::sample::select(vec!["kim", "lee", "sam"]);
    let stage = prop::sample::select(vec![
        Stage::Nurturing,
        Stage::Nurturing,
        Stage::Lost,
        Stage::Expired,
        Stage::Waiting,
        Stage::Assigned,
        Stage::Rejected,
    ]);
    prop_oneof![
        5 => (0..200_i64).prop_map(Happens::Hours),
        1 => Just(Happens::Did),
        1 => Just(Happens::Asks),
        5 => who().prop_map(Happens::Claims),
        2 => (who(), any::<bool>()).prop_map(|(who, manages)| Happens::Unclaims(who, manages)),
        5 => (who(), prop::sample::select(CallResult::ALL), 1..100_i64)
            .prop_map(|(who, result, ahead)| Happens::Called(who, result, ahead)),
        1 => stage.prop_map(Happens::Stands),
    ]
}

/// A lead stands elsewhere, so many hours later; perhaps it was called, and perhaps somebody looked.
#[derive(Clone, Debug)]
struct Moves {
    stage: Stage,
    after: i64,
    called: Option<CallResult>,
    seen: bool,
}

fn moves() -> impl Strategy<Value = Moves> {
    let stage = prop::sample::select(vec![
        Stage::Received,
        Stage::Nurturing,
        Stage::Waiting,
        Stage::Assigned,
        Stage::Lost,
        Stage::Expired,
        Stage::Rejected,
    ]);
    let called = prop::option::of(prop::sample::select(CallResult::ALL));
    (stage, 0..100_i64, called, any::<bool>()).prop_map(|(stage, after, called, seen)| Moves {
        stage,
        after,
        called,
        seen,
    })
}

/// What the rules of the lead itself let happen, and more.
fn moved(lead: &mut Lead, stage: Stage, now: Timestamp) {
    if stage.closed() {
        lead.close(stage, now);
    } else {
        (lead.stage, lead.closed_at) = (stage, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn whatever_happens_nobody_is_called_by_two_or_too_often_or_once_it_is_over(
        story in prop::collection::vec(happens(), 1..80),
        most_calls in 1..9_u8,
    ) {
        let rules = FollowUpPlan { most_calls, ..FollowUpPlan::default() };
        let (mut lead, mut now) = (nurtured(), monday());
        let mut stands: Option<FollowUp> = None;
        let mut held: Option<(&str, Timestamp)> = None;
        let mut calls_since = 0;
        for one in story {
            let mut did = false;
            match one {
                Happens::Hours(more) => now = hours(now, more),
                Happens::Did => did = true,
                Happens::Asks => {
                    let cycle = lead.cycle;
                    let _ = lead.take(&arrival(2, now), 30);
                    if lead.cycle != cycle {
                        lead.nurture(30);
                    }
                }
                Happens::Stands(stage) if stage.closed() => lead.close(stage, now),
                Happens::Stands(stage) => (lead.stage, lead.closed_at) = (stage, None),
                Happens::Claims(who) => {
                    if let Some(stands) = &mut stands {
                        let busy = held.is_some_and(|(by, until)| by != who && now < until);
                        match stands.claim(who, now) {
                            Ok(()) => {
                                prop_assert!(!busy, "two have it at once");
                                held = Some((who, hours(now, 0) + SignedDuration::from_mins(limits::CLAIM_MINUTES)));
                            }
                            Err(Refused::Claimed(claim)) => {
                                prop_assert!(busy && claim.by != who);
                            }
                            Err(Refused::Over | Refused::Time) => prop_assert!(!stands.is_open()),
                        }
                    }
                }
                Happens::Unclaims(who, manages) => {
                    if let Some(stands) = &mut stands {
                        let before = stands.clone();
                        let had = stands.claimed(now).cloned();
                        match stands.unclaim((!manages).then_some(who), now) {
                            Ok(any) => {
                                prop_assert!(manages || had.as_ref().is_none_or(|claim| claim.by == who));
                                prop_assert_eq!((any, stands.claimed(now)), (had.is_some(), None));
                                held = held.filter(|_| !any);
                            }
                            Err(why) => {
                                prop_assert!(!manages && had.is_some_and(|claim| claim.by != who), "{:?}", why);
                                prop_assert_eq!(&*stands, &before);
                            }
                        }
                        // Nothing else of it changes.
                        prop_assert_eq!(&FollowUp { claim: before.claim.clone(), ..stands.clone() }, &before);
                    }
                }
                Happens::Called(who, result, ahead) => {
                    if let Some(stands) = &mut stands {
                        let busy = held.is_some_and(|(by, until)| by != who && now < until);
                        let callback = (result == CallResult::Callback).then(|| hours(now, ahead));
                        let was_due = stands.is_due();
                        if stands.call(who, (result, callback), &rules, now).is_ok() {
                            prop_assert!(!busy, "who does not have it says what the call came to");
                            held = None;
                            calls_since += 1;
                            prop_assert!(!stands.is_due() || !was_due, "a call leaves it in the list");
                        }
                    }
                }
            }
            let before = stands.clone();
            stands = look(stands.as_ref(), &lead, &rules, did, now).or(stands);
            let Some(stands) = &stands else { continue };
            if before.as_ref().is_none_or(|before| before.cycle != stands.cycle || stands.calls < before.calls) {
                calls_since = i32::from(stands.calls);
            }
            prop_assert_eq!(i32::from(stands.calls), calls_since);
            // Listed only while its lead is nobody's, and may be called.
            if stands.is_due() {
                prop_assert!(is_followed(&lead, stands), "ended and listed: {:?}", stands);
                prop_assert!(now < may_call_until(&lead, &rules));
            }
            if stands.is_open() && !is_followed(&lead, stands) {
                prop_assert!(false, "it goes on for a lead that is {:?}", lead.stage);
            }
            if held.is_some_and(|(_, until)| now < until) && stands.claimed(now).is_none() {
                // It rests, ended or began anew: nobody holds what is not there.
                held = None;
            }
            // Never more attempts than the plan; what a plan still plans is within its calls.
            prop_assert!(stands.attempt >= 1 && stands.attempt <= rules.attempts(stands.reason));
            let by_plan = !rules.waits(stands.reason).is_empty();
            if by_plan && matches!(stands.step, Step::Planned { .. }) {
                prop_assert!(stands.calls < most_calls);
            }
        }
    }

    #[test]
    fn whoever_is_to_be_followed_up_in_the_end_has_a_next_call_or_a_reason_for_none(
        story in prop::collection::vec(moves(), 0..30),
        last in prop::sample::select(vec![Stage::Nurturing, Stage::Lost, Stage::Expired]),
    ) {
        let (mut lead, mut now) = (nurtured(), monday());
        let mut stands: Option<FollowUp> = None;
        for Moves { stage, after, called, seen } in story {
            now = hours(now, after);
            moved(&mut lead, stage, now);
            if let (Some(result), Some(stands)) = (called, &mut stands) {
                let at = (result == CallResult::Callback).then(|| hours(now, 5));
                let _ = stands.call("kim", (result, at), &plan(), now);
            }
            // Nobody looks each time.
            if seen {
                stands = look(stands.as_ref(), &lead, &plan(), false, now).or(stands);
            }
        }
        now = hours(now, 1);
        moved(&mut lead, last, now);
        let Followed::ByPlan(by) = followed(&lead) else {
            return Err(TestCaseError::fail("nobody is to call them"));
        };
        let stands = look(stands.as_ref(), &lead, &plan(), false, now).or(stands);
        let Some(stands) = stands else { return Err(TestCaseError::fail("nothing begins")) };
        match stands.step {
            Step::Planned { .. } | Step::Due { .. } => prop_assert!(is_followed(&lead, &stands)),
            // Of who was lost it is the plan of who was lost that is over.
            Step::Rests { why: Rests::PlanOver } => prop_assert!(by == Plan::NotReady || stands.plan == by),
            Step::Rests { .. } => {}
            Step::Ended { why, .. } => prop_assert!(why != Ended::Moved, "{:?}", stands),
        }
    }

    #[test]
    fn a_wait_is_written_as_it_is_read(hours in 1..=limits::FOLLOW_UP_WAIT_HOURS) {
        let wait = Wait::hours(hours);
        prop_assert_eq!(wait.to_string().parse::<Wait>().unwrap(), wait);
    }
}
