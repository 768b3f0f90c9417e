//! What else a holder is told: the person, once it has accepted; that a deadline is near; that the person
//! asked again; that the lead is withdrawn.

use std::borrow::Cow;
use std::collections::BTreeMap;

use futures::future::{BoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::{Assignment, DeliveryState};
use leadyard_domain::dealer::ChannelKind;
use leadyard_domain::delivery::{
    ErasedPayload, Event, Next, OptedOutOf, OptedOutPayload, Outcome, RepeatedPayload, Schedule,
    WarnedPayload, WithdrawalReason, WithdrawnPayload, next_attempt, webhook_id,
};
use leadyard_domain::distribution::compiled::CompiledChannel;
use leadyard_domain::enquiry::Understood;
use leadyard_domain::ids::{ActId, AssignmentId, EnquiryId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::mail::About;
use leadyard_platform::store::{Act, Delivery, StoreError, StoredEnquiry};
use leadyard_platform::{judging, payload};
use serde_json::json;

use crate::body;
use crate::channels::{self, Channels, Never, Turn};
use crate::copies;
use crate::form::{Form, Message, Says, Unwritten, Written};
use crate::post::{self, Post, Way};

const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// Delivers a message to a holder, or does what is next about it.
pub(crate) async fn deliver(
    cloud: &Cloud,
    lead: LeadId,
    assignment: AssignmentId,
    event: &str,
    number: String,
) -> Result<(), StoreError> {
    let Some(mut delivery) = cloud.store.delivery_get(lead, assignment, event, &number).await? else {
        return Ok(());
    };
    let now = cloud.clock.now();
    if delivery.state != DeliveryState::Pending || delivery.next_at.is_some_and(|at| now < at) {
        return Ok(());
    }
    let delay_ms = try_once(cloud, &mut delivery, now).await?;
    // If a duplicate was quicker, its attempt is as good as ours.
    if cloud.store.delivery_save(&delivery).await?
        && let Some(delay_ms) = delay_ms
    {
        cloud.hand_message(&delivery, delay_ms).await;
    }
    Ok(())
}

/// Makes one attempt and says what follows; the wait before the next, in milliseconds.
pub(crate) async fn try_once(
    cloud: &Cloud,
    delivery: &mut Delivery,
    now: Timestamp,
) -> Result<Option<u64>, StoreError> {
    let Some(lead) = cloud.store.lead_get(delivery.lead).await? else {
        delivery.due = None;
        delivery.state = DeliveryState::NotReceived;
        return Ok(None);
    };
    let assignment = cloud.store.assignment_get(delivery.lead, delivery.cycle, delivery.assignment).await?;
    let of_nobody = lead.is_erased() && !matches!(delivery.event, Event::Erased | Event::Withdrawn);
    if of_nobody || !concerns(delivery.event, assignment.as_ref(), now) {
        delivery.due = None;
        delivery.state = DeliveryState::NotReceived;
        return Ok(None);
    }
    let channels = match &assignment {
        Some(assignment) => Some(channels::of(cloud, &lead, assignment).await?),
        None => None,
    };
    if delivery.channel == 0
        && delivery.attempts.is_empty()
        && let (Some(channels), Some(assignment)) = (&channels, &assignment)
    {
        send_beside(cloud, delivery, copies::beside(delivery, assignment, channels)).await?;
    }
    let (channels, mut known) = match turn(delivery, assignment.as_ref(), channels, now) {
        (channels, Turn::Now(known)) => (channels, *known),
        (_, Turn::Later(until)) => {
            let waits = wait(cloud, delivery, channels::spread(cloud, until));
            return or_by_hand(cloud, delivery, delivery.channel, waits).await;
        }
        (_, Turn::Never(why)) => {
            tell_by_hand(cloud, delivery, delivery.channel).await?;
            let (outcome, attempt) =
                post::attempt(cloud, Way::None(why.as_str()), delivery.channel, now).await;
            delivery.attempts.push(attempt);
            let waits = follow(cloud, delivery, &outcome);
            return or_by_hand(cloud, delivery, delivery.channel, waits).await;
        }
    };
    let (Some(assignment), Some(channels)) = (&assignment, &channels) else {
        // Without an assignment it was nobody's turn.
        give_up(delivery);
        return or_by_hand(cloud, delivery, delivery.channel, None).await;
    };
    let webhook_id = webhook_id(delivery.assignment, delivery.event, number(delivery));
    let form = channels.form(cloud, &lead, assignment, &known);
    let written =
        write(cloud, &lead, delivery, assignment, (known.channel.order, &webhook_id), &form).await?;
    let now = cloud.clock.now();
    let post = Post {
        webhook_id,
        written,
        about: about(delivery, &known.channel),
        sender: body::sender(cloud, &lead),
        secrets: channels.secrets(cloud, now).unwrap_or_default(),
        template: known.template.clone(),
        echoes: channels.echoes(&lead),
    };
    let way = post::way(&known.channel, post, now);
    if matches!(way, Way::Unsaid | Way::None(_)) {
        tell_by_hand(cloud, delivery, known.channel.order).await?;
    }
    let mut under_way = None;
    if way.leaves() && !once_at_least(delivery) {
        under_way = cloud.outbound.enter(&delivery.company, &delivery.dealer);
        if under_way.is_none() || !channels.claim(cloud, &mut known, now).await? {
            return Ok(Some(try_again(delivery, channels::room_at(cloud, now), now)));
        }
    }
    let leaves = way.leaves();
    let (outcome, mut attempt) = post::attempt(cloud, way, known.channel.order, now).await;
    drop(under_way);
    if lead.is_erased() && known.channel.kind == ChannelKind::Webhook {
        // It may repeat whom it is about. What a service of AWS calls a mail is kept: a bounce names it.
        attempt.answer.clear();
        attempt.reference.clear();
        attempt.reason.clear();
    }
    tracing::info!(
        lead.id = %delivery.lead, assignment.id = %delivery.assignment, dealer.id = %delivery.dealer,
        event = %delivery.event, channel.order = known.channel.order, attempt.end = %attempt.end,
        attempt.what = %attempt.what, "a holder was told"
    );
    // What was not sent says nothing of the channel.
    if leaves {
        channels.learn(cloud, known, &outcome).await;
    }
    delivery.attempts.push(attempt);
    let order = delivery.attempts.last().map_or(0, |attempt| attempt.channel);
    let waits = follow(cloud, delivery, &outcome);
    or_by_hand(cloud, delivery, order, waits).await
}

/// What must be told and went nowhere, however often it was tried, somebody tells by hand.
pub(crate) async fn or_by_hand(
    cloud: &Cloud,
    delivery: &Delivery,
    order: u8,
    waits: Option<u64>,
) -> Result<Option<u64>, StoreError> {
    if waits.is_none() && delivery.state == DeliveryState::NotReceived {
        tell_by_hand(cloud, delivery, order).await?;
    }
    Ok(waits)
}

/// Sends a message by further channels. A withdrawal is attempted by each before the lead moves; the rest go
/// by their queue.
async fn send_beside(cloud: &Cloud, message: &Delivery, orders: Vec<u8>) -> Result<(), StoreError> {
    let copies = copies::create(cloud, message, orders.clone()).await?;
    if once_at_least(message) {
        // Also those that stood already: whoever made them may not have come to try them.
        let tried: Vec<_> = orders.into_iter().map(|order| deliver_copy(cloud, message.by(order))).collect();
        return join_all(tried).await.into_iter().collect();
    }
    for copy in &copies {
        cloud.hand_message(copy, 0).await;
    }
    Ok(())
}

/// One message leads to another here: without a box its future would have no size.
fn deliver_copy(cloud: &Cloud, copy: Delivery) -> BoxFuture<'_, Result<(), StoreError>> {
    Box::pin(async move {
        deliver(cloud, copy.lead, copy.assignment, copy.event.as_str(), copy.key_number()).await
    })
}

/// Whose turn it is: the channel's own that a copy goes by; else of the one that has the lead.
fn turn(
    delivery: &Delivery,
    assignment: Option<&Assignment>,
    channels: Option<Channels>,
    now: Timestamp,
) -> (Option<Channels>, Turn) {
    let Some(channels) = channels else { return (None, Turn::Never(Never::NoChannel)) };
    let from = assignment.map_or(0, |assignment| assignment.channel_order);
    let turn = match delivery.channel {
        0 => channels.turn(from, now),
        order => channels.turn_of(order, now),
    };
    let turn = match delivery.channel {
        _ if !once_at_least(delivery) => turn,
        0 => channels.forced(turn, from),
        order => channels.forced_by(turn, order),
    };
    (Some(channels), turn)
}

/// A withdrawal is attempted once before the lead moves, whatever is known of the channel.
fn once_at_least(delivery: &Delivery) -> bool {
    delivery.event == Event::Withdrawn && delivery.attempts.is_empty()
}

/// How patiently a message is tried.
fn schedule(delivery: &Delivery, now: Timestamp) -> Schedule {
    match delivery.event {
        // The dealer has paid for what it accepted: it is tried as long as a withdrawal. An erasure is the law.
        Event::Withdrawn | Event::Erased | Event::OptedOut => Schedule::withdrawal(delivery.since, now),
        Event::Assigned if delivery.number == ACCEPTED.to_string() => {
            Schedule::withdrawal(delivery.since, now)
        }
        Event::Assigned | Event::Repeated | Event::Warned => Schedule::Lead,
    }
}

/// Nothing can be tried before `until`: it waits without using up an attempt, as long as it may. The wait, in
/// milliseconds.
fn wait(cloud: &Cloud, delivery: &mut Delivery, until: Timestamp) -> Option<u64> {
    let now = cloud.clock.now();
    let waits_s = match schedule(delivery, now) {
        Schedule::Lead | Schedule::Brief => limits::LEAD_WAITS_S,
        Schedule::Patient { .. } | Schedule::Withdrawal { .. } => limits::WITHDRAWAL_HOURS * 3_600,
    };
    let last = delivery.since.saturating_add(SignedDuration::from_secs(waits_s)).unwrap_or(until);
    if until > last {
        give_up(delivery);
        return None;
    }
    Some(try_again(delivery, until, now))
}

/// What follows an attempt; the wait before the next, in milliseconds.
pub(crate) fn follow(cloud: &Cloud, delivery: &mut Delivery, outcome: &Outcome) -> Option<u64> {
    if *outcome == Outcome::Received {
        delivery.next_at = None;
        delivery.due = None;
        delivery.state = DeliveryState::Received;
        return None;
    }
    let now = cloud.clock.now();
    let tried = delivery.attempts.len() as u32;
    match next_attempt(tried, outcome, &schedule(delivery, now), cloud.entropy.u64()) {
        Next::At(delay_ms) => {
            let at = now.checked_add(SignedDuration::from_millis(delay_ms as i64)).unwrap_or(now);
            Some(try_again(delivery, at, now))
        }
        Next::Final => {
            give_up(delivery);
            None
        }
    }
}

pub(crate) fn try_again(delivery: &mut Delivery, at: Timestamp, now: Timestamp) -> u64 {
    delivery.next_at = Some(at);
    delivery.due = at.checked_add(GRACE).ok();
    at.duration_since(now).as_millis().max(0) as u64
}

fn give_up(delivery: &mut Delivery) {
    delivery.next_at = None;
    delivery.due = None;
    delivery.state = DeliveryState::NotReceived;
}

/// The second `lead.assigned` of an assignment: the whole lead, once it is accepted.
const ACCEPTED: u32 = 2;

/// Whether a message still is this dealer's business: that a lead asked again is the next holder's when it
/// has it no more, and a deadline that was met or is over needs no warning.
fn concerns(event: Event, assignment: Option<&Assignment>, now: Timestamp) -> bool {
    // A shadow's dealer has it from elsewhere; one that is taken back is told that, and nothing more.
    let held = assignment.is_some_and(|one| one.state.holds() && !one.recalled && !one.shadow);
    match event {
        Event::Repeated | Event::Assigned | Event::OptedOut => held,
        Event::Warned => assignment.is_some_and(|one| one.masked() && !one.lapses(now)),
        Event::Withdrawn | Event::Erased => true,
    }
}

/// Of a copy of the assignment, that of the assignment itself: whoever reads both knows them for one. So of what the
/// desk sends again, which says behind `r` which time it is.
fn assigned_number(delivery: &Delivery) -> u32 {
    let number = delivery.number.split_once('r').map_or(delivery.number.as_str(), |(number, _)| number);
    number.parse().unwrap_or(ACCEPTED)
}

/// What a mail of this message is about.
fn about(delivery: &Delivery, channel: &CompiledChannel) -> About {
    About {
        company: delivery.company.clone(),
        dealer: delivery.dealer.clone(),
        channel: channel.order,
        mark: channels::mark(channel),
        lead: delivery.lead,
        cycle: delivery.cycle,
        assignment: delivery.assignment,
        event: delivery.event,
        message: Some(delivery.number.clone()),
        copy: delivery.channel,
    }
}

/// The message in a channel's form.
async fn write(
    cloud: &Cloud,
    lead: &Lead,
    delivery: &Delivery,
    assignment: &Assignment,
    (channel, webhook_id): (u8, &str),
    form: &Form<'_>,
) -> Result<Result<Written, Unwritten>, StoreError> {
    let message = Message {
        webhook_id,
        lead: delivery.lead,
        assignment: delivery.assignment,
        company: &delivery.company,
        dealer: &delivery.dealer,
        reference: assignment.reference(channel),
    };
    let (lead_id, assignment_id) = (delivery.lead, delivery.assignment);
    let says = match delivery.event {
        Event::Assigned => {
            // Whole once it is accepted, or by the desk's word.
            let again = delivery.number != "1";
            return body::assigned(cloud, lead, assignment, |payload| {
                form.write(&message, assignment.offered_at, Says::Assigned { payload, again })
            })
            .await;
        }
        Event::Repeated => return repeated(cloud, lead, delivery, assignment, form, &message).await,
        Event::Warned => Says::Warned(WarnedPayload {
            assignment: assignment_id,
            lead: lead_id,
            accept_by: assignment.accept_by.map_or(delivery.since, |by| by.at),
        }),
        Event::Withdrawn => Says::Withdrawn(WithdrawnPayload {
            assignment: assignment_id,
            lead: lead_id,
            reason: delivery.reason.unwrap_or(WithdrawalReason::Unconfirmed),
        }),
        Event::Erased => Says::Erased(ErasedPayload { assignment: assignment_id, lead: lead_id }),
        Event::OptedOut => Says::OptedOut(OptedOutPayload {
            assignment: assignment_id,
            lead: lead_id,
            of: opted_out_of(delivery),
        }),
    };
    Ok(form.write(&message, delivery.since, says))
}

/// A channel has no words for a message, or takes none: the desk is told, where the dealer must be. Once for each
/// channel, however often it is tried: the act is the message's own.
async fn tell_by_hand(cloud: &Cloud, delivery: &Delivery, order: u8) -> Result<(), StoreError> {
    match delivery.event {
        Event::Withdrawn | Event::Erased | Event::OptedOut => {}
        // The whole lead, of which a dealer that accepted it has seen a part.
        Event::Assigned if delivery.number == ACCEPTED.to_string() => {}
        Event::Assigned | Event::Repeated | Event::Warned => return Ok(()),
    }
    let mut own = [0; 10];
    let tail = delivery.assignment.bytes().iter().rev();
    own.iter_mut().zip(tail).for_each(|(own, byte)| *own = *byte);
    own[0] ^= order;
    // What one seat is to be told of at one moment is as many acts.
    own[1] ^= number(delivery) as u8;
    own[2] ^= delivery.event as u8;
    let told = json!({
        "lead": delivery.lead, "assignment": delivery.assignment, "dealer": delivery.dealer, "channel": order,
        "event": delivery.event, "reason": delivery.reason,
    });
    let act = Act {
        id: ActId::mint(delivery.since, own),
        at: delivery.since,
        by: "leadyard".to_owned(),
        act: "tell_by_hand".to_owned(),
        reason: None,
        before: "null".to_owned(),
        after: told.to_string(),
    };
    cloud.store.desk_tell(&delivery.company, delivery.lead, &act).await
}

/// Webhook ids tell the messages of an assignment apart: by their number.
fn number(delivery: &Delivery) -> u32 {
    match delivery.event {
        Event::Repeated => repeat_number(delivery),
        Event::Assigned => assigned_number(delivery),
        // Who opts out of mail, and later of everything, is told of twice.
        Event::OptedOut => match opted_out_of(delivery) {
            OptedOutOf::Mail => 1,
            OptedOutOf::Everything => 2,
        },
        Event::Withdrawn | Event::Warned | Event::Erased => 1,
    }
}

fn opted_out_of(delivery: &Delivery) -> OptedOutOf {
    delivery.number.parse().unwrap_or(OptedOutOf::Everything)
}

/// A repeat's, by the end of its enquiry's id, which
/// is drawn and stays, however many ask.
fn repeat_number(delivery: &Delivery) -> u32 {
    let id: Option<EnquiryId> = delivery.number.parse().ok();
    let tail = id.and_then(|id| id.bytes().last_chunk::<4>().copied());
    tail.map_or(1, u32::from_be_bytes)
}

async fn repeated(
    cloud: &Cloud,
    lead: &Lead,
    delivery: &Delivery,
    assignment: &Assignment,
    form: &Form<'_>,
    message: &Message<'_>,
) -> Result<Result<Written, Unwritten>, StoreError> {
    let gone = || Ok(Err(Unwritten::Missing("no_enquiry")));
    let Ok(id) = delivery.number.parse() else { return gone() };
    let Some(enquiry) = cloud.store.enquiry_get(id).await? else { return gone() };
    let core = cloud.rulebooks.known(&lead.company);
    let source = |id| core.as_ref().and_then(|core| core.source(id));
    let understood = judging::understand(&enquiry, source(&enquiry.source));
    let before = judging::opening(cloud, source(&lead.source), lead, Some(id)).await?;
    let agreed = before.as_ref().and_then(|before| agreed_since(lead, before, &enquiry, &understood));
    let filled = before.map(|before| filled(&before, &understood)).unwrap_or_default();
    let offer = core
        .as_ref()
        .and_then(|core| {
            Some(core.offer_of(core.source(&enquiry.source)?, understood.offer.as_deref())?.id.clone())
        })
        .unwrap_or_else(|| lead.offer.clone());
    let repeat = RepeatedPayload {
        assignment: delivery.assignment,
        lead: lead.id,
        enquiry: id,
        dealer: &delivery.dealer,
        company: &lead.company,
        offer: &offer,
        source: &enquiry.source,
        received_at: enquiry.received_at,
        message: understood.message.as_deref().map(Into::into),
        filled: filled.iter().map(|(name, value)| (*name, value.as_str())).collect(),
        consent: agreed.as_ref().map(payload::consent),
        masked: false,
        truncated: false,
    };
    let repeat = if assignment.masked() { repeat.masked() } else { repeat };
    body::assigned(cloud, lead, assignment, |payload| {
        form.write(message, enquiry.received_at, Says::Repeated { payload, repeat: Box::new(repeat) })
    })
    .await
}

/// The request as it stands with this enquiry, where that is a further step of its form, and the person agreed to
/// more with it than the dealer was told, or it brought a certificate.
fn agreed_since(
    lead: &Lead,
    before: &Understood,
    enquiry: &StoredEnquiry,
    now: &Understood,
) -> Option<Understood> {
    if enquiry.source != lead.source || lead.form_steps().all(|step| step != enquiry.id) {
        return None;
    }
    let mut whole = before.clone();
    whole.complete(now);
    (whole.consent != before.consent).then_some(whole)
}

/// What a repeat says of the person that the request which the dealer has did not, by its standard name.
fn filled(before: &Understood, now: &Understood) -> BTreeMap<&'static str, String> {
    fn of<'a>(who: &'a Understood) -> [(&'static str, Option<Cow<'a, str>>); 9] {
        let text = |text: &'a str| Some(Cow::Borrowed(text)).filter(|text| !text.is_empty());
        [
            ("first_name", text(who.name.first())),
            ("last_name", text(who.name.last())),
            ("email", who.email.as_ref().map(|email| Cow::Borrowed(email.as_str()))),
            ("phone", who.phone.as_ref().map(|phone| Cow::Borrowed(phone.as_str()))),
            ("organization", who.organization.as_deref().map(Cow::Borrowed)),
            ("street", who.street.as_deref().map(Cow::Borrowed)),
            ("city", who.city.as_deref().map(Cow::Borrowed)),
            ("state", who.state.map(|state| Cow::Borrowed(state.as_str()))),
            ("zip", who.zip.map(|zip| Cow::Owned(zip.to_string()))),
        ]
    }
    let both = of(before).into_iter().zip(of(now));
    let new = both.filter(|((_, known), _)| known.is_none());
    new.filter_map(|(_, (name, value))| Some((name, value?.into_owned()))).collect()
}
