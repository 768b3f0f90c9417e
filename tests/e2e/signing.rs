//! Who signs in, and what the rules in force let them do.

use http::Method;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::json;

fn rules(company: &str, people: &str) -> Rules {
    Rules::roofing(company).seller("hudson", []).file("people.csv", &format!("person,email,role\n{people}"))
}

#[tokio::test(start_paused = true)]
async fn one_person_may_be_a_manager_here_and_a_reader_there() {
    let acme = Yard::of(rules("acme", "maria,maria@desk.example,manager\n")).await;
    let bolt = acme.also(rules("bolt", "m.hill,MARIA@desk.example,reader\n")).await;
    let (ours, theirs) = (
        acme.settled_lead(&Person::named("Ada", "Hill")).await,
        bolt.settled_lead(&Person::named("Ben", "Moss")).await,
    );
    let maria = Browser::by_mail(&acme, "maria@desk.example").await;
    let csrf = maria.csrf().await;
    let today = maria.opens("/console/today").await.is(200);
    assert!(today.text.contains(&ours) && today.text.contains(&theirs), "{}", today.text);
    let note = |lead: &str| format!("/console/leads/{lead}/note");
    let _ = maria.sends(&note(&ours), &format!("text=known&{csrf}")).await.is(303);
    let refused = maria.sends(&note(&theirs), &format!("text=known&{csrf}")).await.is(403);
    assert!(refused.text.contains("the role desk or manager"), "{}", refused.text);
    // What each company calls her is told apart, where they differ.
    let acts: Vec<_> = acme.story(&ours).await.list("history").map(|act| act["by"].clone()).collect();
    assert_eq!(acts, [json!("maria (acme)")]);
    assert_eq!(bolt.story(&theirs).await.list("history").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_people_csv_has_no_access_from_the_next_request_on() {
    let yard = Yard::of(rules("acme", "maria,maria@desk.example,manager\nben,ben@desk.example,desk\n")).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let ben = Browser::by_mail(&yard, "ben@desk.example").await;
    let csrf = ben.csrf().await;
    let note = format!("/console/leads/{lead}/note");
    let _ = ben.sends(&note, &format!("text=one&{csrf}")).await.is(303);

    // A lesser role is one at once, and so is a greater.
    let _ = yard
        .publish(&rules("acme", "maria,maria@desk.example,manager\nben,ben@desk.example,reader\n"))
        .await
        .is(200);
    let _ = ben.sends(&note, &format!("text=two&{csrf}")).await.is(403);
    let _ = ben.opens("/console/today").await.is(200);
    let _ = yard.publish(&rules("acme", "maria,maria@desk.example,manager\n")).await.is(200);
    let gone = ben.opens(&format!("/console/leads/{lead}")).await.is(303);
    assert!(gone.header("location").starts_with("/console/sign-in"));
    let _ = ben.sends(&note, &format!("text=three&{csrf}")).await.is(303);
    assert_eq!(yard.story(&lead).await.list("history").count(), 1);
    // Somebody else's publish of what lets him in again does, as long as his session runs.
    let _ = yard.desk(Method::POST, "/v1/rulebook/rollback", Some(json!({ "version": 1 }))).await.is(200);
    let _ = ben.opens("/console/today").await.is(200);
}

#[tokio::test(start_paused = true)]
async fn signing_out_everywhere_ends_all_sessions_of_that_person_and_of_nobody_else() {
    let yard = Yard::of(rules("acme", "maria,maria@desk.example,manager\nben,ben@desk.example,desk\n")).await;
    let (here, there) = (
        Browser::by_mail(&yard, "maria@desk.example").await,
        Browser::by_mail(&yard, "maria@desk.example").await,
    );
    let (ben, by_token, also_by_token) = (
        Browser::by_mail(&yard, "ben@desk.example").await,
        Browser::of(&yard).await,
        Browser::of(&yard).await,
    );
    let csrf = here.csrf().await;
    let _ = here.sends("/console/sign-out", &format!("everywhere=yes&{csrf}")).await.is(303);
    for over in [&here, &there] {
        let _ = over.opens("/console/today").await.is(303);
    }
    for open in [&ben, &by_token, &also_by_token] {
        let _ = open.opens("/console/today").await.is(200);
    }
    let csrf = by_token.csrf().await;
    let _ = by_token.sends("/console/sign-out", &csrf).await.is(303);
    let _ = also_by_token.opens("/console/today").await.is(200);
}
