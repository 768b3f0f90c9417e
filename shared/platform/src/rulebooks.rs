//! Compiled rulebooks, kept per version: what is immutable is read once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use leadyard_domain::distribution::{Chunk, ChunkKey, Core};
use leadyard_domain::ids::{CategoryId, CompanyId};
use leadyard_domain::limits;
use leadyard_domain::place::State;
use leadyard_domain::rulebook::{Problems, Rulebook, RulebookFiles, Served};

use crate::store::{Store, StoreError};

/// What a function has read so far.
#[derive(Debug, Default)]
pub struct Rulebooks {
    cores: Mutex<HashMap<CompanyId, Arc<Core>>>,
    chunks: Mutex<Kept>,
    /// All chunks of versions that another version of this program compiled: compiling one gives them all. They
    /// stay until the company publishes.
    anew: Mutex<HashMap<CompanyId, (u64, Anew)>>,
    /// The core of an earlier version that was asked for last: who looks at many decisions asks for it at each.
    earlier: Mutex<Option<Arc<Core>>>,
    /// The rules as they are written, of the company that was asked for last: people page through one.
    book: Mutex<Option<(CompanyId, Arc<Rulebook>, u64)>>,
    /// Where its contracts take leads.
    served: Mutex<Option<KeptServed>>,
}

type KeptServed = (CompanyId, Arc<[Served]>, u64);

type Anew = HashMap<ChunkKey, Arc<Chunk>>;

type ChunkId = (CompanyId, u64, ChunkKey);

/// Chunks by when they were last asked for.
#[derive(Debug, Default)]
struct Kept {
    chunks: HashMap<ChunkId, KeptChunk>,
    asked: u64,
}

#[derive(Debug)]
struct KeptChunk {
    chunk: Arc<Chunk>,
    asked: u64,
    weight: usize,
}

impl Kept {
    fn get(&mut self, id: &ChunkId) -> Option<Arc<Chunk>> {
        self.asked += 1;
        let kept = self.chunks.get_mut(id)?;
        kept.asked = self.asked;
        Some(Arc::clone(&kept.chunk))
    }

    /// Keeps one more; earlier versions of its company's rules go, and what was not asked for longest, until
    /// `most` bytes hold what is left.
    fn insert(&mut self, id: ChunkId, chunk: Arc<Chunk>, most: usize) {
        self.chunks.retain(|(of, version, _), _| *of != id.0 || *version >= id.1);
        let weight = chunk.weight();
        self.asked += 1;
        self.chunks.insert(id, KeptChunk { chunk, asked: self.asked, weight });
        let mut total: usize = self.chunks.values().map(|kept| kept.weight).sum();
        while total > most
            && self.chunks.len() > 1
            && let Some(oldest) = self.chunks.iter().min_by_key(|(_, kept)| kept.asked)
        {
            let oldest = oldest.0.clone();
            total -= self.chunks.remove(&oldest).map_or(0, |gone| gone.weight);
        }
    }
}

impl Rulebooks {
    /// The core of this version.
    ///
    /// # Errors
    /// When the store cannot be asked. `None` when no such version exists.
    pub async fn core(
        &self,
        store: &Store,
        company: &CompanyId,
        version: u64,
    ) -> Result<Option<Arc<Core>>, StoreError> {
        if let Some(core) = self.known(company)
            && core.version == version
        {
            return Ok(Some(core));
        }
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(core) = earlier
            && (core.company_id(), core.version) == (company, version)
        {
            return Ok(Some(core));
        }
        let Some(core) = store.rulebook_core(company, version).await?.map(Arc::new) else { return Ok(None) };
        let mut cores = self.cores.lock().unwrap_or_else(PoisonError::into_inner);
        // An earlier one is read for what was decided under it: the newest is what is known.
        if cores.get(company).is_none_or(|known| known.version <= core.version) {
            cores.insert(company.clone(), Arc::clone(&core));
        } else {
            *self.earlier.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&core));
        }
        Ok(Some(core))
    }

    /// The core last read of this company, whatever is in force now: what intake goes by while the
    /// table is away.
    pub fn known(&self, company: &CompanyId) -> Option<Arc<Core>> {
        self.cores.lock().unwrap_or_else(PoisonError::into_inner).get(company).cloned()
    }

    /// The core in force.
    pub async fn current(&self, store: &Store, company: &CompanyId) -> Result<Option<Arc<Core>>, StoreError> {
        match store.rulebook_pointer(company).await? {
            Some(pointer) => self.core(store, company, pointer.version).await,
            None => Ok(None),
        }
    }

    /// The chunks that may cover a lead.
    pub async fn chunks(
        &self,
        store: &Store,
        core: &Core,
        category: &CategoryId,
        state: Option<State>,
    ) -> Result<Vec<Arc<Chunk>>, StoreError> {
        let mut chunks = Vec::new();
        for key in core.chunks_for(category, state) {
            chunks.extend(self.chunk(store, core, key).await?);
        }
        Ok(chunks)
    }

    /// What a chunk of a category says of something: asked first of those that may cover the state, then of
    /// all, since the desk may have placed a lead where its contract does not reach.
    pub async fn find<T>(
        &self,
        store: &Store,
        core: &Core,
        category: &CategoryId,
        state: Option<State>,
        asked: impl Fn(&Chunk) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let near = core.chunks_for(category, state);
        let all = core.chunks_of(category);
        let rest = all.into_iter().filter(|key| !near.contains(key));
        for key in near.iter().cloned().chain(rest) {
            if let Some(chunk) = self.chunk(store, core, key).await?
                && let Some(found) = asked(&chunk)
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// One chunk of a core; a version that stands has all its chunks, since the pointer moves last.
    pub async fn chunk(
        &self,
        store: &Store,
        core: &Core,
        key: ChunkKey,
    ) -> Result<Option<Arc<Chunk>>, StoreError> {
        let company = core.company_id();
        let id = (company.clone(), core.version, key);
        let known = self.chunks.lock().unwrap_or_else(PoisonError::into_inner).get(&id);
        if known.is_some() {
            return Ok(known);
        }
        if let Some(chunk) = self.compiled_anew(core, &id.2) {
            return Ok(chunk);
        }
        let read = match store.rulebook_chunk(company, core.version, &id.2).await {
            Err(StoreError::Damaged { .. }) => return Box::pin(self.compile_anew(store, core, &id.2)).await,
            read => read?,
        };
        let Some(chunk) = read.map(Arc::new) else { return Ok(None) };
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner).insert(
            id,
            Arc::clone(&chunk),
            limits::CHUNKS_KEPT_BYTES,
        );
        Ok(Some(chunk))
    }

    /// Reads those of these chunks of a core that are not at hand, a hundred by each read: for who looks at many decisions.
    /// What cannot be read stays to be [asked for](Self::chunk).
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn fetch(&self, store: &Store, core: &Core, keys: Vec<ChunkKey>) -> Result<(), StoreError> {
        let id = |key: &ChunkKey| (core.company_id().clone(), core.version, key.clone());
        let lacks = |key: &ChunkKey| {
            let known = self.chunks.lock().unwrap_or_else(PoisonError::into_inner).get(&id(key));
            known.is_none() && self.compiled_anew(core, key).is_none()
        };
        let wanted: Vec<ChunkKey> = keys.into_iter().filter(lacks).collect();
        for (key, chunk) in store.rulebook_chunks(core.company_id(), core.version, &wanted).await? {
            self.chunks.lock().unwrap_or_else(PoisonError::into_inner).insert(
                id(key),
                Arc::new(chunk),
                limits::CHUNKS_KEPT_BYTES,
            );
        }
        Ok(())
    }

    /// The rules of a core as they are written: what people read, and no decision. `None` when their text is not kept, or
    /// is none for this version of the program.
    pub async fn book(&self, store: &Store, core: &Core) -> Result<Option<Arc<Rulebook>>, StoreError> {
        let company = core.company_id();
        let kept = self.book.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((of, book, version)) = kept
            && (&of, version) == (company, core.version)
        {
            return Ok(Some(book));
        }
        let Some(text) = store.rulebook_text(company, core.version).await? else { return Ok(None) };
        let Ok(book) = written(text).map(Arc::new) else { return Ok(None) };
        let kept = Some((company.clone(), Arc::clone(&book), core.version));
        *self.book.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(Some(book))
    }

    /// Where each contract of the rules as they are written takes leads, in their order: worked out once a version.
    pub fn served(&self, core: &Core, book: &Rulebook) -> Arc<[Served]> {
        let company = core.company_id();
        let kept = self.served.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((of, served, version)) = kept
            && (&of, version) == (company, core.version)
        {
            return served;
        }
        let served: Arc<[Served]> = book.served().into();
        let kept = Some((company.clone(), Arc::clone(&served), core.version));
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        served
    }

    /// What one of these chunks is, if this version was compiled here.
    fn compiled_anew(&self, core: &Core, key: &ChunkKey) -> Option<Option<Arc<Chunk>>> {
        let anew = self.anew.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, all) = anew.get(core.company_id()).filter(|(version, _)| *version == core.version)?;
        Some(all.get(key).cloned())
    }

    async fn compile_anew(
        &self,
        store: &Store,
        core: &Core,
        key: &ChunkKey,
    ) -> Result<Option<Arc<Chunk>>, StoreError> {
        let Some(all) = recompiled(store, core).await? else { return Ok(None) };
        let found = all.get(key).cloned();
        let mut anew = self.anew.lock().unwrap_or_else(PoisonError::into_inner);
        // An earlier version is asked for what was decided under it: the newest is what is kept.
        if anew.get(core.company_id()).is_none_or(|(version, _)| *version <= core.version) {
            anew.insert(core.company_id().clone(), (core.version, all));
        }
        Ok(found)
    }
}

/// The rules that were published as this text. What an earlier version of this program took may be none for this one.
///
/// # Errors
/// What is wrong with it.
pub fn written(text: BTreeMap<String, String>) -> Result<Rulebook, Problems> {
    let files = text.into_iter().map(|(name, text)| (name, text.into_bytes()));
    Rulebook::parse(&RulebookFiles::new(files)?)
}

/// The chunks that another version of this program compiled, compiled anew from the text they were published as.
async fn recompiled(store: &Store, core: &Core) -> Result<Option<Anew>, StoreError> {
    let damaged = |error: leadyard_domain::error::Invalid| StoreError::damaged("rulebook", error);
    let Some(text) = store.rulebook_text(core.company_id(), core.version).await? else { return Ok(None) };
    let unread = |_| damaged(leadyard_domain::error::Invalid::new("its text does not parse any more"));
    let compiled = written(text).map_err(unread)?.compile(core.version).map_err(damaged)?;
    tracing::warn!(company.id = %core.company_id(), rulebook.version = core.version, "a rulebook was compiled anew");
    Ok(Some(compiled.chunks.into_iter().map(|(key, chunk)| (key, Arc::new(chunk))).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(company: &str, version: u64, part: usize) -> ChunkId {
        let category = "roofing".parse().unwrap();
        (company.parse().unwrap(), version, ChunkKey { category, state: None, part: part as u16 })
    }

    /// A chunk of one dealer's contracts everywhere.
    fn chunk(contracts: usize) -> Arc<Chunk> {
        let rows: Vec<String> =
            (0..contracts).map(|number| format!("contract-{number},hudson,*,*,all,45.00")).collect();
        let files = [
            ("company.toml", "id = \"acme\"\nname = \"Acme\"\nzone = \"America/New_York\"\n".to_owned()),
            ("offers.toml", "[[offer]]\nid = \"roof\"\ncategory = \"roofing\"\nname = \"Roof\"\n".to_owned()),
            ("sources.toml", "[[source]]\nid = \"form\"\nkind = \"form\"\n".to_owned()),
            ("scoring.toml", String::new()),
            ("dealers.csv", "dealer,name,zip\nhudson,Hudson Roofing,33101\n".to_owned()),
            ("areas.csv", "area,part\nall,any\n".to_owned()),
            ("contracts.csv", format!("contract,dealer,offers,sources,area,price\n{}\n", rows.join("\n"))),
        ];
        let files = RulebookFiles::new(files.map(|(name, text)| (name, text.into_bytes()))).unwrap();
        let compiled = Rulebook::parse(&files).unwrap().compile(1).unwrap();
        Arc::new(compiled.chunks.into_values().next().unwrap())
    }

    #[test]
    fn what_was_not_asked_for_longest_goes_and_so_do_earlier_versions() {
        let chunk = chunk(10);
        let most = chunk.weight() * 5 + chunk.weight() / 2;
        let mut kept = Kept::default();
        for part in 0..5 {
            assert!(kept.get(&id("acme", 1, part)).is_none());
            kept.insert(id("acme", 1, part), Arc::clone(&chunk), most);
        }
        assert!(kept.get(&id("acme", 1, 0)).is_some());
        kept.insert(id("bolt", 1, 0), Arc::clone(&chunk), most);
        assert_eq!(kept.chunks.len(), 5);
        let has = |kept: &Kept, id: ChunkId| kept.chunks.contains_key(&id);
        assert!(has(&kept, id("acme", 1, 0)) && has(&kept, id("bolt", 1, 0)));
        assert!(!has(&kept, id("acme", 1, 1)));
        kept.insert(id("acme", 2, 7), Arc::clone(&chunk), most);
        assert_eq!(
            (kept.chunks.len(), has(&kept, id("acme", 1, 0)), has(&kept, id("bolt", 1, 0))),
            (2, false, true)
        );
    }

    #[test]
    fn what_is_kept_is_bounded_by_its_bytes_and_the_last_stays_whatever_it_weighs() {
        let (small, large) = (chunk(10), chunk(1_000));
        assert!(large.weight() > 50 * small.weight());
        let mut kept = Kept::default();
        for part in 0..5 {
            kept.insert(id("acme", 1, part), Arc::clone(&small), small.weight() * 10);
        }
        assert_eq!(kept.chunks.len(), 5);
        kept.insert(id("acme", 1, 9), large, small.weight() * 10);
        assert_eq!(kept.chunks.len(), 1);
        assert!(kept.get(&id("acme", 1, 9)).is_some());
    }
}
