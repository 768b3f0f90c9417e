//! Postbacks: the sender of an enquiry is told what became of it.
//!
//! Determinations:
//!
//! - *The rules in force* say where it goes and how: a source that asks for it no more is not told, and the postback
//!   ends. So does that of an enquiry that is not kept any more, or whose person was erased.
//! - *Claimed* before it is sent, so that a message that came twice sends it once; what a process died on is sent
//!   again, under the same `webhook-id`. A GET has none: its URL says enquiry or reference.
//! - *Received* is any 2xx. Tried at once, after 10 seconds, a minute, 10 minutes, then every hour for a day; not
//!   before what a Retry-After asks for. A 410 ends it.
//! - *Given up*, the desk is told in the company's changes: once an hour for each source, however many there are. Each
//!   item says how its own ended.
//! - *A sender that hangs* is waited for five seconds, by two at a time in one process, and then left alone for a minute:
//!   dealers whose leads are in the same batch have them side by side, and the batch ends. Who waits uses up no attempt.
//! - *Signed* with two secrets, of the source's key generation and of the one before: whoever raises it has time to
//!   change the sender over.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::delivery::{FailureKind, Outcome, derive_postback_secret, sign};
use leadyard_domain::ids::{ActId, EnquiryId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::{PostbackMethod, PostbackRule, PostbackSays, PostbackStatus, Source};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging;
use leadyard_platform::outbound::Request;
use leadyard_platform::store::{Act, Postback, PostbackEnd, StoreError};
use serde_json::json;

/// Tells a sender, or does what is next about it.
pub(crate) async fn deliver(
    cloud: &Cloud,
    enquiry: EnquiryId,
    status: PostbackStatus,
) -> Result<(), StoreError> {
    let Some(mut postback) = cloud.store.postback_get(enquiry, status).await? else { return Ok(()) };
    let now = cloud.clock.now();
    if postback.ended.is_some() || postback.next_at.is_some_and(|at| now < at) {
        return Ok(()); // a message that came twice, or too early
    }
    let core = cloud.rulebooks.current(&cloud.store, &postback.company).await?;
    let source = core.as_ref().and_then(|core| core.source(&postback.source));
    let asked = source.and_then(|source| Some((source, source.postback.as_ref()?)));
    let Some((source, rule)) = asked.filter(|(source, _)| source.asks_for(status)) else {
        return end(cloud, postback, PostbackEnd::Unasked).await;
    };
    let Some(request) = request(cloud, source, rule, &postback, now).await? else {
        return end(cloud, postback, PostbackEnd::Gone).await;
    };
    let Some(_under_way) = cloud.outbound.enter_sender(&postback.company, &postback.source) else {
        return make_way(cloud, postback, now).await;
    };
    postback.tries += 1;
    postback.next_at = now.checked_add(SignedDuration::from_millis(limits::POSTBACK_CLAIM_MS as i64)).ok();
    if !cloud.store.postback_save(&postback).await? {
        return Ok(()); // somebody else has it
    }
    postback.v += 1;
    let within = Duration::from_millis(limits::POSTBACK_MS);
    let outcome = match tokio::time::timeout(within, cloud.outbound.post(request)).await {
        Ok(attempt) => attempt.outcome,
        Err(_) => {
            cloud.outbound.rest_sender(&postback.company, &postback.source);
            Outcome::of_failure(FailureKind::Timeout)
        }
    };
    Box::pin(ended(cloud, postback, &outcome)).await
}

/// Others of this sender's are under way, or it hung just now. The longer it has waited, the longer it goes on waiting: a backlog of
/// thousands at one that hangs is not looked at every second. It ends as late as one that is tried.
async fn make_way(cloud: &Cloud, mut postback: Postback, now: Timestamp) -> Result<(), StoreError> {
    const SHORTEST_MS: u64 = 1_000;
    const LONGEST_MS: u64 = 600_000;
    let waited = now.duration_since(postback.since);
    if waited > SignedDuration::from_hours(limits::POSTBACK_HOURS) {
        "no_room".clone_into(&mut postback.last);
        tell_desk(cloud, &postback, now).await?;
        return end(cloud, postback, PostbackEnd::GivenUp).await;
    }
    let half_ms = (waited.as_millis().max(0) as u64 / 2).clamp(SHORTEST_MS, LONGEST_MS);
    let wait_ms = half_ms + cloud.entropy.u64() % half_ms;
    wait(cloud, postback, wait_ms, now).await
}

/// What follows an attempt.
async fn ended(cloud: &Cloud, mut postback: Postback, outcome: &Outcome) -> Result<(), StoreError> {
    let now = cloud.clock.now();
    let failure = match outcome {
        Outcome::Received => None,
        Outcome::NotReceived(failure) | Outcome::Unknown(failure) => Some(failure),
    };
    postback.last = match failure {
        None => "received".to_owned(),
        Some(failure) => failure.status.map_or_else(|| failure.kind.to_string(), |status| status.to_string()),
    };
    tracing::info!(
        enquiry.id = %postback.enquiry, source.id = %postback.source, postback.status = %postback.status,
        attempt.number = postback.tries, attempt.what = %postback.last, "a sender was told"
    );
    let Some(failure) = failure else { return end(cloud, postback, PostbackEnd::Received).await };
    let wait_ms = next(&postback, failure.retry_after_s.unwrap_or(0), now).filter(|_| !failure.disable);
    match wait_ms {
        Some(wait_ms) => wait(cloud, postback, wait_ms, now).await,
        None => {
            // Before it ends: whoever dies in between tells the desk the same again.
            tell_desk(cloud, &postback, now).await?;
            end(cloud, postback, PostbackEnd::GivenUp).await
        }
    }
}

/// How long until the next attempt, in milliseconds; `None` when it is tried no more.
fn next(postback: &Postback, asked_s: u32, now: Timestamp) -> Option<u64> {
    let wait_s: i64 = match postback.tries {
        0 | 1 => 10,
        2 => 60,
        3 => 600,
        _ => 3_600,
    };
    let wait_s = wait_s.max(i64::from(asked_s));
    let at = now.checked_add(SignedDuration::from_secs(wait_s)).ok()?;
    let last = postback.since.checked_add(SignedDuration::from_hours(limits::POSTBACK_HOURS)).ok()?;
    (at <= last).then_some(wait_s as u64 * 1_000)
}

async fn wait(cloud: &Cloud, mut postback: Postback, wait_ms: u64, now: Timestamp) -> Result<(), StoreError> {
    postback.next_at = now.checked_add(SignedDuration::from_millis(wait_ms as i64)).ok();
    if cloud.store.postback_save(&postback).await? {
        cloud.hand_postback(&postback, wait_ms).await;
    }
    Ok(())
}

/// If somebody else changed it meanwhile, they left it the due time it needs.
async fn end(cloud: &Cloud, mut postback: Postback, how: PostbackEnd) -> Result<(), StoreError> {
    postback.ended = Some(how);
    postback.next_at = None;
    cloud.store.postback_save(&postback).await.map(drop)
}

/// The request as it is now; `None` of an enquiry that is not kept any more.
async fn request(
    cloud: &Cloud,
    source: &Source,
    rule: &PostbackRule,
    postback: &Postback,
    now: Timestamp,
) -> Result<Option<Request>, StoreError> {
    let Some(enquiry) = cloud.store.enquiry_get(postback.enquiry).await? else { return Ok(None) };
    let reference = judging::understand(&enquiry, Some(source)).reference;
    let id = postback.enquiry.to_string();
    let url = rule.fill(&PostbackSays {
        enquiry: &id,
        status: postback.status,
        reason: &postback.reason,
        reference: reference.as_deref().unwrap_or_default(),
    });
    let (method, headers, body) = match rule.method {
        PostbackMethod::Get => (Method::GET, HeaderMap::new(), Bytes::new()),
        PostbackMethod::Post => {
            let reason = Some(&postback.reason).filter(|reason| !reason.is_empty());
            let body = json!({
                "type": format!("enquiry.{}", postback.status),
                "timestamp": postback.since,
                "data": {
                    "enquiry": id, "source": postback.source, "status": postback.status, "reason": reason,
                    "reference": reference,
                },
            });
            let body = body.to_string();
            (Method::POST, signed(cloud, source, postback, &body, now), body.into())
        }
    };
    Ok(Some(Request { method, url, headers, body, at: now }))
}

/// The headers of Standard Webhooks.
fn signed(cloud: &Cloud, source: &Source, postback: &Postback, body: &str, now: Timestamp) -> HeaderMap {
    let generations = [source.key_generation, source.key_generation.saturating_sub(1)];
    let secrets: Vec<_> = generations
        .into_iter()
        .filter(|generation| *generation > 0)
        .filter_map(|generation| {
            derive_postback_secret(cloud.master.bytes(), &postback.company, &source.id, generation).ok()
        })
        .collect();
    let id = postback.webhook_id();
    let signature = sign(&secrets, &id, now.as_second(), body.as_bytes()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("webhook-timestamp", HeaderValue::from(now.as_second()));
    for (name, value) in [("webhook-id", id), ("webhook-signature", signature)] {
        // Both are plain ASCII.
        headers.extend(
            HeaderValue::try_from(value).ok().map(|value| (http::HeaderName::from_static(name), value)),
        );
    }
    headers
}

/// The desk sees it among the company's changes. What ended in the same hour writes over it.
async fn tell_desk(cloud: &Cloud, postback: &Postback, now: Timestamp) -> Result<(), StoreError> {
    let hour = Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(3_600)).unwrap_or(now);
    let mark =
        cloud.master.derive(&format!("leadyard/postback_failed/{}/{}", postback.company, postback.source));
    let mut id = [0; 16];
    id.copy_from_slice(&mark[..16]);
    let act = Act {
        id: ActId::from_bytes(id),
        at: hour,
        by: "leadyard".to_owned(),
        act: "postback_failed".to_owned(),
        reason: None,
        before: "null".to_owned(),
        after: json!({
            "source": postback.source, "enquiry": postback.enquiry, "status": postback.status,
            "attempts": postback.tries, "last": postback.last,
        })
        .to_string(),
    };
    cloud.store.change_keep(&postback.company, &act).await
}
