//! Tokens for programs: made, listed and taken away by a manager. A token is shown once, to whoever made it; it is for one
//! company and one role, and may have an end.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use leadyard_domain::access::{ApiToken, Role};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, PersonId};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, body};
use leadyard_platform::store::KeptToken;
use leadyard_platform::who::{DeskOf, MANAGES, Staff};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::acts::record;

/// How long ago a moment is at most, in seconds: the second of two clicks comes within it.
const MOMENT_S: i64 = 120;

/// `GET /v1/tokens?company`.
pub(crate) async fn list(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<MANAGES>,
) -> Result<Json<Value>, Problem> {
    let now = cloud.clock.now();
    let tokens: Vec<Value> = all(&cloud, &company).await?.iter().map(|token| tell(token, now)).collect();
    Ok(Json(json!({ "tokens": tokens })))
}

/// The tokens of a company, the newest first.
pub(crate) async fn all(cloud: &Cloud, company: &CompanyId) -> Result<Vec<KeptToken>, Problem> {
    let mut tokens = cloud.store.tokens(company).await?;
    tokens.sort_by(|one, other| other.made_at.cmp(&one.made_at).then_with(|| one.id.cmp(&other.id)));
    Ok(tokens)
}

fn tell(token: &KeptToken, now: Timestamp) -> Value {
    json!({
        "id": token.id, "name": token.name, "role": token.role, "by": token.by, "made_at": token.made_at,
        "until": token.until, "over": token.is_over(now), "used_on": token.used_on,
    })
}

/// What a token is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) until: Option<Timestamp>,
}

/// `POST /v1/tokens?company`: `{"name": "crm", "role": "desk", "until": "2027-01-01T00:00:00Z"}`.
pub(crate) async fn make(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    request: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let malformed = |_| {
        Problem::new(
            Code::MalformedBody,
            r#"the body is {"name": "crm", "role": "desk"}, and perhaps "until""#,
        )
    };
    let asked: Asked =
        serde_json::from_slice(&body(request, limits::BODY_BYTES).await?).map_err(malformed)?;
    let (token, kept) = made(&cloud, &desk, &company, &asked).await?;
    let mut told = tell(&kept, cloud.clock.now());
    if let Some(members) = told.as_object_mut() {
        members.insert("token".to_owned(), json!(token.reveal()));
    }
    Ok((StatusCode::CREATED, Json(told)))
}

/// Makes a token: the token itself, which nobody sees again, and what is kept of it.
pub(crate) async fn made(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    asked: &Asked,
) -> Result<(ApiToken, KeptToken), Problem> {
    let wrong = |detail: String| Problem::new(Code::InvalidField, detail);
    let name = PersonId::new(&asked.name).map_err(|rule| wrong(format!("name: {rule}")))?;
    let role: Role =
        asked.role.parse().map_err(|rule: leadyard_domain::error::Invalid| wrong(rule.to_string()))?;
    let now = cloud.clock.now();
    if asked.until.is_some_and(|until| until <= now) {
        return Err(wrong("until lies in the past".to_owned()));
    }
    let stand = cloud.store.tokens(company).await?;
    if let Some(stands) = stand.iter().find(|token| token.name == name.as_str()) {
        let is_of_now = now.duration_since(stands.made_at).as_secs() < MOMENT_S;
        // The answer to the first of two clicks alone has the token, and a browser shows the second's.
        let detail = if is_of_now && stands.by == desk.staff && stands.role == role {
            "a token of this name stands already: it was made a moment ago, perhaps by the first of two clicks. \
             It is shown once: take it away and make it anew"
        } else {
            "a token of this name stands already: take it away first"
        };
        return Err(Problem::new(Code::StateConflict, detail));
    }
    if stand.len() >= limits::API_TOKENS {
        let detail = format!("a company has at most {} tokens: take one away first", limits::API_TOKENS);
        return Err(Problem::new(Code::StateConflict, detail));
    }
    let token = ApiToken::mint(company.clone(), cloud.entropy.bytes(), cloud.entropy.bytes());
    let kept = KeptToken {
        id: token.id.clone(),
        name: name.to_string(),
        role,
        by: desk.staff.clone(),
        made_at: now,
        until: asked.until,
        used_on: None,
        hash: token.hash(),
    };
    let after = json!({ "token": kept.id, "name": kept.name, "role": kept.role, "until": kept.until });
    let act = record(cloud, desk, "token_made", None, &json!({}), &after);
    if !cloud.store.token_make(company, &kept, &act).await? {
        return Err(Problem::new(Code::Unavailable, "others made tokens meanwhile; try again").retry_after(1));
    }
    tracing::info!(company.id = %company, token.id = %kept.id, staff = %desk.staff, "a token was made");
    Ok((token, kept))
}

/// `DELETE /v1/tokens/{token}?company`: lets nobody in from now on.
pub(crate) async fn revoke(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    Path(token): Path<String>,
) -> Result<Json<Value>, Problem> {
    revoked(&cloud, &desk, &company, &token).await?;
    Ok(Json(json!({ "id": token, "revoked": true })))
}

/// Takes a token away.
pub(crate) async fn revoked(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    id: &str,
) -> Result<(), Problem> {
    let missing = || Problem::new(Code::NotFound, "there is no such token");
    let tokens = cloud.store.tokens(company).await?;
    let token = tokens.iter().find(|token| token.id == id).ok_or_else(missing)?;
    let before = json!({ "token": token.id, "name": token.name, "role": token.role });
    let act = record(cloud, desk, "token_revoked", None, &before, &json!({}));
    if !cloud.store.token_revoke(company, id, &act).await? {
        return Err(missing());
    }
    tracing::info!(company.id = %company, token.id = %id, staff = %desk.staff, "a token was taken away");
    Ok(())
}
