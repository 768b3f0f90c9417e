//! Who may sign in by an address, and as what: a part of the rulebook in force.
//!
//! It stands with the version that says so, in parts by the hash of the address, and is never changed: the pointer that
//! puts a version in force gives and takes access with it, at once and as a whole. So whoever left `people.csv` has no
//! access from the next request on, whatever sessions they have open: a session says who somebody is, the version in
//! force what they may.
//!
//! Determination: not an item for each address. A hundred thousand dealers would be as many writes with every publish, or
//! a difference that a publisher who died half way leaves wrong. To find the companies of an address one asks all that
//! have people: a batch of pointers and a batch of parts, for a hundred companies two reads more.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use leadyard_domain::access::Mailboxes;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::rulebook::{Signer, SignsInAs};

use super::keys::Key;
use super::{Item, Store, StoreError, key_item, read_number, read_string, string};

/// Addresses of one part, about: some 30 kB, since whoever is signed in has one read with each page.
const PART: usize = 200;

/// By the mailbox, as what somebody signs in by it.
pub(super) type Part = BTreeMap<String, Vec<SignsInAs>>;

/// How many parts there are of so many addresses.
fn parts_of(signers: usize) -> u32 {
    u32::try_from(signers.div_ceil(PART)).unwrap_or(u32::MAX)
}

/// In which part a mailbox stands.
fn part_of(mailbox: &str, parts: u32) -> u32 {
    let number = mailbox.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    number % parts.max(1)
}

/// The parts of all who may sign in, by their number.
pub(super) fn parted(signers: &[Signer], mailboxes: &Mailboxes) -> Vec<Part> {
    in_parts(signers.iter().map(|signer| (mailboxes.of(&signer.email), signer.signs_in_as.clone())).collect())
}

fn in_parts(all: Vec<(String, SignsInAs)>) -> Vec<Part> {
    let count = parts_of(all.len());
    let mut parts = vec![Part::new(); count as usize];
    for (mailbox, as_whom) in all {
        if let Some(part) = parts.get_mut(part_of(&mailbox, count) as usize) {
            part.entry(mailbox).or_default().push(as_whom);
        }
    }
    parts
}

/// The dealers of one version's parts and the desk's people of another's.
pub(super) fn dealers_and_staff(dealers: Vec<Part>, staff: Vec<Part>) -> Vec<Part> {
    let of = |parts: Vec<Part>, is_staff: bool| {
        let all = parts.into_iter().flatten();
        let all = all.flat_map(|(mailbox, all)| all.into_iter().map(move |one| (mailbox.clone(), one)));
        all.filter(move |(_, one)| matches!(one, SignsInAs::Staff(..)) == is_staff)
    };
    in_parts(of(staff, true).chain(of(dealers, false)).collect())
}

impl Store {
    /// Notes that somebody may sign in for a company.
    pub(super) async fn companies_add(&self, company: &CompanyId) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_item(&Key::Companies)))
            .update_expression("ADD companies :one")
            .expression_attribute_values(":one", AttributeValue::Ss(vec![company.to_string()]));
        update.send().await.map(drop).map_err(StoreError::unavailable)
    }

    /// The companies whose rules let anybody sign in by an address, or did.
    pub async fn companies(&self) -> Result<Vec<CompanyId>, StoreError> {
        let item = self.get(&Key::Companies).await?;
        let named = item.as_ref().and_then(|item| item.get("companies")?.as_ss().ok());
        Ok(named.into_iter().flatten().filter_map(|id| CompanyId::new(id).ok()).collect())
    }

    /// As what a mailbox signs in at these companies, by the rules in force at each: two reads for a hundred.
    pub async fn access_of(
        &self,
        mailbox: &str,
        companies: &[CompanyId],
    ) -> Result<Vec<(CompanyId, SignsInAs)>, StoreError> {
        let pointers: Vec<Key<'_>> = companies.iter().map(Key::RulebookPointer).collect();
        let pointers = self.get_many(&pointers).await?;
        // Pointers come in any order, and say whose they are by their key alone.
        let of_item = |item: &Item| {
            let company =
                read_string(item, "pk")?.strip_prefix("R#").and_then(|id| CompanyId::new(id).ok())?;
            let parts: u32 = read_number(item, "access").filter(|parts| *parts > 0)?;
            Some((company, read_number::<u64>(item, "version")?, part_of(mailbox, parts)))
        };
        let mut found: Vec<(CompanyId, u64, u32)> = pointers.iter().filter_map(of_item).collect();
        found.sort();
        let keys: Vec<Key<'_>> = found
            .iter()
            .map(|(company, version, part)| Key::RulebookAccess(company, *version, *part))
            .collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut told = Vec::new();
        for item in self.get_many(&keys).await? {
            let company = read_string(&item, "pk").and_then(|pk| CompanyId::new(pk.strip_prefix("R#")?).ok());
            let mut part = read_part(&item)?;
            if let (Some(company), Some(all)) = (company, part.remove(mailbox)) {
                told.extend(all.into_iter().map(|one| (company.clone(), one)));
            }
        }
        told.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(told)
    }
}

/// A part as it was kept.
pub(super) fn read_part(item: &Item) -> Result<Part, StoreError> {
    let text = read_string(item, "access").unwrap_or("{}");
    serde_json::from_str(text).map_err(|error| StoreError::damaged("access", error))
}

/// A part as it is kept.
pub(super) fn part_item(key: &Key<'_>, part: &Part) -> Result<Item, StoreError> {
    let text = serde_json::to_string(part).map_err(|error| StoreError::Malformed(Box::new(error)))?;
    let mut item = key_item(key);
    item.insert("access".to_owned(), string(text));
    Ok(item)
}
