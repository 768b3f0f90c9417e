//! Suppression: who is on a company's list, asked before anybody is given their lead.
//!
//! Intake asks it of who arrives, and importing a list stops what waits. Between the two a lead may slip in: it
//! was judged before its person was on the list, and kept after. So distribution asks once more, of all leads of
//! a batch in one read: who is put on a list before that look is seen by it, and whose lead was kept before that
//! look is found by the import.

use std::collections::HashSet;

use leadyard_domain::identity::{IdentityHash, IdentityKey};
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::Lead;
use leadyard_domain::person::{Email, Phone};

use crate::cloud::Cloud;
use crate::store::StoreError;

impl Cloud {
    /// The key of identities.
    pub fn identity_key(&self) -> IdentityKey {
        IdentityKey::from_bytes(self.master.derive("leadyard/identity/v1"))
    }

    /// Which of these leads are of somebody who is on their company's list, by e-mail or phone.
    pub async fn suppressed(&self, leads: &[&Lead]) -> Result<HashSet<LeadId>, StoreError> {
        let key = self.identity_key();
        // Who was merged into a lead is its person too, by contacts that the survivor may not have.
        let mut merged: Vec<LeadId> = leads.iter().flat_map(|lead| lead.merged.iter().copied()).collect();
        merged.sort_unstable();
        merged.dedup();
        let merged = if merged.is_empty() { Vec::new() } else { self.store.leads_get(&merged).await? };
        let mut whose: Vec<(LeadId, IdentityHash)> = Vec::new();
        for lead in leads {
            let theirs = merged.iter().filter(|other| lead.merged.contains(&other.id));
            for one in std::iter::once(*lead).chain(theirs) {
                whose.extend(identities(&key, one).into_iter().map(|hash| (lead.id, hash)));
            }
        }
        let mut hashes: Vec<IdentityHash> = whose.iter().map(|(_, hash)| *hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let listed = self.store.identities_suppressed(&hashes).await?;
        Ok(whose.into_iter().filter(|(_, hash)| listed.contains(hash)).map(|(lead, _)| lead).collect())
    }
}

fn identities(key: &IdentityKey, lead: &Lead) -> Vec<IdentityHash> {
    let email = lead.person.email.as_deref().and_then(|email| Email::parse(email).ok());
    let phone = lead.person.phone.as_deref().and_then(|phone| Phone::parse(phone).ok());
    let email = email.map(|email| IdentityHash::of_email(key, &lead.company, &email));
    email.into_iter().chain(phone.map(|phone| IdentityHash::of_phone(key, &lead.company, &phone))).collect()
}
