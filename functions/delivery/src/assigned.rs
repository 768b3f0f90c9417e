//! The assignment itself: attempts, settlement, final failure.
//!
//! What arrives is charged in the write that says so; with a deadline, what is accepted is.

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::{Assignment, Attempt, DeliveryState};
use leadyard_domain::delivery::{
    Event, FailureKind, LEAD_ATTEMPTS, Next, Outcome, Schedule, next_attempt, webhook_id,
};
use leadyard_domain::distribution::compiled::CompiledChannel;
use leadyard_domain::ids::{ActId, AssignmentId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_domain::ledger::Line;
use leadyard_domain::limits;
use leadyard_domain::rulebook::PostbackStatus;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::mail::About;
use leadyard_platform::metrics::Metric;
use leadyard_platform::store::{Act, Changes, Delivery, StoreError};
use serde_json::json;

use crate::body;
use crate::channels::{self, Channels, Known, Never, Turn};
use crate::copies::{self, Copies};
use crate::form::{Message, Says};
use crate::post::{self, Post, Way};
use crate::taken_back::{decline, lapse, take_back};

/// How soon after an attempt's time the sweep looks, should the delayed message be lost.
const GRACE: SignedDuration = SignedDuration::from_secs(30);
/// How often a change that somebody else's crossed is tried again within one message.
pub(crate) const ROUNDS: usize = 8;

/// Delivers an assignment, or does what is next about it.
pub(crate) async fn deliver(
    cloud: &Cloud,
    lead: LeadId,
    cycle: u32,
    assignment: AssignmentId,
) -> Result<(), StoreError> {
    let Some(assignment) = cloud.store.assignment_get(lead, cycle, assignment).await? else { return Ok(()) };
    let now = cloud.clock.now();
    match assignment.delivery {
        DeliveryState::Pending | DeliveryState::Received if assignment.lapses(now) => {
            lapse(cloud, assignment, now).await
        }
        DeliveryState::Received if assignment.warns(now) => warn(cloud, assignment, now).await,
        DeliveryState::Received => rest(cloud, assignment).await,
        DeliveryState::NotReceived | DeliveryState::Unknown if assignment.state.holds() => {
            take_back(cloud, assignment, now).await
        }
        DeliveryState::NotReceived | DeliveryState::Unknown => rest(cloud, assignment).await,
        DeliveryState::Pending if !assignment.state.holds() => rest(cloud, assignment).await,
        DeliveryState::Pending if assignment.next_attempt_at.is_some_and(|at| now < at) => Ok(()),
        DeliveryState::Pending => Box::pin(try_once(cloud, assignment, now)).await,
    }
}

/// Nothing is to be done: it has no due time but its deadline's.
async fn rest(cloud: &Cloud, mut assignment: Assignment) -> Result<(), StoreError> {
    let watched_at = assignment.watched_at();
    if assignment.due != watched_at {
        assignment.due = watched_at;
        // If somebody else changed it, they left it the due time it needs.
        cloud.store.assignment_save(&assignment).await?;
    }
    Ok(())
}

/// Two thirds of the deadline are over: the dealer is told so, once.
async fn warn(cloud: &Cloud, mut assignment: Assignment, now: Timestamp) -> Result<(), StoreError> {
    assignment.warned = true;
    assignment.due = assignment.watched_at();
    let warning = Delivery::to(&assignment, Event::Warned, "1", now);
    let changes = Changes { delivery: Some(&warning), ..Changes::of(&assignment, now) };
    // If somebody else changed it, the dealer answered, or a duplicate has warned it.
    if cloud.store.assignment_change(&changes).await? {
        cloud.hand_message(&warning, 0).await;
        watch(cloud, &assignment, now).await;
    }
    Ok(())
}

/// A message for when its deadline must be looked at next.
async fn watch(cloud: &Cloud, assignment: &Assignment, now: Timestamp) {
    if let Some(at) = assignment.watched_at() {
        cloud.hand_to_delivery(assignment, at.duration_since(now).as_millis().max(0) as u64).await;
    }
}

/// Makes the next attempt. That it begins is kept before anything is sent: should this process end
/// before the attempt does, whoever comes after knows that the dealer may hold the lead; and a duplicate
/// of the message makes none beside it.
async fn try_once(cloud: &Cloud, mut assignment: Assignment, now: Timestamp) -> Result<(), StoreError> {
    let interrupted = assignment.begun();
    if let Some(number) = interrupted {
        assignment.interrupt_attempt(number);
    }
    let Some(lead) = cloud.store.lead_get(assignment.lead).await? else { return Ok(()) };
    if lead.is_erased() {
        return Ok(()); // whoever erases its person ends it
    }
    let gone_on = match lead.merged_into {
        None => lead.cycle != assignment.cycle,
        Some(_) => cloud.store.lead_of(&assignment).await?.is_none(),
    };
    if gone_on {
        // The person asked anew, and that is being sold: what never arrived of the old cycle ends here.
        let unknown = assignment.may_be_held_unknown() || copies::may_be_held(cloud, &assignment).await?;
        assignment.delivery = if unknown { DeliveryState::Unknown } else { DeliveryState::NotReceived };
        assignment.due = Some(now);
        let saved = cloud.store.assignment_save(&assignment).await?;
        return if saved { take_back(cloud, assignment, now).await } else { Ok(()) };
    }
    let channels = channels::of(cloud, &lead, &assignment).await?;
    if assignment.attempt_count == 0 {
        copies::send(cloud, &assignment, &channels, now).await?;
    }
    if let Some(number) = interrupted {
        let outcome = Outcome::of_failure(FailureKind::Interrupted);
        let began = assignment.attempt(number).map_or(now, |attempt| attempt.at);
        let seen = assignment.clone();
        follow(cloud, &mut assignment, &outcome, &channels, began).await?;
        // What is left of its wait; an early one went by while it had the assignment to itself.
        let waits = assignment.next_attempt_at.is_some_and(|at| at > now);
        if assignment.delivery != DeliveryState::Pending || waits {
            tracing::info!(assignment.id = %assignment.id, "an attempt was interrupted");
            return Box::pin(keep_and_go_on(cloud, &seen, assignment, now)).await;
        }
    }
    let mut known = match whose_turn(&channels, &assignment, now) {
        Turn::Now(known) => *known,
        Turn::Later(until) => {
            let at = channels::spread(cloud, until);
            return Box::pin(wait(cloud, assignment, at, now)).await;
        }
        Turn::Never(Never::Disabled) if assignment.patient_until.is_some() => {
            return Box::pin(look_again(cloud, assignment, &channels, now)).await;
        }
        Turn::Never(why) => {
            return Box::pin(ended_before_it_began(cloud, assignment, &channels, why.as_str(), now)).await;
        }
    };
    let post = written(cloud, &lead, &assignment, &channels, &known).await?;
    // What was read took its time.
    let now = cloud.clock.now();
    let order = known.channel.order;
    let way = post::way(&known.channel, post, now);
    let mut under_way = None;
    if way.leaves() {
        under_way = cloud.outbound.enter(&assignment.company, &assignment.dealer);
        if under_way.is_none() || !channels.claim(cloud, &mut known, now).await? {
            // However long ago it was offered: there is room soon, or the breaker opens.
            let seen = assignment.clone();
            assignment.try_again(channels::room_at(cloud, now), GRACE);
            return Box::pin(keep_and_go_on(cloud, &seen, assignment, now)).await;
        }
    }
    assignment.travel_by(order, known.channel.kind);
    let claimed_until = claim_end(cloud, now);
    let number = assignment.begin_attempt(now, claimed_until);
    // What needs no sending needs no trace: it begins and ends in one write.
    if way.leaves() {
        let Some(claimed) = claim(cloud, assignment).await? else { return Ok(()) };
        assignment = claimed;
        let latest = cloud.clock.now().checked_add(SignedDuration::from_millis(limits::ATTEMPT_MS as i64));
        if latest.is_ok_and(|latest| latest > claimed_until) {
            tracing::warn!(assignment.id = %assignment.id, "an attempt was begun too slowly to be made");
            return Ok(());
        }
    }
    let made = if way.leaves() { Made::Claimed(number) } else { Made::InOneWrite(number) };
    let (outcome, attempt) = post::attempt(cloud, way, order, now).await;
    drop(under_way);
    tracing::info!(
        lead.id = %lead.id, assignment.id = %assignment.id, dealer.id = %assignment.dealer,
        channel.order = order, attempt.number = number, attempt.end = %attempt.end, attempt.what = %attempt.what,
        "an attempt was made"
    );
    if made == Made::Claimed(number) {
        channels.learn(cloud, known, &outcome).await;
    }
    Box::pin(ended(cloud, assignment, made, &outcome, attempt, &channels)).await
}

/// Whose turn it is of the dealer's channels. Where those that are left take nothing more, a dealer that is waited for
/// is reached by one that had its turn before, should that work again.
fn whose_turn(channels: &Channels, assignment: &Assignment, now: Timestamp) -> Turn {
    let turn = channels.turn(assignment.channel_order, now);
    let again = assignment.patient_until.is_some() && matches!(turn, Turn::Never(Never::Disabled));
    if again { channels.turn(0, now) } else { turn }
}

/// The assignment in the form of its channel.
async fn written(
    cloud: &Cloud,
    lead: &Lead,
    assignment: &Assignment,
    channels: &Channels,
    known: &Known,
) -> Result<Post, StoreError> {
    let webhook_id = webhook_id(assignment.id, Event::Assigned, 1);
    let message = Message {
        webhook_id: &webhook_id,
        lead: lead.id,
        assignment: assignment.id,
        company: &assignment.company,
        dealer: &assignment.dealer,
        reference: None,
    };
    let form = channels.form(cloud, lead, assignment, known);
    let written = body::assigned(cloud, lead, assignment, |payload| {
        form.write(&message, assignment.offered_at, Says::Assigned { payload, again: false })
    })
    .await?;
    Ok(Post {
        webhook_id,
        written,
        about: about(assignment, &known.channel),
        sender: body::sender(cloud, lead),
        secrets: channels.secrets(cloud, cloud.clock.now()).unwrap_or_default(),
        template: known.template.clone(),
        echoes: channels.echoes(lead),
    })
}

/// What a mail of the assignment itself is about.
fn about(assignment: &Assignment, channel: &CompiledChannel) -> About {
    About {
        company: assignment.company.clone(),
        dealer: assignment.dealer.clone(),
        channel: channel.order,
        mark: channels::mark(channel),
        lead: assignment.lead,
        cycle: assignment.cycle,
        assignment: assignment.id,
        event: Event::Assigned,
        message: None,
        copy: 0,
    }
}

/// Nothing can be tried before `until`: it waits without using up an attempt, as long as it may.
async fn wait(
    cloud: &Cloud,
    mut assignment: Assignment,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let seen = assignment.clone();
    if until > assignment.waits_until() {
        fail(cloud, &mut assignment, now).await?;
    } else {
        assignment.try_again(until, GRACE);
    }
    waited(cloud, &seen, assignment, now).await
}

/// None of its channels takes anything, and the contract waits for that to change: it is looked at again now and then,
/// as after an attempt that found the channel gone, and none is made.
async fn look_again(
    cloud: &Cloud,
    assignment: Assignment,
    channels: &Channels,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut next = assignment.clone();
    let gone = Outcome::of_failure(FailureKind::BadUrl);
    follow(cloud, &mut next, &gone, channels, now).await?;
    waited(cloud, &assignment, next, now).await
}

/// Keeps a wait without an attempt, which the desk is told of where it grows long, and does what follows.
async fn waited(
    cloud: &Cloud,
    seen: &Assignment,
    mut next: Assignment,
    now: Timestamp,
) -> Result<(), StoreError> {
    let told = outwaits(seen.next_attempt_at, &next).then(|| notice(cloud, &next));
    if !keep(cloud, seen, &next, told.as_ref(), now).await? {
        return Ok(());
    }
    next.version += 1;
    go_on(cloud, next, now).await
}

/// There is no way to the dealer: an attempt that is over as it begins says why.
async fn ended_before_it_began(
    cloud: &Cloud,
    mut assignment: Assignment,
    channels: &Channels,
    why: &'static str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let number = assignment.begin_attempt(now, claim_end(cloud, now));
    let (outcome, attempt) = post::attempt(cloud, Way::None(why), assignment.channel_order, now).await;
    Box::pin(ended(cloud, assignment, Made::InOneWrite(number), &outcome, attempt, channels)).await
}

/// An attempt, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// It was kept as begun: whoever changes the assignment meanwhile knows of it.
    Claimed(u32),
    /// It begins and ends in one write. If that finds the assignment changed, it never was: an attempt that has its
    /// number by then is somebody else's, and how that ended is not ours to say.
    InOneWrite(u32),
}

impl Made {
    const fn number(self) -> u32 {
        match self {
            Self::Claimed(number) | Self::InOneWrite(number) => number,
        }
    }
}

/// The moment until which an attempt has the assignment to itself. Its last digits are drawn, so that a
/// claim whose reply was lost is known for one's own.
fn claim_end(cloud: &Cloud, now: Timestamp) -> Timestamp {
    let drawn_ns = (cloud.entropy.u64() % 1_000_000_000) as i64;
    let claim =
        SignedDuration::from_millis(limits::ATTEMPT_CLAIM_MS as i64) + SignedDuration::from_nanos(drawn_ns);
    now.checked_add(claim).unwrap_or(now)
}

/// Keeps that an attempt has begun; `None` when somebody else was quicker.
async fn claim(cloud: &Cloud, mut begun: Assignment) -> Result<Option<Assignment>, StoreError> {
    if cloud.store.assignment_save(&begun).await? {
        begun.version += 1;
        return Ok(Some(begun));
    }
    let stands = cloud.store.assignment_get(begun.lead, begun.cycle, begun.id).await?;
    Ok(stands.filter(|stands| stands.begun().is_some() && stands.next_attempt_at == begun.next_attempt_at))
}

/// Keeps how an attempt ended, and does what follows.
async fn ended(
    cloud: &Cloud,
    assignment: Assignment,
    made: Made,
    outcome: &Outcome,
    attempt: Attempt,
    channels: &Channels,
) -> Result<(), StoreError> {
    let now = cloud.clock.now();
    let number = made.number();
    let mut seen = assignment;
    let mut withdrawal = None;
    for _ in 0..ROUNDS {
        let mut next = seen.clone();
        next.end_attempt(number, attempt.clone());
        // The dealer's answer, or a later attempt, may have been quicker: then this one is a line of the
        // story, and nothing follows from it.
        let speaks = next.delivery == DeliveryState::Pending
            && next.state.holds()
            && (next.attempt_count == number || *outcome == Outcome::Received);
        if speaks && outcome.is_declined() {
            if decline(cloud, next, &mut withdrawal, now).await? {
                return Ok(());
            }
            let stands = cloud.store.assignment_get(seen.lead, seen.cycle, seen.id).await?;
            let Some(stands) = stands else { return Ok(()) };
            if stands.attempt(number) == Some(&attempt) {
                return Ok(()); // it was we who changed it, and the reply was lost
            }
            seen = stands;
            continue;
        }
        if speaks {
            follow(cloud, &mut next, outcome, channels, now).await?;
        }
        let notice = Some(&next)
            .filter(|next| speaks && (goes_on_slowly(next) || outwaits(Some(attempt.at), next)))
            .map(|next| notice(cloud, next));
        if keep(cloud, &seen, &next, notice.as_ref(), now).await? {
            next.version += 1;
            if speaks && next.delivery == DeliveryState::Received {
                cloud.metrics.count_of(Metric::LeadsDelivered, &next.company);
            }
            return if speaks { go_on(cloud, next, now).await } else { Ok(()) };
        }
        let stands = cloud.store.assignment_get(seen.lead, seen.cycle, seen.id).await?;
        let Some(stands) = stands else { return Ok(()) };
        if stands.attempt(number) == Some(&attempt) {
            // It was we who changed it, and the reply was lost.
            return go_on(cloud, stands, now).await;
        }
        match made {
            Made::Claimed(_) => seen = stands,
            Made::InOneWrite(_) => return Ok(()),
        }
    }
    Err(StoreError::Contended)
}

/// Keeps a changed assignment, with its charge if it has just been settled; `false` when somebody else
/// changed it.
async fn keep(
    cloud: &Cloud,
    seen: &Assignment,
    next: &Assignment,
    notice: Option<&Act>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let charge = Line::charge(next).filter(|_| seen.settled_at.is_none());
    let sold = if next.settled_at.is_some() && seen.settled_at.is_none() {
        cloud.postback_of_sale(next, PostbackStatus::Sold, "", now).await?
    } else {
        None
    };
    if charge.is_none() && notice.is_none() && sold.is_none() {
        return cloud.store.assignment_save(next).await;
    }
    let changes =
        Changes { line: charge.as_ref(), notice, postback: sold.as_ref(), ..Changes::of(next, now) };
    let kept = cloud.store.assignment_change(&changes).await?;
    if let Some(sold) = sold.filter(|_| kept) {
        cloud.hand_postback(&sold, 0).await;
    }
    Ok(kept)
}

/// The same and what follows; nothing, when somebody else was quicker: what follows is theirs.
async fn keep_and_go_on(
    cloud: &Cloud,
    seen: &Assignment,
    mut next: Assignment,
    now: Timestamp,
) -> Result<(), StoreError> {
    if !keep(cloud, seen, &next, None, now).await? {
        return Ok(());
    }
    next.version += 1;
    go_on(cloud, next, now).await
}

/// Whether this was the attempt after which a dealer that is waited for is only tried now and then.
fn goes_on_slowly(assignment: &Assignment) -> bool {
    assignment.delivery == DeliveryState::Pending
        && assignment.patient_until.is_some()
        && assignment.tried() == LEAD_ATTEMPTS
}

/// Whether this wait is the one that goes beyond what a lead's attempts take: those that are not made, while the
/// breaker is open or the channel gone, are not counted.
fn outwaits(from: Option<Timestamp>, next: &Assignment) -> bool {
    let waits = SignedDuration::from_secs(limits::LEAD_WAITS_S);
    let over = next.offered_at.saturating_add(waits).unwrap_or(next.offered_at);
    next.delivery == DeliveryState::Pending
        && next.patient_until.is_some()
        && next.tried() < LEAD_ATTEMPTS
        && from.is_none_or(|at| at < over)
        && next.next_attempt_at.is_some_and(|at| at >= over)
}

/// What the desk is told then: it may take the lead back, or call.
fn notice(cloud: &Cloud, assignment: &Assignment) -> Act {
    let at = cloud.clock.now();
    let undelivered = json!({
        "lead": assignment.lead, "assignment": assignment.id, "dealer": assignment.dealer,
        "contract": assignment.contract, "attempts": assignment.attempt_count,
        "until": assignment.patient_until,
    });
    Act {
        id: ActId::mint(at, cloud.entropy.bytes()),
        at,
        by: "leadyard".to_owned(),
        act: "undelivered".to_owned(),
        reason: None,
        before: "null".to_owned(),
        after: undelivered.to_string(),
    }
}

/// What an attempt's outcome makes of the assignment.
pub(crate) async fn follow(
    cloud: &Cloud,
    assignment: &mut Assignment,
    outcome: &Outcome,
    channels: &Channels,
    now: Timestamp,
) -> Result<(), StoreError> {
    assignment.next_attempt_at = None;
    if *outcome == Outcome::Received {
        assignment.arrive(now);
        return Ok(());
    }
    let behind = channels.behind(assignment.channel_order);
    let schedule = match (behind, assignment.patient_until) {
        (Some(_), _) => Schedule::Brief,
        (None, Some(until)) if channels.first().is_some() => Schedule::patient(until, now),
        (None, _) => Schedule::Lead,
    };
    match (next_attempt(assignment.tried(), outcome, &schedule, cloud.entropy.u64()), behind) {
        (Next::At(delay_ms), _) => {
            let at = now.checked_add(SignedDuration::from_millis(delay_ms as i64)).unwrap_or(now);
            if outcome.is_gone() {
                stay(cloud, assignment, channels, at, now).await?;
            } else {
                assignment.try_again(at, GRACE);
            }
        }
        (Next::Final, Some(channel)) => {
            assignment.travel_by(channel.order, channel.kind);
            assignment.try_again(now, GRACE);
        }
        (Next::Final, None) => fail(cloud, assignment, now).await?,
    }
    Ok(())
}

/// The whole line is gone, and the contract waits until somebody puts a channel right: at `at` the first has its turn
/// again, with all its attempts. A copy that arrived is as good.
async fn stay(
    cloud: &Cloud,
    assignment: &mut Assignment,
    channels: &Channels,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    match copies::stand(cloud, assignment).await? {
        Copies::Received => assignment.arrive(now),
        Copies::Pending => assignment.try_again(now.checked_add(GRACE).unwrap_or(now), GRACE),
        Copies::Ended { .. } => {
            if let Some(first) = channels.first() {
                assignment.travel_by(first.order, first.kind);
            }
            assignment.tried_before = assignment.attempt_count;
            assignment.try_again(at, GRACE);
        }
    }
    Ok(())
}

/// Nothing of the line is left to try. A copy that arrived is as good; while one is on its way the line is
/// tried on.
async fn fail(cloud: &Cloud, assignment: &mut Assignment, now: Timestamp) -> Result<(), StoreError> {
    let later = now.checked_add(GRACE).unwrap_or(now);
    match copies::stand(cloud, assignment).await? {
        Copies::Received => assignment.arrive(now),
        Copies::Pending => assignment.try_again(later, GRACE),
        Copies::Ended { unknown } => {
            let unknown = unknown || assignment.may_be_held_unknown();
            assignment.delivery = if unknown { DeliveryState::Unknown } else { DeliveryState::NotReceived };
            assignment.due = Some(later);
        }
    }
    Ok(())
}

pub(crate) async fn go_on(cloud: &Cloud, assignment: Assignment, now: Timestamp) -> Result<(), StoreError> {
    match (assignment.delivery, assignment.next_attempt_at) {
        (ended @ (DeliveryState::NotReceived | DeliveryState::Unknown), _) => {
            cloud.metrics.count_of(Metric::DeliveriesFailed, &assignment.company);
            if ended == DeliveryState::NotReceived {
                return Box::pin(take_back(cloud, assignment, now)).await;
            }
            // A server that hangs has had most of this function's time, and its withdrawal may take as long again.
            cloud.hand_to_delivery(&assignment, 0).await;
            Ok(())
        }
        (DeliveryState::Pending, Some(at)) => {
            cloud.hand_to_delivery(&assignment, at.duration_since(now).as_millis().max(0) as u64).await;
            Ok(())
        }
        (DeliveryState::Pending | DeliveryState::Received, _) => {
            watch(cloud, &assignment, now).await;
            Ok(())
        }
    }
}
