//! The OpenID provider by which people sign in: who it is, and what it publishes of itself.
//!
//! What it publishes is fetched the way dealers are dialled: over the one TLS stack, to vetted addresses, within the time
//! of an attempt. It is kept for ten minutes; a provider that does not answer then is gone by as it was, for a day.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::outbound::{Outbound, Request};

/// How long what it publishes is taken for what stands.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
/// How long it is gone by where it does not answer.
const USABLE: SignedDuration = SignedDuration::from_hours(24);
/// How soon keys are asked for again because one is not among them: whoever signs with a made-up key costs the
/// provider no more than this.
const ASKED_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// A provider, and what we are to it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcAccess {
    /// Who it is: what its tokens and its metadata must say, to the letter.
    pub issuer: String,
    /// Where its metadata stand; below the issuer, if nothing is said.
    #[serde(default)]
    pub metadata_url: Option<String>,
    /// Who we are to it.
    pub client_id: String,
    /// What we prove it with; some know their clients without.
    #[serde(default)]
    pub client_secret: Option<String>,
}

impl std::fmt::Debug for OidcAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcAccess").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl OidcAccess {
    /// Reads `{"issuer": "https://…", "client_id": "…", "client_secret": "…"}`, perhaps with `metadata_url`.
    pub fn read(json: &str) -> Option<Self> {
        let access: Self = serde_json::from_str(json).ok()?;
        (!access.issuer.is_empty() && !access.client_id.is_empty()).then_some(access)
    }

    fn metadata_at(&self) -> String {
        let below = || format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        self.metadata_url.clone().unwrap_or_else(below)
    }
}

/// Why a provider cannot be gone by. Nothing of what it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It did not answer, or not in time.
    #[error("the OpenID provider did not answer")]
    Unanswered,
    /// What it publishes is not what OpenID Connect says.
    #[error("what the OpenID provider publishes could not be read")]
    Unreadable,
    /// It is another than the one that is configured.
    #[error("the OpenID provider's metadata name another issuer than the configuration")]
    OtherIssuer,
}

/// What a provider publishes.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its metadata, JSON.
    pub metadata: Bytes,
    /// Its keys, JSON.
    pub keys: Bytes,
    at: Timestamp,
}

/// The provider of an installation.
#[derive(Debug)]
pub struct Provider {
    /// Who it is.
    pub access: OidcAccess,
    published: Mutex<Option<Arc<Published>>>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Provider {
    /// One of which nothing is known yet.
    pub const fn new(access: OidcAccess) -> Self {
        Self { access, published: Mutex::new(None) }
    }

    fn known(&self) -> Option<Arc<Published>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it publishes, as of the last ten minutes.
    pub async fn published(
        &self,
        outbound: &Outbound,
        now: Timestamp,
    ) -> Result<Arc<Published>, ProviderError> {
        let known = self.known();
        let age = |known: &Arc<Published>| now.duration_since(known.at);
        if let Some(known) = known.as_ref().filter(|known| age(known) < FRESH) {
            return Ok(Arc::clone(known));
        }
        match (self.fetch(outbound, now).await, known) {
            (Err(ProviderError::Unanswered), Some(known)) if age(&known) < USABLE => Ok(known),
            (fetched, _) => fetched,
        }
    }

    /// The same anew, for a key that is not among those known: providers change theirs. `None` where it was just asked.
    pub async fn renewed(
        &self,
        outbound: &Outbound,
        now: Timestamp,
    ) -> Result<Option<Arc<Published>>, ProviderError> {
        if self.known().is_some_and(|known| now.duration_since(known.at) < ASKED_AGAIN) {
            return Ok(None);
        }
        self.fetch(outbound, now).await.map(Some)
    }

    async fn fetch(&self, outbound: &Outbound, now: Timestamp) -> Result<Arc<Published>, ProviderError> {
        let metadata = get(outbound, self.access.metadata_at(), now).await?;
        let said: Metadata = serde_json::from_slice(&metadata).map_err(|_| ProviderError::Unreadable)?;
        if said.issuer != self.access.issuer {
            return Err(ProviderError::OtherIssuer);
        }
        let keys = get(outbound, said.jwks_uri, now).await?;
        let published = Arc::new(Published { metadata, keys, at: now });
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&published));
        Ok(published)
    }
}

async fn get(outbound: &Outbound, url: String, at: Timestamp) -> Result<Bytes, ProviderError> {
    let request = Request { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new(), at };
    match outbound.get(request).await {
        Ok(answer) if answer.status == 200 && !answer.cut => Ok(answer.body),
        Ok(answer) if answer.status == 200 => Err(ProviderError::Unreadable),
        Ok(_) | Err(_) => Err(ProviderError::Unanswered),
    }
}
