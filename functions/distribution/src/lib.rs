//! Distribution: a lead becomes a decision, and the decision one transaction.
//!
//! A message names a lead. The handler reads the leads of a batch and the rules in force at once, scores what
//! it read, and reads the counters of all who may have one of them; then, one lead after another, it decides
//! purely and commits: lead, caps of contract and dealer, assignment and decision, all or nothing. What is
//! refused is looked at again, alone, at most [`limits::DECIDE_AGAIN`] times; then the lead is due again within
//! seconds. A message is never failed for contention, and a duplicate finds the lead assigned and only scores
//! it again.
//!
//! | module | holds |
//! |---|---|
//! | `ahead` | what a batch asks for, read at once |
//! | `counted` | the counters of a batch, kept true to what the worker commits |
//! | `wake` | waking those who wait |
//! | `room` | those who wait, in their order |
//! | `rest` | leads that ask for nothing: how long their person is kept |

mod ahead;
mod counted;
mod wake;
mod room;
mod rest;

use std::collections::HashSet;

use ahead::{Ahead, Seen};
use counted::Counted;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::Assignment;
use leadyard_domain::distribution::{Conclusion, Seat, Waiting};
use leadyard_domain::ids::{ActId, AssignmentId, CompanyId, DecisionId, LeadId};
use leadyard_domain::lead::{Lead, Stage};
use leadyard_domain::limits;
use leadyard_domain::scoring::Activity;
use leadyard_platform::batch::{self, Handled, SqsBatchResponse, SqsEvent};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging::{self, Considered, InForce, Judged};
use leadyard_platform::metrics::Metric;
use leadyard_platform::queues::{self, ToDistribution, Unreadable};
use leadyard_platform::store::{
    Act, Assign, Conflict, DecisionRecord, StoreError, StoredEnquiry, WAKE_AFTER_S,
};
use leadyard_platform::suppression::OnLists;
use serde_json::json;

/// The longest that a look at a lead may take to be sure to see what wakes it.
const LOOKED_AT_FOR: SignedDuration = SignedDuration::from_secs(WAKE_AFTER_S as i64 - 1);

/// Handles a batch: those that failed come again.
pub async fn handle(cloud: &Cloud, event: SqsEvent) -> SqsBatchResponse {
    let asked: Vec<_> =
        event.records.iter().map(|message| queues::read::<ToDistribution>(batch::body(message))).collect();
    let leads = asked.iter().filter_map(|asked| match asked {
        Ok(ToDistribution::Lead(lead)) => Some(*lead),
        Ok(ToDistribution::Wake { .. }) | Err(_) => None,
    });
    let ahead = Ahead::read(cloud, leads.collect()).await;
    let counted = Counted::read(cloud, ahead.counters(cloud).await).await;
    let mut worker = Worker { cloud, ahead, counted, given: Vec::new(), waited_for: HashSet::new() };
    // One after another: contention, not speed, is this function's limit.
    let mut results = Vec::with_capacity(event.records.len());
    for (message, asked) in event.records.into_iter().zip(asked) {
        results.push((message.message_id, Box::pin(worker.one(asked)).await));
    }
    // Together, since each call costs more than what it carries; were they lost, the due index finds them.
    cloud.hand_all_to_delivery(&worker.given).await;
    cloud.metrics.write(cloud.clock.now());
    batch::response(results)
}

/// A batch at work.
struct Worker<'a> {
    cloud: &'a Cloud,
    ahead: Ahead,
    counted: Counted,
    /// Assignments that stand and are to be delivered.
    given: Vec<Assignment>,
    /// The instants at which the best of those who wait are woken, as far as this batch saw to it.
    waited_for: HashSet<(CompanyId, Timestamp)>,
}

/// What became of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distributed {
    /// Seats were given.
    Assigned,
    /// It waits, is nurtured, or was already as it should be.
    Settled,
    /// Others kept changing it: it is due again within seconds.
    Postponed,
    /// There is no such lead.
    Gone,
}

/// What one look at a lead came to.
enum Looked {
    Final(Distributed),
    /// Somebody else changed what we saw.
    Again,
}

impl Worker<'_> {
    async fn one(&mut self, asked: Result<ToDistribution, Unreadable>) -> Handled {
        let done = match asked {
            Ok(ToDistribution::Lead(lead)) => self.distribute(lead).await.map(drop),
            Ok(ToDistribution::Wake { company, category, at_ms: None, .. }) => {
                wake::wake(self.cloud, &company, &category).await
            }
            Ok(ToDistribution::Wake { company, category, at_ms: Some(at_ms), further }) => {
                wake::wake_at(self.cloud, &company, &category, at_ms, further).await
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a message could not be read");
                return Handled::Failed;
            }
        };
        match done {
            Ok(()) => Handled::Done,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "distribution could not finish");
                Handled::Failed
            }
        }
    }

    async fn distribute(&mut self, id: LeadId) -> Result<Distributed, StoreError> {
        for _ in 0..=limits::DECIDE_AGAIN {
            // What was read ahead is looked at once: whoever is refused reads again.
            let Some(seen) = self.ahead.see(self.cloud, id).await? else { return Ok(Distributed::Gone) };
            match Box::pin(self.look(seen)).await {
                Ok(Looked::Final(distributed)) => return Ok(distributed),
                Ok(Looked::Again) | Err(StoreError::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        postpone(self.cloud, id).await
    }

    async fn look(&mut self, seen: Seen) -> Result<Looked, StoreError> {
        let cloud = self.cloud;
        let Seen { mut lead, in_force, judged, on_lists, since } = seen;
        let now = cloud.clock.now();
        if lead.stage.closed() || lead.stage == Stage::Quarantined || lead.merged_into.is_some() {
            return rest::rest(cloud, lead, in_force.as_deref()).await;
        }
        let Some(in_force) = in_force else {
            // A company without a rulebook has no one to give it to; it is looked at again every hour.
            tracing::warn!(company.id = %lead.company, "a lead's company has no rulebook");
            return settle(cloud, lead, |lead| lead.due = later(now, 60)).await;
        };
        let window = in_force.core.company.window_days;
        if lead.has_expired(window, now) {
            return followed(cloud, &in_force, lead, |lead| lead.close(Stage::Expired, now)).await;
        }
        if let Some(since) =
            lead.certificate_warning.filter(|since| *since <= now && !lead.holders.is_empty())
        {
            warn_of_certificate(cloud, &lead, since).await?;
            lead.certificate_warning = None;
        }
        if lead.is_erased() {
            // A shell: somebody holds it, and nobody is in it to be scored.
            return settle(cloud, lead, Lead::rest_assigned).await;
        }
        if on_lists.suppressed && lead.wants_distribution() {
            // Nobody may be given it; who holds a seat of it keeps that, and no further one is given.
            return suppress(cloud, lead, now).await;
        }
        let judged = match judged {
            Some(judged) => judged,
            None => score(cloud, &in_force, &mut lead, None, now).await?,
        };
        if lead.hold.is_some() && lead.wants_distribution() {
            if let Some(hold) = lead.held_back(now).cloned() {
                return settle(cloud, lead, |lead| lead.wait(Waiting::Held, hold.until, window, now)).await;
            }
            lead.hold = None;
        }
        if !lead.wants_distribution() {
            // Assigned: the repeat or interaction has been scored, and nothing else changes.
            return settle(cloud, lead, Lead::rest_assigned).await;
        }
        // Once in a cycle: what has reached its band goes on being sold, though it fades while it waits.
        lead.crossed |= judged.is_ready(&in_force.core, &lead.offer);
        if !lead.crossed && !lead.holders.is_empty() {
            // What somebody holds is not nurtured in their hands: they keep it, and no further seat is given.
            return settle(cloud, lead, Lead::rest_assigned).await;
        }
        if !lead.crossed {
            return followed(cloud, &in_force, lead, |lead| lead.nurture(window)).await;
        }
        let (id, before, again) = (lead.id, lead.stage, lead.cycle > 1);
        let looked = self.decide(lead, &in_force, on_lists, &judged, since).await?;
        if matches!(looked, Looked::Final(_)) && was_followed(before, again) {
            self.over(&in_force, id).await;
        }
        Ok(looked)
    }

    /// Decides who has a lead that is ready, and commits that.
    async fn decide(
        &mut self,
        mut lead: Lead,
        in_force: &InForce,
        on_lists: OnLists,
        judged: &Judged,
        since: Timestamp,
    ) -> Result<Looked, StoreError> {
        let cloud = self.cloud;
        let (now, window) = (cloud.clock.now(), in_force.core.company.window_days);
        let facts = on_lists.facts(&lead, &in_force.core, judged.score.band);
        let considered = self.counted.consider(cloud, in_force, &facts, now).await?;
        let id = DecisionId::mint(now, cloud.entropy.bytes());
        let record = considered.record(id, now, &facts, in_force.core.version, None)?;
        match considered.decision.conclusion {
            Conclusion::Assign(ref seats) => self.assign(lead, seats, &considered, &record).await,
            Conclusion::Wait { reason, until, .. } => {
                if lead.holders.is_empty() || considered.decision.kept.is_some() {
                    let until = match considered.decision.comes_free_at {
                        Some(at) if lead.holders.is_empty() => {
                            self.after_the_best(in_force, &lead, at).await?
                        }
                        Some(_) | None => until,
                    };
                    lead.wait(reason, until, window, now);
                } else {
                    lead.rest_assigned();
                }
                // A new decision is recorded only when its conclusion changed.
                let concluded = record.concluded();
                let saved = if lead.last_conclusion.as_ref() == Some(&concluded) {
                    cloud.store.lead_save(&lead).await?
                } else {
                    lead.last_conclusion = Some(concluded);
                    cloud.store.lead_save_decided(&lead, &record).await?
                };
                tracing::info!(lead.id = %lead.id, waiting = %reason, "the lead waits");
                if saved {
                    cloud.metrics.count_for(Metric::LeadsWaiting, &lead.company, &reason.to_string());
                }
                // Those who wait are woken a little after what may place them changed: who was looked at for
                // longer than that may have missed it.
                let slow = cloud.clock.now().duration_since(since) >= LOOKED_AT_FOR;
                Ok(if saved && !slow { Looked::Final(Distributed::Settled) } else { Looked::Again })
            }
        }
    }

    /// The follow-up of a lead that is ready is over, if there is one. Best effort: the list of the day leaves out whose lead
    /// stands otherwise, and the sweep finds it.
    async fn over(&self, in_force: &InForce, id: LeadId) {
        let ended = async {
            let Some(lead) = self.cloud.store.lead_get(id).await? else { return Ok(()) };
            self.cloud.follow_up(&lead, &in_force.core, false).await
        };
        if let Err(error) = ended.await {
            tracing::warn!(error = &error as &dyn std::error::Error, lead.id = %id, "a follow-up is ended later");
        }
    }

    /// When a lead that waits for somebody who comes free looks for itself. All who wait for the same instant are
    /// woken by the best of them; this is for whoever is not.
    async fn after_the_best(
        &mut self,
        in_force: &InForce,
        lead: &Lead,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        if self.waited_for.insert((lead.company.clone(), at)) {
            wake::wake_then(self.cloud, in_force, &lead.company, at).await?;
        }
        Ok(later(at, limits::LOOKS_AFTER_THE_BEST_MINUTES))
    }

    async fn assign(
        &mut self,
        lead: Lead,
        seats: &[Seat],
        considered: &Considered,
        record: &DecisionRecord,
    ) -> Result<Looked, StoreError> {
        let Self { cloud, counted, .. } = self;
        let now = record.at;
        let seats: Vec<(Seat, AssignmentId)> =
            seats.iter().map(|seat| (seat.clone(), AssignmentId::mint(now, cloud.entropy.bytes()))).collect();
        let counters = &considered.counters;
        let kept = considered.decision.kept;
        let assign =
            Assign { lead: &lead, seats: &seats, kept, counters, decision: record, placed: None, now };
        let given = match cloud.store.lead_assign(assign).await {
            Ok(Ok(given)) => given,
            Ok(Err(Conflict::Lead)) => return Ok(Looked::Again),
            Ok(Err(Conflict::Caps)) => {
                counted.refused();
                return Ok(Looked::Again);
            }
            Err(error) => {
                counted.refused();
                return Err(error);
            }
        };
        counted.committed(&lead.company, given.counters);
        cloud.metrics.count_of(Metric::LeadsAssigned, &lead.company);
        for assignment in &given.assignments {
            tracing::info!(
                lead.id = %lead.id, assignment.id = %assignment.id, dealer.id = %assignment.dealer,
                contract.id = %assignment.contract, "the lead is assigned"
            );
        }
        self.given.extend(given.assignments);
        Ok(Looked::Final(Distributed::Assigned))
    }
}

/// The lead is looked at again in 1 to 5 seconds; the message is done.
async fn postpone(cloud: &Cloud, id: LeadId) -> Result<Distributed, StoreError> {
    let pause = cloud.entropy.between_ms(1_000, 5_000);
    if let Some(mut lead) = cloud.store.lead_get(id).await? {
        lead.due = cloud.clock.now().checked_add(pause).ok();
        // If even this is refused, whoever changed the lead left it a due time.
        cloud.store.lead_save(&lead).await?;
        tracing::info!(lead.id = %id, "the lead is contended and looked at again within seconds");
    }
    Ok(Distributed::Postponed)
}

/// The lead's person is on the list: it is rejected, and its history says so; of one that somebody holds, no
/// further seat is given.
async fn suppress(cloud: &Cloud, mut lead: Lead, now: Timestamp) -> Result<Looked, StoreError> {
    let before = lead.stage;
    let rejected = lead.suppress(now);
    tracing::info!(lead.id = %lead.id, stage = lead.stage.as_str(), "the lead's person is suppressed");
    if !rejected {
        return settle(cloud, lead, Lead::rest_assigned).await;
    }
    let told = |stage: Stage| format!(r#"{{"stage":"{}"}}"#, stage.as_str());
    let act = Act {
        id: ActId::mint(now, cloud.entropy.bytes()),
        at: now,
        by: "leadyard".to_owned(),
        act: "suppress".to_owned(),
        reason: None,
        before: told(before),
        after: told(lead.stage),
    };
    let saved = cloud.store.lead_act(&lead, &act).await?;
    Ok(if saved { Looked::Final(Distributed::Settled) } else { Looked::Again })
}

/// The desk is told once that the certificate of a lead that somebody has must be claimed: the act is the lead's own,
/// however often this is tried.
async fn warn_of_certificate(cloud: &Cloud, lead: &Lead, since: Timestamp) -> Result<(), StoreError> {
    let mut own = [0; 10];
    own.iter_mut().zip(lead.id.bytes().iter().rev()).for_each(|(own, byte)| *own = *byte);
    let expires = since.saturating_add(SignedDuration::from_hours(24 * limits::CERTIFICATE_WARNING_DAYS));
    let holders: Vec<&str> = lead.holders.iter().map(|holder| holder.dealer.as_str()).collect();
    let told = json!({ "lead": lead.id, "expires": expires.ok(), "holders": holders });
    let act = Act {
        id: ActId::mint(since, own),
        at: since.max(lead.opened_at),
        by: "leadyard".to_owned(),
        act: "certificate_expires_soon".to_owned(),
        reason: None,
        before: "null".to_owned(),
        after: told.to_string(),
    };
    cloud.store.desk_tell(&lead.company, lead.id, &act).await
}

/// Whether a lead that was decided was followed up by itself: what follows is a sale's. Whoever is decided for the first time
/// was not; and whoever waited, by the desk's hand alone: the list of calls leaves it out, and the sweep finds it.
fn was_followed(before: Stage, again: bool) -> bool {
    match before {
        Stage::Nurturing => true,
        Stage::Received => again,
        Stage::Waiting
        | Stage::Quarantined
        | Stage::Assigned
        | Stage::Won
        | Stage::Lost
        | Stage::Expired
        | Stage::Rejected => false,
    }
}

/// As [`settle`], where the lead is followed up from then on.
async fn followed(
    cloud: &Cloud,
    in_force: &InForce,
    mut lead: Lead,
    change: impl FnOnce(&mut Lead),
) -> Result<Looked, StoreError> {
    change(&mut lead);
    if !cloud.store.lead_save(&lead).await? {
        return Ok(Looked::Again);
    }
    // Were this lost, the message would come again; and the lead stands as it does.
    cloud.follow_up(&lead, &in_force.core, false).await?;
    Ok(Looked::Final(Distributed::Settled))
}

async fn settle(cloud: &Cloud, mut lead: Lead, change: impl FnOnce(&mut Lead)) -> Result<Looked, StoreError> {
    change(&mut lead);
    let saved = cloud.store.lead_save(&lead).await?;
    Ok(if saved { Looked::Final(Distributed::Settled) } else { Looked::Again })
}

/// Scores the lead, after joining what its visitors did before we knew them.
async fn score(
    cloud: &Cloud,
    in_force: &InForce,
    lead: &mut Lead,
    opening: Option<&StoredEnquiry>,
    now: Timestamp,
) -> Result<Judged, StoreError> {
    let activity = if lead.is_as_opened() && lead.visitors_to_join.is_empty() {
        // Whoever adds to what it did writes the lead afterwards: nobody has, or we shall be refused.
        Activity::new()
    } else {
        for visitor in std::mem::take(&mut lead.visitors_to_join) {
            cloud.store.activity_join(&lead.company, visitor, lead.id, now).await?;
        }
        cloud.store.activity_of_lead(lead).await?
    };
    let source = in_force.core.source(&lead.source);
    let opening = match opening {
        // Further steps of its form are rare, and read when they are there.
        Some(first) if lead.form_steps().next().is_none() => Some(judging::understand(first, source)),
        Some(_) | None => judging::opening(cloud, source, lead, None).await?,
    };
    let judged = judging::judge_by(&in_force.core, lead, opening.as_ref(), activity, now);
    lead.score = Some(judged.state(&in_force.core.scoring, now));
    Ok(judged)
}

fn later(now: Timestamp, minutes: i64) -> Option<Timestamp> {
    now.checked_add(SignedDuration::from_mins(minutes)).ok()
}
