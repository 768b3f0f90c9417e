//! Leads of several fit letters, in order of score: who has what comes free, and how the desk sees them. Their index has each
//! letter for itself.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::{Value, json};

const MIDNIGHT: &str = "2026-06-02T04:00:00Z";

/// Who can be written to and called is an A, who can only be called a B.
fn person(n: usize, letter: char) -> Person {
    if letter == 'A' { Person::number(n) } else { Person::number(n).without("email") }
}

/// A lead comes, asks for so many quotes (thirty points each, where an enquiry has ten), and waits; it says what it is
/// worth now.
async fn waits(yard: &Yard, n: usize, letter: char, quotes: usize) -> (String, i64) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let lead = yard.settled_lead(&person(n, letter)).await;
    let at = yard.cloud.clock.now().to_string();
    for quote in 0..quotes {
        let id = format!("{lead}-{quote}");
        let did = json!({ "id": id, "kind": "quote_request", "at": at, "lead": lead });
        let _ = yard.server("web").reports(did).await.is(202);
    }
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.band().chars().next()), ("waiting", Some(letter)));
    let worth = story.hundredths();
    (lead, worth)
}

/// Who comes from where nobody serves waits.
fn nobody_takes() -> Rules {
    Rules::roofing("acme").seller("hudson", [("area", "state:GA")])
}

/// Of a cold A, a hot B, a warm A and a cold B; as they came.
async fn four_wait(yard: &Yard) -> [String; 4] {
    let mut leads = Vec::new();
    for (n, letter, quotes) in [(10, 'A', 0), (11, 'B', 2), (12, 'A', 1), (13, 'B', 0)] {
        leads.push(waits(yard, n, letter, quotes).await);
    }
    let [cold_a, hot_b, warm_a, cold_b] = [0, 1, 2, 3].map(|n: usize| leads[n].1);
    assert!(warm_a > hot_b && hot_b > cold_a && cold_a > cold_b, "{leads:?}");
    [0, 1, 2, 3].map(|n: usize| leads[n].0.clone())
}

/// The cold A, the hot B, the warm A and the cold B in order of score.
fn in_order([cold_a, hot_b, warm_a, cold_b]: &[String; 4]) -> Vec<&str> {
    vec![warm_a, hot_b, cold_a, cold_b]
}

/// A page of who waits, behind another where one was.
async fn waiting(yard: &Yard, limit: usize, after: &Value) -> Value {
    let mut asked = json!({ "stage": "waiting", "limit": limit });
    if !after.is_null() {
        asked["after"] = after.clone();
    }
    yard.desk(Method::POST, "/v1/leads/search", Some(asked)).await.is(200).json
}

async fn holders(yard: &Yard, leads: &[&str]) -> Vec<bool> {
    let mut held = Vec::new();
    for lead in leads {
        held.push(!yard.story(lead).await.holders().is_empty());
    }
    held
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_comes_back_is_the_hotter_one_s_though_another_fits_better() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await;
    let sold = yard.settled_lead(&Person::number(0)).await;
    let leads = four_wait(&yard).await;
    let mut sold = sold;
    let order = in_order(&leads);
    for had in 1..=4 {
        let back = yard.desk(Method::POST, &format!("/v1/leads/{sold}/take_back"), Some(json!({}))).await;
        let _ = back.is(200);
        // Whom the desk took a lead back of has it no more.
        let _ = yard.desk(Method::POST, &format!("/v1/leads/{sold}/hold"), Some(json!({}))).await;
        yard.advance(Duration::from_secs(60)).await;
        let expected: Vec<bool> = (1..=4).map(|n| n == had).collect();
        assert_eq!(holders(&yard, &order).await, expected, "the slot that came back for the {had}th time");
        order[had - 1].clone_into(&mut sold);
    }
}

#[tokio::test(start_paused = true)]
async fn at_a_reset_the_slots_are_those_of_the_highest_scores_whatever_their_letters() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "2")])).await;
    for n in 0..2 {
        yard.settled_lead(&Person::number(n)).await;
    }
    let leads = four_wait(&yard).await;
    yard.advance_to(MIDNIGHT).await;
    yard.advance(Duration::from_secs(120)).await;
    assert_eq!(holders(&yard, &in_order(&leads)).await, [true, true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn the_desk_sees_them_in_that_order_wherever_they_stand_in_a_list() {
    let yard = Yard::of(nobody_takes()).await;
    let leads = four_wait(&yard).await;
    let order = in_order(&leads);
    for limit in [1, 2, 3, 4] {
        let (mut read, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = waiting(&yard, limit, &after).await;
            let told = page["leads"].as_array().unwrap().iter();
            read.extend(told.map(|lead| lead["lead"].as_str().unwrap().to_owned()));
            after = page["next"].clone();
            if after.is_null() {
                break;
            }
        }
        assert_eq!(read, order, "by {limit}");
    }
    // On the pages, and in the file.
    let desk = Browser::of(&yard).await;
    for at in ["/console/leads?list=waiting", "/console/waiting", "/console/leads?list=hottest"] {
        let page = desk.opens(at).await.is(200);
        let stands = |lead: &str| {
            page.text.find(&format!("/console/leads/{lead}")).unwrap_or_else(|| panic!("{at}: {}", page.text))
        };
        let places: Vec<usize> = order.iter().map(|lead| stands(lead)).collect();
        assert!(places.is_sorted(), "{at}: {places:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn over_midnight_a_list_goes_on_in_the_order_in_which_it_began() {
    let yard = Yard::of(nobody_takes()).await;
    // Some days from now the hot B, of which more has faded, is worth less than the cold A.
    let mut leads = Vec::new();
    for (n, letter, quotes) in [(10, 'A', 0), (11, 'B', 2), (12, 'A', 1), (13, 'B', 1)] {
        leads.push(waits(&yard, n, letter, quotes).await.0);
    }
    let whole = async |over_night: bool| {
        let (mut read, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = waiting(&yard, 1, &after).await;
            read.push(page["leads"][0]["lead"].as_str().unwrap().to_owned());
            after = page["next"].clone();
            if after.is_null() {
                return read;
            }
            if over_night {
                yard.advance(Duration::from_secs(5 * 86_400)).await;
            }
        }
    };
    let before = whole(false).await;
    let over_nights = whole(true).await;
    assert_eq!(over_nights, before);
    assert_ne!(whole(false).await, before, "what the B did has faded");
}
