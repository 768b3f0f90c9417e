//! Erasures: the ledger of them, whoever was forgotten, and the writes that leave a shell.
//!
//! What becomes of an item in a lead's partition is [`fate_of`]'s to say, and of it alone: an item that it does not
//! know was written by a newer version, and goes.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use jiff::Timestamp;
use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::delivery::Event;
use leadyard_domain::erasure::ErasureReason;
use leadyard_domain::identity::IdentityHash;
use leadyard_domain::ids::{CompanyId, EnquiryId, ErasureId, LeadId, VisitorId};
use leadyard_domain::lead::{Lead, LeadScope};
use serde::{Deserialize, Serialize};

use super::items;
use super::keys::{self, Key};
use super::leads::UNCHANGED;
use super::{Commit, Item, Store, StoreError, number, read_number, read_string, string, values};

/// A person's erasure, as the ledger has it: nobody's name is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Erasure {
    /// Which.
    pub id: ErasureId,
    /// Whose person it was.
    pub company: CompanyId,
    /// When it was asked for: what they sent until then is erased.
    pub at: Timestamp,
    /// Who of the desk; `leadyard`, where time did.
    pub by: String,
    /// Why.
    pub reason: ErasureReason,
    /// Keyed hashes of their e-mails and phones.
    pub people: BTreeSet<IdentityHash>,
    /// Phones that somebody else has as well: theirs to be found by, with a name, and nothing more.
    #[serde(default)]
    pub shared: BTreeSet<IdentityHash>,
    /// Keyed hashes of their surnames: what a shared phone must agree with.
    #[serde(default)]
    pub surnames: BTreeSet<IdentityHash>,
    /// Their leads.
    pub leads: BTreeSet<LeadId>,
    /// Enquiries without a lead that the desk named.
    #[serde(default)]
    pub enquiries: BTreeSet<EnquiryId>,
    /// Of an erasure by time: what was over by then goes, and whatever happened since is somebody's who is still
    /// known. `None` of one that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_by: Option<Timestamp>,
    /// They are not to be taken in again.
    pub suppress: bool,
    /// Whoever has or had a lead of theirs is told.
    pub tell: bool,
    /// How often everything was looked through.
    #[serde(default)]
    pub passes: u8,
    /// What went.
    #[serde(default)]
    pub gone: Gone,
    /// Counts writes.
    #[serde(default)]
    pub v: u64,
    /// When it goes on; `None` once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// What an erasure removed, counted; what a go removed that was interrupted is not, but for the leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Leads that became shells.
    pub leads: u32,
    /// Enquiries, those without a lead among them.
    pub enquiries: u32,
    /// Items of browsers: links, and what they did before we knew whose they were.
    pub visits: u32,
    /// Other items, removed or with their text taken out: activity, answers, notes.
    pub items: u32,
}

/// Where enquiries without a lead are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Waiting for a verdict.
    Quarantined,
    /// Released or rejected.
    Judged,
    /// Posted to a source of tests.
    Tests,
}

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Quarantined, Self::Judged, Self::Tests];

    fn partition(self, company: &CompanyId, shard: u8) -> String {
        match self {
            Self::Quarantined => keys::quarantine_shard(company, true, shard),
            Self::Judged => keys::quarantine_shard(company, false, shard),
            Self::Tests => keys::tests_shard(company, shard),
        }
    }
}

/// What becomes of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It holds nobody.
    Stays,
    /// It stays as this, with nobody in it.
    Becomes(Item),
    /// It goes.
    Goes,
}

/// What becomes of an item of an erased lead's partition; the lead itself becomes a shell (see
/// [`Lead::erase`]).
pub fn fate_of(item: &Item) -> Fate {
    let stripped = match read_string(item, "sk").and_then(|sk| sk.chars().next()) {
        // What was decided names nobody; the shell was written before.
        Some('D' | 'L') => return Fate::Stays,
        Some('A') => without_answers(item, "att", Some("ret")),
        // What SES called the mail that says so: a bounce names it.
        Some('M') if read_string(item, "event") == Some(Event::Erased.as_str()) => return Fate::Stays,
        Some('M') => ended(without_answers(item, "attempts", None)),
        Some('H') => without_text(item),
        Some(_) | None => return Fate::Goes,
    };
    if stripped == *item { Fate::Stays } else { Fate::Becomes(stripped) }
}

/// Attempts without what the dealer answered, a return without what was said of it.
fn without_answers(item: &Item, attempts: &str, returned: Option<&str>) -> Item {
    /// Of an attempt nothing else is kept: what a later version adds may be a dealer's word.
    /// The dealer's own id of the lead is: it finds by it whom to erase.
    const ATTEMPT: [&str; 6] = ["at", "end", "what", "ms", "channel", "reference"];
    const RETURN: [&str; 5] = ["at", "reason", "state", "decided_at", "decided_by"];
    let mut item = item.clone();
    if let Some(AttributeValue::L(attempts)) = item.get_mut(attempts) {
        for attempt in attempts {
            keep_only(attempt, &ATTEMPT);
        }
    }
    if let Some(returned) = returned.and_then(|name| item.get_mut(name)) {
        keep_only(returned, &RETURN);
    }
    item
}

fn keep_only(value: &mut AttributeValue, names: &[&str]) {
    if let AttributeValue::M(members) = value {
        members.retain(|name, _| names.contains(&name.as_str()));
    }
}

/// A message that says something of the person is not sent any more.
fn ended(mut item: Item) -> Item {
    let goes_on = [Event::Erased.as_str(), Event::Withdrawn.as_str()];
    let says = read_string(&item, "event").is_some_and(|event| !goes_on.contains(&event));
    if says && read_string(&item, "state") == Some(DeliveryState::Pending.as_str()) {
        item.insert("state".to_owned(), string(DeliveryState::NotReceived.as_str()));
        for name in ["due", "next_at", "dk", "dt"] {
            item.remove(name);
        }
    }
    item
}

/// Who did what, and when: not why, nor what it was before.
fn without_text(item: &Item) -> Item {
    const NOTHING: &str = "{}";
    let mut item = item.clone();
    item.remove("reason");
    for name in ["before", "after"] {
        item.insert(name.to_owned(), string(NOTHING));
    }
    item
}

impl Erasure {
    fn item(&self) -> Result<Item, StoreError> {
        let mut item = items::to_item(&Key::Erasure(&self.company, self.id), self)?;
        items::index_due(&mut item, self.id.bytes(), self.due);
        Ok(item)
    }

    fn read(item: Item) -> Result<Self, StoreError> {
        let due = read_number::<i64>(&item, "dt").and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let read: Self =
            serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("erasure", error))?;
        Ok(Self { due, ..read })
    }
}

impl Store {
    /// Keeps a new erasure; `false` for one that stands already, which is left as it is.
    pub async fn erasure_open(&self, erasure: &Erasure) -> Result<bool, StoreError> {
        self.put_if(erasure.item()?, "attribute_not_exists(pk)", values([])).await
    }

    /// An erasure.
    pub async fn erasure_get(
        &self,
        company: &CompanyId,
        id: ErasureId,
    ) -> Result<Option<Erasure>, StoreError> {
        self.get(&Key::Erasure(company, id)).await?.map(Erasure::read).transpose()
    }

    /// Keeps how far an erasure has come, if nobody else did since it was read.
    pub async fn erasure_save(&self, erasure: &Erasure) -> Result<bool, StoreError> {
        let next = Erasure { v: erasure.v + 1, ..erasure.clone() };
        self.put_if(next.item()?, UNCHANGED, values([(":seen", number(erasure.v))])).await
    }

    /// A page of a company's ledger, the oldest first, after this one.
    pub async fn erasures(
        &self,
        company: &CompanyId,
        after: Option<ErasureId>,
        limit: usize,
    ) -> Result<Vec<Erasure>, StoreError> {
        let after = after.unwrap_or(ErasureId::from_bytes([0; 16]));
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk > :after")
            .expression_attribute_values(":pk", string(Key::Erasure(company, after).pk()))
            .expression_attribute_values(":after", string(Key::Erasure(company, after).sk()))
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        answer.items.unwrap_or_default().into_iter().map(Erasure::read).collect()
    }

    /// Whoever has this was erased then.
    pub async fn forget(&self, hash: &IdentityHash, at: Timestamp) -> Result<(), StoreError> {
        let hash = hash.to_string();
        let mut item = super::key_item(&Key::Forgotten { hash: &hash });
        item.insert("at_ms".to_owned(), number(at.as_millisecond()));
        let later = "attribute_not_exists(pk) OR at_ms < :at";
        self.put_if(item, later, values([(":at", number(at.as_millisecond()))])).await.map(drop)
    }

    /// When whoever has one of these was last erased.
    pub async fn forgotten_at(&self, hashes: &[IdentityHash]) -> Result<Option<Timestamp>, StoreError> {
        let mut last = None;
        for hash in hashes {
            let found = self.get(&Key::Forgotten { hash: &hash.to_string() }).await?;
            let at = found.and_then(|item| read_number::<i64>(&item, "at_ms"));
            last = last.max(at.and_then(|ms| Timestamp::from_millisecond(ms).ok()));
        }
        Ok(last)
    }

    /// Leaves the shell of a lead, and takes what led to it away; `false` when somebody else changed the lead.
    pub async fn lead_erase(
        &self,
        shell: &Lead,
        known_by: &[(IdentityHash, LeadScope)],
    ) -> Result<bool, StoreError> {
        /// Of a transaction's hundred.
        const AT_ONCE: usize = 90;
        let (with_it, before) = known_by.split_at(known_by.len().min(AT_ONCE));
        for some in before.chunks(AT_ONCE) {
            let writes = some.iter().map(|known| self.identity_gone(known, shell.id));
            self.transact(writes.collect::<Result<_, _>>()?).await?;
        }
        let next = Lead { version: shell.version + 1, ..shell.clone() };
        let seen = values([(":seen", number(shell.version))]);
        let mut writes = vec![self.put(items::lead_item(&next)?, UNCHANGED, seen)?];
        for known in with_it {
            writes.push(self.identity_gone(known, shell.id)?);
        }
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    fn identity_gone(
        &self,
        (hash, scope): &(IdentityHash, LeadScope),
        lead: LeadId,
    ) -> Result<TransactWriteItem, StoreError> {
        let key = Key::Identity { hash: &hash.to_string(), scope: &scope.to_string() };
        let gone = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(super::key_item(&key)))
            .condition_expression("attribute_not_exists(pk) OR lead_id = :lead")
            .expression_attribute_values(":lead", string(lead.to_string()))
            .build()
            .map_err(|error| StoreError::Malformed(Box::new(error)))?;
        Ok(TransactWriteItem::builder().delete(gone).build())
    }

    /// Does to an item of a lead's partition what becomes of it; whether there was anything to do, or `None` when
    /// somebody else changed it.
    pub async fn item_erase(&self, item: &Item) -> Result<Option<bool>, StoreError> {
        match fate_of(item) {
            Fate::Stays => Ok(Some(false)),
            Fate::Goes => self.item_delete(item).await.map(|()| Some(true)),
            Fate::Becomes(mut next) => {
                let (condition, bound) = match read_number::<u64>(item, "v") {
                    Some(seen) => {
                        next.insert("v".to_owned(), number(seen + 1));
                        (UNCHANGED, values([(":seen", number(seen))]))
                    }
                    // What never changes is changed by nobody else.
                    None => ("attribute_exists(pk)", values([])),
                };
                Ok(self.put_if(next, condition, bound).await?.then_some(true))
            }
        }
    }

    /// Takes an item away, whatever it is by now.
    pub async fn item_delete(&self, item: &Item) -> Result<(), StoreError> {
        let key =
            ["pk", "sk"].into_iter().filter_map(|name| Some((name.to_owned(), item.get(name)?.clone())));
        self.client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.collect::<HashMap<_, _>>()))
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Takes an enquiry away.
    pub async fn enquiry_delete(&self, id: EnquiryId) -> Result<(), StoreError> {
        self.item_delete(&super::key_item(&Key::Enquiry(id))).await
    }

    /// All that stands of a browser, as it stands there: whose it is, and what it did before we knew.
    pub async fn visitor_items(
        &self,
        company: &CompanyId,
        visitor: VisitorId,
    ) -> Result<Vec<Item>, StoreError> {
        self.query_prefix(Key::Visitor(company, visitor).pk(), "").await
    }

    /// All that stands of an enquiry, as it stands there.
    pub async fn enquiry_items(&self, id: EnquiryId) -> Result<Vec<Item>, StoreError> {
        self.query_prefix(Key::Enquiry(id).pk(), "").await
    }

    /// One page of one shard of a shelf, and where the next begins.
    pub async fn shelf_page(
        &self,
        company: &CompanyId,
        shelf: Shelf,
        shard: u8,
        start: Option<Item>,
    ) -> Result<(Vec<EnquiryId>, Option<Item>), StoreError> {
        const PAGE: i32 = 100;
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(super::schema::STAGE.name)
            .key_condition_expression("gk = :shard")
            .expression_attribute_values(":shard", string(shelf.partition(company, shard)))
            .set_exclusive_start_key(start)
            .limit(PAGE)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let read = |item: &Item| read_string(item, "pk")?.strip_prefix("E#")?.parse().ok();
        let found = answer.items.unwrap_or_default().iter().filter_map(read).collect();
        Ok((found, answer.last_evaluated_key.filter(|key| !key.is_empty())))
    }

    /// A company's enquiries that arrived on a day, one shard and page of them, and where the next begins.
    pub async fn arrivals_page(
        &self,
        company: &CompanyId,
        day: leadyard_domain::time::UtcDay,
        shard: u8,
        start: Option<Item>,
    ) -> Result<(Vec<EnquiryId>, Option<Item>), StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(super::schema::ARRIVALS.name)
            .key_condition_expression("ak = :shard")
            .expression_attribute_values(":shard", string(keys::arrivals_shard(company, day, shard)))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let read = |item: &Item| read_string(item, "pk")?.strip_prefix("E#")?.parse().ok();
        let found = answer.items.unwrap_or_default().iter().filter_map(read).collect();
        Ok((found, answer.last_evaluated_key.filter(|key| !key.is_empty())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> AttributeValue {
        string(value)
    }

    fn map<const N: usize>(pairs: [(&str, AttributeValue); N]) -> AttributeValue {
        AttributeValue::M(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn item<const N: usize>(sk: &str, pairs: [(&str, AttributeValue); N]) -> Item {
        let mut item: Item = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        item.insert("sk".to_owned(), text(sk));
        item
    }

    #[test]
    fn of_an_item_nothing_stays_that_somebody_wrote() {
        let attempt =
            |more: &str| map([("end", text("received")), ("what", text("200")), (more, text("Ada"))]);
        let seat = item(
            "A#00001#x",
            [
                ("att", AttributeValue::L(vec![attempt("answer"), attempt("of_a_later_version")])),
                (
                    "ret",
                    map([("reason", text("wrong-number")), ("note", text("Ada")), ("said", text("Ada"))]),
                ),
                ("dealer", text("hudson")),
            ],
        );
        let Fate::Becomes(seat) = fate_of(&seat) else { panic!("it stays as it was, or goes") };
        assert!(!format!("{seat:?}").contains("Ada"), "{seat:?}");
        assert!(format!("{seat:?}").contains("wrong-number") && seat.contains_key("dealer"));
        assert_eq!(fate_of(&seat), Fate::Stays, "done once it is done");

        let note = item("H#1#x", [("act", text("note")), ("by", text("desk")), ("reason", text("Ada"))]);
        let Fate::Becomes(note) = fate_of(&note) else { panic!("it stays as it was, or goes") };
        assert!(!format!("{note:?}").contains("Ada") && note.contains_key("by"));
        assert_eq!(fate_of(&note), Fate::Stays);
    }

    #[test]
    fn a_message_of_the_person_is_not_sent_any_more_and_that_they_are_erased_is() {
        let message = |event: &str| {
            item("M#x", [("event", text(event)), ("state", text("pending")), ("dk", text("due#1"))])
        };
        let Fate::Becomes(ended) = fate_of(&message("lead.repeated")) else { panic!("it goes on") };
        assert_eq!((read_string(&ended, "state"), ended.get("dk")), (Some("not_received"), None));
        for event in ["lead.erased", "lead.withdrawn"] {
            assert_eq!(fate_of(&message(event)), Fate::Stays);
        }
    }

    #[test]
    fn what_nobody_here_knows_goes() {
        assert_eq!(fate_of(&item("Y#0000001", [])), Fate::Goes);
        assert_eq!(fate_of(&item("T#of-a-later-version", [])), Fate::Goes);
        assert_eq!(fate_of(&item("D#1#x", [])), Fate::Stays);
    }
}
