//! One attempt at a dealer's channel: what is sent is signed or sealed in an envelope, what is answered is judged.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use leadyard_domain::assignment::Attempt;
use leadyard_domain::dealer::ChannelKind;
use leadyard_domain::delivery::{
    End, Event, FailureKind, Mail, Outcome, Secrets, Template, Verdict, WebhookSecret, never_shown, sign,
};
use leadyard_domain::distribution::compiled::CompiledChannel;
use leadyard_domain::lead::Lead;
use leadyard_domain::limits;
use leadyard_domain::person::{unescaped, without_contact, without_secrets, without_words};
use leadyard_domain::rulebook::MailSender;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::mail::About;
use leadyard_platform::outbound::{self, Request};
use leadyard_platform::sent::Sent;

use crate::form::{Posted, Unwritten, Written};

/// What is sent.
pub(crate) struct Post {
    pub(crate) webhook_id: String,
    pub(crate) written: Result<Written, Unwritten>,
    /// What it is about, should it come back.
    pub(crate) about: About,
    /// Who letters come from.
    pub(crate) sender: Option<MailSender>,
    /// What proves that it came from us: all that stand, so that a dealer changes over without a gap.
    pub(crate) secrets: Vec<WebhookSecret>,
    /// What its answer must be; nothing but 2xx, without one.
    pub(crate) template: Option<Arc<Template>>,
    pub(crate) echoes: Echoes,
}

/// What an answer may repeat and is not kept: the person, and what the dealer gave us in confidence.
#[derive(Default)]
pub(crate) struct Echoes {
    person: Vec<String>,
    secrets: Vec<String>,
}

/// How a message gets to its dealer, ready to go.
pub(crate) enum Way {
    /// It is there as soon as it stands in the table: an inbox.
    Stands,
    /// The channel's form has no words for it.
    Unsaid,
    /// There is none: why not.
    None(&'static str),
    /// It is posted.
    Post(Box<Addressed>),
    /// It is mailed.
    Mail(Box<(Mail, About)>),
    /// It is put into the dealer's queue.
    Queue { address: String, body: String, event: Event, id: String },
}

/// A request, and how its answer is read.
pub(crate) struct Addressed {
    request: Request,
    template: Option<Arc<Template>>,
    echoes: Echoes,
}

impl Way {
    /// Whether anything leaves this system.
    pub(crate) const fn leaves(&self) -> bool {
        match self {
            Self::Stands | Self::Unsaid | Self::None(_) => false,
            Self::Post(_) | Self::Mail(_) | Self::Queue { .. } => true,
        }
    }
}

impl Echoes {
    /// What the dealer gave us alone: of a test, whose person is made up.
    pub(crate) fn of_secrets(secrets: &Secrets) -> Self {
        let mut secrets: Vec<String> = secrets.values().flat_map(|secret| never_shown(secret)).collect();
        // One may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { person: Vec::new(), secrets }
    }

    pub(crate) fn of(lead: &Lead, secrets: &Secrets) -> Self {
        let person = &lead.person;
        let said = [&person.first_name, &person.last_name, &person.email, &person.phone, &person.street];
        Self { person: said.into_iter().flatten().cloned().collect(), ..Self::of_secrets(secrets) }
    }

    /// A text of a dealer's server, as much of it as is kept: as it is written, or as it reads, where what it repeats is
    /// found only there.
    fn hidden(&self, text: &str) -> String {
        let mut shown = self.hidden_as_written(text);
        // In what was sent as a form a plus is a space.
        for of_a_form in [false, true] {
            let read = if of_a_form { unescaped(&shown.replace('+', " ")) } else { unescaped(&shown) };
            let hidden = self.hidden_as_written(&read);
            if hidden != read {
                shown = hidden;
            }
        }
        shown
    }

    fn hidden_as_written(&self, text: &str) -> String {
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        let person: Vec<&str> = self.person.iter().map(String::as_str).collect();
        without_words(&without_secrets(text, &secrets), &person)
    }
}

/// Signs a message and addresses it.
pub(crate) fn way(channel: &CompiledChannel, post: Post, now: Timestamp) -> Way {
    let address = channel.address.clone();
    let written = match (channel.kind, post.written) {
        (ChannelKind::Inbox, _) => return Way::Stands,
        (_, Err(Unwritten::Unsaid)) => return Way::Unsaid,
        (_, Err(Unwritten::Missing(what))) => return Way::None(what),
        (_, Ok(written)) => written,
    };
    match (channel.kind, written) {
        (ChannelKind::Webhook, Written::Posted(posted)) => {
            let Posted { method, headers, body } = posted;
            let Some(headers) = signed(headers, &post.webhook_id, &body, &post.secrets, now) else {
                return Way::None("unsigned");
            };
            let request = Request { method, url: address, headers, body: body.into(), at: now };
            Way::Post(Box::new(Addressed { request, template: post.template, echoes: post.echoes }))
        }
        (ChannelKind::Mail, Written::Letter(letter)) => match post.sender {
            None => Way::None("no_sender"),
            Some(MailSender { from, name: from_name }) => {
                let about = post.about;
                let (to, id) = (address, post.webhook_id);
                let mail = Mail { from, from_name, to, letter, id, about: about.assignment };
                Way::Mail(Box::new((mail, about)))
            }
        },
        (ChannelKind::Sqs, Written::Posted(posted)) => {
            let (event, id) = (post.about.event, post.webhook_id);
            Way::Queue { address, body: posted.body, event, id }
        }
        (ChannelKind::Inbox | ChannelKind::Webhook | ChannelKind::Sqs, Written::Letter(_))
        | (ChannelKind::Inbox | ChannelKind::Mail, Written::Posted(_)) => Way::None("another_form"),
    }
}

/// Makes one attempt, by the channel of this order.
pub(crate) async fn attempt(cloud: &Cloud, way: Way, order: u8, now: Timestamp) -> (Outcome, Attempt) {
    let (outcome, mut attempt) = match way {
        Way::Stands => (Outcome::Received, made("inbox".to_owned())),
        Way::Unsaid => (Outcome::of_failure(FailureKind::BadUrl), made("unsaid".to_owned())),
        Way::None(why) => (Outcome::of_failure(FailureKind::BadUrl), made(why.to_owned())),
        Way::Post(posted) => {
            let Addressed { request, template, echoes } = *posted;
            let answered = cloud.outbound.post(request).await;
            judged(template.as_deref(), &echoes, &answered)
        }
        Way::Mail(mail) => {
            let (mail, about) = *mail;
            told(cloud.mail.send(&mail, about.tags(), now).await)
        }
        Way::Queue { address, body, event, id } => {
            told(cloud.queues.send_to_dealer(&address, &body, event.as_str(), &id).await)
        }
    };
    attempt.end = End::BEFORE_ANY.and(&outcome);
    (outcome, Attempt { at: now, channel: order, ..attempt })
}

/// An attempt that sent a mail beside any lead, as it ended.
pub(crate) fn mailed(sent: Sent, now: Timestamp) -> Attempt {
    let (outcome, attempt) = told(sent);
    Attempt { at: now, end: End::BEFORE_ANY.and(&outcome), ..attempt }
}

/// One that sent none: why not.
pub(crate) fn unsent(why: &str, now: Timestamp) -> Attempt {
    Attempt { at: now, ..made(why.to_owned()) }
}

/// The service's id of the message is kept where a server's answer is: a bounce names it.
fn told(sent: Sent) -> (Outcome, Attempt) {
    let attempt = Attempt { ms: sent.elapsed_ms, answer: Attempt::kept(&sent.id), ..made(sent.what) };
    (sent.outcome, attempt)
}

fn made(what: String) -> Attempt {
    Attempt {
        at: Timestamp::UNIX_EPOCH,
        end: End::BEFORE_ANY,
        what,
        ms: 0,
        channel: 0,
        answer: String::new(),
        reference: String::new(),
        reason: String::new(),
    }
}

/// What an answer means, and what is kept of it.
fn judged(template: Option<&Template>, echoes: &Echoes, answered: &outbound::Attempt) -> (Outcome, Attempt) {
    let (outcome, reference, reason) = match template {
        None => (answered.outcome, None, None),
        Some(template) => {
            match template.judge(answered.outcome, answered.status, &answered.answer, answered.answer_cut) {
                Verdict::Received(reference) => (Outcome::Received, reference, None),
                Verdict::Declined(failure, reason) => (Outcome::NotReceived(failure), None, reason),
                Verdict::Failed(outcome) => (outcome, None, None),
            }
        }
    };
    let what = match outcome.failure() {
        None => answered.status.map_or_else(|| "received".to_owned(), |status| status.to_string()),
        Some(failure) => failure.to_string(),
    };
    let kept = |text: &str| without_contact(&echoes.hidden(text)).into_owned();
    let cut = |text: String, most: usize| {
        let end = text.floor_char_boundary(most);
        text.get(..end).unwrap_or_default().to_owned()
    };
    let attempt = Attempt {
        ms: answered.elapsed_ms,
        answer: Attempt::kept(&kept(&answered.answer)),
        // Long numbers are what ids are made of: only what is the person's own is hidden.
        reference: cut(
            reference.map(|said| echoes.hidden(&said)).unwrap_or_default(),
            limits::DEALER_REFERENCE_BYTES,
        ),
        reason: cut(reason.map(|said| kept(&said)).unwrap_or_default(), limits::DECLINE_REASON_BYTES),
        ..made(what)
    };
    (outcome, attempt)
}

fn signed(
    mut headers: HeaderMap,
    webhook_id: &str,
    body: &str,
    secrets: &[WebhookSecret],
    now: Timestamp,
) -> Option<HeaderMap> {
    let seconds = now.as_second();
    if secrets.is_empty() {
        return None;
    }
    let signature = sign(secrets, webhook_id, seconds, body.as_bytes()).ok()?;
    headers.insert("webhook-id", HeaderValue::from_str(webhook_id).ok()?);
    headers.insert("webhook-timestamp", HeaderValue::from(seconds));
    headers.insert("webhook-signature", HeaderValue::from_str(&signature).ok()?);
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echoes(secret: &str) -> Echoes {
        let person = ["Zoë", "7 Marmalade Row", "zoe.hill@mail.example"].map(str::to_owned).to_vec();
        Echoes { person, ..Echoes::of_secrets(&Secrets::from([("key".to_owned(), secret.to_owned())])) }
    }

    #[test]
    fn a_secret_is_hidden_in_whatever_characters_an_answer_repeats_it() {
        for (secret, answer, shown) in [
            ("ab/cd+ef==", "unknown key ab/cd+ef==", "unknown key ***"),
            ("ab/cd+ef==", r#"{"error":"unknown key ab\/cd+ef=="}"#, r#"{"error":"unknown key ***"}"#),
            ("ab/cd+ef==", r#"{"key":"ab\u002Fcd\u002bef\u003d="}"#, r#"{"key":"***"}"#),
            ("ab/cd+ef==", "key=ab%2Fcd%2bef%3D%3D", "key=***"),
            ("ab/cd+ef==", "key=ab%252Fcd%252Bef%253D%253D", "key=***"),
            ("ab/cd+ef==", "<key>ab&#x2F;cd&#43;ef==</key>", "<key>***</key>"),
            ("ab/cd+ef==", "keyab/cd+ef==of", "key***of"),
            ("ab/cd+ef==", "base64 YWIvY2QrZWY9PQ==", "base64 ***"),
            ("a&b<\"c>'d", "a&amp;b&lt;&quot;c&gt;&#39;d?", "***?"),
            ("two words", "key=two+words", "key=***"),
            ("YWRhOnMzY3JldCE=", "no Basic YWRhOnMzY3JldCE= here", "no Basic *** here"),
            ("YWRhOnMzY3JldCE=", "ada:s3cret! is locked, xs3cret!x", "*** is locked, x***x"),
        ] {
            assert_eq!(echoes(secret).hidden(answer), shown, "{answer}");
        }
    }

    #[test]
    fn so_is_the_person_and_what_repeats_nobody_stays_as_it_is_written() {
        for (answer, shown) in [
            (r#"{"name":"Zo\u00eb","id":"a\/b"}"#, r#"{"name":"***","id":"a/b"}"#),
            (r#"{"says":"thanks\nZoë"}"#, r#"{"says":"thanks ***"}"#),
            ("name=Zo%C3%AB&street=7+Marmalade+Row", "name=***&street=***"),
            ("zoe.hill%40mail.example", "***"),
            (
                r#"{"id":"a\/b","of":"50%25","by":"q+r &amp; s"}"#,
                r#"{"id":"a\/b","of":"50%25","by":"q+r &amp; s"}"#,
            ),
            ("", ""),
        ] {
            assert_eq!(echoes("k3y-0f-Huds0n").hidden(answer), shown, "{answer}");
        }
    }
}
