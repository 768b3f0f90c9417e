//! What a dealer is sent: the body `{"type", "timestamp", "data"}` of Standard Webhooks 1.0.0, at most
//! [`crate::limits::WEBHOOK_BYTES`].
//!
//! A payload's fields are its JSON's, in this order, always all of them: what is not known is `null`.
//! The body is built once per message and kept or rebuilt alike for every attempt: the timestamp is that of
//! what happened, not of the attempt. Payloads have no `Debug`: they are full of a person.

mod fit;
#[cfg(test)]
pub(super) mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use fit::fit;
pub(super) use fit::shortened;

use crate::error::Invalid;
use crate::ids::{
    AssignmentId, CategoryId, CompanyId, ContractId, DealerId, EnquiryId, LeadId, OfferId, SourceId,
};
use crate::money::Money;
use crate::person::without_contact;
use crate::scoring::Band;

words! {
    /// What a dealer is told.
    pub enum Event as "a webhook's type" {
        /// Here is a lead.
        Assigned = "lead.assigned",
        /// The lead asked again.
        Repeated = "lead.repeated",
        /// The deadline to accept it is near.
        Warned = "lead.warned",
        /// The lead is not yours any more; it is not charged.
        Withdrawn = "lead.withdrawn",
        /// The person is to be forgotten.
        Erased = "lead.erased",
        /// The person is not to be written to, or not at all, any more.
        OptedOut = "lead.opted_out",
    }
}

/// The `webhook-id` of a message: `msg_<assignment>_<event>_<n>`, the same for every attempt, so that the
/// dealer can tell a second arrival from a second message. At most [`crate::limits::WEBHOOK_ID_BYTES`] and
/// without a dot, which separates the parts of what is signed.
///
/// `message_no` tells messages of one event apart (a lead may ask again more than once); it counts per
/// assignment.
pub fn webhook_id(assignment: AssignmentId, event: Event, message_no: u32) -> String {
    let (_, verb) = event.as_str().split_once('.').unwrap_or(("", event.as_str()));
    format!("msg_{assignment}_{verb}_{message_no}")
}

/// `lead.assigned`.
#[derive(Clone, Serialize)]
pub struct AssignedPayload<'a> {
    /// The assignment: what the dealer answers to.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
    /// Who receives it.
    pub dealer: &'a DealerId,
    /// On which terms.
    pub contract: &'a ContractId,
    /// Whose lead it is.
    pub company: &'a CompanyId,
    /// The trade.
    pub category: &'a CategoryId,
    /// What the person signed up for.
    pub offer: &'a OfferId,
    /// Who sent it.
    pub source: &'a SourceId,
    /// The marketing push.
    pub campaign: Option<&'a str>,
    /// When the enquiry arrived.
    pub received_at: Timestamp,
    /// When it was assigned.
    pub assigned_at: Timestamp,
    /// Until when the dealer may accept; `None` when nothing needs accepting.
    pub accept_by: Option<Timestamp>,
    /// Fit and engagement.
    pub band: Option<Band>,
    /// What the lead costs, in the company's currency, as `"45.00"`.
    #[serde(serialize_with = "as_text")]
    pub price: Money,
    /// Who asks.
    pub person: Person<'a>,
    /// Where.
    pub address: Address<'a>,
    /// What the person wrote.
    pub message: Option<Cow<'a, str>>,
    /// What the person agreed to.
    pub consent: Consent<'a>,
    /// Fields of the enquiry that have no standard name.
    pub extra: BTreeMap<&'a str, &'a str>,
    /// A try-out, not a lead.
    pub test: bool,
    /// Contact is kept back until the dealer accepts.
    pub masked: bool,
    /// Something was left out to keep the body within its limit. Set by [`AssignedPayload::body`].
    pub truncated: bool,
}

/// A person as the dealer may see them.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Person<'a> {
    /// Given name.
    pub first_name: Option<&'a str>,
    /// Surname.
    pub last_name: Option<&'a str>,
    /// E-mail address.
    pub email: Option<&'a str>,
    /// Telephone number, E.164.
    pub phone: Option<&'a str>,
}

/// An address.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Address<'a> {
    /// Street and number.
    pub street: Option<&'a str>,
    /// City.
    pub city: Option<&'a str>,
    /// State, two letters.
    pub state: Option<&'a str>,
    /// ZIP, five digits.
    pub zip: Option<&'a str>,
}

/// What the person agreed to.
#[derive(Clone, Default, Serialize)]
pub struct Consent<'a> {
    /// Whether consent to be contacted was given.
    pub given: bool,
    /// The text shown.
    pub text: Option<Cow<'a, str>>,
    /// The TrustedForm certificate; without one, the Jornaya LeadiD.
    pub certificate: Option<&'a str>,
    /// The Jornaya LeadiD where there is a certificate of TrustedForm besides: neither stands for the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leadid: Option<&'a str>,
}

impl<'a> Consent<'a> {
    /// The Jornaya LeadiD, whether it is all that there is or stands beside a certificate of TrustedForm, which is a
    /// URL.
    pub fn leadid(&self) -> Option<&'a str> {
        self.leadid.or(self.certificate.filter(|certificate| !certificate.starts_with("https://")))
    }
}

/// `lead.repeated`: only what is new.
#[derive(Clone, Serialize)]
pub struct RepeatedPayload<'a> {
    /// The assignment it belongs to.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
    /// The new enquiry.
    #[serde(rename = "enquiry_id")]
    pub enquiry: EnquiryId,
    /// Who is told.
    pub dealer: &'a DealerId,
    /// Whose lead it is.
    pub company: &'a CompanyId,
    /// What was asked for this time.
    pub offer: &'a OfferId,
    /// Who sent it.
    pub source: &'a SourceId,
    /// When it arrived.
    pub received_at: Timestamp,
    /// What the person wrote this time.
    pub message: Option<Cow<'a, str>>,
    /// What the lead did not have before, by its standard name.
    pub filled: BTreeMap<&'a str, &'a str>,
    /// What the person agreed to by now, where a further step of the form said it, or brought its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent<'a>>,
    /// Contact is kept back until the dealer accepts.
    pub masked: bool,
    /// Something was left out to keep the body within its limit. Set by [`RepeatedPayload::body`].
    pub truncated: bool,
}

/// `lead.warned`.
#[derive(Clone, Copy, Serialize)]
pub struct WarnedPayload {
    /// The assignment.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
    /// When it lapses.
    pub accept_by: Timestamp,
}

/// `lead.withdrawn`.
#[derive(Clone, Copy, Serialize)]
pub struct WithdrawnPayload {
    /// The assignment.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
    /// Why.
    pub reason: WithdrawalReason,
}

words! {
    /// Why a lead is not the dealer's any more.
    pub enum WithdrawalReason as "a withdrawal's reason" {
        /// We could not learn whether it had arrived, and gave it to somebody else.
        Unconfirmed = "unconfirmed",
        /// The desk took it back.
        TakenBack = "taken_back",
        /// It was not accepted in time.
        Lapsed = "lapsed",
    }
}

/// `lead.erased`: whatever the dealer holds of this lead is to be erased (GDPR, art. 19).
#[derive(Clone, Copy, Serialize)]
pub struct ErasedPayload {
    /// The assignment.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
}

words! {
    /// What a person opted out of.
    pub enum OptedOutOf as "what a person opted out of" {
        /// Of mail.
        Mail = "mail",
        /// Of mail, calls and texts.
        Everything = "everything",
    }
}

/// `lead.opted_out`: the dealer goes on holding the lead, and knows what its person asked for.
#[derive(Clone, Copy, Serialize)]
pub struct OptedOutPayload {
    /// The assignment.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
    /// Of what.
    pub of: OptedOutOf,
}

impl AssignedPayload<'_> {
    /// As a dealer sees it before it has accepted: first name, ZIP, request. A certificate, the text
    /// agreed to and unknown fields go as well, since any of them may lead to the person; and so does what is
    /// a number or an address within the request.
    #[must_use]
    pub fn masked(self) -> Self {
        Self {
            person: Person {
                first_name: self.person.first_name.filter(|name| without_contact(name) == *name),
                ..Person::default()
            },
            message: self.message.map(hidden),
            address: Address { zip: self.address.zip, ..Address::default() },
            consent: Consent { given: self.consent.given, ..Consent::default() },
            extra: BTreeMap::new(),
            masked: true,
            ..self
        }
    }

    /// The body, of an assignment that happened `at`. What does not fit is left out, and
    /// `"truncated": true` says so: extra fields first, then the end of the message, then that of the
    /// text agreed to. Fails only when the rest alone is larger than [`crate::limits::WEBHOOK_BYTES`].
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        fit(Event::Assigned, at, self)
    }
}

impl RepeatedPayload<'_> {
    /// As a dealer sees it before it has accepted: the request, and nothing of the person.
    #[must_use]
    pub fn masked(self) -> Self {
        Self {
            message: self.message.map(hidden),
            filled: BTreeMap::new(),
            consent: None,
            masked: true,
            ..self
        }
    }

    /// The body, of an enquiry that came `at`. What does not fit is left out: filled fields first, then
    /// the ends of the message and of the text agreed to.
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        fit(Event::Repeated, at, self)
    }
}

impl WarnedPayload {
    /// The body, of a warning given `at`.
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        render(Event::Warned, at, &self)
    }
}

impl WithdrawnPayload {
    /// The body, of a withdrawal decided `at`.
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        render(Event::Withdrawn, at, &self)
    }
}

impl ErasedPayload {
    /// The body, of an erasure made `at`.
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        render(Event::Erased, at, &self)
    }
}

impl OptedOutPayload {
    /// The body, of what a person asked for `at`.
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        render(Event::OptedOut, at, &self)
    }
}

fn hidden(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => without_contact(text),
        Cow::Owned(text) => Cow::Owned(without_contact(&text).into_owned()),
    }
}

#[derive(Serialize)]
struct Envelope<'a, D> {
    #[serde(rename = "type")]
    event: Event,
    timestamp: Timestamp,
    data: &'a D,
}

fn render<D: Serialize>(event: Event, at: Timestamp, data: &D) -> Result<String, Invalid> {
    serde_json::to_string(&Envelope { event, timestamp: at, data })
        .map_err(|_| Invalid::new("a webhook body is JSON"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn as_text<S: Serializer>(price: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(price)
}
