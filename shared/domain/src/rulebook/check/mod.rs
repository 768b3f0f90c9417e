//! What is allowed and hardly meant: what a lead desk would want to know before it publishes.
//!
//! | module | finds |
//! |---|---|
//! | [`unused`] | what nothing refers to, whose last day is over, slips of the pen |
//! | [`dead`] | contracts that can never be given a lead, parts of areas that cover no place |
//! | [`shadow`] | contracts before which others always speak |
//! | [`overlap`] | territories of the same rank in one place |
//! | [`gaps`] | offers that nobody takes, places where nobody takes one, hours in which nobody is open |
//! | [`closed`] | offers that a closed territory keeps from everybody |
//! | [`caps`] | caps that contradict each other |
//!
//! They stand on a [`survey`] of the contracts, which stands on the [`ground`] they cover and the [`week`]
//! they are open; a [`field`] is who takes one offer where and when.
//!
//! Determinations:
//!
//! - *A claim is proved or not made.* What is said to be dead or shadowed is never assigned by
//!   [`decide`](crate::distribution::decide()), whatever the counters and the clock from `today` on; a
//!   property test holds it against that. Only the switches stand outside: while the desk pauses a
//!   contract, who stands in its shadow is given its leads.
//! - *Work is bounded*, by counts and not by time, so that the same rulebook has the same warnings
//!   everywhere. What was not looked at is not claimed.
//! - *No kind crowds out another.* The list has [`limits::PROBLEMS`](crate::limits::PROBLEMS) rows; a kind
//!   with more than its part ends in a row that counts the rest.

mod unused;
mod dead;
mod shadow;
mod overlap;
mod gaps;
mod closed;
mod caps;
mod survey;
mod ground;
mod reach;
mod week;
mod field;
mod figures;
mod warnings;
#[cfg(test)]
mod tests;

use jiff::civil::Date;

pub use figures::{Block, Figures, StateFigures};

use crate::contract::Contract;
use crate::rulebook::Rulebook;
use crate::rulebook::origin::cell_name;
use crate::rulebook::problem::Problem;
use field::Fields;
use reach::Reach;
use survey::Survey;
use warnings::Warnings;

impl Rulebook {
    /// Warnings, by file, line and column, at most [`crate::limits::PROBLEMS`]: what nothing refers to or is
    /// over; contracts that can never be given a lead, or only stand in another's shadow; territories that
    /// overlap at the same rank; places and hours without a taker; caps that contradict each other.
    ///
    /// `today` is the first day that is looked at, by each dealer's own calendar.
    pub fn check(&self, today: Date) -> Vec<Problem> {
        let mut warnings = Warnings::default();
        let running: Vec<&Contract> =
            self.contracts.iter().filter(|contract| !unused::ended(contract.ends, today)).collect();
        self.check_sources(today, &mut warnings);
        self.check_people(&mut warnings);
        self.check_dealers(&running, &mut warnings);
        self.check_areas(&mut warnings);
        self.check_ends(today, &mut warnings);
        let mut survey = Survey::of(self, today);
        survey.find_dead(&mut warnings);
        let (reach, mut fields) = (Reach::of(&survey), Fields::of(&survey));
        survey.find_shadowed(&reach, &mut warnings);
        survey.find_overlaps(&reach, &mut warnings);
        survey.find_gaps(&mut fields, &mut warnings);
        survey.find_closed_gaps(&reach, &fields, &mut warnings);
        survey.find_odd_caps(&mut warnings);
        let mut list = warnings.into_list();
        for (file, workbook, sheet) in &self.positions.sheets {
            for problem in list.iter_mut().filter(|problem| problem.file == *file) {
                problem.cell = Some(cell_name(sheet, problem.at));
                problem.file.clone_from(workbook);
            }
        }
        list
    }
}
