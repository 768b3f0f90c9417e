//! What a page's script asks for: itself, a visitor, a word on privacy; what came before an enquiry, and which touch
//! it is credited to. The script itself runs in `tests/browser`.

use leadyard_domain::access::VisitorToken;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

async fn yard() -> Yard {
    Yard::of(Rules::roofing("acme").seller("hudson", [])).await
}

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-555-0100")
}

fn viewed(id: &str, visitor: &str) -> Value {
    json!({ "id": id, "kind": "page_view", "at": "2026-06-01T15:00:00Z", "visitor": visitor })
}

async fn visitor(yard: &Yard) -> Reply {
    let page = yard.page("web");
    page.gets(&format!("/v1/interactions/{}/visitor", page.key())).await
}

#[tokio::test(start_paused = true)]
async fn snippet_is_served_to_any_page_and_asked_for_again_only_when_it_changed() {
    let yard = yard().await;
    let page = yard.page("web").header("origin", "https://roof.example");
    let reply = page.gets("/leadyard.js").await.is(200);
    assert_eq!(reply.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(reply.header("cache-control").contains("max-age=3600"), "{}", reply.header("cache-control"));
    assert!(
        reply.text.starts_with("(() => {") && reply.text.contains("data-leadyard"),
        "{}",
        &reply.text[..40]
    );
    let etag = reply.header("etag").to_owned();
    let again = page.clone().header("if-none-match", &etag).gets("/leadyard.js").await.is(304);
    assert!(again.text.is_empty() && again.header("etag") == etag);
    let _ = page.header("if-none-match", "W/\"other\"").gets("/leadyard.js").await.is(200);
}

#[tokio::test(start_paused = true)]
async fn snippet_gpc_json_says_that_it_is_honoured() {
    let yard = yard().await;
    let reply = yard.page("web").gets("/.well-known/gpc.json").await.is(200);
    assert_eq!((reply.header("content-type"), &reply.json["gpc"]), ("application/json", &json!(true)));
    let _: jiff::civil::Date = reply.text_of("lastUpdate").parse().unwrap();
}

#[tokio::test(start_paused = true)]
async fn snippet_visitor_is_minted_before_the_first_enquiry_and_what_it_did_counts_after() {
    let yard = yard().await;
    let reply = visitor(&yard).await.is(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    let token = reply.text_of("visitor").to_owned();
    assert_ne!(visitor(&yard).await.text_of("visitor"), token, "nobody is given another's");
    let _ = yard.page("web").reports(json!([viewed("v1", &token), viewed("v2", &token)])).await.is(202);
    yard.settle().await;
    let lead = yard.settled_lead(&ada().with("visitor", &token)).await;
    assert_eq!(count(&yard, &lead, "page_view").await, 2);
}

#[tokio::test(start_paused = true)]
async fn snippet_under_privacy_control_nobody_is_followed() {
    let yard = yard().await;
    let token = visitor(&yard).await.text_of("visitor").to_owned();
    let page = yard.page("web").header("sec-gpc", "1");
    let reply = page.gets(&format!("/v1/interactions/{}/visitor", page.key())).await.is(204);
    assert!(reply.text.is_empty());
    let reply = page.reports(viewed("v1", &token)).await.is(202);
    assert_eq!((reply.text_of("status"), reply.text_of("reason")), ("not_kept", "gpc"));
    assert!(yard.queued("interactions").is_empty());
    // What was kept before he said so is not joined to the enquiry that says so.
    let _ = yard.page("web").reports(viewed("v2", &token)).await.is(202);
    yard.settle().await;
    let server = yard.server("web").header("sec-gpc", "1");
    let reply = server.posts(&ada().with("visitor", &token)).await.is(201);
    assert!(reply.json.get("visitor").is_none(), "{}", reply.text);
    yard.settle().await;
    let lead = reply.text_of("lead");
    assert_eq!(count(&yard, lead, "page_view").await, 0);
    assert_eq!(yard.story(lead).await.list("enquiries").next().unwrap()["gpc"], true);
}

#[tokio::test(start_paused = true)]
async fn snippet_a_key_that_is_not_ours_gets_no_visitor() {
    let yard = yard().await;
    let page = yard.page_of("web", &["https://roof.example"], 1);
    let path = format!("/v1/interactions/{}/visitor", page.key());
    let stranger = page.clone().header("origin", "https://other.example");
    let _ = stranger.gets(&path).await.is(403).is_problem("origin-refused");
    let reply = page.clone().header("origin", "https://roof.example").gets(&path).await.is(200);
    assert_eq!(reply.header("access-control-allow-origin"), "https://roof.example");
    let _ = page.gets("/v1/interactions/pk_x.y/visitor").await.is(401).is_problem("unauthorized");
}

/// Whatever the order of enquiry, interactions and the work of the queues, the score is the same.
#[tokio::test(start_paused = true)]
async fn snippet_what_a_stranger_did_is_forgotten_after_thirty_days() {
    let yard = yard().await;
    let token = visitor(&yard).await.is(200).text_of("visitor").to_owned();
    let _ = yard.page("web").reports(viewed("v1", &token)).await.is(202);
    yard.settle().await;
    // What the table has not deleted yet counts no more.
    yard.advance(std::time::Duration::from_secs(31 * 86_400)).await;
    let lead = yard.settled_lead(&ada().with("visitor", &token)).await;
    assert_eq!(count(&yard, &lead, "page_view").await, 0);
}

#[tokio::test(start_paused = true)]
async fn snippet_a_visitor_of_another_company_is_nobody_here() {
    let acme = yard().await;
    let bolt = acme.also(Rules::roofing("bolt").seller("ridge", [])).await;
    let token = visitor(&bolt).await.is(200).text_of("visitor").to_owned();
    let refused = acme.page("web").reports(viewed("v1", &token)).await.is(400).is_problem("invalid-field");
    assert_eq!(refused.json["errors"][0]["pointer"], "/0/visitor", "{}", refused.text);
    // An enquiry is taken all the same, as of a browser that nobody knows.
    let reply = acme.server("web").posts(&ada().with("visitor", &token)).await.is(201);
    let kept = acme.enquiry(reply.text_of("enquiry")).await.unwrap().visitor;
    let theirs: VisitorToken = acme.cloud.master.verify(&token).unwrap();
    assert_ne!(kept, Some(theirs.visitor));
}

#[tokio::test(start_paused = true)]
async fn snippet_what_came_before_during_and_after_the_enquiry_counts_alike() {
    let mut scores = Vec::new();
    for way in ["before", "unworked", "after", "twice", "split"] {
        let yard = yard().await;
        let token = visitor(&yard).await.text_of("visitor").to_owned();
        let (page, did) = (yard.page("web"), json!([viewed("v1", &token), viewed("v2", &token)]));
        let one = json!([viewed("v1", &token)]);
        match way {
            "before" | "twice" => {
                let _ = page.reports(did.clone()).await.is(202);
                yard.settle().await;
            }
            // Reported, and still in the queue when the enquiry comes.
            "unworked" => drop(page.reports(did.clone()).await.is(202)),
            "split" => {
                let _ = page.reports(one).await.is(202);
                yard.settle().await;
            }
            _ => {}
        }
        let lead = yard.settled_lead(&ada().with("visitor", &token)).await;
        if ["after", "twice", "split"].contains(&way) {
            let _ = page.reports(did).await.is(202);
            yard.settle().await;
        }
        let story = yard.story(&lead).await;
        scores.push((way, story.0["score"].clone(), story.0["interactions"].clone()));
    }
    let expected = scores[0].clone();
    assert!(expected.2.to_string().contains(r#""count":2,"day":20605,"kind":"page_view""#), "{}", expected.2);
    for (way, score, interactions) in scores {
        assert_eq!((score, interactions), (expected.1.clone(), expected.2.clone()), "{way}");
    }
}

/// The interaction is on its way to the stranger's set; the stranger becomes a lead, whose history is joined; only then
/// it stands there.
#[tokio::test(start_paused = true)]
async fn snippet_what_is_added_while_its_visitor_becomes_known_counts() {
    let yard = yard().await;
    let token = visitor(&yard).await.text_of("visitor").to_owned();
    let _ = yard.page("web").reports(viewed("v1", &token)).await.is(202);
    let held = yard.faults.hold("UpdateItem");
    let worked = {
        let yard = yard.clone();
        tokio::spawn(async move { yard.settle().await })
    };
    held.arrives().await;
    let lead = yard.settled_lead(&ada().with("visitor", &token)).await;
    assert_eq!((count(&yard, &lead, "page_view").await, yard.story(&lead).await.stage()), (0, "assigned"));
    held.let_go();
    worked.await.unwrap();
    yard.settle().await;
    assert_eq!(count(&yard, &lead, "page_view").await, 1);
}

#[tokio::test(start_paused = true)]
async fn snippet_an_assigned_leads_repeat_brings_its_visitors_history() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(yard.story(&lead).await.stage(), "assigned");
    // Ten browsers: more than a lead has waiting at once, each joined before the next.
    for n in 0..10 {
        let token = visitor(&yard).await.text_of("visitor").to_owned();
        let _ = yard.page("web").reports(viewed(&format!("v{n}"), &token)).await.is(202);
        yard.settle().await;
        let _ = yard.page("web").posts(&ada().with("visitor", &token)).await.is(201);
        yard.settle().await;
    }
    assert_eq!(count(&yard, &lead, "page_view").await, 10);
}

#[tokio::test(start_paused = true)]
async fn snippet_a_closed_leads_repeat_brings_its_visitors_history_before_that_is_gone() {
    let rules = Rules::roofing("acme").seller("hudson", [("area", "zip:99501")]);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&ada()).await;
    let reject = json!({ "reason": "a try" });
    let _ = yard.desk(http::Method::POST, &format!("/v1/leads/{lead}/reject"), Some(reject)).await.is(200);
    let token = visitor(&yard).await.text_of("visitor").to_owned();
    let _ = yard.page("web").reports(viewed("v1", &token)).await.is(202);
    yard.settle().await;
    let _ = yard.page("web").posts(&ada().with("visitor", &token)).await.is(201);
    yard.settle().await;
    assert_eq!((yard.story(&lead).await.stage(), count(&yard, &lead, "page_view").await), ("rejected", 1));
}

#[tokio::test(start_paused = true)]
async fn snippet_a_lead_is_credited_to_the_touch_that_its_company_chose() {
    for (chosen, campaign) in
        [("", "june"), ("attribution = \"last\"", "june"), ("attribution = \"first\"", "spring")]
    {
        let rules = Rules::roofing("acme").with(chosen).seller("hudson", []);
        let yard = Yard::of(rules).await;
        let person = ada()
            .with("utm_source", "newsletter")
            .with("utm_campaign", "june")
            .with("first_touch.utm_source", "google")
            .with("first_touch.utm_campaign", "spring")
            .with("first_touch.gclid", "g1");
        let lead = yard.settled_lead(&person).await;
        let story = yard.story(&lead).await.0;
        assert_eq!(story["campaign"], campaign, "{chosen}");
        let attribution = &story["attribution"];
        assert_eq!(attribution["credited"]["utm_campaign"], campaign, "{chosen}");
        assert_eq!(
            attribution["first"],
            json!({ "utm_source": "google", "utm_campaign": "spring", "gclid": "g1" })
        );
        assert_eq!(attribution["last"], json!({ "utm_source": "newsletter", "utm_campaign": "june" }));
        assert_eq!(attribution["by"], if campaign == "june" { "last" } else { "first" });
        let told = yard.told("hudson");
        assert_eq!(told[0].body["data"]["campaign"], campaign);
        assert!(!told[0].body.to_string().contains("g1"), "a dealer hears of no click");
    }
}

async fn count(yard: &Yard, lead: &str, kind: &str) -> u64 {
    let story = yard.story(lead).await;
    let of_kind = story.list("interactions").filter(|one| one["kind"] == kind);
    of_kind.filter_map(|one| one["count"].as_u64()).sum()
}

#[tokio::test(start_paused = true)]
async fn a_visitor_with_hundreds_of_kinds_stops_nobody_s_lead() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let token = visitor(&yard).await.is(200).text_of("visitor").to_owned();
    for batch in 0..5 {
        let all: Vec<Value> = (0..100)
            .map(|n| {
                let mut one = viewed(&format!("{batch}-{n}"), &token);
                one["kind"] = json!(format!("kind_{batch}_{n}"));
                one
            })
            .collect();
        let _ = yard.page("web").reports(json!(all)).await.is(202);
    }
    yard.settle().await;
    let lead = yard.settled_lead(&ada().with("visitor", &token)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    assert!(yard.dead_letters().is_empty());
}
