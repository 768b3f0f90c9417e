//! What the sender is told. A page key learns that its enquiry was received, and nothing of who is
//! known; the secret learns what became of it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect};
use leadyard_platform::arriving::Arrival;
use leadyard_platform::arriving::answer::{Answer, Answered, Pages, What};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Problem};
use serde_json::{Value, json};

/// The answer to one.
pub(crate) fn respond(answered: &Answered, cloud: &Cloud, arrival: &Arrival, style: Style) -> Response<Body> {
    let replay = matches!(answered.what, What::Replay { .. });
    let (status, body) = answered.told(cloud, arrival);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match style {
        Style::Json => json_response(status, body),
        Style::Page => page(status, &answered.pages),
    };
    if let What::Fresh(Answer::Refused(problem)) = &answered.what
        && let Some(seconds) = problem.retry_after_s()
    {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if replay {
        response.headers_mut().insert("idempotent-replay", HeaderValue::from_static("true"));
    }
    response
}

/// The answer for several enquiries that came in one body.
pub(crate) fn of_several(cloud: &Cloud, all: &[(&Arrival, Answered)]) -> Response<Body> {
    let (status, body) = told_of_several(cloud, all);
    let mut response =
        json_response(StatusCode::from_u16(status).unwrap_or(StatusCode::CREATED), body.to_string());
    let refusals = all.iter().filter_map(|(_, answered)| match &answered.what {
        What::Fresh(Answer::Refused(problem)) => problem.retry_after_s(),
        What::Fresh(_) | What::Replay { .. } => None,
    });
    if let Some(seconds) = refusals.max() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Status and body for several: `enquiries` has what each would have been told, in their order. When all are kept as
/// they should be it is 201; else it has the status, and the words, of the one that fared worst. The others are kept
/// all the same.
pub(crate) fn told_of_several(cloud: &Cloud, all: &[(&Arrival, Answered)]) -> (u16, Value) {
    let told: Vec<(u16, Value)> = all
        .iter()
        .map(|(arrival, answered)| {
            let (status, body) = answered.told(cloud, arrival);
            (status, serde_json::from_str(&body).unwrap_or_default())
        })
        .collect();
    let worst = told.iter().filter(|(status, _)| *status >= 400).max_by_key(|(status, _)| *status);
    let spilled = || all.iter().any(|(_, answered)| matches!(answered.what, What::Fresh(Answer::Spilled)));
    let well = || (if spilled() { 202 } else { 201 }, json!({ "status": "received" }));
    let (status, mut body) = worst.cloned().unwrap_or_else(well);
    if let Some(members) = body.as_object_mut() {
        members.insert("enquiries".to_owned(), told.into_iter().map(|(_, body)| body).collect());
    }
    (status, body)
}

/// How the sender wants to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A program.
    Json,
    /// A plain HTML form.
    Page,
}

impl Style {
    /// A browser that submits a form sends form fields and accepts HTML; a script asks for JSON, or for
    /// anything.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let accepts = http::text(headers, "accept").unwrap_or_default();
        let content_type = http::text(headers, "content-type").unwrap_or_default();
        let form = content_type.starts_with("application/x-www-form-urlencoded")
            || content_type.starts_with("multipart/form-data");
        if form && accepts.contains("text/html") { Self::Page } else { Self::Json }
    }
}

/// A refusal before anything is known of the source.
pub(crate) fn refuse(problem: &Problem, style: Style, pages: Option<&Pages>) -> Response<Body> {
    match style {
        Style::Json => problem.clone().into_response(),
        Style::Page => {
            let status = StatusCode::from_u16(problem.code().status()).unwrap_or(StatusCode::BAD_REQUEST);
            page(status, pages.unwrap_or(&Pages::default()))
        }
    }
}

fn json_response(status: StatusCode, body: String) -> Response<Body> {
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// 303 to the source's own page, or a plain page of ours where it has none.
fn page(status: StatusCode, pages: &Pages) -> Response<Body> {
    let target = if status.is_success() { &pages.thank_you } else { &pages.error };
    if let Some(target) = target {
        return Redirect::to(target).into_response();
    }
    let (title, text) = if status.is_success() {
        ("Thank you", "We have received your request and will be in touch.")
    } else if status == StatusCode::UNPROCESSABLE_ENTITY {
        ("One more thing", "Please go back and give an e-mail address or a phone number we can reach you at.")
    } else {
        ("That did not work", "Please go back and try again in a moment.")
    };
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font:1.1rem/1.5 system-ui;max-width:34rem;margin:15vh auto;padding:0 1rem}}</style>\
         <h1>{title}</h1><p>{text}</p>"
    );
    let mut response = (status, html).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
