//! Many at once after one contract's last seats.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leadyard::{poller, system};
use leadyard_tests::{Person, Rules, Yard};

const LEADS: usize = 1_000;
const CAP: usize = 400;
const WORKERS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_workers_fill_one_contract_s_cap_exactly() {
    let rules = Rules::roofing("acme").inbox_dealer("hudson", []).contract(
        "hudson",
        "hudson",
        [("cap_total", &CAP.to_string())],
    );
    let yard = Yard::of(rules).await;
    let mut leads = Vec::with_capacity(LEADS);
    for n in 0..LEADS {
        leads.push(yard.lead(&Person::number(n)).await);
    }

    let idle = Arc::new(AtomicUsize::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        let (yard, idle) = (yard.clone(), Arc::clone(&idle));
        workers.spawn(async move {
            // What is postponed is due within seconds: the sweep of the last lines sees to it.
            while poller::work(&yard.cloud, yard.aws.queues(), &system::DISTRIBUTION).await > 0 {}
            idle.fetch_add(1, Ordering::SeqCst);
        });
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }
    assert_eq!(idle.load(Ordering::SeqCst), WORKERS);
    leadyard_tests::live::until("every lead is assigned or waits", async || {
        leadyard_sweep::sweep(&yard.cloud).await.unwrap();
        yard.settle().await;
        for lead in &leads {
            if yard.stored(lead).await.stage == leadyard_domain::lead::Stage::Received {
                return None;
            }
        }
        Some(())
    })
    .await;

    let mut assigned = 0;
    for lead in &leads {
        let stored = yard.stored(lead).await;
        match stored.stage {
            leadyard_domain::lead::Stage::Assigned => {
                assert_eq!(stored.holders.len(), 1);
                assigned += 1;
            }
            _ => assert_eq!(
                stored.waiting.map(|why| why.to_string()).as_deref(),
                Some("cap"),
                "{:?}",
                stored.stage
            ),
        }
    }
    assert_eq!((assigned, yard.taken("hudson", 4).await as usize), (CAP, CAP));
    assert!(yard.dead_letters().is_empty());
}
