//! The comparison with the oracle notices each rule: an oracle that has one of them wrong, whichever, disagrees with
//! the decision in some world of few. So a decision that had it wrong would be found out as soon.

use crate::agreement::agrees;
use crate::many::drawn;
use crate::oracle::Oracle;
use crate::world::{compiled, decide_on};
use crate::worlds::worlds;

/// In so many worlds each must be found out; all but one are in the first thousand.
const WORLDS: u64 = 30_000;

/// Declares the rules, each with how it is broken, and the list of all.
macro_rules! broken {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A rule, and how it is broken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Broken {
            $($(#[$doc])* $name,)*
        }

        impl Broken {
            const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

broken! {
    /// Stopped, it is decided all the same.
    Stop,
    /// Whose place is unknown is looked for somebody.
    Unplaced,
    /// What is placed by hand is assigned.
    Manual,
    /// What is only watched is assigned.
    Shadow,

    /// Who is paused takes leads.
    Pauses,
    /// Before its first day and after its last a contract takes leads.
    Dates,
    /// Any offer is taken.
    Offer,
    /// Any source is taken.
    Source,
    /// A lead of any age is taken.
    Age,
    /// One just as old as is agreed is too old.
    AgeToTheHour,

    /// An area is everywhere.
    Area,
    /// A radius is measured from some other dealer.
    Center,
    /// A guessed state is none.
    Guess,
    /// A state alone is good for something finer.
    Finer,
    /// Of an area that covers by several parts the widest counts.
    Narrowest,

    /// Any fit qualifies.
    Fit,
    /// Any engagement qualifies.
    Engagement,
    /// Nothing is needed.
    Needs,

    /// Who gave it back has it again.
    Excluded,
    /// Who holds it has it again.
    Holds,

    /// Nobody is asked first.
    First,
    /// A protected territory is bypassed.
    Protected,
    /// A closed one is.
    Closed,
    /// A closed one lets others have what it does not take.
    ClosedToWhatItRefuses,
    /// The least specific speaks first.
    Specificity,
    /// Of equally specific ones the first in the file has it.
    Ties,
    /// Nobody is waited for.
    Wait,
    /// Everybody is.
    Next,

    /// Everybody is always open.
    Hours,
    /// In another zone than the dealer's.
    Zone,
    /// On holidays as well.
    Holidays,
    /// What the contract says of the hours after is not heard.
    AfterHours,

    /// No contract is full.
    Caps,
    /// No dealer is.
    DealerCaps,
    /// A cap is exceeded by one.
    OneMore,
    /// What was had in another period counts in this one.
    Periods,
    /// Periods begin in another zone than the dealer's.
    PeriodsZone,
    /// Weeks begin on Monday whatever the rulebook says.
    WeekStarts,
    /// No budget ends.
    Budget,
    /// What was spent in another month counts in this one.
    BudgetsMonth,
    /// Who pays in advance needs no balance.
    Balance,
    /// The first rule that fails is not the one recorded.
    Order,

    /// A dealer takes several seats.
    OneSeatADealer,
    /// What is sold exclusively is sold twice.
    Exclusive,
    /// Who shares with fewer sits with more.
    FixedSeats,
    /// Protected sit with others.
    ProtectedAlone,
    /// Closed sit with others.
    ClosedAlone,
    /// A lead without a seat left has one.
    SeatsLeft,
    /// Those who hold it already fix nothing.
    KeptSeats,

    /// The last tier is first.
    Tier,
    /// Who is farther away is nearer.
    Distance,
    /// Who is a mile nearer is.
    Bucket,
    /// Whose turn was last has it again.
    Share,
    /// Who comes back from a pause has all that it missed.
    Floor,
    /// A lead that is not due yet is given, if it is due soon.
    Early,
    /// Weights count nothing.
    Weight,
    /// Who has waited longest waits on.
    LongestAgo,
    /// The cheapest is first.
    Price,
    /// Who wins least is first.
    Performance,
    /// What was won before the look-back counts.
    LookBack,
    /// Three lucky wins rule.
    Sample,
    /// A small sample counts as much as a large one.
    Shrinking,

    /// A lead costs nothing.
    Charge,
    /// A deadline in open hours runs by the wall.
    Clock,
    /// The warning comes at the half.
    Warning,
    /// Delivery does not go on to who is waited for.
    Patience,
}

#[test]
fn whichever_rule_is_broken_the_comparison_notices() {
    let worlds = worlds();
    let (mut left, mut noticed) = (Broken::ALL.to_vec(), Vec::new());
    for seed in 0..WORLDS {
        if left.is_empty() {
            break;
        }
        let world = drawn(&worlds, seed);
        let book = world.book();
        let counters = world.counters(&book);
        let (decision, judged) = decide_on(&compiled(&book), &world, &counters);
        left.retain(|&broken| {
            let oracle = Oracle { broken: Some(broken), ..Oracle::of(&world, &book, &counters) };
            let agrees = agrees(&oracle, &decision, &judged).is_ok();
            if !agrees {
                noticed.push((seed + 1, broken));
            }
            agrees
        });
    }
    println!("{} rules, each noticed within so many worlds:", noticed.len());
    for (worlds, broken) in &noticed {
        println!("{worlds:>9} {broken:?}");
    }
    assert!(left.is_empty(), "in {WORLDS} worlds nobody notices that these are broken: {left:?}");
}
