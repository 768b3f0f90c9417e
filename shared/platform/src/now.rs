//! What matters of a company now: how much waits for the desk, and which leads stand at the top of its lists.
//!
//! Whoever opens the page of the day, or the list of the hottest, asks for all of it at once, and what it is read from
//! grows with a company's categories and shards. So it is counted when something happened, by the function that hears of
//! everything that does, and kept as one small item; pages read that, and the leads that it names.
//!
//! Determinations. *What is kept is true until something happens*: leads are named by letter, so that they are put in
//! order as of the moment of reading, and what lapses is kept with its instant. *Whoever reads it asks the leads
//! themselves*: who was placed or reached since stands in no list; a count may be as far behind as a batch of the stream.
//! *What cannot be told exactly says "at least"*, by the same limits whoever counts. *Where leads alone changed (somebody
//! looked at a page), it is counted every [two minutes](LEADS_S) at most*, unless a hundred rose; who rose by it to where
//! the named ones stand is noted at once. *Dealers are asked for every quarter of an hour at most*: that takes more reads
//! than all the rest. It is gone by until the first period ends that somebody has used up, and no more once the desk
//! enables a channel or books a deposit; nor after the quarter, where something happened within it.
//!
//! *What is not counted when it happens is when its time has come*, by the sweep: the item is due. So a look counts nothing
//! itself but where it comes before the sweep does: within a minute of a publish, after a day in which nothing happened, or
//! when the sweep is [late](GRACE).

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use futures::future::try_join_all;
use jiff::tz::TimeZone;
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
use leadyard_domain::scoring::FitLetter;
use leadyard_domain::time::{self, Period};
use serde::{Deserialize, Serialize};

use crate::cloud::Cloud;
use crate::judging;
use crate::scores::Scores;
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
const KEPT_S: i64 = 24 * 3_600;
/// The same where leads alone changed.
const LEADS_S: i64 = 120;
/// A look goes by what is to be counted anew for so long: the sweep comes every minute.
const GRACE: SignedDuration = SignedDuration::from_secs(120);
/// The hottest in nobody's hands, and the hottest that a dealer has, that are named.
pub const TOP: usize = 100;
/// Leads that are noted to have risen, before all is counted.
const ROSE: usize = 100;
/// How long what was found of dealers is gone by, in seconds, while things happen.
const DEALERS_S: i64 = 15 * 60;

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
    /// When the next of them will be.
    pub overdue_next: Option<Timestamp>,
    /// Leads that wait, by reason: of all of them the [hottest](COUNTED).
    pub waiting: BTreeMap<String, usize>,
    /// Whether more wait than were counted.
    pub more_waiting: bool,
    /// Leads with a dealer whom nobody reached yet.
    pub unanswered: AtLeast,
    /// Dealers that are in trouble.
    pub dealers: Dealers,
    /// In nobody's hands: of each letter the hottest.
    pub free: Vec<LeadId>,
    /// Whether more are than are named.
    pub more_free: bool,
    /// With a dealer, and nobody reached them: of each letter the hottest.
    pub held: Vec<LeadId>,
    /// Offers by when they lapse, the next first.
    pub lapsing: Vec<(Timestamp, LeadId)>,
    /// Those that nobody has, by score.
    pub top_free: Top,
    /// Those that a dealer has, reached or not.
    pub top_held: Top,
}

/// The hottest of a kind, by score as of when they were counted; at most [`TOP`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top {
    /// Who.
    pub leads: Vec<LeadId>,
    /// The score of the last of them, in hundredths of a point, where more stand behind.
    pub behind: Option<u64>,
}

impl Top {
    fn of(mut places: Vec<Place>, scores: &Scores<'_>) -> Self {
        places.sort_by_cached_key(|place| Reverse((scores.of_place(&place.0), place.clone())));
        let mut seen = HashSet::new();
        places.retain(|(_, lead)| seen.insert(*lead));
        let last = places.get(TOP - 1).filter(|_| places.len() > TOP);
        let behind = last.map(|(sort, _)| scores.of_place(sort));
        Self { leads: places.into_iter().take(TOP).map(|(_, lead)| lead).collect(), behind }
    }

    /// Whether a lead of this score belongs to them and is not named.
    fn lacks(&self, lead: LeadId, hundredths: u64) -> bool {
        self.behind.is_none_or(|last| hundredths > last) && !self.leads.contains(&lead)
    }
}

/// Dealers that are in trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dealers {
    /// When they were asked for.
    pub at: Timestamp,
    /// When the first period ends that one of them has used up.
    pub until: Option<Timestamp>,
    /// Of which a channel takes nothing.
    pub failing: AtLeast,
    /// That are full, or have a contract that is.
    pub full: AtLeast,
}

impl Dealers {
    /// Whether no period ended meanwhile.
    fn hold(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }

    /// These, if they need not be asked for again though something happened.
    fn known(self, at: Timestamp) -> Option<Self> {
        let young = at.as_second() - self.at.as_second() < DEALERS_S;
        (young && self.hold(at)).then_some(self)
    }
}

/// What was last counted, by these rules and not too long ago.
struct Kept {
    now: Now,
    /// When leads changed last without its being counted, in Unix milliseconds.
    touched_ms: Option<i64>,
    /// Who came to stand high since.
    rose: Vec<LeadId>,
}

impl Kept {
    async fn read(cloud: &Cloud, core: &Core) -> Result<Option<Self>, StoreError> {
        let Some(stored) = cloud.store.now_get(core.company_id()).await? else { return Ok(None) };
        // What another version of this program wrote is counted again.
        let now: Option<Now> = stored.text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let oldest = cloud.clock.now().as_second() - KEPT_S;
        let now = now.filter(|now| now.rulebook == core.version && now.at.as_second() >= oldest);
        Ok(now.map(|now| Self { now, touched_ms: stored.touched_ms, rose: stored.rose }))
    }

    /// Whether leads changed since.
    fn is_touched(&self) -> bool {
        self.touched_ms.is_some_and(|touched| touched >= self.now.at.as_millisecond())
    }

    /// Whether it need not be counted again where leads alone changed.
    fn is_young(&self, at: Timestamp) -> bool {
        at.as_second() - self.now.at.as_second() < LEADS_S && self.now.dealers.hold(at)
    }

    /// Whether it can be gone by. Of dealers who were asked for before it was counted something may have changed since.
    fn holds(&self, at: Timestamp) -> bool {
        let dealers = &self.now.dealers;
        let asked = dealers.at == self.now.at || dealers.known(at).is_some();
        self.is_young(at) || !self.is_touched() && dealers.hold(at) && asked
    }

    /// Whether a look goes by it.
    fn serves(&self, at: Timestamp) -> bool {
        self.holds(at.checked_sub(GRACE).unwrap_or(at))
    }

    /// Of leads that changed, those that belong to the hottest and are not named.
    fn lacks(&self, cloud: &Cloud, core: &Core, changed: &[Lead]) -> Vec<LeadId> {
        let scores = Scores::of(core, cloud.clock.now());
        let lacks = |lead: &&Lead| {
            let top = match lead.stage {
                Stage::Waiting | Stage::Nurturing => &self.now.top_free,
                Stage::Assigned => &self.now.top_held,
                Stage::Received
                | Stage::Quarantined
                | Stage::Won
                | Stage::Lost
                | Stage::Expired
                | Stage::Rejected => return false,
            };
            let score = scores.now(lead).map_or(0, |score| score.hundredths);
            top.lacks(lead.id, score) && !self.rose.contains(&lead.id)
        };
        // A batch may have a lead more than once, and a set takes it once.
        let lacking: HashSet<LeadId> = changed.iter().filter(lacks).map(|lead| lead.id).collect();
        lacking.into_iter().collect()
    }
}

impl Now {
    /// When it is to be counted again though nothing happens.
    fn due(&self) -> Option<Timestamp> {
        let ages = self.dealers.at != self.at;
        let old = ages.then(|| after(self.dealers.at, DEALERS_S));
        old.into_iter().chain(self.dealers.until).chain(self.overdue_next).min()
    }

    /// The same where leads changed since.
    fn due_touched(&self) -> Timestamp {
        let touched = after(self.at, LEADS_S);
        self.due().map_or(touched, |due| due.min(touched))
    }
}

fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

/// What was last counted, if it can be gone by; else it is counted, and not kept: what happened and is not told by the
/// stream yet would not outdate it. The sweep counts it then, and keeps it.
///
/// # Errors
/// When the store could not be asked.
pub async fn read(cloud: &Cloud, core: &Core) -> Result<Now, StoreError> {
    let at = cloud.clock.now();
    let known = match Kept::read(cloud, core).await? {
        Some(kept) if kept.serves(at) => return Ok(kept.now),
        kept => kept.and_then(|kept| kept.now.dealers.known(at)),
    };
    let now = Box::pin(counted(cloud, core, known, at)).await?;
    wants(cloud, core.company_id()).await;
    Ok(now)
}

/// The hottest by what was last counted, and who rose since, in no order; `None`, where it cannot be gone by.
///
/// # Errors
/// When the store could not be asked.
pub async fn tops(cloud: &Cloud, core: &Core) -> Result<Option<Tops>, StoreError> {
    match Kept::read(cloud, core).await? {
        Some(kept) if kept.serves(cloud.clock.now()) => {
            Ok(Some(Tops { free: kept.now.top_free, held: kept.now.top_held, rose: kept.rose }))
        }
        _ => {
            wants(cloud, core.company_id()).await;
            Ok(None)
        }
    }
}

/// See [`tops`].
#[derive(Clone, Debug)]
pub struct Tops {
    /// In nobody's hands.
    pub free: Top,
    /// With a dealer.
    pub held: Top,
    /// Who rose since those were counted.
    pub rose: Vec<LeadId>,
}

/// The sweep counts it: what is kept is of other rules, or too old. That it could not be said fails nothing.
pub async fn wants(cloud: &Cloud, company: &CompanyId) {
    if let Err(error) = cloud.store.now_due(company, cloud.clock.now()).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error, company.id = %company,
            "what matters now is counted at each look"
        );
    }
}

/// Counts it, and keeps it; nothing of a company without rules. Where `leads` alone changed, what was counted just now
/// stands.
///
/// # Errors
/// When the store could not be asked.
pub async fn keep(cloud: &Cloud, company: &CompanyId, leads: Option<&[Lead]>) -> Result<(), StoreError> {
    let Some(in_force) = judging::in_force(cloud, company).await? else {
        return cloud.store.now_rests(company).await;
    };
    let core = &*in_force.core;
    // Before anything is read: what is outdated meanwhile is not kept.
    let at = cloud.clock.now();
    let kept = Kept::read(cloud, core).await?;
    if let Some(kept) = &kept
        && let Some(changed) = leads
        && kept.is_young(at)
    {
        let rose = kept.lacks(cloud, core, changed);
        if kept.rose.len() + rose.len() <= ROSE {
            return cloud.store.now_touch(company, at, kept.now.due_touched(), &rose).await;
        }
    }
    let known = kept.as_ref().and_then(|kept| kept.now.dealers.known(at));
    let now = Box::pin(counted(cloud, core, known, at)).await?;
    let text = serde_json::to_string(&now).map_err(|error| StoreError::Malformed(Box::new(error)))?;
    let rose = kept.map(|kept| kept.rose).unwrap_or_default();
    cloud.store.now_keep(company, &text, now.at, (now.due(), now.due_touched()), &rose).await
}

/// What is kept is gone by no more: something was done that the stream does not tell. That it could not be said fails
/// nothing.
pub async fn outdate(cloud: &Cloud, company: &CompanyId) {
    if let Err(error) = cloud.store.now_outdate(company, cloud.clock.now()).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error, company.id = %company,
            "what matters now may be behind for hours"
        );
    }
}

/// Counts it; dealers are asked for where they are not known.
async fn counted(
    cloud: &Cloud,
    core: &Core,
    known: Option<Dealers>,
    at: Timestamp,
) -> Result<Now, StoreError> {
    let company = core.company_id();
    // By when they arrived: what was put aside later has longer.
    let within = SignedDuration::from_hours(i64::from(core.screening.deadline_hours));
    let arrived = at.checked_sub(within).unwrap_or(at);
    let dealers = async {
        match known {
            Some(known) => Ok(known),
            None => dealers(cloud, core, at).await,
        }
    };
    let (quarantined, (waiting, more_waiting), free, held, dealers) = futures::try_join!(
        cloud.store.quarantine_counts(company, arrived, COUNTED),
        waiting(cloud, core),
        hottest(cloud, core, &[Stage::Waiting, Stage::Nurturing], TOP + 1),
        held(cloud, core, at),
        dealers
    )?;
    let scores = Scores::of(core, at);
    // The millisecond after: at the deadline itself it is not overdue yet.
    let overdue_next = quarantined.next_ms.and_then(|ms| Timestamp::from_millisecond(ms + 1).ok());
    Ok(Now {
        at,
        rulebook: core.version,
        quarantined: AtLeast { count: quarantined.waiting, more: quarantined.more },
        overdue: quarantined.before,
        overdue_next: overdue_next.and_then(|arrived| arrived.checked_add(within).ok()),
        waiting,
        more_waiting,
        unanswered: held.unanswered,
        dealers,
        more_free: by_letter(&free).values().any(|stand| *stand > NAMED),
        free: of_each_letter(free.clone(), NAMED).into_iter().map(|(_, lead)| lead).collect(),
        held: held.hottest,
        lapsing: held.lapsing,
        top_free: Top::of(free, &scores),
        top_held: Top::of(held.places, &scores),
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

/// How many there are of each letter.
fn by_letter(places: &[Place]) -> HashMap<Option<FitLetter>, usize> {
    let mut by_letter = HashMap::new();
    for (sort, _) in places {
        *by_letter.entry(crate::store::keys::letter_of_stage(sort)).or_default() += 1;
    }
    by_letter
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
    /// All that were found, of each letter the hottest.
    places: Vec<Place>,
    /// Those whom nobody reached.
    hottest: Vec<LeadId>,
    unanswered: AtLeast,
    lapsing: Vec<(Timestamp, LeadId)>,
}

async fn held(cloud: &Cloud, core: &Core, now: Timestamp) -> Result<Held, StoreError> {
    let all = hottest(cloud, core, &[Stage::Assigned], TOP + 1).await?;
    let places = of_each_letter(all.clone(), HELD);
    let ids: Vec<LeadId> = places.iter().map(|(_, lead)| *lead).collect();
    let leads = cloud.store.leads_get(&ids).await?;
    let seats = seats_of(cloud, &leads).await?;
    let known: HashMap<LeadId, &Lead> = leads.iter().map(|lead| (lead.id, lead)).collect();
    let waits = |lead: &LeadId| known.get(lead).is_some_and(|lead| is_unanswered(lead, &seats));
    let unanswered: Vec<&Place> = places.iter().filter(|(_, lead)| waits(lead)).collect();
    let mut lapsing: Vec<(Timestamp, LeadId)> = unanswered
        .iter()
        .filter_map(|(_, lead)| Some((lapses_at(known.get(lead)?, &seats, now)?, *lead)))
        .collect();
    lapsing.sort_unstable();
    lapsing.truncate(LAPSING);
    let more = by_letter(&all).values().any(|stand| *stand > HELD);
    let count = unanswered.len();
    let hottest = of_each_letter(unanswered.into_iter().cloned().collect(), NAMED);
    Ok(Held {
        places: all,
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

/// The offers of a lead that were not accepted yet, and are not over; each with when it lapses.
fn open_offers<'a>(
    lead: &'a Lead,
    seats: &'a Seats,
    now: Timestamp,
) -> impl Iterator<Item = (Timestamp, &'a Assignment)> {
    let seats = lead.holders.iter().filter_map(|holder| seats.get(&holder.assignment));
    let offers = seats.filter(|seat| seat.masked());
    let offers = offers.filter_map(|seat| Some((seat.accept_by.as_ref()?.at, seat)));
    offers.filter(move |(at, _)| *at > now)
}

/// When the next offer of a lead lapses, if one does.
pub fn lapses_at(lead: &Lead, seats: &Seats, now: Timestamp) -> Option<Timestamp> {
    open_offers(lead, seats, now).map(|(at, _)| at).min()
}

/// Who has not accepted a lead yet, and still can.
pub fn not_accepted<'a>(lead: &'a Lead, seats: &'a Seats, now: Timestamp) -> Vec<&'a DealerId> {
    open_offers(lead, seats, now).map(|(_, seat)| &seat.dealer).collect()
}

/// How many dealers fail, and how many are full. Nobody, where the text of the rules is not kept.
async fn dealers(cloud: &Cloud, core: &Core, now: Timestamp) -> Result<Dealers, StoreError> {
    let nobody = AtLeast::default();
    let Some(book) = cloud.rulebooks.book(&cloud.store, core).await? else {
        return Ok(Dealers { at: now, until: None, failing: nobody, full: nobody });
    };
    let ((failing, cut), full) =
        futures::try_join!(failing(cloud, core, &book), full(cloud, core, &book, now))?;
    Ok(Dealers {
        at: now,
        until: full.until,
        failing: AtLeast { count: failing.len(), more: cut },
        full: AtLeast { count: full.dealers.len(), more: full.cut },
    })
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
    let fails = asked.iter().filter(|channel| failure(channel, state(channel)).is_some());
    Ok((fails.map(|channel| channel.dealer.clone()).collect(), sent().count() > ASKED))
}

/// How a channel stands that takes nothing, or did not when it was tried last.
pub fn failure<'a>(channel: &Channel, state: Option<&'a ChannelState>) -> Option<&'a ChannelState> {
    // A channel that the rulebook changed since begins anew.
    let state = state.filter(|state| state.mark == channel_mark(channel.kind, &channel.address));
    state.filter(|state| state.disabled.is_some() || !matches!(state.breaker, Breaker::Closed { .. }))
}

/// Dealers that are full, or have a contract that is.
#[derive(Clone, Debug, Default)]
pub struct Full {
    /// Who.
    pub dealers: HashSet<DealerId>,
    /// Whether there are more than were asked for.
    pub cut: bool,
    /// When the first period ends that one of them has used up.
    pub until: Option<Timestamp>,
}

impl Full {
    /// Looks at the caps of a dealer, or of a contract of its.
    fn look(&mut self, dealer: &Dealer, limits: &[Limit], core: &Core, now: Timestamp) {
        for limit in limits.iter().filter(|limit| limit.is_full()) {
            self.dealers.insert(dealer.id.clone());
            let ends = limit.period().end(now, &zone_of(dealer), core.company.week_starts);
            let ends = ends.and_then(|ends| Timestamp::from_second(ends).ok());
            self.until = self.until.into_iter().chain(ends).min();
        }
    }
}

/// Whether a contract has a cap or a budget: of one that has none nobody asks what was used.
pub fn is_limited(contract: &Contract) -> bool {
    !contract.caps.0.is_empty() || contract.budget_month.is_some()
}

/// Dealers that are full, or have a contract that is; of the first [`ASKED`] counters.
///
/// # Errors
/// When the store could not be asked.
pub async fn full(cloud: &Cloud, core: &Core, book: &Rulebook, now: Timestamp) -> Result<Full, StoreError> {
    // Of whom nothing is limited, nobody asks.
    let capped: Vec<&Contract> = book.contracts.iter().filter(|contract| is_limited(contract)).collect();
    let limited: Vec<&Dealer> =
        book.dealers.iter().filter(|dealer| !dealer.caps.0.is_empty() || dealer.prepaid).collect();
    // The contracts have what the dealers leave.
    let dealers: Vec<DealerId> = limited.iter().take(ASKED).map(|one| one.id.clone()).collect();
    let contracts: Vec<ContractId> =
        capped.iter().take(ASKED - dealers.len()).map(|one| one.id.clone()).collect();
    let cut = contracts.len() + dealers.len() < capped.len() + limited.len();
    let counters = cloud.store.caps_get(core.company_id(), &contracts, &dealers).await?;
    let of: HashMap<&DealerId, &Dealer> = book.dealers.iter().map(|dealer| (&dealer.id, dealer)).collect();
    let mut found = Full { cut, ..Full::default() };
    for contract in &capped {
        let Some(dealer) = of.get(&contract.dealer) else { continue };
        let usage = counters.contracts.get(&contract.id);
        let limits = limits(&contract.caps, contract.budget_month, usage, &reserves(core, dealer, now));
        found.look(dealer, &limits, core, now);
    }
    for dealer in &limited {
        let usage = counters.dealers.get(&dealer.id);
        found.look(dealer, &limits(&dealer.caps, None, usage, &reserves(core, dealer, now)), core, now);
        if dealers.contains(&dealer.id) && dealer.prepaid && usage.map_or(0, |usage| usage.balance) <= 0 {
            found.dealers.insert(dealer.id.clone());
        }
    }
    Ok(found)
}

fn zone_of(dealer: &Dealer) -> TimeZone {
    // A zone that the rulebook let through is one.
    time::zone(&dealer.zone).unwrap_or(TimeZone::UTC)
}

/// The periods that a dealer's caps are counted in now.
pub fn reserves(core: &Core, dealer: &Dealer, now: Timestamp) -> Reservation {
    Reservation::at(now, &zone_of(dealer), core.company.week_starts)
}

/// What limits a dealer or a contract, and what is used of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Leads of a period.
    Cap {
        /// Which.
        period: Period,
        /// How many it had.
        used: u32,
        /// At most.
        most: u32,
    },
    /// Money of a month.
    Budget {
        /// What its leads cost.
        spent: Money,
        /// At most.
        most: Money,
    },
}

impl Limit {
    /// Whether all of it is used.
    pub fn is_full(self) -> bool {
        match self {
            Self::Cap { used, most, .. } => used >= most,
            Self::Budget { spent, most } => spent.minor() >= most.minor(),
        }
    }

    const fn period(self) -> Period {
        match self {
            Self::Cap { period, .. } => period,
            Self::Budget { .. } => Period::Month,
        }
    }
}

/// Each cap and the budget, with what is used of it.
pub fn limits(
    caps: &Caps,
    budget: Option<Money>,
    usage: Option<&Usage>,
    reserves: &Reservation,
) -> Vec<Limit> {
    let used = |period: Period| usage.map_or(0, |usage| usage.in_period(period, reserves.start(period)));
    let spent = usage.map_or(0, |usage| usage.spent(reserves.start(Period::Month)));
    let caps =
        caps.0.iter().map(|cap| Limit::Cap { period: cap.period, used: used(cap.period), most: cap.most });
    let budget = budget.map(|most| Limit::Budget { spent: Money::from_minor(spent), most });
    caps.chain(budget).collect()
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

    #[test]
    fn what_is_kept_is_due_when_the_first_of_what_it_says_ends() {
        let at: Timestamp = "2026-06-01T15:00:00Z".parse().unwrap();
        let minutes = |minutes: i64| after(at, 60 * minutes);
        let now = |asked: Timestamp, until: Option<Timestamp>, overdue_next: Option<Timestamp>| Now {
            at,
            rulebook: 1,
            quarantined: AtLeast::default(),
            overdue: 0,
            overdue_next,
            waiting: BTreeMap::new(),
            more_waiting: false,
            unanswered: AtLeast::default(),
            dealers: Dealers { at: asked, until, failing: AtLeast::default(), full: AtLeast::default() },
            free: Vec::new(),
            more_free: false,
            held: Vec::new(),
            lapsing: Vec::new(),
            top_free: Top::default(),
            top_held: Top::default(),
        };
        let due = |now: Now| (now.due(), now.due_touched());
        assert_eq!(due(now(at, None, None)), (None, minutes(2)));
        assert_eq!(due(now(minutes(-10), None, None)), (Some(minutes(5)), minutes(2)));
        assert_eq!(due(now(minutes(-14), None, Some(minutes(3)))), (Some(minutes(1)), minutes(1)));
        assert_eq!(due(now(at, Some(minutes(9)), Some(minutes(7)))), (Some(minutes(7)), minutes(2)));
    }

    #[test]
    fn of_the_hottest_those_are_lacking_who_stand_above_the_last_and_are_not_named() {
        let lead = |byte: u8| LeadId::from_bytes([byte; 16]);
        let few = Top { leads: vec![lead(1)], behind: None };
        assert!(few.lacks(lead(2), 0) && !few.lacks(lead(1), 900));
        let many = Top { leads: vec![lead(1)], behind: Some(500) };
        assert!(many.lacks(lead(2), 501) && !many.lacks(lead(2), 500) && !many.lacks(lead(1), 900));
    }
}
