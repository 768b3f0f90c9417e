//! Who might have had it, and why not: the first rule each failed, with both values.

use super::available::{Exhausted, exhausted};
use super::{Candidate, Conclusion, Decision, NearMiss, Period, Row, Rule, Table};
use crate::limits;

/// The nearest misses so far, in order: those that failed latest first, of those the most specific, then by id.
#[derive(Default)]
struct Nearest {
    rows: Vec<(u128, usize)>,
    /// How near the last of as many as are kept is.
    last: Option<u128>,
}

impl Nearest {
    /// A row that failed this rule. Most are told by the rule alone, and nearly all without reading the contract:
    /// contracts lie all over the chunk.
    #[inline]
    fn meet(&mut self, rule: Rule, row: &Row<'_>, at: usize) {
        let rule = u128::from(u8::MAX - rule as u8) << 64;
        if self.last.is_some_and(|last| last < rule) {
            return;
        }
        let near = rule | u128::from(row.candidate.specificity.order()) << 32;
        if self.last.is_none_or(|last| last > near) {
            self.keep(near | u128::from(row.candidate.contract.rank()), at);
        }
    }

    fn keep(&mut self, near: u128, at: usize) {
        self.rows.insert(self.rows.partition_point(|(known, _)| *known <= near), (near, at));
        self.rows.truncate(limits::NEAR_MISSES);
        if self.rows.len() == limits::NEAR_MISSES {
            self.last = self.rows.last().map(|(near, _)| *near);
        }
    }
}

impl<'a> Table<'a> {
    pub(super) fn decision(&self, conclusion: Conclusion) -> Decision {
        // By turns, since a processor waits for a count that it has just written; none failed stands last.
        let mut counts = [[0_u32; Rule::ALL.len() + 1]; 4];
        let mut nearest = Nearest::default();
        for (at, row) in self.rows.iter().enumerate() {
            let rule = self.failed(row);
            let place = rule.map_or(Rule::ALL.len(), |rule| rule as usize);
            if let Some(count) = counts.get_mut(at % 4).and_then(|counts| counts.get_mut(place)) {
                *count += 1;
            }
            if let Some(rule) = rule {
                nearest.meet(rule, row, at);
            }
        }
        let failed = std::array::from_fn(|rule| counts.iter().filter_map(|counts| counts.get(rule)).sum());
        let near_miss = |at: usize| {
            let row = self.rows.get(at)?;
            Some(self.near_miss(self.failed(row)?, row))
        };
        let near_misses = nearest.rows.into_iter().filter_map(|(_, at)| near_miss(at)).collect();
        Decision { conclusion, failed, near_misses, kept: self.kept, comes_free_at: self.comes_free_at }
    }

    pub(super) fn near_miss(&self, rule: Rule, row: &Row<'a>) -> NearMiss {
        let contract = row.candidate.contract;
        let facts = self.facts;
        let (needed, found) = match rule {
            Rule::Inactive => ("active".to_owned(), self.why_inactive(row)),
            Rule::Offer => ("an offer it takes".to_owned(), facts.offer.to_string()),
            Rule::Source => ("a source it takes".to_owned(), facts.source.to_string()),
            Rule::Age => {
                // Begun hours count, or 72 and a half would read as within 72.
                let age_s = self.now.as_second() - facts.opened_at.as_second();
                let hours = (age_s + 3_599) / 3_600;
                (format!("at most {} h old", contract.max_age_hours.unwrap_or(0)), format!("{hours} h"))
            }
            Rule::Area => ("an area that covers it".to_owned(), "outside".to_owned()),
            Rule::Band => (format!("band {}", contract.min_band), format!("band {}", facts.band)),
            Rule::Needs => {
                let missing: Vec<&str> =
                    facts.brings.missing(contract.needs).map(crate::contract::Need::as_str).collect();
                (missing.join(" "), "missing".to_owned())
            }
            Rule::Excluded => ("a dealer that has not had it".to_owned(), "had it in this cycle".to_owned()),
            Rule::Territory => {
                let by = row.shut_out_by.and_then(|by| self.rows.get(by)).map(|row| row.candidate.contract);
                let found = by.map(|by| format!("{} {}", by.territory, by.id));
                (
                    "no territory before it".to_owned(),
                    found.unwrap_or_else(|| "seats it may not share".to_owned()),
                )
            }
            Rule::Hours => ("open".to_owned(), "shut".to_owned()),
            Rule::Cap => self.full_cap(row),
        };
        let (contract, dealer) = (contract.id.clone(), row.candidate.dealer.id.clone());
        NearMiss { contract, dealer, rule, needed, found }
    }

    fn why_inactive(&self, row: &Row<'_>) -> String {
        let Candidate { contract, zone, paused_until, .. } = *row.candidate;
        let today = || self.locals.get(zone).map(|local| local.fixed.to_datetime(self.now).date());
        if paused_until.is_some() {
            "paused".to_owned()
        } else if let Some(starts) =
            contract.starts.filter(|starts| today().is_none_or(|today| *starts > today))
        {
            format!("starts {starts}")
        } else {
            contract.ends.map_or_else(|| "inactive".to_owned(), |ends| format!("ended {ends}"))
        }
    }

    fn full_cap(&self, row: &Row<'a>) -> (String, String) {
        let local = self.locals.get(row.candidate.zone);
        let price = row.candidate.contract.price;
        match local.and_then(|local| exhausted(row, local, self.counters, self.now)) {
            Some(Exhausted::Cap { of_dealer, period, most, used }) => {
                let whose = if of_dealer { " for the dealer" } else { "" };
                let needed = match period {
                    Period::Total => format!("fewer than {most} in total{whose}"),
                    Period::Hour | Period::Day | Period::Week | Period::Month => {
                        format!("fewer than {most} a {period}{whose}")
                    }
                };
                (needed, used.to_string())
            }
            Some(Exhausted::Budget { most, spent }) => {
                (format!("{price} left of {most} a month"), format!("{spent} spent"))
            }
            Some(Exhausted::Balance { left }) => (format!("{price} paid in advance"), format!("{left} left")),
            None => ("a cap that is left".to_owned(), String::new()),
        }
    }
}
