//! An arrival becomes an enquiry, its lead and its identities: one conditional commit, before anything
//! is decided. Twenty posts of one person at one moment are one lead and twenty enquiries: of those
//! who find the same identities free, the store lets one claim them, and the others look again.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::access::PageKey;
use leadyard_domain::contract::Caps;
use leadyard_domain::distribution::{Core, Reservation};
use leadyard_domain::enquiry::Understood;
use leadyard_domain::error::Code;
use leadyard_domain::ids::VisitorId;
use leadyard_domain::lead::{self, Contactable, EnquiryRef, Lead, Stage};
use leadyard_domain::limits;
use leadyard_domain::person::Phone;
use leadyard_domain::report::Asked;
use leadyard_domain::rulebook::{Offer, Source};
use leadyard_domain::screening::{self, Reason, Screening, Verdict};
use leadyard_domain::time::{self, UtcDay};

use super::answer::{Answer, Answered, Pages, What};
use super::whose::{Asking, Known, identity_writes, whose};
use super::{Arrival, Arrived, LET_IN, visitor as visitor_of};
use crate::cloud::Cloud;
use crate::http::Problem;
use crate::store::{
    Delivery, Keep, Kept, QUARANTINED, Quarantine, SourceCounts, StoreError, StoredAnswer, StoredEnquiry,
};

/// How an enquiry comes to its lead.
pub enum Way {
    /// It arrives, with these signs.
    Arrives(Vec<Reason>),
    /// It is released from quarantine, where it had this status: nobody screens it again.
    Released(String),
}

/// One round: whose is it, and keep it so. `None` when somebody else was first.
pub async fn join_and_keep(
    cloud: &Cloud,
    arrived: &Arrived<'_>,
    offer: &Offer,
    enquiry: &mut StoredEnquiry,
    way: &Way,
) -> Result<Option<Answered>, StoreError> {
    let arrival = arrived.arrival;
    let company = &arrival.key.company;
    let who = &arrived.understood;
    let asking = Asking { company, core: arrived.core, who, at: arrival.at };
    let known = Known::of(cloud, asking, offer).await?;
    let visitor = visitor_of(cloud, arrived);
    let core = arrived.core;
    // Let go by its deadline, and by nobody.
    let judged = enquiry.quarantine.as_ref().and_then(|kept| kept.judged.as_ref());
    let silent = matches!(way, Way::Released(_)) && judged.is_some_and(|judged| judged.by.is_none());
    let by_itself = silent || matches!(way, Way::Arrives(_));
    let conclude = |more: Option<Reason>| {
        let signs = match way {
            Way::Arrives(signs) => signs.as_slice(),
            Way::Released(_) => &[],
        };
        let listed = listed(&known, who, by_itself);
        screening::conclude(&core.screening, signs.iter().copied().chain(listed).chain(more))
    };
    let screening = conclude(None);
    if screening.verdict != Verdict::Ham {
        // Kept, and nobody hears of it: neither distribution nor whoever holds the person's lead.
        return match way {
            Way::Arrives(_) => {
                quarantine(cloud, core, arrival, enquiry.clone(), &screening, visitor).await.map(Some)
            }
            Way::Released(_) => {
                let reasons = screening.reasons.iter().map(|reason| reason.as_str()).collect();
                Ok(Some(Answered::fresh(Answer::Quarantined { reasons })))
            }
        };
    }
    let (met, repeated) = whose(cloud, asking, &known, offer).await?;
    if matches!(way, Way::Arrives(_)) && asks_too_often(core, repeated.as_ref(), arrival) {
        let screening = conclude(Some(Reason::IdentityVelocity));
        if screening.verdict != Verdict::Ham {
            return quarantine(cloud, core, arrival, enquiry.clone(), &screening, visitor).await.map(Some);
        }
    }
    let expires = who.consent.certificate_expires(arrival.at, core.company.certificate_days);
    let ahead = SignedDuration::from_hours(24 * limits::CERTIFICATE_WARNING_DAYS);
    let news = lead::Arrival {
        enquiry: arrival.id,
        at: arrival.at,
        person: contactable(who),
        offer: offer.id.clone(),
        category: offer.category.clone(),
        source: arrived.source.id.clone(),
        campaign: who.campaign(core.company.attribution).map(str::to_owned),
        brings: who.brings(),
        certificate_warning: expires.and_then(|expires| expires.checked_sub(ahead).ok()),
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
                    deliveries = tell_holders(&lead, arrival, cloud.clock.now());
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
    let opens_cycle = matches!(answer, Answer::Received { .. });
    if opens_cycle {
        // What comes in late is not overdue for it: its message is on its way.
        let soon = cloud.clock.now().checked_add(SignedDuration::from_secs(45)).ok();
        lead.due = lead.due.max(soon);
    }
    let mut counts = if opens_cycle { counts(cloud, core, arrived.source, arrival).await? } else { None };
    if let Some(counts) = counts.as_mut().filter(|_| !by_itself) {
        // What the desk releases is its own word: it counts, and no cap refuses it.
        counts.caps = &NO_CAPS;
    }
    if let Some(problem) = counts.as_ref().and_then(|counts| capped(core, counts, arrival)) {
        if silent {
            let reasons = vec![Reason::SourceCap.as_str()];
            return Ok(Some(Answered::fresh(Answer::Quarantined { reasons })));
        }
        if !arrival.is_not_refused() {
            return Ok(Some(Answered::fresh(Answer::Refused(problem))));
        }
        // It was acknowledged: neither lost, nor above what was agreed.
        let screening = conclude(Some(Reason::SourceCap));
        return quarantine(cloud, core, arrival, enquiry.clone(), &screening, visitor).await.map(Some);
    }
    let flagged = met.duplicate().filter(|other| other.id != lead.id);
    lead.possible_duplicate |= flagged.is_some();
    enquiry.lead = Some(lead.id);
    enquiry.asked = Some(asked(arrived, Some(offer)));
    enquiry.visitor = visitor;
    enquiry.status = if matches!(answer, Answer::Repeat { .. }) { "repeat" } else { "received" }.to_owned();
    let stands = arrival.stands_as().is_some() || matches!(way, Way::Released(_));
    let told = cloud.postback_of_arrival(Some(arrived.source), enquiry, stands, cloud.clock.now()).await?;
    let keep = Keep {
        enquiry,
        lead: Some(&lead),
        opens,
        identities: identity_writes(&known.keys, &met),
        flagged: flagged.as_ref(),
        deliveries: deliveries.clone(),
        postback: told.as_ref(),
        visitor,
        answer: remember(cloud, arrival, &answer, visitor),
        past: None,
        released: match way {
            Way::Arrives(_) => arrival.stands_as(),
            Way::Released(seen) => Some(seen),
        },
        caps: counts.as_ref(),
    };
    match cloud.store.enquiry_keep(keep).await? {
        // Somebody else decided meanwhile: who asked looks again.
        Kept::Already if matches!(way, Way::Released(_)) => Ok(None),
        Kept::Done => {
            hand_on(cloud, &lead, &deliveries).await;
            if let Some(told) = told {
                cloud.hand_postback(&told, 0).await;
            }
            Ok(Some(Answered::kept(answer, visitor, false)))
        }
        Kept::Already => Ok(Some(Answered::kept(answer, visitor, true))),
        Kept::Answered(found) => Ok(Some(replayed(arrival, found))),
        Kept::Changed => Ok(None),
    }
}

static NO_CAPS: Caps = Caps(Vec::new());

/// The new leads of a source that has a cap: nothing moves for a test.
pub async fn counts<'a>(
    cloud: &Cloud,
    core: &Core,
    source: &'a Source,
    arrival: &Arrival,
) -> Result<Option<SourceCounts<'a>>, StoreError> {
    if source.caps.0.is_empty() || source.test || arrival.is_test() {
        return Ok(None);
    }
    // A zone that the rulebook let through is one.
    let zone = time::zone(&core.company.zone).unwrap_or(TimeZone::UTC);
    let now = cloud.clock.now();
    Ok(Some(SourceCounts {
        caps: &source.caps,
        usage: cloud.store.source_caps_get(&arrival.key.company, &source.id).await?,
        reservation: Reservation::at(now, &zone, core.company.week_starts),
        now,
    }))
}

/// Why a source may not send just now, and until when.
pub fn capped(core: &Core, counts: &SourceCounts<'_>, arrival: &Arrival) -> Option<Problem> {
    let (period, cap) = counts.full()?;
    let zone = time::zone(&core.company.zone).unwrap_or(TimeZone::UTC);
    let ends = period.end(counts.now, &zone, core.company.week_starts)?;
    let until = Timestamp::from_second(ends).ok()?;
    let wait_s = until.duration_since(counts.now).as_secs().max(1) as u32;
    tracing::info!(company.id = %arrival.key.company, source.id = %arrival.key.source, cap.period = %period, "a source's cap is full");
    let detail = format!("this source's cap of {cap} leads a {period} is reached until {until}");
    Some(Problem::new(Code::CapReached, detail).with("until", until.to_string()).retry_after(wait_s))
}

/// Marks an enquiry as one that waits for a verdict.
pub fn set_aside(
    cloud: &Cloud,
    core: &Core,
    arrival: &Arrival,
    enquiry: &mut StoredEnquiry,
    screening: &Screening,
    visitor: Option<VisitorId>,
) {
    let hours = SignedDuration::from_hours(i64::from(core.screening.deadline_hours));
    let now = cloud.clock.now();
    // A round before may have found it a lead, which somebody else's change then kept from it.
    (enquiry.lead, enquiry.visitor) = (None, None);
    enquiry.status = QUARANTINED.to_owned();
    enquiry.reasons = screening.reasons.iter().map(ToString::to_string).collect();
    enquiry.quarantine = Some(Quarantine {
        verdict: screening.verdict,
        weight: screening.weight,
        until: now.checked_add(hours).unwrap_or(now),
        overdue: false,
        visitor,
        trusted: arrival.trusted,
        edited: None,
        judged: None,
    });
}

/// Keeps an enquiry until somebody decides. A page's answer has one shape, whatever became of its enquiry.
pub async fn quarantine(
    cloud: &Cloud,
    core: &Core,
    arrival: &Arrival,
    mut enquiry: StoredEnquiry,
    screening: &Screening,
    visitor: Option<VisitorId>,
) -> Result<Answered, StoreError> {
    set_aside(cloud, core, arrival, &mut enquiry, screening, visitor);
    let reasons: Vec<&str> = screening.reasons.iter().map(|reason| reason.as_str()).collect();
    tracing::info!(
        enquiry.id = %arrival.id, screening.verdict = %screening.verdict, screening.reasons = ?reasons,
        "an enquiry was quarantined"
    );
    aside(cloud, core, arrival, &enquiry, Answer::Quarantined { reasons }, visitor).await
}

/// Keeps an enquiry that has no lead.
pub async fn aside(
    cloud: &Cloud,
    core: &Core,
    arrival: &Arrival,
    enquiry: &StoredEnquiry,
    answer: Answer,
    visitor: Option<VisitorId>,
) -> Result<Answered, StoreError> {
    let source = core.source(&arrival.key.source).filter(|_| !arrival.is_test());
    let stands = arrival.stands_as().is_some();
    let told = cloud.postback_of_arrival(source, enquiry, stands, cloud.clock.now()).await?;
    let keep = Keep {
        enquiry,
        lead: None,
        opens: false,
        identities: Vec::new(),
        flagged: None,
        deliveries: Vec::new(),
        postback: told.as_ref(),
        visitor: None,
        answer: remember(cloud, arrival, &answer, visitor),
        past: None,
        released: arrival.stands_as(),
        caps: None,
    };
    match cloud.store.enquiry_keep(keep).await? {
        Kept::Done => {
            if let Some(told) = told {
                cloud.hand_postback(&told, 0).await;
            }
            Ok(Answered::kept(answer, visitor, false))
        }
        Kept::Already => Ok(Answered::kept(answer, visitor, true)),
        // The remembered answer expired in between: not kept, so not acknowledged either.
        Kept::Changed => Err(StoreError::Contended),
        Kept::Answered(found) => Ok(replayed(arrival, found)),
    }
}

/// The first answer again; unless the body is another, which is a mistake of the sender's.
pub fn replayed(arrival: &Arrival, found: StoredAnswer) -> Answered {
    let same = arrival.idempotency.as_ref().is_some_and(|(_, body)| *body == found.body);
    let what = if same {
        What::Replay { status: found.status, body: found.answer }
    } else {
        let detail = "this Idempotency-Key came with another body before; use a new key for a new enquiry";
        What::Fresh(Answer::Refused(Problem::new(Code::IdempotencyMismatch, detail)))
    };
    Answered { what, pages: Pages::default(), visitor: None, already: true }
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

/// The key that it came by. It was let in when it came: what became of the key since is not held against it.
pub fn key_of(enquiry: &StoredEnquiry) -> PageKey {
    let (company, source) = (enquiry.company.clone(), enquiry.source.clone());
    PageKey { company, source, generation: LET_IN, origins: Vec::new() }
}

/// The lists that a person is on. What somebody released is kept from going on by suppression alone.
pub fn listed(known: &Known, who: &Understood, by_itself: bool) -> Vec<Reason> {
    let mut listed = Vec::new();
    if known.suppressed {
        listed.push(Reason::Suppressed);
    }
    // Whoever agreed to be called may be (16 CFR 310.4(b)(1)(iii)(B)).
    if known.do_not_call && who.consent.given != Some(true) && by_itself {
        listed.push(Reason::DoNotCall);
    }
    listed
}

/// Whether a lead's person has asked as often within the last hour as is let through.
fn asks_too_often(core: &Core, lead: Option<&Lead>, arrival: &Arrival) -> bool {
    const HOUR_MS: i64 = 3_600_000;
    let at_ms = arrival.at.as_millisecond();
    let within = |ms: i64| ms <= at_ms && at_ms - ms < HOUR_MS;
    // An ad platform's enquiry has no time in its id: of those no person sends so many in a day either. Nor has the row
    // of a file, where nobody is in a hurry.
    let today = arrival.sent_by.map(|_| UtcDay::of(arrival.at));
    let untimed = |enquiry: &EnquiryRef| enquiry.id.minted_ms() == 0 && Some(enquiry.day) == today;
    let asked = lead.into_iter().flat_map(|lead| &lead.enquiries);
    asked.filter(|enquiry| within(enquiry.id.minted_ms()) || untimed(enquiry)).count()
        >= core.screening.velocity.identity as usize
}

/// Since now: what comes from the spill, a file or quarantine arrived long ago.
fn tell_holders(lead: &Lead, arrival: &Arrival, now: Timestamp) -> Vec<Delivery> {
    lead.holders.iter().map(|holder| Delivery::repeated(lead, holder, arrival.id, now)).collect()
}

async fn hand_on(cloud: &Cloud, lead: &Lead, deliveries: &[Delivery]) {
    if lead.stage.closed() {
        // Nobody scores it before its next cycle, by when what a stranger did is gone. That cycle joins it again,
        // which changes nothing.
        for visitor in &lead.visitors_to_join {
            let now = cloud.clock.now();
            if let Err(error) = cloud.store.activity_join(&lead.company, *visitor, lead.id, now).await {
                tracing::warn!(error = &error as &dyn std::error::Error, lead.id = %lead.id, "a visitor's history is joined later");
            }
        }
    }
    // One that was lost is followed up at once.
    if !lead.stage.closed() || lead.stage == Stage::Lost {
        cloud.hand_to_distribution(lead).await;
    }
    for delivery in deliveries {
        cloud.hand_message(delivery, 0).await;
    }
}

/// What it is counted by.
pub fn asked(arrived: &Arrived<'_>, offer: Option<&Offer>) -> Asked {
    let who = &arrived.understood;
    Asked {
        offer: offer.map(|offer| offer.id.clone()),
        category: offer.map(|offer| offer.category.clone()),
        campaign: who.campaign(arrived.core.company.attribution).map(str::to_owned),
        state: contactable(who).location().state(),
        cost: arrived.source.cost_per_lead,
        imported_at: None,
    }
}

/// Who they are, as a lead keeps it.
pub fn contactable(who: &Understood) -> Contactable {
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
