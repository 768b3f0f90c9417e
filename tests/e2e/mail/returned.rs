//! A mail comes back, and what becomes of its lead: it moves on or waits, is charged once or not at all, and nobody
//! who has it loses it.

use http::Method;
use leadyard::aws::{MailSays, Returns};
use leadyard_domain::limits;
use leadyard_tests::{Person, Yard};
use serde_json::json;

use super::{HOUR, HUDSON, MINUTE, ada, by, by_mail, changes, charged, mails};

#[tokio::test(start_paused = true)]
async fn a_mail_that_bounces_was_not_received_and_the_lead_moves_on() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
    // Told twice: at least once is what SNS and SQS promise.
    assert!(yard.aws.mail().returns(1, Returns::Bounced) && yard.aws.mail().returns(1, Returns::Bounced));
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
    assert_eq!(story.attempts("hudson"), ["not_received"]);
    assert_eq!(story.assignment("hudson")["attempts"][0]["what"], "bounced");
    assert_eq!(charged(&yard, "hudson").await.1, json!("0.00"));
    assert_eq!(mails(&yard).len(), 1, "who has not got it needs no withdrawal");
    assert_eq!(yard.told("ridge").len(), 1);
    let (gone, moved) = (changes(&yard, "channel_disabled").await, changes(&yard, "mail_returned").await);
    assert_eq!((gone.len(), moved.len()), (1, 1));
    assert_eq!((&gone[0]["reason"], &gone[0]["after"]["kind"]), (&json!("bounced"), &json!("mail")));
    assert_eq!(moved[0]["after"]["lead"], json!(lead));
    let all = yard.desk(Method::GET, "/v1/changes", None).await.is(200).text;
    assert!(!all.contains('@') || !all.contains("hudson.example"), "{all}");

    // The next one does not even try, until the desk says so.
    let second = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&second).await.holders(), ["ridge"]);
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/enable", None).await.is(200);
    let third = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&third).await.holders(), ["hudson"]);
    assert!(yard.dead_letters().is_empty());
}

/// Leads wait for Hudson.
const WAITED_FOR: [(&str, &str); 3] =
    [("territory", "first"), ("when_unavailable", "wait"), ("max_age_hours", "48")];

#[tokio::test(start_paused = true)]
async fn a_contract_that_waits_keeps_its_lead_after_a_bounce_and_mails_it_again_once_the_address_works() {
    let yard = Yard::of(by_mail(WAITED_FOR)).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.advance(HOUR * 3).await;
    let story = yard.story(&lead).await;
    assert_eq!(
        (story.holders(), story.attempts("hudson")),
        (vec!["hudson"], vec!["not_received".to_owned()])
    );
    assert_eq!(mails(&yard).len(), 1, "nobody writes to an address that is gone");
    let told = (changes(&yard, "mail_returned").await.len(), changes(&yard, "undelivered").await.len());
    assert_eq!(told, (1, 0), "the desk is told once");
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/enable", None).await.is(200);
    yard.advance(MINUTE * 25).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.attempts("hudson"), ["not_received", "received"]);
    assert_eq!((mails(&yard).len(), yard.told("ridge").len()), (2, 0));
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_dealer_that_complained() {
    let yard = Yard::of(by_mail(WAITED_FOR)).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.aws.mail().returns(1, Returns::Complained);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments()[0], ("hudson", "withdrawn"));
    assert_eq!((story.attempts("hudson"), mails(&yard).len()), (vec!["unknown".to_owned()], 1));
    assert_eq!(charged(&yard, "hudson").await.1, json!("0.00"));
}

#[tokio::test(start_paused = true)]
async fn a_bounce_goes_to_the_dealers_next_channel_and_is_charged_once() {
    let yard = Yard::of(by(&[["1", "mail", HUDSON, ""], ["2", "inbox", "", ""]], [])).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.holders(), ["hudson"]);
    assert_eq!(story.attempts("hudson"), ["not_received", "received"]);
    assert_eq!(yard.inbox("hudson").await.len(), 1);
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
}

#[tokio::test(start_paused = true)]
async fn a_bounce_takes_nothing_from_a_dealer_that_has_it_all_the_same() {
    for (accepts, copy) in [(true, false), (false, true)] {
        let channels: &[[&str; 4]] = if copy {
            &[["1", "mail", HUDSON, ""], ["2", "inbox", "", "always"]]
        } else {
            &[["1", "mail", HUDSON, ""]]
        };
        let yard = Yard::of(by(channels, [])).await;
        let lead = yard.settled_lead(&ada()).await;
        if accepts {
            let _ = yard.answers("hudson", &lead, "accept").await.is(200);
        }
        yard.aws.mail().returns(1, Returns::Bounced);
        yard.settle().await;
        let story = yard.story(&lead).await;
        assert_eq!(story.holders(), ["hudson"], "accepts {accepts}, copy {copy}");
        assert_eq!(story.attempts("hudson"), ["not_received"]);
        assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
        assert_eq!(changes(&yard, "channel_disabled").await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_complaint_the_lead_is_withdrawn_but_never_by_mail() {
    for other in [false, true] {
        let channels: &[[&str; 4]] =
            &[["1", "mail", HUDSON, ""], ["2", "webhook", "http://127.0.0.1:9/acme/hudson", "always"]];
        let yard = Yard::of(by(if other { channels } else { &channels[..1] }, [])).await;
        yard.dealer_says("hudson", leadyard_tests::Says::Status(422));
        let lead = yard.lead(&ada()).await;
        yard.advance(MINUTE * 20).await;
        assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
        yard.dealer_says("hudson", leadyard_tests::Says::Status(200));
        yard.aws.mail().returns(1, Returns::Complained);
        yard.settle().await;
        let story = yard.story(&lead).await;
        assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")], "{other}");
        assert_eq!(story.attempts("hudson"), ["unknown"]);
        assert_eq!(mails(&yard).len(), 1, "nobody writes to whoever complained");
        let told = yard.told("hudson");
        assert_eq!(told.last().is_some_and(|told| told.event == "lead.withdrawn"), other);
        yard.advance(HOUR * 25).await;
        assert_eq!(mails(&yard).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_complaint_that_comes_days_later_takes_nothing_back() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(HOUR * (limits::DECLINE_HOURS as u32 + 1)).await;
    yard.aws.mail().returns(1, Returns::Complained);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.attempts("hudson")), (vec!["hudson"], vec!["unknown".to_owned()]));
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
    assert_eq!(changes(&yard, "channel_disabled").await.len(), 1, "nobody writes there again");
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_was_complained_of_is_withdrawn_by_no_mail() {
    let channels = [["1", "webhook", "http://127.0.0.1:9/acme/hudson", ""], ["2", "mail", HUDSON, "always"]];
    let yard = Yard::of(by(&channels, [])).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!((mails(&yard).len(), yard.told("hudson").len()), (1, 1));
    yard.aws.mail().returns(1, Returns::Complained);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"], "its webhook has the lead");
    let path = format!("/v1/leads/{lead}/take_back");
    let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "wrong" }))).await.is(200);
    yard.advance(HOUR * 25).await;
    assert_eq!(yard.told("hudson").last().unwrap().event, "lead.withdrawn");
    assert_eq!(mails(&yard).len(), 1, "nobody writes to whoever complained");
}

#[tokio::test(start_paused = true)]
async fn a_bounce_that_comes_before_its_attempt_is_kept_waits_for_it() {
    let yard = Yard::of(by_mail([])).await;
    yard.aws.mail().says(HUDSON, MailSays::Returns(Returns::Bounced));
    let lead = yard.lead(&ada()).await;
    // Distribution alone; then the attempt, held back when it is to be kept.
    leadyard::poller::work(&yard.cloud, yard.aws.queues(), &leadyard::system::DISTRIBUTION).await;
    let held = yard.faults.hold_commit();
    let working = tokio::spawn({
        let yard = yard.clone();
        async move { leadyard::poller::work(&yard.cloud, yard.aws.queues(), &leadyard::system::DELIVERY).await }
    });
    held.arrives().await;
    leadyard::poller::work(&yard.cloud, yard.aws.queues(), &leadyard::system::MAIL_EVENTS).await;
    held.let_go();
    working.await.unwrap();
    yard.advance(MINUTE * 3).await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
}

#[tokio::test(start_paused = true)]
async fn an_automatic_reply_is_no_proof_that_nobody_has_the_lead() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.aws.mail().returns(1, Returns::Replied);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
    assert_eq!(story.attempts("hudson"), ["unknown"]);
    // The mailbox is as good as it was: the withdrawal goes there, and before the next one has the lead.
    assert_eq!(mails(&yard).len(), 2);
    assert!(mails(&yard)[1].text.contains("no longer yours"), "{}", mails(&yard)[1].text);
    assert_eq!(charged(&yard, "hudson").await.1, json!("0.00"));
    assert!(changes(&yard, "channel_disabled").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_a_mail_settled_and_the_next_channel_declines_is_credited() {
    let crm = r#"
[[template]]
id = "crm"
kind = "json"
decline = { json = "$.status", is = ["duplicate"] }
[template.assigned]
who = "{name}"
"#;
    let channels = format!(
        "dealer,order,kind,address,when,format\nhudson,1,mail,{HUDSON},,\nhudson,2,webhook,http://127.0.0.1:9/acme/hudson,,crm\n\
         ridge,1,webhook,http://127.0.0.1:9/acme/ridge,,\n"
    );
    let rules = by_mail([]).file("channels.csv", &channels).file("templates.toml", crm);
    let yard = Yard::of(rules).await;
    yard.dealer_says("hudson", leadyard_tests::Says::Body(200, r#"{"status":"duplicate"}"#));
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "declined"), ("ridge", "offered")]);
    assert_eq!(charged(&yard, "hudson").await.1, json!("0.00"));
}

#[tokio::test(start_paused = true)]
async fn that_a_person_is_erased_goes_by_the_next_channel_when_its_mail_comes_back() {
    let yard = Yard::of(by(
        &[["1", "mail", HUDSON, ""], ["2", "webhook", "http://127.0.0.1:9/acme/hudson", ""]],
        [],
    ))
    .await;
    let lead = yard.settled_lead(&ada()).await;
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.settle().await;
    let before = mails(&yard).len();
    let body = Some(json!({ "reason": "requested" }));
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), body).await;
    yard.settle().await;
    let last = mails(&yard).pop().unwrap();
    assert!(mails(&yard).len() > before && last.text.contains("to be forgotten"), "{}", last.text);
    yard.aws.mail().returns(last.number, Returns::Bounced);
    yard.advance(MINUTE).await;
    assert_eq!(yard.told("hudson").pop().unwrap().event, "lead.erased");
}
