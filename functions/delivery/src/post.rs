//! One attempt at a dealer's channel: what is sent is signed or sealed in an envelope, what is answered is judged.

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use leadyard_domain::assignment::Attempt;
use leadyard_domain::dealer::ChannelKind;
use leadyard_domain::delivery::{End, Event, FailureKind, Mail, Outcome, WebhookSecret, sign};
use leadyard_domain::distribution::compiled::CompiledChannel;
use leadyard_domain::rulebook::MailSender;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::mail::About;
use leadyard_platform::outbound::Request;
use leadyard_platform::sent::Sent;

use crate::body::Content;

/// What is sent.
pub(crate) struct Post {
    pub(crate) webhook_id: String,
    pub(crate) content: Content,
    /// What it is about, should it come back.
    pub(crate) about: About,
    /// Who letters come from.
    pub(crate) sender: Option<MailSender>,
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
    /// It is mailed.
    Mail(Box<(Mail, About)>),
    /// It is put into the dealer's queue.
    Queue { address: String, body: String, event: Event, id: String },
}

impl Way {
    /// Whether anything leaves this system.
    pub(crate) const fn leaves(&self) -> bool {
        match self {
            Self::Stands | Self::None(_) => false,
            Self::Post(_) | Self::Mail(_) | Self::Queue { .. } => true,
        }
    }
}

/// Signs a message and addresses it.
pub(crate) fn way(channel: &CompiledChannel, post: Post, now: Timestamp) -> Way {
    let address = channel.address.clone();
    match (channel.kind, post.content) {
        (ChannelKind::Inbox, _) => Way::Stands,
        (ChannelKind::Webhook, Content::Json(body)) => {
            match signed(&post.secrets, &post.webhook_id, &body, now) {
                None => Way::None("unsigned"),
                Some(headers) => Way::Post(Request { url: address, headers, body: body.into(), at: now }),
            }
        }
        (ChannelKind::Mail, Content::Letter(letter)) => match post.sender {
            None => Way::None("no_sender"),
            Some(MailSender { from, name: from_name }) => {
                let about = post.about;
                let (to, id) = (address, post.webhook_id);
                let mail = Mail { from, from_name, to, letter, id, about: about.assignment };
                Way::Mail(Box::new((mail, about)))
            }
        },
        (ChannelKind::Sqs, Content::Json(body)) => {
            let (event, id) = (post.about.event, post.webhook_id);
            Way::Queue { address, body, event, id }
        }
        (ChannelKind::Webhook | ChannelKind::Sqs, Content::Letter(_))
        | (ChannelKind::Mail, Content::Json(_)) => Way::None("another_form"),
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
        Way::Mail(mail) => {
            let (mail, about) = *mail;
            told(cloud.mail.send(&mail, &about, now).await)
        }
        Way::Queue { address, body, event, id } => {
            told(cloud.queues.send_to_dealer(&address, &body, event.as_str(), &id).await)
        }
    };
    let end = End::BEFORE_ANY.and(&outcome);
    (outcome, Attempt { at: now, end, what, ms, channel: order, answer })
}

/// The service's id of the message is kept where a server's answer is: a bounce names it.
fn told(sent: Sent) -> (Outcome, String, u64, String) {
    (sent.outcome, sent.what, sent.elapsed_ms, Attempt::kept(&sent.id))
}

fn signed(secrets: &[WebhookSecret], id: &str, body: &str, now: Timestamp) -> Option<HeaderMap> {
    let seconds = now.as_second();
    if secrets.is_empty() {
        return None;
    }
    let signature = sign(secrets, id, seconds, body.as_bytes()).ok()?;
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("webhook-id", HeaderValue::from_str(id).ok()?);
    headers.insert("webhook-timestamp", HeaderValue::from(seconds));
    headers.insert("webhook-signature", HeaderValue::from_str(&signature).ok()?);
    Some(headers)
}
