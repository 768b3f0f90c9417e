//! A text with fields in it: `"Lead {lead_id} of {company}"`. A brace that is meant is written twice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fields::{Facts, Field, Value};
use crate::error::Invalid;
use crate::limits;

/// What stands in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A field of the message.
    Field(Field),
    /// `extra.NAME`: a field of the enquiry that has no standard name.
    Extra(String),
    /// `secret.NAME`: what the dealer gave us and the desk keeps.
    Secret(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Named(Named),
}

/// A text with fields in it. Stored as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text {
    written: String,
    pieces: Vec<Piece>,
}

/// What keeps a text from being one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextFault {
    /// It breaks this rule.
    Invalid(Invalid),
    /// There is no field of this name.
    Unknown(String),
}

impl Text {
    /// Reads a text of at most [`limits::TEMPLATE_TEXT_BYTES`].
    pub fn read(written: &str) -> Result<Self, TextFault> {
        let rule = |rule: &str| TextFault::Invalid(Invalid::new(rule.to_owned()));
        if written.len() > limits::TEMPLATE_TEXT_BYTES {
            return Err(rule("a text of a template is at most 1000 bytes"));
        }
        let braces =
            || rule("a field stands in braces: {lead_id}; a brace that is meant is written twice: {{");
        let (mut pieces, mut literal) = (Vec::new(), String::new());
        let mut rest = written;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            if let Some(behind) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                literal.extend(from.chars().next());
                rest = behind;
                continue;
            }
            let inner = from.strip_prefix('{').ok_or_else(braces)?;
            let (name, behind) = inner.split_once('}').ok_or_else(braces)?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Named(Named::read(name.trim())?));
            rest = behind;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { written: written.to_owned(), pieces })
    }

    /// All that stands in braces.
    pub fn named(&self) -> impl Iterator<Item = &Named> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Named(named) => Some(named),
            Piece::Literal(_) => None,
        })
    }

    /// What it says: the field's own value, where it is one field and nothing beside it.
    pub(super) fn value<'a>(&self, facts: &Facts<'a>, secrets: &Secrets) -> Result<Value<'a>, NoSecret> {
        if let [Piece::Named(named)] = &self.pieces[..] {
            return named.value(facts, secrets);
        }
        self.write(facts, secrets).map(|text| Value::Text(text.into()))
    }

    /// What it says, as text.
    pub fn write(&self, facts: &Facts<'_>, secrets: &Secrets) -> Result<String, NoSecret> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Named(named) => text.push_str(named.value(facts, secrets)?.text()),
            }
        }
        Ok(text)
    }
}

/// The secrets of one dealer, by name.
pub type Secrets = BTreeMap<String, String>;

/// A secret that nobody has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSecret;

impl Named {
    /// The name of the secret, if it is one.
    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Self::Secret(name) => Some(name),
            Self::Field(_) | Self::Extra(_) => None,
        }
    }

    fn value<'a>(&self, facts: &Facts<'a>, secrets: &Secrets) -> Result<Value<'a>, NoSecret> {
        match self {
            Self::Field(field) => Ok(facts.value(*field)),
            Self::Extra(name) => Ok(facts.extra(name)),
            Self::Secret(name) => {
                secrets.get(name).map(|secret| Value::Text(secret.clone().into())).ok_or(NoSecret)
            }
        }
    }

    fn read(name: &str) -> Result<Self, TextFault> {
        if let Some(extra) = name.strip_prefix("extra.") {
            let fits = (1..=limits::FIELD_NAME_BYTES).contains(&extra.len());
            let rule = || TextFault::Invalid(Invalid::new("extra. and a field's name of 1 to 64 bytes"));
            return if fits { Ok(Self::Extra(extra.to_owned())) } else { Err(rule()) };
        }
        if let Some(secret) = name.strip_prefix("secret.") {
            return check_secret_name(secret)
                .map(|()| Self::Secret(secret.to_owned()))
                .map_err(TextFault::Invalid);
        }
        name.parse().map(Self::Field).map_err(|_| TextFault::Unknown(name.to_owned()))
    }
}

/// Checks the name of a secret.
pub fn check_secret_name(name: &str) -> Result<(), Invalid> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if (1..=limits::SECRET_NAME_BYTES).contains(&name.len()) && name.bytes().all(plain) {
        Ok(())
    } else {
        Err(Invalid::new("a secret's name is 1 to 32 lower-case letters, digits and '_'"))
    }
}

impl TryFrom<String> for Text {
    type Error = Invalid;

    fn try_from(written: String) -> Result<Self, Invalid> {
        Self::read(&written).map_err(|fault| match fault {
            TextFault::Invalid(invalid) => invalid,
            TextFault::Unknown(_) => Invalid::new("a text of a template names fields that there are"),
        })
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.written
    }
}
