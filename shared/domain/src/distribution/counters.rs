//! What has been given: per contract and per dealer, by period; and whose turn it is.
//!
//! Determinations:
//!
//! - *A dealer's zone, or the day on which weeks start, that changes in the middle of a period*: a period that began
//!   later by the new calendar is another one, and its cap begins anew; by one that began earlier the period that was
//!   counted goes on. So no cap begins anew twice for the same start, however often somebody moves to and fro, and what
//!   a dealer may get too much is at most its cap once more for each new start.

use std::hash::Hash;

use indexmap::IndexMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::contract::Caps;
use crate::ids::{ContractId, DealerId};
use crate::limits;
use crate::time::{Period, UtcDay, WeekStart};

/// The caps item of one contract or dealer, as read. A period is known by the UTC instant of its
/// local start; a count of an earlier period is a count of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Per [`Period`], in its order: start in Unix seconds, and how many.
    pub used: [Option<(i64, u32)>; 5],
    /// What it had by share over its weight, in [`PASS_UNIT`]s; 0 for one never assigned by share.
    pub pass: u64,
    /// When it last got a lead, Unix milliseconds; 0 for never.
    pub last_assigned_ms: i64,
    /// Of a contract: what its leads of the month in [`Usage::used`] cost, in minor units.
    pub spent_month: i64,
    /// Of a dealer: what is left of what it paid in advance, in minor units.
    pub balance: i64,
    /// Of a contract: what came of its leads, week by week, the oldest first.
    pub results: Vec<WeekResults>,
    /// Whether the item exists at all.
    pub exists: bool,
}

/// What came of the leads that a contract got in one week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekResults {
    /// Which: see [`week_of`].
    pub week: i32,
    /// How many it got and did not give back.
    pub delivered: u32,
    /// How many of those it won.
    pub won: u32,
}

/// The week that results are counted in: UTC days since 1970 over seven.
pub fn week_of(at: Timestamp) -> i32 {
    UtcDay::of(at).0.div_euclid(7)
}

/// Weeks that results are kept for.
pub const RESULT_WEEKS: i32 = limits::PERFORMANCE_DAYS as i32 / 7;

/// A pass rises by this over the contract's weight.
pub const PASS_UNIT: u64 = 1 << 32;

impl Usage {
    /// How many in the period that starts at `start`.
    pub fn in_period(&self, period: Period, start: i64) -> u32 {
        match self.used.get(period as usize) {
            Some(Some((at, used))) if *at == start => *used,
            Some(_) | None => 0,
        }
    }

    /// What of a budget is spent in the month that starts at `start`, in minor units; what a later month
    /// has spent counts, as in [`Usage::counted`].
    pub fn spent(&self, start: i64) -> i64 {
        match self.used.get(Period::Month as usize) {
            Some(Some((at, _))) if *at >= start => self.spent_month,
            Some(_) | None => 0,
        }
    }

    /// Leads delivered and won in the weeks that touch the `days` before `now`.
    pub fn performance(&self, now: Timestamp, days: u16) -> (u64, u64) {
        let first = week_of(now) - i32::from(days.div_ceil(7));
        let weeks = self.results.iter().filter(|results| results.week > first);
        weeks.fold((0, 0), |(delivered, won), results| {
            (delivered + u64::from(results.delivered), won + u64::from(results.won))
        })
    }

    /// Every cap that is full, in periods that start then: the period, the cap, and how many were used.
    pub(crate) fn all_full(
        &self,
        caps: &Caps,
        start: impl Fn(Period) -> i64,
    ) -> impl Iterator<Item = (Period, u32, u32)> {
        caps.0
            .iter()
            .map(move |cap| (cap.period, cap.most, self.counted(cap.period, start(cap.period))))
            .filter(|&(_, most, used)| used >= most)
    }

    /// How many count against a cap of the period that starts at `start`. Those of a later period do
    /// too: another machine's clock is ahead and has turned it already, and what is reserved now is
    /// reserved from there.
    pub(crate) fn counted(&self, period: Period, start: i64) -> u32 {
        match self.used.get(period as usize) {
            Some(Some((at, used))) if *at >= start => *used,
            Some(_) | None => 0,
        }
    }
}

/// The counters of all candidates of one decision.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// By contract; one that is missing was never used.
    pub contracts: UsageOf<ContractId>,
    /// By dealer.
    pub dealers: UsageOf<DealerId>,
}

impl Counters {
    /// Those of these contracts and their dealers alone.
    #[must_use]
    pub fn of<'a>(&self, whose: impl Iterator<Item = (&'a ContractId, &'a DealerId)>) -> Self {
        let mut counters = Self::default();
        for (contract, dealer) in whose {
            let usage = self.contracts.get(contract).cloned();
            counters.contracts.extend(usage.map(|usage| (contract.clone(), usage)));
            let usage = self.dealers.get(dealer).cloned();
            counters.dealers.extend(usage.map(|usage| (dealer.clone(), usage)));
        }
        counters
    }
}

/// Counters by whose they are, in the order they were read in. A decision asks for hundreds; the ids are the
/// rulebook's own, so that nobody can choose them to collide.
pub type UsageOf<Id> = IndexMap<Id, Usage, FxBuildHasher>;

/// Looks counters up for who asks in the order they were read in: then each stands next to the one before, and
/// none is searched for.
pub(crate) struct InOrder<'a, Id> {
    usage: &'a UsageOf<Id>,
    next: usize,
}

impl<'a, Id: Eq + Hash> InOrder<'a, Id> {
    pub(crate) fn new(usage: &'a UsageOf<Id>) -> Self {
        Self { usage, next: 0 }
    }

    /// The counters of this one, wherever they stand; `None` if it was never used.
    pub(crate) fn find(&mut self, id: &Id) -> Option<&'a Usage> {
        let next = self.usage.get_index(self.next).filter(|(known, _)| *known == id);
        let (at, usage) = match next {
            Some((_, usage)) => (self.next, usage),
            None => self.usage.get_full(id).map(|(at, _, usage)| (at, usage))?,
        };
        self.next = at + 1;
        Some(usage)
    }
}

/// The periods that now is in, by their starts: what an assignment reserves from, and gives back to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Per [`Period`], in its order: start in Unix seconds.
    pub starts: [i64; 5],
}

impl Reservation {
    /// Of a dealer in this zone, now. Every period is counted, capped or not: a cap that is published
    /// at noon knows what was given in the morning.
    pub fn at(now: Timestamp, zone: &TimeZone, week_start: WeekStart) -> Self {
        let mut starts = [0; 5];
        for (start, period) in starts.iter_mut().zip(Period::ALL) {
            *start = period.start(now, zone, week_start);
        }
        Self { starts }
    }

    /// The same, but for periods that these counters have already turned: theirs. Another machine's clock
    /// is ahead, and a period is not turned back.
    #[must_use]
    pub fn no_earlier_than(mut self, usage: &Usage) -> Self {
        for (start, turned) in self.starts.iter_mut().zip(usage.used) {
            *start = turned.map_or(*start, |(at, _)| at.max(*start));
        }
        self
    }

    /// The start of one period, Unix seconds.
    pub fn start(&self, period: Period) -> i64 {
        self.starts.get(period as usize).copied().unwrap_or(0)
    }

    /// The first cap that is full: the period, the cap, and how many were used.
    pub fn full(&self, caps: &Caps, usage: Option<&Usage>) -> Option<(Period, u32, u32)> {
        usage?.all_full(caps, |period| self.start(period)).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Cap;

    const DAY: Period = Period::Day;

    /// Three a day in the period that starts at 1,000, and 30.00 in the month that does.
    fn usage() -> Usage {
        Usage { used: [Some((1_000, 3)); 5], spent_month: 3_000, exists: true, ..Usage::default() }
    }

    #[test]
    fn what_an_earlier_period_used_is_nothing_and_what_a_later_one_used_counts() {
        let usage = usage();
        assert_eq!([999, 1_000, 1_001].map(|start| usage.counted(DAY, start)), [3, 3, 0]);
        assert_eq!([999, 1_000, 1_001].map(|start| usage.spent(start)), [3_000, 3_000, 0]);
        assert_eq!((Usage::default().counted(DAY, 0), Usage::default().spent(0)), (0, 0));
    }

    #[test]
    fn a_cap_begins_anew_where_the_day_began_later_and_goes_on_where_it_began_earlier() {
        let now: Timestamp = "2026-06-01T16:00:00Z".parse().unwrap();
        let living_in = |zone| Reservation::at(now, &crate::time::zone(zone).unwrap(), WeekStart::Monday);
        let (east, west) = (living_in("America/New_York"), living_in("America/Los_Angeles"));
        let given = |at: Reservation| Usage { used: at.starts.map(|start| Some((start, 1))), ..usage() };
        for period in [DAY, Period::Week, Period::Month] {
            assert_eq!(given(east).counted(period, west.start(period)), 0, "{period}");
            assert_eq!(given(west).counted(period, east.start(period)), 1, "{period}");
        }
        // What is given there is counted where the later of both began, and moving to and fro changes nothing.
        assert_eq!(east.no_earlier_than(&given(west)), west);
        assert_eq!(
            (given(east).counted(Period::Hour, west.start(Period::Hour)), west.start(Period::Total)),
            (1, 0)
        );
    }

    #[test]
    fn a_seat_is_given_back_to_its_own_period_alone() {
        assert_eq!([999, 1_000, 1_001].map(|start| usage().in_period(DAY, start)), [0, 3, 0]);
    }

    #[test]
    fn a_cap_is_full_when_as_many_were_given() {
        let at = Reservation { starts: [1_000; 5] };
        let full = |most| at.full(&Caps(vec![Cap { period: DAY, most }]), Some(&usage()));
        assert_eq!((full(3), full(4)), (Some((DAY, 3, 3)), None));
        assert_eq!(at.full(&Caps(vec![Cap { period: DAY, most: 1 }]), None), None);
    }

    #[test]
    fn a_period_that_another_clock_turned_is_not_turned_back() {
        let slow = Reservation { starts: [1, 2_000, 3, 4, 0] };
        assert_eq!(slow.no_earlier_than(&usage()).starts, [1_000, 2_000, 1_000, 1_000, 1_000]);
        assert_eq!(slow.no_earlier_than(&Usage::default()), slow);
    }

    #[test]
    fn results_count_by_whole_weeks_this_one_included() {
        let now: Timestamp = "2026-06-01T16:00:00Z".parse().unwrap();
        let results = (0..4).map(|ago| WeekResults { week: week_of(now) - ago, delivered: 10, won: 1 });
        let usage = Usage { results: results.collect(), ..Usage::default() };
        assert_eq!(
            [7, 8, 14, 90].map(|days| usage.performance(now, days)),
            [(10, 1), (20, 2), (20, 2), (40, 4)]
        );
    }
}
