//! One dealer: whether it can be given leads and why not, its contracts and channels, its last leads; pause and resume it or
//! a contract, test and enable a channel, send a lead again.
//!
//! Determinations. *A page shows [`CONTRACTS`](crate::dealers::CONTRACTS) contracts*, reads the caps of those alone, and the rest is a link behind
//! them. *A pause has a reason, and an end or none*; an end is read in the company's zone. The same pause once
//! more changes nothing. *A test is asked for by a name*, so that a second click, or loading the page again, tries nothing. *A lead is
//! sent again once from a page*: the form says when it was shown.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use leadyard_domain::access::Role;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::contract::Contract;
use leadyard_domain::dealer::Dealer;
use leadyard_domain::distribution::{Core, Pause, Switches};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, CompanyId, DealerId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::store::Trial;
use leadyard_platform::who::{self, ACTS, READS};
use serde::Deserialize;
use serde_json::json;

use super::shown::{self, instant};
use super::signed::{For, Form, Sent, Signed};
use super::standing::{Made, Stands};
use super::{Frame, address, rendered, troubled};
use crate::acts;
use crate::dealers::fared::OfAll;
use crate::dealers::standing::{Known, pause, zone_of};
use crate::dealers::{book_of, missing, some_of};
use crate::switches::{self, Flip};
use crate::{channels, redeliver, trial};

/// Leads of each kind that a page shows.
const LEADS: i32 = 15;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    done: String,
    /// The test that was made.
    test: String,
    /// Behind which contract those that are shown begin.
    contracts: String,
}

#[derive(askama::Template)]
#[template(path = "dealer.html")]
struct Page {
    frame: Frame,
    at: String,
    company: String,
    dealer: String,
    name: String,
    facts: Vec<(&'static str, String)>,
    standing: Stands,
    part: Part,
    paused: bool,
    fared: Made,
    seats: Vec<Seat>,
    /// They answer for the company: what the rules say of the dealer is theirs to change.
    manages: bool,
    /// What a test came to.
    tested: String,
    zone: String,
    /// When it was read.
    shown: String,
    /// What was typed.
    typed: Form,
    done: &'static str,
    trouble: String,
}

/// Which of its contracts are shown.
struct Part {
    /// Behind which they begin; nothing, where they are the first.
    after: String,
    /// The number of the first of them, of the last of them, and how many there are.
    first: usize,
    last: usize,
    all: usize,
    /// Where those behind them are.
    next: String,
}

/// One of its leads.
struct Seat {
    lead: String,
    assignment: String,
    name: String,
    state: String,
    offered: String,
    offered_at: String,
    delivery: String,
    /// Its attempts, the last first.
    attempts: Vec<String>,
    price: String,
    /// It is open, or was withdrawn: something can be sent again.
    again: bool,
}

impl Page {
    fn typed(&self, name: &str) -> &str {
        self.typed.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// `GET /console/dealers/{company}/{dealer}`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path((company, dealer)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    match Box::pin(of(&cloud, &signed, (&company, &dealer), &asked, Form::new())).await {
        Ok(mut page) => {
            page.done = said(&asked.done);
            rendered(&page, StatusCode::OK)
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

fn said(done: &str) -> &'static str {
    match done {
        "pause" => "Paused: it gets no more leads until then. What it has it keeps.",
        "resume" => "Resumed: leads that waited for it are looked at again.",
        "publish" => "Published: from now on it holds, and leads that wait are looked at again.",
        "enable" => "The channel takes leads again.",
        "redeliver" => "It is on its way again, as the same message.",
        _ => "",
    }
}

/// `POST /console/dealers/{company}/{dealer}/{act}`: `pause`, `resume`, `test`, `enable` or `redeliver`.
pub(super) async fn act(
    State(cloud): State<Cloud>,
    Path((company, dealer, act)): Path<(String, String, String)>,
    Sent { signed: For(signed), form }: Sent<For<ACTS>>,
) -> Response {
    let at = format!("/console/dealers/{company}/{dealer}");
    let contracts = form.get("contracts").cloned().unwrap_or_default();
    let trouble = match done(&cloud, &signed, (&company, &dealer), &act, &form).await {
        Ok(test) => {
            let told = [("done", act.as_str()), ("test", &test), ("contracts", &contracts)];
            return Redirect::to(&address(&at, &told)).into_response();
        }
        Err(problem) => problem,
    };
    let asked = Asked { contracts, ..Asked::default() };
    match Box::pin(of(&cloud, &signed, (&company, &dealer), &asked, form)).await {
        Ok(mut page) => {
            trouble.detail().clone_into(&mut page.trouble);
            let status = StatusCode::from_u16(trouble.code().status()).unwrap_or(StatusCode::CONFLICT);
            rendered(&page, status)
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// Does it; the test, where one was made.
async fn done(
    cloud: &Cloud,
    signed: &Signed,
    (company, dealer): (&str, &str),
    act: &str,
    form: &Form,
) -> Result<String, Problem> {
    let company = who::company(&signed.desk, Some(company))?;
    let core = who::rules_of(cloud, &company).await?;
    let book = book_of(cloud, &core).await?;
    let id = DealerId::new(dealer).map_err(|_| missing())?;
    let known = book.dealers.iter().find(|known| known.id == id).ok_or_else(missing)?;
    let text = |name: &str| form.get(name).map(|text| text.trim()).unwrap_or_default();
    match act {
        "pause" | "resume" => {
            let flip = flip(&core, known, act == "pause", form, cloud.clock.now())?;
            if let Some(contract) = &flip.contract
                && !book.contracts.iter().any(|one| one.id == *contract && one.dealer == id)
            {
                return Err(Problem::new(Code::NotFound, "the dealer has no such contract"));
            }
            let (stands, _) = cloud.store.switches_get(&company).await?;
            if !stands_so(&stands, &flip, cloud.clock.now()) {
                switches::flipped(cloud, &signed.desk, &company, "pause", &flip).await?;
            }
            Ok(String::new())
        }
        "test" => {
            let order = text("order");
            let has = |order: &str| {
                book.channels.iter().any(|one| one.dealer == id && one.order.to_string() == order)
            };
            if !has(order) {
                return Err(Problem::new(Code::NotFound, "the dealer has no such channel"));
            }
            let id = text("test")
                .parse()
                .map_err(|_| Problem::new(Code::InvalidField, "test the channel from the dealer’s page"))?;
            let tried = trial::tried(cloud, &signed.desk, &company, (dealer, order), id).await?;
            Ok(tried.id.to_string())
        }
        "enable" => {
            channels::enabled(cloud, &signed.desk, &company, dealer, text("order")).await?;
            Ok(String::new())
        }
        "redeliver" => {
            let assignment = text("assignment").parse().map_err(|_| {
                Problem::new(Code::InvalidField, "which of the dealer’s leads is to be sent again?")
            })?;
            let (lead, shown) = (text("lead").parse::<LeadId>(), text("shown").parse::<Timestamp>());
            if let (Ok(lead), Ok(shown)) = (lead, shown)
                && redeliver::again_since(cloud, &signed.desk, (lead, assignment), shown).await?
            {
                return Err(Problem::new(Code::StateConflict, "the lead was sent again already"));
            }
            let asked = acts::Asked { assignment: Some(assignment), ..acts::Asked::default() };
            acts::done(cloud, &signed.desk, text("lead"), "redeliver", &asked).await?;
            Ok(String::new())
        }
        _ => Err(Problem::new(Code::NotFound, "an act is one of: pause resume test enable redeliver")),
    }
}

/// What a form asks of the switches: of the dealer, or of the contract that it names.
fn flip(core: &Core, dealer: &Dealer, on: bool, form: &Form, now: Timestamp) -> Result<Flip, Problem> {
    let invalid = |detail: &str| Problem::new(Code::InvalidField, detail);
    let text = |name: &str| form.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let contract = text("contract").map(str::parse).transpose();
    let contract = contract.map_err(|_| invalid("a contract is named by its id"))?;
    let of_dealer = contract.is_none().then(|| dealer.id.clone());
    if !on {
        return Ok(Flip { on, contract, dealer: of_dealer, ..Flip::default() });
    }
    let reason = acts::note("reason", form.get("reason").cloned())?;
    let reason = reason.ok_or_else(|| invalid("say in reason why it is paused"))?;
    let until = match text("until") {
        None => None,
        Some(until) => Some(at(core, until).ok_or_else(|| invalid("an end is written 2026-06-01T18:00"))?),
    };
    if until.is_some_and(|until| until <= now) {
        return Err(invalid("the end lies in the past"));
    }
    Ok(Flip { on, contract, dealer: of_dealer, reason: Some(reason), until })
}

/// An instant as a browser writes it, in the company's zone.
fn at(core: &Core, text: &str) -> Option<Timestamp> {
    let local: jiff::civil::DateTime = text.parse().ok()?;
    local.to_zoned(shown::zone(core)).ok().map(|zoned| zoned.timestamp())
}

/// Whether the switches stand as they would be flipped.
fn stands_so(switches: &Switches, flip: &Flip, now: Timestamp) -> bool {
    fn same<Id: PartialEq>(pauses: &[Pause<Id>], id: Option<&Id>, flip: &Flip, now: Timestamp) -> bool {
        let Some(id) = id else { return true };
        match pause(pauses, id, now) {
            None => !flip.on,
            Some(pause) => {
                flip.on && pause.until == flip.until && Some(&pause.reason) == flip.reason.as_ref()
            }
        }
    }
    same(&switches.contracts, flip.contract.as_ref(), flip, now)
        && same(&switches.dealers, flip.dealer.as_ref(), flip, now)
}

async fn of(
    cloud: &Cloud,
    signed: &Signed,
    (company, dealer): (&str, &str),
    asked: &Asked,
    typed: Form,
) -> Result<Page, Problem> {
    let company = who::company(&signed.desk, Some(company))?;
    let core = who::rules_of(cloud, &company).await?;
    let (book, now) = (book_of(cloud, &core).await?, cloud.clock.now());
    let id = DealerId::new(dealer).map_err(|_| missing())?;
    let dealer = book.dealers.iter().find(|known| known.id == id).ok_or_else(missing)?;
    let (switches, _) = cloud.store.switches_get(&company).await?;
    let at = format!("/console/dealers/{company}/{id}");
    let own: Vec<&Contract> = book.contracts.iter().filter(|contract| contract.dealer == id).collect();
    let (contracts, part) = part_of(&own, &asked.contracts, &at);
    let known = Known::read(cloud, (&core, &book, &switches), &[dealer], contracts, now).await?;
    let (open, shut, fared) = futures::try_join!(
        async { Ok(cloud.store.inbox(&company, &id, true, None, LEADS).await?.0) },
        async { Ok(cloud.store.inbox(&company, &id, false, None, LEADS).await?.0) },
        OfAll::read(cloud, &core, now)
    )?;
    let seats: Vec<Assignment> = open.into_iter().chain(shut).collect();
    let mut ids: Vec<_> = seats.iter().map(|seat| seat.lead).collect();
    ids.sort_unstable();
    ids.dedup();
    let leads = cloud.store.leads_get(&ids).await?;
    let tested = match asked.test.as_str() {
        "" => String::new(),
        test => tested(cloud, &company, &id, test).await?,
    };
    let zone = zone_of(dealer);
    let open_now = dealer.hours.is_open(now, &zone, &dealer.holidays);
    let opens = dealer.hours.next_opening(now, &zone, &dealer.holidays);
    let hours = match (open_now, opens) {
        (true, _) => format!("{}; open now", dealer.hours),
        (false, Some(opens)) => format!("{}; shut now, opens {}", dealer.hours, instant(&core, opens)),
        (false, None) => format!("{}; shut", dealer.hours),
    };
    let mut standing = Stands::of(&core, id.as_str(), &known.standing(dealer));
    for channel in &mut standing.channels {
        channel.test = ActId::mint(now, cloud.entropy.bytes()).to_string();
    }
    let mut facts = vec![
        ("Kind", dealer.kind.to_string()),
        ("ZIP", dealer.zip.to_string()),
        ("Zone", dealer.zone.clone()),
        ("Hours", hours),
        ("In all", standing.caps.iter().map(|cap| cap.says.clone()).collect::<Vec<_>>().join(", ")),
        ("Paid in advance", std::mem::take(&mut standing.balance)),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    Ok(Page {
        frame: Frame::of(dealer.name.clone(), "dealers", signed).forms_for(Role::Desk, signed, &company),
        manages: signed.desk.may(&company, Role::Manager),
        at,
        dealer: id.to_string(),
        name: dealer.name.clone(),
        facts,
        standing,
        part,
        paused: pause(&switches.dealers, &id, now).is_some(),
        fared: Made::of(&fared.of(&id)),
        seats: seats.iter().map(|seat| of_seat(&core, seat, &leads, now)).collect(),
        tested,
        zone: core.company.zone.clone(),
        shown: now.to_string(),
        typed,
        done: "",
        trouble: String::new(),
        company: company.to_string(),
    })
}

/// The contracts that are shown: those behind the one that is named, or the first.
fn part_of<'o, 'b>(own: &'o [&'b Contract], after: &str, at: &str) -> (&'o [&'b Contract], Part) {
    let (shown, from) = some_of(own, after);
    let to = from + shown.len();
    let last = shown.last().filter(|_| to < own.len());
    let next = last.map(|last| address(at, &[("contracts", last.id.as_str())])).unwrap_or_default();
    let after = if from > 0 { after.to_owned() } else { String::new() };
    (shown, Part { after, first: from + 1, last: to, all: own.len(), next })
}

fn of_seat(core: &Core, seat: &Assignment, leads: &[Lead], now: Timestamp) -> Seat {
    let lead = leads.iter().find(|lead| lead.id == seat.lead);
    let attempts = seat.attempts.iter().rev().take(3).map(|attempt| {
        let what = if attempt.what.is_empty() { attempt.end.to_string() } else { attempt.what.clone() };
        format!("{}: {} ({} ms)", instant(core, attempt.at), shown::cut(&what, 200), attempt.ms)
    });
    Seat {
        lead: seat.lead.to_string(),
        assignment: seat.id.to_string(),
        name: lead.map_or_else(|| "no lead".to_owned(), |lead| shown::name(&lead.person)),
        state: seat.state.to_string(),
        offered: shown::ago(seat.offered_at, now),
        offered_at: instant(core, seat.offered_at),
        delivery: if seat.shadow { "only watched".to_owned() } else { shown::word(&seat.delivery) },
        attempts: attempts.collect(),
        price: shown::money(core, seat.price),
        again: redeliver::may_be(seat) && lead.is_some_and(|lead| !lead.is_erased()),
    }
}

/// What a test came to.
async fn tested(
    cloud: &Cloud,
    company: &CompanyId,
    dealer: &DealerId,
    test: &str,
) -> Result<String, Problem> {
    let Ok(id) = test.parse() else { return Ok(String::new()) };
    let trial = cloud.store.trial_get(company, id, cloud.clock.now()).await?;
    let Some(Trial { order, attempt, .. }) = trial.filter(|trial| trial.dealer == *dealer) else {
        return Ok("That test is not known any more.".to_owned());
    };
    let Some(attempt) = attempt else {
        return Ok(format!("The test of channel {order} is still under way: load this page again."));
    };
    let told = json!(attempt);
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let what = [shown::word(&text("end")), shown::cut(&text("what"), 500)];
    let what: Vec<String> = what.into_iter().filter(|part| !part.is_empty()).collect();
    Ok(format!("The test of channel {order}: {} ({} ms).", what.join(", "), told["ms"]))
}
