//! Assignments: a seat is given, and taken back, in one transaction with the lead and the caps.

use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::distribution::{Counters, Seat};
use leadyard_domain::ids::{AssignmentId, CompanyId, DealerId, LeadId};
use leadyard_domain::lead::Lead;

use super::items::{self, DecisionRecord};
use super::keys::{self, Key};
use super::leads::UNCHANGED;
use super::{Commit, Conflict, Delivery, Store, StoreError, number, read_string, string, values};

/// All that a taking-back writes.
#[derive(Debug)]
pub struct GiveBack<'a> {
    /// The assignment in its new state.
    pub assignment: &'a Assignment,
    /// The lead without that holder; `None` when the lead has moved on to another cycle.
    pub lead: Option<&'a Lead>,
    /// A message that the dealer must still get.
    pub delivery: Option<&'a Delivery>,
    /// When it happens.
    pub now: Timestamp,
}

/// What came of taking back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaveBack {
    /// It stands.
    Done,
    /// Somebody else changed the assignment, the lead or the counters: look again.
    Changed,
}

impl Store {
    /// Gives the seats: lead, caps, assignments and the decision, all or nothing. The assignments as
    /// they stand, or why they do not.
    pub async fn lead_assign(
        &self,
        lead: &Lead,
        seats: &[(Seat, AssignmentId)],
        counters: &Counters,
        decision: &DecisionRecord,
        now: Timestamp,
    ) -> Result<Result<Vec<Assignment>, Conflict>, StoreError> {
        let mut changed = Lead { version: lead.version + 1, ..lead.clone() };
        changed.assign(seats);
        changed.last_conclusion = Some(decision.conclusion.clone());
        let mut writes = vec![self.put(
            items::lead_item(&changed)?,
            UNCHANGED,
            values([(":seen", number(lead.version))]),
        )?];
        let mut assignments = Vec::with_capacity(seats.len());
        for (seat, id) in seats {
            let (caps, reservation) =
                self.caps_reserve(&lead.company, seat, counters, now.as_millisecond())?;
            let mut assignment = Assignment::offer(&changed, seat, *id, decision.rulebook, now);
            assignment.reservation = reservation;
            writes.extend(caps);
            writes.push(self.put(
                items::assignment_item(&assignment)?,
                "attribute_not_exists(pk)",
                values([]),
            )?);
            assignments.push(assignment);
        }
        writes.push(self.put(decision.item(lead.id)?, "", values([]))?);
        Ok(match self.transact(writes).await? {
            Commit::Done => Ok(assignments),
            commit @ Commit::Refused(_) if commit.refused_at(0) => Err(Conflict::Lead),
            Commit::Refused(_) => Err(Conflict::Caps),
        })
    }

    /// An assignment.
    pub async fn assignment_get(
        &self,
        lead: LeadId,
        cycle: u32,
        assignment: AssignmentId,
    ) -> Result<Option<Assignment>, StoreError> {
        self.get(&Key::Assignment { lead, cycle, assignment }).await?.map(items::read_assignment).transpose()
    }

    /// Keeps a changed assignment, if nobody else changed it since it was read.
    pub async fn assignment_save(&self, assignment: &Assignment) -> Result<bool, StoreError> {
        let next = Assignment { version: assignment.version + 1, ..assignment.clone() };
        self.put_if(
            items::assignment_item(&next)?,
            UNCHANGED,
            values([(":seen", number(assignment.version))]),
        )
        .await
    }

    /// Keeps a changed assignment and its lead, both or neither.
    pub async fn assignment_save_with_lead(
        &self,
        assignment: &Assignment,
        lead: &Lead,
    ) -> Result<bool, StoreError> {
        let next = Assignment { version: assignment.version + 1, ..assignment.clone() };
        let next_lead = Lead { version: lead.version + 1, ..lead.clone() };
        let writes = vec![
            self.put(
                items::assignment_item(&next)?,
                UNCHANGED,
                values([(":seen", number(assignment.version))]),
            )?,
            self.put(items::lead_item(&next_lead)?, UNCHANGED, values([(":seen", number(lead.version))]))?,
        ];
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// Takes a seat back: the assignment's new state, the slots, the lead, and the waiting room's
    /// waking, all or nothing; so it happens once.
    pub async fn assignment_give_back(&self, back: GiveBack<'_>) -> Result<GaveBack, StoreError> {
        let assignment = back.assignment;
        let counters = self
            .caps_get(
                &assignment.company,
                std::slice::from_ref(&assignment.contract),
                std::slice::from_ref(&assignment.dealer),
            )
            .await?;
        let next = Assignment { version: assignment.version + 1, ..assignment.clone() };
        let mut writes = vec![self.put(
            items::assignment_item(&next)?,
            UNCHANGED,
            values([(":seen", number(assignment.version))]),
        )?];
        writes.extend(self.caps_give_back(
            &assignment.company,
            &assignment.contract,
            &assignment.dealer,
            &assignment.reservation,
            &counters,
        )?);
        if let Some(lead) = back.lead {
            let next = Lead { version: lead.version + 1, ..lead.clone() };
            writes.push(self.put(
                items::lead_item(&next)?,
                UNCHANGED,
                values([(":seen", number(lead.version))]),
            )?);
            writes.push(self.wake_write(
                &lead.company,
                &lead.category,
                1,
                Some(&assignment.dealer),
                back.now,
            )?);
        }
        if let Some(delivery) = back.delivery {
            writes.push(self.put(delivery.item()?, "attribute_not_exists(pk)", values([]))?);
        }
        Ok(match self.transact(writes).await? {
            Commit::Done => GaveBack::Done,
            Commit::Refused(_) => GaveBack::Changed,
        })
    }

    /// A dealer's assignment by its id alone: the id says when it was minted, and so where it stands in
    /// the inbox.
    pub async fn assignment_of_dealer(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        id: AssignmentId,
    ) -> Result<Option<Assignment>, StoreError> {
        for state in ["open", "shut"] {
            let prefix = format!("{state}#{:014}", id.minted_ms());
            let found = self.inbox_page(company, dealer, &prefix, 100).await?;
            if let Some(assignment) = found.into_iter().find(|assignment| assignment.id == id) {
                return Ok(Some(assignment));
            }
        }
        Ok(None)
    }

    /// A dealer's assignments, the newest first: open ones, or shut ones.
    pub async fn inbox(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        open: bool,
        limit: i32,
    ) -> Result<Vec<Assignment>, StoreError> {
        self.inbox_page(company, dealer, if open { "open#" } else { "shut#" }, limit).await
    }

    async fn inbox_page(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        prefix: &str,
        limit: i32,
    ) -> Result<Vec<Assignment>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(super::schema::INBOX.name)
            .key_condition_expression("ik = :dealer AND begins_with(#is, :state)")
            .expression_attribute_names("#is", super::schema::INBOX.sort)
            .expression_attribute_values(":dealer", string(keys::inbox(company, dealer)))
            .expression_attribute_values(":state", string(prefix))
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let mut assignments = Vec::new();
        for item in answer.items.into_iter().flatten() {
            let (Some(pk), Some(sk)) = (read_string(&item, "pk"), read_string(&item, "sk")) else { continue };
            let Some(keys::DueKey::Assignment(lead, cycle, id)) = keys::DueKey::read(pk, sk) else {
                continue;
            };
            // An index may be behind: the item itself says whose it is.
            if let Some(assignment) = self.assignment_get(lead, cycle, id).await?
                && &assignment.company == company
                && &assignment.dealer == dealer
            {
                assignments.push(assignment);
            }
        }
        Ok(assignments)
    }
}
