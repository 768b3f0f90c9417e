//! What a warning counts, for programs: the same numbers as in its sentence, unrounded.

use serde::{Deserialize, Serialize};

/// The numbers of a warning. What does not apply is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Which offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<String>,
    /// The other contracts that have part in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contracts: Vec<String>,
    /// Where: the most populous of the ZIPs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
    /// In how many ZIPs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zips: Option<u32>,
    /// How many people live there: where nobody takes the offer, or, of hours, where somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<u64>,
    /// Of how many: those of the country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_people: Option<u64>,
    /// The part of the week in which nobody is open, weighed by the people where the offer is taken, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub week_permille: Option<u32>,
    /// The states, the most people first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<StateFigures>,
    /// The longest stretches of the week, in the local time of the lead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
    /// How many more warnings of this kind are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<u32>,
}

/// A state's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateFigures {
    /// Its two letters.
    pub state: String,
    /// In how many ZIPs.
    pub zips: u32,
    /// How many people live there.
    pub people: u64,
    /// Of how many in the state.
    pub of_people: u64,
}

/// A stretch of the week, in the local time of the lead: `Sa 13:00` to `Mo 08:00`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// When it begins.
    pub from: String,
    /// When it ends.
    pub to: String,
    /// For which part of the people where the offer is taken, on average, in thousandths.
    pub people_permille: u32,
}
