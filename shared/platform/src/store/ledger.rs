//! The ledger: lines that stand from the transaction that settles or credits, read back as a statement.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use leadyard_domain::ids::{CategoryId, CompanyId, DealerId};
use leadyard_domain::ledger::{Line, LineKind};
use leadyard_domain::money::Money;

use super::acts::Act;
use super::keys::{self, Key};
use super::{Commit, Item, Store, StoreError, number, read_number, string, values};

/// Slots that a deposit frees.
#[derive(Clone, Debug)]
pub struct Freed {
    /// The category of the cheapest of the dealer's contracts.
    pub category: CategoryId,
    /// How many leads the deposit pays at most.
    pub slots: u64,
}

impl Store {
    /// The write of a line.
    pub(super) fn line_write(&self, line: &Line) -> Result<TransactWriteItem, StoreError> {
        self.put(line_item(line)?, "attribute_not_exists(pk)", values([]))
    }

    /// Where a line stands among its dealer's: lines sort by it, and no two have the same.
    pub fn line_place(line: &Line) -> String {
        line_key(line, &what_of(line)).sk()
    }

    /// A dealer's lines from one instant to before another, in the order in which they came to stand.
    pub async fn ledger_lines(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Line>, StoreError> {
        let pk = Key::Deposit(company, dealer, "").pk();
        let bound = |at: Timestamp| keys::sort_time(at.as_millisecond());
        self.query_between(pk, bound(from), bound(to)).await?.into_iter().map(read_line).collect()
    }

    /// The amount of the deposit that is booked under this reference, if one is. One that an earlier version
    /// booked does not say.
    pub async fn deposit_booked(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        reference: &str,
    ) -> Result<Option<Option<Money>>, StoreError> {
        let item = self.get(&Key::Deposit(company, dealer, reference)).await?;
        Ok(item.map(|item| read_number(&item, "amount").map(Money::from_minor)))
    }

    /// Books a deposit, once for each reference; `false` when it is booked already. Who waits for it is
    /// woken.
    pub async fn deposit_book(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        amount: Money,
        reference: &str,
        freed: Option<&Freed>,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let line = Line {
            company: company.clone(),
            dealer: dealer.clone(),
            at: act.at,
            kind: LineKind::Deposit,
            amount,
            lead: None,
            assignment: None,
            contract: None,
            reason: Some(reference.to_owned()),
        };
        let mut booked = super::key_item(&Key::Deposit(company, dealer, reference));
        booked.insert("amount".to_owned(), number(amount.minor()));
        let mut writes = vec![
            self.put(booked, "attribute_not_exists(pk)", values([]))?,
            self.caps_deposit(company, dealer, amount)?,
            self.line_write(&line)?,
            self.change_write(company, act)?,
        ];
        if let Some(freed) = freed {
            writes.push(self.wake_write(company, &freed.category, freed.slots, Some(dealer), act.at)?);
        }
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// The deposit that is booked under this reference, and what of it was reversed, if anything was.
    pub async fn deposit_get(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        reference: &str,
        now: Timestamp,
    ) -> Result<Option<Deposited>, StoreError> {
        let Some(item) = self.get(&Key::Deposit(company, dealer, reference)).await? else { return Ok(None) };
        let reversed = read_number(&item, REVERSED).map(Money::from_minor);
        if let Some(minor) = read_number(&item, "amount") {
            return Ok(Some(Deposited { amount: Money::from_minor(minor), reversed }));
        }
        // One that an earlier version booked does not say: its line does.
        let lines = self.ledger_lines(company, dealer, Timestamp::UNIX_EPOCH, now).await?;
        let line = lines
            .into_iter()
            .find(|line| line.kind == LineKind::Deposit && line.reason.as_deref() == Some(reference));
        Ok(line.map(|line| Deposited { amount: line.amount, reversed }))
    }

    /// Takes a deposit back, or a part of it, once; `false` when it was reversed meanwhile. The balance may fall
    /// below nothing: what was bought with money that did not come is owed.
    pub async fn deposit_reverse(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        amount: Money,
        reference: &str,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let line = Line {
            company: company.clone(),
            dealer: dealer.clone(),
            at: act.at,
            kind: LineKind::Reversal,
            amount,
            lead: None,
            assignment: None,
            contract: None,
            reason: Some(reference.to_owned()),
        };
        let writes = vec![
            self.update(
                &Key::Deposit(company, dealer, reference),
                &format!("SET {REVERSED} = :reversed"),
                &format!("attribute_exists(pk) AND attribute_not_exists({REVERSED})"),
                values([(":reversed", number(amount.minor()))]),
            )?,
            self.caps_deposit(company, dealer, Money::from_minor(-amount.minor()))?,
            self.line_write(&line)?,
            self.change_write(company, act)?,
        ];
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }
}

/// What of a deposit was reversed, in minor units.
const REVERSED: &str = "reversed";

/// A deposit as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposited {
    /// How much was booked.
    pub amount: Money,
    /// How much of it was taken back, if it was.
    pub reversed: Option<Money>,
}

/// The line of an item; see [`line_item`].
fn read_line(item: Item) -> Result<Line, StoreError> {
    let mut line: Line =
        serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("ledger", error))?;
    if line.kind == LineKind::Deposit && line.amount < Money::ZERO {
        line.kind = LineKind::Reversal;
        line.amount = Money::from_minor(-line.amount.minor());
    }
    Ok(line)
}

/// A reversal is kept as a deposit of less than nothing: an earlier version, which knows no such kind, reads it
/// and comes to the same sums.
fn line_item(line: &Line) -> Result<Item, StoreError> {
    let what = what_of(line);
    let key = line_key(line, &what);
    let stored = match line.kind {
        LineKind::Reversal => {
            Line { kind: LineKind::Deposit, amount: Money::from_minor(-line.amount.minor()), ..line.clone() }
        }
        LineKind::Charge | LineKind::Credit | LineKind::Deposit => line.clone(),
    };
    let mut item: Item =
        serde_dynamo::to_item(stored).map_err(|error| StoreError::Malformed(Box::new(error)))?;
    item.insert("pk".to_owned(), string(key.pk()));
    item.insert("sk".to_owned(), string(key.sk()));
    Ok(item)
}

/// What a line is of: an assignment, or a deposit by its reference.
fn what_of(line: &Line) -> String {
    match (&line.assignment, &line.reason) {
        (Some(assignment), _) => assignment.to_string(),
        (None, reason) => reason.clone().unwrap_or_default(),
    }
}

fn line_key<'a>(line: &'a Line, what: &'a str) -> Key<'a> {
    Key::LedgerLine {
        company: &line.company,
        dealer: &line.dealer,
        at_ms: line.at.as_millisecond(),
        kind: line.kind,
        what,
    }
}
