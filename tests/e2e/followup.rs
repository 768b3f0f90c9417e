//! No old lead is left to rot: who is called again, when, by whom, and what follows.

use std::time::Duration;

use http::{HeaderMap, Method};
use leadyard_domain::access::DeskToken;
use leadyard_domain::followup::Ended;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const FORM: &str = "application/x-www-form-urlencoded";

/// The offer needs A1: a complete form is A2, and a quote request makes it A1. Ads are of an offer that needs nothing.
fn rules(plan: &str) -> Rules {
    Rules::company("acme")
        .offer("roof", "roofing", "band = \"A1\"")
        .offer("gutter", "roofing", "")
        .source("web", "offer = \"roof\"")
        .source("ads", "offer = \"gutter\"")
        .seller("hudson", [])
        .file("followup.toml", plan)
}

async fn yard() -> Yard {
    Yard::of(rules("not_ready = [\"1d\", \"2d\"]\nnot_reached = [\"4h\", \"1d\"]\nlost = [\"10d\"]\n")).await
}

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-274-0100")
}

/// The day's list.
async fn listed(yard: &Yard) -> Vec<Value> {
    let reply = yard.desk(Method::GET, "/v1/follow-ups", None).await.is(200);
    reply.json["follow_ups"].as_array().cloned().unwrap()
}

/// The leads of the day's list, in its order.
async fn calls(yard: &Yard) -> Vec<String> {
    listed(yard).await.iter().map(|call| call["lead"]["lead"].as_str().unwrap().to_owned()).collect()
}

async fn acts(yard: &Yard, lead: &str, act: &str, body: Value) -> Reply {
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await
}

/// Somebody else on the desk.
async fn acts_as(yard: &Yard, staff: &str, lead: &str, act: &str, body: &Value) -> Reply {
    let token = DeskToken { staff: staff.to_owned(), companies: vec![yard.company_id()] };
    let bearer = format!("Bearer {}", yard.cloud.master.mint(&token));
    let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, bearer.parse().unwrap())]);
    let path = format!("/v1/leads/{lead}/{act}");
    yard.requests(Method::POST, &path, headers, "application/json", body.to_string().into_bytes()).await
}

async fn called(yard: &Yard, lead: &str, result: &str) -> Value {
    acts(yard, lead, "call", json!({ "result": result })).await.is(200).json["after"].clone()
}

/// It does something: so many pages.
async fn did(yard: &Yard, lead: &str, id: &str, kind: &str) {
    let at = yard.cloud.clock.now().to_string();
    let one = json!({ "id": id, "kind": kind, "at": at, "lead": lead });
    let _ = yard.server("web").reports(one).await.is(202);
    yard.settle().await;
}

async fn follow_up(yard: &Yard, lead: &str) -> Value {
    yard.story(lead).await.0["follow_up"].clone()
}

/// A lead that its dealer lost, a minute after it came.
async fn lost(yard: &Yard, person: &Person) -> String {
    let lead = yard.server("ads").posts(person).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    let _ = yard.answers("hudson", &lead, "lost").await.is(200);
    assert_eq!(yard.story(&lead).await.stage(), "lost");
    lead
}

// --- The plan, for leads not ready, not reached or lost for now ---

#[tokio::test(start_paused = true)]
async fn a_lead_not_ready_is_called_when_the_plan_says_and_not_before() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    let planned = follow_up(&yard, &lead).await;
    assert_eq!(
        (&planned["stands"], &planned["reason"], &planned["attempt"], &planned["of"]),
        (&json!("planned"), &json!("not_ready"), &json!(1), &json!(2))
    );
    yard.advance(23 * HOUR).await;
    assert!(calls(&yard).await.is_empty());
    yard.advance(2 * HOUR).await;
    let list = listed(&yard).await;
    assert_eq!(list.len(), 1);
    let call = &list[0];
    assert_eq!((&call["lead"]["lead"], &call["follow_up"]["reason"]), (&json!(lead), &json!("not_ready")));
    assert_eq!(call["follow_up"]["says"], "They asked, and are not ready to be sold yet.");
    assert_eq!((&call["lead"]["band"], &call["lead"]["name"]), (&json!("A2"), &json!("Ada Hill")));
    assert!(call["lead"]["score"].as_f64().unwrap() > 0.0 && call["may_be_called"]["now"] == true, "{call}");
    // Neither e-mail nor phone stands in a list.
    assert!(!call.to_string().contains("mail.example") && !call.to_string().contains("2740100"), "{call}");
}

#[tokio::test(start_paused = true)]
async fn who_is_hot_is_one_of_our_own_people_s_and_who_is_not_ready_is_the_desk_s_to_call() {
    let rules = Rules::company("acme")
        .offer("roof", "roofing", "band = \"A1\"")
        .source("web", "offer = \"roof\"")
        .dealer("doug", [("kind", "own")])
        .contract("doug", "doug", [("price", "0")])
        .file("followup.toml", "not_ready = [\"1d\", \"2d\"]\n");
    let yard = Yard::of(rules).await;
    let (hot, not_ready) = (yard.settled_lead(&ada()).await, yard.settled_lead(&Person::number(7)).await);
    did(&yard, &hot, "asks", "quote_request").await;
    assert_eq!(yard.story(&hot).await.holders(), ["doug"]);
    yard.advance(25 * HOUR).await;
    assert_eq!(
        (yard.story(&not_ready).await.stage(), calls(&yard).await),
        ("nurturing", vec![not_ready.clone()])
    );
    assert!(yard.story(&not_ready).await.list("assignments").next().is_none(), "it was nobody's");
    // Once it is hot it is pitched, by the same one, and called by nobody else.
    for asks in ["asks too", "asks again"] {
        did(&yard, &not_ready, asks, "quote_request").await;
    }
    assert_eq!(yard.story(&not_ready).await.holders(), ["doug"]);
    assert!(calls(&yard).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_not_reached_is_tried_as_often_as_the_plan_says_and_then_rests_until_it_does_something() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    for (result, attempt, wait) in [("no_answer", 1, 4 * HOUR), ("busy", 2, DAY)] {
        let after = called(&yard, &lead, result).await;
        assert_eq!(
            (&after["stands"], &after["reason"], &after["attempt"]),
            (&json!("planned"), &json!("not_reached"), &json!(attempt))
        );
        assert!(calls(&yard).await.is_empty());
        yard.advance(wait + Duration::from_secs(120)).await;
        assert_eq!(calls(&yard).await, [lead.as_str()], "after {result}");
    }
    let after = called(&yard, &lead, "voicemail").await;
    assert_eq!((&after["stands"], &after["why"]), (&json!("rests"), &json!("plan_over")));
    yard.advance(10 * DAY).await;
    assert!(calls(&yard).await.is_empty());
    did(&yard, &lead, "p1", "page_view").await;
    assert_eq!(
        (calls(&yard).await, follow_up(&yard, &lead).await["reason"].clone()),
        (vec![lead], json!("woken"))
    );
}

#[tokio::test(start_paused = true)]
async fn one_lost_for_now_is_called_so_long_after_its_dealer_lost_it() {
    let yard = yard().await;
    let lead = lost(&yard, &ada()).await;
    let planned = follow_up(&yard, &lead).await;
    assert_eq!((&planned["stands"], &planned["reason"]), (&json!("planned"), &json!("lost")));
    yard.advance(9 * DAY).await;
    assert!(calls(&yard).await.is_empty());
    yard.advance(DAY + HOUR).await;
    assert_eq!(calls(&yard).await, [lead]);
}

#[tokio::test(start_paused = true)]
async fn one_that_nobody_took_in_its_time_is_called_too() {
    // Nobody takes a gutter: it waits, and expires at the window's end.
    let rules = Rules::company("acme")
        .offer("roof", "roofing", "")
        .offer("gutter", "roofing", "")
        .source("web", "offer = \"gutter\"")
        .dealer("hudson", [])
        .contract("hudson", "hudson", [("offers", "roof")])
        .file("followup.toml", "lost = [\"3d\"]");
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!((yard.story(&lead).await.stage(), follow_up(&yard, &lead).await), ("waiting", Value::Null));
    yard.advance(31 * DAY).await;
    assert_eq!(yard.story(&lead).await.stage(), "expired");
    assert!(calls(&yard).await.is_empty());
    yard.advance(3 * DAY).await;
    assert_eq!(calls(&yard).await, [lead]);
}

#[tokio::test(start_paused = true)]
async fn a_prizes_lead_is_followed_up_until_it_has_shown_itself_twice() {
    let rules = Rules::company("acme")
        .offer("prize", "roofing", "incentive = true")
        .source("web", "offer = \"prize\"")
        .seller("hudson", []);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(follow_up(&yard, &lead).await["reason"], "not_ready");
    did(&yard, &lead, "p1", "page_view").await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    assert_eq!(follow_up(&yard, &lead).await["why"], "moved");
}

#[tokio::test(start_paused = true)]
async fn without_a_plan_of_its_own_a_company_has_a_sensible_one_and_an_empty_list_calls_nobody() {
    let without =
        Rules::company("acme").offer("roof", "roofing", "band = \"A1\"").source("web", "offer = \"roof\"");
    let yard = Yard::of(without.seller("hudson", [])).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(follow_up(&yard, &lead).await["stands"], "planned");
    let yard = Yard::of(rules("not_ready = []")).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(follow_up(&yard, &lead).await, Value::Null);
    // Who left no phone is nobody to call.
    let yard = self::yard().await;
    let lead = yard.settled_lead(&Person::named("Bob", "Mann")).await;
    assert_eq!(follow_up(&yard, &lead).await, Value::Null);
    let _ = acts(&yard, &lead, "follow_up", json!({})).await.is(409);
}

// --- The day's call list, in order of score ---

#[tokio::test(start_paused = true)]
async fn the_list_is_in_order_of_score_as_of_now_with_promised_calls_first() {
    let yard = yard().await;
    let mut leads = Vec::new();
    for (n, pages) in [(1, 2), (2, 6), (3, 0), (4, 4)] {
        let lead = yard.settled_lead(&Person::number(n)).await;
        for page in 0..pages {
            did(&yard, &lead, &format!("{n}-{page}"), "page_view").await;
        }
        leads.push(lead);
    }
    yard.advance(DAY + HOUR).await;
    let by_score: Vec<String> = [1, 3, 0, 2].map(|at: usize| leads[at].clone()).to_vec();
    assert_eq!(calls(&yard).await, by_score);
    let list = listed(&yard).await;
    let scores: Vec<f64> = list.iter().map(|call| call["lead"]["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a > b), "{scores:?}");
    // It goes up as it does more, in the list.
    for page in 0..9 {
        did(&yard, &leads[2], &format!("more-{page}"), "page_view").await;
    }
    assert_eq!(calls(&yard).await[0], leads[2]);
    // A promise is kept before all of them.
    let at = yard.cloud.clock.now() + jiff::SignedDuration::from_hours(2);
    let _ = acts(&yard, &leads[0], "call", json!({ "result": "callback", "callback_at": at })).await.is(200);
    assert_eq!(calls(&yard).await.len(), 3);
    yard.advance(2 * HOUR + Duration::from_secs(120)).await;
    assert_eq!(calls(&yard).await[0], leads[0]);
    // And whoever asks for fewer has the head.
    let few = yard.desk(Method::GET, "/v1/follow-ups?limit=2", None).await.is(200);
    assert_eq!((few.json["follow_ups"].as_array().unwrap().len(), &few.json["more"]), (2, &json!(true)));
}

// --- A new interaction wakes a lead at once ---

#[tokio::test(start_paused = true)]
async fn a_new_interaction_or_enquiry_wakes_a_lead_at_once() {
    let yard = yard().await;
    let (nurtured, asks) = (yard.settled_lead(&ada()).await, yard.settled_lead(&Person::number(1)).await);
    let (lost_one, lost_asks) =
        (lost(&yard, &Person::number(2)).await, lost(&yard, &Person::number(3)).await);
    yard.advance(HOUR).await;
    assert!(calls(&yard).await.is_empty());
    did(&yard, &nurtured, "p1", "page_view").await;
    did(&yard, &lost_one, "p2", "page_view").await;
    let _ = yard.server("web").posts(&Person::number(1).with("message", "still here")).await.is(200);
    let _ = yard.server("ads").posts(&Person::number(3).with("message", "again")).await.is(200);
    yard.settle().await;
    let mut woken = calls(&yard).await;
    let mut all = vec![nurtured, asks, lost_one, lost_asks];
    woken.sort();
    all.sort();
    assert_eq!(woken, all);
    assert!(listed(&yard).await.iter().all(|call| call["follow_up"]["reason"] == "woken"));
}

#[tokio::test(start_paused = true)]
async fn what_is_worth_nothing_wakes_nobody() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    did(&yard, &lead, "x", "unheard_of").await;
    let at = yard.cloud.clock.now().to_string();
    let scanned =
        json!({ "id": "s", "kind": "email_click", "at": at, "lead": lead, "message": "m", "sent_at": at });
    let _ = yard.server("web").reports(scanned).await.is(202);
    yard.settle().await;
    assert_eq!(
        (calls(&yard).await, follow_up(&yard, &lead).await["stands"].clone()),
        (Vec::new(), json!("planned"))
    );
}

#[tokio::test(start_paused = true)]
async fn who_becomes_ready_is_sold_and_called_no_more() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    assert_eq!(calls(&yard).await, [lead.as_str()]);
    for more in ["q1", "q2"] {
        did(&yard, &lead, more, "quote_request").await;
    }
    assert_eq!(yard.story(&lead).await.stage(), "assigned");
    assert!(calls(&yard).await.is_empty());
    assert_eq!(follow_up(&yard, &lead).await["why"], "moved");
    let _ = acts(&yard, &lead, "claim", json!({})).await.is(409).is_problem("state-conflict");
}

// --- Claim, call result, callback ---

#[tokio::test(start_paused = true)]
async fn somebody_claims_a_lead_for_fifteen_minutes_and_nobody_else_has_it_meanwhile() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let claim = acts(&yard, &lead, "claim", json!({})).await.is(200).json["after"]["claim"].clone();
    let until: jiff::Timestamp = claim["until"].as_str().unwrap().parse().unwrap();
    assert_eq!(until.duration_since(yard.cloud.clock.now()).as_mins(), 15);
    for (act, body) in [("claim", json!({})), ("call", json!({ "result": "busy" }))] {
        let refused = acts_as(&yard, "lee", &lead, act, &body).await.is(409).is_problem("state-conflict");
        assert_eq!(refused.json["claim"], claim, "who has it, and until when");
        assert!(refused.text.contains("desk is calling them"), "{}", refused.text);
    }
    assert_eq!(listed(&yard).await[0]["follow_up"]["claim"], claim);
    // Who has it may have it for longer; once that is over anybody may.
    yard.advance(Duration::from_secs(14 * 60)).await;
    let _ = acts(&yard, &lead, "claim", json!({})).await.is(200);
    yard.advance(Duration::from_secs(14 * 60)).await;
    let _ = acts_as(&yard, "lee", &lead, "claim", &json!({})).await.is(409);
    yard.advance(Duration::from_secs(2 * 60)).await;
    let _ = acts_as(&yard, "lee", &lead, "claim", &json!({})).await.is(200);
    let _ = acts(&yard, &lead, "call", json!({ "result": "busy" })).await.is(409);
    // What the call came to leaves it to nobody.
    let after = acts_as(&yard, "lee", &lead, "call", &json!({ "result": "not_now" })).await.is(200);
    assert_eq!(after.json["after"]["claim"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_let_go_of_before_its_time_by_who_has_it_or_a_manager_and_by_nobody_else() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let made = json!({ "name": "kim", "role": "desk" });
    let kim = yard.desk(Method::POST, "/v1/tokens", Some(made)).await.is(201).text_of("token").to_owned();
    let as_kim = async |act: &str| {
        let path = format!("/v1/leads/{lead}/{act}");
        yard.sends(Some(&kim), Method::POST, &path, "application/json", b"{}".to_vec()).await
    };
    // Of the desk, and no manager: another's stays.
    let claim = acts(&yard, &lead, "claim", json!({})).await.is(200).json["after"]["claim"].clone();
    let refused = as_kim("unclaim").await.is(409).is_problem("state-conflict");
    assert_eq!(refused.json["claim"], claim);
    assert_eq!(follow_up(&yard, &lead).await["claim"], claim);
    // Whoever has it lets go of it, and nothing else of it changes; a second time is as the first.
    let before = follow_up(&yard, &lead).await;
    let after = acts(&yard, &lead, "unclaim", json!({})).await.is(200).json["after"].clone();
    for member in ["stands", "reason", "attempt", "calls", "since", "last_call"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    assert_eq!(after["claim"], Value::Null);
    let _ = as_kim("claim").await.is(200);
    let again = as_kim("unclaim").await.is(200).json;
    assert_eq!(again["after"]["claim"], Value::Null);
    assert_eq!(as_kim("unclaim").await.is(200).json["already"], true);
    // A manager takes it from whoever has it.
    let theirs = as_kim("claim").await.is(200).json["after"]["claim"].clone();
    let taken = acts(&yard, &lead, "unclaim", json!({ "reason": "they went home" })).await.is(200).json;
    assert_eq!((&taken["before"]["claim"], &taken["after"]["claim"]), (&theirs, &Value::Null));
    let _ = acts_as(&yard, "lee", &lead, "claim", &json!({})).await.is(200);
    // Who let go of what, when and why stands in its history, once each.
    let story = yard.story(&lead).await;
    let let_go: Vec<&Value> = story.list("history").filter(|act| act["act"] == "unclaim").collect();
    assert_eq!(let_go.len(), 3, "{:?}", story.0["history"]);
    assert!(let_go.iter().any(|act| act["by"] == "desk" && act["reason"] == "they went home"));
    // Of who is planned and was never claimed, it is as it was to be.
    let planned = yard.settled_lead(&Person::number(9)).await;
    assert_eq!(acts(&yard, &planned, "unclaim", json!({})).await.is(200).json["already"], true);
}

#[tokio::test(start_paused = true)]
async fn the_list_goes_on_from_page_to_page_and_has_everybody_once_in_order() {
    // Of two fit letters, both behind and before each other by what they did.
    let scoring = r#"half_life_days = 14
[[fit]]
label = "can be written to"
points = 20
has = ["email"]
[[fit]]
label = "can be called"
points = 20
has = ["phone"]
[interactions]
enquiry = { points = 10, daily_cap = 3 }
page_view = { points = 9, daily_cap = 50 }
[bands.fit]
A = 40
B = 10
[bands.engagement]
1 = 400
2 = 1
"#;
    let yard = Yard::of(rules("not_ready = [\"1d\"]\n").scoring(scoring)).await;
    let mut all = Vec::new();
    for n in 1..=13 {
        let person = Person::number(n);
        let lead = yard.settled_lead(&if n % 2 == 0 { person } else { person.without("email") }).await;
        for page in 0..n % 5 {
            did(&yard, &lead, &format!("{n}-{page}"), "page_view").await;
        }
        all.push(lead);
    }
    yard.advance(DAY + HOUR).await;
    // One of them was promised a call, whose time has come.
    let at = yard.cloud.clock.now() + jiff::SignedDuration::from_hours(1);
    let _ = acts(&yard, &all[4], "call", json!({ "result": "callback", "callback_at": at })).await.is(200);
    yard.advance(HOUR + Duration::from_secs(120)).await;
    let whole = calls(&yard).await;
    assert_eq!((whole.len(), &whole[0]), (13, &all[4]));
    for limit in [1, 3, 4, 13] {
        let (mut read, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/follow-ups?limit={limit}{after}");
            let page = yard.desk(Method::GET, &path, None).await.is(200).json;
            let leads = page["follow_ups"].as_array().unwrap();
            assert!(leads.len() <= limit);
            read.extend(leads.iter().map(|call| call["lead"]["lead"].as_str().unwrap().to_owned()));
            assert_eq!(page["more"], json!(page["next"].is_string()));
            let Some(next) = page["next"].as_str() else { break };
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            after = format!("&after={next}");
            assert!(read.len() <= all.len(), "{limit}: {read:?}");
        }
        let mut once = read.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!((read.len(), once.len(), &read[0]), (13, 13, &all[4]), "{limit}");
    }
    // What is no page's end is refused, and asks the index for nothing.
    for after in ["x", "{}", r#"{"promised":[],"due":["9#"]}"#, r#"{"promised":["3"],"due":[]}"#] {
        let after: String = form_urlencoded::byte_serialize(after.as_bytes()).collect();
        let _ = yard.desk(Method::GET, &format!("/v1/follow-ups?after={after}"), None).await.is(400);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_who_claim_at_one_moment_one_has_it() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let nothing = json!({});
    let claims = ["kim", "lee", "sam", "joe"].map(|staff| acts_as(&yard, staff, &lead, "claim", &nothing));
    let replies = futures::future::join_all(claims).await;
    let well = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(well, 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    // Also where both have read that nobody has it.
    let other = yard.settled_lead(&Person::number(1)).await;
    yard.advance(DAY + HOUR).await;
    let id = other.parse().unwrap();
    let (stored, now) = (yard.stored(&other).await, yard.cloud.clock.now());
    let read = yard.cloud.store.follow_up_get(id).await.unwrap().unwrap();
    let mut saved = Vec::new();
    for staff in ["kim", "lee"] {
        let mut claimed = read.clone();
        claimed.state.claim(staff, now).unwrap();
        saved.push(yard.cloud.store.follow_up_save(&stored, &claimed, now).await.unwrap());
    }
    assert_eq!(saved, [true, false]);
}

#[tokio::test(start_paused = true)]
async fn what_a_call_came_to_stands_in_the_lead_s_history_who_when_before_and_after() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let _ = acts(&yard, &lead, "claim", json!({})).await.is(200);
    let said = json!({ "result": "not_now", "note": "after the summer" });
    let _ = acts(&yard, &lead, "call", said).await.is(200);
    let story = yard.story(&lead).await;
    let of = |word: &str| story.list("history").find(|act| act["act"] == word).unwrap();
    assert_eq!((story.list("history").count(), &of("claim")["by"]), (2, &json!("desk")));
    let call = of("call");
    assert_eq!((&call["act"], &call["reason"]), (&json!("call"), &json!("after the summer")));
    assert_eq!((&call["before"]["stands"], &call["after"]["stands"]), (&json!("due"), &json!("planned")));
    assert_eq!(call["after"]["last_call"]["result"], "not_now");
    assert_eq!((&call["after"]["attempt"], &call["after"]["of"]), (&json!(2), &json!(2)));
    // What is not one of the results, or comes without its time, is refused and keeps nothing.
    for (body, said) in [
        (json!({}), "result is one of: interested callback not_now"),
        (json!({ "result": "callback" }), "callback_at goes with the result callback"),
        (json!({ "result": "busy", "callback_at": "2026-06-03T16:00:00Z" }), "callback_at goes with"),
        (json!({ "result": "callback", "callback_at": "2026-06-01T16:00:00Z" }), "lies ahead"),
    ] {
        let refused = acts(&yard, &lead, "call", body).await.is(400);
        assert!(refused.text.contains(said), "{}", refused.text);
    }
    assert_eq!(yard.story(&lead).await.list("history").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_callback_is_due_when_it_was_promised_whatever_the_plan_says() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let promised = "2026-06-05T14:30:00Z";
    let body = json!({ "result": "callback", "callback_at": promised, "note": "Friday" });
    let _ = acts(&yard, &lead, "call", body).await.is(200);
    did(&yard, &lead, "p1", "page_view").await;
    // Nor does a colleague who chooses them make them wait for another.
    let chosen = acts(&yard, &lead, "follow_up", json!({})).await.is(409).is_problem("state-conflict");
    assert_eq!(chosen.json["callback_at"], promised);
    yard.advance_to("2026-06-05T14:20:00Z").await;
    assert!(calls(&yard).await.is_empty());
    yard.advance_to("2026-06-05T14:32:00Z").await;
    let list = listed(&yard).await;
    assert_eq!((list.len(), &list[0]["follow_up"]["reason"]), (1, &json!("callback")));
    let _ = acts(&yard, &lead, "follow_up", json!({})).await.is(200);
    assert_eq!(
        listed(&yard).await[0]["follow_up"]["reason"],
        "callback",
        "it stands before the others still"
    );
    // Nobody promises a call for the night.
    let night = json!({ "result": "callback", "callback_at": "2026-06-06T02:00:00Z" });
    let refused = acts(&yard, &lead, "call", night).await.is(400);
    assert_eq!(refused.json["may_be_called"]["from"], "2026-06-06T12:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn an_interested_lead_goes_to_distribution_below_its_band_and_after_it_was_lost() {
    let yard = yard().await;
    let (nurtured, lost_one) = (yard.settled_lead(&ada()).await, lost(&yard, &Person::number(2)).await);
    yard.advance(11 * DAY).await;
    assert_eq!(calls(&yard).await.len(), 2);
    let before = yard.told("hudson").len();
    for lead in [&nurtured, &lost_one] {
        let after = called(&yard, lead, "interested").await;
        assert_eq!(
            (&after["stands"], &after["why"], &after["lifted"]),
            (&json!("ended"), &json!("interested"), &json!(true))
        );
    }
    yard.settle().await;
    assert!(calls(&yard).await.is_empty());
    for (lead, cycle) in [(&nurtured, 1), (&lost_one, 2)] {
        let story = yard.story(lead).await;
        assert_eq!((story.stage(), story.holders(), story.cycle()), ("assigned", vec!["hudson"], cycle));
        assert!(story.list("interactions").any(|one| one["kind"] == "call"), "{:?}", story.0["interactions"]);
    }
    assert_eq!(yard.told("hudson").len(), before + 2);
}

#[tokio::test(start_paused = true)]
async fn an_interested_lead_has_one_call_to_its_account_though_it_was_tried_twice() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let held = yard.faults.hold_commit();
    let calling = acts(&yard, &lead, "call", json!({ "result": "interested" }));
    let meanwhile = async {
        held.arrives().await;
        // The follow-up is another by now, and the act is tried again.
        let _ = acts(&yard, &lead, "claim", json!({})).await.is(200);
        held.let_go();
    };
    let (reply, ()) = tokio::join!(calling, meanwhile);
    let _ = reply.is(200);
    yard.settle().await;
    let story = yard.story(&lead).await;
    let calls: Vec<&Value> = story.list("interactions").filter(|one| one["kind"] == "call").collect();
    // The calls of a day are one row, with a name for each.
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0]["names"].as_array().map(Vec::len), Some(1), "{}", calls[0]);
    assert_eq!(story.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn the_times_of_a_lead_that_was_lifted_into_its_next_cycle_run_from_the_call() {
    let yard = yard().await;
    yard.notes();
    let lead = lost(&yard, &ada()).await;
    yard.advance(11 * DAY).await;
    let _ = called(&yard, &lead, "interested").await;
    yard.settle().await;
    yard.count().await;
    let speed = yard.report("speed?from=2026-06-10&to=2026-06-30").await;
    assert_eq!(speed["whole"]["delivery_measured"], 1, "{speed}");
    let median = speed["whole"]["delivery_median_s"].as_i64().unwrap();
    assert!(median < 300, "eleven days after the enquiry, {median} s after the call");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_number_is_called_again_only_once_they_ask_again() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let _ = called(&yard, &lead, "wrong_number").await;
    did(&yard, &lead, "p1", "page_view").await;
    yard.advance(5 * DAY).await;
    assert!(calls(&yard).await.is_empty());
    let expired = yard.settled_lead(&Person::number(1)).await;
    yard.advance(DAY + HOUR).await;
    let _ = called(&yard, &expired, "wrong_number").await;
    yard.advance(3 * DAY).await;
    let _ = yard.server("web").posts(&ada().with("message", "call my new number")).await.is(200);
    yard.settle().await;
    assert_eq!(calls(&yard).await, [lead.as_str()]);
    let _ = called(&yard, &lead, "wrong_number").await;
    // Nor once their cycle ended in nobody's hands.
    yard.advance(43 * DAY).await;
    assert_eq!(yard.story(&expired).await.stage(), "expired");
    assert!(calls(&yard).await.is_empty());
    assert_eq!(follow_up(&yard, &expired).await["why"], "wrong_number");
}

#[tokio::test(start_paused = true)]
async fn who_was_held_and_let_go_or_rejected_and_reopened_is_followed_up_again() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    for (away, back) in [("hold", "resume"), ("reject", "reopen")] {
        yard.advance(DAY + HOUR).await;
        assert_eq!(calls(&yard).await, [lead.as_str()], "before {away}");
        let _ = acts(&yard, &lead, away, json!({ "reason": "a look at it" })).await.is(200);
        yard.advance(DAY + HOUR).await;
        assert_eq!(follow_up(&yard, &lead).await["why"], "moved", "{away}");
        let _ = acts(&yard, &lead, back, json!({ "reason": "it is well" })).await.is(200);
        yard.settle().await;
        assert_eq!(follow_up(&yard, &lead).await["stands"], "planned", "{back}");
    }
    yard.advance(DAY + HOUR).await;
    assert_eq!(calls(&yard).await, [lead]);
}

#[tokio::test(start_paused = true)]
async fn one_whose_plan_was_over_when_its_cycle_ended_is_called_by_the_plan_of_who_was_lost() {
    let yard = Yard::of(rules("not_ready = [\"1d\"]\nlost = [\"3d\"]")).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    assert_eq!(called(&yard, &lead, "not_now").await["why"], "plan_over");
    yard.advance(30 * DAY).await;
    assert_eq!(yard.story(&lead).await.stage(), "expired");
    let planned = follow_up(&yard, &lead).await;
    assert_eq!((&planned["stands"], &planned["reason"]), (&json!("planned"), &json!("lost")));
    yard.advance(3 * DAY).await;
    assert_eq!(calls(&yard).await, [lead]);
}

#[tokio::test(start_paused = true)]
async fn the_desk_chooses_many_at_once_and_sees_first_what_would_follow() {
    let yard = yard().await;
    let waits = Person::named("Bob", "Mann").with("phone", "305-274-0177");
    let mut leads = vec![yard.settled_lead(&ada()).await, lost(&yard, &Person::number(1)).await];
    let _ = yard.flip("stop", json!({ "on": true })).await;
    leads.push(yard.server("ads").posts(&waits).await.is(201).text_of("lead").to_owned());
    yard.settle().await;
    assert_eq!(yard.story(&leads[2]).await.stage(), "waiting");
    let many = |dry: bool| json!({ "leads": leads, "dry_run": dry, "reason": "spring campaign" });
    let look = yard.desk(Method::POST, "/v1/leads/follow_up", Some(many(true))).await.is(200);
    assert!(look.json["results"].as_array().unwrap().iter().all(|one| one["after"]["stands"] == "due"));
    assert!(calls(&yard).await.is_empty(), "a look changes nothing");
    let done = yard.desk(Method::POST, "/v1/leads/follow_up", Some(many(false))).await.is(200);
    assert!(done.json["results"].as_array().unwrap().iter().all(|one| one["done"] == true), "{}", done.text);
    assert_eq!(calls(&yard).await.len(), 3);
    let story = yard.story(&leads[1]).await;
    let act = story.list("history").find(|act| act["act"] == "follow_up").unwrap();
    assert_eq!((&act["reason"], &act["after"]["reason"]), (&json!("spring campaign"), &json!("by_hand")));
}

// --- Quiet hours, age of consent, and who never appears ---

#[tokio::test(start_paused = true)]
async fn the_quiet_hours_are_the_lead_s_own() {
    let yard = yard().await;
    let (miami, honolulu) = (
        yard.settled_lead(&ada()).await,
        yard.settled_lead(&Person::number(1).with("zip", "96815").with("phone", "808-274-0100")).await,
    );
    // Half past nine in Miami, half past three in Honolulu.
    yard.advance_to("2026-06-02T16:30:00Z").await;
    yard.advance_to("2026-06-03T13:30:00Z").await;
    for call in listed(&yard).await {
        let here = call["lead"]["lead"] == json!(miami);
        assert_eq!(call["may_be_called"]["now"], here, "{call}");
        assert_eq!(call["may_be_called"]["from"].is_null(), here);
    }
    let refused = acts(&yard, &honolulu, "claim", json!({})).await.is(409).is_problem("state-conflict");
    assert_eq!(refused.json["may_be_called"]["from"], "2026-06-03T18:00:00Z");
    let _ = acts(&yard, &miami, "claim", json!({})).await.is(200);
    yard.advance_to("2026-06-03T18:00:01Z").await;
    let _ = acts(&yard, &honolulu, "claim", json!({})).await.is(200);
    // At nine in the evening it is over in Miami.
    yard.advance_to("2026-06-04T01:00:01Z").await;
    let _ = acts(&yard, &miami, "claim", json!({})).await.is(409);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_once_their_consent_is_too_old() {
    let plan = "not_ready = [\"1d\"]\nlost = [\"1d\"]\nenquiry_days = 5\nconsent_days = 20\n";
    let yard = Yard::of(rules(plan)).await;
    let lead = yard.settled_lead(&ada()).await;
    let agreed = yard.settled_lead(&Person::number(1).with("consent", "yes")).await;
    yard.advance(2 * DAY).await;
    assert_eq!(calls(&yard).await.len(), 2);
    let until = |lead: &str, list: &[Value]| {
        list.iter().find(|call| call["lead"]["lead"] == lead).unwrap()["callable_until"].clone()
    };
    let list = listed(&yard).await;
    assert_eq!(until(&lead, &list), "2026-06-06T16:00:00Z");
    assert_eq!(until(&agreed, &list), "2026-06-21T16:00:00Z");
    yard.advance_to("2026-06-06T15:59:00Z").await;
    assert_eq!(calls(&yard).await.len(), 2);
    // Before anybody has looked.
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(calls(&yard).await, [agreed.as_str()]);
    yard.advance(DAY).await;
    assert_eq!(calls(&yard).await, [agreed.as_str()]);
    // The list itself has it no more: whoever looked found that it is too late.
    let rests = follow_up(&yard, &lead).await;
    assert_eq!((&rests["stands"], &rests["why"]), (&json!("rests"), &json!("consent_over")));
    for act in ["claim", "follow_up"] {
        let _ = acts(&yard, &lead, act, json!({})).await.is(409);
    }
    // Nor is a later call promised; and who asks again has asked again.
    let late = json!({ "result": "callback", "callback_at": "2026-06-22T16:00:00Z" });
    assert!(acts(&yard, &agreed, "call", late).await.is(400).text.contains("may be called until"));
    let _ = yard.server("web").posts(&ada().with("message", "again")).await.is(200);
    yard.settle().await;
    assert!(calls(&yard).await.contains(&lead));
}

#[tokio::test(start_paused = true)]
async fn who_is_unsubscribed_suppressed_erased_merged_or_held_never_appears() {
    for how in
        ["unsubscribed", "suppressed", "do not call", "erased", "merged", "rejected", "placed", "said so"]
    {
        let yard = yard().await;
        let lead = yard.settled_lead(&ada()).await;
        let lost_one =
            lost(&yard, &ada().with("phone", "305-274-0199").with("email", "a.h@mail.example")).await;
        yard.advance(11 * DAY).await;
        assert_eq!(calls(&yard).await.len(), 2);
        for lead in [&lead, &lost_one] {
            match how {
                "unsubscribed" => {
                    let link = yard.story(lead).await.0["unsubscribe"].as_str().unwrap().to_owned();
                    let click = b"List-Unsubscribe=One-Click".to_vec();
                    let _ = yard.sends(None, Method::POST, &link, FORM, click).await.is(200);
                }
                "suppressed" | "do not call" => {
                    let phone = yard.story(lead).await.0["person"]["phone"].clone();
                    let (path, body) = if how == "suppressed" {
                        ("/v1/import/suppressed", json!({ "rows": [{ "phone": phone }] }))
                    } else {
                        ("/v1/import/do_not_call", json!({ "rows": [{ "phone": phone }] }))
                    };
                    let _ = yard.desk(Method::POST, path, Some(body)).await.is(200);
                }
                "erased" => {
                    let reply = acts(&yard, lead, "erase", json!({ "reason": "requested" })).await;
                    assert!([200, 202].contains(&reply.status.as_u16()), "{}", reply.text);
                }
                "merged" => {
                    let into = yard.server("ads").posts(&Person::number(9)).await;
                    let into = into.text_of("lead").to_owned();
                    let _ = acts(&yard, lead, "merge", json!({ "into": into, "reason": "one person" }))
                        .await
                        .is(200);
                }
                "rejected" if *lead == lost_one => {
                    let _ = called(&yard, lead, "not_interested").await;
                }
                "rejected" => {
                    let _ = acts(&yard, lead, "reject", json!({ "reason": "no roof" })).await.is(200);
                }
                "placed" if *lead == lost_one => {
                    let _ = called(&yard, lead, "interested").await;
                }
                "placed" => {
                    let over = json!({ "contract": "hudson", "override": true, "reason": "they know them" });
                    let _ = acts(&yard, lead, "place", over).await.is(200);
                }
                _ => {
                    let _ = called(&yard, lead, "do_not_call").await;
                }
            }
        }
        assert!(calls(&yard).await.is_empty(), "{how}: {:?}", listed(&yard).await);
        for lead in [&lead, &lost_one] {
            if how != "placed" {
                did(&yard, lead, &format!("p-{lead}"), "page_view").await;
            }
            if !["rejected"].contains(&how) {
                let refused = acts(&yard, lead, "claim", json!({})).await;
                assert_eq!(refused.status, 409, "{how}: {}", refused.text);
            }
        }
        if how == "rejected" {
            // Whoever wants nothing rests, and is woken by what they do.
            assert_eq!(calls(&yard).await, [lost_one.as_str()]);
        } else {
            assert!(calls(&yard).await.is_empty(), "{how}");
        }
        // A day later the list itself is clean.
        yard.advance(2 * DAY).await;
        let list = yard.cloud.store.follow_ups_count(&yard.company_id(), 10).await.unwrap();
        assert_eq!(list.due + list.promised, usize::from(how == "rejected"), "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_wants_never_to_be_called_is_opted_out_of_everything() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    // Their other lead is hudson's.
    let gutters = yard.server("ads").posts(&ada()).await;
    assert_eq!(gutters.status, 200, "{}", gutters.text);
    yard.settle().await;
    yard.advance(DAY + HOUR).await;
    let _ = called(&yard, &lead, "do_not_call").await;
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.stage(), "rejected");
    let again = yard.server("web").posts(&ada().with("message", "x")).await;
    assert_eq!(again.status, 202, "who is on the list is quarantined: {}", again.text);
}

#[tokio::test(start_paused = true)]
async fn who_is_never_to_be_called_is_not_though_their_lead_moves_meanwhile_and_it_may_be_said_again() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let never = json!({ "result": "do_not_call", "note": "never again" });
    let first = yard.faults.hold_commit();
    let calling = acts(&yard, &lead, "call", never.clone());
    let meanwhile = async {
        // The opt-out closes the lead; whoever looks at it before the call is kept ends its follow-up.
        first.arrives().await;
        let second = yard.faults.hold_commit();
        first.let_go();
        second.arrives().await;
        let (stored, now) = (yard.stored(&lead).await, yard.cloud.clock.now());
        assert_eq!(stored.stage.as_str(), "rejected");
        let mut moved = yard.cloud.store.follow_up_get(stored.id).await.unwrap().unwrap();
        moved.state.end(Ended::Moved, now);
        assert!(yard.cloud.store.follow_up_save(&stored, &moved, now).await.unwrap());
        second.let_go();
    };
    let (reply, ()) = tokio::join!(calling, meanwhile);
    assert_eq!(reply.is(200).json["after"]["why"], "do_not_call");
    let again = acts(&yard, &lead, "call", never.clone()).await.is(200);
    assert_eq!(again.json["already"], true);
    let story = yard.story(&lead).await;
    assert_eq!(story.0["follow_up"]["why"], "do_not_call");
    let calls: Vec<&Value> = story.list("history").filter(|act| act["act"] == "call").collect();
    assert_eq!((calls.len(), &calls[0]["reason"]), (1, &json!("never again")));
    // Of a call that could not be kept that is said; and nothing else is said of them any more.
    let _ = acts(&yard, &lead, "call", json!({ "result": "busy" })).await.is(409);
    let mut moved = yard.cloud.store.follow_up_get(lead.parse().unwrap()).await.unwrap().unwrap();
    moved.state.end(Ended::Moved, yard.cloud.clock.now());
    let stored = yard.stored(&lead).await;
    assert!(yard.cloud.store.follow_up_save(&stored, &moved, yard.cloud.clock.now()).await.unwrap());
    let completed = acts(&yard, &lead, "call", never).await.is(200);
    assert_eq!(completed.json["after"]["why"], "do_not_call");
}

#[tokio::test(start_paused = true)]
async fn who_says_never_again_is_not_called_though_a_colleague_calls_them_by_now_or_they_are_sold() {
    for sold in [false, true] {
        let yard = yard().await;
        let lead = yard.settled_lead(&ada()).await;
        yard.advance(DAY + HOUR).await;
        if sold {
            let placed = json!({ "contract": "hudson", "override": true, "reason": "she asked for them" });
            let _ = acts(&yard, &lead, "place", placed).await.is(200);
            yard.settle().await;
        } else {
            let _ = acts_as(&yard, "ben", &lead, "claim", &json!({})).await.is(200);
        }
        let _ = acts(&yard, &lead, "call", json!({ "result": "busy" })).await.is(409);
        let never = json!({ "result": "do_not_call", "note": "never again" });
        assert_eq!(acts(&yard, &lead, "call", never).await.is(200).json["after"]["why"], "do_not_call");
        assert!(yard.cloud.on_lists(&yard.stored(&lead).await).await.unwrap().suppressed, "sold: {sold}");
    }
}

// --- Whatever becomes of messages, and what it costs ---

#[tokio::test(start_paused = true)]
async fn a_lost_message_or_a_list_that_is_behind_never_loses_a_follow_up() {
    let yard = yard().await;
    let lead = lost(&yard, &ada()).await;
    // What the dealer's answer would have begun never stood: as of an earlier version, or a process that died.
    let stands = yard.cloud.store.follow_up_get(lead.parse().unwrap()).await.unwrap();
    assert!(stands.is_some());
    let pk = format!("L#{lead}");
    let key = std::collections::HashMap::from([
        ("pk".to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(pk)),
        ("sk".to_owned(), aws_sdk_dynamodb::types::AttributeValue::S("F".to_owned())),
    ]);
    yard.cloud.store.item_delete(&key).await.unwrap();
    // A closed lead is looked at within a month: its call is late by no more than that.
    yard.advance(31 * DAY).await;
    assert_eq!(calls(&yard).await, [lead]);
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_is_simply_sold_is_never_followed_up_and_reading_the_list_costs_the_same_with_many() {
    let yard = yard().await;
    let sold = yard.server("ads").posts(&Person::number(77)).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    assert_eq!(yard.story(&sold).await.stage(), "assigned");
    assert!(yard.cloud.store.follow_up_get(sold.parse().unwrap()).await.unwrap().is_none());
    let mut reads = Vec::new();
    for n in [1, 2, 30] {
        for person in 0..n {
            let _ = yard.settled_lead(&Person::number(1_000 * n + person)).await;
        }
        yard.advance(DAY + HOUR).await;
        let _ = yard.faults.calls();
        assert!(!calls(&yard).await.is_empty());
        let calls = yard.faults.calls();
        let of = |operation: &str| calls.get(operation).copied().unwrap_or_default();
        reads.push(of("GetItem") + of("BatchGetItem") + of("Query"));
    }
    assert!(reads.iter().all(|count| *count == reads[0]) && reads[0] <= 8, "{reads:?}");
}
