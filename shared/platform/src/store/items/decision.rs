//! Decisions as they are kept: enough to make each again, under a digest and a seal.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::distribution::{Evidence, Kept, LeadFacts, NearMiss, Rule, Seat, Waiting};
use leadyard_domain::error::Invalid;
use leadyard_domain::ids::{AssignmentId, CompanyId, ContractId, DealerId, DecisionId, LeadId};
use leadyard_domain::limits;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::keys::{self, Key};
use super::super::{Item, StoreError, number, string};
use super::{read, to_item};

/// A decision as recorded: enough to make it again, and no person in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Which.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// What was decided on.
    pub facts: LeadFacts,
    /// The rulebook's version.
    pub rulebook: u64,
    /// The version of the rules of decision themselves; [`IMPORTED_ALGORITHM`] of one made elsewhere.
    pub algorithm: u16,
    /// The versions of the places and the time zones.
    #[serde(default)]
    pub places: String,
    /// See `places`.
    #[serde(default)]
    pub zones: String,
    /// Feeds the last tie-break.
    pub seed: u64,
    /// `assigned`, `waiting:REASON`, or `imported`.
    pub conclusion: String,
    /// Why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// When time alone may change that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// A further seat that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// The contracts chosen (or recommended, when it waits for a person), in order.
    pub contracts: Vec<ContractId>,
    /// With whom the desk placed the lead instead: this is what the rules said beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<ContractId>,
    /// How many candidates failed by each rule first.
    pub failed: std::collections::BTreeMap<String, u32>,
    /// The nearest misses, with both values.
    pub near_misses: Vec<NearMiss>,
    /// Counters of those chosen, for people to read: used by period, pass.
    pub counters: std::collections::BTreeMap<String, String>,
    /// The switches and counters that were read, in base64 (see [`Evidence`]).
    #[serde(default)]
    pub evidence: String,
    /// Of all of the above but nearest misses and evidence (of one that an earlier version wrote, of these too): SHA-256
    /// of its JSON, the first 16 bytes in hexadecimal.
    #[serde(default)]
    pub digest: String,
    /// The seats that were given with it, so that many are read at once. They stand beside what the digest is of, which an
    /// earlier version finds right; of a decision that such a one recorded, nothing is said.
    #[serde(default, skip_serializing)]
    pub given: Vec<AssignmentId>,
    /// Of all of the above likewise, nearest misses and evidence included. The digest is of what an earlier version reads,
    /// for which these are empty; zeros of a record that such a one wrote.
    #[serde(skip)]
    pub seal: [u8; SEAL_BYTES],
}

const SEAL_BYTES: usize = 16;

/// What of a record stands in one attribute, in a few bytes, behind its seal: a record is to have two kilobytes, and
/// an earlier version finds no misses and no evidence rather than what it cannot read.
#[derive(Serialize, Deserialize)]
struct More {
    /// Contract, dealer, the rule as its place among [`Rule::ALL`], and both values.
    near_misses: Vec<(ContractId, DealerId, u8, String, String)>,
    evidence: Vec<u8>,
}

/// The algorithm of a decision that was made elsewhere, and cannot be made again.
const IMPORTED_ALGORITHM: u16 = 0;

impl DecisionRecord {
    /// What it came to, as a lead remembers it: of what waits for a person to place it, also who is recommended.
    pub fn concluded(&self) -> String {
        let mut concluded = self.conclusion.clone();
        for contract in &self.contracts {
            concluded.push(' ');
            concluded.push_str(contract.as_str());
        }
        concluded
    }

    /// What another system concluded of a lead with these facts: these contracts, or nobody.
    pub fn imported(id: DecisionId, at: Timestamp, facts: LeadFacts, contracts: Vec<ContractId>) -> Self {
        Self {
            id,
            at,
            seed: u64::from(facts.cycle),
            facts,
            rulebook: 0,
            algorithm: IMPORTED_ALGORITHM,
            places: String::new(),
            zones: String::new(),
            conclusion: leadyard_domain::history::IMPORTED.to_owned(),
            waiting: None,
            until: None,
            kept: None,
            contracts,
            placed: None,
            failed: std::collections::BTreeMap::new(),
            near_misses: Vec::new(),
            counters: std::collections::BTreeMap::new(),
            evidence: String::new(),
            digest: String::new(),
            given: Vec::new(),
            seal: [0; SEAL_BYTES],
        }
    }

    /// Whether its evidence was larger than [`limits::EVIDENCE_BYTES`] and is not kept: it cannot be made again. Said
    /// by what stands, so that an earlier version, which knows no such field, finds the digest right.
    pub const fn left_out(&self) -> bool {
        const SAYS_SO_SINCE: u16 = 3;
        self.evidence.is_empty() && self.algorithm >= SAYS_SO_SINCE
    }

    /// Whether it was made elsewhere.
    pub const fn is_imported(&self) -> bool {
        self.algorithm == IMPORTED_ALGORITHM
    }

    /// Evidence as it is kept; `None` of one that is too large for an item. The decision stands without, and
    /// says so.
    pub fn kept_evidence(evidence: &Evidence) -> Result<Option<String>, StoreError> {
        let bytes = evidence.encode().map_err(|error| StoreError::Malformed(Box::new(error)))?;
        Ok((bytes.len() <= limits::EVIDENCE_BYTES).then(|| STANDARD_NO_PAD.encode(bytes)))
    }

    /// The record under its digest and its seal.
    ///
    /// # Errors
    /// When it cannot be written at all.
    pub fn sealed(mut self) -> Result<Self, StoreError> {
        (self.digest, self.seal) = self.digests()?;
        Ok(self)
    }

    /// Whether it is as it was written. One that an earlier version wrote has no digest.
    pub fn is_intact(&self) -> Result<bool, StoreError> {
        Ok(self.digest.is_empty() || (self.digest.clone(), self.seal) == self.digests()?)
    }

    /// Whether misses and evidence stand in one attribute.
    const fn has_more(&self) -> bool {
        const SINCE: u16 = 4;
        self.algorithm >= SINCE
    }

    /// What digest and seal are to be: of one without [`More`], the digest alone is of everything.
    fn digests(&self) -> Result<(String, [u8; SEAL_BYTES]), StoreError> {
        let mut unsealed = Self { digest: String::new(), ..self.clone() };
        if !self.has_more() {
            return Ok((hexadecimal(hash_of(&unsealed)?), [0; SEAL_BYTES]));
        }
        let seal = hash_of(&unsealed)?;
        (unsealed.near_misses, unsealed.evidence) = (Vec::new(), String::new());
        Ok((hexadecimal(hash_of(&unsealed)?), seal))
    }

    /// The switches and counters that were read, if they were kept.
    pub fn evidence(&self) -> Result<Option<Evidence>, StoreError> {
        if self.evidence.is_empty() {
            return Ok(None);
        }
        let bytes =
            STANDARD_NO_PAD.decode(&self.evidence).map_err(|error| StoreError::damaged("decision", error))?;
        Evidence::decode(&bytes).map(Some).map_err(|error| StoreError::damaged("decision", error))
    }

    /// Whether it gave seats, or the desk did beside it.
    pub const fn gave(&self) -> bool {
        self.waiting.is_none() || self.placed.is_some()
    }

    /// Whether a seat was given with it: in the same transaction, at the same instant.
    pub fn gave_seat(&self, seat: &Assignment) -> bool {
        seat.offered_at == self.at
            && match &self.placed {
                Some(placed) => seat.by_desk && seat.contract == *placed,
                None => !seat.by_desk && self.contracts.contains(&seat.contract),
            }
    }

    /// As it is kept, with the seats that are given in the same transaction.
    pub(in crate::store) fn item_giving(
        &self,
        company: &CompanyId,
        lead: LeadId,
        given: &[(Seat, AssignmentId)],
    ) -> Result<Item, StoreError> {
        let mut item = self.item(company, lead)?;
        let ids = given.iter().map(|(_, id)| string(id.to_string())).collect();
        item.insert("given".to_owned(), AttributeValue::L(ids));
        Ok(item)
    }

    pub(in crate::store) fn item(&self, company: &CompanyId, lead: LeadId) -> Result<Item, StoreError> {
        let at_ms = self.at.as_millisecond();
        let mut item = to_item(&Key::Decision { lead, at_ms, decision: self.id }, self)?;
        if self.has_more() {
            item.insert("near_misses".to_owned(), AttributeValue::L(Vec::new()));
            item.insert("evidence".to_owned(), string(""));
            item.insert("more".to_owned(), AttributeValue::B(Blob::new(self.more()?)));
        }
        let shard = keys::shard(self.id.bytes()) % keys::DECISION_SHARDS;
        let day = leadyard_domain::time::UtcDay::of(self.at);
        item.insert("ak".to_owned(), string(keys::decisions_shard(company, day, shard)));
        item.insert("am".to_owned(), number(at_ms));
        Ok(item)
    }

    pub(in crate::store) fn read(mut item: Item) -> Result<Self, StoreError> {
        let more = item.remove("more");
        let record: Self = read("decision", item)?;
        match more {
            Some(AttributeValue::B(more)) => record.with_more(more.as_ref()),
            Some(_) | None => Ok(record),
        }
    }

    fn more(&self) -> Result<Vec<u8>, StoreError> {
        let miss = |miss: &NearMiss| {
            let NearMiss { contract, dealer, rule, needed, found } = miss.clone();
            (contract, dealer, rule as u8, needed, found)
        };
        let evidence =
            STANDARD_NO_PAD.decode(&self.evidence).map_err(|error| StoreError::damaged("decision", error))?;
        let more = More { near_misses: self.near_misses.iter().map(miss).collect(), evidence };
        postcard::to_extend(&more, self.seal.to_vec()).map_err(|error| StoreError::Malformed(Box::new(error)))
    }

    fn with_more(mut self, bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged =
            || StoreError::damaged("decision", Invalid::new("what is behind its seal cannot be read"));
        let (seal, bytes) = bytes.split_first_chunk().ok_or_else(damaged)?;
        let More { near_misses, evidence } = postcard::from_bytes(bytes).map_err(|_| damaged())?;
        let miss = |(contract, dealer, rule, needed, found): (ContractId, DealerId, u8, String, String)| {
            let rule = *Rule::ALL.get(usize::from(rule))?;
            Some(NearMiss { contract, dealer, rule, needed, found })
        };
        self.near_misses = near_misses.into_iter().map(miss).collect::<Option<_>>().ok_or_else(damaged)?;
        self.evidence = STANDARD_NO_PAD.encode(evidence);
        self.seal = *seal;
        Ok(self)
    }
}

/// The first bytes of the SHA-256 of a shape's JSON.
fn hash_of(shape: &impl Serialize) -> Result<[u8; SEAL_BYTES], StoreError> {
    let json = serde_json::to_vec(shape).map_err(|error| StoreError::Malformed(Box::new(error)))?;
    let mut hash = [0; SEAL_BYTES];
    for (byte, hashed) in hash.iter_mut().zip(Sha256::digest(json)) {
        *byte = hashed;
    }
    Ok(hash)
}

fn hexadecimal(bytes: [u8; SEAL_BYTES]) -> String {
    bytes.iter().fold(String::with_capacity(2 * SEAL_BYTES), |mut text, byte| {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')),
        );
        text
    })
}

#[cfg(test)]
mod tests {
    use leadyard_domain::contract::Needs;

    use super::*;

    fn record() -> DecisionRecord {
        let facts: LeadFacts = serde_json::from_value(serde_json::json!({
            "lead": LeadId::from_bytes([1; 16]), "cycle": 1, "offer": "roof", "category": "roofing",
            "source": "web", "opened_at": "2026-06-01T16:00:00Z", "location": "Unplaced", "band": "A1",
            "brings": Needs::NONE, "excluded": [], "holders": [], "open_seats": null,
        }))
        .unwrap();
        let id = DecisionId::from_bytes([2; 16]);
        let at = Timestamp::from_second(1_780_000_000).unwrap();
        let imported = DecisionRecord::imported(id, at, facts, vec!["hudson".parse().unwrap()]);
        let miss = NearMiss {
            contract: "ridge".parse().unwrap(),
            dealer: "ridge".parse().unwrap(),
            rule: Rule::Cap,
            needed: "fewer than 2 a day".to_owned(),
            found: "2".to_owned(),
        };
        let evidence = STANDARD_NO_PAD.encode([2, 0, 1]);
        DecisionRecord { algorithm: 4, near_misses: vec![miss], evidence, ..imported }.sealed().unwrap()
    }

    fn item(record: &DecisionRecord) -> Item {
        record.item(&"acme".parse().unwrap(), record.facts.lead).unwrap()
    }

    #[test]
    fn misses_and_evidence_come_back_and_stand_under_the_seal() {
        let record = record();
        let read = DecisionRecord::read(item(&record)).unwrap();
        assert_eq!(read, record);
        assert!(read.is_intact().unwrap());
        let mut damaged = item(&record);
        let more = damaged.remove("more").unwrap();
        let mut bytes = more.as_b().unwrap().as_ref().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        damaged.insert("more".to_owned(), AttributeValue::B(Blob::new(bytes)));
        assert!(!DecisionRecord::read(damaged.clone()).unwrap().is_intact().unwrap());
        damaged.insert("more".to_owned(), AttributeValue::B(Blob::new([0; 7])));
        assert!(DecisionRecord::read(damaged).is_err());
    }

    #[test]
    fn an_earlier_version_finds_the_digest_right_and_no_misses() {
        let mut item = item(&record());
        item.remove("more");
        let read = DecisionRecord::read(item).unwrap();
        assert!(read.near_misses.is_empty() && read.evidence.is_empty());
        // It takes the digest of all that it reads.
        let unsealed = DecisionRecord { digest: String::new(), ..read.clone() };
        assert_eq!(hexadecimal(hash_of(&unsealed).unwrap()), read.digest);
        // One of its own, with both in their place, is intact here.
        let own = DecisionRecord { algorithm: 3, ..record() }.sealed().unwrap();
        let item = self::item(&own);
        assert!(!item.contains_key("more"));
        let read = DecisionRecord::read(item).unwrap();
        assert_eq!((read.is_intact().unwrap(), read), (true, own));
    }
}
