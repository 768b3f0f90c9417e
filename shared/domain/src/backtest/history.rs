//! What happened, as a backtest reads it: one event a line of an export, in their order. No person is in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::distribution::counters::WeekResults;
use crate::distribution::{Counters, LeadFacts, Switches, Usage, Waiting};
use crate::ids::{ContractId, DealerId};
use crate::lead::AssignmentState;
use crate::money::Money;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Distribution concluded something about a lead, or the desk placed it.
    Decided(Box<Decided>),
    /// A dealer paid in advance.
    Deposited(Deposited),
    /// The desk flipped a switch.
    Switched(Switched),
}

/// A recorded decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// When.
    pub at: Timestamp,
    /// On what.
    pub facts: LeadFacts,
    /// The seed of its last tie-break.
    pub seed: u64,
    /// The contracts chosen, or recommended where it waits for a person.
    pub contracts: Vec<ContractId>,
    /// Why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// It stands beside what the desk did, and nothing followed from it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beside_desk: bool,
    /// The switches it read, as far as they touched a candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches: Option<Switches>,
    /// The counters it read, as far as they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Read>,
    /// The seats that were given with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Assigned>,
}

/// A seat, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assigned {
    /// When it was given.
    pub at: Timestamp,
    /// Under which contract.
    pub contract: ContractId,
    /// Its dealer.
    pub dealer: DealerId,
    /// The price, frozen.
    pub price: Money,
    /// It was taken from what the dealer paid in advance.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prepaid: bool,
    /// The desk placed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_desk: bool,
    /// How it stands.
    pub state: AssignmentState,
    /// Since when.
    pub state_at: Timestamp,
}

/// What a dealer paid in advance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deposited {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub dealer: DealerId,
    /// How much; below nothing where it was taken back.
    pub amount: Money,
}

/// The switches since an instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Switched {
    /// Since when.
    pub at: Timestamp,
    /// As they are since.
    pub switches: Switches,
}

/// Counters that a decision read; one that was never used is among them, as zeros.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// By contract.
    pub contracts: Vec<(ContractId, Seen)>,
    /// By dealer.
    pub dealers: Vec<(DealerId, Seen)>,
    /// What came of the contracts' leads was not read, and is not among them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_results: bool,
    /// Of periods that no cap counts, nothing was kept; and of passes and times, what the decision asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_asked: bool,
}

/// A [`Usage`] as a short line: there are many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen([Option<(i64, u32)>; 5], u64, i64, i64, i64, #[serde(default)] Vec<(i32, u32, u32)>);

impl Event {
    /// When.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Decided(decided) => decided.at,
            Self::Deposited(deposited) => deposited.at,
            Self::Switched(switched) => switched.at,
        }
    }
}

impl Assigned {
    /// When the seat came back, if it did.
    pub const fn given_back_at(&self) -> Option<Timestamp> {
        if self.state.is_given_back() { Some(self.state_at) } else { None }
    }

    /// When the dealer won it, if it did.
    pub const fn won_at(&self) -> Option<Timestamp> {
        match self.state {
            AssignmentState::Won => Some(self.state_at),
            AssignmentState::Offered
            | AssignmentState::Accepted
            | AssignmentState::Contacted
            | AssignmentState::Declined
            | AssignmentState::Lapsed
            | AssignmentState::Returned
            | AssignmentState::Withdrawn
            | AssignmentState::Lost => None,
        }
    }
}

impl Read {
    /// What was read: the counters of these contracts and dealers, found or not.
    pub fn of(contracts: &[ContractId], dealers: &[DealerId], counters: &Counters) -> Self {
        let seen = |usage: Option<&Usage>| usage.map(Seen::from).unwrap_or_default();
        Self {
            contracts: contracts.iter().map(|id| (id.clone(), seen(counters.contracts.get(id)))).collect(),
            dealers: dealers.iter().map(|id| (id.clone(), seen(counters.dealers.get(id)))).collect(),
            without_results: false,
            as_asked: false,
        }
    }
}

impl From<&Usage> for Seen {
    fn from(usage: &Usage) -> Self {
        let results = usage.results.iter().map(|of| (of.week, of.delivered, of.won)).collect();
        Self(usage.used, usage.pass, usage.last_assigned_ms, usage.spent_month, usage.balance, results)
    }
}

impl From<&Seen> for Usage {
    fn from(seen: &Seen) -> Self {
        let Seen(used, pass, last_assigned_ms, spent_month, balance, results) = seen;
        let week = |&(week, delivered, won): &(i32, u32, u32)| WeekResults { week, delivered, won };
        Self {
            used: *used,
            pass: *pass,
            last_assigned_ms: *last_assigned_ms,
            spent_month: *spent_month,
            balance: *balance,
            results: results.iter().map(week).collect(),
            exists: true,
        }
    }
}
