//! What the desk makes of what waits: it releases, rejects and puts right, one or many, once each, and nobody of
//! another company does.

use std::time::Duration;

use http::Method;
use leadyard_domain::access::DeskToken;
use leadyard_tests::{Person, Rules, Yard};
use serde_json::{Value, json};

use super::{HOUR, aside, counted, doubtful, quarantine, spam, verdict, yard};

/// The same by what stands in no URL.
async fn searched(yard: &Yard, query: Value) -> Vec<Value> {
    let reply = yard.desk(Method::POST, "/v1/quarantine/search", Some(query)).await.is(200);
    reply.json["enquiries"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_released_enquiry_goes_the_usual_way_with_its_own_time() {
    let yard = yard().await;
    let enquiry = aside(&yard, &doubtful(1).with("message", "the roof leaks")).await;
    let listed = quarantine(&yard, "").await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["enquiry"], &listed[0]["verdict"], &listed[0]["overdue"], &listed[0]["until"]),
        (&json!(enquiry), &json!("doubtful"), &json!(false), &json!("2026-06-04T16:00:00Z"))
    );
    assert!(listed[0]["fields"].to_string().contains("the roof leaks"), "whole");

    yard.advance(HOUR * 5).await;
    let released = verdict(&yard, &enquiry, "release", json!({ "reason": "called, is real" })).await.is(200);
    assert_eq!((released.text_of("status"), released.text_of("became")), ("released", "received"));
    let lead = released.text_of("lead").to_owned();
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.enquiries()), (vec!["hudson"], 1));
    assert_eq!(yard.stored(&lead).await.opened_at.to_string(), "2026-06-01T16:00:00Z");

    // A second click changes nothing, and gets the first answer.
    let again = verdict(&yard, &enquiry, "release", json!({})).await.is(200);
    assert_eq!((again.text_of("lead"), &again.json["already"]), (lead.as_str(), &json!(true)));
    assert_eq!(counted(&yard, "disposable_email").await, (1, 0));
    let _ = verdict(&yard, &enquiry, "reject", json!({})).await.is(409).is_problem("state-conflict");
    assert!(quarantine(&yard, "").await.is_empty());
    let done = quarantine(&yard, "?state=done").await;
    assert_eq!(
        (&done[0]["judged"]["by"], &done[0]["judged"]["said"]),
        (&json!("desk"), &json!("called, is real"))
    );
    // The same person is the same lead.
    let repeat =
        yard.server("web").posts(&Person::named("Ann1", "Hill").with("email", "ann1@mailinator.com")).await;
    assert_eq!(repeat.status, 202, "what was released once is screened again when it comes again");
}

#[tokio::test(start_paused = true)]
async fn two_releases_a_rejection_and_a_repeat_at_one_moment_are_one_lead() {
    let yard = yard().await;
    for n in 0..6 {
        let person = doubtful(n).with("phone", &format!("305-274-010{n}"));
        let enquiry = aside(&yard, &person).await;
        let asks = person.clone().with("email", &format!("ann.{n}@mail.example"));
        let release = || verdict(&yard, &enquiry, "release", json!({}));
        let server = yard.server("web");
        let (one, two, three, reject) = futures::join!(
            release(),
            release(),
            server.posts(&asks),
            verdict(&yard, &enquiry, "reject", json!({}))
        );
        let stored = yard.enquiry(&enquiry).await.unwrap();
        assert!(matches!(reject.status.as_u16(), 200 | 409), "{reject:?}");
        for reply in [&one, &two] {
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.text_of("lead"), stored.lead.unwrap().to_string());
        }
        assert!(matches!(three.status.as_u16(), 200 | 201), "{three:?}");
        // A phone that two e-mails contradict opens a lead of its own; it is flagged, and nobody is lost.
        yard.settle().await;
        assert_eq!(yard.story(&stored.lead.unwrap().to_string()).await.enquiries(), 1);
    }
    let (released, rejected) = counted(&yard, "disposable_email").await;
    assert_eq!(
        (released, rejected),
        (6, 0),
        "each verdict stands once, and a release takes a rejection back"
    );
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_release_that_races_the_same_person_s_enquiry_joins_it() {
    let yard = yard().await;
    let enquiry = aside(&yard, &spam()).await;
    let same = Person::named("Jason", "Mill");
    let server = yard.server("web");
    let (released, posted) =
        futures::join!(verdict(&yard, &enquiry, "release", json!({})), server.posts(&same));
    let lead = released.is(200).text_of("lead").to_owned();
    assert_eq!(posted.text_of("lead"), lead);
    assert_eq!(yard.story(&lead).await.enquiries(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_rejected_stays_whole_and_may_be_released_after_all() {
    let yard = yard().await;
    let enquiry = aside(&yard, &spam()).await;
    let _ = verdict(&yard, &enquiry, "reject", json!({ "reason": "seo" })).await.is(200);
    let again = verdict(&yard, &enquiry, "reject", json!({})).await.is(200);
    assert_eq!(again.json["already"], json!(true));
    assert_eq!(counted(&yard, "advertising").await, (0, 1));
    assert!(quarantine(&yard, "").await.is_empty());
    let found = searched(&yard, json!({ "state": "done", "email": "jason.mill@mail.example" })).await;
    assert_eq!((&found[0]["status"], found.len()), (&json!("rejected"), 1));
    let released = verdict(&yard, &enquiry, "release", json!({})).await.is(200);
    assert_eq!(released.text_of("status"), "released");
    assert_eq!(counted(&yard, "advertising").await, (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_reason_that_is_mostly_wrong_stands_first_with_its_share() {
    let yard = yard().await;
    // Of four with a disposable address three were let in after all; of two that advertise none was.
    for n in 1..=4 {
        let enquiry = aside(&yard, &doubtful(n)).await;
        let _ = verdict(&yard, &enquiry, if n == 1 { "reject" } else { "release" }, json!({})).await.is(200);
    }
    for n in 1..=2 {
        let enquiry = aside(&yard, &spam().with("email", &format!("jason{n}@mail.example"))).await;
        let _ = verdict(&yard, &enquiry, "reject", json!({})).await.is(200);
    }
    let reply = yard.desk(Method::GET, "/v1/quarantine/reasons", None).await.is(200);
    let of = |reason: &Value| {
        let member = |name: &str| reason[name].as_u64().unwrap();
        (
            reason["reason"].as_str().unwrap().to_owned(),
            (member("released"), member("rejected"), member("wrong_percent")),
        )
    };
    let reasons: Vec<_> = reply.json["reasons"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(reasons[0], ("disposable_email".to_owned(), (3, 1, 75)), "{}", reply.text);
    assert!(reasons.contains(&("advertising".to_owned(), (0, 2, 0))), "{}", reply.text);
    assert!(reasons.iter().map(|(_, (.., wrong))| wrong).is_sorted_by(|one, next| one >= next));
}

#[tokio::test(start_paused = true)]
async fn the_desk_puts_right_what_could_not_go_on() {
    let yard = yard().await;
    let lost = Person::named("Ada", "Hill").with("email", "ada at mail").with("fname", "Ada");
    let reply = yard.server("web").posts(&lost).await.is(422).is_problem("unreachable-person");
    let enquiry = reply.text_of("enquiry").to_owned();
    let refused = verdict(&yard, &enquiry, "release", json!({})).await.is(409);
    assert_eq!(refused.json["reasons"], json!(["unreachable_person"]));
    let still = verdict(&yard, &enquiry, "edit", json!({ "fields": { "phone": "12" } })).await.is(409);
    assert_eq!(still.json["reasons"], json!(["unreachable_person"]));
    assert!(
        yard.enquiry(&enquiry).await.unwrap().quarantine.unwrap().edited.is_none(),
        "nothing of it is kept"
    );
    let _ = verdict(&yard, &enquiry, "edit", json!({ "fields": { "shoe_size": "12" } })).await.is(400);
    let _ = verdict(&yard, &enquiry, "edit", json!({})).await.is(400);

    let fields = json!({ "fields": { "email": "ada@mail.example", "message": "a new roof" } });
    let edited = verdict(&yard, &enquiry, "edit", fields.clone()).await.is(200);
    // A second click changes nothing; another correction comes too late.
    let again = verdict(&yard, &enquiry, "edit", fields).await.is(200);
    assert_eq!((again.text_of("lead"), &again.json["already"]), (edited.text_of("lead"), &json!(true)));
    let other = json!({ "fields": { "email": "eve@mail.example" } });
    let _ = verdict(&yard, &enquiry, "edit", other).await.is(409).is_problem("state-conflict");
    let lead = yard.stored(edited.text_of("lead")).await;
    assert_eq!(lead.person.email.as_deref(), Some("ada@mail.example"));
    let stored = yard.enquiry(&enquiry).await.unwrap();
    assert_eq!(stored.fields.get("email"), Some("ada at mail"), "what was received stays");
    assert_eq!(stored.meant().get("email"), Some("ada@mail.example"));

    // An offer nobody knows, a body nobody can read.
    let unknown = aside(&yard, &Person::number(1).with("offer", "no such")).await;
    let _ = verdict(&yard, &unknown, "release", json!({})).await.is(409);
    let _ = verdict(&yard, &unknown, "edit", json!({ "fields": { "offer": "roof" } })).await.is(200);
    let raw = yard.server("web").sends("application/json", "{\"email\":").await.is(400);
    let fields = json!({ "fields": { "email": "bob@mail.example", "last_name": "Mann" } });
    let _ = verdict(&yard, raw.text_of("enquiry"), "release", json!({})).await.is(409);
    let _ = verdict(&yard, raw.text_of("enquiry"), "edit", fields).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn many_are_decided_at_once_each_with_its_own_answer() {
    let yard = yard().await;
    let mut enquiries = Vec::new();
    for n in 0..60 {
        enquiries.push(aside(&yard, &doubtful(n)).await);
        yard.advance(Duration::from_secs(1)).await;
    }
    let lost = yard.server("web").posts(&Person::named("A", "B").without("email")).await.is(422);
    // All of them, a page at a time, each once, the longest waiting first.
    let first = yard.desk(Method::GET, "/v1/quarantine", None).await.is(200).json;
    let next = first["next"].as_str().unwrap().replace('#', "%23");
    let second = yard.desk(Method::GET, &format!("/v1/quarantine?after={next}"), None).await.is(200).json;
    let ids = |page: &Value| -> Vec<String> {
        page["enquiries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["enquiry"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!([ids(&first), ids(&second)].concat()[..60], enquiries);
    assert_eq!(second["next"], Value::Null);
    assert_eq!(quarantine(&yard, "?reason=unreachable_person").await.len(), 1);
    assert_eq!(searched(&yard, json!({ "email": "ANN7+x@mailinator.com" })).await.len(), 1);
    let in_a_url = "/v1/quarantine?email=ANN7%2Bx@mailinator.com";
    let refused = yard.desk(Method::GET, in_a_url, None).await.is(400);
    assert!(refused.text.contains("nothing personal") && !refused.text.contains("ANN7"), "{}", refused.text);
    assert_eq!(quarantine(&yard, "?verdict=spam").await.len(), 0);

    enquiries.push(lost.text_of("enquiry").to_owned());
    let asked = json!({ "enquiries": enquiries, "reason": "a fair" });
    let reply = yard.desk(Method::POST, "/v1/quarantine/release", Some(asked)).await.is(200);
    let results = reply.json["results"].as_array().unwrap();
    assert_eq!(results.iter().filter(|result| result["done"] == true).count(), 60);
    assert_eq!(results[60]["problem"]["reasons"], json!(["unreachable_person"]));
    assert_eq!(counted(&yard, "disposable_email").await, (60, 0));
    let _ = yard.desk(Method::POST, "/v1/quarantine/reject", Some(json!({ "enquiries": [] }))).await.is(400);

    // What forty forms forgot to say is put right at once; others are not wanted at all.
    let mut unknown = Vec::new();
    for n in 200..204 {
        unknown.push(aside(&yard, &Person::number(n).with("offer", "no such")).await);
    }
    let (right, wrong) = unknown.split_at(2);
    let asked = json!({ "enquiries": right, "fields": { "offer": "roof" } });
    let reply = yard.desk(Method::POST, "/v1/quarantine/edit", Some(asked)).await.is(200);
    assert!(reply.json["results"].as_array().unwrap().iter().all(|result| result["became"] == "received"));
    let asked = json!({ "enquiries": wrong, "reason": "a robot" });
    let reply = yard.desk(Method::POST, "/v1/quarantine/reject", Some(asked)).await.is(200);
    assert!(reply.json["results"].as_array().unwrap().iter().all(|result| result["done"] == true));
    for (enquiry, status) in
        right.iter().map(|one| (one, "received")).chain(wrong.iter().map(|one| (one, "rejected")))
    {
        assert_eq!(yard.enquiry(enquiry).await.unwrap().status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn one_company_s_quarantine_does_not_exist_for_another_s_desk() {
    let acme = yard().await;
    let brook = acme.also(Rules::roofing("brook").seller("ridge", [])).await;
    let enquiry = aside(&acme, &doubtful(1)).await;
    assert!(quarantine(&brook, "").await.is_empty());
    let _ = brook.desk(Method::GET, &format!("/v1/quarantine/{enquiry}"), None).await.is(404);
    for act in ["release", "reject", "edit"] {
        let _ = verdict(&brook, &enquiry, act, json!({ "fields": { "zip": "33101" } })).await.is(404);
    }
    let many =
        brook.desk(Method::POST, "/v1/quarantine/reject", Some(json!({ "enquiries": [enquiry] }))).await;
    assert_eq!(many.json["results"][0]["done"], json!(false));
    let stranger = acme.cloud.master.mint(&DeskToken { staff: "x".to_owned(), companies: Vec::new() });
    let _ = acme
        .sends(Some(&stranger), Method::GET, "/v1/quarantine?company=acme", "application/json", Vec::new())
        .await
        .is(404);
    let _ = acme.sends(None, Method::GET, "/v1/quarantine", "application/json", Vec::new()).await.is(401);
    let _ = acme.dealer("hudson", Method::GET, "/v1/quarantine", None).await.is(401);
    // An enquiry that never was quarantined is not there either.
    let ham = acme.server("web").posts(&Person::number(1)).await.is(201);
    let _ = verdict(&acme, ham.text_of("enquiry"), "reject", json!({})).await.is(404);
    assert_eq!(acme.enquiry(&enquiry).await.unwrap().status, "quarantined");
}
