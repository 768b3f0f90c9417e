//! What Google Ads posts by itself when somebody sends a lead form.
//!
//! Determinations:
//!
//! - *The key* in the body is the source's own, derived ([`PlatformKey`]) and pasted into Google's page. Who has it
//!   is Google, and is trusted as a server with the source's secret is. Without it nothing is stored.
//! - *The same `lead_id`* is the same enquiry, at any time: Google posts again what it saw no answer to.
//! - *Whatever we have kept* is answered 200 `{}`, also what waits for a verdict: Google has done its part. What is
//!   final is 4xx with `{"message"}`, what may go better later 5xx; Google posts that again.
//! - *A full cap* of the source refuses nothing: Google would not send it again. Such a lead is quarantined.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse as _;
use leadyard_domain::access::{PageKey, Platform, PlatformKey, SourceSecret};
use leadyard_domain::enquiry::GoogleLead;
use leadyard_domain::error::Code;
use leadyard_domain::limits;
use leadyard_platform::arriving::Arrival;
use leadyard_platform::arriving::answer::{Answer, What};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Path, Problem};
use leadyard_platform::queues::SentBy;
use serde_json::{Value, json};

use crate::arrive;

/// `POST /v1/leads/{key}/google`.
pub(crate) async fn post_google(
    State(cloud): State<Cloud>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let (status, body) = match receive(&cloud, &key, &headers, body).await {
        Ok(arrival) => match Box::pin(arrive::take(&cloud, &arrival)).await.what {
            What::Fresh(answer) => told(&answer),
            // It names no key: what it sends again has the id of the first.
            What::Replay { .. } => kept(),
        },
        Err(problem) => refused(&problem),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(body)).into_response()
}

/// Status and body as Google reads them, of whatever came of its lead.
pub(crate) fn told(answer: &Answer) -> (u16, Value) {
    match answer {
        Answer::Received { .. }
        | Answer::Repeat { .. }
        | Answer::Quarantined { .. }
        | Answer::Test { .. }
        | Answer::Spilled => kept(),
        Answer::Refused(problem) => refused(problem),
    }
}

fn kept() -> (u16, Value) {
    (200, json!({}))
}

fn refused(problem: &Problem) -> (u16, Value) {
    (problem.code().status(), json!({ "message": problem.detail() }))
}

async fn receive(cloud: &Cloud, key: &str, headers: &HeaderMap, body: Body) -> Result<Arrival, Problem> {
    let (key, _) = arrive::authenticate(cloud, key, headers)?;
    let body = http::body(body, limits::BODY_BYTES).await?;
    let lead = GoogleLead::read(&body).map_err(|error| Problem::new(error.code(), error.to_string()))?;
    if !PlatformKey::of(&cloud.master, Platform::Google, &secret_of(&key)).is(&lead.google_key) {
        return Err(Problem::new(Code::Unauthorized, "google_key is not the one of this source"));
    }
    let (company, source) = (&key.company, &key.source);
    Ok(Arrival {
        id: cloud.master.platform_enquiry(Platform::Google, company, source, &lead.lead_id),
        trusted: true,
        at: cloud.clock.now(),
        content_type: "application/json".to_owned(),
        body,
        idempotency: None,
        visitor: None,
        gpc: false,
        user_agent: None,
        address: None,
        ip: None,
        sent_by: Some(SentBy { platform: Platform::Google, test: lead.is_test }),
        spilled: false,
        tried: false,
        key,
    })
}

/// Whose keys a platform's are derived beside.
pub(crate) fn secret_of(key: &PageKey) -> SourceSecret {
    SourceSecret { company: key.company.clone(), source: key.source.clone(), generation: key.generation }
}
