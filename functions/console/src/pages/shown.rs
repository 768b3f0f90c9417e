//! How times, scores and people are written on a page.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use futures::future::join_all;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadyard_domain::distribution::{Core, Rule, Waiting};
use leadyard_domain::error::Code;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::lead::{Contactable, Lead, ScoreNow};
use leadyard_domain::time;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::who::Staff;
use serde_json::Value;

use crate::masked;

/// A row of a list of leads.
pub(super) struct Row {
    pub(super) lead: String,
    pub(super) name: String,
    pub(super) place: String,
    pub(super) offer: String,
    pub(super) source: String,
    pub(super) score: String,
    pub(super) band: String,
    /// `urgent`, `normal`, `low`; empty where nothing was scored.
    pub(super) priority: String,
    pub(super) stage: String,
    /// Who has it, or what it waits for.
    pub(super) with: String,
    /// What it waits for alone.
    pub(super) waits: String,
    /// How long ago they asked last.
    pub(super) asked: String,
    /// The same as an instant, for who wants it exactly.
    pub(super) asked_at: String,
}

impl Row {
    pub(super) fn of(core: &Core, lead: &Lead, score: Option<&ScoreNow>, now: Timestamp) -> Self {
        let dealers: Vec<&str> = lead.holders.iter().map(|holder| holder.dealer.as_str()).collect();
        let with = match (dealers.is_empty(), lead.hold.is_some(), lead.waiting) {
            (false, ..) => dealers.join(", "),
            (true, true, _) => "held by the desk".to_owned(),
            (true, false, Some(reason)) => format!("waits: {}", in_short(reason)),
            (true, false, None) => String::new(),
        };
        let offer =
            core.offer(&lead.offer).map_or_else(|| lead.offer.to_string(), |offer| offer.name.clone());
        Self {
            lead: lead.id.to_string(),
            name: name(&lead.person),
            place: place(&lead.person),
            offer,
            source: lead.source.to_string(),
            score: score.map_or_else(|| "–".to_owned(), points),
            band: score.map_or_else(String::new, |score| score.band.to_string()),
            priority: score.map_or_else(String::new, |score| score.priority.to_string()),
            stage: lead.stage.to_string(),
            with,
            waits: lead.waiting.map(in_short).unwrap_or_default().to_owned(),
            asked: ago(lead.last_enquiry_at, now),
            asked_at: instant(core, lead.last_enquiry_at),
        }
    }
}

/// A score with one decimal.
pub(super) fn points(score: &ScoreNow) -> String {
    format!("{}.{}", score.hundredths / 100, score.hundredths / 10 % 10)
}

/// The first name and the initial of the last: enough to tell rows apart.
pub(super) fn name(person: &Contactable) -> String {
    let initial = person.last_name.as_deref().and_then(masked::initial);
    let parts = [person.first_name.clone(), initial];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if name.is_empty() { "no name".to_owned() } else { name }
}

/// `Miami, FL 33101`, as far as it is known.
pub(super) fn place(person: &Contactable) -> String {
    let state = person.location().state().map(|state| state.to_string());
    let zip = person.zip.map(|zip| zip.to_string());
    let region = [state, zip].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let city = person.city.clone();
    [city, Some(region).filter(|region| !region.is_empty())]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

/// The zone in which a company's times are written.
pub(super) fn zone(core: &Core) -> TimeZone {
    time::zone(&core.company.zone).unwrap_or(TimeZone::UTC)
}

/// `Mon, Jun 1, 2026, 12:05 PM EDT`.
pub(super) fn instant(core: &Core, at: Timestamp) -> String {
    written(&zone(core), at)
}

/// The same in a zone.
pub(super) fn written(zone: &TimeZone, at: Timestamp) -> String {
    at.to_zoned(zone.clone()).strftime("%a, %b %-d, %Y, %-I:%M %p %Z").to_string()
}

/// An instant that a problem tells beside its words, to be written in somebody's zone.
pub(super) fn told_at(member: &Value) -> Option<Timestamp> {
    member.as_str()?.parse().ok()
}

/// An instant as a browser writes it (`2026-06-01T18:00`) in a form that names its zone; `None`, where nothing is typed.
pub(super) fn local(form: &BTreeMap<String, String>, name: &str) -> Result<Option<Timestamp>, Problem> {
    let text = |name: &str| form.get(name).map(|text| text.trim()).unwrap_or_default();
    if text(name).is_empty() {
        return Ok(None);
    }
    let local = text(name).parse::<jiff::civil::DateTime>().ok();
    let at = local.zip(time::zone(text("zone")).ok()).and_then(|(at, zone)| at.to_zoned(zone).ok());
    at.map(|at| Some(at.timestamp()))
        .ok_or_else(|| Problem::new(Code::InvalidField, "an end is written 2026-06-01T18:00"))
}

/// `3 min`, `2 h`, `5 days` ago; the largest unit alone.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    let (count, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "min"),
        3_600..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit} ago")
}

/// `in 3 h`, or `2 days ago`: by when something is to be done.
pub(super) fn due(at: Timestamp, now: Timestamp) -> String {
    if at <= now {
        return ago(at, now);
    }
    let seconds = at.duration_since(now).as_secs();
    let (count, unit) = match seconds {
        0..3_600 => (seconds / 60, "min"),
        3_600..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("in {count} {unit}")
}

/// An amount, and in what: one person's companies may differ in it.
pub(super) fn money(core: &Core, amount: impl Display) -> String {
    format!("{amount} {}", core.company.currency)
}

/// A program's word as people read it.
pub(super) fn word(text: &(impl ToString + ?Sized)) -> String {
    text.to_string().replace('_', " ")
}

/// What leads of a reason wait for, by its word, for people.
pub(super) fn waits_for(word: &str) -> String {
    word.parse().map_or_else(|_| self::word(word), |reason| reason_says(reason).to_owned())
}

/// The same in a row of many.
pub(super) fn waits_in_short(word: &str) -> String {
    word.parse().map_or_else(|_| self::word(word), |reason| in_short(reason).to_owned())
}

/// Why a lead waits, in a row of many.
const fn in_short(reason: Waiting) -> &'static str {
    match reason {
        Waiting::Unplaced => "nobody knows where",
        Waiting::Manual => "the desk places it",
        Waiting::Stopped => "stopped",
        Waiting::Shadow => "only watched",
        Waiting::Held => "held by the desk",
        Waiting::For(rule) => match rule {
            Rule::Inactive => "not active, or paused",
            Rule::Offer => "no contract for the offer",
            Rule::Source => "no contract for the source",
            Rule::Age => "too old",
            Rule::Area => "nobody serves the place",
            Rule::Band => "the score is too low",
            Rule::Needs => "something is missing",
            Rule::Excluded => "all of them had it",
            Rule::Territory => "another’s territory",
            Rule::Hours => "all are shut",
            Rule::Cap => "all are full",
        },
    }
}

/// What a reason to wait means, for people: of one of them as of many.
pub(super) const fn reason_says(reason: Waiting) -> &'static str {
    match reason {
        Waiting::Unplaced => "nobody knows where they are",
        Waiting::Manual => "their offer is placed by the desk",
        Waiting::Stopped => "distribution is stopped",
        Waiting::Shadow => "the company only watches",
        Waiting::Held => "the desk holds them",
        Waiting::For(rule) => match rule {
            Rule::Inactive => "the contract nearest to taking them is not active, or paused",
            Rule::Offer => "no contract takes their offer",
            Rule::Source => "no contract takes their source",
            Rule::Age => "they are older than the contract nearest to taking them takes",
            Rule::Area => "no contract covers where they are",
            Rule::Band => "they are not as good as the contract nearest to taking them asks",
            Rule::Needs => "something is missing that the contract nearest to taking them needs",
            Rule::Excluded => "whoever could have them gave them back, declined or let them lapse",
            Rule::Territory => "another dealer’s territory keeps them",
            Rule::Hours => "whoever could have them is shut now",
            Rule::Cap => {
                "whoever could have them has had enough, or nothing left of what was paid in advance"
            }
        },
    }
}

/// At most so many characters of a text, and whether some are left out.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Something to choose.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

impl Choice {
    pub(super) fn of(
        value: &(impl ToString + ?Sized),
        label: &(impl ToString + ?Sized),
        chosen: Option<&str>,
    ) -> Self {
        let value = value.to_string();
        let chosen = chosen.unwrap_or_default() == value;
        Self { value, label: label.to_string(), chosen }
    }

    /// The companies that somebody was given, by their names, as far as this process has read them; the rest by id.
    pub(super) fn companies(cloud: &Cloud, desk: &Staff, chosen: &CompanyId) -> Vec<Self> {
        let named = |one: &CompanyId| {
            let name = cloud.rulebooks.known(one).map(|core| core.company.name.clone());
            Self::of(one, &name.unwrap_or_else(|| one.to_string()), Some(chosen.as_str()))
        };
        desk.companies.iter().map(named).collect()
    }
}

/// Reads the names of some of the companies that somebody may choose from, where this process does not know them yet: a
/// page has so many reads. Without its name, a company stands there by its id.
pub(super) async fn read_names(cloud: &Cloud, desk: &Staff) {
    const AT_ONCE: usize = 4;
    let unknown = desk.companies.iter().filter(|one| cloud.rulebooks.known(one).is_none()).take(AT_ONCE);
    let _ = join_all(unknown.map(|company| cloud.rulebooks.current(&cloud.store, company))).await;
}

/// How somebody is reached: whole, or masked.
pub(super) struct Contact {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) link: String,
}

impl Contact {
    /// What is known of a person; until somebody asks who it is, enough to tell them apart.
    pub(super) fn of(person: &Contactable, shown: bool) -> Vec<Self> {
        let mut told = Vec::new();
        let mut add = |label, value: String, link: String| {
            if !value.is_empty() {
                told.push(Self { label, value, link });
            }
        };
        if shown {
            let name = [person.first_name.as_deref(), person.last_name.as_deref()];
            add("Name", name.into_iter().flatten().collect::<Vec<_>>().join(" "), String::new());
            add("Organization", person.organization.clone().unwrap_or_default(), String::new());
            add("Street", person.street.clone().unwrap_or_default(), String::new());
        }
        if let Some(phone) = &person.phone {
            let (value, link) = if shown {
                (phone.clone(), format!("tel:{phone}"))
            } else {
                (masked::phone(phone), String::new())
            };
            add("Phone", value, link);
        }
        if let Some(email) = &person.email {
            let (value, link) =
                if shown { (email.clone(), mailto(email)) } else { (masked::email(email), String::new()) };
            add("E-mail", value, link);
        }
        told
    }
}

/// A link that writes to an address, and to no other than it: what could begin a header is escaped (RFC 6068).
fn mailto(email: &str) -> String {
    email.bytes().fold("mailto:".to_owned(), |mut link, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                link.push(byte.into());
            }
            byte => {
                let _ = write!(link, "%{byte:02X}");
            }
        }
        link
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_their_largest_unit() {
        let now: Timestamp = "2026-06-10T12:00:00Z".parse().unwrap();
        for (at, said) in [
            ("2026-06-10T11:59:30Z", "just now"),
            ("2026-06-10T11:01:00Z", "59 min ago"),
            ("2026-06-10T11:00:00Z", "1 h ago"),
            ("2026-06-08T12:00:01Z", "47 h ago"),
            ("2026-06-08T12:00:00Z", "2 days ago"),
            ("2026-06-10T12:00:05Z", "just now"),
        ] {
            assert_eq!(ago(at.parse().unwrap(), now), said, "{at}");
        }
    }

    #[test]
    fn what_is_due_is_said_as_it_lies_ahead_or_behind() {
        let now: Timestamp = "2026-06-10T12:00:00Z".parse().unwrap();
        for (at, said) in [
            ("2026-06-10T12:59:59Z", "in 59 min"),
            ("2026-06-12T11:59:59Z", "in 47 h"),
            ("2026-06-12T12:00:00Z", "in 2 days"),
            ("2026-06-10T10:00:00Z", "2 h ago"),
        ] {
            assert_eq!(due(at.parse().unwrap(), now), said, "{at}");
        }
        assert_eq!((cut("größer", 3), cut("groß", 4)), ("grö…".to_owned(), "groß".to_owned()));
    }

    #[test]
    fn a_link_writes_to_its_address_and_to_nobody_else() {
        assert_eq!(mailto("ada.hill@mail.example"), "mailto:ada.hill@mail.example");
        assert_eq!(mailto("a?bcc=x&b@mail.example"), "mailto:a%3Fbcc%3Dx%26b@mail.example");
    }
}
