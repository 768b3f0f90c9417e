//! `GET /openapi.json`: the public contract, of all functions. It says nothing of any company, and is the same for
//! everyone.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use leadyard_domain::openapi;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi::document().to_string());

pub(crate) async fn document() -> Response {
    let mut response = DOCUMENT.as_str().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    // A reader of such documents is a page of another origin.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
