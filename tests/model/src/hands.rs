//! Processes at work: what each has in its head between two of its side effects, and is lost when it
//! ends.

use leadyard_domain::delivery::End;
use leadyard_domain::lead::Answer;

use crate::state::{Id, Message, Reason, Set};

/// A process at work on something, between two of its side effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hand {
    /// Distribution: has read lead and counters and decided; the commit is next.
    Distributing {
        /// The lead.
        lead: Id,
        /// What was decided.
        plan: Plan,
        /// The period its clock was in.
        period: u8,
        /// The periods of the caps items it read.
        seen: Seen,
        /// It saw to it that the best are woken when the next period begins.
        noted: bool,
        /// Nobody wrote the lead since.
        fresh: bool,
        /// A slot came free since.
        before_slot: bool,
    },
    /// Delivery: makes an attempt.
    Attempting {
        /// The assignment.
        of: Id,
        /// What is next.
        next: Attempt,
    },
    /// Delivery: takes the lead back.
    TakingBack {
        /// The assignment.
        of: Id,
        /// Whether the dealer was told.
        told: Told,
        /// It has looked, and nobody wrote assignment or lead since; if not, it looks first.
        fresh: bool,
    },
    /// Anything that reads an assignment with its lead and commits one change, if it still fits.
    Changing {
        /// The assignment.
        of: Id,
        /// The change.
        change: Change,
        /// Nobody wrote assignment or lead since.
        fresh: bool,
    },
    /// Distribution: has read the wake and chosen whom; sending and forgetting are next.
    Waking {
        /// Whom.
        leads: Set,
        /// At the start of a period, and not for slots that came free.
        timed: bool,
        /// No slot came free since.
        fresh: bool,
    },
}

/// The periods of the caps items that a decision read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seen {
    /// By contract.
    pub contracts: [u8; 3],
    /// By dealer.
    pub dealers: [u8; 2],
}

/// What distribution concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Plan {
    /// These contracts get a seat each.
    Assign(Set),
    /// It waits.
    Wait(Reason),
    /// The cycle is over by time.
    Expire,
    /// Nothing but the due time changes.
    Rest,
}

/// What is next in an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attempt {
    /// Keeping that it begins; `fresh` as everywhere.
    Claim {
        /// Nobody wrote the assignment since it was read.
        fresh: bool,
    },
    /// Posting.
    Post(u8),
    /// Keeping how attempt so-and-so ended.
    Record(u8, End),
}

/// Whether a dealer was told that it lost the lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Told {
    /// Not yet.
    No,
    /// It arrived.
    Arrived,
    /// It was tried, and goes on being tried.
    Tried,
}

/// A change that somebody wants of an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Delivery: nothing is to be done, so it has no due time.
    Rest,
    /// Delivery: two thirds of the deadline are over.
    Warn,
    /// Delivery: the deadline is over.
    Lapse,
    /// The dealer answers.
    Answer(Answer),
    /// The dealer asks to return it.
    AskReturn,
    /// The desk agrees.
    Approve,
    /// The desk does not.
    Deny,
    /// The desk takes it back.
    TakeBack,
}

impl Hand {
    /// The same, once it is kept that the best are woken when the next period begins.
    pub(crate) const fn noted(self) -> Self {
        match self {
            Self::Distributing { lead, plan, period, seen, fresh, before_slot, .. } => {
                Self::Distributing { lead, plan, period, seen, noted: true, fresh, before_slot }
            }
            Self::Attempting { .. }
            | Self::TakingBack { .. }
            | Self::Changing { .. }
            | Self::Waking { .. } => self,
        }
    }

    /// The assignment it works on.
    pub const fn assignment(self) -> Option<Id> {
        match self {
            Self::Attempting { of, .. } | Self::TakingBack { of, .. } | Self::Changing { of, .. } => Some(of),
            Self::Distributing { .. } | Self::Waking { .. } => None,
        }
    }

    /// The message it was begun by, which comes again if it ends before its time; none for a request
    /// of a dealer or the desk.
    pub const fn message(self) -> Option<Message> {
        match self {
            Self::Distributing { lead, .. } => Some(Message::Lead(lead)),
            Self::Attempting { of, .. } | Self::TakingBack { of, .. } => Some(Message::Assignment(of)),
            Self::Changing { of, change, .. } => match change {
                Change::Rest | Change::Warn | Change::Lapse => Some(Message::Assignment(of)),
                Change::Answer(_) | Change::AskReturn | Change::Approve | Change::Deny | Change::TakeBack => {
                    None
                }
            },
            Self::Waking { timed: false, .. } => Some(Message::Wake),
            Self::Waking { timed: true, .. } => Some(Message::WakeAt),
        }
    }
}
