//! Posting to dealers' URLs.
//!
//! A dealer's URL stands in a rulebook and is dialled from inside our network, so nothing about it is
//! trusted. The URL is checked as written ([`check_url`]); what its name resolves to is vetted, and the
//! connection goes to exactly the vetted address, with TLS for the name (`resolve`). No redirect is followed, no
//! proxy of the environment used. Reaching the server, answering and reading the answer have one time
//! limit together, and of the answer only the beginning is read.
//!
//! Every attempt ends as an [`Outcome`]: nothing here is an error. What failed before the request can
//! have left is *not received*; what failed after is *unknown*. Nothing is retried here: retries happen
//! in the schedule only.
//!
//! The network is the one thing that can be replaced ([`Outbound::answered_by`]): the simulation has
//! dealers in process, under virtual time, and everything above the network is what runs on AWS.

mod in_flight;
mod resolve;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::delivery::{FailureKind, Outcome, check_url, retry_after_s};
use leadyard_domain::ids::{CompanyId, DealerId, SourceId};
use leadyard_domain::limits;
use reqwest::Url;
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, timeout_at};

use in_flight::Receiver;
pub use in_flight::UnderWay;

/// The client for dealers' URLs. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct Outbound {
    settings: Settings,
    transport: Transport,
    in_flight: in_flight::InFlight,
}

/// How dealers are dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether dealers may live on this machine's loopback. On one machine only, never on AWS.
    pub allow_loopback: bool,
    /// Name, connection and TLS, in milliseconds; less than `attempt_ms`, or what was never sent counts
    /// as unknown.
    pub connect_ms: u64,
    /// The whole attempt, in milliseconds.
    pub attempt_ms: u64,
}

impl Settings {
    /// The limits of [`limits`].
    pub const fn new(allow_loopback: bool) -> Self {
        Self { allow_loopback, connect_ms: limits::CONNECT_MS, attempt_ms: limits::ATTEMPT_MS }
    }

    /// Beside AWS, whose endpoint may be given: an emulator on loopback has its dealers there too. No endpoint that
    /// AWS itself answers on is one.
    pub fn beside(endpoint: Option<&str>) -> Self {
        let on_loopback = |url: &str| check_url(url, false).is_err() && check_url(url, true).is_ok();
        Self::new(endpoint.is_some_and(on_loopback))
    }
}

/// What is posted. No `Debug`: the body is full of a person.
pub struct Request {
    /// `POST`, or what the dealer's own API asks for; `GET` of what is fetched.
    pub method: Method,
    /// The dealer's URL, as the rulebook has it.
    pub url: String,
    /// All headers but those of the connection; `Content-Type` and the signature among them.
    pub headers: HeaderMap,
    /// The bytes that were signed.
    pub body: Bytes,
    /// When the attempt starts: a Retry-After that names a date is counted from here.
    pub at: Timestamp,
}

/// How one attempt went.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it means for the lead.
    pub outcome: Outcome,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
    /// The beginning of the answer's body, at most [`limits::ANSWER_BYTES`], without control characters.
    /// It may repeat the person: never logged.
    pub answer: String,
    /// The body was longer than what is kept, or broke off, or came too slowly.
    pub answer_cut: bool,
    /// How long it took.
    pub elapsed_ms: u64,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt")
            .field("outcome", &self.outcome)
            .field("answer_bytes", &self.answer.len())
            .field("answer_cut", &self.answer_cut)
            .field("elapsed_ms", &self.elapsed_ms)
            .finish_non_exhaustive()
    }
}

/// What a dealer's server answered.
#[derive(Clone, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The Retry-After header, where one came.
    pub retry_after: Option<String>,
    /// The beginning of the body.
    pub body: Bytes,
    /// Whether there was more of it, or should have been.
    pub cut: bool,
}

/// Answers in place of the network: as a server would, or with what kept it from answering.
pub type Answerer = dyn Fn(Request) -> BoxFuture<'static, Result<Answer, FailureKind>> + Send + Sync;

#[derive(Clone)]
enum Transport {
    Network(reqwest::Client),
    Answered(Arc<Answerer>),
}

/// The client could not be built: a fault of the TLS library's configuration, never of a dealer's.
#[derive(Debug, thiserror::Error)]
#[error("the client for dealers' URLs could not be built")]
pub struct BuildError(#[source] Box<dyn Error + Send + Sync>);

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Outbound {
    /// A client for the network. Trusts the certificate authorities of Mozilla's programme, compiled in.
    pub fn new(settings: Settings) -> Result<Self, BuildError> {
        Self::trusting(settings, Vec::new())
    }

    /// A client without a network: for the simulation, and under virtual time. Loopback is allowed; the
    /// limits are the usual ones.
    pub fn answered_by(answerer: Arc<Answerer>) -> Self {
        Self {
            settings: Settings::new(true),
            transport: Transport::Answered(answerer),
            in_flight: in_flight::InFlight::default(),
        }
    }

    fn trusting(settings: Settings, more: Vec<CertificateDer<'static>>) -> Result<Self, BuildError> {
        let client = client(settings, more).map_err(BuildError)?;
        Ok(Self {
            settings,
            transport: Transport::Network(client),
            in_flight: in_flight::InFlight::default(),
        })
    }

    /// Counts one more attempt at a dealer, for as long as what is returned is kept; `None` when enough are
    /// under way there.
    pub fn enter(&self, company: &CompanyId, dealer: &DealerId) -> Option<UnderWay> {
        self.in_flight.enter(company, Receiver::Dealer(dealer.clone()))
    }

    /// The same at the sender of a source's enquiries.
    pub fn enter_sender(&self, company: &CompanyId, source: &SourceId) -> Option<UnderWay> {
        self.in_flight.enter(company, Receiver::Sender(source.clone()))
    }

    /// That sender hung: for [`limits::SENDER_RESTS_MS`] nothing enters there.
    pub fn rest_sender(&self, company: &CompanyId, source: &SourceId) {
        self.in_flight.rest(company, Receiver::Sender(source.clone()));
    }

    /// Fetches what stands at a URL that is ours to know, by the same rules: the answer as it came, at most
    /// [`limits::BODY_BYTES`] of it.
    pub async fn get(&self, request: Request) -> Result<Answer, FailureKind> {
        let url = check_url(&request.url, self.settings.allow_loopback).map_err(|_| FailureKind::BadUrl)?;
        let deadline = Instant::now() + Duration::from_millis(self.settings.attempt_ms);
        self.transport.exchange(request, url, deadline, limits::BODY_BYTES).await
    }

    /// Makes one attempt. Takes at most [`Settings::attempt_ms`].
    pub async fn post(&self, request: Request) -> Attempt {
        let (began, at) = (Instant::now(), request.at);
        let answered = match check_url(&request.url, self.settings.allow_loopback) {
            Ok(url) => {
                let deadline = began + Duration::from_millis(self.settings.attempt_ms);
                self.transport.exchange(request, url, deadline, limits::ANSWER_BYTES).await
            }
            Err(_) => Err(FailureKind::BadUrl),
        };
        let elapsed = began.elapsed();
        Attempt::of(answered, elapsed, at)
    }
}

impl Attempt {
    fn of(answered: Result<Answer, FailureKind>, elapsed: Duration, began: Timestamp) -> Self {
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        match answered {
            Ok(Answer { status, retry_after, body, cut }) => {
                let now = SignedDuration::try_from(elapsed).ok().and_then(|e| began.checked_add(e).ok());
                let retry_after = retry_after.and_then(|header| retry_after_s(&header, now.unwrap_or(began)));
                Self {
                    outcome: Outcome::of_status(status, retry_after),
                    status: Some(status),
                    answer: printable(&body),
                    answer_cut: cut || body.len() > limits::ANSWER_BYTES,
                    elapsed_ms,
                }
            }
            Err(kind) => Self {
                outcome: Outcome::of_failure(kind),
                status: None,
                answer: String::new(),
                answer_cut: false,
                elapsed_ms,
            },
        }
    }
}

/// The text of an answer: what is no UTF-8 replaced, white space as spaces, other control characters gone.
fn printable(body: &[u8]) -> String {
    let body = body.get(..limits::ANSWER_BYTES).unwrap_or(body);
    let mut text = String::with_capacity(body.len());
    for c in String::from_utf8_lossy(body).chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        // A replacement is longer than what it replaces.
        if text.len() + c.len_utf8() > limits::ANSWER_BYTES {
            break;
        }
        if !c.is_control() {
            text.push(c);
        }
    }
    text
}

impl Transport {
    /// Reads at most so many bytes of the answer.
    async fn exchange(
        &self,
        request: Request,
        url: Url,
        deadline: Instant,
        most: usize,
    ) -> Result<Answer, FailureKind> {
        match self {
            Self::Network(client) => exchange(client, request, url, deadline, most).await,
            Self::Answered(answerer) => {
                timeout_at(deadline, answerer(request)).await.unwrap_or(Err(FailureKind::Timeout))
            }
        }
    }
}

/// Reads at most so many bytes of the answer.
async fn exchange(
    client: &reqwest::Client,
    request: Request,
    url: Url,
    deadline: Instant,
    most: usize,
) -> Result<Answer, FailureKind> {
    let sent = client.request(request.method, url).headers(request.headers).body(request.body).send();
    let mut response = timeout_at(deadline, sent)
        .await
        .map_err(|_| FailureKind::Timeout)?
        .map_err(|error| what_failed(&error))?;

    // From here on the dealer has spoken: whatever becomes of the body, the status stands.
    let status = response.status().as_u16();
    let retry_after =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    let cut = loop {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = most - body.len();
                body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if chunk.len() > room {
                    break true;
                }
            }
            Ok(Ok(None)) => break false,
            Ok(Err(_)) | Err(_) => break true,
        }
    };
    Ok(Answer { status, retry_after, body: body.into(), cut })
}

fn client(
    settings: Settings,
    more: Vec<CertificateDer<'static>>,
) -> Result<reqwest::Client, Box<dyn Error + Send + Sync>> {
    let mut roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    for certificate in more {
        roots.add(certificate)?;
    }
    // The provider is named, not installed: no other library's choice in this process changes it.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];

    Ok(reqwest::Client::builder()
        .use_preconfigured_tls(tls)
        .dns_resolver(Arc::new(resolve::Vetting { allow_loopback: settings.allow_loopback }))
        .user_agent(concat!("Leadyard/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_millis(settings.connect_ms))
        // The commonest servers close an idle connection after 5 s. One closed while we write would end
        // as unknown, so ours are given up first.
        .pool_idle_timeout(Duration::from_secs(4))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .build()?)
}

/// Which failure this is. reqwest says whether a connection stood; why not is in the causes.
fn what_failed(error: &reqwest::Error) -> FailureKind {
    if !error.is_connect() {
        let is_http = |e: &hyper::Error| e.is_parse();
        return if error.is_builder() {
            FailureKind::BadUrl
        } else if error.is_timeout() {
            FailureKind::Timeout
        } else if causes(error).any(|cause| cause.downcast_ref().is_some_and(is_http)) {
            FailureKind::Malformed
        } else {
            FailureKind::Reset
        };
    }
    for cause in causes(error) {
        if let Some(refused) = cause.downcast_ref::<resolve::ResolveError>() {
            return match refused {
                resolve::ResolveError::NotAllowed => FailureKind::AddressNotAllowed,
                resolve::ResolveError::NoAddress => FailureKind::Dns,
            };
        }
        if cause.is::<rustls::Error>() {
            return FailureKind::Tls;
        }
        match cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(std::io::ErrorKind::ConnectionRefused) => return FailureKind::Refused,
            // While connecting, only a handshake reads.
            Some(std::io::ErrorKind::UnexpectedEof) => return FailureKind::Tls,
            _ => {}
        }
    }
    if error.is_timeout() { FailureKind::ConnectTimeout } else { FailureKind::Unreachable }
}

/// An error and its causes. An I/O error hides the one it wraps from `source()`, which skips to that
/// one's own.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as _),
            None => error.source(),
        }
    })
}
