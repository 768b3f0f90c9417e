//! SQS as it speaks on the wire (awsJson 1.0), over [`LocalQueues`]: the operations that Leadyard and
//! its tests use. A batch answers entry by entry, since a batch that fails in part is the case to get
//! right.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use winterbaume_core::{MockRequest, MockResponse, MockService};

use super::queues::{LocalQueues, QueueError};

/// SQS's API over local queues.
#[derive(Clone)]
pub struct SqsService {
    queues: Arc<LocalQueues>,
}

/// A body is at most 1 MiB, attributes included.
const BODY_BYTES: usize = 1024 * 1024;
/// Entries of a batch, and messages of a receipt.
const BATCH: usize = 10;

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
                self.queues.delete(request.queue()?, std::slice::from_ref(&request.receipt_handle)).await?;
                Ok(json!({}))
            }
            "DeleteMessageBatch" => self.delete_batch(&parse(body)?).await,
            "ChangeMessageVisibility" => {
                let request: ByReceipt = parse(body)?;
                let after_s = request.visibility_timeout.unwrap_or(0);
                self.queues.release(request.queue()?, &request.receipt_handle, after_s)?;
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
        if entry.message_body.is_empty() || entry.message_body.len() > BODY_BYTES {
            return Err(Refusal::new("InvalidMessageContents", "a body is 1 byte to 1 MiB"));
        }
        let delay_s = entry.delay_seconds.unwrap_or(0);
        if delay_s > 900 {
            return Err(Refusal::new("InvalidParameterValue", "DelaySeconds is 0 to 900"));
        }
        let id = self.queues.send(queue, &entry.message_body, entry.message_group_id.as_deref(), delay_s)?;
        let digest = format!("{:x}", md5::compute(entry.message_body.as_bytes()));
        Ok(json!({ "MessageId": id, "MD5OfMessageBody": digest }))
    }

    fn send_batch(&self, request: &SendBatch) -> Result<Value, Refusal> {
        let queue = name(&request.queue_url)?;
        if request.entries.is_empty() || request.entries.len() > BATCH {
            return Err(Refusal::new("TooManyEntriesInBatchRequest", "a batch has 1 to 10 entries"));
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
                Err(refusal) => failed.push(json!({
                    "Id": entry.id, "SenderFault": true, "Code": refusal.code, "Message": refusal.message,
                })),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }

    async fn receive(&self, request: &Receive) -> Result<Value, Refusal> {
        let queue = name(&request.queue_url)?;
        let max = request.max_number_of_messages.unwrap_or(1).clamp(1, BATCH);
        let mut received = self.queues.take(queue, max, request.visibility_timeout)?;
        let wait = Duration::from_secs(u64::from(request.wait_time_seconds.unwrap_or(0).min(20)));
        if received.is_empty() && !wait.is_zero() {
            let _ = tokio::time::timeout(wait, self.queues.wait(queue)).await;
            received = self.queues.take(queue, max, request.visibility_timeout)?;
        }
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
                json!({
                    "MessageId": message.message_id,
                    "ReceiptHandle": message.receipt_handle,
                    "MD5OfBody": format!("{:x}", md5::compute(message.body.as_bytes())),
                    "Body": message.body,
                    "Attributes": attributes,
                })
            })
            .collect();
        Ok(json!({ "Messages": messages }))
    }

    async fn delete_batch(&self, request: &DeleteBatch) -> Result<Value, Refusal> {
        let queue = name(&request.queue_url)?;
        let mut successful = Vec::new();
        for entry in &request.entries {
            self.queues.delete(queue, std::slice::from_ref(&entry.receipt_handle)).await?;
            successful.push(json!({ "Id": entry.id }));
        }
        Ok(json!({ "Successful": successful, "Failed": [] }))
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
                Err(refusal) => MockResponse::json(
                    refusal.status,
                    json!({ "__type": refusal.code, "message": refusal.message }).to_string(),
                ),
            }
        })
    }
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
    delay_seconds: Option<u32>,
    message_group_id: Option<String>,
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
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u32>,
    wait_time_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByReceipt {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: Option<u32>,
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
