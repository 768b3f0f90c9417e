//! The update that reserves a seat.

use leadyard_domain::contract::Caps;
use leadyard_domain::distribution::counters::{RESULT_WEEKS, WeekResults};
use leadyard_domain::distribution::{Reservation, Seat, Usage};
use leadyard_domain::money::Money;
use leadyard_domain::time::Period;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::super::keys::Key;
use super::super::{Item, Store, StoreError, number, values};
use super::{BALANCE, SPENT, attributes, delivered_in, won_in};

/// An update that counts one more in every period, on condition that the caps allow it and that the
/// periods are as they were read. While a period runs, its count is an `ADD`: two who assign at once do
/// not refuse each other, only the cap does.
///
/// Beside what the store is told to do stands what then is in the item, if nobody else has changed it since it
/// was read: every line here that writes says both.
pub(super) struct Reserve {
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    conditions: Vec<String>,
    values: Item,
    after: Usage,
}

impl Reserve {
    /// One more in every period, where these caps allow it; and the starts of the periods it counts in.
    pub(super) fn new(usage: Option<&Usage>, caps: &Caps, reservation: Reservation) -> (Self, Reservation) {
        let mut reserve = Self {
            set: Vec::new(),
            add: Vec::new(),
            remove: Vec::new(),
            conditions: Vec::new(),
            values: values([(":one", number(1))]),
            after: Usage { exists: true, ..usage.cloned().unwrap_or_default() },
        };
        let mut starts = reservation;
        let mut after = reserve.after.used;
        for ((slot, period), counted) in starts.starts.iter_mut().zip(Period::ALL).zip(&mut after) {
            let (start, used) = attributes(*period);
            match *counted {
                // Another worker's clock is ahead and has turned the period: it is not turned back.
                Some((at, count)) if at >= *slot => {
                    *slot = at;
                    *counted = Some((at, count + 1));
                    reserve.add.push(format!("{used} :one"));
                    reserve.conditions.push(format!("{start} = :{start}"));
                    reserve.values.insert(format!(":{start}"), number(at));
                    if let Some(cap) = caps.0.iter().find(|cap| cap.period == *period) {
                        reserve.conditions.push(format!("{used} < :{used}"));
                        reserve.values.insert(format!(":{used}"), number(cap.most));
                    }
                }
                Some((at, _)) => {
                    *counted = Some((*slot, 1));
                    reserve.turn_period(start, used, *slot);
                    reserve.conditions.push(format!("{start} = :{start}old"));
                    reserve.values.insert(format!(":{start}old"), number(at));
                }
                None => {
                    *counted = Some((*slot, 1));
                    reserve.turn_period(start, used, *slot);
                    reserve.conditions.push(format!("attribute_not_exists({start})"));
                }
            }
        }
        reserve.after.used = after;
        (reserve, starts)
    }

    fn turn_period(&mut self, start: &str, used: &str, to: i64) {
        self.set.push(format!("{start} = :{start}"));
        self.set.push(format!("{used} = :one"));
        self.values.insert(format!(":{start}"), number(to));
    }

    /// When it last got a lead.
    pub(super) fn last(&mut self, now_ms: i64) {
        self.set.push("#last = :last".to_owned());
        self.values.insert(":last".to_owned(), number(now_ms));
        self.after.last_assigned_ms = now_ms;
    }

    /// What the lead costs counts in the month that runs, and is within the budget if there is one.
    pub(super) fn spend(&mut self, price: Money, budget: Option<Money>, month: MonthTurns) {
        self.values.insert(":price".to_owned(), number(price.minor()));
        match month {
            MonthTurns::No => {
                self.add.push(format!("{SPENT} :price"));
                self.after.spent_month += price.minor();
                if let Some(budget) = budget {
                    // One that an earlier version wrote has counted nothing yet.
                    self.conditions.push(format!("(attribute_not_exists({SPENT}) OR {SPENT} <= :room)"));
                    self.values.insert(":room".to_owned(), number(budget.minor() - price.minor()));
                }
            }
            MonthTurns::Yes => {
                self.set.push(format!("{SPENT} = :price"));
                self.after.spent_month = price.minor();
            }
        }
    }

    /// One more lead of this week; weeks that no ranking looks at any more go.
    pub(super) fn count_delivered(&mut self, usage: Option<&Usage>, week: i32) {
        self.add.push(format!("{} :one", delivered_in(week)));
        let past = usage.into_iter().flat_map(|usage| &usage.results);
        for old in past.filter(|results| results.week < week - RESULT_WEEKS) {
            self.remove.extend([delivered_in(old.week), won_in(old.week)]);
        }
        let results = &mut self.after.results;
        results.retain(|results| results.week >= week - RESULT_WEEKS);
        match results.iter_mut().find(|results| results.week == week) {
            Some(this) => this.delivered += 1,
            None => {
                results.push(WeekResults { week, delivered: 1, won: 0 });
                results.sort_unstable_by_key(|results| results.week);
            }
        }
    }

    /// The price is taken from what was paid in advance, which must cover it (unless the desk says so).
    pub(super) fn pay(&mut self, price: Money, over: bool) {
        self.add.push(format!("{BALANCE} :pay"));
        self.values.insert(":pay".to_owned(), number(-price.minor()));
        self.after.balance -= price.minor();
        if !over {
            self.conditions.push(format!("{BALANCE} >= :price"));
            self.values.insert(":price".to_owned(), number(price.minor()));
        }
    }

    /// Whose turn it was: the pass rises by 1/weight, as long as it is its turn still; one lifted to the floor
    /// is set, on condition that nobody else lifted it.
    pub(super) fn turn(&mut self, seat: &Seat, usage: Option<&Usage>) {
        let lifted = seat.pass.next != seat.pass.read + seat.pass.step;
        if lifted {
            self.set.push("pass = :pass".to_owned());
            self.values.insert(":pass".to_owned(), number(seat.pass.next));
            self.after.pass = seat.pass.next;
            if usage.is_some_and(|usage| usage.pass > 0) {
                self.conditions.push("pass = :passread".to_owned());
                self.values.insert(":passread".to_owned(), number(seat.pass.read));
            } else {
                self.conditions.push("attribute_not_exists(pass)".to_owned());
            }
        } else {
            self.add.push("pass :pass".to_owned());
            self.values.insert(":pass".to_owned(), number(seat.pass.step));
            self.after.pass += seat.pass.step;
            if let Some(most) = seat.pass.at_most {
                // Whose turn it was may have had it meanwhile: then it is another's.
                self.conditions.push("(attribute_not_exists(pass) OR pass <= :atmost)".to_owned());
                self.values.insert(":atmost".to_owned(), number(most));
            }
        }
    }

    /// The update, and what is in the item once it stands.
    pub(super) fn write(
        self,
        store: &Store,
        key: &Key<'_>,
    ) -> Result<(TransactWriteItem, Usage), StoreError> {
        let mut expression = String::new();
        if !self.set.is_empty() {
            expression.push_str("SET ");
            expression.push_str(&self.set.join(", "));
        }
        if !self.add.is_empty() {
            expression.push_str(" ADD ");
            expression.push_str(&self.add.join(", "));
        }
        if !self.remove.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&self.remove.join(", "));
        }
        let mut write = store.update(key, expression.trim(), &self.conditions.join(" AND "), self.values)?;
        if let Some(update) = &mut write.update {
            // `last` is a reserved word.
            update.expression_attribute_names =
                Some(HashMap::from([("#last".to_owned(), "last".to_owned())]));
        }
        Ok((write, self.after))
    }
}

/// Whether the month's count begins anew with this seat.
#[derive(Clone, Copy)]
pub(super) enum MonthTurns {
    Yes,
    No,
}

impl MonthTurns {
    /// Of counters that were read so, for a seat that counts in the month from `start`.
    pub(super) fn of(usage: Option<&Usage>, start: i64) -> Self {
        let stored = usage.and_then(|usage| usage.used.get(Period::Month as usize).copied().flatten());
        if stored.is_some_and(|(at, _)| at >= start) { Self::No } else { Self::Yes }
    }
}
