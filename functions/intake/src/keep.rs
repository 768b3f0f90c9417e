//! An arrival becomes an enquiry, its lead and its identities: one conditional commit, before anything
//! is decided. Twenty posts of one person at one moment are one lead and twenty enquiries: of those
//! who find the same identities free, the store lets one claim them, and the others look again.

use std::sync::Arc;

use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::delivery::Event;
use leadyard_domain::distribution::Core;
use leadyard_domain::enquiry::{Fields, Understood};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, VisitorId};
use leadyard_domain::lead::{self, Contactable, Lead};
use leadyard_domain::limits;
use leadyard_domain::person::Phone;
use leadyard_domain::rulebook::{Offer, Source};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::judging;
use leadyard_platform::store::{Delivery, Keep, Kept, StoreError, StoredAnswer, StoredEnquiry};

use crate::answer::{Answer, Answered, Pages, What};
use crate::arrive::{self, Arrival};
use crate::trial;
use crate::whose::{Asking, Known, identity_writes, whose};

/// An arrival, understood.
pub(crate) struct Arrived<'a> {
    pub(crate) arrival: &'a Arrival,
    pub(crate) core: &'a Core,
    pub(crate) source: &'a Source,
    pub(crate) fields: Fields,
    pub(crate) understood: Understood,
}

/// How often an enquiry looks again when others were first. Each round somebody got through, so that
/// twenty at one moment all do; what is left after this goes to the spill, and comes in when it is
/// quieter.
const ROUNDS: usize = 40;

/// Takes an arrival in.
///
/// # Errors
/// When the store could not be asked, or stayed contended: the caller spills it.
pub(crate) async fn keep(cloud: &Cloud, arrival: &Arrival) -> Result<Answered, StoreError> {
    let Some((core, sure)) = core(cloud, &arrival.key.company).await? else {
        return Err(StoreError::Contended); // no rulebook yet: the spill waits for one
    };
    let same_generation =
        |source: &&Source| arrival.spilled || source.key_generation == arrival.key.generation;
    let Some(source) = core.source(&arrival.key.source).filter(same_generation) else {
        // An older rulebook may not know the source yet: the spill asks the one in force.
        return if sure { no_source(cloud, arrival).await } else { Err(StoreError::Contended) };
    };
    let pages = Pages { thank_you: source.thank_you.clone(), error: source.error_page.clone() };
    if let Some(problem) = past_its_end(&core, source, arrival).filter(|_| sure) {
        return Ok(Answered::fresh(Answer::Refused(problem)).with_pages(pages));
    }
    if let Some(replay) = replay(cloud, arrival).await? {
        return Ok(replay.with_pages(pages));
    }
    let fields = match arrive::fields(&arrival.content_type, &arrival.body) {
        Ok(fields) => fields,
        Err(problem) => {
            return unreadable(cloud, arrival, problem).await.map(|answered| answered.with_pages(pages));
        }
    };
    let stored = stored(arrival, fields.clone());
    let understood = judging::understand(&stored, Some(source));
    let arrived = Arrived { arrival, core: &core, source, fields, understood };
    take(cloud, &arrived).await.map(|answered| answered.with_pages(pages))
}

/// The rulebook's core, and whether it is the one in force: while the table is away it is what was read
/// last.
async fn core(cloud: &Cloud, company: &CompanyId) -> Result<Option<(Arc<Core>, bool)>, StoreError> {
    match cloud.rulebooks.current(&cloud.store, company).await {
        Ok(core) => Ok(core.map(|core| (core, true))),
        Err(error) => cloud.rulebooks.known(company).map(|core| Some((core, false))).ok_or(error),
    }
}

/// A key that is too old is refused. What was let in by way of the spill was acknowledged: it is kept,
/// whatever became of its source since.
async fn no_source(cloud: &Cloud, arrival: &Arrival) -> Result<Answered, StoreError> {
    if !arrival.spilled {
        let detail = "the page key is of an older generation, or its source is gone";
        return Ok(Answered::fresh(Answer::Refused(Problem::new(Code::Unauthorized, detail))));
    }
    let mut enquiry = stored(arrival, Fields::default());
    enquiry.raw = Some(String::from_utf8_lossy(&arrival.body).into_owned());
    enquiry.status = "quarantined".to_owned();
    enquiry.reasons = vec!["unknown_source".to_owned()];
    aside(cloud, arrival, &enquiry, Answer::Quarantined { reasons: vec!["unknown_source"] }, None).await
}

fn past_its_end(core: &Core, source: &Source, arrival: &Arrival) -> Option<Problem> {
    let ends = source.ends.filter(|_| !arrival.spilled)?;
    let zone = leadyard_domain::time::zone(&core.company.zone).ok()?;
    let today = zone.to_datetime(arrival.at).date();
    (today > ends).then(|| Problem::new(Code::SourceClosed, format!("this source took leads until {ends}")))
}

async fn replay(cloud: &Cloud, arrival: &Arrival) -> Result<Option<Answered>, StoreError> {
    let Some((key, _)) = &arrival.idempotency else { return Ok(None) };
    let found =
        cloud.store.idempotency_get(&arrival.key.company, &arrival.key.source, key, arrival.at).await?;
    Ok(found.map(|found| replayed(arrival, found)))
}

/// The first answer again; unless the body is another, which is a mistake of the sender's.
fn replayed(arrival: &Arrival, found: StoredAnswer) -> Answered {
    let same = arrival.idempotency.as_ref().is_some_and(|(_, body)| *body == found.body);
    let what = if same {
        What::Replay { status: found.status, body: found.answer }
    } else {
        let detail = "this Idempotency-Key came with another body before; use a new key for a new enquiry";
        What::Fresh(Answer::Refused(Problem::new(Code::IdempotencyMismatch, detail)))
    };
    Answered { what, pages: Pages::default(), visitor: None }
}

fn stored(arrival: &Arrival, fields: Fields) -> StoredEnquiry {
    StoredEnquiry {
        id: arrival.id,
        company: arrival.key.company.clone(),
        source: arrival.key.source.clone(),
        received_at: arrival.at,
        fields,
        raw: None,
        lead: None,
        status: "received".to_owned(),
        reasons: Vec::new(),
        user_agent: arrival.user_agent.clone(),
        spilled: arrival.spilled,
        gpc: arrival.gpc,
    }
}

/// What cannot be parsed is stored raw: the sender is told what was wrong, and a person may look.
async fn unreadable(cloud: &Cloud, arrival: &Arrival, problem: Problem) -> Result<Answered, StoreError> {
    let mut enquiry = stored(arrival, Fields::default());
    enquiry.raw = Some(String::from_utf8_lossy(&arrival.body).into_owned());
    enquiry.status = "quarantined".to_owned();
    enquiry.reasons = vec!["unreadable".to_owned()];
    let problem = problem.with("enquiry", arrival.id.to_string());
    aside(cloud, arrival, &enquiry, Answer::Refused(problem), None).await
}

async fn take(cloud: &Cloud, arrived: &Arrived<'_>) -> Result<Answered, StoreError> {
    let arrival = arrived.arrival;
    let mut enquiry = stored(arrival, arrived.fields.clone());
    if !arrived.understood.reachable() {
        enquiry.status = "quarantined".to_owned();
        enquiry.reasons = vec!["unreachable_person".to_owned()];
        let problem = Problem::new(Code::UnreachablePerson, "give an e-mail address or a phone number")
            .fields(arrived.understood.notes.clone())
            .with("enquiry", arrival.id.to_string());
        return aside(cloud, arrival, &enquiry, Answer::Refused(problem), None).await;
    }
    let Some(offer) = arrived.core.offer_of(arrived.source, arrived.understood.offer.as_deref()) else {
        enquiry.status = "quarantined".to_owned();
        enquiry.reasons = vec!["unknown_offer".to_owned()];
        // A page's answer has one shape, whatever became of its enquiry.
        let visitor = arrive::visitor(cloud, arrived);
        let answer = Answer::Quarantined { reasons: vec!["unknown_offer"] };
        return aside(cloud, arrival, &enquiry, answer, visitor).await;
    };
    if arrived.source.test {
        return trial::keep(cloud, arrived, offer, enquiry).await;
    }
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        if let Some(answered) = join_and_keep(cloud, arrived, offer, &mut enquiry).await? {
            return Ok(answered);
        }
    }
    Err(StoreError::Contended)
}

/// Keeps an enquiry that has no lead.
pub(crate) async fn aside(
    cloud: &Cloud,
    arrival: &Arrival,
    enquiry: &StoredEnquiry,
    answer: Answer,
    visitor: Option<VisitorId>,
) -> Result<Answered, StoreError> {
    let keep = Keep {
        enquiry,
        lead: None,
        opens: false,
        identities: Vec::new(),
        flagged: None,
        deliveries: Vec::new(),
        visitor: None,
        answer: remember(cloud, arrival, &answer, visitor),
        past: None,
    };
    match cloud.store.enquiry_keep(keep).await? {
        Kept::Done | Kept::Already => Ok(Answered::fresh(answer).with_visitor(visitor)),
        // The remembered answer expired in between: not kept, so not acknowledged either.
        Kept::Changed => Err(StoreError::Contended),
        Kept::Answered(found) => Ok(replayed(arrival, found)),
    }
}

fn remember(
    cloud: &Cloud,
    arrival: &Arrival,
    answer: &Answer,
    visitor: Option<VisitorId>,
) -> Option<StoredAnswer> {
    let (key, body) = arrival.idempotency.clone()?;
    let (status, answer) = answer.render(cloud, arrival, visitor);
    let ttl = arrival.at.as_second() + limits::IDEMPOTENCY_HOURS * 3_600;
    Some(StoredAnswer { key, body, status, answer: answer.to_string(), ttl })
}

/// One round: whose is it, and keep it so. `None` when somebody else was first.
async fn join_and_keep(
    cloud: &Cloud,
    arrived: &Arrived<'_>,
    offer: &Offer,
    enquiry: &mut StoredEnquiry,
) -> Result<Option<Answered>, StoreError> {
    let arrival = arrived.arrival;
    let company = &arrival.key.company;
    let who = &arrived.understood;
    let asking = Asking { company, core: arrived.core, who, at: arrival.at };
    let known = Known::of(cloud, asking).await?;
    let visitor = arrive::visitor(cloud, arrived);
    if known.suppressed {
        // Kept, and nobody hears of it: neither distribution nor whoever holds the person's lead.
        enquiry.status = "quarantined".to_owned();
        enquiry.reasons = vec!["suppressed".to_owned()];
        let answer = Answer::Quarantined { reasons: vec!["suppressed"] };
        return aside(cloud, arrival, enquiry, answer, visitor).await.map(Some);
    }
    let (met, repeated) = whose(cloud, asking, &known, offer).await?;
    let news = lead::Arrival {
        enquiry: arrival.id,
        at: arrival.at,
        person: contactable(who),
        offer: offer.id.clone(),
        category: offer.category.clone(),
        source: arrived.source.id.clone(),
        campaign: who.attribution.campaign().map(str::to_owned),
        brings: who.brings(),
        visitor: visitor.filter(|_| who.visitor.is_some()),
    };
    let window = arrived.core.company.window_days;
    let mut deliveries = Vec::new();
    let opens = repeated.is_none();
    let (mut lead, answer) = match repeated {
        Some(known) => {
            let mut lead = known.clone();
            let answer = match lead.take(&news, window) {
                lead::Met::Repeat => {
                    deliveries = tell_holders(&lead, arrival);
                    Answer::Repeat { lead: lead.id, since: known.last_enquiry_at }
                }
                lead::Met::NewCycle => Answer::Received { lead: lead.id },
            };
            (lead, answer)
        }
        None => {
            let lead = Lead::open(company.clone(), met.scope.clone(), &news);
            let answer = Answer::Received { lead: lead.id };
            (lead, answer)
        }
    };
    let flagged = met.duplicate().filter(|other| other.id != lead.id);
    lead.possible_duplicate |= flagged.is_some();
    enquiry.lead = Some(lead.id);
    enquiry.status = if matches!(answer, Answer::Repeat { .. }) { "repeat" } else { "received" }.to_owned();
    let keep = Keep {
        enquiry,
        lead: Some(&lead),
        opens,
        identities: identity_writes(&known.keys, &met),
        flagged: flagged.as_ref(),
        deliveries: deliveries.clone(),
        visitor,
        answer: remember(cloud, arrival, &answer, visitor),
        past: None,
    };
    match cloud.store.enquiry_keep(keep).await? {
        Kept::Done => {
            hand_on(cloud, &lead, &deliveries).await;
            Ok(Some(Answered::fresh(answer).with_visitor(visitor)))
        }
        Kept::Already => Ok(Some(Answered::fresh(answer).with_visitor(visitor))),
        Kept::Answered(found) => Ok(Some(replayed(arrival, found))),
        Kept::Changed => Ok(None),
    }
}

fn tell_holders(lead: &Lead, arrival: &Arrival) -> Vec<Delivery> {
    lead.holders
        .iter()
        .map(|holder| Delivery {
            lead: lead.id,
            assignment: holder.assignment,
            cycle: lead.cycle,
            event: Event::Repeated,
            number: arrival.id.to_string(),
            channel: 0,
            reason: None,
            company: lead.company.clone(),
            dealer: holder.dealer.clone(),
            since: arrival.at,
            state: DeliveryState::Pending,
            attempts: Vec::new(),
            next_at: None,
            v: 0,
            due: arrival.at.checked_add(jiff::SignedDuration::from_secs(30)).ok(),
        })
        .collect()
}

async fn hand_on(cloud: &Cloud, lead: &Lead, deliveries: &[Delivery]) {
    if !lead.stage.closed() {
        cloud.hand_to_distribution(lead).await;
    }
    for delivery in deliveries {
        cloud.hand_message(delivery, 0).await;
    }
}

pub(crate) fn contactable(who: &Understood) -> Contactable {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Contactable {
        first_name: some(who.name.first()),
        last_name: some(who.name.last()),
        email: who.email.as_ref().map(|email| email.as_str().to_owned()),
        phone: who.phone.as_ref().map(|phone: &Phone| phone.as_str().to_owned()),
        organization: who.organization.clone(),
        street: who.street.clone(),
        city: who.city.clone(),
        state: who.state,
        zip: who.zip,
    }
}
