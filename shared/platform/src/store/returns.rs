//! Returns: what a dealer asks to give back, for the desk to find.

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use jiff::Timestamp;
use leadyard_domain::assignment::{Assignment, ReturnState};
use leadyard_domain::ids::{
    AssignmentId, CompanyId, ContractId, DealerId, EnquiryId, LeadId, ReturnReason, SourceId,
};
use leadyard_domain::ledger::Month;
use leadyard_domain::money::Money;
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::{Act, Commit, Item, Store, StoreError, number, string, values};

/// A return as the desk's list has it: where to look, and what is claimed. No person is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReturnItem {
    /// The lead.
    pub lead: LeadId,
    /// Its cycle.
    pub cycle: u32,
    /// The seat.
    pub assignment: AssignmentId,
    /// Who asks.
    pub dealer: DealerId,
    /// Under which contract.
    pub contract: ContractId,
    /// The month in which the lead was charged: its quota counts there.
    pub month: String,
    /// What it cost the dealer.
    pub price: Money,
    /// Who sent the lead.
    pub source: SourceId,
    /// Why.
    pub reason: ReturnReason,
    /// When it was asked.
    pub at: Timestamp,
    /// Where it stands.
    pub state: ReturnState,
    /// What is claimed back from the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Money>,
}

/// What becomes of a return, in the transaction of its assignment.
#[derive(Clone, Debug)]
pub enum ReturnWrite<'a> {
    /// It is asked for, and is one of at most `quota` of its month.
    Ask(&'a ReturnItem, Option<u32>),
    /// It is asked for and approved at once.
    Grant(&'a ReturnItem, Option<u32>),
    /// The desk decided; a denied one frees its place in the quota. What is claimed back, this enquiry cost:
    /// it is refused where that was claimed already.
    Decide(&'a ReturnItem, Option<EnquiryId>),
}

impl Store {
    pub(super) fn return_writes(
        &self,
        company: &CompanyId,
        write: &ReturnWrite<'_>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let put = |item: &ReturnItem, open| {
            let key = Key::Return { company, open, assignment: item.assignment };
            self.put(return_item(item, &key)?, "attribute_not_exists(pk)", values([]))
        };
        Ok(match write {
            ReturnWrite::Ask(item, quota) => {
                vec![put(item, true)?, self.quota_write(company, item, 1, *quota)?]
            }
            ReturnWrite::Grant(item, quota) => {
                vec![put(item, false)?, self.quota_write(company, item, 1, *quota)?]
            }
            ReturnWrite::Decide(item, opening) => {
                let key = Key::Return { company, open: true, assignment: item.assignment };
                let gone = Delete::builder()
                    .table_name(self.table())
                    .set_key(Some(super::key_item(&key)))
                    .condition_expression("attribute_exists(pk)")
                    .build()
                    .map_err(|error| StoreError::Malformed(Box::new(error)))?;
                let mut writes = vec![TransactWriteItem::builder().delete(gone).build(), put(item, false)?];
                if item.state == ReturnState::Denied {
                    writes.push(self.quota_write(company, item, -1, None)?);
                }
                writes.extend(self.claim_write(company, item, *opening)?);
                writes
            }
        })
    }

    /// The mark that what an enquiry cost is claimed back, where that is; refused where it stands.
    fn claim_write(
        &self,
        company: &CompanyId,
        item: &ReturnItem,
        opening: Option<EnquiryId>,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(opening) = opening.filter(|_| item.claim.is_some()) else { return Ok(None) };
        let mut mark = super::key_item(&Key::Claim(company, opening));
        mark.insert("assignment".to_owned(), string(item.assignment.to_string()));
        self.put(mark, "attribute_not_exists(pk)", values([])).map(Some)
    }

    fn quota_write(
        &self,
        company: &CompanyId,
        item: &ReturnItem,
        more: i32,
        quota: Option<u32>,
    ) -> Result<TransactWriteItem, StoreError> {
        let month: Month = item.month.parse().map_err(|error| StoreError::damaged("return", error))?;
        let mut bound = values([(":more", number(more))]);
        let condition = match quota {
            Some(quota) => {
                bound.insert(":quota".to_owned(), number(quota));
                "attribute_not_exists(returned) OR returned < :quota"
            }
            None => "",
        };
        self.update(
            &Key::ReturnsOfMonth(company, &item.contract, month),
            "ADD returned :more",
            condition,
            bound,
        )
    }

    /// How many of a contract's leads charged in a month are returned, or asked to be.
    pub async fn returns_of_month(
        &self,
        company: &CompanyId,
        contract: &ContractId,
        month: Month,
    ) -> Result<u32, StoreError> {
        let item = self.get(&Key::ReturnsOfMonth(company, contract, month)).await?;
        Ok(item.and_then(|item| super::read_number::<i64>(&item, "returned")).unwrap_or(0).max(0) as u32)
    }

    /// A return by its assignment: one that the desk is to decide, or one that is decided.
    pub async fn return_get(
        &self,
        company: &CompanyId,
        open: bool,
        assignment: AssignmentId,
    ) -> Result<Option<ReturnItem>, StoreError> {
        self.get(&Key::Return { company, open, assignment }).await?.map(read).transpose()
    }

    /// Returns that the desk is to decide, or those that are decided, by their assignments' time, the newest
    /// first.
    pub async fn returns(
        &self,
        company: &CompanyId,
        open: bool,
        limit: i32,
    ) -> Result<Vec<ReturnItem>, StoreError> {
        self.returns_after(company, open, None, limit).await
    }

    /// The same of those behind one of them, where it is given.
    pub async fn returns_after(
        &self,
        company: &CompanyId,
        open: bool,
        after: Option<AssignmentId>,
        limit: i32,
    ) -> Result<Vec<ReturnItem>, StoreError> {
        self.returns_in_order(company, open, (after, false), limit).await
    }

    /// The same by their assignments' time, the oldest first.
    pub async fn returns_oldest(
        &self,
        company: &CompanyId,
        open: bool,
        after: Option<AssignmentId>,
        limit: i32,
    ) -> Result<Vec<ReturnItem>, StoreError> {
        self.returns_in_order(company, open, (after, true), limit).await
    }

    async fn returns_in_order(
        &self,
        company: &CompanyId,
        open: bool,
        (after, forward): (Option<AssignmentId>, bool),
        limit: i32,
    ) -> Result<Vec<ReturnItem>, StoreError> {
        let (first, last) = (AssignmentId::from_bytes([0; 16]), AssignmentId::from_bytes([u8::MAX; 16]));
        let bounds = if forward { [after.unwrap_or(first), last] } else { [first, after.unwrap_or(last)] };
        let [first, last] = bounds.map(|assignment| Key::Return { company, open, assignment });
        let answer = self
            .client
            .query()
            .table_name(self.table())
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .set_expression_attribute_values(Some(values([
                (":pk", string(first.pk())),
                (":first", string(first.sk())),
                (":last", string(last.sk())),
            ])))
            .scan_index_forward(forward)
            .consistent_read(true)
            // The one that is given comes again, and is left out below: it was on the page before.
            .limit(limit + i32::from(after.is_some()))
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let read = answer.items.into_iter().flatten().map(read).collect::<Result<Vec<ReturnItem>, _>>()?;
        Ok(read.into_iter().filter(|item| Some(item.assignment) != after).take(limit as usize).collect())
    }

    /// Whether what an enquiry cost was claimed back, with the return of any seat.
    pub async fn is_claimed(&self, company: &CompanyId, opening: EnquiryId) -> Result<bool, StoreError> {
        Ok(self.get(&Key::Claim(company, opening)).await?.is_some())
    }

    /// Keeps what is claimed back from the source of a lead whose return was approved, with who claimed it:
    /// what this enquiry cost. `false` when somebody claimed it already, with this return or another.
    pub async fn return_claim(
        &self,
        company: &CompanyId,
        item: &ReturnItem,
        opening: Option<EnquiryId>,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let key = Key::Return { company, open: false, assignment: item.assignment };
        let unclaimed = "attribute_exists(pk) AND attribute_not_exists(claim)";
        let mut writes = vec![
            self.put(return_item(item, &key)?, unclaimed, values([]))?,
            self.act_write(item.lead, act)?,
            self.change_write(company, act)?,
        ];
        writes.extend(self.claim_write(company, item, opening)?);
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }
}

impl ReturnItem {
    /// Of an assignment that a dealer asks to return, charged in `month`.
    pub fn of(assignment: &Assignment, source: &SourceId, month: Month) -> Option<Self> {
        let asked = assignment.returned.as_ref()?;
        Some(Self {
            lead: assignment.lead,
            cycle: assignment.cycle,
            assignment: assignment.id,
            dealer: assignment.dealer.clone(),
            contract: assignment.contract.clone(),
            month: month.to_string(),
            price: assignment.price,
            source: source.clone(),
            reason: asked.reason.clone(),
            at: asked.at,
            state: asked.state,
            claim: None,
        })
    }
}

fn return_item(of: &ReturnItem, key: &Key<'_>) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(of).map_err(|error| StoreError::Malformed(Box::new(error)))?;
    item.extend(super::key_item(key));
    Ok(item)
}

fn read(item: Item) -> Result<ReturnItem, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("return", error))
}
