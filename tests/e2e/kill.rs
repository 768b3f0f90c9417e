//! The program, killed under load at moments nobody chose: every acknowledged enquiry is accounted for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use leadyard::serve::{self, Options};
use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::ids::EnquiryId;
use leadyard_domain::lead::Stage;
use leadyard_tests::live::{Program, until};
use leadyard_tests::{Dealers, Live, Person, Rules};

/// Posters at a time.
const POSTERS: usize = 6;

/// Four ways to end: delivered, waiting for its area, nurtured, quarantined.
fn person(n: usize) -> Person {
    match n % 8 {
        0 => Person::number(n).with("zip", "10001"),
        1 => Person::number(n).with("offer", "later"),
        2 => Person::number(n).with("offer", "no such offer"),
        _ => Person::number(n),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_acknowledged_is_accounted_for_however_often_the_program_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "a test's own knob")]
    let kills: usize = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(10);
    let (data, rules) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dealers = Dealers::new(None);
    Rules::roofing("acme")
        .offer("later", "roofing", "band = \"A1\"")
        .seller("hudson", [("area", "zip:33101")])
        .received_at(&dealers.listen().await)
        .write_to(rules.path());

    let acknowledged: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let mut next = 0;
    for _ in 0..kills {
        let program = Program::start(data.path(), rules.path()).await;
        let posting = post_until_it_dies(&program.live, &acknowledged, next);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(50..900))).await;
        program.kill().await;
        for poster in posting {
            next = next.max(poster.await.unwrap());
        }
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > kills, "there was hardly any load: {}", acknowledged.len());

    // The same library goes on where the program was killed, so that the test can look underneath.
    let options = Options { data: Some(data.path().into()), port: 0, rules: Some(rules.path().into()) };
    let running = serve::start(&options).await.unwrap();
    let store = &running.cloud.store;
    for (enquiry, lead) in &acknowledged {
        let id: EnquiryId = enquiry.parse().unwrap();
        let ended = until("the enquiry is accounted for", async || {
            let Some(kept) = store.enquiry_get(id).await.unwrap() else { return None }; // still spilled
            let Some(of) = kept.lead else {
                return (kept.status == "quarantined" && !kept.reasons.is_empty()).then_some(None);
            };
            let stored = store.lead_get(of).await.unwrap()?;
            let accounted = match stored.stage {
                Stage::Assigned => {
                    assert_eq!(stored.holders.len(), 1, "one holder at a time");
                    let seat = stored.holders[0].assignment;
                    let assignment = store.assignment_get(of, stored.cycle, seat).await.unwrap()?;
                    assignment.delivery == DeliveryState::Received
                }
                Stage::Waiting => stored.waiting.is_some(),
                stage => stage == Stage::Nurturing,
            };
            accounted.then_some(Some(stored))
        })
        .await;
        let Some(stored) = ended else { continue };
        assert!(
            lead.is_empty() || *lead == stored.id.to_string(),
            "{enquiry}: its sender was told of another lead"
        );
        if stored.stage == Stage::Assigned {
            let was_told = dealers.told().iter().any(|told| told.lead() == stored.id.to_string());
            assert!(was_told, "{enquiry} is said to be delivered, and is not");
        }
    }
    running.stop().await;
    // At least once, and always under the same id.
    let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
    let told = dealers.told();
    for one in &told {
        assert_eq!(*ids.entry(one.lead()).or_insert(&one.id), one.id, "two ids for one lead");
    }
}

/// Posts people from `first` on until the program is gone; each poster returns the next free number.
fn post_until_it_dies(
    live: &Live,
    acknowledged: &Arc<Mutex<BTreeMap<String, String>>>,
    first: usize,
) -> Vec<tokio::task::JoinHandle<usize>> {
    (0..POSTERS)
        .map(|poster| {
            let (live, acknowledged) = (live.clone(), Arc::clone(acknowledged));
            tokio::spawn(async move {
                let mut n = first + poster;
                while let Some((status, body)) = live.posts("web", &person(n)).await {
                    assert!((200..300).contains(&status), "{status}: {body}");
                    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
                    acknowledged.lock().unwrap().insert(text("enquiry"), text("lead"));
                    n += POSTERS;
                }
                n + POSTERS
            })
        })
        .collect()
}
