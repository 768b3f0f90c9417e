//! The waiting room's page.

use http::Method;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::json;

use super::{HOSTILE, READS, is_harmless, names_nobody};

/// What asks for a gutter is placed by hand, at hudson's or at ridge's, each of which may have so many; nobody takes sidings.
async fn yard(most: &str) -> Yard {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .offer("siding", "walls", "")
        .source("web2", "offer = \"gutter\"")
        .source("web3", "offer = \"siding\"")
        .seller("hudson", [("offers", "gutter"), ("cap_total", most), ("tier", "1"), ("price", "45.00")])
        .seller("ridge", [("offers", "gutter"), ("cap_total", most), ("tier", "2"), ("price", "30.00")]);
    Yard::of(rules).await
}

async fn waits(yard: &Yard, source: &str, n: usize) -> String {
    let person = Person::number(n).with("phone", &format!("305-555-01{n:02}"));
    let lead = yard.server(source).posts(&person).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    lead
}

const AT: &str = "/console/waiting";
const PLACE: &str = "/console/waiting/place";

#[tokio::test(start_paused = true)]
async fn the_room_says_who_waits_and_why_and_what_nobody_serves() {
    let yard = yard("10").await;
    let (by_hand, unserved) = (waits(&yard, "web2", 1).await, waits(&yard, "web3", 2).await);
    let _ = waits(&yard, "web3", 3).await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads(AT).await;
    assert!(reads <= READS, "{reads} reads");
    let api = yard.desk(Method::GET, "/v1/waiting", None).await.is(200);
    assert_eq!(api.json["by_reason"], json!({ "manual": 1, "offer": 2 }));
    for (reason, count) in [("manual", 1), ("offer", 2)] {
        let row = page.text.split("<tr").find(|row| row.contains(&format!("reason={reason}\""))).unwrap();
        assert!(row.contains(&format!("<strong>{count}</strong>")), "{row}");
    }
    let unmet = page.text.split("served by no contract").nth(1).unwrap();
    assert!(unmet.contains("walls") && unmet.contains("FL") && unmet.contains("\"leads\">2<"), "{unmet}");
    names_nobody(&page, &["@", "5550101"]);
    // Each reason leads to the leads behind it.
    let of_offer = desk.opens("/console/waiting?reason=offer").await.is(200);
    assert!(of_offer.text.contains(&unserved) && !of_offer.text.contains(&by_hand));
}

#[tokio::test(start_paused = true)]
async fn all_are_placed_as_recommended_after_a_look_that_gives_no_seat_twice() {
    let yard = yard("1").await;
    let mut leads = Vec::new();
    for n in 1..=3 {
        leads.push(waits(&yard, "web2", n).await);
    }
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/waiting?reason=manual").await.is(200);
    let nothing = desk.submits(&page, PLACE, &[]).await.is(303);
    assert!(desk.opens(nothing.header("location")).await.is(200).text.contains("Nothing was chosen"));
    let look = desk.submits(&page, PLACE, &[("every", "on")]).await.is(200);
    assert!(
        look.text.contains("2 would go, for 75.00 USD") && look.text.contains("1 would stay"),
        "{}",
        look.text
    );
    for lead in &leads {
        assert_eq!(yard.story(lead).await.holders(), [""; 0], "a look changes nothing");
    }
    let done = desk.submits(&look, PLACE, &[]).await.is(303);
    let after = desk.opens(done.header("location")).await.is(200);
    assert!(after.text.contains("2 leads are placed"), "{}", after.text);
    yard.settle().await;
    let mut holders = Vec::new();
    for lead in &leads {
        holders.extend(yard.story(lead).await.holders().iter().map(|holder| (*holder).to_owned()));
    }
    holders.sort();
    assert_eq!(holders, ["hudson", "ridge"]);
    assert_eq!((yard.taken("hudson", 4).await, yard.taken("ridge", 4).await), (1, 1));
    // A second click finds each where the first put it.
    let again = desk.submits(&look, PLACE, &[]).await.is(303);
    assert!(desk.opens(again.header("location")).await.is(200).text.contains("2 leads are placed"));
    assert_eq!((yard.taken("hudson", 4).await, yard.taken("ridge", 4).await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_since_the_look_is_left_waiting_and_said_so() {
    let yard = yard("10").await;
    let (first, second) = (waits(&yard, "web2", 1).await, waits(&yard, "web2", 2).await);
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let look = desk.submits(&page, PLACE, &[("every", "on")]).await.is(200);
    assert!(look.text.contains("2 would go, for 90.00 USD"), "{}", look.text);
    let _ = yard.flip("pause", json!({ "on": true, "dealer": "hudson", "reason": "away" })).await;
    let placed = desk.submits(&look, PLACE, &[]).await.is(303);
    let after = desk.opens(placed.header("location")).await.is(200);
    assert!(
        after.text.contains("0 leads are placed") && after.text.contains("2 could not go where it was shown")
    );
    yard.settle().await;
    // Nor did they go to ridge, whom nobody was shown.
    for lead in [first, second] {
        assert_eq!(yard.story(&lead).await.holders(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn once_distribution_is_stopped_nobody_is_placed_with_many() {
    let yard = yard("10").await;
    let (first, second) = (waits(&yard, "web2", 1).await, waits(&yard, "web2", 2).await);
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let look = desk.submits(&page, PLACE, &[("every", "on")]).await.is(200);
    assert!(look.text.contains("2 would go"), "{}", look.text);
    let _ = yard.flip("stop", json!({ "on": true })).await;
    let placed = desk.submits(&look, PLACE, &[]).await.is(303);
    let after = desk.opens(placed.header("location")).await.is(200);
    assert!(after.text.contains("0 leads are placed. 2 could not go where it was shown"), "{}", after.text);
    let stopped = desk.submits(&page, PLACE, &[("every", "on")]).await.is(200);
    assert!(
        stopped.text.contains("2 would stay") && stopped.text.contains("distribution is stopped"),
        "{}",
        stopped.text
    );
    yard.settle().await;
    for lead in [first, second] {
        assert_eq!(yard.story(&lead).await.holders(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_colleague_holds_stays_and_has_nobody_s_seat() {
    let yard = yard("1").await;
    let (first, second) = (waits(&yard, "web2", 1).await, waits(&yard, "web2", 2).await);
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let look = desk.submits(&page, PLACE, &[("every", "on")]).await.is(200);
    assert!(look.text.contains("2 would go"), "{}", look.text);
    let hold = format!("/v1/leads/{first}/hold");
    let _ = yard.desk(Method::POST, &hold, Some(json!({ "reason": "I call them" }))).await.is(200);
    // A look after it says so, and the other has the better contract's one seat.
    let anew = desk.submits(&page, PLACE, &[("every", "on")]).await.is(200);
    for told in ["1 would go, for 45.00 USD", "1 would stay", "the desk holds it"] {
        assert!(anew.text.contains(told), "{told} is not in {}", anew.text);
    }
    let placed = desk.submits(&look, PLACE, &[]).await.is(303);
    let after = desk.opens(placed.header("location")).await.is(200);
    for told in ["1 lead is placed; delivery is on its way", "1 could not go where it was shown"] {
        assert!(after.text.contains(told), "{told} is not in {}", after.text);
    }
    yard.settle().await;
    assert_eq!(yard.story(&first).await.holders(), [""; 0]);
    assert!(yard.stored(&first).await.hold.is_some(), "it is held still");
    assert_eq!(yard.story(&second).await.holders().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_comes_while_it_is_placed_is_not_undone() {
    let yard = yard("10").await;
    let lead = waits(&yard, "web2", 1).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let look = desk.submits(&page, PLACE, &[("every", "on")]).await.is(200);
    assert!(look.text.contains("1 would go"), "{}", look.text);
    // All that the placing rests on is read, and nothing of it is written.
    let held = yard.faults.hold_commit();
    let (placed, ()) = tokio::join!(desk.submits(&look, PLACE, &[]), async {
        held.arrives().await;
        let hold = format!("/v1/leads/{lead}/hold");
        let _ = yard.desk(Method::POST, &hold, Some(json!({ "reason": "I call them" }))).await.is(200);
        held.let_go();
    });
    let after = desk.opens(placed.is(303).header("location")).await.is(200);
    for told in ["0 leads are placed", "1 could not go where it was shown"] {
        assert!(after.text.contains(told), "{told} is not in {}", after.text);
    }
    yard.settle().await;
    assert!(yard.stored(&lead).await.hold.is_some(), "a colleague held it");
    assert_eq!(yard.story(&lead).await.holders(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_second_click_does_not_place_anew_what_its_dealer_gave_back_meanwhile() {
    let yard = yard("10").await;
    let lead = waits(&yard, "web2", 1).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let look = desk.submits(&page, PLACE, &[("every", "on")]).await.is(200);
    let _ = desk.submits(&look, PLACE, &[]).await.is(303);
    yard.settle().await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.settle().await;
    let _ = desk.submits(&look, PLACE, &[]).await.is(303);
    yard.settle().await;
    let placed = yard.story(&lead).await;
    assert_eq!(placed.list("history").filter(|act| act["act"] == "place").count(), 1);
    assert_eq!(placed.holders(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn while_the_company_only_watches_no_delivery_and_no_price_is_promised() {
    let yard = yard("10").await;
    let _ = waits(&yard, "web2", 1).await;
    let _ = yard.flip("shadow", json!({ "on": true })).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let look = desk.submits(&page, PLACE, &[("every", "on")]).await.is(200);
    assert!(
        look.text.contains("1 would go<")
            && look.text.contains("The company only watches")
            && !look.text.contains("45.00"),
        "{}",
        look.text
    );
    let placed = desk.submits(&look, PLACE, &[]).await.is(303);
    let after = desk.opens(placed.header("location")).await.is(200);
    assert!(
        after.text.contains("1 lead is placed; the company only watches")
            && !after.text.contains("on its way"),
        "{}",
        after.text
    );
    yard.settle().await;
    assert_eq!(yard.told("hudson").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_is_unticked_and_stays() {
    let yard = yard("10").await;
    let (first, second) = (waits(&yard, "web2", 1).await, waits(&yard, "web2", 2).await);
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let look = desk.submits(&page, PLACE, &[(&format!("one.{second}"), "on")]).await.is(200);
    assert!(look.text.contains("1 would go") && !look.text.contains(&first), "{}", look.text);
    let _ = desk.submits(&look, PLACE, &[]).await.is(303);
    yard.settle().await;
    assert_eq!(yard.story(&first).await.holders(), [""; 0]);
    assert_eq!(yard.story(&second).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_room_is_read_page_by_page_and_misses_nobody() {
    let yard = yard("10").await;
    let mut all = Vec::new();
    for n in 1..=60 {
        all.push(waits(&yard, if n % 2 == 0 { "web2" } else { "web3" }, n).await);
    }
    let desk = Browser::of(&yard).await;
    let (mut next, mut found) = (format!("{AT}?reason=offer"), Vec::new());
    for _ in 0..4 {
        let (page, reads) = desk.reads(&next).await;
        assert!(reads <= READS, "{reads} reads");
        found.extend(
            all.iter().filter(|lead| page.text.contains(&format!("/console/leads/{lead}\""))).cloned(),
        );
        let Some(link) = page.text.split("<a href=\"").find(|link| link.contains("Further down")) else {
            break;
        };
        next = link.split('"').next().unwrap().replace("&#38;", "&");
    }
    found.sort();
    let mut odd: Vec<String> = all.iter().step_by(2).cloned().collect();
    odd.sort();
    assert_eq!(found, odd);
}

#[tokio::test(start_paused = true)]
async fn another_company_s_room_is_shut_and_names_are_text() {
    let yard = yard("10").await;
    let person = Person::named("Ada", "Hill").with("first_name", HOSTILE).with("city", HOSTILE);
    let aside = yard.server("web2").posts(&person).await.is(202).text_of("enquiry").to_owned();
    let release = format!("/v1/quarantine/{aside}/release");
    let lead = yard.desk(Method::POST, &release, None).await.is(200).text_of("lead").to_owned();
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let look = desk.submits(&page, PLACE, &[("every", "on")]).await.is(200);
    assert!(look.text.contains("1 would go") && look.text.contains("&#60;script&#62;"), "{}", look.text);
    is_harmless(&page);
    is_harmless(&look);

    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let _ = theirs.opens("/console/waiting?company=acme").await.is(404);
    let csrf = theirs.csrf().await;
    let form = format!("{csrf}&company=other&sure=yes&one.{lead}=on&with.{lead}=hudson");
    let done = theirs.sends(PLACE, &form).await.is(303);
    assert!(done.header("location").contains("count=0"), "{}", done.header("location"));
    let looked = theirs.sends(PLACE, &format!("{csrf}&company=other&one.{lead}=on")).await.is(200);
    assert!(!looked.text.contains(&lead), "{}", looked.text);
    let _ = theirs.sends(PLACE, &form.replace("company=other", "company=acme")).await.is(404);
    let _ =
        desk.sends(PLACE, &format!("company=acme&sure=yes&one.{lead}=on&with.{lead}=hudson")).await.is(403);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), [""; 0]);
}
