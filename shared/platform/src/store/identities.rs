//! Identities: whose e-mail or phone this is. Uniqueness is a condition of the store.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use leadyard_domain::identity::{Claim, IdentityHash};
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::LeadScope;

use super::keys::{DO_NOT_CALL, Key, SUPPRESSED};
use super::{Item, Store, StoreError, number, read_string, string, values};

/// A change to one identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityWrite {
    /// Which e-mail or phone.
    pub hash: IdentityHash,
    /// In which scope.
    pub scope: LeadScope,
    /// The surname it was seen with.
    pub surname: Option<IdentityHash>,
    /// Claimed for the lead, where it was nobody's; else only the surname is noted.
    pub claim: bool,
}

/// What stands at one identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    /// In which scope.
    pub scope: LeadScope,
    /// Whose it is.
    pub lead: LeadId,
    /// The surnames it was seen with.
    pub surnames: Vec<IdentityHash>,
}

/// What is known of an e-mail or phone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Whose it is, in each scope.
    pub scopes: Vec<Identified>,
    /// Whoever has it is not to be taken in.
    pub suppressed: bool,
    /// It is a phone that is not to be called.
    pub do_not_call: bool,
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Whom the company must not take in.
    Suppressed,
    /// Phones that it must not call.
    DoNotCall,
}

impl List {
    const fn key(self, hash: &str) -> Key<'_> {
        match self {
            Self::Suppressed => Key::Suppressed { hash },
            Self::DoNotCall => Key::DoNotCall { hash },
        }
    }
}

/// A change to a suppression list.
#[derive(Clone, Copy, Debug)]
pub enum Suppression<'a> {
    /// Put on it, with a word for why.
    On(Option<&'a str>),
    /// Taken off it.
    Off,
}

impl Store {
    /// All that is known of this e-mail or phone in the company, in one query.
    pub async fn identity_known(&self, hash: &IdentityHash) -> Result<Known, StoreError> {
        let items = self.query_prefix(Key::Identity { hash: &hash.to_string(), scope: "" }.pk(), "").await?;
        let on = |list: &str| items.iter().any(|item| read_string(item, "sk") == Some(list));
        let (suppressed, do_not_call) = (on(SUPPRESSED), on(DO_NOT_CALL));
        let scopes = items
            .iter()
            .filter(|item| read_string(item, "sk").is_some_and(|sk| sk != SUPPRESSED && sk != DO_NOT_CALL));
        let scopes = scopes.filter_map(|item| read(item).transpose()).collect::<Result<_, _>>()?;
        Ok(Known { scopes, suppressed, do_not_call })
    }

    /// All scopes of the company in which this e-mail or phone is known.
    pub async fn identity_scopes(&self, hash: &IdentityHash) -> Result<Vec<Identified>, StoreError> {
        Ok(self.identity_known(hash).await?.scopes)
    }

    /// Whether this e-mail or phone is on the list.
    pub async fn identity_listed(&self, list: List, hash: &IdentityHash) -> Result<bool, StoreError> {
        Ok(self.get(&list.key(&hash.to_string())).await?.is_some())
    }

    /// Puts an e-mail or phone on the list, or takes it off; `false` when it is so already.
    pub async fn identity_list(
        &self,
        list: List,
        hash: &IdentityHash,
        change: Suppression<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let hash = hash.to_string();
        let key = list.key(&hash);
        match change {
            Suppression::On(reason) => {
                let mut item = super::key_item(&key);
                item.insert("since".to_owned(), number(now.as_millisecond()));
                if let Some(reason) = reason {
                    item.insert("reason".to_owned(), string(reason));
                }
                self.put_if(item, "attribute_not_exists(pk)", values([])).await
            }
            Suppression::Off => {
                let gone = self
                    .client
                    .delete_item()
                    .table_name(&self.table)
                    .set_key(Some(super::key_item(&key)))
                    .condition_expression("attribute_exists(pk)")
                    .send()
                    .await;
                super::stands(gone)
            }
        }
    }

    pub(super) fn identity_write(
        &self,
        write: &IdentityWrite,
        lead: LeadId,
    ) -> Result<TransactWriteItem, StoreError> {
        let scope = write.scope.to_string();
        let hash = write.hash.to_string();
        let key = Key::Identity { hash: &hash, scope: &scope };
        let surname = write.surname.as_ref().map(|surname| AttributeValue::Ss(vec![surname.to_string()]));
        if write.claim {
            let mut item = super::key_item(&key);
            item.insert("lead_id".to_owned(), string(lead.to_string()));
            if let Some(surname) = surname {
                item.insert("surnames".to_owned(), surname);
            }
            return self.put(item, "attribute_not_exists(pk)", values([]));
        }
        match surname {
            Some(surname) => self.update(
                &key,
                "ADD surnames :names",
                "attribute_exists(pk)",
                values([(":names", surname)]),
            ),
            // Nothing to note; the condition alone keeps the claim we relied on.
            None => self.update(
                &key,
                "SET lead_id = :lead",
                "lead_id = :lead",
                values([(":lead", string(lead.to_string()))]),
            ),
        }
    }
}

fn read(item: &Item) -> Result<Option<Identified>, StoreError> {
    let Some(scope) = read_string(item, "sk") else { return Ok(None) };
    let scope = scope.parse().map_err(|error| StoreError::damaged("identity", error))?;
    let lead = read_string(item, "lead_id").unwrap_or_default();
    let lead = lead.parse().map_err(|error| StoreError::damaged("identity", error))?;
    let surnames = item.get("surnames").and_then(|names| names.as_ss().ok()).into_iter().flatten();
    let surnames = surnames.filter_map(|name| name.parse().ok()).collect();
    Ok(Some(Identified { scope, lead, surnames }))
}

impl Identified {
    /// As [`leadyard_domain::identity::join`] reads it, with what the lead itself says.
    pub fn claim(&self, lead_email: Option<IdentityHash>, lead_surname: Option<IdentityHash>) -> Claim {
        Claim { lead: self.lead, surnames: self.surnames.iter().copied().collect(), lead_email, lead_surname }
    }
}
