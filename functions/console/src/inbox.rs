//! The dealer's side: its own leads, and what it says of them.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use jiff::Timestamp;
use leadyard_domain::assignment::{Assignment, DeliveryState};
use leadyard_domain::error::Code;
use leadyard_domain::ids::AssignmentId;
use leadyard_domain::lead::{Answer, Answered, AssignmentState, Lead, Stage};
use leadyard_domain::limits;
use leadyard_domain::money::Money;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, body};
use leadyard_platform::store::{GaveBack, GiveBack};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{leads, who};

const PAGE: i32 = 50;
/// How often an answer that crossed somebody else's change is tried again.
const ROUNDS: usize = 8;

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    state: Option<String>,
}

/// `GET /v1/inbox`: the newest first, `?state=shut` for those that are over.
pub(crate) async fn list(
    State(cloud): State<Cloud>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let token = who::dealer(&cloud, &headers)?;
    let open = query.state.as_deref() != Some("shut");
    let mut items = Vec::new();
    for assignment in cloud.store.inbox(&token.company, &token.dealer, open, PAGE).await? {
        let mut item = leads::assignment(&assignment);
        // What the dealer holds it may see; not what it gave back, nor what is on its way to it and may
        // yet go to somebody else.
        if assignment.state.holds()
            && assignment.delivery == DeliveryState::Received
            && let Some(lead) = cloud.store.lead_get(assignment.lead).await?
            && let Some(members) = item.as_object_mut()
        {
            members.insert("person".to_owned(), json!(lead.person));
            members.insert("offer".to_owned(), json!(lead.offer));
        }
        items.push(item);
    }
    Ok(Json(json!({ "assignments": items })))
}

/// `POST /v1/inbox/{assignment}/{act}`.
pub(crate) async fn answer(
    State(cloud): State<Cloud>,
    Path((assignment, act)): Path<(String, String)>,
    headers: HeaderMap,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let token = who::dealer(&cloud, &headers)?;
    let missing = || Problem::new(Code::NotFound, "there is no such assignment in this inbox");
    let id: AssignmentId = assignment.parse().map_err(|_| missing())?;
    let act: Answer = act.parse().map_err(|_| Problem::new(Code::NotFound, "there is no such answer"))?;
    let value = won_value(act, &body(request, limits::BODY_BYTES).await?)?;
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let found = cloud.store.assignment_of_dealer(&token.company, &token.dealer, id).await?;
        let stands = found.ok_or_else(missing)?;
        if act != Answer::Decline && ended_elsewhere(&stands) {
            let detail = "the lead could not be delivered and is going to the next dealer";
            return Err(Problem::new(Code::StateConflict, detail).with("state", stands.state.as_str()));
        }
        match stands.state.answer(act) {
            Answered::Already => return Ok(Json(leads::assignment(&stands))),
            Answered::Refused => {
                let detail = format!("an assignment that is {} takes no {act}", stands.state);
                return Err(Problem::new(Code::StateConflict, detail).with("state", stands.state.as_str()));
            }
            Answered::To(state) => {
                if let Some(done) = move_to(&cloud, stands, state, value, cloud.clock.now()).await? {
                    return Ok(Json(leads::assignment(&done)));
                }
            }
        }
    }
    Err(Problem::new(Code::Unavailable, "others kept changing this lead; try again").retry_after(1))
}

/// Whether delivery gave up on this dealer: it is being sent its withdrawal, or the lead has moved.
fn ended_elsewhere(assignment: &Assignment) -> bool {
    match assignment.delivery {
        DeliveryState::NotReceived | DeliveryState::Unknown => assignment.state.holds(),
        DeliveryState::Pending | DeliveryState::Received => false,
    }
}

#[derive(Deserialize)]
struct WonBody {
    value: Option<String>,
}

fn won_value(act: Answer, body: &[u8]) -> Result<Option<Money>, Problem> {
    if act != Answer::Won || body.is_empty() {
        return Ok(None);
    }
    let malformed = || Problem::new(Code::MalformedBody, r#"the body is {"value": "1200.00"}, or empty"#);
    let sent: WonBody = serde_json::from_slice(body).map_err(|_| malformed())?;
    let value = sent.value.map(|value| value.parse::<Money>()).transpose();
    value.map_err(|rule| Problem::new(Code::InvalidField, rule.to_string()))
}

/// Moves an assignment to a new state with all that follows; `None` when somebody else changed it.
async fn move_to(
    cloud: &Cloud,
    stands: Assignment,
    state: AssignmentState,
    value: Option<Money>,
    now: Timestamp,
) -> Result<Option<Assignment>, Problem> {
    let mut next = stands;
    next.move_to(state, now);
    let lead = cloud.store.lead_get(next.lead).await?.filter(|lead| lead.cycle == next.cycle);
    if state == AssignmentState::Declined {
        return decline(cloud, next, lead, now).await;
    }
    // An answer proves that the dealer has it, whatever became of our attempts.
    next.delivery = DeliveryState::Received;
    next.settled_at = next.settled_at.or(Some(now));
    next.due = None;
    next.won_value = value.or(next.won_value);
    let closes = lead.and_then(|lead| close(lead, &next, now));
    let saved = match &closes {
        Some(lead) => cloud.store.assignment_save_with_lead(&next, lead).await?,
        None => cloud.store.assignment_save(&next).await?,
    };
    Ok(saved.then_some(next))
}

/// The lead as its holder's outcome leaves it: won as soon as one has won, lost when the last has lost.
fn close(mut lead: Lead, assignment: &Assignment, now: Timestamp) -> Option<Lead> {
    let others = lead.holders.iter().any(|holder| holder.assignment != assignment.id);
    match assignment.state {
        AssignmentState::Won if !lead.stage.closed() => lead.close(Stage::Won, now),
        AssignmentState::Lost if others => lead.lose_seat(assignment.id),
        AssignmentState::Lost if !lead.stage.closed() => lead.close(Stage::Lost, now),
        AssignmentState::Offered
        | AssignmentState::Accepted
        | AssignmentState::Declined
        | AssignmentState::Lapsed
        | AssignmentState::Returned
        | AssignmentState::Withdrawn
        | AssignmentState::Contacted
        | AssignmentState::Won
        | AssignmentState::Lost => return None,
    }
    Some(lead)
}

async fn decline(
    cloud: &Cloud,
    mut next: Assignment,
    lead: Option<Lead>,
    now: Timestamp,
) -> Result<Option<Assignment>, Problem> {
    next.due = None;
    let lead = lead.map(|mut lead| {
        lead.give_back(next.id, now);
        lead
    });
    let back = GiveBack { assignment: &next, lead: lead.as_ref(), delivery: None, now };
    if cloud.store.assignment_give_back(back).await? == GaveBack::Changed {
        return Ok(None);
    }
    tracing::info!(lead.id = %next.lead, assignment.id = %next.id, dealer.id = %next.dealer, "declined");
    if let Some(lead) = lead {
        let sent = cloud.queues.lead_to_distribution(lead.company.as_str(), lead.id).await;
        let woken = cloud.queues.wake_to_distribution(&lead.company, &lead.category).await;
        if let Err(error) = sent.and(woken) {
            tracing::warn!(error = &error as &dyn std::error::Error, "what follows is left to the sweep");
        }
    }
    Ok(Some(next))
}
