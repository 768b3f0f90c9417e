//! What dealers owe: a charge when a lead is settled, a credit when it is taken off again, a deposit when
//! a dealer pays in advance, a reversal when that money goes back. Lines are only ever added; a statement is the sum of a month's lines.
//!
//! A statement's month is the calendar month of the company, whose bill it is, not of the dealer: so one
//! that moves to another zone keeps the statements it has.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::assignment::Assignment;
use crate::error::Invalid;
use crate::ids::{AssignmentId, CompanyId, ContractId, DealerId, LeadId};
use crate::money::Money;
use crate::time;

words! {
    /// What a line of the ledger says.
    pub enum LineKind as "a ledger line's kind" {
        /// A lead was settled.
        Charge = "charge",
        /// A lead that was charged is not to be paid for.
        Credit = "credit",
        /// The dealer paid in advance.
        Deposit = "deposit",
        /// What the dealer paid in advance did not come, or was paid back.
        Reversal = "reversal",
    }
}

words! {
    /// Why a charged lead is credited.
    pub enum CreditReason as "a credit's reason" {
        /// The dealer returned it.
        Returned = "returned",
        /// The dealer declined it after it had arrived.
        Declined = "declined",
        /// The desk took it back.
        TakenBack = "taken_back",
    }
}

/// One line of a dealer's ledger. It names no person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Whose bill it is on.
    pub company: CompanyId,
    /// Who owes.
    pub dealer: DealerId,
    /// When it came to stand.
    pub at: Timestamp,
    /// What it says.
    pub kind: LineKind,
    /// How much; never negative.
    pub amount: Money,
    /// What it is for; nothing, for a deposit.
    pub lead: Option<LeadId>,
    /// The seat.
    pub assignment: Option<AssignmentId>,
    /// On which terms.
    pub contract: Option<ContractId>,
    /// Why it is credited; for a deposit and its reversal, the desk's reference.
    pub reason: Option<String>,
}

impl Line {
    /// The charge of an assignment that is settled; `None` of one that is not, that is a shadow, or that
    /// another system sold and charged.
    pub fn charge(assignment: &Assignment) -> Option<Self> {
        let at = assignment.settled_at.filter(|_| !assignment.shadow && !assignment.imported)?;
        Some(Self::of(assignment, LineKind::Charge, at, None))
    }

    /// The credit of an assignment that was charged, at `now`; `None` of one that was not.
    pub fn credit(assignment: &Assignment, reason: CreditReason, now: Timestamp) -> Option<Self> {
        Self::charge(assignment)?;
        Some(Self::of(assignment, LineKind::Credit, now, Some(reason.to_string())))
    }

    fn of(assignment: &Assignment, kind: LineKind, at: Timestamp, reason: Option<String>) -> Self {
        Self {
            company: assignment.company.clone(),
            dealer: assignment.dealer.clone(),
            at,
            kind,
            amount: assignment.price,
            lead: Some(assignment.lead),
            assignment: Some(assignment.id),
            contract: Some(assignment.contract.clone()),
            reason,
        }
    }
}

/// A calendar month, `2026-06`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(Date);

impl Month {
    /// The month that `now` falls in, in this zone.
    pub fn of(now: Timestamp, zone: &TimeZone) -> Self {
        Self(now.to_zoned(zone.clone()).date().first_of_month())
    }

    /// Its first day, and its last.
    pub fn days(self) -> (Date, Date) {
        (self.0, self.0.last_of_month())
    }

    /// Its first instant, and that of the next.
    pub fn bounds(self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let instant =
            |day: Date| Timestamp::from_second(time::start_of_day(day, zone)).unwrap_or(Timestamp::MAX);
        let next = self.0.last_of_month().tomorrow().unwrap_or(Date::MAX);
        (instant(self.0), instant(next))
    }
}

impl std::str::FromStr for Month {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let shape = text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let day = if shape { format!("{text}-01").parse().ok() } else { None };
        day.map(Self).ok_or_else(|| Invalid::new("a month is written 2026-06"))
    }
}

impl TryFrom<String> for Month {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

/// The sums of a month's lines, in minor units: they may exceed what a single amount may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Of all charges.
    pub charges: i64,
    /// Of all credits.
    pub credits: i64,
    /// Of all deposits, less their reversals: they pay, and are no part of what is owed.
    pub deposits: i64,
    /// How many leads were charged.
    pub charged: u32,
    /// How many were credited.
    pub credited: u32,
}

impl Sums {
    /// Of these lines.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Self {
        let mut sums = Self::default();
        for line in lines {
            let amount = line.amount.minor();
            match line.kind {
                LineKind::Charge => {
                    sums.charges += amount;
                    sums.charged += 1;
                }
                LineKind::Credit => {
                    sums.credits += amount;
                    sums.credited += 1;
                }
                LineKind::Deposit => sums.deposits += amount,
                LineKind::Reversal => sums.deposits -= amount,
            }
        }
        sums
    }

    /// What is owed for the month: charges less credits. Negative when more was credited than charged,
    /// since a credit is dated at its approval.
    pub const fn owed(self) -> i64 {
        self.charges - self.credits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_and_ends_where_the_company_is() {
        let new_york = time::zone("America/New_York").unwrap();
        let month: Month = "2026-03".parse().unwrap();
        let (from, to) = month.bounds(&new_york);
        assert_eq!(
            (from.to_string(), to.to_string()),
            ("2026-03-01T05:00:00Z".to_owned(), "2026-04-01T04:00:00Z".to_owned())
        );
        assert_eq!(Month::of(from, &new_york), month);
        let before = Timestamp::from_second(from.as_second() - 1).unwrap();
        assert_eq!(Month::of(before, &new_york).to_string(), "2026-02");
        for bad in ["2026-13", "2026-3", "2026", "06-2026", "2026-03-01"] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_statement_is_the_sum_of_its_lines_and_deposits_are_no_debt() {
        let line = |kind, minor| Line {
            company: "acme".parse().unwrap(),
            dealer: "hudson".parse().unwrap(),
            at: Timestamp::UNIX_EPOCH,
            kind,
            amount: Money::from_minor(minor),
            lead: None,
            assignment: None,
            contract: None,
            reason: None,
        };
        let lines = [
            line(LineKind::Charge, 4_500),
            line(LineKind::Charge, 1_001),
            line(LineKind::Credit, 4_500),
            line(LineKind::Deposit, 100_000),
            line(LineKind::Reversal, 40_000),
        ];
        let sums = Sums::of(&lines);
        assert_eq!((sums.owed(), sums.deposits), (1_001, 60_000));
        assert_eq!((sums.charged, sums.credited), (2, 1));
    }
}
