//! `scoring.toml`: what counts, and what follows from it.
//!
//! Conditions are typed, not an expression language: what a rule can say is what stands here. A missing
//! table takes its default, so that an empty file is [`ScoringModel::default`]. Numbers are bounded by
//! their types; what concerns several values together is said by [`ScoringModel::check`].

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::activity::InteractionKind;
use super::band::{Band, EngagementDigit, FitLetter};
use super::score::FinePoints;
use super::whole::Whole;
use crate::error::{FieldError, Invalid};
use crate::ids::{OfferId, SourceId};
use crate::limits;
use crate::place::{State, Zip3};

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

/// A profile rule: all conditions that are given must hold, and at least one is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitRule {
    /// What the explanation calls it.
    pub label: String,
    /// What it gives, or takes.
    pub points: Whole<{ -limits::FIT_RULE_POINTS }, { limits::FIT_RULE_POINTS }>,
    /// The lead is in one of these states.
    #[serde(default)]
    pub state: OneOf<State>,
    /// The lead's ZIP begins with one of these.
    #[serde(default)]
    pub zip3: OneOf<Zip3>,
    /// It came from one of these sources.
    #[serde(default)]
    pub source: OneOf<SourceId>,
    /// It signed up for one of these offers.
    #[serde(default)]
    pub offer: OneOf<OfferId>,
    /// It came by one of these campaigns, in any case of letters.
    #[serde(default)]
    pub campaign: Vec<String>,
    /// It brings all of these.
    #[serde(default)]
    pub has: Vec<FitPart>,
    /// It brings none of these.
    #[serde(default)]
    pub lacks: Vec<FitPart>,
    /// Its e-mail is at one of these domains (exactly: `mail.example.com` is not `example.com`).
    #[serde(default)]
    pub email_domain: Vec<String>,
    /// A field of its own has one of these values.
    #[serde(default)]
    pub field: Option<FieldIs>,
}

words! {
    /// What a lead may bring or lack.
    #[allow(missing_docs)]
    pub enum FitPart as "a part of a lead" {
        Phone = "phone",
        Email = "email",
        LastName = "last_name",
        Organization = "organization",
        Street = "street",
        Zip = "zip",
        Message = "message",
    }
}

/// A field of the enquiry that is not a standard one, and the values meant; both in any case of letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldIs {
    /// The field's name.
    pub name: String,
    /// Any of these.
    pub is: Vec<String>,
}

/// A list of values of which one must match; the empty list is no condition. Keeps the text as well:
/// that is what is stored and printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "Vec<String>",
    into = "Vec<String>",
    bound(serialize = "T: Clone", deserialize = "T: FromStr<Err = Invalid>")
)]
pub struct OneOf<T> {
    texts: Vec<String>,
    values: Vec<T>,
}

impl<T: PartialEq> OneOf<T> {
    /// Whether there is no condition, or this value meets it.
    pub fn takes(&self, value: Option<&T>) -> bool {
        self.values.is_empty() || value.is_some_and(|value| self.values.contains(value))
    }

    /// How many values are listed.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no condition.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<T> Default for OneOf<T> {
    fn default() -> Self {
        Self { texts: Vec::new(), values: Vec::new() }
    }
}

impl<T: FromStr<Err = Invalid>> TryFrom<Vec<String>> for OneOf<T> {
    type Error = Invalid;
    fn try_from(texts: Vec<String>) -> Result<Self, Invalid> {
        let values = texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        Ok(Self { texts, values })
    }
}

impl<T> From<OneOf<T>> for Vec<String> {
    fn from(one_of: OneOf<T>) -> Self {
        one_of.texts
    }
}

/// What an interaction of each kind is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<InteractionKind, WeightRow>", into = "BTreeMap<InteractionKind, WeightRow>")]
pub struct Interactions(BTreeMap<InteractionKind, Weight>);

/// What one interaction is worth, and how many of a day count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Points of one interaction; always positive: what speaks against a lead is fit.
    pub points: Whole<1, { limits::INTERACTION_POINTS }>,
    /// How many of a UTC day count, 10 by default.
    pub daily_cap: Whole<1, { limits::INTERACTION_DAILY_CAP }>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightRow {
    points: Option<Whole<1, { limits::INTERACTION_POINTS }>>,
    daily_cap: Option<Whole<1, { limits::INTERACTION_DAILY_CAP }>>,
}

impl Weight {
    const fn new(points: i64, daily_cap: i64) -> Self {
        Self { points: Whole::clamped(points), daily_cap: Whole::clamped(daily_cap) }
    }

    /// An enquiry's, unless the file says otherwise.
    const ENQUIRY: Self = Self::new(10, 3);

    /// How many of `count` interactions of one day count.
    pub(super) fn counted(self, count: usize) -> u64 {
        (count as u64).min(self.daily_cap.get().unsigned_abs())
    }

    /// The points of so many, unfaded: at most 10⁶ when `counted` is within the cap.
    pub(super) fn points(self, counted: u64) -> u128 {
        u128::from(counted) * u128::from(self.points.get().unsigned_abs())
    }
}

impl Interactions {
    /// The kinds and their weights, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&InteractionKind, Weight)> {
        self.0.iter().map(|(kind, &weight)| (kind, weight))
    }

    /// What this kind is worth; `None` for a kind the model does not name, which is worth nothing.
    pub fn weight(&self, kind: &InteractionKind) -> Option<Weight> {
        self.0.get(kind).copied()
    }
}

impl Default for Interactions {
    fn default() -> Self {
        let kinds = [
            ("call", Weight::new(20, 3)),
            ("chat", Weight::new(10, 3)),
            ("download", Weight::new(5, 3)),
            ("email_click", Weight::new(5, 3)),
            ("email_open", Weight::new(1, 2)),
            ("enquiry", Weight::ENQUIRY),
            ("page_view", Weight::new(1, 10)),
            ("quote_request", Weight::new(30, 2)),
        ];
        Self(
            kinds
                .into_iter()
                .filter_map(|(kind, weight)| Some((InteractionKind::new(kind).ok()?, weight)))
                .collect(),
        )
    }
}

impl TryFrom<BTreeMap<InteractionKind, WeightRow>> for Interactions {
    type Error = Invalid;
    fn try_from(rows: BTreeMap<InteractionKind, WeightRow>) -> Result<Self, Invalid> {
        let enquiry = InteractionKind::enquiry();
        let mut weights = BTreeMap::from([(enquiry.clone(), Weight::ENQUIRY)]);
        for (kind, row) in rows {
            let usual = if kind == enquiry { Weight::ENQUIRY } else { Weight::new(1, 10) };
            let Some(points) = row.points.or((kind == enquiry).then_some(usual.points)) else {
                return Err(Invalid::new(format!(
                    "interactions.{kind} needs points, a whole number from 1 to {}",
                    limits::INTERACTION_POINTS
                )));
            };
            let weight = Weight { points, daily_cap: row.daily_cap.unwrap_or(usual.daily_cap) };
            weights.insert(kind, weight);
        }
        if weights.len() > limits::INTERACTION_KINDS {
            return Err(Invalid::new(format!(
                "there are at most {} kinds of interaction, enquiry included",
                limits::INTERACTION_KINDS
            )));
        }
        Ok(Self(weights))
    }
}

impl From<Interactions> for BTreeMap<InteractionKind, WeightRow> {
    fn from(interactions: Interactions) -> Self {
        let row =
            |weight: Weight| WeightRow { points: Some(weight.points), daily_cap: Some(weight.daily_cap) };
        interactions.0.into_iter().map(|(kind, weight)| (kind, row(weight))).collect()
    }
}

/// What each fit letter is worth in the score: 100, 50 and 0 by default. A is worth at least B, and B at
/// least C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct FitPoints {
    #[serde(rename = "A")]
    pub a: Whole<0, { limits::BAND_POINTS }>,
    #[serde(rename = "B")]
    pub b: Whole<0, { limits::BAND_POINTS }>,
    #[serde(rename = "C")]
    pub c: Whole<0, { limits::BAND_POINTS }>,
}

impl FitPoints {
    /// What this letter is worth.
    pub fn of(&self, letter: FitLetter) -> FinePoints {
        let points = match letter {
            FitLetter::A => self.a,
            FitLetter::B => self.b,
            FitLetter::C => self.c,
        };
        FinePoints::whole_points(points.get().unsigned_abs())
    }
}

impl Default for FitPoints {
    fn default() -> Self {
        Self { a: Whole::clamped(100), b: Whole::clamped(50), c: Whole::clamped(0) }
    }
}

/// From how many points on a letter or digit is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bands {
    /// In points of fit.
    pub fit: FitThresholds,
    /// In points of engagement.
    pub engagement: EngagementThresholds,
}

/// Points of fit from which A and B are reached: 30 and 10 by default. What reaches neither is C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct FitThresholds {
    #[serde(rename = "A")]
    pub a: Whole<{ -limits::BAND_POINTS }, { limits::BAND_POINTS }>,
    #[serde(rename = "B")]
    pub b: Whole<{ -limits::BAND_POINTS }, { limits::BAND_POINTS }>,
}

impl FitThresholds {
    /// The letter of so many points.
    pub fn letter(&self, points: i64) -> FitLetter {
        if points >= self.a.get() {
            FitLetter::A
        } else if points >= self.b.get() {
            FitLetter::B
        } else {
            FitLetter::C
        }
    }
}

impl Default for FitThresholds {
    fn default() -> Self {
        Self { a: Whole::clamped(30), b: Whole::clamped(10) }
    }
}

/// Points of engagement from which 1 and 2 are reached: 40 and 10 by default. What reaches neither is 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct EngagementThresholds {
    #[serde(rename = "1")]
    pub one: Whole<1, { limits::BAND_POINTS }>,
    #[serde(rename = "2")]
    pub two: Whole<1, { limits::BAND_POINTS }>,
}

impl EngagementThresholds {
    /// The digit of so many points, compared exactly: 39.99 is not 40.
    pub fn digit(&self, points: FinePoints) -> EngagementDigit {
        if points >= FinePoints::whole_points(self.one.get().unsigned_abs()) {
            EngagementDigit::One
        } else if points >= FinePoints::whole_points(self.two.get().unsigned_abs()) {
            EngagementDigit::Two
        } else {
            EngagementDigit::Three
        }
    }
}

impl Default for EngagementThresholds {
    fn default() -> Self {
        Self { one: Whole::clamped(40), two: Whole::clamped(10) }
    }
}

words! {
    /// What should happen with a lead.
    pub enum NextStep as "a next step" {
        /// Sell now.
        Pitch = "pitch",
        /// Keep warm.
        Nurture = "nurture",
        /// Spend nothing on it.
        Discard = "discard",
    }
}

/// What should happen with a lead of each band; every band stands in exactly one list.
///
/// By default B2 or better is pitched, the rest nurtured, and nothing discarded: a lead thrown away
/// costs more than one kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextSteps {
    /// Sold now.
    pub pitch: Vec<Band>,
    /// Kept warm.
    pub nurture: Vec<Band>,
    /// Dropped.
    #[serde(default)]
    pub discard: Vec<Band>,
}

impl NextSteps {
    /// The step of a band. One that stands nowhere is nurtured, which a checked model does not have.
    pub fn of(&self, band: Band) -> NextStep {
        if self.pitch.contains(&band) {
            NextStep::Pitch
        } else if self.discard.contains(&band) {
            NextStep::Discard
        } else {
            NextStep::Nurture
        }
    }
}

impl Default for NextSteps {
    fn default() -> Self {
        let b2 = Band { fit: FitLetter::B, engagement: EngagementDigit::Two };
        let (pitch, nurture) = Band::all().partition(|band| band.meets(b2));
        Self { pitch, nurture, discard: Vec::new() }
    }
}

words! {
    /// How urgent a lead is. The desk may override it.
    pub enum Priority as "a priority" {
        /// Before all others.
        Urgent = "urgent",
        /// In its turn.
        Normal = "normal",
        /// When nothing else is left.
        Low = "low",
    }
}

/// How urgent each band is; what stands in neither list is normal. A1 and B1 are urgent by default, C3 is
/// low.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Priorities {
    /// Urgent bands.
    pub urgent: Vec<Band>,
    /// Low bands.
    pub low: Vec<Band>,
}

impl Priorities {
    /// The priority of a band.
    pub fn of(&self, band: Band) -> Priority {
        if self.urgent.contains(&band) {
            Priority::Urgent
        } else if self.low.contains(&band) {
            Priority::Low
        } else {
            Priority::Normal
        }
    }
}

impl Default for Priorities {
    fn default() -> Self {
        let one = EngagementDigit::One;
        Self {
            urgent: vec![
                Band { fit: FitLetter::A, engagement: one },
                Band { fit: FitLetter::B, engagement: one },
            ],
            low: vec![Band::LEAST],
        }
    }
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

impl<const LEAST: i64, const MOST: i64> Default for Whole<LEAST, MOST> {
    /// The number nearest to zero.
    fn default() -> Self {
        Self::clamped(0)
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

impl FitRule {
    fn check(&self, at: &str, problems: &mut Problems) {
        let label = self.label.trim().chars().count();
        problems.unless((1..=limits::FIT_LABEL_CHARS).contains(&label), &format!("{at}/label"), || {
            format!("a fit rule's label is 1 to {} characters", limits::FIT_LABEL_CHARS)
        });
        let lists = [
            ("state", self.state.len()),
            ("zip3", self.zip3.len()),
            ("source", self.source.len()),
            ("offer", self.offer.len()),
            ("campaign", self.campaign.len()),
            ("has", self.has.len()),
            ("lacks", self.lacks.len()),
            ("email_domain", self.email_domain.len()),
            ("field/is", self.field.as_ref().map_or(0, |field| field.is.len())),
        ];
        for (name, len) in lists {
            problems.unless(len <= limits::FIT_VALUES, &format!("{at}/{name}"), || {
                format!("a condition lists at most {} values", limits::FIT_VALUES)
            });
        }
        problems.unless(lists.iter().any(|&(_, len)| len > 0), at, || {
            "a fit rule has at least one condition: state, zip3, source, offer, campaign, has, lacks, email_domain or field".to_owned()
        });
        problems.unless(
            self.field.as_ref().is_none_or(|field| !field.name.trim().is_empty() && !field.is.is_empty()),
            &format!("{at}/field"),
            || {
                "field needs a name and at least one value: field = { name = \"homeowner\", is = [\"yes\"] }"
                    .to_owned()
            },
        );
        problems.unless(
            self.email_domain.iter().all(|domain| !domain.contains('@') && domain.contains('.')),
            &format!("{at}/email_domain"),
            || "an e-mail domain is written as example.com".to_owned(),
        );
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
