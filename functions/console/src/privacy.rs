//! A person's rights: what is held of them, given to them; and their erasure.
//!
//! Whom it is about stands in the body, never in a URL. What leads to them and what becomes of it is
//! [`person`](leadyard_platform::person)'s and [`erasure`](leadyard_platform::erasure)'s to say.
//!
//! Determinations:
//!
//! - *A reason* is one of four words, and no text: it outlives the person.
//! - *Suppressed* is the default of an erasure that somebody asked for: who asks to be forgotten asks not to be
//!   taken in again from the next list. `suppress: false` forgets alone.
//! - *A second click* is told that it is done, and changes nothing.
//! - *An export is in the history* of each lead, and among the company's changes: who took it, and when.
//! - *The ledger* names nobody. It is fetched (`GET /v1/erasures`) and kept apart from the table, for a table that is
//!   restored forgets what it forgot; `POST /v1/erasures/reapply` takes it back. Whoever had a lead is told once more
//!   under the same webhook id.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use leadyard_domain::delivery::OptedOutOf;
use leadyard_domain::distribution::Core;
use leadyard_domain::erasure::ErasureReason;
use leadyard_domain::error::Code;
use leadyard_domain::identity::IdentityHash;
use leadyard_domain::ids::{CompanyId, EnquiryId, ErasureId, LeadId};
use leadyard_domain::limits;
use leadyard_domain::person::{Email, Phone};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::erasure::{Asked, SeatFate, by_hand, fate_of_seat};
use leadyard_platform::http::{Path, Problem, Query, body};
use leadyard_platform::judging;
use leadyard_platform::opt_out::OptedOut;
use leadyard_platform::person::{Person, SeekError, Sought, TheirLead};
use leadyard_platform::store::{Erasure, Gone, List, StoredEnquiry, Suppression};
use leadyard_platform::who::{ACTS, Desk, DeskOf, MANAGES, Staff};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::acts::{missing, record};
use crate::leads::{self, Did, Whole};

/// Whom it is about, and what is to be done.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Ask {
    lead: Option<LeadId>,
    email: Option<String>,
    phone: Option<String>,
    /// Further leads that the desk knows to be theirs.
    leads: BTreeSet<LeadId>,
    /// Enquiries without a lead that the desk knows to be theirs.
    enquiries: BTreeSet<EnquiryId>,
    /// Erase: why.
    reason: Option<ErasureReason>,
    /// Erase: not to be taken in again.
    suppress: Option<bool>,
    /// Erase: only say what would go.
    dry_run: bool,
}

impl Ask {
    fn read(bytes: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(bytes).map_err(|_| {
            let detail = r#"the body is {"lead": id} or {"email": …} or {"phone": …}, perhaps "leads" and "enquiries"; to erase also "reason": requested, withdrawn, unlawful or retention, "suppress" and "dry_run""#;
            Problem::new(Code::MalformedBody, detail)
        })
    }

    fn sought(&self) -> Result<Sought, Problem> {
        let refused = |rule: &str| Problem::new(Code::InvalidField, rule.to_owned());
        let email = self.email.as_deref().map(Email::parse).transpose();
        let phone = self.phone.as_deref().map(Phone::parse).transpose();
        let sought = Sought {
            leads: self.leads.iter().copied().chain(self.lead).collect(),
            enquiries: self.enquiries.clone(),
            email: email.map_err(|_| refused("email: the address could not be understood"))?,
            phone: phone.map_err(|_| refused("phone: the number could not be understood"))?,
            ..Sought::default()
        };
        let named = !sought.leads.is_empty() || !sought.enquiries.is_empty();
        if !named && sought.email.is_none() && sought.phone.is_none() {
            return Err(refused("name a lead, an e-mail, a phone or an enquiry"));
        }
        if sought.leads.len() > limits::LEADS_PER_PERSON
            || sought.enquiries.len() > limits::ENQUIRIES_PER_VERDICT
        {
            return Err(refused("leads lists at most 200, enquiries at most 100"));
        }
        Ok(sought)
    }
}

pub(crate) fn not_found(error: SeekError) -> Problem {
    match error {
        SeekError::Store(error) => error.into(),
        SeekError::Ambiguous(ref leads) => {
            Problem::new(Code::StateConflict, error.to_string()).with("leads", json!(leads))
        }
        SeekError::TooMany => Problem::new(Code::InvalidField, error.to_string()),
    }
}

/// `POST /v1/leads/{id}/erase`: `{"reason": "requested", "dry_run": true}`: the person of that lead.
pub(crate) async fn erase_lead(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<ACTS>,
    Path(lead): Path<String>,
    request: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut ask = Ask::read(&body(request, limits::BODY_BYTES).await?)?;
    let id: LeadId = lead.parse().map_err(|_| missing())?;
    let lead = cloud.store.lead_get(id).await?.ok_or_else(missing)?;
    desk.allow(&lead.company, missing)?;
    ask.lead = Some(id);
    Box::pin(erase(&cloud, &desk, &lead.company, &ask)).await
}

/// `POST /v1/leads/erase`: `{"leads": […], "reason": "requested", "dry_run": true}`: the persons of these leads, each
/// with its own answer. What cannot be done at once goes on by itself.
pub(crate) async fn erase_leads(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<ACTS>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let ask = Ask::read(&body(request, limits::BODY_BYTES).await?)?;
    let named = ask.lead.is_some() || ask.email.is_some() || ask.phone.is_some() || !ask.enquiries.is_empty();
    if named || ask.leads.is_empty() || ask.leads.len() > limits::LEADS_PER_ACT {
        let detail = format!("the body names leads alone, a list of 1 to {} ids", limits::LEADS_PER_ACT);
        return Err(Problem::new(Code::InvalidField, detail));
    }
    let mut results = Vec::with_capacity(ask.leads.len());
    for id in &ask.leads {
        let one = Ask { lead: Some(*id), leads: BTreeSet::new(), ..ask.clone() };
        let found = cloud.store.lead_get(*id).await?.ok_or_else(missing);
        let allowed = found.and_then(|lead| desk.allow(&lead.company, missing).map(|()| lead));
        let result = match allowed {
            Err(problem) => Err(problem),
            Ok(lead) => Box::pin(erase(&cloud, &desk, &lead.company, &one)).await,
        };
        results.push(match result {
            Ok((_, Json(mut told))) => {
                if let Some(members) = told.as_object_mut() {
                    members.insert("lead".to_owned(), json!(id));
                    members.insert("done".to_owned(), json!(!ask.dry_run));
                }
                told
            }
            Err(problem) => json!({ "lead": id, "done": false, "problem": problem.json() }),
        });
    }
    Ok(Json(json!({ "dry_run": ask.dry_run, "results": results })))
}

/// `POST /v1/persons/erase?company`: the same of whoever has an e-mail or a phone, also where no lead is theirs.
pub(crate) async fn erase_person(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<ACTS>,
    request: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let ask = Ask::read(&body(request, limits::BODY_BYTES).await?)?;
    Box::pin(erase(&cloud, &desk, &company, &ask)).await
}

async fn erase(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    ask: &Ask,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let reason = ask.reason.ok_or_else(|| {
        Problem::new(Code::InvalidField, "reason is one of: requested withdrawn unlawful retention")
    })?;
    let sought = ask.sought()?;
    let suppress = ask.suppress.unwrap_or(reason != ErasureReason::Retention);
    let person = cloud.person(company, &sought).await.map_err(not_found)?;
    if let Some(told) = already(cloud, &person).await? {
        if suppress && !ask.dry_run {
            // Nothing is held any more; that they are not to come back may be asked for the first time.
            for hash in &person.people {
                let on = Suppression::On(Some("erased"));
                cloud.store.identity_list(List::Suppressed, hash, on, cloud.clock.now()).await?;
            }
        }
        return Ok((StatusCode::OK, Json(told)));
    }
    let tell = reason != ErasureReason::Retention;
    let enquiries = person.aside.iter().map(|enquiry| enquiry.id);
    let enquiries = enquiries.filter(|enquiry| ask.enquiries.contains(enquiry)).collect();
    let asked = Asked { by: desk.staff.clone(), reason, suppress, tell, enquiries };
    let mut told = foretell(&person, &asked);
    let put = |told: &mut Value, name: &str, value: Value| {
        if let Some(members) = told.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    put(&mut told, "dry_run", json!(ask.dry_run));
    if ask.dry_run {
        return Ok((StatusCode::OK, Json(told)));
    }
    let erasure = Erasure::of(cloud, company, &person, &asked);
    cloud.store.erasure_open(&erasure).await?;
    tracing::info!(erasure.id = %erasure.id, company.id = %company, staff = %desk.staff, "an erasure began");
    let done = go_on(cloud, &erasure).await?;
    put(&mut told, "erasure", json!(erasure.id));
    put(&mut told, "at", json!(erasure.at));
    put(&mut told, "state", json!(state(&done)));
    put(&mut told, "gone", gone(&done.gone));
    let status = if done.passes > 0 { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(told)))
}

/// Does what can be done now: what it could not, the sweep goes on with.
async fn go_on(cloud: &Cloud, erasure: &Erasure) -> Result<Erasure, Problem> {
    if let Err(error) = cloud.erasure_go_on(&erasure.company, erasure.id).await {
        tracing::warn!(
            erasure.id = %erasure.id, error = &error as &dyn std::error::Error, "an erasure is left to the sweep"
        );
    }
    let stands = cloud.store.erasure_get(&erasure.company, erasure.id).await?;
    Ok(stands.unwrap_or_else(|| erasure.clone()))
}

/// Where an erasure stands: `under_way`, `erased` (once more within the hour for what was under way) or `done`.
const fn state(erasure: &Erasure) -> &'static str {
    match (erasure.is_done(), erasure.passes) {
        (true, _) => "done",
        (false, 0) => "under_way",
        (false, _) => "erased",
    }
}

fn gone(gone: &Gone) -> Value {
    json!({ "leads": gone.leads, "enquiries": gone.enquiries, "visits": gone.visits, "items": gone.items })
}

/// What a second click is told: everything that leads to them is a shell, or they were forgotten and nothing is
/// held.
async fn already(cloud: &Cloud, person: &Person) -> Result<Option<Value>, Problem> {
    let held = person.leads.values().any(|lead| !lead.story.lead.is_erased());
    if held || !person.aside.is_empty() {
        return Ok(None);
    }
    let erased_at = person.leads.values().filter_map(|lead| lead.story.lead.erased_at).max();
    let known: Vec<IdentityHash> = person.people.iter().copied().collect();
    let erased_at = erased_at.max(cloud.store.forgotten_at(&known).await?);
    Ok(erased_at.map(|at| json!({ "already": true, "erased_at": at, "leads": ids(person) })))
}

fn ids(person: &Person) -> Vec<LeadId> {
    person.leads.keys().copied().collect()
}

/// What would go, what stays, and who would be told.
fn foretell(person: &Person, asked: &Asked) -> Value {
    let seats: Vec<Value> = person
        .leads
        .values()
        .flat_map(|lead| lead.story.assignments.iter().map(move |seat| (lead, seat)))
        .map(|(lead, seat)| {
            let fate = fate_of_seat(seat, &lead.story.deliveries);
            let told = asked.tell && matches!(fate, SeatFate::EndsTold | SeatFate::StaysTold);
            let ends = matches!(fate, SeatFate::Ends | SeatFate::EndsTold);
            json!({
                "assignment": seat.id, "lead": seat.lead, "dealer": seat.dealer, "state": seat.state,
                "becomes": if ends { "withdrawn" } else { seat.state.as_str() }, "to_be_told": told,
            })
        })
        .collect();
    json!({
        "already": false,
        "reason": asked.reason,
        "suppress": asked.suppress,
        "leads": ids(person),
        "enquiries": person.enquiries().count(),
        "aside": person.aside.iter().map(|enquiry| enquiry.id).collect::<Vec<_>>(),
        "visits": person.visits.len(),
        "seats": seats,
        "tell_by_hand": by_hand(person),
        "others": person.others,
    })
}

// --- Opting out ---

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OptOut {
    lead: Option<LeadId>,
    email: Option<String>,
    phone: Option<String>,
    /// `everything`, if nothing is said, or `mail`.
    of: Option<OptedOutOf>,
}

/// `POST /v1/persons/opt_out?company`: `{"email": …}`, `{"phone": …}` or `{"lead": …}`, and perhaps `"of": "mail"`.
pub(crate) async fn opt_out(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<ACTS>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let sent: OptOut = serde_json::from_slice(&body(request, limits::BODY_BYTES).await?).map_err(|_| {
        let detail =
            r#"the body is {"lead": id} or {"email": …} or {"phone": …}, perhaps "of": mail or everything"#;
        Problem::new(Code::MalformedBody, detail)
    })?;
    let of = sent.of.unwrap_or(OptedOutOf::Everything);
    let ask = Ask { lead: sent.lead, email: sent.email, phone: sent.phone, ..Ask::default() };
    let done = Box::pin(cloud.opt_out(&company, &ask.sought()?, of, &desk.staff)).await.map_err(not_found)?;
    let already = done == OptedOut::default();
    if !already {
        let after = json!({ "of": of, "listed": done.listed, "rejected": done.rejected, "told": done.told });
        let act = record(&cloud, &desk, "opt_out", None, &json!({}), &after);
        cloud.store.change_keep(&company, &act).await?;
    }
    tracing::info!(company.id = %company, staff = %desk.staff, "somebody opted out");
    Ok(Json(json!({
        "of": of, "already": already, "listed": done.listed, "rejected": done.rejected, "told": done.told,
    })))
}

// --- Export ---

/// `POST /v1/persons/export?company`: `{"email": …}`, `{"phone": …}` or `{"lead": …}`: all that is held.
pub(crate) async fn export(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<ACTS>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let ask = Ask::read(&body(request, limits::BODY_BYTES).await?)?;
    let person = Box::pin(cloud.person(&company, &ask.sought()?)).await.map_err(not_found)?;
    // Kept before it is given: nobody takes what nobody knows of.
    let nothing = json!({});
    let act = record(&cloud, &desk, "export", None, &nothing, &json!({ "leads": ids(&person) }));
    cloud.store.change_keep(&company, &act).await?;
    for lead in person.leads.keys() {
        cloud.store.act_keep(*lead, &act).await?;
    }
    tracing::info!(company.id = %company, act.id = %act.id, staff = %desk.staff, "a person was exported");
    let core = cloud.rulebooks.current(&cloud.store, &company).await?;
    let mut leads = Vec::with_capacity(person.leads.len());
    for lead in person.leads.values() {
        leads.push(tell(&cloud, core.as_deref(), lead).await?);
    }
    let listed = listed(&cloud, &person).await?;
    let aside: Vec<Value> =
        person.aside.iter().map(|enquiry| enquiry_told(core.as_deref(), enquiry)).collect();
    Ok(Json(json!({
        "company": company,
        "at": act.at,
        "leads": leads,
        "aside": aside,
        "visits": person.visits.len(),
        "recipients": recipients(&person),
        "suppressed": listed.0,
        "do_not_call": listed.1,
        "others": person.others,
    })))
}

/// Whether an e-mail or phone of theirs is on one of the company's lists.
async fn listed(cloud: &Cloud, person: &Person) -> Result<(bool, bool), Problem> {
    let mut listed = (false, false);
    for hash in person.people.union(&person.shared) {
        listed.0 |= cloud.store.identity_listed(List::Suppressed, hash).await?;
        listed.1 |= cloud.store.identity_listed(List::DoNotCall, hash).await?;
    }
    Ok(listed)
}

async fn tell(cloud: &Cloud, core: Option<&Core>, lead: &TheirLead) -> Result<Value, Problem> {
    let story = lead.story.clone();
    let did = Did::of(cloud, core, &story, cloud.clock.now()).await?;
    let survivor = story.lead.merged_into;
    let mut told = leads::tell(&Whole { story, merged: Vec::new() }, survivor, &[], &did);
    let enquiries: Vec<Value> = lead.enquiries.iter().map(|enquiry| enquiry_told(core, enquiry)).collect();
    if let Some(members) = told.as_object_mut() {
        members.insert("enquiries".to_owned(), json!(enquiries));
    }
    Ok(told)
}

/// An enquiry as it was received, and what was agreed to in it.
fn enquiry_told(core: Option<&Core>, enquiry: &StoredEnquiry) -> Value {
    let source = core.and_then(|core| core.source(&enquiry.source));
    let consent = judging::understand(enquiry, source).consent;
    let sha256 = consent.text_sha256.map(hexadecimal);
    let mut told = json!(enquiry);
    if let Some(members) = told.as_object_mut() {
        let consent = json!({
            "given": consent.given, "at": consent.at, "text": consent.text, "text_sha256": sha256,
            "version": consent.version, "sellers": consent.sellers, "channels": consent.channels,
            "url": consent.url, "form": consent.form, "ip": consent.ip,
            "user_agent": enquiry.user_agent.as_ref().or(consent.user_agent.as_ref()), "trusted_form": consent.trusted_form, "leadid": consent.leadid,
        });
        members.insert("consent".to_owned(), consent);
    }
    told
}

fn hexadecimal(bytes: [u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')),
        );
        text
    })
}

/// Who received them, and when.
fn recipients(person: &Person) -> Vec<Value> {
    let mut recipients = Vec::new();
    for lead in person.leads.values() {
        for seat in &lead.story.assignments {
            let fate = fate_of_seat(seat, &lead.story.deliveries);
            if matches!(fate, SeatFate::Ends | SeatFate::Over) {
                continue; // it never arrived
            }
            recipients.push(json!({
                "dealer": seat.dealer, "contract": seat.contract, "lead": seat.lead,
                "offered_at": seat.offered_at, "received_at": seat.settled_at, "state": seat.state,
                "from_elsewhere": fate == SeatFate::ByHand,
            }));
        }
    }
    recipients
}

// --- The ledger ---

#[derive(Deserialize)]
pub(crate) struct LedgerQuery {
    after: Option<String>,
}

/// `GET /v1/erasures?company&after`: the ledger, the oldest first; `next` is what to send as `after`, and null on
/// the last page. To be kept apart from the table.
pub(crate) async fn ledger(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<ACTS>,
    Query(query): Query<LedgerQuery>,
) -> Result<Json<Value>, Problem> {
    let after = query.after.as_deref().map(str::parse::<ErasureId>).transpose();
    let after = after.map_err(|_| Problem::new(Code::InvalidField, "after: an erasure's id"))?;
    let page = cloud.store.erasures(&company, after, limits::ERASURES_PAGE).await?;
    let next = page.last().map(|last| last.id).filter(|_| page.len() == limits::ERASURES_PAGE);
    let told: Vec<Value> = page.iter().map(line).collect();
    Ok(Json(json!({ "erasures": told, "next": next })))
}

fn line(erasure: &Erasure) -> Value {
    json!({
        "id": erasure.id, "company": erasure.company, "at": erasure.at, "by": erasure.by,
        "reason": erasure.reason, "people": erasure.people, "shared": erasure.shared,
        "surnames": erasure.surnames, "leads": erasure.leads, "enquiries": erasure.enquiries,
        "over_by": erasure.over_by, "suppress": erasure.suppress, "tell": erasure.tell, "state": state(erasure),
        "gone": gone(&erasure.gone),
    })
}

/// A line of the ledger, as it was given.
#[derive(Deserialize)]
struct Line {
    id: ErasureId,
    company: CompanyId,
    at: Timestamp,
    by: String,
    reason: ErasureReason,
    #[serde(default)]
    people: BTreeSet<IdentityHash>,
    #[serde(default)]
    shared: BTreeSet<IdentityHash>,
    #[serde(default)]
    surnames: BTreeSet<IdentityHash>,
    #[serde(default)]
    leads: BTreeSet<LeadId>,
    #[serde(default)]
    enquiries: BTreeSet<EnquiryId>,
    #[serde(default)]
    over_by: Option<Timestamp>,
    suppress: bool,
    tell: bool,
}

#[derive(Deserialize)]
struct Reapply {
    erasures: Vec<Line>,
}

/// `POST /v1/erasures/reapply`: lines of the ledger, as `GET /v1/erasures` gave them: each is applied to what a
/// restored table holds. One that the table knows is left as it is.
pub(crate) async fn reapply(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<MANAGES>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let bytes = body(request, limits::IMPORT_BYTES).await?;
    let sent: Reapply = serde_json::from_slice(&bytes).map_err(|_| {
        Problem::new(
            Code::MalformedBody,
            r#"the body is {"erasures": […]}, lines as GET /v1/erasures gives them"#,
        )
    })?;
    if sent.erasures.len() > limits::ERASURES_PAGE {
        let detail = format!("erasures lists at most {}", limits::ERASURES_PAGE);
        return Err(Problem::new(Code::InvalidField, detail));
    }
    for line in &sent.erasures {
        let missing = || Problem::new(Code::NotFound, "there is no such company for this token");
        desk.allow(&line.company, missing)?;
    }
    let now = cloud.clock.now();
    let mut told = Vec::with_capacity(sent.erasures.len());
    for line in sent.erasures {
        let erasure = Erasure {
            id: line.id,
            company: line.company,
            at: line.at.min(now),
            by: line.by,
            reason: line.reason,
            people: line.people,
            shared: line.shared,
            surnames: line.surnames,
            leads: line.leads,
            enquiries: line.enquiries,
            over_by: line.over_by,
            suppress: line.suppress,
            tell: line.tell,
            passes: 0,
            gone: Gone::default(),
            v: 0,
            due: Some(now),
        };
        let again = cloud.store.erasure_open(&erasure).await?;
        let stands = go_on(&cloud, &erasure).await?;
        told.push(json!({ "erasure": erasure.id, "applied": again, "state": state(&stands), "gone": gone(&stands.gone) }));
    }
    tracing::info!(erasures = told.len(), staff = %desk.staff, "the ledger of erasures was applied again");
    Ok(Json(json!({ "erasures": told })))
}
