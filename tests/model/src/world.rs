//! How large a world is, who lives in it, what may go wrong there; and how the protocol may be broken.

use leadyard_domain::delivery::End;

use crate::state::{Change, Faults, Id};

/// A small world. All leads are of one company and one category.
#[derive(Clone, Copy, Debug)]
pub struct World {
    /// What it is about.
    pub name: &'static str,
    /// How many leads arrive, all at once.
    pub leads: u8,
    /// The contracts that may have them, at most three, the best of the ranking first.
    pub contracts: &'static [Contract],
    /// Leads of a dealer in a period, whatever its contracts, by dealer; no dealer has such a cap, if empty.
    pub dealer_caps: &'static [u8],
    /// Seats of a lead: 1 is exclusive.
    pub seats: u8,
    /// Lead and contract: that contract's territory is protected and waits.
    pub protected: &'static [(Id, Id)],
    /// Attempts at an assignment until it is final.
    pub attempts: u8,
    /// Processes at work at once.
    pub hands: usize,
    /// What dealers and the desk may do.
    pub people: &'static [Change],
    /// What may go wrong.
    pub faults: Faults,
}

/// A contract of a dealer.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Whose.
    pub dealer: Id,
    /// Leads in a period.
    pub cap: u8,
    /// What it has paid in advance.
    pub budget: u8,
    /// What a lead costs.
    pub price: u8,
    /// It must accept before a deadline.
    pub deadline: bool,
    /// How attempts at it may end.
    pub ends: &'static [End],
}

/// Attempts that always arrive.
pub const ARRIVES: &[End] = &[End::Received];
/// Attempts that arrive, or leave it open whether they did.
pub const DOUBTFUL: &[End] = &[End::Received, End::Unknown];
/// Attempts that end in every way.
pub const ANYHOW: &[End] = &[End::Received, End::NotReceived, End::Unknown];

impl Contract {
    /// One of a dealer that takes what comes, whose channel works.
    pub const fn of(dealer: Id) -> Self {
        Self { dealer, cap: 9, budget: 90, price: 1, deadline: false, ends: ARRIVES }
    }
}

/// One deliberate fault of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    /// None: the protocol as it is meant.
    Nothing,
    /// The lead's version is no condition of assigning it.
    AssignsWithoutVersion,
    /// The cap is read, and no condition of the commit.
    CapIsNoCondition,
    /// The budget is read, and no condition of the commit.
    BudgetIsNoCondition,
    /// The cap of the dealer is read, and no condition of the commit.
    DealerCapIsNoCondition,
    /// What comes back keeps the slot of its dealer.
    KeepsTheDealersSlot,
    /// A dealer gets a seat for each of its contracts.
    SeatsEveryContract,
    /// Who had the lead under one contract may have it again under another.
    ExcludesTheContractAlone,
    /// Whose clock is behind turns the period of the caps back.
    TurnsPeriodBack,
    /// A lead is taken back whatever became of the assignment since it was read.
    GivesBackWithoutState,
    /// A slot goes back to the current period, whichever it was taken from.
    GivesBackToAnyPeriod,
    /// What lapses keeps its slot.
    LapseKeepsTheSlot,
    /// The lead moves, and the dealer who may have it is not told.
    MovesWithoutWithdrawal,
    /// What ended unknown is taken for not received.
    UnknownIsNotReceived,
    /// An attempt leaves no trace before it is made.
    AttemptsWithoutClaim,
    /// An attempt is made though its claim is over.
    OutlivesItsClaim,
    /// A dealer may answer though it is being sent its withdrawal.
    AnswersAfterTheEnd,
    /// Accepting settles what delivery settled.
    SettlesTwice,
    /// Two who approve a return give two credits.
    CreditsTwice,
    /// A deadline that was read as over lapses what was accepted since.
    LapsesAfterAccept,
    /// With a deadline, delivery charges.
    ChargesBeforeAcceptance,
    /// What is declined after it was charged brings no credit.
    DeclineWithoutCredit,
    /// The sweep claims and puts nothing on the queue.
    SweepDoesNotRequeue,
    /// Messages are the truth: what is assigned has no due time.
    NothingIsDue,
    /// Who had the lead in this cycle may have it again.
    ForgetsWhoHadIt,
    /// A lead that comes back goes to anybody.
    ReroutesAroundTerritory,
    /// A slot comes free and nobody is woken.
    ForgetsToWake,
    /// Waking forgets the slots that came free meanwhile.
    WakeIsDoneForGood,
    /// The desk takes back while an attempt is under way.
    TakesBackUnderWay,
    /// Who is woken is sent a message and has no due time: `wake::wake` as it stood when this was written.
    WakesByMessageAlone,
    /// A slot of an earlier cycle comes free and nobody is woken: `Store::assignment_give_back` as it
    /// stood when this was written.
    OldCycleWakesNobody,
    /// The window's end closes a shared lead that one dealer holds while another's seat is given anew:
    /// `Lead::has_expired` as it stood when this was written.
    ExpiresWhileHeld,
    /// Who waits for the next period is not looked at when it begins.
    ForgetsTheReset,
    /// Who waits for the next period looks for itself, and the best are not woken before the others.
    ForgetsTheTimedWake,
    /// Who waits for the next period is woken at its start, and does not look for itself after that.
    RestsOnTheTimedWake,
    /// At the start of a period three are woken for one slot.
    WakesThreeForASlot,
    /// At the start of a period those with the lowest score are woken first.
    WakesTheLastFirst,
    /// A decision may take longer than the five seconds after which the waiting room is woken: what the
    /// protocol only assumes.
    DecidesSlowly,
}

impl Broken {
    /// Every way.
    pub const ALL: &'static [Self] = &[
        Self::AssignsWithoutVersion,
        Self::CapIsNoCondition,
        Self::BudgetIsNoCondition,
        Self::DealerCapIsNoCondition,
        Self::KeepsTheDealersSlot,
        Self::SeatsEveryContract,
        Self::ExcludesTheContractAlone,
        Self::TurnsPeriodBack,
        Self::GivesBackWithoutState,
        Self::GivesBackToAnyPeriod,
        Self::LapseKeepsTheSlot,
        Self::MovesWithoutWithdrawal,
        Self::UnknownIsNotReceived,
        Self::AttemptsWithoutClaim,
        Self::OutlivesItsClaim,
        Self::AnswersAfterTheEnd,
        Self::SettlesTwice,
        Self::CreditsTwice,
        Self::LapsesAfterAccept,
        Self::ChargesBeforeAcceptance,
        Self::DeclineWithoutCredit,
        Self::SweepDoesNotRequeue,
        Self::NothingIsDue,
        Self::ForgetsWhoHadIt,
        Self::ReroutesAroundTerritory,
        Self::ForgetsToWake,
        Self::WakeIsDoneForGood,
        Self::TakesBackUnderWay,
        Self::WakesByMessageAlone,
        Self::OldCycleWakesNobody,
        Self::ExpiresWhileHeld,
        Self::ForgetsTheReset,
        Self::ForgetsTheTimedWake,
        Self::RestsOnTheTimedWake,
        Self::WakesThreeForASlot,
        Self::WakesTheLastFirst,
        Self::DecidesSlowly,
    ];
}
