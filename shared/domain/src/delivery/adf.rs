//! A lead as ADF/XML 1.0 (Auto-lead Data Format, 2000): what dealers' own systems read, in cars and beyond.
//!
//! One prospect a document, in the order of the published DTD, of what [`AssignedPayload`] shows of the lead:
//! what is masked there is not here. Vehicles come from the enquiry's fields `vehicle_year`, `vehicle_make`,
//! `vehicle_model`, `vehicle_vin` and so on, a trade-in from `trade_year` and so on; every field without a place of
//! its own stands in the comments, by name.
//!
//! Determinations:
//!
//! - *Written strictly*: what the DTD needs and the lead has not is filled, since importers refuse a prospect
//!   without it. A lead without a vehicle has one of the year of the request whose make and model are "Not
//!   specified"; a person without a name is called "Not given"; an address without a street has an empty one.
//! - *"Not specified" is the same for every dealer*, and no setting of `channels.csv`: it reads as what it
//!   is, whoever imports it. A dealer whose system sorts by the make is served by what the enquiry says (a
//!   source's `fields` and `values` make a `vehicle_make` of any answer), or by a template, which names each
//!   field itself.
//! - *A person nobody may see yet*, or who has neither e-mail nor phone, has an address that leads nowhere:
//!   `.invalid` is reserved for that (RFC 6761). It is the lead's own: systems take two prospects of one
//!   address for one person.
//! - *What ADF cannot say is not said*: it knows a new prospect and one that is sent again. The whole lead after
//!   its acceptance, and a repeat, are the prospect again, with its first id and `status="resend"`. A
//!   deadline's warning, a withdrawal and an erasure have no form: see [`speaks`].
//! - *Times carry their offset as digits* (`+00:00`), as the specification's examples do: old parsers know no `Z`.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::payload::{AssignedPayload, Event};
use super::xml::Xml;

/// What an ADF document is served as.
pub const ADF_TYPE: &str = "application/x-adf+xml";

words! {
    /// Whether a prospect is known already.
    pub enum ProspectStatus as "a prospect's status" {
        /// Here is a lead.
        New = "new",
        /// The same lead again: it was accepted, or asked anew.
        Resend = "resend",
    }
}

/// Who receives, as ADF names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Vendor {
    /// What the dealer is called in its own system; may be empty.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whom to ask for; may be empty.
    pub contact: String,
    /// Its e-mail; may be empty.
    pub email: String,
    /// Its phone; may be empty.
    pub phone: String,
}

impl Vendor {
    /// Of whom nothing is known.
    pub const NOBODY: &'static Self = &Self {
        id: String::new(),
        name: String::new(),
        contact: String::new(),
        email: String::new(),
        phone: String::new(),
    };
}

/// Whether a message has a form in ADF. A dealer that cannot be told so is told by hand.
pub const fn speaks(event: Event) -> bool {
    match event {
        Event::Assigned | Event::Repeated => true,
        Event::Warned | Event::Withdrawn | Event::Erased | Event::OptedOut => false,
    }
}

/// A lead as an ADF document of at most [`crate::limits::WEBHOOK_BYTES`], for one vendor, from a company of this
/// name. What does not fit is left out: unknown fields first, then the text agreed to, then the end of the
/// message.
pub fn adf(payload: AssignedPayload<'_>, status: ProspectStatus, vendor: &Vendor, provider: &str) -> String {
    super::payload::shortened(payload, |payload| document(payload, status, vendor, provider))
}

fn document(
    payload: &AssignedPayload<'_>,
    status: ProspectStatus,
    vendor: &Vendor,
    provider: &str,
) -> String {
    let mut xml = Xml::new();
    xml.instruction("adf", "1.0");
    xml.open("adf", &[]);
    xml.open("prospect", &[("status", status.as_str())]);
    xml.element("id", &[("sequence", "1"), ("source", "leadyard")], &payload.lead.to_string());
    // What the dealer answers to.
    let assignment = payload.assignment.to_string();
    xml.element("id", &[("sequence", "2"), ("source", "leadyard-assignment")], &assignment);
    xml.element("requestdate", &[], &date(payload.received_at));
    vehicles(&mut xml, payload);
    customer(&mut xml, payload);
    write_vendor(&mut xml, payload, vendor);
    xml.open("provider", &[]);
    xml.element("id", &[("sequence", "1"), ("source", "leadyard")], payload.company.as_str());
    xml.element("name", &[("part", "full"), ("type", "business")], provider);
    xml.element("service", &[], payload.source.as_str());
    xml.finish()
}

fn date(at: Timestamp) -> String {
    Offset::UTC.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// What a lead's fields say of one vehicle.
struct Vehicle<'p, 'a> {
    payload: &'p AssignedPayload<'a>,
    prefix: &'static str,
}

impl<'a> Vehicle<'_, 'a> {
    fn field(&self, name: &str) -> Option<&'a str> {
        let name = format!("{}_{name}", self.prefix);
        let value = self.payload.extra.get(name.as_str()).copied()?.trim();
        Some(value).filter(|value| !value.is_empty())
    }

    fn is_there(&self) -> bool {
        ["year", "make", "model", "vin"].into_iter().any(|name| self.field(name).is_some())
    }

    /// A field that is one of these words.
    fn word(&self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        let said = self.field(name)?.to_ascii_lowercase().replace([' ', '_'], "-");
        words.iter().copied().find(|word| *word == said)
    }
}

const INTERESTS: [&str; 5] = ["buy", "lease", "sell", "trade-in", "test-drive"];
const STATUSES: [&str; 2] = ["new", "used"];
const CONDITIONS: [&str; 5] = ["excellent", "good", "fair", "poor", "unknown"];
/// Elements of a vehicle that hold a text, in the DTD's order, with the fields they come from; those between
/// which another has its place are apart.
const AFTER_MODEL: [&str; 6] = ["vin", "stock", "trim", "doors", "bodystyle", "transmission"];
const NOT_SPECIFIED: &str = "Not specified";

fn vehicles(xml: &mut Xml, payload: &AssignedPayload<'_>) {
    let wanted = Vehicle { payload, prefix: "vehicle" };
    let interest = wanted.word("interest", &INTERESTS).unwrap_or("buy");
    vehicle(xml, &wanted, interest, wanted.word("status", &STATUSES).unwrap_or("new"));
    let traded = Vehicle { payload, prefix: "trade" };
    if traded.is_there() {
        vehicle(xml, &traded, "trade-in", "used");
    }
}

fn vehicle(xml: &mut Xml, vehicle: &Vehicle<'_, '_>, interest: &str, status: &str) {
    xml.open("vehicle", &[("interest", interest), ("status", status)]);
    let year = Offset::UTC.to_datetime(vehicle.payload.received_at).year().to_string();
    xml.element("year", &[], vehicle.field("year").unwrap_or(&year));
    xml.element("make", &[], vehicle.field("make").unwrap_or(NOT_SPECIFIED));
    xml.element("model", &[], vehicle.field("model").unwrap_or(NOT_SPECIFIED));
    for name in AFTER_MODEL {
        if let Some(value) = vehicle.field(name) {
            xml.element(name, &[], value);
        }
    }
    if let Some(odometer) = vehicle.field("odometer").or_else(|| vehicle.field("mileage")) {
        xml.element("odometer", &[("units", "mi")], odometer);
    }
    if let Some(condition) = vehicle.word("condition", &CONDITIONS) {
        xml.element("condition", &[], condition);
    }
    let (interior, exterior) = (vehicle.field("interior_color"), vehicle.field("exterior_color"));
    if interior.is_some() || exterior.or_else(|| vehicle.field("color")).is_some() {
        xml.open("colorcombination", &[]);
        xml.element("interiorcolor", &[], interior.unwrap_or_default());
        let exterior = exterior.or_else(|| vehicle.field("color")).unwrap_or_default();
        xml.element("exteriorcolor", &[], exterior);
        xml.element("preference", &[], "1");
        xml.close();
    }
    if let Some(price) = vehicle.field("price") {
        xml.element("price", &[("type", "asking")], price);
    }
    if let Some(comments) = vehicle.field("comments") {
        xml.element("comments", &[], comments);
    }
    xml.close();
}

/// Whether a field has a place of its own in a vehicle that is written. What has it only under some other name
/// stands in the comments as well.
fn has_place(payload: &AssignedPayload<'_>, name: &str) -> bool {
    let Some((prefix, rest)) = name.split_once('_') else { return false };
    let written = match prefix {
        "vehicle" => true,
        "trade" => Vehicle { payload, prefix: "trade" }.is_there(),
        _ => false,
    };
    let own = ["year", "make", "model", "odometer", "interior_color", "exterior_color", "price", "comments"];
    written && (own.contains(&rest) || AFTER_MODEL.contains(&rest))
}

fn customer(xml: &mut Xml, payload: &AssignedPayload<'_>) {
    let (person, address) = (&payload.person, &payload.address);
    xml.open("customer", &[]);
    xml.open("contact", &[]);
    let individual = |part| [("part", part), ("type", "individual")];
    match (person.first_name, person.last_name) {
        (None, None) => xml.element("name", &individual("full"), "Not given"),
        (first, last) => {
            for (part, name) in [("first", first), ("last", last)] {
                if let Some(name) = name {
                    xml.element("name", &individual(part), name);
                }
            }
        }
    }
    if let Some(email) = person.email {
        xml.element("email", &[], email);
    } else if person.phone.is_none() {
        xml.element("email", &[], &format!("{}@not-given.invalid", payload.lead));
    }
    if let Some(phone) = person.phone {
        xml.element("phone", &[("type", "voice"), ("time", "nopreference")], phone);
    }
    let parts = [address.street, address.city, address.state, address.zip];
    if parts.iter().any(Option::is_some) {
        xml.open("address", &[("type", "home")]);
        xml.element("street", &[("line", "1")], address.street.unwrap_or_default());
        for (name, part) in
            [("city", address.city), ("regioncode", address.state), ("postalcode", address.zip)]
        {
            if let Some(part) = part {
                xml.element(name, &[], part);
            }
        }
        xml.element("country", &[], "US");
        xml.close();
    }
    xml.close();
    xml.element("comments", &[], &comments(payload));
    xml.close();
}

/// The request, and what else a salesperson should know: a line each.
fn comments(payload: &AssignedPayload<'_>) -> String {
    let mut lines: Vec<Cow<'_, str>> = Vec::new();
    if payload.test {
        lines.push("This is a test, not a lead.".into());
    }
    lines.extend(payload.message.as_deref().map(Cow::Borrowed));
    lines.push(format!("Offer: {} ({})", payload.offer, payload.category).into());
    if let Some(by) = payload.accept_by.filter(|_| payload.masked) {
        lines.push(format!("Contact is shown once the lead is accepted, until {}.", date(by)).into());
    }
    lines.push(if payload.consent.given { "Consent: given" } else { "Consent: not given" }.into());
    if let Some(text) = &payload.consent.text {
        lines.push(format!("Agreed to: {text}").into());
    }
    if let Some(certificate) = payload.consent.certificate {
        lines.push(format!("Certificate: {certificate}").into());
    }
    if let Some(leadid) = payload.consent.leadid {
        lines.push(format!("LeadiD: {leadid}").into());
    }
    for (name, value) in payload.extra.iter().filter(|(name, _)| !has_place(payload, name)) {
        lines.push(format!("{name}: {value}").into());
    }
    if payload.truncated {
        lines.push("Shortened: the inbox has the whole lead.".into());
    }
    lines.join("\n")
}

fn write_vendor(xml: &mut Xml, payload: &AssignedPayload<'_>, vendor: &Vendor) {
    xml.open("vendor", &[]);
    if !vendor.id.is_empty() {
        xml.element("id", &[("sequence", "1"), ("source", payload.company.as_str())], &vendor.id);
    }
    let name = if vendor.name.is_empty() { payload.dealer.as_str() } else { &vendor.name };
    xml.element("vendorname", &[], name);
    xml.open("contact", &[]);
    let contact = if vendor.contact.is_empty() { name } else { &vendor.contact };
    xml.element("name", &[("part", "full")], contact);
    if !vendor.email.is_empty() {
        xml.element("email", &[], &vendor.email);
    } else if vendor.phone.is_empty() {
        xml.element("email", &[], &format!("{}@not-given.invalid", payload.dealer));
    }
    if !vendor.phone.is_empty() {
        xml.element("phone", &[("type", "voice")], &vendor.phone);
    }
    xml.close();
    xml.close();
}

#[cfg(test)]
mod tests;
