//! The table's stream: what dynoxide notes of each write, read in order and forgotten once it is handled.
//!
//! dynoxide notes every write of a table with a stream, in the write's own transaction, and numbers it by a `MAX` over a
//! table without an index; its own reads order by the same expression. One index on that expression, made here, keeps
//! both flat. Nobody forgets notes but whoever reads them here; the last one always stays, so that under a clock that
//! stands still no number comes twice.
//!
//! Of one shard, whose notes are read past the protocol: nothing of ours speaks that of streams. It is off unless
//! somebody asks for it: what no test reads need not be written.

use serde_json::{Value, json};

use super::LocalAwsError;
use super::dynamo::DynamoService;

/// The only shard.
pub const SHARD: &str = "shardId-00000000000000000000-00000000";

/// What a row holds: the event's name, keys, images, and number.
type Row = (String, String, Option<String>, Option<String>, i64);

impl DynamoService {
    /// From now on every write of the table is noted. Once is enough; twice does nothing.
    pub fn stream_begin(&self, table: &str) -> Result<(), LocalAwsError> {
        let storage = self.storage();
        let label = |error| LocalAwsError::Table(dynoxide::DynoxideError::from(error));
        storage
            .conn()
            .execute_batch(
                "CREATE INDEX IF NOT EXISTS _stream_in_order \
                 ON _stream_records (table_name, CAST(sequence_number AS INTEGER))",
            )
            .map_err(label)?;
        let on = storage.get_table_metadata(table).map_err(LocalAwsError::Table)?;
        if on.is_some_and(|table| !table.stream_enabled) {
            storage.enable_stream(table, "NEW_AND_OLD_IMAGES", "1").map_err(LocalAwsError::Table)?;
        }
        Ok(())
    }

    /// Notes after a number, oldest first, at most `most`: as Lambda hands them over, each with its number.
    pub fn stream_after(
        &self,
        table: &str,
        after: i64,
        most: usize,
    ) -> Result<Vec<(i64, Value)>, LocalAwsError> {
        let storage = self.storage();
        let rows = || -> Result<Vec<Row>, rusqlite::Error> {
            let mut statement = storage.conn().prepare_cached(
                "SELECT event_name, keys_json, new_image, old_image, CAST(sequence_number AS INTEGER) \
                 FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) > ?2 \
                 ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?3",
            )?;
            let read = |row: &rusqlite::Row<'_>| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            };
            statement.query_map((table, after, most as i64), read)?.collect()
        };
        let rows = rows().map_err(|error| LocalAwsError::Table(error.into()))?;
        Ok(rows.into_iter().map(|row| (row.4, record(row))).collect())
    }

    /// Forgets the notes up to a number, but for the very last.
    pub fn stream_forget(&self, table: &str, up_to: i64) -> Result<(), LocalAwsError> {
        let storage = self.storage();
        let forgotten = storage.conn().execute(
            "DELETE FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= ?2 \
             AND CAST(sequence_number AS INTEGER) < (SELECT MAX(CAST(sequence_number AS INTEGER)) \
             FROM _stream_records WHERE table_name = ?1)",
            (table, up_to),
        );
        forgotten.map(drop).map_err(|error| LocalAwsError::Table(error.into()))
    }
}

fn record((event, keys, new, old, number): Row) -> Value {
    let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::Null);
    let mut of = json!({ "Keys": json(keys), "SequenceNumber": number.to_string() });
    for (name, image) in [("NewImage", new), ("OldImage", old)] {
        if let Some(image) = image {
            of[name] = json(image);
        }
    }
    json!({ "eventName": event, "dynamodb": of })
}
