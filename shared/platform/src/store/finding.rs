//! Leads in the order of an index: the hottest, a stage's, a source's; and the enquiries of a day. Shards are merged on read,
//! and what is read does not grow with how many there are.

use std::cmp::Reverse;
use std::collections::VecDeque;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use jiff::Timestamp;
use leadyard_domain::ids::{CategoryId, CompanyId, EnquiryId, LeadId, SourceId};
use leadyard_domain::lead::Stage;
use leadyard_domain::time::UtcDay;

use super::keys::{self, DueKey};
use super::schema::{ARRIVALS, Index, STAGE};
use super::{Item, Store, StoreError, number, read_number, read_string, string};

/// Where a lead stands in a list: its sort key and itself.
pub type Place = (String, LeadId);

/// Where a lead stands among those of a source: its sort key (see [`keys::source_sort`]) and itself.
pub type Asked = (i64, LeadId);

/// Where an enquiry stands among those of a day: when it arrived, in Unix milliseconds, and itself.
pub type Arrived = (i64, EnquiryId);

/// One fit letter of a partition in order of score, or those of it who were never scored, read from the front on.
#[derive(Clone, Debug)]
pub struct Front {
    /// The most engaged first.
    pub places: VecDeque<Place>,
    /// The others stand before this sort key; none, where these are all.
    pub behind: Option<String>,
    partition: String,
    /// How its sort keys begin.
    group: String,
}

impl Front {
    /// No sort key is smaller.
    const LAST: &'static str = "0";

    /// Whether it is of those who were never scored.
    pub fn is_unscored(&self) -> bool {
        self.group == Self::LAST
    }

    /// Those who stand behind what is known of it; `None` where nobody does.
    fn rest(&self) -> Option<(AttributeValue, AttributeValue)> {
        let behind = self.behind.as_ref()?;
        (*behind > keys::stage_before(&self.group, i64::MIN)).then(|| (string(&self.group), string(behind)))
    }
}

/// Leads of a shard that one read takes.
pub(crate) const WHOLE: usize = 100;

impl Store {
    /// Leads of a stage and a category, of each fit letter the most engaged, at most `most` of each. A read of each of
    /// [`keys::STAGE_SHARDS`] shards; of one in which more than [`WHOLE`] stand, one more for each letter that these do
    /// not show.
    pub async fn leads_hottest(
        &self,
        company: &CompanyId,
        stage: Stage,
        category: &CategoryId,
        most: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let fronts = self.stage_fronts(company, stage, category, None, most.max(WHOLE)).await?;
        let mut found: Vec<Place> = fronts.into_iter().flat_map(|front| front.places).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        let mut of_letter = 0;
        let mut last = None;
        found.retain(|(sort, _)| {
            let letter = keys::letter_of_stage(sort);
            of_letter = if letter == last { of_letter + 1 } else { 1 };
            last = letter;
            letter.is_some() && of_letter <= most
        });
        Ok(found)
    }

    /// How many stand in a partition, at most `most`. One read.
    pub(super) async fn count_of_shard(&self, partition: String, most: usize) -> Result<usize, StoreError> {
        Ok(self.newest_first(STAGE, partition, None, None, most).await?.0.len())
    }

    /// The fronts of a stage and category: see [`Store::fronts`], of each of [`keys::STAGE_SHARDS`] shards.
    pub async fn stage_fronts(
        &self,
        company: &CompanyId,
        stage: Stage,
        category: &CategoryId,
        before: Option<&[String]>,
        most: usize,
    ) -> Result<Vec<Front>, StoreError> {
        let shards = (0..keys::STAGE_SHARDS).map(|shard| {
            let partition = keys::stage_shard(company, stage.as_str(), category, shard);
            self.fronts(partition, before, most)
        });
        Ok(try_join_all(shards).await?.into_iter().flatten().collect())
    }

    /// Of a partition in order of score, of each fit letter and of who was never scored, the most engaged: all, or those
    /// that stand before the sort key that `before` has of their group (in the order of [`keys::stage_groups`]). At least
    /// `most` of each letter, where so many stand there. One read, where no more than `most` stand in the partition, and
    /// one more for each letter that it did not tell enough of, at most four in all; who was never scored is read where the
    /// others do not fill `most`.
    pub(super) async fn fronts(
        &self,
        partition: String,
        before: Option<&[String]>,
        most: usize,
    ) -> Result<Vec<Front>, StoreError> {
        let groups = keys::stage_groups();
        let at_first = |group: &String| format!("{group}$");
        let before = before.map_or_else(|| groups.iter().map(at_first).collect(), <[String]>::to_vec);
        let unread = |(group, behind): (&String, &String)| Front {
            places: VecDeque::new(),
            behind: Some(behind.clone()),
            partition: partition.clone(),
            group: group.clone(),
        };
        let mut fronts: Vec<Front> = groups.iter().zip(&before).map(unread).collect();
        // One read may tell of every group: those that stand behind in one stand before in none.
        let between = before.first().map(|first| (string(Front::LAST), string(first)));
        let (items, next) = self.newest_first(STAGE, partition.clone(), between, None, most + 1).await?;
        let mut last = 0;
        for place in items.iter().filter_map(place_of) {
            last = groups.iter().position(|group| place.0.starts_with(group.as_str())).unwrap_or(last);
            let Some(front) = fronts.get_mut(last) else { continue };
            if front.behind.as_ref().is_some_and(|behind| place.0 < *behind) {
                front.behind = Some(place.0.clone());
                front.places.push_back(place);
            }
        }
        // In their order: all of the groups before the last that is seen.
        for (of, front) in fronts.iter_mut().enumerate() {
            if next.is_none() || of < last {
                front.behind = None;
            }
        }
        let scored = fronts.iter_mut().filter(|front| !front.is_unscored());
        try_join_all(scored.map(|front| self.read_on(front, most))).await?;
        let known: usize = fronts.iter().map(|front| front.places.len()).sum();
        if known < most {
            try_join_all(fronts.iter_mut().map(|front| self.read_on(front, most))).await?;
        }
        Ok(fronts)
    }

    /// Reads on in a front, until so many stand in it. One read, or none where they do, or nobody follows.
    pub async fn read_on(&self, front: &mut Front, most: usize) -> Result<(), StoreError> {
        let wanted = most.saturating_sub(front.places.len());
        if wanted == 0 {
            return Ok(());
        }
        let Some(rest) = front.rest() else {
            front.behind = None;
            return Ok(());
        };
        let (items, next) =
            self.newest_first(STAGE, front.partition.clone(), Some(rest), None, wanted + 1).await?;
        // Who stands at the key itself comes again.
        for place in items.iter().filter_map(place_of) {
            if front.behind.as_ref().is_some_and(|behind| place.0 < *behind) {
                front.behind = Some(place.0.clone());
                front.places.push_back(place);
            }
        }
        if next.is_none() {
            front.behind = None;
        }
        Ok(())
    }

    /// A page of one shard of the waiting room in the order of its index.
    pub async fn waiting_page(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        shard: u8,
        start: Option<Item>,
        most: usize,
    ) -> Result<(Vec<Place>, Option<Item>), StoreError> {
        let partition = keys::stage_shard(company, Stage::Waiting.as_str(), category, shard);
        let (items, next) = self.newest_first(STAGE, partition, None, start, most).await?;
        Ok((items.iter().filter_map(place_of).collect(), next))
    }

    /// Leads of a stage and category in the order of their index: by fit letter, then the most engaged first; from behind
    /// a place on; at most `most`. [`keys::STAGE_SHARDS`] reads.
    pub async fn leads_in_stage(
        &self,
        company: &CompanyId,
        stage: Stage,
        category: &CategoryId,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let upto = after.map(|(sort, _)| (string("0"), string(sort)));
        let shards = (0..keys::STAGE_SHARDS).map(|shard| {
            let partition = keys::stage_shard(company, stage.as_str(), category, shard);
            // Those who stand where the last one stood come again, and are left out below.
            self.newest_first(STAGE, partition, upto.clone(), None, most + 1)
        });
        let items = try_join_all(shards).await?.into_iter().flat_map(|(items, _)| items);
        let mut found: Vec<Place> = items
            .filter_map(|item| place_of(&item))
            .filter(|place| after.is_none_or(|after| place < after))
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(most);
        Ok(found)
    }

    /// Leads of a stage and a category to be put in another order than their score's: all, where in no shard as many as
    /// `most` stand, else of each fit letter, and of who was never scored, the first so many of each shard; and whether these
    /// are all. A read of each of [`keys::STAGE_SHARDS`] shards, and at most four of one in which more stand.
    pub async fn leads_to_order(
        &self,
        company: &CompanyId,
        stage: Stage,
        category: &CategoryId,
        most: usize,
    ) -> Result<(Vec<Place>, bool), StoreError> {
        let mut fronts = self.stage_fronts(company, stage, category, None, most).await?;
        try_join_all(fronts.iter_mut().map(|front| self.read_on(front, most))).await?;
        let whole = fronts.iter().all(|front| front.behind.is_none());
        Ok((fronts.into_iter().flat_map(|front| front.places).collect(), whole))
    }

    /// A source's leads from behind a place on, who asked last first, at most `most`. [`keys::SHARDS`] reads.
    pub async fn leads_of_source(
        &self,
        company: &CompanyId,
        source: &SourceId,
        before: Option<Asked>,
        most: usize,
    ) -> Result<Vec<Asked>, StoreError> {
        let upto = before.map_or(i64::MAX, |(sort, _)| sort);
        let shards = (0..keys::SHARDS).map(|shard| {
            let partition = keys::source_shard(company, source, shard);
            self.of_arrivals_shard(partition, (0, upto), before, most, lead_of)
        });
        let mut found: Vec<Asked> = try_join_all(shards).await?.into_iter().flatten().collect();
        found.sort_unstable_by_key(|place| Reverse(*place));
        found.truncate(most);
        Ok(found)
    }

    /// A company's enquiries of a UTC day that arrived from one instant to before another, from behind a place on, the
    /// newest first, at most `most`. [`keys::SHARDS`] reads.
    pub async fn enquiries_of_day(
        &self,
        company: &CompanyId,
        day: UtcDay,
        (from, to): (Timestamp, Timestamp),
        before: Option<Arrived>,
        most: usize,
    ) -> Result<Vec<Arrived>, StoreError> {
        let (from, last) = (from.as_millisecond(), to.as_millisecond() - 1);
        let upto = before.map_or(last, |(at_ms, _)| last.min(at_ms));
        // A table refuses a range that ends before it begins.
        if upto < from {
            return Ok(Vec::new());
        }
        let shards = (0..keys::SHARDS).map(|shard| {
            let partition = keys::arrivals_shard(company, day, shard);
            self.of_arrivals_shard(partition, (from, upto), before, most, enquiry_of)
        });
        let mut found: Vec<Arrived> = try_join_all(shards).await?.into_iter().flatten().collect();
        found.sort_unstable_by_key(|place| Reverse(*place));
        found.truncate(most);
        Ok(found)
    }

    /// What stands in a shard of the *arrivals* index between two sort keys and behind a place, at most `most`, and more: of
    /// the last sort key all, since nothing says in which order those come.
    async fn of_arrivals_shard<T: Copy + Ord>(
        &self,
        partition: String,
        (from, upto): (i64, i64),
        before: Option<(i64, T)>,
        most: usize,
        of: fn(&Item) -> Option<T>,
    ) -> Result<Vec<(i64, T)>, StoreError> {
        let read = |item: &Item| Some((read_number::<i64>(item, ARRIVALS.sort)?, of(item)?));
        let (mut found, mut start) = (Vec::<(i64, T)>::new(), None);
        loop {
            let between = Some((number(from), number(upto)));
            // The one that is behind comes again, and is left out.
            let (items, next) =
                self.newest_first(ARRIVALS, partition.clone(), between, start, most + 1).await?;
            let last: Option<i64> = items.iter().filter_map(read).next_back().map(|(sort, _)| sort);
            found.extend(
                items.iter().filter_map(read).filter(|place| before.is_none_or(|before| *place < before)),
            );
            let enough =
                most.checked_sub(1).and_then(|nth| found.get(nth)).is_some_and(|place| last < Some(place.0));
            if next.is_none() || enough {
                return Ok(found);
            }
            start = next;
        }
    }

    /// Keys of one partition of an index, backwards; between two sort keys, if they are given; from where a read
    /// before ended. And where this one did, if there is more.
    pub(super) async fn newest_first(
        &self,
        index: Index,
        partition: String,
        between: Option<(AttributeValue, AttributeValue)>,
        start: Option<Item>,
        most: usize,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let condition = if between.is_some() { "#p = :p AND #s BETWEEN :from AND :to" } else { "#p = :p" };
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index.name)
            .key_condition_expression(condition)
            .expression_attribute_names("#p", index.partition)
            .expression_attribute_values(":p", string(partition))
            .scan_index_forward(false)
            .set_exclusive_start_key(start)
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        if let Some((from, to)) = between {
            query = query
                .expression_attribute_names("#s", index.sort)
                .expression_attribute_values(":from", from)
                .expression_attribute_values(":to", to);
        }
        let answer = query.send().await.map_err(StoreError::unavailable)?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key.filter(|key| !key.is_empty())))
    }
}

fn place_of(item: &Item) -> Option<Place> {
    Some((read_string(item, STAGE.sort)?.to_owned(), lead_of(item)?))
}

fn enquiry_of(item: &Item) -> Option<EnquiryId> {
    read_string(item, "pk")?.strip_prefix("E#")?.parse().ok()
}

fn lead_of(item: &Item) -> Option<LeadId> {
    match DueKey::read(read_string(item, "pk")?, read_string(item, "sk")?)? {
        DueKey::Lead(lead) | DueKey::FollowUp(lead) => Some(lead),
        DueKey::Assignment(_, _, _)
        | DueKey::Delivery { .. }
        | DueKey::Wake(_, _)
        | DueKey::WakeAt(_, _, _)
        | DueKey::Postback(_, _)
        | DueKey::Enquiry(_)
        | DueKey::Erasure(_, _)
        | DueKey::Watch(_)
        | DueKey::Now(_) => None,
    }
}
