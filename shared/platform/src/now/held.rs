//! Leads that dealers have: whom nobody reached yet, and which offers lapse.

use std::collections::HashMap;

use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::{AssignmentId, DealerId, LeadId};
use leadyard_domain::lead::{AssignmentState, Lead, Stage};

use super::lists::{by_letter, hottest, of_each_letter};
use super::{AtLeast, HELD, LAPSING, NAMED, TOP};
use crate::cloud::Cloud;
use crate::store::{Place, StoreError};

/// Leads that dealers have.
pub(super) struct Held {
    /// All that were found, of each letter the hottest.
    pub(super) places: Vec<Place>,
    /// Those whom nobody reached.
    pub(super) hottest: Vec<LeadId>,
    pub(super) unanswered: AtLeast,
    pub(super) lapsing: Vec<(Timestamp, LeadId)>,
}

pub(super) async fn held(cloud: &Cloud, core: &Core, now: Timestamp) -> Result<Held, StoreError> {
    let all = hottest(cloud, core, &[Stage::Assigned], TOP + 1).await?;
    let places = of_each_letter(all.clone(), HELD);
    let ids: Vec<LeadId> = places.iter().map(|(_, lead)| *lead).collect();
    let leads = cloud.store.leads_get(&ids).await?;
    let seats = seats_of(cloud, &leads).await?;
    let known: HashMap<LeadId, &Lead> = leads.iter().map(|lead| (lead.id, lead)).collect();
    let waits = |lead: &LeadId| known.get(lead).is_some_and(|lead| is_unanswered(lead, &seats));
    let unanswered: Vec<&Place> = places.iter().filter(|(_, lead)| waits(lead)).collect();
    let mut lapsing: Vec<(Timestamp, LeadId)> = unanswered
        .iter()
        .filter_map(|(_, lead)| Some((lapses_at(known.get(lead)?, &seats, now)?, *lead)))
        .collect();
    lapsing.sort_unstable();
    lapsing.truncate(LAPSING);
    let more = by_letter(&all).values().any(|stand| *stand > HELD);
    let count = unanswered.len();
    let hottest = of_each_letter(unanswered.into_iter().cloned().collect(), NAMED);
    Ok(Held {
        places: all,
        hottest: hottest.into_iter().map(|(_, lead)| lead).collect(),
        unanswered: AtLeast { count, more },
        lapsing,
    })
}

/// Seats by their ids.
pub type Seats = HashMap<AssignmentId, Assignment>;

/// The seats of those who hold these leads. A read for each hundred.
///
/// # Errors
/// When the store could not be asked.
pub async fn seats_of(cloud: &Cloud, leads: &[Lead]) -> Result<Seats, StoreError> {
    let keys: Vec<(LeadId, u32, AssignmentId)> = leads
        .iter()
        .flat_map(|lead| lead.holders.iter().map(move |holder| (lead.cycle_of(holder), holder.assignment)))
        .map(|(of, assignment)| (of.lead, of.cycle, assignment))
        .collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let seats = cloud.store.assignments_get(&keys).await?;
    Ok(seats.into_iter().map(|seat| (seat.id, seat)).collect())
}

/// Whether somebody has a lead, and none of them has reached its person yet.
pub fn is_unanswered(lead: &Lead, seats: &Seats) -> bool {
    let waits = |state| match state {
        AssignmentState::Offered | AssignmentState::Accepted => true,
        AssignmentState::Declined
        | AssignmentState::Lapsed
        | AssignmentState::Returned
        | AssignmentState::Withdrawn
        | AssignmentState::Contacted
        | AssignmentState::Won
        | AssignmentState::Lost => false,
    };
    let mut seats = lead.holders.iter().filter_map(|holder| seats.get(&holder.assignment)).peekable();
    lead.stage == Stage::Assigned
        && seats.peek().is_some()
        && seats.all(|seat| waits(seat.state) && seat.contacted_at.is_none())
}

/// The offers of a lead that were not accepted yet, and are not over; each with when it lapses.
fn open_offers<'a>(
    lead: &'a Lead,
    seats: &'a Seats,
    now: Timestamp,
) -> impl Iterator<Item = (Timestamp, &'a Assignment)> {
    let seats = lead.holders.iter().filter_map(|holder| seats.get(&holder.assignment));
    let offers = seats.filter(|seat| seat.masked());
    let offers = offers.filter_map(|seat| Some((seat.accept_by.as_ref()?.at, seat)));
    offers.filter(move |(at, _)| *at > now)
}

/// When the next offer of a lead lapses, if one does.
pub fn lapses_at(lead: &Lead, seats: &Seats, now: Timestamp) -> Option<Timestamp> {
    open_offers(lead, seats, now).map(|(at, _)| at).min()
}

/// Who has not accepted a lead yet, and still can.
pub fn not_accepted<'a>(lead: &'a Lead, seats: &'a Seats, now: Timestamp) -> Vec<&'a DealerId> {
    open_offers(lead, seats, now).map(|(_, seat)| &seat.dealer).collect()
}
