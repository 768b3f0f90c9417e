//! Activity: per lead (or visitor) and day, sets of interaction ids. An interaction is one `ADD` to a
//! set: idempotent and free of order, without a transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use leadyard_domain::ids::{CompanyId, LeadId, VisitorId};
use leadyard_domain::lead::Lead;
use leadyard_domain::scoring::{Activity, InteractionId, InteractionKind};
use leadyard_domain::time::UtcDay;

use super::keys::Key;
use super::{Item, Store, StoreError, number, read_string};

/// Whose interactions: a lead's, or a visitor's we do not know yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Visits {
    /// A lead's.
    Lead(LeadId),
    /// A visitor's.
    Visitor(CompanyId, VisitorId),
}

/// How long a stranger's interactions are kept.
const VISITOR_DAYS: i64 = 30;
/// An attribute of a kind begins so; revoked ids stand in `r`.
const KIND_PREFIX: &str = "k.";
const REVOKED: &str = "r";

impl Visits {
    fn key(&self, day: UtcDay) -> Key<'_> {
        match self {
            Self::Lead(lead) => Key::Activity(*lead, day),
            Self::Visitor(company, visitor) => Key::VisitorActivity(company, *visitor, day),
        }
    }
}

impl Store {
    /// Adds interactions of one day to the sets. Repeating it changes nothing.
    pub async fn activity_add(
        &self,
        of: &Visits,
        day: UtcDay,
        interactions: &[(InteractionKind, InteractionId)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut sets: HashMap<String, Vec<Blob>> = HashMap::new();
        for (kind, id) in interactions {
            let ids = sets.entry(format!("{KIND_PREFIX}{kind}")).or_default();
            let blob = Blob::new(id.bytes());
            if !ids.contains(&blob) {
                ids.push(blob);
            }
        }
        self.activity_add_sets(of, day, sets, now).await
    }

    async fn activity_add_sets(
        &self,
        of: &Visits,
        day: UtcDay,
        sets: HashMap<String, Vec<Blob>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut sets: Vec<(String, Vec<Blob>)> =
            sets.into_iter().filter(|(_, ids)| !ids.is_empty()).collect();
        if sets.is_empty() {
            return Ok(());
        }
        sets.sort_by(|a, b| a.0.cmp(&b.0));
        let key = of.key(day);
        let mut request =
            self.client.update_item().table_name(&self.table).set_key(Some(super::key_item(&key)));
        let mut adds = Vec::new();
        for (at, (attribute, ids)) in sets.into_iter().enumerate() {
            adds.push(format!("#k{at} :k{at}"));
            request = request
                .expression_attribute_names(format!("#k{at}"), attribute)
                .expression_attribute_values(format!(":k{at}"), AttributeValue::Bs(ids));
        }
        let mut expression = format!("ADD {}", adds.join(", "));
        if matches!(of, Visits::Visitor(_, _)) {
            expression.push_str(" SET #ttl = :ttl");
            request = request
                .expression_attribute_names("#ttl", super::schema::TTL)
                .expression_attribute_values(":ttl", number(now.as_second() + VISITOR_DAYS * 86_400));
        }
        request.update_expression(expression).send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// What a lead did, and those that were merged into it: each goes on standing where it stood, and the union
    /// is made anew, so that nothing is lost that is added to one of them while they are merged.
    pub async fn activity_of_lead(&self, lead: &Lead) -> Result<Activity, StoreError> {
        let mut activity = self.activity(Key::Lead(lead.id).pk(), None).await?;
        self.activity_of_merged(lead, &mut activity).await?;
        Ok(activity)
    }

    pub(super) async fn activity_of_merged(
        &self,
        lead: &Lead,
        activity: &mut Activity,
    ) -> Result<(), StoreError> {
        for merged in &lead.merged {
            activity.union(&self.activity(Key::Lead(*merged).pk(), None).await?);
        }
        Ok(())
    }

    async fn activity(&self, pk: String, now: Option<Timestamp>) -> Result<Activity, StoreError> {
        let mut activity = Activity::new();
        for item in self.query_prefix(pk, "Y#").await? {
            let expired = now.is_some_and(|now| {
                super::read_number::<i64>(&item, super::schema::TTL).is_some_and(|ttl| ttl < now.as_second())
            });
            if !expired {
                read_day(&item, &mut activity);
            }
        }
        Ok(activity)
    }

    /// Joins a visitor's interactions to a lead's: a union of sets, so that doing it twice is doing it
    /// once.
    pub async fn activity_join(
        &self,
        company: &CompanyId,
        visitor: VisitorId,
        lead: LeadId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let theirs = self.activity(Key::Visitor(company, visitor).pk(), Some(now)).await?;
        for (day, activity) in theirs.days() {
            let mut sets: HashMap<String, Vec<Blob>> = activity
                .kinds()
                .map(|(kind, ids)| {
                    (format!("{KIND_PREFIX}{kind}"), ids.iter().map(|id| Blob::new(id.bytes())).collect())
                })
                .collect();
            sets.insert(
                REVOKED.to_owned(),
                activity.revoked().iter().map(|id| Blob::new(id.bytes())).collect(),
            );
            self.activity_add_sets(&Visits::Lead(lead), day, sets, now).await?;
        }
        Ok(())
    }
}

/// Adds what one day's item holds. An attribute we cannot read is one that a newer version wrote.
pub(super) fn read_day(item: &Item, activity: &mut Activity) {
    let day = read_string(item, "sk").and_then(|sk| sk.strip_prefix("Y#")).and_then(|day| day.parse().ok());
    let Some(day) = day.map(UtcDay) else { return };
    for (name, value) in item {
        let ids = value.as_bs().ok().into_iter().flatten();
        let ids = ids.filter_map(|id| Some(InteractionId::from_bytes(id.as_ref().try_into().ok()?)));
        if name == REVOKED {
            ids.for_each(|id| {
                activity.revoke(day, id);
            });
        } else if let Some(Ok(kind)) = name.strip_prefix(KIND_PREFIX).map(InteractionKind::new) {
            ids.for_each(|id| {
                activity.add(day, kind.clone(), id);
            });
        }
    }
}
