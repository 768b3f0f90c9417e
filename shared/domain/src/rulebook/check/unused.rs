//! What nothing refers to, whose last day is over, and slips of the pen.

use std::collections::HashSet;

use jiff::civil::Date;

use crate::access::Role;
use crate::contract::Contract;
use crate::dealer::Format;
use crate::ids::{AreaId, DealerId};
use crate::rulebook::check::Warnings;
use crate::rulebook::nearest::nearest;
use crate::rulebook::problem::{Position, ProblemCode};
use crate::rulebook::{Rulebook, Source};

/// Fields that intake understands by name; families (`utm_…`) by their beginning.
const STANDARD_FIELDS: [&str; 12] = [
    "email",
    "phone",
    "first_name",
    "last_name",
    "name",
    "organization",
    "street",
    "city",
    "state",
    "zip",
    "country",
    "message",
];

impl Rulebook {
    pub(super) fn check_sources(&self, today: Date, warnings: &mut Warnings) {
        for (source, &at) in self.sources.iter().zip(&self.positions.sources) {
            if ended(source.ends, today) {
                let message = format!("the last day of source \"{}\" is over", source.id);
                warnings.note("sources.toml", at, ProblemCode::Ended, message);
            }
            check_fields(source, at, warnings);
        }
    }

    pub(super) fn check_people(&self, warnings: &mut Warnings) {
        let manages = self.people.iter().any(|one| one.role == Role::Manager);
        if let (false, Some(&at)) = (manages, self.positions.people.first()) {
            let message = "nobody is a manager: only a token of the installation could change these rules";
            warnings.note("people.csv", at, ProblemCode::Unlikely, message);
        }
    }

    pub(super) fn check_dealers(&self, running: &[&Contract], warnings: &mut Warnings) {
        let contracted: HashSet<&DealerId> = running.iter().map(|contract| &contract.dealer).collect();
        let reached: HashSet<&DealerId> = self.channels.iter().map(|channel| &channel.dealer).collect();
        for (dealer, &at) in self.dealers.iter().zip(&self.positions.dealers) {
            if !contracted.contains(&dealer.id) {
                let message = format!("dealer \"{}\" has no running contract", dealer.id);
                warnings.note("dealers.csv", at, ProblemCode::Unused, message);
            }
            if self.positions.has_channels && !reached.contains(&dealer.id) {
                let message = format!("dealer \"{}\" has no channel: it reads the inbox only", dealer.id);
                warnings.note("dealers.csv", at, ProblemCode::NoChannel, message);
            }
        }
        let used: HashSet<&Format> = self.channels.iter().map(|channel| &channel.format).collect();
        for (template, &at) in self.templates.iter().zip(&self.positions.templates) {
            if !used.contains(&Format::Template(template.id.clone())) {
                let message = format!("no channel names the template \"{}\"", template.id);
                warnings.note("templates.toml", at, ProblemCode::Unused, message);
            }
        }
        if !self.positions.has_channels {
            let message = "there is no channels.csv: every dealer reads the inbox only";
            warnings.note("channels.csv", Position::START, ProblemCode::NoChannel, message);
        }
    }

    pub(super) fn check_areas(&self, warnings: &mut Warnings) {
        let named: HashSet<&AreaId> = self.contracts.iter().map(|contract| &contract.area).collect();
        for (area, &at) in self.areas.keys().zip(&self.positions.areas) {
            if !named.contains(area) {
                let message = format!("no contract names the area \"{area}\"");
                warnings.note("areas.csv", at, ProblemCode::Unused, message);
            }
        }
    }

    pub(super) fn check_ends(&self, today: Date, warnings: &mut Warnings) {
        for (contract, &at) in self.contracts.iter().zip(&self.positions.contracts) {
            if ended(contract.ends, today) {
                let message = format!("the last day of contract \"{}\" is over", contract.id);
                warnings.note("contracts.csv", at, ProblemCode::Ended, message);
            }
        }
    }
}

/// A slip in a standard name would lose every lead's e-mail without a sound: it would be kept as a
/// field that nobody knows.
fn check_fields(source: &Source, at: Position, warnings: &mut Warnings) {
    let named = source.fields.values().map(|standard| ("fields", standard));
    let named = named.chain(source.values.keys().map(|standard| ("values", standard)));
    for (key, standard) in named.filter(|(_, standard)| !STANDARD_FIELDS.contains(&standard.as_str())) {
        if let Some(meant) = nearest(standard, STANDARD_FIELDS.into_iter()) {
            let message = format!(
                "{key} of source \"{}\": \"{standard}\" is no standard field; did you mean \"{meant}\"?",
                source.id
            );
            warnings.note("sources.toml", at, ProblemCode::Unlikely, message);
        }
    }
}

pub(super) fn ended(last_day: Option<Date>, today: Date) -> bool {
    last_day.is_some_and(|last_day| last_day < today)
}
