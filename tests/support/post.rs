//! How a page and a server post.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use leadyard::gateway;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::contract::{self, Asked};
use crate::people::Person;
use crate::roles;

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, byte for byte.
    pub bytes: Vec<u8>,
    /// Its body.
    pub text: String,
    /// Its body, where it is JSON.
    pub json: Value,
}

impl Reply {
    /// A header's text, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The same answer, if it has this status.
    #[must_use]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// A member's text.
    pub fn text_of(&self, member: &str) -> &str {
        self.json[member].as_str().unwrap_or_default()
    }

    /// The same answer, if it is a problem of this type.
    #[must_use]
    pub fn is_problem(self, slug: &str) -> Self {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        assert_eq!(self.text_of("type"), format!("urn:leadyard:problem:{slug}"), "{}", self.text);
        assert_eq!(self.json["status"], self.status.as_u16());
        self
    }
}

/// Asks the gateway as the document says. What is asked otherwise goes by [`send`].
pub async fn ask(app: &Router, method: Method, path: &str, headers: HeaderMap, body: Vec<u8>) -> Reply {
    let asked = Asked::of(&method, path, &headers, &body);
    let reply = send(app, method, path, headers, body).await;
    asked.must_be_documented(&reply);
    reply
}

/// Sends the gateway anything; the function that answers works under its role, and its answer is one that the document
/// has.
pub async fn send(app: &Router, method: Method, path: &str, headers: HeaderMap, body: Vec<u8>) -> Reply {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().expect("a path");
    *request.headers_mut() = headers;
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let function = gateway::function_of(request.method(), request.uri().path()).name();
    let response = match roles::as_function(function, app.clone().oneshot(request)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("an answer has an end").to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let json = serde_json::from_str(&text).unwrap_or_default();
    let reply = Reply { status: parts.status, headers: parts.headers, bytes: bytes.to_vec(), text, json };
    contract::must_be_documented(&method, uri.path(), &reply);
    reply
}

/// A page or a server of a source, with its key and what it sends along.
#[derive(Clone)]
pub struct Sender {
    pub(crate) app: Router,
    pub(crate) key: String,
    pub(crate) headers: HeaderMap,
}

impl Sender {
    /// The page key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Sends a header along.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().expect("a header's value"));
        self
    }

    /// Uses another key.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    /// Posts an enquiry as JSON.
    pub async fn posts(&self, person: &Person) -> Reply {
        self.sends("application/json", person.json().to_string()).await
    }

    /// Posts an enquiry as a browser posts a plain form.
    pub async fn submits(&self, person: &Person) -> Reply {
        let browser = self.clone().header("accept", "text/html,application/xhtml+xml");
        browser.sends("application/x-www-form-urlencoded", person.form()).await
    }

    /// Asks for any path.
    pub async fn gets(&self, path: &str) -> Reply {
        ask(&self.app, Method::GET, path, self.headers.clone(), Vec::new()).await
    }

    /// Posts any body as a lead.
    pub async fn sends(&self, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        let sender = self.clone().header("content-type", content_type);
        ask(&sender.app, Method::POST, &format!("/v1/leads/{}", sender.key), sender.headers, body.into())
            .await
    }

    /// What a browser asks before it posts from another origin.
    pub async fn asks_whether_it_may(&self) -> Reply {
        ask(&self.app, Method::OPTIONS, &format!("/v1/leads/{}", self.key), self.headers.clone(), Vec::new())
            .await
    }

    /// Reports interactions.
    pub async fn reports(&self, interactions: Value) -> Reply {
        let sender = self.clone().header("content-type", "application/json");
        let path = format!("/v1/interactions/{}", sender.key);
        ask(&sender.app, Method::POST, &path, sender.headers, interactions.to_string().into_bytes()).await
    }
}
