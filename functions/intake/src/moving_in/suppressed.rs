//! Suppression and do-not-call lists: an e-mail or phone is kept as its keyed hash alone. What arrives from one
//! that is suppressed is kept in quarantine, and nobody hears of it. A lead of that person that nobody holds is
//! rejected; who holds one keeps it and is told nothing. Taken off the list, such a lead goes to distribution after
//! all, unless another e-mail or phone of it is still on. A phone on the do-not-call list is a sign against an
//! enquiry, unless the person agreed to be called in it; it rejects no lead and opens none, but who waits is looked at
//! again, since a contract may need a clean list.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use leadyard_domain::history::Listed;
use leadyard_domain::identity::{IdentityHash, IdentityKey};
use leadyard_domain::ids::{ActId, LeadId};
use leadyard_domain::lead::{Lead, Stage};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::store::{Act, List, StoreError, Suppression};
use leadyard_platform::who::{DeskOf, MANAGES};
use serde_json::{Value, json};

use super::{Asked, Office, Request, Row, Status, let_in};

/// Rows that are written side by side.
const ABREAST: usize = 16;
/// How often a lead is looked at again when others changed it.
const ROUNDS: usize = 40;

/// `POST /v1/import/suppressed?company&dry_run`: `{"rows": [{"email": …, "reason": "unsubscribed"}, {"phone": …,
/// "remove": true}]}`.
pub(super) async fn import(
    State(office): State<Office>,
    who: DeskOf<MANAGES>,
    Query(asked): Query<Asked>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    import_list(List::Suppressed, office, who, asked, body).await
}

/// `POST /v1/import/do_not_call?company&dry_run`: the same, of phones alone.
pub(super) async fn import_do_not_call(
    State(office): State<Office>,
    who: DeskOf<MANAGES>,
    Query(asked): Query<Asked>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    import_list(List::DoNotCall, office, who, asked, body).await
}

async fn import_list(
    which: List,
    office: Office,
    who: DeskOf<MANAGES>,
    asked: Asked,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let cloud = &office.cloud;
    let request = let_in(cloud, who, asked, body).await?;
    let key = cloud.identity_key();
    let listed: Vec<Result<Listed, Row>> = request
        .rows
        .iter()
        .map(|row| {
            row.as_ref().map_err(|error| vec![error.clone()]).and_then(Listed::read).map_err(Row::refused)
        })
        .map(|one| one.and_then(|listed| fits(which, listed)))
        .collect();
    let removes = |one: &Result<Listed, Row>| one.as_ref().is_ok_and(|listed| listed.remove);
    let removed: Vec<bool> = listed.iter().map(removes).collect();
    let rows: Vec<Row> = stream::iter(listed)
        .map(|one| list(cloud, which, &request, &key, one))
        .buffered(ABREAST)
        .try_collect()
        .await?;
    let count = |remove: bool| {
        let changed = rows.iter().zip(&removed).filter(|(row, _)| row.status == Status::Imported);
        changed.filter(|(_, removed)| **removed == remove).count()
    };
    let (act, what) = match which {
        List::Suppressed => ("suppress", "suppressed"),
        List::DoNotCall => ("do_not_call", "do_not_call"),
    };
    let (on, off) = (count(false), count(true));
    if !request.dry_run && on + off > 0 {
        let act = request.act(cloud, act, &json!({}), &json!({ "put_on": on, "taken_off": off }));
        cloud.store.change_keep(&request.company, &act).await?;
    }
    Ok(request.answer(what, &rows))
}

/// An e-mail cannot be called.
fn fits(which: List, listed: Listed) -> Result<Listed, Row> {
    match which {
        List::DoNotCall if listed.email.is_some() => {
            Err(Row::refused_for("email", "a do-not-call list has phone numbers alone"))
        }
        List::DoNotCall | List::Suppressed => Ok(listed),
    }
}

async fn list(
    cloud: &Cloud,
    which: List,
    request: &Request,
    key: &IdentityKey,
    one: Result<Listed, Row>,
) -> Result<Row, StoreError> {
    let listed = match one {
        Ok(listed) => listed,
        Err(refused) => return Ok(refused),
    };
    let company = &request.company;
    let email = listed.email.as_ref().map(|email| IdentityHash::of_email(key, company, email));
    let phone = listed.phone.as_ref().map(|phone| IdentityHash::of_phone(key, company, phone));
    let change = if listed.remove { Suppression::Off } else { Suppression::On(listed.reason.as_deref()) };
    let mut status = Status::Already;
    let mut leads = Vec::new();
    for hash in email.into_iter().chain(phone) {
        let changed = if request.dry_run {
            cloud.store.identity_listed(which, &hash).await? == listed.remove
        } else {
            cloud.store.identity_list(which, &hash, change, cloud.clock.now()).await?
        };
        if changed {
            status = Status::Imported;
        }
        // After the list says so: whose lead was kept before this is found here, whose comes later finds the
        // list. Also of who is on it already: a run that broke off is run again.
        for known in cloud.store.identity_scopes(&hash).await? {
            match which {
                List::Suppressed => leads.extend(moves(cloud, request, known.lead, listed.remove).await?),
                List::DoNotCall => looked_at_again(cloud, request, known.lead).await?,
            }
        }
    }
    leads.sort_unstable();
    leads.dedup();
    let named = if listed.remove { "reopened" } else { "rejected" };
    let more = (!leads.is_empty()).then(|| (named, json!(leads))).into_iter().collect();
    Ok(Row { more, ..Row::of(status) })
}

/// Rejects a lead that nobody holds, or opens again what was rejected so; which, if there was anything to do. Of one
/// that was merged, the survivor: the other is nobody's to sell any more.
async fn moves(
    cloud: &Cloud,
    request: &Request,
    id: LeadId,
    remove: bool,
) -> Result<Option<LeadId>, StoreError> {
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let Some(mut lead) = cloud.store.lead_surviving(id).await? else { return Ok(None) };
        let now = cloud.clock.now();
        let before = lead.stage;
        if remove {
            let free = request.dry_run || !cloud.on_lists(&lead).await?.suppressed;
            if !lead.is_suppressed() || !free {
                return Ok(None);
            }
            lead.reopen(now);
        } else if !lead.suppress(now) {
            return Ok(None);
        }
        if request.dry_run {
            return Ok(Some(lead.id));
        }
        let act = Act {
            id: ActId::mint(now, cloud.entropy.bytes()),
            at: now,
            by: request.desk.staff.clone(),
            act: if remove { "unsuppress" } else { "suppress" }.to_owned(),
            reason: None,
            before: json!({ "stage": before }).to_string(),
            after: json!({ "stage": lead.stage }).to_string(),
        };
        if cloud.store.lead_act(&lead, &act).await? {
            reopened(cloud, &lead).await;
            return Ok(Some(lead.id));
        }
    }
    Err(StoreError::Contended)
}

/// Who waits for a contract that needs a clean list may have it now, or not any more. Distribution asks the list.
async fn looked_at_again(cloud: &Cloud, request: &Request, id: LeadId) -> Result<(), StoreError> {
    let lead = cloud.store.lead_surviving(id).await?.filter(|lead| lead.stage == Stage::Waiting);
    if let Some(lead) = lead.filter(|_| !request.dry_run) {
        cloud.store.lead_due_by(lead.id, cloud.clock.now()).await?;
        cloud.hand_to_distribution(&lead).await;
    }
    Ok(())
}

async fn reopened(cloud: &Cloud, lead: &Lead) {
    if lead.wants_distribution() {
        cloud.hand_to_distribution(lead).await;
    }
}
