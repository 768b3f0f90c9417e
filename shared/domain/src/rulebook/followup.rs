//! `followup.toml`: who is called again, when, and how often.

use crate::followup::{FollowUpPlan, Wait};
use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::index::Read;
use crate::rulebook::keys::{Keys, document};
use crate::rulebook::problem::{ProblemCode, Problems};

pub(super) fn read(body: &Body<'_>, problems: &mut Problems) -> Option<FollowUpPlan> {
    let table = document(body, problems)?;
    let usual = FollowUpPlan::default();
    let mut keys = Keys::new(body, &table, 0);
    let not_ready = waits(&mut keys, "not_ready", problems);
    let not_reached = waits(&mut keys, "not_reached", problems);
    let lost = waits(&mut keys, "lost", problems);
    let most_calls = keys.whole("most_calls", 1..=limits::FOLLOW_UP_CALLS, problems);
    let enquiry_days = keys.whole("enquiry_days", 1..=limits::ENQUIRY_DAYS, problems);
    let consent_days = keys.whole("consent_days", 1..=limits::CONSENT_DAYS, problems);
    let given = [("not_ready", &not_ready), ("not_reached", &not_reached), ("lost", &lost)];
    let longest = given.map(|(key, waits)| {
        let waits = waits.as_ref().ok().and_then(Option::as_ref);
        (key, waits.and_then(|waits| waits.iter().max().copied()))
    });
    let plan = || -> Read<FollowUpPlan> {
        Ok(FollowUpPlan {
            not_ready: not_ready?.unwrap_or(usual.not_ready),
            not_reached: not_reached?.unwrap_or(usual.not_reached),
            lost: lost?.unwrap_or(usual.lost),
            // The limits above keep each in its type.
            most_calls: most_calls?.map_or(usual.most_calls, |calls| calls as u8),
            enquiry_days: enquiry_days?.map_or(usual.enquiry_days, |days| days as u16),
            consent_days: consent_days?.map_or(usual.consent_days, |days| days as u16),
        })
    };
    let plan = plan().ok();
    if let Some(plan) = &plan {
        contradictions(&keys, plan, longest, problems);
    }
    keys.finish(problems);
    plan
}

fn waits(keys: &mut Keys<'_, '_>, key: &'static str, problems: &mut Problems) -> Read<Option<Vec<Wait>>> {
    let waits = keys.list(key, str::parse::<Wait>, problems)?;
    match &waits {
        Some(waits) if waits.len() > limits::FOLLOW_UP_WAITS => {
            let message = format!("{key} has at most {} waits", limits::FOLLOW_UP_WAITS);
            keys.refuse(key, ProblemCode::TooMany, message, problems)
        }
        Some(_) | None => Ok(waits),
    }
}

/// A call that the plan's own limits forbid whatever happens would be promised and never made. Of lists that the file does
/// not have, the limits may be narrower.
fn contradictions(
    keys: &Keys<'_, '_>,
    plan: &FollowUpPlan,
    longest: [(&'static str, Option<Wait>); 3],
    problems: &mut Problems,
) {
    let mut refuse = |key: &str, message: String| {
        let _noted: Read<()> = keys.refuse(key, ProblemCode::Contradiction, message, problems);
    };
    if plan.consent_days < plan.enquiry_days {
        let message =
            "consent_days is not below enquiry_days: who agreed to be called may be called for as long";
        refuse("consent_days", message.to_owned());
    }
    let days = u32::from(plan.consent_days.max(plan.enquiry_days));
    for (key, longest) in longest {
        if let Some(longest) = longest.filter(|wait| *wait >= Wait::hours(24 * days)) {
            let message = format!(
                "{key}: {longest} is no wait here: nobody is called later than {days} days after they asked"
            );
            refuse(key, message);
        }
    }
}
