//! Leads that ask for nothing: what is over is due when the retention of its person is to be looked at, and anything
//! else not at all. What ended unsold is followed up.

use jiff::SignedDuration;
use leadyard_domain::lead::{Lead, Stage};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging::InForce;
use leadyard_platform::person::SeekError;
use leadyard_platform::retention::Retention;
use leadyard_platform::store::StoreError;

use crate::{Distributed, Looked, settle};

/// What is due later than this was not asked for by time: a claim of the sweep is shorter.
const ASKED_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// The erasure makes a shell of it within minutes. Should that not come, or its person stay, it is looked at then.
const LOOK_AFTER_ERASURE: SignedDuration = SignedDuration::from_hours(24);

/// A lead that asks for nothing, and may have been kept for long enough.
pub(crate) async fn rest(
    cloud: &Cloud,
    lead: Lead,
    in_force: Option<&InForce>,
) -> Result<Looked, StoreError> {
    if matches!(lead.stage, Stage::Lost | Stage::Expired)
        && let Some(in_force) = in_force
    {
        // Whoever closed it may not have come to say so; and it may have asked again.
        cloud.follow_up(&lead, &in_force.core, false).await?;
    }
    if !lead.is_kept() {
        return match lead.due {
            None => Ok(Looked::Final(Distributed::Settled)),
            Some(_) => settle(cloud, lead, |lead| lead.due = None).await,
        };
    }
    let now = cloud.clock.now();
    if lead.due.is_some_and(|due| due.duration_since(now) > ASKED_WITHIN) {
        return Ok(Looked::Final(Distributed::Settled));
    }
    let days = in_force.and_then(|in_force| in_force.core.company.retention_days);
    match cloud.lead_retention(&lead, days, now).await {
        Ok(Retention::Kept(Some(until))) => {
            settle(cloud, lead, |lead| lead.rest_kept_until(until, now)).await
        }
        Ok(Retention::Kept(None)) => settle(cloud, lead, |lead| lead.rest_closed(now)).await,
        Ok(Retention::Ends(erasure)) => {
            // The lead first: of two who look at once one goes on, and whoever ends in between is late by a day.
            let looked =
                settle(cloud, lead, |lead| lead.due = now.checked_add(LOOK_AFTER_ERASURE).ok()).await?;
            if matches!(looked, Looked::Final(_)) {
                cloud.store.erasure_open(&erasure).await?;
                tracing::info!(
                    erasure.id = %erasure.id, company.id = %erasure.company, "an erasure began, by time"
                );
            }
            Ok(looked)
        }
        Err(SeekError::Store(error)) => Err(error),
        Err(error @ (SeekError::TooMany | SeekError::Ambiguous(_))) => {
            // The desk erases them by hand, in parts.
            tracing::error!(
                lead.id = %lead.id, error = &error as &dyn std::error::Error, "a person is kept beyond their time"
            );
            settle(cloud, lead, |lead| lead.rest_closed(now)).await
        }
    }
}
