//! Who gets a lead, who waits, and what wakes them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use http::Method;
use leadyard_domain::distribution::Evidence;
use leadyard_domain::{place, time};
use leadyard_platform::judging::{self, Considered};
use leadyard_platform::store::DecisionRecord;
use leadyard_tests::{Person, Rules, Yard};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);
/// Who waits is woken this long after a change.
const WOKEN: Duration = Duration::from_secs(6);

#[tokio::test(start_paused = true)]
async fn a_rulebook_that_another_version_of_the_program_compiled_is_compiled_anew() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let (client, table) = (yard.cloud.store.client(), yard.cloud.store.table());
    let text = aws_sdk_dynamodb::types::AttributeValue::S;
    let chunks = client
        .query()
        .table_name(table)
        .key_condition_expression("pk = :pk AND begins_with(sk, :chunk)")
        .expression_attribute_values(":pk", text("R#acme".to_owned()))
        .expression_attribute_values(":chunk", text("chunk#".to_owned()))
        .send()
        .await
        .unwrap();
    assert!(chunks.count() > 0);
    for mut item in chunks.items.unwrap_or_default() {
        let bytes = aws_sdk_dynamodb::primitives::Blob::new([1, 2, 3]);
        item.insert("chunk".to_owned(), aws_sdk_dynamodb::types::AttributeValue::B(bytes));
        client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

/// The chunks of the rulebook that were read since this was asked last, each once.
fn chunks_read(yard: &Yard) -> BTreeSet<String> {
    let of_chunk = |(_, sort): (String, String)| {
        sort.strip_prefix("chunk#")?.split_once('#').map(|(_, chunk)| chunk.to_owned())
    };
    yard.faults.keys_read().into_iter().filter_map(of_chunk).collect()
}

#[tokio::test(start_paused = true)]
async fn a_decision_reads_the_chunks_of_its_category_and_state_and_no_other() {
    let mut rules = Rules::roofing("acme").offer("bath", "bathrooms", "");
    for (dealer, area) in
        [("miami", "state:FL"), ("queens", "state:NY"), ("dallas", "zip3:752"), ("anywhere", "any")]
    {
        rules = rules.dealer(dealer, []);
        for offer in ["roof", "bath"] {
            let columns =
                [("area", area), ("offers", offer), ("tier", if area == "any" { "2" } else { "1" })];
            rules = rules.contract(&format!("{dealer}-{offer}"), dealer, columns);
        }
    }
    let mut yard = Yard::of(rules).await;
    // Each as by functions that have just started: what was read once is not read again.
    for (n, (offer, zip, holder, chunks)) in [
        ("roof", "33101", "miami-roof", ["roofing/*/0", "roofing/FL/0"].as_slice()),
        ("bath", "10001", "queens-bath", &["bathrooms/*/0", "bathrooms/NY/0"]),
        ("roof", "75201", "dallas-roof", &["roofing/*/0", "roofing/TX/0"]),
        // Where nobody has a part of the area, the contracts that reach anywhere alone.
        ("roof", "60601", "anywhere-roof", &["roofing/*/0"]),
    ]
    .into_iter()
    .enumerate()
    {
        yard.starts_anew().await;
        let _ = chunks_read(&yard);
        let lead = yard.settled_lead(&Person::number(n).with("offer", offer).with("zip", zip)).await;
        assert_eq!(
            chunks_read(&yard),
            chunks.iter().map(|chunk| (*chunk).to_owned()).collect(),
            "{offer} in {zip}"
        );
        assert_eq!(yard.story(&lead).await.holders(), [holder]);
        // The next one there reads none.
        let _ = chunks_read(&yard);
        yard.settled_lead(&Person::number(100 + n).with("offer", offer).with("zip", zip)).await;
        assert!(chunks_read(&yard).is_empty(), "{offer} in {zip}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_protected_territory_is_never_bypassed() {
    let rules = Rules::roofing("acme")
        .seller(
            "hudson",
            [
                ("area", "zip:33101"),
                ("territory", "protected"),
                ("when_unavailable", "wait"),
                ("cap_day", "1"),
                ("max_age_hours", "72"),
            ],
        )
        .seller("ridge", [("tier", "1")]);
    let yard = Yard::of(rules).await;
    let first = yard.settled_lead(&Person::number(1)).await;
    let second = yard.settled_lead(&Person::number(2)).await;
    let elsewhere = yard.settled_lead(&Person::number(3).with("zip", "10001")).await;
    assert_eq!(yard.story(&first).await.holders(), ["hudson"]);
    assert_eq!((yard.story(&second).await.stage(), yard.story(&second).await.waiting()), ("waiting", "cap"));
    assert_eq!(yard.story(&elsewhere).await.holders(), ["ridge"]);
    // It waits for Hudson, and has it the next day.
    yard.advance(HOUR * 13).await;
    assert_eq!(yard.story(&second).await.holders(), ["hudson"]);
    assert_eq!(yard.told("ridge").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_closed_territory_shuts_out_all_others_even_of_what_it_does_not_take() {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "")
        .seller("hudson", [("area", "zip:33101"), ("territory", "closed"), ("offers", "gutter")])
        .seller("ridge", []);
    let yard = Yard::of(rules).await;
    let roof = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(
        (yard.story(&roof).await.stage(), yard.story(&roof).await.waiting()),
        ("waiting", "territory")
    );
    let gutter = yard.settled_lead(&Person::number(2).with("offer", "gutter")).await;
    assert_eq!(yard.story(&gutter).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn first_refusal_goes_before_a_better_tier_and_then_to_the_rest() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("territory", "first"), ("tier", "9"), ("cap_day", "1")])
        .seller("ridge", [("tier", "1")]);
    let yard = Yard::of(rules).await;
    let first = yard.settled_lead(&Person::number(1)).await;
    let second = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&first).await.holders(), ["hudson"]);
    assert_eq!(yard.story(&second).await.holders(), ["ridge"]);
}

#[tokio::test(start_paused = true)]
async fn a_cap_resets_at_midnight_in_the_dealer_s_zone_and_wakes_who_waits() {
    // Half past ten in the evening in New York: midnight comes in 90 minutes, in Los Angeles three hours later.
    let rules = Rules::roofing("acme")
        .dealer("hudson", [("zone", "America/New_York")])
        .contract("hudson", "hudson", [("cap_day", "1"), ("area", "zip:33101")])
        .dealer("sierra", [("zone", "America/Los_Angeles")])
        .contract("sierra", "sierra", [("cap_day", "1"), ("area", "zip:90001")]);
    let yard = Yard::at("2026-06-02T02:30:00Z", rules).await;
    for n in 0..2 {
        yard.settled_lead(&Person::number(n)).await;
        yard.settled_lead(&Person::number(10 + n).with("zip", "90001")).await;
    }
    assert_eq!((yard.told("hudson").len(), yard.told("sierra").len()), (1, 1));
    yard.advance_to("2026-06-02T04:10:00Z").await;
    assert_eq!((yard.told("hudson").len(), yard.told("sierra").len()), (2, 1));
    yard.advance_to("2026-06-02T07:10:00Z").await;
    assert_eq!((yard.told("hudson").len(), yard.told("sierra").len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_moves_to_another_zone_in_mid_day_has_its_cap_anew_once_and_not_at_every_move() {
    let living_in = |zone: &str| {
        let rules = Rules::roofing("acme").dealer("hudson", [("zone", zone)]);
        rules.contract("hudson", "hudson", [("cap_day", "1")])
    };
    let (east, west) = (living_in("America/New_York"), living_in("America/Los_Angeles"));
    let yard = Yard::of(east.clone()).await;
    for n in 0..3 {
        yard.settled_lead(&Person::number(n)).await;
    }
    assert_eq!(yard.told("hudson").len(), 1);
    // In the west this day began three hours later, and so is another; back in the east, and there again, it is the same.
    for rules in [&west, &east, &west] {
        let _ = yard.publish(rules).await.is(200);
        yard.advance(Duration::from_secs(180)).await;
        assert_eq!(yard.told("hudson").len(), 2);
    }
    yard.advance_to("2026-06-02T06:50:00Z").await;
    assert_eq!(yard.told("hudson").len(), 2, "midnight in the east is none of its any more");
    yard.advance_to("2026-06-02T07:10:00Z").await;
    assert_eq!(yard.told("hudson").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_dealer_s_own_cap_holds_over_all_its_contracts() {
    let rules = Rules::roofing("acme")
        .dealer("hudson", [("cap_day", "2")])
        .contract("east", "hudson", [("area", "zip:33101")])
        .contract("west", "hudson", [("area", "zip:90001")]);
    let yard = Yard::of(rules).await;
    for n in 0..4 {
        let zip = if n % 2 == 0 { "33101" } else { "90001" };
        yard.settled_lead(&Person::number(n).with("zip", zip)).await;
    }
    assert_eq!(yard.told("hudson").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_own_dealer_keeps_to_its_cap_its_hours_and_its_band_as_any_other() {
    let own = |columns: [(&'static str, &'static str); 2]| {
        Rules::roofing("acme").dealer("doug", [("kind", "own"), columns[0]]).contract(
            "doug",
            "doug",
            [columns[1]],
        )
    };
    // A lead with a phone is A2, one without B2.
    for (columns, person, why) in [
        ([("name", "Doug"), ("cap_day", "1")], Person::number(2), "cap"),
        ([("cap_day", "1"), ("tier", "1")], Person::number(2), "cap"),
        ([("hours", "Mo 12:00-12:10; Tu 09:00-10:00"), ("tier", "1")], Person::number(2), "hours"),
        ([("name", "Doug"), ("min_band", "A2")], Person::number(2).without("phone"), "band"),
    ] {
        let yard = Yard::of(own(columns).seller("ridge", [("area", "zip:10001")])).await;
        let first = yard.settled_lead(&Person::number(1)).await;
        assert_eq!(yard.story(&first).await.holders(), ["doug"], "{why}");
        tokio::time::sleep(HOUR / 4).await;
        let second = yard.settled_lead(&person).await;
        assert_eq!(yard.story(&second).await.waiting(), why, "{columns:?}");
        assert_eq!(yard.told("doug").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn own_dealers_have_leads_by_category_and_by_area_as_any_other() {
    let own = [("kind", "own")];
    let rules = Rules::roofing("acme")
        .offer("panels", "solar", "")
        .dealer("doug", own)
        .contract("doug", "doug", [("offers", "roof"), ("area", "state:FL")])
        .dealer("erin", own)
        .contract("erin", "erin", [("offers", "panels"), ("area", "state:FL")])
        .dealer("finn", own)
        .contract("finn", "finn", [("area", "state:NY")]);
    let yard = Yard::of(rules).await;
    for (n, (offer, zip, holders)) in [
        ("roof", "33101", vec!["doug"]),
        ("panels", "33101", vec!["erin"]),
        ("roof", "10001", vec!["finn"]),
        ("panels", "10001", vec!["finn"]),
        ("roof", "90001", vec![]),
        ("panels", "90001", vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let lead = yard.settled_lead(&Person::number(n).with("offer", offer).with("zip", zip)).await;
        let story = yard.story(&lead).await;
        let why = if holders.is_empty() { "area" } else { "" };
        assert_eq!((story.holders(), story.waiting()), (holders, why), "{offer} in {zip}");
    }
    assert_eq!(["doug", "erin", "finn"].map(|dealer| yard.told(dealer).len()), [1, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_told_why() {
    let rules = Rules::roofing("acme")
        .offer("byhand", "roofing", "mode = \"manual\"")
        .offer("nobodys", "plumbing", "")
        .dealer("hudson", [("hours", "Tu 09:00-10:00")])
        .contract("hudson", "hudson", [("offers", "roof"), ("area", "state:FL")])
        .dealer("ridge", [])
        .contract("ridge", "ridge", [("offers", "byhand"), ("area", "state:FL")]);
    let yard = Yard::of(rules).await;
    for (person, why) in [
        (Person::number(1), "hours"),
        (Person::number(2).with("zip", "10001"), "area"),
        (Person::number(3).with("offer", "byhand"), "manual"),
        (Person::number(4).with("offer", "nobodys"), "offer"),
        (Person::number(5).without("zip").without("phone"), "unplaced"),
    ] {
        let lead = yard.settled_lead(&person).await;
        let story = yard.story(&lead).await;
        assert_eq!((story.stage(), story.waiting()), ("waiting", why));
        assert_eq!(story.decisions(), [format!("waiting:{why}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_opening_is_placed_when_it_comes_and_decided_on_once_until_then() {
    let rules = Rules::roofing("acme").dealer("hudson", [("hours", "Tu 09:00-10:00")]).contract(
        "hudson",
        "hudson",
        [],
    );
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance_to("2026-06-02T12:50:00Z").await;
    assert_eq!((yard.story(&lead).await.stage(), yard.story(&lead).await.decisions().len()), ("waiting", 1));
    yard.advance_to("2026-06-02T13:10:00Z").await;
    assert_eq!((yard.story(&lead).await.holders(), yard.told("hudson").len()), (vec!["hudson"], 1));
}

/// The defaults of `scoring.toml`: an enquiry is worth just enough to be pitched on its own day.
#[tokio::test(start_paused = true)]
async fn a_lead_that_waits_over_a_weekend_is_still_placed_under_the_default_scoring() {
    let rules = Rules::roofing("acme").scoring("").dealer("hudson", [("hours", "Mo 09:00-17:00")]).contract(
        "hudson",
        "hudson",
        [("territory", "protected"), ("when_unavailable", "wait")],
    );
    let yard = Yard::at("2026-06-05T23:00:00Z", rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "hours");
    yard.advance_to("2026-06-08T13:30:00Z").await;
    assert_eq!((yard.story(&lead).await.stage(), yard.told("hudson").len()), ("assigned", 1));
}

#[tokio::test(start_paused = true)]
async fn a_new_rulebook_wakes_who_waits() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("area", "zip:10001")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "area");
    let _ = yard
        .publish(&Rules::roofing("acme").seller("hudson", [("area", "zip:10001 zip:33101")]))
        .await
        .is(200);
    yard.advance(WOKEN).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    assert_eq!(yard.story(&lead).await.decisions(), ["waiting:area", "assigned"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_rulebook_wakes_who_waits_though_its_message_is_lost() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("area", "zip:10001")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.faults.queues(true);
    let _ = yard.publish(&Rules::roofing("acme").seller("hudson", [])).await.is(200);
    yard.faults.queues(false);
    yard.advance(Duration::from_secs(300)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn stop_and_pause_hold_leads_back_and_let_them_go_again() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.flip("stop", json!({ "on": true })).await;
    let stopped = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&stopped).await.waiting(), "stopped");
    yard.flip("stop", json!({ "on": false })).await;
    yard.advance(WOKEN).await;
    assert_eq!(yard.story(&stopped).await.holders(), ["hudson"]);

    yard.flip("pause", json!({ "on": true, "dealer": "hudson", "reason": "holiday" })).await;
    let paused = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&paused).await.waiting(), "inactive");
    // Publishing leaves switches alone.
    let _ = yard.publish(&Rules::roofing("acme").seller("hudson", [("price", "11.00")])).await.is(200);
    yard.advance(WOKEN).await;
    assert_eq!(yard.story(&paused).await.waiting(), "inactive");
    yard.flip("pause", json!({ "on": false, "dealer": "hudson" })).await;
    yard.advance(WOKEN).await;
    assert_eq!(yard.story(&paused).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_with_an_end_ends_by_itself() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.flip("pause", json!({ "on": true, "contract": "hudson", "until": "2026-06-01T18:00:00Z" })).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "inactive");
    yard.advance(HOUR * 3).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_slot_given_back_wakes_those_who_can_use_it_however_many_stand_before_them() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("area", "zip:33101"), ("cap_total", "1")])
        .seller("ridge", [("area", "zip:10001"), ("cap_total", "1")]);
    let yard = Yard::of(rules).await;
    let held = yard.settled_lead(&Person::number(1)).await;
    yard.settled_lead(&Person::number(2).with("zip", "10001")).await;
    // Five with a phone wait in New York, worth more than the one in Miami.
    for n in 10..15 {
        let phone = format!("+1 212 555 20{n}");
        yard.settled_lead(&Person::number(n).with("zip", "10001").with("phone", &phone)).await;
    }
    let in_miami = yard.settled_lead(&Person::number(3)).await;
    assert_eq!(yard.story(&in_miami).await.waiting(), "cap");
    let _ = yard.answers("hudson", &held, "decline").await.is(200);
    yard.advance(WOKEN).await;
    assert_eq!(yard.story(&in_miami).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_slot_given_back_wakes_the_next_in_line() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await;
    let first = yard.settled_lead(&Person::number(1)).await;
    let second = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&second).await.waiting(), "cap");
    let _ = yard.answers("hudson", &first, "decline").await.is(200);
    yard.advance(WOKEN).await;
    assert_eq!(yard.story(&second).await.holders(), ["hudson"]);
    assert_eq!(yard.story(&first).await.waiting(), "excluded");
    assert_eq!(yard.taken("hudson", 4).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_comes_back_wakes_two_the_highest_score_first_and_of_equals_the_freshest() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await;
    let held = yard.settled_lead(&Person::number(1)).await;
    let mut waiting = Vec::new();
    // The last to come has no phone, and is worth less.
    for person in
        [Person::number(2), Person::number(3), Person::number(4), Person::number(5).without("phone")]
    {
        tokio::time::sleep(Duration::from_secs(1)).await;
        waiting.push(yard.settled_lead(&person).await);
    }
    let _ = yard.answers("hudson", &held, "decline").await.is(200);
    yard.settle().await;
    tokio::time::sleep(WOKEN).await;
    leadyard::poller::work(&yard.cloud, yard.aws.queues(), &leadyard::system::DISTRIBUTION).await;
    let woken = yard.queued("distribution");
    assert_eq!(woken.len(), 2, "{woken:?}");
    assert!(woken[0].contains(&waiting[2]) && woken[1].contains(&waiting[1]), "{woken:?} of {waiting:?}");
    yard.settle().await;
    assert_eq!(yard.story(&waiting[2]).await.holders(), ["hudson"]);
    assert_eq!(yard.story(&waiting[0]).await.waiting(), "cap");
}

#[tokio::test(start_paused = true)]
async fn a_shared_lead_is_sold_as_often_as_agreed_and_to_no_dealer_twice() {
    let shared = [("sale", "shared:2")];
    let rules = Rules::roofing("acme")
        .seller("hudson", shared)
        .contract("hudson-too", "hudson", shared)
        .seller("ridge", shared)
        .seller("vale", shared)
        .seller("sole", [("tier", "2")]);
    let yard = Yard::of(rules).await;
    for n in 0..6 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        let story = yard.story(&lead).await;
        let mut dealers: Vec<_> = story.list("holders").map(|holder| holder["dealer"].clone()).collect();
        dealers.dedup();
        assert_eq!((story.holders().len(), dealers.len()), (2, 2), "{:?}", story.holders());
        assert!(!story.holders().contains(&"sole"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rulebook_with_an_error_is_not_published_in_part() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let broken =
        Rules::roofing("acme").seller("ridge", []).contract("ridge-too", "nobody", [("price", "a lot")]);
    let reply = yard.publish(&broken).await.is(422).is_problem("rulebook-refused");
    let problems = reply.json["problems"].to_string();
    assert!(problems.contains("contracts.csv") && problems.contains("nobody"), "{problems}");
    assert_eq!(yard.version().await, 1);
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_rulebook_whose_own_tests_fail_is_not_published() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let wrong = Rules::roofing("acme").seller("ridge", []).file(
        "tests.toml",
        "[[test]]\nname = \"hudson has it\"\nat = \"2026-06-01T16:00:00Z\"\nlead = { zip = \"33101\", offer = \"roof\", source = \"web\" }\nwaiting = \"cap\"\n",
    );
    let _ = yard.publish(&wrong).await.is(422).is_problem("rulebook-refused");
    assert_eq!(yard.version().await, 1);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_publish_on_one_base_the_second_is_told_to_look() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let (one, other) = (
        Rules::roofing("acme").seller("hudson", [("price", "11.00")]),
        Rules::roofing("acme").seller("hudson", [("price", "12.00")]),
    );
    let (one, other) = tokio::join!(yard.publish_on(1, &one), yard.publish_on(1, &other));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text, other.text);
    let behind = if one.status == 409 { one } else { other };
    assert_eq!(behind.is_problem("version-conflict").json["version"], 2);
    assert_eq!(yard.version().await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_changes_nothing() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let files = Rules::roofing("acme").seller("ridge", []).files();
    let _ = yard.desk(Method::PUT, "/v1/rulebook?dry_run=1", Some(json!({ "files": files }))).await.is(200);
    assert_eq!(yard.version().await, 1);
}

#[tokio::test(start_paused = true)]
async fn one_dealers_slot_is_not_forgotten_for_those_who_wait_for_another() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("cap_total", "1"), ("area", "zip:33101")])
        .seller("ridge", [("cap_total", "1"), ("area", "zip:10001")]);
    let yard = Yard::of(rules).await;
    let of_ridge = |n: usize| Person::number(n).with("zip", "10001");
    let (first, second) =
        (yard.settled_lead(&Person::number(0)).await, yard.settled_lead(&of_ridge(1)).await);
    for n in 2..8 {
        yard.settled_lead(&of_ridge(n)).await;
    }
    let worst = yard.settled_lead(&Person::number(8).without("phone")).await;
    assert_eq!(yard.story(&worst).await.waiting(), "cap");
    // Within the seconds before they are woken, both dealers give a lead back.
    let _ = yard.answers("hudson", &first, "decline").await.is(200);
    let _ = yard.answers("ridge", &second, "decline").await.is(200);
    yard.advance(Duration::from_secs(30)).await;
    assert_eq!(yard.story(&worst).await.holders(), ["hudson"]);
}

/// Every decision of a lead, made again from its record alone.
async fn all_repeat(yard: &Yard, lead: &str) -> usize {
    let story = yard.cloud.store.lead_story(lead.parse().unwrap()).await.unwrap().unwrap();
    for record in &story.decisions {
        // By which tables of places and time zones: those that this program brings.
        assert_eq!((record.places.as_str(), record.zones.as_str()), (place::VERSION, time::zones_version()));
        assert!(record.places.len() > 5 && record.zones.starts_with("20"), "{record:?}");
        let again = judging::repeat(&yard.cloud, &yard.company_id(), record).await.unwrap().unwrap();
        assert!(again.as_recorded);
        let considered = again.explained.considered;
        let again = considered.record(record.id, record.at, &record.facts, record.rulebook, None).unwrap();
        // The seats stand beside what was decided.
        assert_eq!(DecisionRecord { given: record.given.clone(), ..again }, *record);
        // One that somebody changed since is not passed off as what was decided.
        let forged = DecisionRecord { seed: record.seed ^ 1, ..record.clone() };
        assert!(judging::repeat(&yard.cloud, &yard.company_id(), &forged).await.is_err());
        assert!(record.evidence.len() < 240, "{} bytes of evidence", record.evidence.len());
        // One that the version before recorded comes out as it did; one of before that is not made again.
        let earlier = |algorithm| DecisionRecord { algorithm, ..record.clone() }.sealed().unwrap();
        for algorithm in [2, 3] {
            let again = judging::repeat(&yard.cloud, &yard.company_id(), &earlier(algorithm)).await.unwrap();
            assert!(again.is_some_and(|again| again.as_recorded));
        }
        assert!(judging::repeat(&yard.cloud, &yard.company_id(), &earlier(1)).await.unwrap().is_none());
    }
    story.decisions.len()
}

#[tokio::test(start_paused = true)]
async fn every_decision_can_be_repeated_whatever_has_changed_since() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("cap_day", "2"), ("weight", "3"), ("sale", "shared:2")])
        .seller("ridge", [("cap_total", "5"), ("sale", "shared:2")])
        .dealer("crest", [("hours", "Mo-Fr 09:00-17:00")])
        .contract("crest", "crest", []);
    let yard = Yard::of(rules.clone()).await;
    let mut leads = Vec::new();
    for n in 0..4 {
        leads.push(yard.settled_lead(&Person::number(n)).await);
    }
    yard.flip("pause", json!({ "dealer": "ridge", "reason": "away", "on": true })).await;
    leads.push(yard.settled_lead(&Person::number(4)).await);
    yard.flip("pause", json!({ "dealer": "crest", "reason": "away", "on": true })).await;
    leads.push(yard.settled_lead(&Person::number(5)).await);
    assert_eq!(yard.story(&leads[5]).await.waiting(), "cap");
    // The rules, the switches and the counters move on; the records stand.
    let _ = yard.publish(&rules.seller("grove", [("territory", "closed")])).await.is(200);
    yard.flip("pause", json!({ "dealer": "ridge", "on": false })).await;
    yard.advance(HOUR * 30).await;
    let mut decisions = 0;
    for lead in &leads {
        decisions += all_repeat(&yard, lead).await;
    }
    assert!(decisions > leads.len(), "who waited was decided on again: {decisions}");
}

/// What an item takes in the table, as AWS documents it.
fn item_bytes(item: &HashMap<String, AttributeValue>) -> usize {
    fn of(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(number) => number.trim_start_matches('-').len().div_ceil(2) + 1,
            AttributeValue::B(bytes) => bytes.as_ref().len(),
            AttributeValue::L(list) => 3 + list.iter().map(|one| 1 + of(one)).sum::<usize>(),
            AttributeValue::M(map) => {
                3 + map.iter().map(|(name, one)| 1 + name.len() + of(one)).sum::<usize>()
            }
            _ => 1,
        }
    }
    item.iter().map(|(name, value)| name.len() + of(value)).sum()
}

#[tokio::test(start_paused = true)]
async fn a_decision_among_three_hundred_takes_two_kilobytes_and_is_repeated_whole() {
    let mut rules = Rules::roofing("acme");
    for n in 0..300 {
        let (cap, band) = (["1", "2"][n % 2], ["C3", "A1"][usize::from(n % 20 == 0)]);
        rules = rules.seller(&format!("seller-{n:03}"), [("cap_day", cap), ("min_band", band)]);
    }
    let yard = Yard::of(rules).await;
    let mut lead = String::new();
    for n in 0..60 {
        lead = yard.settled_lead(&Person::number(n)).await;
    }
    let answer = yard
        .cloud
        .store
        .client()
        .query()
        .table_name(yard.cloud.store.table())
        .key_condition_expression("pk = :pk AND begins_with(sk, :decision)")
        .expression_attribute_values(":pk", AttributeValue::S(format!("L#{lead}")))
        .expression_attribute_values(":decision", AttributeValue::S("D#".to_owned()))
        .send()
        .await
        .unwrap();
    let items = answer.items.unwrap();
    assert_eq!(items.len(), 1);
    assert!(item_bytes(&items[0]) <= 2_048, "{} bytes: {:?}", item_bytes(&items[0]), items[0]);
    let story = yard.cloud.store.lead_story(lead.parse().unwrap()).await.unwrap().unwrap();
    let record = &story.decisions[0];
    assert!(record.evidence().unwrap().unwrap().is_as_asked());
    let again = judging::repeat(&yard.cloud, &yard.company_id(), record).await.unwrap().unwrap();
    assert!(again.as_recorded);
    assert_eq!(again.explained.candidates.len(), 300);
    let considered = again.explained.considered;
    let again = considered.record(record.id, record.at, &record.facts, record.rulebook, None).unwrap();
    assert_eq!(DecisionRecord { given: record.given.clone(), ..again }, *record);
    assert_eq!(record.near_misses.len(), 10);
    // What stands behind the seal is under it.
    let forged = DecisionRecord { near_misses: Vec::new(), ..record.clone() };
    assert!(judging::repeat(&yard.cloud, &yard.company_id(), &forged).await.is_err());
    let forged = DecisionRecord { evidence: String::new(), ..record.clone() };
    assert!(!forged.is_intact().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_decision_whose_evidence_no_item_holds_says_that_it_lacks_it() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let story = yard.cloud.store.lead_story(lead.parse().unwrap()).await.unwrap().unwrap();
    let record = &story.decisions[0];
    let again = judging::repeat(&yard.cloud, &yard.company_id(), record).await.unwrap().unwrap();
    // Of three hundred thousand contracts, in the shape before: nobody was paused, and none was ever used.
    let mut huge = vec![0, 0, 0, 0, 0xe0, 0xa7, 0x12];
    huge.resize(huge.len() + 300_000, 0);
    let considered = Considered { evidence: Evidence::decode(&huge).unwrap(), ..again.explained.considered };
    let without = considered.record(record.id, record.at, &record.facts, record.rulebook, None).unwrap();
    assert!(without.left_out() && without.evidence.is_empty() && !record.left_out());
    assert!(judging::repeat(&yard.cloud, &yard.company_id(), &without).await.unwrap().is_none());
}

/// Where each contract stands in the table.
async fn counters(yard: &Yard) -> BTreeMap<String, String> {
    let items = crate::moving_in::table(yard).await.into_iter();
    let of_contract = |item: String| {
        let read: Value = serde_json::from_str(&item).unwrap();
        let contract = read["pk"].as_str().unwrap().strip_prefix("K#acme#c#")?.to_owned();
        Some((contract, item))
    };
    items.filter_map(of_contract).collect()
}

#[tokio::test(start_paused = true)]
async fn of_those_who_share_only_the_winner_s_counter_is_written() {
    let mut rules = Rules::roofing("acme");
    for weight in ["1", "2", "3"] {
        rules = rules.seller(&format!("k{weight}"), [("weight", weight)]);
    }
    let yard = Yard::of(rules).await;
    let mut won = BTreeSet::new();
    for n in 1..=12 {
        let before = counters(&yard).await;
        let lead = yard.settled_lead(&Person::number(n)).await;
        let winner = yard.story(&lead).await.holders()[0].to_owned();
        for (contract, stands) in counters(&yard).await {
            assert_eq!(before.get(&contract) == Some(&stands), contract != winner, "{contract} by lead {n}");
        }
        won.insert(winner);
    }
    assert_eq!(won.len(), 3, "each has its share");
}
