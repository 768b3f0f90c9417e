//! History under another rulebook: none of the difference is invented, and none is missed.

mod command;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use http::Method;
use leadyard_domain::backtest::{Difference, Event, Window, backtest};
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_platform::store::keys;
use leadyard_tests::{Person, Rules, Says, Yard};
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
/// Of the month, before anything happens.
const FIRST: &str = "2026-06-01T00:00:00Z";

/// All that happened, page by page, as the command line asks for it.
async fn history(yard: &Yard) -> Vec<Event> {
    let (mut events, mut after) = (Vec::new(), String::new());
    loop {
        let to = yard.cloud.clock.now();
        let path = format!("/v1/history?from={FIRST}&to={to}{after}");
        let page = yard.desk(Method::GET, &path, None).await.is(200).json;
        let page_of: Vec<Event> = serde_json::from_value(page["events"].clone()).unwrap();
        events.extend(page_of);
        let Some(next) = page["next"].as_str() else { return events };
        after = format!("&after={next}");
    }
}

async fn backtest_from(yard: &Yard, rules: &Rules, from: &str) -> Difference {
    yard.advance(Duration::from_secs(1)).await;
    let events = history(yard).await;
    let files = rules.files();
    let files = files.into_iter().map(|(name, text)| (name, text.into_bytes()));
    let book = Rulebook::parse(&RulebookFiles::new(files).unwrap()).unwrap();
    let compiled = book.compile(1).unwrap();
    let window = Window { from: from.parse().unwrap(), to: yard.cloud.clock.now() };
    let lines: Vec<String> = events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    let read: Vec<Event> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events, "an export says what the system said");
    backtest(&book, compiled, &read, window, &mut |_, _| {}).unwrap()
}

async fn backtested(yard: &Yard, rules: &Rules) -> Difference {
    backtest_from(yard, rules, FIRST).await
}

/// Dealer, how many it had, how many it would have had.
fn dealers(found: &Difference) -> Vec<(&str, usize, usize)> {
    let mut rows: Vec<_> = found.dealers.iter().map(|row| (row.id.as_str(), row.before, row.after)).collect();
    rows.sort_unstable();
    rows
}

async fn acts(yard: &Yard, lead: &str, act: &str, body: serde_json::Value) {
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await.is(200);
}

/// Everything that moves a counter: shares, caps, hours, deadlines, budgets, deposits, shared seats.
fn busy() -> Rules {
    Rules::roofing("acme")
        .offer("sun", "solar", "mode = \"manual\"")
        .seller(
            "hudson",
            [("cap_day", "3"), ("weight", "3"), ("return_days", "7"), ("return_reasons", "spam")],
        )
        .seller("ridge", [("budget_month", "50.00"), ("weight", "2")])
        .seller("crest", [("deadline_minutes", "30"), ("sale", "shared:2")])
        .dealer("grove", [("prepaid", "yes"), ("hours", "Mo-Fr 09:00-17:00")])
        .contract("grove", "grove", [("weight", "2"), ("sale", "shared:3")])
        .dealer("dune", [("cap_day", "2")])
        .contract("dune", "dune", [("sale", "shared:2"), ("cap_hour", "1")])
}

/// A busy day: some decline, some lapse, some return, the desk places, switches are flipped.
async fn a_busy_day(yard: &Yard) {
    let body = json!({ "amount": "25.00", "reference": "wire-1" });
    let _ = yard.desk(Method::POST, "/v1/dealers/grove/deposits", Some(body)).await.is(200);
    let mut leads = Vec::new();
    for n in 0..40 {
        let mut person = Person::number(n);
        if n % 9 == 8 {
            person = person.with("offer", "sun");
        }
        leads.push(yard.settled_lead(&person).await);
        let story = yard.story(&leads[leads.len() - 1]).await;
        if story.holders().contains(&"crest") && n % 3 > 0 {
            let _ = yard.answers("crest", &leads[leads.len() - 1], "accept").await.is(200);
        }
        match n {
            5 => {
                yard.flip("pause", json!({ "dealer": "ridge", "reason": "away", "on": true })).await;
            }
            9 => {
                yard.flip("pause", json!({ "dealer": "ridge", "on": false })).await;
            }
            13 => yard.dealer_says("dune", Says::IsShut),
            16 => yard.dealer_says("dune", Says::Status(200)),
            20 => {
                yard.flip("stop", json!({ "on": true })).await;
            }
            22 => {
                yard.flip("stop", json!({ "on": false })).await;
            }
            _ => {}
        }
        if let Some(lead) = leads.get(n / 2) {
            let story = yard.story(lead).await;
            let holders = story.holders();
            match (n % 5, holders.first()) {
                (1, Some(&"ridge" | &"dune" | &"grove")) => {
                    let _ = yard.answers(holders[0], lead, "decline").await;
                }
                (2, Some(&"hudson")) => {
                    let _ =
                        yard.answers_with("hudson", lead, "return", Some(json!({ "reason": "spam" }))).await;
                }
                (3, Some(holder)) => {
                    let _ = yard.answers_with(holder, lead, "won", Some(json!({ "value": "900.00" }))).await;
                }
                _ => {}
            }
            if n % 9 == 8 {
                let lead = leads.last().unwrap();
                acts(
                    yard,
                    lead,
                    "place",
                    json!({ "contract": "crest", "override": true, "reason": "asked" }),
                )
                .await;
            }
        }
        yard.advance(if n % 10 == 9 { HOUR * 7 } else { MINUTE * 11 }).await;
    }
    yard.advance(HOUR * 30).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_rulebook_over_real_history_makes_no_difference_at_all() {
    let yard = Yard::of(busy()).await;
    a_busy_day(&yard).await;
    let found = backtested(&yard, &busy()).await;
    assert_eq!(found.changes, []);
    assert!(found.is_none(), "{found:?}");
    assert_eq!((found.leads, found.before), (40, found.after));
    assert!(found.before.matched > 20 && found.before.value > 0, "{:?}", found.before);
    assert!(found.dealers.len() == 5, "all had some: {:?}", found.dealers);
    // A day later only what came since is compared, and what came before still counts.
    let later = backtest_from(&yard, &busy(), "2026-06-02T04:00:00Z").await;
    assert!(later.is_none() && later.leads < found.leads && later.leads > 0, "{later:?}");
}

#[tokio::test(start_paused = true)]
async fn a_larger_cap_takes_what_it_would_have_taken() {
    let rules = |cap: &'static str| {
        Rules::roofing("acme")
            .seller("hudson", [("cap_day", cap), ("tier", "1"), ("price", "20.00")])
            .seller("ridge", [("tier", "2"), ("cap_day", "2")])
    };
    let yard = Yard::of(rules("2")).await;
    for n in 0..6 {
        yard.settled_lead(&Person::number(n)).await;
        yard.advance(MINUTE).await;
    }
    // Two had hudson, two ridge, two wait for tomorrow.
    let found = backtested(&yard, &rules("3")).await;
    assert_eq!(dealers(&found), [("hudson", 2, 3), ("ridge", 2, 2)]);
    assert_eq!((found.before.unmatched, found.after.unmatched), (2, 1));
    assert_eq!((found.before.value, found.after.value), (6_000, 8_000));
    // The third goes to hudson, so that ridge has a slot for the fifth.
    let changes: Vec<_> = found.changes.iter().map(|of| (&of.before[..], &of.after[..])).collect();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(found.changes[0].why.contains("hudson"), "{}", found.changes[0].why);
    assert_eq!((found.changes[1].waited.as_str(), found.changes[1].after[0].as_str()), ("cap", "ridge"));
    assert_eq!(found.unmatched.len(), 1);
    assert_eq!(
        (found.unmatched[0].reason.as_str(), found.unmatched[0].before, found.unmatched[0].after),
        ("cap", 2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_leaves_leaves_its_leads_to_the_rest_who_answer_as_they_did() {
    let both = Rules::roofing("acme").seller("hudson", [("tier", "1")]).seller("ridge", [("tier", "2")]);
    let yard = Yard::of(both).await;
    let first = yard.settled_lead(&Person::number(1)).await;
    yard.advance(MINUTE).await;
    let second = yard.settled_lead(&Person::number(2)).await;
    let _ = yard.answers("hudson", &second, "decline").await.is(200);
    yard.settle().await;
    yard.advance(MINUTE).await;
    let _ = yard.answers("ridge", &second, "decline").await.is(200);
    yard.advance(MINUTE).await;
    let alone = Rules::roofing("acme").seller("ridge", [("tier", "2")]);
    let found = backtested(&yard, &alone).await;
    // The first is ridge's, who never saw it: taken as accepted. The second ridge declines as it did.
    assert_eq!(dealers(&found), [("hudson", 1, 0), ("ridge", 0, 1)]);
    assert_eq!(found.changes.len(), 1);
    let change = &found.changes[0];
    assert_eq!((change.lead.to_string(), change.after[0].as_str()), (first, "ridge"));
    assert_eq!(change.why, "hudson is not in the new rulebook");
    assert_eq!((found.before.unmatched, found.after.unmatched), (1, 1));
    assert!(
        found.assumptions[1].contains("(1 times); any other accepts it (1 times)"),
        "{:?}",
        found.assumptions
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_desk_placed_it_places_again_unless_the_rules_have_placed_it_before() {
    let rules = |cap: &'static str| {
        Rules::roofing("acme")
            .seller("hudson", [("cap_total", cap), ("area", "state:FL")])
            .seller("ridge", [("min_band", "A1")])
    };
    let yard = Yard::of(rules("1")).await;
    yard.settled_lead(&Person::number(1)).await;
    let second = yard.settled_lead(&Person::number(2)).await;
    acts(&yard, &second, "place", json!({ "contract": "hudson", "override": true, "reason": "agreed" }))
        .await;
    yard.settle().await;
    let third = yard.settled_lead(&Person::number(3)).await;
    acts(&yard, &third, "place", json!({ "contract": "ridge", "override": true, "reason": "agreed" })).await;
    yard.settle().await;
    assert!(backtested(&yard, &rules("1")).await.is_none());
    // Three fit: the second goes by itself, and so does the third, before the desk has a hand in it.
    let found = backtested(&yard, &rules("3")).await;
    assert_eq!(dealers(&found), [("hudson", 2, 3), ("ridge", 1, 0)]);
    // Without ridge nobody can place the third there.
    let alone = Rules::roofing("acme").seller("hudson", [("cap_total", "1"), ("area", "state:FL")]);
    let found = backtested(&yard, &alone).await;
    assert_eq!(dealers(&found), [("hudson", 2, 2), ("ridge", 1, 0)]);
    assert_eq!(found.changes[0].why, "the desk placed it with ridge, which is not in the new rulebook");
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_was_lost_stands_while_the_other_is_given_anew() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("tier", "1"), ("sale", "shared:2")])
        .seller("ridge", [("tier", "2"), ("sale", "shared:2")])
        .seller("crest", [("tier", "3"), ("sale", "shared:2")]);
    let yard = Yard::of(rules.clone()).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson", "ridge"]);
    yard.advance(MINUTE).await;
    let _ = yard.answers("hudson", &lead, "lost").await.is(200);
    yard.advance(MINUTE).await;
    let _ = yard.answers("ridge", &lead, "decline").await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&lead).await.holders(), ["crest"]);
    let found = backtested(&yard, &rules).await;
    assert!(found.is_none(), "{found:?}");
    assert_eq!(dealers(&found), [("crest", 1, 1), ("hudson", 1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_comes_back_of_a_lead_that_went_another_way_is_given_anew() {
    let sellers = || {
        Rules::roofing("acme")
            .seller("hudson", [("tier", "2"), ("sale", "shared:2")])
            .seller("ridge", [("tier", "3"), ("sale", "shared:2")])
            .seller("crest", [("tier", "4"), ("sale", "shared:2")])
    };
    let yard = Yard::of(sellers()).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance(MINUTE).await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge", "crest"]);
    // Grove has the first seat, and hudson declines the second as it did: it is ridge's.
    let found = backtested(&yard, &sellers().seller("grove", [("tier", "1"), ("sale", "shared:2")])).await;
    assert_eq!(dealers(&found), [("crest", 1, 0), ("grove", 0, 1), ("ridge", 1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_nobody_took_when_it_came_back_is_given_to_who_would_be_free() {
    let rules = |price: &'static str, cap: &'static str| {
        Rules::roofing("acme")
            .seller("hudson", [("tier", "1"), ("sale", "shared:2"), ("price", price)])
            .seller("ridge", [("tier", "2"), ("sale", "shared:2")])
            .seller("crest", [("tier", "3"), ("sale", "shared:2"), ("cap_total", cap)])
    };
    let yard = Yard::of(rules("10.00", "1")).await;
    for number in 1..=2 {
        let lead = yard.settled_lead(&Person::number(number)).await;
        yard.advance(MINUTE).await;
        let _ = yard.answers("ridge", &lead, "decline").await.is(200);
        yard.advance(MINUTE * 5).await;
        let holders: &[&str] = if number == 1 { &["hudson", "crest"] } else { &["hudson"] };
        assert_eq!(yard.story(&lead).await.holders(), holders);
    }
    assert!(backtested(&yard, &rules("10.00", "1")).await.is_none());
    // When the second lead's seat came back, crest was full.
    let found = backtested(&yard, &rules("12.00", "2")).await;
    assert_eq!(dealers(&found), [("crest", 1, 2), ("hudson", 2, 2)]);
    assert_eq!((found.before.value, found.after.value), (3_000, 4_400), "each seat is sold once");
    let found = backtested(&yard, &rules("12.00", "1")).await;
    assert_eq!(dealers(&found), [("crest", 1, 1), ("hudson", 2, 2)]);
    assert_eq!(found.after.value, 3_400);
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_is_kept_for_who_is_shut_is_given_when_it_opens() {
    let rules = |at_noon: &'static str, price: &'static str| {
        let first = [("territory", "first"), ("when_unavailable", "wait"), ("sale", "shared:2")];
        let [territory, when, sale] = first;
        Rules::roofing("acme")
            .seller(at_noon, [territory, when, sale, ("price", price)])
            .dealer("ridge", [("hours", "Mo-Su 12:30-17:00")])
            .contract("ridge", "ridge", first)
    };
    let yard = Yard::of(rules("hudson", "10.00")).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    yard.advance(HOUR * 3).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson", "ridge"]);
    assert!(backtested(&yard, &rules("hudson", "10.00")).await.is_none());
    let found = backtested(&yard, &rules("grove", "10.00")).await;
    assert_eq!(dealers(&found), [("grove", 0, 1), ("hudson", 1, 0), ("ridge", 1, 1)]);
    // Where it goes as it went, and only costs more, each seat is sold once.
    let found = backtested(&yard, &rules("hudson", "12.00")).await;
    assert_eq!(dealers(&found), [("hudson", 1, 1), ("ridge", 1, 1)]);
    assert_eq!((found.before.value, found.after.value), (2_000, 2_200));
}

#[tokio::test(start_paused = true)]
async fn what_lapsed_does_not_where_there_is_no_deadline_any_more() {
    let rules = |minutes: &'static str| {
        Rules::roofing("acme")
            .seller("hudson", [("tier", "1"), ("deadline_minutes", minutes)])
            .seller("ridge", [("tier", "2")])
    };
    let yard = Yard::of(rules("30")).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance(HOUR).await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    assert!(backtested(&yard, &rules("30")).await.is_none());
    let found = backtested(&yard, &rules("")).await;
    assert_eq!(dealers(&found), [("hudson", 0, 1), ("ridge", 1, 0)]);
    assert_eq!(found.changes[0].why, "hudson has no deadline any more: it does not lapse");
}

#[tokio::test(start_paused = true)]
async fn who_had_it_twice_answers_each_time_as_it_did() {
    let rules = Rules::roofing("acme").seller("hudson", [("tier", "1")]);
    let yard = Yard::of(rules.clone()).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance(MINUTE).await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.advance(MINUTE).await;
    let again = json!({ "contract": "hudson", "override": true, "reason": "it changed its mind" });
    acts(&yard, &lead, "place", again).await;
    yard.advance(HOUR).await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "declined"), ("hudson", "offered")]);
    let found = backtested(&yard, &rules).await;
    assert!(found.is_none(), "{found:?}");
    assert_eq!((dealers(&found), found.after.matched), (vec![("hudson", 1, 1)], 1));
}

#[tokio::test(start_paused = true)]
async fn who_waits_longer_is_placed_when_a_period_turns_and_who_shuts_earlier_is_waited_for() {
    let rules = |hours: &'static str| {
        Rules::roofing("acme").dealer("hudson", [("hours", hours)]).contract("hudson", "hudson", [])
    };
    // Noon on a Monday: open until five, and then only until noon.
    let yard = Yard::of(rules("Mo-Su 08:00-17:00")).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance(HOUR * 24).await;
    let found = backtested(&yard, &rules("Mo-Su 08:00-11:00")).await;
    // It is had a day later, which is no other dealer: nothing changes.
    assert!(found.is_none(), "{found:?}");
    // One that opens on Sundays only has not had it yet.
    let found = backtested(&yard, &rules("Su 08:00-11:00")).await;
    assert_eq!((found.changes.len(), found.changes[0].waits.as_str()), (1, "hours"));
    assert_eq!(found.changes[0].lead.to_string(), lead);
    assert_eq!(found.changes[0].why, "hudson would have had it when open; it is shut");
}

/// It wrote decisions to more shards of their index.
#[tokio::test(start_paused = true)]
async fn history_has_what_an_earlier_version_decided() {
    let yard = Yard::of(busy()).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance(Duration::from_secs(1)).await;
    let before = history(&yard).await;
    assert!(before.iter().any(|event| matches!(event, Event::Decided(_))), "{before:?}");
    let (store, table) = (&yard.cloud.store, yard.cloud.store.table());
    let stored = store.client().query().table_name(table).key_condition_expression("pk = :pk");
    let stored = stored.expression_attribute_values(":pk", AttributeValue::S(format!("L#{lead}")));
    let items = stored.send().await.unwrap().items.unwrap();
    let decided = |item: &&HashMap<String, AttributeValue>| {
        item.get("ak").and_then(|ak| ak.as_s().ok()).is_some_and(|ak| ak.contains("#decided#"))
    };
    let mut item = items.iter().find(decided).unwrap().clone();
    let shard = item["ak"].as_s().unwrap().rsplit_once('#').unwrap().0.to_owned();
    item.insert("ak".to_owned(), AttributeValue::S(format!("{shard}#{}", keys::SHARDS - 1)));
    store.client().put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    assert_eq!(history(&yard).await, before);
}

#[tokio::test(start_paused = true)]
async fn history_is_the_desks_own_companys_and_says_what_is_wrong_with_a_question() {
    let yard = Yard::of(busy()).await;
    yard.settled_lead(&Person::number(1)).await;
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let path = format!("/v1/history?from={FIRST}&to=2026-07-01T00:00:00Z");
    let events = other.desk(Method::GET, &path, None).await.is(200).json["events"].clone();
    assert!(events.as_array().unwrap().iter().all(|event| event["event"] == "switched"), "{events}");
    let own = yard.desk(Method::GET, &path, None).await.is(200).text;
    assert!(own.contains("\"decided\"") && !own.contains('@'), "{own}");
    for wrong in [
        "/v1/history?from=yesterday&to=2026-07-01T00:00:00Z",
        "/v1/history?from=2026-07-01T00:00:00Z&to=2026-06-01T00:00:00Z",
        "/v1/history?from=2026-06-01T00:00:00Z&to=2026-07-01T00:00:00Z&after=x",
    ] {
        let _ = yard.desk(Method::GET, wrong, None).await.is(400);
    }
    let path = format!("{path}&company=other");
    let _ = yard.desk(Method::GET, &path, None).await.is(404);
    let _ = yard.dealer("hudson", Method::GET, &path, None).await.is(401);
}

#[tokio::test(start_paused = true)]
async fn what_a_dealer_won_is_no_value_of_ours() {
    let rules = |first: &'static str, second: &'static str| {
        Rules::roofing("acme")
            .seller("hudson", [("tier", first)])
            .seller("ridge", [("tier", second), ("price", "12.00")])
    };
    let yard = Yard::of(rules("1", "2")).await;
    let mut leads = Vec::new();
    for number in 1..=2 {
        leads.push(yard.settled_lead(&Person::number(number)).await);
        yard.advance(MINUTE).await;
    }
    let values = |found: &Difference| {
        let rows = found.dealers.iter().map(|row| (row.id.clone(), row.value_before, row.value_after));
        (found.before.value, found.after.value, rows.collect::<Vec<_>>())
    };
    let unwon = values(&backtested(&yard, &rules("2", "1")).await);
    assert_eq!((unwon.0, unwon.1), (2_000, 2_400));
    for lead in &leads {
        let _ = yard.answers_with("hudson", lead, "won", Some(json!({ "value": "900.00" }))).await.is(200);
    }
    yard.advance(MINUTE).await;
    assert_eq!(values(&backtested(&yard, &rules("2", "1")).await), unwon);
}

#[tokio::test(start_paused = true)]
async fn what_the_desk_merged_is_decided_again_as_it_was() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("tier", "1"), ("cap_total", "1")])
        .seller("ridge", [("tier", "2"), ("cap_total", "1")])
        .seller("crest", [("tier", "3")]);
    let yard = Yard::of(rules.clone()).await;
    let (one, other) =
        (yard.settled_lead(&Person::number(1)).await, yard.settled_lead(&Person::number(2)).await);
    acts(&yard, &other, "merge", json!({ "into": one, "reason": "one person" })).await;
    yard.advance(MINUTE).await;
    for dealer in ["ridge", "hudson"] {
        let _ = yard.answers(dealer, &one, "decline").await.is(200);
        yard.advance(MINUTE).await;
    }
    assert_eq!(yard.story(&one).await.holders(), ["crest"]);
    let found = backtested(&yard, &rules).await;
    assert!(found.is_none(), "{found:?}");
    assert!(dealers(&found).contains(&("crest", 1, 1)), "{:?}", dealers(&found));
    // Every decision of both is made again from its record.
    for decision in yard.story(&one).await.list("decisions") {
        let path = format!("/v1/leads/{one}/decisions/{}", decision["id"].as_str().unwrap());
        assert_eq!(yard.desk(Method::GET, &path, None).await.is(200).json["as_recorded"], true);
    }
}
