//! `templates.toml`: the forms of dealers' own APIs. See [`crate::delivery::Template`] for what they mean.

use toml::Spanned;
use toml::de::DeValue;

use crate::delivery::{
    BodyKind, Decline, Event, JsonPath, Method, Named, Node, Says, Success, Template, TemplateField, Text,
    TextFault, is_xml_name,
};
use crate::error::Invalid;
use crate::ids::TemplateId;
use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::index::{Index, Read, Refused};
use crate::rulebook::keys::{Keys, document, text};
use crate::rulebook::nearest::suggestion;
use crate::rulebook::problem::{Position, ProblemCode, Problems};

/// What a template says of each message, by its key.
const BODIES: [(&str, Event); 6] = [
    ("assigned", Event::Assigned),
    ("repeated", Event::Repeated),
    ("warned", Event::Warned),
    ("withdrawn", Event::Withdrawn),
    ("erased", Event::Erased),
    ("opted_out", Event::OptedOut),
];
/// Headers that are ours, or the connection's.
const OUR_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

pub(super) fn read(
    body: &Body<'_>,
    index: &mut Index<TemplateId>,
    problems: &mut Problems,
) -> Vec<(Position, Template)> {
    let mut templates = Vec::new();
    if body.text.len() > limits::TEMPLATES_BYTES {
        let message = format!("all templates together have at most {} bytes", limits::TEMPLATES_BYTES);
        problems.error(body, 0, ProblemCode::TooLarge, message);
        index.broke_off();
        return templates;
    }
    let Some(document) = document(body, problems) else {
        index.broke_off();
        return templates;
    };
    let mut keys = Keys::new(body, &document, 0);
    let Ok(tables) = keys.tables("template", problems) else {
        index.broke_off();
        return templates;
    };
    if tables.len() > limits::TEMPLATES {
        let message = format!("a rulebook has at most {} templates", limits::TEMPLATES);
        let _noted: Read<()> = keys.refuse("template", ProblemCode::TooMany, message, problems);
    }
    for mut table in tables.into_iter().take(limits::TEMPLATES) {
        let at = body.locate(table.offset);
        let read = template(&mut table, body, index, problems);
        table.finish(problems);
        templates.extend(read.map(|template| (at, template)));
    }
    keys.finish(problems);
    templates
}

fn template(
    keys: &mut Keys<'_, '_>,
    body: &Body<'_>,
    index: &mut Index<TemplateId>,
    problems: &mut Problems,
) -> Read<Template> {
    let id = keys.needed("id", text(id), problems);
    let unique = id.as_ref().map_or(Ok(()), |id| index.insert(id, keys.offset_of("id"), body, problems));
    let method = keys.optional("method", text(str::parse::<Method>), problems);
    let kind = keys.needed("kind", text(str::parse::<BodyKind>), problems);
    let omit_empty = keys.flag("omit_empty", problems);
    let headers = headers(keys, problems);
    let mut bodies = Vec::new();
    let mut refused = false;
    for (key, event) in BODIES {
        match message(keys, key, event, kind.as_ref().ok().copied(), problems) {
            Ok(Some(node)) => bodies.push((event, node)),
            Ok(None) => {}
            Err(Refused) => refused = true,
        }
    }
    if !refused && bodies.first().is_none_or(|(event, _)| *event != Event::Assigned) {
        refused = true;
        let _noted: Read<()> = keys.missing("assigned", problems);
    }
    let success = success(keys, problems);
    let reference = keys.optional("reference", text(str::parse::<JsonPath>), problems);
    let decline = decline(keys, problems);
    unique?;
    if refused {
        return Err(Refused);
    }
    Ok(Template {
        id: id?,
        method: method?.unwrap_or(Method::Post),
        kind: kind?,
        headers: headers?,
        omit_empty: omit_empty?,
        bodies,
        success: success?,
        reference: reference?,
        decline: decline?,
    })
}

fn id(text: &str) -> Result<TemplateId, Invalid> {
    if crate::dealer::Format::WORDS.contains(&text) {
        return Err(Invalid::new("standard and adf are formats already: a template has another id"));
    }
    text.parse()
}

/// `headers = { Authorization = "Bearer {secret.api_key}" }`
fn headers(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Vec<(String, Text)>> {
    let pairs = keys.pairs("headers", problems)?;
    if pairs.len() > limits::TEMPLATE_HEADERS {
        let message = format!("a template has at most {} headers", limits::TEMPLATE_HEADERS);
        return keys.refuse("headers", ProblemCode::TooMany, message, problems);
    }
    let mut read = Vec::new();
    let mut refused = false;
    for pair in pairs {
        let name = pair.name.to_ascii_lowercase();
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let fits = (1..=limits::FIELD_NAME_BYTES).contains(&name.len()) && name.bytes().all(token);
        let rule = if !fits {
            Some("a header's name is 1 to 64 letters, digits and '-'")
        } else if OUR_HEADERS.contains(&name.as_str()) || name.starts_with("webhook-") {
            Some("this header is ours: leave it out")
        } else if read.iter().any(|(known, _)| *known == name) {
            Some("this header is here twice")
        } else {
            None
        };
        if let Some(rule) = rule {
            refused = true;
            let _noted: Read<()> =
                keys.refuse_at(pair.name_offset, ProblemCode::InvalidValue, rule, problems);
            continue;
        }
        match text_of(keys, pair.value, problems, |named| match named {
            Named::Field(field) if !field.is_bare() => {
                Some("nothing of the person stands in a header: name ids and secrets".to_owned())
            }
            Named::Extra(_) => {
                Some("nothing of the person stands in a header: name ids and secrets".to_owned())
            }
            Named::Field(_) | Named::Secret(_) => None,
        }) {
            Ok(text) => read.push((name, text)),
            Err(Refused) => refused = true,
        }
    }
    if refused { Err(Refused) } else { Ok(read) }
}

/// `[template.assigned]`
fn message(
    keys: &mut Keys<'_, '_>,
    key: &'static str,
    event: Event,
    kind: Option<BodyKind>,
    problems: &mut Problems,
) -> Read<Option<Node>> {
    let pairs = keys.pairs(key, problems)?;
    if pairs.is_empty() {
        // An empty table is there and says nothing.
        return if keys.offset_of(key) == keys.offset {
            Ok(None)
        } else {
            keys.refuse(key, ProblemCode::MissingValue, format!("{key} has no fields"), problems)
        };
    }
    let mut reader = BodyReader { keys, key, event, kind, nodes: 0 };
    let mut parts: Vec<(usize, Read<(String, Node)>)> = Vec::new();
    for pair in pairs {
        let part = reader.part(pair.name, pair.name_offset, pair.value, 1, problems);
        parts.push((pair.name_offset, part));
    }
    let offset = reader.keys.offset_of(key);
    let node = in_order(parts)?;
    if kind == Some(BodyKind::Xml) {
        let Node::Table(parts) = &node else { return Err(Refused) };
        let one = matches!(&parts[..], [(name, Node::Table(_) | Node::Text(_))] if is_xml_name(name));
        if !one {
            let message = format!("{key}: an XML document has one element that holds the others");
            return keys.refuse_at(offset, ProblemCode::InvalidValue, message, problems);
        }
    }
    Ok(Some(node))
}

/// Parts in the order in which they stand in the file.
fn in_order(mut parts: Vec<(usize, Read<(String, Node)>)>) -> Read<Node> {
    parts.sort_by_key(|(offset, _)| *offset);
    parts.into_iter().map(|(_, part)| part).collect::<Read<_>>().map(Node::Table)
}

/// Reads one body.
struct BodyReader<'k, 't, 'a> {
    keys: &'k Keys<'t, 'a>,
    key: &'static str,
    event: Event,
    kind: Option<BodyKind>,
    nodes: usize,
}

impl<'a> BodyReader<'_, '_, 'a> {
    fn part(
        &mut self,
        name: &str,
        offset: usize,
        value: &Spanned<DeValue<'a>>,
        depth: usize,
        problems: &mut Problems,
    ) -> Read<(String, Node)> {
        let xml = self.kind == Some(BodyKind::Xml);
        let bare = name.strip_prefix('@').unwrap_or(name);
        let leaf = name.starts_with('@') || name == "#text";
        let fits = if xml { is_xml_name(bare) || name == "#text" } else { !name.is_empty() };
        if !fits || name.len() > limits::FIELD_NAME_BYTES || name.chars().any(char::is_control) {
            let message = format!("{}: a field's name is 1 to 64 bytes, in XML a name of XML", self.key);
            return self.keys.refuse_at(offset, ProblemCode::InvalidValue, message, problems);
        }
        let node = self.node(value, depth, problems)?;
        if xml && leaf && matches!(node, Node::List(_) | Node::Table(_)) {
            let message = format!("{}: an attribute and an element's text have no parts", self.key);
            return self.keys.refuse_at(offset, ProblemCode::InvalidValue, message, problems);
        }
        Ok((name.to_owned(), node))
    }

    fn node(&mut self, value: &Spanned<DeValue<'a>>, depth: usize, problems: &mut Problems) -> Read<Node> {
        let offset = value.span().start;
        self.nodes += 1;
        let flat = self.kind == Some(BodyKind::Form);
        let too = if self.nodes > limits::TEMPLATE_FIELDS {
            Some(format!("{}: a body has at most {} fields", self.key, limits::TEMPLATE_FIELDS))
        } else if depth > limits::TEMPLATE_DEPTH {
            Some(format!("{}: a body is at most {} deep", self.key, limits::TEMPLATE_DEPTH))
        } else if flat && value.get_ref().is_table() {
            Some(format!("{}: a form has no tables within it", self.key))
        } else if flat && value.get_ref().is_array() && depth > 1 {
            Some(format!("{}: a form has no lists of lists", self.key))
        } else {
            None
        };
        if let Some(message) = too {
            return self.keys.refuse_at(offset, ProblemCode::InvalidValue, message, problems);
        }
        match value.get_ref() {
            DeValue::String(_) => {
                let event = self.event;
                let check = |named: &Named| match named {
                    Named::Field(field) if !field.is_of(event) => {
                        Some(format!("{event} says nothing of {field}"))
                    }
                    Named::Extra(_) if !TemplateField::Message.is_of(event) => {
                        Some(format!("{event} says nothing of the person"))
                    }
                    Named::Field(_) | Named::Extra(_) | Named::Secret(_) => None,
                };
                text_of(self.keys, value, problems, check).map(Node::Text)
            }
            DeValue::Boolean(is) => Ok(Node::Bool(*is)),
            DeValue::Integer(number) => {
                let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
                read.map(|number| Node::Number(number.into())).ok_or(Refused).or_else(|Refused| {
                    let message = format!("{}: this number is too large", self.key);
                    self.keys.refuse_at(offset, ProblemCode::InvalidValue, message, problems)
                })
            }
            DeValue::Float(number) => {
                let read = number.as_str().parse().ok().and_then(serde_json::Number::from_f64);
                read.map(Node::Number).ok_or(Refused).or_else(|Refused| {
                    let message = format!("{}: this is no number that can be sent", self.key);
                    self.keys.refuse_at(offset, ProblemCode::InvalidValue, message, problems)
                })
            }
            DeValue::Datetime(_) => {
                let message = format!("{}: a date is text, in quotes", self.key);
                self.keys.refuse_at(offset, ProblemCode::InvalidValue, message, problems)
            }
            DeValue::Array(items) => {
                let items: Vec<Read<Node>> =
                    items.iter().map(|item| self.node(item, depth + 1, problems)).collect();
                items.into_iter().collect::<Read<_>>().map(Node::List)
            }
            DeValue::Table(table) => {
                let mut parts = Vec::new();
                for (name, value) in table {
                    let at = name.span().start;
                    parts.push((at, self.part(name.get_ref(), at, value, depth + 1, problems)));
                }
                in_order(parts)
            }
        }
    }
}

/// A text with fields in it, each of which may stand here.
fn text_of(
    keys: &Keys<'_, '_>,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Problems,
    refuses: impl Fn(&Named) -> Option<String>,
) -> Read<Text> {
    let offset = value.span().start;
    let Some(written) = value.get_ref().as_str() else {
        return keys.refuse_at(offset, ProblemCode::InvalidValue, "this is text, in quotes", problems);
    };
    match Text::read(written) {
        Ok(text) => {
            let refused = text.named().find_map(refuses);
            match refused {
                Some(message) => keys.refuse_at(offset, ProblemCode::InvalidValue, message, problems),
                None => Ok(text),
            }
        }
        Err(TextFault::Invalid(invalid)) => {
            keys.refuse_at(offset, ProblemCode::InvalidValue, invalid.to_string(), problems)
        }
        Err(TextFault::Unknown(name)) => {
            let known: Vec<&str> = TemplateField::ALL.iter().map(|field| field.as_str()).collect();
            let shown: String = name.chars().take(limits::FIELD_NAME_BYTES).collect();
            let meant = suggestion(&name, known.iter().copied());
            let message = format!(
                "there is no field {shown:?}{meant} (the fields are: {}, extra.NAME and secret.NAME)",
                known.join(" ")
            );
            keys.refuse_at(offset, ProblemCode::UnknownReference, message, problems)
        }
    }
}

/// `success = { status = [200, 201], json = "$.status", is = ["ok"] }`
fn success(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Success> {
    let Some(mut table) = keys.table("success", problems)? else { return Ok(Success::default()) };
    let status = statuses(&mut table, |status| (200..300).contains(&status), "2xx", problems);
    let says = says(&mut table, problems);
    table.finish(problems);
    Ok(Success { status: status?, says: says? })
}

/// `decline = { json = "$.status", is = ["duplicate"], reason = "$.message" }`
fn decline(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Option<Decline>> {
    let Some(mut table) = keys.table("decline", problems)? else { return Ok(None) };
    let told = |status| (200..300).contains(&status) || (400..500).contains(&status);
    let status = statuses(&mut table, told, "2xx or 4xx", problems);
    let says = says(&mut table, problems);
    let reason = table.optional("reason", text(str::parse::<JsonPath>), problems);
    table.finish(problems);
    let (status, says) = (status?, says?);
    if status.is_empty() && says.is_none() {
        let message = "decline says how it is known: by status, json or text";
        return keys.refuse("decline", ProblemCode::MissingKey, message, problems);
    }
    Ok(Some(Decline { status, says, reason: reason? }))
}

fn statuses(
    table: &mut Keys<'_, '_>,
    fits: impl Fn(u16) -> bool,
    rule: &str,
    problems: &mut Problems,
) -> Read<Vec<u16>> {
    let parse = |value: &DeValue<'_>| {
        let wrong = || Invalid::new(format!("status is a list of numbers, each {rule}: [200, 201]"));
        let items = value.as_array().ok_or_else(wrong)?;
        let status = |item: &Spanned<DeValue<'_>>| {
            let number = item.get_ref().as_integer()?;
            u16::from_str_radix(number.as_str(), number.radix()).ok().filter(|status| fits(*status))
        };
        let read: Option<Vec<u16>> = items.iter().map(status).collect();
        read.filter(|read| !read.is_empty() && read.len() <= 20).ok_or_else(wrong)
    };
    Ok(table.optional("status", parse, problems)?.unwrap_or_default())
}

fn says(table: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Option<Says>> {
    let path = table.optional("json", text(str::parse::<JsonPath>), problems)?;
    let is = table.list("is", |word| Ok(word.to_owned()), problems)?;
    let within = |word: &str| {
        if (1..=limits::TEXT_CHARS).contains(&word.len()) {
            Ok(word.to_owned())
        } else {
            Err(Invalid::new("text is 1 to 200 bytes that the answer contains"))
        }
    };
    let contained = table.optional("text", text(within), problems)?;
    match (path, is, contained) {
        (Some(path), is, None) => Ok(Some(Says::Json { path, is: is.unwrap_or_default() })),
        (None, None, Some(text)) => Ok(Some(Says::Text(text))),
        (None, None, None) => Ok(None),
        (Some(_), _, Some(_)) => {
            let message = "an answer is known by json or by text, not by both";
            table.refuse("text", ProblemCode::Contradiction, message, problems)
        }
        (None, Some(_), _) => table.refuse("is", ProblemCode::Contradiction, "is goes with json", problems),
    }
}
