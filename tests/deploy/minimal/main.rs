//! The least that a function of this kind can be: the SDK, and one item read with each invocation.

use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let sdk = aws_config::defaults(BehaviorVersion::latest()).http_client(https).load().await;
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let handler = |event: LambdaEvent<Value>| {
        let table = event.payload["table"].as_str().unwrap_or_default().to_owned();
        let key = AttributeValue::S("nobody".to_owned());
        let read = client.get_item().table_name(table).key("pk", key.clone()).key("sk", key).send();
        async move { Ok::<_, lambda_runtime::Error>(json!({ "found": read.await?.item.is_some() })) }
    };
    run(service_fn(handler)).await.map_err(anyhow::Error::from_boxed)
}
