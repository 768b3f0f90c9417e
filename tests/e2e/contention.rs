//! Many at once after one contract's last seats.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leadyard::{poller, system};
use leadyard_domain::lead::Stage;
use leadyard_tests::{Person, Rules, Yard};

const WORKERS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_workers_fill_one_contract_s_cap_exactly() {
    let rules =
        beside_another().inbox_dealer("hudson", []).contract("hudson", "hudson", [("cap_total", "400")]);
    rush(Yard::of(rules).await, 1_000, 400).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_workers_spend_one_contract_s_budget_exactly() {
    // Eighty leads at 10.00, and not one more.
    let rules = beside_another().inbox_dealer("hudson", []).contract(
        "hudson",
        "hudson",
        [("budget_month", "805.00")],
    );
    rush(Yard::of(rules).await, 200, 80).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_workers_use_up_what_was_paid_in_advance_exactly() {
    let rules =
        beside_another().inbox_dealer("hudson", [("prepaid", "yes")]).contract("hudson", "hudson", []);
    let yard = Yard::of(rules).await;
    let deposit = serde_json::json!({ "amount": "805.00", "reference": "wire-1" });
    let path = "/v1/dealers/hudson/deposits";
    let _ = yard.desk(http::Method::POST, path, Some(deposit)).await.is(200);
    rush(yard, 200, 80).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_workers_share_as_exactly_as_one() {
    let rules = Rules::roofing("acme")
        .inbox_dealer("hudson", [])
        .contract("hudson", "hudson", [("weight", "5")])
        .inbox_dealer("ridge", [])
        .contract("ridge", "ridge", [("weight", "1")]);
    let yard = Yard::of(rules).await;
    assigned_at_once(&yard, 120, 8).await;
    let (hudson, ridge) = (yard.taken("hudson", 4).await, yard.taken("ridge", 4).await);
    assert_eq!(hudson + ridge, 120);
    // No further apart than one turn of ridge's, which is five of hudson's.
    assert!(hudson.abs_diff(5 * ridge) <= 5, "{hudson} and {ridge}");
}

/// A rulebook with Ridge, which takes everything, but in another area than where the leads are.
fn beside_another() -> Rules {
    Rules::roofing("acme").seller("ridge", [("area", "zip:10001")])
}

/// Many leads at once for one contract that takes fewer: the rest wait, and nobody else has one.
async fn rush(yard: Yard, count: usize, takes: usize) {
    let leads = assigned_at_once(&yard, count, WORKERS).await;
    let mut assigned = 0;
    for lead in &leads {
        let stored = yard.stored(lead).await;
        if stored.stage == Stage::Assigned {
            let holders: Vec<&str> = stored.holders.iter().map(|holder| holder.dealer.as_str()).collect();
            assert_eq!(holders, ["hudson"]);
            assigned += 1;
        } else {
            let why = stored.waiting.map(|why| why.to_string());
            assert_eq!((stored.stage, why.as_deref()), (Stage::Waiting, Some("cap")));
        }
    }
    assert_eq!((assigned, yard.taken("hudson", 4).await as usize), (takes, takes));
    assert_eq!((yard.taken("ridge", 4).await, yard.told("ridge").len()), (0, 0));
    assert!(yard.dead_letters().is_empty());
}

/// Many leads come in, and many workers see to all of them at once.
async fn assigned_at_once(yard: &Yard, count: usize, at_once: usize) -> Vec<String> {
    let mut leads = Vec::with_capacity(count);
    for n in 0..count {
        leads.push(yard.lead(&Person::number(n)).await);
    }

    let idle = Arc::new(AtomicUsize::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..at_once {
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
    assert_eq!(idle.load(Ordering::SeqCst), at_once);
    leadyard_tests::live::until("every lead is assigned or waits", async || {
        leadyard_sweep::sweep(&yard.cloud).await.unwrap();
        yard.settle().await;
        for lead in &leads {
            if yard.stored(lead).await.stage == Stage::Received {
                return None;
            }
        }
        Some(())
    })
    .await;
    leads
}
