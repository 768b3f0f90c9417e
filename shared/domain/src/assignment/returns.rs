//! What a dealer asks to give back, and whether it may.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Assignment;
use crate::contract::{ReturnApproval, ReturnTerms};
use crate::ids::ReturnReason;
use crate::lead::AssignmentState;

words! {
    /// Where the return of a lead stands.
    pub enum ReturnState as "a return's state" {
        /// The desk is to decide.
        Requested = "requested",
        /// It is credited.
        Approved = "approved",
        /// It stays charged.
        Denied = "denied",
    }
}

/// What a dealer asks to give back, and what became of that.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// When it asked.
    pub at: Timestamp,
    /// Why: one of its contract's reasons.
    pub reason: ReturnReason,
    /// In its own words. May be about a person: never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it stands.
    pub state: ReturnState,
    /// When that was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// By whom; nobody, where the contract trusts the dealer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// What the desk said to it, for the dealer to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl std::fmt::Debug for Return {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Return({} {})", self.reason, self.state)
    }
}

/// Why a lead cannot be returned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReturn {
    /// Another system sold it.
    #[error("the lead was sold and charged before the company moved here: settle its return there")]
    Imported,
    /// It is not with the dealer any more, or won.
    #[error("a lead that is {0} cannot be returned")]
    Stands(AssignmentState),
    /// It was never charged.
    #[error("only a lead that was charged can be returned")]
    NotCharged,
    /// Its contract has no terms for it.
    #[error("the contract takes no returns")]
    NoTerms,
    /// The contract does not know this reason.
    #[error("the contract's reasons are: {}", .0.iter().map(ReturnReason::as_str).collect::<Vec<_>>().join(" "))]
    Reason(Vec<ReturnReason>),
    /// Too late.
    #[error("the window of {days} days is over since {until:.0}")]
    Over {
        /// How long it was.
        days: u32,
        /// Its last instant.
        until: Timestamp,
    },
}

impl Assignment {
    /// When what may be returned, as things stand with the dealer, was charged.
    pub const fn returnable(&self) -> Result<Timestamp, NoReturn> {
        if self.imported {
            return Err(NoReturn::Imported);
        }
        match self.state {
            AssignmentState::Offered | AssignmentState::Accepted | AssignmentState::Contacted => {}
            AssignmentState::Declined
            | AssignmentState::Lapsed
            | AssignmentState::Returned
            | AssignmentState::Withdrawn
            | AssignmentState::Won
            | AssignmentState::Lost => return Err(NoReturn::Stands(self.state)),
        }
        match self.settled_at {
            Some(settled_at) => Ok(settled_at),
            None => Err(NoReturn::NotCharged),
        }
    }

    /// Whether a return may be asked for now, for this reason, under the terms of its sale; where it stands then. How
    /// many of a month may be returned is the terms' too, and said by [`ReturnTerms::quota_of`].
    pub fn asks_to_return(
        &self,
        terms: Option<&ReturnTerms>,
        reason: &ReturnReason,
        now: Timestamp,
    ) -> Result<ReturnState, NoReturn> {
        let settled_at = self.returnable()?;
        let terms = terms.ok_or(NoReturn::NoTerms)?;
        if !terms.reasons.contains(reason) {
            return Err(NoReturn::Reason(terms.reasons.clone()));
        }
        let until = terms.until(settled_at);
        if now > until {
            return Err(NoReturn::Over { days: terms.days, until });
        }
        Ok(match terms.approval {
            ReturnApproval::Trusted => ReturnState::Approved,
            ReturnApproval::Desk => ReturnState::Requested,
        })
    }
}
