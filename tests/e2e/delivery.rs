//! How a lead gets to its dealer, and what follows when it does not.

use std::time::Duration;

use http::Method;
use leadyard::{poller, system};
use leadyard_tests::{Person, Rules, Says, Told, Yard};
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);

fn ada() -> Person {
    Person::named("Ada", "Hill")
}

/// Hudson first, then Ridge.
async fn yard() -> Yard {
    Yard::of(
        Rules::roofing("acme")
            .seller("hudson", [("tier", "1"), ("cap_total", "1")])
            .seller("ridge", [("tier", "2")]),
    )
    .await
}

fn events(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.event.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_webhook_id_stays_the_same_over_all_attempts_and_a_2xx_settles() {
    let yard = yard().await;
    yard.dealer_says("hudson", Says::Status(429));
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(yard.story(&lead).await.assignment("hudson")["settled_at"], serde_json::Value::Null);
    yard.advance(Duration::from_secs(5)).await;
    yard.dealer_says("hudson", Says::Status(204));
    yard.advance(MINUTE).await;

    let told = yard.told("hudson");
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|one| one.signed && one.id == told[0].id && one.body == told[0].body));
    assert!(told.windows(2).all(|pair| pair[0].timestamp < pair[1].timestamp));
    let story = yard.story(&lead).await;
    assert_eq!(story.attempts("hudson"), ["not_received", "not_received", "received"]);
    assert!(story.assignment("hudson")["settled_at"].is_string());
    yard.advance(MINUTE * 20).await;
    assert_eq!(yard.told("hudson").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_is_gone_is_not_tried_again() {
    let yard = yard().await;
    yard.dealer_says("hudson", Says::Status(410));
    let lead = yard.settled_lead(&ada()).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
    assert_eq!(
        (events(&yard.told("hudson")), events(&yard.told("ridge"))),
        (vec!["lead.assigned"], vec!["lead.assigned"])
    );
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_asks_for_time_is_given_it() {
    let yard = yard().await;
    yard.dealer_says("hudson", Says::Later(429, 120));
    yard.settled_lead(&ada()).await;
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(Duration::from_secs(119)).await;
    assert_eq!(yard.told("hudson").len(), 1);
    yard.advance(Duration::from_secs(90)).await;
    let told = yard.told("hudson");
    assert_eq!(told.len(), 2);
    assert!(told[1].timestamp - told[0].timestamp >= 120);
}

#[tokio::test(start_paused = true)]
async fn final_failure_gives_the_slot_back_excludes_the_dealer_and_distributes_again() {
    let yard = yard().await;
    yard.dealer_says("hudson", Says::IsShut);
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(yard.taken("hudson", 4).await, 1);
    yard.advance(MINUTE * 15).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
    assert_eq!((story.holders(), story.attempts("hudson").len()), (vec!["ridge"], 6));
    assert_eq!(yard.taken("hudson", 4).await, 0);
    assert_eq!(story.0["excluded"], serde_json::json!(["hudson"]));
    // It was sure that nothing was received: there is nothing to withdraw.
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE * 60).await;
    assert!(yard.told("hudson").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_may_hold_it_is_sent_a_withdrawal_before_the_next_gets_it() {
    for unknown in [Says::Status(500), Says::Resets, Says::Hangs] {
        let yard = yard().await;
        yard.dealer_says("hudson", unknown);
        let lead = yard.settled_lead(&ada()).await;
        yard.advance(MINUTE * 15).await;
        assert_eq!(yard.story(&lead).await.holders(), ["ridge"], "{unknown:?}");
        let told = yard.dealers.told();
        let withdrawn =
            told.iter().position(|told| told.who == "acme/hudson" && told.event == "lead.withdrawn");
        let next = told.iter().position(|told| told.who == "acme/ridge");
        assert!(withdrawn.is_some() && withdrawn < next, "{unknown:?}: {:?}", events(&told));
        assert_eq!(yard.story(&lead).await.assignment("hudson")["delivery"], "unknown");

        // It goes on being told until it hears, for a day.
        yard.dealer_says("hudson", Says::Status(200));
        yard.advance(MINUTE * 20).await;
        let heard = yard.told("hudson").pop().unwrap();
        assert_eq!(
            (heard.event.as_str(), heard.answered, heard.signed),
            ("lead.withdrawn", Says::Status(200), true)
        );
        let count = yard.told("hudson").len();
        yard.advance(MINUTE * 60 * 5).await;
        assert_eq!(yard.told("hudson").len(), count, "what was heard is not said again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_is_tried_for_a_day_and_no_longer() {
    let yard = yard().await;
    yard.dealer_says("hudson", Says::Status(500));
    yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 60 * 30).await;
    let told = yard.told("hudson");
    let withdrawals: Vec<&Told> = told.iter().filter(|told| told.event == "lead.withdrawn").collect();
    let span = withdrawals.last().unwrap().timestamp - withdrawals[0].timestamp;
    assert!(
        withdrawals.len() >= 10 && (20 * 3_600..=24 * 3_600).contains(&span),
        "{} over {span} s",
        withdrawals.len()
    );
    let count = told.len();
    yard.advance(MINUTE * 60 * 24).await;
    assert_eq!(yard.told("hudson").len(), count);
}

#[tokio::test(start_paused = true)]
async fn a_contract_that_waits_keeps_its_lead_while_its_dealer_is_away() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("territory", "protected"), ("when_unavailable", "wait"), ("max_age_hours", "48")])
        .seller("ridge", []);
    let yard = Yard::of(rules).await;
    yard.dealer_says("hudson", Says::IsShut);
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 60 * 6).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    // The desk is told once: it may call, or take the lead back.
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).json["changes"].clone();
    let notices: Vec<_> =
        changes.as_array().unwrap().iter().filter(|change| change["act"] == "undelivered").collect();
    assert_eq!(notices.len(), 1, "{changes}");
    assert_eq!(
        (&notices[0]["after"]["lead"], &notices[0]["after"]["dealer"]),
        (&json!(lead), &json!("hudson"))
    );
    assert_eq!(yard.story(&lead).await.0["history"][0]["act"], "undelivered");
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE * 90).await;
    assert_eq!(yard.story(&lead).await.assignment("hudson")["delivery"], "received");
    assert!(yard.told("ridge").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_answers_in_its_inbox_has_the_lead_whatever_its_webhook_said() {
    let yard = yard().await;
    yard.dealer_says("hudson", Says::Status(500));
    let lead = yard.settled_lead(&ada()).await;
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.advance(MINUTE * 20).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "accepted")]);
    assert_eq!(events(&yard.told("hudson")), ["lead.assigned"]);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_hangs_delays_nobody_else() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("area", "zip:33101")])
        .seller("ridge", [("area", "zip:10001")]);
    let yard = Yard::of(rules).await;
    yard.dealer_says("hudson", Says::Hangs);
    for n in 0..5 {
        yard.lead(&Person::number(n)).await;
    }
    let other = yard.lead(&ada().with("zip", "10001")).await;
    let working = tokio::spawn({
        let yard = yard.clone();
        async move { yard.settle().await }
    });
    // Ridge has its lead while as many of Hudson's as it may have under way are still open.
    while yard.told("ridge").is_empty() {
        assert!(!working.is_finished(), "it never came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let under_way = leadyard_domain::limits::IN_FLIGHT_PER_DEALER;
    assert_eq!((yard.dealers.hanging(), yard.told("ridge")[0].lead()), (under_way, other.as_str()));
    working.await.unwrap();
}

/// Works the queues until a dealer hangs on an attempt, and dies there.
async fn dies_while_hudson_hangs(yard: &Yard) {
    yard.dealer_says("hudson", Says::Hangs);
    let working = tokio::spawn({
        let yard = yard.clone();
        async move { yard.settle().await }
    });
    while yard.dealers.hanging() == 0 {
        assert!(!working.is_finished(), "it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_whose_process_dies_may_have_arrived_and_is_withdrawn_before_the_next_gets_the_lead() {
    let yard = yard().await;
    let lead = yard.lead(&ada()).await;
    dies_while_hudson_hangs(&yard).await;
    yard.dealer_says("hudson", Says::Status(410));
    yard.advance(MINUTE * 5).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.attempts("hudson"), ["unknown", "not_received"]);
    assert_eq!(story.holders(), ["ridge"]);
    let told = yard.dealers.told();
    let withdrawn = told.iter().position(|told| told.who == "acme/hudson" && told.event == "lead.withdrawn");
    let next = told.iter().position(|told| told.who == "acme/ridge");
    assert!(withdrawn.is_some() && withdrawn < next, "{:?}", events(&told));
}

#[tokio::test(start_paused = true)]
async fn while_an_attempt_is_open_a_duplicate_of_its_message_makes_none() {
    let yard = yard().await;
    let lead = yard.lead(&ada()).await;
    leadyard::poller::work(&yard.cloud, yard.aws.queues(), &leadyard::system::DISTRIBUTION).await;
    let body = yard.queued("delivery").remove(0);
    dies_while_hudson_hangs(&yard).await;
    yard.dealer_says("hudson", Says::Status(200));
    yard.aws.queues().send("delivery", &body, None, 0).unwrap();
    yard.settle().await;
    assert_eq!(yard.told("hudson").len(), 1, "nobody knows yet that the first attempt is over");
    yard.advance(MINUTE * 3).await;
    assert_eq!(yard.story(&lead).await.attempts("hudson"), ["unknown", "received"]);
    assert_eq!(events(&yard.told("hudson")), ["lead.assigned", "lead.assigned"]);
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_kills_its_process_every_time_still_ends() {
    let yard = yard().await;
    let lead = yard.lead(&ada()).await;
    for _ in 0..6 {
        dies_while_hudson_hangs(&yard).await;
        // Until its claim runs out and the sweep has looked.
        yard.dealer_says("hudson", Says::Status(200));
        tokio::time::sleep(Duration::from_secs(400)).await;
        leadyard_sweep::sweep(&yard.cloud).await.unwrap();
    }
    yard.dealer_says("hudson", Says::Status(503));
    yard.advance(MINUTE * 5).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.attempts("hudson").len(), story.holders()), (6, vec!["ridge"]));
}

#[tokio::test(start_paused = true)]
async fn what_ended_unknown_once_is_withdrawn_however_many_refusals_followed() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("territory", "first"), ("when_unavailable", "wait"), ("max_age_hours", "130")]);
    let yard = Yard::of(rules).await;
    yard.dealer_says("hudson", Says::Status(500));
    let lead = yard.settled_lead(&ada()).await;
    yard.dealer_says("hudson", Says::IsShut);
    yard.advance(MINUTE * 60 * 131).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignment("hudson")["delivery"], "unknown");
    assert!(
        story.attempts("hudson").iter().all(|end| *end == "not_received"),
        "the first is not kept any more"
    );
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE * 60 * 3).await;
    assert_eq!(events(&yard.told("hudson")), ["lead.assigned", "lead.withdrawn"]);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_cannot_accept_a_lead_that_is_on_its_way_to_the_next() {
    let yard = yard().await;
    yard.dealer_says("hudson", Says::Status(500));
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 6).await;
    // The sixth attempt fails for good; the withdrawal that follows hangs.
    while yard.story(&lead).await.attempts("hudson").len() < 5 {
        yard.advance(Duration::from_secs(10)).await;
    }
    let working = tokio::spawn({
        let yard = yard.clone();
        async move { yard.advance(MINUTE * 7).await }
    });
    while yard.story(&lead).await.assignment("hudson")["delivery"] == "pending" {
        yard.dealer_says(
            "hudson",
            if yard.told("hudson").len() < 6 { Says::Status(500) } else { Says::Hangs },
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let _ = yard.answers("hudson", &lead, "accept").await.is(409).is_problem("state-conflict");
    working.await.unwrap();
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    let _ = yard.answers("hudson", &lead, "accept").await.is(409).is_problem("state-conflict");
}

#[tokio::test(start_paused = true)]
async fn whoever_hangs_at_the_last_attempt_is_withdrawn_from_by_a_message_of_its_own() {
    let yard = yard().await;
    yard.dealer_says("hudson", Says::Hangs);
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 15).await;
    assert_eq!(events(&yard.told("hudson")).last(), Some(&"lead.withdrawn"));
    let story = yard.story(&lead).await;
    let (attempts, seat) = (story.attempts("hudson").len(), story.assignment("hudson"));
    // An attempt and a withdrawal that both hang are more than a function has time for.
    let id = seat["assignment"].as_str().unwrap();
    let of_seat = |sent: &serde_json::Value| {
        let body: serde_json::Value = serde_json::from_str(sent["MessageBody"].as_str().unwrap()).unwrap();
        body["m"]["assignment"]["assignment"] == id
    };
    let sent = yard.faults.sent_to(&format!("/{}", system::DELIVERY.name));
    assert_eq!(sent.iter().filter(|sent| of_seat(sent)).count(), attempts + 1);
}

#[tokio::test(start_paused = true)]
async fn who_has_the_lead_no_more_is_not_told_that_it_asked_again() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    let _ = yard.server("web").posts(&ada()).await.is(200);
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.advance(MINUTE * 2).await;
    assert_eq!(events(&yard.told("hudson")), ["lead.assigned"]);
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
}

#[tokio::test(start_paused = true)]
async fn the_same_message_twice_is_one_attempt() {
    let yard = yard().await;
    let lead = yard.lead(&ada()).await;
    leadyard::poller::work(&yard.cloud, yard.aws.queues(), &leadyard::system::DISTRIBUTION).await;
    let body = yard.queued("delivery").remove(0);
    yard.settle().await;
    yard.aws.queues().send("delivery", &body, None, 0).unwrap();
    yard.settle().await;
    assert_eq!((yard.told("hudson").len(), yard.story(&lead).await.attempts("hudson").len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_made_is_not_forgotten_by_a_worker_that_finds_the_channel_gone() {
    let rules = Rules::roofing("acme").seller("hudson", []).seller("ridge", [("tier", "2")]);
    let yard = Yard::of(rules).await;
    let distributes = async || poller::work(&yard.cloud, yard.aws.queues(), &system::DISTRIBUTION).await;
    let delivers = async || poller::work(&yard.cloud, yard.aws.queues(), &system::DELIVERY).await;
    let lead = yard.lead(&Person::number(1)).await;
    distributes().await;
    // A second copy of its message has read the assignment, and not yet how the dealer is reached.
    let copy = json!({ "Records": [{ "messageId": "copy", "body": yard.queued("delivery")[0] }] });
    let held = yard.faults.hold("Query");
    let slow = leadyard_delivery::handle(&yard.cloud, serde_json::from_value(copy).unwrap());
    let meanwhile = async {
        held.arrives().await;
        yard.dealer_says("hudson", Says::Status(500));
        delivers().await;
        yard.dealer_says("hudson", Says::Status(410));
        let _ = yard.lead(&Person::number(2)).await;
        distributes().await;
        delivers().await;
        held.let_go();
    };
    let _ = tokio::join!(slow, meanwhile);
    yard.advance(MINUTE * 60).await;
    let story = yard.story(&lead).await;
    let first = story.assignment("hudson");
    assert_eq!(first["delivery"], "unknown", "{first}");
    assert_eq!(first["attempts"][0]["what"], "status 500", "{}", first["attempts"]);
    // It may hold the lead: it is told that it does not, before the next has it.
    let told = yard.told("hudson");
    let of_lead: Vec<&str> =
        told.iter().filter(|told| told.lead() == lead).map(|told| told.event.as_str()).collect();
    assert_eq!(of_lead[..2], ["lead.assigned", "lead.withdrawn"], "{}", story.0["messages"]);
    assert_eq!(story.holders(), ["ridge"]);
}
