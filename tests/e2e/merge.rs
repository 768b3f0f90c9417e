//! The desk merges two leads of one person by hand, and both histories are kept.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use leadyard_domain::lead::Stage;
use leadyard_tests::{Person, Reply, Rules, Says, Story, Yard};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Hudson takes one lead, ridge the next one, crest whatever is left.
fn three() -> Rules {
    Rules::roofing("acme")
        .seller("hudson", [("tier", "1"), ("cap_total", "1")])
        .seller("ridge", [("tier", "2"), ("cap_total", "1")])
        .seller("crest", [("tier", "3")])
}

/// Ada, as she writes from home and from work: with one phone.
fn at_home() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-555-0100").with("message", "the roof leaks")
}

fn at_work() -> Person {
    at_home().with("email", "ada@work.example").with("message", "our roof again").with("city", "Miami")
}

async fn merges(yard: &Yard, from: &str, into: &str) -> Reply {
    let body = json!({ "into": into, "reason": "the same person: she said so" });
    yard.desk(Method::POST, &format!("/v1/leads/{from}/merge"), Some(body)).await
}

async fn asks(yard: &Yard, person: &Person) -> (String, String) {
    let reply = yard.server("web").posts(person).await;
    (reply.text_of("status").to_owned(), reply.text_of("lead").to_owned())
}

/// Contracts and the states of their seats, by name: under a clock that stands still all are given at once.
fn seats(story: &Story) -> Vec<(&str, &str)> {
    let mut seats = story.assignments();
    seats.sort_unstable();
    seats
}

fn events(yard: &Yard, dealer: &str) -> Vec<String> {
    yard.told(dealer).iter().map(|told| told.event.clone()).collect()
}

async fn interacts(yard: &Yard, person: Value, ids: &[&str]) {
    let at = yard.cloud.clock.now();
    for id in ids {
        let mut one = person.clone();
        one["id"] = json!(id);
        one["kind"] = json!("quote_request");
        one["at"] = json!(at);
        let path = format!("/v1/interactions/{}", yard.page("web").key());
        let body = one.to_string().into_bytes();
        let reply =
            yard.sends(Some(&yard.secret("web")), Method::POST, &path, "application/json", body).await;
        let _ = reply.is(202);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_nurtured_in_somebodys_hands_by_an_earlier_version_rests_with_them() {
    let rules =
        Rules::company("acme").offer("roof", "roofing", "band = \"A1\"").source("web", "offer = \"roof\"");
    let yard = Yard::of(rules.seller("hudson", [])).await;
    let lead = yard.settled_lead(&at_home()).await;
    assert_eq!(yard.story(&lead).await.stage(), "nurturing");
    let body = json!({ "contract": "hudson", "reason": "agreed" });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/place"), Some(body)).await.is(200);
    yard.settle().await;
    // As a merge across offers left it: held, and not of the band of its own offer.
    let mut stored = yard.stored(&lead).await;
    (stored.stage, stored.crossed) = (Stage::Nurturing, false);
    stored.due = Some(yard.cloud.clock.now());
    assert!(yard.cloud.store.lead_save(&stored).await.unwrap());
    yard.advance(MINUTE * 2).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.holders()), ("assigned", vec!["hudson"]));
    assert_eq!(yard.stored(&lead).await.due, Some(stored.held_until()));
}

#[tokio::test(start_paused = true)]
async fn two_leads_that_are_both_held_become_one_and_both_histories_are_kept() {
    let yard = Yard::of(three()).await;
    let (one, other) = (yard.settled_lead(&at_home()).await, yard.settled_lead(&at_work()).await);
    let (before, theirs) = (yard.story(&one).await, yard.story(&other).await);
    assert!(before.possible_duplicate() && theirs.possible_duplicate());
    assert_eq!((before.holders(), theirs.holders()), (vec!["hudson"], vec!["ridge"]));

    let told = merges(&yard, &other, &one).await.is(200);
    assert_eq!(told.json["after"]["merged_into"], one);
    yard.settle().await;

    let story = yard.story(&one).await;
    assert_eq!((story.stage(), story.holders()), ("assigned", vec!["hudson", "ridge"]));
    assert_eq!((story.enquiries(), story.assignments().len()), (2, 2));
    assert_eq!(story.decisions(), ["assigned", "assigned"]);
    assert_eq!((story.0["merged"].clone(), story.possible_duplicate()), (json!([other]), false));
    // A blank was filled, and nothing overwritten.
    assert_eq!(story.0["person"]["city"], "Miami");
    assert_eq!(story.0["person"]["email"], "ada.hill@mail.example");
    // Who, when, before and after: once in the whole, and in each of the two.
    let acts: Vec<&Value> = story.list("history").collect();
    assert_eq!(acts.len(), 1);
    assert_eq!((&acts[0]["act"], &acts[0]["by"]), (&json!("merge"), &json!("desk")));
    assert_eq!(acts[0]["before"]["lead"]["stage"], "assigned");
    assert_eq!(acts[0]["after"]["stage"], "assigned");
    // Its id goes on answering, with its own history, and says who goes on for it.
    let merged = yard.story(&other).await;
    assert_eq!((merged.stage(), &merged.0["merged_into"]), ("rejected", &json!(one)));
    assert_eq!((merged.enquiries(), merged.assignments()), (1, theirs.assignments()));
    assert!(!merged.possible_duplicate());
    assert_eq!(merged.list("history").count(), 1);
    // What was decided of either is explained under either.
    for decision in story.list("decisions") {
        let path = format!("/v1/leads/{one}/decisions/{}", decision["id"].as_str().unwrap());
        assert_eq!(yard.desk(Method::GET, &path, None).await.is(200).json["as_recorded"], true);
    }
    // Nobody was told, charged or counted again.
    assert_eq!(
        (events(&yard, "hudson"), events(&yard, "ridge")),
        (vec!["lead.assigned".to_owned()], vec!["lead.assigned".to_owned()])
    );
    assert_eq!(
        (yard.taken("hudson", 4).await, yard.taken("ridge", 4).await, yard.taken("crest", 4).await),
        (1, 1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_it_back_the_other_holds_it_and_nobody_else_gets_it() {
    let yard = Yard::of(three()).await;
    let (one, other) = (yard.settled_lead(&at_home()).await, yard.settled_lead(&at_work()).await);
    let _ = merges(&yard, &other, &one).await.is(200);
    // Ridge's seat stands with the lead that it bought.
    let _ = yard.answers("ridge", &one, "decline").await.is(200);
    yard.advance(MINUTE * 5).await;
    let story = yard.story(&one).await;
    assert_eq!((story.stage(), story.holders()), ("assigned", vec!["hudson"]));
    assert_eq!(yard.taken("ridge", 4).await, 0, "its slot is back");
    assert!(events(&yard, "crest").is_empty(), "what hudson bought alone is not sold again");
    let statement = yard.desk(Method::GET, "/v1/dealers/ridge/statement?month=2026-06", None).await.is(200);
    assert_eq!(statement.json["owed"], "0.00");
    // Hudson gives it back as well: now somebody else may have it, and neither of the two.
    let _ = yard.answers("hudson", &one, "decline").await.is(200);
    yard.advance(MINUTE * 5).await;
    assert_eq!(yard.story(&one).await.holders(), ["crest"]);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn won_by_either_it_is_won() {
    let yard = Yard::of(three()).await;
    let (one, other) = (yard.settled_lead(&at_home()).await, yard.settled_lead(&at_work()).await);
    let _ = merges(&yard, &other, &one).await.is(200);
    yard.settle().await;
    let _ = yard.answers("ridge", &one, "won").await.is(200);
    let story = yard.story(&one).await;
    assert_eq!((story.stage(), seats(&story)), ("won", vec![("hudson", "offered"), ("ridge", "won")]));
    assert_eq!(yard.story(&other).await.stage(), "rejected");
    // A repeat of either is told to both, as of any shared lead.
    let _ = asks(&yard, &at_work()).await;
    yard.settle().await;
    for dealer in ["hudson", "ridge"] {
        assert_eq!(events(&yard, dealer), ["lead.assigned", "lead.repeated"]);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_again_by_any_e_mail_or_phone_finds_the_survivor() {
    let yard = Yard::of(three()).await;
    let home = at_home().without("phone");
    let married = Person::named("Ada", "King").with("phone", "305-555-0177");
    let (one, other) = (yard.settled_lead(&home).await, yard.settled_lead(&married).await);
    let _ = merges(&yard, &other, &one).await.is(200);
    let by_phone = |last: &str| Person::named("A.", last).without("email").with("phone", "305-555-0177");
    for person in [home.clone(), married.clone(), by_phone("King"), by_phone("Hill"), by_phone("")] {
        assert_eq!(asks(&yard, &person).await, ("repeat".to_owned(), one.clone()));
    }
    yard.settle().await;
    assert_eq!(yard.story(&one).await.enquiries(), 7);
    // Both holders are told of each, under the lead that each of them bought.
    let told: BTreeSet<String> = yard
        .told("ridge")
        .iter()
        .map(|told| told.body["data"]["lead_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((told, yard.told("ridge").len(), yard.told("hudson").len()), (BTreeSet::from([other]), 6, 6));
    // Whose e-mail is neither's is somebody else, as ever.
    let ben = Person::named("Ben", "King").with("phone", "305-555-0177");
    let (status, tenant) = asks(&yard, &ben).await;
    assert_eq!(status, "received");
    assert!(yard.story(&tenant).await.possible_duplicate() && yard.story(&one).await.possible_duplicate());
}

#[tokio::test(start_paused = true)]
async fn what_either_did_counts_once_whenever_it_arrives() {
    let yard = Yard::of(three()).await;
    let (one, other) = (yard.settled_lead(&at_home()).await, yard.settled_lead(&at_work()).await);
    interacts(&yard, json!({ "lead": one }), &["first"]).await;
    interacts(&yard, json!({ "lead": other }), &["second"]).await;
    yard.settle().await;
    // On its way while they are merged, and the same again afterwards.
    interacts(&yard, json!({ "lead": other }), &["third"]).await;
    let _ = merges(&yard, &other, &one).await.is(200);
    yard.settle().await;
    interacts(&yard, json!({ "lead": other }), &["first", "second", "third"]).await;
    interacts(&yard, json!({ "email": "ada@work.example" }), &["third"]).await;
    yard.settle().await;
    let story = yard.story(&one).await;
    let counted: u64 = story
        .list("interactions")
        .filter(|of| of["kind"] == "quote_request")
        .map(|of| of["count"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, 3);
    let stored = yard.stored(&one).await.score.unwrap();
    assert_eq!(json!(stored.points), story.0["score"]["total"], "the score is that of the union");
    let heat = stored.heat;
    assert!(heat > yard.stored(&other).await.score.unwrap().heat);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_not_sold_beside_what_is_held() {
    let rules = || Rules::roofing("acme").seller("hudson", [("cap_total", "1")]);
    for survivor_is_held in [true, false] {
        let yard = Yard::of(rules()).await;
        let (held, waits) = (yard.settled_lead(&at_home()).await, yard.settled_lead(&at_work()).await);
        assert_eq!(yard.story(&waits).await.waiting(), "cap");
        let (from, into) = if survivor_is_held { (&waits, &held) } else { (&held, &waits) };
        let _ = merges(&yard, from, into).await.is(200);
        let _ = yard.publish(&rules().seller("crest", [])).await.is(200);
        yard.advance(MINUTE * 10).await;
        let story = yard.story(into).await;
        assert_eq!((story.stage(), story.holders(), story.enquiries()), ("assigned", vec!["hudson"], 2));
        assert!(events(&yard, "crest").is_empty());
        // Its holder hears of the enquiry that nobody bought; the other way round it waited, and is told of none.
        let repeats = events(&yard, "hudson").iter().filter(|event| *event == "lead.repeated").count();
        assert_eq!(repeats, usize::from(survivor_is_held));
        let waiting = yard.desk(Method::GET, "/v1/waiting", None).await.is(200);
        assert_eq!(waiting.json["examined"].as_u64().unwrap_or(0), 0, "nobody waits: {}", waiting.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_came_with_another_lead_is_taken_back_and_delivered_where_it_stands() {
    let yard = Yard::of(three()).await;
    let one = yard.settled_lead(&at_home()).await;
    yard.dealer_says("ridge", Says::IsShut);
    let other = yard.settled_lead(&at_work()).await;
    // Its first attempt failed; the next is on its way when they are merged.
    let _ = merges(&yard, &other, &one).await.is(200);
    yard.dealer_says("ridge", Says::Status(200));
    yard.advance(MINUTE).await;
    let told = yard.told("ridge");
    assert_eq!(
        (told.len(), told[0].event.as_str(), &told[0].body["data"]["lead_id"]),
        (1, "lead.assigned", &json!(other))
    );
    let shown = yard.inbox("ridge").await;
    assert_eq!(shown[0]["person"]["email"], "ada@work.example", "what it bought");

    let seat = yard.story(&one).await.assignment("ridge")["assignment"].clone();
    let body = json!({ "assignment": seat, "reason": "one is enough" });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{one}/take_back"), Some(body)).await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(events(&yard, "ridge"), ["lead.assigned", "lead.withdrawn"]);
    let story = yard.story(&one).await;
    assert_eq!(
        (story.holders(), seats(&story)),
        (vec!["hudson"], vec![("hudson", "offered"), ("ridge", "withdrawn")])
    );
    assert!(events(&yard, "crest").is_empty());
    let statement = yard.desk(Method::GET, "/v1/dealers/ridge/statement?month=2026-06", None).await.is(200);
    assert_eq!(statement.json["owed"], "0.00");
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_bought_the_person_twice_is_named_before_and_after() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let (one, other) = (yard.settled_lead(&at_home()).await, yard.settled_lead(&at_work()).await);
    let body = json!({ "into": one, "reason": "the same", "dry_run": true });
    let would = yard.desk(Method::POST, &format!("/v1/leads/{other}/merge"), Some(body)).await.is(200);
    assert_eq!(would.json["after"]["held_twice"], json!(["hudson"]));
    assert_eq!(yard.story(&other).await.0["merged_into"], Value::Null, "a dry run changes nothing");
    assert_eq!(merges(&yard, &other, &one).await.is(200).json["after"], would.json["after"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_click_a_circle_and_a_chain() {
    let yard = Yard::of(three()).await;
    let mut leads = Vec::new();
    for number in 1..=4 {
        leads.push(yard.settled_lead(&Person::number(number)).await);
    }
    let [one, two, three, four] = [&leads[0], &leads[1], &leads[2], &leads[3]];
    let _ = merges(&yard, one, one).await.is(409);
    let _ = merges(&yard, two, one).await.is(200);
    assert_eq!(merges(&yard, two, one).await.is(200).json["already"], true);
    assert_eq!(yard.story(two).await.list("history").count(), 1, "a second click writes nothing");
    let _ = merges(&yard, one, two).await.is(409); // a circle
    let elsewhere = merges(&yard, two, three).await.is(409);
    assert_eq!(elsewhere.json["merged_into"], json!(one));
    // Into a lead that was merged is into the one that goes on for it; and that one may itself be merged.
    assert_eq!(merges(&yard, three, two).await.is(200).json["after"]["merged_into"], json!(one));
    let _ = merges(&yard, one, four).await.is(200);
    yard.settle().await;
    for lead in [one, two, three] {
        assert_eq!(yard.story(lead).await.0["merged_into"], json!(four));
    }
    let story = yard.story(four).await;
    assert_eq!(
        (story.enquiries(), story.assignments().len(), story.0["merged"].as_array().unwrap().len()),
        (4, 4, 3)
    );
    for number in 1..=4 {
        assert_eq!(asks(&yard, &Person::number(number)).await, ("repeat".to_owned(), four.clone()));
    }
    // Nothing else is done to what was merged.
    for act in ["place", "take_back", "hold", "resume", "reject", "reopen", "priority", "note"] {
        let body = json!({ "contract": "crest", "text": "x", "reason": "x" });
        let refused = yard.desk(Method::POST, &format!("/v1/leads/{two}/{act}"), Some(body)).await.is(409);
        assert_eq!(refused.json["merged_into"], json!(one), "{act}");
    }
}

#[tokio::test(start_paused = true)]
async fn many_are_merged_into_one_and_what_is_refused_says_why() {
    let yard = Yard::of(three()).await;
    let blue = yard.also(Rules::roofing("blue").seller("hudson", [])).await;
    let mut leads = Vec::new();
    for number in 1..=3 {
        leads.push(yard.settled_lead(&Person::number(number)).await);
    }
    let foreign = blue.settled_lead(&Person::number(9)).await;
    let nobody = "019e83e9-d400-7000-8000-00000000dead";
    let (one, from) = (&leads[0], json!([leads[0], leads[1], leads[2], foreign, nobody]));
    let body = json!({ "leads": from, "into": one, "reason": "one person" });
    let reply = yard.desk(Method::POST, "/v1/leads/merge", Some(body)).await.is(200);
    let done: Vec<bool> =
        reply.json["results"].as_array().unwrap().iter().map(|result| result["done"] == true).collect();
    assert_eq!(done, [false, true, true, false, false]);
    assert_eq!(reply.json["results"][0]["problem"]["status"], 409);
    assert_eq!(reply.json["results"][3]["problem"]["status"], 404, "companies know nothing of each other");
    // Nor into a lead of another company, whoever asks.
    let _ = merges(&yard, one, &foreign).await.is(404);
    let _ = merges(&blue, one, &foreign).await.is(404);
    assert_eq!(blue.story(&foreign).await.0["merged"], json!([]));
    let path = format!("/v1/leads/{one}/merge");
    for body in [json!({ "into": foreign }), json!({ "reason": "x" }), json!({ "into": "x", "reason": "x" })]
    {
        let _ = yard.desk(Method::POST, &path, Some(body)).await.is(400);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lead_of_the_category_and_the_second_lead_of_an_offer_stay_two() {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "")
        .seller("hudson", [("offers", "roof")])
        .seller("ridge", [("offers", "gutter")]);
    let yard = Yard::of(rules).await;
    let roof = yard.settled_lead(&at_home()).await;
    let gutter = yard.settled_lead(&at_home().with("offer", "gutter")).await;
    let refused = merges(&yard, &gutter, &roof).await.is(409);
    assert_eq!(
        (&refused.json["scope"], &refused.json["into_scope"]),
        (&json!("o:gutter"), &json!("c:roofing"))
    );
}

#[tokio::test(start_paused = true)]
async fn at_one_moment_one_merge_of_two_stands_and_every_enquiry_finds_the_survivor() {
    let yard = Yard::of(three()).await;
    let (one, other) = (yard.lead(&at_home()).await, yard.lead(&at_work()).await);
    // Nothing is settled: distribution has both before it.
    let (home, work) = (at_home(), at_work());
    let server = yard.server("web");
    let there = futures::future::join_all((0..4).map(|_| merges(&yard, &other, &one)));
    let back = futures::future::join_all((0..4).map(|_| merges(&yard, &one, &other)));
    let posts = futures::future::join_all((0..3).flat_map(|_| [server.posts(&home), server.posts(&work)]));
    let (there, back, posts, ()) = futures::join!(there, back, posts, yard.settle());
    yard.advance(MINUTE * 2).await;
    let stands = |replies: &[Reply]| replies.iter().filter(|reply| reply.status.as_u16() == 200).count();
    assert!((stands(&there) == 0) != (stands(&back) == 0), "one direction stands");
    assert!(posts.iter().all(|reply| reply.status.is_success()));
    let (survivor, merged) = if stands(&there) > 0 { (&one, &other) } else { (&other, &one) };
    let story = yard.story(survivor).await;
    assert_eq!((story.enquiries(), yard.story(merged).await.0["merged_into"].clone()), (8, json!(survivor)));
    assert_eq!(story.list("history").count(), 1);
    assert!(story.holders().len() <= 2 && story.stage() == "assigned");
    let sold = story.assignments().len();
    let taken = futures::join!(yard.taken("hudson", 4), yard.taken("ridge", 4), yard.taken("crest", 4));
    assert_eq!(sold, (taken.0 + taken.1 + taken.2) as usize);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_is_sold_while_it_is_merged_is_merged_as_sold() {
    let yard = Yard::of(three()).await;
    let one = yard.settled_lead(&at_home()).await;
    let other = yard.lead(&at_work()).await;
    let held = yard.faults.hold_commit();
    let (reply, ()) = futures::join!(merges(&yard, &other, &one), async {
        held.arrives().await;
        yard.settle().await;
        held.let_go();
    });
    let told = reply.is(200);
    assert_eq!(told.json["before"]["lead"]["stage"], "assigned", "it looked again");
    yard.settle().await;
    assert_eq!(yard.story(&one).await.holders(), ["hudson", "ridge"]);
    assert_eq!(yard.story(&one).await.list("history").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_is_merged_while_it_is_decided_is_not_sold() {
    let yard = Yard::of(three()).await;
    let one = yard.settled_lead(&at_home()).await;
    let other = yard.lead(&at_work()).await;
    let held = yard.faults.hold_commit();
    let ((), ()) = futures::join!(yard.settle(), async {
        held.arrives().await;
        let _ = merges(&yard, &other, &one).await.is(200);
        held.let_go();
    });
    yard.advance(MINUTE * 5).await;
    assert!(events(&yard, "ridge").is_empty());
    assert_eq!((yard.story(&one).await.holders(), yard.taken("ridge", 4).await), (vec!["hudson"], 0));
    // Hudson hears of the enquiry that nobody bought.
    assert_eq!(events(&yard, "hudson"), ["lead.assigned", "lead.repeated"]);
    assert_eq!(yard.told("hudson")[1].body["data"]["message"], "our roof again");
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn sales_at_different_times_stay_two_cycles() {
    let yard = Yard::of(three()).await;
    let old = yard.settled_lead(&at_home()).await;
    let _ = yard.answers("hudson", &old, "lost").await.is(200);
    yard.advance(DAY * 40).await;
    let new = yard.settled_lead(&at_work().with("phone", "305-555-0188")).await;
    assert_eq!(yard.story(&new).await.holders(), ["ridge"]);
    // The older id survives: it goes on as its next cycle, held by whoever holds the newer.
    let _ = merges(&yard, &new, &old).await.is(200);
    yard.settle().await;
    let story = yard.story(&old).await;
    assert_eq!((story.cycle(), story.stage(), story.holders()), (2, "assigned", vec!["ridge"]));
    let _ = yard.answers("ridge", &old, "won").await.is(200);
    assert_eq!(yard.story(&old).await.stage(), "won");
    assert_eq!(asks(&yard, &at_home()).await, ("repeat".to_owned(), old));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_names_who_was_merged_stops_the_survivor_and_gives_back_that_one_alone() {
    // Hudson's only lead is somebody else's: both of Ada's wait.
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await;
    let first = yard.settled_lead(&Person::number(9)).await;
    let (home, work) = (yard.settled_lead(&at_home()).await, yard.settled_lead(&at_work()).await);
    assert_ne!(home, work);
    let _ = merges(&yard, &work, &home).await.is(200);
    yard.settle().await;
    let lists = |remove: &'static str| {
        let rows = json!({ "rows": [{ "email": "ada@work.example", "remove": remove }] });
        yard.desk(Method::POST, "/v1/import/suppressed", Some(rows))
    };
    let _ = lists("").await.is(200);
    assert_eq!(yard.story(&home).await.stage(), "rejected");
    let _ = lists("yes").await.is(200);
    // The slot comes back: one lead is there to take it, and one alone.
    let _ = yard.answers("hudson", &first, "decline").await.is(200);
    yard.advance(MINUTE * 5).await;
    assert_eq!(yard.story(&home).await.holders(), ["hudson"]);
    assert_eq!(yard.told("hudson").iter().filter(|told| told.event == "lead.assigned").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_of_who_was_merged_and_listed_goes_to_nobody_else() {
    let yard = Yard::of(three()).await;
    let (one, other) = (yard.settled_lead(&at_home()).await, yard.settled_lead(&at_work()).await);
    let _ = merges(&yard, &other, &one).await.is(200);
    // Both seats are held: the list leaves them alone.
    let rows = json!({ "rows": [{ "email": "ada@work.example" }] });
    let _ = yard.desk(Method::POST, "/v1/import/suppressed", Some(rows)).await.is(200);
    assert_eq!(yard.story(&one).await.holders(), ["hudson", "ridge"]);
    for dealer in ["hudson", "ridge"] {
        let _ = yard.answers(dealer, &one, "decline").await.is(200);
        yard.advance(MINUTE * 5).await;
    }
    // Its own e-mail is on no list; that of the lead it took over is.
    assert_eq!(yard.story(&one).await.stage(), "rejected");
    assert!(events(&yard, "crest").is_empty());
}
