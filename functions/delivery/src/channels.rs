//! How a dealer is reached now: its channels in their order, and how each fares.
//!
//! The first channel has the lead first. Where it fails, or nothing goes through, the *fallbacks* behind it
//! have their turn; when the last has failed, so has the delivery. Channels used *always* get a copy beside
//! them, each with attempts and a state of its own.
//!
//! Determinations:
//!
//! - *A lead is received when the line of first channel and fallbacks has it*; when that has failed, a copy that
//!   arrived is as good.
//! - *A channel whose reader complained* is not mailed even what every other channel is sent once, a withdrawal.
//! - *Gone (410) is gone*: the channel takes nothing more until the desk enables it or the rulebook changes it,
//!   and the desk is told in the company's changes.
//! - *A contract that waits for its dealer waits where every channel is gone, too*: nothing is sent meanwhile and no
//!   attempt used up; now and then is looked whether one takes leads again, from the first on. A dealer that is in no
//!   rulebook is not waited for: nobody is there who could come back.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::Assignment;
use leadyard_domain::dealer::{ChannelKind, ChannelWhen, Format};
use leadyard_domain::delivery::{
    Breaker, Gate, Giver, MailFate, Outcome, Owner, Secrets, Template, WebhookSecret, derive_secret,
};
use leadyard_domain::distribution::compiled::CompiledChannel;
use leadyard_domain::distribution::{Chunk, Core};
use leadyard_domain::error::Invalid;
use leadyard_domain::ids::{ActId, CompanyId, DealerId};
use leadyard_domain::lead::Lead;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::metrics::Metric;
use leadyard_platform::store::{Act, ChannelState, Disabled, SecretState, StoreError};
use serde_json::json;

use crate::body;
use crate::form::Form;
use crate::post::Echoes;

/// How often keeping what became of a channel is tried again when others changed it.
const ROUNDS: usize = 8;
/// By how much those who wait for one breaker are spread, in milliseconds.
const SPREAD_MS: u64 = 5_000;

/// A dealer's channels.
pub(crate) struct Channels {
    company: CompanyId,
    dealer: DealerId,
    zone: TimeZone,
    secret: SecretState,
    /// What the dealer gave us.
    given: Secrets,
    /// The company's name.
    provider: String,
    all: Vec<Known>,
}

/// A channel, and what is known of it.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) channel: CompiledChannel,
    /// The form of the dealer's own API, where the channel names one.
    pub(crate) template: Option<Arc<Template>>,
    state: ChannelState,
}

/// Whose turn it is.
pub(crate) enum Turn {
    /// This channel's, now.
    Now(Box<Known>),
    /// Nobody's before then.
    Later(Timestamp),
    /// Nobody's, as things stand.
    Never(Never),
}

/// Why it is nobody's turn, and does not become somebody's by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Never {
    /// No rulebook has the dealer.
    NoChannel,
    /// None takes anything until the desk enables it or the rulebook changes it.
    Disabled,
}

impl Never {
    /// In a word, as an attempt keeps it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NoChannel => "no_channel",
            Self::Disabled => "disabled",
        }
    }
}

/// The channels of an assignment's dealer; none when it is not in the rulebook any more, nor was in the one
/// the lead was decided under.
pub(crate) async fn of(cloud: &Cloud, lead: &Lead, assignment: &Assignment) -> Result<Channels, StoreError> {
    let (company, dealer) = (&assignment.company, &assignment.dealer);
    let (core, Reached { channels: written, zone }) = reached(cloud, lead, assignment).await?;
    let reach = cloud.store.dealer_reach(company, dealer).await?;
    let mut states = reach.channels;
    let all = written.into_iter().map(|channel| {
        let mark = mark(&channel);
        let known = states.iter().position(|state| state.order == channel.order);
        let state = match known.map(|at| states.swap_remove(at)) {
            Some(state) if state.mark == mark => state,
            // The rulebook changed it: what was known was another's. The item is written over.
            Some(other) => ChannelState { v: other.v, ..ChannelState::new(channel.order, mark) },
            None => ChannelState::new(channel.order, mark),
        };
        let template = core.as_ref().and_then(|core| template(core, &channel));
        Known { channel, template, state }
    });
    let all: Vec<Known> = all.collect();
    let given =
        given(cloud, company, dealer, all.iter().filter_map(|known| known.template.as_deref())).await?;
    Ok(Channels {
        company: company.clone(),
        dealer: dealer.clone(),
        zone,
        secret: reach.secret,
        given,
        provider: core.as_ref().map(|core| core.company.name.clone()).unwrap_or_default(),
        all,
    })
}

/// The form of the dealer's own API, where a channel names one.
pub(crate) fn template(core: &Core, channel: &CompiledChannel) -> Option<Arc<Template>> {
    match &channel.format {
        Format::Template(id) => core.template(id).cloned().map(Arc::new),
        Format::Standard | Format::Adf => None,
    }
}

/// What the dealer gave us in confidence; read only where one of these templates names any of it. One that cannot be
/// opened is one that is not there: the attempt says so, and the lead goes on.
pub(crate) async fn given<'a>(
    cloud: &Cloud,
    company: &CompanyId,
    dealer: &DealerId,
    mut templates: impl Iterator<Item = &'a Template>,
) -> Result<Secrets, StoreError> {
    if templates.all(|template| template.secrets().is_empty()) {
        return Ok(Secrets::new());
    }
    let kept = cloud.store.given_secrets(company, Giver::Dealer(dealer)).await?;
    let opened = kept.secrets.into_iter().filter_map(|(name, secret)| {
        match secret.sealed.open(cloud.master.bytes(), Owner { company, giver: Giver::Dealer(dealer), name: &name }) {
            Ok(secret) => Some((name, secret)),
            Err(_) => {
                tracing::error!(dealer.id = %dealer, secret.name = name, "a secret that is kept cannot be opened");
                None
            }
        }
    });
    Ok(opened.collect())
}

/// What a channel is, so that another of the same order is told from it.
pub(crate) fn mark(channel: &CompiledChannel) -> String {
    match &channel.format {
        Format::Standard => leadyard_platform::store::channel_mark(channel.kind, &channel.address),
        // One whose form was put right begins anew as well.
        format @ (Format::Adf | Format::Template(_)) => {
            leadyard_platform::store::channel_mark(channel.kind, &format!("{} {format}", channel.address))
        }
    }
}

/// How the dealer is reached by the rulebook in force, or by the one the lead was decided under.
async fn reached(
    cloud: &Cloud,
    lead: &Lead,
    assignment: &Assignment,
) -> Result<(Option<Arc<Core>>, Reached), StoreError> {
    let (dealer, decided_under) = (&assignment.dealer, assignment.rulebook);
    // One that an earlier version wrote does not say where it was sold.
    let state = assignment.sold_in.or_else(|| lead.location().state());
    let current = cloud.rulebooks.current(&cloud.store, &lead.company).await?;
    let current_version = current.as_ref().map(|core| core.version);
    let mut books: Vec<Option<Arc<Core>>> = vec![current];
    if current_version != Some(decided_under) {
        books.push(cloud.store.rulebook_core(&lead.company, decided_under).await?.map(Arc::new));
    }
    for core in books.into_iter().flatten() {
        let found = cloud
            .rulebooks
            .find(&cloud.store, &core, lead.category_under(&core), state, |chunk| Reached::of(chunk, dealer))
            .await?;
        if let Some(found) = found {
            return Ok((Some(core), found));
        }
    }
    Ok((None, Reached { channels: Vec::new(), zone: TimeZone::UTC }))
}

/// How a dealer is reached by its rulebook, and by which clock it lives.
pub(crate) struct Reached {
    pub(crate) channels: Vec<CompiledChannel>,
    pub(crate) zone: TimeZone,
}

impl Reached {
    /// As a chunk has it; `None` of a dealer that is not in it. One without channels reads its inbox.
    pub(crate) fn of(chunk: &Chunk, dealer: &DealerId) -> Option<Self> {
        let known = chunk.dealer(dealer)?;
        let zone = chunk.zone_of(known).cloned().unwrap_or(TimeZone::UTC);
        let channels = known.channels.clone();
        Some(Self {
            channels: if channels.is_empty() { vec![CompiledChannel::inbox()] } else { channels },
            zone,
        })
    }
}

/// The secrets that what is sent to a dealer now is signed with, the newest first.
pub(crate) fn derived(
    cloud: &Cloud,
    company: &CompanyId,
    dealer: &DealerId,
    state: &SecretState,
    now: Timestamp,
) -> Result<Vec<WebhookSecret>, Invalid> {
    let derive = |generation| derive_secret(cloud.master.bytes(), company, dealer, generation);
    state.standing(now).into_iter().map(derive).collect()
}

impl Channels {
    /// Whether there is a channel of this order and mark.
    pub(crate) fn has(&self, order: u8, mark: &str) -> bool {
        self.all.iter().any(|known| known.channel.order == order && known.state.mark == mark)
    }

    /// The secrets that what is sent now is signed with, the newest first.
    pub(crate) fn secrets(&self, cloud: &Cloud, now: Timestamp) -> Result<Vec<WebhookSecret>, Invalid> {
        derived(cloud, &self.company, &self.dealer, &self.secret, now)
    }

    /// In what form a channel is told of an assignment.
    pub(crate) fn form<'a>(
        &'a self,
        cloud: &Cloud,
        lead: &Lead,
        assignment: &Assignment,
        known: &'a Known,
    ) -> Form<'a> {
        // Two signatures, which only a letter shows.
        let links = match known.channel.kind {
            ChannelKind::Mail => body::links(cloud, assignment),
            ChannelKind::Webhook | ChannelKind::Sqs | ChannelKind::Inbox => None,
        };
        Form {
            kind: known.channel.kind,
            format: &known.channel.format,
            template: known.template.as_deref(),
            vendor: known.channel.vendor(),
            provider: &self.provider,
            secrets: &self.given,
            terms: body::terms(cloud, lead, links, self.zone.clone()),
        }
    }

    /// What an answer may repeat of a lead, and of what the dealer gave us.
    pub(crate) fn echoes(&self, lead: &Lead) -> Echoes {
        Echoes::of(lead, &self.given)
    }

    /// The first channel and its fallbacks, in their order.
    fn line(&self) -> impl Iterator<Item = &Known> {
        let first = self.all.first().map(|known| known.channel.order);
        self.all.iter().filter(move |known| {
            known.channel.when == ChannelWhen::Fallback || Some(known.channel.order) == first
        })
    }

    /// The first channel.
    pub(crate) fn first(&self) -> Option<&CompiledChannel> {
        self.all.first().map(|known| &known.channel)
    }

    /// Those that get a copy of everything, by their order.
    pub(crate) fn copies(&self) -> Vec<u8> {
        let rest = self.all.iter().skip(1).map(|known| &known.channel);
        rest.filter(|channel| channel.when == ChannelWhen::Always).map(|channel| channel.order).collect()
    }

    /// Those of the line that had their turn before this one.
    pub(crate) fn line_before(&self, order: u8) -> impl Iterator<Item = u8> {
        self.line().map(|known| known.channel.order).filter(move |before| *before < order)
    }

    /// Whose turn it is in the line, from this channel on (0: from the first). One that the rulebook has no
    /// more has had its turn.
    pub(crate) fn turn(&self, from: u8, now: Timestamp) -> Turn {
        if self.all.is_empty() {
            return Turn::Never(Never::NoChannel);
        }
        let behind = self.line().any(|known| known.channel.order >= from);
        first_open(self.line().filter(|known| !behind || known.channel.order >= from), now)
    }

    /// Whether one channel lets anything through.
    pub(crate) fn turn_of(&self, order: u8, now: Timestamp) -> Turn {
        first_open(self.all.iter().filter(|known| known.channel.order == order), now)
    }

    /// The same whatever is known of the channel, even that it is gone: for what must be tried once.
    pub(crate) fn forced(&self, turn: Turn, from: u8) -> Turn {
        if matches!(turn, Turn::Now(_)) {
            return turn;
        }
        let usable = |known: &&Known| known.state.disabled.is_none();
        let behind = |known: &&Known| known.channel.order >= from;
        let found = self.all.iter().filter(usable).find(behind);
        let found = found.or_else(|| self.line().find(usable));
        let found = found.or_else(|| self.all.iter().find(|known| behind(known) && !known.complained()));
        found.cloned().map_or(turn, |known| Turn::Now(Box::new(known)))
    }

    /// The same of a copy: by its own channel, or by none.
    pub(crate) fn forced_by(&self, turn: Turn, order: u8) -> Turn {
        let own = self.all.iter().find(|known| known.channel.order == order && !known.complained());
        own.cloned().map_or(turn, |known| Turn::Now(Box::new(known)))
    }

    /// The next of the line behind this one that takes anything.
    pub(crate) fn behind(&self, order: u8) -> Option<&CompiledChannel> {
        let usable = |known: &&Known| known.channel.order > order && known.state.disabled.is_none();
        self.line().find(usable).map(|known| &known.channel)
    }

    /// Claims the one attempt that a breaker which was open lets through; `false` when somebody else has it.
    pub(crate) async fn claim(
        &self,
        cloud: &Cloud,
        known: &mut Known,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match known.gate(now) {
            Gate::Pass => Ok(true),
            Gate::Shut(_) => Ok(false),
            Gate::Probe(probing) => {
                known.state.breaker = probing;
                let saved = cloud.store.channel_save(&self.company, &self.dealer, &known.state).await?;
                known.state.v += 1;
                Ok(saved)
            }
        }
    }

    /// Keeps what an attempt says of its channel. Best effort: one that is not counted opens the breaker an
    /// attempt later, and must not keep the attempt itself from being kept.
    pub(crate) async fn learn(&self, cloud: &Cloud, known: Known, outcome: &Outcome) {
        if let Err(error) = self.count(cloud, known, outcome).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error, dealer.id = %self.dealer, "an attempt was not counted"
            );
        }
    }

    async fn count(&self, cloud: &Cloud, known: Known, outcome: &Outcome) -> Result<(), StoreError> {
        let mut state = known.state;
        for _ in 0..ROUNDS {
            let now = cloud.clock.now();
            let gone = outcome.failure().is_some_and(|failure| failure.disable) && state.disabled.is_none();
            let breaker = state.breaker.after(outcome, now, cloud.entropy.u64());
            if breaker == state.breaker && !gone {
                return Ok(());
            }
            let disabled =
                if gone { Some(Disabled { at: now, why: GONE.to_owned() }) } else { state.disabled.clone() };
            let next = ChannelState { breaker, disabled, ..state.clone() };
            let saved = if gone {
                let act = disabled_act(cloud, &self.dealer, known.channel.kind, next.order, GONE);
                tracing::warn!(
                    dealer.id = %self.dealer, channel.order = next.order, "a channel is gone: it takes nothing more"
                );
                cloud.store.channel_change(&self.company, &self.dealer, &next, &act).await?
            } else {
                cloud.store.channel_save(&self.company, &self.dealer, &next).await?
            };
            if saved {
                if matches!(next.breaker, Breaker::Open { .. })
                    && !matches!(state.breaker, Breaker::Open { .. })
                {
                    cloud.metrics.count(Metric::BreakersOpened);
                }
                return Ok(());
            }
            let all = cloud.store.channels_of(&self.company, &self.dealer).await?;
            let stands = all.into_iter().find(|one| one.order == next.order && one.mark == next.mark);
            let Some(stands) = stands else { return Ok(()) };
            state = stands;
        }
        Ok(())
    }
}

/// What the desk is told of a channel: nothing goes there until it does something about it.
pub(crate) fn disabled_act(cloud: &Cloud, dealer: &DealerId, kind: ChannelKind, order: u8, why: &str) -> Act {
    let at = cloud.clock.now();
    let channel =
        |disabled: bool| json!({ "dealer": dealer, "channel": order, "kind": kind, "disabled": disabled });
    Act {
        id: ActId::mint(at, cloud.entropy.bytes()),
        at,
        by: "leadyard".to_owned(),
        act: "channel_disabled".to_owned(),
        reason: Some(why.to_owned()),
        before: channel(false).to_string(),
        after: channel(true).to_string(),
    }
}

/// Why a channel is disabled that answered 410.
const GONE: &str = "gone";

impl Known {
    /// Whether its reader called a mail of ours spam: nothing is mailed there any more, not even once.
    fn complained(&self) -> bool {
        self.state.disabled.as_ref().is_some_and(|disabled| disabled.why == MailFate::Complained.as_str())
    }

    fn gate(&self, now: Timestamp) -> Gate {
        match self.channel.kind {
            // Nothing leaves: there is nothing that could fail.
            ChannelKind::Inbox => Gate::Pass,
            ChannelKind::Webhook | ChannelKind::Mail | ChannelKind::Sqs => self.state.breaker.gate(now),
        }
    }
}

fn first_open<'a>(line: impl Iterator<Item = &'a Known>, now: Timestamp) -> Turn {
    let mut earliest: Option<Timestamp> = None;
    for known in line.filter(|known| known.state.disabled.is_none()) {
        match known.gate(now) {
            Gate::Pass | Gate::Probe(_) => return Turn::Now(Box::new(known.clone())),
            Gate::Shut(until) => earliest = Some(earliest.map_or(until, |known| known.min(until))),
        }
    }
    earliest.map_or(Turn::Never(Never::Disabled), Turn::Later)
}

/// When to look again for a channel that opens at `until`: not all who wait at once.
pub(crate) fn spread(cloud: &Cloud, until: Timestamp) -> Timestamp {
    let spread_ms = (cloud.entropy.u64() % SPREAD_MS) as i64;
    until.saturating_add(SignedDuration::from_millis(spread_ms)).unwrap_or(until)
}

/// When to look again for room at a dealer where enough is under way.
pub(crate) fn room_at(cloud: &Cloud, now: Timestamp) -> Timestamp {
    let wait = SignedDuration::from_millis(1_000 + (cloud.entropy.u64() % 1_000) as i64);
    now.saturating_add(wait).unwrap_or(now)
}
