//! What is counted: opening counts and balances.

use http::Method;
use leadyard_tests::{Person, Rules, Yard};
use serde_json::{Value, json};

use super::{MINUTE, sends, statement, statuses};

#[tokio::test(start_paused = true)]
async fn a_cap_knows_what_the_month_has_had_and_a_full_one_is_full() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("cap_month", "20"), ("tier", "1")])
        .seller("ridge", [("cap_day", "5"), ("tier", "2")]);
    let yard = Yard::of(rules).await;
    let rows = [
        json!({ "contract": "hudson", "day": "4", "month": "18", "spent_month": "$180.00" }),
        json!({ "contract": "ridge", "day": 5 }),
        json!({ "contract": "crest", "day": 5 }),
        json!({ "contract": "hudson", "day": "9", "week": "3" }),
    ];
    let reply = sends(&yard, "counts", &rows).await.is(200);
    assert_eq!(statuses(&reply), ["imported", "imported", "refused", "refused"]);
    assert_eq!(reply.json["rows"][2]["errors"][0]["pointer"], "/rows/2/contract");
    let mut leads = Vec::new();
    for n in 1..=3 {
        leads.push(yard.settled_lead(&Person::number(n)).await);
    }
    let third = yard.story(&leads[2]).await;
    assert_eq!((yard.story(&leads[1]).await.holders(), third.waiting()), (vec!["hudson"], "cap"));
    assert_eq!(
        third.0["due"], "2026-06-02T04:05:00Z",
        "five minutes after ridge's day begins anew at midnight in New York"
    );
    // Sent again, they contradict what was counted since; ridge's stand as they were.
    let again = sends(&yard, "counts", &rows[..2]).await.is(200);
    assert_eq!(statuses(&again), ["refused", "already"]);
    assert!(again.text.contains("it has other counts already"), "{}", again.text);
    assert_eq!(yard.taken("hudson", 3).await, 20);
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).json;
    let opened: Vec<&Value> =
        changes["changes"].as_array().unwrap().iter().filter(|act| act["act"] == "opening_counts").collect();
    assert_eq!(opened.len(), 2);
    let of_hudson = opened.iter().find(|act| act["after"]["contract"] == "hudson").unwrap();
    assert_eq!((&of_hudson["by"], &of_hudson["after"]["month"]), (&json!("desk"), &json!(18)));
    yard.advance_to("2026-06-02T04:00:00Z").await;
    yard.advance(MINUTE * 2).await;
    assert_eq!(yard.story(&leads[2]).await.holders(), ["ridge"]);
}

#[tokio::test(start_paused = true)]
async fn a_dealers_periods_run_in_its_zone_and_a_budget_knows_what_was_spent() {
    let rules = Rules::roofing("acme")
        .dealer("west", [("zone", "America/Los_Angeles"), ("cap_day", "7")])
        .contract("west", "west", [("budget_month", "100.00")]);
    let yard = Yard::of(rules).await;
    let rows = [json!({ "dealer": "west", "day": 7 })];
    assert_eq!(statuses(&sends(&yard, "counts", &rows).await), ["imported"]);
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.0["due"], "2026-06-02T07:05:00Z");
    // The next day it gets what the budget leaves: ten dollars.
    let rows = [json!({ "contract": "west", "month": 9, "spent_month": "90" })];
    assert_eq!(statuses(&sends(&yard, "counts", &rows).await), ["imported"]);
    yard.advance_to("2026-06-02T07:00:00Z").await;
    yard.advance(MINUTE * 2).await;
    assert_eq!(yard.story(&lead).await.holders(), ["west"]);
    let next = yard.settled_lead(&Person::number(2)).await;
    let story = yard.story(&next).await;
    assert_eq!((story.waiting(), &story.0["due"]), ("cap", &json!("2026-07-01T07:05:00Z")));
}

#[tokio::test(start_paused = true)]
async fn a_balance_is_booked_once_and_serves_who_waits_for_it() {
    let rules =
        Rules::roofing("acme").dealer("hudson", [("prepaid", "yes")]).contract("hudson", "hudson", []);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "cap");
    let balance = |amount: &str| [json!({ "dealer": "hudson", "month": 12, "balance": amount })];
    assert_eq!(statuses(&sends(&yard, "counts", &balance("25.00")).await), ["imported"]);
    assert_eq!(statuses(&sends(&yard, "counts", &balance("25")).await), ["already"]);
    let other = sends(&yard, "counts", &balance("30")).await;
    assert_eq!(other.json["rows"][0]["errors"][0]["pointer"], "/rows/0/balance", "{}", other.text);
    let nobody = sends(&yard, "counts", &[json!({ "dealer": "nobody", "balance": "9" })]).await;
    assert_eq!(statuses(&nobody), ["refused"]);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    let june = statement(&yard, "hudson").await;
    assert_eq!((&june["balance"], &june["deposits"]), (&json!("15.00"), &json!("25.00")));
}
