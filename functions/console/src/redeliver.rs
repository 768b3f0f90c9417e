//! The desk sends a lead again: its dealer says that it never came, or its channel works again.
//!
//! Determinations:
//!
//! - *What was received is sent once more* as the same message: under the same webhook id, so that a dealer's program
//!   that has it already knows it. Its attempts are its own; whatever becomes of them, the assignment stays as it is,
//!   and nothing is charged again.
//! - *What is still being tried is tried now*, from the dealer's first channel on, with all its attempts.
//! - *A withdrawal that never arrived is tried again*, once for each time the desk asks when its 24 hours are over.
//! - *Nothing is sent to a dealer that does not hold the lead* but its withdrawal.

use jiff::Timestamp;
use leadyard_domain::assignment::{Assignment, DeliveryState};
use leadyard_domain::delivery::Event;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{AssignmentId, LeadId};
use leadyard_domain::lead::{AssignmentState, Lead};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::judging;
use leadyard_platform::store::{Changes, Delivery};
use leadyard_platform::who::Staff;
use serde_json::{Value, json};

use crate::acts::{Asked, note, record};

/// Sends it again; `None` when somebody else changed it.
pub(crate) async fn redeliver(
    cloud: &Cloud,
    desk: &Staff,
    lead: &Lead,
    asked: &Asked,
) -> Result<Option<Value>, Problem> {
    let stands = seat(cloud, lead, asked.assignment).await?;
    let now = cloud.clock.now();
    match stands.state {
        AssignmentState::Offered
        | AssignmentState::Accepted
        | AssignmentState::Contacted
        | AssignmentState::Won
        | AssignmentState::Lost
            if stands.recalled || stands.shadow =>
        {
            Err(refused("the lead is being taken back, or was never sent"))
        }
        AssignmentState::Offered
        | AssignmentState::Accepted
        | AssignmentState::Contacted
        | AssignmentState::Won => match stands.delivery {
            DeliveryState::Received if !is_known(cloud, lead, &stands).await? => Err(refused(
                "what its dealer bought is not kept any more: the person asked for something else since",
            )),
            DeliveryState::Received => again(cloud, desk, stands, asked, now).await,
            DeliveryState::Pending => at_once(cloud, desk, stands, asked, now).await,
            DeliveryState::NotReceived | DeliveryState::Unknown => {
                Err(refused("the lead could not be delivered and is going to the next dealer"))
            }
        },
        AssignmentState::Withdrawn | AssignmentState::Lapsed => withdrawal(cloud, desk, stands, asked).await,
        AssignmentState::Declined | AssignmentState::Returned | AssignmentState::Lost => {
            Err(refused("its dealer does not hold the lead any more"))
        }
    }
}

/// Whether a seat's lead, or the news that it is taken back, may be sent again, as far as the seat itself says it: whether
/// there was such news, and what became of it, is seen when it is tried.
pub(crate) fn may_be(seat: &Assignment) -> bool {
    let is_sent = match seat.state {
        AssignmentState::Offered
        | AssignmentState::Accepted
        | AssignmentState::Contacted
        | AssignmentState::Won => {
            !seat.recalled && matches!(seat.delivery, DeliveryState::Received | DeliveryState::Pending)
        }
        AssignmentState::Withdrawn | AssignmentState::Lapsed => true,
        AssignmentState::Declined | AssignmentState::Returned | AssignmentState::Lost => false,
    };
    is_sent && !seat.shadow && !seat.imported
}

/// Whether the desk sent it again since `shown`, when somebody saw the seat last. A double click asks for it twice, and the
/// first may have arrived by the time of the second: then nothing of how the seat stands says so.
pub(crate) async fn again_since(
    cloud: &Cloud,
    desk: &Staff,
    (lead, assignment): (LeadId, AssignmentId),
    shown: Timestamp,
) -> Result<bool, Problem> {
    let story = cloud.store.lead_story(lead).await?;
    let Some(story) = story.filter(|story| desk.companies.contains(&story.lead.company)) else {
        return Ok(false);
    };
    let of_seat = |before: &str| {
        serde_json::from_str(before).is_ok_and(|before: Value| before["assignment"] == json!(assignment))
    };
    Ok(story.acts.iter().any(|act| act.act == "redeliver" && act.at >= shown && of_seat(&act.before)))
}

fn refused(detail: &str) -> Problem {
    Problem::new(Code::StateConflict, detail)
}

/// The seat that is asked for; the only one that is held, if none is named.
async fn seat(cloud: &Cloud, lead: &Lead, asked: Option<AssignmentId>) -> Result<Assignment, Problem> {
    let missing = || Problem::new(Code::NotFound, "the lead has no such assignment");
    if let Some(id) = asked {
        let story = cloud.store.lead_story(lead.id).await?.ok_or_else(missing)?;
        if let Some(found) = story.assignments.into_iter().find(|assignment| assignment.id == id) {
            return Ok(found);
        }
    }
    let mut held = lead.holders.iter().filter(|holder| asked.is_none_or(|id| id == holder.assignment));
    let (Some(holder), None) = (held.next(), held.next()) else {
        return Err(if lead.holders.len() > 1 && asked.is_none() {
            Problem::new(Code::InvalidField, "several dealers hold the lead: name the assignment")
        } else if asked.is_some() {
            missing()
        } else {
            refused("nobody holds the lead")
        });
    };
    let seat = lead.cycle_of(holder);
    cloud.store.assignment_get(seat.lead, seat.cycle, holder.assignment).await?.ok_or_else(missing)
}

/// Whether it is known what a seat was sold with.
async fn is_known(cloud: &Cloud, lead: &Lead, stands: &Assignment) -> Result<bool, Problem> {
    let own = if stands.lead == lead.id { None } else { cloud.store.lead_get(stands.lead).await? };
    let core = cloud.rulebooks.current(&cloud.store, &lead.company).await?;
    Ok(judging::sold(cloud, core.as_deref(), own.as_ref().unwrap_or(lead), stands).await?.is_known)
}

/// What the dealer was sent goes once more, beside the assignment.
async fn again(
    cloud: &Cloud,
    desk: &Staff,
    stands: Assignment,
    asked: &Asked,
    now: Timestamp,
) -> Result<Option<Value>, Problem> {
    // With a deadline the whole lead was a message of its own, once it was accepted.
    let message = if stands.accept_by.is_some() && !stands.masked() { 2 } else { 1 };
    for count in 1..=limits::REDELIVERIES {
        let number = format!("{message}r{count}");
        let known =
            cloud.store.delivery_get(stands.lead, stands.id, Event::Assigned.as_str(), &number).await?;
        match known {
            Some(known) if known.state == DeliveryState::Pending => {
                return Err(refused("the lead is being sent again already"));
            }
            Some(_) => continue,
            None => {}
        }
        let delivery = Delivery::to(&stands, Event::Assigned, number.as_str(), now);
        let before = json!({ "assignment": stands.id, "dealer": stands.dealer, "delivery": stands.delivery });
        let after = json!({ "message": number });
        let told = json!({ "act": "redeliver", "before": before, "after": after });
        if asked.dry_run {
            return Ok(Some(told));
        }
        let act = record(cloud, desk, "redeliver", note("reason", asked.reason.clone())?, &before, &after);
        let changes = Changes { delivery: Some(&delivery), act: Some(&act), ..Changes::of(&stands, now) };
        if !cloud.store.assignment_change(&changes).await? {
            return Ok(None);
        }
        cloud.hand_message(&delivery, 0).await;
        return Ok(Some(told));
    }
    Err(refused("the lead was sent again as often as it may be: 20 times"))
}

/// It is on its way: its next attempt is made now, and its first channel has its turn again.
async fn at_once(
    cloud: &Cloud,
    desk: &Staff,
    stands: Assignment,
    asked: &Asked,
    now: Timestamp,
) -> Result<Option<Value>, Problem> {
    if let Some(until) = stands.next_attempt_at.filter(|until| stands.begun().is_some() && *until > now) {
        let wait_s = until.duration_since(now).as_secs().max(1) as u32;
        let detail = "the lead is being delivered at this moment; try again";
        return Err(Problem::new(Code::Unavailable, detail).retry_after(wait_s));
    }
    let mut next = stands.clone();
    next.next_attempt_at = None;
    next.due = Some(now);
    next.channel_order = 0;
    next.tried_before = next.attempt_count;
    let before = json!({
        "assignment": stands.id, "dealer": stands.dealer, "delivery": stands.delivery,
        "next_attempt_at": stands.next_attempt_at,
    });
    let after = json!({ "next_attempt_at": now });
    let told = json!({ "act": "redeliver", "before": before, "after": after });
    if asked.dry_run {
        return Ok(Some(told));
    }
    let act = record(cloud, desk, "redeliver", note("reason", asked.reason.clone())?, &before, &after);
    let changes = Changes { act: Some(&act), ..Changes::of(&next, now) };
    if !cloud.store.assignment_change(&changes).await? {
        return Ok(None);
    }
    cloud.hand_to_delivery(&next, 0).await;
    Ok(Some(told))
}

/// Whoever had the lead is told so after all.
async fn withdrawal(
    cloud: &Cloud,
    desk: &Staff,
    stands: Assignment,
    asked: &Asked,
) -> Result<Option<Value>, Problem> {
    let known = cloud.store.delivery_get(stands.lead, stands.id, Event::Withdrawn.as_str(), "1").await?;
    let Some(known) = known else {
        return Err(refused("its dealer never had the lead, and was sent no withdrawal"));
    };
    match known.state {
        DeliveryState::Received => return Err(refused("the withdrawal has arrived")),
        DeliveryState::Pending => return Err(refused("the withdrawal is being sent already")),
        DeliveryState::NotReceived | DeliveryState::Unknown => {}
    }
    let now = cloud.clock.now();
    let next = Delivery { state: DeliveryState::Pending, next_at: None, due: Some(now), ..known };
    let before = json!({ "assignment": stands.id, "dealer": stands.dealer, "withdrawal": known.state });
    let after = json!({ "withdrawal": next.state });
    let told = json!({ "act": "redeliver", "before": before, "after": after });
    if asked.dry_run {
        return Ok(Some(told));
    }
    let act = record(cloud, desk, "redeliver", note("reason", asked.reason.clone())?, &before, &after);
    if !cloud.store.delivery_act(&next, &act).await? {
        return Ok(None);
    }
    cloud.hand_message(&next, 0).await;
    Ok(Some(told))
}
