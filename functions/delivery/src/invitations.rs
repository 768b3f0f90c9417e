//! An invitation to sign in: one mail to somebody of the desk or to a dealer, from their company's sender.
//!
//! It is no lead's: no channel, no breaker and no retry. It is sent once: a duplicate of the message finds it begun, and a
//! message of an act that another has followed finds that one's. A process that dies in the middle leaves it without an
//! end, and whoever manages the company is offered to invite them again. What the mail says is made here, where it is
//! known at which address the console is.

use leadyard_domain::assignment::Attempt;
use leadyard_domain::delivery::{Mail, MailEvent, MailFate, letter};
use leadyard_domain::ids::{ActId, AssignmentId, CompanyId};
use leadyard_domain::rulebook::{Company, Invitee, MailSender};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::mail::Invited;
use leadyard_platform::store::{Invitation, StoreError};

use crate::assigned::ROUNDS;
use crate::post;

/// Where one signs in, below the console's address.
const SIGN_IN: &str = "/console/sign-in";

/// Makes the one attempt, and keeps how it ended.
pub(crate) async fn deliver(
    cloud: &Cloud,
    company: &CompanyId,
    to: &Invitee,
    act: ActId,
) -> Result<(), StoreError> {
    let Some(mut invitation) = cloud.store.invitation_get(company, to).await? else { return Ok(()) };
    if invitation.begun || invitation.act != act {
        return Ok(());
    }
    // Read first: once it has begun nobody begins it again.
    let core = cloud.rulebooks.current(&cloud.store, company).await?;
    let address = invitation.address.take();
    invitation.begun = true;
    if !cloud.store.invitation_save(&invitation).await? {
        return Ok(());
    }
    let attempt = attempt(cloud, &invitation, address, core.as_ref().map(|core| &core.company)).await;
    tracing::info!(
        company.id = %company, invited.kind = to.kind(), attempt.end = %attempt.end, attempt.what = %attempt.what,
        "somebody was invited"
    );
    changed(cloud, company, to, act, |next| next.attempt = Some(attempt.clone())).await
}

/// Changes what is kept of an invitation of this act, and nothing of another.
async fn changed(
    cloud: &Cloud,
    company: &CompanyId,
    to: &Invitee,
    act: ActId,
    change: impl Fn(&mut Invitation),
) -> Result<(), StoreError> {
    for _ in 0..ROUNDS {
        let stands = cloud.store.invitation_get(company, to).await?;
        let Some(mut next) = stands.filter(|stands| stands.act == act) else { return Ok(()) };
        change(&mut next);
        if cloud.store.invitation_save(&next).await? {
            return Ok(());
        }
    }
    Err(StoreError::Contended)
}

async fn attempt(
    cloud: &Cloud,
    invitation: &Invitation,
    address: Option<String>,
    of: Option<&Company>,
) -> Attempt {
    let now = cloud.clock.now();
    match mail(cloud, invitation, address, of) {
        Err(why) => post::unsent(why, now),
        Ok(mail) => {
            let (company, to) = (invitation.company.clone(), invitation.to.clone());
            let about = Invited { company, to, act: invitation.act };
            post::mailed(cloud.mail.send(&mail, about.tags(), now).await, now)
        }
    }
}

/// What is sent; or, in one word, why nothing is.
fn mail(
    cloud: &Cloud,
    invitation: &Invitation,
    address: Option<String>,
    of: Option<&Company>,
) -> Result<Mail, &'static str> {
    let of = of.ok_or("no_sender")?;
    let MailSender { from, name: from_name } = of.mail.clone().ok_or("no_sender")?;
    let console = cloud.mail.console_url().ok_or("no_console_url")?;
    let to = address.ok_or("no_address")?;
    Ok(Mail {
        from,
        from_name,
        to,
        letter: letter::invitation(&of.name, &invitation.to, &format!("{console}{SIGN_IN}")),
        id: format!("{}-{}", invitation.act, invitation.to),
        // An id that names nothing: mails of one act are of one kind.
        about: AssignmentId::from_bytes(*invitation.act.bytes()),
    })
}

/// Keeps that the mail of an invitation came back. One that is known to have come back says no more.
pub(crate) async fn came_back(cloud: &Cloud, event: &MailEvent, of: &Invited) -> Result<(), StoreError> {
    match event.fate {
        // An automatic reply is the mailbox's.
        MailFate::Other | MailFate::Delivered | MailFate::Unsure => return Ok(()),
        MailFate::Bounced | MailFate::Returned | MailFate::Refused | MailFate::Complained => {}
    }
    tracing::info!(
        company.id = %of.company, invited.kind = of.to.kind(), mail.fate = %event.fate, "an invitation came back"
    );
    changed(cloud, &of.company, &of.to, of.act, |next| {
        next.came_back.get_or_insert_with(|| event.fate.to_string());
    })
    .await
}
