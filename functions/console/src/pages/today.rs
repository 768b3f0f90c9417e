//! What matters now, across one's companies: what waits for the desk, the hottest leads that nobody has, those that a
//! dealer has and did not reach, offers about to lapse, and how the day goes.
//!
//! Each number of what waits leads to a list of exactly those, each of the day to the leads behind it, and what it is a
//! number of to the report of that day. Of one company the page reads [the pointer and the switches], what was
//! [counted](now) when something happened last, the offers that lapse soon, one list of returns, three of who is to be
//! called, the days of the reports in two, the leads that are named and their seats; and the text of the rules where
//! somebody is paused. That grows neither with a company's leads nor with its categories. Until the sweep has counted (the
//! rules are new, a deposit was booked just now) it is counted here, which takes more.
//!
//! Determinations. *What was not looked at is not said to be none*: where only the hottest are, and it is none of them, the
//! number is not known, and stands in no list. *Of more than a hundred that wait, reasons are told of the hottest
//! hundred*, and it is said so: to count them all at each change is to read them all, and the list behind looks further.
//! *A company that cannot be read takes no other with it*: its place says so. *A lead is shown as it is*:
//! who was placed or reached since they were counted stands in no list. *Today is compared with the whole of the same day
//! last week*, and the page says so: counters are kept by day.
//!
//! [the pointer and the switches]: leadyard_platform::store::Store::in_force

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures::StreamExt as _;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use leadyard_domain::access::Role;
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::{CompanyId, DealerId, LeadId};
use leadyard_domain::lead::{Lead, ScoreNow};
use leadyard_domain::report::{Counter, Dimension, Speed, Sums, Tally, UNKNOWN};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::now::{self, AtLeast, Now};
use leadyard_platform::scores::Scores;
use leadyard_platform::store::DayCount;
use leadyard_platform::who::READS;

use super::chart::Unit;
use super::figure::{value, written};
use super::list;
use super::shown::{self, Row};
use super::signed::For;
use super::{Frame, address, rendered};
use crate::dealers::standing::paused_now;
use crate::find::{Figure as Behind, SOON};
use crate::reports::{self, figures::Cell};

/// Where those stand that wait.
const WAITING: &str = "/console/waiting";
/// Leads in each list.
const LISTED: usize = 10;
/// Returns that are counted.
const COUNTED: usize = 100;
/// Offers about to lapse that are counted.
const LAPSING: usize = 30;
/// Companies that are read at a time.
const AT_ONCE: usize = 8;

#[derive(askama::Template)]
#[template(path = "today.html")]
struct Today {
    frame: Frame,
    companies: Vec<OfCompany>,
}

/// What matters in one company.
#[derive(Default)]
struct OfCompany {
    id: String,
    name: String,
    /// What waits for the desk.
    numbers: Vec<Number>,
    /// Of which none was found, and not all were looked at.
    unknown: Vec<Number>,
    /// What keeps all leads from going out.
    warning: &'static str,
    /// Offers that are about to lapse, the next first.
    lapsing: Vec<Lapses>,
    /// In nobody's hands.
    free: Hottest,
    /// With a dealer that has not reached them.
    held: Hottest,
    /// No lead ever came.
    none_yet: bool,
    /// How the day goes.
    day: Vec<Figure>,
    /// What day it was a week ago.
    last_week: String,
    /// When what waits was counted, if that was not just now.
    counted: String,
    /// Whoever looks works at its desk, and so is told of quarantine.
    works: bool,
    /// It has no rules in force.
    silent: bool,
    /// Why nothing is shown.
    trouble: String,
}

/// The hottest leads of a kind.
#[derive(Default)]
struct Hottest {
    rows: Vec<Row>,
    /// Whether others may be of it, though none of these is.
    more: bool,
}

/// How much of something waits, and where it is looked at.
struct Number {
    of: AtLeast,
    says: String,
    at: String,
    /// It is overdue, or in the way.
    late: bool,
}

/// An offer that is about to lapse.
struct Lapses {
    row: Row,
    /// Who has not accepted yet.
    waits_for: String,
    due: String,
    due_at: String,
}

/// What happened today, and in all of the same day last week.
struct Figure {
    says: &'static str,
    today: String,
    before: String,
    /// The report behind it.
    at: String,
    /// The leads behind it: of today, and of that day. Empty, where none is.
    leads: String,
    leads_before: String,
}

impl OfCompany {
    /// A number of the row in which companies stand side by side; none of what there is none of.
    fn number(&self, begins: &str) -> Option<&Number> {
        self.numbers.iter().chain(&self.unknown).find(|number| number.says.starts_with(begins))
    }

    /// All that wait, whatever for; none where nobody does.
    fn waits(&self) -> Option<Number> {
        let waits = || self.numbers.iter().chain(&self.unknown).filter(|one| one.says.starts_with("wait"));
        waits().next()?;
        let of =
            AtLeast { count: waits().map(|one| one.of.count).sum(), more: waits().any(|one| one.of.more) };
        let at = address(WAITING, &[("company", self.id.as_str())]);
        Some(Number { of, says: "wait".to_owned(), at, late: false })
    }

    /// Of the day, new leads and those of a week ago.
    fn leads(&self) -> Option<&Figure> {
        self.day.iter().find(|figure| figure.says == LEADS)
    }
}

impl Number {
    /// How many, or at least how many.
    fn count(&self) -> String {
        if self.of.more { format!("{}+", self.of.count) } else { self.of.count.to_string() }
    }

    /// None was found, and not all were looked at.
    const fn is_unknown(&self) -> bool {
        self.of.count == 0 && self.of.more
    }
}

/// `GET /console/today`.
pub(super) async fn page(State(cloud): State<Cloud>, For(signed): For<READS>) -> Response {
    let of = |company: CompanyId| {
        let cloud = &cloud;
        // Who only reads does not see what is in quarantine.
        let works = signed.desk.may(&company, Role::Desk);
        async move {
            let (id, name) = (company.to_string(), company.to_string());
            Box::pin(of_company(cloud, &company, works)).await.unwrap_or_else(|problem| OfCompany {
                id,
                name,
                trouble: problem.detail().to_owned(),
                ..OfCompany::default()
            })
        }
    };
    let companies = futures::stream::iter(signed.desk.companies.clone()).map(of).buffered(AT_ONCE);
    let companies: Vec<OfCompany> = companies.collect().await;
    rendered(&Today { frame: Frame::of("Today", "today", &signed), companies }, StatusCode::OK)
}

async fn of_company(cloud: &Cloud, company: &CompanyId, works: bool) -> Result<OfCompany, Problem> {
    let Some(in_force) = leadyard_platform::judging::in_force(cloud, company).await? else {
        let (id, name) = (company.to_string(), company.to_string());
        return Ok(OfCompany { id, name, silent: true, ..OfCompany::default() });
    };
    let (core, switches, at) = (&*in_force.core, &in_force.switches, cloud.clock.now());
    let today = reports::today(cloud, core)?;
    let last_week = today.checked_sub(7.days()).unwrap_or(today);
    let (waits, offers, returns, calls, days, paused) = futures::try_join!(
        async { Ok(Box::pin(now::read(cloud, core)).await?) },
        async { Ok(cloud.store.offers_lapsing(company, at, at.checked_add(SOON).unwrap_or(at)).await?) },
        // One more than is told: whether there are more.
        async { Ok(cloud.store.returns(company, true, COUNTED as i32 + 1).await?.len()) },
        async { Ok(cloud.store.follow_ups_count(company, COUNTED + 1).await?) },
        async { Ok(cloud.store.report_days(company, &[today, last_week]).await?) },
        paused_now(cloud, core, switches, at),
    )?;
    // Those that were noted, and those that counting found: where reporting has not run, nothing was noted.
    let noted = offers.iter().map(|offer| (offer.at, offer.lead));
    let lapses = noted.chain(waits.lapsing.iter().copied()).filter(|(lapses, _)| is_soon(*lapses, at));
    let lapses: BTreeSet<(Timestamp, LeadId)> = lapses.collect();
    let more = lapses.len() > LAPSING;
    let lapses: Vec<LeadId> = lapses.into_iter().map(|(_, lead)| lead).take(LAPSING).collect();
    let named = Named::read(cloud, core, &waits, &lapses, at).await?;
    let lapsing = named.lapsing(&lapses);
    let lapse = AtLeast { count: lapsing.len(), more };
    let numbers = Numbers { core, waits: &waits, works, returns, calls, paused, lapsing: lapse };
    let warning = match (switches.stop, switches.shadow) {
        (true, _) => "Distribution is stopped: nobody gets a lead until it is started again.",
        (false, true) => "The company only watches (shadow): the desk places every lead.",
        (false, false) => "",
    };
    let ago = at.duration_since(waits.at) >= SignedDuration::from_mins(2);
    let (unknown, numbers): (Vec<Number>, Vec<Number>) =
        numbers.told().into_iter().partition(Number::is_unknown);
    Ok(OfCompany {
        id: company.to_string(),
        name: core.company.name.clone(),
        numbers,
        unknown,
        warning,
        lapsing: lapsing.into_iter().take(LISTED).collect(),
        free: Hottest { rows: named.free(&waits), more: waits.more_free },
        held: Hottest {
            rows: named.held(&waits),
            more: waits.unanswered.more || waits.unanswered.count > waits.held.len(),
        },
        none_yet: waits_for_nothing(&waits) && !cloud.store.report_has_any(company).await?,
        day: day(company, (today, last_week), &days),
        last_week: last_week.strftime("%a, %b %-d").to_string(),
        counted: if ago { shown::ago(waits.at, at) } else { String::new() },
        works,
        silent: false,
        trouble: String::new(),
    })
}

/// Whether no lead is open, as far as was counted.
fn waits_for_nothing(waits: &Now) -> bool {
    let named = [&waits.free, &waits.held, &waits.top_free.leads, &waits.top_held.leads];
    named.iter().all(|leads| leads.is_empty()) && waits.waiting.is_empty()
}

/// The leads that are named, as they are, and their seats.
struct Named<'a> {
    core: &'a Core,
    at: Timestamp,
    scores: Scores<'a>,
    leads: HashMap<LeadId, Lead>,
    seats: now::Seats,
}

impl<'a> Named<'a> {
    /// A read for each hundred of the leads, and of their seats.
    async fn read(
        cloud: &Cloud,
        core: &'a Core,
        waits: &Now,
        lapses: &[LeadId],
        at: Timestamp,
    ) -> Result<Self, Problem> {
        let ids: HashSet<LeadId> = waits.free.iter().chain(&waits.held).chain(lapses).copied().collect();
        let leads = cloud.store.leads_get(&ids.into_iter().collect::<Vec<_>>()).await?;
        let leads: Vec<Lead> = leads.into_iter().filter(|lead| lead.company == *core.company_id()).collect();
        let seats = now::seats_of(cloud, &leads).await?;
        let leads = leads.into_iter().map(|lead| (lead.id, lead)).collect();
        Ok(Self { core, at, scores: Scores::of(core, at), leads, seats })
    }

    fn free(&self, waits: &Now) -> Vec<Row> {
        self.hottest(&waits.free, |lead| !lead.stage.closed() && lead.holders.is_empty())
    }

    fn held(&self, waits: &Now) -> Vec<Row> {
        self.hottest(&waits.held, |lead| now::is_unanswered(lead, &self.seats))
    }

    /// The hottest of those that still are what they were named for.
    fn hottest(&self, named: &[LeadId], still: impl Fn(&Lead) -> bool) -> Vec<Row> {
        let found = named.iter().filter_map(|id| self.leads.get(id)).filter(|lead| still(lead));
        let mut found: Vec<(&Lead, Option<ScoreNow>)> =
            found.map(|lead| (lead, self.scores.now(lead))).collect();
        found.sort_by_key(|(lead, score)| {
            let hundredths = score.as_ref().map_or(0, |score| score.hundredths);
            (Reverse(hundredths), Reverse(lead.last_enquiry_at), lead.id)
        });
        let rows = found.into_iter().take(LISTED);
        rows.map(|(lead, score)| Row::of(self.core, lead, score.as_ref(), self.at)).collect()
    }

    fn lapsing(&self, lapses: &[LeadId]) -> Vec<Lapses> {
        let leads: BTreeSet<LeadId> = lapses.iter().copied().collect();
        let leads = leads.iter().filter_map(|lead| self.leads.get(lead));
        let offers = leads.filter_map(|lead| Some((now::lapses_at(lead, &self.seats, self.at)?, lead)));
        let mut offers: Vec<(Timestamp, &Lead)> =
            offers.filter(|(lapses, _)| is_soon(*lapses, self.at)).collect();
        offers.sort_by_key(|(lapses, lead)| (*lapses, lead.id));
        let whose = |lead: &Lead| {
            let dealers = now::not_accepted(lead, &self.seats, self.at).into_iter();
            dealers.map(DealerId::as_str).collect::<Vec<_>>().join(", ")
        };
        let told = offers.into_iter().map(|(lapses, lead)| Lapses {
            row: Row::of(self.core, lead, self.scores.now(lead).as_ref(), self.at),
            waits_for: whose(lead),
            due: shown::due(lapses, self.at),
            due_at: shown::instant(self.core, lapses),
        });
        told.collect()
    }
}

fn is_soon(lapses: Timestamp, at: Timestamp) -> bool {
    lapses > at && lapses.duration_since(at) <= SOON
}

/// What waits for the desk.
struct Numbers<'a> {
    core: &'a Core,
    waits: &'a Now,
    /// Whether whoever looks works at the desk.
    works: bool,
    returns: usize,
    calls: DayCount,
    paused: usize,
    lapsing: AtLeast,
}

impl Numbers<'_> {
    fn told(&self) -> Vec<Number> {
        let (waits, hours) = (self.waits, self.core.screening.deadline_hours);
        let late = waits.overdue;
        let older = if late > 0 { format!(", {late} for more than {hours} h") } else { String::new() };
        let returns = AtLeast { count: self.returns.min(COUNTED), more: self.returns > COUNTED };
        let exactly = |count: usize| AtLeast { count, more: false };
        let mut numbers = vec![
            self.number(
                waits.quarantined,
                format!("{QUARANTINED}{older}"),
                ("/console/quarantine", &[]),
                late > 0,
            ),
            self.number(
                returns,
                as_many(returns, "return to decide", "returns to decide"),
                ("/console/returns", &[]),
                false,
            ),
        ];
        // As the list has them: whoever opens it finds those that belong there.
        let DayCount { promised, due } = self.calls;
        let said = match promised {
            0 => String::new(),
            many if many > COUNTED => format!(", {COUNTED}+ promised"),
            few => format!(", {few} promised"),
        };
        let due = promised + due;
        let calls = AtLeast { count: due.min(COUNTED), more: due > COUNTED };
        let at: (&str, &[(&str, &str)]) = ("/console/follow-up", &[]);
        numbers.push(self.number(
            calls,
            format!("{}{said}", as_many(calls, "follow-up due", "follow-ups due")),
            at,
            promised > 0,
        ));
        numbers.extend(self.waiting());
        let of_dealers =
            |show: &'static str| -> (&str, [(&str, &str); 1]) { ("/console/dealers", [("show", show)]) };
        let to = |list: &'static str| -> (&str, [(&str, &str); 1]) { ("/console/leads", [("list", list)]) };
        let (path, asked) = to(list::LAPSING);
        numbers.push(self.number(
            self.lapsing,
            as_many(self.lapsing, "offer lapses within 2 h", "offers lapse within 2 h"),
            (path, &asked),
            true,
        ));
        let (path, asked) = to(list::UNREACHED);
        let unreached = "with a dealer and not reached".to_owned();
        numbers.push(self.number(waits.unanswered, unreached, (path, &asked), false));
        let (paused, failing, full) = (exactly(self.paused), waits.dealers.failing, waits.dealers.full);
        for (count, text, show, late) in [
            (
                paused,
                as_many(
                    paused,
                    "dealer paused, or a contract of its",
                    "dealers paused, or a contract of theirs",
                ),
                "paused",
                false,
            ),
            (failing, as_many(failing, "dealer not reached", "dealers not reached"), "failing", true),
            (full, as_many(full, "dealer full", "dealers full"), "full", false),
        ] {
            let (path, asked) = of_dealers(show);
            numbers.push(self.number(count, text, (path, &asked), late));
        }
        if !self.works {
            numbers.retain(|number| !number.says.starts_with(QUARANTINED));
        }
        numbers.retain(|number| number.of != AtLeast::default());
        numbers
    }

    /// Those that wait, by reason; where more do than were counted, all of them first, and the reasons of the hottest.
    fn waiting(&self) -> Vec<Number> {
        let (waits, mut numbers) = (self.waits, Vec::new());
        let counted: usize = waits.waiting.values().sum();
        if waits.more_waiting {
            let all = AtLeast { count: counted, more: true };
            numbers.push(self.number(all, "wait, for whatever reason".to_owned(), (WAITING, &[]), false));
        }
        for (reason, count) in &waits.waiting {
            let of = AtLeast { count: *count, more: false };
            let begins = if waits.more_waiting {
                format!("of the {counted} hottest that wait")
            } else {
                as_many(of, "waits", "wait")
            };
            let says = format!("{begins}: {}", shown::waits_for(reason));
            numbers.push(self.number(of, says, (WAITING, &[("reason", reason.as_str())]), false));
        }
        numbers
    }

    fn number(&self, of: AtLeast, says: String, (path, more): (&str, &[(&str, &str)]), late: bool) -> Number {
        let mut pairs = vec![("company", self.core.company_id().as_str())];
        pairs.extend(more);
        Number { of, says, at: address(path, &pairs), late }
    }
}

/// The words for one, or for more than one or none.
fn as_many(of: AtLeast, one: &str, more: &str) -> String {
    if of.count == 1 && !of.more { one.to_owned() } else { more.to_owned() }
}

/// How the number begins that only who works at the desk is told.
const QUARANTINED: &str = "in quarantine";

/// What the overview is told of the day.
const LEADS: &str = "leads, new or back";

/// What happened today, beside the same day last week.
fn day(company: &CompanyId, (today, last_week): (Date, Date), days: &[Sums]) -> Vec<Figure> {
    let of = |day: usize| days.get(day).map(|sums| sums.get(Dimension::All, UNKNOWN)).unwrap_or_default();
    let (now, before) = (of(0), of(1));
    let at = |report: &str| {
        let day = today.to_string();
        let asked = [("company", company.as_str()), ("from", day.as_str()), ("to", day.as_str())];
        address(&format!("/console/reports/{report}"), &asked)
    };
    let leads = |behind: Behind, tally: &Tally, day: Date| match behind.counted(tally) {
        ..=0 => String::new(),
        _ => address(list::AT, &[("company", company.as_str()), ("list", &list::of_day(behind, day))]),
    };
    let count = |counter: Counter| move |tally: &Tally| written(Unit::Count, Some(tally.get(counter)));
    let within = |seconds: i64| {
        move |tally: &Tally| written(Unit::Share, value(Cell::within(tally.speed(Speed::Contact), seconds)))
    };
    let median = |tally: &Tally| written(Unit::Seconds, tally.speed(Speed::Contact).median_s());
    let figure = |says: &'static str, report: &str, behind: Behind, told: &dyn Fn(&Tally) -> String| Figure {
        says,
        today: told(&now),
        before: told(&before),
        at: at(report),
        leads: leads(behind, &now, today),
        leads_before: leads(behind, &before, last_week),
    };
    vec![
        figure("enquiries", "funnel", Behind::Enquiries, &count(Counter::Enquiries)),
        figure(LEADS, "leads", Behind::Leads, &count(Counter::Leads)),
        figure("given to dealers", "funnel", Behind::Given, &count(Counter::Distributed)),
        figure("reached by their dealer", "funnel", Behind::Reached, &count(Counter::Contacted)),
        figure("won", "funnel", Behind::Won, &count(Counter::Won)),
        // The times that it lies in the middle of.
        figure("median time to the first contact", "speed", Behind::Reached, &median),
        figure("reached within 5 minutes", "speed", Behind::AtOnce, &within(300)),
        figure("reached within the hour", "speed", Behind::WithinHour, &within(3_600)),
    ]
}
