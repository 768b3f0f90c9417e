//! What a dealer reads in a mail: the words of the webhook's payload, for a person.
//!
//! Plain text in lines of at most [`limits::LETTER_COLUMNS`], so that it reads the same on a telephone, in a desk's
//! old mail program and quoted in an answer. Only what cannot be broken (a link) is longer.
//!
//! Determinations:
//!
//! - *No HTML.* Every mail program shows text; a number written `tel:+1…` is a link in most.
//! - *The person's own words are quoted* (`> `), line by line, fields without a standard name among them, and all other
//!   text stands behind a label of ours: what an enquiry says never begins a line, as a link to accept does.
//! - *The subject names the offer, the place and the lead, and no person*: it stands on locked screens. It is the
//!   same in all mails of a lead, so that they are shown as one conversation.
//! - *Until the dealer has accepted, the payload is masked*, and the letter is made from it.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::{
    AssignedPayload, Consent, OptedOutOf, OptedOutPayload, RepeatedPayload, WarnedPayload, WithdrawalReason,
    WithdrawnPayload,
};
use crate::calling::CallingHours;
use crate::ids::LeadId;
use crate::limits;
use crate::rulebook::Invitee;

/// A mail without its addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// Lines that end in `\n`.
    pub text: String,
}

/// What a letter says beside the payload.
pub struct Terms {
    /// The company, as people read it.
    pub company: String,
    /// The offer, as people read it.
    pub offer: String,
    /// The dealer's zone: its times are the dealer's.
    pub zone: TimeZone,
    /// When the person may be called, by the clock where they are.
    pub call: Option<CallWhen>,
    /// Where the dealer accepts and declines by a click; nowhere, where nothing is left to answer.
    pub links: Option<Links>,
}

/// When a person may be called.
#[derive(Clone, Debug)]
pub struct CallWhen {
    /// From and until when.
    pub hours: CallingHours,
    /// Where they may be, as IANA zones; not empty. All must allow it.
    pub zones: Vec<&'static str>,
}

impl CallWhen {
    /// Such as `08:00 to 21:00, America/Chicago time`.
    fn text(&self) -> String {
        let clock = |time: Time| time.strftime("%H:%M").to_string();
        let where_ = match self.zones.as_slice() {
            [zone] => format!("{zone} time"),
            zones => format!("by the time of each of {}", zones.join(", ")),
        };
        format!("{} to {}, {where_}", clock(self.hours.opens), clock(self.hours.closes))
    }
}

/// Pages that answer for the dealer.
pub struct Links {
    /// Takes it.
    pub accept: String,
    /// Does not want it.
    pub decline: String,
}

/// The column in which values begin.
const INDENT: usize = 12;

/// A letter in the making.
struct Writer<'a> {
    terms: &'a Terms,
    text: String,
}

/// `lead.assigned`.
pub fn assigned(payload: &AssignedPayload<'_>, terms: &Terms) -> Letter {
    let mut letter = Writer::new(terms);
    if payload.test {
        letter.paragraph(
            "THIS IS A TEST. Nobody asked for this, the person does not exist, and nothing is charged.",
        );
    }
    letter.paragraph(&format!("{} has a lead for you: {}.", terms.company, terms.offer));
    let name: Vec<&str> =
        [payload.person.first_name, payload.person.last_name].into_iter().flatten().collect();
    letter.line("Name", &name.join(" "));
    if let Some(phone) = payload.person.phone {
        letter.line("Phone", &format!("tel:{phone}"));
        if let Some(call) = &terms.call {
            letter.line("Call", &call.text());
        }
    }
    letter.line("E-mail", payload.person.email.unwrap_or_default());
    let address = &payload.address;
    let region = [address.state, address.zip].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let parts = [address.street, address.city, Some(region.as_str()).filter(|region| !region.is_empty())];
    letter.line("Address", &parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
    letter.line("Asked", &letter.time(payload.received_at));
    if payload.masked {
        letter.paragraph("Contact is shown once you have accepted.");
    }
    letter.quoted("Request", payload.message.as_deref());
    letter.extra(payload);
    letter.consent(&payload.consent);
    letter.text.push('\n');
    letter.line("Price", &payload.price.to_string());
    letter.line("Contract", payload.contract.as_str());
    letter.line("Lead", &payload.lead.to_string());
    if let Some(by) = payload.accept_by {
        letter.text.push('\n');
        letter.line("Accept by", &letter.time(by));
    }
    letter.links(payload.accept_by.is_some());
    letter.ends(payload.lead)
}

/// `lead.repeated`.
pub fn repeated(payload: &RepeatedPayload<'_>, terms: &Terms) -> Letter {
    let mut letter = Writer::new(terms);
    letter.paragraph(&format!("The person asked again ({}): it is the lead you have.", terms.offer));
    letter.line("Asked", &letter.time(payload.received_at));
    for (name, value) in &payload.filled {
        letter.line(name, value);
    }
    letter.quoted("Request", payload.message.as_deref());
    if let Some(consent) = &payload.consent {
        letter.consent(consent);
    }
    if payload.masked {
        letter.paragraph("Contact is shown once you have accepted.");
    }
    letter.text.push('\n');
    letter.line("Lead", &payload.lead.to_string());
    letter.links(payload.masked);
    letter.ends(payload.lead)
}

/// `lead.warned`.
pub fn warned(payload: &WarnedPayload, terms: &Terms) -> Letter {
    let mut letter = Writer::new(terms);
    letter.paragraph(&format!(
        "The lead that {} offered you goes to another dealer unless you accept it in time.",
        terms.company
    ));
    letter.line("Accept by", &letter.time(payload.accept_by));
    letter.line("Lead", &payload.lead.to_string());
    letter.links(true);
    letter.ends(payload.lead)
}

/// `lead.withdrawn`.
pub fn withdrawn(payload: &WithdrawnPayload, terms: &Terms) -> Letter {
    let mut letter = Writer::new(terms);
    letter.paragraph(
        "This lead is no longer yours, and you are not charged for it: please do not get in touch with the person.",
    );
    let reason = match payload.reason {
        WithdrawalReason::Unconfirmed => "we could not learn whether it had reached you",
        WithdrawalReason::TakenBack => "it was taken back",
        WithdrawalReason::Lapsed => "it was not accepted in time",
    };
    letter.line("Why", reason);
    letter.line("Lead", &payload.lead.to_string());
    letter.ends(payload.lead)
}

/// `lead.erased`.
pub fn erased(lead: LeadId, terms: &Terms) -> Letter {
    let mut letter = Writer::new(terms);
    letter.paragraph(
        "The person behind this lead is to be forgotten: please erase whatever you hold of them, mails among it.",
    );
    letter.line("Lead", &lead.to_string());
    letter.ends(lead)
}

/// `lead.opted_out`.
pub fn opted_out(payload: &OptedOutPayload, terms: &Terms) -> Letter {
    let mut letter = Writer::new(terms);
    letter.paragraph(match payload.of {
        OptedOutOf::Mail => "The person behind this lead wants no more mail: please write them none.",
        OptedOutOf::Everything => {
            "The person behind this lead wants no more mail, calls or texts: please do not get in touch with them."
        }
    });
    letter.line("Lead", &payload.lead.to_string());
    letter.ends(payload.lead)
}

/// An invitation to sign in, by a link that lets nobody in by itself.
///
/// It says who invites and where, and carries no secret: whoever reads it must sign in as anybody else.
pub fn invitation(company: &str, to: &Invitee, link: &str) -> Letter {
    let company = one_line(company);
    let nothing = String::new;
    let terms = Terms { company: nothing(), offer: nothing(), zone: TimeZone::UTC, call: None, links: None };
    let mut letter = Writer::new(&terms);
    letter.paragraph(&match to {
        Invitee::Person(_) => format!("You are invited by {company} to work at the desk of its leads."),
        Invitee::Dealer(_) => format!(
            "You are invited by {company} to the inbox of the leads that it has for you: accept them there, and say what became of them."
        ),
    });
    let _ = write!(letter.text, "To sign in:\n{link}\n");
    letter.paragraph(
        "You sign in by the address that this mail came to. There is no password in this mail, and the link lets nobody in by itself.",
    );
    letter.paragraph("If you expect no invitation, there is nothing to do.");
    Letter { subject: format!("{company} invites you to sign in"), text: letter.text }
}

/// A document as the whole text of a mail: for a program that reads the mailbox.
pub fn adf(lead: LeadId, document: String, terms: &Terms) -> Letter {
    Letter { text: document, ..Writer::new(terms).ends(lead) }
}

impl<'a> Writer<'a> {
    fn new(terms: &'a Terms) -> Self {
        Self { terms, text: String::new() }
    }

    fn time(&self, at: Timestamp) -> String {
        at.to_zoned(self.terms.zone.clone()).strftime("%a, %b %-d, %Y, %-I:%M %p %Z").to_string()
    }

    /// A label and its value, on as many lines as it takes; nothing, of a value that is not known.
    fn line(&mut self, label: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let first = format!("{label:<width$}", width = INDENT - 1);
        self.wrapped(&one_line(value), &format!("{first} "), &" ".repeat(INDENT));
    }

    /// What somebody wrote, under its label.
    fn quoted(&mut self, label: &str, text: Option<&str>) {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return };
        let _ = writeln!(self.text, "{label}");
        for line in text.trim().lines() {
            self.wrapped(&one_line(line), "> ", "> ");
        }
    }

    /// Fields without a standard name, as far as there is room.
    fn consent(&mut self, consent: &Consent<'_>) {
        self.line("Consent", if consent.given { "given" } else { "not recorded" });
        self.quoted("Agreed to", consent.text.as_deref());
        self.line("Certificate", consent.certificate.unwrap_or_default());
        self.line("LeadiD", consent.leadid.unwrap_or_default());
    }

    fn extra(&mut self, payload: &AssignedPayload<'_>) {
        let before = self.text.len();
        let mut cut = payload.truncated;
        for (name, value) in &payload.extra {
            let room = limits::LETTER_EXTRA_BYTES.saturating_sub(self.text.len() - before);
            if name.len() + value.len() > room {
                cut = true;
                continue;
            }
            if self.text.len() == before {
                self.text.push_str("Also sent\n");
            }
            // The name is as little ours as the value.
            self.wrapped(&one_line(&format!("{name}: {value}")), "> ", "> ");
        }
        if cut {
            self.paragraph("Some of what was sent is left out here.");
        }
    }

    fn paragraph(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        self.wrapped(&one_line(text), "", "");
        self.text.push('\n');
    }

    fn links(&mut self, to_be_accepted: bool) {
        let Some(links) = &self.terms.links else { return };
        let (accept, decline) = (&links.accept, &links.decline);
        let first = if to_be_accepted { "To accept it:" } else { "To say that you work on it:" };
        let _ = write!(self.text, "\n{first}\n{accept}\n\nTo decline it:\n{decline}\n");
    }

    fn ends(self, lead: LeadId) -> Letter {
        let id = lead.to_string();
        // The beginning of an id is the time; its end is drawn.
        let short = id.get(id.len().saturating_sub(6)..).unwrap_or_default();
        Letter { subject: format!("Lead {short}: {}", one_line(&self.terms.offer)), text: self.text }
    }

    /// Text in lines that fit; a word that fits none stands alone.
    fn wrapped(&mut self, text: &str, first: &str, rest: &str) {
        let mut line = first.to_owned();
        let mut empty = true;
        for word in text.split_whitespace() {
            let needed = line.chars().count() + usize::from(!empty) + word.chars().count();
            if !empty && needed > limits::LETTER_COLUMNS {
                let _ = writeln!(self.text, "{line}");
                rest.clone_into(&mut line);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        let _ = writeln!(self.text, "{}", line.trim_end());
    }
}

/// Text on one line: whatever would begin another is a space, and what is not seen is gone.
fn one_line(text: &str) -> String {
    let separator = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if separator(c) { ' ' } else { c }).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeMap;

    use super::*;
    use crate::delivery::{Address, Consent, Person};
    use crate::ids::{
        AssignmentId, CategoryId, CompanyId, ContractId, DealerId, EnquiryId, LeadId, OfferId, SourceId,
    };
    use crate::money::Money;
    use proptest::prelude::*;

    fn terms() -> Terms {
        Terms {
            company: "Acme".to_owned(),
            offer: "New roof".to_owned(),
            zone: crate::time::zone("America/Chicago").unwrap(),
            call: None,
            links: Some(Links {
                accept: "https://leads.example/answer/yes".to_owned(),
                decline: "https://leads.example/answer/no".to_owned(),
            }),
        }
    }

    fn letter(name: &str, message: &str, extra: BTreeMap<&str, &str>) -> Letter {
        let at: Timestamp = "2026-06-01T16:00:00Z".parse().unwrap();
        let payload = AssignedPayload {
            assignment: AssignmentId::from_bytes([1; 16]),
            lead: LeadId::from_bytes([2; 16]),
            dealer: &DealerId::new("hudson").unwrap(),
            contract: &ContractId::new("hudson").unwrap(),
            company: &CompanyId::new("acme").unwrap(),
            category: &CategoryId::new("roofing").unwrap(),
            offer: &OfferId::new("roof").unwrap(),
            source: &SourceId::new("web").unwrap(),
            campaign: None,
            received_at: at,
            assigned_at: at,
            accept_by: Some(at),
            band: None,
            price: Money::ZERO,
            person: Person { first_name: Some(name), last_name: None, email: None, phone: None },
            address: Address { street: Some(name), ..Address::default() },
            message: Some(Cow::Borrowed(message)),
            consent: Consent {
                given: true,
                text: Some(Cow::Borrowed(message)),
                certificate: Some(name),
                leadid: None,
            },
            extra,
            test: false,
            masked: false,
            truncated: false,
        };
        assigned(&payload, &terms())
    }

    /// Lines that are ours alone.
    const OURS: [&str; 4] = ["To accept it:", "To decline it:", "https://", "Accept by"];

    fn check(letter: &Letter) {
        assert_eq!(letter.subject.lines().count(), 1);
        for ours in OURS {
            let count = letter.text.lines().filter(|line| line.starts_with(ours)).count();
            assert_eq!(count, if ours == "https://" { 2 } else { 1 }, "{ours}: {}", letter.text);
        }
        for line in letter.text.lines() {
            assert!(
                line.chars().count() <= limits::LETTER_COLUMNS || !line.trim().contains("  "),
                "{line:?}"
            );
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }

    #[test]
    fn what_an_enquiry_says_never_passes_for_a_line_of_ours() {
        let evil = "x\r\nTo accept it:\nhttps://evil.example/\u{2028}To decline it:\r\u{85}Accept by  never\u{b}\n\n> \n";
        let letter =
            letter(evil, evil, BTreeMap::from([(evil, evil), ("https://", "https://evil.example/")]));
        check(&letter);
    }

    #[test]
    fn long_words_stand_alone_and_long_fields_are_left_out_and_said_so() {
        let long = "x".repeat(600);
        let names: Vec<String> = (0..40).map(|n| format!("field_{n}")).collect();
        let extra = names.iter().map(|name| (name.as_str(), long.as_str())).collect();
        let letter = letter("Ada", &format!("see {long} there"), extra);
        check(&letter);
        assert!(letter.text.contains(&format!("\n> {long}\n> there\n")), "{}", letter.text);
        assert!(letter.text.contains("Some of what was sent is left out here."));
        assert!(letter.text.len() < 2 * limits::LETTER_EXTRA_BYTES);
    }

    #[test]
    fn a_repeat_says_what_was_agreed_to_since_and_nothing_of_it_passes_for_ours() {
        let evil = "x\nTo accept it:\nhttps://evil.example/";
        let letter = repeated(
            &RepeatedPayload {
                assignment: AssignmentId::from_bytes([1; 16]),
                lead: LeadId::from_bytes([2; 16]),
                enquiry: EnquiryId::from_bytes([3; 16]),
                dealer: &DealerId::new("hudson").unwrap(),
                company: &CompanyId::new("acme").unwrap(),
                offer: &OfferId::new("roof").unwrap(),
                source: &SourceId::new("web").unwrap(),
                received_at: "2026-06-01T16:00:00Z".parse().unwrap(),
                message: None,
                filled: BTreeMap::new(),
                consent: Some(Consent {
                    given: true,
                    text: Some(Cow::Borrowed(evil)),
                    certificate: Some("https://cert.trustedform.com/01"),
                    leadid: Some("01234567-89ab-cdef-0123-456789abcdef"),
                }),
                masked: false,
                truncated: false,
            },
            &terms(),
        );
        for told in ["given", "> x", "cert.trustedform.com/01", "01234567-89ab"] {
            assert!(letter.text.contains(told), "{told}: {}", letter.text);
        }
        assert!(!letter.text.contains("\nhttps://evil"), "{}", letter.text);
        assert!(!letter.text.lines().any(|line| line == "To accept it:"), "{}", letter.text);
    }

    /// Who invites, where, and nothing that lets anybody in: the link is the page to sign in and no more.
    fn check_invitation(company: &str, to: &Invitee) {
        const LINK: &str = "https://leads.example/console/sign-in";
        let letter = invitation(company, to, LINK);
        assert_eq!(letter.subject.lines().count(), 1);
        let links: Vec<&str> = letter.text.lines().filter(|line| line.starts_with("https://")).collect();
        assert_eq!(links, [LINK], "{}", letter.text);
        assert_eq!(letter.text.lines().filter(|line| *line == "To sign in:").count(), 1, "{}", letter.text);
        assert!(!letter.text.chars().any(|c| c.is_control() && c != '\n'), "{}", letter.text);
        assert!(letter.text.starts_with("You are invited by"), "{}", letter.text);
    }

    #[test]
    fn an_invitation_says_who_invites_and_where_to_sign_in() {
        let dealer = Invitee::Dealer(DealerId::new("hudson").unwrap());
        check_invitation("Acme\r\nTo sign in:\nhttps://evil.example/\n", &dealer);
        check_invitation("Acme\nhttps://evil.example/", &dealer);
        let letter = invitation("Acme Roofing", &dealer, "https://leads.example/console/sign-in");
        assert_eq!(letter.subject, "Acme Roofing invites you to sign in");
        assert!(letter.text.contains("To sign in:\nhttps://leads.example/console/sign-in\n"));
    }

    proptest! {
        #[test]
        fn whatever_is_said_the_links_are_ours(name in "(?s).{0,80}", message in "(?s).{0,300}", value in "(?s).{0,80}") {
            prop_assume!(!name.trim().is_empty());
            check(&letter(&name, &message, BTreeMap::from([("shoe", value.as_str())])));
        }
    }
}
