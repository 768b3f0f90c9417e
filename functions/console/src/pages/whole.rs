//! One act on all of a list, or of the waiting room, after one look at all of them: they are looked at step by step, shown
//! page by page, and done step by step once somebody is sure, with how far it has come at each step.
//!
//! Determinations. *Which they are is fixed when the look begins*, [`LOOK_LEADS`](limits::LOOK_LEADS) at most: so it is
//! known of how many each step is a part, and of a longer list the page says that more stand behind and goes on there.
//! *A step is a page that is opened*: it does the next part and leads to itself, without a script. *A step that is taken
//! again does nothing again*: a part stands as it was first looked at and first done, each lead is done under one act's id,
//! and how far it has come is counted from the parts. *What was shown is what is done*: where a lead, the rules or the
//! counters say otherwise by then, it stays as it is and is named in the end with what changed. *Each seat is promised
//! once*: a part is looked at as if all before it had been done. *It is done by whoever was shown it*, while they have a
//! page of it open; who closes that goes on where it stopped, for two hours. *Whom somebody leaves out stays left out*,
//! whichever page shows them, until they are ticked again or it is done: who is left out and that somebody is sure are
//! one write. What is sent with a page counts for those of that page: it is done with those that are ticked on it. A page
//! that shows who is left out as it was before leaves out more, but takes nobody in again, and nothing is done by it. *Who
//! is left out gives their seat to nobody*: those behind stand as they were looked at, and whoever stays for want of a seat
//! is looked at anew.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use leadyard_domain::distribution::{Core, Counters};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::store::{Look, LookPart, LookedAt, Sure};
use leadyard_platform::who::ACTS;
use serde::Deserialize;

use super::list::{AT, Shown as List};
use super::many::{self, Act, Row};
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, address, rendered, troubled};
use crate::acts::Asked;
use crate::find;
use crate::place::Supposed;

/// Leads of one step, and of one page of what was looked at.
const STEP: usize = 25;
/// Leads that stayed as they were that are named in the end.
const NAMED: usize = 100;
/// How often it is tried to keep what was said of a look, while others say something of it too.
const ROUNDS: usize = 5;

/// What becomes of the seats of those who are left out.
const SEATS: &str =
    "Their seats go to nobody else here: whoever would stay for want of one is looked at anew afterwards.";

/// Which page of what was looked at, and why one comes back to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Shown {
    page: usize,
    said: String,
}

#[derive(askama::Template)]
#[template(path = "whole.html")]
struct Page {
    frame: Frame,
    /// Its own address.
    at: String,
    back: (String, String),
    /// What is being done, and how far it has come of how many.
    doing: &'static str,
    value: usize,
    total: usize,
    /// It goes on by itself.
    goes_on: bool,
    /// All was looked at, and nobody is sure yet.
    asks: bool,
    would: &'static str,
    goes: usize,
    stays: usize,
    /// Those that would go and are left out.
    out: usize,
    /// What becomes of the seats that those were to have.
    seats: &'static str,
    price: String,
    watches: bool,
    /// What the page shows, as its form carries it: a later one shows something else.
    version: u64,
    /// Why nothing was done yet.
    trouble: &'static str,
    /// Why, and of a hold until when, as it was typed before.
    reason: String,
    until: String,
    /// Those of this page.
    rows: Vec<Row>,
    stay: Vec<Row>,
    /// Which page it is of how many, and the pages beside it.
    number: usize,
    pages: usize,
    before: String,
    behind: String,
    zone: String,
    /// What came of it.
    said: String,
    /// Those that are not named.
    unnamed: usize,
    /// The act and the list from behind them, where more stand there.
    next: Option<(&'static str, String)>,
}

/// Begins a look at all of a list from where it is.
pub(super) async fn begin(
    cloud: &Cloud,
    signed: &Signed,
    act: Act,
    mut list: List,
) -> Result<Response, Problem> {
    let core = signed.rules_of(cloud, &list.company).await?;
    list.company = core.company_id().to_string();
    let until = find::reads_until(cloud);
    let mut asked = find::Asked { until: Some(until), ..list.search()? };
    let mut leads: Vec<LeadId> = Vec::new();
    // A search ends after so many that it looked at, and may have found nobody.
    loop {
        asked.limit = Some(limits::SEARCH_LEADS.min(limits::LOOK_LEADS - leads.len()));
        let found = find::find(cloud, &signed.desk, &core, &asked).await?;
        // A dealer's lead may stand in its list more than once.
        for (lead, _) in found.leads {
            if !leads.contains(&lead.id) {
                leads.push(lead.id);
            }
        }
        asked.after = found.next;
        if asked.after.is_none() || leads.len() >= limits::LOOK_LEADS || cloud.clock.now() >= until {
            break;
        }
    }
    if leads.is_empty() && asked.after.is_none() {
        return Ok(Redirect::to(&list.back(&[("done", "none")]).0).into_response());
    }
    let now = cloud.clock.now();
    let look = Look {
        id: ActId::mint(now, cloud.entropy.bytes()),
        company: core.company_id().clone(),
        by: signed.desk.staff.clone(),
        at: now,
        act: act.word().to_owned(),
        back: list.whole().back(&[]),
        leads,
        next: asked.after.map(|after| List { after, ..list }.kept()),
        left_out: BTreeSet::new(),
        reason: String::new(),
        until: String::new(),
        version: 0,
    };
    cloud.store.look_begin(&look).await?;
    Ok(Redirect::to(&at(&look)).into_response())
}

fn at(look: &Look) -> String {
    format!("{AT}/many/{}/{}", look.company, look.id)
}

/// A look, and how far it has come.
struct Stands {
    look: Look,
    act: Act,
    sure: Option<Sure>,
    parts: Vec<LookPart>,
}

impl Stands {
    /// That of whoever is signed in; `None` of one that is over.
    async fn read(cloud: &Cloud, signed: &Signed, core: &Core, id: &str) -> Result<Option<Self>, Problem> {
        let Ok(id) = id.parse::<ActId>() else { return Ok(None) };
        let found = cloud.store.look_get(core.company_id(), id, cloud.clock.now()).await?;
        let Some((look, sure, parts)) = found.filter(|(look, ..)| look.by == signed.desk.staff) else {
            return Ok(None);
        };
        let act = Act::of(&look.act)?;
        Ok(Some(Self { look, act, sure, parts }))
    }

    fn steps(&self) -> usize {
        self.look.leads.len().div_ceil(STEP)
    }

    /// How many were looked at.
    fn looked(&self) -> usize {
        (self.parts.len() * STEP).min(self.look.leads.len())
    }

    fn leads(&self) -> impl Iterator<Item = &LookedAt> {
        self.parts.iter().flat_map(|part| &part.leads)
    }

    /// Whether it is done with one: something would follow, and nobody left it out.
    fn is_meant(&self, one: &LookedAt) -> bool {
        one.goes && !self.look.left_out.contains(&one.lead)
    }

    /// With how many it is done.
    fn goes(&self) -> usize {
        self.leads().filter(|one| self.is_meant(one)).count()
    }

    /// For how many it was tried.
    fn tried(&self) -> usize {
        let done = self.parts.iter().filter(|part| part.done);
        done.flat_map(|part| &part.leads).filter(|one| self.is_meant(one)).count()
    }

    /// The first part that is not done.
    fn to_do(&self) -> Option<usize> {
        self.parts.iter().position(|part| !part.done && part.leads.iter().any(|one| self.is_meant(one)))
    }

    /// Whether a page that was sent shows it as it stands.
    fn was_shown(&self, form: &Form) -> bool {
        many::text(form, "seen") == self.look.version.to_string()
    }

    /// Who is left out once a page was sent: of those that it shows who is not ticked, of the others who was before. A page
    /// that shows it as it stood before takes nobody in again.
    fn left_out_by(&self, form: &Form) -> BTreeSet<LeadId> {
        let named = |under: &str, lead: LeadId| form.contains_key(&format!("{under}.{lead}"));
        let was_shown = self.was_shown(form);
        let left_out = |lead: &LeadId| {
            let before = self.look.left_out.contains(lead);
            if named("shown", *lead) { !named("one", *lead) || (before && !was_shown) } else { before }
        };
        self.leads().filter(|one| one.goes).map(|one| one.lead).filter(left_out).collect()
    }

    /// Looks at the next part, as if all before it had been done.
    async fn look_on(&mut self, cloud: &Cloud, signed: &Signed, core: &Core) -> Result<(), Problem> {
        let number = self.parts.len();
        let ids: Vec<LeadId> = self.look.leads.iter().skip(number * STEP).take(STEP).copied().collect();
        let leads = cloud.store.leads_get(&ids).await?;
        let mut left = Counters::default();
        for part in &self.parts {
            let of = part.left();
            left.contracts.extend(of.contracts);
            left.dealers.extend(of.dealers);
        }
        let mut supposed = Supposed::after(core.company_id(), left);
        let (switches, _) = cloud.store.switches_get(core.company_id()).await?;
        let fates =
            Box::pin(many::fates(cloud, signed, core, &switches, self.act, leads, &mut supposed)).await?;
        let fates = fates.into_iter().map(|(_, fate)| fate).collect();
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let part = LookPart::new(number, fates, supposed.left(core.company_id()));
        cloud.store.look_keep(&self.look, &part).await?;
        self.parts.push(part);
        Ok(())
    }

    /// Does a part.
    async fn go_on(
        &mut self,
        cloud: &Cloud,
        signed: &Signed,
        core: &Core,
        (sure, at): (&Sure, usize),
    ) -> Result<(), Problem> {
        let Some(part) = self.parts.get_mut(at) else { return Ok(()) };
        let left_out = &self.look.left_out;
        let (switches, _) = cloud.store.switches_get(core.company_id()).await?;
        for one in part.leads.iter_mut().filter(|one| one.goes && !left_out.contains(&one.lead)) {
            let asked = Asked {
                reason: sure.reason.clone(),
                until: sure.until,
                once: Some(self.look.id),
                ..many::seen_as(self.act, &one.seen, one.contract.clone())
            };
            let why = Box::pin(many::one(cloud, signed, core, &switches, self.act, one.lead, &asked)).await?;
            if let Some(why) = why {
                (one.stayed, one.what) = (true, why);
            }
        }
        part.done = true;
        cloud.store.look_did(&self.look, part).await?;
        Ok(())
    }
}

/// `GET /console/leads/many/{company}/{look}?page&said`: the next step, or what was looked at, or what came of it.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<ACTS>,
    Path((company, look)): Path<(String, String)>,
    Query(shown): Query<Shown>,
) -> Response {
    let stepped = Box::pin(step(&cloud, &signed, &company, &look, &shown)).await;
    stepped.unwrap_or_else(|problem| troubled(&signed, &problem))
}

async fn step(
    cloud: &Cloud,
    signed: &Signed,
    company: &str,
    look: &str,
    shown: &Shown,
) -> Result<Response, Problem> {
    let core = signed.rules_of(cloud, company).await?;
    let Some(mut stands) = Stands::read(cloud, signed, &core, look).await? else {
        return Ok(over(company));
    };
    if stands.parts.len() < stands.steps() {
        stands.look_on(cloud, signed, &core).await?;
        return Ok(rendered(&looking(&stands, signed), StatusCode::OK));
    }
    let Some(sure) = stands.sure.clone() else {
        let asks = Box::pin(asking(cloud, signed, &core, &stands, shown)).await?;
        return Ok(rendered(&asks, StatusCode::OK));
    };
    if let Some(at) = stands.to_do() {
        stands.go_on(cloud, signed, &core, (&sure, at)).await?;
        return Ok(rendered(&doing(&stands, signed), StatusCode::OK));
    }
    Ok(rendered(&done(cloud, signed, &stands).await?, StatusCode::OK))
}

/// What was looked at too long ago is looked at again.
fn over(company: &str) -> Response {
    Redirect::to(&address(AT, &[("company", company), ("done", "over")])).into_response()
}

/// `POST /console/leads/many/{company}/{look}`: `reason`, `until`, and of the page that was shown `shown.LEAD` for each on
/// it, `one.LEAD` for each that is ticked, `seen`, its version, and `from`, its number: whoever looked is sure. With `leave`
/// it is only kept who is left out.
pub(super) async fn sure(
    State(cloud): State<Cloud>,
    Path((company, look)): Path<(String, String)>,
    Sent { signed: For(signed), form }: Sent<For<ACTS>>,
) -> Response {
    let said = Box::pin(say(&cloud, &signed, &company, &look, &form)).await;
    said.unwrap_or_else(|problem| troubled(&signed, &problem))
}

async fn say(
    cloud: &Cloud,
    signed: &Signed,
    company: &str,
    look: &str,
    form: &Form,
) -> Result<Response, Problem> {
    let core = signed.rules_of(cloud, company).await?;
    // What is said of two pages at a moment is kept of both.
    for _ in 0..ROUNDS {
        let Some(mut stands) = Stands::read(cloud, signed, &core, look).await? else {
            return Ok(over(company));
        };
        if stands.parts.len() < stands.steps() {
            let detail = "not all of them were looked at yet: go on with the look";
            return Err(Problem::new(Code::StateConflict, detail));
        }
        if stands.sure.is_some() {
            return Ok(Redirect::to(&at(&stands.look)).into_response());
        }
        let (reason, until) = many::why_and_until(cloud, form)?;
        stands.look.left_out = stands.left_out_by(form);
        let text = |name: &str| many::text(form, name).to_owned();
        (stands.look.reason, stands.look.until) = (text("reason"), text("until"));
        let why = not_yet(&stands, form);
        let sure = Some(Sure { reason, until }).filter(|_| why.is_none());
        if cloud.store.look_say(&stands.look, sure.as_ref()).await? {
            let page = many::text(form, "from").parse::<usize>().unwrap_or(1).to_string();
            let back = why.map(|said| address(&at(&stands.look), &[("page", &page), ("said", said)]));
            return Ok(Redirect::to(&back.unwrap_or_else(|| at(&stands.look))).into_response());
        }
    }
    Err(Problem::new(Code::Unavailable, "more is said of this look at this moment: try again"))
}

/// Only who is left out is kept.
const LEFT: &str = "left";
/// The page that was sent shows what holds no longer.
const CHANGED: &str = "changed";
/// Nobody is ticked.
const NOBODY: &str = "nobody";

/// Why it is not done yet with a page that was sent.
fn not_yet(stands: &Stands, form: &Form) -> Option<&'static str> {
    if form.contains_key("leave") {
        Some(LEFT)
    } else if !stands.was_shown(form) {
        Some(CHANGED)
    } else if stands.goes() == 0 {
        Some(NOBODY)
    } else {
        None
    }
}

impl Page {
    fn of(stands: &Stands, signed: &Signed, title: String) -> Self {
        let section = if stands.look.back.1 == "Waiting" { "waiting" } else { "leads" };
        Self {
            frame: Frame::of(title, section, signed),
            at: at(&stands.look),
            back: stands.look.back.clone(),
            doing: "",
            value: 0,
            total: 0,
            goes_on: false,
            asks: false,
            would: stands.act.says().1,
            goes: stands.goes(),
            stays: stands.leads().filter(|one| !one.goes).count(),
            out: stands.look.left_out.len(),
            seats: "",
            price: String::new(),
            watches: false,
            version: stands.look.version,
            trouble: "",
            reason: String::new(),
            until: String::new(),
            rows: Vec::new(),
            stay: Vec::new(),
            number: 1,
            pages: 1,
            before: String::new(),
            behind: String::new(),
            zone: String::new(),
            said: String::new(),
            unnamed: 0,
            next: stands.look.next.clone().map(|next| (stands.act.word(), next)),
        }
    }
}

fn looking(stands: &Stands, signed: &Signed) -> Page {
    let (value, total) = (stands.looked(), stands.look.leads.len());
    let title = format!("Looking: {value} of {total}");
    Page { doing: "Looked at", value, total, goes_on: true, ..Page::of(stands, signed, title) }
}

fn doing(stands: &Stands, signed: &Signed) -> Page {
    let (value, total) = (stands.tried(), stands.goes());
    let title = format!("Doing it: {value} of {total}");
    Page { doing: "Done with", value, total, goes_on: true, ..Page::of(stands, signed, title) }
}

/// A page of what was looked at.
async fn asking(
    cloud: &Cloud,
    signed: &Signed,
    core: &Core,
    stands: &Stands,
    shown: &Shown,
) -> Result<Page, Problem> {
    let pages = stands.parts.len().max(1);
    let page = shown.page.clamp(1, pages);
    let of_page: Vec<&LookedAt> =
        stands.parts.get(page - 1).into_iter().flat_map(|part| &part.leads).collect();
    let (goes, stays): (Vec<&LookedAt>, Vec<&LookedAt>) = of_page.into_iter().partition(|one| one.goes);
    let (switches, _) = cloud.store.switches_get(core.company_id()).await?;
    let (places, watches) = (stands.act == Act::Place, stands.act == Act::Place && switches.shadow);
    let minor = stands.leads().filter(|one| stands.is_meant(one)).map(|one| one.minor).sum();
    let beside = |other: usize| {
        let stands_there = (1..=pages).contains(&other) && other != page;
        let other = other.to_string();
        if stands_there { address(&at(&stands.look), &[("page", &other)]) } else { String::new() }
    };
    let title = stands.act.says().0.to_owned();
    let (value, total) = (stands.looked(), stands.look.leads.len());
    let trouble = match shown.said.as_str() {
        CHANGED => "Nothing is done yet: who is left out, or why, changed since that page was shown.",
        NOBODY => "Nothing is done: nobody is ticked.",
        _ => "",
    };
    let whole = Page::of(stands, signed, title);
    Ok(Page {
        doing: "Looked at",
        value,
        total,
        asks: true,
        price: if places && !watches { many::price(core, minor) } else { String::new() },
        watches,
        seats: if places && whole.out > 0 && whole.stays > 0 { SEATS } else { "" },
        trouble,
        reason: stands.look.reason.clone(),
        until: stands.look.until.clone(),
        rows: ticked(rows(cloud, goes).await?, &stands.look),
        stay: rows(cloud, stays).await?,
        number: page,
        pages,
        before: beside(page.saturating_sub(1)),
        behind: beside(page + 1),
        zone: if stands.act == Act::Hold { core.company.zone.clone() } else { String::new() },
        ..whole
    })
}

/// The same rows, and of those that are left out none ticked.
fn ticked(mut rows: Vec<Row>, look: &Look) -> Vec<Row> {
    let left_out: BTreeSet<String> = look.left_out.iter().map(ToString::to_string).collect();
    for row in &mut rows {
        row.ticked = !left_out.contains(&row.lead);
    }
    rows
}

/// What came of it.
async fn done(cloud: &Cloud, signed: &Signed, stands: &Stands) -> Result<Page, Problem> {
    let stayed: Vec<&LookedAt> = stands.leads().filter(|one| one.stayed).collect();
    let (_, _, word) = stands.act.says();
    let (goes, kept) = (stands.goes(), stayed.len());
    let said = match kept {
        0 => format!("{goes} {word}."),
        kept => format!("{} {word}. {kept} stayed as they are.", goes - kept),
    };
    let out = match stands.look.left_out.len() {
        0 => String::new(),
        1 => " 1 was left out.".to_owned(),
        out => format!(" {out} were left out."),
    };
    let title = stands.act.says().0.to_owned();
    Ok(Page {
        doing: "Done with",
        value: stands.tried(),
        total: goes,
        said: format!("{said}{out}"),
        stay: rows(cloud, stayed.into_iter().take(NAMED).collect()).await?,
        unnamed: kept.saturating_sub(NAMED),
        ..Page::of(stands, signed, title)
    })
}

/// Those leads as they are now, each with what is said of it.
async fn rows(cloud: &Cloud, of: Vec<&LookedAt>) -> Result<Vec<Row>, Problem> {
    let ids: Vec<LeadId> = of.iter().map(|one| one.lead).collect();
    let leads: Vec<Lead> = if ids.is_empty() { Vec::new() } else { cloud.store.leads_get(&ids).await? };
    let row = |one: &&LookedAt| Some(Row::of(leads.iter().find(|lead| lead.id == one.lead)?, one));
    Ok(of.iter().filter_map(row).collect())
}
