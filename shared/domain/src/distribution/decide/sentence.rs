//! What a desk reads of a decision: "Hudson Roofing: protected in 331xx; 4 of 10 today; 12 miles", and
//! "Gulf Roofing would have had it with band A2; it is B1".
//!
//! That somebody would have had it is said only after deciding again without the rule in its way: one that
//! fails two rules, or would have ranked lower, has no such claim.

use std::ops::ControlFlow;

use super::available::{caps, each_exhausted};
use super::{Candidate, Conclusion, NearMiss, Opening, Period, Row, Rule, Specificity, Table};
use crate::contract::Territory;
use crate::distribution::facts::Location;
use crate::distribution::screen::failures;

impl<'a> Table<'a> {
    /// On what grounds this row is in the running: its territory and area, its tightest cap, how far it is.
    pub(super) fn standing(&self, row: &Row<'a>) -> String {
        let Candidate { contract, specificity, .. } = *row.candidate;
        let area = match (specificity, self.facts.location) {
            (Specificity::Zip, Location::Zip(zip)) => format!("in {zip}"),
            (Specificity::Zip3, Location::Zip(zip)) => format!("in {}xx", zip.zip3()),
            (Specificity::County, _) => "in its county".to_owned(),
            (Specificity::RadiusMiles(miles), _) => format!("within {miles} miles"),
            (Specificity::State, location) => {
                location.state().map_or_else(|| "in its state".to_owned(), |state| format!("in {state}"))
            }
            (Specificity::Any, _) => "anywhere".to_owned(),
            (Specificity::Zip | Specificity::Zip3, Location::State { .. } | Location::Unplaced) => {
                String::new()
            }
        };
        let territory = match contract.territory {
            Territory::Open => String::new(),
            Territory::First | Territory::Protected | Territory::Closed => format!("{} ", contract.territory),
        };
        let mut parts = vec![format!("{territory}{area}")];
        parts.extend(self.tightest_cap(row));
        parts.extend(self.miles(row).map(|miles| format!("{} miles", miles.round() as u32)));
        parts.join("; ")
    }

    /// The cap that has the least left, relative to what it is.
    fn tightest_cap(&self, row: &Row<'a>) -> Option<String> {
        let local = self.locals.get(row.candidate.zone)?;
        let mut tightest: Option<(u64, String)> = None;
        for (caps, usage) in caps(row, self.counters) {
            for cap in &caps.0 {
                let used =
                    usage.map_or(0, |usage| usage.counted(cap.period, local.start(cap.period, self.now)));
                let filled = u64::from(used) * 1_000_000 / u64::from(cap.most.max(1));
                if tightest.as_ref().is_none_or(|(most, _)| filled > *most) {
                    let when = match cap.period {
                        Period::Hour => "this hour",
                        Period::Day => "today",
                        Period::Week => "this week",
                        Period::Month => "this month",
                        Period::Total => "in total",
                    };
                    tightest = Some((filled, format!("{used} of {} {when}", cap.most)));
                }
            }
        }
        tightest.map(|(_, text)| text)
    }

    /// Whether a row that failed this rule would have had the lead, were it not for that rule alone.
    pub(super) fn would_have_had_it(&self, at: usize, rule: Rule) -> bool {
        let Some(row) = self.rows.get(at) else { return false };
        let others = failures(self.facts, row.candidate, self.now);
        let unavailable_too = match rule {
            Rule::Hours => self.limits_used_up(row) > 0,
            Rule::Cap => self.limits_used_up(row) > 1,
            Rule::Inactive
            | Rule::Offer
            | Rule::Source
            | Rule::Age
            | Rule::Area
            | Rule::Band
            | Rule::Needs
            | Rule::Excluded
            | Rule::Territory => self.unavailable_too(row) || !self.limits_known(row),
        };
        if others.iter().any(|failed| *failed != rule) || unavailable_too || !rule_may_be_waived(rule) {
            return false;
        }
        let mut waived = self.screened.clone();
        let Some(candidate) = waived.candidates.get_mut(at) else { return false };
        candidate.failed = None;
        candidate.refuses = None;
        candidate.refuses_when_active = None;
        candidate.paused_until = None;
        candidate.measured = true;
        let contract = candidate.contract.id.clone();
        let mut table = Table::new(&waived, self.counters, self.now, self.seed);
        if let Some(row) = table.rows.get_mut(at) {
            row.own = None;
        }
        let seats = match table.conclude() {
            Conclusion::Assign(seats) => seats,
            Conclusion::Wait { recommended, .. } => recommended,
        };
        seats.iter().any(|seat| seat.contract == contract)
    }

    /// Whether the counters of all its limits were read: those of a contract that fails an earlier rule are
    /// not, when distribution decides.
    fn limits_known(&self, row: &Row<'a>) -> bool {
        let Candidate { contract, dealer, chunk, .. } = *row.candidate;
        let limited = !chunk.caps_of(contract).0.is_empty() || contract.budget_month.is_some();
        let dealer_limited = !chunk.caps_of_dealer(contract).0.is_empty() || dealer.prepaid;
        (!limited || self.counters.contracts.contains_key(&contract.id))
            && (!dealer_limited || self.counters.dealers.contains_key(&dealer.id))
    }

    /// How many of its caps, budget and balance are used up.
    fn limits_used_up(&self, row: &Row<'a>) -> usize {
        let local = self.locals.get(row.candidate.zone);
        let mut count = 0;
        if let Some(local) = local {
            let _: ControlFlow<()> = each_exhausted(row, local, self.counters, self.now, |_| {
                count += 1;
                ControlFlow::Continue(())
            });
        }
        count
    }

    fn unavailable_too(&self, row: &Row<'a>) -> bool {
        let local = self.locals.get(row.candidate.zone);
        let opening = Opening::of(row.candidate, local, self.now);
        super::available::unavailable(row, opening.as_ref(), local, self.counters, self.now).is_some()
    }

    /// The sentence of a row that did not get the lead.
    pub(super) fn missed(&self, at: usize, miss: &NearMiss, name: &str) -> (bool, String) {
        let NearMiss { rule, needed, found, .. } = miss;
        let had = self.would_have_had_it(at, *rule);
        let text = match (had, rule) {
            (true, Rule::Band) => format!("{name} would have had it with {needed}; it is {found}"),
            (true, Rule::Age) => format!("{name} would have had it {needed}; it is {found}"),
            (true, Rule::Needs) => format!("{name} would have had it with {needed}"),
            (true, Rule::Cap) => format!("{name} would have had it with {needed}; {}", counted(found)),
            (true, Rule::Hours) => format!("{name} would have had it when open; it is shut"),
            (true, Rule::Inactive) => format!("{name} would have had it when active; it is {found}"),
            (true, Rule::Source | Rule::Offer) => {
                format!("{name} would have had it, but does not take {found}")
            }
            (true, Rule::Area | Rule::Excluded | Rule::Territory) | (false, _) => {
                format!("{name} {}", rule.missed(needed, found))
            }
        };
        (had, text)
    }
}

impl Rule {
    /// What came of a rule that a contract failed, from what it asked and what it met as [`NearMiss`] has them, behind
    /// the contract's name: `needs band A2; it is band B1`.
    pub fn missed(self, needed: &str, found: &str) -> String {
        match self {
            Self::Excluded => found.to_owned(),
            Self::Territory => format!("stands behind {found}"),
            Self::Area => "does not cover where it is".to_owned(),
            Self::Offer | Self::Source => format!("does not take {found}"),
            Self::Hours => "is shut".to_owned(),
            Self::Inactive => format!("is not active: {found}"),
            Self::Needs => format!("needs {needed}, which is missing"),
            Self::Cap => format!("needs {needed}; {}", counted(found)),
            Self::Band | Self::Age => format!("needs {needed}; it is {found}"),
        }
    }
}

/// What a limit met: how many, or how much of what.
fn counted(found: &str) -> String {
    if found.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("it is at {found}")
    } else {
        found.to_owned()
    }
}

/// Whether a desk would ask "what if" of this rule.
const fn rule_may_be_waived(rule: Rule) -> bool {
    !matches!(rule, Rule::Excluded | Rule::Territory | Rule::Area)
}
