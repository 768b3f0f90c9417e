//! Signing in and out, and whose session a request is of: the desk's or a dealer's.
//!
//! The session stands in the table; the browser has a random cookie, which scripts cannot read and other sites cannot
//! make it send with a form. Every form carries a word of the session besides.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leadyard_domain::access::{DealerToken, DeskToken};
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Problem, Query};
use leadyard_platform::store::{Session, SignedIn};
use leadyard_platform::who;
use serde::Deserialize;

use super::{Frame, Said, rendered};

const COOKIE: &str = "leadyard_session";
/// Where the desk begins.
pub(super) const TODAY: &str = "/console/today";
/// Where a dealer begins.
pub(super) const INBOX: &str = "/console/inbox";

/// Somebody who is signed in, whoever it is.
pub(super) trait InSession: Send + Sync {
    /// How the page calls them.
    fn name(&self) -> &str;
    /// What every form of theirs carries.
    fn csrf(&self) -> &str;
    /// Where they begin: what stands around a page is theirs.
    fn home(&self) -> &'static str;
}

/// Somebody of the desk who is signed in.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// Who, with the companies that they were given.
    pub(super) desk: DeskToken,
    /// What every form of theirs carries.
    pub(super) csrf: String,
}

impl Signed {
    /// The rules of a company that is asked for by name, or of the first that they were given.
    pub(super) async fn rules_of(&self, cloud: &Cloud, asked: Option<&str>) -> Result<Arc<Core>, Problem> {
        let first = self.desk.companies.first().map(|company| company.as_str());
        let company = who::company(&self.desk, asked.or(first))?;
        who::rules_of(cloud, &company).await
    }
}

impl InSession for Signed {
    fn name(&self) -> &str {
        &self.desk.staff
    }
    fn csrf(&self) -> &str {
        &self.csrf
    }
    fn home(&self) -> &'static str {
        TODAY
    }
}

/// Somebody of a dealer who is signed in.
#[derive(Clone, Debug)]
pub(super) struct SignedDealer {
    /// Which dealer.
    pub(super) token: DealerToken,
    /// What every form of theirs carries.
    pub(super) csrf: String,
}

impl InSession for SignedDealer {
    fn name(&self) -> &str {
        self.token.dealer.as_str()
    }
    fn csrf(&self) -> &str {
        &self.csrf
    }
    fn home(&self) -> &'static str {
        INBOX
    }
}

/// Whoever is signed in.
pub(super) struct Whoever(Session);

impl InSession for Whoever {
    fn name(&self) -> &str {
        match &self.0.who {
            SignedIn::Desk(desk) => &desk.staff,
            SignedIn::Dealer(token) => token.dealer.as_str(),
        }
    }
    fn csrf(&self) -> &str {
        &self.0.csrf
    }
    fn home(&self) -> &'static str {
        match &self.0.who {
            SignedIn::Desk(_) => TODAY,
            SignedIn::Dealer(_) => INBOX,
        }
    }
}

impl FromRequestParts<Cloud> for Signed {
    /// The page to sign in, which comes back to where one was going; a dealer's own page, for a dealer.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, cloud: &Cloud) -> Result<Self, Response> {
        let whoever = Whoever::from_request_parts(parts, cloud).await?;
        match whoever.0.who {
            SignedIn::Desk(desk) => Ok(Self { desk, csrf: whoever.0.csrf }),
            SignedIn::Dealer(_) => Err(whoever.elsewhere(parts)),
        }
    }
}

impl FromRequestParts<Cloud> for SignedDealer {
    /// As for [`Signed`].
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, cloud: &Cloud) -> Result<Self, Response> {
        let whoever = Whoever::from_request_parts(parts, cloud).await?;
        match whoever.0.who {
            SignedIn::Dealer(token) => Ok(Self { token, csrf: whoever.0.csrf }),
            SignedIn::Desk(_) => Err(whoever.elsewhere(parts)),
        }
    }
}

impl Whoever {
    /// Somebody who may see nothing here is led to where they begin; of a form nothing is done.
    fn elsewhere(&self, parts: &Parts) -> Response {
        if parts.method == Method::GET {
            return Redirect::to(self.home()).into_response();
        }
        super::troubled(self, &Problem::new(Code::Forbidden, "this is for others than you are signed in as"))
    }
}

impl FromRequestParts<Cloud> for Whoever {
    /// The page to sign in, which comes back to where one was going.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, cloud: &Cloud) -> Result<Self, Response> {
        let found = match cookie(&parts.headers) {
            None => None,
            Some(cookie) => cloud.store.session_get(cookie, cloud.clock.now()).await.map_err(|error| {
                nobody("Not just now", Problem::from(error).detail(), StatusCode::SERVICE_UNAVAILABLE)
            })?,
        };
        found.map(Self).ok_or_else(|| {
            let path = parts.uri.path_and_query().map_or(TODAY, |path| path.as_str());
            // A form is not sent again by itself: whoever signs in goes to the page that it stood on.
            let next = if parts.method == Method::GET { path } else { page_of(path) };
            Redirect::to(&super::address("/console/sign-in", &[("next", next)])).into_response()
        })
    }
}

/// The page on which a form stands: `/console/leads/ID` for `/console/leads/ID/hold`.
fn page_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(TODAY, |(page, _)| page)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut named = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    named.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// A form's fields, once each.
pub(super) type Form = BTreeMap<String, String>;

/// What a form of this session sent. Another site's is refused, whatever it brings.
pub(super) async fn form(signed: &dyn InSession, headers: &HeaderMap, body: Body) -> Result<Form, Problem> {
    let form = read(headers, body).await?;
    check(signed, headers, &form)?;
    Ok(form)
}

/// A form of somebody who is signed in, read and checked as [`form`] does; a page that says why, where it is none.
pub(super) struct Sent<Whose> {
    pub(super) signed: Whose,
    pub(super) form: Form,
}

impl<Whose> FromRequest<Cloud> for Sent<Whose>
where
    Whose: InSession + FromRequestParts<Cloud, Rejection = Response>,
{
    type Rejection = Response;

    async fn from_request(request: Request, cloud: &Cloud) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed = Whose::from_request_parts(&mut parts, cloud).await?;
        match form(&signed, &parts.headers, body).await {
            Ok(form) => Ok(Self { signed, form }),
            Err(problem) => Err(super::troubled(&signed, &problem)),
        }
    }
}

/// Whether a form that was read otherwise, with files, is of this session and of our own site.
pub(super) fn check(signed: &dyn InSession, headers: &HeaderMap, form: &Form) -> Result<(), Problem> {
    is_of_our_site(headers)?;
    if form.get("csrf").map(String::as_str) != Some(signed.csrf()) {
        return Err(Problem::new(Code::Forbidden, "this form is of an earlier session: open the page again"));
    }
    Ok(())
}

fn is_of_our_site(headers: &HeaderMap) -> Result<(), Problem> {
    let from = http::text(headers, "sec-fetch-site").unwrap_or("same-origin");
    if !["same-origin", "none"].contains(&from) {
        return Err(Problem::new(Code::Forbidden, "a form of another site is not taken"));
    }
    Ok(())
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Form, Problem> {
    is_of_our_site(headers)?;
    let body = http::body(body, limits::BODY_BYTES).await?;
    Ok(form_urlencoded::parse(&body).into_owned().collect())
}

/// The page to sign in.
#[derive(askama::Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    next: String,
    trouble: &'static str,
}

#[derive(Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

/// Where to go on to: a page of the console, and nowhere else.
fn inside(next: Option<&str>) -> &str {
    let ours = |next: &&str| next.starts_with("/console/") && !next.contains('\\') && !next.contains("//");
    next.filter(ours).unwrap_or(TODAY)
}

/// Whether a page is a dealer's.
fn is_of_inbox(path: &str) -> bool {
    path.strip_prefix(INBOX).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// `GET /console/sign-in?next`.
pub(super) async fn page(Query(Next { next }): Query<Next>) -> Response {
    let next = inside(next.as_deref()).to_owned();
    rendered(&SignIn { frame: Frame::of_nobody("Sign in"), next, trouble: "" }, StatusCode::OK)
}

/// `POST /console/sign-in`: `token`, `next`.
pub(super) async fn sign_in(State(cloud): State<Cloud>, headers: HeaderMap, body: Body) -> Response {
    let form = match read(&headers, body).await {
        Ok(form) => form,
        Err(problem) => return nobody("That did not work", problem.detail(), StatusCode::FORBIDDEN),
    };
    let next = inside(form.get("next").map(String::as_str)).to_owned();
    let token = form.get("token").map(|token| token.trim()).unwrap_or_default();
    let desk = cloud.master.verify::<DeskToken>(token).map(SignedIn::Desk);
    let Some(who) = desk.or_else(|| who::dealer_of(&cloud, token).map(SignedIn::Dealer)) else {
        let trouble = "This is neither the desk's token nor a dealer's. It begins with desk_ or dealer_ and is one line.";
        let page = SignIn { frame: Frame::of_nobody("Sign in"), next, trouble };
        return rendered(&page, StatusCode::UNAUTHORIZED);
    };
    let random = || URL_SAFE_NO_PAD.encode(cloud.entropy.bytes::<32>());
    let (cookie, session) = (random(), Session::begin(who, random(), cloud.clock.now()));
    if let Err(error) = cloud.store.session_begin(&cookie, &session).await {
        return nobody("Not just now", Problem::from(error).detail(), StatusCode::SERVICE_UNAVAILABLE);
    }
    match &session.who {
        SignedIn::Desk(desk) => tracing::info!(staff = %desk.staff, "signed in"),
        SignedIn::Dealer(token) => {
            tracing::info!(company = %token.company, dealer.id = %token.dealer, "signed in");
        }
    }
    // Each goes on to their own pages alone.
    let home = Whoever(session).home();
    let next = if is_of_inbox(&next) == (home == INBOX) { next.as_str() } else { home };
    with_cookie(Redirect::to(next), &headers, &cookie, limits::SESSION_HOURS * 3_600)
}

/// `POST /console/sign-out`.
pub(super) async fn sign_out(
    State(cloud): State<Cloud>,
    signed: Whoever,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if let Err(problem) = form(&signed, &headers, body).await {
        return super::troubled(&signed, &problem);
    }
    if let Some(cookie) = cookie(&headers)
        && let Err(error) = cloud.store.session_end(cookie).await
    {
        return super::troubled(&signed, &Problem::from(error));
    }
    with_cookie(Redirect::to("/console/sign-in"), &headers, "", 0)
}

/// `Secure`, but on this machine, where browsers differ in what they take over plain HTTP.
fn with_cookie(to: Redirect, headers: &HeaderMap, cookie: &str, seconds: i64) -> Response {
    let host = http::text(headers, "host").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let secure = if ["localhost", "127.0.0.1", "[::1]"].contains(&name) { "" } else { "; Secure" };
    let value =
        format!("{COOKIE}={cookie}; Path=/console; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    let mut response = to.into_response();
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

fn nobody(title: &str, detail: &str, status: StatusCode) -> Response {
    rendered(&Said { frame: Frame::of_nobody(title), detail: detail.to_owned() }, status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_goes_on_to_pages_of_the_console_alone() {
        assert_eq!(inside(Some("/console/leads?stage=waiting")), "/console/leads?stage=waiting");
        for elsewhere in [
            "https://evil.example/console/",
            "//evil.example",
            "/console/\\evil",
            "/v1/leads",
            "/console//evil.example",
        ] {
            assert_eq!(inside(Some(elsewhere)), TODAY, "{elsewhere}");
        }
    }
}
