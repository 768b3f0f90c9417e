//! `company.toml`: whose leads these are, and what goes without saying.

use jiff::civil::Time;

use crate::calling::{CallingHours, FEDERAL};
use crate::contract::{Deadline, DeadlineClock};
use crate::distribution::{DEFAULT_RANKING, Step};
use crate::enquiry::Touch;
use crate::error::Invalid;
use crate::ids::CompanyId;
use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::index::Read;
use crate::rulebook::keys::{Keys, document, text};
use crate::rulebook::problem::{ProblemCode, Problems};
use crate::rulebook::rollback::Rollback;
use crate::rulebook::value;
use crate::time::WeekStart;

words! {
    /// What one lead is an interest in.
    pub enum Scope as "scope" {
        /// Anything of a category.
        Category = "category",
        /// A single offer.
        Offer = "offer",
    }
}

words! {
    /// Whether decisions are carried out.
    pub enum Mode as "mode" {
        /// They are.
        Automatic = "automatic",
        /// They are recommendations; the desk places.
        Manual = "manual",
    }
}

/// The company and its defaults.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// As the desk reads it.
    pub name: String,
    /// IANA zone; that of a dealer that names none.
    pub zone: String,
    /// ISO 4217, three letters.
    pub currency: String,
    /// What one lead is an interest in.
    pub scope: Scope,
    /// For how many days after the last enquiry another one is a repeat, 1 to 365.
    pub window_days: u16,
    /// When the week of a weekly cap starts.
    pub week_starts: WeekStart,
    /// Of an offer that says nothing else.
    pub mode: Mode,
    /// Of an offer that says nothing else.
    pub ranking: Vec<Step>,
    /// Which touch an enquiry is credited to: its campaign is the lead's.
    #[serde(default)]
    pub attribution: Touch,
    /// Of a contract that says nothing else.
    #[serde(default)]
    pub deadline: Option<Deadline>,
    /// Who writes to dealers; nobody, if it is not said.
    #[serde(default)]
    pub mail: Option<MailSender>,
    /// For how many days after a lead's last sign of life its person is kept, at least the window of repeats; until
    /// they are erased, if it is not said.
    #[serde(default)]
    pub retention_days: Option<u16>,
    /// For how many days a consent certificate can be claimed.
    #[serde(default = "certificate_days")]
    pub certificate_days: u16,
    /// When people may be called, where they are: within what federal law allows.
    #[serde(default)]
    pub call_hours: CallingHours,
    /// When a publish rolls itself back; never, if it is not said.
    #[serde(default)]
    pub rollback: Option<Rollback>,
}

const fn certificate_days() -> u16 {
    limits::CERTIFICATE_DAYS
}

/// Who the letters to dealers come from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MailSender {
    /// The address; SES must have verified it, or its domain.
    pub from: String,
    /// The name beside it.
    pub name: String,
}

/// What the other files fall back on, whether or not the company could be read in full.
pub(super) struct Defaults {
    pub(super) zone: Option<String>,
    pub(super) mode: Mode,
    pub(super) ranking: Vec<Step>,
    pub(super) deadline: Option<Deadline>,
    /// Dealers can be written to. Of a company that could not be read nothing is said.
    pub(super) has_mail: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            zone: None,
            mode: Mode::Automatic,
            ranking: DEFAULT_RANKING.to_vec(),
            deadline: None,
            has_mail: true,
        }
    }
}

pub(super) fn read(body: &Body<'_>, problems: &mut Problems) -> (Option<Company>, Defaults) {
    let Some(table) = document(body, problems) else { return (None, Defaults::default()) };
    let mut keys = Keys::new(body, &table, 0);
    let id = keys.needed("id", text(str::parse), problems);
    let name = keys.needed("name", text(|text| value::prose("name", text, limits::TEXT_CHARS)), problems);
    let zone = keys.needed("zone", text(value::zone), problems);
    let currency = keys.optional("currency", text(value::currency), problems);
    let scope = keys.optional("scope", text(str::parse), problems);
    let window = keys.whole("window_days", 1..=limits::REPEAT_WINDOW_MOST_DAYS, problems);
    let week_starts = keys.optional("week_starts", text(week_start), problems);
    let mode = keys.optional("mode", text(str::parse), problems);
    let ranking = ranking(&mut keys, problems);
    let attribution = keys.optional("attribution", text(str::parse), problems);
    let deadline = deadline(&mut keys, problems);
    let mail = mail(&mut keys, problems);
    let retention = retention(&mut keys, window, problems);
    let certificate = keys.whole("certificate_days", 1..=limits::CERTIFICATE_MOST_DAYS, problems);
    let call_hours = keys.optional("call_hours", text(call_hours), problems);
    let rollback = rollback(&mut keys, problems);
    keys.later(&["branding"], problems);
    keys.finish(problems);

    let defaults = Defaults {
        zone: zone.as_ref().ok().cloned(),
        mode: mode.ok().flatten().unwrap_or(Mode::Automatic),
        ranking: ranking.clone().ok().flatten().unwrap_or_else(|| DEFAULT_RANKING.to_vec()),
        deadline: deadline.as_ref().ok().copied().flatten(),
        has_mail: mail.as_ref().map_or(true, Option::is_some),
    };
    let company = || -> Read<Company> {
        let (name, mail) = (name?, mail?);
        let mail = mail.map(|(from, named)| MailSender { from, name: named.unwrap_or_else(|| name.clone()) });
        Ok(Company {
            id: id?,
            name,
            zone: zone?,
            currency: currency?.unwrap_or_else(|| "USD".to_owned()),
            scope: scope?.unwrap_or(Scope::Category),
            window_days: window?.map_or(limits::REPEAT_WINDOW_DAYS as u16, |days| days as u16),
            week_starts: week_starts?.unwrap_or_default(),
            mode: mode?.unwrap_or(Mode::Automatic),
            ranking: ranking?.unwrap_or_else(|| DEFAULT_RANKING.to_vec()),
            attribution: attribution?.unwrap_or_default(),
            deadline: deadline?,
            mail,
            retention_days: retention?,
            certificate_days: certificate?.map_or(limits::CERTIFICATE_DAYS, |days| days as u16),
            call_hours: call_hours?.unwrap_or_default(),
            rollback: rollback?,
        })
    };
    (company().ok(), defaults)
}

/// `[mail]`: an address, and perhaps a name.
fn mail(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Option<(String, Option<String>)>> {
    let Some(mut keys) = keys.table("mail", problems)? else { return Ok(None) };
    let from = keys.needed("from", text(value::mailbox), problems);
    let name = keys.optional("name", text(|text| value::prose("name", text, limits::TEXT_CHARS)), problems);
    keys.finish(problems);
    Ok(Some((from?, name?)))
}

/// `[rollback]`: by how much, of how many leads, for how long.
fn rollback(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Option<Rollback>> {
    let Some(mut keys) = keys.table("rollback", problems)? else { return Ok(None) };
    let points = keys.whole("unmatched_points", limits::ROLLBACK_POINTS, problems);
    let points =
        points.and_then(|points| points.map_or_else(|| keys.missing("unmatched_points", problems), Ok));
    let leads = keys.whole("after_leads", limits::ROLLBACK_LEADS, problems);
    let hours = keys.whole("within_hours", limits::ROLLBACK_HOURS, problems);
    keys.finish(problems);
    Ok(Some(Rollback {
        unmatched_points: points?,
        after_leads: leads?.unwrap_or(limits::ROLLBACK_USUAL_LEADS),
        within_hours: hours?.unwrap_or(limits::ROLLBACK_USUAL_HOURS),
    }))
}

/// `retention_days`: who still counts as asking again is still known.
fn retention(
    keys: &mut Keys<'_, '_>,
    window: Read<Option<u32>>,
    problems: &mut Problems,
) -> Read<Option<u16>> {
    let range = limits::RETENTION_LEAST_DAYS..=limits::RETENTION_MOST_DAYS;
    let days = keys.whole("retention_days", range, problems)?;
    let window = window.ok().flatten().unwrap_or(limits::REPEAT_WINDOW_DAYS as u32);
    match days {
        Some(days) if days < window => {
            let message = format!("retention_days is at least window_days, {window}");
            keys.refuse("retention_days", ProblemCode::Contradiction, message, problems)
        }
        Some(_) | None => Ok(days.map(|days| days as u16)),
    }
}

/// `"09:00-20:00"`.
fn call_hours(text: &str) -> Result<CallingHours, Invalid> {
    let rule = || Invalid::new("call_hours is from and to, such as 09:00-20:00, within 08:00-21:00");
    let (opens, closes) = text.split_once('-').ok_or_else(rule)?;
    let clock = |text: &str| Time::strptime("%H:%M", text.trim()).map_err(|_| rule());
    let hours = CallingHours { opens: clock(opens)?, closes: clock(closes)? };
    let narrows =
        FEDERAL.opens <= hours.opens && hours.opens < hours.closes && hours.closes <= FEDERAL.closes;
    narrows.then_some(hours).ok_or_else(rule)
}

fn week_start(text: &str) -> Result<WeekStart, Invalid> {
    match text {
        "monday" => Ok(WeekStart::Monday),
        "sunday" => Ok(WeekStart::Sunday),
        _ => Err(Invalid::new("week_starts is one of: monday sunday")),
    }
}

fn deadline(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Option<Deadline>> {
    let minutes = keys.whole("deadline_minutes", 1..=limits::DEADLINE_MINUTES, problems);
    let clock = keys.optional("deadline_clock", text(str::parse), problems);
    let (minutes, clock) = (minutes?, clock?);
    if minutes.is_none() && clock.is_some() {
        let message = "deadline_clock needs deadline_minutes";
        return keys.refuse("deadline_clock", ProblemCode::Contradiction, message, problems);
    }
    let clock = clock.unwrap_or(DeadlineClock::Open);
    Ok(minutes.map(|minutes| Deadline { minutes, clock }))
}

/// `ranking = ["tier", "share"]`, of a company or an offer.
pub(super) fn ranking(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Option<Vec<Step>>> {
    let steps = keys.list("ranking", str::parse::<Step>, problems)?;
    match &steps {
        Some(steps) if steps.is_empty() || steps.len() > limits::RANKING_STEPS => {
            let message = format!("ranking has 1 to {} steps", limits::RANKING_STEPS);
            keys.refuse("ranking", ProblemCode::InvalidValue, message, problems)
        }
        Some(_) | None => Ok(steps),
    }
}
