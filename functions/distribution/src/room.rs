//! The waiting room in its order: the highest score first, the freshest first among equals. It is read as far as
//! somebody asks, and no further: most of who has a slot stands at its front.

use std::cmp::Reverse;
use std::collections::VecDeque;

use futures::future::try_join_all;
use leadyard_domain::ids::{CategoryId, CompanyId, LeadId};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::store::{Item, StoreError, keys};

/// Leads read from one shard at first, and then.
const PAGES: (i32, i32) = (25, 100);

/// A lead that waits, and where it stands in the index.
pub(crate) type Standing = (Reverse<String>, LeadId);

/// Who waits in some categories, of each as many as are asked for: of those behind a place in the index, where one is
/// given.
pub(crate) struct Room<'a> {
    cloud: &'a Cloud,
    company: &'a CompanyId,
    after: Option<&'a str>,
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
    read: VecDeque<Standing>,
    unread: Unread,
}

/// What is not read yet of a shard.
enum Unread {
    /// All of it.
    All,
    /// From here on.
    From(Item),
    /// Nothing.
    Nothing,
}

impl<'a> Room<'a> {
    /// Before anything of it is read.
    pub(crate) fn of(
        cloud: &'a Cloud,
        company: &'a CompanyId,
        categories: &[&'a CategoryId],
        after: Option<&'a str>,
        most_of_each: usize,
    ) -> Self {
        let shards = |(of, category): (usize, &&'a CategoryId)| {
            let category = *category;
            (0..keys::STAGE_SHARDS).map(move |number| Shard {
                category,
                of,
                number,
                read: VecDeque::new(),
                unread: Unread::All,
            })
        };
        Self {
            cloud,
            company,
            after,
            left: vec![most_of_each; categories.len()],
            shards: categories.iter().enumerate().flat_map(shards).collect(),
        }
    }

    /// The next so many, in their order; fewer where no more wait.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn next(&mut self, most: usize) -> Result<Vec<Standing>, StoreError> {
        let mut found = Vec::new();
        while found.len() < most {
            self.read().await?;
            let first = self.shards.iter_mut().filter(|shard| !shard.read.is_empty());
            let Some(first) = first.min_by(|one, other| one.read.front().cmp(&other.read.front())) else {
                break;
            };
            let of = first.of;
            found.extend(first.read.pop_front());
            if let Some(left) = self.left.get_mut(of) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.shards.retain(|shard| shard.of != of);
                }
            }
        }
        Ok(found)
    }

    /// Reads on wherever nobody stands in front: who is first is known once each shard says who its own first is.
    async fn read(&mut self) -> Result<(), StoreError> {
        let (cloud, company, after) = (self.cloud, self.company, self.after);
        let empty = self.shards.iter_mut().filter(|shard| shard.read.is_empty());
        try_join_all(empty.map(|shard| shard.read_on(cloud, company, after))).await.map(drop)
    }
}

impl Shard<'_> {
    async fn read_on(
        &mut self,
        cloud: &Cloud,
        company: &CompanyId,
        after: Option<&str>,
    ) -> Result<(), StoreError> {
        // A page may be empty though another follows.
        while self.read.is_empty() {
            let (start, most) = match std::mem::replace(&mut self.unread, Unread::Nothing) {
                Unread::All => (None, PAGES.0),
                Unread::From(start) => (Some(start), PAGES.1),
                Unread::Nothing => return Ok(()),
            };
            let (page, next) =
                cloud.store.waiting_page(company, self.category, self.number, (after, start), most).await?;
            self.read.extend(page.into_iter().map(|(sort, lead)| (Reverse(sort), lead)));
            self.unread = next.map_or(Unread::Nothing, Unread::From);
        }
        Ok(())
    }
}
