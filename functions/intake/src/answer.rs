//! What the sender is told. A page key learns that its enquiry was received, and nothing of who is
//! known; the secret learns what became of it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect};
use jiff::Timestamp;
use leadyard_domain::access::VisitorToken;
use leadyard_domain::ids::{ContractId, LeadId, VisitorId};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Problem};
use leadyard_platform::metrics::Metric;
use serde_json::{Value, json};

use crate::arrive::Arrival;

/// What became of an enquiry.
pub(crate) enum Answer {
    /// A new lead, or a new cycle of one.
    Received { lead: LeadId },
    /// A lead we had.
    Repeat { lead: LeadId, since: Timestamp },
    /// Kept aside until a person looks.
    Quarantined { reasons: Vec<&'static str> },
    /// A test: where it would have gone.
    Test { would_go_to: Vec<ContractId>, waiting: Option<String>, reasons: Vec<&'static str> },
    /// Only the queue could keep it.
    Spilled,
    /// Not taken, and why.
    Refused(Problem),
}

/// An answer, given for the first time or again.
pub(crate) struct Answered {
    pub(crate) what: What,
    pub(crate) pages: Pages,
    /// The browser that the page may name from now on.
    pub(crate) visitor: Option<VisitorId>,
    /// The enquiry stood there before.
    pub(crate) already: bool,
}

pub(crate) enum What {
    Fresh(Answer),
    /// The first answer to the same idempotency key.
    Replay {
        status: u16,
        body: String,
    },
}

/// Where a plain HTML form goes next.
#[derive(Clone, Default)]
pub(crate) struct Pages {
    pub(crate) thank_you: Option<String>,
    pub(crate) error: Option<String>,
}

impl Answered {
    pub(crate) fn fresh(answer: Answer) -> Self {
        Self { what: What::Fresh(answer), pages: Pages::default(), visitor: None, already: false }
    }

    /// Of an enquiry that was kept, now or before.
    pub(crate) fn kept(answer: Answer, visitor: Option<VisitorId>, already: bool) -> Self {
        Self { visitor, already, ..Self::fresh(answer) }
    }

    pub(crate) fn with_pages(self, pages: Pages) -> Self {
        Self { pages, ..self }
    }

    /// Counts what became of an enquiry, the first time that it is told.
    pub(crate) fn count(&self, cloud: &Cloud) {
        let metric = match &self.what {
            What::Fresh(_) if self.already => return,
            What::Fresh(Answer::Received { .. }) => Metric::LeadsReceived,
            What::Fresh(Answer::Repeat { .. }) => Metric::LeadsRepeated,
            What::Fresh(Answer::Quarantined { .. }) => Metric::LeadsQuarantined,
            What::Fresh(Answer::Spilled) => Metric::LeadsSpilled,
            What::Fresh(Answer::Test { .. } | Answer::Refused(_)) | What::Replay { .. } => return,
        };
        cloud.metrics.count(metric);
    }

    pub(crate) fn into_response(self, cloud: &Cloud, arrival: &Arrival, style: Style) -> Response<Body> {
        let replay = matches!(self.what, What::Replay { .. });
        let (status, body) = self.told(cloud, arrival);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match style {
            Style::Json => json_response(status, body),
            Style::Page => page(status, &self.pages),
        };
        if let What::Fresh(Answer::Refused(problem)) = &self.what
            && let Some(seconds) = problem.retry_after_s()
        {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if replay {
            response.headers_mut().insert("idempotent-replay", HeaderValue::from_static("true"));
        }
        response
    }
}

impl Answered {
    /// Status and body.
    pub(crate) fn told(&self, cloud: &Cloud, arrival: &Arrival) -> (u16, String) {
        match &self.what {
            What::Fresh(answer) => {
                let (status, body) = answer.render(cloud, arrival, self.visitor);
                (status, body.to_string())
            }
            What::Replay { status, body } => (*status, body.clone()),
        }
    }
}

/// The answer for several enquiries that came in one body: `enquiries` has what each would have been told, in their
/// order. When all are kept as they should be it is 201; else it has the status, and the words, of the one that
/// fared worst. The others are kept all the same.
pub(crate) fn of_several(cloud: &Cloud, all: &[(&Arrival, Answered)]) -> Response<Body> {
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

impl Answer {
    /// Status and body, as this sender may know them. The same is remembered under an idempotency key.
    pub(crate) fn render(
        &self,
        cloud: &Cloud,
        arrival: &Arrival,
        visitor: Option<VisitorId>,
    ) -> (u16, Value) {
        let mut body = json!({ "enquiry": arrival.id });
        let put = |body: &mut Value, name: &str, value: Value| {
            if let Some(members) = body.as_object_mut() {
                members.insert(name.to_owned(), value);
            }
        };
        let (status, word) = match self {
            Self::Refused(problem) => return (problem.code().status(), problem.json()),
            Self::Spilled => (202, "spilled"),
            _ if !arrival.trusted => (201, "received"),
            Self::Received { lead } => {
                put(&mut body, "lead", json!(lead));
                (201, "received")
            }
            Self::Repeat { lead, since } => {
                put(&mut body, "lead", json!(lead));
                put(&mut body, "since", json!(since));
                (200, "repeat")
            }
            Self::Quarantined { reasons } => {
                put(&mut body, "reasons", json!(reasons));
                (202, "quarantined")
            }
            Self::Test { would_go_to, waiting, reasons } => {
                put(&mut body, "test", json!(true));
                put(&mut body, "would_go_to", json!(would_go_to));
                if let Some(waiting) = waiting {
                    put(&mut body, "would_wait", json!(waiting));
                }
                if !reasons.is_empty() {
                    put(&mut body, "reasons", json!(reasons));
                }
                (201, "received")
            }
        };
        put(&mut body, "status", json!(word));
        if let Some(visitor) = visitor {
            let token = VisitorToken { company: arrival.key.company.clone(), visitor };
            put(&mut body, "visitor", json!(cloud.master.mint(&token)));
        }
        (status, body)
    }
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
