//! The rulebook: what is in force and what was; publishing a whole one, one row of it, a workbook, or an
//! earlier version again. One with an error is never published, not even in part; every version is kept,
//! with who published it and when.
//!
//! Determination. *Whoever reads is told the rows that pages show them*: what a dealer may be given, a contract, an area. How
//! a dealer's people are reached is a manager's, as the files are; so are channels, of which no row is told.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use leadyard_domain::access::Role;
use leadyard_domain::distribution::Compiled;
use leadyard_domain::error::Code;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::rulebook::{
    Diff, EditError, EditTable, Merged, Problems, RowEdit, Rulebook, RulebookFiles, workbook,
};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query, body};
use leadyard_platform::now;
use leadyard_platform::store::{Published, RulebookVersion};
use leadyard_platform::who::{Desk, DeskOf, MANAGES, READS, Staff};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{backtest, who};

/// How often an edit that crossed another publish is made again on what is in force then.
pub(crate) const ROUNDS: usize = 4;
/// Versions of one list.
const VERSIONS: i32 = 200;
/// What a dealer's row says of how its people are reached.
const REACHED: [&str; 4] = ["contact", "email", "phone", "billing_email"];

#[derive(Deserialize)]
pub(crate) struct VersionQuery {
    version: Option<u64>,
    files: Option<String>,
}

pub(crate) fn none_yet() -> Problem {
    Problem::new(Code::NotFound, "this company has no rulebook yet")
}

/// `GET /v1/rulebook?company&version&files`: what is in force, or an earlier version; its files, if asked for.
pub(crate) async fn current(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<READS>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<Value>, Problem> {
    // Where people are reached stands in the files.
    if query.files.is_some() {
        desk.must(&company, Role::Manager)?;
    }
    let pointer = cloud.store.rulebook_pointer(&company).await?.ok_or_else(none_yet)?;
    let version = query.version.unwrap_or(pointer.version);
    let known = cloud.store.rulebook_version(&company, version).await?;
    let mut told = json!({ "company": company, "version": version, "in_force": pointer.version });
    let (at, by) = if version == pointer.version {
        (json!(pointer.at), json!(pointer.by))
    } else {
        let known = known.as_ref().ok_or_else(|| Problem::new(Code::NotFound, "there is no such version"))?;
        (json!(known.at), json!(known.by))
    };
    let mut add = |name: &str, value: Value| {
        if let Some(members) = told.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    add("at", at);
    add("by", by);
    add("how", json!(known.map(|known| known.how)));
    // Rules that this version of the program does not read any more keep nobody from publishing others.
    if let Ok(core) = who::rules_of(&cloud, &company).await {
        add("name", json!(core.company.name));
        add("zone", json!(core.company.zone));
        add("currency", json!(core.company.currency));
        let offers = core.offers.iter().map(|offer| (offer.id.to_string(), offer.name.as_str()));
        add("offers", json!(offers.collect::<BTreeMap<_, _>>()));
    }
    if query.files.is_some() {
        let text = cloud.store.rulebook_text(&company, version).await?;
        add("files", json!(text));
    }
    Ok(Json(told))
}

#[derive(Deserialize)]
pub(crate) struct BeforeQuery {
    before: Option<u64>,
}

/// `GET /v1/rulebook/versions?company&before`: the newest first; of those before a version, where it is given.
pub(crate) async fn versions(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
    Query(query): Query<BeforeQuery>,
) -> Result<Json<Value>, Problem> {
    let versions = cloud.store.rulebook_versions(&company, query.before, VERSIONS).await?;
    Ok(Json(json!({ "company": company, "versions": versions })))
}

#[derive(Deserialize)]
pub(crate) struct BetweenQuery {
    from: u64,
    to: u64,
}

/// `GET /v1/rulebook/diff?company&from&to`: what one kept version says otherwise than another. Where
/// people are reached stands in it, as in the files.
pub(crate) async fn difference(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<MANAGES>,
    Query(BetweenQuery { from, to }): Query<BetweenQuery>,
) -> Result<Json<Value>, Problem> {
    let diff = diff_of(&cloud, &company, (from, to)).await?;
    Ok(Json(json!({ "company": company, "from": from, "to": to, "diff": diff })))
}

/// What the second version says otherwise than the first.
pub(crate) async fn diff_of(
    cloud: &Cloud,
    company: &CompanyId,
    (from, to): (u64, u64),
) -> Result<Diff, Problem> {
    let (before, after) = futures::try_join!(files_of(cloud, company, from), files_of(cloud, company, to))?;
    // One that an earlier version of this program took may be none for this one: it says which.
    let read = |version: u64, files: &RulebookFiles| {
        Rulebook::parse(files).map_err(|problems| {
            let detail = format!("version {version} is not read by this version of Leadyard any more");
            Problem::new(Code::RulebookRefused, detail).with("problems", json!(problems))
        })
    };
    Ok(read(from, &before)?.diff(&read(to, &after)?))
}

#[derive(Deserialize)]
pub(crate) struct PublishQuery {
    /// The version this one was made from; 0 for the first.
    base: Option<u64>,
    dry_run: Option<String>,
    /// With the last decisions made again under the new rules.
    backtest: Option<String>,
}

/// What is to be done with rules that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Publish,
    /// Say what publishing would come to.
    Look,
    /// The same, and what the last decisions would have been.
    Backtest,
}

impl PublishQuery {
    fn intent(&self) -> Result<Intent, Problem> {
        match (self.dry_run.is_some(), self.backtest.is_some()) {
            (false, false) => Ok(Intent::Publish),
            (true, false) => Ok(Intent::Look),
            (true, true) => Ok(Intent::Backtest),
            (false, true) => {
                Err(Problem::new(Code::InvalidField, "backtest: with dry_run alone, before it is published"))
            }
        }
    }
}

#[derive(Deserialize)]
struct PublishBody {
    files: BTreeMap<String, String>,
}

/// `PUT /v1/rulebook?base&dry_run&backtest`: `{"files": {"company.toml": "…", …}}`.
pub(crate) async fn publish(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<MANAGES>,
    Query(query): Query<PublishQuery>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    // JSON escapes cost some: twice the rulebook's own limit, which is checked on what was escaped.
    let bytes = body(request, 2 * limits::RULEBOOK_BYTES).await?;
    let sent: PublishBody = serde_json::from_slice(&bytes)
        .map_err(|_| Problem::new(Code::MalformedBody, r#"the body is {"files": {"company.toml": "…"}}"#))?;
    let files = sent.files.into_iter().map(|(name, text)| (name, text.into_bytes()));
    let files = RulebookFiles::new(files).map_err(|problems| broken(&problems))?;
    let how = How { desk: &desk, of: None, word: "whole".to_owned(), intent: query.intent()? };
    put_in_force(&cloud, how, query.base, files).await
}

/// `PUT /v1/rulebook/workbook?company&base&dry_run&backtest`: an XLSX workbook; its sheets replace the tables, and the
/// rest stays as it is in force.
pub(crate) async fn publish_workbook(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    Query(query): Query<PublishQuery>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let bytes = body(request, limits::RULEBOOK_BYTES).await?;
    let pointer = cloud.store.rulebook_pointer(&company).await?.ok_or_else(none_yet)?;
    let current = files_of(&cloud, &company, pointer.version).await?;
    let sent = RulebookFiles::new([("rulebook.xlsx".to_owned(), bytes.to_vec())])
        .and_then(|files| files.unpacked())
        .map_err(|problems| broken(&problems))?;
    let files = current.with_all(&sent).map_err(|problems| broken(&problems))?;
    let word = "workbook".to_owned();
    let how = How { desk: &desk, of: Some(&company), word, intent: query.intent()? };
    put_in_force(&cloud, how, Some(query.base.unwrap_or(pointer.version)), files).await
}

/// `GET /v1/rulebook/workbook?company`: the tables in force as a workbook.
pub(crate) async fn workbook_of(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<MANAGES>,
) -> Result<Response, Problem> {
    let pointer = cloud.store.rulebook_pointer(&company).await?.ok_or_else(none_yet)?;
    let files = files_of(&cloud, &company, pointer.version).await?;
    let book = Rulebook::parse(&files).map_err(|problems| broken(&problems))?;
    let created = pointer.at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let bytes =
        workbook::export(&book, created).map_err(|rule| Problem::new(Code::Internal, rule.to_string()))?;
    Ok(xlsx(bytes))
}

/// `GET /v1/rulebook/template`: an empty workbook whose columns say their rules.
pub(crate) async fn template(State(cloud): State<Cloud>, _: Desk<READS>) -> Result<Response, Problem> {
    let created = cloud.clock.now().to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let bytes = workbook::template(created).map_err(|rule| Problem::new(Code::Internal, rule.to_string()))?;
    Ok(xlsx(bytes))
}

/// A workbook.
pub(crate) fn xlsx(bytes: Vec<u8>) -> Response {
    let kind = HeaderValue::from_static("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    ([(header::CONTENT_TYPE, kind)], bytes).into_response()
}

/// `GET /v1/rulebook/{table}/{id}?company`: one row in force, in the words in which [`edit`] takes it, and the version that
/// is its `base`.
pub(crate) async fn row(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<READS>,
    Path((table, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let unknown = || Problem::new(Code::NotFound, "rows are told of one of: dealers contracts areas");
    let named: EditTable = table.parse().map_err(|_| unknown())?;
    let base = cloud.store.rulebook_pointer(&company).await?.ok_or_else(none_yet)?.version;
    let files = files_of(&cloud, &company, base).await?;
    let missing = || refused_edit(&EditError::NoSuchRow { table: named, id: id.clone() });
    let (member, says) = match named {
        EditTable::Areas => {
            let parts = EditTable::parts_of_area(&files, &id).map_err(|error| refused_edit(&error))?;
            ("parts", json!(parts.ok_or_else(missing)?))
        }
        EditTable::Dealers | EditTable::Contracts => {
            let cells = named.cells(&files, &id).map_err(|error| refused_edit(&error))?;
            let all = named == EditTable::Contracts || desk.may(&company, Role::Manager);
            let cells = cells.ok_or_else(missing)?.into_iter();
            let told = cells.filter(|(column, _)| all || !REACHED.contains(&column.name));
            let told: BTreeMap<&str, String> = told.map(|(column, cell)| (column.name, cell)).collect();
            ("set", json!(told))
        }
        EditTable::People | EditTable::Channels | EditTable::Offers | EditTable::Sources => {
            return Err(unknown());
        }
    };
    Ok(Json(json!({ "company": company, "table": named.as_str(), "id": id, "base": base, (member): says })))
}

/// `PATCH /v1/rulebook/{table}/{id}?company&base&dry_run&backtest`: one row, made from version `base`. Rows that others
/// changed since stay as they made them; if it is this one, the answer is both.
pub(crate) async fn edit(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    Path((table, id)): Path<(String, String)>,
    Query(query): Query<PublishQuery>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let sent: Value = serde_json::from_slice(&body(request, limits::BODY_BYTES).await?)
        .map_err(|_| Problem::new(Code::MalformedBody, r#"the body is {"set": {"cap_day": "12"}}"#))?;
    let base = query.base;
    let base =
        base.ok_or_else(|| Problem::new(Code::InvalidField, "base: which version did you look at?"))?;
    let row = (table.as_str(), id.as_str());
    let intent = query.intent()?;
    let told = match intent {
        Intent::Publish => edited(&cloud, &desk, &company, row, base, &sent).await?,
        Intent::Look | Intent::Backtest => {
            let looked = edit_looked_at(&cloud, &desk, &company, row, (base, None), &sent).await?;
            looked.tell(&cloud, &company, intent).await
        }
    };
    Ok(Json(told))
}

/// One row, made from version `base`. The answer of an edit that somebody made already is the version in force.
pub(crate) async fn edited(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    (table, id): (&str, &str),
    base: u64,
    sent: &Value,
) -> Result<Value, Problem> {
    let edit = RowEdit::from_json(table, id, sent).map_err(|error| refused_edit(&error))?;
    for _ in 0..ROUNDS {
        let Laid { over, current, files } = laid(cloud, company, &edit, (base, None)).await?;
        if base != over && files == current {
            // A second click: what it asks for stands already, and is no version of its own.
            return Ok(json!({
                "company": company, "version": over, "diff": Diff::default(), "warnings": Problems::default(),
            }));
        }
        let how = How { desk, of: Some(company), word: format!("{table}/{id}"), intent: Intent::Publish };
        match put_in_force(cloud, how, Some(over), files).await {
            // Somebody published in between: their rows stand, ours is made on top.
            Err(problem) if problem.code() == Code::VersionConflict => {}
            Err(problem) => return Err(problem),
            Ok(Json(told)) => return Ok(told),
        }
    }
    Err(Problem::new(Code::Unavailable, "others kept publishing; try again").retry_after(1))
}

/// An edit laid over what is in force.
struct Laid {
    /// That version.
    over: u64,
    /// Its files.
    current: RulebookFiles,
    files: RulebookFiles,
}

/// Lays an edit, made from version `base` (with these files, where they are known), over what is in force.
async fn laid(
    cloud: &Cloud,
    company: &CompanyId,
    edit: &RowEdit,
    (base, of_base): (u64, Option<RulebookFiles>),
) -> Result<Laid, Problem> {
    let over = cloud.store.rulebook_pointer(company).await?.ok_or_else(none_yet)?.version;
    let of_base = match of_base {
        Some(files) => files,
        None => files_of(cloud, company, base).await?,
    };
    let (merged, current) = if base == over {
        (edit.apply(&of_base).map(Merged::Applied), of_base)
    } else {
        let current = files_of(cloud, company, over).await?;
        (edit.apply_since(&of_base, &current), current)
    };
    Ok(Laid { over, files: applied(merged, over)?, current })
}

/// The files of an edit; of one whose row somebody else changed, a problem with both.
fn applied(merged: Result<Merged, EditError>, in_force: u64) -> Result<RulebookFiles, Problem> {
    match merged.map_err(|error| refused_edit(&error))? {
        Merged::Applied(files) => Ok(files),
        Merged::Conflict(conflict) => {
            let detail = "somebody else changed this row meanwhile; look at both and send it again";
            Err(Problem::new(Code::VersionConflict, detail)
                .with("version", in_force)
                .with("conflict", json!(conflict)))
        }
    }
}

/// What one row, made from version `base`, would come to over what is in force. Two reads at most, where the files it
/// was made from are known.
pub(crate) async fn edit_looked_at(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    (table, id): (&str, &str),
    base: (u64, Option<RulebookFiles>),
    sent: &Value,
) -> Result<Looked, Problem> {
    let edit = RowEdit::from_json(table, id, sent).map_err(|error| refused_edit(&error))?;
    let Laid { over, current, files } = laid(cloud, company, &edit, base).await?;
    let how = How { desk, of: Some(company), word: format!("{table}/{id}"), intent: Intent::Look };
    looked_at(cloud, &how, (over, Some(&current)), &files)
}

#[derive(Deserialize)]
struct Rollback {
    version: u64,
}

/// `POST /v1/rulebook/rollback?company&base&dry_run&backtest`: `{"version": 7}`: its files once more, as a new version.
pub(crate) async fn rollback(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<MANAGES>,
    Query(query): Query<PublishQuery>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let sent: Rollback = serde_json::from_slice(&body(request, limits::BODY_BYTES).await?)
        .map_err(|_| Problem::new(Code::MalformedBody, r#"the body is {"version": 7}"#))?;
    let files = files_of(&cloud, &company, sent.version).await?;
    let word = RulebookVersion::rollback_to(sent.version);
    let how = How { desk: &desk, of: Some(&company), word, intent: query.intent()? };
    put_in_force(&cloud, how, query.base, files).await
}

/// Who publishes, and what of it.
pub(crate) struct How<'a> {
    pub(crate) desk: &'a Staff,
    /// Whose it is meant to be, where that is said beside it.
    pub(crate) of: Option<&'a CompanyId>,
    /// As [`leadyard_platform::store::RulebookVersion`] has it.
    pub(crate) word: String,
    pub(crate) intent: Intent,
}

/// A rulebook that can be published: it parses, it compiles, and its own tests pass.
struct Weighed {
    company: CompanyId,
    /// Text: a workbook's sheets as the tables they are.
    files: RulebookFiles,
    book: Rulebook,
    compiled: Compiled,
    warnings: Vec<leadyard_domain::rulebook::Problem>,
}

fn weighed(how: &How<'_>, files: &RulebookFiles, now: jiff::Timestamp) -> Result<Weighed, Problem> {
    let files = files.unpacked().map_err(|problems| broken(&problems))?;
    let book = Rulebook::parse(&files).map_err(|problems| broken(&problems))?;
    let company = who::company(how.desk, Some(book.company.id.as_str()))?;
    if let Some(of) = how.of.filter(|of| **of != company) {
        let detail = format!("this is the rulebook of {company}, and not of {of}");
        return Err(Problem::new(Code::RulebookRefused, detail));
    }
    let compiled = book.compile(0).map_err(|rule| Problem::new(Code::RulebookRefused, rule.to_string()))?;
    let failed: Vec<_> = book
        .tests
        .iter()
        .map(|test| compiled.examine(test))
        .filter(|examined| !examined.differences.is_empty())
        .collect();
    if !failed.is_empty() {
        let detail = "the rulebook's own tests fail";
        return Err(Problem::new(Code::RulebookRefused, detail).with("problems", json!(failed)));
    }
    let warnings = book.check(now.to_zoned(jiff::tz::TimeZone::UTC).date());
    Ok(Weighed { company, files, book, compiled, warnings })
}

/// What publishing would come to. Nothing is published.
pub(crate) struct Looked {
    /// As the API says it.
    pub(crate) told: Value,
    /// The version that it is compared with; 0 for none.
    pub(crate) over: u64,
    /// Its rules: none, where they are not read any more.
    pub(crate) before: Option<Rulebook>,
    /// The rules as they would be.
    pub(crate) book: Rulebook,
    pub(crate) compiled: Compiled,
}

impl Looked {
    /// As the API says it.
    async fn tell(self, cloud: &Cloud, company: &CompanyId, intent: Intent) -> Value {
        let mut told = self.told.clone();
        if intent == Intent::Backtest {
            let tried = Box::pin(backtest::tried(cloud, company, self)).await;
            told["backtest"] = json!(tried.map(|tried| tried.tell()));
        }
        told
    }
}

/// What publishing these files would come to over a version (0 for none) whose files are known.
pub(crate) fn looked_at(
    cloud: &Cloud,
    how: &How<'_>,
    over: (u64, Option<&RulebookFiles>),
    files: &RulebookFiles,
) -> Result<Looked, Problem> {
    Ok(weighed(how, files, cloud.clock.now())?.over(over))
}

impl Weighed {
    fn over(self, (over, current): (u64, Option<&RulebookFiles>)) -> Looked {
        let Self { company, book, compiled, warnings, .. } = self;
        // One that an earlier version of this program took may be none for this one.
        let before = current.and_then(|before| Rulebook::parse(before).ok());
        let diff = before.as_ref().map(|before| before.diff(&book));
        let told = json!({ "company": company, "in_force": over, "diff": diff, "warnings": warnings });
        Looked { told, over, before, book, compiled }
    }
}

/// Parses, compiles, runs the rulebook's own tests, and publishes over `base`: the answer is what is
/// different, what is worth a second look, and the new version.
pub(crate) async fn put_in_force(
    cloud: &Cloud,
    how: How<'_>,
    base: Option<u64>,
    files: RulebookFiles,
) -> Result<Json<Value>, Problem> {
    let now = cloud.clock.now();
    let mut weighed = weighed(&how, &files, now)?;
    let (company, files) = (weighed.company.clone(), std::mem::take(&mut weighed.files));
    let in_force = cloud.store.rulebook_pointer(&company).await?.map_or(0, |pointer| pointer.version);
    let current = match in_force {
        0 => None,
        version => Some(files_of(cloud, &company, version).await?),
    };
    if base.is_some_and(|base| base != in_force) {
        return Err(behind(in_force));
    }
    let looked = weighed.over((in_force, current.as_ref()));
    if how.intent != Intent::Publish {
        return Ok(Json(looked.tell(cloud, &company, how.intent).await));
    }
    let Looked { mut told, compiled, .. } = looked;
    let staff = &how.desk.staff;
    let (by, mailboxes) = ((staff.as_str(), how.word.as_str()), cloud.master.mailboxes());
    match cloud.store.rulebook_publish(&compiled, &files, in_force, by, &mailboxes, now).await? {
        Published::Behind(version) => Err(behind(version)),
        Published::Version(version) => {
            tracing::info!(company.id = %company, rulebook.version = version, "a rulebook was published");
            cloud.hand_wake_all(&company).await;
            now::wants(cloud, &company).await;
            if let Some(told) = told.as_object_mut() {
                told.remove("in_force");
                told.insert("version".to_owned(), json!(version));
            }
            Ok(Json(told))
        }
    }
}

/// The files of one version, as published.
pub(crate) async fn files_of(
    cloud: &Cloud,
    company: &CompanyId,
    version: u64,
) -> Result<RulebookFiles, Problem> {
    let text = cloud.store.rulebook_text(company, version).await?;
    let text = text.ok_or_else(|| Problem::new(Code::NotFound, format!("there is no version {version}")))?;
    let files = text.into_iter().map(|(name, text)| (name, text.into_bytes()));
    RulebookFiles::new(files).map_err(|problems| broken(&problems))
}

pub(crate) fn broken(problems: &Problems) -> Problem {
    Problem::new(Code::RulebookRefused, "the rulebook has errors").with("problems", json!(problems))
}

pub(crate) fn refused_edit(error: &EditError) -> Problem {
    let code = match error {
        EditError::UnknownTable(_) | EditError::NoSuchRow { .. } => Code::NotFound,
        EditError::UnknownColumn { .. } => Code::InvalidField,
        EditError::Malformed(_) => Code::MalformedBody,
        EditError::RowExists { .. } => Code::StateConflict,
        EditError::Unreadable(problems) => return broken(problems),
    };
    Problem::new(code, error.to_string())
}

fn behind(version: u64) -> Problem {
    Problem::new(Code::VersionConflict, format!("version {version} is in force; look at it first"))
        .with("version", version)
}
