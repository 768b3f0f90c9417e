//! Delivery: an assignment reaches its dealer.
//!
//! | module | holds |
//! |---|---|
//! | [`assigned`] | the assignment itself: attempts, settlement, final failure |
//! | [`taken_back`] | the lead moves on: withdrawn, or its deadline passed |
//! | [`body`] | what a dealer is sent of a lead |
//! | [`form`] | in what form: our own, ADF, or that of the dealer's own API |
//! | [`channels`] | how a dealer is reached now: whose turn it is, what became of it |
//! | [`copies`] | channels that have every lead beside the first |
//! | [`messages`] | what else a holder is told: repeats, withdrawals |
//! | [`postbacks`] | what the sender of an enquiry is told |
//! | [`trial`] | a test of one channel |
//! | [`invitations`] | somebody is told that they may sign in |
//! | [`post`] | one attempt at a dealer's channel |
//! | [`mail_events`] | a mail comes back |
//!
//! Idempotent by assignment and attempt: an attempt is claimed before it is made, so that a duplicate
//! message finds it under way, or the delivery ended, and does nothing. Repeats and withdrawals are not
//! claimed: a duplicate may tell them twice. The webhook id stays the same throughout. Attempts of a
//! batch run side by side, each at most ten seconds, and few at a time at one dealer, so that one that hangs
//! delays nobody else.

mod assigned;
mod taken_back;
mod body;
mod form;
mod channels;
mod copies;
mod messages;
mod postbacks;
mod trial;
mod invitations;
mod post;
mod mail_events;

use futures::future::join_all;
use leadyard_platform::batch::{self, Handled, SqsBatchResponse, SqsEvent};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::queues::{self, ToDelivery};

/// Handles a batch: those that failed come again.
pub async fn handle(cloud: &Cloud, event: SqsEvent) -> SqsBatchResponse {
    let results = join_all(event.records.into_iter().map(|message| async move {
        let handled = Box::pin(one(cloud, batch::body(&message))).await;
        (message.message_id, handled)
    }))
    .await;
    cloud.metrics.write(cloud.clock.now());
    batch::response(results)
}

/// Handles a batch of what SES says of mails: those that failed come again.
pub async fn handle_mail_events(cloud: &Cloud, event: SqsEvent) -> SqsBatchResponse {
    let results = join_all(event.records.into_iter().map(|message| async move {
        let handled = mail_events::one(cloud, batch::body(&message)).await;
        (message.message_id, handled)
    }))
    .await;
    cloud.metrics.write(cloud.clock.now());
    batch::response(results)
}

async fn one(cloud: &Cloud, body: &str) -> Handled {
    let done = match queues::read::<ToDelivery>(body) {
        Ok(ToDelivery::Assignment { lead, cycle, assignment }) => {
            Box::pin(assigned::deliver(cloud, lead, cycle, assignment)).await
        }
        Ok(ToDelivery::Message { lead, assignment, event, number }) => {
            messages::deliver(cloud, lead, assignment, &event, number).await
        }
        Ok(ToDelivery::Postback { enquiry, status }) => {
            Box::pin(postbacks::deliver(cloud, enquiry, status)).await
        }
        Ok(ToDelivery::Trial { company, trial }) => Box::pin(trial::deliver(cloud, &company, trial)).await,
        Ok(ToDelivery::Invitation { company, to, act }) => {
            Box::pin(invitations::deliver(cloud, &company, &to, act)).await
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a message could not be read");
            return Handled::Failed;
        }
    };
    match done {
        Ok(()) => Handled::Done,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "delivery could not finish");
            Handled::Failed
        }
    }
}
