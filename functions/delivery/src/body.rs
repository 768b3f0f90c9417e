//! What a dealer is sent of a lead, before it has a form; and what a letter says beside it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use leadyard_domain::access::AnswerLink;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::calling;
use leadyard_domain::delivery::letter::{CallWhen, Links, Terms};
use leadyard_domain::delivery::{Address, AssignedPayload, Consent, Person};
use leadyard_domain::enquiry::Understood;
use leadyard_domain::lead::{Answer, AssignmentState, Lead};
use leadyard_domain::limits;
use leadyard_domain::place::State;
use leadyard_domain::rulebook::MailSender;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging;
use leadyard_platform::store::StoreError;

/// An assignment, for whoever writes it: the same at every attempt, as long as the lead is the same. Until the
/// dealer has accepted what it must accept, without the person.
pub(crate) async fn assigned<Written>(
    cloud: &Cloud,
    lead: &Lead,
    assignment: &Assignment,
    write: impl FnOnce(AssignedPayload<'_>) -> Written,
) -> Result<Written, StoreError> {
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
    Ok(write(payload))
}

fn consent(understood: &Understood) -> Consent<'_> {
    Consent {
        given: understood.consent.given.unwrap_or(false),
        text: understood.consent.text.as_deref().map(Into::into),
        certificate: understood.consent.trusted_form.as_deref().or(understood.consent.leadid.as_deref()),
        leadid: understood.consent.leadid.as_deref().filter(|_| understood.consent.trusted_form.is_some()),
    }
}

/// Who letters of a company come from.
pub(crate) fn sender(cloud: &Cloud, lead: &Lead) -> Option<MailSender> {
    cloud.rulebooks.known(&lead.company)?.company.mail.clone()
}

/// What a letter about this assignment says beside the message.
pub(crate) fn terms(cloud: &Cloud, lead: &Lead, links: Option<Links>, zone: TimeZone) -> Terms {
    let core = cloud.rulebooks.known(&lead.company);
    let offer = core.as_ref().and_then(|core| core.offer(&lead.offer)).map(|offer| offer.name.clone());
    let hours = core.as_ref().map_or(calling::FEDERAL, |core| core.company.call_hours);
    Terms {
        company: core.map_or_else(|| lead.company.to_string(), |core| core.company.name.clone()),
        offer: offer.unwrap_or_else(|| lead.offer.to_string()),
        zone,
        call: Some(CallWhen { hours, zones: calling::zones(lead.location()).0 }),
        links,
    }
}

/// Where the dealer answers by a click: while there is something to answer.
pub(crate) fn links(cloud: &Cloud, assignment: &Assignment) -> Option<Links> {
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
