//! Why a contract may not have a lead, and why a lead waits: the words that programs compare.

use serde::{Deserialize, Serialize};

words! {
    /// The rules a contract must pass, in their order: the first failure is the reason recorded.
    pub enum Rule as "a rule" {
        /// The contract or dealer is not active: dates, pause.
        Inactive = "inactive",
        /// It does not take the offer.
        Offer = "offer",
        /// It does not take the source.
        Source = "source",
        /// The lead is too old for it.
        Age = "age",
        /// Its area does not cover the lead.
        Area = "area",
        /// The lead's band is below the contract's.
        Band = "band",
        /// The lead lacks what the contract needs.
        Needs = "needs",
        /// The dealer had it in this cycle, or has a seat.
        Excluded = "excluded",
        /// Another contract's territory compels.
        Territory = "territory",
        /// It is shut.
        Hours = "hours",
        /// A cap is full.
        Cap = "cap",
    }
}

/// Why a lead waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Waiting {
    /// We do not know where the lead is.
    Unplaced,
    /// The offer is placed by hand.
    Manual,
    /// Distribution is stopped by a switch.
    Stopped,
    /// The company only watches: what would be done is recorded, and the desk places.
    Shadow,
    /// The desk keeps it.
    Held,
    /// Nobody may have it; this is the rule nearest to passing.
    For(Rule),
}

impl Waiting {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unplaced => "unplaced",
            Self::Manual => "manual",
            Self::Stopped => "stopped",
            Self::Shadow => "shadow",
            Self::Held => "held",
            Self::For(rule) => rule.as_str(),
        }
    }

    /// Whether a person has it in hand: the rules were not asked, or what they say is not done.
    pub const fn is_by_hand(self) -> bool {
        match self {
            Self::Manual | Self::Stopped | Self::Shadow | Self::Held => true,
            Self::Unplaced | Self::For(_) => false,
        }
    }

    /// Whether the rules let nobody have it, whatever the hour and however full: see
    /// [`Rollback`](crate::rulebook::Rollback).
    pub const fn is_unmatched(self) -> bool {
        match self {
            Self::For(Rule::Hours | Rule::Cap) | Self::Manual | Self::Stopped | Self::Shadow | Self::Held => {
                false
            }
            Self::Unplaced
            | Self::For(
                Rule::Inactive
                | Rule::Offer
                | Rule::Source
                | Rule::Age
                | Rule::Area
                | Rule::Band
                | Rule::Needs
                | Rule::Excluded
                | Rule::Territory,
            ) => true,
        }
    }

    /// Whether nobody serves what was asked for where it was (unmet demand): no active contract takes the offer from this
    /// source in this area, or whoever has the area takes it not and keeps others out. Who is shut, full, did not want it or
    /// wants better leads serves it; of what we do not know where it is, nobody can say.
    pub const fn is_unserved(self) -> bool {
        match self {
            Self::For(Rule::Inactive | Rule::Offer | Rule::Source | Rule::Area | Rule::Territory) => true,
            Self::Manual
            | Self::Stopped
            | Self::Shadow
            | Self::Held
            | Self::Unplaced
            | Self::For(Rule::Age | Rule::Band | Rule::Needs | Rule::Excluded | Rule::Hours | Rule::Cap) => {
                false
            }
        }
    }
}

impl std::fmt::Display for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Waiting {
    type Err = crate::error::Invalid;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "unplaced" => Ok(Self::Unplaced),
            "manual" => Ok(Self::Manual),
            "stopped" => Ok(Self::Stopped),
            "shadow" => Ok(Self::Shadow),
            "held" => Ok(Self::Held),
            rule => rule.parse().map(Self::For).map_err(|_| {
                crate::error::Invalid::new(
                    "a waiting reason is unplaced, manual, stopped, shadow, held or a rule: inactive offer source age area band needs excluded territory hours cap",
                )
            }),
        }
    }
}

impl TryFrom<String> for Waiting {
    type Error = crate::error::Invalid;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Waiting> for String {
    fn from(reason: Waiting) -> Self {
        reason.as_str().to_owned()
    }
}
