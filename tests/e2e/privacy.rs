//! Personal data stays where it belongs.

use leadyard_tests::logs::Logs;
use leadyard_tests::{Person, Rules, Says, Yard};
use serde_json::json;

/// Nothing else in the system reads like these.
const CANARIES: [&str; 7] =
    ["Zebulon", "Quackenbush", "zq.canary", "5550177", "555-0177", "xylophone", "Marmalade"];

fn canary() -> Person {
    Person::named("Zebulon", "Quackenbush")
        .with("email", "zq.canary@mail.example")
        .with("phone", "305-555-0177")
        .with("street", "7 Marmalade Row")
        .with("message", "a xylophone on the roof")
}

fn assert_nobody(place: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.to_lowercase().contains(&canary.to_lowercase()), "{canary} stands in {place}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_stands_in_no_log_queue_problem_or_decision() {
    let (logs, _guard) = Logs::keep();
    let yard =
        Yard::of(Rules::roofing("acme").seller("hudson", [("tier", "1")]).seller("ridge", [("tier", "2")]))
            .await;
    yard.dealer_says("hudson", Says::Status(500));
    let queues_hold_nobody = || {
        for queue in [
            "interactions",
            "distribution",
            "delivery",
            "interactions-dead",
            "distribution-dead",
            "delivery-dead",
        ] {
            assert_nobody(queue, &yard.queued(queue).join("\n"));
        }
    };

    // A journey with everything that can go wrong on it: an unknown end, a withdrawal, a repeat, a decline.
    let lead = yard.lead(&canary()).await;
    queues_hold_nobody();
    for queue in &leadyard::system::WORKED {
        leadyard::poller::work(&yard.cloud, yard.aws.queues(), queue).await;
        queues_hold_nobody();
    }
    yard.advance(std::time::Duration::from_secs(900)).await;
    let _ = yard.server("web").posts(&canary()).await.is(200);
    let report = json!({ "id": "q", "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "email": "zq.canary@mail.example" });
    let _ = yard.server("web").reports(report).await.is(202);
    assert_eq!(yard.queued("interactions").len(), 1);
    queues_hold_nobody();
    yard.settle().await;
    let _ = yard.answers("ridge", &lead, "decline").await.is(200);
    queues_hold_nobody();
    yard.settle().await;
    yard.faults.table(true);
    let _ = yard.server("web").posts(&canary()).await.is(202);
    yard.faults.table(false);
    yard.advance(std::time::Duration::from_secs(300)).await;

    // What is refused says what and why, and never repeats it.
    let mut problems = Vec::new();
    let unreachable = canary().with("email", "zq.canary at mail").with("phone", "555-0177x");
    problems.push(yard.server("web").posts(&unreachable).await.is(422));
    problems.push(
        yard.server("web").sends("application/json", "{\"email\": zq.canary@mail.example}").await.is(400),
    );
    problems.push(yard.server("web").sends("text/zq.canary", "Quackenbush").await.is(415));
    let bad =
        json!({ "id": "q", "kind": "Quackenbush !", "at": "2026-06-01T15:00:00Z", "email": "zq.canary" });
    problems.push(yard.server("web").reports(bad).await.is(400));
    problems.push(yard.page("web").with_key("pk_Quackenbush.zq").posts(&canary()).await.is(401));
    for problem in &problems {
        assert_nobody("a problem", &problem.text);
    }

    let story = yard.story(&lead).await;
    let decisions: Vec<String> = story.list("decisions").map(ToString::to_string).collect();
    assert!(decisions.len() >= 2);
    assert_nobody("a decision", &decisions.join("\n"));

    let text = logs.text();
    for sentence in [
        "the lead is assigned",
        "an attempt was made",
        "the lead was taken back",
        "declined",
        "an enquiry was spilled",
    ] {
        assert!(text.contains(sentence), "the journey was not logged: {sentence}");
    }
    assert_nobody("the log", &text);
}
