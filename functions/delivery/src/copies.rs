//! Channels that have every lead beside the first: a copy each, with attempts and a state of its own.

use jiff::Timestamp;
use leadyard_domain::assignment::{Assignment, Attempt, DeliveryState};
use leadyard_domain::delivery::{End, Event};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::store::{Delivery, StoreError};

use crate::channels::Channels;

/// Where the copies of an assignment stand, together.
pub(crate) enum Copies {
    /// One has arrived.
    Received,
    /// None has yet, and one still may.
    Pending,
    /// None has, nor will: there are none, or they have ended.
    Ended {
        /// One may have arrived without our knowing.
        unknown: bool,
    },
}

/// Sends a copy of a new assignment by each such channel; again, when it was not known that it was done.
pub(crate) async fn send(
    cloud: &Cloud,
    assignment: &Assignment,
    channels: &Channels,
    now: Timestamp,
) -> Result<(), StoreError> {
    let message = Delivery::to(assignment, Event::Assigned, "1", now);
    for copy in create(cloud, &message, channels.copies()).await? {
        cloud.hand_message(&copy, 0).await;
    }
    Ok(())
}

/// Besides the channel that has the lead, those that a message goes by: whoever gets copies; and of a
/// withdrawal or an erasure also those by which the lead may have arrived before another had its turn.
pub(crate) fn beside(message: &Delivery, assignment: &Assignment, channels: &Channels) -> Vec<u8> {
    let mut orders = channels.copies();
    let everywhere = match message.event {
        Event::Withdrawn | Event::Erased => true,
        Event::Assigned | Event::Repeated | Event::Warned | Event::OptedOut => false,
    };
    if everywhere {
        let may_have = |attempt: &&Attempt| attempt.end != End::NotReceived && attempt.channel > 0;
        orders.extend(assignment.attempts.iter().filter(may_have).map(|attempt| attempt.channel));
        if assignment.unknown_before {
            // Which one it was is not kept any more.
            orders.extend(channels.line_before(assignment.channel_order));
        }
        orders.retain(|order| *order != assignment.channel_order);
        orders.sort_unstable();
        orders.dedup();
    }
    orders
}

/// Keeps a copy of a message for each of these channels; those that did not stand already.
pub(crate) async fn create(
    cloud: &Cloud,
    message: &Delivery,
    orders: Vec<u8>,
) -> Result<Vec<Delivery>, StoreError> {
    let mut created = Vec::new();
    for order in orders {
        let copy = message.by(order);
        if cloud.store.delivery_create(&copy).await? {
            created.push(copy);
        }
    }
    Ok(created)
}

/// Whether a copy has arrived, or may have.
pub(crate) async fn may_be_held(cloud: &Cloud, assignment: &Assignment) -> Result<bool, StoreError> {
    Ok(match stand(cloud, assignment).await? {
        Copies::Received | Copies::Pending => true,
        Copies::Ended { unknown } => unknown,
    })
}

/// Where the copies of an assignment stand.
pub(crate) async fn stand(cloud: &Cloud, assignment: &Assignment) -> Result<Copies, StoreError> {
    let mut all = Copies::Ended { unknown: false };
    // Whatever the rulebook says now: one that was sent before it changed may be held.
    for order in 1..=limits::CHANNELS_PER_DEALER {
        let asked = Delivery::to(assignment, Event::Assigned, "1", assignment.offered_at).by(order);
        let found = cloud
            .store
            .delivery_get(asked.lead, asked.assignment, asked.event.as_str(), &asked.key_number())
            .await?;
        // One that is not there was never sent: its channel is new.
        let Some(copy) = found else { continue };
        all = match (copy.state, all) {
            (DeliveryState::Received, _) => return Ok(Copies::Received),
            (DeliveryState::Pending, _) | (_, Copies::Pending) => Copies::Pending,
            (DeliveryState::NotReceived | DeliveryState::Unknown, Copies::Ended { unknown }) => {
                let may_be = copy.attempts.iter().any(|attempt| attempt.end == End::Unknown);
                Copies::Ended { unknown: unknown || may_be }
            }
            (DeliveryState::NotReceived | DeliveryState::Unknown, Copies::Received) => Copies::Received,
        };
    }
    Ok(all)
}
