//! What a field's name means: standard names, their usual aliases, and a source's own map.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::attribution::Tag;
use crate::error::Invalid;
use crate::limits;

words! {
    /// The standard names of an enquiry's fields, attribution aside.
    #[allow(missing_docs)]
    pub enum Standard as "a standard field" {
        Email = "email",
        Phone = "phone",
        FirstName = "first_name",
        LastName = "last_name",
        Name = "name",
        Organization = "organization",
        Street = "street",
        City = "city",
        State = "state",
        Zip = "zip",
        Country = "country",
        Message = "message",
        Offer = "offer",
        Consent = "consent",
        ConsentText = "consent_text",
        ConsentVersion = "consent_version",
        ConsentSellers = "consent_sellers",
        ConsentChannels = "consent_channels",
        ConsentUrl = "consent_url",
        ConsentForm = "consent_form",
        ConsentIp = "consent_ip",
        ConsentUserAgent = "consent_user_agent",
        ConsentAt = "consent_at",
        TrustedFormCertUrl = "trusted_form_cert_url",
        UniversalLeadid = "universal_leadid",
        Visitor = "visitor",
        Gpc = "gpc",
        FormToken = "form_token",
        Reference = "reference",
    }
}

impl Standard {
    /// Whether it is of what was agreed to, or its proof: as it was received, for good.
    pub const fn is_of_consent(self) -> bool {
        match self {
            Self::Consent
            | Self::ConsentText
            | Self::ConsentVersion
            | Self::ConsentSellers
            | Self::ConsentChannels
            | Self::ConsentUrl
            | Self::ConsentForm
            | Self::ConsentIp
            | Self::ConsentUserAgent
            | Self::ConsentAt
            | Self::TrustedFormCertUrl
            | Self::UniversalLeadid => true,
            Self::Email
            | Self::Phone
            | Self::FirstName
            | Self::LastName
            | Self::Name
            | Self::Organization
            | Self::Street
            | Self::City
            | Self::State
            | Self::Zip
            | Self::Country
            | Self::Message
            | Self::Offer
            | Self::Visitor
            | Self::Gpc
            | Self::FormToken
            | Self::Reference => false,
        }
    }

    /// What it is, and its rule, for whoever is to send it.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Email => "The e-mail address. This or a phone number is needed.",
            Self::Phone => "The phone number, as people write it: 305-555-0142, +1 305 555 0142.",
            Self::FirstName => "The first name.",
            Self::LastName => "The last name.",
            Self::Name => "The whole name, where first and last are not apart.",
            Self::Organization => "The person's employer or business.",
            Self::Street => "Street and number.",
            Self::City => "The city.",
            Self::State => "The state: two letters, or its name.",
            Self::Zip => "The ZIP: five digits, or nine. It says who is near.",
            Self::Country => "The country; the United States, if none is sent.",
            Self::Message => "What the person asks for, with its line breaks.",
            Self::Offer => "What it is about: one of the offers below.",
            Self::Consent => "Whether the person ticked the box: yes or no (true, false, 1, 0, on, off).",
            Self::ConsentText => "The text beside the box, exactly as shown.",
            Self::ConsentVersion => "Which version of that text.",
            Self::ConsentSellers => "The sellers named in it.",
            Self::ConsentForm => "Which form of the page it was given on.",
            Self::ConsentIp => {
                "The person's address on the Internet, where a server sends what a page was told."
            }
            Self::ConsentUserAgent => {
                "The person's browser, as it names itself, where a server sends what a page was told."
            }
            Self::ConsentChannels => "How the person may be contacted: call, text, e-mail.",
            Self::ConsentUrl => "The page on which it was given.",
            Self::ConsentAt => "When: RFC 3339, at most 24 hours ahead.",
            Self::TrustedFormCertUrl => {
                "A TrustedForm certificate: https://cert.trustedform.com/ and 40 digits."
            }
            Self::UniversalLeadid => "A Jornaya lead id: a UUID.",
            Self::Visitor => "The visitor token of an earlier answer.",
            Self::Gpc => "Whether the browser asks not to be tracked (Global Privacy Control): yes or no.",
            Self::FormToken => "What /form_token gave when the form was opened.",
            Self::Reference => {
                "What you call this enquiry: up to 128 letters, digits and -_.~:/+=|,; and nothing of the person. Postbacks say it again."
            }
        }
    }
}

/// Aliases that forms and ad platforms use, squeezed as [`squeezed`] does. The standard names need no
/// entry.
const ALIASES: &[(&str, Standard)] = &[
    ("emailaddress", Standard::Email),
    ("mail", Standard::Email),
    ("workemail", Standard::Email),
    ("phonenumber", Standard::Phone),
    ("telephone", Standard::Phone),
    ("tel", Standard::Phone),
    ("mobile", Standard::Phone),
    ("mobilephone", Standard::Phone),
    ("cell", Standard::Phone),
    ("cellphone", Standard::Phone),
    ("homephone", Standard::Phone),
    ("workphone", Standard::Phone),
    ("fname", Standard::FirstName),
    ("first", Standard::FirstName),
    ("givenname", Standard::FirstName),
    ("lname", Standard::LastName),
    ("last", Standard::LastName),
    ("surname", Standard::LastName),
    ("familyname", Standard::LastName),
    ("fullname", Standard::Name),
    ("yourname", Standard::Name),
    ("contactname", Standard::Name),
    ("organisation", Standard::Organization),
    ("company", Standard::Organization),
    ("companyname", Standard::Organization),
    ("businessname", Standard::Organization),
    ("streetaddress", Standard::Street),
    ("address", Standard::Street),
    ("address1", Standard::Street),
    ("addressline1", Standard::Street),
    ("town", Standard::City),
    ("province", Standard::State),
    ("region", Standard::State),
    ("zipcode", Standard::Zip),
    ("postal", Standard::Zip),
    ("postalcode", Standard::Zip),
    ("postcode", Standard::Zip),
    ("countrycode", Standard::Country),
    ("comment", Standard::Message),
    ("comments", Standard::Message),
    ("yourmessage", Standard::Message),
    ("optin", Standard::Consent),
    ("tcpaconsent", Standard::Consent),
    ("tcpatext", Standard::ConsentText),
    ("tcpalanguage", Standard::ConsentText),
    ("xxtrustedformcerturl", Standard::TrustedFormCertUrl),
    ("trustedformurl", Standard::TrustedFormCertUrl),
    ("leadidtoken", Standard::UniversalLeadid),
    ("externalid", Standard::Reference),
    ("senderreference", Standard::Reference),
    ("jornayaleadid", Standard::UniversalLeadid),
];

/// The standard fields by their names and aliases, squeezed: every field of an enquiry is asked for here.
static STANDARD: LazyLock<BTreeMap<String, Standard>> = LazyLock::new(|| {
    let names = Standard::ALL.iter().map(|&standard| (squeezed(standard.as_str()), standard));
    ALIASES.iter().map(|&(alias, standard)| (alias.to_owned(), standard)).chain(names).collect()
});

/// What the first touch's tags begin with: the snippet sends an object of this name.
const FIRST_TOUCH: &str = "first_touch.";

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meaning {
    Standard(Standard),
    /// Of the last touch: what brought the visitor this time.
    Tag(Tag),
    /// Of the first touch: what brought the visitor in the first place.
    FirstTouch(Tag),
    /// No standard one; kept under this name.
    Own(String),
}

/// How sure a meaning is: where two fields mean the same, the surer comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sureness {
    Mapped,
    Exact,
    Alias,
}

/// A source's own names → standard names (or names of one's own, such as `homeowner`, so that several
/// sources can share fit rules). Theirs are compared in any case of letters.
///
/// And what they say in a field → what that means to us: by our name of the field, after the names are mapped and
/// before anything is understood. A whole value is compared, in any case of letters and without white space at its
/// ends; what the map does not have stays as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldMap {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, BTreeMap<String, String>>,
}

impl FieldMap {
    /// Checks a map: at most [`limits::FIELD_MAP`] entries; theirs 1 to [`limits::FIELD_NAME_BYTES`] bytes;
    /// ours a standard name or one of lower-case letters, digits, `_`, `-` and `.`, of the same length.
    pub fn new(entries: BTreeMap<String, String>) -> Result<Self, Invalid> {
        if entries.len() > limits::FIELD_MAP {
            return Err(Invalid::new(format!("a field map has at most {} entries", limits::FIELD_MAP)));
        }
        let length = 1..=limits::FIELD_NAME_BYTES;
        let mut map = BTreeMap::new();
        for (theirs, ours) in entries {
            let plain =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.');
            let ours_fit =
                length.contains(&ours.len()) && (ours.bytes().all(plain) || exact(&ours).is_some());
            if !length.contains(&theirs.len()) || !ours_fit {
                return Err(Invalid::new(
                    "a field map's entry is the sender's name, 1 to 64 bytes, and ours: a standard name such as first_name, or 1 to 64 lower-case letters, digits, '_', '-' and '.'",
                ));
            }
            if map.insert(theirs.trim().to_lowercase(), ours).is_some() {
                return Err(Invalid::new("a field map names each of the sender's fields once"));
            }
        }
        Ok(Self { names: map, values: BTreeMap::new() })
    }

    /// The same with a value map: at most [`limits::VALUE_MAP`] values of all fields together, theirs and ours 1 to
    /// [`limits::EXTRA_BYTES`] bytes.
    pub fn with_values(self, values: BTreeMap<String, BTreeMap<String, String>>) -> Result<Self, Invalid> {
        if values.values().map(BTreeMap::len).sum::<usize>() > limits::VALUE_MAP {
            return Err(Invalid::new(format!("a value map has at most {} values", limits::VALUE_MAP)));
        }
        let length = 1..=limits::EXTRA_BYTES;
        let mut map = BTreeMap::new();
        for (field, pairs) in values {
            let known: &mut BTreeMap<String, String> = map.entry(field).or_default();
            for (theirs, ours) in pairs {
                if !length.contains(&theirs.len()) || !length.contains(&ours.len()) {
                    return Err(Invalid::new("a value map's values are 1 to 512 bytes, theirs and ours"));
                }
                if known.insert(theirs.trim().to_lowercase(), ours).is_some() {
                    return Err(Invalid::new("a value map names each of the sender's values once"));
                }
            }
        }
        Ok(Self { values: map, ..self })
    }

    /// What a value means.
    pub(super) fn value<'a>(&'a self, meaning: &Meaning, value: &'a str) -> &'a str {
        if self.values.is_empty() {
            return value;
        }
        let field = match meaning {
            Meaning::Standard(standard) => standard.as_str(),
            Meaning::Tag(tag) | Meaning::FirstTouch(tag) => tag.as_str(),
            Meaning::Own(name) => name,
        };
        let ours = self.values.get(field).and_then(|known| known.get(&value.trim().to_lowercase()));
        ours.map_or(value, String::as_str)
    }

    /// Whether it renames this field.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.names.contains_key(&name.trim().to_lowercase())
    }

    pub(crate) fn meaning(&self, name: &str) -> (Sureness, Meaning) {
        if let Some(ours) = self.names.get(&name.trim().to_lowercase()) {
            return (Sureness::Mapped, exact(ours).unwrap_or_else(|| Meaning::Own(ours.clone())));
        }
        if let Some(meaning) = exact(name) {
            return (Sureness::Exact, meaning);
        }
        let squeezed = squeezed(name);
        let standard = STANDARD.get(&squeezed).map(|&standard| Meaning::Standard(standard));
        let touch = || match squeezed.strip_prefix("firsttouch").or_else(|| squeezed.strip_prefix("first")) {
            Some(of_first) => Tag::named(of_first).map(Meaning::FirstTouch),
            None => {
                let of_last = squeezed.strip_prefix("lasttouch").or_else(|| squeezed.strip_prefix("last"));
                Tag::named(of_last.unwrap_or(&squeezed)).map(Meaning::Tag)
            }
        };
        (Sureness::Alias, standard.or_else(touch).unwrap_or_else(|| Meaning::Own(name.to_owned())))
    }
}

fn exact(name: &str) -> Option<Meaning> {
    let standard = name.parse().map(Meaning::Standard);
    let touch = || match name.strip_prefix(FIRST_TOUCH) {
        Some(of_first) => of_first.parse().map(Meaning::FirstTouch),
        None => name.parse().map(Meaning::Tag),
    };
    standard.or_else(|_| touch()).ok()
}

/// Lower-case letters and digits only: `First-Name`, `firstName` and `first_name` are one name.
pub(crate) fn squeezed(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
