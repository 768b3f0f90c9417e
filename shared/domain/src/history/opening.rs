//! Opening counts: what a contract or a dealer has had in the periods that run, and what is left of what it
//! paid in advance.

use crate::enquiry::Fields;
use crate::error::{FieldError, Invalid};
use crate::history::mend;
use crate::history::row::{Cells, at_fault};
use crate::ids::{ContractId, DealerId};
use crate::limits;
use crate::money::Money;
use crate::time::Period;

/// Whose counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// A contract's.
    Contract(ContractId),
    /// A dealer's, across its contracts.
    Dealer(DealerId),
}

/// A row of opening counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningCounts {
    /// Whose.
    pub of: Counted,
    /// How many were used, per [`Period`] in its order; `None` when the row has no counts.
    pub used: Option<[u32; 5]>,
    /// Of a contract: what its leads of this month cost.
    pub spent_month: Money,
    /// Of a dealer: what is left of what it paid in advance.
    pub balance: Option<Money>,
}

impl OpeningCounts {
    /// Reads a row of `contract` or `dealer`, `hour day week month total`, `spent_month` (a contract's) and
    /// `balance` (a dealer's). A longer period has had at least what a shorter one within it has: a blank is
    /// filled so.
    ///
    /// # Errors
    /// Every field at fault.
    pub fn read(row: &Fields) -> Result<Self, Vec<FieldError>> {
        let cells = Cells::of(row);
        let mut errors = Vec::new();
        let used = counts(&cells, &mut errors);
        let mut money = |name: &str| {
            let amount = cells.get(name).map(mend::amount).transpose();
            amount.unwrap_or_else(|rule| {
                errors.push(at_fault(name, &rule));
                None
            })
        };
        let (spent, balance) = (money("spent_month"), money("balance"));
        let positive = |amount: Option<Money>| amount.filter(|amount| *amount != Money::ZERO);
        let (spent, balance) = (positive(spent), positive(balance));
        let refused =
            |name: &str, detail: &str| FieldError { pointer: format!("/{name}"), detail: detail.to_owned() };
        let of = match (cells.get("contract"), cells.get("dealer")) {
            (Some(contract), None) => {
                if balance.is_some() {
                    errors.push(refused("balance", "a balance is a dealer's: give it in a row with dealer"));
                }
                ContractId::new(&contract.to_lowercase())
                    .map(Counted::Contract)
                    .map_err(|rule| at_fault("contract", &rule))
            }
            (None, Some(dealer)) => {
                if spent.is_some() {
                    errors.push(refused(
                        "spent_month",
                        "what a month cost is a contract's: give it in a row with contract",
                    ));
                }
                DealerId::new(&dealer.to_lowercase())
                    .map(Counted::Dealer)
                    .map_err(|rule| at_fault("dealer", &rule))
            }
            (Some(_), Some(_)) => {
                Err(refused("contract", "a row is of a contract or of a dealer, not of both"))
            }
            (None, None) => Err(refused("contract", "a row names a contract or a dealer")),
        };
        // A contract's row of nothing but blanks says that it had nothing.
        let used = used.or_else(|| balance.is_none().then_some([0; 5]));
        match of {
            Ok(of) if errors.is_empty() => {
                Ok(Self { of, used, spent_month: spent.unwrap_or(Money::ZERO), balance })
            }
            Ok(_) => Err(errors),
            Err(error) => {
                errors.push(error);
                Err(errors)
            }
        }
    }
}

fn counts(cells: &Cells<'_>, errors: &mut Vec<FieldError>) -> Option<[u32; 5]> {
    let mut given = [None; 5];
    for (slot, period) in given.iter_mut().zip(Period::ALL) {
        match cells.get(period.as_str()).map(count).transpose() {
            Ok(count) => *slot = count,
            Err(rule) => errors.push(at_fault(period.as_str(), &rule)),
        }
    }
    if given.iter().all(Option::is_none) {
        return None;
    }
    let [hour, day, week, month, total] = given;
    let mut least = |period: Period, given: Option<u32>, within: u32| {
        if given.is_some_and(|given| given < within) {
            let detail = format!("the {period} has had at least {within}, as a shorter period within it");
            errors.push(FieldError { pointer: format!("/{period}"), detail });
        }
        given.unwrap_or(within)
    };
    let hour = hour.unwrap_or(0);
    let day = least(Period::Day, day, hour);
    let week = least(Period::Week, week, day);
    let month = least(Period::Month, month, day);
    let total = least(Period::Total, total, week.max(month));
    Some([hour, day, week, month, total])
}

fn count(text: &str) -> Result<u32, Invalid> {
    let plain = mend::without_thousands(mend::whole(text)).and_then(|text| text.parse::<u32>().ok());
    plain
        .filter(|count| *count <= limits::CAP)
        .ok_or_else(|| Invalid::new(format!("a count is a whole number from 0 to {}", limits::CAP)))
}
