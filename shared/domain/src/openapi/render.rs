//! The table as JSON: OpenAPI 3.1.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::route::{Body, JSON, Kind, Member, PROBLEM, Route, Who};
use super::{routes, shapes};
use crate::access::Role;
use crate::error::Code;

/// The whole document.
pub fn document() -> Value {
    let routes = routes();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in &routes {
        let path = path(route, &routes);
        let told = operation(route, &path);
        paths.entry(path).or_default().insert(route.method.as_str().to_owned(), told);
    }
    let shapes: Map<String, Value> =
        shapes::all().into_iter().map(|(name, kind)| (name.to_owned(), schema(&kind))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Leadyard",
            "version": "1",
            "summary": "Sales leads: taken in, scored, given to dealers.",
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description":
            "One machine, or the one name in front of all. Else leads, interactions and the console have a URL each: \
             `x-leadyard-function` says whose a route is." }],
        "tags": tags(&routes),
        "paths": paths,
        "components": {
            "schemas": shapes,
            "responses": shared_problems(&routes),
            "securitySchemes": {
                "source_secret": bearer("A source's secret: server to server, never in a page."),
                "desk_token": bearer(
                    "A token of the desk, for one or several companies. What stands beside it is the role that is \
                     needed at least: reader, desk or manager."
                ),
                "dealer_token": bearer("A dealer's token, for its own leads."),
            },
        },
    })
}

const ABOUT: &str = "Errors are RFC 9457 problems with a stable `type`; `errors` names the fields at fault. Nothing \
    personal stands in an error or is to be sent in a URL. Members may be added to answers: leave alone what you do not \
    know. What is not for the one who asks does not exist for them: 404; what needs another role \
    in the company than they have is refused: 403. Where an answer has Retry-After, the same \
    request may be sent again after so many seconds.";

fn bearer(says: &str) -> Value {
    json!({ "type": "http", "scheme": "bearer", "description": says })
}

fn tags(routes: &[Route]) -> Vec<Value> {
    let mut tags: Vec<&str> = Vec::new();
    for route in routes {
        if !tags.contains(&route.tag) {
            tags.push(route.tag);
        }
    }
    tags.into_iter().map(|tag| json!({ "name": tag })).collect()
}

/// The path as the document has it. Paths that differ by the names of their parts alone are one path there; the names
/// are joined.
fn path(route: &Route, routes: &[Route]) -> String {
    let same = |other: &&Route| unnamed(other.path) == unnamed(route.path);
    let alike: Vec<Vec<&str>> =
        routes.iter().filter(same).map(|other| other.path.split('/').collect()).collect();
    let part = |at: usize, own: &str| {
        let Some(own) = name_of(own) else { return own.to_owned() };
        let mut names = Vec::new();
        for name in alike.iter().filter_map(|other| name_of(other.get(at)?)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        format!("{{{}}}", if names.is_empty() { own.to_owned() } else { names.join("_or_") })
    };
    let parts: Vec<String> = route.path.split('/').enumerate().map(|(at, own)| part(at, own)).collect();
    parts.join("/")
}

/// A part's name: `key` of `{key}`.
fn name_of(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

fn unnamed(path: &str) -> Vec<&str> {
    path.split('/').map(|part| name_of(part).map_or(part, |_| "{}")).collect()
}

fn operation(route: &Route, path: &str) -> Value {
    let mut told = json!({
        "operationId": operation_id(route),
        "tags": [route.tag],
        "summary": route.says,
        "description": description(route),
        "x-leadyard-function": route.function.name(),
        "security": security(route),
        "responses": responses(route),
    });
    let parameters = parameters(route, path);
    if let Some(members) = told.as_object_mut() {
        if !parameters.is_empty() {
            members.insert("parameters".to_owned(), json!(parameters));
        }
        if let Some(body) = &route.body {
            members.insert("requestBody".to_owned(), request_body(body));
        }
    }
    told
}

fn operation_id(route: &Route) -> String {
    let path: Vec<&str> = route
        .path
        .split(['/', '.', '-'])
        .filter(|part| !part.is_empty() && *part != "v1")
        .map(|part| name_of(part).unwrap_or(part))
        .collect();
    format!("{}_{}", route.method.as_str(), path.join("_"))
}

fn description(route: &Route) -> String {
    let who: Vec<&str> = route
        .who
        .iter()
        .map(|who| match who {
            Who::Anyone => "anyone",
            Who::PageKey => "whoever has the page key in the path",
            Who::SourceSecret => "a server with the source's secret",
            Who::Desk(Role::Reader) => "the desk",
            Who::Desk(Role::Desk) => "the desk, by a role of desk or manager",
            Who::Desk(Role::Manager) => "the desk, by the role of manager",
            Who::Dealer => "the dealer itself",
            Who::Link => "whoever has the link",
            Who::Platform => "the ad platform, by the key or signature it was given",
        })
        .collect();
    let called = format!("Called by: {}.", who.join("; "));
    if route.more.is_empty() { called } else { format!("{} {called}", route.more) }
}

fn security(route: &Route) -> Vec<Value> {
    let mut ways: Vec<Value> = Vec::new();
    for who in &route.who {
        let way = match who {
            // A key in the path is no scheme of OpenAPI.
            Who::Anyone | Who::PageKey | Who::Link | Who::Platform => json!({}),
            Who::SourceSecret => json!({ "source_secret": [] }),
            Who::Desk(role) => json!({ "desk_token": [role] }),
            Who::Dealer => json!({ "dealer_token": [] }),
        };
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

fn parameters(route: &Route, path: &str) -> Vec<Value> {
    let parameter = |of: &str, member: &Member, name: &str| {
        json!({
            "in": of, "name": name, "description": member.says, "required": member.always,
            "schema": schema(&member.kind),
        })
    };
    let of_path = route.path.split('/').zip(path.split('/')).filter_map(|(own, told)| {
        let (own, told) = (name_of(own)?, name_of(told)?);
        let said = route.of_path.iter().find(|member| member.name == own).cloned();
        Some(parameter("path", &said.unwrap_or_else(|| shapes::part(own)), told))
    });
    let query = route.query.iter().map(|member| parameter("query", member, member.name));
    let headers = route.headers.iter().map(|member| parameter("header", member, member.name));
    of_path.chain(query).chain(headers).collect()
}

fn request_body(body: &Body) -> Value {
    let mut holds = json!({ "schema": schema(&body.kind) });
    if let (Some(example), Some(members)) = (&body.example, holds.as_object_mut()) {
        members.insert("example".to_owned(), example.clone());
    }
    let content: Map<String, Value> = body
        .media
        .iter()
        .map(|media| {
            let own = if *media == JSON || body.media.len() == 1 {
                holds.clone()
            } else {
                json!({ "schema": schema(&body.kind) })
            };
            ((*media).to_owned(), own)
        })
        .collect();
    json!({
        "description": format!("At most {} bytes.", body.bytes),
        "required": body.needed,
        "content": content,
    })
}

fn responses(route: &Route) -> Map<String, Value> {
    let mut told: BTreeMap<u16, (Vec<String>, Map<String, Value>)> = BTreeMap::new();
    for answer in &route.answers {
        let (says, content) = told.entry(answer.status).or_default();
        says.push(answer.says.to_owned());
        for (media, kind) in &answer.holds {
            content.insert((*media).to_owned(), json!({ "schema": schema(kind) }));
        }
    }
    let mut shared = Map::new();
    for (status, codes) in by_status(route) {
        if !told.contains_key(&status) && route.tells_problems_alone() {
            let name = format!("#/components/responses/{}", name_of_problems(&codes));
            shared.insert(status.to_string(), json!({ "$ref": name }));
            continue;
        }
        let (says, content) = told.entry(status).or_default();
        says.push(said_of_problems(&codes));
        for (media, kind) in &route.problems_as {
            content.entry(*media).or_insert_with(|| json!({ "schema": schema_of_problems(kind, &codes) }));
        }
    }
    let own = told
        .into_iter()
        .map(|(status, (says, content))| (status.to_string(), response(status, &says.join(" "), content)));
    own.chain(shared).collect()
}

fn response(status: u16, says: &str, content: Map<String, Value>) -> Value {
    let mut response = json!({ "description": says });
    if let Some(members) = response.as_object_mut().filter(|_| !content.is_empty()) {
        members.insert("content".to_owned(), Value::Object(content));
    }
    if let Some(members) = response.as_object_mut().filter(|_| status == 503 || status == 429) {
        let after = json!({ "Retry-After": {
            "description": "When to send it again, in seconds.", "schema": { "type": "integer" } } });
        members.insert("headers".to_owned(), after);
    }
    response
}

/// What several routes refuse with alike, by the codes.
fn shared_problems(routes: &[Route]) -> Map<String, Value> {
    let mut shared = Map::new();
    for route in routes.iter().filter(|route| route.tells_problems_alone()) {
        for (status, codes) in by_status(route) {
            if route.answers.iter().any(|answer| answer.status == status) {
                continue;
            }
            let held = json!({ "schema": schema_of_problems(&Kind::Of("Problem"), &codes) });
            let content = Map::from_iter([(PROBLEM.to_owned(), held)]);
            let told = response(status, &said_of_problems(&codes), content);
            shared.insert(name_of_problems(&codes), told);
        }
    }
    shared
}

/// The codes that a route answers with, by their status.
fn by_status(route: &Route) -> BTreeMap<u16, Vec<Code>> {
    let mut found: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in route.codes() {
        found.entry(code.status()).or_default().push(code);
    }
    found
}

fn name_of_problems(codes: &[Code]) -> String {
    codes.iter().map(|code| code.slug()).collect::<Vec<_>>().join(".")
}

fn said_of_problems(codes: &[Code]) -> String {
    let said: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.slug(), code.title())).collect();
    said.join(" ")
}

/// A problem of one of these codes.
fn schema_of_problems(kind: &Kind, codes: &[Code]) -> Value {
    let mut schema = schema(kind);
    if let (Kind::Of("Problem"), Some(members)) = (kind, schema.as_object_mut()) {
        let types: Vec<String> = codes.iter().map(|code| code.problem_type()).collect();
        members.insert("properties".to_owned(), json!({ "type": { "enum": types } }));
    }
    schema
}

/// A value's schema.
pub(super) fn schema(kind: &Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Short(most) => json!({ "type": "string", "maxLength": most }),
        Kind::Id => json!({ "type": "string", "maxLength": crate::limits::SLUG_BYTES }),
        Kind::Uuid => json!({ "type": "string", "format": "uuid" }),
        Kind::Instant => json!({ "type": "string", "format": "date-time" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Month => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$" }),
        Kind::Money => json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,2})?$" }),
        Kind::Count => json!({ "type": "integer", "minimum": 0 }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Words(words) => json!({ "type": "string", "enum": words }),
        Kind::List(of, None) => json!({ "type": "array", "items": schema(of) }),
        Kind::List(of, Some(most)) => json!({ "type": "array", "items": schema(of), "maxItems": most }),
        Kind::Map(of) => json!({ "type": "object", "additionalProperties": schema(of) }),
        Kind::Object(members) => object(members),
        Kind::Open(members) => {
            let mut open = object(members);
            if let Some(of) = open.as_object_mut() {
                of.insert("additionalProperties".to_owned(), json!(true));
            }
            open
        }
        Kind::Of(name) => json!({ "$ref": format!("#/components/schemas/{name}") }),
        Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(schema).collect::<Vec<_>>() }),
        Kind::Any => json!({}),
    }
}

fn object(members: &[Member]) -> Value {
    let properties: Map<String, Value> =
        members.iter().map(|member| (member.name.to_owned(), property(member))).collect();
    let required: Vec<&str> =
        members.iter().filter(|member| member.always).map(|member| member.name).collect();
    let mut told = json!({ "type": "object", "properties": properties });
    if let Some(of) = told.as_object_mut().filter(|_| !required.is_empty()) {
        of.insert("required".to_owned(), json!(required));
    }
    told
}

fn property(member: &Member) -> Value {
    let mut told = schema(&member.kind);
    if member.null {
        told = json!({ "anyOf": [told, { "type": "null" }] });
    }
    if let Some(of) = told.as_object_mut().filter(|_| !member.says.is_empty()) {
        of.insert("description".to_owned(), json!(member.says));
    }
    told
}
