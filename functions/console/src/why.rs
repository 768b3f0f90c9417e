//! Why a lead went where it did, and where it would go now.

use axum::Json;
use axum::extract::State;
use leadyard_domain::distribution::{Conclusion, Rule, Seat};
use leadyard_domain::error::Code;
use leadyard_domain::ids::ContractId;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};
use leadyard_platform::judging::{self, Explained, Repeated};
use leadyard_platform::store::{DecisionRecord, Story};
use leadyard_platform::who::{Desk, READS};
use serde_json::{Value, json};

use crate::leads::{self, Whole};
use crate::place;

/// `GET /v1/leads/{id}/recommendation`: what a decision would conclude now, also of a lead that is
/// nurtured still, or that has an empty seat. Nothing is written, and no counter moves.
pub(crate) async fn recommendation(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<READS>,
    Path(lead): Path<String>,
) -> Result<Json<Value>, Problem> {
    let story = leads::of_desk(&cloud, &desk, &lead).await?.story;
    let (explained, version) = of_now(&cloud, &story).await?;
    Ok(Json(tell(&explained, version)))
}

/// What a decision would conclude now, and under which version of the rules.
pub(crate) async fn of_now(cloud: &Cloud, story: &Story) -> Result<(Explained, u64), Problem> {
    let lead = &story.lead;
    // A seat that is empty is the desk's to give, though distribution gives it to nobody by itself.
    if !lead.wants_distribution() && !place::may_be_placed(lead) {
        let detail = format!("the lead is {}: there is nothing to distribute", lead.stage);
        return Err(Problem::new(Code::StateConflict, detail).with("stage", lead.stage.as_str()));
    }
    let in_force = judging::in_force(cloud, &lead.company).await?;
    let in_force =
        in_force.ok_or_else(|| Problem::new(Code::NotFound, "this company has no rulebook yet"))?;
    let now = cloud.clock.now();
    let judged = judging::judge(cloud, &in_force.core, lead, story.activity.clone(), now).await?;
    let facts = cloud.on_lists(lead).await?.facts(lead, &in_force.core, judged.score.band);
    let explained = judging::preview(cloud, &in_force, &facts, now).await?;
    Ok((explained, in_force.core.version))
}

/// The seats of a conclusion: those given, or recommended.
pub(crate) fn seats(explained: &Explained) -> &[Seat] {
    match &explained.considered.decision.conclusion {
        Conclusion::Assign(seats) | Conclusion::Wait { recommended: seats, .. } => seats,
    }
}

/// What a desk reads first: who has it and why, then who nearly had.
pub(crate) fn says(explained: &Explained) -> Vec<&str> {
    let chosen = |contract: &ContractId| seats(explained).iter().any(|seat| seat.contract == *contract);
    let of_seats = explained.candidates.iter().filter(|one| chosen(&one.contract));
    let nearly = explained.candidates.iter().filter(|one| one.would_have_had_it);
    of_seats.chain(nearly).map(|one| one.sentence.as_str()).collect()
}

/// `GET /v1/leads/{id}/decisions/{decision}`: a recorded decision with the part of every candidate,
/// made again from its record.
pub(crate) async fn decision(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<READS>,
    Path((lead, decision)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let whole = leads::of_desk(&cloud, &desk, &lead).await?;
    let (record, again) = made_again(&cloud, &whole, &decision).await?;
    let mut told = tell(&again.explained, record.rulebook);
    if let Some(told) = told.as_object_mut() {
        told.insert("as_recorded".to_owned(), json!(again.as_recorded));
        told.insert("placed".to_owned(), json!(record.placed));
        told.insert("digest".to_owned(), json!(record.digest));
    }
    Ok(Json(told))
}

/// A recorded decision of a lead, and the same made again from its record.
pub(crate) async fn made_again<'a>(
    cloud: &Cloud,
    whole: &'a Whole,
    decision: &str,
) -> Result<(&'a DecisionRecord, Repeated), Problem> {
    let record = whole.decisions().into_iter().find(|record| record.id.to_string() == decision);
    let record = record.ok_or_else(|| Problem::new(Code::NotFound, "this lead has no such decision"))?;
    if record.is_imported() {
        let detail = "another system made this decision: what it was made on was not imported";
        return Err(Problem::new(Code::NotFound, detail));
    }
    let again = judging::repeat(cloud, &whole.story.lead.company, record).await?;
    let again = again.ok_or_else(|| {
        let detail = if record.left_out() {
            "the decision read more counters than are kept with one: it cannot be made again"
        } else {
            "what it was decided on is not kept"
        };
        Problem::new(Code::NotFound, detail)
    })?;
    Ok((record, again))
}

fn tell(explained: &Explained, rulebook: u64) -> Value {
    let (assign, waiting, until, seats) = match &explained.considered.decision.conclusion {
        Conclusion::Assign(seats) => (true, None, None, seats),
        Conclusion::Wait { reason, until, recommended } => (false, Some(reason), *until, recommended),
    };
    let seats: Vec<Value> = seats
        .iter()
        .map(|seat| {
            json!({
                "contract": seat.contract, "dealer": seat.dealer, "price": seat.price.to_string(),
                "area": seat.specificity, "miles": seat.miles.map(|miles| (miles * 10.0).round() / 10.0),
            })
        })
        .collect();
    let chosen = |contract: &Value| seats.iter().any(|seat| seat["contract"] == *contract);
    let candidates: Vec<Value> = explained
        .candidates
        .iter()
        .map(|candidate| {
            let contract = json!(candidate.contract);
            let word = match &candidate.miss {
                Some(miss) => {
                    return json!({
                        "contract": contract, "dealer": candidate.dealer, "failed": miss.rule,
                        "needed": miss.needed, "found": miss.found, "says": candidate.sentence,
                        "would_have_had_it": candidate.would_have_had_it,
                    });
                }
                None if chosen(&contract) => "chosen",
                None => "ranked lower",
            };
            json!({ "contract": contract, "dealer": candidate.dealer, "is": word, "says": candidate.sentence })
        })
        .collect();
    let failed: serde_json::Map<String, Value> = Rule::ALL
        .iter()
        .zip(explained.considered.decision.failed)
        .filter(|(_, count)| *count > 0)
        .map(|(rule, count)| (rule.to_string(), json!(count)))
        .collect();
    json!({
        "says": says(explained), "assign": assign, "seats": seats, "waiting": waiting, "until": until, "rulebook": rulebook,
        "kept": explained.considered.decision.kept,
        "failed": failed, "candidates": candidates,
    })
}
