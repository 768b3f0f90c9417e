//! The document is whole in itself.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{document, routes};
use crate::error::Code;

/// Everything under a name, wherever it stands.
fn all<'a>(within: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match within {
        Value::Object(members) => {
            for (key, value) in members {
                if key == name {
                    found.push(value);
                }
                all(value, name, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                all(item, name, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_shape_that_is_named_is_there_and_every_shape_is_named() {
    let document = document();
    let mut named = Vec::new();
    all(&document, "$ref", &mut named);
    let named: BTreeSet<&str> = named.into_iter().filter_map(Value::as_str).collect();
    let of = |kind: &str| -> Vec<String> {
        let there = document["components"][kind].as_object().unwrap().keys();
        there.map(|name| format!("#/components/{kind}/{name}")).collect()
    };
    let there = [of("schemas"), of("responses")].concat();
    assert_eq!(named, there.iter().map(String::as_str).collect());
}

#[test]
fn every_route_is_in_it_once() {
    let document = document();
    let mut ids = Vec::new();
    all(&document["paths"], "operationId", &mut ids);
    let once: BTreeSet<&str> = ids.iter().filter_map(|id| id.as_str()).collect();
    assert_eq!(once.len(), ids.len());
    assert_eq!(ids.len(), routes().len());
}

#[test]
fn every_route_says_what_it_does_who_calls_it_and_what_it_answers() {
    for route in routes() {
        let says = format!("{:?} {}", route.method, route.path);
        assert!(!route.says.is_empty() && !route.tag.is_empty() && !route.who.is_empty(), "{says}");
        let well = route.answers.iter().any(|answer| answer.status < 400);
        assert!(well, "{says}");
    }
}

#[test]
fn every_code_is_a_type_of_problem() {
    let document = document();
    let types = &document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    let types: Vec<&str> = types.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(types, Code::ALL.map(Code::problem_type));
}
