//! The desk's API as the command line asks it: of a running system over HTTP, or of a data folder that no
//! system has open, in process. Both take the same way, so that what holds for one holds for the other.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use clap::Args;
use http::{HeaderMap, Method, Request, StatusCode, header};
use leadyard_domain::access::DeskToken;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::openapi::NEXT;
use leadyard_domain::rulebook::RulebookFiles;
use leadyard_platform::clock::Clock;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{gateway, system};

/// Which system a command speaks to.
#[derive(Args, Clone, Debug)]
pub struct Target {
    /// A running system, such as http://127.0.0.1:8080.
    #[arg(long, requires = "token", conflicts_with = "data")]
    pub url: Option<String>,
    /// The desk's token.
    #[arg(long)]
    pub token: Option<String>,
    /// A data folder that no system has open.
    #[arg(long, value_name = "DIR", default_value = "leadyard-data")]
    pub data: PathBuf,
}

/// A system that answers.
pub struct Api {
    way: Way,
    token: String,
}

enum Way {
    Remote { client: reqwest::Client, url: String },
    Here(Router),
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Vec<u8>,
    /// Of a part of a list: what leads on to the next, where there is one.
    pub next: Option<String>,
}

impl Api {
    /// The system that was asked for. A data folder is opened as the desk of `company`.
    pub async fn of(target: &Target, company: &CompanyId) -> anyhow::Result<Self> {
        if let Some(url) = &target.url {
            let url = url.trim_end_matches('/').to_owned();
            let token = target.token.clone().unwrap_or_default();
            return Ok(Self { way: Way::Remote { client: client()?, url }, token });
        }
        let folder = &target.data;
        anyhow::ensure!(folder.is_dir(), "{} is no data folder", folder.display());
        let cloud = system::open(folder, &Clock::system())
            .await
            .with_context(|| "beside a running system, say --url and --token")?;
        let desk = DeskToken { staff: "leadyard".to_owned(), companies: vec![company.clone()] };
        let token = cloud.master.mint(&desk);
        Ok(Self { way: Way::Here(gateway::router(&cloud, Router::new())), token })
    }

    /// Asks; an answer is an answer, whatever its status.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let bytes = body.map(ToString::to_string).unwrap_or_default();
        match &self.way {
            Way::Remote { client, url } => {
                let asked = client
                    .request(method, format!("{url}{path}"))
                    .bearer_auth(&self.token)
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(bytes)
                    .send()
                    .await
                    .context("the system could not be reached")?;
                let (status, next) = (asked.status(), next_of(asked.headers())?);
                Ok(Answer { status, next, body: asked.bytes().await?.to_vec() })
            }
            Way::Here(app) => {
                let request = Request::builder()
                    .method(method)
                    .uri(path)
                    .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(Body::from(bytes))?;
                let response = match app.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
                let (status, next) = (response.status(), next_of(response.headers())?);
                let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
                Ok(Answer { status, next, body: body.to_vec() })
            }
        }
    }
}

/// What leads on to the next part. One that cannot be read is no end of the list.
fn next_of(headers: &HeaderMap) -> anyhow::Result<Option<String>> {
    let next = headers.get(NEXT).map(|next| next.to_str().map(str::to_owned));
    next.transpose().with_context(|| format!("{NEXT} of the answer could not be read"))
}

/// How often a request that the system had no time for is sent again.
const ATTEMPTS: u32 = 8;

impl Api {
    /// Asks what may be asked twice: once more, and again, where the system has no time for it or is not reached.
    pub async fn ask_again(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut attempt = 1;
        loop {
            let answer = self.ask(method.clone(), path, body).await;
            if attempt >= ATTEMPTS || !answer.as_ref().map_or(true, Answer::is_busy) {
                return answer;
            }
            let wait_ms = 100 << attempt;
            tokio::time::sleep(Duration::from_millis(wait_ms + fastrand::u64(0..wait_ms))).await;
            attempt += 1;
        }
    }

    /// Publishes a rulebook made from version `base`, or over whatever is in force. The version in force.
    pub async fn publish(&self, files: &RulebookFiles, base: Option<u64>) -> anyhow::Result<u64> {
        let files: serde_json::Map<String, Value> = files
            .iter()
            .map(|(name, bytes)| (name.to_owned(), json!(String::from_utf8_lossy(bytes))))
            .collect();
        let base = base.map_or_else(String::new, |base| format!("?base={base}"));
        let body = json!({ "files": files });
        let answer = self.ask(Method::PUT, &format!("/v1/rulebook{base}"), Some(&body)).await?.json()?;
        answer["version"].as_u64().context("the system did not say which version is in force")
    }
}

impl Answer {
    fn is_busy(&self) -> bool {
        [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY]
            .contains(&self.status)
    }

    /// The body of a success; of anything else the reason.
    pub fn success(self) -> anyhow::Result<Vec<u8>> {
        let detail = || {
            let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
            problem["detail"].as_str().unwrap_or("the system refused").to_owned()
        };
        anyhow::ensure!(self.status.is_success(), "{} ({})", detail(), self.status.as_u16());
        Ok(self.body)
    }

    /// The JSON of a success; of anything else the reason.
    pub fn json(self) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.success()?).unwrap_or_default())
    }
}

/// A plain client: loopback speaks HTTP; anything else is checked like any website.
fn client() -> anyhow::Result<reqwest::Client> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder().use_preconfigured_tls(tls).no_proxy().build()?)
}
