//! What the table did not take comes in later, once: the enquiry's id was fixed before the first write.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::future::join_all;
use leadyard_domain::access::PageKey;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{EnquiryId, VisitorId};
use leadyard_platform::arriving::answer::{Answer, Answered, What};
use leadyard_platform::arriving::{Arrival, LET_IN, quarantine};
use leadyard_platform::batch::{self, Handled, SqsBatchResponse, SqsEvent};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::queues::{self, ToSpill};
use leadyard_platform::store::{StoreError, UNFETCHED};

use crate::{aside, keep, meta};

/// Handles a batch of spilled enquiries: those the table still does not take come again.
pub async fn handle_spill(cloud: &Cloud, event: SqsEvent) -> SqsBatchResponse {
    // Side by side: what must be fetched may take its time.
    let results = event.records.into_iter().map(|message| async move {
        let handled = Box::pin(one(cloud, batch::body(&message))).await;
        (message.message_id, handled)
    });
    let results = join_all(results).await;
    cloud.metrics.write(cloud.clock.now());
    batch::response(results)
}

/// An enquiry is due: to be fetched, for its deadline in quarantine, or since it was kept aside for long.
async fn due(cloud: &Cloud, id: EnquiryId) -> Result<(), StoreError> {
    match cloud.store.enquiry_get(id).await? {
        Some(noted) if noted.status == UNFETCHED => Box::pin(meta::fetch(cloud, noted)).await,
        Some(aside) if aside.aside_since().is_some() => aside::keep_or_delete(cloud, &aside).await,
        Some(_) | None => Box::pin(quarantine::deadline(cloud, id)).await,
    }
}

async fn one(cloud: &Cloud, body: &str) -> Handled {
    let spilled: ToSpill = match queues::read(body) {
        Ok(spilled) => spilled,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a message could not be read");
            return Handled::Failed;
        }
    };
    if spilled.deadline {
        return match Box::pin(due(cloud, spilled.enquiry)).await {
            Ok(()) => Handled::Done,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "an enquiry that is due waits on");
                Handled::Failed
            }
        };
    }
    let Ok(bytes) = STANDARD.decode(&spilled.body) else { return Handled::Failed };
    let arrival = Arrival {
        id: spilled.enquiry,
        key: PageKey {
            company: spilled.company,
            source: spilled.source,
            generation: spilled.generation.unwrap_or(LET_IN),
            origins: Vec::new(),
        },
        trusted: spilled.trusted,
        at: spilled.received_at,
        content_type: spilled.content_type,
        body: Bytes::from(bytes),
        idempotency: spilled.idempotency,
        visitor: spilled
            .visitor
            .or_else(|| (!spilled.trusted).then(|| VisitorId::from_bytes(*spilled.enquiry.bytes()))),
        gpc: spilled.gpc,
        user_agent: spilled.user_agent,
        address: spilled.address,
        ip: spilled.ip,
        sent_by: spilled.sent_by,
        spilled: true,
        tried: false,
    };
    match Box::pin(take_in(cloud, &arrival)).await {
        Ok(answered) => {
            answered.count(cloud);
            if let What::Fresh(Answer::Refused(problem)) = &answered.what {
                tracing::warn!(enquiry.id = %arrival.id, code = problem.code().slug(), "a spilled enquiry was set aside");
            }
            Handled::Done
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a spilled enquiry waits on");
            Handled::Failed
        }
    }
}

/// Takes in what was spilled. Where the sender has tried again meanwhile under the same idempotency key, and that was
/// taken in, the two are one: whoever was acknowledged by this id finds the other by it. Another body under the same
/// key is a mistake of the sender's, and no reason to lose what was acknowledged.
async fn take_in(cloud: &Cloud, arrival: &Arrival) -> Result<Answered, StoreError> {
    let answered = Box::pin(keep::keep(cloud, arrival)).await?;
    match &answered.what {
        What::Replay { body, .. } => match of(body) {
            Some(first) if first != arrival.id => keep::note_replay(cloud, arrival, first).await?,
            Some(_) => {}
            None => {
                return Box::pin(keep::keep(cloud, &Arrival { idempotency: None, ..arrival.clone() })).await;
            }
        },
        What::Fresh(Answer::Refused(problem)) if problem.code() == Code::IdempotencyMismatch => {
            return Box::pin(keep::keep(cloud, &Arrival { idempotency: None, ..arrival.clone() })).await;
        }
        What::Fresh(_) => {}
    }
    Ok(answered)
}

/// The enquiry that an answer was about.
fn of(answer: &str) -> Option<EnquiryId> {
    let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
    answer["enquiry"].as_str()?.parse().ok()
}
