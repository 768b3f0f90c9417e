//! What dealers gave us in confidence, for the templates of their channels, and sources, for their platforms: sealed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use leadyard_domain::delivery::{Giver, Sealed};
use leadyard_domain::ids::CompanyId;
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::leads::UNCHANGED;
use super::{Act, Commit, Item, Store, StoreError, number, values};

/// The secrets that a dealer or a source gave us.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenSecrets {
    /// By name.
    #[serde(default)]
    pub secrets: BTreeMap<String, GivenSecret>,
    /// Counts writes.
    pub v: u64,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenSecret {
    /// What it is.
    pub sealed: Sealed,
    /// When it was set.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

impl Store {
    /// The secrets that a dealer or a source gave us; none, where nobody set any.
    pub async fn given_secrets(
        &self,
        company: &CompanyId,
        giver: Giver<'_>,
    ) -> Result<GivenSecrets, StoreError> {
        let Some(item) = self.get(&Key::GivenSecrets(company, giver)).await? else {
            return Ok(GivenSecrets::default());
        };
        serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("given secrets", error))
    }

    /// Keeps them, with who changed what; `false` when somebody else changed them.
    pub async fn given_secrets_change(
        &self,
        company: &CompanyId,
        giver: Giver<'_>,
        given: &GivenSecrets,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let (condition, seen) = match given.v {
            0 => ("attribute_not_exists(pk)", values([])),
            seen => (UNCHANGED, values([(":seen", number(seen))])),
        };
        let next = GivenSecrets { v: given.v + 1, ..given.clone() };
        let mut item: Item =
            serde_dynamo::to_item(next).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        item.extend(super::key_item(&Key::GivenSecrets(company, giver)));
        let writes = vec![self.put(item, condition, seen)?, self.change_write(company, act)?];
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }
}
