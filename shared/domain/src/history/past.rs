//! What a past enquiry makes of its lead: pure transitions, as [`Lead::take`] makes them for what arrives.

use jiff::Timestamp;

use super::{PastLead, PastOutcome};
use crate::assignment::{Assignment, DeliveryState};
use crate::distribution::Reservation;
use crate::ids::{AssignmentId, ContractId, DealerId};
use crate::lead::{Arrival, AssignmentState, EnquiryRef, Holder, Lead, Met, Stage};
use crate::time::UtcDay;

/// The conclusion of a decision that was imported; a lead whose cycle nobody here has decided on carries it.
pub const IMPORTED: &str = "imported";

/// How a past enquiry met its lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastMet {
    /// It opened the lead, or its next cycle.
    Opens,
    /// It repeats the cycle that it fell in.
    Repeats,
    /// The lead has moved on, or arrived here: it stands beside it.
    Late,
}

/// Takes a past enquiry into a lead that exists already.
pub fn recall(lead: &mut Lead, news: &Arrival, window_days: u16) -> PastMet {
    let ours = lead.last_conclusion.as_deref() != Some(IMPORTED);
    let late = news.at < lead.last_enquiry_at;
    let within = !lead.outside_window(news.at, window_days) && lead.stage != Stage::Expired;
    if late || (ours && (within || !lead.stage.closed())) {
        lead.person.fill_blanks(&news.person);
        lead.remember([EnquiryRef { id: news.enquiry, day: UtcDay::of(news.at) }]);
        return PastMet::Late;
    }
    let due = lead.due;
    match lead.take(news, window_days) {
        Met::NewCycle => PastMet::Opens,
        Met::Repeat => {
            // Nothing is to be scored again in a hurry.
            lead.due = due;
            PastMet::Repeats
        }
    }
}

/// To whom a lead was sold, as far as the rulebook in force knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The dealer.
    pub dealer: DealerId,
    /// The contract.
    pub contract: ContractId,
    /// The dealer is in the rulebook no more.
    pub gone: bool,
}

impl PastLead<'_> {
    /// The seat of its sale, as it ended: delivered long since, counted and charged elsewhere. A late one
    /// stands in cycle 0.
    pub fn seat(&self, lead: &Lead, placed: &Placed, id: AssignmentId, met: PastMet) -> Option<Assignment> {
        let sale = self.sale.as_ref()?;
        let state = match self.outcome {
            PastOutcome::Accepted | PastOutcome::Expired => AssignmentState::Accepted,
            PastOutcome::Contacted => AssignmentState::Contacted,
            PastOutcome::Won => AssignmentState::Won,
            PastOutcome::Lost => AssignmentState::Lost,
            PastOutcome::Declined => AssignmentState::Declined,
            PastOutcome::Returned => AssignmentState::Returned,
            PastOutcome::Rejected => AssignmentState::Withdrawn,
        };
        let settled = !matches!(state, AssignmentState::Declined | AssignmentState::Withdrawn);
        Some(Assignment {
            by_desk: false,
            id,
            version: 0,
            lead: lead.id,
            company: lead.company.clone(),
            cycle: if met == PastMet::Late { 0 } else { lead.cycle },
            enquiry: None,
            lifted_at: None,
            contract: placed.contract.clone(),
            dealer: placed.dealer.clone(),
            price: sale.price,
            state,
            reservation: Reservation::default(),
            prepaid: false,
            accept_by: None,
            warned: false,
            returned: None,
            recalled: false,
            shadow: false,
            imported: true,
            patient_until: None,
            rulebook: 0,
            sold_in: lead.location().state(),
            band: None,
            offered_at: sale.at,
            settled_at: settled.then_some(sale.at),
            state_at: self.outcome_at.unwrap_or(sale.at),
            delivered_at: None,
            accepted_at: None,
            contacted_at: None,
            channel: None,
            channel_order: 0,
            tried_before: 0,
            delivery: DeliveryState::Received,
            attempts: Vec::new(),
            attempt_count: 0,
            unknown_before: false,
            won_value: sale.won_value.filter(|_| state == AssignmentState::Won),
            next_attempt_at: None,
            due: None,
        })
    }

    /// The lead as this row leaves it: held by its dealer, or closed; never waiting for anyone.
    pub fn settle(
        &self,
        lead: &mut Lead,
        met: PastMet,
        seat: Option<(&Assignment, &Placed)>,
        window_days: u16,
        now: Timestamp,
    ) {
        match met {
            PastMet::Late => {}
            PastMet::Opens => {
                lead.last_conclusion = Some(IMPORTED.to_owned());
                lead.visitors_to_join.clear();
                lead.seats = seat.map(|_| (1, false));
                lead.crossed = seat.is_some();
                self.opens(lead, seat, window_days, now);
            }
            PastMet::Repeats => {
                if let Some(seat) = seat {
                    self.adds(lead, seat);
                }
                if lead.stage == Stage::Assigned {
                    held_or_expired(lead, now);
                }
            }
        }
        if met != PastMet::Late && lead.stage.closed() {
            // It closed long ago, and is known from now on.
            lead.rest_closed(now);
        }
    }

    fn opens(&self, lead: &mut Lead, seat: Option<(&Assignment, &Placed)>, window_days: u16, now: Timestamp) {
        let sold_at = self.sale.as_ref().map(|sale| sale.at);
        let at = self.outcome_at.or(sold_at).unwrap_or(self.received_at);
        match self.outcome {
            PastOutcome::Won => {
                hold(lead, seat);
                lead.close(Stage::Won, at);
            }
            PastOutcome::Lost => {
                hold(lead, seat);
                lead.close(Stage::Lost, at);
            }
            PastOutcome::Rejected => {
                exclude(lead, seat);
                lead.close(Stage::Rejected, at);
            }
            PastOutcome::Accepted | PastOutcome::Contacted => {
                hold(lead, seat);
                if lead.holders.is_empty() {
                    lead.close(Stage::Expired, unsold_until(lead, window_days, now));
                } else {
                    lead.stage = Stage::Assigned;
                    held_or_expired(lead, now);
                }
            }
            PastOutcome::Declined | PastOutcome::Returned => {
                exclude(lead, seat);
                lead.close(Stage::Expired, unsold_until(lead, window_days, now));
            }
            PastOutcome::Expired => {
                hold(lead, seat);
                let by_time = if lead.holders.is_empty() {
                    unsold_until(lead, window_days, now)
                } else {
                    lead.held_until().min(now)
                };
                lead.close(Stage::Expired, self.outcome_at.unwrap_or(by_time));
            }
        }
    }

    /// Another dealer of the same cycle. Won as soon as one has won; held as long as one holds it.
    fn adds(&self, lead: &mut Lead, seat: (&Assignment, &Placed)) {
        match self.outcome {
            PastOutcome::Won => {
                hold(lead, Some(seat));
                if lead.stage != Stage::Won {
                    lead.close(Stage::Won, seat.0.state_at);
                }
            }
            PastOutcome::Accepted | PastOutcome::Contacted => {
                hold(lead, Some(seat));
                if lead.stage != Stage::Won && !lead.holders.is_empty() {
                    lead.stage = Stage::Assigned;
                    lead.closed_at = None;
                }
            }
            PastOutcome::Lost => {
                lead.lost_seats = lead.lost_seats.saturating_add(1);
                exclude(lead, Some(seat));
            }
            PastOutcome::Declined | PastOutcome::Returned | PastOutcome::Expired | PastOutcome::Rejected => {
                exclude(lead, Some(seat));
            }
        }
    }
}

/// Held for longer than anyone may, it expired then; else that is when it will.
fn held_or_expired(lead: &mut Lead, now: Timestamp) {
    let until = lead.held_until();
    if until <= now {
        lead.close(Stage::Expired, until);
    } else {
        lead.due = Some(until);
    }
}

fn unsold_until(lead: &Lead, window_days: u16, now: Timestamp) -> Timestamp {
    lead.expires_at(window_days).min(now)
}

fn hold(lead: &mut Lead, seat: Option<(&Assignment, &Placed)>) {
    let Some((seat, placed)) = seat.filter(|(_, placed)| !placed.gone) else { return };
    if !lead.holders.iter().any(|holder| holder.dealer == placed.dealer) {
        lead.holders.push(Holder {
            dealer: placed.dealer.clone(),
            contract: placed.contract.clone(),
            assignment: seat.id,
            again: true,
            came_from: None,
        });
    }
}

fn exclude(lead: &mut Lead, seat: Option<(&Assignment, &Placed)>) {
    let Some((_, placed)) = seat else { return };
    let holds = lead.holders.iter().any(|holder| holder.dealer == placed.dealer);
    if !holds && !lead.excluded.contains(&placed.dealer) {
        lead.excluded.push(placed.dealer.clone());
    }
}
