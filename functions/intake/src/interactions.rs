//! `POST /v1/interactions/{key}`: what leads do, on its way to scoring. Who did it leaves here as a
//! visitor's id, a lead's id or a keyed hash: nothing personal is queued.
//!
//! A page that has no visitor yet asks for one, `GET /v1/interactions/{key}/visitor`: an id nobody had, signed with
//! the company. Minting writes nothing and tells nothing of anyone; whoever mints a thousand has a thousand strangers.
//! Whoever sends `Sec-GPC: 1` (Global Privacy Control) gets none, and nothing that he did is kept.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::access::{PageKey, VisitorToken};
use leadyard_domain::error::{Code, FieldError};
use leadyard_domain::identity::IdentityHash;
use leadyard_domain::ids::{OfferId, VisitorId};
use leadyard_domain::limits;
use leadyard_domain::person::{Email, Phone};
use leadyard_domain::scoring::{
    InteractionId, InteractionKind, MessageHash, SentError, SentInteraction, link_hash,
};
use leadyard_domain::screening::names_a_machine;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Path, Problem};
use leadyard_platform::queues::{ByKey, InteractionOf, QueuedInteraction, QueuedMessage, ToScoring};
use serde_json::{Value, json};

use crate::arrive;

pub(crate) async fn post_interactions(
    State(cloud): State<Cloud>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let origin = headers.get(header::ORIGIN).cloned();
    let mut response = match take(&cloud, &key, &headers, body).await {
        Ok(Taken::Received) => told(json!({ "status": "received" })),
        Ok(Taken::Untracked) => told(json!({ "status": "not_kept", "reason": "gpc" })),
        Err(problem) => problem.into_response(),
    };
    arrive::allow_origin(response.headers_mut(), origin);
    response
}

fn told(body: Value) -> Response<Body> {
    (StatusCode::ACCEPTED, axum::Json(body)).into_response()
}

/// `GET /v1/interactions/{key}/visitor`: whom a page's interactions are to name.
pub(crate) async fn visitor(
    State(cloud): State<Cloud>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let origin = headers.get(header::ORIGIN).cloned();
    let mut response = match arrive::authenticate(&cloud, &key, &headers) {
        Err(problem) => problem.into_response(),
        Ok(_) if arrive::global_privacy_control(&headers) => StatusCode::NO_CONTENT.into_response(),
        Ok((key, _)) => {
            let visitor = VisitorId::mint(cloud.clock.now(), cloud.entropy.bytes());
            let token = cloud.master.mint(&VisitorToken { company: key.company, visitor });
            axum::Json(json!({ "visitor": token })).into_response()
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    arrive::allow_origin(response.headers_mut(), origin);
    response
}

/// What became of a post of interactions.
enum Taken {
    Received,
    /// Its browser asks not to be tracked: nothing of it is kept.
    Untracked,
}

async fn take(cloud: &Cloud, key: &str, headers: &HeaderMap, body: Body) -> Result<Taken, Problem> {
    let (key, trusted) = arrive::authenticate(cloud, key, headers)?;
    if arrive::global_privacy_control(headers) {
        return Ok(Taken::Untracked);
    }
    let body = http::body(body, limits::BODY_BYTES).await?;
    let sent = SentInteraction::read(&body).map_err(refused)?;
    let now = cloud.clock.now();
    // A server is a program, and may be; who did it, it says with each.
    let agent = if trusted { None } else { http::text(headers, "user-agent") };
    let mut wrong = Vec::new();
    let mut interactions = Vec::with_capacity(sent.len());
    for (at, one) in sent.into_iter().enumerate() {
        match read(cloud, &key, trusted, &one, now).and_then(|queued| seen(queued, &one, agent)) {
            // What is typed to get past a form says of nobody what they did, or want.
            Ok(_) if names_nobody(&one) => {}
            Ok(interaction) => interactions.push(interaction),
            Err((field, detail)) => {
                wrong.push(FieldError { pointer: format!("/{at}/{field}"), detail: detail.to_owned() });
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Problem::new(Code::InvalidField, "nothing of this post was taken").fields(wrong));
    }
    if interactions.is_empty() {
        return Ok(Taken::Received);
    }
    let by_key = Some(ByKey { source: key.source, generation: key.generation });
    let message = ToScoring { company: key.company, by_key, interactions };
    cloud.queues.to_scoring(&message).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "interactions could not be queued");
        Problem::new(Code::Unavailable, "nothing could keep these interactions").retry_after(5)
    })?;
    Ok(Taken::Received)
}

fn refused(error: SentError) -> Problem {
    let code = match error {
        SentError::NotUtf8 | SentError::Malformed => Code::MalformedBody,
        SentError::TooMany { .. } => Code::InvalidField,
    };
    Problem::new(code, error.to_string())
}

fn read(
    cloud: &Cloud,
    key: &PageKey,
    trusted: bool,
    sent: &SentInteraction,
    now: Timestamp,
) -> Result<QueuedInteraction, (&'static str, &'static str)> {
    if sent.id.is_empty() || sent.id.len() > limits::INTERACTION_ID_BYTES {
        return Err(("id", "an interaction's id is 1 to 128 bytes, the same on a retry"));
    }
    let kind = InteractionKind::new(&sent.kind)
        .map_err(|_| ("kind", "a kind is 1 to 32 lower-case letters, digits, '-', '_' and '.'"))?;
    let oldest = now.checked_sub(SignedDuration::from_hours(24 * limits::INTERACTION_PAST_DAYS));
    let newest = now.checked_add(SignedDuration::from_hours(limits::CLOCK_AHEAD_HOURS));
    if oldest.is_ok_and(|oldest| sent.at < oldest) || newest.is_ok_and(|newest| sent.at > newest) {
        return Err(("at", "at lies at most 400 days back and 24 hours ahead"));
    }
    let offer = match sent.offer.as_deref() {
        None => None,
        Some(offer) => Some(OfferId::new(offer).map_err(|_| ("offer", "offer is an id of the rulebook"))?),
    };
    let of = match (&sent.visitor, &sent.lead, &sent.email, &sent.phone) {
        (Some(token), None, None, None) => named(cloud, key, token)?,
        (None, Some(_), None, None) | (None, None, Some(_), None) | (None, None, None, Some(_))
            if !trusted =>
        {
            return Err(("visitor", "a page names only its visitor; lead, email and phone need the secret"));
        }
        (None, Some(lead), None, None) => {
            InteractionOf::Lead(lead.parse().map_err(|_| ("lead", "lead is a UUID"))?)
        }
        (None, None, Some(email), None) => {
            let email =
                Email::parse(email).map_err(|_| ("email", "the e-mail address could not be understood"))?;
            InteractionOf::Identity(IdentityHash::of_email(&cloud.identity_key(), &key.company, &email))
        }
        (None, None, None, Some(phone)) => {
            let phone =
                Phone::parse(phone).map_err(|_| ("phone", "the phone number could not be understood"))?;
            InteractionOf::Identity(IdentityHash::of_phone(&cloud.identity_key(), &key.company, &phone))
        }
        (_, _, _, _) => return Err(("visitor", "name exactly one of visitor, lead, email and phone")),
    };
    Ok(QueuedInteraction {
        id: InteractionId::hash8(&sent.id).bytes(),
        kind: kind.to_string(),
        at: sent.at,
        offer,
        of,
        by_phone: sent.phone.is_some(),
        by_scanner: false,
        message: None,
    })
}

/// Whether it names its person by what is typed to get past a form.
fn names_nobody(sent: &SentInteraction) -> bool {
    let email = sent.email.as_deref().and_then(|email| Email::parse(email).ok());
    let phone = sent.phone.as_deref().and_then(|phone| Phone::parse(phone).ok());
    email.is_some_and(|email| email.is_dummy()) || phone.is_some_and(|phone| phone.is_dummy())
}

/// The same with what speaks for a machine.
fn seen(
    queued: QueuedInteraction,
    sent: &SentInteraction,
    agent: Option<&str>,
) -> Result<QueuedInteraction, (&'static str, &'static str)> {
    let within = |text: &Option<String>, most: usize| {
        text.as_ref().is_none_or(|text| !text.is_empty() && text.len() <= most)
    };
    if !within(&sent.message, limits::MESSAGE_ID_BYTES) {
        return Err(("message", "a message's id is 1 to 256 bytes"));
    }
    if !within(&sent.link, limits::LINK_BYTES) {
        return Err(("link", "a link is 1 to 2,048 bytes"));
    }
    let links =
        sent.links.map(|links| u8::try_from(links).ok().filter(|links| (1..=limits::LINKS).contains(links)));
    if links == Some(None) {
        return Err(("links", "a message has 1 to 100 links"));
    }
    let agent = agent.or(sent.user_agent.as_deref());
    let after_s = sent.sent_at.map(|sent_at| queued.at.duration_since(sent_at).as_secs());
    let after_s = after_s.map(|after_s| u32::try_from(after_s.max(0)).unwrap_or(u32::MAX));
    let named = sent.message.is_some() || after_s.is_some();
    let message = named.then(|| QueuedMessage {
        id: sent.message.as_deref().map_or(MessageHash::UNNAMED, MessageHash::of),
        after_s,
        link: sent.link.as_deref().map(link_hash),
        links: links.flatten(),
    });
    Ok(QueuedInteraction { by_scanner: agent.is_some_and(names_a_machine), message, ..queued })
}

fn named(cloud: &Cloud, key: &PageKey, token: &str) -> Result<InteractionOf, (&'static str, &'static str)> {
    let token: VisitorToken =
        cloud.master.verify(token).ok_or(("visitor", "the visitor token is unknown or damaged"))?;
    if token.company != key.company {
        return Err(("visitor", "the visitor token is unknown or damaged"));
    }
    Ok(InteractionOf::Visitor(token.visitor))
}
