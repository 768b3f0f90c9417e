//! Scores as of now: of a lead, and of whoever stands at a place in order of score.

use jiff::Timestamp;
use leadyard_domain::distribution::Core;
use leadyard_domain::lead::{Lead, ScoreNow};
use leadyard_domain::scoring::{HeatKey, NextStep};
use leadyard_domain::time::UtcDay;

use crate::store::keys;

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
