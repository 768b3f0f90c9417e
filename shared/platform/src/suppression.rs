//! A company's lists, asked before anybody is given a lead: who is suppressed, and whose phone is not to be called.
//!
//! Intake asks of who arrives, and importing a list stops what waits. Between the two a lead may slip in: it
//! was judged before its person was on the list, and kept after. So distribution asks once more, of all leads of
//! a batch in one read: who is put on a list before that look is seen by it, and whose lead was kept before that
//! look is found by the import. A do-not-call list changes while a lead is nurtured: whether it is clean for a
//! contract that needs that is what the list says at the decision, never what it said at the enquiry.

use std::collections::{HashMap, HashSet};

use leadyard_domain::contract::Need;
use leadyard_domain::distribution::{Core, LeadFacts};
use leadyard_domain::identity::{IdentityHash, IdentityKey};
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::Lead;
use leadyard_domain::person::{Email, Phone};
use leadyard_domain::scoring::Band;

use crate::cloud::Cloud;
use crate::store::{List, StoreError};

/// What a company's lists say of a lead's person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnLists {
    /// By e-mail or phone: nobody is to be given it.
    pub suppressed: bool,
    /// By phone: it is not to be called.
    pub do_not_call: bool,
}

impl OnLists {
    /// What a decision sees of the lead. Without a phone there is none to be called, and it is clean.
    pub fn facts(self, lead: &Lead, core: &Core, band: Band) -> LeadFacts {
        let mut facts = lead.facts_under(core, band);
        if !self.do_not_call {
            facts.brings = facts.brings.with(Need::DncClean);
        }
        facts
    }
}

impl Cloud {
    /// The key of identities.
    pub fn identity_key(&self) -> IdentityKey {
        IdentityKey::from_bytes(self.master.derive("leadyard/identity/v1"))
    }

    /// What the lists say of one.
    pub async fn on_lists(&self, lead: &Lead) -> Result<OnLists, StoreError> {
        Ok(self.all_on_lists(&[lead]).await?.remove(&lead.id).unwrap_or_default())
    }

    /// What their companies' lists say of these leads; of whom they say nothing, nothing stands here.
    pub async fn all_on_lists(&self, leads: &[&Lead]) -> Result<HashMap<LeadId, OnLists>, StoreError> {
        let key = self.identity_key();
        // Who was merged into a lead is its person too, by contacts that the survivor may not have.
        let mut merged: Vec<LeadId> = leads.iter().flat_map(|lead| lead.merged.iter().copied()).collect();
        merged.sort_unstable();
        merged.dedup();
        let merged = if merged.is_empty() { Vec::new() } else { self.store.leads_get(&merged).await? };
        let mut whose: Vec<(LeadId, List, IdentityHash)> = Vec::new();
        for lead in leads {
            let theirs = merged.iter().filter(|other| lead.merged.contains(&other.id));
            for one in std::iter::once(*lead).chain(theirs) {
                whose.extend(asked(&key, one).map(|(list, hash)| (lead.id, list, hash)));
            }
        }
        let mut all: Vec<(List, IdentityHash)> = whose.iter().map(|(_, list, hash)| (*list, *hash)).collect();
        all.sort_unstable();
        all.dedup();
        let listed: HashSet<(List, IdentityHash)> = self.store.identities_listed(&all).await?;
        let mut found: HashMap<LeadId, OnLists> = HashMap::new();
        for (lead, list, _) in whose.iter().filter(|(_, list, hash)| listed.contains(&(*list, *hash))) {
            let of_lead = found.entry(*lead).or_default();
            match list {
                List::Suppressed => of_lead.suppressed = true,
                List::DoNotCall => of_lead.do_not_call = true,
            }
        }
        Ok(found)
    }
}

/// What is asked of which list.
fn asked(key: &IdentityKey, lead: &Lead) -> impl Iterator<Item = (List, IdentityHash)> {
    let email = lead.person.email.as_deref().and_then(|email| Email::parse(email).ok());
    let phone = lead.person.phone.as_deref().and_then(|phone| Phone::parse(phone).ok());
    let email = email.map(|email| IdentityHash::of_email(key, &lead.company, &email));
    let phone = phone.map(|phone| IdentityHash::of_phone(key, &lead.company, &phone));
    let suppressed = email.into_iter().chain(phone).map(|hash| (List::Suppressed, hash));
    suppressed.chain(phone.map(|hash| (List::DoNotCall, hash)))
}
