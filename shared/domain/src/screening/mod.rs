//! Screening: whether an enquiry is ham, doubtful or spam, and why.
//!
//! Each sign is a [`Reason`] with a weight, which `screening.toml` may set, and a class. What machines show
//! and how often it comes adds up; of contact and of content the heaviest sign counts. The sum of the classes
//! decides: from one threshold on an enquiry is doubtful, from another spam. Both are quarantined, whole; neither
//! is refused.
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
//! - *One sign is a doubt, two of different classes are spam*; what nobody types who wants something done
//!   (advertising, an attack) is spam outright. A trap that is filled in is a doubt: browsers do that too.
//! - *What a person cannot help is no sign*: a name in another script, of one letter, without a vowel, or of
//!   four words; a slip in one contact beside a good one; an office's shared phone; an address that is a role's; a
//!   word that advertising uses as well.
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
pub use agent::names_a_machine;
pub use form::{FormSeen, FormToken};
pub use reason::{Class, Reason};
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
    /// The weights of its reasons together, by class.
    pub weight: u32,
    /// Each once, those that compel first, then the heaviest; those of no weight are left out, unless they compel.
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
    let traps = rules.honeypot.iter().filter_map(|trap| seen.fields.get(trap));
    for trapped in traps.filter(|value| !value.trim().is_empty()) {
        signs.push(Reason::Honeypot);
        // Whoever fills it in with a link or with wares was no browser.
        let lower = trapped.to_lowercase();
        if message::links(&lower) > 0 || message::sells(&lower) {
            signs.push(Reason::Advertising);
        }
    }
    mail::signs(rules, seen.understood, &mut signs);
    names::signs(seen.understood, &mut signs);
    message::signs(seen.understood, &mut signs);
    if let Some(page) = &seen.page {
        agent::signs(page.user_agent, &mut signs);
        page.form.signs(rules.form, &mut signs);
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
    reasons.sort_by_key(|reason| std::cmp::Reverse((reason.compels(), rules.weight(*reason)))); // stable
    let of = |class: Class| {
        let weights =
            reasons.iter().filter(|reason| reason.class() == class).map(|reason| rules.weight(*reason));
        if class.adds_up() { weights.sum() } else { weights.max().unwrap_or(0) }
    };
    let weight = Class::ALL.into_iter().map(of).sum::<u32>();
    let verdict = if weight >= rules.spam {
        Verdict::Spam
    } else if weight >= rules.doubtful || reasons.iter().any(|reason| reason.compels()) {
        Verdict::Doubtful
    } else {
        Verdict::Ham
    };
    Screening { verdict, weight, reasons }
}
