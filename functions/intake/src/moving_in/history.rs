//! Past leads. Each row is one commit: the enquiry, its lead and identities, the seat as it ended, and what
//! was concluded. Rows of one person come one after another in the order of their dates; different people's
//! come side by side.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::enquiry::{Fields, Understood};
use leadyard_domain::history::{self, Fingerprint, HistoryKey, PastLead, PastMet, Placed};
use leadyard_domain::ids::EnquiryId;
use leadyard_domain::lead::{self, Lead};
use leadyard_domain::limits;
use leadyard_domain::report;
use leadyard_domain::scoring::{Activity, Band, InteractionId, InteractionKind, score};
use leadyard_domain::time::UtcDay;
use leadyard_platform::arriving::join::contactable;
use leadyard_platform::arriving::whose::{Asking, Known, WAS_ERASED, identity_writes, was_erased, whose};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::store::{DecisionRecord, Keep, Kept, Past, StoreError, StoredConsent, StoredEnquiry};
use leadyard_platform::who::{DeskOf, MANAGES};
use serde_json::Value;

use super::directory::Directory;
use super::people::{Of, people};
use super::{Asked, Office, Request, Row, Status, let_in};

/// People whose rows are kept side by side: all of a request.
const ABREAST: usize = limits::IMPORT_ROWS;
/// How often a row looks again when others changed its lead.
const ROUNDS: usize = 40;

/// `POST /v1/import/history?company&dry_run`: `{"rows": [{"received_at": …, "source": …, "email": …}, …]}`.
pub(super) async fn import(
    State(office): State<Office>,
    who: DeskOf<MANAGES>,
    Query(asked): Query<Asked>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let cloud = &office.cloud;
    let request = let_in(cloud, who, asked, body).await?;
    let directory = office.directories.of(cloud, &request.core).await?;
    let cloud = &cloud.abreast();
    let now = cloud.clock.now();
    let key = HistoryKey::from_bytes(cloud.master.derive("leadyard/history/v1"));
    let mut rows = vec![Row::of(Status::Refused); request.rows.len()];
    let mut judged = Vec::with_capacity(rows.len());
    for (at, (row, told)) in request.rows.iter().zip(&mut rows).enumerate() {
        match row
            .as_ref()
            .map_err(|error| vec![error.clone()])
            .and_then(|row| judge(&request, &directory, &key, at, row, now))
        {
            Ok(one) => judged.push(one),
            Err(errors) => *told = Row::refused(errors),
        }
    }
    let known: Vec<_> = judged.iter().map(|one| (one.enquiry, one.mark.clone())).collect();
    let mut before = cloud.store.imported_before(&request.company, &known).await?;
    let mut fresh = Vec::with_capacity(judged.len());
    for one in judged {
        let there = before.lead(one.enquiry, one.mark.as_deref());
        let told = match there {
            Some(lead) => Row { lead, ..Row::of(Status::Already) },
            None if request.dry_run => {
                Row { notes: one.past.understood.notes.clone(), ..Row::of(Status::Imported) }
            }
            None => {
                fresh.push(one);
                continue;
            }
        };
        before.add(one.enquiry, one.mark.as_deref(), told.lead);
        put(&mut rows, one.at, told);
    }
    let of_each: Vec<_> =
        people(fresh).into_iter().map(|person| keep_all(cloud, &request, person, now).boxed()).collect();
    let kept: Vec<Vec<(usize, Row)>> = stream::iter(of_each).buffer_unordered(ABREAST).try_collect().await?;
    for (at, told) in kept.into_iter().flatten() {
        put(&mut rows, at, told);
    }
    Ok(request.answer("history", &rows))
}

fn put(rows: &mut [Row], at: usize, told: Row) {
    if let Some(row) = rows.get_mut(at) {
        *row = told;
    }
}

/// A row that will be kept.
struct Judged<'a> {
    at: usize,
    past: PastLead<'a>,
    placed: Option<Placed>,
    fingerprint: Fingerprint,
    enquiry: EnquiryId,
    mark: Option<String>,
}

fn judge<'a>(
    request: &'a Request,
    directory: &Directory,
    key: &HistoryKey,
    at: usize,
    row: &Fields,
    now: Timestamp,
) -> Result<Judged<'a>, Vec<leadyard_domain::error::FieldError>> {
    let past = PastLead::read(row, &request.core, now, |name| directory.named(name))?;
    let placed = past.sale.as_ref().map(|sale| directory.place(sale, past.offer)).transpose();
    let placed = placed.map_err(|error| vec![error])?;
    let fingerprint = Fingerprint::of(key, &request.company, row, &past);
    let enquiry = fingerprint.enquiry(past.received_at);
    Ok(Judged { at, placed, enquiry, mark: fingerprint.mark(), fingerprint, past })
}

impl Of for Judged<'_> {
    fn who(&self) -> &Understood {
        &self.past.understood
    }

    fn order(&self) -> (Timestamp, usize) {
        (self.past.received_at, self.at)
    }
}

async fn keep_all(
    cloud: &Cloud,
    request: &Request,
    person: Vec<Judged<'_>>,
    now: Timestamp,
) -> Result<Vec<(usize, Row)>, StoreError> {
    let mut kept = Vec::with_capacity(person.len());
    for one in &person {
        kept.push((one.at, keep(cloud, request, one, now).await?));
    }
    Ok(kept)
}

async fn keep(cloud: &Cloud, request: &Request, one: &Judged<'_>, now: Timestamp) -> Result<Row, StoreError> {
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        if let Some(row) = join_and_keep(cloud, request, one, now).await? {
            return Ok(row);
        }
    }
    Err(StoreError::Contended)
}

/// One round, as for an enquiry that arrives; `None` when somebody else was first. Nothing follows from it:
/// no message, no count, no charge.
async fn join_and_keep(
    cloud: &Cloud,
    request: &Request,
    one: &Judged<'_>,
    now: Timestamp,
) -> Result<Option<Row>, StoreError> {
    let past = &one.past;
    let core = &request.core;
    let asking = Asking { company: &request.company, core, who: &past.understood, at: past.received_at };
    let known = Known::of(cloud, asking, past.offer).await?;
    if was_erased(cloud, asking, false).await? {
        return Ok(Some(Row::refused_for("received_at", WAS_ERASED)));
    }
    let (met, repeated) = whose(cloud, asking, &known, past.offer).await?;
    let news = news(request, one);
    let window = core.company.window_days;
    let opens = repeated.is_none();
    let (mut lead, how) = match repeated {
        Some(mut lead) => {
            let how = history::recall(&mut lead, &news, window);
            (lead, how)
        }
        None => (Lead::open(request.company.clone(), met.scope.clone(), &news), PastMet::Opens),
    };
    let flagged = met.duplicate().filter(|other| other.id != lead.id);
    lead.possible_duplicate |= flagged.is_some();
    let seat = seat(one, &lead, how);
    let decision = decision(request, one, &lead, &news, how, seat.as_ref());
    past.settle(&mut lead, how, seat.as_ref().zip(one.placed.as_ref()), window, now);
    let enquiry = StoredEnquiry {
        id: one.enquiry,
        company: request.company.clone(),
        source: past.source.id.clone(),
        received_at: past.received_at,
        fields: past.fields.clone(),
        consent: Some(StoredConsent::of(&past.understood, past.received_at)),
        asked: Some(report::Asked { imported_at: Some(now), ..report::Asked::default() }),
        raw: None,
        raw_base64: None,
        lead: Some(lead.id),
        status: "imported".to_owned(),
        reasons: Vec::new(),
        user_agent: None,
        spilled: false,
        gpc: false,
        visitor: None,
        quarantine: None,
        fetch: None,
        replay_of: None,
    };
    let keep = Keep {
        enquiry: &enquiry,
        lead: Some(&lead),
        opens,
        identities: identity_writes(&known.keys, &met),
        flagged: flagged.as_ref(),
        deliveries: Vec::new(),
        postback: None,
        visitor: None,
        answer: None,
        past: Some(Past { mark: one.mark.as_deref(), seat: seat.as_ref(), decision: decision.as_ref() }),
        released: None,
        caps: None,
    };
    let status = match cloud.store.enquiry_keep(keep).await? {
        Kept::Done => Status::Imported,
        Kept::Already | Kept::Answered(_) => Status::Already,
        Kept::Changed => return Ok(None),
    };
    let how = match how {
        PastMet::Opens if lead.cycle == 1 => "lead",
        PastMet::Opens => "cycle",
        PastMet::Repeats => "repeat",
        PastMet::Late => "late",
    };
    let notes = past.understood.notes.clone();
    Ok(Some(Row { lead: Some(lead.id), how: Some(how), notes, ..Row::of(status) }))
}

fn news(request: &Request, one: &Judged<'_>) -> lead::Arrival {
    let past = &one.past;
    let credited_to = request.core.company.attribution;
    lead::Arrival {
        enquiry: one.enquiry,
        at: past.received_at,
        person: contactable(&past.understood),
        offer: past.offer.id.clone(),
        category: past.offer.category.clone(),
        source: past.source.id.clone(),
        campaign: past.understood.campaign(credited_to).map(str::to_owned),
        brings: past.understood.brings(),
        certificate_warning: None,
        visitor: None,
    }
}

fn seat(one: &Judged<'_>, lead: &Lead, how: PastMet) -> Option<Assignment> {
    let sold_at = one.past.sale.as_ref()?.at;
    one.past.seat(lead, one.placed.as_ref()?, one.fingerprint.assignment(sold_at), how)
}

/// What was concluded, for a backtest: of every time that a lead was for sale, and of each sale.
fn decision(
    request: &Request,
    one: &Judged<'_>,
    lead: &Lead,
    news: &lead::Arrival,
    how: PastMet,
    seat: Option<&Assignment>,
) -> Option<DecisionRecord> {
    let facts = match how {
        PastMet::Repeats if seat.is_none() => return None,
        PastMet::Opens | PastMet::Repeats => {
            let mut facts = lead.facts(band(request, one, lead));
            facts.open_seats = None; // how many dealers might have it is not known
            facts
        }
        PastMet::Late => {
            // As it was then, not as the lead is now.
            let then = Lead::open(request.company.clone(), lead.scope.clone(), news);
            let mut facts = then.facts(band(request, one, &then));
            (facts.lead, facts.cycle) = (lead.id, 0);
            facts
        }
    };
    let at = seat.map_or(news.at, |seat| seat.offered_at);
    let contracts = seat.map(|seat| seat.contract.clone()).into_iter().collect();
    Some(DecisionRecord::imported(one.fingerprint.decision(at), at, facts, contracts))
}

/// What the lead was worth that day, by what is known of it.
fn band(request: &Request, one: &Judged<'_>, lead: &Lead) -> Band {
    let past = &one.past;
    let day = UtcDay::of(past.received_at);
    let mut activity = Activity::new();
    for enquiry in lead.enquiries.iter().filter(|enquiry| enquiry.day <= day) {
        activity.add(enquiry.day, InteractionKind::enquiry(), InteractionId::hash8(&enquiry.id.to_string()));
    }
    let facts = past.understood.fit_facts(&past.source.id, &past.offer.id, request.core.company.attribution);
    score(&request.core.scoring, &facts, &activity, day).band
}
