//! Leads that must be accepted in time.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Rules, Told, Yard};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "+13052745678").with("message", "the roof leaks")
}

/// Hudson has 30 minutes on the wall clock; ridge is next, without a deadline.
async fn yard() -> Yard {
    Yard::of(
        Rules::roofing("acme")
            .seller(
                "hudson",
                [("tier", "1"), ("deadline_minutes", "30"), ("deadline_clock", "wall"), ("cap_total", "1")],
            )
            .seller("ridge", [("tier", "2")]),
    )
    .await
}

fn events(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.event.as_str()).collect()
}

fn data(told: &Told) -> Value {
    told.body["data"].clone()
}

async fn owed(yard: &Yard, dealer: &str) -> Value {
    let path = format!("/v1/dealers/{dealer}/statement?month=2026-06");
    yard.desk(Method::GET, &path, None).await.is(200).json["owed"].clone()
}

#[tokio::test(start_paused = true)]
async fn until_it_accepts_a_dealer_sees_the_request_and_nobody() {
    let yard = yard().await;
    let wrote = "the roof leaks: ring 305-274-5678, or ada@mail.example";
    let lead = yard.settled_lead(&ada().with("message", wrote)).await;
    let offered = data(&yard.told("hudson")[0]);
    assert_eq!((&offered["masked"], &offered["accept_by"]), (&json!(true), &json!("2026-06-01T16:30:00Z")));
    assert_eq!(
        (&offered["person"]["first_name"], &offered["message"]),
        (&json!("Ada"), &json!("the roof leaks: ring ***, or ***"))
    );
    let inbox = json!(yard.inbox("hudson").await).to_string();
    for hidden in ["Hill", "mail.example", "2745678", "274-5678"] {
        assert!(
            !yard.told("hudson")[0].body.to_string().contains(hidden) && !inbox.contains(hidden),
            "{hidden}"
        );
    }
    // It is not charged, and says nothing of the person before it has accepted.
    assert_eq!(owed(&yard, "hudson").await, "0.00");
    let _ = yard.answers("hudson", &lead, "contacted").await.is(409);
    let accepted = yard.answers("hudson", &lead, "accept").await.is(200);
    assert_eq!(accepted.json["person"]["last_name"], "Hill");
    let _ = yard.answers("hudson", &lead, "accept").await.is(200); // a second click
    yard.settle().await;
    assert_eq!(owed(&yard, "hudson").await, "10.00");
    // Its own system is sent the whole lead as well, once.
    let told = yard.told("hudson");
    assert_eq!(events(&told), ["lead.assigned", "lead.assigned"]);
    assert_ne!(told[0].id, told[1].id);
    assert_eq!(
        (&data(&told[1])["masked"], &data(&told[1])["person"]["last_name"]),
        (&json!(false), &json!("Hill"))
    );
    assert_eq!(data(&told[1])["message"], wrote);
    yard.advance(MINUTE * 60).await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "accepted")]);
    assert_eq!(yard.told("hudson").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_is_warned_at_two_thirds_and_then_the_lead_moves_on() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 19).await;
    assert_eq!(events(&yard.told("hudson")), ["lead.assigned"]);
    yard.advance(MINUTE * 3).await;
    assert_eq!(events(&yard.told("hudson")), ["lead.assigned", "lead.warned"]);
    yard.advance(MINUTE * 7).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    yard.advance(MINUTE * 3).await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "lapsed"), ("ridge", "offered")]);
    let told = yard.told("hudson");
    assert_eq!(events(&told), ["lead.assigned", "lead.warned", "lead.withdrawn"]);
    assert_eq!(data(&told[2])["reason"], "lapsed");
    // The slot is back, nothing is charged, and it is too late now.
    assert_eq!((yard.taken("hudson", 4).await, owed(&yard, "hudson").await), (0, json!("0.00")));
    let _ = yard.answers("hudson", &lead, "accept").await.is(409).is_problem("state-conflict");
    assert_eq!(owed(&yard, "ridge").await, "10.00");
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_the_deadline_is_too_late_though_nobody_has_looked_yet() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    tokio::time::sleep(MINUTE * 30).await;
    let late = yard.answers("hudson", &lead, "accept").await.is(409);
    assert!(late.text.contains("the deadline is over"), "{}", late.text);
    yard.advance(MINUTE * 2).await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_open_hours_waits_for_the_morning() {
    // Friday 17:45 in New York; the 30 minutes end on Monday at 08:15.
    let rules = Rules::roofing("acme")
        .dealer("hudson", [("hours", "Mo-Fr 08:00-18:00"), ("zone", "America/New_York")])
        .contract("hudson", "hudson", [("deadline_minutes", "30")])
        .seller("ridge", [("tier", "2")]);
    let yard = Yard::at("2026-06-05T21:45:00Z", rules).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(yard.story(&lead).await.assignment("hudson")["accept_by"], "2026-06-08T12:15:00Z");
    // Once offered it stands, whatever is agreed on Saturday: by these hours it would have been over at 18:00
    // that day.
    yard.advance_to("2026-06-06T17:00:00Z").await;
    let agreed_since = Rules::roofing("acme")
        .dealer("hudson", [("hours", "Mo-Su 00:00-24:00"), ("zone", "America/Denver")])
        .contract("hudson", "hudson", [("deadline_minutes", "5"), ("deadline_clock", "wall")])
        .seller("ridge", [("tier", "2")]);
    let _ = yard.publish(&agreed_since).await.is(200);
    yard.advance_to("2026-06-08T12:00:00Z").await;
    assert_eq!(yard.story(&lead).await.assignment("hudson")["accept_by"], "2026-06-08T12:15:00Z");
    assert_eq!(events(&yard.told("hudson")), ["lead.assigned"]);
    yard.advance_to("2026-06-08T12:10:00Z").await;
    assert_eq!(events(&yard.told("hudson")), ["lead.assigned", "lead.warned"]);
    assert_eq!(yard.story(&lead).await.assignment("hudson")["accept_by"], "2026-06-08T12:15:00Z");
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    yard.advance_to("2026-06-08T13:10:00Z").await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
}

#[tokio::test(start_paused = true)]
async fn a_territory_that_waits_leaves_a_lapse_to_the_desk() {
    let hudson = [
        ("territory", "protected"),
        ("when_unavailable", "wait"),
        ("deadline_minutes", "30"),
        ("area", "zip:33101"),
    ];
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", hudson).seller("ridge", [])).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 32).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.waiting()), ("waiting", "excluded"));
    let placed = yard
        .desk(Method::POST, &format!("/v1/leads/{lead}/place"), Some(json!({ "contract": "ridge" })))
        .await;
    let _ = placed.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
}
