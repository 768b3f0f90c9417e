//! What more than one function asks of a lead: what it is worth, and who should have it. Reads the
//! store, decides purely, writes nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::backtest::history::Read;
use leadyard_domain::distribution::{
    Chunk, ChunkKey, Compiled, Conclusion, Core, Counters, Decision, Evidence, Judged as Candidate,
    LeadFacts, Placing, Rule, Screened, Switches, Takers, decide, explain, place, screen, takers,
};
use leadyard_domain::enquiry::{Enquiry, Understood};
use leadyard_domain::error::Invalid;
use leadyard_domain::ids::{
    AssignmentId, CompanyId, ContractId, DealerId, DecisionId, EnquiryId, OfferId, SourceId,
};
use leadyard_domain::lead::{Lead, ScoreState};
use leadyard_domain::limits;
use leadyard_domain::place::VERSION as PLACES;
use leadyard_domain::report::Asked;
use leadyard_domain::rulebook::Source;
use leadyard_domain::scoring::{
    Activity, InteractionId, InteractionKind, NextStep, Score, ScoringModel, heat_key, score,
};
use leadyard_domain::time::{self, UtcDay};

use crate::cloud::Cloud;
use crate::known::KnownCounters;
use crate::store::{DecisionRecord, StoreError, StoredEnquiry};

/// A lead's score with what it is made of.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The score, explained.
    pub score: Score,
    /// What the lead did, its enquiries included; what a machine did is revoked in it.
    pub activity: Activity,
}

/// A stored enquiry, understood again by its source's map: what is kept is what was received. What was agreed to
/// is as it was understood then.
pub fn understand(enquiry: &StoredEnquiry, source: Option<&Source>) -> Understood {
    let map = source.map(Source::map).unwrap_or_default();
    let arrived = Enquiry {
        fields: enquiry.meant().clone(),
        received_at: enquiry.received_at,
        global_privacy_control: enquiry.gpc,
        ip: None,
    };
    let mut understood = arrived.understand(&map);
    if let Some(kept) = &enquiry.consent {
        understood.consent = kept.consent(&enquiry.fields, enquiry.received_at);
    }
    understood
}

/// Adds a lead's enquiries to what it did: each is an interaction of kind `enquiry`.
pub fn with_enquiries(mut activity: Activity, lead: &Lead) -> Activity {
    for enquiry in &lead.enquiries {
        activity.add(enquiry.day, InteractionKind::enquiry(), InteractionId::hash8(&enquiry.id.to_string()));
    }
    activity
}

/// The enquiry that opened a lead's cycle, completed by the further steps of its form: those that came soon after
/// it from the same source. With `before`, as it was before that enquiry came. `None` when it is not kept any more.
pub async fn opening(
    cloud: &Cloud,
    source: Option<&Source>,
    lead: &Lead,
    before: Option<EnquiryId>,
) -> Result<Option<Understood>, StoreError> {
    let earlier = |id: &EnquiryId| before.is_none_or(|before| *id < before);
    let steps: Vec<EnquiryId> = lead.form_steps().filter(earlier).collect();
    let Some(first) = cloud.store.enquiry_get(lead.opening).await? else { return Ok(None) };
    let steps = if steps.is_empty() { Vec::new() } else { cloud.store.enquiries_get(&steps).await? };
    Ok(Some(completed(source, &first, &steps.iter().collect::<Vec<_>>())))
}

/// An enquiry, completed by further steps of its form.
fn completed(source: Option<&Source>, first: &StoredEnquiry, steps: &[&StoredEnquiry]) -> Understood {
    let mut whole = understand(first, source);
    // One of a lead that was merged into this one is another request.
    let mut steps: Vec<&&StoredEnquiry> =
        steps.iter().filter(|step| step.source == first.source && step.lead == first.lead).collect();
    steps.sort_by_key(|step| (step.received_at, step.id));
    for step in steps {
        whole.complete(&understand(step, source));
    }
    whole
}

/// What opened the cycle that a seat is of.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Who sent it.
    pub source: SourceId,
    /// When it arrived.
    pub received_at: Timestamp,
    /// What it asked for, if that was kept with it.
    pub asked: Option<Asked>,
    /// As [`opening`] has it.
    pub understood: Understood,
}

/// A lead as it was sold with a seat.
#[derive(Clone, Debug)]
pub struct Sold<'a> {
    /// As it was in the seat's cycle: since then it may have been asked for anew, by another source and for another offer, and
    /// be somebody else's.
    pub lead: Cow<'a, Lead>,
    /// What opened that cycle, if it is kept.
    pub understood: Option<Understood>,
    /// Whether it is known what was asked for: not of an earlier cycle whose enquiry stands nowhere any more. The offer, source
    /// and times of the lead are another's then.
    pub is_known: bool,
}

impl<'a> Sold<'a> {
    /// By what [`openings_of_seats`] found.
    pub fn of(lead: &'a Lead, seat: &Assignment, opening: Option<&Opening>) -> Self {
        let then = (lead.cycle != seat.cycle).then(|| {
            let then = Lead { person: lead.person_in(seat.cycle_of()).clone(), ..lead.clone() };
            let Some(opening) = opening else { return then };
            let asked = opening.asked.clone().unwrap_or_default();
            Lead {
                source: opening.source.clone(),
                opened_at: opening.received_at,
                offer: asked.offer.unwrap_or_else(|| lead.offer.clone()),
                campaign: asked.campaign,
                ..then
            }
        });
        Self {
            lead: then.map_or(Cow::Borrowed(lead), Cow::Owned),
            understood: opening.map(|opening| opening.understood.clone()),
            is_known: opening.is_some() || lead.cycle == seat.cycle,
        }
    }
}

/// A lead as it was sold with a seat. One read where that is the lead's cycle.
pub async fn sold<'a>(
    cloud: &Cloud,
    core: Option<&Core>,
    lead: &'a Lead,
    seat: &Assignment,
) -> Result<Sold<'a>, StoreError> {
    if lead.cycle == seat.cycle {
        let source = core.and_then(|core| core.source(&lead.source));
        let understood = opening(cloud, source, lead, None).await?;
        return Ok(Sold { lead: Cow::Borrowed(lead), understood, is_known: true });
    }
    let openings = openings_of_seats(cloud, core, &[(lead, seat)]).await?;
    Ok(Sold::of(lead, seat, openings.get(&seat.id)))
}

/// The enquiries that opened the cycles of these seats of leads, whichever cycle that is; read at once.
pub async fn openings_of_seats(
    cloud: &Cloud,
    core: Option<&Core>,
    seats: &[(&Lead, &Assignment)],
) -> Result<HashMap<AssignmentId, Opening>, StoreError> {
    // A seat of an earlier cycle was sold with another enquiry than the lead's last; its steps are told by nothing, and
    // of one that was sold elsewhere nor is the enquiry itself.
    let wanted = |(lead, seat): &(&Lead, &Assignment)| {
        let first = seat.enquiry.or_else(|| (seat.cycle == lead.cycle).then_some(lead.opening))?;
        let steps: Vec<EnquiryId> =
            if first == lead.opening { lead.form_steps().collect() } else { Vec::new() };
        Some((first, steps))
    };
    let ids: BTreeSet<EnquiryId> =
        seats.iter().filter_map(wanted).flat_map(|(first, steps)| steps.into_iter().chain([first])).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let read = cloud.store.enquiries_get(&ids.into_iter().collect::<Vec<_>>()).await?;
    let known: HashMap<EnquiryId, StoredEnquiry> = read.into_iter().map(|one| (one.id, one)).collect();
    let opened = seats.iter().filter_map(|seat| {
        let (first, steps) = wanted(seat)?;
        let first = known.get(&first)?;
        let steps: Vec<&StoredEnquiry> = steps.iter().filter_map(|step| known.get(step)).collect();
        let source = core.and_then(|core| core.source(&first.source));
        let opening = Opening {
            source: first.source.clone(),
            received_at: first.received_at,
            asked: first.asked.clone(),
            understood: completed(source, first, &steps),
        };
        Some((seat.1.id, opening))
    });
    Ok(opened.collect())
}

/// What a lead is worth now. Fit is judged on the enquiry that opened the cycle, all its steps together.
pub async fn judge(
    cloud: &Cloud,
    core: &Core,
    lead: &Lead,
    activity: Activity,
    now: Timestamp,
) -> Result<Judged, StoreError> {
    let opening = opening(cloud, core.source(&lead.source), lead, None).await?;
    Ok(judge_by(core, lead, opening.as_ref(), activity, now))
}

/// The same with what opened the cycle at hand: see [`opening`].
pub fn judge_by(
    core: &Core,
    lead: &Lead,
    opening: Option<&Understood>,
    activity: Activity,
    now: Timestamp,
) -> Judged {
    let by = core.company.attribution;
    let facts = opening.map(|opening| opening.fit_facts(&lead.source, &lead.offer, by)).unwrap_or_default();
    let activity = with_enquiries(activity, lead).judged(&core.screening.interactions);
    Judged { score: score(&core.scoring, &facts, &activity, UtcDay::of(now)), activity }
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

    /// Whether its lead may be sold: its band reaches the offer's, its next step is to pitch, and an incentive's lead
    /// has shown itself twice.
    pub fn is_ready(&self, core: &Core, offer: &OfferId) -> bool {
        const INTERACTIONS_OF_AN_INCENTIVE: usize = 2;
        // An offer that left the rulebook asks for no band: the decision says that nobody takes it.
        let Some(offer) = core.offer(offer) else { return true };
        self.score.band.meets(offer.min_band)
            && self.score.next_step == NextStep::Pitch
            && (!offer.incentive || self.interactions() >= INTERACTIONS_OF_AN_INCENTIVE)
    }

    /// How many interactions there are in all, enquiries included: an incentive's lead is nurtured until
    /// the second.
    pub fn interactions(&self) -> usize {
        self.activity.days().flat_map(|(_, day)| day.kinds().map(|(kind, _)| day.count(kind))).sum()
    }
}

/// The version of the rules of decision, as recorded with each. The second to the fourth shared by the smallest pass
/// alone: where whose turn it is comes out otherwise, it is said ([`Repeated::as_recorded`]).
const ALGORITHM: u16 = 5;
/// Since which version what a decision read is read as it was.
const READS_AS_SINCE: u16 = 2;

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
    /// The counters it read, of those who get a seat or are recommended at least.
    pub counters: Counters,
    /// All that it read, and the switches, as they are kept with it.
    pub evidence: Evidence,
    /// The seed of its last tie-break.
    pub seed: u64,
}

impl Considered {
    /// The record that is kept of it; `placed` is whom the desk gave the lead instead.
    pub fn record(
        &self,
        id: DecisionId,
        at: Timestamp,
        facts: &LeadFacts,
        rulebook: u64,
        placed: Option<&ContractId>,
    ) -> Result<DecisionRecord, StoreError> {
        let (waiting, until, seats) = match &self.decision.conclusion {
            Conclusion::Assign(seats) => (None, None, seats),
            Conclusion::Wait { reason, until, recommended } => (Some(*reason), *until, recommended),
        };
        let conclusion = match waiting {
            None => "assigned".to_owned(),
            Some(reason) => format!("waiting:{reason}"),
        };
        let counts = Rule::ALL.iter().zip(self.decision.failed).filter(|(_, count)| *count > 0);
        let counters = seats.iter().filter_map(|seat| {
            let usage = self.counters.contracts.get(&seat.contract)?;
            // Of periods that are over nothing counts any more.
            let counts = usage.used.iter().zip(seat.reservation.starts);
            let counted =
                counts.map(|(used, start)| used.map_or(0, |(at, used)| if at < start { 0 } else { used }));
            let used: Vec<u32> = counted.collect();
            Some((seat.contract.to_string(), format!("{used:?} pass {}", usage.pass)))
        });
        let evidence = DecisionRecord::kept_evidence(&self.evidence)?;
        if evidence.is_none() {
            tracing::warn!(
                decision.id = %id, limit = limits::EVIDENCE_BYTES,
                "a decision read more counters than are kept with it: it cannot be made again"
            );
        }
        DecisionRecord {
            id,
            at,
            facts: facts.clone(),
            rulebook,
            algorithm: ALGORITHM,
            places: PLACES.to_owned(),
            zones: time::zones_version().to_owned(),
            seed: self.seed,
            conclusion,
            waiting,
            until,
            kept: self.decision.kept,
            contracts: seats.iter().map(|seat| seat.contract.clone()).collect(),
            placed: placed.cloned(),
            failed: counts.map(|(rule, count)| (rule.to_string(), count)).collect(),
            near_misses: self.decision.near_misses.clone(),
            counters: counters.collect(),
            evidence: evidence.unwrap_or_default(),
            digest: String::new(),
            given: Vec::new(),
            seal: Default::default(),
        }
        .sealed()
    }
}

/// Decides, as of now, who should have a lead.
pub async fn consider(
    cloud: &Cloud,
    in_force: &InForce,
    facts: &LeadFacts,
    now: Timestamp,
) -> Result<Considered, StoreError> {
    consider_by(cloud, in_force, facts, &mut KnownCounters::default(), now).await
}

/// The same by counters that are known already; those that are not are read.
pub async fn consider_by(
    cloud: &Cloud,
    in_force: &InForce,
    facts: &LeadFacts,
    known: &mut KnownCounters,
    now: Timestamp,
) -> Result<Considered, StoreError> {
    let core = &in_force.core;
    let chunks: Vec<Arc<Chunk>> =
        cloud.rulebooks.chunks(&cloud.store, core, &facts.category, facts.location.state()).await?;
    let screened = screen(facts, core, &chunks, &in_force.switches, now);
    let (contracts, dealers) = screened.counters_to_read();
    let counters = known.read(&cloud.store, core.company_id(), &contracts, &dealers).await?;
    // The same for a lead's cycle whenever it is decided: a hash breaks ties, not a moment.
    let seed = u64::from(facts.cycle);
    let decision = decide(&screened, counters, now, seed);
    let evidence = Evidence::of_decision(&screened, counters, (now, seed), limits::EVIDENCE_WHOLE_BYTES);
    let (Conclusion::Assign(seats) | Conclusion::Wait { recommended: seats, .. }) = &decision.conclusion;
    let counters = counters.of(seats.iter().map(|seat| (&seat.contract, &seat.dealer)));
    Ok(Considered { decision, counters, evidence, seed })
}

/// Whose counters a decision on a lead reads.
///
/// # Errors
/// When the rulebook cannot be read.
pub async fn counters_of_interest(
    cloud: &Cloud,
    in_force: &InForce,
    facts: &LeadFacts,
    now: Timestamp,
) -> Result<(Vec<ContractId>, Vec<DealerId>), StoreError> {
    let core = &in_force.core;
    let chunks: Vec<Arc<Chunk>> =
        cloud.rulebooks.chunks(&cloud.store, core, &facts.category, facts.location.state()).await?;
    Ok(screen(facts, core, &chunks, &in_force.switches, now).counters_to_read())
}

/// What placing a lead with a contract by hand would come to, and what it was judged on, by counters that are known
/// already (those that are not are read); `None` when the rulebook has no such contract in the lead's category.
///
/// # Errors
/// When the table cannot be read.
pub async fn placing(
    cloud: &Cloud,
    in_force: &InForce,
    facts: &LeadFacts,
    contract: &ContractId,
    known: &mut KnownCounters,
    now: Timestamp,
) -> Result<Option<(Placing, Considered)>, StoreError> {
    let core = &in_force.core;
    let chunks: Vec<Arc<Chunk>> =
        cloud.rulebooks.chunks(&cloud.store, core, &facts.category, facts.location.state()).await?;
    let mut elsewhere = None;
    if !chunks.iter().any(|chunk| chunk.takes_offer(contract, &facts.offer).is_some()) {
        for key in core.chunks_of(&facts.category) {
            let chunk = cloud.rulebooks.chunk(&cloud.store, core, key).await?;
            elsewhere = chunk.filter(|chunk| chunk.takes_offer(contract, &facts.offer).is_some());
            if elsewhere.is_some() {
                break;
            }
        }
    }
    let screened = screen(facts, core, &chunks, &in_force.switches, now);
    let (mut contracts, mut dealers) = screened.counters_to_read();
    let mut with_it = screened.clone();
    for chunk in elsewhere.iter().chain(&chunks) {
        with_it.also(chunk, contract, now);
    }
    let Some((own, dealer)) = with_it.counters_of(contract) else { return Ok(None) };
    contracts.extend(Some(own).filter(|own| !contracts.contains(own)));
    dealers.extend(Some(dealer).filter(|dealer| !dealers.contains(dealer)));
    let counters = known.read(&cloud.store, core.company_id(), &contracts, &dealers).await?;
    let seed = u64::from(facts.cycle);
    let placing = place(&with_it, counters, now, seed, contract);
    // What distribution would have done is recorded beside what the desk does.
    let decision = decide(&screened, counters, now, seed);
    let evidence = Evidence::of_decision(&screened, counters, (now, seed), limits::EVIDENCE_WHOLE_BYTES);
    let counters = counters.clone();
    Ok(placing.map(|placing| (placing, Considered { decision, counters, evidence, seed })))
}

/// A decision with every candidate's part in it.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The decision.
    pub considered: Considered,
    /// Everybody whose area covers the lead, and the first rule each failed.
    pub candidates: Vec<Candidate>,
}

/// Who may have a lead that waits, counters and hours included.
///
/// # Errors
/// When the rulebook or the counters cannot be read.
pub async fn who_may_have(
    cloud: &Cloud,
    in_force: &InForce,
    facts: &LeadFacts,
    known: &mut KnownCounters,
    now: Timestamp,
) -> Result<Takers, StoreError> {
    let core = &in_force.core;
    let chunks: Vec<Arc<Chunk>> =
        cloud.rulebooks.chunks(&cloud.store, core, &facts.category, facts.location.state()).await?;
    let screened = screen(facts, core, &chunks, &in_force.switches, now);
    let (contracts, dealers) = screened.counters_to_read();
    let counters = known.read(&cloud.store, core.company_id(), &contracts, &dealers).await?;
    Ok(takers(&screened, counters, now, u64::from(facts.cycle)))
}

/// What distribution would decide of a lead now, explained. Nothing is written.
///
/// # Errors
/// When the table cannot be read.
pub async fn preview(
    cloud: &Cloud,
    in_force: &InForce,
    facts: &LeadFacts,
    now: Timestamp,
) -> Result<Explained, StoreError> {
    let core = &in_force.core;
    let chunks: Vec<Arc<Chunk>> =
        cloud.rulebooks.chunks(&cloud.store, core, &facts.category, facts.location.state()).await?;
    let screened = screen(facts, core, &chunks, &in_force.switches, now);
    // Everybody's: what would have been otherwise is asked of those who failed, too.
    let (contracts, dealers) = screened.all_counters();
    let mut counters = cloud.store.caps_get(core.company_id(), &contracts, &dealers).await?;
    for contract in contracts {
        counters.contracts.entry(contract).or_default();
    }
    for dealer in dealers {
        counters.dealers.entry(dealer).or_default();
    }
    Ok(explained(&screened, counters, now, u64::from(facts.cycle)))
}

/// A recorded decision, made again.
#[derive(Clone, Debug)]
pub struct Repeated {
    /// With every candidate's part in it.
    pub explained: Explained,
    /// It concludes what was recorded. It may not where places, time zones or the rules of decision have changed
    /// since.
    pub as_recorded: bool,
}

/// What a recorded decision stood on, as far as it is kept.
struct Recalled {
    core: Arc<Core>,
    chunks: Vec<Arc<Chunk>>,
    evidence: Evidence,
}

async fn recall(
    cloud: &Cloud,
    company: &CompanyId,
    record: &DecisionRecord,
) -> Result<Option<Recalled>, StoreError> {
    let Some(evidence) = evidence_of(record)? else { return Ok(None) };
    let Some(core) = cloud.rulebooks.core(&cloud.store, company, record.rulebook).await? else {
        return Ok(None);
    };
    let facts = &record.facts;
    let chunks: Vec<Arc<Chunk>> =
        cloud.rulebooks.chunks(&cloud.store, &core, &facts.category, facts.location.state()).await?;
    Ok(Some(Recalled { core, chunks, evidence }))
}

/// What a record keeps of what was read, if this version can make its decision again.
fn evidence_of(record: &DecisionRecord) -> Result<Option<Evidence>, StoreError> {
    if !record.is_intact()? {
        return Err(StoreError::damaged("decision", Invalid::new("its digest is that of another record")));
    }
    // The evidence of one made by earlier rules of decision reads otherwise.
    if !(READS_AS_SINCE..=ALGORITHM).contains(&record.algorithm) {
        return Ok(None);
    }
    record.evidence()
}

/// A recorded decision, made again from its record and the rulebook it names; `None` when one of them
/// is not kept.
///
/// # Errors
/// When the table cannot be read, or the record is damaged.
pub async fn repeat(
    cloud: &Cloud,
    company: &CompanyId,
    record: &DecisionRecord,
) -> Result<Option<Repeated>, StoreError> {
    let Some(Recalled { core, chunks, evidence }) = recall(cloud, company, record).await? else {
        return Ok(None);
    };
    let switches = evidence.switches();
    let screened = screen(&record.facts, &core, &chunks, &switches, record.at);
    let counters = evidence.counters(&screened, record.at);
    let mut explained = explained(&screened, counters, record.at, record.seed);
    explained.considered.evidence = evidence;
    let concluded = &explained.considered.decision.conclusion;
    let (waiting, seats) = match concluded {
        Conclusion::Assign(seats) => (None, seats),
        Conclusion::Wait { reason, recommended, .. } => (Some(*reason), recommended),
    };
    let as_recorded =
        waiting == record.waiting && seats.iter().map(|seat| &seat.contract).eq(&record.contracts);
    Ok(Some(Repeated { explained, as_recorded }))
}

/// The switches and counters that a recorded decision read, by name; `None` when they are not kept.
///
/// # Errors
/// When the table cannot be read, or the record is damaged.
pub async fn what_was_read(
    cloud: &Cloud,
    company: &CompanyId,
    record: &DecisionRecord,
) -> Result<Option<(Switches, Read)>, StoreError> {
    let Some(Recalled { core, chunks, evidence }) = recall(cloud, company, record).await? else {
        return Ok(None);
    };
    Ok(Some(read_by(record, &evidence, (&core, &chunks))))
}

fn read_by(
    record: &DecisionRecord,
    evidence: &Evidence,
    (core, chunks): (&Core, &[Arc<Chunk>]),
) -> (Switches, Read) {
    let switches = evidence.switches();
    let screened = screen(&record.facts, core, chunks, &switches, record.at);
    let counters = evidence.counters(&screened, record.at);
    let (contracts, dealers) = screened.counters_to_read();
    let read = Read {
        without_results: !evidence.has_results(),
        as_asked: evidence.is_as_asked(),
        ..Read::of(&contracts, &dealers, &counters)
    };
    (switches, read)
}

/// All rules of one version, for who looks at many decisions that were made under it: no chunk is read by itself.
#[derive(Debug)]
pub struct Rules {
    core: Core,
    chunks: BTreeMap<ChunkKey, Arc<Chunk>>,
}

impl From<Compiled> for Rules {
    fn from(compiled: Compiled) -> Self {
        let chunks = compiled.chunks.into_iter().map(|(key, chunk)| (key, Arc::new(chunk)));
        Self { core: compiled.core, chunks: chunks.collect() }
    }
}

impl Rules {
    /// Which version.
    pub const fn version(&self) -> u64 {
        self.core.version
    }

    /// As [`what_was_read`], of a decision that was made under these rules.
    ///
    /// # Errors
    /// When the record is damaged.
    pub fn what_was_read(&self, record: &DecisionRecord) -> Result<Option<(Switches, Read)>, StoreError> {
        let Some(evidence) = evidence_of(record)? else { return Ok(None) };
        let facts = &record.facts;
        let keys = self.core.chunks_for(&facts.category, facts.location.state());
        let chunks: Vec<Arc<Chunk>> = keys.iter().filter_map(|key| self.chunks.get(key).cloned()).collect();
        Ok(Some(read_by(record, &evidence, (&self.core, &chunks))))
    }
}

fn explained(screened: &Screened<'_>, counters: Counters, now: Timestamp, seed: u64) -> Explained {
    let (decision, candidates) = explain(screened, &counters, now, seed);
    let evidence = Evidence::of(screened, &counters, now);
    Explained { considered: Considered { decision, counters, evidence, seed }, candidates }
}
