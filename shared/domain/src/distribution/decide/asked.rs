//! Whose counters the rankings of a decision went by, and who lost by them: of everybody else they are not kept
//! where a record must stay small.

use std::cell::RefCell;

use jiff::Timestamp;

use super::{Counters, Decision, Screened, Step, Table};

/// What a time said in the rankings of one decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::distribution) enum Said {
    /// Nothing: nobody asked.
    #[default]
    Nothing,
    /// That its contract comes after another, wherever it was asked.
    Loses,
    /// That its contract stays in the running, at least once.
    Stays,
}

/// What the counters of one candidate said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::distribution) struct Asked {
    /// Its pass was asked: whose turn it is, all who share have a say in.
    pub(in crate::distribution) pass: bool,
    /// When it last got a lead.
    pub(in crate::distribution) last: Said,
    /// What came of its leads was asked.
    pub(in crate::distribution) results: bool,
}

impl Asked {
    /// A candidate of which everything is kept.
    pub(in crate::distribution) const ALL: Self = Self { pass: true, last: Said::Stays, results: true };
}

/// Written while a decision is made again to be kept; nobody writes when it is made.
pub(super) type Asking = RefCell<Vec<Asked>>;

/// The decision, with what its rankings asked of each candidate, in their order.
pub(in crate::distribution) fn asked(
    screened: &Screened<'_>,
    counters: &Counters,
    now: Timestamp,
    seed: u64,
) -> (Decision, Vec<Asked>) {
    let mut table = Table::new(screened, counters, now, seed);
    table.asking = Some(RefCell::new(vec![Asked::default(); screened.candidates.len()]));
    let conclusion = table.conclude();
    let asked = table.asking.take().map(RefCell::into_inner).unwrap_or_default();
    (table.decision(conclusion), asked)
}

impl Table<'_> {
    /// Writes down what a step of a ranking asked of those before it, if anybody wants to know.
    pub(super) fn note(&self, step: Step, before: &[usize], after: &[usize]) {
        let Some(asking) = &self.asking else { return };
        let mut asking = asking.borrow_mut();
        // Those who stay do so in their order.
        let mut stay = after.iter().peekable();
        for at in before {
            let stays = stay.next_if_eq(&at).is_some();
            let Some(asked) = asking.get_mut(*at) else { continue };
            match step {
                Step::Share => asked.pass = true,
                Step::LongestAgo if stays => asked.last = Said::Stays,
                Step::LongestAgo if asked.last == Said::Nothing => asked.last = Said::Loses,
                Step::LongestAgo => {}
                Step::Performance { .. } => asked.results = true,
                Step::Tier | Step::Distance { .. } | Step::Price => {}
            }
        }
    }
}
