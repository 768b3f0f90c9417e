//! What a dealer is sent of a lead, before it has a form; and what a letter says beside it.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use leadyard_domain::access::AnswerLink;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::calling;
use leadyard_domain::delivery::AssignedPayload;
use leadyard_domain::delivery::letter::{CallWhen, Links, Terms};
use leadyard_domain::lead::{Answer, AssignmentState, Lead};
use leadyard_domain::limits;
use leadyard_domain::rulebook::MailSender;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::store::StoreError;
use leadyard_platform::{judging, payload};

/// An assignment as it was sold, for whoever writes it: the same at every attempt, as long as the lead is the same. Until
/// the dealer has accepted what it must accept, without the person.
pub(crate) async fn assigned<Written>(
    cloud: &Cloud,
    lead: &Lead,
    assignment: &Assignment,
    write: impl FnOnce(AssignedPayload<'_>) -> Written,
) -> Result<Written, StoreError> {
    let core = cloud.rulebooks.known(&lead.company);
    let sold = judging::sold(cloud, core.as_deref(), lead, assignment).await?;
    Ok(payload::assigned(&sold.lead, assignment, sold.understood.as_ref(), write))
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
