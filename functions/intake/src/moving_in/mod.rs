//! Moving in: files, a hundred rows at a time: enquiries that are to be sold, and what another system knew.
//!
//! | module | holds |
//! |---|---|
//! | [`enquiries`] | enquiries of a file, as if they had been posted |
//! | [`history`] | past leads with their dealers and outcomes |
//! | [`counts`] | what contracts and dealers have had in the periods that run; balances |
//! | [`suppressed`] | whom the company must not take in, or not call |
//! | [`people`] | whose rows are kept one after another |
//! | [`directory`] | the dealers and contracts in force, by name |
//!
//! Each route says of every row what became of it: `imported`, `already` (it was there before: the same
//! request again changes nothing) or `refused`, with the field and its rule. A row that is refused refuses
//! itself alone. With `?dry_run` nothing is written. Nothing personal is in an answer or a log.
//!
//! The rows of a request are read, judged and kept side by side, their calls gathered into few. Of history
//! nothing is queued, counted, charged or sent.

mod enquiries;
mod history;
mod counts;
mod suppressed;
mod people;
mod directory;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRef;
use axum::routing::post;
use axum::{Json, Router};
use leadyard_domain::distribution::Core;
use leadyard_domain::enquiry::Fields;
use leadyard_domain::error::{Code, FieldError};
use leadyard_domain::ids::{ActId, CompanyId, LeadId};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Problem};
use leadyard_platform::store::Act;
use leadyard_platform::who::{self, DeskOf, MANAGES, Staff};
use serde::Deserialize;
use serde_json::{Value, json};

use directory::Directories;

/// The routes.
pub(crate) fn router(cloud: Cloud) -> Router {
    Router::new()
        .route("/v1/import/enquiries", post(enquiries::import))
        .route("/v1/import/history", post(history::import))
        .route("/v1/import/counts", post(counts::import))
        .route("/v1/import/suppressed", post(suppressed::import))
        .route("/v1/import/do_not_call", post(suppressed::import_do_not_call))
        .with_state(Office { cloud, directories: Arc::default() })
}

/// What the routes share.
#[derive(Clone)]
struct Office {
    cloud: Cloud,
    directories: Arc<Directories>,
}

impl FromRef<Office> for Cloud {
    fn from_ref(office: &Office) -> Self {
        office.cloud.clone()
    }
}

#[derive(Deserialize)]
struct Asked {
    /// Whose file it is: of enquiries alone.
    source: Option<String>,
    /// How many rows the whole file has: of enquiries alone.
    file_rows: Option<u32>,
    dry_run: Option<String>,
}

#[derive(Deserialize)]
struct Sent {
    rows: Vec<Value>,
}

/// A request that was let in.
struct Request {
    desk: Staff,
    company: CompanyId,
    core: Arc<Core>,
    dry_run: bool,
    /// As sent; or why one cannot be read.
    rows: Vec<Result<Fields, FieldError>>,
}

async fn let_in(cloud: &Cloud, who: DeskOf<MANAGES>, asked: Asked, body: Body) -> Result<Request, Problem> {
    let DeskOf { desk, company } = who;
    let body = http::body(body, limits::IMPORT_BYTES).await?;
    let sent: Sent = serde_json::from_slice(&body).map_err(|_| {
        Problem::new(Code::MalformedBody, r#"the body is {"rows": [{"name": "value", …}, …]}"#)
    })?;
    if sent.rows.is_empty() || sent.rows.len() > limits::IMPORT_ROWS {
        let detail = format!("rows is a list of 1 to {} rows", limits::IMPORT_ROWS);
        return Err(Problem::new(Code::InvalidField, detail));
    }
    let core = who::rules_of(cloud, &company).await?;
    let unreadable = |rule: String| FieldError { pointer: String::new(), detail: rule };
    let fields = |row: Value| {
        Fields::from_json(row.to_string().as_bytes()).map_err(|error| unreadable(error.to_string()))
    };
    let rows = sent.rows.into_iter().map(fields).collect();
    Ok(Request { desk, company, core, dry_run: asked.dry_run.is_some(), rows })
}

impl Request {
    /// The record of a change to the company.
    fn act(&self, cloud: &Cloud, act: &str, before: &Value, after: &Value) -> Act {
        let at = cloud.clock.now();
        Act {
            id: ActId::mint(at, cloud.entropy.bytes()),
            at,
            by: self.desk.staff.clone(),
            act: act.to_owned(),
            reason: None,
            before: before.to_string(),
            after: after.to_string(),
        }
    }

    /// The answer, and a line in the log.
    fn answer(&self, what: &'static str, rows: &[Row]) -> Json<Value> {
        let count = |status: Status| rows.iter().filter(|row| row.status == status).count();
        let (imported, already) = (count(Status::Imported), count(Status::Already));
        let refused = count(Status::Refused);
        tracing::info!(
            company.id = %self.company, staff = %self.desk.staff, import = what, dry_run = self.dry_run,
            rows.imported = imported, rows.already = already, rows.refused = refused, "rows were moved in"
        );
        let told: Vec<Value> = rows.iter().enumerate().map(|(at, row)| row.tell(at)).collect();
        Json(json!({
            "company": self.company, "dry_run": self.dry_run, "imported": imported, "already": already,
            "refused": refused, "rows": told,
        }))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Imported,
    Already,
    Refused,
}

/// What became of a row.
#[derive(Clone, Debug)]
struct Row {
    status: Status,
    lead: Option<LeadId>,
    /// How a past lead met what is known: `lead`, `cycle`, `repeat`, `late`; what an enquiry is: `received`,
    /// `repeat`, `quarantined`, `test`.
    how: Option<&'static str>,
    /// What else is told of an enquiry.
    more: Vec<(&'static str, Value)>,
    /// Why it was refused.
    errors: Vec<FieldError>,
    /// What of it could not be understood, and is kept as it came.
    notes: Vec<FieldError>,
}

impl Row {
    const fn of(status: Status) -> Self {
        Self { status, lead: None, how: None, more: Vec::new(), errors: Vec::new(), notes: Vec::new() }
    }

    fn refused(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::of(Status::Refused) }
    }

    fn refused_for(field: &str, rule: impl Into<String>) -> Self {
        Self::refused(vec![FieldError { pointer: format!("/{field}"), detail: rule.into() }])
    }

    fn tell(&self, at: usize) -> Value {
        let status = match self.status {
            Status::Imported => "imported",
            Status::Already => "already",
            Status::Refused => "refused",
        };
        let mut told = json!({ "row": at, "status": status });
        let within = |errors: &[FieldError]| -> Vec<Value> {
            let tell = |error: &FieldError| json!({ "pointer": format!("/rows/{at}{}", error.pointer), "detail": error.detail });
            errors.iter().map(tell).collect()
        };
        if let Some(members) = told.as_object_mut() {
            members.extend(self.lead.map(|lead| ("lead".to_owned(), json!(lead))));
            members.extend(self.how.map(|how| ("as".to_owned(), json!(how))));
            members.extend(self.more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            let lists = [("errors", &self.errors), ("notes", &self.notes)];
            members.extend(
                lists
                    .into_iter()
                    .filter(|(_, list)| !list.is_empty())
                    .map(|(name, list)| (name.to_owned(), json!(within(list)))),
            );
        }
        told
    }
}
