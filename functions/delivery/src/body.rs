//! What a dealer is sent of a lead: the webhook's JSON, or the letter that says the same.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use leadyard_domain::access::AnswerLink;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::dealer::ChannelKind;
use leadyard_domain::delivery::letter::{self, Letter, Links, Terms};
use leadyard_domain::delivery::{Address, AssignedPayload, Consent, Person};
use leadyard_domain::enquiry::Understood;
use leadyard_domain::lead::{Answer, AssignmentState, Lead};
use leadyard_domain::limits;
use leadyard_domain::place::State;
use leadyard_domain::rulebook::MailSender;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging;
use leadyard_platform::store::StoreError;

use crate::channels::Channels;

/// What a message says, in the form that its channel takes.
pub(crate) enum Content {
    Json(String),
    Letter(Letter),
}

/// The form that a channel takes.
pub(crate) enum Form {
    Json,
    Letter(Terms),
}

impl Form {
    /// Of a message about this assignment, by a channel of this kind.
    pub(crate) fn of(
        cloud: &Cloud,
        lead: &Lead,
        assignment: &Assignment,
        channels: &Channels,
        kind: ChannelKind,
    ) -> Self {
        match kind {
            ChannelKind::Inbox | ChannelKind::Webhook | ChannelKind::Sqs => Self::Json,
            ChannelKind::Mail => Self::Letter(terms(cloud, lead, assignment, channels)),
        }
    }

    /// A message in this form: its body, or the letter that says the same.
    pub(crate) fn content(
        &self,
        body: impl FnOnce() -> String,
        letter: impl FnOnce(&Terms) -> Letter,
    ) -> Content {
        match self {
            Self::Json => Content::Json(body()),
            Self::Letter(terms) => Content::Letter(letter(terms)),
        }
    }
}

/// Who letters of a company come from.
pub(crate) fn sender(cloud: &Cloud, lead: &Lead) -> Option<MailSender> {
    cloud.rulebooks.known(&lead.company)?.company.mail.clone()
}

fn terms(cloud: &Cloud, lead: &Lead, assignment: &Assignment, channels: &Channels) -> Terms {
    let core = cloud.rulebooks.known(&lead.company);
    let offer = core.as_ref().and_then(|core| core.offer(&lead.offer)).map(|offer| offer.name.clone());
    Terms {
        company: core.map_or_else(|| lead.company.to_string(), |core| core.company.name.clone()),
        offer: offer.unwrap_or_else(|| lead.offer.to_string()),
        zone: channels.zone(),
        links: links(cloud, assignment),
    }
}

/// Where the dealer answers by a click: while there is something to answer.
fn links(cloud: &Cloud, assignment: &Assignment) -> Option<Links> {
    let console = cloud.mail.console_url().filter(|_| assignment.state == AssignmentState::Offered)?;
    // From the offer on, so that every attempt says the same.
    let days = SignedDuration::from_hours(24 * limits::ANSWER_LINK_DAYS);
    let until = assignment.offered_at.saturating_add(days).unwrap_or(assignment.offered_at);
    let link = |answer| {
        let token = cloud.master.mint(&AnswerLink {
            lead: assignment.lead,
            cycle: assignment.cycle,
            assignment: assignment.id,
            answer,
            until_s: until.as_second(),
        });
        format!("{console}/answer/{token}")
    };
    Some(Links { accept: link(Answer::Accept), decline: link(Answer::Decline) })
}

/// The body of an assignment: the same bytes at every attempt, as long as the lead is the same. Until the
/// dealer has accepted what it must accept, without the person.
pub(crate) async fn assigned(
    cloud: &Cloud,
    lead: &Lead,
    assignment: &Assignment,
    form: &Form,
) -> Result<Content, StoreError> {
    let core = cloud.rulebooks.known(&lead.company);
    let source = core.as_ref().and_then(|core| core.source(&lead.source));
    let understood = judging::opening(cloud, source, lead, None).await?;
    let state = lead.person.state.map(State::as_str);
    let zip = lead.person.zip.map(|zip| zip.to_string());
    let extra: BTreeMap<&str, &str> = understood
        .as_ref()
        .map(|understood| {
            understood.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        })
        .unwrap_or_default();
    let person = &lead.person;
    let payload = AssignedPayload {
        assignment: assignment.id,
        lead: lead.id,
        dealer: &assignment.dealer,
        contract: &assignment.contract,
        company: &lead.company,
        category: &lead.category,
        offer: &lead.offer,
        source: &lead.source,
        campaign: lead.campaign.as_deref(),
        received_at: lead.opened_at,
        assigned_at: assignment.offered_at,
        accept_by: assignment.accept_by.map(|by| by.at),
        band: lead.score.as_ref().map(|score| score.band),
        price: assignment.price,
        person: Person {
            first_name: person.first_name.as_deref(),
            last_name: person.last_name.as_deref(),
            email: person.email.as_deref(),
            phone: person.phone.as_deref(),
        },
        address: Address {
            street: person.street.as_deref(),
            city: person.city.as_deref(),
            state,
            zip: zip.as_deref(),
        },
        message: understood.as_ref().and_then(|understood| understood.message.as_deref()).map(Into::into),
        consent: understood.as_ref().map(consent).unwrap_or_default(),
        extra,
        test: false,
        masked: false,
        truncated: false,
    };
    let payload = if assignment.masked() { payload.masked() } else { payload };
    Ok(match form {
        Form::Json => Content::Json(payload.body(assignment.offered_at).unwrap_or_default()),
        Form::Letter(terms) => Content::Letter(letter::assigned(&payload, terms)),
    })
}

fn consent(understood: &Understood) -> Consent<'_> {
    Consent {
        given: understood.consent.given.unwrap_or(false),
        text: understood.consent.text.as_deref().map(Into::into),
        certificate: understood.consent.trusted_form.as_deref().or(understood.consent.leadid.as_deref()),
    }
}
