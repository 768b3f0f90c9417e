//! A person opts out: of mail, or of everything. They go on the company's list, what nobody holds of theirs is
//! rejected, and whoever holds a lead of theirs is told.
//!
//! # Determinations
//!
//! - *Of mail* the e-mail goes on the list alone, whoever else uses it; *of everything* the phones as well, but one
//!   that is somebody else's too.
//! - *What somebody holds* stays theirs: they bought the right to ask, and are told `lead.opted_out` with what the
//!   person opted out of, once for each. What they do with it is theirs to answer for.
//! - *The list comes first*: a lead that is kept or looked at after that finds it there. Whoever is not answered asks
//!   again, and what is done is not done twice.

use std::collections::BTreeSet;

use leadyard_domain::delivery::{Event, OptedOutOf};
use leadyard_domain::ids::{ActId, CompanyId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_domain::limits;

use crate::cloud::Cloud;
use crate::person::{SeekError, Sought};
use crate::store::{Act, Delivery, List, StoreError, Suppression};

/// What an opt-out came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptedOut {
    /// E-mails and phones that came on the list.
    pub listed: usize,
    /// Leads that were rejected.
    pub rejected: Vec<LeadId>,
    /// Messages to holders.
    pub told: usize,
}

/// How often a lead is looked at again when others changed it.
const ROUNDS: usize = 40;

impl Cloud {
    /// Puts a person on the list, and does what follows.
    pub async fn opt_out(
        &self,
        company: &CompanyId,
        sought: &Sought,
        of: OptedOutOf,
        by: &str,
    ) -> Result<OptedOut, SeekError> {
        let person = Box::pin(self.person_by_leads(company, sought)).await?;
        let now = self.clock.now();
        let mut done = OptedOut::default();
        // An e-mail that others use as well, too: whoever reads it wants no more of it.
        let listed: BTreeSet<_> = match of {
            OptedOutOf::Everything => person.people.union(&person.emails).collect(),
            OptedOutOf::Mail => person.emails.iter().collect(),
        };
        for hash in listed {
            let on = Suppression::On(Some(of.as_str()));
            done.listed += usize::from(self.store.identity_list(List::Suppressed, hash, on, now).await?);
        }
        for lead in person.leads.keys() {
            self.opt_out_lead(*lead, of, by, &mut done).await?;
        }
        Ok(done)
    }

    async fn opt_out_lead(
        &self,
        id: LeadId,
        of: OptedOutOf,
        by: &str,
        done: &mut OptedOut,
    ) -> Result<(), StoreError> {
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(self.entropy.between_ms(5, 60)).await;
            }
            let Some(mut lead) = self.store.lead_get(id).await? else { return Ok(()) };
            if lead.is_erased() || lead.merged_into.is_some() {
                return Ok(());
            }
            let before = lead.stage;
            if !lead.suppress(self.clock.now()) {
                return self.tell_holders(&lead, of, done).await;
            }
            let told = |stage: &str| format!(r#"{{"stage":"{stage}"}}"#);
            let at = self.clock.now();
            let act = Act {
                id: ActId::mint(at, self.entropy.bytes()),
                at,
                by: by.to_owned(),
                act: "opt_out".to_owned(),
                reason: None,
                before: told(before.as_str()),
                after: told(lead.stage.as_str()),
            };
            if self.store.lead_act(&lead, &act).await? {
                done.rejected.push(id);
                return Ok(());
            }
        }
        Err(StoreError::Contended)
    }

    /// Who holds it is told, once for what they opted out of.
    async fn tell_holders(&self, lead: &Lead, of: OptedOutOf, done: &mut OptedOut) -> Result<(), StoreError> {
        for holder in lead.holders.iter().take(usize::from(limits::SEATS)) {
            let now = self.clock.now();
            let message = Delivery::to_holder(lead, holder, Event::OptedOut, of.as_str(), now);
            if self.store.delivery_create(&message).await? {
                done.told += 1;
                self.hand_message(&message, 0).await;
            }
        }
        Ok(())
    }
}
