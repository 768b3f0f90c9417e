//! What contracts and dealers have had in one of two worlds: as it was, as it would have been.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::distribution::counters::{WeekResults, week_of};
use crate::distribution::{Reservation, Usage};
use crate::ids::{ContractId, DealerId};
use crate::time::{Period, WeekStart};

/// A seat as it counts.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) contract: ContractId,
    pub(super) dealer: DealerId,
    /// The periods it was reserved from, in the dealer's zone.
    pub(super) reservation: Reservation,
    pub(super) at: Timestamp,
    /// In minor units.
    pub(super) price: i64,
    /// It is taken from what the dealer paid in advance.
    pub(super) prepaid: bool,
    /// By how much the contract's pass rises.
    pub(super) step: u64,
    /// What it rises to, where that is known.
    pub(super) pass: Option<u64>,
}

/// A world's counters.
#[derive(Debug, Default)]
pub(super) struct World {
    contracts: HashMap<ContractId, Tally>,
    dealers: HashMap<DealerId, Tally>,
}

/// What one contract or dealer has had since history began.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// Per [`Period`]: start, and how many in it.
    used: [(i64, i64); 5],
    /// In the month of `used`, in minor units.
    spent: i64,
    /// What was paid of what was deposited.
    paid: i64,
    deposited: i64,
    /// The sum of what its pass rose by.
    risen: u64,
    /// The pass itself, as far as it is known.
    pass: u64,
    last_ms: i64,
    weeks: Vec<(i32, i64, i64)>,
}

impl World {
    /// A seat is taken.
    pub(super) fn take(&mut self, slot: &Slot) {
        self.contracts.entry(slot.contract.clone()).or_default().take(slot);
        self.dealers.entry(slot.dealer.clone()).or_default().take(slot);
    }

    /// A seat comes back: to its periods, where they still run.
    pub(super) fn give_back(&mut self, slot: &Slot) {
        self.contracts.entry(slot.contract.clone()).or_default().give_back(slot);
        self.dealers.entry(slot.dealer.clone()).or_default().give_back(slot);
    }

    /// A seat is won.
    pub(super) fn win(&mut self, slot: &Slot) {
        let tally = self.contracts.entry(slot.contract.clone()).or_default();
        tally.week(week_of(slot.at)).2 += 1;
    }

    /// A dealer pays in advance.
    pub(super) fn deposit(&mut self, dealer: &DealerId, amount: i64) {
        self.dealers.entry(dealer.clone()).or_default().deposited += amount;
    }
}

impl Tally {
    fn take(&mut self, slot: &Slot) {
        let turned = self.month_turns(slot);
        for ((start, count), of) in self.used.iter_mut().zip(slot.reservation.starts) {
            // One of an earlier period (a worker's clock behind) counts in the one that runs.
            if of > *start {
                (*start, *count) = (of, 0);
            }
            *count += 1;
        }
        self.spent = if turned { slot.price } else { self.spent + slot.price };
        self.paid += if slot.prepaid { slot.price } else { 0 };
        self.risen = self.risen.saturating_add(slot.step);
        self.pass = slot.pass.unwrap_or_else(|| self.pass.saturating_add(slot.step));
        self.last_ms = self.last_ms.max(slot.at.as_millisecond());
        self.week(week_of(slot.at)).1 += 1;
    }

    fn give_back(&mut self, slot: &Slot) {
        if !self.month_turns(slot) && self.start(Period::Month) == slot.reservation.start(Period::Month) {
            self.spent -= slot.price;
        }
        for ((start, count), of) in self.used.iter_mut().zip(slot.reservation.starts) {
            if *start == of {
                *count -= 1;
            }
        }
        self.paid -= if slot.prepaid { slot.price } else { 0 };
        self.week(week_of(slot.at)).1 -= 1;
    }

    fn month_turns(&self, slot: &Slot) -> bool {
        slot.reservation.start(Period::Month) > self.start(Period::Month)
    }

    fn start(&self, period: Period) -> i64 {
        self.used.get(period as usize).map_or(0, |(start, _)| *start)
    }

    /// How many in the period from `start`.
    fn count(&self, period: Period, start: i64) -> i64 {
        self.used.get(period as usize).filter(|(at, _)| *at == start).map_or(0, |(_, count)| *count)
    }

    fn spent_in(&self, month: i64) -> i64 {
        if self.start(Period::Month) == month { self.spent } else { 0 }
    }

    /// Week, delivered, won.
    fn week(&mut self, week: i32) -> &mut (i32, i64, i64) {
        let at = self.weeks.binary_search_by_key(&week, |of| of.0).unwrap_or_else(|at| {
            self.weeks.insert(at, (week, 0, 0));
            at
        });
        // It was found, or has just been put there.
        #[expect(clippy::indexing_slicing, reason = "the index is of this list")]
        &mut self.weeks[at]
    }

    fn results(&self) -> Vec<WeekResults> {
        let week = |&(week, delivered, won): &(i32, i64, i64)| WeekResults {
            week,
            delivered: clamp(delivered),
            won: clamp(won),
        };
        self.weeks.iter().map(week).collect()
    }

    fn week_of(&self, week: i32) -> (i64, i64) {
        let found = self.weeks.iter().find(|of| of.0 == week);
        found.map_or((0, 0), |&(_, delivered, won)| (delivered, won))
    }
}

/// The two worlds.
#[derive(Debug, Default)]
pub(super) struct Worlds {
    pub(super) as_it_was: World,
    pub(super) as_it_would_be: World,
}

impl Worlds {
    /// A contract's counters in the world that would be; `read` is what a decision read then.
    pub(super) fn contract(&self, id: &ContractId, read: WasRead, calendar: &Calendar<'_>) -> Usage {
        let none = Tally::default();
        let was = self.as_it_was.contracts.get(id).unwrap_or(&none);
        let would = self.as_it_would_be.contracts.get(id).unwrap_or(&none);
        usage(was, would, read, calendar)
    }

    /// What came of a contract's leads in the world that would be, from history's beginning.
    pub(super) fn results_of(&self, id: &ContractId) -> Vec<WeekResults> {
        self.as_it_would_be.contracts.get(id).map(Tally::results).unwrap_or_default()
    }

    /// A dealer's, likewise.
    pub(super) fn dealer(&self, id: &DealerId, read: WasRead, calendar: &Calendar<'_>) -> Usage {
        let none = Tally::default();
        let was = self.as_it_was.dealers.get(id).unwrap_or(&none);
        let would = self.as_it_would_be.dealers.get(id).unwrap_or(&none);
        usage(was, would, read, calendar)
    }
}

/// Counters as a decision read them then.
pub(super) struct WasRead {
    /// `None` where it read none.
    pub(super) usage: Option<Usage>,
    /// A period of which there is nothing was not kept.
    pub(super) as_asked: bool,
}

/// A dealer's periods under the new rulebook.
pub(super) struct Calendar<'a> {
    /// Those that now is in.
    pub(super) now: Reservation,
    pub(super) zone: &'a TimeZone,
    pub(super) week_starts: WeekStart,
}

impl Calendar<'_> {
    /// Whether a period that was counted begins where one of this calendar does: a dealer whose zone
    /// changes is counted anew.
    fn knows(&self, period: Period, start: i64) -> bool {
        let at = Timestamp::from_second(start);
        start == self.now.start(period)
            || at.is_ok_and(|at| period.start(at, self.zone, self.week_starts) == start)
    }
}

fn usage(was: &Tally, would: &Tally, read: WasRead, calendar: &Calendar<'_>) -> Usage {
    let Some(mut usage) = read.usage else { return counted(would, &calendar.now) };
    let (mut spent, mut month) = (0, calendar.now.start(Period::Month));
    let (mut had_spent, read_spent) = (was.spent_in(month), usage.spent_month);
    for (period, slot) in Period::ALL.iter().zip(&mut usage.used) {
        let now = calendar.now.start(*period);
        let is_month = *period == Period::Month;
        *slot = match *slot {
            Some((start, _)) if !calendar.knows(*period, start) => {
                had_spent = if is_month { 0 } else { had_spent };
                Some((now, clamp(would.count(*period, now))))
            }
            // As it was read (a worker whose clock is ahead has turned a period early), and what is more.
            Some((start, count)) if start >= now => {
                if is_month {
                    (spent, month, had_spent) = (read_spent, start, was.spent_in(start));
                }
                let more = would.count(*period, start) - was.count(*period, start);
                Some((start, clamp(i64::from(count) + more)))
            }
            // It was not kept: it counts from history's beginning.
            None if read.as_asked => {
                had_spent = if is_month { 0 } else { had_spent };
                Some((now, clamp(would.count(*period, now))))
            }
            Some(_) | None => Some((now, clamp(would.count(*period, now) - was.count(*period, now)))),
        };
    }
    usage.spent_month = spent + would.spent_in(month) - had_spent;
    usage.balance += (would.deposited - would.paid) - (was.deposited - was.paid);
    usage.pass = usage.pass.saturating_add(would.risen).saturating_sub(was.risen);
    usage.last_assigned_ms = last(usage.last_assigned_ms, was.last_ms, would.last_ms);
    for results in &mut usage.results {
        let ((delivered, won), (had, had_won)) = (would.week_of(results.week), was.week_of(results.week));
        results.delivered = clamp(i64::from(results.delivered) + delivered - had);
        results.won = clamp(i64::from(results.won) + won - had_won);
    }
    let known = |week: i32| usage.results.iter().any(|results| results.week == week);
    let news: Vec<WeekResults> = would
        .weeks
        .iter()
        .filter(|of| !known(of.0))
        .map(|&(week, delivered, won)| {
            let (had, had_won) = was.week_of(week);
            WeekResults { week, delivered: clamp(delivered - had), won: clamp(won - had_won) }
        })
        .filter(|results| results.delivered > 0)
        .collect();
    usage.results.extend(news);
    usage.results.sort_unstable_by_key(|results| results.week);
    usage
}

/// Counted from history's beginning.
fn counted(would: &Tally, starts: &Reservation) -> Usage {
    let mut usage = Usage {
        pass: would.pass,
        last_assigned_ms: would.last_ms,
        spent_month: would.spent_in(starts.start(Period::Month)),
        balance: would.deposited - would.paid,
        exists: true,
        ..Usage::default()
    };
    for (period, slot) in Period::ALL.iter().zip(&mut usage.used) {
        let start = starts.start(*period);
        *slot = Some((start, clamp(would.count(*period, start))));
    }
    usage.results = would.results();
    usage
}

/// When it last got a lead: as was read, unless one world gave it one that the other did not.
fn last(read: i64, was: i64, would: i64) -> i64 {
    match would.cmp(&was) {
        std::cmp::Ordering::Equal => read,
        std::cmp::Ordering::Greater => read.max(would),
        // What it got last, it would not have got: what it got before that is known if we saw it.
        std::cmp::Ordering::Less if read <= was => would,
        std::cmp::Ordering::Less => read,
    }
}

fn clamp(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}
