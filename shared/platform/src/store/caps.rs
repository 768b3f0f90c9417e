//! Caps: what a contract and a dealer have had. One item each, every period an attribute, reserved in
//! the transaction that assigns and given back in the one that takes away. Money likewise: what a
//! contract's leads of the month cost, and what is left of what a dealer paid in advance.
//!
//! Beside them stand a contract's results, week by week: delivered is counted with the reservation, so
//! that it costs no write of its own; won is counted to the week in which the lead was given.

mod reserve;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::contract::Caps;
use leadyard_domain::distribution::counters::{WeekResults, week_of};
use leadyard_domain::distribution::{Counters, Reservation, Seat, Usage};
use leadyard_domain::history::Counted;
use leadyard_domain::ids::{CompanyId, ContractId, DealerId, SourceId};
use leadyard_domain::money::Money;
use leadyard_domain::time::Period;

use reserve::{MonthTurns, Reserve};

use super::acts::Act;
use super::keys::Key;
use super::{Commit, Item, Store, StoreError, number, read_number, read_string, values};

/// Why an assignment was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Somebody else changed the lead.
    Lead,
    /// A cap filled, or a period turned, since the counters were read.
    Caps,
}

/// What a source's cap is counted by.
#[derive(Clone, Debug)]
pub struct SourceCounts<'a> {
    /// Its caps.
    pub caps: &'a Caps,
    /// As read; `None` before the first.
    pub usage: Option<Usage>,
    /// The periods, in the company's zone.
    pub reservation: Reservation,
    /// Now.
    pub now: Timestamp,
}

impl SourceCounts<'_> {
    /// The cap that is full: how many, and the period.
    pub fn full(&self) -> Option<(Period, u32)> {
        // Another machine's clock may have turned a period already: it is not turned back.
        let latest =
            self.usage.as_ref().map_or(self.reservation, |usage| self.reservation.no_earlier_than(usage));
        latest.full(self.caps, self.usage.as_ref()).map(|(period, cap, _)| (period, cap))
    }
}

/// What became of opening counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// They stand.
    Done,
    /// The very same stood already.
    Already,
    /// Others stand there: something was counted before.
    Counted,
}

/// A seat as it is reserved.
pub(super) struct Reserved {
    /// The contract's and the dealer's.
    pub(super) writes: [TransactWriteItem; 2],
    /// The periods it is taken from.
    pub(super) reservation: Reservation,
    /// What the contract has had once that stands, if nobody else changed it since it was read.
    pub(super) contract: Usage,
    /// The same of the dealer.
    pub(super) dealer: Usage,
}

/// The attributes of a period: its start (Unix seconds) and its count.
const fn attributes(period: Period) -> (&'static str, &'static str) {
    match period {
        Period::Hour => ("hour_at", "hour_used"),
        Period::Day => ("day_at", "day_used"),
        Period::Week => ("week_at", "week_used"),
        Period::Month => ("month_at", "month_used"),
        Period::Total => ("total_at", "total_used"),
    }
}

/// What a contract's leads cost in the month of `month_at`, in minor units.
const SPENT: &str = "month_spent";
/// What is left of what a dealer paid in advance, in minor units.
const BALANCE: &str = "balance";

/// The attributes of a week's results: `d2945`, `w2945`.
fn delivered_in(week: i32) -> String {
    format!("d{week}")
}

fn won_in(week: i32) -> String {
    format!("w{week}")
}

fn read_results(item: &Item) -> Vec<WeekResults> {
    let week = |name: &String| name.strip_prefix('d')?.parse::<i32>().ok();
    let count = |name: String| read_number::<i64>(item, &name).unwrap_or(0).max(0) as u32;
    let mut results: Vec<WeekResults> = item
        .keys()
        .filter_map(week)
        .map(|week| WeekResults { week, delivered: count(delivered_in(week)), won: count(won_in(week)) })
        .collect();
    results.sort_unstable_by_key(|results| results.week);
    results
}

fn read_usage(item: &Item) -> Usage {
    let mut usage = Usage {
        pass: read_number(item, "pass").unwrap_or(0),
        last_assigned_ms: read_number(item, "last").unwrap_or(0),
        spent_month: read_number(item, SPENT).unwrap_or(0),
        balance: read_number(item, BALANCE).unwrap_or(0),
        results: read_results(item),
        exists: true,
        ..Usage::default()
    };
    for (slot, period) in usage.used.iter_mut().zip(Period::ALL) {
        let (start, used) = attributes(*period);
        // A count below zero never is written; were one found, it is nothing used.
        *slot = read_number::<i64>(item, start)
            .map(|start| (start, read_number::<i64>(item, used).unwrap_or(0).max(0) as u32));
    }
    usage
}

const fn counted_key<'a>(company: &'a CompanyId, of: &'a Counted) -> Key<'a> {
    match of {
        Counted::Contract(contract) => Key::ContractCaps(company, contract),
        Counted::Dealer(dealer) => Key::DealerCaps(company, dealer),
    }
}

impl Store {
    /// The counters of these contracts and dealers. One that was never used is missing.
    pub async fn caps_get(
        &self,
        company: &CompanyId,
        contracts: &[ContractId],
        dealers: &[DealerId],
    ) -> Result<Counters, StoreError> {
        let keys: Vec<Key<'_>> = contracts
            .iter()
            .map(|contract| Key::ContractCaps(company, contract))
            .chain(dealers.iter().map(|dealer| Key::DealerCaps(company, dealer)))
            .collect();
        let found: HashMap<String, Usage> = self
            .get_many(&keys)
            .await?
            .iter()
            .filter_map(|item| Some((read_string(item, "pk")?.to_owned(), read_usage(item))))
            .collect();
        let usage = |key: Key<'_>| found.get(&key.pk()).cloned();
        Ok(Counters {
            contracts: contracts
                .iter()
                .filter_map(|id| Some((id.clone(), usage(Key::ContractCaps(company, id))?)))
                .collect(),
            dealers: dealers
                .iter()
                .filter_map(|id| Some((id.clone(), usage(Key::DealerCaps(company, id))?)))
                .collect(),
        })
    }

    /// The writes that reserve a seat, and what they come to. `over` is the desk's word: the seat is counted,
    /// and no limit refuses it.
    pub(super) fn caps_reserve(
        &self,
        company: &CompanyId,
        seat: &Seat,
        counters: &Counters,
        over: bool,
        now: Timestamp,
    ) -> Result<Reserved, StoreError> {
        let contract_key = Key::ContractCaps(company, &seat.contract);
        let contract_usage = counters.contracts.get(&seat.contract);
        let dealer_key = Key::DealerCaps(company, &seat.dealer);
        let dealer_usage = counters.dealers.get(&seat.dealer);
        // Both reserve from the same periods, so that both give back to the same: the latest that either
        // has been turned to.
        let latest = dealer_usage.map_or(seat.reservation, |usage| seat.reservation.no_earlier_than(usage));
        let none = Caps::default();
        let (contract_caps, dealer_caps, budget) = if over {
            (&none, &none, None)
        } else {
            (&seat.contract_caps, &seat.dealer_caps, seat.budget_month)
        };
        let (mut contract, starts) = Reserve::new(contract_usage, contract_caps, latest);
        contract.last(now.as_millisecond());
        contract.turn(seat, contract_usage);
        contract.spend(seat.price, budget, MonthTurns::of(contract_usage, latest.start(Period::Month)));
        contract.count_delivered(contract_usage, week_of(now));
        let (mut dealer, _) = Reserve::new(dealer_usage, dealer_caps, starts);
        dealer.last(now.as_millisecond());
        if seat.prepaid && seat.price != Money::ZERO {
            dealer.pay(seat.price, over);
        }
        let (of_contract, contract) = contract.write(self, &contract_key)?;
        let (of_dealer, dealer) = dealer.write(self, &dealer_key)?;
        Ok(Reserved { writes: [of_contract, of_dealer], reservation: starts, contract, dealer })
    }

    /// What the counters of a seat's contract and dealer come to when it is reserved; nothing is written.
    ///
    /// # Errors
    /// When the update cannot be built.
    pub fn caps_with(
        &self,
        company: &CompanyId,
        seat: &Seat,
        counters: &Counters,
        over: bool,
        now: Timestamp,
    ) -> Result<Counters, StoreError> {
        let Reserved { contract, dealer, .. } = self.caps_reserve(company, seat, counters, over, now)?;
        let mut with = Counters::default();
        with.contracts.insert(seat.contract.clone(), contract);
        with.dealers.insert(seat.dealer.clone(), dealer);
        Ok(with)
    }

    /// The writes that give a seat back to the periods it was taken from, where they still run; and what
    /// was paid in advance, whenever that was.
    pub(super) fn caps_give_back(
        &self,
        assignment: &Assignment,
        counters: &Counters,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let company = &assignment.company;
        let mut writes = Vec::new();
        if let Some(usage) = counters.contracts.get(&assignment.contract) {
            let mut back = GiveBack::new(usage, &assignment.reservation);
            back.spent(usage, assignment);
            let week = week_of(assignment.offered_at);
            if usage.results.iter().any(|results| results.week == week && results.delivered > 0) {
                let name = delivered_in(week);
                back.add.push(format!("{name} :less"));
                back.conditions.push(format!("{name} > :none"));
            }
            writes.extend(back.write(self, &Key::ContractCaps(company, &assignment.contract))?);
        }
        let usage = counters.dealers.get(&assignment.dealer);
        let mut back =
            usage.map_or_else(GiveBack::default, |usage| GiveBack::new(usage, &assignment.reservation));
        if assignment.prepaid && assignment.price != Money::ZERO {
            back.add.push(format!("{BALANCE} :paid"));
            back.values.insert(":paid".to_owned(), number(assignment.price.minor()));
        }
        writes.extend(back.write(self, &Key::DealerCaps(company, &assignment.dealer))?);
        Ok(writes)
    }

    /// Opens the counters of a contract or a dealer, which has none, with what it has had in the periods that
    /// start so, and what its leads of the month cost; with who did it. A deposit is no count.
    pub async fn caps_open(
        &self,
        company: &CompanyId,
        of: &Counted,
        opening: &Usage,
        act: &Act,
    ) -> Result<Opened, StoreError> {
        let mut set = vec![format!("{SPENT} = :spent")];
        let mut bound = values([(":spent", number(opening.spent_month))]);
        for (slot, period) in opening.used.iter().zip(Period::ALL) {
            let (start, used) = attributes(*period);
            let (at, count) = slot.unwrap_or_default();
            set.push(format!("{start} = :{start}, {used} = :{used}"));
            bound.insert(format!(":{start}"), number(at));
            bound.insert(format!(":{used}"), number(count));
        }
        // Whoever counts anything counts in every period.
        let (nothing, _) = attributes(Period::Total);
        let write = self.update(
            &counted_key(company, of),
            &format!("SET {}", set.join(", ")),
            &format!("attribute_not_exists({nothing})"),
            bound,
        )?;
        match self.transact(vec![write, self.change_write(company, act)?]).await? {
            Commit::Done => Ok(Opened::Done),
            Commit::Refused(_) => self.caps_stand(company, of, opening).await,
        }
    }

    /// The new leads that a source with a cap has brought.
    pub async fn source_caps_get(
        &self,
        company: &CompanyId,
        source: &SourceId,
    ) -> Result<Option<Usage>, StoreError> {
        Ok(self.get(&Key::SourceCaps(company, source)).await?.as_ref().map(read_usage))
    }

    /// The write that counts one more new lead of a source, where its caps allow it.
    pub(super) fn source_caps_reserve(
        &self,
        company: &CompanyId,
        source: &SourceId,
        counts: &SourceCounts<'_>,
    ) -> Result<TransactWriteItem, StoreError> {
        let (mut write, _) = Reserve::new(counts.usage.as_ref(), counts.caps, counts.reservation);
        write.last(counts.now.as_millisecond());
        Ok(write.write(self, &Key::SourceCaps(company, source))?.0)
    }

    /// How opening counts compare with what stands; [`Opened::Done`] where nothing does.
    pub async fn caps_stand(
        &self,
        company: &CompanyId,
        of: &Counted,
        opening: &Usage,
    ) -> Result<Opened, StoreError> {
        let Some(item) = self.get(&counted_key(company, of)).await? else { return Ok(Opened::Done) };
        let stands = read_usage(&item);
        let count = |usage: &Usage| usage.used.map(|slot| slot.map(|(_, count)| count));
        Ok(if stands.used.iter().all(Option::is_none) {
            Opened::Done
        } else if count(&stands) == count(opening) && stands.spent_month == opening.spent_month {
            Opened::Already
        } else {
            Opened::Counted
        })
    }

    /// The write that counts a lead as won, to the week in which it was given; nothing, when that week is
    /// forgotten.
    pub(super) fn caps_won(
        &self,
        assignment: &Assignment,
        counters: &Counters,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let week = week_of(assignment.offered_at);
        let usage = counters.contracts.get(&assignment.contract);
        let known = usage.is_some_and(|usage| usage.results.iter().any(|results| results.week == week));
        let write = || {
            self.update(
                &Key::ContractCaps(&assignment.company, &assignment.contract),
                &format!("ADD {} :one", won_in(week)),
                "",
                values([(":one", number(1))]),
            )
        };
        known.then(write).transpose()
    }

    /// The write that adds to what a dealer paid in advance.
    pub(super) fn caps_deposit(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        amount: Money,
    ) -> Result<TransactWriteItem, StoreError> {
        let key = Key::DealerCaps(company, dealer);
        self.update(&key, &format!("ADD {BALANCE} :paid"), "", values([(":paid", number(amount.minor()))]))
    }
}

/// An update that counts one less, on condition that the counters are as they were read.
#[derive(Default)]
struct GiveBack {
    add: Vec<String>,
    conditions: Vec<String>,
    values: Item,
}

impl GiveBack {
    fn new(usage: &Usage, reservation: &Reservation) -> Self {
        let mut back = Self::default();
        for period in Period::ALL {
            let (start, used) = attributes(*period);
            let taken_from = reservation.start(*period);
            if usage.in_period(*period, taken_from) > 0 {
                back.add.push(format!("{used} :less"));
                back.conditions.push(format!("{start} = :{start} AND {used} > :none"));
                back.values.insert(format!(":{start}"), number(taken_from));
            }
        }
        back
    }

    /// The month's spending less the price, where that month still runs.
    fn spent(&mut self, usage: &Usage, assignment: &Assignment) {
        let month = assignment.reservation.start(Period::Month);
        if usage.in_period(Period::Month, month) > 0 && usage.spent_month >= assignment.price.minor() {
            self.add.push(format!("{SPENT} :back"));
            self.conditions.push(format!("{SPENT} >= :price"));
            self.values.insert(":back".to_owned(), number(-assignment.price.minor()));
            self.values.insert(":price".to_owned(), number(assignment.price.minor()));
        }
    }

    fn write(mut self, store: &Store, key: &Key<'_>) -> Result<Option<TransactWriteItem>, StoreError> {
        if self.add.is_empty() {
            return Ok(None);
        }
        let names = |name: &str| self.add.iter().chain(&self.conditions).any(|part| part.contains(name));
        let bound = [(":less", number(-1)), (":none", number(0))];
        let needed: Vec<_> = bound.into_iter().filter(|(name, _)| names(name)).collect();
        self.values.extend(needed.into_iter().map(|(name, value)| (name.to_owned(), value)));
        store
            .update(key, &format!("ADD {}", self.add.join(", ")), &self.conditions.join(" AND "), self.values)
            .map(Some)
    }
}
