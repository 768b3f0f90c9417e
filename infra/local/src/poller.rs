//! The pollers: Lambda's event source mapping, on one machine. A batch is received, its function
//! called, and what did not fail is deleted; what failed comes again after its visibility timeout, and
//! at last goes to the dead letters.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use leadyard_platform::batch::{SqsBatchResponse, SqsEvent, SqsMessage};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::stream::{StreamEvent, StreamRecord};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::aws::{DynamoService, LocalQueues, Received, stream};
use crate::system::{self, Worked};

/// The longest a poller sleeps when nothing tells it of a message: delayed ones and those whose
/// visibility ends make no sound.
const NAP: Duration = Duration::from_millis(250);

/// Calls the function that works a queue.
pub async fn call(cloud: &Cloud, queue: &Worked, event: SqsEvent) -> SqsBatchResponse {
    match queue.name {
        name if name == system::INTERACTIONS.name => Box::pin(leadyard_scoring::handle(cloud, event)).await,
        name if name == system::DISTRIBUTION.name => {
            Box::pin(leadyard_distribution::handle(cloud, event)).await
        }
        name if name == system::DELIVERY.name => Box::pin(leadyard_delivery::handle(cloud, event)).await,
        name if name == system::MAIL_EVENTS.name => {
            Box::pin(leadyard_delivery::handle_mail_events(cloud, event)).await
        }
        _ => Box::pin(leadyard_intake::handle_spill(cloud, event)).await,
    }
}

/// Works one batch of a queue; how many messages it had.
pub async fn work(cloud: &Cloud, queues: &LocalQueues, queue: &Worked) -> usize {
    let received = match queues.receive(queue.name, queue.batch, queue.visibility_s).await {
        Ok(received) => received,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                queue = queue.name,
                "a queue could not be read"
            );
            return 0;
        }
    };
    if received.is_empty() {
        return 0;
    }
    let count = received.len();
    let receipts: Vec<(String, String)> =
        received.iter().map(|message| (message.message_id.clone(), message.receipt_handle.clone())).collect();
    let response = call(cloud, queue, event(received)).await;
    let failed: HashSet<String> =
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    let done: Vec<String> =
        receipts.into_iter().filter(|(id, _)| !failed.contains(id)).map(|(_, receipt)| receipt).collect();
    if let Err(error) = queues.delete(queue.name, &done).await {
        // They come again; every handler is used to that.
        tracing::error!(
            error = &error as &dyn std::error::Error,
            queue = queue.name,
            "messages could not be deleted"
        );
    }
    count
}

/// A batch as Lambda would hand it over.
pub fn event(received: Vec<Received>) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = received
        .into_iter()
        .map(|received| {
            let mut message = SqsMessage::default();
            message.message_id = Some(received.message_id);
            message.receipt_handle = Some(received.receipt_handle);
            message.body = Some(received.body);
            message
        })
        .collect();
    event
}

/// Polls every queue until told to stop, then lets what runs finish.
pub async fn run(cloud: Cloud, queues: Arc<LocalQueues>, mut stop: watch::Receiver<bool>) {
    let mut pollers = JoinSet::new();
    for queue in system::WORKED {
        for _ in 0..queue.concurrency {
            let (cloud, queues, stop) = (cloud.clone(), Arc::clone(&queues), stop.clone());
            pollers.spawn(async move { poll(&cloud, &queues, queue, stop).await });
        }
    }
    let _ = stop.wait_for(|stopped| *stopped).await;
    while pollers.join_next().await.is_some() {}
}

async fn poll(cloud: &Cloud, queues: &LocalQueues, queue: Worked, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if work(cloud, queues, &queue).await == 0 {
            let _ = tokio::time::timeout(NAP, queues.wait(queue.name)).await;
        }
    }
}

/// Records of the stream in one batch, as the template's mapping has it.
pub const STREAM_BATCH: usize = 1_000;
/// How long the stream's poller waits for records to gather: so many fewer writes of counters. On AWS it is longer.
const GATHER: Duration = Duration::from_millis(500);

/// Counts a batch of the table's stream, of what came after a number, and forgets it. The number of its last record, and
/// how many it had; `None` of nothing, and of what comes again.
pub async fn count(cloud: &Cloud, tables: &DynamoService, after: i64) -> Option<(i64, usize)> {
    let batch = match tables.stream_after(system::TABLE, after, STREAM_BATCH) {
        Ok(batch) => batch,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the stream could not be read");
            return None;
        }
    };
    let last = batch.last()?.0;
    let records: Vec<StreamRecord> = batch.into_iter().map(|(_, record)| StreamRecord(record)).collect();
    let size = records.len();
    let event = StreamEvent { records, shard: Some(stream::SHARD.to_owned()) };
    if !Box::pin(leadyard_reporting::handle(cloud, event)).await.failures.is_empty() {
        return None;
    }
    if let Err(error) = tables.stream_forget(system::TABLE, last) {
        tracing::error!(error = &error as &dyn std::error::Error, "the stream could not be trimmed");
    }
    Some((last, size))
}

/// Counts what happens until told to stop, and then the rest.
pub async fn report(cloud: Cloud, tables: DynamoService, mut stop: watch::Receiver<bool>) {
    // What the last run counted and could not forget is known by its number.
    let mut after = 0;
    loop {
        let stopped = tokio::time::timeout(GATHER, stop.wait_for(|stopped| *stopped)).await.is_ok();
        while let Some((last, size)) = count(&cloud, &tables, after).await {
            after = last;
            if size < STREAM_BATCH && !stopped {
                break;
            }
        }
        if stopped {
            return;
        }
    }
}

/// Sweeps every second until told to stop: on AWS a schedule does, every minute.
pub async fn tick(cloud: Cloud, mut stop: watch::Receiver<bool>) {
    const EVERY: Duration = Duration::from_secs(1);
    loop {
        if let Ok(stopped) = tokio::time::timeout(EVERY, stop.wait_for(|stopped| *stopped)).await {
            drop(stopped);
            return;
        }
        if let Err(error) = leadyard_sweep::sweep(&cloud).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a sweep failed; the next one follows");
        }
    }
}
