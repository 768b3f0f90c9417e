//! What arrives is let in, read, and comes to its lead; or is kept aside, whatever it is.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leadyard_domain::access::Platform;
use leadyard_domain::distribution::Core;
use leadyard_domain::enquiry::{Enquiry, Fields, GoogleLead};
use leadyard_domain::error::{Code, FieldError};
use leadyard_domain::ids::{CompanyId, EnquiryId};
use leadyard_domain::rulebook::Source;
use leadyard_domain::screening::{self, Reason};
use leadyard_platform::arriving::answer::{Answer, Answered, Pages};
use leadyard_platform::arriving::join::{
    Way, aside, asked, capped, counts, join_and_keep, quarantine, replayed, set_aside,
};
use leadyard_platform::arriving::whose::{Asking, WAS_ERASED, was_erased};
use leadyard_platform::arriving::{Arrival, Arrived, LET_IN, visitor};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::store::{REPLAY, StoreError, StoredConsent, StoredEnquiry, TEST};

use crate::arrive;
use crate::{screen, trial};

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
    // By the day on which it came: a key that has aged since is not held against what waited in the spill.
    let lets_in = |source: &&Source| {
        arrival.spilled && arrival.key.generation == LET_IN || source.lets_in(arrival.key.generation, today)
    };
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
            return unreadable(cloud, &core, arrival, arrival.is_test() || source.test, problem)
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

/// A key that is too old is refused. What came by way of the spill was acknowledged: it is kept aside, whatever became
/// of its source since, and where nobody could tell that its key was void.
async fn no_source(cloud: &Cloud, core: &Core, arrival: &Arrival) -> Result<Answered, StoreError> {
    if !arrival.spilled {
        let detail = "the page key is of an older generation, or its source is gone";
        return Ok(Answered::fresh(Answer::Refused(Problem::new(Code::Unauthorized, detail))));
    }
    let enquiry = raw(arrival);
    let screening = screening::conclude(&core.screening, [Reason::UnknownSource]);
    quarantine(cloud, core, arrival, enquiry, &screening, None).await
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
    is_test: bool,
    problem: Problem,
) -> Result<Answered, StoreError> {
    let mut enquiry = raw(arrival);
    if is_test {
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
        if arrived.source.test {
            // Told as a real one is, so that its sender sees what to put right; and nobody is to release it.
            TEST.clone_into(&mut enquiry.status);
        } else {
            let mut signs = screen::signs(cloud, arrived, false).await;
            // Why it reaches nobody says the one reason.
            signs.retain(|sign| !matches!(sign, Reason::MalformedEmail | Reason::ImpossiblePhone));
            signs.push(Reason::UnreachablePerson);
            set_aside(cloud, arrived.core, arrival, &mut enquiry, &conclude(signs), None);
        }
        let problem = Problem::new(Code::UnreachablePerson, "give an e-mail address or a phone number")
            .fields(arrived.understood.notes.clone())
            .with("enquiry", arrival.id.to_string());
        return aside(cloud, arrived.core, arrival, &enquiry, Answer::Refused(problem), None).await;
    }
    if arrived.source.test {
        return Box::pin(trial::keep(cloud, arrived, offer, enquiry)).await;
    }
    let Some(offer) = offer else {
        let mut signs = screen::signs(cloud, arrived, false).await;
        signs.push(Reason::UnknownOffer);
        let browser = visitor(cloud, arrived);
        return quarantine(cloud, arrived.core, arrival, enquiry, &conclude(signs), browser).await;
    };
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
