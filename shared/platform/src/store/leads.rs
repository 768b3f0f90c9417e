//! Leads: the current state, under a version; a lead's whole story in one query; and the way from one that was
//! merged to the one that goes on.

use leadyard_domain::assignment::Assignment;
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::Lead;
use leadyard_domain::lead::merge::Merged;
use leadyard_domain::limits;

use super::items::{self, DecisionRecord};
use super::keys::Key;
use super::{Act, Commit, Delivery, Item, Store, StoreError, StoredFollowUp, number, read_string, values};
use leadyard_domain::scoring::Activity;

/// Everything in a lead's partition.
#[derive(Clone, Debug)]
pub struct Story {
    /// The lead.
    pub lead: Lead,
    /// What it did, and those that were merged into it.
    pub activity: Activity,
    /// Its seats, by cycle.
    pub assignments: Vec<Assignment>,
    /// What was decided, oldest first.
    pub decisions: Vec<DecisionRecord>,
    /// Messages to holders.
    pub deliveries: Vec<Delivery>,
    /// What the desk did, oldest first.
    pub acts: Vec<Act>,
    /// How it is followed up.
    pub follow_up: Option<StoredFollowUp>,
}

/// The condition that nobody else changed what we saw.
pub(super) const UNCHANGED: &str = "v = :seen";

impl Store {
    /// A lead.
    pub async fn lead_get(&self, id: LeadId) -> Result<Option<Lead>, StoreError> {
        self.get(&Key::Lead(id)).await?.map(items::read_lead).transpose()
    }

    /// A lead; of one that was merged, the survivor.
    pub async fn lead_surviving(&self, id: LeadId) -> Result<Option<Lead>, StoreError> {
        let mut found = self.lead_get(id).await?;
        // One that was merged takes nobody in any more, so that the way never turns back.
        for _ in 0..limits::MERGED_PER_LEAD {
            match found.as_ref().and_then(|lead| lead.merged_into) {
                None => return Ok(found),
                Some(into) => found = self.lead_get(into).await?,
            }
        }
        Ok(found)
    }

    /// The lead that a seat is held of: its own, while that is in the seat's cycle; where it was merged into
    /// another, the survivor. `None` when the lead has gone on without it.
    pub async fn lead_of(&self, seat: &Assignment) -> Result<Option<Lead>, StoreError> {
        let Some(own) = self.lead_get(seat.lead).await? else { return Ok(None) };
        let Some(into) = own.merged_into else { return Ok(Some(own).filter(|own| own.cycle == seat.cycle)) };
        let holds = |lead: &Lead| lead.holders.iter().any(|holder| holder.assignment == seat.id);
        Ok(self.lead_surviving(into).await?.filter(holds))
    }

    /// Keeps two leads that the desk merged, with what it did, in the history of both. `false` when somebody
    /// else changed one of them.
    pub async fn lead_merge(
        &self,
        merged: &Merged,
        act: &Act,
        told: &[Delivery],
    ) -> Result<bool, StoreError> {
        let mut writes = Vec::with_capacity(4 + told.len());
        for lead in [&merged.into, &merged.from] {
            let next = Lead { version: lead.version + 1, ..lead.clone() };
            let seen = values([(":seen", number(lead.version))]);
            writes.push(self.put(items::lead_item(&next)?, UNCHANGED, seen)?);
            writes.push(self.act_write(lead.id, act)?);
        }
        for delivery in told {
            writes.push(self.put(delivery.item()?, "attribute_not_exists(pk)", values([]))?);
        }
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// Leads, in any order, each once however often it is named; those that do not exist are missing.
    pub async fn leads_get(&self, ids: &[LeadId]) -> Result<Vec<Lead>, StoreError> {
        let keys: Vec<Key<'_>> = ids.iter().map(|id| Key::Lead(*id)).collect();
        self.get_many(&keys).await?.into_iter().map(items::read_lead).collect()
    }

    /// Keeps a changed lead, if nobody else changed it since it was read. `false` when somebody did.
    pub async fn lead_save(&self, lead: &Lead) -> Result<bool, StoreError> {
        let next = Lead { version: lead.version + 1, ..lead.clone() };
        self.put_if(items::lead_item(&next)?, UNCHANGED, values([(":seen", number(lead.version))])).await
    }

    /// A lead (of one that was merged, the survivor) and what it did: what scoring reads.
    pub async fn lead_with_activity(&self, id: LeadId) -> Result<Option<(Lead, Activity)>, StoreError> {
        // The lead first: a score is written only if the lead is as it was before the activity was read.
        let Some(lead) = self.lead_surviving(id).await? else { return Ok(None) };
        let activity = self.activity_of_lead(&lead).await?;
        Ok(Some((lead, activity)))
    }

    /// The whole story of a lead, its enquiries apart.
    pub async fn lead_story(&self, id: LeadId) -> Result<Option<Story>, StoreError> {
        let items = self.lead_items(id).await?;
        self.lead_story_of(items).await
    }

    /// Everything in a lead's partition, as it stands there.
    pub async fn lead_items(&self, id: LeadId) -> Result<Vec<Item>, StoreError> {
        self.query_prefix(Key::Lead(id).pk(), "").await
    }

    /// The story that a lead's partition tells.
    pub async fn lead_story_of(&self, items: Vec<Item>) -> Result<Option<Story>, StoreError> {
        let (mut lead, mut follow_up) = (None, None);
        let mut story: (Activity, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
        for item in items {
            match read_string(&item, "sk").and_then(|sk| sk.chars().next()) {
                Some('L') => lead = Some(items::read_lead(item)?),
                Some('A') => story.1.push(items::read_assignment(item)?),
                Some('D') => story.2.push(DecisionRecord::read(item)?),
                Some('F') => follow_up = Some(StoredFollowUp::read(item)?),
                Some('H') => story.4.push(Act::read(item)?),
                Some('M') => story.3.push(Delivery::read(item)?),
                Some('Y') => super::activity::read_day(&item, &mut story.0),
                Some(_) | None => {}
            }
        }
        let (mut activity, assignments, decisions, deliveries, acts) = story;
        let Some(lead) = lead else { return Ok(None) };
        self.activity_of_merged(&lead, &mut activity).await?;
        Ok(Some(Story { lead, activity, assignments, decisions, deliveries, acts, follow_up }))
    }
}
