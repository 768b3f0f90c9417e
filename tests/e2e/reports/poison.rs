//! What in the table cannot be read keeps no shard waiting, and no recount.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use leadyard_domain::ids::CompanyId;
use leadyard_platform::rulebooks::Rulebooks;
use leadyard_platform::store::Item;
use leadyard_platform::store::keys::Key;

use super::stream::{handle, noted};
use super::*;

/// Everything in the table.
pub(super) async fn items(yard: &Yard) -> Vec<Item> {
    let (mut items, mut start) = (Vec::new(), None);
    loop {
        let (page, next) = yard.cloud.store.scan_page(start).await.unwrap();
        items.extend(page);
        start = next;
        if start.is_none() {
            return items;
        }
    }
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

async fn put(yard: &Yard, item: Item) {
    let store = &yard.cloud.store;
    store.client().put_item().table_name(store.table()).set_item(Some(item)).send().await.unwrap();
}

/// What was set aside: where the items stand.
async fn aside(yard: &Yard) -> Vec<String> {
    let items = items(yard).await;
    let aside = items.iter().filter(|item| text(item, "pk").starts_with("TA#"));
    aside.map(|item| text(item, "of").to_owned()).collect()
}

/// What the dealers' report says of the days of trade.
async fn dealers(yard: &Yard) -> Value {
    yard.report("dealers?from=2026-06-01&to=2026-06-30").await["rows"].clone()
}

#[tokio::test(start_paused = true)]
async fn an_opening_enquiry_that_cannot_be_read_keeps_no_seat_from_being_counted() {
    let (clean, shards) = noted().await;
    for (shard, records) in &shards {
        assert!(handle(&clean, shard, records).await.is_empty());
    }
    let (yard, shards) = noted().await;
    let mut opening = items(&yard)
        .await
        .into_iter()
        .find(|item| text(item, "sk") == "E" && format!("{item:?}").contains("33101"))
        .expect("an enquiry");
    let (of, fine) = (text(&opening, "pk").to_owned(), opening.clone());
    opening.remove("received_at");
    put(&yard, opening).await;
    for (shard, records) in &shards {
        assert!(handle(&yard, shard, records).await.is_empty(), "the shard goes on");
    }
    // Its seats are counted by what they say themselves, and it is set aside.
    assert_eq!(dealers(&yard).await, dealers(&clean).await);
    let aside = aside(&yard).await;
    assert!(!aside.is_empty() && aside.iter().all(|set| *set == of), "{aside:?}");
    let sources = yard.report("sources?from=2026-06-01&to=2026-06-30").await;
    let rows = sources["rows"].as_array().unwrap();
    let unknown = rows.iter().find(|row| row["value"].is_null()).expect("of no source that is known");
    assert!(said(unknown, "delivered") >= 1, "{unknown}");
    // A recount does not end there either, and says so.
    let counted = dealers(&yard).await;
    let done = recount(&yard).await;
    assert_eq!((done.unreadable, done.sealed), (1, 0));
    assert_eq!(dealers(&yard).await, counted);
    // Once it can be read again, a recount finds it.
    put(&yard, fine).await;
    assert_eq!(recount(&yard).await.unreadable, 0);
    agree(&yard).await;
}

#[tokio::test(start_paused = true)]
async fn a_company_whose_rules_are_damaged_keeps_no_other_waiting() {
    let mut acme = Yard::of(trade()).await;
    let other = acme.also(Rules::roofing("zenith").seller("hudson", [])).await;
    acme.notes();
    acme.settled_lead(&Person::number(1)).await;
    let _ = other.settled_lead(&Person::number(2)).await;
    let zenith = CompanyId::new("zenith").unwrap();
    let version = other.version().await;
    let key = Key::RulebookCore(&zenith, version);
    let kept = items(&acme).await;
    let core = kept.iter().find(|item| text(item, "pk") == key.pk() && text(item, "sk") == key.sk()).unwrap();
    // Its keys alone are left.
    let keys: HashMap<_, _> = core.iter().filter(|(name, _)| ["pk", "sk"].contains(&name.as_str())).collect();
    put(&acme, keys.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect()).await;
    acme.cloud.rulebooks = Arc::new(Rulebooks::default());
    acme.count().await;
    assert_eq!(said(&acme.report("leads").await["whole"], "leads"), 1);
    assert!(!aside(&acme).await.is_empty());
    // A recount leaves it as it is.
    let done = recount(&acme).await;
    assert!(done.unreadable > 0, "{done:?}");
    assert_eq!(said(&acme.report("leads").await["whole"], "leads"), 1);
    // Once its rules are whole again, a recount finds what was set aside.
    put(&acme, core.clone()).await;
    acme.cloud.rulebooks = Arc::new(Rulebooks::default());
    assert_eq!(recount(&acme).await.unreadable, 0);
    assert_eq!(said(&other.report("leads").await["whole"], "leads"), 1);
}

#[tokio::test(start_paused = true)]
async fn damaged_sums_are_left_as_they_are_until_a_recount() {
    let (yard, shards) = noted().await;
    for (shard, records) in &shards {
        assert!(handle(&yard, shard, records).await.is_empty());
    }
    let parts = |items: Vec<Item>| {
        items.into_iter().filter(|item| text(item, "sk").starts_with("P#2026")).collect::<Vec<_>>()
    };
    let holds = async |bytes: &[u8]| {
        for mut part in parts(items(&yard).await) {
            part.insert("b".to_owned(), AttributeValue::B(Blob::new(bytes)));
            put(&yard, part).await;
        }
    };
    // What a later version wrote is no damage: it comes again, to whoever knows it.
    holds(&[99, 1, 2]).await;
    let (shard, records) = &shards[0];
    assert_eq!(handle(&yard, shard, records).await, [records[0].sequence().unwrap()]);
    assert!(aside(&yard).await.is_empty());
    holds(&[1, 99, 2]).await;
    // More of the same shards: what they say is set aside.
    for (shard, records) in &shards {
        assert!(handle(&yard, shard, records).await.is_empty(), "the shard goes on");
    }
    assert!(!aside(&yard).await.is_empty());
    assert!(recount(&yard).await.days > 0);
    agree(&yard).await;
    // What a recount emptied expires.
    let empty = parts(items(&yard).await).into_iter().filter(|part| !part.contains_key("b"));
    let expires: Vec<bool> = empty.map(|part| part.contains_key("ttl")).collect();
    assert!(expires.len() >= 4 && expires.iter().all(|expires| *expires), "{expires:?}");
}
