//! Stop and shadow, flipped with a reason; and the log of what the desk did to a company.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, CompanyId};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::store::Act;
use leadyard_platform::who::{self, MANAGES, READS};
use serde::Deserialize;
use serde_json::Value;

use super::told::{short, text};
use super::versions::{refused, zone_of};
use super::{AT, back_to};
use crate::acts;
use crate::pages::shown::{self, Choice};
use crate::pages::signed::{For, Form, Sent, Signed};
use crate::pages::{Frame, address, rendered, troubled};
use crate::switches::{self, Flip};

/// Changes on one page.
const LISTED: i32 = 50;

/// `POST /console/rulebook/switch`: `switch` (`stop` or `shadow`), `on` (`yes` or `no`), `reason`.
pub(in crate::pages) async fn flip(
    State(cloud): State<Cloud>,
    Sent { signed: For(signed), form }: Sent<For<MANAGES>>,
) -> Response {
    let company = match who::company(&signed.desk, form.get("company").map(String::as_str)) {
        Ok(company) => company,
        Err(problem) => return troubled(&signed, &problem),
    };
    match flipped(&cloud, &signed, &company, &form).await {
        Ok(done) => Redirect::to(&back_to(&company, done)).into_response(),
        Err(problem) => Box::pin(refused(&cloud, &signed, &company, (&problem, &form))).await,
    }
}

/// Flips it, unless it stands so: the form says what it asks for, and not that it be turned over. What was done.
async fn flipped(
    cloud: &Cloud,
    signed: &Signed,
    company: &CompanyId,
    form: &Form,
) -> Result<&'static str, Problem> {
    let on = form.get("on").map(String::as_str) == Some("yes");
    let (stands, _) = cloud.store.switches_get(company).await?;
    let (switch, stands, done) = match form.get("switch").map(String::as_str) {
        Some("stop") => ("stop", stands.stop, if on { "stop" } else { "start" }),
        Some("shadow") => ("shadow", stands.shadow, if on { "shadow" } else { "act" }),
        Some(_) | None => return Err(Problem::new(Code::NotFound, "a switch is stop or shadow")),
    };
    if stands == on {
        return Ok("stood");
    }
    let reason = acts::note("reason", form.get("reason").cloned())?;
    let reason = reason.ok_or_else(|| Problem::new(Code::InvalidField, "say why: the next one asks"))?;
    let flip = Flip { on, reason: Some(reason), ..Flip::default() };
    switches::flipped(cloud, &signed.desk, company, switch, &flip).await?;
    Ok(done)
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Asked {
    company: String,
    /// Before which of them the page begins: its instant in Unix milliseconds, and itself.
    at: Option<i64>,
    act: String,
}

#[derive(askama::Template)]
#[template(path = "changes.html")]
struct Page {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    rows: Vec<Row>,
    next: String,
}

struct Row {
    at: String,
    by: String,
    act: String,
    reason: String,
    /// What it changed, `stop: false → true`.
    changed: Vec<String>,
}

/// `GET /console/rulebook/changes?company`: who did what to the company, the newest first.
pub(in crate::pages) async fn changes(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(asked): Query<Asked>,
) -> Response {
    match listed(&cloud, &signed, &asked).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn listed(cloud: &Cloud, signed: &Signed, asked: &Asked) -> Result<Page, Problem> {
    let company = signed.company_of(&asked.company)?;
    let before = asked.at.and_then(|ms| {
        let act: ActId = asked.act.parse().ok()?;
        Some((Timestamp::from_millisecond(ms).ok()?, act))
    });
    let acts = cloud.store.changes_of(&company, before, LISTED + 1).await?;
    let of_page = usize::try_from(LISTED).unwrap_or_default();
    let last = acts.get(of_page.saturating_sub(1)).filter(|_| acts.len() > of_page);
    let next = last.map(|last| {
        let (at, act) = (last.at.as_millisecond().to_string(), last.id.to_string());
        address(&format!("{AT}/changes"), &[("company", company.as_str()), ("at", &at), ("act", &act)])
    });
    let zone = zone_of(cloud, &company);
    let rows = acts.iter().take(of_page).map(|act| Row {
        at: act.at.to_zoned(zone.clone()).strftime("%a, %b %-d, %Y, %-I:%M %p %Z").to_string(),
        by: act.by.clone(),
        act: shown::word(&act.act),
        reason: act.reason.clone().unwrap_or_default(),
        changed: changed(act),
    });
    Ok(Page {
        frame: Frame::of("Changes", "rulebook", signed),
        companies: Choice::companies(&signed.desk, &company),
        rows: rows.collect(),
        next: next.unwrap_or_default(),
        company: company.to_string(),
    })
}

/// Member by member, what it says otherwise.
fn changed(act: &Act) -> Vec<String> {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let (before, after) = (read(&act.before), read(&act.after));
    let said = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::Array(list)) if list.is_empty() => "nothing".to_owned(),
        Some(value) => short(&text(value), 160),
    };
    let (Some(was), Some(is)) = (before.as_object(), after.as_object()) else {
        if before == after {
            return Vec::new();
        }
        return vec![format!("{} → {}", said(Some(&before)), said(Some(&after)))];
    };
    let mut names: Vec<&String> = was.keys().chain(is.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let differs = names.into_iter().filter(|name| was.get(*name) != is.get(*name));
    differs
        .map(|name| {
            format!("{}: {} → {}", shown::word(name.as_str()), said(was.get(name)), said(is.get(name)))
        })
        .collect()
}
