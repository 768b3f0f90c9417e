//! Activity: per lead (or visitor) and day, sets of interaction ids. An interaction is one `ADD` to a
//! set: idempotent and free of order, without a transaction. What speaks for a machine, and the desk's words on it, are
//! sets beside them.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use leadyard_domain::ids::{CompanyId, LeadId, VisitorId};
use leadyard_domain::lead::Lead;
use leadyard_domain::scoring::{
    Activity, Click, DayActivity, Interaction, InteractionId, InteractionKind, InteractionRef, MessageHash,
    Said, Word,
};
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
/// Sets that one write adds to.
const SETS_AT_ONCE: usize = 100;
const KIND_PREFIX: &str = "k.";
const REVOKED: &str = "r";
/// Ids of what named itself as a machine; of a message, its clicks; the desk's words: an id, when in Unix milliseconds,
/// and a byte for the word. An earlier version passes over all three, and counts what they set aside.
const BY_SCANNERS: &str = "b";
const MESSAGE_PREFIX: &str = "m.";
const WORDS: &str = "w";

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
        interactions: &[Interaction],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut added = Activity::new();
        for interaction in interactions {
            added.take(day, interaction);
        }
        for (day, added) in added.days() {
            self.activity_add_sets(of, day, sets_of(added), now).await?;
        }
        Ok(())
    }

    /// Adds the desk's word on an interaction of a lead. Repeating it changes nothing.
    pub async fn activity_word(
        &self,
        lead: LeadId,
        of: InteractionRef,
        at: Timestamp,
        word: Word,
    ) -> Result<(), StoreError> {
        let mut said = Activity::new();
        said.say(of, (at.as_millisecond(), word));
        for (day, said) in said.days() {
            self.activity_add_sets(&Visits::Lead(lead), day, sets_of(said), at).await?;
        }
        Ok(())
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
        // An expression has 4 KB at most. A union of sets may be made in parts.
        for part in sets.chunks(SETS_AT_ONCE) {
            self.activity_add_part(of, day, part, now).await?;
        }
        Ok(())
    }

    async fn activity_add_part(
        &self,
        of: &Visits,
        day: UtcDay,
        sets: &[(String, Vec<Blob>)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = of.key(day);
        let mut request =
            self.client.update_item().table_name(&self.table).set_key(Some(super::key_item(&key)));
        let mut adds = Vec::new();
        for (at, (attribute, ids)) in sets.iter().enumerate() {
            adds.push(format!("#k{at} :k{at}"));
            request = request
                .expression_attribute_names(format!("#k{at}"), attribute.clone())
                .expression_attribute_values(format!(":k{at}"), AttributeValue::Bs(ids.clone()));
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
            self.activity_add_sets(&Visits::Lead(lead), day, sets_of(activity), now).await?;
        }
        Ok(())
    }
}

/// The sets of one day, as they are stored.
fn sets_of(day: &DayActivity) -> HashMap<String, Vec<Blob>> {
    let ids = |ids: &BTreeSet<InteractionId>| ids.iter().map(|id| Blob::new(id.bytes())).collect();
    let kinds = day.kinds().map(|(kind, of_kind)| (format!("{KIND_PREFIX}{kind}"), ids(of_kind)));
    let messages = day.messages().map(|(message, clicks)| {
        let name = format!("{MESSAGE_PREFIX}{:016x}", u64::from_be_bytes(message.0));
        (name, clicks.iter().map(|click| Blob::new(click.bytes())).collect())
    });
    let words = day.words().map(|(id, (at_ms, word))| {
        let word = match word {
            Word::Restored => 0,
            Word::Revoked => 1,
        };
        Blob::new([id.bytes().as_slice(), at_ms.to_be_bytes().as_slice(), &[word]].concat())
    });
    kinds
        .chain(messages)
        .chain([
            (REVOKED.to_owned(), ids(day.revoked())),
            (BY_SCANNERS.to_owned(), ids(day.by_scanners())),
            (WORDS.to_owned(), words.collect()),
        ])
        .collect()
}

fn read_word(bytes: &[u8]) -> Option<(InteractionId, Said)> {
    let (id, rest) = bytes.split_first_chunk::<8>()?;
    let (at_ms, rest) = rest.split_first_chunk::<8>()?;
    let word = match rest {
        [0] => Word::Restored,
        [1] => Word::Revoked,
        _ => return None,
    };
    Some((InteractionId::from_bytes(*id), (i64::from_be_bytes(*at_ms), word)))
}

/// Adds what one day's item holds. An attribute we cannot read is one that a newer version wrote.
pub(super) fn read_day(item: &Item, activity: &mut Activity) {
    let day = read_string(item, "sk").and_then(|sk| sk.strip_prefix("Y#")).and_then(|day| day.parse().ok());
    let Some(day) = day.map(UtcDay) else { return };
    for (name, value) in item {
        let members = value.as_bs().ok().into_iter().flatten().map(AsRef::<[u8]>::as_ref);
        if let Some(message) = name.strip_prefix(MESSAGE_PREFIX) {
            let Ok(message) = u64::from_str_radix(message, 16) else { continue };
            let message = MessageHash(message.to_be_bytes());
            members.filter_map(Click::read).for_each(|click| activity.click(day, message, click));
            continue;
        }
        if name == WORDS {
            members
                .filter_map(read_word)
                .for_each(|(id, said)| activity.say(InteractionRef { day, id }, said));
            continue;
        }
        let ids = members.filter_map(|id| Some(InteractionId::from_bytes(id.try_into().ok()?)));
        if name == BY_SCANNERS {
            ids.for_each(|id| activity.by_scanner(day, id));
        } else if name == REVOKED {
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
