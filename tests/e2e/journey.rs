//! The whole way of a lead.

use leadyard_tests::{Person, Rules, Yard};

#[tokio::test(start_paused = true)]
async fn a_lead_travels_from_a_page_to_a_dealer_signed() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("price", "45.00")])).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill").with("phone", "305-555-0100")).await;

    let told = yard.told("hudson");
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].event.as_str(), told[0].signed), ("lead.assigned", true));
    let data = &told[0].body["data"];
    assert_eq!(
        (told[0].lead(), &data["price"], &data["person"]["phone"]),
        (lead.as_str(), &"45.00".into(), &"+13055550100".into())
    );

    let story = yard.story(&lead).await;
    assert_eq!(
        (story.stage(), story.holders(), story.decisions()),
        ("assigned", vec!["hudson"], vec!["assigned"])
    );
    assert_eq!(story.assignment("hudson")["delivery"], "received");
    assert!(yard.dead_letters().is_empty());
}
