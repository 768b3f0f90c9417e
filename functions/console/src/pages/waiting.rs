//! The waiting room: how many wait and why, the leads behind each reason, and what is asked for that no contract serves;
//! place as the rules recommend, after a look at what would go where.
//!
//! Determinations. *Counted are those that a page looks at*, the hottest first, as many as its reads allow, and it says
//! how many; the leads of one reason go on from page to page. *What was looked at is what is placed*: each lead as it stood
//! then, with the contract that was shown, and no other. Where the lead, the rules or the counters say otherwise by then, it
//! is left waiting and said so; of all that wait, in the end by name. *A second click is the first one.* *What a colleague holds stays*, and everything does while
//! distribution is stopped: who means one of them all the same opens it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use leadyard_domain::access::Role;
use leadyard_domain::distribution::{Core, Switches};
use leadyard_domain::ids::{ActId, LeadId};
use leadyard_domain::lead::{Lead, Stage};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::scores::Scores;
use leadyard_platform::who::{ACTS, READS};
use serde::Deserialize;

use super::list::Shown as List;
use super::many::{Act, Done, why_not, with_each};
use super::shown::{self, Choice, Row};
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, address, rendered, troubled, whole};
use crate::acts::{self, Seen};
use crate::find::{self, Behind};
use crate::place::Supposed;
use crate::waiting::{self, Room};

const AT: &str = "/console/waiting";
/// Leads on one page, and at most in one look.
const LISTED: usize = 25;
/// Store reads that a page may take for its leads.
const STORE_READS: usize = 17;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    company: String,
    reason: String,
    after: String,
    done: String,
    count: usize,
    kept: usize,
}

impl Asked {
    fn at(&self, more: &[(&str, &str)]) -> String {
        let mut pairs = vec![("company", self.company.as_str()), ("reason", &self.reason)];
        pairs.extend(more);
        address(AT, &pairs)
    }
}

#[derive(askama::Template)]
#[template(path = "waiting.html")]
struct Page {
    frame: Frame,
    company: String,
    reason: String,
    /// What that reason means.
    says: String,
    companies: Vec<Choice>,
    reasons: Vec<Reason>,
    rows: Vec<Row>,
    unmet: Vec<Unmet>,
    examined: usize,
    /// All that wait were looked at.
    complete: bool,
    /// It is the first page: what is counted is counted from the top.
    first: bool,
    next: String,
    done: String,
}

/// How many wait for one reason.
struct Reason {
    word: String,
    says: String,
    count: u32,
    at: String,
    chosen: bool,
}

struct Unmet {
    category: String,
    area: String,
    leads: u32,
    reasons: String,
}

/// `GET /console/waiting?company&reason&after`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(asked): Query<Asked>,
) -> Response {
    match listed(&cloud, &signed, asked).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

/// How many leads a page looks at: a read for each hundred, beside six for each category.
fn most(core: &Core) -> usize {
    100 * STORE_READS.saturating_sub(6 * core.waited_in().len()).clamp(1, 5)
}

async fn listed(cloud: &Cloud, signed: &Signed, mut asked: Asked) -> Result<Page, Problem> {
    let core = signed.rules_of(cloud, &asked.company).await?;
    asked.company = core.company_id().to_string();
    let after = Some(asked.after.as_str()).filter(|after| !after.is_empty()).map(find::read).transpose()?;
    let (now, mut room) = (cloud.clock.now(), Room::new());
    let (in_order, after) = Behind::scores(after, &core, now);
    let (waiting, more) = waiting::hottest(cloud, &in_order, after.as_ref(), most(&core)).await?;
    room.complete = !more;
    for (_, lead) in &waiting {
        room.add(&core, lead);
    }
    let scores = Scores::of(&core, now);
    let of_reason = |lead: &Lead| {
        asked.reason.is_empty() || lead.waiting.is_some_and(|waiting| waiting.to_string() == asked.reason)
    };
    let mut behind = waiting.iter().filter(|(_, lead)| of_reason(lead));
    let listed: Vec<_> = behind.by_ref().take(LISTED).collect();
    // Behind the last that is shown; or behind all that were looked at, where more stand there.
    let from = match behind.next() {
        Some(_) => listed.last().map(|(place, _)| place),
        None => waiting.last().map(|(place, _)| place).filter(|_| more),
    };
    let next =
        from.map(|place| asked.at(&[("after", &Behind::written(place, &in_order))])).unwrap_or_default();
    let rows = listed.iter().map(|(_, lead)| Row::of(&core, lead, scores.now(lead).as_ref(), now)).collect();
    let reasons = room.by_reason.iter().map(|(word, count)| Reason {
        word: word.clone(),
        says: shown::waits_for(word),
        count: *count,
        at: Asked { reason: word.clone(), company: asked.company.clone(), ..Asked::default() }.at(&[]),
        chosen: *word == asked.reason,
    });
    let mut reasons: Vec<Reason> = reasons.collect();
    reasons.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.word.cmp(&b.word)));
    Ok(Page {
        frame: Frame::of("Waiting", "waiting", signed).forms_for(Role::Desk, signed, core.company_id()),
        companies: Choice::companies(cloud, &signed.desk, core.company_id()),
        says: shown::waits_for(&asked.reason),
        reasons,
        rows,
        unmet: unmet(&mut room),
        examined: room.examined,
        complete: room.complete,
        first: asked.after.is_empty(),
        next,
        done: done(&asked),
        company: asked.company,
        reason: asked.reason,
    })
}

fn unmet(room: &mut Room) -> Vec<Unmet> {
    let told = |unmet: waiting::Unmet| {
        let zip3 = if unmet.zip3.is_empty() { String::new() } else { format!("ZIP {}…", unmet.zip3) };
        let area =
            [unmet.state, zip3].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        let reasons = unmet
            .demand
            .reasons
            .iter()
            .map(|(reason, count)| format!("{}: {count}", shown::waits_in_short(reason)));
        Unmet {
            category: unmet.category,
            area: if area.is_empty() { "not known".to_owned() } else { area },
            leads: unmet.demand.leads,
            reasons: reasons.collect::<Vec<_>>().join("; "),
        }
    };
    room.unmet().into_iter().take(LISTED).map(told).collect()
}

fn done(asked: &Asked) -> String {
    let follows = match asked.done.as_str() {
        "none" => return "Nothing was chosen. Tick some, or all on the page.".to_owned(),
        "placed" => "delivery is on its way",
        "watched" => "the company only watches, so nothing is sent",
        _ => return String::new(),
    };
    let placed = match asked.count {
        0 => "0 leads are placed.".to_owned(),
        1 => format!("1 lead is placed; {follows}."),
        count => format!("{count} leads are placed; {follows}."),
    };
    match asked.kept {
        0 => placed,
        kept => format!(
            "{placed} {kept} could not go where it was shown any more: somebody else has them, the desk holds them, or \
             distribution is stopped. Look at them again."
        ),
    }
}

// --- Place as recommended ---

#[derive(askama::Template)]
#[template(path = "waiting_look.html")]
struct Look {
    frame: Frame,
    company: String,
    reason: String,
    back: String,
    goes: Vec<Goes>,
    stays: Vec<Goes>,
    /// What all of them come to; empty while the company only watches, and nothing is charged.
    price: String,
    currency: String,
    /// The acts' id.
    once: String,
}

/// Where a lead would go, or why it would stay.
struct Goes {
    lead: String,
    name: String,
    place: String,
    offer: String,
    contract: String,
    dealer: String,
    price: String,
    why: String,
    seen: String,
}

/// `POST /console/waiting/place`: `one.LEAD` for each that is ticked, or `every` and `shown.LEAD` for all on the page, or
/// `whole` for [all](whole) that wait, or wait for this reason.
/// First a look; with `sure`, `once`, `seen.LEAD` and `with.LEAD`, the contract that was shown, it is done.
pub(super) async fn place(
    State(cloud): State<Cloud>,
    Sent { signed: For(signed), form }: Sent<For<ACTS>>,
) -> Response {
    let text = |name: &str| form.get(name).cloned().unwrap_or_default();
    let asked = Asked { company: text("company"), reason: text("narrow_reason"), ..Asked::default() };
    let answered = if form.contains_key("whole") {
        let list = List {
            company: text("company"),
            list: Stage::Waiting.to_string(),
            waits: text("narrow_reason"),
            room: "yes".to_owned(),
            ..List::default()
        };
        Box::pin(whole::begin(&cloud, &signed, Act::Place, list)).await
    } else if form.contains_key("sure") {
        placed(&cloud, &signed, &form, &asked).await
    } else {
        look(&cloud, &signed, &form, &asked).await
    };
    answered.unwrap_or_else(|problem| troubled(&signed, &problem))
}

async fn look(cloud: &Cloud, signed: &Signed, form: &Form, asked: &Asked) -> Result<Response, Problem> {
    let under = if form.contains_key("every") { "shown." } else { "one." };
    let ids: Vec<LeadId> =
        form.keys().filter_map(|name| name.strip_prefix(under)?.parse().ok()).take(LISTED).collect();
    if ids.is_empty() {
        return Ok(Redirect::to(&asked.at(&[("done", "none")])).into_response());
    }
    let core = signed.rules_of(cloud, &asked.company).await?;
    let mut leads = cloud.store.leads_get(&ids).await?;
    leads.retain(|lead| lead.company == *core.company_id());
    // In the order of the list: the hottest has the last seat.
    let now = cloud.clock.now();
    let scores = Scores::of(&core, now);
    leads.sort_by_key(|lead| {
        let hundredths = scores.now(lead).map_or(0, |score| score.hundredths);
        (std::cmp::Reverse(hundredths), std::cmp::Reverse(lead.last_enquiry_at), lead.id)
    });
    let (switches, _) = cloud.store.switches_get(core.company_id()).await?;
    // What stays whatever the rules say has none of the seats that the others are shown.
    let (kept, free): (Vec<Lead>, Vec<Lead>) =
        leads.into_iter().partition(|lead| stays_put(&switches, lead, now).is_some());
    let ids: Vec<LeadId> = free.iter().map(|lead| lead.id).collect();
    let recommended = acts::Asked { recommended: true, ..acts::Asked::default() };
    let place = Act::Place.word();
    let told = acts::tried(cloud, &signed.desk, place, &ids, recommended, &mut Supposed::default()).await?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let of = |lead: &Lead, after: &serde_json::Value, why: String| Goes {
        lead: lead.id.to_string(),
        name: shown::name(&lead.person),
        place: shown::place(&lead.person),
        offer: core.offer(&lead.offer).map_or_else(|| lead.offer.to_string(), |offer| offer.name.clone()),
        contract: text(&after["contract"]),
        dealer: text(&after["dealer"]),
        price: text(&after["price"]),
        why,
        seen: serde_json::json!(Seen::of(lead)).to_string(),
    };
    let (mut goes, mut stays, mut minor) = (Vec::new(), Vec::new(), 0);
    for lead in &kept {
        let why = stays_put(&switches, lead, now).unwrap_or_default();
        stays.push(of(lead, &serde_json::Value::Null, why.to_owned()));
    }
    for (lead, told) in free.iter().zip(&told) {
        let one = of(lead, &told["after"], why_not(&told["problem"]));
        if one.contract.is_empty() {
            stays.push(one);
        } else {
            let price = one.price.parse::<leadyard_domain::money::Money>();
            minor += price.map_or(0, leadyard_domain::money::Money::minor);
            goes.push(one);
        }
    }
    let price = shown::money(&core, leadyard_domain::money::Money::from_minor(minor));
    let title = "Place as recommended?";
    let page = Look {
        frame: Frame::of(title, "waiting", signed),
        company: asked.company.clone(),
        reason: asked.reason.clone(),
        back: asked.at(&[]),
        goes,
        stays,
        price: if switches.shadow { String::new() } else { price },
        currency: core.company.currency.clone(),
        once: ActId::mint(now, cloud.entropy.bytes()).to_string(),
    };
    Ok(rendered(&page, StatusCode::OK))
}

/// Why a lead is not placed with many, whatever the rules recommend.
pub(super) fn stays_put(switches: &Switches, lead: &Lead, now: Timestamp) -> Option<&'static str> {
    match (switches.stop, lead.held_back(now)) {
        (true, _) => Some("distribution is stopped"),
        (false, Some(_)) => Some("the desk holds it"),
        (false, None) => None,
    }
}

/// Does it as [`many`](super::many) does: each as it was shown, and a second click is the first one.
async fn placed(cloud: &Cloud, signed: &Signed, form: &Form, asked: &Asked) -> Result<Response, Problem> {
    let core = signed.rules_of(cloud, &asked.company).await?;
    let (switches, _) = cloud.store.switches_get(core.company_id()).await?;
    let Done { count, kept } = Box::pin(with_each(cloud, signed, &core, &switches, Act::Place, form)).await?;
    let done = match (count + kept, switches.shadow) {
        (0, _) => "none",
        (_, true) => "watched",
        (_, false) => "placed",
    };
    let (count, kept) = (count.to_string(), kept.to_string());
    Ok(Redirect::to(&asked.at(&[("done", done), ("count", &count), ("kept", &kept)])).into_response())
}
