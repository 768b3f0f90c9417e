//! A running system, asked over HTTP by the command line.

use anyhow::Context as _;
use leadyard_domain::rulebook::RulebookFiles;
use serde_json::{Value, json};

/// Publishes a rulebook on a running system. The version in force.
pub async fn publish(
    url: &str,
    token: Option<&str>,
    files: &RulebookFiles,
    base: Option<u64>,
) -> anyhow::Result<u64> {
    let files: serde_json::Map<String, Value> =
        files.iter().map(|(name, bytes)| (name.to_owned(), json!(String::from_utf8_lossy(bytes)))).collect();
    let base = base.map_or_else(String::new, |base| format!("?base={base}"));
    let address = format!("{}/v1/rulebook{base}", url.trim_end_matches('/'));
    let response = client()?
        .put(address)
        .bearer_auth(token.unwrap_or_default())
        .header("content-type", "application/json")
        .body(json!({ "files": files }).to_string())
        .send()
        .await
        .context("the system could not be reached")?;
    let status = response.status();
    let answer: Value = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
    anyhow::ensure!(status.is_success(), "{}", answer["detail"].as_str().unwrap_or("the system refused"));
    answer["version"].as_u64().context("the system did not say which version is in force")
}

/// A plain client: loopback speaks HTTP; anything else is checked like any website.
pub fn client() -> anyhow::Result<reqwest::Client> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder().use_preconfigured_tls(tls).no_proxy().build()?)
}
