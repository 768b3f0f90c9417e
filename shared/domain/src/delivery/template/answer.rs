//! What an answer means.
//!
//! Determinations:
//!
//! - *A decline is heard before a success*, on 2xx and on 4xx: many a system takes the request and says in the
//!   body that it does not want the lead.
//! - *An answer that was read and does not say what it must was not received*: the system had its say. One that
//!   cannot be read (no JSON where JSON is asked for; longer than what is kept, or broken off) leaves open whether
//!   the dealer has the lead: unknown, so that it is withdrawn before another has it.
//! - *Everything else means what it means of our own form*: see [`Outcome::of_status`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Template;
use crate::delivery::{Failure, FailureKind, Outcome};
use crate::error::Invalid;
use crate::limits;

/// What an answer must be, so that the dealer has the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Success {
    /// One of these, all 2xx; any 2xx if there are none.
    #[serde(default)]
    pub status: Vec<u16>,
    /// What the body says.
    #[serde(default)]
    pub says: Option<Says>,
}

/// What an answer says that declines the lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// One of these, 2xx or 4xx; whatever it is if there are none.
    #[serde(default)]
    pub status: Vec<u16>,
    /// What the body says.
    #[serde(default)]
    pub says: Option<Says>,
    /// Where it says why.
    #[serde(default)]
    pub reason: Option<JsonPath>,
}

/// What a body says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// At this place of its JSON one of these; anything but nothing, `false` and an empty text, if there are none.
    Json {
        /// The place.
        path: JsonPath,
        /// The values, as text.
        is: Vec<String>,
    },
    /// This, anywhere, in any case of letters.
    Text(String),
}

/// What became of a message by a template.
#[derive(Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The dealer has it, and knows it by this id.
    Received(Option<String>),
    /// The dealer does not want it: why, in its own words.
    Declined(Failure, Option<String>),
    /// Neither, for sure.
    Failed(Outcome),
}

/// A body as it was read.
struct Read<'a> {
    text: &'a str,
    json: Option<Value>,
    /// There was more of it.
    cut: bool,
}

impl Template {
    /// What an answer means, of which so much was read; `cut` when there was more.
    pub fn judge(&self, outcome: Outcome, status: Option<u16>, answer: &str, cut: bool) -> Verdict {
        let Some(status) = status else { return Verdict::Failed(outcome) };
        let read = Read { text: answer, json: serde_json::from_str(answer).ok().filter(|_| !cut), cut };
        let failure = |kind| Failure { kind, status: Some(status), retry_after_s: None, disable: false };
        if (200..300).contains(&status) || (400..500).contains(&status) {
            let declined = self.decline.as_ref().filter(|decline| decline.is(status, &read));
            if let Some(decline) = declined {
                let reason = decline.reason.as_ref().and_then(|path| read.at(path));
                return Verdict::Declined(failure(FailureKind::Declined), reason);
            }
        }
        if outcome != Outcome::Received {
            return Verdict::Failed(outcome);
        }
        if !self.success.status.is_empty() && !self.success.status.contains(&status) {
            return Verdict::Failed(Outcome::NotReceived(failure(FailureKind::Answer)));
        }
        match self.success.says.as_ref().map(|says| read.says(says)) {
            None | Some(Some(true)) => {
                Verdict::Received(self.reference.as_ref().and_then(|path| read.at(path)))
            }
            Some(Some(false)) => Verdict::Failed(Outcome::NotReceived(failure(FailureKind::Answer))),
            Some(None) => Verdict::Failed(Outcome::Unknown(failure(FailureKind::Unreadable))),
        }
    }
}

impl Decline {
    fn is(&self, status: u16, read: &Read<'_>) -> bool {
        let status = self.status.is_empty() || self.status.contains(&status);
        let says = self.says.as_ref().is_none_or(|says| read.says(says) == Some(true));
        status && says
    }
}

impl Read<'_> {
    /// Whether it says so; `None` when it could not be read far enough to tell.
    fn says(&self, says: &Says) -> Option<bool> {
        match says {
            Says::Text(text) => {
                let found = self.text.to_lowercase().contains(&text.to_lowercase());
                if !found && self.cut { None } else { Some(found) }
            }
            Says::Json { path, is } => {
                let value = path.of(self.json.as_ref()?);
                Some(match value.map(said) {
                    Some(said) if is.is_empty() => !matches!(said.as_deref(), None | Some("" | "false")),
                    Some(Some(said)) => is.contains(&said),
                    Some(None) | None => false,
                })
            }
        }
    }

    fn at(&self, path: &JsonPath) -> Option<String> {
        said(path.of(self.json.as_ref()?)?).filter(|said| !said.is_empty())
    }
}

/// A value as text: `None` of nothing; of what has parts, that it is there.
fn said(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(is) => Some(is.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Array(items) => (!items.is_empty()).then(|| "[…]".to_owned()),
        Value::Object(members) => (!members.is_empty()).then(|| "{…}".to_owned()),
    }
}

/// A place in JSON: `$.lead.id`, `$.errors[0].code`, `$['lead id']`. Of the paths of RFC 9535 what leads to
/// one place: names and indices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JsonPath {
    written: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl JsonPath {
    pub(super) fn of<'v>(&self, json: &'v Value) -> Option<&'v Value> {
        self.steps.iter().try_fold(json, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::Index(index) => value.get(index),
        })
    }
}

impl std::str::FromStr for JsonPath {
    type Err = Invalid;

    fn from_str(written: &str) -> Result<Self, Invalid> {
        let rule = || {
            Invalid::new(
                "a place in JSON is written $.lead.id, $.errors[0].code or $['lead id'], to 200 bytes and 16 steps",
            )
        };
        let mut rest = written.strip_prefix('$').ok_or_else(rule)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, behind) = if let Some(quoted) = rest.strip_prefix("['") {
                let (name, behind) = quoted.split_once("']").ok_or_else(rule)?;
                (Step::Name(name.to_owned()), behind)
            } else if let Some(inner) = rest.strip_prefix('[') {
                let (index, behind) = inner.split_once(']').ok_or_else(rule)?;
                (Step::Index(index.parse().map_err(|_| rule())?), behind)
            } else {
                let named = rest.strip_prefix('.').ok_or_else(rule)?;
                let end = named.find(['.', '[']).unwrap_or(named.len());
                let (name, behind) = named.split_at(end);
                let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
                if name.is_empty() || !name.chars().all(plain) {
                    return Err(rule());
                }
                (Step::Name(name.to_owned()), behind)
            };
            steps.push(step);
            rest = behind;
        }
        if written.len() > limits::TEXT_CHARS || steps.len() > limits::JSON_DEPTH {
            return Err(rule());
        }
        Ok(Self { written: written.to_owned(), steps })
    }
}

impl TryFrom<String> for JsonPath {
    type Error = Invalid;

    fn try_from(written: String) -> Result<Self, Invalid> {
        written.parse()
    }
}

impl From<JsonPath> for String {
    fn from(path: JsonPath) -> Self {
        path.written
    }
}
