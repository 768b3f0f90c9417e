//! What is let through, what waits for the desk, and what the desk makes of it.

use std::time::Duration;

use futures::future::join_all;
use http::Method;
use leadyard_domain::access::DeskToken;
use leadyard_domain::ids::SourceId;
use leadyard_domain::screening::{ScreeningRules, Window};
use leadyard_platform::metrics::Metric;
use leadyard_platform::queues::ToSpill;
use leadyard_tests::logs::Logs;
use leadyard_tests::{Person, Reply, Rules, Sender, Yard};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);
const BROWSER: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36";

fn rules() -> Rules {
    Rules::roofing("acme").source("trial", "offer = \"roof\"\ntest = true").seller("hudson", [])
}

async fn yard() -> Yard {
    Yard::of(rules()).await
}

/// A browser at an address.
fn browser(yard: &Yard, source: &str, address: &str) -> Sender {
    yard.page(source).header("user-agent", BROWSER).header("x-forwarded-for", address)
}

fn doubtful(n: usize) -> Person {
    Person::named(&format!("Ann{n}"), "Hill").with("email", &format!("ann{n}@mailinator.com"))
}

fn spam() -> Person {
    Person::named("Jason", "Mill").with("message", "We offer 500 backlinks for your website, reply YES")
}

async fn quarantine(yard: &Yard, query: &str) -> Vec<Value> {
    let reply = yard.desk(Method::GET, &format!("/v1/quarantine{query}"), None).await.is(200);
    reply.json["enquiries"].as_array().unwrap().clone()
}

/// The same by what stands in no URL.
async fn searched(yard: &Yard, query: Value) -> Vec<Value> {
    let reply = yard.desk(Method::POST, "/v1/quarantine/search", Some(query)).await.is(200);
    reply.json["enquiries"].as_array().unwrap().clone()
}

async fn verdict(yard: &Yard, enquiry: &str, act: &str, body: Value) -> Reply {
    yard.desk(Method::POST, &format!("/v1/quarantine/{enquiry}/{act}"), Some(body)).await
}

/// What the verdicts make of a reason: released, rejected.
async fn counted(yard: &Yard, reason: &str) -> (u64, u64) {
    let reply = yard.desk(Method::GET, "/v1/quarantine/reasons", None).await.is(200);
    let found = reply.json["reasons"].as_array().unwrap().iter().find(|one| one["reason"] == reason).cloned();
    found.map_or((0, 0), |one| (one["released"].as_u64().unwrap(), one["rejected"].as_u64().unwrap()))
}

async fn aside(yard: &Yard, person: &Person) -> String {
    let reply = yard.server("web").posts(person).await.is(202);
    assert_eq!(reply.text_of("status"), "quarantined", "{}", reply.text);
    reply.text_of("enquiry").to_owned()
}

// --- What the sender is told ---

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

// --- What the desk does ---

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

// --- Deadlines ---

#[tokio::test(start_paused = true)]
async fn at_its_deadline_a_doubt_is_released_and_what_needs_a_person_is_overdue() {
    let yard = yard().await;
    let doubt = aside(&yard, &doubtful(1)).await;
    let spam = aside(&yard, &spam()).await;
    let offer = aside(&yard, &Person::number(1).with("offer", "no such")).await;
    yard.advance(HOUR * 71).await;
    assert_eq!(quarantine(&yard, "").await.len(), 3);
    yard.advance(HOUR * 3).await;
    let stored = yard.enquiry(&doubt).await.unwrap();
    assert_eq!(stored.status, "received");
    assert_eq!(yard.story(&stored.lead.unwrap().to_string()).await.holders(), ["hudson"]);
    let left = quarantine(&yard, "").await;
    let mut ids: Vec<&str> = left.iter().map(|one| one["enquiry"].as_str().unwrap()).collect();
    let mut expected = [spam.as_str(), offer.as_str()];
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert!(left.iter().all(|one| one["overdue"] == true));
    // Silence says nothing of a reason; the desk may still.
    assert_eq!(counted(&yard, "disposable_email").await, (0, 0));
    let _ = verdict(&yard, &spam, "release", json!({})).await.is(200);
    yard.advance(HOUR * 100).await;
    assert_eq!(quarantine(&yard, "").await.len(), 1, "it stays for as long as nobody decides");
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_before_the_deadline_releases_nobody() {
    let yard = yard().await;
    let reply = browser(&yard, "web", "203.0.113.7").posts(&doubtful(1)).await.is(201);
    let doubt = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    let early = ToSpill::looks_at(&doubt);
    yard.cloud.queues.to_spill(&early).await.unwrap();
    yard.settle().await;
    let stands = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    assert_eq!((stands.status.as_str(), stands.quarantine.unwrap().overdue), ("quarantined", false));
}

#[tokio::test(start_paused = true)]
async fn a_company_may_keep_what_nobody_looked_at() {
    let yard = Yard::of(rules().file("screening.toml", "deadline_hours = 2\nat_deadline = \"keep\"")).await;
    let doubt = aside(&yard, &doubtful(1)).await;
    yard.advance(HOUR * 3).await;
    let stored = yard.enquiry(&doubt).await.unwrap();
    assert_eq!((stored.status.as_str(), stored.quarantine.unwrap().overdue), ("quarantined", true));
}

#[tokio::test(start_paused = true)]
async fn who_was_suppressed_meanwhile_is_released_by_nobody() {
    let yard = yard().await;
    let enquiry = aside(&yard, &doubtful(1)).await;
    let rows = json!({ "rows": [{ "email": "ann1@mailinator.com" }] });
    let _ = yard.desk(Method::POST, "/v1/import/suppressed", Some(rows)).await.is(200);
    let refused = verdict(&yard, &enquiry, "release", json!({})).await.is(409);
    assert_eq!(refused.json["reasons"], json!(["suppressed"]));
    yard.advance(HOUR * 74).await;
    let stored = yard.enquiry(&enquiry).await.unwrap();
    assert_eq!((stored.status.as_str(), stored.quarantine.unwrap().overdue), ("quarantined", true));
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
async fn silence_lets_nothing_past_a_source_s_cap_and_the_desk_may() {
    let capped = "offer = \"roof\"\ncaps = { day = 1 }";
    let yard = Yard::of(rules().source("capped", capped)).await;
    let page = browser(&yard, "capped", "203.0.113.7");
    let doubt = page.posts(&doubtful(1)).await.is(201).text_of("enquiry").to_owned();
    assert_eq!(yard.enquiry(&doubt).await.unwrap().status, "quarantined");
    yard.advance(HOUR * 71).await;
    // The third day's one lead has come when the deadline does.
    let _ = page.posts(&Person::number(2)).await.is(201);
    yard.advance(HOUR * 3).await;
    let stored = yard.enquiry(&doubt).await.unwrap();
    assert_eq!((stored.status.as_str(), stored.quarantine.unwrap().overdue), ("quarantined", true));
    let _ = verdict(&yard, &doubt, "release", json!({})).await.is(200);
    assert_eq!(yard.enquiry(&doubt).await.unwrap().status, "received");
}

#[tokio::test(start_paused = true)]
async fn silence_lets_in_nobody_of_a_crowd_at_one_address() {
    let yard = yard().await;
    let mut last = String::new();
    for n in 0..11 {
        let reply = browser(&yard, "web", "203.0.113.7").posts(&Person::number(n)).await.is(201);
        last = reply.text_of("enquiry").to_owned();
    }
    assert_eq!(yard.enquiry(&last).await.unwrap().reasons, ["address_velocity"]);
    yard.advance(HOUR * 74).await;
    let stored = yard.enquiry(&last).await.unwrap();
    assert_eq!((stored.status.as_str(), stored.quarantine.unwrap().overdue), ("quarantined", true));
}

// --- What comes from where, and how often ---

#[tokio::test(start_paused = true)]
async fn more_people_at_one_address_than_live_there_wait() {
    let (logs, _guard) = Logs::keep();
    let yard = yard().await;
    let mut verdicts = Vec::new();
    for n in 0..12 {
        let reply =
            browser(&yard, "web", "198.51.100.9, 203.0.113.7").posts(&Person::number(n)).await.is(201);
        verdicts.push(yard.enquiry(reply.text_of("enquiry")).await.unwrap());
    }
    assert!(verdicts[..10].iter().all(|one| one.status == "received"));
    assert!(verdicts[10..].iter().all(|one| one.reasons == ["address_velocity"]));
    // Another address is nobody's neighbour; what the sender puts before the last is not believed.
    for (n, address) in [(100, "203.0.113.8"), (101, "203.0.113.7, 203.0.113.9"), (102, "2001:db8::1")] {
        let person = Person::number(n);
        let reply = browser(&yard, "web", address).posts(&person).await.is(201);
        assert_eq!(yard.enquiry(reply.text_of("enquiry")).await.unwrap().status, "received", "{address}");
    }
    // A partner's server sends for many.
    for n in 20..35 {
        let server = yard.server("web").header("x-forwarded-for", "203.0.113.7");
        let _ = server.posts(&Person::number(n)).await.is(201);
    }
    // Ten minutes later it is another window; and one person is one person, however often.
    yard.advance(Duration::from_secs(700)).await;
    for _ in 0..12 {
        let reply = browser(&yard, "web", "203.0.113.7").posts(&Person::number(200)).await.is(201);
        assert_ne!(yard.enquiry(reply.text_of("enquiry")).await.unwrap().status, "quarantined");
    }
    assert!(!logs.text().contains("203.0.113"), "an address stands in the log");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_one_source_s_pages_waits_and_another_s_does_not() {
    let toml = "[velocity]\nsource = 5\naddress = 100\n";
    let yard = Yard::of(rules().source("other", "offer = \"roof\"").file("screening.toml", toml)).await;
    let posts = (0..20).map(|n| {
        let page = browser(&yard, "web", &format!("203.0.113.{n}"));
        async move { page.posts(&Person::number(n)).await.is(201).text_of("enquiry").to_owned() }
    });
    let mut aside = 0;
    for enquiry in join_all(posts).await {
        let stored = yard.enquiry(&enquiry).await.unwrap();
        aside += usize::from(stored.reasons == ["source_velocity"]);
    }
    assert_eq!(aside, 15);
    let reply = browser(&yard, "other", "203.0.113.1").posts(&Person::number(50)).await.is(201);
    assert_eq!(yard.enquiry(reply.text_of("enquiry")).await.unwrap().status, "received");
    // Time alone lets no flood in.
    yard.advance(HOUR * 74).await;
    assert_eq!(quarantine(&yard, "").await.len(), 15);
}

/// As on one machine, where no proxy says it.
#[tokio::test(start_paused = true)]
async fn whose_address_is_not_known_is_no_flood() {
    let yard = yard().await;
    let page = yard.page("web").header("user-agent", BROWSER);
    for n in 0..100 {
        let reply = page.posts(&Person::number(n)).await.is(201);
        assert_eq!(yard.enquiry(reply.text_of("enquiry")).await.unwrap().status, "received", "{n}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_person_again_and_again_within_an_hour_waits() {
    let yard = yard().await;
    for n in 0..25 {
        let reply = yard.server("web").posts(&Person::number(1)).await;
        let expected = match n {
            0 => 201,
            1..20 => 200,
            _ => 202,
        };
        assert_eq!(reply.status, expected, "{n}: {}", reply.text);
        if expected == 202 {
            assert_eq!(reply.json["reasons"], json!(["identity_velocity"]));
        }
    }
    yard.advance(HOUR).await;
    let _ = yard.server("web").posts(&Person::number(1)).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn the_same_words_under_a_second_name_are_a_doubt_and_under_a_third_spam() {
    let yard = yard().await;
    let words = "Good afternoon, we manage several buildings and would like somebody to look at all of our roofs this month";
    let mut found = Vec::new();
    for n in [1, 1, 2, 3] {
        let person = Person::number(n).with("message", words);
        let reply = browser(&yard, "web", "203.0.113.7").posts(&person).await.is(201);
        found.push(yard.enquiry(reply.text_of("enquiry")).await.unwrap());
    }
    let verdicts: Vec<_> =
        found.iter().map(|one| one.quarantine.as_ref().map_or("ham", |one| one.verdict.as_str())).collect();
    assert_eq!(verdicts, ["ham", "ham", "doubtful", "spam"], "a double click is no campaign");
}

// --- Form tokens ---

async fn token(page: &Sender) -> String {
    let path = format!("/v1/leads/{}/form_token", page.key());
    let reply = page.gets(&path).await.is(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    reply.text_of("form_token").to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_form_is_timed_signed_and_for_one_person() {
    let yard = Yard::of(rules().source("held", "offer = \"roof\"\nform_token = true")).await;
    let page = browser(&yard, "web", "203.0.113.7");
    let reasons = async |sender: &Sender, person: Person| {
        let reply = sender.posts(&person).await.is(201);
        yard.enquiry(reply.text_of("enquiry")).await.unwrap().reasons
    };
    let fresh = token(&page).await;
    // At once, as nobody types; after a second, as people do.
    assert_eq!(reasons(&page, Person::number(1).with("form_token", &fresh)).await, ["form_too_fast"]);
    yard.advance(Duration::from_secs(5)).await;
    assert!(reasons(&page, Person::number(1).with("form_token", &fresh)).await.is_empty());
    // A double click is the same person; another with the same form is half a sign, from elsewhere another half.
    assert!(reasons(&page, Person::number(1).with("form_token", &fresh)).await.is_empty());
    assert!(reasons(&page, Person::number(2).with("form_token", &fresh)).await.is_empty());
    let no_agent = yard.page("web").header("x-forwarded-for", "203.0.113.7");
    let found = reasons(&no_agent, Person::number(3).with("form_token", &fresh)).await;
    assert_eq!(found, ["form_token_reused", "no_agent"]);
    let away = yard.page("web").header("x-forwarded-for", "198.51.100.1");
    let found = reasons(&away, Person::number(4).with("form_token", &fresh)).await;
    assert_eq!(found, ["form_token_elsewhere", "no_agent"]);
    // Damaged, another source's, or not a token at all.
    let held = browser(&yard, "held", "203.0.113.7");
    for (sender, bad) in [(&page, format!("{fresh}A")), (&held, fresh.clone()), (&page, "ft".to_owned())] {
        let found = reasons(sender, Person::number(5).with("form_token", &bad)).await;
        assert_eq!(found, ["form_token_invalid"], "{bad}");
    }
    // Only a source that says so is held to it; then it is half a sign.
    let no_agent = yard.page("held");
    assert_eq!(reasons(&no_agent, Person::number(6)).await, ["form_token_missing", "no_agent"]);
    assert!(reasons(&held, Person::number(7)).await.is_empty());
    // However much later; and one that is first sent long after it was opened is nobody else's either.
    let late = yard.page("web").header("x-forwarded-for", "203.0.113.9");
    let opened = token(&late).await;
    for (n, hours, found) in [(11, 5, &[][..]), (11, 1, &[]), (12, 30, &["form_token_reused", "no_agent"])] {
        yard.advance(HOUR * hours).await;
        let sent = Person::number(n).with("form_token", &opened);
        assert_eq!(reasons(&late, sent).await, found, "{n}, {hours} hours later");
    }
    // A tab that stood open for weeks.
    let stale = token(&page).await;
    yard.advance(HOUR * 24 * 8).await;
    let old = yard.page("web");
    assert_eq!(
        reasons(&old, Person::number(8).with("form_token", &stale)).await,
        ["form_too_old", "no_agent"]
    );
    // A server is a program, and sends what it was sent.
    let _ = yard.server("web").posts(&Person::number(9).with("form_token", "ft")).await.is(201);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_said_of_a_token_costs_nothing_of_what_is_counted_beside_it() {
    let yard = yard().await;
    let page = browser(&yard, "web", "203.0.113.7");
    let opened = token(&page).await;
    yard.advance(Duration::from_secs(700)).await;
    for n in 0..10 {
        let _ = page.posts(&Person::number(n)).await.is(201);
    }
    // Where the token was opened does not answer.
    let held = yard.faults.hold("UpdateItem");
    let reply = page.posts(&Person::number(10).with("form_token", &opened)).await.is(201);
    held.arrives().await;
    assert_eq!(yard.enquiry(reply.text_of("enquiry")).await.unwrap().reasons, ["address_velocity"]);
}

#[tokio::test(start_paused = true)]
async fn of_a_token_that_is_sent_late_no_more_is_kept_than_that_two_sent_it() {
    let yard = yard().await;
    let (company, source) = (yard.company_id(), SourceId::new("web").unwrap());
    let now = yard.cloud.clock.now();
    let window = Window::of(&ScreeningRules::default().velocity, now, None);
    let mut people = Vec::new();
    for person in [1, 1, 2, 3, 4, 1] {
        let of = ([7; 8], [person; 8]);
        people.push(yard.cloud.store.window_token(&company, &source, window, of, now).await.unwrap());
    }
    assert_eq!(people, [1, 1, 2, 2, 2, 2]);
}

// --- Caps of a source ---

#[tokio::test(start_paused = true)]
async fn a_source_s_cap_says_until_when_and_is_never_exceeded() {
    let capped = "offer = \"roof\"\ncaps = { hour = 5, day = 8 }";
    let yard = Yard::of(rules().source("capped", capped)).await;
    let server = yard.server("capped");
    let people: Vec<Person> = (0..30).map(Person::number).collect();
    let replies = join_all(people.iter().map(|person| server.posts(person))).await;
    let taken = |replies: &[Reply]| replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(taken(&replies), 5);
    for refused in replies.into_iter().filter(|reply| reply.status != 201) {
        let refused = refused.is(429).is_problem("cap-reached");
        // Noon in New York: the hour ends at five in the afternoon of Greenwich.
        assert_eq!(refused.text_of("until"), "2026-06-01T17:00:00Z");
        let wait_s: u32 = refused.header("retry-after").parse().unwrap();
        assert!((3_590..=3_600).contains(&wait_s), "{wait_s}");
    }
    // A page is told so of everybody alike, known or not, and a form gets its page.
    let _ = yard.page("capped").posts(&Person::number(0)).await.is(429);
    let _ = yard.page("capped").posts(&Person::number(40)).await.is(429);
    let _ = yard.page("capped").submits(&Person::number(40)).await.is(429);
    let _ = yard.server("web").posts(&Person::number(41)).await.is(201);

    yard.advance(HOUR).await;
    // Repeats move no counter, nor does what waits for the desk.
    let _ = server.posts(&Person::number(50)).await.is(201);
    for _ in 0..5 {
        let _ = server.posts(&Person::number(50)).await.is(200);
        let _ = server.posts(&spam()).await.is(202);
    }
    let replies = join_all((60..80).map(|n| {
        let server = server.clone();
        async move { server.posts(&Person::number(n)).await }
    }))
    .await;
    assert_eq!(taken(&replies), 2, "eight a day");
    let refused = replies.into_iter().find(|reply| reply.status == 429).unwrap();
    // Midnight in New York.
    assert_eq!(refused.text_of("until"), "2026-06-02T04:00:00Z");
    yard.advance_to("2026-06-02T04:00:01Z").await;
    let _ = server.posts(&Person::number(90)).await.is(201);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_source_s_day_is_the_company_s() {
    // Ten in the evening in New York, and tomorrow in Greenwich.
    let rules = rules().source("capped", "offer = \"roof\"\ncaps = { day = 1 }");
    let yard = Yard::at("2026-06-02T02:00:00Z", rules).await;
    let server = yard.server("capped");
    let _ = server.posts(&Person::number(1)).await.is(201);
    let refused = server.posts(&Person::number(2)).await.is(429);
    assert_eq!(refused.text_of("until"), "2026-06-02T04:00:00Z");
    yard.advance_to("2026-06-02T04:00:01Z").await;
    let _ = server.posts(&Person::number(2)).await.is(201);
}

#[tokio::test(start_paused = true)]
async fn what_was_spilled_above_a_cap_waits_and_is_not_lost() {
    let yard = Yard::of(rules().source("capped", "offer = \"roof\"\ncaps = { day = 1 }")).await;
    yard.lead(&Person::number(1)).await;
    yard.faults.table(true);
    let server = yard.server("capped");
    let mut enquiries = Vec::new();
    for n in 2..5 {
        enquiries.push(server.posts(&Person::number(n)).await.is(202).text_of("enquiry").to_owned());
    }
    yard.faults.table(false);
    yard.advance(Duration::from_secs(600)).await;
    let mut found = Vec::new();
    for enquiry in &enquiries {
        let stored = yard.enquiry(enquiry).await.unwrap();
        found.push((stored.status, stored.reasons.join(" ")));
    }
    found.sort();
    let aside = || ("quarantined".to_owned(), "source_cap".to_owned());
    assert_eq!(found, [aside(), aside(), ("received".to_owned(), String::new())]);
}

#[tokio::test(start_paused = true)]
async fn who_found_a_lead_and_lost_the_round_has_none_in_quarantine() {
    let yard = yard().await;
    let server = yard.server("web");
    let ada = Person::named("Ada", "Hill").with("phone", "305-274-0100");
    // The first finds that nobody is anybody's lead; before it is kept, twenty others of the same person are.
    let held = yard.faults.hold_commit();
    let others = async {
        held.arrives().await;
        for n in 0..20 {
            let other = ada.clone().with("message", &format!("roof {n}"));
            assert!(server.posts(&other).await.status.is_success());
        }
        held.let_go();
    };
    let (first, ()) = futures::future::join(server.posts(&ada), others).await;
    let stored = yard.enquiry(first.text_of("enquiry")).await.unwrap();
    assert_eq!((stored.status.as_str(), stored.lead), ("quarantined", None));
    assert_eq!(stored.reasons, ["identity_velocity"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_spilled_is_screened_when_it_comes_in() {
    let yard = yard().await;
    yard.lead(&Person::number(1)).await;
    yard.faults.table(true);
    let reply = browser(&yard, "web", "203.0.113.7").posts(&spam()).await.is(202);
    assert_eq!(reply.text_of("status"), "spilled");
    // The spill alone, which is encrypted, has the address: until somebody knows whether it proves a consent.
    yard.faults.table(false);
    yard.advance(Duration::from_secs(300)).await;
    let stored = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    assert!(!json!(stored).to_string().contains("203.0.113"), "an address was kept that proves nothing");
    assert_eq!(
        (stored.status.as_str(), stored.quarantine.unwrap().verdict.as_str()),
        ("quarantined", "spam")
    );
}

// --- What it costs ---

/// What the first version of all, the spine, wrote to accept an enquiry of somebody new who gives an e-mail and a phone:
/// the enquiry, its lead, and what each of the two identifies. All in one transaction.
const SPINE_BY_A_SERVER: usize = 4;
/// The same by a page: and whose browser it came from.
const SPINE_BY_A_PAGE: usize = 5;

/// What accepting one writes now, each write with what it is for:
///
/// | more than the spine | why |
/// |---|---|
/// | a page: 1 | how many come from there and in all, counted in its window of ten minutes: screening cannot do without |
/// | its form token is of an earlier window: 1 | a form that two people sent shows however much later, and its first use stands in the window it was opened in, which is another item |
/// | its source has a cap: 1 | counted in the enquiry's own transaction: a cap is never exceeded, whatever comes at once |
/// | its source has a postback: 1 | that it is to be told, in the same transaction: it is told once, and also where the process died on it |
/// | an idempotency key: 1 | the first answer, in the same transaction; the spine wrote it too |
///
/// So one is accepted with the spine's writes plus one at the most, unless its source asks for more: a cap and a postback are
/// a write each, and none of a source that has neither.
#[tokio::test(start_paused = true)]
async fn accepting_writes_no_more_than_the_spine_and_one_unless_its_source_asks_for_more() {
    let told = "postback = { url = \"http://127.0.0.1:9/partner\", on = [\"received\"] }";
    let cap = "caps = { day = 1000 }";
    let rules = rules()
        .source("capped", &format!("offer = \"roof\"\n{cap}"))
        .source("told", &format!("offer = \"roof\"\n{told}"))
        .source("both", &format!("offer = \"roof\"\n{cap}\n{told}"));
    let yard = Yard::of(rules).await;
    let writes = async |sender: &Sender, person: &Person| {
        let before = yard.faults.writes();
        let _ = sender.posts(person).await.is(201);
        yard.faults.writes() - before
    };
    for (n, (source, asked_for)) in
        [("web", 0), ("capped", 1), ("told", 1), ("both", 2)].into_iter().enumerate()
    {
        let (server, page) = (yard.server(source), browser(&yard, source, "203.0.113.7"));
        let person = |more: usize| Person::number(10 * n + more);
        assert_eq!(writes(&server, &person(1)).await, SPINE_BY_A_SERVER + asked_for, "a server, {source}");
        assert_eq!(writes(&page, &person(2)).await, SPINE_BY_A_PAGE + 1 + asked_for, "a page, {source}");
        // A form that was opened within the window is counted with what else came in it; one of before, by itself.
        let opened = token(&page).await;
        yard.advance(Duration::from_secs(5)).await;
        let sent = person(3).with("form_token", &opened);
        assert_eq!(writes(&page, &sent).await, SPINE_BY_A_PAGE + 1 + asked_for, "a form, {source}");
        let opened = token(&page).await;
        yard.advance(HOUR).await;
        let sent = person(4).with("form_token", &opened);
        assert_eq!(writes(&page, &sent).await, SPINE_BY_A_PAGE + 2 + asked_for, "an earlier form, {source}");
        let server = server.header("idempotency-key", &format!("key-{n}"));
        assert_eq!(writes(&server, &person(5)).await, SPINE_BY_A_SERVER + 1 + asked_for, "a key, {source}");
        assert_eq!(writes(&server, &person(5)).await, 0, "the same again, {source}");
    }
    // What waits for the desk is an enquiry, and counted where a page sent it.
    let page = browser(&yard, "web", "203.0.113.7");
    assert_eq!(writes(&page, &spam()).await, 2);
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
