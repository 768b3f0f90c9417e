//! Suppression: who is on a company's lists, asked before anybody is given their lead.
//!
//! Intake asks it of who arrives, and importing a list stops what waits. Between the two a lead may slip in: it
//! was judged before its person was on the list, and kept after. So distribution asks once more, of all leads of
//! a batch in one read: who is put on a list before that look is seen by it, and whose lead was kept before that
//! look is found by the import. The do-not-call list is asked with it: a contract may need that nobody is on it.

use std::collections::HashSet;

use leadyard_domain::contract::Need;
use leadyard_domain::identity::{IdentityHash, IdentityKey};
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::Lead;
use leadyard_domain::person::{Email, Phone};

use crate::cloud::Cloud;
use crate::store::{List, StoreError};

impl Cloud {
    /// The key of identities.
    pub fn identity_key(&self) -> IdentityKey {
        IdentityKey::from_bytes(self.master.derive("leadyard/identity/v1"))
    }

    /// Which of these leads are of somebody who is on their company's lists: on the suppression list by e-mail or
    /// phone, on the do-not-call list by phone.
    pub async fn listed(&self, leads: &[&Lead]) -> Result<Listed, StoreError> {
        let key = self.identity_key();
        // Who was merged into a lead is its person too, by contacts that the survivor may not have.
        let mut merged: Vec<LeadId> = leads.iter().flat_map(|lead| lead.merged.iter().copied()).collect();
        merged.sort_unstable();
        merged.dedup();
        let merged = if merged.is_empty() { Vec::new() } else { self.store.leads_get(&merged).await? };
        let mut whose: Vec<(LeadId, (List, IdentityHash))> = Vec::new();
        for lead in leads {
            let theirs = merged.iter().filter(|other| lead.merged.contains(&other.id));
            for one in std::iter::once(*lead).chain(theirs) {
                whose.extend(asked_of(&key, one).map(|asked| (lead.id, asked)));
            }
        }
        let mut asked: Vec<(List, IdentityHash)> = whose.iter().map(|(_, asked)| *asked).collect();
        asked.sort_unstable();
        asked.dedup();
        let found = self.store.identities_listed(&asked).await?;
        let mut listed = Listed::default();
        for (lead, asked) in whose.into_iter().filter(|(_, asked)| found.contains(asked)) {
            match asked.0 {
                List::Suppressed => listed.suppressed.insert(lead),
                List::DoNotCall => listed.do_not_call.insert(lead),
            };
        }
        Ok(listed)
    }
}

/// Leads of people who are on their company's lists.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    suppressed: HashSet<LeadId>,
    do_not_call: HashSet<LeadId>,
}

impl Listed {
    /// Whether its person must not be given to anybody.
    pub fn suppressed(&self, lead: LeadId) -> bool {
        self.suppressed.contains(&lead)
    }

    /// What of a contract's needs the lists leave it: that no phone of its person's is on the do-not-call list. Who
    /// has no phone is on none.
    pub fn judge(&self, lead: &mut Lead) {
        let clean = !self.do_not_call.contains(&lead.id);
        lead.brings = lead.brings.with_or_without(Need::DncClean, clean);
    }
}

fn asked_of(key: &IdentityKey, lead: &Lead) -> impl Iterator<Item = (List, IdentityHash)> {
    let email = lead.person.email.as_deref().and_then(|email| Email::parse(email).ok());
    let phone = lead.person.phone.as_deref().and_then(|phone| Phone::parse(phone).ok());
    let email = email.map(|email| IdentityHash::of_email(key, &lead.company, &email));
    let phone = phone.map(|phone| IdentityHash::of_phone(key, &lead.company, &phone));
    let of_email = email.map(|hash| (List::Suppressed, hash));
    of_email.into_iter().chain(
        phone.into_iter().flat_map(|hash| [List::Suppressed, List::DoNotCall].map(|list| (list, hash))),
    )
}
