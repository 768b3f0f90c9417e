//! A company moves in: past leads, what its contracts have had, whom it must not take in; and enquiries come in by
//! a file.

mod enquiries;
mod history;
mod suppressed;
mod do_not_call;
mod counts;
mod command;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use http::Method;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

async fn yard() -> Yard {
    Yard::of(Rules::roofing("acme").seller("hudson", [("tier", "1")]).seller("ridge", [("tier", "2")])).await
}

/// A row of Ann Hill the nth, of `web`.
#[expect(clippy::needless_pass_by_value, reason = "as `json!` gives it")]
fn row(n: usize, received_at: &str, more: Value) -> Value {
    let mut row = json!({
        "received_at": received_at, "source": "web", "name": format!("Ann Hill{n}"),
        "email": format!("ann{n}@mail.example"), "zip": "33101",
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

/// The same person, asking now.
fn ann(n: usize) -> Person {
    Person::named("Ann", &format!("Hill{n}")).with("email", &format!("ann{n}@mail.example"))
}

async fn sends(yard: &Yard, what: &str, rows: &[Value]) -> Reply {
    yard.desk(Method::POST, &format!("/v1/import/{what}"), Some(json!({ "rows": rows }))).await
}

/// Sends rows that are all imported, and gives their leads.
async fn imports(yard: &Yard, rows: &[Value]) -> Vec<String> {
    let reply = sends(yard, "history", rows).await.is(200);
    assert_eq!(reply.json["imported"], rows.len(), "{}", reply.text);
    let rows = reply.json["rows"].as_array().unwrap();
    rows.iter().map(|row| row["lead"].as_str().unwrap().to_owned()).collect()
}

fn statuses(reply: &Reply) -> Vec<&str> {
    reply.json["rows"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect()
}

/// An attribute by its value alone, its members in the order of their names.
fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::M(members) => {
            members.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        AttributeValue::L(list) => list.iter().map(plain).collect(),
        AttributeValue::S(text) | AttributeValue::N(text) => json!(text),
        AttributeValue::Ss(set) => json!(set.iter().collect::<std::collections::BTreeSet<_>>()),
        other => json!(format!("{other:?}")),
    }
}

/// The table as it is, an item a line.
pub(crate) async fn table(yard: &Yard) -> Vec<String> {
    let store = &yard.cloud.store;
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let page =
            store.client().scan().table_name(store.table()).set_exclusive_start_key(start).send().await;
        let page = page.unwrap();
        for item in page.items.into_iter().flatten() {
            items.push(plain(&AttributeValue::M(item)).to_string());
        }
        start = page.last_evaluated_key.filter(|key| !key.is_empty());
        if start.is_none() {
            items.sort();
            return items;
        }
    }
}

fn queued(yard: &Yard) -> usize {
    ["interactions", "distribution", "delivery", "spill"].iter().map(|queue| yard.queued(queue).len()).sum()
}

async fn statement(yard: &Yard, dealer: &str) -> Value {
    yard.desk(Method::GET, &format!("/v1/dealers/{dealer}/statement?month=2026-06"), None).await.is(200).json
}

/// What the rulebook's publication wrote is as old as its yard; and an enquiry says when it came in.
fn without_time(items: &[String]) -> Vec<String> {
    let timeless = |item: &String| match item.split_once("\"asked\":{\"i\":\"") {
        Some((before, after)) => format!("{before}{}", after.split_once("\"},").unwrap().1),
        None => item.clone(),
    };
    items
        .iter()
        .filter(|item| !["\"R#", "\"G#", "\"W#", "\"S#"].iter().any(|kind| item.contains(kind)))
        .map(timeless)
        .collect()
}
