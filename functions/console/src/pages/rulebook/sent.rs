//! Files that a browser sent, looked at and published; and an earlier version, put in force again.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leadyard_domain::enquiry::parts;
use leadyard_domain::error::Code;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::rulebook::packed::{is_archive, unpack};
use leadyard_domain::rulebook::{Problems, RulebookFiles};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Path, Problem};
use leadyard_platform::store::RulebookVersion;
use leadyard_platform::who::{self, MANAGES};
use serde_json::Value;

use super::told::{Difference, Lines};
use super::{AT, back_to};
use crate::pages::backtest::{Tried, tried};
use crate::pages::signed::{self, For, Form, Sent, Signed};
use crate::pages::{Frame, rendered, troubled};
use crate::rulebook::{How, Intent, Looked, broken, files_of, looked_at, put_in_force};

/// What a form with files has besides them: its own fields, and the names of the files.
const BESIDE_BYTES: usize = 64 * 1024;

#[derive(askama::Template)]
#[template(path = "rulebook_look.html")]
struct Look {
    frame: Frame,
    company: String,
    /// What it is that would be published.
    what: String,
    /// The version that it is compared with; 0 for none.
    base: u64,
    difference: Difference,
    /// That version is not read any more: nobody can say what would change.
    incomparable: bool,
    warnings: Lines,
    /// What they would have done with the last decisions; nothing, where none were made.
    tried: Option<Tried>,
    problems: Lines,
    trouble: String,
    /// Where it is published, and what for; nothing, where there is nothing to publish.
    publish: Option<Publish>,
}

struct Publish {
    at: String,
    /// Of files: under which they are kept.
    draft: String,
    how: String,
    says: &'static str,
}

/// What is to be published.
struct Wanted<'a> {
    company: &'a CompanyId,
    /// A whole rulebook, or files in place of those in force.
    files: RulebookFiles,
    how: String,
    /// As the page calls it.
    what: String,
}

/// The files as they would be in force.
struct Laid {
    /// Over which version; 0 for none.
    over: u64,
    /// The files of that.
    current: Option<RulebookFiles>,
    files: RulebookFiles,
    /// They are what is in force.
    stand: bool,
}

impl Wanted<'_> {
    /// What is no whole is laid over what is in force now: what others published since it was sent stays.
    async fn laid(&self, cloud: &Cloud) -> Result<Laid, Problem> {
        let Some(pointer) = cloud.store.rulebook_pointer(self.company).await? else {
            return Ok(Laid { over: 0, current: None, files: self.files.clone(), stand: false });
        };
        let in_force = files_of(cloud, self.company, pointer.version).await?;
        let files = if is_whole(&self.files) {
            self.files.clone()
        } else {
            in_force.with_all(&self.files).map_err(|problems| broken(&problems))?
        };
        Ok(Laid { over: pointer.version, stand: files == in_force, current: Some(in_force), files })
    }
}

fn is_whole(files: &RulebookFiles) -> bool {
    files.get("company.toml").is_some()
}

/// Where files are sent.
const SEND: &str = "/console/rulebook/send";

/// `POST /console/rulebook/send` with `files` as multipart: what would follow. Nothing is published.
pub(in crate::pages) async fn send(
    State(cloud): State<Cloud>,
    For(signed): For<MANAGES>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match Box::pin(looked(&cloud, &signed, &headers, body)).await {
        Ok(response) => response,
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn looked(
    cloud: &Cloud,
    signed: &Signed,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let kind = http::text(headers, "content-type").unwrap_or_default().to_owned();
    let bytes = http::body(body, limits::UPLOAD_BYTES + BESIDE_BYTES).await.map_err(too_large)?;
    let parts = parts(&kind, &bytes).map_err(|error| Problem::new(Code::MalformedBody, error.to_string()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let fields = parts.iter().filter(|part| part.file().is_none());
    let form: Form = fields.map(|part| (part.name(), text(part.bytes))).collect();
    if let Err(why) = signed::check(signed, headers, &form) {
        return Ok(why.page(cloud, signed, (SEND, headers), form).await);
    }
    let company = who::company(&signed.desk, form.get("company").map(String::as_str))?;
    let files = parts.iter().filter_map(|part| Some((part.file()?, part.bytes)));
    let files: Vec<(String, &[u8])> =
        files.filter(|(name, bytes)| !name.is_empty() || !bytes.is_empty()).collect();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let mut page = Look::of(signed, &company, super::told::short(&names.join(", "), 400));
    if files.is_empty() {
        "no file was chosen".clone_into(&mut page.trouble);
        return Ok(rendered(&page, StatusCode::BAD_REQUEST));
    }
    if files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > limits::UPLOAD_BYTES {
        return Err(too_many_bytes());
    }
    let (files, how) = match together(files) {
        Ok(sent) => sent,
        Err(problems) => return Ok(page.refused(&broken(&problems))),
    };
    let wanted = Wanted { company: &company, files, how, what: std::mem::take(&mut page.what) };
    let mut page = look(cloud, signed, &wanted).await?;
    if page.trouble.is_empty() {
        let draft = URL_SAFE_NO_PAD.encode(cloud.entropy.bytes::<16>());
        cloud.store.rulebook_draft_keep(&company, &draft, &wanted.files, cloud.clock.now()).await?;
        let at = format!("{AT}/publish");
        page.publish = Some(Publish { at, draft, how: wanted.how, says: "Publish" });
    }
    Ok(rendered(&page, page.status()))
}

fn too_large(problem: Problem) -> Problem {
    if problem.code() == Code::BodyTooLarge { too_many_bytes() } else { problem }
}

fn too_many_bytes() -> Problem {
    let most = limits::UPLOAD_BYTES / (1024 * 1024);
    Problem::new(
        Code::BodyTooLarge,
        format!("files have at most {most} MiB as they are sent: pack them as a .zip"),
    )
}

/// The files that were sent, and what that is called: archives unfolded, and the sheets of a workbook as the tables
/// that are published.
fn together(sent: Vec<(String, &[u8])>) -> Result<(RulebookFiles, String), Problems> {
    let (mut named, mut left) = (Vec::new(), limits::RULEBOOK_BYTES);
    for (name, bytes) in sent {
        // Some browsers send the folder as well.
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        if is_archive(&name) {
            named.extend(unpack(&name, bytes, &mut left)?);
        } else {
            named.push((name, bytes.to_vec()));
        }
    }
    let is_book = |name: &str| name.to_ascii_lowercase().ends_with(".xlsx");
    let how = match (named.iter().any(|(name, _)| name == "company.toml"), &*named) {
        (true, _) => "whole",
        (false, [(name, _)]) if is_book(name) => "workbook",
        (false, _) => "files",
    };
    Ok((RulebookFiles::new(named)?.unpacked()?, how.to_owned()))
}

/// What publishing would come to, compared with what is in force.
async fn look(cloud: &Cloud, signed: &Signed, wanted: &Wanted<'_>) -> Result<Look, Problem> {
    let mut page = Look::of(signed, wanted.company, wanted.what.clone());
    match would_follow(cloud, signed, wanted).await {
        Ok(looked) => {
            let told = &looked.told;
            page.base = looked.over;
            page.difference = Difference::of(&told["diff"]);
            page.incomparable = page.base > 0 && told["diff"].is_null();
            page.warnings = Lines::of(&told["warnings"]);
            page.tried = Box::pin(tried(cloud, wanted.company, looked)).await;
        }
        Err(problem) if problem.code() == Code::RulebookRefused => {
            problem.detail().clone_into(&mut page.trouble);
            page.problems = Lines::of(&problem.json()["problems"]);
        }
        Err(problem) if problem.code() == Code::NotFound => {
            page.trouble = format!("company.toml names another company than {}", wanted.company);
        }
        Err(problem) => return Err(problem),
    }
    Ok(page)
}

async fn would_follow(cloud: &Cloud, signed: &Signed, wanted: &Wanted<'_>) -> Result<Looked, Problem> {
    let laid = wanted.laid(cloud).await?;
    let (of, word) = (Some(wanted.company), wanted.how.clone());
    let how = How { desk: &signed.desk, of, word, intent: Intent::Look };
    looked_at(cloud, &how, (laid.over, laid.current.as_ref()), &laid.files)
}

impl Look {
    fn of(signed: &Signed, company: &CompanyId, what: String) -> Self {
        Self {
            frame: Frame::of("Before it is published", "rulebook", signed),
            company: company.to_string(),
            what,
            base: 0,
            difference: Difference::default(),
            incomparable: false,
            warnings: Lines::default(),
            tried: None,
            problems: Lines::default(),
            trouble: String::new(),
            publish: None,
        }
    }

    fn status(&self) -> StatusCode {
        if self.trouble.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }

    fn refused(mut self, problem: &Problem) -> Response {
        problem.detail().clone_into(&mut self.trouble);
        self.problems = Lines::of(&problem.json()["problems"]);
        rendered(&self, self.status())
    }
}

/// `POST /console/rulebook/publish`: `draft`, `how`, and the version (`base`) that it was compared with.
pub(in crate::pages) async fn publish(
    State(cloud): State<Cloud>,
    Sent { signed: For(signed), form }: Sent<For<MANAGES>>,
) -> Response {
    match Box::pin(published(&cloud, &signed, &form)).await {
        Ok(response) => response,
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn published(cloud: &Cloud, signed: &Signed, form: &Form) -> Result<Response, Problem> {
    let company = who::company(&signed.desk, form.get("company").map(String::as_str))?;
    let gone = || {
        let detail = "what was sent is not kept any more: choose the files again and look at them";
        Problem::new(Code::NotFound, detail)
    };
    let is_named = |draft: &&String| {
        draft.len() == 22 && draft.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let draft = form.get("draft").filter(is_named).ok_or_else(gone)?;
    let text = cloud.store.rulebook_draft(&company, draft, cloud.clock.now()).await?.ok_or_else(gone)?;
    let files = RulebookFiles::new(text.into_iter().map(|(name, text)| (name, text.into_bytes())))
        .map_err(|problems| broken(&problems))?;
    let how = match form.get("how").map(String::as_str) {
        _ if is_whole(&files) => "whole",
        Some("workbook") => "workbook",
        Some(_) | None => "files",
    };
    let what = "the files that you sent".to_owned();
    let wanted = Wanted { company: &company, files, how: how.to_owned(), what };
    let at = format!("{AT}/publish");
    let publish = Publish { at, draft: draft.clone(), how: how.to_owned(), says: "Publish" };
    in_force(cloud, signed, &wanted, form, publish).await
}

/// Publishes over the version that it was compared with; where another is in force since, it is compared with that.
async fn in_force(
    cloud: &Cloud,
    signed: &Signed,
    wanted: &Wanted<'_>,
    form: &Form,
    publish: Publish,
) -> Result<Response, Problem> {
    let base = form.get("base").and_then(|base| base.parse::<u64>().ok());
    let base = base.ok_or_else(|| Problem::new(Code::InvalidField, "open the page again"))?;
    let back = |done| Ok(Redirect::to(&back_to(wanted.company, done)).into_response());
    let laid = wanted.laid(cloud).await?;
    if laid.stand {
        return back(if laid.over == base { "same" } else { "publish" });
    }
    let how = How {
        desk: &signed.desk,
        of: Some(wanted.company),
        word: wanted.how.clone(),
        intent: Intent::Publish,
    };
    match put_in_force(cloud, how, Some(base), laid.files).await {
        Ok(_) => back("publish"),
        // Of a double click the other was faster.
        Err(problem) if problem.code() == Code::VersionConflict && wanted.laid(cloud).await?.stand => {
            back("publish")
        }
        Err(problem) if problem.code() == Code::VersionConflict => {
            let mut page = look(cloud, signed, wanted).await?;
            if page.trouble.is_empty() {
                let version = problem.json()["version"].clone();
                page.trouble = stale(&version);
                page.publish = Some(publish);
            }
            Ok(rendered(&page, StatusCode::CONFLICT))
        }
        Err(problem) if problem.code() == Code::RulebookRefused => {
            Ok(Look::of(signed, wanted.company, wanted.what.clone()).refused(&problem))
        }
        Err(problem) => Err(problem),
    }
}

fn stale(version: &Value) -> String {
    format!("somebody published version {version} meanwhile: this is what would change of it now")
}

/// `GET /console/rulebook/{company}/{version}/rollback`: what would follow.
pub(in crate::pages) async fn look_back(
    State(cloud): State<Cloud>,
    For(signed): For<MANAGES>,
    Path((company, version)): Path<(String, u64)>,
) -> Response {
    let looked = async {
        let company = who::company(&signed.desk, Some(&company))?;
        let wanted = earlier(&cloud, &company, version).await?;
        let mut page = Box::pin(look(&cloud, &signed, &wanted)).await?;
        if page.trouble.is_empty() {
            page.publish = Some(again(&company, version));
        }
        Ok::<_, Problem>(rendered(&page, page.status()))
    };
    looked.await.unwrap_or_else(|problem| troubled(&signed, &problem))
}

/// `POST …/rollback`: it is published once more, over the version (`base`) that it was compared with.
pub(in crate::pages) async fn roll_back(
    State(cloud): State<Cloud>,
    Path((company, version)): Path<(String, u64)>,
    Sent { signed: For(signed), form }: Sent<For<MANAGES>>,
) -> Response {
    let done = async {
        let company = who::company(&signed.desk, Some(&company))?;
        let wanted = earlier(&cloud, &company, version).await?;
        Box::pin(in_force(&cloud, &signed, &wanted, &form, again(&company, version))).await
    };
    done.await.unwrap_or_else(|problem| troubled(&signed, &problem))
}

async fn earlier<'a>(cloud: &Cloud, company: &'a CompanyId, version: u64) -> Result<Wanted<'a>, Problem> {
    let files = files_of(cloud, company, version).await?;
    let (how, what) = (RulebookVersion::rollback_to(version), format!("version {version} once more"));
    Ok(Wanted { company, files, how, what })
}

fn again(company: &CompanyId, version: u64) -> Publish {
    let at = format!("{AT}/{company}/{version}/rollback");
    Publish { at, draft: String::new(), how: String::new(), says: "Put it in force again" }
}
