//! What must hold when the weather has cleared: the first six promises of the product.
//!
//! | module | holds |
//! |---|---|
//! | [`caps`] | caps, budgets and balances: in the end, and whenever a counter is written |
//! | [`rules_kept`] | areas, offers, bands, needs and territories; what the desk places |
//! | [`switches`] | stop, shadow and pause |
//! | [`counted`] | the reports' counters are what the table says, counted anew |
//! | [`seen`] | what many worlds may not lack |

mod caps;
mod rules_kept;
mod switches;
mod counted;
mod seen;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use leadyard_domain::assignment::{Assignment, DeliveryState};
use leadyard_domain::backtest::{Difference, Window, backtest};
use leadyard_domain::distribution::{Conclusion, Rule, Waiting};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::lead::{AssignmentState, Lead, Stage};
use leadyard_domain::limits;
use leadyard_domain::scoring::{Activity, InteractionId, InteractionKind};
use leadyard_domain::time::{Period, UtcDay};
use leadyard_platform::store::{DecisionRecord, Item, Story};
use leadyard_platform::{history, judging, rulebooks};

use crate::dealers::{Got, Seen};
use crate::rules;
use crate::world::World;

pub(crate) use caps::CapWatch;
use switches::Stood;

/// What a world came to.
pub(crate) struct Found {
    /// What should not be, in words.
    pub(crate) violations: Vec<String>,
    /// Leads in the table.
    pub(crate) leads: usize,
    /// Leads by stage.
    pub(crate) stages: BTreeMap<String, usize>,
    /// Assignments by state.
    pub(crate) assignments: BTreeMap<String, usize>,
    /// Sale cycles of which history was replayed.
    pub(crate) replayed: usize,
    /// What a world may not lack, and how often it was seen.
    pub(crate) seen: Vec<(&'static str, usize)>,
}

/// Checks all promises.
///
/// # Errors
/// When the table cannot be read.
pub(crate) async fn check(world: &World) -> anyhow::Result<Found> {
    let items = scan(world).await?;
    let mut stories = Vec::new();
    for item in items.iter().filter(|item| text(item, "sk") == "L") {
        let id =
            text(item, "pk").trim_start_matches("L#").parse().map_err(|_| anyhow::anyhow!("a lead's id"))?;
        stories.extend(world.plain.store.lead_story(id).await?);
    }
    let mut versions = HashMap::new();
    for (company, _) in rules::OFFERS {
        let pointer = world.plain.store.rulebook_pointer(&CompanyId::new(company)?).await?;
        versions.insert(*company, pointer.map_or(0, |pointer| pointer.version));
    }
    let mut check = Check {
        world,
        violations: Vec::new(),
        log: world.dealers.log(),
        stories: &stories,
        items: &items,
        stood: Stood::read(world).await?,
        versions,
        published: 0,
    };
    check.nothing_is_lost().await?;
    check.who_waits_must().await?;
    check.one_holder();
    check.merges_hold();
    check.dealers_agree();
    check.no_cap_is_exceeded();
    check.no_territory_is_bypassed();
    check.no_rule_is_passed_over();
    check.needs_are_met().await?;
    check.switches_hold();
    check.rulebooks_take_turns().await?;
    check.money_adds_up();
    check.scores_are_functions_of_sets().await?;
    check.decisions_repeat().await?;
    check.decisions_name_their_seats();
    let replayed = check.history_repeats().await?;
    let figures = Box::pin(check.counters_are_a_recount()).await?;
    let mut seen = check.seen();
    seen.push(("a figure of the reports beside its recount", figures));
    let mut violations = check.violations;
    violations.extend(world.faults.seen());
    violations.extend(world.ledger().wrong.iter().cloned());
    let count = |names: Vec<String>| {
        names.into_iter().fold(BTreeMap::new(), |mut counts, name| {
            *counts.entry(name).or_insert(0) += 1;
            counts
        })
    };
    Ok(Found {
        violations,
        leads: stories.len(),
        stages: count(stories.iter().map(|story| story.lead.stage.to_string()).collect()),
        assignments: count(
            stories
                .iter()
                .flat_map(|story| &story.assignments)
                .map(|assignment| assignment.state.to_string())
                .collect(),
        ),
        replayed,
        seen,
    })
}

struct Check<'a> {
    world: &'a World,
    violations: Vec<String>,
    log: Vec<Seen>,
    stories: &'a [Story],
    items: &'a [Item],
    /// How the switches stood.
    stood: Stood,
    /// The version in force of each company's rulebook.
    versions: HashMap<&'static str, u64>,
    /// How many rulebooks were published after the first.
    published: usize,
}

/// Whether the slot was given back in this state.
fn given_back(state: AssignmentState) -> bool {
    match state {
        AssignmentState::Declined
        | AssignmentState::Lapsed
        | AssignmentState::Returned
        | AssignmentState::Withdrawn => true,
        AssignmentState::Offered
        | AssignmentState::Accepted
        | AssignmentState::Contacted
        | AssignmentState::Won
        | AssignmentState::Lost => false,
    }
}

/// Whether the desk placed a lead by hand after those whom the territory compels gave it back: then it may.
fn desk_decided(whole: &[&Story], placed: &Assignment, only: &[&str]) -> bool {
    // What the desk did is written down a moment after it looked.
    let by_hand = whole.iter().flat_map(|story| &story.acts).any(|act| {
        act.act == "place"
            && act.at.duration_since(placed.offered_at).as_secs().abs() < 60
            && act.after.contains(placed.contract.as_str())
    });
    let gave_back = whole.iter().flat_map(|story| &story.assignments).any(|one| {
        only.contains(&one.contract.as_str())
            && (one.lead != placed.lead || one.cycle == placed.cycle)
            && given_back(one.state)
            && one.offered_at <= placed.offered_at
    });
    by_hand && gave_back
}

impl<'a> Check<'a> {
    /// The lead that goes on for this one: itself, unless the desk merged it.
    fn survivor(&self, lead: &'a Lead) -> Option<&'a Lead> {
        let mut lead = lead;
        for _ in 0..=self.stories.len() {
            let Some(into) = lead.merged_into else { return Some(lead) };
            lead = &self.stories.iter().find(|story| story.lead.id == into)?.lead;
        }
        None
    }

    /// The stories of a lead and of those that were merged into it.
    fn whole(&self, lead: &Lead) -> Vec<&'a Story> {
        let is_of = |story: &&Story| story.lead.id == lead.id || lead.merged.contains(&story.lead.id);
        self.stories.iter().filter(is_of).collect()
    }
}

impl Check<'_> {
    /// The version in force of a company's rulebook.
    fn version(&self, company: &str) -> u64 {
        self.versions.get(company).copied().unwrap_or(0)
    }

    fn violated(&mut self, promise: u8, what: impl std::fmt::Display) {
        self.violations.push(format!("promise {promise}: {what}"));
    }

    /// Promise 1.
    async fn nothing_is_lost(&mut self) -> anyhow::Result<()> {
        let acknowledged: Vec<String> = self.world.ledger().acknowledged.keys().cloned().collect();
        let known: HashMap<String, &Lead> =
            self.stories.iter().map(|story| (story.lead.id.to_string(), &story.lead)).collect();
        let once = |lead: &Lead, id| lead.enquiries.iter().filter(|one| one.id == id).count() == 1;
        for enquiry in acknowledged {
            let Ok(id) = enquiry.parse() else {
                self.violated(1, format!("an acknowledgement without an enquiry's id: {enquiry:?}"));
                continue;
            };
            let kept = self.world.plain.store.enquiry_get(id).await?;
            // What was spilled and sent again is the enquiry that came in.
            let kept = match kept.as_ref().and_then(|kept| kept.replay_of) {
                Some(taken_in) => self.world.plain.store.enquiry_get(taken_in).await?,
                None => kept,
            };
            match kept {
                None => self.violated(1, format!("enquiry {enquiry} was acknowledged and is not there")),
                Some(kept) => match kept.lead.map(|lead| lead.to_string()) {
                    None if kept.status != "quarantined" => {
                        self.violated(1, format!("enquiry {enquiry} belongs to no lead"));
                    }
                    None => {}
                    Some(lead) => match known.get(&lead) {
                        None => {
                            self.violated(
                                1,
                                format!("enquiry {enquiry} belongs to a lead that is not there"),
                            );
                        }
                        Some(lead) if !once(lead, kept.id) => {
                            self.violated(1, format!("enquiry {enquiry} is not once on its lead"));
                        }
                        Some(lead) if self.survivor(lead).is_none_or(|into| !once(into, kept.id)) => {
                            let what =
                                format!("enquiry {enquiry} is not once on the lead that goes on for its");
                            self.violated(1, what);
                        }
                        Some(_) => {}
                    },
                },
            }
        }
        let now = self.world.cloud.clock.now();
        for story in self.stories {
            let lead = &story.lead;
            let overdue = lead.due.is_some_and(|due| due <= now);
            let wrong = match lead.stage {
                Stage::Received => Some("is still received"),
                Stage::Waiting if lead.waiting.is_none() => Some("waits without a reason"),
                Stage::Waiting | Stage::Nurturing if lead.due.is_none() => Some("has no due time"),
                Stage::Assigned if lead.holders.is_empty() => Some("is assigned to nobody"),
                Stage::Quarantined
                | Stage::Nurturing
                | Stage::Waiting
                | Stage::Assigned
                | Stage::Won
                | Stage::Lost
                | Stage::Expired
                | Stage::Rejected => overdue.then_some("is overdue"),
            };
            if let Some(wrong) = wrong {
                self.violated(1, format!("lead {} {wrong} ({}, due {:?})", lead.id, lead.stage, lead.due));
            }
            for assignment in &story.assignments {
                if assignment.state.holds() && assignment.delivery != DeliveryState::Received {
                    self.violated(
                        1,
                        format!(
                            "assignment {} is held and its delivery {}",
                            assignment.id, assignment.delivery
                        ),
                    );
                }
                if assignment.due.is_some_and(|due| due <= now) {
                    self.violated(1, format!("assignment {} is overdue", assignment.id));
                }
            }
            for delivery in &story.deliveries {
                if delivery.state == DeliveryState::Pending && delivery.due.is_none_or(|due| due <= now) {
                    self.violated(
                        1,
                        format!("message {} {} is left pending", delivery.event, delivery.assignment),
                    );
                }
            }
        }
        for queue in leadyard::system::WORKED {
            let dead = self.world.aws.queues().peek(&queue.dead(), 3)?;
            if !dead.is_empty() {
                self.violated(1, format!("{} has dead letters: {}", queue.name, dead.join(" ")));
            }
        }
        Ok(())
    }

    /// Promise 5: every version that was in force is kept, and whoever published put theirs over the one they had
    /// looked at, so that the two editions take turns; and every decision was made by the one that was in force.
    async fn rulebooks_take_turns(&mut self) -> anyhow::Result<()> {
        // Rules are read before a decision, as switches are; and published a while after their time is taken.
        const READ_BEFORE: SignedDuration = SignedDuration::from_mins(2);
        for (company, texts) in &self.world.texts {
            let store = &self.world.plain.store;
            let id = CompanyId::new(company)?;
            let mut versions = store.rulebook_versions(&id, None, 1_000).await?;
            versions.sort_by_key(|known| known.version);
            for known in &versions {
                let edition = self.world.editions.of(company, known.version);
                self.published += usize::from(known.base > 0);
                if store.rulebook_text(&id, known.version).await?.as_ref() != Some(&*texts[edition as usize])
                {
                    let what =
                        format!("version {} of {company}'s rulebook is not the {edition:?}", known.version);
                    self.violated(5, what);
                }
            }
            for story in self.stories.iter().filter(|story| story.lead.company == id) {
                for record in &story.decisions {
                    let at = versions.iter().position(|known| known.version == record.rulebook);
                    let next = at.and_then(|at| versions.get(at + 1));
                    let over = next.is_some_and(|next| record.at.duration_since(next.at) > READ_BEFORE);
                    if over || at.is_none_or(|at| record.at < versions[at].at) {
                        let what = format!("decision {} went by a rulebook that was not in force", record.id);
                        self.violated(5, what);
                    }
                }
            }
        }
        Ok(())
    }

    /// Promise 6: nobody sleeps in the waiting room whom somebody may have.
    async fn who_waits_must(&mut self) -> anyhow::Result<()> {
        let now = self.world.cloud.clock.now();
        // Who keeps a seat for a dealer that is shut looks again when it opens, too.
        let waits = |lead: &Lead| {
            lead.stage == Stage::Waiting
                || lead.stage == Stage::Assigned && lead.waiting == Some(Waiting::For(Rule::Hours))
        };
        for story in self.stories.iter().filter(|story| waits(&story.lead)) {
            let lead = &story.lead;
            // Whom the desk holds waits for the desk. Who is looked at within minutes, after the best of those who
            // wait for the same instant, does not sleep.
            let after_the_best = SignedDuration::from_mins(limits::LOOKS_AFTER_THE_BEST_MINUTES);
            let soon = lead.due.is_some_and(|due| due.duration_since(now) <= after_the_best);
            if lead.waiting == Some(Waiting::Held) || soon {
                continue;
            }
            let Some(in_force) = judging::in_force(&self.world.plain, &lead.company).await? else { continue };
            let activity = story.activity.clone();
            let judged = judging::judge(&self.world.plain, &in_force.core, lead, activity, now).await?;
            let facts = lead.facts_under(&in_force.core, judged.score.band);
            let considered = judging::consider(&self.world.plain, &in_force, &facts, now).await?;
            if let Conclusion::Assign(seats) = considered.decision.conclusion {
                self.violated(
                    6,
                    format!(
                        "lead {} waits ({:?}) until {:?}, and {} may have it",
                        lead.id, lead.waiting, lead.due, seats[0].contract
                    ),
                );
            }
        }
        Ok(())
    }

    /// What became of merged leads: they ask for nothing, and nobody was sold what somebody held already, but
    /// who held it when they were merged.
    fn merges_hold(&mut self) {
        let mut wrong = Vec::new();
        for story in self.stories {
            let lead = &story.lead;
            if lead.merged_into.is_some() {
                match self.survivor(lead) {
                    None => wrong.push(format!("lead {} was merged, and leads nowhere", lead.id)),
                    Some(into) if !into.merged.contains(&lead.id) => {
                        wrong.push(format!(
                            "lead {} does not know that {} was merged into it",
                            into.id, lead.id
                        ));
                    }
                    Some(_) => {}
                }
                if !lead.stage.closed() || lead.due.is_some() {
                    wrong.push(format!(
                        "lead {} was merged and is {}, due {:?}",
                        lead.id, lead.stage, lead.due
                    ));
                }
            }
            let merges = story.acts.iter().filter(|act| act.act == "merge").map(|act| act.at);
            let Some(last) = merges.max().filter(|_| !lead.merged.is_empty()) else { continue };
            let all: Vec<&Assignment> =
                self.whole(lead).into_iter().flat_map(|story| &story.assignments).collect();
            for sold in all.iter().filter(|one| one.offered_at > last) {
                let held = all.iter().filter(|one| {
                    let stood = one.state.holds() || one.state_at > sold.offered_at;
                    one.id != sold.id && one.offered_at <= sold.offered_at && stood
                });
                // No contract of these worlds shares a lead among more than two.
                if held.count() >= 2 {
                    wrong.push(format!("lead {} was sold as {} beside two who held it", lead.id, sold.id));
                }
            }
        }
        for wrong in wrong {
            self.violated(2, wrong);
        }
    }

    /// Promise 2, by the table.
    fn one_holder(&mut self) {
        for story in self.stories {
            let lead = &story.lead;
            // Who held a lead that the desk merged kept it, whatever the seats: see `merges_hold`.
            let merged = !lead.merged.is_empty() || lead.merged_into.is_some();
            let mut by_cycle: BTreeMap<u32, Vec<&Assignment>> = BTreeMap::new();
            for assignment in story.assignments.iter().filter(|assignment| assignment.state.holds()) {
                by_cycle.entry(assignment.cycle).or_default().push(assignment);
            }
            for (cycle, held) in by_cycle {
                let seats =
                    lead.seats.filter(|_| cycle == lead.cycle).map_or(2, |(seats, _)| usize::from(seats));
                if held.len() > seats && !merged {
                    self.violated(
                        2,
                        format!("lead {} has {} holders and {seats} seats", lead.id, held.len()),
                    );
                }
                let mut dealers: Vec<_> = held.iter().map(|one| &one.dealer).collect();
                dealers.sort_unstable();
                dealers.dedup();
                if dealers.len() != held.len() {
                    self.violated(2, format!("one dealer has two seats of lead {}", lead.id));
                }
            }
            if lead.stage == Stage::Assigned {
                let mut said: Vec<_> = lead.holders.iter().map(|holder| holder.assignment).collect();
                let held = self.whole(lead).into_iter().flat_map(|story| &story.assignments);
                let held =
                    held.filter(|one| (one.lead != lead.id || one.cycle == lead.cycle) && one.state.holds());
                let mut held: Vec<_> = held.map(|one| one.id).collect();
                said.sort_unstable();
                held.sort_unstable();
                if said != held {
                    self.violated(
                        2,
                        format!("lead {} names {said:?} as holders, its assignments say {held:?}", lead.id),
                    );
                }
            }
        }
    }

    /// Promise 2, by what dealers saw: who may have had a lead and lost it was told before anybody else
    /// got it, and again if it came to have it later.
    fn dealers_agree(&mut self) {
        for story in self.stories {
            for lost in story.assignments.iter().filter(|one| one.state == AssignmentState::Withdrawn) {
                let id = lost.id.to_string();
                let of = |event: &'static str| {
                    let id = &id;
                    self.log.iter().filter(move |seen| seen.assignment == *id && seen.event == event)
                };
                let had = of("assigned").filter(|seen| seen.got != Got::No).map(|seen| seen.at).max();
                let Some(had) = had else { continue };
                let told = of("withdrawn").map(|seen| seen.at).max();
                let told_first = of("withdrawn").map(|seen| seen.at).min();
                let others = story.assignments.iter().filter(|one| {
                    one.cycle == lost.cycle && one.id != lost.id && one.offered_at >= lost.state_at
                });
                let others: Vec<String> = others.map(|one| one.id.to_string()).collect();
                let next = self
                    .log
                    .iter()
                    .filter(|seen| seen.event == "assigned" && others.contains(&seen.assignment));
                let next = next.map(|seen| seen.at).min();
                let wrong = match (told, told_first, next) {
                    (None, _, _) => Some("was never told that it lost it".to_owned()),
                    (Some(told), _, _) if told < had => {
                        Some(format!("got it at {had:?}, after it was withdrawn at {told:?}"))
                    }
                    (_, Some(told), Some(next)) if next < told => {
                        Some("was told only after the next one had it".to_owned())
                    }
                    _ => None,
                };
                if let Some(wrong) = wrong {
                    self.violated(
                        2,
                        format!("dealer {} of {id} may have lead {} and {wrong}", lost.dealer, lost.lead),
                    );
                }
            }
        }
    }

    /// Promise 3, in money: each lead that was settled is charged once, each that came back is credited once,
    /// and budgets and balances are what is held.
    fn money_adds_up(&mut self) {
        let mut lines: HashMap<(&str, &str), Vec<&Item>> = HashMap::new();
        let mut deposits = 0;
        for item in self.items.iter().filter(|item| text(item, "pk").starts_with("B#")) {
            match text(item, "kind") {
                // The mark of a deposit's reference is no line.
                "" => {}
                "deposit" => deposits += number(item, "amount").unwrap_or(0),
                kind => lines.entry((text(item, "assignment"), kind)).or_default().push(item),
            }
        }
        let mut wrong = Vec::new();
        let mut spent: HashMap<(String, i64), i64> = HashMap::new();
        let mut held_in_advance = 0;
        let mut known = 0;
        for one in self.stories.iter().flat_map(|story| &story.assignments) {
            let id = one.id.to_string();
            let charges = lines.get(&(id.as_str(), "charge")).map_or(&[][..], Vec::as_slice);
            let credits = lines.get(&(id.as_str(), "credit")).map_or(&[][..], Vec::as_slice);
            known += charges.len() + credits.len();
            let settled = usize::from(one.settled_at.is_some());
            let back = usize::from(one.settled_at.is_some() && given_back(one.state));
            if (charges.len(), credits.len()) != (settled, back) {
                wrong.push(format!(
                    "assignment {id} ({}) has {} charges and {} credits, not {settled} and {back}",
                    one.state,
                    charges.len(),
                    credits.len()
                ));
            }
            if charges.iter().chain(credits).any(|line| number(line, "amount") != Some(one.price.minor())) {
                wrong.push(format!("a line of assignment {id} is not its price"));
            }
            // A deadline in open hours may lie beyond a night; what is overdue is another check's.
            if one.masked() && one.due.is_none() {
                wrong.push(format!("assignment {id} is offered still, and nothing is due"));
            }
            if !given_back(one.state) {
                let contract = format!("K#{}#c#{}", one.company, one.contract);
                *spent.entry((contract, one.reservation.start(Period::Month))).or_default() +=
                    one.price.minor();
                held_in_advance += if one.prepaid { one.price.minor() } else { 0 };
            }
        }
        let all: usize = lines.values().map(Vec::len).sum();
        if all != known {
            wrong.push(format!("{} lines of the ledger belong to no assignment", all - known));
        }
        for item in self.items.iter().filter(|item| text(item, "sk") == "K") {
            let pk = text(item, "pk");
            if pk.contains("#c#") {
                let month = number(item, "month_at").unwrap_or(0);
                let held = spent.get(&(pk.to_owned(), month)).copied().unwrap_or(0);
                let counted = number(item, "month_spent").unwrap_or(0);
                if counted != held {
                    wrong.push(format!("{pk} counts {counted} spent, and {held} are held"));
                }
            } else if rules::is_prepaid(pk) {
                let balance = number(item, "balance").unwrap_or(0);
                if balance != deposits - held_in_advance {
                    wrong.push(format!("{pk} has {balance}, of {deposits} less {held_in_advance}"));
                }
            }
        }
        for wrong in wrong {
            self.violated(3, wrong);
        }
    }

    /// Promise 4: the score is that of the set of interactions that were acknowledged.
    async fn scores_are_functions_of_sets(&mut self) -> anyhow::Result<()> {
        let (promised, unsure) = {
            let ledger = self.world.ledger();
            (ledger.interactions.clone(), ledger.unsure.clone())
        };
        for story in self.stories {
            let lead = &story.lead;
            let id = lead.id.to_string();
            // What was merged has its part of the survivor's.
            if lead.merged_into.is_some() {
                continue;
            }
            let all: Vec<String> =
                std::iter::once(&lead.id).chain(&lead.merged).map(ToString::to_string).collect();
            if all.iter().any(|id| unsure.contains(id)) {
                continue;
            }
            let Some(in_force) = judging::in_force(&self.world.plain, &lead.company).await? else { continue };
            let mut activity = Activity::new();
            for (kind, id, at) in all.iter().filter_map(|id| promised.get(id)).flatten() {
                let Ok(kind) = InteractionKind::new(kind) else { continue };
                activity.add(UtcDay::of(*at), kind, InteractionId::hash8(id));
            }
            if self.world.plain.store.activity_of_lead(lead).await? != activity {
                self.violated(4, format!("lead {id} has not the interactions that were acknowledged"));
            }
            // A closed lead is not scored again by a repeat.
            if lead.stage.closed() || lead.stage == Stage::Quarantined {
                continue;
            }
            let Some(score) = &lead.score else {
                self.violated(4, format!("lead {id} has no score"));
                continue;
            };
            let judged = judging::judge(&self.world.plain, &in_force.core, lead, activity, score.at).await?;
            let again = judged.state(&in_force.core.scoring, score.at);
            if again != *score {
                self.violated(4, format!("lead {id} scores {score:?}, and its interactions say {again:?}"));
            }
        }
        Ok(())
    }
}

impl Check<'_> {
    /// Promise 5: every decision, made again from its record, is the same.
    async fn decisions_repeat(&mut self) -> anyhow::Result<()> {
        for story in self.stories {
            for record in &story.decisions {
                let again = judging::repeat(&self.world.plain, &story.lead.company, record).await?;
                let again = again.map(|again| {
                    let considered = again.explained.considered;
                    let placed = record.placed.as_ref();
                    considered.record(record.id, record.at, &record.facts, record.rulebook, placed)
                });
                let Some(again) = again.transpose()? else {
                    self.violated(5, format!("the rulebook of decision {} is gone", record.id));
                    continue;
                };
                // The seats stand beside what was decided.
                let again = DecisionRecord { given: record.given.clone(), ..again };
                if again != *record {
                    self.violated(
                        5,
                        format!("decision {} was {record:?}, and is {again:?} again", record.id),
                    );
                }
            }
        }
        Ok(())
    }

    /// Promise 5: a decision names the seats that were given with it, and no others.
    fn decisions_name_their_seats(&mut self) {
        for story in self.stories {
            for record in &story.decisions {
                let mut named = record.given.clone();
                let of_it = story.assignments.iter().filter(|one| record.gave_seat(one));
                let mut given: Vec<_> = of_it.map(|one| one.id).collect();
                named.sort_unstable();
                given.sort_unstable();
                if named != given {
                    self.violated(
                        5,
                        format!("decision {} names {named:?}, and {given:?} were given", record.id),
                    );
                }
            }
        }
    }

    /// Promise 5, all at once: the rulebook that was in force, over all that happened, makes no difference
    /// at all. How many sale cycles were replayed.
    async fn history_repeats(&mut self) -> anyhow::Result<usize> {
        let mut replayed = 0;
        for (company, _) in rules::OFFERS {
            let found = self.replay(&CompanyId::new(company)?).await?;
            replayed += found.leads;
            let same_reasons = found.unmatched.iter().all(|of| of.before == of.after);
            if !found.is_none() || !same_reasons {
                let Difference { leads, changed, changes, dealers, unmatched, .. } = &found;
                self.violated(
                    5,
                    format!(
                        "{company}'s own rulebook changes {changed} of its {leads} leads: {changes:?} \
                         {dealers:?} {unmatched:?}"
                    ),
                );
            }
        }
        Ok(replayed)
    }

    /// A company's whole history under its rulebook in force.
    async fn replay(&self, company: &CompanyId) -> anyhow::Result<Difference> {
        let cloud = &self.world.plain;
        let version = self.version(company.as_str());
        // What an earlier rulebook decided counts, and is not decided again.
        let earlier = self.stories.iter().filter(|story| story.lead.company == *company);
        let earlier = earlier.flat_map(|story| &story.decisions).filter(|record| record.rulebook != version);
        let from =
            earlier.map(|record| record.at).max().map(|at| at.checked_add(SignedDuration::from_millis(1)));
        let window = Window {
            from: from.transpose()?.unwrap_or(self.world.began),
            to: cloud.clock.now().checked_add(SignedDuration::from_secs(1))?,
        };
        let (mut events, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = history::page(cloud, company, (self.world.began, window.to), after).await?;
            events.extend(page);
            after = next;
            if after.is_none() {
                break;
            }
        }
        let text = cloud.store.rulebook_text(company, version).await?.unwrap_or_default();
        let book = rulebooks::written(text).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        Ok(backtest(&book, book.compile(version)?, &events, window, &mut |_, _| {})?)
    }
}

async fn scan(world: &World) -> anyhow::Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let answer = world
            .plain
            .store
            .client()
            .scan()
            .table_name(world.plain.store.table())
            .set_exclusive_start_key(start)
            .send()
            .await?;
        items.extend(answer.items.into_iter().flatten());
        start = answer.last_evaluated_key.filter(|key| !key.is_empty());
        if start.is_none() {
            return Ok(items);
        }
    }
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name).and_then(|value| AttributeValue::as_n(value).ok())?.parse().ok()
}
