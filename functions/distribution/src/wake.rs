//! Waking those who wait, after something changed that may place them.

use std::cmp::Reverse;

use futures::future::try_join_all;
use jiff::SignedDuration;
use leadyard_domain::ids::{CategoryId, CompanyId, LeadId};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging;
use leadyard_platform::store::{StoreError, Wake, keys};

/// Leads read from one shard at a time.
const PAGE: i32 = 100;
/// Leads that are looked at for a slot that came free: who stands behind them waits for their own time.
const EXAMINED: usize = 1_000;

/// Within which time who was woken is looked at, should its message be lost.
const LOOKED_AT_WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// Due times moved side by side.
const AT_ONCE: usize = 16;

/// Wakes as many as twice the slots that came free, of those whom a slot's dealer may take, the highest
/// score first, the freshest first among equals; all, after a publish or a switch. Doing it twice wakes
/// them twice, which changes nothing.
pub(crate) async fn wake(
    cloud: &Cloud,
    company: &CompanyId,
    category: &CategoryId,
) -> Result<(), StoreError> {
    let Some(wake) = cloud.store.wake_get(company, category).await? else { return Ok(()) };
    let most = if wake.everybody() { usize::MAX } else { EXAMINED };
    let mut found: Vec<(Reverse<String>, LeadId)> = Vec::new();
    for shard in 0..keys::SHARDS {
        let mut start = None;
        let mut of_shard = 0;
        loop {
            let (page, next) = cloud.store.waiting_page(company, category, shard, start, PAGE).await?;
            of_shard += page.len();
            found.extend(page.into_iter().map(|(sort, lead)| (Reverse(sort), lead)));
            start = next;
            if start.is_none() || of_shard >= most {
                break;
            }
        }
    }
    found.sort_unstable();
    found.truncate(most);
    let mut leads: Vec<LeadId> = found.into_iter().map(|(_, lead)| lead).collect();
    if !wake.everybody() {
        leads = takers(cloud, company, &wake, &leads).await?;
    }
    // A message may be lost: who was chosen is due in a minute all the same.
    let now = cloud.clock.now();
    let soon = now.checked_add(LOOKED_AT_WITHIN).unwrap_or(now);
    for some in leads.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|lead| cloud.store.lead_due_by(*lead, soon))).await?;
    }
    if let Err(error) = cloud.queues.leads_to_distribution(company, &leads).await {
        // The wake stays due: the sweep sends it again.
        tracing::warn!(error = &error as &dyn std::error::Error, "not all who wait were woken");
        return Ok(());
    }
    tracing::info!(company.id = %company, category.id = %category, leads = leads.len(), "woken");
    cloud.store.wake_done(company, category, &wake).await
}

/// Of these, in their order, whom a slot's dealer may take: twice as many as there are slots.
async fn takers(
    cloud: &Cloud,
    company: &CompanyId,
    wake: &Wake,
    waiting: &[LeadId],
) -> Result<Vec<LeadId>, StoreError> {
    let most = usize::try_from(wake.leads()).unwrap_or(usize::MAX);
    let Some(in_force) = judging::in_force(cloud, company).await? else { return Ok(Vec::new()) };
    let now = cloud.clock.now();
    let mut takers = Vec::new();
    for some in waiting.chunks(PAGE as usize) {
        let leads = cloud.store.leads_get(some).await?;
        for id in some {
            let Some(lead) = leads.iter().find(|lead| lead.id == *id) else { continue };
            // One that an earlier version wrote does not say whose slots they are.
            if wake.dealers.is_empty()
                || judging::may_take(cloud, &in_force, lead, &wake.dealers, now).await?
            {
                takers.push(*id);
                if takers.len() >= most {
                    return Ok(takers);
                }
            }
        }
    }
    Ok(takers)
}
