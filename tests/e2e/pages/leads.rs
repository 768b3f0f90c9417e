//! Lists of leads: one act on many after a look, a slice at a time; all of a dealer's; a list as a table.
//!
//! | module | holds |
//! |---|---|
//! | `look` | one act on many, after a look at what would follow |
//! | `paged` | a dealer's and a source's leads, page by page |
//! | `hottest` | the hottest, and what stands behind them |
//! | `files` | a list as a table, file by file |

mod look;
mod paged;
mod hottest;
mod files;

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::Value;

/// What asks for a gutter is placed by hand, at hudson's; a roof is sun's at once.
pub(super) async fn yard(most: &str) -> Yard {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", [("offers", "gutter"), ("cap_total", most), ("price", "45.00")])
        .seller("sun", [("offers", "roof")]);
    Yard::of(rules).await
}

pub(super) async fn waits(yard: &Yard, n: usize) -> String {
    let person = Person::number(n).with("phone", &format!("305-555-01{n:02}"));
    let lead = yard.server("web2").posts(&person).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    lead
}

pub(super) const MANY: &str = "/console/leads/many";
pub(super) const EXPORT: &str = "/console/leads/export";
const OF_WEB2: &str = "/console/leads?list=source:web2";

pub(super) fn says(page: &Reply, words: &[&str]) {
    for word in words {
        assert!(page.text.contains(word), "{word} is not in {}", page.text);
    }
}

pub(super) async fn acts(yard: &Yard, lead: &str, act: &str, body: Value) -> Reply {
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await
}

pub(super) async fn times(yard: &Yard, lead: &str, act: &str) -> usize {
    yard.story(lead).await.list("history").filter(|one| one["act"] == act).count()
}

/// Leads of a list's page, in its order.
pub(super) fn listed(page: &Reply) -> Vec<String> {
    let links = page.text.split("<th scope=\"row\"><a href=\"/console/leads/").skip(1);
    links.map(|link| link.split(['?', '"']).next().unwrap().to_owned()).collect()
}

/// Where a link with these words leads.
pub(super) fn link(page: &Reply, words: &str) -> Option<String> {
    let link =
        page.text.split("<a href=\"").find(|link| link.split("</a>").next().unwrap().contains(words))?;
    link.split('"').next().map(|to| to.replace("&#38;", "&"))
}

pub(super) fn is_download(file: &Reply, name: &str) {
    assert!(file.header("content-type").starts_with("text/csv"), "{}", file.header("content-type"));
    assert_eq!(file.header("cache-control"), "no-store");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{name}\""));
}

/// What was asked of exports, the newest first.
pub(super) async fn exports(yard: &Yard) -> Vec<Value> {
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).json;
    let changes = changes["changes"].as_array().unwrap().clone();
    changes.into_iter().filter(|act| act["act"] == "export_leads").collect()
}
