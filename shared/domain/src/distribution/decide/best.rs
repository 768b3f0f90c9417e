//! The best of those who are free: the offer's ranking, step by step.

use std::cmp::Reverse;

use super::{Best, Row, Step, Table, Usage, tie_break};
use crate::distribution::ranking::win_percent;

impl<'a> Table<'a> {
    /// The best of these by the offer's ranking.
    pub(super) fn best(&self, mut among: Vec<usize>) -> Option<Best> {
        let mut floor = 0;
        for step in self.ranking {
            if among.len() <= 1 {
                break;
            }
            match *step {
                Step::Tier => self.keep_least(&mut among, |row| row.candidate.contract.tier),
                Step::Distance { bucket_miles } => self.keep_least(&mut among, |row| {
                    row.candidate.miles.map_or(u32::MAX, |miles| (miles / f64::from(bucket_miles)) as u32)
                }),
                Step::Share => {
                    floor = self.share_floor(&among);
                    self.keep_least(&mut among, |row| self.pass(row).max(floor));
                }
                Step::LongestAgo => {
                    self.keep_least(&mut among, |row| {
                        self.usage(row).map_or(0, |usage| usage.last_assigned_ms)
                    });
                }
                Step::Price => self.keep_least(&mut among, |row| Reverse(row.candidate.contract.price)),
                Step::Performance { days, sample } => {
                    let of = |row: &Row<'_>| {
                        self.usage(row).map_or((0, 0), |usage| usage.performance(self.now, days))
                    };
                    let all = among.iter().filter_map(|&at| self.rows.get(at)).map(of);
                    let of_all = all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                    self.keep_least(&mut among, |row| Reverse(win_percent(of(row), of_all, sample)));
                }
            }
        }
        among
            .into_iter()
            .filter_map(|row| Some((self.tie_break(self.rows.get(row)?), row)))
            .min()
            .map(|(_, row)| Best { row, floor })
    }

    fn keep_least<Key: Ord>(&self, among: &mut Vec<usize>, key: impl Fn(&Row<'a>) -> Key) {
        let Some(least) = among.iter().filter_map(|&at| self.rows.get(at)).map(&key).min() else { return };
        among.retain(|&at| self.rows.get(at).is_some_and(|row| key(row) == least));
    }

    /// A pass is read as at least the largest among the eligible less the largest 1/weight.
    fn share_floor(&self, among: &[usize]) -> u64 {
        let rows = || among.iter().filter_map(|&at| self.rows.get(at));
        let largest = rows().map(|row| self.pass(row)).max().unwrap_or(0);
        let step = rows().map(Row::step).max().unwrap_or(0);
        largest.saturating_sub(step)
    }

    pub(super) fn usage(&self, row: &Row<'_>) -> Option<&'a Usage> {
        self.counters.contracts.get(&row.candidate.contract.id)
    }

    pub(super) fn pass(&self, row: &Row<'_>) -> u64 {
        self.usage(row).map_or(0, |usage| usage.pass)
    }

    fn tie_break(&self, row: &Row<'_>) -> u64 {
        tie_break(self.seed, self.facts.lead, &row.candidate.contract.id)
    }
}
