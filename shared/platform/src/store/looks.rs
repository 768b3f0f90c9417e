//! Looks at many leads before something is done with all of them: which they are, what would follow for each, and then
//! what came of it. They stand in parts, and each part is written once when it was looked at and once when it was done:
//! whoever does the same step again changes nothing, and how far it has come is what stands there.
//!
//! Who is left out stands with the look itself, beside that it is to be done: one write says both, and nobody is left out
//! or taken in again once somebody is sure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use leadyard_domain::distribution::{Counters, Usage};
use leadyard_domain::ids::{ActId, CompanyId, ContractId, DealerId, LeadId};
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::{Item, Store, StoreError, key_item, number, read_number, read_string, string, values};

/// How long one is kept: what was looked at longer ago is looked at again.
const KEPT_S: i64 = 2 * 3_600;

/// Nobody is sure, and nobody said anything else since. What an earlier version began has no version.
const UNSAID: &str = "attribute_exists(pk) AND attribute_not_exists(sure) AND (attribute_not_exists(version) OR version = :seen)";

/// Many leads that are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Which: each act that follows from it has an id made of this one.
    pub id: ActId,
    /// Whose leads.
    pub company: CompanyId,
    /// Who looks.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// What is to be done with them.
    pub act: String,
    /// The page that they were chosen on, and its name.
    pub back: (String, String),
    /// Which, in their order.
    pub leads: Vec<LeadId>,
    /// The list from behind them, as pages carry it, where more stand there.
    pub next: Option<String>,
    /// Those that somebody left out: of them nothing follows, whatever would.
    #[serde(default)]
    pub left_out: BTreeSet<LeadId>,
    /// Why, as far as somebody typed it before they were sure. May be about a person: never logged.
    #[serde(default)]
    pub reason: String,
    /// Of a hold, until when, as it was typed.
    #[serde(default)]
    pub until: String,
    /// How often something was said of it.
    #[serde(default)]
    pub version: u64,
}

/// That it is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sure {
    /// Why, as they wrote it. May be about a person: never logged.
    pub reason: Option<String>,
    /// Of a hold, until when.
    pub until: Option<Timestamp>,
}

/// A part of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LookPart {
    /// Which, 0 first.
    pub number: u32,
    /// What would follow for each.
    pub leads: Vec<LookedAt>,
    /// The counters that would be left.
    contracts: Vec<(ContractId, Usage)>,
    dealers: Vec<(DealerId, Usage)>,
    /// It was done with those for whom something follows.
    #[serde(default)]
    pub done: bool,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookedAt {
    /// Which.
    pub lead: LeadId,
    /// Whether anything would follow.
    pub goes: bool,
    /// What; or why nothing would, and in the end why nothing did.
    pub what: String,
    /// To whom it would go.
    pub contract: Option<ContractId>,
    /// What that costs, in minor units.
    pub minor: i64,
    /// What was seen of it, as the act reads it.
    pub seen: String,
    /// It was meant, and stayed as it was.
    #[serde(default)]
    pub stayed: bool,
}

impl LookPart {
    /// One that was just looked at, and the counters that would be left.
    pub fn new(number: u32, leads: Vec<LookedAt>, left: Counters) -> Self {
        let (contracts, dealers) = (left.contracts.into_iter().collect(), left.dealers.into_iter().collect());
        Self { number, leads, contracts, dealers, done: false }
    }

    /// The counters that would be left.
    pub fn left(&self) -> Counters {
        let mut left = Counters::default();
        left.contracts.extend(self.contracts.iter().cloned());
        left.dealers.extend(self.dealers.iter().cloned());
        left
    }

    fn item(&self, look: &Look) -> Result<Item, StoreError> {
        let mut item = written(&Key::LookPart(&look.company, look.id, self.number), look, self)?;
        if self.done {
            item.insert("done".to_owned(), number(1));
        }
        Ok(item)
    }
}

/// A look itself.
fn head(look: &Look) -> Result<Item, StoreError> {
    let mut item = written(&Key::Look(&look.company, look.id), look, look)?;
    item.insert("version".to_owned(), number(look.version));
    Ok(item)
}

/// An item of a look: what it says is text, which nothing asks the table about.
fn written(key: &Key<'_>, look: &Look, says: &impl Serialize) -> Result<Item, StoreError> {
    let mut item = key_item(key);
    let text = serde_json::to_string(says).map_err(|error| StoreError::Malformed(Box::new(error)))?;
    item.insert("text".to_owned(), string(text));
    item.insert(super::schema::TTL.to_owned(), number(look.at.as_second() + KEPT_S));
    Ok(item)
}

fn read<'a, T: Deserialize<'a>>(item: &'a Item, name: &str) -> Result<Option<T>, StoreError> {
    let text = read_string(item, name);
    let read = text.map(serde_json::from_str).transpose();
    read.map_err(|error| StoreError::damaged("look", error))
}

impl Store {
    /// Keeps one that begins.
    pub async fn look_begin(&self, look: &Look) -> Result<(), StoreError> {
        self.put_if(head(look)?, "attribute_not_exists(pk)", values([])).await.map(drop)
    }

    /// One while it is kept: whether it is to be done, and the parts that were looked at, in their order. A read for each
    /// megabyte.
    pub async fn look_get(
        &self,
        company: &CompanyId,
        id: ActId,
        now: Timestamp,
    ) -> Result<Option<(Look, Option<Sure>, Vec<LookPart>)>, StoreError> {
        let head = Key::Look(company, id);
        let items = self.query_all("pk = :pk", values([(":pk", string(head.pk()))])).await?;
        // The table deletes what is over in its own time.
        let stands = |item: &&Item| {
            read_number::<i64>(item, super::schema::TTL).is_some_and(|ttl| ttl > now.as_second())
        };
        let (mut found, mut sure, mut parts) = (None, None, Vec::new());
        for item in items.iter().filter(stands) {
            if read_string(item, "sk") == Some(head.sk().as_str()) {
                (found, sure) = (read(item, "text")?, read(item, "sure")?);
            } else {
                parts.extend(read::<LookPart>(item, "text")?);
            }
        }
        Ok(found.map(|look| (look, sure, parts)))
    }

    /// Keeps a part that was looked at, unless it was before.
    pub async fn look_keep(&self, look: &Look, part: &LookPart) -> Result<(), StoreError> {
        self.put_if(part.item(look)?, "attribute_not_exists(pk)", values([])).await.map(drop)
    }

    /// Keeps what was said of one that was read: who is left out, what was typed, and that it is to be done. `false`, where
    /// it is to be done already or something else was said since; also, rarely, where it was we who said it.
    pub async fn look_say(&self, look: &Look, sure: Option<&Sure>) -> Result<bool, StoreError> {
        let mut item = head(&Look { version: look.version + 1, ..look.clone() })?;
        if let Some(sure) = sure {
            let text = serde_json::to_string(sure).map_err(|error| StoreError::Malformed(Box::new(error)))?;
            item.insert("sure".to_owned(), string(text));
        }
        self.put_if(item, UNSAID, values([(":seen", number(look.version))])).await
    }

    /// Keeps what came of a part, unless it was done before.
    pub async fn look_did(&self, look: &Look, part: &LookPart) -> Result<(), StoreError> {
        let unless = "attribute_exists(pk) AND attribute_not_exists(done)";
        self.put_if(part.item(look)?, unless, values([])).await.map(drop)
    }
}
