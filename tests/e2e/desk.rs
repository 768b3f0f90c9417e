//! What dealers and the desk do, and what they may see.

use http::Method;
use leadyard_tests::{Person, Rules, Yard};
use serde_json::{Value, json};

async fn yard() -> Yard {
    Yard::of(
        Rules::roofing("acme")
            .inbox_dealer("hudson", [])
            .contract("hudson", "hudson", [])
            .seller("ridge", [("tier", "2")]),
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn a_dealer_with_an_inbox_reads_its_lead_there() {
    let yard = yard().await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let inbox = yard.inbox("hudson").await;
    assert_eq!(
        (inbox.len(), &inbox[0]["lead"], &inbox[0]["person"]["first_name"]),
        (1, &json!(lead), &json!("Ada"))
    );
    assert_eq!(yard.story(&lead).await.assignment("hudson")["delivery"], "received");
}

#[tokio::test(start_paused = true)]
async fn a_dealer_accepts_reaches_and_wins_and_the_cycle_closes() {
    let yard = yard().await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    for (act, state) in [("accept", "accepted"), ("contacted", "contacted"), ("won", "won")] {
        let body = (act == "won").then(|| json!({ "value": "1200.00" }));
        let reply = yard.answers_with("hudson", &lead, act, body).await.is(200);
        assert_eq!(reply.text_of("state"), state);
        // A second click changes nothing.
        let again = yard.answers("hudson", &lead, act).await.is(200);
        assert_eq!((again.text_of("state"), again.text_of("state_at")), (state, reply.text_of("state_at")));
    }
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), &story.assignment("hudson")["won_value"]), ("won", &json!("1200.00")));
    let _ = yard.answers("hudson", &lead, "decline").await.is(409).is_problem("state-conflict");
}

#[tokio::test(start_paused = true)]
async fn what_a_dealer_says_of_a_seat_of_the_cycle_before_is_its_own_story_and_nothing_to_the_new_cycle() {
    let rules = || {
        Rules::company("acme")
            .with("window_days = 2")
            .offer("roof", "roofing", "")
            .offer("gutters", "roofing", "")
            .source("web", "offer = \"roof\"")
            .source("feed", "offer = \"gutters\"")
            .inbox_dealer("hudson", [])
            .contract("hudson", "hudson", [("offers", "roof")])
            .seller("ridge", [("offers", "gutters")])
    };
    for (act, state) in [("accept", "accepted"), ("contacted", "contacted"), ("won", "won"), ("lost", "lost")]
    {
        let yard = Yard::of(rules()).await;
        let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
        yard.advance(std::time::Duration::from_secs(72 * 3_600)).await;
        // She asks anew while hudson still has what it bought.
        let _ = yard.server("feed").posts(&Person::named("Ada", "Hill")).await.is(201);
        yard.settle().await;
        assert_eq!((yard.story(&lead).await.cycle(), yard.story(&lead).await.holders()), (2, vec!["ridge"]));
        let before = yard.stored(&lead).await;

        let body = (act == "won").then(|| json!({ "value": "1200.00" }));
        let _ = yard.answers_with("hudson", &lead, act, body).await.is(200);
        yard.settle().await;
        let story = yard.story(&lead).await;
        let old = story.assignment("hudson");
        let value = if act == "won" { json!("1200.00") } else { Value::Null };
        assert_eq!((&old["state"], &old["won_value"]), (&json!(state), &value));
        assert_eq!(yard.stored(&lead).await, before, "{act}: the lead is as it was");
        assert_eq!((story.stage(), story.holders()), ("assigned", vec!["ridge"]), "{act}");
        assert_eq!((&story.assignment("ridge")["state"], yard.told("ridge").len()), (&json!("offered"), 1));
        for dealer in ["hudson", "ridge"] {
            let path = format!("/v1/dealers/{dealer}/statement?month=2026-06");
            let june = yard.desk(Method::GET, &path, None).await.is(200).json;
            assert_eq!((&june["charged"], &june["owed"]), (&json!(1), &json!("10.00")), "{act}: {dealer}");
        }
        // The new cycle ends by its own holder's word.
        let _ = yard.answers("ridge", &lead, "won").await.is(200);
        assert_eq!(yard.story(&lead).await.stage(), "won", "{act}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_won_value_is_put_right_and_both_values_stand_in_the_history() {
    let yard = yard().await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let won = |value: &str| Some(json!({ "value": value }));
    let first = yard.answers("hudson", &lead, "won").await.is(200);
    assert_eq!(first.json["won_value"], Value::Null);
    for (value, after) in [("900.00", "900.00"), ("1200.00", "1200.00"), ("1200", "1200.00")] {
        let reply = yard.answers_with("hudson", &lead, "won", won(value)).await.is(200);
        assert_eq!(
            (reply.text_of("won_value"), &reply.json["state_at"]),
            (after, &first.json["state_at"]),
            "won when it was won"
        );
    }
    // Who says no value says nothing against the one there is.
    let _ = yard.answers("hudson", &lead, "won").await.is(200);
    let _ = yard.answers_with("hudson", &lead, "won", won("-5")).await.is(400).is_problem("invalid-field");
    let story = yard.story(&lead).await;
    let told: Vec<_> = story
        .list("history")
        .map(|act| (&act["act"], &act["by"], &act["before"]["won_value"], &act["after"]["won_value"]))
        .collect();
    let (act, by) = (&json!("won_value"), &json!("dealer:hudson"));
    let (none, low, high) = (&Value::Null, &json!("900.00"), &json!("1200.00"));
    let mut expected = vec![(act, by, none, low), (act, by, low, high)];
    if told.first() != expected.first() {
        expected.reverse(); // the newest may stand first
    }
    assert_eq!(told, expected);
    assert_eq!(story.assignment("hudson")["won_value"], "1200.00");
}

#[tokio::test(start_paused = true)]
async fn a_lost_lead_is_closed_and_not_sold_again() {
    let yard = yard().await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let _ = yard.answers("hudson", &lead, "lost").await.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.assignments()), ("lost", vec![("hudson", "lost")]));
}

#[tokio::test(start_paused = true)]
async fn what_is_declined_goes_to_the_next_and_out_of_sight() {
    let yard = yard().await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    let _ = yard.answers("hudson", &lead, "decline").await.is(200); // a second click
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "declined"), ("ridge", "offered")]);
    assert!(yard.inbox("hudson").await.is_empty());
    let shut = yard.dealer("hudson", Method::GET, "/v1/inbox?state=shut", None).await.is(200);
    assert_eq!(shut.json["assignments"].as_array().unwrap().len(), 1);
    assert!(!shut.text.contains("Ada"), "what it gave back it may not see");
}

#[tokio::test(start_paused = true)]
async fn a_dealer_sees_and_answers_only_its_own() {
    let yard = yard().await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    assert!(yard.inbox("ridge").await.is_empty());
    let assignment = yard.story(&lead).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
    let path = format!("/v1/inbox/{assignment}/accept");
    let _ = yard.dealer("ridge", Method::POST, &path, None).await.is(404).is_problem("not-found");
    let _ = yard.dealer("ridge", Method::GET, &format!("/v1/leads/{lead}"), None).await.is(401);
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "offered")]);
}

#[tokio::test(start_paused = true)]
async fn companies_are_walled_off_from_each_other() {
    let acme = yard().await;
    let blue = acme.also(Rules::roofing("blue").seller("hudson", [])).await;
    let ada = Person::named("Ada", "Hill");
    let of_acme = acme.settled_lead(&ada).await;
    // The same person with two companies is two leads: neither knows of the other.
    let of_blue = blue.settled_lead(&ada).await;
    assert_ne!(of_acme, of_blue);
    let _ =
        blue.desk(Method::GET, &format!("/v1/leads/{of_acme}"), None).await.is(404).is_problem("not-found");
    let _ =
        acme.desk(Method::GET, &format!("/v1/leads/{of_blue}"), None).await.is(404).is_problem("not-found");
    // Dealers of one name are two.
    assert_eq!((acme.inbox("hudson").await.len(), blue.inbox("hudson").await.len()), (1, 1));
    let assignment =
        acme.story(&of_acme).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
    let _ =
        blue.dealer("hudson", Method::POST, &format!("/v1/inbox/{assignment}/accept"), None).await.is(404);
    // Nor may one publish, flip or report for the other.
    let files = Rules::roofing("acme").seller("mine", []).files();
    let _ = blue.desk(Method::PUT, "/v1/rulebook", Some(json!({ "files": files }))).await.is(404);
    let _ =
        blue.desk(Method::POST, "/v1/switches/stop?company=acme", Some(json!({ "on": true }))).await.is(404);
    let report = json!({ "id": "x", "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": of_acme });
    let before = acme.story(&of_acme).await.0["interactions"].clone();
    let _ = blue.server("web").reports(report).await;
    blue.settle().await;
    assert_eq!(acme.story(&of_acme).await.0["interactions"], before);
}

#[tokio::test(start_paused = true)]
async fn the_desk_is_told_where_a_lead_would_go_and_why_it_went_where_it_did() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("tier", "1"), ("cap_total", "1")])
        .seller("ridge", [("tier", "2"), ("min_band", "A1")])
        .seller("crest", [("tier", "3"), ("area", "zip:33101")]);
    let yard = Yard::of(rules).await;
    yard.settled_lead(&Person::number(1)).await;
    let second = yard.lead(&Person::number(2)).await;
    let path = format!("/v1/leads/{second}/recommendation");
    let told = yard.desk(Method::GET, &path, None).await.is(200).json;
    assert_eq!((&told["assign"], &told["seats"][0]["dealer"]), (&json!(true), &json!("crest")));
    let of = |dealer: &str| {
        let candidates = told["candidates"].as_array().unwrap();
        candidates.iter().find(|candidate| candidate["dealer"] == dealer).cloned().unwrap()
    };
    assert_eq!(of("crest")["is"], "chosen");
    assert_eq!((&of("hudson")["failed"], &of("hudson")["found"]), (&json!("cap"), &json!("1")));
    assert_eq!((&of("ridge")["failed"], &of("ridge")["needed"]), (&json!("band"), &json!("band A1")));
    assert_eq!(yard.story(&second).await.stage(), "received", "looking changes nothing");
    assert_eq!(yard.taken("crest", 4).await, 0);

    // It goes there; the record says the same of everybody, though the rules have changed since.
    yard.settle().await;
    let _ = yard.publish(&Rules::roofing("acme").seller("ridge", [])).await.is(200);
    let story = yard.story(&second).await;
    assert_eq!(story.holders(), ["crest"]);
    let decision = story.list("decisions").next().unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/leads/{second}/decisions/{decision}");
    let mut again = yard.desk(Method::GET, &path, None).await.is(200).json;
    let record = again.as_object_mut().unwrap();
    assert_eq!(
        (record.remove("as_recorded"), record.remove("placed")),
        (Some(json!(true)), Some(json!(null)))
    );
    assert!(record.remove("digest").is_some_and(|digest| digest.as_str().is_some_and(|hex| hex.len() == 32)));
    assert_eq!(again, told);

    // Another company's desk is told nothing, and a closed lead goes nowhere.
    let other = yard.also(Rules::roofing("bolt").seller("grove", [])).await;
    let _ = other.desk(Method::GET, &path, None).await.is(404);
    let recommendation = format!("/v1/leads/{second}/recommendation");
    let _ = other.desk(Method::GET, &recommendation, None).await.is(404);
    let _ = yard.answers("crest", &second, "lost").await.is(200);
    let _ = yard.desk(Method::GET, &recommendation, None).await.is(409).is_problem("state-conflict");
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_is_still_on_its_way_shows_nobody_in_the_inbox() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.dealer_says("hudson", leadyard_tests::Says::IsShut);
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let inbox = yard.inbox("hudson").await;
    assert_eq!((inbox.len(), &inbox[0]["person"]), (1, &json!(null)));
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    assert_eq!(yard.inbox("hudson").await[0]["person"]["first_name"], "Ada");
}
