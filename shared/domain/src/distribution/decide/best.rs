//! The best of those who are free: the offer's ranking, step by step.

use std::cmp::{Ordering, Reverse};

use super::turns::Turns;
use super::{Best, Row, Step, Table, Usage, tie_break};
use crate::distribution::ranking::win_percent;

impl<'a> Table<'a> {
    /// The best of these by the offer's ranking.
    pub(super) fn best(&self, mut among: Vec<usize>) -> Option<Best> {
        let mut shared: Option<Turns> = None;
        for step in self.ranking {
            if among.len() <= 1 {
                break;
            }
            let before = self.asking.as_ref().map(|_| among.clone());
            match *step {
                Step::Tier => self.keep_least(&mut among, |row| row.candidate.contract.tier),
                Step::Distance { bucket_miles } => self.keep_least(&mut among, |row| {
                    let miles = self.miles(row);
                    miles.map_or(u32::MAX, |miles| (miles / f64::from(bucket_miles)) as u32)
                }),
                Step::Share => {
                    let rows = among.iter().filter_map(|&at| self.rows.get(at));
                    let turns = Turns::of(rows.map(|row| (self.pass(row), row.weight())));
                    self.keep_least(&mut among, |row| turns.order(self.pass(row), row.weight()));
                    shared = Some(turns);
                }
                Step::LongestAgo => {
                    self.keep_least(&mut among, |row| {
                        self.usage(row).map_or(0, |usage| usage.last_assigned_ms)
                    });
                }
                Step::Price => self.keep_least(&mut among, |row| Reverse(row.candidate.contract.price)),
                Step::Performance { days, sample } => {
                    let of = |row: &Row<'a>| {
                        self.usage(row).map_or((0, 0), |usage| usage.performance(self.now, days))
                    };
                    let all = among.iter().filter_map(|&at| self.rows.get(at)).map(of);
                    let of_all = all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                    self.keep_least(&mut among, |row| Reverse(win_percent(of(row), of_all, sample)));
                }
            }
            if let Some(before) = before {
                self.note(*step, &before, &among);
            }
        }
        among.into_iter().filter_map(|row| Some((self.tie_break(self.rows.get(row)?), row))).min().and_then(
            |(_, at)| {
                let row = self.rows.get(at)?;
                let turn = shared.map(|turns| turns.turn(self.pass(row), row.weight()));
                Some(Best { row: at, turn })
            },
        )
    }

    /// Keeps those of the least key, in their order; each key is asked for once.
    fn keep_least<Key: Ord>(&self, among: &mut Vec<usize>, key: impl Fn(&Row<'a>) -> Key) {
        let mut least: Option<Key> = None;
        let mut kept = 0;
        for next in 0..among.len() {
            let Some(row) = among.get(next).and_then(|&at| self.rows.get(at)) else { continue };
            let key = key(row);
            match least.as_ref().map_or(Ordering::Less, |least| key.cmp(least)) {
                Ordering::Less => {
                    least = Some(key);
                    kept = 0;
                }
                Ordering::Equal => {}
                Ordering::Greater => continue,
            }
            among.swap(kept, next);
            kept += 1;
        }
        among.truncate(kept);
    }

    pub(super) fn miles(&self, row: &Row<'_>) -> Option<f64> {
        *row.miles.get_or_init(|| self.screened.miles(row.candidate))
    }

    pub(super) fn usage(&self, row: &Row<'a>) -> Option<&'a Usage> {
        row.usage(self.counters)
    }

    pub(super) fn pass(&self, row: &Row<'a>) -> u64 {
        self.usage(row).map_or(0, |usage| usage.pass)
    }

    fn tie_break(&self, row: &Row<'_>) -> u64 {
        tie_break(self.seed, self.facts.lead, &row.candidate.contract.id)
    }
}
