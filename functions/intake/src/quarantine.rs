//! The quarantine over HTTP: what waits for a verdict, and the desk's. What follows from one is
//! [`leadyard_platform::arriving::quarantine`]'s.

use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::{get, post};
use axum::{Json, Router};
use leadyard_domain::error::Code;
use leadyard_domain::ids::EnquiryId;
use leadyard_domain::limits;
use leadyard_platform::arriving::quarantine::{self, Act, Asked, Listed, find, missing};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Path, Problem, Query};
use leadyard_platform::store::{StoredEnquiry, keys};
use leadyard_platform::who;
use leadyard_platform::who::{ACTS, Desk, DeskOf, Staff};
use serde_json::{Value, json};

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

/// `GET /v1/quarantine?company&state=open|done&reason&source&verdict&after`: what is open, the longest waiting
/// first, so that what is overdue leads; what was decided, the newest first. `examined` says how many were looked
/// at, `next` what to send as `after`.
async fn list(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<ACTS>,
    Query(query): Query<Listed>,
) -> Result<Json<Value>, Problem> {
    if query.email.is_some() || query.phone.is_some() {
        let detail =
            "email and phone go in the body of POST /v1/quarantine/search: nothing personal stands in a URL";
        return Err(Problem::new(Code::InvalidField, detail));
    }
    page(&cloud, &desk, query).await
}

/// `POST /v1/quarantine/search`: the same as an object, and by exact `email` or `phone`.
async fn search(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<ACTS>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let body = http::body(request, limits::BODY_BYTES).await?;
    let query = serde_json::from_slice(&body).map_err(|_| {
        let detail =
            "the body is an object of company, state, reason, source, verdict, email, phone and after";
        Problem::new(Code::MalformedBody, detail)
    })?;
    page(&cloud, &desk, query).await
}

async fn page(cloud: &Cloud, desk: &Staff, query: Listed) -> Result<Json<Value>, Problem> {
    let page =
        quarantine::page(cloud, desk, query, limits::QUARANTINE_PAGE, limits::QUARANTINE_EXAMINED).await?;
    let mut next = page.next;
    // What was sent stands here whole: a page of the largest would be more than a function may answer.
    let (mut told, mut bytes) = (Vec::with_capacity(page.enquiries.len()), 0);
    let last = page.enquiries.last().map(|enquiry| enquiry.id);
    for enquiry in &page.enquiries {
        let one = tell(enquiry);
        bytes += one.to_string().len();
        told.push(one);
        if bytes > limits::QUARANTINE_ANSWER_BYTES && last != Some(enquiry.id) {
            next = Some(keys::quarantine_sort(enquiry.received_at, enquiry.id));
            break;
        }
    }
    Ok(Json(json!({
        "company": page.company, "enquiries": told, "examined": page.examined, "next": next,
    })))
}

/// `GET /v1/quarantine/{enquiry}`: the whole of it.
async fn one(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<ACTS>,
    Path(enquiry): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id = enquiry.parse().map_err(|_| missing())?;
    Ok(Json(tell(&find(&cloud, &desk, id).await?)))
}

/// `GET /v1/quarantine/reasons?company`: of each reason its weight, how many verdicts found it right and wrong,
/// and the share that was wrong, in percent: the most wrong first.
async fn reasons(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<ACTS>,
) -> Result<Json<Value>, Problem> {
    let core = who::rules_of(&cloud, &company).await?;
    let told = quarantine::tried(&cloud, &core).await?.into_iter().map(|tried| {
        json!({
            "reason": tried.reason, "weight": tried.weight, "released": tried.released,
            "rejected": tried.rejected, "wrong_percent": tried.wrong_percent(),
        })
    });
    let told: Vec<Value> = told.collect();
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

/// `POST /v1/quarantine/{enquiry}/{release|edit|reject}`: `{"reason": "…"}`; to edit
/// `{"fields": {"phone": "305-555-0100"}}`.
async fn act(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<ACTS>,
    Path((enquiry, act)): Path<(String, String)>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let act = Act::of(&act)?;
    let asked = asked(&http::body(request, limits::BODY_BYTES).await?)?;
    let id: EnquiryId = enquiry.parse().map_err(|_| missing())?;
    quarantine::judge(&cloud, &desk, act, id, &asked).await.map(Json)
}

/// `POST /v1/quarantine/{release|edit|reject}` on many: `{"enquiries": […], "reason": "…"}`; to edit all alike also
/// `"fields"`, such as the offer that a form did not name. Each has its own answer.
async fn many(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<ACTS>,
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
        results.push(match quarantine::judge(&cloud, &desk, act, id, &asked).await {
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
