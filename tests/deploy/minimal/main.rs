//! The least that a function of this kind can be: the SDK, and one item read with each invocation.

use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let handler = |event: LambdaEvent<Value>| {
        let table = event.payload["table"].as_str().unwrap_or_default().to_owned();
        let key = AttributeValue::S("nobody".to_owned());
        let read = client.get_item().table_name(table).key("pk", key.clone()).key("sk", key).send();
        async move { Ok::<_, lambda_runtime::Error>(json!({ "found": read.await?.item.is_some() })) }
    };
    run(service_fn(handler)).await.map_err(anyhow::Error::from_boxed)
}
