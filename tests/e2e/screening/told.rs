//! What is let through and what waits, and what its sender is told: a page nothing of it, a server its reasons, a
//! test what would be.

use http::Method;
use leadyard_platform::metrics::Metric;
use leadyard_tests::{Person, Rules, Yard};
use serde_json::json;

use super::{browser, counted, doubtful, quarantine, rules, spam, verdict, yard};

#[tokio::test(start_paused = true)]
async fn a_page_is_told_the_same_of_ham_doubt_and_spam() {
    let yard = yard().await;
    let page = browser(&yard, "web", "203.0.113.1");
    let mut stored = Vec::new();
    for person in [Person::named("Ada", "Hill"), doubtful(1), spam(), doubtful(2).with("hp", "x")] {
        let reply = page.posts(&person).await.is(201);
        let mut members: Vec<&str> = reply.json.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!((members, reply.text_of("status")), (vec!["enquiry", "status", "visitor"], "received"));
        stored.push(yard.enquiry(reply.text_of("enquiry")).await.unwrap());
    }
    let seen: Vec<_> =
        stored.iter().map(|one| one.quarantine.as_ref().map(|one| one.verdict.as_str())).collect();
    assert_eq!(seen, [None, Some("doubtful"), Some("spam"), Some("spam")]);
    yard.settle().await;
    assert_eq!(yard.told("hudson").len(), 1, "nobody hears of what waits");
}

#[tokio::test(start_paused = true)]
async fn a_server_is_told_the_reasons_and_a_test_lead_too() {
    let yard = yard().await;
    let reply = yard.server("web").posts(&doubtful(1)).await.is(202);
    assert_eq!(
        (reply.text_of("status"), &reply.json["reasons"]),
        ("quarantined", &json!(["disposable_email"]))
    );
    let trial = yard.server("trial").posts(&doubtful(1)).await.is(201);
    assert_eq!(
        (&trial.json["would_go_to"], &trial.json["would_wait"], &trial.json["reasons"]),
        (&json!([]), &json!("quarantined"), &json!(["disposable_email"]))
    );
    assert_eq!(quarantine(&yard, "").await.len(), 1, "a test waits for nobody");
}

#[tokio::test(start_paused = true)]
async fn the_rulebook_sets_weights_traps_and_domains() {
    let toml = "honeypot = [\"fax_2\"]\ndisposable = [\"throw.example\"]\nnot_disposable = [\"yopmail.com\"]\n\
                [weights]\ndummy_email = 0\n";
    let yard = Yard::of(rules().file("screening.toml", toml)).await;
    let with = |email: &str| Person::named("Ada", "Hill").with("email", email).with("phone", "305-555-0100");
    let _ = yard.server("web").posts(&with("a@throw.example")).await.is(202);
    let _ = yard.server("web").posts(&with("ada@yopmail.com")).await.is(201);
    let _ = yard.server("web").posts(&Person::number(1).with("email", "no@no.com")).await.is(201);
    let _ = yard.server("web").posts(&Person::number(2).with("fax_2", "1")).await.is(202);
    for (bad, says) in [
        ("doubtful = 60\nspam = 50", "not below doubtful"),
        ("honeypot = [\"email\"]", "none of the standard fields"),
        ("[weights]\nhoneypots = 5", "honeypot"),
        ("[weights]\nsuppressed = 5", "suppressed"),
        ("at_deadline = \"drop\"", "release keep"),
        ("deadline_hours = 0", "from 1 to 8760"),
    ] {
        let refused = yard.publish(&rules().file("screening.toml", bad)).await.is(422);
        assert!(refused.text.contains(says), "{bad}: {}", refused.text);
        assert!(refused.text.contains("screening.toml"), "{bad}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_phone_not_to_be_called_is_a_doubt_unless_the_person_agreed() {
    let yard = yard().await;
    let rows = json!({ "rows": [{ "phone": "305-274-0100" }, { "email": "ada@mail.example" }] });
    let reply = yard.desk(Method::POST, "/v1/import/do_not_call", Some(rows)).await.is(200);
    assert_eq!((&reply.json["imported"], &reply.json["refused"]), (&json!(1), &json!(1)), "{}", reply.text);
    let ada = Person::named("Ada", "Hill").with("phone", "(305) 274-0100");
    let reply = yard.server("web").posts(&ada).await.is(202);
    assert_eq!(reply.json["reasons"], json!(["do_not_call"]));
    let _ = yard.server("web").posts(&ada.clone().with("consent", "yes")).await.is(201);
    let row = json!({ "rows": [{ "phone": "305-274-0100", "remove": "yes" }] });
    let _ = yard.desk(Method::POST, "/v1/import/do_not_call", Some(row)).await.is(200);
    let _ = yard.server("web").posts(&ada).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn what_a_test_sends_is_nobodys_lead_whatever_the_desk_puts_right() {
    let of = |trial: &str| {
        let trial = format!("offer = \"roof\"\n{trial}");
        Rules::roofing("acme").source("trial", &trial).seller("hudson", [])
    };
    let yard = Yard::of(of("")).await;
    let odd = Person::number(1).with("offer", "no-such-offer");
    let enquiry = yard.server("trial").posts(&odd).await.is(202).text_of("enquiry").to_owned();
    // Its source turns out to be one for tests.
    let _ = yard.publish(&of("test = true")).await.is(200);
    let edited = verdict(&yard, &enquiry, "edit", json!({ "fields": { "offer": "roof" } })).await.is(409);
    assert_eq!(edited.json["reasons"], json!(["test"]));
    let _ = verdict(&yard, &enquiry, "release", json!({})).await.is(409);
    yard.settle().await;
    assert!(yard.told("hudson").is_empty());
    let _ = verdict(&yard, &enquiry, "reject", json!({})).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn a_test_that_is_wrong_is_told_so_and_moves_no_counter() {
    let yard = yard().await;
    yard.notes();
    let trial = yard.server("trial");
    let odd = trial.posts(&Person::number(1).with("offer", "no-such-offer")).await.is(201);
    assert_eq!(
        (&odd.json["test"], &odd.json["would_wait"], &odd.json["reasons"]),
        (&json!(true), &json!("quarantined"), &json!(["unknown_offer"]))
    );
    let nobody = trial.posts(&Person::number(2).without("email").without("phone")).await.is(422);
    let broken = trial.sends("application/json", "{broken").await.is(400);
    yard.settle().await;
    for reply in [&odd, &nobody, &broken] {
        let enquiry = reply.text_of("enquiry");
        let kept = yard.enquiry(enquiry).await.unwrap();
        assert_eq!((kept.status.as_str(), kept.reasons.len(), kept.lead), ("test", 0, None));
        for act in ["release", "reject"] {
            let _ = verdict(&yard, enquiry, act, json!({})).await.is(404);
        }
    }
    assert!(quarantine(&yard, "").await.is_empty() && yard.told("hudson").is_empty());
    assert_eq!(counted(&yard, "unknown_offer").await, (0, 0));
    assert!(yard.counted(Metric::LeadsQuarantined).is_empty());
    // The one real enquiry is all that a report knows of.
    let _ = yard.settled_lead(&Person::number(3)).await;
    yard.count().await;
    let told = yard.report("sources?from=2026-06-01&to=2026-06-30").await;
    assert_eq!(told["whole"]["enquiries"], 1, "{told}");
    assert_eq!(told["rows"].as_array().unwrap().len(), 1, "{told}");
}
