//! What is posted: a tree as the author wrote it, with the fields' values in its leaves.

use serde::{Deserialize, Serialize};

use super::BodyKind;
use super::fields::{Facts, Value};
use super::text::{Named, NoSecret, Secrets, Text};
use crate::delivery::xml::Xml;

/// A body, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// A text; the value of a field as it is, where there is nothing else.
    Text(Text),
    /// A number, as it is written.
    Number(serde_json::Number),
    /// True or false.
    Bool(bool),
    /// Several, in their order.
    List(Vec<Node>),
    /// Parts by name, in the order in which they are written.
    Table(Vec<(String, Node)>),
}

/// The name of a part that is an element's own text rather than an element within it.
pub(crate) const OWN_TEXT: &str = "#text";
/// What the name of a part begins with that is an attribute.
pub(crate) const ATTRIBUTE: char = '@';

/// A body with the values in it, before it has a form.
enum Filled<'a> {
    Value(Value<'a>),
    Number(&'a serde_json::Number),
    List(Vec<Filled<'a>>),
    Table(Vec<(&'a str, Filled<'a>)>),
}

impl Node {
    /// The body as it is posted.
    ///
    /// # Errors
    /// A secret that it names is not set.
    pub fn write(
        &self,
        kind: BodyKind,
        omit_empty: bool,
        facts: &Facts<'_>,
        secrets: &Secrets,
    ) -> Result<String, NoSecret> {
        let filled = self.fill(omit_empty, facts, secrets)?;
        Ok(match kind {
            BodyKind::Json => {
                let mut text = String::new();
                write_json(&filled, &mut text);
                text
            }
            BodyKind::Form => write_form(&filled),
            BodyKind::Xml => write_xml(&filled),
        })
    }

    /// All that stands in braces in its texts.
    pub(super) fn named(&self) -> Vec<&Named> {
        match self {
            Self::Text(text) => text.named().collect(),
            Self::Number(_) | Self::Bool(_) => Vec::new(),
            Self::List(items) => items.iter().flat_map(Self::named).collect(),
            Self::Table(parts) => parts.iter().flat_map(|(_, part)| part.named()).collect(),
        }
    }

    fn fill<'a>(
        &'a self,
        omit_empty: bool,
        facts: &Facts<'a>,
        secrets: &Secrets,
    ) -> Result<Filled<'a>, NoSecret> {
        let keeps = |filled: &Filled<'_>| !(omit_empty && filled.is_empty());
        Ok(match self {
            Self::Text(text) => Filled::Value(text.value(facts, secrets)?),
            Self::Number(number) => Filled::Number(number),
            Self::Bool(is) => Filled::Value(Value::Is(*is)),
            Self::List(items) => {
                let items = items.iter().map(|item| item.fill(omit_empty, facts, secrets));
                let items: Vec<Filled<'a>> = items.collect::<Result<_, _>>()?;
                Filled::List(items.into_iter().filter(keeps).collect())
            }
            Self::Table(parts) => {
                let parts = parts
                    .iter()
                    .map(|(name, part)| Ok((name.as_str(), part.fill(omit_empty, facts, secrets)?)));
                let parts: Vec<(&str, Filled<'a>)> = parts.collect::<Result<_, NoSecret>>()?;
                Filled::Table(parts.into_iter().filter(|(_, part)| keeps(part)).collect())
            }
        })
    }
}

impl Filled<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Value(value) => value.text().is_empty(),
            Self::Number(_) => false,
            Self::List(items) => items.is_empty(),
            Self::Table(parts) => parts.is_empty(),
        }
    }

    /// What a leaf says; nothing of what has parts.
    fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Value(value) => value.text().into(),
            Self::Number(number) => number.to_string().into(),
            Self::List(_) | Self::Table(_) => "".into(),
        }
    }
}

/// JSON with its members in the order in which they were written: there are readers who mind.
fn write_json(filled: &Filled<'_>, text: &mut String) {
    let string = |said: &str| serde_json::Value::from(said).to_string();
    match filled {
        Filled::Value(Value::Unknown) => text.push_str("null"),
        Filled::Value(Value::Is(is)) => text.push_str(if *is { "true" } else { "false" }),
        Filled::Value(Value::Text(said)) => text.push_str(&string(said)),
        Filled::Number(number) => text.push_str(&number.to_string()),
        Filled::List(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_json(item, text);
            }
            text.push(']');
        }
        Filled::Table(parts) => {
            text.push('{');
            for (at, (name, part)) in parts.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(&string(name));
                text.push(':');
                write_json(part, text);
            }
            text.push('}');
        }
    }
}

/// Pairs; a list is the same name several times. The check lets nothing deeper through.
fn write_form(filled: &Filled<'_>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    if let Filled::Table(parts) = filled {
        for (name, part) in parts {
            match part {
                Filled::List(items) => {
                    for item in items {
                        form.append_pair(name, &item.text());
                    }
                }
                Filled::Value(_) | Filled::Number(_) | Filled::Table(_) => {
                    form.append_pair(name, &part.text());
                }
            }
        }
    }
    form.finish()
}

fn write_xml(filled: &Filled<'_>) -> String {
    let mut xml = Xml::new();
    if let Filled::Table(parts) = filled {
        for (name, part) in parts {
            write_element(&mut xml, name, part);
        }
    }
    xml.finish()
}

/// An element; of a list one for each.
fn write_element(xml: &mut Xml, name: &str, filled: &Filled<'_>) {
    match filled {
        Filled::Value(_) | Filled::Number(_) => xml.element(name, &[], &filled.text()),
        Filled::List(items) => items.iter().for_each(|item| write_element(xml, name, item)),
        Filled::Table(parts) => {
            let attributes: Vec<(&str, std::borrow::Cow<'_, str>)> = parts
                .iter()
                .filter_map(|(name, part)| Some((name.strip_prefix(ATTRIBUTE)?, part.text())))
                .collect();
            let attributes: Vec<(&str, &str)> =
                attributes.iter().map(|(name, value)| (*name, value.as_ref())).collect();
            xml.open(name, &attributes);
            for (name, part) in parts.iter().filter(|(name, _)| !name.starts_with(ATTRIBUTE)) {
                if *name == OWN_TEXT {
                    xml.text(&part.text());
                } else {
                    write_element(xml, name, part);
                }
            }
            xml.close();
        }
    }
}
