//! The desk merges a lead into another: they are one person's. What becomes of the two is
//! [`merge`](leadyard_domain::lead::merge)'s to say; here it is committed, in the history of both.

use leadyard_domain::error::Code;
use leadyard_domain::lead::Lead;
use leadyard_domain::lead::merge::{Merged, Unmergeable};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::store::Delivery;
use leadyard_platform::who::Staff;
use serde_json::{Value, json};

use crate::acts::{Asked, missing, note, record};

/// Merges a lead into the one that is asked for, or into that one's survivor; `None` when somebody else changed
/// one of them meanwhile. A second click finds it done.
pub(crate) async fn merge(
    cloud: &Cloud,
    desk: &Staff,
    from: Lead,
    asked: &Asked,
) -> Result<Option<Value>, Problem> {
    let reason = note("reason", asked.reason.clone())?;
    if reason.is_none() {
        return Err(Problem::new(Code::InvalidField, "leads are merged for a reason"));
    }
    let into = asked.into.ok_or_else(|| Problem::new(Code::InvalidField, "into: which lead goes on?"))?;
    let into = cloud.store.lead_surviving(into).await?;
    let into = into.ok_or_else(missing)?;
    desk.allow(&into.company, missing)?;
    if from.merged_into.is_some() && into.id != from.id {
        let survivor = cloud.store.lead_surviving(from.id).await?;
        if survivor.is_some_and(|survivor| survivor.id == into.id) {
            return Ok(Some(json!({ "act": "merge", "already": true, "after": { "merged_into": into.id } })));
        }
    }
    let window_days = match cloud.rulebooks.current(&cloud.store, &into.company).await? {
        Some(core) => core.company.window_days,
        None => limits::REPEAT_WINDOW_DAYS as u16,
    };
    let now = cloud.clock.now();
    let merged = into.merge(&from, window_days, now).map_err(|why| refused(why, &from, &into))?;
    let Merged { into: survivor, held_twice, .. } = &merged;
    let before = json!({ "into": tell(&into), "lead": tell(&from) });
    let mut after = tell(survivor);
    if let Some(members) = after.as_object_mut() {
        members.insert("merged_into".to_owned(), json!(survivor.id));
        members.insert("held_twice".to_owned(), json!(held_twice));
    }
    let told = json!({ "act": "merge", "already": false, "before": before, "after": after });
    if asked.dry_run {
        return Ok(Some(told));
    }
    let act = record(cloud, desk, "merge", reason, &before, &after);
    let news = news(&from, &into, survivor, now);
    if !cloud.store.lead_merge(&merged, &act, &news).await? {
        return Ok(None);
    }
    if !survivor.stage.closed() {
        cloud.hand_to_distribution(survivor).await;
    }
    for message in &news {
        cloud.hand_message(message, 0).await;
    }
    tracing::info!(lead.id = %from.id, into.id = %survivor.id, staff = %desk.staff, "the desk merged two leads");
    Ok(Some(told))
}

/// What is shown of a lead before and after: nothing of the person.
fn tell(lead: &Lead) -> Value {
    json!({
        "lead": lead.id, "stage": lead.stage, "waiting": lead.waiting, "cycle": lead.cycle,
        "holders": lead.holders, "enquiries": lead.enquiries.len(), "merged": lead.merged.len(),
    })
}

/// Whoever holds the survivor hears, as of any repeat, that the person asked again; unless another dealer has
/// bought that enquiry: then it is that one's.
fn news(from: &Lead, into: &Lead, survivor: &Lead, now: jiff::Timestamp) -> Vec<Delivery> {
    let nobodys = from.stage.in_nobodys_hands() && from.holders.is_empty();
    // Where the other's cycle goes on, those who held the one before have no part in it.
    let goes_on = survivor.cycle == into.cycle && !into.stage.closed();
    let latest = from.enquiries.last().filter(|_| nobodys && goes_on);
    let to_each = |enquiry: &leadyard_domain::lead::EnquiryRef| {
        into.holders.iter().map(|holder| Delivery::repeated(into, holder, enquiry.id, now)).collect()
    };
    latest.map(to_each).unwrap_or_default()
}

fn refused(why: Unmergeable, from: &Lead, into: &Lead) -> Problem {
    let problem = Problem::new(Code::StateConflict, why.to_string());
    match why {
        Unmergeable::Elsewhere(survivor) => problem.with("merged_into", json!(survivor)),
        Unmergeable::OtherScope => problem
            .with("scope", json!(from.scope.to_string()))
            .with("into_scope", json!(into.scope.to_string())),
        Unmergeable::Quarantined => problem.with("stage", json!([from.stage, into.stage])),
        Unmergeable::Itself | Unmergeable::OtherCompany | Unmergeable::Erased | Unmergeable::TooMany => {
            problem
        }
    }
}
