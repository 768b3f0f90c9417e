//! Rulebooks at their edges: hours that never open, more lines than there may be, areas that do not exist.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn only_ridge() -> Rules {
    Rules::roofing("acme").seller("ridge", [("tier", "2")])
}

// --- What never comes ---

/// Open on Mondays, all of which are holidays for as long as the contract runs.
fn shut_for_ever<const N: usize>(columns: [(&str, &str); N]) -> Rules {
    const MONDAYS: &str = "2026-06-01 2026-06-08 2026-06-15 2026-06-22 2026-06-29 2026-07-06 2026-07-13";
    Rules::roofing("acme")
        .dealer("hudson", [("hours", "Mo 09:00-17:00"), ("holidays", MONDAYS)])
        .contract("hudson", "hudson", columns)
        .seller("ridge", [("tier", "2"), ("cap_total", "1")])
}

#[tokio::test(start_paused = true)]
async fn whoever_never_opens_is_waited_for_as_long_as_was_agreed() {
    let hudson = [
        ("territory", "protected"),
        ("when_unavailable", "wait"),
        ("area", "zip:33101"),
        ("ends", "2026-07-13"),
        ("max_age_hours", "72"),
    ];
    let yard = Yard::of(shut_for_ever(hudson)).await;
    let warned = yard.publish(&shut_for_ever(hudson)).await.is(200).json["warnings"].to_string();
    assert!(warned.contains("shut on every day that it runs"), "{warned}");
    let lead = yard.settled_lead(&Person::number(1)).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.waiting()), ("waiting", "hours"));
    // Not until it opens, but until the lead is too old for it: the first moment after its 72 hours.
    assert_eq!(story.list("decisions").next().unwrap()["until"], "2026-06-04T16:00:00.001Z");
    yard.advance(HOUR * 71).await;
    assert_eq!(yard.story(&lead).await.decisions(), ["waiting:hours"]);
    yard.advance(HOUR * 2).await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_never_opens_keeps_a_lead_of_nobodys_until_it_expires() {
    let hudson = [("tier", "1"), ("area", "zip:33101"), ("ends", "2026-07-13")];
    let yard = Yard::of(shut_for_ever(hudson)).await;
    let taken = yard.settled_lead(&Person::number(0)).await;
    assert_eq!(yard.story(&taken).await.holders(), ["ridge"], "an open territory waits for nobody");
    let lead = yard.settled_lead(&Person::number(1)).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.stage(), "waiting");
    // Nothing that time brings changes it but its window's end.
    assert_eq!(story.list("decisions").next().unwrap()["until"], Value::Null);
    assert_eq!(story.0["due"], "2026-07-01T16:00:00Z");
    yard.advance(DAY * 31).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.decisions().len()), ("expired", 1));
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn hours_without_an_hour_are_no_hours() {
    let yard = Yard::of(only_ridge()).await;
    for hours in ["closed", "Mo", "Mo 09:00-09:00"] {
        let rules = only_ridge().dealer("hudson", [("hours", hours)]).contract("hudson", "hudson", []);
        let refused = yard.publish(&rules).await.is(422);
        let problem = &refused.json["problems"]["list"][0];
        assert_eq!((&problem["file"], &problem["line"]), (&json!("dealers.csv"), &json!(3)), "{hours}");
    }
}

// --- What is too much, and what is not there ---

async fn publishes(yard: &Yard, files: &BTreeMap<String, String>, how: &str) -> Reply {
    yard.desk(Method::PUT, &format!("/v1/rulebook{how}"), Some(json!({ "files": files }))).await
}

#[tokio::test(start_paused = true)]
async fn a_rulebook_of_a_million_lines_is_refused_by_its_limit_and_not_read_beyond_it() {
    let yard = Yard::of(only_ridge()).await;
    let before = yard.version().await;
    let mut files = only_ridge().files();
    let mut areas = "area,part\nof-ridge,any\n".to_owned();
    for row in 0..1_000_000 {
        // From six hundred thousand on every row is wrong: nobody looks at it any more.
        let part = if row < 600_000 { "33101" } else { "wrong" };
        let _ = writeln!(areas, "a,zip:{part}");
    }
    files.insert("areas.csv".to_owned(), areas);
    let refused = publishes(&yard, &files, "").await.is(422).is_problem("rulebook-refused");
    let list = refused.json["problems"]["list"].as_array().unwrap();
    assert_eq!(list.len(), 1, "{}", refused.text);
    assert_eq!(
        (&list[0]["file"], &list[0]["line"], &list[0]["code"]),
        (&json!("areas.csv"), &json!(500_002), &json!("too-many"))
    );
    assert!(list[0]["message"].as_str().unwrap().contains("500000 area parts"), "{}", refused.text);
    // More bytes than a rulebook has, in all its files.
    let areas = "area,part\n".to_owned() + &"a,zip:33101\n".repeat(1_400_000);
    files.insert("areas.csv".to_owned(), areas);
    let refused = publishes(&yard, &files, "").await.is(422);
    assert!(refused.text.contains("at most 16777216 bytes"), "{}", refused.text);
    // More than a body has.
    files.insert("areas.csv".to_owned(), "a".repeat(33 * 1024 * 1024));
    let _ = publishes(&yard, &files, "").await.is(413);
    // What was in force is in force.
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!((yard.story(&lead).await.holders(), yard.version().await), (vec!["ridge"], before));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_contracts_are_taken_and_one_more_is_not() {
    let yard = Yard::of(only_ridge()).await;
    let before = yard.version().await;
    let mut files = only_ridge().files();
    let zips = ["33101", "10001", "60601", "77001", "85001", "19101", "98101", "80202", "30301", "02108"];
    let mut areas = "area,part\n".to_owned();
    for zip in zips {
        let _ = writeln!(areas, "in-{zip},zip:{zip}");
    }
    files.insert("areas.csv".to_owned(), areas);
    let mut contracts = "contract,dealer,offers,sources,area,price\n".to_owned();
    for (n, zip) in (0..100_000).zip(zips.iter().cycle()) {
        let _ = writeln!(contracts, "c{n},ridge,*,*,in-{zip},10.00");
    }
    files.insert("contracts.csv".to_owned(), contracts.clone());
    let taken = publishes(&yard, &files, "?dry_run=1").await.is(200);
    assert_eq!((&taken.json["company"], yard.version().await), (&json!("acme"), before));
    let _ = writeln!(contracts, "one-more,ridge,*,*,in-33101,10.00");
    files.insert("contracts.csv".to_owned(), contracts);
    let refused = publishes(&yard, &files, "?dry_run=1").await.is(422);
    let list = refused.json["problems"]["list"].as_array().unwrap();
    assert_eq!((&list[0]["file"], &list[0]["code"]), (&json!("contracts.csv"), &json!("too-many")));
    assert!(list[0]["message"].as_str().unwrap().contains("100000 contracts"), "{}", refused.text);
}

#[tokio::test(start_paused = true)]
async fn areas_that_do_not_exist_are_named() {
    let yard = Yard::of(only_ridge()).await;
    // A contract's area is in no file; a part that is none.
    let found = first_problem(&yard, "area,part\nof-rigde,any\n").await;
    assert_eq!((&found["file"], &found["line"]), (&json!("contracts.csv"), &json!(2)));
    assert!(found["message"].as_str().unwrap().contains("did you mean \"of-rigde\""), "{found}");
    for part in ["state:ZZ", "planet:mars"] {
        let found = first_problem(&yard, &format!("area,part\nof-ridge,{part}\n")).await;
        assert_eq!((&found["file"], &found["line"]), (&json!("areas.csv"), &json!(2)), "{part}");
    }
    // A ZIP that could be one, and is not: it may be new, so that is a warning.
    let rules = only_ridge().file("areas.csv", "area,part\nof-ridge,zip:00000\n");
    let warned = yard.publish(&rules).await.is(200);
    assert!(warned.json["warnings"].to_string().contains("covers no place"), "{}", warned.text);
}

async fn first_problem(yard: &Yard, areas: &str) -> Value {
    let rules = only_ridge().file("areas.csv", areas);
    yard.publish(&rules).await.is(422).json["problems"]["list"][0].clone()
}
