//! The waiting room in its order: the highest score first, the freshest first among equals. It is read as far as
//! somebody asks, and no further: most of who has a slot stands at its front.
//!
//! The index has each fit letter for itself (see [`leadyard_platform::scores`]): the letters of all shards are merged by the
//! score that each place has now.

use futures::future::try_join_all;
use leadyard_domain::ids::{CategoryId, CompanyId};
use leadyard_domain::lead::Stage;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::scores::Scores;
use leadyard_platform::store::{Front, Place, StoreError};

/// Leads read of one letter and shard at first, and then.
const PAGES: (usize, usize) = (25, 100);

/// Who waits in some categories, of each as many as are asked for: of those behind a place, where one is given.
pub(crate) struct Room<'a> {
    cloud: &'a Cloud,
    scores: &'a Scores<'a>,
    categories: Vec<Category>,
}

/// Who waits in a category, read so far.
struct Category {
    /// How many more of it come at most.
    left: usize,
    fronts: Vec<Front>,
}

impl<'a> Room<'a> {
    /// Reads the front of each category.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn open(
        cloud: &'a Cloud,
        company: &CompanyId,
        scores: &'a Scores<'a>,
        categories: &[&CategoryId],
        (after, most_of_each): (Option<&str>, usize),
    ) -> Result<Self, StoreError> {
        let before = after.map(|after| scores.behind(after));
        let (before, stage) = (before.as_deref(), Stage::Waiting);
        let of = categories
            .iter()
            .map(|&category| cloud.store.stage_fronts(company, stage, category, before, PAGES.0));
        let fronts = try_join_all(of).await?;
        let categories = fronts.into_iter().map(|fronts| Category { left: most_of_each, fronts }).collect();
        Ok(Self { cloud, scores, categories })
    }

    /// The next so many, in their order; fewer where no more wait.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn next(&mut self, most: usize) -> Result<Vec<Place>, StoreError> {
        let mut found = Vec::new();
        while found.len() < most {
            self.read().await?;
            let scores = self.scores;
            let fronts = self.categories.iter_mut().enumerate().flat_map(|(of, category)| {
                category.fronts.iter_mut().filter_map(move |front| {
                    let rank = scores.rank(&front.places.front()?.0);
                    Some((rank, of, front))
                })
            });
            let Some((_, of, first)) = fronts.max_by(|(one, ..), (other, ..)| one.cmp(other)) else { break };
            found.extend(first.places.pop_front());
            if let Some(category) = self.categories.get_mut(of) {
                category.left = category.left.saturating_sub(1);
                if category.left == 0 {
                    category.fronts.clear();
                }
            }
        }
        Ok(found)
    }

    /// Reads on wherever nobody stands in front: who is first is known once each letter says who its own first is. Who
    /// was never scored stands behind all who were: nobody asks for them while one of those may come.
    async fn read(&mut self) -> Result<(), StoreError> {
        let store = &self.cloud.store;
        for unscored in [false, true] {
            let fronts = || self.categories.iter().flat_map(|category| &category.fronts);
            if unscored && fronts().any(|front| !front.is_unscored() && !front.places.is_empty()) {
                break;
            }
            let fronts = self.categories.iter_mut().flat_map(|category| &mut category.fronts);
            let empty = fronts.filter(|front| front.is_unscored() == unscored && front.places.is_empty());
            try_join_all(empty.map(|front| store.read_on(front, PAGES.1))).await?;
        }
        Ok(())
    }
}
