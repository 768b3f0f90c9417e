//! A batch from a queue, and which of its messages failed.
//!
//! The shapes are Lambda's; on one machine and in the simulation the poller builds and honours the
//! same. An id that is unknown or empty in the answer would fail the whole batch on AWS, so answers are
//! only ever built here.

pub use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// Done; it is deleted.
    Done,
    /// Not done; it comes again after its visibility timeout, and at last to the dead letters.
    Failed,
}

/// The answer to a batch: those that failed come again, the rest is deleted.
pub fn response(results: impl IntoIterator<Item = (Option<String>, Handled)>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = results
        .into_iter()
        .filter(|(_, handled)| *handled == Handled::Failed)
        .filter_map(|(id, _)| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id.filter(|id| !id.is_empty())?;
            Some(failure)
        })
        .collect();
    response
}

/// The message's body, or nothing.
pub fn body(message: &SqsMessage) -> &str {
    message.body.as_deref().unwrap_or_default()
}
