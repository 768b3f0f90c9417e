//! A mail that SES took comes back, or its reader complains: it was not received after all.
//!
//! Its channel hears of it first, then the message, then the lead that rested on it. Each is idempotent: SNS and SQS
//! deliver at least once, and an attempt that is marked is not marked again.
//!
//! Determinations:
//!
//! - *A lasting bounce or a complaint disables the channel* until the desk enables it or the rulebook changes it, as
//!   410 does; and the desk is told. A bounce that may pass is counted: several in a row disable it too.
//! - *The lead moves on while it rests on that mail alone*: nothing else has received it, and the dealer has not
//!   answered. First to the dealer's next channel, then, with what was charged credited, to the next dealer.
//! - *A contract that waits for its dealer keeps the lead after a bounce*, as after any other failure: it is mailed again
//!   once the address works. Not after a complaint: whoever complains was reached.
//! - *After a complaint the dealer may hold the lead*: it saw the mail. It is not likely to work it, so the lead moves
//!   on all the same, after a withdrawal; but never by mail to whoever complained.
//! - *Where it is open whether the mailbox has it* (SES takes an automatic reply for a bounce) the dealer may hold the
//!   lead: it moves on after a withdrawal, and the mailbox is counted as one that is full.
//! - *A complaint about a lead that was settled more than a day ago*, or that its dealer asked to return, moves nothing:
//!   it is the channel's alone. A click on "spam" is no way around a contract's returns.
//! - *A charge stands while the same dealer is tried by another channel*, and is credited only if it moves on.

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::{Assignment, Attempt, DeliveryState};
use leadyard_domain::dealer::ChannelKind;
use leadyard_domain::delivery::{End, Event, Failure, FailureKind, MailEvent, MailFate, Outcome};
use leadyard_domain::ids::ActId;
use leadyard_domain::lead::AssignmentState;
use leadyard_domain::limits;
use leadyard_platform::batch::Handled;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::mail::{About, Invited};
use leadyard_platform::store::{Act, Changes, ChannelState, Delivery, Disabled, StoreError};
use serde_json::json;

use crate::assigned::{self, ROUNDS};
use crate::channels;
use crate::copies::{self, Copies};
use crate::invitations;
use crate::messages;

/// Handles one event.
pub(crate) async fn one(cloud: &Cloud, body: &str) -> Handled {
    let event = match MailEvent::read(body) {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a mail event could not be read");
            return Handled::Failed;
        }
    };
    let followed = if let Some(about) = About::of_tags(|name| event.tag(name)) {
        Box::pin(follow(cloud, &event, &about)).await
    } else if let Some(of) = Invited::of_tags(|name| event.tag(name)) {
        invitations::came_back(cloud, &event, &of).await.map(|()| true)
    } else {
        tracing::info!("a mail event was of a mail that is not ours");
        return Handled::Done;
    };
    match followed {
        Ok(true) => Handled::Done,
        // What it is about is being written at this moment: it comes again.
        Ok(false) => Handled::Failed,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a mail event could not be followed");
            Handled::Failed
        }
    }
}

/// What an event changes; `false` when it came too early.
async fn follow(cloud: &Cloud, event: &MailEvent, about: &About) -> Result<bool, StoreError> {
    let outcome = match event.fate {
        MailFate::Other => return Ok(true),
        MailFate::Delivered => {
            arrived(cloud, about).await?;
            return Ok(true);
        }
        MailFate::Bounced => Outcome::NotReceived(failure(true)),
        MailFate::Returned | MailFate::Refused => Outcome::NotReceived(failure(false)),
        MailFate::Unsure => Outcome::Unknown(failure(false)),
        MailFate::Complained => Outcome::Unknown(failure(true)),
    };
    tracing::info!(
        lead.id = %about.lead, assignment.id = %about.assignment, dealer.id = %about.dealer,
        channel.order = about.channel, mail.fate = %event.fate, "a mail came back"
    );
    if is_in_force(cloud, about).await? {
        channel(cloud, event, about).await?;
    }
    match &about.message {
        None => of_assignment(cloud, event, about, &outcome).await,
        Some(number) => of_message(cloud, event, about, number, &outcome).await,
    }
}

const fn failure(disable: bool) -> Failure {
    Failure { kind: FailureKind::Status, status: None, retry_after_s: None, disable }
}

/// The mailbox has a mail: those that came back before it say nothing any more.
async fn arrived(cloud: &Cloud, about: &About) -> Result<(), StoreError> {
    let states = cloud.store.channels_of(&about.company, &about.dealer).await?;
    let counted = states.into_iter().find(|state| state.order == about.channel && state.bounces > 0);
    if let Some(state) = counted.filter(|state| state.mark == about.mark && state.disabled.is_none()) {
        let next = ChannelState { bounces: 0, bounced: None, ..state };
        // If somebody else changed it, another mail will say the same.
        cloud.store.channel_save(&about.company, &about.dealer, &next).await?;
    }
    Ok(())
}

/// Whether the rulebook still has the channel as it was when it mailed. Of a test, which has no assignment, it is taken
/// for granted.
async fn is_in_force(cloud: &Cloud, about: &About) -> Result<bool, StoreError> {
    let assignment = cloud.store.assignment_get(about.lead, about.cycle, about.assignment).await?;
    let Some(assignment) = assignment else { return Ok(true) };
    let Some(lead) = cloud.store.lead_get(about.lead).await? else { return Ok(true) };
    Ok(channels::of(cloud, &lead, &assignment).await?.has(about.channel, &about.mark))
}

/// What the channel makes of it.
async fn channel(cloud: &Cloud, event: &MailEvent, about: &About) -> Result<(), StoreError> {
    let (company, dealer) = (&about.company, &about.dealer);
    for _ in 0..ROUNDS {
        let states = cloud.store.channels_of(company, dealer).await?;
        let stands = states.into_iter().find(|state| state.order == about.channel);
        let state = match stands {
            // A test's mail, of an address that the rulebook may not have any more.
            Some(state) if state.mark != about.mark && about.cycle == 0 => return Ok(()),
            // What was known was another address's.
            Some(state) if state.mark != about.mark => {
                ChannelState { v: state.v, ..ChannelState::new(about.channel, about.mark.clone()) }
            }
            Some(state) => state,
            None => ChannelState::new(about.channel, about.mark.clone()),
        };
        if state.disabled.is_some() || state.bounced.as_ref() == Some(&event.id) {
            return Ok(());
        }
        let lasts = matches!(event.fate, MailFate::Bounced | MailFate::Complained);
        let bounces = state.bounces + 1;
        let mut next = ChannelState { bounces, bounced: Some(event.id.clone()), ..state };
        let saved = if lasts || bounces >= limits::MAIL_BOUNCES {
            let disabled = Disabled { at: cloud.clock.now(), why: event.fate.to_string() };
            next.disabled = Some(disabled);
            let act =
                channels::disabled_act(cloud, dealer, ChannelKind::Mail, about.channel, event.fate.as_str());
            cloud.store.channel_change(company, dealer, &next, &act).await?
        } else {
            cloud.store.channel_save(company, dealer, &next).await?
        };
        if saved {
            return Ok(());
        }
    }
    Err(StoreError::Contended)
}

/// The attempt that sent this mail, and whether one is under way whose mail it may be.
fn attempt_of<'a>(attempts: &'a mut [Attempt], event: &MailEvent) -> Option<&'a mut Attempt> {
    attempts
        .iter_mut()
        .find(|attempt| !attempt.answer.is_empty() && attempt.answer == Attempt::kept(&event.id))
}

/// It did not end as it was thought to; `false` when that is known already.
fn mark(attempt: &mut Attempt, event: &MailEvent, outcome: &Outcome) -> bool {
    if attempt.end != End::Received {
        return false;
    }
    attempt.end = End::BEFORE_ANY.and(outcome);
    event.fate.as_str().clone_into(&mut attempt.what);
    true
}

/// The assignment itself was mailed.
async fn of_assignment(
    cloud: &Cloud,
    event: &MailEvent,
    about: &About,
    outcome: &Outcome,
) -> Result<bool, StoreError> {
    for _ in 0..ROUNDS {
        let stands = cloud.store.assignment_get(about.lead, about.cycle, about.assignment).await?;
        let Some(stands) = stands else { return Ok(true) };
        let mut next = stands.clone();
        let Some(attempt) = attempt_of(&mut next.attempts, event) else {
            // Too early: that SES took it is not kept yet. Or so late that it is not kept any more.
            return Ok(stands.begun().is_none());
        };
        if !mark(attempt, event, outcome) {
            return Ok(true);
        }
        if Box::pin(moved_on(cloud, &stands, next, event, about, outcome)).await? {
            return Ok(true);
        }
    }
    Err(StoreError::Contended)
}

/// Keeps an assignment as it stands after a mail that came back, with what follows for its lead; `false` when somebody
/// else changed it.
async fn moved_on(
    cloud: &Cloud,
    seen: &Assignment,
    mut next: Assignment,
    event: &MailEvent,
    about: &About,
    outcome: &Outcome,
) -> Result<bool, StoreError> {
    let now = cloud.clock.now();
    if !rested_on_it(cloud, &next, event, now).await? {
        return if next == *seen { Ok(true) } else { cloud.store.assignment_save(&next).await };
    }
    let Some(lead) = cloud.store.lead_get(next.lead).await? else { return Ok(true) };
    let channels = channels::of(cloud, &lead, &next).await?;
    next.delivery = DeliveryState::Pending;
    // A dealer that is waited for and has no other channel is mailed again, slowly; where the address is gone, once the
    // desk has put it right.
    let lasts = outcome.failure().is_some_and(|failure| failure.disable);
    let elsewhere = lasts || next.patient_until.is_none() || channels.behind(next.channel_order).is_some();
    // A complaint is an answer: nobody is waited for after that.
    let complained = event.fate == MailFate::Complained;
    let kind = if complained { FailureKind::Declined } else { FailureKind::Status };
    let ended = Outcome::NotReceived(Failure { kind, ..failure(elsewhere) });
    Box::pin(assigned::follow(cloud, &mut next, &ended, &channels, now)).await?;
    let notice = notice(cloud, &next, event, about);
    let changes = Changes { notice: Some(&notice), ..Changes::of(&next, now) };
    if !cloud.store.assignment_change(&changes).await? {
        return Ok(false);
    }
    next.version += 1;
    Box::pin(assigned::go_on(cloud, next, now)).await?;
    Ok(true)
}

/// Whether nothing but that mail says that the dealer has the lead.
async fn rested_on_it(
    cloud: &Cloud,
    assignment: &Assignment,
    event: &MailEvent,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let declines = SignedDuration::from_hours(limits::DECLINE_HOURS);
    let too_late = event.fate == MailFate::Complained
        && assignment.settled_at.is_some_and(|settled_at| now.duration_since(settled_at) > declines);
    let waits = assignment.state == AssignmentState::Offered
        && assignment.returned.is_none()
        && !assignment.recalled
        && !assignment.shadow
        && !too_late;
    let received = |attempt: &Attempt| attempt.end == End::Received;
    if !waits || assignment.delivery != DeliveryState::Received || assignment.attempts.iter().any(received) {
        return Ok(false);
    }
    Ok(!matches!(copies::stand(cloud, assignment).await?, Copies::Received))
}

/// Another message was mailed: a copy, a repeat, a withdrawal.
async fn of_message(
    cloud: &Cloud,
    event: &MailEvent,
    about: &About,
    number: &str,
    outcome: &Outcome,
) -> Result<bool, StoreError> {
    let key = match about.copy {
        0 => number.to_owned(),
        copy => format!("{number}@{copy}"),
    };
    for _ in 0..ROUNDS {
        let stands =
            cloud.store.delivery_get(about.lead, about.assignment, about.event.as_str(), &key).await?;
        let Some(mut next) = stands else { return Ok(true) };
        let Some(attempt) = attempt_of(&mut next.attempts, event) else {
            // A message's attempt is kept once it has ended: it may be under way while one is due.
            let under_way = next.next_at.is_none_or(|at| at <= cloud.clock.now());
            return Ok(next.state != DeliveryState::Pending || !under_way);
        };
        if mark(attempt, event, outcome) {
            let again_ms =
                if next.state == DeliveryState::Received { again(cloud, &mut next, outcome) } else { None };
            messages::or_by_hand(cloud, &next, about.channel, again_ms).await?;
            if !cloud.store.delivery_save(&next).await? {
                continue;
            }
            if let Some(delay_ms) = again_ms {
                cloud.hand_message(&next, delay_ms).await;
            }
        }
        return of_copy(cloud, event, about, outcome).await;
    }
    Err(StoreError::Contended)
}

/// What follows for a message: by the next channel at once, where this one takes nothing more; else later. The wait, in
/// milliseconds.
fn again(cloud: &Cloud, delivery: &mut Delivery, outcome: &Outcome) -> Option<u64> {
    let disabled = outcome.failure().is_some_and(|failure| failure.disable);
    let by_next = disabled
        && delivery.channel == 0
        && delivery.attempts.len() <= usize::from(limits::CHANNELS_PER_DEALER);
    delivery.state = DeliveryState::Pending;
    if by_next {
        return Some(messages::try_again(delivery, cloud.clock.now(), cloud.clock.now()));
    }
    messages::follow(cloud, delivery, outcome)
}

/// A copy of the assignment may have been all that the dealer had.
async fn of_copy(
    cloud: &Cloud,
    event: &MailEvent,
    about: &About,
    outcome: &Outcome,
) -> Result<bool, StoreError> {
    if about.event != Event::Assigned || about.copy == 0 {
        return Ok(true);
    }
    for _ in 0..ROUNDS {
        let stands = cloud.store.assignment_get(about.lead, about.cycle, about.assignment).await?;
        let Some(stands) = stands else { return Ok(true) };
        if Box::pin(moved_on(cloud, &stands, stands.clone(), event, about, outcome)).await? {
            return Ok(true);
        }
    }
    Err(StoreError::Contended)
}

/// What the desk is told of a lead that moves on.
fn notice(cloud: &Cloud, assignment: &Assignment, event: &MailEvent, about: &About) -> Act {
    let at: Timestamp = cloud.clock.now();
    let told = json!({
        "lead": assignment.lead, "assignment": assignment.id, "dealer": assignment.dealer,
        "contract": assignment.contract, "channel": about.channel, "delivery": assignment.delivery,
    });
    Act {
        id: ActId::mint(at, cloud.entropy.bytes()),
        at,
        by: "leadyard".to_owned(),
        act: "mail_returned".to_owned(),
        reason: Some(event.fate.to_string()),
        before: "null".to_owned(),
        after: told.to_string(),
    }
}
