//! What the desk does about delivery: a test of a channel, sending again; and dealers' queues.

use std::time::Duration;

use http::Method;
use leadyard::aws::{MailSays, QueueSpec, queue_url};
use leadyard_domain::limits;
use leadyard_tests::{Person, Reply, Rules, Says, Yard};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const HUDSON: &str = "leads@hudson.example";
const SENDER: &str = "[mail]\nfrom = \"desk@acme.example\"";

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "+13052745678")
}

/// Hudson by these channels, then Ridge by its webhook.
fn by(channels: &[&str]) -> Rules {
    under(channels, [("tier", "1")])
}

fn under<const N: usize>(channels: &[&str], hudson: [(&str, &str); N]) -> Rules {
    let mut table = "dealer,order,kind,address,when\n".to_owned();
    for (order, channel) in (1_u8..).zip(channels) {
        table.extend(["hudson,", &order.to_string(), ",", channel, "\n"]);
    }
    table.push_str("ridge,1,webhook,http://127.0.0.1:9/acme/ridge,\n");
    Rules::roofing("acme")
        .with(SENDER)
        .seller("hudson", hudson)
        .seller("ridge", [("tier", "2")])
        .file("channels.csv", &table)
}

const WEBHOOK: &str = "webhook,http://127.0.0.1:9/acme/hudson,";

fn queue(yard: &Yard, name: &str) {
    yard.aws.queues().ensure(&QueueSpec::new(name)).unwrap();
}

async fn charged(yard: &Yard, dealer: &str) -> Value {
    let path = format!("/v1/dealers/{dealer}/statement?month=2026-06");
    yard.desk(Method::GET, &path, None).await.is(200).json["charged"].clone()
}

/// The desk tries a channel, while delivery works.
async fn tries(yard: &Yard, order: u8) -> Reply {
    let path = format!("/v1/dealers/hudson/channels/{order}/test");
    let works = async {
        for _ in 0..150 {
            yard.settle().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::join!(yard.desk(Method::POST, &path, None), works).0
}

async fn redelivers(yard: &Yard, lead: &str, body: Option<Value>) -> Reply {
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/redeliver"), body).await
}

fn count(list: &[leadyard_tests::Told], event: &str) -> usize {
    list.iter().filter(|told| told.event == event).count()
}

// --- A queue ---

#[tokio::test(start_paused = true)]
async fn a_dealers_queue_has_the_body_of_the_webhook() {
    for address in ["hudson-leads", &queue_url("hudson-leads")] {
        let yard = Yard::of(by(&[&format!("sqs,{address},")])).await;
        queue(&yard, "hudson-leads");
        let lead = yard.settled_lead(&ada().with("message", "it leaks \u{ffff}\u{1f3e0}")).await;
        let sent = yard.aws.queues().peek("hudson-leads", 10).unwrap();
        assert_eq!(sent.len(), 1);
        let body: Value = serde_json::from_str(&sent[0]).unwrap();
        assert_eq!((&body["type"], &body["data"]["lead_id"]), (&json!("lead.assigned"), &json!(lead)));
        assert_eq!(body["data"]["person"]["email"], "ada.hill@mail.example");
        // Beside it what a webhook has in its headers.
        let beside = yard.faults.sent_to("/hudson-leads").remove(0)["MessageAttributes"].clone();
        assert_eq!(beside["type"]["StringValue"], "lead.assigned");
        let story = yard.story(&lead).await;
        let seat = story.assignment("hudson")["assignment"].as_str().unwrap();
        assert_eq!(beside["webhook-id"]["StringValue"], format!("msg_{seat}_assigned_1"));
        assert_eq!(story.assignment("hudson")["attempts"][0]["what"], "accepted");
        assert_eq!(charged(&yard, "hudson").await, json!(1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_asks_of_us_reaches_a_dealers_queue() {
    let yard = Yard::of(by(&["sqs,hudson-leads,"])).await;
    queue(&yard, "hudson-leads");
    let lead = yard.settled_lead(&ada()).await;
    for of in ["mail", "everything"] {
        let body = Some(json!({ "email": "ada.hill@mail.example", "of": of }));
        let _ = yard.desk(Method::POST, "/v1/persons/opt_out", body).await.is(200);
        yard.settle().await;
    }
    let asked = Some(json!({ "reason": "requested" }));
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), asked).await.is(200);
    yard.advance(MINUTE).await;
    let sent = yard.aws.queues().peek("hudson-leads", 10).unwrap();
    let bodies: Vec<Value> = sent.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let said: Vec<(&Value, &Value, &Value)> =
        bodies.iter().map(|body| (&body["type"], &body["data"]["of"], &body["data"]["lead_id"])).collect();
    assert_eq!(
        said,
        [
            (&json!("lead.assigned"), &Value::Null, &json!(lead)),
            (&json!("lead.opted_out"), &json!("mail"), &json!(lead)),
            (&json!("lead.opted_out"), &json!("everything"), &json!(lead)),
            (&json!("lead.erased"), &Value::Null, &json!(lead)),
        ]
    );
    let beside = yard.faults.sent_to("/hudson-leads");
    let ids: std::collections::BTreeSet<&str> = beside
        .iter()
        .map(|one| one["MessageAttributes"]["webhook-id"]["StringValue"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 4, "each is a message of its own: {ids:?}");
    for body in &sent[1..] {
        assert!(
            !body.contains("Hill") && !body.contains("mail.example") && !body.contains("2745678"),
            "{body}"
        );
    }
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_queues_of_our_own_account_are_sent_to_and_none_of_our_own() {
    for address in [
        "https://sqs.us-east-1.amazonaws.com/999999999999/hudson-leads",
        "https://sqs.eu-west-1.amazonaws.com/000000000000/hudson-leads",
        "distribution",
        "delivery-dead",
    ] {
        let yard = Yard::of(by(&[&format!("sqs,{address},")])).await;
        queue(&yard, "hudson-leads");
        let lead = yard.settled_lead(&ada()).await;
        let story = yard.story(&lead).await;
        assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")], "{address}");
        assert_eq!(story.assignment("hudson")["attempts"][0]["what"], "foreign_queue", "{address}");
        assert!(yard.dead_letters().is_empty() && yard.queued("hudson-leads").is_empty());
    }
    let yard = Yard::of(by(&["sqs,hudson-leads,"])).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(yard.story(&lead).await.attempts("hudson"), ["not_received"], "there is no such queue yet");
    queue(&yard, "hudson-leads");
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&lead).await.attempts("hudson"), ["not_received", "received"]);
    for bad in ["a.fifo", "https://sqs.example.com/1/x", "https://evil.example/q", "two words"] {
        let _ = yard.publish(&by(&[&format!("sqs,{bad},")])).await.is(422);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_is_waited_for_has_its_lead_once_the_rulebook_puts_its_address_right() {
    let waits = |channel: &str| {
        under(&[channel], [("territory", "first"), ("when_unavailable", "wait"), ("max_age_hours", "48")])
    };
    let yard = Yard::of(waits("sqs,https://sqs.us-east-1.amazonaws.com/999999999999/hudson-leads,")).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(HOUR * 4).await;
    let story = yard.story(&lead).await;
    assert_eq!(
        (story.holders(), &story.assignment("hudson")["delivery"]),
        (vec!["hudson"], &json!("pending"))
    );
    assert_eq!(story.list("history").filter(|act| act["act"] == "undelivered").count(), 1);
    let _ = yard.publish(&waits(WEBHOOK)).await.is(200);
    yard.advance(MINUTE * 25).await;
    assert_eq!(yard.story(&lead).await.assignment("hudson")["delivery"], "received");
    assert_eq!((yard.told("hudson").len(), yard.told("ridge").len()), (1, 0));
    assert_eq!(charged(&yard, "hudson").await, json!(1));
}

// --- A test of a channel ---

#[tokio::test(start_paused = true)]
async fn every_channel_is_tested_by_the_way_that_leads_go() {
    let channels = [WEBHOOK, "mail,leads@hudson.example,", "sqs,hudson-leads,", "inbox,,"];
    let yard = Yard::of(by(&channels)).await;
    queue(&yard, "hudson-leads");
    for order in 1..=4 {
        let told = tries(&yard, order).await.is(200);
        assert_eq!(told.json["attempt"]["end"], "received", "{order}: {}", told.text);
        assert_eq!(told.json["channel"], order);
        let path = format!("/v1/dealers/hudson/channels/{order}/test/{}", told.text_of("test"));
        assert_eq!(yard.desk(Method::GET, &path, None).await.is(200).json, told.json);
    }
    let posted = yard.told("hudson");
    assert_eq!(posted.len(), 1);
    assert!(posted[0].signed && posted[0].body["data"]["test"] == true);
    let mails = yard.aws.mail().caught_by(HUDSON);
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0].text.starts_with("THIS IS A TEST.") && !mails[0].text.contains("/answer/"),
        "{}",
        mails[0].text
    );
    let sent = yard.aws.queues().peek("hudson-leads", 10).unwrap();
    assert!(sent.len() == 1 && sent[0].contains("\"test\":true"));
    // Nothing of it is anywhere.
    assert_eq!((charged(&yard, "hudson").await, yard.taken("hudson", 4).await), (json!(0), 0));
    assert!(yard.inbox("hudson").await.is_empty());
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_channel_of_adf_is_tested_by_a_prospect_that_says_so() {
    let channels = format!(
        "dealer,order,kind,address,format,vendor_id\n\
         hudson,1,webhook,http://127.0.0.1:9/acme/hudson,adf,D-4711\n\
         hudson,2,mail,{HUDSON},adf,D-4711\n\
         ridge,1,webhook,http://127.0.0.1:9/acme/ridge,,\n"
    );
    let yard = Yard::of(by(&[]).file("channels.csv", &channels)).await;
    for order in 1..=2 {
        let told = tries(&yard, order).await.is(200);
        assert_eq!(told.json["attempt"]["end"], "received", "{order}: {}", told.text);
    }
    let posted = yard.told("hudson").remove(0);
    assert_eq!((posted.header("content-type"), posted.signed), ("application/x-adf+xml", true));
    let mails = yard.aws.mail().caught_by(HUDSON);
    assert_eq!(mails.len(), 1);
    for text in [posted.text(), &mails[0].text] {
        assert!(text.contains("<comments>This is a test, not a lead.\n"), "{text}");
        assert!(text.contains("<id sequence=\"1\" source=\"acme\">D-4711</id>"), "{text}");
    }
    assert_eq!((charged(&yard, "hudson").await, yard.taken("hudson", 4).await), (json!(0), 0));
}

#[tokio::test(start_paused = true)]
async fn a_test_that_fails_says_how_and_counts_nothing() {
    let yard = Yard::of(by(&[WEBHOOK, "mail,leads@hudson.example,"])).await;
    yard.dealer_says("hudson", Says::Status(503));
    yard.aws.mail().says(HUDSON, MailSays::Rejects);
    for _ in 0..limits::BREAKER_FAILURES {
        let told = tries(&yard, 1).await.is(200);
        assert_eq!(
            (&told.json["attempt"]["end"], &told.json["attempt"]["what"]),
            (&json!("unknown"), &json!("status 503"))
        );
    }
    assert_eq!(tries(&yard, 2).await.is(200).json["attempt"]["what"], "MessageRejected");
    assert_eq!(tries(&yard, 3).await.is(200).json["attempt"]["what"], "no_channel");
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/9/test", None).await.is(404);
    let _ = yard.dealer("hudson", Method::POST, "/v1/dealers/hudson/channels/1/test", None).await.is(401);
    yard.dealer_says("hudson", Says::Status(200));
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(yard.story(&lead).await.attempts("hudson"), ["received"], "the breaker never heard of it");
}

#[tokio::test(start_paused = true)]
async fn a_test_takes_no_leads_place_at_a_dealer_that_is_busy() {
    let yard = Yard::of(by(&[WEBHOOK])).await;
    let (company, hudson) = (yard.company_id(), "hudson".parse().unwrap());
    let leads: Vec<_> = std::iter::from_fn(|| yard.cloud.outbound.enter(&company, &hudson)).collect();
    assert!(!leads.is_empty());
    assert_eq!(tries(&yard, 1).await.is(200).json["attempt"]["what"], "busy");
    assert!(yard.told("hudson").is_empty());
    drop(leads);
    assert_eq!(tries(&yard, 1).await.is(200).json["attempt"]["end"], "received");
}

#[tokio::test(start_paused = true)]
async fn a_test_that_delivery_is_slow_with_is_asked_for_again() {
    let yard = Yard::of(by(&[WEBHOOK])).await;
    let told = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/test", None).await.is(202);
    let path = format!("/v1/dealers/hudson/channels/1/test/{}", told.text_of("test"));
    assert_eq!(yard.desk(Method::GET, &path, None).await.is(202).json["attempt"], json!(null));
    // The message comes twice.
    let message = yard.queued("delivery").pop().unwrap();
    yard.aws.queues().send("delivery", &message, None, 0).unwrap();
    yard.settle().await;
    assert_eq!(yard.told("hudson").len(), 1);
    assert_eq!(yard.desk(Method::GET, &path, None).await.is(200).json["attempt"]["end"], "received");
    let other = yard.also(Rules::roofing("beta").seller("hudson", [])).await;
    let _ = other.desk(Method::GET, &path, None).await.is(404);
}

// --- Sending again ---

#[tokio::test(start_paused = true)]
async fn a_lead_is_sent_again_under_its_webhook_id_and_charged_once() {
    let yard = Yard::of(by(&[WEBHOOK])).await;
    let lead = yard.settled_lead(&ada()).await;
    let dry = redelivers(&yard, &lead, Some(json!({ "dry_run": true }))).await.is(200);
    assert_eq!(dry.json["act"], "redeliver");
    yard.settle().await;
    assert_eq!(yard.told("hudson").len(), 1);
    let _ = redelivers(&yard, &lead, Some(json!({ "reason": "they lost it" }))).await.is(200);
    // A second click, before it has gone.
    let _ = redelivers(&yard, &lead, None).await.is(409);
    yard.settle().await;
    let told = yard.told("hudson");
    assert_eq!(told.len(), 2);
    assert_eq!((&told[0].id, &told[0].body), (&told[1].id, &told[1].body));
    let story = yard.story(&lead).await;
    let act = story.list("history").find(|act| act["act"] == "redeliver").unwrap();
    assert_eq!((&act["by"], &act["reason"]), (&json!("desk"), &json!("they lost it")));
    assert_eq!(story.attempts("hudson"), ["received"], "its own attempts stay as they were");
    assert_eq!(charged(&yard, "hudson").await, json!(1));

    // Even if the dealer does not take it: it has it.
    yard.dealer_says("hudson", Says::Status(500));
    let _ = redelivers(&yard, &lead, None).await.is(200);
    yard.advance(HOUR).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), charged(&yard, "hudson").await), (vec!["hudson"], json!(1)));
    let _ = yard.dealer("hudson", Method::POST, &format!("/v1/leads/{lead}/redeliver"), None).await.is(401);
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_is_sent_again_whole() {
    let rules =
        Rules::roofing("acme").seller("hudson", [("deadline_minutes", "60"), ("deadline_clock", "wall")]);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&ada()).await;
    let _ = redelivers(&yard, &lead, None).await.is(200);
    yard.settle().await;
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.settle().await;
    let _ = redelivers(&yard, &lead, None).await.is(200);
    yard.settle().await;
    let told = yard.told("hudson");
    let masked: Vec<bool> = told.iter().map(|told| told.body["data"]["masked"] == true).collect();
    assert_eq!(masked, [true, true, false, false]);
    assert_eq!((&told[0].id, &told[2].id), (&told[1].id, &told[3].id));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_tried_at_once_after_the_channel_was_enabled() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("when_unavailable", "wait"), ("territory", "first"), ("max_age_hours", "48")]);
    let yard = Yard::of(rules).await;
    yard.dealer_says("hudson", Says::Status(503));
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(HOUR * 3).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"], "it waits for this dealer");
    yard.dealer_says("hudson", Says::Status(200));
    let before = yard.told("hudson").len();
    let path = "/v1/dealers/hudson/channels/1/enable";
    let _ = yard.desk(Method::POST, path, None).await.is(200);
    let _ = redelivers(&yard, &lead, None).await.is(200);
    yard.settle().await;
    assert_eq!(yard.told("hudson").len(), before + 1);
    assert_eq!(yard.story(&lead).await.assignment("hudson")["delivery"], "received");
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_by_hand_goes_by_the_first_channel_again() {
    let other = "webhook,http://127.0.0.1:9/acme/hudson-2,fallback";
    let yard = Yard::of(by(&[WEBHOOK, other])).await;
    yard.dealer_says("hudson", Says::Status(422));
    yard.dealer_says("hudson-2", Says::Status(503));
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE).await;
    let before = yard.told("hudson").len();
    assert!(!yard.told("hudson-2").is_empty(), "it went on to the second");
    yard.dealer_says("hudson", Says::Status(200));
    let _ = redelivers(&yard, &lead, None).await.is(200);
    yard.settle().await;
    assert_eq!(yard.told("hudson").len(), before + 1);
    assert_eq!(yard.story(&lead).await.assignment("hudson")["delivery"], "received");
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_that_never_arrived_is_tried_again_by_hand() {
    let yard = Yard::of(by(&[WEBHOOK])).await;
    yard.dealer_says("hudson", Says::Status(500));
    let lead = yard.lead(&ada()).await;
    yard.advance(HOUR * 26).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.holders(), ["ridge"]);
    let gone = story.assignment("hudson")["assignment"].clone();
    yard.dealer_says("hudson", Says::Status(200));
    let before = count(&yard.told("hudson"), "lead.withdrawn");
    let _ = redelivers(&yard, &lead, Some(json!({ "assignment": gone }))).await.is(200);
    yard.settle().await;
    let told = yard.told("hudson");
    assert_eq!(count(&told, "lead.withdrawn"), before + 1);
    assert_eq!(count(&told[told.len() - 1..], "lead.withdrawn"), 1);
    let _ = redelivers(&yard, &lead, Some(json!({ "assignment": gone }))).await.is(409);
    let second = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.answers("hudson", &second, "decline").await.is(200);
    yard.settle().await;
    let declined = yard.story(&second).await.assignment("hudson")["assignment"].clone();
    let _ = redelivers(&yard, &second, Some(json!({ "assignment": declined }))).await.is(409);
    let _ = redelivers(&yard, &lead, Some(json!({ "assignment": lead }))).await.is(404);
}
