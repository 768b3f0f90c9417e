//! An e-mail address.

use std::fmt;

use email_address::{EmailAddress, Options};

use super::is_invisible;
use crate::error::Invalid;
use crate::limits;

/// An e-mail address of at most [`limits::EMAIL_BYTES`]. The domain is lower-case ASCII (IDNA), the local
/// part as typed: only its owner's server knows what case means there.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email {
    address: String,
    /// Where the `@` stands that ends the local part.
    at: usize,
}

/// Local parts that are typed to get past a form, or that nobody reads.
const DUMMY_LOCALS: [&str; 20] = [
    "test",
    "testing",
    "tester",
    "test1",
    "test123",
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "none",
    "noemail",
    "no-email",
    "nomail",
    "nobody",
    "noone",
    "na",
    "fake",
    "qwerty",
    "abc123",
];
/// Domains that stand for no address.
const DUMMY_DOMAINS: [&str; 8] =
    ["test.com", "noemail.com", "nomail.com", "none.com", "fake.com", "asdf.com", "email.test", "domain.com"];
const DOTLESS_DOMAINS: [&str; 2] = ["gmail.com", "googlemail.com"];

impl Email {
    /// Parses an address (RFC 5321, RFC 6531), without a display name or an address literal, at a domain
    /// of at least two labels. White space around it and a `mailto:` before it are left out.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let rule = || Invalid::new("an e-mail address is written name@example.com, at most 254 bytes");
        let text = text.trim();
        let text = match text.split_at_checked("mailto:".len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto:") => rest,
            _ => text,
        };
        if text.len() > limits::EMAIL_BYTES || text.chars().any(is_invisible) {
            return Err(rule());
        }
        let (local, domain) = text.rsplit_once('@').ok_or_else(rule)?;
        let domain =
            idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::URL).map_err(|_| rule())?;
        let address = format!("{local}@{domain}");
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        let top = domain.rsplit('.').next().unwrap_or_default();
        if address.len() > limits::EMAIL_BYTES
            || top.bytes().all(|b| b.is_ascii_digit()) // an IPv4 address is no domain
            || EmailAddress::parse_with_options(&address, options).is_err()
        {
            return Err(rule());
        }
        Ok(Self { at: local.len(), address })
    }

    /// The whole address. Personal.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// What stands before the `@`, as typed. Personal.
    pub fn local(&self) -> &str {
        self.address.get(..self.at).unwrap_or_default()
    }

    /// The domain: lower-case ASCII.
    pub fn domain(&self) -> &str {
        self.address.get(self.at + 1..).unwrap_or_default()
    }

    /// What two addresses are compared by. Personal. Only for comparing: nothing is sent to it.
    ///
    /// Lower-case, without the tag behind a `+`; at Gmail, where they mean nothing, without dots, and
    /// `googlemail.com` is `gmail.com`.
    pub fn dedupe_key(&self) -> String {
        let local = self.local().to_lowercase();
        let untagged = match local.split_once('+') {
            Some((before, _)) if !before.is_empty() && !local.starts_with('"') => before,
            _ => local.as_str(),
        };
        if DOTLESS_DOMAINS.contains(&self.domain()) {
            format!("{}@gmail.com", untagged.replace('.', ""))
        } else {
            format!("{untagged}@{}", self.domain())
        }
    }

    /// Whether it is typed to get past a form, or read by nobody: `test@…`, `noreply@…`, `asdf…@…`,
    /// anything `@test.com`. Such an address identifies nobody.
    pub fn is_dummy(&self) -> bool {
        let key = self.dedupe_key();
        let local = key.rsplit_once('@').map_or("", |(local, _)| local);
        DUMMY_LOCALS.contains(&local) || local.starts_with("asdf") || DUMMY_DOMAINS.contains(&self.domain())
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    #[test]
    fn the_domain_is_normalised_and_the_local_part_kept() {
        assert_eq!(email(" Ada.L@EXAMPLE.com ").as_str(), "Ada.L@example.com");
        assert_eq!(email("mailto:ada@bücher.example").as_str(), "ada@xn--bcher-kva.example");
        assert_eq!(
            (email("ada@example.com").local(), email("ada@example.com").domain()),
            ("ada", "example.com")
        );
        assert_eq!(email("o'brien+roof@example.com").local(), "o'brien+roof");
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for bad in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@1.2.3.4",
            "ada@[1.2.3.4]",
            "Ada <ada@example.com>",
            "ada@example.com, bob@example.com",
            "ada lovelace@example.com",
            "ada@exa mple.com",
            "ada..l@example.com",
            "ada@example..com",
            "ada@example.com\r\nBcc: x@example.com",
            &format!("{}@example.com", "x".repeat(65)),
            &format!("a@{}.com", "x.".repeat(200)),
        ] {
            let error = Email::parse(bad).unwrap_err().to_string();
            assert_eq!(error, "an e-mail address is written name@example.com, at most 254 bytes", "{bad}");
        }
    }

    #[test]
    fn one_mailbox_has_one_key() {
        let key = |text: &str| email(text).dedupe_key();
        assert_eq!(key("Ada.Love.Lace+roof@GoogleMail.com"), "adalovelace@gmail.com");
        assert_eq!(key("Ada.L+x+y@example.com"), "ada.l@example.com");
        assert_eq!(key("+ada@example.com"), "+ada@example.com");
    }

    #[test]
    fn dummies_are_known() {
        for dummy in [
            "test@example.com",
            "TEST+1@firm.example",
            "test@test.com",
            "jane@test.com",
            "asdf@example.com",
            "asdfgh@gmail.com",
            "noreply@firm.example",
            "no-reply@example.com",
            "t.e.s.t@gmail.com",
        ] {
            assert!(email(dummy).is_dummy(), "{dummy}");
        }
        for real in ["jane@example.com", "jane@firm.test", "latest@example.com", "info@firm.example"] {
            assert!(!email(real).is_dummy(), "{real}");
        }
    }

    #[test]
    fn an_address_is_never_printed() {
        assert_eq!(format!("{:?}", email("ada@example.com")), "Email(…)");
    }

    proptest! {
        #[test]
        fn parsing_is_total_and_stable(text in "\\PC{0,20}@?[a-zA-Z0-9.ü-]{0,20}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert!(Email::parse(email.as_str()).as_ref() == Ok(&email));
                prop_assert!(email.domain().is_ascii());
                prop_assert!(!email.local().is_empty() && email.as_str().len() <= limits::EMAIL_BYTES);
            }
        }
    }
}
