//! Contracts that can never be given a lead, and parts of areas that cover no place.

use std::collections::HashSet;

use super::ground::is_no_place;
use super::survey::{Standing, Survey};
use super::unused::ended;
use super::warnings::Warnings;
use crate::contract::AreaPart;
use crate::ids::AreaId;
use crate::limits;
use crate::rulebook::problem::ProblemCode;
use crate::scoring::{Band, FinePoints, NextStep, ScoringModel};

impl Survey<'_> {
    /// Notes who can never be given a lead, and marks them.
    pub(super) fn find_dead(&mut self, warnings: &mut Warnings) {
        self.find_parts_of_no_place(warnings);
        let closed = self.closed_sources();
        let bands: Vec<Vec<Band>> = self.book.offers.iter().map(|offer| self.bands_of(offer)).collect();
        let dead: Vec<Option<String>> =
            self.standings.iter().map(|standing| self.why_dead(standing, &closed, &bands)).collect();
        for (standing, why) in self.standings.iter_mut().zip(dead) {
            let Some(why) = why else { continue };
            standing.is_dead = true;
            let message = format!("contract \"{}\" can never be given a lead: {why}", standing.contract.id);
            warnings.note("contracts.csv", standing.at, ProblemCode::Dead, message);
        }
    }

    fn why_dead(&self, standing: &Standing<'_>, closed: &[Closed], bands: &[Vec<Band>]) -> Option<String> {
        let contract = standing.contract;
        if self.coverage(standing).is_some_and(|coverage| coverage.is_nowhere()) {
            let parts = self.book.areas.get(&contract.area).into_iter().flatten();
            let mut circles = parts.filter(|part| matches!(part, AreaPart::RadiusMiles(_)));
            let radius = if circles.next().is_some() {
                format!(
                    ": where ZIP {} of dealer \"{}\" lies is not known",
                    standing.dealer.zip, standing.dealer.id
                )
            } else {
                String::new()
            };
            return Some(format!("its area \"{}\" covers no place{radius}", contract.area));
        }
        let mut sources = standing.sources.numbers(closed.len()).map(|number| closed.get(number as usize));
        if sources.all(|source| source.is_some_and(|source| *source != Closed::Open)) {
            let tests = standing.sources.numbers(closed.len());
            let any_test = tests.into_iter().any(|at| closed.get(at as usize) == Some(&Closed::Test));
            let test = if any_test { ", or sends test leads only" } else { "" };
            return Some(format!("every source it takes is past its last day{test}"));
        }
        if self.never_opens(standing) {
            return Some(format!(
                "dealer \"{}\" is shut on every day that it runs, and after_hours is hold",
                standing.dealer.id
            ));
        }
        if let Some(budget) = contract.budget_month.filter(|budget| *budget < contract.price) {
            return Some(format!("its budget_month {budget} is below its price {}", contract.price));
        }
        let meets = |bands: &Vec<Band>| bands.iter().any(|band| band.meets(contract.min_band));
        let mut offers = standing.offers.numbers(bands.len());
        let reachable = offers.any(|offer| bands.get(offer as usize).is_some_and(meets));
        (!reachable).then(|| {
            format!(
                "no band that is pitched, meets an offer's and can be scored meets its min_band {}",
                contract.min_band
            )
        })
    }

    /// Whether opening hours and holidays leave no day between its first and its last.
    fn never_opens(&self, standing: &Standing<'_>) -> bool {
        let hours = &standing.dealer.hours;
        if standing.delivers() {
            return false;
        }
        // Holidays are a list that ends: without a last day one that opens at all opens some day.
        let Some(last) = standing.contract.ends else { return !hours.ever_open() };
        let mut day = standing.contract.starts.map_or(self.today, |starts| starts.max(self.today));
        while day <= last {
            let weekday = day.weekday().to_monday_zero_offset() as usize;
            let has_hours = hours.week().get(weekday).is_some_and(|intervals| !intervals.is_empty());
            if has_hours && standing.dealer.holidays.binary_search(&day).is_err() {
                return false;
            }
            let Ok(next) = day.tomorrow() else { return false };
            day = next;
        }
        true
    }

    fn closed_sources(&self) -> Vec<Closed> {
        let closed = self.book.sources.iter().map(|source| {
            if source.test {
                Closed::Test
            } else if ended(source.ends, self.today) {
                Closed::Ended
            } else {
                Closed::Open
            }
        });
        closed.collect()
    }

    /// The bands with which a lead of an offer may come to a decision: pitched, at least the offer's, and
    /// within what the scoring model can give.
    fn bands_of(&self, offer: &crate::rulebook::Offer) -> Vec<Band> {
        let model = &self.book.scoring;
        let points = || {
            let asks = model.fit.iter().filter(|rule| rule.offer.takes(Some(&offer.id)));
            asks.map(|rule| rule.points.get())
        };
        let most: i64 = points().filter(|points| *points > 0).sum();
        let least: i64 = points().filter(|points| *points < 0).sum();
        let letters = model.bands.fit.letter(most)..=model.bands.fit.letter(least);
        let digit = model.bands.engagement.digit(most_engagement(model));
        Band::all()
            .filter(|band| letters.contains(&band.fit) && band.engagement >= digit)
            .filter(|band| band.meets(offer.min_band) && model.next_step.of(*band) == NextStep::Pitch)
            .collect()
    }

    fn find_parts_of_no_place(&self, warnings: &mut Warnings) {
        let named: HashSet<&AreaId> = self.standings.iter().map(|standing| &standing.contract.area).collect();
        for ((area, parts), &at) in self.book.areas.iter().zip(&self.book.positions.areas) {
            let lost = || parts.iter().filter(|part| is_no_place(**part));
            let Some(first) = lost().next().filter(|_| named.contains(area)) else { continue };
            let count = lost().count();
            let others = if count > 1 { format!(" and {} more parts", count - 1) } else { String::new() };
            let covers = if count > 1 { "cover" } else { "covers" };
            let message = format!(
                "area \"{area}\": {}{others} of {} {covers} no place of the table ({})",
                written(*first),
                parts.len(),
                crate::place::VERSION
            );
            warnings.note("areas.csv", at, ProblemCode::NoPlace, message);
        }
    }
}

/// Whether a source sends leads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closed {
    Open,
    Ended,
    Test,
}

/// No lead has more: as many interactions as count on every day that counts, none of them faded.
fn most_engagement(model: &ScoringModel) -> FinePoints {
    // Days in the future count as today's: a sender's clock may be a day ahead.
    const AHEAD_DAYS: u64 = 3;
    let days = u64::from(limits::HALF_LIVES) * u64::from(model.half_life_days()) + AHEAD_DAYS;
    let a_day: u64 = model
        .interactions
        .iter()
        .map(|(_, weight)| weight.points.get().unsigned_abs() * weight.daily_cap.get().unsigned_abs())
        .sum();
    FinePoints::whole_points(a_day.saturating_mul(days))
}

/// As `areas.csv` has it.
fn written(part: AreaPart) -> String {
    match part {
        AreaPart::Zip(zip) => format!("zip:{zip}"),
        AreaPart::Zip3(zip3) => format!("zip3:{zip3}"),
        AreaPart::County(county) => format!("county:{county}"),
        AreaPart::RadiusMiles(miles) => format!("radius_mi:{miles}"),
        AreaPart::State(state) => format!("state:{state}"),
        AreaPart::Any => "any".to_owned(),
    }
}
