//! Test deliveries: what the desk asked for, and how the one attempt ended. Gone after a day.

use jiff::Timestamp;
use leadyard_domain::assignment::Attempt;
use leadyard_domain::ids::{ActId, CompanyId, DealerId};
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::leads::UNCHANGED;
use super::{Item, Store, StoreError, number, read_number, values};

/// A test delivery by one of a dealer's channels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Which.
    pub id: ActId,
    /// Whose dealer.
    pub company: CompanyId,
    /// To whom.
    pub dealer: DealerId,
    /// By which of its channels.
    pub order: u8,
    /// When it was asked for.
    pub at: Timestamp,
    /// It has begun: nobody else begins it.
    #[serde(default)]
    pub begun: bool,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// Counts writes.
    pub v: u64,
}

/// How long one is kept.
const KEPT_S: i64 = 86_400;

impl Trial {
    fn item(&self) -> Result<Item, StoreError> {
        let mut item: Item =
            serde_dynamo::to_item(self).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        item.extend(super::key_item(&Key::Trial(&self.company, self.id)));
        item.insert(super::schema::TTL.to_owned(), number(self.at.as_second() + KEPT_S));
        Ok(item)
    }
}

impl Store {
    /// A test delivery, while it is kept.
    pub async fn trial_get(
        &self,
        company: &CompanyId,
        id: ActId,
        now: Timestamp,
    ) -> Result<Option<Trial>, StoreError> {
        let Some(item) = self.get(&Key::Trial(company, id)).await? else { return Ok(None) };
        if read_number::<i64>(&item, super::schema::TTL).is_some_and(|ttl| ttl < now.as_second()) {
            return Ok(None);
        }
        serde_dynamo::from_item(item).map(Some).map_err(|error| StoreError::damaged("trial", error))
    }

    /// Keeps a new one.
    pub async fn trial_create(&self, trial: &Trial) -> Result<bool, StoreError> {
        self.put_if(trial.item()?, "attribute_not_exists(pk)", values([])).await
    }

    /// Keeps how far it has come; `false` when somebody else did.
    pub async fn trial_save(&self, trial: &Trial) -> Result<bool, StoreError> {
        let next = Trial { v: trial.v + 1, ..trial.clone() };
        self.put_if(next.item()?, UNCHANGED, values([(":seen", number(trial.v))])).await
    }
}
