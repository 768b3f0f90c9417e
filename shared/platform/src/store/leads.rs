//! Leads: the current state, under a version; and a lead's whole story in one query.

use leadyard_domain::assignment::Assignment;
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::Lead;

use super::items::{self, DecisionRecord};
use super::keys::Key;
use super::{Act, Delivery, Store, StoreError, number, read_string, values};
use leadyard_domain::scoring::Activity;

/// Everything in a lead's partition.
#[derive(Clone, Debug)]
pub struct Story {
    /// The lead.
    pub lead: Lead,
    /// What it did.
    pub activity: Activity,
    /// Its seats, by cycle.
    pub assignments: Vec<Assignment>,
    /// What was decided, oldest first.
    pub decisions: Vec<DecisionRecord>,
    /// Messages to holders.
    pub deliveries: Vec<Delivery>,
    /// What the desk did, oldest first.
    pub acts: Vec<Act>,
}

/// The condition that nobody else changed what we saw.
pub(super) const UNCHANGED: &str = "v = :seen";

impl Store {
    /// A lead.
    pub async fn lead_get(&self, id: LeadId) -> Result<Option<Lead>, StoreError> {
        self.get(&Key::Lead(id)).await?.map(items::read_lead).transpose()
    }

    /// Leads, in any order; those that do not exist are missing.
    pub async fn leads_get(&self, ids: &[LeadId]) -> Result<Vec<Lead>, StoreError> {
        let keys: Vec<Key<'_>> = ids.iter().map(|id| Key::Lead(*id)).collect();
        self.get_many(&keys).await?.into_iter().map(items::read_lead).collect()
    }

    /// Keeps a changed lead, if nobody else changed it since it was read. `false` when somebody did.
    pub async fn lead_save(&self, lead: &Lead) -> Result<bool, StoreError> {
        let next = Lead { version: lead.version + 1, ..lead.clone() };
        self.put_if(items::lead_item(&next)?, UNCHANGED, values([(":seen", number(lead.version))])).await
    }

    /// A lead and what it did, in one query: what scoring reads.
    pub async fn lead_with_activity(&self, id: LeadId) -> Result<Option<(Lead, Activity)>, StoreError> {
        // The lead first: a score is written only if the lead is as it was before the activity was read.
        let Some(lead) = self.lead_get(id).await? else { return Ok(None) };
        let activity = self.activity_of_lead(id).await?;
        Ok(Some((lead, activity)))
    }

    /// The whole story of a lead, its enquiries apart.
    pub async fn lead_story(&self, id: LeadId) -> Result<Option<Story>, StoreError> {
        let mut lead = None;
        let mut story: (Activity, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
        for item in self.query_prefix(Key::Lead(id).pk(), "").await? {
            match read_string(&item, "sk").and_then(|sk| sk.chars().next()) {
                Some('L') => lead = Some(items::read_lead(item)?),
                Some('A') => story.1.push(items::read_assignment(item)?),
                Some('D') => story.2.push(DecisionRecord::read(item)?),
                Some('H') => story.4.push(Act::read(item)?),
                Some('M') => story.3.push(Delivery::read(item)?),
                Some('Y') => super::activity::read_day(&item, &mut story.0),
                Some(_) | None => {}
            }
        }
        let (activity, assignments, decisions, deliveries, acts) = story;
        Ok(lead.map(|lead| Story { lead, activity, assignments, decisions, deliveries, acts }))
    }
}
