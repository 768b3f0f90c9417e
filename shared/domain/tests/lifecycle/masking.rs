//! A seat from offered to answered: what its dealer sees, when it is warned and lapses, and when it is charged.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::contract::AcceptBy;
use leadyard_domain::delivery::{Address, AssignedPayload, Consent, Person};
use leadyard_domain::lead::{Answer, Answered, AssignmentState};
use leadyard_domain::ledger::Line;

use crate::{at, holds, lead, offered, one_of};

broken! {
    /// The dealer sees everything before it accepts.
    Masked,
    /// What need not be accepted is masked, too.
    DeadlineAlone,
    /// What was accepted stays masked.
    Accepted,
    /// Who reports an outcome without a click on accept has not accepted.
    OutcomeAccepts,
    /// The first name is hidden.
    FirstName,
    /// The ZIP is.
    Zip,
    /// The request is.
    Request,
    /// A telephone number within the request is not.
    NumberInRequest,
    /// Nor the surname.
    Surname,
    /// Nor the e-mail.
    Email,
    /// Nor the phone.
    Phone,
    /// Nor the street.
    Street,
    /// Nor the city.
    City,
    /// Nor the certificate, which leads to the person.
    Certificate,
    /// Nor the text agreed to.
    ConsentText,
    /// Nor what the form asked besides.
    Extra,
    /// What must be accepted is charged as it arrives.
    ChargedOnAcceptance,
    /// What arrives is not charged before somebody accepts it.
    ChargedOnArrival,
    /// What arrives again is charged anew.
    ChargedOnce,
    /// Nothing lapses.
    Lapses,
    /// What was accepted lapses all the same.
    AcceptedStays,
    /// What need not be accepted lapses.
    NothingToLapse,
    /// It lapses a minute after the deadline.
    ToTheMinute,
    /// Nobody is warned.
    Warned,
    /// Who does not have the lead is warned.
    WarnedOfWhatArrived,
    /// Who has accepted is warned.
    WarnedBeforeAccepting,
    /// What was accepted can be declined.
    DeclinedBefore,
}

/// What a dealer is sent of a lead, which rule that is, and whether it is shown before the dealer accepts.
const SENT: [(&str, Broken, bool); 12] = [
    ("Adabel", Broken::FirstName, true),
    ("33010", Broken::Zip, true),
    ("The roof leaks", Broken::Request, true),
    ("305-555-0199", Broken::NumberInRequest, false),
    ("Quimby", Broken::Surname, false),
    ("q@mail.example", Broken::Email, false),
    ("+13055550142", Broken::Phone, false),
    ("77 Elm St", Broken::Street, false),
    ("Hialeah", Broken::City, false),
    ("https://cert.example/1", Broken::Certificate, false),
    ("I agree to be called", Broken::ConsentText, false),
    ("attic", Broken::Extra, false),
];

/// Minutes until a warning, and until the deadline.
const WARN: i64 = 20;
const LAPSE: i64 = 30;

#[derive(Clone, Copy, Debug)]
enum Act {
    /// It arrives, be it again.
    Arrives,
    /// The dealer answers.
    Answers(Answer),
    /// The sweep looks.
    Looked,
}

#[derive(Clone, Debug)]
struct Case {
    deadline: bool,
    /// Minutes since the one before, and what happens.
    acts: Vec<(i64, Act)>,
}

fn cases(random: &mut Rng) -> Case {
    let many = random.usize(1..9);
    let acts = (0..many).map(|_| {
        let act = match random.u8(..6) {
            0..=1 => Act::Arrives,
            2..=3 => Act::Looked,
            _ => Act::Answers(one_of(random, Answer::ALL)),
        };
        (one_of(random, &[0, 1, 5, 10, 15, 20]), act)
    });
    let acts: Vec<(i64, Act)> = acts.collect();
    Case { deadline: random.u8(..3) > 0, acts }
}

fn minute(minutes: i64) -> Timestamp {
    at(minutes * 60)
}

/// Where the seat stands, what the dealer sees while it has it, when it was charged, and whether it was warned.
type Said = Vec<(AssignmentState, Vec<&'static str>, Option<Timestamp>, bool)>;

fn done(case: &Case) -> Said {
    let by = AcceptBy { warn_at: minute(WARN), at: minute(LAPSE) };
    let mut seat = offered(&lead(), case.deadline.then_some(by));
    let (mut now, mut said) = (0, Said::new());
    for (gap, act) in &case.acts {
        now += gap;
        match *act {
            Act::Arrives if seat.state.holds() => seat.arrive(minute(now)),
            Act::Answers(answer) => {
                if let Answered::To(state) = seat.state.answer(answer) {
                    seat.move_to(state, minute(now));
                    // Whoever answers has it.
                    if answer != Answer::Decline {
                        seat.arrive(minute(now));
                    }
                }
            }
            Act::Looked if seat.lapses(minute(now)) => seat.move_to(AssignmentState::Lapsed, minute(now)),
            Act::Looked => seat.warned |= seat.warns(minute(now)),
            Act::Arrives => {}
        }
        let body = if seat.state.holds() { body(&seat) } else { String::new() };
        let seen = SENT.iter().map(|sent| sent.0).filter(|text| body.contains(*text)).collect();
        said.push((seat.state, seen, Line::charge(&seat).map(|line| line.at), seat.warned));
    }
    said
}

/// What its dealer is sent.
fn body(seat: &Assignment) -> String {
    let [first_name, zip, request, number, last_name, email, phone, street, city, certificate, text, extra] =
        SENT.map(|sent| sent.0);
    let payload = AssignedPayload {
        assignment: seat.id,
        lead: seat.lead,
        dealer: &seat.dealer,
        contract: &seat.contract,
        company: &seat.company,
        category: &"roofing".parse().unwrap(),
        offer: &"roof".parse().unwrap(),
        source: &"page".parse().unwrap(),
        campaign: None,
        received_at: at(0),
        assigned_at: at(0),
        accept_by: seat.accept_by.map(|by| by.at),
        band: None,
        price: seat.price,
        person: Person {
            first_name: Some(first_name),
            last_name: Some(last_name),
            email: Some(email),
            phone: Some(phone),
        },
        address: Address { street: Some(street), city: Some(city), state: None, zip: Some(zip) },
        message: Some(format!("{request}: call {number}").into()),
        consent: Consent {
            given: true,
            text: Some(text.into()),
            certificate: Some(certificate),
            leadid: None,
        },
        extra: BTreeMap::from([("room", extra)]),
        test: false,
        masked: false,
        truncated: false,
    };
    let payload = if seat.masked() { payload.masked() } else { payload };
    payload.body(at(0)).unwrap()
}

/// The rules.
fn plain(case: &Case, broken: Option<Broken>) -> Said {
    let keeps = |rule| broken != Some(rule);
    let (mut state, mut accepted, mut arrived) = (AssignmentState::Offered, false, false);
    let (mut charged, mut warned) = (None, false);
    let (mut now, mut said) = (0, Said::new());
    for (gap, act) in &case.acts {
        now += gap;
        let open = state == AssignmentState::Offered;
        match *act {
            Act::Arrives => {
                if state.holds() {
                    arrived = true;
                    let owed = !case.deadline && keeps(Broken::ChargedOnArrival)
                        || accepted
                        || !keeps(Broken::ChargedOnAcceptance);
                    if owed && (charged.is_none() || !keeps(Broken::ChargedOnce)) {
                        charged = Some(minute(now));
                    }
                }
            }
            Act::Answers(answer) => {
                let fits = match state {
                    AssignmentState::Offered => true,
                    AssignmentState::Accepted if !keeps(Broken::DeclinedBefore) => answer != Answer::Accept,
                    AssignmentState::Accepted => !matches!(answer, Answer::Accept | Answer::Decline),
                    AssignmentState::Contacted => matches!(answer, Answer::Won | Answer::Lost),
                    AssignmentState::Declined
                    | AssignmentState::Lapsed
                    | AssignmentState::Returned
                    | AssignmentState::Withdrawn
                    | AssignmentState::Won
                    | AssignmentState::Lost => false,
                };
                if fits {
                    state = match answer {
                        Answer::Accept => AssignmentState::Accepted,
                        Answer::Decline => AssignmentState::Declined,
                        Answer::Contacted => AssignmentState::Contacted,
                        Answer::Won => AssignmentState::Won,
                        Answer::Lost => AssignmentState::Lost,
                    };
                    // An outcome is acceptance.
                    let outcome = !matches!(answer, Answer::Accept | Answer::Decline);
                    if answer == Answer::Accept || outcome && keeps(Broken::OutcomeAccepts) {
                        (accepted, arrived) = (true, true);
                        charged = charged.or(Some(minute(now)));
                    }
                }
            }
            Act::Looked => {
                let may_lapse = (open || state.holds() && !keeps(Broken::AcceptedStays))
                    && (case.deadline || !keeps(Broken::NothingToLapse));
                let over = now > LAPSE || now == LAPSE && keeps(Broken::ToTheMinute);
                let near = case.deadline && (WARN..LAPSE).contains(&now);
                let unanswered = open || state.holds() && !keeps(Broken::WarnedBeforeAccepting);
                let has_it = arrived || !keeps(Broken::WarnedOfWhatArrived);
                if may_lapse && over && keeps(Broken::Lapses) {
                    state = AssignmentState::Lapsed;
                } else {
                    warned |= near && unanswered && has_it && keeps(Broken::Warned);
                }
            }
        }
        let masked = (case.deadline || !keeps(Broken::DeadlineAlone))
            && (!accepted || !keeps(Broken::Accepted))
            && keeps(Broken::Masked);
        let seen = |(_, rule, shown): &&(&str, Broken, bool)| !masked || *shown == keeps(*rule);
        let seen = SENT.iter().filter(|sent| state.holds() && seen(sent)).map(|sent| sent.0).collect();
        said.push((state, seen, charged, warned));
    }
    said
}

#[test]
fn what_a_dealer_sees_and_owes_before_it_accepts_is_what_the_rules_say_and_each_of_them_counts() {
    holds(ALL, 4_000, cases, done, plain);
}
