//! In what form a channel is told what it is told.
//!
//! Determinations:
//!
//! - *What a form cannot say is not sent*, and has ended with that. Of a withdrawal, an erasure or an opt-out the desk is told
//!   (`tell_by_hand`, in the lead's history and in the company's changes): the lead moves on as after a withdrawal
//!   that was not received, since waiting for a person would cost the lead; and the dealer, who is not
//!   charged, hears it from the desk. A warning or a repeat that cannot be said is in the dealer's inbox.
//! - *Every form that is posted is signed*, over the bytes that are sent: a dealer who checks may, one who does not
//!   sees three headers more.
//! - *ADF by mail* is the whole text of the mail: programs that read a mailbox take it as it stands.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use leadyard_domain::dealer::{ChannelKind, Format};
use leadyard_domain::delivery::letter::{self, Letter, Terms};
use leadyard_domain::delivery::{
    ADF_TYPE, AssignedPayload, ErasedPayload, Event, Facts, NoSecret, OptedOutPayload, ProspectStatus,
    RepeatedPayload, Secrets, Template, Vendor, WarnedPayload, WithdrawnPayload, adf,
};
use leadyard_domain::ids::{AssignmentId, CompanyId, DealerId, LeadId};
use leadyard_domain::limits;

use jiff::Timestamp;

/// Whose message it is.
pub(crate) struct Message<'a> {
    pub(crate) webhook_id: &'a str,
    pub(crate) lead: LeadId,
    pub(crate) assignment: AssignmentId,
    pub(crate) company: &'a CompanyId,
    pub(crate) dealer: &'a DealerId,
    /// The dealer's own id of the lead, if it said one.
    pub(crate) reference: Option<&'a str>,
}

/// What a message says.
pub(crate) enum Says<'a> {
    /// Here is a lead; `again` when the dealer had it before, masked.
    Assigned {
        payload: AssignedPayload<'a>,
        again: bool,
    },
    /// It asked again; beside it the lead as it is.
    Repeated {
        payload: AssignedPayload<'a>,
        repeat: Box<RepeatedPayload<'a>>,
    },
    Warned(WarnedPayload),
    Withdrawn(WithdrawnPayload),
    Erased(ErasedPayload),
    OptedOut(OptedOutPayload),
}

/// The form of one channel.
pub(crate) struct Form<'a> {
    pub(crate) kind: ChannelKind,
    pub(crate) format: &'a Format,
    pub(crate) template: Option<&'a Template>,
    pub(crate) vendor: &'a Vendor,
    /// The company's name.
    pub(crate) provider: &'a str,
    /// What the dealer gave us.
    pub(crate) secrets: &'a Secrets,
    /// What a letter says beside the message.
    pub(crate) terms: Terms,
}

/// A message in its form.
pub(crate) enum Written {
    /// To be posted, or put into a queue.
    Posted(Posted),
    /// To be mailed.
    Letter(Letter),
}

/// A message as it is posted.
pub(crate) struct Posted {
    pub(crate) method: Method,
    /// All but those of the signature.
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What keeps a message from being written.
pub(crate) enum Unwritten {
    /// The form has no words for it.
    Unsaid,
    /// Something is missing: what, in a word.
    Missing(&'static str),
}

impl From<NoSecret> for Unwritten {
    fn from(NoSecret: NoSecret) -> Self {
        Self::Missing("no_secret")
    }
}

impl Says<'_> {
    pub(crate) const fn event(&self) -> Event {
        match self {
            Self::Assigned { .. } => Event::Assigned,
            Self::Repeated { .. } => Event::Repeated,
            Self::Warned(_) => Event::Warned,
            Self::Withdrawn(_) => Event::Withdrawn,
            Self::Erased(_) => Event::Erased,
            Self::OptedOut(_) => Event::OptedOut,
        }
    }
}

impl Form<'_> {
    /// A message in this form, of what happened `at`.
    pub(crate) fn write(
        &self,
        about: &Message<'_>,
        at: Timestamp,
        says: Says<'_>,
    ) -> Result<Written, Unwritten> {
        let posted = match (self.kind, self.format, self.template) {
            (ChannelKind::Mail, Format::Adf, _) => {
                let text = self.adf(says)?;
                return Ok(Written::Letter(letter::adf(about.lead, text, &self.terms)));
            }
            (ChannelKind::Mail, _, _) => return Ok(Written::Letter(letter(&says, &self.terms))),
            (_, Format::Standard, _) => Posted::of("application/json", standard(at, says)),
            (_, Format::Adf, _) => Posted::of(ADF_TYPE, self.adf(says)?),
            (_, Format::Template(_), Some(template)) => self.by(template, about, at, says)?,
            (_, Format::Template(_), None) => return Err(Unwritten::Missing("no_template")),
        };
        Ok(Written::Posted(posted))
    }

    fn adf(&self, says: Says<'_>) -> Result<String, Unwritten> {
        let (payload, status) = match says {
            Says::Assigned { payload, again: false } => (payload, ProspectStatus::New),
            Says::Assigned { payload, again: true } => (payload, ProspectStatus::Resend),
            Says::Repeated { payload, repeat } => (asked_again(payload, *repeat), ProspectStatus::Resend),
            Says::Warned(_) | Says::Withdrawn(_) | Says::Erased(_) | Says::OptedOut(_) => {
                return Err(Unwritten::Unsaid);
            }
        };
        Ok(adf(payload, status, self.vendor, self.provider))
    }

    fn by(
        &self,
        template: &Template,
        about: &Message<'_>,
        at: Timestamp,
        says: Says<'_>,
    ) -> Result<Posted, Unwritten> {
        let event = says.event();
        let body = template.body(event).ok_or(Unwritten::Unsaid)?;
        let (mut payload, mut reason, mut accept_by) = (None, None, None);
        match says {
            Says::Assigned { payload: lead, .. } => payload = Some(lead),
            Says::Repeated { payload: lead, repeat } => payload = Some(asked_again(lead, *repeat)),
            Says::Warned(warned) => accept_by = Some(warned.accept_by),
            Says::Withdrawn(withdrawn) => reason = Some(withdrawn.reason.as_str()),
            Says::OptedOut(opted_out) => reason = Some(opted_out.of.as_str()),
            Says::Erased(_) => {}
        }
        let facts = Facts {
            event,
            message_id: about.webhook_id,
            lead: about.lead,
            assignment: about.assignment,
            company: about.company,
            dealer: about.dealer,
            vendor_id: &self.vendor.id,
            reference: about.reference,
            at,
            reason,
            accept_by,
            payload: payload.as_ref(),
        };
        let method = match template.method {
            leadyard_domain::delivery::Method::Post => Method::POST,
            leadyard_domain::delivery::Method::Put => Method::PUT,
            leadyard_domain::delivery::Method::Patch => Method::PATCH,
        };
        let body = body.write(template.kind, template.omit_empty, &facts, self.secrets)?;
        if body.len() > limits::TEMPLATE_BODY_BYTES {
            return Err(Unwritten::Missing("body_too_large"));
        }
        let mut posted = Posted { method, ..Posted::of(template.kind.content_type(), body) };
        for (name, value) in &template.headers {
            let value = value.write(&facts, self.secrets)?;
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| Unwritten::Missing("bad_header"))?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| Unwritten::Missing("bad_header"))?;
            value.set_sensitive(true);
            posted.headers.append(name, value);
        }
        Ok(posted)
    }
}

impl Posted {
    fn of(content_type: &'static str, body: String) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { method: Method::POST, headers, body }
    }
}

/// By Standard Webhooks. Only what is larger than it may be cannot be written, and no lead that was taken in is.
fn standard(at: Timestamp, says: Says<'_>) -> String {
    let body = match says {
        Says::Assigned { payload, .. } => payload.body(at),
        Says::Repeated { repeat, .. } => repeat.body(at),
        Says::Warned(warned) => warned.body(at),
        Says::Withdrawn(withdrawn) => withdrawn.body(at),
        Says::Erased(erased) => erased.body(at),
        Says::OptedOut(opted_out) => opted_out.body(at),
    };
    body.unwrap_or_default()
}

/// For a person to read.
fn letter(says: &Says<'_>, terms: &Terms) -> Letter {
    match says {
        Says::Assigned { payload, .. } => letter::assigned(payload, terms),
        Says::Repeated { repeat, .. } => letter::repeated(repeat, terms),
        Says::Warned(warned) => letter::warned(warned, terms),
        Says::Withdrawn(withdrawn) => letter::withdrawn(withdrawn, terms),
        Says::Erased(erased) => letter::erased(erased.lead, terms),
        Says::OptedOut(opted_out) => letter::opted_out(opted_out, terms),
    }
}

/// The lead with what was asked this time, when and by whom.
fn asked_again<'a>(payload: AssignedPayload<'a>, repeat: RepeatedPayload<'a>) -> AssignedPayload<'a> {
    AssignedPayload {
        offer: repeat.offer,
        source: repeat.source,
        received_at: repeat.received_at,
        message: repeat.message,
        ..payload
    }
}
