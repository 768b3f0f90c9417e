//! The rulebook, changed row by row, rolled back, and taken out and in as a workbook.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

async fn yard() -> Yard {
    Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "1")]).seller("ridge", [("tier", "2")]))
        .await
}

async fn patch(yard: &Yard, row: &str, base: u64, body: Value) -> Reply {
    yard.desk(Method::PATCH, &format!("/v1/rulebook/{row}?base={base}"), Some(body)).await
}

/// A row as it is in force.
async fn told(yard: &Yard, row: &str) -> Value {
    yard.desk(Method::GET, &format!("/v1/rulebook/{row}?company=acme"), None).await.is(200).json
}

#[tokio::test(start_paused = true)]
async fn one_row_is_changed_and_the_answer_is_the_difference() {
    let yard = yard().await;
    let base = yard.version().await;
    let body = json!({ "set": { "cap_day": "2", "price": "12.50" } });
    let dry = yard
        .desk(
            Method::PATCH,
            &format!("/v1/rulebook/contracts/hudson?base={base}&dry_run=1"),
            Some(body.clone()),
        )
        .await
        .is(200);
    assert_eq!((&dry.json["diff"]["tables"][0]["changed"], yard.version().await), (&json!(1), base));
    let done = patch(&yard, "contracts/hudson", base, body).await.is(200);
    let columns = &done.json["diff"]["tables"][0]["rows"][0]["columns"];
    assert_eq!(
        columns,
        &json!([
                { "column": "cap_day", "before": "1", "after": "2" },
        { "column": "price", "before": "10.00", "after": "12.50" },
        ])
    );
    // It is in force: two leads a day go to hudson, at the new price.
    for number in 1..=3 {
        yard.settled_lead(&Person::number(number)).await;
    }
    assert_eq!((yard.taken("hudson", 1).await, yard.taken("ridge", 1).await), (2, 1));
    let path = "/v1/dealers/hudson/statement?month=2026-06";
    assert_eq!(yard.desk(Method::GET, path, None).await.is(200).json["owed"], "25.00");
}

#[tokio::test(start_paused = true)]
async fn two_people_edit_different_rows_and_both_stand_and_one_row_and_the_second_is_told() {
    let yard = yard().await;
    let base = yard.version().await;
    let _ = patch(&yard, "contracts/hudson", base, json!({ "set": { "cap_day": "5" } })).await.is(200);
    let _ = patch(&yard, "contracts/ridge", base, json!({ "set": { "tier": "1" } })).await.is(200);
    let conflict = patch(&yard, "contracts/hudson", base, json!({ "set": { "cap_day": "9" } })).await.is(409);
    let column = &conflict.is_problem("version-conflict").json["conflict"]["columns"][0];
    assert_eq!(column, &json!({ "column": "cap_day", "base": "1", "theirs": "5", "yours": "9" }));
    let reply = yard.desk(Method::GET, "/v1/rulebook?files=1", None).await.is(200);
    let contracts = reply.json["files"]["contracts.csv"].as_str().unwrap();
    assert!(contracts.contains("5,hudson") && contracts.lines().count() == 3, "{contracts}");
}

#[tokio::test(start_paused = true)]
async fn a_dealer_and_an_area_are_changed_by_row_and_of_two_who_do_the_second_is_told() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("area", "zip:33101"), ("tier", "1")])
        .seller("ridge", [("area", "zip:33101 zip:10001"), ("tier", "2")]);
    let yard = Yard::of(rules).await;
    let base = yard.version().await;
    // Hudson takes one a day, and ridge gives a ZIP up: the second lead there goes to nobody.
    let set = json!({ "set": { "cap_day": "1", "name": "Hudson & Sons" } });
    let dealer = patch(&yard, "dealers/hudson", base, set).await.is(200);
    assert_eq!(
        dealer.json["diff"]["tables"][0]["rows"][0]["columns"],
        json!([
            { "column": "cap_day", "before": null, "after": "1" },
            { "column": "name", "before": "hudson", "after": "Hudson & Sons" },
        ])
    );
    let parts = json!({ "parts": ["zip:10001"] });
    let area = patch(&yard, "areas/of-ridge", base, parts).await.is(200);
    assert_eq!(
        area.json["diff"]["tables"][0]["rows"][0],
        json!({
            "id": "of-ridge", "change": "changed",
            "columns": [{ "column": "part", "before": "zip:33101", "after": null }],
        })
    );
    let mut leads = Vec::new();
    for person in [Person::number(1), Person::number(2), Person::number(3).with("zip", "10001")] {
        leads.push(yard.settled_lead(&person).await);
    }
    assert_eq!(yard.story(&leads[0]).await.holders(), ["hudson"]);
    assert_eq!(yard.story(&leads[1]).await.waiting(), "cap");
    assert_eq!(yard.story(&leads[2]).await.holders(), ["ridge"]);

    // Whoever still looks at the first version is told what stands now.
    let set = json!({ "set": { "cap_day": "7" } });
    let conflict = patch(&yard, "dealers/hudson", base, set).await.is(409).is_problem("version-conflict");
    let column = &conflict.json["conflict"]["columns"][0];
    assert_eq!(column, &json!({ "column": "cap_day", "base": null, "theirs": "1", "yours": "7" }));
    let parts = json!({ "parts": ["state:FL"] });
    let conflict = patch(&yard, "areas/of-ridge", base, parts).await.is(409).is_problem("version-conflict");
    assert_eq!(conflict.json["version"], base + 2);
    assert!(conflict.json["conflict"].to_string().contains("zip:10001"), "{}", conflict.text);
    assert_eq!(yard.version().await, base + 2);
}

#[tokio::test(start_paused = true)]
async fn a_row_is_told_as_an_edit_takes_it_with_its_base() {
    let rules = Rules::roofing("acme").dealer("hudson", [("cap_day", "7")]).contract(
        "main",
        "hudson",
        [("area", "zip:33101 state:GA"), ("price", "13.37")],
    );
    let yard = Yard::of(rules).await;
    let contract = told(&yard, "contracts/main").await;
    assert_eq!((&contract["table"], &contract["id"]), (&json!("contracts"), &json!("main")));
    assert_eq!((&contract["base"], &contract["set"]["price"]), (&json!(1), &json!("13.37")));
    assert_eq!((&contract["set"]["area"], &contract["set"]["cap_day"]), (&json!("of-main"), &json!("")));
    let area = told(&yard, "areas/of-main").await;
    assert_eq!((&area["parts"], &area["set"]), (&json!(["zip:33101", "state:GA"]), &Value::Null));
    // Sent back as it is it changes nothing; what is edited is told with the version that has it.
    let dealer = told(&yard, "dealers/hudson").await;
    for (row, body) in [
        ("contracts/main", json!({ "set": contract["set"] })),
        ("areas/of-main", json!({ "parts": area["parts"] })),
        ("dealers/hudson", json!({ "set": dealer["set"] })),
    ] {
        let path = format!("/v1/rulebook/{row}?base=1&dry_run=1");
        let same = yard.desk(Method::PATCH, &path, Some(body)).await.is(200);
        assert_eq!(same.json["diff"]["tables"], json!([]), "{row}");
    }
    let _ = patch(&yard, "contracts/main", 1, json!({ "set": { "price": "19.84" } })).await.is(200);
    let now = told(&yard, "contracts/main").await;
    assert_eq!((&now["base"], &now["set"]["price"]), (&json!(2), &json!("19.84")));
    for none in ["contracts/nobody", "areas/nowhere", "dealers/main", "people/rita", "channels/hudson:1"] {
        let path = format!("/v1/rulebook/{none}");
        let _ = yard.desk(Method::GET, &path, None).await.is(404).is_problem("not-found");
    }
    let other = yard.also(Rules::roofing("other").seller("ridge", [])).await;
    let _ = other.desk(Method::GET, "/v1/rulebook/contracts/main?company=acme", None).await.is(404);
    let _ = other.desk(Method::GET, "/v1/rulebook/contracts/main", None).await.is(404);
}

#[tokio::test(start_paused = true)]
async fn how_a_dealers_people_are_reached_is_told_a_manager_alone() {
    let reached = [
        ("contact", "Ottoline Vane"),
        ("email", "ottoline@vane.example"),
        ("phone", "+13052740144"),
        ("billing_email", "bills@vane.example"),
    ];
    let rules = Rules::roofing("acme").dealer("hudson", reached).contract("main", "hudson", []);
    let yard = Yard::of(rules).await;
    for (role, is_told) in [("reader", false), ("desk", false), ("manager", true)] {
        let asked = json!({ "name": role, "role": role });
        let made = yard.desk(Method::POST, "/v1/tokens", Some(asked)).await.is(201);
        let (token, path) = (made.text_of("token"), "/v1/rulebook/dealers/hudson");
        let row = yard.sends(Some(token), Method::GET, path, "application/json", Vec::new()).await.is(200);
        assert_eq!(row.json["set"]["name"], "hudson", "{role}: {}", row.text);
        for (column, cell) in reached {
            assert_eq!(row.json["set"].get(column).is_some(), is_told, "{role}: {}", row.text);
            assert_eq!(row.text.contains(cell), is_told, "{role}: {}", row.text);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_edit_gets_wrong_is_refused_by_name_and_nothing_is_published() {
    let yard = yard().await;
    let base = yard.version().await;
    let unknown = patch(&yard, "contracts/hudson", base, json!({ "set": { "prize": "1" } })).await.is(400);
    assert!(unknown.text.contains("did you mean"), "{}", unknown.text);
    let _ = patch(&yard, "contracts/nobody", base, json!({ "set": { "price": "1" } })).await.is(404);
    let _ = patch(&yard, "prices/hudson", base, json!({ "set": { "price": "1" } })).await.is(404);
    let _ = patch(&yard, "contracts/hudson", base, json!({ "price": "1" })).await.is(400);
    let wrong = patch(&yard, "contracts/hudson", base, json!({ "set": { "price": "ten" } })).await.is(422);
    assert_eq!(wrong.json["problems"]["list"][0]["file"], "contracts.csv");
    // A dealer that a contract names cannot go.
    let _ = patch(&yard, "dealers/hudson", base, json!({ "remove": true })).await.is(422);
    let no_base = yard.desk(Method::PATCH, "/v1/rulebook/contracts/hudson", Some(json!({ "set": {} }))).await;
    let _ = no_base.is(400);
    assert_eq!(yard.version().await, base);
}

#[tokio::test(start_paused = true)]
async fn every_version_is_kept_and_can_be_put_in_force_again() {
    let yard = yard().await;
    let base = yard.version().await;
    yard.advance(Duration::from_secs(3_600)).await;
    let edited_at = yard.cloud.clock.now();
    let _ = patch(&yard, "contracts/hudson", base, json!({ "set": { "cap_day": "7" } })).await.is(200);
    yard.advance(Duration::from_secs(60)).await;
    let rolled_back_at = yard.cloud.clock.now();
    let back =
        yard.desk(Method::POST, "/v1/rulebook/rollback", Some(json!({ "version": base }))).await.is(200);
    assert_eq!(back.json["version"], base + 2);
    let _ = yard.desk(Method::POST, "/v1/rulebook/rollback", Some(json!({ "version": 99 }))).await.is(404);
    let versions = yard.desk(Method::GET, "/v1/rulebook/versions", None).await.is(200);
    let how: Vec<(&Value, &Value)> = versions.json["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| (&version["by"], &version["how"]))
        .collect();
    let by = json!("desk");
    let words = [format!("rollback to {base}"), "contracts/hudson".to_owned(), "whole".to_owned()];
    assert_eq!(
        how,
        words
            .iter()
            .map(|word| (&by, json!(word)))
            .collect::<Vec<_>>()
            .iter()
            .map(|(by, word)| (*by, word))
            .collect::<Vec<_>>()
    );
    let at = |nth: usize| {
        versions.json["versions"][nth]["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    assert!(
        at(0).duration_since(rolled_back_at) < jiff::SignedDuration::from_secs(1),
        "{} {rolled_back_at}",
        at(0)
    );
    assert!(at(1).duration_since(edited_at) < jiff::SignedDuration::from_secs(1), "{} {edited_at}", at(1));
    assert!(at(0) >= rolled_back_at && (edited_at..rolled_back_at).contains(&at(1)));
    let files = |version: u64| format!("/v1/rulebook?files=1&version={version}");
    let then = yard.desk(Method::GET, &files(base), None).await.is(200);
    let now = yard.desk(Method::GET, &files(base + 2), None).await.is(200);
    assert_eq!(then.json["files"], now.json["files"]);
}

#[tokio::test(start_paused = true)]
async fn the_waiting_room_is_counted_by_reason_and_what_no_contract_serves_by_area() {
    let rules = Rules::roofing("acme")
        .offer("pool", "pools", "")
        .seller("hudson", [("area", "state:FL"), ("cap_total", "1"), ("offers", "roof")]);
    let yard = Yard::of(rules).await;
    for number in 1..=3 {
        yard.settled_lead(&Person::number(number)).await;
    }
    yard.settled_lead(&Person::number(4).with("zip", "10001")).await;
    yard.settled_lead(&Person::number(5).with("offer", "pool")).await;
    yard.settled_lead(&Person::number(6).without("zip").without("phone")).await;
    let room = yard.desk(Method::GET, "/v1/waiting", None).await.is(200);
    assert_eq!(room.json["by_reason"], json!({ "cap": 2, "area": 1, "offer": 1, "unplaced": 1 }));
    assert_eq!((&room.json["examined"], &room.json["complete"]), (&json!(5), &json!(true)));
    assert_eq!(
        // Those who wait for a slot are served, and one whose place is unknown may be.
        room.json["unmet_demand"],
        json!([
            { "category": "pools", "state": "FL", "zip3": "331", "leads": 1, "reasons": { "offer": 1 } },
            { "category": "roofing", "state": "NY", "zip3": "100", "leads": 1, "reasons": { "area": 1 } },
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn a_dealer_is_told_why_it_got_nothing_today_and_nothing_of_anybody_else() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("tier", "1"), ("cap_day", "1")])
        .seller("ridge", [("tier", "2"), ("min_band", "A1")])
        .seller("crest", [("tier", "3")]);
    let yard = Yard::of(rules).await;
    for number in 1..=3 {
        yard.settled_lead(&Person::number(number)).await;
    }
    let why = |dealer: &'static str| yard.dealer(dealer, Method::GET, "/v1/why-nothing", None);
    let ridge = why("ridge").await.is(200);
    assert_eq!(ridge.json["contracts"], json!({ "ridge": { "band": 3 } }));
    assert_eq!(why("hudson").await.is(200).json["contracts"], json!({ "hudson": { "cap": 2, "chosen": 1 } }));
    assert_eq!(
        why("crest").await.is(200).json["contracts"],
        json!({ "crest": { "chosen": 2, "ranked lower": 1 } })
    );
    assert!(!ridge.text.contains("hudson") && !ridge.text.contains("Ann"));
    let quiet = yard.dealer("ridge", Method::GET, "/v1/why-nothing?date=2026-05-31", None).await.is(200);
    assert_eq!((&quiet.json["complete"], &quiet.json["contracts"]), (&json!(true), &json!({})));
    let desk = yard.desk(Method::GET, "/v1/why-nothing?dealer=ridge", None).await.is(200);
    assert_eq!(desk.json["contracts"], ridge.json["contracts"]);
    // How much the company decided is the desk's to know.
    assert_eq!((&desk.json["examined"], &desk.json["repeated"]), (&json!(3), &json!(3)));
    let mut members: Vec<&String> = ridge.json.as_object().unwrap().keys().collect();
    members.sort_unstable();
    assert_eq!(members, ["complete", "contracts", "date", "dealer"]);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_is_told_of_leads_elsewhere_and_what_was_recommended_is_not_called_chosen() {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .offer("pool", "pools", "")
        .seller("hudson", [("area", "state:FL"), ("offers", "roof gutter")])
        .seller("ridge", [("area", "state:NY"), ("offers", "roof")]);
    let yard = Yard::of(rules).await;
    let why = |dealer: &'static str| yard.dealer(dealer, Method::GET, "/v1/why-nothing", None);
    yard.settled_lead(&Person::number(1)).await;
    yard.settled_lead(&Person::number(2).with("zip", "10001")).await;
    let recommended = yard.settled_lead(&Person::number(3).with("offer", "gutter")).await;
    // Leads of a trade that is neither's are nobody's business.
    yard.settled_lead(&Person::number(4).with("offer", "pool")).await;
    let hudson = json!({ "hudson": { "chosen": 1, "area": 1, "recommended": 1 } });
    assert_eq!(why("hudson").await.is(200).json["contracts"], hudson);
    let ridge = json!({ "ridge": { "chosen": 1, "area": 1, "offer": 1 } });
    assert_eq!(why("ridge").await.is(200).json["contracts"], ridge);

    // Whom the desk gives it has it; whom the rules would have given it has not.
    let over = json!({ "contract": "ridge", "override": true, "reason": "agreed by phone" });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{recommended}/place"), Some(over)).await.is(200);
    let hudson = json!({ "hudson": { "chosen": 1, "area": 1, "recommended": 2 } });
    assert_eq!(why("hudson").await.is(200).json["contracts"], hudson);
    let ridge = json!({ "ridge": { "chosen": 1, "area": 1, "offer": 1, "placed": 1 } });
    assert_eq!(why("ridge").await.is(200).json["contracts"], ridge);

    // A pause speaks before the area, of leads that came while it lasted.
    yard.advance(MINUTE).await;
    let _ = yard.flip("pause", json!({ "dealer": "ridge", "on": true, "reason": "a strike" })).await;
    yard.advance(MINUTE).await;
    yard.settled_lead(&Person::number(5)).await;
    yard.advance(MINUTE).await;
    let _ = yard.flip("pause", json!({ "dealer": "ridge", "on": false })).await;
    yard.advance(MINUTE).await;
    yard.settled_lead(&Person::number(6)).await;
    let ridge = json!({ "ridge": { "chosen": 1, "area": 2, "offer": 1, "placed": 1, "inactive": 1 } });
    assert_eq!(why("ridge").await.is(200).json["contracts"], ridge);
}

#[tokio::test(start_paused = true)]
async fn a_recorded_decision_reads_as_a_sentence_with_what_would_have_changed_it() {
    let rules = Rules::roofing("acme")
        .dealer("hudson", [("name", "Hudson Roofing")])
        .contract("hudson", "hudson", [("territory", "protected"), ("area", "zip3:331"), ("cap_day", "10")])
        .dealer("gulf", [("name", "Gulf Roofing")])
        .contract("gulf", "gulf", [("territory", "protected"), ("area", "zip:33101"), ("min_band", "A1")]);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let story = yard.story(&lead).await;
    let id = story.0["decisions"][0]["id"].as_str().unwrap();
    let told = yard.desk(Method::GET, &format!("/v1/leads/{lead}/decisions/{id}"), None).await.is(200);
    assert_eq!(
        told.json["says"],
        json!([
            "Hudson Roofing: protected in 331xx; 0 of 10 today; 0 miles",
            "Gulf Roofing would have had it with band A1; it is band A2",
        ])
    );
}
