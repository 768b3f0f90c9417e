//! What every HTTP route does alike: problems, bounded bodies, bearer tokens.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use leadyard_domain::error::{Code, FieldError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// An RFC 9457 problem. Nothing personal is ever in it.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    fields: Vec<FieldError>,
    more: serde_json::Map<String, Value>,
    retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem with what exactly was wrong, and its limit.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            fields: Vec::new(),
            more: serde_json::Map::new(),
            retry_after_s: None,
        }
    }

    /// Names the fields at fault.
    #[must_use]
    pub fn fields(mut self, fields: Vec<FieldError>) -> Self {
        self.fields = fields;
        self
    }

    /// Adds a member, such as the id under which the enquiry is kept all the same.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to try again, in seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// What decides status and type.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What exactly was wrong, and its limit.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The fields at fault; where it names none, what was wrong with the whole.
    pub fn faults(&self) -> Vec<FieldError> {
        if self.fields.is_empty() {
            return vec![FieldError { pointer: String::new(), detail: self.detail.clone() }];
        }
        self.fields.clone()
    }

    /// When to try again, in seconds.
    pub const fn retry_after_s(&self) -> Option<u32> {
        self.retry_after_s
    }

    /// The problem's JSON.
    pub fn json(&self) -> Value {
        let mut problem = json!({
            "type": self.code.problem_type(),
            "title": self.code.title(),
            "status": self.code.status(),
            "detail": self.detail,
        });
        if let Some(members) = problem.as_object_mut() {
            if !self.fields.is_empty() {
                members.insert("errors".to_owned(), json!(self.fields));
            }
            members.extend(self.more.clone());
        }
        problem
    }
}

impl From<crate::store::StoreError> for Problem {
    fn from(error: crate::store::StoreError) -> Self {
        use crate::store::StoreError;
        match error {
            StoreError::Contended | StoreError::Unavailable(_) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the store did not answer");
                Self::new(Code::Unavailable, "the store did not answer; try again").retry_after(5)
            }
            StoreError::Damaged { .. } | StoreError::Malformed(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store and we disagree");
                Self::new(Code::Internal, "a stored item could not be read or written")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.json().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // Where people look, it is told as a page.
        response.extensions_mut().insert(self);
        response
    }
}

/// What a query string asks for. One that cannot be read is refused as a problem, and not repeated in it.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        read.map(|query| Self(query.0)).map_err(|refused| {
            let text = refused.body_text();
            let missing = text.split_once("missing field `").and_then(|(_, rest)| rest.split_once('`'));
            let detail = match missing {
                Some((name, _)) => format!("the query needs {name}"),
                None => "a parameter of the query is not of its kind".to_owned(),
            };
            Problem::new(Code::InvalidField, detail)
        })
    }
}

/// The variable parts of a path; what is not text names nothing.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0)).map_err(|_| Problem::new(Code::NotFound, "no route has this path"))
    }
}

/// The bearer token of a request, if it has one.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A header's text.
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// A problem that names the limit, or says that the body broke off.
pub async fn body(body: Body, limit: usize) -> Result<bytes::Bytes, Problem> {
    use http_body_util::{BodyExt as _, LengthLimitError, Limited};
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Problem::new(Code::BodyTooLarge, format!("a body is at most {limit} bytes")))
        }
        Err(_) => Err(Problem::new(Code::MalformedBody, "the body broke off")),
    }
}

/// The answer to a path or method that no route takes.
pub async fn not_found() -> Problem {
    Problem::new(Code::NotFound, "no route has this path")
}

/// The answer to a method that a route does not take.
pub async fn method_not_allowed() -> Problem {
    Problem::new(Code::MethodNotAllowed, "the route exists, but not for this method")
}
