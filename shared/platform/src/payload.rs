//! What a dealer is shown of a lead: the same in a message and in its inbox.

use std::collections::BTreeMap;

use leadyard_domain::assignment::Assignment;
use leadyard_domain::delivery::{Address, AssignedPayload, Consent, Person};
use leadyard_domain::enquiry::Understood;
use leadyard_domain::lead::Lead;
use leadyard_domain::place::State;

/// A seat for whoever writes it, with what opened its cycle, if that is still kept. Until the dealer has accepted what
/// it must accept, without the person.
pub fn assigned<Written>(
    lead: &Lead,
    assignment: &Assignment,
    understood: Option<&Understood>,
    write: impl FnOnce(AssignedPayload<'_>) -> Written,
) -> Written {
    let state = lead.person.state.map(State::as_str);
    let zip = lead.person.zip.map(|zip| zip.to_string());
    let extra: BTreeMap<&str, &str> = understood
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
        message: understood.and_then(|understood| understood.message.as_deref()).map(Into::into),
        consent: understood.map(consent).unwrap_or_default(),
        extra,
        test: false,
        masked: false,
        truncated: false,
    };
    let payload = if assignment.masked() { payload.masked() } else { payload };
    write(payload)
}

/// What the person agreed to.
pub fn consent(understood: &Understood) -> Consent<'_> {
    Consent {
        given: understood.consent.given.unwrap_or(false),
        text: understood.consent.text.as_deref().map(Into::into),
        certificate: understood.consent.trusted_form.as_deref().or(understood.consent.leadid.as_deref()),
        leadid: understood.consent.leadid.as_deref().filter(|_| understood.consent.trusted_form.is_some()),
    }
}
