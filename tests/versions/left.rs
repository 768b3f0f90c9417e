//! What a system left behind: its items, its messages, and what they are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leadyard::system;
use leadyard_platform::store::Item;
use leadyard_tests::Yard;
use serde_json::{Map, Value, json};

/// What a system left behind.
pub(crate) struct Left {
    /// When.
    pub(crate) at: String,
    /// Leads by what they are for.
    pub(crate) leads: BTreeMap<String, String>,
    items: Vec<Item>,
    /// Queue and body.
    messages: Vec<(String, Value)>,
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("versions/recorded.json")
}

impl Left {
    pub(crate) async fn of(yard: &Yard, leads: BTreeMap<&str, String>) -> Self {
        let store = &yard.cloud.store;
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let page =
                store.client().scan().table_name(store.table()).set_exclusive_start_key(start).send().await;
            let page = page.unwrap();
            items.extend(page.items.into_iter().flatten());
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                break;
            }
        }
        let messages = system::WORKED.iter().flat_map(|queue| {
            let bodies = yard.queued(queue.name).into_iter();
            bodies.map(|body| (queue.name.to_owned(), serde_json::from_str(&body).expect("JSON")))
        });
        Self {
            at: yard.cloud.clock.now().to_string(),
            leads: leads.into_iter().map(|(name, id)| (name.to_owned(), id)).collect(),
            items,
            messages: messages.collect(),
        }
    }

    /// What the version before left; `now`, when it is to be recorded.
    pub(crate) fn recorded(now: &Self) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test's own knob")]
        let record = std::env::var("RECORD").is_ok();
        let before = Self::read();
        if !record {
            return before;
        }
        let anew = now.with_sums_of(&before);
        std::fs::write(file(), anew.text()).expect("the recording can be written");
        anew
    }

    /// The recording.
    pub(crate) fn read() -> Self {
        let text = std::fs::read_to_string(file()).expect("a recording");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let list = |name: &str| read[name].as_array().expect("a list").clone().into_iter();
        let members = |value: &Value| value.as_object().expect("members").clone().into_iter();
        Self {
            at: read["at"].as_str().expect("an instant").to_owned(),
            leads: members(&read["leads"])
                .map(|(name, id)| (name, id.as_str().unwrap().to_owned()))
                .collect(),
            items: list("items")
                .map(|item| members(&item).map(|(name, one)| (name, attribute(&one))).collect())
                .collect(),
            messages: list("messages")
                .map(|message| (message["queue"].as_str().unwrap().to_owned(), message["body"].clone()))
                .collect(),
        }
    }

    /// With sums of another that it packs none like, of each version of them some, under a name of their own: what was
    /// counted once is never packed anew, and is to be read for good.
    pub(crate) fn with_sums_of(&self, before: &Self) -> Self {
        let anew = self.packed_by();
        let mut kept: BTreeMap<u8, Item> = BTreeMap::new();
        for item in &before.items {
            let Some(version) = packed(item).filter(|version| !anew.contains(version)) else { continue };
            let sk = item["sk"].as_s().expect("a key");
            let (day, _) = sk.rsplit_once('#').expect("a day and a shard");
            let mut item = item.clone();
            item.insert("sk".to_owned(), AttributeValue::S(format!("{day}#version-{version}")));
            kept.insert(version, item);
        }
        let items = self.items.iter().cloned().chain(kept.into_values()).collect();
        Self { at: self.at.clone(), leads: self.leads.clone(), items, messages: self.messages.clone() }
    }

    /// The versions that packed the sums which stand here.
    pub(crate) fn packed_by(&self) -> BTreeSet<u8> {
        self.items.iter().filter_map(packed).collect()
    }

    /// As another version would have packed its sums, as far as is told from outside.
    pub(crate) fn pack_as(&mut self, version: u8) {
        for item in self.items.iter_mut().filter(|item| packed(item).is_some()) {
            let mut bytes = item["b"].as_b().expect("bytes").clone().into_inner();
            bytes[0] = version;
            item.insert("b".to_owned(), AttributeValue::B(Blob::new(bytes)));
        }
    }

    /// As it is kept: an item a line.
    fn text(&self) -> String {
        let mut items: Vec<String> = self.items.iter().map(|item| typed_members(item).to_string()).collect();
        items.sort();
        let messages: Vec<String> = self
            .messages
            .iter()
            .map(|(queue, body)| json!({ "queue": queue, "body": body }).to_string())
            .collect();
        let mut text = String::new();
        let _ = write!(
            text,
            "{{\"at\": {}, \"leads\": {},\n\"items\": [\n{}\n],\n\"messages\": [\n{}\n]}}\n",
            json!(self.at),
            json!(self.leads),
            items.join(",\n"),
            messages.join(",\n")
        );
        text
    }

    /// Puts all of it where another system goes on.
    pub(crate) async fn put(&self, yard: &Yard) {
        let store = &yard.cloud.store;
        for item in &self.items {
            let put = store.client().put_item().table_name(store.table()).set_item(Some(item.clone()));
            put.send().await.expect("an item that a table held");
        }
        for (queue, body) in &self.messages {
            yard.aws.queues().send(queue, &body.to_string(), Some("left"), 0).expect("a queue");
        }
    }

    /// As a version after would have left it, whose every shape has one member more.
    pub(crate) fn add_to_all(&mut self, name: &str, says: &str) {
        for item in &mut self.items {
            add_to_structs(item, name, says);
        }
        for (_, body) in &mut self.messages {
            let message = body["m"].as_object_mut().expect("a message");
            // A message of several kinds is named by its only member; of one that is an id alone, nothing more is said.
            let only = message.len() == 1;
            match message.values_mut().next() {
                Some(Value::Object(inner)) if only => drop(inner.insert(name.to_owned(), json!(says))),
                Some(_) if only => {}
                Some(_) | None => drop(message.insert(name.to_owned(), json!(says))),
            }
            body[name] = json!(says);
        }
    }

    /// What each kind of item and message is made of.
    pub(crate) fn shapes(&self) -> BTreeMap<String, Shape> {
        let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
        for item in &self.items {
            shapes.entry(kind_of(item)).or_default().saw(flat_item(item));
        }
        for (queue, body) in &self.messages {
            let only = body["m"].as_object().filter(|members| members.len() == 1);
            let variant = only.and_then(|members| members.keys().next()).map_or("", String::as_str);
            shapes.entry(format!("queue {queue} {variant}")).or_default().saw(flat(&typed_json(body)));
        }
        shapes
    }
}

/// Everything that is a struct has it besides: an item, and the maps in its lists.
fn add_to_structs(item: &mut Item, name: &str, says: &str) {
    for value in item.values_mut() {
        if let AttributeValue::L(list) = value {
            for one in list {
                if let AttributeValue::M(members) = one {
                    add_to_structs(members, name, says);
                }
            }
        }
    }
    item.insert(name.to_owned(), AttributeValue::S(says.to_owned()));
}

/// What an item is, by its keys, without what tells one from another: `L L`, `L A`, `K returns`.
fn kind_of(item: &Item) -> String {
    let text = |name: &str| item[name].as_s().expect("a key").clone();
    let first = |key: String| {
        let first = key.split(['#', ':']).next().unwrap_or_default().to_owned();
        if first.chars().all(|one| one.is_ascii_digit()) { "time".to_owned() } else { first }
    };
    format!("{} {}", first(text("pk")), first(text("sk")))
}

/// The version that packed a day's sums; `None` of what is none.
fn packed(item: &Item) -> Option<u8> {
    let bytes = item.get("b").filter(|_| kind_of(item) == "T P")?;
    bytes.as_b().expect("bytes").as_ref().first().copied()
}

/// What a kind is made of: by path, what types it has there, and which words.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    seen: usize,
    always: BTreeMap<String, usize>,
    types: BTreeMap<String, BTreeSet<String>>,
    words: BTreeMap<String, BTreeSet<String>>,
}

impl Shape {
    fn saw(&mut self, members: Vec<(String, String, Option<String>)>) {
        self.seen += 1;
        let mut here = BTreeSet::new();
        for (path, kind, word) in members {
            self.types.entry(path.clone()).or_default().insert(kind);
            if let Some(word) = word {
                self.words.entry(path.clone()).or_default().insert(word);
            }
            here.insert(path);
        }
        for path in here {
            *self.always.entry(path).or_default() += 1;
        }
    }

    /// What whoever knows this shape would not find in, or not understand of, another of the same kind.
    pub(crate) fn misses(&self, kind: &str, other: &Self) -> Vec<String> {
        let mut misses = Vec::new();
        for (path, seen) in &self.always {
            let still = other.always.get(path).copied().unwrap_or_default();
            if *seen == self.seen && still < other.seen {
                misses.push(format!("{kind}: {path} is not always there any more"));
            }
        }
        for (path, types) in &other.types {
            let Some(known) = self.types.get(path) else { continue };
            if !types.is_subset(known) {
                misses.push(format!("{kind}: {path} was {known:?} and is {types:?}"));
            }
        }
        for (path, words) in &other.words {
            let Some(known) = self.words.get(path) else { continue };
            if !words.is_subset(known) {
                misses.push(format!("{kind}: {path} said {known:?} and says {words:?}"));
            }
        }
        misses
    }
}

/// A word of a closed list, as far as can be told from outside: a state, a reason, a kind.
fn word(text: &str) -> Option<String> {
    let is = !text.is_empty() && text.chars().all(|one| one.is_ascii_lowercase() || one == '_');
    is.then(|| text.to_owned())
}

fn flat_item(item: &Item) -> Vec<(String, String, Option<String>)> {
    flat(&typed_members(item))
}

/// The members of a value in which every value is `{"TYPE": value}`, by path.
fn flat(typed: &Value) -> Vec<(String, String, Option<String>)> {
    fn walk(path: &str, typed: &Value, all: &mut Vec<(String, String, Option<String>)>) {
        let (kind, value) = typed.as_object().and_then(|one| one.iter().next()).expect("a type");
        all.push((path.to_owned(), kind.clone(), value.as_str().filter(|_| kind == "S").and_then(word)));
        if let (Value::Object(members), "M") = (value, kind.as_str()) {
            for (name, value) in members {
                walk(&format!("{path}.{name}"), value, all);
            }
        }
        if let (Value::Array(list), "L") = (value, kind.as_str()) {
            for value in list {
                walk(&format!("{path}[]"), value, all);
            }
        }
    }
    let mut all = Vec::new();
    walk("", &json!({ "M": typed }), &mut all);
    all
}

fn typed_json(value: &Value) -> Value {
    fn typed(value: &Value) -> Value {
        match value {
            Value::Null => json!({ "NULL": true }),
            Value::Bool(one) => json!({ "BOOL": one }),
            Value::Number(one) => json!({ "N": one.to_string() }),
            Value::String(one) => json!({ "S": one }),
            Value::Array(list) => json!({ "L": list.iter().map(typed).collect::<Vec<_>>() }),
            Value::Object(_) => json!({ "M": typed_json(value) }),
        }
    }
    let members = value.as_object().expect("members");
    Value::Object(members.iter().map(|(name, value)| (name.clone(), typed(value))).collect())
}

fn typed_members(item: &Item) -> Value {
    // In the order of their names, so that a recording can be compared.
    let sorted: BTreeMap<&String, &AttributeValue> = item.iter().collect();
    Value::Object(sorted.into_iter().map(|(name, value)| (name.clone(), typed(value))).collect::<Map<_, _>>())
}

/// DynamoDB's JSON of an attribute.
fn typed(value: &AttributeValue) -> Value {
    let base64 = |blob: &Blob| STANDARD.encode(blob.as_ref());
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(one) => json!({ "BOOL": one }),
        AttributeValue::Null(one) => json!({ "NULL": one }),
        AttributeValue::B(blob) => json!({ "B": base64(blob) }),
        AttributeValue::Ss(set) => json!({ "SS": set.iter().collect::<BTreeSet<_>>() }),
        AttributeValue::Ns(set) => json!({ "NS": set.iter().collect::<BTreeSet<_>>() }),
        AttributeValue::Bs(set) => json!({ "BS": set.iter().map(base64).collect::<BTreeSet<_>>() }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(typed).collect::<Vec<_>>() }),
        AttributeValue::M(members) => json!({ "M": typed_members(members) }),
        other => panic!("DynamoDB has no such type: {other:?}"),
    }
}

fn attribute(typed: &Value) -> AttributeValue {
    let (kind, value) = typed.as_object().and_then(|one| one.iter().next()).expect("a type");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let blob = |value: &Value| Blob::new(STANDARD.decode(text(value)).expect("base64"));
    let list = || value.as_array().expect("a list").iter();
    match kind.as_str() {
        "S" => AttributeValue::S(text(value)),
        "N" => AttributeValue::N(text(value)),
        "BOOL" => AttributeValue::Bool(value == &json!(true)),
        "NULL" => AttributeValue::Null(true),
        "B" => AttributeValue::B(blob(value)),
        "SS" => AttributeValue::Ss(list().map(text).collect()),
        "NS" => AttributeValue::Ns(list().map(text).collect()),
        "BS" => AttributeValue::Bs(list().map(blob).collect()),
        "L" => AttributeValue::L(list().map(attribute).collect()),
        "M" => {
            let members = value.as_object().expect("members").iter();
            AttributeValue::M(members.map(|(name, value)| (name.clone(), attribute(value))).collect())
        }
        other => panic!("no type {other}"),
    }
}
