//! Caps: what a contract and a dealer have had. One item each, every period an attribute, reserved in
//! the transaction that assigns and given back in the one that takes away.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use leadyard_domain::contract::Caps;
use leadyard_domain::distribution::{Counters, Reservation, Seat, Usage};
use leadyard_domain::ids::{CompanyId, ContractId, DealerId};
use leadyard_domain::time::Period;

use super::keys::Key;
use super::{Item, Store, StoreError, number, read_number, read_string, values};

/// Why an assignment was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Somebody else changed the lead.
    Lead,
    /// A cap filled, or a period turned, since the counters were read.
    Caps,
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

fn read_usage(item: &Item) -> Usage {
    let mut usage = Usage {
        pass: read_number(item, "pass").unwrap_or(0),
        last_assigned_ms: read_number(item, "last").unwrap_or(0),
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

    /// The writes that reserve a seat, and the periods they reserve from.
    pub(super) fn caps_reserve(
        &self,
        company: &CompanyId,
        seat: &Seat,
        counters: &Counters,
        now_ms: i64,
    ) -> Result<([TransactWriteItem; 2], Reservation), StoreError> {
        let contract_key = Key::ContractCaps(company, &seat.contract);
        let contract_usage = counters.contracts.get(&seat.contract);
        let dealer_key = Key::DealerCaps(company, &seat.dealer);
        let dealer_usage = counters.dealers.get(&seat.dealer);
        // Both reserve from the same periods, so that both give back to the same: the latest that either
        // has been turned to.
        let latest = dealer_usage.map_or(seat.reservation, |usage| seat.reservation.no_earlier_than(usage));
        let (mut contract, starts) = Reserve::new(contract_usage, &seat.contract_caps, latest);
        contract.turn(seat, contract_usage, now_ms);
        let (mut dealer, _) = Reserve::new(dealer_usage, &seat.dealer_caps, starts);
        dealer.set.push("#last = :last".to_owned());
        dealer.values.insert(":last".to_owned(), number(now_ms));
        Ok(([contract.write(self, &contract_key)?, dealer.write(self, &dealer_key)?], starts))
    }

    /// The writes that give a seat back to the periods it was taken from, where they still run.
    pub(super) fn caps_give_back(
        &self,
        company: &CompanyId,
        contract: &ContractId,
        dealer: &DealerId,
        reservation: &Reservation,
        counters: &Counters,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let of_contract =
            counters.contracts.get(contract).map(|usage| (Key::ContractCaps(company, contract), usage));
        let of_dealer = counters.dealers.get(dealer).map(|usage| (Key::DealerCaps(company, dealer), usage));
        let mut writes = Vec::new();
        for (key, usage) in of_contract.into_iter().chain(of_dealer) {
            let mut adds = Vec::new();
            let mut conditions = Vec::new();
            let mut bound = values([(":less", number(-1)), (":none", number(0))]);
            for period in Period::ALL {
                let (start, used) = attributes(*period);
                let taken_from = reservation.start(*period);
                if usage.in_period(*period, taken_from) > 0 {
                    adds.push(format!("{used} :less"));
                    conditions.push(format!("{start} = :{start} AND {used} > :none"));
                    bound.insert(format!(":{start}"), number(taken_from));
                }
            }
            if !adds.is_empty() {
                writes.push(self.update(
                    &key,
                    &format!("ADD {}", adds.join(", ")),
                    &conditions.join(" AND "),
                    bound,
                )?);
            }
        }
        Ok(writes)
    }
}

/// An update that counts one more in every period, on condition that the caps allow it and that the
/// periods are as they were read. While a period runs, its count is an `ADD`: two who assign at once do
/// not refuse each other, only the cap does.
struct Reserve {
    set: Vec<String>,
    add: Vec<String>,
    conditions: Vec<String>,
    values: Item,
}

impl Reserve {
    fn new(usage: Option<&Usage>, caps: &Caps, reservation: Reservation) -> (Self, Reservation) {
        let mut reserve = Self {
            set: Vec::new(),
            add: Vec::new(),
            conditions: Vec::new(),
            values: values([(":one", number(1))]),
        };
        let mut starts = reservation;
        for (slot, period) in starts.starts.iter_mut().zip(Period::ALL) {
            let (start, used) = attributes(*period);
            let stored = usage.and_then(|usage| usage.used.get(*period as usize).copied().flatten());
            match stored {
                // Another worker's clock is ahead and has turned the period: it is not turned back.
                Some((at, _)) if at >= *slot => {
                    *slot = at;
                    reserve.add.push(format!("{used} :one"));
                    reserve.conditions.push(format!("{start} = :{start}"));
                    reserve.values.insert(format!(":{start}"), number(at));
                    if let Some(cap) = caps.0.iter().find(|cap| cap.period == *period) {
                        reserve.conditions.push(format!("{used} < :{used}"));
                        reserve.values.insert(format!(":{used}"), number(cap.most));
                    }
                }
                Some((at, _)) => {
                    reserve.turn_period(start, used, *slot);
                    reserve.conditions.push(format!("{start} = :{start}old"));
                    reserve.values.insert(format!(":{start}old"), number(at));
                }
                None => {
                    reserve.turn_period(start, used, *slot);
                    reserve.conditions.push(format!("attribute_not_exists({start})"));
                }
            }
        }
        (reserve, starts)
    }

    fn turn_period(&mut self, start: &str, used: &str, to: i64) {
        self.set.push(format!("{start} = :{start}"));
        self.set.push(format!("{used} = :one"));
        self.values.insert(format!(":{start}"), number(to));
    }

    /// Whose turn it was: the pass rises by 1/weight; one lifted to the floor is set, on condition that
    /// nobody else lifted it.
    fn turn(&mut self, seat: &Seat, usage: Option<&Usage>, now_ms: i64) {
        self.set.push("#last = :last".to_owned());
        self.values.insert(":last".to_owned(), number(now_ms));
        let lifted = seat.pass.next != seat.pass.read + seat.pass.step;
        if lifted {
            self.set.push("pass = :pass".to_owned());
            self.values.insert(":pass".to_owned(), number(seat.pass.next));
            if usage.is_some_and(|usage| usage.pass > 0) {
                self.conditions.push("pass = :passread".to_owned());
                self.values.insert(":passread".to_owned(), number(seat.pass.read));
            } else {
                self.conditions.push("attribute_not_exists(pass)".to_owned());
            }
        } else {
            self.add.push("pass :pass".to_owned());
            self.values.insert(":pass".to_owned(), number(seat.pass.step));
        }
    }

    fn write(self, store: &Store, key: &Key<'_>) -> Result<TransactWriteItem, StoreError> {
        let mut expression = String::new();
        if !self.set.is_empty() {
            expression.push_str("SET ");
            expression.push_str(&self.set.join(", "));
        }
        if !self.add.is_empty() {
            expression.push_str(" ADD ");
            expression.push_str(&self.add.join(", "));
        }
        let mut write = store.update(key, expression.trim(), &self.conditions.join(" AND "), self.values)?;
        if let Some(update) = &mut write.update {
            // `last` is a reserved word.
            update.expression_attribute_names =
                Some(HashMap::from([("#last".to_owned(), "last".to_owned())]));
        }
        Ok(write)
    }
}
