//! A seeded queue misbehaves as SQS may: messages come late, twice and in another order than sent. It
//! loses none of them, and the same seed gives the same trace.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use leadyard::aws::{Disorder, LocalQueues, QueueSpec};

const MESSAGES: usize = 300;

/// A queue under a clock that stands until it is moved.
struct Post {
    queues: LocalQueues,
    now_ms: Arc<AtomicI64>,
}

impl Post {
    fn with(seed: Option<u64>) -> Self {
        let now_ms = Arc::new(AtomicI64::new(super::MONDAY_NOON_MS));
        let clock = Arc::clone(&now_ms);
        let queues = LocalQueues::memory(Arc::new(move || clock.load(Ordering::SeqCst)), seed).unwrap();
        queues.ensure(&QueueSpec::new("letters").visibility_s(30)).unwrap();
        Self { queues, now_ms }
    }

    fn send_all(&self) {
        for n in 0..MESSAGES {
            self.queues.send("letters", &n.to_string(), None, 0).unwrap();
        }
    }

    /// Everything that can be received now, in order, each done with at once.
    async fn receive_all(&self) -> Vec<usize> {
        let mut bodies = Vec::new();
        loop {
            let received = self.queues.take("letters", 10, None).unwrap();
            if received.is_empty() {
                return bodies;
            }
            let receipts: Vec<String> = received.iter().map(|one| one.receipt_handle.clone()).collect();
            assert_eq!(self.queues.delete("letters", &receipts).await.unwrap(), receipts.len());
            bodies.extend(received.iter().map(|one| one.body.parse::<usize>().unwrap()));
        }
    }

    fn pass_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sends all, then looks every second until nothing is left: what came at which second.
    async fn trace(seed: Option<u64>) -> (Vec<Vec<usize>>, Disorder) {
        let post = Self::with(seed);
        post.send_all();
        let mut trace = vec![post.receive_all().await];
        while post.queues.next_visible_ms("letters").unwrap().is_some() {
            post.pass_ms(1_000);
            trace.push(post.receive_all().await);
        }
        (trace, post.queues.disorder())
    }
}

#[tokio::test]
async fn messages_come_late_twice_and_out_of_order_and_none_is_lost() {
    for seed in 1..=20 {
        let (trace, disorder) = Post::trace(Some(seed)).await;
        let at_once = &trace[0];
        let all: Vec<usize> = trace.iter().flatten().copied().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), MESSAGES, "seed {seed}: none is lost");
        assert_eq!(all.len(), MESSAGES + disorder.twice as usize, "seed {seed}: some come twice, none more");
        assert!(disorder.twice > 0, "seed {seed}");
        assert!(disorder.late > 0 && at_once.len() < all.len(), "seed {seed}: some come late");
        assert!(trace.len() <= 6, "seed {seed}: none more than five seconds");
        assert!(disorder.reordered > 0 && !at_once.is_sorted(), "seed {seed}: some overtake others");
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_trace_and_another_gives_another() {
    let (first, again, other) =
        (Post::trace(Some(7)).await, Post::trace(Some(7)).await, Post::trace(Some(8)).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test]
async fn ids_and_receipts_come_from_the_seed() {
    let names = |seed| {
        let post = Post::with(Some(seed));
        post.send_all();
        let received = post.queues.take("letters", 10, None).unwrap();
        received.into_iter().map(|one| (one.message_id, one.receipt_handle)).collect::<Vec<_>>()
    };
    assert_eq!(names(7), names(7));
    assert!(names(7).iter().all(|name| !names(8).contains(name)));
}

#[tokio::test]
async fn without_a_seed_all_come_once_at_once_and_in_order() {
    let (trace, disorder) = Post::trace(None).await;
    assert_eq!(trace, [(0..MESSAGES).collect::<Vec<_>>()]);
    assert_eq!(disorder, Disorder::default());
}
