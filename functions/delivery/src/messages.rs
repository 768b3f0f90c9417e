//! What else a holder is told: the person, once it has accepted; that a deadline is near; that the person
//! asked again; that the lead is withdrawn.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::{Assignment, DeliveryState};
use leadyard_domain::delivery::{
    Event, Next, Outcome, RepeatedPayload, Schedule, WarnedPayload, WithdrawalReason, WithdrawnPayload,
    next_attempt, webhook_id,
};
use leadyard_domain::enquiry::Understood;
use leadyard_domain::ids::{AssignmentId, EnquiryId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging;
use leadyard_platform::store::{Delivery, StoreError};

use crate::body;
use crate::post::{self, Post};

const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// Delivers a message to a holder, or does what is next about it.
pub(crate) async fn deliver(
    cloud: &Cloud,
    lead: LeadId,
    assignment: AssignmentId,
    event: &str,
    number: &str,
) -> Result<(), StoreError> {
    let Some(mut delivery) = cloud.store.delivery_get(lead, assignment, event, number).await? else {
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
    if !concerns(delivery.event, assignment.as_ref(), now) {
        delivery.due = None;
        delivery.state = DeliveryState::NotReceived;
        return Ok(None);
    }
    let channel = match &assignment {
        Some(assignment) => post::channel(cloud, &lead, assignment).await?,
        None => None,
    };
    let (body, number) = match delivery.event {
        Event::Repeated => {
            (repeated_body(cloud, &lead, delivery, assignment.as_ref()).await?, repeat_number(delivery))
        }
        Event::Withdrawn => (withdrawn_body(delivery), 1),
        Event::Warned => (assignment.as_ref().map(|of| warned_body(delivery, of)).unwrap_or_default(), 1),
        Event::Assigned => match &assignment {
            Some(assignment) => (body::assigned(cloud, &lead, assignment).await?, ACCEPTED),
            None => (String::new(), ACCEPTED),
        },
        // No one sends these yet; an empty body would say nothing.
        Event::Erased => (String::new(), 1),
    };
    let post = Post {
        company: &delivery.company,
        dealer: &delivery.dealer,
        webhook_id: webhook_id(delivery.assignment, delivery.event, number),
        body,
    };
    let way = post::way(cloud, channel.as_ref(), post, now);
    let (outcome, attempt) = post::attempt(cloud, way, now).await;
    tracing::info!(
        lead.id = %delivery.lead, assignment.id = %delivery.assignment, dealer.id = %delivery.dealer,
        event = %delivery.event, attempt.end = %attempt.end, attempt.what = %attempt.what, "a holder was told"
    );
    delivery.attempts.push(attempt);
    delivery.next_at = None;
    delivery.due = None;
    if outcome == Outcome::Received {
        delivery.state = DeliveryState::Received;
        return Ok(None);
    }
    let ended = cloud.clock.now();
    let schedule = match delivery.event {
        // The dealer has paid for what it accepted: it is tried as long as a withdrawal.
        Event::Withdrawn | Event::Assigned => Schedule::withdrawal(delivery.since, ended),
        Event::Repeated | Event::Warned | Event::Erased => Schedule::Lead,
    };
    match next_attempt(delivery.attempts.len() as u32, &outcome, &schedule, cloud.entropy.u64()) {
        Next::At(delay_ms) => {
            let at = ended.checked_add(SignedDuration::from_millis(delay_ms as i64)).unwrap_or(ended);
            delivery.next_at = Some(at);
            delivery.due = at.checked_add(GRACE).ok();
            Ok(Some(delay_ms))
        }
        Next::Final => {
            delivery.state = DeliveryState::NotReceived;
            Ok(None)
        }
    }
}

/// The second `lead.assigned` of an assignment: the whole lead, once it is accepted.
const ACCEPTED: u32 = 2;

/// Whether a message still is this dealer's business: that a lead asked again is the next holder's when it
/// has it no more, and a deadline that was met or is over needs no warning.
fn concerns(event: Event, assignment: Option<&Assignment>, now: Timestamp) -> bool {
    // A shadow's dealer has it from elsewhere; one that is taken back is told that, and nothing more.
    let held = assignment.is_some_and(|one| one.state.holds() && !one.recalled && !one.shadow);
    match event {
        Event::Repeated | Event::Assigned => held,
        Event::Warned => assignment.is_some_and(|one| one.masked() && !one.lapses(now)),
        Event::Withdrawn | Event::Erased => true,
    }
}

fn warned_body(delivery: &Delivery, assignment: &Assignment) -> String {
    let payload = WarnedPayload {
        assignment: delivery.assignment,
        lead: delivery.lead,
        accept_by: assignment.accept_by.map_or(delivery.since, |by| by.at),
    };
    payload.body(delivery.since).unwrap_or_default()
}

/// Webhook ids tell the messages of an assignment apart: a repeat's by the end of its enquiry's id, which
/// is drawn and stays, however many ask.
fn repeat_number(delivery: &Delivery) -> u32 {
    let id: Option<EnquiryId> = delivery.number.parse().ok();
    let tail = id.and_then(|id| id.bytes().last_chunk::<4>().copied());
    tail.map_or(1, u32::from_be_bytes)
}

async fn repeated_body(
    cloud: &Cloud,
    lead: &Lead,
    delivery: &Delivery,
    assignment: Option<&Assignment>,
) -> Result<String, StoreError> {
    let Ok(id) = delivery.number.parse() else { return Ok(String::new()) };
    let Some(enquiry) = cloud.store.enquiry_get(id).await? else { return Ok(String::new()) };
    let core = cloud.rulebooks.known(&lead.company);
    let source = |id| core.as_ref().and_then(|core| core.source(id));
    let understood = judging::understand(&enquiry, source(&enquiry.source));
    let before = judging::opening(cloud, source(&lead.source), lead, Some(id)).await?;
    let filled = before.map(|before| filled(&before, &understood)).unwrap_or_default();
    let offer = core
        .as_ref()
        .and_then(|core| {
            Some(core.offer_of(core.source(&enquiry.source)?, understood.offer.as_deref())?.id.clone())
        })
        .unwrap_or_else(|| lead.offer.clone());
    let payload = RepeatedPayload {
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
        masked: false,
        truncated: false,
    };
    let masked = assignment.is_some_and(Assignment::masked);
    let payload = if masked { payload.masked() } else { payload };
    Ok(payload.body(enquiry.received_at).unwrap_or_default())
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

fn withdrawn_body(delivery: &Delivery) -> String {
    let payload = WithdrawnPayload {
        assignment: delivery.assignment,
        lead: delivery.lead,
        reason: delivery.reason.unwrap_or(WithdrawalReason::Unconfirmed),
    };
    payload.body(delivery.since).unwrap_or_default()
}
