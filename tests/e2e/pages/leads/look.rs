//! One act on many after a look: the look changes nothing, a second click neither, and what changed meanwhile stays as it is.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::json;

use super::{EXPORT, MANY, OF_WEB2, acts, exports, listed, says, times, waits, yard};
use crate::pages::{HOSTILE, is_harmless, names_nobody};

#[tokio::test(start_paused = true)]
async fn many_are_held_and_resumed_after_a_look_that_says_who_stays_and_why() {
    let yard = yard("10").await;
    let (first, second, sold) = (waits(&yard, 1).await, waits(&yard, 2).await, waits(&yard, 3).await);
    let _ = acts(&yard, &sold, "place", json!({ "contract": "hudson" })).await.is(200);
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(OF_WEB2).await.is(200);
    let nothing = desk.submits(&page, MANY, &[("act", "hold")]).await.is(303);
    says(&desk.opens(nothing.header("location")).await.is(200), &["Nothing was chosen"]);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "hold")]).await.is(200);
    says(&look, &["2 would be held", "1 would stay as they are", "only a lead that nobody has can be held"]);
    assert!(yard.stored(&first).await.hold.is_none(), "a look changes nothing");
    names_nobody(&look, &["@", "5550101"]);
    // A second click finds each as the first left it.
    for _ in 0..2 {
        let typed = [("reason", "a storm"), ("until", "2026-06-02T09:00")];
        let done = desk.submits(&look, MANY, &typed).await.is(303);
        says(&desk.opens(done.header("location")).await.is(200), &["2 held."]);
    }
    for lead in [&first, &second] {
        let until = yard.stored(lead).await.hold.unwrap().until.unwrap();
        assert_eq!(until.to_string(), "2026-06-02T13:00:00Z");
        assert_eq!(times(&yard, lead, "hold").await, 1);
    }
    let held = yard.story(&first).await;
    assert_eq!(held.list("history").next().unwrap()["reason"], "a storm");
    // One alone is resumed.
    let one = format!("one.{first}");
    let look = desk.submits(&page, MANY, &[(&one, "on"), ("act", "resume")]).await.is(200);
    says(&look, &["1 would go to distribution"]);
    let _ = desk.submits(&look, MANY, &[]).await.is(303);
    assert!(yard.stored(&first).await.hold.is_none() && yard.stored(&second).await.hold.is_some());
    let _ = desk.submits(&page, MANY, &[("every", "on"), ("act", "erase")]).await.is(400);
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_is_none_is_said_and_neither_all_are_shown_nor_anything_is_done_with_them() {
    let yard = yard("10").await;
    let _ = waits(&yard, 1).await;
    let desk = Browser::of(&yard).await;
    let export = desk.opens(EXPORT).await.is(200);
    for (name, rule) in [
        ("offer=Gutter+Work", "offer: an id is 1 to 48"),
        ("state=Nowhere", "state: a state is its two letters"),
        ("held=maybe", "held: it is yes or no"),
        ("waits=long", "waits: a waiting reason is"),
        ("order=newest", "order: it is time or score"),
    ] {
        let list = format!("company=acme&list=waiting&{name}");
        for page in ["/console/leads", EXPORT] {
            says(&desk.opens(&format!("{page}?{list}")).await.is(400), &[rule]);
        }
        let list: String = form_urlencoded::byte_serialize(list.as_bytes()).collect();
        let all = format!("act=hold&whole=on&list={list}&{}", desk.csrf().await);
        says(&desk.sends(MANY, &all).await.is(400), &[rule]);
        let list = list.replace("%3D", "=").replace("%26", "&").replace("%2B", " ");
        says(&desk.submits(&export, EXPORT, &[("list", &list), ("who", "on")]).await.is(400), &[rule]);
    }
    assert_eq!(exports(&yard).await.len(), 0);
    // However it is written, it is chosen again when another filter is.
    let page = desk.opens("/console/leads?list=waiting&state=florida&held=no").await.is(200);
    says(&page, &["1 shown of 1", "<option value=\"FL\" selected>"]);
}

#[tokio::test(start_paused = true)]
async fn many_are_placed_as_recommended_and_taken_back() {
    let yard = yard("2").await;
    let mut leads = Vec::new();
    for n in 1..=3 {
        leads.push(waits(&yard, n).await);
    }
    let desk = Browser::of(&yard).await;
    // A list that nobody is on is told from one of whose leads none is as asked.
    let nobody = desk.opens("/console/leads?list=won").await.is(200);
    says(&nobody, &["No lead is on this list."]);
    let elsewhere = desk.opens("/console/leads?list=waiting&state=AK").await.is(200);
    says(&elsewhere, &["None of the 3 leads looked at is such a one."]);
    assert!(!elsewhere.text.contains("0 shown"), "{}", elsewhere.text);
    let page = desk.opens("/console/leads?list=waiting").await.is(200);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "place")]).await.is(200);
    says(
        &look,
        &["2 would go, for 90.00 USD", "to hudson (hudson) for 45.00 USD", "1 would stay as they are"],
    );
    for _ in 0..2 {
        let done = desk.submits(&look, MANY, &[]).await.is(303);
        says(&desk.opens(done.header("location")).await.is(200), &["2 placed."]);
    }
    yard.settle().await;
    assert_eq!(yard.taken("hudson", 4).await, 2);
    let page = desk.opens("/console/leads?list=dealer:hudson").await.is(200);
    let held = listed(&page);
    assert_eq!(held.len(), 2);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "take_back")]).await.is(200);
    says(&look, &["2 would be taken back", "from hudson, who is told first"]);
    // One is given back by its dealer meanwhile, and the desk gives it to nobody else's harm.
    let _ = yard.answers("hudson", &held[0], "decline").await.is(200);
    yard.settle().await;
    let done = desk.submits(&look, MANY, &[]).await.is(303);
    says(&desk.opens(done.header("location")).await.is(200), &["1 taken back. 1 stayed as they are"]);
    yard.settle().await;
    for lead in &leads {
        assert_eq!(yard.story(lead).await.holders(), [""; 0]);
    }
    assert_eq!(
        (times(&yard, &held[0], "take_back").await, times(&yard, &held[1], "take_back").await),
        (0, 1)
    );
}

/// A lead of two seats, either of which may be returned.
async fn two_seats() -> (Yard, String, Vec<String>) {
    let seat = [
        ("sale", "shared:2"),
        ("return_days", "7"),
        ("return_quota", "10%"),
        ("return_reasons", "wrong-number"),
    ];
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", seat).seller("ridge", seat)).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let holders: Vec<String> =
        yard.story(&lead).await.holders().iter().map(|holder| (*holder).to_owned()).collect();
    assert_eq!(holders.len(), 2);
    (yard, lead, holders)
}

const ASSIGNED: &str = "/console/leads?list=assigned";

#[tokio::test(start_paused = true)]
async fn of_two_seats_both_are_taken_back_or_none() {
    let (yard, lead, holders) = two_seats().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(ASSIGNED).await.is(200);
    let looked = desk.submits(&page, MANY, &[("every", "on"), ("act", "take_back")]).await.is(200);
    says(&looked, &["1 would be taken back"]);
    // The second asks to return it: nor is the first taken back, and a look says so.
    let asks = Some(json!({ "reason": "wrong-number" }));
    let _ = yard.answers_with(&holders[1], &lead, "return", asks).await.is(200);
    let stays = desk.submits(&page, MANY, &[("every", "on"), ("act", "take_back")]).await.is(200);
    says(&stays, &["None of them would be taken back", "its dealer asks to return it"]);
    let done = desk.submits(&looked, MANY, &[]).await.is(303);
    says(&desk.opens(done.header("location")).await.is(200), &["0 taken back. 1 stayed as they are"]);
    let _ = acts(&yard, &lead, "take_back", json!({})).await.is(409);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), holders);
    assert_eq!(times(&yard, &lead, "take_back").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_take_back_that_broke_off_between_two_seats_is_gone_on_with_by_the_same_form() {
    let (yard, lead, _) = two_seats().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(ASSIGNED).await.is(200);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "take_back")]).await.is(200);
    let first = yard.faults.hold_commit();
    let _ = tokio::join!(desk.submits(&look, MANY, &[]), async {
        first.arrives().await;
        yard.faults.table(true);
        first.let_go();
    });
    yard.faults.table(false);
    assert_eq!(times(&yard, &lead, "take_back").await, 1, "it broke off between the two");
    for _ in 0..2 {
        let done = desk.submits(&look, MANY, &[]).await.is(303);
        says(&desk.opens(done.header("location")).await.is(200), &["1 taken back."]);
        assert_eq!(times(&yard, &lead, "take_back").await, 2, "and a second click is the first");
    }
    // The first was not handed on: the sweep finds it.
    yard.advance(Duration::from_secs(120)).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments().iter().filter(|(_, state)| *state == "withdrawn").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_the_look_stays_and_is_counted_so() {
    let yard = yard("10").await;
    let (first, second) = (waits(&yard, 1).await, waits(&yard, 2).await);
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads?list=waiting").await.is(200);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "place")]).await.is(200);
    says(&look, &["2 would go"]);
    let _ = acts(&yard, &first, "hold", json!({ "reason": "I call them" })).await.is(200);
    let done = desk.submits(&look, MANY, &[]).await.is(303);
    says(&desk.opens(done.header("location")).await.is(200), &["1 placed. 1 stayed as they are"]);
    yard.settle().await;
    assert_eq!(yard.story(&first).await.holders(), [""; 0]);
    assert_eq!(yard.story(&second).await.holders(), ["hudson"]);
    // Of another company nobody is looked at, and nothing is done.
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let csrf = theirs.csrf().await;
    let form = format!("{csrf}&act=resume&list=company%3Dother&one.{first}=on");
    let looked = theirs.sends(MANY, &form).await.is(200);
    assert!(!looked.text.contains(&first), "{}", looked.text);
    let done = theirs.sends(MANY, &format!("{form}&sure=yes&seen.{first}=null")).await.is(303);
    assert!(done.header("location").contains("count=0"), "{}", done.header("location"));
    let _ = theirs.sends(MANY, &form.replace("Dother", "Dacme")).await.is(404);
    assert!(yard.stored(&first).await.hold.is_some());
}

#[tokio::test(start_paused = true)]
async fn names_in_a_list_and_a_look_are_text() {
    let yard = yard("10").await;
    let person = Person::number(1).with("first_name", HOSTILE).with("city", HOSTILE);
    let aside = yard.server("web2").posts(&person).await.is(202).text_of("enquiry").to_owned();
    let release = format!("/v1/quarantine/{aside}/release");
    let _ = yard.desk(Method::POST, &release, None).await.is(200);
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads?list=waiting&state=%22%3E%3Cscript%3E").await.is(400);
    is_harmless(&page);
    let page = desk.opens("/console/leads?list=waiting").await.is(200);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "hold")]).await.is(200);
    says(&look, &["&#60;script&#62;"]);
    is_harmless(&page);
    is_harmless(&look);
}
