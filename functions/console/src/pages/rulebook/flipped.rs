//! Stop and shadow, flipped with a reason; and the log of what the desk did to a company.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, CompanyId};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::history;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::store::Act;
use leadyard_platform::who::{self, MANAGES, READS};
use serde::Deserialize;
use serde_json::{Map, Value};

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
        at: shown::written(&zone, act.at),
        by: act.by.clone(),
        act: done(act),
        reason: act.reason.clone().unwrap_or_default(),
        changed: changed(act, &zone),
    });
    Ok(Page {
        frame: Frame::of("Changes", "rulebook", signed),
        companies: Choice::companies(cloud, &signed.desk, &company),
        rows: rows.collect(),
        next: next.unwrap_or_default(),
        company: company.to_string(),
    })
}

/// What was done; of a switch, whether it was lifted, or stood so already.
fn done(act: &Act) -> String {
    let word = shown::word(&act.act);
    let on = |text: &str| {
        let members = serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
        members
            .values()
            .map(|value| value.as_array().map_or(usize::from(value == true), Vec::len))
            .sum::<usize>()
    };
    if !history::is_flip(act) {
        return word;
    }
    match (act.before == act.after, on(&act.after) < on(&act.before)) {
        (true, _) => format!("{word}, as it was"),
        (false, true) => format!("{word}, lifted"),
        (false, false) => word,
    }
}

/// Member by member, what it says otherwise; of a list, what was taken from it and what is new.
fn changed(act: &Act, zone: &TimeZone) -> Vec<String> {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let (before, after) = (read(&act.before), read(&act.after));
    let (Some(was), Some(is)) = (before.as_object(), after.as_object()) else {
        let lines = differs(&before, &after, zone);
        return lines.into_iter().map(|(was, is)| format!("{was} → {is}")).collect();
    };
    let mut names: Vec<&String> = was.keys().chain(is.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let member = |name: &String| {
        let lines =
            differs(was.get(name).unwrap_or(&Value::Null), is.get(name).unwrap_or(&Value::Null), zone);
        let name = shown::word(name.as_str());
        lines.into_iter().map(move |(was, is)| format!("{name}: {was} → {is}"))
    };
    names.into_iter().flat_map(member).collect()
}

/// What stood there and what stands there now, once for each that is not the same; of none, "nothing".
fn differs(was: &Value, is: &Value, zone: &TimeZone) -> Vec<(String, String)> {
    let items = |value: &Value| match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.clone(),
        one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one.clone()],
    };
    let is_list = was.is_array() || is.is_array();
    let (was, is) = (items(was), items(is));
    let mut new: Vec<&Value> = is.iter().filter(|one| !was.contains(one)).collect();
    let said = |one: Option<&Value>| one.map_or_else(|| "nothing".to_owned(), |one| item(one, zone));
    let mut lines = Vec::new();
    for old in was.iter().filter(|one| !is.contains(one)) {
        // Of a list, one of the same name is what became of it.
        let became = |one: &&Value| !is_list || same_name(one, old);
        let at = new.iter().position(became);
        lines.push((said(Some(old)), said(at.map(|at| new.remove(at)))));
    }
    lines.extend(new.into_iter().map(|one| (said(None), said(Some(one)))));
    lines
}

/// Both are called the same.
fn same_name(one: &Value, other: &Value) -> bool {
    one.get("id").is_some_and(|id| Some(id) == other.get("id"))
}

/// One of a list: its name, and what is said of it, with the instants in the company's zone.
fn item(value: &Value, zone: &TimeZone) -> String {
    let Some(members) = value.as_object() else { return short(&text(value), 160) };
    let name = members.get("id").map(text).unwrap_or_default();
    let rest = members.iter().filter(|(name, value)| *name != "id" && !value.is_null());
    let rest = rest.map(|(name, value)| {
        let at = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let said = at.map_or_else(|| text(value), |at| shown::written(zone, at));
        if name == "reason" { said } else { format!("{} {said}", shown::word(name.as_str())) }
    });
    let rest = rest.collect::<Vec<_>>().join(", ");
    let said = match (name.is_empty(), rest.is_empty()) {
        (true, _) => rest,
        (false, true) => name,
        (false, false) => format!("{name} ({rest})"),
    };
    short(&said, 160)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn act(act: &str, before: &Value, after: &Value) -> Act {
        let (id, at) = (ActId::from_bytes([1; 16]), Timestamp::UNIX_EPOCH);
        let (before, after) = (before.to_string(), after.to_string());
        Act { id, at, by: "dora".to_owned(), act: act.to_owned(), reason: None, before, after }
    }

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        changed(&act("pause", before, after), &TimeZone::UTC)
    }

    #[test]
    fn a_switch_that_is_lifted_is_called_so() {
        let of = |ids: &[&str]| json!({ "dealers": ids, "contracts": ["roof"] });
        assert_eq!(done(&act("pause", &of(&["ridge"]), &of(&[]))), "pause, lifted");
        assert_eq!(done(&act("pause", &of(&[]), &of(&["ridge"]))), "pause");
        assert_eq!(done(&act("pause", &of(&["ridge"]), &of(&["ridge"]))), "pause, as it was");
        assert_eq!(done(&act("stop", &json!({ "stop": true }), &json!({ "stop": false }))), "stop, lifted");
        assert_eq!(done(&act("stop", &json!({ "stop": false }), &json!({ "stop": true }))), "stop");
        assert_eq!(done(&act("publish", &json!({ "told": [1] }), &json!({ "told": [] }))), "publish");
    }

    #[test]
    fn of_a_list_only_what_came_and_what_went_is_said_and_in_words() {
        let away = |id: &str, until: &str| json!({ "id": id, "reason": "on vacation", "until": until });
        let (ridge, hudson) = (away("ridge", "2026-12-02T13:58:44.245Z"), json!({ "id": "hudson" }));
        let of = |list: &[&Value]| json!({ "dealers": list });
        let told = "ridge (on vacation, until Wed, Dec 2, 2026, 1:58 PM UTC)";
        assert_eq!(lines(&of(&[&hudson]), &of(&[&hudson, &ridge])), [format!("dealers: nothing → {told}")]);
        assert_eq!(lines(&of(&[&ridge, &hudson]), &of(&[&hudson])), [format!("dealers: {told} → nothing")]);
        let longer = away("ridge", "2026-12-03T13:58:44.245Z");
        let became = "ridge (on vacation, until Thu, Dec 3, 2026, 1:58 PM UTC)";
        assert_eq!(lines(&of(&[&ridge]), &of(&[&longer])), [format!("dealers: {told} → {became}")]);
        assert_eq!(lines(&json!({ "stop": false }), &json!({ "stop": true })), ["stop: false → true"]);
        assert_eq!(lines(&json!({}), &json!({ "told": [] })), Vec::<String>::new());
    }
}
