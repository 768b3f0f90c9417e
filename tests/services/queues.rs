//! SQS's contract, as Leadyard relies on it: one suite in memory, over a file, and at an endpoint.
//!
//! Determinations: where ours knowingly differs from AWS, and no test asks for more.
//!
//! | AWS | ours |
//! |---|---|
//! | system attributes come when they are asked for | they always come |
//! | a short poll may overlook messages; order is best effort | a poll sees all; by the time of visibility, unless a seed says otherwise |
//! | messages expire (4 days, at most 14); 120,000 may be in flight | neither: the sweep and the dead letters bound them |
//! | visibility may be extended to twelve hours in all | to twelve hours from now, each time |
//! | receipts say nothing | theirs say the row: a malformed one is told from an old one |
//! | attributes of messages have a digest, a size and types | they are kept as sent, and come when asked for |
//! | deduplication, FIFO, making of queues | not served: nothing here uses them |
//! | a long poll ends the moment a delay does | within a second of it |
//!
//! MiniStack 1.5.33, for comparison, passes all of these tests but three: it takes delays, visibilities and
//! waits of any length, changes the visibility of a message that nobody holds, and refuses to delete again
//! what is deleted.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName,
    QueueAttributeName, SendMessageBatchRequestEntry,
};
use leadyard::aws::{LocalAws, QueueSpec, queue_url};

use super::endpoint::client_at_the_endpoint;
use super::{Place, clock, open, pass};

/// How long a received message is hidden from others, unless a test says otherwise.
const VISIBILITY_S: u32 = 2;
/// After how many receipts a message is dead.
const MOST_RECEIPTS: u32 = 3;

/// Declares each test in every place.
macro_rules! everywhere {
    ($($test:ident)*) => {
        mod in_memory {
            $(#[test]
            fn $test() { super::super::run(super::Place::Memory, super::$test(super::Place::Memory)); })*
        }
        mod over_a_file {
            $(#[test]
            fn $test() { super::super::run(super::Place::File, super::$test(super::Place::File)); })*
        }
        mod at_the_endpoint {
            $(#[test]
            #[ignore = "needs an SQS: set SERVICES_ENDPOINT"]
            fn $test() { super::super::run(super::Place::Endpoint, super::$test(super::Place::Endpoint)); })*
        }
    };
}

everywhere! {
    a_message_is_received_as_it_was_sent_and_gone_once_deleted
    what_stands_beside_a_body_comes_to_whom_asks_for_it
    a_received_message_is_hidden_until_its_visibility_ends_and_then_counts_one_more
    a_receipt_may_name_its_own_visibility
    visibility_is_prolonged_and_ended_by_whoever_has_the_message
    visibility_is_not_changed_for_whom_the_message_has_left
    an_old_receipt_deletes_nothing
    a_deletion_may_be_repeated
    a_delayed_message_is_not_visible_before_its_time
    a_message_is_delayed_for_fifteen_minutes_at_most
    what_is_out_of_its_range_is_refused
    what_is_received_too_often_goes_to_the_dead_letters
    a_bad_entry_of_a_batch_fails_alone
    a_bad_receipt_of_a_batch_fails_alone
    a_batch_is_refused_whole_for_what_is_wrong_with_the_whole
    a_batch_of_deletions_is_refused_whole_for_what_is_wrong_with_the_whole
    a_body_has_its_limits
    a_receipt_takes_one_to_ten_messages
    a_long_poll_returns_when_a_message_comes
    a_long_poll_returns_when_a_delay_ends
    a_long_poll_of_the_dead_letters_returns_when_one_dies
    a_long_poll_is_not_ended_by_a_message_that_somebody_else_took
    a_group_is_accepted_and_comes_with_the_message
    what_stands_in_a_queue_is_counted
    a_queue_nobody_made_does_not_exist
}

async fn a_message_is_received_as_it_was_sent_and_gone_once_deleted(place: Place) {
    let queue = Queue::new(place).await;
    let sent = queue.client.send_message().queue_url(&queue.url).message_body("für später ✓").send().await;
    let sent = sent.unwrap();
    // MD5 of the body's UTF-8, as `md5sum` has it.
    assert_eq!(sent.md5_of_message_body(), Some("14087c9e2e301a68fb9bdb7b8bc22704"));
    let message = queue.receives_one().await;
    assert_eq!(message.body(), Some("für später ✓"));
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(received(&message), 1);
    queue.delete(&message).await;
    pass(f64::from(VISIBILITY_S) + 0.5).await;
    assert_eq!(queue.receives(10).await, Vec::<String>::new());
}

async fn a_received_message_is_hidden_until_its_visibility_ends_and_then_counts_one_more(place: Place) {
    let queue = Queue::new(place).await;
    queue.send("a").await;
    let first = queue.receives_one().await;
    pass(f64::from(VISIBILITY_S) - 0.8).await;
    assert_eq!(queue.receives(10).await, Vec::<String>::new());
    pass(1.0).await;
    let second = queue.receives_one().await;
    assert_eq!((received(&first), received(&second)), (1, 2));
    assert_eq!(first.message_id(), second.message_id());
    assert_ne!(first.receipt_handle(), second.receipt_handle());
}

async fn a_receipt_may_name_its_own_visibility(place: Place) {
    let queue = Queue::new(place).await;
    queue.send("a").await;
    // Zero is a visibility like another, not "none given".
    for (visibility_s, count) in [(0, 1), (4, 2)] {
        let message = queue.takes(10, visibility_s, 0).await.unwrap().remove(0);
        assert_eq!(received(&message), count);
    }
    pass(f64::from(VISIBILITY_S) + 0.5).await;
    assert_eq!(queue.receives(10).await, Vec::<String>::new());
    pass(2.0).await;
    assert_eq!(received(&queue.receives_one().await), 3);
}

async fn visibility_is_prolonged_and_ended_by_whoever_has_the_message(place: Place) {
    let queue = Queue::new(place).await;
    queue.send("a").await;
    let message = queue.receives_one().await;
    pass(f64::from(VISIBILITY_S) - 0.8).await;
    queue.hide(&message, 3).await.unwrap();
    // It would be back by now, and is not for another two seconds.
    pass(1.5).await;
    assert_eq!(queue.receives(10).await, Vec::<String>::new());
    pass(2.0).await;
    let message = queue.receives_one().await;
    queue.hide(&message, 0).await.unwrap();
    assert_eq!(received(&queue.receives_one().await), 3);
}

async fn visibility_is_not_changed_for_whom_the_message_has_left(place: Place) {
    let queue = Queue::new(place).await;
    queue.send("a").await;
    let message = queue.receives_one().await;
    queue.hide(&message, 0).await.unwrap();
    let error = queue.hide(&message, 60).await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_message_not_inflight(), "{error:?}");
    assert_eq!(queue.receives(10).await, ["a"]);
}

async fn an_old_receipt_deletes_nothing(place: Place) {
    let queue = Queue::new(place).await;
    queue.send("a").await;
    let old = queue.receives_one().await;
    pass(f64::from(VISIBILITY_S) + 0.5).await;
    let new = queue.receives_one().await;
    // SQS says that it succeeds, others say no; either way the message stays.
    let deletion = queue.client.delete_message().queue_url(&queue.url).receipt_handle(handle(&old));
    let _ = deletion.send().await;
    pass(f64::from(VISIBILITY_S) + 0.5).await;
    let last = queue.receives_one().await;
    assert_eq!((last.message_id(), received(&last)), (new.message_id(), 3));
}

async fn a_deletion_may_be_repeated(place: Place) {
    let queue = Queue::new(place).await;
    queue.send("a").await;
    let message = queue.receives_one().await;
    for _ in 0..2 {
        queue.delete(&message).await;
    }
    // A receipt outlives its visibility, as long as nobody else has received the message.
    queue.send("b").await;
    let message = queue.receives_one().await;
    pass(f64::from(VISIBILITY_S) + 0.5).await;
    queue.delete(&message).await;
    assert_eq!(queue.receives(10).await, Vec::<String>::new());
}

async fn a_delayed_message_is_not_visible_before_its_time(place: Place) {
    let queue = Queue::new(place).await;
    queue.send_after("late", 2).await.unwrap();
    queue.send("now").await;
    assert_eq!(queue.receives(10).await, ["now"]);
    pass(1.2).await;
    assert_eq!(queue.receives(10).await, Vec::<String>::new());
    pass(1.1).await;
    assert!(queue.receives(10).await.contains(&"late".to_owned()));
}

async fn what_stands_beside_a_body_comes_to_whom_asks_for_it(place: Place) {
    let queue = Queue::new(place).await;
    let text = |value: &str| {
        MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
    };
    let sent = queue.client.send_message().queue_url(&queue.url).message_body("a");
    let sent = sent.message_attributes("type", text("lead.assigned"));
    sent.message_attributes("webhook-id", text("msg_1")).send().await.unwrap();
    let takes = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let request = queue.client.receive_message().queue_url(&queue.url).visibility_timeout(0);
        request.set_message_attribute_names(Some(names)).send()
    };
    for (asked, told) in
        [(vec!["All"], vec!["type", "webhook-id"]), (vec!["type"], vec!["type"]), (Vec::new(), Vec::new())]
    {
        let message = takes(&asked).await.unwrap().messages.unwrap().remove(0);
        let beside = message.message_attributes.unwrap_or_default();
        let mut names: Vec<_> = beside.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, told, "{asked:?}");
        if let Some(kind) = beside.get("type") {
            assert_eq!((kind.data_type(), kind.string_value()), ("String", Some("lead.assigned")));
        }
    }
}

async fn a_message_is_delayed_for_fifteen_minutes_at_most(place: Place) {
    let queue = Queue::new(place).await;
    queue.send_after("a", 900).await.unwrap();
    assert_eq!(queue.counts().await, [0, 0, 1]);
    if place != Place::Endpoint {
        pass(899.5).await;
        assert_eq!(queue.receives(10).await, Vec::<String>::new());
        pass(1.0).await;
        assert_eq!(queue.receives(10).await, ["a"]);
    }
}

async fn what_is_out_of_its_range_is_refused(place: Place) {
    let queue = Queue::new(place).await;
    for delay_s in [-1, 901] {
        assert_eq!(refusal(queue.send_after("a", delay_s).await), "InvalidParameterValue");
    }
    // Of a batch, that entry alone.
    let late = SendMessageBatchRequestEntry::builder().id("late").message_body("a").delay_seconds(901);
    let answer = queue.send_batch([late.build().unwrap(), entry("now", "a")]).await.unwrap();
    assert_eq!((answer.failed()[0].id(), answer.failed()[0].code()), ("late", "InvalidParameterValue"));
    let message = queue.receives_one().await;
    for visibility_s in [-1, 12 * 60 * 60 + 1] {
        assert_eq!(refusal(queue.hide(&message, visibility_s).await), "InvalidParameterValue");
        assert_eq!(refusal(queue.takes(1, visibility_s, 0).await), "InvalidParameterValue");
    }
    for most in [0, 11] {
        assert_eq!(refusal(queue.takes(most, 30, 0).await), "InvalidParameterValue");
    }
    assert_eq!(refusal(queue.takes(1, 30, 21).await), "InvalidParameterValue");
    queue.hide(&message, 12 * 60 * 60).await.unwrap();
}

async fn what_is_received_too_often_goes_to_the_dead_letters(place: Place) {
    let queue = Queue::new(place).await;
    queue.send("poison").await;
    for count in 1..=MOST_RECEIPTS {
        let message = queue.receives_one().await;
        assert_eq!(received(&message), count);
        assert_eq!(queue.dead_letters().receives(10).await, Vec::<String>::new());
        queue.hide(&message, 0).await.unwrap();
    }
    assert_eq!(queue.receives(10).await, Vec::<String>::new());
    let dead = queue.dead_letters().receives_one().await;
    assert_eq!(dead.body(), Some("poison"));
    queue.dead_letters().delete(&dead).await;
    // It left for good.
    assert_eq!((queue.counts().await, queue.dead_letters().counts().await), ([0; 3], [0; 3]));
}

async fn a_bad_entry_of_a_batch_fails_alone(place: Place) {
    let queue = Queue::new(place).await;
    // SQS takes the characters of XML, and a bell is none.
    let entries = [entry("good", "a"), entry("bad", "\u{7}"), entry("fine", "b")];
    let answer = queue.send_batch(entries).await.unwrap();
    let sent: Vec<&str> = answer.successful().iter().map(|sent| sent.id()).collect();
    assert_eq!(sent, ["good", "fine"]);
    assert_eq!(answer.successful()[0].md5_of_message_body(), "0cc175b9c0f1b6a831c399e269772661");
    let failed: Vec<_> =
        answer.failed().iter().map(|failed| (failed.id(), failed.code(), failed.sender_fault())).collect();
    assert_eq!(failed, [("bad", "InvalidMessageContents", true)]);
    assert_eq!(queue.receives(10).await, ["a", "b"]);
}

async fn a_bad_receipt_of_a_batch_fails_alone(place: Place) {
    let queue = Queue::new(place).await;
    queue.send_batch([entry("1", "a"), entry("2", "b")]).await.unwrap();
    let messages = queue.takes(10, VISIBILITY_S as i32, 0).await.unwrap();
    let deletions = [
        deletion("first", handle(&messages[0])),
        deletion("bad", "no receipt at all"),
        deletion("second", handle(&messages[1])),
    ];
    let answer = queue.delete_batch(deletions).await.unwrap();
    let done: Vec<&str> = answer.successful().iter().map(|done| done.id()).collect();
    assert_eq!(done, ["first", "second"]);
    let failed: Vec<_> =
        answer.failed().iter().map(|failed| (failed.id(), failed.code(), failed.sender_fault())).collect();
    assert_eq!(failed, [("bad", "ReceiptHandleIsInvalid", true)]);
    assert_eq!(queue.counts().await, [0; 3]);
    // Alone, it is refused.
    let alone = queue.client.delete_message().queue_url(&queue.url).receipt_handle("no receipt at all");
    assert_eq!(refusal(alone.send().await), "ReceiptHandleIsInvalid");
}

async fn a_batch_is_refused_whole_for_what_is_wrong_with_the_whole(place: Place) {
    let queue = Queue::new(place).await;
    let error = queue.send_batch([]).await.unwrap_err().into_service_error();
    assert!(error.is_empty_batch_request(), "{error:?}");
    let eleven = std::array::from_fn::<_, 11, _>(|n| entry(&n.to_string(), "a"));
    let error = queue.send_batch(eleven).await.unwrap_err().into_service_error();
    assert!(error.is_too_many_entries_in_batch_request(), "{error:?}");
    let error = queue.send_batch([entry("1", "a"), entry("1", "b")]).await.unwrap_err().into_service_error();
    assert!(error.is_batch_entry_ids_not_distinct(), "{error:?}");
    for id in ["", "with a space", &"a".repeat(81)] {
        let error = queue.send_batch([entry("1", "a"), entry(id, "b")]).await.unwrap_err();
        assert!(error.as_service_error().unwrap().is_invalid_batch_entry_id(), "{error:?}");
    }
    let half = "a".repeat(512 * 1024);
    let too_long = [entry("1", &half), entry("2", &half), entry("3", "a")];
    let error = queue.send_batch(too_long).await.unwrap_err().into_service_error();
    assert!(error.is_batch_request_too_long(), "{error:?}");
    assert_eq!(queue.counts().await, [0; 3], "nothing of them was sent");
    let ten = std::array::from_fn::<_, 10, _>(|n| entry(&n.to_string(), "a"));
    assert_eq!(queue.send_batch(ten).await.unwrap().successful().len(), 10);
}

async fn a_batch_of_deletions_is_refused_whole_for_what_is_wrong_with_the_whole(place: Place) {
    let queue = Queue::new(place).await;
    queue.send("a").await;
    let message = queue.receives_one().await;
    let error = queue.delete_batch([]).await.unwrap_err().into_service_error();
    assert!(error.is_empty_batch_request(), "{error:?}");
    let eleven = std::array::from_fn::<_, 11, _>(|n| deletion(&n.to_string(), handle(&message)));
    let error = queue.delete_batch(eleven).await.unwrap_err().into_service_error();
    assert!(error.is_too_many_entries_in_batch_request(), "{error:?}");
    let twice = [deletion("1", handle(&message)), deletion("1", handle(&message))];
    let error = queue.delete_batch(twice).await.unwrap_err().into_service_error();
    assert!(error.is_batch_entry_ids_not_distinct(), "{error:?}");
    let error = queue.delete_batch([deletion("a b", handle(&message))]).await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_invalid_batch_entry_id(), "{error:?}");
    assert_eq!(queue.counts().await, [0, 1, 0], "nothing was deleted");
}

async fn a_body_has_its_limits(place: Place) {
    let queue = Queue::new(place).await;
    let most = "a".repeat(1024 * 1024);
    assert_eq!(refusal(queue.send_after(&format!("{most}a"), 0).await), "InvalidParameterValue");
    assert_eq!(refusal(queue.send_after("", 0).await), "MissingParameter");
    let error = queue.send_after("\u{0}", 0).await.unwrap_err().into_service_error();
    assert!(error.is_invalid_message_contents(), "{error:?}");
    queue.send(&most).await;
    assert_eq!(queue.receives(10).await, [most]);
    // What JSON and people write is sent as it is.
    let odd = "\t\r\n\u{20}\u{7f}\u{d7ff}\u{e000}\u{fffd}\u{1f600}";
    queue.send(odd).await;
    assert_eq!(queue.receives(10).await, [odd]);
}

async fn a_receipt_takes_one_to_ten_messages(place: Place) {
    let queue = Queue::new(place).await;
    for n in 0..12 {
        queue.send(&n.to_string()).await;
    }
    assert_eq!(queue.takes(3, 30, 0).await.unwrap().len(), 3);
    assert_eq!(queue.takes(10, 30, 0).await.unwrap().len(), 9);
}

async fn a_long_poll_returns_when_a_message_comes(place: Place) {
    let queue = Queue::new(place).await;
    let polls = queue.takes(10, 30, 20);
    let sends = async {
        pass(1.0).await;
        queue.send("a").await;
        pass(2.0).await;
    };
    // Whichever ends first: had the poll slept through the message, the sender would have.
    tokio::select! {
        biased;
        received = polls => assert_eq!(bodies(&received.unwrap()), ["a"]),
        () = sends => panic!("the poll slept through the message"),
    }
}

async fn a_long_poll_returns_when_a_delay_ends(place: Place) {
    let queue = Queue::new(place).await;
    queue.send_after("a", 2).await.unwrap();
    tokio::select! {
        biased;
        received = queue.takes(10, 30, 20) => assert_eq!(bodies(&received.unwrap()), ["a"]),
        () = pass(6.0) => panic!("the poll slept through the end of the delay"),
    }
}

async fn a_long_poll_of_the_dead_letters_returns_when_one_dies(place: Place) {
    let queue = Queue::new(place).await;
    queue.send("poison").await;
    for _ in 0..MOST_RECEIPTS {
        let message = queue.receives_one().await;
        queue.hide(&message, 0).await.unwrap();
    }
    let dead = queue.dead_letters();
    let kills = async {
        pass(0.3).await;
        assert_eq!(queue.receives(10).await, Vec::<String>::new());
        pass(3.0).await;
    };
    tokio::select! {
        biased;
        received = dead.takes(10, 30, 20) => assert_eq!(bodies(&received.unwrap()), ["poison"]),
        () = kills => panic!("the poll slept through the death"),
    }
}

async fn a_long_poll_is_not_ended_by_a_message_that_somebody_else_took(place: Place) {
    let queue = Queue::new(place).await;
    queue.send("a").await;
    let message = queue.receives_one().await;
    queue.delete(&message).await;
    let sends = async {
        pass(1.0).await;
        queue.send("b").await;
    };
    let (received, ()) = tokio::join!(queue.takes(10, 30, 5), sends);
    assert_eq!(bodies(&received.unwrap()), ["b"]);
    // An empty queue answers in the end.
    assert_eq!(queue.takes(10, 30, 1).await.unwrap().len(), 0);
}

async fn a_group_is_accepted_and_comes_with_the_message(place: Place) {
    let queue = Queue::new(place).await;
    queue.send_in("acme", "a").await;
    queue.send("b").await;
    let mut messages = queue.takes(10, 30, 0).await.unwrap();
    messages.sort_by_key(|message| message.body().map(str::to_owned));
    let group = |message: &Message| attribute(message, &MessageSystemAttributeName::MessageGroupId);
    assert_eq!(bodies(&messages), ["a", "b"]);
    assert_eq!((group(&messages[0]).as_deref(), group(&messages[1])), (Some("acme"), None));
}

async fn what_stands_in_a_queue_is_counted(place: Place) {
    let queue = Queue::new(place).await;
    for n in 0..3 {
        queue.send(&n.to_string()).await;
    }
    queue.send_after("late", 600).await.unwrap();
    assert_eq!(queue.takes(2, 30, 0).await.unwrap().len(), 2);
    assert_eq!(queue.counts().await, [1, 2, 1]);
}

async fn a_queue_nobody_made_does_not_exist(place: Place) {
    let queue = Queue::new(place).await;
    let nowhere = Queue { url: format!("{}-unmade", queue.url), ..queue };
    let error = nowhere.send_after("a", 0).await.unwrap_err().into_service_error();
    assert!(error.is_queue_does_not_exist(), "{error:?}");
    let error = nowhere.takes(1, 1, 0).await.unwrap_err().into_service_error();
    assert!(error.is_queue_does_not_exist(), "{error:?}");
}

/// A queue with dead letters, and a client of it.
pub(super) struct Queue {
    client: Client,
    url: String,
    /// The queues' folder, which must outlive them.
    _folder: Option<tempfile::TempDir>,
}

impl Queue {
    pub(super) async fn new(place: Place) -> Self {
        let specs = [
            QueueSpec::new("letters-dead").visibility_s(VISIBILITY_S),
            QueueSpec::new("letters").visibility_s(VISIBILITY_S).dead_letters("letters-dead", MOST_RECEIPTS),
        ];
        let folder = (place == Place::File).then(|| tempfile::tempdir().unwrap());
        let aws = match (place, &folder) {
            (Place::Endpoint, _) => return Self::at_the_endpoint().await,
            (_, Some(folder)) => open(folder.path(), &clock(), &specs),
            (_, None) => LocalAws::memory(clock(), None, &specs).unwrap(),
        };
        Self { client: aws.sqs(), url: queue_url("letters"), _folder: folder }
    }

    /// Fresh queues at the endpoint: tests run side by side there, and one run after another.
    async fn at_the_endpoint() -> Self {
        let client = client_at_the_endpoint();
        let name = format!("letters-{:016x}", fastrand::u64(..));
        let make = |name: String| {
            let visibility = QueueAttributeName::VisibilityTimeout;
            client.create_queue().queue_name(name).attributes(visibility, VISIBILITY_S.to_string())
        };
        let dead = make(format!("{name}-dead")).send().await.unwrap();
        let asked = client.get_queue_attributes().queue_url(dead.queue_url().unwrap());
        let found = asked.attribute_names(QueueAttributeName::QueueArn).send().await.unwrap();
        let arn = &found.attributes().unwrap()[&QueueAttributeName::QueueArn];
        let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"{MOST_RECEIPTS}"}}"#);
        let made = make(name).attributes(QueueAttributeName::RedrivePolicy, policy).send().await.unwrap();
        Self { url: made.queue_url().unwrap().to_owned(), client, _folder: None }
    }

    /// The queue its dead letters are in.
    fn dead_letters(&self) -> Self {
        Self { client: self.client.clone(), url: format!("{}-dead", self.url), _folder: None }
    }

    pub(super) async fn send(&self, body: &str) {
        self.client.send_message().queue_url(&self.url).message_body(body).send().await.unwrap();
    }

    pub(super) async fn send_in(&self, group: &str, body: &str) {
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        request.message_group_id(group).send().await.unwrap();
    }

    async fn send_after(
        &self,
        body: &str,
        delay_s: i32,
    ) -> Result<(), SdkError<aws_sdk_sqs::operation::send_message::SendMessageError>> {
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        request.delay_seconds(delay_s).send().await.map(drop)
    }

    async fn send_batch<const N: usize>(
        &self,
        entries: [SendMessageBatchRequestEntry; N],
    ) -> Result<
        aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput,
        SdkError<aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError>,
    > {
        let request = self.client.send_message_batch().queue_url(&self.url);
        request.set_entries(Some(entries.into())).send().await
    }

    async fn delete_batch<const N: usize>(
        &self,
        entries: [DeleteMessageBatchRequestEntry; N],
    ) -> Result<
        aws_sdk_sqs::operation::delete_message_batch::DeleteMessageBatchOutput,
        SdkError<aws_sdk_sqs::operation::delete_message_batch::DeleteMessageBatchError>,
    > {
        let request = self.client.delete_message_batch().queue_url(&self.url);
        request.set_entries(Some(entries.into())).send().await
    }

    /// Receives up to so many messages, hidden and waited for so long.
    pub(super) async fn takes(
        &self,
        most: i32,
        visibility_s: i32,
        wait_s: i32,
    ) -> Result<Vec<Message>, SdkError<aws_sdk_sqs::operation::receive_message::ReceiveMessageError>> {
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(most);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        let answer = request.visibility_timeout(visibility_s).wait_time_seconds(wait_s).send().await?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// The bodies of up to so many messages, hidden for as long as the queue says.
    async fn receives(&self, most: i32) -> Vec<String> {
        bodies(&self.takes_by_default(most).await)
    }

    /// The one message there is.
    async fn receives_one(&self) -> Message {
        let mut messages = self.takes_by_default(10).await;
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }

    async fn takes_by_default(&self, most: i32) -> Vec<Message> {
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(most);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        request.send().await.unwrap().messages.unwrap_or_default()
    }

    pub(super) async fn delete(&self, message: &Message) {
        let request = self.client.delete_message().queue_url(&self.url);
        request.receipt_handle(handle(message)).send().await.unwrap();
    }

    /// Changes for how long a message is hidden from now on.
    async fn hide(
        &self,
        message: &Message,
        seconds: i32,
    ) -> Result<(), SdkError<aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityError>>
    {
        let request = self.client.change_message_visibility().queue_url(&self.url);
        let request = request.receipt_handle(handle(message)).visibility_timeout(seconds);
        request.send().await.map(drop)
    }

    /// How many messages are visible, in flight, and delayed.
    async fn counts(&self) -> [u64; 3] {
        let asked = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = asked.attribute_names(QueueAttributeName::All).send().await.unwrap();
        let attributes = answer.attributes.unwrap();
        [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ]
        .map(|name| attributes[&name].parse().unwrap())
    }
}

pub(super) fn bodies(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| message.body().unwrap().to_owned()).collect()
}

fn handle(message: &Message) -> &str {
    message.receipt_handle().unwrap()
}

fn attribute(message: &Message, name: &MessageSystemAttributeName) -> Option<String> {
    message.attributes().and_then(|attributes| attributes.get(name).cloned())
}

/// How often a message was received, as SQS says.
fn received(message: &Message) -> u32 {
    let count = attribute(message, &MessageSystemAttributeName::ApproximateReceiveCount);
    count.expect("a count").parse().unwrap()
}

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

fn deletion(id: &str, receipt: &str) -> DeleteMessageBatchRequestEntry {
    DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt).build().unwrap()
}

/// The code that a request was refused with.
fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    answer: Result<T, SdkError<E>>,
) -> String {
    let error = answer.expect_err("it is refused");
    error.code().expect("a code").to_owned()
}
