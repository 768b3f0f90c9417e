//! Message groups on a standard queue: a group with at least thirty messages in flight and more than a
//! tenth of all in flight goes behind the others. SQS promises it, emulators do not: so it is ours alone.

use super::queues::{Queue, bodies};
use super::{Place, run};

/// How many of the next ten are of which group: its messages' bodies begin with its name.
async fn next_ten(queue: &Queue, group: &str) -> usize {
    let bodies = bodies(&queue.takes(10, 600, 0).await.unwrap());
    bodies.iter().filter(|body| body.starts_with(group)).count()
}

async fn sends(queue: &Queue, group: &str, messages: usize) {
    for n in 0..messages {
        queue.send_in(group, &format!("{group} {n}")).await;
    }
}

/// Both our queues keep groups fair.
fn in_both(test: impl AsyncFn(Queue)) {
    for place in [Place::Memory, Place::File] {
        run(place, async { test(Queue::new(place).await).await });
    }
}

#[test]
fn a_backlog_of_one_group_does_not_hold_back_another() {
    in_both(async |queue| {
        sends(&queue, "noisy", 200).await;
        for _ in 0..3 {
            assert_eq!(next_ten(&queue, "noisy").await, 10);
        }
        sends(&queue, "quiet", 3).await;
        queue.send("none: in no group").await;
        // 166 of the noisy group were sent before these.
        let next = bodies(&queue.takes(10, 600, 0).await.unwrap());
        assert_eq!(next[..4], ["quiet 0", "quiet 1", "quiet 2", "none: in no group"]);
        assert!(next[4..].iter().all(|body| body.starts_with("noisy")) && next.len() == 10, "{next:?}");
        // Behind, not shut out.
        assert_eq!(next_ten(&queue, "noisy").await, 10);
    });
}

#[test]
fn a_group_with_fewer_than_thirty_in_flight_keeps_its_place() {
    in_both(async |queue| {
        sends(&queue, "busy", 60).await;
        for _ in 0..2 {
            assert_eq!(next_ten(&queue, "busy").await, 10);
        }
        assert_eq!(queue.takes(9, 600, 0).await.unwrap().len(), 9);
        sends(&queue, "late", 1).await;
        assert_eq!(next_ten(&queue, "busy").await, 10, "at 29 it came first");
        assert_eq!(next_ten(&queue, "late").await, 1, "at 39 it does not");
    });
}

#[test]
fn a_group_with_no_more_than_a_tenth_of_all_in_flight_keeps_its_place() {
    in_both(async |queue| {
        let groups: Vec<String> = (0..10).map(|n| format!("group{n}")).collect();
        for group in &groups {
            sends(&queue, group, 30).await;
        }
        for _ in 0..30 {
            assert_eq!(queue.takes(10, 600, 0).await.unwrap().len(), 10);
        }
        // Ten groups with a tenth each: none is noisy.
        sends(&queue, "group0", 20).await;
        sends(&queue, "quiet", 1).await;
        assert_eq!(next_ten(&queue, "group0").await, 10);
        // With forty of 310 it has more than a tenth.
        assert_eq!(next_ten(&queue, "quiet").await, 1);
    });
}

#[test]
fn a_group_is_quiet_again_when_its_messages_are_done() {
    in_both(async |queue| {
        sends(&queue, "noisy", 60).await;
        let mut in_flight = Vec::new();
        for _ in 0..3 {
            in_flight.extend(queue.takes(10, 600, 0).await.unwrap());
        }
        sends(&queue, "quiet", 1).await;
        for message in &in_flight {
            queue.delete(message).await;
        }
        assert_eq!(next_ten(&queue, "noisy").await, 10);
    });
}
