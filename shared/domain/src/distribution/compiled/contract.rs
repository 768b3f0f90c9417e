//! A contract as a decision reads it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Chunk;
use crate::contract::{Deadline, Needs, Sale, Territory, WhenUnavailable};
use crate::dealer::AfterHours;
use crate::ids::ContractId;
use crate::money::Money;
use crate::scoring::Band;

/// A contract as a decision reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompiledContract {
    /// Its id.
    pub id: ContractId,
    pub(super) dealer: u16,
    pub(super) offers: u16,
    pub(super) sources: u16,
    pub(super) caps: u16,
    pub(super) returns: u16,
    /// Where its id stands among those of the rulebook's contracts.
    pub(super) rank: u32,
    /// When the chunk is read.
    #[serde(skip)]
    pub(super) of_dealer: OfDealer,
    /// The first and the last day, likewise.
    #[serde(skip)]
    pub(super) days: (Day, Day),
    pub(crate) territory: Territory,
    pub(crate) sale: Sale,
    pub(crate) when_unavailable: WhenUnavailable,
    pub(crate) min_band: Band,
    pub(crate) needs: Needs,
    pub(crate) max_age_hours: Option<u32>,
    pub(crate) tier: u8,
    pub(crate) weight: u32,
    pub(crate) price: Money,
    pub(crate) budget_month: Option<Money>,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) after_hours: AfterHours,
    pub(crate) again: bool,
    pub(crate) starts: Option<Date>,
    pub(crate) ends: Option<Date>,
}

impl CompiledContract {
    /// Its dealer's, by [`Chunk::calendar`].
    pub(crate) const fn schedule(&self) -> u16 {
        self.of_dealer.schedule
    }

    /// Whether a day, where the dealer is, is within its start and end.
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "asked of hundreds, whose answers no processor can guess"
    )]
    pub(crate) fn runs(&self, today: Day) -> bool {
        (self.days.0 <= today) & (today <= self.days.1)
    }

    /// Whether its last day is before this one.
    pub(crate) fn is_over(&self, day: Day) -> bool {
        self.days.1 < day
    }

    /// Whether no cap, budget or balance can ever stand in its way.
    pub(crate) fn has_no_limit(&self, chunk: &Chunk) -> bool {
        self.budget_month.is_none()
            && !self.of_dealer.prepaid
            && chunk.caps_of(self).0.is_empty()
            && chunk.caps_of_dealer(self).0.is_empty()
    }

    /// Whether its dealer pays in advance.
    pub(crate) const fn prepaid(&self) -> bool {
        self.of_dealer.prepaid
    }

    /// Where its id stands among those of the rulebook's contracts: their order, known without reading them.
    pub(crate) const fn rank(&self) -> u32 {
        self.rank
    }

    /// Whether another contract of the rulebook is the same dealer's.
    pub(crate) const fn is_beside(&self, other: &Self) -> bool {
        self.of_dealer.rank == other.of_dealer.rank
    }
}

/// What of its dealer is asked of every contract that covers a lead: it stands beside the contract, since
/// dealers lie all over the chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OfDealer {
    pub(super) schedule: u16,
    pub(super) caps: u16,
    pub(super) prepaid: bool,
    pub(super) rank: u32,
}

/// A day of the calendar that is compared in one step; the default is before all days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i32);

impl Day {
    /// The last day of contracts that have none.
    pub(super) const LAST: Self = Self(i32::MAX - 1);
    /// A day on which no contract runs.
    pub(crate) const NEVER: Self = Self(i32::MAX);

    pub(crate) fn of(date: Date) -> Self {
        // In the order of dates, with gaps; the year -9999 is above the default.
        Self((i32::from(date.year()) + 10_000) * 512 + i32::from(date.month()) * 32 + i32::from(date.day()))
    }
}
