//! On what terms a dealer receives leads: area, territory, seats, caps.

mod answers;

pub use answers::{AcceptBy, Deadline, DeadlineClock, ReturnApproval, ReturnTerms};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::dealer::AfterHours;
use crate::error::Invalid;
use crate::ids::{AreaId, ContractId, DealerId, OfferId, SourceId};
use crate::limits;
use crate::money::Money;
use crate::place::{County, State, Zip, Zip3};
use crate::scoring::Band;
use crate::time::Period;

/// A row of `contracts.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// Who receives.
    pub dealer: DealerId,
    /// Which offers it takes.
    pub offers: Selection<OfferId>,
    /// From which sources.
    pub sources: Selection<SourceId>,
    /// Where.
    pub area: AreaId,
    /// What the area compels.
    pub territory: Territory,
    /// How many dealers may have one lead.
    pub sale: Sale,
    /// What follows when a compelling contract is shut or full.
    pub when_unavailable: WhenUnavailable,
    /// The least band it takes.
    pub min_band: Band,
    /// What a lead must bring.
    pub needs: Needs,
    /// A lead older than this is not its any more, in hours since the cycle opened.
    pub max_age_hours: Option<u32>,
    /// Rank, 1 first.
    pub tier: u8,
    /// Its part of a share, at least 1.
    pub weight: u32,
    /// What a lead costs the dealer.
    pub price: Money,
    /// How many it may have.
    pub caps: Caps,
    /// How much it may cost the dealer in a calendar month.
    pub budget_month: Option<Money>,
    /// Until when it must be accepted, the company's default filled in.
    pub deadline: Option<Deadline>,
    /// What may be returned; nothing, if `None`.
    pub returns: Option<ReturnTerms>,
    /// Overrides the dealer's.
    pub after_hours: Option<AfterHours>,
    /// Its dealer may have a lead again that comes back in a later cycle.
    pub again: bool,
    /// First day, in the dealer's zone.
    pub starts: Option<Date>,
    /// Last day, in the dealer's zone.
    pub ends: Option<Date>,
}

/// `*`, or the ids that are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Selection<Id> {
    /// `*`: all, those to come included.
    All,
    /// These.
    These(Vec<Id>),
}

impl<Id: PartialEq> Selection<Id> {
    /// Whether this id is meant.
    pub fn takes(&self, id: &Id) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.contains(id),
        }
    }
}

words! {
    /// What a contract's area compels.
    pub enum Territory as "territory" {
        /// Competes with others.
        Open = "open",
        /// Must be offered the lead before the rest.
        First = "first",
        /// Nobody else gets what this contract takes.
        Protected = "protected",
        /// Nobody else gets any lead of the category from that area.
        Closed = "closed",
    }
}

impl Territory {
    /// Whether it has a say before the ranking.
    pub const fn compels(self) -> bool {
        !matches!(self, Self::Open)
    }
}

words! {
    /// What follows when a compelling contract is shut, full or unreachable.
    pub enum WhenUnavailable as "when_unavailable" {
        /// The lead waits for it.
        Wait = "wait",
        /// The next most specific compelling contract, and then the rest.
        Next = "next",
    }
}

/// How many dealers may have one lead: `exclusive`, or `shared:3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sale(u8);

impl Sale {
    /// One seat.
    pub const EXCLUSIVE: Self = Self(1);

    /// Seats, 1 to [`limits::SEATS`].
    pub const fn seats(self) -> u8 {
        self.0
    }
}

impl std::str::FromStr for Sale {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let rule = || Invalid::new("sale is 'exclusive' or 'shared:N' with N from 2 to 10");
        if text == "exclusive" {
            return Ok(Self::EXCLUSIVE);
        }
        let seats: u8 = text.strip_prefix("shared:").ok_or_else(rule)?.parse().map_err(|_| rule())?;
        if (2..=limits::SEATS).contains(&seats) { Ok(Self(seats)) } else { Err(rule()) }
    }
}

impl std::fmt::Display for Sale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 1 { f.write_str("exclusive") } else { write!(f, "shared:{}", self.0) }
    }
}

words! {
    /// What a lead must bring.
    pub enum Need as "a need" {
        /// Consent to be contacted.
        Consent = "consent",
        /// A consent certificate (TrustedForm, Jornaya).
        Certificate = "certificate",
        /// Not on a do-not-call list.
        DncClean = "dnc_clean",
    }
}

/// A set of [`Need`]s: what a contract asks for, or what a lead brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Needs(u8);

impl Needs {
    /// None.
    pub const NONE: Self = Self(0);

    /// With one more.
    #[must_use]
    pub const fn with(self, need: Need) -> Self {
        Self(self.0 | 1 << need as u8)
    }

    /// All of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What of `asked` is missing here.
    pub fn missing(self, asked: Self) -> impl Iterator<Item = Need> {
        Need::ALL.iter().copied().filter(move |&need| (asked.0 & !self.0) >> need as u8 & 1 == 1)
    }

    /// Whether this brings all that is asked.
    pub const fn meets(self, asked: Self) -> bool {
        asked.0 & !self.0 == 0
    }

    /// Those in the set.
    pub fn iter(self) -> impl Iterator<Item = Need> {
        Self::NONE.missing(self)
    }
}

/// The most a contract or dealer may have in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// Counted by what.
    pub period: Period,
    /// How many, at least 1.
    pub most: u32,
}

/// All caps of one contract or dealer, at most one a period, in the order of [`Period`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Caps(pub Vec<Cap>);

/// One row of `areas.csv`: a part of a named area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AreaPart {
    /// `zip:33101`
    Zip(Zip),
    /// `zip3:331`
    Zip3(Zip3),
    /// `county:12086`, by FIPS code.
    County(County),
    /// `radius_mi:25`, from the dealer's ZIP.
    RadiusMiles(u32),
    /// `state:FL`
    State(State),
    /// Everywhere, once we know where the lead is at all.
    Any,
}

/// How specific the part of an area is that covers a lead. Smaller is more specific, and compels
/// before the larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Specificity {
    /// By ZIP.
    Zip,
    /// By the first three digits.
    Zip3,
    /// By county.
    County,
    /// By radius, the smaller first, in miles.
    RadiusMiles(u32),
    /// By state.
    State,
    /// By nothing.
    Any,
}

impl Specificity {
    /// A number in the same order.
    pub(crate) const fn order(self) -> u32 {
        match self {
            Self::Zip => 0,
            Self::Zip3 => 1,
            Self::County => 2,
            Self::RadiusMiles(miles) => miles.saturating_add(3),
            Self::State => u32::MAX - 1,
            Self::Any => u32::MAX,
        }
    }

    /// From that number.
    pub(crate) const fn from_order(order: u32) -> Self {
        const STATE: u32 = Specificity::State.order();
        match order {
            0 => Self::Zip,
            1 => Self::Zip3,
            2 => Self::County,
            STATE => Self::State,
            u32::MAX => Self::Any,
            miles => Self::RadiusMiles(miles - 3),
        }
    }
}

impl AreaPart {
    /// How specific this part is.
    pub const fn specificity(self) -> Specificity {
        match self {
            Self::Zip(_) => Specificity::Zip,
            Self::Zip3(_) => Specificity::Zip3,
            Self::County(_) => Specificity::County,
            Self::RadiusMiles(miles) => Specificity::RadiusMiles(miles),
            Self::State(_) => Specificity::State,
            Self::Any => Specificity::Any,
        }
    }
}

impl std::fmt::Display for AreaPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Zip(zip) => write!(f, "zip:{zip}"),
            Self::Zip3(zip3) => write!(f, "zip3:{zip3}"),
            Self::County(county) => write!(f, "county:{county}"),
            Self::RadiusMiles(miles) => write!(f, "radius_mi:{miles}"),
            Self::State(state) => write!(f, "state:{state}"),
            Self::Any => f.write_str("any"),
        }
    }
}

impl std::str::FromStr for AreaPart {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let rule = || {
            Invalid::new("an area's part is zip:33101, zip3:331, county:12086, radius_mi:25, state:FL or any")
        };
        let (kind, value) = text.split_once(':').ok_or_else(rule)?;
        match kind {
            "zip" => Zip::from_spreadsheet(value).map(Self::Zip),
            "zip3" => value.parse().map(Self::Zip3),
            "county" => value.parse().map(Self::County),
            "state" => value.parse().map(Self::State),
            "radius_mi" => match value.parse::<u32>() {
                Ok(miles) if (1..=limits::RADIUS_MILES).contains(&miles) => Ok(Self::RadiusMiles(miles)),
                _ => Err(Invalid::new("radius_mi is a whole number of miles from 1 to 500")),
            },
            _ => Err(rule()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_specific_a_part_is_is_a_number_in_the_same_order_and_back() {
        use Specificity::{Any, County, RadiusMiles, State, Zip, Zip3};
        let all = [
            Zip,
            Zip3,
            County,
            RadiusMiles(0),
            RadiusMiles(1),
            RadiusMiles(limits::RADIUS_MILES),
            State,
            Any,
        ];
        assert!(all.is_sorted() && all.is_sorted_by_key(|part| part.order()));
        assert_eq!(all.map(|part| Specificity::from_order(part.order())), all);
    }
}
