//! Typed messages. They name things by id: nothing personal stands in a queue, but for the spill,
//! which is encrypted and short-lived.
//!
//! Every message carries its version; version N is read by N−1 and N+1, since two versions run side by
//! side during every deployment: a field that is not known is ignored, a new one has a default.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use jiff::Timestamp;
use leadyard_domain::access::Platform;
use leadyard_domain::identity::IdentityHash;
use leadyard_domain::ids::{
    ActId, AssignmentId, CategoryId, CompanyId, ContractId, DealerId, EnquiryId, LeadId, OfferId, SourceId,
    VisitorId,
};
use leadyard_domain::rulebook::{Invitee, PostbackStatus};
use leadyard_domain::scoring::MessageHash;
use leadyard_domain::screening::AddressHash;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::QueueUrls;
use crate::sent::Sent;
use crate::store::StoredEnquiry;
use crate::store::WAKE_AFTER_S;

/// To distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToDistribution {
    /// Decide on this lead.
    Lead(LeadId),
    /// Wake those who wait.
    Wake {
        /// Whose.
        company: CompanyId,
        /// In which category.
        category: CategoryId,
        /// Those who wait for this instant, Unix milliseconds, in whatever category.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_ms: Option<i64>,
        /// Of those, how far they were looked at; from the beginning, without one. An earlier version begins anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        further: Option<Further>,
    },
}

/// How far those who wait for an instant were looked at, and what is left for the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Further {
    /// Up to this place in the index.
    pub upto: String,
    /// In how many runs.
    pub runs: u64,
    /// How many more may be woken for a contract's slots; of contracts for which somebody was, and which have a limit.
    pub contracts: BTreeMap<ContractId, u64>,
    /// The same of dealers.
    pub dealers: BTreeMap<DealerId, u64>,
}

/// To delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToDelivery {
    /// Deliver this assignment.
    Assignment {
        /// The lead.
        lead: LeadId,
        /// Its cycle.
        cycle: u32,
        /// The seat.
        assignment: AssignmentId,
    },
    /// Deliver this message to a holder.
    Message {
        /// The lead.
        lead: LeadId,
        /// The seat.
        assignment: AssignmentId,
        /// The event.
        event: String,
        /// Which of them.
        number: String,
    },
    /// Tell the sender of an enquiry what became of it.
    Postback {
        /// The enquiry.
        enquiry: EnquiryId,
        /// What became of it.
        status: PostbackStatus,
    },
    /// Try a dealer's channel.
    Trial {
        /// Whose dealer.
        company: CompanyId,
        /// The test that was asked for.
        trial: ActId,
    },
    /// Invite somebody to sign in. An earlier version does not know of it: it fails the message until a newer one takes it,
    /// or it is a dead letter after some twelve minutes, and the page of people offers to invite them again.
    Invitation {
        /// To whose leads.
        company: CompanyId,
        /// Whom.
        to: Invitee,
        /// By which act.
        act: ActId,
    },
}

/// To scoring: interactions of one post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToScoring {
    /// Whose visitors or leads.
    pub company: CompanyId,
    /// By whose key they came; an earlier version did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_key: Option<ByKey>,
    /// What they did.
    pub interactions: Vec<QueuedInteraction>,
}

/// The key that a post came by. Intake of interactions reads no table: whether it still lets in is asked by scoring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByKey {
    /// Whose.
    pub source: SourceId,
    /// Its generation.
    pub generation: u32,
}

/// One interaction, nothing personal in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedInteraction {
    /// The sender's id, hashed to 8 bytes.
    pub id: [u8; 8],
    /// What kind.
    pub kind: String,
    /// The sender's time.
    pub at: Timestamp,
    /// For which offer; the latest open lead, if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// Whose it is.
    pub of: InteractionOf,
    /// The hash that names them is of a phone. An earlier version does not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_phone: bool,
    /// What did it named itself as a scanner, crawler or program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_scanner: bool,
    /// The message that brought it about. An earlier version does not ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<QueuedMessage>,
}

/// The message that an interaction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedMessage {
    /// Which, hashed.
    pub id: MessageHash,
    /// How long before the interaction it was sent, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_s: Option<u32>,
    /// Which of its links, hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<[u8; 4]>,
    /// How many links it has. An earlier version does not ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<u8>,
}

/// How an interaction names its lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InteractionOf {
    /// By the browser.
    Visitor(VisitorId),
    /// By the lead itself.
    Lead(LeadId),
    /// By a keyed hash of e-mail or phone.
    Identity(IdentityHash),
}

/// To the spill: a raw enquiry that the table did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToSpill {
    /// Fixed before the first write, so that it comes in once.
    pub enquiry: EnquiryId,
    /// The company.
    pub company: CompanyId,
    /// The source.
    pub source: SourceId,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Its content type.
    pub content_type: String,
    /// Its body, base64.
    pub body: String,
    /// It came with the secret.
    pub trusted: bool,
    /// The generation of its key, and of its secret the older of the two: nobody may have been able to tell whether that
    /// is void. An earlier version does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// The visitor minted for it.
    pub visitor: Option<VisitorId>,
    /// Tracking was declined by the browser (`Sec-GPC: 1`).
    pub gpc: bool,
    /// The browser, as it named itself.
    pub user_agent: Option<String>,
    /// Where it came from, as a keyed hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressHash>,
    /// The same as it is, where a page sent it: what proves a consent. The spill is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// The ad platform that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<SentBy>,
    /// The hashes of its idempotency key and of its body. An earlier version keeps it without: what comes by the same
    /// key is a repeat then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<(String, String)>,
    /// It is kept already, in quarantine, and its deadline is there. An earlier version keeps it again, which
    /// changes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deadline: bool,
}

impl ToSpill {
    /// One that is kept, and is to be looked at: its deadline is there, or it is still to be fetched.
    pub fn looks_at(enquiry: &StoredEnquiry) -> Self {
        Self {
            enquiry: enquiry.id,
            company: enquiry.company.clone(),
            source: enquiry.source.clone(),
            received_at: enquiry.received_at,
            content_type: String::new(),
            body: String::new(),
            trusted: false,
            generation: None,
            visitor: None,
            gpc: enquiry.gpc,
            user_agent: None,
            address: None,
            ip: None,
            sent_by: None,
            idempotency: None,
            deadline: true,
        }
    }
}

/// An ad platform's lead. An earlier version does not know of it, and sets aside what it cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentBy {
    /// Which platform.
    pub platform: Platform,
    /// Somebody tries the connection.
    #[serde(default)]
    pub test: bool,
}

/// A message as sent: its version beside it.
#[derive(Serialize, Deserialize)]
struct Envelope<M> {
    v: u8,
    m: M,
}

/// What the group of a file's messages ends in; no id does.
const OF_A_FILE: &str = "/file";

/// The version of every message here.
const VERSION: u8 = 1;

/// A message we cannot read: it ends in the dead letters, where a person looks.
#[derive(Debug, thiserror::Error)]
#[error("a message is not of a shape we know")]
pub struct Unreadable(#[source] serde_json::Error);

/// Reads a message.
pub fn read<M: DeserializeOwned>(body: &str) -> Result<M, Unreadable> {
    serde_json::from_str::<Envelope<M>>(body).map(|envelope| envelope.m).map_err(Unreadable)
}

/// A message as the queue holds it.
pub fn write<M: Serialize>(message: M) -> String {
    // Messages are plain data: strings, numbers, enums.
    serde_json::to_string(&Envelope { v: VERSION, m: message }).unwrap_or_default()
}

/// A queue did not take a message.
#[derive(Debug, thiserror::Error)]
#[error("the queue is unavailable")]
pub struct QueueError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The queues.
#[derive(Clone, Debug)]
pub struct Queues {
    client: Client,
    urls: QueueUrls,
    /// Of those who work side by side: what they send is kept until they are done.
    held: Option<Arc<Mutex<Vec<Held>>>>,
}

/// A message that is sent with others.
#[derive(Debug)]
struct Held {
    url: String,
    body: String,
    group: String,
}

impl Queues {
    /// Over this client.
    pub const fn new(client: Client, urls: QueueUrls) -> Self {
        Self { client, urls, held: None }
    }

    /// The same queues for those who work side by side for one request: what is to go at once is held, and
    /// goes ten at a time with [`Queues::send_held`]. What is held when the process ends is lost, as a message
    /// may be.
    #[must_use]
    pub fn abreast(&self) -> Self {
        Self { held: Some(Arc::default()), ..self.clone() }
    }

    /// Sends what was held; leads reach distribution `delay_s` seconds from now.
    pub async fn send_held(&self, delay_s: u32) -> Result<(), QueueError> {
        let Some(held) = &self.held else { return Ok(()) };
        let held = std::mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner));
        let mut by_url: BTreeMap<&str, Vec<(String, &str)>> = BTreeMap::new();
        for Held { url, body, group } in &held {
            by_url.entry(url).or_default().push((body.clone(), group));
        }
        let mut sent = Ok(());
        for (url, messages) in by_url {
            let delay_s = if url == self.urls.distribution { delay_s } else { 0 };
            sent = sent.and(self.send_many(url, &messages, delay_s).await);
        }
        sent
    }

    /// Makes a connection, by sending nothing to a queue that may be sent to: SQS refuses a batch without messages.
    pub(crate) async fn warm(&self, url: &str) {
        let nothing = self.client.send_message_batch().queue_url(url).set_entries(Some(Vec::new()));
        let _ = nothing.send().await;
    }

    /// Where the queues are.
    pub const fn urls(&self) -> &QueueUrls {
        &self.urls
    }

    /// A lead to distribution; `group` is its company, or the lead itself where only that is known. Best
    /// effort: the due index is the truth.
    pub async fn lead_to_distribution(&self, group: &str, lead: LeadId) -> Result<(), QueueError> {
        self.send(&self.urls.distribution, write(ToDistribution::Lead(lead)), Some(group), 0).await
    }

    /// Many leads to distribution.
    pub async fn leads_to_distribution(
        &self,
        company: &CompanyId,
        leads: &[LeadId],
    ) -> Result<(), QueueError> {
        let messages: Vec<_> =
            leads.iter().map(|lead| (write(ToDistribution::Lead(*lead)), company.as_str())).collect();
        self.send_many(&self.urls.distribution, &messages, 0).await
    }

    /// Those who wait, to be woken; `at_ms` for those who wait for that instant.
    pub async fn wake_to_distribution(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        at_ms: Option<i64>,
    ) -> Result<(), QueueError> {
        self.wake(company, category, at_ms, None).await
    }

    /// Those of them who stand behind whoever was looked at.
    pub async fn wake_further_to_distribution(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        at_ms: i64,
        further: Further,
    ) -> Result<(), QueueError> {
        self.wake(company, category, Some(at_ms), Some(further)).await
    }

    async fn wake(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        at_ms: Option<i64>,
        further: Option<Further>,
    ) -> Result<(), QueueError> {
        let (company, category) = (company.clone(), category.clone());
        let group = company.as_str().to_owned();
        let message = write(ToDistribution::Wake { company, category, at_ms, further });
        self.send(&self.urls.distribution, message, Some(&group), WAKE_AFTER_S).await
    }

    /// An assignment or message to delivery, after `delay_s` seconds (at most 900). `group` is the
    /// dealer, so that one with a backlog does not delay the others.
    pub async fn to_delivery(
        &self,
        message: ToDelivery,
        group: &str,
        delay_s: u32,
    ) -> Result<(), QueueError> {
        self.send(&self.urls.delivery, write(message), Some(group), delay_s).await
    }

    /// Many assignments or messages to delivery, each with its dealer.
    pub async fn many_to_delivery(&self, messages: Vec<(ToDelivery, &str)>) -> Result<(), QueueError> {
        let messages: Vec<_> = messages.into_iter().map(|(message, group)| (write(message), group)).collect();
        self.send_many(&self.urls.delivery, &messages, 0).await
    }

    /// Interactions to scoring.
    pub async fn to_scoring(&self, message: &ToScoring) -> Result<(), QueueError> {
        self.send(&self.urls.interactions, write(message), Some(message.company.as_str()), 0).await
    }

    /// A raw enquiry to the spill.
    pub async fn to_spill(&self, message: &ToSpill) -> Result<(), QueueError> {
        self.send(&self.urls.spill, write(message), None, 0).await
    }

    /// Bodies with their groups, ten at a time; all are tried, whatever becomes of some.
    async fn send_many(
        &self,
        url: &str,
        messages: &[(String, &str)],
        delay_s: u32,
    ) -> Result<(), QueueError> {
        const BATCH: usize = 10;
        let mut sent = Ok(());
        for some in messages.chunks(BATCH) {
            sent = sent.and(self.send_batch(url, some, delay_s).await);
        }
        sent
    }

    async fn send_batch(
        &self,
        url: &str,
        messages: &[(String, &str)],
        delay_s: u32,
    ) -> Result<(), QueueError> {
        let entries = messages
            .iter()
            .enumerate()
            .map(|(at, (body, group))| {
                SendMessageBatchRequestEntry::builder()
                    .id(at.to_string())
                    .message_body(body)
                    .message_group_id(*group)
                    .set_delay_seconds(delayed(delay_s))
                    .build()
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| QueueError(Box::new(error)))?;
        let batch = self.client.send_message_batch().queue_url(url).set_entries(Some(entries));
        let answer = batch.send().await.map_err(|error| QueueError(Box::new(error)))?;
        // A batch that succeeds may have failed in part.
        match answer.failed.first() {
            None => Ok(()),
            Some(first) => {
                let failed = answer.failed.len();
                Err(QueueError(format!("{failed} of a batch failed, the first by {}", first.code).into()))
            }
        }
    }

    /// Makes one attempt at a dealer's queue: its name or URL, in the account and region of our own queues. `event`
    /// and `id` stand beside the body as attributes. Nothing is retried here.
    pub async fn send_to_dealer(&self, address: &str, body: &str, event: &str, id: &str) -> Sent {
        let began = tokio::time::Instant::now();
        let Some(url) = self.of_account(address) else {
            return Sent::never("foreign_queue", began.elapsed());
        };
        // SQS takes no noncharacters, and JSON can write them otherwise.
        let body = body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
        let text = |value: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(value).build().ok()
        };
        let attributes = [("type", text(event)), ("webhook-id", text(id))];
        let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let sent = self
            .client
            .send_message()
            .queue_url(url)
            .message_body(body)
            .set_message_attributes(Some(attributes.collect()))
            .customize()
            .config_override(aws_sdk_sqs::Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        match sent {
            Ok(answer) => Sent::received(answer.message_id.unwrap_or_default(), began.elapsed()),
            Err(error) => Sent::failed(&error, began.elapsed()),
        }
    }

    /// The URL of a dealer's queue: beside our own, and none of them.
    fn of_account(&self, address: &str) -> Option<String> {
        let (account, _) = self.urls.delivery.rsplit_once('/')?;
        let name = match address.strip_prefix(account) {
            Some(rest) => rest.strip_prefix('/')?,
            None => address,
        };
        let url = format!("{account}/{name}");
        let own = [&self.urls.interactions, &self.urls.distribution, &self.urls.delivery, &self.urls.spill];
        let ours = own.iter().any(|own| url == **own || url == format!("{own}-dead"));
        // Its URL is nowhere here: mails that came back are put there by SES, and taken by delivery's second deployment. It
        // is named as our others are, `leadyard-STAGE-…` on AWS.
        let stage = self.urls.delivery.rsplit('/').next().and_then(|name| name.strip_suffix("delivery"));
        let rest = stage.and_then(|stage| name.strip_prefix(stage));
        let ours = ours || matches!(rest, Some("mail-events" | "mail-events-dead"));
        (!name.is_empty() && !name.contains('/') && !ours).then_some(url)
    }

    async fn send(
        &self,
        url: &str,
        body: String,
        group: Option<&str>,
        delay_s: u32,
    ) -> Result<(), QueueError> {
        if let (Some(held), Some(group), 0) = (&self.held, group, delay_s) {
            // A file's leads are a group of their own: they keep nobody waiting who comes one by one.
            let group = format!("{group}{OF_A_FILE}");
            let message = Held { url: url.to_owned(), body, group };
            held.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            return Ok(());
        }
        self.client
            .send_message()
            .queue_url(url)
            .message_body(body)
            .set_message_group_id(group.map(str::to_owned))
            .set_delay_seconds(delayed(delay_s))
            .send()
            .await
            .map(drop)
            .map_err(|error| QueueError(Box::new(error)))
    }
}

/// As SQS takes it; at once is not said.
fn delayed(delay_s: u32) -> Option<i32> {
    const MOST_DELAY_S: u32 = 900;
    Some(delay_s.min(MOST_DELAY_S).cast_signed()).filter(|delay| *delay > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(account: &str, prefix: &str) -> Queues {
        let url = |name: &str| format!("{account}/{prefix}{name}");
        let urls = QueueUrls {
            interactions: url("interactions"),
            distribution: url("distribution"),
            delivery: url("delivery"),
            spill: url("spill"),
        };
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
            .region(aws_sdk_sqs::config::Region::from_static("us-east-1"));
        Queues::new(Client::from_conf(config.build()), urls)
    }

    #[test]
    fn no_dealers_queue_is_one_of_ours_whatever_ours_are_called() {
        let account = "https://sqs.us-east-1.amazonaws.com/000000000000";
        for prefix in ["", "leadyard-prod-"] {
            let queues = at(account, prefix);
            for own in ["interactions", "distribution", "delivery", "spill", "mail-events"] {
                for name in [format!("{prefix}{own}"), format!("{prefix}{own}-dead")] {
                    assert_eq!(queues.of_account(&name), None, "{name}");
                    assert_eq!(queues.of_account(&format!("{account}/{name}")), None, "{name}");
                }
            }
            let dealers = format!("{account}/dealer-hudson");
            assert_eq!(queues.of_account("dealer-hudson"), Some(dealers.clone()));
            assert_eq!(queues.of_account(&dealers), Some(dealers));
            assert_eq!(
                queues.of_account("https://sqs.us-east-1.amazonaws.com/111111111111/dealer-hudson"),
                None
            );
        }
    }
}
