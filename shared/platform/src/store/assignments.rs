//! Assignments: a seat is given in one transaction with the lead and the caps.

use std::collections::HashMap;

use futures::future::try_join_all;
use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::distribution::{Counters, Kept, Seat};
use leadyard_domain::ids::{AssignmentId, CompanyId, DealerId, LeadId};
use leadyard_domain::lead::Lead;

use super::items::{self, DecisionRecord};
use super::keys::{self, Key};
use super::leads::UNCHANGED;
use super::{Act, Commit, Conflict, Item, Store, StoreError, number, read_string, string, values};

/// Seats that are to be given.
#[derive(Debug)]
pub struct Assign<'a> {
    /// The lead as it was decided on.
    pub lead: &'a Lead,
    /// Who gets it.
    pub seats: &'a [(Seat, AssignmentId)],
    /// A further seat that is kept.
    pub kept: Option<Kept>,
    /// The counters that were read.
    pub counters: &'a Counters,
    /// Why.
    pub decision: &'a DecisionRecord,
    /// The desk placed it; without, distribution did.
    pub placed: Option<Placed<'a>>,
    /// When.
    pub now: Timestamp,
}

/// The desk's word.
#[derive(Debug)]
pub struct Placed<'a> {
    /// What it did.
    pub act: &'a Act,
    /// No limit refuses it; it is counted all the same.
    pub over: bool,
    /// The company only watches: nothing is sent, nothing charged.
    pub shadow: bool,
}

/// A list of a dealer's assignments that is to be read.
#[derive(Clone, Copy, Debug)]
pub struct SeatsAsked<'a> {
    /// Whose.
    pub dealer: &'a DealerId,
    /// Those that it has, or those that it had.
    pub open: bool,
    /// From behind this one on.
    pub behind: Option<&'a Assignment>,
}

/// Seats that were given.
#[derive(Clone, Debug)]
pub struct Given {
    /// The assignments as they stand.
    pub assignments: Vec<Assignment>,
    /// What their contracts and dealers have had now, if nobody else changed that since it was read.
    pub counters: Counters,
}

impl Store {
    /// Gives the seats: lead, caps, assignments and the decision, all or nothing; or says why not.
    pub async fn lead_assign(&self, assign: Assign<'_>) -> Result<Result<Given, Conflict>, StoreError> {
        let Assign { lead, seats, kept, counters, decision, placed, now } = assign;
        let mut changed = Lead { version: lead.version + 1, ..lead.clone() };
        changed.assign(seats, kept, now);
        changed.last_conclusion = Some(decision.conclusion.clone());
        let mut writes = vec![self.put(
            items::lead_item(&changed)?,
            UNCHANGED,
            values([(":seen", number(lead.version))]),
        )?];
        let mut given = Given { assignments: Vec::with_capacity(seats.len()), counters: Counters::default() };
        let over = placed.as_ref().is_some_and(|placed| placed.over);
        for (seat, id) in seats {
            let reserved = self.caps_reserve(&lead.company, seat, counters, over, now)?;
            let mut assignment = Assignment::offer(&changed, seat, *id, decision.rulebook, now);
            assignment.reservation = reserved.reservation;
            assignment.by_desk = placed.is_some();
            if placed.as_ref().is_some_and(|placed| placed.shadow) {
                assignment.watch_only(now);
            }
            writes.extend(reserved.writes);
            writes.push(self.put(
                items::assignment_item(&assignment)?,
                "attribute_not_exists(pk)",
                values([]),
            )?);
            given.assignments.push(assignment);
            given.counters.contracts.insert(seat.contract.clone(), reserved.contract);
            given.counters.dealers.insert(seat.dealer.clone(), reserved.dealer);
        }
        writes.push(self.put(
            decision.item_giving(&lead.company, lead.id, seats)?,
            "attribute_not_exists(pk)",
            values([]),
        )?);
        if let Some(placed) = placed {
            writes.push(self.act_write(lead.id, placed.act)?);
        }
        Ok(match self.transact(writes).await? {
            Commit::Done => Ok(given),
            commit @ Commit::Refused(_) if commit.refused_at(0) => Err(Conflict::Lead),
            Commit::Refused(_) => Err(Conflict::Caps),
        })
    }

    /// The seats of one cycle of a lead, in the order in which they were given.
    pub async fn assignments_of(&self, lead: LeadId, cycle: u32) -> Result<Vec<Assignment>, StoreError> {
        let items = self.query_prefix(Key::Lead(lead).pk(), &format!("A#{cycle:05}#")).await?;
        items.into_iter().map(items::read_assignment).collect()
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

    /// Those of these assignments that are there. A read for each hundred.
    pub async fn assignments_get(
        &self,
        seats: &[(LeadId, u32, AssignmentId)],
    ) -> Result<Vec<Assignment>, StoreError> {
        let key = |(lead, cycle, assignment): &(LeadId, u32, AssignmentId)| Key::Assignment {
            lead: *lead,
            cycle: *cycle,
            assignment: *assignment,
        };
        let keys: Vec<Key<'_>> = seats.iter().map(key).collect();
        self.get_many(&keys).await?.into_iter().map(items::read_assignment).collect()
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

    /// A dealer's assignment by its id alone: the id says when it was minted, and so where it stands in
    /// the inbox.
    pub async fn assignment_of_dealer(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        id: AssignmentId,
    ) -> Result<Option<Assignment>, StoreError> {
        for state in ["open", "shut"] {
            let prefix = format!("{state}#{}", keys::sort_time(id.minted_ms()));
            let mut start = None;
            loop {
                let (found, next) = self.inbox_page(company, dealer, &prefix, start, 100).await?;
                if let Some(assignment) = found.into_iter().find(|assignment| assignment.id == id) {
                    return Ok(Some(assignment));
                }
                start = next;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(None)
    }

    /// A dealer's assignments, the newest first: open ones, or shut ones; those behind one of them, where it is given.
    /// Then the last of them, if there are more.
    pub async fn inbox(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        open: bool,
        after: Option<&Assignment>,
        limit: i32,
    ) -> Result<(Vec<Assignment>, Option<AssignmentId>), StoreError> {
        let state = if open { "open" } else { "shut" };
        let start = after.map(|after| stood(after, open));
        let (found, next) = self.inbox_page(company, dealer, &format!("{state}#"), start, limit).await?;
        Ok((found, next.as_ref().and_then(listed).map(|(_, _, id)| id)))
    }

    /// Of each of these lists the assignments that were offered from one instant to before another, the newest first, at most
    /// `most` of each; and whether more may stand behind them. A read for each list, and one for each hundred of all.
    pub async fn seats_offered(
        &self,
        company: &CompanyId,
        lists: &[SeatsAsked<'_>],
        (from, to): (Timestamp, Timestamp),
        most: usize,
    ) -> Result<Vec<(Vec<Assignment>, bool)>, StoreError> {
        let rows = lists.iter().map(|list| {
            let sort = |at_ms: i64| string(inbox_sort(list.open, at_ms));
            let between = (sort(from.as_millisecond()), sort(to.as_millisecond() - 1));
            let start = list.behind.map(|seat| stood(seat, list.open));
            let partition = keys::inbox(company, list.dealer);
            self.newest_first(super::schema::INBOX, partition, Some(between), start, most)
        });
        let rows = try_join_all(rows).await?;
        let wanted: Vec<_> = rows.iter().flat_map(|(items, _)| items).filter_map(listed).collect();
        let mut read = HashMap::new();
        for seat in self.assignments_get(&wanted).await? {
            read.insert(seat.id, seat);
        }
        let mut found = Vec::with_capacity(lists.len());
        for (list, (items, next)) in lists.iter().zip(&rows) {
            // An index may be behind: the item itself says whose it is.
            let own = |seat: &Assignment| seat.company == *company && seat.dealer == *list.dealer;
            let seats = items.iter().filter_map(listed).filter_map(|(_, _, id)| read.remove(&id)).filter(own);
            found.push((seats.collect(), next.is_some()));
        }
        Ok(found)
    }

    async fn inbox_page(
        &self,
        company: &CompanyId,
        dealer: &DealerId,
        prefix: &str,
        start: Option<Item>,
        limit: i32,
    ) -> Result<(Vec<Assignment>, Option<Item>), StoreError> {
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
            .set_exclusive_start_key(start)
            .limit(limit)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let listed: Vec<_> = answer.items.iter().flatten().filter_map(listed).collect();
        let wanted: Vec<Key<'_>> = listed
            .iter()
            .map(|&(lead, cycle, assignment)| Key::Assignment { lead, cycle, assignment })
            .collect();
        let mut read = HashMap::new();
        for item in self.get_many(&wanted).await? {
            let assignment = items::read_assignment(item)?;
            read.insert(assignment.id, assignment);
        }
        // An index may be behind: the item itself says whose it is.
        let own = |assignment: &Assignment| &assignment.company == company && &assignment.dealer == dealer;
        let found = listed.iter().filter_map(|(_, _, id)| read.remove(id)).filter(own).collect();
        Ok((found, answer.last_evaluated_key.filter(|key| !key.is_empty())))
    }
}

/// The sort key of what was offered then, among those that a dealer has or had.
fn inbox_sort(open: bool, at_ms: i64) -> String {
    format!("{}#{}", if open { "open" } else { "shut" }, keys::sort_time(at_ms))
}

/// Where an assignment stood in a list of its dealer's, though it may have been answered since.
fn stood(seat: &Assignment, open: bool) -> Item {
    let mut start = super::key_item(&keys::assignment(seat));
    let partition = keys::inbox(&seat.company, &seat.dealer);
    start.insert(super::schema::INBOX.partition.to_owned(), string(partition));
    let sort = inbox_sort(open, seat.offered_at.as_millisecond());
    start.insert(super::schema::INBOX.sort.to_owned(), string(sort));
    start
}

/// The assignment that a row of the index is of.
fn listed(row: &Item) -> Option<(LeadId, u32, AssignmentId)> {
    match keys::DueKey::read(read_string(row, "pk")?, read_string(row, "sk")?)? {
        keys::DueKey::Assignment(lead, cycle, id) => Some((lead, cycle, id)),
        keys::DueKey::Lead(_)
        | keys::DueKey::Delivery { .. }
        | keys::DueKey::Wake(_, _)
        | keys::DueKey::WakeAt(_, _, _)
        | keys::DueKey::Postback(_, _)
        | keys::DueKey::Enquiry(_)
        | keys::DueKey::Erasure(_, _)
        | keys::DueKey::FollowUp(_)
        | keys::DueKey::Watch(_)
        | keys::DueKey::Now(_) => None,
    }
}
