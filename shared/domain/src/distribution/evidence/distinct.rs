//! Evidence of what a decision asked, as it is kept: of each column the value that most have, and of the others, of
//! which there are few, which stands where, in as few bits as tell them apart.

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
    /// What most have.
    usual: Value,
    /// A bit for each usage that has another, the lowest first, up to the last that has.
    others: Vec<u8>,
    /// What those have, sorted.
    values: Vec<Value>,
    /// Which of them, one after another, the lowest bits first.
    at: Vec<u8>,
}

/// Bits one after another, the lowest of a byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.count.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (self.count % 8);
        }
        self.count += 1;
    }
}

fn bit(bytes: &[u8], at: usize) -> Option<bool> {
    Some(bytes.get(at / 8)? >> (at % 8) & 1 == 1)
}

/// How many bits tell so many values apart.
const fn bits(values: usize) -> usize {
    (usize::BITS - values.saturating_sub(1).leading_zeros()) as usize
}

impl<Value: Ord + Clone + Default> Column<Value> {
    fn of(all: impl Iterator<Item = Value>) -> Self {
        let all: Vec<Value> = all.collect();
        let mut values = all.clone();
        values.sort_unstable();
        let most = values.chunk_by(|a, b| a == b).max_by_key(|same| same.len());
        let usual = most.and_then(|same| same.first()).cloned().unwrap_or_default();
        values.dedup();
        values.retain(|value| *value != usual);
        let (mut others, mut at) = (Bits::default(), Bits::default());
        for value in &all {
            others.push(*value != usual);
            if let Ok(which) = values.binary_search(value) {
                (0..bits(values.len())).for_each(|bit| at.push(which >> bit & 1 == 1));
            }
        }
        let ends = others.bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        others.bytes.truncate(ends);
        Self { usual, others: others.bytes, values, at: at.bytes }
    }

    /// The values of so many usages; `None` when the column has not that many.
    fn read(&self, count: usize) -> Option<Vec<Value>> {
        let bits = bits(self.values.len());
        let mut next = 0;
        let value = |row: usize| {
            if !bit(&self.others, row).unwrap_or(false) {
                return Some(self.usual.clone());
            }
            let mut which = 0;
            for place in 0..bits {
                which |= usize::from(bit(&self.at, next + place)?) << place;
            }
            next += bits;
            self.values.get(which).cloned()
        };
        (0..count).map(value).collect()
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
        let results = || self.results.values.iter().chain([&self.results.usual]);
        if count > limits::EVIDENCE_ASKED || results().any(|of| of.len() > WEEKS) {
            return None;
        }
        let mut usages = vec![Seen::default(); count];
        for (period, column) in self.used.iter().enumerate() {
            for (seen, slot) in usages.iter_mut().zip(column.read(count)?) {
                *seen.used.get_mut(period)? = slot;
            }
        }
        fill(&mut usages, &self.pass, |seen| &mut seen.pass)?;
        fill(&mut usages, &self.last_ms_ago, |seen| &mut seen.last_ms_ago)?;
        fill(&mut usages, &self.spent_month, |seen| &mut seen.spent_month)?;
        fill(&mut usages, &self.balance, |seen| &mut seen.balance)?;
        fill(&mut usages, &self.results, |seen| &mut seen.results)?;
        let exists = self.exists.read(count)?;
        Some(Evidence {
            stop: self.stop,
            shadow: self.shadow,
            has_results: self.has_results,
            as_asked: true,
            contracts: self.contracts,
            dealers: self.dealers,
            usages: usages.into_iter().zip(exists).map(|(seen, exists)| exists.then_some(seen)).collect(),
        })
    }
}

fn fill<Value: Ord + Clone + Default>(
    usages: &mut [Seen],
    column: &Column<Value>,
    into: fn(&mut Seen) -> &mut Value,
) -> Option<()> {
    let values = column.read(usages.len())?;
    for (seen, value) in usages.iter_mut().zip(values) {
        *into(seen) = value;
    }
    Some(())
}
