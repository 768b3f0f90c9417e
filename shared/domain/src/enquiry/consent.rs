//! What the person agreed to, and the proof of it. Stands on the enquiry and never changes.

use std::fmt;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::Fields;
use crate::limits;
use crate::person::{cut_chars, tidy};

/// Consent as one enquiry gives it.
#[derive(Clone, PartialEq, Eq)]
pub struct Consent {
    /// The state of the box; `None` when there was none, or its value says neither yes nor no.
    pub given: Option<bool>,
    /// The text shown, at most [`crate::limits::MESSAGE_CHARS`] characters.
    pub text: Option<String>,
    /// SHA-256 of the text shown, in UTF-8 exactly as received: before any tidying or cutting.
    pub text_sha256: Option<[u8; 32]>,
    /// Which version of the text.
    pub version: Option<String>,
    /// Sellers named.
    pub sellers: Option<String>,
    /// Channels agreed to (call, text, mail).
    pub channels: Option<String>,
    /// The page it was given on.
    pub url: Option<String>,
    /// The form of that page, by whatever name the page has for it.
    pub form: Option<String>,
    /// The address that it was given from; of a consent or a certificate alone.
    pub ip: Option<IpAddr>,
    /// The browser that it was given in, where a server says so: a page's own stands with its request. Of a consent or a
    /// certificate alone.
    pub user_agent: Option<String>,
    /// When: as the sender says, else when the enquiry arrived.
    pub at: Timestamp,
    /// The TrustedForm certificate: `https://cert.trustedform.com/` and 40 hexadecimal digits. Forwarded,
    /// never fetched.
    pub trusted_form: Option<String>,
    /// The Jornaya LeadiD: a UUID.
    pub leadid: Option<String>,
}

/// In which fields, as received, the texts of a consent stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsentTexts {
    /// That of [`Consent::text`].
    pub text: Option<String>,
    /// That of [`Consent::sellers`].
    pub sellers: Option<String>,
    /// That of [`Consent::url`].
    pub url: Option<String>,
}

impl ConsentTexts {
    /// A consent that stands for itself but for its texts, with these as they stand in the fields.
    pub fn restore(&self, fields: &Fields, consent: Consent) -> Consent {
        let raw = |name: &Option<String>| name.as_deref().and_then(|name| fields.get(name));
        let shown = |name: &Option<String>| raw(name).map(|text| paragraph(text).0);
        Consent {
            text: shown(&self.text),
            text_sha256: raw(&self.text).map(|text| Sha256::digest(text.as_bytes()).into()),
            sellers: shown(&self.sellers),
            url: shown(&self.url),
            ..consent
        }
    }
}

/// A longer text: tidy line by line, with its line breaks, and cut; and whether it was.
pub(super) fn paragraph(text: &str) -> (String, bool) {
    let lines: Vec<String> = text.lines().map(tidy).collect();
    let whole = lines.join("\n");
    let (kept, was_cut) = cut_chars(whole.trim(), limits::MESSAGE_CHARS);
    (kept.trim_end().to_owned(), was_cut)
}

impl Consent {
    /// Whether a certificate of either kind comes with it.
    pub const fn has_certificate(&self) -> bool {
        self.trusted_form.is_some() || self.leadid.is_some()
    }

    /// With what a further step of the same form says. A yes is taken whole, with its text, where there was none; a
    /// certificate is one of the form, whichever of its pages sent it.
    pub(super) fn complete(&mut self, step: &Self) {
        let says_yes = self.given != Some(true) && step.given == Some(true);
        let (whole, other) = if says_yes { (step, &*self) } else { (&*self, step) };
        *self = Self {
            trusted_form: whole.trusted_form.clone().or_else(|| other.trusted_form.clone()),
            leadid: whole.leadid.clone().or_else(|| other.leadid.clone()),
            ..whole.clone()
        };
    }

    /// When the TrustedForm certificate expires, to be claimed until then: so many days after it was given. The
    /// sender may err about that moment; it cannot be later than the arrival. A LeadiD is not claimed.
    pub fn certificate_expires(&self, received_at: Timestamp, days: u16) -> Option<Timestamp> {
        self.trusted_form.as_ref()?;
        let since = self.at.min(received_at);
        since.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()
    }
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consent")
            .field("given", &self.given)
            .field("certificate", &self.has_certificate())
            .finish_non_exhaustive()
    }
}

/// The state of a box as forms write it. A checkbox without a value of its own says `on`. Where a name was
/// sent twice the last counts: a hidden field says no before the box, if ticked, says yes.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match text.rsplit(", ").next().unwrap_or(text).trim().to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "1" | "on" | "checked" | "agree" | "agreed" | "i agree" | "accepted" => {
            Some(true)
        }
        "no" | "n" | "false" | "f" | "0" | "off" | "unchecked" | "declined" => Some(false),
        _ => None,
    }
}

/// A TrustedForm certificate's URL, in one spelling.
pub(super) fn trusted_form(text: &str) -> Option<String> {
    let id = text.trim().strip_prefix("https://cert.trustedform.com/")?.trim_end_matches('/');
    (id.len() == 40 && id.bytes().all(|b| b.is_ascii_hexdigit()))
        .then(|| format!("https://cert.trustedform.com/{}", id.to_ascii_lowercase()))
}

/// A LeadiD: a UUID with its dashes, as typed.
pub(super) fn leadid(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()).then(|| text.to_owned())
}
