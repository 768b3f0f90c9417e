//! Enquiries: kept with their lead and identities in one conditional commit, before anything is
//! decided.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::ids::{CompanyId, EnquiryId, LeadId, SourceId, VisitorId};
use leadyard_domain::lead::Lead;
use leadyard_domain::limits;
use serde::{Deserialize, Serialize};

use super::caps::SourceCounts;
use super::identities::IdentityWrite;
use super::items::{self, DecisionRecord, StoredEnquiry};
use super::keys::Key;
use super::leads::UNCHANGED;
use super::{
    Commit, Delivery, Postback, Store, StoreError, number, read_number, read_string, string, values,
};

/// All that one enquiry writes.
#[derive(Debug)]
pub struct Keep<'a> {
    /// The enquiry.
    pub enquiry: &'a StoredEnquiry,
    /// The lead it opens or belongs to; `None` for one that reaches nobody, and for a test.
    pub lead: Option<&'a Lead>,
    /// Whether the lead is new.
    pub opens: bool,
    /// Identities to claim for it, and to note a surname on.
    pub identities: Vec<IdentityWrite>,
    /// Another lead that may be the same person's: it carries the flag too.
    pub flagged: Option<&'a Lead>,
    /// The holders who are to be told.
    pub deliveries: Vec<Delivery>,
    /// What its sender is told of it.
    pub postback: Option<&'a Postback>,
    /// Whose browser it came from.
    pub visitor: Option<VisitorId>,
    /// The answer to remember under an idempotency key.
    pub answer: Option<StoredAnswer>,
    /// What another system made of it.
    pub past: Option<Past<'a>>,
    /// It is released from quarantine, or was fetched: it stands already, with this status.
    pub released: Option<&'a str>,
    /// The new leads of its source, which has a cap.
    pub caps: Option<&'a SourceCounts<'a>>,
}

/// The rest of a lead that another system had.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// The row it comes from, where it named itself.
    pub mark: Option<&'a str>,
    /// To whom it was sold.
    pub seat: Option<&'a Assignment>,
    /// What was concluded.
    pub decision: Option<&'a DecisionRecord>,
}

/// Rows that were imported before, by what they are known by, each with its lead.
#[derive(Clone, Debug, Default)]
pub struct KeptBefore {
    enquiries: HashMap<EnquiryId, Option<LeadId>>,
    marks: HashMap<String, Option<LeadId>>,
}

impl KeptBefore {
    /// The lead of a row that was imported before.
    pub fn lead(&self, enquiry: EnquiryId, mark: Option<&str>) -> Option<Option<LeadId>> {
        self.enquiries.get(&enquiry).or_else(|| self.marks.get(mark?)).copied()
    }

    /// One more.
    pub fn add(&mut self, enquiry: EnquiryId, mark: Option<&str>, lead: Option<LeadId>) {
        self.enquiries.insert(enquiry, lead);
        self.marks.extend(mark.map(|mark| (mark.to_owned(), lead)));
    }
}

/// The first answer to an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// A hash of the key.
    pub key: String,
    /// A hash of the body.
    pub body: String,
    /// HTTP status.
    pub status: u16,
    /// The answer's JSON.
    pub answer: String,
    /// Until when, Unix seconds.
    pub ttl: i64,
}

/// What came of keeping an enquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It stands.
    Done,
    /// It stood already: the same enquiry again.
    Already,
    /// The idempotency key was used meanwhile: this was the answer.
    Answered(StoredAnswer),
    /// Somebody else changed the lead or claimed an identity: look again.
    Changed,
}

impl Store {
    /// Keeps an enquiry, its lead and its identities: all or nothing.
    pub async fn enquiry_keep(&self, keep: Keep<'_>) -> Result<Kept, StoreError> {
        let first = match keep.released {
            None => self.put(keep.enquiry.item()?, "attribute_not_exists(pk)", values([]))?,
            Some(seen) => self.verdict_put(keep.enquiry, seen)?,
        };
        let mut writes = vec![first];
        let answer_at = keep.answer.as_ref().map(|_| writes.len());
        if let Some(answer) = &keep.answer {
            let key = Key::Idempotency {
                company: &keep.enquiry.company,
                source: &keep.enquiry.source,
                hash: &answer.key,
            };
            let mut item: super::Item =
                serde_dynamo::to_item(answer).map_err(|error| StoreError::Malformed(Box::new(error)))?;
            item.extend(super::key_item(&key));
            // One that expired may still stand: TTL deletes late.
            let now = keep.enquiry.received_at.as_second();
            writes.push(self.put(
                item,
                "attribute_not_exists(pk) OR #ttl < :now",
                values([(":now", number(now))]),
            )?);
        }
        if let Some(lead) = keep.lead {
            let write = if keep.opens {
                self.put(items::lead_item(lead)?, "attribute_not_exists(pk)", values([]))?
            } else {
                let next = Lead { version: lead.version + 1, ..lead.clone() };
                self.put(items::lead_item(&next)?, UNCHANGED, values([(":seen", number(lead.version))]))?
            };
            writes.push(write);
            for identity in &keep.identities {
                writes.push(self.identity_write(identity, lead.id)?);
            }
            if let Some(other) = keep.flagged {
                let next = Lead { version: other.version + 1, ..other.clone() };
                writes.push(self.put(
                    items::lead_item(&next)?,
                    UNCHANGED,
                    values([(":seen", number(other.version))]),
                )?);
            }
            for delivery in &keep.deliveries {
                writes.push(self.put(delivery.item()?, "attribute_not_exists(pk)", values([]))?);
            }
            if let Some(visitor) = keep.visitor {
                let key = Key::Visitor(&keep.enquiry.company, visitor);
                let expires = keep.enquiry.received_at.as_second() + 400 * 86_400;
                writes.push(self.update(
                    &key,
                    "SET lead_id = :lead, #ttl = :ttl",
                    "",
                    values([(":lead", string(lead.id.to_string())), (":ttl", number(expires))]),
                )?);
            }
        }
        let mut mark_at = None;
        if let (Some(past), Some(lead)) = (&keep.past, keep.lead) {
            if let Some(mark) = past.mark {
                mark_at = Some(writes.len());
                let mut item = super::key_item(&Key::Imported(&keep.enquiry.company, mark));
                item.insert("lead_id".to_owned(), string(lead.id.to_string()));
                writes.push(self.put(item, "attribute_not_exists(pk)", values([]))?);
            }
            if let Some(seat) = past.seat {
                writes.push(self.put(
                    items::assignment_item(seat)?,
                    "attribute_not_exists(pk)",
                    values([]),
                )?);
            }
            if let Some(decision) = past.decision {
                writes.push(self.put(decision.item(&lead.company, lead.id)?, "", values([]))?);
            }
        }
        if let Some(postback) = keep.postback {
            writes.push(self.postback_write(postback)?);
        }
        if let Some(seen) = keep.released {
            writes.extend(self.verdict_count(keep.enquiry, seen)?);
        }
        if let Some(counts) = keep.caps {
            writes.push(self.source_caps_reserve(&keep.enquiry.company, &keep.enquiry.source, counts)?);
        }
        let writes = writes.into_iter().map(name_reserved).collect();
        match self.transact(writes).await? {
            Commit::Done => Ok(Kept::Done),
            commit @ Commit::Refused(_) if commit.refused_at(0) => Ok(Kept::Already),
            commit @ Commit::Refused(_) if mark_at.is_some_and(|at| commit.refused_at(at)) => {
                Ok(Kept::Already)
            }
            commit @ Commit::Refused(_) => {
                if let Some(at) = answer_at
                    && commit.refused_at(at)
                    && let Some(answer) = keep.answer.as_ref()
                    && let Some(found) = self
                        .idempotency_get(
                            &keep.enquiry.company,
                            &keep.enquiry.source,
                            &answer.key,
                            keep.enquiry.received_at,
                        )
                        .await?
                {
                    return Ok(Kept::Answered(found));
                }
                Ok(Kept::Changed)
            }
        }
    }

    /// Keeps an enquiry of which no more is known yet than that it is to be fetched; `false` when it stands already.
    pub async fn enquiry_note(&self, enquiry: &StoredEnquiry) -> Result<bool, StoreError> {
        self.put_if(enquiry.item()?, "attribute_not_exists(pk)", values([])).await
    }

    /// Which of these rows were imported before.
    pub async fn imported_before(
        &self,
        company: &CompanyId,
        rows: &[(EnquiryId, Option<String>)],
    ) -> Result<KeptBefore, StoreError> {
        let enquiries = rows.iter().map(|(enquiry, _)| Key::Enquiry(*enquiry));
        let marks = rows.iter().filter_map(|(_, mark)| Some(Key::Imported(company, mark.as_deref()?)));
        let mut keys: Vec<super::Item> = enquiries.chain(marks).map(|key| super::key_item(&key)).collect();
        // The same row twice in one request is asked for once.
        keys.sort_by_key(|key| read_string(key, "pk").map(str::to_owned));
        keys.dedup();
        let found: HashMap<String, Option<LeadId>> = self
            .get_items(&keys)
            .await?
            .iter()
            .filter_map(|item| {
                let lead = read_string(item, "lead_id").or_else(|| read_string(item, "lead"));
                Some((read_string(item, "pk")?.to_owned(), lead.and_then(|lead| lead.parse().ok())))
            })
            .collect();
        let mut before = KeptBefore::default();
        for (enquiry, mark) in rows {
            if let Some(lead) = found.get(&Key::Enquiry(*enquiry).pk()) {
                before.enquiries.insert(*enquiry, *lead);
            }
            if let Some(mark) = mark
                && let Some(lead) = found.get(&Key::Imported(company, mark).pk())
            {
                before.marks.insert(mark.clone(), *lead);
            }
        }
        Ok(before)
    }

    /// The first answer to an idempotency key, while it is remembered.
    pub async fn idempotency_get(
        &self,
        company: &CompanyId,
        source: &SourceId,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<StoredAnswer>, StoreError> {
        let Some(item) = self.get(&Key::Idempotency { company, source, hash }).await? else {
            return Ok(None);
        };
        if read_number::<i64>(&item, "ttl").is_some_and(|ttl| ttl < now.as_second()) {
            return Ok(None);
        }
        serde_dynamo::from_item(item).map(Some).map_err(|error| StoreError::damaged("idempotency", error))
    }

    /// An enquiry.
    pub async fn enquiry_get(&self, id: EnquiryId) -> Result<Option<StoredEnquiry>, StoreError> {
        self.get(&Key::Enquiry(id)).await?.map(StoredEnquiry::read).transpose()
    }

    /// Enquiries, in any order; those that do not exist are missing.
    pub async fn enquiries_get(&self, ids: &[EnquiryId]) -> Result<Vec<StoredEnquiry>, StoreError> {
        let keys: Vec<Key<'_>> = ids.iter().map(|id| Key::Enquiry(*id)).collect();
        self.get_many(&keys).await?.into_iter().map(StoredEnquiry::read).collect()
    }

    /// The same, with the ids of those that are there and cannot be read.
    pub async fn enquiries_readable(
        &self,
        ids: &[EnquiryId],
    ) -> Result<(Vec<StoredEnquiry>, BTreeSet<EnquiryId>), StoreError> {
        let keys: Vec<Key<'_>> = ids.iter().map(|id| Key::Enquiry(*id)).collect();
        let (mut found, mut unreadable) = (Vec::new(), BTreeSet::new());
        for item in self.get_many(&keys).await? {
            let id: Option<EnquiryId> =
                read_string(&item, "pk").and_then(|pk| pk.strip_prefix("E#")?.parse().ok());
            match StoredEnquiry::read(item) {
                Ok(enquiry) => found.push(enquiry),
                Err(_) => unreadable.extend(id),
            }
        }
        Ok((found, unreadable))
    }

    /// The enquiries of a lead, or of several that are one, oldest first.
    pub async fn enquiries_of(
        &self,
        leads: impl Iterator<Item = &Lead>,
    ) -> Result<Vec<StoredEnquiry>, StoreError> {
        let of_each = leads.flat_map(|lead| lead.enquiries.iter().take(limits::ENQUIRIES_ON_LEAD));
        let ids: BTreeSet<EnquiryId> = of_each.map(|enquiry| enquiry.id).collect();
        let mut found = self.enquiries_get(&ids.into_iter().collect::<Vec<_>>()).await?;
        found.sort_by_key(|enquiry| (enquiry.received_at, enquiry.id));
        Ok(found)
    }

    /// Whose browser this is, if anyone's we know.
    pub async fn visitor_lead(
        &self,
        company: &CompanyId,
        visitor: VisitorId,
    ) -> Result<Option<LeadId>, StoreError> {
        let item = self.get(&Key::Visitor(company, visitor)).await?;
        Ok(item.and_then(|item| read_string(&item, "lead_id")?.parse().ok()))
    }
}

/// `ttl` and `status` are reserved words: wherever an expression names one, so must the names. Names that are
/// there stay.
pub(super) fn name_reserved(
    write: aws_sdk_dynamodb::types::TransactWriteItem,
) -> aws_sdk_dynamodb::types::TransactWriteItem {
    let names = |expressions: [Option<&str>; 2]| {
        let named =
            |name: &str| expressions.into_iter().flatten().any(|expression| expression.contains(name));
        let words = [("#ttl", super::schema::TTL), ("#status", "status")];
        let words: HashMap<String, String> = words
            .into_iter()
            .filter(|(name, _)| named(name))
            .map(|(name, word)| (name.to_owned(), word.to_owned()))
            .collect();
        Some(words).filter(|words| !words.is_empty())
    };
    let mut write = write;
    if let Some(put) = &mut write.put {
        put.expression_attribute_names = names([put.condition_expression.as_deref(), None]);
    }
    if let Some(update) = &mut write.update
        && update.expression_attribute_names.is_none()
    {
        update.expression_attribute_names =
            names([update.condition_expression.as_deref(), Some(update.update_expression.as_str())]);
    }
    write
}
