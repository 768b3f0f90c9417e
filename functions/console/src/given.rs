//! The secrets that dealers give us, for the templates of their channels: set and taken away, never shown.
//!
//! Determinations:
//!
//! - *Written, never read*: the list has names and when they were set. Whoever lost one asks the dealer.
//! - *By the desk or the dealer itself*: what the dealer sets with its own token nobody else sees.
//! - *One that is set again stands at once*: a dealer's system that takes both for a while makes that its own
//!   affair. What is under way is sent with whatever it was written with.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use leadyard_domain::delivery::{Owner, Sealed, check_secret_name};
use leadyard_domain::error::Code;
use leadyard_domain::ids::ActId;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, body};
use leadyard_platform::store::{Act, GivenSecret, GivenSecrets};
use leadyard_platform::who::OfDealer;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::inbox::{ROUNDS, crowded};

/// `GET /v1/dealers/{dealer}/secrets?company`: their names.
pub(crate) async fn list(
    State(cloud): State<Cloud>,
    OfDealer { company, dealer, .. }: OfDealer,
) -> Result<Json<Value>, Problem> {
    let given = cloud.store.given_secrets(&company, &dealer).await?;
    let all: Vec<Value> = given
        .secrets
        .iter()
        .map(|(name, secret)| json!({ "name": name, "set_at": secret.at, "by": secret.by }))
        .collect();
    Ok(Json(json!({ "dealer": dealer, "secrets": all })))
}

#[derive(Deserialize)]
struct SetBody {
    secret: String,
}

/// `PUT /v1/dealers/{dealer}/secrets/{name}?company`: `{"secret": "…"}`.
pub(crate) async fn set(
    State(cloud): State<Cloud>,
    of: OfDealer,
    Path((_, name)): Path<(String, String)>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let malformed = || Problem::new(Code::MalformedBody, r#"the body is {"secret": "…"}"#);
    let sent: SetBody =
        serde_json::from_slice(&body(request, limits::BODY_BYTES).await?).map_err(|_| malformed())?;
    change(&cloud, of, &name, Some(&sent.secret)).await
}

/// `DELETE /v1/dealers/{dealer}/secrets/{name}?company`.
pub(crate) async fn take_away(
    State(cloud): State<Cloud>,
    of: OfDealer,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    change(&cloud, of, &name, None).await
}

async fn change(
    cloud: &Cloud,
    OfDealer { company, dealer, desk }: OfDealer,
    name: &str,
    secret: Option<&str>,
) -> Result<Json<Value>, Problem> {
    let by = desk.map_or_else(|| format!("dealer:{dealer}"), |desk| desk.staff);
    check_secret_name(name).map_err(|rule| Problem::new(Code::InvalidField, rule.to_string()))?;
    for _ in 0..ROUNDS {
        let now = cloud.clock.now();
        let stands = cloud.store.given_secrets(&company, &dealer).await?;
        let mut next: GivenSecrets = stands.clone();
        let act = match secret {
            Some(secret) => {
                let owner = Owner { company: &company, dealer: &dealer, name };
                let sealed = Sealed::seal(cloud.master.bytes(), owner, cloud.entropy.bytes(), secret)
                    .map_err(|rule| Problem::new(Code::InvalidField, rule.to_string()))?;
                next.secrets.insert(name.to_owned(), GivenSecret { sealed, at: now, by: by.clone() });
                "given_secret_set"
            }
            None if next.secrets.remove(name).is_none() => {
                return Err(Problem::new(Code::NotFound, "this dealer has no secret of this name"));
            }
            None => "given_secret_taken_away",
        };
        if next.secrets.len() > limits::SECRETS_PER_DEALER {
            let detail = format!("a dealer has at most {} secrets", limits::SECRETS_PER_DEALER);
            return Err(Problem::new(Code::StateConflict, detail));
        }
        let told = |given: &GivenSecrets| json!({ "dealer": dealer, "secret": name, "set_at": given.secrets.get(name).map(|secret| secret.at) });
        let act = Act {
            id: ActId::mint(now, cloud.entropy.bytes()),
            at: now,
            by: by.clone(),
            act: act.to_owned(),
            reason: None,
            before: told(&stands).to_string(),
            after: told(&next).to_string(),
        };
        if cloud.store.given_secrets_change(&company, &dealer, &next, &act).await? {
            return Ok(Json(told(&next)));
        }
        tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
    }
    Err(crowded())
}
