//! One click and no more mail (RFC 8058): a signed link that the company's mail tool puts into what it sends.
//!
//! ```text
//! List-Unsubscribe: <https://…/v1/unsubscribe/u_….…>
//! List-Unsubscribe-Post: List-Unsubscribe=One-Click
//! ```
//!
//! Determinations:
//!
//! - *The link names a lead*, under our signature, and no person. It opens nothing else, and does not age: mail is
//!   kept for years, and its link must work.
//! - *Looking changes nothing*: scanners of mail follow every link. The page has a button, which posts what a mail
//!   program posts.
//! - *Whoever clicks is told the same*, whether there was anything to do, whether the lead was erased since. Only
//!   what is no link of ours is not found.
//! - *Of mail alone*: what somebody agreed to by phone is another matter; the desk's opt-out is of everything.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};
use leadyard_domain::access::UnsubscribeToken;
use leadyard_domain::delivery::OptedOutOf;
use leadyard_domain::error::Code;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, body};
use leadyard_platform::person::Sought;

/// Who did it, as the history has it.
const BY: &str = "unsubscribe-link";

/// The path of a lead's link.
pub(crate) fn path(cloud: &Cloud, token: &UnsubscribeToken) -> String {
    format!("/v1/unsubscribe/{}", cloud.master.mint(token))
}

fn read(cloud: &Cloud, token: &str) -> Result<UnsubscribeToken, Problem> {
    cloud.master.verify(token).ok_or_else(|| Problem::new(Code::NotFound, "this is no link of ours"))
}

/// `GET /v1/unsubscribe/{token}`: a page with a button.
pub(crate) async fn page(
    State(cloud): State<Cloud>,
    Path(token): Path<String>,
) -> Result<Response<Body>, Problem> {
    read(&cloud, &token)?;
    Ok(html(
        "<h1>Unsubscribe</h1><p>You will get no more mail about your request.</p>\
         <form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
         <button>Unsubscribe</button></form>",
    ))
}

/// `POST /v1/unsubscribe/{token}` with `List-Unsubscribe=One-Click`, as a form or as multipart.
pub(crate) async fn click(
    State(cloud): State<Cloud>,
    Path(token): Path<String>,
    request: Body,
) -> Result<Response<Body>, Problem> {
    let token = read(&cloud, &token)?;
    let said = body(request, limits::BODY_BYTES).await?;
    if !is_one_click(&said) {
        return Err(Problem::new(Code::MalformedBody, "the body is List-Unsubscribe=One-Click"));
    }
    let sought = Sought { leads: [token.lead].into(), ..Sought::default() };
    let done = Box::pin(cloud.opt_out(&token.company, &sought, OptedOutOf::Mail, BY));
    let done = done.await.map_err(crate::privacy::not_found)?;
    tracing::info!(
        lead.id = %token.lead, opted.listed = done.listed, opted.told = done.told, "somebody unsubscribed"
    );
    Ok(html("<h1>Unsubscribed</h1><p>You will get no more mail about your request.</p>"))
}

/// As a form, or as a part of a multipart body: both say the two words.
fn is_one_click(said: &[u8]) -> bool {
    let said = String::from_utf8_lossy(said);
    let Some((_, after)) = said.split_once("List-Unsubscribe") else { return false };
    let value = after.strip_prefix('=').or_else(|| after.split_once("\r\n\r\n").map(|(_, value)| value));
    value.is_some_and(|value| value.trim_start().starts_with("One-Click"))
}

fn html(content: &str) -> Response<Body> {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>Unsubscribe</title></head>\
         <body><main>{content}</main></body></html>"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::OK;
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; form-action 'self'; frame-ancestors 'none'"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
