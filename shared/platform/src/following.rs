//! Following up: what follows for a follow-up from what became of its lead. Whoever changed the lead says so here, in one
//! write and only where a follow-up stands or begins; what was missed is found by the sweep, or by the list that is read.
//!
//! | what happened | who says so |
//! |---|---|
//! | a lead is nurtured, waits, is assigned, expires | distribution |
//! | it did something | scoring |
//! | its dealer lost it | the console; else distribution, when the closed lead is looked at |
//! | its time has come; a day in the list is over | the sweep |
//! | it was called | the console |

use jiff::Timestamp;
use leadyard_domain::contract::{Need, Needs};
use leadyard_domain::distribution::Core;
use leadyard_domain::followup::{self, FollowUp, Rests};
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::Lead;

use crate::cloud::Cloud;
use crate::store::{StoreError, StoredFollowUp};
use crate::suppression::OnLists;

/// How often it is tried again when others changed it.
const ROUNDS: usize = 8;

/// Whether a lead's person may be called at all, by the company's lists. Who is on the do-not-call list and agreed to be
/// called may.
pub fn may_be_called(lead: &Lead, on_lists: OnLists) -> bool {
    let agreed = lead.brings.meets(Needs::NONE.with(Need::Consent));
    !on_lists.suppressed && (!on_lists.do_not_call || agreed)
}

impl Cloud {
    /// What follows from how a lead stands now; `did` says that it did something. The lead is the one that was kept.
    pub async fn follow_up(&self, lead: &Lead, core: &Core, did: bool) -> Result<(), StoreError> {
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(self.entropy.between_ms(5, 60)).await;
            }
            let stands = self.store.follow_up_get(lead.id).await?;
            if self.follows(lead, core, stands, did).await? {
                return Ok(());
            }
        }
        Err(StoreError::Contended)
    }

    async fn follows(
        &self,
        lead: &Lead,
        core: &Core,
        stands: Option<StoredFollowUp>,
        did: bool,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let before = stands.as_ref().map(|stands| &stands.state);
        let next = followup::look(before, lead, &core.follow_up, did, now);
        match (stands, next) {
            (None, None) => Ok(true),
            (None, Some(next)) => self.store.follow_up_save(lead, &StoredFollowUp::new(next), now).await,
            (Some(stands), Some(next)) => {
                tracing::info!(lead.id = %lead.id, follow_up.reason = %next.reason, "a follow-up goes on");
                self.store.follow_up_save(lead, &StoredFollowUp { state: next, ..stands }, now).await
            }
            // What is in the list stands there by its score.
            (Some(stands), None) if did && stands.moves(lead) => {
                self.store.follow_up_save(lead, &stands, now).await
            }
            (Some(_), None) => Ok(true),
        }
    }

    /// The sweep found one due: its time has come, or a day in the list is over.
    pub async fn follow_up_due(&self, id: LeadId) -> Result<(), StoreError> {
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(self.entropy.between_ms(5, 60)).await;
            }
            let found = self.store.follow_ups_get(&[id]).await?.pop();
            let Some((lead, stands)) = found else { return Ok(()) };
            let now = self.clock.now();
            let core = self.rulebooks.current(&self.store, &lead.company).await?;
            let mut next = stands.state.clone();
            if let Some(core) = &core {
                next = followup::look(Some(&next), &lead, &core.follow_up, false, now).unwrap_or(next);
            } else {
                next.comes_due(now);
            }
            if next.is_due() && !may_be_called(&lead, self.on_lists(&lead).await?) {
                next.rest(Rests::OnList);
            }
            if self.keeps_looked_at(&lead, &stands, next, now).await? {
                return Ok(());
            }
        }
        Err(StoreError::Contended)
    }

    async fn keeps_looked_at(
        &self,
        lead: &Lead,
        stands: &StoredFollowUp,
        next: FollowUp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if next == stands.state && !stands.is_claimed_by_sweep(now) {
            return Ok(true);
        }
        let next = StoredFollowUp { state: next, ..stands.clone() };
        self.store.follow_up_save(lead, &next, now).await
    }
}
