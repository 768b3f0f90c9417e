//! What the desk does to leads by hand.

mod each;
mod placing;

use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Says, Yard};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

async fn acts(yard: &Yard, lead: &str, act: &str, body: Value) -> Reply {
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await
}

/// The rules that a refusal names, in their order.
fn failed(refused: &Reply) -> Vec<String> {
    rules_under(&refused.json, "failed", "also_failed")
}

/// The rules that a placing passed over, in their order, as it says what came of it.
fn passed_over(after: &Value) -> Vec<String> {
    rules_under(after, "override", "also_over")
}

/// The first stands under one name, all others under the other.
fn rules_under(told: &Value, first: &str, others: &str) -> Vec<String> {
    let others = told[others].as_array().into_iter().flatten();
    let all = std::iter::once(&told[first]).chain(others);
    all.filter_map(|miss| Some(miss["rule"].as_str()?.to_owned())).collect()
}

/// Hudson may have one lead, ridge wants the best only; both in all of Florida.
fn picky() -> Rules {
    Rules::roofing("acme")
        .seller("hudson", [("cap_total", "1"), ("area", "state:FL")])
        .seller("ridge", [("min_band", "A1"), ("area", "state:FL")])
}

#[tokio::test(start_paused = true)]
async fn the_desk_places_what_nobody_took_and_an_override_is_recorded_and_counts() {
    let yard = Yard::of(picky()).await;
    yard.settled_lead(&Person::number(1)).await;
    let lead = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "cap");
    // Over a cap only by an explicit word, with a reason.
    let refused = acts(&yard, &lead, "place", json!({ "contract": "hudson" })).await.is(409);
    assert_eq!(
        (&refused.json["failed"]["rule"], &refused.json["failed"]["found"]),
        (&json!("cap"), &json!("1"))
    );
    let _ = acts(&yard, &lead, "place", json!({ "contract": "hudson", "override": true })).await.is(400);
    let over = json!({ "contract": "hudson", "override": true, "reason": "agreed by phone" });
    let dry = json!({ "contract": "hudson", "override": true, "reason": "agreed by phone", "dry_run": true });
    let _ = acts(&yard, &lead, "place", dry).await.is(200);
    assert_eq!(yard.story(&lead).await.stage(), "waiting");
    let _ = acts(&yard, &lead, "place", over).await.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), yard.taken("hudson", 4).await), (vec!["hudson"], 2));
    assert_eq!(yard.told("hudson").len(), 2);
    let act = &story.0["history"][0];
    assert_eq!(
        (&act["act"], &act["by"], &act["reason"]),
        (&json!("place"), &json!("desk"), &json!("agreed by phone"))
    );
    assert_eq!(
        (&act["before"]["waiting"], &act["after"]["override"]["rule"]),
        (&json!("cap"), &json!("cap"))
    );
    let _ = acts(&yard, &lead, "place", json!({ "contract": "ridge" })).await.is(409);
    let _ = acts(&yard, &lead, "place", json!({ "contract": "nobody" })).await.is(409);
}

#[tokio::test(start_paused = true)]
async fn a_lead_of_nowhere_is_placed_by_hand() {
    let yard = Yard::of(picky()).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill").without("zip")).await;
    assert_eq!(yard.story(&lead).await.waiting(), "unplaced");
    let _ =
        acts(&yard, &lead, "place", json!({ "contract": "nobody" })).await.is(404).is_problem("not-found");
    let refused = acts(&yard, &lead, "place", json!({ "contract": "hudson" })).await.is(409);
    assert_eq!(refused.json["failed"]["rule"], "area");
    let over = json!({ "contract": "hudson", "override": true, "reason": "she lives in Miami" });
    let _ = acts(&yard, &lead, "place", over).await.is(200);
    yard.settle().await;
    assert_eq!((yard.story(&lead).await.holders(), yard.told("hudson").len()), (vec!["hudson"], 1));
}

#[tokio::test(start_paused = true)]
async fn an_override_of_one_rule_lifts_no_other_in_silence() {
    let wants = [("min_band", "A1"), ("needs", "consent"), ("cap_total", "1")];
    let yard = Yard::of(Rules::roofing("acme").seller("ridge", wants)).await;
    let over = json!({ "contract": "ridge", "override": true, "reason": "agreed" });
    for (number, rules) in [(1, &["band", "needs"][..]), (2, &["band", "needs", "cap"][..])] {
        let lead = yard.settled_lead(&Person::number(number)).await;
        let refused = acts(&yard, &lead, "place", json!({ "contract": "ridge" })).await.is(409);
        assert_eq!(failed(&refused), rules);
        // Whoever names no rule passes all of them over, and is told which.
        let placed = acts(&yard, &lead, "place", over.clone()).await.is(200);
        assert_eq!(passed_over(&placed.json["after"]), rules);
        assert_eq!(yard.story(&lead).await.list("history").next().unwrap()["after"], placed.json["after"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_territory_that_does_not_take_the_lead_is_no_way_around_one_that_does() {
    let county = [
        ("territory", "protected"),
        ("area", "county:12086"),
        ("cap_total", "1"),
        ("when_unavailable", "wait"),
    ];
    let rules = Rules::roofing("acme")
        .seller("county", county)
        .seller("zip", [("territory", "first"), ("area", "zip:33101"), ("min_band", "A1")]);
    let yard = Yard::of(rules).await;
    yard.settled_lead(&Person::number(1)).await;
    let lead = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "cap");
    let over = json!({ "contract": "zip", "override": true, "reason": "I want to" });
    let refused = acts(&yard, &lead, "place", over).await.is(409);
    assert_eq!(refused.json["failed"]["rule"], "territory");
}

#[tokio::test(start_paused = true)]
async fn a_territory_binds_the_desk_too() {
    let rules = Rules::roofing("acme")
        .dealer("hudson", [("hours", "Mo-Fr 08:00-10:00")])
        .contract(
            "hudson",
            "hudson",
            [("territory", "protected"), ("when_unavailable", "wait"), ("area", "zip:33101")],
        )
        .seller("ridge", []);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "hours");
    let over = json!({ "contract": "ridge", "override": true, "reason": "I want to" });
    let refused = acts(&yard, &lead, "place", over).await.is(409);
    assert_eq!(
        (&refused.json["failed"]["rule"], &refused.json["failed"]["found"]),
        (&json!("territory"), &json!("protected hudson"))
    );
    // Hudson itself, which is shut, may have it now if the desk says so.
    let over = json!({ "contract": "hudson", "override": true, "reason": "they are there" });
    let _ = acts(&yard, &lead, "place", over).await.is(200);
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_recommendation_stands_until_the_desk_places_it() {
    let rules = Rules::company("acme")
        .offer("roof", "roofing", "mode = \"manual\"")
        .source("web", "offer = \"roof\"")
        .seller("hudson", [("tier", "1")])
        .seller("ridge", [("tier", "2")]);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "manual");
    let would = yard.desk(Method::GET, &format!("/v1/leads/{lead}/recommendation"), None).await.is(200);
    assert_eq!(would.json["seats"][0]["contract"], "hudson");
    let _ = acts(&yard, &lead, "place", json!({ "contract": "ridge" })).await.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.holders(), ["ridge"]);
    let act = &story.0["history"][0];
    assert_eq!(
        (&act["before"]["recommended"], &act["after"]["as_recommended"]),
        (&json!(["hudson"]), &json!(false))
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_desk_takes_back_is_withdrawn_before_it_moves_and_credited() {
    let yard =
        Yard::of(Rules::roofing("acme").seller("hudson", [("tier", "1")]).seller("ridge", [("tier", "2")]))
            .await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = acts(&yard, &lead, "take_back", json!({ "reason": "the wrong one" })).await.is(200);
    // From now on it is hudson's no more, though it has not been told yet.
    let _ = yard.answers("hudson", &lead, "accept").await.is(409);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
    assert_eq!(yard.taken("hudson", 4).await, 0, "the slot is back");
    let told = yard.told("hudson");
    assert!(told[1].event == "lead.withdrawn" && told[1].body["data"]["reason"] == "taken_back");
    assert!(told[1].timestamp <= yard.told("ridge")[0].timestamp, "withdrawn first");
    let path = "/v1/dealers/hudson/statement?month=2026-06";
    assert_eq!(yard.desk(Method::GET, path, None).await.is(200).json["owed"], "0.00");
    assert_eq!(story.0["history"][0]["act"], "take_back");
    // Kept afterwards, if the desk says so.
    let kept = yard.settled_lead(&Person::number(2)).await;
    let _ = acts(&yard, &kept, "take_back", json!({ "hold": true })).await.is(200);
    yard.settle().await;
    let story = yard.story(&kept).await;
    assert_eq!((story.stage(), story.waiting()), ("waiting", "held"));
}

#[tokio::test(start_paused = true)]
async fn an_accepted_lead_is_taken_back_though_its_dealers_channel_is_down_and_not_while_it_is_being_sent() {
    let terms = [("tier", "1"), ("deadline_minutes", "30"), ("deadline_clock", "wall")];
    let rules = Rules::roofing("acme").seller("hudson", terms).seller("ridge", [("tier", "2")]);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.dealer_says("hudson", Says::IsShut);
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    // The whole lead is on its way, and would arrive after its withdrawal.
    let _ = acts(&yard, &lead, "take_back", json!({})).await.is(503);
    yard.settle().await;
    // It did not arrive, and waits to be tried again: for a day, for it was paid for.
    let _ = acts(&yard, &lead, "take_back", json!({})).await.is(200);
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE * 60).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
    let told = yard.told("hudson");
    let events: Vec<&str> = told.iter().map(|told| told.event.as_str()).collect();
    assert_eq!(events, ["lead.assigned", "lead.withdrawn"], "what waited is not sent any more");
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_cannot_be_told_is_told_for_a_day_and_the_lead_moves_all_the_same() {
    let yard =
        Yard::of(Rules::roofing("acme").seller("hudson", [("tier", "1")]).seller("ridge", [("tier", "2")]))
            .await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.dealer_says("hudson", Says::IsShut);
    let _ = acts(&yard, &lead, "take_back", json!({})).await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE * 30).await;
    assert_eq!(yard.told("hudson").last().unwrap().event, "lead.withdrawn");
}

#[tokio::test(start_paused = true)]
async fn a_lead_is_held_and_resumed() {
    let rules = Rules::roofing("acme").seller("hudson", [("cap_day", "1")]);
    let yard = Yard::of(rules).await;
    let first = yard.settled_lead(&Person::number(1)).await;
    let lead = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "cap");
    let _ = acts(&yard, &first, "hold", json!({})).await.is(409); // somebody has it
    let _ = acts(&yard, &lead, "hold", json!({ "until": "2020-01-01T00:00:00Z" })).await.is(400);
    let _ = acts(&yard, &lead, "hold", json!({ "reason": "she asked us to wait" })).await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.waiting(), "held");
    // A new day: it stays where it is.
    yard.advance(MINUTE * 60 * 24).await;
    assert_eq!(yard.story(&lead).await.waiting(), "held");
    let _ = acts(&yard, &lead, "resume", json!({})).await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    let _ = acts(&yard, &lead, "resume", json!({})).await.is(409);
    let story = yard.story(&lead).await;
    let acts: Vec<&Value> = story.list("history").map(|act| &act["act"]).collect();
    assert_eq!(acts, ["hold", "resume"]);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_lead_goes_to_nobody_until_it_is_reopened() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "1")])).await;
    let first = yard.settled_lead(&Person::number(1)).await;
    let lead = yard.settled_lead(&Person::number(2)).await;
    let _ = acts(&yard, &first, "reject", json!({ "reason": "a prank" })).await.is(409); // somebody has it
    let _ = acts(&yard, &lead, "reject", json!({})).await.is(400); // for no reason
    let _ = acts(&yard, &lead, "reject", json!({ "reason": "a prank" })).await.is(200);
    let _ = acts(&yard, &lead, "reject", json!({ "reason": "a prank" })).await.is(409);
    // A new day, and asking again: the cycle is closed.
    yard.advance(MINUTE * 60 * 24).await;
    let _ = yard.server("web").posts(&Person::number(2)).await.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.holders().len(), &story.0["cycle"]), ("rejected", 0, &json!(1)));
    assert_eq!(yard.told("hudson").len(), 1);
    let _ = acts(&yard, &lead, "reopen", json!({ "reason": "it was her son" })).await.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), &story.0["closed_at"]), (vec!["hudson"], &Value::Null));
    let _ = acts(&yard, &lead, "reopen", json!({})).await.is(409);
    let acts: Vec<(&Value, &Value)> =
        story.list("history").map(|act| (&act["act"], &act["reason"])).collect();
    assert_eq!(acts, [(&json!("reject"), &json!("a prank")), (&json!("reopen"), &json!("it was her son"))]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_ends_when_its_time_is_over() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let _ = yard.flip("stop", json!({ "on": true })).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = acts(&yard, &lead, "hold", json!({ "until": "2026-06-01T18:00:00Z" })).await.is(200);
    yard.settle().await;
    let _ = yard.flip("stop", json!({ "on": false })).await;
    yard.advance(MINUTE * 60).await;
    assert_eq!(yard.story(&lead).await.waiting(), "held");
    yard.advance(MINUTE * 62).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn priority_and_notes_stand_in_the_history() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let before = yard.story(&lead).await.0["priority"].clone();
    let _ = acts(&yard, &lead, "priority", json!({ "priority": "urgent" })).await.is(200);
    let _ = acts(&yard, &lead, "priority", json!({ "priority": "at once" })).await.is(400);
    assert_eq!(yard.story(&lead).await.0["priority"], "urgent");
    let _ = acts(&yard, &lead, "priority", json!({})).await.is(200);
    assert_eq!(yard.story(&lead).await.0["priority"], before);
    // What is done at one moment stands in no order.
    yard.advance(Duration::from_secs(1)).await;
    let _ = acts(&yard, &lead, "note", json!({ "text": " calls back on Friday " })).await.is(200);
    let _ = acts(&yard, &lead, "note", json!({ "text": " " })).await.is(400);
    let _ = acts(&yard, &lead, "sell", json!({})).await.is(404);
    let story = yard.story(&lead).await;
    assert_eq!(story.list("history").last().unwrap()["reason"], "calls back on Friday");
}

#[tokio::test(start_paused = true)]
async fn many_leads_are_placed_at_once_after_a_dry_run() {
    let yard = Yard::of(picky()).await;
    let mut leads = Vec::new();
    for number in 1..=4 {
        leads.push(yard.settled_lead(&Person::number(number)).await);
    }
    let mut body = json!({
        "leads": leads, "contract": "ridge", "override": true, "reason": "a good month", "dry_run": true,
    });
    let dry = yard.desk(Method::POST, "/v1/leads/place", Some(body.clone())).await.is(200);
    let done = |reply: &Reply| -> Vec<bool> {
        reply.json["results"].as_array().unwrap().iter().map(|result| result["done"] == true).collect()
    };
    assert_eq!(done(&dry), [false; 4]);
    assert_eq!(dry.json["results"][0]["problem"]["status"], 409, "hudson has the first");
    assert_eq!(dry.json["results"][1]["after"]["contract"], "ridge");
    body["dry_run"] = json!(false);
    let placed = yard.desk(Method::POST, "/v1/leads/place", Some(body)).await.is(200);
    assert_eq!(done(&placed), [false, true, true, true]);
    yard.settle().await;
    assert_eq!((yard.taken("ridge", 4).await, yard.told("ridge").len()), (3, 3));
    let _ = yard.desk(Method::POST, "/v1/leads/place", Some(json!({ "leads": [] }))).await.is(400);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_on_many_promises_no_more_than_the_caps_leave() {
    // A cap of the contract, one of the dealer, a budget, what was paid in advance: room for one lead each.
    let rules = Rules::roofing("acme")
        .dealer("hudson", [])
        .contract("hudson", "hudson", [("cap_total", "1"), ("area", "state:NY")])
        .dealer("ridge", [("cap_day", "1")])
        .contract("ridge", "ridge", [("area", "state:NY")])
        .contract("ridge-too", "ridge", [("area", "state:NY")])
        .dealer("crest", [])
        .contract("crest", "crest", [("budget_month", "15.00"), ("area", "state:NY")])
        .dealer("grove", [("prepaid", "yes")])
        .contract("grove", "grove", [("area", "state:NY")]);
    let yard = Yard::of(rules).await;
    let paid = json!({ "amount": "15.00", "reference": "wire-1" });
    let _ = yard.desk(Method::POST, "/v1/dealers/grove/deposits", Some(paid)).await.is(200);
    let _ = yard.flip("stop", json!({ "on": true })).await;
    let mut leads = Vec::new();
    for number in 1..=4 {
        leads.push(yard.settled_lead(&Person::number(number).with("zip", "10001")).await);
    }
    leads.push(leads[0].clone());
    let many = async |contract: &str, dry_run: bool| {
        let body = json!({ "leads": leads, "contract": contract, "dry_run": dry_run });
        let reply = yard.desk(Method::POST, "/v1/leads/place", Some(body)).await.is(200);
        let told = reply.json["results"].as_array().unwrap().iter().map(|result| {
            let failed = &result["problem"]["failed"]["rule"];
            (result["after"]["contract"] == contract, failed.as_str().unwrap_or_default().to_owned())
        });
        told.collect::<Vec<_>>()
    };
    let expected = |words: [(bool, &str); 5]| words.map(|(placed, rule)| (placed, rule.to_owned())).to_vec();
    let one = expected([(true, ""), (false, "cap"), (false, "cap"), (false, "cap"), (false, "")]);
    for contract in ["hudson", "ridge", "crest", "grove", "hudson"] {
        assert_eq!(many(contract, true).await, one, "{contract}");
    }
    assert_eq!(yard.taken("hudson", 4).await, 0, "nothing was counted");
    // What is done is what was said.
    assert_eq!(many("hudson", false).await, one);
    assert_eq!(yard.taken("hudson", 4).await, 1);
    let none = expected([(false, ""), (false, "cap"), (false, "cap"), (false, "cap"), (false, "")]);
    assert_eq!(many("hudson", true).await, none);
    // An override counts, and is said to be one from the second lead on.
    let over = json!({
        "leads": leads[1..4], "contract": "ridge", "override": true, "reason": "a good month", "dry_run": true,
    });
    let over = yard.desk(Method::POST, "/v1/leads/place", Some(over)).await.is(200);
    let rules: Vec<&Value> =
        (0..3).map(|at| &over.json["results"][at]["after"]["override"]["rule"]).collect();
    assert_eq!(rules, [&json!(null), &json!("cap"), &json!("cap")]);
}

#[tokio::test(start_paused = true)]
async fn in_shadow_everything_is_decided_and_recorded_and_nothing_delivered() {
    let yard =
        Yard::of(Rules::roofing("acme").seller("hudson", [("tier", "1")]).seller("ridge", [("tier", "2")]))
            .await;
    let _ = yard.flip("shadow", json!({ "on": true })).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let story = yard.story(&lead).await;
    assert_eq!(
        (story.stage(), story.waiting(), story.decisions()),
        ("waiting", "shadow", vec!["waiting:shadow"])
    );
    assert_eq!(story.0["decisions"][0]["contracts"], json!(["hudson"]));
    // The desk says what it did elsewhere: it counts, and is compared.
    let _ = acts(&yard, &lead, "place", json!({ "contract": "ridge" })).await.is(200);
    yard.advance(MINUTE).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.assignments(), yard.taken("ridge", 4).await), (vec![("ridge", "accepted")], 1));
    assert_eq!(story.0["history"][0]["after"]["as_recommended"], false);
    // Asking again tells the dealer nothing, and its inbox knows nothing.
    let _ = yard.page("web").posts(&Person::number(1)).await.is(201);
    yard.settle().await;
    assert!(yard.told("hudson").is_empty() && yard.told("ridge").is_empty());
    assert!(yard.inbox("ridge").await.is_empty());
    let path = "/v1/dealers/ridge/statement?month=2026-06";
    assert_eq!(yard.desk(Method::GET, path, None).await.is(200).json["lines"], json!([]));
    // One as recommended, one not at all: that is the comparison.
    let as_recommended = yard.settled_lead(&Person::number(3)).await;
    let _ = acts(&yard, &as_recommended, "place", json!({ "contract": "hudson" })).await.is(200);
    let second = yard.settled_lead(&Person::number(2)).await;
    let compared = yard.desk(Method::GET, "/v1/shadow?month=2026-06", None).await.is(200);
    let counts =
        ["leads", "as_recommended", "otherwise", "not_placed"].map(|name| compared.json[name].as_u64());
    assert_eq!(counts, [Some(3), Some(1), Some(1), Some(1)]);
    let difference = &compared.json["differences"][0];
    assert_eq!((&difference["recommended"], &difference["placed"]), (&json!(["hudson"]), &json!("ridge")));
    // Out of the shadow, who waits is sold.
    let _ = yard.flip("shadow", json!({ "on": false })).await;
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&second).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn the_comparison_shows_where_the_rules_found_nobody_and_what_is_placed_by_hand() {
    // Hudson may have one lead of a roof; gutters are placed by hand, and hudson takes none.
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .seller("hudson", [("tier", "1"), ("cap_total", "1"), ("offers", "roof")])
        .seller("ridge", [("tier", "2"), ("offers", "gutter")])
        .seller("crest", [("tier", "3"), ("min_band", "A1"), ("offers", "gutter")]);
    let yard = Yard::of(rules).await;
    let compared = async || yard.desk(Method::GET, "/v1/shadow?month=2026-06", None).await.is(200).json;
    let counts = |compared: &Value| {
        ["leads", "as_recommended", "otherwise", "not_placed", "nobody"]
            .map(|name| compared[name].as_u64().unwrap())
    };
    // What goes by itself is no comparison; what waits for a slot outside shadow mode is none yet.
    yard.settled_lead(&Person::number(1)).await;
    let waits = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(counts(&compared().await), [0, 0, 0, 0, 0]);
    let over = json!({ "contract": "hudson", "override": true, "reason": "agreed" });
    let _ = acts(&yard, &waits, "place", over.clone()).await.is(200);
    let told = compared().await;
    assert_eq!(counts(&told), [1, 0, 1, 0, 0]);
    let full = json!({ "lead": waits, "recommended": [], "waiting": "cap", "placed": "hudson" });
    assert_eq!(told["differences"], json!([full]));

    // Placed by hand: as recommended, otherwise, not yet.
    let gutter = |number: usize| Person::number(number).with("offer", "gutter");
    let mut gutters = Vec::new();
    for number in 3..=5 {
        gutters.push(yard.settled_lead(&gutter(number)).await);
    }
    assert_eq!(counts(&compared().await), [4, 0, 1, 3, 0]);
    let _ = acts(&yard, &gutters[0], "place", json!({ "contract": "ridge" })).await.is(200);
    let band = json!({ "contract": "crest", "override": true, "reason": "agreed" });
    let _ = acts(&yard, &gutters[1], "place", band).await.is(200);
    let told = compared().await;
    assert_eq!(counts(&told), [4, 1, 2, 1, 0]);
    let by_hand =
        json!({ "lead": gutters[1], "recommended": ["ridge"], "waiting": "manual", "placed": "crest" });
    assert!(told["differences"].as_array().unwrap().contains(&by_hand), "{told}");

    // In shadow mode, nobody found is an answer too: the desk found nobody either, or somebody.
    let _ = yard.flip("shadow", json!({ "on": true })).await;
    yard.settled_lead(&Person::number(6)).await;
    let found = yard.settled_lead(&Person::number(7)).await;
    assert_eq!(counts(&compared().await), [6, 1, 2, 1, 2]);
    let _ = acts(&yard, &found, "place", over).await.is(200);
    let told = compared().await;
    assert_eq!(counts(&told), [6, 1, 3, 1, 1]);
    let of_shadow = json!({ "lead": found, "recommended": [], "waiting": "cap", "placed": "hudson" });
    assert!(told["differences"].as_array().unwrap().contains(&of_shadow), "{told}");
}

#[tokio::test(start_paused = true)]
async fn the_desk_of_another_company_cannot_act() {
    let acme = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let blue = acme.also(Rules::roofing("blue").seller("hudson", [])).await;
    let lead = acme.settled_lead(&Person::number(1)).await;
    for act in ["place", "take_back", "hold", "resume", "reject", "reopen", "merge", "priority", "note"] {
        let body = json!({ "contract": "hudson", "text": "x", "reason": "x", "into": lead });
        let _ = acts(&blue, &lead, act, body).await.is(404).is_problem("not-found");
    }
    let _ = blue
        .desk(
            Method::POST,
            "/v1/dealers/hudson/deposits?company=acme",
            Some(json!({ "amount": "1", "reference": "x" })),
        )
        .await
        .is(404);
    let _ = blue
        .desk(
            Method::POST,
            "/v1/dealers/hudson/deposits/x/reverse?company=acme",
            Some(json!({ "reason": "x" })),
        )
        .await
        .is(404);
    let _ = blue.desk(Method::GET, "/v1/dealers/hudson/statement?company=acme", None).await.is(404);
    let _ = blue.desk(Method::GET, "/v1/returns?company=acme", None).await.is(404);
    assert_eq!(acme.story(&lead).await.holders(), ["hudson"]);
}
