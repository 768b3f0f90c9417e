//! A request becomes an arrival: the key is checked, the body bounded, the enquiry's id fixed before
//! anything is written.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leadyard_domain::access::{PageKey, Platform, SourceSecret};
use leadyard_domain::enquiry::{BodyError, Fields, GoogleLead};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{EnquiryId, VisitorId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::Source;
use leadyard_platform::arriving::Arrival;
use leadyard_platform::arriving::answer::{Answer, Answered};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Path, Problem};
use leadyard_platform::queues::ToSpill;
use leadyard_platform::store::StoreError;
use sha2::{Digest as _, Sha256};

use crate::answer::Style;
use crate::keep;
use crate::screen;

/// `POST /v1/leads/{key}`.
pub(crate) async fn post_lead(
    State(cloud): State<Cloud>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let origin = headers.get(header::ORIGIN).cloned();
    let style = Style::of(&headers);
    let mut response = match receive(&cloud, &key, &headers, body).await {
        Err(problem) => crate::answer::refuse(&problem, style, None),
        Ok(arrival) => match prospects(&cloud, &arrival) {
            Some(each) => Box::pin(take_each(&cloud, &each)).await,
            None => {
                let answered = Box::pin(take(&cloud, &arrival)).await;
                crate::answer::respond(&answered, &cloud, &arrival, style)
            }
        },
    };
    allow_origin(response.headers_mut(), origin);
    response
}

async fn receive(cloud: &Cloud, key: &str, headers: &HeaderMap, body: Body) -> Result<Arrival, Problem> {
    let (key, trusted) = authenticate(cloud, key, headers)?;
    let body = http::body(body, limits::BODY_BYTES).await?;
    let at = cloud.clock.now();
    let idempotency = match http::text(headers, "idempotency-key") {
        None => None,
        Some(sent) => {
            let key = idempotency_key(sent)?;
            // Whoever has only the page's key must not take a key that a server will use.
            let key = if trusted { key } else { hash(format!("page/{key}").as_bytes()) };
            Some((key, hash(&body)))
        }
    };
    let ip = screen::ip(headers);
    let address = screen::address(cloud, &key.company, ip);
    // A server's own address says nothing of a person, nor does the program that it sends with.
    let ip = ip.filter(|_| !trusted);
    let user_agent = screen::user_agent(headers).filter(|_| !trusted);
    Ok(Arrival {
        id: EnquiryId::mint(at, cloud.entropy.bytes()),
        key,
        trusted,
        at,
        content_type: http::text(headers, "content-type").unwrap_or_default().to_owned(),
        body,
        idempotency,
        // A server has no browser of its own; one that passes on its page's visitor names it.
        visitor: (!trusted).then(|| VisitorId::mint(at, cloud.entropy.bytes())),
        gpc: global_privacy_control(headers),
        user_agent,
        address,
        ip,
        sent_by: None,
        spilled: false,
        tried: false,
    })
}

/// Whether the browser asks not to be tracked, by the header of Global Privacy Control.
pub(crate) fn global_privacy_control(headers: &HeaderMap) -> bool {
    http::text(headers, "sec-gpc") == Some("1")
}

/// The prospects of an ADF document that has several, each an arrival of its own; `None` of anything else, which is
/// one arrival, whether it can be read or not.
fn prospects(cloud: &Cloud, arrival: &Arrival) -> Option<Vec<Arrival>> {
    if Format::of(&arrival.content_type) != Some(Format::Adf) {
        return None;
    }
    let read = Fields::from_adf(&arrival.content_type, &arrival.body).ok().filter(|read| read.len() > 1)?;
    let each = read.into_iter().enumerate().map(|(number, fields)| Arrival {
        id: EnquiryId::mint(arrival.at, cloud.entropy.bytes()),
        // Each is kept, and spilled, by itself.
        content_type: "application/json".to_owned(),
        body: json_of(&fields).into(),
        idempotency: arrival
            .idempotency
            .as_ref()
            .map(|(key, body)| (hash(format!("{key}/{number}").as_bytes()), body.clone())),
        ..arrival.clone()
    });
    Some(each.collect())
}

pub(crate) fn json_of(fields: &Fields) -> Vec<u8> {
    let members: serde_json::Map<String, serde_json::Value> =
        fields.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    serde_json::to_vec(&members).unwrap_or_default()
}

/// Takes in several that came in one body, and answers for all of them.
async fn take_each(cloud: &Cloud, each: &[Arrival]) -> Response<Body> {
    let mut all = Vec::with_capacity(each.len());
    for arrival in each {
        all.push((arrival, Box::pin(take(cloud, arrival)).await));
    }
    crate::answer::of_several(cloud, &all)
}

/// The page key of the path and, where the request brings one, the source's secret.
pub(crate) fn authenticate(
    cloud: &Cloud,
    key: &str,
    headers: &HeaderMap,
) -> Result<(PageKey, bool), Problem> {
    let unauthorized = |detail: &str| Problem::new(Code::Unauthorized, detail);
    let mut key: PageKey = cloud
        .master
        .verify(key)
        .ok_or_else(|| unauthorized("the page key in the path is unknown or damaged"))?;
    let trusted = match http::bearer(headers) {
        None => false,
        Some(token) => {
            let secret: SourceSecret = cloud
                .master
                .verify(token)
                .ok_or_else(|| unauthorized("the bearer token is not a source's secret"))?;
            let same = secret.company == key.company && secret.source == key.source;
            if !same {
                return Err(unauthorized("the secret belongs to another source than the page key"));
            }
            // A sender changes one before the other: the older of the two must still let in.
            key.generation = key.generation.min(secret.generation);
            true
        }
    };
    // Only a browser sends an origin, and only a browser is held to it.
    if let Some(origin) = http::text(headers, "origin")
        && !trusted
        && !key.origins.is_empty()
        && !key.origins.iter().any(|allowed| allowed == origin)
    {
        return Err(Problem::new(
            Code::OriginRefused,
            "this page's origin is not among the source's origins",
        ));
    }
    Ok((key, trusted))
}

/// Accepted quoted or not (RFC 8941 would have it quoted).
fn idempotency_key(sent: &str) -> Result<String, Problem> {
    let key = sent.trim().trim_matches('"');
    if key.is_empty() || key.len() > limits::IDEMPOTENCY_KEY_BYTES {
        return Err(Problem::new(
            Code::InvalidField,
            format!("Idempotency-Key is 1 to {} bytes", limits::IDEMPOTENCY_KEY_BYTES),
        ));
    }
    Ok(hash(key.as_bytes()))
}

fn hash(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}

/// Takes an arrival in: kept, or spilled, or refused with a reason and kept all the same.
pub(crate) async fn take(cloud: &Cloud, arrival: &Arrival) -> Answered {
    let answered = Box::pin(keep_or_spill(cloud, arrival)).await;
    answered.count(cloud);
    cloud.metrics.write(cloud.clock.now());
    answered
}

async fn keep_or_spill(cloud: &Cloud, arrival: &Arrival) -> Answered {
    match Box::pin(keep::keep(cloud, arrival)).await {
        Ok(answered) => answered,
        Err(StoreError::Contended | StoreError::Unavailable(_)) => spill(cloud, arrival).await,
        Err(error @ (StoreError::Damaged { .. } | StoreError::Malformed(_))) => {
            // Ours to mend; the enquiry is not to suffer from it.
            tracing::error!(error = &error as &dyn std::error::Error, "an enquiry could not be kept");
            spill(cloud, arrival).await
        }
    }
}

/// The table did not take it: the queue keeps it, and it comes in later, once.
async fn spill(cloud: &Cloud, arrival: &Arrival) -> Answered {
    let message = ToSpill {
        enquiry: arrival.id,
        company: arrival.key.company.clone(),
        source: arrival.key.source.clone(),
        received_at: arrival.at,
        content_type: arrival.content_type.clone(),
        body: STANDARD.encode(&arrival.body),
        trusted: arrival.trusted,
        generation: Some(arrival.key.generation),
        visitor: arrival.visitor,
        gpc: arrival.gpc,
        user_agent: arrival.user_agent.clone(),
        address: arrival.address,
        ip: arrival.ip,
        sent_by: arrival.sent_by,
        idempotency: arrival.idempotency.clone(),
        deadline: false,
    };
    match cloud.queues.to_spill(&message).await {
        Ok(()) => {
            tracing::warn!(enquiry.id = %arrival.id, "an enquiry was spilled");
            Answered::fresh(Answer::Spilled)
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "nothing could keep an enquiry");
            let problem =
                Problem::new(Code::Unavailable, "nothing could keep this enquiry; it was not received");
            Answered::fresh(Answer::Refused(problem.retry_after(5)))
        }
    }
}

/// What a body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Form,
    Multipart,
    Adf,
}

impl Format {
    /// Every format.
    pub(crate) const ALL: [Self; 4] = [Self::Json, Self::Form, Self::Multipart, Self::Adf];

    /// The content types that say so.
    pub(crate) const fn content_types(self) -> &'static [&'static str] {
        match self {
            // sendBeacon and some form plug-ins send JSON as plain text.
            Self::Json => &["application/json", "text/plain"],
            Self::Form => &["application/x-www-form-urlencoded"],
            Self::Multipart => &["multipart/form-data"],
            Self::Adf => &["application/x-adf+xml", "application/adf+xml", "application/xml", "text/xml"],
        }
    }

    /// By the content type.
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.content_types().contains(&kind.as_str()))
    }
}

/// Reads a body as its sender writes it.
pub(crate) fn fields(arrival: &Arrival, source: &Source) -> Result<Fields, Problem> {
    let (content_type, body) = (arrival.content_type.as_str(), arrival.body.as_ref());
    let read = match arrival.sent_by.map(|sent_by| sent_by.platform) {
        Some(Platform::Google) => GoogleLead::read(body).and_then(|lead| lead.fields(&source.map())),
        Some(Platform::Meta) => Fields::from_json(body),
        None => match Format::of(content_type) {
            Some(Format::Json) => Fields::from_json(body),
            Some(Format::Form) => Fields::from_form(body),
            Some(Format::Multipart) => Fields::from_multipart(content_type, body),
            Some(Format::Adf) => Fields::from_adf(content_type, body).and_then(the_only),
            None => {
                return Err(Problem::new(
                    Code::UnsupportedMediaType,
                    "send application/json, application/x-www-form-urlencoded, multipart/form-data or application/x-adf+xml",
                ));
            }
        },
    };
    read.map_err(|error: BodyError| Problem::new(error.code(), error.to_string()))
}

/// Several were parted before: see [`prospects`].
fn the_only(mut read: Vec<Fields>) -> Result<Fields, BodyError> {
    match (read.pop(), read.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(BodyError::TooManyProspects { limit: 1 }),
    }
}

/// `OPTIONS`: what a browser may send from another origin.
pub(crate) async fn preflight(
    State(cloud): State<Cloud>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    if let Err(problem) = authenticate(&cloud, &key, &headers) {
        return problem.into_response();
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    answer.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("content-type, idempotency-key"),
    );
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    allow_origin(answer, headers.get(header::ORIGIN).cloned());
    response
}

/// The origin was checked where it matters; a page that may post may read its answer.
pub(crate) fn allow_origin(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("idempotent-replay, retry-after"),
        );
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
}
