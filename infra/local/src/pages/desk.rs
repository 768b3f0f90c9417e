//! `GET /demo/desk`: the demo's people, to be chosen and not signed in. Only ever on loopback, which is all that the
//! one-machine mode listens on.

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;

use super::{escape, fill};

const PAGE: &str = include_str!("desk.html");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The page, with this token of the desk.
pub fn router(desk_token: &str) -> Router {
    let page = fill(PAGE, &[("token", &escape(desk_token))]);
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    Router::new().route("/demo/desk", get(move || async move { (headers, Html(page)) }))
}
