//! How those who may all have a lead are put in order.

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::limits;

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
    /// By weight: each as many leads as are due to it, to within one.
    Share,
    /// Who was last assigned a lead longest ago.
    LongestAgo,
    /// The higher price first.
    Price,
    /// Who won more of what it got, to the whole percent: see [`win_percent`].
    Performance {
        /// The look-back in days, 7 to [`limits::PERFORMANCE_DAYS`], counted by whole weeks.
        days: u16,
        /// The minimum sample in leads, 1 to [`limits::PERFORMANCE_SAMPLE`].
        sample: u32,
    },
}

/// The ranking of an offer that names none.
pub const DEFAULT: [Step; 4] =
    [Step::Tier, Step::Distance { bucket_miles: 10 }, Step::Share, Step::LongestAgo];

impl std::str::FromStr for Step {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let rule = || {
            Invalid::new(
                "a ranking step is tier, distance:10mi (1 to 500), share, longest_ago, price or performance:90d:20 (7 to 182 days, at least 1 to 10000 leads)",
            )
        };
        if let Some(terms) = text.strip_prefix("performance:") {
            let (days, sample) = terms.split_once("d:").ok_or_else(rule)?;
            let (days, sample) = (days.parse().map_err(|_| rule())?, sample.parse().map_err(|_| rule())?);
            let known = (7..=limits::PERFORMANCE_DAYS).contains(&days)
                && (1..=limits::PERFORMANCE_SAMPLE).contains(&sample);
            return if known { Ok(Self::Performance { days, sample }) } else { Err(rule()) };
        }
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
            Self::Performance { days, sample } => write!(f, "performance:{days}d:{sample}"),
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

/// The share that a contract won of what it got, in whole percent, shrunk toward the mean of those it
/// competes with: `(won + sample * mean) / (delivered + sample)`, the mean of a beta-binomial posterior
/// whose prior weighs as much as `sample` leads (Efron and Morris 1977, "Stein's paradox in statistics").
/// One that got fewer than `sample` is at the mean: three lucky wins do not rule.
///
/// `of_all` is (delivered, won) of all that compete; without any, the mean is 0.
pub(super) fn win_percent((delivered, won): (u64, u64), of_all: (u64, u64), sample: u32) -> u32 {
    let (all_delivered, all_won) = (u128::from(of_all.0), u128::from(of_all.1));
    if all_delivered == 0 {
        return 0;
    }
    let sample = u128::from(sample);
    let (delivered, won) = (u128::from(delivered), u128::from(won));
    let (delivered, won) = if delivered < sample { (0, 0) } else { (delivered, won) };
    let shrunk = won * all_delivered + sample * all_won;
    let of = (delivered + sample) * all_delivered;
    (100 * shrunk / of) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_lucky_wins_do_not_rule() {
        let all = (1_003, 103); // some 10 %
        assert_eq!(win_percent((3, 3), all, 20), 10);
        assert_eq!(win_percent((0, 0), all, 20), 10);
        assert_eq!(win_percent((1_000, 100), all, 20), 10);
        // Who really sells twice as well stands out, the more the longer it does.
        assert_eq!(win_percent((100, 20), (1_100, 120), 20), 18);
        assert_eq!(win_percent((1_000, 200), (2_000, 300), 20), 19);
        assert_eq!(win_percent((100, 0), (1_100, 120), 20), 1);
        assert_eq!(win_percent((0, 0), (0, 0), 20), 0);
    }

    #[test]
    fn an_offer_that_names_no_ranking_has_the_default() {
        let named = DEFAULT.map(|step| step.to_string());
        assert_eq!(named, ["tier", "distance:10mi", "share", "longest_ago"]);
    }

    #[test]
    fn a_step_reads_as_it_is_written() {
        for text in ["tier", "distance:10mi", "share", "longest_ago", "price", "performance:90d:20"] {
            assert_eq!(text.parse::<Step>().unwrap().to_string(), text);
        }
        for bad in
            ["performance", "performance:6d:20", "performance:90d:0", "performance:183d:1", "distance:0mi"]
        {
            assert!(bad.parse::<Step>().is_err(), "{bad}");
        }
    }
}
