//! Dealers that are in trouble: a channel of theirs takes nothing, or they are full.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadyard_domain::contract::{Caps, Contract};
use leadyard_domain::dealer::{Channel, ChannelKind, Dealer};
use leadyard_domain::delivery::Breaker;
use leadyard_domain::distribution::{Core, Reservation, Usage};
use leadyard_domain::ids::{ContractId, DealerId};
use leadyard_domain::money::Money;
use leadyard_domain::rulebook::Rulebook;
use leadyard_domain::time::{self, Period};
use serde::{Deserialize, Serialize};

use super::{ASKED, AtLeast, DEALERS_S};
use crate::cloud::Cloud;
use crate::store::{ChannelState, StoreError, channel_mark};

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
    pub(super) fn hold(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }

    /// These, if they need not be asked for again though something happened.
    pub(super) fn known(self, at: Timestamp) -> Option<Self> {
        let young = at.as_second() - self.at.as_second() < DEALERS_S;
        (young && self.hold(at)).then_some(self)
    }
}

/// How many dealers fail, and how many are full. Nobody, where the text of the rules is not kept.
pub(super) async fn dealers(cloud: &Cloud, core: &Core, now: Timestamp) -> Result<Dealers, StoreError> {
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
