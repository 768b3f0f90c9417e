//! The reports' counters, in one world of ten: the table's stream as Lambda brings it, in shards, in batches of any size,
//! some of them again, to a handler that dies.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use leadyard::aws::LocalAws;
use leadyard::system;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::stream::{StreamEvent, StreamRecord};
use tokio::time::sleep;

use super::World;

/// Of so many worlds one counts: noting every write costs time.
const ONE_OF: u64 = 10;
/// Shards of the stream. Of an item all records are in one.
const SHARDS: usize = 3;
/// The largest batch while things go wrong: small, so that there are many.
const BATCH: u64 = 60;
/// The same once they do not.
const LAST_BATCH: usize = 1_000;

/// How far the stream is counted.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    /// The number of the last record that is.
    after: i64,
    /// The same before the last batch: from there on it may come again.
    before: i64,
}

impl Counting {
    /// Begins to note what happens, in a world whose seed says so.
    pub(super) fn begin(seed: u64, aws: &LocalAws) -> anyhow::Result<Option<Mutex<Self>>> {
        if seed % ONE_OF != 1 {
            return Ok(None);
        }
        aws.tables().stream_begin(system::TABLE).context("no stream")?;
        Ok(Some(Mutex::default()))
    }
}

impl World {
    /// Counts what happens, now and then.
    pub(super) async fn count_for_ever(&self) {
        loop {
            sleep(Duration::from_secs(20 + self.below(1_800))).await;
            // What fails comes again the next time.
            let most = 1 + self.below(BATCH) as usize;
            let again = self.below(3) == 0;
            while let Ok(true) = self.count(&self.cloud, most, again).await {
                sleep(Duration::from_secs(self.below(30))).await;
                if self.below(4) == 0 {
                    break;
                }
            }
        }
    }

    /// Counts what is left, with nothing that goes wrong.
    ///
    /// # Errors
    /// When it cannot be counted.
    pub(super) async fn count_the_rest(&self) -> anyhow::Result<()> {
        if self.counting.is_none() {
            return Ok(());
        }
        while self.count(&self.plain, LAST_BATCH, false).await? {}
        Ok(())
    }

    /// Counts a batch of each shard. `false` when there was nothing, or it comes again.
    async fn count(&self, cloud: &Cloud, most: usize, again: bool) -> anyhow::Result<bool> {
        let Some(counting) = &self.counting else { return Ok(false) };
        let (after, before) = {
            let counting = counting.lock().unwrap_or_else(PoisonError::into_inner);
            (counting.after, counting.before)
        };
        let from = if again { before } else { after };
        let batch = self.aws.tables().stream_after(system::TABLE, from, most).context("no stream")?;
        let Some((last, _)) = batch.last() else { return Ok(false) };
        let last = *last;
        let mut shards: BTreeMap<usize, Vec<StreamRecord>> = BTreeMap::new();
        for (_, record) in batch {
            let record = StreamRecord(record);
            let shard = record.key().map_or(0, |(pk, _)| pk.bytes().map(usize::from).sum::<usize>() % SHARDS);
            shards.entry(shard).or_default().push(record);
        }
        for (shard, records) in shards {
            let event = StreamEvent { records, shard: Some(format!("shardId-{shard}")) };
            let work = Box::pin(leadyard_reporting::handle(cloud, event));
            let counted = self.faults.invocation().run(work).await;
            if counted.is_none_or(|response| !response.failures.is_empty()) {
                return Ok(false);
            }
        }
        let mut counting = counting.lock().unwrap_or_else(PoisonError::into_inner);
        if last > counting.after {
            (counting.before, counting.after) = (counting.after, last);
        }
        Ok(true)
    }
}
