//! What screening sees of an arrival: what it says, what sent it, and how many come from there.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use axum::response::IntoResponse as _;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::enquiry::Standard;
use leadyard_domain::identity::IdentityHash;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::screening::{
    self, AddressHash, FormSeen, FormToken, PageSeen, Reason, Seen, Tally, Window, velocity,
};
use leadyard_platform::arriving::Arrived;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Path};
use leadyard_platform::store::{Passing, StoreError};
use serde_json::json;

use crate::arrive;

/// How long counting may take: nobody waits for it.
const COUNTS_WITHIN: Duration = Duration::from_millis(500);

/// `GET /v1/leads/{key}/form_token`: what a page's script fetches when the form is opened. Never cached: the
/// page may be.
pub(crate) async fn form_token(
    State(cloud): State<Cloud>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let origin = headers.get(header::ORIGIN).cloned();
    let mut response = match arrive::authenticate(&cloud, &key, &headers) {
        Err(problem) => problem.into_response(),
        Ok((key, _)) => {
            let token = FormToken {
                address: address(&cloud, &key.company, ip(&headers)),
                company: key.company,
                source: key.source,
                opened_ms: cloud.clock.now().as_millisecond(),
                nonce: cloud.entropy.bytes(),
            };
            axum::Json(json!({ "form_token": cloud.master.mint(&token) })).into_response()
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    arrive::allow_origin(response.headers_mut(), origin);
    response
}

/// Where a request came from: the last address of `X-Forwarded-For`, which the function URL (on one machine
/// the gateway) puts there; those before it are whatever the sender says.
pub(crate) fn ip(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

/// The same as it is counted by.
pub(crate) fn address(cloud: &Cloud, company: &CompanyId, ip: Option<IpAddr>) -> Option<AddressHash> {
    AddressHash::of(&cloud.master.derive("leadyard/address/v1"), company, ip?)
}

/// The signs of an arrival, how many came from there included where `counts` says so.
pub(crate) async fn signs(cloud: &Cloud, arrived: &Arrived<'_>, counts: bool) -> Vec<Reason> {
    let token = token(cloud, arrived);
    let page = if arrived.arrival.trusted {
        None
    } else {
        Some(PageSeen {
            user_agent: arrived.arrival.user_agent.as_deref(),
            form: form(arrived, token.as_ref()),
            tally: if counts { count(cloud, arrived, token.as_ref()).await } else { None },
        })
    };
    let seen = Seen { fields: &arrived.fields, understood: &arrived.understood, page };
    screening::signs(&arrived.core.screening, &seen)
}

fn token(cloud: &Cloud, arrived: &Arrived<'_>) -> Option<FormToken> {
    cloud.master.verify(arrived.understood.form_token.as_deref()?)
}

fn form(arrived: &Arrived<'_>, token: Option<&FormToken>) -> FormSeen {
    let arrival = arrived.arrival;
    let sent = arrived.understood.form_token.is_some()
        || arrived.understood.misread.iter().any(|(field, _)| *field == Standard::FormToken);
    match token {
        Some(token) => {
            FormSeen::of(token, &arrival.key.company, &arrived.source.id, arrival.at, arrival.address)
        }
        None if sent => FormSeen::Invalid,
        None if arrived.source.form_token => FormSeen::Missing,
        None => FormSeen::Unasked,
    }
}

/// Counts it. A table that does not answer at once says nothing, and keeps nobody out.
async fn count(cloud: &Cloud, arrived: &Arrived<'_>, token: Option<&FormToken>) -> Option<Tally> {
    let arrival = arrived.arrival;
    let company = &arrival.key.company;
    let who = &arrived.understood;
    let key = cloud.identity_key();
    let email = who.email.as_ref().map(|email| IdentityHash::of_email(&key, company, email));
    let phone = || who.phone.as_ref().map(|phone| IdentityHash::of_phone(&key, company, phone));
    let message = who.message.as_deref().unwrap_or_default();
    let passing = Passing {
        person: email.or_else(phone)?.short(),
        address: arrival.address,
        token: token.map(|token| token.nonce),
        said: velocity::said(&cloud.master.derive("leadyard/said/v1"), company, message),
    };
    let source = &arrived.source.id;
    let window = Window::of(&arrived.core.screening.velocity, arrival.at, arrival.address);
    let good_for = SignedDuration::from_hours(i64::from(arrived.core.screening.form.old_hours));
    let until = arrival.at.checked_add(good_for).unwrap_or(arrival.at);
    let counted = in_time(cloud.store.window_count(company, source, window, &passing, until));
    let opened = async {
        let (opened, nonce, until) = opened_before(arrived, token?, window, good_for)?;
        let of = (nonce, passing.person);
        in_time(cloud.store.window_token(company, source, opened, of, until)).await
    };
    // What cannot be said of the token costs nothing of the rest.
    let (people_of_token, tally) = futures::join!(opened, counted);
    let tally = tally?;
    let people_of_token = tally.people_of_token.max(people_of_token.unwrap_or(0));
    // All whose address is not known are counted in one shard: it says nothing of the others.
    let shards = if arrival.address.is_none() { 1 } else { tally.shards };
    Some(Tally { people_of_token, shards, ..tally })
}

/// What is counted, if the table says so in time.
async fn in_time<T>(counted: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    match tokio::time::timeout(COUNTS_WITHIN, Box::pin(counted)).await {
        Ok(Ok(counted)) => Some(counted),
        Ok(Err(error)) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "an enquiry was not counted");
            None
        }
        Err(_) => None,
    }
}

/// Of a token that was opened in an earlier window than it is sent in: that window, where whoever used it first stands,
/// the token, and until when it is good. So one that is used twice shows, however much later.
fn opened_before(
    arrived: &Arrived<'_>,
    token: &FormToken,
    now: Window,
    good_for: SignedDuration,
) -> Option<(Window, [u8; 8], Timestamp)> {
    let opened_at = Timestamp::from_millisecond(token.opened_ms).ok()?;
    let address = token.address.or(arrived.arrival.address);
    let opened = Window::of(&arrived.core.screening.velocity, opened_at, address);
    let until = opened_at.checked_add(good_for).ok()?;
    // One that is too old is doubted for that.
    (opened.number < now.number && arrived.arrival.at <= until).then_some((opened, token.nonce, until))
}

/// The browser, as it names itself.
pub(crate) fn user_agent(headers: &HeaderMap) -> Option<String> {
    http::text(headers, "user-agent").map(|agent| agent.chars().take(200).collect())
}
