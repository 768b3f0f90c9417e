//! Decisions: immutable, and no person in them.

use leadyard_domain::lead::Lead;

use super::items::{self, DecisionRecord};
use super::leads::UNCHANGED;
use super::{Commit, Store, StoreError, number, values};

impl Store {
    /// Keeps a lead that waits together with the decision that says why. `false` when somebody else
    /// changed the lead.
    pub async fn lead_save_decided(
        &self,
        lead: &Lead,
        decision: &DecisionRecord,
    ) -> Result<bool, StoreError> {
        let next = Lead { version: lead.version + 1, ..lead.clone() };
        let writes = vec![
            self.put(items::lead_item(&next)?, UNCHANGED, values([(":seen", number(lead.version))]))?,
            self.put(decision.item(&lead.company, lead.id)?, "", values([]))?,
        ];
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }
}
