//! Evidence of what a decision asked, as it is kept: of each column its distinct values, of which there are few, and
//! which of them stands where, in as few bits as tell them apart.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Evidence, RESULT_WEEKS, Seen, Slot};
use crate::ids::{ContractId, DealerId};
use crate::limits;

/// The first byte: see [`packed::FORMAT`](super::packed::FORMAT).
pub(super) const FORMAT: u8 = 3;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Distinct {
    format: u8,
    stop: bool,
    shadow: bool,
    has_results: bool,
    contracts: Vec<(ContractId, Option<Timestamp>)>,
    dealers: Vec<(DealerId, Option<Timestamp>)>,
    /// How many usages there are, at most [`limits::EVIDENCE_ASKED`].
    count: u32,
    exists: Column<bool>,
    used: [Column<Slot>; 5],
    pass: Column<u64>,
    last_ms_ago: Column<Option<i64>>,
    spent_month: Column<i64>,
    balance: Column<i64>,
    results: Column<Vec<(i32, u32, u32)>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Column<Value> {
    /// Sorted.
    values: Vec<Value>,
    /// Which of them, usage by usage, the lowest bits first.
    at: Vec<u8>,
}

/// How many bits tell so many values apart.
const fn bits(values: usize) -> usize {
    (usize::BITS - values.saturating_sub(1).leading_zeros()) as usize
}

impl<Value: Ord + Clone> Column<Value> {
    fn of(all: impl Iterator<Item = Value>) -> Self {
        let all: Vec<Value> = all.collect();
        let mut values = all.clone();
        values.sort_unstable();
        values.dedup();
        let bits = bits(values.len());
        let mut at = vec![0_u8; (all.len() * bits).div_ceil(8)];
        for (row, value) in all.iter().enumerate() {
            let which = values.binary_search(value).unwrap_or(0);
            for bit in (0..bits).filter(|bit| which >> bit & 1 == 1) {
                let place = row * bits + bit;
                if let Some(byte) = at.get_mut(place / 8) {
                    *byte |= 1 << (place % 8);
                }
            }
        }
        Self { values, at }
    }

    /// The value of a usage; `None` when the column has none.
    fn get(&self, row: usize) -> Option<&Value> {
        let bits = bits(self.values.len());
        let mut which = 0;
        for bit in 0..bits {
            let place = row * bits + bit;
            which |= usize::from(self.at.get(place / 8)? >> (place % 8) & 1) << bit;
        }
        self.values.get(which)
    }
}

impl Distinct {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let none = Seen::default();
        let usages = &evidence.usages;
        let seen = || usages.iter().map(|usage| usage.as_ref().unwrap_or(&none));
        let used =
            |period: usize| Column::of(seen().map(|seen| seen.used.get(period).copied().unwrap_or_default()));
        Self {
            format: FORMAT,
            stop: evidence.stop,
            shadow: evidence.shadow,
            has_results: evidence.has_results,
            contracts: evidence.contracts.clone(),
            dealers: evidence.dealers.clone(),
            count: usages.len() as u32,
            exists: Column::of(usages.iter().map(Option::is_some)),
            used: [0, 1, 2, 3, 4].map(used),
            pass: Column::of(seen().map(|seen| seen.pass)),
            last_ms_ago: Column::of(seen().map(|seen| seen.last_ms_ago)),
            spent_month: Column::of(seen().map(|seen| seen.spent_month)),
            balance: Column::of(seen().map(|seen| seen.balance)),
            results: Column::of(seen().map(|seen| seen.results.clone())),
        }
    }

    /// `None` when the columns do not fit each other, or are of more than is ever kept so.
    pub(super) fn unpack(self) -> Option<Evidence> {
        const WEEKS: usize = RESULT_WEEKS as usize * 2;
        let count = self.count as usize;
        let few = count <= limits::EVIDENCE_ASKED && self.results.values.iter().all(|of| of.len() <= WEEKS);
        let usages = (0..count).filter(|_| few).map(|row| self.usage(row)).collect::<Option<Vec<_>>>()?;
        (usages.len() == count).then_some(Evidence {
            stop: self.stop,
            shadow: self.shadow,
            has_results: self.has_results,
            as_asked: true,
            contracts: self.contracts,
            dealers: self.dealers,
            usages,
        })
    }

    fn usage(&self, row: usize) -> Option<Option<Seen>> {
        if !*self.exists.get(row)? {
            return Some(None);
        }
        let mut used = [Slot::Never; 5];
        for (slot, column) in used.iter_mut().zip(&self.used) {
            *slot = *column.get(row)?;
        }
        Some(Some(Seen {
            used,
            pass: *self.pass.get(row)?,
            last_ms_ago: *self.last_ms_ago.get(row)?,
            spent_month: *self.spent_month.get(row)?,
            balance: *self.balance.get(row)?,
            results: self.results.get(row)?.clone(),
        }))
    }
}
