//! A webhook is received: it is verified, noted and answered.

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use standardwebhooks::Webhook;
use subtle::ConstantTimeEq as _;

use super::behave::answer_of;
use super::{Behave, DEALER_BYTES, DemoDealers, HANG, Received, SHOWN_CHARS, TOLERANCE_S};

#[derive(Deserialize)]
pub(super) struct ReceiveQuery {
    behave: Option<String>,
}

/// Takes one webhook, as a careful dealer would: verify, note, answer.
pub(super) async fn receive(
    State(dealers): State<DemoDealers>,
    Path(dealer): Path<String>,
    query: Result<Query<ReceiveQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let secrets = if dealer.len() <= DEALER_BYTES { (dealers.secrets)(&dealer) } else { Vec::new() };
    if secrets.is_empty() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let of_address = query.ok().and_then(|Query(query)| query.behave).as_deref().and_then(Behave::parse);
    let behave =
        of_address.unwrap_or_else(|| dealers.book().behaves.get(&dealer).copied().unwrap_or_default());
    let now = (dealers.clock)();
    let verified = behave != Behave::Refuse && verify(&secrets, &headers, &body, now);
    let answer = if verified { answer_of(behave) } else { StatusCode::UNAUTHORIZED };
    let hangs = verified && behave == Behave::Hang;
    let message = read(&dealer, &headers, &body, verified, now);
    let number = dealers.book().note(message, if hangs { 0 } else { answer.as_u16() });
    if hangs {
        // The sender has long given up: to it, the end of this attempt is unknown.
        tokio::time::sleep(HANG).await;
        dealers.book().answered(number, answer.as_u16());
    }
    if answer == StatusCode::TOO_MANY_REQUESTS {
        return (answer, [(header::RETRY_AFTER, "10")]).into_response();
    }
    answer.into_response()
}

/// Whether one of the signatures is by one of the secrets, and of now. The library's own `verify` reads
/// the machine's clock; here time is an argument, so what should stand there is signed and compared.
fn verify(secrets: &[String], headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
    let (id, signatures) = (text_of(headers, "webhook-id"), text_of(headers, "webhook-signature"));
    let Ok(timestamp_s) = text_of(headers, "webhook-timestamp").parse::<i64>() else { return false };
    if id.is_empty() || now.as_second().abs_diff(timestamp_s) > TOLERANCE_S.unsigned_abs() {
        return false;
    }
    secrets.iter().any(|secret| {
        let expected = Webhook::new(secret).and_then(|webhook| webhook.sign(id, timestamp_s, body));
        expected.is_ok_and(|expected| {
            signatures.split(' ').any(|given| given.as_bytes().ct_eq(expected.as_bytes()).into())
        })
    })
}

fn text_of<'a>(headers: &'a HeaderMap, name: &'static str) -> &'a str {
    headers.get(HeaderName::from_static(name)).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// What of a message is shown. A body that cannot be read is shown as one without content.
fn read(dealer: &str, headers: &HeaderMap, body: &[u8], verified: bool, at: Timestamp) -> Received {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |pointer: &str| shorten(json.pointer(pointer).and_then(|value| value.as_str()).unwrap_or(""));
    let name = format!("{} {}", text("/data/person/first_name"), text("/data/person/last_name"));
    Received {
        number: 0,
        change: 0,
        at,
        dealer: dealer.to_owned(),
        webhook_id: shorten(text_of(headers, "webhook-id")),
        event: text("/type"),
        assignment_id: text("/data/assignment_id"),
        lead_id: text("/data/lead_id"),
        offer: text("/data/offer"),
        contract: text("/data/contract"),
        price: text("/data/price"),
        name: name.trim().to_owned(),
        zip: text("/data/address/zip"),
        verified,
        duplicates: 0,
        answered: 0,
        withdrawn: false,
        erased: false,
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}
