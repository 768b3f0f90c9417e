//! The watch over a publish, and the roll back that follows: the version before once more, in the parts in which it stands.
//! Nothing is parsed or compiled for it, and no more is held than the texts of both versions, so that whoever watches needs
//! no memory for the rules.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::rulebook::NewLeads;
use serde::{Deserialize, Serialize};

use super::access;
use super::keys::{self, Key};
use super::rulebook::{keyed, text_pieces};
use super::{
    Item, Published, RolledBack, RulebookVersion, Store, StoreError, items, number, read_string, string,
    values,
};

/// The desk's people of a rulebook.
const PEOPLE: &str = "people.csv";

/// Who rolls back, where nobody does.
const BY: &str = "leadyard";

/// A publish that is watched, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The version that is.
    pub version: u64,
    /// The version before.
    pub base: u64,
    /// When it was published.
    pub published: Timestamp,
    /// From when on leads are compared with those after it.
    pub compared_from: Timestamp,
    /// Those, once they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<NewLeads>,
    /// Its leads were as those before it: with what it decided the next one may be compared, and with what was before.
    #[serde(default)]
    pub stood: bool,
}

impl Store {
    /// What is watched of a company, or was last.
    pub async fn rulebook_watch(&self, company: &CompanyId) -> Result<Option<Watch>, StoreError> {
        let Some(item) = self.get(&Key::RulebookWatch(company)).await? else { return Ok(None) };
        serde_dynamo::from_item(item).map(Some).map_err(|error| StoreError::damaged("rulebook watch", error))
    }

    /// Keeps a watch, to be looked at again at an instant; or never, where it is over. Of a version that is watched no
    /// more nothing is kept.
    pub async fn rulebook_watch_keep(
        &self,
        company: &CompanyId,
        watch: &Watch,
        looks: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let bound = values([(":version", number(watch.version))]);
        self.put_if(watch_item(company, watch, looks)?, "version = :version", bound).await.map(drop)
    }

    /// The watch over a version that is put in force now, where its rules say so. The first is none: nothing was before
    /// it. One that rolls back is not watched, and what was decided before it is compared with nothing.
    pub(super) async fn watch_write(
        &self,
        core: &Core,
        of: &RulebookVersion,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let (company, published) = (core.company_id(), of.at);
        let Some(rule) = core.company.rollback.filter(|_| of.base != 0) else { return Ok(None) };
        let day = SignedDuration::from_hours(limits::ROLLBACK_BEFORE_HOURS);
        let day = published.checked_sub(day).unwrap_or(published);
        let in_doubt =
            self.rulebook_watch(company).await?.filter(|last| last.version == of.base && !last.stood);
        let compared_from = in_doubt.map_or(day, |last| last.published.max(day));
        let watch = Watch {
            version: of.version,
            base: of.base,
            published,
            compared_from,
            before: None,
            stood: false,
        };
        let looks = (!of.is_rollback()).then(|| rule.looks_next(published, published));
        self.put(watch_item(company, &watch, looks)?, "", values([])).map(Some)
    }

    /// Puts the version before a watched one in force again, if that one still is, but for the desk's people.
    pub async fn rulebook_roll_back(
        &self,
        company: &CompanyId,
        watch: &Watch,
        why: RolledBack,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let (base, to) = (watch.version, watch.base);
        let Some(before) = self.rulebook_core(company, to).await? else {
            return Err(StoreError::damaged("rulebook core", std::io::Error::other("there is none")));
        };
        let version = self.claim_version(company, base).await?;
        self.copy_parts(company, "chunk", (to, version)).await?;
        let parts = self.roll_back_files(company, watch, version).await?;
        let former = self.categories_left(&before, base).await?;
        let core = Core { version, former, ..before };
        let text = serde_json::to_string(&core).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        self.put_plain(keyed(&Key::RulebookCore(company, version), "core", string(text))).await?;
        let how = RulebookVersion::rollback_to(to);
        let of = RulebookVersion { version, base, at: now, by: BY.to_owned(), how, rolled_back: Some(why) };
        self.point_at(&core, parts, of).await
    }

    /// The files of the version before, and who may sign in by it; how many parts these are. The desk's people stay as the
    /// version has them that is rolled back: whoever was taken out has no access again because of leads, and whoever came
    /// keeps it.
    async fn roll_back_files(
        &self,
        company: &CompanyId,
        watch: &Watch,
        version: u64,
    ) -> Result<usize, StoreError> {
        let text = async |of| {
            let none = || StoreError::damaged("rulebook text", std::io::Error::other("there is none"));
            self.rulebook_text(company, of).await?.ok_or_else(none)
        };
        let (mut files, mut latest) = (text(watch.base).await?, text(watch.version).await?);
        let people = latest.remove(PEOPLE);
        if files.get(PEOPLE) == people.as_ref() {
            self.copy_parts(company, "text", (watch.base, version)).await?;
            return self.copy_parts(company, "access", (watch.base, version)).await;
        }
        files.remove(PEOPLE);
        files.extend(people.map(|people| (PEOPLE.to_owned(), people)));
        for (piece, place) in text_pieces(&files)?.into_iter().zip(0..) {
            self.put_plain(keyed(&Key::RulebookText(company, version, place), "text", piece)).await?;
        }
        let access = async |of| {
            let parts = self.pieces_of(&Key::RulebookAccess(company, of, 0)).await?;
            parts.iter().map(access::read_part).collect::<Result<Vec<_>, StoreError>>()
        };
        let parts = access::dealers_and_staff(access(watch.base).await?, access(watch.version).await?);
        for (number, part) in (0..).zip(&parts) {
            self.put_plain(access::part_item(&Key::RulebookAccess(company, version, number), part)?).await?;
        }
        Ok(parts.len())
    }

    /// Copies the parts of a kind from one version to another, a page at a time; how many there are.
    async fn copy_parts(
        &self,
        company: &CompanyId,
        kind: &str,
        (from, to): (u64, u64),
    ) -> Result<usize, StoreError> {
        let prefix = |version: u64| format!("{kind}#{version:010}#");
        let (old, new) = (prefix(from), prefix(to));
        let pk = Key::RulebookPointer(company).pk();
        let (mut copied, mut start) = (0, None);
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND begins_with(sk, :old)")
                .expression_attribute_values(":pk", string(&pk))
                .expression_attribute_values(":old", string(&old))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            for mut part in answer.items.into_iter().flatten() {
                let rest = read_string(&part, "sk").and_then(|sk| sk.strip_prefix(&old)).unwrap_or_default();
                let sk = format!("{new}{rest}");
                part.insert("sk".to_owned(), AttributeValue::S(sk));
                self.put_plain(part).await?;
                copied += 1;
            }
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(copied);
            }
        }
    }
}

fn watch_item(company: &CompanyId, watch: &Watch, looks: Option<Timestamp>) -> Result<Item, StoreError> {
    let mut item = items::to_item(&Key::RulebookWatch(company), watch)?;
    if let Some(at) = looks {
        item.insert("dk".to_owned(), string(keys::due_shard(keys::shard_of_name(company.as_str()))));
        item.insert("dt".to_owned(), number(at.as_millisecond()));
    }
    Ok(item)
}
