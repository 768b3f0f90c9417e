//! Sweep: whatever time alone has made due.
//!
//! The queues are the fast path; the due index is the truth. An overdue item is claimed by moving its
//! due time forward, conditionally, and then put on its queue: a lost message, a crash between two
//! effects or an emptied queue delays a lead by a sweep, and never loses it.
//!
//! Erasures, follow-ups, publishes that are watched and what matters of a company now have no queue: all their work is at
//! the table. A follow-up whose time has come is put into its company's list of the day, a read and a write, and whoever
//! calls comes to the list; a queue would carry it no further, and an earlier version would not know its messages.

pub mod synthetic;

use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::ids::{CompanyId, LeadId};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::metrics::Metric;
use leadyard_platform::now;
use leadyard_platform::queues::{QueueError, ToDelivery, ToSpill};
use leadyard_platform::store::keys::{self, DueKey};
use leadyard_platform::store::{Claimed, DueItem, StoreError};
use tokio::time::timeout;

/// Items of one shard looked at in one sweep: what is more is next minute's.
const PAGE: i32 = 100;
/// How far a claim moves the due time: long enough for a queue to do its work, short enough to be
/// missed by nobody.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Items claimed and queued.
    pub queued: usize,
    /// Items claimed whose queue did not take them: due again when the claim ends.
    pub refused: usize,
    /// Some shard had more than a page.
    pub more: bool,
}

/// How long one erasure may take of a sweep, where so much is left of its time.
const ERASURE_TAKES: Duration = Duration::from_secs(20);

/// How long follow-ups may take of a sweep, and how many at once: what is not done is due again when its claim ends.
const FOLLOW_UPS_TAKE: Duration = Duration::from_secs(20);
const FOLLOW_UPS_AT_ONCE: usize = 8;

/// How long one watched publish may take of a sweep: to roll back a hundred thousand contracts is to copy some 30 MB.
const WATCH_TAKES: Duration = Duration::from_secs(20);

/// How long counting what matters of companies now may take of a sweep, and of one of them: what is not done is due again
/// when its claim ends, and pages count for themselves.
const COUNTS_TAKE: Duration = Duration::from_secs(20);
const COUNT_TAKES: Duration = Duration::from_secs(10);

/// Sweeps of one invocation at most, and how long after it began the last may begin: one takes seconds, and the schedule's
/// next invocation goes on before this one's timeout.
const ROUNDS: usize = 20;
const ROUNDS_BEGIN_WITHIN: SignedDuration = SignedDuration::from_secs(40);
/// How long after its invocation began a sweep works on what has no queue: the invocation ends after 55 seconds, and
/// what was counted is said before that.
const WORKS_WITHIN: SignedDuration = SignedDuration::from_secs(50);

/// Sweeps until nothing more is due, or the invocation has lasted long enough; how many sweeps that were. One at least.
///
/// # Errors
/// When a sweep could not ask the store.
pub async fn rounds(cloud: &Cloud, began: Timestamp) -> Result<usize, StoreError> {
    let mut done = 0;
    loop {
        let more = Box::pin(sweep_within(cloud, began)).await?.more;
        done += 1;
        let lasts = cloud.clock.now().duration_since(began);
        if !more || done >= ROUNDS || lasts >= ROUNDS_BEGIN_WITHIN {
            return Ok(done);
        }
    }
}

/// Sweeps every shard once, with all the time of an invocation.
pub async fn sweep(cloud: &Cloud) -> Result<Swept, StoreError> {
    Box::pin(sweep_within(cloud, cloud.clock.now())).await
}

/// Sweeps every shard once, with what is left of the time of an invocation that began then.
async fn sweep_within(cloud: &Cloud, began: Timestamp) -> Result<Swept, StoreError> {
    let now = cloud.clock.now();
    let left = || {
        let left = WORKS_WITHIN - cloud.clock.now().duration_since(began);
        Duration::try_from(left).unwrap_or_default()
    };
    let pages = join_all((0..keys::SHARDS).map(|shard| cloud.store.due_page(shard, now, PAGE))).await;
    let mut swept = Swept::default();
    let mut failed = None;
    let (mut erasures, mut follow_ups) = (Vec::new(), Vec::new());
    let (mut watched, mut uncounted) = (Vec::new(), Vec::new());
    let mut oldest_s = 0;
    for page in pages {
        // One shard that cannot be asked keeps nobody else waiting.
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                failed = Some(error);
                continue;
            }
        };
        swept.more |= page.len() >= PAGE as usize;
        for item in page {
            // Jittered, so that what was due together is not due together again.
            let lease = LEASE + SignedDuration::from_millis((cloud.entropy.u64() % 10_000) as i64);
            let until = now.checked_add(lease).unwrap_or(now);
            match cloud.store.due_claim(&item, until).await {
                Ok(Some(Claimed { received_at })) => {
                    // What is counted by the sweep alone has been missed by nobody.
                    if !matches!(item.key, DueKey::Now(_)) {
                        cloud.metrics.count(Metric::Overdue);
                    }
                    let age_s = received_at.map_or(0, |at| now.duration_since(at).as_secs());
                    oldest_s = oldest_s.max(age_s.unsigned_abs());
                }
                Ok(None) => continue,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
            if let DueKey::Erasure(company, erasure) = item.key {
                erasures.push((company, erasure));
                continue;
            }
            if let DueKey::FollowUp(lead) = item.key {
                follow_ups.push(lead);
                continue;
            }
            if let DueKey::Watch(company) = item.key {
                watched.push(company);
                continue;
            }
            if let DueKey::Now(company) = item.key {
                uncounted.push(company);
                continue;
            }
            match queue(cloud, &item).await {
                Ok(()) => swept.queued += 1,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a due item could not be queued"
                    );
                    swept.refused += 1;
                }
            }
        }
    }
    // No queue has an erasure: it is rare, and all its work is at the table. Its walk may be long, and what leads wait for
    // goes before it; what does not end in its time goes on at the next sweep.
    for (company, erasure) in erasures {
        match timeout(ERASURE_TAKES.min(left()), cloud.erasure_go_on(&company, erasure)).await {
            Ok(Ok(())) => swept.queued += 1,
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, erasure.id = %erasure, "an erasure could not go on");
                swept.refused += 1;
            }
            Err(_) => swept.more = true,
        }
    }
    if timeout(FOLLOW_UPS_TAKE.min(left()), follow_up(cloud, &follow_ups, &mut swept)).await.is_err() {
        swept.more = true;
    }
    watch(cloud, &watched, WATCH_TAKES.min(left()), &mut swept).await;
    // Said every time, so that nothing said rings too.
    cloud.metrics.at_least(Metric::UndistributedAge, oldest_s);
    cloud.metrics.write(cloud.clock.now());
    // Last: nothing else waits for it.
    if timeout(COUNTS_TAKE.min(left()), count(cloud, &uncounted, &mut swept)).await.is_err() {
        swept.more = true;
    }
    if swept.queued + swept.refused > 0 {
        tracing::info!(sweep.queued = swept.queued, sweep.refused = swept.refused, "swept");
    }
    failed.map_or(Ok(swept), Err)
}

/// Looks at follow-ups whose time has come.
async fn follow_up(cloud: &Cloud, due: &[LeadId], swept: &mut Swept) {
    for some in due.chunks(FOLLOW_UPS_AT_ONCE) {
        let looked = join_all(some.iter().map(|lead| cloud.follow_up_due(*lead))).await;
        for (lead, looked) in some.iter().zip(looked) {
            match looked {
                Ok(()) => swept.queued += 1,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error, lead.id = %lead,
                        "a follow-up could not be looked at"
                    );
                    swept.refused += 1;
                }
            }
        }
    }
}

/// Looks at publishes that are watched, each for itself: one that takes its time keeps nobody else's waiting.
async fn watch(cloud: &Cloud, due: &[CompanyId], within: Duration, swept: &mut Swept) {
    let looks = due.iter().map(|company| timeout(within, cloud.watch_look(company)));
    for (company, looked) in due.iter().zip(join_all(looks).await) {
        match looked {
            Ok(looked) => worked(company, looked, "a watched publish could not be looked at", swept),
            Err(_) => swept.more = true,
        }
    }
}

/// Counts what matters now of companies of which something happened, or whose time has come. One after another: each may
/// read the rules of a hundred thousand contracts.
async fn count(cloud: &Cloud, due: &[CompanyId], swept: &mut Swept) {
    for company in due {
        match timeout(COUNT_TAKES, Box::pin(now::keep(cloud, company, None))).await {
            Ok(counted) => {
                worked(company, counted, "what matters of a company now could not be counted", swept);
            }
            Err(_) => swept.more = true,
        }
    }
}

/// What came of a company's work.
fn worked(company: &CompanyId, done: Result<(), StoreError>, failed: &'static str, swept: &mut Swept) {
    match done {
        Ok(()) => swept.queued += 1,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, company.id = %company, "{failed}");
            swept.refused += 1;
        }
    }
}

/// Why a due item was not queued.
#[derive(Debug, thiserror::Error)]
enum Unqueued {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn queue(cloud: &Cloud, item: &DueItem) -> Result<(), Unqueued> {
    match &item.key {
        DueKey::Enquiry(id) => {
            let Some(enquiry) = cloud.store.enquiry_get(*id).await? else { return Ok(()) };
            // Intake decides, where enquiries are taken in: its queue is the spill.
            cloud.queues.to_spill(&ToSpill::looks_at(&enquiry)).await?;
        }
        // Worked after the rest: see `sweep`.
        DueKey::Erasure(_, _) | DueKey::FollowUp(_) | DueKey::Watch(_) | DueKey::Now(_) => {}
        // The index names no company and no dealer: the lead is a group of its own, behind nobody.
        DueKey::Lead(lead) => cloud.queues.lead_to_distribution(&lead.to_string(), *lead).await?,
        DueKey::Wake(company, category) => cloud.queues.wake_to_distribution(company, category, None).await?,
        DueKey::WakeAt(company, category, at_ms) => {
            cloud.queues.wake_to_distribution(company, category, Some(*at_ms)).await?;
        }
        DueKey::Assignment(lead, cycle, assignment) => {
            let message = ToDelivery::Assignment { lead: *lead, cycle: *cycle, assignment: *assignment };
            cloud.queues.to_delivery(message, &lead.to_string(), 0).await?;
        }
        DueKey::Postback(enquiry, status) => {
            let message = ToDelivery::Postback { enquiry: *enquiry, status: *status };
            cloud.queues.to_delivery(message, &enquiry.to_string(), 0).await?;
        }
        DueKey::Delivery { lead, assignment, event, number } => {
            let message = ToDelivery::Message {
                lead: *lead,
                assignment: *assignment,
                event: event.clone(),
                number: number.clone(),
            };
            cloud.queues.to_delivery(message, &lead.to_string(), 0).await?;
        }
    }
    Ok(())
}
