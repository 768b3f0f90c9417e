//! The dealer's side: its own leads, and what it says of them.
//!
//! The same answer twice is one answer. A second `won` with another value puts the first right: both stand in the
//! lead's history. One without a value leaves the value as it is.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::access::DealerToken;
use leadyard_domain::assignment::{Assignment, DeliveryState, ReturnState};
use leadyard_domain::delivery::Event;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, AssignmentId, CompanyId, LeadId, OfferId};
use leadyard_domain::lead::{Answer, Answered, AssignmentState, Contactable, Lead, Stage};
use leadyard_domain::ledger::{CreditReason, Line};
use leadyard_domain::limits;
use leadyard_domain::money::Money;
use leadyard_domain::person::without_contact;
use leadyard_domain::rulebook::PostbackStatus;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query, body};
use leadyard_platform::judging::{self, Sold};
use leadyard_platform::payload;
use leadyard_platform::store::{Act, Changes, Delivery};
use leadyard_platform::who::Dealer;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{leads, returns};

const PAGE: i32 = 50;
/// Open assignments that the pages put in order, the newest: a read for each hundred, beside that of the index.
pub(crate) const ORDERED: i32 = 300;
/// How often an answer that crossed somebody else's change is tried again.
pub(crate) const ROUNDS: usize = 8;

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    state: Option<String>,
    after: Option<String>,
}

/// `GET /v1/inbox`: the newest first, `?state=shut` for those that are over, `?after` a page's `next` for those behind
/// it.
pub(crate) async fn list(
    State(cloud): State<Cloud>,
    Dealer(token): Dealer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let open = query.state.as_deref() != Some("shut");
    let (items, next) = listed(&cloud, &token, open, query.after.as_deref()).await?;
    Ok(Json(json!({ "assignments": items, "next": next })))
}

/// A page of a dealer's list, and what the page behind it is asked for with.
pub(crate) async fn listed(
    cloud: &Cloud,
    token: &DealerToken,
    open: bool,
    after: Option<&str>,
) -> Result<(Vec<Value>, Option<AssignmentId>), Problem> {
    let after = match after {
        None => None,
        Some(id) => {
            let unknown =
                || Problem::new(Code::InvalidField, "after is the next of the page before, as it was told");
            let id: AssignmentId = id.parse().map_err(|_| unknown())?;
            let found = cloud.store.assignment_of_dealer(&token.company, &token.dealer, id).await?;
            Some(found.ok_or_else(unknown)?)
        }
    };
    let (mut all, next) =
        cloud.store.inbox(&token.company, &token.dealer, open, after.as_ref(), PAGE).await?;
    // What was placed while the company only watches is nothing to its dealer.
    all.retain(|assignment| !assignment.shadow);
    Ok((shown_all(cloud, &token.company, &all).await?, next))
}

/// How an open assignment stands with its dealer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Offered, and not answered.
    New,
    /// Accepted, or its person is reached.
    InHand,
    /// Won: the dealer's own.
    Won,
}

impl Standing {
    /// All of them, in the order in which they stand.
    pub(crate) const ALL: [Self; 3] = [Self::New, Self::InHand, Self::Won];

    pub(crate) const fn of(state: AssignmentState) -> Self {
        match state {
            AssignmentState::Offered => Self::New,
            AssignmentState::Won => Self::Won,
            AssignmentState::Accepted
            | AssignmentState::Contacted
            | AssignmentState::Declined
            | AssignmentState::Lapsed
            | AssignmentState::Returned
            | AssignmentState::Withdrawn
            | AssignmentState::Lost => Self::InHand,
        }
    }
}

/// Where an open assignment stands on the dealer's pages: what is new first, and of it what must be accepted soonest; the
/// rest, and what must not be accepted, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    standing: Standing,
    /// It must not be accepted, or is.
    is_free: bool,
    /// Until when it must be, in Unix milliseconds.
    by_ms: i64,
    newest: Reverse<AssignmentId>,
}

impl Place {
    fn of(assignment: &Assignment) -> Self {
        let by = assignment.accept_by.filter(|_| assignment.masked());
        Self {
            standing: Standing::of(assignment.state),
            is_free: by.is_none(),
            by_ms: by.map_or(0, |by| by.at.as_millisecond()),
            newest: Reverse(assignment.id),
        }
    }

    /// As a page's address has it: see [`Self::written`].
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (standing, by, id) = (parts.next()?, parts.next()?, parts.next()?);
        let standing = Standing::ALL.get(standing.parse::<usize>().ok()?)?;
        let by_ms = if by.is_empty() { None } else { Some(by.parse().ok()?) };
        let newest = Reverse(id.parse().ok()?);
        Some(Self { standing: *standing, is_free: by_ms.is_none(), by_ms: by_ms.unwrap_or_default(), newest })
    }

    /// `0.1780329600000.ID`: which of [`Standing::ALL`], until when it must be accepted, if it must, and which it is.
    pub(crate) fn written(&self) -> String {
        let standing = Standing::ALL.iter().position(|one| *one == self.standing).unwrap_or_default();
        let by = if self.is_free { String::new() } else { self.by_ms.to_string() };
        format!("{standing}.{by}.{}", self.newest.0)
    }
}

/// A page of what a dealer has open, in the order of [`Place`].
pub(crate) struct InOrder {
    /// As the API tells them.
    pub(crate) items: Vec<Value>,
    /// How many of those that were put in order stand so.
    counts: [usize; 3],
    /// Behind which the next page begins.
    pub(crate) next: Option<Place>,
    /// The last of those that were put in order, where older ones stand behind them.
    pub(crate) older: Option<AssignmentId>,
}

impl InOrder {
    /// How many stand so, on this page or another.
    pub(crate) fn count(&self, standing: Standing) -> usize {
        let counts = Standing::ALL.iter().zip(self.counts);
        counts.filter(|(of, _)| **of == standing).map(|(_, count)| count).sum()
    }
}

/// A page of the newest [`ORDERED`] that a dealer has open, put in order, behind a place.
pub(crate) async fn in_order(
    cloud: &Cloud,
    token: &DealerToken,
    after: Option<Place>,
) -> Result<InOrder, Problem> {
    let (mut all, older) = cloud.store.inbox(&token.company, &token.dealer, true, None, ORDERED).await?;
    all.retain(|assignment| !assignment.shadow);
    all.sort_by_key(Place::of);
    let count = |standing| all.iter().filter(|one| Standing::of(one.state) == standing).count();
    let counts = Standing::ALL.map(count);
    all.retain(|assignment| after.is_none_or(|after| Place::of(assignment) > after));
    let more = all.len() > PAGE as usize;
    all.truncate(PAGE as usize);
    let next = all.last().filter(|_| more).map(Place::of);
    Ok(InOrder { items: shown_all(cloud, &token.company, &all).await?, counts, next, older })
}

/// One assignment as in the list.
pub(crate) async fn shown(cloud: &Cloud, assignment: &Assignment) -> Result<Value, Problem> {
    let all = shown_all(cloud, &assignment.company, std::slice::from_ref(assignment)).await?;
    Ok(all.into_iter().next().unwrap_or(Value::Null))
}

/// Assignments of one company with the person, as far as their dealer may see them: what it holds, not what it gave
/// back, nor what is on its way to it and may yet go to somebody else; masked until it has accepted. And what else it
/// is to be told: that the person asked again, opted out, or was erased, also from what it has no more.
async fn shown_all(
    cloud: &Cloud,
    company: &CompanyId,
    assignments: &[Assignment],
) -> Result<Vec<Value>, Problem> {
    let ids: BTreeSet<LeadId> = assignments.iter().map(|assignment| assignment.lead).collect();
    let leads = cloud.store.leads_get(&ids.into_iter().collect::<Vec<_>>()).await?;
    let lead_of = |assignment: &Assignment| leads.iter().find(|lead| lead.id == assignment.lead);
    let held: Vec<(&Lead, &Assignment)> = assignments
        .iter()
        .filter(|assignment| assignment.state.holds() && assignment.delivery == DeliveryState::Received)
        .filter_map(|assignment| Some((lead_of(assignment)?, assignment)))
        .collect();
    let core = cloud.rulebooks.current(&cloud.store, company).await?;
    let openings = judging::openings_of_seats(cloud, core.as_deref(), &held).await?;
    let whose: Vec<&Lead> = held.iter().map(|(lead, _)| *lead).filter(|lead| !lead.is_erased()).collect();
    let on_lists = cloud.all_on_lists(&whose).await?;
    let hours = leads::call_hours(core.as_deref());
    let called =
        |offer: &OfferId| core.as_deref().and_then(|core| core.offer(offer)).map(|offer| &offer.name);
    let mut items = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        let mut item = leads::assignment(assignment);
        let lead = lead_of(assignment);
        let holds = held.iter().any(|(_, seat)| seat.id == assignment.id);
        let Some(members) = item.as_object_mut() else { continue };
        // Who of the desk decided is the desk's own.
        if let Some(asked) = members.get_mut("return").and_then(Value::as_object_mut) {
            asked.remove("decided_by");
        }
        if let Some(erased_at) = lead.and_then(|lead| lead.erased_at) {
            members.insert("erased_at".to_owned(), json!(erased_at));
        }
        if let Some(lead) = lead.filter(|_| holds) {
            let person = as_sold(cloud, lead, assignment).await?;
            let Sold { lead, understood, is_known } =
                Sold::of(lead, assignment, openings.get(&assignment.id));
            members.insert("person".to_owned(), json!(person));
            members.insert("masked".to_owned(), json!(assignment.masked()));
            payload::assigned(&lead, assignment, understood.as_ref(), |payload| {
                for (name, value) in [
                    ("offer", json!(payload.offer)),
                    ("offer_name", json!(called(payload.offer))),
                    ("source", json!(payload.source)),
                    ("campaign", json!(payload.campaign)),
                    ("received_at", json!(payload.received_at)),
                    ("message", json!(payload.message)),
                    ("consent", json!(payload.consent)),
                    ("extra", json!(payload.extra)),
                ] {
                    // Where that is not known, nothing is told: least of all what the person asked for since.
                    if is_known {
                        members.insert(name.to_owned(), value);
                    }
                }
            });
            if !lead.is_erased() {
                members.insert("repeats".to_owned(), json!(repeats(&lead, assignment)));
                let opted_out = on_lists.get(&lead.id).is_some_and(|on_lists| on_lists.suppressed);
                members.insert("opted_out".to_owned(), json!(opted_out));
                if !assignment.masked() {
                    let may = leads::may_be_called(&lead, hours, cloud.clock.now());
                    members.insert("may_be_called".to_owned(), may);
                }
            }
        }
        items.push(item);
    }
    Ok(items)
}

/// How often the person asked again in the seat's cycle since it was given: the id of a file's row says nothing of when
/// it arrived.
fn repeats(lead: &Lead, seat: &Assignment) -> usize {
    if lead.cycle != seat.cycle {
        return 0;
    }
    let since = seat.offered_at.as_millisecond();
    lead.enquiries.iter().filter(|one| one.id != lead.opening && one.id.minted_ms() > since).count()
}

/// The person of a seat as its dealer may see them: masked until it has accepted; with their lead.
pub(crate) async fn person(
    cloud: &Cloud,
    assignment: &Assignment,
) -> Result<Option<(Lead, Contactable)>, Problem> {
    let Some(lead) = cloud.store.lead_get(assignment.lead).await? else { return Ok(None) };
    let person = as_sold(cloud, &lead, assignment).await?;
    Ok(Some((lead, person)))
}

async fn as_sold(cloud: &Cloud, lead: &Lead, assignment: &Assignment) -> Result<Contactable, Problem> {
    let mut person = lead.person_in(assignment.cycle_of()).clone();
    // It bought the person as they were; what they said since, the survivor knows.
    if lead.merged_into.is_some()
        && let Some(survivor) = cloud.store.lead_of(assignment).await?
    {
        person.fill_blanks(&survivor.person);
    }
    Ok(if assignment.masked() { masked(&person) } else { person })
}

/// First name and ZIP: nothing that leads to the person, also where the name does.
fn masked(person: &Contactable) -> Contactable {
    let first_name = person.first_name.clone().filter(|name| without_contact(name) == *name);
    Contactable { first_name, zip: person.zip, ..Contactable::default() }
}

/// A dealer's own assignment.
pub(crate) async fn own(
    cloud: &Cloud,
    token: &leadyard_domain::access::DealerToken,
    id: AssignmentId,
) -> Result<Assignment, Problem> {
    let found = cloud.store.assignment_of_dealer(&token.company, &token.dealer, id).await?;
    found.filter(|found| !found.shadow).ok_or_else(missing)
}

pub(crate) fn missing() -> Problem {
    Problem::new(Code::NotFound, "there is no such assignment in this inbox")
}

/// `GET /v1/inbox/{assignment}`: one of its own, with what may be answered now and until when it may be returned.
pub(crate) async fn one(
    State(cloud): State<Cloud>,
    Dealer(token): Dealer,
    Path(assignment): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id: AssignmentId = assignment.parse().map_err(|_| missing())?;
    let seat = own(&cloud, &token, id).await?;
    let now = cloud.clock.now();
    let mut told = shown(&cloud, &seat).await?;
    told["may_answer"] = json!(answers(&cloud, &seat, now).await?);
    told["may_return"] = json!(returns::may_ask(&cloud, &seat, now).await?.map(|may| may.tell()));
    Ok(Json(told))
}

/// `POST /v1/inbox/{assignment}/{act}`.
pub(crate) async fn answer(
    State(cloud): State<Cloud>,
    Dealer(token): Dealer,
    Path((assignment, act)): Path<(String, String)>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let id: AssignmentId = assignment.parse().map_err(|_| missing())?;
    let act: Answer = act.parse().map_err(|_| Problem::new(Code::NotFound, "there is no such answer"))?;
    let value = won_value(act, &body(request, limits::BODY_BYTES).await?)?;
    let done = give(&cloud, &Seat::Own { token, assignment: id }, act, value).await?;
    Ok(Json(shown(&cloud, &done).await?))
}

/// Whose seat is answered about, and how that is known.
pub(crate) enum Seat {
    /// The dealer's own, by its token.
    Own { token: DealerToken, assignment: AssignmentId },
    /// That of a letter's link.
    Linked { lead: LeadId, cycle: u32, assignment: AssignmentId },
}

impl Seat {
    async fn get(&self, cloud: &Cloud) -> Result<Assignment, Problem> {
        match self {
            Self::Own { token, assignment } => own(cloud, token, *assignment).await,
            Self::Linked { lead, cycle, assignment } => {
                let found = cloud.store.assignment_get(*lead, *cycle, *assignment).await?;
                found.filter(|found| !found.shadow).ok_or_else(missing)
            }
        }
    }
}

/// Gives a dealer's answer; the assignment as it stands then.
pub(crate) async fn give(
    cloud: &Cloud,
    seat: &Seat,
    act: Answer,
    value: Option<Money>,
) -> Result<Assignment, Problem> {
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let stands = seat.get(cloud).await?;
        let now = cloud.clock.now();
        if act == Answer::Decline {
            may_decline(cloud, &stands, now).await?;
        }
        if let Some(detail) = too_late(&stands, act, now) {
            return Err(Problem::new(Code::StateConflict, detail).with("state", stands.state.as_str()));
        }
        let done = match stands.state.answer(act) {
            Answered::Already => match value.filter(|value| stands.won_value != Some(*value)) {
                None => return Ok(stands), // a second click
                Some(value) => correct(cloud, stands, value, now).await?,
            },
            Answered::Refused => {
                let detail = format!("the lead is {}, and cannot be {}", stands.state, act.leads_to());
                return Err(Problem::new(Code::StateConflict, detail).with("state", stands.state.as_str()));
            }
            Answered::To(state) => move_to(cloud, stands, state, value, now).await?,
        };
        if let Some(done) = done {
            return Ok(done);
        }
    }
    Err(crowded())
}

pub(crate) fn crowded() -> Problem {
    Problem::new(Code::Unavailable, "others kept changing this lead; try again").retry_after(1)
}

/// What the dealer may answer now: nothing of it would be refused, as things stand.
pub(crate) async fn answers(
    cloud: &Cloud,
    stands: &Assignment,
    now: Timestamp,
) -> Result<Vec<Answer>, Problem> {
    let mut may = Vec::new();
    for answer in [Answer::Accept, Answer::Decline, Answer::Contacted, Answer::Won, Answer::Lost] {
        let moves = matches!(stands.state.answer(answer), Answered::To(_));
        if !moves || too_late(stands, answer, now).is_some() {
            continue;
        }
        if answer == Answer::Decline
            && let Err(problem) = may_decline(cloud, stands, now).await
        {
            if problem.code() != Code::StateConflict {
                return Err(problem);
            }
            continue;
        }
        may.push(answer);
    }
    Ok(may)
}

/// Why an answer comes too late, or too early: delivery gave up on this dealer and it is being sent its
/// withdrawal; the deadline is over; the person is masked until it accepts.
fn too_late(assignment: &Assignment, act: Answer, now: Timestamp) -> Option<&'static str> {
    let ended = match assignment.delivery {
        DeliveryState::NotReceived | DeliveryState::Unknown => assignment.state.holds(),
        DeliveryState::Pending | DeliveryState::Received => false,
    };
    match act {
        Answer::Decline => None,
        Answer::Accept | Answer::Contacted | Answer::Won | Answer::Lost if assignment.recalled && ended => {
            Some("the desk took the lead back")
        }
        Answer::Accept | Answer::Contacted | Answer::Won | Answer::Lost if ended => {
            Some("the lead could not be delivered and is going to the next dealer")
        }
        Answer::Accept if assignment.lapses(now) => {
            Some("the deadline is over; the lead goes to the next dealer")
        }
        Answer::Accept => None,
        Answer::Won | Answer::Lost if asks_to_return(assignment) => {
            Some("a return of this lead is with the desk")
        }
        Answer::Contacted | Answer::Won | Answer::Lost => {
            assignment.masked().then_some("accept the lead first: until then nobody is shown")
        }
    }
}

fn asks_to_return(assignment: &Assignment) -> bool {
    assignment.returned.as_ref().is_some_and(|asked| asked.state == ReturnState::Requested)
}

/// What was charged when it arrived may be declined for a while, as if it had never been bought; not where
/// the contract has terms for returns, which would be worth nothing then.
async fn may_decline(cloud: &Cloud, assignment: &Assignment, now: Timestamp) -> Result<(), Problem> {
    let Some(settled_at) = assignment.settled_at.filter(|_| assignment.state == AssignmentState::Offered)
    else {
        return Ok(());
    };
    let refused = |detail: String| {
        Err(Problem::new(Code::StateConflict, detail).with("state", assignment.state.as_str()))
    };
    if now.duration_since(settled_at) > SignedDuration::from_hours(limits::DECLINE_HOURS) {
        return refused(format!(
            "a lead that was charged is declined within {} hours",
            limits::DECLINE_HOURS
        ));
    }
    let lead = cloud.store.lead_get(assignment.lead).await?;
    if let Some(lead) = lead
        && returns::terms_of(cloud, &lead, assignment).await?.is_some()
    {
        return refused("the lead is charged, and the contract takes returns: ask for one".to_owned());
    }
    Ok(())
}

#[derive(Deserialize)]
struct WonBody {
    value: Option<String>,
}

fn won_value(act: Answer, body: &[u8]) -> Result<Option<Money>, Problem> {
    if act != Answer::Won || body.is_empty() {
        return Ok(None);
    }
    let malformed = || Problem::new(Code::MalformedBody, r#"the body is {"value": "1200.00"}, or empty"#);
    let sent: WonBody = serde_json::from_slice(body).map_err(|_| malformed())?;
    let value = sent.value.map(|value| value.parse::<Money>()).transpose();
    value.map_err(|rule| Problem::new(Code::InvalidField, rule.to_string()))
}

/// Moves an assignment to a new state with all that follows; `None` when somebody else changed it.
async fn move_to(
    cloud: &Cloud,
    stands: Assignment,
    state: AssignmentState,
    value: Option<Money>,
    now: Timestamp,
) -> Result<Option<Assignment>, Problem> {
    if state == AssignmentState::Declined {
        return decline(cloud, stands, now).await;
    }
    let mut next = stands.clone();
    next.move_to(state, now);
    // An answer proves that the dealer has it, whatever became of our attempts; and it is charged now, at
    // the latest.
    next.arrive(now);
    next.won_value = value.or(next.won_value);
    let lead = cloud.store.lead_of(&next).await?;
    let closes = lead.and_then(|lead| close(lead, &next, now));
    let charge = Line::charge(&next).filter(|_| stands.settled_at.is_none());
    let sold = if next.settled_at.is_some() && stands.settled_at.is_none() {
        cloud.postback_of_sale(&next, PostbackStatus::Sold, "", now).await?
    } else {
        None
    };
    // Until now it knew nobody: here is the whole lead.
    let whole = stands.masked().then(|| Delivery::to(&next, Event::Assigned, "2", now));
    let changes = Changes {
        lead: closes.as_ref(),
        line: charge.as_ref(),
        wins: state == AssignmentState::Won,
        delivery: whole.as_ref(),
        postback: sold.as_ref(),
        ..Changes::of(&next, now)
    };
    if !cloud.store.assignment_change(&changes).await? {
        return Ok(None);
    }
    match closes {
        Some(lost) if lost.stage == Stage::Lost => follow_up(cloud, &lost).await,
        Some(goes_on) if goes_on.stage == Stage::Received => cloud.hand_to_distribution(&goes_on).await,
        Some(_) | None => {}
    }
    if let Some(sold) = sold {
        cloud.hand_postback(&sold, 0).await;
    }
    if let Some(whole) = whole {
        cloud.hand_message(&whole, 0).await;
    }
    Ok(Some(next))
}

/// Who was lost is called again some day. Best effort: a closed lead is looked at within a month, which finds it.
async fn follow_up(cloud: &Cloud, lost: &Lead) {
    let begun = async {
        let Some(core) = cloud.rulebooks.current(&cloud.store, &lost.company).await? else { return Ok(()) };
        cloud.follow_up(lost, &core, false).await
    };
    if let Err(error) = begun.await {
        tracing::warn!(error = &error as &dyn std::error::Error, lead.id = %lost.id, "a follow-up begins later");
    }
}

/// Puts right what a lead that is won already was worth to its dealer: the lead's history has both values. `None`
/// when somebody else changed it.
async fn correct(
    cloud: &Cloud,
    stands: Assignment,
    value: Money,
    now: Timestamp,
) -> Result<Option<Assignment>, Problem> {
    let told = |value: Option<Money>| json!({ "assignment": stands.id, "won_value": value.map(|value| value.to_string()) });
    let act = Act {
        id: ActId::mint(now, cloud.entropy.bytes()),
        at: now,
        by: format!("dealer:{}", stands.dealer),
        act: "won_value".to_owned(),
        reason: None,
        before: told(stands.won_value).to_string(),
        after: told(Some(value)).to_string(),
    };
    let next = Assignment { won_value: Some(value), ..stands };
    let changes = Changes { act: Some(&act), ..Changes::of(&next, now) };
    Ok(cloud.store.assignment_change(&changes).await?.then_some(next))
}

/// The lead as its holder's outcome leaves it: won as soon as one has won, lost when the last has lost; but not while
/// another seat is to be given, since it is kept for somebody or came back.
fn close(mut lead: Lead, assignment: &Assignment, now: Timestamp) -> Option<Lead> {
    let others = lead.holders.iter().any(|holder| holder.assignment != assignment.id);
    match assignment.state {
        AssignmentState::Won if !lead.stage.closed() => lead.close(Stage::Won, now),
        AssignmentState::Lost if others => lead.lose_seat(assignment.id),
        AssignmentState::Lost if lead.wants_distribution() => lead.lose_last_seat(assignment.id, now),
        AssignmentState::Lost if !lead.stage.closed() => lead.close(Stage::Lost, now),
        AssignmentState::Offered
        | AssignmentState::Accepted
        | AssignmentState::Declined
        | AssignmentState::Lapsed
        | AssignmentState::Returned
        | AssignmentState::Withdrawn
        | AssignmentState::Contacted
        | AssignmentState::Won
        | AssignmentState::Lost => return None,
    }
    Some(lead)
}

async fn decline(cloud: &Cloud, mut next: Assignment, now: Timestamp) -> Result<Option<Assignment>, Problem> {
    next.move_to(AssignmentState::Declined, now);
    next.due = None;
    // Without a deadline it was charged when it arrived; what is declined is not paid for.
    let credit = Line::credit(&next, CreditReason::Declined, now);
    let changes = Changes { line: credit.as_ref(), ..Changes::of(&next, now) };
    Ok(give_back(cloud, changes).await?.then_some(next))
}

/// Commits a change that gives the seat back, with the lead going on; `false` when somebody else changed
/// one of them.
pub(crate) async fn give_back(cloud: &Cloud, changes: Changes<'_>) -> Result<bool, Problem> {
    let assignment = changes.assignment;
    let lead = cloud.store.lead_of(assignment).await?;
    let category = lead.as_ref().map(|lead| &lead.category);
    let category = cloud.category_to_wake(&assignment.company, category).await?;
    let lead = lead.map(|mut lead| {
        lead.give_back(assignment.id, changes.now);
        lead
    });
    let changes = Changes { lead: lead.as_ref(), gives_back: true, wakes: category.as_ref(), ..changes };
    if !cloud.store.assignment_change(&changes).await? {
        return Ok(false);
    }
    tracing::info!(
        lead.id = %assignment.lead, assignment.id = %assignment.id, dealer.id = %assignment.dealer,
        assignment.state = %assignment.state, "a seat came back"
    );
    if let Some(lead) = lead.filter(|lead| !lead.stage.closed()) {
        cloud.hand_to_distribution(&lead).await;
    }
    if let Some(category) = &category {
        cloud.hand_wake(&assignment.company, category).await;
    }
    Ok(true)
}
