//! Returns: a dealer asks to give a lead back, the desk says yes or no; where the contract trusts the
//! dealer, nobody need.
//!
//! The terms are those under which the lead was sold: a contract that changed since changes nothing.
//!
//! Determinations:
//!
//! - *Claimed once*: what an enquiry cost was paid to its source once, whether one dealer or several bought
//!   it, and however often it came back and was sold again. So it is claimed back with one return of them at
//!   most, by a mark of the enquiry in the same commit; whoever claims it with another is refused, and
//!   nothing is decided by that. A further enquiry that opened the lead's next cycle was paid for by itself.
//!   What an earlier version claimed has no mark.
//! - *What it cost* is what its source cost when it arrived, as reports count it; where the enquiry does not
//!   say, or is not kept any more, what the source cost by the rules that it was sold under.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadyard_domain::access::DealerToken;
use leadyard_domain::assignment::{Assignment, NoReturn, Return, ReturnState};
use leadyard_domain::contract::ReturnTerms;
use leadyard_domain::distribution::{Chunk, Core};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{AssignmentId, CompanyId, EnquiryId, ReturnReason, SourceId};
use leadyard_domain::lead::{AssignmentState, Lead};
use leadyard_domain::ledger::{CreditReason, Line, LineKind, Month};
use leadyard_domain::limits;
use leadyard_domain::money::Money;
use leadyard_domain::rulebook::PostbackStatus;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query, body};
use leadyard_platform::store::{Act, Changes, ReturnItem, ReturnWrite, StoreError};
use leadyard_platform::who::{self, ACTS, Dealer, DeskOf, READS, Staff};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::acts::{note, record};
use crate::inbox::{self, ROUNDS, crowded, give_back, missing};
use crate::leads;

/// Returns of one list.
const PAGE: i32 = 200;

#[derive(Deserialize)]
struct Ask {
    reason: ReturnReason,
    note: Option<String>,
}

/// `POST /v1/inbox/{assignment}/return`: `{"reason": "wrong-number", "note": "…"}`.
pub(crate) async fn ask(
    State(cloud): State<Cloud>,
    Dealer(token): Dealer,
    Path(assignment): Path<String>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let id: AssignmentId = assignment.parse().map_err(|_| missing())?;
    let sent: Ask = serde_json::from_slice(&body(request, limits::BODY_BYTES).await?).map_err(|_| {
        Problem::new(Code::MalformedBody, r#"the body is {"reason": "wrong-number"}, and perhaps "note""#)
    })?;
    Ok(Json(leads::assignment(&asked(&cloud, &token, id, sent.reason, sent.note).await?)))
}

/// Asks for a return of a dealer's own seat; the seat as it stands then. The same once more is a second click.
pub(crate) async fn asked(
    cloud: &Cloud,
    token: &DealerToken,
    id: AssignmentId,
    reason: ReturnReason,
    said: Option<String>,
) -> Result<Assignment, Problem> {
    let note = note("note", said)?;
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let stands = inbox::own(cloud, token, id).await?;
        let now = cloud.clock.now();
        if let Some(asked) = &stands.returned {
            if asked.reason == reason && asked.state != ReturnState::Denied {
                return Ok(stands); // a second click
            }
            let detail = format!("a return of this lead is {} already", asked.state);
            return Err(Problem::new(Code::StateConflict, detail));
        }
        let asked = Return {
            at: now,
            reason: reason.clone(),
            note: note.clone(),
            state: ReturnState::Requested,
            decided_at: None,
            decided_by: None,
            said: None,
        };
        if let Some(done) = request_return(cloud, stands, asked, now).await? {
            return Ok(done);
        }
    }
    Err(crowded())
}

/// How a dealer may ask to return a lead now.
pub(crate) struct MayAsk {
    pub(crate) terms: ReturnTerms,
    /// Until when.
    pub(crate) until: Timestamp,
    /// Why it may not, though its time is not over: the month's quota is used.
    pub(crate) used: Option<String>,
}

impl MayAsk {
    pub(crate) fn tell(&self) -> Value {
        json!({
            "until": self.until, "reasons": self.terms.reasons, "quota_percent": self.terms.quota_percent,
            "decides": self.terms.approval, "refused": self.used,
        })
    }
}

/// How the dealer may ask to return a lead now; `None` where it may not.
pub(crate) async fn may_ask(
    cloud: &Cloud,
    stands: &Assignment,
    now: Timestamp,
) -> Result<Option<MayAsk>, Problem> {
    let Ok(settled_at) = stands.returnable() else { return Ok(None) };
    if stands.returned.is_some() {
        return Ok(None);
    }
    let Some(lead) = cloud.store.lead_get(stands.lead).await? else { return Ok(None) };
    let Some((core, terms)) = terms_of(cloud, &lead, stands).await? else { return Ok(None) };
    let until = terms.until(settled_at);
    if now > until {
        return Ok(None);
    }
    let used = match terms.quota_percent {
        None => None,
        Some(_) => {
            let zone = who::zone_of(&core)?;
            let month = Month::of(settled_at, &zone);
            let taken = cloud.store.returns_of_month(&stands.company, &stands.contract, month).await?;
            // The first is always allowed: the month need not be counted.
            let quota =
                if taken == 0 { None } else { quota_of(cloud, stands, &terms, (month, &zone)).await? };
            quota.filter(|quota| taken >= *quota).map(|quota| used_up(taken, quota, month))
        }
    };
    Ok(Some(MayAsk { terms, until, used }))
}

/// How many of the leads that a contract was charged in a month may be returned; any number, if it does not say.
async fn quota_of(
    cloud: &Cloud,
    stands: &Assignment,
    terms: &ReturnTerms,
    (month, zone): (Month, &TimeZone),
) -> Result<Option<u32>, StoreError> {
    if terms.quota_percent.is_none() {
        return Ok(None);
    }
    let (from, to) = month.bounds(zone);
    let lines = cloud.store.ledger_lines(&stands.company, &stands.dealer, from, to).await?;
    let charged = lines
        .iter()
        .filter(|line| line.kind == LineKind::Charge && line.contract.as_ref() == Some(&stands.contract));
    Ok(terms.quota_of(charged.count() as u32))
}

fn used_up(taken: u32, quota: u32, month: Month) -> String {
    format!("the quota is used: {taken} of {quota} leads of {month} are returned")
}

/// A refusal, with what the dealer's system may act on.
fn refused(seat: &Assignment, why: &NoReturn) -> Problem {
    let problem = |code| Problem::new(code, why.to_string());
    match why {
        NoReturn::Imported | NoReturn::Stands(_) | NoReturn::NotCharged => {
            problem(Code::StateConflict).with("state", seat.state.as_str())
        }
        NoReturn::NoTerms => problem(Code::StateConflict),
        NoReturn::Reason(reasons) => problem(Code::InvalidField).with("reasons", json!(reasons)),
        NoReturn::Over { until, .. } => problem(Code::StateConflict).with("until", json!(until)),
    }
}

/// The terms under which the lead was sold.
pub(crate) async fn terms_of(
    cloud: &Cloud,
    lead: &Lead,
    assignment: &Assignment,
) -> Result<Option<(std::sync::Arc<Core>, ReturnTerms)>, StoreError> {
    let core = cloud.store.rulebook_core(&assignment.company, assignment.rulebook).await?;
    let Some(core) = core.map(std::sync::Arc::new) else { return Ok(None) };
    let state = assignment.sold_in.or_else(|| lead.location().state());
    let terms = |chunk: &Chunk| chunk.returns_of(&assignment.contract).cloned();
    let found = cloud.rulebooks.find(&cloud.store, &core, lead.category_under(&core), state, terms).await?;
    Ok(found.map(|terms| (core, terms)))
}

/// Asks for a return, or makes it where the dealer is trusted; `None` when somebody else changed the
/// assignment.
async fn request_return(
    cloud: &Cloud,
    stands: Assignment,
    asked: Return,
    now: Timestamp,
) -> Result<Option<Assignment>, Problem> {
    // Before anything is read for it.
    let settled_at = stands.returnable().map_err(|why| refused(&stands, &why))?;
    let lead = cloud.store.lead_get(stands.lead).await?.ok_or_else(missing)?;
    // Of a person who was erased nobody writes any more.
    let asked = Return { note: asked.note.filter(|_| !lead.is_erased()), ..asked };
    let found = terms_of(cloud, &lead, &stands).await?;
    let state = stands.asks_to_return(found.as_ref().map(|(_, terms)| terms), &asked.reason, now);
    let state = state.map_err(|why| refused(&stands, &why))?;
    let (core, terms) = found.ok_or_else(|| refused(&stands, &NoReturn::NoTerms))?;
    let zone = who::zone_of(&core)?;
    let month = Month::of(settled_at, &zone);
    let quota = quota_of(cloud, &stands, &terms, (month, &zone)).await?;
    let trusted = state == ReturnState::Approved;
    let mut next = stands.clone();
    next.returned = Some(Return { state, decided_at: trusted.then_some(now), ..asked });
    let source = sold_from(cloud, &lead, &next).await?;
    let item = ReturnItem::of(&next, &source, month).ok_or_else(missing)?;
    let done = if trusted {
        approve(cloud, next, ReturnWrite::Grant(&item, quota), None, now).await?
    } else {
        let changes = Changes { returned: Some(ReturnWrite::Ask(&item, quota)), ..Changes::of(&next, now) };
        cloud.store.assignment_change(&changes).await?.then_some(next)
    };
    if done.is_none() {
        let taken = cloud.store.returns_of_month(&stands.company, &stands.contract, month).await?;
        if let Some(quota) = quota.filter(|quota| taken >= *quota) {
            let used = Problem::new(Code::StateConflict, used_up(taken, quota, month));
            return Err(used.with("quota", json!(quota)));
        }
    }
    Ok(done)
}

/// Who sent what was sold: the person may have asked again since, by somebody else.
async fn sold_from(cloud: &Cloud, lead: &Lead, assignment: &Assignment) -> Result<SourceId, StoreError> {
    let opening = cloud.opening_of(assignment).await?;
    let enquiry = match opening {
        Some(opening) => cloud.store.enquiry_get(opening).await?,
        None => None,
    };
    Ok(enquiry.map_or_else(|| lead.source.clone(), |enquiry| enquiry.source))
}

/// Credits a return: the slot comes back, the dealer is excluded, the lead goes on.
async fn approve(
    cloud: &Cloud,
    mut next: Assignment,
    write: ReturnWrite<'_>,
    act: Option<&Act>,
    now: Timestamp,
) -> Result<Option<Assignment>, Problem> {
    let credit = Line::credit(&next, CreditReason::Returned, now);
    next.move_to(AssignmentState::Returned, now);
    next.due = None;
    let why = next.returned.as_ref().map_or("", |asked| asked.reason.as_str());
    let told = cloud.postback_of_sale(&next, PostbackStatus::Returned, why, now).await?;
    let changes = Changes {
        returned: Some(write),
        line: credit.as_ref(),
        postback: told.as_ref(),
        act,
        ..Changes::of(&next, now)
    };
    if !give_back(cloud, changes).await? {
        return Ok(None);
    }
    if let Some(told) = told {
        cloud.hand_postback(&told, 0).await;
    }
    Ok(Some(next))
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    state: Option<String>,
    after: Option<String>,
}

/// `GET /v1/returns?company&state=done&after`: what the desk is to decide; with `state=done`, what is decided; the
/// newest first, with `after` those behind a page's `next`.
pub(crate) async fn list(
    State(cloud): State<Cloud>,
    DeskOf { company, .. }: DeskOf<READS>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let open = query.state.as_deref() != Some("done");
    let after = query.after.as_deref().map(str::parse::<AssignmentId>).transpose();
    let after = after.map_err(|_| {
        Problem::new(Code::InvalidField, "after is the next of the page before, as it was told")
    })?;
    let returns = cloud.store.returns_after(&company, open, after, PAGE).await?;
    let next = returns.get(PAGE as usize - 1).map(|item| item.assignment);
    let told: Vec<Value> = returns.iter().map(tell).collect();
    Ok(Json(json!({ "returns": told, "next": next })))
}

fn tell(item: &ReturnItem) -> Value {
    json!({
        "return": item.assignment, "lead": item.lead, "assignment": item.assignment, "dealer": item.dealer,
        "contract": item.contract, "price": item.price.to_string(), "month": item.month,
        "source": item.source, "reason": item.reason, "at": item.at, "state": item.state,
        "claim": item.claim.map(|claim| claim.to_string()),
    })
}

/// What the desk says: a reason is welcome, and needed to deny.
#[derive(Default, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) reason: Option<String>,
    /// Claim what the lead cost back from its source.
    #[serde(default)]
    pub(crate) claim: bool,
}

/// `POST /v1/returns/{id}/{approve|deny|claim}?company`: `{"reason": "…", "claim": true}`.
pub(crate) async fn decide(
    State(cloud): State<Cloud>,
    DeskOf { desk, company }: DeskOf<ACTS>,
    Path((id, verdict)): Path<(String, String)>,
    request: Body,
) -> Result<Json<Value>, Problem> {
    let id: AssignmentId = id.parse().map_err(|_| unknown())?;
    if verdict == "claim" {
        return claim(&cloud, &desk, &company, id).await;
    }
    word_of(&verdict)?;
    let sent = verdict_of(&body(request, limits::BODY_BYTES).await?)?;
    match decided(&cloud, &desk, &company, id, &verdict, sent).await? {
        Decided::Now(item) | Decided::Before(item) => Ok(Json(tell(&item))),
    }
}

pub(crate) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such return")
}

fn word_of(verdict: &str) -> Result<ReturnState, Problem> {
    match verdict {
        "approve" => Ok(ReturnState::Approved),
        "deny" => Ok(ReturnState::Denied),
        _ => Err(Problem::new(Code::NotFound, "a return is decided by approve or deny")),
    }
}

/// What became of a verdict.
pub(crate) enum Decided {
    /// It is decided by it.
    Now(ReturnItem),
    /// It was decided so already: by a first click, or by somebody else, whose words stand.
    Before(ReturnItem),
}

/// Decides a return by `approve` or `deny`.
pub(crate) async fn decided(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    id: AssignmentId,
    verdict: &str,
    sent: Verdict,
) -> Result<Decided, Problem> {
    let state = word_of(verdict)?;
    let reason = note("reason", sent.reason)?;
    if state == ReturnState::Denied && reason.is_none() {
        return Err(Problem::new(Code::InvalidField, "say in reason why it is denied: the dealer is told"));
    }
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let Some(asked) = cloud.store.return_get(company, true, id).await? else {
            return already(cloud, company, id, state).await?.map(Decided::Before).ok_or_else(unknown);
        };
        let now = cloud.clock.now();
        let stands = cloud.store.assignment_get(asked.lead, asked.cycle, asked.assignment).await?;
        let mut next = stands.ok_or_else(unknown)?;
        let before =
            json!({ "state": next.state, "return": next.returned.as_ref().map(|asked| asked.state) });
        if state == ReturnState::Approved {
            next.returnable().map_err(|why| refused(&next, &why))?;
        }
        let lead = cloud.store.lead_get(next.lead).await?;
        let reason = reason.clone().filter(|_| lead.is_some_and(|lead| !lead.is_erased()));
        if let Some(asked) = &mut next.returned {
            asked.state = state;
            asked.decided_at = Some(now);
            asked.decided_by = Some(desk.staff.clone());
            asked.said.clone_from(&reason);
        }
        let claimed = if sent.claim && state == ReturnState::Approved {
            Some(claim_of(cloud, &next, &asked).await?)
        } else {
            None
        };
        let (claim, opening) = (claimed.map(|of| of.cost), claimed.and_then(|of| of.opening));
        let item = ReturnItem { state, claim, ..asked };
        let after = json!({ "return": state, "claim": claim.map(|claim| claim.to_string()) });
        let act = record(cloud, desk, &format!("return_{verdict}"), reason.clone(), &before, &after);
        let done = if state == ReturnState::Approved {
            approve(cloud, next, ReturnWrite::Decide(&item, opening), Some(&act), now).await?
        } else {
            let changes = Changes {
                returned: Some(ReturnWrite::Decide(&item, opening)),
                act: Some(&act),
                ..Changes::of(&next, now)
            };
            cloud.store.assignment_change(&changes).await?.then_some(next)
        };
        if done.is_some() {
            return Ok(Decided::Now(item));
        }
    }
    Err(crowded())
}

fn verdict_of(body: &[u8]) -> Result<Verdict, Problem> {
    if body.is_empty() {
        return Ok(Verdict::default());
    }
    serde_json::from_slice(body).map_err(|_| {
        Problem::new(Code::MalformedBody, r#"the body is {"reason": "…", "claim": true}, or empty"#)
    })
}

/// A return that is decided so already: a second click.
async fn already(
    cloud: &Cloud,
    company: &CompanyId,
    id: AssignmentId,
    state: ReturnState,
) -> Result<Option<ReturnItem>, Problem> {
    match cloud.store.return_get(company, false, id).await? {
        None => Ok(None),
        Some(decided) if decided.state == state => Ok(Some(decided)),
        Some(decided) => {
            let detail = format!("the return is {} already", decided.state);
            Err(Problem::new(Code::StateConflict, detail))
        }
    }
}

/// Claims what a lead cost back from its source, once its return is approved: by the desk, which did not say so then,
/// or by itself, where the dealer is trusted.
async fn claim(
    cloud: &Cloud,
    desk: &Staff,
    company: &CompanyId,
    id: AssignmentId,
) -> Result<Json<Value>, Problem> {
    for _ in 0..ROUNDS {
        let Some(decided) = cloud.store.return_get(company, false, id).await? else {
            cloud.store.return_get(company, true, id).await?.ok_or_else(unknown)?;
            return Err(Problem::new(Code::StateConflict, "the return is not decided yet"));
        };
        if decided.state != ReturnState::Approved {
            return Err(Problem::new(Code::StateConflict, format!("the return is {}", decided.state)));
        }
        if decided.claim.is_some() {
            return Ok(Json(tell(&decided))); // a second click
        }
        let assignment = cloud.store.assignment_get(decided.lead, decided.cycle, decided.assignment).await?;
        let claim = claim_of(cloud, &assignment.ok_or_else(unknown)?, &decided).await?;
        let (before, after) = (json!({ "claim": null }), json!({ "claim": claim.cost.to_string() }));
        let act = record(cloud, desk, "return_claim", None, &before, &after);
        let item = ReturnItem { claim: Some(claim.cost), ..decided };
        if cloud.store.return_claim(company, &item, claim.opening, &act).await? {
            return Ok(Json(tell(&item)));
        }
    }
    Err(crowded())
}

/// What is claimed back from a source.
#[derive(Clone, Copy)]
struct Claim {
    cost: Money,
    /// The enquiry that cost it; unknown of a seat that an earlier version gave in a cycle that is over.
    opening: Option<EnquiryId>,
}

/// What the lead cost us, to be claimed back from its source.
async fn claim_of(cloud: &Cloud, seat: &Assignment, asked: &ReturnItem) -> Result<Claim, Problem> {
    let refused = |why: &str| Problem::new(Code::StateConflict, why);
    let opening = cloud.opening_of(seat).await?;
    if is_claimed(cloud, seat, opening).await? {
        return Err(refused("what it cost is claimed back already, with another return of the same enquiry"));
    }
    let cost = cost_at_arrival(cloud, seat, opening, asked).await?;
    let none = || refused("the source has no cost_per_lead: there is nothing to claim");
    Ok(Claim { cost: cost.ok_or_else(none)?, opening })
}

/// What can be claimed back of a lead; nothing where it cost nothing, or that is claimed already.
pub(crate) async fn cost_of(
    cloud: &Cloud,
    seat: &Assignment,
    asked: &ReturnItem,
) -> Result<Option<Money>, Problem> {
    let opening = cloud.opening_of(seat).await?;
    if is_claimed(cloud, seat, opening).await? {
        return Ok(None);
    }
    Ok(cost_at_arrival(cloud, seat, opening, asked).await?)
}

async fn is_claimed(
    cloud: &Cloud,
    seat: &Assignment,
    opening: Option<EnquiryId>,
) -> Result<bool, StoreError> {
    match opening {
        Some(opening) => cloud.store.is_claimed(&seat.company, opening).await,
        None => Ok(false),
    }
}

/// What its source cost a lead when the enquiry arrived that was sold: what the rulebook says later changes
/// nothing of the past.
async fn cost_at_arrival(
    cloud: &Cloud,
    seat: &Assignment,
    opening: Option<EnquiryId>,
    asked: &ReturnItem,
) -> Result<Option<Money>, StoreError> {
    let enquiry = match opening {
        Some(opening) => cloud.store.enquiry_get(opening).await?,
        None => None,
    };
    if let Some(kept) = enquiry.and_then(|enquiry| enquiry.asked) {
        return Ok(kept.cost);
    }
    let core = cloud.store.rulebook_core(&seat.company, seat.rulebook).await?;
    Ok(core.as_ref().and_then(|core| core.source(&asked.source)?.cost_per_lead))
}
