//! A list as a table: CSV, written as it is read, page after page by cursor. Nothing is gathered first, so that a long list
//! takes time and no memory.
//!
//! Determinations. *A file has an end*: so many leads ([`limits::EXPORT_LEADS`]), so many bytes ([`limits::EXPORT_BYTES`]) or
//! so long ([`limits::READING_SECONDS`]: a filter may take none of many). Where more stand behind it one goes on from there:
//! an answer behind API Gateway has thirty seconds and six megabytes. *A lead is once in a file*, where it stands
//! first. Two files know nothing of each other, and a source's lead whose person asks again between the two stands before
//! both. *That somebody asked is kept first*, among the company's changes, as it is of a look at who a lead is: which
//! list, and whether with who they are. What was written, and where it ended, is kept with it when it has ended; a file
//! that broke off says nothing of it. *Who only reads has the list without who they are*, here as everywhere.

use std::collections::HashSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use leadyard_domain::access::Role;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::{Lead, ScoreNow};
use leadyard_domain::limits;
use leadyard_domain::openapi::{MORE, NEXT};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Problem};
use leadyard_platform::store::Act;
use leadyard_platform::who::{self, Desk, READS, Staff};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::acts;
use crate::find::{self, of_shape};
use crate::reports::harmless;

/// As the company's changes name it.
pub(crate) const ACT: &str = "export_leads";

/// What is told of each lead.
const COLUMNS: [&str; 17] = [
    "lead",
    "company",
    "category",
    "offer",
    "source",
    "campaign",
    "stage",
    "waiting",
    "dealers",
    "score",
    "band",
    "priority",
    "next_step",
    "state",
    "zip",
    "opened_at",
    "last_enquiry_at",
];
/// Who they are, where it is asked for.
const WHO: [&str; 7] = ["first_name", "last_name", "email", "phone", "organization", "street", "city"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// As it is searched for.
    list: find::Asked,
    /// With who they are.
    #[serde(default)]
    who: bool,
}

/// `POST /v1/leads/export`: one file of a list; where the next begins stands in the header [`NEXT`], and in [`MORE`] that
/// others stand behind to whom no next leads.
pub(crate) async fn csv(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<READS>,
    body: Body,
) -> Result<Response, Problem> {
    let body = http::body(body, limits::BODY_BYTES).await?;
    let Wanted { list, who } = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(
            Code::InvalidField,
            format!("the body asks for no list: {}", of_shape(&error, &body, "/list")),
        )
    })?;
    // Who is sought by what is known of them stands in no record of what was asked.
    if !list.is_list() {
        let lists = "list: one of hottest, stage, dealer, source, lapsing and day";
        return Err(Problem::new(Code::InvalidField, lists));
    }
    let company = who::company(&desk, list.company.as_deref())?;
    let core = who::rules_of(&cloud, &company).await?;
    let before = json!({ "asked": list.told() });
    let leads = list.limit.unwrap_or(limits::EXPORT_LEADS).clamp(1, limits::EXPORT_LEADS);
    let file = File { who, leads, ..File::default() };
    let mut table = Table::begin(&cloud, &desk, core, list, file, &before).await?;
    let mut written = Vec::new();
    while let Some(page) = table.page().await? {
        written.extend(page);
    }
    let mut answer = (CSV, written).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(next) = &table.asked.after {
        headers.insert(NEXT, HeaderValue::try_from(next).map_err(unwritten)?);
    }
    if table.more {
        headers.insert(MORE, HeaderValue::from_static("true"));
    }
    Ok(answer)
}

/// The kind of a table.
pub(crate) const CSV: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];

/// How many bytes a part of a file is in the answer of a Lambda function, which is text in JSON.
fn in_answer(part: &[u8]) -> usize {
    part.len() + part.iter().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | b'\t')).count()
}

/// What a file is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    /// With who they are.
    pub(crate) who: bool,
    /// Leads at most.
    pub(crate) leads: usize,
    /// Which of a list's, 1 first.
    pub(crate) part: u64,
    /// How many leads those before it have.
    pub(crate) so_far: u64,
}

impl Default for File {
    fn default() -> Self {
        Self { who: false, leads: limits::EXPORT_LEADS, part: 1, so_far: 0 }
    }
}

/// A file that is being written.
pub(crate) struct Table {
    cloud: Cloud,
    desk: Staff,
    core: Arc<Core>,
    asked: find::Asked,
    /// What was found before it began.
    first: Option<find::Found>,
    file: File,
    /// What is kept of it, to be said again when it has ended.
    act: Act,
    /// When it ends, whatever stands behind it.
    until: Timestamp,
    bytes: usize,
    seen: HashSet<LeadId>,
    /// Of a list that is a look at the top: others stand behind it.
    more: bool,
    begun: bool,
    over: bool,
}

impl Table {
    /// Keeps that somebody asked for it, under what they asked for (`before`), and begins to write.
    ///
    /// # Errors
    /// When they may not have it with who they are, or there is no such list: before anything is written.
    pub(crate) async fn begin(
        cloud: &Cloud,
        desk: &Staff,
        core: Arc<Core>,
        list: find::Asked,
        file: File,
        before: &Value,
    ) -> Result<Self, Problem> {
        let company = core.company_id();
        if file.who {
            desk.must(company, Role::Desk)?;
        }
        let until = find::reads_until(cloud);
        let limit = Some(file.leads.min(limits::SEARCH_LEADS));
        let asked = find::Asked { limit, until: Some(until), ..list };
        // What cannot be found at all is said before a file begins.
        let first = Some(find::find(cloud, desk, &core, &asked).await?);
        let File { who, part, so_far, .. } = file;
        let after = json!({ "who": who, "part": part, "so_far": so_far, "ended": false });
        let act = acts::record(cloud, desk, ACT, None, before, &after);
        cloud.store.change_keep(company, &act).await?;
        tracing::info!(staff = %desk.staff, company = %company, who, part, "a list is exported");
        let (cloud, desk) = (cloud.clone(), desk.clone());
        let (bytes, seen) = (0, HashSet::new());
        let (more, begun, over) = (false, false, false);
        Ok(Self { cloud, desk, core, asked, first, file, act, until, bytes, seen, more, begun, over })
    }

    /// The next page of it; none when it has ended.
    ///
    /// # Errors
    /// When the table cannot be read: the file is then broken off, and not at its end.
    pub(crate) async fn page(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        if self.over {
            return Ok(None);
        }
        let mut table = csv::Writer::from_writer(Vec::new());
        if !self.begun {
            table.write_record(columns(self.file.who)).map_err(unwritten)?;
            self.begun = true;
        }
        self.asked.limit = Some(self.file.leads.min(limits::SEARCH_LEADS));
        let found = match self.first.take() {
            Some(found) => found,
            None => find::find(&self.cloud, &self.desk, &self.core, &self.asked).await?,
        };
        for (lead, score) in &found.leads {
            if self.seen.insert(lead.id) {
                table.write_record(row(lead, score.as_ref(), self.file.who)).map_err(unwritten)?;
                self.file.leads = self.file.leads.saturating_sub(1);
                self.file.so_far += 1;
            }
        }
        let part = table.into_inner().map_err(unwritten)?;
        self.bytes += in_answer(&part);
        (self.asked.after, self.more) = (found.next, found.more);
        if self.asked.after.is_none() || self.is_full() {
            self.over = true;
            let File { who, part, so_far, .. } = self.file;
            let next = self.asked.after.as_ref();
            let after = json!({ "who": who, "part": part, "so_far": so_far, "ended": true, "next": next });
            let act = Act { after: after.to_string(), ..self.act.clone() };
            self.cloud.store.change_keep(self.core.company_id(), &act).await?;
        }
        Ok(Some(part))
    }

    /// Whether it has all that one answer may have.
    fn is_full(&self) -> bool {
        self.file.leads == 0 || self.bytes >= limits::EXPORT_BYTES || self.cloud.clock.now() >= self.until
    }
}

/// These leads as a whole table.
pub(crate) fn of(leads: &[(Lead, Option<ScoreNow>)], who: bool) -> Result<Vec<u8>, Problem> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(columns(who)).map_err(unwritten)?;
    for (lead, score) in leads {
        table.write_record(row(lead, score.as_ref(), who)).map_err(unwritten)?;
    }
    table.into_inner().map_err(unwritten)
}

fn unwritten<E>(_: E) -> Problem {
    Problem::new(Code::Internal, "the table could not be written")
}

/// What stands above the rows.
fn columns(who: bool) -> Vec<&'static str> {
    let mut columns = COLUMNS.to_vec();
    if who {
        columns.extend(WHO);
    }
    columns
}

/// A lead as a row.
fn row(lead: &Lead, score: Option<&ScoreNow>, who: bool) -> Vec<String> {
    let text = |text: Option<&String>| text.map(|text| harmless(text)).unwrap_or_default();
    let dealers: Vec<&str> = lead.holders.iter().map(|holder| holder.dealer.as_str()).collect();
    let of_score = |told: fn(&ScoreNow) -> String| score.map(told).unwrap_or_default();
    let mut cells = vec![
        lead.id.to_string(),
        lead.company.to_string(),
        lead.category.to_string(),
        lead.offer.to_string(),
        lead.source.to_string(),
        text(lead.campaign.as_ref()),
        lead.stage.to_string(),
        lead.waiting.map(|reason| reason.to_string()).unwrap_or_default(),
        dealers.join(" "),
        of_score(|score| format!("{}.{:02}", score.hundredths / 100, score.hundredths % 100)),
        of_score(|score| score.band.to_string()),
        of_score(|score| score.priority.to_string()),
        of_score(|score| score.next_step.to_string()),
        lead.location().state().map(|state| state.to_string()).unwrap_or_default(),
        lead.person.zip.map(|zip| zip.to_string()).unwrap_or_default(),
        lead.opened_at.to_string(),
        lead.last_enquiry_at.to_string(),
    ];
    if who {
        let person = &lead.person;
        cells.extend([
            text(person.first_name.as_ref()),
            text(person.last_name.as_ref()),
            text(person.email.as_ref()),
            // Digits behind a plus are a number to a spreadsheet, and no formula.
            person.phone.clone().unwrap_or_default(),
            text(person.organization.as_ref()),
            text(person.street.as_ref()),
            text(person.city.as_ref()),
        ]);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_full_leaves_an_answer_room_for_a_page() {
        // The answer is text in JSON: what is escaped there counts as it stands there.
        for part in ["lead,Ada\n", "\"say \"\"no\"\"\",\"a\\b\"\r\n", "Zoë,\tx\n"] {
            assert_eq!(in_answer(part.as_bytes()), json!(part).to_string().len() - 2, "{part}");
        }
        // Of a row the campaign and who they are may be long, of four bytes a character; the rest are ids and numbers.
        let row = (1 + WHO.len()) * limits::TEXT_CHARS * 4 + 1_000;
        let most = limits::EXPORT_BYTES + limits::SEARCH_LEADS * row;
        assert!((limits::EXPORT_BYTES..6_000_000).contains(&most), "{most}");
    }
}
