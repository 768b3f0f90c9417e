//! Nobody else is erased with a person, and nobody of another company or a dealer erases or exports anybody.

use std::collections::BTreeMap;

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::{HOUR, ada, assert_nobody, erase, events, export, rules, zeb};

#[tokio::test(start_paused = true)]
async fn whoever_shares_a_phone_is_somebody_else() {
    let yard = Yard::of(rules()).await;
    let spouse = ada().with("phone", "305-555-0177").with("email", "ada@mail.example");
    let (zebs, adas) = (yard.settled_lead(&zeb()).await, yard.settled_lead(&spouse).await);
    let by_phone = json!({ "phone": "305-555-0177", "reason": "requested" });
    let found = export(&yard, json!({ "lead": adas })).await.is(200);
    assert_eq!((found.json["leads"].as_array().unwrap().len(), &found.json["others"]), (1, &json!([zebs])));
    let _ = erase(&yard, &adas, json!({})).await.is(200);
    assert!(yard.story(&zebs).await.0["erased_at"].is_null());
    assert!(yard.story(&adas).await.0["erased_at"].is_string());
    // The phone is his, and neither suppressed nor forgotten.
    let _ = yard.server("web").posts(&zeb()).await.is(200);
    let _ = yard.desk(Method::POST, "/v1/persons/erase", Some(by_phone)).await.is(200);
    assert!(yard.story(&zebs).await.0["erased_at"].is_string());
}

#[tokio::test(start_paused = true)]
async fn an_enquiry_that_is_named_leads_to_nobody_who_merely_shares_its_phone() {
    let yard = Yard::of(rules()).await;
    let wife =
        yard.settled_lead(&ada().with("phone", "305-555-0177").with("email", "ada@mail.example")).await;
    // His waits for a verdict: it is for nothing that there is.
    let his = zeb().with("offer", "no such").with("email", "zq.other@mail.example");
    let aside = yard.server("web").posts(&his).await.is(202).text_of("enquiry").to_owned();
    let body = json!({ "enquiries": [aside], "reason": "requested" });
    let told = yard.desk(Method::POST, "/v1/persons/erase", Some(body)).await;
    assert!(told.status.is_success(), "{}", told.text);
    yard.advance(HOUR * 2).await;
    assert!(yard.enquiry(&aside).await.is_none());
    let story = yard.story(&wife).await;
    assert!(story.0["erased_at"].is_null());
    assert_eq!(story.holders().len(), 1);
    assert!(!events(&yard, "hudson").contains(&"lead.erased".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn several_are_erased_at_once_each_with_its_own_answer() {
    let yard = Yard::of(rules()).await;
    let other = yard.also(Rules::roofing("brook").seller("ridge", [])).await;
    let zeb = yard.settled_lead(&zeb()).await;
    let ann = yard.settled_lead(&Person::number(7)).await;
    let stranger = other.settled_lead(&Person::number(8)).await;
    let body = |dry_run: bool| {
        Some(json!({ "leads": [zeb, ann, stranger], "reason": "requested", "dry_run": dry_run }))
    };
    let by_lead = |reply: &Reply| -> BTreeMap<String, Value> {
        let results = reply.json["results"].as_array().unwrap().clone();
        results.into_iter().map(|one| (one["lead"].as_str().unwrap().to_owned(), one)).collect()
    };
    let dry = by_lead(&yard.desk(Method::POST, "/v1/leads/erase", body(true)).await.is(200));
    assert_eq!((&dry[&zeb]["done"], &dry[&zeb]["seats"][0]["dealer"]), (&json!(false), &json!("hudson")));
    assert!(yard.stored(&zeb).await.erased_at.is_none(), "a dry run erases nobody");
    let done = by_lead(&yard.desk(Method::POST, "/v1/leads/erase", body(false)).await.is(200));
    assert_eq!((&done[&zeb]["done"], &done[&ann]["done"]), (&json!(true), &json!(true)));
    assert_eq!(done[&stranger]["problem"]["status"], 404, "another company's lead does not exist");
    for lead in [&zeb, &ann] {
        assert!(yard.stored(lead).await.erased_at.is_some());
    }
    assert!(other.stored(&stranger).await.erased_at.is_none());
    let again = by_lead(&yard.desk(Method::POST, "/v1/leads/erase", body(false)).await.is(200));
    assert_eq!(again[&zeb]["already"], true);
    for body in
        [json!({ "leads": [], "reason": "requested" }), json!({ "leads": [zeb], "email": "a@b.example" })]
    {
        let _ = yard.desk(Method::POST, "/v1/leads/erase", Some(body)).await.is(400);
    }
}

#[tokio::test(start_paused = true)]
async fn the_desk_of_one_company_and_a_dealer_reach_nobody_of_another() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    let other = yard.also(Rules::roofing("brook").seller("hudson", [])).await;
    let _ = erase(&other, &lead, json!({})).await.is(404);
    let none = export(&other, json!({ "email": "zq.canary@mail.example" })).await.is(200);
    assert_eq!(none.json["leads"], json!([]));
    let none = export(&other, json!({ "lead": lead })).await.is(200);
    assert_eq!(none.json["leads"], json!([]));
    for path in ["/v1/persons/export", "/v1/persons/erase", "/v1/erasures/reapply"] {
        let body = Some(json!({ "email": "zq.canary@mail.example", "reason": "requested" }));
        let _ = yard.dealer("hudson", Method::POST, path, body).await.is(401);
    }
    // What is wrong is named, and nobody in it.
    for body in [
        json!({}),
        json!({ "email": "zq.canary at mail" }),
        json!({ "lead": "Zebulon" }),
        json!({ "zebulon": 1 }),
    ] {
        let reply = export(&yard, body).await.is(400);
        assert_nobody("a problem", &reply.text);
    }
    let unreasoned =
        yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), Some(json!({}))).await.is(400);
    assert!(unreasoned.text.contains("requested withdrawn unlawful retention"));
}
