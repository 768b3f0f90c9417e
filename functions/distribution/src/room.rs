//! The waiting room in its order: the highest score first, the freshest first among equals. It is read as far as
//! somebody asks, and no further: most of who has a slot stands at its front.
//!
//! The index has each fit letter for itself (see [`leadyard_platform::scores`]): the letters of all shards are merged by the
//! score that each place has now. Where everybody is to be looked at, and in whatever order, it is read as it stands there.

use std::cmp::Reverse;
use std::collections::VecDeque;

use futures::future::try_join_all;
use leadyard_domain::ids::{CategoryId, CompanyId};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::scores::{Rank, Scores};
use leadyard_platform::store::{Item, Place, StoreError, keys};

/// Leads read from one shard at first, and then.
const PAGES: (usize, usize) = (25, 100);

/// Who waits in some categories, of each as many as are asked for: of those behind a place, where one is given.
pub(crate) struct Room<'a> {
    cloud: &'a Cloud,
    company: &'a CompanyId,
    /// By which scores; none, where it is read as it stands in the index.
    scores: Option<&'a Scores<'a>>,
    /// By category: how many more of it come at most.
    left: Vec<usize>,
    shards: Vec<Shard<'a>>,
}

/// One shard of a category, read so far.
struct Shard<'a> {
    category: &'a CategoryId,
    /// The category's place among those that are read.
    of: usize,
    /// Which of its shards.
    number: u8,
    groups: Vec<Group>,
    /// Nothing of it is read, and all of it is wanted: one read may tell of every group.
    is_new: bool,
}

/// What stands in order by itself: a fit letter, or who was never scored; or all.
struct Group {
    /// How its sort keys begin.
    begins: String,
    /// Before which sort key it is wanted.
    before: String,
    read: VecDeque<(Reverse<Rank>, Place)>,
    unread: Unread,
}

/// What is not read yet of a group.
enum Unread {
    /// All of it.
    All,
    /// From here on.
    From(Item),
    /// Nothing.
    Nothing,
}

impl<'a> Room<'a> {
    /// By the scores of now, before anything of it is read.
    pub(crate) fn by_score(
        cloud: &'a Cloud,
        company: &'a CompanyId,
        scores: &'a Scores<'a>,
        categories: &[&'a CategoryId],
        after: Option<&str>,
        most_of_each: usize,
    ) -> Self {
        let before = after.map(|after| scores.behind(after));
        let groups = || {
            let fronts = || keys::stage_groups().into_iter().map(|group| format!("{group}$")).collect();
            let before: Vec<String> = before.clone().unwrap_or_else(fronts);
            keys::stage_groups()
                .into_iter()
                .zip(before)
                .map(|(begins, before)| Group::new(begins, before))
                .collect()
        };
        let is_new = before.is_none();
        Self::of(cloud, company, Some(scores), categories, (most_of_each, is_new), groups)
    }

    /// As it stands in the index, for who looks at everybody.
    pub(crate) fn as_it_stands(
        cloud: &'a Cloud,
        company: &'a CompanyId,
        category: &'a CategoryId,
        after: Option<&str>,
        most: usize,
    ) -> Self {
        let all = || vec![Group::new("0".to_owned(), after.unwrap_or("9").to_owned())];
        Self::of(cloud, company, None, &[category], (most, false), all)
    }

    fn of(
        cloud: &'a Cloud,
        company: &'a CompanyId,
        scores: Option<&'a Scores<'a>>,
        categories: &[&'a CategoryId],
        (most_of_each, is_new): (usize, bool),
        groups: impl Fn() -> Vec<Group>,
    ) -> Self {
        let mut shards = Vec::new();
        for (of, category) in categories.iter().enumerate() {
            for number in 0..keys::STAGE_SHARDS {
                shards.push(Shard { category, of, number, groups: groups(), is_new });
            }
        }
        Self { cloud, company, scores, left: vec![most_of_each; categories.len()], shards }
    }

    /// The next so many, in their order; fewer where no more wait.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn next(&mut self, most: usize) -> Result<Vec<Place>, StoreError> {
        let mut found = Vec::new();
        while found.len() < most {
            self.read().await?;
            let fronts = self.shards.iter_mut().flat_map(|shard| {
                let of = shard.of;
                shard.groups.iter_mut().filter(|group| !group.read.is_empty()).map(move |group| (of, group))
            });
            let first = fronts.min_by(|(_, one), (_, other)| one.read.front().cmp(&other.read.front()));
            let Some((of, first)) = first else { break };
            found.extend(first.read.pop_front().map(|(_, place)| place));
            if let Some(left) = self.left.get_mut(of) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.shards.retain(|shard| shard.of != of);
                }
            }
        }
        Ok(found)
    }

    /// Reads on wherever nobody stands in front: who is first is known once each group says who its own first is.
    async fn read(&mut self) -> Result<(), StoreError> {
        let (cloud, company, scores) = (self.cloud, self.company, self.scores);
        try_join_all(self.shards.iter_mut().map(|shard| shard.read_on(cloud, company, scores)))
            .await
            .map(drop)
    }
}

impl Shard<'_> {
    async fn read_on(
        &mut self,
        cloud: &Cloud,
        company: &CompanyId,
        scores: Option<&Scores<'_>>,
    ) -> Result<(), StoreError> {
        if std::mem::take(&mut self.is_new) {
            let asked = (None, PAGES.0);
            let (page, next) =
                cloud.store.waiting_page(company, self.category, self.number, None, asked).await?;
            // In their order: all of the groups before the last that is seen.
            let mut last = 0;
            for place in page {
                let of = self.groups.iter().position(|group| place.0.starts_with(group.begins.as_str()));
                last = of.unwrap_or(last);
                if let Some(group) = self.groups.get_mut(last) {
                    group.read.push_back((Reverse(rank(scores, &place.0)), place));
                }
            }
            let seen = if next.is_none() { self.groups.len() } else { last };
            for group in self.groups.iter_mut().take(seen) {
                group.unread = Unread::Nothing;
            }
            if let (Some(next), Some(group)) = (next, self.groups.get_mut(last)) {
                group.unread = Unread::From(next);
            }
        }
        // Who was never scored stands behind all who were: nobody asks while one of those may come.
        let of = (self.category, self.number);
        let scored = self.groups.len().saturating_sub(usize::from(self.groups.len() > 1));
        let (scored, never) = self.groups.split_at_mut(scored);
        read_on(scored, cloud, company, of, scores).await?;
        if scored.iter().all(Group::is_over) {
            read_on(never, cloud, company, of, scores).await?;
        }
        Ok(())
    }
}

/// Reads on in those of these in which nobody stands in front.
async fn read_on(
    groups: &mut [Group],
    cloud: &Cloud,
    company: &CompanyId,
    of: (&CategoryId, u8),
    scores: Option<&Scores<'_>>,
) -> Result<(), StoreError> {
    let empty = groups.iter_mut().filter(|group| group.read.is_empty());
    try_join_all(empty.map(|group| group.read_on(cloud, company, of, scores))).await.map(drop)
}

impl Group {
    /// Nobody stands in it, and nobody will.
    fn is_over(&self) -> bool {
        self.read.is_empty() && matches!(self.unread, Unread::Nothing)
    }

    const fn new(begins: String, before: String) -> Self {
        Self { begins, before, read: VecDeque::new(), unread: Unread::All }
    }

    async fn read_on(
        &mut self,
        cloud: &Cloud,
        company: &CompanyId,
        (category, shard): (&CategoryId, u8),
        scores: Option<&Scores<'_>>,
    ) -> Result<(), StoreError> {
        if self.before <= keys::stage_before(&self.begins, i64::MIN) {
            // Whoever stands in it stood before the place behind which it is read.
            self.unread = Unread::Nothing;
        }
        // A page may be empty though another follows.
        while self.read.is_empty() {
            let asked = match std::mem::replace(&mut self.unread, Unread::Nothing) {
                Unread::All => (None, PAGES.0),
                Unread::From(start) => (Some(start), PAGES.1),
                Unread::Nothing => return Ok(()),
            };
            let between = Some((self.begins.as_str(), self.before.as_str()));
            let (page, next) = cloud.store.waiting_page(company, category, shard, between, asked).await?;
            self.read.extend(page.into_iter().map(|place| (Reverse(rank(scores, &place.0)), place)));
            self.unread = next.map_or(Unread::Nothing, Unread::From);
        }
        Ok(())
    }
}

/// Where a place stands; where there are no scores, as it stands in the index.
fn rank(scores: Option<&Scores<'_>>, sort: &str) -> Rank {
    scores.map_or_else(|| Rank::unscored(sort), |scores| scores.rank(sort))
}
