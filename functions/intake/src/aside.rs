//! How long an enquiry is kept that has no lead: rejected, a test, or left in quarantine beyond its deadline.
//!
//! A company's `retention_days` run from the last that was decided of it. It is looked at as often as a lead that is
//! over ([`leadyard_domain::lead::retention`]), under the rulebook that is in force then, and goes by its own time: it
//! leads to nobody, and nobody is told. What the desk decides at that moment comes first.

use jiff::SignedDuration;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::store::{StoreError, StoredEnquiry};

/// Takes away what was kept for long enough; else it is looked at again.
pub(crate) async fn keep_or_delete(cloud: &Cloud, enquiry: &StoredEnquiry) -> Result<(), StoreError> {
    let Some(since) = enquiry.aside_since() else { return Ok(()) };
    let now = cloud.clock.now();
    let core = cloud.rulebooks.current(&cloud.store, &enquiry.company).await?;
    let days = core.and_then(|core| core.company.retention_days);
    let ends = days.and_then(|days| since.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok());
    if ends.is_some_and(|ends| ends <= now) {
        if cloud.store.aside_delete(enquiry).await? {
            tracing::info!(enquiry.id = %enquiry.id, "an enquiry that stood aside went by time");
        }
        return Ok(());
    }
    let Some(look) = enquiry.look_after(now) else { return Ok(()) };
    cloud.store.aside_look_at(enquiry, ends.map_or(look, |ends| look.min(ends))).await
}
