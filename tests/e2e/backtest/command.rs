//! The command line: `leadyard backtest` and `leadyard export`.

use std::path::Path;

use leadyard_domain::money::Money;
use leadyard_tests::Story;
use leadyard_tests::live::{Program, Ran, until};
use serde_json::Value;

use super::*;

/// Two dealers for six leads of one day: two had hudson, two ridge, two wait for tomorrow.
fn two_each(cap: &'static str) -> Rules {
    Rules::roofing("acme")
        .seller("hudson", [("cap_day", cap), ("tier", "1"), ("price", "20.00")])
        .seller("ridge", [("tier", "2"), ("cap_day", "2")])
}

/// Rows of a table by their columns' names.
fn table(csv: &str) -> Vec<Vec<String>> {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    rows.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_backtest_of_a_file_is_told_as_text_as_json_and_as_tables() {
    let yard = Yard::of(two_each("2")).await;
    for n in 0..6 {
        yard.settled_lead(&Person::number(n)).await;
        yard.advance(MINUTE).await;
    }
    let found = backtested(&yard, &two_each("3")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let events = history(&yard).await;
    let mut lines: Vec<String> =
        events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    std::fs::write(path("history"), lines.concat()).unwrap();
    for (name, rules) in [("new", two_each("3")), ("same", two_each("2"))] {
        std::fs::create_dir(path(name)).unwrap();
        rules.write_to(Path::new(&path(name)));
    }
    let (new, same, file, to) = (path("new"), path("same"), path("history"), found.to.to_string());
    let all = ["backtest", "--rules", &new, "--from", FIRST, "--to", &to, "--history", &file];
    let with = async |more: &[&str]| Program::run(&[&all[..], more].concat()).await;

    let told = with(&["--json"]).await.is(0).json();
    assert_eq!(told, json!(found));
    // A day is the company's: June begins in New York when it is four in London.
    let of_day =
        ["backtest", "--rules", &new, "--from", "2026-06-01", "--to", &to, "--history", &file, "--json"];
    assert_eq!(Program::run(&of_day).await.is(0).json()["from"], "2026-06-01T04:00:00Z");

    let text = with(&[]).await.is(0).out;
    let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    for row in [
        &["matched", "4", "5", "+1"][..],
        &["unmatched", "2", "1", "-1"],
        &["value", "60.00", "80.00", "+20.00"],
        &["hudson", "2", "3", "1", "0", "+20.00"],
        &["cap", "2", "1"],
        &["2", "of", "6", "leads", "change"],
    ] {
        assert!(words.iter().any(|line| line == row), "{row:?}\n{text}");
    }
    let change = &found.changes[1];
    assert!(
        text.contains(&format!("{}  nobody (cap) -> ridge\n      {}\n", change.lead, change.why)),
        "{text}"
    );
    // What was assumed is said, all of it.
    let assumed: Vec<&str> = text
        .split("\nAssumed:\n")
        .nth(1)
        .unwrap()
        .lines()
        .map(|line| line.trim_start_matches("- "))
        .collect();
    assert!(assumed.len() > 2 && assumed == found.assumptions, "{text}");

    let dealers = table(&with(&["--csv", "dealers"]).await.is(0).out);
    assert_eq!(dealers[0], ["dealer", "before", "after", "gains", "loses", "value_before", "value_after"]);
    let amount = |minor: i64| Money::from_minor(minor).to_string();
    let expected: Vec<Vec<String>> = found
        .dealers
        .iter()
        .map(|row| {
            let counts = [row.before, row.after, row.gains, row.loses].map(|count| count.to_string());
            [&[row.id.clone()][..], &counts, &[amount(row.value_before), amount(row.value_after)]].concat()
        })
        .collect();
    assert_eq!(dealers[1..], expected);
    let contracts = table(&with(&["--csv", "contracts"]).await.is(0).out);
    assert_eq!((contracts[0][0].as_str(), contracts.len()), ("contract", 1 + found.contracts.len()));
    let leads = table(&with(&["--csv", "leads"]).await.is(0).out);
    assert_eq!(leads[0], ["at", "lead", "cycle", "before", "waited", "after", "waits", "why"]);
    assert_eq!(leads.len(), 1 + found.changes.len());
    let second = [&change.at.to_string(), &change.lead.to_string(), "1", "", "cap", "ridge", "", &change.why];
    assert_eq!(leads[2], second);

    let no_change = ["backtest", "--rules", &same, "--from", FIRST, "--to", &to, "--history", &file];
    let text = Program::run(&no_change).await.is(0).out;
    assert!(
        text.contains("No difference: 6 leads go as they went.\n") && text.contains("\nAssumed:\n"),
        "{text}"
    );

    // What could not run says why, and what is wrong with the rules is another thing.
    lines[1] = "{\"event\": \"decided\"}\n".to_owned();
    std::fs::write(&file, lines.concat()).unwrap();
    assert!(with(&[]).await.is(2).err.contains("line 2: this is no event of an export"));
    std::fs::write(&file, "\n").unwrap();
    assert!(with(&[]).await.is(2).err.contains("there is no history in that time"));
    let backwards = ["backtest", "--rules", &new, "--from", &to, "--to", FIRST, "--history", &file];
    assert!(Program::run(&backwards).await.is(2).err.contains("--from is before --to"));
    let unread = ["backtest", "--rules", &new, "--from", "June", "--history", &file];
    assert!(Program::run(&unread).await.is(2).err.contains("--from: a day is written 2026-05-01"));
    let _ = with(&["--csv", "everything"]).await.is(2);
    let _ = with(&["--csv", "leads", "--json"]).await.is(2);
    Rules::roofing("acme").contract("hudson", "nobody", []).write_to(Path::new(&new));
    let refused = with(&[]).await.is(1);
    assert!(refused.err.contains("nothing was tried") && refused.out.is_empty(), "{}", refused.err);
}

/// Hudson may have two in all; what else comes is ridge's. Neither is mailed anything.
fn small(area: &'static str) -> Rules {
    Rules::roofing("acme")
        .inbox_dealer("hudson", [])
        .contract("hudson", "hudson", [("cap_total", "2"), ("tier", "1"), ("area", area)])
        .inbox_dealer("ridge", [])
        .contract("ridge", "ridge", [("tier", "2")])
}

async fn sold(program: &Program, person: &Person) -> Story {
    let (_, body) = program.live.posts("web", person).await.unwrap();
    let lead = body["lead"].as_str().unwrap().to_owned();
    until("the lead is sold", async || {
        program.live.story(&lead).await.filter(|story| story.stage() == "assigned")
    })
    .await
}

/// A difference without the time it was asked at.
fn timeless(ran: &Ran) -> Value {
    let mut found = ran.json();
    found.as_object_mut().unwrap().remove("to");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_systems_history_is_exported_and_tried_and_counts_from_before_the_time_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, old, new, file) = (path("data"), path("old"), path("new"), path("history"));
    for (name, rules) in [(&old, small("zip:33101")), (&new, small("any"))] {
        std::fs::create_dir(name).unwrap();
        rules.write_to(Path::new(name));
    }
    let program = Program::start(Path::new(&data), Path::new(&old)).await;
    for n in 1..=2 {
        assert_eq!(sold(&program, &Person::number(n)).await.holders(), ["hudson"]);
    }
    // Nobody reads hudson's counters for a lead in New York.
    let story = sold(&program, &Person::number(3).with("zip", "10001")).await;
    assert_eq!(story.holders(), ["ridge"]);
    let from = story.0["decisions"][0]["at"].as_str().unwrap();

    let asked = ["backtest", "--rules", &new, "--from", from, "--json"];
    let (url, token) = (program.live.ready["url"].as_str().unwrap(), &program.live.ready["desk_token"]);
    let beside = ["--url", url, "--token", token.as_str().unwrap()];
    let of_system = Program::run(&[&asked[..], &beside].concat()).await.is(0);
    let in_use = Program::run(&[&asked[..], &["--data", &data]].concat()).await.is(2);
    assert!(in_use.err.contains("beside a running system, say --url and --token"), "{}", in_use.err);
    let stranger = ["--url", url, "--token", "x"];
    assert!(Program::run(&[&asked[..], &stranger].concat()).await.is(2).err.contains("(401)"));
    program.kill().await;

    // Two are what hudson may have, and it had them before: under the new rules it gets the third as little.
    let of_folder = Program::run(&[&asked[..], &["--data", &data]].concat()).await.is(0);
    let found = timeless(&of_folder);
    assert_eq!(found, timeless(&of_system));
    assert_eq!((&found["leads"], &found["changed"]), (&json!(1), &json!(0)), "{found}");
    let assumed = found["assumptions"][0].as_str().unwrap();
    let counted_from: jiff::Timestamp =
        assumed.rsplit("they count from ").next().unwrap().trim_end_matches('.').parse().unwrap();
    let since = from.parse::<jiff::Timestamp>().unwrap().duration_since(counted_from);
    assert!(since >= jiff::SignedDuration::from_hours(7 * 24), "a week at least: {assumed}");

    // The same from a file; one that begins with the time asked for knows of none of hudson's leads.
    let export = ["export", "--company", "acme", "--data", &data];
    let day_before = counted_from.to_string();
    let whole = Program::run(&[&export[..], &["--from", &day_before, "--out", &file]].concat()).await.is(0);
    let lines = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        (whole.err, lines.lines().count()),
        ("4 events\n".to_owned(), 4),
        "three leads and the switches"
    );
    assert!(!lines.contains('@') && !lines.contains("Hill"), "no person is in it");
    let printed = Program::run(&[&export[..], &["--from", &day_before]].concat()).await.is(0);
    assert_eq!(printed.out, lines);
    let of_file = Program::run(&[&asked[..], &["--history", &file]].concat()).await.is(0);
    assert_eq!(timeless(&of_file), found);
    let _ = Program::run(&[&export[..], &["--from", from, "--out", &file]].concat()).await.is(0);
    let short = Program::run(&[&asked[..], &["--history", &file]].concat()).await.is(0).json();
    assert_eq!(
        (&short["changed"], &short["changes"][0]["after"]),
        (&json!(1), &json!(["hudson"])),
        "{short}"
    );

    let nowhere = Program::run(&[&asked[..], &["--data", &path("none")]].concat()).await.is(2);
    assert!(nowhere.err.contains("is no data folder"), "{}", nowhere.err);
    let both = Program::run(&[&asked[..], &["--history", &file, "--data", &data]].concat()).await.is(2);
    assert!(both.err.contains("--history") && both.out.is_empty(), "{}", both.err);
}
