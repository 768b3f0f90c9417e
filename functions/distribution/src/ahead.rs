//! What a batch of messages asks for, read at once: leads, the rules of their companies, the enquiries that
//! opened their cycles, and the counters of those who may have them. Ten leads are a handful of calls, not fifty.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use leadyard_domain::ids::{CompanyId, ContractId, DealerId, EnquiryId, LeadId};
use leadyard_domain::lead::{Lead, Stage};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging::{self, InForce, Judged};
use leadyard_platform::store::{StoreError, StoredEnquiry};
use leadyard_platform::suppression::OnLists;

use crate::score;

/// Leads that were read before their turn came, and the rules that were in force then.
///
/// Somebody may change them meanwhile: a lead is committed on its version, so that whoever is refused reads it
/// again; rules that change during a batch are as if they had changed after it.
#[derive(Default)]
pub(crate) struct Ahead {
    leads: HashMap<LeadId, Seen>,
}

/// A lead as it is looked at.
pub(crate) struct Seen {
    pub(crate) lead: Lead,
    /// None of a company without a rulebook.
    pub(crate) in_force: Option<Arc<InForce>>,
    /// What the lead is worth, if that was found ahead.
    pub(crate) judged: Option<Judged>,
    /// What the company's lists say of its person.
    pub(crate) on_lists: OnLists,
    /// When the rules were read: who changed them since was not seen.
    pub(crate) since: Timestamp,
}

/// Counters that are to be read, by company.
pub(crate) type Wanted = BTreeMap<CompanyId, (BTreeSet<ContractId>, BTreeSet<DealerId>)>;

impl Ahead {
    /// Reads these. What cannot be read now is read when its turn comes.
    pub(crate) async fn read(cloud: &Cloud, mut ids: Vec<LeadId>) -> Self {
        let since = cloud.clock.now();
        ids.sort_unstable();
        ids.dedup();
        // Of a single lead nothing is saved.
        if ids.len() < 2 {
            return Self::default();
        }
        let mut leads = cloud.store.leads_get(&ids).await.unwrap_or_default();
        leads.sort_unstable_by_key(|lead| lead.id);
        let asked: Vec<&Lead> = leads.iter().collect();
        let Ok(on_lists) = cloud.all_on_lists(&asked).await else { return Self::default() };
        let mut rules: HashMap<CompanyId, Arc<InForce>> = HashMap::new();
        for lead in &leads {
            if !rules.contains_key(&lead.company)
                && let Ok(Some(in_force)) = judging::in_force(cloud, &lead.company).await
            {
                rules.insert(lead.company.clone(), Arc::new(in_force));
            }
        }
        let seen = leads.into_iter().filter_map(|lead| {
            let in_force = Some(Arc::clone(rules.get(&lead.company)?));
            let on_lists = on_lists.get(&lead.id).copied().unwrap_or_default();
            Some(Seen { lead, in_force, judged: None, on_lists, since })
        });
        let judged = judge_all(cloud, seen.collect()).await;
        Self { leads: judged.into_iter().map(|seen| (seen.lead.id, seen)).collect() }
    }

    /// Whose counters will be read for these leads: as many as one batch reads at once.
    pub(crate) async fn counters(&self, cloud: &Cloud) -> Wanted {
        let mut wanted = Wanted::new();
        let mut count = 0;
        let mut leads: Vec<&Seen> = self.leads.values().collect();
        leads.sort_unstable_by_key(|seen| seen.lead.id);
        for Seen { lead, in_force, judged, on_lists, since } in leads {
            let (Some(in_force), Some(judged)) = (in_force, judged) else { continue };
            if on_lists.suppressed
                || lead.hold.is_some()
                || !lead.wants_distribution()
                || !lead.crossed && !judged.is_ready(&in_force.core, &lead.offer)
            {
                continue;
            }
            let facts = on_lists.facts(lead, &in_force.core, judged.score.band);
            let whose = judging::counters_of_interest(cloud, in_force, &facts, *since).await;
            let Ok((contracts, dealers)) = whose else { continue };
            let of_company = wanted.entry(lead.company.clone()).or_default();
            count += contracts.iter().filter(|contract| !of_company.0.contains(*contract)).count();
            count += dealers.iter().filter(|dealer| !of_company.1.contains(*dealer)).count();
            if count > limits::COUNTERS_AHEAD {
                break;
            }
            of_company.0.extend(contracts);
            of_company.1.extend(dealers);
        }
        wanted
    }

    /// A lead and the rules in force: as they were read ahead, the first time it is asked for; afterwards as they
    /// are. `None` when there is no such lead.
    pub(crate) async fn see(&mut self, cloud: &Cloud, id: LeadId) -> Result<Option<Seen>, StoreError> {
        if let Some(seen) = self.leads.remove(&id) {
            return Ok(Some(seen));
        }
        let since = cloud.clock.now();
        let Some(lead) = cloud.store.lead_get(id).await? else { return Ok(None) };
        let in_force = judging::in_force(cloud, &lead.company).await?.map(Arc::new);
        let on_lists =
            if lead.wants_distribution() { cloud.on_lists(&lead).await? } else { OnLists::default() };
        Ok(Some(Seen { lead, in_force, judged: None, on_lists, since }))
    }
}

/// Scores those of them that are open; whoever cannot be scored now is left out.
async fn judge_all(cloud: &Cloud, seen: Vec<Seen>) -> Vec<Seen> {
    let now = cloud.clock.now();
    let is_open = |seen: &Seen| {
        let in_force = seen.in_force.as_ref();
        let window = in_force.map_or(0, |in_force| in_force.core.company.window_days);
        let lead = &seen.lead;
        !lead.stage.closed() && lead.stage != Stage::Quarantined && !lead.has_expired(window, now)
    };
    let (open, mut rest): (Vec<Seen>, Vec<Seen>) = seen.into_iter().partition(is_open);
    let ids: Vec<EnquiryId> = open.iter().map(|seen| seen.lead.opening).collect();
    let Ok(openings) = cloud.store.enquiries_get(&ids).await else { return rest };
    let openings: HashMap<EnquiryId, StoredEnquiry> =
        openings.into_iter().map(|enquiry| (enquiry.id, enquiry)).collect();
    let judged = open.into_iter().map(|mut seen| async {
        if let Some(in_force) = &seen.in_force {
            let opening = openings.get(&seen.lead.opening);
            seen.judged = Some(score(cloud, in_force, &mut seen.lead, opening, now).await.ok()?);
        }
        Some(seen)
    });
    rest.extend(join_all(judged).await.into_iter().flatten());
    rest
}
