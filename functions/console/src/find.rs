//! Finding leads: by an exact e-mail, phone or id; or from one list, in its order: the hottest, a stage's, a dealer's, a
//! source's. Old leads are as near as new ones: what is read does not grow with how many there are.
//!
//! A list has the order of its index, or another that its leads are put in; the filters are applied within, and the answer
//! says how many leads were looked at, so that an empty page is told from an empty list.
//!
//! | list | order |
//! |---|---|
//! | `hottest` | open leads by score as of now |
//! | `stage` | by score as of now (of sold and closed ones in steps), then the newest |
//! | `stage` by `time` | whose sale cycle began last first |
//! | `dealer` (`open` or `shut`) | the assignment's time, the newest first |
//! | `dealer` by `score` | by score as of now, of the [newest](limits::SEARCH_EXAMINED) that it was given |
//! | `source` | who asked last first: the leads that count as this source's |
//! | `source` by `score` | by score as of now, of its newest |
//! | offers that lapse | who lapses first, within [`SOON`] |
//! | a number of a day | see [`day`] |
//!
//! The hottest that filters are applied to are the hundred in nobody's hands and the hundred that dealers have, and of a
//! source its newest as well.
//!
//! Determination. *No index has a stage in order of time*, which would be written at every change of every lead. That of
//! its score says when each cycle began: of each fit letter and shard the [first](limits::BY_TIME_LEADS) are put in order
//! by that. What a lead did fades, so among them are those that did something last; where more stand behind them, the answer
//! says so.

mod hottest;
mod day;
mod person;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::Not;
use std::str::FromStr;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::access::Role;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::distribution::{Core, Waiting};
use leadyard_domain::error::{Code, FieldError, Invalid};
use leadyard_domain::ids::{AssignmentId, CompanyId, DealerId, LeadId, OfferId, SourceId};
use leadyard_domain::lead::{Lead, ScoreNow, Stage};
use leadyard_domain::limits;
use leadyard_domain::person::{Email, Phone};
use leadyard_domain::place::State as UsState;
use leadyard_domain::time::UtcDay;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Problem};
use leadyard_platform::now;
use leadyard_platform::scores::{Ranked, Scores};
use leadyard_platform::store::{self, Place, StoreError};
use leadyard_platform::who::{self, Desk, READS, Staff};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use self::day::{Figure, OfDay};
pub(crate) use self::person::known_in;
use crate::masked;

/// Leads that one read of the table takes.
const ONE_READ: usize = 100;
/// An offer is about to lapse so long before it does.
pub(crate) const SOON: SignedDuration = SignedDuration::from_hours(2);

/// Another order than a list's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    Time,
    Score,
}

/// Behind whom a stage's list goes on, and as of which day it is in order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Behind(String, LeadId, UtcDay);

impl Behind {
    /// As an address has it.
    pub(crate) fn written(place: &Place, scores: &Scores<'_>) -> String {
        written(&Self(place.0.clone(), place.1, scores.today()))
    }

    /// The scores of the day that a list goes on with, and the place behind which it does: where it begins, those of now.
    pub(crate) fn scores(after: Option<Self>, core: &Core, now: Timestamp) -> (Scores<'_>, Option<Place>) {
        match after {
            None => (Scores::of(core, now), None),
            Some(Self(sort, lead, day)) => (Scores::on(core, day), Some((sort, lead))),
        }
    }
}

/// What is sought: exactly one of `lead`, `email`, `phone`, `hottest`, `stage`, `dealer`, `source`, `lapsing` and `day`.
/// Written is the list alone, with its filters: see [`Asked::told`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Asked {
    #[serde(skip_serializing)]
    pub(crate) company: Option<String>,
    #[serde(skip_serializing)]
    pub(crate) lead: Option<String>,
    #[serde(skip_serializing)]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing)]
    pub(crate) phone: Option<String>,
    #[serde(skip_serializing_if = "Not::not")]
    pub(crate) hottest: bool,
    pub(crate) stage: Option<String>,
    pub(crate) dealer: Option<String>,
    /// Of a dealer's: those that are over.
    #[serde(skip_serializing_if = "Not::not")]
    pub(crate) shut: bool,
    pub(crate) source: Option<String>,
    /// Of a stage, a dealer or a source.
    pub(crate) order: Option<Order>,
    /// The offers that are about to lapse.
    #[serde(skip_serializing_if = "Not::not")]
    pub(crate) lapsing: bool,
    /// The leads behind a number of a day, as [`OfDay`] reads it.
    pub(crate) day: Option<String>,
    pub(crate) only: Only,
    /// At most; see [`limits::SEARCH_LEADS`].
    #[serde(skip_serializing)]
    pub(crate) limit: Option<usize>,
    /// Where the last page ended: its `next`.
    #[serde(skip_serializing)]
    pub(crate) after: Option<String>,
    /// Of what reads page after page in one answer: from then on it looks no further, and says where it ended.
    #[serde(skip)]
    pub(crate) until: Option<Timestamp>,
}

impl Asked {
    /// The list and its filters, for a record of what was asked: not whose, from where and how many.
    pub(crate) fn told(&self) -> Value {
        said(json!(self))
    }

    /// Whether it asks for a list, and not for who is known by e-mail, phone or id.
    pub(crate) const fn is_list(&self) -> bool {
        self.lead.is_none() && self.email.is_none() && self.phone.is_none()
    }
}

/// What of it is neither null nor empty.
fn said(told: Value) -> Value {
    let Value::Object(told) = told else { return told };
    let told = told.into_iter().map(|(name, value)| (name, said(value)));
    Value::Object(told.filter(|(_, value)| !value.is_null() && *value != json!({})).collect())
}

/// Filters, applied within the list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Only {
    pub(crate) offer: Option<OfferId>,
    pub(crate) source: Option<SourceId>,
    /// In nobody's hands, or in somebody's.
    pub(crate) held: Option<bool>,
    pub(crate) state: Option<UsState>,
    /// At least so many points as of now.
    pub(crate) points: Option<u64>,
    /// Those that wait for this reason.
    pub(crate) waits: Option<Waiting>,
    /// Those that a dealer has, and none has reached.
    #[serde(skip_serializing_if = "Not::not")]
    pub(crate) unreached: bool,
}

impl Only {
    /// Whether it leaves out more than a choice of stages does.
    fn narrows(&self) -> bool {
        let Self { offer, source, held: _, state, points, waits, unreached } = self;
        let asked = offer.is_some() || source.is_some() || state.is_some() || points.is_some();
        asked || waits.is_some() || *unreached
    }

    /// Whether it leaves out any lead of a list.
    fn leaves_out(&self) -> bool {
        self.narrows() || self.held.is_some()
    }

    fn takes(&self, lead: &Lead, score: Option<&ScoreNow>) -> bool {
        self.offer.as_ref().is_none_or(|offer| *offer == lead.offer)
            && self.source.as_ref().is_none_or(|source| *source == lead.source)
            && self.held.is_none_or(|held| held != lead.holders.is_empty())
            && (self.waits.is_none() || self.waits == lead.waiting)
            && (self.state.is_none() || self.state == lead.location().state())
            && self.points.is_none_or(|points| {
                score.is_some_and(|score| score.hundredths >= points.saturating_mul(100))
            })
    }
}

/// A page of leads.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) leads: Vec<(Lead, Option<ScoreNow>)>,
    pub(crate) examined: usize,
    pub(crate) next: Option<String>,
    /// Of a list that was put in order, or of which the top alone is shown: more stand behind, as far as was looked.
    pub(crate) more: bool,
    /// Of what is read dealer after dealer: as far as the how manieth of how many.
    pub(crate) dealers: Option<(usize, usize)>,
}

/// `POST /v1/leads/search`.
pub(crate) async fn search(
    State(cloud): State<Cloud>,
    Desk(desk): Desk<READS>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let body = http::body(body, limits::BODY_BYTES).await?;
    let asked: Asked = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(Code::InvalidField, format!("the body is no search: {}", of_shape(&error, &body, "")))
    })?;
    let company = who::company(&desk, asked.company.as_deref())?;
    let core = who::rules_of(&cloud, &company).await?;
    let found = find(&cloud, &desk, &core, &asked).await?;
    let named = desk.may(&company, Role::Desk);
    let leads: Vec<Value> =
        found.leads.iter().map(|(lead, score)| tell(lead, score.as_ref(), named)).collect();
    Ok(Json(json!({
        "leads": leads, "examined": found.examined, "next": found.next, "more": found.more,
    })))
}

/// What serde says, without what was sent: where it is; and of a filter that is none, which and its rule. The list stands
/// at `list`, a JSON pointer.
pub(crate) fn of_shape(error: &serde_json::Error, body: &[u8], list: &str) -> String {
    fn rule<T: FromStr<Err = Invalid>>(text: Option<&str>) -> Option<String> {
        text?.parse::<T>().err().map(|rule| rule.to_string())
    }
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let of = |name: &str| sent.pointer(&format!("{list}/only/{name}")).and_then(Value::as_str);
    let filters = [
        ("offer", rule::<OfferId>(of("offer"))),
        ("source", rule::<SourceId>(of("source"))),
        ("state", rule::<UsState>(of("state"))),
        ("waits", rule::<Waiting>(of("waits"))),
    ];
    let broken = filters.into_iter().find_map(|(name, rule)| Some(format!("only.{name}: {}", rule?)));
    broken.unwrap_or_else(|| format!("line {}, column {}", error.line(), error.column()))
}

/// What the rules say.
pub(crate) async fn find(cloud: &Cloud, desk: &Staff, core: &Core, asked: &Asked) -> Result<Found, Problem> {
    let limit = asked.limit.unwrap_or(50).clamp(1, limits::SEARCH_LEADS);
    let seek = Seek { cloud, core, asked, limit, scores: Scores::of(core, cloud.clock.now()) };
    match of(asked)? {
        List::Lead(id) => {
            let lead = cloud.store.lead_get(id).await?.filter(|lead| desk.companies.contains(&lead.company));
            Ok(seek.all(lead.into_iter().collect()))
        }
        List::Person(contact) => {
            Ok(seek.all(person::leads_in(cloud, &[core.company_id().clone()], &contact).await?))
        }
        List::Hottest => seek.hottest().await,
        List::Stage(stage) if asked.order == Some(Order::Time) => seek.stage_by_time(stage).await,
        List::Stage(stage) => seek.stage(stage).await,
        List::Dealer(dealer) if asked.order == Some(Order::Score) => seek.dealer_by_score(&dealer).await,
        List::Dealer(dealer) => seek.dealer(&dealer).await,
        List::Source(source) if asked.order == Some(Order::Score) => {
            let only = Only { source: Some(source), ..asked.only.clone() };
            let hottest = Asked { only, ..asked.clone() };
            Seek { asked: &hottest, ..seek }.hottest().await
        }
        List::Source(source) => seek.source(&source).await,
        List::Lapsing => Box::pin(seek.lapsing()).await,
        List::Day(day) => Box::pin(seek.of_day(day)).await,
    }
}

/// Until when an answer reads on that begins now.
pub(crate) fn reads_until(cloud: &Cloud) -> Timestamp {
    let long = SignedDuration::from_secs(limits::READING_SECONDS);
    cloud.clock.now().saturating_add(long).unwrap_or(Timestamp::MAX)
}

/// Which list is asked for.
enum List {
    Lead(LeadId),
    Person(Contact),
    Hottest,
    Stage(Stage),
    Dealer(DealerId),
    Source(SourceId),
    Lapsing,
    Day(OfDay),
}

enum Contact {
    Email(Email),
    Phone(Phone),
}

fn of(asked: &Asked) -> Result<List, Problem> {
    let wrong = |field: &str, rule: &str| {
        let fault = FieldError { pointer: format!("/{field}"), detail: rule.to_owned() };
        Problem::new(Code::InvalidField, "the search is not understood").fields(vec![fault])
    };
    let mut lists = Vec::new();
    if let Some(lead) = &asked.lead {
        lists.push(List::Lead(lead.parse().map_err(|_| wrong("lead", "a lead's id is a UUID"))?));
    }
    if let Some(email) = &asked.email {
        let email = Email::parse(email).map_err(|_| wrong("email", "an e-mail is asked for exactly"))?;
        lists.push(List::Person(Contact::Email(email)));
    }
    if let Some(phone) = &asked.phone {
        let phone = Phone::parse(phone).map_err(|_| wrong("phone", "a phone is asked for whole"))?;
        lists.push(List::Person(Contact::Phone(phone)));
    }
    if asked.hottest {
        lists.push(List::Hottest);
    }
    if let Some(stage) = &asked.stage {
        lists.push(List::Stage(stage.parse().map_err(|_| wrong("stage", "there is no such stage"))?));
    }
    if let Some(dealer) = &asked.dealer {
        lists.push(List::Dealer(DealerId::new(dealer).map_err(|_| wrong("dealer", "a dealer is an id"))?));
    }
    if let Some(source) = &asked.source {
        lists.push(List::Source(SourceId::new(source).map_err(|_| wrong("source", "a source is an id"))?));
    }
    if asked.lapsing {
        lists.push(List::Lapsing);
    }
    if let Some(day) = &asked.day {
        let day = OfDay::read(day).ok_or_else(|| wrong("day", "there is no such list of a day"))?;
        lists.push(List::Day(day));
    }
    match (lists.pop(), lists.is_empty()) {
        (Some(List::Lead(_) | List::Person(_) | List::Hottest | List::Lapsing | List::Day(_)), true)
            if asked.order.is_some() =>
        {
            Err(wrong("order", "order goes with stage, dealer or source"))
        }
        (Some(list), true) => Ok(list),
        _ => Err(wrong(
            "",
            "name exactly one of lead, email, phone, hottest, stage, dealer, source, lapsing and day",
        )),
    }
}

/// Whether a lead may stand among the hottest.
fn is_open(lead: &Lead) -> bool {
    matches!(lead.stage, Stage::Waiting | Stage::Nurturing | Stage::Assigned)
}

/// The hottest first.
fn by_score(leads: &mut [(Lead, Option<ScoreNow>)]) {
    leads.sort_by_key(|(lead, score)| {
        let hundredths = score.map_or(0, |score| score.hundredths);
        (Reverse(hundredths), Reverse(lead.last_enquiry_at), lead.id)
    });
}

/// One search.
struct Seek<'a> {
    cloud: &'a Cloud,
    core: &'a Core,
    asked: &'a Asked,
    limit: usize,
    scores: Scores<'a>,
}

impl Seek<'_> {
    fn company(&self) -> &CompanyId {
        self.core.company_id()
    }

    /// Those found by what they are: no filter hides them.
    fn all(&self, leads: Vec<Lead>) -> Found {
        let examined = leads.len();
        let scored = |lead: Lead| {
            let score = self.scores.now(&lead);
            (lead, score)
        };
        Found { leads: leads.into_iter().map(scored).collect(), examined, ..Found::default() }
    }

    /// A lead with its score, if it is the company's and the filters take it.
    fn takes(&self, lead: Lead) -> Option<(Lead, Option<ScoreNow>)> {
        let score = self.scores.now(&lead);
        let ours = lead.company == *self.company() && self.asked.only.takes(&lead, score.as_ref());
        ours.then_some((lead, score))
    }

    /// Leads by id; where that is asked for, those alone that nobody has reached, which takes their seats.
    async fn leads(&self, ids: &[LeadId]) -> Result<HashMap<LeadId, Lead>, StoreError> {
        let mut leads = self.cloud.store.leads_get(ids).await?;
        if self.asked.only.unreached {
            let seats = now::seats_of(self.cloud, &leads).await?;
            leads.retain(|lead| now::is_unanswered(lead, &seats));
        }
        Ok(leads.into_iter().map(|lead| (lead.id, lead)).collect())
    }

    /// A stage's by score. From page to page as of the day of the first: engagement fades at midnight, and whom that
    /// brings before a place would be missed behind it.
    async fn stage(&self, stage: Stage) -> Result<Found, Problem> {
        let mut found = Found::default();
        let (scores, mut from) = Behind::scores(self.after()?, self.core, self.cloud.clock.now());
        let next = |place: &Place| Behind::written(place, &scores);
        loop {
            // Where filters leave many out, so many places that one round of reads is mostly enough.
            let most = if self.asked.only.leaves_out() { 2 * ONE_READ } else { self.limit };
            let Ranked { places, more } = scores.of_stage(self.cloud, stage, from.as_ref(), most).await?;
            let mut places = places.into_iter().peekable();
            while places.peek().is_some() {
                let some: Vec<Place> = places.by_ref().take(self.most_of_stage()).collect();
                let ids: Vec<LeadId> = some.iter().map(|(_, lead)| *lead).collect();
                let mut leads = self.leads(&ids).await?;
                let mut some = some.into_iter().peekable();
                while let Some(place) = some.next() {
                    found.examined += 1;
                    // An index may be behind: who left the stage meanwhile does not stand in its list.
                    let lead = leads.remove(&place.1).filter(|lead| lead.stage == stage);
                    found.leads.extend(lead.and_then(|lead| self.takes(lead)));
                    let is_last = !more && some.peek().is_none() && places.peek().is_none();
                    let enough = found.leads.len() == self.limit || found.examined >= limits::SEARCH_EXAMINED;
                    if enough {
                        found.next = (!is_last).then(|| next(&place));
                        return Ok(found);
                    }
                    from = Some(place);
                }
                if self.is_late() && (more || places.peek().is_some()) {
                    found.next = from.as_ref().map(next);
                    return Ok(found);
                }
            }
            if !more {
                return Ok(found);
            }
        }
    }

    /// How many leads of a stage are read at once: those that filters leave out are read as well.
    fn most_of_stage(&self) -> usize {
        if self.asked.only.leaves_out() { ONE_READ } else { self.limit }
    }

    /// A stage's by when their cycles began, the newest first. The places are read anew for each page, by as many reads
    /// whatever stands behind them; of leads that filters leave out two reads.
    async fn stage_by_time(&self, stage: Stage) -> Result<Found, Problem> {
        let most = limits::BY_TIME_LEADS;
        let of = |category| self.cloud.store.leads_to_order(self.company(), stage, category, most);
        let lists = try_join_all(self.core.waited_in().into_iter().map(of)).await?;
        let mut found = Found { more: lists.iter().any(|(_, whole)| !whole), ..Found::default() };
        let after: Option<Place> = self.after()?;
        let places = lists.into_iter().flat_map(|(places, _)| places);
        let mut places: Vec<Place> = places
            .filter_map(|(sort, lead)| Some((store::keys::opened_of_stage(&sort)?.to_owned(), lead)))
            .filter(|place| after.as_ref().is_none_or(|after| place < after))
            .collect();
        places.sort_unstable_by(|a, b| b.cmp(a));
        // One who moves meanwhile stands in two.
        places.dedup();
        let most = if self.asked.only.leaves_out() { 2 * ONE_READ } else { self.limit };
        let behind = places.len() > most;
        places.truncate(most);
        for some in places.chunks(ONE_READ) {
            let ids: Vec<LeadId> = some.iter().map(|(_, lead)| *lead).collect();
            let mut leads = self.leads(&ids).await?;
            for place in some {
                found.examined += 1;
                let lead = leads.remove(&place.1).filter(|lead| lead.stage == stage);
                found.leads.extend(lead.and_then(|lead| self.takes(lead)));
                let is_last = found.examined == places.len();
                if found.leads.len() == self.limit || is_last || self.is_late() {
                    found.next = (behind || !is_last).then(|| written(place));
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    /// A dealer's by score as of now, of the newest that it was given. It is a look at the top, and has no next page.
    async fn dealer_by_score(&self, dealer: &DealerId) -> Result<Found, Problem> {
        if self.asked.after.is_some() {
            return Err(Problem::new(
                Code::InvalidField,
                "a dealer's by score are one page: ask for more by limit",
            ));
        }
        let most = i32::try_from(limits::SEARCH_EXAMINED).unwrap_or(i32::MAX);
        let open = !self.asked.shut;
        let (seats, more) = self.cloud.store.inbox(self.company(), dealer, open, None, most).await?;
        let ids: HashSet<LeadId> = seats.iter().map(|seat| seat.lead).collect();
        let leads = self.leads(&ids.into_iter().collect::<Vec<_>>()).await?;
        let examined = leads.len();
        let mut leads: Vec<_> = leads.into_values().filter_map(|lead| self.takes(lead)).collect();
        by_score(&mut leads);
        let more = more.is_some() || leads.len() > self.limit;
        leads.truncate(self.limit);
        Ok(Found { leads, examined, more, ..Found::default() })
    }

    /// A dealer's: by the assignments that it has or had, from the newest back. A lead that it had twice stands at each.
    async fn dealer(&self, dealer: &DealerId) -> Result<Found, Problem> {
        let most = ONE_READ;
        let mut from = match self.after::<SeatOf>()? {
            None => None,
            Some((lead, cycle, seat)) => {
                let stood = self.cloud.store.assignment_get(lead, cycle, seat).await?;
                let own = |seat: &Assignment| seat.company == *self.company() && seat.dealer == *dealer;
                Some(stood.filter(own).ok_or_else(unknown_place)?)
            }
        };
        let mut found = Found::default();
        loop {
            let most = i32::try_from(most).unwrap_or(i32::MAX);
            let open = !self.asked.shut;
            let (seats, more) =
                self.cloud.store.inbox(self.company(), dealer, open, from.as_ref(), most).await?;
            let mut ids: Vec<LeadId> = seats.iter().map(|seat| seat.lead).collect();
            ids.sort_unstable();
            ids.dedup();
            let known = self.leads(&ids).await?;
            let last = seats.last().map(|seat| seat.id);
            let mut seen = HashSet::new();
            for seat in seats {
                found.examined += 1;
                let lead = known.get(&seat.lead).filter(|_| seen.insert(seat.lead)).cloned();
                found.leads.extend(lead.and_then(|lead| self.takes(lead)));
                if found.leads.len() == self.limit {
                    let behind = more.is_some() || last != Some(seat.id);
                    found.next = behind.then(|| written(&(seat.lead, seat.cycle, seat.id)));
                    return Ok(found);
                }
                from = Some(seat);
            }
            // Where all of a page were of the index alone, nothing says where the next begins.
            let Some(seat) = from.as_ref().filter(|_| more.is_some() && last.is_some()) else {
                return Ok(found);
            };
            if found.examined >= limits::SEARCH_EXAMINED || self.is_late() {
                found.next = Some(written(&(seat.lead, seat.cycle, seat.id)));
                return Ok(found);
            }
        }
    }

    /// A source's leads, who asked last first. The places of all that may be looked at are read at once, since each round
    /// reads every shard; the leads a hundred at a time, until enough are found.
    async fn source(&self, source: &SourceId) -> Result<Found, Problem> {
        let most = if self.asked.only.leaves_out() { limits::SEARCH_EXAMINED } else { self.limit };
        let before: Option<store::Asked> = self.after()?;
        // One more than is looked at: whether there are more.
        let mut places = self.cloud.store.leads_of_source(self.company(), source, before, most + 1).await?;
        let more = places.len() > most;
        places.truncate(most);
        let mut found = Found::default();
        for some in places.chunks(ONE_READ) {
            let ids: Vec<LeadId> = some.iter().map(|(_, lead)| *lead).collect();
            let mut leads = self.leads(&ids).await?;
            for place in some {
                found.examined += 1;
                // An index may be behind: whom another source brings meanwhile does not stand in its list.
                let lead = leads.remove(&place.1).filter(|lead| lead.source == *source);
                found.leads.extend(lead.and_then(|lead| self.takes(lead)));
                let is_last = found.examined == places.len();
                if found.leads.len() == self.limit || is_last || self.is_late() {
                    found.next = (more || !is_last).then(|| written(place));
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    /// Whether the time that an answer has is over.
    fn is_late(&self) -> bool {
        self.asked.until.is_some_and(|until| self.cloud.clock.now() >= until)
    }

    /// Where the last page ended.
    fn after<T: serde::de::DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        self.asked.after.as_deref().map(read).transpose()
    }
}

/// A place, as it was told.
pub(crate) fn read<T: serde::de::DeserializeOwned>(place: &str) -> Result<T, Problem> {
    serde_json::from_str(place).map_err(|_| unknown_place())
}

pub(crate) fn unknown_place() -> Problem {
    Problem::new(Code::InvalidField, "after is the next of the page before, as it was told")
}

/// Where a seat stands.
type SeatOf = (LeadId, u32, AssignmentId);

/// A place, as it is told.
pub(crate) fn written(place: &impl Serialize) -> String {
    // Text and numbers are JSON.
    serde_json::to_string(place).unwrap_or_default()
}

/// A lead in a list: enough to choose by, and neither e-mail nor phone; with its whole name for who may know it.
pub(crate) fn tell(lead: &Lead, score: Option<&ScoreNow>, named: bool) -> Value {
    let person = if named { lead.person.clone() } else { masked::person(&lead.person) };
    let name = [person.first_name.as_deref(), person.last_name.as_deref()];
    let dealers: Vec<_> = lead.holders.iter().map(|holder| &holder.dealer).collect();
    json!({
        "lead": lead.id, "company": lead.company, "offer": lead.offer, "category": lead.category,
        "source": lead.source, "campaign": lead.campaign,
        "name": name.into_iter().flatten().collect::<Vec<_>>().join(" "),
        "city": lead.person.city, "state": lead.location().state(), "zip": lead.person.zip,
        "stage": lead.stage, "waiting": lead.waiting, "hold": lead.hold.is_some(),
        "score": score.map(|score| score.hundredths as f64 / 100.0),
        "band": score.map(|score| score.band), "priority": score.map(|score| score.priority),
        "next_step": score.map(|score| score.next_step),
        "opened_at": lead.opened_at, "last_enquiry_at": lead.last_enquiry_at, "dealers": dealers,
    })
}
