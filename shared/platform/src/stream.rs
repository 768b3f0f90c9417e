//! A batch from the table's stream, and which of its records failed.
//!
//! The shapes are Lambda's; on one machine the poller builds the same. A record is read one by one, so that one that
//! cannot be read keeps no other waiting. The shard is named only where the mapping has a tumbling window.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::Item;

/// Records of one shard, in its order.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct StreamEvent {
    /// The records.
    #[serde(rename = "Records", default)]
    pub records: Vec<StreamRecord>,
    /// Whose they are.
    #[serde(rename = "shardId", default)]
    pub shard: Option<String>,
}

/// A change of one item.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct StreamRecord(pub Value);

/// A record that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of the stream cannot be read")]
pub struct Unreadable;

impl StreamRecord {
    /// Its number: it rises within a shard.
    pub fn sequence(&self) -> Option<&str> {
        let sequence = self.0["dynamodb"]["SequenceNumber"].as_str()?;
        let number = !sequence.is_empty() && sequence.bytes().all(|byte| byte.is_ascii_digit());
        number.then_some(sequence)
    }

    /// Where its item stands.
    pub fn key(&self) -> Option<(&str, &str)> {
        let keys = &self.0["dynamodb"]["Keys"];
        Some((keys["pk"]["S"].as_str()?, keys["sk"]["S"].as_str()?))
    }

    /// Whether the item is gone.
    pub fn removes(&self) -> bool {
        self.0["eventName"] == "REMOVE"
    }

    /// The item after the change; `None` of one that is gone.
    pub fn new_image(&self) -> Result<Option<Item>, Unreadable> {
        self.image("NewImage")
    }

    /// The item before; `None` of a new one.
    pub fn old_image(&self) -> Result<Option<Item>, Unreadable> {
        self.image("OldImage")
    }

    fn image(&self, name: &str) -> Result<Option<Item>, Unreadable> {
        match self.0["dynamodb"].get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(image) => {
                let image = serde_dynamo::Item::deserialize(image).map_err(|_| Unreadable)?;
                Ok(Some(image.into()))
            }
        }
    }
}

/// The answer to a batch: from the first that failed on, it comes again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StreamResponse {
    /// At most one: records behind it come again as well.
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<StreamFailure>,
    /// What a tumbling window would carry on: nothing, the store does.
    pub state: serde_json::Map<String, Value>,
}

/// From where on a batch comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamFailure {
    /// The sequence number of the first that failed.
    #[serde(rename = "itemIdentifier")]
    pub sequence: String,
}

impl StreamResponse {
    /// All of it comes again.
    pub fn again(event: &StreamEvent) -> Self {
        let first = event.records.iter().find_map(StreamRecord::sequence);
        let failure = first.map(|first| StreamFailure { sequence: first.to_owned() });
        Self { failures: failure.into_iter().collect(), ..Self::default() }
    }
}
