//! Any lead, by what is known of it; and lists in their order.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use leadyard_domain::lead::Stage;
use leadyard_domain::place::State as UsState;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::who::READS;
use serde::Deserialize;

use super::shown::{Choice, Row};
use super::signed::{self, For, Signed};
use super::{Frame, address, rendered, troubled};
use crate::find::{self, Asked, Found, Only};

/// What the address says. No person ever stands in it: they are asked for by a form's body.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Shown {
    company: Option<String>,
    list: Option<String>,
    offer: Option<String>,
    held: Option<String>,
    state: Option<String>,
    after: Option<String>,
}

#[derive(askama::Template)]
#[template(path = "leads.html")]
struct Leads {
    frame: Frame,
    companies: Vec<Choice>,
    lists: Vec<Choice>,
    offers: Vec<Choice>,
    /// The same list in anybody's hands, nobody's or somebody's.
    held: Vec<Choice>,
    states: Vec<Choice>,
    rows: Vec<Row>,
    examined: usize,
    /// Where the next page is.
    next: String,
    /// Why nothing was found by a person's e-mail, phone or id.
    trouble: String,
    /// What was asked for by a form.
    by_person: bool,
}

/// `GET /console/leads?company&list&offer&held&state&after`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(shown): Query<Shown>,
) -> Response {
    match listed(&cloud, &signed, &shown).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn listed(cloud: &Cloud, signed: &Signed, shown: &Shown) -> Result<Leads, Problem> {
    let core = signed.rules_of(cloud, shown.company.as_deref()).await?;
    let text = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let list = text(&shown.list).unwrap_or_else(|| "hottest".to_owned());
    let mut asked = Asked { after: text(&shown.after), ..Asked::default() };
    match list.split_once(':') {
        Some(("source", source)) => asked.source = Some(source.to_owned()),
        Some(("dealer", dealer)) => asked.dealer = Some(dealer.to_owned()),
        _ if list == "hottest" => asked.hottest = true,
        _ => asked.stage = Some(list.clone()),
    }
    asked.only = Only {
        offer: text(&shown.offer).and_then(|offer| offer.parse().ok()),
        held: match shown.held.as_deref() {
            Some("yes") => Some(true),
            Some("no") => Some(false),
            _ => None,
        },
        state: text(&shown.state),
        ..Only::default()
    };
    let found = find::find(cloud, &signed.desk, &core, &asked).await?;
    let next = found.next.as_ref().map(|next| {
        address(
            "/console/leads",
            &[
                ("company", core.company_id().as_str()),
                ("list", &list),
                ("offer", shown.offer.as_deref().unwrap_or_default()),
                ("held", shown.held.as_deref().unwrap_or_default()),
                ("state", shown.state.as_deref().unwrap_or_default()),
                ("after", next),
            ],
        )
    });
    let mut page = frame(cloud, signed, &core, &found);
    page.next = next.unwrap_or_default();
    let mut lists = vec![Choice::of("hottest", "hottest now", Some(&list))];
    lists.extend(
        Stage::ALL
            .iter()
            .filter(|stage| **stage != Stage::Quarantined)
            .map(|stage| Choice::of(stage, stage, Some(&list))),
    );
    lists.extend(core.sources.iter().map(|source| {
        Choice::of(&format!("source:{}", source.id), &format!("from {}", source.id), Some(&list))
    }));
    if let Some(("dealer", dealer)) = list.split_once(':') {
        lists.push(Choice::of(&list, &format!("with {dealer}"), Some(&list)));
    }
    page.lists = lists;
    page.offers =
        core.offers.iter().map(|offer| Choice::of(&offer.id, &offer.name, shown.offer.as_deref())).collect();
    page.states =
        UsState::ALL.iter().map(|state| Choice::of(state, state.name(), shown.state.as_deref())).collect();
    let held = shown.held.as_deref();
    page.held = vec![Choice::of("no", "nobody's", held), Choice::of("yes", "a dealer's", held)];
    Ok(page)
}

fn frame(cloud: &Cloud, signed: &Signed, core: &leadyard_domain::distribution::Core, found: &Found) -> Leads {
    let now = cloud.clock.now();
    Leads {
        frame: Frame::of("Leads", "leads", signed),
        companies: Choice::companies(&signed.desk, core.company_id()),
        lists: Vec::new(),
        offers: Vec::new(),
        held: Vec::new(),
        states: Vec::new(),
        rows: found.leads.iter().map(|(lead, score)| Row::of(core, lead, score.as_ref(), now)).collect(),
        examined: found.examined,
        next: String::new(),
        trouble: String::new(),
        by_person: false,
    }
}

/// `POST /console/leads`: `who`, an e-mail, a phone or an id, which stand in no address. One lead is opened at once.
pub(super) async fn by_person(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = match signed::form(&signed, &headers, body).await {
        Ok(form) => form,
        Err(problem) => return troubled(&signed, &problem),
    };
    match sought(&cloud, &signed, &form).await {
        Err(problem) => troubled(&signed, &problem),
        Ok(page) => match page.rows.as_slice() {
            [only] => Redirect::to(&format!("/console/leads/{}", only.lead)).into_response(),
            _ => rendered(&page, StatusCode::OK),
        },
    }
}

async fn sought(cloud: &Cloud, signed: &Signed, form: &BTreeMap<String, String>) -> Result<Leads, Problem> {
    let core = signed.rules_of(cloud, form.get("company").map(String::as_str)).await?;
    let who = form.get("who").map(|who| who.trim().to_owned()).unwrap_or_default();
    let mut asked = Asked::default();
    if who.parse::<leadyard_domain::ids::LeadId>().is_ok() {
        asked.lead = Some(who);
    } else if who.contains('@') {
        asked.email = Some(who);
    } else {
        asked.phone = Some(who);
    }
    let (found, trouble) = match find::find(cloud, &signed.desk, &core, &asked).await {
        Ok(found) if found.leads.is_empty() => (
            found,
            "Nobody is known by that here. An e-mail, a phone or an id is looked for exactly.".to_owned(),
        ),
        Ok(found) => (found, String::new()),
        Err(problem) if problem.code() == leadyard_domain::error::Code::InvalidField => {
            let said = problem.faults().first().map(|fault| fault.detail.clone()).unwrap_or_default();
            (Found::default(), said)
        }
        Err(problem) => return Err(problem),
    };
    let mut page = frame(cloud, signed, &core, &found);
    page.trouble = trouble;
    page.by_person = true;
    Ok(page)
}
