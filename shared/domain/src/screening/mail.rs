//! Signs in e-mail and phone.

use super::{Reason, ScreeningRules, disposable, letters};
use crate::enquiry::{Standard, Understood};
use crate::person::Email;

pub(super) fn signs(rules: &ScreeningRules, who: &Understood, signs: &mut Vec<Reason>) {
    let dummy_email = who.email.as_ref().is_some_and(Email::is_dummy);
    let dummy_phone = who.phone.as_ref().is_some_and(crate::person::Phone::is_dummy);
    if let Some(email) = &who.email {
        if is_disposable(rules, email.domain()) {
            signs.push(Reason::DisposableEmail);
        }
        if !dummy_email && is_nobodys(email.local()) {
            signs.push(Reason::GibberishEmail);
        }
    }
    let shows = [
        (who.misread.contains(&Standard::Email), Reason::MalformedEmail),
        (dummy_email, Reason::DummyEmail),
        (who.misread.contains(&Standard::Phone), Reason::ImpossiblePhone),
        (dummy_phone, Reason::DummyPhone),
    ];
    signs.extend(shows.into_iter().filter(|(shows, _)| *shows).map(|(_, sign)| sign));
    let real = (who.email.is_some() && !dummy_email) || (who.phone.is_some() && !dummy_phone);
    if who.reachable() && !real {
        signs.push(Reason::NoRealContact);
    }
}

fn is_disposable(rules: &ScreeningRules, domain: &str) -> bool {
    if disposable::parents(domain).any(|domain| rules.not_disposable.contains(domain)) {
        return false;
    }
    disposable::parents(domain).any(|domain| rules.disposable.contains(domain)) || disposable::is_listed(domain)
}

/// Letters that nobody chose. People's mailboxes have digits, initials and pieces of names: only a long run
/// of letters says anything.
fn is_nobodys(local: &str) -> bool {
    const LETTERS: usize = 7;
    let mut runs = local.split(|c: char| !c.is_ascii_alphabetic());
    runs.any(|run| run.len() >= LETTERS && letters::gibberish(run))
}
