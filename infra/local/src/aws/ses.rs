//! SES as it speaks on the wire (API v2, REST with JSON): `SendEmail` of a raw mail. What is sent is caught, the newest
//! [`KEPT`] mails, and leaves this machine never.
//!
//! What SES would say of a mail later, a bounce or a complaint, is put into the queue of mail events in the envelope
//! of SNS, as it would come on AWS: when a test asks for it ([`LocalMail::returns`]), when the address is one of
//! SES's mailbox simulator (`bounce@simulator.amazonses.com`, `complaint@…`), or by a click on the page that shows
//! mails. Only of a mail sent with a configuration set, as there.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use winterbaume_core::{MockRequest, MockResponse, MockService};

use super::Clock;
use super::queues::LocalQueues;

/// How many mails are kept.
pub const KEPT: usize = 200;
/// The queue that SES's events end in.
pub const EVENTS: &str = "mail-events";
/// Addresses that may behave in their own way.
const BEHAVIOURS: usize = 1_000;

/// Everything that was mailed.
pub struct LocalMail {
    clock: Clock,
    queues: Arc<LocalQueues>,
    entropy: u64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    caught: VecDeque<Caught>,
    count: u64,
    says: HashMap<String, MailSays>,
}

/// A mail as it was sent. Full of a person: never logged, and without `Debug`.
#[derive(Clone, Serialize)]
pub struct Caught {
    /// Counts mails, 1 first.
    pub number: u64,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// As SES knows it.
    pub id: String,
    /// To whom.
    pub to: String,
    /// Its headers, names in lower case, encoded words read.
    pub headers: BTreeMap<String, String>,
    /// Its body, decoded.
    pub text: String,
    /// What it is about.
    pub tags: BTreeMap<String, String>,
    /// All of it, as it would travel.
    pub raw: String,
    /// Whether SES would tell of bounces.
    pub told: bool,
}

impl Caught {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// What SES says to a mail for an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailSays {
    /// Takes it.
    #[default]
    Accepts,
    /// Too many at once.
    Throttles,
    /// Refuses it.
    Rejects,
    /// Refuses all mail of this account.
    Pauses,
    /// Fails itself.
    Fails,
    /// Takes it, and its answer is lost.
    Hangs,
    /// Takes it, and it comes back.
    Returns(Returns),
}

/// How a mail comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// There is no such mailbox.
    Bounced,
    /// The mailbox is full.
    Full,
    /// Its reader is out of the office, and the automatic reply is taken for a bounce.
    Replied,
    /// Its reader calls it spam.
    Complained,
    /// It does not: the mailbox has it.
    Delivered,
}

impl LocalMail {
    /// Nothing yet. `entropy` keeps the ids of one process apart from another's.
    pub fn new(clock: Clock, queues: Arc<LocalQueues>, entropy: u64) -> Self {
        Self { clock, queues, entropy, inner: Mutex::default() }
    }

    /// What was mailed, the oldest first.
    pub fn caught(&self) -> Vec<Caught> {
        self.inner().caught.iter().cloned().collect()
    }

    /// What was mailed to an address, the oldest first.
    pub fn caught_by(&self, address: &str) -> Vec<Caught> {
        self.inner().caught.iter().filter(|mail| mail.to == address).cloned().collect()
    }

    /// The leads that they are about, as their tags say it.
    pub fn leads(&self) -> BTreeSet<String> {
        self.inner().caught.iter().filter_map(|mail| mail.tags.get("lead").cloned()).collect()
    }

    /// Forgets what was mailed of these leads. What names nobody stays: that one is its reader's no more,
    /// that its person is to be forgotten.
    pub fn forget(&self, leads: &BTreeSet<String>) {
        let of_them = |mail: &Caught| mail.tags.get("lead").is_some_and(|lead| leads.contains(lead));
        let names_nobody = |mail: &Caught| {
            mail.tags.get("event").is_some_and(|event| ["withdrawn", "erased"].contains(&event.as_str()))
        };
        self.inner().caught.retain(|mail| !of_them(mail) || names_nobody(mail));
    }

    /// From now on SES says this to mails for an address.
    pub fn says(&self, address: &str, says: MailSays) {
        let mut inner = self.inner();
        if inner.says.len() < BEHAVIOURS || inner.says.contains_key(address) {
            inner.says.insert(address.to_owned(), says);
        }
    }

    /// A mail comes back, or is said to have arrived; `false` of one that is not kept, or of which SES would not tell.
    pub fn returns(&self, number: u64, how: Returns) -> bool {
        let found = self.inner().caught.iter().find(|mail| mail.number == number).cloned();
        let Some(mail) = found.filter(|mail| mail.told) else { return false };
        let event = event(&mail, how, (self.clock)()).to_string();
        let envelope = json!({
            "Type": "Notification",
            "MessageId": format!("sns-{}", mail.id),
            "TopicArn": format!("arn:aws:sns:{}:{}:mail-events", super::REGION, super::ACCOUNT),
            "Message": event,
        });
        self.queues.send(EVENTS, &envelope.to_string(), None, 0).is_ok()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn said(&self, address: &str) -> MailSays {
        let simulated = match address.split_once('@') {
            Some((local, "simulator.amazonses.com")) => match local.split('+').next().unwrap_or(local) {
                "bounce" | "suppressionlist" => Some(MailSays::Returns(Returns::Bounced)),
                "complaint" => Some(MailSays::Returns(Returns::Complained)),
                "ooto" => Some(MailSays::Returns(Returns::Replied)),
                _ => None,
            },
            Some(_) | None => None,
        };
        simulated.or_else(|| self.inner().says.get(address).copied()).unwrap_or_default()
    }

    /// Keeps a mail; its number and its id.
    fn catch(&self, sent: &Send, raw: &[u8]) -> (u64, String) {
        let at_ms = (self.clock)();
        let raw = String::from_utf8_lossy(raw).into_owned();
        let (headers, text) = read(&raw);
        let mut inner = self.inner();
        inner.count += 1;
        let (number, id) = (inner.count, format!("{:016x}-{:08x}-local", self.entropy, inner.count));
        if inner.caught.len() >= KEPT {
            inner.caught.pop_front();
        }
        inner.caught.push_back(Caught {
            number,
            at_ms,
            id: id.clone(),
            to: sent.destination.to_addresses.first().cloned().unwrap_or_default(),
            headers,
            text,
            tags: sent.email_tags.iter().map(|tag| (tag.name.clone(), tag.value.clone())).collect(),
            raw,
            told: sent.configuration_set_name.is_some(),
        });
        (number, id)
    }

    async fn send(&self, body: &[u8]) -> MockResponse {
        let Ok(sent) = serde_json::from_slice::<Send>(body) else {
            return refusal(400, "BadRequestException", "the request is not one of SendEmail's");
        };
        let Some(to) = sent.destination.to_addresses.first() else {
            return refusal(400, "BadRequestException", "the request has no destination");
        };
        if !sent.email_tags.iter().all(|tag| may_be_a_tag(&tag.name) && may_be_a_tag(&tag.value)) {
            return refusal(400, "BadRequestException", "a tag is letters, digits, '-' and '_'");
        }
        let Some(raw) = decoded(&sent.content.raw.data) else {
            return refusal(400, "MessageRejected", "the mail is not base64");
        };
        match self.said(to) {
            MailSays::Throttles => refusal(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
            MailSays::Rejects => refusal(400, "MessageRejected", "Email address is not verified."),
            MailSays::Pauses => refusal(400, "SendingPausedException", "Email sending is disabled."),
            MailSays::Fails => refusal(500, "InternalServiceErrorException", "failed"),
            MailSays::Hangs => {
                self.catch(&sent, &raw);
                std::future::pending().await
            }
            MailSays::Accepts => accepted(&self.catch(&sent, &raw).1),
            MailSays::Returns(how) => {
                let (number, id) = self.catch(&sent, &raw);
                self.returns(number, how);
                accepted(&id)
            }
        }
    }
}

fn accepted(id: &str) -> MockResponse {
    MockResponse::rest_json(200, json!({ "MessageId": id }).to_string())
}

fn refusal(status: u16, code: &str, message: &str) -> MockResponse {
    let mut response = MockResponse::rest_json(status, json!({ "message": message }).to_string());
    if let Ok(code) = code.parse() {
        response.headers.insert("x-amzn-errortype", code);
    }
    response
}

fn may_be_a_tag(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=256).contains(&text.len()) && text.bytes().all(allowed)
}

/// SES's API over caught mails.
#[derive(Clone)]
pub struct SesService(pub Arc<LocalMail>);

impl MockService for SesService {
    fn service_name(&self) -> &'static str {
        "ses"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"^https?://email\.[^/]*amazonaws\.com"]
    }

    fn handle(
        &self,
        request: MockRequest,
    ) -> Pin<Box<dyn Future<Output = MockResponse> + std::marker::Send + '_>> {
        Box::pin(async move {
            if request.method == "POST" && request.uri.ends_with("/v2/email/outbound-emails") {
                self.0.send(&request.body).await
            } else {
                refusal(404, "NotFoundException", "this operation is not served locally")
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send {
    destination: Destination,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Tag>,
    configuration_set_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    #[serde(default)]
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    raw: Raw,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    name: String,
    value: String,
}

/// What SES publishes of a mail that came back, in the published shape.
fn event(mail: &Caught, how: Returns, at_ms: i64) -> Value {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default().to_string();
    let mut tags: BTreeMap<&str, Vec<&str>> =
        mail.tags.iter().map(|(name, value)| (name.as_str(), vec![value.as_str()])).collect();
    tags.insert("ses:configuration-set", vec!["leadyard"]);
    let about = json!({
        "timestamp": at, "source": mail.header("from"), "messageId": mail.id, "destination": [mail.to],
        "headersTruncated": false, "tags": tags,
    });
    let bounce = |kind: &str, sub: &str, status: &str| {
        json!({
            "eventType": "Bounce", "mail": about,
            "bounce": {
                "bounceType": kind, "bounceSubType": sub, "timestamp": at, "feedbackId": mail.id,
                "bouncedRecipients": [{ "emailAddress": mail.to, "action": "failed", "status": status }],
            },
        })
    };
    match how {
        Returns::Bounced => bounce("Permanent", "General", "5.1.1"),
        Returns::Full => bounce("Transient", "MailboxFull", "5.2.2"),
        Returns::Replied => bounce("Transient", "General", "4.0.0"),
        Returns::Complained => json!({
            "eventType": "Complaint", "mail": about,
            "complaint": {
                "complainedRecipients": [{ "emailAddress": mail.to }], "timestamp": at, "feedbackId": mail.id,
                "complaintFeedbackType": "abuse",
            },
        }),
        Returns::Delivered => json!({
            "eventType": "Delivery", "mail": about, "delivery": { "timestamp": at, "recipients": [mail.to] },
        }),
    }
}

/// A mail's headers and its body, as a mail program reads them.
fn read(raw: &str) -> (BTreeMap<String, String>, String) {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((raw, ""));
    let head = head.replace("\r\n ", " ");
    let headers: BTreeMap<String, String> = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), words(value.trim())))
        .collect();
    let encoding = headers.get("content-transfer-encoding").map(String::as_str).unwrap_or_default();
    let text = if encoding == "quoted-printable" { quoted_printable(body) } else { body.to_owned() };
    (headers, text.replace("\r\n", "\n"))
}

/// Encoded words of UTF-8 in base64, read; adjacent ones are one text.
fn words(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("=?utf-8?B?") {
        let Some((word, after)) = after.split_once("?=") else { break };
        if bytes.is_empty() || !before.trim().is_empty() {
            bytes.extend_from_slice(before.as_bytes());
        }
        bytes.extend(decoded(word).unwrap_or_default());
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn quoted_printable(body: &str) -> String {
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_str();
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'=');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn decoded(base64: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(base64).ok()
}
