//! One machine: `serve` counts what happens by itself, and `rebuild-reports` counts its data folder anew.

use leadyard::rebuild;
use leadyard::serve::{Options, Running, start};

use super::*;

/// Asks a running system for the leads of the last thirty days until it knows so many: at most ten seconds.
async fn knows(running: &Running, leads: i64) -> Value {
    let url = format!("{}/v1/reports/leads", running.ready.url);
    let mut said = Value::Null;
    for _ in 0..100 {
        let asked =
            reqwest::Client::new().get(&url).bearer_auth(&running.ready.desk_token).send().await.unwrap();
        said = serde_json::from_slice(&asked.bytes().await.unwrap()).unwrap();
        if said["whole"]["leads"] == leads {
            return said["rows"].clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{leads} leads were never counted: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_counts_by_itself_and_its_folder_is_recounted_to_the_same() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let options = Options { data: Some(data.clone()), port: 0, rules: None };
    let running = start(&options).await.unwrap();
    let source = running.ready.sources[0].clone();
    for n in 0..3 {
        let posted = reqwest::Client::new()
            .post(format!("{}/v1/leads/{}", running.ready.url, source.key))
            .bearer_auth(&source.secret)
            .header("content-type", "application/json")
            .body(Person::number(n).json().to_string())
            .send()
            .await
            .unwrap();
        assert!(posted.status().is_success());
    }
    let counted = knows(&running, 3).await;
    // A folder that is in use is left alone.
    let asked = rebuild::Options { data, table: None, json: true };
    assert!(rebuild::run(&asked).await.is_err());
    running.stop().await;
    let done = rebuild::run(&asked).await.unwrap();
    assert!(done.items > 10 && (1..=2).contains(&done.days) && done.unreadable == 0, "{done:?}");
    let running = start(&options).await.unwrap();
    assert_eq!(knows(&running, 3).await, counted);
    running.stop().await;
}
