//! Compiled rulebooks, kept per version: what is immutable is read once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use leadyard_domain::distribution::{Chunk, ChunkKey, Core};
use leadyard_domain::ids::{CategoryId, CompanyId};
use leadyard_domain::place::State;

use crate::store::{Store, StoreError};

/// What a function has read so far.
#[derive(Debug, Default)]
pub struct Rulebooks {
    cores: Mutex<HashMap<CompanyId, Arc<Core>>>,
    chunks: Mutex<HashMap<(CompanyId, u64, ChunkKey), Arc<Chunk>>>,
}

/// Chunks kept at most: at 256 KB each a worker stays well below its memory.
const CHUNKS_KEPT: usize = 64;

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
        let Some(core) = store.rulebook_core(company, version).await?.map(Arc::new) else { return Ok(None) };
        let mut cores = self.cores.lock().unwrap_or_else(PoisonError::into_inner);
        cores.insert(company.clone(), Arc::clone(&core));
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

    /// One chunk of a core; a version that stands has all its chunks, since the pointer moves last.
    pub async fn chunk(
        &self,
        store: &Store,
        core: &Core,
        key: ChunkKey,
    ) -> Result<Option<Arc<Chunk>>, StoreError> {
        let company = core.company_id();
        let id = (company.clone(), core.version, key);
        let known = self.chunks.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let read = store.rulebook_chunk(company, core.version, &id.2).await?;
        let Some(chunk) = read.map(Arc::new) else { return Ok(None) };
        let mut kept = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, version, _), _| of != company || *version == core.version);
        if kept.len() >= CHUNKS_KEPT {
            kept.clear();
        }
        kept.insert(id, Arc::clone(&chunk));
        Ok(Some(chunk))
    }
}
