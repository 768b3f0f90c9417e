//! `leadyard redrive`: dead letters go back to their queue on AWS, once what held them up is put right.
//!
//! Each is sent, and deleted only when it was taken: one may go back twice, which every handler is used to, and none is
//! lost. Its group goes with it. AWS's own move task would do as well, but for the groups: it says nothing of keeping them.

use anyhow::Context as _;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use clap::Args;
use leadyard_platform::https;
use serde::Serialize;

/// What `redrive` is asked for.
#[derive(Args)]
pub struct Options {
    /// The queue's URL, as the stack's outputs have it; its dead letters stand in the queue of the same name and `-dead`.
    queue_url: String,
    /// Messages moved at most.
    #[arg(long, default_value_t = 10_000)]
    most: usize,
}

/// What became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Messages that stand in their queue again.
    pub moved: usize,
    /// Messages that their queue did not take: they stay with the dead letters.
    pub refused: usize,
}

/// How long a message is kept from others while it is moved, in seconds.
const HELD_S: i32 = 60;
/// How long an empty queue is listened to, in seconds.
const LISTEN_S: i32 = 2;

/// Moves them; credentials, region and endpoint come from the environment, as for every program of AWS.
///
/// # Errors
/// When the dead letters cannot be asked for. What was moved until then stays moved.
pub async fn run(options: &Options) -> anyhow::Result<Moved> {
    let sdk = https::sdk().load().await;
    let queues = Client::new(&sdk);
    let dead = format!("{}-dead", options.queue_url);
    let mut moved = Moved::default();
    while moved.moved + moved.refused < options.most {
        let some = queues
            .receive_message()
            .queue_url(&dead)
            .max_number_of_messages((options.most - moved.moved - moved.refused).min(10) as i32)
            .visibility_timeout(HELD_S)
            .wait_time_seconds(LISTEN_S)
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .send()
            .await
            .context("the dead letters could not be read")?;
        let messages = some.messages.unwrap_or_default();
        if messages.is_empty() {
            break;
        }
        for message in messages {
            match back(&queues, &options.queue_url, &dead, &message).await {
                Ok(()) => moved.moved += 1,
                Err(error) => {
                    tracing::warn!(error = &*error, "a dead letter stays where it is");
                    moved.refused += 1;
                }
            }
        }
    }
    Ok(moved)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn back(queues: &Client, url: &str, dead: &str, message: &Message) -> Result<(), Failure> {
    let group =
        message.attributes.as_ref().and_then(|of| of.get(&MessageSystemAttributeName::MessageGroupId));
    queues
        .send_message()
        .queue_url(url)
        .message_body(message.body.as_deref().unwrap_or_default())
        .set_message_group_id(group.cloned())
        .send()
        .await?;
    let receipt = message.receipt_handle.clone();
    queues.delete_message().queue_url(dead).set_receipt_handle(receipt).send().await?;
    Ok(())
}
