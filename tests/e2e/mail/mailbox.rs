//! A mail comes back, and what becomes of its address: it is counted, disabled when it is dead, and only by what is ours.

use http::Method;
use leadyard::aws::{MailSays, Returns};
use leadyard::poller;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::metrics::Metrics;
use leadyard_tests::{Person, Rules, Yard};
use serde_json::{Value, json};

use super::{HOUR, HUDSON, SENDER, ada, by, by_mail, changes, mails};

#[tokio::test(start_paused = true)]
async fn a_mail_that_came_back_is_counted_by_the_function_that_is_told() {
    let yard = Yard::of(by_mail([])).await;
    let _ = yard.settled_lead(&ada()).await;
    assert!(yard.aws.mail().returns(1, Returns::Bounced));
    // On AWS each function has lines of its own, and its own alarm.
    let told = Cloud { metrics: Metrics::kept(), ..yard.cloud.clone() };
    let received = yard.aws.queues().take("mail-events", 10, None).unwrap();
    assert_eq!(received.len(), 1);
    let answer = leadyard_delivery::handle_mail_events(&told, poller::event(received)).await;
    assert!(answer.batch_item_failures.is_empty());
    let lines = told.metrics.lines();
    assert!(lines.len() == 1 && lines[0].contains(r#""DeliveriesFailed":1"#), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bounce_of_an_address_that_was_replaced_says_nothing_of_the_new_one() {
    let yard = Yard::of(by_mail([])).await;
    yard.settled_lead(&ada()).await;
    let _ = yard.publish(&by(&[["1", "mail", "roofs@hudson.example", ""]], [])).await.is(200);
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.settle().await;
    assert!(changes(&yard, "channel_disabled").await.is_empty());
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_bounce_that_is_told_of_again_is_one() {
    let yard = Yard::of(by_mail([])).await;
    let _ = yard.settled_lead(&ada()).await;
    for _ in 0..=limits::MAIL_BOUNCES {
        yard.aws.mail().returns(1, Returns::Full);
        yard.settle().await;
    }
    assert!(changes(&yard, "channel_disabled").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_is_counted_and_disabled_when_it_stays_full() {
    let yard = Yard::of(by_mail([])).await;
    yard.aws.mail().says(HUDSON, MailSays::Returns(Returns::Full));
    for n in 0..limits::MAIL_BOUNCES as usize {
        let lead = yard.settled_lead(&Person::number(n)).await;
        assert_eq!(yard.story(&lead).await.holders(), ["ridge"], "{n}");
        let told = changes(&yard, "channel_disabled").await.len();
        assert_eq!(told, usize::from(n + 1 == limits::MAIL_BOUNCES as usize), "{n}");
    }
    assert_eq!(mails(&yard).len(), limits::MAIL_BOUNCES as usize);

    // One that arrives in between begins the count anew.
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/enable", None).await.is(200);
    for n in 10..10 + 2 * limits::MAIL_BOUNCES as usize {
        let how = if n % 3 == 0 { Returns::Delivered } else { Returns::Full };
        yard.aws.mail().says(HUDSON, MailSays::Returns(how));
        yard.settled_lead(&Person::number(n)).await;
    }
    assert_eq!(changes(&yard, "channel_disabled").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bounce_of_what_is_not_ours_or_not_known_changes_nothing() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    let queue = yard.aws.queues();
    let stranger = include_str!("../../../shared/domain/src/delivery/mail_event/bounce.json");
    queue.send("mail-events", stranger, None, 0).unwrap();
    queue.send("mail-events", "nonsense", None, 0).unwrap();
    // Of a mail of this lead that SES knows by an id which nobody has heard of.
    let mut event: Value = serde_json::from_str(stranger).unwrap();
    for (name, value) in &mails(&yard)[0].tags {
        event["mail"]["tags"][name] = json!([value]);
    }
    event["mail"]["tags"]["mark"] = json!(["another address"]);
    queue.send("mail-events", &event.to_string(), None, 0).unwrap();
    yard.advance(HOUR).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    assert!(changes(&yard, "channel_disabled").await.is_empty());
    assert_eq!(yard.dead_letters(), ["nonsense"]);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_whose_id_has_a_dot_is_mailed_and_its_bounces_are_heard() {
    let channels = format!("dealer,order,kind,address\nhudson.roofing,1,mail,{HUDSON}\n");
    let rules = Rules::roofing("acme.us")
        .with(SENDER)
        .dealer("hudson.roofing", [])
        .contract("hudson", "hudson.roofing", [])
        .file("channels.csv", &channels);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(
        (mails(&yard).len(), yard.story(&lead).await.attempts("hudson")),
        (1, vec!["received".to_owned()])
    );
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.settle().await;
    assert_eq!(changes(&yard, "channel_disabled").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_replaced_a_dead_one_and_is_dead_too_is_disabled_as_well() {
    const OTHER: &str = "roofs@hudson.example";
    let yard = Yard::of(by_mail([])).await;
    yard.settled_lead(&ada()).await;
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.settle().await;
    let _ = yard.publish(&by(&[["1", "mail", OTHER, ""]], [])).await.is(200);
    yard.aws.mail().says(OTHER, MailSays::Returns(Returns::Bounced));
    for n in 1..4 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    }
    assert_eq!(yard.aws.mail().caught_by(OTHER).len(), 1, "nobody writes there again");
    assert_eq!(changes(&yard, "channel_disabled").await.len(), 2);
}
