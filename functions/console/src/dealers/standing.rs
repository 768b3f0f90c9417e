//! What keeps leads from a dealer now, and what is used of what limits it.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use leadyard_domain::contract::Contract;
use leadyard_domain::dealer::{Channel, ChannelKind, Dealer};
use leadyard_domain::delivery::Breaker;
use leadyard_domain::distribution::{Core, Counters, Pause, Reservation, Switches};
use leadyard_domain::ids::{ContractId, DealerId};
use leadyard_domain::money::Money;
use leadyard_domain::rulebook::Rulebook;
use leadyard_domain::time;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::now::{self, Limit};
use leadyard_platform::store::ChannelState;
use serde_json::{Value, json};

use crate::statement::amount;

/// How a dealer can be given leads now.
pub(crate) struct Standing {
    /// What keeps leads from it.
    pub(crate) troubles: Vec<Trouble>,
    /// Those of its contracts that were asked for.
    pub(crate) contracts: Vec<OfContract>,
    pub(crate) channels: Vec<OfChannel>,
    /// Of all its contracts together.
    pub(crate) limits: Vec<Limit>,
    /// What is left of what it paid in advance, in minor units, where it must or did.
    pub(crate) balance: Option<i64>,
}

/// What keeps leads from a dealer.
pub(crate) enum Trouble {
    Paused(Paused),
    NoContract,
    /// None of its contracts, as far as they were looked at.
    NoneTakes {
        /// Why, each once.
        why: Vec<Kept>,
        /// How many were not looked at.
        unknown: usize,
    },
    Full(Limit),
    /// Nothing is left of what was paid in advance.
    NothingPaid,
    Channel(ChannelKind, Fails),
}

/// What keeps leads from a contract.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    Paused(Paused),
    Starts(Date),
    Ended(Date),
    Full(Limit),
}

/// A pause that holds now.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Paused {
    pub(crate) reason: String,
    pub(crate) until: Option<Timestamp>,
}

/// A contract, and what of it is used.
pub(crate) struct OfContract {
    pub(crate) id: ContractId,
    pub(crate) price: Money,
    pub(crate) limits: Vec<Limit>,
    /// Why it gets nothing now.
    pub(crate) kept: Option<Kept>,
    pub(crate) paused: bool,
}

/// A channel, and how it fares.
pub(crate) struct OfChannel {
    pub(crate) order: u8,
    pub(crate) kind: ChannelKind,
    /// Why nothing goes through.
    pub(crate) fails: Option<Fails>,
}

/// Why nothing goes through a channel.
#[derive(Clone)]
pub(crate) enum Fails {
    /// It takes nothing until the desk says so.
    Disabled { at: Timestamp, why: String },
    /// It does not answer, and is left alone.
    LeftAlone { until: Timestamp },
    /// It did not answer; the next lead tries it.
    DidNotAnswer,
}

impl OfChannel {
    fn of(channel: &Channel, state: Option<&ChannelState>, now: Timestamp) -> Self {
        let state = now::failure(channel, state);
        let disabled = state.and_then(|state| state.disabled.as_ref());
        let fails = match (disabled, state.map(|state| state.breaker)) {
            (Some(disabled), _) => Some(Fails::Disabled { at: disabled.at, why: disabled.why.clone() }),
            (None, Some(Breaker::Open { until, .. } | Breaker::Probing { until, .. })) if until > now => {
                Some(Fails::LeftAlone { until })
            }
            (None, Some(Breaker::Open { .. } | Breaker::Probing { .. })) => Some(Fails::DidNotAnswer),
            (None, Some(Breaker::Closed { .. }) | None) => None,
        };
        Self { order: channel.order, kind: channel.kind, fails }
    }
}

/// A pause that holds now.
pub(crate) fn pause<'a, Id: PartialEq>(
    pauses: &'a [Pause<Id>],
    id: &Id,
    now: Timestamp,
) -> Option<&'a Pause<Id>> {
    pauses.iter().find(|pause| pause.id == *id && is_on(pause, now))
}

fn is_on<Id>(pause: &Pause<Id>, now: Timestamp) -> bool {
    pause.until.is_none_or(|until| now < until)
}

/// Dealers that are paused now, or a contract of theirs is.
pub(super) fn paused(book: &Rulebook, switches: &Switches, now: Timestamp) -> HashSet<DealerId> {
    let contracts =
        book.contracts.iter().filter(|contract| pause(&switches.contracts, &contract.id, now).is_some());
    let by_contract = contracts.map(|contract| contract.dealer.clone());
    let dealers = switches.dealers.iter().filter(|pause| is_on(pause, now)).map(|pause| pause.id.clone());
    dealers.chain(by_contract).collect()
}

/// How many dealers are paused now, or have a contract that is: those that the list of the paused has. A pause outlasts a
/// dealer or contract that the rules no longer have, and counts for nothing then. The rules as they are written are read
/// where somebody is paused; where their text is not kept, nobody is counted.
pub(crate) async fn paused_now(
    cloud: &Cloud,
    core: &Core,
    switches: &Switches,
    now: Timestamp,
) -> Result<usize, Problem> {
    let any = switches.dealers.iter().any(|pause| is_on(pause, now))
        || switches.contracts.iter().any(|pause| is_on(pause, now));
    if !any {
        return Ok(0);
    }
    let Some(book) = cloud.rulebooks.book(&cloud.store, core).await? else { return Ok(0) };
    let paused = paused(&book, switches, now);
    Ok(book.dealers.iter().filter(|dealer| paused.contains(&dealer.id)).count())
}

/// All that is known of some dealers now.
pub(crate) struct Known<'a> {
    core: &'a Core,
    book: &'a Rulebook,
    switches: &'a Switches,
    /// The contracts of theirs that were asked for.
    asked: HashSet<&'a ContractId>,
    counters: Counters,
    channels: HashMap<(DealerId, u8), ChannelState>,
    now: Timestamp,
}

impl<'a> Known<'a> {
    /// These dealers, and these contracts of theirs. A read for each hundred of both that are limited, and for each hundred
    /// channels.
    pub(crate) async fn read(
        cloud: &Cloud,
        (core, book, switches): (&'a Core, &'a Rulebook, &'a Switches),
        dealers: &[&Dealer],
        contracts: &[&'a Contract],
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let ids: HashSet<&DealerId> = dealers.iter().map(|dealer| &dealer.id).collect();
        let asked = contracts.iter().map(|&contract| &contract.id).collect();
        let limited = contracts.iter().filter(|contract| now::is_limited(contract));
        let limited: Vec<ContractId> = limited.map(|contract| contract.id.clone()).collect();
        let of_page: Vec<DealerId> = dealers.iter().map(|dealer| dealer.id.clone()).collect();
        let channels = book.channels.iter().filter(|channel| ids.contains(&channel.dealer));
        let channels: Vec<(&DealerId, u8)> =
            channels.map(|channel| (&channel.dealer, channel.order)).collect();
        let (counters, channels) = futures::try_join!(
            cloud.store.caps_get(core.company_id(), &limited, &of_page),
            cloud.store.channels_get(core.company_id(), &channels)
        )?;
        Ok(Self { core, book, switches, asked, counters, channels, now })
    }

    pub(crate) fn standing(&self, dealer: &Dealer) -> Standing {
        let (core, now) = (self.core, self.now);
        let reserves = now::reserves(core, dealer, now);
        let usage = self.counters.dealers.get(&dealer.id);
        let today = zone_of(dealer).to_datetime(now).date();
        let (contracts, none_takes) = self.contracts(dealer, &reserves, today);
        let channels = self.book.channels.iter().filter(|channel| channel.dealer == dealer.id);
        let channels: Vec<OfChannel> = channels
            .map(|channel| {
                let state = self.channels.get(&(channel.dealer.clone(), channel.order));
                OfChannel::of(channel, state, now)
            })
            .collect();
        let limits = now::limits(&dealer.caps, None, usage, &reserves);
        let balance = usage.map_or(0, |usage| usage.balance);
        let mut troubles = Vec::new();
        troubles.extend(Paused::of(&self.switches.dealers, &dealer.id, now).map(Trouble::Paused));
        troubles.extend(none_takes);
        troubles.extend(limits.iter().filter(|limit| limit.is_full()).copied().map(Trouble::Full));
        if dealer.prepaid && balance <= 0 {
            troubles.push(Trouble::NothingPaid);
        }
        let failing = channels.iter().filter_map(|channel| Some((channel.kind, channel.fails.clone()?)));
        troubles.extend(failing.map(|(kind, fails)| Trouble::Channel(kind, fails)));
        let balance = (dealer.prepaid || balance != 0).then_some(balance);
        Standing { troubles, contracts, channels, limits, balance }
    }

    /// Those of its contracts that were asked for; and why none of its contracts takes leads, as far as is known.
    fn contracts(
        &self,
        dealer: &Dealer,
        reserves: &Reservation,
        today: Date,
    ) -> (Vec<OfContract>, Option<Trouble>) {
        let (mut asked, mut why, mut takes, mut unknown) = (Vec::new(), Vec::<Kept>::new(), false, 0);
        for contract in self.book.contracts.iter().filter(|contract| contract.dealer == dealer.id) {
            let is_asked = self.asked.contains(&contract.id);
            let stands = self.contract(contract, reserves, today);
            match &stands.kept {
                None => {
                    // Whether one is full that was not asked for, nobody knows.
                    let is_known = is_asked || !now::is_limited(contract);
                    takes |= is_known;
                    unknown += usize::from(!is_known);
                }
                Some(kept) if !why.contains(kept) => why.push(kept.clone()),
                Some(_) => {}
            }
            if is_asked {
                asked.push(stands);
            }
        }
        let none = match (takes, why.is_empty(), unknown) {
            (true, ..) => None,
            (false, true, 0) => Some(Trouble::NoContract),
            (false, _, unknown) => Some(Trouble::NoneTakes { why, unknown }),
        };
        (asked, none)
    }

    fn contract(&self, contract: &Contract, reserves: &Reservation, today: Date) -> OfContract {
        let usage = self.counters.contracts.get(&contract.id);
        let limits = now::limits(&contract.caps, contract.budget_month, usage, reserves);
        let paused = Paused::of(&self.switches.contracts, &contract.id, self.now);
        let full = limits.iter().find(|limit| limit.is_full()).copied();
        let is_paused = paused.is_some();
        let kept = match (paused, contract.starts, contract.ends, full) {
            (Some(paused), ..) => Some(Kept::Paused(paused)),
            (None, Some(starts), ..) if today < starts => Some(Kept::Starts(starts)),
            (None, _, Some(ends), _) if today > ends => Some(Kept::Ended(ends)),
            (None, _, _, full) => full.map(Kept::Full),
        };
        OfContract { id: contract.id.clone(), price: contract.price, limits, kept, paused: is_paused }
    }
}

impl Paused {
    fn of<Id: PartialEq>(pauses: &[Pause<Id>], id: &Id, now: Timestamp) -> Option<Self> {
        pause(pauses, id, now).map(|pause| Self { reason: pause.reason.clone(), until: pause.until })
    }
}

/// A dealer's own zone.
pub(crate) fn zone_of(dealer: &Dealer) -> jiff::tz::TimeZone {
    // A zone that the rulebook let through is one.
    time::zone(&dealer.zone).unwrap_or(jiff::tz::TimeZone::UTC)
}

// --- As the API says it ---

impl Standing {
    /// Members of a dealer's object.
    pub(super) fn tell(&self) -> Value {
        json!({
            "takes_leads": self.troubles.is_empty(),
            "troubles": self.troubles.iter().map(Trouble::tell).collect::<Vec<_>>(),
            "limits": limits(&self.limits),
            "balance": self.balance.map(amount),
            "contracts": self.contracts.iter().map(OfContract::tell).collect::<Vec<_>>(),
            "channels": self.channels.iter().map(OfChannel::tell).collect::<Vec<_>>(),
        })
    }
}

impl Trouble {
    fn tell(&self) -> Value {
        match self {
            Self::Paused(paused) => paused.tell(),
            Self::NoContract => json!({ "why": "no_contract" }),
            Self::NoneTakes { why, unknown } => json!({
                "why": "no_contract_takes", "contracts": why.iter().map(Kept::tell).collect::<Vec<_>>(),
                "not_looked_at": unknown,
            }),
            Self::Full(limit) => json!({ "why": "full", "limit": told(*limit) }),
            Self::NothingPaid => json!({ "why": "nothing_paid" }),
            Self::Channel(kind, fails) => {
                let mut told = fails.tell();
                told["channel"] = json!(kind);
                told
            }
        }
    }
}

impl Kept {
    fn tell(&self) -> Value {
        match self {
            Self::Paused(paused) => paused.tell(),
            Self::Starts(on) => json!({ "why": "not_begun", "date": on }),
            Self::Ended(on) => json!({ "why": "ended", "date": on }),
            Self::Full(limit) => json!({ "why": "full", "limit": told(*limit) }),
        }
    }
}

impl Paused {
    fn tell(&self) -> Value {
        json!({ "why": "paused", "reason": self.reason, "until": self.until })
    }
}

impl OfContract {
    fn tell(&self) -> Value {
        json!({
            "contract": self.id, "price": self.price.to_string(), "limits": limits(&self.limits),
            "trouble": self.kept.as_ref().map(Kept::tell),
        })
    }
}

impl OfChannel {
    fn tell(&self) -> Value {
        json!({
            "order": self.order, "kind": self.kind, "trouble": self.fails.as_ref().map(Fails::tell),
        })
    }
}

impl Fails {
    fn tell(&self) -> Value {
        match self {
            Self::Disabled { at, why } => json!({ "why": "disabled", "since": at, "reason": why }),
            Self::LeftAlone { until } => json!({ "why": "left_alone", "until": until }),
            Self::DidNotAnswer => json!({ "why": "did_not_answer" }),
        }
    }
}

fn limits(limits: &[Limit]) -> Vec<Value> {
    limits.iter().copied().map(told).collect()
}

fn told(limit: Limit) -> Value {
    match limit {
        Limit::Cap { period, used, most } => json!({
            "of": "leads", "period": period, "used": used, "most": most, "full": limit.is_full(),
        }),
        Limit::Budget { spent, most } => json!({
            "of": "money", "period": "month", "used": spent.to_string(), "most": most.to_string(), "full": limit.is_full(),
        }),
    }
}
