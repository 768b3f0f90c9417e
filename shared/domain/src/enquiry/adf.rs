//! ADF/XML (Auto-lead Data Format 1.0), as dealers' programs post it: read leniently, since hardly any sender
//! writes what the specification asks for.
//!
//! | in ADF | becomes |
//! |---|---|
//! | the customer's `name` | `first_name` `last_name` `middle_name`, `name` of any other part; `organization` of a business |
//! | `email` | `email` |
//! | `phone` of type `voice`, any other or none, or the preferred one | `phone` |
//! | … of type `cellphone`, `cell`, `mobile` · `home` · `work` · `fax` · `pager` | `mobile_phone` · `home_phone` · `work_phone` · `fax` · `pager` |
//! | `street`, `apartment` · `city` · `regioncode` · `postalcode` · `country` | `street` · `city` · `state` · `zip` · `country` |
//! | the customer's `comments` | `message` |
//! | a vehicle's parts | `vehicle_year` …, `vehicle_2_year` … of a second; `trade_year` … of one to be traded in |
//! | vendor and provider | `vendor`, `provider`, and their parts: `provider_service` … |
//! | the prospect's own `id`, `requestdate` | `adf_id`, `requestdate` |
//!
//! Determinations:
//!
//! - *Order, case and name spaces* say nothing; what is missing is missing; what is unknown is kept under the
//!   names of the elements it stands in.
//! - *Nothing is expanded* but the five entities of XML, numbered characters and the no-break space: a document
//!   type is passed over, and what it may have defined stays as it is written.
//! - *The encoding* is UTF-8 or Windows-1252 (and so ISO-8859-1): as declared, and what is declared to be UTF-8
//!   and is not is read as Windows-1252, in which every byte is a letter. A lead is not lost for an é.
//! - *Markup within comments* is part of what they say, without its marks.
//! - *A tag that is not closed* ends with the element it stands in; one that was never opened is passed over.
//!   A document that breaks off, or has a prospect within a prospect, is not read: half a lead may be another person's.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::fields::{BodyError, Fields};
use crate::limits;

impl Fields {
    /// Reads the prospects of an ADF document, each an enquiry of its own: one at least, and at most
    /// [`limits::PROSPECTS`].
    pub fn from_adf(content_type: &str, body: &[u8]) -> Result<Vec<Self>, BodyError> {
        if body.len() > limits::BODY_BYTES {
            return Err(BodyError::TooLarge { limit: limits::BODY_BYTES });
        }
        let text = decoded(content_type, body);
        let mut reader = Reader::from_str(&text);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.allow_unmatched_ends = true;
        config.check_end_names = false;
        config.expand_empty_elements = true;
        let mut document = Document::default();
        loop {
            let at = reader.buffer_position();
            match reader.read_event().map_err(|_| BodyError::BadXml { at })? {
                Event::Start(tag) => document.opens(&tag, at)?,
                Event::End(tag) => document.closes(tag.local_name().into_inner())?,
                Event::Text(text) => document.says(&text),
                Event::CData(text) => document.says(&text),
                Event::GeneralRef(entity) => match entity.resolve_char_ref() {
                    Ok(Some(character)) => document.says(character.encode_utf8(&mut [0; 4])),
                    Ok(None) | Err(_) => document.says_entity(&entity),
                },
                Event::Eof if document.path.is_empty() => break,
                Event::Eof => return Err(BodyError::BadXml { at }),
                // Never an element of its own: see the configuration.
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        if document.prospects.is_empty() { Err(BodyError::NoProspect) } else { Ok(document.prospects) }
    }
}

/// An element that is open.
struct Element {
    name: String,
    /// What its attributes say, as far as that matters: `part`, `type`, `interest` and the like.
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Kind {
    part: Option<Word>,
    of: Option<Word>,
    preferred: bool,
}

/// What an attribute may say that matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    First,
    Middle,
    Last,
    Business,
    Mobile,
    Home,
    Work,
    Fax,
    Pager,
}

impl Word {
    fn read(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "first" => Self::First,
            "middle" => Self::Middle,
            "last" => Self::Last,
            "business" => Self::Business,
            "cellphone" | "cell" | "mobile" => Self::Mobile,
            "home" => Self::Home,
            "work" => Self::Work,
            "fax" => Self::Fax,
            "pager" => Self::Pager,
            _ => return None,
        })
    }
}

/// A document being read.
#[derive(Default)]
struct Document {
    prospects: Vec<Fields>,
    path: Vec<Element>,
    /// Where in `path` the prospect stands.
    prospect: Option<usize>,
    /// Vehicles of the prospect so far: asked for, and to be traded in.
    vehicles: [u32; 2],
    /// What the fields of the vehicle that is open begin with.
    vehicle: String,
}

impl Document {
    fn opens(&mut self, tag: &BytesStart<'_>, at: u64) -> Result<(), BodyError> {
        if self.path.len() == limits::XML_DEPTH {
            return Err(BodyError::TooDeep { limit: limits::XML_DEPTH });
        }
        let name = tag.local_name().into_inner().to_ascii_lowercase();
        if name == "prospect" && self.prospect.is_some() {
            // The one before was never closed: what follows would be the first one's.
            return Err(BodyError::BadXml { at });
        }
        let mut kind = Kind::default();
        let mut told = Vec::new();
        let mut trade = false;
        for attribute in tag.html_attributes().with_checks(false).flatten() {
            let value = attribute.value.trim();
            match attribute.key.local_name().into_inner().to_ascii_lowercase().as_str() {
                "part" => kind.part = Word::read(value),
                "type" => kind.of = Word::read(value),
                "preferredcontact" => kind.preferred = value == "1",
                "interest" if name == "vehicle" => {
                    trade = value.eq_ignore_ascii_case("trade-in");
                    told.push(("interest", value.to_owned()));
                }
                "status" if name == "vehicle" || name == "prospect" => {
                    told.push(("status", value.to_owned()));
                }
                _ => {}
            }
        }
        if name == "prospect" && self.prospect.is_none() {
            if self.prospects.len() == limits::PROSPECTS {
                return Err(BodyError::TooManyProspects { limit: limits::PROSPECTS });
            }
            self.prospects.push(Fields::default());
            self.prospect = Some(self.path.len());
            self.vehicles = [0, 0];
            "adf_".clone_into(&mut self.vehicle);
        } else if name == "vehicle" && self.prospect.is_some() {
            let count = &mut self.vehicles[usize::from(trade)];
            *count += 1;
            self.vehicle.clear();
            self.vehicle.push_str(if trade { "trade_" } else { "vehicle_" });
            if *count > 1 {
                let _ = write!(self.vehicle, "{count}_"); // a string takes all
            }
        }
        for (attribute, value) in told {
            let field = format!("{}{attribute}", self.vehicle);
            self.push(&field, value)?;
        }
        self.path.push(Element { name, kind, text: String::new() });
        Ok(())
    }

    fn says(&mut self, text: &str) {
        if let Some(element) = self.path.last_mut() {
            element.text.push_str(text);
        }
    }

    fn says_entity(&mut self, name: &str) {
        let known = match name {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "apos" => "'",
            "nbsp" => " ",
            _ => {
                for part in ["&", name, ";"] {
                    self.says(part);
                }
                return;
            }
        };
        self.says(known);
    }

    fn closes(&mut self, name: &str) -> Result<(), BodyError> {
        let Some(at) = self.path.iter().rposition(|open| open.name.eq_ignore_ascii_case(name)) else {
            return Ok(());
        };
        while self.path.len() > at {
            self.ends()?;
        }
        Ok(())
    }

    /// The innermost element ends.
    fn ends(&mut self) -> Result<(), BodyError> {
        let Some(element) = self.path.pop() else { return Ok(()) };
        if let Some(outer) = self.path.last_mut()
            && outer.name.ends_with("comments")
        {
            outer.text.push_str(&element.text);
            // What stood there as `<br/>` still parts two words.
            outer.text.push(' ');
            return Ok(());
        }
        let Some(prospect) = self.prospect else { return Ok(()) };
        if self.path.len() == prospect {
            self.prospect = None;
        }
        let text = element.text.trim();
        if text.is_empty() {
            return Ok(());
        }
        let within = self.path.get(prospect + 1..).unwrap_or_default();
        let field = field(within, &element, &self.vehicle);
        self.push(&field, text.to_owned())
    }

    fn push(&mut self, field: &str, value: String) -> Result<(), BodyError> {
        match self.prospects.last_mut() {
            Some(fields) if !value.is_empty() => fields.push(field, value),
            Some(_) | None => Ok(()),
        }
    }
}

/// The name of the field that an element is, by the elements within the prospect that it stands in.
fn field(within: &[Element], element: &Element, vehicle: &str) -> String {
    let name = element.name.as_str();
    let path = |outer: &[Element]| {
        let names = outer.iter().map(|element| element.name.as_str()).chain([name]);
        names.collect::<Vec<_>>().join("_")
    };
    let Some((first, deeper)) = within.split_first() else {
        return match name {
            "id" => "adf_id".to_owned(),
            _ => name.to_owned(),
        };
    };
    match (first.name.as_str(), name) {
        ("customer", _) => of_customer(element).map_or_else(|| path(within), str::to_owned),
        ("vehicle", _) => format!("{vehicle}{}", path(deeper)),
        ("vendor", "vendorname") => "vendor".to_owned(),
        ("provider", "name") if deeper.is_empty() => "provider".to_owned(),
        _ => path(within),
    }
}

/// A standard field, or an alias of one.
fn of_customer(element: &Element) -> Option<&'static str> {
    let Kind { part, of, preferred } = element.kind;
    Some(match element.name.as_str() {
        "name" if of == Some(Word::Business) => "organization",
        "name" => match part {
            Some(Word::First) => "first_name",
            Some(Word::Middle) => "middle_name",
            Some(Word::Last) => "last_name",
            _ => "name",
        },
        "email" => "email",
        "phone" => match of {
            Some(Word::Fax) => "fax",
            Some(Word::Pager) => "pager",
            _ if preferred => "phone",
            Some(Word::Mobile) => "mobile_phone",
            Some(Word::Home) => "home_phone",
            Some(Word::Work) => "work_phone",
            _ => "phone",
        },
        "street" | "apartment" => "street",
        "city" => "city",
        "regioncode" => "state",
        "postalcode" => "zip",
        "country" => "country",
        "comments" => "message",
        _ => return None,
    })
}

/// The text of a document: see the module.
fn decoded<'a>(content_type: &str, body: &'a [u8]) -> Cow<'a, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let head = String::from_utf8_lossy(body.get(..200).unwrap_or(body)).to_ascii_lowercase();
    let declared = head.split_once("encoding=").map(|(_, rest)| rest.trim_start_matches(['"', '\'']));
    let content_type = content_type.to_ascii_lowercase();
    // What carries a document knows less of it than the document itself.
    let said = declared.or_else(|| Some(content_type.split_once("charset=")?.1.trim_start_matches('"')));
    let windows = said.is_some_and(|said| {
        ["windows-1252", "cp1252", "iso-8859-1", "iso8859-1", "latin1"]
            .iter()
            .any(|name| said.starts_with(name))
    });
    match std::str::from_utf8(body) {
        Ok(text) if !windows || text.is_ascii() => Cow::Borrowed(text),
        Ok(_) | Err(_) => Cow::Owned(body.iter().map(|byte| windows_1252(*byte)).collect()),
    }
}

/// The character of a byte, by the WHATWG Encoding Standard.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    byte.checked_sub(0x80).and_then(|high| HIGH.get(usize::from(high))).copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<Vec<(String, String)>> {
        let read = Fields::from_adf("application/x-adf+xml", body.as_bytes()).unwrap();
        read.into_iter().map(Vec::from).collect()
    }

    fn one(body: &str) -> Fields {
        Fields::from_adf("text/xml", body.as_bytes()).unwrap().remove(0)
    }

    /// The specification's own example, with what its customer and vehicles say.
    #[test]
    fn a_whole_prospect_becomes_fields() {
        let fields = one(include_str!("adf_example.xml"));
        for (name, value) in [
            ("first_name", "Ada"),
            ("last_name", "Hill"),
            ("email", "ada@example.com"),
            ("phone", "305-555-0100"),
            ("mobile_phone", "305-555-0101"),
            ("street", "1204 Coral Way, Apt 4"),
            ("city", "Miami"),
            ("state", "FL"),
            ("zip", "33145"),
            ("country", "US"),
            ("message", "Is the blue one still there? A & B"),
            ("vehicle_interest", "buy"),
            ("vehicle_status", "used"),
            ("vehicle_year", "2021"),
            ("vehicle_make", "Chevrolet"),
            ("vehicle_colorcombination_exteriorcolor", "blue"),
            ("vehicle_price", "26500"),
            ("trade_make", "Honda"),
            ("trade_odometer", "80000"),
            ("vendor", "Acura of Bellevue"),
            ("vendor_contact_email", "sales@acura.example"),
            ("provider", "CarPoint"),
            ("provider_service", "Used Car Classifieds"),
            ("requestdate", "2026-06-01T15:30:20-04:00"),
            ("adf_id", "12345"),
        ] {
            assert_eq!(fields.get(name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_poor_document_says_what_it_says() {
        let read = read(
            "<ADF><Prospect><customer><contact><name part='full'>Ada Hill</name><phone type=\"home\">305-555-0100</phone></CONTACT></customer><br></prospect></ADF>",
        );
        let name = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(read, [[name("name", "Ada Hill"), name("home_phone", "305-555-0100")]]);
    }

    #[test]
    fn several_prospects_and_vehicles_stay_apart() {
        let read = read(
            "<adf><prospect><vehicle><make>A</make></vehicle><vehicle><make>B</make></vehicle></prospect><prospect><vehicle><make>C</make></vehicle></prospect></adf>",
        );
        assert_eq!(
            read[0],
            [("vehicle_make".to_owned(), "A".to_owned()), ("vehicle_2_make".to_owned(), "B".to_owned())]
        );
        assert_eq!(read[1], [("vehicle_make".to_owned(), "C".to_owned())]);
    }

    #[test]
    fn a_prospect_that_is_not_closed_is_nobody_else_s() {
        let body = "<adf><prospect><customer><contact><name>Ada</name></contact></customer><prospect><customer><contact><name>Bob</name></contact></customer></prospect></adf>";
        let read = Fields::from_adf("text/xml", body.as_bytes());
        assert!(matches!(read, Err(BodyError::BadXml { .. })));
    }

    #[test]
    fn comments_keep_what_is_marked_up_and_cdata_and_entities_what_they_stand_for() {
        let fields = one(
            "<prospect><customer><comments>One<br/>two <b>three</b> &#233;<![CDATA[ <4> & ]]>&hellip; R&D</comments></customer></prospect>",
        );
        assert_eq!(fields.get("message"), Some("One two three  é <4> & &hellip; R&D"));
    }

    #[test]
    fn nothing_that_a_document_type_defines_is_expanded() {
        let fields = one(
            "<!DOCTYPE adf [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY f SYSTEM \"file:///etc/hostname\">]><adf><prospect><customer><comments>&b;&f;</comments></customer></prospect></adf>",
        );
        assert_eq!(fields.get("message"), Some("&b;&f;"));
    }

    #[test]
    fn what_is_no_utf_8_is_windows_1252() {
        for (declaration, content_type) in [
            ("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>", "text/xml"),
            ("<?xml version=\"1.0\" encoding=\"windows-1252\"?>", "text/xml"),
            ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "text/xml"),
            ("", "text/xml; charset=iso-8859-1"),
        ] {
            let body = [
                declaration.as_bytes(),
                b"<prospect><customer><comments>caf\xe9 \x80</comments></customer></prospect>",
            ]
            .concat();
            let read = Fields::from_adf(content_type, &body).unwrap();
            assert_eq!(read[0].get("message"), Some("café €"), "{declaration}");
        }
        let fields = one(
            "<?xml version=\"1.0\"?><prospect><customer><comments>café €</comments></customer></prospect>",
        );
        assert_eq!(fields.get("message"), Some("café €"));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let error = |body: &str| Fields::from_adf("text/xml", body.as_bytes()).unwrap_err();
        assert_eq!(error("<adf></adf>"), BodyError::NoProspect);
        assert_eq!(error(""), BodyError::NoProspect);
        assert_eq!(error("name=Ada"), BodyError::NoProspect);
        assert!(matches!(error("<adf><prospect><customer>"), BodyError::BadXml { .. }));
        assert!(matches!(error("<adf><prospect <"), BodyError::BadXml { .. }));
        assert!(matches!(error(&"<a>".repeat(40)), BodyError::TooDeep { .. }));
        assert!(matches!(
            error(&format!("<adf>{}</adf>", "<prospect/>".repeat(limits::PROSPECTS + 1))),
            BodyError::TooManyProspects { .. }
        ));
    }
}
