//! A call, as far as its faults depend on it; and answers that are not the service's.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// A call, as far as its faults depend on it.
pub(super) struct Call {
    pub(super) queue: bool,
    pub(super) name: String,
    /// What it reads or writes: `pk|sk`, or the queue.
    pub(super) keys: Vec<String>,
    /// The index and partition it queries.
    pub(super) index: Option<String>,
}

impl Call {
    pub(super) fn read(request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let (service, name) = target.split_once('.').unwrap_or(("", target));
        let body: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let queue = service == "AmazonSQS";
        let key = |item: &Value| {
            format!(
                "{}|{}",
                item["pk"]["S"].as_str().unwrap_or_default(),
                item["sk"]["S"].as_str().unwrap_or_default()
            )
        };
        let mut index = None;
        let keys = match name {
            "GetItem" | "UpdateItem" | "DeleteItem" => vec![key(&body["Key"])],
            "PutItem" => vec![key(&body["Item"])],
            "TransactWriteItems" => body["TransactItems"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|write| {
                    write["Put"]["Item"]
                        .as_object()
                        .map_or_else(|| key(&write["Update"]["Key"]), |_| key(&write["Put"]["Item"]))
                })
                .collect(),
            "Query" => {
                let partition = body["ExpressionAttributeValues"].as_object().into_iter().flatten();
                let mut values: Vec<_> = partition.filter_map(|(_, value)| value["S"].as_str()).collect();
                values.sort_unstable();
                if let Some(name) = body["IndexName"].as_str() {
                    index = Some(format!("{name} {}", values.join(" ")));
                }
                vec![values.join("|")]
            }
            _ if queue => vec![
                body["QueueUrl"]
                    .as_str()
                    .and_then(|url| url.rsplit('/').next())
                    .unwrap_or_default()
                    .to_owned(),
            ],
            _ => Vec::new(),
        };
        Self { queue, name: name.to_owned(), keys, index }
    }

    pub(super) fn writes(&self) -> bool {
        matches!(self.name.as_str(), "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems")
    }

    pub(super) fn keys_text(&self) -> String {
        self.index.clone().unwrap_or_else(|| self.keys.join(", "))
    }

    pub(super) fn cancelled(&self, code: impl Fn(&String) -> &'static str) -> (String, HttpResponse) {
        let reasons: Vec<Value> = self.keys.iter().map(|key| json!({ "Code": code(key) })).collect();
        let text = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled", "CancellationReasons": reasons,
        });
        (format!("400 {}", reasons_of(&text)), response(400, text.to_string().into_bytes()))
    }
}

pub(super) fn reasons(body: &[u8]) -> String {
    reasons_of(&serde_json::from_slice(body).unwrap_or_default())
}

fn reasons_of(answer: &Value) -> String {
    let kind = answer["__type"].as_str().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or(kind);
    let codes: Vec<&str> = answer["CancellationReasons"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    format!("{kind} {}", codes.join(" "))
}

pub(super) fn refusal(status: u16, kind: &str) -> (String, HttpResponse) {
    let text =
        json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "by the seed" });
    (format!("{status} {kind}"), response(status, text.to_string().into_bytes()))
}

pub(super) fn response(status: u16, body: Vec<u8>) -> HttpResponse {
    let status = aws_smithy_runtime_api::http::StatusCode::try_from(status);
    let internal = || aws_smithy_runtime_api::http::StatusCode::try_from(500);
    // Every status here is one.
    let status = status.or_else(|_| internal()).ok();
    let mut response =
        HttpResponse::new(status.unwrap_or_else(|| unreachable!("500 is a status")), SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}
