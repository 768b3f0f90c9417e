//! The synthetic lead: every five minutes one goes the whole way, from the public URL to a dealer's inbox, and whether it
//! arrived is said as a metric. So whoever is on call hears of a broken path at night as well, when nobody asks for
//! anything.
//!
//! Determinations. *It is of a company of our own*, with rules of its own that stand here: no desk is given it, no dealer
//! is billed for it, no report counts it. *It arrives when its dealer has it*; five minutes after it was sent the next is
//! sent, and one that has not arrived by then did not. *Each is somebody new*, or the second would be a repeat, which is
//! decided on no more. *One that arrived is over*: nobody answers it, and it would be held for
//! [`HELD_DAYS`](leadyard_domain::limits::HELD_DAYS) first, hundreds a day. It closes as time would close it, and goes by the
//! company's retention, of thirty days; one that did not arrive is kept for whoever looks why.

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::ids::{CompanyId, LeadId, SYNTHETIC_COMPANY, SourceId};
use leadyard_domain::lead::Stage;
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::metrics::Metric;
use leadyard_platform::outbound::Request;
use leadyard_platform::source_keys::SourceKeys;
use leadyard_platform::store::{StoreError, Synthetic};
use serde_json::{Value, json};

/// Its company's rules. Who changes them raises [`BY`].
const FILES: [(&str, &str); 7] = [
    (
        "company.toml",
        "id = \"leadyard-synthetic\"\nname = \"Synthetic\"\nzone = \"UTC\"\nwindow_days = 1\nretention_days = 30\n",
    ),
    ("offers.toml", "[[offer]]\nid = \"lead\"\ncategory = \"synthetic\"\nname = \"A synthetic lead\"\n"),
    ("sources.toml", "[[source]]\nid = \"schedule\"\nkind = \"form\"\noffer = \"lead\"\n"),
    (
        "scoring.toml",
        "half_life_days = 14\n[interactions]\nenquiry = { points = 10, daily_cap = 1 }\n[bands.fit]\nA = 2\nB = 1\n\
         [bands.engagement]\n1 = 2\n2 = 1\n",
    ),
    ("dealers.csv", "dealer,name,zip\ninbox,Inbox,20001\n"),
    ("areas.csv", "area,part\nanywhere,any\n"),
    ("contracts.csv", "contract,dealer,offers,sources,area,price\ninbox,inbox,*,*,anywhere,0.00\n"),
];
const SOURCE: &str = "schedule";
/// Who published them, and which of them.
const BY: &str = "leadyard/1";
/// How often one is sent: a sweep that comes a little early need not wait for the next.
const EVERY: SignedDuration = SignedDuration::from_secs(290);

/// Why none was sent.
#[derive(Debug, thiserror::Error)]
pub enum SyntheticError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Our own rules cannot be read: a fault of this program.
    #[error("the synthetic company's rules cannot be read")]
    Rules,
}

/// What is to be posted.
pub struct Asks {
    /// Where, behind the URL that leads are posted to.
    pub path: String,
    /// The source's secret, as bearer token.
    pub secret: String,
    /// The enquiry, as JSON.
    pub body: Vec<u8>,
    state: Synthetic,
}

/// Says of the last one whether it arrived, if the next is due, and what is to be posted then. Of two who ask at once one
/// is told.
pub async fn due(cloud: &Cloud) -> Result<Option<Asks>, SyntheticError> {
    let now = cloud.clock.now();
    let last = cloud.store.synthetic_get().await?;
    if last.as_ref().is_some_and(|last| now.duration_since(last.at) < EVERY) {
        return Ok(None);
    }
    let company = CompanyId::new(SYNTHETIC_COMPANY).map_err(|_| SyntheticError::Rules)?;
    publish(cloud, &company, now).await?;
    let state = Synthetic { at: now, lead: None };
    if !cloud.store.synthetic_put(&state, last.as_ref()).await? {
        return Ok(None);
    }
    if let Some(last) = last {
        say(cloud, &last).await?;
    }
    let core = cloud.rulebooks.current(&cloud.store, &company).await?.ok_or(SyntheticError::Rules)?;
    let source = SourceId::new(SOURCE).ok().and_then(|source| core.source(&source).cloned());
    let source = &source.ok_or(SyntheticError::Rules)?;
    let keys = SourceKeys::of(&cloud.master, &company, source);
    let email = format!("synthetic-{}@leadyard.example", now.as_millisecond());
    let body = json!({ "first_name": "Synthetic", "email": email, "zip": "20001" }).to_string();
    Ok(Some(Asks {
        path: format!("/v1/leads/{}", keys.key),
        secret: keys.secret,
        body: body.into_bytes(),
        state,
    }))
}

/// What came of it: the lead, by what intake answered.
pub async fn sent(cloud: &Cloud, asks: &Asks, answer: &str) -> Result<(), SyntheticError> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let lead: Option<LeadId> = answer["lead"].as_str().and_then(|lead| lead.parse().ok());
    if lead.is_none() {
        tracing::error!("the synthetic lead was not taken in");
    }
    cloud.store.synthetic_put(&Synthetic { lead, ..asks.state.clone() }, Some(&asks.state)).await?;
    Ok(())
}

/// The whole, by the URL that leads are posted to.
pub async fn run(cloud: &Cloud, url: &str) -> Result<(), SyntheticError> {
    let Some(asks) = due(cloud).await? else { return Ok(()) };
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    let secret = http::HeaderValue::try_from(format!("Bearer {}", asks.secret));
    headers.insert(http::header::AUTHORIZATION, secret.map_err(|_| SyntheticError::Rules)?);
    let request = Request {
        method: http::Method::POST,
        url: format!("{}{}", url.trim_end_matches('/'), asks.path),
        headers,
        body: asks.body.clone().into(),
        at: asks.state.at,
    };
    let attempt = cloud.outbound.post(request).await;
    sent(cloud, &asks, &attempt.answer).await?;
    cloud.metrics.write(cloud.clock.now());
    Ok(())
}

async fn publish(cloud: &Cloud, company: &CompanyId, now: Timestamp) -> Result<(), SyntheticError> {
    let pointer = cloud.store.rulebook_pointer(company).await?;
    if pointer.as_ref().is_some_and(|pointer| pointer.by == BY) {
        return Ok(());
    }
    let files = FILES.map(|(name, text)| (name, text.as_bytes().to_vec()));
    let files = RulebookFiles::new(files).map_err(|_| SyntheticError::Rules)?;
    let book = Rulebook::parse(&files).map_err(|_| SyntheticError::Rules)?;
    let compiled = book.compile(0).map_err(|_| SyntheticError::Rules)?;
    let base = pointer.map_or(0, |pointer| pointer.version);
    // Whoever published them meanwhile published the same.
    let mailboxes = cloud.master.mailboxes();
    cloud.store.rulebook_publish(&compiled, &files, base, (BY, "whole"), &mailboxes, now).await?;
    Ok(())
}

/// Says of one whether it arrived.
async fn say(cloud: &Cloud, last: &Synthetic) -> Result<(), SyntheticError> {
    let arrived = match last.lead {
        None => false,
        Some(lead) => has_dealer(cloud, lead).await?,
    };
    if let Some(lead) = last.lead.filter(|_| arrived) {
        // Should it not close now, time closes it.
        if let Err(error) = close(cloud, lead).await {
            tracing::warn!(error = &error as &dyn std::error::Error, lead.id = %lead, "a synthetic lead stays open");
        }
    } else {
        tracing::error!(lead.id = ?last.lead.map(|lead| lead.to_string()), "the synthetic lead did not arrive");
    }
    cloud.metrics.at_least(Metric::SyntheticArrived, u64::from(arrived));
    Ok(())
}

async fn close(cloud: &Cloud, lead: LeadId) -> Result<(), StoreError> {
    let Some(mut lead) = cloud.store.lead_get(lead).await?.filter(|lead| !lead.stage.closed()) else {
        return Ok(());
    };
    lead.close(Stage::Expired, cloud.clock.now());
    cloud.store.lead_save(&lead).await.map(drop)
}

async fn has_dealer(cloud: &Cloud, lead: LeadId) -> Result<bool, StoreError> {
    let Some(lead) = cloud.store.lead_get(lead).await? else { return Ok(false) };
    let Some(holder) = lead.holders.first() else { return Ok(false) };
    let seat = cloud.store.assignment_get(lead.id, lead.cycle, holder.assignment).await?;
    Ok(seat.is_some_and(|seat| seat.delivery == DeliveryState::Received))
}
