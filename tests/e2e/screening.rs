//! What is let through, what waits for the desk, and what the desk makes of it.
//!
//! | module | holds |
//! |---|---|
//! | `told` | what is let through and what waits, and what its sender is told |
//! | `desk` | what the desk makes of what waits |
//! | `deadlines` | what becomes of it when nobody looks |
//! | `crowds` | how many come from where, and how often |
//! | `forms` | form tokens: timed, signed, for one person |
//! | `caps` | caps of a source |
//! | `cost` | what accepting writes |

mod told;
mod desk;
mod deadlines;
mod crowds;
mod forms;
mod caps;
mod cost;

use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Sender, Yard};
use serde_json::Value;

const HOUR: Duration = Duration::from_secs(3_600);
const BROWSER: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36";

fn rules() -> Rules {
    Rules::roofing("acme").source("trial", "offer = \"roof\"\ntest = true").seller("hudson", [])
}

async fn yard() -> Yard {
    Yard::of(rules()).await
}

/// A browser at an address.
fn browser(yard: &Yard, source: &str, address: &str) -> Sender {
    yard.page(source).header("user-agent", BROWSER).header("x-forwarded-for", address)
}

fn doubtful(n: usize) -> Person {
    Person::named(&format!("Ann{n}"), "Hill").with("email", &format!("ann{n}@mailinator.com"))
}

fn spam() -> Person {
    Person::named("Jason", "Mill").with("message", "We offer 500 backlinks for your website, reply YES")
}

async fn quarantine(yard: &Yard, query: &str) -> Vec<Value> {
    let reply = yard.desk(Method::GET, &format!("/v1/quarantine{query}"), None).await.is(200);
    reply.json["enquiries"].as_array().unwrap().clone()
}

async fn verdict(yard: &Yard, enquiry: &str, act: &str, body: Value) -> Reply {
    yard.desk(Method::POST, &format!("/v1/quarantine/{enquiry}/{act}"), Some(body)).await
}

/// What the verdicts make of a reason: released, rejected.
async fn counted(yard: &Yard, reason: &str) -> (u64, u64) {
    let reply = yard.desk(Method::GET, "/v1/quarantine/reasons", None).await.is(200);
    let found = reply.json["reasons"].as_array().unwrap().iter().find(|one| one["reason"] == reason).cloned();
    found.map_or((0, 0), |one| (one["released"].as_u64().unwrap(), one["rejected"].as_u64().unwrap()))
}

async fn aside(yard: &Yard, person: &Person) -> String {
    let reply = yard.server("web").posts(person).await.is(202);
    assert_eq!(reply.text_of("status"), "quarantined", "{}", reply.text);
    reply.text_of("enquiry").to_owned()
}

async fn token(page: &Sender) -> String {
    let path = format!("/v1/leads/{}/form_token", page.key());
    let reply = page.gets(&path).await.is(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    reply.text_of("form_token").to_owned()
}
