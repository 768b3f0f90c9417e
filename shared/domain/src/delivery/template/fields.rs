//! What a template may name.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::delivery::payload::{AssignedPayload, Event};
use crate::ids::{AssignmentId, CompanyId, DealerId, LeadId};

words! {
    /// A field of a message. All that a dealer is told in our own form has one here.
    #[allow(missing_docs)]
    pub enum Field as "a template's field" {
        Event = "event",
        MessageId = "message_id",
        LeadId = "lead_id",
        AssignmentId = "assignment_id",
        Company = "company",
        Dealer = "dealer",
        VendorId = "vendor_id",
        Reference = "reference",
        At = "at",
        Reason = "reason",
        AcceptBy = "accept_by",
        Contract = "contract",
        Category = "category",
        Offer = "offer",
        Source = "source",
        Campaign = "campaign",
        ReceivedAt = "received_at",
        AssignedAt = "assigned_at",
        Band = "band",
        Price = "price",
        FirstName = "first_name",
        LastName = "last_name",
        Name = "name",
        Email = "email",
        Phone = "phone",
        PhoneDigits = "phone_digits",
        Street = "street",
        City = "city",
        State = "state",
        Zip = "zip",
        Message = "message",
        ConsentGiven = "consent_given",
        ConsentText = "consent_text",
        ConsentCertificate = "consent_certificate",
        ConsentLeadid = "consent_leadid",
        Masked = "masked",
        Test = "test",
    }
}

impl Field {
    /// Whether it is known of every message, and leads to nobody: it may stand in a header, and where a message
    /// says nothing of the lead but which one it is.
    pub const fn is_bare(self) -> bool {
        match self {
            Self::Event
            | Self::MessageId
            | Self::LeadId
            | Self::AssignmentId
            | Self::Company
            | Self::Dealer
            | Self::VendorId
            | Self::Reference
            | Self::At => true,
            Self::Reason
            | Self::AcceptBy
            | Self::Contract
            | Self::Category
            | Self::Offer
            | Self::Source
            | Self::Campaign
            | Self::ReceivedAt
            | Self::AssignedAt
            | Self::Band
            | Self::Price
            | Self::FirstName
            | Self::LastName
            | Self::Name
            | Self::Email
            | Self::Phone
            | Self::PhoneDigits
            | Self::Street
            | Self::City
            | Self::State
            | Self::Zip
            | Self::Message
            | Self::ConsentGiven
            | Self::ConsentText
            | Self::ConsentCertificate
            | Self::ConsentLeadid
            | Self::Masked
            | Self::Test => false,
        }
    }

    /// Whether a message of this kind says it.
    pub const fn is_of(self, event: Event) -> bool {
        match event {
            Event::Assigned | Event::Repeated => !matches!(self, Self::Reason),
            Event::Withdrawn | Event::OptedOut => self.is_bare() || matches!(self, Self::Reason),
            Event::Warned => self.is_bare() || matches!(self, Self::AcceptBy),
            Event::Erased => self.is_bare(),
        }
    }
}

/// What a message says. No `Debug`: it is full of a person.
#[derive(Clone)]
pub struct Facts<'a> {
    /// Which message.
    pub event: Event,
    /// Its `webhook-id`: the same at every attempt.
    pub message_id: &'a str,
    /// The lead.
    pub lead: LeadId,
    /// The assignment.
    pub assignment: AssignmentId,
    /// Whose lead.
    pub company: &'a CompanyId,
    /// To whom.
    pub dealer: &'a DealerId,
    /// What the dealer is called in its own system.
    pub vendor_id: &'a str,
    /// The dealer's own id of the lead, once an answer said it.
    pub reference: Option<&'a str>,
    /// When what it says happened.
    pub at: Timestamp,
    /// Why, of a withdrawal; of what the person opted out.
    pub reason: Option<&'static str>,
    /// Until when the dealer may accept, of a warning.
    pub accept_by: Option<Timestamp>,
    /// The lead as the dealer may see it: of an assignment, and of a repeat with what was asked this time.
    pub payload: Option<&'a AssignedPayload<'a>>,
}

/// What a field says.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Nothing.
    Unknown,
    Text(Cow<'a, str>),
    Is(bool),
}

impl Value<'_> {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Unknown => "",
            Self::Text(text) => text,
            Self::Is(true) => "true",
            Self::Is(false) => "false",
        }
    }
}

impl<'a> Facts<'a> {
    pub(super) fn value(&self, field: Field) -> Value<'a> {
        let text = |text: Option<&'a str>| {
            text.filter(|text| !text.is_empty()).map_or(Value::Unknown, |text| Value::Text(text.into()))
        };
        let said = |said: String| Value::Text(said.into());
        match field {
            Field::Event => text(Some(self.event.as_str())),
            Field::MessageId => text(Some(self.message_id)),
            Field::LeadId => said(self.lead.to_string()),
            Field::AssignmentId => said(self.assignment.to_string()),
            Field::Company => text(Some(self.company.as_str())),
            Field::Dealer => text(Some(self.dealer.as_str())),
            Field::VendorId => text(Some(self.vendor_id)),
            Field::Reference => text(self.reference),
            Field::At => said(self.at.to_string()),
            Field::Reason => text(self.reason),
            Field::AcceptBy => {
                let by = self.accept_by.or_else(|| self.payload?.accept_by);
                by.map_or(Value::Unknown, |by| said(by.to_string()))
            }
            Field::Contract
            | Field::Category
            | Field::Offer
            | Field::Source
            | Field::Campaign
            | Field::ReceivedAt
            | Field::AssignedAt
            | Field::Band
            | Field::Price
            | Field::FirstName
            | Field::LastName
            | Field::Name
            | Field::Email
            | Field::Phone
            | Field::PhoneDigits
            | Field::Street
            | Field::City
            | Field::State
            | Field::Zip
            | Field::Message
            | Field::ConsentGiven
            | Field::ConsentText
            | Field::ConsentCertificate
            | Field::ConsentLeadid
            | Field::Masked
            | Field::Test => self.payload.map_or(Value::Unknown, |payload| of_lead(payload, field)),
        }
    }

    /// A field of the enquiry that has no standard name.
    pub(super) fn extra(&self, name: &str) -> Value<'a> {
        let value = self.payload.and_then(|payload| payload.extra.get(name).copied());
        value.map_or(Value::Unknown, |value| Value::Text(value.into()))
    }
}

fn of_lead<'a>(payload: &'a AssignedPayload<'a>, field: Field) -> Value<'a> {
    let text = |text: Option<&'a str>| text.map_or(Value::Unknown, |text| Value::Text(text.into()));
    let said = |said: String| Value::Text(said.into());
    let (person, address) = (&payload.person, &payload.address);
    match field {
        Field::Contract => text(Some(payload.contract.as_str())),
        Field::Category => text(Some(payload.category.as_str())),
        Field::Offer => text(Some(payload.offer.as_str())),
        Field::Source => text(Some(payload.source.as_str())),
        Field::Campaign => text(payload.campaign),
        Field::ReceivedAt => said(payload.received_at.to_string()),
        Field::AssignedAt => said(payload.assigned_at.to_string()),
        Field::Band => payload.band.map_or(Value::Unknown, |band| said(band.to_string())),
        Field::Price => said(payload.price.to_string()),
        Field::FirstName => text(person.first_name),
        Field::LastName => text(person.last_name),
        Field::Name => {
            let parts: Vec<&str> = [person.first_name, person.last_name].into_iter().flatten().collect();
            if parts.is_empty() { Value::Unknown } else { said(parts.join(" ")) }
        }
        Field::Email => text(person.email),
        Field::Phone => text(person.phone),
        // As most systems of this country store it: without the country's code.
        Field::PhoneDigits => text(
            person
                .phone
                .map(|phone| phone.strip_prefix("+1").unwrap_or_else(|| phone.trim_start_matches('+'))),
        ),
        Field::Street => text(address.street),
        Field::City => text(address.city),
        Field::State => text(address.state),
        Field::Zip => text(address.zip),
        Field::Message => text(payload.message.as_deref()),
        Field::ConsentGiven => Value::Is(payload.consent.given),
        Field::ConsentText => text(payload.consent.text.as_deref()),
        Field::ConsentCertificate => text(payload.consent.certificate),
        Field::ConsentLeadid => text(payload.consent.leadid()),
        Field::Masked => Value::Is(payload.masked),
        Field::Test => Value::Is(payload.test),
        Field::Event
        | Field::MessageId
        | Field::LeadId
        | Field::AssignmentId
        | Field::Company
        | Field::Dealer
        | Field::VendorId
        | Field::Reference
        | Field::At
        | Field::Reason
        | Field::AcceptBy => Value::Unknown,
    }
}
