//! What has been given: per contract and per dealer, by period; and whose turn it is.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::contract::Caps;
use crate::ids::{ContractId, DealerId};
use crate::time::{Period, WeekStart};

/// The caps item of one contract or dealer, as read. A period is known by the UTC instant of its
/// local start; a count of an earlier period is a count of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Per [`Period`], in its order: start in Unix seconds, and how many.
    pub used: [Option<(i64, u32)>; 5],
    /// The pass of stride scheduling, in [`PASS_UNIT`]s; 0 for one never assigned by share.
    pub pass: u64,
    /// When it last got a lead, Unix milliseconds; 0 for never.
    pub last_assigned_ms: i64,
    /// Whether the item exists at all.
    pub exists: bool,
}

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
    pub contracts: HashMap<ContractId, Usage>,
    /// By dealer.
    pub dealers: HashMap<DealerId, Usage>,
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
        let usage = usage?;
        caps.0
            .iter()
            .map(|cap| (cap.period, cap.most, usage.counted(cap.period, self.start(cap.period))))
            .find(|&(_, most, used)| used >= most)
    }
}
