//! What a batch of messages asks for, read at once: ten leads and the rules of their company are two calls, not
//! twenty.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use leadyard_domain::ids::{CompanyId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging::{self, InForce};
use leadyard_platform::store::StoreError;

/// Leads that were read before their turn came, and the rules that were in force then.
///
/// Somebody may change them meanwhile: a lead is committed on its version, so that whoever is refused reads it
/// again; rules that change during a batch are as if they had changed after it.
pub(crate) struct Ahead {
    leads: HashMap<LeadId, Lead>,
    in_force: HashMap<CompanyId, Arc<InForce>>,
    /// Of these leads, whose person is on a suppression list.
    suppressed: HashSet<LeadId>,
    since: Timestamp,
}

/// A lead as it is looked at.
pub(crate) struct Seen {
    pub(crate) lead: Lead,
    /// None of a company without a rulebook.
    pub(crate) in_force: Option<Arc<InForce>>,
    /// Its person is on the company's suppression list.
    pub(crate) suppressed: bool,
    /// When the rules were read: who changed them since was not seen.
    pub(crate) since: Timestamp,
}

impl Ahead {
    /// Reads these. What cannot be read now is read when its turn comes.
    pub(crate) async fn read(cloud: &Cloud, mut ids: Vec<LeadId>) -> Self {
        let since = cloud.clock.now();
        ids.sort_unstable();
        ids.dedup();
        let mut ahead =
            Self { leads: HashMap::new(), in_force: HashMap::new(), suppressed: HashSet::new(), since };
        // Of a single lead nothing is saved.
        if ids.len() > 1 {
            let leads = cloud.store.leads_get(&ids).await.unwrap_or_default();
            let asked: Vec<&Lead> = leads.iter().collect();
            let Ok(suppressed) = cloud.suppressed(&asked).await else { return ahead };
            ahead.suppressed = suppressed;
            for lead in leads {
                if !ahead.in_force.contains_key(&lead.company)
                    && let Ok(Some(in_force)) = judging::in_force(cloud, &lead.company).await
                {
                    ahead.in_force.insert(lead.company.clone(), Arc::new(in_force));
                }
                ahead.leads.insert(lead.id, lead);
            }
        }
        ahead
    }

    /// A lead and the rules in force: as they were read ahead, the first time it is asked for; afterwards as they
    /// are. `None` when there is no such lead.
    pub(crate) async fn see(&mut self, cloud: &Cloud, id: LeadId) -> Result<Option<Seen>, StoreError> {
        if let Some(lead) = self.leads.remove(&id)
            && let Some(in_force) = self.in_force.get(&lead.company)
        {
            let suppressed = self.suppressed.contains(&id);
            return Ok(Some(Seen {
                lead,
                in_force: Some(Arc::clone(in_force)),
                suppressed,
                since: self.since,
            }));
        }
        let since = cloud.clock.now();
        let Some(lead) = cloud.store.lead_get(id).await? else { return Ok(None) };
        let in_force = judging::in_force(cloud, &lead.company).await?.map(Arc::new);
        let suppressed = lead.wants_distribution() && !cloud.suppressed(&[&lead]).await?.is_empty();
        Ok(Some(Seen { lead, in_force, suppressed, since }))
    }
}
