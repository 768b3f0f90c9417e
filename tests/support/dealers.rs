//! Who receives. What each dealer answers is set by the test; what it got is kept, with its signature
//! checked by the library that dealers use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use leadyard_domain::access::MasterKey;
use leadyard_domain::delivery::{FailureKind, derive_secret};
use leadyard_domain::ids::{CompanyId, DealerId};
use leadyard_platform::outbound::{Answer, Outbound};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::provider::Provider;

/// What a dealer's server does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Answers with this status.
    Status(u16),
    /// Answers with this status and a Retry-After, in seconds.
    Later(u16, u32),
    /// Answers with this status and this body.
    Body(u16, &'static str),
    /// Answers 200 after so long.
    Slow(Duration),
    /// Never answers.
    Hangs,
    /// Breaks the connection.
    Resets,
    /// Is not there: nothing was sent.
    IsShut,
}

/// A request a dealer got.
#[derive(Clone, Debug)]
pub struct Told {
    /// By company and dealer: `acme/hudson`; of a URL with a query, that too.
    pub who: String,
    /// `POST` …
    pub method: String,
    /// All its headers.
    pub headers: HeaderMap,
    /// Its `webhook-id`.
    pub id: String,
    /// `lead.assigned` …
    pub event: String,
    /// The body.
    pub body: Value,
    /// The bytes it came as.
    pub raw: Bytes,
    /// Whether the signature is the dealer's own, over exactly this body.
    pub signed: bool,
    /// Its `webhook-signature`.
    pub signature: String,
    /// Its `webhook-timestamp`.
    pub timestamp: i64,
    /// What was answered.
    pub answered: Says,
}

impl Told {
    /// A header's value.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.raw).expect("what is sent is UTF-8")
    }

    /// The lead it is about.
    pub fn lead(&self) -> &str {
        self.body["data"]["lead_id"].as_str().unwrap_or_default()
    }
}

/// A request that is given up by its sender no longer hangs.
struct Open<'a>(&'a watch::Sender<usize>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

/// All dealers of a test.
#[derive(Clone)]
pub struct Dealers(Arc<Inner>);

struct Inner {
    master: Mutex<Option<MasterKey>>,
    provider: Provider,
    says: Mutex<HashMap<String, Says>>,
    told: Mutex<Vec<Told>>,
    open: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

impl Dealers {
    /// Dealers that take everything, with secrets of this master key.
    pub fn new(master: Option<MasterKey>) -> Self {
        Self(Arc::new(Inner {
            master: Mutex::new(master),
            provider: Provider::default(),
            says: Mutex::default(),
            told: Mutex::default(),
            open: watch::Sender::new(0),
            released: watch::Sender::new(false),
        }))
    }

    /// The OpenID provider that is on the same network.
    pub fn provider(&self) -> &Provider {
        &self.0.provider
    }

    /// The key their secrets come from, once it is known.
    pub fn secrets_of(&self, master: MasterKey) {
        *self.0.master.lock().unwrap() = Some(master);
    }

    /// From now on a dealer (`acme/hudson`) does this.
    pub fn says(&self, who: &str, says: Says) {
        self.0.says.lock().unwrap().insert(who.to_owned(), says);
    }

    /// Everything any dealer got, in order.
    pub fn told(&self) -> Vec<Told> {
        self.0.told.lock().unwrap().clone()
    }

    /// What one dealer got, in order.
    pub fn told_to(&self, who: &str) -> Vec<Told> {
        self.told().into_iter().filter(|told| told.who == who).collect()
    }

    /// Requests that hang now.
    pub fn hanging(&self) -> usize {
        *self.0.open.borrow()
    }

    /// Lets what hangs break off.
    pub fn release(&self) {
        self.0.released.send_replace(true);
    }

    /// The network in which they live, without a socket.
    pub fn network(&self) -> Outbound {
        let dealers = self.clone();
        Outbound::answered_by(Arc::new(move |request| {
            let dealers = dealers.clone();
            Box::pin(async move {
                if let Some(answer) = dealers.0.provider.answers(&request).await {
                    return answer;
                }
                let path = request.url.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
                let says = dealers.take(request.method.as_str(), &path, &request.headers, &request.body);
                let answer =
                    |status, retry_after| Answer { status, retry_after, body: Bytes::new(), cut: false };
                let _open = (says == Says::Hangs || matches!(says, Says::Slow(_))).then(|| dealers.open());
                match says {
                    Says::Status(status) => Ok(answer(status, None)),
                    Says::Later(status, seconds) => Ok(answer(status, Some(seconds.to_string()))),
                    Says::Body(status, body) => {
                        Ok(Answer { body: Bytes::from_static(body.as_bytes()), ..answer(status, None) })
                    }
                    Says::Slow(time) => {
                        tokio::time::sleep(time).await;
                        Ok(answer(200, None))
                    }
                    Says::Resets => Err(FailureKind::Reset),
                    Says::IsShut => Err(FailureKind::Refused),
                    Says::Hangs => {
                        dealers.hang().await;
                        Err(FailureKind::Reset)
                    }
                }
            })
        }))
    }

    fn open(&self) -> Open<'_> {
        self.0.open.send_modify(|open| *open += 1);
        Open(&self.0.open)
    }

    async fn hang(&self) {
        let _ = self.0.released.subscribe().wait_for(|released| *released).await;
    }

    fn take(&self, method: &str, who: &str, headers: &HeaderMap, body: &[u8]) -> Says {
        // Of a URL with a query, what was said of the whole of it goes first.
        let path = who.split_once('?').map_or(who, |(path, _)| path);
        let says = self.0.says.lock().unwrap();
        let says = says.get(who).or_else(|| says.get(path)).copied().unwrap_or(Says::Status(200));
        if says == Says::IsShut {
            return says;
        }
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
        let told = Told {
            who: who.to_owned(),
            method: method.to_owned(),
            headers: headers.clone(),
            id: header("webhook-id").to_owned(),
            event: parsed["type"].as_str().unwrap_or_default().to_owned(),
            signed: self.signed(who, headers, body),
            signature: header("webhook-signature").to_owned(),
            timestamp: header("webhook-timestamp").parse().unwrap_or_default(),
            body: parsed,
            raw: Bytes::copy_from_slice(body),
            answered: says,
        };
        self.0.told.lock().unwrap().push(told);
        says
    }

    /// Signs the body again as the dealer's library would, at the time it says: the library itself knows
    /// only the machine's clock.
    fn signed(&self, who: &str, headers: &HeaderMap, body: &[u8]) -> bool {
        let (company, dealer) = who.split_once('/').unwrap_or_default();
        let (Ok(company), Ok(dealer)) = (CompanyId::new(company), DealerId::new(dealer)) else {
            return false;
        };
        let Some(master) = self.0.master.lock().unwrap().clone() else { return false };
        let secret = derive_secret(master.bytes(), &company, &dealer, 1).expect("a secret");
        let webhook = Webhook::new(&secret.reveal()).expect("a secret that the library takes");
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Ok(timestamp) = header("webhook-timestamp").parse() else { return false };
        webhook
            .sign(header("webhook-id"), timestamp, body)
            .is_ok_and(|expected| header("webhook-signature").split(' ').any(|sent| sent == expected))
    }

    /// A real server on loopback in front of them; its address.
    pub async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a port");
        let address = listener.local_addr().expect("the port is bound");
        let dealers = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let dealers = dealers.clone();
                tokio::spawn(async move { dealers.serve(stream).await });
            }
        });
        format!("http://{address}")
    }

    /// One request a connection: simple, and broken at will.
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut read = Vec::new();
        let (head, mut body) = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                let body = read.split_off(end + 4);
                break (String::from_utf8_lossy(&read).into_owned(), body);
            }
            if stream.read_buf(&mut read).await.ok()? == 0 {
                return None;
            }
        };
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let method = first.next()?.to_owned();
        let path = first.next()?.trim_start_matches('/').to_owned();
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
            headers.append(name, value.trim().parse().ok()?);
        }
        let length: usize = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
        while body.len() < length {
            if stream.read_buf(&mut body).await.ok()? == 0 {
                return None;
            }
        }
        let (status, more, said) = match self.take(&method, &path, &headers, &body) {
            Says::Status(status) => (status, String::new(), ""),
            Says::Later(status, seconds) => (status, format!("retry-after: {seconds}\r\n"), ""),
            Says::Body(status, said) => (status, String::new(), said),
            Says::Slow(time) => {
                let _open = self.open();
                tokio::time::sleep(time).await;
                (200, String::new(), "")
            }
            Says::Hangs => {
                let _open = self.open();
                self.hang().await;
                return None;
            }
            Says::Resets | Says::IsShut => return None,
        };
        let answer = format!(
            "HTTP/1.1 {status} Said\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{said}",
            said.len()
        );
        stream.write_all(answer.as_bytes()).await.ok()
    }
}
