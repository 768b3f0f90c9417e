//! A whole number within bounds that its type states.

use serde::{Deserialize, Serialize};

use crate::error::Invalid;

/// A whole number from `LEAST` to `MOST`. Parsed once, where a file is read, so that the error stands
/// at its line and column and arithmetic on it needs no further check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Whole<const LEAST: i64, const MOST: i64>(i64);

impl<const LEAST: i64, const MOST: i64> Whole<LEAST, MOST> {
    /// This number, if it is within the bounds.
    pub fn new(value: i64) -> Result<Self, Invalid> {
        if (LEAST..=MOST).contains(&value) {
            Ok(Self(value))
        } else {
            Err(Invalid::new(format!("must be a whole number from {LEAST} to {MOST}")))
        }
    }

    /// The nearest number within the bounds.
    pub const fn clamped(value: i64) -> Self {
        if value < LEAST {
            Self(LEAST)
        } else if value > MOST {
            Self(MOST)
        } else {
            Self(value)
        }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<const LEAST: i64, const MOST: i64> TryFrom<i64> for Whole<LEAST, MOST> {
    type Error = Invalid;
    fn try_from(value: i64) -> Result<Self, Invalid> {
        Self::new(value)
    }
}

impl<const LEAST: i64, const MOST: i64> From<Whole<LEAST, MOST>> for i64 {
    fn from(whole: Whole<LEAST, MOST>) -> Self {
        whole.0
    }
}
