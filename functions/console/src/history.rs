//! History for a backtest: decisions, what they read, what came of them. No person is in it.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use leadyard_domain::backtest::Event;
use leadyard_domain::error::Code;
use leadyard_domain::ids::CompanyId;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::history;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::who::{DeskOf, READS};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Deserialize)]
pub(crate) struct WindowQuery {
    from: String,
    to: String,
    after: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Page {
    company: CompanyId,
    events: Vec<Event>,
    next: Option<String>,
}

/// `GET /v1/history?from=2026-05-01T00:00:00Z&to=…&after=`: what happened from an instant to before another, a
/// page at a time, in no order; `next` is what to send as `after`, and null on the last page.
pub(crate) async fn page(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
    Query(query): Query<WindowQuery>,
) -> Result<Json<Page>, Problem> {
    let (from, to) = (instant("from", &query.from)?, instant("to", &query.to)?);
    if to <= from {
        return Err(Problem::new(Code::InvalidField, "to: it is after from"));
    }
    let after = query.after.as_deref().map(|text| read_place("after", text)).transpose()?;
    let (events, next) = history::page(&cloud, &company, (from, to), after).await?;
    let next = next.as_ref().map(written_place);
    Ok(Json(Page { company, events, next }))
}

fn instant(field: &str, text: &str) -> Result<Timestamp, Problem> {
    let rule = || format!("{field}: an instant is written 2026-05-01T00:00:00Z, from 1970 to 9999");
    let at: Timestamp = text.parse().map_err(|_| Problem::new(Code::InvalidField, rule()))?;
    if at < Timestamp::UNIX_EPOCH {
        return Err(Problem::new(Code::InvalidField, rule()));
    }
    Ok(at)
}

/// Where a page ended, as it is told.
pub(crate) fn written_place(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(json!(place).to_string())
}

/// Where a page ended, as it was told; a problem names the parameter.
pub(crate) fn read_place<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    place.ok_or_else(|| {
        Problem::new(Code::InvalidField, format!("{name}: send what the page before gave as next"))
    })
}
