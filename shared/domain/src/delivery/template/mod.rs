//! The form of a dealer's own API: what is posted there, and what its answer means.
//!
//! A [`Template`] is written in `templates.toml` and checked as it is read: every field it names exists, a
//! message without a person names none of the person's. From then on writing it cannot fail but for a secret
//! that nobody has set. Escaping is ours: whatever a person wrote is text in JSON, in a form and in XML, and
//! nothing else.
//!
//! In reading order: `fields` is what a template may name, `text` a text with such names in it, `body` what is
//! posted, `answer` what comes back, `example` what a template makes of a lead that nobody is.
//!
//! Determinations:
//!
//! - *Nothing of a person in headers or the address*: both stand in the logs of whatever lies between. A header
//!   names ids and secrets; the address is the channel's, as it is written there.
//! - *Masked until accepted holds here too*: the values are those of the payload that our own form would have.
//! - *A message without a body of its own is not sent*: `assigned` is needed, and says the whole lead again once it
//!   is accepted; a repeat, a warning, a withdrawal and an erasure go where the template has a body for them.
//!   Where one is missing, the desk is told of a withdrawal or an erasure, and tells the dealer by hand.
//! - *2xx alone is not enough*: see [`Template::judge`].

mod fields;
mod text;
mod body;
mod answer;
mod example;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::payload::Event;
use crate::ids::TemplateId;

pub use answer::{Decline, JsonPath, Says, Success, Verdict};
pub use body::Node;
pub use example::{Example, ExampleOf};
pub use fields::{Facts, Field};
pub use text::{Named, NoSecret, Secrets, Text, TextFault, check_secret_name};

words! {
    /// How a template's message is sent.
    pub enum Method as "a template's method" {
        /// Something new, each time.
        Post = "POST",
        /// This, whatever stood there.
        Put = "PUT",
        /// A change of what stands there.
        Patch = "PATCH",
    }
}

words! {
    /// What a template's body is.
    pub enum BodyKind as "a template's kind" {
        /// `application/json`
        Json = "json",
        /// `application/x-www-form-urlencoded`
        Form = "form",
        /// `application/xml`
        Xml = "xml",
    }
}

impl BodyKind {
    /// What it is served as.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Xml => "application/xml; charset=utf-8",
        }
    }
}

/// The form of a dealer's own API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// As `channels.csv` names it.
    pub id: TemplateId,
    /// How it is sent.
    pub method: Method,
    /// What its bodies are.
    pub kind: BodyKind,
    /// Beside those of ours: names and values.
    #[serde(default)]
    pub headers: Vec<(String, Text)>,
    /// What says nothing is left out rather than sent empty.
    #[serde(default)]
    pub omit_empty: bool,
    /// What is sent of each message.
    pub bodies: Vec<(Event, Node)>,
    /// What an answer must be, so that the dealer has the message.
    pub success: Success,
    /// Where an answer has the dealer's own id of the lead.
    #[serde(default)]
    pub reference: Option<JsonPath>,
    /// What an answer says that declines the lead.
    #[serde(default)]
    pub decline: Option<Decline>,
}

impl Template {
    /// What is sent of a message, if anything is.
    pub fn body(&self, event: Event) -> Option<&Node> {
        self.bodies.iter().find(|(of, _)| *of == event).map(|(_, body)| body)
    }

    /// The secrets that it names.
    pub fn secrets(&self) -> std::collections::BTreeSet<&str> {
        self.named().filter_map(Named::secret).collect()
    }

    /// All that stands in braces, in headers and bodies.
    fn named(&self) -> impl Iterator<Item = &Named> {
        let headers = self.headers.iter().flat_map(|(_, text)| text.named());
        headers.chain(self.bodies.iter().flat_map(|(_, body)| body.named()))
    }
}
