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
//!
//! | module | holds |
//! |---|---|
//! | `kept` | what was counted last, whether it can be gone by, and when it is due |
//! | `lists` | who waits, and why; of each fit letter the hottest |
//! | `held` | leads that dealers have: whom nobody reached, which offers lapse |
//! | `dealers` | dealers that fail, or are full |

mod kept;
mod lists;
mod held;
mod dealers;

pub use dealers::{Dealers, Full, Limit, failing, failure, full, is_limited, limits, reserves};
pub use held::{Seats, is_unanswered, lapses_at, not_accepted, seats_of};
pub use lists::Top;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::{CompanyId, LeadId};
use leadyard_domain::lead::{Lead, Stage};
use serde::{Deserialize, Serialize};

use crate::cloud::Cloud;
use crate::judging;
use crate::scores::Scores;
use crate::store::StoreError;
use dealers::dealers;
use held::held;
use kept::Kept;
use lists::{by_letter, hottest, of_each_letter, waiting};

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
