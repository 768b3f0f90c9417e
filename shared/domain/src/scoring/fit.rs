//! Who they are: the points of the profile rules that match.

use std::collections::BTreeMap;

use super::band::FitLetter;
use super::model::{FitPart, FitRule, ScoringModel};
use crate::ids::{OfferId, SourceId};
use crate::place::{State, Zip3};

/// What fit rules see of a lead. No person is in it: only what is there, and what is asked for.
#[derive(Clone, Default, PartialEq)]
pub struct FitFacts {
    /// Where the lead is; `None` when not known (guessed is not known).
    pub state: Option<State>,
    /// The first three digits of its ZIP.
    pub zip3: Option<Zip3>,
    /// Who sent it.
    pub source: Option<SourceId>,
    /// What it signed up for.
    pub offer: Option<OfferId>,
    /// The campaign, as `utm_campaign` says.
    pub campaign: Option<String>,
    /// What it brings.
    pub has: Vec<FitPart>,
    /// The domain of its e-mail, lower-case ASCII.
    pub email_domain: Option<String>,
    /// Its fields that are not standard ones.
    pub fields: BTreeMap<String, String>,
}

impl std::fmt::Debug for FitFacts {
    /// Without the values of fields: a sender may put anything there.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FitFacts")
            .field("state", &self.state)
            .field("zip3", &self.zip3)
            .field("source", &self.source)
            .field("offer", &self.offer)
            .field("has", &self.has)
            .finish_non_exhaustive()
    }
}

/// How well a lead fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The sum of the rules that match, penalties included.
    pub points: i64,
    /// Where that stands among the model's thresholds.
    pub letter: FitLetter,
    /// The rules that match, in the order of the file; their points sum to `points`.
    pub matched: Vec<Matched>,
}

/// A rule that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Its label.
    pub label: String,
    /// Its points.
    pub points: i64,
}

/// The fit of these facts: every rule whose conditions all hold gives its points.
pub fn fit(model: &ScoringModel, facts: &FitFacts) -> Fit {
    let matched: Vec<Matched> = model
        .fit
        .iter()
        .filter(|rule| matches(rule, facts))
        .map(|rule| Matched { label: rule.label.clone(), points: rule.points.get() })
        .collect();
    // At most 200 rules of 1000 points.
    let points = matched.iter().map(|rule| rule.points).sum();
    Fit { points, letter: model.bands.fit.letter(points), matched }
}

fn matches(rule: &FitRule, facts: &FitFacts) -> bool {
    rule.state.takes(facts.state.as_ref())
        && rule.zip3.takes(facts.zip3.as_ref())
        && rule.source.takes(facts.source.as_ref())
        && rule.offer.takes(facts.offer.as_ref())
        && any_text(&rule.campaign, facts.campaign.as_deref())
        && any_text(&rule.email_domain, facts.email_domain.as_deref())
        && rule.has.iter().all(|part| facts.has.contains(part))
        && !rule.lacks.iter().any(|part| facts.has.contains(part))
        && rule.field.as_ref().is_none_or(|field| {
            facts
                .fields
                .iter()
                .filter(|(name, _)| same_text(name, &field.name))
                .any(|(_, value)| any_text(&field.is, Some(value)))
        })
}

fn any_text(listed: &[String], value: Option<&str>) -> bool {
    listed.is_empty() || value.is_some_and(|value| listed.iter().any(|listed| same_text(listed, value)))
}

/// In any case of letters: `Yes` and `yes` are one answer. ASCII only, as field values mostly are.
fn same_text(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(text: &str) -> ScoringModel {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn all_conditions_of_a_rule_must_hold() {
        let model = model(
            "[[fit]]\nlabel = 'a homeowner in Miami'\npoints = 12\nzip3 = ['331', '330']\nhas = ['phone']\nlacks = ['organization']\nfield = {name = 'Homeowner', is = ['yes', 'y']}",
        );
        let fits = FitFacts {
            zip3: Some("331".parse().unwrap()),
            has: vec![FitPart::Phone],
            fields: BTreeMap::from([("homeowner".to_owned(), " Yes ".to_owned())]),
            ..FitFacts::default()
        };
        let twelve = Fit {
            points: 12,
            letter: FitLetter::B,
            matched: vec![Matched { label: "a homeowner in Miami".to_owned(), points: 12 }],
        };
        assert_eq!(fit(&model, &fits), twelve);
        let misses = [
            FitFacts { zip3: Some("100".parse().unwrap()), ..fits.clone() },
            FitFacts { zip3: None, ..fits.clone() },
            FitFacts { has: vec![], ..fits.clone() },
            FitFacts { has: vec![FitPart::Phone, FitPart::Organization], ..fits.clone() },
            FitFacts { fields: BTreeMap::new(), ..fits.clone() },
            FitFacts { fields: BTreeMap::from([("homeowner".to_owned(), "no".to_owned())]), ..fits.clone() },
        ];
        for miss in misses {
            assert_eq!(fit(&model, &miss).points, 0);
        }
    }

    #[test]
    fn a_penalty_takes_the_letter_down() {
        let mut facts =
            FitFacts { has: vec![FitPart::Phone, FitPart::Email, FitPart::Message], ..FitFacts::default() };
        assert_eq!(fit(&ScoringModel::default(), &facts).letter, FitLetter::A);
        let penalised = model(
            "[[fit]]\nlabel = 'reachable'\npoints = 30\nhas = ['phone']\n[[fit]]\nlabel = 'a competitor'\npoints = -500\nemail_domain = ['Roofing.test']\ncampaign = ['spring']",
        );
        facts.email_domain = Some("roofing.test".to_owned());
        facts.campaign = Some("Spring".to_owned());
        let fit = fit(&penalised, &facts);
        assert_eq!((fit.points, fit.letter), (-470, FitLetter::C));
    }

    #[test]
    fn a_lead_is_matched_by_source_and_offer() {
        let model = model("[[fit]]\nlabel = 'x'\npoints = 30\nsource = ['fair']\noffer = ['new-roof']");
        let facts = |source, offer| FitFacts {
            source: Some(SourceId::new(source).unwrap()),
            offer: Some(OfferId::new(offer).unwrap()),
            ..FitFacts::default()
        };
        assert_eq!(fit(&model, &facts("fair", "new-roof")).letter, FitLetter::A);
        assert_eq!(fit(&model, &facts("fair", "repair")).letter, FitLetter::C);
        assert_eq!(fit(&model, &FitFacts::default()).letter, FitLetter::C);
    }
}
