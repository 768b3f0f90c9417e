//! Who was forgotten stays so: in the next list, and after a restore by the ledger.

use std::collections::BTreeSet;

use http::Method;
use leadyard_tests::{Rules, Yard};
use serde_json::json;

use super::{HOUR, assert_nobody, erase, events, items, live, rules, zeb};

#[tokio::test(start_paused = true)]
async fn who_asked_to_be_forgotten_stays_out_of_the_next_list() {
    let yard = Yard::of(rules()).await;
    // Of nobody we know: they stay out all the same.
    let body = json!({ "email": "zq.canary@mail.example", "reason": "requested" });
    let _ = yard.desk(Method::POST, "/v1/persons/erase", Some(body.clone())).await.is(200);
    let again = yard.desk(Method::POST, "/v1/persons/erase", Some(body)).await.is(200);
    assert_eq!(again.json["already"], true);
    let reply = yard.server("web").posts(&zeb()).await.is(202);
    assert_eq!(reply.json["reasons"], json!(["suppressed"]));
    assert!(yard.told("hudson").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_restored_table_forgets_again_by_the_ledger() {
    let yard = Yard::of(rules()).await;
    let life = live(&yard).await;
    let image = image(&yard).await;
    let _ = erase(&yard, &life.roof, json!({})).await.is(200);
    yard.settle().await;
    let ledger = yard.desk(Method::GET, "/v1/erasures", None).await.is(200);
    assert_nobody("the ledger", &ledger.text);

    restore(&yard, image).await;
    assert!(items(&yard).await.values().any(|text| text.contains("Zebulon")), "it is back");
    let told_before = events(&yard, "hudson").iter().filter(|event| *event == "lead.erased").count();
    let lines = json!({ "erasures": ledger.json["erasures"] });
    let reply = yard.desk(Method::POST, "/v1/erasures/reapply", Some(lines.clone())).await.is(200);
    assert_eq!(reply.json["erasures"][0]["applied"], true);
    yard.advance(HOUR * 2).await;
    for (key, text) in items(&yard).await {
        assert_nobody(&format!("{key:?}"), &text);
    }
    // Told once more, and known for the same message.
    let told: Vec<_> = yard.told("hudson").into_iter().filter(|told| told.event == "lead.erased").collect();
    assert_eq!(told.len(), told_before + 1);
    assert_eq!(told.iter().map(|told| told.id.clone()).collect::<BTreeSet<_>>().len(), 1);
    // Twice is once.
    let reply = yard.desk(Method::POST, "/v1/erasures/reapply", Some(lines.clone())).await.is(200);
    assert_eq!(reply.json["erasures"][0]["applied"], false);
    // Nobody reapplies another company's.
    let other = yard.also(Rules::roofing("brook").seller("hudson", [])).await;
    let _ = other.desk(Method::POST, "/v1/erasures/reapply", Some(lines)).await.is(404);
}

/// Every item, as a backup has it.
async fn image(yard: &Yard) -> Vec<leadyard_platform::store::Item> {
    let store = &yard.cloud.store;
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let scan = store.client().scan().table_name(store.table()).set_exclusive_start_key(start);
        let page = scan.send().await.unwrap();
        items.extend(page.items.unwrap_or_default());
        start = page.last_evaluated_key.filter(|key| !key.is_empty());
        if start.is_none() {
            return items;
        }
    }
}

async fn restore(yard: &Yard, backup: Vec<leadyard_platform::store::Item>) {
    let store = &yard.cloud.store;
    for item in image(yard).await {
        let delete = store.client().delete_item().table_name(store.table());
        let key = delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone());
        let _ = key.send().await.unwrap();
    }
    for item in backup {
        let _ =
            store.client().put_item().table_name(store.table()).set_item(Some(item)).send().await.unwrap();
    }
}
