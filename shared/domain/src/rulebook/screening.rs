//! `screening.toml`: what is doubtful, and what is spam.

use std::collections::{BTreeMap, BTreeSet};

use crate::enquiry::Standard;
use crate::error::Invalid;
use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::index::{Read, Refused};
use crate::rulebook::keys::{Keys, document, text};
use crate::rulebook::problem::{ProblemCode, Problems};
use crate::rulebook::value::whole_number_rule;
use crate::scoring::MachineLimits;
use crate::screening::rules::{FormLimits, VelocityLimits};
use crate::screening::{Reason, ScreeningRules};

pub(super) fn read(body: &Body<'_>, problems: &mut Problems) -> Option<ScreeningRules> {
    let table = document(body, problems)?;
    let usual = ScreeningRules::default();
    let mut keys = Keys::new(body, &table, 0);
    let doubtful = keys.whole("doubtful", 1..=limits::SCREENING_THRESHOLD, problems);
    let spam = keys.whole("spam", 1..=limits::SCREENING_THRESHOLD, problems);
    let deadline_hours = keys.whole("deadline_hours", 1..=limits::QUARANTINE_HOURS, problems);
    let at_deadline = keys.optional("at_deadline", text(str::parse), problems);
    let honeypot = traps(&mut keys, problems);
    let weights = weights(&mut keys, problems);
    let form = form(&mut keys, problems);
    let velocity = velocity(&mut keys, problems);
    let interactions = interactions(&mut keys, problems);
    let disposable = domains(&mut keys, "disposable", problems);
    let not_disposable = domains(&mut keys, "not_disposable", problems);
    let rules = || -> Read<ScreeningRules> {
        Ok(ScreeningRules {
            doubtful: doubtful?.unwrap_or(usual.doubtful),
            spam: spam?.unwrap_or(usual.spam),
            deadline_hours: deadline_hours?.unwrap_or(usual.deadline_hours),
            at_deadline: at_deadline?.unwrap_or(usual.at_deadline),
            honeypot: honeypot?.unwrap_or(usual.honeypot),
            weights: weights?,
            form: form?,
            velocity: velocity?,
            interactions: interactions?,
            disposable: disposable?,
            not_disposable: not_disposable?,
        })
    };
    let rules = rules().ok();
    if let Some(rules) = &rules
        && rules.spam < rules.doubtful
    {
        let message = "spam is not below doubtful: what is spam is at least doubtful";
        let _noted: Read<()> = keys.refuse("spam", ProblemCode::Contradiction, message, problems);
    }
    keys.finish(problems);
    rules
}

/// `honeypot = ["website_2"]`, as the form names them.
fn traps(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Option<Vec<String>>> {
    let traps = keys.list("honeypot", trap, problems)?;
    match &traps {
        Some(traps) if traps.len() > limits::HONEYPOTS => {
            let message = format!("honeypot has at most {} fields", limits::HONEYPOTS);
            keys.refuse("honeypot", ProblemCode::TooMany, message, problems)
        }
        Some(_) | None => Ok(traps),
    }
}

fn trap(text: &str) -> Result<String, Invalid> {
    if text.parse::<Standard>().is_ok() {
        return Err(Invalid::new(
            "a honeypot is a field that no person fills in, none of the standard fields",
        ));
    }
    if (1..=limits::FIELD_NAME_BYTES).contains(&text.len()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(format!("a honeypot is a field's name, 1 to {} bytes", limits::FIELD_NAME_BYTES)))
    }
}

/// `[weights]`, by reason.
fn weights(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<BTreeMap<Reason, u32>> {
    let mut weights = BTreeMap::new();
    let Some(mut table) = keys.table("weights", problems)? else { return Ok(weights) };
    let mut whole = Ok(());
    for &reason in Reason::ALL.iter().filter(|reason| !reason.compels()) {
        match table.whole(reason.as_str(), 0..=limits::SCREENING_WEIGHT, problems) {
            Ok(Some(weight)) => drop(weights.insert(reason, weight)),
            Ok(None) => {}
            Err(Refused) => whole = Err(Refused),
        }
    }
    table.finish(problems);
    whole.map(|()| weights)
}

/// `[form]`
fn form(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<FormLimits> {
    let usual = FormLimits::default();
    let Some(mut table) = keys.table("form", problems)? else { return Ok(usual) };
    let fast = table.whole("fast_seconds", 0..=limits::FORM_FAST_SECONDS, problems);
    let old = table.whole("old_hours", 1..=limits::FORM_OLD_HOURS, problems);
    table.finish(problems);
    Ok(FormLimits {
        fast_seconds: fast?.unwrap_or(usual.fast_seconds),
        old_hours: old?.unwrap_or(usual.old_hours),
    })
}

/// `[velocity]`
fn velocity(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<VelocityLimits> {
    let usual = VelocityLimits::default();
    let Some(mut table) = keys.table("velocity", problems)? else { return Ok(usual) };
    let source = table.whole("source", 1..=limits::SOURCE_VELOCITY, problems);
    let address = table.whole("address", 1..=limits::ADDRESS_VELOCITY, problems);
    let identity = table.whole("identity", 1..=limits::ENQUIRIES_ON_LEAD as u32, problems);
    table.finish(problems);
    Ok(VelocityLimits {
        source: source?.unwrap_or(usual.source),
        address: address?.unwrap_or(usual.address),
        identity: identity?.unwrap_or(usual.identity),
    })
}

/// `[interactions]`
fn interactions(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<MachineLimits> {
    let usual = MachineLimits::default();
    let Some(mut table) = keys.table("interactions", problems)? else { return Ok(usual) };
    let soon = table.whole("soon_seconds", 0..=limits::SOON_SECONDS, problems);
    let links = table.whole("burst_links", 2..=limits::BURST_LINKS, problems);
    let seconds = table.whole("burst_seconds", 0..=limits::BURST_SECONDS, problems);
    table.finish(problems);
    Ok(MachineLimits {
        soon_seconds: soon?.unwrap_or(usual.soon_seconds),
        burst_links: links?.unwrap_or(usual.burst_links),
        burst_seconds: seconds?.unwrap_or(usual.burst_seconds),
    })
}

fn domains(keys: &mut Keys<'_, '_>, key: &'static str, problems: &mut Problems) -> Read<BTreeSet<String>> {
    let domains = keys.list(key, domain, problems)?.unwrap_or_default();
    if domains.len() > limits::MAIL_DOMAINS {
        let message = format!("{key} has at most {} domains", limits::MAIL_DOMAINS);
        return keys.refuse(key, ProblemCode::TooMany, message, problems);
    }
    Ok(domains.into_iter().collect())
}

/// As a parsed address has it.
fn domain(text: &str) -> Result<String, Invalid> {
    let rule = || Invalid::new("a domain is written throwaway.example");
    let address = crate::person::Email::parse(&format!("a@{text}")).map_err(|_| rule())?;
    if text.contains('@') { Err(rule()) } else { Ok(address.domain().to_owned()) }
}

/// `caps = { hour = 50, day = 400 }` of a source.
pub(super) fn caps(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<crate::contract::Caps> {
    use crate::contract::{Cap, Caps};
    use crate::time::Period;
    let Some(mut table) = keys.table("caps", problems)? else { return Ok(Caps::default()) };
    let hour = table.whole("hour", 1..=limits::CAP, problems);
    let day = table.whole("day", 1..=limits::CAP, problems);
    table.finish(problems);
    let caps = [(Period::Hour, hour?), (Period::Day, day?)];
    let caps: Vec<Cap> =
        caps.into_iter().filter_map(|(period, most)| Some(Cap { period, most: most? })).collect();
    if caps.is_empty() {
        let range = 1..=limits::CAP;
        return keys.refuse(
            "caps",
            ProblemCode::MissingKey,
            whole_number_rule("caps: hour, or day,", &range).to_string(),
            problems,
        );
    }
    Ok(Caps(caps))
}
