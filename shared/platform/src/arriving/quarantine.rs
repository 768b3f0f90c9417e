//! The quarantine: what waits for a verdict. The desk releases, edits and releases, or rejects, one or many;
//! what it never looked at has a deadline.
//!
//! Determinations:
//!
//! - *Released* goes the usual way, with its own time: identity, cycle, distribution. Nothing screens it again;
//!   only who was suppressed meanwhile stays where they are.
//! - *Edited* are standard fields. What was received stays beside what the desk put right, and what could still
//!   not go on is not edited either.
//! - *Rejected* stays whole and searchable, and can be released for as long as it is kept. Its sender is
//!   told, where its source asks for that, in the commit of the verdict.
//! - *At the deadline* what is doubtful is released, unless `screening.toml` keeps it: silence is no verdict
//!   against a person. What only a person may release (lists, floods, what cannot be understood), and spam, stays
//!   in quarantine, overdue, at the head of the list.
//! - *A second click* changes nothing and gets the first answer. Of a release and a rejection at one moment one
//!   stands, and the other is told.
//! - *Each verdict counts* once for every reason of the enquiry, in the commit that carries it out; a release
//!   after a rejection takes that back. Silence counts for nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use leadyard_domain::distribution::Core;
use leadyard_domain::enquiry::{Fields, Standard, Understood};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, EnquiryId};
use leadyard_domain::limits;
use leadyard_domain::person::{Email, Phone};
use leadyard_domain::rulebook::{Offer, Source};
use leadyard_domain::screening::{Reason, Screening, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, What};
use super::join::{self, Way};
use super::{Arrival, Arrived};
use crate::cloud::Cloud;
use crate::http::Problem;
use crate::store::{Judgement, QUARANTINED, REJECTED, StoreError, StoredEnquiry};
use crate::who::Staff;
use crate::{judging, who};

/// How often a verdict looks again when others were first.
const ROUNDS: usize = 40;

/// Which of them are asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    /// Whose; the only one of whoever asks, if none is named.
    pub company: Option<String>,
    /// `open`, the default, or `done`.
    pub state: Option<String>,
    /// Only those with this reason.
    pub reason: Option<String>,
    /// Only those of this source.
    pub source: Option<String>,
    /// Only those of this verdict.
    pub verdict: Option<String>,
    /// Only those of exactly this person.
    pub email: Option<String>,
    /// Likewise.
    pub phone: Option<String>,
    /// Where the last page ended: its `next`.
    pub after: Option<String>,
}

/// What a list is narrowed to.
struct Filter {
    reason: Option<String>,
    source: Option<String>,
    verdict: Option<Verdict>,
    email: Option<String>,
    phone: Option<Phone>,
}

impl Filter {
    fn read(query: &Listed) -> Result<Self, Problem> {
        let invalid =
            |field: &str, rule: String| Problem::new(Code::InvalidField, format!("{field}: {rule}"));
        let verdict = query.verdict.as_deref().map(str::parse::<Verdict>).transpose();
        let email = query.email.as_deref().map(Email::parse).transpose();
        let phone = query.phone.as_deref().map(Phone::parse).transpose();
        Ok(Self {
            reason: query.reason.clone(),
            source: query.source.clone(),
            verdict: verdict.map_err(|rule| invalid("verdict", rule.to_string()))?,
            email: email.map_err(|rule| invalid("email", rule.to_string()))?.map(|email| email.dedupe_key()),
            phone: phone.map_err(|rule| invalid("phone", rule.to_string()))?,
        })
    }

    /// Whether it leaves any out.
    fn narrows(&self) -> bool {
        let Self { reason, source, verdict, email, phone } = self;
        reason.is_some() || source.is_some() || verdict.is_some() || email.is_some() || phone.is_some()
    }

    fn takes(&self, enquiry: &StoredEnquiry, core: &Core) -> bool {
        let quarantine = enquiry.quarantine.as_ref();
        if self.reason.as_ref().is_some_and(|reason| !enquiry.reasons.contains(reason))
            || self.source.as_ref().is_some_and(|source| source != enquiry.source.as_str())
            || self.verdict.is_some_and(|verdict| quarantine.is_none_or(|found| found.verdict != verdict))
        {
            return false;
        }
        if self.email.is_none() && self.phone.is_none() {
            return true;
        }
        let who = judging::understand(enquiry, core.source(&enquiry.source));
        let email = |asked: &String| who.email.as_ref().is_some_and(|email| email.dedupe_key() == *asked);
        self.email.as_ref().is_none_or(email)
            && self.phone.as_ref().is_none_or(|asked| who.phone.as_ref() == Some(asked))
    }
}

/// A page of a company's quarantine.
pub struct Page {
    /// Whose.
    pub company: CompanyId,
    /// The rules in force.
    pub core: Arc<Core>,
    /// What is open, the longest waiting first; or what was decided, the newest first.
    pub enquiries: Vec<StoredEnquiry>,
    /// How many were looked at.
    pub examined: usize,
    /// What to ask for as `after`, if there may be more.
    pub next: Option<String>,
}

/// A page of those that are asked for: `want` of them, where there are as many among `most` that are looked at.
pub async fn page(
    cloud: &Cloud,
    desk: &Staff,
    query: Listed,
    want: usize,
    most: usize,
) -> Result<Page, Problem> {
    let company = who::company(desk, query.company.as_deref())?;
    let open = match query.state.as_deref() {
        None | Some("open") => true,
        Some("done") => false,
        Some(_) => return Err(Problem::new(Code::InvalidField, "state is open or done")),
    };
    let filter = Filter::read(&query)?;
    let core = who::rules_of(cloud, &company).await?;
    let mut after = query.after.filter(|after| !after.is_empty());
    let (mut enquiries, mut examined) = (Vec::new(), 0);
    let at_a_time = if filter.narrows() { limits::QUARANTINE_PAGE } else { want };
    loop {
        let (page, next) = cloud.store.quarantine_page(&company, open, after.as_deref(), at_a_time).await?;
        examined += page.len();
        enquiries.extend(page.into_iter().filter(|enquiry| filter.takes(enquiry, &core)));
        after = next;
        if after.is_none() || enquiries.len() >= want || examined >= most {
            break;
        }
    }
    Ok(Page { company, core, enquiries, examined, next: after })
}

/// How often a reason was right, by the desk's verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Which.
    pub reason: Reason,
    /// What it weighs now.
    pub weight: u32,
    /// Enquiries that had it, and were released: it was wrong.
    pub released: u32,
    /// Enquiries that had it, and were rejected: it was right.
    pub rejected: u32,
}

impl Tried {
    /// The share of verdicts that it was wrong in.
    pub fn wrong_percent(self) -> u32 {
        let all = u64::from(self.released) + u64::from(self.rejected);
        (u64::from(self.released) * 100 / all.max(1)) as u32
    }
}

/// Of each reason that was judged, how often it was right: the most wrong first.
pub async fn tried(cloud: &Cloud, core: &Core) -> Result<Vec<Tried>, StoreError> {
    let verdicts = cloud.store.verdicts_get(core.company_id()).await?;
    let mut tried: Vec<Tried> = verdicts
        .into_iter()
        .map(|(reason, verdicts)| Tried {
            reason,
            weight: core.screening.weight(reason),
            released: verdicts.released,
            rejected: verdicts.rejected,
        })
        .collect();
    tried.sort_by_key(|one| std::cmp::Reverse((one.wrong_percent(), one.released + one.rejected)));
    Ok(tried)
}

/// What somebody may not see does not exist for them.
pub fn missing() -> Problem {
    Problem::new(Code::NotFound, "there is no such enquiry in quarantine")
}

/// An enquiry that is or was quarantined, for who may act on it.
pub async fn find(cloud: &Cloud, desk: &Staff, id: EnquiryId) -> Result<StoredEnquiry, Problem> {
    let found = cloud.store.enquiry_get(id).await?;
    // What an earlier version quarantined has nothing but its status.
    let found = found.filter(|found| found.quarantine.is_some() || found.status == QUARANTINED);
    let found = found.ok_or_else(missing)?;
    desk.allow(&found.company, missing)?;
    Ok(found)
}

/// What the desk says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// On many: which.
    pub enquiries: Option<Vec<EnquiryId>>,
    /// Edit: standard fields and what they are to say; null for nothing.
    pub fields: Option<BTreeMap<String, Option<String>>>,
    /// Why.
    pub reason: Option<String>,
    /// The status that was looked at, where the desk decides on a page. Without, it is that which the verdict finds.
    #[serde(skip)]
    pub seen: Option<String>,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It goes its way.
    Release,
    /// Put right, and released.
    Edit,
    /// It goes nowhere.
    Reject,
}

impl Act {
    /// By its word.
    pub fn of(word: &str) -> Result<Self, Problem> {
        match word {
            "release" => Ok(Self::Release),
            "edit" => Ok(Self::Edit),
            "reject" => Ok(Self::Reject),
            _ => Err(Problem::new(Code::NotFound, "a verdict is one of: release edit reject")),
        }
    }
}

/// Gives a verdict on one enquiry of one of the companies that the desk was given, looking again where something
/// changed meanwhile. A second click gets the first answer, and `already`; who decides otherwise than somebody did since
/// it was looked at is told so, and nothing follows: of a release and a rejection at one moment one stands.
pub async fn judge(
    cloud: &Cloud,
    desk: &Staff,
    act: Act,
    id: EnquiryId,
    asked: &Asked,
) -> Result<Value, Problem> {
    let staff = desk.staff.as_str();
    let said = asked.reason.as_deref().map(str::trim).filter(|said| !said.is_empty());
    if said.is_some_and(|said| said.chars().count() > limits::NOTE_CHARS) {
        let detail = format!("reason is at most {} characters", limits::NOTE_CHARS);
        return Err(Problem::new(Code::InvalidField, detail));
    }
    let mut seen = asked.seen.clone();
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        // A stranger's enquiry does not exist for this desk.
        let enquiry = find(cloud, desk, id).await?;
        let seen = seen.get_or_insert_with(|| enquiry.status.clone()).as_str();
        if moved_on(&enquiry, act, seen) {
            let detail = format!("it was {} since it was looked at", enquiry.status);
            return Err(Problem::new(Code::StateConflict, detail));
        }
        let judged =
            Judgement { at: cloud.clock.now(), by: Some(staff.to_owned()), said: said.map(str::to_owned) };
        let same = act == Act::Edit
            && !is_open(&enquiry)
            && corrected(cloud, &enquiry, asked).await? == *enquiry.meant();
        // A second click on an edit asks for what was released with just that.
        if let Some(told) = already(&enquiry, if same { Act::Release } else { act })? {
            return Ok(told);
        }
        let done = match act {
            Act::Reject => reject(cloud, enquiry, judged).await?,
            Act::Release => release(cloud, enquiry, judged).await?.map(outcome).transpose()?,
            Act::Edit => {
                let enquiry = edited(cloud, enquiry, asked).await?;
                release(cloud, enquiry, judged).await?.map(outcome).transpose()?
            }
        };
        if let Some(mut told) = done {
            tracing::info!(enquiry.id = %id, quarantine.act = ?act, quarantine.seen = %seen, staff, "the desk gave a verdict");
            if let Some(members) = told.as_object_mut() {
                members.insert("enquiry".to_owned(), json!(id));
            }
            return Ok(told);
        }
    }
    Err(Problem::new(Code::Unavailable, "others keep changing this person's lead; try again").retry_after(1))
}

/// Whether somebody decided otherwise since this status was seen.
pub fn moved_on(enquiry: &StoredEnquiry, act: Act, seen: &str) -> bool {
    let status = enquiry.status.as_str();
    let the_same = match act {
        Act::Reject => status == REJECTED,
        Act::Release | Act::Edit => ![QUARANTINED, REJECTED].contains(&status),
    };
    status != seen && !the_same
}

/// Whether it waits for a verdict, or may be given another.
fn is_open(enquiry: &StoredEnquiry) -> bool {
    [QUARANTINED, REJECTED].contains(&enquiry.status.as_str())
}

/// What stands already: a second click, or a verdict that is no longer to be given.
fn already(enquiry: &StoredEnquiry, act: Act) -> Result<Option<Value>, Problem> {
    let status = enquiry.status.as_str();
    match (status, act) {
        (QUARANTINED, _) | (REJECTED, Act::Release | Act::Edit) => Ok(None),
        (REJECTED, Act::Reject) => {
            Ok(Some(json!({ "enquiry": enquiry.id, "status": REJECTED, "already": true })))
        }
        (_, Act::Release) => Ok(Some(json!({
            "enquiry": enquiry.id, "status": "released", "lead": enquiry.lead, "became": status, "already": true,
        }))),
        (_, Act::Edit | Act::Reject) => {
            let problem = Problem::new(Code::StateConflict, "the enquiry was released already");
            Err(problem.with("lead", json!(enquiry.lead)))
        }
    }
}

async fn reject(
    cloud: &Cloud,
    mut enquiry: StoredEnquiry,
    judged: Judgement,
) -> Result<Option<Value>, Problem> {
    let seen = std::mem::replace(&mut enquiry.status, REJECTED.to_owned());
    remember(cloud, &mut enquiry, judged);
    let core = cloud.rulebooks.current(&cloud.store, &enquiry.company).await?;
    let source = core.as_ref().and_then(|core| core.source(&enquiry.source));
    let told = cloud.postback_of_arrival(source, &enquiry, true, cloud.clock.now()).await?;
    let stands = cloud.store.quarantine_judge(&enquiry, &seen, told.as_ref()).await?;
    if let Some(told) = told.filter(|_| stands) {
        cloud.hand_postback(&told, 0).await;
    }
    Ok(stands.then(|| json!({ "status": REJECTED })))
}

/// Writes down who decided, also where an earlier version wrote nothing else.
fn remember(cloud: &Cloud, enquiry: &mut StoredEnquiry, judged: Judgement) {
    let quarantine = enquiry.quarantine.get_or_insert_with(|| crate::store::Quarantine {
        verdict: Verdict::Doubtful,
        weight: 0,
        until: cloud.clock.now(),
        overdue: true,
        visitor: None,
        trusted: false,
        edited: None,
        judged: None,
    });
    quarantine.judged = Some(judged);
}

/// The same enquiry with standard fields put right.
async fn edited(cloud: &Cloud, mut enquiry: StoredEnquiry, asked: &Asked) -> Result<StoredEnquiry, Problem> {
    let fields = corrected(cloud, &enquiry, asked).await?;
    remember(cloud, &mut enquiry, Judgement { at: cloud.clock.now(), by: None, said: None });
    if let Some(quarantine) = &mut enquiry.quarantine {
        quarantine.edited = Some(fields);
    }
    Ok(enquiry)
}

/// What it says with these standard fields put right.
async fn corrected(cloud: &Cloud, enquiry: &StoredEnquiry, asked: &Asked) -> Result<Fields, Problem> {
    let invalid = |detail: String| Problem::new(Code::InvalidField, detail);
    let mut corrections = Vec::new();
    for (name, value) in asked.fields.iter().flatten() {
        let standard: Standard = name
            .parse()
            .map_err(|rule: leadyard_domain::error::Invalid| invalid(format!("fields: {rule}")))?;
        if standard.is_of_consent() {
            let rule = "is of what the person agreed to: it stays as it was received";
            return Err(invalid(format!("fields: {standard} {rule}")));
        }
        corrections.push((standard, value.clone()));
    }
    if corrections.is_empty() {
        return Err(invalid(r#"fields says what to put right: {"phone": "305-555-0100"}"#.to_owned()));
    }
    let core = who::rules_of(cloud, &enquiry.company).await?;
    let map = core.source(&enquiry.source).map(Source::map).unwrap_or_default();
    enquiry.meant().corrected(&map, &corrections).map_err(|rule| invalid(format!("fields: {rule}")))
}

/// What came of releasing an enquiry.
enum Released {
    /// It went its way.
    Gone(Value),
    /// It cannot, for these reasons.
    Kept(Vec<&'static str>),
}

fn outcome(released: Released) -> Result<Value, Problem> {
    match released {
        Released::Gone(told) => Ok(told),
        Released::Kept(reasons) => {
            let detail = "it cannot go on as it is: edit it, or what keeps it";
            Err(Problem::new(Code::StateConflict, detail).with("reasons", json!(reasons)))
        }
    }
}

/// One round of letting an enquiry go its way; `None` when somebody else was first.
async fn release(
    cloud: &Cloud,
    mut enquiry: StoredEnquiry,
    judged: Judgement,
) -> Result<Option<Released>, StoreError> {
    let kept = |why| Ok(Some(Released::Kept(vec![why])));
    let Some(core) = cloud.rulebooks.current(&cloud.store, &enquiry.company).await? else {
        return kept(Reason::UnknownSource.as_str());
    };
    let (source, understood, offer) = match way_on(&core, &enquiry) {
        Ok(way) => way,
        Err(why) => return kept(why),
    };
    let seen = enquiry.status.clone();
    remember(cloud, &mut enquiry, judged);
    let arrival = arrival_of(&enquiry);
    let arrived =
        Arrived { arrival: &arrival, core: &core, source, fields: enquiry.meant().clone(), understood };
    let way = Way::Released(seen);
    let answered = Box::pin(join::join_and_keep(cloud, &arrived, offer, &mut enquiry, &way)).await?;
    let told =
        |lead, became: &str| Released::Gone(json!({ "status": "released", "lead": lead, "became": became }));
    Ok(answered.and_then(|answered| match answered.what {
        What::Fresh(Answer::Received { lead }) => Some(told(lead, "received")),
        What::Fresh(Answer::Repeat { lead, .. }) => Some(told(lead, "repeat")),
        What::Fresh(Answer::Quarantined { reasons }) => Some(Released::Kept(reasons)),
        // None of these comes of a release.
        What::Fresh(Answer::Test { .. } | Answer::Spilled | Answer::Refused(_)) | What::Replay { .. } => None,
    }))
}

/// Who sent it, what it means and what it asks for; else the word of what keeps it from going on.
fn way_on<'a>(
    core: &'a Core,
    enquiry: &StoredEnquiry,
) -> Result<(&'a Source, Understood, &'a Offer), &'static str> {
    let source = core.source(&enquiry.source).ok_or(Reason::UnknownSource.as_str())?;
    if source.test {
        // What a test sends is nobody's lead, whatever the desk puts right in it.
        return Err("test");
    }
    if enquiry.raw.is_some() && enquiry.meant().is_empty() {
        return Err(Reason::Unreadable.as_str());
    }
    let understood = judging::understand(enquiry, Some(source));
    if !understood.reachable() {
        return Err(Reason::UnreachablePerson.as_str());
    }
    let offer = core.offer_of(source, understood.offer.as_deref());
    let offer = offer.ok_or(Reason::UnknownOffer.as_str())?;
    Ok((source, understood, offer))
}

/// What keeps an enquiry from going on as it is, in a word; nothing, where a release would let it go. Who is
/// suppressed is not looked at.
pub fn kept_by(core: &Core, enquiry: &StoredEnquiry) -> Option<&'static str> {
    way_on(core, enquiry).err()
}

/// The arrival that it was.
fn arrival_of(enquiry: &StoredEnquiry) -> Arrival {
    let quarantine = enquiry.quarantine.as_ref();
    let visitor = quarantine.and_then(|quarantine| quarantine.visitor);
    Arrival {
        id: enquiry.id,
        key: join::key_of(enquiry),
        trusted: quarantine.is_some_and(|quarantine| quarantine.trusted),
        at: enquiry.received_at,
        content_type: String::new(),
        body: Bytes::new(),
        idempotency: None,
        visitor,
        gpc: enquiry.gpc,
        user_agent: enquiry.user_agent.clone(),
        address: None,
        ip: None,
        sent_by: None,
        spilled: enquiry.spilled,
        tried: false,
    }
}

/// The deadline of a quarantined enquiry is there: see the module. It is looked at once.
///
/// # Errors
/// When the store could not be asked, or stayed contended: it is looked at again.
pub async fn deadline(cloud: &Cloud, id: EnquiryId) -> Result<(), StoreError> {
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let Some(mut enquiry) = cloud.store.enquiry_get(id).await? else { return Ok(()) };
        let Some(quarantine) = &enquiry.quarantine else { return Ok(()) };
        let now = cloud.clock.now();
        if enquiry.status != QUARANTINED || quarantine.overdue || now < quarantine.until {
            return Ok(());
        }
        let core = cloud.rulebooks.current(&cloud.store, &enquiry.company).await?;
        let concluded = concluded(&enquiry);
        let lets_go =
            core.zip(concluded).is_some_and(|(core, concluded)| core.screening.releases(&concluded));
        if lets_go {
            let silence = Judgement { at: now, by: None, said: None };
            match release(cloud, enquiry.clone(), silence).await? {
                Some(Released::Gone(_)) => {
                    tracing::info!(enquiry.id = %id, "a quarantined enquiry was released by its deadline");
                    return Ok(());
                }
                Some(Released::Kept(_)) => {}
                None => continue,
            }
        }
        if let Some(quarantine) = &mut enquiry.quarantine {
            quarantine.overdue = true;
        }
        if cloud.store.quarantine_judge(&enquiry, QUARANTINED, None).await? {
            tracing::warn!(enquiry.id = %id, "a quarantined enquiry is overdue");
            return Ok(());
        }
    }
    Err(StoreError::Contended)
}

/// What was concluded of it; `None` where a newer version had a reason that is not known here.
fn concluded(enquiry: &StoredEnquiry) -> Option<Screening> {
    let quarantine = enquiry.quarantine.as_ref()?;
    let reasons =
        enquiry.reasons.iter().map(|reason| reason.parse().ok()).collect::<Option<Vec<Reason>>>()?;
    Some(Screening { verdict: quarantine.verdict, weight: quarantine.weight, reasons })
}
