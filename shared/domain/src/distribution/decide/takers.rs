//! Whom a slot that came free may be for: who may have a lead now, whoever of them is preferred.

use jiff::Timestamp;

use super::available::caps;
use super::{Conclusion, Counters, Row, Screened, Table};
use crate::contract::Caps;
use crate::distribution::counters::Usage;
use crate::ids::{ContractId, DealerId};
use crate::time::Period;

/// A contract that may have the lead now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taker {
    /// The contract.
    pub contract: ContractId,
    /// Its dealer.
    pub dealer: DealerId,
    /// How many leads the contract's caps and budget leave now, this one included; `None` for any number.
    pub of_contract: Option<u64>,
    /// The same of the dealer's caps and balance.
    pub of_dealer: Option<u64>,
}

/// Who may have a lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Takers {
    /// Now: everybody who passes every rule; nobody, if it would wait all the same.
    pub now: Vec<Taker>,
    /// Where it would wait, the instant at which somebody comes free. It may be earlier than what the lead waits for
    /// since it was decided on: a slot of the week that came back is worth nothing before the hour's cap lets it be.
    pub comes_free_at: Option<Timestamp>,
}

/// Who may have the lead.
pub fn takers(screened: &Screened<'_>, counters: &Counters, now: Timestamp, seed: u64) -> Takers {
    let mut table = Table::new(screened, counters, now, seed);
    match table.conclude() {
        Conclusion::Assign(_) => {
            let free = table.live().map(|(_, row)| row).filter(|row| table.failed(row).is_none());
            Takers { now: free.map(|row| table.taker(row)).collect(), comes_free_at: None }
        }
        Conclusion::Wait { .. } => Takers { now: Vec::new(), comes_free_at: table.comes_free_at },
    }
}

impl<'a> Table<'a> {
    fn taker(&self, row: &Row<'a>) -> Taker {
        let (contract, dealer) = (row.candidate.contract, row.candidate.dealer);
        let [of_contract, of_dealer] =
            caps(row, self.counters).map(|(caps, usage)| self.left(row, caps, usage));
        let price = contract.price.minor().max(1);
        let pays = |money: i64| u64::try_from(money / price).unwrap_or(0);
        let budget = contract.budget_month.map(|most| {
            let spent =
                row.usage(self.counters).map_or(0, |usage| usage.spent(self.start(row, Period::Month)));
            pays(most.minor() - spent)
        });
        let balance = contract
            .prepaid()
            .then(|| pays(self.counters.dealers.get(&dealer.id).map_or(0, |usage| usage.balance)));
        Taker {
            contract: contract.id.clone(),
            dealer: dealer.id.clone(),
            of_contract: of_contract.into_iter().chain(budget).min(),
            of_dealer: of_dealer.into_iter().chain(balance).min(),
        }
    }

    /// What these caps leave in the periods that run.
    fn left(&self, row: &Row<'a>, caps: &Caps, usage: Option<&Usage>) -> Option<u64> {
        let left = caps.0.iter().map(|cap| {
            let used = usage.map_or(0, |usage| usage.counted(cap.period, self.start(row, cap.period)));
            u64::from(cap.most.saturating_sub(used))
        });
        left.min()
    }

    fn start(&self, row: &Row<'a>, period: Period) -> i64 {
        self.locals.get(row.candidate.zone).map_or(0, |local| local.start(period, self.now))
    }
}
