//! Whose turn it is among those who share: the ranking's step `share`.
//!
//! A contract's *pass* is what it has had over its weight. Those who have had what is due to them all stand at the mean of
//! the passes by weight, and nobody may run ahead of it: whose next lead is not due yet waits. Of the others the one
//! whose next lead must come first has it. That is earliest eligible deadline first (Stoica and Abdel-Wahab 1995);
//! among contracts that stay it keeps each within one lead of its due, whatever their weights and however many.
//!
//! Determination: *not the smallest pass* (stride scheduling). It keeps any two within one turn of each other, and of
//! several with unequal weights one may stand further from its due: 1.9 leads at weights of 10, 3, 2 and 1, five at 10
//! beside ten 1s.
//!
//! Determination: *a pass is read as at least* the latest start of anybody's last lead, less its own 1/weight. Who has had
//! its due never stands below that; one that comes back from a pause is owed a lead at most, and floods nobody.

use crate::distribution::counters::PASS_UNIT;

/// Some contracts that share, and where they stand.
pub(super) struct Turns {
    /// The largest pass less its own 1/weight.
    latest_start: u64,
    /// Of all passes as they are read, each times its weight.
    sum: u128,
    weights: u128,
    /// The two earliest times at which a next lead must have come.
    soonest: [u64; 2],
}

/// The turn of one that has it.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    /// What its pass is read as at least.
    pub(super) floor: u64,
    /// The largest pass at which it is still its turn, where the others stand.
    pub(super) at_most: u64,
}

/// 1/weight.
pub(super) fn step(weight: u64) -> u64 {
    PASS_UNIT / weight.max(1)
}

impl Turns {
    /// Of these, each a pass and a weight.
    pub(super) fn of(all: impl Iterator<Item = (u64, u64)> + Clone) -> Self {
        let starts = all.clone().map(|(pass, weight)| pass.saturating_sub(step(weight)));
        let latest_start = starts.max().unwrap_or(0);
        let mut turns = Self { latest_start, sum: 0, weights: 0, soonest: [u64::MAX; 2] };
        for (pass, weight) in all {
            let due = turns.due(pass, weight);
            let [first, second] = turns.soonest;
            turns.soonest = [first.min(due), second.min(due.max(first))];
            turns.sum += u128::from(turns.read(pass, weight)) * u128::from(weight);
            turns.weights += u128::from(weight);
        }
        turns
    }

    /// What puts them in order: whether its next lead is not due yet, and by when it must have come.
    pub(super) fn order(&self, pass: u64, weight: u64) -> (bool, u64) {
        let early = self.weights * u128::from(self.read(pass, weight)) >= self.sum + u128::from(PASS_UNIT);
        (early, self.due(pass, weight))
    }

    /// The turn of one that comes first.
    pub(super) fn turn(&self, pass: u64, weight: u64) -> Turn {
        let (read, due) = (self.read(pass, weight), self.due(pass, weight));
        // Its own pass draws the mean along.
        let (own, others) = (u128::from(read) * u128::from(weight), self.weights - u128::from(weight));
        let not_early = (self.sum - own + u128::from(PASS_UNIT) - 1).checked_div(others);
        let not_early = not_early.and_then(|most| u64::try_from(most).ok()).unwrap_or(u64::MAX);
        // Of those that are early yet, some must come before it: it may not overtake them once they are not.
        let [first, second] = self.soonest;
        let next = if due == first { second } else { first };
        let at_most = not_early.min(next.saturating_sub(step(weight))).max(read);
        Turn { floor: self.floor(weight), at_most }
    }

    fn floor(&self, weight: u64) -> u64 {
        self.latest_start.saturating_sub(step(weight))
    }

    fn read(&self, pass: u64, weight: u64) -> u64 {
        pass.max(self.floor(weight))
    }

    fn due(&self, pass: u64, weight: u64) -> u64 {
        self.read(pass, weight).saturating_add(step(weight))
    }
}
