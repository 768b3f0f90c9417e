//! What a decision sees: facts of the lead, and the switches. Never the person.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::pauses::Pauses;
use crate::contract::Needs;
use crate::ids::{CategoryId, ContractId, DealerId, LeadId, OfferId, SourceId};
use crate::place::{self, State, Unit, Zip};
use crate::scoring::Band;

/// Everything about a lead that a decision may depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeadFacts {
    /// Only for the last tie-break.
    pub lead: LeadId,
    /// The open sale cycle, 1 first.
    pub cycle: u32,
    /// What it signed up for.
    pub offer: OfferId,
    /// The offer's category.
    pub category: CategoryId,
    /// Who sent it.
    pub source: SourceId,
    /// When the cycle opened: a lead's age is counted from here.
    pub opened_at: Timestamp,
    /// Where it is.
    pub location: Location,
    /// What it is worth, now.
    pub band: Band,
    /// What it brings of what contracts may need.
    pub brings: Needs,
    /// Dealers that had it in this cycle and do not hold it: declined, lapsed, returned, withdrawn.
    pub excluded: Vec<DealerId>,
    /// Dealers that hold a seat now.
    pub holders: Vec<DealerId>,
    /// Set when some seats are taken: what the first contract fixed.
    pub open_seats: Option<OpenSeats>,
}

/// What is left of a shared lead's seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSeats {
    /// Seats the first contract fixed.
    pub of: u8,
    /// How many of them are free.
    pub free: u8,
    /// The first contract was protected: it shares only with protected ones.
    pub protected: bool,
}

/// Where a lead is, as well as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Location {
    /// By its ZIP.
    Zip(Zip),
    /// By the state it gave, or (`guessed`) by its phone's area code: good enough for state-wide
    /// areas, never for anything finer.
    State {
        /// Which.
        state: State,
        /// By area code only.
        guessed: bool,
    },
    /// We do not know.
    Unplaced,
}

impl Location {
    /// From what an enquiry says: the ZIP; else the state; else the state of the phone's area code.
    pub fn of(zip: Option<Zip>, state: Option<State>, area_code: Option<u16>) -> Self {
        if let Some(zip) = zip.filter(|zip| place::of(*zip).is_some()) {
            return Self::Zip(zip);
        }
        // A ZIP too new for the table still says its state, where its first three digits lie in one.
        let state = state.or_else(|| zip.and_then(place::state_of));
        if let Some(state) = state {
            return Self::State { state, guessed: false };
        }
        match area_code.and_then(place::state_of_area_code) {
            Some(state) => Self::State { state, guessed: true },
            None => Self::Unplaced,
        }
    }

    /// The state, if known or guessed.
    pub fn state(self) -> Option<State> {
        match self {
            Self::Zip(zip) => place::of(zip).map(place::Place::state),
            Self::State { state, .. } => Some(state),
            Self::Unplaced => None,
        }
    }

    /// Its position, where the ZIP has any.
    pub fn unit(self) -> Option<Unit> {
        match self {
            Self::Zip(zip) => place::of(zip).and_then(place::Place::unit),
            Self::State { .. } | Self::Unplaced => None,
        }
    }

    /// The IANA zone: the ZIP's, else the most populous one of the state.
    pub fn zone(self) -> Option<&'static str> {
        match self {
            Self::Zip(zip) => place::of(zip).map(place::Place::zone),
            Self::State { state, .. } => Some(place::state_zone(state)),
            Self::Unplaced => None,
        }
    }
}

/// What the desk flips at once. Publishing a rulebook leaves them alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Switches {
    /// Nothing is distributed.
    pub stop: bool,
    /// Everything is decided and recorded, and nothing follows: the desk places.
    #[serde(default)]
    pub shadow: bool,
    /// These contracts get nothing.
    pub contracts: Pauses<ContractId>,
    /// These dealers get nothing.
    pub dealers: Pauses<DealerId>,
}

impl Switches {
    /// Until when this contract or its dealer is paused, if either is; [`Timestamp::MAX`] if by itself it
    /// never ends.
    pub(crate) fn paused_until(
        &self,
        contract: &ContractId,
        dealer: &DealerId,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.contracts.end(contract).max(self.dealers.end(dealer)).filter(|&end| now < end)
    }
}
