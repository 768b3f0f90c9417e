//! Identities: whose e-mail or phone this is. Uniqueness is a condition of the store.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use futures::future::try_join_all;
use jiff::Timestamp;
use leadyard_domain::identity::{Claim, IdentityHash, PersonKeys};
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::LeadScope;
use leadyard_domain::limits;

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
    /// Whose it was, of a claim: a lead that is an erased person's shell holds nothing.
    pub was: Option<LeadId>,
}

/// What stands at one identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    /// In which scope.
    pub scope: LeadScope,
    /// Whose it is; where that lead was merged into another, the other's.
    pub lead: LeadId,
    /// The surnames it was seen with.
    pub surnames: Vec<IdentityHash>,
}

impl Identified {
    /// Seen with so many surnames that it identifies nobody.
    pub const fn is_worn_out(&self) -> bool {
        self.surnames.len() > limits::SURNAMES_PER_IDENTITY
    }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// What is known of this e-mail or phone in the company, at least in these scopes and on these lists: one query,
    /// or of many who ask side by side as many keys of their common reads.
    pub async fn identity_known(
        &self,
        hash: &IdentityHash,
        scopes: &[LeadScope],
        lists: &[List],
    ) -> Result<Known, StoreError> {
        if self.abreast.is_some() {
            let hash = hash.to_string();
            let names: Vec<String> = scopes.iter().map(LeadScope::to_string).collect();
            let wanted = names.iter().map(|scope| Key::Identity { hash: &hash, scope });
            let wanted: Vec<Key<'_>> = wanted.chain(lists.iter().map(|list| list.key(&hash))).collect();
            let items = try_join_all(wanted.iter().map(|key| self.get(key))).await?;
            return known(&items.into_iter().flatten().collect::<Vec<_>>());
        }
        let items = self.query_prefix(Key::Identity { hash: &hash.to_string(), scope: "" }.pk(), "").await?;
        known(&items)
    }

    /// All scopes of the company in which this e-mail or phone is known.
    pub async fn identity_scopes(&self, hash: &IdentityHash) -> Result<Vec<Identified>, StoreError> {
        Ok(self.identity_known(hash, &[], &[]).await?.scopes)
    }

    /// Which of these stand on the list beside them.
    pub async fn identities_listed(
        &self,
        asked: &[(List, IdentityHash)],
    ) -> Result<HashSet<(List, IdentityHash)>, StoreError> {
        let names: Vec<String> = asked.iter().map(|(_, hash)| hash.to_string()).collect();
        let keys: Vec<Key<'_>> = asked.iter().zip(&names).map(|((list, _), hash)| list.key(hash)).collect();
        let found = self.get_many(&keys).await?;
        let place =
            |item: &Item| Some((read_string(item, "pk")?.to_owned(), read_string(item, "sk")?.to_owned()));
        let listed: HashSet<(String, String)> = found.iter().filter_map(place).collect();
        let places = keys.iter().map(|key| (key.pk(), key.sk())).zip(asked);
        Ok(places.filter(|(place, _)| listed.contains(place)).map(|(_, asked)| *asked).collect())
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
            return match write.was {
                None => self.put(item, "attribute_not_exists(pk)", values([])),
                Some(was) => self.put(
                    item,
                    "attribute_not_exists(pk) OR lead_id = :was",
                    values([(":was", string(was.to_string()))]),
                ),
            };
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

fn known(items: &[Item]) -> Result<Known, StoreError> {
    let on = |list: &str| items.iter().any(|item| read_string(item, "sk") == Some(list));
    let (suppressed, do_not_call) = (on(SUPPRESSED), on(DO_NOT_CALL));
    let is_scope =
        |item: &&Item| read_string(item, "sk").is_some_and(|sk| sk != SUPPRESSED && sk != DO_NOT_CALL);
    let scopes = items.iter().filter(is_scope).filter_map(|item| read(item).transpose());
    Ok(Known { scopes: scopes.collect::<Result<_, _>>()?, suppressed, do_not_call })
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
    /// As [`leadyard_domain::identity::join`] reads it: the lead it leads to, and who that is known as.
    pub fn claim(&self, lead: LeadId, known_as: Vec<PersonKeys>) -> Claim {
        Claim { lead, surnames: self.surnames.iter().copied().collect(), known_as }
    }
}
