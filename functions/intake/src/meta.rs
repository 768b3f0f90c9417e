//! Meta's lead ads: a notice that names leads, then each lead, fetched from the Graph API.
//!
//! Determinations:
//!
//! - *A notice is kept before it is answered*: for each lead an enquiry that is still to be fetched, with a due time
//!   in the due index. Whatever happens after, the sweep comes back to it. While the table is away Meta is told
//!   503, and sends the notice again.
//! - *The same lead* is the same enquiry, at any time: its id is derived from Meta's.
//! - *Fetching* is tried at once, and by the sweep after 30 seconds, 2, 10 and 30 minutes, then every hour for
//!   [`META_FETCH_DAYS`](limits::META_FETCH_DAYS) days. Meta keeps leads for ninety, and a token that has expired is
//!   replaced by a person: so what Meta refuses is asked for again as well, and the desk is told in the company's
//!   changes, once an hour at most for each source.
//! - *A source whose leads come by an app of its own* gives that app's secret, and then nobody else's signature is good
//!   for it: not the installation's, nor another source's. What its own app tells of is its own, whatever page it is of:
//!   an agency that signs as it likes must not speak for another company. Without one the installation's app signs.
//! - *What cannot be fetched by then* is quarantined as `meta_unfetched`: the desk sees it, and nothing is dropped.
//! - *A lead that was fetched* goes the usual way, with the notice's time. It was acknowledged: neither a full cap nor
//!   the end of its source refuses it.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::access::{Platform, PlatformKey};
use leadyard_domain::delivery::{Giver, Owner, SourceGives};
use leadyard_domain::enquiry::{MetaLead, MetaNotice};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, CompanyId, SourceId};
use leadyard_domain::limits;
use leadyard_platform::arriving::Arrival;
use leadyard_platform::arriving::answer::{Answer, What};
use leadyard_platform::arriving::join;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Path, Problem, Query};
use leadyard_platform::meta::{MetaAccess, Unfetched, is_signed};
use leadyard_platform::queues::{SentBy, ToSpill};
use leadyard_platform::store::{Act, Fetch, StoreError, StoredEnquiry, UNFETCHED};
use serde::Deserialize;
use serde_json::json;

use crate::arrive;
use crate::{google, keep};

/// What Meta is told once all that it told of is kept: the status alone, since it reads nothing else.
pub(crate) const KEPT: StatusCode = StatusCode::OK;

/// By when the sweep looks whether a message was lost.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(60);

#[derive(Deserialize)]
pub(crate) struct Subscription {
    #[serde(default, rename = "hub.mode")]
    mode: String,
    #[serde(default, rename = "hub.verify_token")]
    verify_token: String,
    #[serde(default, rename = "hub.challenge")]
    challenge: String,
}

/// `GET /v1/leads/{key}/meta`: Meta asks whether we are who the operator says.
pub(crate) async fn subscribe(
    State(cloud): State<Cloud>,
    Path(key): Path<String>,
    Query(asked): Query<Subscription>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let (key, _) = arrive::authenticate(&cloud, &key, &headers)?;
    let token = PlatformKey::of(&cloud.master, Platform::Meta, &google::secret_of(&key));
    let plain =
        asked.challenge.len() <= 128 && asked.challenge.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if asked.mode != "subscribe" || !token.is(&asked.verify_token) || !plain {
        let detail =
            "hub.mode is subscribe, hub.verify_token this source's, hub.challenge letters and digits";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let mut response = asked.challenge.into_response();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// `POST /v1/leads/{key}/meta`.
pub(crate) async fn post_meta(
    State(cloud): State<Cloud>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let (key, _) = arrive::authenticate(&cloud, &key, &headers)?;
    let body = http::body(body, limits::NOTICES_BYTES).await?;
    let unset = |detail: &str| Problem::new(Code::Unavailable, detail).retry_after(600);
    let access = cloud.meta.as_deref();
    let access =
        access.ok_or_else(|| unset("this installation has no access to Meta yet: set LEADYARD_META"))?;
    let own = app_secret(&cloud, &key.company, &key.source).await?;
    let Some(secret) = own.as_deref().or(access.app_secret()) else {
        return Err(unset("neither this source nor LEADYARD_META has the secret of an app"));
    };
    if !is_signed(secret, http::text(&headers, "x-hub-signature-256").unwrap_or_default(), &body) {
        let detail = "X-Hub-Signature-256 is not that of this body by the app's secret";
        return Err(Problem::new(Code::Unauthorized, detail));
    }
    let notices = MetaNotice::read(&body).map_err(|error| Problem::new(error.code(), error.to_string()))?;
    let now = cloud.clock.now();
    for notice in &notices {
        // All pages of the installation's app are told of at one URL.
        let (company, source) = match access.page(&notice.page_id).filter(|_| own.is_none()) {
            Some(of) => (&of.company, &of.source),
            None => (&key.company, &key.source),
        };
        let elsewhere = (company, source) != (&key.company, &key.source);
        if elsewhere && app_secret(&cloud, company, source).await?.is_some() {
            // Its own app tells of it, and no other speaks for it.
            tracing::warn!(company.id = %company, source.id = %source, "a notice of a page whose source has its own app at Meta");
            continue;
        }
        let enquiry = StoredEnquiry {
            id: cloud.master.platform_enquiry(Platform::Meta, company, source, &notice.leadgen_id),
            company: company.clone(),
            source: source.clone(),
            received_at: now,
            fields: notice.fields(),
            consent: None,
            asked: None,
            raw: None,
            raw_base64: None,
            lead: None,
            status: UNFETCHED.to_owned(),
            reasons: Vec::new(),
            user_agent: None,
            spilled: false,
            gpc: false,
            visitor: None,
            quarantine: None,
            fetch: Some(Fetch { tries: 0, next: after(now, FIRST_LOOK), began: now }),
            replay_of: None,
        };
        if cloud.store.enquiry_note(&enquiry).await? {
            hand_on(&cloud, &enquiry).await;
        }
    }
    Ok(KEPT)
}

/// The secret of the source's own app, where it gave one.
async fn app_secret(
    cloud: &Cloud,
    company: &CompanyId,
    source: &SourceId,
) -> Result<Option<String>, Problem> {
    let giver = Giver::Source(source);
    let name = SourceGives::MetaAppSecret.as_str();
    let given = cloud.store.given_secrets(company, giver).await?;
    let Some(given) = given.secrets.get(name) else { return Ok(None) };
    let opened = given.sealed.open(cloud.master.bytes(), Owner { company, giver, name });
    // Another app's signature is none of this source's: nothing is let in by it meanwhile.
    opened.map(Some).map_err(|rule| {
        tracing::error!(company.id = %company, source.id = %source, secret.name = name, "a secret that is kept cannot be opened");
        Problem::new(Code::Internal, rule.to_string())
    })
}

/// Best effort: the due index is the truth.
async fn hand_on(cloud: &Cloud, enquiry: &StoredEnquiry) {
    let message = ToSpill::looks_at(enquiry);
    if let Err(error) = cloud.queues.to_spill(&message).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a lead of Meta's waits for the sweep");
    }
}

fn after(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.checked_add(wait).unwrap_or(at)
}

/// Fetches a lead that a notice told of, and takes it in.
///
/// # Errors
/// When the store could not be asked: the message comes again.
pub(crate) async fn fetch(cloud: &Cloud, enquiry: StoredEnquiry) -> Result<(), StoreError> {
    let Some(fetch) = enquiry.fetch.clone() else { return Ok(()) };
    let now = cloud.clock.now();
    if fetch.tries > 0 && now < fetch.next {
        return Ok(()); // a message that came twice
    }
    match ask(cloud, &enquiry).await {
        Ok(lead) => {
            let arrival = arrival_of(&enquiry, &lead);
            // Quarantined or taken, it is kept; refused alone is who asked to be forgotten meanwhile.
            let answered = Box::pin(keep::keep(cloud, &arrival)).await?;
            answered.count(cloud);
            if let What::Fresh(Answer::Refused(problem)) = &answered.what
                && problem.code() == Code::StateConflict
            {
                cloud.store.enquiry_delete(enquiry.id).await?;
            }
            Ok(())
        }
        Err(why) => wait_or_give_up(cloud, enquiry, fetch, why).await,
    }
}

async fn ask(cloud: &Cloud, enquiry: &StoredEnquiry) -> Result<MetaLead, Unfetched> {
    let access: &MetaAccess = cloud.meta.as_deref().ok_or(Unfetched::NoToken)?;
    let id = enquiry.fields.get("meta_lead_id").unwrap_or_default();
    let page = enquiry.fields.get("page_id").unwrap_or_default();
    let body = access.lead(&cloud.outbound, &enquiry.company, (page, id), cloud.clock.now()).await?;
    MetaLead::read(&body, &enquiry.fields).map_err(|_| Unfetched::Unreadable)
}

fn arrival_of(enquiry: &StoredEnquiry, lead: &MetaLead) -> Arrival {
    Arrival {
        id: enquiry.id,
        key: join::key_of(enquiry),
        trusted: true,
        at: enquiry.received_at,
        content_type: "application/json".to_owned(),
        body: arrive::json_of(&lead.fields).into(),
        idempotency: None,
        visitor: None,
        gpc: false,
        user_agent: None,
        address: None,
        ip: None,
        sent_by: Some(SentBy { platform: Platform::Meta, test: lead.is_test }),
        spilled: true,
        tried: false,
    }
}

/// How long after so many tries the next is made.
const fn wait_s(tries: u32) -> i64 {
    match tries {
        0 | 1 => 30,
        2 => 120,
        3 => 600,
        4 => 1_800,
        _ => 3_600,
    }
}

async fn wait_or_give_up(
    cloud: &Cloud,
    mut enquiry: StoredEnquiry,
    fetch: Fetch,
    why: Unfetched,
) -> Result<(), StoreError> {
    let now = cloud.clock.now();
    tracing::warn!(
        enquiry.id = %enquiry.id, company.id = %enquiry.company, source.id = %enquiry.source,
        fetch.tries = fetch.tries + 1, error = &why as &dyn std::error::Error, "a lead of Meta's was not fetched"
    );
    if why.needs_a_person() {
        tell_desk(cloud, &enquiry, why, now).await?;
    }
    if now >= after(fetch.began, SignedDuration::from_hours(24 * limits::META_FETCH_DAYS)) {
        let arrival = Arrival { body: Bytes::new(), ..arrival_of(&enquiry, &MetaLead::default()) };
        return keep::unfetched(cloud, &arrival, &enquiry).await;
    }
    let tries = fetch.tries + 1;
    // Jittered, so that what failed together is not tried together.
    let wait = SignedDuration::from_secs(wait_s(tries))
        + SignedDuration::try_from(cloud.entropy.between_ms(0, 10_000)).unwrap_or_default();
    enquiry.fetch = Some(Fetch { tries, next: after(now, wait), ..fetch });
    // Another worker that was as far wrote the same.
    cloud.store.quarantine_judge(&enquiry, UNFETCHED, None).await.map(drop)
}

/// The desk sees it among the company's changes, once an hour for each source.
async fn tell_desk(
    cloud: &Cloud,
    enquiry: &StoredEnquiry,
    why: Unfetched,
    now: Timestamp,
) -> Result<(), StoreError> {
    let hour = Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(3_600)).unwrap_or(now);
    let of_hour = format!("unfetched {} {hour}", enquiry.source);
    let id = cloud.master.platform_enquiry(Platform::Meta, &enquiry.company, &enquiry.source, &of_hour);
    let act = Act {
        id: ActId::from_bytes(*id.bytes()),
        at: hour,
        by: "leadyard".to_owned(),
        act: "meta_unfetched".to_owned(),
        reason: Some(why.to_string()),
        before: "null".to_owned(),
        after: json!({ "source": enquiry.source, "enquiry": enquiry.id }).to_string(),
    };
    cloud.store.change_keep(&enquiry.company, &act).await
}
