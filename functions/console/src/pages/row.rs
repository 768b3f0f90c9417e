//! One row of the rulebook as it is written, a contract, a dealer or an area: it is put right, what would follow is looked
//! at, and it is published.
//!
//! Determinations. *It is one row of the rulebook*, made on the version that was looked at: what others publish meanwhile
//! stays, and where it is this row, both are shown. *What is published is what was looked at*: the check and the rulebook's
//! own tests run before each of the two. *What is refused says why, and nothing that was typed is lost.* *All parts of an
//! area are one cell*, a line each. *A dealer's row is a manager's*: how its people are reached stands in it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use leadyard_domain::access::Role;
use leadyard_domain::error::Code;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Column, EditTable, RulebookFiles};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};
use leadyard_platform::who::{self, MANAGES, READS};
use serde_json::{Map, Value, json};

use super::backtest::{Tried, tried};
use super::shown;
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, address, rendered, troubled};
use crate::rulebook::{self, files_of, refused_edit};

/// What belongs to a contract's row and is not changed here.
const KEPT: &str = "dealer";
/// Warnings that a look shows.
const WARNINGS: usize = 10;
/// Lines of what would change that it shows.
const CHANGES: usize = 50;

#[derive(askama::Template)]
#[template(path = "row.html")]
struct Page {
    frame: Frame,
    title: String,
    /// The page that it belongs to: its dealer's, or the rulebook's.
    at: String,
    up: String,
    /// Where its form is sent.
    edit: String,
    /// The area that it names, and its page.
    area: Option<(String, String)>,
    /// The version that the row is read from.
    base: u64,
    fields: Vec<Field>,
    /// It is larger than a page: it is sent as a file.
    too_large: bool,
    /// What would follow, where it was looked at.
    looked: bool,
    changes: Vec<Change>,
    more_changes: usize,
    warnings: Vec<String>,
    more_warnings: usize,
    /// What it would have done with the last decisions.
    tried: Option<Tried>,
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
    /// It has several lines.
    is_long: bool,
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
    what: What<'a>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Contract { dealer: &'a str, contract: &'a str },
    Dealer(&'a str),
    Area(&'a str),
}

/// `GET /console/dealers/{company}/{dealer}/contracts/{contract}`.
pub(super) async fn contract(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path((company, dealer, contract)): Path<(String, String, String)>,
) -> Response {
    let what = What::Contract { dealer: &dealer, contract: &contract };
    written(&cloud, &signed, Row { company: &company, what }).await
}

/// `POST …/edit`: the columns, and the version (`base`) that they were read from. First a look; with `sure` it is
/// published.
pub(super) async fn edit_contract(
    State(cloud): State<Cloud>,
    Path((company, dealer, contract)): Path<(String, String, String)>,
    Sent { signed: For(signed), form }: Sent<For<MANAGES>>,
) -> Response {
    let what = What::Contract { dealer: &dealer, contract: &contract };
    edit(&cloud, &signed, Row { company: &company, what }, &form).await
}

/// `GET /console/dealers/{company}/{dealer}/row`.
pub(super) async fn dealer(
    State(cloud): State<Cloud>,
    For(signed): For<MANAGES>,
    Path((company, dealer)): Path<(String, String)>,
) -> Response {
    written(&cloud, &signed, Row { company: &company, what: What::Dealer(&dealer) }).await
}

/// `POST …/edit`, as of a contract.
pub(super) async fn edit_dealer(
    State(cloud): State<Cloud>,
    Path((company, dealer)): Path<(String, String)>,
    Sent { signed: For(signed), form }: Sent<For<MANAGES>>,
) -> Response {
    edit(&cloud, &signed, Row { company: &company, what: What::Dealer(&dealer) }, &form).await
}

/// `GET /console/rulebook/{company}/areas/{area}`.
pub(super) async fn area(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path((company, area)): Path<(String, String)>,
) -> Response {
    written(&cloud, &signed, Row { company: &company, what: What::Area(&area) }).await
}

/// `POST …/edit`, as of a contract: `part`, a line each.
pub(super) async fn edit_area(
    State(cloud): State<Cloud>,
    Path((company, area)): Path<(String, String)>,
    Sent { signed: For(signed), form }: Sent<For<MANAGES>>,
) -> Response {
    edit(&cloud, &signed, Row { company: &company, what: What::Area(&area) }, &form).await
}

/// The row as it is in force.
async fn written(cloud: &Cloud, signed: &Signed, row: Row<'_>) -> Response {
    let read = async {
        let company = who::company(&signed.desk, Some(row.company))?;
        let base = who::rules_of(cloud, &company).await?.version;
        let files = files_of(cloud, &company, base).await?;
        row.page(signed, &company, (base, &files), &Form::new())
    };
    match read.await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(signed, &problem),
    }
}

async fn edit(cloud: &Cloud, signed: &Signed, row: Row<'_>, form: &Form) -> Response {
    match Box::pin(edited(cloud, signed, row, form)).await {
        Ok(response) => response,
        Err(problem) => troubled(signed, &problem),
    }
}

async fn edited(cloud: &Cloud, signed: &Signed, row: Row<'_>, form: &Form) -> Result<Response, Problem> {
    let base = form.get("base").and_then(|base| base.parse().ok());
    let base: u64 = base.ok_or_else(|| Problem::new(Code::InvalidField, "open the page again"))?;
    let company = who::company(&signed.desk, Some(row.company))?;
    let files = files_of(cloud, &company, base).await?;
    let mut page = row.page(signed, &company, (base, &files), form)?;
    let set = row.changed(&files, form)?;
    if let Some(trouble) = row.refuses(&set) {
        trouble.clone_into(&mut page.trouble);
        return Ok(rendered(&page, StatusCode::BAD_REQUEST));
    }
    let (named, sent) = (row.named(), row.sent(&set));
    let named = (named.0.as_str(), named.1);
    let problem = if form.contains_key("sure") {
        match rulebook::edited(cloud, &signed.desk, &company, named, base, &sent).await {
            Ok(_) => return Ok(Redirect::to(&row.done(&company)).into_response()),
            Err(problem) => problem,
        }
    } else {
        match rulebook::edit_looked_at(cloud, &signed.desk, &company, named, (base, Some(files)), &sent).await
        {
            Ok(looked) => {
                page.would_follow(&looked.told);
                page.tried = Box::pin(tried(cloud, &company, looked)).await;
                return Ok(rendered(&page, StatusCode::OK));
            }
            Err(problem) => problem,
        }
    };
    let told = problem.json();
    let conflict = conflict(&told["conflict"]);
    if let Some(version) = told["version"].as_u64().filter(|_| !conflict.is_empty()) {
        // Who sends it again has seen what the other made of it. Only the cells that they typed themselves are
        // laid over it: the others would take back what they never touched.
        let theirs = files_of(cloud, &company, version).await?;
        match row.page(signed, &company, (version, &theirs), &form_of(&set)) {
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

impl<'a> Row<'a> {
    /// Its table and id.
    const fn named(self) -> (EditTable, &'a str) {
        match self.what {
            What::Contract { contract, .. } => (EditTable::Contracts, contract),
            What::Dealer(dealer) => (EditTable::Dealers, dealer),
            What::Area(area) => (EditTable::Areas, area),
        }
    }

    /// The page that it belongs to.
    fn at(self, company: &CompanyId) -> String {
        match self.what {
            What::Contract { dealer, .. } | What::Dealer(dealer) => {
                format!("/console/dealers/{company}/{dealer}")
            }
            What::Area(_) => address("/console/rulebook", &[("company", company.as_str())]),
        }
    }

    /// The same, once it is published.
    fn done(self, company: &CompanyId) -> String {
        match self.what {
            What::Contract { .. } | What::Dealer(_) => address(&self.at(company), &[("done", "publish")]),
            What::Area(_) => {
                address("/console/rulebook", &[("company", company.as_str()), ("done", "publish")])
            }
        }
    }

    /// Where its form is sent.
    fn edit(self, company: &CompanyId) -> String {
        match self.what {
            What::Contract { contract, .. } => format!("{}/contracts/{contract}/edit", self.at(company)),
            What::Dealer(_) => format!("{}/row/edit", self.at(company)),
            What::Area(area) => format!("/console/rulebook/{company}/areas/{area}/edit"),
        }
    }

    fn missing(self) -> Problem {
        let detail = match self.what {
            What::Contract { .. } => "the dealer has no such contract",
            What::Dealer(_) => "there is no such dealer in the rules",
            What::Area(_) => "there is no such area in the rules",
        };
        Problem::new(Code::NotFound, detail)
    }

    /// The cells of the row in these files; a contract's row is its dealer's.
    fn cells(self, files: &RulebookFiles) -> Result<Vec<(&'static Column, String)>, Problem> {
        let (table, id) = self.named();
        let cells = table.cells(files, id).map_err(|error| refused_edit(&error))?;
        let cells = cells.ok_or_else(|| self.missing())?;
        match self.what {
            What::Contract { dealer, .. } => {
                if !cells.iter().any(|(column, cell)| column.name == KEPT && cell == dealer) {
                    return Err(self.missing());
                }
                Ok(cells.into_iter().filter(|(column, _)| column.name != KEPT).collect())
            }
            What::Dealer(_) => Ok(cells),
            What::Area(area) => {
                let parts = EditTable::parts_of_area(files, area).map_err(|error| refused_edit(&error))?;
                let parts = parts.unwrap_or_default().join("\n");
                Ok(cells.into_iter().map(|(column, _)| (column, parts.clone())).collect())
            }
        }
    }

    /// What the form says otherwise than the row.
    fn changed(self, files: &RulebookFiles, form: &Form) -> Result<Map<String, Value>, Problem> {
        let changed = self.cells(files)?.into_iter().filter_map(|(column, was)| {
            let typed = self.read(form.get(column.name)?);
            (typed != was).then(|| (column.name.to_owned(), json!(typed)))
        });
        Ok(changed.collect())
    }

    /// Why these cells are not even looked at.
    fn refuses(self, set: &Map<String, Value>) -> Option<&'static str> {
        let bytes: usize = set.values().filter_map(Value::as_str).map(str::len).sum();
        if set.is_empty() {
            return Some("nothing is changed");
        }
        if bytes > limits::ROW_BYTES {
            return Some("that is too long for a page: send it as a file");
        }
        let is_area = matches!(self.what, What::Area(_));
        (is_area && bytes == 0).then_some("an area has at least one part")
    }

    /// A cell as it was typed; of an area its lines, but for empty ones.
    fn read(self, typed: &str) -> String {
        match self.what {
            What::Contract { .. } | What::Dealer(_) => typed.trim().to_owned(),
            What::Area(_) => lines(typed).collect::<Vec<_>>().join("\n"),
        }
    }

    /// As the API takes it.
    fn sent(self, set: &Map<String, Value>) -> Value {
        match self.what {
            What::Contract { .. } | What::Dealer(_) => json!({ "set": set }),
            What::Area(_) => {
                let parts = set.values().filter_map(Value::as_str).flat_map(lines);
                json!({ "parts": parts.collect::<Vec<_>>() })
            }
        }
    }

    /// The page of a version, as it is written, or as it was typed.
    fn page(
        self,
        signed: &Signed,
        company: &CompanyId,
        (base, files): (u64, &RulebookFiles),
        typed: &Form,
    ) -> Result<Page, Problem> {
        let cells = self.cells(files)?;
        let (title, section, up) = match self.what {
            What::Contract { dealer, contract } => (format!("The contract {contract}"), "dealers", dealer),
            What::Dealer(dealer) => (format!("The dealer {dealer}"), "dealers", dealer),
            What::Area(area) => (format!("The area {area}"), "rulebook", "Rulebook"),
        };
        let is_area = matches!(self.what, What::Area(_));
        // An area's own cell is no name of one.
        let area = cells.iter().find(|(column, _)| column.name == "area").map(|(_, area)| area.clone());
        let area =
            area.filter(|area| EditTable::parts_of_area(files, area).is_ok_and(|parts| parts.is_some()));
        let too_large = cells.iter().map(|(_, cell)| cell.len()).sum::<usize>() > limits::ROW_BYTES;
        let fields: Vec<Field> = cells.into_iter().map(|cell| Field::of(cell, is_area, typed)).collect();
        let frame = Frame::of(title.clone(), section, signed);
        Ok(Page {
            frame: frame.forms_for(Role::Manager, signed, company),
            title,
            at: self.at(company),
            up: up.to_owned(),
            edit: self.edit(company),
            area: area.map(|area| (format!("/console/rulebook/{company}/areas/{area}"), area)),
            base,
            fields,
            too_large,
            looked: false,
            changes: Vec::new(),
            more_changes: 0,
            warnings: Vec::new(),
            more_warnings: 0,
            tried: None,
            problems: Vec::new(),
            conflict: Vec::new(),
            trouble: String::new(),
        })
    }
}

impl Field {
    fn of((column, was): (&'static Column, String), is_long: bool, typed: &Form) -> Self {
        let value = typed.get(column.name).cloned().unwrap_or(was);
        let says_more = !["needed", ""].contains(&column.empty);
        let empty = if says_more { format!("; empty: {}", column.empty) } else { String::new() };
        Self {
            name: column.name,
            label: shown::word(column.name),
            rule: format!("{}{empty}", column.rule).replace('`', ""),
            other: !value.is_empty() && !column.words.contains(&value.as_str()),
            words: column.words.iter().map(|word| (*word, *word == value)).collect(),
            is_long,
            value,
        }
    }
}

impl Page {
    /// What the API says that would follow.
    fn would_follow(&mut self, told: &Value) {
        self.looked = true;
        let (changes, warnings) = (changes(&told["diff"]), messages(&told["warnings"]));
        self.more_changes = changes.len().saturating_sub(CHANGES);
        self.changes = changes.into_iter().take(CHANGES).collect();
        self.more_warnings = warnings.len().saturating_sub(WARNINGS);
        self.warnings = warnings.into_iter().take(WARNINGS).collect();
    }
}

fn lines(typed: &str) -> impl Iterator<Item = &str> {
    typed.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Cells as a form has them.
fn form_of(set: &Map<String, Value>) -> Form {
    set.iter().map(|(name, cell)| (name.clone(), cell.as_str().unwrap_or_default().to_owned())).collect()
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
