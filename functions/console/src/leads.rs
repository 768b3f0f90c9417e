//! The whole story of a lead: person, score explained, enquiries, interactions, decisions,
//! assignments, attempts, next step.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::error::Code;
use leadyard_domain::ids::LeadId;
use leadyard_domain::scoring::{Activity, Part, Score};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};
use leadyard_platform::judging;
use leadyard_platform::store::{Act, DecisionRecord, Delivery, StoredEnquiry, Story};
use serde_json::{Value, json};

use crate::who;

/// `GET /v1/leads/{id}`.
pub(crate) async fn story(
    State(cloud): State<Cloud>,
    Path(lead): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let story = of_desk(&cloud, &lead, &headers).await?;
    let enquiries = cloud.store.enquiries_of(&story.lead).await?;
    let now = cloud.clock.now();
    let score = match cloud.rulebooks.current(&cloud.store, &story.lead.company).await? {
        None => Value::Null,
        Some(core) => {
            let judged = judging::judge(&cloud, &core, &story.lead, story.activity.clone(), now).await?;
            explain(&judged.score)
        }
    };
    Ok(Json(tell(&story, &enquiries, &score)))
}

/// A lead's story, for a desk that may see it.
pub(crate) async fn of_desk(cloud: &Cloud, lead: &str, headers: &HeaderMap) -> Result<Story, Problem> {
    let desk = who::desk(cloud, headers)?;
    let missing = || Problem::new(Code::NotFound, "there is no such lead");
    let id: LeadId = lead.parse().map_err(|_| missing())?;
    let story = cloud.store.lead_story(id).await?.ok_or_else(missing)?;
    if desk.companies.contains(&story.lead.company) { Ok(story) } else { Err(missing()) }
}

fn tell(story: &Story, enquiries: &[StoredEnquiry], score: &Value) -> Value {
    let lead = &story.lead;
    json!({
        "lead": lead.id,
        "company": lead.company,
        "scope": lead.scope.to_string(),
        "category": lead.category,
        "offer": lead.offer,
        "source": lead.source,
        "campaign": lead.campaign,
        "person": lead.person,
        "cycle": lead.cycle,
        "opened_at": lead.opened_at,
        "last_enquiry_at": lead.last_enquiry_at,
        "closed_at": lead.closed_at,
        "stage": lead.stage,
        "waiting": lead.waiting,
        "due": lead.due,
        "hold": lead.hold,
        "priority": lead.priority(),
        "priority_set": lead.priority_set,
        "next_step": lead.score.as_ref().map(|score| score.next_step),
        "possible_duplicate": lead.possible_duplicate,
        "holders": lead.holders,
        "excluded": lead.excluded,
        "score": score,
        "interactions": interactions(&story.activity),
        "enquiries": enquiries,
        "decisions": story.decisions.iter().map(decision).collect::<Vec<_>>(),
        "assignments": story.assignments.iter().map(assignment).collect::<Vec<_>>(),
        "history": story.acts.iter().map(act).collect::<Vec<_>>(),
        "messages": story.deliveries.iter().map(message).collect::<Vec<_>>(),
    })
}

/// A score with lines that sum to it, in hundredths of a point.
fn explain(score: &Score) -> Value {
    let lines: Vec<Value> = score
        .explanation
        .lines
        .iter()
        .map(|line| match &line.part {
            Part::Fit(letter) => json!({ "fit": letter, "hundredths": line.hundredths }),
            Part::Interactions { kind, counted } => {
                json!({ "interactions": kind, "counted": counted, "hundredths": line.hundredths })
            }
        })
        .collect();
    let rules: Vec<Value> =
        score.fit.matched.iter().map(|rule| json!({ "label": rule.label, "points": rule.points })).collect();
    json!({
        "total": score.total,
        "total_hundredths": score.explanation.total_hundredths,
        "band": score.band,
        "priority": score.priority,
        "next_step": score.next_step,
        "lines": lines,
        "fit": { "points": score.fit.points, "rules": rules },
    })
}

/// A decision without what only a machine reads: the counters and switches it can be made again from.
fn decision(record: &DecisionRecord) -> Value {
    let mut told = json!(record);
    if let Some(members) = told.as_object_mut() {
        members.remove("evidence");
    }
    told
}

fn interactions(activity: &Activity) -> Vec<Value> {
    activity
        .days()
        .flat_map(|(day, of_day)| {
            of_day
                .kinds()
                .map(move |(kind, _)| json!({ "day": day.0, "kind": kind, "count": of_day.count(kind) }))
        })
        .collect()
}

/// An assignment, as the desk and its own dealer see it.
pub(crate) fn assignment(assignment: &Assignment) -> Value {
    json!({
        "assignment": assignment.id,
        "lead": assignment.lead,
        "cycle": assignment.cycle,
        "contract": assignment.contract,
        "dealer": assignment.dealer,
        "price": assignment.price.to_string(),
        "state": assignment.state,
        "state_at": assignment.state_at,
        "offered_at": assignment.offered_at,
        "settled_at": assignment.settled_at,
        "delivery": assignment.delivery,
        "channel": assignment.channel_order,
        "accept_by": assignment.accept_by.map(|by| by.at),
        "warned": assignment.warned,
        "return": assignment.returned,
        "shadow": assignment.shadow,
        "imported": assignment.imported,
        "attempts": assignment.attempts,
        "attempt_count": assignment.attempt_count,
        "next_attempt_at": assignment.next_attempt_at,
        "won_value": assignment.won_value.map(|value| value.to_string()),
        "rulebook": assignment.rulebook,
    })
}

/// What the desk did, with what it changed.
pub(crate) fn act(act: &Act) -> Value {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    json!({
        "act": act.act, "at": act.at, "by": act.by, "reason": act.reason,
        "before": parsed(&act.before), "after": parsed(&act.after),
    })
}

fn message(delivery: &Delivery) -> Value {
    json!({
        "assignment": delivery.assignment,
        "dealer": delivery.dealer,
        "event": delivery.event,
        "channel": delivery.channel,
        "since": delivery.since,
        "state": delivery.state,
        "attempts": delivery.attempts,
    })
}
