//! Returns: what dealers ask to give back, with their reason and what speaks for it; approve or deny with a word to the
//! dealer; the credit, and where the lead went next.
//!
//! A return is decided once. Who comes second is told who was first, and what they typed stands there still: also who
//! said the same in other words, which nobody was told.
//!
//! Determinations. *What is to be decided goes on from page to page*, the oldest leads first, which is how it is kept; on
//! a page those stand first who asked first.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use leadyard_domain::access::Role;
use leadyard_domain::assignment::{Assignment, ReturnState};
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::{AssignmentId, CompanyId};
use leadyard_domain::lead::Lead;
use leadyard_domain::ledger::Month;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::store::ReturnItem;
use leadyard_platform::who::{self, ACTS, READS};
use serde::Deserialize;

use super::shown::{self, Choice, Contact, instant};
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, address, rendered, troubled};
use crate::leads;
use crate::returns::{self, Decided, Verdict};

const AT: &str = "/console/returns";
/// Returns on a page: a store read, and one for their leads.
const LISTED: i32 = 100;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    company: String,
    state: String,
    /// Behind which return the page begins.
    after: String,
    done: String,
}

#[derive(askama::Template)]
#[template(path = "returns.html")]
struct Page {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    states: Vec<Choice>,
    open: bool,
    rows: Vec<Row>,
    /// It is not the first page.
    further: bool,
    next: String,
}

struct Row {
    at: String,
    name: String,
    dealer: String,
    contract: String,
    reason: String,
    price: String,
    source: String,
    asked: String,
    asked_at: String,
    state: String,
}

/// `GET /console/returns?company&state&after`: what the desk is to decide, the longest waiting first; or, with
/// `state=done`, what is decided, the newest first.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(asked): Query<Asked>,
) -> Response {
    match listed(&cloud, &signed, &asked).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn listed(cloud: &Cloud, signed: &Signed, asked: &Asked) -> Result<Page, Problem> {
    let core = signed.rules_of(cloud, &asked.company).await?;
    let (company, open) = (core.company_id(), asked.state != "done");
    let after = Some(asked.after.as_str()).filter(|after| !after.is_empty()).map(str::parse::<AssignmentId>);
    let after = after.transpose().map_err(|_| returns::unknown())?;
    // One more than is shown: whether any stand behind them.
    let mut items = if open {
        cloud.store.returns_oldest(company, open, after, LISTED + 1).await?
    } else {
        cloud.store.returns_after(company, open, after, LISTED + 1).await?
    };
    let more = items.len() > LISTED as usize;
    items.truncate(LISTED as usize);
    let state = if open { "open" } else { "done" };
    let next = items.last().filter(|_| more).map(|last| {
        let last = last.assignment.to_string();
        address(AT, &[("company", company.as_str()), ("state", state), ("after", &last)])
    });
    if open {
        items.sort_by_key(|item| (item.at, item.assignment));
    }
    let ids: Vec<_> = items.iter().map(|item| item.lead).collect();
    let leads = cloud.store.leads_get(&ids).await?;
    let now = cloud.clock.now();
    let row = |item: &ReturnItem| {
        let lead = leads.iter().find(|lead| lead.id == item.lead);
        Row {
            at: format!("/console/returns/{company}/{}", item.assignment),
            name: lead.map_or_else(|| "no lead".to_owned(), |lead| shown::name(&lead.person)),
            dealer: item.dealer.to_string(),
            contract: item.contract.to_string(),
            reason: shown::word(&item.reason),
            price: shown::money(&core, item.price),
            source: item.source.to_string(),
            asked: shown::ago(item.at, now),
            asked_at: instant(&core, item.at),
            state: item.state.to_string(),
        }
    };
    Ok(Page {
        frame: Frame::of("Returns", "returns", signed),
        company: company.to_string(),
        companies: Choice::companies(cloud, &signed.desk, company),
        states: vec![
            Choice::of("open", "to be decided", Some(state)),
            Choice::of("done", "decided", Some(state)),
        ],
        open,
        rows: items.iter().map(row).collect(),
        further: !asked.after.is_empty(),
        next: next.unwrap_or_default(),
    })
}

#[derive(askama::Template)]
#[template(path = "return.html")]
struct One {
    frame: Frame,
    at: String,
    company: String,
    lead: String,
    name: String,
    place: String,
    dealer: String,
    contract: String,
    reason: String,
    /// What the dealer wrote.
    note: String,
    stands: String,
    open: bool,
    contact: Vec<Contact>,
    /// What speaks for it: the seat from its offer on.
    line: Vec<(String, String)>,
    terms: String,
    price: String,
    /// What can be claimed back from the source.
    claim: String,
    /// What the desk said; while it is open, what was typed.
    said: String,
    /// What was typed and is not what the desk said: somebody else had decided.
    kept: String,
    claims: bool,
    credit: String,
    next: Vec<String>,
    done: &'static str,
    trouble: String,
}

/// `GET /console/returns/{company}/{id}`.
pub(super) async fn one(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path((company, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    match of(&cloud, &signed, &company, &id, &Form::new()).await {
        Ok(mut page) => {
            page.done = match asked.done.as_str() {
                "approve" => "Approved: the dealer is credited, and the lead goes on.",
                "deny" => "Denied: the dealer is told why.",
                _ => "",
            };
            rendered(&page, StatusCode::OK)
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// `POST /console/returns/{company}/{id}/{approve|deny}`: `reason`, `claim`.
pub(super) async fn decide(
    State(cloud): State<Cloud>,
    Path((company, id, verdict)): Path<(String, String, String)>,
    Sent { signed: For(signed), form }: Sent<For<ACTS>>,
) -> Response {
    let claims = form.contains_key("claim") && verdict == "approve";
    let sent = Verdict { reason: form.get("reason").cloned(), claim: claims };
    let decided = async {
        let company = who::company(&signed.desk, Some(&company))?;
        let id = id.parse().map_err(|_| returns::unknown())?;
        returns::decided(&cloud, &signed.desk, &company, id, &verdict, sent).await
    };
    let done = || Redirect::to(&format!("/console/returns/{company}/{id}?done={verdict}")).into_response();
    let (trouble, unclaimed) = match decided.await {
        Ok(Decided::Now(_)) => return done(),
        Ok(Decided::Before(item)) => (None, claims && item.claim.is_none()),
        Err(trouble) => (Some(trouble), false),
    };
    let mut page = match of(&cloud, &signed, &company, &id, &form).await {
        Ok(page) => page,
        Err(problem) => return troubled(&signed, &problem),
    };
    let Some(trouble) = trouble else {
        // A second click says nothing that does not stand.
        if page.kept.is_empty() && !unclaimed {
            return done();
        }
        page.trouble = format!("it was already {}", page.stands);
        if unclaimed {
            page.trouble.push_str("; what it cost is not claimed back");
        }
        return rendered(&page, StatusCode::CONFLICT);
    };
    trouble.detail().clone_into(&mut page.trouble);
    rendered(&page, StatusCode::from_u16(trouble.code().status()).unwrap_or(StatusCode::CONFLICT))
}

async fn of(cloud: &Cloud, signed: &Signed, company: &str, id: &str, typed: &Form) -> Result<One, Problem> {
    let company = who::company(&signed.desk, Some(company))?;
    let id = id.parse().map_err(|_| returns::unknown())?;
    let (open, decided) = futures::try_join!(
        cloud.store.return_get(&company, true, id),
        cloud.store.return_get(&company, false, id)
    )?;
    let is_open = decided.is_none();
    let item = decided.or(open).ok_or_else(returns::unknown)?;
    let seat = cloud.store.assignment_get(item.lead, item.cycle, item.assignment).await?;
    let seat = seat.ok_or_else(returns::unknown)?;
    let whole = leads::of_desk(cloud, &signed.desk, &item.lead.to_string()).await?;
    let lead = &whole.story.lead;
    let core = who::rules_of(cloud, &company).await?;
    let asked = seat.returned.as_ref();
    let cost = returns::cost_of(cloud, &seat, &item).await?;
    let credit = match item.state {
        ReturnState::Approved => {
            let claim = item.claim.map(|claim| {
                format!("; {} are claimed back from {}", shown::money(&core, claim), item.source)
            });
            format!("{} credited{}", shown::money(&core, item.price), claim.unwrap_or_default())
        }
        ReturnState::Requested | ReturnState::Denied => String::new(),
    };
    let of_desk = asked.and_then(|asked| asked.said.clone()).unwrap_or_default();
    let reason = typed.get("reason").cloned();
    let (said, kept) = if is_open {
        (reason.unwrap_or(of_desk), String::new())
    } else {
        // What says the same is not lost.
        let kept = reason.map(|reason| reason.trim().to_owned()).filter(|reason| *reason != of_desk);
        let kept = kept.unwrap_or_default();
        (of_desk, kept)
    };
    Ok(One {
        frame: Frame::of(format!("{} returns {}", item.dealer, shown::name(&lead.person)), "returns", signed)
            .forms_for(Role::Desk, signed, &company),
        at: format!("/console/returns/{company}/{}", item.assignment),
        company: company.to_string(),
        lead: lead.id.to_string(),
        name: shown::name(&lead.person),
        place: shown::place(&lead.person),
        dealer: item.dealer.to_string(),
        contract: item.contract.to_string(),
        reason: shown::word(&item.reason),
        note: asked.and_then(|asked| asked.note.clone()).unwrap_or_default(),
        stands: stands(&core, &item, &seat),
        open: is_open,
        contact: Contact::of(&lead.person, false),
        line: line(&core, &seat),
        terms: terms(cloud, &company, lead, &seat, &item).await?,
        price: shown::money(&core, item.price),
        claim: cost.filter(|_| is_open).map(|cost| shown::money(&core, cost)).unwrap_or_default(),
        said,
        kept,
        claims: typed.contains_key("claim"),
        credit,
        next: next(&core, lead, &whole.assignments(), &seat),
        done: "",
        trouble: String::new(),
    })
}

fn stands(core: &Core, item: &ReturnItem, seat: &Assignment) -> String {
    let decided = seat.returned.as_ref().filter(|asked| asked.state != ReturnState::Requested);
    match decided.and_then(|asked| asked.decided_at.map(|at| (asked, at))) {
        None => format!("asked {}", instant(core, item.at)),
        Some((asked, at)) => {
            let by = asked.decided_by.as_deref().unwrap_or("the contract, which trusts this dealer");
            format!("{} by {by}, {}", item.state, instant(core, at))
        }
    }
}

/// The seat from its offer on: when the dealer had the lead, and what it said of it.
fn line(core: &Core, seat: &Assignment) -> Vec<(String, String)> {
    let asked = seat.returned.as_ref().map(|asked| asked.at);
    let steps = [
        ("offered", Some(seat.offered_at)),
        ("delivered", seat.delivered_at),
        ("accepted", seat.accepted_at),
        ("charged", seat.settled_at),
        ("contacted", seat.contacted_at),
        ("return asked", asked),
    ];
    let mut line: Vec<_> = steps.into_iter().filter_map(|(step, at)| Some((at?, step))).collect();
    line.sort_by_key(|(at, _)| *at);
    line.into_iter().map(|(at, step)| (step.to_owned(), instant(core, at))).collect()
}

/// Under which terms the lead was sold, and how much of the quota is used.
async fn terms(
    cloud: &Cloud,
    company: &CompanyId,
    lead: &Lead,
    seat: &Assignment,
    item: &ReturnItem,
) -> Result<String, Problem> {
    let Some((_, terms)) = returns::terms_of(cloud, lead, seat).await? else {
        return Ok("its contract takes no returns".to_owned());
    };
    let within = format!("within {} {}", terms.days, if terms.days == 1 { "day" } else { "days" });
    let Some(percent) = terms.quota_percent else { return Ok(within) };
    let used = match item.month.parse::<Month>() {
        Ok(month) => cloud.store.returns_of_month(company, &item.contract, month).await?,
        Err(_) => 0,
    };
    Ok(format!(
        "{within}, at most {percent} % of a month’s leads; asked for or returned of {}: {used}",
        item.month
    ))
}

/// Where the lead went after this seat, or what it waits for.
fn next(core: &Core, lead: &Lead, seats: &[&Assignment], seat: &Assignment) -> Vec<String> {
    let approved = seat.returned.as_ref().filter(|asked| asked.state == ReturnState::Approved);
    let Some(since) = approved.and_then(|asked| asked.decided_at) else { return Vec::new() };
    let later = seats.iter().filter(|other| other.id != seat.id && other.offered_at >= since);
    let mut told: Vec<String> = later
        .map(|other| {
            format!(
                "{}: to {} ({}), {}",
                instant(core, other.offered_at),
                other.dealer,
                other.contract,
                other.state
            )
        })
        .collect();
    if told.is_empty() {
        told.push(match (lead.stage.closed(), lead.waiting) {
            (true, _) => format!("it is {}", lead.stage),
            (false, Some(waiting)) => format!("it waits: {}", shown::reason_says(waiting)),
            (false, None) => "it is being distributed".to_owned(),
        });
    }
    told
}
