//! Staff and dealers are told that they may sign in: each gets one mail from the company's sender, which delivery sends.
//!
//! Determinations:
//!
//! - *An act sends nobody two mails*, and nobody one who was invited since its page was shown: acts are in the order in
//!   which their pages were, and of everybody the last act is kept. The same form again hands on what of it is not being
//!   sent yet, and nothing else.
//! - *At most [`limits::INVITATIONS`] in one act*, in one commit with who made it, to be found in the company's changes by
//!   their ids; who is left is named, and invited by the next.
//! - *Nobody is invited who cannot get in*: without a sender, or where the installation does not know its console's address,
//!   nothing is offered.

use std::collections::{BTreeMap, BTreeSet};

use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::ActId;
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Invitee, Signer};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::store::{Act, Invitation};
use leadyard_platform::who::Staff;
use serde_json::{Map, Value, json};

use crate::acts::record;
use crate::rulebook::ROUNDS;

/// How far a page's clock may be ahead of this one's, in milliseconds.
const AHEAD_MS: i64 = 60_000;

/// Who is to be invited.
pub(crate) enum Wanted {
    /// These.
    Named(BTreeSet<Invitee>),
    /// Everybody of the desk who was not invited yet.
    People,
    /// Every dealer that was not.
    Dealers,
}

/// What an act came to.
#[derive(Default)]
pub(crate) struct Invited {
    /// More than one act invites: they are for the next.
    pub(crate) left: Vec<Invitee>,
    /// Delivery did not take them all: the same act again hands them on.
    pub(crate) unhanded: bool,
}

/// Everybody invited last, by who they are.
pub(crate) type Stand = BTreeMap<Invitee, Invitation>;

/// How everybody who was invited stands.
pub(crate) async fn stand(cloud: &Cloud, core: &Core) -> Result<Stand, Problem> {
    let all = cloud.store.invitations(core.company_id()).await?;
    Ok(all.into_iter().map(|one| (one.to.clone(), one)).collect())
}

/// Why a company invites nobody by mail; `None` where it can.
pub(crate) fn hindered(cloud: &Cloud, core: &Core) -> Option<&'static str> {
    if core.company.mail.is_none() {
        return Some("the rulebook names no sender of mail: [mail] in company.toml");
    }
    let unknown = "this installation does not know the address of its console: LEADYARD_CONSOLE_URL";
    cloud.mail.console_url().is_none().then_some(unknown)
}

/// The id of an act, as its page gave it.
pub(crate) fn act_of(cloud: &Cloud, once: &str) -> Result<ActId, Problem> {
    let stale = || Problem::new(Code::InvalidField, "this form is of no page of ours: load the page again");
    let act: ActId = once.parse().map_err(|_| stale())?;
    // One of a time to come would keep everybody from being invited until then.
    if act.minted_ms() > cloud.clock.now().as_millisecond() + AHEAD_MS {
        return Err(stale());
    }
    Ok(act)
}

/// Invites them.
pub(crate) async fn invite(
    cloud: &Cloud,
    desk: &Staff,
    core: &Core,
    signers: &[Signer],
    (act, wanted): (ActId, &Wanted),
) -> Result<Invited, Problem> {
    if let Some(why) = hindered(cloud, core) {
        return Err(Problem::new(Code::StateConflict, format!("nobody is invited: {why}")));
    }
    let company = core.company_id();
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let stand = stand(cloud, core).await?;
        let (new, left) = chosen(cloud, desk, core, &stand, (signers, act, wanted));
        if !new.is_empty() && !cloud.store.invitations_make(company, &new, &noted(cloud, desk, &new)).await? {
            continue;
        }
        let made = new.len();
        let of_act = stand.into_values().filter(|one| one.act == act && !one.begun);
        let handed: Vec<Invitation> = of_act.chain(new.into_iter().map(|(one, _)| one)).collect();
        let unhanded = !cloud.hand_invitations(company, &handed).await;
        tracing::info!(company.id = %company, staff = %desk.staff, invited = made, "people were invited");
        return Ok(Invited { left, unhanded });
    }
    Err(Problem::new(Code::Unavailable, "others invite at this moment: try again").retry_after(1))
}

/// The invitations of an act that are still to be made, each with the version that stands; and who is left.
fn chosen(
    cloud: &Cloud,
    desk: &Staff,
    core: &Core,
    stand: &Stand,
    (signers, act, wanted): (&[Signer], ActId, &Wanted),
) -> (Vec<(Invitation, Option<u64>)>, Vec<Invitee>) {
    let now = cloud.clock.now();
    let mut room = limits::INVITATIONS.saturating_sub(stand.values().filter(|one| one.act == act).count());
    let (mut new, mut left) = (Vec::new(), Vec::new());
    for signer in signers.iter().filter(|signer| signer.takes_mail()) {
        let to = signer.invitee();
        let known = stand.get(&to);
        let is_wanted = match (wanted, &to) {
            (Wanted::Named(named), _) => named.contains(&to),
            (Wanted::People, Invitee::Person(_)) | (Wanted::Dealers, Invitee::Dealer(_)) => {
                known.is_none_or(|one| one.is_unsent(now))
            }
            (Wanted::People, Invitee::Dealer(_)) | (Wanted::Dealers, Invitee::Person(_)) => false,
        };
        if !is_wanted || known.is_some_and(|one| one.act >= act) {
            continue;
        }
        if room == 0 {
            left.push(to);
            continue;
        }
        room -= 1;
        let invitation = Invitation {
            company: core.company_id().clone(),
            to,
            act,
            at: now,
            by: desk.staff.clone(),
            address: Some(signer.email.clone()),
            begun: false,
            attempt: None,
            came_back: None,
            v: known.map_or(0, |one| one.v + 1),
        };
        new.push((invitation, known.map(|one| one.v)));
    }
    (new, left)
}

/// Who is invited, by their ids alone.
fn noted(cloud: &Cloud, desk: &Staff, new: &[(Invitation, Option<u64>)]) -> Act {
    let mut after = Map::new();
    let ids = |kind: &str| -> Vec<&str> {
        new.iter().filter(|(one, _)| one.to.kind() == kind).map(|(one, _)| one.to.id()).collect()
    };
    for (name, ids) in [("people", ids("person")), ("dealers", ids("dealer"))] {
        if !ids.is_empty() {
            after.insert(name.to_owned(), json!(ids));
        }
    }
    record(cloud, desk, "invited", None, &json!({}), &Value::Object(after))
}
