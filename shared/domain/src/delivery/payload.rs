//! What a dealer is sent: the body `{"type", "timestamp", "data"}` of Standard Webhooks 1.0.0, at most
//! [`limits::WEBHOOK_BYTES`].
//!
//! A payload's fields are its JSON's, in this order, always all of them: what is not known is `null`.
//! The body is built once per message and kept or rebuilt alike for every attempt: the timestamp is that of
//! what happened, not of the attempt. Payloads have no `Debug`: they are full of a person.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::error::Invalid;
use crate::ids::{
    AssignmentId, CategoryId, CompanyId, ContractId, DealerId, EnquiryId, LeadId, OfferId, SourceId,
};
use crate::limits;
use crate::money::Money;
use crate::person::without_contact;
use crate::scoring::Band;

words! {
    /// What a dealer is told.
    pub enum Event as "a webhook's type" {
        /// Here is a lead.
        Assigned = "lead.assigned",
        /// The lead asked again.
        Repeated = "lead.repeated",
        /// The deadline to accept it is near.
        Warned = "lead.warned",
        /// The lead is not yours any more; it is not charged.
        Withdrawn = "lead.withdrawn",
        /// The person is to be forgotten.
        Erased = "lead.erased",
        /// The person is not to be written to, or not at all, any more.
        OptedOut = "lead.opted_out",
    }
}

/// The `webhook-id` of a message: `msg_<assignment>_<event>_<n>`, the same for every attempt, so that the
/// dealer can tell a second arrival from a second message. At most [`limits::WEBHOOK_ID_BYTES`] and
/// without a dot, which separates the parts of what is signed.
///
/// `message_no` tells messages of one event apart (a lead may ask again more than once); it counts per
/// assignment.
pub fn webhook_id(assignment: AssignmentId, event: Event, message_no: u32) -> String {
    let (_, verb) = event.as_str().split_once('.').unwrap_or(("", event.as_str()));
    format!("msg_{assignment}_{verb}_{message_no}")
}

/// `lead.assigned`.
#[derive(Clone, Serialize)]
pub struct AssignedPayload<'a> {
    /// The assignment: what the dealer answers to.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
    /// Who receives it.
    pub dealer: &'a DealerId,
    /// On which terms.
    pub contract: &'a ContractId,
    /// Whose lead it is.
    pub company: &'a CompanyId,
    /// The trade.
    pub category: &'a CategoryId,
    /// What the person signed up for.
    pub offer: &'a OfferId,
    /// Who sent it.
    pub source: &'a SourceId,
    /// The marketing push.
    pub campaign: Option<&'a str>,
    /// When the enquiry arrived.
    pub received_at: Timestamp,
    /// When it was assigned.
    pub assigned_at: Timestamp,
    /// Until when the dealer may accept; `None` when nothing needs accepting.
    pub accept_by: Option<Timestamp>,
    /// Fit and engagement.
    pub band: Option<Band>,
    /// What the lead costs, in the company's currency, as `"45.00"`.
    #[serde(serialize_with = "as_text")]
    pub price: Money,
    /// Who asks.
    pub person: Person<'a>,
    /// Where.
    pub address: Address<'a>,
    /// What the person wrote.
    pub message: Option<Cow<'a, str>>,
    /// What the person agreed to.
    pub consent: Consent<'a>,
    /// Fields of the enquiry that have no standard name.
    pub extra: BTreeMap<&'a str, &'a str>,
    /// A try-out, not a lead.
    pub test: bool,
    /// Contact is kept back until the dealer accepts.
    pub masked: bool,
    /// Something was left out to keep the body within its limit. Set by [`AssignedPayload::body`].
    pub truncated: bool,
}

/// A person as the dealer may see them.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Person<'a> {
    /// Given name.
    pub first_name: Option<&'a str>,
    /// Surname.
    pub last_name: Option<&'a str>,
    /// E-mail address.
    pub email: Option<&'a str>,
    /// Telephone number, E.164.
    pub phone: Option<&'a str>,
}

/// An address.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Address<'a> {
    /// Street and number.
    pub street: Option<&'a str>,
    /// City.
    pub city: Option<&'a str>,
    /// State, two letters.
    pub state: Option<&'a str>,
    /// ZIP, five digits.
    pub zip: Option<&'a str>,
}

/// What the person agreed to.
#[derive(Clone, Default, Serialize)]
pub struct Consent<'a> {
    /// Whether consent to be contacted was given.
    pub given: bool,
    /// The text shown.
    pub text: Option<Cow<'a, str>>,
    /// The TrustedForm certificate; without one, the Jornaya LeadiD.
    pub certificate: Option<&'a str>,
    /// The Jornaya LeadiD where there is a certificate of TrustedForm besides: neither stands for the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leadid: Option<&'a str>,
}

impl<'a> Consent<'a> {
    /// The Jornaya LeadiD, whether it is all that there is or stands beside a certificate of TrustedForm, which is a
    /// URL.
    pub fn leadid(&self) -> Option<&'a str> {
        self.leadid.or(self.certificate.filter(|certificate| !certificate.starts_with("https://")))
    }
}

/// `lead.repeated`: only what is new.
#[derive(Clone, Serialize)]
pub struct RepeatedPayload<'a> {
    /// The assignment it belongs to.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
    /// The new enquiry.
    #[serde(rename = "enquiry_id")]
    pub enquiry: EnquiryId,
    /// Who is told.
    pub dealer: &'a DealerId,
    /// Whose lead it is.
    pub company: &'a CompanyId,
    /// What was asked for this time.
    pub offer: &'a OfferId,
    /// Who sent it.
    pub source: &'a SourceId,
    /// When it arrived.
    pub received_at: Timestamp,
    /// What the person wrote this time.
    pub message: Option<Cow<'a, str>>,
    /// What the lead did not have before, by its standard name.
    pub filled: BTreeMap<&'a str, &'a str>,
    /// Contact is kept back until the dealer accepts.
    pub masked: bool,
    /// Something was left out to keep the body within its limit. Set by [`RepeatedPayload::body`].
    pub truncated: bool,
}

/// `lead.warned`.
#[derive(Clone, Copy, Serialize)]
pub struct WarnedPayload {
    /// The assignment.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
    /// When it lapses.
    pub accept_by: Timestamp,
}

/// `lead.withdrawn`.
#[derive(Clone, Copy, Serialize)]
pub struct WithdrawnPayload {
    /// The assignment.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
    /// Why.
    pub reason: WithdrawalReason,
}

words! {
    /// Why a lead is not the dealer's any more.
    pub enum WithdrawalReason as "a withdrawal's reason" {
        /// We could not learn whether it had arrived, and gave it to somebody else.
        Unconfirmed = "unconfirmed",
        /// The desk took it back.
        TakenBack = "taken_back",
        /// It was not accepted in time.
        Lapsed = "lapsed",
    }
}

/// `lead.erased`: whatever the dealer holds of this lead is to be erased (GDPR, art. 19).
#[derive(Clone, Copy, Serialize)]
pub struct ErasedPayload {
    /// The assignment.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
}

words! {
    /// What a person opted out of.
    pub enum OptedOutOf as "what a person opted out of" {
        /// Of mail.
        Mail = "mail",
        /// Of mail, calls and texts.
        Everything = "everything",
    }
}

/// `lead.opted_out`: the dealer goes on holding the lead, and knows what its person asked for.
#[derive(Clone, Copy, Serialize)]
pub struct OptedOutPayload {
    /// The assignment.
    #[serde(rename = "assignment_id")]
    pub assignment: AssignmentId,
    /// The lead.
    #[serde(rename = "lead_id")]
    pub lead: LeadId,
    /// Of what.
    pub of: OptedOutOf,
}

impl AssignedPayload<'_> {
    /// As a dealer sees it before it has accepted: first name, ZIP, request. A certificate, the text
    /// agreed to and unknown fields go as well, since any of them may lead to the person; and so does what is
    /// a number or an address within the request.
    #[must_use]
    pub fn masked(self) -> Self {
        Self {
            person: Person {
                first_name: self.person.first_name.filter(|name| without_contact(name) == *name),
                ..Person::default()
            },
            message: self.message.map(hidden),
            address: Address { zip: self.address.zip, ..Address::default() },
            consent: Consent { given: self.consent.given, ..Consent::default() },
            extra: BTreeMap::new(),
            masked: true,
            ..self
        }
    }

    /// The body, of an assignment that happened `at`. What does not fit is left out, and
    /// `"truncated": true` says so: extra fields first, then the end of the message, then that of the
    /// text agreed to. Fails only when the rest alone is larger than [`limits::WEBHOOK_BYTES`].
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        fit(Event::Assigned, at, self)
    }
}

impl RepeatedPayload<'_> {
    /// As a dealer sees it before it has accepted: the request, and nothing of the person.
    #[must_use]
    pub fn masked(self) -> Self {
        Self { message: self.message.map(hidden), filled: BTreeMap::new(), masked: true, ..self }
    }

    /// The body, of an enquiry that came `at`. What does not fit is left out: filled fields first, then
    /// the end of the message.
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        fit(Event::Repeated, at, self)
    }
}

impl WarnedPayload {
    /// The body, of a warning given `at`.
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        render(Event::Warned, at, &self)
    }
}

impl WithdrawnPayload {
    /// The body, of a withdrawal decided `at`.
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        render(Event::Withdrawn, at, &self)
    }
}

impl ErasedPayload {
    /// The body, of an erasure made `at`.
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        render(Event::Erased, at, &self)
    }
}

impl OptedOutPayload {
    /// The body, of what a person asked for `at`.
    pub fn body(self, at: Timestamp) -> Result<String, Invalid> {
        render(Event::OptedOut, at, &self)
    }
}

fn hidden(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => without_contact(text),
        Cow::Owned(text) => Cow::Owned(without_contact(&text).into_owned()),
    }
}

#[derive(Serialize)]
struct Envelope<'a, D> {
    #[serde(rename = "type")]
    event: Event,
    timestamp: Timestamp,
    data: &'a D,
}

fn render<D: Serialize>(event: Event, at: Timestamp, data: &D) -> Result<String, Invalid> {
    serde_json::to_string(&Envelope { event, timestamp: at, data })
        .map_err(|_| Invalid::new("a webhook body is JSON"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn as_text<S: Serializer>(price: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(price)
}

/// What of a payload may be left out.
trait Cut<'a>: Serialize {
    /// Its fields that go first.
    fn fields(&mut self) -> &mut BTreeMap<&'a str, &'a str>;
    /// Its texts whose ends go then, in this order.
    fn texts(&mut self) -> Vec<&mut Option<Cow<'a, str>>>;
    fn truncated(&mut self) -> &mut bool;
}

impl<'a> Cut<'a> for AssignedPayload<'a> {
    fn fields(&mut self) -> &mut BTreeMap<&'a str, &'a str> {
        &mut self.extra
    }
    fn texts(&mut self) -> Vec<&mut Option<Cow<'a, str>>> {
        vec![&mut self.message, &mut self.consent.text]
    }
    fn truncated(&mut self) -> &mut bool {
        &mut self.truncated
    }
}

impl<'a> Cut<'a> for RepeatedPayload<'a> {
    fn fields(&mut self) -> &mut BTreeMap<&'a str, &'a str> {
        &mut self.filled
    }
    fn texts(&mut self) -> Vec<&mut Option<Cow<'a, str>>> {
        vec![&mut self.message]
    }
    fn truncated(&mut self) -> &mut bool {
        &mut self.truncated
    }
}

/// An assignment in another form than our own, of at most [`limits::WEBHOOK_BYTES`]: what does not fit is left
/// out, the longest extra fields first, then the text agreed to, then the end of the message.
pub(super) fn shortened<'a>(
    mut payload: AssignedPayload<'a>,
    render: impl Fn(&AssignedPayload<'a>) -> String,
) -> String {
    let fits = |text: &String| text.len() <= limits::WEBHOOK_BYTES;
    payload.truncated = false;
    let whole = render(&payload);
    if fits(&whole) {
        return whole;
    }
    payload.truncated = true;
    while let Some(longest) = payload.extra.iter().max_by_key(|(_, value)| value.len()).map(|(name, _)| *name)
    {
        payload.extra.remove(longest);
        let text = render(&payload);
        if fits(&text) {
            return text;
        }
    }
    payload.consent.text = None;
    let text = render(&payload);
    let Some(message) = payload.message.take().filter(|_| !fits(&text)) else { return text };
    let beginning = |bytes: usize| {
        let cut = Cow::Owned(crate::person::cut_bytes(&message, bytes).0.to_owned());
        render(&AssignedPayload { message: Some(cut), ..payload.clone() })
    };
    let (mut least, mut most) = (0, message.len());
    while least < most {
        let middle = usize::midpoint(least, most + 1);
        if fits(&beginning(middle)) { least = middle } else { most = middle - 1 }
    }
    beginning(least)
}

fn fit<'a>(event: Event, at: Timestamp, mut data: impl Cut<'a>) -> Result<String, Invalid> {
    *data.truncated() = false;
    let whole = render(event, at, &data)?;
    if whole.len() <= limits::WEBHOOK_BYTES {
        return Ok(whole);
    }
    *data.truncated() = true;
    let fields = std::mem::take(data.fields());
    let bare_bytes = render(event, at, &data)?.len();
    if let Some(mut room) = limits::WEBHOOK_BYTES.checked_sub(bare_bytes) {
        // One field too many should not cost them all.
        for (name, value) in fields {
            let bytes = json_bytes(name) + json_bytes(value) + r#""":"","#.len();
            if let Some(rest) = room.checked_sub(bytes) {
                room = rest;
                data.fields().insert(name, value);
            }
        }
        return render(event, at, &data);
    }
    let mut over = bare_bytes - limits::WEBHOOK_BYTES;
    for text in data.texts().into_iter().flatten() {
        let bytes = json_bytes(text);
        let room = bytes.saturating_sub(over);
        *text = match text {
            Cow::Borrowed(whole) => Cow::Borrowed(prefix(whole, room)),
            Cow::Owned(whole) => Cow::Owned(prefix(whole, room).to_owned()),
        };
        over = over.saturating_sub(bytes - json_bytes(text));
    }
    if over > 0 {
        return Err(Invalid::new(
            "a webhook body is at most 20000 bytes without its message and extra fields",
        ));
    }
    render(event, at, &data)
}

/// The longest beginning of `text` that takes at most `bytes` within a JSON string.
fn prefix(text: &str, bytes: usize) -> &str {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        taken += json_char_bytes(c);
        if taken > bytes {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// What a text takes within a JSON string, without its quotes.
fn json_bytes(text: &str) -> usize {
    text.chars().map(json_char_bytes).sum()
}

/// What serde_json writes for a character: it escapes what RFC 8259 says must be, and nothing else.
fn json_char_bytes(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::delivery) struct Names {
        dealer: DealerId,
        contract: ContractId,
        company: CompanyId,
        category: CategoryId,
        offer: OfferId,
        source: SourceId,
    }

    pub(in crate::delivery) fn names() -> Names {
        Names {
            dealer: "hudson-roofing".parse().unwrap(),
            contract: "hudson-north".parse().unwrap(),
            company: "acme".parse().unwrap(),
            category: "roofing".parse().unwrap(),
            offer: "roof-quote".parse().unwrap(),
            source: "landing".parse().unwrap(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    pub(in crate::delivery) fn assigned(names: &Names) -> AssignedPayload<'_> {
        AssignedPayload {
            assignment: AssignmentId::from_bytes([1; 16]),
            lead: LeadId::from_bytes([2; 16]),
            dealer: &names.dealer,
            contract: &names.contract,
            company: &names.company,
            category: &names.category,
            offer: &names.offer,
            source: &names.source,
            campaign: Some("spring"),
            received_at: at("2026-06-01T13:00:00Z"),
            assigned_at: at("2026-06-01T13:00:01Z"),
            accept_by: None,
            band: Some("A2".parse().unwrap()),
            price: Money::from_minor(4_500),
            person: Person {
                first_name: Some("Ada"),
                last_name: Some("Example"),
                email: Some("ada@example.com"),
                phone: Some("+12125550142"),
            },
            address: Address {
                street: Some("1 Main St"),
                city: Some("Hudson"),
                state: Some("NY"),
                zip: Some("12534"),
            },
            message: Some("The roof leaks.".into()),
            consent: Consent {
                given: true,
                text: Some("I agree to be called.".into()),
                certificate: Some("https://cert.trustedform.com/0123456789012345678901234567890123456789"),
                leadid: None,
            },
            extra: BTreeMap::from([("roof_age", "20")]),
            test: false,
            masked: false,
            truncated: false,
        }
    }

    fn repeated(names: &Names) -> RepeatedPayload<'_> {
        RepeatedPayload {
            assignment: AssignmentId::from_bytes([1; 16]),
            lead: LeadId::from_bytes([2; 16]),
            enquiry: EnquiryId::from_bytes([3; 16]),
            dealer: &names.dealer,
            company: &names.company,
            offer: &names.offer,
            source: &names.source,
            received_at: at("2026-06-02T13:00:00Z"),
            message: Some("It still leaks.".into()),
            filled: BTreeMap::from([("phone", "+12125550142")]),
            masked: false,
            truncated: false,
        }
    }

    fn json(body: &str) -> serde_json::Value {
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn a_dealer_is_sent_all_it_needs_to_call() {
        let names = names();
        let body = assigned(&names).body(at("2026-06-01T13:00:01Z")).unwrap();
        let expected = serde_json::json!({
            "type": "lead.assigned",
            "timestamp": "2026-06-01T13:00:01Z",
            "data": {
                "assignment_id": "01010101-0101-0101-0101-010101010101",
                "lead_id": "02020202-0202-0202-0202-020202020202",
                "dealer": "hudson-roofing", "contract": "hudson-north", "company": "acme",
                "category": "roofing", "offer": "roof-quote", "source": "landing", "campaign": "spring",
                "received_at": "2026-06-01T13:00:00Z", "assigned_at": "2026-06-01T13:00:01Z",
                "accept_by": null, "band": "A2", "price": "45.00",
                "person": {
                    "first_name": "Ada", "last_name": "Example",
                    "email": "ada@example.com", "phone": "+12125550142"
                },
                "address": { "street": "1 Main St", "city": "Hudson", "state": "NY", "zip": "12534" },
                "message": "The roof leaks.",
                "consent": {
                    "given": true, "text": "I agree to be called.",
                    "certificate": "https://cert.trustedform.com/0123456789012345678901234567890123456789"
                },
                "extra": { "roof_age": "20" },
                "test": false, "masked": false, "truncated": false
            }
        });
        assert_eq!(json(&body), expected);
        assert!(body.starts_with(r#"{"type":"lead.assigned","timestamp":"2026-06-01T13:00:01Z","data":{"#));
    }

    #[test]
    fn before_accepting_a_dealer_sees_first_name_zip_and_request() {
        let names = names();
        let body = assigned(&names).masked().body(at("2026-06-01T13:00:01Z")).unwrap();
        for kept in ["Ada", "12534", "The roof leaks.", r#""masked":true"#, r#""given":true"#] {
            assert!(body.contains(kept), "{kept}");
        }
        for hidden in
            ["Example", "ada@", "5550142", "Main St", "Hudson\"", "NY", "trustedform", "agree", "roof_age"]
        {
            assert!(!body.contains(hidden), "{hidden}");
        }
        let body = repeated(&names).masked().body(at("2026-06-02T13:00:00Z")).unwrap();
        assert!(body.contains("It still leaks.") && !body.contains("5550142"));
    }

    #[test]
    fn before_accepting_a_dealer_reads_no_number_or_address_in_the_request() {
        let names = names();
        let now = at("2026-06-01T13:00:01Z");
        let wrote = "The roof leaks: 212-555-0142, ada@example.com";
        let mut first = assigned(&names);
        first.message = Some(wrote.into());
        first.person.first_name = Some("212 555 0142");
        let again = RepeatedPayload { message: Some(wrote.to_owned().into()), ..repeated(&names) };
        for body in [first.clone().masked().body(now).unwrap(), again.masked().body(now).unwrap()] {
            assert!(body.contains("The roof leaks"), "{body}");
            assert!(!body.contains("0142") && !body.contains("ada@"), "{body}");
        }
        assert_eq!(json(&first.body(now).unwrap())["data"]["message"], wrote, "accepted, it is all there");
    }

    #[test]
    fn a_leadid_is_told_from_a_certificate_of_trustedform() {
        let (url, leadid) = ("https://cert.trustedform.com/01", "01234567-89ab-cdef-0123-456789abcdef");
        let of = |certificate, leadid| Consent { certificate, leadid, ..Consent::default() }.leadid();
        assert_eq!(of(Some(url), Some(leadid)), Some(leadid));
        assert_eq!(of(Some(leadid), None), Some(leadid));
        assert_eq!((of(Some(url), None), of(None, None)), (None, None));
    }

    #[test]
    fn the_rest_say_only_what_happened() {
        let (assignment, lead) = (AssignmentId::from_bytes([1; 16]), LeadId::from_bytes([2; 16]));
        let now = at("2026-06-02T13:00:00Z");
        let ids = serde_json::json!({
            "assignment_id": "01010101-0101-0101-0101-010101010101",
            "lead_id": "02020202-0202-0202-0202-020202020202",
        });
        let erased = json(&ErasedPayload { assignment, lead }.body(now).unwrap());
        assert_eq!(erased["data"], ids);
        assert_eq!(erased["type"], "lead.erased");
        let of = OptedOutOf::Mail;
        let opted_out = json(&OptedOutPayload { assignment, lead, of }.body(now).unwrap());
        assert_eq!(
            (&opted_out["type"], &opted_out["data"]["of"]),
            (&"lead.opted_out".into(), &"mail".into())
        );
        assert!(webhook_id(assignment, Event::OptedOut, u32::MAX).len() <= limits::WEBHOOK_ID_BYTES);
        let reason = WithdrawalReason::Unconfirmed;
        let withdrawn = json(&WithdrawnPayload { assignment, lead, reason }.body(now).unwrap());
        assert_eq!(withdrawn["data"]["reason"], "unconfirmed");
        assert_eq!(withdrawn["data"].as_object().unwrap().len(), 3);
        let warned = json(&WarnedPayload { assignment, lead, accept_by: now }.body(now).unwrap());
        assert_eq!(warned["data"]["accept_by"], "2026-06-02T13:00:00Z");
        let repeated = json(&repeated(&names()).body(now).unwrap());
        assert_eq!(repeated["data"]["filled"]["phone"], "+12125550142");
        assert_eq!(repeated["data"]["enquiry_id"], "03030303-0303-0303-0303-030303030303");
    }

    #[test]
    fn extra_fields_go_before_the_message_and_the_message_before_the_person() {
        let names = names();
        let now = at("2026-06-01T13:00:01Z");
        let long = "x".repeat(15_000);
        let fields: Vec<String> = (0..20).map(|n| format!("field_{n:02}")).collect();
        let value = "v".repeat(500);

        let mut payload = assigned(&names);
        payload.message = Some((&long).into());
        payload.extra = fields.iter().map(|name| (name.as_str(), value.as_str())).collect();
        let body = payload.clone().body(now).unwrap();
        let data = &json(&body)["data"];
        assert!(body.len() <= limits::WEBHOOK_BYTES && body.len() > limits::WEBHOOK_BYTES - 520);
        assert_eq!(data["message"], long.as_str());
        assert_eq!(data["truncated"], true);
        assert!((1..20).contains(&data["extra"].as_object().unwrap().len()));

        let longer = "\u{1}é\"".repeat(4_000);
        payload.message = Some((&longer).into());
        let body = payload.clone().body(now).unwrap();
        let data = &json(&body)["data"];
        assert!(body.len() <= limits::WEBHOOK_BYTES && body.len() > limits::WEBHOOK_BYTES - 6);
        assert!(longer.starts_with(data["message"].as_str().unwrap()));
        assert_eq!(data["extra"].as_object().unwrap().len(), 0);
        assert_eq!(data["person"]["email"], "ada@example.com");
        assert_eq!(data["consent"]["text"], "I agree to be called.");

        let terms = "t".repeat(30_000);
        payload.consent.text = Some((&terms).into());
        let data = &json(&payload.clone().body(now).unwrap())["data"];
        assert_eq!(data["message"], "");
        assert!(data["consent"]["text"].as_str().unwrap().len() > 15_000);
        assert_eq!(data["person"]["email"], "ada@example.com");

        payload.campaign = Some(&terms);
        assert!(payload.body(now).unwrap_err().to_string().contains("20000 bytes"));
    }

    #[test]
    fn a_webhook_id_is_short_has_no_dot_and_names_the_message() {
        let assignment = AssignmentId::from_bytes([0xff; 16]);
        let mut ids = std::collections::BTreeSet::new();
        for &event in Event::ALL {
            for message_no in [0, 1, u32::MAX] {
                let id = webhook_id(assignment, event, message_no);
                assert!(id.len() <= limits::WEBHOOK_ID_BYTES && !id.contains('.'), "{id}");
                assert_eq!(webhook_id(assignment, event, message_no), id);
                assert!(ids.insert(id));
            }
        }
        assert_eq!(
            webhook_id(AssignmentId::from_bytes([1; 16]), Event::Assigned, 0),
            "msg_01010101-0101-0101-0101-010101010101_assigned_0"
        );
    }

    proptest! {
        #[test]
        fn whatever_people_write_the_body_fits_and_is_json(
            message in "\\PC{0,4000}|[\\x00-\\x1f\"\\\\é\u{1F600}]{0,4000}",
            text in "\\PC{0,2000}",
            extra in prop::collection::btree_map("[\\x00-\\x7f]{1,64}", "\\PC{0,512}", 0..60),
        ) {
            let names = names();
            let mut payload = assigned(&names);
            payload.message = Some((&message).into());
            payload.consent.text = Some((&text).into());
            payload.extra = extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let body = payload.body(at("2026-06-01T13:00:01Z")).unwrap();
            prop_assert!(body.len() <= limits::WEBHOOK_BYTES);
            let data = &json(&body)["data"];
            prop_assert_eq!(&data["person"]["phone"], "+12125550142");
            let whole = data["message"] == message.as_str()
                && data["consent"]["text"] == text.as_str()
                && data["extra"].as_object().unwrap().len() == extra.len();
            prop_assert_eq!(&data["truncated"], !whole);
        }
    }
}
