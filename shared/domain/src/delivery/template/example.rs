//! What a template makes of a lead that nobody is: for who writes one, before a dealer is sent anything.
//!
//! Secrets stand as the template names them, `{secret.api_key}`, and are escaped with the rest: nothing has to be set,
//! and nothing shows. What the lead says has in it what each form escapes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::fields::Facts;
use super::text::{Named, Secrets};
use super::{Method, Template};
use crate::delivery::payload::{
    Address, AssignedPayload, Consent, Event, OptedOutOf, Person, WithdrawalReason, webhook_id,
};
use crate::ids::{
    AssignmentId, CategoryId, CompanyId, ContractId, DealerId, LeadId, OfferId, SourceId, TemplateId,
};
use crate::money::Money;
use crate::scoring::Band;

/// What an example takes from the rulebook.
#[derive(Clone, Copy, Debug)]
pub struct ExampleOf<'a> {
    /// Whose lead.
    pub company: &'a CompanyId,
    /// To whom.
    pub dealer: &'a DealerId,
    /// What the dealer is called in its own system.
    pub vendor_id: &'a str,
    /// Under which contract.
    pub contract: &'a ContractId,
    /// The trade.
    pub category: &'a CategoryId,
    /// What is asked for.
    pub offer: &'a OfferId,
    /// Who sends it.
    pub source: &'a SourceId,
    /// What it costs.
    pub price: Money,
    /// Fit and engagement.
    pub band: Band,
    /// When.
    pub at: Timestamp,
}

/// One message of a template, as it would be sent but for the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// By which template.
    pub template: TemplateId,
    /// Which message.
    pub event: Event,
    /// As it is before the dealer has accepted.
    pub masked: bool,
    /// How it is sent.
    pub method: Method,
    /// Names and values: the content type, then the template's own.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: String,
}

/// What was written: quotes, a tag, an ampersand, a line's end, letters beyond ASCII; and a number, which is hidden
/// until the lead is accepted.
const MESSAGE: &str = "The roof \"leaks\" & <b>drips</b>;\ncall 212-555-0142 \u{2013} gracias, se\u{f1}or";
/// The value of each field that has no standard name.
const EXTRA: &str = "20 < 30 & \"old\"";

impl Template {
    /// Each message that it has a body for, in order; what says the lead twice, masked and whole.
    pub fn examples(&self, of: &ExampleOf<'_>) -> Vec<Example> {
        let extra = self.named().filter_map(|named| match named {
            Named::Extra(name) => Some((name.as_str(), EXTRA)),
            Named::Field(_) | Named::Secret(_) => None,
        });
        let whole = payload(of, extra.collect());
        let masked = whole.clone().masked();
        let secrets = self.secrets().into_iter();
        let secrets: Secrets = secrets.map(|name| (name.to_owned(), format!("{{secret.{name}}}"))).collect();
        let mut examples = Vec::new();
        for (event, _) in &self.bodies {
            match event {
                Event::Assigned | Event::Repeated => {
                    examples.extend(self.example(*event, of, Some(&masked), &secrets));
                    examples.extend(self.example(*event, of, Some(&whole), &secrets));
                }
                Event::Warned | Event::Withdrawn | Event::Erased | Event::OptedOut => {
                    examples.extend(self.example(*event, of, None, &secrets));
                }
            }
        }
        examples
    }

    /// `None` where there is no body for it: that a secret is missing cannot be, all that it names are given.
    fn example(
        &self,
        event: Event,
        of: &ExampleOf<'_>,
        payload: Option<&AssignedPayload<'_>>,
        secrets: &Secrets,
    ) -> Option<Example> {
        let (assignment, lead) = ids();
        let message_id = webhook_id(assignment, event, 0);
        let facts = Facts {
            event,
            message_id: &message_id,
            lead,
            assignment,
            company: of.company,
            dealer: of.dealer,
            vendor_id: of.vendor_id,
            // Known once an answer said it: of the first message there is none.
            reference: self.reference.as_ref().filter(|_| event != Event::Assigned).map(|_| "L-1042"),
            at: of.at,
            reason: match event {
                Event::Withdrawn => Some(WithdrawalReason::Lapsed.as_str()),
                Event::OptedOut => Some(OptedOutOf::Everything.as_str()),
                Event::Assigned | Event::Repeated | Event::Warned | Event::Erased => None,
            },
            accept_by: (event == Event::Warned).then_some(of.at),
            payload,
        };
        let body = self.body(event)?.write(self.kind, self.omit_empty, &facts, secrets).ok()?;
        let mut headers = vec![("content-type".to_owned(), self.kind.content_type().to_owned())];
        for (name, value) in &self.headers {
            headers.push((name.clone(), value.write(&facts, secrets).ok()?));
        }
        let masked = payload.is_some_and(|payload| payload.masked);
        Some(Example { template: self.id.clone(), event, masked, method: self.method, headers, body })
    }
}

/// Of nothing that there is: no id that is minted has these bytes.
const fn ids() -> (AssignmentId, LeadId) {
    (AssignmentId::from_bytes([0xa1; 16]), LeadId::from_bytes([0x1e; 16]))
}

/// A lead that nobody is: a name, a domain and a number that are kept free for examples.
fn payload<'a>(of: &ExampleOf<'a>, extra: BTreeMap<&'a str, &'a str>) -> AssignedPayload<'a> {
    let (assignment, lead) = ids();
    AssignedPayload {
        assignment,
        lead,
        dealer: of.dealer,
        contract: of.contract,
        company: of.company,
        category: of.category,
        offer: of.offer,
        source: of.source,
        campaign: Some("spring"),
        received_at: of.at,
        assigned_at: of.at,
        accept_by: Some(of.at),
        band: Some(of.band),
        price: of.price,
        person: Person {
            first_name: Some("Ada"),
            last_name: Some("O'Example & Sons"),
            email: Some("ada@example.com"),
            phone: Some("+12125550142"),
        },
        address: Address {
            street: Some("1 Main St"),
            city: Some("Hudson"),
            state: Some("NY"),
            zip: Some("12534"),
        },
        message: Some(MESSAGE.into()),
        consent: Consent {
            given: true,
            text: Some("I agree to be called.".into()),
            certificate: Some("https://cert.trustedform.com/0123456789abcdef0123456789abcdef01234567"),
            leadid: Some("01234567-89ab-cdef-0123-456789abcdef"),
        },
        extra,
        test: true,
        masked: false,
        truncated: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::template::{BodyKind, Node, Success, Text};

    /// A template with a body for every message, all of one shape.
    fn template(kind: BodyKind) -> Template {
        let text = |written: &str| Node::Text(Text::read(written).unwrap());
        let part = |name: &str, written| (name.to_owned(), text(written));
        let lead = vec![
            part("name", "{name}"),
            part("phone", "{phone}"),
            part("note", "Wrote: {message}"),
            part("age", "{extra.roof age}"),
            part("key", "{secret.pace}"),
            part("leadid", "{consent_leadid}"),
        ];
        let what = vec![part("id", "{reference}"), part("why", "{reason}"), part("by", "{accept_by}")];
        let body = |event: &Event| {
            let parts = if matches!(event, Event::Assigned | Event::Repeated) { &lead } else { &what };
            let parts = Node::Table(parts.clone());
            // One element holds the rest of a document.
            let body = match kind {
                BodyKind::Xml => Node::Table(vec![("lead".to_owned(), parts)]),
                BodyKind::Json | BodyKind::Form => parts,
            };
            (*event, body)
        };
        Template {
            id: "crm".parse().unwrap(),
            method: Method::Put,
            kind,
            headers: vec![("authorization".to_owned(), Text::read("Bearer {secret.pace}").unwrap())],
            omit_empty: false,
            bodies: Event::ALL.iter().map(body).collect(),
            success: Success::default(),
            reference: Some("$.id".parse().unwrap()),
            decline: None,
        }
    }

    fn examples(kind: BodyKind) -> Vec<Example> {
        template(kind).examples(&ExampleOf {
            company: &"acme".parse().unwrap(),
            dealer: &"hudson".parse().unwrap(),
            vendor_id: "H-7",
            contract: &"hudson-north".parse().unwrap(),
            category: &"roofing".parse().unwrap(),
            offer: &"roof-quote".parse().unwrap(),
            source: &"landing".parse().unwrap(),
            price: Money::from_minor(4_500),
            band: "B2".parse().unwrap(),
            at: "2026-06-01T13:00:00Z".parse().unwrap(),
        })
    }

    fn of(examples: &[Example], event: Event, masked: bool) -> &Example {
        examples.iter().find(|one| one.event == event && one.masked == masked).unwrap()
    }

    #[test]
    fn every_message_is_shown_and_those_with_the_lead_masked_and_whole() {
        for kind in [BodyKind::Json, BodyKind::Form, BodyKind::Xml] {
            let examples = examples(kind);
            let shown: Vec<(Event, bool)> = examples.iter().map(|one| (one.event, one.masked)).collect();
            let twice = |event| [(event, true), (event, false)];
            let once =
                [Event::Warned, Event::Withdrawn, Event::Erased, Event::OptedOut].map(|of| (of, false));
            let expected = [&twice(Event::Assigned)[..], &twice(Event::Repeated), &once].concat();
            assert_eq!(shown, expected);
            for one in &examples {
                assert_eq!(one.method, Method::Put);
                let headers = [
                    ("content-type".to_owned(), kind.content_type().to_owned()),
                    ("authorization".to_owned(), "Bearer {secret.pace}".to_owned()),
                ];
                assert_eq!(one.headers, headers);
            }
            let masked = of(&examples, Event::Assigned, true);
            for hidden in ["Example", "5550142", "555-0142", "cdef", "20"] {
                assert!(!masked.body.contains(hidden), "{hidden}: {}", masked.body);
            }
            assert!(
                masked.body.contains("Ada")
                    && of(&examples, Event::Assigned, false).body.contains("2125550142")
            );
        }
    }

    #[test]
    fn each_form_escapes_what_it_must() {
        let json = examples(BodyKind::Json);
        let read: serde_json::Value = serde_json::from_str(&of(&json, Event::Repeated, false).body).unwrap();
        assert_eq!(
            read,
            serde_json::json!({
                "name": "Ada O'Example & Sons", "phone": "+12125550142", "note": format!("Wrote: {MESSAGE}"),
                "age": EXTRA, "key": "{secret.pace}", "leadid": "01234567-89ab-cdef-0123-456789abcdef",
            })
        );
        let form = examples(BodyKind::Form);
        let body = of(&form, Event::Assigned, false).body.as_bytes();
        let read: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        assert_eq!((&*read["note"], &*read["age"]), (&*format!("Wrote: {MESSAGE}"), EXTRA));
        assert_eq!((&*read["key"], &*read["phone"]), ("{secret.pace}", "+12125550142"));
        let xml = examples(BodyKind::Xml);
        let body = &of(&xml, Event::Assigned, false).body;
        assert!(body.contains("&lt;b&gt;drips&lt;/b&gt;") && body.contains("Example &amp; Sons"), "{body}");
        assert!(!body.contains("<b>"), "{body}");
    }

    #[test]
    fn what_has_no_lead_says_why_and_which() {
        let json = examples(BodyKind::Json);
        let read =
            |event| -> serde_json::Value { serde_json::from_str(&of(&json, event, false).body).unwrap() };
        let what = |id: &str, why: Option<&str>, by: Option<&str>| serde_json::json!({ "id": id, "why": why, "by": by });
        assert_eq!(read(Event::Withdrawn), what("L-1042", Some("lapsed"), None));
        assert_eq!(read(Event::OptedOut), what("L-1042", Some("everything"), None));
        assert_eq!(read(Event::Warned), what("L-1042", None, Some("2026-06-01T13:00:00Z")));
        assert_eq!(read(Event::Erased), what("L-1042", None, None));
    }
}
