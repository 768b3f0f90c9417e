//! An arrival becomes an enquiry, its lead and its identities: one conditional commit, before anything
//! is decided. Twenty posts of one person at one moment are one lead and twenty enquiries: of those
//! who find the same identities free, the store lets one claim them, and the others look again.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::access::{PageKey, Platform};
use leadyard_domain::contract::Caps;
use leadyard_domain::distribution::{Core, Reservation};
use leadyard_domain::enquiry::{Enquiry, Fields, GoogleLead, Understood};
use leadyard_domain::error::{Code, FieldError};
use leadyard_domain::ids::{CompanyId, EnquiryId, VisitorId};
use leadyard_domain::lead::{self, Contactable, Lead};
use leadyard_domain::limits;
use leadyard_domain::person::Phone;
use leadyard_domain::report::Asked;
use leadyard_domain::rulebook::{Offer, Source};
use leadyard_domain::screening::{self, Reason, Screening, Verdict};
use leadyard_domain::time;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::store::{
    Delivery, Keep, Kept, QUARANTINED, Quarantine, REPLAY, SourceCounts, StoreError, StoredAnswer,
    StoredConsent, StoredEnquiry, TEST,
};

use crate::answer::{Answer, Answered, Pages, What};
use crate::arrive::{self, Arrival};
use crate::whose::{Asking, Known, WAS_ERASED, identity_writes, was_erased, whose};
use crate::{screen, trial};

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
    let today = core.today(arrival.at);
    let lets_in = |source: &&Source| arrival.spilled || source.lets_in(arrival.key.generation, today);
    let Some(source) = core.source(&arrival.key.source).filter(lets_in) else {
        // An older rulebook may not know the source yet: the spill asks the one in force.
        return if sure { no_source(cloud, &core, arrival).await } else { Err(StoreError::Contended) };
    };
    let pages = Pages { thank_you: source.thank_you.clone(), error: source.error_page.clone() };
    if let Some(problem) = past_its_end(&core, source, arrival).filter(|_| sure) {
        return Ok(Answered::fresh(Answer::Refused(problem)).with_pages(pages));
    }
    if let Some(replay) = replay(cloud, arrival).await? {
        return Ok(replay.with_pages(pages));
    }
    // Before anything is known of the enquiry: whoever is told so must not learn who is known.
    if !arrival.is_not_refused()
        && let Some(counts) = counts(cloud, &core, source, arrival).await?
        && let Some(problem) = capped(&core, &counts, arrival)
    {
        return Ok(Answered::fresh(Answer::Refused(problem)).with_pages(pages));
    }
    let fields = match arrive::fields(arrival, source) {
        Ok(fields) => fields,
        Err(problem) => {
            return unreadable(cloud, &core, arrival, problem)
                .await
                .map(|answered| answered.with_pages(pages));
        }
    };
    let sent = Enquiry {
        fields: fields.clone(),
        received_at: arrival.at,
        global_privacy_control: arrival.gpc,
        ip: arrival.ip,
    };
    let understood = sent.understand(&source.map());
    let arrived = Arrived { arrival, core: &core, source, fields, understood };
    Box::pin(take(cloud, &arrived, sure)).await.map(|answered| answered.with_pages(pages))
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
async fn no_source(cloud: &Cloud, core: &Core, arrival: &Arrival) -> Result<Answered, StoreError> {
    if !arrival.spilled {
        let detail = "the page key is of an older generation, or its source is gone";
        return Ok(Answered::fresh(Answer::Refused(Problem::new(Code::Unauthorized, detail))));
    }
    let enquiry = raw(arrival);
    let screening = screening::conclude(&core.screening, [Reason::UnknownSource]);
    quarantine(cloud, core, arrival, enquiry, &screening, None).await
}

/// The new leads of a source that has a cap: nothing moves for a test.
async fn counts<'a>(
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
fn capped(core: &Core, counts: &SourceCounts<'_>, arrival: &Arrival) -> Option<Problem> {
    let (period, cap) = counts.full()?;
    let zone = time::zone(&core.company.zone).unwrap_or(TimeZone::UTC);
    let ends = period.end(counts.now, &zone, core.company.week_starts)?;
    let until = Timestamp::from_second(ends).ok()?;
    let wait_s = until.duration_since(counts.now).as_secs().max(1) as u32;
    tracing::info!(company.id = %arrival.key.company, source.id = %arrival.key.source, cap.period = %period, "a source's cap is full");
    let detail = format!("this source's cap of {cap} leads a {period} is reached until {until}");
    Some(Problem::new(Code::CapReached, detail).with("until", until.to_string()).retry_after(wait_s))
}

fn past_its_end(core: &Core, source: &Source, arrival: &Arrival) -> Option<Problem> {
    let ends = source.ends.filter(|_| !arrival.spilled)?;
    (core.today(arrival.at) > ends)
        .then(|| Problem::new(Code::SourceClosed, format!("this source took leads until {ends}")))
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
    Answered { what, pages: Pages::default(), visitor: None, already: true }
}

/// The key that it came by. It was let in when it came: what became of the key since is not held against it.
pub(crate) fn key_of(enquiry: &StoredEnquiry) -> PageKey {
    let (company, source) = (enquiry.company.clone(), enquiry.source.clone());
    PageKey { company, source, generation: 0, origins: Vec::new() }
}

fn stored(arrival: &Arrival, fields: Fields) -> StoredEnquiry {
    StoredEnquiry {
        id: arrival.id,
        company: arrival.key.company.clone(),
        source: arrival.key.source.clone(),
        received_at: arrival.at,
        fields,
        consent: None,
        asked: None,
        raw: None,
        raw_base64: None,
        lead: None,
        status: "received".to_owned(),
        reasons: Vec::new(),
        user_agent: arrival.user_agent.clone(),
        spilled: arrival.spilled,
        gpc: arrival.gpc,
        visitor: None,
        quarantine: None,
        fetch: None,
        replay_of: None,
    }
}

/// One of which nothing is read.
fn raw(arrival: &Arrival) -> StoredEnquiry {
    let body = without_key(arrival);
    let text = String::from_utf8_lossy(&body);
    let raw_base64 = matches!(text, Cow::Owned(_)).then(|| STANDARD.encode(&body));
    StoredEnquiry { raw: Some(text.into_owned()), raw_base64, ..stored(arrival, Fields::default()) }
}

/// The body as it may be kept: of what Google sent, not the key in it that proves it. Where that key is written in
/// other characters than it reads, the members stand in place of the text.
fn without_key(arrival: &Arrival) -> Cow<'_, [u8]> {
    let of_google = arrival.sent_by.is_some_and(|sent_by| sent_by.platform == Platform::Google);
    let Some(key) = of_google.then(|| GoogleLead::read(&arrival.body).ok()).flatten() else {
        return Cow::Borrowed(&arrival.body);
    };
    let key = Some(key.google_key).filter(|key| !key.is_empty());
    let Some(key) = key else { return Cow::Borrowed(&arrival.body) };
    let text = String::from_utf8_lossy(&arrival.body).replace(&key, "***");
    if GoogleLead::read(text.as_bytes()).is_ok_and(|again| again.google_key != key) {
        return Cow::Owned(text.into_bytes());
    }
    let mut fields = Fields::default();
    for (name, value) in Vec::from(Fields::from_json(&arrival.body).unwrap_or_default()) {
        if name != "google_key" {
            // There are no more than were read.
            let _ = fields.push(&name, value);
        }
    }
    Cow::Owned(arrive::json_of(&fields))
}

/// What was sent again and taken in by then: of the first nothing is kept but which enquiry it is.
pub(crate) async fn note_replay(
    cloud: &Cloud,
    arrival: &Arrival,
    taken_in: EnquiryId,
) -> Result<(), StoreError> {
    let mut enquiry = stored(arrival, Fields::default());
    REPLAY.clone_into(&mut enquiry.status);
    enquiry.user_agent = None;
    enquiry.replay_of = Some(taken_in);
    cloud.store.enquiry_note(&enquiry).await.map(drop)
}

/// What cannot be parsed is stored raw: the sender is told what was wrong, and a person may look.
async fn unreadable(
    cloud: &Cloud,
    core: &Core,
    arrival: &Arrival,
    problem: Problem,
) -> Result<Answered, StoreError> {
    let mut enquiry = raw(arrival);
    if arrival.is_test() {
        // Nobody is to put it right and release it.
        TEST.clone_into(&mut enquiry.status);
    } else {
        let screening = screening::conclude(&core.screening, [Reason::Unreadable]);
        set_aside(cloud, core, arrival, &mut enquiry, &screening, None);
    }
    let problem = problem.with("enquiry", arrival.id.to_string());
    aside(cloud, core, arrival, &enquiry, Answer::Refused(problem), None).await
}

/// What an ad platform told of, and did not give within its time: the desk sees that it was there.
pub(crate) async fn unfetched(
    cloud: &Cloud,
    arrival: &Arrival,
    noted: &StoredEnquiry,
) -> Result<(), StoreError> {
    let Some((core, _)) = core(cloud, &arrival.key.company).await? else {
        return Err(StoreError::Contended);
    };
    let enquiry = StoredEnquiry { fetch: None, ..noted.clone() };
    let screening = screening::conclude(&core.screening, [Reason::MetaUnfetched]);
    quarantine(cloud, &core, arrival, enquiry, &screening, None).await.map(drop)
}

/// Takes in what was understood.
pub(crate) async fn take(cloud: &Cloud, arrived: &Arrived<'_>, sure: bool) -> Result<Answered, StoreError> {
    let arrival = arrived.arrival;
    let asking = Asking {
        company: &arrival.key.company,
        core: arrived.core,
        who: &arrived.understood,
        at: arrival.at,
    };
    if was_erased(cloud, asking, arrival.spilled).await? {
        let fault = FieldError { pointer: "/received_at".to_owned(), detail: WAS_ERASED.to_owned() };
        let problem = Problem::new(Code::StateConflict, WAS_ERASED).fields(vec![fault]);
        return Ok(Answered::fresh(Answer::Refused(problem)));
    }
    let mut enquiry = stored(arrival, arrived.fields.clone());
    enquiry.consent = Some(StoredConsent::of(&arrived.understood, arrival.at));
    let conclude = |signs: Vec<Reason>| screening::conclude(&arrived.core.screening, signs);
    let offer = arrived.core.offer_of(arrived.source, arrived.understood.offer.as_deref());
    if arrival.is_test() {
        // Whatever it says, nobody is to release it.
        let offer = offer.filter(|_| arrived.understood.reachable());
        return Box::pin(trial::keep(cloud, arrived, offer, enquiry)).await;
    }
    enquiry.asked = Some(asked(arrived, offer));
    if !arrived.understood.reachable() {
        let mut signs = screen::signs(cloud, arrived, false).await;
        // Why it reaches nobody says the one reason.
        signs.retain(|sign| !matches!(sign, Reason::MalformedEmail | Reason::ImpossiblePhone));
        signs.push(Reason::UnreachablePerson);
        set_aside(cloud, arrived.core, arrival, &mut enquiry, &conclude(signs), None);
        let problem = Problem::new(Code::UnreachablePerson, "give an e-mail address or a phone number")
            .fields(arrived.understood.notes.clone())
            .with("enquiry", arrival.id.to_string());
        return aside(cloud, arrived.core, arrival, &enquiry, Answer::Refused(problem), None).await;
    }
    let Some(offer) = offer else {
        let mut signs = screen::signs(cloud, arrived, false).await;
        signs.push(Reason::UnknownOffer);
        let visitor = arrive::visitor(cloud, arrived);
        return quarantine(cloud, arrived.core, arrival, enquiry, &conclude(signs), visitor).await;
    };
    if arrived.source.test {
        return Box::pin(trial::keep(cloud, arrived, Some(offer), enquiry)).await;
    }
    // Of a table that is away nobody asks twice.
    let way = Way::Arrives(screen::signs(cloud, arrived, sure).await);
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let kept = Box::pin(join_and_keep(cloud, arrived, offer, &mut enquiry, &way));
        if let Some(answered) = kept.await? {
            return Ok(answered);
        }
    }
    Err(StoreError::Contended)
}

/// Marks an enquiry as one that waits for a verdict.
fn set_aside(
    cloud: &Cloud,
    core: &Core,
    arrival: &Arrival,
    enquiry: &mut StoredEnquiry,
    screening: &Screening,
    visitor: Option<VisitorId>,
) {
    let hours = SignedDuration::from_hours(i64::from(core.screening.deadline_hours));
    let now = cloud.clock.now();
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
async fn quarantine(
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
pub(crate) async fn aside(
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

/// How an enquiry comes to its lead.
pub(crate) enum Way {
    /// It arrives, with these signs.
    Arrives(Vec<Reason>),
    /// It is released from quarantine, where it had this status: nobody screens it again.
    Released(String),
}

/// One round: whose is it, and keep it so. `None` when somebody else was first.
pub(crate) async fn join_and_keep(
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
    let visitor = arrive::visitor(cloud, arrived);
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
    let news = lead::Arrival {
        enquiry: arrival.id,
        at: arrival.at,
        person: contactable(who),
        offer: offer.id.clone(),
        category: offer.category.clone(),
        source: arrived.source.id.clone(),
        campaign: who.credited(core.company.attribution).campaign().map(str::to_owned),
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
        let expires = who.consent.certificate_expires(arrival.at, core.company.certificate_days);
        let ahead = SignedDuration::from_hours(24 * limits::CERTIFICATE_WARNING_DAYS);
        lead.certificate_warning = expires.and_then(|expires| expires.checked_sub(ahead).ok());
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

/// The lists that a person is on. What somebody released is kept from going on by suppression alone.
pub(crate) fn listed(known: &Known, who: &Understood, by_itself: bool) -> Vec<Reason> {
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
    let asked = lead.into_iter().flat_map(|lead| &lead.enquiries);
    asked.filter(|enquiry| within(enquiry.id.minted_ms())).count()
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
    } else {
        cloud.hand_to_distribution(lead).await;
    }
    for delivery in deliveries {
        cloud.hand_message(delivery, 0).await;
    }
}

/// What it is counted by.
fn asked(arrived: &Arrived<'_>, offer: Option<&Offer>) -> Asked {
    let who = &arrived.understood;
    Asked {
        offer: offer.map(|offer| offer.id.clone()),
        category: offer.map(|offer| offer.category.clone()),
        campaign: who.credited(arrived.core.company.attribution).campaign().map(str::to_owned),
        state: contactable(who).location().state(),
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
