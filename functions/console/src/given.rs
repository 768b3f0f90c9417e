//! The secrets that dealers give us, for the templates of their channels, and sources, for their platforms: set and taken
//! away, never shown.
//!
//! Determinations:
//!
//! - *Written, never read*: the list has names and when they were set. Whoever lost one asks the dealer or the sender.
//! - *By the desk or the dealer itself*: what the dealer sets with its own token nobody else sees. A source's are the
//!   desk's to set: its senders have no word on who is let in.
//! - *One that is set again stands at once*: a dealer's system that takes both for a while makes that its own
//!   affair. What is under way is sent with whatever it was written with.
//! - *A source gives what its kind has a use for*: the secret of its own app at Meta.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use leadyard_domain::delivery::{Giver, Owner, Sealed, SourceGives, check_secret_name};
use leadyard_domain::error::{Code, Invalid};
use leadyard_domain::ids::{ActId, CompanyId, SourceId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::SourceKind;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, body};
use leadyard_platform::store::{Act, GivenSecret, GivenSecrets};
use leadyard_platform::who::{self, DeskOf, MANAGES, OfDealer};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::inbox::{ROUNDS, crowded};

/// `GET /v1/dealers/{dealer}/secrets?company`: their names.
pub(crate) async fn list(
    State(cloud): State<Cloud>,
    OfDealer { company, dealer, .. }: OfDealer<MANAGES>,
) -> Result<Json<Value>, Problem> {
    names(&cloud, &company, Giver::Dealer(&dealer)).await
}

/// `PUT /v1/dealers/{dealer}/secrets/{name}?company`: `{"secret": "…"}`.
pub(crate) async fn set(
    State(cloud): State<Cloud>,
    of: OfDealer<MANAGES>,
    Path((_, name)): Path<(String, String)>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let secret = secret_of(request).await?;
    change_dealers(&cloud, of, &name, Some(&secret)).await
}

/// `DELETE /v1/dealers/{dealer}/secrets/{name}?company`.
pub(crate) async fn take_away(
    State(cloud): State<Cloud>,
    of: OfDealer<MANAGES>,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    change_dealers(&cloud, of, &name, None).await
}

async fn change_dealers(
    cloud: &Cloud,
    OfDealer { company, dealer, desk }: OfDealer<MANAGES>,
    name: &str,
    secret: Option<&str>,
) -> Result<Json<Value>, Problem> {
    let by = desk.map_or_else(|| format!("dealer:{dealer}"), |desk| desk.staff);
    check_secret_name(name).map_err(|rule| Problem::new(Code::InvalidField, rule.to_string()))?;
    let owner = Owner { company: &company, giver: Giver::Dealer(&dealer), name };
    change(cloud, owner, by, secret).await
}

/// `GET /v1/sources/{source}/secrets?company`: their names.
pub(crate) async fn list_of_source(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<MANAGES>,
    Path(source): Path<String>,
) -> Result<Json<Value>, Problem> {
    names(&cloud, &company, Giver::Source(&source_id(&source)?)).await
}

/// `PUT /v1/sources/{source}/secrets/meta_app_secret?company`: `{"secret": "…"}`.
pub(crate) async fn set_of_source(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    Path((source, name)): Path<(String, String)>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let secret = secret_of(request).await?;
    let (source, name) = (source_id(&source)?, source_gives(&name)?);
    let core = who::rules_of(&cloud, &company).await?;
    let kind = core.source(&source).ok_or_else(no_source)?.kind;
    match name {
        SourceGives::MetaAppSecret if kind != SourceKind::Meta => {
            let detail = format!("{name} is for a source of kind meta; this one is of kind {kind}");
            return Err(Problem::new(Code::InvalidField, detail));
        }
        SourceGives::MetaAppSecret => {}
    }
    let owner = Owner { company: &company, giver: Giver::Source(&source), name: name.as_str() };
    change(&cloud, owner, desk.staff, Some(&secret)).await
}

/// `DELETE /v1/sources/{source}/secrets/{name}?company`: also of a source that the rulebook has no more.
pub(crate) async fn take_away_of_source(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    Path((source, name)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (source, name) = (source_id(&source)?, source_gives(&name)?);
    let owner = Owner { company: &company, giver: Giver::Source(&source), name: name.as_str() };
    change(&cloud, owner, desk.staff, None).await
}

fn no_source() -> Problem {
    Problem::new(Code::NotFound, "there is no such source")
}

fn source_id(source: &str) -> Result<SourceId, Problem> {
    SourceId::new(source).map_err(|_| no_source())
}

fn source_gives(name: &str) -> Result<SourceGives, Problem> {
    name.parse().map_err(|rule: Invalid| Problem::new(Code::InvalidField, rule.to_string()))
}

#[derive(Deserialize)]
struct SetBody {
    secret: String,
}

async fn secret_of(request: Body) -> Result<String, Problem> {
    let malformed = || Problem::new(Code::MalformedBody, r#"the body is {"secret": "…"}"#);
    let sent: SetBody =
        serde_json::from_slice(&body(request, limits::BODY_BYTES).await?).map_err(|_| malformed())?;
    Ok(sent.secret)
}

/// What the giver is called in answers and changes: `{"dealer": "hudson"}`.
fn told(giver: Giver<'_>, more: Value) -> Value {
    let mut told = match giver {
        Giver::Dealer(dealer) => json!({ "dealer": dealer }),
        Giver::Source(source) => json!({ "source": source }),
    };
    if let (Some(members), Value::Object(more)) = (told.as_object_mut(), more) {
        members.extend(more);
    }
    told
}

async fn names(cloud: &Cloud, company: &CompanyId, giver: Giver<'_>) -> Result<Json<Value>, Problem> {
    let given = cloud.store.given_secrets(company, giver).await?;
    let all: Vec<Value> = given
        .secrets
        .iter()
        .map(|(name, secret)| json!({ "name": name, "set_at": secret.at, "by": secret.by }))
        .collect();
    Ok(Json(told(giver, json!({ "secrets": all }))))
}

async fn change(
    cloud: &Cloud,
    owner: Owner<'_>,
    by: String,
    secret: Option<&str>,
) -> Result<Json<Value>, Problem> {
    let Owner { company, giver, name } = owner;
    for _ in 0..ROUNDS {
        let now = cloud.clock.now();
        let stands = cloud.store.given_secrets(company, giver).await?;
        let mut next: GivenSecrets = stands.clone();
        let act = match secret {
            Some(secret) => {
                let sealed = Sealed::seal(cloud.master.bytes(), owner, cloud.entropy.bytes(), secret)
                    .map_err(|rule| Problem::new(Code::InvalidField, rule.to_string()))?;
                next.secrets.insert(name.to_owned(), GivenSecret { sealed, at: now, by: by.clone() });
                "given_secret_set"
            }
            None if next.secrets.remove(name).is_none() => {
                return Err(Problem::new(Code::NotFound, "no secret of this name was given"));
            }
            None => "given_secret_taken_away",
        };
        if next.secrets.len() > limits::SECRETS_PER_DEALER {
            let detail = format!("a dealer has at most {} secrets", limits::SECRETS_PER_DEALER);
            return Err(Problem::new(Code::StateConflict, detail));
        }
        let told = |given: &GivenSecrets| {
            let set_at = given.secrets.get(name).map(|secret| secret.at);
            told(giver, json!({ "secret": name, "set_at": set_at }))
        };
        let act = Act {
            id: ActId::mint(now, cloud.entropy.bytes()),
            at: now,
            by: by.clone(),
            act: act.to_owned(),
            reason: None,
            before: told(&stands).to_string(),
            after: told(&next).to_string(),
        };
        if cloud.store.given_secrets_change(company, giver, &next, &act).await? {
            return Ok(Json(told(&next)));
        }
        tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
    }
    Err(crowded())
}
