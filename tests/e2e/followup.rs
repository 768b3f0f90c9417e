//! No old lead is left to rot: who is called again, when, by whom, and what follows.
//!
//! | module | holds |
//! |---|---|
//! | `plan` | when a lead is called: as the plan says, or at once when it does something |
//! | `list` | the day's list: its order, its pages, who is put on it by hand |
//! | `claim` | a lead is one colleague's at a time |
//! | `call` | what a call came to, and what follows |
//! | `never` | who is not called now, and who never |

mod plan;
mod list;
mod claim;
mod call;
mod never;

use std::time::Duration;

use http::{HeaderMap, Method};
use leadyard_domain::access::DeskToken;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The offer needs A1: a complete form is A2, and a quote request makes it A1. Ads are of an offer that needs nothing.
fn rules(plan: &str) -> Rules {
    Rules::company("acme")
        .offer("roof", "roofing", "band = \"A1\"")
        .offer("gutter", "roofing", "")
        .source("web", "offer = \"roof\"")
        .source("ads", "offer = \"gutter\"")
        .seller("hudson", [])
        .file("followup.toml", plan)
}

async fn yard() -> Yard {
    Yard::of(rules("not_ready = [\"1d\", \"2d\"]\nnot_reached = [\"4h\", \"1d\"]\nlost = [\"10d\"]\n")).await
}

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-274-0100")
}

/// The day's list.
async fn listed(yard: &Yard) -> Vec<Value> {
    let reply = yard.desk(Method::GET, "/v1/follow-ups", None).await.is(200);
    reply.json["follow_ups"].as_array().cloned().unwrap()
}

/// The leads of the day's list, in its order.
async fn calls(yard: &Yard) -> Vec<String> {
    listed(yard).await.iter().map(|call| call["lead"]["lead"].as_str().unwrap().to_owned()).collect()
}

async fn acts(yard: &Yard, lead: &str, act: &str, body: Value) -> Reply {
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await
}

/// Somebody else on the desk.
async fn acts_as(yard: &Yard, staff: &str, lead: &str, act: &str, body: &Value) -> Reply {
    let token = DeskToken { staff: staff.to_owned(), companies: vec![yard.company_id()] };
    let bearer = format!("Bearer {}", yard.cloud.master.mint(&token));
    let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, bearer.parse().unwrap())]);
    let path = format!("/v1/leads/{lead}/{act}");
    yard.requests(Method::POST, &path, headers, "application/json", body.to_string().into_bytes()).await
}

async fn called(yard: &Yard, lead: &str, result: &str) -> Value {
    acts(yard, lead, "call", json!({ "result": result })).await.is(200).json["after"].clone()
}

/// It does something: so many pages.
async fn did(yard: &Yard, lead: &str, id: &str, kind: &str) {
    let at = yard.cloud.clock.now().to_string();
    let one = json!({ "id": id, "kind": kind, "at": at, "lead": lead });
    let _ = yard.server("web").reports(one).await.is(202);
    yard.settle().await;
}

async fn follow_up(yard: &Yard, lead: &str) -> Value {
    yard.story(lead).await.0["follow_up"].clone()
}

/// A lead that its dealer lost, a minute after it came.
async fn lost(yard: &Yard, person: &Person) -> String {
    let lead = yard.server("ads").posts(person).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    let _ = yard.answers("hudson", &lead, "lost").await.is(200);
    assert_eq!(yard.story(&lead).await.stage(), "lost");
    lead
}
