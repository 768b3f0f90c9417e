//! However the stream comes, each of its records counts once.

use super::*;

/// What one day's trade was noted as, and the records of its items by shard: each item's are in one, in order.
pub(super) async fn noted() -> (Yard, Vec<(String, Vec<StreamRecord>)>) {
    ANSWERS.set((0, 0));
    let yard = Yard::of(trade()).await;
    yard.notes();
    for n in 0..24 {
        let lead = yard
            .settled_lead(&Person::number(n).with("zip", if n % 3 == 0 { "10001" } else { "33101" }))
            .await;
        dealers_answer(&yard, n, &lead).await;
    }
    let mut shards: BTreeMap<String, Vec<StreamRecord>> = BTreeMap::new();
    for (_, record) in yard.aws.tables().stream_after(system::TABLE, 0, 100_000).unwrap() {
        let record = StreamRecord(record);
        let (pk, _) = record.key().unwrap();
        let shard = pk.bytes().map(usize::from).sum::<usize>() % 4;
        shards.entry(format!("shardId-{shard}")).or_default().push(record);
    }
    (yard, shards.into_iter().collect())
}

pub(super) async fn handle(yard: &Yard, shard: &str, records: &[StreamRecord]) -> Vec<String> {
    let event = StreamEvent { records: records.to_vec(), shard: Some(shard.to_owned()) };
    let work = leadyard_reporting::handle(&yard.cloud, event);
    let response = leadyard_tests::roles::as_function("reporting", work).await;
    response.failures.into_iter().map(|failure| failure.sequence).collect()
}

#[tokio::test(start_paused = true)]
async fn what_comes_twice_or_cut_otherwise_or_overlapping_counts_once() {
    let (yard, shards) = noted().await;
    assert_eq!(shards.len(), 4);
    for (shard, records) in &shards {
        assert!(handle(&yard, shard, records).await.is_empty());
    }
    let once = all(&yard, "from=2026-06-01&to=2026-06-30").await;
    agree(&yard).await;
    // The whole of it again.
    for (shard, records) in &shards {
        assert!(handle(&yard, shard, records).await.is_empty());
    }
    assert_eq!(all(&yard, "from=2026-06-01&to=2026-06-30").await, once);
    // Another system: shards in turns, in pieces of any size that overlap, each of them more than once.
    let (yard, shards) = noted().await;
    let mut at = vec![0_usize; shards.len()];
    let mut draw = fastrand::Rng::with_seed(6);
    while at.iter().zip(&shards).any(|(at, (_, records))| *at < records.len()) {
        let turn = draw.usize(..shards.len());
        let (shard, records) = &shards[turn];
        let from = at[turn].saturating_sub(draw.usize(..9));
        let to = (at[turn] + draw.usize(..20)).min(records.len());
        assert!(handle(&yard, shard, &records[from..to]).await.is_empty());
        at[turn] = to;
    }
    agree(&yard).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_records_are_a_handful_of_writes() {
    let yard = Yard::of(trade()).await;
    yard.notes();
    for n in 0..60 {
        yard.settled_lead(&Person::number(n)).await;
    }
    let mut noted = yard.aws.tables().stream_after(system::TABLE, 0, 100_000).unwrap();
    let last = noted.last().map_or(0, |(number, _)| *number);
    noted.truncate(1_000);
    let records: Vec<StreamRecord> = noted.into_iter().map(|(_, record)| StreamRecord(record)).collect();
    let (records_noted, before) = (records.len(), yard.faults.writes());
    assert!(handle(&yard, SHARD, &records).await.is_empty());
    let writes = yard.faults.writes() - before;
    // Offers stand in eight parts.
    assert!(records_noted > 500 && writes <= 6 + 7, "{records_noted} records, {writes} writes");
    // And no counter is a hot key: by the notes of these writes each is written once for a batch, whatever was in it.
    let mut written: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (_, record) in yard.aws.tables().stream_after(system::TABLE, last, 100_000).unwrap() {
        let record = StreamRecord(record);
        let (pk, sk) = record.key().unwrap();
        *written.entry((pk.to_owned(), sk.to_owned())).or_default() += 1;
    }
    let sums = written.keys().filter(|(pk, sk)| pk == "T#acme" && sk.starts_with("P#2026-06-01#"));
    assert_eq!(sums.count(), 1, "{written:?}");
    assert!(written.values().all(|times| *times == 1), "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_is_set_aside_and_the_shard_goes_on() {
    let (yard, shards) = noted().await;
    let (logs, guard) = leadyard_tests::logs::Logs::keep();
    for (shard, records) in &shards {
        let mut records = records.clone();
        let broken = records.iter().position(|record| record.key().unwrap().1 == "E").expect("an enquiry");
        let mut poison = records[broken].0.clone();
        poison["dynamodb"]["NewImage"] =
            json!({ "pk": { "S": "E#1" }, "sk": { "S": "E" }, "fields": { "S": "Canary Quill" } });
        let number: u128 = records[broken].sequence().unwrap().parse().unwrap();
        poison["dynamodb"]["SequenceNumber"] = json!(number.to_string());
        records.insert(broken, StreamRecord(poison));
        records.insert(0, StreamRecord(json!({ "nothing": "Canary Quill" })));
        assert!(handle(&yard, shard, &records).await.is_empty());
    }
    drop(guard);
    agree(&yard).await;
    let said = logs.text();
    assert!(said.contains("set aside") && !said.contains("Canary"), "{said}");
    let (items, _) = yard.cloud.store.scan_page(None).await.unwrap();
    let aside: Vec<String> = items
        .iter()
        .filter(|item| item["pk"].as_s().unwrap().starts_with("TA#"))
        .map(|item| format!("{item:?}"))
        .collect();
    assert!(!aside.is_empty() && aside.iter().all(|item| !item.contains("Canary")), "{aside:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_store_does_not_take_comes_again_and_counts_once() {
    let (yard, shards) = noted().await;
    for calls in [0, 1, 2, 3, 4, 5] {
        for (shard, records) in &shards {
            yard.faults.table_after(Some(calls));
            let failed = handle(&yard, shard, records).await;
            yard.faults.table_after(None);
            assert!(
                failed.is_empty() || failed == [records[0].sequence().unwrap()],
                "from the first on: {failed:?}"
            );
            assert!(calls > 0 || !failed.is_empty(), "nothing is counted without the table");
        }
    }
    for (shard, records) in &shards {
        assert!(handle(&yard, shard, records).await.is_empty());
    }
    agree(&yard).await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_does_not_name_its_shard_is_refused() {
    let (yard, shards) = noted().await;
    let event = StreamEvent { records: shards[0].1.clone(), shard: None };
    let response = leadyard_reporting::handle(&yard.cloud, event).await;
    assert_eq!(response.failures.len(), 1);
    assert_eq!(yard.report("funnel").await["whole"]["leads"], 0);
    // The end of a window says nothing, and is no failure.
    assert!(leadyard_reporting::handle(&yard.cloud, StreamEvent::default()).await.failures.is_empty());
}
