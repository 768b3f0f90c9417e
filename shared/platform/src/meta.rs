//! Access to Meta: the app's secret, which its notices are signed with, and for each company the token with which its
//! leads are read from the Graph API. They are the operator's, and stand in no rulebook. A source whose leads come by
//! another app gives that app's secret itself ([`SourceGives`](leadyard_domain::delivery::SourceGives)).

use std::collections::BTreeMap;

use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use http::{HeaderMap, HeaderValue, Method, header};
use jiff::Timestamp;
use leadyard_domain::ids::{CompanyId, SourceId};
use serde::Deserialize;
use sha2::Sha256;

use crate::outbound::{Outbound, Request};

/// Where the Graph API is, unless the configuration says otherwise.
const GRAPH: &str = "https://graph.facebook.com/v23.0";

/// What is needed to speak with Meta. Never printed.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetaAccess {
    #[serde(default)]
    app_secret: Option<String>,
    tokens: BTreeMap<CompanyId, String>,
    /// Whether tokens are of the app whose secret that is, and are sent with the proof of it.
    #[serde(default)]
    appsecret_proof: bool,
    /// Whose page is which, where the app serves several companies.
    #[serde(default)]
    pages: BTreeMap<String, PageOf>,
    #[serde(default = "graph")]
    graph: String,
}

/// Where the leads of a page go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageOf {
    /// Whose they are.
    pub company: CompanyId,
    /// By which of its sources.
    pub source: SourceId,
}

fn graph() -> String {
    GRAPH.to_owned()
}

impl std::fmt::Debug for MetaAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MetaAccess(…)")
    }
}

/// Why a lead was not fetched. Nothing of what Meta answered: it may repeat the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfetched {
    /// `LEADYARD_META` has no token of the company.
    #[error("LEADYARD_META has no token of this company")]
    NoToken,
    /// `LEADYARD_META` lists pages, and not this one as this company's.
    #[error("LEADYARD_META does not list this page as the company's")]
    NotTheirPage,
    /// A 4xx: the token has expired or lacks a permission, or the lead is gone.
    #[error(
        "Meta refused with status {status}: is the token still good, the lead still there, and the app's proof not asked for?"
    )]
    Refused {
        /// HTTP.
        status: u16,
    },
    /// A 5xx, 429, or no answer: it may go better later.
    #[error("Meta did not answer as it should")]
    Unanswered,
    /// What came was no lead.
    #[error("Meta's answer was no lead")]
    Unreadable,
}

impl Unfetched {
    /// Whether it stays so until somebody does something.
    pub const fn needs_a_person(self) -> bool {
        match self {
            Self::NoToken | Self::NotTheirPage | Self::Refused { .. } | Self::Unreadable => true,
            Self::Unanswered => false,
        }
    }
}

impl MetaAccess {
    /// Reads `{"app_secret": "…", "tokens": {"company": "…"}}`. The secret is that of the sources that give none of their
    /// own, and may be missing where there are none. With `"appsecret_proof": true`, for an app that demands the proof, it
    /// may not, and all tokens are of that app. Meta tells of all pages of an app at one URL: where they are of several
    /// companies, `"pages": {"PAGE_ID": {"company": "…", "source": "…"}}` says which. `graph` is another base URL of the
    /// Graph API.
    pub fn read(json: &str) -> Option<Self> {
        let access: Self = serde_json::from_str(json).ok()?;
        let is_whole = access.app_secret.as_deref() != Some("");
        (is_whole && (access.app_secret.is_some() || !access.appsecret_proof)).then_some(access)
    }

    /// Where the leads of a page go, if that is said.
    pub fn page(&self, id: &str) -> Option<&PageOf> {
        self.pages.get(id)
    }

    /// Whether a company may read the leads of a page: any, where no page is listed.
    fn is_of(&self, company: &CompanyId, page: &str) -> bool {
        self.pages.is_empty() || self.pages.get(page).is_some_and(|of| of.company == *company)
    }

    /// The secret of the app by which leads come for sources that name none of their own.
    pub fn app_secret(&self) -> Option<&str> {
        self.app_secret.as_deref()
    }

    /// HMAC-SHA-256 of the token under the app's secret, in hexadecimal: good with that token alone, so that it may stand
    /// in a URL (<https://developers.facebook.com/docs/graph-api/securing-requests>).
    fn proof_of(&self, token: &str) -> Option<String> {
        let secret = self.app_secret.as_deref().filter(|_| self.appsecret_proof)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
        mac.update(token.as_bytes());
        Some(format!("{:x}", mac.finalize().into_bytes()))
    }

    /// One attempt at a lead of a page.
    pub async fn lead(
        &self,
        outbound: &Outbound,
        company: &CompanyId,
        (page, id): (&str, &str),
        at: Timestamp,
    ) -> Result<Bytes, Unfetched> {
        if !self.is_of(company, page) {
            return Err(Unfetched::NotTheirPage);
        }
        let token = self.tokens.get(company).ok_or(Unfetched::NoToken)?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| Unfetched::NoToken)?;
        bearer.set_sensitive(true);
        // In a header: what stands in a URL is logged somewhere.
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
        let mut url = format!("{}/{id}?fields=id,created_time,ad_id,form_id,field_data", self.graph);
        if let Some(proof) = self.proof_of(token) {
            url.push_str("&appsecret_proof=");
            url.push_str(&proof);
        }
        let request = Request { method: Method::GET, url, headers, body: Bytes::new(), at };
        let fetched = outbound.get(request).await;
        match fetched {
            Ok(answer) if answer.status == 200 && !answer.cut => Ok(answer.body),
            Ok(answer) if (400..500).contains(&answer.status) && answer.status != 429 => {
                Err(Unfetched::Refused { status: answer.status })
            }
            Ok(_) | Err(_) => Err(Unfetched::Unanswered),
        }
    }
}

/// Whether a notice is signed with an app's secret, over exactly these bytes. Compared in constant time.
pub fn is_signed(app_secret: &str, signature: &str, body: &[u8]) -> bool {
    let hex = signature.strip_prefix("sha256=").filter(|hex| hex.len() == 64 && hex.is_ascii());
    let Some(hex) = hex else { return false };
    let mut sent = [0; 32];
    for (byte, pair) in sent.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let Some(read) = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
        else {
            return false;
        };
        *byte = read;
    }
    Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).is_ok_and(|mut mac| {
        mac.update(body);
        mac.verify_slice(&sent).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As anybody computes it: `printf '%s' "$TEXT" | openssl dgst -sha256 -hmac key`.
    const OF_TEXT: &str = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
    const TEXT: &str = "The quick brown fox jumps over the lazy dog";

    #[test]
    fn a_token_is_proven_where_that_is_asked_for() {
        let proof = |json| MetaAccess::read(json).unwrap().proof_of(TEXT);
        assert_eq!(proof(r#"{"app_secret":"key","tokens":{},"appsecret_proof":true}"#).unwrap(), OF_TEXT);
        assert_eq!(proof(r#"{"app_secret":"key","tokens":{}}"#), None);
    }

    #[test]
    fn a_notice_is_signed_over_its_bytes_with_the_app_s_secret() {
        let access = MetaAccess::read(r#"{"app_secret":"key","tokens":{}}"#).unwrap();
        let signature = &format!("sha256={OF_TEXT}");
        let body = TEXT.as_bytes();
        assert!(is_signed("key", signature, body));
        assert!(is_signed("key", &signature.to_uppercase().replace("SHA256", "sha256"), body));
        for wrong in
            ["", "sha256=", &signature[..70], &signature.replace("f7", "f8"), &signature[7..], "sha256=é"]
        {
            assert!(!is_signed("key", wrong, body), "{wrong}");
        }
        assert!(!is_signed("key", signature, b"The quick brown fox"));
        assert_eq!(format!("{access:?}"), "MetaAccess(…)");
        assert_eq!(access.app_secret(), Some("key"));
        // Nobody signs with nothing.
        assert!(MetaAccess::read(r#"{"app_secret":"","tokens":{}}"#).is_none());
        assert_eq!(MetaAccess::read(r#"{"tokens":{}}"#).unwrap().app_secret(), None);
        // No proof of nothing.
        assert!(MetaAccess::read(r#"{"tokens":{},"appsecret_proof":true}"#).is_none());
        // One that is misspelt would be missed by the first notice.
        assert!(MetaAccess::read(r#"{"appsecret":"key","tokens":{}}"#).is_none());
    }
}
