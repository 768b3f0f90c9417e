//! What more than one function asks of a lead: what it is worth, and who should have it. Reads the
//! store, decides purely, writes nothing.

use std::sync::Arc;

use jiff::Timestamp;
use leadyard_domain::distribution::{Chunk, Core, Counters, Decision, LeadFacts, Switches, decide, screen};
use leadyard_domain::enquiry::{Enquiry, FieldMap, Understood};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::lead::{Lead, ScoreState};
use leadyard_domain::rulebook::Source;
use leadyard_domain::scoring::{
    Activity, InteractionId, InteractionKind, Score, ScoringModel, heat_key, score,
};
use leadyard_domain::time::UtcDay;

use crate::cloud::Cloud;
use crate::store::{StoreError, StoredEnquiry};

/// A lead's score with what it is made of.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The score, explained.
    pub score: Score,
    /// What the lead did, its enquiries included.
    pub activity: Activity,
}

/// A stored enquiry, understood again by its source's map: what is kept is what was received.
pub fn understand(enquiry: &StoredEnquiry, source: Option<&Source>) -> Understood {
    let map = source.map(|source| source.fields.clone()).unwrap_or_default();
    // A map that the rulebook let through is one.
    let map = FieldMap::new(map).unwrap_or_default();
    Enquiry {
        fields: enquiry.fields.clone(),
        received_at: enquiry.received_at,
        global_privacy_control: enquiry.gpc,
    }
    .understand(&map)
}

/// Adds a lead's enquiries to what it did: each is an interaction of kind `enquiry`.
pub fn with_enquiries(mut activity: Activity, lead: &Lead) -> Activity {
    for enquiry in &lead.enquiries {
        activity.add(enquiry.day, InteractionKind::enquiry(), InteractionId::hash8(&enquiry.id.to_string()));
    }
    activity
}

/// What a lead is worth now. Fit is judged on the enquiry that opened the cycle.
pub async fn judge(
    cloud: &Cloud,
    core: &Core,
    lead: &Lead,
    activity: Activity,
    now: Timestamp,
) -> Result<Judged, StoreError> {
    let opening = cloud.store.enquiry_get(lead.opening).await?;
    let facts = opening
        .map(|enquiry| understand(&enquiry, core.source(&lead.source)).fit_facts(&lead.source, &lead.offer))
        .unwrap_or_default();
    let activity = with_enquiries(activity, lead);
    Ok(Judged { score: score(&core.scoring, &facts, &activity, UtcDay::of(now)), activity })
}

impl Judged {
    /// What a lead remembers of it.
    pub fn state(&self, model: &ScoringModel, now: Timestamp) -> ScoreState {
        ScoreState {
            band: self.score.band,
            priority: self.score.priority,
            next_step: self.score.next_step,
            heat: heat_key(model, &self.activity).number(),
            model: model.version(),
            points: i64::try_from(self.score.total).unwrap_or(i64::MAX),
            at: now,
        }
    }

    /// How many interactions there are in all, enquiries included: an incentive's lead is nurtured until
    /// the second.
    pub fn interactions(&self) -> usize {
        self.activity.days().flat_map(|(_, day)| day.kinds().map(|(kind, _)| day.count(kind))).sum()
    }
}

/// The rules in force for a company.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The rulebook's core.
    pub core: Arc<Core>,
    /// The switches.
    pub switches: Switches,
}

/// The rules in force, read afresh; `None` when the company has no rulebook.
pub async fn in_force(cloud: &Cloud, company: &CompanyId) -> Result<Option<InForce>, StoreError> {
    let (pointer, switches) = cloud.store.in_force(company).await?;
    let Some(pointer) = pointer else { return Ok(None) };
    let core = cloud.rulebooks.core(&cloud.store, company, pointer.version).await?;
    Ok(core.map(|core| InForce { core, switches }))
}

/// A decision and all it was made on.
#[derive(Clone, Debug)]
pub struct Considered {
    /// The decision.
    pub decision: Decision,
    /// The counters it read.
    pub counters: Counters,
    /// The seed of its last tie-break.
    pub seed: u64,
}

/// Decides, as of now, who should have a lead.
pub async fn consider(
    cloud: &Cloud,
    in_force: &InForce,
    facts: &LeadFacts,
    now: Timestamp,
) -> Result<Considered, StoreError> {
    let core = &in_force.core;
    let chunks: Vec<Arc<Chunk>> =
        cloud.rulebooks.chunks(&cloud.store, core, &facts.category, facts.location.state()).await?;
    let screened = screen(facts, core, &chunks, &in_force.switches, now);
    let (contracts, dealers) = screened.counters_to_read();
    let counters = cloud.store.caps_get(core.company_id(), &contracts, &dealers).await?;
    // The same for a lead's cycle whenever it is decided: a hash breaks ties, not a moment.
    let seed = u64::from(facts.cycle);
    let decision = decide(&screened, &counters, now, seed);
    Ok(Considered { decision, counters, seed })
}
