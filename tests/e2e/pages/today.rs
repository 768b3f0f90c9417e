//! Today: each number is what the API would count, and leads to what is behind it.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use leadyard::aws::stream::SHARD;
use leadyard::system;
use leadyard_domain::access::DeskToken;
use leadyard_domain::ids::{AssignmentId, LeadId};
use leadyard_platform::store::keys::{self, DueKey};
use leadyard_platform::store::{Item, Offer};
use leadyard_platform::stream::{StreamEvent, StreamRecord};
use leadyard_tests::{Browser, Person, Reply, Rules, Says, Yard};
use serde_json::json;

mod day;

/// Reads for one company, and one of the session.
const READS_OF_ONE: usize = 12 + 1;

fn rules() -> Rules {
    without_ridge().dealer("ridge", [])
}

fn without_ridge() -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", [("return_days", "7"), ("return_reasons", "wrong-number")])
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_desk_is_counted_and_leads_there() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    assert!(desk.opens("/console/today").await.is(200).text.contains("Nothing: no quarantine"));
    let lead = yard.settled_lead(&Person::number(1)).await;
    let body = json!({ "reason": "wrong-number" });
    let _ = yard.answers_with("hudson", &lead, "return", Some(body)).await.is(200);
    let returned = yard.story(&lead).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
    let mut waits = String::new();
    for n in 2..=4 {
        waits = yard.server("web2").posts(&Person::number(n)).await.is(201).text_of("lead").to_owned();
    }
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let aside = yard.server("web").posts(&aside).await.is(202).text_of("enquiry").to_owned();
    let _ = yard.flip("pause", json!({ "on": true, "dealer": "ridge", "reason": "away" })).await;
    yard.settle().await;
    let (page, reads) = desk.reads("/console/today").await;
    // Nothing of it was counted by reporting: eight shards of quarantine, of one category two shards of three stages and of
    // the waiting room, the leads of each list, and what concerns the dealers, on top of what the page always reads.
    assert!(reads <= 36, "{reads} reads");
    for (path, told, behind_it) in [
        (
            "/console/quarantine?company=acme",
            "<strong>1</strong> in quarantine<",
            format!("quarantine/{aside}"),
        ),
        (
            "/console/returns?company=acme",
            "<strong>1</strong> return to decide",
            format!("returns/acme/{returned}\""),
        ),
        (
            "/console/waiting?company=acme&#38;reason=manual",
            "<strong>3</strong> wait: their offer is placed by the desk",
            format!("leads/{waits}\""),
        ),
        (
            "/console/dealers?company=acme&#38;show=paused",
            "<strong>1</strong> dealer paused",
            "dealers/acme/ridge\"".to_owned(),
        ),
    ] {
        let link = page
            .text
            .split("<a href=\"")
            .find(|link| link.contains(told))
            .unwrap_or_else(|| panic!("{told}"));
        assert!(link.starts_with(path), "{link}");
        let behind = desk.opens(&path.replace("&#38;", "&")).await.is(200);
        assert!(behind.text.contains(&behind_it), "{behind_it} is not in {}", behind.text);
    }
    let _ = yard.flip("stop", json!({ "on": true })).await;
    assert!(desk.opens("/console/today").await.is(200).text.contains("Distribution is stopped"));
}

/// The numbers of what waits for the desk: how many, and where each leads.
fn numbers(page: &Reply) -> Vec<(usize, String)> {
    let list = page.text.split("<ul class=\"numbers\">").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    let links = list.split("</ul>").next().unwrap().split("<a href=\"").skip(1);
    let read = |link: &str| {
        let count = link.split("<strong>").nth(1).unwrap().split("</strong>").next().unwrap();
        (count.parse().unwrap(), link.split('"').next().unwrap().replace("&#38;", "&"))
    };
    links.map(read).collect()
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

#[tokio::test(start_paused = true)]
async fn every_number_leads_to_exactly_as_many() {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .offer("siding", "walls", "")
        .offer("pool", "pools", "")
        .source("web2", "offer = \"gutter\"")
        .source("web3", "offer = \"siding\"")
        .source("web4", "offer = \"pool\"")
        .seller(
            "hudson",
            [
                ("offers", "roof"),
                ("deadline_minutes", "90"),
                ("deadline_clock", "wall"),
                ("return_days", "7"),
                ("return_reasons", "wrong-number"),
            ],
        )
        .seller("broken", [("offers", "pool")])
        .dealer("ridge", [("prepaid", "yes")])
        .contract("ridge", "ridge", [("area", "state:NY")])
        .dealer("away", [])
        .contract("away-ny", "away", [("area", "state:NY")])
        .contract("away-nj", "away", [("area", "state:NJ")]);
    let yard = Yard::of(rules).await;
    yard.notes();
    yard.dealer_says("broken", Says::Status(410));
    let person = |n: usize| Person::number(n).with("phone", &format!("305-555-{n:04}"));
    // More than a page has, and than the page of the day shows: three of them reached, one of these given back.
    for n in 1..=33 {
        let lead = yard.settled_lead(&person(n)).await;
        if n <= 3 {
            let _ = yard.answers("hudson", &lead, "accept").await.is(200);
            let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
        }
        if n == 3 {
            let asks = Some(json!({ "reason": "wrong-number" }));
            let _ = yard.answers_with("hudson", &lead, "return", asks).await.is(200);
        }
        if n == 4 {
            // Accepted, and so no offer that lapses; and not reached.
            let _ = yard.answers("hudson", &lead, "accept").await.is(200);
        }
    }
    let mut waits = Vec::new();
    for (n, source) in [(40, "web2"), (41, "web2"), (42, "web3"), (43, "web4")] {
        waits.push(yard.server(source).posts(&person(n)).await.is(201).text_of("lead").to_owned());
    }
    for n in 0..2 {
        let aside = Person::named("Ann", "Hill").with("email", &format!("ann{n}@mailinator.com"));
        let _ = yard.server("web").posts(&aside).await.is(202);
    }
    yard.settle().await;
    for lead in &waits[..2] {
        let _ =
            yard.desk(Method::POST, &format!("/v1/leads/{lead}/follow_up"), Some(json!({}))).await.is(200);
    }
    for contract in ["away-ny", "away-nj"] {
        let _ = yard.flip("pause", json!({ "on": true, "contract": contract, "reason": "away" })).await;
    }
    yard.settle().await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200);
    let mut counted = Vec::new();
    for (count, path) in numbers(&page) {
        let found = behind(&desk, &path).await;
        assert_eq!(found.len(), count, "{path}: {found:?} of {}", page.text);
        counted.push((path.split_once("company=acme").unwrap().1.to_owned(), count));
    }
    counted.sort();
    let counted: Vec<(&str, usize)> = counted.iter().map(|(of, count)| (of.as_str(), *count)).collect();
    let expected = [
        ("", 1),
        ("", 2),
        ("", 2),
        ("&list=lapsing", 29),
        ("&list=unreached", 30),
        ("&reason=area", 1),
        ("&reason=excluded", 1),
        ("&reason=offer", 2),
        ("&show=failing", 1),
        ("&show=full", 1),
        ("&show=paused", 1),
    ];
    assert_eq!(counted, expected);
    // The next to lapse stand first, and who is reached meanwhile stands in neither.
    let lapsing = desk.opens("/console/leads?list=lapsing").await.is(200);
    let first = super::leads::listed(&lapsing)[0].clone();
    let _ = yard.answers("hudson", &first, "accept").await.is(200);
    let _ = yard.answers("hudson", &first, "contacted").await.is(200);
    for list in ["lapsing", "unreached"] {
        let found = behind(&desk, &format!("/console/leads?list={list}")).await;
        assert!(!found.contains(&first), "{list}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_who_is_gone_from_the_rules_is_not_counted() {
    let yard = Yard::of(rules()).await;
    let _ = yard.flip("pause", json!({ "on": true, "dealer": "ridge", "reason": "away" })).await;
    let _ = yard.flip("pause", json!({ "on": true, "contract": "hudson", "reason": "too many" })).await;
    let desk = Browser::of(&yard).await;
    let paused = async || desk.opens("/console/today").await.is(200).text;
    assert!(paused().await.contains("<strong>2</strong> dealers paused, or a contract of theirs"));
    let _ = yard.publish(&without_ridge()).await.is(200);
    let page = paused().await;
    assert!(page.contains("<strong>1</strong> dealer paused, or a contract of its"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn exactly_as_many_as_are_counted_are_that_many() {
    let yard = Yard::of(rules()).await;
    for n in 1..=100 {
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        let _ = yard.server("web2").posts(&person).await.is(201);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200);
    assert!(
        page.text.contains("<strong>100</strong> wait: their offer is placed by the desk"),
        "{}",
        page.text
    );
    let _ = yard.server("web2").posts(&Person::named("Zoe", "Berg")).await.is(201);
    yard.settle().await;
    assert!(
        desk.opens("/console/today")
            .await
            .is(200)
            .text
            .contains("<strong>100</strong> of the 100 hottest that wait: their offer is placed by the desk")
    );
}

#[tokio::test(start_paused = true)]
async fn of_more_than_a_hundred_that_wait_the_reasons_are_said_to_be_those_of_the_hottest() {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .offer("siding", "roofing", "")
        .source("web2", "offer = \"gutter\"")
        .source("web3", "offer = \"siding\"")
        .seller("hudson", [("offers", "roof gutter")]);
    let yard = Yard::of(rules).await;
    let person = |n: usize| Person::number(n).with("phone", &format!("305-555-{n:04}"));
    // Three that nobody serves, whom nobody can write to; and a hundred hotter ones.
    for n in 1..=3 {
        let _ = yard.server("web3").posts(&person(n).without("email")).await.is(201);
    }
    for n in 4..=103 {
        let _ = yard.server("web2").posts(&person(n)).await.is(201);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200).text;
    for (at, told) in [
        ("/console/waiting?company=acme", "<strong>100+</strong> wait, for whatever reason<"),
        (
            "/console/waiting?company=acme&#38;reason=manual",
            "<strong>100</strong> of the 100 hottest that wait: their offer is placed by the desk",
        ),
    ] {
        assert!(page.contains(&format!("<a href=\"{at}\">{told}")), "{told}: {page}");
    }
    // Who stands behind the number has each reason.
    let behind = desk.opens("/console/waiting?company=acme").await.is(200).text;
    assert!(behind.contains("All 103 that wait."), "{behind}");
    let api = yard.desk(Method::GET, "/v1/waiting", None).await.is(200);
    assert_eq!(api.json["by_reason"], json!({ "manual": 100, "offer": 3 }));
    for reason in ["manual", "offer"] {
        assert!(behind.contains(&format!("reason={reason}\">{reason}</a>")), "{reason}: {behind}");
    }
}

/// A cell of a company's row in the table of all of them.
fn side_by_side<'p>(page: &'p Reply, company: &str, label: &str) -> &'p str {
    let table = page.text.split("Companies side by side").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    let row = table.split("<tr>").find(|row| row.contains(&format!("href=\"#{company}\"")));
    let cell = row.and_then(|row| row.split(&format!("data-label=\"{label}\">")).nth(1));
    cell.unwrap_or_else(|| panic!("{label} of {company}: {}", page.text)).split("</td>").next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn of_companies_side_by_side_one_whose_hottest_are_reached_is_not_said_to_have_reached_all() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let other = yard.also(Rules::roofing("other").seller("ridge", [])).await;
    yard.notes();
    // As many as are looked at, and all of them reached; one that is not asked before them.
    let first = yard.settled_lead(&Person::number(1)).await;
    yard.advance(Duration::from_secs(60)).await;
    for n in 2..=51 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
    }
    yard.settle().await;
    yard.count().await;
    let companies = vec![yard.company_id(), other.company_id()];
    let both = yard.cloud.master.mint(&DeskToken { staff: "ann".to_owned(), companies });
    let desk = Browser::with(&yard, &both).await;
    let page = desk.opens("/console/today").await.is(200);
    let unknown = side_by_side(&page, "acme", "not reached");
    assert!(unknown.starts_with("<a href=\"/console/leads?company=acme&#38;list=unreached\""), "{unknown}");
    assert!(unknown.contains("class=\"unseen\">not known: none of the hottest"), "{unknown}");
    assert!(!unknown.contains(">0<"), "{unknown}");
    assert_eq!(side_by_side(&page, "other", "not reached"), "0");
    // The list says who, and of whom the number is known it is said.
    assert!(behind(&desk, "/console/leads?company=acme&list=unreached").await.contains(&first));
    other.settled_lead(&Person::number(60)).await;
    yard.count().await;
    let page = desk.opens("/console/today").await.is(200);
    assert!(side_by_side(&page, "other", "not reached").ends_with(">1</a>"), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_looked_at_in_time_is_told_apart() {
    let rules = rules().file("screening.toml", "at_deadline = \"keep\"\ndeadline_hours = 2\n");
    let yard = Yard::of(rules).await;
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let _ = yard.server("web").posts(&aside).await.is(202);
    let desk = Browser::of(&yard).await;
    let late = "<strong>1</strong> in quarantine, 1 for more than 2 h";
    yard.advance(Duration::from_secs(3_600)).await;
    assert!(!desk.opens("/console/today").await.is(200).text.contains(late));
    yard.advance(Duration::from_secs(3_700)).await;
    assert!(desk.opens("/console/today").await.is(200).text.contains(late));
    assert!(desk.opens("/console/quarantine").await.is(200).text.contains("overdue since"));
}

#[tokio::test(start_paused = true)]
async fn the_hottest_are_found_also_where_more_wait_than_one_read_takes() {
    let yard = Yard::of(rules()).await;
    // Of letter A, with e-mail and phone; one of letter B, whose interactions make it hotter than any of them.
    for n in 1..=250 {
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        let _ = yard.server("web2").posts(&person).await.is(201);
    }
    let hot =
        yard.server("web2").posts(&Person::named("Zoe", "Berg")).await.is(201).text_of("lead").to_owned();
    for n in 0..3 {
        let did = json!({ "id": format!("q{n}"), "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": hot });
        let _ = yard.server("web2").reports(did).await.is(202);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads("/console/today").await;
    let first = page.text.split("Hottest leads that nobody has").last().unwrap();
    let first = first.split("/console/leads/").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(first, hot);
    // Two shards of more than a hundred: each is asked for the other letters besides.
    assert!(reads <= 39, "{reads} reads");
    assert!(page.text.contains("<strong>100+</strong> wait, for whatever reason"));
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

#[tokio::test(start_paused = true)]
async fn what_is_read_grows_neither_with_categories_nor_with_leads() {
    let yard = Yard::of(of_three_categories()).await;
    yard.notes();
    let mut counts = Vec::new();
    for (from, to) in [(1, 4), (5, 300)] {
        for n in from..=to {
            let source = ["web", "web2", "web3"][n % 3];
            let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
            let _ = yard.server(source).posts(&person).await.is(201);
        }
        let aside = Person::named("Ann", "Hill").with("email", &format!("ann{to}@mailinator.com"));
        let _ = yard.server("web").posts(&aside).await.is(202);
        yard.settle().await;
        yard.count().await;
        let desk = Browser::of(&yard).await;
        let (page, reads) = desk.reads("/console/today").await;
        assert!(reads <= READS_OF_ONE, "{reads} reads after {to} leads");
        counts.push(page.text);
    }
    for told in
        ["<strong>1</strong> in quarantine<", "<strong>3</strong> wait: their offer is placed by the desk"]
    {
        assert!(counts[0].contains(told), "{told} is not in {}", counts[0]);
    }
    for told in ["<strong>2</strong> in quarantine<", "<strong>100+</strong> wait, for whatever reason<"] {
        assert!(counts[1].contains(told), "{told} is not in {}", counts[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_read_does_not_grow_with_how_many_are_to_be_called() {
    let yard = Yard::of(rules()).await;
    yard.notes();
    let mut leads = Vec::new();
    for n in 1..=250 {
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        let reply = yard.server("web2").posts(&person).await.is(201);
        leads.push(reply.text_of("lead").to_owned());
    }
    yard.settle().await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let (page, before) = desk.reads("/console/today").await;
    assert!(!page.text.contains("follow-ups due"), "{}", page.text);
    for some in leads.chunks(100) {
        let _ = yard.desk(Method::POST, "/v1/leads/follow_up", Some(json!({ "leads": some }))).await.is(200);
    }
    yard.settle().await;
    yard.count().await;
    let (page, reads) = desk.reads("/console/today").await;
    assert!(page.text.contains("<strong>100+</strong> follow-ups due"), "{}", page.text);
    assert!(reads <= before, "{reads} reads, {before} before");
}

/// The lists of a page, and its numbers, without when they were counted.
fn lists(page: &Reply) -> Vec<&str> {
    let lead = |part: &'_ str| part.split('"').next().map(str::len);
    let parts = page.text.split("/console/leads/").skip(1);
    parts.filter_map(|part| part.get(..lead(part)?)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_says_what_counting_now_would_say() {
    let yard = Yard::of(of_three_categories()).await;
    yard.notes();
    for n in 1..=40 {
        let source = ["web", "web2", "web3"][n % 3];
        let person = Person::number(n);
        let person = if n % 4 == 0 {
            person.without("email").with("phone", &format!("305-555-{n:04}"))
        } else {
            person
        };
        let _ = yard.server(source).posts(&person).await.is(201);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let counted_now = desk.opens("/console/today").await.is(200);
    yard.count().await;
    let counted_before = desk.opens("/console/today").await.is(200);
    assert!(lists(&counted_now).len() > 20, "{:?}", lists(&counted_now));
    assert_eq!(lists(&counted_now), lists(&counted_before));
    let numbers = |page: &Reply| {
        page.text.split("<ul class=\"numbers\">").nth(1).unwrap().split("</ul>").next().unwrap().to_owned()
    };
    assert_eq!(numbers(&counted_now), numbers(&counted_before));
}

#[tokio::test(start_paused = true)]
async fn who_was_placed_or_heated_up_since_stands_where_they_belong() {
    let yard = Yard::of(of_three_categories()).await;
    yard.notes();
    let lead = yard.server("web2").posts(&Person::number(1)).await.is(201).text_of("lead").to_owned();
    let other = yard.server("web2").posts(&Person::number(2)).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let free = async || {
        let page = desk.opens("/console/today").await.is(200);
        let list = page.text.split("Hottest in nobody").nth(1).unwrap();
        list.split("<h3>").next().unwrap().to_owned()
    };
    let before = free().await;
    assert!(before.contains(&lead) && before.contains(&other), "{before}");
    // Reporting has not heard of it yet.
    let path = format!("/v1/leads/{lead}/reject");
    let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "moved" }))).await.is(200);
    let after = free().await;
    assert!(!after.contains(&lead) && after.contains(&other), "{after}");
    // More than are named stand before it, until it does something: that nothing is decided of, and the lead alone says.
    yard.advance(Duration::from_secs(60)).await;
    for n in 3..=14 {
        let _ = yard.server("web3").posts(&Person::number(n)).await.is(201);
    }
    yard.settle().await;
    yard.count().await;
    assert!(!free().await.contains(&other), "twelve that asked later are as hot");
    for n in 0..3 {
        let did = json!({ "id": format!("q{n}"), "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": other });
        let _ = yard.server("web2").reports(did).await.is(202);
    }
    yard.settle().await;
    yard.count().await;
    // Where leads alone changed, what was counted this minute stands for two.
    yard.advance(Duration::from_secs(121)).await;
    let list = free().await;
    assert!(list.contains(&other), "{list}");
}

#[tokio::test(start_paused = true)]
async fn a_company_all_of_whose_leads_are_closed_is_not_said_to_have_had_none() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.notes();
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.answers("hudson", &lead, "lost").await.is(200);
    yard.settle().await;
    // On the day itself, and once its counters are sealed.
    for _ in 0..2 {
        yard.count().await;
        let page = Browser::of(&yard).await.opens("/console/today").await.is(200).text;
        assert!(!page.contains("No lead has come yet"), "{page}");
        // Nor is it said that a dealer has it: none has.
        assert!(page.contains("No open lead that was scored is without a dealer"), "{page}");
        assert!(!page.contains("is with a dealer"), "{page}");
        yard.advance(Duration::from_secs(3 * 24 * 3_600)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_not_looked_at_is_not_said_to_be_reached_or_placed() {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", []);
    let yard = Yard::of(rules).await;
    yard.notes();
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200).text;
    assert!(page.contains("No lead has come yet") && page.contains("No dealer has a lead that"), "{page}");
    assert!(!page.contains("No open lead that was scored is without a dealer"), "{page}");
    // One that dealers have more than are looked at, and those that are looked at are reached.
    yard.settled_lead(&Person::number(1)).await;
    let page = desk.opens("/console/today").await.is(200).text;
    assert!(page.contains("No open lead that was scored is without a dealer"), "{page}");
    assert!(!page.contains("No lead has come yet"), "{page}");
    yard.advance(Duration::from_secs(60)).await;
    for n in 2..=51 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
    }
    for n in 52..=63 {
        let _ = yard.server("web2").posts(&Person::number(n)).await.is(201);
    }
    yard.settle().await;
    yard.count().await;
    let page = desk.opens("/console/today").await.is(200).text;
    assert!(!page.contains("No dealer has a lead that it has not reached"), "{page}");
    assert!(page.contains("every one was reached; others may not be"), "{page}");
    // Those that are named are rejected, and two are not.
    let free = page.split("Hottest in nobody").nth(1).unwrap().split("<h3>").next().unwrap();
    let leads = free.split("/console/leads/").skip(1).map(|lead| lead.split('"').next().unwrap().to_owned());
    let leads: BTreeSet<String> = leads.collect();
    assert_eq!(leads.len(), 10);
    for lead in leads {
        let path = format!("/v1/leads/{lead}/reject");
        let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "moved" }))).await.is(200);
    }
    let page = desk.opens("/console/today").await.is(200).text;
    assert!(!page.contains("No open lead that was scored is without a dealer"), "{page}");
    assert!(page.contains("none is in nobody’s hands any more; others may be"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn who_accepted_is_not_named_among_those_who_did_not() {
    let shared = [("deadline_minutes", "90"), ("sale", "shared:2")];
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", shared).seller("ridge", shared)).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200).text;
    assert!(page.contains("</time> ridge has not accepted"), "{page}");
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

#[tokio::test(start_paused = true)]
async fn where_leads_alone_changed_it_is_counted_every_two_minutes_and_by_the_sweep_then() {
    let yard = Yard::of(of_three_categories()).await;
    yard.notes();
    let desk = Browser::of(&yard).await;
    let mut leads = Vec::new();
    for n in 1..=3 {
        let lead = yard.server("web2").posts(&Person::number(n)).await.is(201).text_of("lead").to_owned();
        yard.settle().await;
        let of_lead = |record: &StreamRecord| record.key() == Some((format!("L#{lead}").as_str(), "L"));
        counts_all(&yard, of_lead).await;
        leads.push(lead);
    }
    let told = async || {
        let page = desk.opens("/console/today").await.is(200).text;
        leads.iter().map(|lead| page.contains(lead)).collect::<Vec<_>>()
    };
    assert_eq!(told().await, [true, false, false]);
    yard.advance(Duration::from_secs(121)).await;
    assert_eq!(told().await, [true, true, true]);
}

#[tokio::test(start_paused = true)]
async fn a_look_counts_nothing_however_long_nothing_was_told_and_after_a_publish_the_sweep_does() {
    let yard = Yard::of(of_three_categories()).await;
    yard.notes();
    let desk = Browser::of(&yard).await;
    let _ = yard.server("web2").posts(&Person::number(1)).await.is(201);
    yard.settle().await;
    yard.count().await;
    let lead = yard.server("web3").posts(&Person::number(2)).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    counts_all(&yard, |record| record.key() == Some((format!("L#{lead}").as_str(), "L"))).await;
    for minutes in [10, 7 * 60] {
        yard.advance(Duration::from_secs(minutes * 60)).await;
        let (page, reads) = desk.reads("/console/today").await;
        assert!(reads <= READS_OF_ONE, "{reads} reads after {minutes} minutes");
        assert!(page.text.contains(&lead), "{}", page.text);
    }
    // Due in a day: somebody stands in quarantine.
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let _ = yard.server("web").posts(&aside).await.is(202);
    yard.settle().await;
    yard.count().await;
    let _ = yard.publish(&of_three_categories().file("tests.toml", "")).await.is(200);
    let (_, reads) = desk.reads("/console/today").await;
    assert!(reads > READS_OF_ONE, "what was counted by other rules is counted by the look");
    yard.advance(Duration::from_secs(61)).await;
    let (_, reads) = desk.reads("/console/today").await;
    assert!(reads <= READS_OF_ONE, "{reads} reads after a publish");
}

#[tokio::test(start_paused = true)]
async fn what_changed_while_it_was_counted_is_counted_again() {
    let yard = Yard::of(rules()).await;
    let (store, company) = (&yard.cloud.store, "acme".parse().unwrap());
    let at = yard.cloud.clock.now();
    let [touched, due, far] = [1, 120, 3_600].map(|seconds| at + SignedDuration::from_secs(seconds));
    let is_due = async |by: Timestamp| {
        let mut found = 0;
        for shard in 0..keys::SHARDS {
            let page = store.due_page(shard, by, 100).await.unwrap();
            found += page.iter().filter(|item| matches!(item.key, DueKey::Now(_))).count();
        }
        found == 1
    };
    // Nothing changed: when what it says ends.
    store.now_keep(&company, "{}", at, (Some(far), due), &[]).await.unwrap();
    assert!(!is_due(due).await && is_due(far).await);
    // Something changed, and the count of before is kept only then.
    store.now_touch(&company, touched, due, &[]).await.unwrap();
    store.now_keep(&company, "{}", at, (Some(far), due), &[]).await.unwrap();
    assert!(is_due(due).await);
    // And that of after it stands.
    store.now_keep(&company, "{}", due, (None, far), &[]).await.unwrap();
    assert!(!is_due(far).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_overdue_in_a_quiet_company_is_told() {
    let rules = rules().file("screening.toml", "at_deadline = \"keep\"\ndeadline_hours = 2\n");
    let yard = Yard::of(rules).await;
    yard.notes();
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let _ = yard.server("web").posts(&aside).await.is(202);
    yard.settle().await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert!(desk.opens("/console/today").await.is(200).text.contains("<strong>1</strong> in quarantine<"));
    yard.advance(Duration::from_secs(2 * 3_600 + 61)).await;
    let (page, reads) = desk.reads("/console/today").await;
    assert!(page.text.contains("<strong>1</strong> in quarantine, 1 for more than 2 h"), "{}", page.text);
    assert!(reads <= READS_OF_ONE, "{reads} reads");
}

/// What of the page says how dealers stand.
async fn troubles(desk: &Browser<'_>) -> (bool, bool) {
    let page = desk.opens("/console/today").await.is(200);
    (page.text.contains("dealer not reached"), page.text.contains("dealer full"))
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_enabled_and_a_deposit_are_told_at_once() {
    let rules = Rules::roofing("acme").seller("hudson", []).dealer("ridge", [("prepaid", "yes")]);
    let yard = Yard::of(rules.contract("ridge", "ridge", [("area", "state:NY")])).await;
    yard.notes();
    yard.dealer_says("hudson", Says::Status(410));
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert_eq!(troubles(&desk).await, (true, true));
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/enable", None).await.is(200);
    assert_eq!(troubles(&desk).await, (false, true));
    yard.settled_lead(&Person::number(2)).await;
    yard.count().await;
    assert_eq!(troubles(&desk).await, (true, true));
    let body = json!({ "amount": "500.00", "reference": "wire-1" });
    let _ = yard.desk(Method::POST, "/v1/dealers/ridge/deposits", Some(body)).await.is(200);
    assert_eq!(troubles(&desk).await, (true, false));
    // And one that is taken back.
    yard.settled_lead(&Person::number(3)).await;
    yard.count().await;
    let path = "/v1/dealers/ridge/deposits/wire-1/reverse";
    let _ = yard.desk(Method::POST, path, Some(json!({ "reason": "recalled" }))).await.is(200);
    assert_eq!(troubles(&desk).await, (true, true));
}

#[tokio::test(start_paused = true)]
async fn who_is_full_today_is_not_when_the_day_is_over() {
    let rules = Rules::roofing("acme").seller("hudson", [("cap_day", "1")]);
    // Eleven in the evening in New York, where hudson is.
    let yard = Yard::at("2026-06-02T03:00:00Z", rules).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert_eq!(troubles(&desk).await, (false, true));
    yard.advance(Duration::from_secs(59 * 60)).await;
    assert_eq!(troubles(&desk).await, (false, true));
    yard.advance(Duration::from_secs(2 * 60)).await;
    assert_eq!(troubles(&desk).await, (false, false));
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_under_other_rules_is_not_gone_by() {
    let hours = |hours: u32| {
        rules().file("screening.toml", &format!("at_deadline = \"keep\"\ndeadline_hours = {hours}\n"))
    };
    let yard = Yard::of(hours(2)).await;
    yard.notes();
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let _ = yard.server("web").posts(&aside).await.is(202);
    yard.advance(Duration::from_secs(3 * 3_600)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let told = async || desk.opens("/console/today").await.is(200).text;
    assert!(told().await.contains("<strong>1</strong> in quarantine, 1 for more than 2 h"));
    let _ = yard.publish(&hours(48)).await.is(200);
    let page = told().await;
    assert!(page.contains("<strong>1</strong> in quarantine<"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn dealers_are_asked_for_every_quarter_of_an_hour_at_most() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "1000")])).await;
    yard.notes();
    let batches = async |n: usize| {
        yard.settled_lead(&Person::number(n)).await;
        let _ = yard.faults.calls();
        yard.count().await;
        yard.faults.calls().get("BatchGetItem").copied().unwrap_or(0)
    };
    // Their channels, and their counters.
    let (first, again) = (batches(1).await, batches(2).await);
    assert!(again < first, "{again} and {first}");
    yard.advance(Duration::from_secs(14 * 60)).await;
    assert_eq!(batches(3).await, again);
    // When they are a quarter of an hour old, by the sweep.
    let _ = yard.faults.calls();
    yard.advance(Duration::from_secs(121)).await;
    let later = yard.faults.calls().get("BatchGetItem").copied().unwrap_or(0);
    assert!(later > again, "{later} and {again}");
    assert_eq!(batches(4).await, again);
}

#[tokio::test(start_paused = true)]
async fn who_became_full_within_a_quarter_of_an_hour_is_told_after_it_though_nothing_happened_since() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "2")])).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    yard.advance(Duration::from_secs(5 * 60)).await;
    yard.settled_lead(&Person::number(2)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    yard.advance(Duration::from_secs(11 * 60)).await;
    assert_eq!(troubles(&desk).await, (false, true));
}

#[tokio::test(start_paused = true)]
async fn leads_that_a_dealer_did_not_reach_are_shown_and_offers_before_they_lapse() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("deadline_minutes", "300")])).await;
    let [reached, open] = [1, 2].map(Person::number);
    let reached = yard.settled_lead(&reached).await;
    let open = yard.settled_lead(&open).await;
    let desk = Browser::of(&yard).await;
    let section = async |title: &str| {
        let page = desk.opens("/console/today").await.is(200);
        let list = page.text.split(title).nth(1).map(|rest| rest.split("<h3>").next().unwrap_or_default());
        list.unwrap_or_default().to_owned()
    };
    let held = section("Hottest with a dealer").await;
    assert!(held.contains(&reached) && held.contains(&open), "{held}");
    assert_eq!(section("Offers about to lapse").await, "", "five hours are long");
    let _ = yard.answers("hudson", &reached, "accept").await.is(200);
    assert!(section("Hottest with a dealer").await.contains(&reached), "a yes reaches nobody");
    let _ = yard.answers("hudson", &reached, "contacted").await.is(200);
    let held = section("Hottest with a dealer").await;
    assert!(!held.contains(&reached) && held.contains(&open), "{held}");
    yard.advance(Duration::from_secs(3 * 3_600 + 60)).await;
    let lapsing = section("Offers about to lapse").await;
    assert!(lapsing.contains(&open) && !lapsing.contains(&reached), "{lapsing}");
    assert!(lapsing.contains("in 118 min") || lapsing.contains("in 1 h"), "{lapsing}");
    let page = desk.opens("/console/today").await.is(200);
    assert!(page.text.contains("<strong>1</strong> offer lapses within 2 h"), "{}", page.text);
    assert!(page.text.contains("<strong>1</strong> with a dealer and not reached"), "{}", page.text);
    let _ = yard.answers("hudson", &open, "accept").await.is(200);
    assert_eq!(section("Offers about to lapse").await, "");
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_lapses_is_shown_however_many_leads_are_hotter() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("deadline_minutes", "300")])).await;
    yard.notes();
    let first = yard.settled_lead(&Person::number(1)).await;
    yard.advance(Duration::from_secs(60)).await;
    // More than are looked at of those that dealers have, and all of them asked later.
    for n in 2..=60 {
        let _ = yard.lead(&Person::number(n)).await;
    }
    yard.settle().await;
    yard.count().await;
    yard.advance(Duration::from_secs(3 * 3_600 + 60)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let lapsing = async || {
        let page = desk.opens("/console/today").await.is(200);
        let list = page.text.split("Offers about to lapse").nth(1).unwrap_or_else(|| panic!("{}", page.text));
        let leads = list.split("<h3>").next().unwrap().split("/console/leads/").skip(1);
        leads.map(|lead| lead.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let soon = lapsing().await;
    assert_eq!((soon.first(), soon.len()), (Some(&first), 10), "{soon:?}");
    let page = desk.opens("/console/today").await.is(200);
    assert!(page.text.contains("<strong>30+</strong> offers lapse within 2 h"), "{}", page.text);
    // Accepted, it does not lapse: before reporting hears of it, and after.
    let _ = yard.answers("hudson", &first, "accept").await.is(200);
    assert!(!lapsing().await.contains(&first));
    yard.settle().await;
    yard.count().await;
    let store = &yard.cloud.store;
    let now = yard.cloud.clock.now();
    let later = now.checked_add(jiff::SignedDuration::from_hours(6)).unwrap();
    let noted = store.offers_lapsing(&yard.company_id(), now, later).await.unwrap();
    assert_eq!(noted.len(), 59);
    assert!(noted.iter().all(|offer| offer.lead.to_string() != first));
}

#[tokio::test(start_paused = true)]
async fn five_thousand_offers_that_lapse_in_one_quarter_of_an_hour_are_all_known() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let (store, now, company) = (&yard.cloud.store, yard.cloud.clock.now(), yard.company_id());
    let offer = |n: u16| {
        let mut id = [0; 16];
        id[14..].copy_from_slice(&n.to_be_bytes());
        let at = now.checked_add(jiff::SignedDuration::from_millis(60_000 + i64::from(n))).unwrap();
        Offer { at, lead: LeadId::from_bytes(id), cycle: 1, assignment: AssignmentId::from_bytes(id) }
    };
    let offers: Vec<Offer> = (0..5_000).map(offer).collect();
    for some in offers.chunks(500) {
        let made: Vec<(Offer, bool)> = some.iter().map(|offer| (*offer, true)).collect();
        store.offers_note(&company, &made).await.unwrap();
    }
    let later = now.checked_add(jiff::SignedDuration::from_hours(2)).unwrap();
    assert_eq!(store.offers_lapsing(&company, now, later).await.unwrap(), offers);
    // One that ends is named where it stands.
    store.offers_note(&company, &[(offers[7], false)]).await.unwrap();
    assert_eq!(store.offers_lapsing(&company, now, later).await.unwrap().len(), 4_999);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_version_noted_of_a_quarter_is_read() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let (store, now, company) = (&yard.cloud.store, yard.cloud.clock.now(), yard.company_id());
    let at = now.checked_add(jiff::SignedDuration::from_mins(5)).unwrap();
    let (lead, assignment) = (LeadId::from_bytes([1; 16]), AssignmentId::from_bytes([2; 16]));
    let offer = Offer { at, lead, cycle: 1, assignment };
    store.offers_note(&company, &[(offer, true)]).await.unwrap();
    let (items, _) = store.scan_page(None).await.unwrap();
    let mut noted = items.into_iter().find(|item| item.contains_key(&format!("o_{assignment}"))).unwrap();
    let sk = noted["sk"].as_s().unwrap().clone();
    let gone = store.client().delete_item().table_name(store.table());
    let gone = gone.key("pk", noted["pk"].clone()).key("sk", noted["sk"].clone());
    gone.send().await.unwrap();
    assert_eq!(store.offers_lapsing(&company, now, at).await.unwrap(), []);
    // One item a quarter.
    noted.insert("sk".to_owned(), AttributeValue::S(sk.rsplit_once('#').unwrap().0.to_owned()));
    store.client().put_item().table_name(store.table()).set_item(Some(noted)).send().await.unwrap();
    assert_eq!(store.offers_lapsing(&company, now, at).await.unwrap(), [offer]);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_full_of_offers_keeps_nothing_from_being_counted() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("deadline_minutes", "300")])).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    let store = &yard.cloud.store;
    let (items, _) = store.scan_page(None).await.unwrap();
    let text = |item: &Item, name: &str| item[name].as_s().unwrap().clone();
    let of_quarter = |item: &Item| text(item, "pk") == "T#acme" && text(item, "sk").starts_with("O#");
    let noted = text(items.iter().find(|item| of_quarter(item)).unwrap(), "sk");
    let quarter = noted.rsplit_once('#').unwrap().0;
    // There is no room for one more, whichever lead's.
    for part in 0..8 {
        let full = [("pk", "T#acme".to_owned()), ("sk", format!("{quarter}#{part}"))];
        let full = full.into_iter().chain([("junk", "x".repeat(409_500))]);
        let full: Item = full.map(|(name, text)| (name.to_owned(), AttributeValue::S(text))).collect();
        store.client().put_item().table_name(store.table()).set_item(Some(full)).send().await.unwrap();
    }
    yard.settled_lead(&Person::number(2)).await;
    counts_all(&yard, |_| true).await;
    let funnel = yard.report("funnel?from=2026-06-01&to=2026-06-01").await;
    assert_eq!(funnel["whole"]["leads"], 2, "{funnel}");
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_ended_is_not_noted_again_when_its_seat_changes() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("deadline_minutes", "300")])).await;
    yard.notes();
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.settle().await;
    yard.count().await;
    let store = &yard.cloud.store;
    let quarters = async || -> Vec<_> {
        let (items, _) = store.scan_page(None).await.unwrap();
        let stands = |item: &Item| {
            let key = |name: &str| item[name].as_s().unwrap().clone();
            (key("pk") == "T#acme" && key("sk").starts_with("O#")).then(|| key("sk"))
        };
        items.iter().filter_map(stands).collect()
    };
    // Its quarter expires.
    let stood = quarters().await;
    assert_eq!(stood.len(), 1, "{stood:?}");
    for sk in stood {
        let gone = store.client().delete_item().table_name(store.table());
        let gone = gone.key("pk", AttributeValue::S("T#acme".to_owned())).key("sk", AttributeValue::S(sk));
        gone.send().await.unwrap();
    }
    // The seat goes on, and has its deadline as before.
    let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
    yard.settle().await;
    yard.count().await;
    assert_eq!(quarters().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_company_that_cannot_be_read_takes_no_other_with_it() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    // The core of the other's next version is none.
    let _ = other.publish(&Rules::roofing("other").seller("hudson", [("price", "11.00")])).await.is(200);
    let store = &yard.cloud.store;
    let (items, _) = store.scan_page(None).await.unwrap();
    let of_core = |item: &&std::collections::HashMap<String, AttributeValue>| {
        item["pk"].as_s().unwrap() == "R#other" && item["sk"].as_s().unwrap().starts_with("core#")
    };
    let mut damaged =
        items.iter().filter(of_core).max_by_key(|item| item["sk"].as_s().unwrap().clone()).unwrap().clone();
    damaged.insert("core".to_owned(), AttributeValue::S("{".to_owned()));
    damaged.insert("sk".to_owned(), AttributeValue::S("core#0000000099".to_owned()));
    store.client().put_item().table_name(store.table()).set_item(Some(damaged)).send().await.unwrap();
    let pointer = std::collections::HashMap::from([
        ("pk".to_owned(), AttributeValue::S("R#other".to_owned())),
        ("sk".to_owned(), AttributeValue::S("current".to_owned())),
        ("version".to_owned(), AttributeValue::N("99".to_owned())),
        ("at".to_owned(), AttributeValue::N("1780329600000".to_owned())),
        ("by".to_owned(), AttributeValue::S("desk".to_owned())),
    ]);
    store.client().put_item().table_name(store.table()).set_item(Some(pointer)).send().await.unwrap();
    let companies = vec![other.company_id(), yard.company_id()];
    let both = yard.cloud.master.mint(&DeskToken { staff: "ann".to_owned(), companies });
    let desk = Browser::with(&yard, &both).await;
    let page = desk.opens("/console/today").await.is(200);
    assert!(page.text.contains("This company could not be read"), "{}", page.text);
    assert!(page.text.contains(&lead) && page.text.contains("Companies side by side"), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_returns_are_a_hundred() {
    let rules =
        Rules::roofing("acme").seller("hudson", [("return_days", "7"), ("return_reasons", "wrong-number")]);
    let yard = Yard::of(rules).await;
    let desk = Browser::of(&yard).await;
    for (n, told) in
        [(100, "<strong>100</strong> returns to decide"), (101, "<strong>100+</strong> returns to decide")]
    {
        let from = if n == 100 { 1 } else { n };
        for n in from..=n {
            let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
            let lead = yard.settled_lead(&person).await;
            let body = json!({ "reason": "wrong-number" });
            let _ = yard.answers_with("hudson", &lead, "return", Some(body)).await.is(200);
        }
        let page = desk.opens("/console/today").await.is(200);
        assert!(page.text.contains(told), "{told} is not in {}", page.text);
    }
}
