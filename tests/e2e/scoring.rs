//! What a lead does, and what it is worth.

use leadyard_tests::{Person, Rules, Yard};
use serde_json::{Value, json};

/// The offer needs A1: a complete form is A2, and a quote request makes it A1.
async fn yard() -> Yard {
    let rules =
        Rules::company("acme").offer("roof", "roofing", "band = \"A1\"").source("web", "offer = \"roof\"");
    Yard::of(rules.seller("hudson", [])).await
}

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-555-0100")
}

fn did(id: &str, kind: &str, who: (&str, &str)) -> Value {
    json!({ "id": id, "kind": kind, "at": "2026-06-01T15:00:00Z", who.0: who.1 })
}

#[tokio::test(start_paused = true)]
async fn a_lead_below_the_band_is_nurtured_and_goes_to_distribution_when_it_reaches_it_once() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.band(), story.decisions().len()), ("nurturing", "A2", 0));

    let _ = yard.server("web").reports(did("q1", "quote_request", ("lead", &lead))).await.is(202);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.band(), story.holders()), ("assigned", "A1", vec!["hudson"]));

    let _ = yard.server("web").reports(did("q2", "quote_request", ("lead", &lead))).await.is(202);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.decisions().len(), story.assignments().len(), yard.told("hudson").len()), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn below_the_band_the_next_step_is_recorded_and_no_decision() {
    let scoring = |pitch: &str, rest: &str| {
        Rules::roofing("acme").seller("hudson", []).scoring(&format!(
            "[bands.fit]\nA = 40\nB = 10\n[bands.engagement]\n1 = 40\n2 = 1\n[next_step]\npitch = [{pitch}]\n{rest}\n"
        ))
    };
    let (some, others) = ("'A1', 'A2', 'B1'", "'A3', 'B2', 'B3', 'C1', 'C2', 'C3'");
    for (rest, step) in [
        (format!("nurture = [{others}]"), "nurture"),
        (format!("nurture = []\ndiscard = [{others}]"), "discard"),
    ] {
        let yard = Yard::of(scoring(some, &rest)).await;
        let lead = yard.settled_lead(&ada()).await;
        let story = yard.story(&lead).await;
        assert_eq!((story.stage(), &story.0["next_step"]), ("nurturing", &json!(step)));
        assert!(story.decisions().is_empty() && yard.told("hudson").is_empty(), "{step}");
    }
    let yard = Yard::of(scoring(&format!("{some}, {others}"), "nurture = []")).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(
        (yard.story(&lead).await.0["next_step"].clone(), yard.told("hudson").len()),
        (json!("pitch"), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_prizes_lead_is_not_sold_before_its_second_interaction() {
    let rules = Rules::company("acme")
        .offer("prize", "roofing", "incentive = true")
        .source("web", "offer = \"prize\"")
        .seller("hudson", []);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&ada()).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.decisions().len()), ("nurturing", 0));
    let _ = yard.server("web").reports(did("v1", "page_view", ("lead", &lead))).await.is(202);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn interactions_name_a_lead_by_its_visitor_by_its_id_or_by_its_e_mail() {
    for who in ["visitor", "lead", "email", "phone"] {
        let yard = yard().await;
        // Who fills in a form has a visitor; its lead is what a server is told.
        let minted =
            yard.page("web").gets(&format!("/v1/interactions/{}/visitor", yard.page("web").key())).await;
        let visitor = minted.text_of("visitor").to_owned();
        let reply = yard.server("web").posts(&ada().with("visitor", &visitor)).await.is(201);
        yard.settle().await;
        let lead = reply.text_of("lead");
        let named = match who {
            "email" => "ADA.HILL@mail.example",
            "phone" => "(305) 555-0100",
            _ => reply.text_of(who),
        };
        let _ = yard.server("web").reports(json!([did("q1", "quote_request", (who, named))])).await.is(202);
        yard.settle().await;
        assert_eq!(yard.story(lead).await.stage(), "assigned", "by {who}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_names_only_its_own_visitor() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    for who in [
        ("lead", lead.as_str()),
        ("email", "ada.hill@mail.example"),
        ("phone", "305-555-0100"),
        ("visitor", "v_x.y"),
    ] {
        let reply = yard
            .page("web")
            .reports(did("q1", "quote_request", who))
            .await
            .is(400)
            .is_problem("invalid-field");
        assert_eq!(reply.json["errors"][0]["pointer"], "/0/visitor", "{}", reply.text);
    }
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.stage(), "nurturing");
}

#[tokio::test(start_paused = true)]
async fn what_a_visitor_did_before_the_enquiry_counts_after_it() {
    let yard = yard().await;
    let first = yard.page("web").posts(&Person::named("Bob", "Mann")).await.is(201);
    let visitor = first.text_of("visitor").to_owned();
    yard.settle().await;
    let reply = yard.server("web").posts(&ada().with("visitor", &visitor)).await.is(201);
    let _ = yard.page("web").reports(did("q1", "quote_request", ("visitor", &visitor))).await.is(202);
    yard.settle().await;
    let (ada, bob) = (
        yard.story(reply.text_of("lead")).await,
        yard.enquiry(first.text_of("enquiry")).await.unwrap().lead.unwrap().to_string(),
    );
    let asked =
        |story: &leadyard_tests::Story| story.list("interactions").any(|one| one["kind"] == "quote_request");
    assert!(asked(&ada) != asked(&yard.story(&bob).await), "it is one person's, and one's only");
}

#[tokio::test(start_paused = true)]
async fn order_and_repetition_change_nothing() {
    let interactions: Vec<(String, &str)> =
        (0..12).map(|n| (format!("i{n}"), if n % 3 == 0 { "quote_request" } else { "page_view" })).collect();
    let mut scores = Vec::new();
    for way in ["in order", "backwards", "twice", "one by one"] {
        let yard = yard().await;
        let lead = yard.settled_lead(&ada()).await;
        let mut sent: Vec<Value> =
            interactions.iter().map(|(id, kind)| did(id, kind, ("lead", &lead))).collect();
        match way {
            "backwards" => sent.reverse(),
            "twice" => sent.extend(sent.clone()),
            _ => {}
        }
        if way == "one by one" {
            for one in sent {
                let _ = yard.server("web").reports(one).await.is(202);
                yard.settle().await;
            }
        } else {
            let _ = yard.server("web").reports(json!(sent)).await.is(202);
            yard.settle().await;
        }
        let story = yard.story(&lead).await;
        scores.push((way, story.0["score"].clone(), story.0["interactions"].clone()));
    }
    for (way, score, interactions) in &scores[1..] {
        assert_eq!((score, interactions), (&scores[0].1, &scores[0].2), "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_explanation_sums_to_the_score() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    let sent = json!([did("q", "quote_request", ("lead", &lead)), did("p", "page_view", ("lead", &lead))]);
    let _ = yard.server("web").reports(sent).await.is(202);
    yard.settle().await;
    yard.advance(std::time::Duration::from_secs(5 * 24 * 3_600)).await; // what fades must still sum
    let story = yard.story(&lead).await;
    let lines = story.0["score"]["lines"].as_array().unwrap();
    let sum: i64 = lines.iter().filter_map(|line| line["hundredths"].as_i64()).sum();
    assert!(lines.len() >= 4, "{lines:?}");
    assert_eq!(sum, story.hundredths());
    assert_eq!(story.hundredths() / 100, story.0["score"]["total"].as_i64().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_poison_message_fails_alone() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    for queue in ["interactions", "distribution", "delivery", "spill"] {
        yard.aws.queues().send(queue, "{\"v\":1,\"m\":\"poison\"}", None, 0).unwrap();
    }
    let _ = yard.server("web").reports(did("q1", "quote_request", ("lead", &lead))).await.is(202);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.stage(), "assigned");
    yard.advance(std::time::Duration::from_secs(3_600)).await;
    // Three queues give up on theirs; the spill is patient.
    assert_eq!((yard.dead_letters().len(), yard.queued("spill").len()), (3, 1));
}
