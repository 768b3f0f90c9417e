//! Signs in e-mail and phone.

use super::{Reason, ScreeningRules, disposable, letters};
use crate::enquiry::{Standard, Understood};
use crate::person::Email;

pub(super) fn signs(rules: &ScreeningRules, who: &Understood, signs: &mut Vec<Reason>) {
    let typed =
        |field: Standard| who.misread.iter().find(|(misread, _)| *misread == field).map(|(_, text)| text);
    // Whoever says openly that there is none has left it blank.
    let slip = |field: Standard| typed(field).filter(|text| !is_blank(text));
    let (email_slip, phone_slip) = (slip(Standard::Email), slip(Standard::Phone));
    let dummy_email = who.email.as_ref().is_some_and(|email| email.is_dummy() || is_made_up(email));
    let dummy_phone = match &who.phone {
        Some(phone) => phone.is_dummy(),
        None => phone_slip.is_some_and(|text| is_counted(text)),
    };
    if let Some(email) = &who.email {
        if is_disposable(rules, email.domain()) {
            signs.push(Reason::DisposableEmail);
        }
        if !dummy_email && is_nobodys(email.local()) {
            signs.push(Reason::GibberishEmail);
        }
    }
    let shows = [
        (email_slip.is_some(), Reason::MalformedEmail),
        (dummy_email, Reason::DummyEmail),
        (phone_slip.is_some(), Reason::ImpossiblePhone),
        (dummy_phone, Reason::DummyPhone),
    ];
    signs.extend(shows.into_iter().filter(|(shows, _)| *shows).map(|(_, sign)| sign));
    let real =
        (who.email.is_some() && !dummy_email) || who.phone.as_ref().is_some_and(|phone| !phone.is_dummy());
    if who.reachable() && !real {
        signs.push(Reason::NoRealContact);
    }
}

fn is_disposable(rules: &ScreeningRules, domain: &str) -> bool {
    if disposable::parents(domain).any(|domain| rules.not_disposable.contains(domain)) || is_slip(domain) {
        return false;
    }
    disposable::parents(domain).any(|domain| rules.disposable.contains(domain))
        || disposable::is_listed(domain)
}

/// Whether a provider's domain was meant. Lists of throw-away mail hold such domains too, since somebody took them.
fn is_slip(domain: &str) -> bool {
    const PROVIDERS: [&str; 9] = [
        "gmail.com",
        "yahoo.com",
        "hotmail.com",
        "outlook.com",
        "icloud.com",
        "aol.com",
        "comcast.net",
        "live.com",
        "msn.com",
    ];
    PROVIDERS.iter().any(|provider| differs_by_one(domain.as_bytes(), provider.as_bytes()))
}

/// One letter more, less, other, or two in the wrong order.
fn differs_by_one(one: &[u8], other: &[u8]) -> bool {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (Some(one), Some(other)) = (one.get(same..), other.get(same..)) else { return false };
    match (one, other) {
        ([], []) => false,
        ([a, b, rest @ ..], [c, d, others @ ..]) if a == d && b == c && rest == others => true,
        _ => {
            one.get(1..) == Some(other)
                || other.get(1..) == Some(one)
                || (one.len() == other.len() && one.get(1..) == other.get(1..))
        }
    }
}

/// `none`, `n/a`, `-`, `no phone`.
fn is_blank(text: &str) -> bool {
    let word: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    matches!(
        word.as_str(),
        "" | "none"
            | "na"
            | "no"
            | "nil"
            | "nophone"
            | "noemail"
            | "nomail"
            | "donthave"
            | "dontcall"
            | "private"
            | "unknown"
    )
}

/// `no@no.com`, `a@a.com`, `name@email.com`: nobody's, though a server may take it.
fn is_made_up(email: &Email) -> bool {
    const NAMES: [&str; 14] = [
        "no",
        "none",
        "name",
        "yourname",
        "email",
        "youremail",
        "mail",
        "user",
        "abc",
        "xyz",
        "aaa",
        "xxx",
        "asd",
        "qwe",
    ];
    const PLACES: [&str; 7] =
        ["email.com", "mail.com", "domain.com", "yourdomain.com", "no.com", "nope.com", "website.com"];
    let local = email.local().to_lowercase();
    let (label, top) = email.domain().split_once('.').unwrap_or_default();
    let letters_alone = label.len() == 1 && local.len() == 1;
    let echo = local == label && label.len() <= 4;
    letters_alone
        || echo
        || top.len() < 2
        || (NAMES.contains(&local.as_str()) && PLACES.contains(&email.domain()))
}

/// `000`, `123456`, `(555) 555-5555`, `9876543210`: typed to get past the field. A number with a digit too many is
/// a slip.
fn is_counted(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let steps = |by: i16| {
        digits
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if (i16::from(*b) - i16::from(*a) - by).rem_euclid(10) == 0))
    };
    let national = digits.strip_prefix(b"1").filter(|rest| rest.len() == 10).unwrap_or(&digits);
    let alike = national.iter().all(|digit| Some(digit) == national.first());
    letters == 0 && digits.len() >= 3 && (alike || [0, 1, -1].into_iter().any(steps))
}

/// Letters that nobody chose. People's mailboxes have digits, initials and pieces of names: only a long run
/// of letters says anything.
fn is_nobodys(local: &str) -> bool {
    const LETTERS: usize = 7;
    let mut runs = local.split(|c: char| !c.is_ascii_alphabetic());
    runs.any(|run| run.len() >= LETTERS && letters::gibberish(run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_a_provider_s_name_is_no_throw_away_mail() {
        for slip in ["hotmial.com", "gmal.com", "gmaill.com", "gmsil.com", "yaho.com", "outllook.com"] {
            assert!(is_slip(slip) && !is_disposable(&ScreeningRules::default(), slip), "{slip}");
        }
        for other in ["gmail.com", "mailinator.com", "example.com", "gm.com"] {
            assert!(!is_slip(other), "{other}");
        }
    }

    #[test]
    fn a_number_that_is_counted_or_repeated_is_made_up_and_a_slip_is_not() {
        for made_up in ["000", "123456", "(555) 555-5555", "0000000000", "9876543210", "111-111-1111"] {
            assert!(is_counted(made_up), "{made_up}");
        }
        for slip in ["50355501477", "7I3-555-O148", "055 555 0119", "12", "1-800-555-NAIL", "305-155-0100"] {
            assert!(!is_counted(slip), "{slip}");
        }
        assert!(is_blank("None.") && is_blank("n/a") && !is_blank("ada@"));
    }

    #[test]
    fn what_is_typed_to_get_past_the_field_is_made_up() {
        for made_up in ["no@no.com", "a@b.com", "name@email.com", "foo@foo.com"] {
            assert!(is_made_up(&Email::parse(made_up).unwrap()), "{made_up}");
        }
        for real in ["m@adler-family.example", "info@inform.example", "smith@smith.com", "bob@mail.com"] {
            assert!(!is_made_up(&Email::parse(real).unwrap()), "{real}");
        }
    }
}
