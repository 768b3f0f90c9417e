//! Any lead, by what is known of it; and lists in their order.
//!
//! Determinations. *A list has the order of its index*, a stage's by score, a dealer's by when it had them, a source's by who
//! asked last; *or the other*, by time or by score, of as many as a page may look at, and says so where more stand behind
//! (see [`find`](crate::find)). *What the page of the day counts is a list*: who has a dealer and was not reached, offers
//! that are about to lapse, and what happened on a day, which names the day, so that it is the same list tomorrow. *A lead
//! that is opened from a list remembers it*, so that one goes on from there to the next.

mod sought;

use std::str::FromStr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use leadyard_domain::access::Role;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::{Code, Invalid};
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::{Lead, ScoreNow, Stage};
use leadyard_domain::place::State as UsState;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::who::READS;
use serde::Deserialize;

use super::shown::{Choice, Row};
use super::signed::{For, Signed};
use super::{Frame, address, rendered, troubled};
use crate::find::{self, Asked, Figure, Found, OfDay, Only, Order};
use crate::place::may_be_placed;
use crate::reports;

pub(super) use self::sought::by_person;

pub(super) const AT: &str = "/console/leads";
/// The list of those that a dealer has and has not reached.
pub(super) const UNREACHED: &str = "unreached";
/// The list of offers that are about to lapse.
pub(super) const LAPSING: &str = "lapsing";
/// Leads on one page, and in one look at many.
pub(super) const LISTED: usize = 25;

/// The list of the leads behind a number of a day.
pub(super) fn of_day(figure: Figure, day: Date) -> String {
    format!("day:{}:{day}", figure.as_str())
}

/// What the address says. No person ever stands in it: they are asked for by a form's body.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Shown {
    pub(super) company: String,
    /// `hottest`, a stage, `source:ID`, `dealer:ID` (what it has), `past:ID` (what it had), [`UNREACHED`], [`LAPSING`] or
    /// `day:won:2026-06-01`: what happened on a day.
    pub(super) list: String,
    /// Another order than its own: of a stage `time`, of a source or a dealer `score`.
    pub(super) order: String,
    /// Those that wait for this reason.
    pub(super) waits: String,
    /// It was chosen in the waiting room.
    pub(super) room: String,
    pub(super) offer: String,
    pub(super) held: String,
    pub(super) state: String,
    pub(super) after: String,
    /// What was done with many, with how many, and how many stayed.
    pub(super) done: String,
    pub(super) count: usize,
    pub(super) kept: usize,
}

impl Shown {
    fn pairs(&self) -> [(&str, &str); 9] {
        [
            ("company", &self.company),
            ("list", &self.list),
            ("order", &self.order),
            ("waits", &self.waits),
            ("room", &self.room),
            ("offer", &self.offer),
            ("held", &self.held),
            ("state", &self.state),
            ("after", &self.after),
        ]
    }

    /// The list by its address, and more.
    pub(super) fn at(&self, path: &str, more: &[(&str, &str)]) -> String {
        address(path, &[&self.pairs(), more].concat())
    }

    /// The list in one value, for a form or an address to carry.
    pub(super) fn kept(&self) -> String {
        self.at("", &[]).trim_start_matches('?').to_owned()
    }

    /// A list as it was carried.
    pub(super) fn read(kept: &str) -> Self {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(kept.as_bytes()) {
            let value = value.into_owned();
            match &*name {
                "company" => read.company = value,
                "list" => read.list = value,
                "order" => read.order = value,
                "waits" => read.waits = value,
                "room" => read.room = value,
                "offer" => read.offer = value,
                "held" => read.held = value,
                "state" => read.state = value,
                "after" => read.after = value,
                _ => {}
            }
        }
        read
    }

    /// The page that it stands on, by its address, and its name.
    pub(super) fn back(&self, more: &[(&str, &str)]) -> (String, String) {
        if self.room.is_empty() {
            return (self.at(AT, more), "Leads".to_owned());
        }
        let of_room: [(&str, &str); 2] = [("company", &self.company), ("reason", &self.waits)];
        (address("/console/waiting", &[&of_room, more].concat()), "Waiting".to_owned())
    }

    /// The same list from its beginning.
    pub(super) fn whole(&self) -> Self {
        Self { after: String::new(), ..self.clone() }
    }

    /// The list as it is searched for. A filter that is none is said: without it all of the list would be shown, and
    /// acted on.
    pub(super) fn search(&self) -> Result<Asked, Problem> {
        let text = |value: &String| Some(value.clone()).filter(|value| !value.is_empty());
        let mut asked = Asked { after: text(&self.after), limit: Some(LISTED), ..Asked::default() };
        asked.only = Only {
            offer: filter("offer", &self.offer)?,
            held: match self.held.as_str() {
                "" => None,
                "yes" => Some(true),
                "no" => Some(false),
                _ => return Err(Problem::new(Code::InvalidField, "held: it is yes or no")),
            },
            state: filter("state", &self.state)?,
            waits: filter("waits", &self.waits)?,
            ..Only::default()
        };
        let order = match self.order.as_str() {
            "" => None,
            "time" => Some(Order::Time),
            "score" => Some(Order::Score),
            _ => return Err(Problem::new(Code::InvalidField, "order: it is time or score")),
        };
        asked.order = order.filter(|_| self.has_orders());
        match self.list.split_once(':') {
            Some(("source", source)) => asked.source = Some(source.to_owned()),
            Some(("dealer", dealer)) => asked.dealer = Some(dealer.to_owned()),
            Some(("past", dealer)) => (asked.dealer, asked.shut) = (Some(dealer.to_owned()), true),
            Some(("day", day)) => asked.day = Some(day.to_owned()),
            _ if ["", "hottest"].contains(&self.list.as_str()) => asked.hottest = true,
            _ if self.list == LAPSING => asked.lapsing = true,
            _ if self.list == UNREACHED => {
                asked.stage = Some(Stage::Assigned.to_string());
                asked.only.unreached = true;
            }
            _ => asked.stage = Some(self.list.clone()),
        }
        Ok(asked)
    }

    /// Where those stand, by stage, that the list of the hottest leaves out: of the same filters.
    fn by_stage(&self) -> Vec<(Stage, String)> {
        let stages = match self.held.as_str() {
            "yes" => &[Stage::Assigned][..],
            "no" => &[Stage::Waiting, Stage::Nurturing],
            _ => &[Stage::Waiting, Stage::Nurturing, Stage::Assigned],
        };
        let of = |stage: &Stage| Self { list: stage.to_string(), ..self.whole() };
        stages.iter().map(|stage| (*stage, of(stage).at(AT, &[]))).collect()
    }

    /// Whether it has another order than its own.
    fn has_orders(&self) -> bool {
        !["", "hottest", UNREACHED, LAPSING].contains(&self.list.as_str()) && self.number().is_none()
    }

    /// It is a look at the top, and has no further page.
    pub(super) fn is_look_at_top(&self) -> bool {
        let by_score = self.list.contains(':') && self.has_orders() && self.order == "score";
        by_score || ["", "hottest"].contains(&self.list.as_str())
    }

    /// The orders that it may stand in, its own first.
    fn orders(&self) -> Vec<Choice> {
        let order = Some(self.order.as_str());
        match self.list.split_once(':') {
            _ if !self.has_orders() => Vec::new(),
            Some(_) => vec![Choice::of("", "time", order), Choice::of("score", "score", order)],
            None => vec![Choice::of("", "score", order), Choice::of("time", "time", order)],
        }
    }

    /// The number of a day that it has the leads of.
    fn number(&self) -> Option<OfDay> {
        OfDay::read(self.list.strip_prefix("day:")?)
    }

    /// The order in which it stands, for people.
    fn order_says(&self) -> &'static str {
        match self.list.split_once(':') {
            Some(("day", _)) => match self.number() {
                Some(number) if number.figure.is_of_enquiries() => "the last that arrived first",
                Some(_) | None => "by dealer, the last that it was given first",
            },
            Some(("source", _)) if self.order != "score" => "who asked last first",
            Some(("dealer" | "past", _)) if self.order != "score" => "the last that it was given first",
            None if self.list == LAPSING => "who lapses first",
            None if self.has_orders() && self.order == "time" => "whose sale cycle began last first",
            // In their index engagement stands in steps: see the store's order of a stage.
            None if ["assigned", UNREACHED, "won", "lost", "expired", "rejected"]
                .contains(&self.list.as_str()) =>
            {
                "the highest score first, in coarse steps"
            }
            _ => "the highest score first",
        }
    }
}

/// A filter as the address has it; none, where it is empty.
fn filter<T: FromStr<Err = Invalid>>(name: &str, value: &str) -> Result<Option<T>, Problem> {
    let read = (!value.is_empty()).then(|| value.parse()).transpose();
    read.map_err(|rule: Invalid| Problem::new(Code::InvalidField, format!("{name}: {rule}")))
}

/// The lead behind another in a list that may be placed, if one does, and the page that it stands on. Where the other has
/// left the list, it is the first.
pub(super) async fn behind(
    cloud: &Cloud,
    signed: &Signed,
    list: &Shown,
    lead: LeadId,
) -> Result<Option<(LeadId, Shown)>, Problem> {
    let core = signed.rules_of(cloud, &list.company).await?;
    let found = find::find(cloud, &signed.desk, &core, &list.search()?).await?;
    let from = found.leads.iter().position(|(one, _)| one.id == lead).map_or(0, |at| at + 1);
    let next = |leads: &[(Lead, Option<ScoreNow>)]| {
        leads.iter().map(|(one, _)| one).find(|one| one.id != lead && may_be_placed(one)).map(|one| one.id)
    };
    let on_page = next(found.leads.get(from..).unwrap_or_default());
    let (Some(after), None) = (found.next, on_page) else {
        return Ok(on_page.map(|next| (next, list.clone())));
    };
    let further = Shown { after, ..list.clone() };
    let found = find::find(cloud, &signed.desk, &core, &further.search()?).await?;
    Ok(next(&found.leads).map(|next| (next, further)))
}

#[derive(askama::Template)]
#[template(path = "leads.html")]
struct Leads {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    lists: Vec<Choice>,
    /// Of a list that has two orders.
    orders: Vec<Choice>,
    order: &'static str,
    offers: Vec<Choice>,
    /// The same list in anybody's hands, nobody's or somebody's.
    held: Vec<Choice>,
    states: Vec<Choice>,
    rows: Vec<Row>,
    examined: usize,
    /// Of what is read dealer after dealer: how far that came.
    dealers: Option<(usize, usize)>,
    /// What stands in such a list, and what not.
    note: String,
    /// Where those stand that are no leads.
    aside: String,
    /// More stand behind those that were looked at.
    more: bool,
    /// Of the hottest: the lists in which all stand.
    by_stage: Vec<(Stage, String)>,
    /// Where the next page is.
    next: String,
    /// The list, as its forms and links carry it.
    kept: String,
    from: String,
    export: String,
    done: String,
    /// Why nothing was found by a person's e-mail, phone or id.
    trouble: String,
    /// What was asked for by a form.
    by_person: bool,
}

/// `GET /console/leads?company&list&order&waits&offer&held&state&after`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(shown): Query<Shown>,
) -> Response {
    match listed(&cloud, &signed, shown).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn listed(cloud: &Cloud, signed: &Signed, mut shown: Shown) -> Result<Leads, Problem> {
    let core = signed.rules_of(cloud, &shown.company).await?;
    shown.company = core.company_id().to_string();
    if shown.list.is_empty() {
        "hottest".clone_into(&mut shown.list);
    }
    let found = find::find(cloud, &signed.desk, &core, &shown.search()?).await?;
    let mut page = frame(cloud, signed, &core, &found);
    if let Some(next) = &found.next {
        page.next = shown.whole().at(AT, &[("after", next)]);
    }
    page.lists = lists(&core, &shown.list);
    if let Some(number) = shown.number() {
        let day = number.day.map_or_else(|| reports::today(cloud, &core), Ok)?;
        page.lists.push(Choice::of(
            &shown.list,
            &format!("{} on {}", number.figure.says(), day.strftime("%a, %b %-d")),
            Some(&shown.list),
        ));
        note(number.figure).clone_into(&mut page.note);
        let works = signed.desk.may(core.company_id(), Role::Desk);
        if number.figure == Figure::Enquiries && works {
            page.aside = address("/console/quarantine", &[("company", core.company_id().as_str())]);
        }
    }
    page.orders = shown.orders();
    if page.orders.is_empty() {
        page.by_stage = shown.by_stage();
    }
    page.order = shown.order_says();
    page.offers =
        core.offers.iter().map(|offer| Choice::of(&offer.id, &offer.name, Some(&shown.offer))).collect();
    // As it is chosen again, however it was written.
    let state = shown.state.parse::<UsState>().map(|state| state.to_string()).unwrap_or_default();
    page.states = UsState::ALL.iter().map(|one| Choice::of(one, one.name(), Some(&state))).collect();
    let held = Some(shown.held.as_str());
    page.held = vec![Choice::of("no", "nobody's", held), Choice::of("yes", "a dealer's", held)];
    page.export = shown.whole().at("/console/leads/export", &[]);
    page.done = super::many::done(&shown);
    page.kept = shown.kept();
    page.from = from(&page.kept);
    Ok(page)
}

/// What stands in the list of a number of a day.
const fn note(figure: Figure) -> &'static str {
    match figure {
        Figure::Enquiries => {
            "Each enquiry that is a lead’s counts: who enquired twice stands twice. An enquiry that is in quarantine or was \
             rejected is nobody’s yet, and does not stand here."
        }
        Figure::Leads => "Each sale that began counts: who came back on the same day stands twice.",
        Figure::Given | Figure::Reached | Figure::AtOnce | Figure::WithinHour | Figure::Won => {
            "What each dealer was given counts: a lead that two were given stands twice, whoever has it now."
        }
    }
}

/// What a link to a lead carries of the list that it stands in.
fn from(kept: &str) -> String {
    address("", &[("from", kept)])
}

fn lists(core: &Core, list: &str) -> Vec<Choice> {
    let mut lists = vec![Choice::of("hottest", "hottest now", Some(list))];
    lists.extend(
        Stage::ALL
            .iter()
            .filter(|stage| **stage != Stage::Quarantined)
            .map(|stage| Choice::of(stage, stage, Some(list))),
    );
    lists.push(Choice::of(UNREACHED, "with a dealer, not reached", Some(list)));
    lists.push(Choice::of(LAPSING, "offers about to lapse", Some(list)));
    lists.extend(core.sources.iter().map(|source| {
        Choice::of(&format!("source:{}", source.id), &format!("from {}", source.id), Some(list))
    }));
    if let Some(("dealer" | "past", dealer)) = list.split_once(':') {
        lists.push(Choice::of(&format!("dealer:{dealer}"), &format!("with {dealer}"), Some(list)));
        lists.push(Choice::of(&format!("past:{dealer}"), &format!("{dealer} had"), Some(list)));
    }
    lists
}

fn frame(cloud: &Cloud, signed: &Signed, core: &Core, found: &Found) -> Leads {
    let now = cloud.clock.now();
    let kept = Shown { company: core.company_id().to_string(), ..Shown::default() }.kept();
    Leads {
        frame: Frame::of("Leads", "leads", signed).forms_for(Role::Desk, signed, core.company_id()),
        company: core.company_id().to_string(),
        companies: Choice::companies(cloud, &signed.desk, core.company_id()),
        lists: Vec::new(),
        orders: Vec::new(),
        order: "",
        offers: Vec::new(),
        held: Vec::new(),
        states: Vec::new(),
        rows: found.leads.iter().map(|(lead, score)| Row::of(core, lead, score.as_ref(), now)).collect(),
        examined: found.examined,
        dealers: found.dealers,
        note: String::new(),
        aside: String::new(),
        more: found.more,
        by_stage: Vec::new(),
        next: String::new(),
        from: from(&kept),
        kept,
        export: String::new(),
        done: String::new(),
        trouble: String::new(),
        by_person: false,
    }
}
