//! A person goes by time, and not a day before; certificates expire, and are warned of.

use std::time::Duration;

use http::Method;
use leadyard_domain::ids::LeadId;
use leadyard_platform::person::Sought;
use leadyard_platform::retention::Retention;
use leadyard_platform::store::Erasure;
use leadyard_tests::{Person, Rules, Yard};
use serde_json::{Value, json};

use crate::moving_in::table;

const DAY: Duration = Duration::from_secs(86_400);
const CANARIES: [&str; 5] = ["zebulon", "quackenbush", "zq.canary", "5550177", "xylophone"];
const CERTIFICATE: &str = "https://cert.trustedform.com/0123456789abcdef0123456789abcdef01234567";
const LEADID: &str = "7F9A2C3E-1B4D-4E6F-8A90-0123456789AB";

fn rules(company: &str) -> Rules {
    Rules::roofing("acme")
        .with(company)
        .offer("gutter", "gutters", "")
        .source("rain", "offer = \"gutter\"")
        .seller("hudson", [("offers", "roof")])
}

fn zeb() -> Person {
    Person::named("Zebulon", "Quackenbush")
        .with("email", "zq.canary@mail.example")
        .with("phone", "305-555-0177")
        .with("message", "a xylophone on the roof")
}

async fn lost(yard: &Yard) -> String {
    let lead = yard.settled_lead(&zeb()).await;
    let _ = yard.answers("hudson", &lead, "lost").await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.stage(), "lost");
    lead
}

async fn is_erased(yard: &Yard, lead: &str) -> bool {
    yard.story(lead).await.0["erased_at"].is_string()
}

/// Lines of the table in which something of the person stands.
async fn traces(yard: &Yard) -> Vec<String> {
    let held = |line: &String| CANARIES.iter().any(|canary| line.to_lowercase().contains(canary));
    table(yard).await.into_iter().filter(held).collect()
}

async fn ledger(yard: &Yard) -> Vec<Value> {
    let reply = yard.desk(Method::GET, "/v1/erasures", None).await.is(200);
    reply.json["erasures"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn retention_erases_a_person_by_time_and_not_before() {
    let yard = Yard::of(rules("retention_days = 60")).await;
    let lead = lost(&yard).await;
    let told = yard.told("hudson").len();
    let owed = || async {
        let path = "/v1/dealers/hudson/statement?month=2026-06";
        yard.desk(Method::GET, path, None).await.is(200).json["owed"].clone()
    };
    let owed_before = owed().await;
    // Sixty days after the last day on which anything happened: the night to August 1st.
    yard.advance_to("2026-07-31T23:00:00Z").await;
    assert!(!is_erased(&yard, &lead).await);
    assert!(traces(&yard).await.len() >= 2, "the canaries were planted");
    yard.advance(DAY * 4).await;
    assert!(is_erased(&yard, &lead).await);
    assert_eq!(traces(&yard).await, Vec::<String>::new());
    // Nobody is told, and what was counted and owed stays.
    assert_eq!(yard.told("hudson").len(), told);
    assert_eq!(owed().await, owed_before);
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.assignment("hudson")["state"].clone()), ("lost", json!("lost")));
    let ledger = ledger(&yard).await;
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    let line = |name: &str| ledger[0][name].clone();
    assert_eq!(
        (line("reason"), line("by"), line("state")),
        (json!("retention"), json!("leadyard"), json!("done"))
    );
    // Nothing is looked at any more, and whoever asks again is new and welcome.
    assert_eq!(yard.stored(&lead).await.due, None);
    let again = yard.settled_lead(&zeb()).await;
    assert_ne!(again, lead);
    assert_eq!(yard.story(&again).await.holders(), ["hudson"]);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn retention_keeps_everybody_where_the_company_names_none() {
    let yard = Yard::of(rules("")).await;
    let lead = lost(&yard).await;
    yard.advance(DAY * 400).await;
    assert!(!is_erased(&yard, &lead).await);
    assert!(ledger(&yard).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn retention_that_is_published_later_reaches_what_closed_before() {
    let yard = Yard::of(rules("")).await;
    let lead = lost(&yard).await;
    yard.advance(DAY * 45).await;
    let _ = yard.publish(&rules("retention_days = 30")).await.is(200);
    yard.advance(DAY * 32).await;
    assert!(is_erased(&yard, &lead).await);
    assert_eq!(traces(&yard).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn retention_never_takes_who_has_an_open_lead_and_takes_them_whole_after() {
    let yard = Yard::of(rules("retention_days = 30")).await;
    let roof = lost(&yard).await;
    yard.advance(DAY * 20).await;
    // Nobody takes it: it waits until the window of repeats is over.
    let gutter = yard.server("rain").posts(&zeb()).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    yard.advance(DAY * 25).await;
    assert_eq!(yard.story(&gutter).await.stage(), "waiting");
    assert!(!is_erased(&yard, &roof).await, "45 days after, for the other lead is open");
    assert_eq!(ledger(&yard).await, Vec::<Value>::new(), "nothing began either");
    // It expires after 30 days, and is kept for another 30.
    yard.advance(DAY * 20).await;
    assert_eq!(yard.story(&gutter).await.stage(), "expired");
    assert!(!is_erased(&yard, &roof).await && !is_erased(&yard, &gutter).await);
    yard.advance(DAY * 30).await;
    assert!(is_erased(&yard, &roof).await && is_erased(&yard, &gutter).await);
    assert_eq!(traces(&yard).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn retention_leaves_who_comes_back_between_the_look_and_the_erasure() {
    let yard = Yard::of(rules("retention_days = 60")).await;
    let lead = lost(&yard).await;
    yard.advance(DAY * 58).await;
    // Three days on no sweep has looked: this look finds that it is time.
    tokio::time::sleep(DAY * 3).await;
    let stored = yard.stored(&lead).await;
    let now = yard.cloud.clock.now();
    let looked = yard.cloud.lead_retention(&stored, Some(60), now).await.unwrap();
    let Retention::Ends(erasure) = looked else { panic!("{looked:?}") };
    assert!(yard.cloud.store.erasure_open(&erasure).await.unwrap());
    // They ask again, which opens the next cycle, before anybody carries it out.
    let again = yard.server("web").posts(&zeb()).await;
    assert_eq!(again.text_of("lead"), lead, "{}", again.text);
    yard.cloud.erasure_go_on(&yard.company_id(), erasure.id).await.unwrap();
    yard.advance(DAY * 2).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.0["cycle"].clone()), ("assigned", json!(2)));
    assert_eq!((story.0["person"]["last_name"].clone(), story.enquiries()), (json!("Quackenbush"), 2));
    let ledger = ledger(&yard).await;
    assert_eq!((&ledger[0]["state"], &ledger[0]["gone"]["leads"]), (&json!("done"), &json!(0)));
    // What the ledger says is applied again to a table that was restored to before: they stay as well.
    let lines = json!({ "erasures": ledger });
    let _ = yard.desk(Method::POST, "/v1/erasures/reapply", Some(lines)).await.is(200);
    assert!(!is_erased(&yard, &lead).await);
}

#[tokio::test(start_paused = true)]
async fn retention_takes_back_nothing_from_who_holds_what_is_over() {
    let yard = Yard::of(rules("retention_days = 30")).await;
    let lead = yard.settled_lead(&zeb()).await;
    // Its dealer never says what came of it: held, it expires after 90 days, and its person goes 30 days later.
    yard.advance(DAY * 92).await;
    assert_eq!(yard.story(&lead).await.stage(), "expired");
    yard.advance(DAY * 32).await;
    assert!(is_erased(&yard, &lead).await);
    yard.advance(DAY).await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "offered")]);
    let statement = "/v1/dealers/hudson/statement?month=2026-06";
    assert_eq!(yard.desk(Method::GET, statement, None).await.is(200).json["owed"], "10.00");
    for month in ["2026-09", "2026-10"] {
        let statement = format!("/v1/dealers/hudson/statement?month={month}");
        let lines = yard.desk(Method::GET, &statement, None).await.is(200);
        assert_eq!(lines.json["owed"], "0.00", "{}", lines.text);
    }
    assert_eq!(yard.taken("hudson", 4).await, 1);
    assert_eq!(yard.told("hudson").iter().filter(|told| told.event != "lead.assigned").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn retention_that_was_interrupted_spares_the_lead_that_came_back() {
    let yard = Yard::of(rules("retention_days = 60")).await;
    let roof = lost(&yard).await;
    let gutter = yard.server("rain").posts(&zeb()).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    let _ = yard
        .desk(Method::POST, &format!("/v1/leads/{gutter}/reject"), Some(json!({ "reason": "no" })))
        .await
        .is(200);
    tokio::time::sleep(DAY * 61).await;
    let id: LeadId = roof.parse().unwrap();
    let sought = Sought { leads: [id].into(), ..Sought::default() };
    let person = yard.cloud.person(&yard.company_id(), &sought).await.unwrap();
    let over_by = yard.cloud.clock.now() - jiff::SignedDuration::from_hours(24 * 60);
    let erasure = Erasure::by_time(&yard.cloud, &yard.company_id(), &person, over_by);
    assert!(yard.cloud.store.erasure_open(&erasure).await.unwrap());
    // One of two leads is a shell; then whoever worked on it ended, and the person asked for the other again.
    let theirs = &person.leads[&id];
    let mut shell = theirs.story.lead.clone();
    shell.erase(yard.cloud.clock.now());
    assert!(yard.cloud.store.lead_erase(&shell, &theirs.known_by).await.unwrap());
    let again = yard.server("rain").posts(&zeb()).await;
    assert_eq!(again.text_of("lead"), gutter, "{}", again.text);
    yard.advance(DAY).await;
    assert!(is_erased(&yard, &roof).await && !is_erased(&yard, &gutter).await);
    let story = yard.story(&gutter).await;
    assert_eq!((story.stage(), story.0["cycle"].clone(), story.enquiries()), ("waiting", json!(2), 2));
}

#[tokio::test(start_paused = true)]
async fn retention_takes_what_stands_aside_by_its_own_time() {
    // Backlinks are spam: nobody but the desk lets them go. One is rejected, one left, one is a test.
    let yard = Yard::of(rules("retention_days = 40").source("trial", "offer = \"roof\"\ntest = true")).await;
    let spam = |name: &str| {
        Person::named(name, "Quackenbush")
            .with("message", "We offer 500 backlinks for your website, reply YES")
    };
    let mut aside = Vec::new();
    for name in ["Ada", "Ben"] {
        let reply =
            yard.server("web").posts(&spam(name).with("email", &format!("{name}@zq.canary.example"))).await;
        aside.push(reply.is(202).text_of("enquiry").to_owned());
    }
    aside.push(yard.server("trial").posts(&zeb()).await.is(201).text_of("enquiry").to_owned());
    let why = json!({ "reason": "Quackenbush sells links" });
    let _ = yard.desk(Method::POST, &format!("/v1/quarantine/{}/reject", aside[0]), Some(why)).await.is(200);
    yard.advance(DAY * 38).await;
    for enquiry in &aside {
        assert!(yard.enquiry(enquiry).await.is_some(), "{enquiry} went too soon");
    }
    // The deadline of what was left was days after.
    yard.advance(DAY * 15).await;
    for enquiry in &aside {
        assert!(yard.enquiry(enquiry).await.is_none(), "{enquiry} stands still");
    }
    assert_eq!(traces(&yard).await, Vec::<String>::new());
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn retention_of_a_certificate_is_warned_of_before_it_ends() {
    let yard = Yard::of(rules("certificate_days = 40")).await;
    let sent = zeb().with("xxTrustedFormCertUrl", CERTIFICATE).with("consent", "yes");
    let lead = yard.settled_lead(&sent).await;
    let certificate = || async { yard.story(&lead).await.0["certificate"].clone() };
    let expires = json!("2026-07-11T16:00:00Z");
    assert_eq!(certificate().await, json!({ "expires": expires, "warning": null }));
    yard.advance_to("2026-06-27T15:00:00Z").await;
    assert_eq!(certificate().await["warning"], Value::Null, "fourteen days and an hour are left");
    yard.advance_to("2026-06-27T17:00:00Z").await;
    assert_eq!(certificate().await["warning"], "expires_soon");
    let told = || async {
        let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).json;
        let all = changes["changes"].as_array().unwrap().clone();
        let soon = all.into_iter().filter(|change| change["act"] == "certificate_expires_soon");
        soon.map(|change| change["after"].clone()).collect::<Vec<_>>()
    };
    let said = json!({ "lead": lead, "expires": expires, "holders": ["hudson"] });
    assert_eq!(told().await, std::slice::from_ref(&said), "the desk need not open the lead to know");
    yard.advance_to("2026-07-11T16:00:01Z").await;
    assert_eq!(told().await, [said], "once");
    assert_eq!(certificate().await["warning"], "expired");
    // Of one that is over nobody is warned.
    let _ = yard.answers("hudson", &lead, "lost").await.is(200);
    assert_eq!(certificate().await, json!({ "expires": expires, "warning": null }));
    // It was made when the person agreed, however much later the enquiry came.
    let bob = Person::named("Bob", "Mann").with("xxTrustedFormCertUrl", CERTIFICATE).with("consent", "yes");
    let sooner = yard.settled_lead(&bob.with("consent_at", "2026-07-01T16:00:00Z")).await;
    assert_eq!(yard.story(&sooner).await.0["certificate"]["expires"], "2026-08-10T16:00:00Z");
    // Without one there is nothing to say.
    let other = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    assert_eq!(yard.story(&other).await.0["certificate"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn retention_certificates_are_forwarded_whole_once_the_dealer_has_accepted() {
    let rules = Rules::roofing("acme").seller(
        "hudson",
        [("deadline_minutes", "30"), ("deadline_clock", "wall"), ("needs", "consent certificate")],
    );
    let yard = Yard::of(rules).await;
    let sent = zeb()
        .with("xxTrustedFormCertUrl", CERTIFICATE)
        .with("universal_leadid", LEADID)
        .with("consent", "yes")
        .with("consent_text", "I agree");
    let lead = yard.settled_lead(&sent).await;
    let masked = yard.told("hudson").remove(0);
    assert!(!masked.text().contains("trustedform") && !masked.text().contains(LEADID), "{}", masked.text());
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.settle().await;
    let told = yard.told("hudson").pop().unwrap();
    let consent = &told.body["data"]["consent"];
    assert_eq!((&consent["certificate"], &consent["leadid"]), (&json!(CERTIFICATE), &json!(LEADID)));
}

#[tokio::test(start_paused = true)]
async fn retention_needs_of_a_contract_refuse_leads_without() {
    for (needs, brings) in [
        ("consent", vec![("consent", "yes")]),
        ("certificate", vec![("xxTrustedFormCertUrl", CERTIFICATE)]),
        ("certificate", vec![("universal_leadid", LEADID)]),
    ] {
        let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("needs", needs)])).await;
        let without = yard.settled_lead(&Person::named("Ada", "Hill")).await;
        let story = yard.story(&without).await;
        assert_eq!((story.stage(), story.waiting()), ("waiting", "needs"), "{needs}");
        let with = brings.iter().fold(zeb(), |person, (field, value)| person.with(field, value));
        let with = yard.settled_lead(&with).await;
        assert_eq!(yard.story(&with).await.holders(), ["hudson"], "{needs}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_contract_that_needs_clean_numbers_has_no_lead_whose_phone_is_listed_since() {
    let clean = Rules::roofing("acme")
        .seller("hudson", [("needs", "dnc_clean")])
        .source("trial", "offer = \"roof\"\ntest = true");
    let yard = Yard::of(clean).await;
    let list = |phone: &str| json!({ "rows": [{ "phone": phone }] });
    let path = "/v1/import/do_not_call?company=acme";
    let agreed = |person: Person| person.with("consent", "yes");
    // Who agreed to be called is taken in; the contract is stricter.
    let _ = yard.desk(Method::POST, path, Some(list("305-555-0107"))).await.is(200);
    let listed = agreed(Person::named("Ada", "Hill").with("phone", "(305) 555-0107"));
    let tried = yard.server("trial").posts(&listed).await.is(201);
    assert_eq!((&tried.json["would_go_to"], &tried.json["would_wait"]), (&json!([]), &json!("needs")));
    let listed = yard.settled_lead(&listed).await;
    let story = yard.story(&listed).await;
    assert_eq!((story.stage(), story.waiting()), ("waiting", "needs"));
    let asked = yard.desk(Method::GET, &format!("/v1/leads/{listed}/recommendation"), None).await.is(200);
    assert!(asked.text.contains("dnc_clean"), "{}", asked.text);

    let free = yard.settled_lead(&agreed(zeb().with("phone", "305-555-0108"))).await;
    assert_eq!(yard.story(&free).await.holders(), ["hudson"]);
    let none = yard
        .settled_lead(&Person::named("Cy", "Young").with("email", "cy@mail.example").without("phone"))
        .await;
    assert_eq!(yard.story(&none).await.holders(), ["hudson"], "who has no phone is on no list");
    // Listed while it waits: the list is asked at the decision, not at the arrival.
    yard.flip("stop", json!({ "on": true, "reason": "a pause" })).await;
    let waits = yard
        .settled_lead(&agreed(
            Person::named("Eve", "Dean").with("email", "eve@mail.example").with("phone", "305-555-0109"),
        ))
        .await;
    let _ = yard.desk(Method::POST, path, Some(list("305-555-0109"))).await.is(200);
    yard.flip("stop", json!({ "on": false })).await;
    yard.advance(Duration::from_secs(300)).await;
    let story = yard.story(&waits).await;
    assert_eq!((story.stage(), story.waiting()), ("waiting", "needs"));
    // Off the list, whoever waited for that is had at once; and who is held stays held, whatever is listed.
    let off = json!({ "rows": [{ "phone": "305-555-0109", "remove": true }, { "phone": "305-555-0108" }] });
    let _ = yard.desk(Method::POST, path, Some(off)).await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&waits).await.holders(), ["hudson"]);
    assert_eq!(yard.story(&free).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn retention_hours_in_which_people_are_called_are_the_companys() {
    let yard = Yard::at("2026-06-01T12:30:00Z", rules("call_hours = \"09:00-20:00\"")).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let may = |story: &Value| story["may_be_called"].clone();
    let story = yard.story(&lead).await.0;
    assert_eq!((&may(&story)["now"], &may(&story)["from"]), (&json!(false), &json!("2026-06-01T13:00:00Z")));
    assert_eq!(may(&yard.inbox("hudson").await[0])["from"], "2026-06-01T13:00:00Z");
    yard.advance_to("2026-06-01T13:00:00Z").await;
    let story = yard.story(&lead).await.0;
    assert_eq!((&may(&story)["now"], &may(&story)["until"]), (&json!(true), &json!("2026-06-02T00:00:00Z")));
    // The federal hours are the widest.
    let wider = yard.publish(&rules("call_hours = \"07:00-22:00\"")).await;
    assert!(wider.status == 422 || wider.status == 400, "{}", wider.text);
    assert!(wider.text.contains("within 08:00-21:00"), "{}", wider.text);
}
