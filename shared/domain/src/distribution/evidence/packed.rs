//! Evidence as it is kept: column by column, and of each column only what says something. What a contract has had
//! is a few small numbers; what it has not had is nothing.

use serde::{Deserialize, Serialize};

use super::{Evidence, Seen, Slot};
use crate::ids::{ContractId, DealerId};
use jiff::Timestamp;

/// The first byte. That of the shape before is 0 or 1: whether distribution was stopped.
pub(super) const FORMAT: u8 = 2;

/// What a byte of [`Packed::kinds`] says: of each period, that the count is of the current one; and what else
/// there is.
const PASS: u8 = 1 << 5;
const LAST: u8 = 1 << 6;
const MORE: u8 = 1 << 7;
/// What a byte of [`Packed::more`] says.
const SPENT: u8 = 1;
const BALANCE: u8 = 1 << 1;
const RESULTS: u8 = 1 << 2;
/// Of each period, that it never was counted, is over, or is another than the current.
const SLOTS: u8 = 1 << 3;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Packed {
    format: u8,
    stop: bool,
    shadow: bool,
    has_results: bool,
    contracts: Vec<(ContractId, Option<Timestamp>)>,
    dealers: Vec<(DealerId, Option<Timestamp>)>,
    /// Of each usage, in its order; 0 of one that never was.
    kinds: Vec<u8>,
    /// Of those that have more than usual.
    more: Vec<u8>,
    /// The counts of current periods, period by period, so that like stands by like.
    used: [Vec<u32>; 5],
    /// Of those with unusual slots: of each period without a current count, what there is instead.
    slots: Vec<Odd>,
    /// A pass is the least of them, and so many units: the steps of a few weights.
    least_pass: u64,
    pass_unit: u64,
    passes: Vec<u64>,
    last_ms_ago: Vec<i64>,
    spent_month: Vec<i64>,
    balance: Vec<i64>,
    /// How many weeks there are of each, then all of them: delivered, won up to [`MANY_WON`], and whether the week
    /// is another than the next, in one number; then what is larger, and what is another.
    weeks: Vec<u32>,
    results: Vec<u64>,
    more_results: Vec<i64>,
}

/// From here on, how many were won stands by itself.
const MANY_WON: u32 = 3;
/// From one week to the next it is one week less ago.
const NEXT_WEEK: i32 = -1;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Odd {
    Never,
    At(i64, u32),
}

impl Packed {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let seen = || evidence.usages.iter().flatten();
        let passes = || seen().map(|seen| seen.pass).filter(|pass| *pass != 0);
        let least_pass = passes().min().unwrap_or(0);
        let pass_unit = passes().fold(0, |unit, pass| divisor(unit, pass - least_pass)).max(1);
        let mut packed = Self {
            format: FORMAT,
            stop: evidence.stop,
            shadow: evidence.shadow,
            has_results: evidence.has_results,
            contracts: evidence.contracts.clone(),
            dealers: evidence.dealers.clone(),
            least_pass,
            pass_unit,
            ..Self::default()
        };
        for usage in &evidence.usages {
            match usage {
                None => packed.kinds.push(0),
                Some(seen) => packed.add(seen),
            }
        }
        packed
    }

    fn add(&mut self, seen: &Seen) {
        let (mut kind, mut more) = (0, 0);
        for (period, (slot, counts)) in seen.used.iter().zip(&mut self.used).enumerate() {
            if let Slot::Now(count) = slot {
                kind |= 1 << period;
                counts.push(*count);
            }
        }
        let usual = |slot: &Slot| matches!(slot, Slot::Now(_) | Slot::Over);
        if !seen.used.iter().all(usual) {
            more |= SLOTS;
            self.slots.extend(seen.used.iter().filter_map(|slot| match *slot {
                Slot::Now(_) => None,
                Slot::Never => Some(Odd::Never),
                // Nothing of a period that is over.
                Slot::Over => Some(Odd::At(-1, 0)),
                Slot::At(distance, count) => Some(Odd::At(distance, count)),
            }));
        }
        if seen.pass != 0 {
            kind |= PASS;
            self.passes.push((seen.pass - self.least_pass) / self.pass_unit);
        }
        if let Some(ago) = seen.last_ms_ago {
            kind |= LAST;
            self.last_ms_ago.push(ago);
        }
        if seen.spent_month != 0 {
            more |= SPENT;
            self.spent_month.push(seen.spent_month);
        }
        if seen.balance != 0 {
            more |= BALANCE;
            self.balance.push(seen.balance);
        }
        if !seen.results.is_empty() {
            more |= RESULTS;
            self.weeks.push(seen.results.len() as u32);
            let mut before = 0;
            for &(week, delivered, won) in &seen.results {
                let since = week.wrapping_sub(before);
                before = week;
                let is_other = since != NEXT_WEEK;
                let few_won = won.min(MANY_WON);
                self.results.push(u64::from(delivered) << 3 | u64::from(few_won) << 1 | u64::from(is_other));
                self.more_results.extend((few_won == MANY_WON).then_some(i64::from(won)));
                self.more_results.extend(is_other.then_some(i64::from(since)));
            }
        }
        // One that exists and has nothing is told from one that never was.
        if more != 0 || kind == 0 {
            kind |= MORE;
            self.more.push(more);
        }
        self.kinds.push(kind);
    }

    /// `None` when the columns do not fit each other.
    pub(super) fn unpack(self) -> Option<Evidence> {
        let mut columns = Columns {
            more: self.more.into_iter(),
            used: self.used.map(Vec::into_iter),
            slots: self.slots.into_iter(),
            passes: self.passes.into_iter(),
            last_ms_ago: self.last_ms_ago.into_iter(),
            spent_month: self.spent_month.into_iter(),
            balance: self.balance.into_iter(),
            weeks: self.weeks.into_iter(),
            results: self.results.into_iter(),
            more_results: self.more_results.into_iter(),
        };
        let pass_of = |units: u64| self.least_pass.checked_add(units.checked_mul(self.pass_unit)?);
        let usages = self.kinds.into_iter().map(|kind| match kind {
            0 => Some(None),
            kind => columns.next(kind, pass_of).map(Some),
        });
        let usages = usages.collect::<Option<Vec<_>>>()?;
        Some(Evidence {
            stop: self.stop,
            shadow: self.shadow,
            has_results: self.has_results,
            as_asked: false,
            contracts: self.contracts,
            dealers: self.dealers,
            usages,
        })
    }
}

/// What is left of each column.
struct Columns {
    more: std::vec::IntoIter<u8>,
    used: [std::vec::IntoIter<u32>; 5],
    slots: std::vec::IntoIter<Odd>,
    passes: std::vec::IntoIter<u64>,
    last_ms_ago: std::vec::IntoIter<i64>,
    spent_month: std::vec::IntoIter<i64>,
    balance: std::vec::IntoIter<i64>,
    weeks: std::vec::IntoIter<u32>,
    results: std::vec::IntoIter<u64>,
    more_results: std::vec::IntoIter<i64>,
}

impl Columns {
    fn next(&mut self, kind: u8, pass_of: impl Fn(u64) -> Option<u64>) -> Option<Seen> {
        let more = if kind & MORE == 0 { 0 } else { self.more.next()? };
        let mut seen = Seen::default();
        for (period, (slot, counts)) in seen.used.iter_mut().zip(&mut self.used).enumerate() {
            *slot = if kind & 1 << period != 0 {
                Slot::Now(counts.next()?)
            } else if more & SLOTS != 0 {
                match self.slots.next()? {
                    Odd::Never => Slot::Never,
                    Odd::At(-1, 0) => Slot::Over,
                    Odd::At(distance, count) => Slot::At(distance, count),
                }
            } else {
                Slot::Over
            };
        }
        if kind & PASS != 0 {
            seen.pass = pass_of(self.passes.next()?)?;
        }
        if kind & LAST != 0 {
            seen.last_ms_ago = Some(self.last_ms_ago.next()?);
        }
        if more & SPENT != 0 {
            seen.spent_month = self.spent_month.next()?;
        }
        if more & BALANCE != 0 {
            seen.balance = self.balance.next()?;
        }
        if more & RESULTS != 0 {
            let mut week = 0_i32;
            for _ in 0..self.weeks.next()? {
                let packed = self.results.next()?;
                let mut won = (packed >> 1) as u32 & MANY_WON;
                if won == MANY_WON {
                    won = self.more_results.next()?.try_into().ok()?;
                }
                let mut since = NEXT_WEEK;
                if packed & 1 != 0 {
                    since = self.more_results.next()?.try_into().ok()?;
                }
                week = week.wrapping_add(since);
                seen.results.push((week, (packed >> 3).try_into().ok()?, won));
            }
        }
        Some(seen)
    }
}

/// The greatest common divisor; the other, where one is 0.
const fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
