//! Offers that a closed territory keeps from everybody: it does not take them, and bars all who do.
//!
//! As `decide` has it: a closed contract that refuses a lead shuts out everyone but the compelling
//! contracts that are at least as specific, and its own dealer's. Where another dealer's territory is as
//! specific or more so, nothing is said: that one may shut this one out, and spare its own.

use std::collections::HashMap;

use super::field::{Field, Fields};
use super::figures::Figures;
use super::ground::Coverage;
use super::overlap::grouped;
use super::reach::Reach;
use super::survey::{Standing, Survey, bars};
use super::warnings::Warnings;
use super::week::Week;
use crate::contract::{Specificity, Territory};
use crate::place::{Place, State};
use crate::rulebook::problem::ProblemCode;

/// How many contracts may be looked at in all.
const STEPS: u32 = 50_000_000;

impl Survey<'_> {
    /// Notes closed territories that keep an offer of their category from everybody.
    pub(super) fn find_closed_gaps(&self, reach: &Reach, fields: &Fields<'_, '_>, warnings: &mut Warnings) {
        // Whoever is not in reach might take what seems kept from everybody.
        let closed: Vec<&Standing<'_>> = self
            .living()
            .map(|(_, standing)| standing)
            .filter(|standing| reach.is_whole && standing.contract.territory == Territory::Closed)
            .filter(|standing| standing.contract.starts.is_none_or(|starts| starts <= self.today))
            .collect();
        // One that can never be given a lead still bars others, and spares its own dealer's.
        let dead_bars = |one: &Standing<'_>| one.is_dead && bars(one.contract.territory);
        if closed.is_empty() || self.standings.iter().any(dead_bars) {
            return;
        }
        let mut of_dealer: HashMap<usize, Vec<&Standing<'_>>> = HashMap::new();
        for standing in &self.standings {
            of_dealer.entry(standing.dealing).or_default().push(standing);
        }
        let mut steps_left = STEPS;
        for (number, offer) in self.book.offers.iter().enumerate() {
            let mut field = None;
            for standing in &closed {
                let mut taken = standing.offers.numbers(0).filter_map(|at| self.book.offers.get(at as usize));
                if standing.offers.takes(number as u32) || !taken.any(|one| one.category == offer.category) {
                    continue;
                }
                let field = field.get_or_insert_with(|| fields.field(number));
                let own = of_dealer.get(&standing.dealing).map_or(&[][..], Vec::as_slice);
                let barred = self.barred(standing, number as u32, own, field, reach, &mut steps_left);
                let people: u64 = barred.iter().map(|place| u64::from(place.population())).sum();
                let Some(example) = barred.iter().max_by_key(|place| place.population()) else { continue };
                let message = format!(
                    "contract {} does not take the offer \"{}\" and keeps everybody else from it in {} ZIPs, \
                     {} ({}) among them, where {} people live: those leads wait",
                    standing.described(),
                    offer.id,
                    grouped(barred.len() as u64),
                    example.zip(),
                    example.city(),
                    grouped(people)
                );
                let figures = Figures {
                    offer: Some(offer.id.to_string()),
                    zip: Some(example.zip().to_string()),
                    zips: u32::try_from(barred.len()).ok(),
                    people: Some(people),
                    ..Figures::default()
                };
                warnings.note_with("contracts.csv", standing.at, ProblemCode::Gap, message, figures);
            }
        }
    }

    /// The places where others take an offer, and a closed contract leaves none of them.
    fn barred(
        &self,
        closed: &Standing<'_>,
        offer: u32,
        own: &[&Standing<'_>],
        field: &Field,
        reach: &Reach,
        steps_left: &mut u32,
    ) -> Vec<Place> {
        let Some(coverage) = self.coverage(closed).filter(|coverage| coverage.is_listed()) else {
            return Vec::new();
        };
        let own: Vec<&Coverage> =
            own.iter().filter(|one| one.offers.takes(offer)).filter_map(|one| self.coverage(one)).collect();
        let spares_others =
            |one: &Standing<'_>| bars(one.contract.territory) && one.dealing != closed.dealing;
        let mut left = |place: Place, rank: Specificity| {
            *steps_left = steps_left.saturating_sub(1);
            let rows = || reach.narrow(place.index()).iter().chain(reach.wide(place.state()));
            let mut speaks = rows().filter(|row| row.1 <= rank).flat_map(|row| reach.contracts(row.0));
            let speaks = speaks.any(|&number| {
                *steps_left = steps_left.saturating_sub(1);
                let mut one = self.standings.get(number).into_iter();
                *steps_left == 0 || one.any(|one| one.offers.takes(offer) || spares_others(one))
            });
            speaks || own.iter().any(|theirs| !theirs.is_listed() || theirs.at(place).is_some())
        };
        let narrow = coverage.narrow_places();
        let wide = State::ALL.iter().filter_map(|&state| Some((state, coverage.wide(state)?)));
        let wide =
            wide.flat_map(|(state, rank)| self.ground.in_state(state).iter().map(move |&at| (at, rank)));
        narrow
            .chain(wide.filter(|&(at, _)| coverage.narrow(at).is_none()))
            .filter_map(|(at, rank)| Some((self.ground.place(at)?, rank)))
            .filter(|&(place, _)| field.at(place) != Week::default())
            .filter(|&(place, rank)| !left(place, rank))
            .map(|(place, _)| place)
            .collect()
    }
}
