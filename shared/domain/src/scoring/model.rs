//! `scoring.toml`: what counts, and what follows from it.
//!
//! Conditions are typed, not an expression language: what a rule can say is what stands here. A missing
//! table takes its default, so that an empty file is [`ScoringModel::default`]. Numbers are bounded by
//! their types; what concerns several values together is said by [`ScoringModel::check`].
//!
//! | module | holds |
//! |---|---|
//! | `profile` | the profile rules: who they are |
//! | `interactions` | what an interaction of each kind is worth |
//! | `bands` | from how many points on a letter or digit is reached, and what a letter is worth |
//! | `steps` | what should happen with a lead of each band, and how urgent it is |

mod profile;
mod interactions;
mod bands;
mod steps;

pub use bands::{Bands, EngagementThresholds, FitPoints, FitThresholds};
pub use interactions::{Interactions, Weight};
pub use profile::{FieldIs, FitPart, FitRule, OneOf};
pub use steps::{NextStep, NextSteps, Priorities, Priority};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::band::Band;
use super::whole::Whole;
use crate::error::FieldError;
use crate::limits;

/// The scoring model of one company.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoringModel {
    /// After how many days an interaction is worth half; 14 by default.
    pub half_life_days: Whole<1, { limits::HALF_LIFE_DAYS }>,
    /// What a fit letter is worth in the score.
    pub fit_points: FitPoints,
    /// The profile rules. A file that names any replaces all of the defaults.
    pub fit: Vec<FitRule>,
    /// What an interaction of each kind is worth. A file that names any replaces all of the defaults,
    /// but for `enquiry`, which always exists.
    pub interactions: Interactions,
    /// From how many points on a letter or digit is reached.
    pub bands: Bands,
    /// What should happen with a lead of each band.
    pub next_step: NextSteps,
    /// How urgent each band is.
    pub priority: Priorities,
}

impl Default for ScoringModel {
    /// A model that serves a firm which has not thought about it yet: who can be called and placed fits
    /// best, and asking for a quote says more than looking at pages.
    fn default() -> Self {
        let has = |label: &str, points, parts: &[FitPart]| FitRule {
            label: label.to_owned(),
            points: Whole::clamped(points),
            has: parts.to_vec(),
            ..FitRule::default()
        };
        Self {
            half_life_days: Whole::clamped(14),
            fit_points: FitPoints::default(),
            fit: vec![
                has("can be called", 15, &[FitPart::Phone]),
                has("can be written to", 10, &[FitPart::Email]),
                has("gave a surname and a ZIP", 10, &[FitPart::LastName, FitPart::Zip]),
                has("wrote a message", 5, &[FitPart::Message]),
            ],
            interactions: Interactions::default(),
            bands: Bands::default(),
            next_step: NextSteps::default(),
            priority: Priorities::default(),
        }
    }
}

impl ScoringModel {
    /// The half-life in days, 1 to [`limits::HALF_LIFE_DAYS`].
    pub fn half_life_days(&self) -> u16 {
        self.half_life_days.get() as u16
    }

    /// Eight hexadecimal digits that stand for the content of this model: the first four bytes of
    /// SHA-256 over its JSON. Part of the heat index's key: keys of two models are never compared.
    ///
    /// A release that adds a condition to the model changes the version of every model; heat is then
    /// built again in the background, as for a new model.
    pub fn version(&self) -> String {
        // A model is JSON by its shape: maps have text keys. If it ever were not, all would share a version.
        let json = serde_json::to_vec(self).unwrap_or_default();
        let digest: [u8; 32] =
            Sha256::new().chain_update(b"leadyard/scoring-model/1\0").chain_update(json).finalize().into();
        let [a, b, c, d, ..] = digest;
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// What the types cannot say. Pointers are RFC 6901 into the file: `/fit/2/label`.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut problems = Problems(Vec::new());
        problems.unless(self.fit.len() <= limits::FIT_RULES, "/fit", || {
            format!("there are at most {} fit rules", limits::FIT_RULES)
        });
        for (i, rule) in self.fit.iter().enumerate() {
            rule.check(&format!("/fit/{i}"), &mut problems);
        }
        let (thresholds, worth) = (&self.bands, &self.fit_points);
        problems.unless(thresholds.fit.a > thresholds.fit.b, "/bands/fit", || "A must be above B".to_owned());
        problems.unless(thresholds.engagement.one > thresholds.engagement.two, "/bands/engagement", || {
            "1 must be above 2".to_owned()
        });
        problems.unless(worth.a >= worth.b && worth.b >= worth.c, "/fit_points", || {
            "A must be worth at least B, and B at least C".to_owned()
        });
        let steps = &self.next_step;
        for band in Band::all() {
            let stands = [&steps.pitch, &steps.nurture, &steps.discard]
                .into_iter()
                .flatten()
                .filter(|&&listed| listed == band)
                .count();
            problems.unless(stands == 1, "/next_step", || {
                format!("every band must stand in exactly one of pitch, nurture and discard: {band} stands in {stands} places")
            });
            let (urgent, low) = (&self.priority.urgent, &self.priority.low);
            problems.unless(!(urgent.contains(&band) && low.contains(&band)), "/priority", || {
                format!("a band is urgent or low, not both: {band}")
            });
        }
        if problems.0.is_empty() { Ok(()) } else { Err(problems.0) }
    }
}

struct Problems(Vec<FieldError>);

impl Problems {
    fn unless(&mut self, holds: bool, pointer: &str, detail: impl FnOnce() -> String) {
        if !holds && self.0.len() < limits::PROBLEMS {
            self.0.push(FieldError { pointer: pointer.to_owned(), detail: detail() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(text: &str) -> ScoringModel {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn an_empty_file_is_the_default_and_the_default_is_sound() {
        assert_eq!(model(""), ScoringModel::default());
        assert_eq!(ScoringModel::default().check(), Ok(()));
    }

    #[test]
    fn every_key_is_read() {
        let read = model(
            r#"
            half_life_days = 7
            fit_points = { A = 80, B = 40, C = 5 }
            [[fit]]
            label = "a homeowner near us"
            points = 25
            zip3 = ["331"]
            source = ["landing-page"]
            offer = ["new-roof"]
            campaign = ["Spring"]
            has = ["phone", "street"]
            lacks = ["organization"]
            field = { name = "homeowner", is = ["yes"] }
            [[fit]]
            label = "a competitor"
            points = -1000
            email_domain = ["roofing.test"]
            [interactions.quote_request]
            points = 50
            daily_cap = 1
            [interactions.page_view]
            points = 1
            [bands]
            fit = { A = 20, B = 0 }
            engagement = { 1 = 60, 2 = 20 }
            [next_step]
            pitch = ["A1", "A2", "A3", "B1"]
            nurture = ["B2", "B3", "C1"]
            discard = ["C2", "C3"]
            [priority]
            urgent = ["A1"]
            low = ["C2", "C3"]
            "#,
        );
        assert_eq!(read.check(), Ok(()));
        assert_eq!(read.half_life_days(), 7);
        let kinds: Vec<(&str, i64, i64)> = read
            .interactions
            .iter()
            .map(|(kind, weight)| (kind.as_str(), weight.points.get(), weight.daily_cap.get()))
            .collect();
        assert_eq!(kinds, [("enquiry", 10, 3), ("page_view", 1, 10), ("quote_request", 50, 1)]);
        assert_eq!(read.next_step.of("C2".parse().unwrap()), NextStep::Discard);
        assert_eq!(read.priority.of("A2".parse().unwrap()), Priority::Normal);
    }

    #[test]
    fn a_model_survives_being_written_down() {
        let one = ScoringModel::default();
        assert_eq!(toml::from_str::<ScoringModel>(&toml::to_string(&one).unwrap()).unwrap(), one);
        assert_eq!(postcard::from_bytes::<ScoringModel>(&postcard::to_stdvec(&one).unwrap()).unwrap(), one);
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_with_its_rule() {
        for (text, rule) in [
            ("half_life_days = 0", "from 1 to 365"),
            ("[interactions.call]\npoints = -5", "from 1 to 1000"),
            ("[interactions.call]\ndaily_cap = 5", "needs points"),
            ("[interactions.Call]\npoints = 5", "an interaction's kind is 1 to 32"),
            ("[[fit]]\nlabel = 'x'\npoints = 1001\nhas = ['phone']", "from -1000 to 1000"),
            ("[[fit]]\nlabel = 'x'\npoints = 1\nhas = ['hat']", "expected one of"),
            ("[[fit]]\nlabel = 'x'\npoints = 1\nwhere = 'zip > 3'", "unknown field"),
            ("[next_step]\npitch = ['A4']\nnurture = []", "a band is a letter"),
            ("half_life = 3", "unknown field"),
        ] {
            let error = toml::from_str::<ScoringModel>(text).unwrap_err().to_string();
            assert!(error.contains(rule), "{text}: {error}");
        }
    }

    #[test]
    fn what_does_not_fit_together_is_named() {
        let pointers = |text: &str| -> Vec<String> {
            model(text).check().unwrap_err().into_iter().map(|problem| problem.pointer).collect()
        };
        assert_eq!(pointers("[bands]\nfit = {A = 10, B = 10}"), ["/bands/fit"]);
        assert_eq!(pointers("[bands]\nengagement = {1 = 10, 2 = 40}"), ["/bands/engagement"]);
        assert_eq!(pointers("fit_points = {A = 1, B = 2, C = 0}"), ["/fit_points"]);
        assert_eq!(pointers("[[fit]]\nlabel = ''\npoints = 1"), ["/fit/0/label", "/fit/0"]);
        assert_eq!(
            pointers("[[fit]]\nlabel = 'x'\npoints = 1\nfield = {name = '', is = ['a']}"),
            ["/fit/0/field"]
        );
        assert_eq!(pointers("[priority]\nurgent = ['C3']\nlow = ['C3']"), ["/priority"]);
        assert_eq!(pointers("[next_step]\npitch = ['A1']\nnurture = ['A1']").len(), 9);
    }

    #[test]
    fn a_model_has_its_own_version() {
        let default = ScoringModel::default().version();
        assert_eq!(default.len(), 8);
        assert_eq!(default, model("half_life_days = 14").version());
        assert_ne!(default, model("half_life_days = 15").version());
    }
}
