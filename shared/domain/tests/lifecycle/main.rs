//! What becomes of a person, a lead and a seat before and after the decision, each against the rules written down once
//! more, as plainly as can be: and against the same with one rule broken, whichever, which is found out.
//!
//! | module | holds |
//! |---|---|
//! | [`identity`] | who is the same person |
//! | [`cycle`] | a repeat or the next sale cycle, and when a cycle expires |
//! | [`waiting`] | in what order those who wait are woken |
//! | [`masking`] | what a dealer sees and owes before it has accepted |
//! | [`returns`] | what may be returned, how many and how long, and what that brings |
//! | [`follow_up`] | who is called again, and when |
//! | [`quiet_hours`] | at which hours |
//!
//! What a rule asks of the store or of a page is shown in `tests/e2e` and `tests/model`: that at most twice as many are
//! woken as slots came free.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so when it fails")]
#![allow(clippy::print_stdout, reason = "it prints what it has seen")]

use std::fmt::Debug;

use fastrand::Rng;
use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::contract::{AcceptBy, Caps, Needs, Specificity};
use leadyard_domain::distribution::{Pass, Reservation, Seat};
use leadyard_domain::ids::{AssignmentId, EnquiryId};
use leadyard_domain::lead::{Arrival, Contactable, Lead, LeadScope};
use leadyard_domain::money::Money;

/// Declares the rules, each with how it is broken, and the list of all.
macro_rules! broken {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A rule, and how it is broken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Broken {
            $($(#[$doc])* $name,)*
        }

        const ALL: &[Broken] = &[$(Broken::$name,)*];
    };
}

mod identity;
mod cycle;
mod waiting;
mod masking;
mod returns;
mod follow_up;
mod quiet_hours;

/// Draws so many cases, always the same. In each, what is done is what the plain rules say; and each way of breaking those
/// is found out in some.
fn holds<Case: Debug, Said: Debug + PartialEq, Broken: Copy + Debug>(
    ways: &[Broken],
    cases: u64,
    draw: impl Fn(&mut Rng) -> Case,
    done: impl Fn(&Case) -> Said,
    plain: impl Fn(&Case, Option<Broken>) -> Said,
) {
    let (mut left, mut noticed) = (ways.to_vec(), Vec::new());
    for seed in 0..cases {
        let case = draw(&mut Rng::with_seed(seed));
        let done = done(&case);
        assert_eq!(done, plain(&case, None), "case {seed}: {case:#?}");
        left.retain(|broken| {
            let agrees = plain(&case, Some(*broken)) == done;
            if !agrees {
                noticed.push((seed + 1, *broken));
            }
            agrees
        });
    }
    println!("{} rules, each noticed within so many cases:", noticed.len());
    for (cases, broken) in &noticed {
        println!("{cases:>9} {broken:?}");
    }
    assert!(left.is_empty(), "in {cases} cases nobody notices that these are broken: {left:?}");
}

/// One of these.
fn one_of<T: Copy>(random: &mut Rng, of: &[T]) -> T {
    of[random.usize(..of.len())]
}

/// So many seconds after a full hour in May 2026.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_780_002_000 + seconds).unwrap()
}

/// A lead that has just asked.
fn lead() -> Lead {
    let first = Arrival {
        enquiry: EnquiryId::from_bytes([1; 16]),
        at: at(0),
        person: Contactable::default(),
        offer: "roof".parse().unwrap(),
        category: "roofing".parse().unwrap(),
        source: "page".parse().unwrap(),
        campaign: None,
        brings: Needs::NONE,
        certificate_warning: None,
        visitor: None,
    };
    Lead::open("c".parse().unwrap(), LeadScope::Category("roofing".parse().unwrap()), &first)
}

/// A seat of it that Hudson is offered at once, for 45.00.
fn offered(lead: &Lead, accept_by: Option<AcceptBy>) -> Assignment {
    let seat = Seat {
        contract: "hudson-roofs".parse().unwrap(),
        dealer: "hudson".parse().unwrap(),
        price: Money::from_minor(4_500),
        seats: 1,
        protected: false,
        patient_until: None,
        specificity: Specificity::Any,
        miles: None,
        reservation: Reservation::default(),
        contract_caps: Caps::default(),
        dealer_caps: Caps::default(),
        budget_month: None,
        prepaid: false,
        accept_by,
        again: true,
        pass: Pass::default(),
    };
    Assignment::offer(lead, &seat, AssignmentId::mint(at(0), [3; 10]), 1, at(0))
}
