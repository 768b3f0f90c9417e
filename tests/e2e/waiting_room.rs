//! Who waits, and who of them has what comes free: the best first, and no more than may have it.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use leadyard_domain::ids::CategoryId;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

/// Who waits is woken this long after a change.
const WOKEN: Duration = Duration::from_secs(6);
/// Everybody else is looked at so long after a publish.
const LOOKED_AT: Duration = Duration::from_secs(120);
const MIDNIGHT: &str = "2026-06-02T04:00:00Z";

/// A lead comes and waits; it looked at so many pages, each worth a point.
async fn waits(yard: &Yard, person: &Person, pages: usize) -> String {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let lead = yard.settled_lead(person).await;
    let at = yard.cloud.clock.now().to_string();
    let views: Vec<Value> = (0..pages)
        .map(|n| json!({ "id": format!("{lead}-{n}"), "kind": "page_view", "at": at, "lead": lead }))
        .collect();
    if !views.is_empty() {
        let _ = yard.server("web").reports(json!(views)).await.is(202);
        yard.settle().await;
    }
    assert_eq!(yard.story(&lead).await.stage(), "waiting");
    lead
}

/// Of these leads, those that a dealer holds.
async fn held<'a>(yard: &Yard, leads: &[(&'a str, String)]) -> Vec<&'a str> {
    let mut held = Vec::new();
    for (name, lead) in leads {
        if !yard.story(lead).await.holders().is_empty() {
            held.push(*name);
        }
    }
    held
}

/// Lets time pass until an instant, and for as long after it as who waits for it takes to be woken.
async fn comes(yard: &Yard, when: &str) {
    yard.advance_to(when).await;
    yard.advance(Duration::from_secs(120)).await;
}

async fn acts(yard: &Yard, lead: &str, act: &str, body: Value) -> Reply {
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await
}

/// The leads that lie in distribution's queue.
fn in_queue(yard: &Yard) -> usize {
    yard.queued("distribution").iter().filter(|body| body.contains("\"lead\"")).count()
}

/// What lies in distribution's queue is worked once.
async fn works(yard: &Yard) {
    leadyard::poller::work(&yard.cloud, yard.aws.queues(), &leadyard::system::DISTRIBUTION).await;
}

async fn five_wait_for_two(yard: &Yard) -> Vec<(&'static str, String)> {
    for n in 0..2 {
        yard.settled_lead(&Person::number(n)).await;
    }
    let mut leads = Vec::new();
    for (n, name, pages) in
        [(10, "third", 6), (11, "fifth", 2), (12, "first", 10), (13, "fourth", 4), (14, "second", 8)]
    {
        leads.push((name, waits(yard, &Person::number(n), pages).await));
    }
    leads
}

#[tokio::test(start_paused = true)]
async fn at_a_cap_s_reset_the_best_who_wait_have_the_slots_and_the_next_best_a_day_later() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "2")])).await;
    let leads = five_wait_for_two(&yard).await;
    comes(&yard, MIDNIGHT).await;
    assert_eq!(held(&yard, &leads).await, ["first", "second"]);
    // Those who were not woken look for themselves, and find nothing.
    yard.advance_to("2026-06-03T03:50:00Z").await;
    assert_eq!(held(&yard, &leads).await, ["first", "second"]);
    comes(&yard, "2026-06-03T04:00:00Z").await;
    assert_eq!(held(&yard, &leads).await, ["third", "first", "fourth", "second"]);
    comes(&yard, "2026-06-04T04:00:00Z").await;
    assert_eq!(held(&yard, &leads).await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn whatever_comes_free_with_time_is_the_best_one_s() {
    for (dealer, contract, until) in [
        (("cap_day", ""), ("cap_hour", "1"), "2026-06-01T17:00:00Z"),
        (("cap_day", ""), ("cap_day", "1"), MIDNIGHT),
        (("cap_day", ""), ("cap_week", "1"), "2026-06-08T04:00:00Z"),
        (("cap_day", ""), ("cap_month", "1"), "2026-07-01T04:00:00Z"),
        (("cap_day", ""), ("budget_month", "19.00"), "2026-07-01T04:00:00Z"),
        (("cap_day", "1"), ("cap_total", ""), MIDNIGHT),
        (("cap_month", "1"), ("cap_total", ""), "2026-07-01T04:00:00Z"),
        // Opens tomorrow, for one lead.
        (("hours", "Tu 00:00-23:00"), ("cap_day", "1"), MIDNIGHT),
    ] {
        // Shut today, or sold to one already.
        let shut = dealer.0 == "hours";
        let rules = Rules::roofing("acme").dealer("hudson", [dealer]).contract(
            "hudson",
            "hudson",
            [("price", "10.00"), contract],
        );
        let yard = Yard::of(rules).await;
        let first = yard.lead(&Person::number(0)).await;
        if shut {
            let _ = acts(&yard, &first, "reject", json!({ "reason": "not hers" })).await.is(200);
        }
        yard.settle().await;
        let mut leads = Vec::new();
        for (n, name, pages) in [(10, "second", 5), (11, "first", 9), (12, "third", 1)] {
            leads.push((name, waits(&yard, &Person::number(n), pages).await));
        }
        comes(&yard, until).await;
        assert_eq!(held(&yard, &leads).await, ["first"], "{dealer:?} {contract:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_a_reset_the_best_have_the_slots_though_a_thousand_who_may_not_stand_among_them() {
    let yard =
        Yard::of(Rules::roofing("acme").seller("hudson", [("area", "zip:33101"), ("cap_day", "3")])).await;
    for n in 0..3 {
        yard.settled_lead(&Person::number(n)).await;
    }
    let mut leads = Vec::new();
    for (n, name, pages) in
        [(2_000, "first", 9), (2_001, "fourth", 0), (2_002, "third", 0), (2_003, "second", 0)]
    {
        leads.push((name, waits(&yard, &Person::number(n), pages).await));
    }
    yard.advance(Duration::from_secs(60)).await;
    // They asked later and are the fresher ones; where they are nobody takes anything.
    for n in 0..1_000 {
        let elsewhere = Person::number(10 + n).with("zip", "33109").with("phone", &format!("305-554-{n:04}"));
        let _ = yard.lead(&elsewhere).await;
    }
    yard.settle().await;
    comes(&yard, MIDNIGHT).await;
    assert_eq!(held(&yard, &leads).await, ["first", "third", "second"]);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn at_a_reset_no_more_than_twice_the_slots_are_woken_though_two_sweep_and_the_message_comes_twice() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "1")])).await;
    let leads = five_wait_for_one(&yard).await;
    let midnight: jiff::Timestamp = MIDNIGHT.parse().unwrap();
    let left = midnight.duration_since(yard.cloud.clock.now());
    tokio::time::sleep(Duration::try_from(left).unwrap()).await;
    for _ in 0..2 {
        leadyard_sweep::sweep(&yard.cloud).await.unwrap();
    }
    assert_eq!((yard.queued("distribution").len(), in_queue(&yard)), (1, 0));
    let roofing = CategoryId::new("roofing").unwrap();
    let at_ms = Some(midnight.as_millisecond());
    yard.cloud.queues.wake_to_distribution(&yard.company_id(), &roofing, at_ms).await.unwrap();
    tokio::time::sleep(WOKEN).await;
    works(&yard).await;
    assert_eq!(in_queue(&yard), 2, "{:?}", yard.queued("distribution"));
    yard.settle().await;
    assert_eq!(held(&yard, &leads).await, ["first"]);
}

async fn five_wait_for_one(yard: &Yard) -> Vec<(&'static str, String)> {
    yard.settled_lead(&Person::number(0)).await;
    let mut leads = Vec::new();
    for (n, name, pages) in
        [(10, "third", 6), (11, "fifth", 2), (12, "first", 10), (13, "fourth", 4), (14, "second", 8)]
    {
        leads.push((name, waits(yard, &Person::number(n), pages).await));
    }
    leads
}

#[tokio::test(start_paused = true)]
async fn a_reset_whose_message_is_lost_comes_with_the_next_sweep_the_best_first() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "2")])).await;
    let leads = five_wait_for_two(&yard).await;
    yard.advance_to("2026-06-02T03:59:00Z").await;
    // What is claimed at midnight is not queued, and due again three minutes later at most.
    yard.faults.queues(true);
    tokio::time::sleep(Duration::from_secs(90)).await;
    leadyard_sweep::sweep(&yard.cloud).await.unwrap();
    yard.faults.queues(false);
    assert_eq!(held(&yard, &leads).await, [""; 0]);
    yard.advance(Duration::from_secs(200)).await;
    assert_eq!(held(&yard, &leads).await, ["first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_reset_looks_for_itself_should_nobody_wake_it() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "2")])).await;
    let leads = five_wait_for_two(&yard).await;
    let midnight: jiff::Timestamp = MIDNIGHT.parse().unwrap();
    let roofing = CategoryId::new("roofing").unwrap();
    let (company, at_ms) = (yard.company_id(), midnight.as_millisecond());
    assert!(yard.cloud.store.wake_at_stands(&company, &roofing, at_ms).await.unwrap());
    yard.cloud.store.wake_at_done(&company, &roofing, at_ms).await.unwrap();
    yard.advance_to("2026-06-02T04:04:00Z").await;
    assert_eq!(held(&yard, &leads).await, [""; 0]);
    yard.advance_to("2026-06-02T04:09:00Z").await;
    assert_eq!(held(&yard, &leads).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_cap_of_a_dealer_s_wakes_twice_its_slots_over_all_categories_and_so_does_a_slot_given_back() {
    let rules = Rules::roofing("acme")
        .offer("panels", "solar", "")
        .dealer("hudson", [("cap_day", "1")])
        .contract("hudson", "hudson", []);
    let yard = Yard::of(rules).await;
    let sold = yard.settled_lead(&Person::number(0)).await;
    let mut leads = Vec::new();
    for (n, name, offer, pages) in [
        (10, "second", "roof", 8),
        (11, "third", "panels", 6),
        (12, "first", "panels", 10),
        (13, "fourth", "roof", 4),
        (14, "fifth", "roof", 2),
    ] {
        leads.push((name, waits(&yard, &Person::number(n).with("offer", offer), pages).await));
    }
    let _ = yard.answers("hudson", &sold, "decline").await.is(200);
    yard.settle().await;
    tokio::time::sleep(WOKEN).await;
    works(&yard).await;
    assert_eq!(in_queue(&yard), 2, "{:?}", yard.queued("distribution"));
    yard.settle().await;
    assert_eq!(held(&yard, &leads).await, ["first"]);

    let midnight: jiff::Timestamp = MIDNIGHT.parse().unwrap();
    let left = midnight.duration_since(yard.cloud.clock.now());
    tokio::time::sleep(Duration::try_from(left).unwrap()).await;
    leadyard_sweep::sweep(&yard.cloud).await.unwrap();
    tokio::time::sleep(WOKEN).await;
    works(&yard).await;
    assert_eq!(in_queue(&yard), 2, "{:?}", yard.queued("distribution"));
    yard.settle().await;
    assert_eq!(held(&yard, &leads).await, ["second", "first"]);
}

/// Hudson gives a lead back; two who cannot have the slot are worth more than the one who can.
async fn freed(yard: &Yard, sold: &str) {
    let _ = yard.answers("hudson", sold, "decline").await.is(200);
    yard.advance(WOKEN * 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_freed_slot_is_not_wasted_on_leads_that_the_desk_holds() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await;
    let sold = yard.settled_lead(&Person::number(0)).await;
    for n in 1..3 {
        let lead = waits(&yard, &Person::number(n), 9).await;
        let _ = acts(&yard, &lead, "hold", json!({})).await.is(200);
    }
    let lead = waits(&yard, &Person::number(3), 0).await;
    freed(&yard, &sold).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_freed_slot_is_not_wasted_on_leads_that_are_placed_by_hand() {
    let rules = Rules::roofing("acme")
        .offer("byhand", "roofing", "mode = \"manual\"")
        .seller("hudson", [("cap_total", "1")]);
    let yard = Yard::of(rules).await;
    let sold = yard.settled_lead(&Person::number(0)).await;
    for n in 1..3 {
        waits(&yard, &Person::number(n).with("offer", "byhand"), 9).await;
    }
    let lead = waits(&yard, &Person::number(3), 0).await;
    freed(&yard, &sold).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_freed_slot_is_not_wasted_on_leads_whose_own_contract_with_the_dealer_is_still_full() {
    let rules = Rules::roofing("acme")
        .dealer("hudson", [])
        .contract("east", "hudson", [("area", "zip:33101"), ("cap_total", "1")])
        .contract("west", "hudson", [("area", "zip:90001"), ("cap_total", "1")]);
    let yard = Yard::of(rules).await;
    let west = |n: usize| Person::number(n).with("zip", "90001");
    let sold = yard.settled_lead(&Person::number(0)).await;
    yard.settled_lead(&west(1)).await;
    for n in 2..4 {
        waits(&yard, &west(n), 9).await;
    }
    let lead = waits(&yard, &Person::number(4), 0).await;
    freed(&yard, &sold).await;
    assert_eq!(yard.story(&lead).await.holders(), ["east"]);
}

#[tokio::test(start_paused = true)]
async fn a_freed_slot_is_not_wasted_on_leads_that_another_s_territory_bars() {
    let rules = Rules::roofing("acme").seller("hudson", [("area", "state:FL"), ("cap_total", "1")]).seller(
        "ridge",
        [("area", "zip:33101"), ("territory", "protected"), ("when_unavailable", "wait"), ("cap_total", "1")],
    );
    let yard = Yard::of(rules).await;
    let beyond = |n: usize| Person::number(n).with("zip", "33109");
    let sold = yard.settled_lead(&beyond(0)).await;
    yard.settled_lead(&Person::number(1)).await;
    for n in 2..4 {
        waits(&yard, &Person::number(n), 9).await;
    }
    let lead = waits(&yard, &beyond(4), 0).await;
    freed(&yard, &sold).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_freed_slot_is_not_wasted_on_leads_that_have_faded_below_the_band() {
    let rules = Rules::roofing("acme").seller("hudson", [("min_band", "B2"), ("cap_total", "1")]);
    let rules = rules.scoring(
        r#"
half_life_days = 14
[[fit]]
label = "can be written to"
points = 20
has = ["email"]
[[fit]]
label = "can be called"
points = 20
has = ["phone"]
[interactions]
enquiry = { points = 10, daily_cap = 3 }
[bands.fit]
A = 40
B = 10
[bands.engagement]
1 = 40
2 = 8
"#,
    );
    let yard = Yard::of(rules).await;
    let sold = yard.settled_lead(&Person::number(0)).await;
    for n in 1..3 {
        let lead = waits(&yard, &Person::number(n), 0).await;
        assert_eq!(yard.story(&lead).await.band(), "A2");
    }
    // Five days later they are A3: of a better fit all the same than the one that is fresh, and so before it.
    yard.advance(Duration::from_secs(5 * 86_400)).await;
    let lead = waits(&yard, &Person::number(3).without("phone"), 0).await;
    assert_eq!(yard.story(&lead).await.band(), "B2");
    let _ = acts(&yard, &sold, "take_back", json!({})).await.is(200);
    yard.advance(WOKEN * 2).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

/// Of the messages that wait in distribution's queue the first is left.
async fn one_wake(yard: &Yard) {
    let name = leadyard::system::DISTRIBUTION.name;
    let waiting = yard.aws.queues().receive(name, 10, 1).await.unwrap();
    let more: Vec<String> = waiting.into_iter().skip(1).map(|message| message.receipt_handle).collect();
    yard.aws.queues().delete(name, &more).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
}

#[tokio::test(start_paused = true)]
async fn runs_for_slots_that_came_back_are_counted_anew_where_more_come_back() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let sold = [yard.settled_lead(&Person::number(0)).await, yard.settled_lead(&Person::number(1)).await];
    let (company, roofing) = (yard.company_id(), CategoryId::new("roofing").unwrap());
    let store = &yard.cloud.store;
    let stands = async || store.wake_get(&company, &roofing).await.unwrap().unwrap();
    let nobody = std::collections::BTreeMap::new();
    for (round, lead) in sold.iter().enumerate() {
        let _ = yard.answers("hudson", lead, "decline").await.is(200);
        // That it was looked for whom the first is stays said.
        assert_eq!(stands().await.sent.is_some(), round > 0);
        for run in 1..4 {
            let wake = stands().await;
            assert_eq!((wake.run(), wake.everybody()), (run, false), "round {round}");
            store.wake_goes_further(&company, &roofing, &wake, "a place", &nobody).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn for_a_slot_that_comes_free_the_front_of_the_room_is_read_and_no_more_however_many_wait() {
    let mut read = Vec::new();
    // More than one page of each shard, so that each letter is asked who of it stands in front.
    for many in [150, 400] {
        let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await;
        let sold = yard.settled_lead(&Person::number(0)).await;
        for n in 1..=many {
            let _ = yard.lead(&Person::number(n)).await;
        }
        yard.settle().await;
        let _ = yard.answers("hudson", &sold, "decline").await.is(200);
        tokio::time::sleep(WOKEN).await;
        let _ = (yard.faults.calls(), yard.faults.keys_read());
        works(&yard).await;
        let (calls, keys) = (yard.faults.calls(), yard.faults.keys_read());
        let leads: BTreeSet<String> =
            keys.into_iter().filter(|(_, sk)| sk == "L").map(|(lead, _)| lead).collect();
        read.push((calls.get("Query").copied(), calls.get("BatchGetItem").copied(), leads.len()));
    }
    assert_eq!(read[0], read[1]);
    // Of the waiting, as many leads as are looked at together at first; and the one that came back, which is decided.
    assert_eq!(read[0].2, 11, "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_freed_slot_is_had_by_the_only_one_who_may_have_it_behind_a_thousand_better_leads_that_may_not() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("area", "zip:33101"), ("cap_total", "2")])
        .seller("ridge", [("area", "zip:33109"), ("cap_total", "1")]);
    let yard = Yard::of(rules).await;
    let mut sold = Vec::new();
    for n in 0..2 {
        sold.push(yard.settled_lead(&Person::number(n)).await);
    }
    let elsewhere =
        |n: usize| Person::number(10 + n).with("zip", "33109").with("phone", &format!("305-554-{n:04}"));
    let ridge_s = yard.settled_lead(&elsewhere(9_000)).await;
    let behind = [waits(&yard, &Person::number(2), 0).await, waits(&yard, &Person::number(3), 0).await];
    yard.advance(Duration::from_secs(60)).await;
    // They asked later and are the fresher ones; where they are one has all the leads that ridge takes.
    for n in 0..1_005 {
        let _ = yard.lead(&elsewhere(n)).await;
    }
    yard.settle().await;
    // Both have a slot again: ridge's is one of the first thousand's, and nobody's behind them.
    let _ = yard.answers("ridge", &ridge_s, "decline").await.is(200);
    let _ = yard.answers("hudson", &sold[0], "decline").await.is(200);
    yard.settle().await;
    tokio::time::sleep(WOKEN).await;
    one_wake(&yard).await;
    works(&yard).await;
    let roofing = CategoryId::new("roofing").unwrap();
    let wake =
        yard.cloud.store.wake_get(&yard.company_id(), &roofing).await.unwrap().expect("it goes further");
    let left =
        |dealer: &str| wake.dealers.iter().find(|(id, _)| id.as_str() == dealer).map(|(_, left)| *left);
    assert_eq!((left("hudson"), left("ridge"), wake.slots), (Some(1), Some(0), 1));
    yard.advance(WOKEN * 2).await;
    let held = async || {
        let mut held = Vec::new();
        for lead in &behind {
            held.extend(yard.story(lead).await.holders().into_iter().map(str::to_owned));
        }
        held
    };
    assert_eq!(held().await, ["hudson"], "one slot, for the better of two");
    freed(&yard, &sold[1]).await;
    assert_eq!(held().await, ["hudson", "hudson"]);
    assert_eq!(yard.taken("hudson", 4).await, 2);
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_a_category_that_was_renamed_is_counted_and_woken() {
    let full = |category: &str, cap: &str| {
        Rules::company("acme")
            .offer("roof", category, "")
            .source("web", "offer = \"roof\"")
            .seller("hudson", [("cap_total", cap)])
    };
    let yard = Yard::of(full("roofing", "1")).await;
    let sold = yard.settled_lead(&Person::number(0)).await;
    let (best, other) =
        (waits(&yard, &Person::number(1), 9).await, waits(&yard, &Person::number(2), 0).await);
    for _ in 0..2 {
        // Twice: the second knows of it by the first.
        let _ = yard.publish(&full("roofs", "1")).await.is(200);
        yard.advance(WOKEN).await;
    }
    let room = yard.desk(Method::GET, "/v1/waiting", None).await.is(200).json;
    assert_eq!((&room["examined"], &room["by_reason"]), (&json!(2), &json!({ "cap": 2 })), "{room}");
    // A slot given back under the new name is for those who wait under the old.
    let _ = yard.answers("hudson", &sold, "decline").await.is(200);
    yard.advance(WOKEN).await;
    assert_eq!(yard.story(&best).await.holders(), ["hudson"]);
    // And so is what is published for all.
    let _ = yard.publish(&full("roofs", "2")).await.is(200);
    yard.advance(WOKEN).await;
    assert_eq!(yard.story(&other).await.holders(), ["hudson"]);
    assert_eq!(yard.told("hudson").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_its_band_is_placed_when_that_rises() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("min_band", "A1")])).await;
    let lead = waits(&yard, &Person::number(1), 0).await;
    assert_eq!((yard.story(&lead).await.waiting(), yard.story(&lead).await.band()), ("band", "A2"));
    let at = yard.cloud.clock.now().to_string();
    let asks = json!({ "id": "q1", "kind": "quote_request", "at": at, "lead": lead });
    let _ = yard.server("web").reports(asks).await.is(202);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.band(), story.holders()), ("A1", vec!["hudson"]));
    assert_eq!(story.decisions(), ["waiting:band", "assigned"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_returned_goes_on_to_those_for_whom_it_is_young_enough() {
    for (hours, holders, waiting) in [(60, vec!["ridge"], ""), (80, vec![], "excluded")] {
        let returning = [("tier", "1"), ("return_days", "7"), ("return_reasons", "wrong-number")];
        let rules = Rules::roofing("acme")
            .seller("hudson", returning)
            .seller("ridge", [("tier", "2"), ("max_age_hours", "72")]);
        let yard = Yard::of(rules).await;
        let lead = yard.settled_lead(&Person::number(1)).await;
        yard.advance(Duration::from_secs(3_600 * hours)).await;
        let asks = json!({ "reason": "wrong-number", "note": "" });
        let _ = yard.answers_with("hudson", &lead, "return", Some(asks)).await.is(200);
        let id = yard.story(&lead).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
        let path = format!("/v1/returns/{id}/approve");
        let _ = yard.desk(Method::POST, &path, Some(json!({}))).await.is(200);
        yard.settle().await;
        let story = yard.story(&lead).await;
        assert_eq!((story.holders(), story.waiting()), (holders, waiting), "after {hours} hours");
        // For want of a taker it waits until the window of repeats is over.
        yard.advance_to("2026-07-01T17:00:00Z").await;
        let stage = if waiting.is_empty() { "assigned" } else { "expired" };
        assert_eq!(yard.story(&lead).await.stage(), stage);
    }
}

#[tokio::test(start_paused = true)]
async fn a_recommendation_that_changes_is_recorded_and_one_that_stays_is_not() {
    for (mode, shadow, waits_for) in [("manual", false, "manual"), ("automatic", true, "shadow")] {
        let with = |hudson: &str, price: &str| {
            Rules::company("acme")
                .offer("roof", "roofing", &format!("mode = \"{mode}\""))
                .source("web", "offer = \"roof\"")
                .seller("hudson", [("tier", hudson), ("price", price)])
                .seller("ridge", [("tier", "2")])
        };
        let yard = Yard::of(with("1", "10.00")).await;
        if shadow {
            yard.flip("shadow", json!({ "on": true })).await;
            yard.advance(WOKEN).await;
        }
        let lead = waits(&yard, &Person::number(1), 0).await;
        let recommended = async || {
            let story = yard.story(&lead).await;
            let contracts = story.list("decisions").map(|one| one["contracts"].clone());
            (story.waiting().to_owned(), contracts.collect::<Vec<_>>())
        };
        let hudson = json!(["hudson"]);
        assert_eq!(recommended().await, (waits_for.to_owned(), vec![hudson.clone()]));
        let _ = yard.publish(&with("1", "11.00")).await.is(200);
        yard.advance(LOOKED_AT).await;
        assert_eq!(recommended().await.1, std::slice::from_ref(&hudson));
        let _ = yard.publish(&with("3", "11.00")).await.is(200);
        yard.advance(LOOKED_AT).await;
        assert_eq!(recommended().await.1, [hudson, json!(["ridge"])]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slot_of_the_week_that_comes_back_is_given_when_the_hour_lets_it_be() {
    let rules = Rules::roofing("acme").seller("hudson", [("cap_hour", "1"), ("cap_week", "2")]);
    let yard = Yard::of(rules).await;
    let at_noon = yard.settled_lead(&Person::number(1)).await;
    yard.advance(Duration::from_secs(3_660)).await;
    let at_one = yard.settled_lead(&Person::number(2)).await;
    let next = yard.settled_lead(&Person::number(3)).await;
    assert_eq!(yard.story(&at_one).await.holders(), ["hudson"]);
    // It waits for the week's end; a slot of noon comes back, while this hour's is taken.
    let week_s = yard.stored(&next).await.due.unwrap().duration_since(yard.cloud.clock.now()).as_secs();
    assert!(week_s > 5 * 86_400, "{week_s}");
    let _ = yard.answers("hudson", &at_noon, "decline").await.is(200);
    yard.settle().await;
    yard.advance(WOKEN).await;
    assert_eq!(yard.story(&next).await.stage(), "waiting");
    comes(&yard, "2026-06-01T18:00:00Z").await;
    assert_eq!(yard.story(&next).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_cap_that_is_raised_wakes_twice_what_it_leaves_and_the_best_has_it() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "1")])).await;
    let leads = five_wait_for_one(&yard).await;
    let _ = yard.publish(&Rules::roofing("acme").seller("hudson", [("cap_day", "2")])).await.is(200);
    tokio::time::sleep(WOKEN).await;
    works(&yard).await;
    assert_eq!(in_queue(&yard), 2, "{:?}", yard.queued("distribution"));
    yard.settle().await;
    assert_eq!(held(&yard, &leads).await, ["first"]);
    // The others look at it as well, and find nothing.
    yard.advance(LOOKED_AT).await;
    assert_eq!(held(&yard, &leads).await, ["first"]);
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_are_looked_at_after_a_publish_though_they_are_more_than_one_run_moves() {
    // Hudson is shut until tomorrow, and by the next rules it takes leads from another state.
    let shut = Rules::roofing("acme").dealer("hudson", [("hours", "Tu 00:00-23:00")]);
    let yard = Yard::of(shut.clone().contract("hudson", "hudson", [])).await;
    for n in 0..1_020 {
        yard.lead(&Person::number(n)).await;
    }
    yard.settle().await;
    let reasons = async || {
        let reply = yard.desk(Method::GET, "/v1/waiting?company=acme", None).await.is(200);
        reply.json["by_reason"].clone()
    };
    assert_eq!(reasons().await, json!({ "hours": 1_020 }));
    let _ = yard.publish(&shut.contract("hudson", "hudson", [("area", "state:TX")])).await.is(200);
    yard.advance(Duration::from_secs(300)).await;
    assert_eq!(reasons().await, json!({ "area": 1_020 }));
}

#[tokio::test(start_paused = true)]
async fn who_does_something_between_two_runs_of_the_look_at_everybody_is_not_passed_over() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await;
    yard.settled_lead(&Person::number(0)).await;
    let (reads, rests) =
        (waits(&yard, &Person::number(1), 1).await, waits(&yard, &Person::number(2), 1).await);
    let _ = yard.publish(&Rules::roofing("acme").seller("hudson", [("area", "state:TX")])).await.is(200);
    // Both stood further down than the first run came; before the next one of them reads a page, and stands higher.
    let (company, roofing) = (yard.company_id(), CategoryId::new("roofing").unwrap());
    let store = &yard.cloud.store;
    let wake = store.wake_get(&company, &roofing).await.unwrap().unwrap();
    store.wake_goes_on(&company, &roofing, &wake, "!").await.unwrap();
    let at = yard.cloud.clock.now().to_string();
    let view = json!({ "id": "v", "kind": "page_view", "at": at, "lead": reads });
    let _ = yard.server("web").reports(view).await.is(202);
    yard.advance(LOOKED_AT).await;
    assert_eq!(yard.story(&reads).await.waiting(), "area");
    // The place is behind all: whoever did nothing is as it was.
    assert_eq!(yard.story(&rests).await.waiting(), "cap");
}

/// What asks for a roof must be as good as this; hudson takes it.
fn of_band(band: &str) -> Rules {
    Rules::company("acme")
        .offer("roof", "roofing", &format!("band = \"{band}\""))
        .source("web", "offer = \"roof\"")
        .seller("hudson", [])
}

#[tokio::test(start_paused = true)]
async fn who_is_nurtured_is_sold_when_a_lower_band_is_asked_or_scores_count_otherwise() {
    let otherwise = "[[fit]]\nlabel = \"can be written to\"\npoints = 40\nhas = [\"email\"]\n\
                     [interactions]\nenquiry = { points = 50, daily_cap = 3 }\n\
                     [bands.fit]\nA = 40\nB = 10\n[bands.engagement]\n1 = 40\n2 = 1\n";
    for (next, sold) in
        [(of_band("A1"), false), (of_band("A2"), true), (of_band("A1").scoring(otherwise), true)]
    {
        let yard = Yard::of(of_band("A1")).await;
        let lead = yard.settled_lead(&Person::number(1)).await;
        assert_eq!((yard.story(&lead).await.stage(), yard.story(&lead).await.band()), ("nurturing", "A2"));
        let before = yard.stored(&lead).await.version;
        let _ = yard.publish(&next).await.is(200);
        yard.advance(LOOKED_AT).await;
        assert_eq!(!yard.story(&lead).await.holders().is_empty(), sold);
        assert_eq!(yard.stored(&lead).await.version > before, sold, "whom nothing concerns nobody looks at");
    }
}

#[tokio::test(start_paused = true)]
async fn all_who_are_nurtured_are_looked_at_after_those_who_wait_though_they_are_more_than_one_run_moves() {
    let rules = |band| of_band(band).offer("shed", "roofing", "").source("sheds", "offer = \"shed\"");
    let yard = Yard::of(rules("A1")).await;
    for n in 0..510 {
        yard.lead(&Person::number(n)).await;
    }
    let _ = yard.flip("stop", json!({ "on": true })).await;
    let waits = yard.server("sheds").posts(&Person::number(600)).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    assert_eq!(yard.story(&waits).await.waiting(), "stopped");
    let _ = yard.flip("stop", json!({ "on": false })).await;
    let _ = yard.publish(&rules("A2")).await.is(200);
    yard.advance(Duration::from_secs(300)).await;
    assert_eq!(yard.taken("hudson", 4).await, 511);
    let roofing = CategoryId::new("roofing").unwrap();
    assert!(yard.cloud.store.wake_get(&yard.company_id(), &roofing).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_comes_back_does_not_begin_the_look_at_everybody_anew_and_a_publish_does() {
    let rules = Rules::roofing("acme").seller("hudson", [("cap_total", "2")]);
    let yard = Yard::of(rules.clone()).await;
    let leads = five_wait_for_two(&yard).await;
    let holders =
        yard.desk(Method::POST, "/v1/leads/search", Some(json!({ "dealer": "hudson" }))).await.is(200);
    let sold: Vec<&str> =
        holders.json["leads"].as_array().unwrap().iter().filter_map(|one| one["lead"].as_str()).collect();
    let (company, roofing) = (yard.company_id(), CategoryId::new("roofing").unwrap());
    let store = &yard.cloud.store;
    let _ = yard.publish(&rules).await.is(200);
    let wake = store.wake_get(&company, &roofing).await.unwrap().unwrap();
    store.wake_goes_on(&company, &roofing, &wake, "a place").await.unwrap();
    // Somebody is behind that place still, when a slot comes back: the best of all are looked for again, and the rest
    // from there on.
    let _ = yard.answers("hudson", sold[0], "decline").await.is(200);
    let seen = store.wake_get(&company, &roofing).await.unwrap().unwrap();
    assert_eq!(seen.after.as_deref(), Some("a place"));
    assert!(seen.everybody() && seen.sent != Some(seen.generation));
    let _ = yard.publish(&rules).await.is(200);
    let anew = store.wake_get(&company, &roofing).await.unwrap().unwrap();
    assert_eq!((anew.after.as_deref(), anew.sent), (None, None));
    // Who had read the one before does not say of this one how far it is.
    store.wake_goes_on(&company, &roofing, &seen, "a place").await.unwrap();
    assert_eq!(store.wake_get(&company, &roofing).await.unwrap().unwrap(), anew);
    yard.advance(LOOKED_AT).await;
    assert_eq!(held(&yard, &leads).await, ["first"]);
    assert!(store.wake_get(&company, &roofing).await.unwrap().is_none());
}
