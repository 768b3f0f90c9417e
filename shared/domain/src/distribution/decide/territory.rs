//! Rule 5: what territories compel.

use super::{Best, Table, Terms};
use crate::contract::{Specificity, Territory, WhenUnavailable};
use crate::distribution::reason::Rule;
use crate::ids::DealerId;

impl Table<'_> {
    /// Those who have a say before the ranking, the most specific first.
    pub(super) fn voices(&self, chosen: &[Best]) -> Vec<(Specificity, usize)> {
        let mut voices: Vec<(Specificity, usize)> = self
            .compelling
            .iter()
            .filter(|at| self.no_say != Some(**at))
            .filter_map(|&at| Some((at, self.rows.get(at)?)))
            .filter(|(_, row)| {
                let refuses = || row.candidate.refuses;
                match row.territory {
                    Territory::Open => false,
                    Territory::First | Territory::Protected => {
                        refuses().is_none() && !self.has_seat(row, chosen)
                    }
                    Territory::Closed if self.has_seat(row, chosen) => {
                        refuses().is_some_and(|rule| rule != Rule::Inactive)
                    }
                    Territory::Closed => refuses() != Some(Rule::Inactive),
                }
            })
            .map(|(at, row)| (row.candidate.specificity, at))
            .collect();
        voices.sort_unstable();
        voices
    }

    /// Whether this compelling row keeps the lead waiting for it.
    pub(super) fn waits(&self, at: usize, terms: Option<Terms>, chosen: &[Best]) -> bool {
        self.rows.get(at).is_some_and(|row| {
            row.candidate.contract.when_unavailable == WhenUnavailable::Wait
                && match row.own {
                    Some(Rule::Hours | Rule::Cap) => true,
                    Some(Rule::Excluded) => !self.by_hand,
                    Some(
                        Rule::Inactive
                        | Rule::Offer
                        | Rule::Source
                        | Rule::Age
                        | Rule::Area
                        | Rule::Band
                        | Rule::Needs
                        | Rule::Territory,
                    )
                    | None => false,
                }
                && self.may_sit(row, terms)
                && !self.has_seat(row, chosen)
        })
    }

    /// Whether this compelling row, which does not get the seat, keeps other dealers from it: closed, and
    /// it does not take the lead; or it takes the lead and may not share it.
    pub(super) fn bars(&self, at: usize, terms: Option<Terms>, chosen: &[Best]) -> bool {
        self.rows.get(at).is_some_and(|row| {
            let contract = row.candidate.contract;
            let takes = row.own.is_none() || contract.when_unavailable == WhenUnavailable::Wait;
            match contract.territory {
                Territory::Open | Territory::First => false,
                Territory::Protected => takes && !self.may_sit(row, terms),
                Territory::Closed => {
                    row.candidate.refuses.is_some()
                        || takes && !self.may_sit(row, terms) && !self.has_seat(row, chosen)
                }
            }
        })
    }

    /// Shuts out everyone but the compelling contracts that are at least as specific, and `spared`
    /// dealers.
    pub(super) fn shut_out(
        &mut self,
        by: usize,
        specificity: Specificity,
        spared: impl Fn(&DealerId) -> bool,
    ) {
        let no_say = self.no_say;
        self.each_live(|at, row| {
            let candidate = row.candidate;
            let compels = row.territory.compels() && no_say != Some(at);
            let speaks = compels && candidate.specificity <= specificity;
            if !speaks && row.shut_out_by.is_none() && !spared(&candidate.dealer.id) {
                row.shut_out_by = Some(by);
            }
        });
    }
}
