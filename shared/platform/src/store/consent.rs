//! A consent as it is kept: what was read of it when its enquiry arrived, whatever the source's words come to mean
//! since. It is never written again.
//!
//! Its texts stand among the enquiry's fields already, as they were received: here stands in which.

use std::net::IpAddr;

use jiff::Timestamp;
use leadyard_domain::enquiry::{Consent, ConsentTexts, Fields, Understood};
use serde::{Deserialize, Serialize};

/// The consent of one enquiry. Some 100 bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredConsent {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<bool>,
    /// Where it is not when the enquiry arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channels: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trusted_form: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leadid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text_in: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sellers_in: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url_in: Option<String>,
}

impl StoredConsent {
    /// That of an enquiry as it is understood on its arrival.
    pub fn of(understood: &Understood, received_at: Timestamp) -> Self {
        let consent = understood.consent.clone();
        let texts = understood.consent_texts.clone();
        Self {
            given: consent.given,
            at: Some(consent.at).filter(|at| *at != received_at),
            version: consent.version,
            channels: consent.channels,
            form: consent.form,
            ip: consent.ip,
            user_agent: consent.user_agent,
            trusted_form: consent.trusted_form,
            leadid: consent.leadid,
            text_in: texts.text,
            sellers_in: texts.sellers,
            url_in: texts.url,
        }
    }

    /// The consent, with its texts from the fields as they were received.
    pub fn consent(&self, received: &Fields, received_at: Timestamp) -> Consent {
        let texts = ConsentTexts {
            text: self.text_in.clone(),
            sellers: self.sellers_in.clone(),
            url: self.url_in.clone(),
        };
        texts.restore(
            received,
            Consent {
                given: self.given,
                text: None,
                text_sha256: None,
                version: self.version.clone(),
                sellers: None,
                channels: self.channels.clone(),
                url: None,
                form: self.form.clone(),
                ip: self.ip,
                user_agent: self.user_agent.clone(),
                at: self.at.unwrap_or(received_at),
                trusted_form: self.trusted_form.clone(),
                leadid: self.leadid.clone(),
            },
        )
    }
}
