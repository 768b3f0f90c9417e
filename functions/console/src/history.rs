//! History for a backtest: decisions, what they read, what came of them. No person is in it.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use leadyard_domain::error::Code;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::history;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::store::PageEnd;
use leadyard_platform::who::{DeskOf, READS};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub(crate) struct WindowQuery {
    from: String,
    to: String,
    after: Option<String>,
}

/// `GET /v1/history?from=2026-05-01T00:00:00Z&to=…&after=`: what happened from an instant to before another, a
/// page at a time, in no order; `next` is what to send as `after`, and null on the last page.
pub(crate) async fn page(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
    Query(query): Query<WindowQuery>,
) -> Result<Json<Value>, Problem> {
    let (from, to) = (instant("from", &query.from)?, instant("to", &query.to)?);
    if to <= from {
        return Err(Problem::new(Code::InvalidField, "to: it is after from"));
    }
    let after = query.after.as_deref().map(read).transpose()?;
    let (events, next) = history::page(&cloud, &company, (from, to), after).await?;
    Ok(Json(json!({ "company": company, "events": events, "next": next.as_ref().map(write) })))
}

fn instant(field: &str, text: &str) -> Result<Timestamp, Problem> {
    let rule = || format!("{field}: an instant is written 2026-05-01T00:00:00Z, from 1970 to 9999");
    let at: Timestamp = text.parse().map_err(|_| Problem::new(Code::InvalidField, rule()))?;
    if at < Timestamp::UNIX_EPOCH {
        return Err(Problem::new(Code::InvalidField, rule()));
    }
    Ok(at)
}

fn write(end: &PageEnd) -> String {
    URL_SAFE_NO_PAD.encode(json!(end).to_string())
}

fn read(text: &str) -> Result<PageEnd, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let end = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    end.ok_or_else(|| Problem::new(Code::InvalidField, "after: send what the page before gave as next"))
}
