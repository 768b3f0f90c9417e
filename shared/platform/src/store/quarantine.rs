//! The quarantine: what waits for a verdict, and the verdicts by reason.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use futures::future::try_join_all;
use jiff::Timestamp;
use leadyard_domain::ids::{CompanyId, EnquiryId};
use leadyard_domain::screening::Reason;

use super::enquiries::name_reserved;
use super::items::{QUARANTINED, REJECTED, StoredEnquiry};
use super::keys::{self, Key};
use super::postbacks::Postback;
use super::{Commit, Item, Store, StoreError, number, read_number, read_string, string, values};

/// How often a reason was right and wrong, by the desk's verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Enquiries that had it, and were released.
    pub released: u32,
    /// Enquiries that had it, and were rejected.
    pub rejected: u32,
}

/// How many wait for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// All that were counted.
    pub waiting: usize,
    /// Of them, since before the instant that was asked about.
    pub before: usize,
    /// More wait than were counted.
    pub more: bool,
    /// When the longest waiting one of the others arrived, in Unix milliseconds.
    pub next_ms: Option<i64>,
}

/// The attributes of a reason.
fn released(reason: Reason) -> String {
    format!("r_{reason}")
}

fn rejected(reason: Reason) -> String {
    format!("j_{reason}")
}

impl Store {
    /// One page of a company's quarantine after this sort key: what is open, the longest waiting first; or
    /// what was decided, the newest first. With it the sort key of the last, if there may be more.
    pub async fn quarantine_page(
        &self,
        company: &CompanyId,
        open: bool,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<StoredEnquiry>, Option<String>), StoreError> {
        let shards = (0..keys::SHARDS).map(|shard| self.quarantine_shard(company, open, shard, after, limit));
        let mut found: Vec<(String, EnquiryId)> = try_join_all(shards).await?.into_iter().flatten().collect();
        found.sort();
        if !open {
            found.reverse();
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().map(|(sort, _)| sort.clone()).filter(|_| more);
        let wanted: Vec<Key<'_>> = found.iter().map(|(_, enquiry)| Key::Enquiry(*enquiry)).collect();
        let items = self.get_many(&wanted).await?;
        let mut page = items.into_iter().map(StoredEnquiry::read).collect::<Result<Vec<_>, _>>()?;
        // An index may be behind: what was decided meanwhile is not open.
        page.retain(|enquiry| (enquiry.status == QUARANTINED) == open);
        page.sort_by_key(|enquiry| (enquiry.received_at, enquiry.id));
        if !open {
            page.reverse();
        }
        Ok((page, next))
    }

    /// How many wait for a verdict, at least, and how many of them since before this instant: of each shard at most
    /// `most` are counted. [`keys::SHARDS`] reads.
    pub async fn quarantine_counts(
        &self,
        company: &CompanyId,
        before: Timestamp,
        most: usize,
    ) -> Result<Quarantined, StoreError> {
        let shards = (0..keys::SHARDS).map(|shard| self.quarantine_shard(company, true, shard, None, most));
        let shards = try_join_all(shards).await?;
        let before = keys::sort_time(before.as_millisecond());
        let waiting = || shards.iter().flat_map(|shard| shard.iter().take(most));
        Ok(Quarantined {
            waiting: waiting().count(),
            before: waiting().filter(|(sort, _)| *sort < before).count(),
            more: shards.iter().any(|shard| shard.len() > most),
            next_ms: waiting()
                .filter(|(sort, _)| *sort >= before)
                .min()
                .and_then(|(sort, _)| sort.split('#').next()?.parse().ok()),
        })
    }

    async fn quarantine_shard(
        &self,
        company: &CompanyId,
        open: bool,
        shard: u8,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, EnquiryId)>, StoreError> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(super::schema::STAGE.name)
            .expression_attribute_values(":shard", string(keys::quarantine_shard(company, open, shard)))
            .scan_index_forward(open)
            .limit(i32::try_from(limit + 1).unwrap_or(i32::MAX));
        query = match after {
            None => query.key_condition_expression("gk = :shard"),
            Some(after) => query
                .key_condition_expression(if open {
                    "gk = :shard AND gs > :after"
                } else {
                    "gk = :shard AND gs < :after"
                })
                .expression_attribute_values(":after", string(after)),
        };
        let answer = query.send().await.map_err(StoreError::unavailable)?;
        let read = |item: &Item| {
            let sort = read_string(item, "gs")?.to_owned();
            let id = read_string(item, "pk")?.strip_prefix("E#")?.parse().ok()?;
            Some((sort, id))
        };
        Ok(answer.items.unwrap_or_default().iter().filter_map(read).collect())
    }

    /// Writes an enquiry again that had this status: rejected, with what its sender is `told` of that, or
    /// overdue. `false` when somebody else decided meanwhile.
    pub async fn quarantine_judge(
        &self,
        enquiry: &StoredEnquiry,
        seen: &str,
        told: Option<&Postback>,
    ) -> Result<bool, StoreError> {
        let mut writes = vec![self.verdict_put(enquiry, seen)?];
        writes.extend(self.verdict_count(enquiry, seen)?);
        if let Some(told) = told {
            writes.push(self.postback_write(told)?);
        }
        let writes = writes.into_iter().map(name_reserved).collect();
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// Takes an enquiry away that stands aside, unless somebody decided of it meanwhile.
    pub async fn aside_delete(&self, enquiry: &StoredEnquiry) -> Result<bool, StoreError> {
        let result = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(super::key_item(&Key::Enquiry(enquiry.id))))
            .condition_expression("#status = :seen")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":seen", string(&enquiry.status))
            .send()
            .await;
        super::stands(result)
    }

    /// The retention of an enquiry that stands aside is looked at then; nothing else of it changes.
    pub async fn aside_look_at(&self, enquiry: &StoredEnquiry, at: Timestamp) -> Result<(), StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(super::key_item(&Key::Enquiry(enquiry.id))))
            .update_expression("SET dt = :at")
            .condition_expression("#status = :seen AND attribute_exists(dk)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":seen", string(&enquiry.status))
            .expression_attribute_values(":at", number(at.as_millisecond()))
            .send()
            .await;
        super::stands(result).map(drop)
    }

    /// By reason, what the desk made of it.
    pub async fn verdicts_get(&self, company: &CompanyId) -> Result<BTreeMap<Reason, Verdicts>, StoreError> {
        let item = self.get(&Key::Verdicts(company)).await?.unwrap_or_default();
        let count = |name: &str| read_number::<i64>(&item, name).unwrap_or(0).max(0) as u32;
        let of = |reason: &Reason| Verdicts {
            released: count(&released(*reason)),
            rejected: count(&rejected(*reason)),
        };
        Ok(Reason::ALL
            .iter()
            .map(|reason| (*reason, of(reason)))
            .filter(|(_, verdicts)| *verdicts != Verdicts::default())
            .collect())
    }

    pub(super) fn verdict_put(
        &self,
        enquiry: &StoredEnquiry,
        seen: &str,
    ) -> Result<TransactWriteItem, StoreError> {
        self.put(enquiry.item()?, "#status = :seen", values([(":seen", string(seen))]))
    }

    /// The write that counts the desk's verdict for each reason, and takes an earlier one back; nothing of what
    /// time decided: silence says nothing of a reason.
    pub(super) fn verdict_count(
        &self,
        enquiry: &StoredEnquiry,
        seen: &str,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let judged = enquiry.quarantine.as_ref().and_then(|quarantine| quarantine.judged.as_ref());
        if judged.is_none_or(|judged| judged.by.is_none()) {
            return Ok(None);
        }
        let reasons = enquiry.reasons.iter().filter_map(|reason| reason.parse::<Reason>().ok());
        let mut add = Vec::new();
        for reason in reasons {
            if enquiry.status == REJECTED {
                add.push(format!("{} :one", rejected(reason)));
            } else {
                add.push(format!("{} :one", released(reason)));
                if seen == REJECTED {
                    add.push(format!("{} :back", rejected(reason)));
                }
            }
        }
        if add.is_empty() {
            return Ok(None);
        }
        let mut bound = values([(":one", number(1))]);
        if seen == REJECTED && enquiry.status != REJECTED {
            bound.insert(":back".to_owned(), number(-1));
        }
        let key = Key::Verdicts(&enquiry.company);
        self.update(&key, &format!("ADD {}", add.join(", ")), "", bound).map(Some)
    }
}
