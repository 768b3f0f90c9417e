//! What a machine did in a person's name: kept, marked, worth nothing, and revocable either way.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Story, Yard};
use serde_json::{Value, json};

const SCORING: &str = r#"
[[fit]]
label = "can be written to"
points = 20
has = ["email"]
[interactions]
enquiry = { points = 10, daily_cap = 3 }
email_click = { points = 7, daily_cap = 100 }
"#;

async fn yard(screening: &str) -> Yard {
    let rules = Rules::roofing("acme").scoring(SCORING).file("screening.toml", screening);
    Yard::of(rules.seller("hudson", [])).await
}

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-555-0100")
}

/// A click on a link of a mail that was sent at three o'clock, so many seconds after.
fn click(lead: &str, id: &str, link: &str, after_s: u32) -> Value {
    let at = format!("2026-06-01T15:{:02}:{:02}Z", after_s / 60, after_s % 60);
    json!({
        "id": id, "kind": "email_click", "at": at, "lead": lead,
        "message": "mail-1", "sent_at": "2026-06-01T15:00:00Z", "link": link,
    })
}

async fn reports(yard: &Yard, interactions: Value) {
    let _ = yard.server("web").reports(interactions).await.is(202);
    yard.settle().await;
}

/// How many clicks count.
fn clicks(story: &Story) -> u64 {
    let of_kind = story.list("interactions").filter(|one| one["kind"] == "email_click");
    of_kind.filter_map(|one| one["count"].as_u64()).sum()
}

fn signs(story: &Story) -> Vec<&str> {
    let mut signs: Vec<&str> =
        story.list("interactions_of_machines").filter_map(|one| one["sign"].as_str()).collect();
    signs.sort_unstable();
    signs
}

async fn judges(yard: &Yard, lead: &str, interaction: &str, word: &str) -> Reply {
    let path = format!("/v1/leads/{lead}/interactions/{interaction}/{word}");
    let reply = yard.desk(Method::POST, &path, Some(json!({ "reason": "she told us on the phone" }))).await;
    yard.settle().await;
    // Of two words at the same instant the later said is not known.
    yard.advance(Duration::from_secs(1)).await;
    reply
}

#[tokio::test(start_paused = true)]
async fn machine_clicks_are_kept_marked_and_worth_nothing() {
    let yard = yard("").await;
    let lead = yard.settled_lead(&ada()).await;
    let before = yard.story(&lead).await.hundredths();
    let mut scanner = click(&lead, "agent", "a", 600);
    scanner["user_agent"] = json!("Mozilla/5.0 (compatible; BarracudaScanner)");
    let burst = ["a", "b", "c", "d"].map(|link| click(&lead, link, link, 300));
    reports(&yard, json!([click(&lead, "soon", "a", 2), scanner, burst[0], burst[1], burst[2], burst[3]]))
        .await;
    let story = yard.story(&lead).await;
    assert_eq!((clicks(&story), story.hundredths()), (0, before));
    assert_eq!(signs(&story), ["burst", "burst", "burst", "burst", "scanner_agent", "too_soon"]);
    // A reader clicks later, one link after the other.
    reports(&yard, json!([click(&lead, "r1", "a", 1_200), click(&lead, "r2", "b", 1_230)])).await;
    let story = yard.story(&lead).await;
    assert_eq!((clicks(&story), story.hundredths() - before), (2, 1_400));
    // A server that reports is a program, and says of each who did it; a page's own agent is who did it.
    let server = yard.server("web").header("user-agent", "curl/8.9.1");
    let _ = server.reports(click(&lead, "r3", "c", 1_260)).await.is(202);
    yard.settle().await;
    assert_eq!(clicks(&yard.story(&lead).await), 3);
}

#[tokio::test(start_paused = true)]
async fn machine_burst_is_one_whichever_click_arrives_last() {
    let orders = [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]];
    for order in orders {
        let yard = yard("").await;
        let lead = yard.settled_lead(&ada()).await;
        let links = ["a", "b", "c"];
        for (come, at) in order.into_iter().enumerate() {
            reports(&yard, click(&lead, links[at], links[at], 300 + at as u32)).await;
            let counted = clicks(&yard.story(&lead).await);
            assert_eq!(counted, [1, 2, 0][come], "{order:?}");
        }
        // Again, and nothing changes.
        reports(&yard, click(&lead, "a", "a", 300)).await;
        assert_eq!(signs(&yard.story(&lead).await), ["burst"; 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn machine_that_opens_all_links_of_a_mail_is_one_though_they_are_but_two() {
    for (links, counted) in [(json!(null), 2), (json!(3), 2), (json!(2), 0)] {
        let yard = yard("").await;
        let lead = yard.settled_lead(&ada()).await;
        for (at, link) in ["a", "b"].into_iter().enumerate() {
            let mut one = click(&lead, link, link, 300 + at as u32);
            if !links.is_null() {
                one["links"] = links.clone();
            }
            reports(&yard, one).await;
        }
        assert_eq!(clicks(&yard.story(&lead).await), counted, "{links}");
    }
}

#[tokio::test(start_paused = true)]
async fn machine_marks_come_along_when_a_visitor_becomes_known() {
    let yard = yard("").await;
    let page = yard.page("web").header("user-agent", "Mozilla/5.0 HeadlessChrome/131.0.0.0");
    let token = page.gets(&format!("/v1/interactions/{}/visitor", page.key())).await;
    let token = token.text_of("visitor");
    let did = |id: &str, more: Value| {
        let mut one =
            json!({ "id": id, "kind": "email_click", "at": "2026-06-01T15:00:00Z", "visitor": token });
        one.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        one
    };
    let _ = page.reports(did("headless", json!({}))).await.is(202);
    let browser = yard.page("web").header("user-agent", "Mozilla/5.0 Chrome/131.0.0.0");
    let soon = did("soon", json!({ "sent_at": "2026-06-01T14:59:59Z" }));
    let _ = browser.reports(json!([soon, did("reader", json!({ "user_agent": "curl/8" }))])).await.is(202);
    yard.settle().await;
    let lead = yard.settled_lead(&ada().with("visitor", token)).await;
    let story = yard.story(&lead).await;
    // What a page says of its agent counts for nothing where intake sees it.
    assert_eq!((clicks(&story), signs(&story)), (1, vec!["scanner_agent", "too_soon"]));
}

#[tokio::test(start_paused = true)]
async fn machine_verdict_is_the_desks_to_take_back_and_to_give() {
    let yard = yard("").await;
    let lead = yard.settled_lead(&ada()).await;
    let before = yard.story(&lead).await.hundredths();
    reports(&yard, json!([click(&lead, "soon", "a", 2), click(&lead, "late", "a", 900)])).await;
    let story = yard.story(&lead).await;
    assert_eq!((clicks(&story), signs(&story)), (1, vec!["too_soon"]));
    let soon = story.0["interactions_of_machines"][0]["interaction"].as_str().unwrap().to_owned();
    let names = |story: &Story| -> Vec<String> {
        let of_kind = story.list("interactions").find(|one| one["kind"] == "email_click").unwrap();
        of_kind["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let late = names(&story).into_iter().find(|name| *name != soon).unwrap();

    let _ = judges(&yard, &lead, &soon, "restore").await.is(200);
    let story = yard.story(&lead).await;
    assert_eq!((clicks(&story), story.hundredths() - before, signs(&story).len()), (2, 1_400, 0));
    let stored = yard.stored(&lead).await.score.unwrap();
    assert_eq!(stored.points, story.0["score"]["total"].as_i64().unwrap(), "the lead itself is scored anew");

    for name in [&soon, &late] {
        let _ = judges(&yard, &lead, name, "revoke").await.is(200);
    }
    let story = yard.story(&lead).await;
    assert_eq!((clicks(&story), story.hundredths(), signs(&story)), (0, before, vec!["desk", "desk"]));
    let acts: Vec<&str> = story.list("history").filter_map(|act| act["act"].as_str()).collect();
    assert_eq!(acts, ["restore_interaction", "revoke_interaction", "revoke_interaction"]);
    // The same interaction, reported again, changes no verdict.
    reports(&yard, click(&lead, "soon", "a", 2)).await;
    assert_eq!(clicks(&yard.story(&lead).await), 0);
    let _ = judges(&yard, &lead, &late, "restore").await.is(200);
    assert_eq!(clicks(&yard.story(&lead).await), 1);
}

#[tokio::test(start_paused = true)]
async fn machine_verdict_counts_though_its_message_is_lost() {
    let yard = yard("").await;
    let lead = yard.settled_lead(&ada()).await;
    reports(&yard, click(&lead, "late", "a", 900)).await;
    let story = yard.story(&lead).await;
    let of_kind = story.list("interactions").find(|one| one["kind"] == "email_click").unwrap();
    let late = of_kind["names"][0].as_str().unwrap().to_owned();
    let before = yard.stored(&lead).await.score.unwrap().points;
    yard.faults.queues(true);
    let path = format!("/v1/leads/{lead}/interactions/{late}/revoke");
    let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "a scanner" }))).await.is(200);
    yard.faults.queues(false);
    yard.advance(Duration::from_secs(180)).await;
    let (points, story) = (yard.stored(&lead).await.score.unwrap().points, yard.story(&lead).await);
    assert_eq!(points, story.0["score"]["total"].as_i64().unwrap());
    assert!(points < before, "{points} is not below {before}");
}

#[tokio::test(start_paused = true)]
async fn machine_verdicts_are_for_the_desk_of_the_company_and_for_what_was_done() {
    let yard = yard("").await;
    let lead = yard.settled_lead(&ada()).await;
    reports(&yard, click(&lead, "late", "a", 900)).await;
    let story = yard.story(&lead).await;
    let one = story.list("interactions").find(|one| one["kind"] == "email_click").unwrap();
    let name = one["names"][0].as_str().unwrap();
    let _ = judges(&yard, &lead, "20605-0000000000000000", "revoke").await.is(404).is_problem("not-found");
    let _ = judges(&yard, &lead, "x", "revoke").await.is(404);
    let _ = judges(&yard, &lead, name, "erase").await.is(404);
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let _ = judges(&other, &lead, name, "revoke").await.is(404);
    assert_eq!(clicks(&yard.story(&lead).await), 1);
}

#[tokio::test(start_paused = true)]
async fn machine_limits_are_the_companys_and_judge_what_came_before_them() {
    let yard = yard("").await;
    let lead = yard.settled_lead(&ada()).await;
    reports(&yard, json!([click(&lead, "a", "a", 2), click(&lead, "b", "b", 40)])).await;
    assert_eq!(clicks(&yard.story(&lead).await), 1);
    for (limits, counted) in
        [("soon_seconds = 0", 2), ("soon_seconds = 60", 0), ("burst_links = 2\nburst_seconds = 60", 0)]
    {
        let rules = Rules::roofing("acme").scoring(SCORING).seller("hudson", []);
        let rules = rules.file("screening.toml", &format!("[interactions]\n{limits}\n"));
        let _ = yard.publish(&rules).await.is(200);
        assert_eq!(clicks(&yard.story(&lead).await), counted, "{limits}");
    }
}

#[tokio::test(start_paused = true)]
async fn machine_fields_state_their_limits() {
    let yard = yard("").await;
    let lead = yard.settled_lead(&ada()).await;
    for (field, value) in [
        ("message", json!("")),
        ("message", json!("x".repeat(257))),
        ("link", json!("x".repeat(2_049))),
        ("links", json!(0)),
        ("links", json!(101)),
    ] {
        let mut one = click(&lead, "a", "a", 900);
        one[field] = value;
        let reply = yard.server("web").reports(json!([one])).await.is(400).is_problem("invalid-field");
        assert_eq!(reply.json["errors"][0]["pointer"], format!("/0/{field}"));
    }
}
