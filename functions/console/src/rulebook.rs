//! The rulebook: what is in force, and publishing a whole one. One with an error is never published,
//! not even in part.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use leadyard_domain::error::Code;
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, body};
use leadyard_platform::store::Published;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::who;

#[derive(Deserialize)]
pub(crate) struct WhichQuery {
    pub(crate) company: Option<String>,
}

/// `GET /v1/rulebook?company`.
pub(crate) async fn current(
    State(cloud): State<Cloud>,
    Query(query): Query<WhichQuery>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let desk = who::desk(&cloud, &headers)?;
    let company = who::company(&desk, query.company.as_deref())?;
    let pointer = cloud.store.rulebook_pointer(&company).await?;
    let pointer = pointer.ok_or_else(|| Problem::new(Code::NotFound, "this company has no rulebook yet"))?;
    Ok(Json(json!({ "company": company, "version": pointer.version, "at": pointer.at, "by": pointer.by })))
}

#[derive(Deserialize)]
pub(crate) struct PublishQuery {
    /// The version this one was made from; 0 for the first.
    base: Option<u64>,
    dry_run: Option<String>,
}

#[derive(Deserialize)]
struct PublishBody {
    files: BTreeMap<String, String>,
}

/// `PUT /v1/rulebook?base&dry_run`: `{"files": {"company.toml": "…", …}}`.
pub(crate) async fn publish(
    State(cloud): State<Cloud>,
    Query(query): Query<PublishQuery>,
    headers: HeaderMap,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let desk = who::desk(&cloud, &headers)?;
    // JSON escapes cost some: twice the rulebook's own limit, which is checked on what was escaped.
    let bytes = body(request, 2 * limits::RULEBOOK_BYTES).await?;
    let sent: PublishBody = serde_json::from_slice(&bytes)
        .map_err(|_| Problem::new(Code::MalformedBody, r#"the body is {"files": {"company.toml": "…"}}"#))?;
    let refused = |problems: Value, detail: &str| {
        Problem::new(Code::RulebookRefused, detail).with("problems", problems)
    };
    let files = sent.files.into_iter().map(|(name, text)| (name, text.into_bytes()));
    let files =
        RulebookFiles::new(files).map_err(|problems| refused(json!(problems), "the files were not taken"))?;
    let book =
        Rulebook::parse(&files).map_err(|problems| refused(json!(problems), "the rulebook has errors"))?;
    let company = who::company(&desk, Some(book.company.id.as_str()))?;
    let compiled = book.compile(0).map_err(|rule| refused(Value::Null, &rule.to_string()))?;
    let failed: Vec<_> = book
        .tests
        .iter()
        .map(|test| compiled.examine(test))
        .filter(|examined| !examined.differences.is_empty())
        .collect();
    if !failed.is_empty() {
        return Err(refused(json!(failed), "the rulebook's own tests fail"));
    }
    let now = cloud.clock.now();
    let warnings = book.check(now.to_zoned(jiff::tz::TimeZone::UTC).date());
    let in_force = cloud.store.rulebook_pointer(&company).await?.map_or(0, |pointer| pointer.version);
    if query.dry_run.is_some() {
        return Ok(Json(json!({ "company": company, "in_force": in_force, "warnings": warnings })));
    }
    let base = query.base.unwrap_or(in_force);
    if base != in_force {
        return Err(behind(in_force));
    }
    match cloud.store.rulebook_publish(&compiled, &files, base, &desk.staff, now).await? {
        Published::Behind(version) => Err(behind(version)),
        Published::Version(version) => {
            tracing::info!(company.id = %company, rulebook.version = version, "a rulebook was published");
            wake_all(&cloud, &compiled.core.offers, &company).await;
            Ok(Json(json!({ "company": company, "version": version, "warnings": warnings })))
        }
    }
}

fn behind(version: u64) -> Problem {
    Problem::new(Code::VersionConflict, format!("version {version} is in force; look at it first"))
        .with("version", version)
}

/// Best effort: the due index is the truth.
pub(crate) async fn wake_all(
    cloud: &Cloud,
    offers: &[leadyard_domain::rulebook::Offer],
    company: &leadyard_domain::ids::CompanyId,
) {
    let mut categories: Vec<_> = offers.iter().map(|offer| &offer.category).collect();
    categories.sort_unstable();
    categories.dedup();
    for category in categories {
        if let Err(error) = cloud.queues.wake_to_distribution(company, category).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "waking is left to the sweep");
        }
    }
}
