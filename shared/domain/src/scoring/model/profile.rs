//! The profile rules: who they are, and what each of that gives or takes.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Problems;
use crate::error::Invalid;
use crate::ids::{OfferId, SourceId};
use crate::limits;
use crate::place::{State, Zip3};
use crate::scoring::whole::Whole;

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

impl<const LEAST: i64, const MOST: i64> Default for Whole<LEAST, MOST> {
    /// The number nearest to zero.
    fn default() -> Self {
        Self::clamped(0)
    }
}

impl FitRule {
    pub(super) fn check(&self, at: &str, problems: &mut Problems) {
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
