//! Follow-ups: one item beside its lead, only of leads that are or were followed up. While a call is planned it is in the
//! index *due* at that time; once that has come, in the day's list of its company, in steps of its score, and in *due* once a
//! day, so that one that belongs there no more is found.

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::followup::{FollowUp, Reason, Step};
use leadyard_domain::ids::{CompanyId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_domain::limits;
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::leads::UNCHANGED;
use super::{
    Act, Commit, Item, Place, Store, StoreError, items, number, read_number, read_string, string, values,
};

/// A lead's follow-up as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFollowUp {
    /// Counts writes; 0 of one that does not stand yet.
    pub version: u64,
    /// How it stands.
    pub state: FollowUp,
    /// When the sweep looks at it.
    pub looked_at: Option<Timestamp>,
    /// Its place in the day's list.
    pub sort: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct FollowUpItem {
    lead: LeadId,
    co: CompanyId,
    v: u64,
    s: FollowUp,
}

/// How many stand in the day's list.
#[derive(Clone, Copy, Debug, Default)]
pub struct DayCount {
    /// Those whose promised time has come.
    pub promised: usize,
    /// The others.
    pub due: usize,
}

/// The day's list, by its head: of each fit letter the most engaged.
#[derive(Clone, Debug, Default)]
pub struct DayList {
    /// Those whose promised time has come.
    pub promised: Vec<Place>,
    /// The others.
    pub due: Vec<Place>,
}

/// How far a company's day was read: of each list and fit letter the last, by their sort keys. No score of a day stands in
/// it: the order within a letter is the same whenever the next page is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayRead {
    /// Of those whose promised time had come.
    pub promised: Vec<String>,
    /// Of the others; where any of them was read, all promised ones were.
    pub due: Vec<String>,
}

impl DayRead {
    /// One more was read.
    pub fn pass(&mut self, promised: bool, sort: &str) {
        let read = if promised { &mut self.promised } else { &mut self.due };
        read.retain(|one| one.get(..1) != sort.get(..1));
        read.push(sort.to_owned());
    }

    /// Whether it can have come of [`pass`](Self::pass): of each letter one place, of such a form.
    pub fn is_sound(&self) -> bool {
        const SORT_CHARS: usize = 120;
        let groups = keys::stage_groups();
        let is_place = |sort: &String| {
            let of =
                |group: &String| sort.strip_prefix(group.as_str()).is_some_and(|rest| rest.starts_with('#'));
            sort.len() <= SORT_CHARS && sort.is_ascii() && groups.iter().any(of)
        };
        [&self.promised, &self.due].iter().all(|read| read.len() <= groups.len() && read.iter().all(is_place))
    }
}

impl StoredFollowUp {
    /// The first of a lead.
    pub const fn new(state: FollowUp) -> Self {
        Self { version: 0, state, looked_at: None, sort: None }
    }

    /// Whether its due time is over, or was moved forward by a sweep that has not looked yet.
    pub fn is_claimed_by_sweep(&self, now: Timestamp) -> bool {
        const LONGER: SignedDuration = SignedDuration::from_hours(1);
        self.looked_at.is_some_and(|at| at.duration_since(now) < LONGER)
    }

    /// Whether its place in the day's list is another by its lead's score now.
    pub fn moves(&self, lead: &Lead) -> bool {
        self.state.is_due() && self.sort.as_deref() != Some(items::coarse_sort(lead).as_str())
    }

    /// When the sweep looks whether one that is due belongs there still: when it looked anyway, if that is soon, since a due
    /// time that stays costs no write of the index.
    fn looks(&self, now: Timestamp) -> Option<Timestamp> {
        let within_a_day = now.checked_add(SignedDuration::from_hours(limits::FOLLOW_UP_LOOK_HOURS)).ok();
        let kept =
            self.looked_at.filter(|_| !self.is_claimed_by_sweep(now)).filter(|at| Some(*at) <= within_a_day);
        kept.or(within_a_day)
    }

    fn item(&self, lead: &Lead, now: Timestamp) -> Result<Item, StoreError> {
        let shape = FollowUpItem {
            lead: lead.id,
            co: lead.company.clone(),
            v: self.version + 1,
            s: self.state.clone(),
        };
        let mut item = items::to_item(&Key::FollowUp(lead.id), &shape)?;
        match self.state.step {
            Step::Planned { at } => items::index_due(&mut item, lead.id.bytes(), Some(at)),
            Step::Due { .. } => {
                items::index_due(&mut item, lead.id.bytes(), self.looks(now));
                let partition = if self.state.reason == Reason::Callback {
                    keys::promised_calls(&lead.company)
                } else {
                    keys::follow_ups_shard(&lead.company, keys::shard(lead.id.bytes()) % keys::STAGE_SHARDS)
                };
                item.insert("gk".to_owned(), string(partition));
                item.insert("gs".to_owned(), string(items::coarse_sort(lead)));
            }
            Step::Rests { .. } | Step::Ended { .. } => {}
        }
        Ok(item)
    }

    pub(super) fn read(item: Item) -> Result<Self, StoreError> {
        let looked_at = read_number::<i64>(&item, "dt").and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let sort = read_string(&item, "gs").map(str::to_owned);
        let shape: FollowUpItem =
            serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("follow-up", error))?;
        Ok(Self { version: shape.v, state: shape.s, looked_at, sort })
    }

    fn condition(&self) -> (&'static str, Item) {
        if self.version == 0 {
            ("attribute_not_exists(pk)", values([]))
        } else {
            (UNCHANGED, values([(":seen", number(self.version))]))
        }
    }
}

impl Store {
    /// A lead's follow-up.
    pub async fn follow_up_get(&self, lead: LeadId) -> Result<Option<StoredFollowUp>, StoreError> {
        self.get(&Key::FollowUp(lead)).await?.map(StoredFollowUp::read).transpose()
    }

    /// Keeps a changed one, in its place by the lead's score, if nobody else changed it since it was read.
    pub async fn follow_up_save(
        &self,
        lead: &Lead,
        next: &StoredFollowUp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (condition, bound) = next.condition();
        self.put_if(next.item(lead, now)?, condition, bound).await
    }

    /// The same with what the desk did; `lifted` keeps the lead as the desk changed it. `false` when somebody else changed
    /// one of them.
    pub async fn follow_up_act(
        &self,
        lead: &Lead,
        lifted: bool,
        next: &StoredFollowUp,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let (condition, bound) = next.condition();
        let mut writes =
            vec![self.put(next.item(lead, act.at)?, condition, bound)?, self.act_write(lead.id, act)?];
        if lifted {
            let changed = Lead { version: lead.version + 1, ..lead.clone() };
            let seen = values([(":seen", number(lead.version))]);
            writes.push(self.put(items::lead_item(&changed)?, UNCHANGED, seen)?);
        }
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// How many stand in a company's day; of each list at most `most` are counted. A read of each of
    /// [`keys::STAGE_SHARDS`] shards, and of the promised ones.
    pub async fn follow_ups_count(&self, company: &CompanyId, most: usize) -> Result<DayCount, StoreError> {
        let shards = (0..keys::STAGE_SHARDS)
            .map(|shard| self.count_of_shard(keys::follow_ups_shard(company, shard), most));
        let promised = self.count_of_shard(keys::promised_calls(company), most);
        let (promised, due) =
            futures::future::try_join(promised, futures::future::try_join_all(shards)).await?;
        Ok(DayCount { promised, due: due.into_iter().sum() })
    }

    /// A company's day from behind what was read of it, at most `most` of each fit letter and shard. An index may be behind,
    /// and so may a follow-up behind its lead: whoever reads looks at both. Of its head a read of each of
    /// [`keys::STAGE_SHARDS`] shards, and of the promised ones, and more of long ones: see [`Store::fronts`].
    pub async fn follow_ups_behind(
        &self,
        company: &CompanyId,
        read: &DayRead,
        most: usize,
    ) -> Result<DayList, StoreError> {
        let promised = async {
            if !read.due.is_empty() {
                return Ok(Vec::new());
            }
            self.in_order_behind(keys::promised_calls(company), &read.promised, most).await
        };
        let shards = (0..keys::STAGE_SHARDS)
            .map(|shard| self.in_order_behind(keys::follow_ups_shard(company, shard), &read.due, most));
        let (promised, due) =
            futures::future::try_join(promised, futures::future::try_join_all(shards)).await?;
        Ok(DayList { promised, due: due.into_iter().flatten().collect() })
    }

    async fn in_order_behind(
        &self,
        partition: String,
        read: &[String],
        most: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let behind = |group: String| {
            let last = read.iter().find(|sort| sort.starts_with(&group));
            last.cloned().unwrap_or_else(|| format!("{group}$"))
        };
        let before: Vec<String> = keys::stage_groups().into_iter().map(behind).collect();
        let fronts = self.fronts(partition, Some(&before), most).await?;
        Ok(fronts.into_iter().flat_map(|front| front.places).collect())
    }

    /// Leads with their follow-ups; of whom one is missing, both are.
    pub async fn follow_ups_get(&self, ids: &[LeadId]) -> Result<Vec<(Lead, StoredFollowUp)>, StoreError> {
        let keys: Vec<Key<'_>> = ids.iter().flat_map(|id| [Key::Lead(*id), Key::FollowUp(*id)]).collect();
        let (mut leads, mut follow_ups) = (Vec::new(), std::collections::HashMap::new());
        for item in self.get_many(&keys).await? {
            if read_string(&item, "sk") == Some("L") {
                leads.push(items::read_lead(item)?);
            } else if let Some(pk) = read_string(&item, "pk").map(str::to_owned) {
                follow_ups.insert(pk, StoredFollowUp::read(item)?);
            }
        }
        let both = |lead: Lead| {
            let follow_up = follow_ups.remove(&Key::Lead(lead.id).pk())?;
            Some((lead, follow_up))
        };
        Ok(leads.into_iter().filter_map(both).collect())
    }
}
