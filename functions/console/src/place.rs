//! The desk places a lead with a contract.
//!
//! The record of the decision beside it is what distribution would have concluded: so what the desk did
//! and what the rules say can be compared, in shadow mode above all.

use std::collections::{HashMap, HashSet};

use leadyard_domain::distribution::{Conclusion, Counters, Kept, NearMiss, Placing, Rule, Seat, Waiting};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{AssignmentId, CompanyId, ContractId, DealerId, DecisionId, LeadId};
use leadyard_domain::lead::{Lead, Stage};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::judging::{self, Considered};
use leadyard_platform::known::KnownCounters;
use leadyard_platform::store::{Assign, Placed};
use leadyard_platform::who::Staff;
use serde_json::{Value, json};

use crate::acts::{Asked, note, record};

/// What a problem says of a contract that fails a rule which the desk may pass over.
pub(crate) const FAILS: &str = "the contract fails a rule: place it with \"override\": true and a reason";

/// What a dry run on many leads has given so far: the next one is judged as if it had been. Else a dry run would
/// promise every lead the one seat that a cap leaves.
#[derive(Default)]
pub(crate) struct Supposed {
    counters: HashMap<CompanyId, KnownCounters>,
    leads: HashSet<LeadId>,
    /// Whose counters it moved.
    whose: HashSet<(ContractId, DealerId)>,
}

impl Supposed {
    /// What a look at others of a company before left.
    pub(crate) fn after(company: &CompanyId, left: Counters) -> Self {
        let counters = HashMap::from([(company.clone(), KnownCounters::supposing(left))]);
        Self { counters, ..Self::default() }
    }

    /// What it leaves of the counters that it moved, of one company.
    pub(crate) fn left(&self, company: &CompanyId) -> Counters {
        let whose = self.whose.iter().map(|(contract, dealer)| (contract, dealer));
        self.counters.get(company).map_or_else(Counters::default, |known| known.of(whose))
    }
}

/// Places a lead; `None` when somebody else changed it, or a counter, meanwhile.
pub(crate) async fn place(
    cloud: &Cloud,
    desk: &Staff,
    mut lead: Lead,
    asked: &Asked,
    supposed: &mut Supposed,
) -> Result<Option<Value>, Problem> {
    if asked.contract.is_some() == asked.recommended {
        let detail = if asked.recommended {
            "name a contract, or say recommended, not both"
        } else {
            "contract: with whom?"
        };
        return Err(Problem::new(Code::InvalidField, detail));
    }
    if !may_be_placed(&lead) {
        let detail = format!("the lead is {}: there is no seat to give", lead.stage);
        return Err(Problem::new(Code::StateConflict, detail).with("stage", lead.stage.as_str()));
    }
    if asked.dry_run && supposed.leads.contains(&lead.id) {
        let detail = "the lead is named twice, and would have been placed by then";
        return Err(Problem::new(Code::StateConflict, detail).with("stage", lead.stage.as_str()));
    }
    let on_lists = cloud.on_lists(&lead).await?;
    if on_lists.suppressed {
        let detail = "the lead's person is on the suppression list: nobody is given it";
        return Err(Problem::new(Code::StateConflict, detail).with("stage", lead.stage.as_str()));
    }
    let in_force = judging::in_force(cloud, &lead.company).await?;
    let in_force =
        in_force.ok_or_else(|| Problem::new(Code::NotFound, "this company has no rulebook yet"))?;
    let now = cloud.clock.now();
    let activity = cloud.store.activity_of_lead(&lead).await?;
    let judged = judging::judge(cloud, &in_force.core, &lead, activity, now).await?;
    let facts = on_lists.facts(&lead, &in_force.core, judged.score.band);
    // What is done is done on the counters as they stand.
    let mut as_they_stand = KnownCounters::default();
    let known = if asked.dry_run {
        supposed.counters.entry(lead.company.clone()).or_default()
    } else {
        &mut as_they_stand
    };
    let contract = match &asked.contract {
        Some(contract) => contract.clone(),
        None => {
            let considered = judging::consider_by(cloud, &in_force, &facts, known, now).await?;
            recommended_one(&considered.decision.conclusion)?
        }
    };
    let contract = &contract;
    let found = judging::placing(cloud, &in_force, &facts, contract, known, now).await?;
    let (placing, considered) = found.ok_or_else(|| {
        Problem::new(Code::NotFound, format!("no contract {contract} takes leads of {}", lead.category))
    })?;
    let reason = note("reason", asked.reason.clone())?;
    let (mut seat, failed) = match placing {
        Placing::Free(seat) => (seat, Vec::new()),
        Placing::Against(seat, misses) => (seat, misses),
        Placing::Never(miss) => {
            return Err(refused("that would break what was promised to somebody else", &[miss]));
        }
    };
    if !failed.is_empty() {
        if !passes_over(asked, &failed) {
            return Err(refused(FAILS, &failed));
        }
        if reason.is_none() {
            return Err(Problem::new(Code::InvalidField, "an override needs a reason"));
        }
    }
    // Only a limit that the desk was shown to be used up is passed over.
    let over_a_cap = failed.iter().any(|miss| miss.rule == Rule::Cap);
    let shadow = in_force.switches.shadow;
    if shadow {
        seat.prepaid = false;
    }
    let recommended = recommended(&considered.decision.conclusion);
    let before = json!({ "stage": lead.stage, "waiting": lead.waiting, "recommended": recommended });
    let after = json!({
        "contract": seat.contract, "dealer": seat.dealer, "price": seat.price.to_string(),
        "override": failed.first().map(tell_miss), "also_over": tell_others(&failed), "shadow": shadow,
        "as_recommended": recommended.iter().any(|contract| *contract == seat.contract.as_str()),
    });
    let told = json!({ "act": "place", "before": before, "after": after });
    if asked.dry_run {
        let counters = &considered.counters;
        known.committed(cloud.store.caps_with(&lead.company, &seat, counters, over_a_cap, now)?);
        supposed.leads.insert(lead.id);
        supposed.whose.insert((seat.contract, seat.dealer));
        return Ok(Some(told));
    }
    let act = asked.named(record(cloud, desk, "place", reason, &before, &after));
    let is_ready = lead.crossed || judged.is_ready(&in_force.core, &lead.offer);
    let kept = kept(&lead, &seat, &considered, is_ready);
    lead.score = Some(judged.state(&in_force.core.scoring, now));
    lead.hold = None;
    lead.crossed = true;
    let id = DecisionId::mint(now, cloud.entropy.bytes());
    let decision = considered.record(id, now, &facts, in_force.core.version, Some(contract))?;
    let seats: [(Seat, AssignmentId); 1] = [(seat, AssignmentId::mint(now, cloud.entropy.bytes()))];
    let assign = Assign {
        lead: &lead,
        seats: &seats,
        // Distribution looks at once.
        kept: kept.map(|reason| Kept { reason, until: Some(now) }),
        counters: &considered.counters,
        decision: &decision,
        placed: Some(Placed { act: &act, over: over_a_cap, shadow }),
        now,
    };
    let Ok(given) = cloud.store.lead_assign(assign).await? else { return Ok(None) };
    for assignment in &given.assignments {
        tracing::info!(
            lead.id = %lead.id, assignment.id = %assignment.id, dealer.id = %assignment.dealer,
            staff = %desk.staff, "the desk placed a lead"
        );
        if !shadow {
            cloud.hand_to_delivery(assignment, 0).await;
        }
    }
    Ok(Some(told))
}

/// Why a further seat is kept, where one is left once this is given: it was kept before, for this dealer or another; or
/// distribution had it still to give, and gives it to whoever may have it beside.
fn kept(lead: &Lead, seat: &Seat, considered: &Considered, is_ready: bool) -> Option<Waiting> {
    let given = lead.holders.len() + usize::from(lead.lost_seats);
    // The first fixes how many there are.
    let of = lead.seats.filter(|_| given > 0).map_or(seat.seats, |(of, _)| of);
    if usize::from(of) <= given + 1 {
        return None;
    }
    let kept = considered.decision.kept.map(|kept| kept.reason);
    match considered.decision.conclusion {
        // What nobody took at once stays empty; and of what is not ready no more is sold than the desk sells.
        Conclusion::Assign(_) if lead.wants_distribution() && is_ready => {
            kept.or(lead.waiting).or(Some(Waiting::Held))
        }
        Conclusion::Assign(_) | Conclusion::Wait { .. } => kept.filter(|_| !lead.holders.is_empty()),
    }
}

/// Whether the desk passes over all that fails now: where it names rules, as a page's form names those that it was shown,
/// over these alone. What fails since then is asked again.
fn passes_over(asked: &Asked, failed: &[NearMiss]) -> bool {
    let named = |miss: &NearMiss| asked.over_only.as_ref().is_none_or(|named| named.contains(&miss.rule));
    asked.over && failed.iter().all(named)
}

/// Whether there is a seat to give: nobody has the lead, or one of its seats is empty.
pub(crate) fn may_be_placed(lead: &Lead) -> bool {
    let has_room =
        lead.seats.is_some_and(|(of, _)| usize::from(of) > lead.holders.len() + usize::from(lead.lost_seats));
    lead.stage.in_nobodys_hands() || lead.stage == Stage::Assigned && has_room
}

/// Whom the rules recommend first, were the company not to keep the lead for the desk.
fn recommended_one(conclusion: &Conclusion) -> Result<ContractId, Problem> {
    let (seats, why) = match conclusion {
        Conclusion::Assign(seats) => (seats, None),
        Conclusion::Wait { recommended, reason, .. } => (recommended, Some(reason)),
    };
    seats.first().map(|seat| seat.contract.clone()).ok_or_else(|| {
        let why = why.map(ToString::to_string).unwrap_or_default();
        let detail = format!("the rules recommend nobody now: {why}");
        Problem::new(Code::StateConflict, detail).with("waiting", why)
    })
}

fn recommended(conclusion: &Conclusion) -> Vec<&str> {
    let seats = match conclusion {
        Conclusion::Assign(seats) => seats,
        Conclusion::Wait { recommended, .. } => recommended,
    };
    seats.iter().map(|seat| seat.contract.as_str()).collect()
}

fn tell_miss(miss: &NearMiss) -> Value {
    json!({ "rule": miss.rule, "needed": miss.needed, "found": miss.found })
}

/// All behind the first, in the order of the rules.
fn tell_others(misses: &[NearMiss]) -> Vec<Value> {
    misses.iter().skip(1).map(tell_miss).collect()
}

fn refused(detail: &str, misses: &[NearMiss]) -> Problem {
    let first = misses.first().map(tell_miss).unwrap_or_default();
    let problem = Problem::new(Code::StateConflict, detail).with("failed", first);
    let others = tell_others(misses);
    if others.is_empty() { problem } else { problem.with("also_failed", others) }
}
