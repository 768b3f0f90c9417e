//! The plan: after how long, and how often.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::state::{Plan, Reason};
use crate::error::Invalid;
use crate::limits;

/// How long to wait: `4h`, `3d`, `2w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Wait {
    hours: u32,
}

impl Wait {
    /// So many hours, 1 to [`limits::FOLLOW_UP_WAIT_HOURS`].
    pub const fn hours(hours: u32) -> Self {
        Self { hours }
    }

    /// So many days.
    const fn days(days: u32) -> Self {
        Self { hours: 24 * days }
    }

    /// So long after an instant.
    pub fn after(self, at: Timestamp) -> Timestamp {
        at.checked_add(SignedDuration::from_hours(i64::from(self.hours))).unwrap_or(Timestamp::MAX)
    }
}

impl std::str::FromStr for Wait {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = || {
            let days = limits::FOLLOW_UP_WAIT_HOURS / 24;
            Invalid::new(format!("a wait is written 4h, 3d or 2w, from an hour to {days} days"))
        };
        let (count, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(rule)?;
        let hours = match unit {
            "h" => 1,
            "d" => 24,
            "w" => 7 * 24,
            _ => return Err(rule()),
        };
        let whole = !count.is_empty() && count.bytes().all(|digit| digit.is_ascii_digit());
        let count: u32 = count.parse().ok().filter(|_| whole).ok_or_else(rule)?;
        let hours = count.checked_mul(hours).ok_or_else(rule)?;
        (1..=limits::FOLLOW_UP_WAIT_HOURS).contains(&hours).then_some(Self { hours }).ok_or_else(rule)
    }
}

impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.hours {
            hours if hours % (7 * 24) == 0 => write!(f, "{}w", hours / (7 * 24)),
            hours if hours % 24 == 0 => write!(f, "{}d", hours / 24),
            hours => write!(f, "{hours}h"),
        }
    }
}

impl TryFrom<String> for Wait {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Wait> for String {
    fn from(wait: Wait) -> Self {
        wait.to_string()
    }
}

/// `followup.toml`: how a company follows up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FollowUpPlan {
    /// Before each call to who is not ready yet; the first runs from when that was found.
    pub not_ready: Vec<Wait>,
    /// Before each further call to whom nobody reached; each runs from the call before.
    pub not_reached: Vec<Wait>,
    /// Before each call to who was lost for now; the first runs from when their cycle closed.
    pub lost: Vec<Wait>,
    /// Calls in all, until they do something.
    pub most_calls: u8,
    /// No call later than so many days after they asked last, where they did not agree to be called.
    ///
    /// A seller may call a number on the national do-not-call list within the *three months* after an inquiry of its
    /// subscriber (47 CFR 64.1200(f)(5), 16 CFR 310.2(q)): the shortest three months have 89 days.
    pub enquiry_days: u16,
    /// The same, after the enquiry that opened the cycle, where they agreed to be called. Such consent lasts until it is
    /// revoked (47 CFR 64.1200(a)(10)): the year is ours, after which nobody remembers.
    pub consent_days: u16,
}

impl Default for FollowUpPlan {
    fn default() -> Self {
        Self {
            not_ready: vec![Wait::days(1), Wait::days(3), Wait::days(7), Wait::days(21)],
            not_reached: vec![Wait::hours(4), Wait::days(1), Wait::days(3), Wait::days(7)],
            lost: vec![Wait::days(45), Wait::days(90)],
            most_calls: 8,
            enquiry_days: 89,
            consent_days: 365,
        }
    }
}

impl FollowUpPlan {
    /// The waits of a reason; those that are no plan's have none.
    pub fn waits(&self, reason: Reason) -> &[Wait] {
        match reason {
            Reason::NotReady => &self.not_ready,
            Reason::NotReached => &self.not_reached,
            Reason::Lost => &self.lost,
            Reason::ByHand | Reason::Callback | Reason::Woken => &[],
        }
    }

    /// How many attempts a reason has: what is no plan's is one.
    pub fn attempts(&self, reason: Reason) -> u8 {
        match reason {
            Reason::NotReady | Reason::NotReached | Reason::Lost => {
                u8::try_from(self.waits(reason).len()).unwrap_or(u8::MAX)
            }
            Reason::ByHand | Reason::Callback | Reason::Woken => 1,
        }
    }

    /// When an attempt of a plan is, counted from an instant; `None` beyond its last.
    pub(super) fn attempt_at(&self, reason: Reason, attempt: u8, from: Timestamp) -> Option<Timestamp> {
        let wait = self.waits(reason).get(usize::from(attempt).checked_sub(1)?)?;
        Some(wait.after(from))
    }

    /// Whether anybody is followed up by a plan at all.
    pub fn begins(&self, plan: Plan) -> bool {
        !self.waits(plan.reason()).is_empty()
    }
}
