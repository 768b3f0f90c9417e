//! Queues as SQS keeps them: over SQLite, in a file or in memory, under a given clock.
//!
//! A message is invisible while somebody works on it, comes again when that takes too long, and goes to
//! the dead letters after too many receipts. Groups are kept fair as SQS's standard queues do: a group
//! with at least [`NOISY_IN_FLIGHT`] messages in flight and more than a tenth of all in flight is put
//! behind the others, so that a quiet group never waits behind a noisy one's backlog. Ids and receipts
//! come from a seed, so that a simulation gives the same trace twice.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use tokio::sync::Notify;

use super::Clock;
use super::file::{FileError, refuse_unless_ours};

/// From how many messages in flight a group may count as noisy.
pub const NOISY_IN_FLIGHT: usize = 30;

/// A queue to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    name: String,
    visibility_s: u32,
    dead_letters: Option<(String, u32)>,
}

impl QueueSpec {
    /// A queue with SQS's default visibility of 30 seconds and no dead letters.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), visibility_s: 30, dead_letters: None }
    }

    /// How long a received message is kept from others, in seconds.
    #[must_use]
    pub fn visibility_s(self, visibility_s: u32) -> Self {
        Self { visibility_s, ..self }
    }

    /// Where a message goes after so many receipts.
    #[must_use]
    pub fn dead_letters(self, queue: &str, max_receive_count: u32) -> Self {
        Self { dead_letters: Some((queue.to_owned(), max_receive_count)), ..self }
    }
}

/// A message as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The same at every receipt.
    pub message_id: String,
    /// Of this receipt: what deletes it.
    pub receipt_handle: String,
    /// The body.
    pub body: String,
    /// Its group, if it was sent with one.
    pub group: Option<String>,
    /// What was sent beside the body, as JSON; nothing of it is read here.
    pub attributes: Option<String>,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// When it was sent, Unix milliseconds.
    pub sent_ms: i64,
}

/// What stands in a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ready to be received.
    pub visible: u64,
    /// Being worked on.
    pub in_flight: u64,
    /// Sent with a delay that still runs.
    pub delayed: u64,
}

/// How often a seeded queue misbehaved, as SQS may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disorder {
    /// Delivered later than they could have been.
    pub late: u64,
    /// Delivered twice.
    pub twice: u64,
    /// Delivered in another order than sent.
    pub reordered: u64,
}

/// A queue could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// No queue of that name.
    #[error("there is no queue of that name")]
    NoSuchQueue,
    /// SQLite refused.
    #[error("the queues' database refused")]
    Database(#[from] rusqlite::Error),
    /// The file is not ours to use.
    #[error(transparent)]
    File(#[from] FileError),
}

/// All queues of one data folder, or of one test.
pub struct LocalQueues {
    clock: Clock,
    inner: Mutex<Inner>,
    /// One bell per queue, rung by every send.
    bells: Mutex<HashMap<String, Arc<Notify>>>,
}

struct Inner {
    conn: Connection,
    specs: HashMap<String, QueueSpec>,
    rng: fastrand::Rng,
    disorderly: bool,
    disorder: Disorder,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS message (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        grp TEXT,
        sent_ms INTEGER NOT NULL,
        visible_ms INTEGER NOT NULL,
        receives INTEGER NOT NULL DEFAULT 0,
        receipt TEXT,
        attributes TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS message_visible ON message (queue, visible_ms, seq);
    CREATE INDEX IF NOT EXISTS message_receipt ON message (receipt) WHERE receipt IS NOT NULL;
";

impl LocalQueues {
    /// Opens or makes the file, which is held exclusively: a folder serves one process at a time.
    ///
    /// `synchronous = NORMAL`: a kill loses nothing that was answered; a power cut may lose the last
    /// messages, which the table's due index brings back.
    pub fn open(path: &Path, clock: Clock, entropy: u64) -> Result<Self, QueueError> {
        refuse_unless_ours(path, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'message')")?;
        let conn = Connection::open(path)?;
        let lock = || -> rusqlite::Result<()> {
            conn.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            conn.pragma_update(None, "journal_mode", "WAL")?;
            conn.pragma_update(None, "synchronous", "NORMAL")?;
            conn.execute_batch(SCHEMA)?;
            // A folder of an earlier version has no attributes yet.
            let known = conn
                .prepare("SELECT 1 FROM pragma_table_info('message') WHERE name = 'attributes'")?
                .exists([])?;
            if known { Ok(()) } else { conn.execute_batch("ALTER TABLE message ADD COLUMN attributes TEXT") }
        };
        lock().map_err(|error| FileError::of(path, error))?;
        Ok(Self::over(conn, clock, entropy, false))
    }

    /// In memory. With a seed, messages come late, twice and out of order at times.
    pub fn memory(clock: Clock, seed: Option<u64>) -> Result<Self, QueueError> {
        let conn = Connection::open_in_memory()?;
        conn.execute_batch(SCHEMA)?;
        Ok(Self::over(conn, clock, seed.unwrap_or(1), seed.is_some()))
    }

    fn over(conn: Connection, clock: Clock, seed: u64, disorderly: bool) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        let inner = Inner { conn, specs: HashMap::new(), rng, disorderly, disorder: Disorder::default() };
        Self { clock, inner: Mutex::new(inner), bells: Mutex::default() }
    }

    /// See [`super::LocalAws::waits_for_the_disk`].
    pub(super) fn waits_for_the_disk(&self, waits: bool) -> Result<(), QueueError> {
        let inner = self.inner();
        inner.conn.pragma_update(None, "synchronous", if waits { "NORMAL" } else { "OFF" })?;
        Ok(super::dynamo::checkpoint(&inner.conn)?)
    }

    /// Makes a queue known. Its messages, if it had any, are still there.
    pub fn ensure(&self, spec: &QueueSpec) -> Result<(), QueueError> {
        self.inner().specs.insert(spec.name.clone(), spec.clone());
        Ok(())
    }

    /// Whether there is such a queue.
    pub fn exists(&self, queue: &str) -> bool {
        self.inner().specs.contains_key(queue)
    }

    /// Sends a message, delayed by so many seconds. Its id.
    pub fn send(
        &self,
        queue: &str,
        body: &str,
        group: Option<&str>,
        delay_s: u32,
    ) -> Result<String, QueueError> {
        self.send_with(queue, (body, None), group, delay_s)
    }

    /// The same with attributes beside the body, as JSON.
    pub fn send_with(
        &self,
        queue: &str,
        (body, attributes): (&str, Option<&str>),
        group: Option<&str>,
        delay_s: u32,
    ) -> Result<String, QueueError> {
        let now = (self.clock)();
        let mut inner = self.inner();
        if !inner.specs.contains_key(queue) {
            return Err(QueueError::NoSuchQueue);
        }
        let id = inner.id();
        let mut visible_ms = now + i64::from(delay_s) * 1_000;
        let mut copies = 1;
        if inner.disorderly {
            if inner.rng.u8(..) < 26 {
                visible_ms += inner.rng.i64(1..5_000);
                inner.disorder.late += 1;
            }
            if inner.rng.u8(..) < 26 {
                copies = 2;
                inner.disorder.twice += 1;
            }
        }
        for _ in 0..copies {
            let mut insert = inner.conn.prepare_cached(
                "INSERT INTO message (queue, id, body, grp, sent_ms, visible_ms, attributes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            insert.execute(params![queue, id, body, group, now, visible_ms, attributes])?;
        }
        drop(inner);
        self.bell(queue).notify_one();
        Ok(id)
    }

    /// Receives up to `max` messages and keeps them from others for `visibility_s` seconds. Those that
    /// were received too often go to the dead letters instead.
    pub async fn receive(
        &self,
        queue: &str,
        max: usize,
        visibility_s: u32,
    ) -> Result<Vec<Received>, QueueError> {
        self.take(queue, max, Some(visibility_s))
    }

    /// [`LocalQueues::receive`], with the queue's own visibility by default.
    pub fn take(
        &self,
        queue: &str,
        max: usize,
        visibility_s: Option<u32>,
    ) -> Result<Vec<Received>, QueueError> {
        let now = (self.clock)();
        let mut inner = self.inner();
        let spec = inner.specs.get(queue).cloned().ok_or(QueueError::NoSuchQueue)?;
        let hidden_until = now + i64::from(visibility_s.unwrap_or(spec.visibility_s)) * 1_000;
        let Inner { conn, rng, disorderly, disorder, .. } = &mut *inner;
        let work = conn.transaction()?;
        let mut rows = ready(&work, queue, now, max)?;
        if *disorderly && rows.len() > 1 && rng.u8(..) < 64 {
            rng.shuffle(&mut rows);
            disorder.reordered += 1;
        }
        let mut received = Vec::with_capacity(rows.len());
        let mut died = false;
        for row in rows {
            if let Some((dead, most)) = &spec.dead_letters
                && row.receives >= *most
            {
                let mut moves = work.prepare_cached(
                    "UPDATE message SET queue = ?1, receives = 0, receipt = NULL, visible_ms = ?2 WHERE seq = ?3",
                )?;
                moves.execute(params![dead, now, row.seq])?;
                died = true;
                continue;
            }
            let receipt = format!("{}-{:016x}", row.seq, rng.u64(..));
            let mut hide = work.prepare_cached(
                "UPDATE message SET receives = receives + 1, receipt = ?1, visible_ms = ?2 WHERE seq = ?3",
            )?;
            hide.execute(params![receipt, hidden_until, row.seq])?;
            received.push(Received {
                message_id: row.id,
                receipt_handle: receipt,
                body: row.body,
                group: row.group,
                attributes: row.attributes,
                receive_count: row.receives + 1,
                sent_ms: row.sent_ms,
            });
        }
        work.commit()?;
        let more = received.len() == max;
        drop(inner);
        if more {
            // Another poller may have slept through the bell.
            self.bell(queue).notify_one();
        }
        if died && let Some((dead, _)) = &spec.dead_letters {
            self.bell(dead).notify_one();
        }
        Ok(received)
    }

    /// Deletes by receipt. One that is out of date deletes nothing, as the message may be with somebody
    /// else by now. How many were deleted.
    pub async fn delete(&self, queue: &str, receipts: &[String]) -> Result<usize, QueueError> {
        let mut inner = self.inner();
        let work = inner.conn.transaction()?;
        let mut deleted = 0;
        for receipt in receipts {
            let mut delete = work.prepare_cached("DELETE FROM message WHERE receipt = ?1 AND queue = ?2")?;
            deleted += delete.execute(params![receipt, queue])?;
        }
        work.commit()?;
        Ok(deleted)
    }

    /// Makes a received message visible again after so many seconds. `false` when nobody has it by that
    /// receipt: it is deleted, received anew, or visible already.
    pub fn release(&self, queue: &str, receipt: &str, after_s: u32) -> Result<bool, QueueError> {
        let now = (self.clock)();
        let visible_ms = now + i64::from(after_s) * 1_000;
        let changed = self.inner().conn.execute(
            "UPDATE message SET visible_ms = ?1 WHERE receipt = ?2 AND queue = ?3 AND visible_ms > ?4",
            params![visible_ms, receipt, queue, now],
        )?;
        self.bell(queue).notify_one();
        Ok(changed > 0)
    }

    /// Whether this has the form of a receipt: `SEQUENCE-16 hexadecimal digits`.
    pub fn is_receipt(text: &str) -> bool {
        text.split_once('-').is_some_and(|(seq, digits)| {
            seq.parse::<u64>().is_ok()
                && digits.len() == 16
                && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        })
    }

    /// Resolves when a message was sent. Delayed ones and ended visibilities make no sound: see
    /// [`LocalQueues::next_visible_ms`].
    pub async fn wait(&self, queue: &str) {
        self.bell(queue).notified().await;
    }

    /// When the next message is visible, Unix milliseconds; `None` in an empty queue.
    pub fn next_visible_ms(&self, queue: &str) -> Result<Option<i64>, QueueError> {
        let inner = self.inner();
        let mut next = inner.conn.prepare_cached(
            "SELECT visible_ms FROM message WHERE queue = ?1 ORDER BY visible_ms, seq LIMIT 1",
        )?;
        Ok(next.query_row([queue], |row| row.get(0)).optional()?)
    }

    /// What stands in a queue.
    pub fn counts(&self, queue: &str) -> Result<Counts, QueueError> {
        let now = (self.clock)();
        let counts = self.inner().conn.query_row(
            "SELECT count(*) FILTER (WHERE visible_ms <= ?2),
                    count(*) FILTER (WHERE visible_ms > ?2 AND receipt IS NOT NULL),
                    count(*) FILTER (WHERE visible_ms > ?2 AND receipt IS NULL)
             FROM message WHERE queue = ?1",
            params![queue, now],
            |row| Ok(Counts { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)? }),
        )?;
        Ok(counts)
    }

    /// Moves all messages of a queue to another, to be received afresh: redrive. How many.
    pub fn move_all(&self, from: &str, to: &str) -> Result<usize, QueueError> {
        let now = (self.clock)();
        let moved = self.inner().conn.execute(
            "UPDATE message SET queue = ?1, receives = 0, receipt = NULL, visible_ms = ?3 WHERE queue = ?2",
            params![to, from, now],
        )?;
        self.bell(to).notify_one();
        Ok(moved)
    }

    /// The bodies of the first messages, without receiving them: for people and tests.
    pub fn peek(&self, queue: &str, most: usize) -> Result<Vec<String>, QueueError> {
        let inner = self.inner();
        let mut bodies =
            inner.conn.prepare_cached("SELECT body FROM message WHERE queue = ?1 ORDER BY seq LIMIT ?2")?;
        let rows = bodies.query_map(params![queue, most as i64], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How often a seeded queue misbehaved so far.
    pub fn disorder(&self) -> Disorder {
        self.inner().disorder
    }

    fn bell(&self, queue: &str) -> Arc<Notify> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(queue.to_owned()).or_default())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn id(&mut self) -> String {
        format!("{:016x}{:016x}", self.rng.u64(..), self.rng.u64(..))
    }
}

struct Row {
    seq: i64,
    id: String,
    body: String,
    group: Option<String>,
    sent_ms: i64,
    receives: u32,
    attributes: Option<String>,
}

/// The next messages to hand out: those of quiet groups first, if a group is noisy.
fn ready(work: &Transaction<'_>, queue: &str, now: i64, max: usize) -> Result<Vec<Row>, QueueError> {
    let noisy = noisy_groups(work, queue, now)?;
    let mut first = page(work, queue, now, max)?;
    let is_noisy = |row: &Row| row.group.as_ref().is_some_and(|group| noisy.contains(group));
    if noisy.is_empty() || !first.iter().any(is_noisy) {
        return Ok(first);
    }
    let mut rows = Vec::new();
    let mut quiet = work.prepare_cached(
        "SELECT seq, id, body, grp, sent_ms, receives, attributes FROM message
         WHERE queue = ?1 AND visible_ms <= ?2 AND (grp IS NULL OR grp NOT IN (SELECT value FROM json_each(?3)))
         ORDER BY visible_ms, seq LIMIT ?4",
    )?;
    let names = serde_json::to_string(&noisy).unwrap_or_else(|_| "[]".to_owned());
    let found = quiet.query_map(params![queue, now, names, max as i64], read_row)?;
    for row in found {
        rows.push(row?);
    }
    first.retain(|row| is_noisy(row));
    rows.extend(first);
    rows.truncate(max);
    Ok(rows)
}

fn page(work: &Transaction<'_>, queue: &str, now: i64, max: usize) -> Result<Vec<Row>, QueueError> {
    let mut rows = work.prepare_cached(
        "SELECT seq, id, body, grp, sent_ms, receives, attributes FROM message
         WHERE queue = ?1 AND visible_ms <= ?2 ORDER BY visible_ms, seq LIMIT ?3",
    )?;
    let found = rows.query_map(params![queue, now, max as i64], read_row)?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        seq: row.get(0)?,
        id: row.get(1)?,
        body: row.get(2)?,
        group: row.get(3)?,
        sent_ms: row.get(4)?,
        receives: row.get(5)?,
        attributes: row.get(6)?,
    })
}

fn noisy_groups(work: &Transaction<'_>, queue: &str, now: i64) -> Result<HashSet<String>, QueueError> {
    let mut groups = work.prepare_cached(
        "SELECT grp, count(*) FROM message
         WHERE queue = ?1 AND visible_ms > ?2 AND receipt IS NOT NULL GROUP BY grp",
    )?;
    let found = groups.query_map(params![queue, now], |row| {
        Ok((row.get::<_, Option<String>>(0)?, row.get::<_, usize>(1)?))
    })?;
    let in_flight: Vec<(Option<String>, usize)> = found.collect::<Result<_, _>>()?;
    let all: usize = in_flight.iter().map(|(_, count)| count).sum();
    Ok(in_flight
        .into_iter()
        .filter(|(_, count)| *count >= NOISY_IN_FLIGHT && count * 10 > all)
        .filter_map(|(group, _)| group)
        .collect())
}
