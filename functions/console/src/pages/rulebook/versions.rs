//! The list of versions, two compared, and the files of one.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::tz::TimeZone;
use leadyard_domain::access::Role;
use leadyard_domain::distribution::Switches;
use leadyard_domain::error::Code;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Rulebook, workbook};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::store::{RolledBack, RulebookVersion};
use leadyard_platform::who::{self, MANAGES, READS};
use serde::Deserialize;
use serde_json::json;

use super::AT;
use super::told::{Difference, Lines};
use crate::pages::shown::{self, Choice};
use crate::pages::signed::{For, Form, Signed};
use crate::pages::{Frame, address, download, rendered, troubled};
use crate::rulebook::{broken, diff_of, files_of, xlsx};

/// Versions on one page.
const LISTED: i32 = 25;
/// What can be flipped.
const SWITCHES: [(&str, &str); 2] =
    [("stop", "stop: all of distribution"), ("shadow", "shadow: rules say, the desk places")];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Asked {
    company: String,
    /// Before which version the list begins.
    before: Option<u64>,
    done: String,
}

#[derive(askama::Template)]
#[template(path = "rulebook.html")]
struct Page {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    in_force: u64,
    versions: Vec<Row>,
    next: String,
    switches: Switches,
    most_mib: usize,
    /// What may be flipped and to what; as it was chosen, of what was not flipped.
    switch: Vec<Choice>,
    to: Vec<Choice>,
    /// What was typed beside them.
    reason: String,
    done: &'static str,
    trouble: String,
}

struct Row {
    version: u64,
    at: String,
    by: String,
    how: String,
    /// Why the one before rolled itself back, if it did.
    why: String,
    in_force: bool,
    /// Its files, packed.
    files: String,
    /// Its tables as a workbook.
    tables: String,
    /// What it says otherwise than the one it was made from.
    compared: String,
    roll_back: String,
}

/// `GET /console/rulebook?company&before`.
pub(in crate::pages) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(asked): Query<Asked>,
) -> Response {
    match shown_page(&cloud, &signed, &asked, None).await {
        Ok(response) => response,
        Err(problem) => troubled(&signed, &problem),
    }
}

/// `GET /console/rulebook/{company}/{version}`: where it stands in the list. Who signs in again in the middle of a roll
/// back comes by here.
pub(in crate::pages) async fn one(
    For(signed): For<READS>,
    Path((company, version)): Path<(String, u64)>,
) -> Response {
    let before = version.saturating_add(1).to_string();
    match who::company(&signed.desk, Some(&company)) {
        Ok(company) => {
            let to = address(AT, &[("company", company.as_str()), ("before", &before)]);
            Redirect::to(&to).into_response()
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// The page; with what did not go and what was typed, where something did not.
pub(super) async fn refused(
    cloud: &Cloud,
    signed: &Signed,
    company: &CompanyId,
    (trouble, typed): (&Problem, &Form),
) -> Response {
    let asked = Asked { company: company.to_string(), ..Asked::default() };
    match shown_page(cloud, signed, &asked, Some((trouble, typed))).await {
        Ok(response) => response,
        Err(problem) => troubled(signed, &problem),
    }
}

async fn shown_page(
    cloud: &Cloud,
    signed: &Signed,
    asked: &Asked,
    refused: Option<(&Problem, &Form)>,
) -> Result<Response, Problem> {
    let company = signed.company_of(&asked.company)?;
    let (in_force, versions) = futures::try_join!(
        cloud.store.in_force(&company),
        cloud.store.rulebook_versions(&company, asked.before, LISTED + 1)
    )?;
    let (pointer, switches) = in_force;
    let in_force = pointer.map_or(0, |pointer| pointer.version);
    let zone = zone_of(cloud, &company);
    let of_page = usize::try_from(LISTED).unwrap_or_default();
    let last = versions.get(of_page.saturating_sub(1)).filter(|_| versions.len() > of_page);
    let next =
        last.map(|last| address(AT, &[("company", company.as_str()), ("before", &last.version.to_string())]));
    let rows = versions.iter().take(of_page).map(|known| row(&company, known, in_force, &zone));
    let status = refused.map_or(StatusCode::OK, |(problem, _)| {
        StatusCode::from_u16(problem.code().status()).unwrap_or(StatusCode::CONFLICT)
    });
    let typed = |name: &str| refused.and_then(|(_, form)| form.get(name).map(String::as_str));
    let choose = |name: &str, otherwise, choices: [(&str, &str); 2]| -> Vec<Choice> {
        let chosen = typed(name).or(Some(otherwise));
        choices.into_iter().map(|(value, label)| Choice::of(value, label, chosen)).collect()
    };
    let page = Page {
        frame: Frame::of("Rulebook", "rulebook", signed).forms_for(Role::Manager, signed, &company),
        companies: Choice::companies(cloud, &signed.desk, &company),
        in_force,
        versions: rows.collect(),
        next: next.unwrap_or_default(),
        switch: choose("switch", "stop", SWITCHES),
        to: choose("on", if switches.stop { "no" } else { "yes" }, [("yes", "on"), ("no", "off")]),
        switches,
        most_mib: limits::UPLOAD_BYTES / (1024 * 1024),
        reason: typed("reason").unwrap_or_default().to_owned(),
        done: said(&asked.done),
        trouble: refused.map(|(problem, _)| problem.detail().to_owned()).unwrap_or_default(),
        company: company.to_string(),
    };
    Ok(rendered(&page, status))
}

fn said(done: &str) -> &'static str {
    match done {
        "publish" => "Published: from now on it holds, and leads that wait are looked at again.",
        "same" => "Nothing was published: what was sent is what is in force.",
        "stop" => {
            "Stopped: nobody gets a lead until it is started again. Enquiries are taken in all the same."
        }
        "start" => "Started: leads that waited are looked at again.",
        "shadow" => "The company only watches: the desk places every lead.",
        "act" => "The rules place leads by themselves again.",
        "stood" => "It stood so already: nothing was flipped.",
        _ => "",
    }
}

fn row(company: &CompanyId, known: &RulebookVersion, in_force: u64, zone: &TimeZone) -> Row {
    let version = known.version.to_string();
    let of = |what: &str| format!("{AT}/{company}/{version}/{what}");
    let pairs = [("company", company.as_str()), ("from", &known.base.to_string()), ("to", version.as_str())];
    Row {
        version: known.version,
        at: shown::written(zone, known.at),
        by: known.by.clone(),
        how: known.how.clone(),
        why: known.rolled_back.as_ref().map(why).unwrap_or_default(),
        in_force: known.version == in_force,
        files: of("files.zip"),
        tables: of("tables.xlsx"),
        compared: if known.base == 0 { String::new() } else { address(&format!("{AT}/diff"), &pairs) },
        roll_back: of("rollback"),
    }
}

/// `by itself: 41 of 60 new leads were unmatched, 12 of 100 before`.
fn why(why: &RolledBack) -> String {
    let RolledBack { leads, unmatched, leads_before, unmatched_before } = why;
    format!(
        "by itself: {unmatched} of {leads} new leads were unmatched, {unmatched_before} of {leads_before} before"
    )
}

/// The zone of the rules that were read last: what a time is shown in is no reason to read them.
pub(super) fn zone_of(cloud: &Cloud, company: &CompanyId) -> TimeZone {
    cloud.rulebooks.known(company).map_or(TimeZone::UTC, |core| shown::zone(&core))
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::pages) struct Two {
    #[serde(default)]
    company: String,
    from: u64,
    to: u64,
}

#[derive(askama::Template)]
#[template(path = "rulebook_diff.html")]
struct Compared {
    frame: Frame,
    company: String,
    from: u64,
    to: u64,
    difference: Difference,
    /// One of them is not read any more: what is wrong with it.
    problems: Lines,
    trouble: String,
}

/// `GET /console/rulebook/diff?company&from&to`.
pub(in crate::pages) async fn compared(
    State(cloud): State<Cloud>,
    For(signed): For<MANAGES>,
    Query(Two { company, from, to }): Query<Two>,
) -> Response {
    let company = match signed.company_of(&company) {
        Ok(company) => company,
        Err(problem) => return troubled(&signed, &problem),
    };
    let mut page = Compared {
        frame: Frame::of(format!("Version {from} and version {to}"), "rulebook", &signed),
        company: company.to_string(),
        from,
        to,
        difference: Difference::default(),
        problems: Lines::default(),
        trouble: String::new(),
    };
    match diff_of(&cloud, &company, (from, to)).await {
        Ok(diff) => {
            page.difference = Difference::of(&json!(diff));
            rendered(&page, StatusCode::OK)
        }
        Err(problem) if problem.code() == Code::RulebookRefused => {
            problem.detail().clone_into(&mut page.trouble);
            page.problems = Lines::of(&problem.json()["problems"]);
            rendered(&page, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// `GET /console/rulebook/{company}/{version}/files.zip`: the files as they were published.
pub(in crate::pages) async fn files_zip(
    State(cloud): State<Cloud>,
    For(signed): For<MANAGES>,
    Path((company, version)): Path<(String, u64)>,
) -> Response {
    let packed = async {
        let company = who::company(&signed.desk, Some(&company))?;
        let files = files_of(&cloud, &company, version).await?;
        files.packed().map_err(|rule| Problem::new(Code::Internal, rule.to_string()))
    };
    match packed.await {
        Ok(bytes) => {
            let packed = ([(header::CONTENT_TYPE, "application/zip")], bytes).into_response();
            download(packed, &format!("rulebook-{version}.zip"))
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// `GET /console/rulebook/{company}/{version}/tables.xlsx`: its tables as a workbook.
pub(in crate::pages) async fn tables_xlsx(
    State(cloud): State<Cloud>,
    For(signed): For<MANAGES>,
    Path((company, version)): Path<(String, u64)>,
) -> Response {
    let exported = async {
        let company = who::company(&signed.desk, Some(&company))?;
        let files = files_of(&cloud, &company, version).await?;
        let book = Rulebook::parse(&files).map_err(|problems| broken(&problems))?;
        let created = cloud.clock.now().to_zoned(TimeZone::UTC).datetime();
        workbook::export(&book, created).map_err(|rule| Problem::new(Code::Internal, rule.to_string()))
    };
    match exported.await {
        Ok(bytes) => download(xlsx(bytes), &format!("rulebook-{version}.xlsx")),
        Err(problem) => troubled(&signed, &problem),
    }
}
