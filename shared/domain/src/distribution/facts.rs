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
    ) -> Option<&Timestamp> {
        self.contracts.end(contract).max(self.dealers.end(dealer)).filter(|&end| now < *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Pause;

    #[test]
    fn a_lead_is_placed_by_its_zip_else_its_state_else_its_phone_and_that_is_a_guess() {
        let miami: Zip = "33130".parse().unwrap();
        let georgia: State = "GA".parse().unwrap();
        let given = |state| Location::State { state, guessed: false };
        assert_eq!(Location::of(Some(miami), Some(georgia), Some(212)), Location::Zip(miami));
        assert_eq!(Location::of(None, Some(georgia), Some(305)), given(georgia));
        let florida: State = "FL".parse().unwrap();
        assert_eq!(Location::of(None, None, Some(305)), Location::State { state: florida, guessed: true });
        // No area code, none of the States', or a free one.
        for code in [None, Some(416), Some(800)] {
            assert_eq!(Location::of(None, None, code), Location::Unplaced, "{code:?}");
        }
        // A ZIP that no table knows yet says its state by its first digits, but what was given goes before.
        let unknown: Zip = "33100".parse().unwrap();
        assert!(place::of(unknown).is_none());
        assert_eq!(Location::of(Some(unknown), None, Some(212)), given(florida));
        assert_eq!(Location::of(Some(unknown), Some(georgia), None), given(georgia));
    }

    #[test]
    fn the_last_pause_counts_of_contract_and_dealer_together() {
        let at = |hour: u8| -> Timestamp { format!("2026-06-01T{hour:02}:00:00Z").parse().unwrap() };
        let (contract, dealer): (ContractId, DealerId) = ("a".parse().unwrap(), "d".parse().unwrap());
        let until = |contracts: &[Option<u8>], dealers: &[Option<u8>], now: u8| {
            let reason = String::new;
            let pause =
                |until: &Option<u8>| Pause { id: contract.clone(), reason: reason(), until: until.map(at) };
            let of_dealer =
                |until: &Option<u8>| Pause { id: dealer.clone(), reason: reason(), until: until.map(at) };
            let switches = Switches {
                contracts: contracts.iter().map(pause).collect(),
                dealers: dealers.iter().map(of_dealer).collect(),
                ..Switches::default()
            };
            switches.paused_until(&contract, &dealer, at(now)).copied()
        };
        assert_eq!(until(&[], &[], 12), None);
        assert_eq!(until(&[Some(13)], &[], 12), Some(at(13)));
        assert_eq!(until(&[Some(13)], &[Some(15)], 12), Some(at(15)));
        assert_eq!(until(&[Some(14), Some(13)], &[Some(12)], 12), Some(at(14)));
        assert_eq!(until(&[Some(13)], &[None], 12), Some(Timestamp::MAX));
        assert_eq!(until(&[Some(12)], &[Some(11)], 12), None, "it ends at its instant");
    }
}
