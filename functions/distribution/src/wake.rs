//! Waking those who wait, after something changed that may place them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use futures::future::try_join_all;
use jiff::SignedDuration;
use leadyard_domain::ids::{CategoryId, CompanyId, DealerId, LeadId};
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

/// Leads woken for one slot.
const FOR_A_SLOT: u64 = 2;

/// Of these, in their order, whom a slot's dealer may take: for each dealer twice as many as it has slots. One
/// that several may take counts for whoever has the most left, so that no slot stands empty for the others'
/// sake.
async fn takers(
    cloud: &Cloud,
    company: &CompanyId,
    wake: &Wake,
    waiting: &[LeadId],
) -> Result<Vec<LeadId>, StoreError> {
    let mut left: BTreeMap<&DealerId, u64> =
        wake.dealers.iter().map(|(dealer, slots)| (dealer, slots.saturating_mul(FOR_A_SLOT))).collect();
    // An earlier version, which may run beside this one, does not say whose slots they are: they are anybody's.
    let named: u64 = wake.dealers.values().sum();
    let mut anybodys = wake.slots.saturating_sub(named).saturating_mul(FOR_A_SLOT);
    let Some(in_force) = judging::in_force(cloud, company).await? else { return Ok(Vec::new()) };
    let now = cloud.clock.now();
    let mut takers = Vec::new();
    for some in waiting.chunks(PAGE as usize) {
        let leads = cloud.store.leads_get(some).await?;
        let on_lists = cloud.all_on_lists(&leads.iter().collect::<Vec<_>>()).await?;
        for id in some {
            if anybodys == 0 && left.values().all(|left| *left == 0) {
                return Ok(takers);
            }
            let Some(lead) = leads.iter().find(|lead| lead.id == *id) else { continue };
            let of_lead = on_lists.get(id).copied().unwrap_or_default();
            let theirs = judging::who_may_take(cloud, &in_force, (lead, of_lead), now).await?;
            let may = |dealer: &DealerId| theirs.as_ref().is_none_or(|theirs| theirs.contains(dealer));
            let open = left.iter_mut().filter(|(dealer, left)| **left > 0 && may(dealer));
            if let Some((_, left)) = open.max_by_key(|(_, left)| **left) {
                *left -= 1;
                takers.push(*id);
            } else if anybodys > 0 {
                anybodys -= 1;
                takers.push(*id);
            }
        }
    }
    Ok(takers)
}
