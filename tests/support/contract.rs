//! The document (`GET /openapi.json`) held against what is asked and answered: of every answer that a test gets its path,
//! method, status, media type and every member, and of every request that is well meant its query and its members.
//!
//! The document leaves answers open, since members may be added; here one that it does not have fails the test.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};

use crate::post::Reply;

static DOCUMENT: LazyLock<Value> = LazyLock::new(leadyard_domain::openapi::document);

/// A path by its parts, and what the document has of its methods.
type Documented = (Vec<&'static str>, &'static Map<String, Value>);

/// The document's paths by their number of parts.
static PATHS: LazyLock<HashMap<usize, Vec<Documented>>> = LazyLock::new(|| {
    let mut paths: HashMap<usize, Vec<_>> = HashMap::new();
    for (path, methods) in DOCUMENT["paths"].as_object().expect("paths") {
        let parts: Vec<&str> = path.split('/').collect();
        paths.entry(parts.len()).or_default().push((parts, methods.as_object().expect("methods")));
    }
    paths
});

fn is_variable(part: &str) -> bool {
    part.starts_with('{')
}

/// What the document has of a path: that which names most of its parts.
fn path_of(path: &str) -> Option<&'static Map<String, Value>> {
    let asked: Vec<&str> = path.split('/').collect();
    let fits = |parts: &[&str]| {
        parts.iter().zip(&asked).all(|(part, asked)| part == asked || is_variable(part) && !asked.is_empty())
    };
    let found = PATHS.get(&asked.len())?.iter().filter(|(parts, _)| fits(parts));
    // What is named goes before what is not, from the left, as the routers have it.
    let named = |parts: &[&str]| parts.iter().map(|part| !is_variable(part)).collect::<Vec<bool>>();
    found.max_by_key(|(parts, _)| named(parts)).map(|(_, methods)| *methods)
}

/// Pages are for people.
fn is_page(path: &str) -> bool {
    path == "/" || ["/console", "/demo", "/mail"].iter().any(|page| path.starts_with(page))
}

/// Fails the test where an answer is not one that the document has.
pub fn must_be_documented(method: &Method, path: &str, reply: &Reply) {
    let faults = faults(method, path, reply);
    assert!(faults.is_empty(), "{method} {path}: {}\n{}", faults.join("; "), reply.text);
}

/// What the document does not have of an answer.
pub fn faults(method: &Method, path: &str, reply: &Reply) -> Vec<String> {
    if is_page(path) {
        return Vec::new();
    }
    let status = reply.status;
    let Some(methods) = path_of(path) else {
        return fault(status != StatusCode::NOT_FOUND, || format!("answered {status}, and is no path of it"));
    };
    let named = if method == Method::HEAD { Method::GET } else { method.clone() };
    let Some(operation) = methods.get(&named.as_str().to_lowercase()) else {
        return fault(status != StatusCode::METHOD_NOT_ALLOWED, || {
            format!("answered {status}, and is no method of it")
        });
    };
    let Some(response) = operation["responses"].get(status.as_str()) else {
        return vec![format!("it has no answer {status}")];
    };
    let response = response["$ref"].as_str().map_or(response, shared);
    let media = media_of(reply.header("content-type"));
    match response.get("content") {
        None => fault(!reply.bytes.is_empty(), || format!("its answer {status} has no body")),
        Some(_) if reply.bytes.is_empty() => {
            fault(method != Method::HEAD, || format!("its answer {status} has a body"))
        }
        Some(content) => match content.get(media) {
            None => vec![format!("its answer {status} is no {media}")],
            Some(held) if media.ends_with("json") => {
                let mut faults = Vec::new();
                hold(&held["schema"], &reply.json, "", &mut faults);
                faults
            }
            Some(_) => Vec::new(),
        },
    }
}

/// What is shared, by its reference.
fn shared(name: &str) -> &'static Value {
    DOCUMENT.pointer(name.trim_start_matches('#')).expect("what is named is there")
}

fn fault(is_one: bool, says: impl Fn() -> String) -> Vec<String> {
    if is_one { vec![says()] } else { Vec::new() }
}

fn media_of(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// A request.
#[derive(Debug)]
pub struct Asked {
    method: Method,
    path: String,
    query: Vec<String>,
    media: String,
    body: Value,
}

impl Asked {
    /// One that is about to be made.
    pub fn of(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default().to_owned());
        let media = headers.get("content-type").and_then(|media| media.to_str().ok()).unwrap_or_default();
        Self {
            method: method.clone(),
            path: path.to_owned(),
            query: names.filter(|name| !name.is_empty()).collect(),
            media: media_of(media).to_owned(),
            body: serde_json::from_slice(body).unwrap_or_default(),
        }
    }

    /// Fails the test where it did what it was to do, and is not as the document says.
    pub fn must_be_documented(&self, reply: &Reply) {
        let faults = self.faults(reply);
        assert!(faults.is_empty(), "{} {}: {}", self.method, self.path, faults.join("; "));
    }

    /// What the document does not have of it, where it did what it was to do.
    pub fn faults(&self, reply: &Reply) -> Vec<String> {
        if is_page(&self.path) || reply.status.as_u16() >= 400 {
            return Vec::new();
        }
        let Some(methods) = path_of(&self.path) else { return Vec::new() };
        let Some(operation) = methods.get(&self.method.as_str().to_lowercase()) else { return Vec::new() };
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let known =
            |name: &String| parameters.iter().any(|one| one["in"] == "query" && one["name"] == name.as_str());
        let unknown = self.query.iter().filter(|name| !known(name));
        let mut faults: Vec<String> = unknown.map(|name| format!("it has no {name} in its query")).collect();
        if self.media == "application/json" && !self.body.is_null() {
            match operation["requestBody"]["content"].get("application/json") {
                None => faults.push("it takes no JSON".to_owned()),
                Some(held) => hold(&held["schema"], &self.body, "its body", &mut faults),
            }
        }
        faults
    }
}

/// Holds a value against a schema, as far as the document uses schemas.
fn hold(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        hold(shared(name), value, at, faults);
    }
    if let Some(ways) = schema["anyOf"].as_array() {
        let each = ways.iter().map(|way| {
            let mut of_way = Vec::new();
            hold(way, value, at, &mut of_way);
            of_way
        });
        faults.extend(each.min_by_key(Vec::len).unwrap_or_default());
    }
    let is_so = match schema["type"].as_str() {
        None => true,
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => panic!("a type that is not known here: {other}"),
    };
    if !is_so {
        faults.push(format!("{at} is no {}", schema["type"]));
        return;
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        faults.push(format!("{at} is none of its words: {value}"));
    }
    if let Some(members) = value.as_object() {
        hold_members(schema, members, at, faults);
    }
    if let (Some(items), Some(of)) = (value.as_array(), schema.get("items")) {
        for item in items {
            hold(of, item, &format!("{at}[]"), faults);
        }
    }
}

fn hold_members(schema: &Value, members: &Map<String, Value>, at: &str, faults: &mut Vec<String>) {
    let needed = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let missing = needed.iter().filter_map(Value::as_str).filter(|name| !members.contains_key(*name));
    faults.extend(missing.map(|name| format!("{at} lacks {name}")));
    let is_shape = schema["type"] == "object";
    for (name, value) in members {
        let at = format!("{at}/{name}");
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(of), _) => hold(of, value, &at, faults),
            (None, Value::Object(_)) => hold(&schema["additionalProperties"], value, &at, faults),
            (None, Value::Bool(true)) => {}
            (None, _) => {
                faults.extend(is_shape.then(|| format!("it does not have {at}")));
            }
        }
    }
}
