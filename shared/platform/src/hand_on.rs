//! Handing on: what was committed goes to its queue, best effort. The due index is the truth: what is not
//! queued now is found by the sweep.

use leadyard_domain::assignment::Assignment;
use leadyard_domain::ids::{CategoryId, CompanyId, DealerId};
use leadyard_domain::lead::Lead;

use crate::cloud::Cloud;
use crate::queues::{QueueError, ToDelivery};
use crate::store::{Delivery, Invitation, Postback, StoreError, Trial};

/// The longest delay of a message, in seconds; what is later is left to the sweep.
const DELAY_S: u64 = 900;

impl Cloud {
    /// The lead is looked at by distribution.
    pub async fn hand_to_distribution(&self, lead: &Lead) {
        noted(self.queues.lead_to_distribution(lead.company.as_str(), lead.id).await);
    }

    /// What those who work side by side have handed on goes to its queues; leads are looked at `delay_s` from now.
    pub async fn send_held(&self, delay_s: u32) {
        noted(self.queues.send_held(delay_s).await);
    }

    /// Who waits in a category is woken.
    pub async fn hand_wake(&self, company: &CompanyId, category: &CategoryId) {
        noted(self.queues.wake_to_distribution(company, category, None).await);
    }

    /// Whoever waits is woken: the rules or a switch changed.
    pub async fn hand_wake_all(&self, company: &CompanyId) {
        let Ok(Some(core)) = self.rulebooks.current(&self.store, company).await else { return };
        for category in core.waited_in() {
            self.hand_wake(company, category).await;
        }
    }

    /// The category under which a slot that comes back stands until those who wait for it are woken, in whatever
    /// category they do: its lead's, else any.
    pub async fn category_to_wake(
        &self,
        company: &CompanyId,
        own: Option<&CategoryId>,
    ) -> Result<Option<CategoryId>, StoreError> {
        if own.is_some() {
            return Ok(own.cloned());
        }
        let core = self.rulebooks.current(&self.store, company).await?;
        Ok(core.and_then(|core| core.categories().first().copied().cloned()))
    }

    /// An assignment is delivered, or looked at, `delay_ms` from now; what is more than 15 minutes ahead is
    /// left to the sweep.
    pub async fn hand_to_delivery(&self, assignment: &Assignment, delay_ms: u64) {
        // SQS counts in whole seconds; the message must not come before its time, or it does nothing.
        let delay_s = delay_ms.div_ceil(1_000);
        if delay_s > DELAY_S {
            return;
        }
        let message = to_deliver(assignment);
        let group = of_dealer(&assignment.company, &assignment.dealer);
        noted(self.queues.to_delivery(message, &group, delay_s as u32).await);
    }

    /// Assignments are delivered now.
    pub async fn hand_all_to_delivery(&self, assignments: &[Assignment]) {
        let groups: Vec<_> = assignments.iter().map(|one| of_dealer(&one.company, &one.dealer)).collect();
        let grouped = assignments.iter().zip(&groups);
        let messages: Vec<_> = grouped.map(|(one, group)| (to_deliver(one), group.as_str())).collect();
        if !messages.is_empty() {
            noted(self.queues.many_to_delivery(messages).await);
        }
    }

    /// The sender of an enquiry is told, `delay_ms` from now; what is more than 15 minutes ahead is left to the sweep.
    /// Each source's sender is a group of its own, apart from the dealers.
    pub async fn hand_postback(&self, postback: &Postback, delay_ms: u64) {
        let delay_s = delay_ms.div_ceil(1_000);
        if delay_s > DELAY_S {
            return;
        }
        let message = ToDelivery::Postback { enquiry: postback.enquiry, status: postback.status };
        let group = format!("{}/{}", postback.company, postback.source);
        noted(self.queues.to_delivery(message, &group, delay_s as u32).await);
    }

    /// A dealer's channel is tried; `false` when the queue did not take it: nobody looks for it later.
    pub async fn hand_trial(&self, trial: &Trial) -> bool {
        let message = ToDelivery::Trial { company: trial.company.clone(), trial: trial.id };
        let sent = self.queues.to_delivery(message, &of_dealer(&trial.company, &trial.dealer), 0).await;
        let taken = sent.is_ok();
        noted(sent);
        taken
    }

    /// Invitations of a company are sent; `false` when the queue did not take them all: nobody looks for them later. They
    /// are a group of their own, apart from the dealers' leads.
    pub async fn hand_invitations(&self, company: &CompanyId, invitations: &[Invitation]) -> bool {
        let group = format!("{company}/invitations");
        let message = |one: &Invitation| ToDelivery::Invitation {
            company: company.clone(),
            to: one.to.clone(),
            act: one.act,
        };
        let messages: Vec<_> = invitations.iter().map(|one| (message(one), group.as_str())).collect();
        if messages.is_empty() {
            return true;
        }
        let sent = self.queues.many_to_delivery(messages).await;
        let taken = sent.is_ok();
        noted(sent);
        taken
    }

    /// A holder is told.
    pub async fn hand_message(&self, delivery: &Delivery, delay_ms: u64) {
        let message = ToDelivery::Message {
            lead: delivery.lead,
            assignment: delivery.assignment,
            event: delivery.event.to_string(),
            number: delivery.key_number(),
        };
        let delay_s = delay_ms.div_ceil(1_000).min(DELAY_S) as u32;
        let group = of_dealer(&delivery.company, &delivery.dealer);
        noted(self.queues.to_delivery(message, &group, delay_s).await);
    }
}

/// The group of what goes to a dealer, at most 104 of SQS's 128 characters. Two companies may call their dealers the same.
fn of_dealer(company: &CompanyId, dealer: &DealerId) -> String {
    format!("{company}/dealer/{dealer}")
}

fn to_deliver(assignment: &Assignment) -> ToDelivery {
    ToDelivery::Assignment { lead: assignment.lead, cycle: assignment.cycle, assignment: assignment.id }
}

fn noted(sent: Result<(), QueueError>) {
    if let Err(error) = sent {
        tracing::warn!(error = &error as &dyn std::error::Error, "what follows is left to the sweep");
    }
}
