//! One signed attempt at a dealer's channel.

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use leadyard_domain::assignment::{Assignment, Attempt};
use leadyard_domain::dealer::ChannelKind;
use leadyard_domain::delivery::{End, FailureKind, Outcome, derive_secret, sign};
use leadyard_domain::distribution::Chunk;
use leadyard_domain::distribution::compiled::CompiledChannel;
use leadyard_domain::ids::{CompanyId, DealerId};
use leadyard_domain::lead::Lead;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::outbound::Request;
use leadyard_platform::store::StoreError;

/// The generation of dealers' webhook secrets.
const GENERATION: u32 = 1;

/// How the dealer of an assignment is reached now; `None` when it is not in the rulebook any more, nor
/// was in the one the lead was decided under.
pub(crate) async fn channel(
    cloud: &Cloud,
    lead: &Lead,
    assignment: &Assignment,
) -> Result<Option<CompiledChannel>, StoreError> {
    let (dealer, decided_under) = (&assignment.dealer, assignment.rulebook);
    // One that an earlier version wrote does not say where it was sold.
    let state = assignment.sold_in.or_else(|| lead.location().state());
    let current = cloud.rulebooks.current(&cloud.store, &lead.company).await?;
    let current_version = current.as_ref().map(|core| core.version);
    let mut books = vec![current];
    if current_version != Some(decided_under) {
        books.push(cloud.store.rulebook_core(&lead.company, decided_under).await?.map(std::sync::Arc::new));
    }
    for core in books.into_iter().flatten() {
        let channel = |chunk: &Chunk| {
            let inbox = CompiledChannel { kind: ChannelKind::Inbox, address: String::new() };
            Some(chunk.dealer(dealer)?.channels.first().cloned().unwrap_or(inbox))
        };
        let found = cloud.rulebooks.find(&cloud.store, &core, &lead.category, state, channel).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// To whom, about what.
pub(crate) struct Post<'a> {
    pub(crate) company: &'a CompanyId,
    pub(crate) dealer: &'a DealerId,
    pub(crate) webhook_id: String,
    pub(crate) body: String,
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
pub(crate) fn way(cloud: &Cloud, channel: Option<&CompiledChannel>, post: Post<'_>, now: Timestamp) -> Way {
    match channel.map(|channel| (channel.kind, channel.address.as_str())) {
        None => Way::None("no_channel"),
        Some((ChannelKind::Inbox, _)) => Way::Stands,
        Some((ChannelKind::Webhook, address)) => match signed(cloud, &post, now) {
            None => Way::None("unsigned"),
            Some(headers) => {
                Way::Post(Request { url: address.to_owned(), headers, body: post.body.into(), at: now })
            }
        },
    }
}

/// Makes one attempt.
pub(crate) async fn attempt(cloud: &Cloud, way: Way, now: Timestamp) -> (Outcome, Attempt) {
    let (outcome, what, ms) = match way {
        Way::Stands => (Outcome::Received, "inbox".to_owned(), 0),
        Way::None(why) => (Outcome::of_failure(FailureKind::BadUrl), why.to_owned(), 0),
        Way::Post(request) => {
            let attempt = cloud.outbound.post(request).await;
            let what = match attempt.outcome.failure() {
                None => attempt.status.map_or_else(|| "received".to_owned(), |status| status.to_string()),
                Some(failure) => failure.to_string(),
            };
            (attempt.outcome, what, attempt.elapsed_ms)
        }
    };
    let end = End::BEFORE_ANY.and(&outcome);
    (outcome, Attempt { at: now, end, what, ms })
}

fn signed(cloud: &Cloud, post: &Post<'_>, now: Timestamp) -> Option<HeaderMap> {
    let secret = derive_secret(cloud.master.bytes(), post.company, post.dealer, GENERATION).ok()?;
    let seconds = now.as_second();
    let signature = sign(&[secret], &post.webhook_id, seconds, post.body.as_bytes()).ok()?;
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("webhook-id", HeaderValue::from_str(&post.webhook_id).ok()?);
    headers.insert("webhook-timestamp", HeaderValue::from(seconds));
    headers.insert("webhook-signature", HeaderValue::from_str(&signature).ok()?);
    Some(headers)
}
