//! What an enquiry says, as far as it can be understood.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::Enquiry;
use super::attribution::{Attribution, Tag, Touch};
use super::consent::{self, Consent, ConsentTexts};
use super::names::{FieldMap, Meaning, Standard, Sureness, squeezed};
use crate::contract::{Need, Needs};
use crate::error::{FieldError, Invalid};
use crate::ids::{OfferId, SourceId};
use crate::limits;
use crate::person::{Email, Name, Phone, cut_bytes, cut_chars, is_contact, is_invisible, tidy};
use crate::place::{State, Zip};
use crate::scoring::{FitFacts, FitPart};

/// An enquiry as understood. Texts are tidy: no control characters, no white space at the ends.
#[derive(Clone, PartialEq)]
pub struct Understood {
    /// The name; its parts may be empty.
    pub name: Name,
    /// The e-mail.
    pub email: Option<Email>,
    /// The phone.
    pub phone: Option<Phone>,
    /// The ZIP, when the country is the United States or not said.
    pub zip: Option<Zip>,
    /// The state as the person gave it, by code or name.
    pub state: Option<State>,
    /// The city, at most [`limits::TEXT_CHARS`] characters, as all texts without another limit.
    pub city: Option<String>,
    /// Street and number.
    pub street: Option<String>,
    /// The country as given.
    pub country: Option<String>,
    /// The visitor's employer.
    pub organization: Option<String>,
    /// The message, with its line breaks, at most [`limits::MESSAGE_CHARS`] characters.
    pub message: Option<String>,
    /// The offer as the sender calls it; the source's offer map says which of ours it is.
    pub offer: Option<String>,
    /// What was agreed to.
    pub consent: Consent,
    /// In which fields its texts stand.
    pub consent_texts: ConsentTexts,
    /// What brought the visitor last.
    pub attribution: Attribution,
    /// What brought the visitor in the first place, if the page said so.
    pub first_touch: Attribution,
    /// The visitor token, still to be verified; never there when tracking is not allowed.
    pub visitor: Option<String>,
    /// Whether the visitor's history may be linked and the click id given back to an ad platform: false
    /// under Global Privacy Control.
    pub tracking_allowed: bool,
    /// Every other field that is not blank, by name, each at most [`limits::EXTRA_BYTES`]; values of
    /// standard fields that could not be understood or that another field had already given, too.
    pub extra: BTreeMap<String, String>,
    /// What the sender calls it: 1 to [`limits::POSTBACK_REFERENCE_BYTES`] bytes, of letters, digits and
    /// `- _ . ~ : / + = | , ;`, with no address in it and not the person's phone number, since it goes into URLs. What
    /// is another field of the sender's own stays among those beside.
    pub reference: Option<String>,
    /// The form token, still to be verified.
    pub form_token: Option<String>,
    /// Standard fields that were filled in and could not be understood in any way, with what the surest of their
    /// values said.
    pub misread: Vec<(Standard, String)>,
    /// What broke a rule and was cut or set aside.
    pub notes: Vec<FieldError>,
}

impl Enquiry {
    /// Understands the fields, by the source's map, the standard names and their usual aliases, in this
    /// order. Never fails: what is not understood is kept in `extra`, with a note.
    ///
    /// Where two fields mean the same, the surer name wins (mapped, exact, alias), then the earlier field;
    /// of e-mails, phones and the like the first that can be understood. Blank fields say nothing.
    pub fn understand(&self, map: &FieldMap) -> Understood {
        let mut read = Reader::new(self, map);
        let name = Name::new(
            &read.text(Standard::FirstName).unwrap_or_default(),
            &read.text(Standard::LastName).unwrap_or_default(),
        );
        let full = read.text(Standard::Name).map(|full| Name::from_full(&full)).unwrap_or_default();
        // A full name beside a first name alone has the last name; beside both it says nothing new.
        let name = name.or(full);
        let country = read.text(Standard::Country);
        let abroad = country.as_deref().is_some_and(|country| !is_united_states(country));
        let zip = read.parsed(Standard::Zip, |text| if abroad { Err(not_ours("ZIP")) } else { zip(text) });
        let state =
            read.parsed(Standard::State, |text| if abroad { Err(not_ours("state")) } else { state(text) });
        let consent_texts = read.consent_texts();
        let consent = read.consent(self.received_at, self.ip);
        let attribution = read.attribution(Meaning::Tag);
        let first_touch = read.attribution(Meaning::FirstTouch);
        let gpc = read.parsed(Standard::Gpc, yes_or_no).unwrap_or(false);
        let tracking_allowed = !(self.global_privacy_control || gpc);
        let visitor = read.parsed(Standard::Visitor, visitor_token).filter(|_| tracking_allowed);
        let email = read.parsed(Standard::Email, Email::parse);
        let phone = read.parsed(Standard::Phone, Phone::parse);
        let reference = read.reference(phone.as_ref());
        Understood {
            name,
            email,
            phone,
            zip,
            state,
            city: read.text(Standard::City),
            street: read.text(Standard::Street),
            country,
            organization: read.text(Standard::Organization),
            message: read.message(Standard::Message),
            offer: read.text(Standard::Offer),
            consent,
            consent_texts,
            attribution,
            first_touch,
            visitor,
            tracking_allowed,
            reference,
            form_token: read.parsed(Standard::FormToken, form_token),
            extra: read.extra,
            misread: read.misread,
            notes: read.notes,
        }
    }
}

impl Understood {
    /// Whether there is any way to reach this person: an e-mail or a phone was understood. (Screening
    /// asks whether they are dummies.)
    pub const fn reachable(&self) -> bool {
        self.email.is_some() || self.phone.is_some()
    }

    /// What of a contract's needs this brings: consent when the box says yes (a certificate alone proves a
    /// visit, not a yes), a certificate. Whether a do-not-call list is clean is not the enquiry's to say.
    pub fn brings(&self) -> Needs {
        let mut needs = Needs::NONE;
        if self.consent.given == Some(true) {
            needs = needs.with(Need::Consent);
        }
        if self.consent.has_certificate() {
            needs = needs.with(Need::Certificate);
        }
        needs
    }

    /// The touch that it is credited to; the other, where nothing is known of that one.
    pub fn credited(&self, to: Touch) -> &Attribution {
        match to {
            Touch::First if !self.first_touch.is_empty() => &self.first_touch,
            Touch::Last if self.attribution.is_empty() => &self.first_touch,
            Touch::First | Touch::Last => &self.attribution,
        }
    }

    /// The campaign that it is credited to. What says how to reach somebody, or has this person's own number in it, is
    /// none: reports name a campaign for years, and of whoever is erased nothing is to stay.
    pub fn campaign(&self, credited_to: Touch) -> Option<&str> {
        let named = self.credited(credited_to).campaign()?;
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let own = |phone: &Phone| {
            let number = phone.as_str();
            digits(named).contains(&digits(number.strip_prefix("+1").unwrap_or(number)))
        };
        (!is_contact(named) && !self.phone.as_ref().is_some_and(own)).then_some(named)
    }

    /// Takes from a further step of the same form what is blank here, and of consent what [`Consent::complete`] takes.
    pub fn complete(&mut self, step: &Self) {
        fn fill<T: Clone>(blank: &mut Option<T>, step: Option<&T>) {
            if blank.is_none() {
                *blank = step.cloned();
            }
        }
        self.name = std::mem::take(&mut self.name).or(step.name.clone());
        fill(&mut self.email, step.email.as_ref());
        fill(&mut self.phone, step.phone.as_ref());
        fill(&mut self.zip, step.zip.as_ref());
        fill(&mut self.state, step.state.as_ref());
        fill(&mut self.city, step.city.as_ref());
        fill(&mut self.street, step.street.as_ref());
        fill(&mut self.country, step.country.as_ref());
        fill(&mut self.organization, step.organization.as_ref());
        fill(&mut self.message, step.message.as_ref());
        self.consent.complete(&step.consent);
        for (name, value) in &step.extra {
            self.extra.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }

    /// What fit rules see. Source and offer are what intake made of them; the campaign is that of the touch it is
    /// credited to.
    pub fn fit_facts(&self, source: &SourceId, offer: &OfferId, credited_to: Touch) -> FitFacts {
        let parts = [
            (FitPart::Phone, self.phone.is_some()),
            (FitPart::Email, self.email.is_some()),
            (FitPart::LastName, !self.name.last().is_empty()),
            (FitPart::Organization, self.organization.is_some()),
            (FitPart::Street, self.street.is_some()),
            (FitPart::Zip, self.zip.is_some()),
            (FitPart::Message, self.message.is_some()),
        ];
        FitFacts {
            state: self.state,
            zip3: self.zip.map(Zip::zip3),
            source: Some(source.clone()),
            offer: Some(offer.clone()),
            campaign: self.campaign(credited_to).map(str::to_owned),
            has: parts.into_iter().filter(|&(_, there)| there).map(|(part, _)| part).collect(),
            email_domain: self.email.as_ref().map(|email| email.domain().to_owned()),
            fields: self.extra.clone(),
        }
    }
}

impl fmt::Debug for Understood {
    /// Without anything the person said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Understood")
            .field("reachable", &self.reachable())
            .field("consent", &self.consent)
            .field("tracking_allowed", &self.tracking_allowed)
            .field("notes", &self.notes.len())
            .finish_non_exhaustive()
    }
}

/// The fields by what they mean, and what came of them so far.
struct Reader<'a> {
    /// Surest first, then in order of arrival; none blank.
    candidates: BTreeMap<Meaning, Vec<(Sureness, &'a str, &'a str)>>,
    extra: BTreeMap<String, String>,
    misread: Vec<(Standard, String)>,
    notes: Vec<FieldError>,
}

impl<'a> Reader<'a> {
    fn new(enquiry: &'a Enquiry, map: &'a FieldMap) -> Self {
        let mut read = Self {
            candidates: BTreeMap::new(),
            extra: BTreeMap::new(),
            misread: Vec::new(),
            notes: Vec::new(),
        };
        for (name, value) in enquiry.fields.iter() {
            if value.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
                continue;
            }
            let (sureness, meaning) = map.meaning(name);
            let value = map.value(&meaning, value);
            match meaning {
                Meaning::Own(ours) => read.set_aside(&ours, value),
                Meaning::Standard(_) | Meaning::Tag(_) | Meaning::FirstTouch(_) => {
                    read.candidates.entry(meaning).or_default().push((sureness, name, value));
                }
            }
        }
        for candidates in read.candidates.values_mut() {
            candidates.sort_by_key(|&(sureness, ..)| sureness); // stable
        }
        read
    }

    /// The value of the first candidate that can be parsed, tidy. Those before it are noted, and all
    /// others set aside. Where a name was sent twice, and so its values are joined, the first of them that
    /// can be parsed.
    fn parsed<T>(&mut self, field: Standard, parse: impl Fn(&str) -> Result<T, Invalid>) -> Option<T> {
        let mut found = None;
        let candidates = self.candidates.remove(&Meaning::Standard(field)).unwrap_or_default();
        let surest = candidates.first().map(|(_, _, value)| tidy(value));
        for (_, name, value) in candidates {
            if found.is_some() {
                self.set_aside(name, value);
                continue;
            }
            let tidied = tidy(value);
            match parse(&tidied) {
                Ok(parsed) => found = Some(parsed),
                Err(rule) => {
                    found = tidied.split(", ").find_map(|part| parse(part).ok());
                    if found.is_none() {
                        self.note(name, rule.to_string());
                    }
                    self.set_aside(name, value);
                }
            }
        }
        if let Some(surest) = surest.filter(|_| found.is_none()) {
            self.misread.push((field, surest));
        }
        found
    }

    /// What the sender calls it. It stays where dealers, fit rules and exports saw it before it had a meaning: among
    /// the other fields. An ad platform's and an ADF prospect's own id serve where nothing else was said.
    fn reference(&mut self, phone: Option<&Phone>) -> Option<String> {
        let mut found = None;
        let candidates = self.candidates.remove(&Meaning::Standard(Standard::Reference)).unwrap_or_default();
        for (sureness, name, value) in candidates {
            if found.is_none() {
                match reference(&tidy(value), phone) {
                    Ok(reference) => found = Some(reference),
                    Err(rule) => self.note(name, rule.to_string()),
                }
            }
            let name = if sureness == Sureness::Mapped { Standard::Reference.as_str() } else { name };
            self.set_aside(name, value);
        }
        let own = ["google_lead_id", "meta_lead_id", "adf_id"].iter().find_map(|name| self.extra.get(*name));
        found.or_else(|| own.and_then(|id| reference(id, phone).ok()))
    }

    /// The first candidate and its name; the others are set aside.
    fn first(&mut self, meaning: &Meaning) -> Option<(&'a str, &'a str)> {
        let mut candidates = self.candidates.remove(meaning).unwrap_or_default().into_iter();
        let (_, name, value) = candidates.next()?;
        for (_, name, other) in candidates.filter(|(_, _, other)| tidy(other) != tidy(value)) {
            self.set_aside(name, other);
        }
        Some((name, value))
    }

    fn text(&mut self, field: Standard) -> Option<String> {
        let (name, value) = self.first(&Meaning::Standard(field))?;
        Some(self.cut(name, &tidy(value), limits::TEXT_CHARS))
    }

    /// Like `text`, but longer, and with its line breaks.
    fn message(&mut self, field: Standard) -> Option<String> {
        let (name, value) = self.first(&Meaning::Standard(field))?;
        let (kept, was_cut) = consent::paragraph(value);
        if was_cut {
            self.note(name, format!("longer than {} characters, and cut there", limits::MESSAGE_CHARS));
        }
        Some(kept)
    }

    /// In which field something stands.
    fn stands_in(&self, field: Standard) -> Option<String> {
        let candidates = self.candidates.get(&Meaning::Standard(field))?;
        candidates.first().map(|&(_, name, _)| name.to_owned())
    }

    fn cut(&mut self, name: &str, text: &str, most: usize) -> String {
        let (kept, was_cut) = cut_chars(text, most);
        if was_cut {
            self.note(name, format!("longer than {most} characters, and cut there"));
        }
        kept.trim_end().to_owned()
    }

    fn attribution(&mut self, of_touch: fn(Tag) -> Meaning) -> Attribution {
        let mut attribution = Attribution::default();
        for &tag in Tag::ALL {
            let Some((name, value)) = self.first(&of_touch(tag)) else { continue };
            let value = tidy(value);
            let (kept, was_cut) = cut_bytes(&value, limits::ATTRIBUTION_BYTES);
            if was_cut {
                self.note(name, format!("longer than {} bytes, and cut there", limits::ATTRIBUTION_BYTES));
            }
            attribution.0.insert(tag, kept.to_owned());
        }
        attribution.fill_from_landing_page();
        attribution
    }

    fn consent_texts(&self) -> ConsentTexts {
        ConsentTexts {
            text: self.stands_in(Standard::ConsentText),
            sellers: self.stands_in(Standard::ConsentSellers),
            url: self.stands_in(Standard::ConsentUrl),
        }
    }

    fn consent(&mut self, received_at: Timestamp, ip: Option<IpAddr>) -> Consent {
        let shown = self.candidates.get(&Meaning::Standard(Standard::ConsentText));
        let shown = shown.and_then(|candidates| candidates.first()).map(|&(_, _, text)| text);
        let text_sha256 = shown.map(|text| Sha256::digest(text.as_bytes()).into());
        let latest = received_at
            .checked_add(SignedDuration::from_hours(limits::CLOCK_AHEAD_HOURS))
            .unwrap_or(Timestamp::MAX);
        let at = self.parsed(Standard::ConsentAt, |text| match text.trim().parse::<Timestamp>() {
            Ok(at) if at <= latest => Ok(at),
            _ => Err(Invalid::new("consent_at is an RFC 3339 time, at most 24 hours ahead")),
        });
        let said = self.parsed(Standard::ConsentIp, |text| {
            text.parse::<IpAddr>().map_err(|_| Invalid::new("consent_ip is an IPv4 or IPv6 address"))
        });
        let consent = Consent {
            given: self.parsed(Standard::Consent, yes_or_no),
            text: self.message(Standard::ConsentText),
            text_sha256,
            version: self.text(Standard::ConsentVersion),
            sellers: self.message(Standard::ConsentSellers),
            channels: self.text(Standard::ConsentChannels),
            url: self.message(Standard::ConsentUrl),
            form: self.text(Standard::ConsentForm),
            ip: None,
            user_agent: self.text(Standard::ConsentUserAgent),
            at: at.unwrap_or(received_at),
            trusted_form: self.parsed(Standard::TrustedFormCertUrl, |text| {
                consent::trusted_form(text).ok_or_else(|| {
                    Invalid::new(
                        "a TrustedForm certificate is https://cert.trustedform.com/ and 40 hexadecimal digits",
                    )
                })
            }),
            leadid: self.parsed(Standard::UniversalLeadid, |text| {
                consent::leadid(text).ok_or_else(|| Invalid::new("universal_leadid is a UUID with its dashes"))
            }),
        };
        let proves = consent.given == Some(true) || consent.has_certificate();
        // What the request says is surer than what a page says of itself.
        let user_agent = consent.user_agent.filter(|_| proves);
        Consent { ip: ip.or(said).filter(|_| proves), user_agent, ..consent }
    }

    /// Keeps a value among the extra fields.
    fn set_aside(&mut self, name: &str, value: &str) {
        let value = tidy(value);
        let joined = match self.extra.get(name) {
            Some(known) => format!("{known}, {value}"),
            None => value,
        };
        let (kept, was_cut) = cut_bytes(&joined, limits::EXTRA_BYTES);
        if was_cut {
            self.note(name, format!("longer than {} bytes, and cut there", limits::EXTRA_BYTES));
        }
        self.extra.insert(name.to_owned(), kept.to_owned());
    }

    fn note(&mut self, name: &str, detail: String) {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        self.notes.push(FieldError { pointer, detail });
    }
}

fn yes_or_no(text: &str) -> Result<bool, Invalid> {
    consent::yes_or_no(text)
        .ok_or_else(|| Invalid::new("a box is yes or no (also true, false, 1, 0, on, off)"))
}

fn visitor_token(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    // Half a token proves nothing, so it is not cut.
    if text.len() <= limits::VISITOR_TOKEN_BYTES && text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(format!(
            "a visitor token is at most {} plain characters",
            limits::VISITOR_TOKEN_BYTES
        )))
    }
}

fn form_token(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    if text.len() <= limits::FORM_TOKEN_BYTES && text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(format!("a form token is at most {} plain characters", limits::FORM_TOKEN_BYTES)))
    }
}

fn reference(text: &str, phone: Option<&Phone>) -> Result<String, Invalid> {
    const LOCAL_DIGITS: usize = 10;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~:/+=|,;".contains(&b);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_phone = phone.is_some_and(|phone| {
        let number = phone.as_str().trim_start_matches('+');
        digits.contains(&number[number.len().saturating_sub(LOCAL_DIGITS)..])
    });
    let length = 1..=limits::POSTBACK_REFERENCE_BYTES;
    let says = text.bytes().any(|b| b.is_ascii_alphanumeric());
    if length.contains(&text.len()) && text.bytes().all(plain) && says && !is_phone {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(format!(
            "a reference is 1 to {} letters, digits and -_.~:/+=|,; and nothing of the person",
            limits::POSTBACK_REFERENCE_BYTES
        )))
    }
}

fn not_ours(what: &str) -> Invalid {
    Invalid::new(format!("the country is not the United States, so this is not read as a {what}"))
}

/// Whether this names the United States, or one of its parts that has ZIPs.
pub(crate) fn is_united_states(country: &str) -> bool {
    matches!(
        squeezed(country).as_str(),
        "us" | "usa"
            | "unitedstates"
            | "unitedstatesofamerica"
            | "theunitedstates"
            | "america"
            | "pr"
            | "puertorico"
    )
}

/// `33101`, also as `33101-1234`, `33101 1234` or `331011234`. Four digits may be a ZIP that lost its
/// zero or one that lost its last digit, and are not understood: a lead in the wrong place costs more than
/// one that is looked at. (An import knows that a spreadsheet lost the zero, and puts it back before.)
fn zip(text: &str) -> Result<Zip, Invalid> {
    let rule = || Invalid::new("a ZIP is five digits, or nine");
    let text = tidy(text);
    if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b' ')) {
        return Err(rule());
    }
    let digits = text.replace(['-', ' '], "");
    match (digits.len(), digits.get(..5)) {
        (5 | 9, Some(zip)) => zip.parse().map_err(|_: Invalid| rule()),
        _ => Err(rule()),
    }
}

/// By code or by name, in any case of letters.
fn state(text: &str) -> Result<State, Invalid> {
    let rule = || Invalid::new("a state is its two letters, or its name");
    let name = squeezed(text);
    let code = match STATES.iter().find(|(known, _)| *known == name) {
        Some((_, code)) => (*code).to_owned(),
        None if name.len() == 2 && name.bytes().all(|b| b.is_ascii_lowercase()) => name.to_ascii_uppercase(),
        None => return Err(rule()),
    };
    code.parse().map_err(|_: Invalid| rule())
}

/// States, the capital and the inhabited territories, squeezed. Source: United States Postal Service,
/// Publication 28, appendix B.
const STATES: [(&str, &str); 57] = [
    ("alabama", "AL"),
    ("alaska", "AK"),
    ("arizona", "AZ"),
    ("arkansas", "AR"),
    ("california", "CA"),
    ("colorado", "CO"),
    ("connecticut", "CT"),
    ("delaware", "DE"),
    ("florida", "FL"),
    ("georgia", "GA"),
    ("hawaii", "HI"),
    ("idaho", "ID"),
    ("illinois", "IL"),
    ("indiana", "IN"),
    ("iowa", "IA"),
    ("kansas", "KS"),
    ("kentucky", "KY"),
    ("louisiana", "LA"),
    ("maine", "ME"),
    ("maryland", "MD"),
    ("massachusetts", "MA"),
    ("michigan", "MI"),
    ("minnesota", "MN"),
    ("mississippi", "MS"),
    ("missouri", "MO"),
    ("montana", "MT"),
    ("nebraska", "NE"),
    ("nevada", "NV"),
    ("newhampshire", "NH"),
    ("newjersey", "NJ"),
    ("newmexico", "NM"),
    ("newyork", "NY"),
    ("northcarolina", "NC"),
    ("northdakota", "ND"),
    ("ohio", "OH"),
    ("oklahoma", "OK"),
    ("oregon", "OR"),
    ("pennsylvania", "PA"),
    ("rhodeisland", "RI"),
    ("southcarolina", "SC"),
    ("southdakota", "SD"),
    ("tennessee", "TN"),
    ("texas", "TX"),
    ("utah", "UT"),
    ("vermont", "VT"),
    ("virginia", "VA"),
    ("washington", "WA"),
    ("westvirginia", "WV"),
    ("wisconsin", "WI"),
    ("wyoming", "WY"),
    ("districtofcolumbia", "DC"),
    ("washingtondc", "DC"),
    ("puertorico", "PR"),
    ("guam", "GU"),
    ("americansamoa", "AS"),
    ("usvirginislands", "VI"),
    ("northernmarianaislands", "MP"),
];
