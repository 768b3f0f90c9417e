//! How those who may all have a lead are put in order.

use serde::{Deserialize, Serialize};

use crate::error::Invalid;

/// One step of a ranking. Where a step sees no difference, the next speaks; the last tie-break is
/// always a hash of lead and contract, so that no one is favoured for being first in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Step {
    /// Tier 1 before tier 2.
    Tier,
    /// The nearer first, in buckets of so many miles: unbucketed, a later step would never speak.
    Distance {
        /// Bucket width in miles, 1 to 500.
        bucket_miles: u32,
    },
    /// By weight: the smallest pass first.
    Share,
    /// Who was last assigned a lead longest ago.
    LongestAgo,
    /// The higher price first.
    Price,
}

/// The ranking of an offer that names none.
pub const DEFAULT: [Step; 4] =
    [Step::Tier, Step::Distance { bucket_miles: 10 }, Step::Share, Step::LongestAgo];

impl std::str::FromStr for Step {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let rule =
            || Invalid::new("a ranking step is tier, distance:10mi (1 to 500), share, longest_ago or price");
        match text {
            "tier" => Ok(Self::Tier),
            "share" => Ok(Self::Share),
            "longest_ago" => Ok(Self::LongestAgo),
            "price" => Ok(Self::Price),
            _ => {
                let miles = text.strip_prefix("distance:").and_then(|rest| rest.strip_suffix("mi"));
                let bucket_miles: u32 = miles.ok_or_else(rule)?.parse().map_err(|_| rule())?;
                if (1..=500).contains(&bucket_miles) {
                    Ok(Self::Distance { bucket_miles })
                } else {
                    Err(rule())
                }
            }
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tier => f.write_str("tier"),
            Self::Distance { bucket_miles } => write!(f, "distance:{bucket_miles}mi"),
            Self::Share => f.write_str("share"),
            Self::LongestAgo => f.write_str("longest_ago"),
            Self::Price => f.write_str("price"),
        }
    }
}

impl TryFrom<String> for Step {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Step> for String {
    fn from(step: Step) -> Self {
        step.to_string()
    }
}
