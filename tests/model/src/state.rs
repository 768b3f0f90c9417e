//! What stands in the table, in the queues and in the heads of the processes at work.
//!
//! A version is not a number here but a question: has anybody written the item since this process read
//! it? Each process carries the answer (`fresh`), and every write takes it from the others. So the
//! states stay finite, and a condition on a version is exactly what it is in the table.

use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::lead::{AssignmentState, Stage};

pub use crate::hands::{Attempt, Change, Hand, Plan, Seen, Told};

/// A lead, a contract, a dealer or an assignment, by its place in [`State`].
pub type Id = u8;

/// A set of [`Id`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Set(u8);

impl Set {
    /// Puts one in.
    pub fn insert(&mut self, id: Id) {
        self.0 |= 1 << id;
    }

    /// Takes one out; whether it was there.
    pub fn remove(&mut self, id: Id) -> bool {
        let had = self.contains(id);
        self.0 &= !(1 << id);
        had
    }

    /// Whether it is in.
    pub const fn contains(self, id: Id) -> bool {
        self.0 >> id & 1 == 1
    }

    /// How many.
    pub const fn len(self) -> u8 {
        self.0.count_ones() as u8
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it, the smallest first.
    pub fn iter(self) -> impl Iterator<Item = Id> {
        (0..8).filter(move |id| self.contains(*id))
    }
}

impl FromIterator<Id> for Set {
    fn from_iter<I: IntoIterator<Item = Id>>(ids: I) -> Self {
        ids.into_iter().fold(Self::default(), |mut set, id| {
            set.insert(id);
            set
        })
    }
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The leads.
    pub leads: Vec<Lead>,
    /// The assignments, in the order they were made.
    pub assignments: Vec<Assignment>,
    /// The caps items, by contract.
    pub caps: Vec<Caps>,
    /// Those of dealers who have caps of their own, by dealer. Money is not counted here.
    pub dealer_caps: Vec<Caps>,
    /// Who is to be woken.
    pub wake: Option<Wake>,
    /// The periods at whose start the best of those who wait are to be woken: one item each.
    pub wake_at: Set,
    /// The messages under way, in no order: what is sent while the same is under way adds nothing (a
    /// duplicate is a fault of its own).
    pub queue: Vec<Message>,
    /// The processes at work.
    pub hands: Vec<Hand>,
    /// The period that the clock is in.
    pub period: u8,
    /// What may still go wrong.
    pub left: Faults,
}

/// How much may go wrong, and how much time may pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Faults {
    /// Messages delivered twice.
    pub duplicates: u8,
    /// Messages lost.
    pub losses: u8,
    /// Processes that end between two side effects.
    pub crashes: u8,
    /// Times that the period of the caps turns.
    pub turns: u8,
    /// Leads whose window of repeats ends.
    pub windows: u8,
    /// Repeats after it, each of which opens the next cycle.
    pub repeats: u8,
    /// Leads that the desk takes back.
    pub take_backs: u8,
}

/// When the sweep looks at an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Due {
    /// Never (or after ninety days, which do not pass here).
    Never,
    /// Before long.
    Soon,
    /// When the period turns, and the best who wait for that have been looked at.
    NextPeriod,
    /// The period has turned since: a few minutes after it, by when the best have been looked at.
    AfterTheBest,
}

/// Why a lead waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Nobody who may have it is left.
    Excluded,
    /// A cap is full.
    Cap,
    /// A budget is spent.
    Budget,
}

/// A lead with its open (or last) cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lead {
    /// Where it stands.
    pub stage: Stage,
    /// Why it waits.
    pub waits: Option<Reason>,
    /// The cycle, 0 first.
    pub cycle: u8,
    /// The assignments that hold its seats.
    pub holders: Set,
    /// The dealers who had it in this cycle.
    pub excluded: Set,
    /// Seats that the first contract fixed; 0 before.
    pub seats: u8,
    /// Seats whose holder did not sell.
    pub lost_seats: u8,
    /// When it must be looked at.
    pub due: Due,
    /// The window of repeats is over.
    pub window_over: bool,
    /// It waited once: only to see that waiting ends.
    pub waited: bool,
    /// It waited when the period turned: only to see who comes first.
    pub waited_over: bool,
}

/// An assignment. What stands below the line is not in the table: it is what happened outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "marks that stand apart, in the item or in the world")]
pub struct Assignment {
    /// The lead.
    pub lead: Id,
    /// Which cycle of it.
    pub cycle: u8,
    /// Under which contract.
    pub contract: Id,
    /// Whose that is.
    pub dealer: Id,
    /// The period its slot was reserved from.
    pub period: u8,
    /// From offered to closed.
    pub state: AssignmentState,
    /// Where the delivery stands.
    pub delivery: DeliveryState,
    /// Attempts begun.
    pub attempts: u8,
    /// The newest has begun and not ended.
    pub begun: bool,
    /// An attempt has the assignment to itself.
    pub claimed: bool,
    /// An attempt ended unknown.
    pub unknown: bool,
    /// When it must be looked at.
    pub due: Due,
    /// How far the deadline's clock has come: 1 at two thirds, 2 when it is over.
    pub clock: u8,
    /// The dealer was warned.
    pub warned: bool,
    /// What the dealer asks of the desk.
    pub request: Return,
    /// Charge lines.
    pub charges: u8,
    /// Credit lines.
    pub credits: u8,
    /// The withdrawal that goes on being tried.
    pub withdrawal: Withdrawal,

    // ---- what happened outside
    /// The dealer may have got it, and was not told since that it lost it.
    pub may_hold: bool,
    /// The dealer was told that it lost it.
    pub told: bool,
    /// The dealer said that it takes it, and was not refused.
    pub accepted: bool,
    /// How often its slot was given back.
    pub given_back: u8,
}

/// A return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Return {
    /// Not asked for.
    None,
    /// The desk is to decide.
    Requested,
    /// It said no.
    Denied,
}

/// A withdrawal's own item, made when the lead moves if the first attempt did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Withdrawal {
    /// There is none.
    None,
    /// It is tried again.
    Pending,
    /// It arrived, or a day is over.
    Ended,
}

/// A caps item: the period it was last turned to, what it counted in it, and money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Caps {
    /// The period of `used`.
    pub period: u8,
    /// Slots.
    pub used: u8,
    /// Money reserved or settled, whatever the period.
    pub spent: u8,
}

/// Slots that came free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wake {
    /// How many.
    pub slots: u8,
    /// Whose.
    pub dealers: Set,
}

/// A message. It names a thing and says nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    /// Decide on this lead.
    Lead(Id),
    /// Deliver this assignment, or do what is next about it.
    Assignment(Id),
    /// Try this withdrawal again.
    Withdrawal(Id),
    /// Wake those who wait for slots that came free.
    Wake,
    /// Wake those who wait for a period that has begun.
    WakeAt,
}

impl State {
    /// Whether the best who wait for a period that has begun are still to be woken.
    pub fn timed_wake_is_due(&self) -> bool {
        self.wake_at.iter().any(|at| at <= self.period)
    }

    /// A lead.
    pub fn lead(&self, id: Id) -> &Lead {
        &self.leads[usize::from(id)]
    }

    /// An assignment.
    pub fn assignment(&self, id: Id) -> &Assignment {
        &self.assignments[usize::from(id)]
    }

    /// The lead of an assignment, while it is in the cycle of that.
    pub fn lead_of(&self, assignment: Id) -> Option<Id> {
        let of = self.assignment(assignment);
        Some(of.lead).filter(|lead| self.lead(*lead).cycle == of.cycle)
    }

    /// The assignments with their ids.
    pub fn assignments(&self) -> impl Iterator<Item = (Id, &Assignment)> {
        self.assignments.iter().enumerate().map(|(id, one)| (id as Id, one))
    }

    /// Writes a lead: whoever read it before has read an old version.
    pub fn write_lead(&mut self, id: Id) -> &mut Lead {
        for at in 0..self.hands.len() {
            let of = self.hands[at].assignment();
            let reads = of.is_some_and(|of| self.assignment(of).lead == id);
            match &mut self.hands[at] {
                Hand::Distributing { lead, fresh, .. } if *lead == id => *fresh = false,
                Hand::TakingBack { fresh, .. } | Hand::Changing { fresh, .. } if reads => *fresh = false,
                Hand::Distributing { .. }
                | Hand::TakingBack { .. }
                | Hand::Changing { .. }
                | Hand::Attempting { .. }
                | Hand::Waking { .. } => {}
            }
        }
        &mut self.leads[usize::from(id)]
    }

    /// Writes an assignment, likewise.
    pub fn write_assignment(&mut self, id: Id) -> &mut Assignment {
        for hand in &mut self.hands {
            match hand {
                Hand::TakingBack { of, fresh, .. }
                | Hand::Changing { of, fresh, .. }
                | Hand::Attempting { of, next: Attempt::Claim { fresh } }
                    if *of == id =>
                {
                    *fresh = false;
                }
                Hand::Distributing { .. }
                | Hand::TakingBack { .. }
                | Hand::Changing { .. }
                | Hand::Attempting { .. }
                | Hand::Waking { .. } => {}
            }
        }
        &mut self.assignments[usize::from(id)]
    }

    /// Sends a message.
    pub fn send(&mut self, message: Message) {
        if let Err(at) = self.queue.binary_search(&message) {
            self.queue.insert(at, message);
        }
    }

    /// Takes a message from its queue.
    pub fn receive(&mut self, message: Message) {
        self.queue.retain(|one| *one != message);
    }

    /// A process begins, or goes on.
    pub fn begin(&mut self, hand: Hand) {
        self.hands.push(hand);
        self.hands.sort_unstable();
    }
}
