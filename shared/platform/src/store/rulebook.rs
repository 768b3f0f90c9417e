//! Rulebooks: versioned and immutable; a pointer says which one is in force.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use leadyard_domain::access::Mailboxes;
use leadyard_domain::distribution::{Chunk, ChunkKey, Compiled, Core};
use leadyard_domain::ids::{CategoryId, CompanyId};
use leadyard_domain::rulebook::RulebookFiles;
use serde::{Deserialize, Serialize};

use super::access;
use super::keys::Key;
use super::{Commit, Item, Store, StoreError, number, read_number, read_string, string, values};

/// Which rulebook is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulebookPointer {
    /// Its version.
    pub version: u64,
    /// When it was published.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A version that was put in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulebookVersion {
    /// Which.
    pub version: u64,
    /// The version it was made from.
    pub base: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// `whole`, `workbook`, `files`, `contracts/hudson-miami`, `rollback to 7`.
    pub how: String,
    /// Why the version before rolled itself back to this one. An earlier version of this program passes over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
}

/// Why a publish rolled itself back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// New leads after it.
    pub leads: u32,
    /// How many of them were unmatched.
    pub unmatched: u32,
    /// New leads before it.
    pub leads_before: u32,
    /// How many of those were.
    pub unmatched_before: u32,
}

/// How a roll back stands in [`RulebookVersion::how`].
const ROLLBACK_TO: &str = "rollback to ";

impl RulebookVersion {
    /// The word for a roll back to this version.
    pub fn rollback_to(version: u64) -> String {
        format!("{ROLLBACK_TO}{version}")
    }

    /// Whether it is an earlier version once more.
    pub fn is_rollback(&self) -> bool {
        self.how.starts_with(ROLLBACK_TO)
    }
}

/// What came of publishing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is in force under this version.
    Version(u64),
    /// Somebody else published meanwhile; theirs is this version.
    Behind(u64),
}

/// A piece of the files as published: an item holds at most 400 KB.
const TEXT_PIECE: usize = 350_000;
/// How long files that were sent to be looked at are kept, in seconds.
const DRAFT_TTL_S: i64 = 3_600;
/// Categories woken in the transaction that publishes; it takes 100 items.
pub(super) const WAKES_AT_ONCE: usize = 90;

impl Store {
    /// Which rulebook is in force.
    pub async fn rulebook_pointer(&self, company: &CompanyId) -> Result<Option<RulebookPointer>, StoreError> {
        Ok(self.get(&Key::RulebookPointer(company)).await?.as_ref().and_then(read_pointer))
    }

    /// Who put a version in force, when and how; `None` of one that never was, or that an earlier version of
    /// this program published.
    pub async fn rulebook_version(
        &self,
        company: &CompanyId,
        version: u64,
    ) -> Result<Option<RulebookVersion>, StoreError> {
        self.get(&Key::RulebookVersion(company, version)).await?.map(read_version).transpose()
    }

    /// The versions that were put in force, the newest first; of those before one, where it is given.
    pub async fn rulebook_versions(
        &self,
        company: &CompanyId,
        before: Option<u64>,
        limit: i32,
    ) -> Result<Vec<RulebookVersion>, StoreError> {
        // As many digits as a sort key has.
        const LAST: u64 = 9_999_999_999;
        let last = before.map_or(LAST, |before| before.saturating_sub(1).min(LAST));
        let (first, last) = (Key::RulebookVersion(company, 0), Key::RulebookVersion(company, last));
        let items = self.query_newest_between(first.pk(), first.sk(), last.sk(), limit).await?;
        items.into_iter().map(read_version).collect()
    }

    /// The compiled core of one version.
    pub async fn rulebook_core(&self, company: &CompanyId, version: u64) -> Result<Option<Core>, StoreError> {
        let Some(item) = self.get(&Key::RulebookCore(company, version)).await? else { return Ok(None) };
        let text = read_string(&item, "core").unwrap_or_default();
        serde_json::from_str(text).map(Some).map_err(|error| StoreError::damaged("rulebook core", error))
    }

    /// A compiled chunk of one version.
    pub async fn rulebook_chunk(
        &self,
        company: &CompanyId,
        version: u64,
        chunk: &ChunkKey,
    ) -> Result<Option<Chunk>, StoreError> {
        let Some(item) = self.get(&Key::RulebookChunk(company, version, chunk)).await? else {
            return Ok(None);
        };
        Chunk::decode(chunk_in(&item)).map(Some).map_err(|error| StoreError::damaged("rulebook chunk", error))
    }

    /// Of these chunks of a version those that can be read, a hundred by each read.
    pub async fn rulebook_chunks<'k>(
        &self,
        company: &CompanyId,
        version: u64,
        chunks: &'k [ChunkKey],
    ) -> Result<Vec<(&'k ChunkKey, Chunk)>, StoreError> {
        let keys: Vec<Key<'_>> =
            chunks.iter().map(|chunk| Key::RulebookChunk(company, version, chunk)).collect();
        let named: HashMap<String, &ChunkKey> = keys.iter().map(Key::sk).zip(chunks).collect();
        let items = self.get_many(&keys).await?;
        let read = |item: Item| {
            let key = *named.get(read_string(&item, "sk")?)?;
            Some((key, Chunk::decode(chunk_in(&item)).ok()?))
        };
        Ok(items.into_iter().filter_map(read).collect())
    }

    /// The files of one version, as published.
    pub async fn rulebook_text(
        &self,
        company: &CompanyId,
        version: u64,
    ) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        read_text(&self.pieces_of(&Key::RulebookText(company, version, 0)).await?)
    }

    /// The same by so many reads at most, one for each megabyte, which are counted down; `None` too of one that takes
    /// more.
    pub async fn rulebook_text_within(
        &self,
        company: &CompanyId,
        version: u64,
        reads: &mut usize,
    ) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let pieces = self.pieces_within(&Key::RulebookText(company, version, 0), reads).await?;
        read_text(&pieces.unwrap_or_default())
    }

    /// Keeps files for an hour, that they can be looked at before they are published.
    pub async fn rulebook_draft_keep(
        &self,
        company: &CompanyId,
        draft: &str,
        files: &RulebookFiles,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ttl = number(now.as_second() + DRAFT_TTL_S);
        for (piece, place) in pieces(files)?.iter().zip(0..) {
            let mut item = keyed(&Key::RulebookDraft(company, draft, place), "text", piece.clone());
            item.insert("ttl".to_owned(), ttl.clone());
            self.put_plain(item).await?;
        }
        Ok(())
    }

    /// The files of a draft; `None` when it has expired.
    pub async fn rulebook_draft(
        &self,
        company: &CompanyId,
        draft: &str,
        now: Timestamp,
    ) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let pieces = self.pieces_of(&Key::RulebookDraft(company, draft, 0)).await?;
        // The table deletes what is over in its own time.
        let over = |piece: &Item| read_number::<i64>(piece, "ttl").is_some_and(|ttl| ttl <= now.as_second());
        if pieces.iter().any(over) { Ok(None) } else { read_text(&pieces) }
    }

    /// The pieces whose first stands here, in their order.
    pub(super) async fn pieces_of(&self, first: &Key<'_>) -> Result<Vec<Item>, StoreError> {
        let mut reads = usize::MAX;
        Ok(self.pieces_within(first, &mut reads).await?.unwrap_or_default())
    }

    /// The same by so many reads at most; `None` of what takes more.
    async fn pieces_within(
        &self,
        first: &Key<'_>,
        reads: &mut usize,
    ) -> Result<Option<Vec<Item>>, StoreError> {
        let prefix = first.sk();
        let prefix = prefix.rsplit_once('#').map_or(prefix.as_str(), |(prefix, _)| prefix);
        let bound = values([(":pk", string(first.pk())), (":prefix", string(prefix))]);
        self.query_within("pk = :pk AND begins_with(sk, :prefix)", bound, reads).await
    }

    /// Publishes a compiled rulebook over `base` (0 for the first): its chunks, its text, and last of
    /// all the pointer, together with the waking of every lead that waits. Never in part: until the
    /// pointer stands, nobody reads any of it. Who may sign in stands under keyed hashes of their addresses.
    pub async fn rulebook_publish(
        &self,
        compiled: &Compiled,
        files: &RulebookFiles,
        base: u64,
        (by, how): (&str, &str),
        mailboxes: &Mailboxes,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let company = compiled.core.company_id().clone();
        let version = self.claim_version(&company, base).await?;
        let former = self.categories_left(&compiled.core, base).await?;
        let core = Core { version, former, ..compiled.core.clone() };
        for (key, chunk) in &compiled.chunks {
            let bytes = chunk.encode().map_err(|error| StoreError::Malformed(Box::new(error)))?;
            let item = keyed(
                &Key::RulebookChunk(&company, version, key),
                "chunk",
                AttributeValue::B(Blob::new(bytes)),
            );
            self.put_plain(item).await?;
        }
        for (piece, place) in pieces(files)?.into_iter().zip(0..) {
            let key = Key::RulebookText(&company, version, place);
            self.put_plain(keyed(&key, "text", piece)).await?;
        }
        let parts = access::parted(&compiled.signers, mailboxes);
        for (number, part) in (0..).zip(&parts) {
            self.put_plain(access::part_item(&Key::RulebookAccess(&company, version, number), part)?).await?;
        }
        if !parts.is_empty() {
            self.companies_add(&company).await?;
        }
        let text = serde_json::to_string(&core).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        self.put_plain(keyed(&Key::RulebookCore(&company, version), "core", string(text))).await?;
        let (by, how) = (by.to_owned(), how.to_owned());
        let of = RulebookVersion { version, base, at: now, by, how, rolled_back: None };
        self.point_at(&core, parts.len(), of).await
    }

    /// Claims the next free version: a publisher that died leaves a gap, never a mixture.
    pub(super) async fn claim_version(&self, company: &CompanyId, base: u64) -> Result<u64, StoreError> {
        let mut version = base + 1;
        loop {
            let item = super::key_item(&Key::RulebookCore(company, version));
            if self.put_if(item, "attribute_not_exists(pk)", values([])).await? {
                return Ok(version);
            }
            version += 1;
        }
    }

    /// The categories of the versions before that this one has no offer of.
    pub(super) async fn categories_left(
        &self,
        core: &Core,
        base: u64,
    ) -> Result<Vec<CategoryId>, StoreError> {
        if base == 0 {
            return Ok(Vec::new());
        }
        let before = match self.rulebook_core(core.company_id(), base).await {
            Ok(before) => before,
            // One that an earlier version of this program took may be none for this one.
            Err(StoreError::Damaged { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(before.map(|before| before.left_by(&core.categories())).unwrap_or_default())
    }

    /// Puts a version in force whose parts stand: the pointer, what is known of it, the watch over it and the waking of
    /// those who wait, at once.
    pub(super) async fn point_at(
        &self,
        core: &Core,
        parts: usize,
        of: RulebookVersion,
    ) -> Result<Published, StoreError> {
        let RulebookVersion { base, at: now, .. } = of;
        let company = core.company_id();
        let mut pointer = super::key_item(&Key::RulebookPointer(company));
        pointer.insert("version".to_owned(), number(core.version));
        pointer.insert("at".to_owned(), number(now.as_millisecond()));
        pointer.insert("by".to_owned(), string(&of.by));
        pointer.insert("access".to_owned(), number(parts));
        let condition = if base == 0 { "attribute_not_exists(pk)" } else { "version = :base" };
        let bound = if base == 0 { values([]) } else { values([(":base", number(base))]) };
        let mut known: Item =
            serde_dynamo::to_item(&of).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        known.extend(super::key_item(&Key::RulebookVersion(company, of.version)));
        let mut writes = vec![self.put(pointer, condition, bound)?, self.put(known, "", values([]))?];
        writes.extend(self.watch_write(core, &of).await?);
        let categories = core.waited_in();
        for category in categories.iter().take(WAKES_AT_ONCE) {
            writes.push(self.wake_write(company, category, super::switches::ALL, None, now)?);
        }
        if let Commit::Refused(_) = self.transact(writes).await? {
            let theirs = self.rulebook_pointer(company).await?.map_or(0, |pointer| pointer.version);
            // A reply may have been lost long enough for the token to be forgotten: ours is ours.
            if theirs != core.version {
                return Ok(Published::Behind(theirs));
            }
        }
        for category in categories.iter().skip(WAKES_AT_ONCE) {
            self.wake(company, category, now).await?;
        }
        Ok(Published::Version(core.version))
    }

    pub(super) async fn put_plain(&self, item: Item) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map(drop)
            .map_err(StoreError::unavailable)
    }
}

/// The files as they are kept, in pieces that an item holds. A rulebook that parsed is UTF-8.
fn pieces(files: &RulebookFiles) -> Result<Vec<AttributeValue>, StoreError> {
    let named: BTreeMap<&str, Cow<'_, str>> =
        files.iter().map(|(name, bytes)| (name, String::from_utf8_lossy(bytes))).collect();
    text_pieces(&named)
}

/// The pieces in which files are kept: texts by their names.
pub(super) fn text_pieces(named: &impl Serialize) -> Result<Vec<AttributeValue>, StoreError> {
    let text = serde_json::to_vec(named).map_err(|error| StoreError::Malformed(Box::new(error)))?;
    Ok(text.chunks(TEXT_PIECE).map(|piece| AttributeValue::B(Blob::new(piece))).collect())
}

/// The bytes of a chunk.
fn chunk_in(item: &Item) -> &[u8] {
    item.get("chunk").and_then(|chunk| chunk.as_b().ok()).map(Blob::as_ref).unwrap_or_default()
}

/// The files that were kept in these pieces; `None` of no piece.
fn read_text(pieces: &[Item]) -> Result<Option<BTreeMap<String, String>>, StoreError> {
    let mut bytes = Vec::new();
    for piece in pieces {
        bytes.extend_from_slice(
            piece.get("text").and_then(|text| text.as_b().ok()).map(Blob::as_ref).unwrap_or_default(),
        );
    }
    if bytes.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| StoreError::damaged("rulebook text", error))
}

fn read_version(item: Item) -> Result<RulebookVersion, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("rulebook version", error))
}

pub(super) fn keyed(key: &Key<'_>, name: &str, value: AttributeValue) -> Item {
    let mut item = super::key_item(key);
    item.insert(name.to_owned(), value);
    item
}

pub(super) fn read_pointer(item: &Item) -> Option<RulebookPointer> {
    Some(RulebookPointer {
        version: read_number(item, "version")?,
        at: Timestamp::from_millisecond(read_number(item, "at")?).ok()?,
        by: read_string(item, "by")?.to_owned(),
    })
}
