//! The names and values of one body, in order, whatever its format.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::names::{FieldMap, Meaning, Standard, Sureness};
use crate::error::{Code, Invalid};
use crate::limits;
use crate::person::cut_bytes;

/// Why a body cannot be read. Says the rule and the limit, never the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More than [`limits::BODY_BYTES`].
    #[error("the body has more than {limit} bytes")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// Not UTF-8, before or after percent-decoding.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("the body is not JSON: see line {line}, column {column}")]
    BadJson {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// JSON, but an array or a bare value.
    #[error("the body is not a JSON object of names and values")]
    NotAnObject,
    /// Not `multipart/form-data`.
    #[error("the body is not multipart/form-data: {rule}")]
    BadMultipart {
        /// What is missing.
        rule: &'static str,
    },
    /// Not XML.
    #[error("the body is not XML: see byte {at}")]
    BadXml {
        /// From 0.
        at: u64,
    },
    /// XML, but not ADF.
    #[error("the body has no element prospect, as ADF has")]
    NoProspect,
    /// More than [`limits::PROSPECTS`].
    #[error("the body has more than {limit} prospects")]
    TooManyProspects {
        /// In prospects.
        limit: usize,
    },
    /// A lead form of an ad platform that does not say which lead it is.
    #[error("lead_id is missing: a string or a number")]
    NoLeadId,
    /// Not what Meta posts.
    #[error(
        "the body is no webhook of a page: entry, changes, field leadgen, value with leadgen_id of letters and digits, at most {} of them",
        limits::NOTICES
    )]
    NoNotice,
    /// Not what the Graph API says of a lead.
    #[error("the answer has no field_data")]
    NoFieldData,
    /// Nested beyond [`limits::JSON_DEPTH`] or [`limits::XML_DEPTH`].
    #[error("the body nests deeper than {limit} levels")]
    TooDeep {
        /// In levels.
        limit: usize,
    },
    /// More than [`limits::ENQUIRY_FIELDS`].
    #[error("the body has more than {limit} fields")]
    TooManyFields {
        /// In fields.
        limit: usize,
    },
}

impl BodyError {
    /// The code that decides status and retry.
    pub const fn code(self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::BodyTooLarge,
            Self::NotUtf8
            | Self::BadJson { .. }
            | Self::NotAnObject
            | Self::BadMultipart { .. }
            | Self::BadXml { .. }
            | Self::NoProspect
            | Self::TooManyProspects { .. }
            | Self::NoLeadId
            | Self::NoNotice
            | Self::NoFieldData
            | Self::TooDeep { .. }
            | Self::TooManyFields { .. } => Code::MalformedBody,
        }
    }
}

/// What was sent: at most [`limits::ENQUIRY_FIELDS`] names, each once, in the order of their first
/// appearance, with their values as text. Serialises as a list of pairs.
///
/// A name longer than [`limits::FIELD_NAME_BYTES`] is cut there: no lead is lost for a long name. A
/// name that appears again adds to its value, behind `", "`. Values are whole, bounded by the body.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(String, String)>", into = "Vec<(String, String)>")]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a JSON object.
    ///
    /// Nested objects become `a.b`. An array of plain values becomes one value, joined by `", "`;
    /// objects and arrays within an array become `a.0`, `a.1` and so on. Numbers and booleans become text,
    /// `null` is left out.
    ///
    /// The body is read in one pass into the list, so that memory stays within a small multiple of it.
    pub fn from_json(body: &[u8]) -> Result<Self, BodyError> {
        let text = utf8_within_limit(body)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        check_depth(text)?;
        let bad =
            |error: &serde_json::Error| BodyError::BadJson { line: error.line(), column: error.column() };
        if !text.trim_start().starts_with('{') {
            serde_json::from_str::<IgnoredAny>(text).map_err(|error| bad(&error))?;
            return Err(BodyError::NotAnObject);
        }
        let mut flat = Flat { fields: Self::default(), path: String::new(), index: None, refusal: None };
        let mut json = serde_json::Deserializer::from_str(text);
        let read = flat.deserialize(&mut json).and_then(|()| json.end());
        match (flat.refusal, read) {
            (Some(refusal), _) => Err(refusal),
            (None, Err(error)) => Err(bad(&error)),
            (None, Ok(())) => Ok(flat.fields),
        }
    }

    /// Reads `application/x-www-form-urlencoded` (WHATWG URL Standard, section 5), but refuses what is
    /// not UTF-8 instead of replacing it.
    pub fn from_form(body: &[u8]) -> Result<Self, BodyError> {
        let text = utf8_within_limit(body)?;
        let mut fields = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.push(&percent_decoded(name)?, percent_decoded(value)?)?;
        }
        Ok(fields)
    }

    /// Adds a value under a name.
    pub fn push(&mut self, name: &str, value: String) -> Result<(), BodyError> {
        let name = cut_bytes(name, limits::FIELD_NAME_BYTES).0;
        // The newest first: the members of a long array all have one name.
        if let Some((_, joined)) = self.0.iter_mut().rev().find(|(known, _)| known == name) {
            if joined.is_empty() {
                *joined = value;
            } else if !value.is_empty() {
                joined.push_str(", ");
                joined.push_str(&value);
            }
        } else if self.0.len() < limits::ENQUIRY_FIELDS {
            self.0.push((name.to_owned(), value));
        } else {
            return Err(BodyError::TooManyFields { limit: limits::ENQUIRY_FIELDS });
        }
        Ok(())
    }

    /// The same with standard fields put right: whatever the sender called such a field is gone, and what is
    /// given stands under its standard name.
    pub fn corrected(
        &self,
        map: &FieldMap,
        corrections: &[(Standard, Option<String>)],
    ) -> Result<Self, BodyError> {
        let corrects = |name: &str| {
            let meaning = map.meaning(name).1;
            corrections.iter().any(|(standard, _)| meaning == Meaning::Standard(*standard))
        };
        let mut fields = Self::default();
        for (name, value) in self.iter().filter(|(name, _)| !corrects(name)) {
            fields.push(name, value.to_owned())?;
        }
        for (standard, value) in corrections {
            if let Some(value) = value {
                fields.push(standard.as_str(), value.clone())?;
            }
        }
        Ok(fields)
    }

    /// What is sent in standard fields, as it was sent; of several that mean the same, the surest.
    pub fn standard(&self, map: &FieldMap) -> BTreeMap<Standard, &str> {
        let mut said: BTreeMap<Standard, (Sureness, &str)> = BTreeMap::new();
        for (name, value) in self.iter().filter(|(_, value)| !value.trim().is_empty()) {
            let (sureness, meaning) = map.meaning(name);
            if let Meaning::Standard(standard) = meaning {
                let known = said.entry(standard).or_insert((sureness, value));
                if sureness < known.0 {
                    *known = (sureness, value);
                }
            }
        }
        said.into_iter().map(|(standard, (_, value))| (standard, value)).collect()
    }

    /// The value under a name, exactly so spelled.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was sent.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({})", self.0.len())
    }
}

impl TryFrom<Vec<(String, String)>> for Fields {
    type Error = Invalid;
    fn try_from(pairs: Vec<(String, String)>) -> Result<Self, Invalid> {
        let mut fields = Self::default();
        for (name, value) in pairs {
            fields.push(&name, value).map_err(|error| Invalid::new(error.to_string()))?;
        }
        Ok(fields)
    }
}

impl From<Fields> for Vec<(String, String)> {
    fn from(fields: Fields) -> Self {
        fields.0
    }
}

pub(super) fn utf8_within_limit(body: &[u8]) -> Result<&str, BodyError> {
    if body.len() > limits::BODY_BYTES {
        return Err(BodyError::TooLarge { limit: limits::BODY_BYTES });
    }
    std::str::from_utf8(body).map_err(|_| BodyError::NotUtf8)
}

/// Counts brackets outside strings, before any parser recurses.
pub(super) fn check_depth(json: &str) -> Result<(), BodyError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limits::JSON_DEPTH {
            return Err(BodyError::TooDeep { limit: limits::JSON_DEPTH });
        }
    }
    Ok(())
}

fn percent_decoded(text: &str) -> Result<String, BodyError> {
    let hex = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'+', ..) => decoded.push(b' '),
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            _ => decoded.push(byte), // a lone '%' stands for itself
        }
    }
    String::from_utf8(decoded).map_err(|_| BodyError::NotUtf8)
}

/// Reads JSON straight into [`Fields`], keeping the path to where it stands.
struct Flat {
    fields: Fields,
    path: String,
    /// The place in the array that the value read next stands in.
    index: Option<usize>,
    /// Why it stopped, when that was not the JSON's fault.
    refusal: Option<BodyError>,
}

impl Flat {
    fn leaf<E: serde::de::Error>(&mut self, value: String) -> Result<(), E> {
        self.index = None; // plain values of an array share its name
        self.fields.push(&self.path, value).map_err(|refusal| {
            self.refusal = Some(refusal);
            E::custom(refusal)
        })
    }

    fn descend(&mut self, step: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(step);
    }

    fn enter_element(&mut self) {
        if let Some(index) = self.index.take() {
            self.descend(&index.to_string());
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Flat {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Flat {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.leaf(value.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.leaf(value.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.leaf(value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        // As JSON writes it: `1e300`, not three hundred digits.
        let number = serde_json::Number::from_f64(value).ok_or_else(|| E::custom("no number"))?;
        self.leaf(number.to_string())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.leaf(value.to_owned())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.index = None;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let outside = self.path.len();
        self.enter_element();
        let inside = self.path.len();
        while let Some(key) = map.next_key::<String>()? {
            self.descend(&key);
            map.next_value_seed(&mut *self)?;
            self.path.truncate(inside);
        }
        self.path.truncate(outside);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let outside = self.path.len();
        self.enter_element();
        for index in 0.. {
            self.index = Some(index);
            if seq.next_element_seed(&mut *self)?.is_none() {
                break;
            }
        }
        self.index = None;
        self.path.truncate(outside);
        Ok(())
    }
}
