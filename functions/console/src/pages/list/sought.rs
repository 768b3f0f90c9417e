//! Whoever is sought by an e-mail, a phone or an id, in any of one's companies.
//!
//! Determinations. *The company that is chosen is looked in first, and then the others*: who calls does not say whose lead
//! they are. A read for each, so of very many companies [`SOUGHT_IN`] are looked in, and it is said. *Nothing is done here
//! with leads of several companies at once*: a list and its acts are one company's.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use futures::future::join_all;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::scores::Scores;
use leadyard_platform::who::{self, READS};

use super::{AT, Leads, frame};
use crate::find::{self, Asked, Found};
use crate::pages::shown::Row;
use crate::pages::signed::{For, Form, Sent, Signed};
use crate::pages::{rendered, troubled};

/// Companies that are looked in.
const SOUGHT_IN: usize = 8;
/// Companies whose leads are shown side by side: the rules of each are read.
const SIDE_BY_SIDE: usize = 3;

/// `POST /console/leads`: `company`, and `who`: an e-mail, a phone or an id, which stand in no address. One lead is opened at
/// once.
pub(in crate::pages) async fn by_person(
    State(cloud): State<Cloud>,
    Sent { signed: For(signed), form }: Sent<For<READS>>,
) -> Response {
    match Box::pin(sought(&cloud, &signed, &form)).await {
        Err(problem) => troubled(&signed, &problem),
        Ok(Sought::One(lead)) => Redirect::to(&format!("{AT}/{lead}")).into_response(),
        Ok(Sought::Others(page)) => rendered(&*page, StatusCode::OK),
    }
}

/// What came of a search.
enum Sought {
    One(LeadId),
    /// Nobody, or several.
    Others(Box<Leads>),
}

async fn sought(cloud: &Cloud, signed: &Signed, form: &Form) -> Result<Sought, Problem> {
    let core = signed.rules_of(cloud, form.get("company").map_or("", String::as_str)).await?;
    let who = form.get("who").map(|who| who.trim().to_owned()).unwrap_or_default();
    let mut asked = Asked::default();
    if who.parse::<LeadId>().is_ok() {
        asked.lead = Some(who);
    } else if who.contains('@') {
        asked.email = Some(who);
    } else {
        asked.phone = Some(who);
    }
    let companies = companies(signed, core.company_id());
    let (leads, trouble) = match known(cloud, signed, &core, &companies, &asked).await {
        Ok(leads) if leads.is_empty() => (leads, nobody(signed)),
        Ok(leads) => (leads, String::new()),
        Err(problem) if problem.code() == Code::InvalidField => {
            let said = problem.faults().first().map(|fault| fault.detail.clone()).unwrap_or_default();
            (Vec::new(), said)
        }
        Err(problem) => return Err(problem),
    };
    if let [only] = leads.as_slice() {
        return Ok(Sought::One(only.id));
    }
    let mut page = Box::pin(several(cloud, signed, core, &leads)).await;
    page.trouble = trouble;
    page.by_person = true;
    if asked.lead.is_none() && companies.len() < signed.desk.companies.len() {
        let _ = write!(
            page.note,
            " Looked in {} of your {} companies: look from another one’s lists to look in it first.",
            companies.len(),
            signed.desk.companies.len()
        );
    }
    Ok(Sought::Others(Box::new(page)))
}

/// The companies that are looked in, the one that is chosen first: none but those that they were given.
fn companies(signed: &Signed, chosen: &CompanyId) -> Vec<CompanyId> {
    let others = signed.desk.companies.iter().filter(|company| *company != chosen);
    [chosen].into_iter().chain(others).take(SOUGHT_IN).cloned().collect()
}

async fn known(
    cloud: &Cloud,
    signed: &Signed,
    core: &Core,
    companies: &[CompanyId],
    asked: &Asked,
) -> Result<Vec<Lead>, Problem> {
    if let Some(leads) = find::known_in(cloud, companies, asked).await? {
        return Ok(leads);
    }
    let found = find::find(cloud, &signed.desk, core, asked).await?;
    Ok(found.leads.into_iter().map(|(lead, _)| lead).collect())
}

fn nobody(signed: &Signed) -> String {
    let place = if signed.desk.companies.len() > 1 { "in your companies" } else { "here" };
    format!("Nobody is known by that {place}. An e-mail, a phone or an id is looked for exactly.")
}

/// Several leads, each with its company, where there are several of those; or none.
async fn several(cloud: &Cloud, signed: &Signed, chosen: Arc<Core>, leads: &[Lead]) -> Leads {
    let mut of: Vec<&CompanyId> = leads.iter().map(|lead| &lead.company).collect();
    of.dedup();
    let read = of.iter().take(SIDE_BY_SIDE).map(|company| rules_of(cloud, &chosen, company));
    let cores: HashMap<CompanyId, Arc<Core>> =
        join_all(read).await.into_iter().flatten().map(|core| (core.company_id().clone(), core)).collect();
    let (now, among) = (cloud.clock.now(), signed.desk.companies.len() > 1);
    let row = |lead: &Lead| {
        let core = cores.get(&lead.company)?;
        let mut row = Row::of(core, lead, Scores::of(core, now).now(lead).as_ref(), now);
        if among {
            row.source = format!("{} · {}", core.company.name, row.source);
        }
        Some(row)
    };
    let rows: Vec<Row> = leads.iter().filter_map(row).collect();
    // Where all are of one company, what may be done is done there.
    let core = match of.as_slice() {
        [only] => cores.get(*only).unwrap_or(&chosen),
        _ => &chosen,
    };
    let mut page = frame(cloud, signed, core, &Found { examined: leads.len(), ..Found::default() });
    if of.len() > 1 {
        page.frame.staff = None;
        page.from = String::new();
    }
    if rows.len() < leads.len() {
        page.note = format!("{} more stand in other companies of yours.", leads.len() - rows.len());
    }
    page.rows = rows;
    page
}

/// The rules of a company; `None`, where they cannot be read: it takes no other with it.
async fn rules_of(cloud: &Cloud, chosen: &Arc<Core>, company: &CompanyId) -> Option<Arc<Core>> {
    if chosen.company_id() == company {
        return Some(Arc::clone(chosen));
    }
    who::rules_of(cloud, company).await.ok()
}
