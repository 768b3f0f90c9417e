//! The sender of an enquiry is told what became of it.

use std::time::Duration;

use futures::future::join_all;
use http::Method;
use leadyard_domain::access::Platform;
use leadyard_domain::limits;
use leadyard_domain::rulebook::PostbackStatus;
use leadyard_platform::queues::ToDelivery;
use leadyard_platform::store::PostbackEnd;
use leadyard_tests::{Person, Reply, Rules, Says, Told, Yard};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::ways::{META_LEAD, google, google_lead, graph_says, id_of, meta, meta_notice, signature};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const POST: &str = r#"postback = { url = "http://127.0.0.1:9/partner" }"#;

/// Nothing else in the system reads like these.
const CANARIES: [&str; 6] = ["zebulon", "quackenbush", "zq.canary", "2745678", "33101", "marmalade"];

fn ada() -> Person {
    Person::named("Zebulon", "Quackenbush")
        .with("email", "zq.canary@mail.example")
        .with("phone", "305-274-5678")
        .with("message", "Marmalade on the roof")
}

/// One dealer, that may give leads back; and a source with this postback, beside one without.
fn rules(postback: &str) -> Rules {
    Rules::company("acme")
        .offer("roof", "roofing", "")
        .source("web", &format!("offer = \"roof\"\n{postback}"))
        .source("other", "offer = \"roof\"")
        .source("trial", &format!("offer = \"roof\"\ntest = true\n{postback}"))
        .seller("hudson", [("return_days", "7"), ("return_reasons", "wrong-number out-of-area")])
}

/// What the sender was told, in order.
fn told(yard: &Yard) -> Vec<Told> {
    let told = yard.dealers.told();
    told.into_iter().filter(|told| told.who.split('?').next() == Some("partner")).collect()
}

/// Each status that it was told, in order.
fn statuses(yard: &Yard) -> Vec<String> {
    told(yard)
        .iter()
        .map(|told| told.body["data"]["status"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The desk's changes of this kind: what they say.
async fn changes(yard: &Yard, act: &str) -> Vec<Value> {
    let reply = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    let changes = reply.json["changes"].as_array().cloned().unwrap_or_default();
    changes.into_iter().filter(|change| change["act"] == act).collect()
}

async fn returns(yard: &Yard, lead: &str, verdict: &str) -> Reply {
    let asks = json!({ "reason": "wrong-number" });
    let _ = yard.answers_with("hudson", lead, "return", Some(asks)).await.is(200);
    let list = yard.desk(Method::GET, "/v1/returns", None).await.is(200);
    let id = list.json["returns"][0]["return"].as_str().unwrap_or_default().to_owned();
    yard.settle().await;
    assert!(!statuses(yard).contains(&"returned".to_owned()), "nothing is decided yet");
    let path = format!("/v1/returns/{id}/{verdict}");
    let decide = || yard.desk(Method::POST, &path, Some(json!({ "reason": "so" })));
    let decided = decide().await;
    let _ = decide().await.is(200); // a second click
    decided
}

/// The same message again, as a queue may bring it.
async fn again(yard: &Yard, enquiry: &str, status: PostbackStatus) {
    let message = ToDelivery::Postback { enquiry: enquiry.parse().unwrap(), status };
    yard.cloud.queues.to_delivery(message, "acme/web", 0).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn postbacks_tell_each_status_once_signed_and_nothing_of_the_person() {
    let yard = Yard::of(rules(POST)).await;
    let sent = ada().with("reference", "click-17:b");
    let server = yard.server("web").header("idempotency-key", "one");
    // A double click, and a reply that was lost.
    let replies = join_all((0..5).map(|_| server.posts(&sent))).await;
    let first = replies[0].text_of("enquiry").to_owned();
    assert!(replies.iter().all(|reply| reply.text_of("enquiry") == first), "one enquiry");
    let lead = replies[0].text_of("lead").to_owned();
    yard.settle().await;
    // The person asks again; and once more with a mail that nobody keeps.
    yard.advance(2 * HOUR).await;
    let repeat = yard.server("web").posts(&ada().with("External ID", "click-18")).await.is(200);
    let doubtful =
        Person::named("Bob", "Vance").with("email", "bob@mailinator.com").with("reference", "click-19");
    let aside = yard.server("web").posts(&doubtful).await.is(202);
    // Who asks for nothing is told nothing, nor what became of its repeat.
    let _ = yard.server("other").posts(&ada()).await.is(200);
    yard.settle().await;
    let _ = returns(&yard, &lead, "approve").await.is(200);
    yard.settle().await;
    for status in PostbackStatus::ALL {
        again(&yard, &first, *status).await;
        again(&yard, &first, *status).await;
    }
    yard.advance(25 * HOUR).await;

    let said = |told: &Told| {
        let data = &told.body["data"];
        let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        (text("status"), text("enquiry"), text("reference"), text("reason"))
    };
    let own = |status: &str, enquiry: &str, reference: &str, reason: &str| {
        (status.to_owned(), enquiry.to_owned(), reference.to_owned(), reason.to_owned())
    };
    let mut heard: Vec<_> = told(&yard).iter().map(said).collect();
    heard.sort();
    let mut expected = [
        own("received", &first, "click-17:b", ""),
        own("sold", &first, "click-17:b", ""),
        own("repeat", repeat.text_of("enquiry"), "click-18", ""),
        own("quarantined", aside.text_of("enquiry"), "click-19", "disposable_email"),
        own("returned", &first, "click-17:b", "wrong-number"),
    ];
    expected.sort();
    assert_eq!(heard, expected);

    let shown = yard.desk(Method::POST, "/v1/sources/web/postback_secret", None).await.is(200);
    let verifier = Webhook::new(shown.text_of("secret")).unwrap();
    for told in told(&yard) {
        assert_eq!((told.method.as_str(), told.header("content-type")), ("POST", "application/json"));
        assert_eq!(told.event, format!("enquiry.{}", said(&told).0));
        assert_eq!(told.id, format!("pb_{}_{}", said(&told).1, said(&told).0));
        let expected = verifier.sign(&told.id, told.timestamp, &told.raw).unwrap();
        assert!(told.signature.split(' ').any(|sent| sent == expected), "{}", told.signature);
        for canary in CANARIES {
            let all = format!("{} {} {:?}", told.who, told.text(), told.headers).to_lowercase();
            assert!(!all.contains(canary), "{canary} stands in {all}");
        }
    }
    assert_eq!(changes(&yard, "postback_secret_shown").await.len(), 1);
    let _ = yard.dealer("hudson", Method::POST, "/v1/sources/web/postback_secret", None).await.is(401);
    let _ = yard.desk(Method::POST, "/v1/sources/none/postback_secret", None).await.is(404);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn postbacks_to_a_sender_that_is_away_are_tried_for_a_day_and_then_the_desk_is_told() {
    let yard = Yard::of(rules(POST)).await;
    yard.dealers.says("partner", Says::Status(503));
    let _ = yard.lead(&ada()).await;
    yard.advance(20 * MINUTE).await;
    assert_eq!(
        statuses(&yard).iter().filter(|status| *status == "received").count(),
        4,
        "0, 10 s, 1 min, 10 min"
    );
    assert!(changes(&yard, "postback_failed").await.is_empty());
    yard.advance(26 * HOUR).await;
    let tries = told(&yard);
    assert!((2 * 20..=2 * 28).contains(&tries.len()), "about once an hour: {}", tries.len());
    let ids: std::collections::BTreeSet<&str> = tries.iter().map(|told| told.id.as_str()).collect();
    assert_eq!(ids.len(), 2, "received and sold, each always under its own id");
    let failed = changes(&yard, "postback_failed").await;
    assert_eq!(failed.len(), 1, "once an hour for a source: {failed:?}");
    assert_eq!((&failed[0]["after"]["source"], &failed[0]["after"]["last"]), (&json!("web"), &json!("503")));
    // It is over: nobody is told any more, however well it is.
    yard.dealers.says("partner", Says::Status(200));
    yard.advance(26 * HOUR).await;
    assert_eq!(told(&yard).len(), tries.len());

    // One that is away for a while hears of it once it is back.
    yard.dealers.says("partner", Says::Resets);
    let _ = yard.lead(&Person::number(1)).await;
    yard.advance(2 * HOUR).await;
    yard.dealers.says("partner", Says::Status(204));
    yard.advance(3 * HOUR).await;
    let received = told(&yard).iter().filter(|told| told.answered == Says::Status(204)).count();
    assert_eq!(received, 2);
}

#[tokio::test(start_paused = true)]
async fn postbacks_by_get_fill_what_stands_in_braces() {
    let url = r#"postback = { url = "http://127.0.0.1:9/partner?c={reference}&e={enquiry}&s={status}&w={reason}", method = "get", on = ["sold", "quarantined", "returned"] }"#;
    let yard = Yard::of(rules(url)).await;
    let reply = yard.server("web").posts(&ada().with("reference", "a/b=1+2")).await.is(201);
    let (enquiry, lead) = (reply.text_of("enquiry"), reply.text_of("lead"));
    // Their own names for the person are no reference: they would stand in a URL.
    for reference in ["zq.canary@mail.example", "305-274-5678", "1.305.274.5678", "Zebulon Quackenbush"] {
        let person = ada().with("reference", reference).with("email", "zq@mailinator.com");
        let _ = yard.server("web").posts(&person).await.is(202);
    }
    yard.settle().await;
    let _ = returns(&yard, lead, "approve").await.is(200);
    yard.settle().await;
    let heard = told(&yard);
    let of_first =
        |status: &str, why: &str| format!("partner?c=a%2Fb%3D1%2B2&e={enquiry}&s={status}&w={why}");
    let urls: Vec<&str> = heard.iter().map(|told| told.who.as_str()).collect();
    assert_eq!(urls.len(), 6, "{urls:?}");
    assert!(urls.contains(&of_first("sold", "").as_str()), "{urls:?}");
    assert!(urls.contains(&of_first("returned", "wrong-number").as_str()), "{urls:?}");
    assert_eq!(
        urls.iter().filter(|url| url.starts_with("partner?c=&e=") && url.contains("&s=quarantined&")).count(),
        4
    );
    for told in heard {
        assert!(told.method == "GET" && told.raw.is_empty() && told.signature.is_empty());
        assert!(CANARIES.iter().all(|canary| !told.who.to_lowercase().contains(canary)), "{}", told.who);
    }
}

#[tokio::test(start_paused = true)]
async fn postbacks_name_a_lead_as_the_platform_or_the_prospect_does_that_sent_it() {
    let source = |path: &str, how: &str| {
        format!(
            "offer = \"roof\"\npostback = {{ url = \"http://127.0.0.1:9/{path}\"{how}, on = [\"received\", \"repeat\"] }}"
        )
    };
    let rules = Rules::company("acme")
        .offer("roof", "roofing", "")
        .source_of("google", "search", &source("of-google", ""))
        .source_of("meta", "ads", &source("of-meta?click={reference}&who={enquiry}", ", method = \"get\""))
        .source_of("adf", "portal", &source("of-portal", ""))
        .seller("hudson", []);
    let yard = Yard::of(rules).await;
    let heard = |who: &str| -> Vec<(String, String)> {
        let told = yard.dealers.told().into_iter().filter(|told| told.who == who);
        let data = |told: Told, name: &str| told.body["data"][name].as_str().unwrap_or_default().to_owned();
        told.map(|told| (data(told.clone(), "enquiry"), data(told, "reference"))).collect()
    };

    // Google's own id of the lead; what the form itself calls it goes before.
    let mut named = google_lead(&yard, "search", "g-2");
    named["user_column_data"][4] =
        json!({ "column_name": "External ID", "string_value": "click-9", "column_id": "external_id" });
    for lead in [google_lead(&yard, "search", "g-1"), named] {
        let _ = google(&yard, "search", &lead).await.is(200);
        yard.settle().await;
    }
    let id = |lead: &str| id_of(&yard, Platform::Google, "search", lead);
    assert_eq!(heard("of-google"), [(id("g-1"), "g-1".to_owned()), (id("g-2"), "click-9".to_owned())]);

    // Meta's, once it was fetched, in the URL of a GET.
    graph_says(&yard, "77", Says::Body(200, META_LEAD));
    let body = meta_notice(&["77"]);
    let _ = meta(&yard, "ads", &body, &signature(&body)).await.is(200);
    yard.settle().await;
    let by_meta: Vec<Told> =
        yard.dealers.told().into_iter().filter(|told| told.who.starts_with("of-meta")).collect();
    let of_meta = id_of(&yard, Platform::Meta, "ads", "77");
    assert_eq!(by_meta.len(), 1);
    assert_eq!(
        (by_meta[0].who.as_str(), by_meta[0].method.as_str()),
        (&*format!("of-meta?click=77&who={of_meta}"), "GET")
    );

    // Each prospect's own, of several in one document; one that has none has no reference.
    let prospect = |id: &str, email: &str| {
        format!(
            "<prospect>{id}<customer><contact><name part=\"full\">Ann Lee</name><email>{email}</email></contact></customer></prospect>"
        )
    };
    let document = format!(
        "<adf>{}{}{}</adf>",
        prospect("<id sequence=\"1\" source=\"portal\">P/17.a</id>", "ann@mail.example"),
        prospect("<id>P-18</id>", "bea@mail.example"),
        prospect("", "cy@mail.example")
    );
    let reply = yard.server("portal").sends("application/x-adf+xml", document).await.is(201);
    yard.settle().await;
    let enquiries: Vec<String> = reply.json["enquiries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["enquiry"].as_str().unwrap().to_owned())
        .collect();
    let mut expected: Vec<(String, String)> =
        enquiries.into_iter().zip(["P/17.a", "P-18", ""].map(str::to_owned)).collect();
    expected.sort();
    let mut told = heard("of-portal");
    told.sort();
    assert_eq!(told, expected);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn postbacks_are_neither_lost_nor_doubled_whatever_breaks() {
    // The queues take nothing: what was kept is found when it is due.
    let yard = Yard::of(rules(POST)).await;
    yard.faults.queues(true);
    let _ = yard.lead(&ada()).await;
    yard.faults.queues(false);
    yard.settle().await;
    assert!(statuses(&yard).is_empty());
    yard.advance(5 * MINUTE).await;
    let mut heard = statuses(&yard);
    heard.sort();
    assert_eq!(heard, ["received", "sold"]);

    // Twenty workers have the same message at one moment.
    let yard = Yard::of(rules(POST)).await;
    let reply = yard.server("web").posts(&ada()).await.is(201);
    for _ in 0..20 {
        again(&yard, reply.text_of("enquiry"), PostbackStatus::Received).await;
    }
    yard.advance(5 * MINUTE).await;
    assert_eq!(statuses(&yard).iter().filter(|status| *status == "received").count(), 1);

    // The table goes away after each of its calls in turn.
    let mut unharmed = false;
    for calls in 0..60 {
        let yard = Yard::of(rules(POST)).await;
        let reply = yard.server("web").posts(&ada()).await.is(201);
        yard.faults.table_after(Some(calls));
        yard.settle().await;
        unharmed = statuses(&yard).len() == 2;
        yard.faults.table_after(None);
        yard.advance(15 * MINUTE).await;
        let heard: std::collections::BTreeSet<String> = told(&yard).into_iter().map(|told| told.id).collect();
        let id = |status: &str| format!("pb_{}_{status}", reply.text_of("enquiry"));
        assert_eq!(heard, [id("received"), id("sold")].into(), "after {calls} calls");
        if unharmed {
            break;
        }
    }
    assert!(unharmed, "the last round was one without a fault");
}

#[tokio::test(start_paused = true)]
async fn postbacks_to_a_sender_that_hangs_delay_no_dealer() {
    let yard = Yard::of(rules(POST)).await;
    yard.dealers.says("partner", Says::Hangs);
    for number in 0..30 {
        let _ = yard.lead(&Person::number(number)).await;
    }
    let most = {
        let watched = async {
            let mut most = 0;
            for _ in 0..300 {
                most = most.max(yard.dealers.hanging());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            most
        };
        let settled = async {
            let began = yard.cloud.clock.now();
            yard.settle().await;
            yard.cloud.clock.now().duration_since(began)
        };
        let (took, most) = tokio::join!(settled, watched);
        assert!(took.as_secs() <= 2 * 5, "one sender that hangs, for thirty leads: {took}");
        most
    };
    assert!((1..=limits::IN_FLIGHT_PER_SENDER).contains(&most), "{most} at once");
    assert_eq!(yard.told("hudson").len(), 30);
    // It comes back, and hears of all.
    yard.dealers.says("partner", Says::Status(200));
    yard.advance(12 * HOUR).await;
    let heard = told(&yard).into_iter().filter(|told| told.answered == Says::Status(200)).count();
    assert_eq!(heard, 60);
}

#[tokio::test(start_paused = true)]
async fn postbacks_of_what_the_desk_releases_say_so() {
    let yard = Yard::of(rules(POST)).await;
    let reply = yard.server("web").posts(&ada().with("email", "zq.canary@mailinator.com")).await.is(202);
    let enquiry = reply.text_of("enquiry").to_owned();
    yard.settle().await;
    assert_eq!(statuses(&yard), ["quarantined"]);
    let path = format!("/v1/quarantine/{enquiry}/release");
    let _ = yard.desk(Method::POST, &path, Some(json!({}))).await.is(200);
    yard.settle().await;
    let mut heard = statuses(&yard);
    heard.sort();
    assert_eq!(heard, ["quarantined", "received", "sold"]);
    assert!(told(&yard).iter().all(|told| told.body["data"]["enquiry"] == enquiry));
}

#[tokio::test(start_paused = true)]
async fn postbacks_of_what_the_desk_rejects_say_so_once_and_of_a_release_after_it() {
    let yard = Yard::of(rules(POST)).await;
    let aside = async |n: usize| {
        let person = Person::named(&format!("Ann{n}"), "Hill").with("reference", &format!("click-{n}"));
        let person = person.with("email", &format!("ann{n}@mailinator.com"));
        yard.server("web").posts(&person).await.is(202).text_of("enquiry").to_owned()
    };
    let (one, two, three) = (aside(1).await, aside(2).await, aside(3).await);
    let desk = async |act: &str, body: Value| {
        let _ = yard.desk(Method::POST, &format!("/v1/quarantine/{act}"), Some(body)).await.is(200);
        yard.settle().await;
    };
    // By a click and another one, and of many at once.
    for _ in 0..2 {
        desk(&format!("{one}/reject"), json!({ "reason": "Marmalade once more" })).await;
    }
    desk("reject", json!({ "enquiries": [one, two] })).await;
    let rejected: Vec<Told> =
        told(&yard).into_iter().filter(|told| told.event == "enquiry.rejected").collect();
    let heard: Vec<[&str; 3]> = rejected
        .iter()
        .map(|told| ["enquiry", "reference", "reason"].map(|name| told.body["data"][name].as_str().unwrap()))
        .collect();
    let expected =
        [[one.as_str(), "click-1", "disposable_email"], [two.as_str(), "click-2", "disposable_email"]];
    assert_eq!(heard, expected);
    assert!(
        rejected.iter().all(|told| !told.text().contains("Marmalade")),
        "what the desk says is for itself"
    );

    // Released after all, it says what became of it; and a doubt that nobody looked at goes its way.
    desk(&format!("{one}/release"), json!({})).await;
    yard.advance(73 * HOUR).await;
    let of = |enquiry: &str| {
        let of_it = told(&yard).into_iter().filter(|told| told.body["data"]["enquiry"] == enquiry);
        let mut statuses: Vec<String> = of_it.map(|told| told.event.replace("enquiry.", "")).collect();
        statuses.sort();
        statuses
    };
    assert_eq!(of(&one), ["quarantined", "received", "rejected", "sold"]);
    assert_eq!(of(&two), ["quarantined", "rejected"]);
    assert_eq!(of(&three), ["quarantined", "received", "sold"]);
    assert!(yard.dead_letters().is_empty());
}

/// Whatever the table took of it: a verdict without its postback is never seen, nor one of a verdict that was
/// not given.
#[tokio::test(start_paused = true)]
async fn postbacks_of_a_rejection_stand_with_the_verdict_or_not_at_all() {
    let mut unharmed = false;
    for calls in 0..60 {
        let yard = Yard::of(rules(POST)).await;
        let reply = yard.server("web").posts(&ada().with("email", "zq.canary@mailinator.com")).await.is(202);
        let enquiry = reply.text_of("enquiry").to_owned();
        yard.settle().await;
        yard.faults.table_after(Some(calls));
        yard.faults.queues(true);
        let path = format!("/v1/quarantine/{enquiry}/reject");
        unharmed = yard.desk(Method::POST, &path, Some(json!({}))).await.status == 200;
        yard.faults.table_after(None);
        yard.faults.queues(false);
        let kept = yard.enquiry(&enquiry).await.unwrap();
        let told = yard.cloud.store.postback_get(kept.id, PostbackStatus::Rejected).await.unwrap();
        assert_eq!(told.is_some(), kept.status == "rejected", "after {calls} calls");
        if unharmed {
            // Its message was lost as well: it is due.
            assert_eq!(statuses(&yard), ["quarantined"]);
            yard.advance(5 * MINUTE).await;
            assert_eq!(statuses(&yard), ["quarantined", "rejected"]);
            break;
        }
    }
    assert!(unharmed, "the last round was one without a fault");
}

#[tokio::test(start_paused = true)]
async fn postbacks_wait_for_as_long_as_a_sender_asks() {
    let yard =
        Yard::of(rules(r#"postback = { url = "http://127.0.0.1:9/partner", on = ["received"] }"#)).await;
    yard.dealers.says("partner", Says::Later(429, 3_000));
    let _ = yard.lead(&ada()).await;
    yard.advance(40 * MINUTE).await;
    assert_eq!(told(&yard).len(), 1, "not before fifty minutes are over");
    yard.dealers.says("partner", Says::Status(200));
    yard.advance(15 * MINUTE).await;
    assert_eq!(told(&yard).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn postbacks_are_signed_with_the_keys_before_and_after_a_change() {
    let yard = Yard::of(rules(POST)).await;
    let secret = async || {
        let shown = yard.desk(Method::POST, "/v1/sources/web/postback_secret", None).await.is(200);
        shown.text_of("secret").to_owned()
    };
    let before = secret().await;
    yard.dealers.says("partner", Says::Status(500));
    let _ = yard.server("web").posts(&ada()).await.is(201);
    yard.settle().await;
    let _ = yard.publish(&rules(&format!("{POST}\nkey_generation = 2"))).await.is(200);
    let after = secret().await;
    assert_ne!(before, after);
    yard.dealers.says("partner", Says::Status(200));
    yard.advance(HOUR).await;
    let told = told(&yard).pop().unwrap();
    for (secret, whose) in [(before, "who has not changed yet"), (after, "who has")] {
        let expected = Webhook::new(&secret).unwrap().sign(&told.id, told.timestamp, &told.raw).unwrap();
        assert!(told.signature.split(' ').any(|sent| sent == expected), "{whose}: {}", told.signature);
    }
}

#[tokio::test(start_paused = true)]
async fn postbacks_go_only_where_the_rules_in_force_say_and_never_of_a_test() {
    let yard = Yard::of(rules(POST)).await;
    let _ = yard.server("trial").posts(&ada()).await;
    let _ = yard.server("trial").sends("application/json", "{broken").await;
    let refused = yard.server("trial").posts(&ada().without("email").without("phone")).await;
    assert!(refused.status.is_client_error() || refused.status.is_success());
    yard.settle().await;
    assert!(statuses(&yard).is_empty());

    // What is on its way when the rules change ends there, whether they ask for nothing any more or for less.
    let sales = r#"postback = { url = "http://127.0.0.1:9/partner", on = ["sold"] }"#;
    for (less, status) in [("", PostbackStatus::Received), (sales, PostbackStatus::Repeat)] {
        let _ = yard.publish(&rules(POST)).await.is(200);
        yard.dealers.says("partner", Says::Status(500));
        let reply = yard.server("web").posts(&ada()).await;
        yard.settle().await;
        let _ = yard.publish(&rules(less)).await.is(200);
        yard.dealers.says("partner", Says::Status(200));
        let before = told(&yard).len();
        yard.advance(26 * HOUR).await;
        assert_eq!(told(&yard).len(), before, "{status}");
        let enquiry = reply.text_of("enquiry").parse().unwrap();
        let kept = yard.cloud.store.postback_get(enquiry, status).await.unwrap().unwrap();
        assert_eq!(kept.ended, Some(PostbackEnd::Unasked), "{status}");
    }
    assert!(changes(&yard, "postback_failed").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn postbacks_say_nothing_of_who_was_erased() {
    let yard = Yard::of(rules(POST)).await;
    yard.dealers.says("partner", Says::Status(500));
    let reply = yard.server("web").posts(&ada().with("reference", "click-1")).await.is(201);
    yard.settle().await;
    let erase = format!("/v1/leads/{}/erase", reply.text_of("lead"));
    let _ = yard.desk(Method::POST, &erase, Some(json!({ "reason": "requested" }))).await.is(200);
    let before = told(&yard).len();
    yard.dealers.says("partner", Says::Status(200));
    yard.advance(26 * HOUR).await;
    assert_eq!(told(&yard).len(), before);
    let enquiry = reply.text_of("enquiry").parse().unwrap();
    let kept = yard.cloud.store.postback_get(enquiry, PostbackStatus::Sold).await.unwrap().unwrap();
    assert_eq!(kept.ended, Some(PostbackEnd::Gone));
    let item = format!("{kept:?}").to_lowercase();
    assert!(CANARIES.iter().all(|canary| !item.contains(canary)) && !item.contains("click-1"), "{item}");
}

#[tokio::test(start_paused = true)]
async fn postbacks_of_a_sale_go_to_who_opened_the_cycle() {
    // With a deadline it is sold when it is accepted.
    let by_deadline = Rules::company("acme")
        .offer("roof", "roofing", "")
        .source("web", &format!("offer = \"roof\"\n{POST}"))
        .source("late", "offer = \"roof\"\npostback = { url = \"http://127.0.0.1:9/late\" }")
        .seller("hudson", [("deadline_minutes", "60"), ("deadline_clock", "wall")]);
    let yard = Yard::of(by_deadline).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(statuses(&yard), ["received"]);
    let _ = yard.server("late").posts(&ada()).await.is(200);
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.settle().await;
    assert_eq!(statuses(&yard), ["received", "sold"]);
    let late: Vec<Told> = yard.dealers.told_to("late");
    assert_eq!(late.iter().map(|told| told.event.as_str()).collect::<Vec<_>>(), ["enquiry.repeat"]);

    // Two seats: sold once. And an assignment that an earlier version made does not say who opened its cycle.
    let shared = Rules::company("acme")
        .offer("roof", "roofing", "")
        .source("web", &format!("offer = \"roof\"\n{POST}"))
        .seller("hudson", [("sale", "shared:2")])
        .seller("ridge", [("sale", "shared:2")]);
    let yard = Yard::of(shared).await;
    yard.dealer_says("hudson", Says::IsShut);
    yard.dealer_says("ridge", Says::IsShut);
    let lead = yard.settled_lead(&ada()).await;
    let stands = yard.stored(&lead).await;
    for mut seat in yard.cloud.store.assignments_of(stands.id, stands.cycle).await.unwrap() {
        assert_eq!(seat.enquiry, Some(stands.opening));
        seat.enquiry = None;
        assert!(yard.cloud.store.assignment_save(&seat).await.unwrap());
    }
    yard.dealer_says("hudson", Says::Status(200));
    yard.dealer_says("ridge", Says::Status(200));
    yard.advance(HOUR).await;
    assert_eq!((yard.told("hudson").len(), yard.told("ridge").len()), (1, 1));
    assert_eq!(statuses(&yard), ["received", "sold"]);
}

#[tokio::test(start_paused = true)]
async fn postbacks_of_a_denied_return_are_none() {
    let yard = Yard::of(rules(POST)).await;
    let lead = yard.settled_lead(&ada()).await;
    let _ = returns(&yard, &lead, "deny").await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(statuses(&yard), ["received", "sold"]);
}

#[tokio::test(start_paused = true)]
async fn postbacks_that_cannot_be_kept_are_refused_by_their_place() {
    let yard = Yard::of(rules("")).await;
    for (postback, says) in [
        (r#"postback = { url = "http://partner.example/" }"#, "https://"),
        (r#"postback = { url = "https://{reference}.example/" }"#, "in its path or query"),
        (r#"postback = { url = "https://p.example/?m={email}" }"#, "in its path or query"),
        (r#"postback = { url = "https://p.example/", method = "get" }"#, "a GET says nothing but its URL"),
        (r#"postback = { url = "https://p.example/", method = "put" }"#, "post get"),
        (
            r#"postback = { url = "https://p.example/", on = ["won"] }"#,
            "received repeat quarantined rejected sold returned",
        ),
        ("postback = { on = [\"sold\"] }", "url"),
        (r#"postback = { url = "https://p.example/", secret = "x" }"#, "secret"),
    ] {
        let refused = yard.publish(&rules(postback)).await.is(422).is_problem("rulebook-refused");
        assert!(refused.text.contains(says), "{postback}: {}", refused.text);
        assert!(refused.text.contains("sources.toml"), "{}", refused.text);
    }
}
