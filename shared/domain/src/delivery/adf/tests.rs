//! A document is read back by another's parser, and held to the DTD.

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event as Read;

use super::*;
use crate::delivery::payload::tests::{Names, assigned, names};
use crate::delivery::xml::read_back;
use crate::limits;

/// An element as it was read.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a whole document; panics when it is not well formed.
    fn read(document: &str) -> Self {
        let mut reader = Reader::from_str(document);
        reader.config_mut().check_end_names = true;
        let mut open = vec![Self::default()];
        let mut instructions = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Read::Start(start) => {
                    let attributes = start.attributes().map(|attribute| {
                        let attribute = attribute.unwrap();
                        let name = attribute.key.as_ref().to_owned();
                        let value = attribute.value.into_owned();
                        (name, unescape(&value).unwrap().into_owned())
                    });
                    open.push(Self {
                        name: start.name().as_ref().to_owned(),
                        attributes: attributes.collect(),
                        ..Self::default()
                    });
                }
                Read::End(_) => {
                    let mut element = open.pop().unwrap();
                    if !element.children.is_empty() {
                        assert_eq!(element.text.trim(), "", "an element holds text or elements");
                        element.text.clear();
                    }
                    open.last_mut().unwrap().children.push(element);
                }
                Read::Text(text) => {
                    open.last_mut().unwrap().text.push_str(&text);
                }
                Read::GeneralRef(name) => {
                    let text = unescape(&format!("&{};", &*name)).unwrap().into_owned();
                    open.last_mut().unwrap().text.push_str(&text);
                }
                Read::PI(instruction) => {
                    instructions.push(instruction.trim().to_owned());
                }
                Read::Decl(_) => instructions.push("xml".to_owned()),
                Read::Eof => break,
                other @ (Read::Empty(_) | Read::CData(_) | Read::Comment(_) | Read::DocType(_)) => {
                    panic!("there is nothing else in a document: {other:?}")
                }
            }
        }
        assert_eq!(instructions, ["xml", "adf version=\"1.0\""]);
        assert_eq!(open.len(), 1, "everything is closed");
        let mut document = open.pop().unwrap();
        assert_eq!(document.children.len(), 1, "there is one root");
        document.children.pop().unwrap()
    }

    /// The elements at the end of a path.
    fn all(&self, path: &str) -> Vec<&Self> {
        path.split('/').fold(vec![self], |found, name| {
            found.into_iter().flat_map(|one| &one.children).filter(|child| child.name == name).collect()
        })
    }

    /// What stands in it, in its order: paths, attributes and texts, a line each.
    fn lines(&self, path: &str) -> Vec<String> {
        let attributes: Vec<String> =
            self.attributes.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        let attributes = attributes.concat();
        let path = format!("{path}{}", self.name);
        let text = if self.children.is_empty() { format!(": {}", self.text) } else { String::new() };
        let own = format!("{path}{attributes}{text}");
        let within = self.children.iter().flat_map(|child| child.lines(&format!("{path}/")));
        std::iter::once(own).chain(within).collect()
    }

    fn text(&self, path: &str) -> &str {
        let found = self.all(path);
        assert_eq!(found.len(), 1, "{path}");
        &found[0].text
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.attributes.iter().any(|(known, said)| known == name && said == value)
    }

    /// Holds it and all within it to the DTD.
    fn check(&self) {
        let Some((_, content, attributes)) = DTD.iter().find(|(name, ..)| *name == self.name) else {
            panic!("ADF has no element {}", self.name);
        };
        for (name, value) in &self.attributes {
            let known = attributes.iter().find(|(known, _)| known == name);
            let (_, words) = known.unwrap_or_else(|| panic!("{} has no attribute {name}", self.name));
            assert!(words.is_empty() || words.contains(&value.as_str()), "{}/@{name}: {value}", self.name);
        }
        let mut children = self.children.iter().map(|child| child.name.as_str()).peekable();
        for part in content.split_whitespace() {
            let name = part.trim_end_matches(['?', '*', '+']);
            let count = std::iter::from_fn(|| children.next_if_eq(&name)).count();
            let fits = match part.as_bytes().last() {
                Some(b'?') => count <= 1,
                Some(b'*') => true,
                Some(b'+') => count >= 1,
                _ => count == 1,
            };
            assert!(fits, "{}: {count} of {part}", self.name);
        }
        assert_eq!(children.next(), None, "{}: out of order", self.name);
        if self.name == "contact" {
            let reached = ["email", "phone"].iter().any(|name| !self.all(name).is_empty());
            assert!(reached, "a contact has an e-mail or a phone");
        }
        self.children.iter().for_each(Self::check);
    }
}

type Attributes = &'static [(&'static str, &'static [&'static str])];

/// The DTD as `formats.md` has it: elements, what they hold in order, attributes and their words.
const DTD: &[(&str, &str, Attributes)] = &[
    ("adf", "prospect+", &[]),
    ("prospect", "id* requestdate vehicle+ customer vendor provider?", &[("status", &["new", "resend"])]),
    ("id", "", &[("sequence", &[]), ("source", &[])]),
    ("requestdate", "", &[]),
    (
        "vehicle",
        "id* year make model vin? stock? trim? doors? bodystyle? transmission? odometer? condition? \
         colorcombination* imagetag? price? pricecomments? option* finance? comments?",
        &[("interest", &["buy", "lease", "sell", "trade-in", "test-drive"]), ("status", &["new", "used"])],
    ),
    ("year", "", &[]),
    ("make", "", &[]),
    ("model", "", &[]),
    ("vin", "", &[]),
    ("stock", "", &[]),
    ("trim", "", &[]),
    ("doors", "", &[]),
    ("bodystyle", "", &[]),
    ("transmission", "", &[]),
    ("odometer", "", &[("status", &[]), ("units", &["km", "mi"])]),
    ("condition", "", &[]),
    ("colorcombination", "interiorcolor exteriorcolor preference", &[]),
    ("interiorcolor", "", &[]),
    ("exteriorcolor", "", &[]),
    ("preference", "", &[]),
    (
        "price",
        "",
        &[("type", &["quote", "offer", "msrp", "invoice", "call", "appraisal", "asking"]), ("currency", &[])],
    ),
    ("comments", "", &[]),
    ("customer", "contact id* timeframe? comments?", &[]),
    ("vendor", "id* vendorname url? contact", &[]),
    ("vendorname", "", &[]),
    ("provider", "id* name service? url? email? phone? contact?", &[]),
    ("service", "", &[]),
    ("contact", "name+ email? phone* address?", &[]),
    ("name", "", &[("part", &["first", "middle", "last", "full"]), ("type", &["business", "individual"])]),
    ("email", "", &[("preferredcontact", &["0", "1"])]),
    (
        "phone",
        "",
        &[
            ("type", &["voice", "fax", "cellphone", "pager"]),
            ("time", &["morning", "afternoon", "evening", "nopreference", "day"]),
        ],
    ),
    ("address", "street+ apartment? city? regioncode? postalcode? country?", &[("type", &["home"])]),
    ("street", "", &[("line", &["1", "2", "3", "4", "5"])]),
    ("city", "", &[]),
    ("regioncode", "", &[]),
    ("postalcode", "", &[]),
    ("country", "", &[]),
];

fn vendor() -> Vendor {
    Vendor { id: "D-4711".to_owned(), name: "Hudson Roofing & Sons".to_owned(), ..Vendor::default() }
}

fn written(payload: AssignedPayload<'_>) -> Element {
    let text = adf(payload, ProspectStatus::New, &vendor(), "Acme Leads");
    let read = Element::read(&text);
    read.check();
    read
}

fn bare(names: &Names) -> AssignedPayload<'_> {
    let payload = assigned(names);
    AssignedPayload {
        person: super::super::Person::default(),
        address: super::super::Address::default(),
        message: None,
        consent: super::super::Consent::default(),
        extra: std::collections::BTreeMap::new(),
        ..payload
    }
}

#[test]
fn a_lead_is_a_prospect() {
    let names = names();
    let adf = written(assigned(&names));
    let prospect = adf.all("prospect")[0];
    assert!(prospect.is("status", "new"));
    let id = prospect.all("id")[0];
    assert!(id.is("source", "leadyard"));
    assert_eq!(id.text, "02020202-0202-0202-0202-020202020202");
    assert_eq!(prospect.text("requestdate"), "2026-06-01T13:00:00+00:00");
    let contact = prospect.all("customer/contact")[0];
    let named: Vec<&str> = contact.all("name").iter().map(|name| name.text.as_str()).collect();
    assert_eq!(named, ["Ada", "Example"]);
    assert_eq!((contact.text("email"), contact.text("phone")), ("ada@example.com", "+12125550142"));
    assert_eq!((contact.text("address/street"), contact.text("address/postalcode")), ("1 Main St", "12534"));
    let comments = prospect.text("customer/comments");
    for line in [
        "The roof leaks.",
        "Offer: roof-quote (roofing)",
        "Consent: given",
        "Agreed to: I agree to be called.",
        "Certificate: https://cert.trustedform.com/0123456789012345678901234567890123456789",
        "roof_age: 20",
    ] {
        assert!(comments.lines().any(|said| said == line), "{line}: {comments}");
    }
    assert_eq!(prospect.text("vendor/id"), "D-4711");
    assert_eq!(prospect.text("vendor/vendorname"), "Hudson Roofing & Sons");
    assert_eq!(
        (prospect.text("provider/name"), prospect.text("provider/service")),
        ("Acme Leads", "landing")
    );
}

#[test]
fn a_leadid_of_jornaya_is_forwarded_beside_a_certificate_and_alone() {
    const LEADID: &str = "7F9A2C3E-1B4D-4E6F-8A90-0123456789AB";
    let names = names();
    let trusted_form = assigned(&names).consent.certificate.unwrap();
    for (certificate, leadid, lines) in [
        (
            trusted_form,
            Some(LEADID),
            vec![format!("Certificate: {trusted_form}"), format!("LeadiD: {LEADID}")],
        ),
        (LEADID, None, vec![format!("Certificate: {LEADID}")]),
    ] {
        let mut payload = assigned(&names);
        (payload.consent.certificate, payload.consent.leadid) = (Some(certificate), leadid);
        let adf = written(payload);
        let prospect = adf.all("prospect")[0];
        let proves = |line: &&str| line.starts_with("Certificate:") || line.starts_with("LeadiD:");
        let said: Vec<&str> = prospect.text("customer/comments").lines().filter(proves).collect();
        assert_eq!(said, lines);
    }
}

#[test]
fn a_lead_of_cars_has_its_vehicle_and_its_trade_in() {
    let names = names();
    let mut payload = assigned(&names);
    payload.extra = [
        ("vehicle_year", "2025"),
        ("vehicle_make", "Ford"),
        ("vehicle_model", "F-150"),
        ("vehicle_trim", "XLT"),
        ("vehicle_stock", "S1"),
        ("vehicle_vin", "1FTFW1E50PFA00001"),
        ("vehicle_status", "used"),
        ("vehicle_interest", "test drive"),
        ("vehicle_exterior_color", "Red"),
        ("vehicle_comments", "with a hitch"),
        ("trade_year", "2011"),
        ("trade_make", "Saab"),
        ("trade_model", "9-3"),
        ("trade_odometer", "120000"),
        ("trade_condition", "Fair"),
    ]
    .into();
    let adf = written(payload);
    let vehicles = adf.all("prospect/vehicle");
    assert_eq!(vehicles.len(), 2);
    assert!(vehicles[0].is("interest", "test-drive") && vehicles[0].is("status", "used"));
    let names: Vec<&str> = vehicles[0].children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(names, ["year", "make", "model", "vin", "stock", "trim", "colorcombination", "comments"]);
    assert!(vehicles[1].is("interest", "trade-in"));
    assert_eq!((vehicles[1].text("make"), vehicles[1].text("condition")), ("Saab", "fair"));
    assert_eq!(vehicles[1].text("odometer"), "120000");
    // What has its place is not said twice.
    assert!(!adf.text("prospect/customer/comments").contains("F-150"));
}

#[test]
fn a_field_of_a_trade_in_that_is_none_is_not_lost() {
    let names = names();
    let mut payload = assigned(&names);
    payload.extra = [("trade_odometer", "120000")].into();
    let adf = written(payload);
    assert_eq!(adf.all("prospect/vehicle").len(), 1);
    assert!(adf.text("prospect/customer/comments").contains("trade_odometer: 120000"));
}

/// What a prospect of nobody, by nobody, says whole: each placeholder in its place.
const OF_NOBODY: &str = "\
prospect status=resend
prospect/id sequence=1 source=leadyard: 02020202-0202-0202-0202-020202020202
prospect/id sequence=2 source=leadyard-assignment: 01010101-0101-0101-0101-010101010101
prospect/requestdate: 2026-06-01T13:00:00+00:00
prospect/vehicle interest=buy status=new
prospect/vehicle/year: 2026
prospect/vehicle/make: Not specified
prospect/vehicle/model: Not specified
prospect/customer
prospect/customer/contact
prospect/customer/contact/name part=full type=individual: Not given
prospect/customer/contact/email: 02020202-0202-0202-0202-020202020202@not-given.invalid
prospect/customer/comments: Offer: roof-quote (roofing)
Consent: not given
prospect/vendor
prospect/vendor/vendorname: hudson-roofing
prospect/vendor/contact
prospect/vendor/contact/name part=full: hudson-roofing
prospect/vendor/contact/email: hudson-roofing@not-given.invalid
prospect/provider
prospect/provider/id sequence=1 source=leadyard: acme
prospect/provider/name part=full type=business: Acme
prospect/provider/service: landing";

#[test]
fn what_adf_demands_and_the_lead_has_not_is_filled() {
    let names = names();
    let text = super::adf(bare(&names), ProspectStatus::Resend, &Vendor::default(), "Acme");
    let read = Element::read(&text);
    read.check();
    assert_eq!(read.all("prospect")[0].lines("").join("\n"), OF_NOBODY);
    // An address with a ZIP alone has the street that it needs, and a vehicle of which one thing is known the rest.
    let mut payload = bare(&names);
    payload.address.zip = Some("12534");
    payload.extra = [("vehicle_make", "Ford"), ("trade_model", "9-3")].into();
    let adf = written(payload);
    let of = |path: &str| adf.all(path).iter().flat_map(|one| one.lines("")).collect::<Vec<_>>();
    assert_eq!(
        of("prospect/customer/contact/address"),
        ["address type=home", "address/street line=1: ", "address/postalcode: 12534", "address/country: US"]
    );
    assert_eq!(
        of("prospect/vehicle"),
        [
            "vehicle interest=buy status=new",
            "vehicle/year: 2026",
            "vehicle/make: Ford",
            "vehicle/model: Not specified",
            "vehicle interest=trade-in status=used",
            "vehicle/year: 2026",
            "vehicle/make: Not specified",
            "vehicle/model: 9-3",
        ]
    );
}

#[test]
fn a_masked_lead_shows_nobody() {
    let names = names();
    let mut payload = assigned(&names);
    payload.accept_by = Some("2026-06-01T14:00:00Z".parse().unwrap());
    let text = adf(payload.masked(), ProspectStatus::New, &vendor(), "Acme");
    for hidden in ["Example", "ada@example.com", "5550142", "Main St", "trustedform", "Hudson<"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    let read = Element::read(&text);
    read.check();
    let contact = read.all("prospect/customer/contact")[0];
    assert_eq!((contact.text("name"), contact.text("address/postalcode")), ("Ada", "12534"));
    assert!(read.text("prospect/customer/comments").contains("until 2026-06-01T14:00:00+00:00"));
}

#[test]
fn a_huge_lead_is_cut_and_says_so() {
    let names = names();
    let mut payload = assigned(&names);
    let message = "<&>".repeat(5_000);
    payload.message = Some((&message).into());
    let long = "v".repeat(512);
    let fields: Vec<String> = (0..100).map(|n| format!("field_{n:03}")).collect();
    payload.extra = fields.iter().map(|name| (name.as_str(), long.as_str())).collect();
    payload.extra.insert("vehicle_make", "Ford");
    let text = adf(payload, ProspectStatus::New, &vendor(), "Acme");
    assert!(text.len() <= limits::WEBHOOK_BYTES && text.len() > limits::WEBHOOK_BYTES - 20);
    let read = Element::read(&text);
    read.check();
    assert!(read.text("prospect/customer/comments").ends_with("Shortened: the inbox has the whole lead."));
    assert_eq!(read.text("prospect/customer/contact/email"), "ada@example.com");
}

proptest! {
    #[test]
    fn whatever_people_write_comes_back_from_a_document_in_the_dtds_order(
        first in prop::option::of("\\PC{1,20}|[\\x00-\\x1f<>&\"'\u{fffe}\u{1F600}]{1,20}"),
        last in prop::option::of("\\PC{1,20}"),
        email in prop::option::of("[a-z&<'\"]{1,9}@mail\\.example"),
        phone in prop::option::of("\\+1[2-9][0-9]{9}"),
        street in prop::option::of("[\\x00-\\x7f]{1,40}"),
        city in prop::option::of("\\PC{1,20}"),
        message in prop::option::of("(?s).{0,200}|[\\x00-\\x1f\\x7f-\\x9f\r\n\t<>&\\]]{0,200}"),
        make in prop::option::of("[ -~]{1,20}"),
        vin in prop::option::of("[ -~]{1,17}"),
        trade_model in prop::option::of("[ -~]{1,20}"),
        other in prop::collection::btree_map("[a-z_]{1,12}", "\\PC{0,40}", 0..6),
        vendor_id in "\\PC{0,20}",
    ) {
        let names = names();
        let mut payload = bare(&names);
        payload.person = super::super::Person {
            first_name: first.as_deref(), last_name: last.as_deref(),
            email: email.as_deref(), phone: phone.as_deref(),
        };
        payload.address = super::super::Address {
            street: street.as_deref(), city: city.as_deref(), ..Default::default()
        };
        payload.message = message.as_deref().map(Into::into);
        payload.extra = other.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        payload.extra.extend(make.as_deref().map(|make| ("vehicle_make", make)));
        payload.extra.extend(vin.as_deref().map(|vin| ("vehicle_vin", vin)));
        payload.extra.extend(trade_model.as_deref().map(|model| ("trade_model", model)));
        let vendor = Vendor { id: vendor_id.clone(), ..Vendor::default() };
        let text = adf(payload, ProspectStatus::New, &vendor, "Acme");
        let read = Element::read(&text);
        read.check();
        let prospect = read.all("prospect")[0];
        let contact = prospect.all("customer/contact")[0];
        let named: Vec<&String> = contact.all("name").iter().map(|name| &name.text).collect();
        let mut said: Vec<String> = [&first, &last].into_iter().flatten().map(|name| read_back(name)).collect();
        if said.is_empty() {
            said.push("Not given".to_owned());
        }
        prop_assert_eq!(named, said.iter().collect::<Vec<_>>());
        if let Some(email) = &email {
            prop_assert_eq!(contact.text("email"), email);
        }
        if let Some(city) = &city {
            prop_assert_eq!(contact.text("address/city"), read_back(city));
            prop_assert_eq!(contact.text("address/street"), read_back(street.as_deref().unwrap_or_default()));
        }
        if let Some(message) = &message {
            prop_assert!(prospect.text("customer/comments").starts_with(&read_back(message)));
        }
        for (name, value) in &other {
            if !name.starts_with("vehicle_") && !name.starts_with("trade_") {
                let line = read_back(&format!("{name}: {value}"));
                prop_assert!(prospect.text("customer/comments").contains(&line));
            }
        }
        let make = make.as_deref().map(str::trim).filter(|make| !make.is_empty()).unwrap_or("Not specified");
        prop_assert_eq!(prospect.all("vehicle")[0].text("make"), make);
        let traded = trade_model.as_deref().is_some_and(|model| !model.trim().is_empty());
        prop_assert_eq!(prospect.all("vehicle").len(), 1 + usize::from(traded));
        if !vendor_id.is_empty() {
            prop_assert_eq!(prospect.text("vendor/id"), read_back(&vendor_id));
        }
    }
}
