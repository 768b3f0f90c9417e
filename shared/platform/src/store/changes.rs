//! What changes together with an assignment: one commit, all or nothing, so that a slot, a charge and a
//! credit happen once.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::ids::CategoryId;
use leadyard_domain::lead::Lead;
use leadyard_domain::ledger::Line;

use super::acts::Act;
use super::leads::UNCHANGED;
use super::returns::ReturnWrite;
use super::{Commit, Delivery, Postback, Store, StoreError, items, number, values};

/// An assignment in its new state, and all that follows from it.
#[derive(Debug)]
pub struct Changes<'a> {
    /// The assignment as it is to stand; somebody else's change to it refuses all.
    pub assignment: &'a Assignment,
    /// The lead likewise; `None` when it stays as it is, or has moved on to another cycle.
    pub lead: Option<&'a Lead>,
    /// Its slot, budget and balance come back.
    pub gives_back: bool,
    /// Who waits for the slot is woken: see [`Key::Wake`](super::keys::Key::Wake).
    pub wakes: Option<&'a CategoryId>,
    /// The contract won it.
    pub wins: bool,
    /// A charge or credit that comes to stand.
    pub line: Option<&'a Line>,
    /// A message that the dealer must get.
    pub delivery: Option<&'a Delivery>,
    /// What becomes of a return.
    pub returned: Option<ReturnWrite<'a>>,
    /// What the sender of its enquiry is told of it.
    pub postback: Option<&'a Postback>,
    /// What the desk did.
    pub act: Option<&'a Act>,
    /// What the desk is told: it stands in the lead's history and in the company's changes.
    pub notice: Option<&'a Act>,
    /// When.
    pub now: Timestamp,
}

impl<'a> Changes<'a> {
    /// The assignment alone.
    pub const fn of(assignment: &'a Assignment, now: Timestamp) -> Self {
        Self {
            assignment,
            lead: None,
            gives_back: false,
            wakes: None,
            wins: false,
            line: None,
            delivery: None,
            returned: None,
            postback: None,
            act: None,
            notice: None,
            now,
        }
    }
}

impl Store {
    /// Commits a change; `false` when somebody else changed the assignment, the lead or the counters:
    /// look again.
    pub async fn assignment_change(&self, changes: &Changes<'_>) -> Result<bool, StoreError> {
        let assignment = changes.assignment;
        let next = Assignment { version: assignment.version + 1, ..assignment.clone() };
        let item = items::assignment_item(&next)?;
        let seen = values([(":seen", number(assignment.version))]);
        let mut writes = vec![self.put(item, UNCHANGED, seen)?];
        if let Some(lead) = changes.lead {
            let next = Lead { version: lead.version + 1, ..lead.clone() };
            let seen = values([(":seen", number(lead.version))]);
            writes.push(self.put(items::lead_item(&next)?, UNCHANGED, seen)?);
        }
        writes.extend(self.counter_writes(changes).await?);
        if let Some(line) = changes.line {
            writes.push(self.line_write(line)?);
        }
        if let Some(delivery) = changes.delivery {
            writes.push(self.put(delivery.item()?, "attribute_not_exists(pk)", values([]))?);
        }
        if let Some(returned) = &changes.returned {
            writes.extend(self.return_writes(&assignment.company, returned)?);
        }
        if let Some(postback) = changes.postback {
            writes.push(self.postback_write(postback)?);
        }
        if let Some(act) = changes.act {
            writes.push(self.act_write(assignment.lead, act)?);
        }
        if let Some(notice) = changes.notice {
            writes.push(self.act_write(assignment.lead, notice)?);
            writes.push(self.change_write(&assignment.company, notice)?);
        }
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    async fn counter_writes(&self, changes: &Changes<'_>) -> Result<Vec<TransactWriteItem>, StoreError> {
        // What another system sold was never counted here: there is nothing to give back, nor to add to.
        if changes.assignment.imported || (!changes.gives_back && !changes.wins) {
            return Ok(Vec::new());
        }
        let assignment = changes.assignment;
        let company = &assignment.company;
        let contract = std::slice::from_ref(&assignment.contract);
        let dealer = std::slice::from_ref(&assignment.dealer);
        let counters = self.caps_get(company, contract, dealer).await?;
        let mut writes = Vec::new();
        if changes.wins {
            writes.extend(self.caps_won(assignment, &counters)?);
        }
        if changes.gives_back {
            writes.extend(self.caps_give_back(assignment, &counters)?);
        }
        if let Some(category) = changes.wakes {
            writes.push(self.wake_write(company, category, 1, Some(&assignment.dealer), changes.now)?);
        }
        Ok(writes)
    }
}
