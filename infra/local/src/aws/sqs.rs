//! SQS as it speaks on the wire (awsJson 1.0), over [`LocalQueues`]: the operations that Leadyard and
//! its tests use. A batch answers entry by entry, since a batch that fails in part is the case to get
//! right.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use winterbaume_core::{MockRequest, MockResponse, MockService};

use super::queues::{LocalQueues, QueueError, Received};

/// SQS's API over local queues.
#[derive(Clone)]
pub struct SqsService {
    queues: Arc<LocalQueues>,
}

/// A body is at most 1 MiB, and so are all bodies of a batch together.
const BODY_BYTES: usize = 1024 * 1024;
/// Entries of a batch, and messages of a receipt.
const BATCH: usize = 10;
/// The longest id of a batch's entry.
const ENTRY_ID_BYTES: usize = 80;
/// The longest delay of a message.
const DELAY_S: i64 = 900;
/// The longest visibility timeout: twelve hours.
const VISIBILITY_S: i64 = 43_200;
/// The longest wait for a message.
const WAIT_S: i64 = 20;
/// How often a long poll looks again by itself: delayed messages and ended visibilities ring no bell.
const LOOK: Duration = Duration::from_secs(1);

impl SqsService {
    /// Over these queues.
    pub const fn new(queues: Arc<LocalQueues>) -> Self {
        Self { queues }
    }

    async fn dispatch(&self, operation: &str, body: &[u8]) -> Result<Value, Refusal> {
        match operation {
            "SendMessage" => self.send(&parse(body)?),
            "SendMessageBatch" => self.send_batch(&parse(body)?),
            "ReceiveMessage" => self.receive(&parse(body)?).await,
            "DeleteMessage" => {
                let request: ByReceipt = parse(body)?;
                let receipt = well_formed(&request.receipt_handle)?;
                self.queues.delete(request.queue()?, std::slice::from_ref(receipt)).await?;
                Ok(json!({}))
            }
            "DeleteMessageBatch" => self.delete_batch(&parse(body)?).await,
            "ChangeMessageVisibility" => {
                let request: ByReceipt = parse(body)?;
                let receipt = well_formed(&request.receipt_handle)?;
                let Some(after_s) = request.visibility_timeout else {
                    return Err(Refusal::new("MissingParameter", "the request has no VisibilityTimeout"));
                };
                let after_s = within("VisibilityTimeout", after_s, 0, VISIBILITY_S)?;
                if !self.queues.release(request.queue()?, receipt, after_s)? {
                    return Err(Refusal::new("MessageNotInflight", "nobody has the message by that receipt"));
                }
                Ok(json!({}))
            }
            "GetQueueAttributes" => {
                let request: OfQueue = parse(body)?;
                let counts = self.queues.counts(request.queue()?)?;
                Ok(json!({ "Attributes": {
                    "ApproximateNumberOfMessages": counts.visible.to_string(),
                    "ApproximateNumberOfMessagesNotVisible": counts.in_flight.to_string(),
                    "ApproximateNumberOfMessagesDelayed": counts.delayed.to_string(),
                }}))
            }
            _ => Err(Refusal::new("InvalidAction", "this operation is not served locally")),
        }
    }

    fn send(&self, request: &Send) -> Result<Value, Refusal> {
        let sent = self.send_one(name(&request.queue_url)?, &request.entry)?;
        Ok(sent)
    }

    fn send_one(&self, queue: &str, entry: &Entry) -> Result<Value, Refusal> {
        if entry.message_body.is_empty() {
            return Err(Refusal::new("MissingParameter", "the request has no MessageBody"));
        }
        if entry.message_body.len() > BODY_BYTES {
            return Err(Refusal::new("InvalidParameterValue", "a body is at most 1 MiB"));
        }
        if !entry.message_body.chars().all(may_be_sent) {
            return Err(Refusal::new("InvalidMessageContents", "a body has no control characters"));
        }
        let delay_s = within("DelaySeconds", entry.delay_seconds.unwrap_or(0), 0, DELAY_S)?;
        let attributes = entry.message_attributes.as_ref().filter(|named| !named.is_empty());
        let attributes = attributes.map(|named| json!(named).to_string());
        let said = (entry.message_body.as_str(), attributes.as_deref());
        let id = self.queues.send_with(queue, said, entry.message_group_id.as_deref(), delay_s)?;
        let digest = format!("{:x}", md5::compute(entry.message_body.as_bytes()));
        Ok(json!({ "MessageId": id, "MD5OfMessageBody": digest }))
    }

    fn send_batch(&self, request: &SendBatch) -> Result<Value, Refusal> {
        let queue = name(&request.queue_url)?;
        entries(request.entries.iter().map(|entry| entry.id.as_str()))?;
        if request.entries.iter().map(|entry| entry.entry.message_body.len()).sum::<usize>() > BODY_BYTES {
            return Err(Refusal::new("BatchRequestTooLong", "the bodies of a batch are at most 1 MiB"));
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in &request.entries {
            match self.send_one(queue, &entry.entry) {
                Ok(mut sent) => {
                    if let Some(members) = sent.as_object_mut() {
                        members.insert("Id".to_owned(), json!(entry.id));
                    }
                    successful.push(sent);
                }
                Err(refusal) => failed.push(refusal.of_entry(&entry.id)),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }

    async fn receive(&self, request: &Receive) -> Result<Value, Refusal> {
        let queue = name(&request.queue_url)?;
        let max =
            within("MaxNumberOfMessages", request.max_number_of_messages.unwrap_or(1), 1, BATCH as i64)?;
        let visibility_s = request
            .visibility_timeout
            .map(|visibility_s| within("VisibilityTimeout", visibility_s, 0, VISIBILITY_S))
            .transpose()?;
        let wait_s = within("WaitTimeSeconds", request.wait_time_seconds.unwrap_or(0), 0, WAIT_S)?;
        let received = self.poll(queue, max as usize, visibility_s, wait_s).await?;
        let messages: Vec<Value> = received
            .into_iter()
            .map(|message| {
                let mut attributes = json!({
                    "ApproximateReceiveCount": message.receive_count.to_string(),
                    "SentTimestamp": message.sent_ms.to_string(),
                });
                if let (Some(group), Some(members)) = (&message.group, attributes.as_object_mut()) {
                    members.insert("MessageGroupId".to_owned(), json!(group));
                }
                let beside = message.attributes.and_then(|json| serde_json::from_str(&json).ok());
                let beside = named(beside.unwrap_or_default(), &request.message_attribute_names);
                let mut told = json!({
                    "MessageId": message.message_id,
                    "ReceiptHandle": message.receipt_handle,
                    "MD5OfBody": format!("{:x}", md5::compute(message.body.as_bytes())),
                    "Body": message.body,
                    "Attributes": attributes,
                });
                if !beside.is_empty()
                    && let Some(members) = told.as_object_mut()
                {
                    members.insert("MessageAttributes".to_owned(), Value::Object(beside));
                }
                told
            })
            .collect();
        Ok(json!({ "Messages": messages }))
    }

    /// Takes messages as soon as there are any, or none when the wait is over.
    async fn poll(
        &self,
        queue: &str,
        max: usize,
        visibility_s: Option<u32>,
        wait_s: u32,
    ) -> Result<Vec<Received>, Refusal> {
        let until = Instant::now() + Duration::from_secs(u64::from(wait_s));
        loop {
            let received = self.queues.take(queue, max, visibility_s)?;
            let now = Instant::now();
            if !received.is_empty() || now >= until {
                return Ok(received);
            }
            // The bell may have rung for what somebody else has taken since: then there is more to wait.
            let _ = tokio::time::timeout_at(until.min(now + LOOK), self.queues.wait(queue)).await;
        }
    }

    async fn delete_batch(&self, request: &DeleteBatch) -> Result<Value, Refusal> {
        let queue = name(&request.queue_url)?;
        entries(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in &request.entries {
            match well_formed(&entry.receipt_handle) {
                Ok(receipt) => {
                    self.queues.delete(queue, std::slice::from_ref(receipt)).await?;
                    successful.push(json!({ "Id": entry.id }));
                }
                Err(refusal) => failed.push(refusal.of_entry(&entry.id)),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }
}

impl MockService for SqsService {
    fn service_name(&self) -> &'static str {
        "sqs"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"^https?://sqs\.[^/]*amazonaws\.com"]
    }

    fn handle(
        &self,
        request: MockRequest,
    ) -> Pin<Box<dyn Future<Output = MockResponse> + std::marker::Send + '_>> {
        Box::pin(async move {
            let target = request.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
            let operation = target.and_then(|target| target.strip_prefix("AmazonSQS.")).unwrap_or_default();
            match self.dispatch(operation, &request.body).await {
                Ok(answer) => MockResponse::json(200, answer.to_string()),
                Err(refusal) => refusal.response(),
            }
        })
    }
}

/// The attributes that whoever receives asked for.
fn named(mut all: Map<String, Value>, asked: &[String]) -> Map<String, Value> {
    if !asked.iter().any(|asked| asked == "All" || asked == ".*") {
        all.retain(|name, _| asked.contains(name));
    }
    all
}

struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(code: &'static str, message: &str) -> Self {
        Self { status: 400, code, message: message.to_owned() }
    }

    /// One entry of a batch, refused.
    fn of_entry(&self, id: &str) -> Value {
        json!({ "Id": id, "SenderFault": true, "Code": self.code, "Message": self.message })
    }

    /// The SDK reads an error by the code that SQS's older protocol had for it, from a header.
    fn response(&self) -> MockResponse {
        let fault = if self.status < 500 { "Sender" } else { "Receiver" };
        let older = match self.code {
            "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
            "EmptyBatchRequest"
            | "TooManyEntriesInBatchRequest"
            | "BatchEntryIdsNotDistinct"
            | "InvalidBatchEntryId"
            | "BatchRequestTooLong"
            | "MessageNotInflight" => format!("AWS.SimpleQueueService.{}", self.code),
            code => code.to_owned(),
        };
        let body = json!({ "__type": format!("com.amazonaws.sqs#{}", self.code), "message": self.message });
        let mut response = MockResponse::json(self.status, body.to_string());
        if let Ok(value) = format!("{older};{fault}").parse() {
            response.headers.insert("x-amzn-query-error", value);
        }
        response
    }
}

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::NoSuchQueue => Self::new("QueueDoesNotExist", "The specified queue does not exist."),
            QueueError::Database(_) | QueueError::File(_) => {
                Self { status: 500, code: "InternalError", message: error.to_string() }
            }
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new("InvalidParameterValue", &error.to_string()))
}

/// What SQS checks of a batch before it looks at any entry.
fn entries<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let ids: Vec<&str> = ids.collect();
    if ids.is_empty() {
        return Err(Refusal::new("EmptyBatchRequest", "a batch has at least one entry"));
    }
    if ids.len() > BATCH {
        return Err(Refusal::new("TooManyEntriesInBatchRequest", "a batch has at most 10 entries"));
    }
    let spelled = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if ids.iter().any(|id| id.is_empty() || id.len() > ENTRY_ID_BYTES || !spelled(id)) {
        let rule = "an entry's id is 1 to 80 letters, digits, hyphens and underscores";
        return Err(Refusal::new("InvalidBatchEntryId", rule));
    }
    if ids.iter().collect::<HashSet<_>>().len() < ids.len() {
        return Err(Refusal::new("BatchEntryIdsNotDistinct", "two entries have the same id"));
    }
    Ok(())
}

/// A receipt of a form that was handed out once, whether or not it still is anything's.
fn well_formed(receipt: &String) -> Result<&String, Refusal> {
    if LocalQueues::is_receipt(receipt) {
        return Ok(receipt);
    }
    Err(Refusal::new("ReceiptHandleIsInvalid", "the receipt handle is not one"))
}

/// A number in its range.
fn within(what: &str, value: i64, least: i64, most: i64) -> Result<u32, Refusal> {
    match u32::try_from(value) {
        Ok(number) if (least..=most).contains(&value) => Ok(number),
        _ => Err(Refusal::new("InvalidParameterValue", &format!("{what} is {least} to {most}"))),
    }
}

/// The characters of XML 1.0: SQS takes no others.
const fn may_be_sent(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// The queue's name, from its URL.
fn name(url: &str) -> Result<&str, Refusal> {
    url.rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Refusal::new("QueueDoesNotExist", "no queue was named"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfQueue {
    queue_url: String,
}

impl OfQueue {
    fn queue(&self) -> Result<&str, Refusal> {
        name(&self.queue_url)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    message_body: String,
    delay_seconds: Option<i64>,
    message_group_id: Option<String>,
    message_attributes: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send {
    queue_url: String,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchEntry {
    id: String,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendBatch {
    queue_url: String,
    entries: Vec<BatchEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receive {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByReceipt {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

impl ByReceipt {
    fn queue(&self) -> Result<&str, Refusal> {
        name(&self.queue_url)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteEntry {
    id: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteBatch {
    queue_url: String,
    entries: Vec<DeleteEntry>,
}
