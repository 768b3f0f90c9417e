//! The lead moves on: the slot is given back and the dealer excluded, in one transaction.
//!
//! Where an attempt ended unknown the dealer may hold the lead: it is sent a withdrawal first, at once,
//! and if that does not arrive, again for 24 hours. Whose deadline passed has never seen the person: it
//! is told afterwards, so that nobody who accepts in the last second is withdrawn from.

use jiff::Timestamp;
use leadyard_domain::assignment::{Assignment, DeliveryState};
use leadyard_domain::delivery::{Event, WithdrawalReason};
use leadyard_domain::lead::AssignmentState;
use leadyard_domain::ledger::{CreditReason, Line};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::store::{Changes, Delivery, StoreError};

use crate::assigned::ROUNDS;
use crate::copies;
use crate::messages;

/// Delivery ended without the dealer, or the desk takes the lead back: after a withdrawal, where the dealer
/// may hold it, it moves on. That the delivery has ended stands in the table by now, so the dealer cannot
/// accept between its withdrawal and the next one's turn.
pub(crate) async fn take_back(
    cloud: &Cloud,
    assignment: Assignment,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut withdrawal = None;
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let stands = cloud.store.assignment_get(assignment.lead, assignment.cycle, assignment.id).await?;
        let Some(stands) = stands.filter(|stands| stands.state.holds()) else { return Ok(()) };
        match stands.delivery {
            DeliveryState::Pending | DeliveryState::Received => return Ok(()),
            DeliveryState::Unknown if withdrawal.is_none() && !stands.shadow => {
                withdrawal = Some(withdraw(cloud, &stands, now).await?);
            }
            DeliveryState::Unknown | DeliveryState::NotReceived => {}
        }
        let line = Line::credit(&stands, CreditReason::TakenBack, now);
        if moves_on(cloud, stands, AssignmentState::Withdrawn, withdrawal.as_ref(), line.as_ref(), now)
            .await?
        {
            return Ok(());
        }
    }
    // It stays due, and is done a little later.
    Ok(())
}

/// The dealer's own system declined the lead: it moves on as after a decline in the inbox. Where an earlier attempt
/// may have arrived, a withdrawal goes first: what is declined as known already may be what that attempt
/// brought. `false` when somebody else changed one of them; `withdrawal` keeps what has been told by then.
pub(crate) async fn decline(
    cloud: &Cloud,
    mut declined: Assignment,
    withdrawal: &mut Option<Delivery>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let unknown = declined.may_be_held_unknown();
    declined.delivery = if unknown { DeliveryState::Unknown } else { DeliveryState::NotReceived };
    if unknown && withdrawal.is_none() {
        *withdrawal = Some(withdraw(cloud, &declined, now).await?);
    }
    // What a mail had settled before it came back.
    let line = Line::credit(&declined, CreditReason::Declined, now);
    moves_on(cloud, declined, AssignmentState::Declined, withdrawal.as_ref(), line.as_ref(), now).await
}

/// The deadline passed: the lead moves on, and the dealer is told.
pub(crate) async fn lapse(cloud: &Cloud, assignment: Assignment, now: Timestamp) -> Result<(), StoreError> {
    let mut stands = Some(assignment);
    for _ in 0..ROUNDS {
        let Some(lapsed) = stands.filter(|stands| stands.lapses(now) && ends_by_lapsing(stands)) else {
            return Ok(());
        };
        let had = lapsed.attempt_count > 0 || copies::may_be_held(cloud, &lapsed).await?;
        let told =
            had.then(|| Delivery::to(&lapsed, Event::Withdrawn, "1", now).because(WithdrawalReason::Lapsed));
        let (lead, cycle, id) = (lapsed.lead, lapsed.cycle, lapsed.id);
        if moves_on(cloud, lapsed, AssignmentState::Lapsed, told.as_ref(), None, now).await? {
            if let Some(told) = told {
                cloud.hand_message(&told, 0).await;
            }
            return Ok(());
        }
        tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        stands = cloud.store.assignment_get(lead, cycle, id).await?;
    }
    Ok(())
}

/// Whether it is time alone that ends it: one whose delivery has ended is withdrawn from.
fn ends_by_lapsing(assignment: &Assignment) -> bool {
    match assignment.delivery {
        DeliveryState::Pending | DeliveryState::Received => true,
        DeliveryState::NotReceived | DeliveryState::Unknown => false,
    }
}

/// The seat comes back and the lead goes to distribution; `false` when somebody else changed one of them.
async fn moves_on(
    cloud: &Cloud,
    mut assignment: Assignment,
    state: AssignmentState,
    delivery: Option<&Delivery>,
    line: Option<&Line>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let lead = cloud.store.lead_of(&assignment).await?;
    let category = lead.as_ref().map(|lead| &lead.category);
    let category = cloud.category_to_wake(&assignment.company, category).await?;
    let lead = lead.map(|mut lead| {
        lead.give_back(assignment.id, now);
        lead
    });
    assignment.move_to(state, now);
    assignment.next_attempt_at = None;
    assignment.due = None;
    let changes = Changes {
        lead: lead.as_ref(),
        gives_back: true,
        wakes: category.as_ref(),
        delivery,
        line,
        ..Changes::of(&assignment, now)
    };
    match cloud.store.assignment_change(&changes).await {
        Ok(true) => {}
        Ok(false) | Err(StoreError::Contended) => return Ok(false),
        Err(error) => return Err(error),
    }
    tracing::info!(
        lead.id = %assignment.lead, assignment.id = %assignment.id, dealer.id = %assignment.dealer,
        assignment.state = %state, "the lead was taken back"
    );
    if let Some(lead) = lead {
        cloud.hand_to_distribution(&lead).await;
    }
    if let Some(category) = &category {
        cloud.hand_wake(&assignment.company, category).await;
    }
    Ok(true)
}

/// One attempt at withdrawing, now; the message that goes on trying, if it did not arrive.
async fn withdraw(cloud: &Cloud, assignment: &Assignment, now: Timestamp) -> Result<Delivery, StoreError> {
    let reason =
        if assignment.recalled { WithdrawalReason::TakenBack } else { WithdrawalReason::Unconfirmed };
    let mut delivery = Delivery::to(assignment, Event::Withdrawn, "1", now).because(reason);
    messages::try_once(cloud, &mut delivery, now).await?;
    Ok(delivery)
}
