//! Today: each number is what the API would count, and leads to what is behind it.

mod waits;
mod hottest;
mod lapsing;
mod dealers;
mod companies;
mod day;
mod counted;

use std::collections::BTreeSet;

use leadyard::aws::stream::SHARD;
use leadyard::system;
use leadyard_platform::stream::{StreamEvent, StreamRecord};
use leadyard_tests::{Browser, Rules, Yard};

fn rules() -> Rules {
    without_ridge().dealer("ridge", [])
}

fn without_ridge() -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", [("return_days", "7"), ("return_reasons", "wrong-number")])
}

/// Leads of three categories: one waits in each of two, one is with a dealer.
fn of_three_categories() -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "gutters", "mode = \"manual\"")
        .offer("pool", "pools", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .source("web3", "offer = \"pool\"")
        .seller("hudson", [("deadline_minutes", "60")])
}

/// What a page lists and those behind it, each once: leads, enquiries, returns or dealers.
async fn behind(desk: &Browser<'_>, path: &str) -> BTreeSet<String> {
    let of = match path.split('?').next().unwrap() {
        "/console/waiting" => "/console/leads/",
        "/console/dealers" => "/console/dealers/acme/",
        "/console/returns" => "/console/returns/acme/",
        "/console/quarantine" => "/console/quarantine/",
        "/console/follow-up" => "/console/follow-up/",
        "/console/leads" => "/console/leads/",
        other => panic!("{other}"),
    };
    let (mut next, mut found) = (Some(path.to_owned()), BTreeSet::new());
    while let Some(at) = next {
        let (page, reads) = desk.reads(&at).await;
        assert!(reads <= super::READS, "{reads} reads of {at}");
        let main = page.text.split("<main").nth(1).unwrap();
        let links =
            main.split("<a href=\"").skip(1).filter_map(|link| link.split('"').next()?.strip_prefix(of));
        let ids = links.map(|rest| rest.split(['?', '&', '/']).next().unwrap().to_owned());
        found.extend(ids.filter(|id| !["export", "reasons"].contains(&id.as_str())));
        next = super::leads::link(&page, "Further down");
    }
    found
}

/// Of all that was written, these records are given to reporting at once: it asks for none of them again.
pub(super) async fn counts_all(yard: &Yard, these: impl Fn(&StreamRecord) -> bool) {
    let noted = yard.aws.tables().stream_after(system::TABLE, 0, 10_000).unwrap();
    let records = noted.into_iter().map(|(_, record)| StreamRecord(record));
    let records: Vec<StreamRecord> = records.filter(these).collect();
    assert!(!records.is_empty());
    let event = StreamEvent { records, shard: Some(SHARD.to_owned()) };
    let work = leadyard_reporting::handle(&yard.cloud, event);
    assert!(leadyard_tests::roles::as_function("reporting", work).await.failures.is_empty());
}
