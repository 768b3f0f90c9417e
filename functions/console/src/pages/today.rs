//! What matters now, across one's companies: what waits for the desk, the hottest leads that nobody has, and those that
//! somebody has.
//!
//! Each number leads to what is behind it. Of one company they cost [the pointer and the switches], the shards of the
//! quarantine, one list of returns, three of who is to be called, two shards of each stage and category, and the text of the rules where somebody is
//! paused: what is read grows with a company's categories and not with its leads.
//!
//! [the pointer and the switches]: leadyard_platform::store::Store::in_force

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::SignedDuration;
use leadyard_domain::distribution::{Core, Switches};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;

use super::dealers;
use super::shown::Row;
use super::signed::Signed;
use super::{Frame, address, rendered, troubled};
use crate::find::{self, Asked, Only};
use crate::waiting::{self, Room};

/// Leads in each list.
const LISTED: usize = 10;
/// Enquiries in quarantine that are counted of each shard, returns, and leads that wait.
const COUNTED: usize = 100;

#[derive(askama::Template)]
#[template(path = "today.html")]
struct Today {
    frame: Frame,
    companies: Vec<OfCompany>,
}

/// What matters in one company.
struct OfCompany {
    id: String,
    name: String,
    /// What waits for the desk.
    numbers: Vec<Number>,
    /// What keeps all leads from going out.
    warning: &'static str,
    /// In nobody's hands.
    free: Vec<Row>,
    /// With a dealer.
    held: Vec<Row>,
    /// It has no rules in force.
    silent: bool,
}

/// How much of something waits, and where it is looked at.
struct Number {
    count: String,
    says: String,
    at: String,
    /// It is overdue, or in the way.
    late: bool,
}

/// `GET /console/today`.
pub(super) async fn page(State(cloud): State<Cloud>, signed: Signed) -> Response {
    let mut companies = Vec::with_capacity(signed.desk.companies.len());
    for company in &signed.desk.companies {
        let in_force = match leadyard_platform::judging::in_force(&cloud, company).await {
            Ok(in_force) => in_force,
            Err(error) => return troubled(&signed, &Problem::from(error)),
        };
        let Some(in_force) = in_force else {
            let (id, name) = (company.to_string(), company.to_string());
            companies.push(OfCompany {
                id,
                name,
                numbers: Vec::new(),
                warning: "",
                free: Vec::new(),
                held: Vec::new(),
                silent: true,
            });
            continue;
        };
        match Box::pin(of_company(&cloud, &signed, &in_force.core, &in_force.switches)).await {
            Ok(of_company) => companies.push(of_company),
            Err(problem) => return troubled(&signed, &problem),
        }
    }
    rendered(&Today { frame: Frame::of("Today", "today", &signed), companies }, StatusCode::OK)
}

async fn of_company(
    cloud: &Cloud,
    signed: &Signed,
    core: &Core,
    switches: &Switches,
) -> Result<OfCompany, Problem> {
    let now = cloud.clock.now();
    let hottest = async |held| {
        let only = Only { held: Some(held), ..Only::default() };
        let asked = Asked { hottest: true, only, limit: Some(LISTED), ..Asked::default() };
        let found = find::find(cloud, &signed.desk, core, &asked).await?;
        Ok::<Vec<Row>, Problem>(
            found.leads.iter().map(|(lead, score)| Row::of(core, lead, score.as_ref(), now)).collect(),
        )
    };
    let (free, held, numbers) =
        futures::try_join!(hottest(false), hottest(true), numbers(cloud, core, switches))?;
    let warning = match (switches.stop, switches.shadow) {
        (true, _) => "Distribution is stopped: nobody gets a lead until it is started again.",
        (false, true) => "The company only watches (shadow): the desk places every lead.",
        (false, false) => "",
    };
    let (id, name) = (core.company_id().to_string(), core.company.name.clone());
    Ok(OfCompany { id, name, numbers, warning, free, held, silent: false })
}

/// What waits for the desk.
async fn numbers(cloud: &Cloud, core: &Core, switches: &Switches) -> Result<Vec<Number>, Problem> {
    let (company, now) = (core.company_id(), cloud.clock.now());
    // By when they arrived: what was put aside later has longer.
    let hours = core.screening.deadline_hours;
    let arrived = now.checked_sub(SignedDuration::from_hours(i64::from(hours))).unwrap_or(now);
    let (quarantined, returns, calls, (waiting, more)) = futures::try_join!(
        async { Ok(cloud.store.quarantine_counts(company, arrived, COUNTED).await?) },
        async { Ok(cloud.store.returns(company, true, COUNTED as i32).await?) },
        async { Ok::<_, Problem>(cloud.store.follow_ups_due(company, COUNTED).await?) },
        waiting::hottest(cloud, core, None, COUNTED)
    )?;
    let many = |count: usize, more: bool| if more { format!("{count}+") } else { count.to_string() };
    let at = |path: &str, more: &[(&str, &str)]| {
        let mut pairs = vec![("company", company.as_str())];
        pairs.extend(more);
        address(path, &pairs)
    };
    let mut numbers = Vec::new();
    if quarantined.waiting > 0 {
        let late = quarantined.before;
        let older = if late > 0 { format!(", {late} for more than {hours} h") } else { String::new() };
        numbers.push(Number {
            count: many(quarantined.waiting, quarantined.more),
            says: format!("in quarantine{older}"),
            at: at("/console/quarantine", &[]),
            late: late > 0,
        });
    }
    if !returns.is_empty() {
        numbers.push(Number {
            count: many(returns.len(), returns.len() >= COUNTED),
            says: "returns to decide".to_owned(),
            at: at("/console/returns", &[]),
            late: false,
        });
    }
    // As the list has them: whoever opens it finds those that belong there.
    let (promised, due) = (calls.promised.len(), calls.promised.len() + calls.due.len());
    if due > 0 {
        let said = if promised > 0 { format!(", {promised} promised") } else { String::new() };
        numbers.push(Number {
            count: many(due.min(COUNTED), due > COUNTED),
            says: format!("follow-ups due{said}"),
            at: at("/console/follow-up", &[]),
            late: promised > 0,
        });
    }
    let mut room = Room::new();
    for (_, lead) in &waiting {
        room.add(core, lead);
    }
    for (reason, count) in &room.by_reason {
        numbers.push(Number {
            count: many(*count as usize, more),
            says: format!("wait: {reason}"),
            at: at("/console/waiting", &[("reason", reason)]),
            late: false,
        });
    }
    let paused = dealers::paused_now(cloud, core, switches, now).await?;
    if paused > 0 {
        numbers.push(Number {
            count: paused.to_string(),
            says: "paused, of dealers and contracts".to_owned(),
            at: at("/console/dealers", &[("show", "paused")]),
            late: false,
        });
    }
    Ok(numbers)
}
