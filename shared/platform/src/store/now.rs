//! What matters of a company now, as it was counted last: one item; see [`crate::now`].

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::ids::{CompanyId, LeadId};

use super::keys::{self, Key};
use super::{Item, Store, StoreError, key_item, number, read_number, read_string, stands, string};

/// A claim of the sweep ends before that.
const CLAIMED: SignedDuration = SignedDuration::from_secs(75);

/// What was kept, and what happened since.
#[derive(Clone, Debug, Default)]
pub struct StoredNow {
    /// What was counted, as it is written; nothing, where that was outdated.
    pub text: Option<String>,
    /// When something changed last that was not counted, in Unix milliseconds.
    pub touched_ms: Option<i64>,
    /// Leads that came to stand high since.
    pub rose: Vec<LeadId>,
}

impl StoredNow {
    fn read(item: &Item) -> Self {
        let rose = item.get("rose").and_then(|rose| rose.as_ss().ok());
        Self {
            text: read_string(item, "now").map(str::to_owned),
            touched_ms: read_number(item, "touched_ms"),
            rose: rose.into_iter().flatten().filter_map(|lead| lead.parse().ok()).collect(),
        }
    }
}

impl Store {
    /// What was kept last; nothing, where nothing ever was.
    pub async fn now_get(&self, company: &CompanyId) -> Result<Option<StoredNow>, StoreError> {
        Ok(self.get(&Key::Now(company)).await?.as_ref().map(StoredNow::read))
    }

    /// Keeps what was counted as of an instant, and when it is to be counted again though nothing happens, unless something
    /// later is kept, or it was outdated since. Those that rose before it was counted are within it. Where something
    /// changed meanwhile, it is due as after a change.
    pub async fn now_keep(
        &self,
        company: &CompanyId,
        text: &str,
        at: Timestamp,
        (due, due_touched): (Option<Timestamp>, Timestamp),
        rose: &[LeadId],
    ) -> Result<(), StoreError> {
        const LATEST: &str = "(attribute_not_exists(ms) OR ms <= :at)";
        const UNTOUCHED: &str = "(attribute_not_exists(touched_ms) OR touched_ms < :at)";
        let unless_touched = (due, format!("{LATEST} AND {UNTOUCHED}"));
        for (due, condition) in [unless_touched, (Some(due_touched), LATEST.to_owned())] {
            let mut says = "SET #now = :now, ms = :at".to_owned();
            let mut write = self
                .now_update(company)
                .condition_expression(condition)
                .expression_attribute_names("#now", "now")
                .expression_attribute_values(":now", string(text))
                .expression_attribute_values(":at", number(at.as_millisecond()));
            match due {
                Some(due) => {
                    says.push_str(", dk = :shard, dt = :due");
                    write = due_at(write, company, due);
                }
                None => says.push_str(" REMOVE dk, dt"),
            }
            if !rose.is_empty() {
                says.push_str(" DELETE rose :rose");
                write = write.expression_attribute_values(":rose", set_of(rose));
            }
            if stands(write.update_expression(says).send().await)? {
                break;
            }
        }
        Ok(())
    }

    /// Says that something changed at an instant, which leads rose by it, and by when it is to be counted.
    pub async fn now_touch(
        &self,
        company: &CompanyId,
        at: Timestamp,
        due: Timestamp,
        rose: &[LeadId],
    ) -> Result<(), StoreError> {
        let mut says = "SET touched_ms = :at, dk = :shard, dt = :due".to_owned();
        let mut write = due_at(self.now_update(company), company, due)
            .condition_expression("attribute_not_exists(touched_ms) OR touched_ms < :at")
            .expression_attribute_values(":at", number(at.as_millisecond()));
        if !rose.is_empty() {
            says.push_str(" ADD rose :rose");
            write = write.expression_attribute_values(":rose", set_of(rose));
        }
        if stands(write.update_expression(says).send().await)? || rose.is_empty() {
            return Ok(());
        }
        // Somebody was later, and said the rest.
        let write = self.now_update(company).update_expression("ADD rose :rose");
        let write = write.expression_attribute_values(":rose", set_of(rose));
        write.send().await.map(drop).map_err(StoreError::unavailable)
    }

    /// It is to be counted by then, or a little later: what a sweep has claimed meanwhile it counts.
    pub async fn now_due(&self, company: &CompanyId, due: Timestamp) -> Result<(), StoreError> {
        let claimed = due.checked_add(CLAIMED).unwrap_or(due);
        let write = due_at(self.now_update(company), company, due)
            .update_expression("SET dk = :shard, dt = :due")
            .condition_expression("attribute_not_exists(dt) OR dt > :claimed")
            .expression_attribute_values(":claimed", number(claimed.as_millisecond()));
        stands(write.send().await).map(drop)
    }

    /// It is not to be counted: there are no rules.
    pub async fn now_rests(&self, company: &CompanyId) -> Result<(), StoreError> {
        let write = self.now_update(company).update_expression("REMOVE dk, dt");
        stands(write.condition_expression("attribute_exists(dt)").send().await).map(drop)
    }

    /// Forgets what was found before this instant, or is being found; it is to be counted at once.
    pub async fn now_outdate(&self, company: &CompanyId, at: Timestamp) -> Result<(), StoreError> {
        let write = due_at(self.now_update(company), company, at)
            .update_expression("SET ms = :at, dk = :shard, dt = :due REMOVE #now")
            .condition_expression("attribute_not_exists(ms) OR ms <= :at")
            .expression_attribute_names("#now", "now")
            .expression_attribute_values(":at", number(at.as_millisecond()));
        stands(write.send().await).map(drop)
    }

    fn now_update(&self, company: &CompanyId) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).set_key(Some(key_item(&Key::Now(company))))
    }
}

fn due_at(write: UpdateItemFluentBuilder, company: &CompanyId, due: Timestamp) -> UpdateItemFluentBuilder {
    write
        .expression_attribute_values(":shard", string(keys::due_shard(keys::shard_of_name(company.as_str()))))
        .expression_attribute_values(":due", number(due.as_millisecond()))
}

fn set_of(leads: &[LeadId]) -> AttributeValue {
    AttributeValue::Ss(leads.iter().map(ToString::to_string).collect())
}
