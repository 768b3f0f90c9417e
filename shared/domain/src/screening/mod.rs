//! Screening: whether an enquiry is ham, doubtful or spam, and why.
//!
//! Each sign is a [`Reason`] with a weight, which `screening.toml` may set. The weights of all signs that
//! an enquiry shows are added up: from one threshold on it is doubtful, from another spam. Both are
//! quarantined, whole; neither is refused.
//!
//! | module | holds |
//! |---|---|
//! | [`reason`] | the signs, and what each weighs unless the rulebook says otherwise |
//! | [`rules`] | a company's weights, thresholds and limits |
//! | [`form`] | the form token: signed, timed, for one person |
//! | [`velocity`] | how many from one place, in a window of ten minutes |
//! | [`address`] | where a request came from, as a keyed hash |
//! | [`mail`], [`names`], [`message`], [`agent`] | what is written, and what wrote it |
//! | [`letters`], [`disposable`] | which words are none; domains of throw-away mail |
//!
//! # Determinations
//!
//! - *One weak sign never quarantines.* A typing error in one of two contacts, a foreign number, a link, a
//!   program that names itself: each weighs less than the threshold, since people do that too. What no
//!   person does (a trap filled in, a link for a name) weighs enough alone.
//! - *What a person cannot help is no sign*: a name in another script, of one letter, without a vowel, or of
//!   four words; an office's shared phone; an address that is a role's.
//! - *A source with its secret is a program.* What wrote the request, how fast, and from where are no signs
//!   then; what the enquiry says is.
//! - *Some reasons compel*: an enquiry whose person cannot be reached, whose offer nobody knows, that is on
//!   the suppression list … cannot go on as it is, whatever else it says.

pub mod reason;
pub mod rules;
pub mod form;
pub mod velocity;
pub mod address;
mod mail;
mod names;
mod message;
mod agent;
mod letters;
mod disposable;
#[cfg(test)]
mod tests;

pub use address::AddressHash;
pub use form::{FormSeen, FormToken};
pub use reason::Reason;
pub use rules::{AtDeadline, ScreeningRules};
pub use velocity::{Tally, Window};

use crate::enquiry::{Fields, Understood};

words! {
    /// What screening concluded.
    pub enum Verdict as "a verdict" {
        /// Goes its way.
        Ham = "ham",
        /// A person should look.
        Doubtful = "doubtful",
        /// Hardly anybody's.
        Spam = "spam",
    }
}

/// What was concluded of one enquiry, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screening {
    /// What was concluded.
    pub verdict: Verdict,
    /// The weights of its reasons together.
    pub weight: u32,
    /// Each once, the heaviest first; those of no weight are left out, unless they compel.
    pub reasons: Vec<Reason>,
}

/// What screening looks at.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// As received: traps stand among the fields that mean nothing.
    pub fields: &'a Fields,
    /// As understood.
    pub understood: &'a Understood,
    /// What a page alone shows: `None` for an enquiry with the source's secret.
    pub page: Option<PageSeen<'a>>,
}

/// What shows of an enquiry that came from a page.
#[derive(Clone, Copy, Debug)]
pub struct PageSeen<'a> {
    /// As the program names itself.
    pub user_agent: Option<&'a str>,
    /// What its form token says.
    pub form: FormSeen,
    /// How many came from there; `None` when nobody could count.
    pub tally: Option<Tally>,
}

/// The signs that an enquiry shows by itself.
pub fn signs(rules: &ScreeningRules, seen: &Seen<'_>) -> Vec<Reason> {
    let mut signs = Vec::new();
    if rules.honeypot.iter().any(|trap| seen.fields.get(trap).is_some_and(|value| !value.trim().is_empty())) {
        signs.push(Reason::Honeypot);
    }
    mail::signs(rules, seen.understood, &mut signs);
    names::signs(seen.understood, &mut signs);
    message::signs(seen.understood, &mut signs);
    if let Some(page) = &seen.page {
        agent::signs(page.user_agent, &mut signs);
        page.form.signs(&rules.form, &mut signs);
        if let Some(tally) = page.tally {
            tally.signs(&rules.velocity, &mut signs);
        }
    }
    signs
}

/// What follows from the signs.
pub fn conclude(rules: &ScreeningRules, signs: impl IntoIterator<Item = Reason>) -> Screening {
    let mut reasons: Vec<Reason> = signs.into_iter().collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons.retain(|reason| reason.compels() || rules.weight(*reason) > 0);
    reasons.sort_by_key(|reason| std::cmp::Reverse(rules.weight(*reason))); // stable
    let weight = reasons.iter().map(|reason| rules.weight(*reason)).sum();
    let verdict = if weight >= rules.spam {
        Verdict::Spam
    } else if weight >= rules.doubtful || reasons.iter().any(|reason| reason.compels()) {
        Verdict::Doubtful
    } else {
        Verdict::Ham
    };
    Screening { verdict, weight, reasons }
}
