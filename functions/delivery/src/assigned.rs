//! The assignment itself: attempts, settlement, final failure.
//!
//! A final failure gives the slot back, excludes the dealer and distributes again, in one transaction.
//! Where an attempt ended unknown the dealer may hold the lead: it is sent a withdrawal first, at once,
//! and if that does not arrive, again for 24 hours.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::{Assignment, Attempt, DeliveryState};
use leadyard_domain::delivery::{
    Address, AssignedPayload, Consent, Event, FailureKind, Next, Outcome, Person, Schedule, next_attempt,
    webhook_id,
};
use leadyard_domain::enquiry::Understood;
use leadyard_domain::ids::{AssignmentId, LeadId};
use leadyard_domain::lead::{AssignmentState, Lead};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging;
use leadyard_platform::queues::ToDelivery;
use leadyard_platform::store::{Delivery, GaveBack, GiveBack, StoreError, StoredEnquiry};

use crate::messages;
use crate::post::{self, Post};

/// How soon after an attempt's time the sweep looks, should the delayed message be lost.
const GRACE: SignedDuration = SignedDuration::from_secs(30);
/// How often a change that somebody else's crossed is tried again within one message.
const ROUNDS: usize = 8;

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
        DeliveryState::Received => rest(cloud, assignment).await,
        DeliveryState::NotReceived | DeliveryState::Unknown if assignment.state.holds() => {
            take_back(cloud, assignment, now).await
        }
        DeliveryState::NotReceived | DeliveryState::Unknown => rest(cloud, assignment).await,
        DeliveryState::Pending if !assignment.state.holds() => rest(cloud, assignment).await,
        DeliveryState::Pending if assignment.next_attempt_at.is_some_and(|at| now < at) => Ok(()),
        DeliveryState::Pending => try_once(cloud, assignment, now).await,
    }
}

/// Nothing is to be done: it has no due time.
async fn rest(cloud: &Cloud, mut assignment: Assignment) -> Result<(), StoreError> {
    if assignment.due.take().is_some() {
        // If somebody else changed it, they left it the due time it needs.
        cloud.store.assignment_save(&assignment).await?;
    }
    Ok(())
}

/// Makes the next attempt. That it begins is kept before anything is sent: should this process end
/// before the attempt does, whoever comes after knows that the dealer may hold the lead; and a duplicate
/// of the message makes none beside it.
async fn try_once(cloud: &Cloud, mut assignment: Assignment, now: Timestamp) -> Result<(), StoreError> {
    if let Some(number) = assignment.begun() {
        let outcome = Outcome::of_failure(FailureKind::Interrupted);
        let began = assignment.attempt(number).map_or(now, |attempt| attempt.at);
        assignment.interrupt_attempt(number);
        follow(&mut assignment, &outcome, began, cloud.entropy.u64());
        if assignment.delivery != DeliveryState::Pending {
            let saved = cloud.store.assignment_save(&assignment).await?;
            return if saved { take_back(cloud, assignment, now).await } else { Ok(()) };
        }
        if let Some(at) = assignment.next_attempt_at.filter(|at| *at > now) {
            // What is left of its wait; an early one went by while it had the assignment to itself.
            let saved = cloud.store.assignment_save(&assignment).await?;
            tracing::info!(assignment.id = %assignment.id, attempt.next = %at, "an attempt was interrupted");
            return if saved { go_on(cloud, assignment, now).await } else { Ok(()) };
        }
    }
    let Some(lead) = cloud.store.lead_get(assignment.lead).await? else { return Ok(()) };
    let enquiry = cloud.store.enquiry_get(lead.opening).await?;
    let channel = post::channel(cloud, &lead, &assignment).await?;
    let body = body(cloud, &lead, &assignment, enquiry.as_ref()).await;
    let post = Post {
        company: &assignment.company,
        dealer: &assignment.dealer,
        webhook_id: webhook_id(assignment.id, Event::Assigned, 1),
        body,
    };
    // What was read took its time.
    let now = cloud.clock.now();
    let way = post::way(cloud, channel.as_ref(), post, now);
    assignment.channel = channel.as_ref().map(|channel| channel.kind);
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
    let (outcome, attempt) = post::attempt(cloud, way, now).await;
    tracing::info!(
        lead.id = %lead.id, assignment.id = %assignment.id, dealer.id = %assignment.dealer,
        attempt.number = number, attempt.end = %attempt.end, attempt.what = %attempt.what,
        "an attempt was made"
    );
    ended(cloud, assignment, number, &outcome, attempt).await
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
    number: u32,
    outcome: &Outcome,
    attempt: Attempt,
) -> Result<(), StoreError> {
    let now = cloud.clock.now();
    let mut seen = assignment;
    for _ in 0..ROUNDS {
        let mut next = seen.clone();
        next.end_attempt(number, attempt.clone());
        // The dealer's answer, or a later attempt, may have been quicker: then this one is a line of the
        // story, and nothing follows from it.
        let speaks = next.delivery == DeliveryState::Pending
            && next.state.holds()
            && (next.attempt_count == number || *outcome == Outcome::Received);
        if speaks {
            follow(&mut next, outcome, now, cloud.entropy.u64());
        }
        if cloud.store.assignment_save(&next).await? {
            next.version += 1;
            return if speaks { go_on(cloud, next, now).await } else { Ok(()) };
        }
        let stands = cloud.store.assignment_get(seen.lead, seen.cycle, seen.id).await?;
        let Some(stands) = stands else { return Ok(()) };
        if stands.attempt(number) == Some(&attempt) {
            // It was we who changed it, and the reply was lost.
            return go_on(cloud, stands, now).await;
        }
        seen = stands;
    }
    Err(StoreError::Contended)
}

/// What an attempt's outcome makes of the assignment.
fn follow(assignment: &mut Assignment, outcome: &Outcome, now: Timestamp, entropy: u64) {
    assignment.next_attempt_at = None;
    if *outcome == Outcome::Received {
        assignment.delivery = DeliveryState::Received;
        assignment.settled_at = Some(now);
        assignment.due = None;
        return;
    }
    let schedule = match assignment.patient_until {
        Some(until) => Schedule::patient(until, now),
        None => Schedule::Lead,
    };
    match next_attempt(assignment.attempt_count, outcome, &schedule, entropy) {
        Next::At(delay_ms) => {
            let at = now.checked_add(SignedDuration::from_millis(delay_ms as i64)).unwrap_or(now);
            assignment.next_attempt_at = Some(at);
            assignment.due = at.checked_add(GRACE).ok();
        }
        Next::Final => {
            let unknown = assignment.may_be_held_unknown();
            assignment.delivery = if unknown { DeliveryState::Unknown } else { DeliveryState::NotReceived };
            assignment.due = now.checked_add(GRACE).ok();
        }
    }
}

async fn go_on(cloud: &Cloud, assignment: Assignment, now: Timestamp) -> Result<(), StoreError> {
    match (assignment.delivery, assignment.next_attempt_at) {
        (DeliveryState::NotReceived | DeliveryState::Unknown, _) => take_back(cloud, assignment, now).await,
        (DeliveryState::Pending, Some(at)) => {
            // SQS counts in whole seconds; the message must not come before its time, or it does nothing.
            let delay_ms = at.duration_since(now).as_millis().max(0) as u64;
            let delay_s = delay_ms.div_ceil(1_000) as u32;
            let message = ToDelivery::Assignment {
                lead: assignment.lead,
                cycle: assignment.cycle,
                assignment: assignment.id,
            };
            if let Err(error) = cloud.queues.to_delivery(message, assignment.dealer.as_str(), delay_s).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the next attempt is left to the sweep"
                );
            }
            Ok(())
        }
        (DeliveryState::Pending | DeliveryState::Received, _) => Ok(()),
    }
}

/// The lead moves on: the slot is given back and the dealer excluded, after a withdrawal where it may
/// hold the lead. That the delivery has ended stands in the table by now, so the dealer cannot accept
/// between its withdrawal and the next one's turn.
async fn take_back(cloud: &Cloud, assignment: Assignment, now: Timestamp) -> Result<(), StoreError> {
    let mut withdrawal = None;
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let Some(mut stands) =
            cloud.store.assignment_get(assignment.lead, assignment.cycle, assignment.id).await?
        else {
            return Ok(());
        };
        if !stands.state.holds() {
            return Ok(());
        }
        match stands.delivery {
            DeliveryState::Pending | DeliveryState::Received => return Ok(()),
            DeliveryState::Unknown if withdrawal.is_none() => {
                withdrawal = Some(withdraw(cloud, &stands, now).await?);
            }
            DeliveryState::Unknown | DeliveryState::NotReceived => {}
        }
        let lead = cloud.store.lead_get(stands.lead).await?;
        let lead = lead.filter(|lead| lead.cycle == stands.cycle).map(|mut lead| {
            lead.give_back(stands.id, now);
            lead
        });
        stands.move_to(AssignmentState::Withdrawn, now);
        stands.due = None;
        let back = GiveBack { assignment: &stands, lead: lead.as_ref(), delivery: withdrawal.as_ref(), now };
        match cloud.store.assignment_give_back(back).await {
            Ok(GaveBack::Done) => {
                tracing::info!(lead.id = %stands.lead, assignment.id = %stands.id, dealer.id = %stands.dealer, "the lead was taken back");
                if let Some(lead) = lead {
                    distribute(cloud, &lead).await;
                }
                return Ok(());
            }
            Ok(GaveBack::Changed) | Err(StoreError::Contended) => {}
            Err(error) => return Err(error),
        }
    }
    // It stays due, and is done a little later.
    Ok(())
}

/// One attempt at withdrawing, now; the message that goes on trying, if it did not arrive.
async fn withdraw(cloud: &Cloud, assignment: &Assignment, now: Timestamp) -> Result<Delivery, StoreError> {
    let mut delivery = Delivery {
        lead: assignment.lead,
        assignment: assignment.id,
        cycle: assignment.cycle,
        event: Event::Withdrawn,
        number: "1".to_owned(),
        company: assignment.company.clone(),
        dealer: assignment.dealer.clone(),
        since: now,
        state: DeliveryState::Pending,
        attempts: Vec::new(),
        next_at: None,
        v: 0,
        due: None,
    };
    messages::try_once(cloud, &mut delivery, now).await?;
    Ok(delivery)
}

/// Best effort: the due index is the truth.
async fn distribute(cloud: &Cloud, lead: &Lead) {
    if let Err(error) = cloud.queues.lead_to_distribution(lead.company.as_str(), lead.id).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "distribution is left to the sweep");
    }
    if let Err(error) = cloud.queues.wake_to_distribution(&lead.company, &lead.category).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "waking is left to the sweep");
    }
}

/// The body of the assignment: the same bytes at every attempt, as long as the lead is the same.
async fn body(
    cloud: &Cloud,
    lead: &Lead,
    assignment: &Assignment,
    enquiry: Option<&StoredEnquiry>,
) -> String {
    let core = cloud.rulebooks.known(&lead.company);
    let understood = enquiry.map(|enquiry| {
        judging::understand(enquiry, core.as_ref().and_then(|core| core.source(&lead.source)))
    });
    let state = lead.person.state.map(leadyard_domain::place::State::as_str);
    let zip = lead.person.zip.map(|zip| zip.to_string());
    let extra: BTreeMap<&str, &str> = understood
        .as_ref()
        .map(|understood| {
            understood.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        })
        .unwrap_or_default();
    let person = &lead.person;
    let payload = AssignedPayload {
        assignment: assignment.id,
        lead: lead.id,
        dealer: &assignment.dealer,
        contract: &assignment.contract,
        company: &lead.company,
        category: &lead.category,
        offer: &lead.offer,
        source: &lead.source,
        campaign: lead.campaign.as_deref(),
        received_at: lead.opened_at,
        assigned_at: assignment.offered_at,
        accept_by: None,
        band: lead.score.as_ref().map(|score| score.band),
        price: assignment.price,
        person: Person {
            first_name: person.first_name.as_deref(),
            last_name: person.last_name.as_deref(),
            email: person.email.as_deref(),
            phone: person.phone.as_deref(),
        },
        address: Address {
            street: person.street.as_deref(),
            city: person.city.as_deref(),
            state,
            zip: zip.as_deref(),
        },
        message: understood.as_ref().and_then(|understood| understood.message.as_deref()),
        consent: understood.as_ref().map(consent).unwrap_or_default(),
        extra,
        test: false,
        masked: false,
        truncated: false,
    };
    payload.body(assignment.offered_at).unwrap_or_default()
}

fn consent(understood: &Understood) -> Consent<'_> {
    Consent {
        given: understood.consent.given.unwrap_or(false),
        text: understood.consent.text.as_deref(),
        certificate: understood.consent.trusted_form.as_deref().or(understood.consent.leadid.as_deref()),
    }
}
