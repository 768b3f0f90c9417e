//! A publish that rolls itself back: when too many new leads wait for its rules, and for nothing else.

use std::time::Duration;

use http::Method;
use leadyard_platform::metrics::Metric;
use leadyard_tests::{Browser, Person, Rules, Yard, roles};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
/// As many as it takes.
const ENOUGH: usize = 20;
const RULE: &str = "[rollback]\nunmatched_points = 30\nafter_leads = 20\nwithin_hours = 2";

/// Hudson takes what is asked for in Miami, as the rules are meant to be.
fn good() -> Rules {
    Rules::roofing("acme").with(RULE).seller("hudson", [("area", "zip3:331")])
}

/// A digit went wrong: nobody takes Miami any more.
fn bad() -> Rules {
    Rules::roofing("acme").with(RULE).seller("hudson", [("area", "zip3:313")])
}

/// So many new leads, one after another; the number of the first that is still to come.
async fn come(yard: &Yard, first: usize, many: usize) -> usize {
    for number in first..first + many {
        yard.settled_lead(&Person::number(number)).await;
    }
    first + many
}

/// The rules are good, and enough leads came by them; the next lead's number.
async fn begun() -> (Yard, usize) {
    let yard = Yard::of(good()).await;
    let next = come(&yard, 0, ENOUGH).await;
    yard.advance(MINUTE).await;
    (yard, next)
}

async fn newest(yard: &Yard) -> Value {
    yard.desk(Method::GET, "/v1/rulebook/versions", None).await.is(200).json["versions"][0].clone()
}

fn rolled_back(yard: &Yard) -> u64 {
    yard.counted(Metric::PublishesRolledBack).into_iter().sum()
}

#[tokio::test(start_paused = true)]
async fn a_publish_under_which_nobody_takes_new_leads_is_rolled_back_and_who_waited_is_placed() {
    let (yard, next) = begun().await;
    let _ = yard.publish(&bad()).await.is(200);
    yard.advance(MINUTE).await;
    // Three unlucky ones are nothing, however often they are looked at.
    let waiting = yard.lead(&Person::number(next)).await;
    yard.settle().await;
    let next = come(&yard, next + 1, 2).await;
    yard.advance(MINUTE * 20).await;
    assert_eq!((yard.version().await, rolled_back(&yard)), (2, 0));
    assert_eq!(yard.story(&waiting).await.waiting(), "area");
    come(&yard, next, ENOUGH - 3).await;
    yard.advance(MINUTE * 10).await;
    assert_eq!((yard.version().await, rolled_back(&yard)), (3, 1));
    let newest = newest(&yard).await;
    let [by, how, base] = ["by", "how", "base"].map(|name| &newest[name]);
    assert_eq!((by, how, base), (&json!("leadyard"), &json!("rollback to 1"), &json!(2)));
    let figures = json!({ "leads": 20, "unmatched": 20, "leads_before": 20, "unmatched_before": 0 });
    assert_eq!(newest["rolled_back"], figures);
    // The same rules as before, and who waited has a dealer.
    let diff = yard.desk(Method::GET, "/v1/rulebook/diff?from=1&to=3", None).await.is(200);
    assert_eq!(diff.json["diff"]["tables"], json!([]));
    assert_eq!(yard.story(&waiting).await.holders(), ["hudson"]);
    let page = Browser::of(&yard).await.opens("/console/rulebook").await.is(200);
    let said = "by itself: 20 of 20 new leads were unmatched, 0 of 20 before";
    assert!(page.text.contains(said), "{}", page.text);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_was_taken_out_of_the_desk_with_a_publish_has_no_access_by_its_roll_back() {
    let people =
        |rules: Rules, people: &str| rules.file("people.csv", &format!("person,email,role\n{people}"));
    let yard =
        Yard::of(people(good(), "maria,maria@desk.example,manager\nben,ben@desk.example,desk\n")).await;
    let next = come(&yard, 0, ENOUGH).await;
    yard.advance(MINUTE).await;
    let [maria, ben] = ["maria@desk.example", "ben@desk.example"].map(|mail| Browser::by_mail(&yard, mail));
    let (maria, ben) = tokio::join!(maria, ben);
    let _ = ben.opens("/console/today").await.is(200);
    let of_later = "maria,maria@desk.example,manager\nnina,nina@desk.example,desk\n";
    let _ = yard.publish(&people(bad(), of_later)).await.is(200);
    come(&yard, next, ENOUGH).await;
    yard.advance(MINUTE * 5).await;
    assert_eq!((yard.version().await, rolled_back(&yard)), (3, 1));
    let _ = maria.opens("/console/today").await.is(200);
    let _ = ben.opens("/console/today").await.is(303);
    let _ = Browser::by_mail(&yard, "nina@desk.example").await.opens("/console/today").await.is(200);
    // As the next one who edits a row finds it, and nothing else is.
    for (from, table) in [(2, "areas"), (1, "people")] {
        let diff = yard.desk(Method::GET, &format!("/v1/rulebook/diff?from={from}&to=3"), None).await.is(200);
        let tables = diff.json["diff"]["tables"].as_array().unwrap();
        let changed: Vec<&Value> = tables.iter().map(|table| &table["table"]).collect();
        assert_eq!(changed, [table], "{}", diff.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_roll_back_is_never_rolled_back() {
    let (yard, next) = begun().await;
    let _ = yard.publish(&bad()).await.is(200);
    let next = come(&yard, next, ENOUGH).await;
    yard.advance(MINUTE * 5).await;
    assert_eq!(yard.version().await, 3);
    // Whatever comes under it.
    for number in next..next + ENOUGH {
        yard.settled_lead(&Person::number(number).with("zip", "10001")).await;
    }
    yard.advance(MINUTE * 180).await;
    assert_eq!(yard.version().await, 3);
    // Nor is one by hand, from rules under which everybody had a dealer for a day.
    yard.advance(MINUTE * 60 * 25).await;
    let next = come(&yard, next + ENOUGH, ENOUGH).await;
    yard.advance(MINUTE).await;
    let back = yard.desk(Method::POST, "/v1/rulebook/rollback", Some(json!({ "version": 2 }))).await.is(200);
    assert_eq!(back.json["version"], 4);
    come(&yard, next, ENOUGH).await;
    yard.advance(MINUTE * 180).await;
    assert_eq!((yard.version().await, rolled_back(&yard)), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn a_busy_hour_of_full_caps_and_the_desk_s_own_pause_and_stop_roll_nothing_back() {
    // One more than it had already; or any, and it is paused.
    for (most, waits) in [("21", "cap"), ("1000", "inactive")] {
        let (yard, next) = begun().await;
        let hudson = [("area", "zip3:331"), ("cap_day", most)];
        let _ = yard.publish(&Rules::roofing("acme").with(RULE).seller("hudson", hudson)).await.is(200);
        if waits == "inactive" {
            yard.flip("pause", json!({ "on": true, "dealer": "hudson", "reason": "holiday" })).await;
        }
        let next = come(&yard, next, ENOUGH + 1).await;
        yard.advance(MINUTE * 10).await;
        let last = yard.settled_lead(&Person::number(next)).await;
        assert_eq!(yard.story(&last).await.waiting(), waits);
        yard.flip("stop", json!({ "on": true, "reason": "a look" })).await;
        come(&yard, next + 1, ENOUGH).await;
        yard.advance(MINUTE * 150).await;
        assert_eq!((yard.version().await, rolled_back(&yard)), (2, 0), "{waits}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waited_before_a_publish_and_is_woken_by_it_says_nothing_of_it() {
    let roofs = || {
        let rules = Rules::roofing("acme").with(RULE).offer("pool", "roofing", "");
        rules.seller("hudson", [("area", "zip3:331"), ("offers", "roof")])
    };
    let pools = |area, most| {
        roofs().contract("pools", "hudson", [("offers", "pool"), ("area", area), ("cap_total", most)])
    };
    let yard = Yard::of(pools("zip3:331", "1")).await;
    for number in 0..=ENOUGH {
        yard.settled_lead(&Person::number(number).with("offer", "pool")).await;
    }
    yard.advance(MINUTE).await;
    let _ = yard.publish(&pools("zip3:313", "1")).await.is(200);
    // They are decided anew, and unmatched; new leads come too few.
    yard.advance(MINUTE * 5).await;
    let room = yard.desk(Method::GET, "/v1/waiting", None).await.is(200);
    assert_eq!((&room.json["examined"], &room.json["by_reason"]["cap"]), (&json!(ENOUGH), &Value::Null));
    come(&yard, 100, ENOUGH - 1).await;
    yard.advance(MINUTE * 150).await;
    assert_eq!((yard.version().await, rolled_back(&yard)), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_colleague_s_publish_meanwhile_stands() {
    let (yard, next) = begun().await;
    let _ = yard.publish(&bad()).await.is(200);
    let next = come(&yard, next, ENOUGH).await;
    tokio::time::sleep(MINUTE).await;
    // Before anybody looked: theirs is as bad, but no worse than what it was made from.
    let set = json!({ "set": { "price": "12.00" } });
    let _ = yard.desk(Method::PATCH, "/v1/rulebook/contracts/hudson?base=2", Some(set)).await.is(200);
    come(&yard, next, ENOUGH).await;
    yard.advance(MINUTE * 150).await;
    assert_eq!((yard.version().await, rolled_back(&yard)), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_colleague_who_publishes_while_it_rolls_back_wins() {
    let (yard, next) = begun().await;
    let _ = yard.publish(&bad()).await.is(200);
    come(&yard, next, ENOUGH).await;
    tokio::time::sleep(MINUTE * 3).await;
    // The sweep has read what there is to read, and is a moment late.
    let held = yard.faults.hold_commit();
    let (late, published) =
        tokio::join!(roles::as_function("sweep", leadyard_sweep::sweep(&yard.cloud)), async {
            held.arrives().await;
            let set = json!({ "set": { "price": "12.00" } });
            let published = yard.desk(Method::PATCH, "/v1/rulebook/contracts/hudson?base=2", Some(set)).await;
            held.let_go();
            published
        });
    late.unwrap();
    let version = published.is(200).json["version"].clone();
    assert_eq!((json!(yard.version().await), rolled_back(&yard)), (version, 0));
    assert_eq!(newest(&yard).await["how"], "contracts/hudson");
}

#[tokio::test(start_paused = true)]
async fn two_sweeps_at_once_roll_back_once() {
    let (yard, next) = begun().await;
    let _ = yard.publish(&bad()).await.is(200);
    come(&yard, next, ENOUGH).await;
    tokio::time::sleep(MINUTE * 3).await;
    let sweep = || leadyard_sweep::sweep(&yard.cloud);
    // Two that claim it, and two whose claim was taken for over.
    let company = yard.company_id();
    let (one, two, three, four) =
        tokio::join!(sweep(), sweep(), yard.cloud.watch_look(&company), yard.cloud.watch_look(&company));
    assert!(one.is_ok() && two.is_ok() && three.is_ok() && four.is_ok());
    yard.advance(MINUTE * 5).await;
    let versions = yard.desk(Method::GET, "/v1/rulebook/versions", None).await.is(200);
    let how: Vec<&Value> =
        versions.json["versions"].as_array().unwrap().iter().map(|one| &one["how"]).collect();
    assert_eq!(how, [&json!("rollback to 1"), &json!("whole"), &json!("whole")]);
    assert_eq!(rolled_back(&yard), 1);
}

#[tokio::test(start_paused = true)]
async fn without_the_rule_nothing_is_watched() {
    let rules = |area| Rules::roofing("acme").seller("hudson", [("area", area)]);
    let yard = Yard::of(rules("zip3:331")).await;
    let next = come(&yard, 0, ENOUGH).await;
    let _ = yard.publish(&rules("zip3:313")).await.is(200);
    come(&yard, next, ENOUGH).await;
    yard.advance(MINUTE * 150).await;
    assert_eq!((yard.version().await, rolled_back(&yard)), (2, 0));
    assert_eq!(yard.cloud.store.rulebook_watch(&yard.company_id()).await.unwrap(), None);
}
