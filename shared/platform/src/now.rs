//! What matters of a company now: how much waits for the desk, and which leads stand at the top of its lists.
//!
//! Whoever opens the page of the day asks for all of it at once, and what it is read from grows with a company's
//! categories and shards. So it is counted when something happened, by the function that hears of everything that does,
//! and kept as one small item; the page reads that, and the leads that it names.
//!
//! Determinations. *What is kept is true until something happens*: leads are named by letter, so that they are put in
//! order as of the moment of reading, and what lapses is kept with its instant. *Whoever reads it asks the leads
//! themselves*: who was placed or reached since stands in no list; a count may be as far behind as a batch of the stream.
//! *What cannot be told exactly says "at least"*, by the same limits whoever counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::Assignment;
use leadyard_domain::contract::{Caps, Contract};
use leadyard_domain::dealer::{Channel, ChannelKind, Dealer};
use leadyard_domain::delivery::Breaker;
use leadyard_domain::distribution::{Core, Reservation, Usage};
use leadyard_domain::ids::{AssignmentId, CompanyId, ContractId, DealerId, LeadId};
use leadyard_domain::lead::{AssignmentState, Lead, Stage};
use leadyard_domain::money::Money;
use leadyard_domain::rulebook::Rulebook;
use leadyard_domain::time::{self, Period};
use serde::{Deserialize, Serialize};

use crate::cloud::Cloud;
use crate::judging;
use crate::store::{ChannelState, Place, StoreError, channel_mark};

/// Enquiries of each shard, and leads that wait, that are counted.
pub const COUNTED: usize = 100;
/// Leads of each list, fit letter and category that are named or looked at.
const NAMED: usize = 10;
/// Leads with a dealer, of each fit letter and category, that are looked at.
const HELD: usize = 50;
/// Offers that are named, the next to lapse first.
const LAPSING: usize = 30;
/// Channels, or counters, that are asked for who fails or is full: a read for each hundred.
pub const ASKED: usize = 800;
/// How long what is kept is gone by, in seconds, though nothing happened.
const KEPT_S: i64 = 6 * 3_600;

/// So many, or at least so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtLeast {
    /// How many were counted.
    pub count: usize,
    /// Whether there may be more.
    pub more: bool,
}

/// What matters of a company at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// When it was counted.
    pub at: Timestamp,
    /// Under which version of the rules.
    pub rulebook: u64,
    /// Enquiries in quarantine.
    pub quarantined: AtLeast,
    /// Of those that were counted, those that nobody looked at in time.
    pub overdue: usize,
    /// Leads that wait, by reason.
    pub waiting: BTreeMap<String, usize>,
    /// Whether more wait than were counted.
    pub more_waiting: bool,
    /// Leads with a dealer whom nobody reached yet.
    pub unanswered: AtLeast,
    /// Dealers of which a channel takes nothing.
    pub failing: AtLeast,
    /// Dealers that are full, or have a contract that is.
    pub full: AtLeast,
    /// In nobody's hands: of each letter the hottest.
    pub free: Vec<LeadId>,
    /// With a dealer, and nobody reached them: of each letter the hottest.
    pub held: Vec<LeadId>,
    /// Offers by when they lapse, the next first.
    pub lapsing: Vec<(Timestamp, LeadId)>,
}

/// What was last counted, if it can be gone by: by these rules, and not too long ago.
///
/// # Errors
/// When the store could not be asked.
pub async fn kept(cloud: &Cloud, core: &Core) -> Result<Option<Now>, StoreError> {
    let text = cloud.store.now_get(core.company_id()).await?;
    // What another version of this program wrote is counted again.
    let now: Option<Now> = text.and_then(|text| serde_json::from_str(&text).ok());
    let oldest = cloud.clock.now().as_second() - KEPT_S;
    Ok(now.filter(|now| now.rulebook == core.version && now.at.as_second() >= oldest))
}

/// Counts it, and keeps it; nothing of a company without rules.
///
/// # Errors
/// When the store could not be asked.
pub async fn keep(cloud: &Cloud, company: &CompanyId) -> Result<(), StoreError> {
    let Some(in_force) = judging::in_force(cloud, company).await? else { return Ok(()) };
    let now = Box::pin(counted(cloud, &in_force.core)).await?;
    let text = serde_json::to_string(&now).map_err(|error| StoreError::Malformed(Box::new(error)))?;
    cloud.store.now_keep(company, &text, now.at).await
}

/// Counts it.
///
/// # Errors
/// When the store could not be asked.
pub async fn counted(cloud: &Cloud, core: &Core) -> Result<Now, StoreError> {
    let (company, at) = (core.company_id(), cloud.clock.now());
    // By when they arrived: what was put aside later has longer.
    let hours = i64::from(core.screening.deadline_hours);
    let arrived = at.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(at);
    let (quarantined, (waiting, more_waiting), free, held, (failing, full)) = futures::try_join!(
        cloud.store.quarantine_counts(company, arrived, COUNTED),
        waiting(cloud, core),
        hottest(cloud, core, &[Stage::Waiting, Stage::Nurturing], NAMED),
        held(cloud, core, at),
        dealers(cloud, core, at)
    )?;
    Ok(Now {
        at,
        rulebook: core.version,
        quarantined: AtLeast { count: quarantined.waiting, more: quarantined.more },
        overdue: quarantined.before,
        waiting,
        more_waiting,
        unanswered: held.unanswered,
        failing,
        full,
        free: free.into_iter().map(|(_, lead)| lead).collect(),
        held: held.hottest,
        lapsing: held.lapsing,
    })
}

/// Who waits, by reason, and whether more may wait than were counted.
async fn waiting(cloud: &Cloud, core: &Core) -> Result<(BTreeMap<String, usize>, bool), StoreError> {
    let (company, stage) = (core.company_id(), Stage::Waiting);
    // One more than is counted: whether anybody stands behind them.
    let of = |category| cloud.store.leads_in_stage(company, stage, category, None, COUNTED + 1);
    let mut places: Vec<Place> =
        try_join_all(core.waited_in().into_iter().map(of)).await?.into_iter().flatten().collect();
    places.sort_unstable_by(|a, b| b.cmp(a));
    let more = places.len() > COUNTED;
    places.truncate(COUNTED);
    let ids: Vec<LeadId> = places.into_iter().map(|(_, lead)| lead).collect();
    let mut by_reason = BTreeMap::new();
    // An index may be behind: who left the room meanwhile does not stand in it.
    for lead in cloud.store.leads_get(&ids).await?.iter().filter(|lead| lead.stage == stage) {
        if let Some(reason) = lead.waiting {
            *by_reason.entry(reason.to_string()).or_default() += 1;
        }
    }
    Ok((by_reason, more))
}

/// The hottest of some stages, over all categories: of each letter at most so many.
async fn hottest(
    cloud: &Cloud,
    core: &Core,
    stages: &[Stage],
    most: usize,
) -> Result<Vec<Place>, StoreError> {
    let mut lists = Vec::new();
    for stage in stages {
        for category in core.waited_in() {
            lists.push(cloud.store.leads_hottest(core.company_id(), *stage, category, most));
        }
    }
    let found = try_join_all(lists).await?.into_iter().flatten().collect();
    Ok(of_each_letter(found, most))
}

/// Of each letter the first so many.
fn of_each_letter(mut places: Vec<Place>, most: usize) -> Vec<Place> {
    places.sort_unstable_by(|a, b| b.cmp(a));
    let mut of_letter: HashMap<_, usize> = HashMap::new();
    places.retain(|(sort, _)| {
        let seen = of_letter.entry(crate::store::keys::letter_of_stage(sort)).or_default();
        *seen += 1;
        *seen <= most
    });
    places
}

/// Leads that dealers have.
struct Held {
    hottest: Vec<LeadId>,
    unanswered: AtLeast,
    lapsing: Vec<(Timestamp, LeadId)>,
}

async fn held(cloud: &Cloud, core: &Core, now: Timestamp) -> Result<Held, StoreError> {
    let places = hottest(cloud, core, &[Stage::Assigned], HELD).await?;
    let ids: Vec<LeadId> = places.iter().map(|(_, lead)| *lead).collect();
    let leads = cloud.store.leads_get(&ids).await?;
    let seats = seats_of(cloud, &leads).await?;
    let mut of_letter: HashMap<_, usize> = HashMap::new();
    for (sort, _) in &places {
        *of_letter.entry(crate::store::keys::letter_of_stage(sort)).or_default() += 1;
    }
    let known: HashMap<LeadId, &Lead> = leads.iter().map(|lead| (lead.id, lead)).collect();
    let waits = |lead: &LeadId| known.get(lead).is_some_and(|lead| is_unanswered(lead, &seats));
    let unanswered: Vec<&Place> = places.iter().filter(|(_, lead)| waits(lead)).collect();
    let mut lapsing: Vec<(Timestamp, LeadId)> = unanswered
        .iter()
        .filter_map(|(_, lead)| Some((lapses_at(known.get(lead)?, &seats, now)?, *lead)))
        .collect();
    lapsing.sort_unstable();
    lapsing.truncate(LAPSING);
    let more = of_letter.values().any(|seen| *seen >= HELD);
    let count = unanswered.len();
    let hottest = of_each_letter(unanswered.into_iter().cloned().collect(), NAMED);
    Ok(Held {
        hottest: hottest.into_iter().map(|(_, lead)| lead).collect(),
        unanswered: AtLeast { count, more },
        lapsing,
    })
}

/// Seats by their ids.
pub type Seats = HashMap<AssignmentId, Assignment>;

/// The seats of those who hold these leads. A read for each hundred.
///
/// # Errors
/// When the store could not be asked.
pub async fn seats_of(cloud: &Cloud, leads: &[Lead]) -> Result<Seats, StoreError> {
    let keys: Vec<(LeadId, u32, AssignmentId)> = leads
        .iter()
        .flat_map(|lead| lead.holders.iter().map(move |holder| (lead.cycle_of(holder), holder.assignment)))
        .map(|(of, assignment)| (of.lead, of.cycle, assignment))
        .collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let seats = cloud.store.assignments_get(&keys).await?;
    Ok(seats.into_iter().map(|seat| (seat.id, seat)).collect())
}

/// Whether somebody has a lead, and none of them has reached its person yet.
pub fn is_unanswered(lead: &Lead, seats: &Seats) -> bool {
    let waits = |state| match state {
        AssignmentState::Offered | AssignmentState::Accepted => true,
        AssignmentState::Declined
        | AssignmentState::Lapsed
        | AssignmentState::Returned
        | AssignmentState::Withdrawn
        | AssignmentState::Contacted
        | AssignmentState::Won
        | AssignmentState::Lost => false,
    };
    let mut seats = lead.holders.iter().filter_map(|holder| seats.get(&holder.assignment)).peekable();
    lead.stage == Stage::Assigned
        && seats.peek().is_some()
        && seats.all(|seat| waits(seat.state) && seat.contacted_at.is_none())
}

/// When the next offer of a lead lapses, if one does: it was not accepted yet, and is not over.
pub fn lapses_at(lead: &Lead, seats: &Seats, now: Timestamp) -> Option<Timestamp> {
    let seats = lead.holders.iter().filter_map(|holder| seats.get(&holder.assignment));
    let offers = seats.filter(|seat| seat.masked()).filter_map(|seat| Some(seat.accept_by.as_ref()?.at));
    offers.filter(|at| *at > now).min()
}

/// How many dealers fail, and how many are full. Nobody, where the text of the rules is not kept.
async fn dealers(cloud: &Cloud, core: &Core, now: Timestamp) -> Result<(AtLeast, AtLeast), StoreError> {
    let Some(book) = cloud.rulebooks.book(&cloud.store, core).await? else {
        return Ok((AtLeast::default(), AtLeast::default()));
    };
    let (failing, full) = futures::try_join!(failing(cloud, core, &book), full(cloud, core, &book, now))?;
    let told = |(dealers, more): (HashSet<DealerId>, bool)| AtLeast { count: dealers.len(), more };
    Ok((told(failing), told(full)))
}

/// Dealers of which a channel takes nothing, or did not when it was tried last; of the first [`ASKED`] channels, and
/// whether there are more.
///
/// # Errors
/// When the store could not be asked.
pub async fn failing(
    cloud: &Cloud,
    core: &Core,
    book: &Rulebook,
) -> Result<(HashSet<DealerId>, bool), StoreError> {
    let sent = || book.channels.iter().filter(|channel| channel.kind != ChannelKind::Inbox);
    let asked: Vec<&Channel> = sent().take(ASKED).collect();
    let keys: Vec<(&DealerId, u8)> = asked.iter().map(|channel| (&channel.dealer, channel.order)).collect();
    let states = cloud.store.channels_get(core.company_id(), &keys).await?;
    let state = |channel: &Channel| states.get(&(channel.dealer.clone(), channel.order));
    let fails = asked.iter().filter(|channel| fails(channel, state(channel)));
    Ok((fails.map(|channel| channel.dealer.clone()).collect(), sent().count() > ASKED))
}

fn fails(channel: &Channel, state: Option<&ChannelState>) -> bool {
    // A channel that the rulebook changed since begins anew.
    let state = state.filter(|state| state.mark == channel_mark(channel.kind, &channel.address));
    state.is_some_and(|state| state.disabled.is_some() || !matches!(state.breaker, Breaker::Closed { .. }))
}

/// Dealers that are full, or have a contract that is; of the first [`ASKED`] counters, and whether there are more.
///
/// # Errors
/// When the store could not be asked.
pub async fn full(
    cloud: &Cloud,
    core: &Core,
    book: &Rulebook,
    now: Timestamp,
) -> Result<(HashSet<DealerId>, bool), StoreError> {
    // Of whom nothing is limited, nobody asks.
    let capped: Vec<&Contract> = book
        .contracts
        .iter()
        .filter(|contract| !contract.caps.0.is_empty() || contract.budget_month.is_some())
        .collect();
    let limited: Vec<&Dealer> =
        book.dealers.iter().filter(|dealer| !dealer.caps.0.is_empty() || dealer.prepaid).collect();
    // The contracts have what the dealers leave.
    let dealers: Vec<DealerId> = limited.iter().take(ASKED).map(|one| one.id.clone()).collect();
    let contracts: Vec<ContractId> =
        capped.iter().take(ASKED - dealers.len()).map(|one| one.id.clone()).collect();
    let cut = contracts.len() + dealers.len() < capped.len() + limited.len();
    let counters = cloud.store.caps_get(core.company_id(), &contracts, &dealers).await?;
    let of: HashMap<&DealerId, &Dealer> = book.dealers.iter().map(|dealer| (&dealer.id, dealer)).collect();
    let mut found = HashSet::new();
    for contract in &capped {
        let (usage, dealer) = (counters.contracts.get(&contract.id), of.get(&contract.dealer));
        if dealer.is_some_and(|dealer| {
            is_used_up(&contract.caps, contract.budget_month, usage, &reserves(core, dealer, now))
        }) {
            found.insert(contract.dealer.clone());
        }
    }
    for dealer in &limited {
        let usage = counters.dealers.get(&dealer.id);
        let is_full = is_used_up(&dealer.caps, None, usage, &reserves(core, dealer, now));
        let asked = dealers.contains(&dealer.id);
        if is_full || asked && dealer.prepaid && usage.map_or(0, |usage| usage.balance) <= 0 {
            found.insert(dealer.id.clone());
        }
    }
    Ok((found, cut))
}

/// The periods that a dealer's caps are counted in now.
pub fn reserves(core: &Core, dealer: &Dealer, now: Timestamp) -> Reservation {
    // A zone that the rulebook let through is one.
    let zone = time::zone(&dealer.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    Reservation::at(now, &zone, core.company.week_starts)
}

fn is_used_up(caps: &Caps, budget: Option<Money>, usage: Option<&Usage>, reserves: &Reservation) -> bool {
    let used = |period: Period| usage.map_or(0, |usage| usage.in_period(period, reserves.start(period)));
    let spent = usage.map_or(0, |usage| usage.spent(reserves.start(Period::Month)));
    caps.0.iter().any(|cap| used(cap.period) >= cap.most)
        || budget.is_some_and(|budget| spent >= budget.minor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_letter_the_hottest_are_named_over_all_lists() {
        let place = |sort: &str, byte: u8| (sort.to_owned(), LeadId::from_bytes([byte; 16]));
        let found = vec![place("3#5", 1), place("2#9", 2), place("3#7", 3), place("3#6", 4), place("1#1", 5)];
        let named: Vec<String> = of_each_letter(found, 2).into_iter().map(|(sort, _)| sort).collect();
        assert_eq!(named, ["3#7", "3#6", "2#9", "1#1"]);
    }
}
