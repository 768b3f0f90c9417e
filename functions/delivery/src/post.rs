//! One attempt at a dealer's channel: what is sent is signed, what is answered is judged.

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use leadyard_domain::assignment::Attempt;
use leadyard_domain::dealer::ChannelKind;
use leadyard_domain::delivery::{End, FailureKind, Outcome, WebhookSecret, sign};
use leadyard_domain::distribution::compiled::CompiledChannel;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::outbound::Request;

/// What is sent.
pub(crate) struct Post {
    pub(crate) webhook_id: String,
    pub(crate) body: String,
    /// What proves that it came from us: all that stand, so that a dealer changes over without a gap.
    pub(crate) secrets: Vec<WebhookSecret>,
}

/// How a message gets to its dealer, ready to go.
pub(crate) enum Way {
    /// It is there as soon as it stands in the table: an inbox.
    Stands,
    /// There is none: why not.
    None(&'static str),
    /// It is posted.
    Post(Request),
}

impl Way {
    /// Whether anything leaves this system.
    pub(crate) const fn leaves(&self) -> bool {
        matches!(self, Self::Post(_))
    }
}

/// Signs a message and addresses it.
pub(crate) fn way(channel: &CompiledChannel, post: Post, now: Timestamp) -> Way {
    match channel.kind {
        ChannelKind::Inbox => Way::Stands,
        ChannelKind::Webhook => match signed(&post, now) {
            None => Way::None("unsigned"),
            Some(headers) => {
                Way::Post(Request { url: channel.address.clone(), headers, body: post.body.into(), at: now })
            }
        },
    }
}

/// Makes one attempt, by the channel of this order.
pub(crate) async fn attempt(cloud: &Cloud, way: Way, order: u8, now: Timestamp) -> (Outcome, Attempt) {
    let (outcome, what, ms, answer) = match way {
        Way::Stands => (Outcome::Received, "inbox".to_owned(), 0, String::new()),
        Way::None(why) => (Outcome::of_failure(FailureKind::BadUrl), why.to_owned(), 0, String::new()),
        Way::Post(request) => {
            let attempt = cloud.outbound.post(request).await;
            let what = match attempt.outcome.failure() {
                None => attempt.status.map_or_else(|| "received".to_owned(), |status| status.to_string()),
                Some(failure) => failure.to_string(),
            };
            (attempt.outcome, what, attempt.elapsed_ms, Attempt::kept(&attempt.answer))
        }
    };
    let end = End::BEFORE_ANY.and(&outcome);
    (outcome, Attempt { at: now, end, what, ms, channel: order, answer })
}

fn signed(post: &Post, now: Timestamp) -> Option<HeaderMap> {
    let seconds = now.as_second();
    if post.secrets.is_empty() {
        return None;
    }
    let signature = sign(&post.secrets, &post.webhook_id, seconds, post.body.as_bytes()).ok()?;
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("webhook-id", HeaderValue::from_str(&post.webhook_id).ok()?);
    headers.insert("webhook-timestamp", HeaderValue::from(seconds));
    headers.insert("webhook-signature", HeaderValue::from_str(&signature).ok()?);
    Some(headers)
}
