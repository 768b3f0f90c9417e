//! Scoring: interactions become the lead's score and next step.
//!
//! An interaction is one `ADD` to a set: whatever order it arrives in, and however often, it counts
//! once. What a stranger did is kept with the visitor, and joined to the lead when an enquiry says who it was; what is
//! added at that very moment is added to both. After a batch's adds each lead touched is scored anew from its sets; the score is written on
//! condition that nobody changed the lead since before its sets were read, so that the last score
//! written has seen every interaction added before it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use leadyard_domain::delivery::OptedOutOf;
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::{CompanyId, LeadId, VisitorId};
use leadyard_domain::lead::{Lead, LeadScope, ScoreState, Stage};
use leadyard_domain::scoring::{
    Activity, Click, Interaction, InteractionId, InteractionKind, InteractionRef, MachineLimits, UNSUBSCRIBE,
};
use leadyard_domain::time::UtcDay;
use leadyard_platform::batch::{self, Handled, SqsBatchResponse, SqsEvent};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging;
use leadyard_platform::person::Sought;
use leadyard_platform::queues::{self, ByKey, InteractionOf, QueuedInteraction, QueuedMessage, ToScoring};
use leadyard_platform::store::{List, StoreError, Suppression, Visits};

/// Handles a batch: those that failed come again.
pub async fn handle(cloud: &Cloud, event: SqsEvent) -> SqsBatchResponse {
    let mut results = Vec::with_capacity(event.records.len());
    let mut touched: BTreeMap<LeadId, Vec<usize>> = BTreeMap::new();
    let (mut known, mut rules) = (HashMap::new(), Rules::default());
    for (at, message) in event.records.into_iter().enumerate() {
        let handled = match add(cloud, batch::body(&message), &mut known, &mut rules).await {
            Ok(Added { leads, failed }) => {
                for lead in leads {
                    touched.entry(lead).or_default().push(at);
                }
                match failed {
                    None => Handled::Done,
                    Some(error) => {
                        tracing::warn!(
                            error = &*error as &dyn std::error::Error,
                            "nobody could be opted out"
                        );
                        Handled::Failed
                    }
                }
            }
            Err(error) => {
                tracing::warn!(error = &*error as &dyn std::error::Error, "interactions could not be added");
                Handled::Failed
            }
        };
        results.push((message.message_id, handled));
    }
    for (lead, messages) in touched {
        if let Err(error) = rescore(cloud, lead, known.remove(&lead), &mut rules).await {
            tracing::warn!(error = &error as &dyn std::error::Error, lead.id = %lead, "the lead could not be scored");
            // Its interactions are in the sets; the message comes again for the score alone.
            for at in messages {
                if let Some((_, handled)) = results.get_mut(at) {
                    *handled = Handled::Failed;
                }
            }
        }
    }
    batch::response(results)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The rules in force as a batch found them: those that change during it are as if they had changed after it.
#[derive(Default)]
struct Rules(HashMap<CompanyId, Option<Arc<Core>>>);

impl Rules {
    async fn of(&mut self, cloud: &Cloud, company: &CompanyId) -> Result<Option<Arc<Core>>, StoreError> {
        if let Some(known) = self.0.get(company) {
            return Ok(known.clone());
        }
        let current = cloud.rulebooks.current(&cloud.store, company).await?;
        self.0.insert(company.clone(), current.clone());
        Ok(current)
    }
}

/// Leads of a batch as they were before anything was added to them: a score written on that has seen all of it.
type Before = HashMap<LeadId, Lead>;

/// Adds one message's interactions to their sets; the leads they belong to.
async fn add(cloud: &Cloud, body: &str, known: &mut Before, rules: &mut Rules) -> Result<Added, Failure> {
    let message: ToScoring = queues::read(body)?;
    let now = cloud.clock.now();
    if let Some(by) = &message.by_key
        && let Some(core) = rules.of(cloud, &message.company).await?
        && !lets_in(&core, by, now)
    {
        tracing::info!(
            company.id = %message.company, source.id = %by.source, interactions = message.interactions.len(),
            "interactions by a key that is void are not counted"
        );
        return Ok(Added { leads: Vec::new(), failed: None });
    }
    let mut sets: BTreeMap<(String, UtcDay), (Visits, Vec<Interaction>)> = BTreeMap::new();
    let (mut leads, mut unsubscribed) = (Vec::new(), Vec::new());
    let mut browsers = HashMap::new();
    for interaction in &message.interactions {
        let of = whose(cloud, &message.company, interaction, &mut browsers, known).await?;
        let lead = match of {
            Some(Visits::Lead(lead)) => Some(lead),
            Some(Visits::Visitor(..)) | None => None,
        };
        if is_unsubscribe(interaction) {
            unsubscribed.push((interaction, lead));
        }
        let (Some(of), Some(added)) = (of, read(interaction)) else { continue };
        leads.extend(lead);
        let day = UtcDay::of(interaction.at);
        let entry = sets.entry((format!("{of:?}"), day)).or_insert_with(|| (of, Vec::new()));
        entry.1.push(added);
    }
    for ((_, day), (of, interactions)) in sets {
        cloud.store.activity_add(&of, day, &interactions, now).await?;
        // Whoever was linked while this was added may have been joined before it stood there: then it is added to
        // the lead as well, which is doing it once. Who is linked after this read is joined after this add.
        if let Visits::Visitor(company, visitor) = &of
            && let Browser::Of(lead) = browser(cloud, company, *visitor, known).await?
        {
            cloud.store.activity_add(&Visits::Lead(lead), day, &interactions, now).await?;
            leads.push(lead);
        }
    }
    leads.sort_unstable();
    leads.dedup();
    let mut failed = None;
    for (interaction, lead) in unsubscribed {
        let done = Box::pin(opt_out(cloud, &message, interaction, lead, rules)).await;
        failed = failed.or(done.err());
    }
    Ok(Added { leads, failed })
}

/// Whether a key still lets in.
fn lets_in(core: &Core, by: &ByKey, now: Timestamp) -> bool {
    core.source(&by.source).is_some_and(|source| source.lets_in(by.generation, core.today(now)))
}

/// What a message's interactions came to: whoever could not be opted out keeps nobody else's from being scored.
struct Added {
    leads: Vec<LeadId>,
    failed: Option<Failure>,
}

/// Whether somebody is reported to want no more mail. A page names only its visitor, and may not opt anybody out.
fn is_unsubscribe(interaction: &QueuedInteraction) -> bool {
    interaction.kind == UNSUBSCRIBE && !matches!(interaction.of, InteractionOf::Visitor(_))
}

/// Opts out whoever is reported to want no more mail; `lead` is theirs, if they have one.
async fn opt_out(
    cloud: &Cloud,
    message: &ToScoring,
    interaction: &QueuedInteraction,
    lead: Option<LeadId>,
    rules: &mut Rules,
) -> Result<(), Failure> {
    let company = &message.company;
    let core = rules.of(cloud, company).await?;
    let limits = core.map_or_else(MachineLimits::default, |core| core.screening.interactions);
    if is_a_machine_s(cloud, message, interaction, lead, &limits).await? {
        tracing::info!(company.id = %company, "a machine that follows every link opts nobody out");
        return Ok(());
    }
    if let InteractionOf::Identity(hash) = &interaction.of {
        // Whoever has no lead, or one of another offer, wants no mail either. An e-mail that several use is listed as
        // when the desk opts it out; a phone that several use would keep out whoever never asked for that.
        if !interaction.by_phone || cloud.is_one_persons(company, hash).await? {
            let on = Suppression::On(Some(UNSUBSCRIBE));
            cloud.store.identity_list(List::Suppressed, hash, on, cloud.clock.now()).await?;
        }
    }
    // Once more, now that they are listed: one that was kept meanwhile did not find them there.
    let theirs = whose(cloud, company, interaction, &mut HashMap::new(), &mut Before::new()).await?;
    if let Some(Visits::Lead(lead)) = theirs {
        let sought = Sought { leads: [lead].into(), ..Sought::default() };
        Box::pin(cloud.opt_out(company, &sought, OptedOutOf::Mail, UNSUBSCRIBE)).await?;
    }
    Ok(())
}

/// Whether an interaction is a machine's doing: scanners of mail follow every link, the one that ends it too. By what has
/// come until now. Where the clicks of the same burst come later, it has opted somebody out, and stays so: a mail too few
/// costs less than one to who wants none. Of whoever has no lead nothing is kept, and their post is all that is known.
async fn is_a_machine_s(
    cloud: &Cloud,
    message: &ToScoring,
    interaction: &QueuedInteraction,
    lead: Option<LeadId>,
    limits: &MachineLimits,
) -> Result<bool, StoreError> {
    let kept = match lead {
        Some(lead) => cloud.store.lead_with_activity(lead).await?,
        None => None,
    };
    let mut activity = kept.map_or_else(Activity::new, |(_, activity)| activity);
    for other in message.interactions.iter().filter(|other| other.of == interaction.of) {
        if let Some(done) = read(other) {
            activity.take(UtcDay::of(other.at), &done);
        }
    }
    let (day, id) = (UtcDay::of(interaction.at), InteractionId::from_bytes(interaction.id));
    Ok(activity.sign(InteractionRef { day, id }, limits).is_some())
}

/// Whose interaction this is, a merged lead's being the survivor's; nobody's, where a hash is of no one we know: a stranger's e-mail leaves
/// no trace.
async fn whose(
    cloud: &Cloud,
    company: &CompanyId,
    interaction: &QueuedInteraction,
    browsers: &mut HashMap<VisitorId, Browser>,
    known: &mut Before,
) -> Result<Option<Visits>, StoreError> {
    match &interaction.of {
        InteractionOf::Lead(lead) => {
            let lead = cloud.store.lead_surviving(*lead).await?;
            let lead = lead.filter(|lead| &lead.company == company && !lead.is_erased());
            Ok(lead.map(|lead| {
                let id = lead.id;
                known.insert(id, lead);
                Visits::Lead(id)
            }))
        }
        InteractionOf::Visitor(visitor) => {
            // A page sends at once what one visitor did: whose it is, is asked once.
            let browser = match browsers.get(visitor) {
                Some(browser) => *browser,
                None => *browsers.entry(*visitor).or_insert(browser(cloud, company, *visitor, known).await?),
            };
            Ok(match browser {
                Browser::Unknown => Some(Visits::Visitor(company.clone(), *visitor)),
                Browser::Of(lead) => Some(Visits::Lead(lead)),
                Browser::OfErased => None,
            })
        }
        InteractionOf::Identity(hash) => {
            let mut leads = Vec::new();
            let identified = cloud.store.identity_scopes(hash).await?;
            // What identifies nobody says of nobody what they did.
            for identified in identified.into_iter().filter(|one| !one.is_worn_out()) {
                let lead = cloud.store.lead_surviving(identified.lead).await?;
                leads.extend(lead.filter(|lead| !lead.is_erased()));
            }
            Ok(latest(leads, interaction).map(|lead| Visits::Lead(lead.id)))
        }
    }
}

/// As it is added to its day; nothing, if a later version knows its kind.
fn read(queued: &QueuedInteraction) -> Option<Interaction> {
    const DAY_S: i64 = 86_400;
    let id = InteractionId::from_bytes(queued.id);
    let at_s = queued.at.as_second().rem_euclid(DAY_S) as u32;
    let click = queued.message.map(|QueuedMessage { id: message, after_s, link, links }| {
        (message, Click { at_s, id, after_s, link, links })
    });
    let kind = InteractionKind::new(&queued.kind).ok()?;
    Some(Interaction { kind, id, by_scanner: queued.by_scanner, click })
}

/// Whose browser it is.
#[derive(Clone, Copy)]
enum Browser {
    /// Nobody's that we know yet.
    Unknown,
    /// This lead's; of one that was merged, the survivor's.
    Of(LeadId),
    /// An erased person's: what it goes on doing is nobody's.
    OfErased,
}

async fn browser(
    cloud: &Cloud,
    company: &CompanyId,
    visitor: VisitorId,
    known: &mut Before,
) -> Result<Browser, StoreError> {
    let Some(linked) = cloud.store.visitor_lead(company, visitor).await? else { return Ok(Browser::Unknown) };
    Ok(match cloud.store.lead_surviving(linked).await? {
        Some(lead) if lead.is_erased() => Browser::OfErased,
        Some(lead) => {
            let id = lead.id;
            known.insert(id, lead);
            Browser::Of(id)
        }
        None => Browser::Of(linked),
    })
}

/// The lead an interaction of a person means: that of its offer; else the latest open one; else the
/// latest.
fn latest(mut leads: Vec<Lead>, interaction: &QueuedInteraction) -> Option<Lead> {
    if let Some(offer) = &interaction.offer {
        let own = LeadScope::Offer(offer.clone());
        leads.retain(|lead| lead.scope == own || lead.offer == *offer);
    }
    leads.into_iter().max_by_key(|lead| (!lead.stage.closed(), lead.last_enquiry_at, lead.id))
}

/// Scores a lead (of one that was merged meanwhile, the survivor) from its sets, and sends it to distribution when it is
/// nurtured or waits for its band. `before` is the lead as it was before the sets are read; read again if somebody
/// changed it since.
async fn rescore(
    cloud: &Cloud,
    id: LeadId,
    mut before: Option<Lead>,
    rules: &mut Rules,
) -> Result<(), StoreError> {
    const ROUNDS: usize = 10;
    for _ in 0..ROUNDS {
        let (mut lead, activity) = match before.take() {
            Some(lead) => {
                let activity = cloud.store.activity_of_lead(&lead).await?;
                (lead, activity)
            }
            None => match cloud.store.lead_with_activity(id).await? {
                Some(read) => read,
                None => return Ok(()),
            },
        };
        if lead.is_erased() {
            return Ok(());
        }
        let now = cloud.clock.now();
        let Some(core) = rules.of(cloud, &lead.company).await? else {
            // No rules, no score. The lead is written all the same: one that nobody wrote did nothing.
            if cloud.store.lead_save(&lead).await? {
                return Ok(());
            }
            continue;
        };
        let judged = judging::judge(cloud, &core, &lead, activity, now).await?;
        let scored = judged.state(&core.scoring, now);
        let before = lead.score.replace(scored.clone());
        let did = rose(before.as_ref(), &scored);
        let hotter = before.as_ref().is_some_and(|before| before.heat < scored.heat);
        let crossed = before.is_none_or(|before| before.band != judged.score.band);
        let wakes = match lead.stage {
            // Distribution decides, and does nothing twice in a cycle: below its band there is nothing to decide.
            Stage::Nurturing => judged.is_ready(&core, &lead.offer),
            Stage::Waiting => crossed,
            Stage::Received
            | Stage::Quarantined
            | Stage::Assigned
            | Stage::Won
            | Stage::Lost
            | Stage::Expired
            | Stage::Rejected => false,
        };
        if wakes || hotter && may_be_passed_over(cloud, &lead).await? {
            lead.due = Some(now);
        }
        if !wakes
            && did
            && matches!(lead.stage, Stage::Nurturing | Stage::Lost | Stage::Expired | Stage::Waiting)
        {
            // First, so that a message that comes again finds it done: by then the score has risen already.
            cloud.follow_up(&lead, &core, true).await?;
        }
        if cloud.store.lead_save(&lead).await? {
            if wakes {
                send(cloud, &lead).await;
            }
            return Ok(());
        }
        tokio::time::sleep(cloud.entropy.between_ms(5, 50)).await;
    }
    Err(StoreError::Contended)
}

/// Whether a lead that waits and stands higher by now may be passed over, where everybody who waits is looked at since
/// the rules or a switch changed: from the best downwards, run after run, and it may have come before whoever was the
/// last. A read, of those who wait alone.
async fn may_be_passed_over(cloud: &Cloud, lead: &Lead) -> Result<bool, StoreError> {
    if lead.stage != Stage::Waiting {
        return Ok(false);
    }
    let wake = cloud.store.wake_get(&lead.company, &lead.category).await?;
    Ok(wake.is_some_and(|wake| wake.everybody()))
}

/// Whether a lead did something that counts: more than what was known of it by the same model.
fn rose(before: Option<&ScoreState>, now: &ScoreState) -> bool {
    before.is_none_or(|before| before.model == now.model && before.heat < now.heat)
}

/// Best effort: the due index is the truth.
async fn send(cloud: &Cloud, lead: &Lead) {
    if let Err(error) = cloud.queues.lead_to_distribution(lead.company.as_str(), lead.id).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "distribution is left to the sweep");
    }
}
