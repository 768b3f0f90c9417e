//! The synthetic lead: which was sent last.

use jiff::Timestamp;
use leadyard_domain::ids::LeadId;
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::{Store, StoreError, key_item, string, values};

/// The synthetic lead that was sent last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synthetic {
    /// When. (`at` is a word of the table's own.)
    #[serde(rename = "sent")]
    pub at: Timestamp,
    /// The lead, if it was taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<LeadId>,
}

impl Store {
    /// Which was sent last, if one ever was.
    pub async fn synthetic_get(&self) -> Result<Option<Synthetic>, StoreError> {
        let Some(item) = self.get(&Key::Synthetic).await? else { return Ok(None) };
        serde_dynamo::from_item(item).map(Some).map_err(|error| StoreError::damaged("synthetic lead", error))
    }

    /// Keeps which is sent now; `false` when somebody else did since the last.
    pub async fn synthetic_put(&self, now: &Synthetic, last: Option<&Synthetic>) -> Result<bool, StoreError> {
        let mut item: super::Item =
            serde_dynamo::to_item(now).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        item.extend(key_item(&Key::Synthetic));
        match last {
            None => self.put_if(item, "attribute_not_exists(pk)", values([])).await,
            Some(last) => {
                self.put_if(item, "sent = :last", values([(":last", string(last.at.to_string()))])).await
            }
        }
    }
}
