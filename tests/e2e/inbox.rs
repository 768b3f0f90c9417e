//! What a dealer reads in its inbox: all of a lead that a message would have brought, and whatever it is to be told.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use http::{HeaderMap, Method};
use leadyard_domain::access::AnswerLink;
use leadyard_domain::lead::Answer;
use leadyard_tests::{Person, Rules, Says, Yard};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);

fn reader() -> Rules {
    Rules::roofing("acme").inbox_dealer("hudson", []).contract("hudson", "hudson", [("price", "10.00")])
}

fn ada() -> Person {
    Person::named("Ada", "Hill")
        .with("phone", "305-274-0100")
        .with("message", "the roof leaks over the kitchen")
        .with("consent", "yes")
        .with("consent_text", "I agree to be called")
        .with("utm_campaign", "spring")
        .with("roof_age", "12 years")
}

#[tokio::test(start_paused = true)]
async fn a_dealer_reads_in_its_inbox_all_that_a_message_would_have_brought() {
    let yard = Yard::of(reader()).await;
    let lead = yard.settled_lead(&ada()).await;
    let shown = yard.inbox("hudson").await.remove(0);
    assert_eq!(
        [&shown["message"], &shown["consent"]["text"], &shown["consent"]["given"], &shown["campaign"]],
        [
            &json!("the roof leaks over the kitchen"),
            &json!("I agree to be called"),
            &json!(true),
            &json!("spring")
        ]
    );
    assert_eq!([&shown["extra"]["roof_age"], &shown["source"], &shown["offer"]], ["12 years", "web", "roof"]);
    assert_eq!(shown["offer_name"], "roof");
    assert_eq!(shown["received_at"], yard.story(&lead).await.0["opened_at"]);
}

#[tokio::test(start_paused = true)]
async fn until_a_dealer_accepts_its_inbox_leads_to_nobody() {
    let terms = [("price", "10.00"), ("deadline_minutes", "60"), ("deadline_clock", "wall")];
    let yard =
        Yard::of(Rules::roofing("acme").inbox_dealer("hudson", []).contract("hudson", "hudson", terms)).await;
    let lead = yard.settled_lead(&ada().with("message", "ring 305-274-0100 or ada.hill@mail.example")).await;
    let masked = yard.inbox("hudson").await.remove(0);
    for hidden in ["274", "ada.hill", "Hill", "I agree"] {
        assert!(!masked.to_string().contains(hidden), "{hidden}: {masked}");
    }
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    let whole = yard.inbox("hudson").await.remove(0);
    assert!(whole["message"].as_str().unwrap().contains("305-274-0100"), "{whole}");
}

#[tokio::test(start_paused = true)]
async fn what_a_dealer_gave_back_shows_nobody_any_more() {
    let yard = Yard::of(reader()).await;
    let lead = yard.settled_lead(&ada()).await;
    let words = ["Hill", "274", "kitchen", "I agree", "spring", "12 years"];
    let open = yard.inbox("hudson").await.remove(0).to_string();
    for word in words {
        assert!(open.contains(word), "{word}: {open}");
    }
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    let shut = yard.dealer("hudson", Method::GET, "/v1/inbox?state=shut", None).await.is(200);
    assert_eq!(shut.json["assignments"].as_array().unwrap().len(), 1, "{}", shut.text);
    for word in words {
        assert!(!shut.text.contains(word), "{word}: {}", shut.text);
    }
}

#[tokio::test(start_paused = true)]
async fn an_inbox_says_that_its_person_asked_again_opted_out_or_is_erased() {
    let yard = Yard::of(reader()).await;
    let lead = yard.settled_lead(&ada()).await;
    let told = async || {
        let shown = yard.inbox("hudson").await.remove(0);
        (shown["repeats"].clone(), shown["opted_out"].clone(), shown["erased_at"].is_null())
    };
    assert_eq!(told().await, (json!(0), json!(false), true));
    yard.advance(HOUR).await;
    let _ = yard.server("web").posts(&ada().with("message", "and over the hall")).await.is(200);
    yard.settle().await;
    assert_eq!(told().await, (json!(1), json!(false), true));
    let body = json!({ "email": "ada.hill@mail.example" });
    let _ = yard.desk(Method::POST, "/v1/persons/opt_out", Some(body)).await.is(200);
    yard.settle().await;
    assert_eq!(told().await, (json!(1), json!(true), true));
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    let body = json!({ "reason": "requested" });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), Some(body)).await.is(200);
    yard.settle().await;
    assert!(!told().await.2);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_is_told_of_an_erasure_also_where_it_gave_the_lead_back() {
    let yard = Yard::of(reader()).await;
    let lead = yard.settled_lead(&ada()).await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    let shut = async || {
        let reply = yard.dealer("hudson", Method::GET, "/v1/inbox?state=shut", None).await.is(200);
        reply.json["assignments"][0]["erased_at"].clone()
    };
    assert_eq!(shut().await, Value::Null);
    let body = json!({ "reason": "requested" });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), Some(body)).await.is(200);
    yard.settle().await;
    assert!(shut().await.is_string());
}

#[tokio::test(start_paused = true)]
async fn who_holds_a_seat_of_an_earlier_cycle_sees_what_it_bought_and_nothing_of_what_came_since() {
    let rules = Rules::company("acme")
        .with("window_days = 2")
        .offer("roof", "roofing", "")
        .offer("gutters", "roofing", "")
        .source("web", "offer = \"roof\"")
        .source("feed", "offer = \"gutters\"")
        .seller("hudson", [("offers", "roof")])
        .seller("ridge", [("offers", "gutters")]);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&ada()).await;
    let bought = yard.inbox("hudson").await.remove(0);
    yard.advance(HOUR * 72).await;
    let anew = ada().with("message", "now the gutters").with("utm_campaign", "autumn");
    let _ = yard.server("feed").posts(&anew).await.is(201);
    yard.settle().await;
    let _ = yard.server("feed").posts(&anew.with("message", "are you there?")).await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.0["cycle"], 2);
    let shown = yard.inbox("hudson").await.remove(0);
    for member in ["offer", "source", "campaign", "received_at", "message", "consent", "extra", "repeats"] {
        assert_eq!(shown[member], bought[member], "{member}");
    }

    // Nor is it told by what the desk sends again, or by a link of its letter.
    let body = json!({ "assignment": shown["assignment"] });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/redeliver"), Some(body)).await.is(200);
    yard.settle().await;
    let told = yard.told("hudson");
    let told: Vec<&Value> =
        told.iter().filter(|told| told.event == "lead.assigned").map(|told| &told.body["data"]).collect();
    assert_eq!(told.len(), 2);
    for member in ["offer", "source", "campaign", "received_at", "message", "consent", "extra"] {
        assert_eq!(told[1][member], told[0][member], "{member}");
    }
    let link = AnswerLink {
        lead: lead.parse().unwrap(),
        cycle: 1,
        assignment: shown["assignment"].as_str().unwrap().parse().unwrap(),
        answer: Answer::Accept,
        until_s: i64::MAX,
    };
    let path = format!("/answer/{}", yard.cloud.master.mint(&link));
    let page = yard.requests(Method::GET, &path, HeaderMap::new(), "text/html", Vec::new()).await.is(200);
    assert!(page.text.contains("the roof leaks over the kitchen"), "{}", page.text);
    assert!(!page.text.contains("gutters"), "{}", page.text);

    // Where what it bought is kept nowhere any more, nobody tells it of what came since: neither again nor by the link.
    let story = yard.story(&lead).await;
    let first =
        story.list("enquiries").min_by_key(|one| one["received_at"].as_str().unwrap().to_owned()).unwrap();
    let store = &yard.cloud.store;
    let key = |text: String| AttributeValue::S(text);
    let gone = store.client().delete_item().table_name(store.table());
    let gone =
        gone.key("pk", key(format!("E#{}", first["id"].as_str().unwrap()))).key("sk", key("E".to_owned()));
    gone.send().await.unwrap();
    let again = json!({ "assignment": shown["assignment"] });
    let refused = yard.desk(Method::POST, &format!("/v1/leads/{lead}/redeliver"), Some(again)).await.is(409);
    assert!(refused.text.contains("what its dealer bought is not kept any more"), "{}", refused.text);
    let page = yard.requests(Method::GET, &path, HeaderMap::new(), "text/html", Vec::new()).await.is(200);
    assert!(!page.text.contains("gutters") && !page.text.contains("Offer"), "{}", page.text);
}

/// Every item of a list that comes by pages.
async fn all_pages(yard: &Yard, dealer: Option<&str>, path: &str, of: &str, id: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut after = String::new();
    for _ in 0..20 {
        let path = format!("{path}{after}");
        let reply = match dealer {
            Some(dealer) => yard.dealer(dealer, Method::GET, &path, None).await.is(200),
            None => yard.desk(Method::GET, &path, None).await.is(200),
        };
        let items = reply.json[of].as_array().unwrap();
        all.extend(items.iter().map(|item| item[id].as_str().unwrap().to_owned()));
        let Some(next) = reply.json["next"].as_str() else { return all };
        after = format!("&after={next}");
    }
    panic!("the pages do not end")
}

#[tokio::test(start_paused = true)]
async fn of_hundreds_of_leads_and_returns_none_is_beyond_the_last_page() {
    const MANY: usize = 205;
    let terms = [("price", "10.00"), ("return_days", "7"), ("return_reasons", "wrong-number")];
    let yard =
        Yard::of(Rules::roofing("acme").inbox_dealer("hudson", []).contract("hudson", "hudson", terms)).await;
    let mut leads = BTreeSet::new();
    for n in 0..MANY {
        leads.insert(yard.lead(&Person::number(n)).await);
    }
    yard.settle().await;
    let listed = all_pages(&yard, Some("hudson"), "/v1/inbox?state=open", "assignments", "lead").await;
    assert_eq!((listed.len(), listed.into_iter().collect::<BTreeSet<_>>()), (MANY, leads.clone()));
    for lead in &leads {
        let asks = json!({ "reason": "wrong-number" });
        let _ = yard.answers_with("hudson", lead, "return", Some(asks)).await.is(200);
    }
    let listed = all_pages(&yard, None, "/v1/returns?company=acme", "returns", "lead").await;
    assert_eq!((listed.len(), listed.into_iter().collect::<BTreeSet<_>>()), (MANY, leads));
    for path in ["/v1/inbox?after=x", "/v1/inbox?after=019e8420-c297-7ef2-b099-2d3379d36a83"] {
        let refused = yard.dealer("hudson", Method::GET, path, None).await.is(400);
        assert!(refused.text.contains("after"), "{}", refused.text);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_dealer_must_be_told_and_cannot_be_for_a_day_the_desk_tells_by_hand() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.dealer_says("hudson", Says::Status(500));
    let by_hand = async || {
        let reply = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
        let all = reply.json["changes"].as_array().cloned().unwrap_or_default();
        let told = all.into_iter().filter(|change| change["act"] == "tell_by_hand");
        told.map(|change| change["after"]["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let body = json!({ "email": "ada.hill@mail.example" });
    let _ = yard.desk(Method::POST, "/v1/persons/opt_out", Some(body)).await.is(200);
    yard.advance(HOUR * 20).await;
    assert!(by_hand().await.is_empty(), "it is tried still");
    yard.advance(HOUR * 6).await;
    assert_eq!(by_hand().await, ["lead.opted_out"]);
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    let body = json!({ "reason": "requested" });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), Some(body)).await.is(200);
    yard.advance(HOUR * 26).await;
    let mut told = by_hand().await;
    told.sort();
    assert_eq!(told, ["lead.erased", "lead.opted_out"]);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_accepted_and_cannot_be_sent_the_whole_lead_is_told_by_hand() {
    let terms = [("deadline_minutes", "600"), ("deadline_clock", "wall")];
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", terms)).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.dealer_says("hudson", Says::Status(500));
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.advance(HOUR * 26).await;
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    let told = changes.json["changes"].as_array().unwrap().iter().find(|one| one["act"] == "tell_by_hand");
    assert_eq!(told.map(|told| &told["after"]["event"]), Some(&json!("lead.assigned")), "{}", changes.text);
}
