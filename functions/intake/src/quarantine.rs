//! The quarantine: what waits for a verdict. The desk releases, edits and releases, or rejects, one or many;
//! what it never looked at has a deadline.
//!
//! Determinations:
//!
//! - *Released* goes the usual way, with its own time: identity, cycle, distribution. Nothing screens it again;
//!   only who was suppressed meanwhile stays where they are.
//! - *Edited* are standard fields. What was received stays beside what the desk put right, and what could still
//!   not go on is not edited either.
//! - *Rejected* stays whole and searchable, and can be released for as long as it is kept.
//! - *At the deadline* what is doubtful is released, unless `screening.toml` keeps it: silence is no verdict
//!   against a person. What only a person may release (lists, floods, what cannot be understood), and spam, stays
//!   in quarantine, overdue, at the head of the list.
//! - *A second click* changes nothing and gets the first answer. Of a release and a rejection at one moment one
//!   stands, and the other is told.
//! - *Each verdict counts* once for every reason of the enquiry, in the commit that carries it out; a release
//!   after a rejection takes that back. Silence counts for nothing.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use leadyard_domain::access::DeskToken;
use leadyard_domain::enquiry::{Fields, Standard};
use leadyard_domain::error::Code;
use leadyard_domain::ids::EnquiryId;
use leadyard_domain::limits;
use leadyard_domain::person::{Email, Phone};
use leadyard_domain::rulebook::Source;
use leadyard_domain::screening::{Reason, Screening, Verdict};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Path, Problem, Query};
use leadyard_platform::store::{Judgement, QUARANTINED, REJECTED, StoreError, StoredEnquiry, keys};
use leadyard_platform::who::{Desk, DeskOf};
use leadyard_platform::{judging, who};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Answer, What};
use crate::arrive::Arrival;
use crate::keep::{self, Arrived, Way};

/// How often a verdict looks again when others were first.
const ROUNDS: usize = 40;

/// The routes.
pub(crate) fn router(cloud: Cloud) -> Router {
    Router::new()
        .route("/v1/quarantine", get(list))
        .route("/v1/quarantine/reasons", get(reasons))
        .route("/v1/quarantine/search", post(search))
        .route("/v1/quarantine/release", post(many))
        .route("/v1/quarantine/edit", post(many))
        .route("/v1/quarantine/reject", post(many))
        .route("/v1/quarantine/{enquiry}", get(one))
        .route("/v1/quarantine/{enquiry}/{act}", post(act))
        .with_state(cloud)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    company: Option<String>,
    /// `open`, the default, or `done`.
    state: Option<String>,
    reason: Option<String>,
    source: Option<String>,
    verdict: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    after: Option<String>,
}

/// What a list is narrowed to.
struct Filter {
    reason: Option<String>,
    source: Option<String>,
    verdict: Option<Verdict>,
    email: Option<String>,
    phone: Option<Phone>,
}

impl Filter {
    fn read(query: &ListQuery) -> Result<Self, Problem> {
        let invalid =
            |field: &str, rule: String| Problem::new(Code::InvalidField, format!("{field}: {rule}"));
        let verdict = query.verdict.as_deref().map(str::parse::<Verdict>).transpose();
        let email = query.email.as_deref().map(Email::parse).transpose();
        let phone = query.phone.as_deref().map(Phone::parse).transpose();
        Ok(Self {
            reason: query.reason.clone(),
            source: query.source.clone(),
            verdict: verdict.map_err(|rule| invalid("verdict", rule.to_string()))?,
            email: email.map_err(|rule| invalid("email", rule.to_string()))?.map(|email| email.dedupe_key()),
            phone: phone.map_err(|rule| invalid("phone", rule.to_string()))?,
        })
    }

    fn takes(&self, enquiry: &StoredEnquiry, core: &leadyard_domain::distribution::Core) -> bool {
        let quarantine = enquiry.quarantine.as_ref();
        if self.reason.as_ref().is_some_and(|reason| !enquiry.reasons.contains(reason))
            || self.source.as_ref().is_some_and(|source| source != enquiry.source.as_str())
            || self.verdict.is_some_and(|verdict| quarantine.is_none_or(|found| found.verdict != verdict))
        {
            return false;
        }
        if self.email.is_none() && self.phone.is_none() {
            return true;
        }
        let who = judging::understand(enquiry, core.source(&enquiry.source));
        let email = |asked: &String| who.email.as_ref().is_some_and(|email| email.dedupe_key() == *asked);
        self.email.as_ref().is_none_or(email)
            && self.phone.as_ref().is_none_or(|asked| who.phone.as_ref() == Some(asked))
    }
}

/// `GET /v1/quarantine?company&state=open|done&reason&source&verdict&after`: what is open, the longest waiting
/// first, so that what is overdue leads; what was decided, the newest first. `examined` says how many were looked
/// at, `next` what to send as `after`.
async fn list(
    State(cloud): State<Cloud>,
    Desk(desk): Desk,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    if query.email.is_some() || query.phone.is_some() {
        let detail =
            "email and phone go in the body of POST /v1/quarantine/search: nothing personal stands in a URL";
        return Err(Problem::new(Code::InvalidField, detail));
    }
    page(&cloud, &desk, query).await
}

/// `POST /v1/quarantine/search`: the same as an object, and by exact `email` or `phone`.
async fn search(State(cloud): State<Cloud>, Desk(desk): Desk, request: Body) -> Result<Json<Value>, Problem> {
    let body = http::body(request, limits::BODY_BYTES).await?;
    let query = serde_json::from_slice(&body).map_err(|_| {
        let detail =
            "the body is an object of company, state, reason, source, verdict, email, phone and after";
        Problem::new(Code::MalformedBody, detail)
    })?;
    page(&cloud, &desk, query).await
}

async fn page(cloud: &Cloud, desk: &DeskToken, query: ListQuery) -> Result<Json<Value>, Problem> {
    let company = who::company(desk, query.company.as_deref())?;
    let open = match query.state.as_deref() {
        None | Some("open") => true,
        Some("done") => false,
        Some(_) => return Err(Problem::new(Code::InvalidField, "state is open or done")),
    };
    let filter = Filter::read(&query)?;
    let core = who::rules_of(cloud, &company).await?;
    let after = query.after.filter(|after| !after.is_empty());
    let (mut found, mut examined, mut after) = (Vec::new(), 0, after);
    loop {
        let (page, next) =
            cloud.store.quarantine_page(&company, open, after.as_deref(), limits::QUARANTINE_PAGE).await?;
        examined += page.len();
        found.extend(page.into_iter().filter(|enquiry| filter.takes(enquiry, &core)));
        after = next;
        let enough = found.len() >= limits::QUARANTINE_PAGE || examined >= limits::QUARANTINE_EXAMINED;
        if after.is_none() || enough {
            break;
        }
    }
    // What was sent stands here whole: a page of the largest would be more than a function may answer.
    let (mut told, mut bytes) = (Vec::with_capacity(found.len()), 0);
    let last = found.last().map(|enquiry| enquiry.id);
    for enquiry in &found {
        let one = tell(enquiry);
        bytes += one.to_string().len();
        told.push(one);
        if bytes > limits::QUARANTINE_ANSWER_BYTES && last != Some(enquiry.id) {
            after = Some(keys::quarantine_sort(enquiry.received_at, enquiry.id));
            break;
        }
    }
    Ok(Json(json!({ "company": company, "enquiries": told, "examined": examined, "next": after })))
}

/// `GET /v1/quarantine/{enquiry}`: the whole of it.
async fn one(
    State(cloud): State<Cloud>,
    Desk(desk): Desk,
    Path(enquiry): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id = enquiry.parse().map_err(|_| missing())?;
    Ok(Json(tell(&find(&cloud, &desk.companies, id).await?)))
}

/// `GET /v1/quarantine/reasons?company`: of each reason its weight, how many verdicts found it right and wrong,
/// and the share that was wrong, in percent: the most wrong first.
async fn reasons(State(cloud): State<Cloud>, DeskOf { company, .. }: DeskOf) -> Result<Json<Value>, Problem> {
    let core = who::rules_of(&cloud, &company).await?;
    let mut told: Vec<(u32, u32, Value)> = cloud
        .store
        .verdicts_get(&company)
        .await?
        .into_iter()
        .map(|(reason, verdicts)| {
            let all = verdicts.released + verdicts.rejected;
            let wrong = (u64::from(verdicts.released) * 100 / u64::from(all.max(1))) as u32;
            let told = json!({
                "reason": reason, "weight": core.screening.weight(reason), "released": verdicts.released,
                "rejected": verdicts.rejected, "wrong_percent": wrong,
            });
            (wrong, all, told)
        })
        .collect();
    told.sort_by_key(|(wrong, all, _)| std::cmp::Reverse((*wrong, *all)));
    let told: Vec<Value> = told.into_iter().map(|(_, _, told)| told).collect();
    Ok(Json(json!({ "company": company, "reasons": told })))
}

fn tell(enquiry: &StoredEnquiry) -> Value {
    let fields = |fields: &leadyard_domain::enquiry::Fields| -> Vec<Value> {
        fields.iter().map(|(name, value)| json!([name, value])).collect()
    };
    let mut told = json!({
        "enquiry": enquiry.id, "source": enquiry.source, "received_at": enquiry.received_at,
        "status": enquiry.status, "reasons": enquiry.reasons, "lead": enquiry.lead,
        "fields": fields(&enquiry.fields), "raw": enquiry.raw, "raw_base64": enquiry.raw_base64,
        "user_agent": enquiry.user_agent,
    });
    if let (Some(quarantine), Some(members)) = (&enquiry.quarantine, told.as_object_mut()) {
        let judged = quarantine.judged.as_ref();
        let judged = judged.map(|judged| json!({ "at": judged.at, "by": judged.by, "said": judged.said }));
        members.insert("verdict".to_owned(), json!(quarantine.verdict));
        members.insert("weight".to_owned(), json!(quarantine.weight));
        members.insert("until".to_owned(), json!(quarantine.until));
        members.insert("overdue".to_owned(), json!(quarantine.overdue));
        members.insert("edited".to_owned(), json!(quarantine.edited.as_ref().map(fields)));
        members.insert("judged".to_owned(), json!(judged));
    }
    told
}

fn missing() -> Problem {
    Problem::new(Code::NotFound, "there is no such enquiry in quarantine")
}

/// An enquiry that is or was quarantined, of one of these companies.
async fn find(
    cloud: &Cloud,
    companies: &[leadyard_domain::ids::CompanyId],
    id: EnquiryId,
) -> Result<StoredEnquiry, Problem> {
    let found = cloud.store.enquiry_get(id).await?;
    let found = found.filter(|enquiry| companies.contains(&enquiry.company));
    // What an earlier version quarantined has nothing but its status.
    found.filter(|found| found.quarantine.is_some() || found.status == QUARANTINED).ok_or_else(missing)
}

/// What the desk says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// On many: which.
    enquiries: Option<Vec<EnquiryId>>,
    /// Edit: standard fields and what they are to say; null for nothing.
    fields: Option<BTreeMap<String, Option<String>>>,
    /// Why.
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Release,
    Edit,
    Reject,
}

impl Act {
    fn of(word: &str) -> Result<Self, Problem> {
        match word {
            "release" => Ok(Self::Release),
            "edit" => Ok(Self::Edit),
            "reject" => Ok(Self::Reject),
            _ => Err(Problem::new(Code::NotFound, "a verdict is one of: release edit reject")),
        }
    }
}

/// `POST /v1/quarantine/{enquiry}/{release|edit|reject}`: `{"reason": "…"}`; to edit
/// `{"fields": {"phone": "305-555-0100"}}`.
async fn act(
    State(cloud): State<Cloud>,
    Desk(desk): Desk,
    Path((enquiry, act)): Path<(String, String)>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let act = Act::of(&act)?;
    let asked = asked(&http::body(request, limits::BODY_BYTES).await?)?;
    let id: EnquiryId = enquiry.parse().map_err(|_| missing())?;
    // A stranger's enquiry does not exist for this desk.
    find(&cloud, &desk.companies, id).await?;
    perform(&cloud, &desk.staff, act, id, &asked).await.map(Json)
}

/// `POST /v1/quarantine/{release|edit|reject}` on many: `{"enquiries": […], "reason": "…"}`; to edit all alike also
/// `"fields"`, such as the offer that a form did not name. Each has its own answer.
async fn many(
    State(cloud): State<Cloud>,
    Desk(desk): Desk,
    uri: Uri,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let act = Act::of(uri.path().rsplit('/').next().unwrap_or_default())?;
    let asked = asked(&http::body(request, limits::BODY_BYTES).await?)?;
    let enquiries = asked.enquiries.clone().unwrap_or_default();
    if enquiries.is_empty() || enquiries.len() > limits::ENQUIRIES_PER_VERDICT {
        let detail = format!("enquiries is a list of 1 to {} ids", limits::ENQUIRIES_PER_VERDICT);
        return Err(Problem::new(Code::InvalidField, detail));
    }
    let mut results = Vec::with_capacity(enquiries.len());
    for id in enquiries {
        let result = match find(&cloud, &desk.companies, id).await {
            Ok(_) => perform(&cloud, &desk.staff, act, id, &asked).await,
            Err(problem) => Err(problem),
        };
        results.push(match result {
            Ok(mut told) => {
                if let Some(members) = told.as_object_mut() {
                    members.insert("done".to_owned(), json!(true));
                }
                told
            }
            Err(problem) => json!({ "enquiry": id, "done": false, "problem": problem.json() }),
        });
    }
    Ok(Json(json!({ "results": results })))
}

fn asked(body: &[u8]) -> Result<Asked, Problem> {
    if body.is_empty() {
        return Ok(Asked::default());
    }
    serde_json::from_slice(body).map_err(|_| {
        Problem::new(Code::MalformedBody, "the body is a JSON object of: enquiries fields reason")
    })
}

/// Gives a verdict, looking again where somebody else was first.
async fn perform(
    cloud: &Cloud,
    staff: &str,
    act: Act,
    id: EnquiryId,
    asked: &Asked,
) -> Result<Value, Problem> {
    let said = asked.reason.as_deref().map(str::trim).filter(|said| !said.is_empty());
    if said.is_some_and(|said| said.chars().count() > limits::NOTE_CHARS) {
        let detail = format!("reason is at most {} characters", limits::NOTE_CHARS);
        return Err(Problem::new(Code::InvalidField, detail));
    }
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let enquiry = cloud.store.enquiry_get(id).await?.ok_or_else(missing)?;
        let seen = enquiry.status.clone();
        let judged =
            Judgement { at: cloud.clock.now(), by: Some(staff.to_owned()), said: said.map(str::to_owned) };
        let same = act == Act::Edit
            && !is_open(&enquiry)
            && corrected(cloud, &enquiry, asked).await? == *enquiry.meant();
        // A second click on an edit asks for what was released with just that.
        if let Some(told) = already(&enquiry, if same { Act::Release } else { act })? {
            return Ok(told);
        }
        let done = match act {
            Act::Reject => reject(cloud, enquiry, judged).await?,
            Act::Release => release(cloud, enquiry, judged).await?.map(outcome).transpose()?,
            Act::Edit => {
                let enquiry = edited(cloud, enquiry, asked).await?;
                release(cloud, enquiry, judged).await?.map(outcome).transpose()?
            }
        };
        if let Some(mut told) = done {
            tracing::info!(enquiry.id = %id, quarantine.act = ?act, quarantine.seen = %seen, staff, "the desk gave a verdict");
            if let Some(members) = told.as_object_mut() {
                members.insert("enquiry".to_owned(), json!(id));
            }
            return Ok(told);
        }
    }
    Err(Problem::new(Code::Unavailable, "others keep changing this person's lead; try again").retry_after(1))
}

/// Whether it waits for a verdict, or may be given another.
fn is_open(enquiry: &StoredEnquiry) -> bool {
    [QUARANTINED, REJECTED].contains(&enquiry.status.as_str())
}

/// What stands already: a second click, or a verdict that is no longer to be given.
fn already(enquiry: &StoredEnquiry, act: Act) -> Result<Option<Value>, Problem> {
    let status = enquiry.status.as_str();
    match (status, act) {
        (QUARANTINED, _) | (REJECTED, Act::Release | Act::Edit) => Ok(None),
        (REJECTED, Act::Reject) => {
            Ok(Some(json!({ "enquiry": enquiry.id, "status": REJECTED, "already": true })))
        }
        (_, Act::Release) => Ok(Some(json!({
            "enquiry": enquiry.id, "status": "released", "lead": enquiry.lead, "became": status, "already": true,
        }))),
        (_, Act::Edit | Act::Reject) => {
            let problem = Problem::new(Code::StateConflict, "the enquiry was released already");
            Err(problem.with("lead", json!(enquiry.lead)))
        }
    }
}

async fn reject(
    cloud: &Cloud,
    mut enquiry: StoredEnquiry,
    judged: Judgement,
) -> Result<Option<Value>, Problem> {
    let seen = std::mem::replace(&mut enquiry.status, REJECTED.to_owned());
    remember(cloud, &mut enquiry, judged);
    let stands = cloud.store.quarantine_judge(&enquiry, &seen).await?;
    Ok(stands.then(|| json!({ "status": REJECTED })))
}

/// Writes down who decided, also where an earlier version wrote nothing else.
fn remember(cloud: &Cloud, enquiry: &mut StoredEnquiry, judged: Judgement) {
    let quarantine = enquiry.quarantine.get_or_insert_with(|| leadyard_platform::store::Quarantine {
        verdict: Verdict::Doubtful,
        weight: 0,
        until: cloud.clock.now(),
        overdue: true,
        visitor: None,
        trusted: false,
        edited: None,
        judged: None,
    });
    quarantine.judged = Some(judged);
}

/// The same enquiry with standard fields put right.
async fn edited(cloud: &Cloud, mut enquiry: StoredEnquiry, asked: &Asked) -> Result<StoredEnquiry, Problem> {
    let fields = corrected(cloud, &enquiry, asked).await?;
    remember(cloud, &mut enquiry, Judgement { at: cloud.clock.now(), by: None, said: None });
    if let Some(quarantine) = &mut enquiry.quarantine {
        quarantine.edited = Some(fields);
    }
    Ok(enquiry)
}

/// What it says with these standard fields put right.
async fn corrected(cloud: &Cloud, enquiry: &StoredEnquiry, asked: &Asked) -> Result<Fields, Problem> {
    let invalid = |detail: String| Problem::new(Code::InvalidField, detail);
    let mut corrections = Vec::new();
    for (name, value) in asked.fields.iter().flatten() {
        let standard: Standard = name
            .parse()
            .map_err(|rule: leadyard_domain::error::Invalid| invalid(format!("fields: {rule}")))?;
        if standard.is_of_consent() {
            let rule = "is of what the person agreed to: it stays as it was received";
            return Err(invalid(format!("fields: {standard} {rule}")));
        }
        corrections.push((standard, value.clone()));
    }
    if corrections.is_empty() {
        return Err(invalid(r#"fields says what to put right: {"phone": "305-555-0100"}"#.to_owned()));
    }
    let core = who::rules_of(cloud, &enquiry.company).await?;
    let map = core.source(&enquiry.source).map(Source::map).unwrap_or_default();
    enquiry.meant().corrected(&map, &corrections).map_err(|rule| invalid(format!("fields: {rule}")))
}

/// What came of releasing an enquiry.
enum Released {
    /// It went its way.
    Gone(Value),
    /// It cannot, for these reasons.
    Kept(Vec<&'static str>),
}

fn outcome(released: Released) -> Result<Value, Problem> {
    match released {
        Released::Gone(told) => Ok(told),
        Released::Kept(reasons) => {
            let detail = "it cannot go on as it is: edit it, or what keeps it";
            Err(Problem::new(Code::StateConflict, detail).with("reasons", json!(reasons)))
        }
    }
}

/// One round of letting an enquiry go its way; `None` when somebody else was first.
async fn release(
    cloud: &Cloud,
    mut enquiry: StoredEnquiry,
    judged: Judgement,
) -> Result<Option<Released>, StoreError> {
    let kept = |reason: Reason| Ok(Some(Released::Kept(vec![reason.as_str()])));
    let Some(core) = cloud.rulebooks.current(&cloud.store, &enquiry.company).await? else {
        return kept(Reason::UnknownSource);
    };
    let Some(source) = core.source(&enquiry.source) else { return kept(Reason::UnknownSource) };
    if source.test {
        // What a test sends is nobody's lead, whatever the desk puts right in it.
        return Ok(Some(Released::Kept(vec!["test"])));
    }
    if enquiry.raw.is_some() && enquiry.meant().is_empty() {
        return kept(Reason::Unreadable);
    }
    let understood = judging::understand(&enquiry, Some(source));
    if !understood.reachable() {
        return kept(Reason::UnreachablePerson);
    }
    let Some(offer) = core.offer_of(source, understood.offer.as_deref()) else {
        return kept(Reason::UnknownOffer);
    };
    let seen = enquiry.status.clone();
    remember(cloud, &mut enquiry, judged);
    let arrival = arrival_of(&enquiry);
    let arrived =
        Arrived { arrival: &arrival, core: &core, source, fields: enquiry.meant().clone(), understood };
    let way = Way::Released(seen);
    let answered = Box::pin(keep::join_and_keep(cloud, &arrived, offer, &mut enquiry, &way)).await?;
    let told =
        |lead, became: &str| Released::Gone(json!({ "status": "released", "lead": lead, "became": became }));
    Ok(answered.and_then(|answered| match answered.what {
        What::Fresh(Answer::Received { lead }) => Some(told(lead, "received")),
        What::Fresh(Answer::Repeat { lead, .. }) => Some(told(lead, "repeat")),
        What::Fresh(Answer::Quarantined { reasons }) => Some(Released::Kept(reasons)),
        // None of these comes of a release.
        What::Fresh(Answer::Test { .. } | Answer::Spilled | Answer::Refused(_)) | What::Replay { .. } => None,
    }))
}

/// The arrival that it was.
fn arrival_of(enquiry: &StoredEnquiry) -> Arrival {
    let quarantine = enquiry.quarantine.as_ref();
    let visitor = quarantine.and_then(|quarantine| quarantine.visitor);
    Arrival {
        id: enquiry.id,
        key: keep::key_of(enquiry),
        trusted: quarantine.is_some_and(|quarantine| quarantine.trusted),
        at: enquiry.received_at,
        content_type: String::new(),
        body: Bytes::new(),
        idempotency: None,
        visitor,
        gpc: enquiry.gpc,
        user_agent: enquiry.user_agent.clone(),
        address: None,
        ip: None,
        sent_by: None,
        spilled: enquiry.spilled,
        tried: false,
    }
}

/// The deadline of a quarantined enquiry is there: see the module. It is looked at once.
///
/// # Errors
/// When the store could not be asked, or stayed contended: it is looked at again.
pub(crate) async fn deadline(cloud: &Cloud, id: EnquiryId) -> Result<(), StoreError> {
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let Some(mut enquiry) = cloud.store.enquiry_get(id).await? else { return Ok(()) };
        let Some(quarantine) = &enquiry.quarantine else { return Ok(()) };
        let now = cloud.clock.now();
        if enquiry.status != QUARANTINED || quarantine.overdue || now < quarantine.until {
            return Ok(());
        }
        let core = cloud.rulebooks.current(&cloud.store, &enquiry.company).await?;
        let concluded = concluded(&enquiry);
        let lets_go =
            core.zip(concluded).is_some_and(|(core, concluded)| core.screening.releases(&concluded));
        if lets_go {
            let silence = Judgement { at: now, by: None, said: None };
            match release(cloud, enquiry.clone(), silence).await? {
                Some(Released::Gone(_)) => {
                    tracing::info!(enquiry.id = %id, "a quarantined enquiry was released by its deadline");
                    return Ok(());
                }
                Some(Released::Kept(_)) => {}
                None => continue,
            }
        }
        if let Some(quarantine) = &mut enquiry.quarantine {
            quarantine.overdue = true;
        }
        if cloud.store.quarantine_judge(&enquiry, QUARANTINED).await? {
            tracing::warn!(enquiry.id = %id, "a quarantined enquiry is overdue");
            return Ok(());
        }
    }
    Err(StoreError::Contended)
}

/// What was concluded of it; `None` where a newer version had a reason that is not known here.
fn concluded(enquiry: &StoredEnquiry) -> Option<Screening> {
    let quarantine = enquiry.quarantine.as_ref()?;
    let reasons =
        enquiry.reasons.iter().map(|reason| reason.parse().ok()).collect::<Option<Vec<Reason>>>()?;
    Some(Screening { verdict: quarantine.verdict, weight: quarantine.weight, reasons })
}
