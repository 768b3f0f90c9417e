//! One contract as it is written: its row is put right, what would follow is looked at, and it is published.
//!
//! Determinations. *It is one row of the rulebook*, made on the version that was looked at: what others publish meanwhile
//! stays, and where it is this row, both are shown. *What is published is what was looked at*: the check and the rulebook's
//! own tests run before each of the two. *What is refused says why, and nothing that was typed is lost.*

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use leadyard_domain::access::Role;
use leadyard_domain::error::Code;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::rulebook::EditTable;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};
use leadyard_platform::who::{self, MANAGES, READS};
use serde_json::{Map, Value, json};

use super::shown;
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, rendered, troubled};
use crate::rulebook::{self, files_of, refused_edit};

/// What belongs to the row and is not changed here.
const KEPT: &str = "dealer";
/// Warnings that a look shows.
const WARNINGS: usize = 10;

#[derive(askama::Template)]
#[template(path = "contract.html")]
struct Page {
    frame: Frame,
    /// The dealer's page.
    at: String,
    dealer: String,
    contract: String,
    /// The version that the row is read from.
    base: u64,
    fields: Vec<Field>,
    /// What would follow, where it was looked at.
    looked: bool,
    changes: Vec<Change>,
    warnings: Vec<String>,
    more_warnings: usize,
    /// What is wrong with it.
    problems: Vec<String>,
    /// What somebody else made of it meanwhile.
    conflict: Vec<Change>,
    trouble: String,
}

struct Field {
    name: &'static str,
    label: String,
    value: String,
    /// What a cell may say, and what an empty one means.
    rule: String,
    words: Vec<(&'static str, bool)>,
    /// It says something else than one of the words.
    other: bool,
}

/// What a column said and says.
struct Change {
    column: String,
    before: String,
    after: String,
}

/// Which row.
#[derive(Clone, Copy)]
struct Row<'a> {
    company: &'a str,
    dealer: &'a str,
    contract: &'a str,
}

/// `GET /console/dealers/{company}/{dealer}/contracts/{contract}`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path((company, dealer, contract)): Path<(String, String, String)>,
) -> Response {
    let row = Row { company: &company, dealer: &dealer, contract: &contract };
    match of(&cloud, &signed, row, None, &Form::new()).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

/// `POST …/edit`: the columns, and the version (`base`) that they were read from. First a look; with `sure` it is
/// published.
pub(super) async fn edit(
    State(cloud): State<Cloud>,
    Path((company, dealer, contract)): Path<(String, String, String)>,
    Sent { signed: For(signed), form }: Sent<For<MANAGES>>,
) -> Response {
    let row = Row { company: &company, dealer: &dealer, contract: &contract };
    match edited(&cloud, &signed, row, &form).await {
        Ok(response) => response,
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn edited(cloud: &Cloud, signed: &Signed, row: Row<'_>, form: &Form) -> Result<Response, Problem> {
    let base = form.get("base").and_then(|base| base.parse().ok());
    let base: u64 = base.ok_or_else(|| Problem::new(Code::InvalidField, "open the page again"))?;
    let mut page = of(cloud, signed, row, Some(base), form).await?;
    let company = who::company(&signed.desk, Some(row.company))?;
    let set = changed(cloud, &company, row, base, form).await?;
    if set.is_empty() {
        "nothing is changed".clone_into(&mut page.trouble);
        return Ok(rendered(&page, StatusCode::BAD_REQUEST));
    }
    let (sure, sent) = (form.contains_key("sure"), json!({ "set": set }));
    let named = ("contracts", row.contract);
    match rulebook::edited(cloud, &signed.desk, &company, named, (base, !sure), &sent).await {
        Ok(_) if sure => Ok(Redirect::to(&format!("{}?done=publish", page.at)).into_response()),
        Ok(told) => {
            page.looked = true;
            page.changes = changes(&told["diff"]);
            let warnings = messages(&told["warnings"]);
            page.more_warnings = warnings.len().saturating_sub(WARNINGS);
            page.warnings = warnings.into_iter().take(WARNINGS).collect();
            Ok(rendered(&page, StatusCode::OK))
        }
        Err(problem) => {
            let told = problem.json();
            let conflict = conflict(&told["conflict"]);
            if let Some(version) = told["version"].as_u64().filter(|_| !conflict.is_empty()) {
                // Who sends it again has seen what the other made of it. Only the cells that they typed themselves are
                // laid over it: the others would take back what they never touched.
                match of(cloud, signed, row, Some(version), &form_of(&set)).await {
                    Ok(anew) => page = anew,
                    // The row is gone: what was typed stands as it was.
                    Err(gone) if gone.code() == Code::NotFound => {}
                    Err(problem) => return Err(problem),
                }
            }
            problem.detail().clone_into(&mut page.trouble);
            page.problems = messages(&told["problems"]);
            page.conflict = conflict;
            let status = StatusCode::from_u16(problem.code().status()).unwrap_or(StatusCode::CONFLICT);
            Ok(rendered(&page, status))
        }
    }
}

/// The cells of the row in a version; the row is the dealer's.
async fn cells(
    cloud: &Cloud,
    company: &CompanyId,
    row: Row<'_>,
    version: u64,
) -> Result<Vec<(&'static leadyard_domain::rulebook::Column, String)>, Problem> {
    let missing = || Problem::new(Code::NotFound, "the dealer has no such contract");
    let files = files_of(cloud, company, version).await?;
    let cells = EditTable::Contracts.cells(&files, row.contract).map_err(|error| refused_edit(&error))?;
    let cells = cells.ok_or_else(missing)?;
    if !cells.iter().any(|(column, cell)| column.name == KEPT && cell == row.dealer) {
        return Err(missing());
    }
    Ok(cells.into_iter().filter(|(column, _)| column.name != KEPT).collect())
}

/// What the form says otherwise than the row.
async fn changed(
    cloud: &Cloud,
    company: &CompanyId,
    row: Row<'_>,
    base: u64,
    form: &Form,
) -> Result<Map<String, Value>, Problem> {
    let cells = cells(cloud, company, row, base).await?;
    let typed = |name: &str| form.get(name).map(|typed| typed.trim().to_owned());
    let changed = cells.into_iter().filter_map(|(column, was)| {
        let typed = typed(column.name).filter(|typed| *typed != was)?;
        Some((column.name.to_owned(), json!(typed)))
    });
    Ok(changed.collect())
}

/// Cells as a form has them.
fn form_of(set: &Map<String, Value>) -> Form {
    set.iter().map(|(name, cell)| (name.clone(), cell.as_str().unwrap_or_default().to_owned())).collect()
}

/// The page of a version, or of that in force; as it is written, or as it was typed.
async fn of(
    cloud: &Cloud,
    signed: &Signed,
    row: Row<'_>,
    base: Option<u64>,
    typed: &Form,
) -> Result<Page, Problem> {
    let company = who::company(&signed.desk, Some(row.company))?;
    let base = match base {
        Some(base) => base,
        None => who::rules_of(cloud, &company).await?.version,
    };
    let cells = cells(cloud, &company, row, base).await?;
    let fields = cells.into_iter().map(|(column, was)| {
        let value = typed.get(column.name).cloned().unwrap_or(was);
        let says_more = !["needed", ""].contains(&column.empty);
        let empty = if says_more { format!("; empty: {}", column.empty) } else { String::new() };
        Field {
            name: column.name,
            label: shown::word(column.name),
            rule: format!("{}{empty}", column.rule).replace('`', ""),
            other: !value.is_empty() && !column.words.contains(&value.as_str()),
            words: column.words.iter().map(|word| (*word, *word == value)).collect(),
            value,
        }
    });
    Ok(Page {
        frame: Frame::of(format!("The contract {}", row.contract), "dealers", signed).forms_for(
            Role::Manager,
            signed,
            &company,
        ),
        at: format!("/console/dealers/{company}/{}", row.dealer),
        dealer: row.dealer.to_owned(),
        contract: row.contract.to_owned(),
        base,
        fields: fields.collect(),
        looked: false,
        changes: Vec::new(),
        warnings: Vec::new(),
        more_warnings: 0,
        problems: Vec::new(),
        conflict: Vec::new(),
        trouble: String::new(),
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("nothing").to_owned()
}

/// Column by column, what the rules would say otherwise.
fn changes(diff: &Value) -> Vec<Change> {
    let each = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut changes = Vec::new();
    for table in each(diff, "tables") {
        for row in each(&table, "rows") {
            for column in each(&row, "columns") {
                changes.push(Change {
                    column: text(&column["column"]),
                    before: text(&column["before"]),
                    after: text(&column["after"]),
                });
            }
        }
    }
    changes
}

fn conflict(conflict: &Value) -> Vec<Change> {
    let columns = conflict["columns"].as_array().into_iter().flatten();
    let told = |column: &Value| Change {
        column: text(&column["column"]),
        before: text(&column["base"]),
        after: text(&column["theirs"]),
    };
    // Those that only the sender changed are in it as well.
    columns.filter(|column| column["base"] != column["theirs"]).map(told).collect()
}

/// What problems and warnings say; of a test of the rulebook, which fails.
fn messages(problems: &Value) -> Vec<String> {
    let said = |problem: &Value| match problem["message"].as_str() {
        Some(message) => message.to_owned(),
        None => format!("the rulebook’s own test {} fails", text(&problem["name"])),
    };
    // Of a rulebook that does not parse they stand in a list, with how many more there are.
    let list = problems["list"].as_array().or(problems.as_array());
    list.into_iter().flatten().map(said).collect()
}
