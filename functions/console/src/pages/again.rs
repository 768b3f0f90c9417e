//! What was typed when a sign-in was over is not lost: the page that answers holds it, and after signing in it is sent
//! again by one click.
//!
//! It is sent again for whoever typed it and for nobody else: the page says, signed by us, whose session is over. Where
//! that is not known any more, what was typed is shown, to be copied. Files are not kept: they are chosen again, and the
//! page to sign in says so.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use leadyard_domain::access::Credential;
use leadyard_domain::error::Code;
use leadyard_domain::ids::LeadId;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Problem};
use serde::{Deserialize, Serialize};

use super::shown;
use super::signed::{self, InSession, TODAY, Whoever};
use super::{Frame, rendered, troubled};

/// Where it is looked at before it is sent again.
pub(super) const AT: &str = "/console/again";

/// In an answer: nobody is signed in.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotSignedIn;

/// Who typed something, and when their sign-in was found to be over.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Typed {
    whose: String,
    until_s: i64,
}

impl Credential for Typed {
    const PREFIX: &'static str = "typed";
}

#[derive(askama::Template)]
#[template(path = "again.html")]
struct Page {
    frame: Frame,
    /// Where it was to go.
    to: String,
    /// Where it stood.
    stood_on: StoodOn,
    /// What was typed or chosen.
    said: Vec<(String, String)>,
    /// All that is sent again.
    fields: Vec<(String, String)>,
    /// Whose it is; empty, where nobody knows.
    mark: String,
}

/// Whether a field was typed or chosen, and is not the session's own.
fn is_typed(name: &str) -> bool {
    !["csrf", "to", "mark"].contains(&name)
}

/// What somebody said, and not what the page carries besides: what was seen of a lead, where one came from.
fn said(fields: &[(String, String)]) -> Vec<(String, String)> {
    const CARRIED: [&str; 9] = ["once", "seen", "shown", "from", "list", "zone", "next", "count", "kept"];
    let of_each = ["seen.", "shown.", "with."];
    let carried =
        |name: &str| CARRIED.contains(&name) || of_each.iter().any(|begins| name.starts_with(begins));
    fields.iter().filter(|(name, value)| !carried(name) && !value.trim().is_empty()).cloned().collect()
}

/// The same of all that a form sent.
pub(super) fn typed(form: &[(String, String)]) -> Vec<(String, String)> {
    said(&form.iter().filter(|(name, _)| is_typed(name)).cloned().collect::<Vec<_>>())
}

/// The page on which a form stood.
pub(super) struct StoodOn {
    pub(super) at: String,
    /// `with the lead Ada H.`; before somebody signs in, whose page it was is not said.
    pub(super) says: String,
}

impl StoodOn {
    /// By the address that a form was sent to; of a lead that they see, which it is.
    pub(super) async fn of(cloud: &Cloud, signed: &dyn InSession, to: &str) -> Self {
        let stood_on = Self::of_nobody(to);
        let Some(lead) = lead_of(&stood_on.at) else { return stood_on };
        match cloud.store.lead_get(lead).await {
            Ok(Some(lead)) if signed.sees(&lead.company) => {
                Self { says: format!("with the lead {}", shown::name(&lead.person)), ..stood_on }
            }
            Ok(_) | Err(_) => stood_on,
        }
    }

    /// The same for whoever it may be.
    fn of_nobody(to: &str) -> Self {
        let at = signed::page_of(to).to_owned();
        Self { says: place_of(&at).to_owned(), at }
    }
}

/// The section of a page, and what it is of.
fn parts_of(page: &str) -> (&str, &str) {
    let within = page.strip_prefix("/console/").unwrap_or_default();
    within.split_once('/').unwrap_or((within, ""))
}

fn lead_of(page: &str) -> Option<LeadId> {
    let (section, rest) = parts_of(page);
    let of_lead = ["leads", "follow-up"].contains(&section);
    rest.split('/').next().filter(|_| of_lead)?.parse().ok()
}

fn place_of(page: &str) -> &'static str {
    match parts_of(page) {
        ("leads", "") => "in the list of leads",
        ("leads", _) => "with a lead",
        ("quarantine", "") => "in quarantine",
        ("quarantine", _) => "with an enquiry in quarantine",
        ("waiting", _) => "in the waiting room",
        ("follow-up", "") => "in the follow-up",
        ("follow-up", _) => "with the follow-up of a lead",
        ("returns", _) => "with what a dealer returns",
        ("dealers", "") => "in the list of dealers",
        ("dealers", _) => "with a dealer",
        ("rulebook", _) => "with the rulebook",
        ("people", _) => "with the people and tokens",
        ("inbox", _) => "in the inbox",
        _ => "in the console",
    }
}

/// Around the pages: a form that comes when nobody is signed in is answered with what was typed.
pub(super) async fn keep(State(cloud): State<Cloud>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let has_files = signed::has_files(request.headers());
    if request.method() != Method::POST || path == "/console/sign-in" || has_files {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = match http::body(body, limits::BODY_BYTES).await {
        Ok(body) => body,
        Err(problem) => {
            return signed::nobody("That did not work", problem.detail(), StatusCode::BAD_REQUEST);
        }
    };
    let headers = parts.headers.clone();
    let answer = next.run(Request::from_parts(parts, Body::from(body.clone()))).await;
    let from = http::text(&headers, "sec-fetch-site").unwrap_or("same-origin");
    if answer.extensions().get::<NotSignedIn>().is_none() || !["same-origin", "none"].contains(&from) {
        return answer;
    }
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let named = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    // Looked at once more without signing in: as it was.
    let (to, mark) = if path == AT {
        (named("to").unwrap_or_default(), named("mark").unwrap_or_default())
    } else {
        let whose = match signed::cookie(&headers) {
            Some(cookie) => cloud.store.session_whose(cookie).await.ok().flatten(),
            None => None,
        };
        let until_s = cloud.clock.now().as_second() + limits::SESSION_HOURS * 3_600;
        (path, whose.map(|whose| cloud.master.mint(&Typed { whose, until_s })).unwrap_or_default())
    };
    let fields: Vec<(String, String)> = form.into_iter().filter(|(name, _)| is_typed(name)).collect();
    let said = said(&fields);
    if said.is_empty() {
        return answer;
    }
    let frame = Frame::of_nobody("Your sign-in is over");
    let stood_on = StoodOn::of_nobody(&to);
    rendered(&Page { frame, to, stood_on, said, fields, mark }, StatusCode::UNAUTHORIZED)
}

/// `POST /console/again`: what was typed, for who typed it and has signed in again: to be sent by one click.
pub(super) async fn look(State(cloud): State<Cloud>, whoever: Whoever, body: Body) -> Response {
    let body = match http::body(body, limits::BODY_BYTES).await {
        Ok(body) => body,
        Err(problem) => return troubled(&whoever, &problem),
    };
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let named = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let to = signed::inside(named("to")).to_owned();
    if to == TODAY {
        return Redirect::to(whoever.home()).into_response();
    }
    let typed = named("mark").and_then(|mark| cloud.master.verify::<Typed>(mark));
    let typed = typed.filter(|typed| cloud.clock.now().as_second() < typed.until_s);
    if typed.is_none_or(|typed| typed.whose != whoever.whose()) {
        let problem = Problem::new(Code::Forbidden, "this was typed by somebody else than is signed in now");
        return troubled(&whoever, &problem);
    }
    let fields: Vec<(String, String)> = form.iter().filter(|(name, _)| is_typed(name)).cloned().collect();
    let frame = Frame::of("Send it again", "", &whoever);
    let stood_on = StoodOn::of(&cloud, &whoever, &to).await;
    let said = said(&fields);
    rendered(&Page { frame, to, stood_on, said, fields, mark: String::new() }, StatusCode::OK)
}
