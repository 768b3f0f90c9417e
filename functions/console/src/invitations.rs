//! Staff and dealers are told that they may sign in: each gets one mail from the company's sender, which delivery sends.
//!
//! Determinations:
//!
//! - *An act sends nobody two mails*, and nobody one who was invited since its page was shown: an act's id says when that
//!   was, and of everybody the last act is kept. The same form again hands on what of it is not being
//!   sent yet, and nothing else.
//! - *At most [`limits::INVITATIONS`] in one act*, in one commit with who made it, to be found in the company's changes by
//!   their ids; who is left is named, and invited by the next.
//! - *Nobody is invited who cannot get in*: without a sender, or where the installation does not know its console's address,
//!   nothing is offered.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, DealerId, PersonId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Invitee, Signer};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, body};
use leadyard_platform::store::{Act, Invitation};
use leadyard_platform::who::{DeskOf, MANAGES, Staff, rules_of};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::acts::record;
use crate::rulebook::ROUNDS;

/// How far a page's clock may be ahead of this one's, in milliseconds.
const AHEAD_MS: i64 = 60_000;

/// Who is to be invited.
pub(crate) enum Wanted {
    /// These.
    Named(BTreeSet<Invitee>),
    /// Those of these who were not invited yet.
    Unsent(BTreeSet<Invitee>),
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
    /// Its queue did not take them all, of these: the same act again hands them on.
    pub(crate) unhanded: Vec<Invitee>,
}

/// Everybody invited last, by who they are.
pub(crate) type Stand = BTreeMap<Invitee, Invitation>;

/// What a program asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    people: BTreeSet<PersonId>,
    #[serde(default)]
    dealers: BTreeSet<DealerId>,
    /// Its own id of the act, by which the same request again is known.
    #[serde(default)]
    act: Option<ActId>,
}

/// `GET /v1/invitations?company`: everybody of the rules in force who may sign in, and what became of the mail that they
/// were invited by.
pub(crate) async fn list(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<MANAGES>,
) -> Result<Json<Value>, Problem> {
    let core = rules_of(&cloud, &company).await?;
    let book = cloud.rulebooks.book(&cloud.store, &core).await?;
    let stand = stand(&cloud, &core).await?;
    let signers = book.map(|book| book.signers()).unwrap_or_default();
    let told = signers.iter().map(|signer| {
        let to = signer.invitee();
        let invited = stand.get(&to).map(|one| {
            json!({
                "at": one.at, "by": one.by, "act": one.act, "attempt": one.attempt, "came_back": one.came_back,
            })
        });
        json!({ "kind": to.kind(), "id": to.id(), "takes_mail": signer.takes_mail(), "invited": invited })
    });
    Ok(Json(json!({ "company": company, "invitations": told.collect::<Vec<_>>() })))
}

/// `POST /v1/invitations?company`: `{"people": ["ben"], "dealers": ["hudson"], "act": "0197…"}`.
pub(crate) async fn make(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    request: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let malformed = |_| {
        let detail = r#"the body is {"people": ["ben"], "dealers": ["hudson"]}, and perhaps "act", a UUID"#;
        Problem::new(Code::MalformedBody, detail)
    };
    let asked: Asked =
        serde_json::from_slice(&body(request, limits::BODY_BYTES).await?).map_err(malformed)?;
    let act = match asked.act {
        Some(act) if is_ahead(&cloud, act) => {
            return Err(Problem::new(Code::InvalidField, "act is of a time to come"));
        }
        Some(act) => act,
        None => ActId::mint(cloud.clock.now(), cloud.entropy.bytes()),
    };
    let people = asked.people.into_iter().map(Invitee::Person);
    let named: BTreeSet<Invitee> = people.chain(asked.dealers.into_iter().map(Invitee::Dealer)).collect();
    let core = rules_of(&cloud, &company).await?;
    let book = cloud.rulebooks.book(&cloud.store, &core).await?;
    let signers = book.map(|book| book.signers()).unwrap_or_default();
    let reached: BTreeSet<Invitee> =
        signers.iter().filter(|signer| signer.takes_mail()).map(Signer::invitee).collect();
    if let Some(unknown) = named.difference(&reached).next() {
        let detail = format!("no {} {} has an address that takes mail", unknown.kind(), unknown.id());
        return Err(Problem::new(Code::InvalidField, detail));
    }
    if named.is_empty() {
        return Err(Problem::new(Code::InvalidField, "nobody is named"));
    }
    let done = invite(&cloud, &desk, &core, &signers, (act, &Wanted::Named(named))).await?;
    if !done.unhanded.is_empty() {
        let detail = format!("not every mail could be handed on: ask once more, with \"act\": \"{act}\"");
        return Err(Problem::new(Code::Unavailable, detail).retry_after(5));
    }
    let left = |kind: &str| -> Vec<&str> {
        done.left.iter().filter(|one| one.kind() == kind).map(Invitee::id).collect()
    };
    let told = json!({ "act": act, "left": { "people": left("person"), "dealers": left("dealer") } });
    Ok((StatusCode::ACCEPTED, Json(told)))
}

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

/// Whether an act is of a time to come: it would keep everybody from being invited until then.
fn is_ahead(cloud: &Cloud, act: ActId) -> bool {
    act.minted_ms() > cloud.clock.now().as_millisecond() + AHEAD_MS
}

/// The id of an act, as its page gave it.
pub(crate) fn act_of(cloud: &Cloud, once: &str) -> Result<ActId, Problem> {
    let act = once.parse().ok().filter(|act| !is_ahead(cloud, *act));
    act.ok_or_else(|| {
        Problem::new(Code::InvalidField, "this form is of no page of ours: load the page again")
    })
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
        let unhanded = if cloud.hand_invitations(company, &handed).await {
            Vec::new()
        } else {
            handed.into_iter().map(|one| one.to).collect()
        };
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
        let is_unsent = known.is_none_or(|one| one.is_unsent(now));
        let is_wanted = match (wanted, &to) {
            (Wanted::Named(named), _) => named.contains(&to),
            (Wanted::Unsent(named), _) => is_unsent && named.contains(&to),
            (Wanted::People, Invitee::Person(_)) | (Wanted::Dealers, Invitee::Dealer(_)) => is_unsent,
            (Wanted::People, Invitee::Dealer(_)) | (Wanted::Dealers, Invitee::Person(_)) => false,
        };
        // By this act, or since its page was shown: pages are sent in another order than they are opened in.
        let since = |one: &Invitation| one.act >= act || one.at.as_millisecond() > act.minted_ms();
        if !is_wanted || known.is_some_and(since) {
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
