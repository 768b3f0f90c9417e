//! The band: fit and engagement in one grid, `A1` to `C3`.

use serde::{Deserialize, Serialize};

use crate::error::Invalid;

words! {
    /// Who they are: A fits best.
    pub enum FitLetter as "a fit letter" {
        /// Fits best.
        A = "A",
        /// Fits.
        B = "B",
        /// Hardly fits.
        C = "C",
    }
}

words! {
    /// What they did: 1 is most engaged.
    pub enum EngagementDigit as "an engagement digit" {
        /// Most engaged.
        One = "1",
        /// Engaged.
        Two = "2",
        /// Hardly engaged.
        Three = "3",
    }
}

/// Fit and engagement together. [`Band::meets`] is a partial order: A3 and B1 do not meet each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Band {
    /// Who they are.
    pub fit: FitLetter,
    /// What they did.
    pub engagement: EngagementDigit,
}

impl Band {
    /// The least: every band meets it.
    pub const LEAST: Self = Self { fit: FitLetter::C, engagement: EngagementDigit::Three };

    /// The nine bands, A1 first.
    pub fn all() -> impl Iterator<Item = Self> {
        FitLetter::ALL
            .iter()
            .flat_map(|&fit| EngagementDigit::ALL.iter().map(move |&engagement| Self { fit, engagement }))
    }

    /// Whether this is at least `needed` in both: B2 is met by A1, A2, B1 and B2.
    pub fn meets(self, needed: Self) -> bool {
        self.fit <= needed.fit && self.engagement <= needed.engagement
    }
}

impl std::fmt::Display for Band {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.fit, self.engagement)
    }
}

impl std::str::FromStr for Band {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::all()
            .find(|band| band.to_string() == text)
            .ok_or_else(|| Invalid::new("a band is a letter from A to C and a digit from 1 to 3, such as B2"))
    }
}

impl TryFrom<String> for Band {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Band> for String {
    fn from(band: Band) -> Self {
        band.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b2_is_met_by_a1_a2_b1_b2() {
        let needed: Band = "B2".parse().unwrap();
        let met: Vec<String> =
            Band::all().filter(|band| band.meets(needed)).map(|band| band.to_string()).collect();
        assert_eq!(met, ["A1", "A2", "B1", "B2"]);
        assert!(
            "D1".parse::<Band>().is_err() && "A4".parse::<Band>().is_err() && "a1".parse::<Band>().is_err()
        );
    }
}
