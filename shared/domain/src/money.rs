//! Amounts in minor units. Never a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;

/// An amount in the minor unit of the company's currency (cents). At most 10,000,000.00.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// The largest amount: ten million units.
    pub const MAX: Self = Self(1_000_000_000);
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From minor units.
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor)
    }

    /// Minor units.
    pub const fn minor(self) -> i64 {
        self.0
    }
}

impl FromStr for Money {
    type Err = Invalid;

    /// Parses `45`, `45.5` or `45.00`.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let rule = || Invalid::new("an amount is written 45 or 45.00, from 0 to 10000000");
        let (units, cents) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if units.is_empty() || units.len() > 8 || cents.len() > 2 || !digits(units) || !digits(cents) {
            return Err(rule());
        }
        if text.ends_with('.') {
            return Err(rule());
        }
        let units: i64 = units.parse().map_err(|_| rule())?;
        let cents: i64 = format!("{cents:0<2}").parse().map_err(|_| rule())?;
        let minor = units * 100 + cents;
        if minor > Self::MAX.0 { Err(rule()) } else { Ok(Self(minor)) }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let minor = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", minor / 100, minor % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_and_prints_exactly() {
        for (text, minor) in
            [("45", 4500), ("45.5", 4550), ("45.00", 4500), ("0.07", 7), ("10000000", 1_000_000_000)]
        {
            assert_eq!(text.parse::<Money>().unwrap().minor(), minor);
        }
        for bad in ["", ".5", "5.", "1.234", "-1", "1e3", "10000000.01", "12,50"] {
            assert!(bad.parse::<Money>().is_err(), "{bad}");
        }
        assert_eq!(Money::from_minor(-705).to_string(), "-7.05");
        // A damaged counter is told as it stands.
        assert_eq!(Money::from_minor(i64::MIN).to_string(), "-92233720368547758.08");
    }
}
