//! Waking those who wait, after something changed that may place them.
//!
//! A slot that came free, or an instant at which somebody comes free, wakes the best who may have it: see [`Slots`]. Where
//! nobody of the first thousand may, those behind them are looked at in the next run, [`RUNS`] at most: a waiting room is
//! never read through for a slot that nobody in it can use.
//! After a publish or a switch those come first likewise; then everybody is looked at, so that what each waits for
//! is true again; and of those who are nurtured, whoever may be ready by the rules that are in force now.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::distribution::Taker;
use leadyard_domain::ids::{CategoryId, CompanyId, ContractId, DealerId, LeadId};
use leadyard_domain::lead::Stage;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging::{self, InForce};
use leadyard_platform::known::KnownCounters;
use leadyard_platform::scores::Scores;
use leadyard_platform::store::{StoreError, Wake};

use crate::room::Room;

/// Leads that are looked at together: a few at first, and twice as many each time, for mostly the first may have it.
const LOOKED_AT: (usize, usize) = (10, 100);
/// Leads of a category that are looked at in one run for a slot that came free.
const EXAMINED: usize = 1_000;
/// Runs for the slots that came free: who stands behind all of those waits for its own time.
const RUNS: u64 = 10;

/// Within which time who was woken is looked at, should its message be lost.
const LOOKED_AT_WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// Due times moved side by side.
const AT_ONCE: usize = 16;
/// Due times moved in one run, after a publish or a switch.
const MOVED: usize = 500;

/// Wakes as many as twice the slots that came free, of those who may have one, the highest score first, the
/// freshest first among equals. Doing it twice wakes them twice, which changes nothing.
pub(crate) async fn wake(
    cloud: &Cloud,
    company: &CompanyId,
    category: &CategoryId,
) -> Result<(), StoreError> {
    let Some(wake) = cloud.store.wake_get(company, category).await? else { return Ok(()) };
    if wake.everybody() {
        return wake_everybody(cloud, company, category, &wake).await;
    }
    let mut slots = Slots::given_back(&wake);
    let found = takers(cloud, company, Categories::All(category), wake.goes_on_behind(), &mut slots).await?;
    if !send(cloud, company, &found.takers).await? {
        return Ok(());
    }
    let taken = slots.taken_of(&wake);
    match found.further.filter(|_| !slots.all_taken() && wake.run() < RUNS) {
        None => cloud.store.wake_done(company, category, &wake).await,
        Some(upto) => {
            cloud.store.wake_goes_further(company, category, &wake, &upto, &taken).await?;
            cloud.hand_wake(company, category).await;
            Ok(())
        }
    }
}

/// The same for those who wait for an instant at which somebody comes free: the slots are those that caps,
/// budgets and balances leave then.
pub(crate) async fn wake_at(
    cloud: &Cloud,
    company: &CompanyId,
    category: &CategoryId,
    at_ms: i64,
) -> Result<(), StoreError> {
    if !cloud.store.wake_at_stands(company, category, at_ms).await? {
        return Ok(());
    }
    let sought = Categories::All(category);
    let found = takers(cloud, company, sought, None, &mut Slots::that_are_left()).await?;
    if send(cloud, company, &found.takers).await? {
        cloud.store.wake_at_done(company, category, at_ms).await?;
    }
    Ok(())
}

/// Before the place behind which the nurtured are read, where a run goes on with them. It stands behind every letter: an
/// earlier version, which may run beside this one, begins the waiting room anew.
const NURTURED: &str = "~";

/// After a publish or a switch: those who may be given to somebody now are sent, the best first and as many as twice
/// the slots, so that hardly anybody has one before a better lead. Everybody is due a minute later, so many in one
/// run and the rest in the next: a waiting room may be larger than what one run can move. The nurtured come last.
async fn wake_everybody(
    cloud: &Cloud,
    company: &CompanyId,
    category: &CategoryId,
    wake: &Wake,
) -> Result<(), StoreError> {
    let mut best = Vec::new();
    // Before everybody, and again where slots came back since.
    if wake.sent != Some(wake.generation) {
        let sought = Categories::One(category);
        best = takers(cloud, company, sought, None, &mut Slots::that_are_left()).await?.takers;
        if !send(cloud, company, &best).await? {
            return Ok(());
        }
    }
    let nurtured = wake.after.as_deref().and_then(|after| after.strip_prefix(NURTURED));
    let mut left = MOVED;
    if nurtured.is_none() {
        let sent: HashSet<LeadId> = best.into_iter().collect();
        let next = Room::of(cloud, company, &[category], wake.after.as_deref(), MOVED).next(MOVED).await?;
        let leads = next.iter().map(|(_, lead)| *lead).filter(|lead| !sent.contains(lead));
        make_due(cloud, &leads.collect::<Vec<_>>()).await?;
        if let Some((Reverse(upto), _)) = next.get(MOVED - 1) {
            return goes_on(cloud, company, category, wake, upto).await;
        }
        left -= next.len();
    }
    let behind = nurtured.map(|sort| (sort.to_owned(), NOBODYS));
    let next = cloud.store.leads_in_stage(company, Stage::Nurturing, category, behind.as_ref(), left).await?;
    let leads: Vec<LeadId> = next.iter().map(|(_, lead)| *lead).collect();
    make_due(cloud, &may_be_ready(cloud, company, &leads).await?).await?;
    match next.get(left - 1) {
        None => cloud.store.wake_done(company, category, wake).await,
        Some((upto, _)) => goes_on(cloud, company, category, wake, &format!("{NURTURED}{upto}")).await,
    }
}

/// No lead has this id: whoever stands at a place stands behind it.
const NOBODYS: LeadId = LeadId::from_bytes([0; 16]);

/// The next run goes on behind this place.
async fn goes_on(
    cloud: &Cloud,
    company: &CompanyId,
    category: &CategoryId,
    wake: &Wake,
    upto: &str,
) -> Result<(), StoreError> {
    cloud.store.wake_goes_on(company, category, wake, upto).await?;
    cloud.hand_wake(company, category).await;
    Ok(())
}

/// Of nurtured leads, those that are to be looked at: most rules and every switch leave all of them as they are.
async fn may_be_ready(
    cloud: &Cloud,
    company: &CompanyId,
    leads: &[LeadId],
) -> Result<Vec<LeadId>, StoreError> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    let Some(in_force) = judging::in_force(cloud, company).await? else { return Ok(Vec::new()) };
    let scores = Scores::of(&in_force.core, cloud.clock.now());
    let read = cloud.store.leads_get(leads).await?;
    let ready = read.iter().filter(|lead| lead.stage == Stage::Nurturing && scores.may_be_ready(lead));
    Ok(ready.map(|lead| lead.id).collect())
}

/// Makes leads due in a minute, if they are not before.
async fn make_due(cloud: &Cloud, leads: &[LeadId]) -> Result<(), StoreError> {
    let now = cloud.clock.now();
    let soon = now.checked_add(LOOKED_AT_WITHIN).unwrap_or(now);
    for some in leads.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|lead| cloud.store.lead_due_by(*lead, soon))).await?;
    }
    Ok(())
}

/// Makes leads due and sends them to distribution, in their order; `false` when the queue did not take them: the
/// wake stays due, and the sweep sends it again.
async fn send(cloud: &Cloud, company: &CompanyId, leads: &[LeadId]) -> Result<bool, StoreError> {
    // A message may be lost: who was chosen is due in a minute all the same.
    make_due(cloud, leads).await?;
    if let Err(error) = cloud.queues.leads_to_distribution(company, leads).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "not all who wait were woken");
        return Ok(false);
    }
    tracing::info!(company.id = %company, leads = leads.len(), "woken");
    Ok(true)
}

/// Leads woken for one slot.
const FOR_A_SLOT: u64 = 2;

/// Where those are sought whom slots are for.
#[derive(Clone, Copy)]
enum Categories<'a> {
    /// Everywhere, and in this one if the rulebook has it no more: a dealer's caps and balance are for all its
    /// contracts, whatever they take.
    All(&'a CategoryId),
    /// Here alone: the others have a wake of their own.
    One(&'a CategoryId),
}

/// Of those who wait, whom the slots may be for: in their order, twice as many as there are slots. Whom the desk
/// holds or places by hand is passed over, and whoever would wait all the same.
async fn takers(
    cloud: &Cloud,
    company: &CompanyId,
    sought: Categories<'_>,
    after: Option<&str>,
    slots: &mut Slots,
) -> Result<Found, StoreError> {
    let Some(in_force) = judging::in_force(cloud, company).await? else { return Ok(Found::default()) };
    let categories = match sought {
        Categories::One(own) => vec![own],
        Categories::All(own) => {
            let mut all = in_force.core.waited_in();
            all.extend(Some(own).filter(|own| !all.contains(own)));
            all
        }
    };
    let mut room = Room::of(cloud, company, &categories, after, EXAMINED);
    // Behind so many, of all categories, the next run goes on.
    let mut left = if matches!(slots, Slots::GivenBack { .. }) { EXAMINED } else { usize::MAX };
    let (mut together, most_together) = LOOKED_AT;
    let mut further = None;
    let now = cloud.clock.now();
    let scores = Scores::of(&in_force.core, now);
    let mut known = KnownCounters::default();
    let (mut takers, mut later) = (Vec::new(), BTreeSet::new());
    'all: while !slots.all_taken() {
        let some = room.next(together.min(left)).await?;
        let Some((Reverse(last), _)) = some.last() else { break };
        left = left.saturating_sub(some.len());
        further = (left == 0).then(|| last.clone());
        together = most_together.min(2 * together);
        let some: Vec<LeadId> = some.iter().map(|(_, lead)| *lead).collect();
        let leads = cloud.store.leads_get(&some).await?;
        let on_lists = cloud.all_on_lists(&leads.iter().collect::<Vec<_>>()).await?;
        for id in &some {
            if slots.all_taken() {
                break 'all;
            }
            let Some(lead) = leads.iter().find(|lead| lead.id == *id) else { continue };
            if lead.stage != Stage::Waiting || lead.held_back(now).is_some() {
                continue;
            }
            // One that was never scored is looked at: nobody can say who may have it.
            let Some(score) = scores.now(lead) else {
                takers.push(*id);
                continue;
            };
            // As the decision will read it: what has faded since would spend the slot, and be refused.
            let of_lead = on_lists.get(id).copied().unwrap_or_default();
            let facts = of_lead.facts(lead, &in_force.core, score.band);
            let may_have = judging::who_may_have(cloud, &in_force, &facts, &mut known, now).await?;
            if slots.take(&may_have.now) {
                takers.push(*id);
            }
            let at = may_have.comes_free_at;
            later.extend(at.filter(|at| lead.due.is_none_or(|due| due.duration_since(*at) > AFTER_THE_BEST)));
        }
    }
    // What came back is nobody's yet, and somebody's earlier than they wait for: they are woken then.
    for at in later {
        wake_then(cloud, &in_force, company, at).await?;
    }
    Ok(Found { takers, further })
}

/// Whom slots may be for.
#[derive(Default)]
struct Found {
    takers: Vec<LeadId>,
    /// Up to where in the index was looked, if more stand behind it.
    further: Option<String>,
}

/// How long after an instant a lead that waits for it looks for itself.
const AFTER_THE_BEST: SignedDuration = SignedDuration::from_mins(limits::LOOKS_AFTER_THE_BEST_MINUTES);

/// Those who wait for an instant at which somebody comes free are woken then, the best of them first.
pub(crate) async fn wake_then(
    cloud: &Cloud,
    in_force: &InForce,
    company: &CompanyId,
    at: Timestamp,
) -> Result<(), StoreError> {
    // Whichever category: who waits for it is sought in all of them.
    let Some(first) = in_force.core.waited_in().first().copied() else { return Ok(()) };
    cloud.store.wake_at(company, first, at).await
}

/// Turns at slots, [`FOR_A_SLOT`] for each. A lead that several may have takes one of whoever has the most left, so
/// that no slot stands empty for the others' sake.
enum Slots {
    /// They came back.
    GivenBack {
        /// Whose they are.
        left: BTreeMap<DealerId, u64>,
        /// An earlier version, which may run beside this one, does not say whose slots they are: they are
        /// anybody's.
        anybodys: u64,
    },
    /// What caps, budgets and balances leave, found as those who may have it are; `None` for no limit.
    Left { contracts: HashMap<ContractId, Option<u64>>, dealers: HashMap<DealerId, Option<u64>> },
}

impl Slots {
    fn given_back(wake: &Wake) -> Self {
        let turns = |slots: u64| slots.saturating_mul(FOR_A_SLOT);
        let left = wake.dealers.iter().map(|(dealer, slots)| (dealer.clone(), turns(*slots))).collect();
        let named: u64 = wake.dealers.values().sum();
        Self::GivenBack { left, anybodys: turns(wake.slots.saturating_sub(named)) }
    }

    /// Slots for which somebody was found, by whose they are: one with one turn taken counts.
    fn taken_of(&self, wake: &Wake) -> BTreeMap<DealerId, u64> {
        let Self::GivenBack { left, .. } = self else { return BTreeMap::new() };
        let taken = |(dealer, slots): (&DealerId, &u64)| {
            let left = left.get(dealer).copied().unwrap_or(0);
            Some((dealer.clone(), slots - left / FOR_A_SLOT)).filter(|(_, taken)| *taken > 0)
        };
        wake.dealers.iter().filter_map(taken).collect()
    }

    fn that_are_left() -> Self {
        Self::Left { contracts: HashMap::new(), dealers: HashMap::new() }
    }

    /// Whether nobody can have one any more. Of what caps leave, the next lead may find another dealer's.
    fn all_taken(&self) -> bool {
        match self {
            Self::GivenBack { left, anybodys } => *anybodys == 0 && left.values().all(|left| *left == 0),
            Self::Left { .. } => false,
        }
    }

    /// Takes a turn for a lead that these may have; `false` when none is left for it.
    fn take(&mut self, theirs: &[Taker]) -> bool {
        match self {
            Self::GivenBack { left, anybodys } => {
                let may = |dealer: &DealerId| theirs.iter().any(|taker| taker.dealer == *dealer);
                let open = left.iter_mut().filter(|(dealer, left)| **left > 0 && may(dealer));
                if let Some((_, left)) = open.max_by_key(|(_, left)| **left) {
                    *left -= 1;
                    return true;
                }
                let anybody = *anybodys > 0 && !theirs.is_empty();
                *anybodys -= u64::from(anybody);
                anybody
            }
            Self::Left { contracts, dealers } => {
                let turns = |left: Option<u64>| left.map(|left| left.saturating_mul(FOR_A_SLOT));
                let mut most: Option<(u64, &Taker)> = None;
                for taker in theirs {
                    let of_contract =
                        *contracts.entry(taker.contract.clone()).or_insert_with(|| turns(taker.of_contract));
                    let of_dealer =
                        *dealers.entry(taker.dealer.clone()).or_insert_with(|| turns(taker.of_dealer));
                    let left = of_contract.into_iter().chain(of_dealer).min().unwrap_or(u64::MAX);
                    if left > most.map_or(0, |(most, _)| most) {
                        most = Some((left, taker));
                    }
                }
                let Some((_, taker)) = most else { return false };
                for left in [contracts.get_mut(&taker.contract), dealers.get_mut(&taker.dealer)] {
                    if let Some(Some(left)) = left {
                        *left -= 1;
                    }
                }
                true
            }
        }
    }
}
