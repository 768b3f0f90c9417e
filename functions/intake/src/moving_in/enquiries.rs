//! Enquiries of a file: each row comes in as if it had been posted to its source, and is distributed.
//!
//! A row is known by its external id or by its cells, so that the same file twice makes nothing twice. Refused is
//! what whoever has the file can put right; what only a person can judge is kept in quarantine, like anything
//! that is posted. A long file comes in first and is sold after: else the first thousand rows, on their way to
//! dealers, would keep the last from being kept. On its way it is a group of its own, and keeps nobody waiting
//! who comes one by one.
//!
//! Determinations. *The desk's token, not the source's secret*: a file is moved in by the desk, a hundred rows at
//! a time, and a dry run tells it what no sender may ask. *Nothing is spilled*: whoever sends has the file, and
//! sends it again.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use leadyard_domain::access::PageKey;
use leadyard_domain::enquiry::{Fields, Understood};
use leadyard_domain::error::{Code, FieldError};
use leadyard_domain::history::{FileRow, Fingerprint, HistoryKey};
use leadyard_domain::ids::{EnquiryId, SourceId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Offer, Source, SourceKind};
use leadyard_platform::arriving::answer::{Answer, What};
use leadyard_platform::arriving::whose::{Asking, Known, whose};
use leadyard_platform::arriving::{Arrival, Arrived};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::store::StoreError;
use leadyard_platform::who::{DeskOf, MANAGES};
use serde_json::{Value, json};

use super::people::{Of, people};
use super::{Asked, Office, Request, Row, Status, let_in};
use crate::keep;
use crate::trial;

/// Rows of a file that come in within a second, at the least; its leads wait for so long.
const ROWS_A_SECOND: u32 = 2_500;
/// The longest that they wait: less than the due index does before it looks for what a queue lost.
const WAIT_S: u32 = 40;

/// `POST /v1/import/enquiries?company&source&file_rows&dry_run`: `{"rows": [{"email": …, "zip": …}, …]}`.
pub(super) async fn import(
    State(office): State<Office>,
    who: DeskOf<MANAGES>,
    Query(asked): Query<Asked>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let named = asked.source.clone();
    let wait_s = (asked.file_rows.unwrap_or(0) / ROWS_A_SECOND).min(WAIT_S);
    let request = let_in(&office.cloud, who, asked, body).await?;
    let now = office.cloud.clock.now();
    let source = source(&request, named.as_deref(), now)?;
    let cloud = office.cloud.abreast();
    let key = HistoryKey::from_bytes(cloud.master.derive("leadyard/history/v1"));
    let mut rows = vec![Row::of(Status::Refused); request.rows.len()];
    let mut fresh = Vec::with_capacity(rows.len());
    for (at, (sent, told)) in request.rows.iter().zip(&mut rows).enumerate() {
        let read = sent.as_ref().map_err(|error| vec![error.clone()]);
        match read.and_then(|row| Standing::read(&request, source, &key, (at, row), now)) {
            Ok(one) => fresh.push(one),
            Err(errors) => *told = Row::refused(errors),
        }
    }
    let known: Vec<_> = fresh.iter().map(|one| (one.enquiry, None)).collect();
    let before = cloud.store.imported_before(&request.company, &known).await?;
    let mut seen = BTreeSet::new();
    fresh.retain(|one| {
        let there = before.lead(one.enquiry, None);
        // The same row twice in one request is one enquiry.
        let again = there.is_some() || !seen.insert(one.enquiry);
        if again {
            put(&mut rows, one.at, Row { lead: there.flatten(), ..Row::of(Status::Already) });
        }
        !again
    });
    let of_each: Vec<_> =
        people(fresh).into_iter().map(|person| take_all(&cloud, &request, source, person).boxed()).collect();
    let kept: Result<Vec<Vec<(usize, Row)>>, StoreError> =
        stream::iter(of_each).buffer_unordered(limits::IMPORT_ROWS).try_collect().await;
    // Also of a request that broke off: what was kept is sold.
    cloud.send_held(wait_s).await;
    for (at, told) in kept?.into_iter().flatten() {
        put(&mut rows, at, told);
    }
    Ok(request.answer("enquiries", &rows))
}

fn put(rows: &mut [Row], at: usize, told: Row) {
    if let Some(row) = rows.get_mut(at) {
        *row = told;
    }
}

/// The source that the file is of.
fn source<'a>(request: &'a Request, named: Option<&str>, now: Timestamp) -> Result<&'a Source, Problem> {
    let refused = |detail: String| Problem::new(Code::InvalidField, detail);
    let named = named.ok_or_else(|| refused("the query needs source".to_owned()))?;
    let source = SourceId::new(named).ok().and_then(|id| request.core.source(&id));
    let source = source.ok_or_else(|| refused("the rulebook has no such source".to_owned()))?;
    if source.kind != SourceKind::File {
        let kind = source.kind;
        return Err(refused(format!("a file comes in by a source of kind file; this one is of kind {kind}")));
    }
    if let Some(ends) = source.ends.filter(|ends| request.core.today(now) > *ends) {
        return Err(Problem::new(Code::SourceClosed, format!("this source took leads until {ends}")));
    }
    Ok(source)
}

/// A row that can be taken in.
struct Standing<'a> {
    at: usize,
    row: FileRow<'a>,
    enquiry: EnquiryId,
}

impl<'a> Standing<'a> {
    fn read(
        request: &'a Request,
        source: &Source,
        key: &HistoryKey,
        (at, sent): (usize, &Fields),
        now: Timestamp,
    ) -> Result<Self, Vec<FieldError>> {
        let row = FileRow::read(sent, &request.core, source, now)?;
        let known = Fingerprint::of_file_row(key, &request.company, &source.id, sent, &row);
        Ok(Self { at, row, enquiry: known.enquiry_of_a_file() })
    }
}

impl Of for Standing<'_> {
    fn who(&self) -> &Understood {
        &self.row.understood
    }

    fn order(&self) -> (Timestamp, usize) {
        (self.row.received_at, self.at)
    }
}

async fn take_all(
    cloud: &Cloud,
    request: &Request,
    source: &Source,
    person: Vec<Standing<'_>>,
) -> Result<Vec<(usize, Row)>, StoreError> {
    let mut taken = Vec::with_capacity(person.len());
    for one in person {
        taken.push(Box::pin(take_in(cloud, request, source, one)).await?);
    }
    Ok(taken)
}

async fn take_in(
    cloud: &Cloud,
    request: &Request,
    source: &Source,
    one: Standing<'_>,
) -> Result<(usize, Row), StoreError> {
    let company = request.company.clone();
    let (source_id, generation) = (source.id.clone(), source.key_generation);
    let arrival = Arrival {
        id: one.enquiry,
        key: PageKey { company, source: source_id, generation, origins: Vec::new() },
        trusted: true,
        at: one.row.received_at,
        content_type: String::new(),
        body: Bytes::new(), // its fields are read already
        idempotency: None,
        visitor: None,
        address: None,
        ip: None,
        gpc: false,
        user_agent: None,
        sent_by: None,
        spilled: false,
        tried: false,
    };
    let FileRow { offer, fields, understood, .. } = one.row;
    let notes = understood.notes.clone();
    let arrived = Arrived { arrival: &arrival, core: &request.core, source, fields, understood };
    let kept = if request.dry_run {
        Box::pin(would_be(cloud, &arrived, offer)).await?
    } else {
        let answered = Box::pin(keep::take(cloud, &arrived, true)).await?;
        if answered.already { Row::of(Status::Already) } else { told(answered.what) }
    };
    Ok((one.at, Row { notes, ..kept }))
}

/// What would become of it, and where a new one would go.
async fn would_be(cloud: &Cloud, arrived: &Arrived<'_>, offer: &Offer) -> Result<Row, StoreError> {
    let Arrived { arrival, core, source, understood, .. } = arrived;
    let asking = Asking { company: &arrival.key.company, core, who: understood, at: arrival.at };
    let known = Known::of(cloud, asking, offer).await?;
    let going = Box::pin(trial::would_go(cloud, arrived, offer)).await?;
    if let Answer::Test { waiting: Some(waiting), reasons, .. } = &going
        && waiting == trial::QUARANTINED
        && !source.test
    {
        return Ok(told(What::Fresh(Answer::Quarantined { reasons: reasons.clone() })));
    }
    let repeated = if source.test { None } else { whose(cloud, asking, &known, offer).await?.1 };
    let window = core.company.window_days;
    if let Some(lead) = repeated.as_ref().filter(|lead| !lead.opens_next_cycle(arrival.at, window)) {
        return Ok(told(What::Fresh(Answer::Repeat { lead: lead.id, since: lead.last_enquiry_at })));
    }
    let going = told(What::Fresh(going));
    let how = if source.test { going.how } else { Some("received") };
    Ok(Row { how, lead: repeated.map(|lead| lead.id), ..going })
}

/// What became of a row, in the words that the source's own server is answered with.
fn told(what: What) -> Row {
    let imported = |how: &'static str| Row { how: Some(how), ..Row::of(Status::Imported) };
    match what {
        What::Fresh(Answer::Received { lead }) => Row { lead: Some(lead), ..imported("received") },
        What::Fresh(Answer::Repeat { lead, since }) => {
            Row { lead: Some(lead), more: vec![("since", json!(since))], ..imported("repeat") }
        }
        What::Fresh(Answer::Quarantined { reasons }) => {
            Row { more: vec![("reasons", json!(reasons))], ..imported("quarantined") }
        }
        What::Fresh(Answer::Test { would_go_to, waiting, reasons }) => {
            let waits = waiting.map(|reason| ("would_wait", json!(reason)));
            let doubts = (!reasons.is_empty()).then(|| ("reasons", json!(reasons)));
            let more = [("would_go_to", json!(would_go_to))].into_iter().chain(waits).chain(doubts).collect();
            Row { more, ..imported("test") }
        }
        What::Fresh(Answer::Refused(problem)) => Row::refused(problem.faults()),
        // What has no idempotency key has no replay, and what is not spilled is not there.
        What::Fresh(Answer::Spilled) | What::Replay { .. } => Row::of(Status::Already),
    }
}
