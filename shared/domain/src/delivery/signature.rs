//! Proving that a webhook came from us: Standard Webhooks 1.0.0, HMAC-SHA256 over
//! `{id}.{timestamp}.{body}`.
//!
//! A dealer's secret is derived, not stored: HKDF-SHA256 (RFC 5869) from one master secret. The
//! generation is raised to rotate it; while both are signed with, the dealer changes over without a gap.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use standardwebhooks::Webhook;

use crate::error::Invalid;
use crate::ids::{CompanyId, DealerId, SourceId};

/// What a dealer verifies our webhooks with: 24 to 64 random bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

const PREFIX: &str = "whsec_";

impl WebhookSecret {
    /// As it is shown to its dealer: `whsec_` and base64. Never into a log.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }
}

impl std::str::FromStr for WebhookSecret {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let rule = || Invalid::new("a webhook secret is 'whsec_' and base64 of 24 to 64 bytes");
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX).ok_or_else(rule)?).map_err(|_| rule())?;
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(rule()) }
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// What the sender of a source's enquiries verifies our postbacks with, of this generation of the source's keys: as
/// [`derive_secret`], with `leadyard/postback/v1`, company and source.
pub fn derive_postback_secret(
    master: &[u8; 32],
    company: &CompanyId,
    source: &SourceId,
    generation: u32,
) -> Result<WebhookSecret, Invalid> {
    derive(master, ["leadyard/postback/v1", company.as_str(), source.as_str()], generation)
}

/// A dealer's secret of this generation: 32 bytes, HKDF-SHA256 without salt, with
/// `leadyard/webhook/v1`, company, dealer and generation (four bytes, big-endian) as info.
pub fn derive_secret(
    master: &[u8; 32],
    company: &CompanyId,
    dealer: &DealerId,
    generation: u32,
) -> Result<WebhookSecret, Invalid> {
    derive(master, ["leadyard/webhook/v1", company.as_str(), dealer.as_str()], generation)
}

fn derive(master: &[u8; 32], parts: [&str; 3], generation: u32) -> Result<WebhookSecret, Invalid> {
    // No slug holds a zero byte, so no two of them share an info.
    let mut info = Vec::with_capacity(128);
    for part in parts {
        info.extend_from_slice(part.as_bytes());
        info.push(0);
    }
    info.extend_from_slice(&generation.to_be_bytes());
    let mut secret = vec![0; 32];
    hkdf::Hkdf::<sha2::Sha256>::new(None, master)
        .expand(&info, &mut secret)
        .map_err(|_| Invalid::new("HKDF-SHA256 gives at most 8160 bytes"))?;
    Ok(WebhookSecret(secret))
}

/// The `webhook-signature` header: one `v1,…` per secret, in their order, separated by spaces. The
/// timestamp is this attempt's, in seconds since the Unix epoch; the body is the bytes that are sent.
pub fn sign(secrets: &[WebhookSecret], id: &str, timestamp_s: i64, body: &[u8]) -> Result<String, Invalid> {
    let rule = |_| Invalid::new("a signed webhook body is UTF-8");
    let signatures: Result<Vec<String>, Invalid> = secrets
        .iter()
        .map(|secret| {
            Webhook::from_bytes(secret.0.clone())
                .and_then(|webhook| webhook.sign(id, timestamp_s, body))
                .map_err(rule)
        })
        .collect();
    Ok(signatures?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The vector that the Standard Webhooks libraries are tested with.
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;

    fn dealer_secret(company: &str, dealer: &str, generation: u32) -> WebhookSecret {
        let (company, dealer) = (CompanyId::new(company).unwrap(), DealerId::new(dealer).unwrap());
        derive_secret(&[7; 32], &company, &dealer, generation).unwrap()
    }

    #[test]
    fn the_published_vector_is_signed_as_published() {
        let secret: WebhookSecret = SECRET.parse().unwrap();
        assert_eq!(secret.reveal(), SECRET);
        assert_eq!(
            sign(&[secret], ID, 1_649_367_553, BODY).unwrap(),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
        );
    }

    #[test]
    fn a_dealer_verifies_with_the_old_secret_and_with_the_new_while_it_rotates() {
        let secrets =
            [dealer_secret("acme", "hudson-roofing", 2), dealer_secret("acme", "hudson-roofing", 1)];
        let now_s = now_s();
        let signature = sign(&secrets, ID, now_s, BODY).unwrap();
        assert_eq!(signature.split(' ').count(), 2);

        let mut headers = http::HeaderMap::new();
        headers.insert(standardwebhooks::HEADER_WEBHOOK_ID, ID.parse().unwrap());
        headers.insert(standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, now_s.to_string().parse().unwrap());
        headers.insert(standardwebhooks::HEADER_WEBHOOK_SIGNATURE, signature.parse().unwrap());
        for secret in &secrets {
            let dealer = Webhook::new(&secret.reveal()).unwrap();
            dealer.verify(BODY, &headers).unwrap();
            assert!(dealer.verify(b"{}", &headers).is_err());
        }
        let other = Webhook::new(&dealer_secret("acme", "hudson-roofing", 3).reveal()).unwrap();
        assert!(other.verify(BODY, &headers).is_err());
    }

    #[test]
    fn every_dealer_of_every_company_has_its_own_secret() {
        let secrets = [
            dealer_secret("acme", "hudson", 1),
            dealer_secret("acme", "hudson", 2),
            dealer_secret("acmehudson", "hudson", 1),
            dealer_secret("acme", "acmehudson", 1),
            dealer_secret("hudson", "acme", 1),
        ];
        for (i, one) in secrets.iter().enumerate() {
            assert_eq!(one.0.len(), 32);
            assert!(secrets.iter().skip(i + 1).all(|other| other != one));
        }
        assert_eq!(dealer_secret("acme", "hudson", 1), secrets[0]);
    }

    #[test]
    fn a_source_has_another_secret_than_a_dealer_of_its_name() {
        let company = CompanyId::new("acme").unwrap();
        let of = |source: &str, generation| {
            let source = SourceId::new(source).unwrap();
            derive_postback_secret(&[7; 32], &company, &source, generation).unwrap()
        };
        assert!(of("hudson", 1) != dealer_secret("acme", "hudson", 1));
        assert!(of("hudson", 1) != of("hudson", 2) && of("hudson", 1) != of("web", 1));
    }

    #[test]
    fn a_derived_secret_never_changes_between_versions() {
        // Changing this value breaks every dealer's verification at once.
        assert_eq!(
            dealer_secret("acme", "hudson-roofing", 1).reveal(),
            "whsec_0gOa1mH+mZrrXLrfd4aBlmnU4cYBA8S3/DK08/EbVNM="
        );
    }

    #[test]
    fn a_secret_states_its_rule_and_keeps_itself_out_of_logs() {
        for bad in ["", "whsec_", "whsec_AAAA", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_!!"] {
            assert!(bad.parse::<WebhookSecret>().unwrap_err().to_string().contains("24 to 64 bytes"));
        }
        let secret: WebhookSecret = SECRET.parse().unwrap();
        assert!(!format!("{secret:?}").contains("C2FV"));
        assert!(sign(&[secret], ID, 0, &[0xff]).is_err());
    }

    #[expect(clippy::disallowed_methods, reason = "the crate's verifier reads the wall clock")]
    fn now_s() -> i64 {
        jiff::Timestamp::now().as_second()
    }
}
