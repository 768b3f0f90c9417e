//! Scores as of now: of a lead, and of whoever stands at a place in order of score; and a stage's leads in that order.
//!
//! The index of a stage has each fit letter for itself, the most engaged first: what a letter is worth stays, while
//! engagement fades, so that no stored key has both in order for good. The letters are merged when they are read. *The
//! highest score stands first; of equal ones the better fit, then the freshest.*

use std::cmp::Reverse;

use futures::future::try_join_all;
use jiff::Timestamp;
use leadyard_domain::distribution::Core;
use leadyard_domain::lead::{Lead, ScoreNow, Stage};
use leadyard_domain::scoring::{HeatKey, NextStep};
use leadyard_domain::time::UtcDay;

use crate::cloud::Cloud;
use crate::store::{Place, StoreError, WHOLE, keys};

/// Where somebody stands in order of score: the greater stands first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    hundredths: u64,
    sort: String,
}

/// Leads of a stage in order of score.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The highest score first.
    pub places: Vec<Place>,
    /// Whether others stand behind them.
    pub more: bool,
}

/// How leads are scored as of now.
pub struct Scores<'a> {
    core: &'a Core,
    model: String,
    today: UtcDay,
}

impl<'a> Scores<'a> {
    /// By the company's rules, as of an instant.
    pub fn of(core: &'a Core, now: Timestamp) -> Self {
        Self { core, model: core.scoring.version(), today: UtcDay::of(now) }
    }

    /// As of a day.
    pub fn on(core: &'a Core, today: UtcDay) -> Self {
        Self { core, model: core.scoring.version(), today }
    }

    /// As of which day.
    pub const fn today(&self) -> UtcDay {
        self.today
    }

    /// The score of whoever stands at a place in order of score, in hundredths of a point, by the place alone; 0 of who was
    /// never scored.
    pub fn of_place(&self, sort: &str) -> u64 {
        let (Some(letter), Some(heat)) = (keys::letter_of_stage(sort), keys::heat_of_stage(sort)) else {
            return 0;
        };
        let model = &self.core.scoring;
        let engagement = HeatKey::from_number(heat).points_on(self.today, model.half_life_days());
        (model.fit_points.of(letter) + engagement).hundredths()
    }

    /// What orders places: the greater stands first.
    pub fn rank(&self, sort: &str) -> Rank {
        // Before all of a letter.
        let is_front = sort.ends_with('$') && keys::letter_of_stage(sort).is_some();
        let hundredths = if is_front { u64::MAX } else { self.of_place(sort) };
        Rank { hundredths, sort: sort.to_owned() }
    }

    /// Of each group of the index, in the order of [`keys::stage_groups`], the sort key before which those stand who stand
    /// behind a place.
    pub fn behind(&self, sort: &str) -> Vec<String> {
        let hundredths = self.of_place(sort);
        let behind = |group: String| {
            if sort.starts_with(&group) {
                return sort.to_owned();
            }
            // Of equal scores the better fit stands first.
            let is_behind = |heat: i64| {
                let at = self.of_place(&format!("{}#", keys::stage_before(&group, heat)));
                at < hundredths || at == hundredths && group.as_str() < sort
            };
            // The least key that is not behind: scores rise with it.
            let (mut least, mut most) = (i128::from(i64::MIN), i128::from(i64::MAX) + 1);
            while least < most {
                let middle = least + (most - least) / 2;
                match i64::try_from(middle) {
                    Ok(heat) if is_behind(heat) => least = middle + 1,
                    Ok(_) | Err(_) => most = middle,
                }
            }
            match i64::try_from(least) {
                Ok(heat) => keys::stage_before(&group, heat),
                Err(_) => format!("{group}$"),
            }
        };
        keys::stage_groups().into_iter().map(behind).collect()
    }

    /// Leads of a stage over all categories, from behind a place on: at least `most` of them, where so many stand there.
    /// Of each category one read of each of [`keys::STAGE_SHARDS`] shards, at most four of one in which more than a hundred stand.
    ///
    /// # Errors
    /// When the store could not be asked.
    pub async fn of_stage(
        &self,
        cloud: &Cloud,
        stage: Stage,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Ranked, StoreError> {
        let before = after.map(|(sort, _)| self.behind(sort));
        let of = |category| {
            cloud.store.stage_fronts(
                self.core.company_id(),
                stage,
                category,
                before.as_deref(),
                most.max(WHOLE),
            )
        };
        let fronts = try_join_all(self.core.waited_in().into_iter().map(of)).await?;
        let (mut places, mut unread) = (Vec::new(), None);
        for front in fronts.into_iter().flatten() {
            unread = unread.max(front.behind.map(|behind| self.rank(&behind)));
            places.extend(front.places);
        }
        // Whoever stands behind what was not read may stand behind somebody in it.
        places.retain(|(sort, _)| unread.as_ref().is_none_or(|unread| self.rank(sort) >= *unread));
        places.sort_by_cached_key(|place| Reverse((self.rank(&place.0), place.1)));
        Ok(Ranked { places, more: unread.is_some() })
    }

    /// A lead's score; none of who was never scored.
    pub fn now(&self, lead: &Lead) -> Option<ScoreNow> {
        let score = lead.score.as_ref()?.on(&self.core.scoring, &self.model, self.today);
        Some(ScoreNow { priority: lead.priority_set.unwrap_or(score.priority), ..score })
    }

    /// Whether a nurtured lead may be found ready once it is scored: the band that is asked may be lower than it was, and
    /// by another model than its last it may be worth anything.
    pub fn may_be_ready(&self, lead: &Lead) -> bool {
        let (Some(score), Some(offer)) = (&lead.score, self.core.offer(&lead.offer)) else { return true };
        let now = score.on(&self.core.scoring, &self.model, self.today);
        score.model != self.model || now.band.meets(offer.min_band) && now.next_step == NextStep::Pitch
    }
}

#[cfg(test)]
mod tests;
