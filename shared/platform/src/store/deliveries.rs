//! Messages to holders other than the assignment itself: a repeat, a withdrawal.

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::{Assignment, Attempt, DeliveryState};
use leadyard_domain::delivery::{Event, WithdrawalReason};
use leadyard_domain::ids::{AssignmentId, CompanyId, DealerId, EnquiryId, LeadId};
use leadyard_domain::lead::{Holder, Lead};
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::leads::UNCHANGED;
use super::{Act, Commit, Item, Store, StoreError, number, string, values};

/// A message on its way to a holder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The lead.
    pub lead: LeadId,
    /// The seat it is about.
    pub assignment: AssignmentId,
    /// In which cycle.
    pub cycle: u32,
    /// What it says.
    pub event: Event,
    /// Which of them: the enquiry that repeated, or `1`.
    pub number: String,
    /// By which of the dealer's channels, by its order; 0 is the one that has the lead.
    #[serde(default)]
    pub channel: u8,
    /// Why, of a withdrawal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<WithdrawalReason>,
    /// Whose lead.
    pub company: CompanyId,
    /// To whom.
    pub dealer: DealerId,
    /// When it became necessary.
    pub since: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// The attempts, all of them: they are few.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// When the next attempt may begin; at once, if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Counts writes.
    pub v: u64,
    /// When it must be tried next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// How soon after a commit the sweep looks, should the queue's message be lost.
const GRACE: SignedDuration = SignedDuration::from_secs(45);

impl Delivery {
    /// A message to the holder of an assignment, to be sent at once.
    pub fn to(assignment: &Assignment, event: Event, number: impl Into<String>, now: Timestamp) -> Self {
        Self {
            lead: assignment.lead,
            assignment: assignment.id,
            cycle: assignment.cycle,
            event,
            number: number.into(),
            channel: 0,
            reason: None,
            company: assignment.company.clone(),
            dealer: assignment.dealer.clone(),
            since: now,
            state: DeliveryState::Pending,
            attempts: Vec::new(),
            next_at: None,
            v: 0,
            due: now.checked_add(GRACE).ok(),
        }
    }

    /// Tells a holder that the person asked again.
    pub fn repeated(lead: &Lead, holder: &Holder, enquiry: EnquiryId, at: Timestamp) -> Self {
        Self::to_holder(lead, holder, Event::Repeated, enquiry.to_string(), at)
    }

    /// Tells a holder of a lead what it must know.
    pub fn to_holder(
        lead: &Lead,
        holder: &Holder,
        event: Event,
        number: impl Into<String>,
        at: Timestamp,
    ) -> Self {
        let seat = lead.cycle_of(holder);
        Self {
            lead: seat.lead,
            assignment: holder.assignment,
            cycle: seat.cycle,
            event,
            number: number.into(),
            channel: 0,
            reason: None,
            company: lead.company.clone(),
            dealer: holder.dealer.clone(),
            since: at,
            state: DeliveryState::Pending,
            attempts: Vec::new(),
            next_at: None,
            v: 0,
            due: at.checked_add(GRACE).ok(),
        }
    }

    /// The same message, with its reason.
    #[must_use]
    pub fn because(self, reason: WithdrawalReason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// A copy of it, not yet tried, that goes by this channel.
    #[must_use]
    pub fn by(&self, channel: u8) -> Self {
        Self {
            channel,
            attempts: Vec::new(),
            next_at: None,
            v: 0,
            state: DeliveryState::Pending,
            ..self.clone()
        }
    }

    /// Its number as keys and queues have it: what goes by a channel of its own says so.
    pub fn key_number(&self) -> String {
        match self.channel {
            0 => self.number.clone(),
            channel => format!("{}@{channel}", self.number),
        }
    }

    pub(super) fn item(&self) -> Result<Item, StoreError> {
        let mut item: Item =
            serde_dynamo::to_item(self).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        let which = self.key_number();
        let (lead, assignment, event) = (self.lead, self.assignment, self.event.as_str());
        item.extend(super::key_item(&Key::Delivery { lead, assignment, event, number: &which }));
        if let Some(due) = self.due {
            item.insert(
                "dk".to_owned(),
                string(super::keys::due_shard(super::keys::shard(self.assignment.bytes()))),
            );
            item.insert("dt".to_owned(), number(due.as_millisecond()));
        }
        Ok(item)
    }

    pub(super) fn read(item: Item) -> Result<Self, StoreError> {
        let due = super::read_number::<i64>(&item, "dt").and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let read: Self =
            serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("delivery", error))?;
        Ok(Self { due, ..read })
    }
}

impl Store {
    /// A message to a holder.
    pub async fn delivery_get(
        &self,
        lead: LeadId,
        assignment: AssignmentId,
        event: &str,
        number: &str,
    ) -> Result<Option<Delivery>, StoreError> {
        self.get(&Key::Delivery { lead, assignment, event, number }).await?.map(Delivery::read).transpose()
    }

    /// Keeps a new message; `false` for one that stands already, which is left as it is.
    pub async fn delivery_create(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        self.put_if(delivery.item()?, "attribute_not_exists(pk)", values([])).await
    }

    /// Keeps a message as the desk changed it, with what it did; `false` when somebody else changed it.
    pub async fn delivery_act(&self, delivery: &Delivery, act: &Act) -> Result<bool, StoreError> {
        let next = Delivery { v: delivery.v + 1, ..delivery.clone() };
        let writes = vec![
            self.put(next.item()?, UNCHANGED, values([(":seen", number(delivery.v))]))?,
            self.act_write(delivery.lead, act)?,
        ];
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// Keeps a changed message, if nobody else changed it since it was read.
    pub async fn delivery_save(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        let next = Delivery { v: delivery.v + 1, ..delivery.clone() };
        self.put_if(next.item()?, UNCHANGED, values([(":seen", number(delivery.v))])).await
    }
}
