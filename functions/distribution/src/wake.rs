//! Waking those who wait, after something changed that may place them.
//!
//! A slot that came free, or an instant at which somebody comes free, wakes the best who may have it: see [`Slots`]. Where
//! nobody of the first thousand may, those behind them are looked at in the next run, [`RUNS`] at most: a waiting room is
//! never read through for a slot that nobody in it can use. For an instant likewise, as long as a run wakes somebody or
//! meets nobody who may have a slot: a run all of whose takers come too late is the last.
//! After a publish or a switch those come first likewise; then everybody is looked at, so that what each waits for
//! is true again; and of those who are nurtured, whoever may be ready by the rules that are in force now.

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
use leadyard_platform::queues::Further;
use leadyard_platform::scores::Scores;
use leadyard_platform::store::{StoreError, Wake};

use crate::room::Room;

/// Leads that are looked at together: a few at first, and twice as many each time, for mostly the first may have it.
const LOOKED_AT: (usize, usize) = (10, 100);
/// Leads that are looked at in one run: for slots that came back; for an instant, so many for each category.
const EXAMINED: usize = 1_000;
/// Runs for the slots that came free, or for an instant: who stands behind all of those waits for its own time.
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
/// budgets and balances leave then. What the runs before have left of them the message says: by the counters it would
/// be too many, since whom they woke may not have been decided on.
pub(crate) async fn wake_at(
    cloud: &Cloud,
    company: &CompanyId,
    category: &CategoryId,
    at_ms: i64,
    further: Option<Further>,
) -> Result<(), StoreError> {
    if !cloud.store.wake_at_stands(company, category, at_ms).await? {
        return Ok(());
    }
    let run = further.as_ref().map_or(0, |further| further.runs) + 1;
    let upto = further.as_ref().map(|further| further.upto.clone());
    let mut slots = further.map_or_else(Slots::that_are_left, Slots::left_by);
    let found = takers(cloud, company, Categories::All(category), upto.as_deref(), &mut slots).await?;
    if !send(cloud, company, &found.takers).await? {
        return Ok(());
    }
    let next = if run < RUNS && found.goes_on() { found.further } else { None };
    match next.and_then(|upto| slots.further(upto, run)) {
        None => cloud.store.wake_at_done(company, category, at_ms).await,
        Some(further) => {
            let now = cloud.clock.now();
            let by = now.checked_add(LOOKED_AT_WITHIN).unwrap_or(now);
            cloud.store.wake_at_goes_further(company, category, at_ms, by).await?;
            let sent = cloud.queues.wake_further_to_distribution(company, category, at_ms, further).await;
            if let Err(error) = sent {
                // The sweep begins anew.
                tracing::warn!(error = &error as &dyn std::error::Error, "not all who wait were looked at");
            }
            Ok(())
        }
    }
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
        let behind = wake.after.clone().map(|sort| (sort, NOBODYS));
        let next =
            cloud.store.leads_in_stage(company, Stage::Waiting, category, behind.as_ref(), MOVED).await?;
        let leads = next.iter().map(|(_, lead)| *lead).filter(|lead| !sent.contains(lead));
        make_due(cloud, &leads.collect::<Vec<_>>()).await?;
        if let Some((upto, _)) = next.get(MOVED - 1) {
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
    // Behind so many, of all categories, the next run goes on.
    let mut left = match slots {
        Slots::GivenBack { .. } => EXAMINED,
        Slots::Left { .. } => EXAMINED.saturating_mul(categories.len()),
    };
    let now = cloud.clock.now();
    let scores = Scores::of(&in_force.core, now);
    let mut room = Room::open(cloud, company, &scores, &categories, (after, left)).await?;
    let (mut together, most_together) = LOOKED_AT;
    let mut further = None;
    let mut known = KnownCounters::default();
    let (mut takers, mut too_late, mut later) = (Vec::new(), false, BTreeSet::new());
    'all: while !slots.all_taken() {
        let some = room.next(together.min(left)).await?;
        let Some((last, _)) = some.last() else { break };
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
            } else {
                too_late |= !may_have.now.is_empty();
            }
            let at = may_have.comes_free_at;
            later.extend(at.filter(|at| lead.due.is_none_or(|due| due.duration_since(*at) > AFTER_THE_BEST)));
        }
    }
    // What came back is nobody's yet, and somebody's earlier than they wait for: they are woken then.
    for at in later {
        wake_then(cloud, &in_force, company, at).await?;
    }
    Ok(Found { takers, too_late, further })
}

/// Whom slots may be for.
#[derive(Default)]
struct Found {
    takers: Vec<LeadId>,
    /// Somebody else may have a slot, and no turn was left for it.
    too_late: bool,
    /// Up to where in the index was looked, if more stand behind it.
    further: Option<String>,
}

impl Found {
    /// Whether somebody behind them may be for a slot: not where whoever may have one has come too late.
    const fn goes_on(&self) -> bool {
        !self.takers.is_empty() || !self.too_late
    }
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
    /// What caps, budgets and balances leave, found as those who may have it are.
    Left { contracts: HashMap<ContractId, Turns>, dealers: HashMap<DealerId, Turns> },
}

/// Turns at the slots of one contract, or of one dealer.
#[derive(Clone, Copy)]
struct Turns {
    /// How many more; `None` for no limit.
    left: Option<u64>,
    /// Whether any was taken.
    taken: bool,
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

    /// What the runs before this one have left.
    fn left_by(further: Further) -> Self {
        let turns = |left: u64| Turns { left: Some(left), taken: true };
        Self::Left {
            contracts: further.contracts.into_iter().map(|(id, left)| (id, turns(left))).collect(),
            dealers: further.dealers.into_iter().map(|(id, left)| (id, turns(left))).collect(),
        }
    }

    /// What the next run, behind this place, must know of the slots: what is left where a turn was taken. `None` where
    /// that is more than a message holds; they look for themselves then.
    fn further(self, upto: String, runs: u64) -> Option<Further> {
        let Self::Left { contracts, dealers } = self else { return None };
        let left = |turns: Turns| turns.left.filter(|_| turns.taken);
        let contracts: BTreeMap<ContractId, u64> =
            contracts.into_iter().filter_map(|(id, turns)| Some((id, left(turns)?))).collect();
        let dealers: BTreeMap<DealerId, u64> =
            dealers.into_iter().filter_map(|(id, turns)| Some((id, left(turns)?))).collect();
        let fits = contracts.len() + dealers.len() <= limits::TURNS_CARRIED;
        fits.then_some(Further { upto, runs, contracts, dealers })
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
                let turns = |left: Option<u64>| Turns {
                    left: left.map(|left| left.saturating_mul(FOR_A_SLOT)),
                    taken: false,
                };
                let mut most: Option<(u64, &Taker)> = None;
                for taker in theirs {
                    let of_contract =
                        *contracts.entry(taker.contract.clone()).or_insert_with(|| turns(taker.of_contract));
                    let of_dealer =
                        *dealers.entry(taker.dealer.clone()).or_insert_with(|| turns(taker.of_dealer));
                    let left = of_contract.left.into_iter().chain(of_dealer.left).min().unwrap_or(u64::MAX);
                    if left > most.map_or(0, |(most, _)| most) {
                        most = Some((left, taker));
                    }
                }
                let Some((_, taker)) = most else { return false };
                let theirs = [contracts.get_mut(&taker.contract), dealers.get_mut(&taker.dealer)];
                for turns in theirs.into_iter().flatten() {
                    turns.left = turns.left.map(|left| left.saturating_sub(1));
                    turns.taken = true;
                }
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hudson's contract, which its caps leave so many leads.
    fn hudson(of_contract: Option<u64>, of_dealer: Option<u64>) -> Taker {
        Taker {
            contract: "hudson-roofs".parse().unwrap(),
            dealer: "hudson".parse().unwrap(),
            of_contract,
            of_dealer,
        }
    }

    /// How many of so many turns these leave for one who may have them.
    fn taken(slots: &mut Slots, theirs: &Taker, many: usize) -> usize {
        (0..many).filter(|_| slots.take(std::slice::from_ref(theirs))).count()
    }

    #[test]
    fn several_runs_together_wake_no_more_than_twice_what_was_left_at_first() {
        let mut first = Slots::that_are_left();
        assert_eq!(taken(&mut first, &hudson(Some(700), Some(900)), 1_000), 1_000);
        let further = first.further("a place".to_owned(), 1).unwrap();
        assert_eq!((further.upto.as_str(), further.runs), ("a place", 1));
        // Whether the counters show those who were woken, some of them, or none: the next run wakes the rest.
        for left in [700, 350, 1] {
            let mut second = Slots::left_by(further.clone());
            assert_eq!(taken(&mut second, &hudson(Some(left), Some(900)), 1_000), 400);
            let third = second.further("behind it".to_owned(), 2).unwrap();
            assert_eq!(taken(&mut Slots::left_by(third), &hudson(Some(left), Some(900)), 1_000), 0);
        }
    }

    #[test]
    fn a_dealer_s_turns_are_carried_over_all_its_contracts() {
        let mut first = Slots::that_are_left();
        assert_eq!(taken(&mut first, &hudson(None, Some(3)), 5), 5);
        let further = first.further("a place".to_owned(), 1).unwrap();
        assert!(further.contracts.is_empty(), "what has no limit needs no count");
        let other = Taker { contract: "hudson-sheds".parse().unwrap(), ..hudson(None, Some(3)) };
        assert_eq!(taken(&mut Slots::left_by(further), &other, 5), 1);
    }

    #[test]
    fn turns_of_more_contracts_than_a_message_holds_are_not_carried() {
        for (contracts, carried) in [(limits::TURNS_CARRIED - 1, true), (limits::TURNS_CARRIED, false)] {
            let mut slots = Slots::that_are_left();
            for n in 0..contracts {
                let contract = format!("hudson-{n}").parse().unwrap();
                assert!(slots.take(&[Taker { contract, ..hudson(Some(1), Some(1_000_000)) }]));
            }
            assert_eq!(slots.further("a place".to_owned(), 1).is_some(), carried, "{contracts}");
        }
    }

    #[test]
    fn a_run_all_of_whose_takers_come_too_late_is_the_last() {
        let found = |takers: usize, too_late: bool| {
            let takers = vec![LeadId::from_bytes([1; 16]); takers];
            Found { takers, too_late, further: None }
        };
        assert!(found(2, true).goes_on() && found(2, false).goes_on());
        assert!(found(0, false).goes_on(), "whoever may have a slot may stand behind those who may not");
        assert!(!found(0, true).goes_on());
    }
}
