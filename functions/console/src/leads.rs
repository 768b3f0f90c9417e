//! The whole story of a lead: person, score explained, enquiries, interactions, decisions,
//! assignments, attempts, next step.

use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::access::{Role, UnsubscribeToken};
use leadyard_domain::assignment::Assignment;
use leadyard_domain::calling::{self, CallingHours, MayCall};
use leadyard_domain::contract::{Need, Needs};
use leadyard_domain::distribution::Core;
use leadyard_domain::enquiry::{Attribution, Touch, Understood};
use leadyard_domain::error::Code;
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::Lead;
use leadyard_domain::limits;
use leadyard_domain::rulebook::Company;
use leadyard_domain::scoring::{Activity, InteractionKind, InteractionRef, MachineLimits, Part, Score};
use leadyard_domain::time;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};
use leadyard_platform::judging;
use leadyard_platform::store::{Act, DecisionRecord, Delivery, StoredEnquiry, Story};
use leadyard_platform::who::{Desk, READS, Staff};
use serde_json::{Value, json};

use crate::{follow_up, masked, unsubscribe};

/// `GET /v1/leads/{id}`. That of a lead into which others were merged tells theirs with it; one that was merged
/// tells its own, and which lead goes on for it.
pub(crate) async fn story(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<READS>,
    Path(lead): Path<String>,
) -> Result<Json<Value>, Problem> {
    let whole = of_desk(&cloud, &desk, &lead).await?;
    let story = &whole.story;
    let enquiries = cloud.store.enquiries_of(whole.all().map(|story| &story.lead)).await?;
    let survivor = match story.lead.merged_into {
        None => None,
        Some(into) => cloud.store.lead_surviving(into).await?.map(|lead| lead.id),
    };
    let now = cloud.clock.now();
    let core = cloud.rulebooks.current(&cloud.store, &story.lead.company).await?;
    let did = Did::of(&cloud, core.as_deref(), story, now).await?;
    let mut told = tell(&whole, survivor, &enquiries, &did);
    let works = desk.may(&story.lead.company, Role::Desk);
    if !works {
        unnamed(&mut told, &story.lead, &enquiries);
    }
    if story.lead.erased_at.is_none()
        && let Some(members) = told.as_object_mut()
    {
        let may = may_be_called(&story.lead, call_hours(core.as_deref()), now);
        members.insert("may_be_called".to_owned(), may);
        if works {
            let token = UnsubscribeToken { company: story.lead.company.clone(), lead: story.lead.id };
            members.insert("unsubscribe".to_owned(), json!(unsubscribe::path(&cloud, &token)));
        }
    }
    Ok(Json(told))
}

/// The same for a reader, who sees people masked: without what they sent.
fn unnamed(told: &mut Value, lead: &Lead, enquiries: &[StoredEnquiry]) {
    let arrived = |one: &StoredEnquiry| {
        json!({
            "id": one.id, "company": one.company, "source": one.source, "received_at": one.received_at,
            "fields": {}, "status": one.status,
        })
    };
    if let Some(members) = told.as_object_mut() {
        members.insert("person".to_owned(), json!(masked::person(&lead.person)));
        members.insert("enquiries".to_owned(), enquiries.iter().map(arrived).collect());
    }
}

/// How a lead is followed up; nothing of a cycle that is over.
fn follow_up_of(story: &Story, core: Option<&Core>, now: Timestamp) -> Value {
    let kept = story.follow_up.as_ref().filter(|kept| kept.state.cycle == story.lead.cycle);
    match (kept, core) {
        (Some(kept), Some(core)) => follow_up::tell(&kept.state, &core.follow_up, now),
        (Some(_) | None, Some(_) | None) => Value::Null,
    }
}

/// What a lead did, what brought it and what that is worth; and how it is followed up.
pub(crate) struct Did {
    follow_up: Value,
    score: Value,
    attribution: Value,
    certificate: Value,
    interactions: Value,
    of_machines: Value,
}

impl Did {
    pub(crate) async fn of(
        cloud: &Cloud,
        core: Option<&Core>,
        story: &Story,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let machines = core.map_or_else(MachineLimits::default, |core| core.screening.interactions);
        let (score, attribution, certificate) = match core {
            None => (Value::Null, Value::Null, Value::Null),
            Some(core) => {
                let source = core.source(&story.lead.source);
                let opening = judging::opening(cloud, source, &story.lead, None).await?;
                let activity = story.activity.clone();
                let judged = judging::judge_by(core, &story.lead, opening.as_ref(), activity, now);
                let touches = touches(opening.as_ref(), core.company.attribution);
                let certificate = certificate(&core.company, &story.lead, opening.as_ref(), now);
                (explain(&judged.score), touches, certificate)
            }
        };
        Ok(Self {
            follow_up: follow_up_of(story, core, now),
            score,
            attribution,
            certificate,
            interactions: json!(interactions(&story.activity, &machines)),
            of_machines: json!(aside(&story.activity, &machines)),
        })
    }
}

/// A lead's story, and the stories of those that were merged into it.
pub(crate) struct Whole {
    pub(crate) story: Story,
    pub(crate) merged: Vec<Story>,
}

impl Whole {
    fn all(&self) -> impl Iterator<Item = &Story> {
        std::iter::once(&self.story).chain(&self.merged)
    }

    /// What was decided of any of them, oldest first.
    pub(crate) fn decisions(&self) -> Vec<&DecisionRecord> {
        let mut decisions: Vec<_> = self.all().flat_map(|story| &story.decisions).collect();
        decisions.sort_by_key(|record| (record.at, record.id));
        decisions
    }

    pub(crate) fn assignments(&self) -> Vec<&Assignment> {
        let mut assignments: Vec<_> = self.all().flat_map(|story| &story.assignments).collect();
        if !self.merged.is_empty() {
            assignments.sort_by_key(|assignment| (assignment.offered_at, assignment.id));
        }
        assignments
    }

    /// What their holders were told beside the lead itself.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Delivery> {
        self.all().flat_map(|story| &story.deliveries)
    }

    /// What the desk did, oldest first; a merge, which stands with both, once.
    pub(crate) fn acts(&self) -> Vec<&Act> {
        let mut acts: Vec<_> = self.all().flat_map(|story| &story.acts).collect();
        acts.sort_by_key(|act| (act.at, act.id));
        acts.dedup_by_key(|act| act.id);
        acts
    }
}

/// The whole story of a lead, for a desk that may see it.
pub(crate) async fn of_desk(cloud: &Cloud, desk: &Staff, lead: &str) -> Result<Whole, Problem> {
    let missing = || Problem::new(Code::NotFound, "there is no such lead");
    let id: LeadId = lead.parse().map_err(|_| missing())?;
    let story = cloud.store.lead_story(id).await?.ok_or_else(missing)?;
    desk.allow(&story.lead.company, missing)?;
    let mut merged = Vec::with_capacity(story.lead.merged.len());
    for lead in &story.lead.merged {
        merged.extend(cloud.store.lead_story(*lead).await?);
    }
    Ok(Whole { story, merged })
}

pub(crate) fn tell(whole: &Whole, survivor: Option<LeadId>, enquiries: &[StoredEnquiry], did: &Did) -> Value {
    let story = &whole.story;
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
        "follow_up": did.follow_up,
        "hold": lead.hold,
        "priority": lead.priority(),
        "priority_set": lead.priority_set,
        "next_step": lead.score.as_ref().map(|score| score.next_step),
        "erased_at": lead.erased_at,
        "possible_duplicate": lead.possible_duplicate,
        "merged_into": survivor,
        "merged": lead.merged,
        "holders": lead.holders,
        "excluded": lead.excluded,
        "score": did.score,
        "attribution": did.attribution,
        "certificate": did.certificate,
        "interactions": did.interactions,
        "interactions_of_machines": did.of_machines,
        "enquiries": enquiries,
        "decisions": whole.decisions().into_iter().map(decision).collect::<Vec<_>>(),
        "assignments": whole.assignments().into_iter().map(assignment).collect::<Vec<_>>(),
        "history": whole.acts().into_iter().map(act).collect::<Vec<_>>(),
        "messages": whole.messages().map(message).collect::<Vec<_>>(),
    })
}

/// Both touches of the enquiry that opened the cycle, and which of them the company's choice credits.
fn touches(opening: Option<&Understood>, by: Touch) -> Value {
    let Some(opening) = opening else { return Value::Null };
    let told = |touch: &Attribution| -> serde_json::Map<String, Value> {
        touch.iter().map(|(tag, value)| (tag.as_str().to_owned(), json!(value))).collect()
    };
    json!({
        "by": by,
        "credited": told(opening.credited(by)),
        "first": told(&opening.first_touch),
        "last": told(&opening.attribution),
    })
}

/// Until when the certificate of the enquiry that opened the cycle can be claimed, with a warning where that is soon
/// or over and somebody has the lead or may yet have it.
fn certificate(company: &Company, lead: &Lead, opening: Option<&Understood>, now: Timestamp) -> Value {
    // A cycle that the desk began brings none: what they agreed to was agreed to with the enquiry.
    let expires = opening
        .filter(|_| lead.brings.meets(Needs::NONE.with(Need::Certificate)))
        .and_then(|opening| opening.consent.certificate_expires(lead.opened_at, company.certificate_days));
    let Some(expires) = expires else { return Value::Null };
    let left = expires.duration_since(now);
    let warning = match () {
        () if lead.stage.closed() => None,
        () if left <= SignedDuration::ZERO => Some("expired"),
        () if left < SignedDuration::from_hours(24 * limits::CERTIFICATE_WARNING_DAYS) => {
            Some("expires_soon")
        }
        () => None,
    };
    json!({ "expires": expires, "warning": warning })
}

/// When the people of a company may be called.
pub(crate) fn call_hours(core: Option<&Core>) -> CallingHours {
    core.map_or(calling::FEDERAL, |core| core.company.call_hours)
}

/// Whether it is an hour to call where the person is.
pub(crate) fn may_call(lead: &Lead, hours: CallingHours, now: Timestamp) -> MayCall {
    let (zones, _) = calling::zones(lead.location());
    // A zone of the place table is one.
    let known: Vec<_> = zones.iter().filter_map(|zone| time::zone(zone).ok()).collect();
    calling::may_call(&known, hours, now)
}

/// Why nobody who has their number may call them now, for people; nothing, where somebody may.
pub(crate) fn not_to_be_called(opted_out: bool, may: MayCall, told: impl Fn(Timestamp) -> String) -> String {
    if opted_out {
        return "They want no more contact: do not call.".to_owned();
    }
    match may {
        MayCall::Until(_) => String::new(),
        MayCall::From(from) => {
            format!("It is night where they are: they may be called from {}.", told(from))
        }
        MayCall::Never => {
            "Where they are is not known well enough: at no hour is it day everywhere that they may be."
                .to_owned()
        }
    }
}

/// Whether it is an hour to call where the person is, until or from when, and where that is.
pub(crate) fn may_be_called(lead: &Lead, hours: CallingHours, now: Timestamp) -> Value {
    let (zones, guessed) = calling::zones(lead.location());
    let (may, until, from) = match may_call(lead, hours, now) {
        MayCall::Until(until) => (true, Some(until), None),
        MayCall::From(from) => (false, None, Some(from)),
        MayCall::Never => (false, None, None),
    };
    json!({ "now": may, "until": until, "from": from, "zones": zones, "guessed": guessed })
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

/// By day and kind, how many count.
fn interactions(activity: &Activity, machines: &MachineLimits) -> Vec<Value> {
    activity
        .clone()
        .judged(machines)
        .days()
        .flat_map(|(day, of_day)| {
            of_day.kinds().map(move |(kind, ids)| {
                let names = ids.iter().take(limits::INTERACTIONS_NAMED).map(|&id| InteractionRef { day, id });
                let names: Vec<InteractionRef> = names.collect();
                json!({ "day": day.0, "kind": kind, "count": of_day.count(kind), "names": names })
            })
        })
        .collect()
}

/// What is worth nothing, each with its sign: what the desk restores or revokes by this name.
fn aside(activity: &Activity, machines: &MachineLimits) -> Vec<Value> {
    let mut told = Vec::new();
    for (day, of_day) in activity.days() {
        for (id, sign) in of_day.aside(machines) {
            let kinds = of_day.kinds().filter(|(_, ids)| ids.contains(&id)).map(|(kind, _)| kind);
            let kinds: Vec<&InteractionKind> = kinds.collect();
            if !kinds.is_empty() {
                told.push(json!({ "interaction": InteractionRef { day, id }, "kinds": kinds, "sign": sign }));
            }
        }
    }
    told
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
